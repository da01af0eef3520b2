// SPDX-License-Identifier: GPL-2.0
/*
 * Split rings of a hostile driver; see fuzz_vring.h. The model is virtio 1.2,
 * 2.7, with numbers where the specification has them.
 */
#include "fuzz_vring.h"

/* Offsets in the avail and in the used ring. */
#define AVAIL_RING(i)	(4 + 2 * ((i) % f.num))
#define USED_RING(i)	(4 + 8 * ((i) % f.num))
#define USED_EVENT	(4 + 2 * f.num)
#define AVAIL_EVENT	(4 + 8 * f.num)

static bool model_init(void)
{
	f.inflight = f.pos.avail - f.pos.used;
	return f.inflight <= f.num;
}

static int expect_table(struct vring_expect *e, const struct vring_desc *table)
{
	u32 n = table_length(table), i = 0;
	struct vring_desc desc;

	for (;;) {
		if (i >= n || !table_entry(le64toh(table->addr), i, &desc) ||
		    (le16toh(desc.flags) & 4) || !expect_seg(e, &desc))
			return -1;
		if (!(le16toh(desc.flags) & 1))
			return 1;
		i = le16toh(desc.next);
	}
}

static int model_pop(struct vring_expect *e)
{
	struct vring_desc desc;
	u16 i;

	/* All that are known first; only then is the index read again. */
	if (f.seen == f.pos.avail)
		f.seen = get16(DRIVER, 2);
	if (f.seen == f.pos.avail)
		return 0;
	if ((u16)(f.seen - f.pos.avail) > f.num || f.inflight == f.num)
		return -1;

	e->id = get16(DRIVER, AVAIL_RING(f.pos.avail));
	e->slots = 1;
	for (i = e->id;; i = le16toh(desc.next)) {
		if (i >= f.num)
			return -1;
		desc = desc_at(i);
		if (le16toh(desc.flags) & 4)
			return expect_table(e, &desc);
		if (!expect_seg(e, &desc))
			return -1;
		if (!(le16toh(desc.flags) & 1))
			return 1;
	}
}

static void model_take(u16 slots)
{
	f.pos.avail++;
	f.inflight++;
}

static void model_untake(u16 slots)
{
	f.pos.avail--;
	f.inflight--;
}

static void model_push(u16 id, u16 slots, u32 len)
{
	put32(DEVICE, USED_RING(f.pos.used), id);
	put32(DEVICE, USED_RING(f.pos.used) + 4, len);
	f.pos.used++;
	f.inflight--;
	f.fresh++;
}

static int model_publish(void)
{
	bool valid = f.signalled_valid;
	u16 i, old = f.signalled;

	if (!f.fresh)
		return 0;
	f.fresh = 0;
	put16(DEVICE, 2, f.pos.used);
	if (!has(VIRTIO_RING_F_EVENT_IDX))
		return !(get16(DRIVER, 0) & 1);
	f.signalled = f.pos.used;
	f.signalled_valid = true;
	if (!valid)
		return 1;
	for (i = old; i != f.pos.used; i++)
		if (i == get16(DRIVER, USED_EVENT))
			return 1;
	return 0;
}

static void model_kicks_off(void)
{
	if (!has(VIRTIO_RING_F_EVENT_IDX))
		put16(DEVICE, 0, 1);
}

static bool model_kicks_on(void)
{
	if (has(VIRTIO_RING_F_EVENT_IDX))
		put16(DEVICE, AVAIL_EVENT, f.pos.avail);
	else
		put16(DEVICE, 0, 0);
	return get16(DRIVER, 2) != f.pos.avail;
}

/* In one go: so few that no more is read than a call may read. */
#define ONES	6

/*
 * vmdev_split_look_one() for the buffer that is @k behind the next: is it taken so? What it may
 * leave to vmdev_split_pop() is several pieces, a table, or a broken rule; what it may take, and
 * its caller then refuses, is a piece that wraps around.
 */
static bool look_one(u16 k, u16 *id)
{
	static struct vring_expect e;
	struct vmdev_vring_seg seg;
	bool got, wraps, direct;
	int want;

	got = vmdev_split_look_one(&f.ring, f.ring.pos.avail + k, &seg, id);
	FUZZ_CHECK(!got || *id < f.num, "id %u", *id);
	wraps = got && (s128)seg.addr + seg.len > U64_MAX;
	if (f.mid)
		return got && !wraps;

	memset(&e, 0, offsetof(struct vring_expect, segs));
	f.pos.avail += k;
	f.inflight += k;
	want = model_pop(&e);
	f.pos.avail -= k;
	f.inflight -= k;
	direct = want == 1 && !(le16toh(desc_at(e.id).flags) & 5);
	FUZZ_CHECK(got == direct || (got && wraps), "one piece: %d, not %d", got, direct);
	if (got && !wraps)
		FUZZ_CHECK(*id == e.id && e.n == 1 && seg.addr == e.segs[0].addr &&
			   seg.len == e.segs[0].len && seg.write == e.segs[0].write,
			   "another piece");
	return got && !wraps;
}

