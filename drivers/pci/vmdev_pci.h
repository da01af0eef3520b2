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

/**
 * struct vmdev_pci - a function
 * @hw: what the core knows it as
 * @pdev: the PCI function
 * @mdev: its virtio registers
 * @vectors: its interrupt vectors
 * @domain: its own IOMMU domain while user space has it, or NULL; under the
 *	lock of the core
 * @reserved: IOVAs that the platform reserves, while @domain is there
 * @master_off: DMA was cut off because the function did not reset
 * @vqs: its queues, hw.caps.nvqs of them
 * @vq_size: their sizes, hw.caps.vq_size
 */
struct vmdev_pci {
	struct vmdev_hw hw;
	struct pci_dev *pdev;
	struct virtio_pci_modern_device mdev;
	struct vmdev_vectors *vectors;
	struct iommu_domain *domain;
	struct list_head reserved;
	bool master_off;
	struct vmdev_pci_vq *vqs;
	u16 *vq_size;
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
u64 vmdev_pci_features_own(const struct vmdev_hw_caps *caps);

/* caps.c */
int vmdev_pci_check_caps(struct pci_dev *pdev, u32 device_id);
u64 vmdev_pci_cap_room(struct pci_dev *pdev, u8 type);
bool vmdev_pci_takes_data(struct pci_dev *pdev, u64 at);
bool vmdev_pci_page_exclusive(struct vmdev_pci *vp, u16 vq);

/* iommu.c */
int vmdev_pci_iommu_attach(struct vmdev_hw *hw, struct vdpa_iova_range *range);
void vmdev_pci_iommu_detach(struct vmdev_hw *hw);
bool vmdev_pci_iommu_reserved(struct vmdev_hw *hw, u64 first, u64 last,
			      struct vdpa_iova_range *found);
int vmdev_pci_iommu_map(struct vmdev_hw *hw, u64 iova, u64 size, u64 pa,
			u32 perm);
void vmdev_pci_iommu_unmap(struct vmdev_hw *hw, u64 iova, u64 size);

/* main.c */
void vmdev_pci_vfs_leave(struct pci_dev *pf);

/* sysfs.c */
extern const struct attribute_group *vmdev_pci_groups[];

/* sriov.c */
int vmdev_pci_sriov_configure(struct pci_dev *pdev, int num_vfs);

#endif /* _VMDEV_PCI_H */
