// SPDX-License-Identifier: GPL-2.0
/*
 * Control commands (drivers/core/ctrl_state.c): which make sense, and what is
 * remembered of them. Numbers are those of virtio 1.3, 5.1.6.5, written out: a
 * command is its class, its command, and data in little endian.
 */
#include "kunit.h"
#include "../../drivers/core/ctrl_state.c"

#define B(n)	BIT_ULL(n)

/* 5.1.3: feature bits. */
#define GUEST_OFFLOADS	2
#define RX		18
#define VLAN		19
#define RX_EXTRA	20
#define ANNOUNCE	21
#define MQ		22
#define MAC_ADDR	23
#define VQ_NOTF_COAL	52
#define NOTF_COAL	53
#define HASH_REPORT	57
#define RSS		60

#define KEY_MAX		40
#define TABLE_MAX	128
#define PAIRS		4

static const struct vmdev_ctrl_limits all = {
	.features = ~0ULL,
	.max_vqp = PAIRS,
	.rss_table_max = TABLE_MAX,
	.rss_key_max = KEY_MAX,
};

/**
 * struct command - a command that makes sense
 * @feature: the one that it needs
 * @len: bytes
 * @data: class, command, data
 * @longer: one byte more makes sense, too
 * @shorter: so does one byte less
 */
struct command {
	u8 feature;
	u8 len;
	u8 data[28];
	bool longer;
	bool shorter;
};

static const struct command commands[] = {
	{ RX, 3, { 0, 0, 1 } },
	{ RX, 3, { 0, 1, 0 } },
	{ RX_EXTRA, 3, { 0, 2, 1 } },
	{ RX_EXTRA, 3, { 0, 3, 1 } },
	{ RX_EXTRA, 3, { 0, 4, 1 } },
	{ RX_EXTRA, 3, { 0, 5, 1 } },
	{ RX, 10, { 1, 0 } },
	{ RX, 22, { 1, 0, 1, 0, 0, 0, 2, 0, 0, 0, 0, 1, 1, 0, 0, 0, 3 } },
	{ MAC_ADDR, 8, { 1, 1, 0x52, 0x54, 0, 1, 2, 3 } },
	{ VLAN, 4, { 2, 0, 0xff, 0x0f } },
	{ VLAN, 4, { 2, 1, 0, 0 } },
	{ ANNOUNCE, 2, { 3, 0 } },
	{ MQ, 4, { 4, 0, PAIRS, 0 } },
	/* One entry, that of packets without a hash, one transmit queue, no key. */
	{ RSS, 15, { 4, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0 } },
	{ HASH_REPORT, 16, { 4, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xaa } },
	{ GUEST_OFFLOADS, 10, { 5, 0, 2 } },
	{ NOTF_COAL, 10, { 6, 0 } },
	{ NOTF_COAL, 10, { 6, 1 } },
	{ VQ_NOTF_COAL, 14, { 6, 2, 7 } },
	/* A device reads the number; the rest is what it answers. */
	{ VQ_NOTF_COAL, 6, { 6, 3, 7 }, .longer = true },
	{ VQ_NOTF_COAL, 14, { 6, 3, 7 }, .shorter = true },
};

/* In memory to the byte: the sanitizer sees who reads beyond. */
static bool sense(struct kunit *test, const struct vmdev_ctrl_limits *limits,
		  const u8 *data, u32 len)
{
	u8 *copy = kmalloc(len ? len : 1, GFP_KERNEL);
	const char *why;

	KUNIT_ASSERT_NOT_NULL(test, copy);
	memcpy(copy, data, len);
	why = vmdev_ctrl_check(limits, copy, len);
	kfree(copy);
	return !why;
}

static void commands_known(struct kunit *test)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(commands); i++)
		KUNIT_EXPECT_TRUE_MSG(test, sense(test, &all, commands[i].data, commands[i].len),
				      "%u/%u", commands[i].data[0], commands[i].data[1]);
}

