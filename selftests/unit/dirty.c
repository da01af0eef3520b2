// SPDX-License-Identifier: GPL-2.0
/*
 * The dirty log's bits (drivers/dirty/bitmap.c): every page that was marked is
 * harvested, no other is, with any page size and ranges; and under threads that
 * write and mark while others harvest and copy, no write is missed.
 */
#include <linux/types.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../drivers/dirty/bitmap.c"
#define TAP_MAIN
#include "../include/tap.h"

#define PAGES	20000
#define BASE	0x40000000ULL

static u64 seed = 1;

static u32 rnd(u32 n)
{
	seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
	return (seed >> 33) % n;
}

static struct vmdev_dirty *log_of(unsigned int shift, u64 first, u64 last)
{
	struct vmdev_dirty_range range = { first, last };
	struct vmdev_dirty *log = vmdev_dirty_alloc(shift, &range, 1);

	CHECK(!IS_ERR(log), "alloc: %ld", PTR_ERR(log));
	return log;
}

/* --- against a plain array of flags ------------------------------------------------------ */
struct plain {
	unsigned int shift;
	bool dirty[PAGES];		/* of BASE */
	u64 first, last;		/* what was asked for */
	u64 next;			/* ascending order */
	int fail_in;			/* emit fails then; < 0: never */
};

static int emit_plain(void *ctx, u64 iova, u64 bits)
{
	struct plain *p = ctx;
	u64 page, i;

	CHECK(bits, "nothing dirty");
	if (p->fail_in >= 0 && !p->fail_in--)
		return -EFAULT;
	CHECK(iova >= p->next, "not in order");
	p->next = iova + (64ULL << p->shift);
	for (i = 0; i < 64; i++) {
		if (!(bits >> i & 1))
			continue;
		page = ((iova - BASE) >> p->shift) + i;
		CHECK(page < PAGES && p->dirty[page], "page %llu is clean", page);
		CHECK(page >= p->first && page <= p->last, "page %llu was not asked for", page);
		p->dirty[page] = false;
	}
	return 0;
}

static void harvest_plain(struct plain *p, struct vmdev_dirty *log, u64 first, u64 last)
{
	u64 page;
	int err;

	p->first = first;
	p->last = last;
	p->next = 0;
	err = vmdev_dirty_harvest(log, BASE + (first << p->shift) + rnd(1 << p->shift),
				  BASE + (last << p->shift) + rnd(1 << p->shift), emit_plain, p);
	/* One page, asked for from behind its end to its beginning. */
	if (err == -EINVAL && first == last)
		return;
	CHECK(!err || err == -EFAULT, "harvest: %d", err);
	for (page = first; !err && page <= last; page++)
		CHECK(!p->dirty[page], "page %llu was missed", page);
}

static bool in_ranges(const struct vmdev_dirty_range *r, u32 n, unsigned int shift, u64 page)
{
	for (; n; n--, r++)
		if (page >= (r->first - BASE) >> shift && page <= (r->last - BASE) >> shift)
			return true;
	return false;
}

/* By software, or by hardware: what is marked is the same. */
static void mark(struct vmdev_dirty *log, u64 iova, u64 len)
{
	if (len && rnd(2))
		vmdev_dirty_mark_dma(log, iova, len);
	else
		vmdev_dirty_mark(log, iova, len);
}

