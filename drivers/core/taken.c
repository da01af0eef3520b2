// SPDX-License-Identifier: GPL-2.0
/*
 * Disks: which requests does hardware have that keeps no ring states?
 *
 * They must not run twice, so it has to have none when it is stopped. If its driver is
 * quiet all are used in the end. But a driver that goes on may never be seen without a
 * request that is under way. Kicks can be withheld, so hardware comes to an end, at a
 * place in the ring where nobody sees it by the used index alone: what comes after that
 * may be what hardware did not take, or what takes long.
 *
 * avail_event tells, VIRTIO_RING_F_EVENT_IDX negotiated, of hardware that writes it
 * when it has taken what there was, as most does: then it is beyond the used index as
 * long as requests are out. That is looked for while the queue runs. Hardware whose
 * avail_event is late, or is never written, is not believed: it has to be seen with all
 * requests used, twice.
 *
 * Here as elsewhere a driver that lies about its ring does so about its own disk.
 */
#include <linux/delay.h>
#include <uapi/linux/virtio_ring.h>

#include "vmdev.h"

/*
 * How long queues are watched for what hardware took, before kicks are withheld; and for how many
 * looks in a row drivers have to be quiet, for it not to matter.
 */
#define VMDEV_TAKEN_US		100
#define VMDEV_TAKEN_TRIES	1000
#define VMDEV_TAKEN_QUIET	100

/* Is it seen that hardware tells what it took? Not of one value: that may stand there for ever. */
static void vmdev_vq_learn_taken(struct vmdev_dev *dev, u16 i)
{
	struct vmdev_vq *vq = &dev->vqs[i];
	u16 event, used, avail, out, taken;

	if (!(dev->features & BIT_ULL(VIRTIO_RING_F_EVENT_IDX)))
		return;
	/* In this order, for avail_event was beyond the used index only if it was before. */
	if (vmdev_vq_avail_event(dev, i, &event))
		return;
	dma_rmb();
	if (vmdev_vq_used_index(dev, i, &used))
		return;
	dma_rmb();
	if (vmdev_vq_avail_index(dev, i, &avail))
		return;

	out = avail - used;
	taken = event - used;
	if (!taken || taken > out || out > vq->conf.size)
		return;
	if (vq->taken_seen && vq->taken_at != event)
		vq->tells_taken = true;
	vq->taken_seen = true;
	vq->taken_at = event;
}

/* Did its driver offer more since the last look? */
static bool vmdev_vq_moved(struct vmdev_dev *dev, u16 i)
{
	struct vmdev_vq *vq = &dev->vqs[i];
	u16 then = vq->offered;

	return !vmdev_vq_avail_index(dev, i, &vq->offered) &&
	       vq->offered != then;
}

/**
 * vmdev_vqs_seek_taken() - does hardware tell what it took?
 * @dev: a device with split queues, live, kicks not withheld yet
 *
 * It is watched until it did, of all queues, or until their drivers have nothing to say.
 *
 * Context: may sleep, for some 100 ms; vmdev_parent.lock held.
 * Return: 0; -EBUSY if a driver offers more and has its doorbell mapped: its kicks cannot be
 * withheld.
 */
int vmdev_vqs_seek_taken(struct vmdev_dev *dev)
{
	int tries, quiet = -1;
	bool all;
	u16 i;

	for (tries = 0; tries < VMDEV_TAKEN_TRIES && quiet < VMDEV_TAKEN_QUIET &&
	     vmdev_usable(dev); tries++) {
		all = true;
		quiet++;
		for (i = 0; i < dev->nvqs; i++) {
			struct vmdev_vq *vq = &dev->vqs[i];
			bool moved;

			if (!vq->direct)
				continue;
			moved = vmdev_vq_moved(dev, i);
			/* The first look says nothing. */
			if (moved && tries && READ_ONCE(vq->doorbell))
				return -EBUSY;
			if (moved)
				quiet = 0;
			if (!vq->tells_taken)
				vmdev_vq_learn_taken(dev, i);
			all = all && vq->tells_taken && !READ_ONCE(vq->doorbell);
		}
		if (all)
			break;
		fsleep(VMDEV_TAKEN_US);
	}
	return 0;
}

