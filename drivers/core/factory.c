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
 * @maker: what wings see of @mgmt
 * @factory: the factory
 */
struct vmdev_factory_mgmt {
	struct vdpa_mgmt_dev mgmt;
	struct virtio_device_id ids[2];
	struct vmdev_mgmt listed;
	struct vmdev_maker maker;
	struct vmdev_factory *factory;
};

static struct vmdev_factory *vmdev_factory(struct vdpa_mgmt_dev *mgmt)
{
	return container_of(mgmt, struct vmdev_factory_mgmt, mgmt)->factory;
}

static int vmdev_factory_add(struct vdpa_mgmt_dev *mgmt, const char *name,
			     const struct vdpa_dev_set_config *config,
			     struct vmdev_made *made)
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
	err = vmdev_dev_add(hw->parent, mgmt, name, config, made);
	if (err)
		goto err_parent;
	return 0;

err_parent:
	vmdev_parent_destroy(hw);
err_destroy:
	factory->destroy(hw);
	return err;
}

static int vmdev_factory_dev_add(struct vdpa_mgmt_dev *mgmt, const char *name,
				 const struct vdpa_dev_set_config *config)
{
	return vmdev_factory_add(mgmt, name, config, NULL);
}

static void vmdev_factory_del(struct vmdev_factory *factory, struct vmdev_dev *dev,
			      bool locked)
{
	struct vmdev_hw *hw = dev->hw;

	vmdev_dev_del(dev, locked);
	vmdev_parent_destroy(hw);
	factory->destroy(hw);
}

static void vmdev_factory_dev_del(struct vdpa_mgmt_dev *mgmt,
				  struct vdpa_device *vdpa)
{
	struct vmdev_dev *dev = vmdev_dev(vdpa);

	if (vmdev_dev_goes(dev))
		vmdev_factory_del(vmdev_factory(mgmt), dev, true);
}

static const struct vdpa_mgmtdev_ops vmdev_factory_ops = {
	.dev_add = vmdev_factory_dev_add,
	.dev_del = vmdev_factory_dev_del,
	.dev_set_attr = vmdev_mgmt_set_attr,
};

static int vmdev_factory_make(struct vmdev_maker *maker, const char *name,
			      const struct vdpa_dev_set_config *config,
			      struct vmdev_made *made)
{
	struct vmdev_factory_mgmt *core = container_of(maker, struct vmdev_factory_mgmt,
						       maker);

	return vmdev_factory_add(&core->mgmt, name, config, made);
}

static void vmdev_factory_unmake(struct vmdev_made *made)
{
	struct vmdev_factory_mgmt *core = container_of(made->maker, struct vmdev_factory_mgmt,
						       maker);
	struct vdpa_device *vdpa = made->vdpa;

	if (vmdev_made_goes(made))
		vmdev_factory_del(core->factory, vmdev_dev(vdpa), false);
}

static bool vmdev_factory_free(const struct vmdev_maker *maker)
{
	return true;
}

static const struct vmdev_maker_ops vmdev_factory_maker_ops = {
	.make = vmdev_factory_make,
	.unmake = vmdev_factory_unmake,
	.free = vmdev_factory_free,
};

static void vmdev_factory_set_maker(struct vmdev_factory_mgmt *core)
{
	const struct vmdev_hw_caps *caps = &core->factory->caps;
	bool cvq = caps->features & BIT_ULL(VIRTIO_NET_F_CTRL_VQ);

	core->maker = (struct vmdev_maker) {
		.dev = core->factory->dev,
		.device_id = caps->device_id,
		.attrs = core->mgmt.config_attr_mask,
		.max_vqp = (caps->nvqs - cvq) / 2,
		.many = true,
		.ops = &vmdev_factory_maker_ops,
	};
}

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
	vmdev_factory_set_maker(core);
	err = vmdev_mgmt_list(&core->listed);
	if (err) {
		kfree(core);
		return err;
	}
	vmdev_maker_add(&core->maker);
	return 0;
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
	vmdev_maker_del(&factory->core->maker);
	vmdev_mgmt_unlist(&factory->core->listed);
	kfree(factory->core);
}
EXPORT_SYMBOL_GPL(vmdev_factory_unregister);
