// SPDX-License-Identifier: GPL-2.0
/*
 * Guest memory (drivers/core/memory.c): maps, unmaps and accesses in any order,
 * beside a list of ranges kept with arithmetic that cannot overflow.
 */
#include "../../drivers/core/maps.c"
#include "../../drivers/core/memory.c"
#include "../kunit/fake_hw.h"
#include <fuzz.h>

#define RANGES	24
#define PAGES	4

/**
 * struct range - a mapping
 * @iova: first byte; the first behind it is @end
 * @end: see @iova
 * @pa: where it is
 * @perm: VHOST_ACCESS_*; 0 if there is none
 */
struct range {
	s128 iova;
	s128 end;
	u64 pa;
	u32 perm;
};

/**
 * struct model - what should be mapped
 * @fake: what is tested
 * @ranges: in no order
 * @pages: memory that may be mapped
 * @hint: what was found last, however long ago that was
 */
struct model {
	struct fake_hw fake;
	struct range ranges[RANGES];
	u8 *pages[PAGES];
	struct vmdev_map_hint hint;
};

static struct range *range_at(struct model *m, s128 iova)
{
	u32 i;

	for (i = 0; i < RANGES; i++)
		if (m->ranges[i].perm && iova >= m->ranges[i].iova && iova < m->ranges[i].end)
			return &m->ranges[i];
	return NULL;
}

static bool meets(const struct range *range, s128 iova, s128 end)
{
	return range->perm && range->iova < end && iova < range->end;
}

static int true_map(struct model *m, u64 iova, u64 size, u32 perm)
{
	const struct vmdev_mem *mem = &m->fake.dev.mem;
	s128 end = (s128)iova + size;
	u32 i;

	if (!mem->attached)
		return mem->error ? : -ENODEV;
	if (!size || end > (s128)1 << 64 || !(perm & VHOST_ACCESS_RW))
		return -EINVAL;
	if (iova < mem->range.first || end - 1 > mem->range.last)
		return -ERANGE;
	for (i = 0; i < RANGES; i++)
		if (meets(&m->ranges[i], iova, end))
			return -EEXIST;
	return m->fake.error;
}

static u64 some_pa(struct model *m, struct fuzz_input *in)
{
	u8 which = fuzz_u8(in);

	return which & 0x80 ? fuzz_u64(in) :
	       virt_to_phys(m->pages[which % PAGES]) +
	       (which & 0x40 ? fuzz_u16(in) % PAGE_SIZE : 0);
}

static void do_map(struct model *m, struct fuzz_input *in)
{
	u64 iova = fuzz_address(in), size = fuzz_length(in), pa = some_pa(m, in);
	u32 i, perm = fuzz_u8(in) % 5;
	int expected = true_map(m, iova, size, perm);
	int err;

	for (i = 0; i < RANGES && m->ranges[i].perm; i++)
		;
	if (i == RANGES)
		return;
	err = vmdev_mem_map(&m->fake.dev, 0, iova, size, pa, perm);
	FUZZ_CHECK(err == expected, "map of %#llx at %#llx: %d", size, iova, err);
	if (!err)
		m->ranges[i] = (struct range) { iova, (s128)iova + size, pa, perm };
}

static void do_unmap(struct model *m, struct fuzz_input *in)
{
	u64 iova = fuzz_address(in), size = fuzz_length(in);
	s128 end = (s128)iova + size;
	bool sane = size && end <= (s128)1 << 64;
	u32 i, n = 0, before = m->fake.n_unmaps;
	int err = vmdev_mem_unmap(&m->fake.dev, 0, iova, size);

	FUZZ_CHECK(err == (sane ? 0 : -EINVAL), "%d", err);
	for (i = 0; i < RANGES && sane; i++) {
		if (meets(&m->ranges[i], iova, end)) {
			m->ranges[i].perm = 0;
			n++;
		}
	}
	FUZZ_CHECK(m->fake.n_unmaps - before == n, "%u, not %u", m->fake.n_unmaps - before, n);
}

static bool true_covers(struct model *m, u64 iova, u64 size, u32 perm)
{
	s128 at = iova, end = (s128)iova + size;
	struct range *range;

	if (!size || end > (s128)1 << 64)
		return false;
	for (; at < end; at = range->end) {
		range = range_at(m, at);
		if (!range || (range->perm & perm) != perm)
			return false;
	}
	return true;
}

