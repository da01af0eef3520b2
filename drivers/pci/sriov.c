// SPDX-License-Identifier: GPL-2.0
/*
 * Virtual functions of a PF that is bound to us.
 *
 * VIRTIO_F_SR_IOV is negotiated by us, whoever drives the PF, and never offered
 * to a driver. Once it was, VFs may come and go whatever happens to the PF's
 * own device, resets included (virtio 1.2, 6.2): a vDPA device on a PF may do
 * while VFs exist all that it may do without.
 */
#include <linux/virtio_config.h>

#include "vmdev_pci.h"

static int vmdev_pci_sriov_enable(struct vmdev_pci *vp, int num_vfs)
{
	struct pci_dev *pdev = vp->pdev;
	int err;

	if (!(vp->hw.caps.features & BIT_ULL(VIRTIO_F_SR_IOV))) {
		pci_err(pdev, "does not offer SR_IOV, it can have no VFs\n");
		return -EOPNOTSUPP;
	}

	/* VFs want a PF that is at DRIVER_OK. */
	err = vmdev_parent_bring_up(&vp->hw,
				    vmdev_pci_features_own(&vp->hw.caps));
	if (err == -EBUSY) {
		pci_err(pdev, "is not live, so it can have no VFs: its driver has not started it yet, or has to resume or reset it\n");
		return err;
	}
	if (err) {
		pci_err(pdev, "cannot go live, so it can have no VFs: %pe\n",
			ERR_PTR(err));
		return err;
	}

	err = pci_enable_sriov(pdev, num_vfs);
	if (err) {
		pci_err(pdev, "cannot have %d VFs: %pe\n", num_vfs,
			ERR_PTR(err));
		if (err == -ENOMEM)
			pci_err(pdev, "no room for them on the bus: ask for fewer, or boot with pci=assign-busses or pci=realloc\n");
		return err;
	}
	return num_vfs;
}

/**
 * vmdev_pci_sriov_configure() - somebody wrote to sriov_numvfs
 * @pdev: the PF
 * @num_vfs: how many VFs it shall have
 *
 * Context: may sleep; the device lock is held.
 * Return: @num_vfs; -EOPNOTSUPP if the PF does not offer SR_IOV; -EPERM while
 * a VF is assigned to a guest; an error of the hardware or of the PCI core.
 */
int vmdev_pci_sriov_configure(struct pci_dev *pdev, int num_vfs)
{
	struct vmdev_pci *vp = pci_get_drvdata(pdev);

	if (num_vfs)
		return vmdev_pci_sriov_enable(vp, num_vfs);

	if (pci_vfs_assigned(pdev)) {
		pci_err(pdev, "cannot take VFs away while a guest has one\n");
		return -EPERM;
	}
	vmdev_pci_vfs_leave(pdev);
	pci_disable_sriov(pdev);
	return 0;
}
