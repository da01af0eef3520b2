/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The device's side of a ring (drivers/core/vring*.c) against a hostile driver:
 * rings that begin well-formed, or not, and are written to anywhere, between
 * calls and in the middle of them (each READ_ONCE() is a chance).
 *
 * Areas lie far apart in poisoned memory, so that no index of 16 bits reaches
 * from one into another. What a call has to do is foretold from a copy of the
 * areas, as the specification says it; if the driver wrote while it ran, what
 * must hold whatever it wrote is checked instead.
 *
 * Include it first; it includes the driver's source. A target then has the
 * model of its format, the functions declared below.
 */
#ifndef _VMDEV_FUZZ_VRING_H
#define _VMDEV_FUZZ_VRING_H

#include <linux/types.h>
#include <linux/virtio_config.h>
#include <linux/virtio_ring.h>
#include <sanitizer/asan_interface.h>
#include <fuzz.h>

static void vring_touched(void);

#undef READ_ONCE
#define READ_ONCE(x)	(vring_touched(), __atomic_load_n(&(x), __ATOMIC_RELAXED))

#include "../../drivers/core/vring.c"
#include "../../drivers/core/vring_packed.c"
#include "../../drivers/core/vring_split.c"

#define NUM_MAX		256
#define SEGS_MAX	64
#define TABLES_SIZE	2048
#define STEPS_MAX	96
/* More than 65535 entries of 16 bytes. */
#define GAP		(1100 * 1024)
#define AREA_MAX	(NUM_MAX * 16)

enum { DESC, DRIVER, DEVICE, TABLES, SEGS, AREAS };

/**
 * struct vring_area - a piece of memory that both sides see
 * @at: where it is
 * @size: bytes
 * @copy: its content before a call, then as it shall be after it
 */
struct vring_area {
	u8 *at;
	u32 size;
	u8 copy[AREA_MAX];
};

/**
 * struct vring_expect - a buffer, as it has to be popped
 * @id: its id
 * @slots: entries it takes
 * @n: pieces
 * @nread: those to read
 * @len: bytes, of pieces to read and to write
 * @segs: pieces
 */
struct vring_expect {
	u16 id;
	u16 slots;
	u16 n;
	u16 nread;
	u64 len[2];
	struct vmdev_vring_seg segs[SEGS_MAX];
};

/**
 * struct vring_fuzz - a ring, both sides of it, and a model
 * @in: what happens
 * @ring: the driver's
 * @chain: popped last
 * @areas: memory
 * @tables_iova: what the driver calls the area of tables
 * @features: negotiated
 * @num: entries
 * @max: pieces that @chain has room for
 * @pos: model: where the ring is at
 * @seen: model, split: avail index that was read last
 * @inflight: model: entries that are out
 * @fresh: model: entries pushed, not published
 * @first: model, packed: the first of them
 * @first_flags: model, packed: its flags
 * @signalled: model, split: used index at the last look at the driver's wish
 * @signalled_valid: model: there was one
 * @broken: model: the ring broke
 * @drv: where the driver is at: split: index; packed: entry
 * @drv_wrap: packed: its wrap counter
 * @held: buffers that are out
 * @nheld: how many
 * @foreign: entries that were out when we took over
 * @can_unpop: nothing happened since @chain was popped
 * @armed: the driver writes at the read that comes after so many
 * @writes: how many times it writes then
 * @mid: it did so during this call
 * @reads: reads of this call
 * @mutated: it wrote anything at all that does not belong there
 */
static struct vring_fuzz {
	struct fuzz_input *in;
	struct vmdev_vring ring;
	struct vmdev_vring_chain chain;
	struct vring_area areas[AREAS];
	u64 tables_iova;
	u64 features;
	u16 num;
	u16 max;
	struct vmdev_vring_pos pos;
	u16 seen;
	u16 inflight;
	u16 fresh;
	u16 first;
	u16 first_flags;
	u16 signalled;
	bool signalled_valid;
	bool broken;
	u16 drv;
	bool drv_wrap;
	struct {
		u16 id, slots;
	} held[NUM_MAX];
	u16 nheld;
	u16 foreign;
	bool can_unpop;
	int armed;
	u8 writes;
	bool mid;
	u32 reads;
	bool mutated;
} f;

static unsigned long rings_mutated, rings_broken, buffers_popped;
static u8 arena[AREAS * (GAP + AREA_MAX) + GAP] __aligned(4096);