/**
 * vmdev_vq_offered() - kicks are withheld from now on: what did hardware get until then?
 * @dev: the device
 * @i: the queue, split, direct
 *
 * Context: may sleep; vmdev_parent.lock held.
 * Return: is hardware to be kicked once more, for it may not know of all that?
 */
bool vmdev_vq_offered(struct vmdev_dev *dev, u16 i)
{
	u16 *offered = &dev->vqs[i].offered, used;

	/* A ring that cannot be read is not seen idle either. */
	if (vmdev_vq_avail_index(dev, i, offered))
		return false;
	return !vmdev_vq_used_index(dev, i, &used) && used != *offered;
}

/**
 * vmdev_vq_nothing_out() - has hardware no buffer of a split queue?
 * @dev: the device
 * @i: the queue, direct
 * @at: gets the used index
 *
 * Because all were used that the driver offered; or, of a disk whose kicks are withheld, because
 * it tells that it took no more than it used.
 *
 * Context: may sleep; vmdev_parent.lock held.
 */
bool vmdev_vq_nothing_out(struct vmdev_dev *dev, u16 i, u16 *at)
{
	const struct vmdev_vq *vq = &dev->vqs[i];
	u16 avail, event;

	if (vmdev_vq_used_index(dev, i, at))
		return false;
	/* Used first: it never is beyond avail, so if it is not before, it was there. */
	dma_rmb();
	if (vmdev_vq_avail_index(dev, i, &avail))
		return false;
	if (avail == *at)
		return true;
	return vq->tells_taken && (s16)(*at - vq->offered) >= 0 &&
	       !vmdev_vq_avail_event(dev, i, &event) && event == *at;
}

/**
 * vmdev_vq_rests() - is hardware still where a split queue was idle?
 * @dev: the device, whose kicks are withheld
 * @i: the queue, direct
 *
 * Some time after vmdev_vq_idle(). Hardware that looks at a ring without being kicked, or late,
 * is found out: then the queue was not idle.
 *
 * Context: may sleep; vmdev_parent.lock held.
 */
bool vmdev_vq_rests(struct vmdev_dev *dev, u16 i)
{
	struct vmdev_vq *vq = &dev->vqs[i];
	u16 at;

	vq->idle_seen = vq->idle_seen && vmdev_vq_nothing_out(dev, i, &at) &&
			at == vq->idle_at;
	return vq->idle_seen;
}

/**
 * vmdev_vq_disk_state() - where is a disk's queue that hardware stopped?
 * @dev: the device
 * @i: the queue, split, direct until then
 * @index: gets the avail index
 *
 * Its driver may have offered more since kicks were withheld. Who can kick by itself
 * (a doorbell that is mapped) gets hardware to take more, and only hardware can tell.
 *
 * Context: may sleep; vmdev_parent.lock held.
 * Return: 0; -EILSEQ if there may be requests that hardware took and did not finish;
 * -EFAULT.
 */
int vmdev_vq_disk_state(struct vmdev_dev *dev, u16 i, u16 *index)
{
	const struct vmdev_vq *vq = &dev->vqs[i];
	u16 used, avail, event;
	int err;

	err = vmdev_vq_used_index(dev, i, &used) ? :
	      vmdev_vq_avail_index(dev, i, &avail);
	if (err)
		return err;
	*index = used;
	if (avail == used)
		return 0;
	if (!vq->idle_seen || (u16)(avail - used) > vq->conf.size)
		return -EILSEQ;
	if (!vq->tells_taken)
		return used == vq->idle_at && !READ_ONCE(vq->doorbell) ? 0 : -EILSEQ;
	return vmdev_vq_avail_event(dev, i, &event) ? :
	       event == used ? 0 : -EILSEQ;
}
