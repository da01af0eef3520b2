// SPDX-License-Identifier: GPL-2.0
/*
 * From ranges of user space to a log (drivers/dirty/ranges.c), and from the log to
 * a bitmap of user space (report.c): against a plain array of flags, with pages of
 * different sizes, and with memory that faults anywhere.
 */
#include <linux/types.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../drivers/dirty/bitmap.c"
#include "../../drivers/dirty/ranges.c"
#include "../../drivers/dirty/report.c"
#define TAP_MAIN
#include "../include/tap.h"

/* The smallest pages; what is larger is so many of them. */
#define UNIT		0x1000ULL
#define UNITS		(8ULL * 512)
#define BASE		0x40000000ULL

static u64 seed = 1;

static u32 rnd(u32 n)
{
	seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
	return (seed >> 33) % n;
}

/* --- ranges to a log --------------------------------------------------------------------- */
#define R(iova, length) ((struct vmdev_dirty_iova_range) { iova, length })

/* Page size that it gets, or an error. */
static long negotiate(u64 page_size, const struct vmdev_dirty_iova_range *ranges, unsigned int n)
{
	struct vmdev_dirty *log = vmdev_dirty_negotiate(&page_size, ranges, n);

	if (IS_ERR(log))
		return PTR_ERR(log);
	CHECK(page_size == 1ULL << vmdev_dirty_shift(log), "it says another page size");
	vmdev_dirty_free(log);
	return page_size;
}

TAP_TEST(page_sizes, 0)
{
	struct vmdev_dirty_iova_range r = R(0x200000, 0x200000);

	CHECK_IS(negotiate(0x1000, &r, 1), 0x1000);
	CHECK_IS(negotiate(0x10000, &r, 1), 0x10000);
	CHECK_IS(negotiate(0x200000, &r, 1), 0x200000);
	CHECK_IS(negotiate(0x400000, &r, 1), 0x200000);
	CHECK_IS(negotiate(1ULL << 63, &r, 1), 0x200000);
	CHECK_IS(negotiate(1, &r, 1), 0x1000);
	CHECK_ERR(negotiate(0, &r, 1), -EINVAL);
	CHECK_ERR(negotiate(0x1800, &r, 1), -EINVAL);
	CHECK_ERR(negotiate(U64_MAX, &r, 1), -EINVAL);
}

TAP_TEST(too_large_for_small_pages, 0)
{
	struct vmdev_dirty_iova_range r[2];

	/* 256 MiB are somewhat less than 8 TiB of 4 KiB. */
	r[0] = R(0, 1ULL << 42);
	CHECK_IS(negotiate(0x1000, r, 1), 0x1000);
	r[0] = R(0, 1ULL << 43);
	CHECK_IS(negotiate(0x1000, r, 1), 0x2000);
	r[0] = R(0, 1ULL << 51);
	CHECK_IS(negotiate(0x1000, r, 1), 0x200000);
	r[0] = R(0, 1ULL << 52);
	CHECK_ERR(negotiate(0x1000, r, 1), -E2BIG);
	r[0] = R(0, U64_MAX & ~0xfffULL);
	CHECK_ERR(negotiate(0x1000, r, 1), -E2BIG);
	/* Pages get so large that these two share one. */
	r[0] = R(0x1000, 1ULL << 51);
	r[1] = R((1ULL << 51) + 0x3000, 0x1000);
	CHECK_IS(negotiate(0x1000, r, 2), 0x200000);
}

