// SPDX-License-Identifier: GPL-2.0
/*
 * vmdev_dirty: dirty logs of vDPA devices, and their character devices
 * /dev/vmdev/NAME.
 *
 * There is one cdev, with a minor for each vDPA device. The node is the vDPA
 * device's own, as that of a USB device is: another struct device only for it
 * would cost as much again as the vDPA device itself. But it does not keep the
 * device: an open file has a reference on the sessions, and those that outlast
 * vmdev_dirty_dev_del() have no ops.
 *
 * The folder /dev/vmdev is there as long as this module is: whoever has it mounted
 * elsewhere, as for a VMM in a container, sees devices come and go. devtmpfs has
 * a folder only while there is something in it, so there is: a node that opens
 * nothing. To make the folder for each device would also cost as much as the node.
 */
#include <linux/cdev.h>
#include <linux/device.h>
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/hashtable.h>
#include <linux/kdev_t.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/string.h>

#include "vmdev_dirty.h"

#define VMDEV_DIRTY_MINORS	(MINORMASK + 1)

/* That node's minor, and its name: no device may have it. */
#define VMDEV_DIRTY_KEEP	MINORMASK
#define VMDEV_DIRTY_KEEP_NAME	".keep"

/* log2 of the buckets, by minor. */
#define VMDEV_DIRTY_HASH_BITS	6

/**
 * struct vmdev_dirty_dev - what a vDPA device has of this
 * @node: in vmdev_dirty_devs
 * @sessions: see session.c
 * @minor: of its node
 */
struct vmdev_dirty_dev {
	struct hlist_node node;
	struct vmdev_dirty_sessions *sessions;
	u32 minor;
};

static dev_t vmdev_dirty_devt;
static struct cdev vmdev_dirty_cdev;
static struct device *vmdev_dirty_keep;

/* Protects all below. Nothing that sleeps, or takes long, is done under it. */
static DEFINE_SPINLOCK(vmdev_dirty_lock);
/* Devices by minor: what is found has its sessions as long as the lock is held. */
static DEFINE_HASHTABLE(vmdev_dirty_devs, VMDEV_DIRTY_HASH_BITS);
static u32 vmdev_dirty_count;
static u32 vmdev_dirty_next;

/* The name of a node. Asked for by each uevent, and so made without a format. */
static char *vmdev_dirty_node_name(const char *name)
{
	static const char folder[] = "vmdev/";
	size_t at = sizeof(folder) - 1, len = strlen(name) + 1;
	/* The driver core would go on without, under another name. */
	char *node = kmalloc(at + len, GFP_KERNEL | __GFP_NOFAIL);

	memcpy(node, folder, at);
	memcpy(node + at, name, len);
	return node;
}

static char *vmdev_dirty_devnode(const struct device *dev, umode_t *mode,
				 kuid_t *uid, kgid_t *gid)
{
	/* It would be so without, but udev widens one that nobody asked for. */
	if (mode)
		*mode = 0600;
	return vmdev_dirty_node_name(dev_name(dev));
}

static const struct device_type vmdev_dirty_type = {
	.devnode = vmdev_dirty_devnode,
};

static char *vmdev_dirty_keep_devnode(const struct device *dev, umode_t *mode,
				      kuid_t *uid, kgid_t *gid)
{
	if (mode)
		*mode = 0400;
	return vmdev_dirty_node_name(VMDEV_DIRTY_KEEP_NAME);
}

static const struct device_type vmdev_dirty_keep_type = {
	.devnode = vmdev_dirty_keep_devnode,
};

/* With vmdev_dirty_lock held. */
static struct vmdev_dirty_dev *vmdev_dirty_find(u32 minor)
{
	struct vmdev_dirty_dev *ddev;

	hash_for_each_possible(vmdev_dirty_devs, ddev, node, minor)
		if (ddev->minor == minor)
			return ddev;
	return NULL;
}

static struct vmdev_dirty_sessions *vmdev_dirty_find_sessions(u32 minor)
{
	struct vmdev_dirty_sessions *sessions = NULL;
	struct vmdev_dirty_dev *ddev;

