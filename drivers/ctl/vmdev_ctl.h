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

/**
 * struct vmdev_ctl_reply - a message that is being made
 * @skb: where
 * @hdr: its header
 */
struct vmdev_ctl_reply {
	struct sk_buff *skb;
	void *hdr;
};

/* netlink.c */
int vmdev_ctl_reply_begin(struct vmdev_ctl_reply *reply, struct genl_info *info);
int vmdev_ctl_reply_end(struct vmdev_ctl_reply *reply, struct genl_info *info, int err);
struct vmdev_dev *vmdev_ctl_asked_dev(const struct genl_info *info, int attr);
struct vmdev_mgmt *vmdev_ctl_asked_mgmt(const struct genl_info *info, int bus, int name);
int vmdev_ctl_netlink_init(void);
void vmdev_ctl_netlink_exit(void);

/* event.c */
void vmdev_ctl_event(const struct vmdev_notice *event);

/* irq.c */
int vmdev_ctl_irq_init(void);
void vmdev_ctl_irq_exit(void);

/* sysfs_mgmt.c */
void vmdev_ctl_sysfs_mgmt_add(struct vmdev_mgmt *mgmt);
void vmdev_ctl_sysfs_mgmt_del(struct vmdev_mgmt *mgmt);

/* sysfs_queue.c */
int vmdev_ctl_sysfs_queues_add(struct vmdev_dev *dev);
void vmdev_ctl_sysfs_queues_del(struct vmdev_dev *dev);
bool vmdev_ctl_may_uevent(struct vmdev_dev *dev);

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

/* A message of a dump. */
static inline void *vmdev_ctl_msg(struct sk_buff *skb, struct netlink_callback *cb)
{
	return genlmsg_iput(skb, genl_info_dump(cb));
}

static inline int vmdev_ctl_msg_end(struct sk_buff *skb, void *hdr, int err)
{
	if (err)
		genlmsg_cancel(skb, hdr);
	else
		genlmsg_end(skb, hdr);
	return err;
}

#endif /* _VMDEV_CTL_INTERNAL_H */
