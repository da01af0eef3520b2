/* SPDX-License-Identifier: GPL-2.0 */
/* vmdev_ctl: the control plane, over the core's contract for one (vmdev/ctl.h). */
#ifndef _VMDEV_CTL_INTERNAL_H
#define _VMDEV_CTL_INTERNAL_H

#include <vmdev/ctl.h>

#include "netlink_gen.h"

struct device;

/**
 * struct vmdev_ctl_dump - where a dump goes on, in netlink_callback.ctx
 * @id: in a list of the core's
 * @at: a part of what is there: a queue, or a vector
 */
struct vmdev_ctl_dump {
	unsigned long id;
	unsigned int at;
};

/* netlink.c */
int vmdev_ctl_netlink_init(void);
void vmdev_ctl_netlink_exit(void);

/* event.c */
void vmdev_ctl_event(const struct vmdev_notice *event);

/* irq.c */
int vmdev_ctl_irq_init(void);
void vmdev_ctl_irq_exit(void);

/* sysfs.c */
void vmdev_ctl_sysfs_add(struct vmdev_dev *dev);
void vmdev_ctl_sysfs_del(struct vmdev_dev *dev);

/* Name of the bus of a management device, NULL for software. */
static inline const char *vmdev_ctl_bus_name(const struct device *dev)
{
	return dev->bus ? dev->bus->name : NULL;
}

static inline int vmdev_ctl_put_string(struct sk_buff *skb, int attr, const char *text)
{
	return text && *text ? nla_put_string(skb, attr, text) : 0;
}

static inline int vmdev_ctl_put_flag(struct sk_buff *skb, int attr, bool is)
{
	return is ? nla_put_flag(skb, attr) : 0;
}

/* A part of a dump. */
static inline void *vmdev_ctl_part(struct sk_buff *skb, struct netlink_callback *cb)
{
	return genlmsg_iput(skb, genl_info_dump(cb));
}

static inline int vmdev_ctl_part_end(struct sk_buff *skb, void *hdr, int err)
{
	if (err)
		genlmsg_cancel(skb, hdr);
	else
		genlmsg_end(skb, hdr);
	return err;
}

#endif /* _VMDEV_CTL_INTERNAL_H */
