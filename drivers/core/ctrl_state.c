// SPDX-License-Identifier: GPL-2.0
/*
 * Control commands of a net device: which make sense, and which of them to give
 * to hardware that was reset, so that it becomes what it was.
 *
 * All that is not known is refused: what nobody remembers would be lost when the
 * device moves. Offsets are those of virtio 1.3, 5.1.6.5; a command is its class,
 * its command, and data.
 */
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/log2.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/unaligned.h>
#include <linux/virtio_net.h>

#include "ctrl_state.h"

/* virtio 1.3; 6.12's uapi does not name them all. */
#define VMDEV_NET_F_VQ_NOTF_COAL	52
#define VMDEV_NET_F_NOTF_COAL		53
#define VMDEV_NET_CTRL_COAL		6
#define VMDEV_NET_CTRL_COAL_TX_SET	0
#define VMDEV_NET_CTRL_COAL_RX_SET	1
#define VMDEV_NET_CTRL_COAL_VQ_SET	2
#define VMDEV_NET_CTRL_COAL_VQ_GET	3

#define VMDEV_CTRL_HDR		sizeof(struct virtio_net_ctrl_hdr)
#define VMDEV_CTRL_MAC_LEN	6
#define VMDEV_CTRL_COAL_LEN	8
#define VMDEV_CTRL_COAL_VQ_LEN	12

/* RSS: hash types, mask of the table, queue of what has no hash; the table follows. */
#define VMDEV_CTRL_RSS_MASK	4
#define VMDEV_CTRL_RSS_TABLE	6
#define VMDEV_CTRL_HASH_KEY	12

/**
 * struct vmdev_ctrl_rule - a command that is known
 * @class: its class
 * @cmd: its command
 * @feature: the driver must have negotiated it
 * @keep: it sets something
 * @per_vq: for the queue whose number comes first in its data
 * @min: bytes of data, at least
 * @max: bytes of data, at most
 * @result: bytes that it is answered with, beside how it went
 * @check: why it makes no sense, or NULL; NULL if its length says it all
 */
struct vmdev_ctrl_rule {
	u8 class;
	u8 cmd;
	u8 feature;
	bool keep;
	bool per_vq;
	u32 min;
	u32 max;
	u32 result;
	const char *(*check)(const struct vmdev_ctrl_limits *limits,
			     const u8 *data, u32 len);
};

/* Two lists, each a number and as many addresses: one of stations, one of groups. */
static const char *vmdev_ctrl_check_table(const struct vmdev_ctrl_limits *limits,
					  const u8 *data, u32 len)
{
	u32 n;
	int i;

	for (i = 0; i < 2; i++) {
		if (len < sizeof(__le32))
			return "table without a number of addresses";
		n = get_unaligned_le32(data);
		data += sizeof(__le32);
		len -= sizeof(__le32);
		if (n > len / VMDEV_CTRL_MAC_LEN)
			return "table with fewer addresses than it says";
		data += n * VMDEV_CTRL_MAC_LEN;
		len -= n * VMDEV_CTRL_MAC_LEN;
	}
	return len ? "table with more addresses than it says" : NULL;
}

static const char *vmdev_ctrl_check_vlan(const struct vmdev_ctrl_limits *limits,
					 const u8 *data, u32 len)
{
	return get_unaligned_le16(data) < VMDEV_CTRL_VLANS ? NULL :
	       "no such VLAN";
}

static bool vmdev_ctrl_pairs_ok(const struct vmdev_ctrl_limits *limits,
				const u8 *data)
{
	u16 pairs = get_unaligned_le16(data);

	return pairs && pairs <= limits->max_vqp;
}

static const char *vmdev_ctrl_check_pairs(const struct vmdev_ctrl_limits *limits,
					  const u8 *data, u32 len)
{
	return vmdev_ctrl_pairs_ok(limits, data) ? NULL :
	       "the device has not so many queue pairs";
}

/* Behind the table: a length, and as many bytes. */
static const char *vmdev_ctrl_check_key(const struct vmdev_ctrl_limits *limits,
					const u8 *data, u32 len)
{
	if (!len || *data != len - 1)
		return "hash key of another length than it says";
	return *data <= limits->rss_key_max ? NULL :
	       "hash key is longer than the device takes";
}