static void random_log(unsigned int shift, u32 n)
{
	static struct plain p;
	struct vmdev_dirty_range ranges[8];
	struct vmdev_dirty *log;
	u64 at = 0, page, len, iova;
	u32 i, round;

	memset(&p, 0, sizeof(p));
	p.shift = shift;
	p.fail_in = -1;
	for (i = 0; i < n; i++) {
		at += rnd(300);
		ranges[i].first = BASE + (at << shift) + rnd(1 << shift);
		at += 1 + rnd(PAGES / n - 400);
		ranges[i].last = BASE + (at << shift) + rnd(1 << shift);
		at++;
	}
	log = vmdev_dirty_alloc(shift, ranges, n);
	CHECK(!IS_ERR(log), "alloc: %ld", PTR_ERR(log));

	for (round = 0; round < 3000; round++) {
		page = rnd(PAGES - 200);
		iova = BASE + (page << shift) + rnd(1 << shift);
		len = rnd(3) ? rnd(1 << shift) : (u64)rnd(150) << shift;
		mark(log, iova, len);
		for (; len && page <= (iova + len - 1 - BASE) >> shift; page++)
			if (in_ranges(ranges, n, shift, page))
				p.dirty[page] = true;
		if (!rnd(40)) {
			vmdev_dirty_mark_all(log);
			for (page = 0; page < PAGES; page++)
				p.dirty[page] |= in_ranges(ranges, n, shift, page);
		}
		if (!rnd(6)) {
			page = rnd(PAGES);
			p.fail_in = rnd(3) ? -1 : (int)rnd(4);
			harvest_plain(&p, log, page, page + rnd(PAGES - page));
			p.fail_in = -1;
		}
	}
	harvest_plain(&p, log, 0, PAGES - 1);
	vmdev_dirty_free(log);
}

TAP_TEST(random_one_range, 0) { random_log(12, 1); }
TAP_TEST(random_some_ranges, 0) { random_log(12, 8); }
TAP_TEST(random_large_pages, 0) { random_log(21, 3); }

/* --- edges ------------------------------------------------------------------------------- */
static int emit_count(void *ctx, u64 iova, u64 bits)
{
	(void)iova;
	*(u64 *)ctx += __builtin_popcountll(bits);
	return 0;
}

static u64 count(struct vmdev_dirty *log, u64 first, u64 last)
{
	u64 n = 0;

	CHECK_OK(vmdev_dirty_harvest(log, first, last, emit_count, &n));
	return n;
}

TAP_TEST(around_the_end_of_memory, 0)
{
	struct vmdev_dirty *log = log_of(12, U64_MAX - 0xffff, U64_MAX);

	vmdev_dirty_mark(log, U64_MAX, 1);
	CHECK_IS((long)count(log, 0, U64_MAX), 1);
	vmdev_dirty_mark(log, U64_MAX - 0x1fff, U64_MAX);
	CHECK_IS((long)count(log, 0, U64_MAX), 2);
	/* From another page to the same one, all around: to the end. */
	vmdev_dirty_mark(log, U64_MAX - 0x17ff, U64_MAX - 0xff);
	CHECK_IS((long)count(log, 0, U64_MAX), 2);
	vmdev_dirty_mark(log, 0, U64_MAX);
	CHECK_IS((long)count(log, 0, U64_MAX), 16);
	vmdev_dirty_mark_all(log);
	CHECK_IS((long)count(log, U64_MAX, U64_MAX), 1);
	CHECK_IS((long)count(log, 0, U64_MAX), 15);
	vmdev_dirty_free(log);
}

TAP_TEST(nothing_is_marked, 0)
{
	struct vmdev_dirty *log = log_of(12, BASE, BASE + 0xfffff);

	vmdev_dirty_mark(log, BASE, 0);
	vmdev_dirty_mark(log, BASE - 1, 1);
	vmdev_dirty_mark(log, BASE + 0x100000, 0x1000);
	CHECK_IS((long)count(log, 0, U64_MAX), 0);
	CHECK_IS(vmdev_dirty_harvest(log, 1, 0, emit_count, NULL), -EINVAL);
	vmdev_dirty_free(log);
}

TAP_TEST(terabyte, 0)
{
	struct vmdev_dirty *log = log_of(12, 0, (1ULL << 40) - 1);
	u64 i;

	for (i = 0; i < 1 << 18; i++)
		vmdev_dirty_mark(log, i << 22, 1);
	CHECK_IS((long)count(log, 0, U64_MAX), 1 << 18);
	CHECK_IS((long)count(log, 0, U64_MAX), 0);
	vmdev_dirty_free(log);
}

