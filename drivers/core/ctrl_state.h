/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the driver of a net device set by control commands.
 *
 * Pure, and so free of all but memory and lists: it can be built in user space.
 *
 * Source: virtio 1.3, 5.1.6.5.
 */
#ifndef _VMDEV_CTRL_STATE_H
#define _VMDEV_CTRL_STATE_H

#include <linux/bitmap.h>
#include <linux/list.h>
#include <linux/types.h>

/* Bytes of a command: a table of 2,700 MAC addresses, all VLANs' worth of anything. */
#define VMDEV_CTRL_OUT_MAX	16384

/* Bytes of an answer: one that says how it went, and what was asked for. */
#define VMDEV_CTRL_IN_MAX	64

#define VMDEV_CTRL_VLANS	4096

/**
 * struct vmdev_ctrl_limits - what commands are judged by
 * @features: what the driver negotiated
 * @max_vqp: queue pairs that the device has
 * @rss_table_max: entries of an indirection table that hardware takes
 * @rss_key_max: bytes of a hash key that hardware takes
 */
struct vmdev_ctrl_limits {
	u64 features;
	u16 max_vqp;
	u16 rss_table_max;
	u8 rss_key_max;
};

/**
 * struct vmdev_ctrl_cmd - a command that is remembered
 * @node: in vmdev_ctrl_state.cmds
 * @key: which of several things of its class and command it sets: a queue, else 0
 * @per_vq: a queue it is
 * @len: length of @data
 * @data: the command as the driver sent it, class and command first
 */
struct vmdev_ctrl_cmd {
	struct list_head node;
	u16 key;
	bool per_vq;
	u32 len;
	u8 data[];
};

/**
 * struct vmdev_ctrl_state - all that was set
 * @cmds: the last command of each kind, in the order they came in
 * @vlans: VLANs that are let through
 *
 * A command overrides the one before of its kind, and some of other kinds (queue
 * pairs and RSS): as they are in order, @cmds given to a device after reset makes it
 * what it was. What was set for single queues is dropped when it is set for all of a
 * direction, as it may be given alone. Memory is bounded: there are few kinds.
 */
struct vmdev_ctrl_state {
	struct list_head cmds;
	DECLARE_BITMAP(vlans, VMDEV_CTRL_VLANS);
};

void vmdev_ctrl_state_init(struct vmdev_ctrl_state *state);
void vmdev_ctrl_state_forget(struct vmdev_ctrl_state *state);
const char *vmdev_ctrl_check(const struct vmdev_ctrl_limits *limits,
			     const u8 *data, u32 len);
u32 vmdev_ctrl_result_len(const u8 *data);
int vmdev_ctrl_reserve(const u8 *data, u32 len, struct vmdev_ctrl_cmd **cmd);
void vmdev_ctrl_remember(struct vmdev_ctrl_state *state, const u8 *data,
			 struct vmdev_ctrl_cmd *cmd);

#endif /* _VMDEV_CTRL_STATE_H */
