// SPDX-License-Identifier: ((GPL-2.0 WITH Linux-syscall-note) OR BSD-3-Clause)
/* Do not edit directly, auto-generated from: */
/*	Documentation/netlink/specs/vmdev.yaml */
/* YNL-GEN kernel source */
/* To regenerate run: scripts/netlink-gen */

#include <net/netlink.h>
#include <net/genetlink.h>

#include "netlink_gen.h"

#include <uapi/linux/vmdev_netlink.h>

/* Integer value ranges */
static const struct netlink_range_validation vmdev_a_queue_index_range = {
	.max	= 65535ULL,
};

static const struct netlink_range_validation vmdev_a_address_space_index_range = {
	.max	= 65535ULL,
};

/* VMDEV_CMD_PARENT_GET - do */
static const struct nla_policy vmdev_parent_get_nl_policy[VMDEV_A_PARENT_NAME + 1] = {
	[VMDEV_A_PARENT_BUS] = { .type = NLA_NUL_STRING, .len = 63, },
	[VMDEV_A_PARENT_NAME] = { .type = NLA_NUL_STRING, .len = 255, },
};

/* VMDEV_CMD_DEV_GET - do */
static const struct nla_policy vmdev_dev_get_nl_policy[VMDEV_A_DEV_NAME + 1] = {
	[VMDEV_A_DEV_NAME] = { .type = NLA_NUL_STRING, .len = 255, },
};

/* VMDEV_CMD_DEV_SET - do */
static const struct nla_policy vmdev_dev_set_nl_policy[VMDEV_A_DEV_POLICY + 1] = {
	[VMDEV_A_DEV_NAME] = { .type = NLA_NUL_STRING, .len = 255, },
	[VMDEV_A_DEV_POLICY] = NLA_POLICY_MAX(NLA_U32, 2),
};

/* VMDEV_CMD_QUEUE_GET - do */
static const struct nla_policy vmdev_queue_get_do_nl_policy[VMDEV_A_QUEUE_INDEX + 1] = {
	[VMDEV_A_QUEUE_DEV] = { .type = NLA_NUL_STRING, .len = 255, },
	[VMDEV_A_QUEUE_INDEX] = NLA_POLICY_FULL_RANGE(NLA_U32, &vmdev_a_queue_index_range),
};

/* VMDEV_CMD_QUEUE_GET - dump */
static const struct nla_policy vmdev_queue_get_dump_nl_policy[VMDEV_A_QUEUE_DEV + 1] = {
	[VMDEV_A_QUEUE_DEV] = { .type = NLA_NUL_STRING, .len = 255, },
};

/* VMDEV_CMD_ADDRESS_SPACE_GET - do */
static const struct nla_policy vmdev_address_space_get_do_nl_policy[VMDEV_A_ADDRESS_SPACE_INDEX + 1] = {
	[VMDEV_A_ADDRESS_SPACE_DEV] = { .type = NLA_NUL_STRING, .len = 255, },
	[VMDEV_A_ADDRESS_SPACE_INDEX] = NLA_POLICY_FULL_RANGE(NLA_U32, &vmdev_a_address_space_index_range),
};

/* VMDEV_CMD_ADDRESS_SPACE_GET - dump */
static const struct nla_policy vmdev_address_space_get_dump_nl_policy[VMDEV_A_ADDRESS_SPACE_DEV + 1] = {
	[VMDEV_A_ADDRESS_SPACE_DEV] = { .type = NLA_NUL_STRING, .len = 255, },
};

/* VMDEV_CMD_IRQ_GET - dump */
static const struct nla_policy vmdev_irq_get_nl_policy[VMDEV_A_IRQ_NAME + 1] = {
	[VMDEV_A_IRQ_BUS] = { .type = NLA_NUL_STRING, .len = 63, },
	[VMDEV_A_IRQ_NAME] = { .type = NLA_NUL_STRING, .len = 255, },
};

/* VMDEV_CMD_IRQ_SET - do */
static const struct nla_policy vmdev_irq_set_nl_policy[VMDEV_A_IRQ_MODE + 1] = {
	[VMDEV_A_IRQ_BUS] = { .type = NLA_NUL_STRING, .len = 63, },
	[VMDEV_A_IRQ_NAME] = { .type = NLA_NUL_STRING, .len = 255, },
	[VMDEV_A_IRQ_MODE] = NLA_POLICY_MAX(NLA_U32, 3),
};

