// SPDX-License-Identifier: GPL-2.0
/*
 * Virtqueues: where a ring is, on hardware that does not tell.
 */
#include <linux/delay.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/virtio_config.h>
#include <uapi/linux/virtio_ring.h>

#include "shadow.h"
#include "vmdev.h"
#include "vring_state.h"

/* How long a queue is watched for a moment at which it has nothing to do. */
#define VMDEV_IDLE_US		100
#define VMDEV_IDLE_TRIES	1000

/* How soon a ring is looked at again whose driver is putting buffers back. */
#define VMDEV_SETTLE_MS		10

/**
 * vmdev_vq_idle() - did hardware use all buffers of a split queue that it has?
 * @dev: the device
 * @i: the queue
 *
 * Where that was is remembered.
 *
 * Context: may sleep; vmdev_parent.lock held.
 */
bool vmdev_vq_idle(struct vmdev_dev *dev, u16 i)
{
	struct vmdev_vq *vq = &dev->vqs[i];
	u16 at;

	if (!vmdev_vq_nothing_out(dev, i, &at))
		return false;
	vq->idle_at = at;
	vq->idle_seen = true;
	return true;
}

/**
 * vmdev_vqs_forget_idle() - queues go on, and what was seen is of no use any more
 * @dev: the device
 *
 * Context: vmdev_parent.lock held.
 */
void vmdev_vqs_forget_idle(struct vmdev_dev *dev)
{
	u16 i;

	for (i = 0; i < dev->nvqs; i++)
		dev->vqs[i].idle_seen = false;
}

/* The last such moment of each queue that sends; one that receives has none. */
static bool vmdev_vqs_were_idle(struct vmdev_dev *dev)
{
	bool all = true;
	u16 i;

	for (i = 1; i < dev->nvqs; i += 2)
		if (dev->vqs[i].direct && !vmdev_vq_idle(dev, i) &&
		    !dev->vqs[i].idle_seen)
			all = false;
	return all;
}

/**
 * vmdev_vqs_seek_idle() - look for moments at which queues had nothing to do
 * @dev: a net device that is live, its hardware without VMDEV_CAP_STATE
 *
 * From there on it can be told what became of each buffer. As long as kicks are not
 * withheld such moments are frequent, but in a queue that is full, which needs none.
 *
 * Context: may sleep, for 100 ms; vmdev_parent.lock held.
 */
void vmdev_vqs_seek_idle(struct vmdev_dev *dev)
{
	int tries = VMDEV_IDLE_TRIES;

	vmdev_vqs_forget_idle(dev);
	if (vmdev_is_packed(dev) || !dev->mem.attached)
		return;
	while (!vmdev_vqs_were_idle(dev) && --tries && vmdev_usable(dev))
		fsleep(VMDEV_IDLE_US);
}

/**
 * struct vmdev_vq_copy - a split ring's rings, as they are in memory
 * @avail: the driver's
 * @used: the device's
 * @avail_size: bytes
 * @used_size: bytes
 */
struct vmdev_vq_copy {
	struct vring_avail *avail;
	struct vring_used *used;
	u64 avail_size;
	u64 used_size;
};

static int vmdev_vq_copy_alloc(const struct vmdev_vq_conf *conf,
			       struct vmdev_vq_copy *copy)
{
	copy->avail_size = sizeof(struct vring_avail) +
			   conf->size * sizeof(__virtio16);
	copy->used_size = sizeof(struct vring_used) +
			  conf->size * sizeof(struct vring_used_elem);
	copy->avail = kvzalloc(copy->avail_size, GFP_KERNEL);
	copy->used = kvzalloc(copy->used_size, GFP_KERNEL);
	return copy->avail && copy->used ? 0 : -ENOMEM;
}

static void vmdev_vq_copy_free(struct vmdev_vq_copy *copy)
{
	kvfree(copy->used);
	kvfree(copy->avail);
}

static int vmdev_vq_recover(struct vmdev_dev *dev, u16 i,
			    struct vmdev_vq_copy *copy,
			    struct vdpa_vq_state *state)
{
	const struct vmdev_vq *vq = &dev->vqs[i];
	const struct vmdev_vq_conf *conf = &vq->conf;
	u8 asid = vmdev_vq_asid(dev, i);
	u16 avail;
	int err;

