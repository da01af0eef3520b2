// SPDX-License-Identifier: GPL-2.0
/*
 * The device's side of a ring (drivers/core/vring*.c), against a driver that
 * is simulated. It is written from the specification alone and knows what it
 * offered, so that a buffer that is lost, twice, out of order or other than it
 * was is seen; and it sleeps, so that a lost interrupt or kick is. Rings that
 * break a rule must be broken by just that rule; any others must do no harm.
 */
#include <linux/types.h>
#include <linux/virtio_config.h>
#include <linux/virtio_ring.h>
#include <endian.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../drivers/core/vring.c"
#include "../../drivers/core/vring_packed.c"
#include "../../drivers/core/vring_split.c"
#define TAP_MAIN
#include "../include/tap.h"

#define NUM_MAX		64
#define TABLE_MAX	16
#define F_PACKED	BIT_ULL(VIRTIO_F_RING_PACKED)
#define F_INDIRECT	BIT_ULL(VIRTIO_RING_F_INDIRECT_DESC)
#define F_EVENT		BIT_ULL(VIRTIO_RING_F_EVENT_IDX)
#define DESC_AVAIL	BIT(7)
#define DESC_USED	BIT(15)

static u64 seed = 1;

static u32 rnd(u32 n)
{
	seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
	return (seed >> 33) % n;
}

/* --- guest memory, and a driver in it ---------------------------------------------------- */
struct table {
	struct vring_desc desc[TABLE_MAX];
};

/* What the driver knows of a buffer that is out. */
struct buffer {
	bool out;
	u16 id, slots, nsegs;
	u32 len;			/* as pushed */
	struct vmdev_vring_seg segs[TABLE_MAX];
};

struct drv {
	bool packed, event_idx;
	u16 num;
	/* Each area is an allocation of its own size: the sanitizer watches its ends. */
	void *desc, *driver, *device;
	struct table *tables;		/* of each id */
	struct buffer buf[NUM_MAX];	/* by id */
	u16 next[NUM_MAX];		/* split: list of free descriptors */
	u16 free, nfree;
	u16 avail, used;		/* split: indices; packed: entries */
	bool avail_wrap, used_wrap;
	u16 kicked;			/* avail when we looked last whether to kick */
	u16 added;			/* packed: entries since then */
	u16 order[1 << 16];		/* ids as offered */
	u32 offered, taken, returned;
};

static struct vring_avail *drv_avail(struct drv *d) { return d->driver; }
static struct vring_used *drv_used(struct drv *d) { return d->device; }
static struct vring_packed_desc *drv_pdesc(struct drv *d) { return d->desc; }
static struct vring_packed_desc_event *drv_event(struct drv *d) { return d->driver; }
static struct vring_packed_desc_event *dev_event(struct drv *d) { return d->device; }

static int guest_read(void *ctx, u64 iova, void *buf, u32 len)
{
	struct drv *d = ctx;
	u64 start = (u64)(uintptr_t)d->tables;
	u64 size = d->num * sizeof(*d->tables);

	if (iova < start || iova - start > size || len > size - (iova - start))
		return -EFAULT;
	memcpy(buf, (void *)(uintptr_t)iova, len);
	return 0;
}

static void drv_init(struct drv *d, u16 num, u64 features)
{
	u16 i;

	memset(d, 0, sizeof(*d));
	d->num = num;
	d->packed = features & F_PACKED;
	d->event_idx = features & F_EVENT;
	d->desc = calloc(num, sizeof(struct vring_desc));
	d->driver = calloc(1, d->packed ? 4 : 6 + 2 * num);
	d->device = calloc(1, d->packed ? 4 : 6 + 8 * num);
	d->tables = calloc(num, sizeof(*d->tables));
	d->avail_wrap = true;
	d->used_wrap = true;
	for (i = 0; i < num; i++)
		d->next[i] = i + 1;
	d->nfree = num;
}

static void drv_free(struct drv *d)
{
	free(d->desc);
	free(d->driver);
	free(d->device);
	free(d->tables);
}

static void ring_of(struct drv *d, u64 features, struct vmdev_vring *ring,
		    const struct vmdev_vring_pos *pos)
{
	struct vmdev_vring_pos fresh = { .avail_wrap = true, .used_wrap = true };
	struct vmdev_vring_conf conf = {
		.desc = d->desc, .driver = d->driver, .device = d->device,
		.num = d->num, .features = features, .read = guest_read, .ctx = d,
	};

	CHECK_OK(vmdev_vring_init(ring, &conf, pos ? pos : &fresh));
}

