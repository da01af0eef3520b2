// SPDX-License-Identifier: GPL-2.0
/*
 * The dirty log's bits; vmdev/dirty.h tells how it works.
 */
#include <linux/atomic.h>
#include <linux/bitops.h>
#include <linux/err.h>
#include <linux/export.h>
#include <linux/limits.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/slab.h>

#include "vmdev_dirty.h"

/**
 * struct vmdev_dirty_area - one range
 * @first: its first IOVA, of a page
 * @last: its last IOVA, of a page
 * @word: the word of its first page, the first one that a bit of the summary's
 *	own words stands for
 */
struct vmdev_dirty_area {
	u64 first;
	u64 last;
	u64 word;
};

static u64 vmdev_dirty_nwords(const struct vmdev_dirty_area *area,
			      unsigned int shift)
{
	return (((area->last - area->first) >> shift) >> 6) + 1;
}

/* Its pages, all of them; @area's bounds are widened to pages. */
static int vmdev_dirty_area_init(struct vmdev_dirty_area *area,
				 const struct vmdev_dirty_range *range,
				 unsigned int shift)
{
	u64 page = (1ULL << shift) - 1;

	if (range->first > range->last)
		return -EINVAL;

	area->first = range->first & ~page;
	area->last = range->last | page;
	return 0;
}

/* The largest one's words are the first: nothing has to be added to its pages. */
static u64 vmdev_dirty_areas_place(struct vmdev_dirty_area *areas,
				   unsigned int n, unsigned int shift,
				   unsigned int *largest)
{
	u64 words = 0;
	unsigned int i;

	*largest = 0;
	for (i = 1; i < n; i++)
		if (areas[i].last - areas[i].first >
		    areas[*largest].last - areas[*largest].first)
			*largest = i;

	words = ALIGN(vmdev_dirty_nwords(&areas[*largest], shift), 64);
	areas[*largest].word = 0;
	for (i = 0; i < n; i++) {
		if (i == *largest)
			continue;
		areas[i].word = words;
		words += ALIGN(vmdev_dirty_nwords(&areas[i], shift), 64);
	}
	return words;
}

/**
 * vmdev_dirty_free() - the reverse of vmdev_dirty_alloc()
 * @dirty: a log that nobody marks, or NULL
 */
void vmdev_dirty_free(struct vmdev_dirty *dirty)
{
	if (!dirty)
		return;

	kvfree(dirty->areas);
	kvfree(dirty->seen);
	kvfree(dirty->sum);
	kvfree(dirty);
}

/* Memory for areas that were placed. */
static struct vmdev_dirty *vmdev_dirty_create(struct vmdev_dirty_area *areas,
					      u64 nwords)
{
	u64 sums = nwords >> 6;
	struct vmdev_dirty *dirty;

	if (8 * (nwords + 2 * sums) > VMDEV_DIRTY_BYTES_MAX)
		return ERR_PTR(-E2BIG);

	dirty = kvzalloc(struct_size(dirty, words, nwords), GFP_KERNEL_ACCOUNT);
	if (!dirty)
		return ERR_PTR(-ENOMEM);

	dirty->sum = kvcalloc(sums, sizeof(*dirty->sum), GFP_KERNEL_ACCOUNT);
	dirty->seen = kvcalloc(sums, sizeof(*dirty->seen), GFP_KERNEL_ACCOUNT);
	if (!dirty->sum || !dirty->seen) {
		vmdev_dirty_free(dirty);
		return ERR_PTR(-ENOMEM);
	}
	dirty->areas = areas;
	dirty->nwords = nwords;
	return dirty;
}

/**
 * vmdev_dirty_alloc() - a log in which nothing is dirty
 * @shift: page size, VMDEV_DIRTY_SHIFT_MIN to VMDEV_DIRTY_SHIFT_MAX
 * @ranges: in ascending order; not two of them in one page
 * @n: how many, 1 to VMDEV_DIRTY_RANGES_MAX
 *
 * Context: may sleep. The memory is accounted to the caller's control group.
 * Return: the log; -EINVAL; -E2BIG if it took more than VMDEV_DIRTY_BYTES_MAX,
 * where larger pages may help; -ENOMEM.
 */