	spin_lock(&vmdev_dirty_lock);
	ddev = vmdev_dirty_find(minor);
	if (ddev) {
		sessions = ddev->sessions;
		vmdev_dirty_sessions_get(sessions);
	}
	spin_unlock(&vmdev_dirty_lock);
	return sessions;
}

/* Gives a minor. Not one that was free just now: a node may be held that is gone. */
static int vmdev_dirty_enter(struct vmdev_dirty_dev *ddev)
{
	int err = -EBUSY;

	spin_lock(&vmdev_dirty_lock);
	if (vmdev_dirty_count < VMDEV_DIRTY_KEEP) {
		do {
			ddev->minor = vmdev_dirty_next++;
			if (vmdev_dirty_next == VMDEV_DIRTY_KEEP)
				vmdev_dirty_next = 0;
		} while (vmdev_dirty_find(ddev->minor));
		hash_add(vmdev_dirty_devs, &ddev->node, ddev->minor);
		vmdev_dirty_count++;
		err = 0;
	}
	spin_unlock(&vmdev_dirty_lock);
	return err;
}

static void vmdev_dirty_leave(struct vmdev_dirty_dev *ddev)
{
	spin_lock(&vmdev_dirty_lock);
	hash_del(&ddev->node);
	vmdev_dirty_count--;
	spin_unlock(&vmdev_dirty_lock);
}

static int vmdev_dirty_fop_open(struct inode *inode, struct file *filp)
{
	struct vmdev_dirty_sessions *sessions;
	struct vmdev_dirty_file *file;

	sessions = vmdev_dirty_find_sessions(iminor(inode));
	if (!sessions)
		return -ENODEV;
	/* Has a reference of its own. */
	file = vmdev_dirty_file_open(sessions);
	vmdev_dirty_sessions_put(sessions);
	if (IS_ERR(file))
		return PTR_ERR(file);

	filp->private_data = file;
	return stream_open(inode, filp);
}

static int vmdev_dirty_fop_release(struct inode *inode, struct file *filp)
{
	vmdev_dirty_file_close(filp->private_data);
	return 0;
}

static long vmdev_dirty_fop_ioctl(struct file *filp, unsigned int cmd,
				  unsigned long arg)
{
	return vmdev_dirty_file_ioctl(filp->private_data, cmd,
				      (void __user *)arg);
}

static const struct file_operations vmdev_dirty_fops = {
	.owner		= THIS_MODULE,
	.open		= vmdev_dirty_fop_open,
	.release	= vmdev_dirty_fop_release,
	.unlocked_ioctl	= vmdev_dirty_fop_ioctl,
	.compat_ioctl	= compat_ptr_ioctl,
};

/**
 * vmdev_dirty_dev_add() - give a device its /dev/vmdev/NAME
 * @dev: the vDPA device, with a name that no other one has, and about to be
 *	registered: then the node is there. It has no type and no number so far
 * @ops: how to log it; they may be called as soon as it is registered
 * @priv: what they are called with
 * @nas: address spaces, 1 to VMDEV_DIRTY_NAS_MAX
 *
 * Context: may sleep.
 * Return: what vmdev_dirty_dev_del() takes; -EINVAL, also for a name that a device
 * may not have; -ENOMEM; -EBUSY if there are too many.
 */
struct vmdev_dirty_dev *vmdev_dirty_dev_add(struct device *dev,
					    const struct vmdev_dirty_ops *ops,
					    void *priv, unsigned int nas)
{
	struct vmdev_dirty_sessions *sessions;
	struct vmdev_dirty_dev *ddev;
	int err;

	if (!strcmp(dev_name(dev), VMDEV_DIRTY_KEEP_NAME))
		return ERR_PTR(-EINVAL);

	ddev = kzalloc_obj(*ddev, GFP_KERNEL);
	if (!ddev)
		return ERR_PTR(-ENOMEM);

	sessions = vmdev_dirty_sessions_create(dev_name(dev), ops, priv, nas);
	if (IS_ERR(sessions)) {
		err = PTR_ERR(sessions);
		goto err_free;
	}
	ddev->sessions = sessions;
	err = vmdev_dirty_enter(ddev);
	if (err)
		goto err_put;

	dev->type = &vmdev_dirty_type;
	dev->devt = MKDEV(MAJOR(vmdev_dirty_devt), ddev->minor);
	return ddev;

err_put:
	vmdev_dirty_sessions_put(sessions);
err_free:
	kfree(ddev);
	return ERR_PTR(err);
}
EXPORT_SYMBOL_GPL(vmdev_dirty_dev_add);

