// SPDX-License-Identifier: GPL-2.0
/* Registers of a virtio-pci modern function; virtio_ring.c has its rings. */
#define _GNU_SOURCE
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <linux/pci_regs.h>

#include "virtio_pci.h"

#define VIO_VENDOR	0x1af4
#define VIO_DEVICE_ID	0x1040
#define VIO_CLASS_NET	0x020000
#define VIO_CLASS_DISK	0x010000
#define VIO_CLASS_OTHER	0xff0000
#define VIO_ID_NET	1
#define VIO_ID_BLOCK	2

#define VIO_PAGE	4096U
#define VIO_MSIX_SIZE	0x10000
#define VIO_MSIX_PBA	0x8000

/* Common configuration: end of the registers, and what makes 64-bit ones. */
#define VIO_COMMON_LEN	sizeof(struct virtio_pci_modern_common_cfg)

static __u32 vio_notify_len(const struct vio_conf *conf)
{
	__u32 len = conf->notify_multiplier * conf->nvqs;

	return len < VIO_PAGE ? VIO_PAGE : len;
}

static struct vio_vq *vio_selected(struct vio *v)
{
	return v->queue_select < v->conf.nvqs ? &v->vqs[v->queue_select] : NULL;
}

static void vio_event(struct vio *v, enum vio_event event)
{
	if (v->ops->event)
		v->ops->event(v, event);
}

static void vio_stop(struct vio *v, struct vio_vq *vq)
{
	if (vq->enabled && v->ops->stop)
		v->ops->stop(v, vq - v->vqs);
	vq->enabled = false;
}

static void vio_vq_clear(struct vio *v, struct vio_vq *vq)
{
	vio_stop(v, vq);
	memset(vq, 0, sizeof(*vq));
	vq->regs.size = v->conf.vq_size;
	vq->regs.vector = VIRTIO_MSI_NO_VECTOR;
}

/**
 * vio_reset() - as when the driver writes 0 to the status
 * @v: the function
 */
void vio_reset(struct vio *v)
{
	unsigned int i;

	/* Owners may look at features while queues stop. */
	for (i = 0; i < v->conf.nvqs; i++)
		vio_vq_clear(v, &v->vqs[i]);
	v->features = 0;
	v->feature_select = 0;
	v->guest_select = 0;
	v->status = 0;
	v->config_vector = VIRTIO_MSI_NO_VECTOR;
	v->queue_select = 0;
	v->isr = 0;
	if (v->ops->reset)
		v->ops->reset(v);
}

/* --- reading ------------------------------------------------------------ */
static void vio_common_vq(const struct vio_vq *vq,
			  struct virtio_pci_modern_common_cfg *regs)
{
	struct virtio_pci_common_cfg *c = &regs->cfg;

	c->queue_size = vq->regs.size;
	c->queue_msix_vector = vq->regs.vector;
	c->queue_enable = vq->enabled;
	c->queue_desc_lo = vq->regs.desc;
	c->queue_desc_hi = vq->regs.desc >> 32;
	c->queue_avail_lo = vq->regs.avail;
	c->queue_avail_hi = vq->regs.avail >> 32;
	c->queue_used_lo = vq->regs.used;
	c->queue_used_hi = vq->regs.used >> 32;
}

/* The whole register file as it is now. */
static void vio_common(struct vio *v, struct virtio_pci_modern_common_cfg *regs)
{
	struct virtio_pci_common_cfg *c = &regs->cfg;
	const struct vio_vq *vq = vio_selected(v);

	memset(regs, 0, sizeof(*regs));
	c->device_feature_select = v->feature_select;
	if (v->feature_select < 2)
		c->device_feature = v->conf.features >> 32 * v->feature_select;
	c->guest_feature_select = v->guest_select;
	if (v->guest_select < 2)
		c->guest_feature = v->features >> 32 * v->guest_select;
	c->msix_config = v->config_vector;
	c->num_queues = v->conf.nvqs;
	c->device_status = v->status;
	c->config_generation = v->generation;
	c->queue_select = v->queue_select;
	c->queue_notify_off = v->queue_select;
	if (vq)
		vio_common_vq(vq, regs);
}

static void vio_piece(void *buf, __u32 len, const void *from, __u32 size,
		      __u32 offset)
{
	if (offset < size)
		memcpy(buf, (const __u8 *)from + offset,
		       len < size - offset ? len : size - offset);
}

