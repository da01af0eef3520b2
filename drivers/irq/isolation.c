// SPDX-License-Identifier: GPL-2.0
/*
 * Interrupt isolation: a device that user space lets do DMA can write to the
 * address that MSIs are written to. Only where the interrupt hardware tells
 * devices apart (interrupt remapping on x86) can it not raise interrupts that
 * are not its own.
 */
#include <linux/device.h>
#include <linux/iommu.h>
#include <linux/module.h>

#include <vmdev/irq.h>

static bool allow_unsafe_interrupts;
module_param(allow_unsafe_interrupts, bool, 0644);
MODULE_PARM_DESC(allow_unsafe_interrupts,
		 "Let user space drive functions whose interrupts are not isolated (default: no)");

/**
 * vmdev_irq_check_isolation() - may user space let this device do DMA?
 * @dev: the device, with an IOMMU
 *
 * Says in one line why not, or that it was allowed in spite of it.
 *
 * Context: may sleep.
 * Return: 0; -EPERM if its MSIs are not isolated and
 * allow_unsafe_interrupts is not set; -ENODEV if it is in no IOMMU group.
 */
int vmdev_irq_check_isolation(struct device *dev)
{
	struct iommu_group *group = iommu_group_get(dev);
	bool isolated;

	if (!group)
		return -ENODEV;

	isolated = iommu_group_has_isolated_msi(group);
	iommu_group_put(group);
	if (isolated)
		return 0;

	if (allow_unsafe_interrupts) {
		dev_warn(dev, "interrupts are not isolated; allowed by vmdev_irq.allow_unsafe_interrupts\n");
		return 0;
	}

	dev_err(dev, "interrupts are not isolated (no interrupt remapping), user space could forge them: enable it in firmware, or load vmdev_irq with allow_unsafe_interrupts=1\n");
	return -EPERM;
}
EXPORT_SYMBOL_GPL(vmdev_irq_check_isolation);
