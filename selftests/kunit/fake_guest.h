/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A driver with a ring of its own, split or packed, as virtio 1.3 says (2.7, 2.8),
 * for tests of who serves it. Its memory is pages, which follow one another for the
 * device alone.
 */
#ifndef _VMDEV_FAKE_GUEST_H
#define _VMDEV_FAKE_GUEST_H

#include <linux/mm.h>
#include <linux/string.h>
#include <linux/unaligned.h>

/* What is in which page; and where the device sees the first of them. */
enum {
	GUEST_DESC,
	GUEST_DRIVER,
	GUEST_DEVICE,
	GUEST_OUT,
	GUEST_IN = GUEST_OUT + 5,
	GUEST_PAGES,
};

#define GUEST_IOVA	0x100000ULL
#define GUEST_PAGE	0x1000ULL
#define GUEST_NUM_MAX	256

/**
 * struct guest_seg - a piece of a buffer
 * @at: IOVA
 * @len: bytes
 * @write: the device writes it
 * @table: it is a table of pieces
 */
struct guest_seg {
	u64 at;
	u32 len;
	bool write;
	bool table;
};

/**
 * struct fake_guest - the driver
 * @page: its memory
 * @packed: format of the ring
 * @num: entries of the ring
 * @avail: next entry that it offers; split: index
 * @wrap: packed: wrap counter of that
 * @used: next entry that it finds used, likewise
 * @used_wrap: likewise
 * @free: split: next descriptor
 * @id: packed: id of the next buffer
 * @offered: buffers offered
 * @taken: buffers taken back
 * @ids: what those between are called
 */
struct fake_guest {
	u8 *page[GUEST_PAGES];
	bool packed;
	u16 num;
	u16 avail;
	bool wrap;
	u16 used;
	bool used_wrap;
	u16 free;
	u16 id;
	u32 offered;
	u32 taken;
	u16 ids[GUEST_NUM_MAX];
};

static inline bool guest_alloc(struct fake_guest *g)
{
	int i;

	for (i = 0; i < GUEST_PAGES; i++) {
		g->page[i] = (u8 *)get_zeroed_page(GFP_KERNEL);
		if (!g->page[i])
			return false;
	}
	return true;
}

static inline void guest_free(struct fake_guest *g)
{
	int i;

	for (i = 0; i < GUEST_PAGES; i++)
		free_page((unsigned long)g->page[i]);
}

static inline u64 guest_iova(unsigned int page)
{
	return GUEST_IOVA + page * GUEST_PAGE;
}

static inline u8 *guest_byte(struct fake_guest *g, u64 at)
{
	return g->page[(at - GUEST_IOVA) / GUEST_PAGE] + at % GUEST_PAGE;
}

static inline void guest_put(struct fake_guest *g, u64 at, const u8 *data, u32 len)
{
	while (len--)
		*guest_byte(g, at++) = *data++;
}

/* A ring that nobody has touched. */
static inline void guest_clear(struct fake_guest *g, bool packed)
{
	memset(g->page[GUEST_DESC], 0, GUEST_PAGE);
	memset(g->page[GUEST_DRIVER], 0, GUEST_PAGE);
	memset(g->page[GUEST_DEVICE], 0, GUEST_PAGE);
	g->packed = packed;
	g->avail = 0;
	g->used = 0;
	g->free = 0;
	g->wrap = true;
	g->used_wrap = true;
	g->offered = 0;
	g->taken = 0;
}

static inline void guest_put_desc(u8 *desc, const struct guest_seg *seg, u16 third,
				  u16 fourth)
{
	put_unaligned_le64(seg->at, desc);
	put_unaligned_le32(seg->len, desc + 8);
	put_unaligned_le16(third, desc + 12);
	put_unaligned_le16(fourth, desc + 14);
}

/* 1 next, 2 write, 4 indirect. */
static inline u16 guest_flags(const struct guest_seg *seg, bool more)
{
	return more | seg->write << 1 | seg->table << 2;
}

