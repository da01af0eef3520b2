// SPDX-License-Identifier: GPL-2.0
/*
 * Capability parsing (drivers/pci/caps.c) of functions that lie. The truth is
 * found by walking the list once, with a mark at each place that was seen, and
 * by arithmetic that cannot overflow.
 */
#include "../../drivers/pci/caps.c"
#include "../kunit/fake_pci.h"
#include <fuzz.h>

#define CAPS_MAX	48

/**
 * struct truth - the virtio capabilities of a function
 * @caps: where they are
 * @n: how many
 * @endless: the list has no end, or more than a list can have
 */
struct truth {
	u8 caps[256];
	u32 n;
	bool endless;
};

static u64 get(const struct fake_pci *fake, u32 where, u32 size)
{
	u64 value = 0;

	while (size--)
		value = value << 8 | fake->config[where + size];
	return value;
}

static void find_truth(const struct fake_pci *fake, struct truth *truth)
{
	bool seen[256] = { 0 };
	u8 pos = fake->config[PCI_CAPABILITY_LIST];
	bool loop_has_caps = false, loop = false;
	u32 i;

	truth->n = 0;
	if (!(fake->config[PCI_STATUS] & PCI_STATUS_CAP_LIST))
		pos = 0;
	while (pos >= 0x40 && fake->config[pos & ~3] != 0xff) {
		pos &= ~3;
		if (seen[pos]) {
			loop = true;
			break;
		}
		seen[pos] = true;
		if (fake->config[pos] == PCI_CAP_ID_VNDR)
			truth->caps[truth->n++] = pos;
		pos = fake->config[pos + 1];
	}
	/* The last of those seen may be before the loop; that is no matter. */
	for (i = 0; loop && i < 256; i++) {
		if (fake->config[pos] == PCI_CAP_ID_VNDR)
			loop_has_caps = true;
		pos = fake->config[pos + 1] & ~3;
	}
	truth->endless = loop_has_caps || truth->n >= CAPS_MAX;
}

static bool meets(s128 a, s128 a_len, s128 b, s128 b_len)
{
	return a_len > 0 && b_len > 0 && a < b + b_len && b < a + a_len;
}

static void extent(const struct fake_pci *fake, u8 pos, s128 *offset, s128 *length)
{
	*offset = get(fake, pos + 8, 4);
	*length = get(fake, pos + 12, 4);
	if (fake->config[pos + 3] == VIRTIO_PCI_CAP_SHARED_MEMORY_CFG) {
		*offset += (s128)get(fake, pos + 16, 4) << 32;
		*length += (s128)get(fake, pos + 20, 4) << 32;
	}
}

static u64 true_room(const struct fake_pci *fake, const struct truth *truth, u8 type)
{
	s128 room = -1, offset, length, size;
	u32 i;

	for (i = 0; i < truth->n; i++) {
		u8 pos = truth->caps[i], bar = fake->config[pos + 4];

		if (fake->config[pos + 3] != type || bar > 5)
			continue;
		size = pci_resource_len(&fake->pdev, bar);
		if (!size)
			continue;
		extent(fake, pos, &offset, &length);
		if (offset + length > size)
			length = offset < size ? size - offset : 0;
		if (room < 0 || length < room)
			room = length;
	}
	return room < 0 || truth->endless ? 0 : room;
}

static bool msix_meets(const struct fake_pci *fake, int bar, s128 page)
{
	u8 pos = fake->pdev.msix_cap;
	s128 n;
	u32 table, pba;

	if (!pos)
		return false;
	n = (get(fake, pos + 2, 2) & 0x7ff) + 1;
	table = get(fake, pos + 4, 4);
	pba = get(fake, pos + 8, 4);
	return ((int)(table & 7) == bar && meets(table & ~7u, 16 * n, page, PAGE_SIZE)) ||
	       ((int)(pba & 7) == bar && meets(pba & ~7u, (n + 63) / 64 * 8, page, PAGE_SIZE));
}

static bool truly_exclusive(const struct fake_pci *fake, const struct truth *truth, u16 vq)
{
	u64 pa = fake->vp.vqs[vq].notify_pa;
	bool within = false;
	s128 page, offset, length;
	int bar;
	u32 i;

	if (truth->endless || pa % PAGE_SIZE ||
	    fake->vp.mdev.notify_offset_multiplier < PAGE_SIZE)
		return false;
	for (bar = 0; bar < 6; bar++)
		if (pci_resource_len(&fake->pdev, bar) &&
		    (pci_resource_flags(&fake->pdev, bar) & IORESOURCE_MEM) &&
		    pa >= pci_resource_start(&fake->pdev, bar) &&
		    pa <= pci_resource_end(&fake->pdev, bar))
			break;
	if (bar == 6)
		return false;
	page = (s128)pa - pci_resource_start(&fake->pdev, bar);
	if (page + PAGE_SIZE > (s128)pci_resource_len(&fake->pdev, bar))
		return false;

	for (i = 0; i < fake->vp.hw.caps.nvqs; i++)
		if (i != vq && fake->vp.vqs[i].notify_pa / PAGE_SIZE == pa / PAGE_SIZE)
			return false;
	for (i = 0; i < truth->n; i++) {
		u8 pos = truth->caps[i], type = fake->config[pos + 3];

		extent(fake, pos, &offset, &length);
		if (type == VIRTIO_PCI_CAP_PCI_CFG || fake->config[pos + 4] != bar)
			continue;
		if (type != VIRTIO_PCI_CAP_NOTIFY_CFG && meets(offset, length, page, PAGE_SIZE))
			return false;
		if (type == VIRTIO_PCI_CAP_NOTIFY_CFG && offset <= page &&
		    offset + length >= page + PAGE_SIZE)
			within = true;
	}
	return within && !msix_meets(fake, bar, page);
}