/*
 * It may be called where nothing may take long: not a bit of 128 MiB is touched.
 * A harvest does only what it comes by, and the next one the rest.
 */
TAP_TEST(mark_all_is_cheap, 0)
{
	u64 pages = 1ULL << 30, words = pages >> 6, i;
	struct vmdev_dirty *log = log_of(12, 0, (pages << 12) - 1);

	vmdev_dirty_mark_all(log);
	for (i = 0; i < words >> 6; i++)
		CHECK(!atomic64_read(&log->sum[i]), "summary %llu", i);
	for (i = 0; i < words; i += 64)
		CHECK(!atomic64_read(&log->words[i]), "word %llu", i);

	CHECK_IS((long)count(log, 5000ULL << 12, (5001ULL << 12) - 1), 1);
	/* Page 5000 is one of those from 4096 on. */
	for (i = 0; i < words; i += 64)
		CHECK(!atomic64_read(&log->words[i]) == (i != 64), "word %llu", i);
	CHECK_IS((long)count(log, 4096ULL << 12, (8192ULL << 12) - 1), 4095);
	CHECK_IS((long)count(log, (pages - 3) << 12, U64_MAX), 3);
	CHECK_IS((long)count(log, 0, U64_MAX), (long)pages - 4096 - 3);
	CHECK_IS((long)count(log, 0, U64_MAX), 0);
	vmdev_dirty_free(log);
}

static int emit_mark_all(void *ctx, u64 iova, u64 bits)
{
	(void)iova;
	(void)bits;
	vmdev_dirty_mark_all(ctx);
	return 0;
}

/* A mark that comes while a harvest is under way is the next one's. */
TAP_TEST(mark_all_beside_a_harvest, 0)
{
	struct vmdev_dirty *log = log_of(12, BASE, BASE + (10000ULL << 12) - 1);

	vmdev_dirty_mark(log, BASE + (9000ULL << 12), 1);
	CHECK_OK(vmdev_dirty_harvest(log, 0, U64_MAX, emit_mark_all, log));
	CHECK_IS((long)count(log, 0, U64_MAX), 10000);
	vmdev_dirty_mark_all(log);
	vmdev_dirty_mark_all(log);
	CHECK_IS((long)count(log, 0, U64_MAX), 10000);
	CHECK_IS((long)count(log, 0, U64_MAX), 0);
	vmdev_dirty_free(log);
}

static long alloc_says(unsigned int shift, const struct vmdev_dirty_range *ranges, unsigned int n)
{
	struct vmdev_dirty *log = vmdev_dirty_alloc(shift, ranges, n);

	if (IS_ERR(log))
		return PTR_ERR(log);
	vmdev_dirty_free(log);
	return 0;
}

TAP_TEST(alloc_refuses, 0)
{
	struct vmdev_dirty_range r[2] = { { 0, 0xfff }, { 0x1000, 0x1fff } };

	CHECK_IS(alloc_says(12, r, 2), 0);
	CHECK_IS(alloc_says(11, r, 1), -EINVAL);
	CHECK_IS(alloc_says(22, r, 1), -EINVAL);
	CHECK_IS(alloc_says(12, r, 0), -EINVAL);
	CHECK_IS(alloc_says(12, r, VMDEV_DIRTY_RANGES_MAX + 1), -EINVAL);
	/* Both in one page of 8 KiB. */
	CHECK_IS(alloc_says(13, r, 2), -EINVAL);
	r[1].first = 0x800;
	CHECK_IS(alloc_says(12, r, 2), -EINVAL);
	r[0] = (struct vmdev_dirty_range) { 2, 1 };
	CHECK_IS(alloc_says(12, r, 1), -EINVAL);
	r[0] = (struct vmdev_dirty_range) { 0, U64_MAX };
	CHECK_IS(alloc_says(12, r, 1), -E2BIG);
	CHECK_IS(alloc_says(21, r, 1), -E2BIG);
}