/* 2.7.5: flags before the next one's number. */
static inline void guest_offer_split(struct fake_guest *g, const struct guest_seg *seg,
				     u32 n)
{
	u8 *avail = g->page[GUEST_DRIVER];
	u32 i;

	g->ids[g->offered++ % GUEST_NUM_MAX] = g->free;
	put_unaligned_le16(g->free, avail + 4 + 2 * (g->avail % g->num));
	for (i = 0; i < n; i++) {
		u16 next = (g->free + 1) % g->num;

		guest_put_desc(g->page[GUEST_DESC] + 16 * g->free, &seg[i],
			       guest_flags(&seg[i], i + 1 < n), next);
		g->free = next;
	}
	put_unaligned_le16(++g->avail, avail + 2);
}

/* 2.8.13: an id before the flags, of which 7 and 15 say whose it is. */
static inline void guest_offer_packed(struct fake_guest *g, const struct guest_seg *seg,
				      u32 n)
{
	u16 id = g->id++;
	u32 i;

	g->ids[g->offered++ % GUEST_NUM_MAX] = id;
	for (i = 0; i < n; i++) {
		guest_put_desc(g->page[GUEST_DESC] + 16 * g->avail, &seg[i], id,
			       guest_flags(&seg[i], i + 1 < n) |
			       (g->wrap ? 0x80 : 0x8000));
		if (++g->avail == g->num) {
			g->avail = 0;
			g->wrap = !g->wrap;
		}
	}
}

static inline void guest_offer(struct fake_guest *g, const struct guest_seg *seg, u32 n)
{
	if (g->packed)
		guest_offer_packed(g, seg, n);
	else
		guest_offer_split(g, seg, n);
}

/* The same pieces in a table (2.7.5.3, 2.8.7), which is written to @at. */
static inline void guest_offer_table(struct fake_guest *g, u64 at,
				     const struct guest_seg *seg, u32 n)
{
	const struct guest_seg table = { at, 16 * n, .table = true };
	u8 desc[16];
	u32 i;

	for (i = 0; i < n; i++) {
		if (g->packed)
			guest_put_desc(desc, &seg[i], 0, guest_flags(&seg[i], false));
		else
			guest_put_desc(desc, &seg[i], guest_flags(&seg[i], i + 1 < n), i + 1);
		guest_put(g, at + 16 * i, desc, sizeof(desc));
	}
	guest_offer(g, &table, 1);
}

static inline s64 guest_take_split(struct fake_guest *g, u16 id)
{
	u8 *used = g->page[GUEST_DEVICE];
	u8 *elem = used + 4 + 8 * (g->used % g->num);

	if (get_unaligned_le16(used + 2) == g->used)
		return -1;
	if (get_unaligned_le32(elem) != id)
		return -2;
	g->used++;
	return get_unaligned_le32(elem + 4);
}

static inline s64 guest_take_packed(struct fake_guest *g, u16 id, u32 n)
{
	u8 *desc = g->page[GUEST_DESC] + 16 * g->used;

	if ((get_unaligned_le16(desc + 14) & 0x8080) !=
	    (g->used_wrap ? 0x8080 : 0))
		return -1;
	if (get_unaligned_le16(desc + 12) != id)
		return -2;
	g->used += n;
	if (g->used >= g->num) {
		g->used -= g->num;
		g->used_wrap = !g->used_wrap;
	}
	return get_unaligned_le32(desc + 8);
}

/*
 * Bytes that were written to the oldest buffer that is out, which has @n pieces;
 * -1 if none is used, -2 if another one is.
 */
static inline s64 guest_take(struct fake_guest *g, u32 n)
{
	u16 id = g->ids[g->taken % GUEST_NUM_MAX];
	s64 len = g->packed ? guest_take_packed(g, id, n) :
		  guest_take_split(g, id);

	g->taken += len >= 0;
	return len;
}

#endif /* _VMDEV_FAKE_GUEST_H */