static void commands_of_another_length(struct kunit *test)
{
	unsigned int i;
	u32 len;

	for (i = 0; i < ARRAY_SIZE(commands); i++) {
		const struct command *c = &commands[i];

		for (len = 0; len < c->len - c->shorter; len++)
			KUNIT_EXPECT_FALSE_MSG(test, sense(test, &all, c->data, len) &&
					       !c->shorter, "%u/%u, %u bytes", c->data[0],
					       c->data[1], len);
		for (len = c->len + 1; len <= sizeof(c->data); len++)
			KUNIT_EXPECT_FALSE_MSG(test, sense(test, &all, c->data, len) &&
					       !c->longer, "%u/%u, %u bytes", c->data[0],
					       c->data[1], len);
	}
	/* The number of the queue, not a byte less; all of it, not one more. */
	KUNIT_EXPECT_FALSE(test, sense(test, &all, commands[19].data, 5));
	KUNIT_EXPECT_FALSE(test, sense(test, &all, commands[19].data, 15));
}

static void commands_without_their_feature(struct kunit *test)
{
	struct vmdev_ctrl_limits limits = all;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(commands); i++) {
		const struct command *c = &commands[i];

		limits.features = ~B(c->feature);
		KUNIT_EXPECT_FALSE_MSG(test, sense(test, &limits, c->data, c->len), "%u/%u",
				       c->data[0], c->data[1]);
		/* With the offload that the command names. */
		limits.features = B(c->feature) | B(1);
		KUNIT_EXPECT_TRUE_MSG(test, sense(test, &limits, c->data, c->len), "%u/%u",
				      c->data[0], c->data[1]);
	}
}

static bool is_known(u8 class, u8 cmd)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(commands); i++)
		if (commands[i].data[0] == class && commands[i].data[1] == cmd)
			return true;
	return false;
}

static void commands_unknown(struct kunit *test)
{
	u8 data[16] = { 0 };
	u32 class, cmd, len;

	for (class = 0; class < 256; class++) {
		for (cmd = 0; cmd < 256; cmd++) {
			if (is_known(class, cmd))
				continue;
			data[0] = class;
			data[1] = cmd;
			for (len = 2; len <= sizeof(data); len += 2)
				KUNIT_EXPECT_NOT_NULL_MSG(test, vmdev_ctrl_check(&all, data, len),
							  "%u/%u, %u bytes", class, cmd, len);
		}
	}
}

/* --- tables of addresses ------------------------------------------------------ */
static void put32(u8 *p, u32 v)
{
	put_unaligned_le32(v, p);
}

/* A table of @len bytes that says it has so many of each. */
static bool table(struct kunit *test, u32 stations, u32 groups, u32 len)
{
	u8 *data = kzalloc(2 + len, GFP_KERNEL);
	bool ok;

	KUNIT_ASSERT_NOT_NULL(test, data);
	data[0] = 1;
	if (len >= 4)
		put32(data + 2, stations);
	if (stations < 0x10000 && len >= 8 + 6 * stations)
		put32(data + 6 + 6 * stations, groups);
	ok = sense(test, &all, data, 2 + len);
	kfree(data);
	return ok;
}

static void table_sizes(struct kunit *test)
{
	static const u32 sizes[][2] = {
		{ 0, 0 }, { 0, 1 }, { 1, 0 }, { 1, 1 }, { 64, 64 }, { 0, 2728 }, { 2728, 0 },
		{ 1000, 1728 },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		u32 n = sizes[i][0], m = sizes[i][1], len = 8 + 6 * (n + m);

		KUNIT_EXPECT_TRUE_MSG(test, table(test, n, m, len), "%u, %u", n, m);
		KUNIT_EXPECT_FALSE_MSG(test, table(test, n, m, len - 1), "%u, %u", n, m);
		KUNIT_EXPECT_FALSE_MSG(test, table(test, n, m, len + 1), "%u, %u", n, m);
		KUNIT_EXPECT_FALSE_MSG(test, table(test, n, m, len + 6), "%u, %u", n, m);
		KUNIT_EXPECT_FALSE_MSG(test, table(test, n + 1, m, len), "%u, %u", n, m);
		KUNIT_EXPECT_FALSE_MSG(test, table(test, n, m + 1, len), "%u, %u", n, m);
	}
	/* No command is longer than 16 KiB. */
	KUNIT_EXPECT_TRUE(test, table(test, 0, 2729, 8 + 6 * 2729));
	KUNIT_EXPECT_FALSE(test, table(test, 0, 2730, 8 + 6 * 2730));
}