/* --- writers, markers and a reader at once ----------------------------------------------- */
#define RACE_PAGES	(64 * 64)
#define RACE_WRITERS	2

/* Few writes a round: a mark that is lost must not be made up for by the next one. */
struct race {
	struct vmdev_dirty *log;
	unsigned int memory[RACE_PAGES];	/* a page is a number */
	unsigned int copy[RACE_PAGES];
	pthread_barrier_t start;
	int running;
	u32 rounds;
	bool all;			/* writers mark everything instead */
};

static int emit_copy(void *ctx, u64 iova, u64 bits)
{
	struct race *r = ctx;
	u64 page = (iova - BASE) >> 12;

	for (; bits; bits &= bits - 1) {
		u64 i = page + __builtin_ctzll(bits);

		CHECK(i < RACE_PAGES, "page %llu", i);
		r->copy[i] = __atomic_load_n(&r->memory[i], __ATOMIC_RELAXED);
	}
	return 0;
}

static void *race_writer(void *arg)
{
	struct race *r = arg;
	unsigned int state = (unsigned int)pthread_self(), round, i, page;

	for (round = 0; round < r->rounds; round++) {
		pthread_barrier_wait(&r->start);
		for (i = 0; i < 8; i++) {
			state = state * 1664525 + 1013904223;
			/* Some pages often: they are marked already, or just harvested. */
			page = (state >> 12) % (i & 1 ? 4 : RACE_PAGES);
			__atomic_fetch_add(&r->memory[page], 1, __ATOMIC_RELAXED);
			if (!r->all && i & 2)
				vmdev_dirty_mark_dma(r->log, BASE + ((u64)page << 12), 64);
			else if (!r->all)
				vmdev_dirty_mark(r->log, BASE + ((u64)page << 12), 64);
			else if (i == 3)
				vmdev_dirty_mark_all(r->log);
		}
		if (r->all)
			vmdev_dirty_mark_all(r->log);
		__atomic_fetch_sub(&r->running, 1, __ATOMIC_SEQ_CST);
	}
	return NULL;
}

static void race(bool all, u32 rounds)
{
	static struct race r;
	pthread_t writers[RACE_WRITERS];
	u32 i, round;

	r.all = all;
	r.rounds = rounds;
	r.log = log_of(12, BASE, BASE + ((u64)RACE_PAGES << 12) - 1);
	CHECK_OK(pthread_barrier_init(&r.start, NULL, RACE_WRITERS + 1));
	for (i = 0; i < RACE_WRITERS; i++)
		CHECK_OK(pthread_create(&writers[i], NULL, race_writer, &r));
	for (round = 0; round < rounds; round++) {
		r.running = RACE_WRITERS;
		pthread_barrier_wait(&r.start);
		while (__atomic_load_n(&r.running, __ATOMIC_SEQ_CST))
			CHECK_OK(vmdev_dirty_harvest(r.log, 0, U64_MAX, emit_copy, &r));
		CHECK_OK(vmdev_dirty_harvest(r.log, 0, U64_MAX, emit_copy, &r));
		CHECK(!memcmp(r.copy, r.memory, sizeof(r.copy)), "round %u: a write was missed",
		      round);
	}
	for (i = 0; i < RACE_WRITERS; i++)
		pthread_join(writers[i], NULL);
	vmdev_dirty_free(r.log);
}

TAP_TEST(no_write_is_missed, 0) { race(false, 60000); }
TAP_TEST(no_write_is_missed_if_all_is_marked, 0) { race(true, 20000); }

int main(int argc, char **argv)
{
	const struct tap_config config = { .timeout = 120 };

	(void)argc;
	return tap_run(&config, argv + 1);
}
