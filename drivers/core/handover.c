// SPDX-License-Identifier: GPL-2.0
/*
 * Paths: does the hardware work on the driver's ring, or on one of the core's?
 *
 * The policy says what may be, auto being what people want: direct whenever the
 * hardware can start from where the ring is and can be stopped again without a
 * guess. While written pages are logged, only hardware that logs them itself
 * stays direct; while memory is mapped where the platform reserves IOVAs, none does. Nor
 * does a queue whose ring is not aligned as the hardware wants it.
 *
 * A switch is a stop here and a start there; the ring's state is all that goes
 * over. So nothing is lost and nothing done twice, or there is an error.
 */
#include <linux/device.h>
#include <linux/export.h>
#include <linux/sysfs.h>
#include <linux/virtio_config.h>
#include <uapi/linux/vhost_types.h>

#include "ctl.h"
#include "shadow.h"
#include "vmdev.h"

/*
 * Is a ring a VMM's, and can only be stopped in shadow?
 *
 * QEMU has the device work on shadow virtqueues of its own while it migrates its
 * guest. That guest is stopped before they are, at any place, and will not go on:
 * what is left in the middle of a refill stays so, and then nobody can tell from the
 * ring alone where hardware was (vring_state.c). Such rings QEMU maps as they are
 * used, while memory of a guest is writable as a whole. With VIRTIO_F_IN_ORDER such a
 * ring tells, and so need not be known.
 */
static bool vmdev_path_is_vmms(const struct vmdev_dev *dev, u16 i)
{
	u8 asid = vmdev_vq_asid(dev, i);
	u64 desc = dev->vqs[i].conf.desc;

	return dev->mem.user &&
	       !(dev->features & BIT_ULL(VIRTIO_F_IN_ORDER)) &&
	       vmdev_mem_covers(dev, asid, desc, 1, VHOST_ACCESS_RO) &&
	       !vmdev_mem_covers(dev, asid, desc, 1, VHOST_ACCESS_WO);
}

/**
 * vmdev_path_needs_shadow() - must hardware be kept off a queue's own ring?
 * @dev: the device, with features negotiated
 * @i: the queue
 *
 * Context: vmdev_parent.lock held.
 * Return: true where the queue's memory is logged and hardware does not log, or has
 * reserved IOVAs, or where the ring is not one that hardware takes.
 */
bool vmdev_path_needs_shadow(const struct vmdev_dev *dev, u16 i)
{
	u8 asid = vmdev_vq_asid(dev, i);

	return dev->mem.as[asid].aliased || !vmdev_ring_fits_hw(dev, i) ||
	       (vmdev_log_active(dev, asid) && !vmdev_log_by_hw(dev));
}

/**
 * vmdev_path_stops_well() - can a direct queue be stopped without harm?
 * @dev: the device, with features negotiated
 * @i: the queue
 *
 * What is lost or done twice where hardware cannot say how far it came: packets may be,
 * requests of a block device or a VMM's commands may not.
 *
 * Context: vmdev_parent.lock held.
 */
bool vmdev_path_stops_well(const struct vmdev_dev *dev, u16 i)
{
	return vmdev_stops_exactly(dev) ||
	       (vmdev_is_net(dev->hw) && !vmdev_path_is_vmms(dev, i));
}

/**
 * vmdev_path_is_shadow() - shall a queue run in shadow, if it starts now?
 * @dev: the device, with features negotiated
 * @i: the queue
 *
 * A host driver's memory is not known to the core, so its queues are direct.
 *
 * Context: vmdev_parent.lock held.
 */
bool vmdev_path_is_shadow(const struct vmdev_dev *dev, u16 i)
{
	bool has_state = dev->hw->caps.caps & VMDEV_CAP_STATE;

	if (!dev->mem.user)
		return false;
	if (dev->policy != VMDEV_POLICY_AUTO)
		return dev->policy == VMDEV_POLICY_SHADOW;
	if (vmdev_path_needs_shadow(dev, i))
		return true;
	if (has_state)
		return false;
	/*
	 * Where a packed ring was stopped cannot be recovered, and requests of
	 * a block device must not run twice, unless it can be suspended.
	 */
	if (vmdev_is_packed(dev) ||
	    !vmdev_state_fresh(dev, &dev->vqs[i].conf.state))
		return true;
	return !vmdev_path_stops_well(dev, i);
}

