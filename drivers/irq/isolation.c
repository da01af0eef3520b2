// SPDX-License-Identifier: GPL-2.0
/*
 * Interrupt isolation: a device that user space lets do DMA can write to the
 * address that MSIs are written to. Only where the interrupt hardware tells
 * devices apart (interrupt remapping on x86) can it not raise interrupts that
 * are not its own.
 *
 * Where the IOMMU translates those writes, too (arm64), MSIs go through a window of IOVAs that
 * software maps in each domain, and picks from what the guest does not use. Nothing here does
 * that, so there user space cannot have a function.
 */
#include <linux/device.h>
#include <linux/iommu.h>
#include <linux/module.h>
#include <linux/msi.h>
#ifdef CONFIG_IRQ_REMAP
#include <asm/irq_remapping.h>
#endif

#include "vmdev_irq.h"

static bool allow_unsafe_interrupts;
module_param(allow_unsafe_interrupts, bool, 0644);
MODULE_PARM_DESC(allow_unsafe_interrupts,
		 "Let user space drive functions whose interrupts are not isolated (default: no)");

static bool vmdev_irq_can_post(void)
{
#ifdef CONFIG_IRQ_REMAP
	return irq_remapping_cap(IRQ_POSTING_CAP);
#else
	return false;
#endif
}

static bool vmdev_irq_has_window(const struct list_head *regions)
{
	struct iommu_resv_region *region;

	list_for_each_entry(region, regions, list)
		if (region->type == IOMMU_RESV_SW_MSI)
			return true;
	return false;
}

static bool vmdev_irq_is_translated(struct device *dev)
{
	bool translated;
	LIST_HEAD(regions);

	iommu_get_resv_regions(dev, &regions);
	translated = vmdev_irq_has_window(&regions);
	iommu_put_resv_regions(dev, &regions);
	return translated;
}

/* Said once for each function; that it was so stays to be seen. True the first time. */
static bool vmdev_irq_mark_unsafe(struct device *dev)
{
	struct vmdev_vectors *vectors;
	bool first = true;

	mutex_lock(&vmdev_irq_lock);
	vectors = vmdev_vectors_of(dev);
	if (vectors) {
		first = !vectors->unsafe;
		vectors->unsafe = true;
	}
	mutex_unlock(&vmdev_irq_lock);
	return first;
}

static bool vmdev_irq_was_unsafe(struct device *dev)
{
	struct vmdev_vectors *vectors;
	bool unsafe;

	mutex_lock(&vmdev_irq_lock);
	vectors = vmdev_vectors_of(dev);
	unsafe = vectors && vectors->unsafe;
	mutex_unlock(&vmdev_irq_lock);
	return unsafe;
}

/**
 * vmdev_irq_isolation() - how far are a function's interrupts its own?
 * @dev: the function
 * @facts: filled in
 *
 * Context: may sleep.
 */
void vmdev_irq_isolation(struct device *dev, struct vmdev_irq_isolation *facts)
{
	struct iommu_group *group = iommu_group_get(dev);

	*facts = (struct vmdev_irq_isolation) {
		.unsafe = vmdev_irq_was_unsafe(dev),
	};
	if (!group)
		return;

	facts->grouped = true;
	facts->isolated = iommu_group_has_isolated_msi(group);
	iommu_group_put(group);
	facts->remapped = msi_device_has_isolated_msi(dev);
	facts->posted = facts->remapped && vmdev_irq_can_post();
	facts->translated = vmdev_irq_is_translated(dev);
}
EXPORT_SYMBOL_GPL(vmdev_irq_isolation);

/**
 * vmdev_irq_check_isolation() - may user space let this device do DMA?
 * @dev: the device, with an IOMMU
 *
 * Says in one line why not, or, once, that it was allowed in spite of it.
 *
 * Context: may sleep.
 * Return: 0; -EPERM if its MSIs are not isolated and
 * allow_unsafe_interrupts is not set; -EOPNOTSUPP if they pass the IOMMU;
 * -ENODEV if it is in no IOMMU group.
 */
int vmdev_irq_check_isolation(struct device *dev)
{
	struct vmdev_irq_isolation facts;

	vmdev_irq_isolation(dev, &facts);
	if (!facts.grouped)
		return -ENODEV;

	if (facts.translated) {
		dev_err(dev, "interrupts pass the IOMMU on this platform, user space cannot have this function: let virtio_vdpa have its device, or bind it to vfio-pci\n");
		return -EOPNOTSUPP;
	}
	if (facts.isolated)
		return 0;

	if (allow_unsafe_interrupts) {
		if (vmdev_irq_mark_unsafe(dev))
			dev_warn(dev, "interrupts are not isolated; allowed by vmdev_irq.allow_unsafe_interrupts\n");
		return 0;
	}

	dev_err(dev, "interrupts are not isolated (no interrupt remapping), user space could forge them: enable it in firmware, or load vmdev_irq with allow_unsafe_interrupts=1\n");
	return -EPERM;
}
EXPORT_SYMBOL_GPL(vmdev_irq_check_isolation);
