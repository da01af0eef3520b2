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
#error "vmdev: no vDPA bus in this kernel's headers, 6.12 or newer with CONFIG_VDPA is needed"
#endif

#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/vdpa.h>

/* Early 6.12 only has the forms that name the size. */
#ifndef kzalloc_obj
#define kzalloc_obj(obj, gfp)	kzalloc(sizeof(obj), gfp)
#endif
#ifndef kvzalloc_obj
#define kvzalloc_obj(obj, gfp)	kvzalloc(sizeof(obj), gfp)
#endif
#ifndef kmalloc_obj
#define kmalloc_obj(obj, gfp)	kmalloc(sizeof(obj), gfp)
#endif

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

/*
 * The op that tells the DMA device of a queue is get_vq_dma_dev on 6.12; on later
 * kernels it is get_vq_map, and returns a union virtio_map.
 */
#ifdef VMDEV_HAVE_VDPA_VMAP
#define vmdev_compat_get_vq_map	get_vq_map
#define vmdev_compat_map	union virtio_map

static inline union virtio_map vmdev_compat_vq_map(struct device *dev)
{
	return (union virtio_map) { .dma_dev = dev };
}
#else
#define vmdev_compat_get_vq_map	get_vq_dma_dev
#define vmdev_compat_map	struct device *

static inline struct device *vmdev_compat_vq_map(struct device *dev)
{
	return dev;
}
#endif

/* Early 6.12 has it by its old name only. */
#ifndef VMDEV_HAVE_PERCPU_WQ
#define system_percpu_wq	system_wq
#endif

/* 6.12 sets the function apart from the rest. */
#ifdef VMDEV_HAVE_HRTIMER_SETUP
#define vmdev_compat_hrtimer_setup	hrtimer_setup
#else
#define vmdev_compat_hrtimer_setup(timer, fn, clock, mode) do { \
	struct hrtimer *__timer = (timer); \
	hrtimer_init(__timer, clock, mode); \
	__timer->function = (fn); \
} while (0)
#endif

/* 6.12 has a token in the structure; it is what later kernels are given. */
#ifdef VMDEV_HAVE_BYPASS_EVENTFD
#define vmdev_compat_bypass_consume	irq_bypass_register_consumer
#else
#define vmdev_compat_bypass_consume(consumer, ctx) ({ \
	struct irq_bypass_consumer *__consumer = (consumer); \
	__consumer->token = (ctx); \
	irq_bypass_register_consumer(__consumer); \
})
#endif

#endif /* _VMDEV_COMPAT_H */
