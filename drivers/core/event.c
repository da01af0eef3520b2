// SPDX-License-Identifier: GPL-2.0
/*
 * What the hardware has to say: used buffers, config changes, its end.
 */
#include <linux/export.h>
#include <linux/pid.h>
#include <linux/virtio.h>
#include <linux/virtio_config.h>

#include "ctl.h"
#include "shadow.h"
#include "vmdev.h"

/**
 * vmdev_call() - call the driver back
 * @lock: protects the callback
 * @cb: the callback, perhaps none
 *
 * Context: any but from a kick.
 */
void vmdev_call(spinlock_t *lock, const struct vdpa_callback *cb)
{
	unsigned long flags;

	spin_lock_irqsave(lock, flags);
	cb->callback(cb->private);
	spin_unlock_irqrestore(lock, flags);
}

/* Nobody wants to hear of it: so that interrupts need not look whether somebody does. */
static irqreturn_t vmdev_no_call(void *private)
{
	return IRQ_NONE;
}

/**
 * vmdev_set_cb() - replace a callback while interrupts come
 * @lock: protects the callback
 * @cb: the callback, also one that was none so far
 * @new_cb: what it shall be; NULL for none
 *
 * The old one is neither running nor called again once this returned.
 *
 * Context: any but from the callback itself.
 */
void vmdev_set_cb(spinlock_t *lock, struct vdpa_callback *cb,
		  const struct vdpa_callback *new_cb)
{
	unsigned long flags;

	spin_lock_irqsave(lock, flags);
	if (new_cb && new_cb->callback)
		*cb = *new_cb;
	else
		*cb = (struct vdpa_callback) { .callback = vmdev_no_call };
	spin_unlock_irqrestore(lock, flags);
}

/**
 * vmdev_notify_config() - tell the driver that config or status changed
 * @dev: the device
 *
 * Context: any.
 */
void vmdev_notify_config(struct vmdev_dev *dev)
{
	vmdev_call(&dev->cb_lock, &dev->config_cb);
}

/* Of no device: it is there for its bus, which nobody else tells of. */
static const struct virtio_device_id vmdev_host_ids[] = { { 0 } };

static int vmdev_host_probe(struct virtio_device *vdev)
{
	return -ENODEV;
}

static void vmdev_host_remove(struct virtio_device *vdev)
{
}

static struct virtio_driver vmdev_host_driver = {
	.driver.name = "vmdev",
	.id_table = vmdev_host_ids,
	.probe = vmdev_host_probe,
	.remove = vmdev_host_remove,
};

/**
 * vmdev_host_init() - be able to find devices that drivers of the host have
 *
 * Return: 0 or an error of the driver core.
 */
int __init vmdev_host_init(void)
{
	return register_virtio_driver(&vmdev_host_driver);
}

/** vmdev_host_exit() - the reverse of vmdev_host_init() */
void vmdev_host_exit(void)
{
	unregister_virtio_driver(&vmdev_host_driver);
}

static int vmdev_break_virtio(struct device *dev, void *dma_dev)
{
	if (dev->parent == dma_dev)
		virtio_break_device(dev_to_virtio(dev));
	return 0;
}

/**
 * vmdev_break_queues() - break the queues of a host driver, if one has the device
 * @dev: the device, which does not serve them
 *
 * virtio_net waits for the answer to a control command without bound, with
 * rtnl held, and virtio_blk for its partition table, unless their queues are
 * broken. virtio_vdpa never breaks them, and passes no error on. It hangs its
 * virtio device below the DMA device, which knows of it only when its driver's
 * probe has ended; the bus knows before.
 *
 * Context: may sleep; vmdev_parent.lock held.
 */
void vmdev_break_queues(struct vmdev_dev *dev)
{
	lockdep_assert_held(&dev->parent->lock);

	if (!dev->mem.user)
		bus_for_each_dev(vmdev_host_driver.driver.bus, NULL,
				 vmdev_dma_dev(dev), vmdev_break_virtio);
}

/**
 * vmdev_break_host() - break the queues of a host driver whose device broke
 * @work: vmdev_parent.break_work
 *
 * Context: may sleep; takes vmdev_parent.lock.
 */
void vmdev_break_host(struct work_struct *work)
{
	struct vmdev_parent *parent = container_of(work, struct vmdev_parent,
						   break_work);

	mutex_lock(&parent->lock);
	if (parent->dev && (parent->gone || parent->dev->needs_reset))
		vmdev_break_queues(parent->dev);
	mutex_unlock(&parent->lock);
}