static void desc_set(struct vring_desc *p, const struct vmdev_vring_seg *seg, u16 flags, u16 next)
{
	p->addr = htole64(seg->addr);
	p->len = htole32(seg->len);
	p->flags = htole16((seg->write ? VRING_DESC_F_WRITE : 0) | flags);
	p->next = htole16(next);
}

static void pdesc_set(struct vring_packed_desc *p, const struct vmdev_vring_seg *seg, u16 id,
		      u16 flags)
{
	p->addr = htole64(seg->addr);
	p->len = htole32(seg->len);
	p->id = htole16(id);
	/* Last, for the one that makes it available. */
	p->flags = htole16((seg->write ? VRING_DESC_F_WRITE : 0) | flags);
}

static void random_segs(struct buffer *b, u16 max)
{
	u16 i, nread;

	b->nsegs = 1 + rnd(max);
	nread = rnd(b->nsegs + 1);
	for (i = 0; i < b->nsegs; i++) {
		b->segs[i].addr = ((u64)rnd(1 << 30) << 20) | rnd(1 << 20);
		b->segs[i].len = rnd(1 << 20);
		b->segs[i].write = i >= nread;
	}
}

static struct vmdev_vring_seg drv_table(struct drv *d, struct buffer *b)
{
	struct vring_desc *table = d->tables[b->id].desc;
	u16 i, at, order[TABLE_MAX];

	/* Split: linked in any order, from entry 0 on. Packed: one after the other. */
	for (i = 0; i < b->nsegs; i++)
		order[i] = i;
	for (i = b->nsegs - 1; !d->packed && i > 1; i--) {
		u16 j = 1 + rnd(i), t = order[i];

		order[i] = order[j];
		order[j] = t;
	}
	for (i = 0; i < b->nsegs; i++) {
		at = order[i];
		if (d->packed)
			pdesc_set((void *)&table[at], &b->segs[i], rnd(1 << 16), 0);
		else
			desc_set(&table[at], &b->segs[i], i + 1 < b->nsegs ? VRING_DESC_F_NEXT : 0,
				 i + 1 < b->nsegs ? order[i + 1] : rnd(1 << 16));
	}
	return (struct vmdev_vring_seg) {
		.addr = (uintptr_t)table, .len = b->nsegs * sizeof(*table),
	};
}

static void drv_add_split(struct drv *d, bool indirect)
{
	struct vring_desc *desc = d->desc;
	u16 head = d->free, i, at;
	struct buffer *b = &d->buf[head];
	struct vmdev_vring_seg seg;

	b->id = head;
	random_segs(b, indirect || d->nfree > TABLE_MAX ? TABLE_MAX : d->nfree);
	b->slots = indirect ? 1 : b->nsegs;
	for (i = 0, at = head; i < b->slots; i++, at = d->next[at]) {
		if (indirect) {
			seg = drv_table(d, b);
			desc_set(&desc[at], &seg, VRING_DESC_F_INDIRECT, rnd(1 << 16));
		} else {
			desc_set(&desc[at], &b->segs[i], i + 1 < b->nsegs ? VRING_DESC_F_NEXT : 0,
				 d->next[at]);
		}
	}
	d->free = at;
	d->nfree -= b->slots;
	b->out = true;
	drv_avail(d)->ring[d->avail & (d->num - 1)] = htole16(head);
	drv_avail(d)->idx = htole16(++d->avail);
	d->order[d->offered++ & 0xffff] = head;
}

static void drv_add_packed(struct drv *d, bool indirect)
{
	struct vring_packed_desc *desc = d->desc, *first = &desc[d->avail];
	struct vmdev_vring_seg seg;
	struct buffer *b;
	u16 i, id, flags, first_flags = 0;

	for (id = rnd(d->num); d->buf[id].out; id = (id + 1) % d->num)
		;
	b = &d->buf[id];
	b->id = id;
	random_segs(b, indirect || d->nfree > TABLE_MAX ? TABLE_MAX : d->nfree);
	b->slots = indirect ? 1 : b->nsegs;
	for (i = 0; i < b->slots; i++) {
		bool last = i + 1 == b->slots;

		flags = d->avail_wrap ? DESC_AVAIL : DESC_USED;
		flags |= last ? 0 : VRING_DESC_F_NEXT;
		seg = b->segs[i];
		if (indirect) {
			seg = drv_table(d, b);
			flags |= VRING_DESC_F_INDIRECT;
		}
		if (!i)
			first_flags = flags | (seg.write ? VRING_DESC_F_WRITE : 0);
		pdesc_set(&desc[d->avail], &seg, last ? id : rnd(1 << 16),
			  i ? flags : le16toh(first->flags));
		if (++d->avail == d->num) {
			d->avail = 0;
			d->avail_wrap = !d->avail_wrap;
		}
	}
	first->flags = htole16(first_flags);
	d->nfree -= b->slots;
	d->added += b->slots;
	b->out = true;
	d->order[d->offered++ & 0xffff] = id;
}

