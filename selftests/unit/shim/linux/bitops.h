/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _SHIM_LINUX_BITOPS_H
#define _SHIM_LINUX_BITOPS_H

#include <linux/bits.h>
#include <linux/types.h>

#define likely(x)	__builtin_expect(!!(x), 1)

static inline unsigned int __ffs64(u64 v)
{
	return __builtin_ctzll(v);
}

#endif
