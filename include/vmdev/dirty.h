/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Which pages of an address space were written?
 *
 * A log has a bit for each page of the ranges that it was made for, and above
 * that a summary: a bit for each 64 pages, set if any of theirs may be. So a
 * terabyte in which little was written is read without walking its 32 MiB.
 *
 * Example: 4 KiB pages, a range from 0x100000 on. A write at 0x145678 is page
 * 0x45 = 69 of the range: bit 69 % 64 = 5 of word 1, and bit 1 of the summary.
 *
 * Marking takes no lock, in any context, by any number at a time, and beside one
 * harvest. The one promise: a page that was written before vmdev_dirty_mark() was
 * called is in each harvest that starts after that call returned, or was in one
 * before, and what is read from the page after that harvest holds the write. Why:
 *
 * - A marker sets the page's bit, then looks at the summary's; a harvester takes
 *   the summary's bit, then the page's. Both with full barriers between. Either
 *   the harvester sees the page, or the marker sees that the summary's bit is
 *   not there and sets it for the next harvest.
 * - A marker that finds the page marked leaves it, and only sees to the summary:
 *   whoever harvests that mark does so later, and so reads the page later.
 * - vmdev_dirty_mark_all() only counts. A harvest looks at that number once, when
 *   it starts, then sets the bits of each 4096 pages for which it has moved since
 *   they were looked at last, before it takes them. Pages that it does not come by
 *   are left to a later one, which finds the number moved as well.
 *
 * Pure, and so free of all but types and bits: selftests/unit builds it in user
 * space.
 */
#ifndef _VMDEV_DIRTY_H
#define _VMDEV_DIRTY_H

#include <linux/atomic.h>
#include <linux/bitops.h>
#include <linux/compiler.h>
#include <linux/types.h>

struct vmdev_dirty_area;

/* Page sizes that a log can have, as shifts: 4 KiB to 2 MiB. */
#define VMDEV_DIRTY_SHIFT_MIN	12
#define VMDEV_DIRTY_SHIFT_MAX	21

/* Ranges of a log, and bytes of memory that it may take. */
#define VMDEV_DIRTY_RANGES_MAX	512
#define VMDEV_DIRTY_BYTES_MAX	(256ULL << 20)

/**
 * struct vmdev_dirty_range - a range of IOVAs
 * @first: first IOVA
 * @last: last IOVA
 */
struct vmdev_dirty_range {
	u64 first;
	u64 last;
};

/**
 * typedef vmdev_dirty_emit - gets what was dirty
 * @ctx: as given to vmdev_dirty_harvest()
 * @iova: IOVA of the page of bit 0
 * @bits: a bit for each of 64 pages, at least one of them set
 *
 * Return: 0, or an error, which ends the harvest: the pages stay dirty.
 */
typedef int vmdev_dirty_emit(void *ctx, u64 iova, u64 bits);

/**
 * struct vmdev_dirty - a log
 * @first: first IOVA of the largest range, where most writes go
 * @pages: how many it has; those of bits 0 on
 * @shift: page size
 * @n: length of @areas
 * @all: how often everything was marked
 * @areas: the ranges in ascending order, apart from each other
 * @nwords: length of @words
 * @seen: for each of @sum, @all as it was when its pages were made dirty for it
 *	last; harvests only, which do not meet
 * @sum: a bit for each of @words
 * @words: a bit for each page
 *
 * Only for those who mark: all else goes through functions.
 */
struct vmdev_dirty {
	u64 first;
	u64 pages;
	unsigned int shift;
	unsigned int n;
	atomic64_t all;
	struct vmdev_dirty_area *areas;
	u64 nwords;
	u64 *seen;
	atomic64_t *sum;
	atomic64_t words[];
};

struct vmdev_dirty *vmdev_dirty_alloc(unsigned int shift,
				      const struct vmdev_dirty_range *ranges,
				      unsigned int n);
void vmdev_dirty_free(struct vmdev_dirty *dirty);
unsigned int vmdev_dirty_shift(const struct vmdev_dirty *dirty);
bool vmdev_dirty_covers(struct vmdev_dirty *dirty, u64 iova, u64 last);
void vmdev_dirty_mark(struct vmdev_dirty *dirty, u64 iova, u64 len);
void vmdev_dirty_mark_pages(struct vmdev_dirty *dirty, u64 page, u64 end);
void vmdev_dirty_mark_all(struct vmdev_dirty *dirty);
int vmdev_dirty_harvest(struct vmdev_dirty *dirty, u64 iova, u64 last,
			vmdev_dirty_emit *emit, void *ctx);

