// SPDX-License-Identifier: GPL-2.0
/*
 * PCI config space, and who answers an access to a region.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <string.h>

#include <linux/pci_regs.h>
#include <linux/vfio.h>

#include "internal.h"

#define VFU_CAPS_START	0x40
#define VFU_CAPS_END	0x100

/* Lengths (PCIe 5.0, 7.5.3 and 7.7.2), without id and next pointer. */
#define VFU_EXPRESS_LEN	(PCI_EXP_SLTSTA2 + 2)
#define VFU_MSIX_LEN	12

static void vfu_put16(__u8 *p, __u16 value)
{
	memcpy(p, &value, sizeof(value));
}

static void vfu_put32(__u8 *p, __u32 value)
{
	memcpy(p, &value, sizeof(value));
}

/* The image that a reset brings back is what was described. */
static void vfu_describe(struct vfu *f, __u32 offset, const void *buf,
			 __u32 len)
{
	memcpy(f->pci.config + offset, buf, len);
	memcpy(f->pci.reset + offset, buf, len);
}

/**
 * vfu_pci_init() - a function without BARs and capabilities
 * @f: the function
 * @vendor: its ids
 * @device: likewise
 * @class: class, subclass and programming interface
 */
void vfu_pci_init(struct vfu *f, __u16 vendor, __u16 device, __u32 class)
{
	struct vfu_pci *pci = &f->pci;
	__u8 *c = pci->reset;

	memset(pci, 0, sizeof(*pci));
	vfu_put16(c + PCI_VENDOR_ID, vendor);
	vfu_put16(c + PCI_DEVICE_ID, device);
	vfu_put32(c + PCI_CLASS_REVISION, class << 8 | 1);
	vfu_put16(pci->writable + PCI_COMMAND,
		  PCI_COMMAND_IO | PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER |
		  PCI_COMMAND_INTX_DISABLE);
	pci->writable[PCI_INTERRUPT_LINE] = 0xff;
	pci->next_cap = VFU_CAPS_START;
	memcpy(pci->config, pci->reset, sizeof(pci->config));
}

/**
 * vfu_pci_subsystem() - subsystem ids
 * @f: the function
 * @vendor: of the board
 * @device: likewise
 */
void vfu_pci_subsystem(struct vfu *f, __u16 vendor, __u16 device)
{
	vfu_describe(f, PCI_SUBSYSTEM_VENDOR_ID, &vendor, sizeof(vendor));
	vfu_describe(f, PCI_SUBSYSTEM_ID, &device, sizeof(device));
}

/**
 * vfu_pci_add_bar() - give it a BAR
 * @f: the function
 * @bar: which
 * @size: bytes, a power of two
 * @type: kind; VFU_BAR_MEM64 takes the next one, too
 */
int vfu_pci_add_bar(struct vfu *f, unsigned int bar, __u64 size,
		    enum vfu_bar_type type)
{
	struct vfu_pci *pci = &f->pci;
	bool wide = type == VFU_BAR_MEM64;
	__u64 min = type == VFU_BAR_IO ? 4 : 16;
	__u32 at = PCI_BASE_ADDRESS_0 + 4 * bar;
	__u32 low = 0;

	if (bar + wide >= VFU_BARS || size < min || (size & (size - 1)) ||
	    type == VFU_BAR_NONE || (!wide && size > 0x80000000))
		return -EINVAL;
	if (type == VFU_BAR_IO)
		low = PCI_BASE_ADDRESS_SPACE_IO;
	else if (wide)
		low = PCI_BASE_ADDRESS_MEM_TYPE_64;
	vfu_describe(f, at, &low, sizeof(low));
	vfu_put32(pci->writable + at, -size);
	if (wide)
		vfu_put32(pci->writable + at + 4, -size >> 32);
	pci->bars[bar] = (struct vfu_bar) { .size = size, .type = type };
	return 0;
}

/**
 * vfu_pci_bar_size() - bytes of a BAR
 * @f: the function
 * @bar: which
 */