static const char *vmdev_ctrl_check_rss(const struct vmdev_ctrl_limits *limits,
					const u8 *data, u32 len)
{
	u32 i, n = get_unaligned_le16(data + VMDEV_CTRL_RSS_MASK) + 1;
	/* The first entry stands before the table: for packets without a hash. */
	u32 tx = VMDEV_CTRL_RSS_TABLE + (1 + n) * sizeof(__le16);

	if (!is_power_of_2(n) || n > limits->rss_table_max)
		return "indirection table of a size that the device does not take";
	if (len < tx + sizeof(__le16))
		return "indirection table is shorter than it says";
	for (i = VMDEV_CTRL_RSS_TABLE; i < tx; i += sizeof(__le16))
		if (get_unaligned_le16(data + i) >= limits->max_vqp)
			return "indirection table names a queue that the device has not";
	if (!vmdev_ctrl_pairs_ok(limits, data + tx))
		return "the device has not so many transmit queues";
	tx += sizeof(__le16);
	return vmdev_ctrl_check_key(limits, data + tx, len - tx);
}

static const char *vmdev_ctrl_check_hash(const struct vmdev_ctrl_limits *limits,
					 const u8 *data, u32 len)
{
	return vmdev_ctrl_check_key(limits, data + VMDEV_CTRL_HASH_KEY,
				    len - VMDEV_CTRL_HASH_KEY);
}

/* Offloads are named by the bits of the features that they come with. */
static const char *vmdev_ctrl_check_offloads(const struct vmdev_ctrl_limits *limits,
					     const u8 *data, u32 len)
{
	return get_unaligned_le64(data) & ~limits->features ?
	       "offloads that were not negotiated" : NULL;
}

static const char *vmdev_ctrl_check_vq(const struct vmdev_ctrl_limits *limits,
				       const u8 *data, u32 len)
{
	return get_unaligned_le16(data) < 2 * limits->max_vqp ? NULL :
	       "the device has no such queue";
}

#define VMDEV_RULE_RX(command, needs) { \
	.class = VIRTIO_NET_CTRL_RX, .cmd = command, .feature = needs, \
	.keep = true, .min = 1, .max = 1, \
}

#define VMDEV_RULE_VLAN(command) { \
	.class = VIRTIO_NET_CTRL_VLAN, .cmd = command, \
	.feature = VIRTIO_NET_F_CTRL_VLAN, .keep = true, \
	.min = sizeof(__le16), .max = sizeof(__le16), \
	.check = vmdev_ctrl_check_vlan, \
}

#define VMDEV_RULE_COAL(command) { \
	.class = VMDEV_NET_CTRL_COAL, .cmd = command, \
	.feature = VMDEV_NET_F_NOTF_COAL, .keep = true, \
	.min = VMDEV_CTRL_COAL_LEN, .max = VMDEV_CTRL_COAL_LEN, \
}

#define VMDEV_CTRL_DATA_MAX	(VMDEV_CTRL_OUT_MAX - VMDEV_CTRL_HDR)

