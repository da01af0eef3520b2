/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _SHIM_LINUX_IRQRETURN_H
#define _SHIM_LINUX_IRQRETURN_H

typedef enum { IRQ_NONE, IRQ_HANDLED } irqreturn_t;

#endif
