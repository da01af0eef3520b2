// SPDX-License-Identifier: GPL-2.0
/*
 * Provisioning (drivers/core/provision.c). The reference is its contract: an
 * attribute that the device cannot honour is EOPNOTSUPP, which consumers take
 * for "try with less"; one that makes no sense is EINVAL; queues, queue pairs
 * and features that are offered agree with one another. Numbers of queues and
 * fields of the configuration: virtio 1.2, 5.1.2 and 5.1.4. Feature bits are
 * written as numbers.
 */
#include "kunit.h"
#include "../../drivers/core/provision.c"
#include "fake_hw.h"

#define B(n)		BIT_ULL(n)

/* MTU, MAC, CTRL_VQ, MQ, CTRL_MAC_ADDR, VERSION_1, ACCESS_PLATFORM */
#define MANDATORY	(B(32) | B(33))
#define FEATURES	(B(3) | B(5) | B(17) | B(22) | B(23) | MANDATORY)

static void set_le16(struct fake_hw *fake, u32 offset, u16 value)
{
	fake->config[offset] = value & 0xff;
	fake->config[offset + 1] = value >> 8;
}

/* A net device of four pairs whose MTU is at most 9000. */
static int provision_init(struct kunit *test)
{
	struct fake_hw *fake = kunit_kzalloc(test, sizeof(*fake), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, fake);
	test->priv = fake;
	fake_hw_init(fake, VIRTIO_ID_NET);
	fake->hw.caps.features = FEATURES;
	fake->hw.caps.caps = VMDEV_CAP_RING_RESET;
	fake->hw.caps.nvqs = 9;
	set_le16(fake, 8, 4);
	set_le16(fake, 10, 9000);
	KUNIT_ASSERT_EQ(test, vmdev_count_pairs(&fake->parent), 0);
	return 0;
}

static int provision(struct kunit *test, const struct vdpa_dev_set_config *config,
		     struct vmdev_provision *prov)
{
	struct fake_hw *fake = test->priv;

	*prov = (struct vmdev_provision) { 0 };
	return vmdev_provision(&fake->parent, config, prov);
}

static int with_features(struct kunit *test, u64 features, struct vmdev_provision *prov)
{
	const struct vdpa_dev_set_config config = {
		.mask = B(VDPA_ATTR_DEV_FEATURES),
		.device_features = features,
	};

	return provision(test, &config, prov);
}

static int with_mtu(struct kunit *test, u16 mtu, struct vmdev_provision *prov)
{
	const struct vdpa_dev_set_config config = {
		.mask = B(VDPA_ATTR_DEV_NET_CFG_MTU),
		.net.mtu = mtu,
	};

	return provision(test, &config, prov);
}

static int with_vqp(struct kunit *test, u16 vqp, struct vmdev_provision *prov)
{
	const struct vdpa_dev_set_config config = {
		.mask = B(VDPA_ATTR_DEV_NET_CFG_MAX_VQP),
		.net.max_vq_pairs = vqp,
	};

	return provision(test, &config, prov);
}

static int with_mac(struct kunit *test, const u8 *mac, struct vmdev_provision *prov)
{
	struct vdpa_dev_set_config config = {
		.mask = B(VDPA_ATTR_DEV_NET_CFG_MACADDR),
	};

	memcpy(config.net.mac, mac, ETH_ALEN);
	return provision(test, &config, prov);
}

static void provision_nothing_asked(struct kunit *test)
{
	const struct vdpa_dev_set_config config = { .net.mtu = 1, .device_features = 1 };
	struct fake_hw *fake = test->priv;
	struct vmdev_provision prov;

	KUNIT_EXPECT_EQ(test, provision(test, &config, &prov), 0);
	KUNIT_EXPECT_EQ(test, prov.features, FEATURES);
	KUNIT_EXPECT_EQ(test, prov.max_vqp, 4);
	KUNIT_EXPECT_EQ(test, prov.mtu, 0);
	KUNIT_EXPECT_TRUE(test, is_zero_ether_addr(prov.mac));
	KUNIT_EXPECT_EQ(test, vmdev_count_vqs(&fake->parent, &prov), 9);
}

/* DMA past the IOMMU is nothing that an operator can want. */
static void provision_access_platform(struct kunit *test)
{
	const struct vdpa_dev_set_config config = { 0 };
	struct fake_hw *fake = test->priv;
	struct vmdev_provision prov;

	fake->hw.caps.features &= ~B(33);
	KUNIT_EXPECT_EQ(test, provision(test, &config, &prov), -EOPNOTSUPP);
	KUNIT_EXPECT_EQ(test, with_features(test, B(32), &prov), -EINVAL);
	KUNIT_EXPECT_EQ(test, with_features(test, MANDATORY, &prov), -EOPNOTSUPP);
	fake->hw.caps.device_id = VIRTIO_ID_BLOCK;
	KUNIT_EXPECT_EQ(test, provision(test, &config, &prov), -EOPNOTSUPP);
}

