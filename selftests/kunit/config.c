// SPDX-License-Identifier: GPL-2.0
/*
 * Configuration space (drivers/core/config.c). Fields, their widths and their
 * byte order are those of virtio 1.2, 5.1.4 and 5.2.4; how a device has to be
 * read 2.5.1 and 4.1.3.1; what lies beyond its end reads as zero, as netlink
 * reads whole structures.
 */
#include "kunit.h"
#include "../../drivers/core/config.c"
#include "fake_hw.h"

static struct fake_hw *config_fake(struct kunit *test, u32 device_id, u32 size)
{
	struct fake_hw *fake = kunit_kzalloc(test, sizeof(*fake), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, fake);
	fake_hw_init(fake, device_id);
	fake->hw.caps.config_size = size;
	fake->dev.prov.max_vqp = 1;
	return fake;
}

/* Every byte that was read, as it shall be. */
static void expect_bytes(struct kunit *test, const u8 *buf, u32 len, u32 offset,
			 u32 size)
{
	u32 i;

	for (i = 0; i < len; i++)
		KUNIT_ASSERT_EQ_MSG(test, buf[i], offset + i < size ? (u8)(offset + i) : 0,
				    "byte %u of %u at %u", i, len, offset);
}

static void config_overlay(struct kunit *test)
{
	struct vmdev_provision prov = { .max_vqp = 0x0102 };
	union {
		struct virtio_net_config net;
		u8 bytes[sizeof(struct virtio_net_config)];
	} config, expected;

	memset(&config, 0xee, sizeof(config));
	expected = config;
	/* Pairs are always provisioned; mac and mtu 0 are the hardware's. */
	expected.bytes[8] = 0x02;
	expected.bytes[9] = 0x01;
	vmdev_config_overlay(&prov, &config.net);
	KUNIT_EXPECT_MEMEQ(test, config.bytes, expected.bytes, sizeof(config));

	prov.mtu = 0x2329;
	expected.bytes[10] = 0x29;
	expected.bytes[11] = 0x23;
	vmdev_config_overlay(&prov, &config.net);
	KUNIT_EXPECT_MEMEQ(test, config.bytes, expected.bytes, sizeof(config));

	prov.mac[5] = 7;
	memcpy(expected.bytes, prov.mac, 6);
	vmdev_config_overlay(&prov, &config.net);
	KUNIT_EXPECT_MEMEQ(test, config.bytes, expected.bytes, sizeof(config));
}

/**
 * struct field - a field of a configuration
 * @offset: where it starts
 * @width: of an access to it; the halves of one of 64 bits are two of 32
 */
struct field {
	u32 offset;
	u32 width;
};

static const struct field net_fields[] = {
	{ 0, 1 }, { 5, 1 },				/* mac */
	{ 6, 2 }, { 8, 2 }, { 10, 2 },			/* status, pairs, mtu */
	{ 12, 4 }, { 16, 1 },				/* speed, duplex */
	{ 17, 1 }, { 18, 2 }, { 20, 4 },		/* rss */
	{ 24, 1 },					/* behind it */
};

static const struct field blk_fields[] = {
	{ 0, 4 }, { 4, 4 },				/* capacity */
	{ 8, 4 }, { 12, 4 },				/* size_max, seg_max */
	{ 16, 2 }, { 18, 1 }, { 19, 1 }, { 20, 4 },	/* geometry, blk_size */
	{ 24, 1 }, { 25, 1 }, { 26, 2 }, { 28, 4 },	/* topology */
	{ 32, 1 }, { 34, 2 },				/* writeback, queues */
	{ 36, 4 }, { 40, 4 }, { 44, 4 },		/* discard */
	{ 48, 4 }, { 52, 4 }, { 56, 1 },		/* write zeroes */
	{ 60, 4 }, { 64, 4 }, { 68, 4 },		/* secure erase */
	{ 72, 4 }, { 76, 4 }, { 80, 4 }, { 84, 4 },	/* zoned */
	{ 88, 4 }, { 92, 1 },
};

