// SPDX-License-Identifier: GPL-2.0
/*
 * Which feature bits are offered to whom. Pure.
 */
#include <linux/etherdevice.h>
#include <linux/kernel.h>
#include <linux/virtio_blk.h>
#include <linux/virtio_config.h>
#include <linux/virtio_net.h>
#include <uapi/linux/virtio_ring.h>

#include "vmdev.h"

/* Net features from here on are newer than QEMU's shadow virtqueues. */
#define VMDEV_NET_F_FIRST_HIGH		50

/* virtio 1.2 and 1.3; 6.12's uapi does not name them all. */
#define VMDEV_NET_F_DEVICE_STATS	50
#define VMDEV_NET_F_HASH_TUNNEL		51
#define VMDEV_NET_F_VQ_NOTF_COAL	52
#define VMDEV_NET_F_NOTF_COAL		53
#define VMDEV_NET_F_GUEST_USO4		54
#define VMDEV_NET_F_GUEST_USO6		55
#define VMDEV_NET_F_HOST_USO		56
#define VMDEV_NET_F_RSC_EXT		61

#define VMDEV_MANDATORY \
	(BIT_ULL(VIRTIO_F_VERSION_1) | BIT_ULL(VIRTIO_F_ACCESS_PLATFORM))

/*
 * Transport features that a driver behind the core can use. Not among them:
 * SR_IOV, which is the PF's and negotiated by its parent; the admin queue,
 * NOTIF_CONFIG_DATA and SUSPEND, which vDPA cannot carry; bits that are not
 * defined.
 */
#define VMDEV_TRANSPORT_POSSIBLE \
	(VMDEV_MANDATORY | BIT_ULL(VIRTIO_RING_F_INDIRECT_DESC) | \
	 BIT_ULL(VIRTIO_RING_F_EVENT_IDX) | BIT_ULL(VIRTIO_F_RING_PACKED) | \
	 BIT_ULL(VIRTIO_F_IN_ORDER) | BIT_ULL(VIRTIO_F_ORDER_PLATFORM) | \
	 BIT_ULL(VIRTIO_F_NOTIFICATION_DATA) | BIT_ULL(VIRTIO_F_RING_RESET))

/* Of those, the ones that QEMU's shadow virtqueues know. */
#define VMDEV_TRANSPORT_DEFAULT \
	(VMDEV_MANDATORY | BIT_ULL(VIRTIO_RING_F_EVENT_IDX))

/*
 * Net features that QEMU's shadow virtqueues do not know, or refuse to migrate
 * with: a device that offers one cannot be migrated by stock QEMU.
 */
#define VMDEV_NET_ON_REQUEST \
	(BIT_ULL(VIRTIO_NET_F_GUEST_ANNOUNCE) | \
	 GENMASK_ULL(63, VMDEV_NET_F_FIRST_HIGH))

/* ... and those from bit 50 on that it does know. */
#define VMDEV_NET_HIGH_DEFAULT \
	(BIT_ULL(VIRTIO_NET_F_HASH_REPORT) | BIT_ULL(VIRTIO_NET_F_RSS) | \
	 BIT_ULL(VMDEV_NET_F_RSC_EXT) | BIT_ULL(VIRTIO_NET_F_STANDBY) | \
	 BIT_ULL(VIRTIO_NET_F_SPEED_DUPLEX))

/**
 * struct vmdev_feature_need - a net feature and what it needs (virtio 1.3,
 * 5.1.3.1); one of @needs suffices
 * @bit: the feature
 * @needs: bits of which one must be there
 * @why: what to tell a person who leaves them out
 */
struct vmdev_feature_need {
	u8 bit;
	u64 needs;
	const char *why;
};

