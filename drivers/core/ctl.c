// SPDX-License-Identifier: GPL-2.0
/*
 * What there is, for a control plane: management devices and devices, in the order in which
 * they came, and the facts of each.
 *
 * Locks: vdpa's own, vmdev_ctl_mutex, vmdev_ctl_sem, vmdev_parent.lock. Who reads takes the
 * third, and so may be waited for by who holds the second, but not the other way round:
 * ops of the listener may wait for readers (of sysfs files).
 */
#include <linux/device.h>
#include <linux/export.h>
#include <linux/mutex.h>
#include <linux/rwsem.h>
#include <linux/sched.h>
#include <linux/string.h>
#include <linux/xarray.h>

#include "ctl.h"

/* Protects the listener, which is told of each device that comes or goes under it. */
static DEFINE_MUTEX(vmdev_ctl_mutex);
static const struct vmdev_ctl_ops *vmdev_ctl_ops;
/* Protects what is listed, which is written with vmdev_ctl_mutex held, too. */
static DECLARE_RWSEM(vmdev_ctl_sem);
static DEFINE_XARRAY_ALLOC1(vmdev_ctl_mgmts);
static DEFINE_XARRAY_ALLOC1(vmdev_ctl_devs);
/* Ids count up, so that who lists misses none, and sees none twice. */
static u32 vmdev_ctl_next_mgmt, vmdev_ctl_next_dev;

/* --- the listener --------------------------------------------------------------- */

/**
 * vmdev_ctl_register() - be the listener
 * @ops: until vmdev_ctl_unregister()
 *
 * Context: may sleep.
 * Return: 0, or -EBUSY if there is one.
 */
int vmdev_ctl_register(const struct vmdev_ctl_ops *ops)
{
	struct vmdev_mgmt *mgmt;
	struct vmdev_dev *dev;
	unsigned long id;
	int err = 0;

	mutex_lock(&vmdev_ctl_mutex);
	if (vmdev_ctl_ops) {
		err = -EBUSY;
		goto out;
	}
	WRITE_ONCE(vmdev_ctl_ops, ops);
	xa_for_each(&vmdev_ctl_mgmts, id, mgmt)
		ops->mgmt_add(mgmt);
	xa_for_each(&vmdev_ctl_devs, id, dev)
		if (dev->shown)
			ops->dev_add(dev);
out:
	mutex_unlock(&vmdev_ctl_mutex);
	return err;
}
EXPORT_SYMBOL_GPL(vmdev_ctl_register);

/**
 * vmdev_ctl_unregister() - the reverse of vmdev_ctl_register()
 *
 * No op is called any more, or is running.
 *
 * Context: may sleep.
 */
void vmdev_ctl_unregister(void)
{
	struct vmdev_mgmt *mgmt;
	struct vmdev_dev *dev;
	unsigned long id;

	mutex_lock(&vmdev_ctl_mutex);
	xa_for_each(&vmdev_ctl_devs, id, dev)
		if (dev->shown)
			vmdev_ctl_ops->dev_del(dev);
	xa_for_each(&vmdev_ctl_mgmts, id, mgmt)
		vmdev_ctl_ops->mgmt_del(mgmt);
	WRITE_ONCE(vmdev_ctl_ops, NULL);
	mutex_unlock(&vmdev_ctl_mutex);
	/* What nobody was told yet nobody will be told. */
	vmdev_notices_flush();
}
EXPORT_SYMBOL_GPL(vmdev_ctl_unregister);

/**
 * vmdev_ctl_listens() - is there a listener?
 *
 * Context: any.
 */
bool vmdev_ctl_listens(void)
{
	return READ_ONCE(vmdev_ctl_ops);
}

/**
 * vmdev_ctl_tell() - tell the listener, if there still is one
 * @event: what happened
 *
 * Context: may sleep.
 */
