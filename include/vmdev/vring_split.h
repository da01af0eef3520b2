/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The device's side of a split ring, as far as it is worth to be inline: buffers
 * of one piece, as most are.
 */
#ifndef _VMDEV_VRING_SPLIT_H
#define _VMDEV_VRING_SPLIT_H

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

/**
 * vmdev_split_pop_one() - take a buffer that is known to be there, if it is of one piece
 * @ring: the ring, split
 * @chain: as for vmdev_vring_pop()
 *
 * Return: false if vmdev_split_pop() has to see to it: there may be none.
 */
static inline bool vmdev_split_pop_one(struct vmdev_vring *ring,
				       struct vmdev_vring_chain *chain)
{
	struct vmdev_vring_seg *seg = chain->segs;

	if (!vmdev_split_ready(ring) || !chain->max ||
	    !vmdev_split_look_one(ring, ring->pos.avail, seg, &chain->id) ||
	    seg->addr + seg->len < seg->addr)
		return false;

	vmdev_split_took(ring, 1);
	chain->slots = 1;
	chain->nsegs = 1;
	chain->nread = !seg->write;
	chain->read_len = seg->write ? 0 : seg->len;
	chain->write_len = seg->write ? seg->len : 0;
	return true;
}

/**
 * vmdev_vring_pop_inline() - vmdev_vring_pop() for where each instruction counts
 * @ring: the ring
 * @chain: the buffer
 *
 * Return: see there.
 */
static inline int vmdev_vring_pop_inline(struct vmdev_vring *ring,
					 struct vmdev_vring_chain *chain)
{
	if (likely(!ring->packed) && likely(vmdev_split_pop_one(ring, chain)))
		return 1;
	return vmdev_vring_pop(ring, chain);
}

/**
 * vmdev_vring_push_inline() - likewise vmdev_vring_push()
 * @ring: the ring
 * @id: id of its chain
 * @slots: slots of its chain
 * @len: bytes written to it
 */
static inline void vmdev_vring_push_inline(struct vmdev_vring *ring, u16 id, u16 slots,
					   u32 len)
{
	if (unlikely(ring->packed)) {
		vmdev_packed_push(ring, id, slots, len);
		return;
	}
	vmdev_split_put_one(ring, ring->pos.used, id, len);
	vmdev_split_pushed(ring, 1);
}

#endif /* _VMDEV_VRING_SPLIT_H */
