// SPDX-License-Identifier: GPL-2.0
/*
 * Guest memory: address spaces, and the IOMMU domain of the function.
 *
 * With dma_map of our own vhost-vdpa makes no domain. So the function gets an
 * empty paging domain as soon as user space opens the device (get_iova_range
 * is called from open and from nowhere else), and keeps it until the bus
 * driver lets go. Whatever user space forgets to map, the hardware cannot
 * reach. Under virtio_vdpa, which never asks for the range, the function stays
 * in its default domain and the DMA API does the rest.
 *
 * Queues are in groups, and each group is in an address space. The domain holds
 * that of the group that the hardware serves. What is mapped in the other one
 * only software can reach, and it never enters the IOMMU. What the platform
 * reserves is in the domain at another place (alias.c).
 */
#include <linux/dma-direct.h>
#include <linux/highmem.h>
#include <linux/sched.h>
#include <linux/string.h>
#include <uapi/linux/vhost_types.h>

#include "trace.h"
#include "pages.h"
#include "vmdev.h"

/**
 * vmdev_mem_init() - nothing is mapped
 * @mem: zeroed
 */
void vmdev_mem_init(struct vmdev_mem *mem)
{
	unsigned int asid;

	INIT_LIST_HEAD(&mem->blocks);
	for (asid = 0; asid < VMDEV_AS_MAX; asid++) {
		spin_lock_init(&mem->as[asid].lock);
		vmdev_maps_init(&mem->as[asid].maps);
		mem->as[asid].changes = 1;
	}
}

/**
 * vmdev_mem_destroy() - the reverse of vmdev_mem_init()
 * @mem: guest memory of which the hardware has nothing
 */
void vmdev_mem_destroy(struct vmdev_mem *mem)
{
	unsigned int asid;

	for (asid = 0; asid < VMDEV_AS_MAX; asid++)
		vmdev_maps_destroy(&mem->as[asid].maps);
}

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
	if (!mem->error) {
		mem->error = vmdev_alias_init(dev);
		if (mem->error)
			hw->ops->iommu_detach(hw);
	}
	mem->attached = !mem->error;
	mem->loaded = mem->group_as[VMDEV_GROUP_DATA];
}

/**
 * vmdev_mem_detach() - the bus driver let go: back to the default domain
 * @dev: the device, stopped, with nothing in the core's window
 *
 * Context: may sleep; vmdev_parent.lock held.
 */
void vmdev_mem_detach(struct vmdev_dev *dev)
{
	struct vmdev_mem *mem = &dev->mem;
	unsigned int asid;

	lockdep_assert_held(&dev->parent->lock);

	mem->user = false;
	mem->error = 0;
	if (!mem->attached)
		return;

	for (asid = 0; asid < VMDEV_AS_MAX; asid++)
		vmdev_mem_clear(dev, asid);
	/* What is left of it was accounted to who goes now. */
	vmdev_mem_destroy(mem);
	vmdev_alias_exit(mem);
	dev->parent->hw->ops->iommu_detach(dev->parent->hw);
	mem->attached = false;
	mem->loaded = VMDEV_AS_NONE;
}

/*
 * Without vmdev_parent.lock only queues look at what is mapped that software carries
 * or serves. Without DRIVER_OK there are none, and most is mapped, and unmapped, then.
 *
 * How many there are vhost-vdpa bounds (max_iotlb_entries, memlock).
 */
static __always_inline int
vmdev_mem_add(struct vmdev_dev *dev, struct vmdev_as *as, u64 first, u64 last, u64 pa,
	      u32 perm)
{
	int err = 0;

	if (unlikely(!as->maps.unused))
		err = vmdev_maps_reserve(&as->maps);
	if (err)
		return err;

	if (!dev->running) {
		as->changes++;
		return vmdev_maps_add(&as->maps, first, last, pa, perm);
	}

	spin_lock_irq(&as->lock);
	err = vmdev_maps_add(&as->maps, first, last, pa, perm);
	as->changes++;
	spin_unlock_irq(&as->lock);
	return err;
}

