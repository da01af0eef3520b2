// SPDX-License-Identifier: GPL-2.0
/*
 * Management devices, and the vDPA devices made of them.
 */
#include <linux/dma-mapping.h>
#include <linux/etherdevice.h>
#include <linux/export.h>
#include <linux/notifier.h>
#include <linux/slab.h>
#include <linux/sysfs.h>
#include <linux/virtio_config.h>
#include <uapi/linux/vdpa.h>

#include "ctl.h"
#include "vmdev.h"

static struct vmdev_parent *vmdev_parent(struct vdpa_mgmt_dev *mgmt)
{
	return container_of(mgmt, struct vmdev_parent, mgmt);
}

/* Protects vmdev_bus. */
static DEFINE_MUTEX(vmdev_bus_lock);
/* The bus that is watched, once there was a device on it. */
static const struct bus_type *vmdev_bus;

/*
 * Whoever had the device has it no more. Status is 0, and there is no user, if nobody
 * opened it and no virtio driver had it: virtio's core leaves ACKNOWLEDGE behind when
 * one goes. Then it is as it was made.
 */
static void vmdev_dev_let_go(struct vmdev_dev *dev)
{
	mutex_lock(&dev->parent->lock);
	if (dev->status || dev->mem.user || dev->needs_reset) {
		vmdev_reset_device(dev);
		vmdev_mem_detach(dev);
	}
	mutex_unlock(&dev->parent->lock);
}

/* A bus driver that let go has closed all files. */
static int vmdev_bus_notify(struct notifier_block *nb, unsigned long action,
			    void *data)
{
	struct vdpa_device *vdpa = container_of(data, struct vdpa_device, dev);

	if (action != BUS_NOTIFY_UNBOUND_DRIVER || !vdpa->mdev ||
	    vdpa->mdev->ops->dev_set_attr != vmdev_mgmt_set_attr)
		return NOTIFY_DONE;

	vmdev_dev_let_go(vmdev_dev(vdpa));
	return NOTIFY_OK;
}

static struct notifier_block vmdev_bus_nb = {
	.notifier_call = vmdev_bus_notify,
};

/* Once for all devices: only they know which bus it is. */
static int vmdev_bus_watch(const struct bus_type *bus)
{
	int err = 0;

	mutex_lock(&vmdev_bus_lock);
	if (!vmdev_bus) {
		err = bus_register_notifier(bus, &vmdev_bus_nb);
		if (!err)
			vmdev_bus = bus;
	}
	mutex_unlock(&vmdev_bus_lock);
	return err;
}

/**
 * vmdev_mgmt_exit() - watch the bus no more
 *
 * Context: may sleep; no management device is left.
 */
void vmdev_mgmt_exit(void)
{
	if (vmdev_bus)
		bus_unregister_notifier(vmdev_bus, &vmdev_bus_nb);
}

static int vmdev_dev_init(struct vmdev_dev *dev, struct vmdev_parent *parent)
{
	u16 hw_nvqs = parent->hw->caps.nvqs;

	dev->vqs = kcalloc(dev->nvqs, sizeof(*dev->vqs), GFP_KERNEL);
	dev->hw_vqs = kcalloc(hw_nvqs, sizeof(*dev->hw_vqs), GFP_KERNEL);
	dev->states = kcalloc(hw_nvqs, sizeof(*dev->states), GFP_KERNEL);
	if (!dev->vqs || !dev->hw_vqs || !dev->states)
		return -ENOMEM;

	vmdev_mem_init(&dev->mem);
	spin_lock_init(&dev->cb_lock);
	vmdev_set_cb(&dev->cb_lock, &dev->config_cb, NULL);
	vmdev_vqs_init(dev);
	return 0;
}

/* Ops of hardware that cannot do it all are cleared. */
static void vmdev_dev_choose_ops(struct vmdev_dev *dev)
{
	const struct vmdev_hw_ops *hw_ops = dev->parent->hw->ops;

	dev->ops = vmdev_vdpa_ops;
	if (!hw_ops->doorbell)
		dev->ops.get_vq_notification = NULL;
	if (!hw_ops->kick_with_data)
		dev->ops.kick_vq_with_data = NULL;
	if (!hw_ops->vq_set_affinity)
		dev->ops.set_vq_affinity = NULL;
	if (!hw_ops->vq_affinity)
		dev->ops.get_vq_affinity = NULL;
	dev->vdpa.config = &dev->ops;
}

