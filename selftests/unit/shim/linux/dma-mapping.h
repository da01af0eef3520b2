/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _SHIM_LINUX_DMA_MAPPING_H
#define _SHIM_LINUX_DMA_MAPPING_H

#include <linux/device.h>
#include <linux/mm.h>

/* Without an IOMMU: the address is the memory's own. */
static inline void *dma_alloc_coherent(struct device *dev, size_t size, dma_addr_t *dma, gfp_t gfp)
{
	void *va = alloc_pages_exact(size, gfp);

	*dma = (unsigned long)va;
	return va;
}

static inline void dma_free_coherent(struct device *dev, size_t size, void *va, dma_addr_t dma)
{
	free_page((unsigned long)va);
}

#endif