TAP_TEST(bad_ranges, 0)
{
	struct vmdev_dirty_iova_range r[VMDEV_DIRTY_RANGES_MAX + 1] = { 0 };
	u64 i;

	CHECK_ERR(negotiate(0x1000, r, 0), -EINVAL);
	r[0] = R(0x1000, 0);
	CHECK_ERR(negotiate(0x1000, r, 1), -EINVAL);
	r[0] = R(0x1000, 0x800);
	CHECK_ERR(negotiate(0x1000, r, 1), -EINVAL);
	r[0] = R(0x1800, 0x1000);
	CHECK_ERR(negotiate(0x1000, r, 1), -EINVAL);
	r[0] = R(0x1000, 0x2000);
	CHECK_ERR(negotiate(0x2000, r, 1), -EINVAL);
	/* Up to the end is no wrap, and one more is. */
	r[0] = R(0xffffffffffff0000, 0x10000);
	CHECK_IS(negotiate(0x1000, r, 1), 0x1000);
	r[0] = R(0xffffffffffff0000, 0x11000);
	CHECK_ERR(negotiate(0x1000, r, 1), -EOVERFLOW);
	r[0] = R(0x1000, 0xfffffffffffff000);
	CHECK_ERR(negotiate(0x1000, r, 1), -E2BIG);
	r[0] = R(0x5000, 0x1000);
	r[1] = R(0x4000, 0x2000);
	CHECK_ERR(negotiate(0x1000, r, 2), -EINVAL);
	r[1] = R(0x4000, 0x1000);
	CHECK_IS(negotiate(0x1000, r, 2), 0x1000);
	r[1] = r[0];
	CHECK_ERR(negotiate(0x1000, r, 2), -EINVAL);
	/* As many as there may be, the last one first. */
	for (i = 0; i <= VMDEV_DIRTY_RANGES_MAX; i++)
		r[i] = R((1000 - i) * 0x2000, 0x1000);
	CHECK_IS(negotiate(0x1000, r, VMDEV_DIRTY_RANGES_MAX), 0x1000);
	CHECK_ERR(negotiate(0x1000, r, VMDEV_DIRTY_RANGES_MAX + 1), -E2BIG);
}

TAP_TEST(covered, 0)
{
	struct vmdev_dirty_iova_range r[3] = {
		R(0x9000, 0x1000), R(0x1000, 0x2000), R(0x3000, 0x1000),
	};
	const struct vmdev_dirty_range apart[3] = {
		{ 0x1000, 0x2fff }, { 0x3000, 0x3fff }, { U64_MAX - 0xfff, U64_MAX },
	};
	u64 page_size = 0x1000;
	struct vmdev_dirty *log = vmdev_dirty_negotiate(&page_size, r, 3);

	CHECK(!IS_ERR(log), "%ld", PTR_ERR(log));
	CHECK(vmdev_dirty_covers(log, 0x1000, 0x3fff), "two that touch");
	CHECK(vmdev_dirty_covers(log, 0x2fff, 0x3000), "inside");
	CHECK(vmdev_dirty_covers(log, 0x9000, 0x9fff), "the last");
	CHECK(!vmdev_dirty_covers(log, 0, 0x1000), "below");
	CHECK(!vmdev_dirty_covers(log, 0x3000, 0x4000), "behind");
	CHECK(!vmdev_dirty_covers(log, 0x3000, 0x9000), "with a hole");
	CHECK(!vmdev_dirty_covers(log, 0x9000, 0xa000), "behind the last");
	CHECK(!vmdev_dirty_covers(log, U64_MAX, U64_MAX), "the end");
	vmdev_dirty_free(log);

	/* Those that touch are one there; here they are not. */
	log = vmdev_dirty_alloc(12, apart, 3);
	CHECK(!IS_ERR(log), "%ld", PTR_ERR(log));
	CHECK(vmdev_dirty_covers(log, 0x1000, 0x3fff), "two that touch");
	CHECK(!vmdev_dirty_covers(log, 0x1000, 0x4000), "a hole behind");
	CHECK(vmdev_dirty_covers(log, U64_MAX, U64_MAX), "up to the end");
	vmdev_dirty_free(log);
}

/* --- a log to a bitmap ------------------------------------------------------------------- */
/**
 * struct plain - a log of UNITS units from @base on
 * @log: the log
 * @base: first IOVA of the log's first page
 * @unit: units of a page of the log
 * @dirty: which of them are
 */
struct plain {
	struct vmdev_dirty *log;
	u64 base;
	u64 unit;
	bool dirty[UNITS];
};

/* A bitmap between words that nobody may touch. */
struct target {
	u64 before;
	u64 words[UNITS / 64];
	u64 after;
};

static u64 range_end(u64 first, u64 n)
{
	return BASE + (first + n) * UNIT - 1;
}

static struct plain *plain_new(unsigned int shift)
{
	struct plain *p = calloc(1, sizeof(*p));
	struct vmdev_dirty_range range = { BASE, BASE + UNITS * UNIT - 1 };

	p->log = vmdev_dirty_alloc(shift, &range, 1);
	p->unit = (1ULL << shift) / UNIT;
	CHECK(!IS_ERR(p->log), "%ld", PTR_ERR(p->log));
	return p;
}