static void drv_add(struct drv *d, bool indirect)
{
	if (!d->nfree)
		return;
	if (d->packed)
		drv_add_packed(d, indirect);
	else
		drv_add_split(d, indirect);
}

/* Must the driver kick for what it offered since it looked last? */
static bool drv_kick(struct drv *d)
{
	u16 old = d->kicked, n = d->added, where, event;

	d->kicked = d->avail;
	d->added = 0;
	if (!d->packed) {
		if (!d->event_idx)
			return !(le16toh(drv_used(d)->flags) & VRING_USED_F_NO_NOTIFY);
		memcpy(&event, &drv_used(d)->ring[d->num], 2);
		return vring_need_event(le16toh(event), d->avail, old);
	}
	if (le16toh(dev_event(d)->flags) != VRING_PACKED_EVENT_FLAG_DESC)
		return le16toh(dev_event(d)->flags) == VRING_PACKED_EVENT_FLAG_ENABLE;
	where = le16toh(dev_event(d)->off_wrap);
	/* By counting: is that entry among the last n? */
	for (; n; n--) {
		u16 at = (d->avail + d->num - n) % d->num;
		bool wrap = at < d->avail ? d->avail_wrap : !d->avail_wrap;

		if (where == (at | wrap << 15))
			return true;
	}
	return false;
}

static void drv_got(struct drv *d, u32 id, u32 len)
{
	struct buffer *b = &d->buf[id];
	u16 i, at;

	CHECK(id < d->num && b->out, "used id %u is not out", id);
	CHECK(b->len == len, "used len %u, was %u", len, b->len);
	b->out = false;
	d->nfree += b->slots;
	d->returned++;
	if (d->packed)
		return;
	for (at = id, i = 1; i < b->slots; i++)
		at = d->next[at];
	d->next[at] = d->free;
	d->free = id;
}

/* Is there anything used to see? */
static bool drv_sees(struct drv *d)
{
	u16 flags;

	if (!d->packed)
		return d->used != le16toh(drv_used(d)->idx);
	flags = le16toh(drv_pdesc(d)[d->used].flags);
	return !!(flags & DESC_AVAIL) == !!(flags & DESC_USED) &&
	       !!(flags & DESC_USED) == d->used_wrap;
}

/* Take back what is used; returns how many entries (packed) or buffers (split). */
static u16 drv_collect(struct drv *d)
{
	u16 n = 0;

	while (!d->packed && d->used != le16toh(drv_used(d)->idx)) {
		struct vring_used_elem *e = &drv_used(d)->ring[d->used++ & (d->num - 1)];

		drv_got(d, le32toh(e->id), le32toh(e->len));
		n++;
	}
	while (d->packed && drv_sees(d)) {
		struct vring_packed_desc *p = &drv_pdesc(d)[d->used];
		u16 flags = le16toh(p->flags), id = le16toh(p->id);

		CHECK(id < d->num, "used id %u", id);
		CHECK(!!(flags & VRING_DESC_F_WRITE) == !!d->buf[id].len, "WRITE flag of %u", id);
		drv_got(d, id, le32toh(p->len));
		d->used += d->buf[id].slots;
		if (d->used >= d->num) {
			d->used -= d->num;
			d->used_wrap = !d->used_wrap;
		}
		n += d->buf[id].slots;
	}
	return n;
}

/* Ask for an interrupt when @ahead more are used; or for none. */
static void drv_wish(struct drv *d, bool on, u16 ahead)
{
	u16 event;

	if (!d->packed) {
		drv_avail(d)->flags = htole16(on || d->event_idx ? 0 :
					      VRING_AVAIL_F_NO_INTERRUPT);
		event = htole16(on ? d->used + ahead : d->used - 1);
		memcpy(&drv_avail(d)->ring[d->num], &event, 2);
		return;
	}
	event = d->used + ahead;
	if (event >= d->num)
		event = (event - d->num) | !d->used_wrap << 15;
	else
		event |= d->used_wrap << 15;
	drv_event(d)->off_wrap = htole16(event);
	drv_event(d)->flags = htole16(!on ? VRING_PACKED_EVENT_FLAG_DISABLE :
				      d->event_idx ? VRING_PACKED_EVENT_FLAG_DESC :
				      VRING_PACKED_EVENT_FLAG_ENABLE);
}

