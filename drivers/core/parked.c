// SPDX-License-Identifier: GPL-2.0
/*
 * Is a ring where hardware says that it stopped, and does it stay there?
 *
 * Hardware that keeps ring states (VMDEV_CAP_STATE) says where its queues stopped, and
 * from then on nobody writes their rings: they are parked. Both can be seen in memory of
 * the driver. What does not agree is an error, and all that is logged is dirty: who goes
 * on, or says wrong things, may have written what is in no log.
 *
 * All under vmdev_parent.lock.
 */
#include <uapi/linux/virtio_ring.h>

#include "ring_mem.h"
#include "vmdev.h"

static int vmdev_vq_index(struct vmdev_dev *dev, u16 i, u64 iova, u16 *index)
{
	__virtio16 raw;
	int err;

	err = vmdev_mem_read(dev, vmdev_vq_asid(dev, i), iova, &raw,
			     sizeof(raw));
	if (!err)
		*index = __virtio16_to_cpu(true, raw);
	return err;
}

/**
 * vmdev_vq_used_index() - how far has the device used a split ring?
 * @dev: the device
 * @i: the queue, with the addresses of its ring
 * @used: gets the used index
 *
 * Context: may sleep; vmdev_parent.lock held.
 * Return: 0, or an error of vmdev_mem_read().
 */
int vmdev_vq_used_index(struct vmdev_dev *dev, u16 i, u16 *used)
{
	return vmdev_vq_index(dev, i, dev->vqs[i].conf.device +
			      offsetof(struct vring_used, idx), used);
}

/**
 * vmdev_vq_avail_index() - how far has the driver filled it?
 * @dev: the device
 * @i: likewise
 * @avail: gets the available index
 *
 * Context: may sleep; vmdev_parent.lock held.
 * Return: likewise.
 */
int vmdev_vq_avail_index(struct vmdev_dev *dev, u16 i, u16 *avail)
{
	return vmdev_vq_index(dev, i, dev->vqs[i].conf.driver +
			      offsetof(struct vring_avail, idx), avail);
}

/**
 * vmdev_vq_avail_event() - for which buffer does the device want to be kicked?
 * @dev: the device, with VIRTIO_RING_F_EVENT_IDX
 * @i: likewise
 * @event: gets the available index
 *
 * Context: may sleep; vmdev_parent.lock held.
 * Return: likewise.
 */
int vmdev_vq_avail_event(struct vmdev_dev *dev, u16 i, u16 *event)
{
	const struct vmdev_vq_conf *conf = &dev->vqs[i].conf;

	return vmdev_vq_index(dev, i, conf->device + sizeof(struct vring_used) +
			      conf->size * sizeof(struct vring_used_elem), event);
}

/* Of packed rings, and those of a driver of the host, only hardware knows. Software is believed. */
static bool vmdev_vq_tells_used(struct vmdev_dev *dev, u16 i, u16 *used)
{
	return !vmdev_is_packed(dev) && dev->mem.attached && dev->hw->dma_dev &&
	       !vmdev_vq_used_index(dev, i, used);
}

/* Does a ring have no more entries that wait than it has room for? */
static bool vmdev_vq_was_given(struct vmdev_dev *dev, u16 i, u16 used, u16 *avail)
{
	return vmdev_vq_avail_index(dev, i, avail) ||
	       (u16)(*avail - used) <= dev->vqs[i].conf.size;
}

/**
 * vmdev_vq_check_state() - is a queue where hardware says that it stopped?
 * @dev: the device
 * @i: the queue, direct until it was stopped
 * @state: what hardware says
 *
 * A device that stopped has told its driver of all that it used: the ring says so, too. And it
 * cannot have used what it was not given.
 *
 * Context: may sleep; vmdev_parent.lock held.
 * Return: 0; -EILSEQ if that is not so, with a line.
 */
int vmdev_vq_check_state(struct vmdev_dev *dev, u16 i,
			 const struct vdpa_vq_state *state)
{
	u16 used, avail, at = state->split.avail_index;

	if (!vmdev_vq_tells_used(dev, i, &used))
		return 0;
	/* Which of the two is wrong nobody can tell: the driver may write all of its ring. */
	if (used != at)
		dev_err_ratelimited(&dev->vdpa.dev,
				    "queue %u: hardware says that it stopped at %u, its ring says %u\n",
				    i, at, used);
	else if (!vmdev_vq_was_given(dev, i, used, &avail))
		dev_err_ratelimited(&dev->vdpa.dev,
				    "queue %u: hardware and ring say that it stopped at %u, but its driver offers up to %u only\n",
				    i, used, avail);
	else
		return 0;
	vmdev_hw_log_distrust(dev);
	return -EILSEQ;
}

/* Software may have gone on with it, too, and then says where it is now. */
static bool vmdev_vq_stays_parked(struct vmdev_dev *dev, u16 i, u16 *used)
{
	const struct vmdev_vq *vq = &dev->vqs[i];

	return !vq->parked || !vmdev_vq_tells_used(dev, i, used) ||
	       *used == vq->conf.state.split.avail_index;
}

/**
 * vmdev_vq_unpark() - the driver says anew where a queue is, or its ring, or takes that away
 * @dev: the device
 * @i: the queue, off
 *
 * Context: may sleep; vmdev_parent.lock held.
 */
void vmdev_vq_unpark(struct vmdev_dev *dev, u16 i)
{
	u16 used;

	lockdep_assert_held(&dev->parent->lock);

	if (!vmdev_vq_stays_parked(dev, i, &used))
		vmdev_hw_log_distrust(dev);
	dev->vqs[i].parked = false;
}

/**
 * vmdev_vqs_unmapped() - memory goes: was a ring in it that is parked?
 * @dev: the device
 * @asid: address space
 * @first: first IOVA
 * @last: last IOVA
 *
 * What is mapped there next is another one's, and says nothing of the queue.
 *
 * Context: may sleep; vmdev_parent.lock held.
 */
void vmdev_vqs_unmapped(struct vmdev_dev *dev, unsigned int asid, u64 first,
			u64 last)
{
	u16 i;

	/* Others park none. */
	if (!(dev->hw->caps.caps & VMDEV_CAP_STATE))
		return;
	for (i = 0; i < dev->nvqs; i++)
		if (dev->vqs[i].parked && vmdev_vq_asid(dev, i) == asid &&
		    vmdev_ring_touches(dev, i, first, last))
			vmdev_vq_unpark(dev, i);
}

/**
 * vmdev_vq_check_parked() - is a queue still where it was stopped?
 * @dev: the device
 * @i: the queue, off
 *
 * Hardware that went on with a ring that it had let go of has used buffers that nobody
 * knows of: what their memory had was not logged, and their driver was not told.
 *
 * Context: may sleep; vmdev_parent.lock held.
 * Return: 0; -EILSEQ if it is not, with a line, and the device broken.
 */
int vmdev_vq_check_parked(struct vmdev_dev *dev, u16 i)
{
	u16 used, n, at = dev->vqs[i].conf.state.split.avail_index;

	lockdep_assert_held(&dev->parent->lock);

	if (vmdev_vq_stays_parked(dev, i, &used))
		return 0;
	vmdev_hw_log_distrust(dev);
	/* One is enough. */
	for (n = 0; n < dev->nvqs; n++)
		dev->vqs[n].parked = false;
	dev_err_ratelimited(&dev->vdpa.dev,
			    "queue %u: its ring was written while it was stopped at %u, it says %u\n",
			    i, at, used);
	vmdev_break(dev, "a ring was written while its queue was stopped");
	return -EILSEQ;
}