/* Ops table for vmdev */
static const struct genl_split_ops vmdev_nl_ops[] = {
	{
		.cmd		= VMDEV_CMD_PARENT_GET,
		.doit		= vmdev_nl_parent_get_doit,
		.policy		= vmdev_parent_get_nl_policy,
		.maxattr	= VMDEV_A_PARENT_NAME,
		.flags		= GENL_CMD_CAP_DO,
	},
	{
		.cmd	= VMDEV_CMD_PARENT_GET,
		.dumpit	= vmdev_nl_parent_get_dumpit,
		.flags	= GENL_CMD_CAP_DUMP,
	},
	{
		.cmd		= VMDEV_CMD_DEV_GET,
		.doit		= vmdev_nl_dev_get_doit,
		.policy		= vmdev_dev_get_nl_policy,
		.maxattr	= VMDEV_A_DEV_NAME,
		.flags		= GENL_CMD_CAP_DO,
	},
	{
		.cmd	= VMDEV_CMD_DEV_GET,
		.dumpit	= vmdev_nl_dev_get_dumpit,
		.flags	= GENL_CMD_CAP_DUMP,
	},
	{
		.cmd		= VMDEV_CMD_DEV_SET,
		.doit		= vmdev_nl_dev_set_doit,
		.policy		= vmdev_dev_set_nl_policy,
		.maxattr	= VMDEV_A_DEV_POLICY,
		.flags		= GENL_ADMIN_PERM | GENL_CMD_CAP_DO,
	},
	{
		.cmd		= VMDEV_CMD_QUEUE_GET,
		.doit		= vmdev_nl_queue_get_doit,
		.policy		= vmdev_queue_get_do_nl_policy,
		.maxattr	= VMDEV_A_QUEUE_INDEX,
		.flags		= GENL_CMD_CAP_DO,
	},
	{
		.cmd		= VMDEV_CMD_QUEUE_GET,
		.dumpit		= vmdev_nl_queue_get_dumpit,
		.policy		= vmdev_queue_get_dump_nl_policy,
		.maxattr	= VMDEV_A_QUEUE_DEV,
		.flags		= GENL_CMD_CAP_DUMP,
	},
	{
		.cmd		= VMDEV_CMD_ADDRESS_SPACE_GET,
		.doit		= vmdev_nl_address_space_get_doit,
		.policy		= vmdev_address_space_get_do_nl_policy,
		.maxattr	= VMDEV_A_ADDRESS_SPACE_INDEX,
		.flags		= GENL_CMD_CAP_DO,
	},
	{
		.cmd		= VMDEV_CMD_ADDRESS_SPACE_GET,
		.dumpit		= vmdev_nl_address_space_get_dumpit,
		.policy		= vmdev_address_space_get_dump_nl_policy,
		.maxattr	= VMDEV_A_ADDRESS_SPACE_DEV,
		.flags		= GENL_CMD_CAP_DUMP,
	},
	{
		.cmd		= VMDEV_CMD_IRQ_GET,
		.dumpit		= vmdev_nl_irq_get_dumpit,
		.policy		= vmdev_irq_get_nl_policy,
		.maxattr	= VMDEV_A_IRQ_NAME,
		.flags		= GENL_CMD_CAP_DUMP,
	},
	{
		.cmd		= VMDEV_CMD_IRQ_SET,
		.doit		= vmdev_nl_irq_set_doit,
		.policy		= vmdev_irq_set_nl_policy,
		.maxattr	= VMDEV_A_IRQ_MODE,
		.flags		= GENL_ADMIN_PERM | GENL_CMD_CAP_DO,
	},
};

static const struct genl_multicast_group vmdev_nl_mcgrps[] = {
	[VMDEV_NLGRP_EVENTS] = { "events", },
};

struct genl_family vmdev_nl_family __ro_after_init = {
	.name		= VMDEV_FAMILY_NAME,
	.version	= VMDEV_FAMILY_VERSION,
	.netnsok	= true,
	.parallel_ops	= true,
	.module		= THIS_MODULE,
	.split_ops	= vmdev_nl_ops,
	.n_split_ops	= ARRAY_SIZE(vmdev_nl_ops),
	.mcgrps		= vmdev_nl_mcgrps,
	.n_mcgrps	= ARRAY_SIZE(vmdev_nl_mcgrps),
};
