// SPDX-License-Identifier: GPL-2.0
/*
 * What both formats of drvring.h share: what is out, and in which order it was
 * offered.
 */
#include <linux/compiler.h>
#include <linux/errno.h>
#include <linux/limits.h>
#include <linux/log2.h>
#include <linux/string.h>
#include <uapi/linux/virtio_config.h>
#include <uapi/linux/virtio_ring.h>

#include <asm/barrier.h>

#include "drvring.h"
#include "drvring_split.h"

#define VMDEV_HAS(features, bit)	(!!((features) & (1ULL << (bit))))
#define VMDEV_DRV_NUM_MAX		32768

/**
 * vmdev_drv_init() - drive a fresh ring
 * @ring: to be set up
 * @conf: the ring; its areas stay while it is driven
 *
 * Return: 0, or -EINVAL for a size that cannot be.
 */
int vmdev_drv_init(struct vmdev_drv *ring, const struct vmdev_drv_conf *conf)
{
	u16 i;

	memset(ring, 0, sizeof(*ring));
	ring->packed = VMDEV_HAS(conf->features, VIRTIO_F_RING_PACKED);
	ring->event_idx = VMDEV_HAS(conf->features, VIRTIO_RING_F_EVENT_IDX);
	ring->in_order = VMDEV_HAS(conf->features, VIRTIO_F_IN_ORDER);
	if (!conf->num || conf->num > VMDEV_DRV_NUM_MAX ||
	    (!ring->packed && !is_power_of_2(conf->num)))
		return -EINVAL;

	ring->avail_wrap = true;
	ring->used_wrap = true;
	ring->num = conf->num;
	ring->mask = conf->num - 1;
	ring->nfree = conf->num;
	ring->last_free = conf->num - 1;
	ring->oldest = VMDEV_DRV_NONE;
	ring->newest = VMDEV_DRV_NONE;
	ring->descs = conf->descs;
	for (i = 0; i < ring->num; i++) {
		ring->descs[i].n = 0;
		ring->descs[i].next = i + 1;
	}

	if (ring->packed) {
		ring->pdesc = conf->desc;
		ring->driver_event = conf->driver;
		ring->device_event = conf->device;
	} else {
		ring->desc = conf->desc;
		ring->avail_ring = conf->driver;
		ring->used_ring = conf->device;
	}
	return 0;
}

/**
 * vmdev_drv_add() - put a chain into the ring
 * @ring: the ring
 * @segs: its pieces; those that the device reads come first
 * @n: how many, 1 to @ring->nfree
 *
 * The device does not see it before vmdev_drv_offer().
 *
 * Return: what the chain is called until vmdev_drv_free().
 */
u16 vmdev_drv_add(struct vmdev_drv *ring, const struct vmdev_vring_seg *segs,
		  u16 n)
{
	u16 id = ring->free, i = id, left = n, last = id;
	struct vmdev_drv_desc *first = &ring->descs[id];

	if (n == 1 && vmdev_drv_takes_ones(ring)) {
		vmdev_drv_split_put_one(ring, ring->avail, segs);
		vmdev_drv_split_added(ring, 1);
		return id;
	}

	first->write_len = 0;
	while (left--) {
		ring->descs[i].seg = *segs;
		if (segs->write)
			first->write_len += segs->len;
		segs++;
		last = i;
		i = ring->descs[i].next;
	}
	ring->descs[last].next = VMDEV_DRV_NONE;
	ring->free = i;
	ring->nfree -= n;

	first->n = n;
	first->newer = VMDEV_DRV_NONE;
	if (ring->newest == VMDEV_DRV_NONE)
		ring->oldest = id;
	else if (ring->in_order)
		ring->descs[ring->newest].newer = id;
	ring->newest = id;
	ring->out++;

	if (ring->packed)
		vmdev_drv_packed_add(ring, id);
	else
		vmdev_drv_split_add(ring, id);
	return id;
}

/**
 * vmdev_drv_offer() - let the device see what was added
 * @ring: the ring
 *
 * Return: whether it wants to be kicked for it.
 */
bool vmdev_drv_offer(struct vmdev_drv *ring)
{
	return ring->packed ? vmdev_drv_packed_offer(ring) :
	       vmdev_drv_split_offer(ring);
}

