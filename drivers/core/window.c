// SPDX-License-Identifier: GPL-2.0
/*
 * Memory of the core's own that the hardware sees: rings, commands, bitmaps.
 *
 * In a paging domain of its own the function cannot see what the DMA API mapped.
 * But the IOVAs above those of the guest are the core's: the window. Blocks there
 * are found first fit in a list by address; there are few, a handful for each
 * queue at most. What is at its end is for aliases (alias.c). In its default domain
 * the function is served by the DMA API.
 *
 * A block belongs to the domain in which it was made. Who needs one makes it when
 * the hardware starts, and frees it when the hardware has stopped: the device
 * is attached and detached in between.
 */
#include <linux/dma-mapping.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>
#include <uapi/linux/vhost_types.h>

#include "vmdev.h"
#include "window.h"

/**
 * struct vmdev_block - memory that the hardware sees
 * @node: in vmdev_mem.blocks, by address; those of the DMA API in no order
 * @va: the memory
 * @size: bytes, whole pages
 * @ro_size: of them, from the first on, those that the hardware cannot write
 * @iova: where the hardware sees it
 * @mapped: in the window, else by the DMA API
 * @scattered: its pages are anywhere in memory; in the window only
 */
struct vmdev_block {
	struct list_head node;
	void *va;
	size_t size;
	size_t ro_size;
	u64 iova;
	bool mapped;
	bool scattered;
};

/* Finds room, and where in the list of blocks that is. */
static struct list_head *vmdev_window_find(struct vmdev_dev *dev, size_t size,
					   u64 *iova)
{
	struct vmdev_block *block;
	u64 base = dev->mem.range.last + 1;
	u64 at = base;

	list_for_each_entry(block, &dev->mem.blocks, node) {
		if (block->iova - at >= size)
			break;
		at = block->iova + block->size;
	}

	/* 0 is no window, it is where the guest's memory begins. */
	if (!base ||
	    size > VMDEV_WINDOW_SIZE - dev->mem.alias_room - (at - base))
		return NULL;
	*iova = at;
	return &block->node;
}

static int vmdev_window_map_part(struct vmdev_hw *hw,
				 const struct vmdev_block *block, size_t from,
				 size_t to, u32 perm)
{
	if (from == to)
		return 0;
	return hw->ops->map(hw, block->iova + from, to - from,
			    virt_to_phys(block->va + from), perm);
}

static void vmdev_window_unmap_part(struct vmdev_hw *hw,
				    const struct vmdev_block *block,
				    size_t from, size_t to)
{
	if (from != to)
		hw->ops->unmap(hw, block->iova + from, to - from);
}

static int vmdev_window_map_all(struct vmdev_hw *hw,
				const struct vmdev_block *block)
{
	int err;

	err = vmdev_window_map_part(hw, block, 0, block->ro_size,
				    VHOST_ACCESS_RO);
	if (err)
		return err;
	err = vmdev_window_map_part(hw, block, block->ro_size, block->size,
				    VHOST_ACCESS_RW);
	if (err)
		vmdev_window_unmap_part(hw, block, 0, block->ro_size);
	return err;
}

static int vmdev_window_map(struct vmdev_dev *dev, struct vmdev_block *block)
{
	struct vmdev_hw *hw = dev->parent->hw;
	struct list_head *next;
	int err;

	next = vmdev_window_find(dev, block->size, &block->iova);
	if (!next)
		return -ENOSPC;

	block->va = alloc_pages_exact(block->size,
				      GFP_KERNEL_ACCOUNT | __GFP_ZERO);
	if (!block->va)
		return -ENOMEM;
	err = vmdev_window_map_all(hw, block);
	if (err) {
		free_pages_exact(block->va, block->size);
		return err;
	}
	block->mapped = true;
	list_add_tail(&block->node, next);
	return 0;
}

/* Bytes from @at on that are one piece of memory. */
static size_t vmdev_window_piece(const struct vmdev_block *block, size_t at)
{
	unsigned long pfn = vmalloc_to_pfn(block->va + at);
	size_t end = at + PAGE_SIZE;

	while (end < block->size &&
	       vmalloc_to_pfn(block->va + end) == ++pfn)
		end += PAGE_SIZE;
	return end - at;
}

/* Pieces are the same each time: memory stays where it is. */
static void vmdev_window_unmap_pieces(struct vmdev_hw *hw,
				      const struct vmdev_block *block,
				      size_t to)
{
	size_t at, n;

	for (at = 0; at < to; at += n) {
		n = vmdev_window_piece(block, at);
		hw->ops->unmap(hw, block->iova + at, n);
		cond_resched();
	}
}

static int vmdev_window_map_pieces(struct vmdev_hw *hw,
				   const struct vmdev_block *block)
{
	size_t at, n;
	int err;

	for (at = 0; at < block->size; at += n) {
		n = vmdev_window_piece(block, at);
		err = hw->ops->map(hw, block->iova + at, n,
				   PFN_PHYS(vmalloc_to_pfn(block->va + at)),
				   VHOST_ACCESS_RW);
		if (err) {
			vmdev_window_unmap_pieces(hw, block, at);
			return err;
		}
		cond_resched();
	}
	return 0;
}

