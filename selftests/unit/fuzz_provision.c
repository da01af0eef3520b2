// SPDX-License-Identifier: GPL-2.0
/*
 * Provisioning (drivers/core/provision.c, features.c): any hardware, any
 * attributes. Whatever a device was made into, its hardware can be, and its
 * features, queue pairs and queues agree.
 */
#include "../../drivers/core/features.c"
#include "../../drivers/core/config.c"
#include "../../drivers/core/provision.c"
#include "../kunit/fake_hw.h"
#include <fuzz.h>

#define HAS(features, bit)	(!!((features) & BIT_ULL(bit)))

static bool multi(u64 features)
{
	return HAS(features, VIRTIO_NET_F_MQ) || HAS(features, VIRTIO_NET_F_RSS);
}

static void check_net(struct fake_hw *fake, const struct vmdev_provision *prov)
{
	u16 hw_mtu = fake->config[10] | fake->config[11] << 8;

	FUZZ_CHECK(prov->max_vqp >= 1 && prov->max_vqp <= fake->parent.max_vqp, "%u pairs",
		   prov->max_vqp);
	FUZZ_CHECK(prov->max_vqp == 1 || multi(prov->features), "%u pairs without MQ",
		   prov->max_vqp);
	FUZZ_CHECK(!prov->mtu || (HAS(prov->features, VIRTIO_NET_F_MTU) && prov->mtu >= 68 &&
				  prov->mtu <= hw_mtu), "MTU %u", prov->mtu);
	FUZZ_CHECK(is_zero_ether_addr(prov->mac) ||
		   (HAS(prov->features, VIRTIO_NET_F_MAC) && !(prov->mac[0] & 1)), "MAC");
}

static void check(struct fake_hw *fake, const struct vdpa_dev_set_config *config)
{
	const struct vmdev_hw_caps *caps = &fake->hw.caps;
	struct vmdev_provision prov = { 0 };
	int err = vmdev_provision(&fake->parent, config, &prov);

	FUZZ_CHECK(!err || err == -EINVAL || err == -EOPNOTSUPP, "%d", err);
	if (err)
		return;
	FUZZ_CHECK(!(prov.features & ~caps->features), "features %#llx of %#llx", prov.features,
		   caps->features);
	FUZZ_CHECK(HAS(prov.features, VIRTIO_F_ACCESS_PLATFORM), "DMA past the IOMMU");
	if (HAS(config->mask, VDPA_ATTR_DEV_FEATURES))
		FUZZ_CHECK(prov.features == config->device_features, "features %#llx",
			   prov.features);
	if (HAS(prov.features, VIRTIO_F_VERSION_1))
		FUZZ_CHECK(!vmdev_features_check(caps->device_id, prov.features),
			   "features %#llx", prov.features);
	FUZZ_CHECK(vmdev_count_vqs(&fake->parent, &prov) <= caps->nvqs, "too many queues");
	if (caps->device_id == VIRTIO_ID_NET)
		check_net(fake, &prov);
}

/* Hardware of which most offers what is needed. */
static u64 some_features(struct fuzz_input *in)
{
	u64 features = fuzz_u64(in);

	if (fuzz_u8(in) & 3)
		features |= VMDEV_MANDATORY;
	return features;
}

FUZZ_TARGET(in)
{
	struct fake_hw *fake = calloc(1, sizeof(*fake));
	struct vdpa_dev_set_config config = { 0 };

	fake_hw_init(fake, fuzz_u8(in) & 1 ? VIRTIO_ID_NET : VIRTIO_ID_BLOCK);
	fake->hw.caps.features = some_features(in);
	fake->hw.caps.nvqs = fuzz_u8(in) & 1 ? fuzz_u16(in) : 1 + fuzz_below(in, 32);
	fake->hw.caps.config_size = 4 * fuzz_below(in, 8);
	fuzz_fill(in, fake->config, sizeof(struct virtio_net_config));
	if (fake->hw.caps.device_id == VIRTIO_ID_NET)
		vmdev_provision_check(&fake->hw);
	if (fake->hw.caps.device_id == VIRTIO_ID_NET && vmdev_count_pairs(&fake->parent))
		goto out;
	if (fake->hw.caps.device_id == VIRTIO_ID_NET)
		FUZZ_CHECK(2 * fake->parent.max_vqp +
			   HAS(fake->hw.caps.features, VIRTIO_NET_F_CTRL_VQ) <=
			   fake->hw.caps.nvqs && fake->parent.cvq == 2 * fake->parent.max_vqp,
			   "%u pairs of %u queues", fake->parent.max_vqp, fake->hw.caps.nvqs);
	while (in->left) {
		config.mask = fuzz_u64(in);
		config.device_features = some_features(in);
		if (fuzz_u8(in) & 3)
			config.device_features &= fake->hw.caps.features;
		config.net.mtu = fuzz_u16(in);
		config.net.max_vq_pairs = fuzz_below(in, 20);
		fuzz_fill(in, config.net.mac, ETH_ALEN);
		check(fake, &config);
	}
out:
	free(fake);
}