void vmdev_ctl_tell(const struct vmdev_notice *event)
{
	mutex_lock(&vmdev_ctl_mutex);
	if (vmdev_ctl_ops)
		vmdev_ctl_ops->event(event);
	mutex_unlock(&vmdev_ctl_mutex);
}

/* --- what there is -------------------------------------------------------------- */

static void vmdev_ctl_note_mgmt(struct vmdev_mgmt *mgmt, enum vmdev_event kind)
{
	const struct vmdev_notice event = {
		.kind = kind,
		.dev = mgmt->mgmt->device,
	};

	vmdev_note(&event);
}

/**
 * vmdev_ctl_add_mgmt() - a management device is about to be registered
 * @mgmt: it, with all but id filled in
 *
 * Context: may sleep.
 * Return: 0 or a negative errno.
 */
int vmdev_ctl_add_mgmt(struct vmdev_mgmt *mgmt)
{
	int err;

	mutex_lock(&vmdev_ctl_mutex);
	down_write(&vmdev_ctl_sem);
	err = xa_alloc_cyclic(&vmdev_ctl_mgmts, &mgmt->id, mgmt, xa_limit_31b,
			      &vmdev_ctl_next_mgmt, GFP_KERNEL);
	up_write(&vmdev_ctl_sem);
	if (err >= 0 && vmdev_ctl_ops)
		vmdev_ctl_ops->mgmt_add(mgmt);
	mutex_unlock(&vmdev_ctl_mutex);
	if (err < 0)
		return err;
	vmdev_ctl_note_mgmt(mgmt, VMDEV_EVENT_PARENT_ADD);
	return 0;
}

/**
 * vmdev_ctl_del_mgmt() - a management device was unregistered
 * @mgmt: it
 *
 * Its device may be released once this returns.
 *
 * Context: may sleep.
 */
void vmdev_ctl_del_mgmt(struct vmdev_mgmt *mgmt)
{
	mutex_lock(&vmdev_ctl_mutex);
	if (vmdev_ctl_ops)
		vmdev_ctl_ops->mgmt_del(mgmt);
	down_write(&vmdev_ctl_sem);
	xa_erase(&vmdev_ctl_mgmts, mgmt->id);
	up_write(&vmdev_ctl_sem);
	mutex_unlock(&vmdev_ctl_mutex);
	vmdev_ctl_note_mgmt(mgmt, VMDEV_EVENT_PARENT_DEL);
	vmdev_notices_flush();
}

/**
 * vmdev_ctl_prepare_dev() - a device is about to be registered
 * @dev: the device
 *
 * It is listed from now on: who is told that it is there finds it. Of two with one name that
 * come at once, as they may if one is made by a wing, one is.
 *
 * Context: may sleep.
 * Return: 0; -EEXIST if there is one of its name; -ENOMEM.
 */
int vmdev_ctl_prepare_dev(struct vmdev_dev *dev)
{
	int err = -EEXIST;

	mutex_lock(&vmdev_ctl_mutex);
	down_write(&vmdev_ctl_sem);
	if (!vmdev_ctl_dev_find(dev_name(&dev->vdpa.dev)))
		err = xa_alloc_cyclic(&vmdev_ctl_devs, &dev->id, dev, xa_limit_31b,
				      &vmdev_ctl_next_dev, GFP_KERNEL);
	up_write(&vmdev_ctl_sem);
	mutex_unlock(&vmdev_ctl_mutex);
	if (err < 0)
		return err;
	vmdev_note_dev(dev, VMDEV_EVENT_DEV_ADD, 0, 0, NULL);
	return 0;
}

/**
 * vmdev_ctl_add_dev() - a device was registered
 * @dev: the device, prepared; perhaps vmdev_ctl_del_dev() was called already, by who
 *	deletes it
 *
 * Context: may sleep.
 */
