/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The device's side of a virtqueue, split or packed, in memory of a hostile
 * driver.
 *
 * Whoever serves a ring in software (shadow virtqueues, the control queue, the
 * soft parent) pops chains of buffers and pushes them back when they are used.
 * Only the three areas of the ring and indirect tables are read here: buffers
 * are named by IOVA and never touched.
 *
 *	vmdev_vring_init(&ring, &conf, &pos);
 *	while ((got = vmdev_vring_pop(&ring, &chain)) > 0) {
 *		... chain.segs ...
 *		vmdev_vring_push(&ring, chain.id, chain.slots, written);
 *	}
 *	if (vmdev_vring_publish(&ring))
 *		... interrupt ...
 *	if (got < 0)
 *		... ring.why ...
 *
 * Everything that the driver wrote is read once, and checked: a ring that
 * breaks a rule of the specification is broken from then on (-EBADMSG, why in
 * words), and nothing else is.
 *
 * Context: any; the caller serialises calls for one ring. The driver may write
 * to the ring at any time.
 *
 * Pure, and so free of all but types: selftests/unit builds it in user space.
 *
 * Source: virtio 1.2, 2.7 (split) and 2.8 (packed).
 */
#ifndef _VMDEV_VRING_H
#define _VMDEV_VRING_H

#include <linux/types.h>

struct vring_desc;
struct vring_avail;
struct vring_used;
struct vring_packed_desc;
struct vring_packed_desc_event;

/*
 * Descriptors of a chain, and entries of an indirect table: at most what any
 * device in the field takes. The core offers no larger rings (VMDEV_VQ_SIZE_MAX),
 * so a driver that keeps to the size of its ring (virtio 1.2, 2.7.5.3.1 and
 * 2.8.8) is never refused one.
 */
#define VMDEV_CHAIN_MAX		1024

/**
 * struct vmdev_vring_seg - one piece of a buffer
 * @addr: IOVA; @addr + @len does not wrap
 * @len: bytes, may be 0
 * @write: the device writes it (else it reads it)
 */
struct vmdev_vring_seg {
	u64 addr;
	u32 len;
	bool write;
};

/**
 * struct vmdev_vring_chain - a buffer, as popped
 * @segs: room for its pieces, the caller's; those to read come first
 * @max: length of @segs, the caller's; a longer chain breaks the ring
 * @nsegs: pieces
 * @nread: how many of them the device reads
 * @read_len: bytes of those
 * @write_len: bytes of the others
 * @id: what the driver calls the buffer: head (split), buffer id (packed)
 * @slots: entries of the ring that it takes: 1 (split), descriptors (packed)
 */
struct vmdev_vring_chain {
	struct vmdev_vring_seg *segs;
	u16 max;
	u16 nsegs;
	u16 nread;
	u32 read_len;
	u32 write_len;
	u16 id;
	u16 slots;
};

/**
 * struct vmdev_vring_pos - where a ring is at
 * @avail: next buffer to take. Split: free running index; packed: entry
 * @used: next buffer to give back, likewise
 * @avail_wrap: packed: wrap counter of @avail
 * @used_wrap: packed: wrap counter of @used
 *
 * With @avail and @used apart, what is between them is with the device.
 */
struct vmdev_vring_pos {
	u16 avail;
	u16 used;
	bool avail_wrap;
	bool used_wrap;
};

/**
 * struct vmdev_vring_conf - a ring as its driver set it up
 * @desc: descriptor area, @num times 16 bytes
 * @driver: driver area: avail ring, or event suppression of the driver
 * @device: device area: used ring, or event suppression of the device
 * @num: entries; split: a power of two
 * @features: negotiated features; VIRTIO_F_VERSION_1 is taken for granted
 * @read: read @len bytes of guest memory at @iova to @buf; 0 or an error.
 *	For indirect tables
 * @ctx: its first argument
 */
struct vmdev_vring_conf {
	void *desc;
	void *driver;
	void *device;
	u16 num;
	u64 features;
	int (*read)(void *ctx, u64 iova, void *buf, u32 len);
	void *ctx;
};

/**
 * struct vmdev_vring - one ring
 * @packed: its format
 * @indirect: VIRTIO_F_INDIRECT_DESC
 * @event_idx: VIRTIO_F_EVENT_IDX
 * @signalled_valid: split: @signalled is
 * @num: entries
 * @mask: split: @num less one
 * @inflight: entries of the ring that were popped and not pushed
 * @pos: where it is at
 * @seen: split: avail index as read last
 * @signalled: split: used index when the driver's wish was looked at last
 * @fresh: packed: entries pushed and not published; split: buffers
 * @first: packed: the first of those
 * @first_flags: packed: its flags, written last of all
 * @why: NULL, or what is wrong with it
 * @desc: split: descriptor table
 * @avail: split: avail ring
 * @used: split: used ring
 * @pdesc: packed: descriptor ring
 * @driver_event: packed: which interrupts the driver wants
 * @device_event: packed: which kicks the device wants
 * @read: see struct vmdev_vring_conf
 * @ctx: likewise
 */