/* --- what a target has ----------------------------------------------------- */
/* Is this position one that a ring can be at? Sets f.inflight if so. */
static bool model_init(void);
/* 1 with a buffer, 0 without, -1 if the ring breaks. */
static int model_pop(struct vring_expect *e);
/* Move on by a buffer, or back by it. */
static void model_take(u16 slots);
static void model_untake(u16 slots);
/* These write to the copies what the call has to write. */
static void model_push(u16 id, u16 slots, u32 len);
/* Is an interrupt wanted? 2 if either will do. */
static int model_publish(void);
static void model_kicks_off(void);
static bool model_kicks_on(void);
/* An honest driver offers a buffer, or says with which used one to interrupt it. */
static void drv_add(void);
static void drv_wish(u8 ahead);
/* The short way for buffers of one piece, if the format has one. */
static void step_ones(void);

/* --- memory ------------------------------------------------------------------ */
static bool has(unsigned int bit)
{
	return f.features >> bit & 1;
}

static u8 *area_copy(unsigned int area, u32 offset, u32 len)
{
	FUZZ_CHECK(offset + len <= f.areas[area].size, "the model reads beyond area %u", area);
	return f.areas[area].copy + offset;
}

static u16 get16(unsigned int area, u32 offset)
{
	u16 v;

	memcpy(&v, area_copy(area, offset, sizeof(v)), sizeof(v));
	return le16toh(v);
}

static void put16(unsigned int area, u32 offset, u16 v)
{
	v = htole16(v);
	memcpy(area_copy(area, offset, sizeof(v)), &v, sizeof(v));
}

static void put32(unsigned int area, u32 offset, u32 v)
{
	v = htole32(v);
	memcpy(area_copy(area, offset, sizeof(v)), &v, sizeof(v));
}

/* A descriptor of the ring: both formats have address and length in one place. */
static struct vring_desc desc_at(u16 i)
{
	struct vring_desc desc;

	memcpy(&desc, area_copy(DESC, i * sizeof(desc), sizeof(desc)), sizeof(desc));
	return desc;
}

/* The driver writes, which the model sees as well. */
static void drv_write(unsigned int area, u32 offset, const void *p, u32 len)
{
	FUZZ_CHECK(offset + len <= f.areas[area].size, "the driver writes beyond area %u", area);
	memcpy(f.areas[area].at + offset, p, len);
	memcpy(f.areas[area].copy + offset, p, len);
}

static int guest_read(void *ctx, u64 iova, void *buf, u32 len)
{
	u64 at = iova - f.tables_iova;

	FUZZ_CHECK(ctx == &f && len == 16, "read of %u bytes", len);
	vring_touched();
	if (iova + len - 1 < iova || at > f.areas[TABLES].size - len)
		return -EFAULT;
	memcpy(buf, f.areas[TABLES].at + at, len);
	return 0;
}

/* --- a hostile driver --------------------------------------------------------- */
static u64 nasty(void)
{
	const u64 values[] = {
		0, 1, 2, 3, 4, 6, 0x80, 0x8000, 0x8080, 0x7fff, 0xffff, 0x4000,
		f.num, f.num - 1, f.num + 1, f.pos.avail, f.pos.avail + 1, f.pos.used,
		f.pos.avail + f.num, f.pos.avail + f.num + 1, 16, 17, 32, 16 * VMDEV_CHAIN_MAX,
		16 * VMDEV_CHAIN_MAX + 16, 0xffffffff, 0xfffffff0, ~0ULL, -16ULL, -32ULL,
		f.tables_iova, f.tables_iova + TABLES_SIZE - 16, f.tables_iova - 16, -48ULL,
	};
	u8 which = fuzz_u8(f.in);

	return which < ARRAY_SIZE(values) ? values[which] : fuzz_u64(f.in);
}

/* Somewhere, something: mostly where a field begins. */
static void mutate(void)
{
	u8 how = fuzz_u8(f.in);
	unsigned int area = how % 4;
	u32 width = 1 << (how >> 2) % 4, size = f.areas[area].size;
	u64 v;
	u32 at;

	f.mutated = true;
	at = fuzz_u16(f.in) % size;
	if (how & 0x10)
		at -= at % width;
	/* The first entries: those that will be looked at. */
	if (how & 0x20)
		at %= min(size, 64U);
	v = htole64(nasty());
	drv_write(area, at, &v, min(width, size - at));
}