static struct vmdev_dev *vmdev_dev_create(struct vmdev_parent *parent,
					  struct vdpa_mgmt_dev *mgmt,
					  const char *name,
					  const struct vmdev_provision *prov)
{
	bool cvq = vmdev_is_net(parent->hw) &&
		   (prov->features & BIT_ULL(VIRTIO_NET_F_CTRL_VQ));
	struct vmdev_dev *dev;
	int err;

	/* The control queue is in a group of its own, in whichever address space. */
	dev = vmdev_compat_vdpa_alloc(struct vmdev_dev, vdpa, parent->hw->dev,
				      &vmdev_vdpa_ops,
				      cvq ? VMDEV_GROUPS_MAX : 1,
				      cvq ? VMDEV_AS_MAX : 1, name);
	if (IS_ERR(dev))
		return dev;

	dev->parent = parent;
	dev->hw = parent->hw;
	vmdev_dev_choose_ops(dev);
	dev->prov = *prov;
	dev->nvqs = vmdev_count_vqs(parent, prov);
	dev->vdpa.mdev = mgmt;
	vmdev_compat_set_dma_dev(&dev->vdpa, vmdev_dma_dev(dev));
	dev->vdpa.dev.dma_mask = &dev->vdpa.dev.coherent_dma_mask;
	/* Its function has power to manage: that spares a directory in sysfs. */
	device_set_pm_not_required(&dev->vdpa.dev);

	err = dma_set_mask_and_coherent(&dev->vdpa.dev, DMA_BIT_MASK(64)) ? :
	      vmdev_dev_init(dev, parent);
	if (err) {
		put_device(&dev->vdpa.dev);
		return ERR_PTR(err);
	}
	return dev;
}

static void vmdev_parent_set_dev(struct vmdev_parent *parent,
				 struct vmdev_dev *dev)
{
	mutex_lock(&parent->lock);
	spin_lock_irq(&parent->dev_lock);
	parent->dev = dev;
	spin_unlock_irq(&parent->dev_lock);
	mutex_unlock(&parent->lock);
}

/*
 * Of another function's device: the vdpa bus would say so as well, when all were told already
 * that this one is there, and then that one of its name is gone.
 */
static int vmdev_dev_check_taken(struct vmdev_dev *dev)
{
	struct device *other;

	other = bus_find_device_by_name(dev->vdpa.dev.bus, NULL, dev_name(&dev->vdpa.dev));
	put_device(other);
	return other ? -EEXIST : 0;
}

/* Registers the device with the vdpa bus: its driver may start it at once. */
static int vmdev_dev_publish(struct vmdev_dev *dev)
{
	struct vmdev_parent *parent = dev->parent;
	int err;

	err = vmdev_dev_check_taken(dev);
	if (err)
		goto err_taken;

	vmdev_parent_set_dev(parent, dev);
	mutex_lock(&parent->lock);
	err = parent->gone ? -ENODEV : vmdev_reset_device(dev);
	mutex_unlock(&parent->lock);
	if (err)
		goto err_unset;

	err = vmdev_bus_watch(dev->vdpa.dev.bus);
	if (err)
		goto err_unset;

	err = vmdev_log_add(dev);
	if (err)
		goto err_unset;

	dev->vdpa.dev.groups = vmdev_path_groups;
	err = vmdev_ctl_prepare_dev(dev);
	if (err)
		goto err_log;
	/* From then on somebody may delete it, and has when this returns. */
	get_device(&dev->vdpa.dev);
	if (dev->made)
		err = vdpa_register_device(&dev->vdpa, dev->nvqs);
	else
		err = _vdpa_register_device(&dev->vdpa, dev->nvqs);
	if (err)
		goto err_ctl;
	vmdev_ctl_add_dev(dev);
	put_device(&dev->vdpa.dev);
	return 0;

err_ctl:
	put_device(&dev->vdpa.dev);
	vmdev_ctl_del_dev(dev);
	vmdev_ctl_gone_dev(dev);
err_log:
	vmdev_log_del(dev);
err_unset:
	vmdev_parent_set_dev(parent, NULL);
err_taken:
	if (err == -EEXIST)
		dev_err(parent->hw->dev, "name: there is a vDPA device %s\n",
			dev_name(&dev->vdpa.dev));
	return err;
}