static void expect_fields(struct kunit *test, u32 device_id, const struct field *fields,
			  u32 n)
{
	u32 i;

	for (i = 0; i < n; i++) {
		u32 offset = fields[i].offset;

		KUNIT_EXPECT_EQ_MSG(test, vmdev_config_width(device_id, offset),
				    fields[i].width, "field at %u", offset);
		/* Inside of a field nothing but bytes can be read. */
		if (fields[i].width > 1)
			KUNIT_EXPECT_EQ_MSG(test, vmdev_config_width(device_id, offset + 1),
					    1, "in field at %u", offset);
	}
}

static void config_widths(struct kunit *test)
{
	expect_fields(test, VIRTIO_ID_NET, net_fields, ARRAY_SIZE(net_fields));
	expect_fields(test, VIRTIO_ID_BLOCK, blk_fields, ARRAY_SIZE(blk_fields));
	KUNIT_EXPECT_EQ(test, vmdev_config_width(26, 0), 1);
	KUNIT_EXPECT_EQ(test, vmdev_config_width(VIRTIO_ID_NET, U32_MAX), 1);
	KUNIT_EXPECT_EQ(test, vmdev_config_width(VIRTIO_ID_BLOCK, U32_MAX), 1);
}

/* A disk's whole structure: each access is one field, and all are there. */
static void config_one_access_for_a_field(struct kunit *test)
{
	struct fake_hw *fake = config_fake(test, VIRTIO_ID_BLOCK, 60);
	u8 buf[60];
	u32 i, at = 0;

	vmdev_config_get(&fake->dev, 0, buf, sizeof(buf));
	KUNIT_ASSERT_LE(test, fake->n_accesses, FAKE_LOG);
	for (i = 0; i < fake->n_accesses; i++) {
		KUNIT_EXPECT_EQ(test, fake->accesses[i].offset, at);
		KUNIT_EXPECT_EQ(test, fake->accesses[i].len,
				vmdev_config_width(VIRTIO_ID_BLOCK, at));
		at += fake->accesses[i].len;
	}
	KUNIT_EXPECT_EQ(test, at, 60);
	expect_bytes(test, buf, 60, 0, 60);
}

/* Half a field at the end of what is asked for, or of what there is. */
static void config_half_a_field(struct kunit *test)
{
	struct fake_hw *fake = config_fake(test, VIRTIO_ID_BLOCK, 10);
	u8 buf[16];

	vmdev_config_get(&fake->dev, 2, buf, 4);
	expect_bytes(test, buf, 4, 2, 10);
	vmdev_config_get(&fake->dev, 8, buf, 8);
	expect_bytes(test, buf, 8, 8, 10);
	KUNIT_EXPECT_EQ(test, fake->strays, 0);
}

static void config_zero_beyond_the_end(struct kunit *test)
{
	static const u32 sizes[] = { 0, 1, 7, 8, 59, 60, 61, 100 };
	struct fake_hw *fake = config_fake(test, VIRTIO_ID_BLOCK, 0);
	u32 i, offset;
	u8 buf[72];

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		fake->hw.caps.config_size = sizes[i];
		for (offset = 0; offset < 110; offset++) {
			memset(buf, 0xaa, sizeof(buf));
			vmdev_config_get(&fake->dev, offset, buf, 64);
			expect_bytes(test, buf, 64, offset, sizes[i]);
			KUNIT_EXPECT_EQ(test, buf[64], 0xaa);
		}
	}
	KUNIT_EXPECT_EQ(test, fake->strays, 0);
}

static void config_far_beyond_the_end(struct kunit *test)
{
	struct fake_hw *fake = config_fake(test, VIRTIO_ID_BLOCK, 60);
	u8 buf[16];

	memset(buf, 0xaa, sizeof(buf));
	vmdev_config_get(&fake->dev, U32_MAX, buf, sizeof(buf));
	expect_bytes(test, buf, sizeof(buf), 60, 60);
	vmdev_config_get(&fake->dev, U32_MAX - 3, buf, sizeof(buf));
	expect_bytes(test, buf, sizeof(buf), 60, 60);
	KUNIT_EXPECT_EQ(test, fake->n_accesses, 0);
}

