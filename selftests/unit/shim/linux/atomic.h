/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _SHIM_LINUX_ATOMIC_H
#define _SHIM_LINUX_ATOMIC_H

#include <linux/types.h>

#define smp_mb()	__atomic_thread_fence(__ATOMIC_SEQ_CST)
#define smp_rmb()	__atomic_thread_fence(__ATOMIC_ACQUIRE)

/* Atomics that return nothing are ordered here by themselves, too. */
#define smp_mb__after_atomic()	smp_mb()

static inline u64 atomic64_read(const atomic64_t *a)
{
	return __atomic_load_n(&a->counter, __ATOMIC_RELAXED);
}

static inline void atomic64_set(atomic64_t *a, u64 v)
{
	__atomic_store_n(&a->counter, v, __ATOMIC_RELAXED);
}

static inline void atomic64_inc(atomic64_t *a)
{
	__atomic_fetch_add(&a->counter, 1, __ATOMIC_RELAXED);
}

static inline void atomic64_or(u64 bits, atomic64_t *a)
{
	__atomic_fetch_or(&a->counter, bits, __ATOMIC_RELAXED);
}

static inline u64 atomic64_xchg(atomic64_t *a, u64 v)
{
	return __atomic_exchange_n(&a->counter, v, __ATOMIC_SEQ_CST);
}

static inline u64 atomic64_fetch_andnot(u64 bits, atomic64_t *a)
{
	return __atomic_fetch_and(&a->counter, ~bits, __ATOMIC_SEQ_CST);
}

#endif