__u64 vfu_pci_bar_size(const struct vfu *f, unsigned int bar)
{
	return bar < VFU_BARS ? f->pci.bars[bar].size : 0;
}

/**
 * vfu_pci_add_cap() - add a capability at the end of the list
 * @f: the function
 * @id: PCI_CAP_ID_*
 * @body: what follows id and next pointer
 * @len: bytes of @body
 *
 * Return: offset of its id in config space, or -ENOSPC.
 */
int vfu_pci_add_cap(struct vfu *f, __u8 id, const void *body, __u8 len)
{
	struct vfu_pci *pci = &f->pci;
	__u16 at = pci->next_cap;
	__u8 head[2] = { id, 0 };
	__u8 offset = at;
	__u16 status;

	if (at + sizeof(head) + len > VFU_CAPS_END)
		return -ENOSPC;
	vfu_describe(f, at, head, sizeof(head));
	vfu_describe(f, at + sizeof(head), body, len);
	vfu_describe(f, pci->last_cap ? pci->last_cap + 1U : PCI_CAPABILITY_LIST,
		     &offset, sizeof(offset));
	memcpy(&status, pci->reset + PCI_STATUS, sizeof(status));
	status |= PCI_STATUS_CAP_LIST;
	vfu_describe(f, PCI_STATUS, &status, sizeof(status));
	pci->last_cap = at;
	pci->next_cap = (at + sizeof(head) + len + 3) & ~3;
	return at;
}

/**
 * vfu_pci_add_express() - make it a PCI Express endpoint that knows FLR
 * @f: the function
 *
 * Return: offset of the capability, or -ENOSPC.
 */
int vfu_pci_add_express(struct vfu *f)
{
	__u8 cap[VFU_EXPRESS_LEN] = { 0 };
	int at;

	vfu_put16(cap + PCI_EXP_FLAGS, 2 | PCI_EXP_TYPE_ENDPOINT << 4);
	vfu_put32(cap + PCI_EXP_DEVCAP, PCI_EXP_DEVCAP_RBER | PCI_EXP_DEVCAP_FLR);
	vfu_put32(cap + PCI_EXP_LNKCAP, PCI_EXP_LNKCAP_SLS_2_5GB | 1 << 4);
	vfu_put16(cap + PCI_EXP_LNKSTA, PCI_EXP_LNKSTA_CLS_2_5GB |
		  PCI_EXP_LNKSTA_NLW_X1);
	at = vfu_pci_add_cap(f, PCI_CAP_ID_EXP, cap + 2, sizeof(cap) - 2);
	if (at < 0)
		return at;
	f->pci.express = at;
	vfu_put16(f->pci.writable + at + PCI_EXP_DEVCTL, 0x7fff);
	return at;
}

/**
 * vfu_pci_add_msix() - give it MSI-X
 * @f: the function
 * @vectors: size of the table
 * @bar: where table and pending bits are
 * @table: offset of the table
 * @pba: offset of the pending bits
 *
 * Return: offset of the capability, or a negative errno.
 */
int vfu_pci_add_msix(struct vfu *f, unsigned int vectors, unsigned int bar,
		     __u32 table, __u32 pba)
{
	__u8 cap[VFU_MSIX_LEN] = { 0 };
	int at;

	if (!vectors || vectors > VFU_VECTORS_MAX ||
	    !vfu_pci_bar_size(f, bar) || ((table | pba) & PCI_MSIX_TABLE_BIR))
		return -EINVAL;
	vfu_put16(cap + PCI_MSIX_FLAGS, vectors - 1);
	vfu_put32(cap + PCI_MSIX_TABLE, table | bar);
	vfu_put32(cap + PCI_MSIX_PBA, pba | bar);
	at = vfu_pci_add_cap(f, PCI_CAP_ID_MSIX, cap + 2, sizeof(cap) - 2);
	if (at < 0)
		return at;
	f->pci.vectors = vectors;
	vfu_put16(f->pci.writable + at + PCI_MSIX_FLAGS,
		  PCI_MSIX_FLAGS_ENABLE | PCI_MSIX_FLAGS_MASKALL);
	return at;
}

