// SPDX-License-Identifier: GPL-2.0
/*
 * vmdev_pci: virtio functions on the PCI bus, VF or PF, as vDPA parents.
 *
 * Binds to nothing by itself: driver_override (driverctl, or echo) says which
 * function is ours.
 */
#include <linux/delay.h>
#include <linux/module.h>
#include <linux/slab.h>

#include "vmdev_pci.h"

#define VMDEV_PCI_VIRTIO_MODERN	0x1040
#define VMDEV_PCI_VIRTIO_LAST	0x107f

static void *vmdev_pci_vq_data(void *priv, u16 vq)
{
	struct vmdev_pci *vp = priv;

	return vmdev_vq_interrupt_data(&vp->hw, vq);
}

static void vmdev_pci_config_fired(void *priv)
{
	struct vmdev_pci *vp = priv;

	vmdev_config_event(&vp->hw);
}

static bool vmdev_pci_software(void *priv)
{
	struct vmdev_pci *vp = priv;

	return vmdev_software_interrupt(&vp->hw);
}

static bool vmdev_pci_is_config(void *priv)
{
	return vmdev_pci_config_pending(priv);
}

static const struct vmdev_vector_ops vmdev_pci_vector_ops = {
	.vq = vmdev_vq_interrupt,
	.vq_relay = vmdev_vq_relay,
	.vq_data = vmdev_pci_vq_data,
	.config = vmdev_pci_config_fired,
	.software = vmdev_pci_software,
	.config_pending = vmdev_pci_is_config,
};

/*
 * The virtio device type. Vendors use ids of their own for the same layout, so
 * where the PCI id does not tell, the subsystem id has to (as it does for
 * transitional functions: virtio 1.2, 4.1.2).
 */
static int vmdev_pci_device_id(struct pci_dev *pdev)
{
	if (pdev->device >= VMDEV_PCI_VIRTIO_MODERN &&
	    pdev->device <= VMDEV_PCI_VIRTIO_LAST)
		return pdev->device - VMDEV_PCI_VIRTIO_MODERN;
	if (pdev->subsystem_device >= VMDEV_PCI_VIRTIO_MODERN &&
	    pdev->subsystem_device <= VMDEV_PCI_VIRTIO_LAST)
		return pdev->subsystem_device - VMDEV_PCI_VIRTIO_MODERN;
	return pdev->subsystem_device;
}

/* Ladder of probe; vmdev_pci_teardown() is its mirror. */
static int vmdev_pci_setup(struct vmdev_pci *vp)
{
	struct pci_dev *pdev = vp->pdev;
	int err;

	err = pci_enable_device(pdev);
	if (err) {
		pci_err(pdev, "cannot be enabled: %pe\n", ERR_PTR(err));
		return err;
	}

	if (!pci_device_is_present(pdev)) {
		pci_err(pdev, "config space reads all ones, as if it were not there\n");
		err = -ENODEV;
		goto err_disable;
	}
	err = vmdev_pci_check_caps(pdev, vmdev_pci_device_id(pdev));
	if (err)
		goto err_disable;

	vp->mdev.pci_dev = pdev;
	vp->mdev.device_id_check = vmdev_pci_device_id;
	err = vp_modern_probe(&vp->mdev);
	if (err) {
		pci_err(pdev, "is no modern virtio function: %pe\n",
			ERR_PTR(err));
		goto err_disable;
	}

	/* It may still run what somebody else has begun, and is not to go on with it. */
	vmdev_pci_dma_off(vp);
	/* What is restored does not have DMA either. */
	pci_save_state(pdev);

	err = vmdev_pci_virtio_init(vp);
	if (err)
		goto err_remove;
	vmdev_pci_vendor_init(vp);

	vp->vectors = vmdev_vectors_alloc(pdev, vp->hw.caps.nvqs,
					  &vmdev_pci_vector_ops, vp);
	if (IS_ERR(vp->vectors)) {
		err = PTR_ERR(vp->vectors);
		goto err_vendor;
	}
	return 0;

err_vendor:
	vmdev_pci_vendor_exit(vp);
	vmdev_pci_virtio_exit(vp);
err_remove:
	pci_clear_master(pdev);
	vp_modern_remove(&vp->mdev);
err_disable:
	pci_disable_device(pdev);
	return err;
}

static void vmdev_pci_teardown(struct vmdev_pci *vp)
{
	vmdev_vectors_free(vp->vectors);
	vmdev_pci_vendor_exit(vp);
	vmdev_pci_virtio_exit(vp);
	pci_clear_master(vp->pdev);
	vp_modern_remove(&vp->mdev);
	pci_disable_device(vp->pdev);
}