/**
 * vmdev_notify_vqs() - tell the driver to look at its queues
 * @dev: the device, stopped, its queues still on
 *
 * An interrupt that was under way when the hardware stopped may not come.
 *
 * Context: any.
 */
void vmdev_notify_vqs(struct vmdev_dev *dev)
{
	u16 i;

	for (i = 0; i < dev->nvqs; i++)
		if (dev->vqs[i].on)
			vmdev_call(&dev->vqs[i].cb_lock, &dev->vqs[i].cb);
}

/**
 * vmdev_break() - tell the driver that its device needs a reset
 * @dev: the device
 * @why: for the control plane; not freed
 *
 * Kicks stop to reach the hardware. The status keeps NEEDS_RESET until reset.
 * A host driver that does not listen finds its queues broken.
 *
 * Context: any.
 */
void vmdev_break(struct vmdev_dev *dev, const char *why)
{
	u16 vq;

	/* Of several who find it broken at once, one tells. */
	if (!READ_ONCE(dev->needs_reset) && !cmpxchg(&dev->why, NULL, why)) {
		trace_vmdev_state(&dev->vdpa.dev, vmdev_dev_activity(dev),
				  VMDEV_STATE_BROKEN, why);
		vmdev_note_dev(dev, VMDEV_EVENT_BROKEN, 0, 0, why);
	}

	for (vq = 0; vq < dev->nvqs; vq++)
		WRITE_ONCE(dev->vqs[vq].live, false);
	WRITE_ONCE(dev->needs_reset, true);
	vmdev_notify_config(dev);
	schedule_work(&dev->parent->break_work);
}

/**
 * vmdev_check_alive() - does live hardware still know that it is live?
 * @dev: the device
 *
 * Hardware that asks for a reset, or was reset behind our back, broke.
 *
 * Context: may sleep; vmdev_parent.lock held.
 */
void vmdev_check_alive(struct vmdev_dev *dev)
{
	struct vmdev_hw *hw = dev->parent->hw;
	const char *why;
	u8 status;

	if (!dev->running || dev->suspended || dev->needs_reset ||
	    !vmdev_usable(dev))
		return;

	status = hw->ops->status(hw);
	if (!vmdev_usable(dev))
		return;
	if (status & VIRTIO_CONFIG_S_NEEDS_RESET)
		why = "hardware asks for a reset";
	else if (!(status & VIRTIO_CONFIG_S_DRIVER_OK))
		why = "hardware lost its state, somebody else reset it";
	else
		return;
	dev_err(&dev->vdpa.dev, "%s (status %#x)\n", why, status);
	vmdev_break(dev, why);
}

/**
 * vmdev_vq_interrupt_data() - what vmdev_vq_interrupt() is to be given
 * @hw: the hardware
 * @vq: the queue as the hardware numbers it
 *
 * Which queue of the driver that is was settled before (vmdev_start()), and stays
 * so until interrupts are released: features do not change before a reset.
 *
 * Context: the irq_request op.
 * Return: the queue; NULL if the driver has none.
 */
void *vmdev_vq_interrupt_data(struct vmdev_hw *hw, u16 vq)
{
	struct vmdev_dev *dev = hw->parent->dev;
	u16 i;

	lockdep_assert_held(&hw->parent->lock);

	for (i = 0; i < dev->nvqs; i++)
		if (dev->vqs[i].hw_vq == vq)
			return &dev->vqs[i];
	return NULL;
}
EXPORT_SYMBOL_GPL(vmdev_vq_interrupt_data);

/* All queues share a vector, or this one came late. */
static bool vmdev_vq_indirect(struct vmdev_vq *q)
{
	return READ_ONCE(q->shadowed) && vmdev_shadow_used(q);
}

/*
 * A queue that is off, or whose interrupts go elsewhere. One that was under way may come, more
 * are for nothing.
 */
static void vmdev_vq_needless(struct vmdev_vq *q)
{
	struct vmdev_hw *hw = q->dev->hw;

	if (hw->ops->vq_idle)
		hw->ops->vq_idle(hw, q->hw_vq, 1, true);
}

