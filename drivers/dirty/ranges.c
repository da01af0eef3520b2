// SPDX-License-Identifier: GPL-2.0
/*
 * From the ranges that user space wants to the log that it gets.
 *
 * A log that were too large is made with larger pages. Ranges may then share a
 * page, and are one range from there on: more is logged than was asked for, and
 * nobody asks.
 */
#include <linux/bits.h>
#include <linux/err.h>
#include <linux/log2.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/sort.h>

#include "vmdev_dirty.h"

static int vmdev_dirty_range_cmp(const void *a, const void *b)
{
	const struct vmdev_dirty_range *left = a, *right = b;

	if (left->first == right->first)
		return 0;
	return left->first < right->first ? -1 : 1;
}

/* Stores first and last of each, in ascending order. */
static int vmdev_dirty_ranges_check(struct vmdev_dirty_range *ranges,
				    const struct vmdev_dirty_iova_range *wanted,
				    unsigned int n, u64 page_size)
{
	unsigned int i;

	for (i = 0; i < n; i++) {
		u64 first = wanted[i].iova, length = wanted[i].length;

		if (!length || !IS_ALIGNED(first | length, page_size))
			return -EINVAL;
		if (first + (length - 1) < first)
			return -EOVERFLOW;
		ranges[i].first = first;
		ranges[i].last = first + (length - 1);
	}

	sort(ranges, n, sizeof(*ranges), vmdev_dirty_range_cmp, NULL);
	for (i = 1; i < n; i++)
		if (ranges[i].first <= ranges[i - 1].last)
			return -EINVAL;
	return 0;
}

/* Makes one of those that share a page, or touch. Returns how many are left. */
static unsigned int vmdev_dirty_ranges_merge(struct vmdev_dirty_range *ranges,
					     unsigned int n, unsigned int shift)
{
	unsigned int i, kept = 0;

	for (i = 1; i < n; i++) {
		u64 end = ranges[kept].last >> shift;

		if (ranges[i].first >> shift <= end + 1)
			ranges[kept].last = ranges[i].last;
		else
			ranges[++kept] = ranges[i];
	}
	return kept + 1;
}

/**
 * vmdev_dirty_negotiate() - a log of these ranges, with the pages that suit best
 * @page_size: what is wanted, bytes; stores what became of it
 * @wanted: the ranges
 * @n: how many
 *
 * Context: may sleep.
 * Return: the log; -EINVAL, -EOVERFLOW or -E2BIG, as VMDEV_DIRTY_START has them;
 * -ENOMEM.
 */
struct vmdev_dirty *
vmdev_dirty_negotiate(u64 *page_size,
		      const struct vmdev_dirty_iova_range *wanted,
		      unsigned int n)
{
	struct vmdev_dirty *log = ERR_PTR(-E2BIG);
	struct vmdev_dirty_range *ranges;
	unsigned int shift;
	int err;

	if (!n || !is_power_of_2(*page_size))
		return ERR_PTR(-EINVAL);
	if (n > VMDEV_DIRTY_RANGES_MAX)
		return ERR_PTR(-E2BIG);

	ranges = kvmalloc_array(n, sizeof(*ranges), GFP_KERNEL);
	if (!ranges)
		return ERR_PTR(-ENOMEM);

	shift = clamp_t(unsigned int, ilog2(*page_size), VMDEV_DIRTY_SHIFT_MIN,
			VMDEV_DIRTY_SHIFT_MAX);
	err = vmdev_dirty_ranges_check(ranges, wanted, n, BIT_ULL(shift));
	if (err)
		log = ERR_PTR(err);

	for (; !err && shift <= VMDEV_DIRTY_SHIFT_MAX; shift++) {
		n = vmdev_dirty_ranges_merge(ranges, n, shift);
		log = vmdev_dirty_alloc(shift, ranges, n);
		if (log != ERR_PTR(-E2BIG))
			break;
	}
	kvfree(ranges);
	if (!IS_ERR(log))
		*page_size = BIT_ULL(shift);
	return log;
}