/**
 * vfu_pci_writable() - let the VM write a register of config space
 * @f: the function
 * @offset: first byte
 * @len: bytes
 */
int vfu_pci_writable(struct vfu *f, __u32 offset, __u32 len)
{
	if (offset > VFU_CONFIG_SIZE || len > VFU_CONFIG_SIZE - offset)
		return -EINVAL;
	memset(f->pci.writable + offset, 0xff, len);
	return 0;
}

/**
 * vfu_pci_config_get() - config space as it is
 * @f: the function
 * @offset: first byte
 * @buf: where to
 * @len: bytes, within config space
 */
void vfu_pci_config_get(const struct vfu *f, __u32 offset, void *buf, __u32 len)
{
	memcpy(buf, f->pci.config + offset, len);
}

/**
 * vfu_pci_config_set() - change config space until the next reset
 * @f: the function
 * @offset: first byte
 * @buf: what
 * @len: bytes, within config space
 */
void vfu_pci_config_set(struct vfu *f, __u32 offset, const void *buf, __u32 len)
{
	memcpy(f->pci.config + offset, buf, len);
}

/* Back to what was described; the bus, FLR, or a client that left. */
void vfu_pci_reset(struct vfu *f)
{
	memcpy(f->pci.config, f->pci.reset, sizeof(f->pci.config));
	if (f->ops->reset)
		f->ops->reset(f);
}

__u64 vfu_pci_region_size(const struct vfu *f, __u32 region)
{
	if (region < VFU_BARS)
		return f->pci.bars[region].size;
	return region == VFIO_PCI_CONFIG_REGION_INDEX ? VFU_CONFIG_SIZE : 0;
}

static bool vfu_within(const struct vfu *f, __u32 region, __u64 offset,
		       __u32 len)
{
	__u64 size = vfu_pci_region_size(f, region);

	return len && offset < size && len <= size - offset;
}

int vfu_pci_region_read(struct vfu *f, __u32 region, __u64 offset, void *buf,
			__u32 len)
{
	if (!vfu_within(f, region, offset, len))
		return -EINVAL;
	memset(buf, 0, len);
	if (region == VFIO_PCI_CONFIG_REGION_INDEX) {
		vfu_pci_config_get(f, offset, buf, len);
		if (f->ops->config_read)
			f->ops->config_read(f, offset, buf, len);
	} else if (f->ops->bar_read) {
		f->ops->bar_read(f, region, offset, buf, len);
	}
	return 0;
}

/* Was the bit just written that starts a function level reset? */
static bool vfu_flr_written(const struct vfu *f, __u32 offset, const __u8 *buf,
			    __u32 len)
{
	__u32 at = f->pci.express + PCI_EXP_DEVCTL + 1U;

	return f->pci.express && offset <= at && at - offset < len &&
	       (buf[at - offset] & (PCI_EXP_DEVCTL_BCR_FLR >> 8));
}

static void vfu_config_write(struct vfu *f, __u32 offset, const __u8 *buf,
			     __u32 len)
{
	struct vfu_pci *pci = &f->pci;
	__u32 i;

	for (i = 0; i < len; i++) {
		__u8 mask = pci->writable[offset + i];

		pci->config[offset + i] = (pci->config[offset + i] & ~mask) |
					  (buf[i] & mask);
	}
	if (f->ops->config_written)
		f->ops->config_written(f, offset, len);
	if (vfu_flr_written(f, offset, buf, len))
		vfu_pci_reset(f);
}

int vfu_pci_region_write(struct vfu *f, __u32 region, __u64 offset,
			 const void *buf, __u32 len)
{
	if (!vfu_within(f, region, offset, len))
		return -EINVAL;
	if (region == VFIO_PCI_CONFIG_REGION_INDEX)
		vfu_config_write(f, offset, buf, len);
	else if (f->ops->bar_write)
		f->ops->bar_write(f, region, offset, buf, len);
	return 0;
}