/* What others make there once they are loaded. */
static bool vmdev_is_name_of_others(const char *name)
{
	return !strcmp(name, VMDEV_CTL_MGMT_FOLDER) || !strcmp(name, "mdev_supported_types");
}

/*
 * The core passes any name on. The device becomes a folder below its function;
 * a name that sysfs cannot take it answers with a warning and a stack trace,
 * and a device named "." nobody can find.
 */
static int vmdev_check_name(struct vmdev_parent *parent, const char *name)
{
	struct device *dev = parent->hw->dev;
	struct kernfs_node *taken;

	if (!*name || strlen(name) > NAME_MAX || strchr(name, '/') ||
	    !strcmp(name, ".") || !strcmp(name, "..")) {
		dev_err(dev, "name: not one that a folder can have\n");
		return -EINVAL;
	}

	taken = sysfs_get_dirent(dev->kobj.sd, name);
	sysfs_put(taken);
	if (taken || vmdev_is_name_of_others(name)) {
		dev_err(dev, "name: %s is a file that the function has in sysfs, or may have\n",
			name);
		return -EEXIST;
	}
	return 0;
}

/**
 * vmdev_dev_goes() - is it the caller who deletes a device?
 * @dev: the device; vdpa_dev_lock is held for writing
 *
 * If not, a wing that had it made is about to, and needs that lock.
 *
 * Context: may sleep.
 */
bool vmdev_dev_goes(struct vmdev_dev *dev)
{
	return !dev->made || vmdev_made_goes(dev->made);
}

/**
 * vmdev_dev_del() - take a device away
 * @dev: the device; may be freed once this returns
 * @locked: vdpa_dev_lock is held for writing. If not, it is taken only when nobody has
 *	the device any more: vdpa's netlink goes on for all others
 *
 * Context: may sleep, without bound while user space holds the device.
 */
void vmdev_dev_del(struct vmdev_dev *dev, bool locked)
{
	struct vmdev_parent *parent = dev->parent;
	struct vdpa_device *vdpa = &dev->vdpa;

	vmdev_ctl_del_dev(dev);
	vmdev_parent_leave(parent->hw);
	vmdev_log_del(dev);
	/* A host driver waits for ever for hardware that does not answer. */
	vmdev_break_host(&parent->break_work);

	get_device(&vdpa->dev);
	if (locked) {
		_vdpa_unregister_device(vdpa);
	} else {
		device_release_driver(&vdpa->dev);
		vdpa_unregister_device(vdpa);
	}
	/* Unless vmdev_bus_notify() has done so. */
	vmdev_dev_let_go(dev);
	vmdev_parent_set_dev(parent, NULL);
	vmdev_ctl_gone_dev(dev);
	cancel_work_sync(&parent->break_work);
	vmdev_ctrl_quiesce(dev);
	vmdev_home_quiesce(parent);
	put_device(&vdpa->dev);
	clear_bit_unlock(0, &parent->taken);
}

/* Two may want to make a device at once, one of them without vdpa_dev_lock. */
static int vmdev_parent_take(struct vmdev_parent *parent)
{
	if (!test_and_set_bit_lock(0, &parent->taken))
		return 0;

	mutex_lock(&parent->lock);
	dev_err(parent->hw->dev, "has a vDPA device already: %s\n",
		parent->dev ? dev_name(&parent->dev->vdpa.dev) : "one that comes or goes");
	mutex_unlock(&parent->lock);
	return -EBUSY;
}

static int vmdev_dev_make(struct vmdev_parent *parent, struct vdpa_mgmt_dev *mgmt,
			  const char *name,
			  const struct vmdev_provision *prov,
			  struct vmdev_made *made)
{
	struct vmdev_dev *dev;
	int err;

