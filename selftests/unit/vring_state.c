// SPDX-License-Identifier: GPL-2.0
/*
 * Ring states recovered from memory (drivers/core/vring_state.c), against a
 * driver and a device that are simulated: the truth is known, so a wrong state
 * is seen. A device that keeps order must be found in order whenever its
 * driver refills the ring; one that does not must never be.
 */
#include <linux/types.h>
#include <stdio.h>
#include <string.h>

#include "../../drivers/core/vring_state.c"
#define TAP_MAIN
#include "../include/tap.h"

#define NUM_MAX		64
#define ROUNDS		20000

/* One simulated ring: what is in memory, and what only we know. */
struct sim {
	u16 num;
	u16 chain;			/* descriptors of a chain */
	u16 avail_idx, used_idx, seen;	/* seen: by the driver */
	u32 posted[1 << 17];		/* head at each position */
	bool done[1 << 17];		/* its completion */
	u32 n_posted, n_used, first_open;
	u16 free[NUM_MAX];
	u16 n_free;
	bool fifo;
	bool idle_seen;			/* somebody looked when nothing was out */
	u16 idle_at;
	struct {
		struct vring_avail hdr;
		__le16 ring[NUM_MAX + 1];
	} avail;
	struct {
		struct vring_used hdr;
		struct vring_used_elem ring[NUM_MAX];
		__le16 event;
	} used;
};

static u32 seed = 1;

static u32 rnd(u32 n)
{
	seed = seed * 1664525 + 1013904223;
	return (u32)(((u64)(seed >> 8) * n) >> 24);
}

static void sim_init(struct sim *s, u16 num, u16 chain)
{
	u16 i;

	memset(s, 0, sizeof(*s));
	s->num = num;
	s->chain = chain;
	s->fifo = rnd(2);
	for (i = 0; i < NUM_MAX; i++)
		s->used.ring[i].id = htole32(VMDEV_USED_NEVER);
	for (i = 0; i + chain <= num; i += chain)
		s->free[s->n_free++] = i;
}

static u16 sim_take(struct sim *s)
{
	u16 head = s->free[s->fifo ? 0 : s->n_free - 1];

	s->n_free--;
	if (s->fifo)
		memmove(s->free, s->free + 1, s->n_free * sizeof(*s->free));
	return head;
}

static void sim_post(struct sim *s)
{
	u16 head;

	if (!s->n_free)
		return;
	head = sim_take(s);
	s->avail.hdr.ring[s->avail_idx % s->num] = htole16(head);
	s->avail.hdr.idx = htole16(++s->avail_idx);
	s->posted[s->n_posted++] = head;
}

static void sim_complete(struct sim *s, u32 pos)
{
	struct vring_used_elem *elem = &s->used.hdr.ring[s->used_idx % s->num];

	elem->id = htole32(s->posted[pos]);
	elem->len = htole32(rnd(2) ? 0 : 60);
	s->used.hdr.idx = htole16(++s->used_idx);
	s->done[pos] = true;
	s->n_used++;
	if (s->n_used == s->n_posted && rnd(4)) {
		s->idle_seen = true;
		s->idle_at = s->used_idx;
	}
}

/* The driver takes back some of what was used. */
static void sim_reap(struct sim *s, u32 most)
{
	while (s->seen != s->used_idx && most--)
		s->free[s->n_free++] =
			le32toh(s->used.hdr.ring[s->seen++ % s->num].id);
}

static u32 sim_first_open(struct sim *s)
{
	while (s->first_open < s->n_posted && s->done[s->first_open])
		s->first_open++;
	return s->first_open;
}

static bool sim_ordered(struct sim *s)
{
	return sim_first_open(s) == s->n_used;
}

/* One step of a device; with @sloppy some chain other than the first. */
static void sim_device(struct sim *s, bool sloppy)
{
	u32 pos = s->n_used, n = 0, pick;

	if (s->n_used == s->n_posted)
		return;
	if (!sloppy) {
		sim_complete(s, sim_first_open(s));
		return;
	}
	pick = rnd(s->n_posted - s->n_used);
	for (pos = s->first_open; pos < s->n_posted; pos++)
		if (!s->done[pos] && n++ == pick)
			break;
	sim_complete(s, pos);
}