static void plain_free(struct plain *p)
{
	vmdev_dirty_free(p->log);
	free(p);
}

static void mark(struct plain *p, u64 first, u64 n)
{
	u64 i, last = (first + n - 1) / p->unit * p->unit + p->unit;

	vmdev_dirty_mark(p->log, BASE + first * UNIT, n * UNIT);
	for (i = first / p->unit * p->unit; i < last; i++)
		p->dirty[i] = true;
}

static void mark_some(struct plain *p)
{
	u32 i, n = rnd(20);
	u64 first;

	for (i = 0; i < n; i++) {
		first = rnd(UNITS);
		mark(p, first, 1 + (rnd(4) ? 0 : rnd(min(UNITS - first, 700ULL))));
	}
}

static bool bit(const struct target *t, u64 i)
{
	return t->words[i / 64] >> (i % 64) & 1;
}

/* Is any unit of the page dirty? */
static bool page_dirty(const struct plain *p, u64 first, u64 n)
{
	for (; n; n--, first++)
		if (p->dirty[first])
			return true;
	return false;
}

/* Units @first to @first + @n - 1 were reported in pages of @size units. */
static void check_reported(struct plain *p, const struct target *t, const struct target *old,
			   u64 first, u64 n, u64 size)
{
	u64 i, start;

	for (i = 0; i < UNITS; i++) {
		bool want = i < n / size && page_dirty(p, first + i * size, size);

		CHECK(bit(t, i) == (want || bit(old, i)), "page %llu of %llu: %d", i, n / size,
		      bit(t, i));
	}
	CHECK(!t->before && !t->after, "written beside the bitmap");
	/* What is all inside is clean. */
	for (start = 0; start < UNITS; start += p->unit)
		if (start >= first && start + p->unit <= first + n)
			memset(p->dirty + start, 0, p->unit);
}

static int report(struct plain *p, struct target *t, u64 first, u64 n, unsigned int shift)
{
	return vmdev_dirty_report(p->log, BASE + first * UNIT, range_end(first, n), shift,
				  t->words, NULL);
}

/* A range of pages of @size units. */
static void some_range(u64 size, u64 *first, u64 *n)
{
	u64 pages = UNITS / size;

	*first = rnd(pages);
	*n = 1 + rnd(pages - *first);
	*first *= size;
	*n *= size;
}

static void random_reports(unsigned int log_shift, unsigned int shift)
{
	struct plain *p = plain_new(log_shift);
	u64 size = (1ULL << shift) / UNIT, first, n, i;
	struct target t, old;
	u32 round;

	for (round = 0; round < 400; round++) {
		mark_some(p);
		some_range(size, &first, &n);
		memset(&t, 0, sizeof(t));
		for (i = 0; i < UNITS / 64; i++)
			t.words[i] = rnd(3) ? 0 : BIT_ULL(rnd(64));
		old = t;
		CHECK_OK(report(p, &t, first, n, shift));
		check_reported(p, &t, &old, first, n, size);
	}
	plain_free(p);
}

TAP_TEST(same_pages, 0) { random_reports(12, 12); }
TAP_TEST(same_large_pages, 0) { random_reports(21, 21); }
TAP_TEST(log_has_larger_pages, 0)
{
	random_reports(13, 12);
	random_reports(16, 12);
	random_reports(21, 12);
	random_reports(21, 16);
}

TAP_TEST(log_has_smaller_pages, 0)
{
	random_reports(12, 13);
	random_reports(12, 16);
	random_reports(12, 21);
	random_reports(16, 21);
}

/* Ranges that do not begin where the bitmap's words do. */
TAP_TEST(ranges_in_between, 0)
{
	struct vmdev_dirty_range r[2] = {
		{ BASE + 5 * UNIT, BASE + 99 * UNIT - 1 },
		{ BASE + 103 * UNIT, BASE + 333 * UNIT - 1 },
	};
	struct vmdev_dirty *log = vmdev_dirty_alloc(12, r, 2);
	struct target t = { 0 };
	u64 i, pages = 0;

	CHECK(!IS_ERR(log), "%ld", PTR_ERR(log));
	vmdev_dirty_mark_all(log);
	CHECK_OK(vmdev_dirty_report(log, BASE, range_end(0, UNITS), 12, t.words, &pages));
	CHECK_IS((long)pages, 94 + 230);
	for (i = 0; i < UNITS; i++)
		CHECK(bit(&t, i) == ((i >= 5 && i < 99) || (i >= 103 && i < 333)), "%llu", i);
	vmdev_dirty_free(log);
}

