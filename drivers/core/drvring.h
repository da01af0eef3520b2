/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The driver's side of a virtqueue, split or packed, in the core's own memory,
 * with a hostile device on the other side.
 *
 * What was offered is remembered in memory that no device sees, so nothing but
 * ids and lengths is ever taken from a ring, and both are checked: a device that
 * returns what it does not have breaks its ring (-EBADMSG, why in words).
 *
 *	id = vmdev_drv_add(&ring, segs, n);	n <= ring.nfree
 *	if (vmdev_drv_offer(&ring))
 *		... kick ...
 *	while ((got = vmdev_drv_take(&ring, &id, &len)) > 0) {
 *		... vmdev_drv_seg() ...
 *		vmdev_drv_free(&ring, id);
 *	}
 *
 * Context: any; the caller serialises calls for one ring.
 *
 * Pure, and so free of all but types: selftests/unit builds it in user space.
 *
 * Source: virtio 1.2, 2.7 (split) and 2.8 (packed).
 */
#ifndef _VMDEV_DRVRING_H
#define _VMDEV_DRVRING_H

#include <linux/types.h>

#include <vmdev/vring.h>

/* No descriptor: the end of a list, or not the first one of a chain. */
#define VMDEV_DRV_NONE		U16_MAX

/**
 * struct vmdev_drv_desc - what the core remembers of a descriptor
 * @seg: the piece of a buffer
 * @next: next one of the chain, or of the free ones
 * @n: in the first one of a chain that is out: its length; else 0
 * @write_len: in the first one: bytes that the device may write
 * @newer: in the first one: the chain offered after it, VMDEV_DRV_NONE if none
 */
struct vmdev_drv_desc {
	struct vmdev_vring_seg seg;
	u16 next;
	u16 n;
	u16 newer;
	u32 write_len;
};

/**
 * struct vmdev_drv_conf - a ring to be driven
 * @desc: descriptor area, zeroed
 * @driver: driver area, zeroed
 * @device: device area, zeroed
 * @num: entries; split: a power of two; at most 32768
 * @features: negotiated features
 * @descs: room for what is remembered, @num of them
 */
struct vmdev_drv_conf {
	void *desc;
	void *driver;
	void *device;
	u16 num;
	u64 features;
	struct vmdev_drv_desc *descs;
};

/**
 * struct vmdev_drv - one ring
 * @packed: its format
 * @event_idx: VIRTIO_F_EVENT_IDX
 * @in_order: VIRTIO_F_IN_ORDER: one used entry may stand for several chains
 * @batch: @batch_id and all chains older than it were used, by one entry
 * @avail_wrap: packed: wrap counter of @avail
 * @used_wrap: packed: wrap counter of @used
 * @num: entries
 * @mask: split: @num less one
 * @nfree: entries that are not out
 * @free: first of them
 * @last_free: last of them; with @in_order, which frees at the end: so the table
 *	is used in the order of the ring (virtio 1.2, 2.7)
 * @oldest: the chain offered first of those that are out
 * @newest: the one offered last
 * @out: chains that are out
 * @avail: next entry to offer. Split: free running index; packed: entry
 * @used: next entry to be used, likewise
 * @seen: split: used index as read last
 * @offered: split: @avail when it was shown to the device last
 * @fresh: packed: entries added and not shown
 * @first: packed: the first of those
 * @first_flags: packed: its flags, written last of all
 * @batch_id: see @batch
 * @batch_len: bytes written to that chain
 * @why: NULL, or what the device did wrong
 * @descs: what was offered, by descriptor
 * @desc: split: descriptor table
 * @avail_ring: split: avail ring
 * @used_ring: split: used ring
 * @pdesc: packed: descriptor ring
 * @driver_event: packed: which interrupts we want
 * @device_event: packed: which kicks the device wants
 */
struct vmdev_drv {
	bool packed;
	bool event_idx;
	bool in_order;
	bool batch;
	bool avail_wrap;
	bool used_wrap;
	u16 num;
	u32 mask;
	u16 nfree;
	u16 free;
	u16 last_free;
	u16 oldest;
	u16 newest;
	u16 out;
	u16 avail;
	u16 used;
	u16 seen;
	u16 offered;
	u16 fresh;
	u16 first;
	u16 first_flags;
	u16 batch_id;
	u32 batch_len;
	const char *why;
	struct vmdev_drv_desc *descs;
	union {
		struct {
			struct vring_desc *desc;
			struct vring_avail *avail_ring;
			const struct vring_used *used_ring;
		};
		struct {
			struct vring_packed_desc *pdesc;
			struct vring_packed_desc_event *driver_event;
			const struct vring_packed_desc_event *device_event;
		};
	};
};

int vmdev_drv_init(struct vmdev_drv *ring, const struct vmdev_drv_conf *conf);
u16 vmdev_drv_add(struct vmdev_drv *ring, const struct vmdev_vring_seg *segs,
		  u16 n);
bool vmdev_drv_offer(struct vmdev_drv *ring);
int vmdev_drv_take(struct vmdev_drv *ring, u16 *id, u32 *len);
void vmdev_drv_free(struct vmdev_drv *ring, u16 id);
void vmdev_drv_interrupts_off(struct vmdev_drv *ring);
bool vmdev_drv_interrupts_on(struct vmdev_drv *ring);

/* drvring_split.c */
void vmdev_drv_split_add(struct vmdev_drv *ring, u16 id);
bool vmdev_drv_split_offer(struct vmdev_drv *ring);
int vmdev_drv_split_used(struct vmdev_drv *ring, u32 *id, u32 *len);
void vmdev_drv_split_interrupts(struct vmdev_drv *ring, bool on);
bool vmdev_drv_split_more(const struct vmdev_drv *ring);

/* drvring_packed.c */
void vmdev_drv_packed_add(struct vmdev_drv *ring, u16 id);
bool vmdev_drv_packed_offer(struct vmdev_drv *ring);
int vmdev_drv_packed_used(struct vmdev_drv *ring, u32 *id, u32 *len);
void vmdev_drv_packed_interrupts(struct vmdev_drv *ring, bool on);
bool vmdev_drv_packed_more(const struct vmdev_drv *ring);
void vmdev_drv_packed_advance(const struct vmdev_drv *ring, u16 *index,
			      bool *wrap, u16 n);

/**
 * vmdev_drv_more() - did the device use something that was not taken?
 * @ring: the ring
 */
static inline bool vmdev_drv_more(const struct vmdev_drv *ring)
{
	if (ring->batch)
		return true;
	return ring->packed ? vmdev_drv_packed_more(ring) :
	       vmdev_drv_split_more(ring);
}

#endif /* _VMDEV_DRVRING_H */
