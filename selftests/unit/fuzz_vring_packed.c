// SPDX-License-Identifier: GPL-2.0
/*
 * Packed rings of a hostile driver; see fuzz_vring.h. The model is virtio 1.2,
 * 2.8, with numbers where the specification has them.
 */
#include "fuzz_vring.h"

#define AVAIL	BIT(7)
#define USED	BIT(15)

/* @n entries on from @at; the wrap counter changes at the end of the ring. */
static void move_on(u16 *at, bool *wrap, u16 n)
{
	while (n--) {
		if (++*at == f.num) {
			*at = 0;
			*wrap = !*wrap;
		}
	}
}

static bool model_init(void)
{
	u16 at = f.pos.used;
	bool wrap = f.pos.used_wrap;
	u16 n;

	if (f.pos.avail >= f.num || f.pos.used >= f.num)
		return false;
	for (n = 0; n <= f.num; n++) {
		if (at == f.pos.avail && wrap == f.pos.avail_wrap) {
			f.inflight = n;
			return true;
		}
		move_on(&at, &wrap, 1);
	}
	return false;
}

/* In both formats flags follow address and length, here behind the id. */
static u16 flags_at(u16 i)
{
	return get16(DESC, i * 16 + 14);
}

static bool is_avail(void)
{
	u16 flags = flags_at(f.pos.avail) & (AVAIL | USED);

	return f.inflight < f.num && flags == (f.pos.avail_wrap ? AVAIL : USED);
}

/* As a split one, so that both have what they share in one place. */
static struct vring_desc as_split(struct vring_desc desc)
{
	const struct vring_packed_desc *p = (const void *)&desc;

	return (struct vring_desc) { p->addr, p->len, p->flags, p->id };
}

static int expect_table(struct vring_expect *e, const struct vring_desc *table)
{
	u32 n = table_length(table), i;
	struct vring_desc desc;

	for (i = 0; i < n; i++) {
		if (!table_entry(le64toh(table->addr), i, &desc))
			return -1;
		desc = as_split(desc);
		if ((le16toh(desc.flags) & 4) || !expect_seg(e, &desc))
			return -1;
	}
	return n ? 1 : -1;
}

static int model_pop(struct vring_expect *e)
{
	struct vring_desc desc;
	u16 at = f.pos.avail;

	if (!is_avail())
		return 0;
	for (;; at = (at + 1) % f.num) {
		if (e->slots == f.num - f.inflight)
			return -1;
		desc = as_split(desc_at(at));
		e->slots++;
		e->id = le16toh(desc.next);
		if (le16toh(desc.flags) & 4)
			return e->n ? -1 : expect_table(e, &desc);
		if (!expect_seg(e, &desc))
			return -1;
		if (!(le16toh(desc.flags) & 1))
			return 1;
	}
}

static void model_take(u16 slots)
{
	move_on(&f.pos.avail, &f.pos.avail_wrap, slots);
	f.inflight += slots;
}

static void model_untake(u16 slots)
{
	f.inflight -= slots;
	while (slots--) {
		if (!f.pos.avail--) {
			f.pos.avail = f.num - 1;
			f.pos.avail_wrap = !f.pos.avail_wrap;
		}
	}
}

/* The flags of the first of those that are published together come last. */
static void model_push(u16 id, u16 slots, u32 len)
{
	u16 flags = (f.pos.used_wrap ? AVAIL | USED : 0) | (len ? 2 : 0);

	put32(DESC, f.pos.used * 16 + 8, len);
	put16(DESC, f.pos.used * 16 + 12, id);
	if (f.fresh) {
		put16(DESC, f.pos.used * 16 + 14, flags);
	} else {
		f.first = f.pos.used;
		f.first_flags = flags;
	}
	move_on(&f.pos.used, &f.pos.used_wrap, slots);
	f.inflight -= slots;
	f.fresh += slots;
}

