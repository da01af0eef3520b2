/* SPDX-License-Identifier: GPL-2.0 */
/* What the pure parts of the drivers need of the kernel, in user space. */
#ifndef _SHIM_LINUX_TYPES_H
#define _SHIM_LINUX_TYPES_H

#include_next <linux/types.h>
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

typedef __u8 u8;
typedef __u16 u16;
typedef __u32 u32;
typedef __u64 u64;

#define GFP_KERNEL	0
#define GFP_KERNEL_ACCOUNT	0
#define BITS_PER_LONG	(8 * sizeof(long))

#endif