/*
 * How often it came is what is left of vmdev_vq.chunk: so nothing is counted, and only
 * now and then has to be looked whether there was any work. Drivers of the host say
 * themselves (IRQ_HANDLED is 1); vhost never does.
 */
static __always_inline void vmdev_vq_direct(struct vmdev_vq *q)
{
	spin_lock(&q->cb_lock);
	q->worked += q->cb.callback(q->cb.private);
	if (unlikely(!--q->left))
		vmdev_vq_look(q);
	spin_unlock(&q->cb_lock);
}

/**
 * vmdev_software_interrupt() - hardware used buffers of queues that the core serves
 * @hw: the hardware
 *
 * Only between the irq_request and irq_release ops, so while there is a device.
 *
 * Context: hard interrupt.
 * Return: whether there were any.
 */
bool vmdev_software_interrupt(struct vmdev_hw *hw)
{
	struct vmdev_dev *dev = hw->parent->dev;
	bool work = false;
	u16 i;

	for (i = 0; i < dev->nvqs; i++)
		if (READ_ONCE(dev->vqs[i].shadowed))
			work |= vmdev_shadow_used(&dev->vqs[i]);
	return work;
}
EXPORT_SYMBOL_GPL(vmdev_software_interrupt);

/**
 * vmdev_vq_interrupt() - hardware used buffers of a queue
 * @irq: not used
 * @data: what vmdev_vq_interrupt_data() returned, not NULL
 *
 * An interrupt handler. Only between the irq_request and irq_release ops, so
 * while there is a device.
 *
 * Context: hard interrupt.
 * Return: IRQ_HANDLED, also if there was no work: the kernel would switch the interrupt
 * off for good.
 */
irqreturn_t vmdev_vq_interrupt(int irq, void *data)
{
	struct vmdev_vq *q = data;

	if (READ_ONCE(q->direct))
		vmdev_vq_direct(q);
	else if (!vmdev_vq_indirect(q))
		vmdev_vq_needless(q);
	return IRQ_HANDLED;
}
EXPORT_SYMBOL_GPL(vmdev_vq_interrupt);

/**
 * vmdev_vq_relay() - the same, for a vector that queues share
 * @data: what vmdev_vq_interrupt_data() returned, not NULL
 *
 * Context: hard interrupt.
 * Return: false if there was no work, as far as is known.
 */
bool vmdev_vq_relay(void *data)
{
	struct vmdev_vq *q = data;

	if (!READ_ONCE(q->direct))
		return vmdev_vq_indirect(q);
	vmdev_vq_direct(q);
	return !READ_ONCE(q->idle);
}
EXPORT_SYMBOL_GPL(vmdev_vq_relay);

/**
 * vmdev_config_event() - config space or device status of hardware changed
 * @hw: the hardware
 *
 * Only between the irq_request and irq_release ops, so while there is a device.
 *
 * Context: any, hard interrupt as a rule.
 */
void vmdev_config_event(struct vmdev_hw *hw)
{
	vmdev_notify_config(hw->parent->dev);
}
EXPORT_SYMBOL_GPL(vmdev_config_event);

/**
 * vmdev_hw_gone() - the hardware is not there any more
 * @hw: the hardware
 *
 * From now on no op touches a register, and the driver sees NEEDS_RESET.
 * Further calls do nothing.
 *
 * Context: any.
 */
void vmdev_hw_gone(struct vmdev_hw *hw)
{
	struct vmdev_parent *parent = hw->parent;
	const struct vmdev_notice event = {
		.kind = VMDEV_EVENT_HW_GONE,
		.dev = hw->dev,
	};
	unsigned long flags;

	if (!parent)
		return;

	spin_lock_irqsave(&parent->dev_lock, flags);
	if (!parent->gone) {
		WRITE_ONCE(parent->gone, true);
		dev_err(hw->dev, "hardware is gone (it reads all ones, or was removed)\n");
		vmdev_note(&event);
		if (parent->dev)
			vmdev_break(parent->dev, "hardware is gone");
	}
	spin_unlock_irqrestore(&parent->dev_lock, flags);
}
EXPORT_SYMBOL_GPL(vmdev_hw_gone);

/**
 * vmdev_hw_is_gone() - was vmdev_hw_gone() called?
 * @hw: the hardware
 *
 * Context: any.
 */
bool vmdev_hw_is_gone(const struct vmdev_hw *hw)
{
	return hw->parent && READ_ONCE(hw->parent->gone);
}
EXPORT_SYMBOL_GPL(vmdev_hw_is_gone);

