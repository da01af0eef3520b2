// SPDX-License-Identifier: GPL-2.0
/*
 * virtio 1.4's own SUSPEND: the driver asks for it by a bit of the device status, which reads
 * back when the device has used all that it took, and looks at no ring any more.
 */
#include <linux/iopoll.h>

#include "vmdev_pci.h"

#define VMDEV_SUSPEND_STATUS	0x10

#define VMDEV_SUSPEND_POLL_US	100
#define VMDEV_SUSPEND_US	(2 * USEC_PER_SEC)

static bool vmdev_suspend_match(struct vmdev_pci *vp)
{
	return vp->hw.caps.features & BIT_ULL(VMDEV_F_SUSPEND);
}

static int vmdev_suspend_init(struct vmdev_pci *vp)
{
	vp->hw.caps.caps |= VMDEV_CAP_SUSPEND;
	return 0;
}

/* All ones have that bit, too. */
static int vmdev_suspend_stop(struct vmdev_pci *vp, struct vdpa_vq_state *states)
{
	u8 __iomem *reg = &vp->mdev.common->device_status;
	u8 status = vp_ioread8(reg);
	int err;

	vp_iowrite8(status | VMDEV_SUSPEND_STATUS, reg);
	err = read_poll_timeout(vp_ioread8, status,
				status & VMDEV_SUSPEND_STATUS,
				VMDEV_SUSPEND_POLL_US, VMDEV_SUSPEND_US, false,
				reg);
	if (vmdev_pci_absent(vp))
		return -ENODEV;
	if (err)
		pci_err(vp->pdev, "does not suspend: it does not finish what it has\n");
	return err;
}

const struct vmdev_pci_vendor vmdev_pci_suspend = {
	.name	= "suspend",
	.match	= vmdev_suspend_match,
	.init	= vmdev_suspend_init,
	.stop	= vmdev_suspend_stop,
};
