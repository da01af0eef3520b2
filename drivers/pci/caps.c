// SPDX-License-Identifier: GPL-2.0
/*
 * Where virtio structures are in the BARs, and so: is a doorbell alone in its
 * page? Only then may the page be mapped into user space, as whatever else is
 * in it could be written too.
 */
#include <linux/mm.h>
#include <linux/virtio_ids.h>
#include <uapi/linux/virtio_pci.h>

#include "vmdev_pci.h"

/* A capability list longer than that is a loop. */
#define VMDEV_PCI_CAPS_MAX	48

/* Of shared memory regions only (struct virtio_pci_cap64). */
#define VMDEV_PCI_CAP_OFFSET_HI	offsetof(struct virtio_pci_cap64, offset_hi)
#define VMDEV_PCI_CAP_LENGTH_HI	offsetof(struct virtio_pci_cap64, length_hi)

/**
 * struct vmdev_pci_span - a piece of a BAR
 * @bar: the BAR
 * @first: offset of its first byte
 * @last: offset of its last byte
 */
struct vmdev_pci_span {
	u8 bar;
	u64 first;
	u64 last;
};

static bool vmdev_pci_span_touches(const struct vmdev_pci_span *span, u8 bar,
				   u64 first, u64 size)
{
	/* What reaches around the end of 64 bits is held to end there. */
	u64 last = size - 1 > U64_MAX - first ? U64_MAX : first + size - 1;

	return size && span->bar == bar && first <= span->last &&
	       last >= span->first;
}

/* The MSI-X table and its pending bits. */
static bool vmdev_pci_msix_touches(struct pci_dev *pdev,
				   const struct vmdev_pci_span *span)
{
	u8 cap = pdev->msix_cap;
	u32 table, pba;
	u16 ctrl;
	u64 n;

	if (!cap)
		return false;

	pci_read_config_word(pdev, cap + PCI_MSIX_FLAGS, &ctrl);
	pci_read_config_dword(pdev, cap + PCI_MSIX_TABLE, &table);
	pci_read_config_dword(pdev, cap + PCI_MSIX_PBA, &pba);
	n = (ctrl & PCI_MSIX_FLAGS_QSIZE) + 1;
	return vmdev_pci_span_touches(span, table & PCI_MSIX_TABLE_BIR,
				      table & PCI_MSIX_TABLE_OFFSET,
				      n * PCI_MSIX_ENTRY_SIZE) ||
	       vmdev_pci_span_touches(span, pba & PCI_MSIX_PBA_BIR,
				      pba & PCI_MSIX_PBA_OFFSET,
				      DIV_ROUND_UP(n, 64) * sizeof(u64));
}

/**
 * struct vmdev_pci_cap - a virtio structure in a BAR (virtio 1.2, 4.1.4)
 * @type: VIRTIO_PCI_CAP_*
 * @bar: the BAR
 * @offset: where it starts
 * @length: bytes
 */
struct vmdev_pci_cap {
	u8 type;
	u8 bar;
	u64 offset;
	u64 length;
};

static u32 vmdev_pci_read32(struct pci_dev *pdev, int where)
{
	u32 value;

	pci_read_config_dword(pdev, where, &value);
	return value;
}

/* The next capability after @pos, which moves on; false after the last. */
static bool vmdev_pci_next_cap(struct pci_dev *pdev, u8 *pos,
			       struct vmdev_pci_cap *cap)
{
	if (*pos)
		*pos = pci_find_next_capability(pdev, *pos, PCI_CAP_ID_VNDR);
	else
		*pos = pci_find_capability(pdev, PCI_CAP_ID_VNDR);
	if (!*pos)
		return false;

	pci_read_config_byte(pdev, *pos + VIRTIO_PCI_CAP_CFG_TYPE, &cap->type);
	pci_read_config_byte(pdev, *pos + VIRTIO_PCI_CAP_BAR, &cap->bar);
	cap->offset = vmdev_pci_read32(pdev, *pos + VIRTIO_PCI_CAP_OFFSET);
	cap->length = vmdev_pci_read32(pdev, *pos + VIRTIO_PCI_CAP_LENGTH);
	if (cap->type == VIRTIO_PCI_CAP_SHARED_MEMORY_CFG) {
		cap->offset |= (u64)vmdev_pci_read32(pdev, *pos + VMDEV_PCI_CAP_OFFSET_HI) << 32;
		cap->length |= (u64)vmdev_pci_read32(pdev, *pos + VMDEV_PCI_CAP_LENGTH_HI) << 32;
	}
	return true;
}

/**
 * struct vmdev_pci_need - what a virtio structure has to be like
 * @type: VIRTIO_PCI_CAP_*
 * @name: for a person
 * @size: bytes that it has at least
 * @align: of its offset
 */
struct vmdev_pci_need {
	u8 type;
	const char *name;
	u32 size;
	u32 align;
};

