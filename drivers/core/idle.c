// SPDX-License-Identifier: GPL-2.0
/*
 * Did the interrupts of a direct queue have work?
 *
 * Its handler does not ask: it counts down, and only when a chunk of interrupts came is it looked
 * what became of the ring meanwhile. As long as there is work chunks grow, so looking costs
 * next to nothing however heavy the load. Where there is hardly any they are small, and the
 * parent is told (vq_idle): what a storm is, is its business (drivers/irq/storm.c).
 *
 * A driver of the host says of each interrupt whether it had work. User space does not, but
 * its ring is in memory that the core knows: of a split ring the used index tells how many buffers
 * were used, of a packed one the flags of all descriptors only whether any was.
 */
#include <linux/hash.h>
#include <linux/jiffies.h>
#include <uapi/linux/virtio_ring.h>

#include "vmdev.h"

#define VMDEV_IDLE_CHUNK	1024
#define VMDEV_IDLE_CHUNK_MAX	16384

/* Hardly any work: in less than one interrupt of so many. */
#define VMDEV_IDLE_SHARE	16

/* Descriptors that are copied at once, for want of stack. */
#define VMDEV_IDLE_DESCS	16

static int vmdev_vq_read(struct vmdev_vq *q, u64 iova, void *buf, u32 size)
{
	struct vmdev_as *as = &q->dev->mem.as[vmdev_vq_asid(q->dev, q->index)];
	unsigned long flags;
	int err;

	spin_lock_irqsave(&as->lock, flags);
	err = vmdev_as_read(as, iova, buf, size, 0);
	spin_unlock_irqrestore(&as->lock, flags);
	return err;
}

static int vmdev_vq_pos_split(struct vmdev_vq *q, u32 *pos)
{
	__virtio16 idx;
	int err;

	err = vmdev_vq_read(q, q->conf.device + offsetof(struct vring_used, idx),
			    &idx, sizeof(idx));
	if (!err)
		*pos = __virtio16_to_cpu(true, idx);
	return err;
}

static int vmdev_vq_pos_packed(struct vmdev_vq *q, u32 *pos)
{
	struct vring_packed_desc descs[VMDEV_IDLE_DESCS];
	u16 at, n, i;
	u32 hash = 0;
	int err;

	for (at = 0; at < q->conf.size; at += n) {
		n = min_t(u16, q->conf.size - at, VMDEV_IDLE_DESCS);
		err = vmdev_vq_read(q, q->conf.desc + at * sizeof(*descs), descs,
				    n * sizeof(*descs));
		if (err)
			return err;
		for (i = 0; i < n; i++)
			hash = (hash ^ le16_to_cpu(descs[i].flags)) *
			       GOLDEN_RATIO_32;
	}
	*pos = hash;
	return 0;
}

/* Buffers used since the last look, or some number if it can be known only that some were. */
static u32 vmdev_vq_used_since(struct vmdev_vq *q)
{
	bool packed = vmdev_is_packed(q->dev);
	u32 pos = 0, then = q->pos;
	int err;

	err = packed ? vmdev_vq_pos_packed(q, &pos) :
	      vmdev_vq_pos_split(q, &pos);
	/* Nobody can tell, and the ring is broken in any case. */
	if (err)
		return U32_MAX;
	q->pos = pos;
	if (!packed)
		return (u16)(pos - then);
	return pos == then ? 0 : U32_MAX;
}

/* Of the last chunk: interrupts without work; is there hardly any work? */
static u32 vmdev_vq_without_work(struct vmdev_vq *q)
{
	u32 n = q->chunk, work;

	if (q->dev->mem.user) {
		work = vmdev_vq_used_since(q);
	} else {
		work = q->worked - q->worked_then;
		q->worked_then = q->worked;
	}
	WRITE_ONCE(q->idle, work < n / VMDEV_IDLE_SHARE);
	/* An interrupt may be for many buffers: of those of user space one cannot say more. */
	if (q->dev->mem.user && !q->idle)
		return 0;
	return n - min(work, n);
}

/*
 * Not of a length that a constant number of buffers for each interrupt would make a multiple
 * of what an index can count.
 */
static void vmdev_vq_next_chunk(struct vmdev_vq *q)
{
	u32 chunk = VMDEV_IDLE_CHUNK;

	if (!q->idle)
		chunk = min_t(u32, 2 * q->chunk, VMDEV_IDLE_CHUNK_MAX);
	q->chunk = chunk - (u32)jiffies % (chunk / 4);
	q->left = q->chunk;
}

/**
 * vmdev_vq_idle_init() - count from now on
 * @q: the queue, zeroed
 */
void vmdev_vq_idle_init(struct vmdev_vq *q)
{
	q->chunk = VMDEV_IDLE_CHUNK;
	q->left = q->chunk;
}

/**
 * vmdev_vq_look() - a chunk of interrupts of a queue came: did they have work?
 * @q: the queue, direct
 *
 * Context: hard interrupt; @q->cb_lock held.
 */
void vmdev_vq_look(struct vmdev_vq *q)
{
	struct vmdev_hw *hw = q->dev->hw;
	u32 idle;

	lockdep_assert_held(&q->cb_lock);

	atomic64_add(q->chunk, &q->events);
	if (hw->ops->vq_idle) {
		idle = vmdev_vq_without_work(q);
		if (idle)
			hw->ops->vq_idle(hw, q->hw_vq, idle, q->idle);
	}
	vmdev_vq_next_chunk(q);
}

/**
 * vmdev_vq_events() - how many interrupts came
 * @q: the queue
 *
 * Context: any.
 */
u64 vmdev_vq_events(struct vmdev_vq *q)
{
	unsigned long flags;
	u64 events;

	spin_lock_irqsave(&q->cb_lock, flags);
	events = atomic64_read(&q->events) + q->chunk - q->left;
	spin_unlock_irqrestore(&q->cb_lock, flags);
	return events;
}
