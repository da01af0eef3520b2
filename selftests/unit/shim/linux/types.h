/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the pure parts of the drivers need of the kernel, in user space: types,
 * small macros, and what is nothing here. Each other header of this directory
 * has one concern; those that would be empty are made by the Makefile.
 */
#ifndef _SHIM_LINUX_TYPES_H
#define _SHIM_LINUX_TYPES_H

#include_next <linux/types.h>
#include <endian.h>
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

typedef __u8 u8;
typedef __u16 u16;
typedef __u32 u32;
typedef __u64 u64;
typedef __s8 s8;
typedef __s16 s16;
typedef __s64 s64;
typedef __int128 s128;
typedef u64 dma_addr_t;
typedef u64 phys_addr_t;
typedef u64 resource_size_t;
typedef unsigned int gfp_t;

#define U8_MAX		UINT8_MAX
#define U16_MAX		UINT16_MAX
#define U32_MAX		UINT32_MAX
/* As the kernel's u64, so that what prints it agrees. */
#define U64_MAX		(~0ULL)

#define __iomem
#define __force
#define __user
#ifndef __counted_by
#define __counted_by(member)
#endif
#define __aligned(n)	__attribute__((aligned(n)))
#define ____cacheline_aligned	__attribute__((aligned(64)))
#define __must_check	__attribute__((warn_unused_result))
#ifndef __always_inline
#define __always_inline	inline __attribute__((always_inline))
#endif
#define likely(x)	__builtin_expect(!!(x), 1)
#define unlikely(x)	__builtin_expect(!!(x), 0)
#define fallthrough	__attribute__((fallthrough))

#define GFP_KERNEL		0
#define GFP_KERNEL_ACCOUNT	0
#define __GFP_ZERO		0
/* For #if, too; so do those who test with sanitizers. */
#define BITS_PER_LONG	64
#define TASK_COMM_LEN	16
#define SZ_1G		0x40000000
#define USEC_PER_SEC	1000000L
#define SMP_CACHE_BYTES	64

#define BIT(n)			(1UL << (n))
#define BIT_ULL(n)		(1ULL << (n))
#define __ffs64(v)		((unsigned int)__builtin_ctzll(v))
#define GENMASK_ULL(h, l)	((~0ULL >> (63 - (h))) & (~0ULL << (l)))
#define ARRAY_SIZE(a)		(sizeof(a) / sizeof((a)[0]))
#define offsetofend(type, member) \
	(offsetof(type, member) + sizeof(((type *)0)->member))
#define struct_size(p, member, n) \
	(sizeof(*(p)) + sizeof(*(p)->member) * (n))
#define container_of(p, type, member) \
	((type *)((char *)(p) - offsetof(type, member)))
#define WARN_ON_ONCE(cond)	({ if (cond) abort(); false; })
#define BUILD_BUG_ON(cond)	_Static_assert(!(cond), #cond)
#define READ_ONCE(x)		(*(const volatile typeof(x) *)&(x))
#define WRITE_ONCE(x, v)	(*(volatile typeof(x) *)&(x) = (v))

#define min_t(type, a, b) \
	({ type _a = (a); type _b = (b); _a < _b ? _a : _b; })
#define min(a, b) \
	({ typeof(a) _ma = (a); typeof(b) _mb = (b); _ma < _mb ? _ma : _mb; })
#define max(a, b) \
	({ typeof(a) _xa = (a); typeof(b) _xb = (b); _xa > _xb ? _xa : _xb; })
#define clamp_t(type, v, low, high) \
	min_t(type, high, ({ type _v = (v); type _l = (low); _v < _l ? _l : _v; }))
#define min3(a, b, c)		min(min(a, b), c)
#define ALIGN(x, n)		(((x) + (n) - 1) & ~((typeof(x))(n) - 1))
#define IS_ALIGNED(x, n)	(!((x) & ((typeof(x))(n) - 1)))
#define DIV_ROUND_UP(n, d)	(((n) + (d) - 1) / (d))
#define ilog2(n)		(63 - __builtin_clzll(n))
#define is_power_of_2(n)	((n) && !((n) & ((n) - 1)))

#define cpu_to_le16(v)	htole16(v)
#define cpu_to_le32(v)	htole32(v)
#define cpu_to_le64(v)	htole64(v)
#define le16_to_cpu(v)	le16toh(v)
#define le32_to_cpu(v)	le32toh(v)
#define le64_to_cpu(v)	le64toh(v)

#define jiffies			0UL
#define HZ			250
#define time_after(a, b)	((long)((b) - (a)) < 0)
#define time_after_eq(a, b)	((long)((a) - (b)) >= 0)

/* To the compiler it may be anything from now on. */
#define OPTIMIZER_HIDE_VAR(x)	__asm__ ("" : "+r" (x))

#define cond_resched()	do { } while (0)
#define dma_rmb()	__sync_synchronize()
#define dma_wmb()	__sync_synchronize()
#define smp_store_release(p, v)	__atomic_store_n(p, v, __ATOMIC_RELEASE)

#define ERR_PTR(err)	((void *)(long)(err))
#define PTR_ERR(p)	((long)(p))
#define ERR_CAST(p)	((void *)(p))
#define __rcu
#define rcu_access_pointer(p)	READ_ONCE(p)
#define IS_ERR(p)	((unsigned long)(p) >= (unsigned long)-4095)

#define EXPORT_SYMBOL_GPL(symbol)	extern typeof(symbol) symbol
#define MODULE_DESCRIPTION(s)
#define MODULE_AUTHOR(s)
#define MODULE_LICENSE(s)
#define MODULE_PARM_DESC(name, s)
#define module_param(name, type, mode)	extern int shim_param_##name

/* Whom nobody tells of anything. */
#define BLOCKING_NOTIFIER_HEAD(name)	int name
#define blocking_notifier_chain_register(head, nb)	((void)(head), 0)
#define blocking_notifier_chain_unregister(head, nb)	((void)(head))
#define blocking_notifier_call_chain(head, v, data)	((void)(head))

/* What is there to be embedded. */
typedef struct { int locked; } spinlock_t;
typedef struct { long long counter; } atomic64_t;

struct work_struct {
	int unused;
};

struct virtio_device_id {
	u32 device;
	u32 vendor;
};

#endif