/* --- a device ---------------------------------------------------------------------------- */
struct device {
	struct vmdev_vring ring;
	struct vmdev_vring_seg segs[TABLE_MAX];
	struct held {
		u16 id, slots;
	} held[NUM_MAX];
	u16 nheld;
};

static bool dev_pop(struct drv *d, struct device *dev)
{
	struct vmdev_vring_chain chain = { .segs = dev->segs, .max = TABLE_MAX };
	struct buffer *b = &d->buf[d->order[d->taken & 0xffff]];
	u32 sum[2] = {};
	u16 i;
	int got = vmdev_vring_pop(&dev->ring, &chain);

	CHECK(got >= 0, "ring broken: %s", dev->ring.why);
	CHECK(got == (d->taken < d->offered), "pop said %d, %u offered, %u taken", got, d->offered,
	      d->taken);
	if (!got)
		return false;
	CHECK(chain.id == b->id, "id %u, not %u", chain.id, b->id);
	CHECK(chain.nsegs == b->nsegs, "%u pieces, not %u", chain.nsegs, b->nsegs);
	for (i = 0; i < b->nsegs; i++) {
		CHECK(chain.segs[i].addr == b->segs[i].addr &&
		      chain.segs[i].len == b->segs[i].len &&
		      chain.segs[i].write == b->segs[i].write, "piece %u differs", i);
		CHECK(b->segs[i].write == (i >= chain.nread), "nread");
		sum[b->segs[i].write] += b->segs[i].len;
	}
	CHECK(sum[0] == chain.read_len && sum[1] == chain.write_len, "lengths");
	if (!rnd(16)) {
		vmdev_vring_unpop(&dev->ring, &chain);
		return true;
	}
	dev->held[dev->nheld++] = (struct held) { chain.id, chain.slots };
	d->taken++;
	return true;
}

static void dev_push(struct drv *d, struct device *dev)
{
	u16 i = rnd(dev->nheld);
	struct held h = dev->held[i];
	u32 len = rnd(4) ? rnd(1 << 16) : 0;

	dev->held[i] = dev->held[--dev->nheld];
	d->buf[h.id].len = len;
	vmdev_vring_push(&dev->ring, h.id, h.slots, len);
}

/* --- traffic ----------------------------------------------------------------------------- */
/* One at a time may sleep; whoever does must be woken by the other. */
static void traffic(u16 num, u64 features, u32 rounds)
{
	bool drv_sleeps = false, dev_sleeps = false, irq = true, kick = true;
	static struct drv d;
	struct device dev = {};
	u16 ahead = 0, got = 0;
	u32 round, i;

	drv_init(&d, num, features);
	ring_of(&d, features, &dev.ring, NULL);
	vmdev_vring_kicks_off(&dev.ring);
	drv_wish(&d, false, 0);

	for (round = 0; round < rounds; round++) {
		if (!drv_sleeps || irq) {
			if (drv_sleeps) {
				drv_sleeps = false;
				drv_wish(&d, false, 0);
			}
			irq = false;
			drv_collect(&d);
			for (i = rnd(8); i; i--)
				drv_add(&d, (features & F_INDIRECT) && rnd(2));
			kick |= drv_kick(&d);
			if (!rnd(4) && d.returned != d.offered) {
				/* Without the feature there is no "ahead". */
				ahead = d.packed ? d.num / 2 : d.offered - d.returned;
				ahead = d.event_idx ? rnd(ahead) : 0;
				drv_wish(&d, true, ahead);
				/* As drivers do: whatever came meanwhile. */
				got = drv_collect(&d);
				drv_sleeps = got <= ahead && d.returned != d.offered;
				if (!drv_sleeps)
					drv_wish(&d, false, 0);
			}
		}
		if (!dev_sleeps || kick) {
			if (dev_sleeps)
				vmdev_vring_kicks_off(&dev.ring);
			dev_sleeps = false;
			kick = false;
			for (i = rnd(8); i && dev_pop(&d, &dev); i--)
				;
			drv_collect(&d);
			for (i = rnd(8); i && dev.nheld; i--)
				dev_push(&d, &dev);
			CHECK(!drv_sees(&d), "seen before it was published");
			irq |= vmdev_vring_publish(&dev.ring);
			if (d.taken == d.offered && !rnd(2)) {
				CHECK(!vmdev_vring_kicks_on(&dev.ring), "kicks_on sees a buffer");
				dev_sleeps = true;
			}
		}
		/* A device with all of them served and a driver that waits for one: lost. */
		if (drv_sleeps && !irq && dev_sleeps && !kick) {
			while (dev.nheld && !irq) {
				dev_push(&d, &dev);
				irq |= vmdev_vring_publish(&dev.ring);
			}
			if (!irq) {
				/* It may have asked for more than will ever come. */
				got += drv_collect(&d);
				CHECK(got <= ahead, "interrupt lost: wanted after %u, got %u",
				      ahead, got);
				irq = true;
			}
		}
	}
	CHECK(d.returned > rounds / 4, "only %u buffers came back", d.returned);
	drv_free(&d);
}

