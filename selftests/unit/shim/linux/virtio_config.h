/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _SHIM_LINUX_VIRTIO_CONFIG_H
#define _SHIM_LINUX_VIRTIO_CONFIG_H

#include_next <linux/virtio_config.h>
#include <linux/virtio_byteorder.h>

/* Debian 12's headers are too old for these. */
#ifndef VIRTIO_F_NOTIFICATION_DATA
#define VIRTIO_F_NOTIFICATION_DATA	38
#endif
#ifndef VIRTIO_F_RING_RESET
#define VIRTIO_F_RING_RESET		40
#endif

#endif