/* What was provisioned is there even where the hardware has no field. */
static void config_of_net(struct kunit *test)
{
	static const u32 sizes[] = { 0, 6, 8, 9, 10, 12, 24, 25, 40 };
	const u32 known = sizeof(struct virtio_net_config);
	struct fake_hw *fake = config_fake(test, VIRTIO_ID_NET, 0);
	u32 i, j, offset;
	u8 buf[32];

	fake->dev.prov.max_vqp = 0x0304;
	fake->dev.prov.mtu = 0x0506;
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		fake->hw.caps.config_size = sizes[i];
		for (offset = 0; offset < 48; offset++) {
			vmdev_config_get(&fake->dev, offset, buf, sizeof(buf));
			for (j = 0; j < sizeof(buf); j++) {
				static const u8 prov[] = { 0x04, 0x03, 0x06, 0x05 };
				u32 at = offset + j;
				u8 expected = at < sizes[i] ? at : 0;

				if (at >= 8 && at < 12)
					expected = prov[at - 8];
				KUNIT_ASSERT_EQ_MSG(test, buf[j], expected,
						    "byte %u, size %u, known %u", at,
						    sizes[i], known);
			}
		}
	}
	KUNIT_EXPECT_EQ(test, fake->strays, 0);
}

static void config_of_hardware_that_is_gone(struct kunit *test)
{
	struct fake_hw *fake = config_fake(test, VIRTIO_ID_NET, 24);
	u8 buf[24];

	memset(buf, 0xaa, sizeof(buf));
	fake->parent.gone = true;
	vmdev_config_get(&fake->dev, 0, buf, sizeof(buf));
	expect_bytes(test, buf, sizeof(buf), 24, 24);
	fake->parent.gone = false;
	fake->parent.offline = true;
	fake->hw.caps.device_id = VIRTIO_ID_BLOCK;
	vmdev_config_get(&fake->dev, 0, buf, sizeof(buf));
	vmdev_config_set(&fake->dev, 0, buf, sizeof(buf));
	KUNIT_EXPECT_EQ(test, fake->n_accesses, 0);
	KUNIT_EXPECT_EQ(test, fake->writes, 0);
}

/* Every byte of what is read is of one generation. */
static void config_settles(struct kunit *test)
{
	struct fake_hw *fake = config_fake(test, VIRTIO_ID_BLOCK, 60);
	u8 buf[60];
	u32 i;

	fake->unsettled = 5;
	vmdev_config_get(&fake->dev, 0, buf, sizeof(buf));
	KUNIT_EXPECT_EQ(test, fake->unsettled, 0);
	for (i = 0; i < sizeof(buf); i++)
		KUNIT_EXPECT_EQ(test, buf[i], (u8)(i + 5));
}

static void config_never_settles(struct kunit *test)
{
	struct fake_hw *fake = config_fake(test, VIRTIO_ID_BLOCK, 8);
	u8 buf[8];

	fake->unsettled = U32_MAX;
	vmdev_config_get(&fake->dev, 0, buf, sizeof(buf));
	/* A bound, and some patience before it: two accesses each time. */
	KUNIT_EXPECT_LE(test, fake->n_accesses, 2 * 64);
	KUNIT_EXPECT_GE(test, fake->n_accesses, 2 * 2);
}

/* As the host's drivers read a field; how many rounds it takes them. */
static u32 read_as_a_driver(struct fake_hw *fake)
{
	u32 before, after = vmdev_config_generation(&fake->dev), rounds = 0;
	u8 mac[6];

	do {
		before = after;
		vmdev_config_get(&fake->dev, 0, mac, sizeof(mac));
		after = vmdev_config_generation(&fake->dev);
	} while (after != before && ++rounds < 1000);
	return rounds;
}

/* However often it moves, a driver that waits for it to stand still ends. */
static void config_is_restless(struct kunit *test)
{
	struct fake_hw *fake = config_fake(test, VIRTIO_ID_NET, 24);
	u32 i;

	for (i = 1; i < 40; i++) {
		fake->restless = i;
		KUNIT_EXPECT_LE_MSG(test, read_as_a_driver(fake), 64,
				    "at each %u looks", i);
		/* What software changes is seen all the same. */
		fake->dev.generation++;
		KUNIT_EXPECT_LE(test, read_as_a_driver(fake), 64);
		fake->dev.unsettled = false;
		fake->dev.moves = 0;
	}
}

