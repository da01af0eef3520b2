/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _SHIM_LINUX_EXPORT_H
#define _SHIM_LINUX_EXPORT_H

/* EXPORT_SYMBOL_GPL() */
#include <linux/types.h>

#endif