static void all_features(u16 num, u32 rounds)
{
	u32 i;

	for (i = 0; i < 8; i++)
		traffic(num, (i & 1 ? F_PACKED : 0) | (i & 2 ? F_INDIRECT : 0) |
			(i & 4 ? F_EVENT : 0), rounds);
}

TAP_TEST(traffic_small, 0) { all_features(2, 20000); }
TAP_TEST(traffic_medium, 0) { all_features(16, 20000); }
TAP_TEST(traffic_large, 0) { all_features(64, 20000); }
TAP_TEST(traffic_odd_packed, 0)
{
	traffic(7, F_PACKED | F_EVENT, 20000);
	traffic(1, F_PACKED | F_INDIRECT, 20000);
	traffic(63, F_PACKED | F_INDIRECT | F_EVENT, 20000);
}

/* A ring is given up and taken over at its position, with nothing lost. */
static void handover(u64 features)
{
	static struct drv d;
	struct device dev = {};
	u32 round, i;

	drv_init(&d, 16, features);
	ring_of(&d, features, &dev.ring, NULL);
	for (round = 0; round < 5000; round++) {
		struct vmdev_vring_pos pos;

		drv_collect(&d);
		for (i = rnd(6); i; i--)
			drv_add(&d, (features & F_INDIRECT) && rnd(2));
		for (i = rnd(6); i && dev_pop(&d, &dev); i--)
			;
		for (i = rnd(6); i && dev.nheld; i--)
			dev_push(&d, &dev);
		vmdev_vring_publish(&dev.ring);
		pos = dev.ring.pos;
		memset(&dev.ring, 0xff, sizeof(dev.ring));
		ring_of(&d, features, &dev.ring, &pos);
	}
	drv_free(&d);
}

TAP_TEST(handover_split, 0) { handover(F_INDIRECT | F_EVENT); }
TAP_TEST(handover_packed, 0) { handover(F_PACKED | F_INDIRECT | F_EVENT); }

/* --- rules ------------------------------------------------------------------------------- */
/* A ring of 4 with one buffer of two descriptors, for a rule to be broken. */
struct rule {
	struct drv d;
	struct vmdev_vring ring;
	struct vmdev_vring_seg segs[8];
	struct vmdev_vring_chain chain;
};

static struct rule *rule_init(u64 features)
{
	static struct rule r;
	struct vmdev_vring_seg seg = { .addr = 0x1000, .len = 16 };
	struct vring_packed_desc *p;

	memset(&r, 0, sizeof(r));
	drv_init(&r.d, 4, features);
	ring_of(&r.d, features, &r.ring, NULL);
	r.chain = (struct vmdev_vring_chain) { .segs = r.segs, .max = 8 };
	if (features & F_PACKED) {
		p = r.d.desc;
		pdesc_set(&p[0], &seg, 0, DESC_AVAIL | VRING_DESC_F_NEXT);
		pdesc_set(&p[1], &seg, 3, DESC_AVAIL);
		return &r;
	}
	desc_set(r.d.desc, &seg, VRING_DESC_F_NEXT, 1);
	desc_set((struct vring_desc *)r.d.desc + 1, &seg, 0, 0);
	drv_avail(&r.d)->idx = htole16(1);
	return &r;
}

static void rule_broken(struct rule *r, const char *why)
{
	CHECK_IS(vmdev_vring_pop(&r->ring, &r->chain), -EBADMSG);
	CHECK(r->ring.why && strstr(r->ring.why, why), "broken by \"%s\"", r->ring.why);
	/* And stays so. */
	CHECK_IS(vmdev_vring_pop(&r->ring, &r->chain), -EBADMSG);
	drv_free(&r->d);
}

