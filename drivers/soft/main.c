// SPDX-License-Identifier: GPL-2.0
/* vmdev_soft: types of devices, and the management devices that are there from the start. */
#include <linux/module.h>
#include <linux/string.h>

#include "blk.h"
#include "vmdev_soft.h"

#define VMDEV_SOFT_MGMTDEVS_MAX	1024

static unsigned int net_mgmtdevs = 1;
module_param(net_mgmtdevs, uint, 0444);
MODULE_PARM_DESC(net_mgmtdevs, "Management devices of network devices at load: vmdev_soft, vmdev_soft1, ... (1)");

static unsigned int blk_mgmtdevs = 1;
module_param(blk_mgmtdevs, uint, 0444);
MODULE_PARM_DESC(blk_mgmtdevs, "Management devices of block devices at load: vmdev_soft_blk, vmdev_soft_blk1, ... (1)");

static const struct vmdev_soft_type * const vmdev_soft_types[] = {
	&vmdev_soft_net_type,
	&vmdev_soft_blk_type,
};

/**
 * vmdev_soft_type_find() - type of a name
 * @name: it
 *
 * Context: any.
 * Return: the type, or NULL.
 */
const struct vmdev_soft_type *vmdev_soft_type_find(const char *name)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(vmdev_soft_types); i++)
		if (!strcmp(vmdev_soft_types[i]->name, name))
			return vmdev_soft_types[i];
	return NULL;
}

/* The first has the name of the type's own, the others a number behind it. */
static int vmdev_soft_mgmtdevs_add(const struct vmdev_soft_type *type,
				   unsigned int count)
{
	char name[32];
	unsigned int i;
	int err = 0;

	if (count > VMDEV_SOFT_MGMTDEVS_MAX) {
		pr_err("vmdev_soft: %s_mgmtdevs=%u is more than %u\n", type->name,
		       count, VMDEV_SOFT_MGMTDEVS_MAX);
		return -EINVAL;
	}
	if (count)
		err = vmdev_soft_mgmt_add(type, type->mgmtdev);
	for (i = 1; i < count && !err; i++) {
		snprintf(name, sizeof(name), "%s%u", type->mgmtdev, i);
		err = vmdev_soft_mgmt_add(type, name);
	}
	return err;
}

static int __init vmdev_soft_module_init(void)
{
	int err;

	err = vmdev_soft_blk_config_init();
	if (err)
		return err;
	err = vmdev_soft_mgmt_init();
	if (err)
		goto err_config;
	err = vmdev_soft_mgmtdevs_add(&vmdev_soft_net_type, net_mgmtdevs);
	if (!err)
		err = vmdev_soft_mgmtdevs_add(&vmdev_soft_blk_type, blk_mgmtdevs);
	if (err)
		goto err_mgmt;
	return 0;

err_mgmt:
	vmdev_soft_mgmt_exit();
err_config:
	vmdev_soft_blk_config_exit();
	return err;
}
module_init(vmdev_soft_module_init);

static void __exit vmdev_soft_module_exit(void)
{
	vmdev_soft_mgmt_exit();
	vmdev_soft_blk_config_exit();
}
module_exit(vmdev_soft_module_exit);

MODULE_DESCRIPTION("vmdev: vDPA devices that are software");
MODULE_AUTHOR("The vmdev developers");
MODULE_LICENSE("GPL");
