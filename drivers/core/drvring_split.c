// SPDX-License-Identifier: GPL-2.0
/*
 * The driver's side of a split ring.
 *
 * Source: virtio 1.2, 2.7.
 */
#include <linux/compiler.h>
#include <linux/errno.h>
#include <linux/virtio_byteorder.h>
#include <uapi/linux/virtio_ring.h>

#include <asm/barrier.h>

#include "drvring.h"
#include "drvring_split.h"

static u16 vmdev_drv_get16(const __virtio16 *p)
{
	return __virtio16_to_cpu(true, READ_ONCE(*p));
}

static void vmdev_drv_set16(__virtio16 *p, u16 v)
{
	WRITE_ONCE(*p, __cpu_to_virtio16(true, v));
}

/* After which used index we want an interrupt: at the end of avail. */
static __virtio16 *vmdev_drv_used_event(struct vmdev_drv *ring)
{
	return &ring->avail_ring->ring[ring->num];
}

/* After which avail index the device wants a kick: at the end of used. */
static const __virtio16 *vmdev_drv_avail_event(const struct vmdev_drv *ring)
{
	return (const __virtio16 *)&ring->used_ring->ring[ring->num];
}

/**
 * vmdev_drv_split_add() - see vmdev_drv_add()
 * @ring: the ring
 * @id: the chain, remembered already
 *
 * A descriptor stands in the table where it is remembered.
 */
void vmdev_drv_split_add(struct vmdev_drv *ring, u16 id)
{
	u16 i, next;

	for (i = id; i != VMDEV_DRV_NONE; i = next) {
		const struct vmdev_drv_desc *from = &ring->descs[i];
		struct vring_desc *to = &ring->desc[i];
		u16 flags = from->seg.write ? VRING_DESC_F_WRITE : 0;

		next = from->next;
		if (next != VMDEV_DRV_NONE)
			flags |= VRING_DESC_F_NEXT;
		to->addr = __cpu_to_virtio64(true, from->seg.addr);
		to->len = __cpu_to_virtio32(true, from->seg.len);
		to->flags = __cpu_to_virtio16(true, flags);
		to->next = __cpu_to_virtio16(true, next);
	}
	vmdev_drv_set16(&ring->avail_ring->ring[ring->avail & (ring->num - 1)],
			id);
	ring->avail++;
}

/**
 * vmdev_drv_split_offer() - see vmdev_drv_offer()
 * @ring: the ring
 */
bool vmdev_drv_split_offer(struct vmdev_drv *ring)
{
	u16 old = ring->offered;

	if (old == ring->avail)
		return false;

	ring->offered = ring->avail;
	/* The entries before the index that counts them. */
	dma_wmb();
	vmdev_drv_set16(&ring->avail_ring->idx, ring->avail);
	/* The index before we look whether the device sleeps. */
	mb();
	if (ring->event_idx)
		return vring_need_event(vmdev_drv_get16(vmdev_drv_avail_event(ring)),
					ring->avail, old);
	return !(vmdev_drv_get16(&ring->used_ring->flags) &
		 VRING_USED_F_NO_NOTIFY);
}

/**
 * vmdev_drv_split_more() - see vmdev_drv_more()
 * @ring: the ring
 */
bool vmdev_drv_split_more(const struct vmdev_drv *ring)
{
	return vmdev_drv_get16(&ring->used_ring->idx) != ring->used;
}

/*
 * Is there a used entry? The index is read only when those known are taken; with
 * VIRTIO_F_IN_ORDER it is always, as entries are skipped.
 */
static int vmdev_drv_split_look(struct vmdev_drv *ring)
{
	u16 idx;

	if (ring->seen != ring->used && !ring->in_order)
		return 1;

	idx = vmdev_drv_get16(&ring->used_ring->idx);
	if (idx == ring->used)
		return 0;
	if ((u16)(idx - ring->used) > ring->out) {
		ring->why = "used index went further than what was offered";
		return -EBADMSG;
	}
	ring->seen = idx;
	/* The index before what it counts. */
	dma_rmb();
	return 1;
}

/**
 * vmdev_drv_split_used() - the next used entry
 * @ring: the ring
 * @id: what it says was used
 * @len: bytes that it says were written
 *
 * Return: 1 with an entry, 0 without one, -EBADMSG.
 */
int vmdev_drv_split_used(struct vmdev_drv *ring, u32 *id, u32 *len)
{
	const struct vring_used_elem *elem;
	int got = vmdev_drv_split_look(ring);

	if (got <= 0)
		return got;
	elem = &ring->used_ring->ring[ring->used & (ring->num - 1)];
	*id = __virtio32_to_cpu(true, READ_ONCE(elem->id));
	*len = __virtio32_to_cpu(true, READ_ONCE(elem->len));
	return 1;
}

/**
 * vmdev_drv_split_interrupts() - do we want interrupts?
 * @ring: the ring
 * @on: we do
 */
void vmdev_drv_split_interrupts(struct vmdev_drv *ring, bool on)
{
	/* An index that the device passed long ago asks for nothing. */
	if (ring->event_idx)
		vmdev_drv_set16(vmdev_drv_used_event(ring),
				on ? ring->used : ring->used - 1);
	else
		vmdev_drv_set16(&ring->avail_ring->flags,
				on ? 0 : VRING_AVAIL_F_NO_INTERRUPT);
}