static void rule_table(struct rule *r, u32 entries)
{
	struct vmdev_vring_seg seg = { .addr = (uintptr_t)r->d.tables,
				       .len = entries * sizeof(struct vring_desc) };
	struct vmdev_vring_seg piece = { .addr = 0x2000, .len = 1 };
	u32 i;

	for (i = 0; i < entries && i < TABLE_MAX; i++) {
		if (r->d.packed)
			pdesc_set((void *)&r->d.tables->desc[i], &piece, 0, 0);
		else
			desc_set(&r->d.tables->desc[i], &piece,
				 i + 1 < entries ? VRING_DESC_F_NEXT : 0, i + 1);
	}
	if (r->d.packed)
		pdesc_set(r->d.desc, &seg, 3, DESC_AVAIL | VRING_DESC_F_INDIRECT);
	else
		desc_set(r->d.desc, &seg, VRING_DESC_F_INDIRECT, 0);
}

#define SPLIT_DESC(r)	((struct vring_desc *)(r)->d.desc)
#define PACKED_DESC(r)	((struct vring_packed_desc *)(r)->d.desc)

TAP_TEST(rule_none, 0)
{
	struct rule *r = rule_init(0);

	CHECK_IS(vmdev_vring_pop(&r->ring, &r->chain), 1);
	CHECK_IS(r->chain.nsegs, 2);
	drv_free(&r->d);
	r = rule_init(F_PACKED);
	CHECK_IS(vmdev_vring_pop(&r->ring, &r->chain), 1);
	CHECK(r->chain.nsegs == 2 && r->chain.id == 3 && r->chain.slots == 2, "chain");
	drv_free(&r->d);
}

TAP_TEST(rule_avail_jumps, 0)
{
	struct rule *r = rule_init(0);

	drv_avail(&r->d)->idx = htole16(5);
	rule_broken(r, "avail index");
	r = rule_init(0);
	drv_avail(&r->d)->idx = htole16(0xffff);
	rule_broken(r, "avail index");
}

TAP_TEST(rule_too_many_out, 0)
{
	struct rule *r = rule_init(0);
	int i;

	SPLIT_DESC(r)[0].flags = 0;
	for (i = 1; i <= 4; i++) {
		drv_avail(&r->d)->idx = htole16(i);
		CHECK_IS(vmdev_vring_pop(&r->ring, &r->chain), 1);
	}
	drv_avail(&r->d)->idx = htole16(5);
	rule_broken(r, "more buffers");
	r = rule_init(F_PACKED);
	PACKED_DESC(r)[1].flags |= htole16(VRING_DESC_F_NEXT);
	PACKED_DESC(r)[2].flags |= htole16(VRING_DESC_F_NEXT);
	PACKED_DESC(r)[3].flags |= htole16(VRING_DESC_F_NEXT);
	rule_broken(r, "more descriptors");
}

TAP_TEST(rule_head_outside, 0)
{
	struct rule *r = rule_init(0);

	drv_avail(&r->d)->ring[0] = htole16(4);
	rule_broken(r, "outside of the ring");
}

TAP_TEST(rule_next_outside, 0)
{
	struct rule *r = rule_init(0);

	SPLIT_DESC(r)[0].next = htole16(4);
	rule_broken(r, "outside of the ring");
}

TAP_TEST(rule_loop, 0)
{
	struct rule *r = rule_init(0);

	SPLIT_DESC(r)[1].flags = htole16(VRING_DESC_F_NEXT);
	rule_broken(r, "loop");
	r = rule_init(F_INDIRECT);
	rule_table(r, 2);
	r->d.tables->desc[1].flags = htole16(VRING_DESC_F_NEXT);
	r->d.tables->desc[1].next = 0;
	rule_broken(r, "loop");
}

TAP_TEST(rule_too_long, 0)
{
	struct rule *r = rule_init(F_INDIRECT);

	rule_table(r, 9);
	rule_broken(r, "too long");
	r = rule_init(F_PACKED | F_INDIRECT);
	rule_table(r, 9);
	rule_broken(r, "too long");
	r = rule_init(F_PACKED | F_INDIRECT);
	rule_table(r, VMDEV_CHAIN_MAX + 1);
	rule_broken(r, "table is too long");
}

TAP_TEST(rule_order, 0)
{
	struct rule *r = rule_init(0);

	SPLIT_DESC(r)[0].flags |= htole16(VRING_DESC_F_WRITE);
	rule_broken(r, "readable descriptor after");
	r = rule_init(F_PACKED);
	PACKED_DESC(r)[0].flags |= htole16(VRING_DESC_F_WRITE);
	rule_broken(r, "readable descriptor after");
}

