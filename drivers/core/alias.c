// SPDX-License-Identifier: GPL-2.0
/*
 * IOVAs that the platform reserves, and where the hardware sees them instead.
 *
 * On x86 a write to 0xfee00000-0xfeefffff is an interrupt, whatever the IOMMU has
 * there, and firmware may keep more for itself. A guest knows nothing of it and has
 * memory there, as QEMU's shadow virtqueues have, which take IOVAs lowest first.
 *
 * So each such region has an alias: room of its size at the end of the core's
 * window. It is linear, and stays the same while the function is attached:
 *
 *	IOVA of the guest	region.first + n
 *	IOVA of the hardware	region.alias + n
 *
 * Where IOVAs have 48 bits, 0xfee00000 is 0xfffffff00000 for the hardware, and a map
 * of 16 KiB at 0xfedfe000 becomes two of 8 KiB: at 0xfedfe000 and there.
 *
 * A driver that gives its ring to the hardware names IOVAs that nobody can translate.
 * Therefore queues run in shadow as long as something is mapped in a region
 * (handover.c): shadow.c translates what goes to the hardware, and back for the
 * dirty log. Nobody else sees aliases, address spaces least of all.
 */
#include <linux/mm.h>
#include <linux/slab.h>

#include "vmdev.h"

/* The other half of the window is for rings. What is larger has no alias. */
#define VMDEV_ALIAS_ROOM	(VMDEV_WINDOW_SIZE / 2)

/* Where a region's alias is, if there is room for one. */
static u64 vmdev_alias_place(struct vmdev_mem *mem, u64 size)
{
	u64 window = mem->range.last + 1;

	/* 0 is no window, it is where the guest's memory begins. */
	if (!window || size > VMDEV_ALIAS_ROOM - mem->alias_room)
		return 0;
	mem->alias_room += size;
	return window + (VMDEV_WINDOW_SIZE - mem->alias_room);
}

static int vmdev_alias_add(struct vmdev_mem *mem,
			   const struct vdpa_iova_range *range)
{
	struct vmdev_region *regions;

	regions = krealloc_array(mem->regions, mem->nregions + 1,
				 sizeof(*regions), GFP_KERNEL_ACCOUNT);
	if (!regions)
		return -ENOMEM;

	mem->regions = regions;
	regions[mem->nregions++] = (struct vmdev_region) {
		.first = range->first,
		.last = range->last,
		.alias = vmdev_alias_place(mem, range->last - range->first + 1),
	};
	return 0;
}

/**
 * vmdev_alias_init() - what is reserved, and where is its alias?
 * @dev: the device; its function was just attached
 *
 * Context: may sleep; vmdev_parent.lock held.
 * Return: 0 or -ENOMEM.
 */
int vmdev_alias_init(struct vmdev_dev *dev)
{
	struct vmdev_hw *hw = dev->parent->hw;
	struct vmdev_mem *mem = &dev->mem;
	struct vdpa_iova_range found;
	u64 first = mem->range.first;
	int err;

	while (hw->ops->reserved(hw, first, mem->range.last, &found)) {
		err = vmdev_alias_add(mem, &found);
		if (err) {
			vmdev_alias_exit(mem);
			return err;
		}
		if (found.last == mem->range.last)
			break;
		first = found.last + 1;
	}
	return 0;
}

/**
 * vmdev_alias_exit() - the reverse of vmdev_alias_init()
 * @mem: guest memory of which the hardware has nothing
 *
 * Context: may sleep; vmdev_parent.lock held.
 */
void vmdev_alias_exit(struct vmdev_mem *mem)
{
	kfree(mem->regions);
	mem->regions = NULL;
	mem->nregions = 0;
	mem->alias_room = 0;
}

/* The lowest region that has an address of a range. */
static const struct vmdev_region *vmdev_alias_find(const struct vmdev_mem *mem,
						   u64 first, u64 last)
{
	unsigned int i;

	for (i = 0; i < mem->nregions; i++)
		if (first <= mem->regions[i].last)
			return last >= mem->regions[i].first ?
			       &mem->regions[i] : NULL;
	return NULL;
}

/**
 * vmdev_alias_meets_slow() - vmdev_alias_meets() where that is not obvious
 * @mem: guest memory
 * @first: first IOVA
 * @last: last IOVA, not below @first
 *
 * Context: any, while attached.
 */
bool vmdev_alias_meets_slow(const struct vmdev_mem *mem, u64 first, u64 last)
{
	return vmdev_alias_find(mem, first, last);
}

/**
 * vmdev_alias_of() - where does the hardware see an IOVA?
 * @mem: guest memory
 * @iova: the IOVA
 * @len: in: bytes that are of interest, which do not wrap; out: how many of them
 *	the hardware sees from there on in one piece
 *
 * Context: any, while attached.
 * Return: its IOVA for the hardware.
 */
u64 vmdev_alias_of(const struct vmdev_mem *mem, u64 iova, u64 *len)
{
	const struct vmdev_region *region;

	if (!*len)
		return iova;
	region = vmdev_alias_find(mem, iova, iova + *len - 1);
	if (!region)
		return iova;
	if (iova < region->first) {
		*len = region->first - iova;
		return iova;
	}
	*len = min(*len, region->last - iova + 1);
	return region->alias + (iova - region->first);
}

/**
 * vmdev_alias_to_guest_slow() - vmdev_alias_to_guest(), for what is not the guest's
 * @mem: the memory
 * @iova: an IOVA above all that a guest may map
 *
 * Context: any, while attached.
 */
