/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Inside of the core: what is there, and what happens, for a control plane.
 */
#ifndef _VMDEV_CORE_CTL_H
#define _VMDEV_CORE_CTL_H

#include <vmdev/ctl.h>

#include "vmdev.h"

/* notice.c */
void vmdev_note(const struct vmdev_notice *event);
void vmdev_notices_flush(void);

/* ctl.c */
bool vmdev_ctl_listens(void);
void vmdev_ctl_tell(const struct vmdev_notice *event);
int vmdev_ctl_add_mgmt(struct vmdev_mgmt *mgmt);
void vmdev_ctl_del_mgmt(struct vmdev_mgmt *mgmt);
int vmdev_ctl_prepare_dev(struct vmdev_dev *dev);
void vmdev_ctl_add_dev(struct vmdev_dev *dev);
void vmdev_ctl_del_dev(struct vmdev_dev *dev);
void vmdev_ctl_gone_dev(struct vmdev_dev *dev);
void vmdev_ctl_note_paths(struct vmdev_dev *dev);
u32 vmdev_ctl_count_devs(const struct vmdev_mgmt *mgmt);

/**
 * vmdev_note_dev() - something happened to a device
 * @dev: the device
 * @kind: what
 * @index: see enum vmdev_event
 * @value: likewise
 * @why: likewise; never freed
 *
 * Context: any.
 */
static inline void vmdev_note_dev(struct vmdev_dev *dev, enum vmdev_event kind,
				  u16 index, u32 value, const char *why)
{
	const struct vmdev_notice event = {
		.kind = kind,
		.dev = &dev->vdpa.dev,
		.index = index,
		.value = value,
		.why = why,
	};

	vmdev_note(&event);
}

/**
 * vmdev_queue_path() - how does a queue run?
 * @vq: the queue
 *
 * Context: vmdev_parent.lock held.
 */
static inline enum vmdev_path vmdev_queue_path(const struct vmdev_vq *vq)
{
	return !vq->on ? VMDEV_PATH_OFF :
	       vq->shadowed ? VMDEV_PATH_SHADOW :
	       vq->served ? VMDEV_PATH_SOFTWARE : VMDEV_PATH_DIRECT;
}

#endif /* _VMDEV_CORE_CTL_H */
