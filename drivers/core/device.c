// SPDX-License-Identifier: GPL-2.0
/*
 * The vdpa_config_ops, one implementation for all parents.
 *
 * The driver on the other side is the host's (virtio_vdpa) or, through
 * vhost-vdpa, user space's. Setters return nothing: a refusal shows in what is
 * read back, and in the log.
 */
#include <linux/etherdevice.h>
#include <linux/log2.h>
#include <linux/slab.h>
#include <linux/virtio_config.h>
#include <net/netlink.h>
#include <uapi/linux/vdpa.h>
#include <uapi/linux/vhost_types.h>

#include "shadow.h"
#include "ctl.h"
#include "vmdev.h"

static int vmdev_op_set_vq_address(struct vdpa_device *vdpa, u16 idx,
				   u64 desc, u64 driver, u64 device)
{
	struct vmdev_dev *dev = vmdev_dev(vdpa);
	struct vmdev_vq_conf *conf = &dev->vqs[idx].conf;
	int err = 0;

	mutex_lock(&dev->parent->lock);
	if (dev->vqs[idx].on) {
		err = -EBUSY;
	} else {
		vmdev_vq_unpark(dev, idx);
		conf->desc = desc;
		conf->driver = driver;
		conf->device = device;
	}
	mutex_unlock(&dev->parent->lock);
	return err;
}

/* 6.12's vhost-vdpa has no upper bound: the queue is checked when it starts. */
static void vmdev_op_set_vq_num(struct vdpa_device *vdpa, u16 idx, u32 num)
{
	struct vmdev_dev *dev = vmdev_dev(vdpa);

	mutex_lock(&dev->parent->lock);
	/* vhost-vdpa lets it through at any time; the hardware's ring stays. */
	if (!dev->vqs[idx].on)
		dev->vqs[idx].conf.size = min_t(u32, num, U16_MAX);
	mutex_unlock(&dev->parent->lock);
}

/* Any context, interrupts off as a rule, also after reset. */
static void vmdev_op_kick_vq(struct vdpa_device *vdpa, u16 idx)
{
	struct vmdev_dev *dev = vmdev_dev(vdpa);
	struct vmdev_vq *vq = &dev->vqs[idx];
	struct vmdev_hw *hw = dev->hw;

	atomic64_inc(&vq->kicks);
	if (READ_ONCE(vq->live))
		hw->ops->kick(hw, vq->hw_vq);
	/* Pairs with vmdev_shadow_prepare(): what it set up is seen, too. */
	else if (smp_load_acquire(&vq->shadowed))
		vmdev_shadow_kick(vq);
	/* Likewise vmdev_ctrl_open(). */
	else if (smp_load_acquire(&vq->served))
		vmdev_ctrl_kick(dev);
}

static void vmdev_op_kick_vq_with_data(struct vdpa_device *vdpa, u32 data)
{
	struct vmdev_dev *dev = vmdev_dev(vdpa);
	struct vmdev_hw *hw = dev->hw;
	u16 idx = data & U16_MAX;
	struct vmdev_vq *vq;

	if (idx >= dev->nvqs)
		return;

	vq = &dev->vqs[idx];
	atomic64_inc(&vq->kicks);
	if (READ_ONCE(vq->live))
		hw->ops->kick_with_data(hw, vq->hw_vq, data);
	/* See above. */
	else if (smp_load_acquire(&vq->served))
		vmdev_ctrl_kick(dev);
}

static void vmdev_op_set_vq_cb(struct vdpa_device *vdpa, u16 idx,
			       struct vdpa_callback *cb)
{
	struct vmdev_vq *vq = &vmdev_dev(vdpa)->vqs[idx];

	vmdev_set_cb(&vq->cb_lock, &vq->cb, cb);
}

static void vmdev_op_set_vq_ready(struct vdpa_device *vdpa, u16 idx,
				  bool ready)
{
	struct vmdev_dev *dev = vmdev_dev(vdpa);

	mutex_lock(&dev->parent->lock);
	vmdev_vq_enable(dev, idx, ready);
	mutex_unlock(&dev->parent->lock);
}

static bool vmdev_op_get_vq_ready(struct vdpa_device *vdpa, u16 idx)
{
	struct vmdev_dev *dev = vmdev_dev(vdpa);
	bool ready;

	mutex_lock(&dev->parent->lock);
	ready = dev->vqs[idx].conf.enabled;
	mutex_unlock(&dev->parent->lock);
	return ready;
}

