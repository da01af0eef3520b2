/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _SHIM_LINUX_DEVICE_H
#define _SHIM_LINUX_DEVICE_H

#include <linux/types.h>

struct device {
	int unused;
};

/* Formats such as %pM are none of printf's, so nothing is printed. */
static inline void shim_print(const void *dev, const char *fmt, ...)
{
}

#define dev_err(dev, ...)		shim_print(dev, __VA_ARGS__)
#define dev_warn(dev, ...)		shim_print(dev, __VA_ARGS__)
#define dev_dbg(dev, ...)		shim_print(dev, __VA_ARGS__)
#define dev_info_ratelimited(dev, ...)	shim_print(dev, __VA_ARGS__)
#define dev_err_ratelimited(dev, ...)	shim_print(dev, __VA_ARGS__)
#define dev_warn_ratelimited(dev, ...)	shim_print(dev, __VA_ARGS__)

/* A warning of the kernel's is a bug here. */
#define dev_WARN_ONCE(dev, cond, ...)		\
	do {					\
		if (cond)			\
			abort();		\
	} while (0)

#endif
