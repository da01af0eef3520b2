/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _SHIM_LINUX_MM_H
#define _SHIM_LINUX_MM_H

#include <linux/types.h>

static inline void *kvmalloc_array(size_t n, size_t size, unsigned int gfp)
{
	return calloc(n, size);
}

static inline void kvfree(void *p)
{
	free(p);
}

#endif