static void vio_bar_read(struct vfu *f, unsigned int bar, __u64 offset,
			 void *buf, __u32 len)
{
	struct vio *v = vfu_priv(f);
	struct virtio_pci_modern_common_cfg regs;
	unsigned int space;

	v->reads += bar != VIO_BAR_MSIX;
	if (bar == VIO_BAR_OWN && v->ops->own_read)
		v->ops->own_read(v, offset, buf, len);
	if (bar != VIO_BAR)
		return;
	vio_event(v, VIO_EV_READ);
	if (offset >= VIO_NOTIFY) {
		space = VIO_SPACE_NOTIFY;
		offset -= VIO_NOTIFY;
	} else if (offset >= VIO_DEVICE) {
		space = VIO_SPACE_DEVICE;
		offset -= VIO_DEVICE;
		vio_piece(buf, len, v->config, v->conf.config_size, offset);
	} else if (offset >= VIO_ISR) {
		space = VIO_SPACE_ISR;
		offset -= VIO_ISR;
		vio_piece(buf, len, &v->isr, sizeof(v->isr), offset);
		if (!offset)
			v->isr = 0;
	} else {
		space = VIO_SPACE_COMMON;
		vio_common(v, &regs);
		vio_piece(buf, len, &regs, sizeof(regs), offset);
	}
	if (v->ops->read)
		v->ops->read(v, space, offset, buf, len);
}

static void vio_config_read(struct vfu *f, __u32 offset, void *buf, __u32 len)
{
	struct vio *v = vfu_priv(f);
	unsigned int type;

	for (type = 1; type < VIRTIO_PCI_CAP_PCI_CFG; type++)
		if (offset == v->cap[type] + 0U + VIRTIO_PCI_CAP_CFG_TYPE)
			vio_event(v, VIO_EV_CAPS);
	if (v->ops->read)
		v->ops->read(v, VIO_SPACE_PCI, offset, buf, len);
}

static void vio_config_written(struct vfu *f, __u32 offset, __u32 len)
{
	struct vio *v = vfu_priv(f);

	if (v->ops->config_written)
		v->ops->config_written(v, offset, len);
}

/* --- writing ------------------------------------------------------------ */
static void vio_set_half(__u64 *value, unsigned int half, __u32 bits)
{
	*value &= ~(0xffffffffULL << 32 * half);
	*value |= (__u64)bits << 32 * half;
}

static void vio_set_status(struct vio *v, __u8 status)
{
	bool was_suspended = v->status & VIO_S_SUSPEND;
	__u8 added;

	if (!status) {
		vio_event(v, VIO_EV_RESET);
		vio_reset(v);
		return;
	}
	if (!(v->features & VIO_BIT(VIO_F_SUSPEND)) ||
	    !(v->status & VIRTIO_CONFIG_S_DRIVER_OK))
		status &= ~VIO_S_SUSPEND;
	/* The one bit that can be taken back. */
	v->status &= ~VIO_S_SUSPEND;
	added = status & ~v->status;
	if (added & VIRTIO_CONFIG_S_FEATURES_OK) {
		vio_event(v, VIO_EV_FEATURES_OK);
		if ((v->features & ~v->conf.features) ||
		    !(v->features & VIO_BIT(VIRTIO_F_VERSION_1)))
			status &= ~VIRTIO_CONFIG_S_FEATURES_OK;
	}
	if (added & VIRTIO_CONFIG_S_DRIVER_OK)
		vio_event(v, VIO_EV_DRIVER_OK);
	v->status |= status;
	if (was_suspended && !(status & VIO_S_SUSPEND))
		vio_event(v, VIO_EV_RESUME);
}

static void vio_enable(struct vio *v, struct vio_vq *vq)
{
	vio_event(v, VIO_EV_VQ_ENABLE);
	if (v->conf.vq_align && (vq->regs.desc & (v->conf.vq_align - 1)))
		return;
	vq->avail_seen = 0;
	vq->used_idx = 0;
	vq->was_told = false;
	if (v->ops->start)
		v->ops->start(v, vq - v->vqs);
	vq->enabled = true;
}

static void vio_vq_reset(struct vio *v, struct vio_vq *vq)
{
	vio_event(v, VIO_EV_VQ_RESET);
	vio_vq_clear(v, vq);
}

static __u16 vio_vector(const struct vio *v, __u32 vector)
{
	return vector < v->conf.vectors ? vector : VIRTIO_MSI_NO_VECTOR;
}

#define VIO_AT(field)	offsetof(struct virtio_pci_common_cfg, field)

