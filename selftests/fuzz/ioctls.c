// SPDX-License-Identifier: GPL-2.0
/*
 * Every ioctl of vhost and vhost-vdpa, of Linux 6.12 and 7.2, and ones that
 * are none.
 */
#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>

#include "fuzz.h"

/* Newer than the headers that we build with. */
#ifndef VHOST_SET_FORK_FROM_OWNER
#define VHOST_SET_FORK_FROM_OWNER _IOW(VHOST_VIRTIO, 0x84, __u8)
#define VHOST_GET_FORK_FROM_OWNER _IOR(VHOST_VIRTIO, 0x85, __u8)
#endif
#ifndef VHOST_GET_FEATURES_ARRAY
#define VHOST_GET_FEATURES_ARRAY _IOR(VHOST_VIRTIO, 0x83, __u64)
#define VHOST_SET_FEATURES_ARRAY _IOW(VHOST_VIRTIO, 0x83, __u64)
#endif

static long call_ioctl(struct fz_thread *th, const struct fz_call *call,
		       void *arg)
{
	int ret = ioctl(fz_fd(th, call), call->op->request, arg);

	return ret < 0 ? -errno : ret;
}

/* --- no argument, or one that the kernel fills in ----------------------- */

static long run_none(struct fz_thread *th, const struct fz_call *call)
{
	return call_ioctl(th, call, (void *)call->a[0]);
}

static long run_get(struct fz_thread *th, const struct fz_call *call)
{
	return call_ioctl(th, call,
			  fz_place(th, call, NULL, _IOC_SIZE(call->op->request)));
}

/* A device that is served by virtio_blk or QEMU's disk may need 2 s to drain. */
static void gen_suspend(struct fz_rng *rng, struct fz_call *call)
{
	if (!fz_targets[call->target].net && !fz_once(rng, 16))
		call->target = 0;
}

/* --- numbers ----------------------------------------------------------- */

static void gen_features(struct fz_rng *rng, struct fz_call *call)
{
	call->a[0] = fz_below(rng, 4);
	call->a[1] = call->a[0] == 3 ? fz_odd(rng) : 1ULL << fz_below(rng, 64);
}

/* What is offered: without some, changed by some, or something else. */
static __u64 features(const struct fz_call *call, __u64 offered)
{
	switch (call->a[0] % 4) {
	case 0:
	case 1:
		return offered & ~(call->a[1] & ~(1ULL << VIRTIO_F_VERSION_1 |
						  1ULL << VIRTIO_F_ACCESS_PLATFORM));
	case 2:
		return offered ^ call->a[1];
	default:
		return call->a[1];
	}
}

static long run_features(struct fz_thread *th, const struct fz_call *call)
{
	__u64 value = features(call, fz_target(call)->features);

	return call_ioctl(th, call, fz_place(th, call, &value, sizeof(value)));
}

static long run_backend(struct fz_thread *th, const struct fz_call *call)
{
	__u64 offered = 1ULL << VHOST_BACKEND_F_IOTLB_MSG_V2 |
			   1ULL << VHOST_BACKEND_F_IOTLB_BATCH |
			   1ULL << VHOST_BACKEND_F_IOTLB_ASID |
			   1ULL << VHOST_BACKEND_F_SUSPEND |
			   1ULL << VHOST_BACKEND_F_RESUME |
			   1ULL << VHOST_BACKEND_F_ENABLE_AFTER_DRIVER_OK |
			   1ULL << VHOST_BACKEND_F_IOTLB_PERSIST;
	__u64 value = features(call, offered);

	return call_ioctl(th, call, fz_place(th, call, &value, sizeof(value)));
}

static void gen_status(struct fz_rng *rng, struct fz_call *call)
{
	static const __u8 values[] = {
		0, 0, ST_ACK, ST_ACK | ST_DRIVER, ST_NEGOTIATED,
		ST_NEGOTIATED | ST_DRIVER_OK, ST_NEGOTIATED | ST_DRIVER_OK,
		ST_DRIVER_OK, ST_NEGOTIATED | ST_DRIVER_OK | ST_FAILED,
		ST_NEGOTIATED | ST_DRIVER_OK | ST_NEEDS_RESET, 0xff,
	};

	call->a[0] = values[fz_below(rng, ARRAY_SIZE(values))];
	if (fz_once(rng, 8))
		call->a[0] = fz_next(rng) & 0xff;
}

