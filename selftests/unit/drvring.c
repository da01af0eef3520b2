// SPDX-License-Identifier: GPL-2.0
/*
 * The driver's side of a ring (drivers/core/drvring*.c), against the device's
 * side (drivers/core/vring*.c, tested by itself in vring.c). What the device
 * pops must be what was offered, in order; what is taken back must be what it
 * used, whatever the order; nobody may sleep while there is something to do.
 * Devices that break a rule must be told so by just that rule.
 */
#include <linux/types.h>
#include <linux/virtio_config.h>
#include <linux/virtio_ring.h>
#include <endian.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../drivers/core/drvring.c"
#undef VMDEV_HAS
#include "../../drivers/core/drvring_packed.c"
#undef VMDEV_DESC_AVAIL
#undef VMDEV_DESC_USED
#undef VMDEV_EVENT_WRAP
#include "../../drivers/core/drvring_split.c"
#include "../../drivers/core/vring.c"
#include "../../drivers/core/vring_packed.c"
#include "../../drivers/core/vring_split.c"
#define TAP_MAIN
#include "../include/tap.h"

#define NUM_MAX		64
#define SEGS_MAX	8
#define F_PACKED	BIT_ULL(VIRTIO_F_RING_PACKED)
#define F_EVENT		BIT_ULL(VIRTIO_RING_F_EVENT_IDX)
#define F_ORDER		BIT_ULL(VIRTIO_F_IN_ORDER)

static u64 seed = 1;

static u32 rnd(u32 n)
{
	seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
	return (seed >> 33) % n;
}

/* What was offered, by the id of the driver's side; and what the device has of it. */
struct buffer {
	bool out, used;
	u16 nsegs;
	u32 len, write_len;
	u64 seq;
	struct vmdev_vring_seg segs[SEGS_MAX];
};

struct held {
	struct vmdev_vring_chain chain;
	u64 seq;
};

struct pair {
	u64 features;
	u16 num;
	void *desc, *driver, *device;
	struct vmdev_drv_desc *descs;
	struct vmdev_drv drv;
	struct vmdev_vring dev;
	struct buffer buf[NUM_MAX];
	u64 offered, popped, taken;
	u16 order[1 << 16];
	struct held held[NUM_MAX];	/* by the device, oldest first */
	u16 nheld;
	u16 next;			/* descriptor after those of the chain added last */
	bool dev_sleeps, drv_sleeps;
};

static void pair_init(struct pair *p, u16 num, u64 features)
{
	bool packed = features & F_PACKED;
	struct vmdev_vring_pos fresh = { .avail_wrap = true, .used_wrap = true };

	memset(p, 0, sizeof(*p));
	p->features = features;
	p->num = num;
	p->desc = calloc(num, sizeof(struct vring_desc));
	p->driver = calloc(1, packed ? 4 : 6 + 2 * num);
	p->device = calloc(1, packed ? 4 : 6 + 8 * num);
	p->descs = calloc(num, sizeof(*p->descs));
	CHECK_OK(vmdev_drv_init(&p->drv, &(struct vmdev_drv_conf) {
		.desc = p->desc, .driver = p->driver, .device = p->device,
		.num = num, .features = features, .descs = p->descs }));
	CHECK_OK(vmdev_vring_init(&p->dev, &(struct vmdev_vring_conf) {
		.desc = p->desc, .driver = p->driver, .device = p->device,
		.num = num, .features = features }, &fresh));
}

static void pair_free(struct pair *p)
{
	free(p->desc);
	free(p->driver);
	free(p->device);
	free(p->descs);
}

static u16 random_chain(struct vmdev_vring_seg *segs, u16 max)
{
	u16 n = 1 + rnd(max), nread = rnd(n + 1), i;

	for (i = 0; i < n; i++)
		segs[i] = (struct vmdev_vring_seg) {
			.addr = ((u64)rnd(1 << 30) << 20) | rnd(1 << 20),
			.len = rnd(1 << 20), .write = i >= nread,
		};
	return n;
}

