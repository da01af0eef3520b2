/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _SHIM_LINUX_BITMAP_H
#define _SHIM_LINUX_BITMAP_H

#include <linux/bitops.h>
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

#define DECLARE_BITMAP(name, bits) \
	unsigned long name[((bits) + BITS_PER_LONG - 1) / BITS_PER_LONG]

static inline void bitmap_zero(unsigned long *bitmap, unsigned int bits)
{
	memset(bitmap, 0, (bits + BITS_PER_LONG - 1) / BITS_PER_LONG * sizeof(long));
}

static inline void __set_bit(unsigned long nr, unsigned long *addr)
{
	addr[nr / BITS_PER_LONG] |= 1UL << nr % BITS_PER_LONG;
}

static inline void __clear_bit(unsigned long nr, unsigned long *addr)
{
	addr[nr / BITS_PER_LONG] &= ~(1UL << nr % BITS_PER_LONG);
}

static inline unsigned long find_next_bit(const unsigned long *addr, unsigned long bits,
					  unsigned long from)
{
	while (from < bits && !test_bit(from, addr))
		from++;
	return from;
}

#define find_first_bit(addr, bits)	find_next_bit(addr, bits, 0)

#define for_each_set_bit(bit, addr, bits)					\
	for ((bit) = find_first_bit(addr, bits); (bit) < (bits);		\
	     (bit) = find_next_bit(addr, bits, (bit) + 1))

#endif
