// SPDX-License-Identifier: GPL-2.0
/*
 * The device's side of a packed ring.
 *
 * Source: virtio 1.2, 2.8.
 */
#include <linux/export.h>
#include <linux/bits.h>
#include <linux/compiler.h>
#include <linux/errno.h>
#include <uapi/linux/virtio_ring.h>

#include <asm/barrier.h>
#include <asm/byteorder.h>

#include "vring.h"

#define VMDEV_DESC_AVAIL	BIT(VRING_PACKED_DESC_F_AVAIL)
#define VMDEV_DESC_USED		BIT(VRING_PACKED_DESC_F_USED)
#define VMDEV_EVENT_WRAP	BIT(VRING_PACKED_EVENT_F_WRAP_CTR)

/* Move @n entries on. */
static void vmdev_packed_advance(const struct vmdev_vring *ring, u16 *index,
				 bool *wrap, u16 n)
{
	u32 next = *index + n;

	if (next >= ring->num) {
		next -= ring->num;
		*wrap = !*wrap;
	}
	*index = next;
}

/* A descriptor is available when its flags differ, AVAIL being the wrap counter. */
static bool vmdev_packed_is_avail(const struct vmdev_vring *ring, u16 flags)
{
	bool avail = flags & VMDEV_DESC_AVAIL;
	bool used = flags & VMDEV_DESC_USED;

	return avail != used && avail == ring->pos.avail_wrap;
}

static u16 vmdev_packed_flags(const struct vmdev_vring *ring, u16 index)
{
	return le16_to_cpu(READ_ONCE(ring->pdesc[index].flags));
}

/* In such a table descriptors follow one another; only WRITE has a meaning. */
static int vmdev_packed_indirect(struct vmdev_vring *ring,
				 struct vmdev_vring_chain *chain, u64 addr,
				 u32 len, u16 flags)
{
	struct vring_packed_desc desc;
	int n, i, err;

	n = vmdev_chain_table(ring, addr, len, flags & VRING_DESC_F_NEXT);
	if (n < 0)
		return n;

	for (i = 0; i < n; i++) {
		if (ring->read(ring->ctx, addr + i * sizeof(desc), &desc,
			       sizeof(desc)))
			return vmdev_vring_broken(ring, "indirect table is not in memory");
		flags = le16_to_cpu(desc.flags);
		if (flags & VRING_DESC_F_INDIRECT)
			return vmdev_vring_broken(ring, "indirect table in an indirect table");
		err = vmdev_chain_add(ring, chain, le64_to_cpu(desc.addr),
				      le32_to_cpu(desc.len),
				      flags & VRING_DESC_F_WRITE);
		if (err)
			return err;
	}
	return 0;
}

/* @flags are those of its first descriptor, which made all of it available. */
static int vmdev_packed_chain(struct vmdev_vring *ring,
			      struct vmdev_vring_chain *chain, u16 flags)
{
	bool wrap = ring->pos.avail_wrap;
	u16 index = ring->pos.avail;
	int err;

	for (chain->slots = 0;;) {
		const struct vring_packed_desc *desc = &ring->pdesc[index];
		u64 addr = le64_to_cpu(READ_ONCE(desc->addr));
		u32 len = le32_to_cpu(READ_ONCE(desc->len));

		if (chain->slots >= ring->num - ring->inflight)
			return vmdev_vring_broken(ring, "more descriptors than entries");
		chain->slots++;
		/* The id of the last one counts. */
		chain->id = le16_to_cpu(READ_ONCE(desc->id));

		if (flags & VRING_DESC_F_INDIRECT) {
			if (chain->nsegs)
				return vmdev_vring_broken(ring, "indirect table inside of a chain");
			return vmdev_packed_indirect(ring, chain, addr, len,
						     flags);
		}
		err = vmdev_chain_add(ring, chain, addr, len,
				      flags & VRING_DESC_F_WRITE);
		if (err || !(flags & VRING_DESC_F_NEXT))
			return err;

		vmdev_packed_advance(ring, &index, &wrap, 1);
		flags = vmdev_packed_flags(ring, index);
	}
}

/**
 * vmdev_packed_pop() - see vmdev_vring_pop()
 * @ring: the ring
 * @chain: the buffer
 */
int vmdev_packed_pop(struct vmdev_vring *ring, struct vmdev_vring_chain *chain)
{
	u16 flags;
	int err;

	if (ring->why)
		return -EBADMSG;
	/*
	 * With all entries out none can be available: what stands there is what
	 * was popped a lap ago.
	 */
	if (ring->inflight >= ring->num)
		return 0;

	flags = vmdev_packed_flags(ring, ring->pos.avail);
	if (!vmdev_packed_is_avail(ring, flags))
		return 0;
	/* The flags before the rest; pairs with the driver's barrier. */
	virt_rmb();

	vmdev_chain_start(chain);
	err = vmdev_packed_chain(ring, chain, flags);
	if (err)
		return err;

	vmdev_packed_advance(ring, &ring->pos.avail, &ring->pos.avail_wrap,
			     chain->slots);
	ring->inflight += chain->slots;
	return 1;
}
EXPORT_SYMBOL_GPL(vmdev_packed_pop);

