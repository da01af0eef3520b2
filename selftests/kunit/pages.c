// SPDX-License-Identifier: GPL-2.0
/* Pages that are mapped are held (drivers/core/pages.c). */
#include <linux/gfp.h>

#include "kunit.h"

#include "../../drivers/core/pages.c"

#define ORDER	3
#define PAGES	BIT(ORDER)

static u64 pa_of(struct page *page, unsigned int i)
{
	return PFN_PHYS(page_to_pfn(page) + i);
}

static void free_folio(void *page)
{
	__free_pages(page, ORDER);
}

static void free_each(void *page)
{
	unsigned int i;

	for (i = 0; i < PAGES; i++)
		__free_page((struct page *)page + i);
}

/* All of one folio, or folios in a row. */
static struct page *pages(struct kunit *test, bool compound)
{
	struct page *page = alloc_pages(GFP_KERNEL | (compound ? __GFP_COMP : 0), ORDER);

	KUNIT_ASSERT_NOT_NULL(test, page);
	if (!compound)
		split_page(page, ORDER);
	KUNIT_ASSERT_EQ(test, kunit_add_action_or_reset(test, compound ? free_folio : free_each,
							page), 0);
	return page;
}

static void expect_counts(struct kunit *test, struct page *page, unsigned int first,
			  unsigned int n, int more)
{
	unsigned int i;

	for (i = 0; i < PAGES; i++)
		KUNIT_EXPECT_EQ(test, page_ref_count(page + i),
				i >= first && i < first + n ? 1 + more : 1);
}

static void pages_one(struct kunit *test)
{
	struct page *page = pages(test, false);

	KUNIT_EXPECT_EQ(test, vmdev_pages_hold(pa_of(page, 2), PAGE_SIZE), 0);
	expect_counts(test, page, 2, 1, 1);
	KUNIT_EXPECT_EQ(test, vmdev_pages_hold(pa_of(page, 2), PAGE_SIZE), 0);
	expect_counts(test, page, 2, 1, 2);
	vmdev_pages_let_go(pa_of(page, 2), PAGE_SIZE);
	vmdev_pages_let_go(pa_of(page, 2), PAGE_SIZE);
	expect_counts(test, page, 0, 0, 0);
}

static void pages_in_a_row(struct kunit *test)
{
	struct page *page = pages(test, false);

	KUNIT_EXPECT_EQ(test, vmdev_pages_hold(pa_of(page, 1), (PAGES - 2) * PAGE_SIZE), 0);
	expect_counts(test, page, 1, PAGES - 2, 1);
	vmdev_pages_let_go(pa_of(page, 1), (PAGES - 2) * PAGE_SIZE);
	expect_counts(test, page, 0, 0, 0);
}

/* Whatever part of a folio is mapped, it counts once for each mapping. */
static void pages_of_a_folio(struct kunit *test)
{
	struct page *page = pages(test, true);

	KUNIT_EXPECT_EQ(test, vmdev_pages_hold(pa_of(page, 3), PAGE_SIZE), 0);
	KUNIT_EXPECT_EQ(test, folio_ref_count(page_folio(page)), 2);
	KUNIT_EXPECT_EQ(test, vmdev_pages_hold(pa_of(page, 1), (PAGES - 1) * PAGE_SIZE), 0);
	KUNIT_EXPECT_EQ(test, folio_ref_count(page_folio(page)), 3);
	KUNIT_EXPECT_EQ(test, vmdev_pages_hold(pa_of(page, 0), PAGES * PAGE_SIZE), 0);
	KUNIT_EXPECT_EQ(test, folio_ref_count(page_folio(page)), 4);
	vmdev_pages_let_go(pa_of(page, 0), PAGES * PAGE_SIZE);
	vmdev_pages_let_go(pa_of(page, 1), (PAGES - 1) * PAGE_SIZE);
	vmdev_pages_let_go(pa_of(page, 3), PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, folio_ref_count(page_folio(page)), 1);
}

/* They outlive who had them. */
static void pages_outlive(struct kunit *test)
{
	struct page *page = alloc_page(GFP_KERNEL);
	u64 pa;

	KUNIT_ASSERT_NOT_NULL(test, page);
	pa = pa_of(page, 0);
	KUNIT_EXPECT_EQ(test, vmdev_pages_hold(pa, PAGE_SIZE), 0);
	__free_page(page);
	KUNIT_EXPECT_EQ(test, page_ref_count(page), 1);
	vmdev_pages_let_go(pa, PAGE_SIZE);
}

/* A row in which one is nobody's: none is held. */
static void pages_of_nobody(struct kunit *test)
{
	struct page *page = pages(test, false);

	page_ref_dec(page + 5);
	KUNIT_EXPECT_EQ(test, vmdev_pages_hold(pa_of(page, 5), PAGE_SIZE), -EFAULT);
	KUNIT_EXPECT_EQ(test, vmdev_pages_hold(pa_of(page, 4), 3 * PAGE_SIZE), -EFAULT);
	page_ref_inc(page + 5);
	expect_counts(test, page, 0, 0, 0);
}

static struct kunit_case pages_cases[] = {
	KUNIT_CASE(pages_one),
	KUNIT_CASE(pages_in_a_row),
	KUNIT_CASE(pages_of_a_folio),
	KUNIT_CASE(pages_outlive),
	KUNIT_CASE(pages_of_nobody),
	{ }
};

VMDEV_SUITE(vmdev_pages, pages_cases);