static const struct vmdev_ctrl_rule vmdev_ctrl_rules[] = {
	VMDEV_RULE_RX(VIRTIO_NET_CTRL_RX_PROMISC, VIRTIO_NET_F_CTRL_RX),
	VMDEV_RULE_RX(VIRTIO_NET_CTRL_RX_ALLMULTI, VIRTIO_NET_F_CTRL_RX),
	VMDEV_RULE_RX(VIRTIO_NET_CTRL_RX_ALLUNI, VIRTIO_NET_F_CTRL_RX_EXTRA),
	VMDEV_RULE_RX(VIRTIO_NET_CTRL_RX_NOMULTI, VIRTIO_NET_F_CTRL_RX_EXTRA),
	VMDEV_RULE_RX(VIRTIO_NET_CTRL_RX_NOUNI, VIRTIO_NET_F_CTRL_RX_EXTRA),
	VMDEV_RULE_RX(VIRTIO_NET_CTRL_RX_NOBCAST, VIRTIO_NET_F_CTRL_RX_EXTRA),
	VMDEV_RULE_VLAN(VIRTIO_NET_CTRL_VLAN_ADD),
	VMDEV_RULE_VLAN(VIRTIO_NET_CTRL_VLAN_DEL),
	VMDEV_RULE_COAL(VMDEV_NET_CTRL_COAL_TX_SET),
	VMDEV_RULE_COAL(VMDEV_NET_CTRL_COAL_RX_SET),
	{
		.class = VIRTIO_NET_CTRL_MAC,
		.cmd = VIRTIO_NET_CTRL_MAC_TABLE_SET,
		.feature = VIRTIO_NET_F_CTRL_RX,
		.keep = true,
		.max = VMDEV_CTRL_DATA_MAX,
		.check = vmdev_ctrl_check_table,
	}, {
		.class = VIRTIO_NET_CTRL_MAC,
		.cmd = VIRTIO_NET_CTRL_MAC_ADDR_SET,
		.feature = VIRTIO_NET_F_CTRL_MAC_ADDR,
		.keep = true,
		.min = VMDEV_CTRL_MAC_LEN,
		.max = VMDEV_CTRL_MAC_LEN,
	}, {
		.class = VIRTIO_NET_CTRL_ANNOUNCE,
		.cmd = VIRTIO_NET_CTRL_ANNOUNCE_ACK,
		.feature = VIRTIO_NET_F_GUEST_ANNOUNCE,
	}, {
		.class = VIRTIO_NET_CTRL_MQ,
		.cmd = VIRTIO_NET_CTRL_MQ_VQ_PAIRS_SET,
		.feature = VIRTIO_NET_F_MQ,
		.keep = true,
		.min = sizeof(__le16),
		.max = sizeof(__le16),
		.check = vmdev_ctrl_check_pairs,
	}, {
		.class = VIRTIO_NET_CTRL_MQ,
		.cmd = VIRTIO_NET_CTRL_MQ_RSS_CONFIG,
		.feature = VIRTIO_NET_F_RSS,
		.keep = true,
		.min = VMDEV_CTRL_RSS_TABLE,
		.max = VMDEV_CTRL_DATA_MAX,
		.check = vmdev_ctrl_check_rss,
	}, {
		.class = VIRTIO_NET_CTRL_MQ,
		.cmd = VIRTIO_NET_CTRL_MQ_HASH_CONFIG,
		.feature = VIRTIO_NET_F_HASH_REPORT,
		.keep = true,
		.min = VMDEV_CTRL_HASH_KEY + 1,
		.max = VMDEV_CTRL_HASH_KEY + 1 + U8_MAX,
		.check = vmdev_ctrl_check_hash,
	}, {
		.class = VIRTIO_NET_CTRL_GUEST_OFFLOADS,
		.cmd = VIRTIO_NET_CTRL_GUEST_OFFLOADS_SET,
		.feature = VIRTIO_NET_F_CTRL_GUEST_OFFLOADS,
		.keep = true,
		.min = sizeof(__le64),
		.max = sizeof(__le64),
		.check = vmdev_ctrl_check_offloads,
	}, {
		.class = VMDEV_NET_CTRL_COAL,
		.cmd = VMDEV_NET_CTRL_COAL_VQ_SET,
		.feature = VMDEV_NET_F_VQ_NOTF_COAL,
		.keep = true,
		.per_vq = true,
		.min = VMDEV_CTRL_COAL_VQ_LEN,
		.max = VMDEV_CTRL_COAL_VQ_LEN,
		.check = vmdev_ctrl_check_vq,
	}, {
		.class = VMDEV_NET_CTRL_COAL,
		.cmd = VMDEV_NET_CTRL_COAL_VQ_GET,
		.feature = VMDEV_NET_F_VQ_NOTF_COAL,
		.min = sizeof(__le32),
		.max = VMDEV_CTRL_COAL_VQ_LEN,
		.result = VMDEV_CTRL_COAL_LEN,
		.check = vmdev_ctrl_check_vq,
	},
};

static const struct vmdev_ctrl_rule *vmdev_ctrl_rule(u8 class, u8 cmd)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(vmdev_ctrl_rules); i++)
		if (vmdev_ctrl_rules[i].class == class &&
		    vmdev_ctrl_rules[i].cmd == cmd)
			return &vmdev_ctrl_rules[i];
	return NULL;
}

/**
 * vmdev_ctrl_state_init() - nothing was set
 * @state: filled in
 */
void vmdev_ctrl_state_init(struct vmdev_ctrl_state *state)
{
	INIT_LIST_HEAD(&state->cmds);
	bitmap_zero(state->vlans, VMDEV_CTRL_VLANS);
}

/**
 * vmdev_ctrl_state_forget() - the driver reset its device
 * @state: what was set
 *
 * Context: any.
 */
void vmdev_ctrl_state_forget(struct vmdev_ctrl_state *state)
{
	struct vmdev_ctrl_cmd *cmd, *next;

	list_for_each_entry_safe(cmd, next, &state->cmds, node)
		kfree(cmd);
	vmdev_ctrl_state_init(state);
}

/**
 * vmdev_ctrl_check() - does a command make sense?
 * @limits: what the driver may ask for
 * @data: the command, class and command first
 * @len: bytes
 *
 * Context: any. Pure.
 * Return: NULL if it does, else a phrase that says why not.
 */