static inline bool vmdev_dirty_test(const atomic64_t *bits, u64 n)
{
#if BITS_PER_LONG == 64
	return test_bit(n, (const unsigned long *)bits);
#else
	return atomic64_read(&bits[n >> 6]) & BIT_ULL(n & 63);
#endif
}

/**
 * vmdev_dirty_mark_dma() - as vmdev_dirty_mark(), for what hardware wrote
 * @dirty: the log
 * @iova: first IOVA
 * @len: bytes; none may mark a page or not
 *
 * After it was seen that it was written (dma_rmb()): then it is in memory for all
 * to see. So to find the page marked it takes no more than to look, at the page
 * first and at the summary then. Most writes are within one page of the largest
 * range, or two of one word of it; that nothing wraps around follows from @len
 * being of 32 bits.
 *
 * Context: any.
 */
static inline void vmdev_dirty_mark_dma(struct vmdev_dirty *dirty, u64 iova,
					u32 len)
{
	u64 at = iova - dirty->first;
	u64 end = (at + len - 1) >> dirty->shift;
	u64 page = at >> dirty->shift;

	/* The caller's look, which saw that it was written, before ours. */
	smp_rmb();
	if (page != end &&
	    (page + 1 != end || !(end & 63) || end >= dirty->pages ||
	     !vmdev_dirty_test(dirty->words, end)))
		goto mark;
	if (unlikely(page >= dirty->pages ||
		     !vmdev_dirty_test(dirty->words, page)))
		goto mark;
	/* As above: who set it may not have come this far yet. */
	smp_rmb();
	if (unlikely(!vmdev_dirty_test(dirty->sum, end >> 6)))
		vmdev_dirty_mark_pages(dirty, page, page);
	return;
mark:
	vmdev_dirty_mark_pages(dirty, page, end);
}

/**
 * struct vmdev_dirty_ops - what the core does for a device's log
 *
 * All may sleep. They are called one at a time for a device, never with a lock
 * held under which user memory is touched or may be, and never after
 * vmdev_dirty_dev_del() returned.
 *
 * @start: from its return on, every write of the device to address space @asid
 *	is marked in @log. On error nobody uses @log
 * @sync: what the device wrote before the call is marked when it returns: what
 *	hardware logged is fetched, what was completed is marked. An error ends a
 *	report before it read anything
 * @stop: the reverse of @start. Nobody uses the log once it returned
 */
struct vmdev_dirty_ops {
	int (*start)(void *priv, unsigned int asid, struct vmdev_dirty *log);
	int (*sync)(void *priv, unsigned int asid);
	void (*stop)(void *priv, unsigned int asid);
};

struct device;
struct vmdev_dirty_dev;

/* TASK_COMM_LEN, which is not for user space. */
#define VMDEV_DIRTY_HOLDER_LEN	16

/**
 * struct vmdev_dirty_log_info - a log that somebody has started
 * @page_size: bytes
 * @first: first IOVA of its first range
 * @last: last IOVA of its last range
 * @bytes: how much is logged
 * @ranges: how many
 * @reports: how often it was read
 * @holder: who started it, a command
 * @holder_pid: its process id in the first namespace
 */
struct vmdev_dirty_log_info {
	u64 page_size;
	u64 first;
	u64 last;
	u64 bytes;
	u32 ranges;
	u64 reports;
	char holder[VMDEV_DIRTY_HOLDER_LEN];
	int holder_pid;
};

/* Address spaces that a device can have. */
#define VMDEV_DIRTY_NAS_MAX	64

struct vmdev_dirty_dev *vmdev_dirty_dev_add(struct device *dev,
					    const struct vmdev_dirty_ops *ops,
					    void *priv, unsigned int nas);
void vmdev_dirty_dev_del(struct vmdev_dirty_dev *ddev);
bool vmdev_dirty_dev_log(struct vmdev_dirty_dev *ddev, unsigned int asid,
			 struct vmdev_dirty_log_info *info);

#endif /* _VMDEV_DIRTY_H */