static long run_status(struct fz_thread *th, const struct fz_call *call)
{
	__u8 value = call->a[0];
	long ret = call_ioctl(th, call, fz_place(th, call, &value, sizeof(value)));

	/* Calls mean something only if devices run now and then. */
	if (!ret && !th->racer && (value & ST_DRIVER_OK) &&
	    !ioctl(fz_fd(th, call), VHOST_VDPA_GET_STATUS, &value) &&
	    (value & ST_DRIVER_OK))
		fz_shared->runs++;
	return ret;
}

static void gen_odd(struct fz_rng *rng, struct fz_call *call)
{
	call->a[0] = fz_odd(rng);
}

static long run_u64(struct fz_thread *th, const struct fz_call *call)
{
	return call_ioctl(th, call,
			  fz_place(th, call, &call->a[0], sizeof(call->a[0])));
}

static void gen_int_file(struct fz_rng *rng, struct fz_call *call)
{
	call->a[1] = fz_file_gen(rng);
}

static long run_int_file(struct fz_thread *th, const struct fz_call *call)
{
	int fd = fz_file(call, call->a[1],
			 fz_target(call)->call[FZ_QUEUES - 1]);

	return call_ioctl(th, call, fz_place(th, call, &fd, sizeof(fd)));
}

/* --- queues ------------------------------------------------------------ */

static void gen_state(struct fz_rng *rng, struct fz_call *call)
{
	call->a[0] = fz_queue(rng, fz_targets[call->target].net);
	call->a[1] = fz_odd(rng);
}

static void gen_num(struct fz_rng *rng, struct fz_call *call)
{
	static const __u32 nums[] = { 2, 8, 64, 64, 128, 256, 512, 1024 };

	gen_state(rng, call);
	if (!fz_once(rng, 4))
		call->a[1] = nums[fz_below(rng, ARRAY_SIZE(nums))];
}

static void gen_base(struct fz_rng *rng, struct fz_call *call)
{
	gen_state(rng, call);
	if (!fz_once(rng, 3))
		call->a[1] = fz_once(rng, 2) ? 0 : 0x80008000;
}

static void gen_enable(struct fz_rng *rng, struct fz_call *call)
{
	gen_state(rng, call);
	if (!fz_once(rng, 8))
		call->a[1] = fz_below(rng, 2);
}

static long run_state(struct fz_thread *th, const struct fz_call *call)
{
	struct vhost_vring_state state = {
		.index = call->a[0], .num = call->a[1],
	};

	return call_ioctl(th, call, fz_place(th, call, &state, sizeof(state)));
}

/* Somewhere in or near the arena, as a rule where a ring may lie. */
static __u64 gen_ring(struct fz_rng *rng, __u64 good)
{
	switch (fz_below(rng, 8)) {
	case 0:
		return fz_odd(rng);
	case 1:
		return FZ_ARENA_IOVA + fz_below(rng, FZ_ARENA_SIZE);
	case 2:
		return FZ_ARENA_IOVA + FZ_ARENA_SIZE - 16 * fz_below(rng, 64);
	case 3:
		return FZ_ARENA_IOVA + (fz_below(rng, FZ_ARENA_SIZE) & ~15ULL);
	default:
		return good;
	}
}

static void gen_addr(struct fz_rng *rng, struct fz_call *call)
{
	__u64 ring;

	call->a[0] = fz_queue(rng, fz_targets[call->target].net);
	call->a[1] = fz_once(rng, 8) ? fz_odd(rng) : 0;
	ring = FZ_ARENA_IOVA + (call->a[0] % FZ_QUEUES) * FZ_RING_STRIDE;
	call->a[2] = gen_ring(rng, ring);
	call->a[3] = gen_ring(rng, ring + FZ_RING_DRIVER);
	call->a[4] = gen_ring(rng, ring + FZ_RING_DEVICE);
}

static long run_addr(struct fz_thread *th, const struct fz_call *call)
{
	struct vhost_vring_addr addr = {
		.index = call->a[0],
		.flags = call->a[1],
		.desc_user_addr = call->a[2],
		.avail_user_addr = call->a[3],
		.used_user_addr = call->a[4],
		.log_guest_addr = call->a[1],
	};

	return call_ioctl(th, call, fz_place(th, call, &addr, sizeof(addr)));
}

/*
 * Linux before 6.17 cannot bear two queues with one call eventfd: irqbypass
 * refuses the second producer, vhost_vdpa unregisters it later all the same,
 * and a list entry is taken out that is in no list. No parent can help it.
 */
