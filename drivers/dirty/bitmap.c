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

#include <vmdev/dirty.h>

/**
 * struct vmdev_dirty_area - the bits of one range
 * @first: its first IOVA, of a page
 * @last: its last IOVA, of a page
 * @words: a bit for each page
 * @sum: a bit for each of @words
 * @seen: for each of @sum, vmdev_dirty.all as it was when its pages were made
 *	dirty for it last; harvests only, which do not meet
 */
struct vmdev_dirty_area {
	u64 first;
	u64 last;
	atomic64_t *words;
	atomic64_t *sum;
	u64 *seen;
};

/**
 * struct vmdev_dirty - a log
 * @shift: page size
 * @n: length of @areas
 * @all: how often everything was marked
 * @hot: the largest of them, where most writes go
 * @areas: in ascending order, apart from each other
 */
struct vmdev_dirty {
	unsigned int shift;
	unsigned int n;
	atomic64_t all;
	struct vmdev_dirty_area *hot;
	struct vmdev_dirty_area areas[];
};

static u64 vmdev_dirty_nwords(const struct vmdev_dirty *dirty,
			      const struct vmdev_dirty_area *area)
{
	return (((area->last - area->first) >> dirty->shift) >> 6) + 1;
}

static u64 vmdev_dirty_nsums(const struct vmdev_dirty *dirty,
			     const struct vmdev_dirty_area *area)
{
	return ((vmdev_dirty_nwords(dirty, area) - 1) >> 6) + 1;
}

/* Its pages, and what they cost in bytes; @area's bounds are widened to pages. */
static int vmdev_dirty_area_init(const struct vmdev_dirty *dirty,
				 struct vmdev_dirty_area *area,
				 const struct vmdev_dirty_range *range,
				 u64 *bytes)
{
	u64 page = (1ULL << dirty->shift) - 1;

	if (range->first > range->last)
		return -EINVAL;

	area->first = range->first & ~page;
	area->last = range->last | page;
	if (area != dirty->areas && area->first <= area[-1].last)
		return -EINVAL;

	*bytes += 8 * (vmdev_dirty_nwords(dirty, area) +
		       2 * vmdev_dirty_nsums(dirty, area));
	return *bytes > VMDEV_DIRTY_BYTES_MAX ? -E2BIG : 0;
}

static int vmdev_dirty_area_alloc(struct vmdev_dirty *dirty,
				  struct vmdev_dirty_area *area)
{
	u64 words = vmdev_dirty_nwords(dirty, area);
	u64 sums = vmdev_dirty_nsums(dirty, area);

	area->words = kvcalloc(words, sizeof(*area->words), GFP_KERNEL_ACCOUNT);
	area->sum = kvcalloc(sums, sizeof(*area->sum), GFP_KERNEL_ACCOUNT);
	area->seen = kvcalloc(sums, sizeof(*area->seen), GFP_KERNEL_ACCOUNT);
	if (!area->words || !area->sum || !area->seen)
		return -ENOMEM;

	if (!dirty->hot || words > vmdev_dirty_nwords(dirty, dirty->hot))
		dirty->hot = area;
	return 0;
}

/**
 * vmdev_dirty_free() - the reverse of vmdev_dirty_alloc()
 * @dirty: a log that nobody marks, or NULL
 */
void vmdev_dirty_free(struct vmdev_dirty *dirty)
{
	unsigned int i;

	if (!dirty)
		return;

	for (i = 0; i < dirty->n; i++) {
		kvfree(dirty->areas[i].words);
		kvfree(dirty->areas[i].sum);
		kvfree(dirty->areas[i].seen);
	}
	kvfree(dirty);
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
	struct vmdev_dirty *dirty;
	unsigned int i;
	u64 bytes = 0;
	int err = 0;

	if (shift < VMDEV_DIRTY_SHIFT_MIN || shift > VMDEV_DIRTY_SHIFT_MAX ||
	    !n || n > VMDEV_DIRTY_RANGES_MAX)
		return ERR_PTR(-EINVAL);

	dirty = kvzalloc(struct_size(dirty, areas, n), GFP_KERNEL_ACCOUNT);
	if (!dirty)
		return ERR_PTR(-ENOMEM);

	dirty->shift = shift;
	dirty->n = n;
	for (i = 0; i < n && !err; i++)
		err = vmdev_dirty_area_init(dirty, &dirty->areas[i], &ranges[i],
					    &bytes);
	for (i = 0; i < n && !err; i++)
		err = vmdev_dirty_area_alloc(dirty, &dirty->areas[i]);
	if (!err)
		return dirty;

	vmdev_dirty_free(dirty);
	return ERR_PTR(err);
}

