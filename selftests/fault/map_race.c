// SPDX-License-Identifier: GPL-2.0
/*
 * Threads map and unmap pages of one device, the same ones at times, while the
 * main thread resets it, runs it, has it work and closes it. After each round
 * all slots are looked at: what vhost believes (it refuses to map over what is
 * mapped), what we believe, what the device reaches by DMA, and what is counted
 * as pinned, must be the same.
 *
 * The device is a disk: a read is a DMA into any page we name, and what it
 * writes there was chosen by us.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include <linux/virtio_blk.h>

#include "../vhost_vdpa/vdpa_rig.h"
#include "lab.h"

#define THREADS		4
#define WINDOW		0x80000000ULL

/* Slots [0, OWNED) have an owner who knows; the others are anybody's. */
#define OWNED		64
#define SLOTS		128
#define RANGE_MAX	12

/* The pages that slots show: each has its place in our memory. */
#define PAGES		(2 * SLOTS)
#define PATTERNS	64
#define NOTHING		(-1)

static const char *path = "/dev/vhost-vdpa-0";
static unsigned int rounds = 10, minutes;
static unsigned int ops = 100;
static unsigned long seed = 1;

static struct rig rig;
static __u8 *pool;
static int slot_page[OWNED];
static bool racing, lost;
static unsigned long maps_done, unmaps_done, faults, seen_mapped;

