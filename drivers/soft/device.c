// SPDX-License-Identifier: GPL-2.0
/* What devices of all types have. */
#include <linux/device.h>
#include <linux/slab.h>

#include "vmdev_soft.h"

/**
 * vmdev_soft_init() - make a device, for its type
 * @soft: zeroed
 * @type: what it is
 * @dev: its management device
 * @name: of the vDPA device
 * @nvqs: queues, no more than @type's
 *
 * Context: may sleep.
 * Return: 0, and vmdev_soft_exit() has to follow; or -ENOMEM.
 */
int vmdev_soft_init(struct vmdev_soft *soft, const struct vmdev_soft_type *type,
		    struct device *dev, const char *name, u16 nvqs)
{
	u16 i;

	soft->type = type;
	soft->fails = vmdev_soft_mgmt_fails(dev);
	spin_lock_init(&soft->event_lock);
	rwlock_init(&soft->maps_lock);
	vmdev_maps_init(&soft->maps);
	soft->changes = 1;
	soft->hw.dev = dev;
	soft->hw.ops = &vmdev_soft_ops;
	soft->hw.caps = type->caps;
	soft->hw.caps.nvqs = nvqs;

	soft->name = kstrdup(name, GFP_KERNEL);
	soft->config = kzalloc(type->caps.config_size, GFP_KERNEL);
	soft->vq_size = kcalloc(nvqs, sizeof(*soft->vq_size), GFP_KERNEL);
	soft->vqs = kvcalloc(nvqs, sizeof(*soft->vqs), GFP_KERNEL);
	if (!soft->name || !soft->config || !soft->vq_size || !soft->vqs) {
		vmdev_soft_exit(soft);
		return -ENOMEM;
	}

	soft->hw.caps.vq_size = soft->vq_size;
	for (i = 0; i < nvqs; i++) {
		soft->vq_size[i] = VMDEV_SOFT_VQ_SIZE;
		soft->vqs[i].soft = soft;
		soft->vqs[i].index = i;
		spin_lock_init(&soft->vqs[i].lock);
	}
	return 0;
}

/**
 * vmdev_soft_exit() - the reverse of vmdev_soft_init()
 * @soft: the device, stopped
 *
 * Context: may sleep.
 */
void vmdev_soft_exit(struct vmdev_soft *soft)
{
	vmdev_maps_destroy(&soft->maps);
	kvfree(soft->vqs);
	kfree(soft->vq_size);
	kfree(soft->config);
	kfree(soft->name);
}

/**
 * vmdev_soft_events() - does the core want to hear of changes?
 * @soft: the device
 * @on: it does; else nothing is said once this returns
 *
 * Context: may sleep.
 */
void vmdev_soft_events(struct vmdev_soft *soft, bool on)
{
	spin_lock_irq(&soft->event_lock);
	soft->events = on;
	spin_unlock_irq(&soft->event_lock);
}

/**
 * vmdev_soft_event() - configuration or status changed: tell the driver
 * @soft: the device
 *
 * Context: any.
 */
void vmdev_soft_event(struct vmdev_soft *soft)
{
	unsigned long flags;

	atomic_inc(&soft->generation);
	spin_lock_irqsave(&soft->event_lock, flags);
	if (soft->events)
		vmdev_config_event(&soft->hw);
	spin_unlock_irqrestore(&soft->event_lock, flags);
}

/**
 * vmdev_soft_break() - a driver did what it may not
 * @soft: the device
 * @vq: the queue
 * @why: in words
 *
 * Context: any; no lock of a queue held.
 */
void vmdev_soft_break(struct vmdev_soft *soft, u16 vq, const char *why)
{
	unsigned long flags;

	if (test_and_set_bit(0, &soft->broken))
		return;
	dev_err_ratelimited(soft->hw.dev, "%s: queue %u is broken: %s\n", soft->name,
			    vq, why);
	spin_lock_irqsave(&soft->event_lock, flags);
	if (soft->events)
		vmdev_hw_vq_broken(&soft->hw, vq, why);
	spin_unlock_irqrestore(&soft->event_lock, flags);
	vmdev_soft_event(soft);
}