static void vring_touched(void)
{
	f.reads++;
	if (f.armed < 0 || f.armed--)
		return;
	f.mid = true;
	while (f.writes--)
		mutate();
}

/* --- pieces of a buffer --------------------------------------------------------- */
/* False if that breaks the ring. */
static bool expect_seg(struct vring_expect *e, const struct vring_desc *desc)
{
	u64 addr = le64toh(desc->addr);
	u32 len = le32toh(desc->len);
	bool write = le16toh(desc->flags) & 2;

	if (e->n == f.max || (!write && e->n > e->nread) ||
	    (s128)addr + len > U64_MAX || e->len[0] + e->len[1] + len > U32_MAX)
		return false;
	e->segs[e->n++] = (struct vmdev_vring_seg) { addr, len, write };
	e->len[write] += len;
	e->nread += !write;
	return true;
}

/* Entry @i of a table that the driver has at @addr. */
static bool table_entry(u64 addr, u32 i, struct vring_desc *desc)
{
	u64 at = addr + 16 * i - f.tables_iova;

	if (at > f.areas[TABLES].size - 16)
		return false;
	memcpy(desc, f.areas[TABLES].copy + at, sizeof(*desc));
	return true;
}

/* Entries of the table that @desc names, 0 if it may not. */
static u32 table_length(const struct vring_desc *desc)
{
	u32 len = le32toh(desc->len);

	if (!has(VIRTIO_RING_F_INDIRECT_DESC) || (le16toh(desc->flags) & 1) || len % 16 ||
	    len > 16 * VMDEV_CHAIN_MAX || (s128)le64toh(desc->addr) + len > U64_MAX)
		return 0;
	return len / 16;
}

/* --- calls ------------------------------------------------------------------------ */
/* Nothing is written but what the model has written to the copies. */
static void call_done(void)
{
	unsigned int i;

	FUZZ_CHECK(f.reads <= 8 * (f.max + 4), "%u reads", f.reads);
	FUZZ_CHECK(f.ring.inflight <= f.num, "%u are out of %u", f.ring.inflight, f.num);
	f.armed = -1;
	f.reads = 0;
	if (f.mid) {
		for (i = 0; i < SEGS; i++)
			memcpy(f.areas[i].copy, f.areas[i].at, f.areas[i].size);
		f.mid = false;
	}
	for (i = 0; i < SEGS; i++)
		FUZZ_CHECK(!memcmp(f.areas[i].copy, f.areas[i].at, f.areas[i].size),
			   "area %u is not as it has to be", i);
	FUZZ_CHECK(f.ring.pos.avail == f.pos.avail && f.ring.pos.used == f.pos.used &&
		   (!has(VIRTIO_F_RING_PACKED) ||
		    (f.ring.pos.avail_wrap == f.pos.avail_wrap &&
		     f.ring.pos.used_wrap == f.pos.used_wrap)), "it is somewhere else");
	FUZZ_CHECK(f.ring.inflight == f.inflight, "%u are out, not %u", f.ring.inflight,
		   f.inflight);
}

/* Whatever the driver wrote. */
static void check_chain(void)
{
	u64 len[2] = { 0, 0 };
	u16 i;

	FUZZ_CHECK(f.chain.nsegs && f.chain.nsegs <= f.max, "%u pieces", f.chain.nsegs);
	FUZZ_CHECK(f.chain.slots && f.chain.slots <= f.num - f.inflight, "%u entries",
		   f.chain.slots);
	for (i = 0; i < f.chain.nsegs; i++) {
		const struct vmdev_vring_seg *seg = &f.chain.segs[i];

		FUZZ_CHECK(seg->write == (i >= f.chain.nread), "piece %u", i);
		FUZZ_CHECK(seg->addr + seg->len >= seg->addr, "piece %u wraps", i);
		len[seg->write] += seg->len;
	}
	FUZZ_CHECK(len[0] == f.chain.read_len && len[1] == f.chain.write_len, "lengths");
}

static void check_expected(const struct vring_expect *e)
{
	u16 i;

	FUZZ_CHECK(f.chain.id == e->id && f.chain.slots == e->slots, "id %u, %u entries",
		   f.chain.id, f.chain.slots);
	FUZZ_CHECK(f.chain.nsegs == e->n && f.chain.nread == e->nread, "%u pieces, %u to read",
		   f.chain.nsegs, f.chain.nread);
	for (i = 0; i < e->n; i++)
		FUZZ_CHECK(f.chain.segs[i].addr == e->segs[i].addr &&
			   f.chain.segs[i].len == e->segs[i].len, "piece %u", i);
}

