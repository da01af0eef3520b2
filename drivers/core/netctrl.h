/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The control queue of a net device, served by the core.
 */
#ifndef _VMDEV_NETCTRL_H
#define _VMDEV_NETCTRL_H

#include <linux/types.h>
#include <linux/workqueue.h>

#include <vmdev/vring.h>

#include "ctrl_state.h"
#include "drvring.h"
#include "ring_mem.h"
#include "vmdev.h"

/*
 * Entries of the hardware's ring. One command is out at a time, of two pieces; but hardware may
 * take no smaller ring (vmdev_hw_caps.vq_size_min).
 */
#define VMDEV_CTRL_RING		64

/**
 * struct vmdev_ctrl_hw - the hardware's control queue, driven by the core
 * @on: the hardware has the ring
 * @vq: its number
 * @ring: the ring
 * @descs: what the core remembers of it
 * @area: memory of the ring, of commands and of answers, that the hardware sees
 * @iova: where it sees it
 * @out: a command, VMDEV_CTRL_OUT_MAX bytes
 * @in: its answer, VMDEV_CTRL_IN_MAX bytes
 *
 * All under vmdev_parent.lock.
 */
struct vmdev_ctrl_hw {
	bool on;
	u16 vq;
	struct vmdev_drv ring;
	struct vmdev_drv_desc descs[VMDEV_CTRL_RING];
	void *area;
	u64 iova;
	u8 *out;
	u8 *in;
};

/**
 * struct vmdev_ctrl_spot - where a part of an answer goes
 * @page: the page, with a reference on it
 * @offset: in the page
 * @len: bytes
 */
struct vmdev_ctrl_spot {
	struct page *page;
	size_t offset;
	u32 len;
};

/**
 * struct vmdev_ctrl - the control queue of a net device
 * @dev: the device
 * @work: where commands are carried out
 * @hw: the hardware's queue
 * @index: number of the driver's queue
 * @asid: its address space
 * @mem: the driver's ring in memory of the kernel
 * @guest: the driver's ring
 * @segs: scratch for one command
 * @spots: the same: where its answer goes
 * @nspots: how many
 * @cmd: the same: the command as the driver sent it
 * @limits: what its commands are judged by
 * @replay_end: when all that is set again has to be done, in jiffies
 * @state: what the driver set, until it resets the device
 *
 * All under vmdev_parent.lock.
 */
struct vmdev_ctrl {
	struct vmdev_dev *dev;
	struct delayed_work work;
	struct vmdev_ctrl_hw hw;
	u16 index;
	u8 asid;
	struct vmdev_ring_mem mem;
	struct vmdev_vring guest;
	struct vmdev_vring_seg segs[VMDEV_CHAIN_MAX];
	struct vmdev_ctrl_spot spots[VMDEV_CTRL_IN_MAX];
	u16 nspots;
	u8 cmd[VMDEV_CTRL_OUT_MAX];
	struct vmdev_ctrl_limits limits;
	unsigned long replay_end;
	struct vmdev_ctrl_state state;
};

/* ctrl_hw.c */
int vmdev_ctrl_hw_prepare(struct vmdev_ctrl *ctrl, u16 vq,
			  struct vmdev_vq_conf *hw_conf);
void vmdev_ctrl_hw_release(struct vmdev_ctrl *ctrl);
int vmdev_ctrl_hw_send(struct vmdev_ctrl *ctrl, const u8 *data, u32 len,
		       u32 in_len);

#endif /* _VMDEV_NETCTRL_H */
