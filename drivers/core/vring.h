/* SPDX-License-Identifier: GPL-2.0 */
/* What both formats of vmdev/vring.h share. */
#ifndef _VMDEV_CORE_VRING_H
#define _VMDEV_CORE_VRING_H

#include <vmdev/vring.h>

int vmdev_vring_broken(struct vmdev_vring *ring, const char *why);
void vmdev_chain_start(struct vmdev_vring_chain *chain);
int vmdev_chain_add(struct vmdev_vring *ring, struct vmdev_vring_chain *chain,
		    u64 addr, u32 len, bool write);
int vmdev_chain_table(struct vmdev_vring *ring, u64 addr, u32 len,
		      u16 flags_next);

#endif /* _VMDEV_CORE_VRING_H */
