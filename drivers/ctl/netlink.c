// SPDX-License-Identifier: GPL-2.0
/*
 * The generic netlink family "vmdev". Documentation/netlink/specs/vmdev.yaml describes it, and
 * netlink_gen.[ch] are made of that.
 *
 * Who dumps goes by ids, which count up: what comes or goes meanwhile is there or not, all else
 * is there once.
 */
#include <linux/build_bug.h>
#include <linux/device.h>
#include <linux/err.h>
#include <net/genetlink.h>

#include <vmdev/hw.h>
#include <vmdev/irq.h>

#include "vmdev_ctl.h"

/* vmdev_mgmt_info.caps goes out as it is. */
static_assert((int)VMDEV_CAPABILITY_STATE == (int)VMDEV_CAP_STATE);
static_assert((int)VMDEV_CAPABILITY_LOG == (int)VMDEV_CAP_LOG);
static_assert((int)VMDEV_CAPABILITY_SUSPEND == (int)VMDEV_CAP_SUSPEND);
static_assert((int)VMDEV_CAPABILITY_RING_RESET == (int)VMDEV_CAP_RING_RESET);

/* A name that was asked for. */
static const char *vmdev_ctl_asked(const struct genl_info *info, int attr)
{
	return info->attrs[attr] ? nla_data(info->attrs[attr]) : NULL;
}

/* --- one answer ----------------------------------------------------------------- */

/**
 * vmdev_ctl_reply_begin() - begin to answer a request
 * @reply: gets the message
 * @info: the request
 *
 * Context: may sleep.
 * Return: 0; -ENOMEM; -EMSGSIZE.
 */
int vmdev_ctl_reply_begin(struct vmdev_ctl_reply *reply, struct genl_info *info)
{
	reply->skb = genlmsg_new(GENLMSG_DEFAULT_SIZE, GFP_KERNEL);
	if (!reply->skb)
		return -ENOMEM;
	reply->hdr = genlmsg_iput(reply->skb, info);
	if (!reply->hdr) {
		nlmsg_free(reply->skb);
		return -EMSGSIZE;
	}
	return 0;
}

/**
 * vmdev_ctl_reply_end() - send the answer, or drop it
 * @reply: the message
 * @info: the request
 * @err: what went wrong, or 0
 *
 * Context: may sleep.
 * Return: @err, or the error of genlmsg_reply().
 */
int vmdev_ctl_reply_end(struct vmdev_ctl_reply *reply, struct genl_info *info, int err)
{
	if (err) {
		nlmsg_free(reply->skb);
		return err;
	}
	genlmsg_end(reply->skb, reply->hdr);
	return genlmsg_reply(reply->skb, info);
}

/* --- parents -------------------------------------------------------------------- */

/* Of software nothing is true. */
static int vmdev_ctl_put_isolation(struct sk_buff *skb, struct device *dev)
{
	struct vmdev_irq_isolation facts;

	vmdev_irq_isolation(dev, &facts);
	return vmdev_ctl_put_flag(skb, VMDEV_A_PARENT_MSI_ISOLATED, facts.isolated) ? :
	       vmdev_ctl_put_flag(skb, VMDEV_A_PARENT_MSI_REMAPPED, facts.remapped) ? :
	       vmdev_ctl_put_flag(skb, VMDEV_A_PARENT_MSI_POSTED, facts.posted) ? :
	       vmdev_ctl_put_flag(skb, VMDEV_A_PARENT_MSI_TRANSLATED, facts.translated) ? :
	       vmdev_ctl_put_flag(skb, VMDEV_A_PARENT_MSI_UNSAFE, facts.unsafe);
}

static int vmdev_ctl_put_parent(struct sk_buff *skb, struct vmdev_mgmt *mgmt)
{
	struct vmdev_mgmt_info info;

	vmdev_mgmt_info(mgmt, &info);
	return vmdev_ctl_put_string(skb, VMDEV_A_PARENT_BUS, vmdev_ctl_bus_name(info.dev)) ? :
	       nla_put_string(skb, VMDEV_A_PARENT_NAME, dev_name(info.dev)) ? :
	       nla_put_u32(skb, VMDEV_A_PARENT_DEVICE_ID, info.device_id) ? :
	       nla_put_u32(skb, VMDEV_A_PARENT_VENDOR_ID, info.vendor_id) ? :
	       nla_put_uint(skb, VMDEV_A_PARENT_FEATURES, info.features) ? :
	       nla_put_u32(skb, VMDEV_A_PARENT_CAPABILITIES, info.caps) ? :
	       nla_put_u32(skb, VMDEV_A_PARENT_MAX_VQS, info.max_vqs) ? :
	       vmdev_ctl_put_flag(skb, VMDEV_A_PARENT_SOFTWARE, info.software) ? :
	       vmdev_ctl_put_flag(skb, VMDEV_A_PARENT_GONE, info.gone) ? :
	       vmdev_ctl_put_flag(skb, VMDEV_A_PARENT_OFFLINE, info.offline) ? :
	       nla_put_u32(skb, VMDEV_A_PARENT_DEVICES, info.ndevs) ? :
	       vmdev_ctl_put_isolation(skb, info.dev);
}

