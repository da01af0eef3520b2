/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _SHIM_LINUX_BITMAP_H
#define _SHIM_LINUX_BITMAP_H

#include <linux/types.h>

static inline unsigned long *bitmap_zalloc(unsigned int bits, unsigned int gfp)
{
	return calloc((bits + BITS_PER_LONG - 1) / BITS_PER_LONG, sizeof(long));
}

static inline void bitmap_free(unsigned long *bitmap)
{
	free(bitmap);
}

static inline bool __test_and_set_bit(unsigned long nr, unsigned long *addr)
{
	unsigned long mask = 1UL << (nr % BITS_PER_LONG);
	unsigned long *word = addr + nr / BITS_PER_LONG;
	bool old = *word & mask;

	*word |= mask;
	return old;
}

#endif
