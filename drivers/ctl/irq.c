// SPDX-License-Identifier: GPL-2.0
/* Interrupts: what vmdev_irq knows of the vectors of each function. */
#include <linux/build_bug.h>
#include <linux/device.h>
#include <linux/err.h>
#include <linux/notifier.h>
#include <net/genetlink.h>

#include <vmdev/irq.h>

#include "vmdev_ctl.h"

static_assert((int)VMDEV_IRQ_MODE_PER_QUEUE == (int)VMDEV_VECTORS_PER_VQ);
static_assert((int)VMDEV_IRQ_MODE_QUEUES_SHARED == (int)VMDEV_VECTORS_VQ_SHARED);
static_assert((int)VMDEV_IRQ_MODE_ALL_SHARED == (int)VMDEV_VECTORS_ALL_SHARED);
static_assert((int)VMDEV_IRQ_MODE_AUTO == (int)VMDEV_VECTORS_AUTO);
static_assert((int)VMDEV_IRQ_USE_UNUSED == (int)VMDEV_VECTOR_UNUSED);
static_assert((int)VMDEV_IRQ_USE_CONFIG == (int)VMDEV_VECTOR_CONFIG);
static_assert((int)VMDEV_IRQ_USE_SHADOW == (int)VMDEV_VECTOR_SHADOW);
static_assert((int)VMDEV_IRQ_USE_CONFIG_SHADOW == (int)VMDEV_VECTOR_CONFIG_SHADOW);
static_assert((int)VMDEV_IRQ_USE_QUEUE == (int)VMDEV_VECTOR_VQ);
static_assert((int)VMDEV_IRQ_USE_QUEUES == (int)VMDEV_VECTOR_VQS);
static_assert((int)VMDEV_IRQ_USE_ALL == (int)VMDEV_VECTOR_ALL);

static int vmdev_ctl_put_counts(struct sk_buff *skb, const struct vmdev_vector_info *vector)
{
	return nla_put_uint(skb, VMDEV_A_IRQ_COUNT, vector->count) ? :
	       nla_put_uint(skb, VMDEV_A_IRQ_SPURIOUS, vector->spurious) ? :
	       nla_put_u32(skb, VMDEV_A_IRQ_STORMS, vector->storms) ? :
	       vmdev_ctl_put_flag(skb, VMDEV_A_IRQ_POLLED, vector->polled) ? :
	       (vector->cpu < 0 ? 0 : nla_put_u32(skb, VMDEV_A_IRQ_CPU, vector->cpu));
}

static int vmdev_ctl_put_irq(struct sk_buff *skb, struct device *dev, u16 i,
			     const struct vmdev_vectors_info *vectors)
{
	struct vmdev_vector_info vector;
	int err;

	err = vmdev_vector_info(dev, i, &vector);
	if (err)
		return err;
	return vmdev_ctl_put_string(skb, VMDEV_A_IRQ_BUS, vmdev_ctl_bus_name(dev)) ? :
	       nla_put_string(skb, VMDEV_A_IRQ_NAME, dev_name(dev)) ? :
	       nla_put_u32(skb, VMDEV_A_IRQ_MODE, vectors->mode) ? :
	       vmdev_ctl_put_flag(skb, VMDEV_A_IRQ_REQUESTED, vectors->requested) ? :
	       nla_put_u32(skb, VMDEV_A_IRQ_VECTOR, i) ? :
	       nla_put_u32(skb, VMDEV_A_IRQ_USE, vector.use) ? :
	       (vector.vq == VMDEV_VECTOR_NO_VQ ? 0 :
		nla_put_u32(skb, VMDEV_A_IRQ_QUEUE, vector.vq)) ? :
	       nla_put_u32(skb, VMDEV_A_IRQ_IRQ, vector.irq) ? :
	       vmdev_ctl_put_counts(skb, &vector);
}

/* Those of a function, from dump->at on; 0 once there is none left. */
static int vmdev_ctl_dump_vectors(struct sk_buff *skb, struct netlink_callback *cb,
				  struct device *dev)
{
	struct vmdev_ctl_dump *dump = (void *)cb->ctx;
	struct vmdev_vectors_info vectors;
	int err;

	/* Software has none. */
	if (vmdev_vectors_info(dev, &vectors))
		return 0;
	for (; dump->at < vectors.nvectors; dump->at++) {
		void *hdr = vmdev_ctl_msg(skb, cb);

		if (!hdr)
			return -EMSGSIZE;
		err = vmdev_ctl_msg_end(skb, hdr,
					vmdev_ctl_put_irq(skb, dev, dump->at, &vectors));
		/* Another one: its layout was changed meanwhile. */
		if (err)
			return err == -EMSGSIZE ? err : 0;
	}
	return 0;
}