/* Six times such a number, and the rest of the table, is a small one in 32 bits. */
static void table_counts_overflow(struct kunit *test)
{
	static const u32 counts[] = {
		0x2aaaaaab, 0x2aaaaaaa, 0x55555555, 0x55555556, 0x80000000, 0xaaaaaaab, 0xfffffffe,
		0xffffffff, 0x15555556, 0xd5555556,
	};
	unsigned int i;
	u32 len;

	for (i = 0; i < ARRAY_SIZE(counts); i++) {
		for (len = 4; len < 40; len++) {
			KUNIT_EXPECT_FALSE_MSG(test, table(test, counts[i], 0, len), "%#x, %u",
					       counts[i], len);
			KUNIT_EXPECT_FALSE_MSG(test, table(test, 0, counts[i], len), "%#x, %u",
					       counts[i], len);
			KUNIT_EXPECT_FALSE_MSG(test, table(test, 1, counts[i], len), "%#x, %u",
					       counts[i], len);
		}
	}
}

/* --- VLANs, pairs, queues, offloads ------------------------------------------- */
static void vlans_0_to_4095(struct kunit *test)
{
	u8 data[4] = { 2 };
	u32 vlan;

	for (vlan = 0; vlan < 0x10000; vlan += vlan < 4200 ? 1 : 997) {
		data[2] = vlan;
		data[3] = vlan >> 8;
		KUNIT_EXPECT_EQ_MSG(test, sense(test, &all, data, 4), vlan <= 4095, "VLAN %u",
				    vlan);
	}
}

/* From 1 to what the configuration says (5.1.6.5.5). */
static void pairs_1_to_max(struct kunit *test)
{
	struct vmdev_ctrl_limits limits = all;
	u8 data[4] = { 4 };
	u32 pairs, max;

	for (max = 1; max <= 0x8000; max *= 2) {
		limits.max_vqp = max;
		for (pairs = 0; pairs < 0x10000; pairs += pairs < 10 ? 1 : 1023) {
			data[2] = pairs;
			data[3] = pairs >> 8;
			KUNIT_EXPECT_EQ_MSG(test, sense(test, &limits, data, 4),
					    pairs >= 1 && pairs <= max, "%u of %u", pairs, max);
		}
	}
}

/* Data queues alone: two for each pair. */
static void coalescing_of_queues(struct kunit *test)
{
	u8 data[14] = { 6 };
	u32 vq;

	for (vq = 0; vq < 0x10000; vq += vq < 20 ? 1 : 255) {
		data[2] = vq;
		data[3] = vq >> 8;
		data[1] = 2;
		KUNIT_EXPECT_EQ_MSG(test, sense(test, &all, data, 14), vq < 2 * PAIRS,
				    "set %u", vq);
		data[1] = 3;
		KUNIT_EXPECT_EQ_MSG(test, sense(test, &all, data, 6), vq < 2 * PAIRS, "get %u", vq);
	}
}

/* An offload is the bit of its feature (5.1.6.5.6.1), which must be negotiated. */
static void offloads_negotiated(struct kunit *test)
{
	static const u8 offloads[] = { 1, 7, 8, 9, 10, 54, 55 };
	struct vmdev_ctrl_limits limits = all;
	u8 data[10] = { 5 };
	unsigned int i;

	limits.features = B(GUEST_OFFLOADS);
	KUNIT_EXPECT_TRUE(test, sense(test, &limits, data, sizeof(data)));
	for (i = 0; i < ARRAY_SIZE(offloads); i++) {
		put_unaligned_le64(B(offloads[i]), data + 2);
		limits.features = B(GUEST_OFFLOADS);
		KUNIT_EXPECT_FALSE(test, sense(test, &limits, data, sizeof(data)));
		limits.features |= B(offloads[i]);
		KUNIT_EXPECT_TRUE(test, sense(test, &limits, data, sizeof(data)));
		put_unaligned_le64(B(offloads[i]) | B(63), data + 2);
		KUNIT_EXPECT_FALSE(test, sense(test, &limits, data, sizeof(data)));
	}
}

