// SPDX-License-Identifier: GPL-2.0
/* vmdev_soft: one management device for each type. */
#include <linux/module.h>

#include "blk.h"
#include "vmdev_soft.h"

static const struct vmdev_soft_type * const vmdev_soft_types[] = {
	&vmdev_soft_net_type,
	&vmdev_soft_blk_type,
};

static int __init vmdev_soft_module_init(void)
{
	unsigned int i;
	int err;

	err = vmdev_soft_blk_config_init();
	if (err)
		return err;
	for (i = 0; i < ARRAY_SIZE(vmdev_soft_types) && !err; i++)
		err = vmdev_soft_mgmt_add(vmdev_soft_types[i]);
	if (err) {
		vmdev_soft_mgmt_del_all();
		vmdev_soft_blk_config_exit();
	}
	return err;
}
module_init(vmdev_soft_module_init);

static void __exit vmdev_soft_module_exit(void)
{
	vmdev_soft_mgmt_del_all();
	vmdev_soft_blk_config_exit();
}
module_exit(vmdev_soft_module_exit);

MODULE_DESCRIPTION("vmdev: vDPA devices that are software");
MODULE_AUTHOR("The vmdev developers");
MODULE_LICENSE("GPL");