/**
 * vmdev_hw_vq_broken() - a driver broke a queue of hardware that can say which
 * @hw: the hardware
 * @vq: the queue as the hardware numbers it
 * @why: in words
 *
 * For who traces: that the device needs a reset is said by the status op, and
 * vmdev_config_event(). Only between the irq_request and irq_release ops, so while there
 * is a device.
 *
 * Context: any.
 */
void vmdev_hw_vq_broken(struct vmdev_hw *hw, u16 vq, const char *why)
{
	struct vmdev_dev *dev = hw->parent->dev;
	u16 i;

	if (!trace_vmdev_vq_broken_enabled())
		return;
	for (i = 0; i < dev->nvqs; i++)
		if (dev->vqs[i].hw_vq == vq)
			trace_vmdev_vq_broken(&dev->vdpa.dev, i, why);
}
EXPORT_SYMBOL_GPL(vmdev_hw_vq_broken);

/*
 * Tells whoever holds the device that it goes: there is no way to take it from
 * him, and no way to refuse. A host driver (virtio_vdpa) lets go by itself, and
 * needs a working device to do so.
 */
static void vmdev_dev_leave(struct vmdev_dev *dev)
{
	lockdep_assert_held(&dev->parent->lock);

	if (dev->leaving)
		return;

	vmdev_check_alive(dev);
	dev->leaving = true;
	if (!dev->mem.user)
		return;

	if (dev->status)
		dev_warn(&dev->vdpa.dev, "is to be removed, waiting until %s (pid %d) closes it\n",
			 dev->holder, pid_nr(dev->holder_pid));
	else
		dev_warn(&dev->vdpa.dev, "is to be removed; should %s (pid %d) still have it open, this waits until it is closed\n",
			 dev->holder, pid_nr(dev->holder_pid));
	vmdev_break(dev, "it is being removed");
	vmdev_hw_log_stop_hw(dev);
}

/**
 * vmdev_parent_leave() - say that hardware is about to be unregistered
 * @hw: registered hardware
 *
 * Whoever holds the device is told, without waiting for him: where several
 * functions go at once all holders should know before one is waited for.
 *
 * Context: may sleep.
 */
void vmdev_parent_leave(struct vmdev_hw *hw)
{
	struct vmdev_parent *parent = hw->parent;

	mutex_lock(&parent->lock);
	if (parent->dev)
		vmdev_dev_leave(parent->dev);
	mutex_unlock(&parent->lock);
}
EXPORT_SYMBOL_GPL(vmdev_parent_leave);

/**
 * vmdev_parent_offline() - stop a device whose hardware loses its state
 * @hw: registered hardware
 * @why: what happens to it, for the log; not freed
 * @reachable: its registers may still be touched
 *
 * For resets that do not come from the driver, bus errors and shutdown. The
 * driver sees NEEDS_RESET. Until vmdev_parent_online() no register is touched:
 * a reset takes effect in software only, and no driver can start.
 *
 * Context: may sleep.
 */
void vmdev_parent_offline(struct vmdev_hw *hw, const char *why, bool reachable)
{
	struct vmdev_parent *parent = hw->parent;
	struct vmdev_dev *dev;

	mutex_lock(&parent->lock);
	dev = parent->dev;
	if (dev && dev->status) {
		dev_warn(&dev->vdpa.dev, "stopped by %s, its driver has to reset it\n",
			 why);
		vmdev_break(dev, why);
	}
	if (!reachable)
		WRITE_ONCE(parent->offline, true);
	if (dev)
		vmdev_hw_log_stop_hw(dev);
	else if (!parent->gone && !parent->offline)
		hw->ops->stop(hw, NULL);
	WRITE_ONCE(parent->offline, true);
	mutex_unlock(&parent->lock);
}
EXPORT_SYMBOL_GPL(vmdev_parent_offline);

/**
 * vmdev_parent_online() - the hardware can be used again
 * @hw: registered hardware
 *
 * Context: may sleep.
 */
void vmdev_parent_online(struct vmdev_hw *hw)
{
	struct vmdev_parent *parent = hw->parent;

	mutex_lock(&parent->lock);
	WRITE_ONCE(parent->offline, false);
	mutex_unlock(&parent->lock);
}
EXPORT_SYMBOL_GPL(vmdev_parent_online);
