// SPDX-License-Identifier: GPL-2.0
/*
 * Ring states recovered from memory (drivers/core/vring_state.c): the rules of
 * its comment one by one, with numbers. selftests/unit/vring_state.c has the
 * simulation that looks for what the rules forgot.
 */
#include "kunit.h"
#include "../../drivers/core/vring_state.c"

#define N	4

/**
 * struct ring - a split ring of N entries
 * @avail: avail ring
 * @used: used ring
 */
struct ring {
	struct {
		__virtio16 flags;
		__virtio16 idx;
		__virtio16 ring[N];
	} avail;
	struct {
		__virtio16 flags;
		__virtio16 idx;
		struct vring_used_elem ring[N];
	} used;
};

static void ring_init(struct ring *ring, u16 avail_idx, u16 used_idx)
{
	unsigned int i;

	memset(ring, 0, sizeof(*ring));
	ring->avail.idx = __cpu_to_virtio16(true, avail_idx);
	ring->used.idx = __cpu_to_virtio16(true, used_idx);
	for (i = 0; i < N; i++)
		ring->used.ring[i].id = __cpu_to_virtio32(true, VMDEV_USED_NEVER);
}

static void set_heads(struct ring *ring, u16 a, u16 b, u16 c, u16 d)
{
	const u16 heads[N] = { a, b, c, d };
	unsigned int i;

	for (i = 0; i < N; i++)
		ring->avail.ring[i] = __cpu_to_virtio16(true, heads[i]);
}

static void set_used(struct ring *ring, u16 pos, u32 id)
{
	ring->used.ring[pos % N].id = __cpu_to_virtio32(true, id);
}

static int state(const struct ring *ring, bool in_order, u16 *index)
{
	*index = 0xbeef;
	return vmdev_split_state((const struct vring_avail *)&ring->avail,
				 (const struct vring_used *)&ring->used, N, in_order, NULL, index);
}

/* At most N chains can be out (virtio 1.2, 2.7.13). */
static void state_indices(struct kunit *test)
{
	struct ring ring;
	u16 index;

	ring_init(&ring, 5, 0);
	KUNIT_EXPECT_EQ(test, state(&ring, false, &index), -EINVAL);
	KUNIT_EXPECT_EQ(test, state(&ring, true, &index), -EINVAL);
	ring_init(&ring, 0, 1);
	KUNIT_EXPECT_EQ(test, state(&ring, true, &index), -EINVAL);
	ring_init(&ring, 4, 0);
	KUNIT_EXPECT_EQ(test, state(&ring, true, &index), 0);
	KUNIT_EXPECT_EQ(test, index, 0);
	/* Both wrap at 2^16. */
	ring_init(&ring, 2, 65534);
	KUNIT_EXPECT_EQ(test, state(&ring, true, &index), 0);
	KUNIT_EXPECT_EQ(test, index, 65534);
	ring_init(&ring, 3, 65534);
	KUNIT_EXPECT_EQ(test, state(&ring, true, &index), -EINVAL);
}

/* Rule 1: whatever stands in the rings. */
static void state_all_used(struct kunit *test)
{
	struct ring ring;
	u16 index;

	ring_init(&ring, 77, 77);
	set_heads(&ring, 9, 9, 9, 9);
	KUNIT_EXPECT_EQ(test, state(&ring, false, &index), 0);
	KUNIT_EXPECT_EQ(test, index, 77);
}

/* The example of the comment, N = 4. */
static void state_example(struct kunit *test)
{
	struct ring ring;
	u16 index;

	ring_init(&ring, 4, 1);
	set_heads(&ring, 0, 1, 2, 3);
	set_used(&ring, 0, 1);
	KUNIT_EXPECT_EQ(test, state(&ring, false, &index), -EILSEQ);
	KUNIT_EXPECT_EQ(test, state(&ring, true, &index), 0);
	set_used(&ring, 0, 0);
	KUNIT_EXPECT_EQ(test, state(&ring, false, &index), 0);
	KUNIT_EXPECT_EQ(test, index, 1);
}