static int vmdev_op_set_vq_state(struct vdpa_device *vdpa, u16 idx,
				 const struct vdpa_vq_state *state)
{
	struct vmdev_dev *dev = vmdev_dev(vdpa);
	int err = 0;

	mutex_lock(&dev->parent->lock);
	if (dev->running && !dev->suspended) {
		err = -EBUSY;
	} else {
		vmdev_vq_unpark(dev, idx);
		dev->vqs[idx].conf.state = *state;
		dev->vqs[idx].state_set = true;
		dev->vqs[idx].state_learned = false;
		dev->vqs[idx].state_lost = false;
	}
	mutex_unlock(&dev->parent->lock);
	return err;
}

static int vmdev_op_get_vq_state(struct vdpa_device *vdpa, u16 idx,
				 struct vdpa_vq_state *state)
{
	struct vmdev_dev *dev = vmdev_dev(vdpa);
	struct vmdev_vq *vq = &dev->vqs[idx];
	int err = 0;

	mutex_lock(&dev->parent->lock);
	if (dev->needs_reset)
		err = -EIO;
	else if (vq->on)
		err = vmdev_vq_read_state(dev, idx, state);
	else if (vq->state_lost)
		err = -EILSEQ;
	else
		*state = vq->conf.state;
	mutex_unlock(&dev->parent->lock);
	return err;
}

static int vmdev_put_stat(struct sk_buff *msg, const char *name, u64 value)
{
	if (nla_put_string(msg, VDPA_ATTR_DEV_VENDOR_ATTR_NAME, name) ||
	    nla_put_u64_64bit(msg, VDPA_ATTR_DEV_VENDOR_ATTR_VALUE, value,
			      VDPA_ATTR_PAD))
		return -EMSGSIZE;
	return 0;
}

static int vmdev_op_get_vendor_vq_stats(struct vdpa_device *vdpa, u16 idx,
					struct sk_buff *msg,
					struct netlink_ext_ack *extack)
{
	struct vmdev_dev *dev = vmdev_dev(vdpa);
	struct vmdev_vq *vq;

	if (idx >= dev->nvqs) {
		NL_SET_ERR_MSG_FMT_MOD(extack, "no queue %u, the device has %u",
				       idx, dev->nvqs);
		return -EINVAL;
	}

	vq = &dev->vqs[idx];
	return vmdev_put_stat(msg, "kicks", atomic64_read(&vq->kicks)) ? :
	       vmdev_put_stat(msg, "interrupts", vmdev_vq_events(vq));
}

/* No lock: this is called from a page fault on a mapped doorbell. */
static struct vdpa_notification_area
vmdev_op_get_vq_notification(struct vdpa_device *vdpa, u16 idx)
{
	struct vmdev_dev *dev = vmdev_dev(vdpa);
	struct vdpa_notification_area area = { 0 };
	struct vmdev_hw *hw = dev->parent->hw;

	/*
	 * The control queue has none. Without multiqueue it is queue 2, which else
	 * is a queue of packets; then it is looked at as those in shadow are.
	 */
	if (idx >= dev->nvqs ||
	    (dev->vdpa.ngroups > 1 && idx == 2 * dev->prov.max_vqp))
		return area;
	/* What was answered once, and may be mapped, is the answer. */
	if ((READ_ONCE(dev->policy) == VMDEV_POLICY_SHADOW &&
	     !READ_ONCE(dev->vqs[idx].doorbell)) ||
	    hw->ops->doorbell(hw, idx, &area))
		return (struct vdpa_notification_area) { 0 };
	/* From now on kicks may not come here. Pairs with vmdev_shadow_run(). */
	smp_store_mb(dev->vqs[idx].doorbell, true);
	vmdev_shadow_doorbell(dev, idx);
	/* Pairs with vmdev_ctrl_open(). */
	if (smp_load_acquire(&dev->vqs[idx].served))
		vmdev_ctrl_kick(dev);
	return area;
}

/*
 * May interrupts of a queue go to a guest past the core? Also of one that is enabled later,
 * if it would be direct now: vhost-vdpa asks at DRIVER_OK, and QEMU enables after it.
 */
static bool vmdev_vq_irq_valid(const struct vmdev_dev *dev, u16 i)
{
	const struct vmdev_vq *vq = &dev->vqs[i];

	if (!dev->running || dev->suspended || READ_ONCE(dev->needs_reset) ||
	    !vmdev_usable(dev) || i == vmdev_cvq(dev))
		return false;
	return vq->on ? vq->direct : !vmdev_path_is_shadow(dev, i);
}