/**
 * vmdev_path_check_direct() - may hardware work on a queue's own ring?
 * @dev: the device
 * @i: the queue
 *
 * Context: vmdev_parent.lock held.
 * Return: 0; -EOPNOTSUPP with one line.
 */
int vmdev_path_check_direct(struct vmdev_dev *dev, u16 i)
{
	return vmdev_ring_check_direct(dev, i) ? :
	       vmdev_log_check_direct(dev, i) ? :
	       vmdev_alias_check_direct(dev, i);
}

/*
 * Where hardware starts only fresh rings a queue in shadow stays there until its
 * ring comes to its beginning (home.c).
 */
static bool vmdev_path_differs(const struct vmdev_dev *dev, u16 i)
{
	const struct vmdev_vq *vq = &dev->vqs[i];

	if (!vq->on || vq->served || vmdev_path_is_shadow(dev, i) == vq->shadowed)
		return false;
	return !vq->shadowed || (dev->hw->caps.caps & VMDEV_CAP_STATE);
}

static int vmdev_path_stuck(struct vmdev_dev *dev, u16 i)
{
	dev_err_ratelimited(&dev->vdpa.dev,
			    "queue %u cannot move while it runs: hardware can neither tell nor be told the state of its ring\n",
			    i);
	return -EOPNOTSUPP;
}

/* A queue that stays where it is: may it? */
static int vmdev_path_check_stay(struct vmdev_dev *dev, u16 i)
{
	const struct vmdev_vq *vq = &dev->vqs[i];
	int err;

	if (vq->direct)
		return vmdev_path_check_direct(dev, i);
	if (!vq->on || !vq->shadowed || dev->policy != VMDEV_POLICY_DIRECT)
		return 0;
	err = vmdev_path_check_direct(dev, i);
	if (err)
		return err;
	return vmdev_path_goes_home(dev, i) ? 0 : vmdev_path_stuck(dev, i);
}

/* 1 if some queue has to move, 0 if none has, or why it cannot. */
static int vmdev_paths_differ(struct vmdev_dev *dev)
{
	bool has_state = dev->hw->caps.caps & VMDEV_CAP_STATE;
	int err, differ = 0;
	u16 i;

	for (i = 0; i < dev->nvqs; i++) {
		const struct vmdev_vq *vq = &dev->vqs[i];
		bool differs = vmdev_path_differs(dev, i);

		/* Those that stay direct, and those that would become so. */
		err = differs ? vq->shadowed ? vmdev_path_check_direct(dev, i) : 0 :
		      vmdev_path_check_stay(dev, i);
		if (err)
			return err;
		if (!differs)
			continue;
		/* Nothing tells where a packed ring was stopped, but hardware. */
		if (vmdev_is_packed(dev) && !has_state)
			return vmdev_path_stuck(dev, i);
		differ = 1;
	}
	return differ;
}

static int vmdev_paths_switch(struct vmdev_dev *dev)
{
	u32 caps = dev->hw->caps.caps;
	u16 i;
	int err = 0;

	/* What tells where a queue stopped is for all of them: SUSPEND. */
	if (!(caps & VMDEV_CAP_RING_RESET) ||
	    (!(caps & VMDEV_CAP_STATE) && vmdev_stops_exactly(dev)))
		return vmdev_restart(dev);

	for (i = 0; i < dev->nvqs && !err; i++)
		if (vmdev_path_differs(dev, i))
			err = vmdev_vq_restart(dev, i);
	return err;
}

static int vmdev_paths_move(struct vmdev_dev *dev)
{
	int err;

	err = vmdev_drain(dev);
	if (err)
		return err;
	err = vmdev_paths_switch(dev);
	if (err) {
		dev_err_ratelimited(&dev->vdpa.dev,
				    "a queue was lost on its way to another path: %pe\n",
				    ERR_PTR(err));
		vmdev_break(dev, "a queue was lost on its way to another path");
		return err;
	}
	vmdev_undrain(dev);
	vmdev_ctl_note_paths(dev);
	return 0;
}

