/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _SHIM_LINUX_VIRTIO_PCI_MODERN_H
#define _SHIM_LINUX_VIRTIO_PCI_MODERN_H

#include <linux/types.h>

struct virtio_pci_modern_device {
	u32 notify_offset_multiplier;
};

#endif
