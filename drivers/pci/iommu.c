// SPDX-License-Identifier: GPL-2.0
/*
 * The function's own IOMMU domain: where user space's mappings go.
 */
#include <linux/iommu.h>
#include <linux/mm.h>
#include <uapi/linux/vhost_types.h>

#include "vmdev_pci.h"

static void vmdev_pci_iommu_forget(struct vmdev_pci *vp)
{
	iommu_put_resv_regions(&vp->pdev->dev, &vp->reserved);
	INIT_LIST_HEAD(&vp->reserved);
	iommu_domain_free(vp->domain);
	vp->domain = NULL;
}

/* One line for each reason, with what a person can do about it. */
static int vmdev_pci_iommu_check(struct vmdev_pci *vp)
{
	struct device *dev = &vp->pdev->dev;

	if (!device_iommu_mapped(dev)) {
		dev_err(dev, "no IOMMU translates this function, user space cannot have it: enable the IOMMU in firmware and on the kernel command line (intel_iommu=on), or use virtio_vdpa\n");
		return -ENODEV;
	}
	if (!device_iommu_capable(dev, IOMMU_CAP_CACHE_COHERENCY)) {
		dev_err(dev, "the IOMMU is not cache coherent, user space cannot have this function\n");
		return -EOPNOTSUPP;
	}
	return vmdev_irq_check_isolation(dev);
}

static void vmdev_pci_iommu_range(struct vmdev_pci *vp,
				  struct vdpa_iova_range *range)
{
	const struct iommu_domain_geometry *geometry = &vp->domain->geometry;

	range->first = geometry->aperture_start;
	range->last = geometry->aperture_end;
	if (range->last - range->first > VMDEV_WINDOW_SIZE)
		range->last -= VMDEV_WINDOW_SIZE;
}

/**
 * vmdev_pci_iommu_attach() - the iommu_attach op
 * @hw: the function
 * @range: IOVAs that can be mapped
 *
 * Context: may sleep; the core's lock held.
 * Return: 0; -ENODEV without IOMMU; -EOPNOTSUPP; -EPERM without isolated
 * interrupts (see vmdev_irq_check_isolation()); -EINVAL for a function that shares its IOMMU group.
 */
int vmdev_pci_iommu_attach(struct vmdev_hw *hw, struct vdpa_iova_range *range)
{
	struct vmdev_pci *vp = vmdev_pci(hw);
	struct device *dev = &vp->pdev->dev;
	struct iommu_domain *domain;
	int err;

	err = vmdev_pci_iommu_check(vp);
	if (err)
		return err;

	domain = iommu_paging_domain_alloc(dev);
	if (IS_ERR(domain)) {
		dev_err(dev, "no IOMMU domain to be had: %pe\n", domain);
		return PTR_ERR(domain);
	}
	vp->domain = domain;
	iommu_get_resv_regions(dev, &vp->reserved);
	err = iommu_attach_device(domain, dev);
	if (err) {
		dev_err(dev, "cannot leave the default IOMMU domain: %pe%s\n",
			ERR_PTR(err), err == -EINVAL ?
			", its IOMMU group holds other devices (no ACS upstream)" : "");
		vmdev_pci_iommu_forget(vp);
		return err;
	}

	vmdev_pci_iommu_range(vp, range);
	return 0;
}

/**
 * vmdev_pci_iommu_detach() - the iommu_detach op
 * @hw: the function, stopped
 *
 * Context: may sleep; the core's lock held.
 */
void vmdev_pci_iommu_detach(struct vmdev_hw *hw)
{
	struct vmdev_pci *vp = vmdev_pci(hw);

	iommu_detach_device(vp->domain, &vp->pdev->dev);
	vmdev_pci_iommu_forget(vp);
}

/**
 * vmdev_pci_iommu_reserved() - the reserved op
 * @hw: the function
 * @first: first IOVA
 * @last: last IOVA, not below @first
 * @found: the lowest of them that the platform reserves, in whole pages
 *
 * What firmware mapped for itself, and need not keep, is not reserved.
 *
 * Context: may sleep; the core's lock held.
 * Return: whether there are any.
 */
bool vmdev_pci_iommu_reserved(struct vmdev_hw *hw, u64 first, u64 last,
			      struct vdpa_iova_range *found)
{
	struct vmdev_pci *vp = vmdev_pci(hw);
	struct iommu_resv_region *region;
	bool any = false;

	list_for_each_entry(region, &vp->reserved, list) {
		u64 start = max(region->start & PAGE_MASK, first);
		u64 end = min((region->start + region->length - 1) | ~PAGE_MASK,
			      last);

		if (region->type == IOMMU_RESV_DIRECT_RELAXABLE ||
		    start > end || (any && start >= found->first))
			continue;
		*found = (struct vdpa_iova_range) { start, end };
		any = true;
	}
	return any;
}

static int vmdev_pci_prot(u32 perm)
{
	int prot = IOMMU_CACHE;

	if (perm & VHOST_ACCESS_RO)
		prot |= IOMMU_READ;
	if (perm & VHOST_ACCESS_WO)
		prot |= IOMMU_WRITE;
	return prot;
}

/**
 * vmdev_pci_iommu_map() - the map op
 * @hw: the function
 * @iova: first IOVA
 * @size: bytes
 * @pa: first physical address
 * @perm: VHOST_ACCESS_*
 *
 * Context: may sleep; the core's lock held.
 * Return: 0; -EINVAL for what is not aligned; an error of the IOMMU.
 */
int vmdev_pci_iommu_map(struct vmdev_hw *hw, u64 iova, u64 size, u64 pa,
			u32 perm)
{
	struct vmdev_pci *vp = vmdev_pci(hw);

	return iommu_map(vp->domain, iova, pa, size, vmdev_pci_prot(perm),
			 GFP_KERNEL_ACCOUNT);
}

/**
 * vmdev_pci_iommu_unmap() - the unmap op
 * @hw: the function
 * @iova: first IOVA
 * @size: bytes
 *
 * Context: may sleep; the core's lock held.
 */
void vmdev_pci_iommu_unmap(struct vmdev_hw *hw, u64 iova, u64 size)
{
	struct vmdev_pci *vp = vmdev_pci(hw);
	size_t done = iommu_unmap(vp->domain, iova, size);

	dev_WARN_ONCE(&vp->pdev->dev, done != size,
		      "unmapped %zu bytes of %llu at %#llx\n", done, size, iova);
}