static void provision_features(struct kunit *test)
{
	struct vmdev_provision prov;

	KUNIT_EXPECT_EQ(test, with_features(test, FEATURES, &prov), 0);
	KUNIT_EXPECT_EQ(test, prov.features, FEATURES);
	KUNIT_EXPECT_EQ(test, with_features(test, MANDATORY, &prov), 0);
	KUNIT_EXPECT_EQ(test, prov.features, MANDATORY);
	/* Not there: CSUM (0); never on offer: SR_IOV (37), an unknown one. */
	KUNIT_EXPECT_EQ(test, with_features(test, FEATURES | B(0), &prov), -EOPNOTSUPP);
	KUNIT_EXPECT_EQ(test, with_features(test, FEATURES | B(37), &prov), -EOPNOTSUPP);
	KUNIT_EXPECT_EQ(test, with_features(test, FEATURES | B(49), &prov), -EOPNOTSUPP);
	/* Makes no sense. */
	KUNIT_EXPECT_EQ(test, with_features(test, FEATURES & ~B(32), &prov), -EINVAL);
	KUNIT_EXPECT_EQ(test, with_features(test, FEATURES & ~B(17), &prov), -EINVAL);
	KUNIT_EXPECT_EQ(test, with_features(test, 0, &prov), -EINVAL);
}

static void provision_vqp(struct kunit *test)
{
	struct fake_hw *fake = test->priv;
	struct vmdev_provision prov;

	KUNIT_EXPECT_EQ(test, with_vqp(test, 0, &prov), -EINVAL);
	KUNIT_EXPECT_EQ(test, with_vqp(test, 1, &prov), 0);
	KUNIT_EXPECT_EQ(test, prov.max_vqp, 1);
	KUNIT_EXPECT_EQ(test, vmdev_count_vqs(&fake->parent, &prov), 3);
	KUNIT_EXPECT_EQ(test, with_vqp(test, 4, &prov), 0);
	KUNIT_EXPECT_EQ(test, prov.max_vqp, 4);
	KUNIT_EXPECT_EQ(test, with_vqp(test, 5, &prov), -EOPNOTSUPP);
	KUNIT_EXPECT_EQ(test, with_vqp(test, U16_MAX, &prov), -EOPNOTSUPP);
}

/* Several pairs need MQ (22) or RSS (60) among what is offered. */
static void provision_vqp_needs_mq(struct kunit *test)
{
	struct vdpa_dev_set_config config = {
		.mask = B(VDPA_ATTR_DEV_FEATURES) | B(VDPA_ATTR_DEV_NET_CFG_MAX_VQP),
		.device_features = FEATURES & ~B(22),
		.net.max_vq_pairs = 1,
	};
	struct fake_hw *fake = test->priv;
	struct vmdev_provision prov;

	KUNIT_EXPECT_EQ(test, provision(test, &config, &prov), 0);
	config.net.max_vq_pairs = 2;
	KUNIT_EXPECT_EQ(test, provision(test, &config, &prov), -EOPNOTSUPP);
	config.mask = B(VDPA_ATTR_DEV_FEATURES);
	KUNIT_EXPECT_EQ(test, provision(test, &config, &prov), 0);
	KUNIT_EXPECT_EQ(test, prov.max_vqp, 1);
	KUNIT_EXPECT_EQ(test, vmdev_count_vqs(&fake->parent, &prov), 3);

	fake->hw.caps.features |= B(60);
	config.device_features |= B(60);
	KUNIT_EXPECT_EQ(test, provision(test, &config, &prov), 0);
	KUNIT_EXPECT_EQ(test, prov.max_vqp, 4);
}

/* virtio 1.2, 5.1.4.1: 68 is the smallest MTU. */
static void provision_mtu(struct kunit *test)
{
	struct vmdev_provision prov;

	KUNIT_EXPECT_EQ(test, with_mtu(test, 67, &prov), -EOPNOTSUPP);
	KUNIT_EXPECT_EQ(test, with_mtu(test, 0, &prov), -EOPNOTSUPP);
	KUNIT_EXPECT_EQ(test, with_mtu(test, 68, &prov), 0);
	KUNIT_EXPECT_EQ(test, prov.mtu, 68);
	KUNIT_EXPECT_EQ(test, with_mtu(test, 9000, &prov), 0);
	KUNIT_EXPECT_EQ(test, prov.mtu, 9000);
	KUNIT_EXPECT_EQ(test, with_mtu(test, 9001, &prov), -EOPNOTSUPP);
}

