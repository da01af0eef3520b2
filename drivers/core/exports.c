// SPDX-License-Identifier: GPL-2.0
/*
 * What parents that are software use of the core. The files that have it are also
 * built in user space, where nothing is exported.
 */
#include <linux/export.h>

#include <vmdev/maps.h>
#include <vmdev/vring.h>

EXPORT_SYMBOL_GPL(vmdev_vring_init);
EXPORT_SYMBOL_GPL(vmdev_split_pop);
EXPORT_SYMBOL_GPL(vmdev_split_unpop);
EXPORT_SYMBOL_GPL(vmdev_split_push);
EXPORT_SYMBOL_GPL(vmdev_split_publish);
EXPORT_SYMBOL_GPL(vmdev_split_kicks_off);
EXPORT_SYMBOL_GPL(vmdev_split_kicks_on);
EXPORT_SYMBOL_GPL(vmdev_packed_pop);
EXPORT_SYMBOL_GPL(vmdev_packed_unpop);
EXPORT_SYMBOL_GPL(vmdev_packed_push);
EXPORT_SYMBOL_GPL(vmdev_packed_publish);
EXPORT_SYMBOL_GPL(vmdev_packed_kicks_off);
EXPORT_SYMBOL_GPL(vmdev_packed_kicks_on);

EXPORT_SYMBOL_GPL(vmdev_maps_init);
EXPORT_SYMBOL_GPL(vmdev_maps_destroy);
EXPORT_SYMBOL_GPL(vmdev_maps_first);
EXPORT_SYMBOL_GPL(vmdev_maps_reserve);
EXPORT_SYMBOL_GPL(vmdev_maps_add);
EXPORT_SYMBOL_GPL(vmdev_maps_del);
