// SPDX-License-Identifier: GPL-2.0
/*
 * The memory of a driver's ring, as the kernel sees it: pages of the guest, in
 * any order in memory, made contiguous.
 */
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>
#include <uapi/linux/vhost_types.h>

#include "ring_mem.h"

static void vmdev_ring_put_pages(struct vmdev_ring_pages *part)
{
	unsigned int i;

	for (i = 0; i < part->count; i++) {
		if (part->write)
			set_page_dirty_lock(part->pages[i]);
		put_page(part->pages[i]);
	}
	part->count = 0;
	kvfree(part->pages);
	part->pages = NULL;
}

/*
 * Whoever mapped it had it pinned, but vhost unpins before it unmaps: it may be
 * nobody's by now.
 */
static struct page *vmdev_ring_get_page(const struct vmdev_as *as, u64 iova,
					u32 perm)
{
	struct page *page;
	size_t offset;
	u64 len;

	page = vmdev_as_page(as, iova, perm, &offset, &len);
	if (!page || PageReserved(page) || offset != offset_in_page(iova))
		return NULL;
	return folio_try_get(page_folio(page)) ? page : NULL;
}

static int vmdev_ring_get_pages(const struct vmdev_as *as,
				const struct vmdev_ring_area *area,
				struct vmdev_ring_pages *part)
{
	unsigned int n = DIV_ROUND_UP(offset_in_page(area->iova) + area->len,
				      PAGE_SIZE);
	u64 iova = area->iova;

	part->pages = kvcalloc(n, sizeof(*part->pages), GFP_KERNEL_ACCOUNT);
	if (!part->pages)
		return -ENOMEM;

	while (part->count < n) {
		struct page *page = vmdev_ring_get_page(as, iova, area->perm);

		if (!page)
			return -EFAULT;
		part->pages[part->count++] = page;
		iova = (iova & PAGE_MASK) + PAGE_SIZE;
	}
	return 0;
}

static int vmdev_ring_map_part(struct vmdev_dev *dev, const struct vmdev_as *as,
			       const struct vmdev_ring_area *area,
			       struct vmdev_ring_pages *part)
{
	struct vmdev_map_hint hint = { 0 };
	int err;

	if (!IS_ALIGNED(area->iova, area->align))
		return -EINVAL;
	if (!vmdev_as_covers(as, &hint, area->iova, area->len, area->perm))
		return -EFAULT;

	part->write = area->perm & VHOST_ACCESS_WO;
	err = vmdev_ring_get_pages(as, area, part);
	if (err)
		return err;

	part->va = vmap(part->pages, part->count, VM_MAP,
			part->write ? PAGE_KERNEL : PAGE_KERNEL_RO);
	return part->va ? 0 : -ENOMEM;
}

/**
 * vmdev_ring_mem_map() - make a ring's memory readable as the kernel's own
 * @dev: the device, with features negotiated
 * @asid: address space of the queue
 * @conf: the ring as its driver configured it
 * @mem: filled in; its pointers are good until vmdev_ring_mem_unmap()
 *
 * Areas that the device does not write are mapped read-only.
 *
 * Context: may sleep; vmdev_parent.lock held.
 * Return: 0; -EFAULT if not all of it is mapped as the device needs it, or is
 * not memory; -EINVAL if it is not aligned; -ENOMEM; with a line.
 */
int vmdev_ring_mem_map(struct vmdev_dev *dev, unsigned int asid,
		       const struct vmdev_vq_conf *conf,
		       struct vmdev_ring_mem *mem)
{
	struct vmdev_ring_area areas[VMDEV_RING_PARTS];
	void *va[VMDEV_RING_PARTS];
	int i, err = 0;

	lockdep_assert_held(&dev->parent->lock);

	memset(mem, 0, sizeof(*mem));
	vmdev_ring_areas(dev, conf, areas);
	for (i = 0; i < VMDEV_RING_PARTS && !err; i++) {
		err = vmdev_ring_map_part(dev, &dev->mem.as[asid], &areas[i],
					  &mem->parts[i]);
		va[i] = mem->parts[i].va + offset_in_page(areas[i].iova);
	}
	if (err) {
		dev_err_ratelimited(&dev->vdpa.dev,
				    "ring at %#llx, %#llx, %#llx cannot be reached: %pe\n",
				    conf->desc, conf->driver, conf->device,
				    ERR_PTR(err));
		vmdev_ring_mem_unmap(mem);
		return err;
	}

	mem->desc = va[VMDEV_RING_DESC];
	mem->driver = va[VMDEV_RING_DRIVER];
	mem->device = va[VMDEV_RING_DEVICE];
	return 0;
}

/**
 * vmdev_ring_mem_unmap() - the reverse of vmdev_ring_mem_map()
 * @mem: that ring's memory, also if there is none (zeroed)
 *
 * Context: may sleep.
 */
void vmdev_ring_mem_unmap(struct vmdev_ring_mem *mem)
{
	int i;

	for (i = 0; i < VMDEV_RING_PARTS; i++) {
		vunmap(mem->parts[i].va);
		vmdev_ring_put_pages(&mem->parts[i]);
	}
	memset(mem, 0, sizeof(*mem));
}