static int vmdev_ctl_dump_all_vectors(struct sk_buff *skb, struct netlink_callback *cb)
{
	struct vmdev_ctl_dump *dump = (void *)cb->ctx;
	unsigned long at = dump->id;
	struct vmdev_mgmt *mgmt;
	int err;

	while ((mgmt = vmdev_ctl_mgmt(&dump->id))) {
		/* The one that was begun went meanwhile: this is another one. */
		if (dump->id != at)
			dump->at = 0;
		err = vmdev_ctl_dump_vectors(skb, cb, vmdev_ctl_mgmt_device(mgmt));
		if (err)
			return err;
		at = ++dump->id;
		dump->at = 0;
	}
	return 0;
}

/* Of the function that was asked for; should it go meanwhile, the dump ends. */
static int vmdev_ctl_dump_asked_vectors(struct sk_buff *skb, struct netlink_callback *cb)
{
	const struct genl_info *info = genl_info_dump(cb);
	struct vmdev_ctl_dump *dump = (void *)cb->ctx;
	struct vmdev_mgmt *mgmt;

	mgmt = vmdev_ctl_asked_mgmt(info, VMDEV_A_IRQ_BUS, VMDEV_A_IRQ_NAME);
	if (IS_ERR(mgmt))
		return dump->at ? 0 : PTR_ERR(mgmt);
	return vmdev_ctl_dump_vectors(skb, cb, vmdev_ctl_mgmt_device(mgmt));
}

int vmdev_nl_irq_get_dumpit(struct sk_buff *skb, struct netlink_callback *cb)
{
	int err;

	vmdev_ctl_lock();
	err = genl_info_dump(cb)->attrs[VMDEV_A_IRQ_NAME] ?
	      vmdev_ctl_dump_asked_vectors(skb, cb) : vmdev_ctl_dump_all_vectors(skb, cb);
	vmdev_ctl_unlock();
	return err;
}

static int vmdev_ctl_set_vectors(struct device *dev, enum vmdev_vector_mode mode,
				 struct netlink_ext_ack *extack)
{
	int err = vmdev_vectors_set_mode_of(dev, mode);

	switch (err) {
	case -ENODEV:
		NL_SET_ERR_MSG_FMT_MOD(extack, "%s has no interrupt vectors", dev_name(dev));
		break;
	case -EBUSY:
		NL_SET_ERR_MSG_MOD(extack, "a driver runs the device: not before it resets it");
		break;
	case -ENOSPC:
		NL_SET_ERR_MSG_FMT_MOD(extack, "%s has not got enough vectors for that",
				       dev_name(dev));
		break;
	}
	return err;
}

int vmdev_nl_irq_set_doit(struct sk_buff *skb, struct genl_info *info)
{
	struct vmdev_mgmt *mgmt;
	int err;

	if (GENL_REQ_ATTR_CHECK(info, VMDEV_A_IRQ_NAME) ||
	    GENL_REQ_ATTR_CHECK(info, VMDEV_A_IRQ_MODE))
		return -EINVAL;

	vmdev_ctl_lock();
	mgmt = vmdev_ctl_asked_mgmt(info, VMDEV_A_IRQ_BUS, VMDEV_A_IRQ_NAME);
	err = IS_ERR(mgmt) ? PTR_ERR(mgmt) :
	      vmdev_ctl_set_vectors(vmdev_ctl_mgmt_device(mgmt),
				    nla_get_u32(info->attrs[VMDEV_A_IRQ_MODE]), info->extack);
	vmdev_ctl_unlock();
	return err;
}

static int vmdev_ctl_storm(struct notifier_block *nb, unsigned long action, void *data)
{
	const struct vmdev_irq_storm *storm = data;
	const struct vmdev_notice event = {
		.kind = VMDEV_EVENT_IRQ_STORM,
		.dev = storm->dev,
		.index = storm->vector,
		.value = storm->vq,
	};

	vmdev_ctl_event(&event);
	return NOTIFY_OK;
}

static struct notifier_block vmdev_ctl_storms = {
	.notifier_call = vmdev_ctl_storm,
};

/**
 * vmdev_ctl_irq_init() - tell of interrupt storms from now on
 *
 * Context: module init.
 * Return: 0 or a negative errno.
 */
int vmdev_ctl_irq_init(void)
{
	return vmdev_irq_storm_register(&vmdev_ctl_storms);
}

/** vmdev_ctl_irq_exit() - the reverse of vmdev_ctl_irq_init() */
void vmdev_ctl_irq_exit(void)
{
	vmdev_irq_storm_unregister(&vmdev_ctl_storms);
}
