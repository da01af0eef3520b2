// SPDX-License-Identifier: GPL-2.0
/*
 * fail_* in debugfs: what hardware may refuse, refused, for who tests what then happens.
 *
 * They are of a management device, as /sys/kernel/debug/vmdev_soft/MGMTDEV/fail_*, and count
 * for all that it makes: whoever wants to have one device fail makes it on a management device
 * of its own. Each is a boolean, and holds as long as it is set. As long as none is, all they
 * cost is a branch that is patched out.
 *
 * A device that fails does what hardware would, and says so where that would. Only it never
 * touches memory that it was told to leave: what says that it did not stop has stopped.
 */
#include <linux/debugfs.h>
#include <linux/device.h>
#include <linux/kstrtox.h>
#include <linux/mutex.h>
#include <uapi/linux/virtio_ids.h>

#include "vmdev_soft.h"

DEFINE_STATIC_KEY_FALSE(vmdev_soft_fail_key);

/* Serialises changes: the key counts what is set. */
static DEFINE_MUTEX(vmdev_soft_fail_lock);
static struct dentry *vmdev_soft_fail_root;

/**
 * struct vmdev_soft_knob - a file
 * @name: its name
 * @device_id: of devices that can fail so, 0 for all
 */
struct vmdev_soft_knob {
	const char *name;
	u32 device_id;
};

static const struct vmdev_soft_knob vmdev_soft_knobs[VMDEV_SOFT_FAILS] = {
	[VMDEV_SOFT_FAIL_CREATE]	= { "fail_create" },
	[VMDEV_SOFT_FAIL_ATTACH]	= { "fail_attach" },
	[VMDEV_SOFT_FAIL_MAP]		= { "fail_map" },
	[VMDEV_SOFT_FAIL_NEGOTIATE]	= { "fail_negotiate" },
	[VMDEV_SOFT_FAIL_IRQ]		= { "fail_irq" },
	[VMDEV_SOFT_FAIL_START]		= { "fail_start" },
	[VMDEV_SOFT_FAIL_STOP]		= { "fail_stop" },
	[VMDEV_SOFT_FAIL_VQ_START]	= { "fail_vq_start" },
	[VMDEV_SOFT_FAIL_VQ_STOP]	= { "fail_vq_stop" },
	[VMDEV_SOFT_FAIL_STATUS]	= { "fail_status" },
	[VMDEV_SOFT_FAIL_CTRL]		= { "fail_ctrl", VIRTIO_ID_NET },
	[VMDEV_SOFT_FAIL_XMIT]		= { "fail_xmit", VIRTIO_ID_NET },
	[VMDEV_SOFT_FAIL_RECEIVE]	= { "fail_receive", VIRTIO_ID_NET },
	[VMDEV_SOFT_FAIL_REQUEST]	= { "fail_request", VIRTIO_ID_BLOCK },
};

/**
 * vmdev_soft_fail_said() - a device does not do what it was asked for: say so
 * @dev: its management device
 * @name: of the device
 * @what: the file that says so
 * @err: what is returned
 *
 * Context: any.
 * Return: @err.
 */
int vmdev_soft_fail_said(const struct device *dev, const char *name,
			 enum vmdev_soft_fail what, int err)
{
	dev_err_ratelimited(dev, "%s: %s is set: %pe\n", name,
			    vmdev_soft_knobs[what].name, ERR_PTR(err));
	return err;
}

/* Under vmdev_soft_fail_lock. */
static void vmdev_soft_fail_change(bool *fail, bool set)
{
	if (*fail == set)
		return;
	WRITE_ONCE(*fail, set);
	if (set)
		static_branch_inc(&vmdev_soft_fail_key);
	else
		static_branch_dec(&vmdev_soft_fail_key);
}

static ssize_t vmdev_soft_fail_read(struct file *file, char __user *buf, size_t count,
				    loff_t *pos)
{
	const bool *fail = file->private_data;
	const char *text = READ_ONCE(*fail) ? "Y\n" : "N\n";

	return simple_read_from_buffer(buf, count, pos, text, 2);
}

static ssize_t vmdev_soft_fail_write(struct file *file, const char __user *buf,
				     size_t count, loff_t *pos)
{
	bool *fail = file->private_data, set;
	int err;

	err = kstrtobool_from_user(buf, count, &set);
	if (err)
		return err;
	mutex_lock(&vmdev_soft_fail_lock);
	vmdev_soft_fail_change(fail, set);
	mutex_unlock(&vmdev_soft_fail_lock);
	return count;
}

static const struct file_operations vmdev_soft_fail_fops = {
	.owner = THIS_MODULE,
	.open = simple_open,
	.read = vmdev_soft_fail_read,
	.write = vmdev_soft_fail_write,
	.llseek = default_llseek,
};

/**
 * vmdev_soft_fail_add() - a management device gets its files
 * @fails: what they change; zeroed
 * @name: of the management device
 * @device_id: virtio device id of what it makes
 *
 * Context: may sleep.
 */
void vmdev_soft_fail_add(struct vmdev_soft_fail_set *fails, const char *name, u32 device_id)
{
	const struct vmdev_soft_knob *knob;
	unsigned int i;

	fails->dir = debugfs_create_dir(name, vmdev_soft_fail_root);
	for (i = 0; i < VMDEV_SOFT_FAILS; i++) {
		knob = &vmdev_soft_knobs[i];
		if (!knob->device_id || knob->device_id == device_id)
			debugfs_create_file(knob->name, 0600, fails->dir,
					    &fails->set[i], &vmdev_soft_fail_fops);
	}
}

/**
 * vmdev_soft_fail_del() - the reverse of vmdev_soft_fail_add()
 * @fails: nobody asks for them any more
 *
 * Context: may sleep.
 */
void vmdev_soft_fail_del(struct vmdev_soft_fail_set *fails)
{
	unsigned int i;

	debugfs_remove(fails->dir);
	mutex_lock(&vmdev_soft_fail_lock);
	for (i = 0; i < VMDEV_SOFT_FAILS; i++)
		vmdev_soft_fail_change(&fails->set[i], false);
	mutex_unlock(&vmdev_soft_fail_lock);
}

/** vmdev_soft_fail_init() - a folder for all management devices */
void vmdev_soft_fail_init(void)
{
	vmdev_soft_fail_root = debugfs_create_dir("vmdev_soft", NULL);
}

/** vmdev_soft_fail_exit() - the reverse of vmdev_soft_fail_init() */
void vmdev_soft_fail_exit(void)
{
	debugfs_remove(vmdev_soft_fail_root);
}
