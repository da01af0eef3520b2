/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The only place that knows how kernels differ. The drivers are written for
 * the newest kernel; what an older one calls otherwise is bent here. Each
 * VMDEV_HAVE_* comes from compat/probes.mk, which looks at the headers of the
 * kernel that is built against, never at its version.
 *
 * Force-included before every file of the drivers.
 */
#ifndef _VMDEV_COMPAT_H
#define _VMDEV_COMPAT_H

#ifdef VMDEV_NO_VDPA
#error "vmdev: this kernel's headers have no vDPA bus (CONFIG_VDPA); Linux 6.12 or newer with CONFIG_VDPA=m or y is needed"
#endif

#include <linux/vdpa.h>

/*
 * 6.12 has one DMA device per vDPA device, later kernels a union virtio_map
 * and one more argument, the map ops, for which NULL means the DMA API.
 */
#ifdef VMDEV_HAVE_VDPA_VMAP
#define vmdev_compat_vdpa_alloc(type, member, parent, ops, ngroups, nas, name) \
	vdpa_alloc_device(type, member, parent, ops, NULL, ngroups, nas, name, \
			  false)
#else
#define vmdev_compat_vdpa_alloc(type, member, parent, ops, ngroups, nas, name) \
	vdpa_alloc_device(type, member, parent, ops, ngroups, nas, name, false)
#endif

static inline void vmdev_compat_set_dma_dev(struct vdpa_device *vdpa,
					    struct device *dev)
{
#ifdef VMDEV_HAVE_VDPA_VMAP
	vdpa->vmap.dma_dev = dev;
#else
	vdpa->dma_dev = dev;
#endif
}

#endif /* _VMDEV_COMPAT_H */