/* Rule 2, in a later lap: none of those that are out was used lately. */
static void state_none_pending_done(struct kunit *test)
{
	struct ring ring;
	u16 index;

	/* A = 102, U = 101: 101 is out, 98, 99, 100 were used last. */
	ring_init(&ring, 102, 101);
	set_heads(&ring, 0, 3, 2, 0);
	set_used(&ring, 97, 1);
	set_used(&ring, 98, 0);
	set_used(&ring, 99, 1);
	set_used(&ring, 100, 0);
	KUNIT_EXPECT_EQ(test, state(&ring, false, &index), 0);
	KUNIT_EXPECT_EQ(test, index, 101);
	/* Head 3 (101 % 4 = 1) at one of 98 to 100 would be its completion. */
	set_used(&ring, 98, 3);
	KUNIT_EXPECT_EQ(test, state(&ring, false, &index), -EILSEQ);
	set_used(&ring, 98, 0);
	set_used(&ring, 100, 3);
	KUNIT_EXPECT_EQ(test, state(&ring, false, &index), -EILSEQ);
	/* At 97 it was a completion of the lap before. */
	set_used(&ring, 100, 0);
	set_used(&ring, 97, 3);
	KUNIT_EXPECT_EQ(test, state(&ring, false, &index), 0);
}

/* Rule 3: all descriptors are out, or used where they were offered. */
static void state_all_heads_matched(struct kunit *test)
{
	struct ring ring;
	u16 index;

	/* A = 104, U = 102: heads 0 1 2 3 at 100 to 103; used 0 1. */
	ring_init(&ring, 104, 102);
	set_heads(&ring, 0, 1, 2, 3);
	set_used(&ring, 98, 2);
	set_used(&ring, 99, 3);
	set_used(&ring, 100, 0);
	set_used(&ring, 101, 1);
	KUNIT_EXPECT_EQ(test, state(&ring, false, &index), 0);
	KUNIT_EXPECT_EQ(test, index, 102);
	/* Used in another order: not where they were offered. */
	set_used(&ring, 100, 1);
	set_used(&ring, 101, 0);
	KUNIT_EXPECT_EQ(test, state(&ring, false, &index), -EILSEQ);
	/* A head that is offered twice at once: not all descriptors are seen. */
	set_used(&ring, 100, 0);
	set_used(&ring, 101, 1);
	set_heads(&ring, 0, 1, 2, 2);
	KUNIT_EXPECT_EQ(test, state(&ring, false, &index), -EILSEQ);
}

/* Rule 4: the first lap, where all that was ever used can be read. */
static void state_first_lap(struct kunit *test)
{
	struct ring ring;
	u16 index;

	/* Two buffers in turn: 0 1 0, the first two used. */
	ring_init(&ring, 3, 2);
	set_heads(&ring, 0, 1, 0, 0);
	set_used(&ring, 0, 0);
	set_used(&ring, 1, 1);
	KUNIT_EXPECT_EQ(test, state(&ring, false, &index), 0);
	KUNIT_EXPECT_EQ(test, index, 2);
	/* Up to the end of the lap: 0 1 0 1, one of them out. */
	ring_init(&ring, 4, 3);
	set_heads(&ring, 0, 1, 0, 1);
	set_used(&ring, 0, 0);
	set_used(&ring, 1, 1);
	set_used(&ring, 2, 0);
	KUNIT_EXPECT_EQ(test, state(&ring, false, &index), 0);
	KUNIT_EXPECT_EQ(test, index, 3);
	/* The other one first. */
	ring_init(&ring, 3, 2);
	set_heads(&ring, 0, 1, 0, 0);
	set_used(&ring, 0, 1);
	set_used(&ring, 1, 0);
	KUNIT_EXPECT_EQ(test, state(&ring, false, &index), -EILSEQ);
	/* The last entry was written: a lap has ended before. */
	set_used(&ring, 0, 0);
	set_used(&ring, 1, 1);
	set_used(&ring, 3, 1);
	KUNIT_EXPECT_EQ(test, state(&ring, false, &index), -EILSEQ);
}

/* A head that is none: the ring is the guest's. */
static void state_heads_out_of_range(struct kunit *test)
{
	struct ring ring;
	u16 index;

	ring_init(&ring, 101, 100);
	set_heads(&ring, N, 0, 0, 0);
	KUNIT_EXPECT_EQ(test, state(&ring, false, &index), -EILSEQ);
	set_heads(&ring, 0xffff, 0, 0, 0);
	KUNIT_EXPECT_EQ(test, state(&ring, false, &index), -EILSEQ);
	set_heads(&ring, N - 1, 0, 0, 0);
	KUNIT_EXPECT_EQ(test, state(&ring, false, &index), 0);
}

static struct kunit_case state_cases[] = {
	KUNIT_CASE(state_indices),
	KUNIT_CASE(state_all_used),
	KUNIT_CASE(state_example),
	KUNIT_CASE(state_none_pending_done),
	KUNIT_CASE(state_all_heads_matched),
	KUNIT_CASE(state_first_lap),
	KUNIT_CASE(state_heads_out_of_range),
	{}
};

VMDEV_SUITE(vmdev_vring_state, state_cases);