static __always_inline void
vmdev_mem_del(struct vmdev_dev *dev, struct vmdev_as *as, struct vmdev_map *map)
{
	if (!dev->running) {
		vmdev_maps_del(&as->maps, map);
		as->changes++;
		return;
	}

	spin_lock_irq(&as->lock);
	vmdev_maps_del(&as->maps, map);
	as->changes++;
	spin_unlock_irq(&as->lock);
}

/* Counts what is reserved: before it is in the address space, and while it is. */
static void vmdev_mem_count(struct vmdev_as *as, int n)
{
	spin_lock_irq(&as->lock);
	as->aliased += n;
	spin_unlock_irq(&as->lock);
}

static void vmdev_mem_clear_host(struct vmdev_dev *dev)
{
	struct vmdev_as *as = &dev->mem.as[VMDEV_AS_HOST];

	while (as->maps.lowest)
		vmdev_mem_del(dev, as, as->maps.lowest);
}

/**
 * vmdev_mem_host() - a host driver's memory, for queues that software serves
 * @dev: the device, which user space does not have
 *
 * Their addresses are those of a device that nothing translates for
 * (vmdev_op_get_vq_map()): physical ones, with whatever the platform adds, a bit that
 * says that memory is encrypted above all. What is mapped is all of memory. Only
 * software looks there.
 *
 * Context: may sleep; vmdev_parent.lock held.
 * Return: 0 or -ENOMEM.
 */
int vmdev_mem_host(struct vmdev_dev *dev)
{
	u64 first = phys_to_dma(&dev->vdpa.dev, 0);
	struct vmdev_mem *mem = &dev->mem;
	struct vmdev_as *as = &mem->as[VMDEV_AS_HOST];
	int err;

	lockdep_assert_held(&dev->parent->lock);

	if (mem->host)
		return 0;
	err = vmdev_mem_add(dev, as, first, first + VMDEV_HOST_LAST, 0,
			    VHOST_ACCESS_RW);
	/* In a guest whose memory is encrypted devices get what is not. */
	if (!err && first)
		err = vmdev_mem_add(dev, as, 0, first - 1, 0, VHOST_ACCESS_RW);
	if (err) {
		vmdev_mem_clear_host(dev);
		return err;
	}
	mem->group_as[VMDEV_GROUP_CTRL] = VMDEV_AS_HOST;
	mem->host = true;
	return 0;
}

/**
 * vmdev_mem_no_host() - the reverse of vmdev_mem_host()
 * @dev: the device, no queue of which is served
 *
 * Context: may sleep; vmdev_parent.lock held.
 */
void vmdev_mem_no_host(struct vmdev_dev *dev)
{
	struct vmdev_mem *mem = &dev->mem;

	if (!mem->host)
		return;
	vmdev_mem_clear_host(dev);
	mem->group_as[VMDEV_GROUP_CTRL] = 0;
	mem->host = false;
}

/* Inline, as it is done a million times for a large guest. */
static __always_inline int
vmdev_mem_try_map(struct vmdev_dev *dev, unsigned int asid, u64 iova, u64 size,
		  u64 pa, u32 perm)
{
	struct vmdev_mem *mem = &dev->mem;
	struct vmdev_as *as = &mem->as[asid];
	struct vmdev_hw *hw = dev->parent->hw;
	u64 last = iova + size - 1;
	bool reserved;
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

	err = vmdev_pages_hold(pa, size);
	if (err)
		return err;
	reserved = vmdev_alias_meets(mem, iova, last);
	if (unlikely(reserved))
		vmdev_mem_count(as, 1);
	err = vmdev_mem_add(dev, as, iova, last, pa, perm);
	if (err == -EEXIST)
		dev_err_ratelimited(&dev->vdpa.dev,
				    "map of %#llx-%#llx overlaps another\n",
				    iova, last);
	if (err)
		goto err_count;
	if (asid != mem->loaded)
		return 0;

	/* Most is not, and does not have to be looked at again for its alias. */
	err = likely(!reserved) ? hw->ops->map(hw, iova, size, pa, perm) :
	      vmdev_alias_map(dev, vmdev_maps_first(&as->maps, iova, last));
	if (err)
		goto err_del;
	return 0;

err_del:
	vmdev_mem_del(dev, as, vmdev_maps_first(&as->maps, iova, last));
err_count:
	if (reserved)
		vmdev_mem_count(as, -1);
	vmdev_pages_let_go(pa, size);
	return err;
}

