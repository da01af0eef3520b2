// SPDX-License-Identifier: GPL-2.0
/*
 * Random writes to a disk that is suspended again and again:
 *
 *	writes [-p] [-m NAME] TIMES DEV
 *	writes [-nd] -w FILE DEV
 *
 * DEV is a vhost-vdpa device, TIMES how often it is suspended, with packed rings if -p. If -m its
 * queues, those of the vDPA device NAME, change paths as often.
 * Each write is of one sector and has contents of its own; many are under way, never two to
 * one sector. While suspended the device may do nothing, and its ring state has to be
 * where it stopped. It goes on by RESUME, or, as a guest that migrated does, after a reset
 * from that state. In the end each sector holds what was written to it last. Prints
 * "WRITES N": whoever counts what the disk did must find as many.
 *
 * With -w it writes until FILE is there, to a disk that may stand still meanwhile. If
 * FILE.suspend is there it takes that away and tries to suspend it: "SUSPEND ok", and goes on,
 * or "SUSPEND" and the error. With -n it has not VIRTIO_RING_F_EVENT_IDX, with -d it kicks by
 * the doorbell itself.
 */
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <linux/virtio_blk.h>

#include "vdpa_rig.h"

#define SECTOR		512
#define SECTORS		1024
#define DEPTH		24
/* Writes from one suspend to the next, at most. */
#define STRETCH		60
/* A disk that stands still goes on some time, by itself or by who made it stand still. */
#define PATIENCE_MS	100000
#define TICK_MS		100
/* For a device that goes on to be caught at it. */
#define STILL_US	500

static const char *name;
static struct rig rig;
static struct blk_req reqs[DEPTH];
static int busy[DEPTH];
static __u64 under_way[SECTORS], written[SECTORS];
static __u64 seq;
static void *doorbell;

/* For a person: what the kernel knows of the rings. */
static void show_rings(void)
{
	char line[512];
	FILE *f = fopen("/sys/kernel/debug/vmdev/rings", "r");

	while (f && fgets(line, sizeof(line), f))
		printf("# %s", line);
	if (f)
		fclose(f);
}

static void fail(const char *what, int err)
{
	if (rig.vq[0].device)
		printf("# avail index %u, used index %u, in memory %u\n", rig.vq[0].avail_idx,
		       rig.vq[0].used_idx, vq_used_base(&rig.vq[0]) & 0xffff);
	show_rings();
	printf("FAILED %s: %s, after %llu writes\n", what, err ? strerror(-err) : "",
	       (unsigned long long)seq);
	exit(1);
}

static void must(int ret, const char *what)
{
	if (ret)
		fail(what, ret);
}

static void fill(__u8 *data, __u64 sector, __u64 number)
{
	__u64 words[SECTOR / sizeof(__u64)];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(words); i++)
		words[i] = number ? (number << 20) + sector * 64 + i : 0;
	memcpy(data, words, SECTOR);
}

static void submit(int slot)
{
	__u64 sector;

	do {
		sector = rand() % SECTORS;
	} while (under_way[sector]);
	under_way[sector] = ++seq;
	busy[slot] = 1;
	fill(reqs[slot].data, sector, seq);
	must(blk_put(&rig, &reqs[slot], VIRTIO_BLK_T_OUT, sector, SECTOR), "submit");
	if (doorbell)
		vc_ring(doorbell, 0);
	else
		vq_kick(&rig.vq[0]);
}

/* All that the device gave back; returns how many that were. */
static int complete(void)
{
	struct blk_req *req;
	int n = 0;
	__u32 len;

	while ((req = vq_get(&rig.vq[0], &len))) {
		__u64 sector = le64toh(req->hdr.sector);

		if (*req->status != VIRTIO_BLK_S_OK)
			fail("write", -EIO);
		written[sector] = under_way[sector];
		under_way[sector] = 0;
		busy[req - reqs] = 0;
		n++;
	}
	must(rig.vq[0].error, "used ring");
	return n;
}

static void run(int writes)
{
	int slot;

	while (writes > 0) {
		for (slot = 0; slot < DEPTH; slot++)
			if (!busy[slot])
				submit(slot);
		if (!vq_wait(&rig.vq[0], RIG_WAIT_MS))
			fail("wait", -ETIMEDOUT);
		writes -= complete();
	}
}

static void suspend(int restart)
{
	__u32 base;

	must(vc_suspend(&rig.c), "SUSPEND");
	complete();
	must(vc_vring_get(&rig.c, VHOST_GET_VRING_BASE, 0, &base), "GET_VRING_BASE");
	if (base != vq_used_base(&rig.vq[0]))
		fail("state is not where it stopped", 0);
	vc_sleep_us(STILL_US);
	if (vq_pending(&rig.vq[0]))
		fail("it went on while suspended", 0);
	if (restart)
		must(rig_restart(&rig, &base), "restart");
	else
		must(vc_resume(&rig.c), "RESUME");
	vq_kick(&rig.vq[0]);
}

