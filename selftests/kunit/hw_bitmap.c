// SPDX-License-Identifier: GPL-2.0
/*
 * The bitmap in which hardware logs what it wrote (drivers/core/hw_bitmap.c). The
 * reference is vmdev_hw_ops.log_start (vmdev/hw.h): bit n % 8 of byte n / 8 is for the
 * page of 4 KiB at IOVA n * 4 KiB.
 */
#include "kunit.h"
#include "../../drivers/core/hw_bitmap.c"

#define P		0x1000ULL
#define MIB		0x100000ULL
#define TIB		0x10000000000ULL
#define END		BIT_ULL(47)

#define BITMAP_WORDS	16
#define BITMAP_RUNS	16

/**
 * struct bitmap_test - a bitmap, and what came out of it
 * @words: the bitmap
 * @page: first page of each run
 * @n: pages of each run
 * @runs: how many
 */
struct bitmap_test {
	atomic64_t words[BITMAP_WORDS];
	u64 page[BITMAP_RUNS];
	u64 n[BITMAP_RUNS];
	unsigned int runs;
};

static void bitmap_emit(void *ctx, u64 page, u64 n)
{
	struct bitmap_test *t = ctx;

	if (t->runs < BITMAP_RUNS) {
		t->page[t->runs] = page;
		t->n[t->runs] = n;
	}
	t->runs++;
}

static bool take_some(struct bitmap_test *t, size_t n)
{
	t->runs = 0;
	return vmdev_hw_bitmap_take(t->words, n, bitmap_emit, t);
}

static bool take(struct bitmap_test *t)
{
	return take_some(t, BITMAP_WORDS);
}

static void set(struct bitmap_test *t, u64 page)
{
	((u8 *)t->words)[page / 8] |= 1 << page % 8;
}

/* A page of bits is for 128 MiB. */
static void bitmap_of_sizes(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, vmdev_hw_bitmap_size(0, END), P);
	KUNIT_EXPECT_EQ(test, vmdev_hw_bitmap_size(128 * MIB - 1, END), P);
	KUNIT_EXPECT_EQ(test, vmdev_hw_bitmap_size(128 * MIB, END), 2 * P);
	KUNIT_EXPECT_EQ(test, vmdev_hw_bitmap_size(0x13fffffff, END), 160 * 1024ULL);
	KUNIT_EXPECT_EQ(test, vmdev_hw_bitmap_size(2 * TIB - 1, END), 64 * MIB);
	KUNIT_EXPECT_EQ(test, vmdev_hw_bitmap_size(2 * TIB, END), 0ULL);
	KUNIT_EXPECT_EQ(test, vmdev_hw_bitmap_size(U64_MAX, 0), 0ULL);
}

/* What is above the guest's memory is the core's own: no bit is for that. */
static void bitmap_ends_below_the_window(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, vmdev_hw_bitmap_size(64 * MIB - 1, 64 * MIB), 2048ULL);
	KUNIT_EXPECT_EQ(test, vmdev_hw_bitmap_size(0, 64 * MIB), 2048ULL);
	KUNIT_EXPECT_EQ(test, vmdev_hw_bitmap_size(0, 256 * 1024), 8ULL);
	/* It has each bit that is asked for, whatever the end is. */
	KUNIT_EXPECT_EQ(test, vmdev_hw_bitmap_size(3 * P, 4 * P), 8ULL);
	KUNIT_EXPECT_EQ(test, vmdev_hw_bitmap_size(3 * P, 0), 8ULL);
}

static void bitmap_of_nothing(struct kunit *test)
{
	struct bitmap_test *t = kunit_kzalloc(test, sizeof(*t), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, t);
	KUNIT_EXPECT_FALSE(test, take(t));
	KUNIT_EXPECT_EQ(test, t->runs, 0);
}

static void bitmap_of_one(struct kunit *test)
{
	static const u64 pages[] = { 0, 1, 7, 8, 63, 64, 65, 511, 1023 };
	struct bitmap_test *t = kunit_kzalloc(test, sizeof(*t), GFP_KERNEL);
	int i;

	KUNIT_ASSERT_NOT_NULL(test, t);
	for (i = 0; i < ARRAY_SIZE(pages); i++) {
		set(t, pages[i]);
		KUNIT_EXPECT_TRUE(test, take(t));
		KUNIT_ASSERT_EQ(test, t->runs, 1);
		KUNIT_EXPECT_EQ(test, t->page[0], pages[i]);
		KUNIT_EXPECT_EQ(test, t->n[0], 1ULL);
		/* It is taken. */
		KUNIT_EXPECT_FALSE(test, take(t));
	}
}

