// SPDX-License-Identifier: GPL-2.0
/*
 * The driver's side of a packed ring.
 *
 * Source: virtio 1.2, 2.8.
 */
#include <linux/bits.h>
#include <linux/compiler.h>
#include <linux/errno.h>
#include <uapi/linux/virtio_ring.h>

#include <asm/barrier.h>
#include <asm/byteorder.h>

#include "drvring.h"

#define VMDEV_DESC_AVAIL	BIT(VRING_PACKED_DESC_F_AVAIL)
#define VMDEV_DESC_USED		BIT(VRING_PACKED_DESC_F_USED)
#define VMDEV_EVENT_WRAP	BIT(VRING_PACKED_EVENT_F_WRAP_CTR)

/**
 * vmdev_drv_packed_advance() - move some entries on
 * @ring: the ring
 * @index: an entry
 * @wrap: its wrap counter
 * @n: entries, at most as many as the ring has
 */
void vmdev_drv_packed_advance(const struct vmdev_drv *ring, u16 *index,
			      bool *wrap, u16 n)
{
	u32 next = *index + n;

	if (next >= ring->num) {
		next -= ring->num;
		*wrap = !*wrap;
	}
	*index = next;
}

/**
 * vmdev_drv_packed_add() - see vmdev_drv_add()
 * @ring: the ring
 * @id: the chain, remembered already
 *
 * The flags of the first entry since the last offer make all available, and are
 * written by vmdev_drv_packed_offer().
 */
void vmdev_drv_packed_add(struct vmdev_drv *ring, u16 id)
{
	u16 i, next;

	for (i = id; i != VMDEV_DRV_NONE; i = next) {
		const struct vmdev_drv_desc *from = &ring->descs[i];
		struct vring_packed_desc *to = &ring->pdesc[ring->avail];
		u16 flags = ring->avail_wrap ? VMDEV_DESC_AVAIL :
			    VMDEV_DESC_USED;

		next = from->next;
		if (from->seg.write)
			flags |= VRING_DESC_F_WRITE;
		if (next != VMDEV_DRV_NONE)
			flags |= VRING_DESC_F_NEXT;
		to->addr = cpu_to_le64(from->seg.addr);
		to->len = cpu_to_le32(from->seg.len);
		to->id = cpu_to_le16(id);
		if (ring->fresh++) {
			WRITE_ONCE(to->flags, cpu_to_le16(flags));
		} else {
			ring->first = ring->avail;
			ring->first_flags = flags;
		}
		vmdev_drv_packed_advance(ring, &ring->avail, &ring->avail_wrap,
					 1);
	}
}

/* Does the device want a kick for the @n entries before ring->avail? */
static bool vmdev_drv_packed_wanted(const struct vmdev_drv *ring, u16 n)
{
	u16 flags = le16_to_cpu(READ_ONCE(ring->device_event->flags));
	u16 event, index;

	flags &= VRING_PACKED_EVENT_FLAG_DISABLE |
		 VRING_PACKED_EVENT_FLAG_DESC;
	if (flags != VRING_PACKED_EVENT_FLAG_DESC)
		return flags == VRING_PACKED_EVENT_FLAG_ENABLE;

	event = le16_to_cpu(READ_ONCE(ring->device_event->off_wrap));
	index = event & ~VMDEV_EVENT_WRAP;
	/* One of the lap before counts from below 0. */
	if (!!(event & VMDEV_EVENT_WRAP) != ring->avail_wrap)
		index -= ring->num;
	return vring_need_event(index, ring->avail, ring->avail - n);
}

/**
 * vmdev_drv_packed_offer() - see vmdev_drv_offer()
 * @ring: the ring
 */
bool vmdev_drv_packed_offer(struct vmdev_drv *ring)
{
	u16 n = ring->fresh;

	if (!n)
		return false;

	ring->fresh = 0;
	/* All else before the flags that show it. */
	dma_wmb();
	WRITE_ONCE(ring->pdesc[ring->first].flags,
		   cpu_to_le16(ring->first_flags));
	/* The flags before we look whether the device sleeps. */
	mb();
	return vmdev_drv_packed_wanted(ring, n);
}

/* A descriptor is used when both of its flags are our wrap counter. */
static bool vmdev_drv_packed_is_used(const struct vmdev_drv *ring)
{
	u16 flags = le16_to_cpu(READ_ONCE(ring->pdesc[ring->used].flags));
	bool avail = flags & VMDEV_DESC_AVAIL;
	bool used = flags & VMDEV_DESC_USED;

	return avail == used && used == ring->used_wrap;
}

/**
 * vmdev_drv_packed_more() - see vmdev_drv_more()
 * @ring: the ring
 */
bool vmdev_drv_packed_more(const struct vmdev_drv *ring)
{
	return ring->out && vmdev_drv_packed_is_used(ring);
}

/**
 * vmdev_drv_packed_used() - the next used entry
 * @ring: the ring
 * @id: what it says was used
 * @len: bytes that it says were written
 *
 * Return: 1 with an entry, 0 without one.
 */
int vmdev_drv_packed_used(struct vmdev_drv *ring, u32 *id, u32 *len)
{
	const struct vring_packed_desc *desc = &ring->pdesc[ring->used];

	if (!vmdev_drv_packed_more(ring))
		return 0;
	/* The flags before the rest. */
	dma_rmb();
	*id = le16_to_cpu(READ_ONCE(desc->id));
	*len = le32_to_cpu(READ_ONCE(desc->len));
	/*
	 * Only meaningful where something was written (2.8.8). But devices that
	 * wrote do not all say so (QEMU's do not), and no driver minds.
	 */
	if (!(le16_to_cpu(READ_ONCE(desc->flags)) & VRING_DESC_F_WRITE) &&
	    *id < ring->num && *len > ring->descs[*id].write_len)
		*len = 0;
	return 1;
}

/**
 * vmdev_drv_packed_interrupts() - do we want interrupts?
 * @ring: the ring
 * @on: we do, with the next used entry
 */
void vmdev_drv_packed_interrupts(struct vmdev_drv *ring, bool on)
{
	WRITE_ONCE(ring->driver_event->flags,
		   cpu_to_le16(on ? VRING_PACKED_EVENT_FLAG_ENABLE :
			       VRING_PACKED_EVENT_FLAG_DISABLE));
}