/* Through sysfs, where whoever looks after it would. */
static void attribute(const char *file, int write_it, char *text, size_t size)
{
	char path[300];
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/sys/bus/vdpa/devices/%s/vmdev/%s", name, file);
	fd = open(path, write_it ? O_WRONLY : O_RDONLY);
	if (fd < 0)
		fail(path, -errno);
	n = write_it ? write(fd, text, strlen(text)) : read(fd, text, size - 1);
	if (n < 0)
		fail(text, -errno);
	if (!write_it)
		text[n] = 0;
	close(fd);
}

static void move(char *path)
{
	char now[100];

	attribute("policy", 1, path, 0);
	attribute("paths", 0, now, sizeof(now));
	if (strncmp(now, path, strlen(path)))
		fail("it did not change its path", 0);
}

static void drain(void)
{
	while (vq_in_flight(&rig.vq[0])) {
		if (!vq_wait(&rig.vq[0], RIG_WAIT_MS))
			fail("drain", -ETIMEDOUT);
		complete();
	}
}

static void read_back(void)
{
	__u8 want[SECTOR];
	__u64 sector;

	for (sector = 0; sector < SECTORS; sector++) {
		must(blk_do(&rig, &reqs[0], VIRTIO_BLK_T_IN, sector, SECTOR), "read");
		fill(want, sector, written[sector]);
		if (written[sector] && memcmp(want, reqs[0].data, SECTOR))
			fail("a sector holds something else", 0);
	}
}

static void try_suspend(void)
{
	int err = vc_suspend(&rig.c);

	printf("SUSPEND %s\n", err ? strerror(-err) : "ok");
	if (!err)
		must(vc_resume(&rig.c), "RESUME");
	vq_kick(&rig.vq[0]);
}

/* In small steps, as the disk may stand still at any time. */
static void write_until(const char *file)
{
	char asked[300];
	int slot, waited = 0;

	snprintf(asked, sizeof(asked), "%s.suspend", file);
	printf("WRITING\n");
	while (access(file, F_OK)) {
		if (!unlink(asked))
			try_suspend();
		for (slot = 0; slot < DEPTH; slot++)
			if (!busy[slot])
				submit(slot);
		waited = vq_wait(&rig.vq[0], TICK_MS) ? 0 : waited + TICK_MS;
		if (waited > PATIENCE_MS)
			fail("wait", -ETIMEDOUT);
		complete();
	}
}

static int usage(void)
{
	fprintf(stderr,
		"Usage: writes [-p] [-m NAME] TIMES DEV\n       writes [-nd] -w FILE DEV\n");
	return 2;
}

int main(int argc, char **argv)
{
	bool by_doorbell = false;
	const char *file = NULL;
	/* As guests have it. Hardware that asks to be kicked took all there was. */
	__u64 event_idx = BIT64(VIRTIO_RING_F_EVENT_IDX), extra = 0;
	int i, opt, times = 0;

	setvbuf(stdout, NULL, _IOLBF, 0);
	while ((opt = getopt(argc, argv, "pm:w:nd")) != -1) {
		switch (opt) {
		case 'p':
			extra = BIT64(VIRTIO_F_RING_PACKED);
			break;
		case 'm':
			name = optarg;
			break;
		case 'w':
			file = optarg;
			break;
		case 'n':
			event_idx = 0;
			break;
		case 'd':
			by_doorbell = true;
			break;
		default:
			return usage();
		}
	}
	if (optind + 1 + !file != argc)
		return usage();
	if (file)
		extra |= event_idx;
	else
		times = atoi(argv[optind]);
	srand(20260801);

	must(vc_unlimit_memlock(), "memlock");
	must(rig_up(&rig, argv[argc - 1], extra), "bring-up");
	if (by_doorbell) {
		doorbell = vc_doorbell(&rig.c, 0);
		if (!doorbell)
			fail("doorbell", -errno);
	}
	for (i = 0; i < DEPTH; i++)
		must(blk_prepare(&rig, &reqs[i]), "memory");
	if (file)
		write_until(file);
	for (i = 0; i < times; i++) {
		run(1 + rand() % STRETCH);
		suspend(i % 4 == 3);
		if (!name)
			continue;
		run(1 + rand() % STRETCH);
		move(rand() % 2 ? "shadow" : "direct");
	}
	drain();
	read_back();
	printf("WRITES %llu\n", (unsigned long long)seq);
	rig_close(&rig);
	return 0;
}
