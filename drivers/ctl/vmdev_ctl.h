/* SPDX-License-Identifier: GPL-2.0 */
/* vmdev_ctl: the control plane, over the core's contract for one (vmdev/ctl.h). */
#ifndef _VMDEV_CTL_INTERNAL_H
#define _VMDEV_CTL_INTERNAL_H

#include <vmdev/ctl.h>

#include "netlink_gen.h"

struct device;

/* netlink.c */
int vmdev_ctl_netlink_init(void);
void vmdev_ctl_netlink_exit(void);

/* event.c */
void vmdev_ctl_event(const struct vmdev_notice *event);

/* sysfs.c */
void vmdev_ctl_sysfs_add(struct vmdev_dev *dev);
void vmdev_ctl_sysfs_del(struct vmdev_dev *dev);

/* Name of the bus of a management device, NULL for software. */
static inline const char *vmdev_ctl_bus_name(const struct device *dev)
{
	return dev->bus ? dev->bus->name : NULL;
}

#endif /* _VMDEV_CTL_INTERNAL_H */