/* --- RSS ------------------------------------------------------------------------ */
/* 5.1.6.5.7.1, in units of bytes. */
#define RSS_MASK	(2 + 4)
#define RSS_FIRST	(2 + 6)
#define RSS_TABLE	(2 + 8)

/**
 * struct rss - a command, written at length
 * @data: it
 * @len: bytes
 * @tx: where its number of transmit queues is
 */
struct rss {
	u8 *data;
	u32 len;
	u32 tx;
};

static void rss_make(struct kunit *test, struct rss *rss, u32 entries, u8 key)
{
	rss->tx = RSS_TABLE + 2 * entries;
	rss->len = rss->tx + 2 + 1 + key;
	rss->data = kzalloc(rss->len + 1, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, rss->data);
	rss->data[0] = 4;
	rss->data[1] = 1;
	put_unaligned_le16(entries - 1, rss->data + RSS_MASK);
	rss->data[rss->tx] = 1;
	rss->data[rss->tx + 2] = key;
}

static bool rss_sense(struct kunit *test, const struct rss *rss, u32 max)
{
	struct vmdev_ctrl_limits limits = all;

	limits.rss_table_max = max;
	return sense(test, &limits, rss->data, rss->len);
}

static void rss_tables(struct kunit *test)
{
	struct rss rss;
	u32 n;

	for (n = 1; n <= 300; n++) {
		bool power = !(n & (n - 1));

		rss_make(test, &rss, n, KEY_MAX);
		KUNIT_EXPECT_EQ_MSG(test, rss_sense(test, &rss, 128), power && n <= 128, "%u", n);
		KUNIT_EXPECT_EQ_MSG(test, rss_sense(test, &rss, n), power, "%u", n);
		KUNIT_EXPECT_FALSE_MSG(test, rss_sense(test, &rss, n - 1), "%u", n);
		rss.len++;
		KUNIT_EXPECT_FALSE_MSG(test, rss_sense(test, &rss, n), "%u, longer", n);
		kfree(rss.data);
	}
}

/* The largest that fits in a command, and one that does not. */
static void rss_large_tables(struct kunit *test)
{
	struct rss rss;

	rss_make(test, &rss, 4096, KEY_MAX);
	KUNIT_EXPECT_TRUE(test, rss_sense(test, &rss, 4096));
	KUNIT_EXPECT_TRUE(test, rss_sense(test, &rss, 0xffff));
	kfree(rss.data);
	rss_make(test, &rss, 8192, 0);
	KUNIT_EXPECT_FALSE(test, rss_sense(test, &rss, 0xffff));
	kfree(rss.data);
}

/* Any mask over a table of one size: only its own makes sense. */
static void rss_hostile_masks(struct kunit *test)
{
	struct rss rss;
	u32 mask;

	rss_make(test, &rss, 16, 4);
	/* Entries, whatever is taken for one: no key is as long as this. */
	memset(rss.data + RSS_FIRST, 0, rss.tx - RSS_FIRST);
	for (mask = 0; mask < 0x10000; mask++) {
		put_unaligned_le16(mask, rss.data + RSS_MASK);
		KUNIT_EXPECT_EQ_MSG(test, rss_sense(test, &rss, 0xffff), mask == 15, "mask %#x",
				    mask);
	}
	kfree(rss.data);
}

static void rss_cut_short(struct kunit *test)
{
	struct rss rss;
	u32 len;

	rss_make(test, &rss, 8, 4);
	for (len = rss.len; rss.len > 2; rss.len--)
		KUNIT_EXPECT_EQ_MSG(test, rss_sense(test, &rss, 128), rss.len == len, "%u bytes",
				    rss.len);
	kfree(rss.data);
}

