// SPDX-License-Identifier: GPL-2.0
/*
 * From the log to a bitmap of user space.
 *
 * The bitmap has a bit for each page of the caller's size, from the first IOVA
 * that he asked for on; the log has words of 64 pages of its own size, which begin
 * where its ranges do. Words of the bitmap are collected in order, and written a
 * batch at a time. What cannot be written is marked again.
 *
 * As a rule pages are as large here as there, and words begin at the same pages:
 * then what 64 words of the log have goes from there to the bitmap without a detour.
 *
 * Example: pages of 4 KiB on both sides, a range of the log that begins at 0, and
 * IOVAs from 0x5000 on are asked for. Page 0x45 = 69, bit 5 of word 1 of the log,
 * is bit 69 - 5 = 64 of the bitmap: bit 0 of its word 1.
 */
#include <linux/bitops.h>
#include <linux/minmax.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/uaccess.h>

#include "vmdev_dirty.h"

/* Words of the bitmap that are written at once. */
#define VMDEV_DIRTY_BATCH	32

/* Pages of the log, as a shift, between two looks at whether this should end. */
#define VMDEV_DIRTY_CHUNK_SHIFT	18

/**
 * struct vmdev_dirty_word - what is to be set in a word of the bitmap
 * @index: which word
 * @bits: which bits
 */
struct vmdev_dirty_word {
	u64 index;
	u64 bits;
};

/**
 * struct vmdev_dirty_sink - a report under way
 * @log: the log
 * @log_shift: its page size
 * @shift: page size of @bitmap
 * @first: first IOVA asked for; bit 0 of @bitmap
 * @last: last IOVA asked for
 * @bitmap: where to
 * @size: bytes of @bitmap
 * @pages: NULL, or counts bits that were set in @bitmap
 * @n: length of @words
 * @words: bits that were taken from the log, and are not in @bitmap yet; in
 *	ascending order
 */
struct vmdev_dirty_sink {
	struct vmdev_dirty *log;
	unsigned int log_shift;
	unsigned int shift;
	u64 first;
	u64 last;
	u64 __user *bitmap;
	u64 size;
	u64 *pages;
	unsigned int n;
	struct vmdev_dirty_word words[VMDEV_DIRTY_BATCH];
};

/* Marks again what is not delivered. */
static void vmdev_dirty_put_back(struct vmdev_dirty_sink *sink,
				 const struct vmdev_dirty_word *word)
{
	u64 bits, page;

	for (bits = word->bits; bits; bits &= bits - 1) {
		page = (word->index << 6) + __ffs64(bits);
		vmdev_dirty_mark(sink->log, sink->first + (page << sink->shift),
				 BIT_ULL(sink->shift));
	}
}

/* No function is called: it may not be. */
static __always_inline u64 vmdev_dirty_weight(u64 bits)
{
	u64 n = 0;

	for (; bits; bits &= bits - 1)
		n++;
	return n;
}

static void vmdev_dirty_count(u64 *pages, const struct vmdev_dirty_word *word,
			      const struct vmdev_dirty_word *end)
{
	for (; word < end; word++)
		*pages += vmdev_dirty_weight(word->bits);
}

/* Nothing is called between begin and end: no function may be. */
static int vmdev_dirty_flush(struct vmdev_dirty_sink *sink)
{
	const struct vmdev_dirty_word *word = sink->words;
	const struct vmdev_dirty_word *end = word + sink->n;
	u64 __user *bitmap = sink->bitmap;
	u64 old;

	sink->n = 0;
	if (word == end)
		return 0;
	if (!user_access_begin(bitmap, sink->size))
		goto put_back;
	for (; word < end; word++) {
		unsafe_get_user(old, bitmap + word->index, fault);
		unsafe_put_user(old | word->bits, bitmap + word->index, fault);
	}
	user_access_end();
	if (unlikely(sink->pages))
		vmdev_dirty_count(sink->pages, sink->words, end);
	return 0;

fault:
	user_access_end();
put_back:
	for (; word < end; word++)
		vmdev_dirty_put_back(sink, word);
	return -EFAULT;
}

