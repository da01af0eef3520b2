// SPDX-License-Identifier: GPL-2.0
/*
 * Configuration space: what the hardware says, with what was provisioned laid
 * over it.
 */
#include <linux/etherdevice.h>
#include <linux/virtio_net.h>

#include "vmdev.h"

/* A device whose configuration never settles is read as it is after these. */
#define VMDEV_CONFIG_TRIES	16

/**
 * vmdev_config_overlay() - lay what was provisioned over a net configuration
 * @prov: what was provisioned
 * @config: what the hardware says
 *
 * Context: any. Pure.
 */
void vmdev_config_overlay(const struct vmdev_provision *prov,
			  struct virtio_net_config *config)
{
	if (!is_zero_ether_addr(prov->mac))
		ether_addr_copy(config->mac, prov->mac);
	if (prov->mtu)
		config->mtu = __cpu_to_virtio16(true, prov->mtu);
	config->max_virtqueue_pairs = __cpu_to_virtio16(true, prov->max_vqp);
}

/* Reads until no change came in between (virtio 1.2, 2.5.1). */
static void vmdev_config_read_hw(struct vmdev_hw *hw, u32 offset, void *buf,
				 u32 len)
{
	u32 before, after = hw->ops->config_generation(hw);
	int tries = VMDEV_CONFIG_TRIES;

	do {
		before = after;
		hw->ops->config_read(hw, offset, buf, len);
		after = hw->ops->config_generation(hw);
	} while (after != before && --tries);

	if (!tries)
		dev_warn_ratelimited(hw->dev, "configuration does not settle\n");
}

/**
 * vmdev_config_get() - read the configuration as the driver shall see it
 * @dev: the device
 * @offset: first byte
 * @buf: where to
 * @len: bytes; what lies beyond the configuration reads as zero
 *
 * netlink reads whole structures whatever the size of the configuration is.
 *
 * Context: may sleep; vmdev_parent.lock held.
 */
void vmdev_config_get(struct vmdev_dev *dev, u32 offset, void *buf, u32 len)
{
	struct vmdev_hw *hw = dev->parent->hw;
	u32 size = hw->caps.config_size;
	struct virtio_net_config net = { 0 };

	memset(buf, 0, len);
	if (offset >= size || !vmdev_usable(dev))
		return;
	len = min(len, size - offset);

	if (!vmdev_is_net(hw)) {
		vmdev_config_read_hw(hw, offset, buf, len);
		return;
	}

	/* What lies beyond what we know of it passes through unchanged. */
	vmdev_config_read_hw(hw, 0, &net, min_t(u32, size, sizeof(net)));
	vmdev_config_overlay(&dev->prov, &net);
	if (offset < sizeof(net)) {
		u32 known = min_t(u32, len, sizeof(net) - offset);

		memcpy(buf, (u8 *)&net + offset, known);
		buf += known;
		offset += known;
		len -= known;
	}
	if (len)
		vmdev_config_read_hw(hw, offset, buf, len);
}

/**
 * vmdev_config_set() - the driver writes to the configuration
 * @dev: the device
 * @offset: first byte
 * @buf: what to write
 * @len: bytes; what lies beyond the configuration is dropped
 *
 * Nothing that a modern net driver may write is there to be written.
 *
 * Context: may sleep; vmdev_parent.lock held.
 */
void vmdev_config_set(struct vmdev_dev *dev, u32 offset, const void *buf,
		      u32 len)
{
	struct vmdev_hw *hw = dev->parent->hw;
	u32 size = hw->caps.config_size;

	if (offset >= size || len > size - offset || vmdev_is_net(hw) ||
	    !vmdev_usable(dev))
		return;
	hw->ops->config_write(hw, offset, buf, len);
}