static int vmdev_drv_broken(struct vmdev_drv *ring, const char *why)
{
	ring->why = why;
	/* Whoever looks has to come by it. */
	ring->seen = ring->used;
	return -EBADMSG;
}

/* With VIRTIO_F_IN_ORDER: the next one of those that one entry stands for. */
static void vmdev_drv_take_batch(struct vmdev_drv *ring, u16 *id, u32 *len)
{
	*id = ring->oldest;
	*len = ring->descs[*id].write_len;
	if (*id == ring->batch_id) {
		*len = ring->batch_len;
		ring->batch = false;
	}
}

/**
 * vmdev_drv_take() - the next chain that the device used
 * @ring: the ring
 * @id: the chain
 * @len: bytes that the device says it wrote, never more than it might
 *
 * It is out until vmdev_drv_free(), which comes before the next call.
 *
 * Return: 1 with a chain, 0 without one, -EBADMSG if the device broke a rule.
 */
int vmdev_drv_take(struct vmdev_drv *ring, u16 *id, u32 *len)
{
	struct vmdev_drv_desc *first = NULL;
	u32 used;
	int got;

	if (ring->why)
		return -EBADMSG;
	if (vmdev_drv_takes_ones(ring) && vmdev_drv_split_ready(ring))
		first = vmdev_drv_split_look_one(ring, ring->used, len);
	if (first) {
		*id = first - ring->descs;
		return 1;
	}
	if (ring->batch) {
		vmdev_drv_take_batch(ring, id, len);
		return 1;
	}

	got = ring->packed ? vmdev_drv_packed_used(ring, &used, len) :
	      vmdev_drv_split_used(ring, &used, len);
	if (got <= 0)
		return got;
	if (used >= ring->num || !ring->descs[used].n)
		return vmdev_drv_broken(ring, "used a buffer that it did not have");
	if (*len > ring->descs[used].write_len)
		return vmdev_drv_broken(ring, "wrote more than the buffer holds");

	*id = used;
	if (ring->in_order) {
		ring->batch = true;
		ring->batch_id = used;
		ring->batch_len = *len;
		vmdev_drv_take_batch(ring, id, len);
	}
	return 1;
}

/**
 * vmdev_drv_free() - a chain that was taken is out no more
 * @ring: the ring
 * @id: the chain
 */
void vmdev_drv_free(struct vmdev_drv *ring, u16 id)
{
	struct vmdev_drv_desc *first = &ring->descs[id];
	u16 last = id;

	if (first->n == 1 && vmdev_drv_takes_ones(ring)) {
		vmdev_drv_split_give_one(ring, first);
		vmdev_drv_split_freed(ring, 1);
		return;
	}

	/* One entry for several in order: the others are skipped (2.7.9). */
	if (ring->packed)
		vmdev_drv_packed_advance(ring, &ring->used, &ring->used_wrap,
					 first->n);
	else
		ring->used++;

	while (ring->descs[last].next != VMDEV_DRV_NONE)
		last = ring->descs[last].next;
	if (ring->in_order && ring->nfree) {
		ring->descs[ring->last_free].next = id;
	} else {
		ring->descs[last].next = ring->free;
		ring->free = id;
	}
	ring->last_free = last;
	ring->nfree += first->n;
	first->n = 0;
	ring->out--;
	if (ring->in_order)
		ring->oldest = first->newer;
	if (!ring->out)
		ring->newest = VMDEV_DRV_NONE;
}

/**
 * vmdev_drv_interrupts_off() - tell the device that nobody wants interrupts
 * @ring: the ring
 */
void vmdev_drv_interrupts_off(struct vmdev_drv *ring)
{
	if (ring->packed)
		vmdev_drv_packed_interrupts(ring, false);
	else
		vmdev_drv_split_interrupts(ring, false);
}

/**
 * vmdev_drv_interrupts_on() - ask for an interrupt with the next used chain
 * @ring: the ring
 *
 * Return: whether there are used ones already, for which none may come.
 */
bool vmdev_drv_interrupts_on(struct vmdev_drv *ring)
{
	if (ring->packed)
		vmdev_drv_packed_interrupts(ring, true);
	else
		vmdev_drv_split_interrupts(ring, true);
	/* The wish before the look. */
	mb();
	return vmdev_drv_more(ring);
}