/**
 * vmdev_mem_map() - let the device reach a range of physical memory
 * @dev: the device
 * @asid: address space, below VMDEV_AS_MAX
 * @iova: first IOVA, a multiple of the page size
 * @size: bytes, likewise
 * @pa: first physical address, likewise; pinned by the caller, and held from now on
 * @perm: VHOST_ACCESS_*
 *
 * Context: may sleep; vmdev_parent.lock held.
 * Return: 0; -EINVAL, -ERANGE or -EEXIST for a range that cannot be; -EFAULT for
 * pages that nobody has; -ENOMEM; the reason why there is no domain. vhost hides all of
 * them behind -EFAULT, so the log has the reason.
 */
int vmdev_mem_map(struct vmdev_dev *dev, unsigned int asid, u64 iova, u64 size,
		  u64 pa, u32 perm)
{
	int err = vmdev_mem_try_map(dev, asid, iova, size, pa, perm);

	trace_vmdev_map(&dev->vdpa.dev, asid, iova, size, perm, err);
	return err;
}

static void vmdev_mem_unmap_hw(struct vmdev_dev *dev,
			       const struct vmdev_map *map, bool reserved)
{
	struct vmdev_hw *hw = dev->parent->hw;

	if (likely(!reserved))
		hw->ops->unmap(hw, map->first, map->last - map->first + 1);
	else
		vmdev_alias_unmap(dev, map->first, map->last);
}

static __always_inline void
vmdev_mem_unmap_one(struct vmdev_dev *dev, unsigned int asid, struct vmdev_map *map)
{
	struct vmdev_as *as = &dev->mem.as[asid];
	bool reserved = unlikely(as->aliased) &&
			vmdev_alias_meets(&dev->mem, map->first, map->last);
	u64 pa = map->pa, size = map->last - map->first + 1;

	trace_vmdev_unmap(&dev->vdpa.dev, asid, map->first,
			  size, map->perm);
	if (asid == dev->mem.loaded)
		vmdev_mem_unmap_hw(dev, map, reserved);
	vmdev_mem_del(dev, as, map);
	vmdev_pages_let_go(pa, size);
	if (unlikely(reserved))
		vmdev_mem_count(as, -1);
}

/* As a rule what goes next is the lowest of all. */
static struct vmdev_map *vmdev_mem_next(const struct vmdev_maps *maps, u64 first,
					u64 last)
{
	struct vmdev_map *map = maps->lowest;

	if (likely(maps->count && map->first == first && map->last == last))
		return map;
	return vmdev_maps_first(maps, first, last);
}

/**
 * vmdev_mem_unmap() - take a range of memory away from the device
 * @dev: the device
 * @asid: address space, below VMDEV_AS_MAX
 * @iova: first IOVA
 * @size: bytes
 *
 * Ranges are unmapped as they were mapped. One that reaches beyond what was
 * asked for goes as a whole: its pages may be somebody else's soon.
 *
 * Context: may sleep; vmdev_parent.lock held.
 * Return: 0, also when nothing was mapped there, or -EINVAL.
 */