static int vmdev_pci_probe(struct pci_dev *pdev,
			   const struct pci_device_id *id)
{
	struct vmdev_pci *vp;
	int err;

	vp = kzalloc_obj(*vp, GFP_KERNEL);
	if (!vp)
		return -ENOMEM;

	vp->pdev = pdev;
	vp->hw.dev = &pdev->dev;
	vp->hw.dma_dev = &pdev->dev;
	if (pdev->is_virtfn)
		vp->hw.pool = &pci_physfn(pdev)->dev;
	INIT_LIST_HEAD(&vp->reserved);
	pci_set_drvdata(pdev, vp);

	err = vmdev_pci_setup(vp);
	if (err)
		goto err_free;

	err = vmdev_parent_register(&vp->hw);
	if (err)
		goto err_teardown;
	return 0;

err_teardown:
	vmdev_pci_teardown(vp);
err_free:
	kfree(vp);
	return err;
}

static struct pci_driver vmdev_pci_driver;

/* How long all together, when somebody has VFs at the moment. */
#define VMDEV_PCI_BUSY_MS	10
#define VMDEV_PCI_BUSY_TRIES	100

static bool vmdev_pci_trylock(struct pci_dev *vf, unsigned int *tries)
{
	for (; !device_trylock(&vf->dev); (*tries)--) {
		if (!*tries)
			return false;
		msleep(VMDEV_PCI_BUSY_MS);
	}
	return true;
}

/*
 * Calls @fn for each VF of @pf that is ours. One that is being bound or unbound
 * at this moment is left out: waiting for it could take for ever. With @missed
 * it is waited for, but not long, and then @missed is called: whose it is nobody knows.
 */
static void vmdev_pci_each_vf(struct pci_dev *pf, void (*fn)(struct vmdev_pci *),
			      void (*missed)(struct pci_dev *))
{
	unsigned int tries = missed ? VMDEV_PCI_BUSY_TRIES : 0;
	struct pci_dev *vf = NULL;

	if (!pf->is_physfn)
		return;

	while ((vf = pci_get_device(PCI_ANY_ID, PCI_ANY_ID, vf))) {
		if (!vf->is_virtfn || pci_physfn(vf) != pf)
			continue;
		if (!vmdev_pci_trylock(vf, &tries)) {
			if (missed)
				missed(vf);
			continue;
		}
		if (pci_dev_driver(vf) == &vmdev_pci_driver)
			fn(pci_get_drvdata(vf));
		device_unlock(&vf->dev);
	}
}

static void vmdev_pci_leave(struct vmdev_pci *vp)
{
	vmdev_parent_leave(&vp->hw);
}

/**
 * vmdev_pci_vfs_leave() - tell the holders of all VFs that they will go
 * @pf: the PF
 *
 * Context: may sleep.
 */
void vmdev_pci_vfs_leave(struct pci_dev *pf)
{
	vmdev_pci_each_vf(pf, vmdev_pci_leave, NULL);
}

/*
 * VFs go before their PF, and all holders are told before one is waited for. A
 * function that is not there any more is found out first of all.
 */
static void vmdev_pci_remove(struct pci_dev *pdev)
{
	struct vmdev_pci *vp = pci_get_drvdata(pdev);

	if (!pci_device_is_present(pdev)) {
		vmdev_pci_dma_off(vp);
		vmdev_hw_gone(&vp->hw);
	} else if (!vmdev_hw_is_gone(&vp->hw)) {
		vmdev_pci_status(&vp->hw);
	}

	vmdev_pci_vfs_leave(pdev);
	vmdev_pci_leave(vp);
	if (pci_num_vf(pdev))
		pci_disable_sriov(pdev);
	vmdev_parent_unregister(&vp->hw);
	vmdev_pci_teardown(vp);
	kfree(vp);
}

/*
 * Its state is lost, or will be. Where nobody can stop it now its device may go back to the
 * default domain at once, and also else DMA is only for a function that did reset. A reset
 * that was under way may have given it back until the core has it offline.
 */
static void vmdev_pci_offline(struct vmdev_pci *vp, const char *why, bool reachable)
{
	if (vp->offline)
		return;
	if (!reachable)
		vmdev_pci_dma_off(vp);
	vmdev_parent_offline(&vp->hw, why, reachable);
	vmdev_pci_dma_off(vp);
	vp->offline = true;
}

/* Whether it lost its state nobody knows: DMA is given back by vmdev_pci_reset(). */
static void vmdev_pci_online(struct vmdev_pci *vp)
{
	vp->offline = false;
	vmdev_parent_online(&vp->hw);
}

static void vmdev_pci_was_reset(struct vmdev_pci *vp)
{
	vp->stuck = false;
	vmdev_pci_online(vp);
}

static void vmdev_pci_shutdown(struct pci_dev *pdev)
{
	vmdev_pci_offline(pci_get_drvdata(pdev), "shutdown", true);
}

static void vmdev_pci_pf_reset(struct vmdev_pci *vf)
{
	vmdev_pci_offline(vf, "a reset of its PF", false);
}

/*
 * The PCI core restores the PF, and that it has VFs, but not the VFs. One that was missed
 * before still believes that it runs.
 */
static void vmdev_pci_pf_was_reset(struct vmdev_pci *vf)
{
	vmdev_pci_pf_reset(vf);
	pci_restore_state(vf->pdev);
	pci_save_state(vf->pdev);
	vmdev_pci_was_reset(vf);
}

static void vmdev_pci_vf_missed(struct pci_dev *vf)
{
	pci_warn(vf, "is being bound or unbound, and was not restored when its PF was reset: to use it, bind it again\n");
}