void vmdev_ctl_add_dev(struct vmdev_dev *dev)
{
	mutex_lock(&vmdev_ctl_mutex);
	/* 0: somebody was quicker to delete it. */
	if (dev->id) {
		dev->shown = true;
		if (vmdev_ctl_ops)
			vmdev_ctl_ops->dev_add(dev);
	}
	mutex_unlock(&vmdev_ctl_mutex);
}

/**
 * vmdev_ctl_del_dev() - a device is about to go, or could not be registered
 * @dev: the device, prepared
 *
 * It is listed no more.
 *
 * Context: may sleep.
 */
void vmdev_ctl_del_dev(struct vmdev_dev *dev)
{
	mutex_lock(&vmdev_ctl_mutex);
	if (vmdev_ctl_ops && dev->shown)
		vmdev_ctl_ops->dev_del(dev);
	down_write(&vmdev_ctl_sem);
	xa_erase(&vmdev_ctl_devs, dev->id);
	up_write(&vmdev_ctl_sem);
	dev->id = 0;
	mutex_unlock(&vmdev_ctl_mutex);
}

/**
 * vmdev_ctl_gone_dev() - a device is gone
 * @dev: the device, not listed; nothing happens to it any more
 *
 * Context: any.
 */
void vmdev_ctl_gone_dev(struct vmdev_dev *dev)
{
	vmdev_note_dev(dev, VMDEV_EVENT_DEV_DEL, 0, 0, NULL);
}

/**
 * vmdev_ctl_note_paths() - queues may have moved
 * @dev: the device
 *
 * Which queues did, the listener is told. To start or to stop is not to move.
 *
 * Context: may sleep; vmdev_parent.lock held.
 */
void vmdev_ctl_note_paths(struct vmdev_dev *dev)
{
	u16 i;

	lockdep_assert_held(&dev->parent->lock);
	for (i = 0; i < dev->nvqs; i++) {
		enum vmdev_path was = vmdev_queue_moved(&dev->vqs[i]);
		enum vmdev_path path = dev->vqs[i].told;

		if (path != was && path != VMDEV_PATH_OFF && was != VMDEV_PATH_OFF)
			vmdev_note_dev(dev, VMDEV_EVENT_PATH, i, path, NULL);
	}
}

/**
 * vmdev_ctl_lock() - all that is listed stays until vmdev_ctl_unlock()
 *
 * Context: may sleep. Not for long: who adds or removes a device waits.
 */
void vmdev_ctl_lock(void)
{
	down_read(&vmdev_ctl_sem);
}
EXPORT_SYMBOL_GPL(vmdev_ctl_lock);

/** vmdev_ctl_unlock() - the reverse of vmdev_ctl_lock() */
void vmdev_ctl_unlock(void)
{
	up_read(&vmdev_ctl_sem);
}
EXPORT_SYMBOL_GPL(vmdev_ctl_unlock);

/**
 * vmdev_ctl_mgmt() - a management device, by where it is in the list
 * @id: from where on to look; gets where it was found. 0 to begin with
 *
 * Context: vmdev_ctl_lock().
 * Return: the first, or NULL.
 */
struct vmdev_mgmt *vmdev_ctl_mgmt(unsigned long *id)
{
	lockdep_assert_held(&vmdev_ctl_sem);
	return xa_find(&vmdev_ctl_mgmts, id, ULONG_MAX, XA_PRESENT);
}
EXPORT_SYMBOL_GPL(vmdev_ctl_mgmt);

/**
 * vmdev_ctl_mgmt_find() - a management device, by its name
 * @bus: name of the bus that its device is on; NULL for none
 * @name: of its device
 *
 * Context: vmdev_ctl_lock().
 * Return: it, or NULL.
 */
struct vmdev_mgmt *vmdev_ctl_mgmt_find(const char *bus, const char *name)
{
	struct vmdev_mgmt *mgmt;
	unsigned long id;