static int vmdev_op_get_vq_irq(struct vdpa_device *vdpa, u16 idx)
{
	struct vmdev_dev *dev = vmdev_dev(vdpa);
	struct vmdev_hw *hw = dev->parent->hw;
	int irq = -EINVAL;

	mutex_lock(&dev->parent->lock);
	if (idx < dev->nvqs && vmdev_vq_irq_valid(dev, idx))
		irq = hw->ops->vq_irq(hw, dev->vqs[idx].hw_vq);
	mutex_unlock(&dev->parent->lock);
	return irq;
}

/*
 * Not under vmdev_parent.lock: virtio_net asks with cpu_hotplug_lock held, which the IOMMU's
 * locks, taken inside of ours, come before. It is the host's driver who asks, and features are
 * its own. What it takes back after a reset is forgotten already, and which queue is meant, too.
 */
static int vmdev_op_set_vq_affinity(struct vdpa_device *vdpa, u16 idx,
				    const struct cpumask *mask)
{
	struct vmdev_dev *dev = vmdev_dev(vdpa);
	struct vmdev_hw *hw = dev->hw;

	if (!READ_ONCE(dev->features))
		return mask ? -EINVAL : 0;
	if (idx >= dev->nvqs)
		return -EINVAL;
	if (idx == vmdev_cvq(dev))
		return -EOPNOTSUPP;
	return hw->ops->vq_set_affinity(hw, vmdev_hw_vq(dev, idx), mask);
}

static const struct cpumask *
vmdev_op_get_vq_affinity(struct vdpa_device *vdpa, u16 idx)
{
	struct vmdev_dev *dev = vmdev_dev(vdpa);
	struct vmdev_hw *hw = dev->hw;

	if (idx >= dev->nvqs || idx == vmdev_cvq(dev))
		return NULL;
	return hw->ops->vq_affinity(hw, vmdev_hw_vq(dev, idx));
}

static u16 vmdev_op_get_vq_size(struct vdpa_device *vdpa, u16 idx)
{
	struct vmdev_dev *dev = vmdev_dev(vdpa);
	u16 size = 0;

	mutex_lock(&dev->parent->lock);
	if (idx < dev->nvqs)
		size = vmdev_vq_size_max(dev, idx);
	mutex_unlock(&dev->parent->lock);
	return size;
}

static u32 vmdev_op_get_vq_align(struct vdpa_device *vdpa)
{
	return vmdev_dev(vdpa)->parent->hw->caps.vq_align;
}

/* QEMU asks with features negotiated: they say which one is the control queue. */
static u32 vmdev_op_get_vq_group(struct vdpa_device *vdpa, u16 idx)
{
	struct vmdev_dev *dev = vmdev_dev(vdpa);
	u32 group;

	mutex_lock(&dev->parent->lock);
	group = idx == vmdev_cvq(dev) ? VMDEV_GROUP_CTRL : VMDEV_GROUP_DATA;
	mutex_unlock(&dev->parent->lock);
	return group;
}

/*
 * Only a host driver asks. What software reads must be where its address says: no
 * IOMMU translates for the vDPA device itself.
 */
static vmdev_compat_map vmdev_op_get_vq_map(struct vdpa_device *vdpa, u16 idx)
{
	struct vmdev_dev *dev = vmdev_dev(vdpa);
	struct device *dma_dev = vmdev_dma_dev(dev);

	mutex_lock(&dev->parent->lock);
	if (idx == vmdev_cvq(dev))
		dma_dev = &vdpa->dev;
	mutex_unlock(&dev->parent->lock);
	return vmdev_compat_vq_map(dma_dev);
}

static u64 vmdev_op_get_device_features(struct vdpa_device *vdpa)
{
	return vmdev_dev(vdpa)->prov.features;
}

static u64 vmdev_op_get_backend_features(const struct vdpa_device *vdpa)
{
	return BIT_ULL(VHOST_BACKEND_F_ENABLE_AFTER_DRIVER_OK);
}

