/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Pages that are mapped are held.
 *
 * Who maps memory of user space has it pinned. But vhost unpins what it is about to unmap, and
 * only then calls: whoever has vmdev_parent.lock just then, and may have to wait for hardware,
 * goes on with pages that would be somebody else's. So each folio is held once for each mapping,
 * and stays what it is until neither hardware nor software can reach it.
 */
#ifndef _VMDEV_CORE_PAGES_H
#define _VMDEV_CORE_PAGES_H

#include <linux/mm.h>

int vmdev_pages_hold_many(unsigned long pfn, unsigned long end);
void vmdev_pages_let_go_many(unsigned long pfn, unsigned long end);

/**
 * vmdev_page_hold() - hold a page
 * @page: pinned by the caller, so nobody can let go meanwhile
 *
 * Context: any.
 * Return: false if nobody has it.
 */
static __always_inline bool vmdev_page_hold(struct page *page)
{
	struct folio *folio = page_folio(page);

	if (unlikely(folio_ref_count(folio) <= 0))
		return false;
	folio_get(folio);
	return true;
}

/**
 * vmdev_pages_hold() - hold memory that is about to be mapped
 * @pa: first physical address; pinned by the caller
 * @size: bytes
 *
 * One page is quick: those of a large guest may be mapped one by one.
 *
 * Context: may sleep.
 * Return: 0; -EFAULT if nobody has those pages.
 */
static __always_inline int vmdev_pages_hold(u64 pa, u64 size)
{
	unsigned long pfn = PHYS_PFN(pa), last = PHYS_PFN(pa + size - 1);

	if (pfn != last)
		return vmdev_pages_hold_many(pfn, last + 1);
	return likely(vmdev_page_hold(pfn_to_page(pfn))) ? 0 : -EFAULT;
}

/**
 * vmdev_pages_let_go() - the reverse of vmdev_pages_hold()
 * @pa: as there
 * @size: as there
 *
 * Context: may sleep. Neither hardware nor software reaches them any more.
 */
static __always_inline void vmdev_pages_let_go(u64 pa, u64 size)
{
	unsigned long pfn = PHYS_PFN(pa), last = PHYS_PFN(pa + size - 1);

	if (pfn != last)
		vmdev_pages_let_go_many(pfn, last + 1);
	else
		folio_put(page_folio(pfn_to_page(pfn)));
}

#endif /* _VMDEV_CORE_PAGES_H */
