// SPDX-License-Identifier: GPL-2.0
/*
 * vmdev: the core. Parents register here and become vDPA management devices.
 */
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/virtio_config.h>

#include "ctl.h"
#include "vmdev.h"

/**
 * vmdev_parent_create() - the core's part of a piece of hardware
 * @hw: the hardware, ready to be used, with caps, ops and devices filled in
 *
 * Context: may sleep. The hardware's ops may be called before this returns.
 * Return: 0, and @hw->parent is set; -EINVAL for hardware whose queues make no
 * sense, with one line that says so; -ENOMEM.
 */
int vmdev_parent_create(struct vmdev_hw *hw)
{
	struct vmdev_parent *parent;
	int err = 0;

	if (!hw->caps.nvqs) {
		dev_err(hw->dev, "hardware has no queues\n");
		return -EINVAL;
	}

	parent = kzalloc_obj(*parent, GFP_KERNEL);
	if (!parent)
		return -ENOMEM;

	parent->hw = hw;
	mutex_init(&parent->lock);
	spin_lock_init(&parent->dev_lock);
	INIT_WORK(&parent->break_work, vmdev_break_host);
	vmdev_home_init(parent);
	hw->parent = parent;
	if (vmdev_is_net(hw)) {
		vmdev_config_check(hw);
		vmdev_provision_check(hw);
		err = vmdev_count_pairs(parent);
	}
	if (err)
		vmdev_parent_destroy(hw);
	return err;
}

/**
 * vmdev_parent_destroy() - the reverse of vmdev_parent_create()
 * @hw: the hardware, without a device
 *
 * Context: may sleep.
 */
void vmdev_parent_destroy(struct vmdev_hw *hw)
{
	struct vmdev_parent *parent = hw->parent;

	cancel_work_sync(&parent->break_work);
	vmdev_home_quiesce(parent);
	hw->parent = NULL;
	mutex_destroy(&parent->lock);
	kfree(parent);
}

/**
 * vmdev_parent_register() - make a piece of hardware a management device
 * @hw: the hardware, ready to be used, with caps, ops and devices filled in
 *
 * Context: may sleep. The hardware's ops may be called before this returns.
 * Return: 0; -EINVAL for hardware whose queues make no sense, with one line
 * that says so; -ENOMEM; or the error of vdpa_mgmtdev_register().
 */
int vmdev_parent_register(struct vmdev_hw *hw)
{
	int err;

	err = vmdev_parent_create(hw);
	if (err)
		return err;
	err = vmdev_mgmt_register(hw->parent);
	if (err) {
		vmdev_parent_destroy(hw);
		return err;
	}
	vmdev_maker_add(&hw->parent->maker);
	return 0;
}
EXPORT_SYMBOL_GPL(vmdev_parent_register);

/**
 * vmdev_parent_unregister() - take a management device and its device away
 * @hw: hardware that was registered
 *
 * The kernel gives no way to take a device from user space: this waits until
 * whoever has it open closes it. He is told by NEEDS_RESET, and the log names
 * him.
 *
 * Context: may sleep, without bound while user space holds the device.
 */
void vmdev_parent_unregister(struct vmdev_hw *hw)
{
	vmdev_maker_del(&hw->parent->maker);
	vmdev_mgmt_unregister(hw->parent);
	vmdev_parent_destroy(hw);
}
EXPORT_SYMBOL_GPL(vmdev_parent_unregister);

static int vmdev_go_live(struct vmdev_parent *parent, u64 features)
{
	const struct vmdev_hw_conf conf = {
		.features = features,
		.cvq = U16_MAX,
	};
	struct vmdev_hw *hw = parent->hw;
	u8 status;

	if (parent->gone || parent->offline)
		return -ENODEV;
	status = hw->ops->status(hw);
	if (parent->gone)
		return -ENODEV;
	if (status & VIRTIO_CONFIG_S_DRIVER_OK)
		return 0;
	if (parent->dev && (parent->dev->status & VIRTIO_CONFIG_S_FEATURES_OK))
		return -EBUSY;
	return hw->ops->negotiate(hw, features) ? : hw->ops->start(hw, &conf);
}

/**
 * vmdev_parent_bring_up() - make sure the hardware is at DRIVER_OK
 * @hw: registered hardware
 * @features: features to negotiate if nobody did
 *
 * A PF must be live before it can have VFs. If it is that will do; if not it goes live
 * without queues, until a driver resets it. A driver alone does not make it so: it may
 * have gone no further than ACKNOWLEDGE.
 *
 * Context: may sleep.
 * Return: 0 or the error of the hardware's negotiate or start; -EBUSY where its driver has
 * it, and has it not live: not yet, or suspended, or broken.
 */
int vmdev_parent_bring_up(struct vmdev_hw *hw, u64 features)
{
	struct vmdev_parent *parent = hw->parent;
	int err;

	mutex_lock(&parent->lock);
	err = vmdev_go_live(parent, features);
	mutex_unlock(&parent->lock);
	return err;
}
EXPORT_SYMBOL_GPL(vmdev_parent_bring_up);

static int __init vmdev_init(void)
{
	int err = vmdev_host_init();

	if (!err)
		vmdev_debugfs_init();
	return err;
}

static void __exit vmdev_exit(void)
{
	vmdev_debugfs_exit();
	vmdev_mgmt_exit();
	/* Something may have been noted while the listener went. */
	vmdev_notices_flush();
	vmdev_host_exit();
}

module_init(vmdev_init);
module_exit(vmdev_exit);

MODULE_DESCRIPTION("vmdev: vDPA parent core");
MODULE_AUTHOR("The vmdev developers");
MODULE_LICENSE("GPL");
