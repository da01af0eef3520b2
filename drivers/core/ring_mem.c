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

	for (i = 0; part->held && i < part->count; i++) {
		if (part->write)
			set_page_dirty_lock(part->pages[i]);
		put_page(part->pages[i]);
	}
	part->count = 0;
	kvfree(part->pages);
	part->pages = NULL;
}

/*
 * Held, as it may be unmapped while the ring is served. A host driver keeps its ring until it
 * has reset the device; pages of the kernel's own may have no count.
 */
static struct page *vmdev_ring_get_page(const struct vmdev_as *as, u64 iova,
					u32 perm, bool hold)
{
	struct page *page;
	size_t offset;
	u64 len;

	page = vmdev_as_page(as, iova, perm, &offset, &len);
	if (!page || PageReserved(page) || offset != offset_in_page(iova))
		return NULL;
	if (hold)
		get_page(page);
	return page;
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
		struct page *page = vmdev_ring_get_page(as, iova, area->perm,
							part->held);

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
	struct vmdev_map_hint hint = { .looks = 0 };
	int err;

	if (!IS_ALIGNED(area->iova, area->align))
		return -EINVAL;
	if (!vmdev_as_covers_slow(as, &hint, area->iova, area->len, area->perm))
		return -EFAULT;

	part->write = area->perm & VHOST_ACCESS_WO;
	part->held = dev->mem.user;
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

/**
 * vmdev_ring_pos() - where a ring goes on that was stopped in a state
 * @hw: the hardware
 * @packed: VIRTIO_F_RING_PACKED is negotiated
 * @state: the state, as its driver says
 * @pos: the answer
 *
 * Context: any.
 * Return: 0, or -EILSEQ for a packed ring of other devices than net with buffers that
 * were out.
 */
int vmdev_ring_pos(const struct vmdev_hw *hw, bool packed,
		   const struct vdpa_vq_state *state, struct vmdev_vring_pos *pos)
{
	*pos = (struct vmdev_vring_pos) { 0 };
	if (!packed) {
		pos->avail = state->split.avail_index;
		pos->used = pos->avail;
		return 0;
	}

	/* Buffers that were out when it was stopped are taken anew. */
	pos->used = state->packed.last_used_idx;
	pos->used_wrap = state->packed.last_used_counter;
	pos->avail = pos->used;
	pos->avail_wrap = pos->used_wrap;
	if (state->packed.last_avail_idx == state->packed.last_used_idx &&
	    state->packed.last_avail_counter == state->packed.last_used_counter)
		return 0;
	/* Requests that may have been carried out must not be again. */
	return vmdev_is_net(hw) ? 0 : -EILSEQ;
}
EXPORT_SYMBOL_GPL(vmdev_ring_pos);

/**
 * vmdev_ring_open() - serve a queue's ring from where its driver says it is
 * @dev: the device, with features negotiated
 * @i: the queue, configured
 * @read: reads guest memory, for indirect tables, see struct vmdev_vring_conf
 * @ctx: its first argument
 * @mem: filled in; vmdev_ring_mem_unmap() is the reverse of it all
 * @ring: filled in
 *
 * Context: may sleep; vmdev_parent.lock held.
 * Return: 0; -EINVAL or -EILSEQ for a state that cannot be; an error of
 * vmdev_ring_mem_map().
 */
int vmdev_ring_open(struct vmdev_dev *dev, u16 i,
		    int (*read)(void *ctx, u64 iova, void *buf, u32 len),
		    void *ctx, struct vmdev_ring_mem *mem,
		    struct vmdev_vring *ring)
{
	const struct vmdev_vq_conf *conf = &dev->vqs[i].conf;
	struct vmdev_vring_conf ring_conf = {
		.num = conf->size,
		.features = dev->features,
		.read = read,
		.ctx = ctx,
	};
	struct vmdev_vring_pos pos;
	int err;

	err = vmdev_ring_pos(dev->hw, vmdev_is_packed(dev), &conf->state, &pos);
	if (err)
		return err;
	err = vmdev_ring_mem_map(dev, vmdev_vq_asid(dev, i), conf, mem);
	if (err)
		return err;

	ring_conf.desc = mem->desc;
	ring_conf.driver = mem->driver;
	ring_conf.device = mem->device;
	err = vmdev_vring_init(ring, &ring_conf, &pos);
	if (err)
		vmdev_ring_mem_unmap(mem);
	return err;
}

/**
 * vmdev_ring_tell_state() - where a ring goes on, if it is stopped now
 * @ring: the ring
 * @state: the answer
 *
 * Context: any; the caller serialises.
 */
void vmdev_ring_tell_state(const struct vmdev_vring *ring,
			   struct vdpa_vq_state *state)
{
	if (!ring->packed) {
		state->split.avail_index = ring->pos.used;
		return;
	}
	state->packed.last_avail_idx = ring->pos.used;
	state->packed.last_avail_counter = ring->pos.used_wrap;
	state->packed.last_used_idx = ring->pos.used;
	state->packed.last_used_counter = ring->pos.used_wrap;
}
EXPORT_SYMBOL_GPL(vmdev_ring_tell_state);

/**
 * vmdev_ring_touches() - is a part of a queue's ring in a range of IOVAs?
 * @dev: the device
 * @i: the queue, with the addresses that it runs with
 * @first: first IOVA
 * @last: last IOVA
 *
 * Context: vmdev_parent.lock held.
 */
bool vmdev_ring_touches(const struct vmdev_dev *dev, u16 i, u64 first, u64 last)
{
	struct vmdev_ring_area areas[VMDEV_RING_PARTS];
	int part;

	vmdev_ring_areas(dev, &dev->vqs[i].conf, areas);
	for (part = 0; part < VMDEV_RING_PARTS; part++)
		if (areas[part].iova <= last &&
		    areas[part].iova + areas[part].len - 1 >= first)
			return true;
	return false;
}