/* 0 comes from the vdpa core, when somebody reads the configuration early. */
static int vmdev_op_set_driver_features(struct vdpa_device *vdpa, u64 features)
{
	struct vmdev_dev *dev = vmdev_dev(vdpa);
	u64 unknown = features & ~dev->prov.features;
	const char *why = NULL;
	int err = -EINVAL;

	if (features)
		why = vmdev_features_check(0, features);
	if ((features & BIT_ULL(VIRTIO_F_NOTIFICATION_DATA)) && dev->mem.user)
		why = "vhost-vdpa cannot pass NOTIFICATION_DATA on";
	if (unknown)
		dev_err_ratelimited(&vdpa->dev,
				    "features %#llx refused: %#llx were not offered\n",
				    features, unknown);
	else if (why)
		dev_err_ratelimited(&vdpa->dev, "features %#llx refused: %s\n",
				    features, why);
	else
		err = 0;
	if (err)
		return err;

	mutex_lock(&dev->parent->lock);
	if (dev->status & VIRTIO_CONFIG_S_FEATURES_OK)
		err = -EBUSY;
	else
		dev->features = features;
	mutex_unlock(&dev->parent->lock);
	return err;
}

static u64 vmdev_op_get_driver_features(struct vdpa_device *vdpa)
{
	return vmdev_dev(vdpa)->features;
}

static void vmdev_op_set_config_cb(struct vdpa_device *vdpa,
				   struct vdpa_callback *cb)
{
	struct vmdev_dev *dev = vmdev_dev(vdpa);

	vmdev_set_cb(&dev->cb_lock, &dev->config_cb, cb);
}

/* One number for all queues; get_vq_size knows each. */
static u16 vmdev_op_get_vq_num_max(struct vdpa_device *vdpa)
{
	return vmdev_size_max(vmdev_dev(vdpa));
}

static u16 vmdev_op_get_vq_num_min(struct vdpa_device *vdpa)
{
	return vmdev_dev(vdpa)->parent->hw->caps.vq_size_min;
}

static u32 vmdev_op_get_device_id(struct vdpa_device *vdpa)
{
	return vmdev_dev(vdpa)->parent->hw->caps.device_id;
}

static u32 vmdev_op_get_vendor_id(struct vdpa_device *vdpa)
{
	return vmdev_dev(vdpa)->parent->hw->caps.vendor_id;
}

static u8 vmdev_op_get_status(struct vdpa_device *vdpa)
{
	struct vmdev_dev *dev = vmdev_dev(vdpa);
	u8 status;

	mutex_lock(&dev->parent->lock);
	vmdev_check_alive(dev);
	/* A device that was reset reads 0, whatever became of it. */
	status = dev->status;
	if (status &&
	    (dev->needs_reset || dev->leaving || !vmdev_usable(dev)))
		status |= VIRTIO_CONFIG_S_NEEDS_RESET;
	mutex_unlock(&dev->parent->lock);
	return status;
}

/*
 * A VF may be off with its PF, and then only that brings it back; but a VF does not hear of it
 * from the driver of somebody else.
 */
static void vmdev_say_offline(const struct vmdev_dev *dev)
{
	const struct vmdev_hw *hw = dev->parent->hw;
	const struct device *first = hw->pool ?: hw->dev;

	dev_err_ratelimited(&dev->vdpa.dev,
			    "hardware is offline, after a bus error or for a reset; should it stay so: echo 1 > /sys/bus/%s/devices/%s/reset%s%s\n",
			    dev_bus_name(first), dev_name(first),
			    hw->pool ? "; if that has another driver, then bind again " : "",
			    hw->pool ? dev_name(hw->dev) : "");
}

/* No driver comes past this. Nobody may ever put hardware online again but who resets it. */
static bool vmdev_refuses(const struct vmdev_dev *dev)
{
	const struct vmdev_parent *parent = dev->parent;

	if (vmdev_usable(dev) && !dev->leaving)
		return false;
	if (!parent->gone && parent->offline)
		vmdev_say_offline(dev);
	return true;
}

/**
 * vmdev_negotiate() - tell the hardware which features the driver took
 * @dev: the device; its hardware is reset
 *
 * Context: may sleep; vmdev_parent.lock held.
 * Return: 0; -ENODEV; -EINVAL; -ETIMEDOUT.
 */
int vmdev_negotiate(struct vmdev_dev *dev)
{
	struct vmdev_hw *hw = dev->parent->hw;
	int err;

	if (vmdev_refuses(dev))
		return -ENODEV;
	if (!dev->features)
		return -EINVAL;

	err = hw->ops->negotiate(hw, vmdev_features_to_hw(&hw->caps,
							  &dev->prov,
							  dev->features));
	if (err)
		dev_err_ratelimited(&dev->vdpa.dev,
				    "hardware does not take features %#llx: %pe\n",
				    dev->features, ERR_PTR(err));
	else
		vmdev_vqs_negotiated(dev);
	return err;
}

