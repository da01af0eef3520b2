// SPDX-License-Identifier: GPL-2.0
/* Queues: where their rings are, and when they run. */
#include <linux/bottom_half.h>
#include <linux/irq_work.h>
#include <linux/irqflags.h>
#include <linux/preempt.h>
#include <linux/slab.h>

#include "vmdev_soft.h"

static int vmdev_soft_ring_read(void *ctx, u64 iova, void *buf, u32 len)
{
	return vmdev_soft_read(ctx, iova, buf, len);
}

static int vmdev_soft_areas_get(struct vmdev_soft_vq *vq,
				const struct vmdev_vq_conf *conf,
				struct vmdev_vring_conf *ring)
{
	bool packed = vmdev_soft_has(vq->soft, VIRTIO_F_RING_PACKED);
	size_t n = conf->size, event = sizeof(struct vring_packed_desc_event);

	ring->desc = vmdev_soft_area_get(vq->soft, &vq->areas[0], conf->desc,
					 n * sizeof(struct vring_desc), packed);
	ring->driver = vmdev_soft_area_get(vq->soft, &vq->areas[1], conf->driver,
					   packed ? event :
					   (n + 3) * sizeof(__virtio16), false);
	ring->device = vmdev_soft_area_get(vq->soft, &vq->areas[2], conf->device,
					   packed ? event : 3 * sizeof(__virtio16) +
					   n * sizeof(struct vring_used_elem),
					   true);
	return ring->desc && ring->driver && ring->device ? 0 : -EFAULT;
}

static void vmdev_soft_areas_put(struct vmdev_soft_vq *vq)
{
	int i;

	for (i = 0; i < VMDEV_SOFT_PARTS; i++)
		vmdev_soft_area_put(&vq->areas[i]);
}

/**
 * vmdev_soft_vq_start() - have a queue run
 * @vq: the queue, which does not
 * @conf: its ring
 *
 * Context: may sleep; the core calls one at a time.
 * Return: 0; -EFAULT if its ring is no memory, -EINVAL or -EILSEQ for a state that
 * cannot be, -ENOMEM.
 */
int vmdev_soft_vq_start(struct vmdev_soft_vq *vq, const struct vmdev_vq_conf *conf)
{
	bool packed = vmdev_soft_has(vq->soft, VIRTIO_F_RING_PACKED);
	struct vmdev_vring_conf ring = {
		.num = conf->size,
		.features = vq->soft->features,
		.read = vmdev_soft_ring_read,
		.ctx = vq->soft,
	};
	struct vmdev_vring_pos pos;
	int err;

	err = vmdev_ring_pos(&vq->soft->hw, packed, &conf->state, &pos);
	if (err)
		return err;
	vq->segs = kvmalloc_array(VMDEV_CHAIN_MAX, sizeof(*vq->segs), GFP_KERNEL);
	err = vq->segs ? vmdev_soft_areas_get(vq, conf, &ring) : -ENOMEM;
	if (!err)
		err = vmdev_vring_init(&vq->ring, &ring, &pos);
	if (err) {
		vmdev_soft_vq_stop(vq, NULL);
		return err;
	}
	/* Whoever serves it asks for them when there is nothing left. */
	vmdev_vring_kicks_off(&vq->ring);
	spin_lock_bh(&vq->lock);
	vq->software = conf->software;
	vq->hint = (struct vmdev_soft_hint) { 0 };
	vq->on = true;
	spin_unlock_bh(&vq->lock);
	return 0;
}

/**
 * vmdev_soft_vq_off() - take nothing more from a queue
 * @vq: the queue; vmdev_soft_vq_stop() has to follow
 *
 * Context: may sleep; the core calls one at a time.
 */
void vmdev_soft_vq_off(struct vmdev_soft_vq *vq)
{
	spin_lock_bh(&vq->lock);
	/* Whoever pushed may have been about to: afterwards it is too late. */
	if (vq->on)
		vmdev_soft_vq_publish(vq);
	vq->on = false;
	spin_unlock_bh(&vq->lock);
}

/**
 * vmdev_soft_vq_stop() - have a queue run no more
 * @vq: the queue
 * @state: NULL, or where to store that of its ring, if it ran
 *
 * What is under way is waited for; it is given back meanwhile, with interrupts.
 *
 * Context: may sleep; the core calls one at a time.
 */
void vmdev_soft_vq_stop(struct vmdev_soft_vq *vq, struct vdpa_vq_state *state)
{
	bool ran = vq->segs;

	vmdev_soft_vq_off(vq);
	if (ran && vq->soft->type->drain)
		vq->soft->type->drain(vq);
	if (ran && state) {
		/* Whoever goes on with the ring finds it asking for kicks. */
		vmdev_vring_kicks_on(&vq->ring);
		vmdev_ring_tell_state(&vq->ring, state);
	}
	vmdev_soft_areas_put(vq);
	kvfree(vq->segs);
	vq->segs = NULL;
}

/**
 * vmdev_soft_vq_publish() - show the driver what was pushed, and interrupt it
 * @vq: the queue
 *
 * Context: any; @vq->lock held.
 */
void vmdev_soft_vq_publish(struct vmdev_soft_vq *vq)
{
	unsigned long flags;

	if (!vmdev_vring_publish(&vq->ring))
		return;
	/* As from an interrupt handler, which is a thread with PREEMPT_RT. */
	if (!IS_ENABLED(CONFIG_PREEMPT_RT))
		local_irq_save(flags);
	if (vq->software)
		vmdev_software_interrupt(&vq->soft->hw);
	else
		vmdev_vq_interrupt(0, vq->data);
	if (!IS_ENABLED(CONFIG_PREEMPT_RT))
		local_irq_restore(flags);
}

/**
 * vmdev_soft_raise() - have a softirq run
 * @work: its function raises it
 *
 * A kick by eventfd comes with interrupts off, and nobody would look at a softirq
 * raised there before the next interrupt: so there is one at once.
 *
 * Context: any.
 */
void vmdev_soft_raise(struct irq_work *work)
{
	if (in_hardirq() || in_serving_softirq()) {
		work->func(work);
	} else if (irqs_disabled()) {
		irq_work_queue(work);
	} else {
		local_bh_disable();
		work->func(work);
		local_bh_enable();
	}
}
