// SPDX-License-Identifier: GPL-2.0
/*
 * Feature masking (drivers/core/features.c). Bits are written as numbers here,
 * from virtio 1.2 and 1.3 (5.1.3, 5.2.3, 6): a wrong name in a header would
 * show. What is offered by default is the provisioning contract: what stock
 * QEMU's shadow virtqueues can carry.
 */
#include "kunit.h"
#include "../../drivers/core/features.c"

#define B(n)	BIT_ULL(n)

/* VERSION_1, ACCESS_PLATFORM */
#define MANDATORY	(B(32) | B(33))

static u64 possible(u32 device_id, u64 features)
{
	const struct vmdev_hw_caps caps = {
		.device_id = device_id,
		.features = features,
	};

	return vmdev_features_possible(&caps);
}

static u64 offered(u32 device_id, u64 features)
{
	const struct vmdev_hw_caps caps = {
		.device_id = device_id,
		.features = features,
	};

	return vmdev_features_default(&caps);
}

/*
 * Of the transport's bits (24 to 49): INDIRECT_DESC, EVENT_IDX, VERSION_1,
 * ACCESS_PLATFORM, RING_PACKED, IN_ORDER, ORDER_PLATFORM, NOTIFICATION_DATA,
 * RING_RESET; not SR_IOV (37), NOTIF_CONFIG_DATA (39), ADMIN_VQ (41), those of
 * legacy devices (24, 27, 30) and those that nobody has defined.
 */
static void features_possible(struct kunit *test)
{
	const u64 transport = B(28) | B(29) | B(32) | B(33) | B(34) | B(35) |
			      B(36) | B(38) | B(40);
	const u64 device = 0x0000000000ffffffULL | 0xfffc000000000000ULL;

	/* Not DEVICE_STATS: its commands are not carried. */
	KUNIT_EXPECT_EQ(test, possible(VIRTIO_ID_NET, U64_MAX),
			(device & ~B(50)) | transport);
	KUNIT_EXPECT_EQ(test, possible(VIRTIO_ID_BLOCK, U64_MAX), device | transport);
	KUNIT_EXPECT_EQ(test, possible(VIRTIO_ID_NET, 0), 0ULL);
}

static void features_default_of_net(struct kunit *test)
{
	/* All below 24 but GUEST_ANNOUNCE; EVENT_IDX. */
	const u64 expected = (0x0000000000ffffffULL & ~B(21)) | B(29) | MANDATORY |
		/* HASH_REPORT, RSS, RSC_EXT, STANDBY, SPEED_DUPLEX */
		B(57) | B(60) | B(61) | B(62) | B(63);

	KUNIT_EXPECT_EQ(test, offered(VIRTIO_ID_NET, U64_MAX), expected);
}

static void features_default_of_block(struct kunit *test)
{
	const u64 expected = 0x0000000000ffffffULL | 0xfffc000000000000ULL |
			     B(29) | MANDATORY;

	KUNIT_EXPECT_EQ(test, offered(VIRTIO_ID_BLOCK, U64_MAX), expected);
}

/* Nothing is offered that hardware has not, or that cannot be asked for. */
static void features_are_never_invented(struct kunit *test)
{
	static const u32 ids[] = { VIRTIO_ID_NET, VIRTIO_ID_BLOCK, 26 };
	unsigned int i, bit;

	for (i = 0; i < ARRAY_SIZE(ids); i++) {
		for (bit = 0; bit < 64; bit++) {
			u64 may = possible(ids[i], B(bit));
			u64 does = offered(ids[i], B(bit));

			KUNIT_EXPECT_EQ_MSG(test, may & ~B(bit), 0ULL, "bit %u", bit);
			KUNIT_EXPECT_EQ_MSG(test, does & ~may, 0ULL, "bit %u", bit);
		}
	}
}

/* virtio 1.2, 6.1 and 6.2; the IOMMU must not be bypassed. */
static void features_mandatory(struct kunit *test)
{
	KUNIT_EXPECT_NULL(test, vmdev_features_check(VIRTIO_ID_BLOCK, MANDATORY));
	KUNIT_EXPECT_NULL(test, vmdev_features_check(VIRTIO_ID_NET, MANDATORY));
	KUNIT_EXPECT_NOT_NULL(test, vmdev_features_check(VIRTIO_ID_BLOCK, B(32)));
	KUNIT_EXPECT_NOT_NULL(test, vmdev_features_check(VIRTIO_ID_BLOCK, B(33)));
	KUNIT_EXPECT_NOT_NULL(test, vmdev_features_check(VIRTIO_ID_NET, 0));
}

/**
 * struct rule - "F requires F" of virtio 1.3, 5.1.3.1
 * @bit: the feature
 * @needs: any of these
 * @with: what @needs needs in turn, so that nothing else is missing
 */
struct rule {
	u8 bit;
	u64 needs;
	u64 with;
};

