// SPDX-License-Identifier: GPL-2.0
/*
 * What a hostile guest does: rings with rubbish in them, kicks, doorbells, and
 * memory that is taken away while the device has it.
 */
#define _GNU_SOURCE
#include <endian.h>
#include <errno.h>
#include <linux/virtio_blk.h>
#include <linux/virtio_ring.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fuzz.h"

__u8 *fz_arena, *fz_scratch;
__thread sigjmp_buf fz_fault;
__thread sig_atomic_t fz_fault_armed;

static int scratch_fd;

static void on_fault(int signal)
{
	if (fz_fault_armed) {
		fz_fault_armed = 0;
		siglongjmp(fz_fault, signal);
	}
	/* Ours, then. */
	_exit(3);
}

/**
 * fz_guest_init() - get the memory
 *
 * Return: 0 or a negative errno.
 */
int fz_guest_init(void)
{
	struct sigaction action = { .sa_handler = on_fault };
	int fd = memfd_create("arena", MFD_CLOEXEC);

	scratch_fd = memfd_create("scratch", MFD_CLOEXEC);
	if (fd < 0 || scratch_fd < 0 || ftruncate(fd, FZ_ARENA_SIZE) ||
	    ftruncate(scratch_fd, FZ_SCRATCH_SIZE))
		return -errno;
	fz_arena = mmap(NULL, FZ_ARENA_SIZE, PROT_READ | PROT_WRITE,
			MAP_SHARED | MAP_POPULATE, fd, 0);
	fz_scratch = mmap(NULL, FZ_SCRATCH_SIZE, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (fz_arena == MAP_FAILED || fz_scratch == MAP_FAILED)
		return -errno;
	close(fd);
	sigaction(SIGBUS, &action, NULL);
	sigaction(SIGSEGV, &action, NULL);
	return 0;
}

/* --- rings ------------------------------------------------------------- */

/* The content of one queue's rings, where a bring-up puts them. */
struct view {
	struct vring_desc *desc;
	struct vring_avail *avail;
	struct vring_used *used;
	__u64 buffers;
	bool net;
	unsigned int q;
	struct fz_rng rng;
};

static __u64 any_buffer(struct view *v)
{
	if (fz_once(&v->rng, 6))
		return fz_odd(&v->rng);
	return v->buffers + fz_below(&v->rng, FZ_ARENA_SIZE - FZ_BUFFERS);
}

static void desc_set(struct view *v, unsigned int i, __u64 addr, __u32 len,
		     __u16 flags, __u16 next)
{
	v->desc[i] = (struct vring_desc) {
		.addr = htole64(addr),
		.len = htole32(len),
		.flags = htole16(flags),
		.next = htole16(next),
	};
}

static void offer(struct view *v, __u16 head)
{
	__u16 idx = le16toh(v->avail->idx);

	v->avail->ring[idx % FZ_RING_NUM] = htole16(head);
	__atomic_store_n(&v->avail->idx, htole16(idx + 1), __ATOMIC_RELEASE);
}

/* Buffers as the device expects them. */
static void ring_honest(struct view *v)
{
	unsigned int i, n = 1 + fz_below(&v->rng, 4);

	for (i = 0; i < n; i++) {
		unsigned int d = 3 * fz_below(&v->rng, FZ_RING_NUM / 3);

		if (v->net) {
			desc_set(v, d, v->buffers + i * 2048, v->q & 1 ? 74 : 1600,
				 v->q & 1 ? 0 : VRING_DESC_F_WRITE, 0);
		} else {
			struct virtio_blk_outhdr *header;

			header = (void *)(fz_arena + FZ_BUFFERS);
			header->type = htole32(fz_below(&v->rng, 5));
			header->sector = htole64(fz_below(&v->rng, 64));
			desc_set(v, d, v->buffers, sizeof(*header),
				 VRING_DESC_F_NEXT, d + 1);
			desc_set(v, d + 1, v->buffers + VC_PAGE, 512,
				 VRING_DESC_F_NEXT | VRING_DESC_F_WRITE, d + 2);
			desc_set(v, d + 2, v->buffers + 64, 1,
				 VRING_DESC_F_WRITE, 0);
		}
		offer(v, d);
	}
}

static void ring_random_desc(struct view *v)
{
	unsigned int i;

	for (i = 0; i < FZ_RING_NUM; i++)
		desc_set(v, i, any_buffer(v), fz_below(&v->rng, 4096),
			 fz_next(&v->rng) & 7, fz_below(&v->rng, FZ_RING_NUM));
	offer(v, fz_below(&v->rng, FZ_RING_NUM));
}

/* A chain that ends where it began. */
static void ring_loop(struct view *v)
{
	unsigned int i, n = 1 + fz_below(&v->rng, 8);

	for (i = 0; i < n; i++)
		desc_set(v, i, any_buffer(v), 64, VRING_DESC_F_NEXT,
			 (i + 1) % n);
	offer(v, 0);
}

static void ring_jump(struct view *v)
{
	static const __u16 far[] = { 1, FZ_RING_NUM, FZ_RING_NUM + 1, 0x7fff, 0x8000 };
	__u16 by = far[fz_below(&v->rng, ARRAY_SIZE(far))];

	v->avail->idx = htole16(le16toh(v->avail->idx) + by);
}

static void ring_used_jump(struct view *v)
{
	v->used->idx = htole16(fz_odd(&v->rng));
}

static void ring_bad_heads(struct view *v)
{
	unsigned int i;

	for (i = 0; i < FZ_RING_NUM; i++)
		v->avail->ring[i] = htole16(fz_odd(&v->rng));
	offer(v, fz_odd(&v->rng));
}

static void ring_bad_used(struct view *v)
{
	unsigned int i;

	for (i = 0; i < FZ_RING_NUM; i++) {
		v->used->ring[i].id = htole32(fz_odd(&v->rng));
		v->used->ring[i].len = htole32(fz_odd(&v->rng));
	}
}

/* What the device did becomes true by itself: for the recovery of states. */
static void ring_used_matches(struct view *v)
{
	__u16 i, avail = le16toh(v->avail->idx);
	__u16 used = avail - fz_below(&v->rng, 6);

	for (i = 0; i < FZ_RING_NUM; i++)
		v->used->ring[i].id = htole32(le16toh(v->avail->ring[i]));
	v->used->idx = htole16(used);
}

static void ring_all_heads(struct view *v)
{
	unsigned int i;

	for (i = 0; i < FZ_RING_NUM; i++) {
		desc_set(v, i, v->buffers, 16, 0, 0);
		v->avail->ring[i] = htole16(FZ_RING_NUM - 1 - i);
	}
	v->avail->idx = htole16(le16toh(v->avail->idx) + FZ_RING_NUM);
}

static void ring_huge(struct view *v)
{
	desc_set(v, 0, v->buffers, 0xffffffff, fz_next(&v->rng) & 2, 0);
	offer(v, 0);
}

static void ring_indirect(struct view *v)
{
	desc_set(v, 0, v->buffers, fz_below(&v->rng, 4096), VRING_DESC_F_INDIRECT, 0);
	offer(v, 0);
}

/* Descriptors of a packed ring, available or used, or neither. */
static void ring_packed(struct view *v)
{
	struct vring_packed_desc *desc = (void *)v->desc;
	unsigned int i, n = 1 + fz_below(&v->rng, FZ_RING_NUM);

	for (i = 0; i < n; i++)
		desc[i] = (struct vring_packed_desc) {
			.addr = htole64(any_buffer(v)),
			.len = htole32(fz_below(&v->rng, 2048)),
			.id = htole16(i),
			.flags = htole16((fz_next(&v->rng) & 7) |
					 (fz_once(&v->rng, 4) ? 0x8080 : 0x80)),
		};
}

static void ring_noise(struct view *v)
{
	__u64 *word = (__u64 *)v->desc;
	unsigned int i, n = FZ_RING_STRIDE / sizeof(*word);

	for (i = 0; i < 64; i++)
		word[fz_below(&v->rng, n)] = fz_next(&v->rng);
}

static void ring_zero(struct view *v)
{
	memset(v->desc, 0, FZ_RING_STRIDE);
}

static void (*const ring_kinds[])(struct view *) = {
	ring_zero, ring_honest, ring_honest, ring_random_desc, ring_loop,
	ring_jump, ring_used_jump, ring_bad_heads, ring_bad_used,
	ring_used_matches, ring_all_heads, ring_huge, ring_indirect,
	ring_packed, ring_noise,
};

static void gen_ring(struct fz_rng *rng, struct fz_call *call)
{
	call->a[0] = fz_queue(rng, fz_targets[call->target].net);
	call->a[1] = fz_below(rng, ARRAY_SIZE(ring_kinds));
	call->a[2] = fz_next(rng);
}

static long run_ring(struct fz_thread *th, const struct fz_call *call)
{
	unsigned int q = call->a[0] % FZ_QUEUES;
	__u8 *ring = fz_arena + q * FZ_RING_STRIDE;
	struct view v = {
		.desc = (void *)ring,
		.avail = (void *)(ring + FZ_RING_DRIVER),
		.used = (void *)(ring + FZ_RING_DEVICE),
		.buffers = FZ_ARENA_IOVA + FZ_BUFFERS,
		.net = fz_target(call)->net,
		.q = q,
		.rng = { .state = call->a[2] },
	};

	(void)th;
	ring_kinds[call->a[1] % ARRAY_SIZE(ring_kinds)](&v);
	return 0;
}

/* --- kicks ------------------------------------------------------------- */

static void gen_kick(struct fz_rng *rng, struct fz_call *call)
{
	call->a[0] = fz_queue(rng, fz_targets[call->target].net);
	call->a[1] = fz_once(rng, 16) ? fz_odd(rng) : 1;
}

static long run_kick(struct fz_thread *th, const struct fz_call *call)
{
	int fd = fz_target(call)->kick[call->a[0] % FZ_QUEUES];
	__u64 n = call->a[1];

	(void)th;
	if (write(fd, &n, sizeof(n)) >= 0)
		return 0;
	/* Nobody but us takes from it. */
	if (errno == EAGAIN && read(fd, &n, sizeof(n)) < 0)
		return -errno;
	return -EAGAIN;
}

static long run_called(struct fz_thread *th, const struct fz_call *call)
{
	const struct fz_target *t = fz_target(call);
	__u64 n;

	(void)th;
	return read(t->call[call->a[0] % FZ_QUEUES], &n, sizeof(n)) < 0 ? -errno : 0;
}

/* --- doorbells --------------------------------------------------------- */

static void gen_mmap(struct fz_rng *rng, struct fz_call *call)
{
	call->a[0] = fz_below(rng, FZ_DOORBELLS);
	call->a[1] = fz_queue(rng, fz_targets[call->target].net);
	call->a[2] = fz_once(rng, 6) ? fz_odd(rng) : VC_PAGE;
	call->a[3] = fz_once(rng, 6) ? fz_next(rng) : PROT_WRITE;
	call->a[4] = fz_once(rng, 6) ? fz_next(rng) : MAP_SHARED;
}

static void doorbell_away(struct fz_target *t, unsigned int i)
{
	if (t->doorbell[i])
		munmap(t->doorbell[i], t->doorbell_size[i]);
	t->doorbell[i] = NULL;
}

static long run_mmap(struct fz_thread *th, const struct fz_call *call)
{
	struct fz_target *t = fz_target(call);
	unsigned int i = call->a[0] % FZ_DOORBELLS;
	/* Populated or locked too, but where, the kernel says. */
	int flags = (call->a[4] & (3 | MAP_POPULATE | MAP_LOCKED)) ? : MAP_SHARED;
	size_t size = call->a[2] % (16 * VC_PAGE);
	void *p;

	(void)th;
	doorbell_away(t, i);
	p = mmap(NULL, size, call->a[3] & (PROT_READ | PROT_WRITE | PROT_EXEC),
		 flags, t->fd, call->a[1] * VC_PAGE);
	if (p == MAP_FAILED)
		return -errno;
	t->doorbell[i] = p;
	t->doorbell_size[i] = (size + VC_PAGE - 1) & ~(VC_PAGE - 1);
	return 0;
}

static void gen_touch(struct fz_rng *rng, struct fz_call *call)
{
	call->a[0] = fz_below(rng, FZ_DOORBELLS);
	call->a[1] = fz_once(rng, 4) ? fz_odd(rng) : fz_below(rng, 5);
	call->a[2] = fz_once(rng, 4) ? fz_below(rng, VC_PAGE) : 0;
	call->a[3] = fz_below(rng, 4);
}

static long run_touch(struct fz_thread *th, const struct fz_call *call)
{
	struct fz_target *t = fz_target(call);
	unsigned int i = call->a[0] % FZ_DOORBELLS;
	__u8 *at;
	__u16 value;

	(void)th;
	if (!t->doorbell[i]) {
		void *p = mmap(NULL, VC_PAGE, PROT_WRITE, MAP_SHARED, t->fd,
			       i * VC_PAGE);

		if (p == MAP_FAILED)
			return -errno;
		t->doorbell[i] = p;
		t->doorbell_size[i] = VC_PAGE;
	}
	at = t->doorbell[i] + (call->a[2] % VC_PAGE & ~3UL);
	if (!fz_try())
		return -EFAULT;
	switch (call->a[3] % 4) {
	case 0:
	case 1:
		__atomic_store_n((__u16 *)at, (__u16)call->a[1], __ATOMIC_RELAXED);
		break;
	case 2:
		__atomic_store_n((__u32 *)at, (__u32)call->a[1], __ATOMIC_RELAXED);
		break;
	default:
		__atomic_load((__u16 *)at, &value, __ATOMIC_RELAXED);
		break;
	}
	fz_tried();
	return 0;
}

static void gen_remap(struct fz_rng *rng, struct fz_call *call)
{
	call->a[0] = fz_below(rng, FZ_DOORBELLS);
	call->a[1] = fz_below(rng, 5);
	call->a[2] = fz_next(rng);
}

static long run_remap(struct fz_thread *th, const struct fz_call *call)
{
	static const int advice[] = {
		MADV_DONTNEED, MADV_DOFORK, MADV_DONTFORK, MADV_WILLNEED,
		MADV_DODUMP, MADV_MERGEABLE, MADV_COLD,
	};
	struct fz_target *t = fz_target(call);
	unsigned int i = call->a[0] % FZ_DOORBELLS;
	void *p = t->doorbell[i];
	long ret = 0;

	(void)th;
	if (!p)
		return -ENOENT;
	switch (call->a[1] % 5) {
	case 0:
		doorbell_away(t, i);
		break;
	case 1:
		ret = mprotect(p, VC_PAGE, call->a[2] & 7);
		break;
	case 2:
		ret = madvise(p, VC_PAGE, advice[call->a[2] % ARRAY_SIZE(advice)]);
		break;
	case 3:
		p = mremap(p, t->doorbell_size[i], t->doorbell_size[i],
			   MREMAP_MAYMOVE | (call->a[2] & 1 ? MREMAP_DONTUNMAP : 0));
		if (p == MAP_FAILED)
			return -errno;
		/* What was left where it was holds the file open too. */
		if (p != t->doorbell[i])
			doorbell_away(t, i);
		t->doorbell[i] = p;
		break;
	default:
		p = mremap(p, t->doorbell_size[i], 4 * VC_PAGE, MREMAP_MAYMOVE);
		if (p == MAP_FAILED)
			return -errno;
		t->doorbell[i] = p;
		t->doorbell_size[i] = 4 * VC_PAGE;
		break;
	}
	return ret < 0 ? -errno : ret;
}

/* --- memory that goes -------------------------------------------------- */

static void gen_scratch(struct fz_rng *rng, struct fz_call *call)
{
	call->a[0] = fz_below(rng, 7);
	call->a[1] = fz_below(rng, 32);
	call->a[2] = 1 + fz_below(rng, 8);
}

static long run_scratch(struct fz_thread *th, const struct fz_call *call)
{
	__u64 first = call->a[1] % (FZ_SCRATCH_SIZE / VC_PAGE);
	__u8 *at = fz_scratch + first * VC_PAGE;
	size_t size = (1 + call->a[2] % 8) * VC_PAGE;
	int flags = MAP_FIXED, fd = -1;
	void *p;

	(void)th;
	if (at + size > fz_scratch + FZ_SCRATCH_SIZE)
		size = VC_PAGE;
	switch (call->a[0] % 7) {
	case 0:
		return madvise(at, size, MADV_DONTNEED) ? -errno : 0;
	case 1:
		return mprotect(at, size, PROT_READ) ? -errno : 0;
	case 2:
		return mprotect(at, size, PROT_NONE) ? -errno : 0;
	case 3:
		flags |= MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE;
		break;
	case 4:
		flags |= MAP_SHARED;
		fd = scratch_fd;
		break;
	case 5:
		return madvise(at, size, MADV_DONTFORK) ? -errno : 0;
	default:
		flags |= MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE;
		break;
	}
	p = mmap(at, size, PROT_READ | PROT_WRITE, flags, fd,
		 fd < 0 ? 0 : at - fz_scratch);
	return p == MAP_FAILED ? -errno : 0;
}

struct fz_op fz_guest_ops[] = {
	FZ_OP("ring", 90, FZ_RACE, gen_ring, run_ring, 0),
	FZ_OP("kick", 70, FZ_RACE, gen_kick, run_kick, 0),
	FZ_OP("called", 12, FZ_RACE, gen_kick, run_called, 0),
	FZ_OP("mmap", 24, 0, gen_mmap, run_mmap, 0),
	FZ_OP("doorbell", 24, 0, gen_touch, run_touch, 0),
	FZ_OP("doorbell_remap", 10, 0, gen_remap, run_remap, 0),
	FZ_OP("scratch", 24, FZ_RACE, gen_scratch, run_scratch, 0),
	{ 0 }
};
