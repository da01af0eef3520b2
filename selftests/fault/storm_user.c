// SPDX-License-Identifier: GPL-2.0
/*
 * The users' side of the storm: everything a vhost-vdpa device can be told, in
 * any order, by several threads at once. Whether it is refused does not
 * matter, but that all of it succeeds at times: see storm_all_seen().
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include <linux/virtio_blk.h>
#include <linux/virtio_net.h>
#include <linux/virtio_ring.h>

#include "../dirty/dirty_client.h"
#include "storm.h"

/* Far from what the library hands out. */
#define FD_BASE		500

/* The arena: for each queue a ring, then buffers, then pages to map at will. */
#define RING_SIZE	64
#define RING_BYTES	(4 * VC_PAGE)
#define RING_AVAIL	VC_PAGE
#define RING_USED	(2 * VC_PAGE)
#define BUFFERS		(STORM_QUEUES * RING_BYTES)
#define BUFFER_BYTES	2048
#define PAGES		0x100000UL
#define PAGE_SLOTS	64

/* Of a disk's buffer: the header, then data, the status at its end. */
#define BLK_DATA	512
#define BLK_DATA_BYTES	1024
#define BLK_STATUS	(BUFFER_BYTES - 1)

#define OPEN_TRIES	20

#define STORM_FEATURES	(BIT64(VIRTIO_F_VERSION_1) | \
			 BIT64(VIRTIO_F_ACCESS_PLATFORM))

static const char * const op_names[OP_COUNT] = {
	"open", "close", "run", "reset", "status", "suspend", "resume",
	"enable", "ring", "base", "events", "config", "map", "unmap", "kick",
	"bell", "dump", "vstats", "mac", "log", "unload", "dir", "attr", "up",
	"down", "stats", "xdp", "netns",
};

static unsigned long op_good[OP_COUNT], op_bad[OP_COUNT];

void random_seed(struct random *r, __u64 seed, unsigned int nr)
{
	r->state = seed * 0x9e3779b97f4a7c15ULL + nr;
	random_below(r, 2);
	random_below(r, 2);
}

unsigned int random_below(struct random *r, unsigned int n)
{
	r->state = r->state * 6364136223846793005ULL + 1442695040888963407ULL;
	return (r->state >> 33) % n;
}

void storm_count(enum storm_op op, int err)
{
	__atomic_fetch_add(err ? &op_bad[op] : &op_good[op], 1,
			   __ATOMIC_RELAXED);
}

void storm_report(void)
{
	unsigned int i;

	printf("# done/refused:");
	for (i = 0; i < OP_COUNT; i++)
		if (op_good[i] || op_bad[i])
			printf(" %s %lu/%lu", op_names[i], op_good[i], op_bad[i]);
	printf("\n");
}

/* A storm in which something never worked has tested nothing of it. */
bool storm_all_seen(__u32 spared)
{
	bool seen = true;
	unsigned int i;

	for (i = 0; i < OP_COUNT; i++) {
		if (op_good[i] || spared & BIT64(i))
			continue;
		printf("# %s never worked\n", op_names[i]);
		seen = false;
	}
	return seen;
}