/* Completes the nth chain of those that are out, oldest first. */
static void sim_complete_nth(struct sim *s, u32 n)
{
	u32 pos;

	for (pos = sim_first_open(s); pos < s->n_posted; pos++)
		if (!s->done[pos] && !n--)
			break;
	sim_complete(s, pos);
}

static void sim_run(struct sim *s, int steps, u32 sloppy_percent)
{
	while (steps-- && s->n_posted < (1 << 17) - 1) {
		switch (rnd(3)) {
		case 0:
			sim_post(s);
			break;
		case 1:
			sim_device(s, rnd(100) < sloppy_percent);
			break;
		case 2:
			sim_reap(s, 1 + rnd(4));
			break;
		}
	}
}

/*
 * A reset in the midst of a batch: entries that are written and not counted.
 * A device that keeps order writes those of the next chains.
 */
static void sim_scribble(struct sim *s, bool ordered)
{
	u32 out = s->n_posted - s->n_used, n = out ? rnd(out + 1) : 0, i;

	for (i = 0; i < n; i++) {
		u32 pos = sim_first_open(s) + (ordered ? i : rnd(out));

		if (pos >= s->n_posted)
			pos = s->n_posted - 1;
		s->used.hdr.ring[(u16)(s->used_idx + i) % s->num].id =
			htole32(s->posted[pos]);
	}
}

static int sim_state(struct sim *s, u16 *index)
{
	return vmdev_split_state(&s->avail.hdr, &s->used.hdr, s->num, false,
				 s->idle_seen ? &s->idle_at : NULL, index);
}

static struct sim sim;

/* Whatever the device does: a state that is given is the true one. */
TAP_TEST(out_of_order_is_never_guessed, 0)
{
	u32 i, ordered = 0, known = 0;
	u16 index;

	for (i = 0; i < ROUNDS; i++) {
		sim_init(&sim, 4 << rnd(4), 1 + rnd(2));
		sim_run(&sim, 1 + rnd(400), rnd(60));
		if (sim_state(&sim, &index)) {
			ordered += sim_ordered(&sim);
			continue;
		}
		known++;
		CHECK(sim_ordered(&sim) && index == (u16)sim.n_used,
		      "round %u: state %u, %u used, out of order", i, index,
		      sim.n_used);
	}
	tap_note("%u of %u states known, %u more in order but not provable",
		 known, ROUNDS, ordered);
	CHECK(known > ROUNDS / 4, "only %u states known", known);
}

/*
 * A queue that sends: the driver takes the descriptor again that came back last, so
 * the same few go round. Nothing but a moment without any out tells where it is.
 */
TAP_TEST(seen_idle, 0)
{
	u32 i, j;
	u16 index;

	for (i = 0; i < 1000; i++) {
		sim_init(&sim, 16, 1);
		sim.fifo = false;
		for (j = 20 + rnd(100); j; j--) {
			sim_post(&sim);
			sim_complete(&sim, sim_first_open(&sim));
			sim_reap(&sim, 1);
		}
		sim.idle_seen = true;
		sim.idle_at = sim.used_idx;
		for (j = rnd(8); j; j--) {
			sim_post(&sim);
			sim_complete(&sim, sim_first_open(&sim));
			sim_reap(&sim, 1);
		}
		sim_post(&sim);
		sim_post(&sim);
		CHECK_OK(sim_state(&sim, &index));
		CHECK_IS(index, sim.used_idx);
		sim.idle_seen = false;
		CHECK_ERR(sim_state(&sim, &index), -EILSEQ);
		/* Too long ago: what was offered then cannot be read any more. */
		sim.idle_seen = true;
		sim.idle_at = sim.avail_idx - 17;
		CHECK_ERR(sim_state(&sim, &index), -EILSEQ);
		/* Out of order since. */
		sim.idle_at = sim.used_idx;
		sim_complete_nth(&sim, 1);
		CHECK_ERR(sim_state(&sim, &index), -EILSEQ);
	}
}

