/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Shadow virtqueues: the hardware works on rings of the core's.
 */
#ifndef _VMDEV_SHADOW_H
#define _VMDEV_SHADOW_H

#include <linux/hrtimer_types.h>
#include <linux/spinlock.h>
#include <linux/timer.h>
#include <linux/types.h>
#include <linux/workqueue.h>

#include <vmdev/vring.h>

#include "drvring.h"
#include "ring_mem.h"
#include "vmdev.h"

/* Chains carried in one go with interrupts off. */
#define VMDEV_SHADOW_BUDGET	64

/* Kicks that are asked for once hardware took its time, see vmdev_shadow_watch(). */
#define VMDEV_SHADOW_REST	64

/* To mark as much writable memory costs as much as a chain: 16 MiB. */
#define VMDEV_SHADOW_MARK_SHIFT	24

/* To look at as many mappings for a buffer costs as much as a chain. */
#define VMDEV_SHADOW_LOOKS	32

/* How often to look at a ring whose doorbell the guest has. */
#define VMDEV_SHADOW_POLL_MIN	(50 * NSEC_PER_USEC)
#define VMDEV_SHADOW_POLL_MAX	(1 * NSEC_PER_MSEC)

/**
 * struct vmdev_shadow_buf - a chain that the hardware has
 * @seq: how many were given to it before
 * @id: what the guest calls it
 * @slots: entries of the guest's ring that it takes
 */
struct vmdev_shadow_buf {
	u64 seq;
	u16 id;
	u16 slots;
};

/**
 * struct vmdev_shadow - a shadow virtqueue
 * @dev: its device
 * @vq: its queue
 * @index: number of @vq
 * @lock: protects all below but @bh, @poll and @watch; taken in hard interrupt context
 * @running: the hardware has the ring
 * @forwarding: buffers of the guest are taken
 * @starved: the next chain waits for room in the hardware's ring
 * @home: it shall go direct at the beginning of its ring, see home.c
 * @held: it is there, and takes no buffers until hardware used those it has
 * @passing: it waited there too long: the next time
 * @polling: the guest may ring the hardware's doorbell itself
 * @paced: while hardware has something of it no kick is wanted, see shadow.c
 * @quiet: it is so just now
 * @rest: so many more times it is not, as hardware took its time
 * @why: the guest's ring, or the hardware's, is broken: what happened, until told
 * @mem: the guest's ring in memory of the kernel
 * @guest: the guest's ring
 * @hw: the hardware's
 * @area: memory of that
 * @iova: where the hardware sees it
 * @area_size: bytes of it
 * @bufs: by id of @hw: what the hardware has
 * @segs: scratch for one chain
 * @max: length of @segs
 * @asid: address space of the guest's ring and buffers
 * @as: the same
 * @hint: where in it a buffer was last
 * @waits: chains that hardware had when @held was looked at last
 * @seq: chains given to the hardware
 * @done: the highest number of a chain that it used, plus one
 * @bh: carries what was too much for an interrupt or a kick, and tells the guest
 * @poll: looks at the ring while @polling
 * @interval: ns until it looks again
 * @watch: looks at the ring while @quiet, should hardware take its time
 */
struct vmdev_shadow {
	struct vmdev_dev *dev;
	struct vmdev_vq *vq;
	u16 index;
	/* Protects what follows, see above. */
	spinlock_t lock;
	bool running;
	bool forwarding;
	bool starved;
	bool home;
	bool held;
	bool passing;
	bool polling;
	bool paced;
	bool quiet;
	u16 rest;
	const char *why;
	struct vmdev_ring_mem mem;
	struct vmdev_vring guest;
	struct vmdev_drv hw;
	void *area;
	u64 iova;
	size_t area_size;
	struct vmdev_shadow_buf *bufs;
	struct vmdev_vring_seg *segs;
	u16 max;
	u8 asid;
	struct vmdev_as *as;
	struct vmdev_map_hint hint;
	u16 waits;
	u64 seq;
	u64 done;
	struct work_struct bh;
	struct hrtimer poll;
	u64 interval;
	struct timer_list watch;
};

/**
 * enum vmdev_home - is a queue where it can go direct?
 * @VMDEV_HOME_AWAY: no
 * @VMDEV_HOME_WAITS: nearly: hardware has some buffers yet
 * @VMDEV_HOME_THERE: yes
 */
enum vmdev_home {
	VMDEV_HOME_AWAY,
	VMDEV_HOME_WAITS,
	VMDEV_HOME_THERE,
};

/* shadow_setup.c */
int vmdev_shadow_prepare(struct vmdev_dev *dev, u16 i,
			 struct vmdev_vq_conf *hw_conf);
void vmdev_shadow_run(struct vmdev_dev *dev, u16 i);
void vmdev_shadow_forwarding(struct vmdev_dev *dev, u16 i, bool on);
void vmdev_shadow_home(struct vmdev_dev *dev, u16 i, bool on);
enum vmdev_home vmdev_shadow_look_home(struct vmdev_dev *dev, u16 i);
bool vmdev_shadow_idle(struct vmdev_dev *dev, u16 i);
void vmdev_shadow_state(struct vmdev_dev *dev, u16 i,
			struct vdpa_vq_state *state);
void vmdev_shadow_mark_out(struct vmdev_dev *dev, u16 i);
int vmdev_shadow_stop(struct vmdev_dev *dev, u16 i,
		      struct vdpa_vq_state *state);
void vmdev_shadow_free(struct vmdev_vq *vq);

/* shadow.c; any context */
void vmdev_shadow_kick(struct vmdev_vq *vq);
bool vmdev_shadow_used(struct vmdev_vq *vq);
void vmdev_shadow_doorbell(struct vmdev_dev *dev, u16 i);
bool vmdev_shadow_reap(struct vmdev_shadow *s, int budget);
void vmdev_shadow_mark(struct vmdev_shadow *s, u16 id);
void vmdev_shadow_bh(struct work_struct *work);
enum hrtimer_restart vmdev_shadow_poll(struct hrtimer *timer);
void vmdev_shadow_watch(struct timer_list *timer);

#endif /* _VMDEV_SHADOW_H */