static void provision_mtu_unknown(struct kunit *test)
{
	struct fake_hw *fake = test->priv;
	struct vmdev_provision prov;

	fake->hw.caps.config_size = 11;
	KUNIT_EXPECT_EQ(test, with_mtu(test, 68, &prov), -EOPNOTSUPP);
	fake->hw.caps.config_size = 12;
	fake->parent.offline = true;
	KUNIT_EXPECT_EQ(test, with_mtu(test, 68, &prov), -EOPNOTSUPP);
	fake->parent.offline = false;
	fake->hw.caps.features &= ~B(3);
	KUNIT_EXPECT_EQ(test, with_mtu(test, 1500, &prov), -EOPNOTSUPP);
}

static void provision_mac(struct kunit *test)
{
	static const u8 good[ETH_ALEN] = { 0x52, 0x54, 0, 1, 2, 3 };
	static const u8 zero[ETH_ALEN], group[ETH_ALEN] = { 1, 0, 0x5e, 0, 0, 1 };
	static const u8 all[ETH_ALEN] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };
	struct fake_hw *fake = test->priv;
	struct vmdev_provision prov;

	KUNIT_EXPECT_EQ(test, with_mac(test, good, &prov), 0);
	KUNIT_EXPECT_MEMEQ(test, prov.mac, good, ETH_ALEN);
	KUNIT_EXPECT_EQ(test, with_mac(test, zero, &prov), -EINVAL);
	KUNIT_EXPECT_EQ(test, with_mac(test, group, &prov), -EINVAL);
	KUNIT_EXPECT_EQ(test, with_mac(test, all, &prov), -EINVAL);
	fake->hw.caps.features &= ~B(5);
	KUNIT_EXPECT_EQ(test, with_mac(test, good, &prov), -EOPNOTSUPP);
}

static void provision_block(struct kunit *test)
{
	const struct vdpa_dev_set_config config = { 0 };
	struct fake_hw *fake = test->priv;
	struct vmdev_provision prov;

	fake->hw.caps.device_id = VIRTIO_ID_BLOCK;
	fake->hw.caps.nvqs = 5;
	KUNIT_EXPECT_EQ(test, provision(test, &config, &prov), 0);
	KUNIT_EXPECT_EQ(test, vmdev_count_vqs(&fake->parent, &prov), 5);
	KUNIT_EXPECT_EQ(test, vmdev_provision_attrs(&fake->hw.caps), B(VDPA_ATTR_DEV_FEATURES));
}

/* What is not in the mask the vdpa core refuses in words. */
static void provision_attrs(struct kunit *test)
{
	const u64 always = B(VDPA_ATTR_DEV_FEATURES) | B(VDPA_ATTR_DEV_NET_CFG_MAX_VQP);
	struct fake_hw *fake = test->priv;

	KUNIT_EXPECT_EQ(test, vmdev_provision_attrs(&fake->hw.caps),
			always | B(VDPA_ATTR_DEV_NET_CFG_MTU) |
			B(VDPA_ATTR_DEV_NET_CFG_MACADDR));
	fake->hw.caps.features &= ~B(3);
	KUNIT_EXPECT_EQ(test, vmdev_provision_attrs(&fake->hw.caps),
			always | B(VDPA_ATTR_DEV_NET_CFG_MACADDR));
	/* Nothing but the commands is needed to set an address. */
	fake->hw.caps.caps = 0;
	KUNIT_EXPECT_EQ(test, vmdev_provision_attrs(&fake->hw.caps),
			always | B(VDPA_ATTR_DEV_NET_CFG_MACADDR));
	fake->hw.caps.features &= ~B(23);
	KUNIT_EXPECT_EQ(test, vmdev_provision_attrs(&fake->hw.caps), always);
}

/* Pairs and control queue that hardware of @nvqs queues has; its error. */
static int count_pairs(struct kunit *test, u64 features, u16 claimed, u16 nvqs)
{
	struct fake_hw *fake = test->priv;

	fake->hw.caps.features = features;
	fake->hw.caps.nvqs = nvqs;
	set_le16(fake, 8, claimed);
	fake->parent.max_vqp = 0;
	fake->parent.cvq = 0;
	return vmdev_count_pairs(&fake->parent);
}

static void expect_pairs(struct kunit *test, u16 pairs, bool multi)
{
	struct fake_hw *fake = test->priv;

	KUNIT_EXPECT_EQ(test, fake->parent.max_vqp, pairs);
	/* The control queue is behind all pairs (virtio 1.2, 5.1.2). */
	KUNIT_EXPECT_EQ(test, fake->parent.cvq, 2 * pairs);
	KUNIT_EXPECT_EQ(test, !!(fake->hw.caps.features & (B(22) | B(60))), multi);
}

