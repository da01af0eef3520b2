// SPDX-License-Identifier: GPL-2.0
/* Facts for a control plane: of management devices, devices, queues and address spaces. */
#include <linux/device.h>
#include <linux/export.h>
#include <linux/mutex.h>
#include <linux/nospec.h>
#include <linux/pid.h>
#include <linux/rcupdate.h>
#include <linux/string.h>
#include <linux/virtio_config.h>

#include <vmdev/dirty.h>

#include "ctl.h"

/**
 * vmdev_state_name() - the word for it, in sysfs and elsewhere
 * @state: which one
 *
 * Context: any.
 */
const char *vmdev_state_name(enum vmdev_state state)
{
	static const char * const names[] = {
		[VMDEV_STATE_OFF]	= "off",
		[VMDEV_STATE_RUNNING]	= "running",
		[VMDEV_STATE_SUSPENDED]	= "suspended",
		[VMDEV_STATE_BROKEN]	= "broken",
	};

	return names[state];
}
EXPORT_SYMBOL_GPL(vmdev_state_name);

/**
 * vmdev_path_name() - likewise
 * @path: which one
 *
 * Context: any.
 */
const char *vmdev_path_name(enum vmdev_path path)
{
	static const char * const names[] = {
		[VMDEV_PATH_OFF]	= "off",
		[VMDEV_PATH_DIRECT]	= "direct",
		[VMDEV_PATH_SHADOW]	= "shadow",
		[VMDEV_PATH_SOFTWARE]	= "software",
	};

	return names[path];
}
EXPORT_SYMBOL_GPL(vmdev_path_name);

/**
 * vmdev_mgmt_info() - facts of a management device
 * @mgmt: it
 * @info: gets them
 *
 * Context: vmdev_ctl_lock().
 */
void vmdev_mgmt_info(struct vmdev_mgmt *mgmt, struct vmdev_mgmt_info *info)
{
	const struct vmdev_parent *parent = mgmt->parent;

	*info = (struct vmdev_mgmt_info) {
		.dev = mgmt->mgmt->device,
		.device_id = mgmt->caps->device_id,
		.vendor_id = mgmt->caps->vendor_id,
		.features = mgmt->mgmt->supported_features,
		.caps = mgmt->caps->caps,
		.max_vqs = mgmt->mgmt->max_supported_vqs,
		.software = !parent,
		.gone = parent && READ_ONCE(parent->gone),
		.offline = parent && READ_ONCE(parent->offline),
		.ndevs = vmdev_ctl_count_devs(mgmt),
	};
}
EXPORT_SYMBOL_GPL(vmdev_mgmt_info);

/* A process that ended holds nothing, and its id may be another one's by now. */
static bool vmdev_dev_held(const struct vmdev_dev *dev)
{
	bool held;

	rcu_read_lock();
	held = dev->mem.user && pid_task(dev->holder_pid, PIDTYPE_TGID);
	rcu_read_unlock();
	return held;
}

/**
 * vmdev_dev_info() - facts of a device
 * @dev: the device
 * @info: gets them
 *
 * Context: may sleep; vmdev_ctl_lock(), or the device cannot go for another reason. Takes
 * vmdev_parent.lock.
 */
void vmdev_dev_info(struct vmdev_dev *dev, struct vmdev_dev_info *info)
{
	unsigned int asid;

	mutex_lock(&dev->parent->lock);
	*info = (struct vmdev_dev_info) {
		.dev = &dev->vdpa.dev,
		.mgmt = dev->vdpa.mdev->device,
		.device_id = dev->hw->caps.device_id,
		.state = vmdev_dev_state(dev),
		.policy = dev->policy,
		.status = dev->status | (dev->needs_reset ? VIRTIO_CONFIG_S_NEEDS_RESET : 0),
		.offered = dev->prov.features,
		.features = dev->features,
		.nvqs = dev->nvqs,
		.nas = dev->vdpa.nas,
		.held = vmdev_dev_held(dev),
	};
	if (info->state == VMDEV_STATE_BROKEN)
		info->why = READ_ONCE(dev->parent->gone) ? "hardware is gone" :
			    READ_ONCE(dev->why);
	if (info->held) {
		strscpy(info->holder, dev->holder, sizeof(info->holder));
		info->holder_pid = pid_nr(dev->holder_pid);
	}
	for (asid = 0; asid < dev->vdpa.nas; asid++)
		if (vmdev_log_active(dev, asid))
			info->logged |= BIT_ULL(asid);
	mutex_unlock(&dev->parent->lock);
}
EXPORT_SYMBOL_GPL(vmdev_dev_info);

