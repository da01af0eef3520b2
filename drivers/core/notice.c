// SPDX-License-Identifier: GPL-2.0
/*
 * What happened, for the control plane: noted in any context, told in order by a work item.
 * Without a listener nothing is noted.
 */
#include <linux/device.h>
#include <linux/export.h>
#include <linux/mutex.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>

#include "ctl.h"

/* A burst: each queue of a large device that moves is one. */
#define VMDEV_NOTICES_MAX	512

static void vmdev_notices_tell(struct work_struct *work);

/* Protects the next four; taken in hard interrupt context. */
static DEFINE_SPINLOCK(vmdev_notices_lock);
/* Between @vmdev_notices_head and @vmdev_notices_tail, modulo its length. */
static struct vmdev_notice vmdev_notices[VMDEV_NOTICES_MAX];
static unsigned int vmdev_notices_head, vmdev_notices_tail;
static u32 vmdev_notices_lost;
static DECLARE_WORK(vmdev_notices_work, vmdev_notices_tell);

/**
 * vmdev_note() - something happened
 * @event: what; vmdev_notice.dev is there now, and held until it was told
 *
 * Context: any.
 */
void vmdev_note(const struct vmdev_notice *event)
{
	unsigned long flags;

	if (!vmdev_ctl_listens())
		return;

	spin_lock_irqsave(&vmdev_notices_lock, flags);
	if (vmdev_notices_tail - vmdev_notices_head == VMDEV_NOTICES_MAX) {
		vmdev_notices_lost++;
	} else {
		unsigned int at = vmdev_notices_tail++ % VMDEV_NOTICES_MAX;

		vmdev_notices[at] = *event;
		vmdev_notices[at].lost = vmdev_notices_lost;
		vmdev_notices_lost = 0;
		get_device(event->dev);
	}
	spin_unlock_irqrestore(&vmdev_notices_lock, flags);
	schedule_work(&vmdev_notices_work);
}

/* That some were lost is told by itself if nothing happened since: nobody knows when it will. */
static bool vmdev_notice_next(struct vmdev_notice *event)
{
	bool any = true;

	spin_lock_irq(&vmdev_notices_lock);
	if (vmdev_notices_head != vmdev_notices_tail) {
		*event = vmdev_notices[vmdev_notices_head++ % VMDEV_NOTICES_MAX];
	} else if (vmdev_notices_lost) {
		*event = (struct vmdev_notice) {
			.kind = VMDEV_EVENT_LOST,
			.lost = vmdev_notices_lost,
		};
		vmdev_notices_lost = 0;
	} else {
		any = false;
	}
	spin_unlock_irq(&vmdev_notices_lock);
	return any;
}

static void vmdev_notices_tell(struct work_struct *work)
{
	struct vmdev_notice event;

	while (vmdev_notice_next(&event)) {
		vmdev_ctl_tell(&event);
		put_device(event.dev);
	}
}

/**
 * vmdev_notices_flush() - nothing that happened before is still to be told
 *
 * Whoever is about to go, and whose device was noted, waits for this: the device has to be
 * released by code that is there.
 *
 * Context: may sleep; the listener is waited for.
 */
void vmdev_notices_flush(void)
{
	flush_work(&vmdev_notices_work);
}
