// SPDX-License-Identifier: GPL-2.0
/*
 * What netlink tells of a management device, one value for each file: in the folder
 * "vmdev_mgmt" of its function, or of what it is in sysfs if it is software.
 *
 * Not in the folder "vmdev" of a function, which the driver core makes and takes away in its
 * own time.
 */
#include <linux/device.h>
#include <linux/err.h>
#include <linux/sysfs.h>
#include <linux/xarray.h>

#include <vmdev/hw.h>

#include "vmdev_ctl.h"

/*
 * Which have that folder, by address. A vDPA device is a folder in the same place, with a
 * name that somebody chose: what was not made must not be removed. Ops of the listener are
 * called one at a time.
 */
static DEFINE_XARRAY(vmdev_ctl_mgmt_folders);

/* The files go before it does. */
static void vmdev_ctl_mgmt_facts(struct device *d, struct vmdev_mgmt_info *info)
{
	struct vmdev_mgmt *mgmt;

	*info = (struct vmdev_mgmt_info) { 0 };
	vmdev_ctl_lock();
	mgmt = vmdev_ctl_mgmt_of(d);
	if (mgmt)
		vmdev_mgmt_info(mgmt, info);
	vmdev_ctl_unlock();
}

/* A file, and what is in it. */
#define VMDEV_CTL_MGMT(name, format, fact)					\
static ssize_t name##_show(struct device *d, struct device_attribute *attr,	\
			   char *buf)						\
{										\
	struct vmdev_mgmt_info info;						\
										\
	vmdev_ctl_mgmt_facts(d, &info);						\
	return sysfs_emit(buf, format "\n", info.fact);				\
}

VMDEV_CTL_MGMT(device_id, "%u", device_id)
static DEVICE_ATTR_RO(device_id);

VMDEV_CTL_MGMT(vendor_id, "%#x", vendor_id)
static DEVICE_ATTR_RO(vendor_id);

VMDEV_CTL_MGMT(features, "%#llx", features)
static DEVICE_ATTR_RO(features);

VMDEV_CTL_MGMT(max_vqs, "%u", max_vqs)
static DEVICE_ATTR_RO(max_vqs);

VMDEV_CTL_MGMT(software, "%d", software)
static DEVICE_ATTR_RO(software);

VMDEV_CTL_MGMT(gone, "%d", gone)
static DEVICE_ATTR_RO(gone);

VMDEV_CTL_MGMT(offline, "%d", offline)
static DEVICE_ATTR_RO(offline);

VMDEV_CTL_MGMT(devices, "%u", ndevs)
static DEVICE_ATTR_RO(devices);

static ssize_t capabilities_show(struct device *d, struct device_attribute *attr, char *buf)
{
	static const struct {
		u32 cap;
		const char *word;
	} words[] = {
		{ VMDEV_CAP_STATE, "state" },
		{ VMDEV_CAP_LOG, "log" },
		{ VMDEV_CAP_SUSPEND, "suspend" },
		{ VMDEV_CAP_RING_RESET, "ring-reset" },
	};
	struct vmdev_mgmt_info info;
	unsigned int i;
	int len = 0;

	vmdev_ctl_mgmt_facts(d, &info);
	for (i = 0; i < ARRAY_SIZE(words); i++)
		if (info.caps & words[i].cap)
			len += sysfs_emit_at(buf, len, "%s%s", len ? " " : "", words[i].word);
	return len + sysfs_emit_at(buf, len, "\n");
}
static DEVICE_ATTR_RO(capabilities);

static struct attribute *vmdev_ctl_mgmt_attrs[] = {
	&dev_attr_device_id.attr,
	&dev_attr_vendor_id.attr,
	&dev_attr_features.attr,
	&dev_attr_capabilities.attr,
	&dev_attr_max_vqs.attr,
	&dev_attr_software.attr,
	&dev_attr_gone.attr,
	&dev_attr_offline.attr,
	&dev_attr_devices.attr,
	NULL
};

static const struct attribute_group vmdev_ctl_mgmt_group = {
	.name = VMDEV_CTL_MGMT_FOLDER,
	.attrs = vmdev_ctl_mgmt_attrs,
};

/**
 * vmdev_ctl_sysfs_mgmt_add() - vmdev_ctl_ops.mgmt_add
 * @mgmt: the management device
 *
 * Context: may sleep.
 */
void vmdev_ctl_sysfs_mgmt_add(struct vmdev_mgmt *mgmt)
{
	struct device *d = vmdev_ctl_mgmt_device(mgmt);
	unsigned long at = (unsigned long)mgmt;
	int err;

	err = xa_err(xa_store(&vmdev_ctl_mgmt_folders, at, mgmt, GFP_KERNEL));
	if (!err) {
		err = sysfs_create_group(&d->kobj, &vmdev_ctl_mgmt_group);
		if (err)
			xa_erase(&vmdev_ctl_mgmt_folders, at);
	}
	if (err)
		dev_warn(d, "no files of vmdev_ctl in sysfs: %pe\n", ERR_PTR(err));
}

/**
 * vmdev_ctl_sysfs_mgmt_del() - vmdev_ctl_ops.mgmt_del
 * @mgmt: the management device; if there was an error nothing is done
 *
 * Context: may sleep.
 */
void vmdev_ctl_sysfs_mgmt_del(struct vmdev_mgmt *mgmt)
{
	if (xa_erase(&vmdev_ctl_mgmt_folders, (unsigned long)mgmt))
		sysfs_remove_group(&vmdev_ctl_mgmt_device(mgmt)->kobj, &vmdev_ctl_mgmt_group);
}
