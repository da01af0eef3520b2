// SPDX-License-Identifier: GPL-2.0
/* Management devices: each makes devices of one type, as many as are asked for. */
#include <linux/device.h>
#include <linux/list.h>
#include <linux/slab.h>

#include "vmdev_soft.h"

/**
 * struct vmdev_soft_mgmt - a management device
 * @dev: what it is in sysfs; parent of all that it makes
 * @factory: what the core knows of it
 * @type: what it makes
 * @node: in vmdev_soft_mgmts
 */
struct vmdev_soft_mgmt {
	struct device dev;
	struct vmdev_factory factory;
	const struct vmdev_soft_type *type;
	struct list_head node;
};

/* Module init and exit alone. */
static LIST_HEAD(vmdev_soft_mgmts);

static struct vmdev_hw *vmdev_soft_create(struct vmdev_factory *factory,
					  const char *name,
					  const struct vdpa_dev_set_config *config)
{
	struct vmdev_soft_mgmt *mgmt = container_of(factory, struct vmdev_soft_mgmt,
						    factory);
	struct vmdev_soft *soft;

	soft = mgmt->type->create(mgmt->type, &mgmt->dev, name, config);
	return IS_ERR(soft) ? ERR_CAST(soft) : &soft->hw;
}

static void vmdev_soft_destroy(struct vmdev_hw *hw)
{
	struct vmdev_soft *soft = vmdev_soft(hw);

	soft->type->destroy(soft);
}

static void vmdev_soft_mgmt_release(struct device *dev)
{
	kfree(container_of(dev, struct vmdev_soft_mgmt, dev));
}

/**
 * vmdev_soft_mgmt_add() - a management device
 * @type: what it makes
 *
 * Context: may sleep.
 * Return: 0 or a negative errno.
 */
int vmdev_soft_mgmt_add(const struct vmdev_soft_type *type)
{
	struct vmdev_soft_mgmt *mgmt;
	int err;

	mgmt = kzalloc_obj(*mgmt, GFP_KERNEL);
	if (!mgmt)
		return -ENOMEM;
	mgmt->type = type;
	mgmt->dev.release = vmdev_soft_mgmt_release;
	device_initialize(&mgmt->dev);
	err = dev_set_name(&mgmt->dev, "%s", type->mgmtdev);
	if (!err)
		err = device_add(&mgmt->dev);
	if (err)
		goto err_put;

	mgmt->factory.dev = &mgmt->dev;
	mgmt->factory.caps = type->caps;
	mgmt->factory.create = vmdev_soft_create;
	mgmt->factory.destroy = vmdev_soft_destroy;
	err = vmdev_factory_register(&mgmt->factory);
	if (err)
		goto err_del;
	list_add_tail(&mgmt->node, &vmdev_soft_mgmts);
	return 0;

err_del:
	device_del(&mgmt->dev);
err_put:
	put_device(&mgmt->dev);
	return err;
}

/**
 * vmdev_soft_mgmt_del_all() - the reverse of every vmdev_soft_mgmt_add()
 *
 * Context: may sleep, without bound while user space holds a device.
 */
void vmdev_soft_mgmt_del_all(void)
{
	struct vmdev_soft_mgmt *mgmt, *next;

	list_for_each_entry_safe_reverse(mgmt, next, &vmdev_soft_mgmts, node) {
		list_del(&mgmt->node);
		vmdev_factory_unregister(&mgmt->factory);
		device_unregister(&mgmt->dev);
	}
}