static bool is_shared(__u64 number)
{
	switch (number & 0xff) {
	case FZ_FILE_QUEUE_KICK:
	case FZ_FILE_QUEUE_CALL:
	case FZ_FILE_OTHER_TARGET:
		return fz_no_shared_calls;
	}
	return false;
}

static void gen_file(struct fz_rng *rng, struct fz_call *call)
{
	call->a[0] = fz_queue(rng, fz_targets[call->target].net);
	call->a[1] = fz_file_gen(rng);
}

static long run_file(struct fz_thread *th, const struct fz_call *call)
{
	const struct fz_target *t = fz_target(call);
	unsigned int q = call->a[0] % FZ_QUEUES;
	int own = call->op->request == VHOST_SET_VRING_KICK ? t->kick[q] : t->call[q];
	bool refuse = call->op->request == VHOST_SET_VRING_CALL && is_shared(call->a[1]);
	struct vhost_vring_file file = {
		.index = call->a[0],
		.fd = fz_file(call, refuse ? FZ_FILE_NONE : call->a[1], own),
	};

	return call_ioctl(th, call, fz_place(th, call, &file, sizeof(file)));
}

/* --- config space ------------------------------------------------------- */

static void gen_config(struct fz_rng *rng, struct fz_call *call)
{
	call->a[0] = fz_once(rng, 4) ? fz_odd(rng) : fz_below(rng, 80);
	call->a[1] = fz_once(rng, 6) ? fz_odd(rng) : 1 + fz_below(rng, 80);
	call->a[2] = fz_next(rng);
}

static long run_config(struct fz_thread *th, const struct fz_call *call)
{
	struct {
		__u32 off;
		__u32 len;
		__u8 buf[1024];
	} config = { .off = call->a[0], .len = call->a[1] };
	struct fz_rng rng = { .state = call->a[2] };
	unsigned int i;

	for (i = 0; i < 96; i++)
		config.buf[i] = fz_next(&rng);
	return call_ioctl(th, call, fz_place(th, call, &config, sizeof(config)));
}

/* --- what vhost-vdpa has no use for, and what is no ioctl ---------------- */

static void gen_memory(struct fz_rng *rng, struct fz_call *call)
{
	call->a[0] = fz_once(rng, 2) ? fz_odd(rng) : fz_below(rng, 4);
	call->a[1] = fz_odd(rng);
	call->a[2] = fz_odd(rng);
}

static long run_memory(struct fz_thread *th, const struct fz_call *call)
{
	struct {
		__u32 nregions;
		__u32 padding;
		struct vhost_memory_region region[4];
	} memory = {
		.nregions = call->a[0],
		.padding = call->a[0] >> 32,
	};
	unsigned int i;

	for (i = 0; i < 4; i++) {
		memory.region[i].guest_phys_addr = call->a[1] + i * call->a[2];
		memory.region[i].memory_size = call->a[2];
		memory.region[i].userspace_addr = (uintptr_t)fz_arena;
	}
	return call_ioctl(th, call, fz_place(th, call, &memory, sizeof(memory)));
}

static void gen_raw(struct fz_rng *rng, struct fz_call *call)
{
	/* 0xaf is vhost's; any size, any direction. */
	call->a[0] = _IOC(fz_below(rng, 4), fz_once(rng, 4) ? fz_next(rng) & 0xff : 0xaf,
			  fz_next(rng) & 0xff,
			  fz_once(rng, 2) ? 8 : fz_next(rng) & 0x3fff);
	call->a[1] = fz_odd(rng);
	call->a[2] = fz_odd(rng);
}

static long run_raw(struct fz_thread *th, const struct fz_call *call)
{
	__u64 words[32];
	unsigned int i;
	int ret;

	for (i = 0; i < ARRAY_SIZE(words); i++)
		words[i] = i & 1 ? call->a[2] : call->a[1];
	ret = ioctl(fz_fd(th, call), (unsigned int)call->a[0],
		    fz_place(th, call, words, sizeof(words)));
	return ret < 0 ? -errno : ret;
}

