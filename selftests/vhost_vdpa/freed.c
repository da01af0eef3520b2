// SPDX-License-Identifier: GPL-2.0
/*
 * A client that unmaps memory which it has given back before. vhost lets its pages go
 * before it tells the device: from then on they are somebody else's, and a device that
 * is software must not reach them any more.
 *
 *	freed [-d DEV] [-n ROUNDS]
 *
 * The device is a disk that may be written. It is asked to write a page to the disk,
 * again and again, while that page is unmapped. Once the kernel says that the page is
 * not what it was (it is not anonymous any more), such a request has to fail. It reads
 * the page and does not write it, so that nobody comes to harm if it does not.
 *
 * Exit status: 0 as expected, 1 not, 2 usage, 4 could not be tried.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <getopt.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <linux/kernel-page-flags.h>
#include <linux/virtio_blk.h>

#include "vdpa_rig.h"

#define SKIPPED		4

#define POOL		(16UL << 20)
#define POOL_IOVA	0x80000000ULL
#define PAGES		(POOL / VC_PAGE)
/* Pages in a row that take long enough to unpin. */
#define RUN_MIN		64

#define PAGEMAP_PRESENT	BIT64(63)
#define PAGEMAP_PFN	(BIT64(55) - 1)

static struct rig rig;
static struct blk_req req;
static int flags_fd, map_fd;
static unsigned int asked_after;

static __u64 pfn_of(const __u8 *p)
{
	__u64 e = 0;

	if (pread(map_fd, &e, sizeof(e), (uintptr_t)p / VC_PAGE * sizeof(e)) != sizeof(e))
		return 0;
	return e & PAGEMAP_PRESENT ? e & PAGEMAP_PFN : 0;
}

static bool is_anon(__u64 pfn)
{
	__u64 flags = 0;

	if (pread(flags_fd, &flags, sizeof(flags), pfn * sizeof(flags)) != sizeof(flags))
		return false;
	return flags & BIT64(KPF_ANON);
}

/* vhost tells the device of pages that are in a row at once: the first of the longest row. */
static unsigned int longest_run(const __u8 *pool, __u64 *pfn)
{
	unsigned int i, n = 0, best = 0, at = 0;
	__u64 last = 0, this;

	for (i = 0; i < PAGES; i++) {
		this = pfn_of(pool + i * VC_PAGE);
		n = this && this == last + 1 ? n + 1 : 1;
		last = this;
		if (n <= best)
			continue;
		best = n;
		at = i + 1 - n;
		*pfn = this + 1 - n;
	}
	return best < RUN_MIN ? PAGES : at;
}

static void *unmap(void *unused)
{
	(void)unused;
	return vc_unmap(&rig.c, POOL_IOVA, POOL) ? "pages stayed mapped" : NULL;
}

/* One sector of that page to the disk; is it refused? */
static bool refused(__u64 iova)
{
	const struct vq_seg seg[] = {
		{ vc_iova(&rig.c, req.hdr_mem), sizeof(req.hdr) },
		{ iova, 512 },
		{ vc_iova(&rig.c, req.status), 1 },
	};

	*req.status = 0xff;
	if (vq_add(&rig.vq[0], seg, 2, 1, &req))
		return false;
	vq_kick(&rig.vq[0]);
	return blk_wait(&rig, &req, RIG_WAIT_MS) && *req.status == VIRTIO_BLK_S_IOERR;
}

/* Until a request is refused; those that the page was gone before must be. */
static int ask(__u64 iova, __u64 pfn)
{
	__u64 end = vc_now_ms() + RIG_WAIT_MS;
	bool gone, no;

	do {
		gone = !is_anon(pfn);
		no = refused(iova);
		if (gone && !no)
			return 1;
		asked_after += gone;
	} while (!no && vc_now_ms() < end);
	return no ? 0 : 1;
}

static int one_round(void)
{
	pthread_t thread;
	unsigned int at;
	void *error;
	__u64 pfn;
	__u8 *pool;
	int ret;

	pool = mmap(NULL, POOL, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (pool == MAP_FAILED)
		return SKIPPED;
	madvise(pool, POOL, MADV_NOHUGEPAGE);
	memset(pool, 0x5a, POOL);
	ret = vc_map(&rig.c, POOL_IOVA, pool, POOL);
	if (ret) {
		fprintf(stderr, "freed: map: %s\n", strerror(-ret));
		return SKIPPED;
	}
	at = longest_run(pool, &pfn);
	munmap(pool, POOL);
	if (at == PAGES)
		return vc_unmap(&rig.c, POOL_IOVA, POOL) ? 1 : SKIPPED;

	if (pthread_create(&thread, NULL, unmap, NULL))
		return SKIPPED;
	ret = ask(POOL_IOVA + at * VC_PAGE, pfn);
	pthread_join(thread, &error);
	if (error)
		printf("%s\n", (char *)error);
	return error ? 1 : ret;
}

static int set_up(const char *path)
{
	int ret = rig_up(&rig, path, 0);

	if (!ret)
		ret = blk_prepare(&rig, &req);
	if (ret) {
		fprintf(stderr, "freed: %s: %s\n", path, strerror(-ret));
		return SKIPPED;
	}
	flags_fd = open("/proc/kpageflags", O_RDONLY);
	map_fd = open("/proc/self/pagemap", O_RDONLY);
	if (flags_fd < 0 || map_fd < 0)
		return SKIPPED;
	/* The header stays: this is what all requests are. */
	return blk_do(&rig, &req, VIRTIO_BLK_T_OUT, 0, 512) ? SKIPPED : 0;
}

int main(int argc, char **argv)
{
	const char *path = "/dev/vhost-vdpa-0";
	unsigned int i, done = 0, rounds = 50;
	int c, ret;

	while ((c = getopt(argc, argv, "d:n:")) != -1) {
		if (c == 'd')
			path = optarg;
		else if (c == 'n')
			rounds = atoi(optarg);
		else
			return 2;
	}
	vc_unlimit_memlock();
	ret = set_up(path);
	if (ret)
		return ret;
	for (i = 0; i < rounds; i++) {
		ret = one_round();
		if (ret == 1) {
			printf("round %u: the device reached memory that was given back\n", i);
			return 1;
		}
		done += !ret;
	}
	printf("%u of %u rounds, %u requests for memory that was given back\n", done, rounds,
	       asked_after);
	return done ? 0 : SKIPPED;
}
