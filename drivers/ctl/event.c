// SPDX-License-Identifier: GPL-2.0
/*
 * What happened, for user space: a message of the netlink group "events", and a uevent when a
 * device broke or hardware is gone.
 */
#include <linux/device.h>
#include <linux/kobject.h>
#include <net/genetlink.h>

#include <vmdev/irq.h>

#include "vmdev_ctl.h"

static bool vmdev_ctl_is_parents(enum vmdev_event kind)
{
	return kind == VMDEV_EVENT_PARENT_ADD || kind == VMDEV_EVENT_PARENT_DEL ||
	       kind == VMDEV_EVENT_HW_GONE || kind == VMDEV_EVENT_IRQ_STORM;
}

/* What goes with this kind. */
static int vmdev_ctl_put_details(struct sk_buff *skb, const struct vmdev_notice *event)
{
	switch (event->kind) {
	case VMDEV_EVENT_BROKEN:
		return event->why ? nla_put_string(skb, VMDEV_A_EVENT_REASON, event->why) : 0;
	case VMDEV_EVENT_PATH:
		return nla_put_u32(skb, VMDEV_A_EVENT_QUEUE, event->index) ? :
		       nla_put_u32(skb, VMDEV_A_EVENT_PATH, event->value);
	case VMDEV_EVENT_POLICY:
		return nla_put_u32(skb, VMDEV_A_EVENT_POLICY, event->value);
	case VMDEV_EVENT_DIRTY_START:
	case VMDEV_EVENT_DIRTY_STOP:
		return nla_put_u32(skb, VMDEV_A_EVENT_ADDRESS_SPACE, event->index);
	case VMDEV_EVENT_IRQ_STORM:
		return nla_put_u32(skb, VMDEV_A_EVENT_VECTOR, event->index) ? :
		       (event->value == VMDEV_VECTOR_NO_VQ ? 0 :
			nla_put_u32(skb, VMDEV_A_EVENT_QUEUE, event->value));
	default:
		return 0;
	}
}

static int vmdev_ctl_put_event(struct sk_buff *skb, const struct vmdev_notice *event)
{
	const char *bus = vmdev_ctl_is_parents(event->kind) ?
			  vmdev_ctl_bus_name(event->dev) : NULL;
	const char *name = event->dev ? dev_name(event->dev) : NULL;

	return nla_put_u32(skb, VMDEV_A_EVENT_KIND, event->kind) ? :
	       (bus ? nla_put_string(skb, VMDEV_A_EVENT_BUS, bus) : 0) ? :
	       (name ? nla_put_string(skb, VMDEV_A_EVENT_NAME, name) : 0) ? :
	       vmdev_ctl_put_details(skb, event) ? :
	       (event->lost ? nla_put_u32(skb, VMDEV_A_EVENT_LOST, event->lost) : 0);
}

static void vmdev_ctl_multicast(const struct vmdev_notice *event)
{
	struct sk_buff *skb;
	void *hdr;

	if (!genl_has_listeners(&vmdev_nl_family, &init_net, VMDEV_NLGRP_EVENTS))
		return;
	skb = genlmsg_new(GENLMSG_DEFAULT_SIZE, GFP_KERNEL);
	if (!skb) {
		/* As those hear it who have no room. */
		genl_set_err(&vmdev_nl_family, &init_net, 0, VMDEV_NLGRP_EVENTS, -ENOBUFS);
		return;
	}
	hdr = genlmsg_put(skb, 0, 0, &vmdev_nl_family, 0, VMDEV_CMD_EVENT);
	if (!hdr || vmdev_ctl_put_event(skb, event)) {
		nlmsg_free(skb);
		return;
	}
	genlmsg_end(skb, hdr);
	genlmsg_multicast(&vmdev_nl_family, skb, 0, VMDEV_NLGRP_EVENTS, GFP_KERNEL);
}

/* What an administrator wants to have a rule of udev for. */
static void vmdev_ctl_uevent(const struct vmdev_notice *event)
{
	char reason[128], *env[] = {
		event->kind == VMDEV_EVENT_BROKEN ? "VMDEV_EVENT=broken" : "VMDEV_EVENT=hw-gone",
		reason, NULL };

	if (event->kind != VMDEV_EVENT_BROKEN && event->kind != VMDEV_EVENT_HW_GONE)
		return;
	/* One that is being removed breaks, too: it may have no path any more. */
	if (!device_is_registered(event->dev))
		return;
	if (event->kind == VMDEV_EVENT_BROKEN &&
	    !vmdev_ctl_may_uevent(vmdev_ctl_dev_of(event->dev)))
		return;
	snprintf(reason, sizeof(reason), "VMDEV_REASON=%s", event->why ? : "hardware is gone");
	kobject_uevent_env(&event->dev->kobj, KOBJ_CHANGE, env);
}

/**
 * vmdev_ctl_event() - vmdev_ctl_ops.event
 * @event: what happened
 *
 * Context: may sleep.
 */
void vmdev_ctl_event(const struct vmdev_notice *event)
{
	vmdev_ctl_multicast(event);
	vmdev_ctl_uevent(event);
}
