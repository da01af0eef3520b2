// SPDX-License-Identifier: GPL-2.0
/*
 * The dirty log's bits (drivers/dirty/bitmap.c) beside a flag for each page:
 * marks of any place and length, of everything, also while a harvest is under
 * way; harvests of any part, which fail at times.
 */
#include "../../drivers/dirty/bitmap.c"
#include <fuzz.h>

#define AREAS_MAX	4
/* More than two words of the summary stand for. */
#define PAGES_MAX	9000

/* A page: not dirty; reported since everything was marked, and perhaps once more; dirty. */
enum model_page { CLEAN, MAYBE, DIRTY };

/**
 * struct model_area - a range
 * @first: its first page, as IOVA
 * @pages: how many
 * @state: enum model_page of each
 */
struct model_area {
	u64 first;
	u32 pages;
	u8 state[PAGES_MAX];
};

/**
 * struct model - a log
 * @in: what happens
 * @log: the driver's
 * @shift: page size
 * @n: length of @areas
 * @areas: the ranges
 * @from: first IOVA that is asked for
 * @to: last one
 * @next: harvests go upwards
 * @marked: something was marked while the harvest was under way
 * @marked_all: everything was: what is reported from then on is again in the next one
 * @fail_in: the harvest fails with this emit; none if negative
 */
static struct model {
	struct fuzz_input *in;
	struct vmdev_dirty *log;
	unsigned int shift;
	unsigned int n;
	struct model_area areas[AREAS_MAX];
	s128 from;
	s128 to;
	s128 next;
	bool marked;
	bool marked_all;
	int fail_in;
} m;

/* Where something may be: around the ends of a range, within it, or anywhere. */
static u64 some_iova(void)
{
	u8 how = fuzz_u8(m.in);
	const struct model_area *area = &m.areas[how / 16 % m.n];
	u64 at = area->first;

	switch (how % 4) {
	case 0:
		return at + ((u64)fuzz_u16(m.in) << m.shift);
	case 1:
		return at + ((u64)area->pages << m.shift) + (s64)(s16)fuzz_u16(m.in);
	case 2:
		return at + (s64)(s16)fuzz_u16(m.in);
	default:
		return fuzz_u64(m.in);
	}
}

static u64 some_length(void)
{
	u8 how = fuzz_u8(m.in);

	if (how % 4 == 3)
		return fuzz_u64(m.in);
	return ((u64)(how / 4) << m.shift) + (how % 4 ? (s64)(s8)fuzz_u8(m.in) : 1);
}

static void mark(void)
{
	u64 iova, len;
	s128 last;
	u32 i;

	if (fuzz_u8(m.in) < 12) {
		vmdev_dirty_mark_all(m.log);
		m.marked_all = true;
		iova = 0;
		last = U64_MAX;
		len = 1;
	} else {
		iova = some_iova();
		len = some_length();
		if (len && len <= U32_MAX && (iova ^ len) & 1)
			vmdev_dirty_mark_dma(m.log, iova, len);
		else
			vmdev_dirty_mark(m.log, iova, len);
		last = (s128)iova + len - 1;
	}
	m.marked = true;
	/* What would go on around the end of memory ends there. */
	for (i = 0; len && i < m.n; i++) {
		struct model_area *area = &m.areas[i];
		s128 end = (s128)area->first + ((s128)area->pages << m.shift) - 1;
		u64 from = max(iova, area->first), to = min((s128)last, end);

		if (iova <= end && last >= area->first)
			memset(area->state + ((from - area->first) >> m.shift), DIRTY,
			       ((to - area->first) >> m.shift) -
			       ((from - area->first) >> m.shift) + 1);
	}
}

static void emit_page(s128 page)
{
	u32 i;

	FUZZ_CHECK(page >= m.next, "not upwards");
	FUZZ_CHECK(page <= m.to && page + (1 << m.shift) > m.from, "was not asked for");
	m.next = page + 1;
	for (i = 0; i < m.n; i++) {
		struct model_area *area = &m.areas[i];
		s128 p = (page - (s128)area->first) >> m.shift;

		if (page < area->first || p >= area->pages)
			continue;
		FUZZ_CHECK(area->state[p] != CLEAN, "page %u of range %u is clean", (u32)p, i);
		area->state[p] = m.marked_all ? MAYBE : CLEAN;
		return;
	}
	FUZZ_CHECK(false, "a page of no range");
}

