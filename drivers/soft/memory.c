// SPDX-License-Identifier: GPL-2.0
/* Memory of a driver, by IOVA. */
#include <linux/dma-direct.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/vmalloc.h>

#include "vmdev_soft.h"

/**
 * vmdev_soft_va_slow() - as vmdev_soft_va(), for what the hint does not know
 * @soft: the device
 * @hint: gets what is found
 * @iova: the IOVA
 * @perm: VHOST_ACCESS_RO to read it, VHOST_ACCESS_WO to write it
 * @len: bytes wanted; set to those that are there in one piece
 *
 * Memory that is in one piece for the device is so for us: all of it is RAM, and has
 * been mapped since boot.
 *
 * Context: any; @soft->maps_lock held as long as the address is used.
 * Return: NULL if the driver has no such memory.
 */
void *vmdev_soft_va_slow(struct vmdev_soft *soft, struct vmdev_soft_hint *hint,
			 u64 iova, u32 perm, u32 *len)
{
	struct vmdev_map *map;
	phys_addr_t pa;

	if (!soft->attached) {
		/*
		 * Of a driver on this host, whom we trust: what the platform adds to an
		 * address for a device that nothing translates for is taken off again.
		 */
		pa = dma_to_phys(soft->hw.dev, iova);
		*len = min_t(u64, *len, PAGE_SIZE - offset_in_page(iova));
		return pfn_valid(PHYS_PFN(pa)) ? phys_to_virt(pa) : NULL;
	}

	map = vmdev_maps_first(&soft->maps, iova, iova);
	if (!map || !(map->perm & perm))
		return NULL;
	*hint = (struct vmdev_soft_hint) {
		.first = map->first,
		.last = map->last,
		.va = phys_to_virt(map->pa),
		.perm = map->perm,
		.changes = soft->changes,
	};
	*len = min_t(u64, *len, map->last - iova + 1);
	return hint->va + (iova - map->first);
}

static int vmdev_soft_copy(struct vmdev_soft *soft, u64 iova, void *buf, u32 len,
			   u32 perm)
{
	struct vmdev_soft_hint hint = { 0 };
	int err = 0;

	read_lock_bh(&soft->maps_lock);
	while (len && !err) {
		u32 n = len;
		void *va = vmdev_soft_va(soft, &hint, iova, perm, &n);

		if (!va)
			err = -EFAULT;
		else if (perm == VHOST_ACCESS_WO)
			memcpy(va, buf, n);
		else
			memcpy(buf, va, n);
		iova += n;
		buf += n;
		len -= n;
	}
	read_unlock_bh(&soft->maps_lock);
	return err;
}

/**
 * vmdev_soft_read() - read memory of the driver
 * @soft: the device
 * @iova: where
 * @buf: to here
 * @len: bytes
 *
 * Context: process or softirq.
 * Return: 0 or -EFAULT.
 */
int vmdev_soft_read(struct vmdev_soft *soft, u64 iova, void *buf, u32 len)
{
	return vmdev_soft_copy(soft, iova, buf, len, VHOST_ACCESS_RO);
}

/**
 * vmdev_soft_write() - write memory of the driver
 * @soft: the device
 * @iova: where
 * @buf: what
 * @len: bytes
 *
 * Context: process or softirq.
 * Return: 0 or -EFAULT.
 */
int vmdev_soft_write(struct vmdev_soft *soft, u64 iova, const void *buf, u32 len)
{
	return vmdev_soft_copy(soft, iova, (void *)buf, len, VHOST_ACCESS_WO);
}

/**
 * vmdev_soft_area_put() - the reverse of vmdev_soft_area_get(), whatever became of it
 * @area: the area
 *
 * Context: may sleep.
 */
void vmdev_soft_area_put(struct vmdev_soft_area *area)
{
	vunmap(area->va);
	while (area->count--)
		if (area->held)
			put_page(area->pages[area->count]);
	kvfree(area->pages);
	*area = (struct vmdev_soft_area) { 0 };
}

/* Whoever gives physical addresses sees to it that they stay. */
static int vmdev_soft_area_fill(struct vmdev_soft *soft,
				struct vmdev_soft_area *area, u64 page,
				unsigned int n, u32 perm)
{
	struct vmdev_soft_hint hint = { 0 };
	void *va;

	for (; area->count < n; page += PAGE_SIZE) {
		u32 len = PAGE_SIZE;

		va = vmdev_soft_va(soft, &hint, page, perm, &len);
		if (!va)
			return -EFAULT;
		if (area->held)
			get_page(virt_to_page(va));
		area->pages[area->count++] = virt_to_page(va);
	}
	return 0;
}

/**
 * vmdev_soft_area_get() - an area of a ring, in one piece
 * @soft: the device
 * @area: zeroed
 * @iova: where it is
 * @size: bytes
 * @write: it is written, too
 *
 * Context: may sleep.
 * Return: its address, or NULL; vmdev_soft_area_put() either way.
 */
void *vmdev_soft_area_get(struct vmdev_soft *soft, struct vmdev_soft_area *area,
			  u64 iova, size_t size, bool write)
{
	unsigned int n = DIV_ROUND_UP(offset_in_page(iova) + size, PAGE_SIZE);
	int err;

	area->pages = kvcalloc(n, sizeof(*area->pages), GFP_KERNEL);
	if (!area->pages)
		return NULL;
	read_lock_bh(&soft->maps_lock);
	area->held = soft->attached;
	err = vmdev_soft_area_fill(soft, area, iova & PAGE_MASK, n,
				   write ? VHOST_ACCESS_WO : VHOST_ACCESS_RO);
	read_unlock_bh(&soft->maps_lock);
	if (err)
		return NULL;
	area->va = vmap(area->pages, n, VM_MAP, PAGE_KERNEL);
	return area->va ? area->va + offset_in_page(iova) : NULL;
}