static int vmdev_driver_ok(struct vmdev_dev *dev)
{
	int err;

	if (!(dev->status & VIRTIO_CONFIG_S_FEATURES_OK) ||
	    (dev->status & VIRTIO_CONFIG_S_FAILED))
		err = -EINVAL;
	else if (!vmdev_usable(dev) || dev->leaving)
		err = -ENODEV;
	else if (dev->needs_reset)
		err = -EIO;
	else
		err = vmdev_start(dev);

	if (err) {
		dev_err_ratelimited(&dev->vdpa.dev, "DRIVER_OK refused: %pe\n",
				    ERR_PTR(err));
		/* It is not told, and would wait for what never comes. */
		vmdev_break_queues(dev);
	}
	dev->running = !err;
	if (!err) {
		trace_vmdev_state(&dev->vdpa.dev, VMDEV_STATE_OFF,
				  VMDEV_STATE_RUNNING, NULL);
		vmdev_note_dev(dev, VMDEV_EVENT_RUNNING, 0, 0, NULL);
	}
	vmdev_ctl_note_paths(dev);
	return err;
}

static void vmdev_op_set_status(struct vdpa_device *vdpa, u8 status)
{
	struct vmdev_dev *dev = vmdev_dev(vdpa);
	u8 added;

	mutex_lock(&dev->parent->lock);
	added = status & ~dev->status;
	dev->status |= added & ~(VIRTIO_CONFIG_S_FEATURES_OK |
				 VIRTIO_CONFIG_S_DRIVER_OK |
				 VIRTIO_CONFIG_S_NEEDS_RESET);

	if ((added & VIRTIO_CONFIG_S_FEATURES_OK) && !vmdev_negotiate(dev))
		dev->status |= VIRTIO_CONFIG_S_FEATURES_OK;

	if (added & VIRTIO_CONFIG_S_DRIVER_OK)
		dev->status |= vmdev_driver_ok(dev) ? VIRTIO_CONFIG_S_FAILED :
			       VIRTIO_CONFIG_S_DRIVER_OK;
	mutex_unlock(&dev->parent->lock);
}

static void vmdev_trace_reset(const struct vmdev_dev *dev, enum vmdev_state was)
{
	enum vmdev_state now = vmdev_dev_state(dev);

	if (now != was)
		trace_vmdev_state(&dev->vdpa.dev, was, now, READ_ONCE(dev->why));
}

/**
 * vmdev_reset_device() - back to the state of a new device
 * @dev: the device
 *
 * Memory stays mapped: QEMU does not expect a reset to touch it.
 *
 * Context: may sleep; vmdev_parent.lock held.
 * Return: 0, or -ETIMEDOUT if the hardware did not answer in time. Hardware
 * that is gone was reset for good.
 */
int vmdev_reset_device(struct vmdev_dev *dev)
{
	enum vmdev_state was = vmdev_dev_state(dev);
	struct vmdev_hw *hw = dev->parent->hw;
	int err;
	u16 i;

	lockdep_assert_held(&dev->parent->lock);

	for (i = 0; i < dev->nvqs; i++) {
		WRITE_ONCE(dev->vqs[i].live, false);
		WRITE_ONCE(dev->vqs[i].on, false);
		WRITE_ONCE(dev->vqs[i].direct, false);
	}
	err = vmdev_hw_log_stop_hw(dev);
	if (!vmdev_usable(dev))
		err = 0;
	hw->ops->irq_release(hw);
	vmdev_vqs_drop(dev);
	vmdev_log_rings(dev);
	vmdev_ctrl_forget(dev);
	/* What is in the domain is changed when it starts again. */
	memset(dev->mem.group_as, 0, sizeof(dev->mem.group_as));

	if (dev->running || dev->needs_reset)
		vmdev_note_dev(dev, VMDEV_EVENT_RESET, 0, 0, NULL);
	dev->features = 0;
	dev->status = 0;
	dev->running = false;
	dev->suspended = false;
	dev->hw_log.off = false;
	dev->unsettled = false;
	dev->moves = 0;
	vmdev_vqs_reset(dev);
	/* After the last that could have set it. */
	WRITE_ONCE(dev->why, err ? "hardware did not reset" : NULL);
	WRITE_ONCE(dev->needs_reset, err);
	if (trace_vmdev_state_enabled())
		vmdev_trace_reset(dev, was);
	if (err)
		vmdev_note_dev(dev, VMDEV_EVENT_BROKEN, 0, 0, dev->why);
	vmdev_set_cb(&dev->cb_lock, &dev->config_cb, NULL);
	return err;
}