/* Requests of three pieces each, of all kinds, that overlap on the disk. */
static void fill_blk_ring(struct vdpa_client *c, unsigned int q)
{
	static const __u32 types[] = {
		VIRTIO_BLK_T_IN, VIRTIO_BLK_T_OUT, VIRTIO_BLK_T_FLUSH,
		VIRTIO_BLK_T_OUT, VIRTIO_BLK_T_DISCARD, VIRTIO_BLK_T_GET_ID,
		VIRTIO_BLK_T_WRITE_ZEROES,
	};
	__u8 *ring = c->mem + q * RING_BYTES;
	struct vring_desc *desc = (struct vring_desc *)ring;
	struct vring_avail *avail = (struct vring_avail *)(ring + RING_AVAIL);
	__u8 *buffer = c->mem + BUFFERS + q * RING_SIZE * BUFFER_BYTES;
	unsigned int i;

	for (i = 0; i + 3 <= RING_SIZE; i += 3, buffer += BUFFER_BYTES) {
		__u32 type = types[i / 3 % ARRAY_SIZE(types)];
		bool reads = type == VIRTIO_BLK_T_IN || type == VIRTIO_BLK_T_GET_ID;

		*(struct virtio_blk_outhdr *)buffer = (struct virtio_blk_outhdr) {
			.type = type, .sector = type == VIRTIO_BLK_T_FLUSH ? 0 : i,
		};
		*(struct virtio_blk_discard_write_zeroes *)(buffer + BLK_DATA) =
			(struct virtio_blk_discard_write_zeroes) {
				.sector = i, .num_sectors = 8,
			};
		desc[i].addr = vc_iova(c, buffer);
		desc[i].len = sizeof(struct virtio_blk_outhdr);
		desc[i + 1].addr = vc_iova(c, buffer + BLK_DATA);
		desc[i + 1].len = type == VIRTIO_BLK_T_GET_ID ? VIRTIO_BLK_ID_BYTES :
			reads || type == VIRTIO_BLK_T_OUT ? BLK_DATA_BYTES :
			sizeof(struct virtio_blk_discard_write_zeroes);
		desc[i + 1].flags = reads ? VRING_DESC_F_WRITE : 0;
		desc[i + 2].addr = vc_iova(c, buffer + BLK_STATUS);
		desc[i + 2].len = 1;
		desc[i + 2].flags = VRING_DESC_F_WRITE;
		desc[i].flags = VRING_DESC_F_NEXT;
		desc[i].next = i + 1;
		desc[i + 1].flags |= VRING_DESC_F_NEXT;
		desc[i + 1].next = i + 2;
		if (type == VIRTIO_BLK_T_FLUSH)
			desc[i].next = i + 2;
	}
	for (i = 0; i < RING_SIZE; i++)
		avail->ring[i] = i % (RING_SIZE / 3) * 3;
}

/* Transmit buffers hold frames to nobody, receive buffers are empty. */
static void fill_ring(struct vdpa_client *c, unsigned int q)
{
	__u8 *ring = c->mem + q * RING_BYTES;
	struct vring_desc *desc = (struct vring_desc *)ring;
	struct vring_avail *avail = (struct vring_avail *)(ring + RING_AVAIL);
	__u8 *buffer = c->mem + BUFFERS + q * RING_SIZE * BUFFER_BYTES;
	unsigned int i;

	for (i = 0; i < RING_SIZE; i++, buffer += BUFFER_BYTES) {
		memset(buffer, 0, 128);
		buffer[sizeof(struct virtio_net_hdr_v1)] = 2;
		desc[i].addr = vc_iova(c, buffer);
		desc[i].len = q & 1 ? 128 : BUFFER_BYTES;
		desc[i].flags = q & 1 ? 0 : VRING_DESC_F_WRITE;
		avail->ring[i] = i;
	}
}

int target_init(struct target *t, unsigned int nr)
{
	struct vdpa_client *c = &t->c;
	unsigned int q;
	int err;

	memset(c, 0, sizeof(*c));
	pthread_mutex_init(&t->open_lock, NULL);
	pthread_mutex_init(&t->run_lock, NULL);
	c->range.last = UINT64_MAX;
	err = vc_arena(c);
	if (err)
		return err;
	for (q = 0; q < STORM_QUEUES; q++) {
		if (t->blk)
			fill_blk_ring(c, q);
		else
			fill_ring(c, q);
		t->kick[q] = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
		if (t->kick[q] < 0)
			return -errno;
	}
	c->fd = FD_BASE + nr;
	target_close(t);
	return 0;
}

void target_close(struct target *t)
{
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);

	dup3(null, t->c.fd, O_CLOEXEC);
	close(null);
	t->open = false;
	storm_count(OP_CLOSE, 0);
}

static int target_own(struct target *t)
{
	__u64 backend = 0;
	int err = vc_set_owner(&t->c);

	if (!err)
		err = vc_ioctl(&t->c, VHOST_GET_BACKEND_FEATURES, &backend);
	if (!err)
		err = vc_set_backend(&t->c, backend);
	return err ? err : vc_arena_map(&t->c);
}

/* The device may be gone for now, or a call that was under way still hold it. */
static int target_try(struct target *t)
{
	char path[64];
	int err = lab_vhost(t->name, path, sizeof(path)), fd;

	if (err)
		return err;
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	dup3(fd, t->c.fd, O_CLOEXEC);
	close(fd);
	t->open = true;
	return target_own(t);
}