/**
 * vmdev_ctl_asked_mgmt() - the management device that a request names
 * @info: the request
 * @bus: its attribute for the bus, which may be missing
 * @name: its attribute for the name on that bus, which is there
 *
 * Context: vmdev_ctl_lock().
 * Return: the management device, or ERR_PTR(-ENODEV), with a reason.
 */
struct vmdev_mgmt *vmdev_ctl_asked_mgmt(const struct genl_info *info, int bus, int name)
{
	const char *on = vmdev_ctl_asked(info, bus);
	struct vmdev_mgmt *mgmt;

	mgmt = vmdev_ctl_mgmt_find(on, vmdev_ctl_asked(info, name));
	if (mgmt)
		return mgmt;
	/* As vmdev_ctl_mgmt_find() has it, "" is none. */
	NL_SET_ERR_MSG_FMT_MOD(info->extack, "no management device %.24s on %s%.12s",
			       vmdev_ctl_asked(info, name), on && *on ? "bus " : "no bus",
			       on ? : "");
	return ERR_PTR(-ENODEV);
}

int vmdev_nl_parent_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct vmdev_ctl_reply reply;
	struct vmdev_mgmt *mgmt;
	int err;

	if (GENL_REQ_ATTR_CHECK(info, VMDEV_A_PARENT_NAME))
		return -EINVAL;

	err = vmdev_ctl_reply_begin(&reply, info);
	if (err)
		return err;
	vmdev_ctl_lock();
	mgmt = vmdev_ctl_asked_mgmt(info, VMDEV_A_PARENT_BUS, VMDEV_A_PARENT_NAME);
	err = IS_ERR(mgmt) ? PTR_ERR(mgmt) : vmdev_ctl_put_parent(reply.skb, mgmt);
	vmdev_ctl_unlock();
	return vmdev_ctl_reply_end(&reply, info, err);
}

static int vmdev_ctl_dump_parent(struct sk_buff *skb, struct netlink_callback *cb,
				 struct vmdev_mgmt *mgmt)
{
	void *hdr = vmdev_ctl_msg(skb, cb);

	if (!hdr)
		return -EMSGSIZE;
	return vmdev_ctl_msg_end(skb, hdr, vmdev_ctl_put_parent(skb, mgmt));
}

int vmdev_nl_parent_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct vmdev_ctl_dump *dump = (void *)cb->ctx;
	struct vmdev_mgmt *mgmt;
	int err = 0;

	vmdev_ctl_lock();
	while ((mgmt = vmdev_ctl_mgmt(&dump->id))) {
		err = vmdev_ctl_dump_parent(skb, cb, mgmt);
		if (err)
			break;
		dump->id++;
	}
	vmdev_ctl_unlock();
	return err;
}

/* --- devices -------------------------------------------------------------------- */

static int vmdev_ctl_put_holder(struct sk_buff *skb, const struct vmdev_dev_info *info)
{
	if (!info->held)
		return 0;
	return nla_put_string(skb, VMDEV_A_DEV_HOLDER, info->holder) ? :
	       nla_put_u32(skb, VMDEV_A_DEV_HOLDER_PID, info->holder_pid);
}

static int vmdev_ctl_put_dev(struct sk_buff *skb, struct vmdev_dev *dev)
{
	struct vmdev_dev_info info;

	vmdev_dev_info(dev, &info);
	return nla_put_string(skb, VMDEV_A_DEV_NAME, dev_name(info.dev)) ? :
	       vmdev_ctl_put_string(skb, VMDEV_A_DEV_PARENT_BUS, vmdev_ctl_bus_name(info.mgmt)) ? :
	       nla_put_string(skb, VMDEV_A_DEV_PARENT_NAME, dev_name(info.mgmt)) ? :
	       nla_put_u32(skb, VMDEV_A_DEV_DEVICE_ID, info.device_id) ? :
	       nla_put_u32(skb, VMDEV_A_DEV_STATE, info.state) ? :
	       vmdev_ctl_put_string(skb, VMDEV_A_DEV_REASON, info.why) ? :
	       nla_put_u32(skb, VMDEV_A_DEV_POLICY, info.policy) ? :
	       nla_put_u8(skb, VMDEV_A_DEV_STATUS, info.status) ? :
	       nla_put_uint(skb, VMDEV_A_DEV_OFFERED, info.offered) ? :
	       nla_put_uint(skb, VMDEV_A_DEV_FEATURES, info.features) ? :
	       nla_put_u32(skb, VMDEV_A_DEV_QUEUES, info.nvqs) ? :
	       nla_put_u32(skb, VMDEV_A_DEV_ADDRESS_SPACES, info.nas) ? :
	       nla_put_uint(skb, VMDEV_A_DEV_LOGGED, info.logged) ? :
	       vmdev_ctl_put_holder(skb, &info);
}