static void vmdev_dirty_set(atomic64_t *word, u64 bits)
{
	/* What was written, or the bit below this one, before the look. */
	smp_mb();
	if ((atomic64_read(word) & bits) != bits)
		atomic64_or(bits, word);
}

static void vmdev_dirty_set_word(struct vmdev_dirty_area *area, u64 word,
				 u64 bits)
{
	vmdev_dirty_set(&area->words[word], bits);
	/* Also if it was set: whoever did so may not have come this far yet. */
	vmdev_dirty_set(&area->sum[word >> 6], BIT_ULL(word & 63));
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

static void vmdev_dirty_mark_area(const struct vmdev_dirty *dirty,
				  struct vmdev_dirty_area *area, u64 iova,
				  u64 last)
{
	u64 first = (max(iova, area->first) - area->first) >> dirty->shift;
	u64 end = (min(last, area->last) - area->first) >> dirty->shift;
	u64 word;

	for (word = first >> 6; word <= end >> 6; word++)
		vmdev_dirty_set_word(area, word,
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
	struct vmdev_dirty_area *hot = dirty->hot;
	u64 at = iova - hot->first;
	u64 page = at >> dirty->shift;

	/* Most writes are within one page of the largest range. */
	if (likely(at <= hot->last - hot->first &&
		   len - 1 < 1ULL << dirty->shift &&
		   (at + len - 1) >> dirty->shift == page))
		vmdev_dirty_set_word(hot, page >> 6, BIT_ULL(page & 63));
	else
		vmdev_dirty_mark_slow(dirty, iova, len);
}
EXPORT_SYMBOL_GPL(vmdev_dirty_mark);

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
	const struct vmdev_dirty *dirty;
	struct vmdev_dirty_area *area;
	u64 all;
	u64 first;
	u64 last;
	vmdev_dirty_emit *emit;
	void *ctx;
};

/*
 * Everything was marked: so are these 64 words. Plain writes will do beside
 * markers, who set bits too, and are the only others.
 */
static void vmdev_dirty_expand(const struct vmdev_dirty_take *take, u64 index)
{
	struct vmdev_dirty_area *area = take->area;
	u64 end = (area->last - area->first) >> take->dirty->shift;
	u64 word, last = min(index << 6 | 63, end >> 6);

	area->seen[index] = take->all;
	for (word = index << 6; word <= last; word++)
		atomic64_set(&area->words[word],
			     vmdev_dirty_part(word, 0, end));
	atomic64_set(&area->sum[index], vmdev_dirty_part(index, 0, end >> 6));
}

static int vmdev_dirty_take_word(const struct vmdev_dirty_take *take, u64 word)
{
	struct vmdev_dirty_area *area = take->area;
	u64 mask = vmdev_dirty_part(word, take->first, take->last);
	u64 bits;
	int err;

	bits = atomic64_fetch_andnot(mask, &area->words[word]);
	/* The summary said yes to pages outside of what was asked for, too. */
	if (bits & ~mask)
		vmdev_dirty_set(&area->sum[word >> 6], BIT_ULL(word & 63));
	bits &= mask;
	if (!bits)
		return 0;

	err = take->emit(take->ctx,
			 area->first + (word << 6 << take->dirty->shift), bits);
	if (err)
		vmdev_dirty_set_word(area, word, bits);
	return err;
}

static int vmdev_dirty_take_sum(const struct vmdev_dirty_take *take, u64 index)
{
	u64 mask = vmdev_dirty_part(index, take->first >> 6, take->last >> 6);
	atomic64_t *sum = &take->area->sum[index];
	u64 bits;
	int err;

	if (unlikely(take->area->seen[index] != take->all))
		vmdev_dirty_expand(take, index);
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
	struct vmdev_dirty_area *area;
	u64 index;
	int err;

	if (last < iova)
		return -EINVAL;

	/* A mark whose call returned before is seen. */
	smp_mb();
	take.all = atomic64_read(&dirty->all);
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
