// SPDX-License-Identifier: GPL-2.0
/*
 * What some functions can do beyond virtio. To add a layout: a file like ifc.c, and its
 * line below (Documentation/hardware.rst).
 */
#include "vmdev_pci.h"

static const struct vmdev_pci_vendor * const vmdev_pci_vendors[] = {
	&vmdev_pci_ifc,
	/* Of any vendor, and so the last one. */
	&vmdev_pci_suspend,
};

/**
 * vmdev_pci_vendor_init() - can a function do more than virtio?
 * @vp: the function, all that is virtio known of it
 *
 * If it should, and cannot, it is a plain virtio function.
 *
 * Context: may sleep.
 */
void vmdev_pci_vendor_init(struct vmdev_pci *vp)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(vmdev_pci_vendors); i++) {
		if (!vmdev_pci_vendors[i]->match(vp))
			continue;
		if (!vmdev_pci_vendors[i]->init(vp))
			vp->vendor = vmdev_pci_vendors[i];
		return;
	}
}

/**
 * vmdev_pci_vendor_exit() - the reverse of vmdev_pci_vendor_init()
 * @vp: the function
 */
void vmdev_pci_vendor_exit(struct vmdev_pci *vp)
{
	if (vp->vendor && vp->vendor->exit)
		vp->vendor->exit(vp);
	vp->vendor = NULL;
}

/**
 * vmdev_pci_log_start() - the log_start op
 * @hw: the function
 * @bitmap: first IOVA of the bitmap
 * @end: IOVA behind it
 *
 * Return: 0 or an error, with a line.
 */
int vmdev_pci_log_start(struct vmdev_hw *hw, u64 bitmap, u64 end)
{
	struct vmdev_pci *vp = vmdev_pci(hw);

	return vp->vendor->log_start(vp, bitmap, end);
}

/**
 * vmdev_pci_log_check() - the log_check op
 * @hw: the function
 *
 * Context: may sleep; the core's lock held.
 * Return: what the vendor's does; true if it has none.
 */
bool vmdev_pci_log_check(struct vmdev_hw *hw)
{
	struct vmdev_pci *vp = vmdev_pci(hw);

	return !vp->vendor->log_check || vp->vendor->log_check(vp);
}

/**
 * vmdev_pci_log_stop() - the log_stop op
 * @hw: the function
 */
void vmdev_pci_log_stop(struct vmdev_hw *hw)
{
	struct vmdev_pci *vp = vmdev_pci(hw);

	vp->vendor->log_stop(vp);
}
