// SPDX-License-Identifier: GPL-2.0
/* What a device has several of, over netlink: its queues, and its address spaces. */
#include <linux/device.h>
#include <linux/err.h>
#include <net/genetlink.h>

#include "vmdev_ctl.h"

/* --- queues --------------------------------------------------------------------- */

/*
 * Of a queue that hardware works on it is read from the driver's memory, which the driver may be
 * taking away: that it is something else's by then is seen by administrators at most.
 */
static int vmdev_ctl_put_state(struct sk_buff *skb, struct sk_buff *asker,
			       const struct vmdev_queue_info *info)
{
	const struct vdpa_vq_state_packed *packed = &info->state.packed;

	if (!info->has_state)
		return 0;
	if (info->path == VMDEV_PATH_DIRECT && !netlink_capable(asker, CAP_NET_ADMIN))
		return 0;
	if (!info->packed)
		return nla_put_u32(skb, VMDEV_A_QUEUE_AVAIL_INDEX,
				   info->state.split.avail_index);
	return nla_put_u32(skb, VMDEV_A_QUEUE_AVAIL_INDEX, packed->last_avail_idx) ? :
	       nla_put_u32(skb, VMDEV_A_QUEUE_AVAIL_WRAP, packed->last_avail_counter) ? :
	       nla_put_u32(skb, VMDEV_A_QUEUE_USED_INDEX, packed->last_used_idx) ? :
	       nla_put_u32(skb, VMDEV_A_QUEUE_USED_WRAP, packed->last_used_counter);
}

/* Those of a driver of the host may be physical ones, which are not for everybody. */
static int vmdev_ctl_put_addrs(struct sk_buff *skb, const struct vmdev_queue_info *info)
{
	return nla_put_uint(skb, VMDEV_A_QUEUE_DESC_ADDR, info->desc) ? :
	       nla_put_uint(skb, VMDEV_A_QUEUE_DRIVER_ADDR, info->driver) ? :
	       nla_put_uint(skb, VMDEV_A_QUEUE_DEVICE_ADDR, info->device);
}

/* @asker: what asks for it. */
static int vmdev_ctl_put_queue(struct sk_buff *skb, struct sk_buff *asker,
			       struct vmdev_dev *dev, u16 i)
{
	struct vmdev_queue_info info;
	int err;

	err = vmdev_queue_info(dev, i, &info);
	if (err)
		return err;
	return nla_put_string(skb, VMDEV_A_QUEUE_DEV, dev_name(vmdev_ctl_device(dev))) ? :
	       nla_put_u32(skb, VMDEV_A_QUEUE_INDEX, i) ? :
	       nla_put_u32(skb, VMDEV_A_QUEUE_PATH, info.path) ? :
	       vmdev_ctl_put_flag(skb, VMDEV_A_QUEUE_READY, info.ready) ? :
	       vmdev_ctl_put_flag(skb, VMDEV_A_QUEUE_PACKED, info.packed) ? :
	       nla_put_u32(skb, VMDEV_A_QUEUE_ADDRESS_SPACE, info.asid) ? :
	       nla_put_u32(skb, VMDEV_A_QUEUE_SIZE, info.size) ? :
	       (netlink_capable(asker, CAP_NET_ADMIN) ? vmdev_ctl_put_addrs(skb, &info) : 0) ? :
	       vmdev_ctl_put_state(skb, asker, &info) ? :
	       nla_put_uint(skb, VMDEV_A_QUEUE_KICKS, info.kicks) ? :
	       nla_put_uint(skb, VMDEV_A_QUEUE_INTERRUPTS, info.interrupts) ? :
	       (info.irq < 0 ? 0 : nla_put_u32(skb, VMDEV_A_QUEUE_IRQ, info.irq));
}

/* --- address spaces ------------------------------------------------------------- */

/* Where memory of a guest is only an administrator has to know. */
static int vmdev_ctl_put_extent(struct sk_buff *skb, struct sk_buff *asker, int first_attr,
				int last_attr, u64 first, u64 last)
{
	if (!netlink_capable(asker, CAP_NET_ADMIN))
		return 0;
	return nla_put_uint(skb, first_attr, first) ? : nla_put_uint(skb, last_attr, last);
}