/* Changes that come one at a time, ever so many, are all shown. */
static void config_changes_now_and_then(struct kunit *test)
{
	struct fake_hw *fake = config_fake(test, VIRTIO_ID_NET, 24);
	u32 i, before;

	for (i = 0; i < 100; i++) {
		before = vmdev_config_generation(&fake->dev);
		KUNIT_EXPECT_EQ(test, vmdev_config_generation(&fake->dev), before);
		fake->generation++;
		KUNIT_EXPECT_NE(test, vmdev_config_generation(&fake->dev), before);
	}
	KUNIT_EXPECT_FALSE(test, fake->dev.unsettled);
}

static void config_write(struct kunit *test)
{
	struct fake_hw *fake = config_fake(test, VIRTIO_ID_BLOCK, 60);
	const u8 buf[8] = { 0xf0, 0xf1, 0xf2, 0xf3, 0xf4, 0xf5, 0xf6, 0xf7 };

	vmdev_config_set(&fake->dev, 32, buf, 1);
	KUNIT_EXPECT_EQ(test, fake->config[32], 0xf0);
	KUNIT_EXPECT_EQ(test, fake->config[33], 33);
	vmdev_config_set(&fake->dev, 52, buf, 8);
	KUNIT_EXPECT_MEMEQ(test, fake->config + 52, buf, 8);
	KUNIT_EXPECT_EQ(test, fake->writes, 2);
}

static void config_write_beyond_the_end(struct kunit *test)
{
	struct fake_hw *fake = config_fake(test, VIRTIO_ID_BLOCK, 60);
	const u8 buf[8] = { 0 };

	vmdev_config_set(&fake->dev, 53, buf, 8);
	vmdev_config_set(&fake->dev, 60, buf, 1);
	vmdev_config_set(&fake->dev, U32_MAX, buf, 8);
	vmdev_config_set(&fake->dev, 4, buf, U32_MAX);
	vmdev_config_set(&fake->dev, 0, buf, 61);
	KUNIT_EXPECT_EQ(test, fake->writes, 0);
}

/* virtio 1.2, 5.1.4: a driver must not write to any field. */
static void config_write_of_net(struct kunit *test)
{
	struct fake_hw *fake = config_fake(test, VIRTIO_ID_NET, 24);
	const u8 buf[6] = { 2 };

	vmdev_config_set(&fake->dev, 0, buf, 6);
	KUNIT_EXPECT_EQ(test, fake->writes, 0);
}

static void config_one_field(struct kunit *test)
{
	struct fake_hw *fake = config_fake(test, VIRTIO_ID_NET, 12);

	KUNIT_EXPECT_EQ(test, vmdev_config_le16(&fake->hw, 10), 0x0b0a);
	KUNIT_EXPECT_EQ(test, fake->n_accesses, 1);
	KUNIT_EXPECT_EQ(test, fake->accesses[0].len, 2);
	KUNIT_EXPECT_EQ(test, vmdev_config_le16(&fake->hw, 11), 0);
	KUNIT_EXPECT_EQ(test, vmdev_config_le16(&fake->hw, 12), 0);
	KUNIT_EXPECT_EQ(test, vmdev_config_le16(&fake->hw, U32_MAX), 0);
	fake->hw.caps.config_size = 11;
	KUNIT_EXPECT_EQ(test, vmdev_config_le16(&fake->hw, 10), 0);
	KUNIT_EXPECT_EQ(test, fake->n_accesses, 1);
}

static struct kunit_case config_cases[] = {
	KUNIT_CASE(config_overlay),
	KUNIT_CASE(config_widths),
	KUNIT_CASE(config_one_access_for_a_field),
	KUNIT_CASE(config_half_a_field),
	KUNIT_CASE(config_zero_beyond_the_end),
	KUNIT_CASE(config_far_beyond_the_end),
	KUNIT_CASE(config_of_net),
	KUNIT_CASE(config_of_hardware_that_is_gone),
	KUNIT_CASE(config_settles),
	KUNIT_CASE(config_never_settles),
	KUNIT_CASE(config_is_restless),
	KUNIT_CASE(config_changes_now_and_then),
	KUNIT_CASE(config_write),
	KUNIT_CASE(config_write_beyond_the_end),
	KUNIT_CASE(config_write_of_net),
	KUNIT_CASE(config_one_field),
	{}
};

VMDEV_SUITE(vmdev_config, config_cases);