/* Of hardware that works on the driver's ring there is a snapshot, where it can be read. */
static bool vmdev_queue_state(struct vmdev_dev *dev, u16 i, struct vdpa_vq_state *state)
{
	const struct vmdev_vq *vq = &dev->vqs[i];

	if (!vq->on) {
		*state = vq->conf.state;
		return vq->state_learned && !vq->state_lost;
	}
	if (vq->shadowed || vq->served)
		return !vmdev_vq_read_state(dev, i, state);
	return !vmdev_is_packed(dev) &&
	       !vmdev_vq_used_index(dev, i, &state->split.avail_index);
}

/**
 * vmdev_queue_info() - facts of a queue
 * @dev: the device
 * @i: the queue
 * @info: gets them
 *
 * Context: as vmdev_dev_info().
 * Return: 0, or -ENOENT if there is no such queue.
 */
int vmdev_queue_info(struct vmdev_dev *dev, u16 i, struct vmdev_queue_info *info)
{
	struct vmdev_vq *vq;

	if (i >= dev->nvqs)
		return -ENOENT;

	/* Anybody may ask. */
	i = array_index_nospec(i, dev->nvqs);
	vq = &dev->vqs[i];
	mutex_lock(&dev->parent->lock);
	*info = (struct vmdev_queue_info) {
		.path = vmdev_queue_path(vq),
		.ready = vq->conf.enabled,
		.packed = vmdev_is_packed(dev),
		.asid = vmdev_vq_asid(dev, i),
		.size = vq->conf.size,
		.desc = vq->conf.desc,
		.driver = vq->conf.driver,
		.device = vq->conf.device,
		.kicks = atomic64_read(&vq->kicks),
		.interrupts = vmdev_vq_events(vq),
		.irq = -EINVAL,
	};
	if (info->path == VMDEV_PATH_DIRECT && vmdev_usable(dev))
		info->irq = dev->hw->ops->vq_irq(dev->hw, vq->hw_vq);
	info->has_state = vmdev_queue_state(dev, i, &info->state);
	mutex_unlock(&dev->parent->lock);
	return 0;
}
EXPORT_SYMBOL_GPL(vmdev_queue_info);

/**
 * vmdev_space_info() - facts of an address space
 * @dev: the device
 * @asid: the address space
 * @info: gets them
 *
 * Context: as vmdev_dev_info(); and as vmdev_dirty_dev_log().
 * Return: 0, or -ENOENT if there is no such address space.
 */
int vmdev_space_info(struct vmdev_dev *dev, unsigned int asid, struct vmdev_space_info *info)
{
	const struct vmdev_maps *maps;

	if (asid >= dev->vdpa.nas)
		return -ENOENT;

	/* Anybody may ask. */
	asid = array_index_nospec(asid, dev->vdpa.nas);
	*info = (struct vmdev_space_info) { 0 };
	maps = &dev->mem.as[asid].maps;
	mutex_lock(&dev->parent->lock);
	info->maps = maps->count;
	if (maps->count) {
		info->first = maps->lowest->first;
		info->last = maps->highest->last;
	}
	mutex_unlock(&dev->parent->lock);
	/* Whoever starts or reads a log takes the two locks in this order. */
	info->is_logged = vmdev_dirty_dev_log(dev->ddev, asid, &info->log);
	return 0;
}
EXPORT_SYMBOL_GPL(vmdev_space_info);