#define die(fmt, ...)							\
	do {								\
		printf("not ok - map_race: " fmt "\n", ##__VA_ARGS__);	\
		exit(1);						\
	} while (0)

static void must(const char *what, int err)
{
	if (err)
		die("%s: %s", what, strerror(-err));
}

static void on_alarm(int sig)
{
	static const char msg[] = "not ok - map_race: hang\n";

	(void)sig;
	if (write(STDOUT_FILENO, msg, sizeof(msg) - 1) < 0)
		_exit(3);
	_exit(1);
}

static unsigned int below(unsigned long *state, unsigned int n)
{
	*state = *state * 6364136223846793005UL + 1442695040888963407UL;
	return (*state >> 33) % n;
}

static __u64 slot_iova(unsigned int slot)
{
	return WINDOW + slot * VC_PAGE;
}

static __u8 *page_at(unsigned int page)
{
	return pool + page * VC_PAGE;
}

/* --- the race ------------------------------------------------------------ */
/* The owner of a slot knows whether it is mapped, and how the call must end. */
static void race_owned(unsigned int slot, unsigned long *state)
{
	int page = slot + (below(state, 2) ? SLOTS : 0), err;

	if (slot_page[slot] == NOTHING) {
		err = vc_map(&rig.c, slot_iova(slot), page_at(page), VC_PAGE);
		if (!err)
			slot_page[slot] = page;
	} else {
		err = vc_unmap(&rig.c, slot_iova(slot), VC_PAGE);
		if (!err)
			slot_page[slot] = NOTHING;
	}
	if (err && !__atomic_load_n(&lost, __ATOMIC_ACQUIRE))
		die("slot %u: %s", slot, strerror(-err));
}

static void race_open(unsigned long *state)
{
	unsigned int first = OWNED + below(state, SLOTS - OWNED);
	unsigned int n = 1 + below(state, RANGE_MAX);
	unsigned int page = OWNED + below(state, SLOTS - OWNED);

	if (first + n > SLOTS)
		n = SLOTS - first;
	if (page + n > SLOTS)
		page = SLOTS - n;
	if (below(state, 2)) {
		if (!vc_map(&rig.c, slot_iova(first), page_at(page),
			    n * VC_PAGE))
			__atomic_fetch_add(&maps_done, 1, __ATOMIC_RELAXED);
	} else if (!vc_unmap(&rig.c, slot_iova(first), n * VC_PAGE)) {
		__atomic_fetch_add(&unmaps_done, 1, __ATOMIC_RELAXED);
	}
}

static void *racer(void *arg)
{
	unsigned int nr = (uintptr_t)arg, i;
	unsigned long state = seed * 1000003 + nr;

	for (i = 0; i < ops; i++) {
		unsigned int slot = below(&state, OWNED / THREADS);

		if (below(&state, 2))
			race_owned(slot * THREADS + nr % THREADS, &state);
		else
			race_open(&state);
	}
	return NULL;
}

/* --- DMA ----------------------------------------------------------------- */
static void fill_page(__u8 *page, unsigned int pattern)
{
	unsigned int i;

	for (i = 0; i < VC_PAGE; i++)
		page[i] = pattern * 3 + i * 5 + (i >> 8) + 1;
}

static bool is_page(const __u8 *page, unsigned int pattern)
{
	__u8 want[VC_PAGE];

	fill_page(want, pattern);
	return !memcmp(page, want, VC_PAGE);
}

static void write_patterns(void)
{
	struct blk_req req;
	unsigned int i;

	must("request", blk_prepare(&rig, &req));
	for (i = 0; i < PATTERNS; i++) {
		fill_page(req.data, i);
		must("write", blk_do(&rig, &req, VIRTIO_BLK_T_OUT, i * 8,
				     VC_PAGE));
	}
}

/* One page from the disk to an IOVA; 0, or what became of it. */
static int dma(unsigned int slot, unsigned int pattern, int ms)
{
	static struct blk_req req;
	struct vq_seg seg[3];
	__u32 len;

	/* Memory of a request is never given back: it is made once. */
	if (!req.hdr_mem)
		must("request", blk_prepare(&rig, &req));
	memset(req.hdr_mem, 0, sizeof(req.hdr));
	req.hdr.type = VIRTIO_BLK_T_IN;
	req.hdr.sector = pattern * 8;
	memcpy(req.hdr_mem, &req.hdr, sizeof(req.hdr));
	*req.status = 0xff;
	seg[0] = (struct vq_seg){ vc_iova(&rig.c, req.hdr_mem),
				  sizeof(req.hdr) };
	seg[1] = (struct vq_seg){ slot_iova(slot), VC_PAGE };
	seg[2] = (struct vq_seg){ vc_iova(&rig.c, req.status), 1 };
	if (vq_add(&rig.vq[0], seg, 1, 2, &req))
		return -ENOSPC;
	vq_kick(&rig.vq[0]);
	if (!vq_wait(&rig.vq[0], ms))
		return -ETIMEDOUT;
	if (vq_get(&rig.vq[0], &len) != &req)
		return -EPROTO;
	return *req.status == VIRTIO_BLK_S_OK ? 0 : -EIO;
}

/* --- the look at all slots ----------------------------------------------- */
/* The one page that was written to since it was zero, or NOTHING. */
static int find_written(void)
{
	static const __u8 zero[VC_PAGE];
	int i, found = NOTHING;

	for (i = 0; i < PAGES; i++) {
		if (!memcmp(page_at(i), zero, VC_PAGE))
			continue;
		if (found != NOTHING)
			die("DMA reached pages %d and %d", found, i);
		found = i;
	}
	return found;
}

/* True if vhost says so; what it lets us map goes again. */
static bool is_mapped(unsigned int slot)
{
	if (vc_map(&rig.c, slot_iova(slot), page_at(0), VC_PAGE))
		return true;
	must("unmap", vc_unmap(&rig.c, slot_iova(slot), VC_PAGE));
	return false;
}

static void look_mapped(unsigned int slot)
{
	unsigned int pattern = slot * 7 % PATTERNS;
	int err = dma(slot, pattern, RIG_WAIT_MS), page;

	if (err)
		die("slot %u is mapped, DMA gave %s", slot, strerror(-err));
	page = find_written();
	if (page == NOTHING || !is_page(page_at(page), pattern))
		die("slot %u is mapped, but the data did not come", slot);
	if (slot < OWNED && page != slot_page[slot])
		die("slot %u: DMA reached page %d, not %d", slot, page,
		    slot_page[slot]);
	memset(page_at(page), 0, VC_PAGE);
	seen_mapped++;
}

/*
 * Some devices break of it, others do as if nothing was; the emulated one has
 * its data vanish. So not for every slot, and a new start.
 */
static void look_unmapped(unsigned int slot)
{
	dma(slot, 1, 300);
	must("again", rig_again(&rig));
	if (find_written() != NOTHING)
		die("slot %u is not mapped, but DMA reached a page", slot);
	faults++;
}

static void look(unsigned long *state)
{
	unsigned int slot, mapped = 0, tries = 3;
	long want, pinned;

	must("again", rig_again(&rig));
	memset(pool, 0, PAGES * VC_PAGE);
	for (slot = 0; slot < SLOTS; slot++) {
		bool ours = slot < OWNED && slot_page[slot] != NOTHING;
		bool is = is_mapped(slot);

		if (slot < OWNED && is != ours)
			die("slot %u: we map page %d, vhost says %d", slot,
			    slot_page[slot], is);
		mapped += is;
		if (is)
			look_mapped(slot);
		else if (tries && !below(state, 8) && tries--)
			look_unmapped(slot);
	}
	want = (VC_ARENA_SIZE + mapped * VC_PAGE) / 1024;
	pinned = lab_pinned_kb();
	if (pinned != want)
		die("%ld kB are pinned, %u pages and the arena are mapped: %ld kB",
		    pinned, mapped, want);
}

/* --- rounds -------------------------------------------------------------- */
static void forget(void)
{
	unsigned int i;

	for (i = 0; i < OWNED; i++)
		slot_page[i] = NOTHING;
}

/* The number of the fd stays, for threads that use it. */
static void reopen(void)
{
	int fd;

	__atomic_store_n(&lost, true, __ATOMIC_RELEASE);
	fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	dup3(fd, rig.c.fd, O_CLOEXEC);
	close(fd);
}

static void open_again(void)
{
	long pinned = lab_pinned_kb();
	int fd;

	if (pinned)
		die("closed, and %ld kB are still pinned", pinned);
	forget();
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		die("open: %s", strerror(errno));
	dup3(fd, rig.c.fd, O_CLOEXEC);
	close(fd);
	must("owner", vc_set_owner(&rig.c));
	must("backend", vc_set_backend(&rig.c, rig.c.backend));
	must("arena", vc_arena_map(&rig.c));
	__atomic_store_n(&lost, false, __ATOMIC_RELEASE);
}

/* Meanwhile the device works, stops, and works again: its arena stays mapped. */
static void disturb(unsigned long *state)
{
	static struct blk_req req;

	if (!req.hdr_mem)
		must("request", blk_prepare(&rig, &req));
	while (__atomic_load_n(&racing, __ATOMIC_ACQUIRE)) {
		switch (below(state, 4)) {
		case 0:
			must("again", rig_again(&rig));
			break;
		case 1:
			must("reset", vc_reset(&rig.c));
			must("again", rig_again(&rig));
			break;
		default:
			must("read", blk_do(&rig, &req, VIRTIO_BLK_T_IN, 0,
					    VC_PAGE));
			break;
		}
	}
}

static void *join_all(void *arg)
{
	pthread_t *thread = arg;
	unsigned int i;

	for (i = 0; i < THREADS; i++)
		pthread_join(thread[i], NULL);
	__atomic_store_n(&racing, false, __ATOMIC_RELEASE);
	return NULL;
}

static void race(unsigned long *state, bool close_it)
{
	pthread_t thread[THREADS], joiner;
	unsigned int i;

	racing = true;
	for (i = 0; i < THREADS; i++)
		must("thread", -pthread_create(&thread[i], NULL, racer,
					       (void *)(uintptr_t)i));
	must("thread", -pthread_create(&joiner, NULL, join_all, thread));
	if (close_it) {
		vc_sleep_us(below(state, 200000));
		reopen();
	} else {
		disturb(state);
	}
	pthread_join(joiner, NULL);
	if (close_it)
		open_again();
	seed++;
}

/* At its limit of pinned memory nothing more is mapped, and nothing leaks. */
static void look_at_limit(void)
{
	long pinned = lab_pinned_kb();
	struct rlimit old, limit;

	getrlimit(RLIMIT_MEMLOCK, &old);
	limit = old;
	limit.rlim_cur = pinned * 1024UL + 4 * VC_PAGE;
	setrlimit(RLIMIT_MEMLOCK, &limit);
	if (!vc_map(&rig.c, slot_iova(SLOTS), pool, 5 * VC_PAGE))
		die("mapped beyond the limit");
	if (lab_pinned_kb() != pinned)
		die("a refused map is counted");
	must("map up to the limit", vc_map(&rig.c, slot_iova(SLOTS), pool,
					   4 * VC_PAGE));
	must("unmap", vc_unmap(&rig.c, slot_iova(SLOTS), 4 * VC_PAGE));
	setrlimit(RLIMIT_MEMLOCK, &old);
}

static void usage(void)
{
	fprintf(stderr,
		"Usage: map_race [-d DEV] [-n ROUNDS] [-m MINUTES] [-o OPS] [-s SEED] [-t SEC]\n"
		"At least so many rounds, and for so many minutes.\n"
		"DEV is a disk of at least 256 KiB, which is overwritten.\n");
	exit(2);
}

int main(int argc, char **argv)
{
	unsigned int i, timeout = 600;
	struct lab_census before, now;
	unsigned long state;
	__u64 end;
	int c;

	while ((c = getopt(argc, argv, "d:n:m:o:s:t:")) != -1) {
		switch (c) {
		case 'd':
			path = optarg;
			break;
		case 'n':
			rounds = atoi(optarg);
			break;
		case 'm':
			minutes = atoi(optarg);
			break;
		case 'o':
			ops = atoi(optarg);
			break;
		case 's':
			seed = strtoul(optarg, NULL, 0);
			break;
		case 't':
			timeout = atoi(optarg);
			break;
		default:
			usage();
		}
	}
	state = seed;
	signal(SIGALRM, on_alarm);
	alarm(timeout);
	must("memlock", vc_unlimit_memlock());
	pool = mmap(NULL, PAGES * VC_PAGE, PROT_READ | PROT_WRITE,
		    MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	if (pool == MAP_FAILED)
		die("no memory");
	lab_count(&before);
	must("bring-up", rig_up(&rig, path, 0));
	if (rig.c.device_id != VIRTIO_ID_BLOCK)
		die("%s is no disk", path);
	forget();
	write_patterns();
	end = vc_now_ms() + minutes * 60000ULL;
	for (i = 0; i < rounds || vc_now_ms() < end; i++) {
		race(&state, i % 3 == 2);
		look(&state);
	}
	look_at_limit();
	rig_close(&rig);
	lab_count(&now);
	if (lab_compare(&before, &now))
		die("closed: %s", lab_compare(&before, &now));
	if (!maps_done || !unmaps_done || !seen_mapped || !faults)
		die("nothing was tried: %lu maps, %lu unmaps, %lu reached, %lu faults",
		    maps_done, unmaps_done, seen_mapped, faults);
	printf("# map_race: %u rounds, %lu maps, %lu unmaps, %lu slots reached by DMA, %lu not\n",
	       i, maps_done, unmaps_done, seen_mapped, faults);
	return 0;
}