static void vio_vq_write(struct vio *v, struct vio_vq *vq, __u32 offset,
			 __u32 value)
{
	switch (offset) {
	case VIO_AT(queue_msix_vector):
		vq->regs.vector = vio_vector(v, value);
		break;
	case offsetof(struct virtio_pci_modern_common_cfg, queue_reset):
		if (value == 1)
			vio_vq_reset(v, vq);
		break;
	case VIO_AT(queue_enable):
		if (value == 1 && !vq->enabled)
			vio_enable(v, vq);
		if (!value && v->conf.vq_disable)
			vio_stop(v, vq);
		break;
	}
	/* The rest is fixed while the queue runs. */
	if (vq->enabled)
		return;
	switch (offset) {
	case VIO_AT(queue_size):
		if (value && value >= v->conf.vq_size_min &&
		    value <= v->conf.vq_size && !(value & (value - 1)))
			vq->regs.size = value;
		break;
	case VIO_AT(queue_desc_lo):
	case VIO_AT(queue_desc_hi):
		vio_set_half(&vq->regs.desc, (offset & 4) ? 1 : 0, value);
		break;
	case VIO_AT(queue_avail_lo):
	case VIO_AT(queue_avail_hi):
		vio_set_half(&vq->regs.avail, (offset & 4) ? 1 : 0, value);
		break;
	case VIO_AT(queue_used_lo):
	case VIO_AT(queue_used_hi):
		vio_set_half(&vq->regs.used, (offset & 4) ? 1 : 0, value);
		break;
	}
}

static_assert(!(VIO_AT(queue_desc_lo) & 4) && !(VIO_AT(queue_avail_lo) & 4) &&
	      !(VIO_AT(queue_used_lo) & 4), "bit 2 of the offset tells halves");

static void vio_common_write(struct vio *v, __u32 offset, __u32 value)
{
	struct vio_vq *vq = vio_selected(v);

	switch (offset) {
	case VIO_AT(device_feature_select):
		v->feature_select = value;
		break;
	case VIO_AT(guest_feature_select):
		v->guest_select = value;
		break;
	case VIO_AT(guest_feature):
		if (v->guest_select < 2 &&
		    !(v->status & VIRTIO_CONFIG_S_FEATURES_OK))
			vio_set_half(&v->features, v->guest_select, value);
		break;
	case VIO_AT(msix_config):
		v->config_vector = vio_vector(v, value);
		break;
	case VIO_AT(device_status):
		vio_set_status(v, value);
		break;
	case VIO_AT(queue_select):
		v->queue_select = value;
		break;
	default:
		if (vq)
			vio_vq_write(v, vq, offset, value);
	}
}

static void vio_notify(struct vio *v, __u64 offset, __u32 value)
{
	unsigned int vq = value & 0xffff;

	if (v->conf.notify_multiplier)
		vq = offset / v->conf.notify_multiplier;
	if (vq >= v->conf.nvqs)
		return;
	vio_event(v, VIO_EV_KICK);
	if (v->vqs[vq].enabled && (v->status & VIRTIO_CONFIG_S_DRIVER_OK) &&
	    !(v->status & VIO_S_SUSPEND))
		v->ops->kick(v, vq);
}

static void vio_bar_write(struct vfu *f, unsigned int bar, __u64 offset,
			  const void *buf, __u32 len)
{
	struct vio *v = vfu_priv(f);
	bool rings = bar == VIO_BAR && offset >= VIO_NOTIFY;
	__u32 value = 0;

	v->rings += rings;
	v->writes += !rings && bar != VIO_BAR_MSIX;
	if (bar == VIO_BAR_OWN && v->ops->own_write)
		v->ops->own_write(v, offset, buf, len);
	if (bar != VIO_BAR)
		return;
	memcpy(&value, buf, len < sizeof(value) ? len : sizeof(value));
	if (rings)
		vio_notify(v, offset - VIO_NOTIFY, value);
	else if (offset < VIO_COMMON_LEN &&
		 !(v->ops->write && v->ops->write(v, offset, buf, len)))
		vio_common_write(v, offset, value);
}

static void vio_function_reset(struct vfu *f)
{
	struct vio *v = vfu_priv(f);

	vio_reset(v);
	if (v->ops->function_reset)
		v->ops->function_reset(v);
}

static const struct vfu_ops vio_vfu_ops = {
	.config_read	= vio_config_read,
	.config_written	= vio_config_written,
	.bar_read	= vio_bar_read,
	.bar_write	= vio_bar_write,
	.reset		= vio_function_reset,
};