static int vmdev_ctl_put_log(struct sk_buff *skb, struct sk_buff *asker,
			     const struct vmdev_dirty_log_info *log)
{
	return nla_put_flag(skb, VMDEV_A_ADDRESS_SPACE_LOGGED) ? :
	       nla_put_uint(skb, VMDEV_A_ADDRESS_SPACE_PAGE_SIZE, log->page_size) ? :
	       vmdev_ctl_put_extent(skb, asker, VMDEV_A_ADDRESS_SPACE_LOGGED_FIRST,
				    VMDEV_A_ADDRESS_SPACE_LOGGED_LAST, log->first,
				    log->last) ? :
	       nla_put_uint(skb, VMDEV_A_ADDRESS_SPACE_LOGGED_BYTES, log->bytes) ? :
	       nla_put_u32(skb, VMDEV_A_ADDRESS_SPACE_LOGGED_RANGES, log->ranges) ? :
	       nla_put_uint(skb, VMDEV_A_ADDRESS_SPACE_REPORTS, log->reports) ? :
	       nla_put_string(skb, VMDEV_A_ADDRESS_SPACE_HOLDER, log->holder) ? :
	       nla_put_u32(skb, VMDEV_A_ADDRESS_SPACE_HOLDER_PID, log->holder_pid);
}

static int vmdev_ctl_put_space(struct sk_buff *skb, struct sk_buff *asker,
			       struct vmdev_dev *dev, u16 i)
{
	struct vmdev_space_info info;
	int err;

	err = vmdev_space_info(dev, i, &info);
	if (err)
		return err;
	return nla_put_string(skb, VMDEV_A_ADDRESS_SPACE_DEV,
			      dev_name(vmdev_ctl_device(dev))) ? :
	       nla_put_u32(skb, VMDEV_A_ADDRESS_SPACE_INDEX, i) ? :
	       nla_put_uint(skb, VMDEV_A_ADDRESS_SPACE_MAPS, info.maps) ? :
	       (info.maps ? vmdev_ctl_put_extent(skb, asker, VMDEV_A_ADDRESS_SPACE_MAPPED_FIRST,
						 VMDEV_A_ADDRESS_SPACE_MAPPED_LAST, info.first,
						 info.last) : 0) ? :
	       (info.is_logged ? vmdev_ctl_put_log(skb, asker, &info.log) : 0);
}

/* --- what a device has several of ----------------------------------------------- */

/**
 * struct vmdev_ctl_part - queues, or address spaces
 * @what: one of them, for people
 * @dev: attribute with the name of the device
 * @index: attribute with its number
 * @put: puts number @i of @dev into a message, for who sent @asker; -ENOENT if there is
 *	none
 */
struct vmdev_ctl_part {
	const char *what;
	int dev;
	int index;
	int (*put)(struct sk_buff *skb, struct sk_buff *asker, struct vmdev_dev *dev, u16 i);
};

static const struct vmdev_ctl_part vmdev_ctl_queues = {
	.what = "queue",
	.dev = VMDEV_A_QUEUE_DEV,
	.index = VMDEV_A_QUEUE_INDEX,
	.put = vmdev_ctl_put_queue,
};

static const struct vmdev_ctl_part vmdev_ctl_spaces = {
	.what = "address space",
	.dev = VMDEV_A_ADDRESS_SPACE_DEV,
	.index = VMDEV_A_ADDRESS_SPACE_INDEX,
	.put = vmdev_ctl_put_space,
};

static int vmdev_ctl_reply_part(struct sk_buff *skb, struct sk_buff *asker,
				struct genl_info *info, const struct vmdev_ctl_part *part)
{
	u32 i = nla_get_u32(info->attrs[part->index]);
	struct vmdev_dev *dev;
	int err;