	dev = vmdev_dev_create(parent, mgmt, name, prov);
	if (IS_ERR(dev))
		return PTR_ERR(dev);

	dev->made = made;
	if (made)
		made->vdpa = &dev->vdpa;
	err = vmdev_dev_publish(dev);
	if (err)
		put_device(&dev->vdpa.dev);
	return err;
}

/**
 * vmdev_dev_add() - make a device of hardware that has none
 * @parent: the hardware
 * @mgmt: the management device that is asked to
 * @name: of the device
 * @config: what it shall be
 * @made: NULL, and vdpa_dev_lock is held for writing, as in dev_del; or the wing's that
 *	has it made, and it is not
 *
 * Context: may sleep.
 * Return: 0; -EBUSY if it has one; -EEXIST or -EINVAL for a name that cannot be; the
 * error of vmdev_provision(), of the hardware, or of _vdpa_register_device(); -ENOMEM.
 */
int vmdev_dev_add(struct vmdev_parent *parent, struct vdpa_mgmt_dev *mgmt,
		  const char *name, const struct vdpa_dev_set_config *config,
		  struct vmdev_made *made)
{
	struct vmdev_provision prov = { 0 };
	int err;

	err = vmdev_parent_take(parent);
	if (err)
		return err;
	err = vmdev_check_name(parent, name) ? :
	      vmdev_provision(parent, config, &prov) ? :
	      vmdev_dev_make(parent, mgmt, name, &prov, made);
	if (err)
		clear_bit_unlock(0, &parent->taken);
	return err;
}

static int vmdev_mgmt_dev_add(struct vdpa_mgmt_dev *mgmt, const char *name,
			      const struct vdpa_dev_set_config *config)
{
	return vmdev_dev_add(vmdev_parent(mgmt), mgmt, name, config, NULL);
}

static void vmdev_mgmt_dev_del(struct vdpa_mgmt_dev *mgmt,
			       struct vdpa_device *vdpa)
{
	struct vmdev_dev *dev = vmdev_dev(vdpa);

	if (vmdev_dev_goes(dev))
		vmdev_dev_del(dev, true);
}

/**
 * vmdev_mgmt_set_attr() - vdpa_mgmtdev_ops.dev_set_attr of all management devices
 * @mgmt: the management device
 * @vdpa: the device
 * @config: what to set; the vdpa core lets only a MAC address through
 *
 * Context: may sleep.
 * Return: 0; -EOPNOTSUPP, -EINVAL or -EBUSY, with one line.
 */
int vmdev_mgmt_set_attr(struct vdpa_mgmt_dev *mgmt, struct vdpa_device *vdpa,
			const struct vdpa_dev_set_config *config)
{
	struct vmdev_dev *dev = vmdev_dev(vdpa);
	struct vmdev_parent *parent = dev->parent;
	struct vmdev_provision prov = dev->prov;
	int err;

	if (!(mgmt->config_attr_mask &
	      BIT_ULL(VDPA_ATTR_DEV_NET_CFG_MACADDR))) {
		dev_err(&vdpa->dev, "mac: hardware cannot be told one (it needs CTRL_VQ and CTRL_MAC_ADDR)\n");
		return -EOPNOTSUPP;
	}

	err = vmdev_provision_mac(parent, config->net.mac, &prov);
	if (err)
		return err;

	mutex_lock(&parent->lock);
	if (dev->status & VIRTIO_CONFIG_S_FEATURES_OK) {
		dev_err(&vdpa->dev, "mac: a driver runs the device\n");
		err = -EBUSY;
	} else {
		ether_addr_copy(dev->prov.mac, prov.mac);
		dev->generation++;
	}
	mutex_unlock(&parent->lock);
	return err;
}

static const struct vdpa_mgmtdev_ops vmdev_mgmt_ops = {
	.dev_add = vmdev_mgmt_dev_add,
	.dev_del = vmdev_mgmt_dev_del,
	.dev_set_attr = vmdev_mgmt_set_attr,
};

static struct vmdev_parent *vmdev_maker_parent(const struct vmdev_maker *maker)
{
	return container_of(maker, struct vmdev_parent, maker);
}