/*
 * That recovery failed says nothing of this function: a neighbour without a driver is enough,
 * and newer kernels then tell all others. Who cuts one off for good sets its error_state, which
 * else is what the error itself did to it.
 */
static pci_channel_state_t vmdev_pci_after_failure(struct pci_dev *pdev)
{
	return pci_device_is_present(pdev) ? pdev->error_state : pci_channel_io_perm_failure;
}

static pci_ers_result_t vmdev_pci_error_detected(struct pci_dev *pdev,
						 pci_channel_state_t state)
{
	struct vmdev_pci *vp = pci_get_drvdata(pdev);

	if (state == pci_channel_io_perm_failure)
		state = vmdev_pci_after_failure(pdev);

	switch (state) {
	case pci_channel_io_perm_failure:
		vmdev_pci_dma_off(vp);
		vmdev_hw_gone(&vp->hw);
		return PCI_ERS_RESULT_DISCONNECT;
	case pci_channel_io_normal:
		/*
		 * Something was lost, but all is reachable. Some kernels tell nobody of
		 * the end if recovery fails. VFs lost nothing by it.
		 */
		if (!vp->offline) {
			vmdev_pci_offline(vp, "a bus error", true);
			vmdev_pci_online(vp);
		}
		return PCI_ERS_RESULT_CAN_RECOVER;
	default:
		vmdev_pci_each_vf(pdev, vmdev_pci_pf_reset, NULL);
		vmdev_pci_offline(vp, "a bus error", false);
		return PCI_ERS_RESULT_NEED_RESET;
	}
}

/* Not only if we wanted it: then it may run. On some kernels nothing was reset. */
static pci_ers_result_t vmdev_pci_slot_reset(struct pci_dev *pdev)
{
	struct vmdev_pci *vp = pci_get_drvdata(pdev);

	vmdev_pci_offline(vp, "a bus error", false);
	pci_restore_state(pdev);
	pci_save_state(pdev);
	if (!pci_device_is_present(pdev)) {
		vmdev_hw_gone(&vp->hw);
		return PCI_ERS_RESULT_DISCONNECT;
	}
	vmdev_pci_was_reset(vp);
	vmdev_pci_each_vf(pdev, vmdev_pci_pf_was_reset, vmdev_pci_vf_missed);
	return PCI_ERS_RESULT_RECOVERED;
}

static void vmdev_pci_error_resume(struct pci_dev *pdev)
{
	pci_info(pdev, "recovered from a bus error\n");
}

/* VFs lose their state with their PF, and nobody else tells them. */
static void vmdev_pci_reset_prepare(struct pci_dev *pdev)
{
	vmdev_pci_each_vf(pdev, vmdev_pci_pf_reset, NULL);
	vmdev_pci_offline(pci_get_drvdata(pdev), "a reset of the function", true);
}

/* Also if it failed. The PCI core has restored what there was after reset_prepare: no DMA. */
static void vmdev_pci_reset_done(struct pci_dev *pdev)
{
	pci_save_state(pdev);
	vmdev_pci_was_reset(pci_get_drvdata(pdev));
	vmdev_pci_each_vf(pdev, vmdev_pci_pf_was_reset, vmdev_pci_vf_missed);
	pci_info(pdev, "function was reset\n");
}

static const struct pci_error_handlers vmdev_pci_error_handlers = {
	.error_detected	= vmdev_pci_error_detected,
	.slot_reset	= vmdev_pci_slot_reset,
	.resume		= vmdev_pci_error_resume,
	.reset_prepare	= vmdev_pci_reset_prepare,
	.reset_done	= vmdev_pci_reset_done,
};

static struct pci_driver vmdev_pci_driver = {
	.name		 = "vmdev_pci",
	.probe		 = vmdev_pci_probe,
	.remove		 = vmdev_pci_remove,
	.shutdown	 = vmdev_pci_shutdown,
	.sriov_configure = vmdev_pci_sriov_configure,
	.err_handler	 = &vmdev_pci_error_handlers,
	.dev_groups	 = vmdev_pci_groups,
};

static int vmdev_pci_leave_one(struct device *dev, void *unused)
{
	if (!device_trylock(dev))
		return 0;
	if (dev->driver == &vmdev_pci_driver.driver)
		vmdev_pci_leave(dev_get_drvdata(dev));
	device_unlock(dev);
	return 0;
}

static int __init vmdev_pci_init(void)
{
	return pci_register_driver(&vmdev_pci_driver);
}

static void __exit vmdev_pci_exit(void)
{
	int err = driver_for_each_device(&vmdev_pci_driver.driver, NULL, NULL,
					 vmdev_pci_leave_one);

	WARN_ON_ONCE(err);
	pci_unregister_driver(&vmdev_pci_driver);
}

module_init(vmdev_pci_init);
module_exit(vmdev_pci_exit);

MODULE_DESCRIPTION("vmdev: virtio functions on the PCI bus as vDPA parents");
MODULE_AUTHOR("The vmdev developers");
MODULE_LICENSE("GPL");
