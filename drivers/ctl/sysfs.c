// SPDX-License-Identifier: GPL-2.0
/*
 * What netlink tells of a device, one value for each file: beside policy and paths, which are
 * the core's, in the folder "vmdev" of the vDPA device.
 */
#include <linux/device.h>
#include <linux/sysfs.h>

#include "vmdev_ctl.h"

/* The files go before the device does. */
static void vmdev_ctl_sysfs_info(struct device *d, struct vmdev_dev_info *info)
{
	vmdev_dev_info(vmdev_ctl_dev_of(d), info);
}

static ssize_t state_show(struct device *d, struct device_attribute *attr, char *buf)
{
	struct vmdev_dev_info info;

	vmdev_ctl_sysfs_info(d, &info);
	return sysfs_emit(buf, "%s\n", vmdev_state_name(info.state));
}
static DEVICE_ATTR_RO(state);

static ssize_t reason_show(struct device *d, struct device_attribute *attr, char *buf)
{
	struct vmdev_dev_info info;

	vmdev_ctl_sysfs_info(d, &info);
	return sysfs_emit(buf, "%s\n", info.why ? : "");
}
static DEVICE_ATTR_RO(reason);

#define VMDEV_CTL_BITS(name)							\
static ssize_t name##_show(struct device *d, struct device_attribute *attr,	\
			   char *buf)						\
{										\
	struct vmdev_dev_info info;						\
										\
	vmdev_ctl_sysfs_info(d, &info);						\
	return sysfs_emit(buf, "%#llx\n", (u64)info.name);			\
}

VMDEV_CTL_BITS(offered)
static DEVICE_ATTR_RO(offered);

VMDEV_CTL_BITS(features)
static DEVICE_ATTR_RO(features);

VMDEV_CTL_BITS(status)
static DEVICE_ATTR_RO(status);

VMDEV_CTL_BITS(logged)
static DEVICE_ATTR_RO(logged);

static ssize_t holder_show(struct device *d, struct device_attribute *attr, char *buf)
{
	struct vmdev_dev_info info;

	vmdev_ctl_sysfs_info(d, &info);
	return sysfs_emit(buf, "%s\n", info.holder);
}
static DEVICE_ATTR_RO(holder);

static ssize_t holder_pid_show(struct device *d, struct device_attribute *attr, char *buf)
{
	struct vmdev_dev_info info;

	vmdev_ctl_sysfs_info(d, &info);
	return sysfs_emit(buf, "%d\n", info.holder_pid);
}
static DEVICE_ATTR_RO(holder_pid);

static struct attribute *vmdev_ctl_dev_attrs[] = {
	&dev_attr_state.attr,
	&dev_attr_reason.attr,
	&dev_attr_offered.attr,
	&dev_attr_features.attr,
	&dev_attr_status.attr,
	&dev_attr_logged.attr,
	&dev_attr_holder.attr,
	&dev_attr_holder_pid.attr,
	NULL
};

static const struct attribute_group vmdev_ctl_dev_group = {
	.name = "vmdev",
	.attrs = vmdev_ctl_dev_attrs,
};

/**
 * vmdev_ctl_sysfs_add() - vmdev_ctl_ops.dev_add
 * @dev: the device
 *
 * Context: may sleep.
 */
void vmdev_ctl_sysfs_add(struct vmdev_dev *dev)
{
	struct device *d = vmdev_ctl_device(dev);
	int err;

	err = sysfs_merge_group(&d->kobj, &vmdev_ctl_dev_group);
	if (!err)
		err = vmdev_ctl_sysfs_queues_add(dev);
	if (err)
		dev_warn(d, "no files of vmdev_ctl in sysfs: %pe\n", ERR_PTR(err));
}

/**
 * vmdev_ctl_sysfs_del() - vmdev_ctl_ops.dev_del
 * @dev: the device
 *
 * Context: may sleep.
 */
void vmdev_ctl_sysfs_del(struct vmdev_dev *dev)
{
	vmdev_ctl_sysfs_queues_del(dev);
	sysfs_unmerge_group(&vmdev_ctl_device(dev)->kobj, &vmdev_ctl_dev_group);
}