static int vmdev_op_reset(struct vdpa_device *vdpa)
{
	struct vmdev_dev *dev = vmdev_dev(vdpa);
	int err;

	mutex_lock(&dev->parent->lock);
	err = vmdev_reset_device(dev);
	mutex_unlock(&dev->parent->lock);
	return err;
}

/**
 * vmdev_any_direct() - does the hardware have a ring of the driver's?
 * @dev: the device
 *
 * Context: vmdev_parent.lock held.
 */
bool vmdev_any_direct(const struct vmdev_dev *dev)
{
	u16 i;

	for (i = 0; i < dev->nvqs; i++)
		if (dev->vqs[i].direct)
			return true;
	return false;
}

static bool vmdev_any_shadow(const struct vmdev_dev *dev)
{
	u16 i;

	for (i = 0; i < dev->nvqs; i++)
		if (dev->vqs[i].shadowed)
			return true;
	return false;
}

static int vmdev_suspend(struct vmdev_dev *dev)
{
	int err;

	if (!vmdev_usable(dev) || dev->needs_reset)
		return -EIO;
	if (!dev->running)
		return -EINVAL;
	if (dev->suspended)
		return 0;
	if (!(dev->parent->hw->caps.caps & VMDEV_CAP_STATE) &&
	    vmdev_is_packed(dev) && vmdev_any_direct(dev)) {
		dev_err_ratelimited(&dev->vdpa.dev,
				    "cannot suspend: hardware keeps no ring state, and that of a packed ring cannot be recovered\n");
		return -EOPNOTSUPP;
	}

	if (!vmdev_stops_exactly(dev) || vmdev_any_shadow(dev)) {
		err = vmdev_drain(dev);
		if (err)
			return err;
	}

	err = vmdev_stop(dev);
	if (err) {
		/* It is stopped, and nobody knows where: only reset helps. */
		vmdev_break(dev, "its queues were stopped, and nobody knows where");
		return err;
	}
	dev->suspended = true;
	trace_vmdev_state(&dev->vdpa.dev, VMDEV_STATE_RUNNING,
			  VMDEV_STATE_SUSPENDED, NULL);
	vmdev_note_dev(dev, VMDEV_EVENT_SUSPENDED, 0, 0, NULL);
	return 0;
}

static int vmdev_op_suspend(struct vdpa_device *vdpa)
{
	struct vmdev_dev *dev = vmdev_dev(vdpa);
	int err;

	mutex_lock(&dev->parent->lock);
	err = vmdev_suspend(dev);
	mutex_unlock(&dev->parent->lock);
	return err;
}

static int vmdev_resume(struct vmdev_dev *dev)
{
	int err;

	if (!vmdev_usable(dev) || dev->needs_reset)
		return -EIO;
	if (!dev->running)
		return -EINVAL;
	if (!dev->suspended)
		return 0;

	/* Refuses what cannot start, with the device still suspended. */
	err = vmdev_negotiate(dev) ? : vmdev_start(dev);
	if (!err) {
		dev->suspended = false;
		trace_vmdev_state(&dev->vdpa.dev, VMDEV_STATE_SUSPENDED,
				  VMDEV_STATE_RUNNING, NULL);
		vmdev_note_dev(dev, VMDEV_EVENT_RESUMED, 0, 0, NULL);
		vmdev_ctl_note_paths(dev);
	}
	return err;
}

static int vmdev_op_resume(struct vdpa_device *vdpa)
{
	struct vmdev_dev *dev = vmdev_dev(vdpa);
	int err;

	mutex_lock(&dev->parent->lock);
	err = vmdev_resume(dev);
	mutex_unlock(&dev->parent->lock);
	return err;
}

static size_t vmdev_op_get_config_size(struct vdpa_device *vdpa)
{
	return vmdev_dev(vdpa)->parent->hw->caps.config_size;
}

static void vmdev_op_get_config(struct vdpa_device *vdpa, unsigned int offset,
				void *buf, unsigned int len)
{
	struct vmdev_dev *dev = vmdev_dev(vdpa);

	mutex_lock(&dev->parent->lock);
	vmdev_config_get(dev, offset, buf, len);
	mutex_unlock(&dev->parent->lock);
}