static void take_ones(void)
{
	u16 ready = vmdev_split_ready(&f.ring), n = 0, i, ids[ONES];

	FUZZ_CHECK(ready == min_t(u16, f.seen - f.pos.avail, f.num - f.inflight),
		   "%u are ready", ready);
	while (n < ONES && n < ready && look_one(n, &ids[n]))
		n++;
	vmdev_split_took(&f.ring, n);
	for (i = 0; i < n; i++) {
		model_take(1);
		f.held[f.nheld].id = ids[i];
		f.held[f.nheld++].slots = 1;
	}
	buffers_popped += n;
}

static void give_ones(void)
{
	u16 n = min_t(u16, f.nheld, ONES), i;
	u32 len = fuzz_u32(f.in);

	for (i = 0; i < n; i++) {
		u16 id = f.held[--f.nheld].id;

		model_push(id, 1, len);
		vmdev_split_put_one(&f.ring, f.ring.pos.used + i, id, len);
	}
	vmdev_split_pushed(&f.ring, n);
}

/* Only a ring that is whole goes the short way. */
static void step_ones(void)
{
	bool take = fuzz_u8(f.in) & 1;

	if (f.broken)
		return;
	f.can_unpop = false;
	if (take)
		take_ones();
	else
		give_ones();
	call_done();
}

static void drv_write16(unsigned int area, u32 offset, u16 v)
{
	v = htole16(v);
	drv_write(area, offset, &v, sizeof(v));
}

/* A chain of @n descriptors, the first of @nread to read, from entry @at of an area on. */
static void drv_chain(unsigned int area, u16 at, u16 entries, u16 n, u16 nread)
{
	/* Around 4 GiB in all, at times. */
	u32 len = fuzz_u8(f.in) >= 0xf0 ? 0x3ffffff0 + fuzz_u8(f.in) % 32 : 64;
	struct vring_desc desc;
	u16 i;

	for (i = 0; i < n; i++) {
		desc = (struct vring_desc) {
			.addr = htole64(0x100000 + 0x1000 * i),
			.len = htole32(len << i % 4),
			.flags = htole16((i + 1 < n) | (i >= nread ? 2 : 0)),
			.next = htole16((at + i + 1) % entries),
		};
		drv_write(area, (at + i) % entries * 16, &desc, sizeof(desc));
	}
}

static void drv_add(void)
{
	u8 what = fuzz_u8(f.in);
	u16 n = 1 + what % 4, nread = what / 4 % 8, head = f.drv * 4 % f.num, at;
	struct vring_desc desc;

	/* An honest one never has more out than there are entries. */
	if ((u16)(f.drv - f.pos.used) >= f.num && what != 0xff)
		return;
	n = min(n, f.num);
	if (has(VIRTIO_RING_F_INDIRECT_DESC) && (what & 0x20)) {
		/* Behind one other descriptor at times, as 2.7.5.3.2 has it. */
		bool ends = (what & 0x40) && f.num > 1;

		at = f.drv * 4 % (TABLES_SIZE / 16 - 8);
		if (ends)
			drv_chain(DESC, head, f.num, 2, 1);
		drv_chain(TABLES, at, TABLES_SIZE / 16, n, ends ? nread : 0);
		/* Next is counted from the table's own begin. */
		for (u16 i = 0; i < n; i++)
			drv_write16(TABLES, (at + i) * 16 + 14, i + 1);
		desc = (struct vring_desc) {
			.addr = htole64(f.tables_iova + at * 16),
			.len = htole32(n * 16),
			.flags = htole16(4),
		};
		drv_write(DESC, (head + ends) % f.num * 16, &desc, sizeof(desc));
	} else {
		drv_chain(DESC, head, f.num, n, nread);
	}
	drv_write16(DRIVER, AVAIL_RING(f.drv), head);
	drv_write16(DRIVER, 2, ++f.drv);
}

static void drv_wish(u8 ahead)
{
	if (has(VIRTIO_RING_F_EVENT_IDX))
		drv_write16(DRIVER, USED_EVENT, f.pos.used + ahead % 8 - 4);
	else
		drv_write16(DRIVER, 0, ahead & 1);
}

FUZZ_TARGET(in)
{
	vring_fuzz(in, 0);
}
