// SPDX-License-Identifier: GPL-2.0
/*
 * Configuration space: what the hardware says, with what was provisioned laid
 * over it.
 */
#include <linux/etherdevice.h>
#include <linux/virtio_config.h>
#include <linux/virtio_ids.h>
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

/*
 * Fields must be read in one access of their own width (virtio 1.2, 4.1.3.1),
 * so these are the widths of all fields, in order; 64-bit ones are two of 32.
 * What comes behind the known fields, and unknown types, are read by bytes.
 */
static const u8 vmdev_net_widths[] = {
	1, 1, 1, 1, 1, 1,	/* mac */
	2, 2, 2, 4, 1,		/* status, pairs, mtu, speed, duplex */
	1, 2, 4,		/* rss key size, rss table length, hash types */
};

static const u8 vmdev_blk_widths[] = {
	4, 4, 4, 4,		/* capacity, size_max, seg_max */
	2, 1, 1, 4,		/* geometry, blk_size */
	1, 1, 2, 4,		/* topology */
	1, 1, 2,		/* writeback, unused, num_queues */
	4, 4, 4, 4, 4, 1,	/* discard and write zeroes */
	1, 1, 1, 4, 4, 4,	/* unused, secure erase */
	4, 4, 4, 4, 4, 1,	/* zoned */
};

/* Width of the field that starts at @offset, 1 if none does. */
static u32 vmdev_config_width(u32 device_id, u32 offset)
{
	const u8 *widths = vmdev_net_widths;
	u32 i, at = 0, n = ARRAY_SIZE(vmdev_net_widths);

	if (device_id == VIRTIO_ID_BLOCK) {
		widths = vmdev_blk_widths;
		n = ARRAY_SIZE(vmdev_blk_widths);
	} else if (device_id != VIRTIO_ID_NET) {
		return 1;
	}

	for (i = 0; i < n && at < offset; i++)
		at += widths[i];
	return i < n && at == offset ? widths[i] : 1;
}

static void vmdev_config_read_fields(struct vmdev_hw *hw, u32 offset,
				     void *buf, u32 len)
{
	while (len) {
		u32 width = vmdev_config_width(hw->caps.device_id, offset);

		if (width > len)
			width = 1;
		hw->ops->config_read(hw, offset, buf, width);
		buf += width;
		offset += width;
		len -= width;
	}
}

/**
 * vmdev_config_le16() - read a 16-bit field of the hardware's configuration
 * @hw: the hardware
 * @offset: of the field
 *
 * Context: may sleep; nobody else uses the hardware.
 * Return: its value, 0 if the configuration ends before it.
 */
u16 vmdev_config_le16(struct vmdev_hw *hw, u32 offset)
{
	__le16 value = 0;

	if (hw->caps.config_size >= offset + sizeof(value))
		hw->ops->config_read(hw, offset, &value, sizeof(value));
	return le16_to_cpu(value);
}

/**
 * vmdev_config_check() - do not offer what the configuration belies
 * @hw: hardware of a net device, about to be registered
 *
 * Drivers refuse a device whose MTU is below the least that there is.
 *
 * Context: may sleep; nobody else uses the hardware.
 */
void vmdev_config_check(struct vmdev_hw *hw)
{
	u16 mtu;

	if (!(hw->caps.features & BIT_ULL(VIRTIO_NET_F_MTU)))
		return;
	mtu = vmdev_config_le16(hw, offsetof(struct virtio_net_config, mtu));
	if (mtu >= ETH_MIN_MTU)
		return;
	dev_warn(hw->dev, "hardware claims an MTU of %u, which is none: MTU is not offered\n",
		 mtu);
	hw->caps.features &= ~BIT_ULL(VIRTIO_NET_F_MTU);
}

/* From now on there is only what software changed. Said once, until reset. */
static void vmdev_config_unsettled(struct vmdev_dev *dev)
{
	if (dev->unsettled || !vmdev_usable(dev))
		return;
	dev_warn_ratelimited(dev->parent->hw->dev,
			     "configuration does not settle: config_generation changes at every read\n");
	dev->unsettled = true;
}

/**
 * vmdev_config_generation() - the generation as the driver shall see it
 * @dev: the device
 *
 * The host's drivers read until it stands still, without bound. To them it
 * does, sooner or later: hardware whose generation was another one each time
 * that they asked is not asked any more.
 *
 * Context: may sleep; vmdev_parent.lock held.
 */
u32 vmdev_config_generation(struct vmdev_dev *dev)
{
	struct vmdev_hw *hw = dev->parent->hw;
	u32 generation = dev->generation;

	if (vmdev_usable(dev) && !dev->unsettled)
		generation += hw->ops->config_generation(hw);

	dev->moves = generation == dev->told ? 0 : dev->moves + 1;
	dev->told = generation;
	if (dev->moves >= VMDEV_CONFIG_TRIES)
		vmdev_config_unsettled(dev);
	return generation;
}

/* Reads until no change came in between (virtio 1.2, 2.5.1). */
static void vmdev_config_read_hw(struct vmdev_dev *dev, u32 offset, void *buf,
				 u32 len)
{
	struct vmdev_hw *hw = dev->parent->hw;
	u32 before, after = hw->ops->config_generation(hw);
	int tries = VMDEV_CONFIG_TRIES;

	do {
		before = after;
		vmdev_config_read_fields(hw, offset, buf, len);
		after = hw->ops->config_generation(hw);
	} while (after != before && !dev->unsettled && --tries);

	if (!tries)
		vmdev_config_unsettled(dev);
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
	if (!vmdev_usable(dev))
		return;

	/* What was provisioned is there even if the hardware has no field. */
	if (vmdev_is_net(hw) && offset < sizeof(net)) {
		u32 known = min_t(u32, len, sizeof(net) - offset);

		vmdev_config_read_hw(dev, 0, &net,
				     min_t(u32, size, sizeof(net)));
		vmdev_config_overlay(&dev->prov, &net);
		/* What its driver set shows there, too (virtio 1.3, 5.1.6.5.2). */
		if (!is_zero_ether_addr(dev->driver_mac))
			ether_addr_copy(net.mac, dev->driver_mac);
		memcpy(buf, (u8 *)&net + offset, known);
		buf += known;
		offset += known;
		len -= known;
	}
	if (len && offset < size)
		vmdev_config_read_hw(dev, offset, buf, min(len, size - offset));
}

/**
 * vmdev_config_set() - the driver writes to the configuration
 * @dev: the device
 * @offset: first byte
 * @buf: what to write
 * @len: bytes; what lies beyond the configuration is dropped
 *
 * Nothing that a modern net driver may write is there to be written. But QEMU
 * writes the MAC address of its own NIC before anything else. It is remembered:
 * see vmdev_ctrl_mac_is_qemus().
 *
 * Context: may sleep; vmdev_parent.lock held.
 */
void vmdev_config_set(struct vmdev_dev *dev, u32 offset, const void *buf,
		      u32 len)
{
	struct vmdev_hw *hw = dev->parent->hw;
	u32 size = hw->caps.config_size;

	if (vmdev_is_net(hw) && !offset && len >= ETH_ALEN &&
	    !(dev->status & VIRTIO_CONFIG_S_FEATURES_OK))
		ether_addr_copy(dev->user_mac, buf);
	if (offset >= size || len > size - offset || vmdev_is_net(hw) ||
	    !vmdev_usable(dev))
		return;
	hw->ops->config_write(hw, offset, buf, len);
}