	dev = vmdev_ctl_asked_dev(info, part->dev);
	if (IS_ERR(dev))
		return PTR_ERR(dev);
	err = part->put(skb, asker, dev, i);
	if (err == -ENOENT)
		NL_SET_ERR_MSG_FMT_MOD(info->extack, "no %s %u, see the device's", part->what, i);
	return err;
}

static int vmdev_ctl_get_part(struct sk_buff *skb, struct genl_info *info,
			      const struct vmdev_ctl_part *part)
{
	struct vmdev_ctl_reply reply;
	int err;

	if (GENL_REQ_ATTR_CHECK(info, part->dev) || GENL_REQ_ATTR_CHECK(info, part->index))
		return -EINVAL;

	err = vmdev_ctl_reply_begin(&reply, info);
	if (err)
		return err;
	vmdev_ctl_lock();
	err = vmdev_ctl_reply_part(reply.skb, skb, info, part);
	vmdev_ctl_unlock();
	return vmdev_ctl_reply_end(&reply, info, err);
}

/* From dump->at on; -ENOENT if there is none any more. */
static int vmdev_ctl_dump_dev_parts(struct sk_buff *skb, struct netlink_callback *cb,
				    struct vmdev_dev *dev, const struct vmdev_ctl_part *part)
{
	struct vmdev_ctl_dump *dump = (void *)cb->ctx;
	int err;

	do {
		void *hdr = vmdev_ctl_msg(skb, cb);

		if (!hdr)
			return -EMSGSIZE;
		err = part->put(skb, cb->skb, dev, dump->at);
		vmdev_ctl_msg_end(skb, hdr, err);
		if (!err)
			dump->at++;
	} while (!err);
	return err;
}

static int vmdev_ctl_dump_all_parts(struct sk_buff *skb, struct netlink_callback *cb,
				    const struct vmdev_ctl_part *part)
{
	struct vmdev_ctl_dump *dump = (void *)cb->ctx;
	unsigned long at = dump->id;
	struct vmdev_dev *dev;
	int err;

	while ((dev = vmdev_ctl_dev(&dump->id))) {
		/* The one that was begun went meanwhile: this is another one. */
		if (dump->id != at)
			dump->at = 0;
		err = vmdev_ctl_dump_dev_parts(skb, cb, dev, part);
		if (err != -ENOENT)
			return err;
		at = ++dump->id;
		dump->at = 0;
	}
	return 0;
}

/* Of the name that was asked for; should it go meanwhile, the dump ends. */
static int vmdev_ctl_dump_asked_parts(struct sk_buff *skb, struct netlink_callback *cb,
				      const struct vmdev_ctl_part *part)
{
	struct vmdev_ctl_dump *dump = (void *)cb->ctx;
	struct vmdev_dev *dev;
	int err;

	dev = vmdev_ctl_asked_dev(genl_info_dump(cb), part->dev);
	if (IS_ERR(dev))
		return dump->at ? 0 : PTR_ERR(dev);
	err = vmdev_ctl_dump_dev_parts(skb, cb, dev, part);
	return err == -ENOENT ? 0 : err;
}

static int vmdev_ctl_dump_parts(struct sk_buff *skb, struct netlink_callback *cb,
				const struct vmdev_ctl_part *part)
{
	int err;

	vmdev_ctl_lock();
	err = genl_info_dump(cb)->attrs[part->dev] ?
	      vmdev_ctl_dump_asked_parts(skb, cb, part) :
	      vmdev_ctl_dump_all_parts(skb, cb, part);
	vmdev_ctl_unlock();
	return err;
}

int vmdev_nl_queue_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	return vmdev_ctl_get_part(skb, info, &vmdev_ctl_queues);
}

int vmdev_nl_queue_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	return vmdev_ctl_dump_parts(skb, cb, &vmdev_ctl_queues);
}

int vmdev_nl_address_space_get_doit(struct sk_buff *skb, struct genl_info *info)
{
	return vmdev_ctl_get_part(skb, info, &vmdev_ctl_spaces);
}

int vmdev_nl_address_space_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	return vmdev_ctl_dump_parts(skb, cb, &vmdev_ctl_spaces);
}