/**
 * vmdev_paths_update() - bring each queue to the path that it should be on
 * @dev: the device
 *
 * Called when the policy changed or logging started or ended. Queues that do not
 * run come to theirs when they start; those in shadow, where hardware can only start
 * fresh rings, when they come to the beginning of their ring (home.c).
 *
 * Context: may sleep; vmdev_parent.lock held.
 * Return: 0; -EBUSY if requests do not finish, -EOPNOTSUPP if hardware cannot tell
 * or take the state of a ring, both with everything as it was; else the device
 * needs a reset, and knows.
 */
int vmdev_paths_update(struct vmdev_dev *dev)
{
	int err;

	lockdep_assert_held(&dev->parent->lock);

	if (!dev->running || dev->suspended || dev->needs_reset ||
	    !vmdev_usable(dev))
		return 0;
	/* It logs before a queue goes direct, and as long as one is. */
	vmdev_hw_log_begin(dev);
	err = vmdev_paths_differ(dev);
	if (err > 0)
		err = vmdev_paths_move(dev);
	vmdev_hw_log_end(dev);
	if (!err)
		vmdev_home_update(dev);
	return err;
}

/**
 * vmdev_policy_set() - on which rings may the hardware work?
 * @dev: the device
 * @policy: from now on
 *
 * Queues that run are moved before this returns, but for those that go home later.
 *
 * Context: may sleep; takes vmdev_parent.lock.
 * Return: as vmdev_paths_update(); on error the policy is as it was.
 */
int vmdev_policy_set(struct vmdev_dev *dev, enum vmdev_policy policy)
{
	enum vmdev_policy old;
	int err;

	mutex_lock(&dev->parent->lock);
	old = dev->policy;
	WRITE_ONCE(dev->policy, policy);
	err = vmdev_paths_update(dev);
	if (err) {
		WRITE_ONCE(dev->policy, old);
		/* It may have begun for queues that did not come. */
		vmdev_hw_log_end(dev);
	} else if (policy != old) {
		vmdev_note_dev(dev, VMDEV_EVENT_POLICY, 0, policy, NULL);
	}
	mutex_unlock(&dev->parent->lock);
	return err;
}
EXPORT_SYMBOL_GPL(vmdev_policy_set);

/* --- sysfs ----------------------------------------------------------------- */

static const char * const vmdev_policies[] = {
	[VMDEV_POLICY_AUTO]	= "auto",
	[VMDEV_POLICY_DIRECT]	= "direct",
	[VMDEV_POLICY_SHADOW]	= "shadow",
};

static ssize_t policy_show(struct device *d, struct device_attribute *attr,
			   char *buf)
{
	struct vmdev_dev *dev = vmdev_ctl_dev_of(d);

	return sysfs_emit(buf, "%s\n", vmdev_policies[READ_ONCE(dev->policy)]);
}

static ssize_t policy_store(struct device *d, struct device_attribute *attr,
			    const char *buf, size_t len)
{
	int policy = sysfs_match_string(vmdev_policies, buf);

	if (policy < 0)
		return policy;
	return vmdev_policy_set(vmdev_ctl_dev_of(d), policy) ? : len;
}
static DEVICE_ATTR_RW(policy);

static ssize_t paths_show(struct device *d, struct device_attribute *attr,
			  char *buf)
{
	struct vmdev_dev *dev = vmdev_ctl_dev_of(d);
	int len = 0;
	u16 i;

	mutex_lock(&dev->parent->lock);
	for (i = 0; i < dev->nvqs; i++)
		len += sysfs_emit_at(buf, len, "%s%s", i ? " " : "",
				     vmdev_path_name(vmdev_queue_path(&dev->vqs[i])));
	mutex_unlock(&dev->parent->lock);
	len += sysfs_emit_at(buf, len, "\n");
	return len;
}
static DEVICE_ATTR_RO(paths);

static struct attribute *vmdev_path_attrs[] = {
	&dev_attr_policy.attr,
	&dev_attr_paths.attr,
	NULL,
};

static const struct attribute_group vmdev_path_group = {
	.name = "vmdev",
	.attrs = vmdev_path_attrs,
};

/* Of the vDPA device. */
const struct attribute_group *vmdev_path_groups[] = {
	&vmdev_path_group,
	NULL,
};
