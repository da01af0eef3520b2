/* SPDX-License-Identifier: GPL-2.0 */
/* User memory is memory, until a test says that the next so many accesses are the last. */
#ifndef _SHIM_LINUX_UACCESS_H
#define _SHIM_LINUX_UACCESS_H

#include <linux/types.h>

/* So many accesses go well; negative: all. */
static long shim_user_accesses __attribute__((unused)) = -1;
static bool shim_user_access;

static inline bool user_access_begin(const void *p, size_t size)
{
	if (shim_user_access)
		abort();
	if (!shim_user_accesses)
		return false;
	shim_user_access = true;
	return true;
}

static inline void user_access_end(void)
{
	if (!shim_user_access)
		abort();
	shim_user_access = false;
}

static inline bool shim_user_faults(void)
{
	if (!shim_user_access)
		abort();
	if (shim_user_accesses > 0)
		shim_user_accesses--;
	return !shim_user_accesses;
}

#define unsafe_get_user(x, p, label)		\
	do {					\
		if (shim_user_faults())		\
			goto label;		\
		(x) = *(p);			\
	} while (0)

#define unsafe_put_user(x, p, label)		\
	do {					\
		if (shim_user_faults())		\
			goto label;		\
		*(p) = (x);			\
	} while (0)

#endif
