/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _SHIM_LINUX_SCHED_SIGNAL_H
#define _SHIM_LINUX_SCHED_SIGNAL_H

#include <linux/types.h>

/* So many looks until somebody kills the process; negative: nobody does. */
static long shim_signal_in __attribute__((unused)) = -1;

#define current	NULL

static inline bool fatal_signal_pending(void *task)
{
	if (shim_signal_in > 0)
		shim_signal_in--;
	return !shim_signal_in;
}

#endif
