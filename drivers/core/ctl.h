/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Inside of the core: what is there, and what happens, for a control plane.
 */
#ifndef _VMDEV_CORE_CTL_H
#define _VMDEV_CORE_CTL_H

#include <vmdev/ctl.h>

#include "trace.h"
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

/**
 * vmdev_queue_moved() - a queue may run in another way than was told last
 * @vq: the queue
 *
 * If so it is traced. The control plane is told by vmdev_ctl_note_paths().
 *
 * Context: vmdev_parent.lock held.
 * Return: what was told before.
 */
static inline enum vmdev_path vmdev_queue_moved(struct vmdev_vq *vq)
{
	enum vmdev_path path = vmdev_queue_path(vq), told = vq->told;

	if (path == told)
		return told;
	trace_vmdev_path(&vq->dev->vdpa.dev, vq->index, told, path);
	vq->told = path;
	return told;
}

/**
 * vmdev_dev_activity() - what does a device do, unless it is broken?
 * @dev: the device
 *
 * Context: any. An answer for now, unless vmdev_parent.lock is held.
 */
static inline enum vmdev_state vmdev_dev_activity(const struct vmdev_dev *dev)
{
	if (!dev->running)
		return VMDEV_STATE_OFF;
	return dev->suspended ? VMDEV_STATE_SUSPENDED : VMDEV_STATE_RUNNING;
}

/**
 * vmdev_dev_state() - what does a device do?
 * @dev: the device
 *
 * Context: as vmdev_dev_activity().
 */
static inline enum vmdev_state vmdev_dev_state(const struct vmdev_dev *dev)
{
	if (READ_ONCE(dev->needs_reset) || READ_ONCE(dev->parent->gone))
		return VMDEV_STATE_BROKEN;
	return vmdev_dev_activity(dev);
}

#endif /* _VMDEV_CORE_CTL_H */
