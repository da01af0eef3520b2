// SPDX-License-Identifier: GPL-2.0
/*
 * A store in RAM.
 *
 * A page is allocated when it is written first, and freed when all of it is discarded.
 * Who uses one is in an RCU read-side section.
 */
#include <linux/cleanup.h>
#include <linux/highmem.h>
#include <linux/mm.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "blk.h"

static int vmdev_soft_ram_make(struct page **slot, gfp_t gfp)
{
	struct page *page;

	if (READ_ONCE(*slot))
		return 0;
	page = alloc_page(gfp | __GFP_ZERO | __GFP_NOWARN);
	if (!page)
		return -ENOMEM;
	/* Somebody else may have been faster. */
	if (cmpxchg(slot, NULL, page))
		__free_page(page);
	return 0;
}

/* No further than the page; false if there is no page, and one is needed. */
static bool vmdev_soft_ram_copy(struct page **slot, u32 at, void *va, u32 len,
				bool write)
{
	struct page *page = READ_ONCE(*slot);

	if (write && !page)
		return false;
	if (write)
		memcpy(page_address(page) + at, va, len);
	else if (page)
		memcpy(va, page_address(page) + at, len);
	else
		memset(va, 0, len);
	return true;
}

/**
 * vmdev_soft_blk_ram_copy() - a small request
 * @store: RAM
 * @cursor: where the driver's data is
 * @write: to @store, else from there
 * @offset: in @store
 * @len: bytes; all of it is within @store
 *
 * Context: softirq; the maps_lock of the device held.
 * Return: whether it was done; if not, whoever may sleep has to do it again.
 */
bool vmdev_soft_blk_ram_copy(struct vmdev_soft_blk_store *store,
			     struct vmdev_soft_blk_cursor *cursor, bool write,
			     u64 offset, u32 len)
{
	guard(rcu)();
	while (len) {
		struct page **slot = &store->pages[offset >> PAGE_SHIFT];
		u32 n = min_t(u32, len, PAGE_SIZE - offset_in_page(offset));
		void *va = vmdev_soft_blk_next(cursor, &n);

		if (!va || (write && vmdev_soft_ram_make(slot, GFP_NOWAIT)) ||
		    !vmdev_soft_ram_copy(slot, offset_in_page(offset), va, n, write))
			return false;
		offset += n;
		len -= n;
	}
	return true;
}

/* A page may be discarded between make and copy: once more. */
static int vmdev_soft_ram_bytes(struct page **slot, u32 at, void *va, u32 len,
				bool write)
{
	bool copied;
	int err;

	do {
		err = write ? vmdev_soft_ram_make(slot, GFP_NOIO) : 0;
		if (err)
			return err;
		rcu_read_lock();
		copied = vmdev_soft_ram_copy(slot, at, va, len, write);
		rcu_read_unlock();
	} while (!copied);
	return 0;
}

static int vmdev_soft_ram_rw(struct vmdev_soft_blk_store *store, bool write, u64 offset,
			     struct bio_vec *bvecs, unsigned int n, u32 bytes)
{
	unsigned int i;
	int err = 0;

	for (i = 0; i < n && !err; i++) {
		void *va = page_address(bvecs[i].bv_page) + bvecs[i].bv_offset;
		u32 left = bvecs[i].bv_len;

		while (left && !err) {
			u32 len = min_t(u32, left, PAGE_SIZE - offset_in_page(offset));

			err = vmdev_soft_ram_bytes(&store->pages[offset >> PAGE_SHIFT],
						   offset_in_page(offset), va, len, write);
			va += len;
			offset += len;
			left -= len;
		}
		cond_resched();
	}
	return err;
}

static int vmdev_soft_ram_flush(struct vmdev_soft_blk_store *store)
{
	return 0;
}

static void vmdev_soft_ram_clear(struct page **slot, u32 at, u32 len)
{
	struct page *page;

	guard(rcu)();
	page = READ_ONCE(*slot);
	if (page)
		memset(page_address(page) + at, 0, len);
}

static void vmdev_soft_ram_free(struct list_head *pages)
{
	struct page *page, *next;

	if (list_empty(pages))
		return;
	synchronize_rcu();
	list_for_each_entry_safe(page, next, pages, lru) {
		list_del(&page->lru);
		__free_page(page);
	}
}

static int vmdev_soft_ram_zero(struct vmdev_soft_blk_store *store, u64 sector, u32 n,
			       bool unmap)
{
	u64 at = sector << SECTOR_SHIFT, end = (sector + n) << SECTOR_SHIFT;
	struct page *page;
	LIST_HEAD(pages);

	while (at < end) {
		struct page **slot = &store->pages[at >> PAGE_SHIFT];
		u32 len = min_t(u64, end - at, PAGE_SIZE - offset_in_page(at));

		if (!unmap || len < PAGE_SIZE) {
			vmdev_soft_ram_clear(slot, offset_in_page(at), len);
		} else {
			page = xchg(slot, NULL);
			if (page)
				list_add(&page->lru, &pages);
		}
		at += len;
		cond_resched();
	}
	vmdev_soft_ram_free(&pages);
	return 0;
}

static int vmdev_soft_ram_discard(struct vmdev_soft_blk_store *store, u64 sector, u32 n)
{
	return vmdev_soft_ram_zero(store, sector, n, true);
}

static u64 vmdev_soft_ram_pages(u64 size)
{
	return DIV_ROUND_UP_ULL(size, PAGE_SIZE);
}

static void vmdev_soft_ram_close(struct vmdev_soft_blk_store *store)
{
	u64 i, n = vmdev_soft_ram_pages(store->sectors << SECTOR_SHIFT);

	for (i = 0; i < n; i++) {
		if (store->pages[i])
			__free_page(store->pages[i]);
		cond_resched();
	}
	vfree(store->pages);
}

static const struct vmdev_soft_blk_store_ops vmdev_soft_ram_ops = {
	.rw = vmdev_soft_ram_rw,
	.flush = vmdev_soft_ram_flush,
	.discard = vmdev_soft_ram_discard,
	.zero = vmdev_soft_ram_zero,
	.close = vmdev_soft_ram_close,
};

/**
 * vmdev_soft_blk_ram_open() - a store in RAM
 * @store: zeroed
 * @size: bytes, a multiple of a sector
 *
 * Context: may sleep.
 * Return: 0 or -ENOMEM.
 */
int vmdev_soft_blk_ram_open(struct vmdev_soft_blk_store *store, u64 size)
{
	u64 n = vmdev_soft_ram_pages(size);

	/* No more than there could ever be. */
	if (n > totalram_pages())
		return -ENOMEM;
	store->pages = vzalloc(array_size(n, sizeof(*store->pages)));
	if (!store->pages)
		return -ENOMEM;
	store->ops = &vmdev_soft_ram_ops;
	store->sectors = size >> SECTOR_SHIFT;
	store->block = SECTOR_SIZE;
	store->physical = PAGE_SIZE;
	return 0;
}