static int vmdev_parent_make(struct vmdev_maker *maker, const char *name,
			     const struct vdpa_dev_set_config *config,
			     struct vmdev_made *made)
{
	struct vmdev_parent *parent = vmdev_maker_parent(maker);

	return vmdev_dev_add(parent, &parent->mgmt, name, config, made);
}

static void vmdev_parent_unmake(struct vmdev_made *made)
{
	struct vdpa_device *vdpa = made->vdpa;

	if (vmdev_made_goes(made))
		vmdev_dev_del(vmdev_dev(vdpa), false);
}

static bool vmdev_parent_free(const struct vmdev_maker *maker)
{
	const struct vmdev_parent *parent = vmdev_maker_parent(maker);

	return !test_bit(0, &parent->taken) && !READ_ONCE(parent->gone) &&
	       !READ_ONCE(parent->offline);
}

static const struct vmdev_maker_ops vmdev_parent_maker_ops = {
	.make = vmdev_parent_make,
	.unmake = vmdev_parent_unmake,
	.free = vmdev_parent_free,
};

static void vmdev_parent_set_maker(struct vmdev_parent *parent)
{
	const struct vmdev_hw_caps *caps = &parent->hw->caps;
	bool multi = caps->features & (BIT_ULL(VIRTIO_NET_F_MQ) |
				       BIT_ULL(VIRTIO_NET_F_RSS));

	parent->maker = (struct vmdev_maker) {
		.dev = parent->hw->dev,
		.pool = parent->hw->pool,
		.device_id = caps->device_id,
		.attrs = parent->mgmt.config_attr_mask,
		.max_vqp = multi ? parent->max_vqp : 1,
		.ops = &vmdev_parent_maker_ops,
	};
}

/**
 * vmdev_mgmt_list() - register a management device, and show it to the control plane
 * @mgmt: it, with all but id filled in
 *
 * Context: may sleep.
 * Return: 0; -ENOMEM; or the error of vdpa_mgmtdev_register().
 */
int vmdev_mgmt_list(struct vmdev_mgmt *mgmt)
{
	int err;

	err = vmdev_ctl_add_mgmt(mgmt);
	if (err)
		return err;
	err = vdpa_mgmtdev_register(mgmt->mgmt);
	if (err)
		vmdev_ctl_del_mgmt(mgmt);
	return err;
}

/**
 * vmdev_mgmt_unlist() - the reverse of vmdev_mgmt_list()
 * @mgmt: it
 *
 * Context: may sleep, without bound while user space holds a device.
 */
void vmdev_mgmt_unlist(struct vmdev_mgmt *mgmt)
{
	vdpa_mgmtdev_unregister(mgmt->mgmt);
	vmdev_ctl_del_mgmt(mgmt);
}

/**
 * vmdev_mgmt_register() - register the management device of a parent
 * @parent: the parent
 *
 * Context: may sleep.
 * Return: 0 or the error of vmdev_mgmt_list().
 */
int vmdev_mgmt_register(struct vmdev_parent *parent)
{
	const struct vmdev_hw_caps *caps = &parent->hw->caps;

	parent->ids[0] = (struct virtio_device_id) {
		.device = caps->device_id,
		.vendor = VIRTIO_DEV_ANY_ID,
	};
	parent->mgmt = (struct vdpa_mgmt_dev) {
		.device = parent->hw->dev,
		.ops = &vmdev_mgmt_ops,
		.id_table = parent->ids,
		.config_attr_mask = vmdev_provision_attrs(caps),
		.supported_features = vmdev_features_possible(caps),
		.max_supported_vqs = caps->nvqs,
	};
	vmdev_parent_set_maker(parent);
	parent->listed = (struct vmdev_mgmt) {
		.mgmt = &parent->mgmt,
		.caps = caps,
		.parent = parent,
	};
	return vmdev_mgmt_list(&parent->listed);
}

/**
 * vmdev_mgmt_unregister() - the reverse of vmdev_mgmt_register()
 * @parent: the parent
 *
 * Context: may sleep, without bound while user space holds the device.
 */
void vmdev_mgmt_unregister(struct vmdev_parent *parent)
{
	vmdev_mgmt_unlist(&parent->listed);
}