static int emit(void *ctx, u64 iova, u64 bits)
{
	u32 i;

	FUZZ_CHECK(bits, "nothing");
	if (m.fail_in >= 0 && !m.fail_in--)
		return -EFAULT;
	for (i = 0; i < 64; i++)
		if (bits >> i & 1)
			emit_page((s128)iova + ((s128)i << m.shift));
	/* Somebody else is not held up by a harvest. */
	if (fuzz_u8(m.in) >= 0xc0)
		mark();
	return 0;
}

static void harvest(u64 from, u64 to, int fail_in)
{
	bool failed = fail_in >= 0;
	u32 i, p;
	int err;

	m.from = from;
	m.to = to;
	m.next = 0;
	m.fail_in = fail_in;
	m.marked = false;
	m.marked_all = false;
	err = vmdev_dirty_harvest(m.log, from, to, emit, NULL);
	if (from > to) {
		FUZZ_CHECK(err == -EINVAL, "%d", err);
		return;
	}
	FUZZ_CHECK(err == (failed && m.fail_in < 0 ? -EFAULT : 0), "%d", err);
	if (err || m.marked)
		return;
	for (i = 0; i < m.n; i++) {
		for (p = 0; p < m.areas[i].pages; p++) {
			s128 page = (s128)m.areas[i].first + ((s128)p << m.shift);

			FUZZ_CHECK(m.areas[i].state[p] != DIRTY || page > m.to ||
				   page + (1 << m.shift) <= m.from,
				   "page %u of range %u was missed", p, i);
		}
	}
}

/* Ranges one after the other, the last of them perhaps up to the end of memory. */
static void make_log(struct fuzz_input *in)
{
	struct vmdev_dirty_range ranges[AREAS_MAX];
	u64 at = (u64)fuzz_u16(in) << 21, pages;
	u64 size;
	u32 i;

	m.in = in;
	m.shift = 12 + fuzz_u8(in) % 10;
	size = 1ULL << m.shift;
	m.n = 1 + fuzz_u8(in) % AREAS_MAX;
	for (i = 0; i < m.n; i++) {
		u8 how = fuzz_u8(in);

		/* Also those that touch. */
		at += (how & 3 ? (u64)fuzz_u8(in) : 0) << m.shift;
		pages = 1 + (how & 0xc ? fuzz_u8(in) : fuzz_u16(in)) % (PAGES_MAX - 1);
		if (i == m.n - 1 && !(how & 0xf0))
			at = -(pages << m.shift);
		m.areas[i].first = at;
		m.areas[i].pages = pages;
		memset(m.areas[i].state, CLEAN, pages);
		ranges[i].first = at + fuzz_u16(in) % size;
		ranges[i].last = at + ((pages - 1) << m.shift) + size - 1;
		if (pages > 1)
			ranges[i].last -= fuzz_u16(in) % size;
		at += pages << m.shift;
	}
	m.log = vmdev_dirty_alloc(m.shift, ranges, m.n);
	FUZZ_CHECK(!IS_ERR(m.log), "alloc: %ld", PTR_ERR(m.log));
}

FUZZ_TARGET(in)
{
	u32 n = 0;

	make_log(in);
	while (in->left && n++ < 64) {
		u8 what = fuzz_u8(in);
		u64 from, to;

		if (what < 160) {
			mark();
			continue;
		}
		from = what & 1 ? 0 : some_iova();
		to = what & 2 ? U64_MAX : some_iova();
		harvest(from, to, what < 224 ? -1 : what & 15);
	}
	harvest(0, U64_MAX, -1);
	if (m.marked)
		harvest(0, U64_MAX, -1);
	vmdev_dirty_free(m.log);
}
