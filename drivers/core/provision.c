// SPDX-License-Identifier: GPL-2.0
/*
 * Provisioning: what devices hardware can be made into, and whether it can be
 * made into what an operator asks for.
 *
 * dev_add is not given the netlink message's extack, so what the vdpa core
 * cannot refuse by itself (config_attr_mask) is explained in the log.
 */
#include <linux/etherdevice.h>
#include <linux/virtio_config.h>
#include <linux/virtio_net.h>
#include <uapi/linux/vdpa.h>

#include "vmdev.h"

#define VMDEV_MTU_MIN	68

/**
 * vmdev_provision_check() - do not offer what lacks another feature
 * @hw: hardware of a net device, about to be registered
 *
 * A device that offered it by default would be refused by its drivers.
 *
 * Context: may sleep; nobody else uses the hardware.
 */
void vmdev_provision_check(struct vmdev_hw *hw)
{
	const char *why = NULL;
	u64 needy = vmdev_features_needy(hw->caps.features, &why);

	if (!needy)
		return;
	dev_warn(hw->dev, "hardware offers features %#llx without what they need (%s): they are not offered\n",
		 needy, why);
	hw->caps.features &= ~needy;
}

/**
 * vmdev_count_pairs() - how many queue pairs has a net device, and where is
 * its control queue?
 * @parent: of net hardware
 *
 * The queues are what the hardware says it has, whatever its configuration
 * claims of queue pairs: a client that believes in more pairs than there are
 * queues crashes (QEMU does). As the control queue comes after
 * all pairs, hardware that lies here can only be used with one pair.
 *
 * Context: may sleep; nobody else uses the hardware.
 * Return: 0, or -EINVAL if there are not enough queues for one pair.
 */
int vmdev_count_pairs(struct vmdev_parent *parent)
{
	const u64 multi = BIT_ULL(VIRTIO_NET_F_MQ) | BIT_ULL(VIRTIO_NET_F_RSS);
	struct vmdev_hw_caps *caps = &parent->hw->caps;
	bool cvq = caps->features & BIT_ULL(VIRTIO_NET_F_CTRL_VQ);
	u16 claimed = 1;

	if (caps->features & multi) {
		claimed = vmdev_config_le16(parent->hw,
					    offsetof(struct virtio_net_config,
						     max_virtqueue_pairs));
		if (!claimed || 2 * claimed + cvq > caps->nvqs) {
			dev_warn(parent->hw->dev, "hardware claims %u queue pairs but has %u queues: one pair is used\n",
				 claimed, caps->nvqs);
			caps->features &= ~multi;
			claimed = 1;
		}
	}
	if (2 * claimed + cvq > caps->nvqs) {
		dev_err(parent->hw->dev, "hardware has %u queues, a net device needs %u\n",
			caps->nvqs, 2 * claimed + cvq);
		return -EINVAL;
	}

	parent->max_vqp = claimed;
	parent->cvq = 2 * claimed;
	return 0;
}

static bool vmdev_asked(const struct vdpa_dev_set_config *config,
			unsigned int attr)
{
	return config->mask & BIT_ULL(attr);
}

static int vmdev_provision_features(struct vmdev_parent *parent,
				    const struct vdpa_dev_set_config *config,
				    struct vmdev_provision *prov)
{
	const struct vmdev_hw_caps *caps = &parent->hw->caps;
	u64 possible = vmdev_features_possible(caps);
	struct device *dev = parent->hw->dev;
	const char *why;

	prov->features = vmdev_features_default(caps);
	if (!vmdev_asked(config, VDPA_ATTR_DEV_FEATURES)) {
		if (!(caps->features & BIT_ULL(VIRTIO_F_ACCESS_PLATFORM))) {
			dev_err(dev, "function does not offer ACCESS_PLATFORM: its DMA would bypass the IOMMU\n");
			return -EOPNOTSUPP;
		}
		return 0;
	}

	prov->features = config->device_features;
	if (prov->features & ~possible) {
		dev_err(dev, "device_features: hardware cannot offer %#llx\n",
			prov->features & ~possible);
		return -EOPNOTSUPP;
	}
	why = vmdev_features_check(caps->device_id, prov->features);
	if (why) {
		dev_err(dev, "device_features %#llx: %s\n", prov->features, why);
		return -EINVAL;
	}
	return 0;
}

static int vmdev_provision_mtu(struct vmdev_parent *parent, u16 mtu,
			       struct vmdev_provision *prov)
{
	struct vmdev_hw *hw = parent->hw;
	u16 max = 0;

	if (!(prov->features & BIT_ULL(VIRTIO_NET_F_MTU))) {
		dev_err(hw->dev, "mtu: the device does not offer MTU\n");
		return -EOPNOTSUPP;
	}

	mutex_lock(&parent->lock);
	if (!parent->gone && !parent->offline)
		max = vmdev_config_le16(hw, offsetof(struct virtio_net_config,
						     mtu));
	mutex_unlock(&parent->lock);
	if (mtu < VMDEV_MTU_MIN || mtu > max) {
		dev_err(hw->dev, "mtu %u: hardware can do %u to %u\n", mtu,
			VMDEV_MTU_MIN, max);
		return -EOPNOTSUPP;
	}
	prov->mtu = mtu;
	return 0;
}

