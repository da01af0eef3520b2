/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _SHIM_LINUX_MM_H
#define _SHIM_LINUX_MM_H

#include <linux/types.h>

#define kvmalloc_array(n, size, gfp) \
	((void)(gfp), malloc((size_t)(n) * (size)))
#define kvfree(p)	free(p)

#endif