int vmdev_mem_unmap(struct vmdev_dev *dev, unsigned int asid, u64 iova,
		    u64 size)
{
	struct vmdev_maps *maps = &dev->mem.as[asid].maps;
	u64 last = iova + size - 1;
	struct vmdev_map *map;
	bool more = true;

	lockdep_assert_held(&dev->parent->lock);

	if (!size || last < iova)
		return -EINVAL;

	/* What a mapping covers no other does: to look again is for the rest. */
	while (more && (map = vmdev_mem_next(maps, iova, last))) {
		more = map->first > iova || map->last < last;
		vmdev_mem_unmap_one(dev, asid, map);
		if (more)
			cond_resched();
	}
	if (!maps->count)
		vmdev_maps_trim(maps);
	return 0;
}

/**
 * vmdev_mem_clear() - take all memory of an address space away from the device
 * @dev: the device
 * @asid: address space, below VMDEV_AS_MAX
 *
 * Context: may sleep; vmdev_parent.lock held.
 */
void vmdev_mem_clear(struct vmdev_dev *dev, unsigned int asid)
{
	struct vmdev_maps *maps = &dev->mem.as[asid].maps;
	struct vmdev_map *map;

	lockdep_assert_held(&dev->parent->lock);

	while ((map = vmdev_maps_first(maps, 0, U64_MAX))) {
		vmdev_mem_unmap_one(dev, asid, map);
		cond_resched();
	}
	vmdev_maps_trim(maps);
}

static struct vmdev_map *vmdev_map_next(const struct vmdev_map *map)
{
	return rb_entry_safe(rb_next(&map->node), struct vmdev_map, node);
}

/* Takes out of the domain what is below @end, all of it if that is NULL. */
static void vmdev_mem_unload(struct vmdev_dev *dev, unsigned int asid,
			     const struct vmdev_map *end)
{
	struct vmdev_map *map = dev->mem.as[asid].maps.lowest;

	for (; map != end; map = vmdev_map_next(map)) {
		vmdev_alias_unmap(dev, map->first, map->last);
		cond_resched();
	}
}

static int vmdev_mem_fill_domain(struct vmdev_dev *dev, unsigned int asid)
{
	struct vmdev_map *map = dev->mem.as[asid].maps.lowest;
	int err;

	for (; map; map = vmdev_map_next(map)) {
		err = vmdev_alias_map(dev, map);
		if (err) {
			vmdev_mem_unload(dev, asid, map);
			return err;
		}
		cond_resched();
	}
	return 0;
}

/**
 * vmdev_mem_load() - have the hardware see the address space of its queues
 * @dev: the device, stopped
 *
 * Context: may sleep; vmdev_parent.lock held.
 * Return: 0, or an error of the IOMMU: the hardware then sees nothing, and this
 * has to be tried again before it may run.
 */
int vmdev_mem_load(struct vmdev_dev *dev)
{
	struct vmdev_mem *mem = &dev->mem;
	u8 asid = mem->group_as[VMDEV_GROUP_DATA];
	int err;

	lockdep_assert_held(&dev->parent->lock);

	if (!mem->attached || mem->loaded == asid)
		return 0;

	if (mem->loaded != VMDEV_AS_NONE)
		vmdev_mem_unload(dev, mem->loaded, NULL);
	mem->loaded = VMDEV_AS_NONE;
	err = vmdev_mem_fill_domain(dev, asid);
	if (!err)
		mem->loaded = asid;
	return err;
}

/**
 * vmdev_mem_set_asid() - move the queues of a group to another address space
 * @dev: the device, stopped
 * @group: the group
 * @asid: the address space, below VMDEV_AS_MAX
 *
 * Context: may sleep; vmdev_parent.lock held.
 * Return: 0, or an error of vmdev_mem_load(), with the group where it was.
 */
int vmdev_mem_set_asid(struct vmdev_dev *dev, unsigned int group, u8 asid)
{
	struct vmdev_mem *mem = &dev->mem;
	u8 old = mem->group_as[group];
	int err;

	mem->group_as[group] = asid;
	err = vmdev_mem_load(dev);
	if (err)
		mem->group_as[group] = old;
	return err;
}

