/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Hardware that is a kernel module: what real hardware with all that a parent can
 * wish for would be to the core. It can tell and be told the state of its rings,
 * reset one queue, log what it writes in a bitmap, finishes requests out of order, and
 * counts what it did.
 *
 * Its capabilities are a module parameter, so it can be plain hardware, too.
 * One lock serialises all of it: it need not be fast.
 */
#ifndef _SOFT_HW_H
#define _SOFT_HW_H

#include <linux/mutex.h>
#include <linux/platform_device.h>
#include <linux/types.h>
#include <linux/workqueue.h>

#include <vmdev/hw.h>
#include <vmdev/vring.h>

#include <vmdev/maps.h>

#define SOFT_VQS	2
#define SOFT_VQ_SIZE	256
#define SOFT_CONFIG	64
#define SOFT_SEGS	SOFT_VQ_SIZE
#define SOFT_PARTS	3

/* Requests that it has under way, per queue: they finish in any order. */
#define SOFT_DEPTH	8

struct soft_hw;

/**
 * struct soft_buf - a buffer that was taken from a ring
 * @chain: the buffer; its pieces are in @segs
 * @segs: its pieces
 */
struct soft_buf {
	struct vmdev_vring_chain chain;
	struct vmdev_vring_seg segs[SOFT_SEGS];
};

/**
 * struct soft_area - an area of a ring, in one piece for the kernel
 * @pages: its pages
 * @count: how many
 * @held: each is held
 * @va: mapping of them
 */
struct soft_area {
	struct page **pages;
	unsigned int count;
	bool held;
	void *va;
};

/**
 * struct soft_vq - a queue
 * @on: it runs
 * @software: its interrupts are for the core
 * @data: what its interrupt handler is to be given
 * @areas: memory of its ring
 * @ring: the ring
 * @bufs: requests under way
 * @nbufs: how many
 */
struct soft_vq {
	bool on;
	bool software;
	void *data;
	struct soft_area areas[SOFT_PARTS];
	struct vmdev_vring ring;
	struct soft_buf bufs[SOFT_DEPTH];
	unsigned int nbufs;
};

/**
 * struct soft_type - a kind of device
 * @id: virtio device id
 * @features: of that type
 * @init: fills in the configuration, makes what it needs
 * @exit: the reverse
 * @run: serve the queues; true if there is more to do
 * @finish: finish all that is under way of one queue
 */
struct soft_type {
	u32 id;
	u64 features;
	int (*init)(struct soft_hw *soft);
	void (*exit)(struct soft_hw *soft);
	bool (*run)(struct soft_hw *soft);
	void (*finish)(struct soft_hw *soft, u16 i);
};

/**
 * struct soft_hw - a device
 * @hw: what the core knows of it
 * @type: its kind
 * @pdev: its place in sysfs
 * @status: device status
 * @features: negotiated features
 * @config: configuration space
 * @vq_size: ring sizes
 * @vqs: its queues
 * @maps: the memory that it can reach, by IOVA
 * @attached: @maps counts; else an IOVA is a physical address
 * @work: serves the queues
 * @peer: net: who gets what is sent
 * @disk: block: contents
 * @bounce: scratch for data
 * @done: requests carried out, but for net: frames that arrived
 * @writes: block: of those, writes
 * @dropped: net: frames sent to one that did not run
 * @faults: accesses to memory that it must not reach
 * @log: the bitmap where it logs what it writes, an IOVA; 0 if it does not
 * @log_end: where that ends
 * @logged: bits that it set there, those that were set included
 */
struct soft_hw {
	struct vmdev_hw hw;
	const struct soft_type *type;
	struct platform_device *pdev;
	u8 status;
	u64 features;
	u8 config[SOFT_CONFIG];
	u16 vq_size[SOFT_VQS];
	struct soft_vq vqs[SOFT_VQS];
	struct vmdev_maps maps;
	bool attached;
	struct work_struct work;
	struct soft_hw *peer;
	void *disk;
	void *bounce;
	u64 done;
	u64 writes;
	u64 dropped;
	u64 faults;
	u64 log;
	u64 log_end;
	u64 logged;
};

/**
 * enum soft_fault - what it does wrong, for tests that have to see it
 * @SOFT_FAULT_NONE: nothing
 * @SOFT_FAULT_LOSE: of 32 writes one is not carried out
 * @SOFT_FAULT_TWICE: one is carried out twice
 * @SOFT_FAULT_LOSE_BIT: of 32 pages that are written one is not logged
 * @SOFT_FAULT_NO_LOG: it takes the bitmap, and does not log
 * @SOFT_FAULT_REFUSE_LOG: it does not take it
 */
enum soft_fault {
	SOFT_FAULT_NONE,
	SOFT_FAULT_LOSE,
	SOFT_FAULT_TWICE,
	SOFT_FAULT_LOSE_BIT,
	SOFT_FAULT_NO_LOG,
	SOFT_FAULT_REFUSE_LOG,
};

extern const struct soft_type soft_blk;
extern const struct soft_type soft_net;
extern struct mutex soft_lock;
extern struct workqueue_struct *soft_wq;
enum soft_fault soft_fault_now(void);
bool soft_fault_is(enum soft_fault which);

/* queue.c; soft_lock held */
int soft_vq_start(struct soft_hw *soft, u16 i, const struct vmdev_vq_conf *conf);
void soft_vq_stop(struct soft_hw *soft, u16 i, struct vdpa_vq_state *state);
struct soft_buf *soft_vq_take(struct soft_hw *soft, u16 i);
void soft_vq_untake(struct soft_hw *soft, u16 i);
void soft_vq_give(struct soft_hw *soft, u16 i, unsigned int at, u32 len);
bool soft_vq_tell(struct soft_hw *soft, u16 i);
u32 soft_read(struct soft_hw *soft, const struct soft_buf *buf, u32 offset,
	      void *to, u32 len);
u32 soft_write(struct soft_hw *soft, const struct soft_buf *buf, u32 offset,
	       const void *from, u32 len);

static inline struct soft_hw *soft_hw(struct vmdev_hw *hw)
{
	return container_of(hw, struct soft_hw, hw);
}

#endif