/* Doorbells as they should be, to go on from: BAR 4, a page for each queue. */
static void build_sane_doorbells(struct fake_pci *fake, struct fuzz_input *in)
{
	u32 i, page = fuzz_below(in, 8), pages = 1 + fuzz_below(in, 5);

	fake_pci_bar(fake, 4, 0x90000000ULL, (page + pages + fuzz_below(in, 2)) * PAGE_SIZE);
	fake_pci_virtio_cap(fake, VIRTIO_PCI_CAP_NOTIFY_CFG, 4, page * PAGE_SIZE,
			    pages * PAGE_SIZE - fuzz_below(in, 2));
	fake->vp.mdev.notify_offset_multiplier = PAGE_SIZE;
	fake->vp.hw.caps.nvqs = pages;
	fake->vp.vqs = calloc(pages, sizeof(*fake->vp.vqs));
	for (i = 0; i < pages; i++)
		fake->vp.vqs[i].notify_pa = 0x90000000ULL + (page + i) * PAGE_SIZE;
}

/* A place in a BAR: at the start of a page, around it, or anywhere. */
static u32 place(struct fuzz_input *in)
{
	u8 how = fuzz_u8(in);

	if (how & 0x80)
		return fuzz_u32(in);
	return (how & 0xf) * PAGE_SIZE + (how & 0x40 ? (s8)fuzz_u8(in) : 0);
}

static void build_function(struct fake_pci *fake, struct fuzz_input *in)
{
	u32 i, n;

	n = fuzz_below(in, 4);
	for (i = 0; i < n; i++) {
		u8 bar = fuzz_below(in, 7);

		if (bar == 4 && fake->vp.vqs != fake->vqs)
			continue;
		fake_pci_bar(fake, bar, 0x80000000ULL + bar * 0x1000000ULL,
			     1 + place(in) % 0x1000000);
		if (fuzz_u8(in) == 0xff)
			fake->pdev.resource[bar].flags = IORESOURCE_IO;
	}
	n = fuzz_below(in, 7);
	for (i = 0; i < n && fake->next <= 0xe8; i++) {
		u8 type = fuzz_below(in, 11);

		if (type == 10) {
			u8 pos = fake_pci_cap(fake, PCI_CAP_ID_MSIX, 12);

			fake_pci_put(fake, pos + 2, fuzz_u16(in), 2);
			fake_pci_put(fake, pos + 4, place(in), 4);
			fake_pci_put(fake, pos + 8, place(in), 4);
		} else {
			u8 bar = fuzz_below(in, 8);
			u32 offset = place(in), length = place(in);
			u8 pos = fake_pci_virtio_cap(fake, type, bar, offset, length);

			fake_pci_put(fake, pos + 16, fuzz_u8(in), 4);
			fake_pci_put(fake, pos + 20, fuzz_u8(in), 4);
		}
	}
	/* And what no list can look like. */
	n = fuzz_u8(in) & 3 ? 0 : fuzz_below(in, 8);
	for (i = 0; i < n; i++) {
		u8 where = fuzz_u8(in);

		fake->config[where] = fuzz_u8(in);
	}
}

static void build_doorbells(struct fake_pci *fake, struct fuzz_input *in)
{
	static const u32 multipliers[] = { 0, 4, 0x800, 0x1000, 0x2000 };
	u16 i, nvqs = 1 + fuzz_below(in, 6);

	fake->vp.mdev.notify_offset_multiplier = multipliers[fuzz_below(in, 5)];
	fake->vp.hw.caps.nvqs = nvqs;
	fake->vp.vqs = calloc(nvqs, sizeof(*fake->vp.vqs));
	for (i = 0; i < nvqs; i++)
		fake->vp.vqs[i].notify_pa =
			pci_resource_start(&fake->pdev, fuzz_below(in, 6)) + place(in);
}

FUZZ_TARGET(in)
{
	struct fake_pci *fake = calloc(1, sizeof(*fake));
	struct truth truth;
	u32 type;
	u16 vq;

	fake_pci_init(fake);
	if (fuzz_u8(in) & 1)
		fuzz_fill(in, fake->config + 0x34, 0x100 - 0x34);
	if (fuzz_u8(in) & 3) {
		build_sane_doorbells(fake, in);
		build_function(fake, in);
	} else {
		build_function(fake, in);
		build_doorbells(fake, in);
	}
	fake->pdev.msix_cap = pci_find_capability(&fake->pdev, PCI_CAP_ID_MSIX);

	find_truth(fake, &truth);
	for (type = 0; type < 256; type += type < 10 ? 1 : 245) {
		u64 room = vmdev_pci_cap_room(&fake->pdev, type);

		FUZZ_CHECK(room == true_room(fake, &truth, type), "type %u, %llu", type,
			   (unsigned long long)room);
	}
	for (vq = 0; vq < fake->vp.hw.caps.nvqs; vq++)
		FUZZ_CHECK(vmdev_pci_page_exclusive(&fake->vp, vq) ==
			   truly_exclusive(fake, &truth, vq), "queue %u", vq);

	free(fake->vp.vqs);
	free(fake);
}
