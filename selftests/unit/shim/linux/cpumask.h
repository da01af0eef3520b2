/* SPDX-License-Identifier: GPL-2.0 */
/* There is one CPU. */
#ifndef _SHIM_LINUX_CPUMASK_H
#define _SHIM_LINUX_CPUMASK_H

#include <linux/types.h>

struct cpumask {
	unsigned long bits[1];
};

typedef struct cpumask cpumask_var_t[1];

#define zalloc_cpumask_var(mask, gfp)	((void)(mask), true)
#define free_cpumask_var(mask)		((void)(mask))

#endif