/* Consumers retry with fewer pairs only on EOPNOTSUPP. */
static int vmdev_provision_vqp(struct vmdev_parent *parent, u16 vqp,
			       struct vmdev_provision *prov)
{
	bool multi = prov->features & (BIT_ULL(VIRTIO_NET_F_MQ) |
				       BIT_ULL(VIRTIO_NET_F_RSS));
	u16 max = multi ? parent->max_vqp : 1;

	if (!vqp)
		return -EINVAL;
	if (vqp > max) {
		dev_err(parent->hw->dev,
			"max_vqp %u: the device can have at most %u%s\n", vqp,
			max, multi ? "" : ", it does not offer MQ");
		return -EOPNOTSUPP;
	}
	prov->max_vqp = vqp;
	return 0;
}

/**
 * vmdev_provision_mac() - give a device a MAC address
 * @parent: what it runs on
 * @mac: the address
 * @prov: its features are known; gets the address
 *
 * Return: 0; -EINVAL for what is no address of a station; -EOPNOTSUPP for a
 * device without MAC.
 */
int vmdev_provision_mac(struct vmdev_parent *parent, const u8 *mac,
			struct vmdev_provision *prov)
{
	if (!is_valid_ether_addr(mac)) {
		dev_err(parent->hw->dev, "mac %pM: not an address of a station\n",
			mac);
		return -EINVAL;
	}
	if (!(prov->features & BIT_ULL(VIRTIO_NET_F_MAC))) {
		dev_err(parent->hw->dev, "mac: the device does not offer MAC\n");
		return -EOPNOTSUPP;
	}
	ether_addr_copy(prov->mac, mac);
	return 0;
}

static int vmdev_provision_net(struct vmdev_parent *parent,
			       const struct vdpa_dev_set_config *config,
			       struct vmdev_provision *prov)
{
	bool multi = prov->features & (BIT_ULL(VIRTIO_NET_F_MQ) |
				       BIT_ULL(VIRTIO_NET_F_RSS));
	int err;

	prov->max_vqp = multi ? parent->max_vqp : 1;
	if (vmdev_asked(config, VDPA_ATTR_DEV_NET_CFG_MACADDR)) {
		err = vmdev_provision_mac(parent, config->net.mac, prov);
		if (err)
			return err;
	}
	if (vmdev_asked(config, VDPA_ATTR_DEV_NET_CFG_MAX_VQP)) {
		err = vmdev_provision_vqp(parent, config->net.max_vq_pairs,
					  prov);
		if (err)
			return err;
	}
	if (vmdev_asked(config, VDPA_ATTR_DEV_NET_CFG_MTU)) {
		err = vmdev_provision_mtu(parent, config->net.mtu, prov);
		if (err)
			return err;
	}
	return 0;
}

/**
 * vmdev_provision() - can hardware be what an operator asks for?
 * @parent: the hardware
 * @config: what was asked for
 * @prov: zeroed; what the device will be
 *
 * Context: may sleep.
 * Return: 0; -EOPNOTSUPP for what this hardware cannot be, -EINVAL for what
 * makes no sense, with a line that says so.
 */
int vmdev_provision(struct vmdev_parent *parent,
		    const struct vdpa_dev_set_config *config,
		    struct vmdev_provision *prov)
{
	int err;

	err = vmdev_provision_features(parent, config, prov);
	if (err || !vmdev_is_net(parent->hw))
		return err;
	return vmdev_provision_net(parent, config, prov);
}

/**
 * vmdev_count_vqs() - queues of a device
 * @parent: what it runs on
 * @prov: how it was provisioned
 *
 * Context: any. Pure.
 */
u16 vmdev_count_vqs(const struct vmdev_parent *parent,
		    const struct vmdev_provision *prov)
{
	bool cvq = prov->features & BIT_ULL(VIRTIO_NET_F_CTRL_VQ);

	if (!vmdev_is_net(parent->hw))
		return parent->hw->caps.nvqs;
	return 2 * prov->max_vqp + cvq;
}

/**
 * vmdev_provision_attrs() - attributes that may be asked for
 * @caps: of the hardware
 *
 * What is not among them the vdpa core refuses, with extack.
 *
 * Return: bits of VDPA_ATTR_*.
 */
u64 vmdev_provision_attrs(const struct vmdev_hw_caps *caps)
{
	u64 mask = BIT_ULL(VDPA_ATTR_DEV_FEATURES);

	if (caps->device_id != VIRTIO_ID_NET)
		return mask;
	mask |= BIT_ULL(VDPA_ATTR_DEV_NET_CFG_MAX_VQP);
	if (vmdev_features_set_mac(caps))
		mask |= BIT_ULL(VDPA_ATTR_DEV_NET_CFG_MACADDR);
	if (caps->features & BIT_ULL(VIRTIO_NET_F_MTU))
		mask |= BIT_ULL(VDPA_ATTR_DEV_NET_CFG_MTU);
	return mask;
}