TAP_TEST(rule_wraps, 0)
{
	struct rule *r = rule_init(0);

	SPLIT_DESC(r)[1].addr = htole64(~0ULL - 8);
	rule_broken(r, "end of memory");
	r = rule_init(F_PACKED);
	PACKED_DESC(r)[1].addr = htole64(~0ULL - 8);
	rule_broken(r, "end of memory");
}

TAP_TEST(rule_4_gib, 0)
{
	struct rule *r = rule_init(0);

	SPLIT_DESC(r)[0].len = htole32(~0U);
	rule_broken(r, "4 GiB");
}

TAP_TEST(rule_indirect_not_negotiated, 0)
{
	struct rule *r = rule_init(0);

	rule_table(r, 1);
	rule_broken(r, "without the feature");
	r = rule_init(F_PACKED);
	rule_table(r, 1);
	rule_broken(r, "without the feature");
}

TAP_TEST(rule_indirect_and_next, 0)
{
	struct rule *r = rule_init(F_INDIRECT);

	rule_table(r, 1);
	SPLIT_DESC(r)[0].flags |= htole16(VRING_DESC_F_NEXT);
	rule_broken(r, "inside of a chain");
	r = rule_init(F_PACKED | F_INDIRECT);
	PACKED_DESC(r)[1].flags |= htole16(VRING_DESC_F_INDIRECT);
	rule_broken(r, "inside of a chain");
}

/* Virtio 1.2, 2.7.5.3.2: such a chain has to be taken. */
TAP_TEST(rule_indirect_ends_a_split_chain, 0)
{
	struct rule *r = rule_init(F_INDIRECT);
	struct vring_desc first = SPLIT_DESC(r)[0];

	rule_table(r, 2);
	SPLIT_DESC(r)[1] = SPLIT_DESC(r)[0];
	SPLIT_DESC(r)[0] = first;
	CHECK_IS(vmdev_vring_pop(&r->ring, &r->chain), 1);
	CHECK(r->chain.nsegs == 3 && r->segs[0].addr == 0x1000 && r->segs[2].addr == 0x2000,
	      "%u pieces", r->chain.nsegs);
	drv_free(&r->d);
}

TAP_TEST(rule_indirect_nested, 0)
{
	struct rule *r = rule_init(F_INDIRECT);

	rule_table(r, 2);
	r->d.tables->desc[1].flags |= htole16(VRING_DESC_F_INDIRECT);
	rule_broken(r, "in an indirect table");
	r = rule_init(F_PACKED | F_INDIRECT);
	rule_table(r, 2);
	((struct vring_packed_desc *)r->d.tables)[1].flags |= htole16(VRING_DESC_F_INDIRECT);
	rule_broken(r, "in an indirect table");
}

TAP_TEST(rule_indirect_size, 0)
{
	struct rule *r = rule_init(F_INDIRECT);

	rule_table(r, 1);
	SPLIT_DESC(r)[0].len = 0;
	rule_broken(r, "odd size");
	r = rule_init(F_PACKED | F_INDIRECT);
	rule_table(r, 1);
	PACKED_DESC(r)[0].len = htole32(17);
	rule_broken(r, "odd size");
}

TAP_TEST(rule_indirect_next_outside, 0)
{
	struct rule *r = rule_init(F_INDIRECT);

	rule_table(r, 2);
	r->d.tables->desc[0].next = htole16(2);
	rule_broken(r, "outside of the indirect table");
}

TAP_TEST(rule_indirect_not_memory, 0)
{
	struct rule *r = rule_init(F_INDIRECT);

	rule_table(r, 2);
	SPLIT_DESC(r)[0].addr = htole64(0x10);
	rule_broken(r, "not in memory");
	r = rule_init(F_PACKED | F_INDIRECT);
	rule_table(r, 2);
	PACKED_DESC(r)[0].addr = htole64(0x10);
	rule_broken(r, "not in memory");
}

/* Where memory ends, and goes on at its beginning: one piece for a sum of 64 bits. */
static int read_anything(void *ctx, u64 iova, void *buf, u32 len)
{
	(void)ctx;
	(void)iova;
	memset(buf, 0, len);
	return 0;
}

TAP_TEST(rule_indirect_wraps, 0)
{
	struct rule *r = rule_init(F_INDIRECT);

	rule_table(r, 2);
	r->ring.read = read_anything;
	SPLIT_DESC(r)[0].addr = htole64(-16ULL);
	rule_broken(r, "indirect table wraps");
	r = rule_init(F_PACKED | F_INDIRECT);
	rule_table(r, 2);
	r->ring.read = read_anything;
	PACKED_DESC(r)[0].addr = htole64(-16ULL);
	rule_broken(r, "indirect table wraps");
}

