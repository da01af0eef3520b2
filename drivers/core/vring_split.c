// SPDX-License-Identifier: GPL-2.0
/*
 * The device's side of a split ring.
 *
 * Source: virtio 1.2, 2.7.
 */
#include <linux/export.h>
#include <linux/compiler.h>
#include <linux/errno.h>
#include <linux/virtio_byteorder.h>
#include <uapi/linux/virtio_ring.h>

#include <asm/barrier.h>

#include <vmdev/vring_split.h>

#include "vring.h"

static u16 vmdev_split_get16(const __virtio16 *p)
{
	return __virtio16_to_cpu(true, READ_ONCE(*p));
}

static void vmdev_split_set16(__virtio16 *p, u16 v)
{
	WRITE_ONCE(*p, __cpu_to_virtio16(true, v));
}

/* The driver's index after which it wants an interrupt, at the end of avail. */
static const __virtio16 *vmdev_used_event(const struct vmdev_vring *ring)
{
	return &ring->avail->ring[ring->num];
}

/* Likewise ours, at the end of used. */
static __virtio16 *vmdev_avail_event(struct vmdev_vring *ring)
{
	return (__virtio16 *)&ring->used->ring[ring->num];
}

/* One read of each field: the driver may change it under our eyes. */
static struct vring_desc vmdev_split_desc(const struct vring_desc *p)
{
	return (struct vring_desc) {
		.addr = READ_ONCE(p->addr),
		.len = READ_ONCE(p->len),
		.flags = READ_ONCE(p->flags),
		.next = READ_ONCE(p->next),
	};
}

static int vmdev_split_add(struct vmdev_vring *ring,
			   struct vmdev_vring_chain *chain,
			   const struct vring_desc *desc)
{
	return vmdev_chain_add(ring, chain,
			       __virtio64_to_cpu(true, desc->addr),
			       __virtio32_to_cpu(true, desc->len),
			       __virtio16_to_cpu(true, desc->flags) &
			       VRING_DESC_F_WRITE);
}

static int vmdev_split_indirect(struct vmdev_vring *ring,
				struct vmdev_vring_chain *chain,
				const struct vring_desc *table)
{
	u16 flags = __virtio16_to_cpu(true, table->flags);
	u64 addr = __virtio64_to_cpu(true, table->addr);
	struct vring_desc desc;
	u32 i = 0;
	int n, err;

	n = vmdev_chain_table(ring, addr, __virtio32_to_cpu(true, table->len),
			      flags & VRING_DESC_F_NEXT);
	if (n < 0)
		return n;

	/* Ends: a loop has more pieces than the chain has room for. */
	do {
		if (i >= (u32)n)
			return vmdev_vring_broken(ring, "next is outside of the indirect table");
		if (ring->read(ring->ctx, addr + i * sizeof(desc), &desc,
			       sizeof(desc)))
			return vmdev_vring_broken(ring, "indirect table is not in memory");

		flags = __virtio16_to_cpu(true, desc.flags);
		if (flags & VRING_DESC_F_INDIRECT)
			return vmdev_vring_broken(ring, "indirect table in an indirect table");
		err = vmdev_split_add(ring, chain, &desc);
		if (err)
			return err;
		i = __virtio16_to_cpu(true, desc.next);
	} while (flags & VRING_DESC_F_NEXT);
	return 0;
}

static int vmdev_split_chain(struct vmdev_vring *ring,
			     struct vmdev_vring_chain *chain)
{
	struct vring_desc desc;
	u16 flags, i = chain->id;
	int err;

	/* Ends: a loop has more pieces than the chain has room for. */
	do {
		if (i >= ring->num)
			return vmdev_vring_broken(ring, "descriptor is outside of the ring");

		desc = vmdev_split_desc(&ring->desc[i]);
		flags = __virtio16_to_cpu(true, desc.flags);
		/* It may end a chain of others (2.7.5.3.2). */
		if (flags & VRING_DESC_F_INDIRECT)
			return vmdev_split_indirect(ring, chain, &desc);
		err = vmdev_split_add(ring, chain, &desc);
		if (err)
			return err;
		i = __virtio16_to_cpu(true, desc.next);
	} while (flags & VRING_DESC_F_NEXT);
	return 0;
}