u64 vmdev_alias_to_guest_slow(const struct vmdev_mem *mem, u64 iova)
{
	unsigned int i;

	for (i = 0; i < mem->nregions; i++) {
		const struct vmdev_region *region = &mem->regions[i];

		if (region->alias && iova >= region->alias &&
		    iova - region->alias <= region->last - region->first)
			return region->first + (iova - region->alias);
	}
	return iova;
}

static u32 vmdev_alias_count(const struct vmdev_mem *mem,
			     const struct vmdev_vring_seg *seg)
{
	u64 len, done = 0;
	u32 n = 0;

	do {
		len = seg->len - done;
		vmdev_alias_of(mem, seg->addr + done, &len);
		done += len;
		n++;
	} while (done < seg->len);
	return n;
}

/* One piece becomes @n, at @to, which may be where it is. */
static void vmdev_alias_put(const struct vmdev_mem *mem,
			    struct vmdev_vring_seg seg,
			    struct vmdev_vring_seg *to, u32 n)
{
	u64 len;

	for (; n; n--, to++) {
		len = seg.len;
		to->addr = vmdev_alias_of(mem, seg.addr, &len);
		to->len = len;
		to->write = seg.write;
		seg.addr += len;
		seg.len -= len;
	}
}

/**
 * vmdev_alias_split() - name the pieces of a buffer as the hardware sees them
 * @mem: guest memory
 * @segs: the pieces, all of them mapped; those that cross a border become more
 * @n: how many
 * @room: how many they may become
 *
 * Context: any, while attached; with the lock under which they were found mapped.
 * Return: how many they become. If those are more than @room: nothing was done.
 */
u32 vmdev_alias_split(const struct vmdev_mem *mem, struct vmdev_vring_seg *segs,
		      u16 n, u16 room)
{
	u32 i, count, total = 0, at;

	for (i = 0; i < n; i++)
		total += vmdev_alias_count(mem, &segs[i]);
	if (total > room)
		return total;

	/* From the end, so that none is overwritten that is still to come. */
	for (i = n, at = total; i--;) {
		count = vmdev_alias_count(mem, &segs[i]);
		at -= count;
		vmdev_alias_put(mem, segs[i], &segs[at], count);
	}
	return total;
}

/* Large regions (that of AMD's HyperTransport, 12 GiB) have no alias. */
static int vmdev_alias_check(struct vmdev_dev *dev, const struct vmdev_map *map)
{
	const struct vmdev_region *region;
	u64 first = map->first;

	while ((region = vmdev_alias_find(&dev->mem, first, map->last))) {
		if (!region->alias) {
			dev_err_ratelimited(&dev->vdpa.dev,
					    "map of %#llx-%#llx overlaps %#llx-%#llx, which the platform reserves, and which is too large to have it elsewhere\n",
					    map->first, map->last,
					    region->first, region->last);
			return -EINVAL;
		}
		if (region->last >= map->last)
			break;
		first = region->last + 1;
	}
	return 0;
}

/**
 * vmdev_alias_unmap() - take a range that was mapped out of the domain
 * @dev: the device
 * @first: first IOVA
 * @last: last IOVA
 *
 * Context: may sleep; vmdev_parent.lock held.
 */
void vmdev_alias_unmap(struct vmdev_dev *dev, u64 first, u64 last)
{
	struct vmdev_hw *hw = dev->parent->hw;
	u64 len, left, iova;

	for (left = last - first + 1; left; left -= len, first += len) {
		len = left;
		iova = vmdev_alias_of(&dev->mem, first, &len);
		hw->ops->unmap(hw, iova, len);
	}
}

/**
 * vmdev_alias_map() - put a mapping into the domain
 * @dev: the device
 * @map: the mapping
 *
 * Context: may sleep; vmdev_parent.lock held.
 * Return: 0; -EINVAL, with a line, for what is reserved and has no alias; an error
 * of the IOMMU.
 */
int vmdev_alias_map(struct vmdev_dev *dev, const struct vmdev_map *map)
{
	u64 len, iova, left = map->last - map->first + 1, at = map->first;
	struct vmdev_hw *hw = dev->parent->hw;
	int err;

	err = vmdev_alias_check(dev, map);
	if (err)
		return err;

	for (; left; left -= len, at += len) {
		len = left;
		iova = vmdev_alias_of(&dev->mem, at, &len);
		err = hw->ops->map(hw, iova, len, map->pa + (at - map->first),
				   map->perm);
		if (!err)
			continue;
		if (at > map->first)
			vmdev_alias_unmap(dev, map->first, at - 1);
		return err;
	}
	return 0;
}

/**
 * vmdev_alias_check_direct() - can hardware be given IOVAs as the driver names them?
 * @dev: the device
 * @i: the queue in whose ring they are
 *
 * Context: vmdev_parent.lock held.
 * Return: 0, or -EOPNOTSUPP with one line.
 */
int vmdev_alias_check_direct(struct vmdev_dev *dev, u16 i)
{
	lockdep_assert_held(&dev->parent->lock);

	if (!dev->mem.as[vmdev_vq_asid(dev, i)].aliased)
		return 0;
	dev_err_ratelimited(&dev->vdpa.dev,
			    "queue %u cannot run: policy is direct, and memory is mapped where the platform reserves IOVAs\n",
			    i);
	return -EOPNOTSUPP;
}