static const struct vmdev_feature_need vmdev_net_needs[] = {
	{ VIRTIO_NET_F_GUEST_TSO4, BIT_ULL(VIRTIO_NET_F_GUEST_CSUM),
	  "GUEST_TSO4 needs GUEST_CSUM" },
	{ VIRTIO_NET_F_GUEST_TSO6, BIT_ULL(VIRTIO_NET_F_GUEST_CSUM),
	  "GUEST_TSO6 needs GUEST_CSUM" },
	{ VIRTIO_NET_F_GUEST_UFO, BIT_ULL(VIRTIO_NET_F_GUEST_CSUM),
	  "GUEST_UFO needs GUEST_CSUM" },
	{ VIRTIO_NET_F_GUEST_ECN, BIT_ULL(VIRTIO_NET_F_GUEST_TSO4) |
	  BIT_ULL(VIRTIO_NET_F_GUEST_TSO6), "GUEST_ECN needs a GUEST_TSO" },
	{ VIRTIO_NET_F_HOST_TSO4, BIT_ULL(VIRTIO_NET_F_CSUM),
	  "HOST_TSO4 needs CSUM" },
	{ VIRTIO_NET_F_HOST_TSO6, BIT_ULL(VIRTIO_NET_F_CSUM),
	  "HOST_TSO6 needs CSUM" },
	{ VIRTIO_NET_F_HOST_UFO, BIT_ULL(VIRTIO_NET_F_CSUM),
	  "HOST_UFO needs CSUM" },
	{ VIRTIO_NET_F_HOST_ECN, BIT_ULL(VIRTIO_NET_F_HOST_TSO4) |
	  BIT_ULL(VIRTIO_NET_F_HOST_TSO6), "HOST_ECN needs a HOST_TSO" },
	{ VIRTIO_NET_F_CTRL_RX, BIT_ULL(VIRTIO_NET_F_CTRL_VQ),
	  "CTRL_RX needs CTRL_VQ" },
	{ VIRTIO_NET_F_CTRL_VLAN, BIT_ULL(VIRTIO_NET_F_CTRL_VQ),
	  "CTRL_VLAN needs CTRL_VQ" },
	{ VIRTIO_NET_F_GUEST_ANNOUNCE, BIT_ULL(VIRTIO_NET_F_CTRL_VQ),
	  "GUEST_ANNOUNCE needs CTRL_VQ" },
	{ VIRTIO_NET_F_MQ, BIT_ULL(VIRTIO_NET_F_CTRL_VQ),
	  "MQ needs CTRL_VQ" },
	{ VIRTIO_NET_F_CTRL_MAC_ADDR, BIT_ULL(VIRTIO_NET_F_CTRL_VQ),
	  "CTRL_MAC_ADDR needs CTRL_VQ" },
	{ VIRTIO_NET_F_RSS, BIT_ULL(VIRTIO_NET_F_CTRL_VQ),
	  "RSS needs CTRL_VQ" },
	{ VIRTIO_NET_F_HASH_REPORT, BIT_ULL(VIRTIO_NET_F_CTRL_VQ),
	  "HASH_REPORT needs CTRL_VQ" },
	{ VIRTIO_NET_F_CTRL_GUEST_OFFLOADS, BIT_ULL(VIRTIO_NET_F_CTRL_VQ),
	  "CTRL_GUEST_OFFLOADS needs CTRL_VQ" },
	{ VMDEV_NET_F_HASH_TUNNEL, BIT_ULL(VIRTIO_NET_F_CTRL_VQ),
	  "HASH_TUNNEL needs CTRL_VQ" },
	{ VMDEV_NET_F_HASH_TUNNEL, BIT_ULL(VIRTIO_NET_F_RSS) |
	  BIT_ULL(VIRTIO_NET_F_HASH_REPORT), "HASH_TUNNEL needs RSS or HASH_REPORT" },
	{ VMDEV_NET_F_VQ_NOTF_COAL, BIT_ULL(VIRTIO_NET_F_CTRL_VQ),
	  "VQ_NOTF_COAL needs CTRL_VQ" },
	{ VMDEV_NET_F_NOTF_COAL, BIT_ULL(VIRTIO_NET_F_CTRL_VQ),
	  "NOTF_COAL needs CTRL_VQ" },
	{ VMDEV_NET_F_GUEST_USO4, BIT_ULL(VIRTIO_NET_F_GUEST_CSUM),
	  "GUEST_USO4 needs GUEST_CSUM" },
	{ VMDEV_NET_F_GUEST_USO6, BIT_ULL(VIRTIO_NET_F_GUEST_CSUM),
	  "GUEST_USO6 needs GUEST_CSUM" },
	{ VMDEV_NET_F_HOST_USO, BIT_ULL(VIRTIO_NET_F_CSUM),
	  "HOST_USO needs CSUM" },
	{ VMDEV_NET_F_RSC_EXT, BIT_ULL(VIRTIO_NET_F_HOST_TSO4) |
	  BIT_ULL(VIRTIO_NET_F_HOST_TSO6), "RSC_EXT needs a HOST_TSO" },
};

/**
 * vmdev_features_possible() - what can be offered to a driver on request
 * @caps: the hardware
 *
 * Return: feature bits.
 */
