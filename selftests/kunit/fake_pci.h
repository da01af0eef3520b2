/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A PCI function for tests: configuration space is an array of bytes. Include
 * it after the driver's source.
 */
#ifndef _VMDEV_FAKE_PCI_H
#define _VMDEV_FAKE_PCI_H

#include <linux/pci.h>
#include <linux/string.h>

#include "../../drivers/pci/vmdev_pci.h"

#define FAKE_PCI_CONFIG	4096
#define FAKE_PCI_VQS	8

/**
 * struct fake_pci - a function
 * @vp: what the driver sees
 * @bus: where it is
 * @ops: of the bus
 * @pdev: the function
 * @config: its configuration space
 * @next: where the next capability goes; fake_pci_cap() only
 * @link: offset of the pointer that will name it
 * @vqs: its doorbells
 */
struct fake_pci {
	struct vmdev_pci vp;
	struct pci_bus bus;
	struct pci_ops ops;
	struct pci_dev pdev;
	u8 config[FAKE_PCI_CONFIG];
	u8 next;
	u8 link;
	struct vmdev_pci_vq vqs[FAKE_PCI_VQS];
};

static inline void fake_pci_put(struct fake_pci *fake, u32 where, u32 value, u32 size)
{
	while (size--) {
		fake->config[where++] = value & 0xff;
		value >>= 8;
	}
}

static inline int fake_pci_read(struct pci_bus *bus, unsigned int devfn, int where, int size,
				u32 *value)
{
	struct fake_pci *fake = container_of(bus, struct fake_pci, bus);

	*value = 0;
	if (where < 0 || where + size > FAKE_PCI_CONFIG)
		return PCIBIOS_BAD_REGISTER_NUMBER;
	while (size--)
		*value = *value << 8 | fake->config[where + size];
	return PCIBIOS_SUCCESSFUL;
}

static inline void fake_pci_bar(struct fake_pci *fake, unsigned int bar, u64 start, u64 size)
{
	fake->pdev.resource[bar].start = start;
	fake->pdev.resource[bar].end = start + size - 1;
	fake->pdev.resource[bar].flags = IORESOURCE_MEM;
}

/* Zeroed memory becomes a function without capabilities and BARs. */
static inline void fake_pci_init(struct fake_pci *fake)
{
	fake->ops.read = fake_pci_read;
	fake->bus.ops = &fake->ops;
	fake->pdev.bus = &fake->bus;
	fake->pdev.hdr_type = PCI_HEADER_TYPE_NORMAL;
	fake->vp.pdev = &fake->pdev;
	fake->vp.vqs = fake->vqs;
	fake->config[PCI_STATUS] = PCI_STATUS_CAP_LIST;
	fake->link = PCI_CAPABILITY_LIST;
	fake->next = 0x40;
}

/* Appends a capability; where it is. */
static inline u8 fake_pci_cap(struct fake_pci *fake, u8 id, u8 len)
{
	u8 pos = fake->next;

	fake->config[fake->link] = pos;
	fake->config[pos] = id;
	fake->link = pos + PCI_CAP_LIST_NEXT;
	fake->next = pos + ALIGN(len, 4);
	return pos;
}

/* virtio 1.2, 4.1.4: id, next, length, type, BAR, id, padding, offset, length. */
static inline u8 fake_pci_virtio_cap(struct fake_pci *fake, u8 type, u8 bar, u32 offset,
				     u32 length)
{
	u8 pos = fake_pci_cap(fake, PCI_CAP_ID_VNDR, 24);

	fake->config[pos + 2] = 16;
	fake->config[pos + 3] = type;
	fake->config[pos + 4] = bar;
	fake_pci_put(fake, pos + 8, offset, 4);
	fake_pci_put(fake, pos + 12, length, 4);
	return pos;
}

#endif /* _VMDEV_FAKE_PCI_H */
