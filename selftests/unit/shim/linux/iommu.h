/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _SHIM_LINUX_IOMMU_H
#define _SHIM_LINUX_IOMMU_H

#include <linux/device.h>
#include <linux/list.h>

#define IOMMU_READ	1
#define IOMMU_WRITE	2
#define IOMMU_CACHE	4

#define IOMMU_CAP_CACHE_COHERENCY	0

struct iommu_domain_geometry {
	dma_addr_t aperture_start;
	dma_addr_t aperture_end;
};

struct iommu_domain {
	struct iommu_domain_geometry geometry;
};

enum iommu_resv_type {
	IOMMU_RESV_DIRECT,
	IOMMU_RESV_DIRECT_RELAXABLE,
	IOMMU_RESV_RESERVED,
	IOMMU_RESV_MSI,
	IOMMU_RESV_SW_MSI,
};

struct iommu_resv_region {
	struct list_head list;
	phys_addr_t start;
	size_t length;
	enum iommu_resv_type type;
};

/* There is none. */
#define device_iommu_mapped(dev)		((void)(dev), false)
#define device_iommu_capable(dev, cap)		((void)(dev), false)
#define iommu_paging_domain_alloc(dev)		((void)(dev), (struct iommu_domain *)ERR_PTR(-ENODEV))
#define iommu_domain_free(domain)		((void)(domain))
#define iommu_get_resv_regions(dev, list)	((void)(dev), (void)(list))
#define iommu_put_resv_regions(dev, list)	((void)(dev), (void)(list))
#define iommu_attach_device(domain, dev)	((void)(domain), (void)(dev), -ENODEV)
#define iommu_detach_device(domain, dev)	((void)(domain), (void)(dev))
#define iommu_map(domain, iova, pa, size, prot, gfp) \
	((void)(domain), (void)(iova), (void)(pa), (void)(size), (void)(prot), -ENODEV)
#define iommu_unmap(domain, iova, size)		((void)(domain), (void)(iova), (size))

#endif