/**
 * vmdev_ctl_asked_dev() - the device that a request names
 * @info: the request
 * @attr: its attribute for the name, which is there
 *
 * Context: vmdev_ctl_lock().
 * Return: the device, or ERR_PTR(-ENODEV), with a reason.
 */
struct vmdev_dev *vmdev_ctl_asked_dev(const struct genl_info *info, int attr)
{
	const char *name = vmdev_ctl_asked(info, attr);
	struct vmdev_dev *dev;

	dev = vmdev_ctl_dev_find(name);
	if (dev)
		return dev;
	NL_SET_ERR_MSG_FMT_MOD(info->extack, "no device %.32s of vmdev's", name);
	return ERR_PTR(-ENODEV);
}

int vmdev_nl_dev_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct vmdev_ctl_reply reply;
	struct vmdev_dev *dev;
	int err;

	if (GENL_REQ_ATTR_CHECK(info, VMDEV_A_DEV_NAME))
		return -EINVAL;

	err = vmdev_ctl_reply_begin(&reply, info);
	if (err)
		return err;
	vmdev_ctl_lock();
	dev = vmdev_ctl_asked_dev(info, VMDEV_A_DEV_NAME);
	err = IS_ERR(dev) ? PTR_ERR(dev) : vmdev_ctl_put_dev(reply.skb, dev);
	vmdev_ctl_unlock();
	return vmdev_ctl_reply_end(&reply, info, err);
}

static int vmdev_ctl_dump_dev(struct sk_buff *skb, struct netlink_callback *cb,
			      struct vmdev_dev *dev)
{
	void *hdr = vmdev_ctl_msg(skb, cb);

	if (!hdr)
		return -EMSGSIZE;
	return vmdev_ctl_msg_end(skb, hdr, vmdev_ctl_put_dev(skb, dev));
}

int vmdev_nl_dev_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct vmdev_ctl_dump *dump = (void *)cb->ctx;
	struct vmdev_dev *dev;
	int err = 0;

	vmdev_ctl_lock();
	while ((dev = vmdev_ctl_dev(&dump->id))) {
		err = vmdev_ctl_dump_dev(skb, cb, dev);
		if (err)
			break;
		dump->id++;
	}
	vmdev_ctl_unlock();
	return err;
}

/* Why a policy was refused, in words; see vmdev_policy_set(). */
static void vmdev_ctl_explain_policy(struct vmdev_dev *dev, struct netlink_ext_ack *extack,
				     int err)
{
	struct vmdev_dev_info info;

	vmdev_dev_info(dev, &info);
	switch (info.state == VMDEV_STATE_BROKEN ? 0 : err) {
	case -EOPNOTSUPP:
		NL_SET_ERR_MSG_MOD(extack, "a queue cannot move, the kernel log says why");
		break;
	case -EBUSY:
		NL_SET_ERR_MSG_MOD(extack, "requests under way did not finish, try again");
		break;
	default:
		NL_SET_ERR_MSG_MOD(extack, "a queue was lost on the way, the device needs a reset");
		break;
	}
}

int vmdev_nl_dev_set_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct vmdev_dev *dev;
	int err;

	if (GENL_REQ_ATTR_CHECK(info, VMDEV_A_DEV_NAME) ||
	    GENL_REQ_ATTR_CHECK(info, VMDEV_A_DEV_POLICY))
		return -EINVAL;

	vmdev_ctl_lock();
	dev = vmdev_ctl_asked_dev(info, VMDEV_A_DEV_NAME);
	if (IS_ERR(dev)) {
		err = PTR_ERR(dev);
		goto out;
	}
	err = vmdev_policy_set(dev, nla_get_u32(info->attrs[VMDEV_A_DEV_POLICY]));
	if (err)
		vmdev_ctl_explain_policy(dev, info->extack, err);
out:
	vmdev_ctl_unlock();
	return err;
}

/* --- the family ----------------------------------------------------------------- */

/**
 * vmdev_ctl_netlink_init() - requests are answered from now on
 *
 * Context: module init.
 * Return: 0 or the error of genl_register_family().
 */
int vmdev_ctl_netlink_init(void)
{
	/* As vdpa's own: devices are of no namespace. */
	vmdev_nl_family.netnsok = false;
	return genl_register_family(&vmdev_nl_family);
}

/** vmdev_ctl_netlink_exit() - the reverse of vmdev_ctl_netlink_init() */
void vmdev_ctl_netlink_exit(void)
{
	genl_unregister_family(&vmdev_nl_family);
}
