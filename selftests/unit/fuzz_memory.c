// SPDX-License-Identifier: GPL-2.0
/*
 * Guest memory (drivers/core/memory.c, alias.c): maps, unmaps and accesses in any
 * order, some of it where the platform reserves IOVAs, beside a list of ranges kept
 * with arithmetic that cannot overflow.
 */
#include <uapi/linux/vhost_types.h>

#include "../kunit/fake_pages.h"
#include "../../drivers/core/alias.c"
#include "../../drivers/core/maps.c"
#include "../../drivers/core/memory.c"
#include "../kunit/fake_hw.h"
#include <fuzz.h>

#define RANGES	24
#define PAGES	4
#define SEGS	4

/* Stands in for drivers/core/queue_check.c. */
u8 vmdev_vq_asid(const struct vmdev_dev *dev, u16 vq)
{
	return dev->mem.group_as[VMDEV_GROUP_DATA];
}

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

/* Which of the regions has an IOVA, or -1. */
static int region_of(struct model *m, s128 iova)
{
	u32 i;

	for (i = 0; i < m->fake.n_reserved; i++)
		if (iova >= m->fake.reserved[i].first && iova <= m->fake.reserved[i].last)
			return i;
	return -1;
}

/*
 * Of two regions the upper one is below the lower one's alias, both at the very end
 * of the window. 0 if there is no window.
 */
static s128 true_alias(struct model *m, s128 iova)
{
	s128 end = (s128)m->fake.dev.mem.range.last + 1 + VMDEV_WINDOW_SIZE;
	int i, region = region_of(m, iova);

	if (region < 0)
		return iova;
	if (m->fake.dev.mem.range.last == U64_MAX)
		return 0;
	for (i = 0; i <= region; i++)
		end -= m->fake.reserved[i].last - m->fake.reserved[i].first + 1;
	return end + (iova - m->fake.reserved[region].first);
}

/* Borders of regions that are between two neighbours of a range. */
static u32 true_pieces(struct model *m, s128 iova, s128 end)
{
	u32 i, n = 1;

	for (i = 0; i < m->fake.n_reserved; i++) {
		s128 first = m->fake.reserved[i].first;
		s128 behind = (s128)m->fake.reserved[i].last + 1;

		/* One region may begin where another ends. */
		n += iova < first && first < end && region_of(m, first - 1) < 0;
		n += iova < behind && behind < end;
	}
	return n;
}

static bool is_reserved(struct model *m, s128 iova, s128 end)
{
	return region_of(m, iova) >= 0 || true_pieces(m, iova, end) > 1;
}

/* The last @n that the hardware was told are all of a range, in order. */
static void check_pieces(struct model *m, const struct fake_range *log, u32 told, u32 n,
			 const struct range *range)
{
	s128 at = range->iova;
	u32 i;

	for (i = told - n; i != told; i++) {
		const struct fake_range *piece = &log[i % FAKE_LOG];

		FUZZ_CHECK(piece->iova == (u64)true_alias(m, at), "%#llx is at %#llx", (u64)at,
			   piece->iova);
		FUZZ_CHECK(piece->perm != range->perm || !range->perm ||
			   piece->pa == range->pa + (u64)(at - range->iova), "at %#llx", (u64)at);
		at += piece->size;
		FUZZ_CHECK((u64)(piece->iova + piece->size - 1) == (u64)true_alias(m, at - 1),
			   "%#llx is elsewhere", (u64)(at - 1));
	}
	FUZZ_CHECK(at == range->end, "%#llx is left", (u64)(range->end - at));
}

static void check_aliased(struct model *m)
{
	unsigned long n = 0;
	u32 i;

	for (i = 0; i < RANGES; i++)
		n += m->ranges[i].perm && is_reserved(m, m->ranges[i].iova, m->ranges[i].end);
	FUZZ_CHECK(m->fake.dev.mem.as[0].aliased == n, "%lu, not %lu",
		   m->fake.dev.mem.as[0].aliased, n);
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
	if (mem->range.last == U64_MAX && is_reserved(m, iova, end))
		return -EINVAL;
	/* It fails at some piece, or has none that is so far. */
	return m->fake.maps_left >= true_pieces(m, iova, end) ? 0 : m->fake.error;
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
	u32 maps = m->fake.n_maps, unmaps = m->fake.n_unmaps;
	int err;

	for (i = 0; i < RANGES && m->ranges[i].perm; i++)
		;
	if (i == RANGES)
		return;
	err = vmdev_mem_map(&m->fake.dev, 0, iova, size, pa, perm);
	FUZZ_CHECK(err == expected, "map of %#llx at %#llx: %d", size, iova, err);
	if (err) {
		/* All or nothing. */
		FUZZ_CHECK(m->fake.n_maps - maps == m->fake.n_unmaps - unmaps, "%u left",
			   m->fake.n_maps - maps);
		check_aliased(m);
		return;
	}
	m->ranges[i] = (struct range) { iova, (s128)iova + size, pa, perm };
	maps = m->fake.n_maps - maps;
	FUZZ_CHECK(maps == true_pieces(m, iova, m->ranges[i].end), "%u pieces", maps);
	check_pieces(m, m->fake.maps, m->fake.n_maps, maps, &m->ranges[i]);
	check_aliased(m);
}

