// SPDX-License-Identifier: GPL-2.0
/* vmdev_ctl: the control plane. Without it all else works. */
#include <linux/module.h>

#include "vmdev_ctl.h"

static const struct vmdev_ctl_ops vmdev_ctl_ops = {
	.mgmt_add = vmdev_ctl_sysfs_mgmt_add,
	.mgmt_del = vmdev_ctl_sysfs_mgmt_del,
	.dev_add = vmdev_ctl_sysfs_add,
	.dev_del = vmdev_ctl_sysfs_del,
	.event = vmdev_ctl_event,
};

static int __init vmdev_ctl_init(void)
{
	int err;

	err = vmdev_ctl_netlink_init();
	if (err)
		return err;
	err = vmdev_ctl_irq_init();
	if (err)
		goto err_netlink;
	err = vmdev_ctl_register(&vmdev_ctl_ops);
	if (err)
		goto err_irq;
	return 0;

err_irq:
	vmdev_ctl_irq_exit();
err_netlink:
	vmdev_ctl_netlink_exit();
	return err;
}
module_init(vmdev_ctl_init);

static void __exit vmdev_ctl_exit(void)
{
	vmdev_ctl_unregister();
	vmdev_ctl_irq_exit();
	vmdev_ctl_netlink_exit();
}
module_exit(vmdev_ctl_exit);

MODULE_DESCRIPTION("vmdev: control plane, netlink and sysfs");
MODULE_AUTHOR("The vmdev developers");
MODULE_LICENSE("GPL");
