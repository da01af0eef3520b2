/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A virtio-pci modern function on top of the vfio-user server: registers,
 * capabilities, MSI-X and split rings. What the device does with its buffers is
 * its owner's.
 *
 *	BAR 0	64-bit memory: common configuration, ISR, device configuration,
 *		doorbells, in this order, each in pages of its own
 *	BAR 2	MSI-X table and pending bits
 *	BAR 3	none
 *	BAR 4	the owner's, if asked for
 *
 * Source: virtio 1.2, 4.1 (PCI), 2.7 (split virtqueues); 1.4, 2.1 (SUSPEND).
 */
#ifndef VMDEV_VIRTIO_PCI_H
#define VMDEV_VIRTIO_PCI_H

#include <linux/virtio_config.h>
#include <linux/virtio_pci.h>
#include <linux/virtio_ring.h>

#include "vfio_user.h"

#define VIO_BIT(n)		(1ULL << (n))
#define VIO_VQS_MAX		64
#define VIO_CONFIG_MAX		256

#define VIO_BAR			0
#define VIO_BAR_MSIX		2
#define VIO_BAR_OWN		4

/* Where structures are in VIO_BAR. */
#define VIO_COMMON		0x0000
#define VIO_ISR			0x1000
#define VIO_DEVICE		0x2000
#define VIO_NOTIFY		0x4000

/* Of virtio 1.4, which headers do not have yet: a feature, a bit of the status. */
#define VIO_F_SUSPEND		43
#define VIO_S_SUSPEND		0x10

struct vio;

/* What happens between driver and device. */
enum vio_event {
	VIO_EV_READ,		/* of a BAR */
	VIO_EV_CAPS,		/* of a virtio capability's type */
	VIO_EV_RESET,		/* status is written to be 0 */
	VIO_EV_FEATURES_OK,	/* written */
	VIO_EV_DRIVER_OK,	/* written */
	VIO_EV_VQ_ENABLE,	/* a queue is enabled */
	VIO_EV_VQ_RESET,	/* a queue is reset */
	VIO_EV_KICK,		/* a doorbell rings */
	VIO_EV_RESUME,		/* the device goes on after it was suspended */
	VIO_EV_COUNT,
};

/* What can be read of it; virtio structures as of VIRTIO_PCI_CAP_*. */
#define VIO_SPACE_PCI		0	/* PCI config space */
#define VIO_SPACE_COMMON	VIRTIO_PCI_CAP_COMMON_CFG
#define VIO_SPACE_NOTIFY	VIRTIO_PCI_CAP_NOTIFY_CFG
#define VIO_SPACE_ISR		VIRTIO_PCI_CAP_ISR_CFG
#define VIO_SPACE_DEVICE	VIRTIO_PCI_CAP_DEVICE_CFG

/**
 * struct vio_ops - what a device does; each but @kick may be NULL
 * @kick: the driver says that queue @vq has buffers
 * @reset: the device was reset
 * @function_reset: the function was, by the bus; @reset came before
 * @start: queue @vq is about to be enabled, at index 0 of its rings unless this
 *	sets avail_seen and used_idx
 * @stop: queue @vq, which was enabled, stops; its registers are as they were
 * @event: see enum vio_event, before the device does what it says
 * @read: the register file answers @buf; a chance to change it
 * @write: something is about to be written to the common configuration; true
 *	to have it ignored
 * @config_written: PCI config space was written
 * @wrote: the device wrote so many bytes of a buffer
 * @own_read: VIO_BAR_OWN is read
 * @own_write: and written
 */
struct vio_ops {
	void (*kick)(struct vio *v, unsigned int vq);
	void (*reset)(struct vio *v);
	void (*function_reset)(struct vio *v);
	void (*start)(struct vio *v, unsigned int vq);
	void (*stop)(struct vio *v, unsigned int vq);
	void (*event)(struct vio *v, enum vio_event event);
	void (*read)(struct vio *v, unsigned int space, __u32 offset, void *buf,
		     __u32 len);
	bool (*write)(struct vio *v, __u32 offset, const void *buf, __u32 len);
	void (*config_written)(struct vio *v, __u32 offset, __u32 len);
	void (*wrote)(struct vio *v, __u64 iova, __u32 len);
	void (*own_read)(struct vio *v, __u64 offset, void *buf, __u32 len);
	void (*own_write)(struct vio *v, __u64 offset, const void *buf,
			  __u32 len);
};

/**
 * struct vio_conf - what a device is
 * @device_id: virtio device id
 * @sub_vendor: subsystem ids, those of virtio if 0
 * @sub_device: likewise
 * @features: offered
 * @nvqs: virtqueues
 * @vq_size: largest ring of each
 * @vq_size_min: smallest
 * @vq_align: of descriptor tables, a power of two; 0 for any
 * @vq_disable: a 0 written to queue_enable stops the queue
 * @config: device configuration space
 * @config_size: bytes of it
 * @vectors: size of the MSI-X table
 * @notify_multiplier: distance between doorbells, 0 for one of all
 * @own_size: bytes of VIO_BAR_OWN, 0 to have none
 * @own_type: its kind
 * @own_isr: a second ISR structure is said to be there; it is not
 */