u64 vmdev_features_possible(const struct vmdev_hw_caps *caps)
{
	u64 features = caps->features &
		       (~VMDEV_F_TRANSPORT | VMDEV_TRANSPORT_POSSIBLE);

	/* Statistics are asked for, and answered, in commands of any length. */
	if (caps->device_id == VIRTIO_ID_NET)
		features &= ~BIT_ULL(VMDEV_NET_F_DEVICE_STATS);
	return features;
}

/**
 * vmdev_features_default() - what is offered when nobody asks for features
 * @caps: the hardware
 *
 * Those with which stock QEMU can migrate the device.
 *
 * Return: feature bits.
 */
u64 vmdev_features_default(const struct vmdev_hw_caps *caps)
{
	u64 features = caps->features &
		       (~VMDEV_F_TRANSPORT | VMDEV_TRANSPORT_DEFAULT);

	if (caps->device_id == VIRTIO_ID_NET)
		features &= ~VMDEV_NET_ON_REQUEST | VMDEV_NET_HIGH_DEFAULT;
	return features;
}

/**
 * vmdev_features_check() - do these features make sense together?
 * @device_id: virtio device id
 * @features: what shall be offered, or was accepted
 *
 * Return: NULL if they do, else a phrase that says what is missing.
 */
const char *vmdev_features_check(u32 device_id, u64 features)
{
	unsigned int i;

	if (!(features & BIT_ULL(VIRTIO_F_VERSION_1)))
		return "VERSION_1 is missing, only modern drivers are served";
	if (!(features & BIT_ULL(VIRTIO_F_ACCESS_PLATFORM)))
		return "ACCESS_PLATFORM is missing, the IOMMU must not be bypassed";
	if (device_id != VIRTIO_ID_NET)
		return NULL;

	for (i = 0; i < ARRAY_SIZE(vmdev_net_needs); i++)
		if ((features & BIT_ULL(vmdev_net_needs[i].bit)) &&
		    !(features & vmdev_net_needs[i].needs))
			return vmdev_net_needs[i].why;
	return NULL;
}

/**
 * vmdev_features_needy() - which of these features lack another one?
 * @features: of a net device
 * @why: what the first of them lacks, if there is one
 *
 * Also those that lack one that lacks another one itself.
 *
 * Return: feature bits.
 */
u64 vmdev_features_needy(u64 features, const char **why)
{
	u64 needy = 0, before;
	unsigned int i;

	do {
		before = needy;
		for (i = 0; i < ARRAY_SIZE(vmdev_net_needs); i++) {
			const struct vmdev_feature_need *need = &vmdev_net_needs[i];
			u64 bit = BIT_ULL(need->bit);

			if (!(features & ~needy & bit) ||
			    (features & ~needy & need->needs))
				continue;
			if (!needy)
				*why = need->why;
			needy |= bit;
		}
	} while (needy != before);
	return needy;
}

/**
 * vmdev_features_to_hw() - what to negotiate with the hardware
 * @caps: the hardware
 * @prov: how the device was provisioned
 * @features: what the driver accepted
 *
 * Adds what helps the core, whether or not the driver knows of it.
 *
 * Return: feature bits.
 */
u64 vmdev_features_to_hw(const struct vmdev_hw_caps *caps,
			 const struct vmdev_provision *prov, u64 features)
{
	u64 helpers = BIT_ULL(VIRTIO_F_SR_IOV) | BIT_ULL(VIRTIO_F_RING_RESET);

	if (caps->caps & VMDEV_CAP_SUSPEND)
		helpers |= BIT_ULL(VMDEV_F_SUSPEND);
	/* vmdev_ctrl_replay() needs them. */
	if (!is_zero_ether_addr(prov->mac))
		helpers |= BIT_ULL(VIRTIO_NET_F_CTRL_VQ) |
			   BIT_ULL(VIRTIO_NET_F_CTRL_MAC_ADDR);
	return features | (caps->features & helpers);
}

/**
 * vmdev_features_set_mac() - can hardware be told a MAC address?
 * @caps: the hardware
 *
 * Context: any. Pure.
 */
bool vmdev_features_set_mac(const struct vmdev_hw_caps *caps)
{
	u64 needed = BIT_ULL(VIRTIO_NET_F_MAC) | BIT_ULL(VIRTIO_NET_F_CTRL_VQ) |
		     BIT_ULL(VIRTIO_NET_F_CTRL_MAC_ADDR);

	return caps->device_id == VIRTIO_ID_NET &&
	       (caps->features & needed) == needed;
}