static void add(struct pair *p)
{
	struct vmdev_vring_seg segs[SEGS_MAX];
	struct buffer *b;
	u16 n, id, i;

	if (!p->drv.nfree)
		return;
	n = random_chain(segs, p->drv.nfree < SEGS_MAX ? p->drv.nfree : SEGS_MAX);
	id = vmdev_drv_add(&p->drv, segs, n);
	CHECK(id < p->num && !p->buf[id].out, "id %u is out already", id);
	/* 2.7: in order, descriptors are used in the order of the table. */
	CHECK(!(p->features & F_ORDER) || id == p->next, "in order, but %u after %u", id, p->next);
	p->next = (id + n) % p->num;
	b = &p->buf[id];
	*b = (struct buffer) { .out = true, .nsegs = n, .seq = p->offered };
	memcpy(b->segs, segs, sizeof(segs));
	for (i = 0; i < n; i++)
		b->write_len += segs[i].write ? segs[i].len : 0;
	p->order[p->offered++ & 0xffff] = id;
}

static void pop(struct pair *p)
{
	struct vmdev_vring_seg segs[SEGS_MAX];
	struct vmdev_vring_chain chain = { .segs = segs, .max = SEGS_MAX };
	struct buffer *b;
	int got = vmdev_vring_pop(&p->dev, &chain);
	u16 i;

	CHECK(got >= 0, "device: %s", p->dev.why);
	if (!got)
		return;
	CHECK(chain.id == p->order[p->popped & 0xffff], "popped %u out of order", chain.id);
	b = &p->buf[chain.id];
	CHECK(b->out && !b->used && chain.nsegs == b->nsegs, "chain of %u", chain.nsegs);
	for (i = 0; i < b->nsegs; i++)
		CHECK(segs[i].addr == b->segs[i].addr && segs[i].len == b->segs[i].len &&
		      segs[i].write == b->segs[i].write, "piece %u differs", i);
	p->held[p->nheld++] = (struct held) { .chain = chain, .seq = p->popped++ };
}

static void use(struct pair *p, u16 i)
{
	struct vmdev_vring_chain *c = &p->held[i].chain;
	struct buffer *b = &p->buf[c->id];

	b->used = true;
	b->len = b->write_len ? rnd(b->write_len + 1) : 0;
	/* In a packed ring a length goes with something written only. */
	vmdev_vring_push(&p->dev, c->id, c->slots, b->len);
	memmove(&p->held[i], &p->held[i + 1], (--p->nheld - i) * sizeof(p->held[0]));
}

/* In order, the first @n as one: the entry names the last (2.7.9, 2.8.12). */
static void use_batch(struct pair *p, u16 n)
{
	struct vmdev_vring_chain *last = &p->held[n - 1].chain;
	struct buffer *b = &p->buf[last->id];
	u16 i, slots = 0;

	b->len = b->write_len ? rnd(b->write_len + 1) : 0;
	for (i = 0; i < n; i++) {
		slots += p->held[i].chain.slots;
		p->buf[p->held[i].chain.id].used = true;
		if (i + 1 < n)
			p->buf[p->held[i].chain.id].len = p->buf[p->held[i].chain.id].write_len;
	}
	if (p->dev.packed) {
		vmdev_vring_push(&p->dev, last->id, slots, b->len);
	} else {
		u16 first = p->dev.pos.used;

		vmdev_vring_push(&p->dev, last->id, 1, b->len);
		/* The index goes on, the entries between are not written. */
		p->dev.pos.used = first + n;
		p->dev.inflight -= n - 1;
	}
	memmove(&p->held[0], &p->held[n], (p->nheld -= n) * sizeof(p->held[0]));
}

static void take(struct pair *p)
{
	u16 id;
	u32 len;
	int got = vmdev_drv_take(&p->drv, &id, &len);
	struct buffer *b;

	CHECK(got >= 0, "driver: %s", p->drv.why);
	if (!got)
		return;
	b = &p->buf[id];
	CHECK(b->out && b->used, "took %u, which was not used", id);
	CHECK(len == b->len, "length %u, was %u", len, b->len);
	b->out = false;
	vmdev_drv_free(&p->drv, id);
	p->taken++;
}

static void driver_turn(struct pair *p)
{
	u16 n;

	for (n = rnd(4); n && !p->drv_sleeps; n--)
		take(p);
	for (n = rnd(6); n; n--)
		add(p);
	if (vmdev_drv_offer(&p->drv))
		p->dev_sleeps = false;
	if (!rnd(3) && !p->drv_sleeps)
		p->drv_sleeps = !vmdev_drv_interrupts_on(&p->drv);
	else if (!p->drv_sleeps)
		vmdev_drv_interrupts_off(&p->drv);
}