#define IOCTL(_prefix, _name, _weight, _gen, _run)			\
	FZ_OP(#_name, _weight, FZ_RACE, _gen, _run, _prefix##_name)
#define VHOST(_name, _weight, _gen, _run)				\
	IOCTL(VHOST_, _name, _weight, _gen, _run)
#define VDPA(_name, _weight, _gen, _run)				\
	IOCTL(VHOST_VDPA_, _name, _weight, _gen, _run)

struct fz_op fz_ioctl_ops[] = {
	VHOST(SET_OWNER, 16, NULL, run_none),
	VHOST(RESET_OWNER, 6, NULL, run_none),
	VHOST(GET_FEATURES, 8, NULL, run_get),
	VHOST(SET_FEATURES, 24, gen_features, run_features),
	VHOST(GET_BACKEND_FEATURES, 6, NULL, run_get),
	VHOST(SET_BACKEND_FEATURES, 12, gen_features, run_backend),
	VDPA(GET_DEVICE_ID, 6, NULL, run_get),
	VDPA(GET_STATUS, 20, NULL, run_get),
	VDPA(SET_STATUS, 48, gen_status, run_status),
	VDPA(GET_CONFIG, 24, gen_config, run_config),
	VDPA(SET_CONFIG, 16, gen_config, run_config),
	VDPA(GET_CONFIG_SIZE, 6, NULL, run_get),
	VDPA(SET_CONFIG_CALL, 16, gen_int_file, run_int_file),
	VDPA(GET_IOVA_RANGE, 6, NULL, run_get),
	VDPA(GET_VQS_COUNT, 6, NULL, run_get),
	VDPA(GET_GROUP_NUM, 6, NULL, run_get),
	VDPA(GET_AS_NUM, 6, NULL, run_get),
	VDPA(SUSPEND, 12, gen_suspend, run_none),
	VDPA(RESUME, 16, NULL, run_none),
	VHOST(SET_VRING_NUM, 24, gen_num, run_state),
	VHOST(SET_VRING_ADDR, 32, gen_addr, run_addr),
	VHOST(SET_VRING_BASE, 24, gen_base, run_state),
	VHOST(GET_VRING_BASE, 32, gen_state, run_state),
	VHOST(SET_VRING_KICK, 24, gen_file, run_file),
	VHOST(SET_VRING_CALL, 24, gen_file, run_file),
	VHOST(SET_VRING_ERR, 8, gen_file, run_file),
	VHOST(SET_VRING_ENDIAN, 3, gen_enable, run_state),
	VHOST(GET_VRING_ENDIAN, 3, gen_state, run_state),
	VHOST(SET_VRING_BUSYLOOP_TIMEOUT, 3, gen_state, run_state),
	VHOST(GET_VRING_BUSYLOOP_TIMEOUT, 3, gen_state, run_state),
	VDPA(SET_VRING_ENABLE, 40, gen_enable, run_state),
	VDPA(GET_VRING_NUM, 6, NULL, run_get),
	VDPA(GET_VRING_GROUP, 8, gen_state, run_state),
	VDPA(GET_VRING_DESC_GROUP, 6, gen_state, run_state),
	VDPA(SET_GROUP_ASID, 12, gen_enable, run_state),
	VDPA(GET_VRING_SIZE, 8, gen_state, run_state),
	VHOST(SET_MEM_TABLE, 6, gen_memory, run_memory),
	VHOST(SET_LOG_BASE, 3, gen_odd, run_u64),
	VHOST(SET_LOG_FD, 3, gen_int_file, run_int_file),
	VHOST(NEW_WORKER, 3, NULL, run_get),
	VHOST(FREE_WORKER, 3, gen_odd, run_u64),
	VHOST(ATTACH_VRING_WORKER, 3, gen_state, run_state),
	VHOST(GET_VRING_WORKER, 3, gen_state, run_state),
	VHOST(GET_FEATURES_ARRAY, 3, gen_odd, run_u64),
	VHOST(SET_FEATURES_ARRAY, 3, gen_odd, run_u64),
	VHOST(SET_FORK_FROM_OWNER, 3, gen_odd, run_u64),
	VHOST(GET_FORK_FROM_OWNER, 3, NULL, run_get),
	VHOST(NET_SET_BACKEND, 2, gen_file, run_file),
	VHOST(SCSI_SET_ENDPOINT, 2, NULL, run_get),
	VHOST(SCSI_GET_ABI_VERSION, 2, gen_odd, run_u64),
	VHOST(VSOCK_SET_GUEST_CID, 2, gen_odd, run_u64),
	VHOST(VSOCK_SET_RUNNING, 2, gen_odd, run_u64),
	FZ_OP("ioctl", 24, FZ_RACE, gen_raw, run_raw, 0),
	{ 0 }
};
