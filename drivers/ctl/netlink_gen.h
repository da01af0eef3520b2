/* SPDX-License-Identifier: ((GPL-2.0 WITH Linux-syscall-note) OR BSD-3-Clause) */
/* Do not edit directly, auto-generated from: */
/*	Documentation/netlink/specs/vmdev.yaml */
/* YNL-GEN kernel header */
/* To regenerate run: scripts/netlink-gen */

#ifndef _LINUX_VMDEV_GEN_H
#define _LINUX_VMDEV_GEN_H

#include <net/netlink.h>
#include <net/genetlink.h>

#include <uapi/linux/vmdev_netlink.h>

int vmdev_nl_parent_get_doit(struct sk_buff *skb, struct genl_info *info);
int vmdev_nl_parent_get_dumpit(struct sk_buff *skb,
			       struct netlink_callback *cb);
int vmdev_nl_dev_get_doit(struct sk_buff *skb, struct genl_info *info);
int vmdev_nl_dev_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb);
int vmdev_nl_dev_set_doit(struct sk_buff *skb, struct genl_info *info);
int vmdev_nl_queue_get_doit(struct sk_buff *skb, struct genl_info *info);
int vmdev_nl_queue_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb);
int vmdev_nl_address_space_get_doit(struct sk_buff *skb,
				    struct genl_info *info);
int vmdev_nl_address_space_get_dumpit(struct sk_buff *skb,
				      struct netlink_callback *cb);
int vmdev_nl_irq_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb);
int vmdev_nl_irq_set_doit(struct sk_buff *skb, struct genl_info *info);

enum {
	VMDEV_NLGRP_EVENTS,
};

extern struct genl_family vmdev_nl_family;

#endif /* _LINUX_VMDEV_GEN_H */