struct vmdev_dirty *vmdev_dirty_alloc(unsigned int shift,
				      const struct vmdev_dirty_range *ranges,
				      unsigned int n)
{
	struct vmdev_dirty_area *areas;
	struct vmdev_dirty *dirty;
	unsigned int i, largest;
	int err = 0;

	if (shift < VMDEV_DIRTY_SHIFT_MIN || shift > VMDEV_DIRTY_SHIFT_MAX ||
	    !n || n > VMDEV_DIRTY_RANGES_MAX)
		return ERR_PTR(-EINVAL);

	areas = kvcalloc(n, sizeof(*areas), GFP_KERNEL_ACCOUNT);
	if (!areas)
		return ERR_PTR(-ENOMEM);

	for (i = 0; i < n && !err; i++) {
		err = vmdev_dirty_area_init(&areas[i], &ranges[i], shift);
		if (!err && i && areas[i].first <= areas[i - 1].last)
			err = -EINVAL;
	}
	dirty = err ? ERR_PTR(err) :
		vmdev_dirty_create(areas, vmdev_dirty_areas_place(areas, n, shift,
								  &largest));
	if (IS_ERR(dirty)) {
		kvfree(areas);
		return dirty;
	}

	dirty->shift = shift;
	dirty->n = n;
	dirty->first = areas[largest].first;
	dirty->pages = ((areas[largest].last - areas[largest].first) >> shift) + 1;
	return dirty;
}

static void vmdev_dirty_set(atomic64_t *word, u64 bits)
{
	/* What was written, or the bit below this one, before the look. */
	smp_mb();
	if ((atomic64_read(word) & bits) != bits)
		atomic64_or(bits, word);
}

static void vmdev_dirty_set_word(struct vmdev_dirty *dirty, u64 word, u64 bits)
{
	vmdev_dirty_set(&dirty->words[word], bits);
	/* Also if it was set: whoever did so may not have come this far yet. */
	vmdev_dirty_set(&dirty->sum[word >> 6], BIT_ULL(word & 63));
}

/* Bits @from to @to of a word, both within. */
static u64 vmdev_dirty_mask(unsigned int from, unsigned int to)
{
	return (U64_MAX << from) & (U64_MAX >> (63 - to));
}

/* Bits of word @word that stand for pages @first to @last. */
static u64 vmdev_dirty_part(u64 word, u64 first, u64 last)
{
	return vmdev_dirty_mask(word == first >> 6 ? first & 63 : 0,
				word == last >> 6 ? last & 63 : 63);
}

static void vmdev_dirty_mark_area(struct vmdev_dirty *dirty,
				  const struct vmdev_dirty_area *area, u64 iova,
				  u64 last)
{
	u64 first = (max(iova, area->first) - area->first) >> dirty->shift;
	u64 end = (min(last, area->last) - area->first) >> dirty->shift;
	u64 word;

	for (word = first >> 6; word <= end >> 6; word++)
		vmdev_dirty_set_word(dirty, area->word + word,
				     vmdev_dirty_part(word, first, end));
}

/* The first area that does not end before @iova, or the end of all. */
static struct vmdev_dirty_area *vmdev_dirty_find(struct vmdev_dirty *dirty,
						 u64 iova)
{
	unsigned int low = 0, high = dirty->n;

	while (low < high) {
		unsigned int mid = (low + high) / 2;

		if (dirty->areas[mid].last < iova)
			low = mid + 1;
		else
			high = mid;
	}
	return &dirty->areas[low];
}

/**
 * vmdev_dirty_extent() - what is logged
 * @dirty: the log
 * @info: gets @page_size, @first, @last, @bytes and @ranges, and nothing in the rest
 *
 * Context: any.
 */
void vmdev_dirty_extent(const struct vmdev_dirty *dirty,
			struct vmdev_dirty_log_info *info)
{
	unsigned int i;

	*info = (struct vmdev_dirty_log_info) {
		.page_size = 1ULL << dirty->shift,
		.first = dirty->areas[0].first,
		.last = dirty->areas[dirty->n - 1].last,
		.ranges = dirty->n,
	};
	for (i = 0; i < dirty->n; i++)
		info->bytes += dirty->areas[i].last - dirty->areas[i].first + 1;
}

/**
 * vmdev_dirty_shift() - page size of a log
 * @dirty: the log
 *
 * Context: any.
 * Return: the page size as a shift.
 */
unsigned int vmdev_dirty_shift(const struct vmdev_dirty *dirty)
{
	return dirty->shift;
}

/**
 * vmdev_dirty_covers() - are writes to all of these IOVAs logged?
 * @dirty: the log
 * @iova: first IOVA
 * @last: last IOVA, not less than @iova
 *
 * Context: any.
 */
bool vmdev_dirty_covers(struct vmdev_dirty *dirty, u64 iova, u64 last)
{
	struct vmdev_dirty_area *area = vmdev_dirty_find(dirty, iova);

	for (; area < dirty->areas + dirty->n && area->first <= iova; area++) {
		if (area->last >= last)
			return true;
		iova = area->last + 1;
	}
	return false;
}

