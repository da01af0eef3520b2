// SPDX-License-Identifier: GPL-2.0
/*
 * vmdev_dirty: dirty logs of vDPA devices, and their character devices
 * /dev/vmdev/NAME.
 *
 * A device's cdev, its struct device and its open files have lives of their own:
 * what outlasts vmdev_dirty_dev_del() finds sessions without ops.
 */
#include <linux/bits.h>
#include <linux/cdev.h>
#include <linux/device.h>
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/idr.h>
#include <linux/kdev_t.h>
#include <linux/module.h>
#include <linux/slab.h>

#include "vmdev_dirty.h"

#define VMDEV_DIRTY_MINORS	BIT(MINORBITS)

/**
 * struct vmdev_dirty_dev - a character device
 * @dev: below the vDPA device; what frees this
 * @cdev: the character device
 * @sessions: see session.c
 */
struct vmdev_dirty_dev {
	struct device dev;
	struct cdev cdev;
	struct vmdev_dirty_sessions *sessions;
};

static dev_t vmdev_dirty_devt;
static DEFINE_IDA(vmdev_dirty_minors);

static char *vmdev_dirty_devnode(const struct device *dev, umode_t *mode)
{
	if (mode)
		*mode = 0600;
	return kasprintf(GFP_KERNEL, "vmdev/%s", dev_name(dev));
}

static const struct class vmdev_dirty_class = {
	.name = "vmdev_dirty",
	.devnode = vmdev_dirty_devnode,
};

static int vmdev_dirty_fop_open(struct inode *inode, struct file *filp)
{
	struct vmdev_dirty_dev *ddev = container_of(inode->i_cdev,
						    struct vmdev_dirty_dev,
						    cdev);
	struct vmdev_dirty_file *file = vmdev_dirty_file_open(ddev->sessions);

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

static void vmdev_dirty_dev_release(struct device *dev)
{
	struct vmdev_dirty_dev *ddev = container_of(dev, struct vmdev_dirty_dev,
						    dev);

	ida_free(&vmdev_dirty_minors, MINOR(dev->devt));
	vmdev_dirty_sessions_put(ddev->sessions);
	kfree(ddev);
}

/* From here on put_device() undoes it all. */
static struct vmdev_dirty_dev *
vmdev_dirty_dev_create(const struct vmdev_dirty_ops *ops, void *priv,
		       unsigned int nas)
{
	struct vmdev_dirty_dev *ddev;
	int minor;

	ddev = kzalloc_obj(*ddev, GFP_KERNEL);
	if (!ddev)
		return ERR_PTR(-ENOMEM);

	ddev->sessions = vmdev_dirty_sessions_create(ops, priv, nas);
	if (IS_ERR(ddev->sessions)) {
		struct vmdev_dirty_sessions *err = ddev->sessions;

		kfree(ddev);
		return ERR_CAST(err);
	}

	minor = ida_alloc_max(&vmdev_dirty_minors, VMDEV_DIRTY_MINORS - 1,
			      GFP_KERNEL);
	if (minor < 0) {
		vmdev_dirty_sessions_put(ddev->sessions);
		kfree(ddev);
		return ERR_PTR(minor);
	}

	device_initialize(&ddev->dev);
	ddev->dev.class = &vmdev_dirty_class;
	ddev->dev.release = vmdev_dirty_dev_release;
	ddev->dev.devt = MKDEV(MAJOR(vmdev_dirty_devt), minor);
	cdev_init(&ddev->cdev, &vmdev_dirty_fops);
	ddev->cdev.owner = THIS_MODULE;
	return ddev;
}

/**
 * vmdev_dirty_dev_add() - give a device its /dev/vmdev/NAME
 * @parent: the vDPA device, registered
 * @name: its name, which no other vDPA device has
 * @ops: how to log it; they may be called at once
 * @priv: what they are called with
 * @nas: address spaces, 1 to VMDEV_DIRTY_NAS_MAX
 *
 * Context: may sleep; not with a lock held that an op takes.
 * Return: the character device; -EINVAL; -ENOMEM; an error of the driver core.
 */
struct vmdev_dirty_dev *vmdev_dirty_dev_add(struct device *parent,
					    const char *name,
					    const struct vmdev_dirty_ops *ops,
					    void *priv, unsigned int nas)
{
	struct vmdev_dirty_dev *ddev;
	int err;

	ddev = vmdev_dirty_dev_create(ops, priv, nas);
	if (IS_ERR(ddev))
		return ddev;

	ddev->dev.parent = parent;
	/* There is no power to manage: that spares a directory of attributes. */
	device_set_pm_not_required(&ddev->dev);
	err = dev_set_name(&ddev->dev, "%s", name) ? :
	      cdev_device_add(&ddev->cdev, &ddev->dev);
	if (!err)
		return ddev;

	/* It may have been there long enough for somebody to open it. */
	vmdev_dirty_sessions_end(ddev->sessions);
	put_device(&ddev->dev);
	return ERR_PTR(err);
}
EXPORT_SYMBOL_GPL(vmdev_dirty_dev_add);

/**
 * vmdev_dirty_dev_del() - the reverse of vmdev_dirty_dev_add()
 * @ddev: the character device
 *
 * Logging ends; whoever has it open gets ENODEV from now on. Does not wait for
 * him.
 *
 * Context: may sleep; not with a lock held that an op takes.
 */
void vmdev_dirty_dev_del(struct vmdev_dirty_dev *ddev)
{
	cdev_device_del(&ddev->cdev, &ddev->dev);
	vmdev_dirty_sessions_end(ddev->sessions);
	put_device(&ddev->dev);
}
EXPORT_SYMBOL_GPL(vmdev_dirty_dev_del);

static int __init vmdev_dirty_init(void)
{
	int err;

	err = class_register(&vmdev_dirty_class);
	if (err)
		return err;

	err = alloc_chrdev_region(&vmdev_dirty_devt, 0, VMDEV_DIRTY_MINORS,
				  "vmdev");
	if (err)
		class_unregister(&vmdev_dirty_class);
	return err;
}
module_init(vmdev_dirty_init);

static void __exit vmdev_dirty_exit(void)
{
	unregister_chrdev_region(vmdev_dirty_devt, VMDEV_DIRTY_MINORS);
	class_unregister(&vmdev_dirty_class);
	ida_destroy(&vmdev_dirty_minors);
}
module_exit(vmdev_dirty_exit);

MODULE_DESCRIPTION("vmdev: dirty logs of vDPA devices");
MODULE_AUTHOR("The vmdev developers");
MODULE_LICENSE("GPL");