/**
 * vmdev_packed_unpop() - see vmdev_vring_unpop()
 * @ring: the ring
 * @chain: the buffer
 */
void vmdev_packed_unpop(struct vmdev_vring *ring,
			const struct vmdev_vring_chain *chain)
{
	if (ring->pos.avail < chain->slots) {
		ring->pos.avail += ring->num;
		ring->pos.avail_wrap = !ring->pos.avail_wrap;
	}
	ring->pos.avail -= chain->slots;
	ring->inflight -= chain->slots;
}
EXPORT_SYMBOL_GPL(vmdev_packed_unpop);

/**
 * vmdev_packed_push() - see vmdev_vring_push()
 * @ring: the ring
 * @id: id of its chain
 * @slots: entries that its chain took
 * @len: bytes written to it
 *
 * The driver looks at one entry after the other: as long as the first does not
 * say so, those behind it are not used for it.
 */
void vmdev_packed_push(struct vmdev_vring *ring, u16 id, u16 slots, u32 len)
{
	struct vring_packed_desc *desc = &ring->pdesc[ring->pos.used];
	u16 flags = 0;

	if (ring->pos.used_wrap)
		flags = VMDEV_DESC_AVAIL | VMDEV_DESC_USED;
	if (len)
		flags |= VRING_DESC_F_WRITE;

	WRITE_ONCE(desc->id, cpu_to_le16(id));
	WRITE_ONCE(desc->len, cpu_to_le32(len));
	if (ring->fresh) {
		WRITE_ONCE(desc->flags, cpu_to_le16(flags));
	} else {
		ring->first = ring->pos.used;
		ring->first_flags = flags;
	}

	vmdev_packed_advance(ring, &ring->pos.used, &ring->pos.used_wrap, slots);
	ring->inflight -= slots;
	ring->fresh += slots;
}
EXPORT_SYMBOL_GPL(vmdev_packed_push);

/* Does the driver want an interrupt, @n entries having become used? */
static bool vmdev_packed_wanted(const struct vmdev_vring *ring, u16 n)
{
	u16 flags = le16_to_cpu(READ_ONCE(ring->driver_event->flags));
	u16 where, event, new = ring->pos.used;

	if (flags != VRING_PACKED_EVENT_FLAG_DESC || !ring->event_idx)
		return flags != VRING_PACKED_EVENT_FLAG_DISABLE;

	/* The flags before the position they make valid. */
	virt_rmb();
	where = le16_to_cpu(READ_ONCE(ring->driver_event->off_wrap));
	event = where & ~VMDEV_EVENT_WRAP;
	/* An entry of the other lap is one lap behind. */
	if (!!(where & VMDEV_EVENT_WRAP) != ring->pos.used_wrap)
		event -= ring->num;
	return vring_need_event(event, new, new - n);
}

/**
 * vmdev_packed_publish() - see vmdev_vring_publish()
 * @ring: the ring
 */
bool vmdev_packed_publish(struct vmdev_vring *ring)
{
	u16 n = ring->fresh;

	if (!n)
		return false;

	ring->fresh = 0;
	/* All else before the flags that make it visible. */
	virt_wmb();
	WRITE_ONCE(ring->pdesc[ring->first].flags,
		   cpu_to_le16(ring->first_flags));
	/* The flags before we look whether the driver sleeps. */
	virt_mb();
	return vmdev_packed_wanted(ring, n);
}
EXPORT_SYMBOL_GPL(vmdev_packed_publish);

/**
 * vmdev_packed_kicks_off() - see vmdev_vring_kicks_off()
 * @ring: the ring
 */
void vmdev_packed_kicks_off(struct vmdev_vring *ring)
{
	WRITE_ONCE(ring->device_event->flags,
		   cpu_to_le16(VRING_PACKED_EVENT_FLAG_DISABLE));
}
EXPORT_SYMBOL_GPL(vmdev_packed_kicks_off);

/**
 * vmdev_packed_kicks_on() - see vmdev_vring_kicks_on()
 * @ring: the ring
 */
bool vmdev_packed_kicks_on(struct vmdev_vring *ring)
{
	u16 flags = VRING_PACKED_EVENT_FLAG_ENABLE;
	u16 at = ring->pos.avail;

	if (ring->event_idx) {
		if (ring->pos.avail_wrap)
			at |= VMDEV_EVENT_WRAP;
		WRITE_ONCE(ring->device_event->off_wrap, cpu_to_le16(at));
		/* The position before the flags that make it valid. */
		virt_wmb();
		flags = VRING_PACKED_EVENT_FLAG_DESC;
	}
	WRITE_ONCE(ring->device_event->flags, cpu_to_le16(flags));
	/* The wish before the look: a buffer in between is kicked, or seen. */
	virt_mb();
	return ring->inflight < ring->num &&
	       vmdev_packed_is_avail(ring, vmdev_packed_flags(ring, ring->pos.avail));
}
EXPORT_SYMBOL_GPL(vmdev_packed_kicks_on);
