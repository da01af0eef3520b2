/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _SHIM_LINUX_MM_H
#define _SHIM_LINUX_MM_H

#include <linux/types.h>

static inline void *kvmalloc_array(size_t n, size_t size, unsigned int gfp)
{
	return calloc(n, size);
}

static inline void *kvzalloc(size_t size, unsigned int gfp)
{
	return calloc(1, size);
}

#define kvcalloc		kvmalloc_array
#define struct_size(p, member, n)	(sizeof(*(p)) + (n) * sizeof((p)->member[0]))

static inline void kvfree(void *p)
{
	free(p);
}

#endif
