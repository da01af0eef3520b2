/* SPDX-License-Identifier: GPL-2.0 */
/* Inside of vmdev_irq_probe: what its files share. */
#ifndef _VMDEV_IRQ_PROBE_INTERNAL_H
#define _VMDEV_IRQ_PROBE_INTERNAL_H

/* bypass.c */
int probe_bypass_init(void);
void probe_bypass_exit(void);

#endif