static void vmdev_dirty_mark_slow(struct vmdev_dirty *dirty, u64 iova, u64 len)
{
	u64 last = iova + len - 1;
	struct vmdev_dirty_area *area;

	if (!len)
		return;
	if (last < iova)
		last = U64_MAX;

	for (area = vmdev_dirty_find(dirty, iova);
	     area < dirty->areas + dirty->n && area->first <= last; area++)
		vmdev_dirty_mark_area(dirty, area, iova, last);
}

/**
 * vmdev_dirty_mark() - memory was written
 * @dirty: the log
 * @iova: first IOVA
 * @len: bytes
 *
 * After the write, never before: a harvest between would take the mark away
 * from a write that is still to come. What is not in a range of the log is
 * nobody's business.
 *
 * Context: any.
 */
void vmdev_dirty_mark(struct vmdev_dirty *dirty, u64 iova, u64 len)
{
	u64 at = iova - dirty->first;
	u64 page = at >> dirty->shift;

	/* Most writes are within one page of the largest range. */
	if (likely(page < dirty->pages && len - 1 < 1ULL << dirty->shift &&
		   (at + len - 1) >> dirty->shift == page))
		vmdev_dirty_set_word(dirty, page >> 6, BIT_ULL(page & 63));
	else
		vmdev_dirty_mark_slow(dirty, iova, len);
}
EXPORT_SYMBOL_GPL(vmdev_dirty_mark);

/**
 * vmdev_dirty_mark_pages() - what vmdev_dirty_mark_dma() leaves
 * @dirty: the log
 * @page: first page, counted from the largest range's first one, around the end
 *	of memory
 * @end: last page, likewise: less than 4 GiB on, or else nothing is marked
 *
 * Context: any.
 */
void vmdev_dirty_mark_pages(struct vmdev_dirty *dirty, u64 page, u64 end)
{
	unsigned int shift = dirty->shift;
	u64 more, word;

	if (likely(page == end && end < dirty->pages)) {
		vmdev_dirty_set_word(dirty, page >> 6, BIT_ULL(page & 63));
		return;
	}
	if (page <= end && end < dirty->pages) {
		for (word = page >> 6; word <= end >> 6; word++)
			vmdev_dirty_set_word(dirty, word,
					     vmdev_dirty_part(word, page, end));
		return;
	}

	more = (end - page) & (U64_MAX >> shift);
	if (more << shift <= 1ULL << 32)
		vmdev_dirty_mark_slow(dirty, dirty->first + (page << shift),
				      (more + 1) << shift);
}
EXPORT_SYMBOL_GPL(vmdev_dirty_mark_pages);

/**
 * vmdev_dirty_mark_all() - whatever it is, it was written
 * @dirty: the log
 *
 * Costs the same whatever the size of the log: harvests do the work.
 *
 * Context: any.
 */
void vmdev_dirty_mark_all(struct vmdev_dirty *dirty)
{
	/* What was written before the number that says so. */
	smp_mb();
	atomic64_inc(&dirty->all);
}
EXPORT_SYMBOL_GPL(vmdev_dirty_mark_all);

/* Part of a harvest: pages @first to @last of an area; @all as it began. */
struct vmdev_dirty_take {
	struct vmdev_dirty *dirty;
	const struct vmdev_dirty_area *area;
	u64 all;
	u64 first;
	u64 last;
	vmdev_dirty_emit *emit;
	void *ctx;
};

/*
 * Everything was marked: so are these 64 words of an area. Plain writes will do
 * beside markers, who set bits too, and are the only others.
 */
static void vmdev_dirty_expand(struct vmdev_dirty *dirty,
			       const struct vmdev_dirty_area *area, u64 index,
			       u64 all)
{
	u64 end = (area->last - area->first) >> dirty->shift;
	u64 word, last = min(index << 6 | 63, end >> 6);
	u64 sum = (area->word >> 6) + index;

	if (likely(dirty->seen[sum] == all))
		return;

	dirty->seen[sum] = all;
	for (word = index << 6; word <= last; word++)
		atomic64_set(&dirty->words[area->word + word],
			     vmdev_dirty_part(word, 0, end));
	atomic64_set(&dirty->sum[sum], vmdev_dirty_part(index, 0, end >> 6));
}