void target_open(struct target *t)
{
	unsigned int tries = OPEN_TRIES;
	int err;

	do {
		err = target_try(t);
		storm_count(OP_OPEN, err);
		if (!err)
			return;
		vc_sleep_us(2000);
	} while (!t->open && --tries);
}

/* --- what a thread does -------------------------------------------------- */
static int set_ring(struct target *t, unsigned int q)
{
	struct vdpa_client *c = &t->c;
	__u64 ring = c->iova + q * RING_BYTES;
	int err = vc_vring(c, VHOST_SET_VRING_NUM, q, RING_SIZE);

	return err ? err : vc_vring_addr(c, q, ring, ring + RING_AVAIL,
					 ring + RING_USED);
}

static int set_events(struct target *t, unsigned int q)
{
	int err = vc_vring_file(&t->c, VHOST_SET_VRING_KICK, q, t->kick[q]);

	if (!err)
		err = vc_vring_file(&t->c, VHOST_SET_VRING_CALL, q, t->kick[q]);
	return err ? err : vc_set_config_call(&t->c, t->kick[q]);
}

static struct vring_avail *avail_of(struct target *t, unsigned int q)
{
	return (struct vring_avail *)(t->c.mem + q * RING_BYTES + RING_AVAIL);
}

static struct vring_used *used_of(struct target *t, unsigned int q)
{
	return (struct vring_used *)(t->c.mem + q * RING_BYTES + RING_USED);
}

static int run(struct target *t)
{
	struct vdpa_client *c = &t->c;
	unsigned int q;
	int err = vc_reset(c);

	/* Or it would be broken from the start. */
	for (q = 0; q < STORM_QUEUES; q++) {
		__atomic_store_n(&avail_of(t, q)->idx, 0, __ATOMIC_RELEASE);
		__atomic_store_n(&used_of(t, q)->idx, 0, __ATOMIC_RELEASE);
	}
	if (!err)
		err = vc_negotiate(c, STORM_FEATURES |
				   (t->blk ? 0 : BIT64(VIRTIO_NET_F_MAC)));
	for (q = 0; q < STORM_QUEUES && !err; q++) {
		err = set_ring(t, q);
		if (!err)
			err = vc_vring(c, VHOST_SET_VRING_BASE, q, 0);
		if (!err)
			err = set_events(t, q);
		if (!err)
			err = vc_vring(c, VHOST_VDPA_SET_VRING_ENABLE, q, 1);
	}
	if (!err)
		err = vc_add_status(c, ST_DRIVER_OK);
	return err || vc_get_status(c) != (ST_NEGOTIATED | ST_DRIVER_OK);
}

static int run_alone(struct target *t)
{
	int err = -EBUSY;

	if (!pthread_mutex_trylock(&t->run_lock)) {
		err = run(t);
		pthread_mutex_unlock(&t->run_lock);
	}
	return err;
}

static int base(struct target *t, unsigned int q, struct random *r)
{
	__u32 num;

	if (random_below(r, 2))
		return vc_vring_get(&t->c, VHOST_GET_VRING_BASE, q, &num);
	return vc_vring(&t->c, VHOST_SET_VRING_BASE, q,
			random_below(r, 4) ? 0 : random_below(r, 1 << 16));
}

static int config(struct target *t, struct random *r)
{
	__u8 buf[12] = { 0 };
	unsigned int off = random_below(r, 8);

	if (random_below(r, 2))
		return vc_get_config(&t->c, off, buf, random_below(r, 12) + 1);
	return vc_set_config(&t->c, off, buf, random_below(r, 4) + 1);
}

/* Behind the arena, so that the rings stay unless OP_UNMAP has them go. */
static int map(struct target *t, struct random *r, bool on)
{
	__u64 slot = random_below(r, PAGE_SLOTS);
	__u64 iova = t->c.iova + VC_ARENA_SIZE + slot * VC_PAGE;
	__u64 size = (random_below(r, 8) + 1) * VC_PAGE;
	int err;

	if (on)
		return vc_map(&t->c, iova, t->c.mem + PAGES, size);
	if (random_below(r, 16))
		return vc_unmap(&t->c, iova, size);
	err = vc_unmap(&t->c, t->c.iova, VC_ARENA_SIZE);
	return err ? err : vc_arena_map(&t->c);
}

