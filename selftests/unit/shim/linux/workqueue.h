/* SPDX-License-Identifier: GPL-2.0 */
/* There is one thread: work is done by whoever calls its function. */
#ifndef _SHIM_LINUX_WORKQUEUE_H
#define _SHIM_LINUX_WORKQUEUE_H

#include <linux/types.h>

struct workqueue_struct;

#define system_percpu_wq		((struct workqueue_struct *)0)

struct delayed_work {
	struct work_struct work;
};

#define INIT_DELAYED_WORK(work, fn)	((void)(work), (void)(fn))
#define to_delayed_work(w)		container_of(w, struct delayed_work, work)
#define msecs_to_jiffies(ms)		((unsigned long)(ms))

#define INIT_WORK(work, fn)		((void)(work), (void)(fn))
#define schedule_work(work)		((void)(work))

static inline void cancel_work_sync(struct work_struct *work)
{
}

static inline void cancel_delayed_work_sync(struct delayed_work *work)
{
}

#endif
