// SPDX-License-Identifier: GPL-2.0
/*
 * The dirty log of a device: what vmdev_dirty asks for.
 *
 * vmdev_dirty owns the logs, the core knows where they are: a pointer for each
 * address space, which whoever writes guest memory, or learns that hardware did,
 * follows to mark it (vmdev_log_mark()). It is in terms of IOVAs: maps that come and
 * go, and resets, leave it alone.
 */
#include <linux/rcupdate.h>
#include <linux/virtio_config.h>
#include <uapi/linux/virtio_ring.h>

#include "ctl.h"
#include "shadow.h"
#include "vmdev.h"

/**
 * vmdev_log_mark_slow() - as vmdev_log_mark(), for when something is logged
 * @dev: the device
 * @asid: the address space
 * @iova: first IOVA
 * @len: bytes
 *
 * Context: any.
 */
void vmdev_log_mark_slow(struct vmdev_dev *dev, unsigned int asid, u64 iova,
			 u64 len)
{
	struct vmdev_dirty *log;

	rcu_read_lock();
	log = rcu_dereference(dev->logs[asid]);
	if (log)
		vmdev_dirty_mark(log, iova, len);
	rcu_read_unlock();
}

/**
 * vmdev_hw_wrote() - hardware with VMDEV_CAP_LOG, and no bitmap, wrote to a buffer of the driver
 * @hw: the hardware, which runs the buffer's queue
 * @iova: first IOVA
 * @len: bytes
 *
 * After the write, and before the driver is told of it. Used rings need not be told:
 * all of them are marked as long as they run.
 *
 * Context: any.
 */
void vmdev_hw_wrote(struct vmdev_hw *hw, u64 iova, u32 len)
{
	/* It stays as long as a queue of it runs. */
	struct vmdev_dev *dev = READ_ONCE(hw->parent->dev);

	if (dev)
		vmdev_log_mark(dev, dev->mem.group_as[VMDEV_GROUP_DATA], iova, len);
}
EXPORT_SYMBOL_GPL(vmdev_hw_wrote);

/**
 * vmdev_log_check_direct() - may a queue run straight on the hardware?
 * @dev: the device
 * @i: the queue
 *
 * Context: vmdev_parent.lock held.
 * Return: 0; -EOPNOTSUPP while its memory is logged and the hardware has no log that
 * can be used, with one line.
 */
int vmdev_log_check_direct(struct vmdev_dev *dev, u16 i)
{
	lockdep_assert_held(&dev->parent->lock);

	if (vmdev_log_by_hw(dev) ||
	    !vmdev_log_active(dev, vmdev_vq_asid(dev, i)))
		return 0;
	dev_err_ratelimited(&dev->vdpa.dev,
			    "queue %u cannot be dirty-logged: %s, and hardware has no log%s\n",
			    i, dev->mem.user ? "policy is direct" :
			    "a driver of the host has the device",
			    dev->hw->caps.caps & VMDEV_CAP_LOG ?
			    " that can be used" : "");
	return -EOPNOTSUPP;
}

static void vmdev_log_publish(struct vmdev_dev *dev, unsigned int asid,
			      struct vmdev_dirty *log)
{
	rcu_assign_pointer(dev->logs[asid], log);
	/*
	 * Whoever marks memory that is written after the client was told that it
	 * is logged finds the log: the store above is before what the client does.
	 */
	smp_mb();
}

static int vmdev_log_op_start(void *priv, unsigned int asid,
			      struct vmdev_dirty *log)
{
	struct vmdev_dev *dev = priv;
	int err;

	mutex_lock(&dev->parent->lock);
	if (dev->leaving) {
		err = -ENODEV;
		goto out;
	}
	/* Queues of a broken device move no more, and hardware may go on with them. */
	if (dev->needs_reset && vmdev_any_direct(dev)) {
		err = -EIO;
		goto out;
	}
	if (asid == dev->mem.group_as[VMDEV_GROUP_DATA])
		dev->hw_log.off = false;
	vmdev_log_publish(dev, asid, log);
	err = vmdev_paths_update(dev);
	if (err) {
		RCU_INIT_POINTER(dev->logs[asid], NULL);
		/* Those that moved go back. */
		vmdev_paths_update(dev);
	} else {
		vmdev_note_dev(dev, VMDEV_EVENT_DIRTY_START, asid, 0, NULL);
	}
out:
	mutex_unlock(&dev->parent->lock);
	/*
	 * Where the device is a CPU, what it wrote may be on its way still when it sees no
	 * log: once this returns it is there, or marked.
	 */
	synchronize_rcu();
	return err;
}