static void provision_pairs(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, count_pairs(test, FEATURES, 4, 9), 0);
	expect_pairs(test, 4, true);
	KUNIT_EXPECT_EQ(test, count_pairs(test, FEATURES, 4, 100), 0);
	expect_pairs(test, 4, true);
	KUNIT_EXPECT_EQ(test, count_pairs(test, (FEATURES & ~B(22)) | B(60), 4, 9), 0);
	expect_pairs(test, 4, true);
	/* Without MQ the field is not there, whatever stands in its place. */
	KUNIT_EXPECT_EQ(test, count_pairs(test, FEATURES & ~B(22), 4, 9), 0);
	expect_pairs(test, 1, false);
	/* Without a control queue two queues are a pair. */
	KUNIT_EXPECT_EQ(test, count_pairs(test, MANDATORY, 0, 2), 0);
	expect_pairs(test, 1, false);
}

/* Hardware whose configuration and queues disagree: one pair, no MQ. */
static void provision_pairs_that_lie(struct kunit *test)
{
	static const u16 claims[] = { 0, 5, 0x4000, 0x7fff, 0x8000, 0x8001, 0xffff };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(claims); i++) {
		KUNIT_EXPECT_EQ(test, count_pairs(test, FEATURES | B(60), claims[i], 9), 0);
		expect_pairs(test, 1, false);
	}
	KUNIT_EXPECT_EQ(test, count_pairs(test, FEATURES, 4, 8), 0);
	expect_pairs(test, 1, false);
}

static void provision_pairs_without_queues(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, count_pairs(test, FEATURES, 1, 2), -EINVAL);
	KUNIT_EXPECT_EQ(test, count_pairs(test, FEATURES, 4, 1), -EINVAL);
	KUNIT_EXPECT_EQ(test, count_pairs(test, MANDATORY, 1, 1), -EINVAL);
	KUNIT_EXPECT_EQ(test, count_pairs(test, FEATURES, 1, 3), 0);
	expect_pairs(test, 1, true);
}

static void check_offers(struct kunit *test, u64 features, u64 sensible)
{
	const struct vdpa_dev_set_config config = { 0 };
	struct fake_hw *fake = test->priv;
	struct vmdev_provision prov;

	fake->hw.caps.features = features;
	vmdev_provision_check(&fake->hw);
	KUNIT_EXPECT_EQ(test, fake->hw.caps.features, sensible);
	KUNIT_EXPECT_EQ(test, vmdev_count_pairs(&fake->parent), 0);
	KUNIT_EXPECT_EQ(test, provision(test, &config, &prov), 0);
	KUNIT_EXPECT_NULL(test, vmdev_features_check(VIRTIO_ID_NET, prov.features));
}

/* What drivers would refuse is not offered by default (virtio 1.2, 5.1.3.1). */
static void provision_features_that_lack_others(struct kunit *test)
{
	struct fake_hw *fake = test->priv;
	struct vmdev_provision prov;

	check_offers(test, FEATURES, FEATURES);
	/* MQ (22) and CTRL_MAC_ADDR (23) without CTRL_VQ (17): one pair. */
	check_offers(test, FEATURES & ~B(17), FEATURES & ~(B(17) | B(22) | B(23)));
	KUNIT_EXPECT_EQ(test, fake->parent.max_vqp, 1);
	KUNIT_EXPECT_EQ(test, with_features(test, MANDATORY | B(22), &prov), -EOPNOTSUPP);
	/* HOST_ECN (13) needs HOST_TSO4 (11), which needs CSUM (0). */
	check_offers(test, FEATURES | B(11) | B(13), FEATURES);
	check_offers(test, FEATURES | B(0) | B(11) | B(13), FEATURES | B(0) | B(11) | B(13));
	/* One of two that would do. */
	check_offers(test, FEATURES | B(1) | B(8) | B(9), FEATURES | B(1) | B(8) | B(9));
}

static struct kunit_case provision_cases[] = {
	KUNIT_CASE(provision_nothing_asked),
	KUNIT_CASE(provision_access_platform),
	KUNIT_CASE(provision_features),
	KUNIT_CASE(provision_vqp),
	KUNIT_CASE(provision_vqp_needs_mq),
	KUNIT_CASE(provision_mtu),
	KUNIT_CASE(provision_mtu_unknown),
	KUNIT_CASE(provision_mac),
	KUNIT_CASE(provision_block),
	KUNIT_CASE(provision_attrs),
	KUNIT_CASE(provision_features_that_lack_others),
	KUNIT_CASE(provision_pairs),
	KUNIT_CASE(provision_pairs_that_lie),
	KUNIT_CASE(provision_pairs_without_queues),
	{}
};

static struct kunit_suite provision_suite = {
	.name = "vmdev_provision",
	.init = provision_init,
	.test_cases = provision_cases,
};

kunit_test_suite(provision_suite);