static int vmdev_dirty_take_word(const struct vmdev_dirty_take *take, u64 word)
{
	u64 mask = vmdev_dirty_part(word, take->first, take->last);
	const struct vmdev_dirty_area *area = take->area;
	struct vmdev_dirty *dirty = take->dirty;
	u64 bits, at = area->word + word;
	int err;

	bits = atomic64_fetch_andnot(mask, &dirty->words[at]);
	/* The summary said yes to pages outside of what was asked for, too. */
	if (bits & ~mask)
		vmdev_dirty_set(&dirty->sum[at >> 6], BIT_ULL(at & 63));
	bits &= mask;
	if (!bits)
		return 0;

	err = take->emit(take->ctx, area->first + (word << 6 << dirty->shift),
			 bits);
	if (err)
		vmdev_dirty_set_word(dirty, at, bits);
	return err;
}

static int vmdev_dirty_take_sum(const struct vmdev_dirty_take *take, u64 index)
{
	u64 mask = vmdev_dirty_part(index, take->first >> 6, take->last >> 6);
	atomic64_t *sum = &take->dirty->sum[(take->area->word >> 6) + index];
	u64 bits;
	int err;

	vmdev_dirty_expand(take->dirty, take->area, index, take->all);
	if (!(atomic64_read(sum) & mask))
		return 0;

	for (bits = atomic64_fetch_andnot(mask, sum) & mask; bits;
	     bits &= bits - 1) {
		err = vmdev_dirty_take_word(take, (index << 6) + __ffs64(bits));
		if (err) {
			/* Those not looked at yet, and that one: still to do. */
			atomic64_or(bits, sum);
			return err;
		}
	}
	return 0;
}

static u64 vmdev_dirty_begin(const struct vmdev_dirty *dirty)
{
	/* A mark whose call returned before is seen. */
	smp_mb();
	return atomic64_read(&dirty->all);
}

/**
 * vmdev_dirty_harvest() - what was written since it was asked last?
 * @dirty: the log
 * @iova: first IOVA
 * @last: last IOVA
 * @emit: called for all dirty pages that touch @iova to @last and are in a
 *	range, in ascending order; they are clean then
 * @ctx: its first argument
 *
 * Context: as @emit. The caller serialises harvests of one log.
 * Return: 0, or what @emit said.
 */
int vmdev_dirty_harvest(struct vmdev_dirty *dirty, u64 iova, u64 last,
			vmdev_dirty_emit *emit, void *ctx)
{
	struct vmdev_dirty_take take = {
		.dirty = dirty, .emit = emit, .ctx = ctx,
	};
	const struct vmdev_dirty_area *area;
	u64 index;
	int err;

	if (last < iova)
		return -EINVAL;

	take.all = vmdev_dirty_begin(dirty);
	for (area = vmdev_dirty_find(dirty, iova);
	     area < dirty->areas + dirty->n && area->first <= last; area++) {
		take.area = area;
		take.first = (max(iova, area->first) - area->first) >> dirty->shift;
		take.last = (min(last, area->last) - area->first) >> dirty->shift;
		for (index = take.first >> 12; index <= take.last >> 12; index++) {
			err = vmdev_dirty_take_sum(&take, index);
			if (err)
				return err;
		}
	}
	return 0;
}

/**
 * vmdev_dirty_whole() - IOVAs of which all that a part of the summary stands for
 * is asked for
 * @dirty: the log
 * @iova: first IOVA
 * @last: last IOVA
 * @whole: the first run of such words of the summary, all of one range
 *
 * For harvests that do without vmdev_dirty_harvest(): by the words of @dirty->sum
 * that @whole tells, and those of @dirty->words which they stand for. What
 * vmdev_dirty_mark_all() promised is in them.
 *
 * Context: any. The caller serialises harvests of one log.
 * Return: whether there are any.
 */
bool vmdev_dirty_whole(struct vmdev_dirty *dirty, u64 iova, u64 last,
		       struct vmdev_dirty_whole *whole)
{
	const struct vmdev_dirty_area *area = vmdev_dirty_find(dirty, iova);
	u64 all, first, end, index, unit = dirty->shift + 12;

	if (area == dirty->areas + dirty->n || area->first > last)
		return false;

	/* Behind the end of the range are no pages to ask for. */
	first = iova <= area->first ? 0 :
		((iova - area->first - 1) >> unit) + 1;
	end = last >= area->last ? ((area->last - area->first) >> unit) + 1 :
	      (last - area->first + 1) >> unit;
	if (first >= end)
		return false;

	all = vmdev_dirty_begin(dirty);
	for (index = first; all && index < end; index++)
		vmdev_dirty_expand(dirty, area, index, all);
	whole->sum = (area->word >> 6) + first;
	whole->n = end - first;
	whole->iova = area->first + (first << unit);
	whole->last = area->first + min(area->last - area->first, (end << unit) - 1);
	return true;
}
