// SPDX-License-Identifier: GPL-2.0
/*
 * Management devices of software: the hardware of a vDPA device is made with it, and
 * goes with it.
 */
#include <linux/slab.h>

#include "ctl.h"
#include "vmdev.h"

/**
 * struct vmdev_factory_mgmt - the core's part of a factory
 * @mgmt: its management device
 * @ids: device types that @mgmt can create
 * @listed: for the control plane
 * @factory: the factory
 */
struct vmdev_factory_mgmt {
	struct vdpa_mgmt_dev mgmt;
	struct virtio_device_id ids[2];
	struct vmdev_mgmt listed;
	struct vmdev_factory *factory;
};

static struct vmdev_factory *vmdev_factory(struct vdpa_mgmt_dev *mgmt)
{
	return container_of(mgmt, struct vmdev_factory_mgmt, mgmt)->factory;
}

static int vmdev_factory_dev_add(struct vdpa_mgmt_dev *mgmt, const char *name,
				 const struct vdpa_dev_set_config *config)
{
	struct vmdev_factory *factory = vmdev_factory(mgmt);
	struct vmdev_hw *hw;
	int err;

	hw = factory->create(factory, name, config);
	if (IS_ERR(hw))
		return PTR_ERR(hw);

	err = vmdev_parent_create(hw);
	if (err)
		goto err_destroy;
	err = vmdev_dev_add(hw->parent, mgmt, name, config);
	if (err)
		goto err_parent;
	return 0;

err_parent:
	vmdev_parent_destroy(hw);
err_destroy:
	factory->destroy(hw);
	return err;
}

static void vmdev_factory_dev_del(struct vdpa_mgmt_dev *mgmt,
				  struct vdpa_device *vdpa)
{
	struct vmdev_hw *hw = vmdev_dev(vdpa)->hw;

	vmdev_dev_del(vmdev_dev(vdpa));
	vmdev_parent_destroy(hw);
	vmdev_factory(mgmt)->destroy(hw);
}

static const struct vdpa_mgmtdev_ops vmdev_factory_ops = {
	.dev_add = vmdev_factory_dev_add,
	.dev_del = vmdev_factory_dev_del,
	.dev_set_attr = vmdev_mgmt_set_attr,
};

/**
 * vmdev_factory_register() - register the management device of a factory
 * @factory: all but @core filled in
 *
 * Context: may sleep. Its ops may be called before this returns.
 * Return: 0; -ENOMEM; or the error of vmdev_mgmt_list().
 */
int vmdev_factory_register(struct vmdev_factory *factory)
{
	const struct vmdev_hw_caps *caps = &factory->caps;
	struct vmdev_factory_mgmt *core;
	int err;

	core = kzalloc_obj(*core, GFP_KERNEL);
	if (!core)
		return -ENOMEM;
	core->factory = factory;
	core->ids[0] = (struct virtio_device_id) {
		.device = caps->device_id,
		.vendor = VIRTIO_DEV_ANY_ID,
	};
	core->mgmt = (struct vdpa_mgmt_dev) {
		.device = factory->dev,
		.ops = &vmdev_factory_ops,
		.id_table = core->ids,
		.config_attr_mask = vmdev_provision_attrs(caps),
		.supported_features = vmdev_features_possible(caps),
		.max_supported_vqs = caps->nvqs,
	};
	core->listed = (struct vmdev_mgmt) {
		.mgmt = &core->mgmt,
		.caps = caps,
	};
	factory->core = core;
	err = vmdev_mgmt_list(&core->listed);
	if (err)
		kfree(core);
	return err;
}
EXPORT_SYMBOL_GPL(vmdev_factory_register);

/**
 * vmdev_factory_unregister() - take a management device and its devices away
 * @factory: it was registered
 *
 * Context: may sleep, without bound while user space holds a device.
 */
void vmdev_factory_unregister(struct vmdev_factory *factory)
{
	vmdev_mgmt_unlist(&factory->core->listed);
	kfree(factory->core);
}
EXPORT_SYMBOL_GPL(vmdev_factory_unregister);