static int vmdev_dirty_add(struct vmdev_dirty_sink *sink, u64 index, u64 bits)
{
	int err;

	if (sink->n && sink->words[sink->n - 1].index == index) {
		sink->words[sink->n - 1].bits |= bits;
		return 0;
	}

	if (sink->n == VMDEV_DIRTY_BATCH) {
		err = vmdev_dirty_flush(sink);
		if (err)
			return err;
	}
	sink->words[sink->n++] = (struct vmdev_dirty_word) { index, bits };
	return 0;
}

/* Bits @from to @to of the bitmap. */
static int vmdev_dirty_add_bits(struct vmdev_dirty_sink *sink, u64 from, u64 to)
{
	u64 word, bits;
	int err = 0;

	for (word = from >> 6; word <= to >> 6 && !err; word++) {
		bits = U64_MAX;
		if (word == from >> 6)
			bits &= U64_MAX << (from & 63);
		if (word == to >> 6)
			bits &= U64_MAX >> (63 - (to & 63));
		err = vmdev_dirty_add(sink, word, bits);
	}
	return err;
}

/* Pages are as large here as there: words are only shifted. */
static int vmdev_dirty_emit_same(void *ctx, u64 iova, u64 bits)
{
	struct vmdev_dirty_sink *sink = ctx;
	/* Bit 0 may be of a page before the first that is asked for. */
	s64 at = (s64)(iova - sink->first) >> sink->shift;
	unsigned int by = at & 63;
	u64 low = bits << by, high = by ? bits >> (64 - by) : 0;
	int err = 0;

	if (low)
		err = vmdev_dirty_add(sink, at >> 6, low);
	if (high && !err)
		err = vmdev_dirty_add(sink, (at >> 6) + 1, high);
	return err;
}

static int vmdev_dirty_emit_page(struct vmdev_dirty_sink *sink, u64 page)
{
	u64 end = page + (BIT_ULL(sink->log_shift) - 1);
	u64 from = max(page, sink->first), to = min(end, sink->last);

	/* Whoever asks for the rest of it has to see it, too. */
	if (from != page || to != end)
		vmdev_dirty_mark(sink->log, page, 1);
	return vmdev_dirty_add_bits(sink, (from - sink->first) >> sink->shift,
				    (to - sink->first) >> sink->shift);
}

static int vmdev_dirty_emit_other(void *ctx, u64 iova, u64 bits)
{
	struct vmdev_dirty_sink *sink = ctx;
	int err = 0;

	for (; bits && !err; bits &= bits - 1)
		err = vmdev_dirty_emit_page(sink, iova + ((u64)__ffs64(bits) <<
							  sink->log_shift));
	return err;
}

/*
 * All that a word of the summary stands for, between begin and end: no function
 * may be called there.
 */
static __always_inline int vmdev_dirty_move(atomic64_t *sum, atomic64_t *words,
					    u64 __user *bitmap, u64 *pages)
{
	u64 old, bits, taken;
	unsigned int i;

	for (bits = atomic64_xchg(sum, 0); bits; bits &= bits - 1) {
		i = __builtin_ctzll(bits);
		taken = atomic64_xchg(&words[i], 0);
		unsafe_get_user(old, &bitmap[i], fault);
		unsafe_put_user(old | taken, &bitmap[i], fault);
		if (pages)
			*pages += vmdev_dirty_weight(taken);
	}
	return 0;

fault:
	/* That word and those not looked at yet: still to do. */
	atomic64_or(taken, &words[i]);
	/* The marks before the summary. */
	smp_mb__after_atomic();
	atomic64_or(bits, sum);
	return -EFAULT;
}