static void device_turn(struct pair *p)
{
	bool order = p->features & F_ORDER;
	u16 n;

	if (!p->dev_sleeps) {
		for (n = rnd(6); n && p->nheld < NUM_MAX; n--)
			pop(p);
		if (!rnd(3))
			p->dev_sleeps = !vmdev_vring_kicks_on(&p->dev);
		else
			vmdev_vring_kicks_off(&p->dev);
	}
	if (order && p->nheld && rnd(2))
		use_batch(p, 1 + rnd(p->nheld));
	else
		for (n = rnd(5); n && p->nheld; n--)
			use(p, order ? 0 : rnd(p->nheld));
	if (vmdev_vring_publish(&p->dev))
		p->drv_sleeps = false;
}

static void exercise(u64 features)
{
	static struct pair p;
	int run, i;

	for (run = 0; run < 40; run++) {
		u16 num = features & F_PACKED ? 2 + rnd(NUM_MAX - 1) : 2 << rnd(6);

		pair_init(&p, num, features);
		for (i = 0; i < 4000; i++) {
			if (rnd(2))
				driver_turn(&p);
			else
				device_turn(&p);
			/* Both asleep with work to do: a kick or an interrupt was lost. */
			CHECK(!p.dev_sleeps || p.popped == p.offered - p.drv.fresh ||
			      p.popped == p.offered, "device sleeps over %d buffers",
			      (int)(p.offered - p.popped));
			CHECK(!p.drv_sleeps || !vmdev_drv_more(&p.drv), "driver sleeps");
		}
		/* All comes home. */
		p.dev_sleeps = false;
		p.drv_sleeps = false;
		for (i = 0; i < 4 * NUM_MAX; i++) {
			pop(&p);
			if (p.nheld)
				use(&p, 0);
			vmdev_vring_publish(&p.dev);
			take(&p);
		}
		CHECK(p.taken == p.offered && p.offered > 500, "%d of %d came back",
		      (int)p.taken, (int)p.offered);
		CHECK(p.drv.nfree == p.num && !p.drv.out, "%u of %u free", p.drv.nfree, p.num);
		pair_free(&p);
	}
}

TAP_TEST(drv_split, 0) { exercise(0); }
TAP_TEST(drv_split_event, 0) { exercise(F_EVENT); }
TAP_TEST(drv_split_in_order, 0) { exercise(F_ORDER | F_EVENT); }
TAP_TEST(drv_packed, 0) { exercise(F_PACKED); }
TAP_TEST(drv_packed_event, 0) { exercise(F_PACKED | F_EVENT); }
TAP_TEST(drv_packed_in_order, 0) { exercise(F_PACKED | F_ORDER | F_EVENT); }

/* --- devices that lie -------------------------------------------------------------------- */
static void offer(struct pair *p, u64 features, u16 n)
{
	static const struct vmdev_vring_seg segs[2] = {
		{ .addr = 0x1000, .len = 16 }, { .addr = 0x2000, .len = 64, .write = true },
	};

	pair_init(p, 8, features);
	while (n--)
		vmdev_drv_add(&p->drv, segs, 2);
	vmdev_drv_offer(&p->drv);
}

static void used_split(struct pair *p, u16 idx, u32 id, u32 len)
{
	struct vring_used *used = p->device;

	used->ring[(u16)(idx - 1) & 7].id = htole32(id);
	used->ring[(u16)(idx - 1) & 7].len = htole32(len);
	used->idx = htole16(idx);
}

static void expect(struct pair *p, const char *why)
{
	u16 id;
	u32 len;

	CHECK_ERR(vmdev_drv_take(&p->drv, &id, &len), -EBADMSG);
	CHECK(p->drv.why && strstr(p->drv.why, why), "why: %s", p->drv.why);
	/* And stays so. */
	CHECK_ERR(vmdev_drv_take(&p->drv, &id, &len), -EBADMSG);
	pair_free(p);
}