static const struct rule net_rules[] = {
	{ 2, B(17) },				/* CTRL_GUEST_OFFLOADS */
	{ 7, B(1) },				/* GUEST_TSO4 */
	{ 8, B(1) },				/* GUEST_TSO6 */
	{ 9, B(7) | B(8), B(1) },		/* GUEST_ECN */
	{ 10, B(1) },				/* GUEST_UFO */
	{ 11, B(0) },				/* HOST_TSO4 */
	{ 12, B(0) },				/* HOST_TSO6 */
	{ 13, B(11) | B(12), B(0) },		/* HOST_ECN */
	{ 14, B(0) },				/* HOST_UFO */
	{ 18, B(17) },				/* CTRL_RX */
	{ 19, B(17) },				/* CTRL_VLAN */
	{ 21, B(17) },				/* GUEST_ANNOUNCE */
	{ 22, B(17) },				/* MQ */
	{ 23, B(17) },				/* CTRL_MAC_ADDR */
	{ 51, B(17), B(60) },			/* HASH_TUNNEL, which needs */
	{ 51, B(57) | B(60), B(17) },		/* a hash besides */
	{ 52, B(17) },				/* VQ_NOTF_COAL */
	{ 53, B(17) },				/* NOTF_COAL */
	{ 54, B(1) },				/* GUEST_USO4 */
	{ 55, B(1) },				/* GUEST_USO6 */
	{ 56, B(0) },				/* HOST_USO */
	{ 57, B(17) },				/* HASH_REPORT */
	{ 60, B(17) },				/* RSS */
	{ 61, B(11) | B(12), B(0) },		/* RSC_EXT */
};

static void features_need_each_other(struct kunit *test)
{
	unsigned int i, bit;

	for (i = 0; i < ARRAY_SIZE(net_rules); i++) {
		const struct rule *rule = &net_rules[i];
		u64 without = MANDATORY | B(rule->bit) | rule->with;

		KUNIT_EXPECT_NOT_NULL_MSG(test, vmdev_features_check(VIRTIO_ID_NET, without),
					  "bit %u alone", rule->bit);
		/* Rules of net are none of a disk's. */
		KUNIT_EXPECT_NULL_MSG(test, vmdev_features_check(VIRTIO_ID_BLOCK, without),
				      "bit %u of a disk", rule->bit);
		for (bit = 0; bit < 64; bit++)
			if (rule->needs & B(bit))
				KUNIT_EXPECT_NULL_MSG(test,
						      vmdev_features_check(VIRTIO_ID_NET,
									   without | B(bit)),
						      "bit %u with %u", rule->bit, bit);
	}
}

/* Bits that no rule names are fine alone. */
static void features_without_needs(struct kunit *test)
{
	u64 ruled = 0;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(net_rules); i++)
		ruled |= B(net_rules[i].bit);
	for (i = 0; i < 64; i++)
		if (!(ruled & B(i)))
			KUNIT_EXPECT_NULL_MSG(test,
					      vmdev_features_check(VIRTIO_ID_NET,
								   MANDATORY | B(i)),
					      "bit %u", i);
}

/* SR_IOV (37) and RING_RESET (40) help the core; the driver need not know. */
static void features_to_hw(struct kunit *test)
{
	struct vmdev_hw_caps caps = { .device_id = VIRTIO_ID_NET };
	const struct vmdev_provision prov = { 0 };
	u64 driver = MANDATORY | B(5);

	caps.features = U64_MAX;
	KUNIT_EXPECT_EQ(test, vmdev_features_to_hw(&caps, &prov, driver),
			driver | B(37) | B(40));
	caps.caps = VMDEV_CAP_SUSPEND;
	KUNIT_EXPECT_EQ(test, vmdev_features_to_hw(&caps, &prov, driver),
			driver | B(37) | B(40) | B(43));
	caps.caps = 0;
	caps.features = ~B(37);
	KUNIT_EXPECT_EQ(test, vmdev_features_to_hw(&caps, &prov, driver),
			driver | B(40));
	caps.features = ~B(40);
	KUNIT_EXPECT_EQ(test, vmdev_features_to_hw(&caps, &prov, driver),
			driver | B(37));
}

/* CTRL_VQ (17) and CTRL_MAC_ADDR (23) tell it an address. */
static void features_to_hw_for_a_mac(struct kunit *test)
{
	struct vmdev_hw_caps caps = {
		.device_id = VIRTIO_ID_NET,
		.features = MANDATORY | B(5) | B(17) | B(23),
	};
	struct vmdev_provision prov = { .mac = { 0, 0, 0, 0, 0, 1 } };

	KUNIT_EXPECT_EQ(test, vmdev_features_to_hw(&caps, &prov, MANDATORY),
			MANDATORY | B(17) | B(23));
	prov.mac[5] = 0;
	KUNIT_EXPECT_EQ(test, vmdev_features_to_hw(&caps, &prov, MANDATORY), MANDATORY);
}

/* MAC (5), CTRL_VQ (17), CTRL_MAC_ADDR (23). */
static void features_set_mac(struct kunit *test)
{
	static const u8 needed[] = { 5, 17, 23 };
	struct vmdev_hw_caps caps = {
		.device_id = VIRTIO_ID_NET,
		.features = B(5) | B(17) | B(23),
	};
	unsigned int i;

	KUNIT_EXPECT_TRUE(test, vmdev_features_set_mac(&caps));
	for (i = 0; i < ARRAY_SIZE(needed); i++) {
		caps.features &= ~B(needed[i]);
		KUNIT_EXPECT_FALSE(test, vmdev_features_set_mac(&caps));
		caps.features |= B(needed[i]);
	}
	caps.device_id = VIRTIO_ID_BLOCK;
	KUNIT_EXPECT_FALSE(test, vmdev_features_set_mac(&caps));
}

static struct kunit_case features_cases[] = {
	KUNIT_CASE(features_possible),
	KUNIT_CASE(features_set_mac),
	KUNIT_CASE(features_default_of_net),
	KUNIT_CASE(features_default_of_block),
	KUNIT_CASE(features_are_never_invented),
	KUNIT_CASE(features_mandatory),
	KUNIT_CASE(features_need_each_other),
	KUNIT_CASE(features_without_needs),
	KUNIT_CASE(features_to_hw),
	KUNIT_CASE(features_to_hw_for_a_mac),
	{}
};

VMDEV_SUITE(vmdev_features, features_cases);