static void vmdev_op_set_config(struct vdpa_device *vdpa, unsigned int offset,
				const void *buf, unsigned int len)
{
	struct vmdev_dev *dev = vmdev_dev(vdpa);

	mutex_lock(&dev->parent->lock);
	vmdev_config_set(dev, offset, buf, len);
	mutex_unlock(&dev->parent->lock);
}

static u32 vmdev_op_get_generation(struct vdpa_device *vdpa)
{
	struct vmdev_dev *dev = vmdev_dev(vdpa);
	u32 generation;

	mutex_lock(&dev->parent->lock);
	generation = vmdev_config_generation(dev);
	mutex_unlock(&dev->parent->lock);
	return generation;
}

/* vhost-vdpa asks when the device is opened, and nobody else does. */
static struct vdpa_iova_range
vmdev_op_get_iova_range(struct vdpa_device *vdpa)
{
	struct vmdev_dev *dev = vmdev_dev(vdpa);
	struct vdpa_iova_range range;
	u16 i;

	mutex_lock(&dev->parent->lock);
	get_task_comm(dev->holder, current);
	put_pid(dev->holder_pid);
	dev->holder_pid = get_pid(task_tgid(current));
	eth_zero_addr(dev->user_mac);
	/* A mapped doorbell holds the file, and only one can have it open. */
	for (i = 0; i < dev->nvqs; i++)
		WRITE_ONCE(dev->vqs[i].doorbell, false);
	vmdev_mem_attach(dev);
	range = dev->mem.range;
	mutex_unlock(&dev->parent->lock);
	return range;
}

static int vmdev_op_set_group_asid(struct vdpa_device *vdpa,
				   unsigned int group, unsigned int asid)
{
	struct vmdev_dev *dev = vmdev_dev(vdpa);
	int err = 0;

	if (group >= vdpa->ngroups || asid >= vdpa->nas)
		return -EINVAL;

	mutex_lock(&dev->parent->lock);
	if (dev->running)
		err = -EBUSY;
	else
		err = vmdev_mem_set_asid(dev, group, asid);
	mutex_unlock(&dev->parent->lock);
	return err;
}

/*
 * Where the platform reserves IOVAs hardware cannot have what the driver's own rings
 * name, and where its log ends nobody knows what it writes: queues go to shadow before
 * the driver learns that it may.
 */
static int vmdev_map(struct vmdev_dev *dev, unsigned int asid, u64 iova,
		     u64 size, u64 pa, u32 perm)
{
	const struct vmdev_as *as = &dev->mem.as[asid];
	bool before = as->aliased, missed;
	int err;

	err = vmdev_mem_map(dev, asid, iova, size, pa, perm);
	if (err)
		return err;
	missed = unlikely(dev->hw_log.bitmap) && (perm & VHOST_ACCESS_WO) &&
		 vmdev_hw_log_misses(dev, asid, iova + size - 1);
	if (!missed && (before || !as->aliased))
		return 0;

	err = vmdev_paths_update(dev);
	if (err) {
		dev_err_ratelimited(&dev->vdpa.dev,
				    "map of %#llx-%#llx refused: the %s there, and queues cannot move to shadow: %pe\n",
				    iova, iova + size - 1, missed ?
				    "hardware logs no writes" : "platform reserves IOVAs",
				    ERR_PTR(err));
		/* As before: it goes on, and covers what is mapped. */
		if (missed)
			dev->hw_log.off = false;
		vmdev_mem_unmap(dev, asid, iova, size);
	}
	return err;
}

static int vmdev_op_dma_map(struct vdpa_device *vdpa, unsigned int asid,
			    u64 iova, u64 size, u64 pa, u32 perm, void *opaque)
{
	struct vmdev_dev *dev = vmdev_dev(vdpa);
	int err;

	if (asid >= vdpa->nas)
		return -EINVAL;

	mutex_lock(&dev->parent->lock);
	err = vmdev_map(dev, asid, iova, size, pa, perm);
	mutex_unlock(&dev->parent->lock);
	return err;
}

/* Memory goes: was a ring in it that is parked? */
static void vmdev_unmapped(struct vmdev_dev *dev, unsigned int asid, u64 first,
			   u64 last)
{
	/* As a rule it is unmapped when the device was reset. */
	if (dev->running)
		vmdev_vqs_unmapped(dev, asid, first, last);
}