static int vmdev_window_scatter(struct vmdev_dev *dev,
				struct vmdev_block *block)
{
	struct list_head *next;
	int err;

	next = vmdev_window_find(dev, block->size, &block->iova);
	if (!next)
		return -ENOSPC;

	block->va = __vmalloc(block->size, GFP_KERNEL_ACCOUNT | __GFP_ZERO);
	if (!block->va)
		return -ENOMEM;
	err = vmdev_window_map_pieces(dev->parent->hw, block);
	if (err) {
		vfree(block->va);
		return err;
	}
	block->mapped = true;
	list_add_tail(&block->node, next);
	return 0;
}

static int vmdev_window_coherent(struct vmdev_dev *dev,
				 struct vmdev_block *block)
{
	dma_addr_t addr;

	block->va = dma_alloc_coherent(vmdev_dma_dev(dev), block->size,
				       &addr, GFP_KERNEL);
	if (!block->va)
		return -ENOMEM;
	block->iova = addr;
	list_add_tail(&block->node, &dev->mem.blocks);
	return 0;
}

static void vmdev_window_not_shown(struct vmdev_dev *dev, size_t size, int err)
{
	if (err != -ENOMEM)
		dev_err_ratelimited(&dev->vdpa.dev,
				    "%zu bytes cannot be shown to the hardware: %pe\n",
				    size, ERR_PTR(err));
}

/**
 * vmdev_window_alloc() - memory for the core that the hardware sees
 * @dev: the device
 * @size: bytes, not 0
 * @ro_size: of them, from the first on, those that the hardware has no need to
 *	write: whole pages. It cannot, where there is a window: whatever a guest
 *	makes its function do, that stays as it is
 * @iova: where the hardware sees it
 *
 * Contiguous, zeroed, whole pages.
 *
 * Context: may sleep; vmdev_parent.lock held.
 * Return: the memory; NULL if there is none, with a line if the IOMMU does not
 * map it.
 */
void *vmdev_window_alloc(struct vmdev_dev *dev, size_t size, size_t ro_size,
			 u64 *iova)
{
	struct vmdev_block *block;
	int err;

	lockdep_assert_held(&dev->parent->lock);
	if (WARN_ON_ONCE(ro_size % PAGE_SIZE || ro_size > size))
		return NULL;

	block = kzalloc_obj(*block, GFP_KERNEL_ACCOUNT);
	if (!block)
		return NULL;

	block->size = ALIGN(size, PAGE_SIZE);
	block->ro_size = ro_size;
	err = dev->mem.attached ? vmdev_window_map(dev, block) :
	      vmdev_window_coherent(dev, block);
	if (err) {
		vmdev_window_not_shown(dev, block->size, err);
		kfree(block);
		return NULL;
	}
	*iova = block->iova;
	return block->va;
}

/**
 * vmdev_window_alloc_large() - as vmdev_window_alloc(), for what may be large
 * @dev: the device, attached to a domain of its own
 * @size: bytes, not 0
 * @iova: where the hardware sees it
 *
 * Contiguous for the hardware, and for the kernel, but not in memory. Zeroed.
 *
 * Context: may sleep; vmdev_parent.lock held.
 * Return: the memory, or NULL, as vmdev_window_alloc().
 */
void *vmdev_window_alloc_large(struct vmdev_dev *dev, size_t size, u64 *iova)
{
	struct vmdev_block *block;
	int err;

	lockdep_assert_held(&dev->parent->lock);
	if (WARN_ON_ONCE(!dev->mem.attached))
		return NULL;

	block = kzalloc_obj(*block, GFP_KERNEL_ACCOUNT);
	if (!block)
		return NULL;

	block->size = ALIGN(size, PAGE_SIZE);
	block->scattered = true;
	err = vmdev_window_scatter(dev, block);
	if (err) {
		vmdev_window_not_shown(dev, block->size, err);
		kfree(block);
		return NULL;
	}
	*iova = block->iova;
	return block->va;
}

/**
 * vmdev_window_free() - the reverse of vmdev_window_alloc()
 * @dev: the device; its hardware does not use that memory any more
 * @va: the memory, or NULL
 *
 * Context: may sleep; vmdev_parent.lock held.
 */
void vmdev_window_free(struct vmdev_dev *dev, void *va)
{
	struct vmdev_hw *hw = dev->parent->hw;
	struct vmdev_block *block;

	lockdep_assert_held(&dev->parent->lock);

	if (!va)
		return;
	list_for_each_entry(block, &dev->mem.blocks, node)
		if (block->va == va)
			break;
	if (WARN_ON_ONCE(list_entry_is_head(block, &dev->mem.blocks, node)))
		return;

	list_del(&block->node);
	if (block->scattered) {
		vmdev_window_unmap_pieces(hw, block, block->size);
		vfree(va);
	} else if (block->mapped) {
		vmdev_window_unmap_part(hw, block, block->ro_size, block->size);
		vmdev_window_unmap_part(hw, block, 0, block->ro_size);
		free_pages_exact(va, block->size);
	} else {
		dma_free_coherent(vmdev_dma_dev(dev), block->size, va,
				  block->iova);
	}
	kfree(block);
}