/**
 * vmdev_dirty_dev_del() - the reverse of vmdev_dirty_dev_add()
 * @ddev: what that returned
 *
 * Logging ends; whoever has the node open, or opens it while it is there, gets
 * ENODEV from now on. Does not wait for him.
 *
 * The minor may be another device's from now on. Minors go round, so that this one is
 * unregistered long before.
 *
 * Context: may sleep; not with a lock held that an op takes.
 */
void vmdev_dirty_dev_del(struct vmdev_dirty_dev *ddev)
{
	vmdev_dirty_sessions_end(ddev->sessions);
	vmdev_dirty_leave(ddev);
	vmdev_dirty_sessions_put(ddev->sessions);
	kfree(ddev);
}
EXPORT_SYMBOL_GPL(vmdev_dirty_dev_del);

/**
 * vmdev_dirty_dev_log() - is an address space of a device logged?
 * @ddev: what vmdev_dirty_dev_add() returned
 * @asid: the address space
 * @info: gets facts of the log
 *
 * Context: may sleep, as long as an op does; not with a lock held that an op takes.
 * Return: false if it is not.
 */
bool vmdev_dirty_dev_log(struct vmdev_dirty_dev *ddev, unsigned int asid,
			 struct vmdev_dirty_log_info *info)
{
	return vmdev_dirty_sessions_log(ddev->sessions, asid, info);
}
EXPORT_SYMBOL_GPL(vmdev_dirty_dev_log);

static void vmdev_dirty_keep_release(struct device *dev)
{
	kfree(dev);
}

/* Of no bus and no class: udev does not hear of it. */
static int __init vmdev_dirty_keep_add(void)
{
	struct device *dev;
	int err;

	dev = kzalloc_obj(*dev, GFP_KERNEL);
	if (!dev)
		return -ENOMEM;
	device_initialize(dev);
	dev->type = &vmdev_dirty_keep_type;
	dev->release = vmdev_dirty_keep_release;
	dev->devt = MKDEV(MAJOR(vmdev_dirty_devt), VMDEV_DIRTY_KEEP);
	device_set_pm_not_required(dev);
	err = dev_set_name(dev, "vmdev") ? : device_add(dev);
	if (err)
		put_device(dev);
	else
		vmdev_dirty_keep = dev;
	return err;
}

static int __init vmdev_dirty_init(void)
{
	int err;

	err = alloc_chrdev_region(&vmdev_dirty_devt, 0, VMDEV_DIRTY_MINORS,
				  "vmdev");
	if (err)
		return err;

	cdev_init(&vmdev_dirty_cdev, &vmdev_dirty_fops);
	vmdev_dirty_cdev.owner = THIS_MODULE;
	err = cdev_add(&vmdev_dirty_cdev, vmdev_dirty_devt, VMDEV_DIRTY_MINORS);
	if (err)
		goto err_region;
	err = vmdev_dirty_keep_add();
	if (err)
		goto err_cdev;
	return 0;

err_cdev:
	cdev_del(&vmdev_dirty_cdev);
err_region:
	unregister_chrdev_region(vmdev_dirty_devt, VMDEV_DIRTY_MINORS);
	return err;
}
module_init(vmdev_dirty_init);

static void __exit vmdev_dirty_exit(void)
{
	device_unregister(vmdev_dirty_keep);
	cdev_del(&vmdev_dirty_cdev);
	unregister_chrdev_region(vmdev_dirty_devt, VMDEV_DIRTY_MINORS);
}
module_exit(vmdev_dirty_exit);

MODULE_DESCRIPTION("vmdev: dirty logs of vDPA devices");
MODULE_AUTHOR("The vmdev developers");
MODULE_LICENSE("GPL");