static void do_unmap(struct model *m, struct fuzz_input *in)
{
	u64 iova = fuzz_address(in), size = fuzz_length(in);
	s128 end = (s128)iova + size;
	bool sane = size && end <= (s128)1 << 64;
	u32 i, n = 0, before = m->fake.n_unmaps;
	int err = vmdev_mem_unmap(&m->fake.dev, 0, iova, size);
	struct range last = { 0 };

	FUZZ_CHECK(err == (sane ? 0 : -EINVAL), "%d", err);
	for (i = 0; i < RANGES && sane; i++) {
		if (meets(&m->ranges[i], iova, end)) {
			m->ranges[i].perm = 0;
			n += true_pieces(m, m->ranges[i].iova, m->ranges[i].end);
			if (m->ranges[i].end > last.end)
				last = m->ranges[i];
		}
	}
	FUZZ_CHECK(m->fake.n_unmaps - before == n, "%u, not %u", m->fake.n_unmaps - before, n);
	/* They go in order. */
	if (n)
		check_pieces(m, m->fake.unmaps, m->fake.n_unmaps,
			     true_pieces(m, last.iova, last.end), &last);
	check_aliased(m);
}

/* Pieces of a buffer, each within the usable IOVAs; what does not fit stays. */
static void check_split(struct model *m, struct fuzz_input *in)
{
	u32 i, j, n = 1 + fuzz_below(in, SEGS), room = fuzz_below(in, 3 * SEGS), total = 0, got;
	struct vmdev_vring_seg segs[3 * SEGS] = { 0 }, now[3 * SEGS];
	const struct vmdev_mem *mem = &m->fake.dev.mem;

	if (!mem->attached || mem->range.last == U64_MAX)
		return;
	for (i = 0; i < n; i++) {
		segs[i].addr = fuzz_address(in) & mem->range.last;
		segs[i].len = min(fuzz_length(in), mem->range.last - segs[i].addr) & U32_MAX;
		segs[i].write = fuzz_u8(in) & 1;
		total += true_pieces(m, segs[i].addr, (s128)segs[i].addr + segs[i].len);
	}
	memcpy(now, segs, sizeof(segs));
	got = vmdev_alias_split(mem, now, n, room);
	FUZZ_CHECK(got == total, "%u, not %u", got, total);
	if (got > room) {
		FUZZ_CHECK(!memcmp(now, segs, sizeof(segs)), "changed");
		return;
	}
	for (i = 0, j = 0; i < n; i++) {
		s128 at = segs[i].addr, end = at + segs[i].len;

		do {
			FUZZ_CHECK(now[j].write == segs[i].write, "piece %u", j);
			FUZZ_CHECK(!segs[i].len || now[j].addr == (u64)true_alias(m, at),
				   "piece %u", j);
			FUZZ_CHECK(!segs[i].len ||
				   vmdev_alias_to_guest(mem, now[j].addr) == (u64)at,
				   "piece %u", j);
			at += now[j].len;
			FUZZ_CHECK(!segs[i].len || (u64)(now[j].addr + now[j].len - 1) ==
				   (u64)true_alias(m, at - 1), "end of piece %u", j);
			j++;
		} while (at < end);
		FUZZ_CHECK(at == end, "piece %u is too long", j - 1);
	}
	FUZZ_CHECK(j == total, "%u, not %u", j, total);
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
	vmdev_as_fresh_hint(&m->fake.dev.mem.as[0], &m->hint);
	perm = perm & VHOST_ACCESS_WO ? VHOST_ACCESS_WO : VHOST_ACCESS_RO;
	FUZZ_CHECK(vmdev_as_covers(&m->fake.dev.mem.as[0], &m->hint, iova, size,
				   perm == VHOST_ACCESS_WO) ==
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
		m->fake.maps_left = fuzz_below(in, 4);
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
	case 11:
		check_split(m, in);
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
	switch (fuzz_u8(in) % 3) {
	case 0:
		m->fake.range = (struct vdpa_iova_range) { 0x100000, 0x11ffff };
		break;
	case 1:
		m->fake.range.last = (1ULL << 40) - 1;
	}
	m->fake.n_reserved = fuzz_below(in, 3);
	m->fake.reserved[0] = (struct vdpa_iova_range) { 0x101000, 0x101fff };
	m->fake.reserved[1] = (struct vdpa_iova_range) { 0x102000 + 0x1000 * fuzz_below(in, 2),
							 0x10ffff };
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
