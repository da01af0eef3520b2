// SPDX-License-Identifier: GPL-2.0
/*
 * What both ring formats share: setting up, and the rules of a chain.
 */
#include <linux/export.h>
#include <linux/errno.h>
#include <linux/limits.h>
#include <linux/log2.h>
#include <linux/string.h>
#include <uapi/linux/virtio_config.h>
#include <uapi/linux/virtio_ring.h>

#include "vring.h"

#define VMDEV_HAS(features, bit)	(!!((features) & (1ULL << (bit))))

/* Wrap counters fit in one bit beside an index of 15: virtio 1.2, 2.8.14. */
#define VMDEV_VRING_NUM_MAX		32768

static bool vmdev_vring_pos_ok(const struct vmdev_vring *ring,
			       const struct vmdev_vring_pos *pos)
{
	if (ring->packed)
		return pos->avail < ring->num && pos->used < ring->num;
	return (u16)(pos->avail - pos->used) <= ring->num;
}

/* Entries between used and avail. */
static u16 vmdev_vring_out(const struct vmdev_vring *ring,
			   const struct vmdev_vring_pos *pos)
{
	if (!ring->packed)
		return pos->avail - pos->used;
	if (pos->avail_wrap == pos->used_wrap)
		return pos->avail - pos->used;
	return pos->avail + ring->num - pos->used;
}

/**
 * vmdev_vring_init() - serve a ring from a given position on
 * @ring: to be set up
 * @conf: how its driver set it up; the areas are the size that @conf->num and
 *	the features say, and stay while the ring is served
 * @pos: where it is at
 *
 * Buffers between @pos->used and @pos->avail were popped by somebody else, who
 * tells the caller what they are.
 *
 * Return: 0, or -EINVAL for a size or a position that cannot be.
 */
int vmdev_vring_init(struct vmdev_vring *ring,
		     const struct vmdev_vring_conf *conf,
		     const struct vmdev_vring_pos *pos)
{
	memset(ring, 0, sizeof(*ring));
	ring->packed = VMDEV_HAS(conf->features, VIRTIO_F_RING_PACKED);
	ring->indirect = VMDEV_HAS(conf->features, VIRTIO_RING_F_INDIRECT_DESC);
	ring->event_idx = VMDEV_HAS(conf->features, VIRTIO_RING_F_EVENT_IDX);
	ring->num = conf->num;
	ring->mask = conf->num - 1;
	ring->read = conf->read;
	ring->ctx = conf->ctx;

	if (!conf->num || conf->num > VMDEV_VRING_NUM_MAX ||
	    (!ring->packed && !is_power_of_2(conf->num)) ||
	    !vmdev_vring_pos_ok(ring, pos))
		return -EINVAL;

	ring->pos = *pos;
	ring->seen = pos->avail;
	ring->inflight = vmdev_vring_out(ring, pos);
	if (ring->inflight > ring->num)
		return -EINVAL;

	if (ring->packed) {
		ring->pdesc = conf->desc;
		ring->driver_event = conf->driver;
		ring->device_event = conf->device;
	} else {
		ring->desc = conf->desc;
		ring->avail = conf->driver;
		ring->used = conf->device;
	}
	return 0;
}
EXPORT_SYMBOL_GPL(vmdev_vring_init);

/**
 * vmdev_vring_broken() - serve a ring no more
 * @ring: the ring
 * @why: the rule that its driver broke
 *
 * Return: -EBADMSG.
 */
int vmdev_vring_broken(struct vmdev_vring *ring, const char *why)
{
	ring->why = why;
	/* No buffer is known to be there. */
	ring->seen = ring->pos.avail;
	return -EBADMSG;
}

/**
 * vmdev_chain_start() - no piece yet
 * @chain: the chain
 */
void vmdev_chain_start(struct vmdev_vring_chain *chain)
{
	chain->nsegs = 0;
	chain->nread = 0;
	chain->read_len = 0;
	chain->write_len = 0;
}

/**
 * vmdev_chain_add() - one more piece
 * @ring: its ring
 * @chain: the chain
 * @addr: IOVA
 * @len: bytes
 * @write: the device writes it
 *
 * Return: 0, or -EBADMSG: too many, pieces to read after some to write (virtio
 * 1.2, 2.7.4.2 and 2.8.19), over 4 GiB (2.7.5.2), or around the end of memory.
 */
int vmdev_chain_add(struct vmdev_vring *ring, struct vmdev_vring_chain *chain,
		    u64 addr, u32 len, bool write)
{
	u32 *total = write ? &chain->write_len : &chain->read_len;
	struct vmdev_vring_seg *seg;

	if (chain->nsegs >= chain->max)
		return vmdev_vring_broken(ring, "chain is too long, or a loop");
	if (!write && chain->nread != chain->nsegs)
		return vmdev_vring_broken(ring, "readable descriptor after a writable one");
	if (addr + len < addr)
		return vmdev_vring_broken(ring, "buffer wraps around the end of memory");
	if (len > U32_MAX - chain->read_len - chain->write_len)
		return vmdev_vring_broken(ring, "chain of more than 4 GiB");

	seg = &chain->segs[chain->nsegs++];
	seg->addr = addr;
	seg->len = len;
	seg->write = write;
	*total += len;
	if (!write)
		chain->nread++;
	return 0;
}

/**
 * vmdev_chain_table() - may this descriptor name an indirect table?
 * @ring: its ring
 * @addr: IOVA of the table
 * @len: bytes of it
 * @flags_next: its flags, but for all other than VRING_DESC_F_NEXT
 *
 * Return: entries of the table, or -EBADMSG.
 */
int vmdev_chain_table(struct vmdev_vring *ring, u64 addr, u32 len,
		      u16 flags_next)
{
	/* Both formats have descriptors of one size. */
	u32 n = len / sizeof(struct vring_desc);

	if (!ring->indirect)
		return vmdev_vring_broken(ring, "indirect table without the feature");
	if (flags_next)
		return vmdev_vring_broken(ring, "indirect table inside of a chain");
	if (!n || len % sizeof(struct vring_desc))
		return vmdev_vring_broken(ring, "indirect table of an odd size");
	if (n > VMDEV_CHAIN_MAX)
		return vmdev_vring_broken(ring, "indirect table is too long");
	if (addr + len < addr)
		return vmdev_vring_broken(ring, "indirect table wraps around the end of memory");
	return n;
}
