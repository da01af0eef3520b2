/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Shadow virtqueues: the hardware works on rings of the core's.
 */
#ifndef _VMDEV_SHADOW_H
#define _VMDEV_SHADOW_H

#include <linux/types.h>

#include "vmdev.h"

int vmdev_shadow_prepare(struct vmdev_dev *dev, u16 i,
			 struct vmdev_vq_conf *hw_conf);
void vmdev_shadow_run(struct vmdev_dev *dev, u16 i);
void vmdev_shadow_forwarding(struct vmdev_dev *dev, u16 i, bool on);
bool vmdev_shadow_idle(struct vmdev_dev *dev, u16 i);
void vmdev_shadow_state(struct vmdev_dev *dev, u16 i,
			struct vdpa_vq_state *state);
int vmdev_shadow_stop(struct vmdev_dev *dev, u16 i,
		      struct vdpa_vq_state *state);
void vmdev_shadow_doorbell(struct vmdev_dev *dev, u16 i);
void vmdev_shadow_free(struct vmdev_vq *vq);

/* Any context. */
void vmdev_shadow_kick(struct vmdev_vq *vq);
void vmdev_shadow_used(struct vmdev_vq *vq);

#endif /* _VMDEV_SHADOW_H */
