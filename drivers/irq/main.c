// SPDX-License-Identifier: GPL-2.0
/*
 * vmdev_irq: interrupt vectors of virtqueues and interrupt isolation.
 */
#include <linux/module.h>

MODULE_DESCRIPTION("vmdev: interrupt vectors of virtqueues");
MODULE_AUTHOR("The vmdev developers");
MODULE_LICENSE("GPL");
