/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _SHIM_LINUX_SLAB_H
#define _SHIM_LINUX_SLAB_H

#include <linux/types.h>

static inline void *kzalloc(size_t size, gfp_t gfp)
{
	return calloc(1, size);
}

static inline void *kmalloc(size_t size, gfp_t gfp)
{
	return malloc(size);
}

static inline void *kcalloc(size_t n, size_t size, gfp_t gfp)
{
	return calloc(n, size);
}

static inline void *krealloc_array(void *p, size_t n, size_t size, gfp_t gfp)
{
	return reallocarray(p, n, size);
}

#define kzalloc_obj(obj, gfp)	((typeof(obj) *)calloc(1, sizeof(obj)))
#define kvzalloc_obj(obj, gfp)	kvzalloc(sizeof(obj), gfp)
#define kmalloc_obj(obj, gfp)	((typeof(obj) *)malloc(sizeof(obj)))

static inline void kfree(const void *p)
{
	free((void *)p);
}

#endif