static const struct vmdev_pci_need vmdev_pci_needs[] = {
	{ VIRTIO_PCI_CAP_COMMON_CFG, "common configuration",
	  offsetofend(struct virtio_pci_common_cfg, queue_used_hi), 4 },
	{ VIRTIO_PCI_CAP_NOTIFY_CFG, "notification", sizeof(u16), 2 },
	{ VIRTIO_PCI_CAP_ISR_CFG, "ISR", sizeof(u8), 1 },
	{ VIRTIO_PCI_CAP_DEVICE_CFG, "device configuration", sizeof(u8), 4 },
};

/*
 * The first capability of a type whose BAR is there, as vp_modern_probe()
 * chooses; else the last one of that type. -ENOENT if there is none at all,
 * -ELOOP if the list has no end.
 */
static int vmdev_pci_find_cap(struct pci_dev *pdev, u8 type,
			      struct vmdev_pci_cap *found)
{
	int tries = VMDEV_PCI_CAPS_MAX;
	struct vmdev_pci_cap cap;
	int err = -ENOENT;
	u8 pos = 0;

	while (vmdev_pci_next_cap(pdev, &pos, &cap)) {
		if (!tries--)
			return -ELOOP;
		if (cap.type != type)
			continue;
		*found = cap;
		err = 0;
		if (cap.bar < PCI_STD_NUM_BARS &&
		    pci_resource_len(pdev, cap.bar))
			return 0;
	}
	return err;
}

/* A type of device may have no configuration (virtio 1.2, 4.1.4.6). */
static bool vmdev_pci_is_optional(const struct vmdev_pci_need *need,
				  u32 device_id)
{
	return need->type == VIRTIO_PCI_CAP_DEVICE_CFG &&
	       device_id != VIRTIO_ID_NET && device_id != VIRTIO_ID_BLOCK;
}

static int vmdev_pci_check_cap(struct pci_dev *pdev,
			       const struct vmdev_pci_need *need, u32 device_id)
{
	struct vmdev_pci_cap cap;
	u64 room;
	int err;

	err = vmdev_pci_find_cap(pdev, need->type, &cap);
	if (err == -ELOOP) {
		pci_err(pdev, "the list of capabilities has no end\n");
		return err;
	}
	if (err && vmdev_pci_is_optional(need, device_id))
		return 0;
	if (err) {
		pci_err(pdev, "no capability for the %s structure, which virtio needs\n",
			need->name);
		return err;
	}

	if (cap.bar >= PCI_STD_NUM_BARS || !pci_resource_len(pdev, cap.bar)) {
		pci_err(pdev, "capability: %s structure is in BAR %u, which there is not\n",
			need->name, cap.bar);
		return -EINVAL;
	}
	room = pci_resource_len(pdev, cap.bar);
	if (cap.offset + cap.length > room) {
		pci_err(pdev, "capability: %s structure (%#llx bytes at %#llx) is beyond BAR %u (%#llx bytes)\n",
			need->name, cap.length, cap.offset, cap.bar, room);
		return -EINVAL;
	}
	if (cap.length < need->size) {
		pci_err(pdev, "capability: %s structure has %llu bytes, it needs %u\n",
			need->name, cap.length, need->size);
		return -EINVAL;
	}
	if (!IS_ALIGNED(cap.offset, need->align)) {
		pci_err(pdev, "capability: %s structure at %#llx is not aligned\n",
			need->name, cap.offset);
		return -EINVAL;
	}
	return 0;
}

/**
 * vmdev_pci_check_caps() - are the virtio structures where there is room?
 * @pdev: the function, enabled
 * @device_id: virtio device id: what it needs
 *
 * vp_modern_probe() checks less: it cuts off what reaches beyond a BAR without
 * a word, and its users then believe in the length of the capability.
 *
 * Context: may sleep.
 * Return: 0; an error, with a line that names the capability.
 */
int vmdev_pci_check_caps(struct pci_dev *pdev, u32 device_id)
{
	int i, err = 0;

	for (i = 0; i < ARRAY_SIZE(vmdev_pci_needs) && !err; i++)
		err = vmdev_pci_check_cap(pdev, &vmdev_pci_needs[i],
					  device_id);
	return err;
}

/**
 * vmdev_pci_cap_room() - bytes of a virtio structure that its BAR really has
 * @pdev: the function
 * @type: VIRTIO_PCI_CAP_*
 *
 * The smallest, should there be several. 0 if there is none, or if the list of
 * capabilities has no end.
 *
 * Context: may sleep.
 */
u64 vmdev_pci_cap_room(struct pci_dev *pdev, u8 type)
{
	int tries = VMDEV_PCI_CAPS_MAX;
	struct vmdev_pci_cap cap;
	u64 room = U64_MAX;
	u8 pos = 0;

	while (tries && vmdev_pci_next_cap(pdev, &pos, &cap)) {
		u64 size;

		tries--;
		if (cap.type != type || cap.bar >= PCI_STD_NUM_BARS ||
		    !pci_resource_len(pdev, cap.bar))
			continue;
		size = pci_resource_len(pdev, cap.bar);
		size = cap.offset < size ? size - cap.offset : 0;
		room = min3(room, size, cap.length);
	}
	return tries && room != U64_MAX ? room : 0;
}