/**
 * vmdev_as_covers_slow() - vmdev_as_covers() where the hint does not help
 * @as: address space
 * @hint: see there
 * @iova: first IOVA
 * @size: bytes; no bytes may always be used
 * @perm: VHOST_ACCESS_* that all of it must allow
 *
 * Context: any; @as->lock or vmdev_parent.lock held.
 */
bool vmdev_as_covers_slow(const struct vmdev_as *as,
			  struct vmdev_map_hint *hint, u64 iova, u64 size,
			  u32 perm)
{
	u64 last = iova + size - 1;
	struct vmdev_map *map;
	u32 looks;

	if (!size)
		return true;
	if (last < iova)
		return false;

	map = vmdev_maps_first(&as->maps, iova, iova);
	for (looks = hint->looks + 1;; looks++) {
		/* The next one begins where the last one ends, or nothing is mapped there. */
		if (!map || map->first > iova || (map->perm & perm) != perm) {
			hint->looks = looks;
			return false;
		}
		if (map->last >= last)
			break;
		iova = map->last + 1;
		map = vmdev_map_next(map);
	}
	*hint = (struct vmdev_map_hint) {
		.first = map->first,
		.last = map->last,
		.changes = as->changes,
		.denied = {
			!(map->perm & VHOST_ACCESS_RO),
			!(map->perm & VHOST_ACCESS_WO),
		},
		.looks = looks,
	};
	return true;
}

/**
 * vmdev_mem_covers() - is a range of IOVAs mapped, all of it?
 * @dev: the device
 * @asid: address space, below VMDEV_AS_MAX
 * @iova: first IOVA
 * @size: bytes
 * @perm: VHOST_ACCESS_* that all of it must allow
 *
 * Context: vmdev_parent.lock held.
 */
bool vmdev_mem_covers(const struct vmdev_dev *dev, unsigned int asid, u64 iova,
		      u64 size, u32 perm)
{
	struct vmdev_map_hint hint = { .looks = 0 };

	return size && vmdev_as_covers_slow(&dev->mem.as[asid], &hint, iova,
					    size, perm);
}

/**
 * vmdev_as_page() - where in memory is an IOVA?
 * @as: address space
 * @iova: the IOVA
 * @perm: VHOST_ACCESS_* that it must allow
 * @offset: where in the page
 * @len: bytes of the page from there on that are mapped
 *
 * Context: any; @as->lock or vmdev_parent.lock held, for as long as the page is
 * used, unless the caller takes a reference.
 * Return: the page; NULL if it is not mapped so, or is not memory.
 */
struct page *vmdev_as_page(const struct vmdev_as *as, u64 iova, u32 perm,
			   size_t *offset, u64 *len)
{
	struct vmdev_map *map;
	u64 pa;

	map = vmdev_maps_first(&as->maps, iova, iova);
	if (!map || (map->perm & perm) != perm)
		return NULL;

	pa = map->pa + (iova - map->first);
	if (!pfn_valid(PHYS_PFN(pa)))
		return NULL;

	*offset = offset_in_page(pa);
	*len = min(map->last - iova + 1, (u64)PAGE_SIZE - *offset);
	return pfn_to_page(PHYS_PFN(pa));
}

/* Indices are written meanwhile by the driver or hardware: none is to be had in two pieces. */
static void vmdev_copy_from_page(void *buf, struct page *page, size_t offset,
				 size_t len)
{
	u8 *va = kmap_local_page(page);
	u16 index;

	if (len == sizeof(index) && IS_ALIGNED(offset, sizeof(index))) {
		index = READ_ONCE(*(u16 *)(va + offset));
		memcpy(buf, &index, sizeof(index));
	} else {
		memcpy(buf, va + offset, len);
	}
	kunmap_local(va);
}

/**
 * vmdev_as_read() - read guest memory by IOVA, as part of something greater
 * @as: address space
 * @iova: first IOVA
 * @buf: where to
 * @size: bytes
 * @perm: VHOST_ACCESS_* that all of it must allow
 *
 * Two bytes at an even address are read at once.
 *
 * Context: any; @as->lock or vmdev_parent.lock held.
 * Return: 0, or -EFAULT if not all of it is mapped so, or is not memory.
 */
