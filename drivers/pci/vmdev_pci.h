/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Inside of the PCI parent: what its files share.
 */
#ifndef _VMDEV_PCI_H
#define _VMDEV_PCI_H

#include <linux/list.h>
#include <linux/pci.h>
#include <linux/virtio_pci_modern.h>

#include <vmdev/hw.h>
#include <vmdev/irq.h>

struct iommu_domain;

/**
 * struct vmdev_pci_vq - a virtqueue of a function; fixed after probe
 * @notify: its doorbell
 * @notify_pa: the same, physical
 * @exclusive: the page of the doorbell holds nothing else
 */
struct vmdev_pci_vq {
	void __iomem *notify;
	resource_size_t notify_pa;
	bool exclusive;
};

struct vmdev_pci;

/**
 * struct vmdev_pci_vendor - what functions of a layout can do beyond virtio
 * @name: of the layout
 * @tells_enabled: queue_enable reads 1 as soon as it was written 1, unless the queue does not run
 * @match: is a function one of them? By its ids, or its features
 * @init: find out what it can do, when all that is virtio is known, and the function reset.
 *	Adds to hw.caps what of enum vmdev_hw_cap the ops below are for. On error, which is
 *	said in one line, it is a plain virtio function
 * @exit: the reverse. NULL if there is nothing to do, as are the following
 * @start: once before queues are enabled
 * @stop: with VMDEV_CAP_STATE: stop the queues that were started, for good, and store the
 *	state of each. With VMDEV_CAP_SUSPEND alone: suspend the device. It is reset then,
 *	whatever is returned
 * @vq_start: with VMDEV_CAP_STATE: a queue is configured, and is to be enabled next: where
 *	it goes on. No other queue may be selected. On error, with a line, it is not enabled
 * @vq_stop: with VMDEV_CAP_STATE: as @stop, for one queue, which is reset then. Only if the
 *	function has VMDEV_CAP_RING_RESET
 * @log_start: with VMDEV_CAP_LOG: see struct vmdev_hw_ops
 * @log_check: likewise
 * @log_stop: likewise
 *
 * All may sleep, and are called with the core's lock held or, @init and @exit, with the
 * function not registered. Every wait is bounded. What reads as all ones is looked at with
 * vmdev_pci_absent().
 */
struct vmdev_pci_vendor {
	const char *name;
	bool tells_enabled;
	bool (*match)(struct vmdev_pci *vp);
	int (*init)(struct vmdev_pci *vp);
	void (*exit)(struct vmdev_pci *vp);
	void (*start)(struct vmdev_pci *vp, const struct vmdev_hw_conf *conf);
	int (*stop)(struct vmdev_pci *vp, struct vdpa_vq_state *states);
	int (*vq_start)(struct vmdev_pci *vp, u16 vq,
			const struct vmdev_vq_conf *conf);
	int (*vq_stop)(struct vmdev_pci *vp, u16 vq,
		       struct vdpa_vq_state *state);
	int (*log_start)(struct vmdev_pci *vp, u64 bitmap, u64 end);
	bool (*log_check)(struct vmdev_pci *vp);
	void (*log_stop)(struct vmdev_pci *vp);
};

/**
 * struct vmdev_pci - a function
 * @hw: what the core knows it as
 * @pdev: the PCI function
 * @mdev: its virtio registers
 * @vectors: its interrupt vectors
 * @domain: its own IOMMU domain while user space has it, or NULL; under the
 *	lock of the core
 * @reserved: IOVAs that the platform reserves, while @domain is there
 * @master_off: it has no DMA, until it has reset; under the lock of the core while that has it
 *	online
 * @stuck: it did not reset, which was said, and is not waited for that long again; likewise
 * @offline: the core has it offline; under the device lock
 * @vqs: its queues, hw.caps.nvqs of them
 * @vq_size: their sizes, hw.caps.vq_size
 * @vendor: what it can do beyond virtio; NULL for a plain virtio function
 * @vendor_data: of @vendor
 */
struct vmdev_pci {
	struct vmdev_hw hw;
	struct pci_dev *pdev;
	struct virtio_pci_modern_device mdev;
	struct vmdev_vectors *vectors;
	struct iommu_domain *domain;
	struct list_head reserved;
	bool master_off;
	bool stuck;
	bool offline;
	struct vmdev_pci_vq *vqs;
	u16 *vq_size;
	const struct vmdev_pci_vendor *vendor;
	void *vendor_data;
};

static inline struct vmdev_pci *vmdev_pci(struct vmdev_hw *hw)
{
	return container_of(hw, struct vmdev_pci, hw);
}

/* virtio.c */
int vmdev_pci_virtio_init(struct vmdev_pci *vp);
void vmdev_pci_virtio_exit(struct vmdev_pci *vp);
bool vmdev_pci_config_pending(struct vmdev_pci *vp);
u8 vmdev_pci_status(struct vmdev_hw *hw);
bool vmdev_pci_absent(struct vmdev_pci *vp);
void vmdev_pci_dma_off(struct vmdev_pci *vp);
u64 vmdev_pci_features_own(const struct vmdev_hw_caps *caps);

/* caps.c */
int vmdev_pci_check_caps(struct pci_dev *pdev, u32 device_id);
u64 vmdev_pci_cap_room(struct pci_dev *pdev, u8 type);
bool vmdev_pci_takes_data(struct pci_dev *pdev, u64 at);
bool vmdev_pci_bar_is_free(struct pci_dev *pdev, u8 bar, u64 size);
bool vmdev_pci_page_exclusive(struct vmdev_pci *vp, u16 vq);

/* iommu.c */
int vmdev_pci_iommu_attach(struct vmdev_hw *hw, struct vdpa_iova_range *range);
void vmdev_pci_iommu_detach(struct vmdev_hw *hw);
bool vmdev_pci_iommu_reserved(struct vmdev_hw *hw, u64 first, u64 last,
			      struct vdpa_iova_range *found);
int vmdev_pci_iommu_map(struct vmdev_hw *hw, u64 iova, u64 size, u64 pa,
			u32 perm);
void vmdev_pci_iommu_unmap(struct vmdev_hw *hw, u64 iova, u64 size);

/* vendor.c */
void vmdev_pci_vendor_init(struct vmdev_pci *vp);
void vmdev_pci_vendor_exit(struct vmdev_pci *vp);
int vmdev_pci_log_start(struct vmdev_hw *hw, u64 bitmap, u64 end);
bool vmdev_pci_log_check(struct vmdev_hw *hw);
void vmdev_pci_log_stop(struct vmdev_hw *hw);

/* suspend.c */
extern const struct vmdev_pci_vendor vmdev_pci_suspend;

/* ifc.c */
extern const struct vmdev_pci_vendor vmdev_pci_ifc;

/* main.c */
void vmdev_pci_vfs_leave(struct pci_dev *pf);

/* sysfs.c */
extern const struct attribute_group *vmdev_pci_groups[];

/* sriov.c */
int vmdev_pci_sriov_configure(struct pci_dev *pdev, int num_vfs);

#endif /* _VMDEV_PCI_H */