/* --- making one --------------------------------------------------------- */
static int vio_add_cap_in(struct vio *v, __u8 type, __u8 bar, __u32 offset,
			  __u32 length)
{
	struct virtio_pci_notify_cap cap = {
		.cap = {
			.cap_len = sizeof(struct virtio_pci_cap),
			.cfg_type = type,
			.bar = bar,
			.offset = offset,
			.length = length,
		},
		.notify_off_multiplier = v->conf.notify_multiplier,
	};
	int at;

	if (type == VIRTIO_PCI_CAP_NOTIFY_CFG)
		cap.cap.cap_len = sizeof(cap);
	/* Id and next pointer are the library's. */
	at = vfu_pci_add_cap(v->f, PCI_CAP_ID_VNDR, (__u8 *)&cap + 2,
			     cap.cap.cap_len - 2);
	if (at > 0 && bar == VIO_BAR)
		v->cap[type] = at;
	return at;
}

static int vio_add_cap(struct vio *v, __u8 type, __u32 offset, __u32 length)
{
	return vio_add_cap_in(v, type, VIO_BAR, offset, length);
}

static __u32 vio_class(__u16 device_id)
{
	if (device_id == VIO_ID_NET)
		return VIO_CLASS_NET;
	return device_id == VIO_ID_BLOCK ? VIO_CLASS_DISK : VIO_CLASS_OTHER;
}

static bool vio_describe(struct vio *v)
{
	const struct vio_conf *conf = &v->conf;
	__u64 size = 2 * VIO_NOTIFY;

	while (size < VIO_NOTIFY + vio_notify_len(conf))
		size *= 2;
	vfu_pci_init(v->f, VIO_VENDOR, VIO_DEVICE_ID + conf->device_id,
		     vio_class(conf->device_id));
	if (conf->sub_vendor)
		vfu_pci_subsystem(v->f, conf->sub_vendor, conf->sub_device);
	else
		vfu_pci_subsystem(v->f, VIO_VENDOR,
				  VIO_DEVICE_ID + conf->device_id);
	return !vfu_pci_add_bar(v->f, VIO_BAR, size, VFU_BAR_MEM64) &&
	       !vfu_pci_add_bar(v->f, VIO_BAR_MSIX, VIO_MSIX_SIZE,
				VFU_BAR_MEM32) &&
	       !(conf->own_size && vfu_pci_add_bar(v->f, VIO_BAR_OWN,
						   conf->own_size,
						   conf->own_type)) &&
	       vfu_pci_add_express(v->f) > 0 &&
	       vfu_pci_add_msix(v->f, conf->vectors, VIO_BAR_MSIX, 0,
				VIO_MSIX_PBA) > 0 &&
	       vio_add_cap(v, VIRTIO_PCI_CAP_COMMON_CFG, VIO_COMMON,
			   VIO_COMMON_LEN) > 0 &&
	       vio_add_cap(v, VIRTIO_PCI_CAP_ISR_CFG, VIO_ISR, 1) > 0 &&
	       vio_add_cap(v, VIRTIO_PCI_CAP_DEVICE_CFG, VIO_DEVICE,
			   conf->config_size) > 0 &&
	       vio_add_cap(v, VIRTIO_PCI_CAP_NOTIFY_CFG, VIO_NOTIFY,
			   vio_notify_len(conf)) > 0 &&
	       !(conf->own_isr &&
		 vio_add_cap_in(v, VIRTIO_PCI_CAP_ISR_CFG, VIO_BAR_OWN, 0, 1) < 0);
}

/**
 * vio_create() - a virtio function, waiting for its client
 * @path: of the socket
 * @conf: what it is; copied
 * @ops: what it does
 * @priv: of the owner
 *
 * Return: the function; serve v->f with vfu_poll(). NULL with errno set.
 */
struct vio *vio_create(const char *path, const struct vio_conf *conf,
		       const struct vio_ops *ops, void *priv)
{
	struct vio *v;

	errno = EINVAL;
	if (!conf->nvqs || conf->nvqs > VIO_VQS_MAX ||
	    conf->config_size > VIO_CONFIG_MAX ||
	    conf->notify_multiplier > (1U << 20))
		return NULL;
	v = calloc(1, sizeof(*v));
	if (!v)
		return NULL;
	v->ops = ops;
	v->priv = priv;
	v->conf = *conf;
	memcpy(v->config, conf->config, conf->config_size);
	v->f = vfu_create(path, &vio_vfu_ops, v);
	if (!v->f) {
		free(v);
		return NULL;
	}
	if (!vio_describe(v)) {
		vio_destroy(v);
		errno = EINVAL;
		return NULL;
	}
	vio_reset(v);
	return v;
}

/**
 * vio_destroy() - the reverse of vio_create()
 * @v: the function, or NULL
 */
void vio_destroy(struct vio *v)
{
	if (!v)
		return;
	vfu_destroy(v->f);
	free(v);
}