/* Whatever was dirty is in one of the bitmaps, and nothing else, but what shares its page. */
static void check_nothing_lost(struct plain *p, struct target *t, u64 first, u64 n, u64 size)
{
	u64 large = max(size, p->unit), i;
	struct target rest = { 0 };

	CHECK_OK(report(p, &rest, 0, UNITS, 12));
	for (i = 0; i < UNITS; i++) {
		bool there = i >= first && i < first + n && bit(t, (i - first) / size);

		CHECK(there || bit(&rest, i) || !p->dirty[i], "unit %llu was lost", i);
		CHECK((!there && !bit(&rest, i)) || page_dirty(p, i / large * large, large),
		      "unit %llu was clean", i);
	}
	memset(p->dirty, 0, sizeof(p->dirty));
}

static void random_faults(unsigned int log_shift, unsigned int shift)
{
	u64 size = (1ULL << shift) / UNIT, first, n;
	struct plain *p = plain_new(log_shift);
	struct target t;
	u32 round, faults = 0;
	int err;

	for (round = 0; round < 400; round++) {
		mark_some(p);
		some_range(size, &first, &n);
		memset(&t, 0, sizeof(t));
		shim_user_accesses = rnd(rnd(4) ? 10 : 200);
		err = report(p, &t, first, n, shift);
		shim_user_accesses = -1;
		CHECK(!err || err == -EFAULT, "%d", err);
		faults += err < 0;
		check_nothing_lost(p, &t, first, n, size);
	}
	CHECK(faults > 30, "only %u faults", faults);
	plain_free(p);
}

TAP_TEST(faults, 0)
{
	random_faults(12, 12);
	random_faults(21, 12);
	random_faults(16, 12);
	random_faults(12, 16);
	random_faults(12, 21);
}

/* More words than are collected at once; chunks of 1 GiB. */
TAP_TEST(killed_half_way, 0)
{
	struct vmdev_dirty_range r = { 0, (16ULL << 30) - 1 };
	struct vmdev_dirty *log = vmdev_dirty_alloc(12, &r, 1);
	u64 i, n = 0, pages = 0, words = (16ULL << 30) / UNIT / 64;
	u64 *bitmap = calloc(words, sizeof(u64));

	CHECK(!IS_ERR(log), "%ld", PTR_ERR(log));
	for (i = 0; i < 1600; i++)
		vmdev_dirty_mark(log, i * 10 << 20, 1);
	shim_signal_in = 5;
	CHECK_ERR(vmdev_dirty_report(log, 0, r.last, 12, bitmap, &pages), -EINTR);
	shim_signal_in = -1;
	for (i = 0; i < words; i++)
		n += __builtin_popcountll(bitmap[i]);
	CHECK(n && n < 500, "%llu reported before", n);
	CHECK_IS((long)pages, (long)n);
	CHECK_OK(vmdev_dirty_report(log, 0, r.last, 12, bitmap, &pages));
	for (i = 0, n = 0; i < words; i++)
		n += __builtin_popcountll(bitmap[i]);
	CHECK_IS((long)n, 1600);
	CHECK_IS((long)pages, 1600);
	free(bitmap);
	vmdev_dirty_free(log);
}

TAP_TEST(end_of_memory, 0)
{
	struct vmdev_dirty_range r = { U64_MAX - 0xffff, U64_MAX };
	struct vmdev_dirty *log = vmdev_dirty_alloc(12, &r, 1);
	u64 bitmap = 0;

	CHECK(!IS_ERR(log), "%ld", PTR_ERR(log));
	vmdev_dirty_mark(log, U64_MAX, 1);
	vmdev_dirty_mark(log, r.first, 1);
	CHECK_OK(vmdev_dirty_report(log, r.first, U64_MAX, 12, &bitmap, NULL));
	CHECK(bitmap == 0x8001, "%#llx", bitmap);
	vmdev_dirty_free(log);
}

int main(int argc, char **argv)
{
	const struct tap_config config = { .timeout = 120 };

	(void)argc;
	return tap_run(&config, argv + 1);
}
