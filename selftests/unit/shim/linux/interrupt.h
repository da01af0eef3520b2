/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _SHIM_LINUX_INTERRUPT_H
#define _SHIM_LINUX_INTERRUPT_H

#include <linux/irqreturn.h>
#include <linux/types.h>

typedef irqreturn_t (*irq_handler_t)(int irq, void *data);

static inline int request_irq(unsigned int irq, irq_handler_t handler, unsigned long flags,
			      const char *name, void *data)
{
	return -EINVAL;
}

static inline void free_irq(unsigned int irq, void *data)
{
}

/* None is ever requested. */
static inline void disable_irq_nosync(unsigned int irq)
{
	abort();
}

static inline void enable_irq(unsigned int irq)
{
	abort();
}

#endif