/* One chain kept back for ever, everything else in order: the hard case. */
TAP_TEST(one_chain_kept_back, 0)
{
	u32 i, j;
	u16 index;

	for (i = 0; i < ROUNDS; i++) {
		sim_init(&sim, 4 << rnd(4), 1);
		sim_run(&sim, rnd(20), 0);
		sim_post(&sim);
		sim_post(&sim);
		if (sim.n_posted - sim.n_used < 2)
			continue;
		sim_complete(&sim, sim.n_used + 1);
		for (j = rnd(300); j; j--) {
			sim_reap(&sim, 1 + rnd(3));
			sim_post(&sim);
			if (sim.n_used + 1 < sim.n_posted && rnd(2))
				sim_complete(&sim, sim.n_used + 1);
		}
		CHECK(sim_state(&sim, &index) != 0,
		      "round %u: state %u given, %u used, one kept back", i,
		      index, sim.n_used);
	}
}

/* Some chains kept back for ever, the others in some order. */
TAP_TEST(kept_back_and_reordered, 0)
{
	u32 i, j, known = 0;
	u16 index;

	for (i = 0; i < ROUNDS; i++) {
		u32 kept = rnd(3), sloppy = rnd(100);

		sim_init(&sim, 4 << rnd(4), 1 + rnd(2));
		for (j = rnd(500); j; j--) {
			u32 out = sim.n_posted - sim.n_used;

			if (rnd(2))
				sim_post(&sim);
			else if (out > kept && rnd(100) < sloppy)
				sim_complete_nth(&sim, kept + rnd(out - kept));
			else if (out > kept)
				sim_complete_nth(&sim, kept);
			sim_reap(&sim, rnd(4));
		}
		if (rnd(2))
			sim_scribble(&sim, false);
		if (sim_state(&sim, &index))
			continue;
		known++;
		CHECK(sim_ordered(&sim) && index == (u16)sim.n_used,
		      "round %u: state %u, %u used, out of order", i, index,
		      sim.n_used);
	}
	CHECK(known > ROUNDS / 20, "only %u states known", known);
}

/*
 * A transmit queue whose driver uses one head all the time, beside one chain
 * that the device never completes, past the wrap of the index: nothing in
 * memory tells the first lap from the second.
 */
TAP_TEST(kept_back_past_the_wrap, 0)
{
	u32 i;
	u16 index;

	sim_init(&sim, 8, 1);
	sim.fifo = false;
	sim_post(&sim);
	for (i = 0; i < 66000; i++) {
		sim_post(&sim);
		CHECK(sim_state(&sim, &index) != 0 || !sim.n_used,
		      "state %u of %u used, one kept back", index, sim.n_used);
		sim_complete_nth(&sim, 1);
		CHECK(sim_state(&sim, &index) != 0,
		      "state %u of %u used, one kept back", index, sim.n_used);
		sim_reap(&sim, 1);
	}
}

/* The last chain first, and the first never: completions are not shifted. */
TAP_TEST(last_first_and_first_never, 0)
{
	u16 index, i;

	sim_init(&sim, 16, 1);
	sim.fifo = true;
	for (i = 0; i < 16; i++)
		sim_post(&sim);
	sim_complete(&sim, 15);
	for (i = 1; i < 15; i++)
		sim_complete(&sim, i);
	sim_reap(&sim, 16);
	sim_post(&sim);
	CHECK_ERR(sim_state(&sim, &index), -EILSEQ);
}

