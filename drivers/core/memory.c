// SPDX-License-Identifier: GPL-2.0
/*
 * Guest memory: the IOMMU domain of the function, and what is mapped in it.
 *
 * With dma_map of our own vhost-vdpa makes no domain. So the function gets an
 * empty paging domain as soon as user space opens the device (get_iova_range
 * is called from open and from nowhere else), and keeps it until the bus
 * driver lets go. Whatever user space forgets to map, the hardware cannot
 * reach. Under virtio_vdpa, which never asks for the range, the function stays
 * in its default domain and the DMA API does the rest.
 */
#include <linux/highmem.h>
#include <linux/sched.h>
#include <uapi/linux/vhost_types.h>

#include "vmdev.h"

/**
 * vmdev_mem_attach() - user space has the device: take it off the host's memory
 * @dev: the device
 *
 * On failure DRIVER_OK and maps are refused until the device is opened again.
 *
 * Context: may sleep; vmdev_parent.lock held.
 */
void vmdev_mem_attach(struct vmdev_dev *dev)
{
	struct vmdev_mem *mem = &dev->mem;
	struct vmdev_hw *hw = dev->parent->hw;

	lockdep_assert_held(&dev->parent->lock);

	mem->user = true;
	if (mem->attached)
		return;

	mem->range = (struct vdpa_iova_range) { .first = 0, .last = U64_MAX };
	mem->error = vmdev_usable(dev) ? hw->ops->iommu_attach(hw, &mem->range) :
		     -ENODEV;
	mem->attached = !mem->error;
}

/**
 * vmdev_mem_detach() - the bus driver let go: back to the default domain
 * @dev: the device, stopped
 *
 * Context: may sleep; vmdev_parent.lock held.
 */
void vmdev_mem_detach(struct vmdev_dev *dev)
{
	struct vmdev_mem *mem = &dev->mem;

	lockdep_assert_held(&dev->parent->lock);

	mem->user = false;
	mem->error = 0;
	if (!mem->attached)
		return;

	vmdev_mem_clear(dev);
	/* What is left of it was accounted to who goes now. */
	vmdev_maps_destroy(&mem->maps);
	dev->parent->hw->ops->iommu_detach(dev->parent->hw);
	mem->attached = false;
}

/**
 * vmdev_mem_map() - let the device reach a range of physical memory
 * @dev: the device
 * @iova: first IOVA, a multiple of the page size
 * @size: bytes, likewise
 * @pa: first physical address, likewise
 * @perm: VHOST_ACCESS_*
 *
 * Context: may sleep; vmdev_parent.lock held.
 * Return: 0; -EINVAL, -ERANGE or -EEXIST for a range that cannot be; -ENOMEM;
 * the reason why there is no domain. vhost hides all of them behind -EFAULT,
 * so the log has the reason.
 */
int vmdev_mem_map(struct vmdev_dev *dev, u64 iova, u64 size, u64 pa, u32 perm)
{
	struct vmdev_mem *mem = &dev->mem;
	u64 last = iova + size - 1;
	int err;

	lockdep_assert_held(&dev->parent->lock);

	if (!mem->attached)
		return mem->error ? : -ENODEV;
	if (!size || last < iova || !(perm & VHOST_ACCESS_RW))
		return -EINVAL;

	if (iova < mem->range.first || last > mem->range.last) {
		dev_err_ratelimited(&dev->vdpa.dev,
				    "map of %#llx-%#llx is outside of the device's IOVAs %#llx-%#llx\n",
				    iova, last, mem->range.first,
				    mem->range.last);
		return -ERANGE;
	}

	/* How many there are vhost-vdpa bounds (max_iotlb_entries, memlock). */
	err = vmdev_maps_add(&mem->maps, iova, last, pa, perm);
	if (err == -EEXIST)
		dev_err_ratelimited(&dev->vdpa.dev,
				    "map of %#llx-%#llx overlaps another\n",
				    iova, last);
	if (err)
		return err;

	err = dev->parent->hw->ops->map(dev->parent->hw, iova, size, pa, perm);
	if (err)
		vmdev_maps_del(&mem->maps,
			       vmdev_maps_first(&mem->maps, iova, last));
	return err;
}

static void vmdev_mem_unmap_one(struct vmdev_dev *dev,
				struct vmdev_map *map)
{
	struct vmdev_hw *hw = dev->parent->hw;

	hw->ops->unmap(hw, map->first, map->last - map->first + 1);
	vmdev_maps_del(&dev->mem.maps, map);
}

