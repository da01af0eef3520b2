/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Memory: a physical address is the pointer as a number. Only pages that were
 * allocated here are valid ones, and the sanitizer sees who leaves them.
 */
#ifndef _SHIM_LINUX_MM_H
#define _SHIM_LINUX_MM_H

#include <linux/types.h>

#define PAGE_SHIFT		12
#define PAGE_SIZE		(1UL << PAGE_SHIFT)
#define PAGE_MASK		(~(PAGE_SIZE - 1))
#define PHYS_PFN(pa)		((unsigned long)((pa) >> PAGE_SHIFT))
#define offset_in_page(pa)	((unsigned long)(pa) & (PAGE_SIZE - 1))
#define virt_to_phys(p)		((u64)(uintptr_t)(p))
#define PFN_PHYS(pfn)		((u64)(pfn) << PAGE_SHIFT)
#define phys_to_virt(pa)	((void *)(uintptr_t)(pa))

struct page;

#define SHIM_PAGES	32

/* Of all files of a program. */
unsigned long shim_pages[SHIM_PAGES] __attribute__((weak));

/* Gives the slot of a page, or of none. */
static inline unsigned long *shim_page(unsigned long page)
{
	int i;

	for (i = 0; i < SHIM_PAGES; i++)
		if (shim_pages[i] == page)
			return &shim_pages[i];
	return NULL;
}

static inline unsigned long get_zeroed_page(gfp_t gfp)
{
	unsigned long *slot = shim_page(0);

	if (!slot)
		return 0;
	*slot = (unsigned long)aligned_alloc(PAGE_SIZE, PAGE_SIZE);
	memset((void *)*slot, 0, PAGE_SIZE);
	return *slot;
}

static inline void free_page(unsigned long page)
{
	unsigned long *slot = shim_page(page);

	if (!page || !slot)
		abort();
	free((void *)page);
	*slot = 0;
}

/* As memory goes these are one page; the sanitizer sees where they end. */
static inline void *alloc_pages_exact(size_t size, gfp_t gfp)
{
	unsigned long *slot = shim_page(0);

	if (!slot)
		return NULL;
	*slot = (unsigned long)aligned_alloc(PAGE_SIZE, size);
	return memset((void *)*slot, 0, size);
}

static inline void free_pages_exact(void *va, size_t size)
{
	free_page((unsigned long)va);
}

/* Pages of vmalloc() follow one another, and are all in one piece. */
#define __vmalloc(size, gfp)	alloc_pages_exact(size, gfp)
#define vfree(va)		free_page((unsigned long)(va))
#define vmalloc_to_pfn(va)	PHYS_PFN((uintptr_t)(va))

static inline bool pfn_valid(unsigned long pfn)
{
	return pfn && shim_page(pfn << PAGE_SHIFT);
}

static inline struct page *pfn_to_page(unsigned long pfn)
{
	return (struct page *)(pfn << PAGE_SHIFT);
}

static inline void *kmap_local_page(struct page *page)
{
	return page;
}

static inline void kunmap_local(void *va)
{
}

static inline void memcpy_to_page(struct page *page, size_t offset,
				  const void *from, size_t len)
{
	memcpy((char *)page + offset, from, len);
}

#define VM_MAP		0
#define PAGE_KERNEL	0
#define PAGE_KERNEL_RO	0
#define PageReserved(page)	false
#define get_page(page)		((void)(page))
#define put_page(page)		((void)(page))
#define set_page_dirty_lock(page)	((void)(page))

/* Pages are where they are: one, or such as follow one another. */
static inline void *vmap(struct page **pages, unsigned int n, unsigned long flags, int prot)
{
	unsigned int i;

	for (i = 1; i < n; i++)
		if ((char *)pages[i] != (char *)pages[0] + i * PAGE_SIZE)
			return NULL;
	return pages[0];
}

static inline void vunmap(const void *va)
{
}

static inline void *kvmalloc_array(size_t n, size_t size, gfp_t gfp)
{
	return calloc(n, size);
}

static inline void *kvzalloc(size_t size, unsigned int gfp)
{
	return calloc(1, size);
}

#define kvcalloc		kvmalloc_array

static inline void kvfree(void *p)
{
	free(p);
}

#endif
