/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The control queue of a rig's net device, and commands on it. Its memory is at
 * the end of the arena, apart from that of the other queues: so it can be in an
 * address space of its own.
 */
#ifndef VMDEV_VDPA_CTRL_H
#define VMDEV_VDPA_CTRL_H

#include <linux/virtio_net.h>

#include "vdpa_rig.h"

/* What is set apart for it, and how much of that a command may be. */
#define CTRL_MEM	(64UL << 10)
#define CTRL_OUT	(20UL << 10)
#define CTRL_IN		64

/* Queue groups (QEMU asks which one the control queue is in). */
#define GROUP_DATA	0
#define GROUP_CTRL	1

/* What the device answers (virtio 1.3, 5.1.6.5), and what it has not written. */
#define CTRL_OK		0
#define CTRL_ERR	1
#define CTRL_NONE	0xee

/**
 * struct ctrl - a control queue
 * @r: its device
 * @vq: the queue
 * @out: a command
 * @in: its answer
 * @written: bytes of it, as the device says
 */
struct ctrl {
	struct rig *r;
	struct vq vq;
	__u8 *out;
	__u8 *in;
	__u32 written;
};

__u32 ctrl_index(const struct rig *r, __u64 features);
int ctrl_init(struct ctrl *k, struct rig *r, __u16 num);
int ctrl_map(struct ctrl *k, __u32 ctrl_as, __u32 data_as);
int ctrl_attach(struct ctrl *k, __u32 base);

int ctrl_submit(struct ctrl *k, const void *data, __u32 len, __u32 in,
		unsigned int pieces);
int ctrl_wait(struct ctrl *k, int ms);
int ctrl_send(struct ctrl *k, const void *data, __u32 len);
int ctrl_command(struct ctrl *k, __u8 class, __u8 cmd, const void *data,
		 __u32 len);

#endif