struct vmdev_vring {
	bool packed;
	bool indirect;
	bool event_idx;
	bool signalled_valid;
	u16 num;
	u32 mask;
	u16 inflight;
	struct vmdev_vring_pos pos;
	u16 seen;
	u16 signalled;
	u16 fresh;
	u16 first;
	u16 first_flags;
	const char *why;
	union {
		struct {
			const struct vring_desc *desc;
			const struct vring_avail *avail;
			struct vring_used *used;
		};
		struct {
			struct vring_packed_desc *pdesc;
			const struct vring_packed_desc_event *driver_event;
			struct vring_packed_desc_event *device_event;
		};
	};
	int (*read)(void *ctx, u64 iova, void *buf, u32 len);
	void *ctx;
};

int vmdev_vring_init(struct vmdev_vring *ring,
		     const struct vmdev_vring_conf *conf,
		     const struct vmdev_vring_pos *pos);

/* vring_split.c */
int vmdev_split_pop(struct vmdev_vring *ring, struct vmdev_vring_chain *chain);
void vmdev_split_unpop(struct vmdev_vring *ring,
		       const struct vmdev_vring_chain *chain);
void vmdev_split_push(struct vmdev_vring *ring, u16 id, u32 len);
bool vmdev_split_publish(struct vmdev_vring *ring);
void vmdev_split_kicks_off(struct vmdev_vring *ring);
bool vmdev_split_kicks_on(struct vmdev_vring *ring);

/* vring_packed.c */
int vmdev_packed_pop(struct vmdev_vring *ring, struct vmdev_vring_chain *chain);
void vmdev_packed_unpop(struct vmdev_vring *ring,
			const struct vmdev_vring_chain *chain);
void vmdev_packed_push(struct vmdev_vring *ring, u16 id, u16 slots, u32 len);
bool vmdev_packed_publish(struct vmdev_vring *ring);
void vmdev_packed_kicks_off(struct vmdev_vring *ring);
bool vmdev_packed_kicks_on(struct vmdev_vring *ring);

/**
 * vmdev_vring_pop() - take the next buffer
 * @ring: the ring
 * @chain: @chain->segs and @chain->max are given, the rest is filled in
 *
 * Return: 1 with a buffer, 0 without one, -EBADMSG if the ring is broken.
 */
static inline int vmdev_vring_pop(struct vmdev_vring *ring,
				  struct vmdev_vring_chain *chain)
{
	return ring->packed ? vmdev_packed_pop(ring, chain) :
	       vmdev_split_pop(ring, chain);
}

/**
 * vmdev_vring_unpop() - put the buffer popped last back
 * @ring: the ring
 * @chain: the buffer; nothing was popped or pushed after it
 */
static inline void vmdev_vring_unpop(struct vmdev_vring *ring,
				     const struct vmdev_vring_chain *chain)
{
	if (ring->packed)
		vmdev_packed_unpop(ring, chain);
	else
		vmdev_split_unpop(ring, chain);
}

/**
 * vmdev_vring_push() - give a buffer back, in any order
 * @ring: the ring
 * @id: id of its chain
 * @slots: slots of its chain
 * @len: bytes written to it
 *
 * The driver does not see it before vmdev_vring_publish().
 */
static inline void vmdev_vring_push(struct vmdev_vring *ring, u16 id, u16 slots,
				    u32 len)
{
	if (ring->packed)
		vmdev_packed_push(ring, id, slots, len);
	else
		vmdev_split_push(ring, id, len);
}

/**
 * vmdev_vring_publish() - let the driver see what was pushed
 * @ring: the ring
 *
 * Return: whether it wants to be interrupted for it.
 */
static inline bool vmdev_vring_publish(struct vmdev_vring *ring)
{
	return ring->packed ? vmdev_packed_publish(ring) :
	       vmdev_split_publish(ring);
}

/**
 * vmdev_vring_kicks_off() - tell the driver that kicks are not needed
 * @ring: the ring
 */
static inline void vmdev_vring_kicks_off(struct vmdev_vring *ring)
{
	if (ring->packed)
		vmdev_packed_kicks_off(ring);
	else
		vmdev_split_kicks_off(ring);
}

/**
 * vmdev_vring_kicks_on() - ask for a kick with the next buffer
 * @ring: the ring
 *
 * Return: whether there are buffers already, for which no kick may come.
 */
static inline bool vmdev_vring_kicks_on(struct vmdev_vring *ring)
{
	return ring->packed ? vmdev_packed_kicks_on(ring) :
	       vmdev_split_kicks_on(ring);
}

#endif /* _VMDEV_VRING_H */
