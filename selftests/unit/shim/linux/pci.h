/* SPDX-License-Identifier: GPL-2.0 */
/* PCI functions whose configuration space is whatever the ops of their bus read. */
#ifndef _SHIM_LINUX_PCI_H
#define _SHIM_LINUX_PCI_H

#include <linux/device.h>
#include <linux/interrupt.h>
#include <linux/list.h>
#include <linux/pci_regs.h>

#define PCI_STD_NUM_BARS	6
#define PCI_NUM_RESOURCES	7
#define IORESOURCE_IO		0x100
#define IORESOURCE_MEM		0x200
#define PCI_IRQ_MSIX		4
#define PCIBIOS_SUCCESSFUL		0
#define PCIBIOS_BAD_REGISTER_NUMBER	0x87

/* The kernel gives up on a list of capabilities after so many. */
#define SHIM_PCI_CAPS_MAX	48

struct pci_bus;

struct pci_ops {
	int (*read)(struct pci_bus *bus, unsigned int devfn, int where, int size, u32 *value);
};

struct pci_bus {
	struct pci_ops *ops;
};

struct resource {
	resource_size_t start;
	resource_size_t end;
	unsigned long flags;
};

struct pci_dev {
	struct device dev;
	struct pci_bus *bus;
	unsigned int devfn;
	u8 hdr_type;
	u8 msix_cap;
	struct resource resource[PCI_NUM_RESOURCES];
};

#define pci_resource_start(pdev, bar)	((pdev)->resource[bar].start)
#define pci_resource_end(pdev, bar)	((pdev)->resource[bar].end)
#define pci_resource_flags(pdev, bar)	((pdev)->resource[bar].flags)
#define pci_resource_len(pdev, bar)						\
	(pci_resource_end(pdev, bar) ?						\
	 pci_resource_end(pdev, bar) - pci_resource_start(pdev, bar) + 1 : 0)

#define pci_name(pdev)		((void)(pdev), "0000:00:00.0")
#define pci_err(pdev, ...)	shim_print(pdev, __VA_ARGS__)
#define pci_info(pdev, ...)	shim_print(pdev, __VA_ARGS__)

/* What cannot be read reads as ones; what is not aligned is not even tried. */
#define SHIM_PCI_READ(name, type, size)						\
static inline int pci_read_config_##name(const struct pci_dev *pdev, int where,	\
					 type *value)				\
{										\
	u32 data;								\
	int err;								\
										\
	if (where & ((size) - 1))						\
		return PCIBIOS_BAD_REGISTER_NUMBER;				\
	err = pdev->bus->ops->read(pdev->bus, pdev->devfn, where, size, &data);	\
	*value = err ? (type)~0 : (type)data;					\
	return err;								\
}
SHIM_PCI_READ(byte, u8, 1)
SHIM_PCI_READ(word, u16, 2)
SHIM_PCI_READ(dword, u32, 4)

/* From the pointer at @link on. */
static inline u8 shim_pci_find(struct pci_dev *pdev, u8 link, int cap)
{
	int tries = SHIM_PCI_CAPS_MAX;
	u8 pos, id;

	pci_read_config_byte(pdev, link, &pos);
	while (tries-- && pos >= 0x40) {
		pos &= ~3;
		pci_read_config_byte(pdev, pos, &id);
		if (id == 0xff)
			break;
		if (id == cap)
			return pos;
		pci_read_config_byte(pdev, pos + PCI_CAP_LIST_NEXT, &pos);
	}
	return 0;
}

static inline u8 pci_find_capability(struct pci_dev *pdev, int cap)
{
	u16 status;

	pci_read_config_word(pdev, PCI_STATUS, &status);
	return status & PCI_STATUS_CAP_LIST ?
	       shim_pci_find(pdev, PCI_CAPABILITY_LIST, cap) : 0;
}

static inline u8 pci_find_next_capability(struct pci_dev *pdev, u8 pos, int cap)
{
	return shim_pci_find(pdev, pos + PCI_CAP_LIST_NEXT, cap);
}

static inline int pci_alloc_irq_vectors(struct pci_dev *pdev, int least, int most, int flags)
{
	return -ENOSPC;
}

static inline void pci_free_irq_vectors(struct pci_dev *pdev)
{
}

static inline int pci_irq_vector(struct pci_dev *pdev, unsigned int vector)
{
	return 1 + vector;
}

#endif