TAP_TEST(init_refuses, 0)
{
	struct vmdev_vring_pos pos = {};
	struct vmdev_vring_conf conf = { .num = 0 };
	struct vmdev_vring ring;

	CHECK_IS(vmdev_vring_init(&ring, &conf, &pos), -EINVAL);
	conf.num = 3;
	CHECK_IS(vmdev_vring_init(&ring, &conf, &pos), -EINVAL);
	conf.num = 4;
	pos.avail = 5;
	CHECK_IS(vmdev_vring_init(&ring, &conf, &pos), -EINVAL);
	pos.used = 1;
	CHECK_OK(vmdev_vring_init(&ring, &conf, &pos));
	conf.features = F_PACKED;
	pos.avail = 4;
	CHECK_IS(vmdev_vring_init(&ring, &conf, &pos), -EINVAL);
	pos = (struct vmdev_vring_pos) { .avail = 1, .used = 2, .avail_wrap = true };
	CHECK_OK(vmdev_vring_init(&ring, &conf, &pos));
	CHECK_IS(ring.inflight, 3);
	/* More than a lap ahead. */
	pos = (struct vmdev_vring_pos) { .avail = 3, .used = 2, .avail_wrap = true };
	CHECK_IS(vmdev_vring_init(&ring, &conf, &pos), -EINVAL);
	/* Behind. */
	pos = (struct vmdev_vring_pos) { .avail = 1, .used = 2 };
	CHECK_IS(vmdev_vring_init(&ring, &conf, &pos), -EINVAL);
	conf.num = 32769;
	CHECK_IS(vmdev_vring_init(&ring, &conf, &pos), -EINVAL);
}

/* --- any ring ---------------------------------------------------------------------------- */
static void scribble(void *p, size_t size, u32 n)
{
	for (; n; n--)
		((u8 *)p)[rnd(size)] = rnd(3) ? rnd(256) : rnd(2) ? 0 : 0xff;
}

/* Good traffic, and a driver that then and now writes anywhere: no harm is done. */
static void hostile(u64 features, u32 rounds)
{
	static struct drv d;
	struct device dev = {};
	u32 broken = 0, popped = 0, i;

	for (; rounds; rounds--) {
		drv_init(&d, d.packed ? 1 + rnd(NUM_MAX) : 1U << rnd(7), features);
		ring_of(&d, features, &dev.ring, NULL);
		dev.nheld = 0;
		for (i = 0; i < 30; i++) {
			struct vmdev_vring_chain chain = { .segs = dev.segs, .max = TABLE_MAX };
			int got;

			drv_add(&d, (features & F_INDIRECT) && rnd(2));
			scribble(d.desc, d.num * 16, rnd(3));
			scribble(d.driver, d.packed ? 4 : 6 + 2 * d.num, rnd(2));
			if (!rnd(4))
				scribble(d.device, d.packed ? 4 : 6 + 8 * d.num, 1);
			scribble(d.tables, d.num * sizeof(*d.tables), rnd(4));

			got = vmdev_vring_pop(&dev.ring, &chain);
			CHECK(got == 1 || got == 0 || (got == -EBADMSG && dev.ring.why),
			      "pop: %d", got);
			if (got < 0) {
				broken++;
				break;
			}
			if (got) {
				popped++;
				CHECK(chain.nsegs <= TABLE_MAX && chain.nread <= chain.nsegs,
				      "nsegs");
				CHECK(chain.slots && dev.ring.inflight <= d.num, "slots");
				dev.held[dev.nheld++] = (struct held) { chain.id, chain.slots };
			}
			if (dev.nheld && rnd(2)) {
				struct held h = dev.held[--dev.nheld];

				vmdev_vring_push(&dev.ring, h.id, h.slots, rnd(1 << 16));
				vmdev_vring_publish(&dev.ring);
			}
			vmdev_vring_kicks_on(&dev.ring);
			vmdev_vring_kicks_off(&dev.ring);
		}
		drv_free(&d);
	}
	CHECK(broken && popped > broken, "%u broken, %u popped: tests nothing", broken, popped);
}

TAP_TEST(hostile_split, 0) { hostile(F_INDIRECT | F_EVENT, 40000); }
TAP_TEST(hostile_packed, 0) { hostile(F_PACKED | F_INDIRECT | F_EVENT, 40000); }

int main(int argc, char **argv)
{
	const struct tap_config config = { .timeout = 120 };

	(void)argc;
	return tap_run(&config, argv + 1);
}
