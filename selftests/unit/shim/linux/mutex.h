/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _SHIM_LINUX_MUTEX_H
#define _SHIM_LINUX_MUTEX_H

#include <linux/types.h>

/* There is one thread: a lock is only there to be checked. */
struct mutex {
	bool locked;
};

static inline void mutex_init(struct mutex *lock)
{
	lock->locked = false;
}

static inline void mutex_destroy(struct mutex *lock)
{
}

static inline void mutex_lock(struct mutex *lock)
{
	if (lock->locked)
		abort();
	lock->locked = true;
}

static inline void mutex_unlock(struct mutex *lock)
{
	if (!lock->locked)
		abort();
	lock->locked = false;
}

#define lockdep_assert_held(lock)		\
	do {					\
		if (!(lock)->locked)		\
			abort();		\
	} while (0)

#endif