	err = vmdev_mem_read(dev, asid, conf->device, copy->used,
			     copy->used_size) ? :
	      vmdev_vq_avail_index(dev, i, &avail);
	if (err)
		return err;
	/* The driver may go on: its index at once, and before what that covers. */
	smp_rmb();
	err = vmdev_mem_read(dev, asid, conf->driver, copy->avail,
			     copy->avail_size);
	if (err)
		return err;
	copy->avail->idx = __cpu_to_virtio16(true, avail);
	if (!vmdev_is_net(dev->parent->hw))
		return vmdev_vq_disk_state(dev, i, &state->split.avail_index);
	return vmdev_split_state(copy->avail, copy->used, conf->size,
				 dev->features & BIT_ULL(VIRTIO_F_IN_ORDER),
				 vq->idle_seen ? &vq->idle_at : NULL,
				 &state->split.avail_index);
}

/*
 * A driver that is just putting buffers back, the last one first as Linux does,
 * leaves a ring that two histories explain; when it is done there is one. So it is
 * given a moment.
 */
static int vmdev_vq_settle(struct vmdev_dev *dev, u16 i,
			   struct vmdev_vq_copy *copy,
			   struct vdpa_vq_state *state, int *patience)
{
	int err = vmdev_vq_recover(dev, i, copy, state);

	while (err == -EILSEQ && vmdev_is_net(dev->parent->hw) && *patience) {
		--*patience;
		msleep(VMDEV_SETTLE_MS);
		err = vmdev_vq_recover(dev, i, copy, state);
	}
	return err;
}

/**
 * vmdev_vq_stopped_state() - where is a queue that the hardware stopped?
 * @dev: the device
 * @i: the queue
 * @state: the answer
 * @patience: how many more times its driver is waited for, 10 ms each
 *
 * Exact. A driver that is still at it may take a moment.
 *
 * Context: may sleep; vmdev_parent.lock held.
 * Return: 0; -EILSEQ if completions may have been out of order, or if requests
 * are in flight that must not run twice, with a line;
 * -EOPNOTSUPP for packed rings, or when software does not know the memory;
 * -EFAULT; -ENOMEM.
 */
int vmdev_vq_stopped_state(struct vmdev_dev *dev, u16 i,
			   struct vdpa_vq_state *state, int *patience)
{
	struct vmdev_vq_copy copy;
	int err;

	lockdep_assert_held(&dev->parent->lock);

	if (dev->vqs[i].shadowed) {
		vmdev_shadow_state(dev, i, state);
		return 0;
	}
	if (dev->vqs[i].served) {
		vmdev_ctrl_tell_state(dev, state);
		return 0;
	}
	if (vmdev_is_packed(dev) || !dev->mem.attached)
		return -EOPNOTSUPP;

	err = vmdev_vq_copy_alloc(&dev->vqs[i].conf, &copy);
	if (!err) {
		err = vmdev_vq_settle(dev, i, &copy, state, patience);
		if (err)
			dev_err_ratelimited(&dev->vdpa.dev,
					    "queue %u: ring state cannot be known (avail %u, used %u): %pe\n",
					    i, __virtio16_to_cpu(true, copy.avail->idx),
					    __virtio16_to_cpu(true, copy.used->idx),
					    ERR_PTR(err));
	}
	vmdev_vq_copy_free(&copy);
	return err;
}

/**
 * vmdev_vq_used_state() - where is a split queue that used all it took?
 * @dev: the device, suspended before it was stopped (VMDEV_CAP_SUSPEND)
 * @i: the queue, direct until then
 * @state: the answer
 *
 * Context: may sleep; vmdev_parent.lock held.
 * Return: 0; -EFAULT; -EOPNOTSUPP when software does not know the memory.
 */
int vmdev_vq_used_state(struct vmdev_dev *dev, u16 i,
			struct vdpa_vq_state *state)
{
	if (!dev->mem.attached)
		return -EOPNOTSUPP;
	return vmdev_vq_used_index(dev, i, &state->split.avail_index);
}

/**
 * vmdev_vq_read_state() - where is a queue just now?
 * @dev: the device
 * @i: the queue, on
 * @state: the answer
 *
 * By what is in its memory, if the hardware has the driver's ring: a snapshot.
 *
 * Context: may sleep; vmdev_parent.lock held.
 * Return: as vmdev_vq_stopped_state().
 */
int vmdev_vq_read_state(struct vmdev_dev *dev, u16 i,
			struct vdpa_vq_state *state)
{
	int patience = 0;

	return vmdev_vq_stopped_state(dev, i, state, &patience);
}