static int vmdev_dirty_move_whole(struct vmdev_dirty_sink *sink,
				  const struct vmdev_dirty_whole *whole)
{
	u64 __user *bitmap = sink->bitmap +
			     (((whole->iova - sink->first) >> sink->shift) >> 6);
	atomic64_t *words = &sink->log->words[whole->sum << 6];
	atomic64_t *sum = &sink->log->sum[whole->sum];
	atomic64_t *end = sum + whole->n;
	int err = 0;

	if (!user_access_begin(sink->bitmap, sink->size))
		return -EFAULT;
	for (; sum < end && !err; sum++, words += 64, bitmap += 64) {
		if (!atomic64_read(sum))
			continue;
		/* Once for each: who does not count does not ask for each word. */
		if (likely(!sink->pages))
			err = vmdev_dirty_move(sum, words, bitmap, NULL);
		else
			err = vmdev_dirty_move(sum, words, bitmap, sink->pages);
	}
	user_access_end();
	return err;
}

/* Do words of the log begin where words of the bitmap do? */
static bool vmdev_dirty_is_aligned(const struct vmdev_dirty_sink *sink,
				   const struct vmdev_dirty_whole *whole)
{
	return sink->shift == sink->log_shift &&
	       IS_ALIGNED((whole->iova - sink->first) >> sink->shift, 64);
}

static int vmdev_dirty_report_some(struct vmdev_dirty_sink *sink, u64 from, u64 to)
{
	return vmdev_dirty_harvest(sink->log, from, to,
				   sink->shift == sink->log_shift ?
				   vmdev_dirty_emit_same :
				   vmdev_dirty_emit_other, sink);
}

/* As much of a report as may run without a break. */
static int vmdev_dirty_report_chunk(struct vmdev_dirty_sink *sink, u64 from, u64 to)
{
	struct vmdev_dirty_whole whole;
	int err = 0;

	if (fatal_signal_pending(current))
		return -EINTR;
	cond_resched();

	while (vmdev_dirty_whole(sink->log, from, to, &whole) &&
	       vmdev_dirty_is_aligned(sink, &whole)) {
		if (whole.iova > from)
			err = vmdev_dirty_report_some(sink, from, whole.iova - 1);
		if (!err)
			err = vmdev_dirty_move_whole(sink, &whole);
		if (err || whole.last >= to)
			return err;
		from = whole.last + 1;
	}
	return vmdev_dirty_report_some(sink, from, to);
}

/**
 * vmdev_dirty_report() - move dirty pages from a log to a bitmap of user space
 * @log: the log
 * @iova: first IOVA, a multiple of the bitmap's page size
 * @last: last IOVA, the end of a page of that size; all of it covered by @log
 * @shift: page size of @bitmap, VMDEV_DIRTY_SHIFT_MIN to VMDEV_DIRTY_SHIFT_MAX
 * @bitmap: a bit for each of those pages, aligned to words
 * @pages: NULL, or gets the number of those that were set in @bitmap added
 *
 * Pages that touch the range are reported; they are clean then, unless some of
 * the page is outside.
 *
 * Context: may sleep and touches user memory of the caller, who serialises reports
 * of one log.
 * Return: 0; -EFAULT or -EINTR, with pages that are not in @bitmap still dirty.
 */
int vmdev_dirty_report(struct vmdev_dirty *log, u64 iova, u64 last,
		       unsigned int shift, u64 __user *bitmap, u64 *pages)
{
	struct vmdev_dirty_sink sink = {
		.log = log,
		.log_shift = vmdev_dirty_shift(log),
		.shift = shift,
		.first = iova,
		.last = last,
		.bitmap = bitmap,
		.pages = pages,
		.size = sizeof(u64) * ((((last - iova) >> shift) >> 6) + 1),
	};
	u64 chunk = (BIT_ULL(VMDEV_DIRTY_CHUNK_SHIFT) << sink.log_shift) - 1;
	unsigned int i;
	int err;

	for (;; iova = (iova | chunk) + 1) {
		err = vmdev_dirty_report_chunk(&sink, iova, min(last, iova | chunk));
		if (err || (iova | chunk) >= last)
			break;
	}
	if (!err)
		return vmdev_dirty_flush(&sink);

	for (i = 0; i < sink.n; i++)
		vmdev_dirty_put_back(&sink, &sink.words[i]);
	return err;
}
