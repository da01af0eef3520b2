/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _SHIM_LINUX_BITOPS_H
#define _SHIM_LINUX_BITOPS_H

#include <linux/types.h>

static inline bool test_bit(unsigned long n, const unsigned long *bits)
{
	return READ_ONCE(bits[n / 64]) >> (n % 64) & 1;
}

#endif