	lockdep_assert_held(&vmdev_ctl_sem);
	xa_for_each(&vmdev_ctl_mgmts, id, mgmt) {
		const struct device *dev = mgmt->mgmt->device;

		if (!strcmp(dev_name(dev), name) &&
		    !strcmp(dev->bus ? dev->bus->name : "", bus ? : ""))
			return mgmt;
	}
	return NULL;
}
EXPORT_SYMBOL_GPL(vmdev_ctl_mgmt_find);

/**
 * vmdev_ctl_mgmt_of() - a management device, by what it is in sysfs
 * @dev: vmdev_ctl_mgmt_device() of it
 *
 * Context: vmdev_ctl_lock().
 * Return: it, or NULL.
 */
struct vmdev_mgmt *vmdev_ctl_mgmt_of(const struct device *dev)
{
	struct vmdev_mgmt *mgmt;
	unsigned long id;

	lockdep_assert_held(&vmdev_ctl_sem);
	xa_for_each(&vmdev_ctl_mgmts, id, mgmt)
		if (mgmt->mgmt->device == dev)
			return mgmt;
	return NULL;
}
EXPORT_SYMBOL_GPL(vmdev_ctl_mgmt_of);

/**
 * vmdev_ctl_mgmt_device() - what a management device is in sysfs
 * @mgmt: it
 *
 * Context: any.
 */
struct device *vmdev_ctl_mgmt_device(const struct vmdev_mgmt *mgmt)
{
	return mgmt->mgmt->device;
}
EXPORT_SYMBOL_GPL(vmdev_ctl_mgmt_device);

/**
 * vmdev_ctl_dev() - a device, by where it is in the list
 * @id: from where on to look; gets where it was found. 0 to begin with
 *
 * Context: vmdev_ctl_lock().
 * Return: the first, or NULL.
 */
struct vmdev_dev *vmdev_ctl_dev(unsigned long *id)
{
	lockdep_assert_held(&vmdev_ctl_sem);
	return xa_find(&vmdev_ctl_devs, id, ULONG_MAX, XA_PRESENT);
}
EXPORT_SYMBOL_GPL(vmdev_ctl_dev);

/**
 * vmdev_ctl_dev_find() - a device, by its name
 * @name: of the vDPA device
 *
 * Context: vmdev_ctl_lock().
 * Return: it, or NULL.
 */
struct vmdev_dev *vmdev_ctl_dev_find(const char *name)
{
	struct vmdev_dev *dev;
	unsigned long id;

	lockdep_assert_held(&vmdev_ctl_sem);
	xa_for_each(&vmdev_ctl_devs, id, dev)
		if (!strcmp(dev_name(&dev->vdpa.dev), name))
			return dev;
	return NULL;
}
EXPORT_SYMBOL_GPL(vmdev_ctl_dev_find);

/**
 * vmdev_ctl_dev_of() - the device that is a vDPA device of ours
 * @dev: vmdev_ctl_device() of it
 *
 * Context: any.
 */
struct vmdev_dev *vmdev_ctl_dev_of(struct device *dev)
{
	return vmdev_dev(container_of(dev, struct vdpa_device, dev));
}
EXPORT_SYMBOL_GPL(vmdev_ctl_dev_of);

/**
 * vmdev_ctl_device() - what a device is in sysfs
 * @dev: the device
 *
 * Context: any.
 */
struct device *vmdev_ctl_device(struct vmdev_dev *dev)
{
	return &dev->vdpa.dev;
}
EXPORT_SYMBOL_GPL(vmdev_ctl_device);

/**
 * vmdev_ctl_count_devs() - how many vDPA devices has a management device?
 * @mgmt: it
 *
 * Context: vmdev_ctl_lock().
 */
u32 vmdev_ctl_count_devs(const struct vmdev_mgmt *mgmt)
{
	struct vmdev_dev *dev;
	unsigned long id;
	u32 n = 0;

	lockdep_assert_held(&vmdev_ctl_sem);
	xa_for_each(&vmdev_ctl_devs, id, dev)
		n += dev->vdpa.mdev == mgmt->mgmt;
	return n;
}