int vmdev_as_read(const struct vmdev_as *as, u64 iova, void *buf, u64 size,
		  u32 perm)
{
	if (size && iova + size - 1 < iova)
		return -EFAULT;

	while (size) {
		size_t offset;
		struct page *page;
		u64 len;

		page = vmdev_as_page(as, iova, perm, &offset, &len);
		if (!page)
			return -EFAULT;

		len = min(len, size);
		vmdev_copy_from_page(buf, page, offset, len);
		buf += len;
		iova += len;
		size -= len;
	}
	return 0;
}

/**
 * vmdev_mem_read() - read guest memory by IOVA
 * @dev: the device
 * @asid: address space, below VMDEV_AS_MAX
 * @iova: first IOVA
 * @buf: where to
 * @size: bytes
 *
 * Context: vmdev_parent.lock held.
 * Return: 0, or -EFAULT if not all of it is mapped, or is not memory.
 */
int vmdev_mem_read(struct vmdev_dev *dev, unsigned int asid, u64 iova,
		   void *buf, u64 size)
{
	return vmdev_as_read(&dev->mem.as[asid], iova, buf, size, 0);
}

/**
 * vmdev_mem_read_atomic() - read guest memory by IOVA, from the data path
 * @dev: the device
 * @asid: address space, below VMDEV_AS_MAX
 * @iova: first IOVA
 * @buf: where to
 * @size: bytes; interrupts are off while they are copied
 *
 * Context: any, without the lock of the address space.
 * Return: as vmdev_mem_read(), but the device must be allowed to read it.
 */
int vmdev_mem_read_atomic(struct vmdev_dev *dev, unsigned int asid, u64 iova,
			  void *buf, u32 size)
{
	struct vmdev_as *as = &dev->mem.as[asid];
	unsigned long flags;
	int err;

	spin_lock_irqsave(&as->lock, flags);
	err = vmdev_as_read(as, iova, buf, size, VHOST_ACCESS_RO);
	spin_unlock_irqrestore(&as->lock, flags);
	return err;
}

/**
 * vmdev_mem_fill() - fill guest memory that the device may write
 * @dev: the device
 * @asid: address space, below VMDEV_AS_MAX
 * @iova: first IOVA
 * @byte: with what
 * @size: bytes
 *
 * Context: vmdev_parent.lock held.
 * Return: 0, or -EFAULT if not all of it is mapped writable, or is not memory.
 */
int vmdev_mem_fill(struct vmdev_dev *dev, unsigned int asid, u64 iova, u8 byte,
		   u64 size)
{
	if (size && iova + size - 1 < iova)
		return -EFAULT;

	while (size) {
		size_t offset;
		struct page *page;
		void *va;
		u64 len;

		page = vmdev_as_page(&dev->mem.as[asid], iova, VHOST_ACCESS_WO,
				     &offset, &len);
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

/**
 * vmdev_mem_is_zero() - is guest memory all zero?
 * @dev: the device
 * @asid: address space, below VMDEV_AS_MAX
 * @iova: first IOVA
 * @size: bytes
 *
 * Context: vmdev_parent.lock held.
 * Return: true also for what is not mapped, or is not memory.
 */
bool vmdev_mem_is_zero(struct vmdev_dev *dev, unsigned int asid, u64 iova, u64 size)
{
	bool zero = true;

	while (size && zero) {
		size_t offset;
		struct page *page;
		void *va;
		u64 len;

		page = vmdev_as_page(&dev->mem.as[asid], iova, 0, &offset, &len);
		if (!page)
			break;

		len = min(len, size);
		va = kmap_local_page(page);
		zero = !memchr_inv(va + offset, 0, len);
		kunmap_local(va);
		iova += len;
		size -= len;
	}
	return zero;
}
