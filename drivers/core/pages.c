// SPDX-License-Identifier: GPL-2.0
/* Pages that are mapped are held: many of them at once. */
#include <linux/sched.h>

#include "pages.h"

/* Of the folio that a page is in: pages from that one on. */
static unsigned long vmdev_pages_left(struct folio *folio, struct page *page)
{
	return folio_nr_pages(folio) - folio_page_idx(folio, page);
}

/**
 * vmdev_pages_let_go_many() - the reverse of vmdev_pages_hold_many()
 * @pfn: the first
 * @end: the one behind the last
 *
 * Context: may sleep.
 */
void vmdev_pages_let_go_many(unsigned long pfn, unsigned long end)
{
	while (pfn < end) {
		struct page *page = pfn_to_page(pfn);
		struct folio *folio = page_folio(page);

		pfn += vmdev_pages_left(folio, page);
		folio_put(folio);
		cond_resched();
	}
}

/**
 * vmdev_pages_hold_many() - hold the folios of a range, each once
 * @pfn: the first
 * @end: the one behind the last
 *
 * Context: may sleep.
 * Return: 0; -EFAULT if nobody has one of them, and then none is held.
 */
int vmdev_pages_hold_many(unsigned long pfn, unsigned long end)
{
	unsigned long at = pfn;

	while (at < end) {
		struct page *page = pfn_to_page(at);

		if (!vmdev_page_hold(page)) {
			vmdev_pages_let_go_many(pfn, at);
			return -EFAULT;
		}
		at += vmdev_pages_left(page_folio(page), page);
		cond_resched();
	}
	return 0;
}
