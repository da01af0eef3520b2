/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The device's side of a split ring, as far as it is worth to be inline: buffers
 * of one piece, as most are.
 */
#ifndef _VMDEV_CORE_VRING_SPLIT_H
#define _VMDEV_CORE_VRING_SPLIT_H

#include <linux/compiler.h>
#include <linux/virtio_byteorder.h>
#include <uapi/linux/virtio_ring.h>

#include <vmdev/vring.h>

/**
 * vmdev_split_ready() - how many buffers are known to be there
 * @ring: the ring, split; not broken
 *
 * More may be: vmdev_split_pop() looks.
 */
static inline u16 vmdev_split_ready(const struct vmdev_vring *ring)
{
	u16 seen = ring->seen - ring->pos.avail;
	u16 room = ring->num - ring->inflight;

	return seen < room ? seen : room;
}

/**
 * vmdev_split_look_one() - look at a buffer that is there, if it is of one piece
 * @ring: the ring
 * @at: avail index of it, one of those that are ready
 * @seg: the piece; whether it wraps around is for the caller to see
 * @id: what the driver calls it
 *
 * Each field is read once: the driver may change it under our eyes. It is taken
 * with vmdev_split_took(), or else looked at anew.
 *
 * Return: false if vmdev_split_pop() has to see to it: it may be of several
 * pieces, or break a rule.
 */
static inline bool vmdev_split_look_one(const struct vmdev_vring *ring, u32 at,
					struct vmdev_vring_seg *seg, u16 *id)
{
	const struct vring_desc *desc;
	u32 head, flags;

	head = __virtio16_to_cpu(true, READ_ONCE(ring->avail->ring[at & ring->mask]));
	if (head > ring->mask)
		return false;

	desc = &ring->desc[head];
	seg->addr = __virtio64_to_cpu(true, READ_ONCE(desc->addr));
	seg->len = __virtio32_to_cpu(true, READ_ONCE(desc->len));
	flags = __virtio16_to_cpu(true, READ_ONCE(desc->flags));
	seg->write = flags & VRING_DESC_F_WRITE;
	*id = head;
	return !(flags & (VRING_DESC_F_NEXT | VRING_DESC_F_INDIRECT));
}

/**
 * vmdev_split_took() - take buffers that were looked at
 * @ring: the ring
 * @n: how many, from the first on
 */
static inline void vmdev_split_took(struct vmdev_vring *ring, u16 n)
{
	ring->pos.avail += n;
	ring->inflight += n;
}

/**
 * vmdev_split_put_one() - prepare to give a buffer back
 * @ring: the ring, split
 * @at: used index of it
 * @id: id of its chain
 * @len: bytes written to it
 */
static inline void vmdev_split_put_one(struct vmdev_vring *ring, u32 at, u16 id,
				       u32 len)
{
	struct vring_used_elem *elem = &ring->used->ring[at & ring->mask];

	WRITE_ONCE(elem->id, __cpu_to_virtio32(true, id));
	WRITE_ONCE(elem->len, __cpu_to_virtio32(true, len));
}

/**
 * vmdev_split_pushed() - give buffers back, see vmdev_vring_push()
 * @ring: the ring
 * @n: how many were put
 */
static inline void vmdev_split_pushed(struct vmdev_vring *ring, u16 n)
{
	ring->pos.used += n;
	ring->inflight -= n;
	ring->fresh += n;
}

#endif /* _VMDEV_CORE_VRING_SPLIT_H */