static void step_pop(void)
{
	static struct vring_expect e;
	u16 seen = f.seen;
	int got, want;

	memset(&e, 0, offsetof(struct vring_expect, segs));
	want = f.broken ? -1 : model_pop(&e);
	got = vmdev_vring_pop(&f.ring, &f.chain);
	FUZZ_CHECK(got == 1 || got == 0 || got == -EBADMSG, "pop: %d", got);
	FUZZ_CHECK((got == -EBADMSG) == !!f.ring.why, "%d with \"%s\"", got, f.ring.why);
	FUZZ_CHECK(!f.broken || got < 0, "it is whole again");
	if (!f.mid)
		FUZZ_CHECK(got == (want < 0 ? -EBADMSG : want), "pop: %d, not %d: %s", got, want,
			   f.ring.why);
	else
		/* What there is to be popped was said then. */
		f.seen = f.ring.seen;
	FUZZ_CHECK(got <= 0 || has(VIRTIO_F_RING_PACKED) || !f.mid ||
		   (u16)(f.seen - f.pos.avail) <= f.num || f.seen == seen, "more than was said");
	f.broken |= got < 0;
	f.can_unpop = got == 1;
	if (got == 1) {
		check_chain();
		if (!f.mid)
			check_expected(&e);
		model_take(f.chain.slots);
		f.held[f.nheld].id = f.chain.id;
		f.held[f.nheld++].slots = f.chain.slots;
		buffers_popped++;
	}
	call_done();
}

static void step_unpop(void)
{
	if (!f.can_unpop)
		return;
	f.can_unpop = false;
	f.nheld--;
	model_untake(f.chain.slots);
	vmdev_vring_unpop(&f.ring, &f.chain);
	call_done();
}

static void step_push(void)
{
	u16 which = fuzz_u8(f.in), id, slots = 1;
	u32 len = fuzz_u8(f.in) & 1 ? fuzz_u32(f.in) : 0;

	if (f.nheld) {
		which %= f.nheld;
		id = f.held[which].id;
		slots = f.held[which].slots;
		f.held[which] = f.held[--f.nheld];
	} else if (f.foreign) {
		id = fuzz_u16(f.in);
		f.foreign--;
	} else {
		return;
	}
	f.can_unpop = false;
	model_push(id, slots, len);
	vmdev_vring_push(&f.ring, id, slots, len);
	call_done();
}

static void step_publish(void)
{
	int want = model_publish();
	bool got = vmdev_vring_publish(&f.ring);

	FUZZ_CHECK(f.mid || want == 2 || got == want, "interrupt: %d, not %d", got, want);
	call_done();
}

static void step_kicks(bool on)
{
	bool want, got;

	if (on) {
		want = model_kicks_on();
		got = vmdev_vring_kicks_on(&f.ring);
		FUZZ_CHECK(f.mid || got == want, "more: %d, not %d", got, want);
	} else {
		model_kicks_off();
		vmdev_vring_kicks_off(&f.ring);
	}
	call_done();
}

static void step(void)
{
	u8 what = fuzz_u8(f.in);

	/* From now on, or in the middle of what comes. */
	if (what & 0x80) {
		if (what & 0x40) {
			f.armed = fuzz_u8(f.in) % 32;
			f.writes = 1 + (what >> 4 & 3);
		} else if (what & 0x20) {
			mutate();
		}
	}
	switch (what % 16) {
	case 0 ... 4:
		drv_add();
		break;
	case 5 ... 7:
		step_pop();
		break;
	case 8:
		step_ones();
		break;
	case 9 ... 10:
		step_push();
		break;
	case 11:
		step_publish();
		break;
	case 12:
		step_unpop();
		break;
	case 13:
		mutate();
		break;
	case 14:
		drv_wish(fuzz_u8(f.in));
		break;
	default:
		step_kicks(what & 0x10);
	}
	f.armed = -1;
}

/* --- setting up ---------------------------------------------------------------------- */
static void area_set(unsigned int area, u32 size)
{
	struct vring_area *a = &f.areas[area];

	if (a->at)
		ASAN_POISON_MEMORY_REGION(a->at, a->size);
	a->at = arena + GAP + area * (GAP + AREA_MAX);
	a->size = size;
	ASAN_UNPOISON_MEMORY_REGION(a->at, size);
	memset(a->at, 0, size);
	memset(a->copy, 0, size);
}

