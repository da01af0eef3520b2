/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The driver's side of a split ring, as far as it is worth to be inline: chains
 * of one piece, on rings without VIRTIO_F_IN_ORDER.
 */
#ifndef _VMDEV_CORE_DRVRING_SPLIT_H
#define _VMDEV_CORE_DRVRING_SPLIT_H

#include <linux/compiler.h>
#include <linux/virtio_byteorder.h>
#include <uapi/linux/virtio_ring.h>

#include "drvring.h"

/**
 * vmdev_drv_takes_ones() - may the functions of this file be used?
 * @ring: the ring
 */
static inline bool vmdev_drv_takes_ones(const struct vmdev_drv *ring)
{
	return !ring->packed && !ring->in_order;
}

/**
 * vmdev_drv_split_put_one() - prepare to add a chain
 * @ring: the ring, with a free entry for it
 * @at: avail index of it
 * @seg: its one piece
 *
 * Return: what the chain is called.
 */
static inline u16 vmdev_drv_split_put_one(struct vmdev_drv *ring, u32 at,
					  const struct vmdev_vring_seg *seg)
{
	u16 id = ring->free;
	struct vmdev_drv_desc *first = &ring->descs[id];
	struct vring_desc *desc = &ring->desc[id];

	BUILD_BUG_ON(VRING_DESC_F_WRITE != 2);
	ring->free = first->next;
	first->seg = *seg;
	first->next = VMDEV_DRV_NONE;
	first->n = 1;
	first->write_len = seg->len & -(u32)seg->write;

	desc->addr = __cpu_to_virtio64(true, seg->addr);
	desc->len = __cpu_to_virtio32(true, seg->len);
	desc->flags = __cpu_to_virtio16(true, seg->write << 1);
	WRITE_ONCE(ring->avail_ring->ring[at & ring->mask],
		   __cpu_to_virtio16(true, id));
	return id;
}

/**
 * vmdev_drv_split_added() - add chains, see vmdev_drv_add()
 * @ring: the ring
 * @n: how many were put
 */
static inline void vmdev_drv_split_added(struct vmdev_drv *ring, u16 n)
{
	ring->nfree -= n;
	ring->out += n;
	ring->avail += n;
}

/**
 * vmdev_drv_split_ready() - how many used chains are known to be there
 * @ring: the ring
 *
 * More may be: vmdev_drv_take() looks.
 */
static inline u16 vmdev_drv_split_ready(const struct vmdev_drv *ring)
{
	return ring->seen - ring->used;
}

/**
 * vmdev_drv_split_look_one() - look at a used chain that is there, see
 * vmdev_drv_take()
 * @ring: the ring
 * @at: used index of it, one of those that are ready
 * @len: bytes that the device says it wrote, never more than it might
 *
 * Return: its one piece, or NULL if vmdev_drv_take() has to see to it: it may be of
 * several, or the device broke a rule.
 */
static inline struct vmdev_drv_desc *
vmdev_drv_split_look_one(const struct vmdev_drv *ring, u32 at, u32 *len)
{
	const struct vring_used_elem *elem =
		&ring->used_ring->ring[at & ring->mask];
	u32 used = __virtio32_to_cpu(true, READ_ONCE(elem->id));
	struct vmdev_drv_desc *first;

	if (used > ring->mask)
		return NULL;

	first = &ring->descs[used];
	*len = __virtio32_to_cpu(true, READ_ONCE(elem->len));
	return first->n == 1 && *len <= first->write_len ? first : NULL;
}

/**
 * vmdev_drv_split_give_one() - a chain of one piece is out no more
 * @ring: the ring
 * @first: its piece
 */
static inline void vmdev_drv_split_give_one(struct vmdev_drv *ring,
					    struct vmdev_drv_desc *first)
{
	first->next = ring->free;
	first->n = 0;
	ring->free = first - ring->descs;
}

/**
 * vmdev_drv_split_freed() - see vmdev_drv_free()
 * @ring: the ring
 * @n: how many were given
 */
static inline void vmdev_drv_split_freed(struct vmdev_drv *ring, u16 n)
{
	ring->nfree += n;
	ring->out -= n;
	ring->used += n;
}

#endif /* _VMDEV_CORE_DRVRING_SPLIT_H */