/* A ring that is too full for its size is broken: that is to be an exception. */
static int kick(struct target *t, unsigned int q, struct random *r)
{
	struct vring_avail *avail = avail_of(t, q);
	struct vring_used *used = used_of(t, q);
	unsigned int n = random_below(r, 64), most = RING_SIZE;
	__u64 one = 1;
	int err = 0;

	if (!random_below(r, 32))
		most = UINT16_MAX;
	while (n--) {
		if ((__u16)(avail->idx - used->idx) < most)
			__atomic_fetch_add(&avail->idx, 1, __ATOMIC_RELEASE);
		if (write(t->kick[q], &one, sizeof(one)) < 0)
			err = -errno;
	}
	return err;
}

static int ring_bell(struct target *t, unsigned int q, struct random *r)
{
	unsigned int n = random_below(r, 64);
	void *p = vc_doorbell(&t->c, q);

	if (!p)
		return -errno;
	while (n--)
		vc_ring(p, q);
	munmap(p, VC_PAGE);
	return 0;
}

/* One at a time has it open; whether it is stopped or just closed is left to chance. */
static int log_session(struct target *t, struct random *r)
{
	const struct vmdev_dirty_iova_range range = {
		.iova = t->c.iova, .length = VC_ARENA_SIZE,
	};
	int fd = dirty_open(lab_path("/dev/vmdev/", t->name)), err;
	__u64 bitmap[VC_ARENA_SIZE / VC_PAGE / 64];
	unsigned int n = random_below(r, 4);
	__u64 page_size = VC_PAGE;

	if (fd < 0)
		return fd;
	err = dirty_start(fd, 0, &page_size, &range, 1);
	while (n-- && !err) {
		vc_sleep_us(random_below(r, 2000));
		err = dirty_report(fd, 0, range.iova, range.length, page_size,
				   bitmap);
	}
	if (!err && random_below(r, 2))
		err = dirty_stop(fd, 0);
	close(fd);
	return err;
}

static enum storm_op pick(const struct target *t, struct random *r)
{
	static const enum storm_op often[] = {
		OP_RUN, OP_RUN, OP_KICK, OP_KICK, OP_BELL, OP_MAP, OP_UNMAP,
		OP_ENABLE, OP_CONFIG, OP_EVENTS,
	};
	unsigned int n = random_below(r, 2 * ARRAY_SIZE(often));
	enum storm_op op;

	op = n < ARRAY_SIZE(often) ? often[n] : random_below(r, OP_BELL + 1);
	/* Which has no doorbells that could be mapped. */
	return t->soft && op == OP_BELL ? OP_LOG : op;
}

static int do_op(struct target *t, struct random *r, enum storm_op op)
{
	unsigned int q = random_below(r, STORM_QUEUES);

	switch (op) {
	case OP_RUN:
		return random_below(r, 8) ? run_alone(t) : run(t);
	case OP_RESET:
		return vc_reset(&t->c);
	case OP_STATUS:
		return vc_set_status(&t->c, random_below(r, 256));
	case OP_SUSPEND:
		return vc_suspend(&t->c);
	case OP_RESUME:
		return vc_resume(&t->c);
	case OP_ENABLE:
		return vc_vring(&t->c, VHOST_VDPA_SET_VRING_ENABLE, q,
				random_below(r, 4) > 0);
	case OP_RING:
		return set_ring(t, q);
	case OP_BASE:
		return base(t, q, r);
	case OP_EVENTS:
		return set_events(t, q);
	case OP_CONFIG:
		return config(t, r);
	case OP_MAP:
	case OP_UNMAP:
		return map(t, r, op == OP_MAP);
	case OP_KICK:
		return kick(t, q, r);
	case OP_BELL:
		return ring_bell(t, q, r);
	case OP_LOG:
		return log_session(t, r);
	default:
		return 0;
	}
}

/* One thing, at random; a device that broke is closed sooner or later. */
void target_step(struct target *t, struct random *r)
{
	enum storm_op op = t->open ? pick(t, r) : OP_OPEN;

	if (op != OP_OPEN && op != OP_CLOSE) {
		storm_count(op, do_op(t, r, op));
		return;
	}
	if (pthread_mutex_trylock(&t->open_lock)) {
		vc_sleep_us(200);
		return;
	}
	if (t->open)
		target_close(t);
	vc_sleep_us(random_below(r, 500));
	target_open(t);
	pthread_mutex_unlock(&t->open_lock);
}