/* As long as the specification has them, with the features that there are. */
static void areas_set(void)
{
	u32 event = has(VIRTIO_RING_F_EVENT_IDX) ? 2 : 0;
	bool packed = has(VIRTIO_F_RING_PACKED);

	area_set(DESC, 16 * f.num);
	area_set(DRIVER, packed ? 4 : 4 + 2 * f.num + event);
	area_set(DEVICE, packed ? 4 : 4 + 8 * f.num + event);
	area_set(TABLES, TABLES_SIZE);
	area_set(SEGS, f.max * sizeof(struct vmdev_vring_seg));
}

static void counts(void)
{
	fprintf(stderr, "Rings: %lu mutated, %lu of them broken, %lu buffers popped\n",
		rings_mutated, rings_broken, buffers_popped);
}

static void arena_init(void)
{
	static bool done;

	if (done)
		return;
	done = true;
	ASAN_POISON_MEMORY_REGION(arena, sizeof(arena));
	atexit(counts);
}

/* Mostly a fresh ring; at times any position, also one that cannot be. */
static bool ring_init(void)
{
	struct vmdev_vring_conf conf = {
		.desc = f.areas[DESC].at, .driver = f.areas[DRIVER].at,
		.device = f.areas[DEVICE].at, .num = f.num, .features = f.features,
		.read = guest_read, .ctx = &f,
	};
	bool ok;
	int err;

	f.pos = (struct vmdev_vring_pos) { .avail_wrap = true, .used_wrap = true };
	if (fuzz_u8(f.in) % 8 == 1) {
		u8 wraps = fuzz_u8(f.in);

		f.pos.used = fuzz_u16(f.in);
		f.pos.avail = f.pos.used + (wraps & 4 ? fuzz_u8(f.in) : 0);
		f.pos.avail_wrap = wraps & 1;
		f.pos.used_wrap = wraps & 2;
		if (has(VIRTIO_F_RING_PACKED) && (wraps & 8)) {
			f.pos.used %= f.num;
			f.pos.avail %= f.num;
		}
	}
	ok = model_init();
	err = vmdev_vring_init(&f.ring, &conf, &f.pos);
	FUZZ_CHECK(err == (ok ? 0 : -EINVAL), "init: %d", err);
	f.seen = f.pos.avail;
	f.foreign = f.inflight;
	f.drv = f.pos.avail;
	f.drv_wrap = f.pos.avail_wrap;
	return ok;
}

/**
 * vring_fuzz() - one ring
 * @in: what happens
 * @features: its format
 */
static void vring_fuzz(struct fuzz_input *in, u64 features)
{
	u8 what = fuzz_u8(in), size = fuzz_u8(in);
	u32 n = 0;

	arena_init();
	memset(&f.ring, 0, offsetof(struct vring_fuzz, areas) - offsetof(struct vring_fuzz, ring));
	memset(&f.tables_iova, 0, sizeof(f) - offsetof(struct vring_fuzz, tables_iova));
	f.in = in;
	f.armed = -1;
	f.features = features;
	if (what & 1)
		f.features |= BIT_ULL(VIRTIO_RING_F_EVENT_IDX);
	if (what & 6)
		f.features |= BIT_ULL(VIRTIO_RING_F_INDIRECT_DESC);
	/* Memory also where addresses end, and begin anew. */
	f.tables_iova = what & 8 ? -(TABLES_SIZE / 2ULL) : 0x10000;
	f.max = what & 16 ? 1 + fuzz_u8(in) % SEGS_MAX : SEGS_MAX;
	if (!has(VIRTIO_F_RING_PACKED))
		f.num = 1 << size % 9;
	else
		f.num = 1 + (size & 1 ? size : size / 2 % 8);
	areas_set();
	f.chain.segs = (void *)f.areas[SEGS].at;
	f.chain.max = f.max;
	if (!ring_init())
		return;

	while (in->left && n++ < STEPS_MAX)
		step();
	/* Whatever there is. */
	for (n = 0; n <= f.num && f.nheld < NUM_MAX; n++) {
		u16 before = f.nheld;

		step_pop();
		if (f.nheld == before)
			break;
	}
	rings_mutated += f.mutated;
	rings_broken += f.mutated && f.broken;
}

#endif /* _VMDEV_FUZZ_VRING_H */
