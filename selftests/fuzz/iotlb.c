// SPDX-License-Identifier: GPL-2.0
/*
 * Messages of the IOTLB: what the device may reach.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "fuzz.h"

/* a[3]: permissions, type, version, and how much of the message is written. */
#define PERM(a)		((a) & 0xff)
#define TYPE(a)		(((a) >> 8) & 0xff)
#define VERSION(a)	(((a) >> 16) & 0xff)
#define SHORT(a)	(((a) >> 24) & 0xff)

/* Where in our memory a number points. */
enum where {
	WHERE_ARENA,
	WHERE_SCRATCH,
	WHERE_DOORBELL,
	WHERE_STACK,
	WHERE_ANY,
	WHERES,
};

static __u64 where(const struct fz_call *call, __u64 number)
{
	__u64 offset = number & 0xffffffffffffffULL;
	__u8 here;

	switch ((number >> 56) % WHERES) {
	case WHERE_ARENA:
		return (uintptr_t)fz_arena + offset % FZ_ARENA_SIZE;
	case WHERE_SCRATCH:
		return (uintptr_t)fz_scratch + offset % FZ_SCRATCH_SIZE;
	case WHERE_DOORBELL:
		return (uintptr_t)fz_target(call)->doorbell[0] + offset % VC_PAGE;
	case WHERE_STACK:
		return (uintptr_t)&here & ~(VC_PAGE - 1);
	default:
		return number;
	}
}

static long write_message(struct fz_thread *th, const struct fz_call *call,
			  const struct vhost_iotlb_msg *iotlb, __u32 asid)
{
	union {
		int type;
		struct vhost_msg v1;
		struct vhost_msg_v2 v2;
		__u8 bytes[128];
	} msg;
	size_t size = sizeof(msg.v2), cut = SHORT(call->a[3]);
	ssize_t n;

	memset(&msg, 0, sizeof(msg));
	switch (VERSION(call->a[3]) & 3) {
	case 0:
		msg.v2.type = VHOST_IOTLB_MSG_V2;
		msg.v2.asid = asid;
		msg.v2.iotlb = *iotlb;
		break;
	case 1:
		msg.v1.type = VHOST_IOTLB_MSG;
		msg.v1.iotlb = *iotlb;
		size = sizeof(msg.v1);
		break;
	default:
		msg.type = VERSION(call->a[3]);
		break;
	}
	if (cut)
		size = cut % sizeof(msg);
	n = write(fz_fd(th, call), fz_place(th, call, &msg, sizeof(msg)), size);
	return n < 0 ? -errno : n;
}

/* --- the arena, as an honest client does it ------------------------------- */

static void gen_arena(struct fz_rng *rng, struct fz_call *call)
{
	call->a[0] = fz_below(rng, 4);
}

/* Bit 0: in a batch. Bit 1: in two parts. */
static long run_arena(struct fz_thread *th, const struct fz_call *call)
{
	struct vhost_iotlb_msg map = {
		.iova = FZ_ARENA_IOVA,
		.size = FZ_ARENA_SIZE,
		.uaddr = (uintptr_t)fz_arena,
		.perm = VHOST_ACCESS_RW,
		.type = VHOST_IOTLB_UPDATE,
	};
	struct vhost_iotlb_msg batch = { .type = VHOST_IOTLB_BATCH_BEGIN };
	long ret;

	if (call->a[0] & 1)
		write_message(th, call, &batch, 0);
	if (call->a[0] & 2) {
		map.size /= 2;
		write_message(th, call, &map, 0);
		map.iova += map.size;
		map.uaddr += map.size;
	}
	ret = write_message(th, call, &map, 0);
	batch.type = VHOST_IOTLB_BATCH_END;
	if (call->a[0] & 1)
		write_message(th, call, &batch, 0);
	return ret;
}

/* --- anything ---------------------------------------------------------- */

static __u64 gen_iova(struct fz_rng *rng, const struct fz_call *call)
{
	const struct vhost_vdpa_iova_range *range = &fz_targets[call->target].range;

	switch (fz_below(rng, 8)) {
	case 0:
		return fz_odd(rng);
	case 1:
		/* The window of interrupts. */
		return 0xfee00000 + (fz_below(rng, 513) - 256) * VC_PAGE;
	case 2:
		return range->last - fz_below(rng, 8) * VC_PAGE + 1;
	case 3:
		return FZ_ARENA_IOVA + fz_below(rng, 2 * FZ_ARENA_SIZE);
	default:
		return FZ_ARENA_IOVA + (fz_below(rng, 128) - 32) * VC_PAGE;
	}
}