/**
 * vmdev_pci_takes_data() - can 32 bits be written to a doorbell?
 * @pdev: the function, its structures checked
 * @at: where the doorbell is in the notification structure
 *
 * What a function that offers VIRTIO_F_NOTIFICATION_DATA has to see to (virtio
 * 1.2, 4.1.4.4.1).
 *
 * Context: may sleep.
 */
bool vmdev_pci_takes_data(struct pci_dev *pdev, u64 at)
{
	u64 room = vmdev_pci_cap_room(pdev, VIRTIO_PCI_CAP_NOTIFY_CFG);
	struct vmdev_pci_cap cap;

	return !vmdev_pci_find_cap(pdev, VIRTIO_PCI_CAP_NOTIFY_CFG, &cap) &&
	       IS_ALIGNED(cap.offset + at, sizeof(u32)) &&
	       at + sizeof(u32) <= room;
}

/*
 * A page that may be mapped lies within the notification area, whose bytes are
 * all doorbells, and touches no other virtio structure.
 */
static bool vmdev_pci_page_is_notify(struct pci_dev *pdev,
				     const struct vmdev_pci_span *page)
{
	int tries = VMDEV_PCI_CAPS_MAX;
	struct vmdev_pci_cap cap;
	bool within = false;
	u8 pos = 0;

	while (tries && vmdev_pci_next_cap(pdev, &pos, &cap)) {
		tries--;
		/* The configuration access window names no place of its own. */
		if (cap.type == VIRTIO_PCI_CAP_PCI_CFG)
			continue;
		if (cap.type != VIRTIO_PCI_CAP_NOTIFY_CFG) {
			if (vmdev_pci_span_touches(page, cap.bar, cap.offset,
						   cap.length))
				return false;
		} else if (cap.bar == page->bar && cap.offset <= page->first &&
			   cap.offset + cap.length > page->last) {
			within = true;
		}
	}
	return tries && within;
}

static bool vmdev_pci_other_vq_touches(struct vmdev_pci *vp, u16 vq)
{
	resource_size_t page = vp->vqs[vq].notify_pa & PAGE_MASK;
	u16 i;

	for (i = 0; i < vp->hw.caps.nvqs; i++)
		if (i != vq && (vp->vqs[i].notify_pa & PAGE_MASK) == page)
			return true;
	return false;
}

/**
 * vmdev_pci_bar_is_free() - is the beginning of a BAR for none of virtio and MSI-X?
 * @pdev: the function
 * @bar: the BAR
 * @size: bytes of it, not 0
 *
 * Context: may sleep.
 */
bool vmdev_pci_bar_is_free(struct pci_dev *pdev, u8 bar, u64 size)
{
	const struct vmdev_pci_span span = { .bar = bar, .last = size - 1 };
	int tries = VMDEV_PCI_CAPS_MAX;
	struct vmdev_pci_cap cap;
	u8 pos = 0;

	while (tries && vmdev_pci_next_cap(pdev, &pos, &cap)) {
		tries--;
		if (cap.type != VIRTIO_PCI_CAP_PCI_CFG &&
		    vmdev_pci_span_touches(&span, cap.bar, cap.offset,
					   cap.length))
			return false;
	}
	return tries && !vmdev_pci_msix_touches(pdev, &span);
}

static int vmdev_pci_find_bar(struct pci_dev *pdev, resource_size_t pa)
{
	int bar;

	for (bar = 0; bar < PCI_STD_NUM_BARS; bar++)
		if (pci_resource_len(pdev, bar) &&
		    (pci_resource_flags(pdev, bar) & IORESOURCE_MEM) &&
		    pa >= pci_resource_start(pdev, bar) &&
		    pa <= pci_resource_end(pdev, bar))
			return bar;
	return -ENOENT;
}

/**
 * vmdev_pci_page_exclusive() - does a page hold the doorbell of one queue only?
 * @vp: the function, with the doorbells of all queues known
 * @vq: the queue
 *
 * Context: may sleep.
 */
bool vmdev_pci_page_exclusive(struct vmdev_pci *vp, u16 vq)
{
	resource_size_t pa = vp->vqs[vq].notify_pa;
	int bar = vmdev_pci_find_bar(vp->pdev, pa);
	struct vmdev_pci_span page;

	/* The rest of the page must exist, and must belong to nobody. */
	if (bar < 0 || !IS_ALIGNED(pa, PAGE_SIZE) ||
	    pci_resource_end(vp->pdev, bar) - pa < PAGE_SIZE - 1 ||
	    vp->mdev.notify_offset_multiplier < PAGE_SIZE)
		return false;

	page.bar = bar;
	page.first = pa - pci_resource_start(vp->pdev, bar);
	page.last = page.first + PAGE_SIZE - 1;
	return !vmdev_pci_other_vq_touches(vp, vq) &&
	       vmdev_pci_page_is_notify(vp->pdev, &page) &&
	       !vmdev_pci_msix_touches(vp->pdev, &page);
}