/* A receive queue that its driver keeps full, past the wrap of the index. */
TAP_TEST(full_ring_in_order, 0)
{
	u32 i;
	u16 index;

	sim_init(&sim, NUM_MAX, 1);
	for (i = 0; i < 70000; i++) {
		while (sim.n_free)
			sim_post(&sim);
		CHECK_OK(sim_state(&sim, &index));
		CHECK_IS(index, (u16)sim.n_used);
		sim_device(&sim, false);
		sim_scribble(&sim, true);
		CHECK_OK(sim_state(&sim, &index));
		CHECK_IS(index, (u16)sim.n_used);
		sim_reap(&sim, 1);
	}
}

/* A receive queue that is refilled when half of it is empty, as Linux does. */
TAP_TEST(half_full_ring_in_order, 0)
{
	u32 i;
	u16 index;

	sim_init(&sim, NUM_MAX, 1);
	for (i = 0; i < 70000; i++) {
		if (sim.n_free > NUM_MAX / 2)
			while (sim.n_free)
				sim_post(&sim);
		if (sim.n_used < sim.n_posted)
			sim_device(&sim, false);
		sim_reap(&sim, 1);
		CHECK_OK(sim_state(&sim, &index));
		CHECK_IS(index, (u16)sim.n_used);
	}
}

/* Firmware: eight buffers in turn on a large ring, for a short time. */
TAP_TEST(few_buffers_in_the_first_lap, 0)
{
	u16 index, i;

	sim_init(&sim, NUM_MAX, 1);
	sim.fifo = true;
	sim.n_free = 8;
	for (i = 0; i < 8; i++)
		sim_post(&sim);
	while (sim.n_posted < NUM_MAX) {
		sim_device(&sim, false);
		sim_reap(&sim, 1);
		sim_post(&sim);
		CHECK_OK(sim_state(&sim, &index));
		CHECK_IS(index, (u16)sim.n_used);
	}
}

TAP_TEST(all_used, 0)
{
	u16 index;

	sim_init(&sim, 8, 2);
	sim_run(&sim, 100, 0);
	while (sim.n_used < sim.n_posted)
		sim_device(&sim, true);
	CHECK_OK(sim_state(&sim, &index));
	CHECK_IS(index, (u16)sim.n_used);
}

TAP_TEST(indices_out_of_range, 0)
{
	u16 index;

	sim_init(&sim, 8, 1);
	sim.avail.hdr.idx = htole16(9);
	CHECK_ERR(sim_state(&sim, &index), -EINVAL);
	sim.avail.hdr.idx = htole16(4);
	sim.used.hdr.idx = htole16(5);
	CHECK_ERR(sim_state(&sim, &index), -EINVAL);
}

/* Random memory must not be read beyond its end (ASan) and is no state. */
TAP_TEST(garbage, 0)
{
	u32 i, j, known = 0;
	u16 index;

	for (i = 0; i < ROUNDS; i++) {
		sim_init(&sim, 4 << rnd(5), 1);
		for (j = 0; j < sizeof(sim.avail); j++)
			((u8 *)&sim.avail)[j] = rnd(256);
		for (j = 0; j < sizeof(sim.used); j++)
			((u8 *)&sim.used)[j] = rnd(256);
		if (rnd(2))
			sim.used.hdr.idx = htole16(le16toh(sim.avail.hdr.idx) -
						   rnd(sim.num));
		if (!sim_state(&sim, &index) &&
		    sim.used.hdr.idx != sim.avail.hdr.idx)
			known++;
	}
	CHECK(known < ROUNDS / 100, "%u states out of garbage", known);
}

TAP_TEST(in_order_is_believed, 0)
{
	u16 index;

	sim_init(&sim, 8, 1);
	sim_post(&sim);
	sim_post(&sim);
	sim_post(&sim);
	sim_complete(&sim, 1);
	CHECK_ERR(sim_state(&sim, &index), -EILSEQ);
	CHECK_OK(vmdev_split_state(&sim.avail.hdr, &sim.used.hdr, 8, true,
				   NULL, &index));
	CHECK_IS(index, 1);
}

int main(int argc, char **argv)
{
	const struct tap_config config = { .timeout = 120 };

	(void)argc;
	return tap_run(&config, argv + 1);
}