/* Each entry is a receive queue of the device, also the first and the last. */
static void rss_entries(struct kunit *test)
{
	static const u16 queues[] = { PAIRS, PAIRS + 1, 0x7fff, 0x8000, 0xffff };
	struct rss rss;
	unsigned int i;
	u32 at;

	rss_make(test, &rss, 8, 4);
	for (at = RSS_FIRST; at < rss.tx; at += 2) {
		put_unaligned_le16(PAIRS - 1, rss.data + at);
		KUNIT_EXPECT_TRUE_MSG(test, rss_sense(test, &rss, 128), "at %u", at);
		for (i = 0; i < ARRAY_SIZE(queues); i++) {
			put_unaligned_le16(queues[i], rss.data + at);
			KUNIT_EXPECT_FALSE_MSG(test, rss_sense(test, &rss, 128), "%u at %u",
					       queues[i], at);
		}
		put_unaligned_le16(0, rss.data + at);
	}
	kfree(rss.data);
}

static void rss_transmit_queues(struct kunit *test)
{
	struct rss rss;
	u32 n;

	rss_make(test, &rss, 8, 4);
	for (n = 0; n < 0x10000; n += n < 20 ? 1 : 255) {
		put_unaligned_le16(n, rss.data + rss.tx);
		KUNIT_EXPECT_EQ_MSG(test, rss_sense(test, &rss, 128), n >= 1 && n <= PAIRS, "%u",
				    n);
	}
	kfree(rss.data);
}

static void rss_keys(struct kunit *test)
{
	struct rss rss;
	u32 key, say;

	for (key = 0; key <= 255; key += key < 44 ? 1 : 7) {
		rss_make(test, &rss, 2, key);
		for (say = 0; say <= 255; say++) {
			rss.data[rss.tx + 2] = say;
			KUNIT_EXPECT_EQ_MSG(test, rss_sense(test, &rss, 128),
					    say == key && key <= KEY_MAX, "%u of %u", say, key);
		}
		kfree(rss.data);
	}
}

/* The same key behind 12 bytes (5.1.6.5.6.4). */
static void hash_keys(struct kunit *test)
{
	u8 data[2 + 12 + 1 + 255] = { 4, 2 };
	u32 key, say;

	for (key = 0; key <= 255; key += key < 44 ? 1 : 7) {
		for (say = 0; say <= 255; say++) {
			data[14] = say;
			KUNIT_EXPECT_EQ_MSG(test, sense(test, &all, data, 15 + key),
					    say == key && key <= KEY_MAX, "%u of %u", say, key);
		}
	}
}

/* --- answers --------------------------------------------------------------------- */
/* A number of packets and one of microseconds, 4 bytes each. */
static void answers(struct kunit *test)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(commands); i++) {
		const u8 *data = commands[i].data;

		KUNIT_EXPECT_EQ(test, vmdev_ctrl_result_len(data),
				data[0] == 6 && data[1] == 3 ? 8 : 0);
	}
}

/* --- memory of them --------------------------------------------------------------- */
static void carry_out(struct kunit *test, struct vmdev_ctrl_state *state, const u8 *data, u32 len)
{
	struct vmdev_ctrl_cmd *memo;

	KUNIT_ASSERT_TRUE(test, sense(test, &all, data, len));
	KUNIT_ASSERT_EQ(test, vmdev_ctrl_reserve(data, len, &memo), 0);
	vmdev_ctrl_remember(state, data, memo);
}

static u32 remembered(const struct vmdev_ctrl_state *state)
{
	struct vmdev_ctrl_cmd *cmd;
	u32 n = 0;

	list_for_each_entry(cmd, &state->cmds, node)
		n++;
	return n;
}

/* The @i th one to be given to the device. */
static const struct vmdev_ctrl_cmd *nth(const struct vmdev_ctrl_state *state, u32 i)
{
	struct vmdev_ctrl_cmd *cmd;

	list_for_each_entry(cmd, &state->cmds, node)
		if (!i--)
			return cmd;
	return NULL;
}