const char *vmdev_ctrl_check(const struct vmdev_ctrl_limits *limits,
			     const u8 *data, u32 len)
{
	const struct vmdev_ctrl_rule *rule;

	if (len < VMDEV_CTRL_HDR)
		return "no class and command";
	rule = vmdev_ctrl_rule(data[0], data[1]);
	if (!rule)
		return "no such command";
	if (!(limits->features & BIT_ULL(rule->feature)))
		return "its feature was not negotiated";
	len -= VMDEV_CTRL_HDR;
	if (len < rule->min || len > rule->max)
		return "wrong length";
	return rule->check ? rule->check(limits, data + VMDEV_CTRL_HDR, len) :
	       NULL;
}

/**
 * vmdev_ctrl_result_len() - what a command is answered with
 * @data: a command that makes sense
 *
 * Return: bytes, beside the one that says how it went.
 */
u32 vmdev_ctrl_result_len(const u8 *data)
{
	return vmdev_ctrl_rule(data[0], data[1])->result;
}

static bool vmdev_ctrl_is_vlan(const u8 *data)
{
	return data[0] == VIRTIO_NET_CTRL_VLAN;
}

/**
 * vmdev_ctrl_reserve() - get memory to remember a command in
 * @data: a command that makes sense
 * @len: bytes
 * @cmd: the memory, for vmdev_ctrl_remember() or kfree(); NULL if none is needed
 *
 * Before the device is told: what it did must not be forgotten.
 *
 * Context: may sleep.
 * Return: 0 or -ENOMEM.
 */
int vmdev_ctrl_reserve(const u8 *data, u32 len, struct vmdev_ctrl_cmd **cmd)
{
	const struct vmdev_ctrl_rule *rule = vmdev_ctrl_rule(data[0], data[1]);

	*cmd = NULL;
	if (!rule->keep || vmdev_ctrl_is_vlan(data))
		return 0;
	*cmd = kmalloc(struct_size(*cmd, data, len), GFP_KERNEL);
	if (!*cmd)
		return -ENOMEM;
	(*cmd)->key = rule->per_vq ? get_unaligned_le16(data + VMDEV_CTRL_HDR) :
		      0;
	(*cmd)->per_vq = rule->per_vq;
	(*cmd)->len = len;
	memcpy((*cmd)->data, data, len);
	return 0;
}

static void vmdev_ctrl_remember_vlan(struct vmdev_ctrl_state *state,
				     const u8 *data)
{
	u16 vlan = get_unaligned_le16(data + VMDEV_CTRL_HDR);

	if (data[1] == VIRTIO_NET_CTRL_VLAN_ADD)
		__set_bit(vlan, state->vlans);
	else
		__clear_bit(vlan, state->vlans);
}

/*
 * What is set for all queues of a direction overrides what was set for one of them
 * (virtio 1.3, 5.1.6.5.10). Receive queues have even numbers.
 */
static void vmdev_ctrl_forget_queues(struct vmdev_ctrl_state *state,
				     const u8 *data)
{
	bool tx = data[1] == VMDEV_NET_CTRL_COAL_TX_SET;
	struct vmdev_ctrl_cmd *old, *next;

	if (data[0] != VMDEV_NET_CTRL_COAL ||
	    (!tx && data[1] != VMDEV_NET_CTRL_COAL_RX_SET))
		return;
	list_for_each_entry_safe(old, next, &state->cmds, node) {
		if (!old->per_vq || (old->key & 1) != tx)
			continue;
		list_del(&old->node);
		kfree(old);
	}
}

/**
 * vmdev_ctrl_remember() - the device carried a command out
 * @state: gets it
 * @data: the command
 * @cmd: what vmdev_ctrl_reserve() gave
 *
 * Context: any.
 */
void vmdev_ctrl_remember(struct vmdev_ctrl_state *state, const u8 *data,
			 struct vmdev_ctrl_cmd *cmd)
{
	struct vmdev_ctrl_cmd *old;

	if (!cmd) {
		if (vmdev_ctrl_is_vlan(data))
			vmdev_ctrl_remember_vlan(state, data);
		return;
	}

	vmdev_ctrl_forget_queues(state, data);
	list_for_each_entry(old, &state->cmds, node) {
		if (old->data[0] != data[0] || old->data[1] != data[1] ||
		    old->key != cmd->key)
			continue;
		list_del(&old->node);
		kfree(old);
		break;
	}
	list_add_tail(&cmd->node, &state->cmds);
}
