// SPDX-License-Identifier: GPL-2.0
/*
 * vmdev_kunit: KUnit suites of the drivers' pure parts. Loading it runs them.
 */
#include <linux/module.h>

MODULE_DESCRIPTION("vmdev: KUnit suites");
MODULE_AUTHOR("The vmdev developers");
MODULE_LICENSE("GPL");