/**
 * vmdev_mem_unmap() - take a range of memory away from the device
 * @dev: the device
 * @iova: first IOVA
 * @size: bytes
 *
 * Ranges are unmapped as they were mapped. One that reaches beyond what was
 * asked for goes as a whole: its pages may be somebody else's soon.
 *
 * Context: may sleep; vmdev_parent.lock held.
 * Return: 0, also when nothing was mapped there, or -EINVAL.
 */
int vmdev_mem_unmap(struct vmdev_dev *dev, u64 iova, u64 size)
{
	struct vmdev_mem *mem = &dev->mem;
	u64 last = iova + size - 1;
	struct vmdev_map *map;
	bool more = true;

	lockdep_assert_held(&dev->parent->lock);

	if (!size || last < iova)
		return -EINVAL;

	/* What a mapping covers no other does: to look again is for the rest. */
	while (more && (map = vmdev_maps_first(&mem->maps, iova, last))) {
		more = map->first > iova || map->last < last;
		vmdev_mem_unmap_one(dev, map);
		cond_resched();
	}
	return 0;
}

/**
 * vmdev_mem_clear() - take all memory away from the device
 * @dev: the device
 *
 * Context: may sleep; vmdev_parent.lock held.
 */
void vmdev_mem_clear(struct vmdev_dev *dev)
{
	struct vmdev_map *map;

	lockdep_assert_held(&dev->parent->lock);

	while ((map = vmdev_maps_first(&dev->mem.maps, 0, U64_MAX))) {
		vmdev_mem_unmap_one(dev, map);
		cond_resched();
	}
}

/**
 * vmdev_mem_covers() - is a range of IOVAs mapped, all of it?
 * @dev: the device
 * @iova: first IOVA
 * @size: bytes
 * @perm: VHOST_ACCESS_* that all of it must allow
 *
 * Context: vmdev_parent.lock held.
 */
bool vmdev_mem_covers(struct vmdev_dev *dev, u64 iova, u64 size, u32 perm)
{
	u64 last = iova + size - 1;
	struct vmdev_map *map;

	if (!size || last < iova)
		return false;

	for (;;) {
		map = vmdev_maps_first(&dev->mem.maps, iova, iova);
		if (!map || (map->perm & perm) != perm)
			return false;
		if (map->last >= last)
			return true;
		iova = map->last + 1;
	}
}

/* Where in memory is an IOVA, and how far from it does its page reach? */
static struct page *vmdev_mem_page(struct vmdev_dev *dev, u64 iova, u32 perm,
				   size_t *offset, u64 *len)
{
	struct vmdev_map *map;
	u64 pa;

	map = vmdev_maps_first(&dev->mem.maps, iova, iova);
	if (!map || (map->perm & perm) != perm)
		return NULL;

	pa = map->pa + (iova - map->first);
	if (!pfn_valid(PHYS_PFN(pa)))
		return NULL;

	*offset = offset_in_page(pa);
	*len = min(map->last - iova + 1, (u64)PAGE_SIZE - *offset);
	return pfn_to_page(PHYS_PFN(pa));
}

/**
 * vmdev_mem_read() - read guest memory by IOVA
 * @dev: the device
 * @iova: first IOVA
 * @buf: where to
 * @size: bytes
 *
 * Context: vmdev_parent.lock held.
 * Return: 0, or -EFAULT if not all of it is mapped, or is not memory.
 */
int vmdev_mem_read(struct vmdev_dev *dev, u64 iova, void *buf, u64 size)
{
	if (size && iova + size - 1 < iova)
		return -EFAULT;

	while (size) {
		size_t offset;
		struct page *page;
		u64 len;

		page = vmdev_mem_page(dev, iova, 0, &offset, &len);
		if (!page)
			return -EFAULT;

		len = min(len, size);
		memcpy_from_page(buf, page, offset, len);
		buf += len;
		iova += len;
		size -= len;
	}
	return 0;
}

/**
 * vmdev_mem_fill() - fill guest memory that the device may write
 * @dev: the device
 * @iova: first IOVA
 * @byte: with what
 * @size: bytes
 *
 * Context: vmdev_parent.lock held.
 * Return: 0, or -EFAULT if not all of it is mapped writable, or is not memory.
 */
int vmdev_mem_fill(struct vmdev_dev *dev, u64 iova, u8 byte, u64 size)
{
	if (size && iova + size - 1 < iova)
		return -EFAULT;

	while (size) {
		size_t offset;
		struct page *page;
		void *va;
		u64 len;

		page = vmdev_mem_page(dev, iova, VHOST_ACCESS_WO, &offset,
				      &len);
		if (!page)
			return -EFAULT;

		len = min(len, size);
		va = kmap_local_page(page);
		memset(va + offset, byte, len);
		kunmap_local(va);
		iova += len;
		size -= len;
	}
	return 0;
}