static void expect_nth(struct kunit *test, const struct vmdev_ctrl_state *state, u32 i,
		       const u8 *data, u32 len)
{
	const struct vmdev_ctrl_cmd *cmd = nth(state, i);

	KUNIT_ASSERT_NOT_NULL(test, cmd);
	KUNIT_ASSERT_EQ(test, cmd->len, len);
	KUNIT_EXPECT_MEMEQ(test, cmd->data, data, len);
}

/* Those that set something are kept: not what only answers, not a question. */
static void remember_what_sets(struct kunit *test)
{
	struct vmdev_ctrl_state state;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(commands); i++) {
		const struct command *c = &commands[i];
		bool keeps = c->data[0] != 2 && c->data[0] != 3 &&
			     !(c->data[0] == 6 && c->data[1] == 3);

		vmdev_ctrl_state_init(&state);
		carry_out(test, &state, c->data, c->len);
		KUNIT_EXPECT_EQ_MSG(test, remembered(&state), keeps, "%u/%u", c->data[0],
				    c->data[1]);
		if (keeps)
			expect_nth(test, &state, 0, c->data, c->len);
		vmdev_ctrl_state_forget(&state);
		KUNIT_EXPECT_EQ(test, remembered(&state), 0);
	}
}

/* Of each kind the last one, where it came last: later ones may undo earlier ones. */
static void remember_the_last(struct kunit *test)
{
	static const u8 seq[][4] = {
		{ 0, 0, 1 }, { 0, 1, 1 }, { 0, 0, 0 }, { 0, 1, 0 }, { 0, 0, 1 },
	};
	struct vmdev_ctrl_state state;
	unsigned int i;

	vmdev_ctrl_state_init(&state);
	for (i = 0; i < ARRAY_SIZE(seq); i++)
		carry_out(test, &state, seq[i], 3);
	KUNIT_EXPECT_EQ(test, remembered(&state), 2);
	expect_nth(test, &state, 0, seq[3], 3);
	expect_nth(test, &state, 1, seq[4], 3);
	vmdev_ctrl_state_forget(&state);
}

/* Pairs, RSS and hashes undo each other (5.1.6.5.5): all kept, in their order. */
static void remember_the_order(struct kunit *test)
{
	static const u8 pairs[] = { 4, 0, 2, 0 };
	static const u8 rss[] = { 4, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0 };
	struct vmdev_ctrl_state state;

	vmdev_ctrl_state_init(&state);
	carry_out(test, &state, pairs, sizeof(pairs));
	carry_out(test, &state, rss, sizeof(rss));
	expect_nth(test, &state, 0, pairs, sizeof(pairs));
	expect_nth(test, &state, 1, rss, sizeof(rss));
	carry_out(test, &state, pairs, sizeof(pairs));
	KUNIT_EXPECT_EQ(test, remembered(&state), 2);
	expect_nth(test, &state, 0, rss, sizeof(rss));
	expect_nth(test, &state, 1, pairs, sizeof(pairs));
	vmdev_ctrl_state_forget(&state);
}

/* Each queue has its own, until one comes for all that send, or that receive. */
static void remember_queues(struct kunit *test)
{
	u8 vq[14] = { 6, 2 }, tx[10] = { 6, 0 }, rx[10] = { 6, 1 };
	struct vmdev_ctrl_state state;
	u32 i;

	vmdev_ctrl_state_init(&state);
	for (i = 0; i < 2 * PAIRS; i++) {
		vq[2] = i;
		vq[6] = i;
		carry_out(test, &state, vq, sizeof(vq));
	}
	KUNIT_EXPECT_EQ(test, remembered(&state), 2 * PAIRS);
	carry_out(test, &state, tx, sizeof(tx));
	vq[2] = 3;
	vq[6] = 99;
	carry_out(test, &state, vq, sizeof(vq));
	KUNIT_EXPECT_EQ(test, remembered(&state), PAIRS + 2);
	expect_nth(test, &state, PAIRS + 1, vq, sizeof(vq));
	expect_nth(test, &state, PAIRS, tx, sizeof(tx));
	for (i = 0; i < PAIRS; i++) {
		vq[2] = 2 * i;
		vq[6] = vq[2];
		expect_nth(test, &state, i, vq, sizeof(vq));
	}
	carry_out(test, &state, rx, sizeof(rx));
	KUNIT_EXPECT_EQ(test, remembered(&state), 3);
	expect_nth(test, &state, 0, tx, sizeof(tx));
	vq[2] = 3;
	vq[6] = 99;
	expect_nth(test, &state, 1, vq, sizeof(vq));
	expect_nth(test, &state, 2, rx, sizeof(rx));
	vmdev_ctrl_state_forget(&state);
}