static void vmdev_log_op_stop(void *priv, unsigned int asid)
{
	struct vmdev_dev *dev = priv;

	mutex_lock(&dev->parent->lock);
	RCU_INIT_POINTER(dev->logs[asid], NULL);
	vmdev_paths_update(dev);
	vmdev_note_dev(dev, VMDEV_EVENT_DIRTY_STOP, asid, 0, NULL);
	mutex_unlock(&dev->parent->lock);
	synchronize_rcu();
}

/**
 * vmdev_log_ring() - the device wrote, or may have written, a queue's ring
 * @dev: the device
 * @i: the queue, with the addresses that it runs or ran with
 *
 * What the device itself writes of a ring: used entries and the used event, or
 * descriptors and the device's event suppression. After the writes: when the queue
 * was stopped, and before each report as long as it is not.
 *
 * Context: vmdev_parent.lock held.
 */
void vmdev_log_ring(struct vmdev_dev *dev, u16 i)
{
	const struct vmdev_vq_conf *conf = &dev->vqs[i].conf;
	unsigned int asid = vmdev_vq_asid(dev, i);

	lockdep_assert_held(&dev->parent->lock);

	if (vmdev_is_packed(dev)) {
		vmdev_log_mark(dev, asid, conf->desc,
			       conf->size * sizeof(struct vring_packed_desc));
		vmdev_log_mark(dev, asid, conf->device,
			       sizeof(struct vring_packed_desc_event));
	} else {
		vmdev_log_mark(dev, asid, conf->device,
			       sizeof(struct vring_used) +
			       conf->size * sizeof(struct vring_used_elem) +
			       sizeof(__virtio16));
	}
}

/**
 * vmdev_log_rings() - as vmdev_log_ring(), for all queues of a running device
 * @dev: the device
 *
 * Also those that the driver disabled: not all hardware stops them.
 *
 * Context: vmdev_parent.lock held.
 */
void vmdev_log_rings(struct vmdev_dev *dev)
{
	u16 i;

	if (!dev->running || dev->suspended)
		return;
	for (i = 0; i < dev->nvqs; i++) {
		const struct vmdev_vq_conf *conf = &dev->vqs[i].conf;

		if (conf->desc | conf->driver | conf->device)
			vmdev_log_ring(dev, i);
	}
}

/*
 * Queues of a broken device give nothing back any more, and hardware may have written to what it
 * had of them, or go on with it.
 */
static void vmdev_log_broken(struct vmdev_dev *dev, unsigned int asid)
{
	u16 i;

	for (i = 0; i < dev->nvqs; i++)
		if (dev->vqs[i].shadowed && vmdev_vq_asid(dev, i) == asid)
			vmdev_shadow_mark_out(dev, i);
}

static int vmdev_log_op_sync(void *priv, unsigned int asid)
{
	struct vmdev_dev *dev = priv;

	mutex_lock(&dev->parent->lock);
	if (asid == dev->mem.group_as[VMDEV_GROUP_DATA])
		vmdev_hw_log_sync(dev);
	vmdev_log_rings(dev);
	/* Not before: it may break just now. */
	if (READ_ONCE(dev->needs_reset))
		vmdev_log_broken(dev, asid);
	mutex_unlock(&dev->parent->lock);
	return 0;
}

static const struct vmdev_dirty_ops vmdev_log_ops = {
	.start = vmdev_log_op_start,
	.sync = vmdev_log_op_sync,
	.stop = vmdev_log_op_stop,
};

/**
 * vmdev_log_add() - give a device its /dev/vmdev/NAME
 * @dev: the device, ready to be registered: then the node is there
 *
 * Context: may sleep.
 * Return: 0, or an error of vmdev_dirty_dev_add().
 */
int vmdev_log_add(struct vmdev_dev *dev)
{
	struct vmdev_dirty_dev *ddev;

	ddev = vmdev_dirty_dev_add(&dev->vdpa.dev, &vmdev_log_ops, dev,
				   dev->vdpa.nas);
	if (IS_ERR(ddev))
		return PTR_ERR(ddev);
	dev->ddev = ddev;
	return 0;
}

/**
 * vmdev_log_del() - the reverse of vmdev_log_add()
 * @dev: the device; if there was an error nothing is done
 *
 * Logging ends.
 *
 * Context: may sleep; takes vmdev_parent.lock.
 */
void vmdev_log_del(struct vmdev_dev *dev)
{
	if (dev->ddev)
		vmdev_dirty_dev_del(dev->ddev);
	dev->ddev = NULL;
}
