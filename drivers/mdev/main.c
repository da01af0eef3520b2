// SPDX-License-Identifier: GPL-2.0
/*
 * vmdev_mdev: vDPA devices by way of the mdev bus.
 */
#include <linux/module.h>

#include "vmdev_mdev.h"

/* Protects what vmdev_mdev.h says. */
DEFINE_MUTEX(vmdev_mdev_lock);

struct workqueue_struct *vmdev_mdev_wq;

struct mdev_driver vmdev_mdev_driver = {
	.device_api = "virtio-vdpa",
	.probe = vmdev_mdev_probe,
	.remove = vmdev_mdev_remove,
	.get_available = vmdev_mdev_get_available,
	.show_description = vmdev_mdev_show_description,
	.driver = {
		.name = "vmdev_mdev",
		/* Nothing that is there is its, and what is made is so at once. */
		.suppress_bind_attrs = true,
		.owner = THIS_MODULE,
		.dev_groups = vmdev_mdev_groups,
	},
};

static int __init vmdev_mdev_init(void)
{
	int err;

	/* Each may wait for user space to close a device: many at once. */
	vmdev_mdev_wq = alloc_workqueue("vmdev_mdev", WQ_UNBOUND, WQ_MAX_ACTIVE);
	if (!vmdev_mdev_wq)
		return -ENOMEM;
	err = mdev_register_driver(&vmdev_mdev_driver);
	if (err)
		goto err_wq;
	err = vmdev_maker_watch(&vmdev_mdev_watch);
	if (err)
		goto err_driver;
	return 0;

err_driver:
	mdev_unregister_driver(&vmdev_mdev_driver);
err_wq:
	destroy_workqueue(vmdev_mdev_wq);
	return err;
}

static void __exit vmdev_mdev_exit(void)
{
	vmdev_maker_unwatch(&vmdev_mdev_watch);
	mdev_unregister_driver(&vmdev_mdev_driver);
	destroy_workqueue(vmdev_mdev_wq);
}

module_init(vmdev_mdev_init);
module_exit(vmdev_mdev_exit);

MODULE_DESCRIPTION("vmdev: vDPA devices by way of the mdev bus");
MODULE_AUTHOR("The vmdev developers");
MODULE_LICENSE("GPL");
