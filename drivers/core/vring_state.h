/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Pure, and so free of all but types: selftests/unit builds it in user space.
 */
#ifndef _VMDEV_VRING_STATE_H
#define _VMDEV_VRING_STATE_H

#include <linux/types.h>

struct vring_avail;
struct vring_used;

/* Id of a used entry that no device has written: a head is below 32768. */
#define VMDEV_USED_NEVER	0xffffffff

int vmdev_split_state(const struct vring_avail *avail,
		      const struct vring_used *used, u16 num, bool in_order,
		      const u16 *idle, u16 *index);

#endif /* _VMDEV_VRING_STATE_H */