/* One bit each: as many as there are, in no memory of their own. */
static void remember_vlans(struct kunit *test)
{
	struct vmdev_ctrl_state state;
	u8 data[4] = { 2, 0 };
	u32 vlan;

	vmdev_ctrl_state_init(&state);
	for (vlan = 0; vlan < 4096; vlan++) {
		data[2] = vlan;
		data[3] = vlan >> 8;
		carry_out(test, &state, data, 4);
	}
	KUNIT_EXPECT_EQ(test, remembered(&state), 0);
	data[1] = 1;
	for (vlan = 0; vlan < 4096; vlan += 3) {
		data[2] = vlan;
		data[3] = vlan >> 8;
		carry_out(test, &state, data, 4);
		carry_out(test, &state, data, 4);
	}
	for (vlan = 0; vlan < 4096; vlan++)
		KUNIT_EXPECT_EQ_MSG(test, test_bit(vlan, state.vlans), vlan % 3 != 0, "%u", vlan);
	vmdev_ctrl_state_forget(&state);
	KUNIT_EXPECT_EQ(test, find_first_bit(state.vlans, 4096), 4096);
}

/* A large table is as much memory as one table, however often it is set. */
static void remember_no_more_than_one(struct kunit *test)
{
	struct vmdev_ctrl_state state;
	u32 i, len = 2 + 8 + 6 * 2728;
	u8 *data = kzalloc(len, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, data);
	data[0] = 1;
	put32(data + 2, 2728);
	vmdev_ctrl_state_init(&state);
	for (i = 0; i < 100; i++) {
		data[6] = i;
		carry_out(test, &state, data, len);
	}
	KUNIT_EXPECT_EQ(test, remembered(&state), 1);
	expect_nth(test, &state, 0, data, len);
	vmdev_ctrl_state_forget(&state);
	kfree(data);
}

static struct kunit_case ctrl_state_cases[] = {
	KUNIT_CASE(commands_known),
	KUNIT_CASE(commands_of_another_length),
	KUNIT_CASE(commands_without_their_feature),
	KUNIT_CASE(commands_unknown),
	KUNIT_CASE(table_sizes),
	KUNIT_CASE(table_counts_overflow),
	KUNIT_CASE(vlans_0_to_4095),
	KUNIT_CASE(pairs_1_to_max),
	KUNIT_CASE(coalescing_of_queues),
	KUNIT_CASE(offloads_negotiated),
	KUNIT_CASE(rss_tables),
	KUNIT_CASE(rss_large_tables),
	KUNIT_CASE(rss_hostile_masks),
	KUNIT_CASE(rss_cut_short),
	KUNIT_CASE(rss_entries),
	KUNIT_CASE(rss_transmit_queues),
	KUNIT_CASE(rss_keys),
	KUNIT_CASE(hash_keys),
	KUNIT_CASE(answers),
	KUNIT_CASE(remember_what_sets),
	KUNIT_CASE(remember_the_last),
	KUNIT_CASE(remember_the_order),
	KUNIT_CASE(remember_queues),
	KUNIT_CASE(remember_vlans),
	KUNIT_CASE(remember_no_more_than_one),
	{}
};

VMDEV_SUITE(vmdev_ctrl_state, ctrl_state_cases);
