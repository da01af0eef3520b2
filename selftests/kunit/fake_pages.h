/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Stands in for drivers/core/pages.h, if it is there before: what tests map is not memory, as
 * a rule.
 */
#ifndef _VMDEV_CORE_PAGES_H
#define _VMDEV_CORE_PAGES_H

#include <linux/types.h>

/* Bytes; each mapping holds its own. */
static u64 fake_pages_held;

static inline int vmdev_pages_hold(u64 pa, u64 size)
{
	fake_pages_held += size;
	return 0;
}

static inline void vmdev_pages_let_go(u64 pa, u64 size)
{
	fake_pages_held -= size;
}

#endif /* _VMDEV_CORE_PAGES_H */