static int model_publish(void)
{
	u16 n = f.fresh, at = f.first, i, where, flags;
	bool wrap = f.first_flags & USED;

	if (!n)
		return 0;
	f.fresh = 0;
	put16(DESC, f.first * 16 + 14, f.first_flags);
	flags = get16(DRIVER, 2);
	if (flags != 2 || !has(VIRTIO_RING_F_EVENT_IDX))
		return flags != 1;
	/* An entry that is not there, or more than a lap: as it likes. */
	where = get16(DRIVER, 0);
	if ((where & 0x7fff) >= f.num || n > f.num)
		return 2;
	for (i = 0; i < n; i++) {
		if (where == (at | wrap << 15))
			return 1;
		move_on(&at, &wrap, 1);
	}
	return 0;
}

static void model_kicks_off(void)
{
	put16(DEVICE, 2, 1);
}

static bool model_kicks_on(void)
{
	if (has(VIRTIO_RING_F_EVENT_IDX))
		put16(DEVICE, 0, f.pos.avail | f.pos.avail_wrap << 15);
	put16(DEVICE, 2, has(VIRTIO_RING_F_EVENT_IDX) ? 2 : 0);
	return is_avail();
}

static void drv_desc(unsigned int area, u16 at, u64 addr, u32 len, u16 id, u16 flags)
{
	struct vring_packed_desc desc = {
		.addr = htole64(addr), .len = htole32(len), .id = htole16(id),
		.flags = htole16(flags),
	};

	drv_write(area, at * 16, &desc, sizeof(desc));
}

/* There is none. */
static void step_ones(void)
{
	step_pop();
}

static void drv_add(void)
{
	u8 what = fuzz_u8(f.in);
	u16 n = 1 + what % 4, nread = what / 4 % 8, i, table, flags;
	bool indirect = has(VIRTIO_RING_F_INDIRECT_DESC) && (what & 0x20);
	u16 slots, out = f.inflight;
	/* Around 4 GiB in all, at times. */
	u32 len = fuzz_u8(f.in) >= 0xf0 ? 0x3ffffff0 + fuzz_u8(f.in) % 32 : 64;

	/* What it offered and we did not take is out as well. */
	out += (f.drv + f.num - f.pos.avail) % f.num;
	if (f.drv == f.pos.avail && f.drv_wrap != f.pos.avail_wrap)
		out = f.num;
	n = min(n, f.num);
	slots = indirect ? 1 : n;
	if (out + slots > f.num && what != 0xff)
		return;

	table = f.drv * 4 % (TABLES_SIZE / 16 - 8);
	for (i = 0; indirect && i < n; i++)
		drv_desc(TABLES, table + i, 0x200000 + 0x1000 * i, 32, 0, i >= nread ? 2 : 0);
	for (i = 0; i < slots; i++) {
		flags = (f.drv_wrap ? AVAIL : USED) | (i + 1 < slots) | (i >= nread ? 2 : 0);
		if (indirect)
			drv_desc(DESC, f.drv, f.tables_iova + table * 16, n * 16, what,
				 (flags & ~2) | 4);
		else
			drv_desc(DESC, f.drv, 0x100000 + 0x1000 * i, len << i, what, flags);
		move_on(&f.drv, &f.drv_wrap, 1);
	}
}

static void drv_wish(u8 ahead)
{
	u16 at = f.pos.used, event[2];
	bool wrap = f.pos.used_wrap;

	/* One of those that come next, or (eight laps less that) that came last. */
	move_on(&at, &wrap, ahead & 0x80 ? 8 * f.num - ahead % 8 : ahead % 8);
	event[0] = htole16(at | wrap << 15);
	event[1] = htole16(ahead >> 5 & 3 ? 2 : ahead & 1);
	drv_write(DRIVER, 0, event, sizeof(event));
}

FUZZ_TARGET(in)
{
	vring_fuzz(in, BIT_ULL(VIRTIO_F_RING_PACKED));
}