TAP_TEST(drv_lies_split, 0)
{
	static struct pair p;
	u16 id;
	u32 len;

	offer(&p, 0, 2);
	used_split(&p, 1, 8, 0);
	expect(&p, "did not have");
	offer(&p, 0, 2);
	used_split(&p, 1, 0xffffffff, 0);
	expect(&p, "did not have");
	/* Not the first descriptor of a chain. */
	offer(&p, 0, 2);
	used_split(&p, 1, 1, 0);
	expect(&p, "did not have");
	/* Free. */
	offer(&p, 0, 2);
	used_split(&p, 1, 4, 0);
	expect(&p, "did not have");
	offer(&p, 0, 2);
	used_split(&p, 1, 0, 65);
	expect(&p, "more than");
	offer(&p, 0, 2);
	used_split(&p, 3, 0, 0);
	expect(&p, "went further");
	offer(&p, 0, 2);
	used_split(&p, 0xffff, 0, 0);
	expect(&p, "went further");
	/* Twice. */
	offer(&p, 0, 2);
	used_split(&p, 1, 0, 64);
	CHECK(vmdev_drv_take(&p.drv, &id, &len) == 1 && id == 0 && len == 64, "first");
	vmdev_drv_free(&p.drv, id);
	used_split(&p, 2, 0, 64);
	expect(&p, "did not have");
	/* In order: a batch of more than the index counts. */
	offer(&p, F_ORDER, 2);
	used_split(&p, 1, 2, 0);
	for (len = 0; len < 2; len++) {
		u32 l;

		CHECK(vmdev_drv_take(&p.drv, &id, &l) == 1, "batch");
		vmdev_drv_free(&p.drv, id);
	}
	expect(&p, "went further");
}

TAP_TEST(drv_lies_packed, 0)
{
	static struct pair p;
	struct vring_packed_desc *desc;
	u16 flags = BIT(VRING_PACKED_DESC_F_AVAIL) | BIT(VRING_PACKED_DESC_F_USED);

	offer(&p, F_PACKED, 2);
	desc = p.desc;
	desc[0].id = htole16(8);
	desc[0].flags = htole16(flags);
	expect(&p, "did not have");
	offer(&p, F_PACKED, 2);
	desc = p.desc;
	desc[0].id = htole16(1);
	desc[0].flags = htole16(flags);
	expect(&p, "did not have");
	offer(&p, F_PACKED, 2);
	desc = p.desc;
	desc[0].id = 0;
	desc[0].len = htole32(65);
	desc[0].flags = htole16(flags | VRING_DESC_F_WRITE);
	expect(&p, "more than");
}

/* 2.8.8: without F_WRITE a length means nothing. QEMU has them so all the same. */
TAP_TEST(drv_packed_length, 0)
{
	static const u32 lens[][2] = { { 64, 64 }, { 1, 1 }, { 0, 0 }, { 65, 0 }, { ~0U, 0 } };
	u16 flags = BIT(VRING_PACKED_DESC_F_AVAIL) | BIT(VRING_PACKED_DESC_F_USED), id;
	static struct pair p;
	struct vring_packed_desc *desc;
	unsigned int i;
	u32 len;

	for (i = 0; i < ARRAY_SIZE(lens); i++) {
		offer(&p, F_PACKED, 2);
		desc = p.desc;
		desc[0].id = 0;
		desc[0].len = htole32(lens[i][0]);
		desc[0].flags = htole16(flags);
		CHECK(vmdev_drv_take(&p.drv, &id, &len) == 1 && id == 0, "%s", p.drv.why);
		CHECK(len == lens[i][1], "%u, not %u", len, lens[i][1]);
		pair_free(&p);
	}
}

TAP_TEST(drv_sizes, 0)
{
	static const u16 bad[] = { 0, 3, 65535 };
	struct vmdev_drv_desc descs[8];
	struct vmdev_drv drv;
	unsigned int i;

	for (i = 0; i < 3; i++)
		CHECK_ERR(vmdev_drv_init(&drv, &(struct vmdev_drv_conf) {
			.num = bad[i], .descs = descs }), -EINVAL);
	CHECK_ERR(vmdev_drv_init(&drv, &(struct vmdev_drv_conf) {
		.num = 32769, .features = F_PACKED, .descs = descs }), -EINVAL);
}

int main(int argc, char **argv)
{
	return tap_run(&(struct tap_config) { .timeout = 120 }, argv + 1);
}