struct vio_conf {
	__u16 device_id;
	__u16 sub_vendor;
	__u16 sub_device;
	__u64 features;
	__u16 nvqs;
	__u16 vq_size;
	__u16 vq_size_min;
	__u32 vq_align;
	bool vq_disable;
	const void *config;
	__u32 config_size;
	unsigned int vectors;
	__u32 notify_multiplier;
	__u64 own_size;
	enum vfu_bar_type own_type;
	bool own_isr;
};

/**
 * struct vio_vq - a virtqueue
 * @regs: as the driver wrote it
 * @enabled: it runs
 * @avail_seen: chains taken so far
 * @used_idx: chains given back so far
 * @told: @used_idx when the driver was interrupted last
 * @was_told: it ever was
 */
struct vio_vq {
	struct {
		__u16 size;
		__u16 vector;
		__u64 desc;
		__u64 avail;
		__u64 used;
	} regs;
	bool enabled;
	__u16 avail_seen;
	__u16 used_idx;
	__u16 told;
	bool was_told;
};

/**
 * struct vio - a function
 * @f: its server
 * @ops: what it does
 * @priv: of the owner
 * @conf: what it is
 * @config: device configuration space
 * @generation: of it
 * @features: accepted by the driver
 * @feature_select: window of device_feature
 * @guest_select: window of guest_feature
 * @status: device status
 * @config_vector: MSI-X vector for config changes
 * @queue_select: window of queue registers
 * @isr: bits not read yet
 * @reads: registers that were read, so far; those of MSI-X, which QEMU has, apart
 * @writes: likewise written; doorbells apart
 * @rings: doorbells
 * @cap: where the capability of each type is in config space
 * @vqs: the queues
 */
struct vio {
	struct vfu *f;
	const struct vio_ops *ops;
	void *priv;
	struct vio_conf conf;
	__u8 config[VIO_CONFIG_MAX];
	__u8 generation;
	__u64 features;
	__u32 feature_select;
	__u32 guest_select;
	__u8 status;
	__u16 config_vector;
	__u16 queue_select;
	__u8 isr;
	__u32 reads;
	__u32 writes;
	__u32 rings;
	__u8 cap[VIRTIO_PCI_CAP_PCI_CFG];
	struct vio_vq vqs[VIO_VQS_MAX];
};

/* One piece of a chain. */
struct vio_buf {
	__u64 iova;
	__u32 len;
	bool write;
};

#define VIO_CHAIN_MAX 256

/**
 * struct vio_chain - buffers that the driver made available as one
 * @head: its first descriptor
 * @n: pieces
 * @bufs: the pieces, those to be read before those to be written
 */
struct vio_chain {
	__u16 head;
	unsigned int n;
	struct vio_buf bufs[VIO_CHAIN_MAX];
};

/* --- virtio_pci.c ------------------------------------------------------- */
struct vio *vio_create(const char *path, const struct vio_conf *conf,
		       const struct vio_ops *ops, void *priv);
void vio_destroy(struct vio *v);

void vio_reset(struct vio *v);

/* --- virtio_ring.c ------------------------------------------------------ */
/* Bit 0 of the ISR; the kernel's headers name bit 1 only. */
#define VIO_ISR_QUEUE	1

int vio_pop(struct vio *v, unsigned int vq, struct vio_chain *chain);
void vio_unpop(struct vio *v, unsigned int vq, unsigned int n);
unsigned int vio_waiting(struct vio *v, unsigned int vq);
int vio_fill(struct vio *v, unsigned int vq, unsigned int ahead, __u32 id,
	     __u32 len);
int vio_flush(struct vio *v, unsigned int vq, unsigned int n);
int vio_push(struct vio *v, unsigned int vq, __u32 id, __u32 len);
void vio_interrupt(struct vio *v, unsigned int vq);
void vio_raise(struct vio *v, __u16 vector, __u8 isr);
void vio_config_changed(struct vio *v);
void vio_break(struct vio *v);

__u32 vio_chain_len(const struct vio_chain *chain, bool write);
int vio_chain_read_at(struct vio *v, const struct vio_chain *chain, __u32 at,
		      void *buf, __u32 len);
int vio_chain_write_at(struct vio *v, const struct vio_chain *chain, __u32 at,
		       const void *buf, __u32 len);
int vio_chain_read(struct vio *v, const struct vio_chain *chain, void *buf,
		   __u32 len);
int vio_chain_write(struct vio *v, const struct vio_chain *chain,
		    const void *buf, __u32 len);

#endif