static void check_covers(struct model *m, struct fuzz_input *in)
{
	u64 iova = fuzz_address(in), size = fuzz_length(in);
	u32 perm = fuzz_u8(in) % 4;

	FUZZ_CHECK(vmdev_mem_covers(&m->fake.dev, 0, iova, size, perm) ==
		   true_covers(m, iova, size, perm), "%#llx at %#llx", size, iova);
	size = (u32)size;
	FUZZ_CHECK(vmdev_as_covers(&m->fake.dev.mem.as[0], &m->hint, iova, size, perm) ==
		   (!size || true_covers(m, iova, size, perm)), "%#llx at %#llx", size, iova);
}

/* The byte of memory behind an IOVA, if there is one. */
static u8 *true_byte(struct model *m, s128 iova, u32 perm)
{
	struct range *range = range_at(m, iova);
	u32 i;
	u64 pa;

	if (!range || (range->perm & perm) != perm || iova >> 64)
		return NULL;
	pa = range->pa + (u64)(iova - range->iova);
	for (i = 0; i < PAGES; i++)
		if (pa - virt_to_phys(m->pages[i]) < PAGE_SIZE)
			return m->pages[i] + (pa - virt_to_phys(m->pages[i]));
	return NULL;
}

static bool true_access(struct model *m, u64 iova, u32 size, u32 perm)
{
	u32 i;

	for (i = 0; i < size; i++)
		if (!true_byte(m, (s128)iova + i, perm))
			return false;
	return true;
}

static void check_read(struct model *m, struct fuzz_input *in)
{
	u64 iova = fuzz_address(in);
	u32 i, size = fuzz_u16(in) % 0x1800;
	bool expected = true_access(m, iova, size, 0);
	u8 *buf = malloc(size);
	int err = vmdev_mem_read(&m->fake.dev, 0, iova, buf, size);

	FUZZ_CHECK(err == (expected ? 0 : -EFAULT), "read of %#x at %#llx: %d", size, iova, err);
	for (i = 0; i < size && !err; i++)
		FUZZ_CHECK(buf[i] == *true_byte(m, (s128)iova + i, 0), "byte %u", i);
	free(buf);
}

static void check_fill(struct model *m, struct fuzz_input *in)
{
	u64 iova = fuzz_address(in);
	u32 i, size = fuzz_u16(in) % 0x1800;
	bool expected = true_access(m, iova, size, VHOST_ACCESS_WO);
	u8 byte = fuzz_u8(in);
	int err = vmdev_mem_fill(&m->fake.dev, 0, iova, byte, size);

	FUZZ_CHECK(err == (expected ? 0 : -EFAULT), "fill of %#x at %#llx: %d", size, iova, err);
	for (i = 0; i < size && !err; i++)
		FUZZ_CHECK(*true_byte(m, (s128)iova + i, 0) == byte, "byte %u", i);
}

static void do_detach(struct model *m)
{
	u32 i;

	vmdev_mem_detach(&m->fake.dev);
	for (i = 0; i < RANGES; i++)
		m->ranges[i].perm = 0;
	FUZZ_CHECK(!m->fake.dev.mem.as[0].maps.count, "something is left");
}

static void step(struct model *m, struct fuzz_input *in)
{
	switch (fuzz_u8(in) % 16) {
	case 0:
		do_detach(m);
		break;
	case 1:
		vmdev_mem_attach(&m->fake.dev);
		break;
	case 2:
		m->fake.error = m->fake.error ? 0 : -ENOMEM;
		break;
	case 3 ... 5:
		do_unmap(m, in);
		break;
	case 6 ... 7:
		check_covers(m, in);
		break;
	case 8 ... 9:
		check_read(m, in);
		break;
	case 10:
		check_fill(m, in);
		break;
	default:
		do_map(m, in);
	}
}

FUZZ_TARGET(in)
{
	struct model *m = calloc(1, sizeof(*m));
	u32 i;

	fake_hw_init(&m->fake, VIRTIO_ID_NET);
	for (i = 0; i < PAGES; i++) {
		m->pages[i] = (u8 *)get_zeroed_page(GFP_KERNEL);
		memset(m->pages[i], i + 1, PAGE_SIZE);
	}
	if (fuzz_u8(in) & 1)
		m->fake.range = (struct vdpa_iova_range) { 0x100000, 0x11ffff };
	vmdev_mem_init(&m->fake.dev.mem);
	mutex_lock(&m->fake.parent.lock);
	vmdev_mem_attach(&m->fake.dev);
	while (in->left)
		step(m, in);
	do_detach(m);
	FUZZ_CHECK(m->fake.n_maps == m->fake.n_unmaps, "%u maps, %u unmaps", m->fake.n_maps,
		   m->fake.n_unmaps);
	vmdev_mem_destroy(&m->fake.dev.mem);
	for (i = 0; i < PAGES; i++)
		free_page((unsigned long)m->pages[i]);
	free(m);
}