static int vmdev_op_dma_unmap(struct vdpa_device *vdpa, unsigned int asid,
			      u64 iova, u64 size)
{
	struct vmdev_dev *dev = vmdev_dev(vdpa);
	int err;

	if (asid >= vdpa->nas)
		return -EINVAL;

	mutex_lock(&dev->parent->lock);
	if (size)
		vmdev_unmapped(dev, asid, iova, iova + size - 1);
	err = vmdev_mem_unmap(dev, asid, iova, size);
	mutex_unlock(&dev->parent->lock);
	return err;
}

static int vmdev_op_reset_map(struct vdpa_device *vdpa, unsigned int asid)
{
	struct vmdev_dev *dev = vmdev_dev(vdpa);

	if (asid >= vdpa->nas)
		return -EINVAL;

	mutex_lock(&dev->parent->lock);
	vmdev_unmapped(dev, asid, 0, U64_MAX);
	vmdev_mem_clear(dev, asid);
	mutex_unlock(&dev->parent->lock);
	return 0;
}

static void vmdev_op_free(struct vdpa_device *vdpa)
{
	struct vmdev_dev *dev = vmdev_dev(vdpa);
	u16 i;

	vmdev_mem_destroy(&dev->mem);
	kfree(dev->states);
	kfree(dev->hw_vqs);
	for (i = 0; dev->vqs && i < dev->nvqs; i++)
		vmdev_shadow_free(&dev->vqs[i]);
	vmdev_ctrl_quiesce(dev);
	vmdev_ctrl_free(dev);
	kfree(dev->vqs);
	put_pid(dev->holder_pid);
}

/*
 * What hardware cannot honour is cleared in a device's copy. No compat_reset: maps live
 * until they are unmapped. No set_map: its cost grows with all that stands.
 */
const struct vdpa_config_ops vmdev_vdpa_ops = {
	.set_vq_address		= vmdev_op_set_vq_address,
	.set_vq_num		= vmdev_op_set_vq_num,
	.kick_vq		= vmdev_op_kick_vq,
	.kick_vq_with_data	= vmdev_op_kick_vq_with_data,
	.set_vq_cb		= vmdev_op_set_vq_cb,
	.set_vq_ready		= vmdev_op_set_vq_ready,
	.get_vq_ready		= vmdev_op_get_vq_ready,
	.set_vq_state		= vmdev_op_set_vq_state,
	.get_vq_state		= vmdev_op_get_vq_state,
	.get_vendor_vq_stats	= vmdev_op_get_vendor_vq_stats,
	.get_vq_notification	= vmdev_op_get_vq_notification,
	.get_vq_irq		= vmdev_op_get_vq_irq,
	.set_vq_affinity	= vmdev_op_set_vq_affinity,
	.get_vq_affinity	= vmdev_op_get_vq_affinity,
	.get_vq_size		= vmdev_op_get_vq_size,
	.get_vq_align		= vmdev_op_get_vq_align,
	.get_vq_group		= vmdev_op_get_vq_group,
	.vmdev_compat_get_vq_map = vmdev_op_get_vq_map,
	.get_device_features	= vmdev_op_get_device_features,
	.get_backend_features	= vmdev_op_get_backend_features,
	.set_driver_features	= vmdev_op_set_driver_features,
	.get_driver_features	= vmdev_op_get_driver_features,
	.set_config_cb		= vmdev_op_set_config_cb,
	.get_vq_num_max		= vmdev_op_get_vq_num_max,
	.get_vq_num_min		= vmdev_op_get_vq_num_min,
	.get_device_id		= vmdev_op_get_device_id,
	.get_vendor_id		= vmdev_op_get_vendor_id,
	.get_status		= vmdev_op_get_status,
	.set_status		= vmdev_op_set_status,
	.reset			= vmdev_op_reset,
	.suspend		= vmdev_op_suspend,
	.resume			= vmdev_op_resume,
	.get_config_size	= vmdev_op_get_config_size,
	.get_config		= vmdev_op_get_config,
	.set_config		= vmdev_op_set_config,
	.get_generation		= vmdev_op_get_generation,
	.get_iova_range		= vmdev_op_get_iova_range,
	.set_group_asid		= vmdev_op_set_group_asid,
	.dma_map		= vmdev_op_dma_map,
	.dma_unmap		= vmdev_op_dma_unmap,
	.reset_map		= vmdev_op_reset_map,
	.free			= vmdev_op_free,
};
