/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _SHIM_LINUX_SPINLOCK_H
#define _SHIM_LINUX_SPINLOCK_H

#include <linux/types.h>

/* There is one thread: a lock is only there to be checked. */
static inline void spin_lock_init(spinlock_t *lock)
{
	lock->locked = 0;
}

static inline void spin_lock_irq(spinlock_t *lock)
{
	if (lock->locked++)
		abort();
}

static inline void spin_unlock_irq(spinlock_t *lock)
{
	if (lock->locked-- != 1)
		abort();
}

#define spin_lock(lock)		spin_lock_irq(lock)
#define spin_unlock(lock)	spin_unlock_irq(lock)
#define local_irq_save(flags)	((flags) = 0)
#define local_irq_restore(flags)	((void)(flags))

#define spin_lock_irqsave(lock, flags)		\
	do {					\
		(flags) = 0;			\
		spin_lock_irq(lock);		\
	} while (0)

#define spin_unlock_irqrestore(lock, flags)	\
	do {					\
		(void)(flags);			\
		spin_unlock_irq(lock);		\
	} while (0)

#endif
