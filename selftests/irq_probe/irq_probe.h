/* SPDX-License-Identifier: GPL-2.0 */
/*
 * /dev/vmdev_irq_probe: what KVM would be, for tests. An eventfd is taken for that of a
 * guest's interrupt: who produces it for the kernel's irqbypass manager, and how often
 * did that begin and end?
 */
#ifndef VMDEV_IRQ_PROBE_H
#define VMDEV_IRQ_PROBE_H

#include <linux/ioctl.h>
#include <linux/types.h>

/**
 * struct irq_probe - an eventfd, and who produces it
 * @fd: in, of IRQ_PROBE_ADD: the eventfd
 * @id: out, of IRQ_PROBE_ADD; else in: which one
 * @irq: out: Linux IRQ of the producer that it has now; -1 for none
 * @adds: out: producers that came
 * @dels: out: producers that went
 */
struct irq_probe {
	__s32 fd;
	__u32 id;
	__s32 irq;
	__u32 adds;
	__u32 dels;
};

#define IRQ_PROBE_ADD	_IOWR('v', 0xe0, struct irq_probe)
#define IRQ_PROBE_GET	_IOWR('v', 0xe1, struct irq_probe)
#define IRQ_PROBE_DEL	_IOWR('v', 0xe2, struct irq_probe)

#endif