static __u64 gen_size(struct fz_rng *rng)
{
	switch (fz_below(rng, 8)) {
	case 0:
		return fz_odd(rng);
	case 1:
		return FZ_ARENA_SIZE;
	case 2:
		return fz_below(rng, 3 * VC_PAGE);
	default:
		return (1 + fz_below(rng, 8)) * VC_PAGE;
	}
}

static __u64 gen_where(struct fz_rng *rng)
{
	switch (fz_below(rng, 8)) {
	case 0:
		return (__u64)WHERE_DOORBELL << 56;
	case 1:
		return (__u64)WHERE_STACK << 56;
	case 2:
		return (__u64)WHERE_ANY << 56 | (fz_odd(rng) >> 8);
	case 3:
	case 4:
		return (__u64)WHERE_SCRATCH << 56 | fz_below(rng, 32) * VC_PAGE;
	case 5:
		return fz_below(rng, FZ_ARENA_SIZE);
	default:
		return fz_below(rng, 64) * VC_PAGE;
	}
}

static void gen_iotlb(struct fz_rng *rng, struct fz_call *call)
{
	static const __u8 types[] = {
		VHOST_IOTLB_UPDATE, VHOST_IOTLB_UPDATE, VHOST_IOTLB_UPDATE,
		VHOST_IOTLB_INVALIDATE, VHOST_IOTLB_INVALIDATE,
		VHOST_IOTLB_BATCH_BEGIN, VHOST_IOTLB_BATCH_END,
		VHOST_IOTLB_MISS, VHOST_IOTLB_ACCESS_FAIL, 0, 7, 255,
	};
	__u64 perm = fz_once(rng, 12) ? fz_next(rng) & 0xff : 1 + fz_below(rng, 3);
	__u64 version = fz_once(rng, 16) ? fz_next(rng) & 0xff : fz_once(rng, 4);
	__u64 cut = fz_once(rng, 24) ? fz_next(rng) & 0xff : 0;

	call->a[0] = gen_iova(rng, call);
	call->a[1] = gen_size(rng);
	call->a[2] = gen_where(rng);
	call->a[3] = perm | version << 16 | cut << 24;
	call->a[3] |= types[fz_below(rng, ARRAY_SIZE(types))] << 8;
	call->a[4] = fz_once(rng, 12) ? fz_odd(rng) : 0;
}

static long run_iotlb(struct fz_thread *th, const struct fz_call *call)
{
	struct vhost_iotlb_msg iotlb = {
		.iova = call->a[0],
		.size = call->a[1],
		.uaddr = where(call, call->a[2]),
		.perm = PERM(call->a[3]),
		.type = TYPE(call->a[3]),
	};

	return write_message(th, call, &iotlb, call->a[4]);
}

/* All that is mapped, at once. */
static long run_unmap_all(struct fz_thread *th, const struct fz_call *call)
{
	struct vhost_iotlb_msg iotlb = {
		.iova = call->a[0] & 1 ? FZ_ARENA_IOVA : 0,
		.size = call->a[0] & 1 ? FZ_ARENA_SIZE : ~0ULL,
		.type = VHOST_IOTLB_INVALIDATE,
	};

	return write_message(th, call, &iotlb, 0);
}

/* --- reading ----------------------------------------------------------- */

static void gen_read(struct fz_rng *rng, struct fz_call *call)
{
	call->a[0] = fz_once(rng, 2) ? sizeof(struct vhost_msg_v2) :
		     fz_below(rng, 2048);
}

/* Never blocking: vhost would wait for ever. */
static long run_read(struct fz_thread *th, const struct fz_call *call)
{
	int fd = fz_fd(th, call), flags = fcntl(fd, F_GETFL);
	ssize_t n;

	if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK))
		return -errno;
	n = read(fd, fz_place(th, call, NULL, 2048), call->a[0] % 2048);
	return n < 0 ? -errno : n;
}

static long run_poll(struct fz_thread *th, const struct fz_call *call)
{
	struct pollfd p = {
		.fd = fz_fd(th, call),
		.events = POLLIN | POLLOUT | POLLPRI,
	};

	return poll(&p, 1, 0) < 0 ? -errno : p.revents;
}

struct fz_op fz_iotlb_ops[] = {
	FZ_OP("map_arena", 24, FZ_RACE, gen_arena, run_arena, 0),
	FZ_OP("iotlb", 160, FZ_RACE, gen_iotlb, run_iotlb, 0),
	FZ_OP("unmap_all", 12, FZ_RACE, gen_arena, run_unmap_all, 0),
	FZ_OP("read", 8, FZ_RACE, gen_read, run_read, 0),
	FZ_OP("poll", 6, FZ_RACE, NULL, run_poll, 0),
	{ 0 }
};
