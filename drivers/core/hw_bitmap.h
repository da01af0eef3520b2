/* SPDX-License-Identifier: GPL-2.0 */
/* The bitmap in which hardware logs what it wrote. */
#ifndef _VMDEV_HW_BITMAP_H
#define _VMDEV_HW_BITMAP_H

#include <linux/atomic.h>
#include <linux/types.h>

/* What a bit stands for (vmdev_hw_ops.log_start). */
#define VMDEV_HW_BITMAP_SHIFT	12

/* The largest one: for 2 TiB of IOVAs. */
#define VMDEV_HW_BITMAP_MAX	(64ULL << 20)

/**
 * typedef vmdev_hw_bitmap_emit - gets what was written
 * @ctx: as given to vmdev_hw_bitmap_take()
 * @page: first page
 * @n: pages
 */
typedef void vmdev_hw_bitmap_emit(void *ctx, u64 page, u64 n);

u64 vmdev_hw_bitmap_size(u64 last, u64 end);
bool vmdev_hw_bitmap_take(atomic64_t *words, size_t n,
			  vmdev_hw_bitmap_emit *emit, void *ctx);

#endif /* _VMDEV_HW_BITMAP_H */