/* Is there a buffer? The avail index is read only when those known are taken. */
static int vmdev_split_more(struct vmdev_vring *ring)
{
	if (ring->seen != ring->pos.avail)
		return 1;

	ring->seen = vmdev_split_get16(&ring->avail->idx);
	if (ring->seen == ring->pos.avail)
		return 0;
	if ((u16)(ring->seen - ring->pos.avail) > ring->num)
		return vmdev_vring_broken(ring, "avail index went further than the ring is long");
	/* The index before what it counts; pairs with the driver's barrier. */
	virt_rmb();
	return 1;
}

/**
 * vmdev_split_pop() - see vmdev_vring_pop()
 * @ring: the ring
 * @chain: the buffer
 */
int vmdev_split_pop(struct vmdev_vring *ring, struct vmdev_vring_chain *chain)
{
	int err;

	if (ring->why)
		return -EBADMSG;

	err = vmdev_split_more(ring);
	if (err <= 0)
		return err;
	if (ring->inflight >= ring->num)
		return vmdev_vring_broken(ring, "more buffers than the ring has entries");

	if (vmdev_split_pop_one(ring, chain))
		return 1;

	vmdev_chain_start(chain);
	chain->slots = 1;
	chain->id = vmdev_split_get16(&ring->avail->ring[ring->pos.avail &
							 (ring->num - 1)]);
	err = vmdev_split_chain(ring, chain);
	if (err)
		return err;

	ring->pos.avail++;
	ring->inflight++;
	return 1;
}
EXPORT_SYMBOL_GPL(vmdev_split_pop);

/**
 * vmdev_split_unpop() - see vmdev_vring_unpop()
 * @ring: the ring
 * @chain: the buffer
 */
void vmdev_split_unpop(struct vmdev_vring *ring,
		       const struct vmdev_vring_chain *chain)
{
	ring->pos.avail -= chain->slots;
	ring->inflight -= chain->slots;
}
EXPORT_SYMBOL_GPL(vmdev_split_unpop);

/**
 * vmdev_split_push() - see vmdev_vring_push()
 * @ring: the ring
 * @id: id of its chain
 * @len: bytes written to it
 */
void vmdev_split_push(struct vmdev_vring *ring, u16 id, u32 len)
{
	vmdev_split_put_one(ring, ring->pos.used, id, len);
	vmdev_split_pushed(ring, 1);
}
EXPORT_SYMBOL_GPL(vmdev_split_push);

/* Does the driver want an interrupt for what was published? */
static bool vmdev_split_wanted(struct vmdev_vring *ring)
{
	u16 old = ring->signalled;
	bool valid = ring->signalled_valid;

	if (!ring->event_idx)
		return !(vmdev_split_get16(&ring->avail->flags) &
			 VRING_AVAIL_F_NO_INTERRUPT);

	ring->signalled = ring->pos.used;
	ring->signalled_valid = true;
	return !valid ||
	       vring_need_event(vmdev_split_get16(vmdev_used_event(ring)),
				ring->pos.used, old);
}

/**
 * vmdev_split_publish() - see vmdev_vring_publish()
 * @ring: the ring
 */
bool vmdev_split_publish(struct vmdev_vring *ring)
{
	if (!ring->fresh)
		return false;

	ring->fresh = 0;
	/* The entries before the index that counts them. */
	virt_wmb();
	vmdev_split_set16(&ring->used->idx, ring->pos.used);
	/* The index before we look whether the driver sleeps. */
	virt_mb();
	return vmdev_split_wanted(ring);
}
EXPORT_SYMBOL_GPL(vmdev_split_publish);

/**
 * vmdev_split_kicks_off() - see vmdev_vring_kicks_off()
 * @ring: the ring
 *
 * With VIRTIO_RING_F_EVENT_IDX an index that is not moved asks for nothing.
 */
void vmdev_split_kicks_off(struct vmdev_vring *ring)
{
	if (!ring->event_idx)
		vmdev_split_set16(&ring->used->flags, VRING_USED_F_NO_NOTIFY);
}
EXPORT_SYMBOL_GPL(vmdev_split_kicks_off);

/**
 * vmdev_split_kicks_on() - see vmdev_vring_kicks_on()
 * @ring: the ring
 */
bool vmdev_split_kicks_on(struct vmdev_vring *ring)
{
	if (ring->event_idx)
		vmdev_split_set16(vmdev_avail_event(ring), ring->pos.avail);
	else
		vmdev_split_set16(&ring->used->flags, 0);
	/* The wish before the look: a buffer in between is kicked, or seen. */
	virt_mb();
	return vmdev_split_get16(&ring->avail->idx) != ring->pos.avail;
}
EXPORT_SYMBOL_GPL(vmdev_split_kicks_on);