static void expect_run(struct kunit *test, struct bitmap_test *t, u64 first, u64 last)
{
	u64 page;

	for (page = first; page <= last; page++)
		set(t, page);
	KUNIT_EXPECT_TRUE(test, take(t));
	KUNIT_ASSERT_EQ(test, t->runs, 1);
	KUNIT_EXPECT_EQ(test, t->page[0], first);
	KUNIT_EXPECT_EQ(test, t->n[0], last - first + 1);
}

/* As long as they are, across words. */
static void bitmap_of_runs(struct kunit *test)
{
	struct bitmap_test *t = kunit_kzalloc(test, sizeof(*t), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, t);
	expect_run(test, t, 0, 1);
	expect_run(test, t, 0, 63);
	expect_run(test, t, 62, 63);
	expect_run(test, t, 63, 64);
	expect_run(test, t, 5, 64 * BITMAP_WORDS - 1);
	expect_run(test, t, 0, 64 * BITMAP_WORDS - 1);
	expect_run(test, t, 64, 191);
}

static void bitmap_of_several(struct kunit *test)
{
	struct bitmap_test *t = kunit_kzalloc(test, sizeof(*t), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, t);
	set(t, 0);
	set(t, 2);
	set(t, 3);
	set(t, 63);
	set(t, 64);
	set(t, 128);
	set(t, 192);
	set(t, 1023);
	KUNIT_EXPECT_TRUE(test, take(t));
	KUNIT_ASSERT_EQ(test, t->runs, 6);
	KUNIT_EXPECT_EQ(test, t->page[0], 0ULL);
	KUNIT_EXPECT_EQ(test, t->n[0], 1ULL);
	KUNIT_EXPECT_EQ(test, t->page[1], 2ULL);
	KUNIT_EXPECT_EQ(test, t->n[1], 2ULL);
	KUNIT_EXPECT_EQ(test, t->page[2], 63ULL);
	KUNIT_EXPECT_EQ(test, t->n[2], 2ULL);
	KUNIT_EXPECT_EQ(test, t->page[3], 128ULL);
	KUNIT_EXPECT_EQ(test, t->page[4], 192ULL);
	KUNIT_EXPECT_EQ(test, t->page[5], 1023ULL);
	KUNIT_EXPECT_EQ(test, t->n[5], 1ULL);
}

/* Whatever is looked at together: its last word counts, and what is behind it does not. */
static void bitmap_of_any_length(struct kunit *test)
{
	struct bitmap_test *t = kunit_kzalloc(test, sizeof(*t), GFP_KERNEL);
	size_t n;

	KUNIT_ASSERT_NOT_NULL(test, t);
	for (n = 1; n < BITMAP_WORDS; n++) {
		set(t, 64 * n - 1);
		set(t, 64 * n + 1);
		KUNIT_EXPECT_TRUE(test, take_some(t, n));
		KUNIT_ASSERT_EQ(test, t->runs, 1);
		KUNIT_EXPECT_EQ(test, t->page[0], 64ULL * n - 1);
		KUNIT_EXPECT_FALSE(test, take_some(t, n));
		KUNIT_EXPECT_TRUE(test, take(t));
		KUNIT_ASSERT_EQ(test, t->runs, 1);
		KUNIT_EXPECT_EQ(test, t->page[0], 64ULL * n + 1);
	}
}

static struct kunit_case bitmap_cases[] = {
	KUNIT_CASE(bitmap_of_sizes),
	KUNIT_CASE(bitmap_ends_below_the_window),
	KUNIT_CASE(bitmap_of_nothing),
	KUNIT_CASE(bitmap_of_one),
	KUNIT_CASE(bitmap_of_runs),
	KUNIT_CASE(bitmap_of_several),
	KUNIT_CASE(bitmap_of_any_length),
	{}
};

VMDEV_SUITE(vmdev_hw_bitmap, bitmap_cases);
