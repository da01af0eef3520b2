// SPDX-License-Identifier: GPL-2.0
/*
 * The bitmap in which hardware logs what it wrote: how large, and what is in it.
 *
 * Bits count pages from IOVA 0, so its size follows the highest IOVA that may be
 * written. Example: memory up to 0x1_3fff_ffff is 0x14_0000 pages, 160 KiB of bits.
 *
 * It is read while the device sets bits. A word is taken by an exchange with 0: what was
 * set before is reported now, what is set later is there the next time. It does no harm
 * if the device reads, changes and writes what is around a bit, and is overtaken: then
 * bits that were taken come back.
 *
 * Pure: selftests/unit builds it in user space.
 */
#include <linux/bitops.h>
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/sched.h>

#include "hw_bitmap.h"

/* Words between two looks at whether somebody else should run. */
#define VMDEV_HW_BITMAP_CHUNK	4096

/* Words that are looked at together, as most are 0: a cache line. */
#define VMDEV_HW_BITMAP_GROUP	8

/**
 * vmdev_hw_bitmap_size() - bytes that a bitmap needs
 * @last: highest IOVA that is to have a bit
 * @end: IOVA from which on none has, above @last
 *
 * Whole pages if there is room: what is mapped later may have its bit, too.
 *
 * Return: bytes, a multiple of 8 unless @end is none of 256 KiB; 0 if it were too large.
 */
u64 vmdev_hw_bitmap_size(u64 last, u64 end)
{
	u64 most = (end >> VMDEV_HW_BITMAP_SHIFT) / 64 * sizeof(u64);
	u64 need = ((last >> VMDEV_HW_BITMAP_SHIFT) / 64 + 1) * sizeof(u64);
	u64 size = min(ALIGN(need, PAGE_SIZE), max(need, most));

	return size <= VMDEV_HW_BITMAP_MAX ? size : 0;
}

/* Pages that follow one another; none if both are the same. */
struct vmdev_hw_bitmap_run {
	u64 page;
	u64 end;
	vmdev_hw_bitmap_emit *emit;
	void *ctx;
};

static void vmdev_hw_bitmap_flush(const struct vmdev_hw_bitmap_run *run)
{
	if (run->page != run->end)
		run->emit(run->ctx, run->page, run->end - run->page);
}

static void vmdev_hw_bitmap_word(struct vmdev_hw_bitmap_run *run, u64 page,
				 u64 bits)
{
	while (bits) {
		unsigned int at = __ffs64(bits);
		u64 rest = ~(bits >> at);
		unsigned int n = rest ? __ffs64(rest) : 64;

		if (page + at != run->end) {
			vmdev_hw_bitmap_flush(run);
			run->page = page + at;
		}
		run->end = page + at + n;
		bits = at + n < 64 ? bits & (U64_MAX << (at + n)) : 0;
	}
}

static s64 vmdev_hw_bitmap_four(const atomic64_t *words)
{
	return atomic64_read(&words[0]) | atomic64_read(&words[1]) |
	       atomic64_read(&words[2]) | atomic64_read(&words[3]);
}

static bool vmdev_hw_bitmap_none(const atomic64_t *words, size_t n)
{
	return n >= VMDEV_HW_BITMAP_GROUP &&
	       !(vmdev_hw_bitmap_four(words) | vmdev_hw_bitmap_four(words + 4));
}

/**
 * vmdev_hw_bitmap_take() - what was written since it was asked last?
 * @words: the bitmap
 * @n: its length in words
 * @emit: called for pages that were, in runs as long as they are, in ascending order
 * @ctx: its first argument
 *
 * Context: may sleep. The caller serialises.
 * Return: whether any was.
 */
bool vmdev_hw_bitmap_take(atomic64_t *words, size_t n,
			  vmdev_hw_bitmap_emit *emit, void *ctx)
{
	struct vmdev_hw_bitmap_run run = { .emit = emit, .ctx = ctx };
	size_t i;

	for (i = 0; i < n; i++) {
		if (!(i % VMDEV_HW_BITMAP_CHUNK))
			cond_resched();
		if (!(i % VMDEV_HW_BITMAP_GROUP) &&
		    vmdev_hw_bitmap_none(&words[i], n - i)) {
			i += VMDEV_HW_BITMAP_GROUP - 1;
			continue;
		}
		if (!atomic64_read(&words[i]))
			continue;
		vmdev_hw_bitmap_word(&run, (u64)i * 64,
				     le64_to_cpu((__force __le64)atomic64_xchg(&words[i], 0)));
	}
	vmdev_hw_bitmap_flush(&run);
	return run.end;
}
