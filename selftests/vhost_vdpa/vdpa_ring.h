/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The driver's side of one virtqueue, split or packed, in the client's arena.
 *
 * A buffer is a chain of segments with a token of the caller's. The ring
 * remembers which token is out, so that a completion that was never asked for,
 * or comes twice, is seen and never believed.
 */
#ifndef VMDEV_VDPA_RING_H
#define VMDEV_VDPA_RING_H

#include <linux/virtio_ring.h>

#include "vdpa_client.h"

#define VQ_MAX_NUM	1024

/* SET_VRING_BASE of a ring that nobody has touched. */
#define VQ_BASE_SPLIT	0U
#define VQ_BASE_PACKED	0x80008000U

struct vq_seg {
	__u64 iova;
	__u32 len;
};

/**
 * struct vq - a virtqueue as its driver sees it
 * @c: the device
 * @idx: number of the queue
 * @num: ring size
 * @packed: layout
 * @kick: eventfd towards the device
 * @call: eventfd from the device
 * @desc: split descriptors, or the packed ring
 * @driver: avail ring, or driver event suppression
 * @device: used ring, or device event suppression
 * @avail_idx: split: next avail index; packed: next slot
 * @used_idx: split: next used index; packed: next slot
 * @avail_wrap: packed only
 * @used_wrap: packed only
 * @free: stack of free descriptor ids
 * @nfree: its height
 * @slots: free ring slots
 * @token: of the buffer that starts at this id; NULL when not out
 * @nsegs: of that buffer
 * @next: split: the id after this one in its chain
 * @error: first thing the device got wrong, a negative errno
 */
struct vq {
	struct vdpa_client *c;
	unsigned int idx;
	__u16 num;
	bool packed;
	int kick;
	int call;
	void *desc;
	void *driver;
	void *device;
	__u16 avail_idx;
	__u16 used_idx;
	bool avail_wrap;
	bool used_wrap;
	__u16 free[VQ_MAX_NUM];
	__u16 nfree;
	__u16 slots;
	void *token[VQ_MAX_NUM];
	__u16 nsegs[VQ_MAX_NUM];
	__u16 next[VQ_MAX_NUM];
	int error;
};

int vq_init(struct vq *vq, struct vdpa_client *c, unsigned int idx,
	    __u16 num, bool packed);
void vq_clear(struct vq *vq);
void vq_close(struct vq *vq);
__u32 vq_fresh_base(const struct vq *vq);
int vq_attach(struct vq *vq, __u32 base);
int vq_enable(struct vq *vq, bool on);

int vq_add(struct vq *vq, const struct vq_seg *segs, unsigned int nout,
	   unsigned int nin, void *token);
void *vq_get(struct vq *vq, __u32 *len);
bool vq_pending(const struct vq *vq);
unsigned int vq_in_flight(const struct vq *vq);
__u32 vq_used_base(const struct vq *vq);

void vq_kick(struct vq *vq);
bool vq_wants_kick(const struct vq *vq);
bool vq_asked(const struct vq *vq, __u16 before);
void vq_call_after(struct vq *vq, unsigned int n);
bool vq_called(struct vq *vq, int ms);
bool vq_wait(struct vq *vq, int ms);

#endif
