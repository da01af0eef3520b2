// SPDX-License-Identifier: GPL-2.0
/* What ethtool is told of a port. */
#include <linux/ethtool.h>

#include "net.h"

/**
 * struct vmdev_soft_stat - a counter of each pair
 * @name: after "rx0_", as the port sees it: it receives what the driver sends
 * @tx: of vmdev_soft_pair.tx; else of vmdev_soft_pair.rx
 * @offset: in struct vmdev_soft_stats
 */
struct vmdev_soft_stat {
	const char *name;
	bool tx;
	size_t offset;
};

#define VMDEV_SOFT_STAT(_tx, _name) \
	{ #_name, _tx, offsetof(struct vmdev_soft_stats, _name) }

static const struct vmdev_soft_stat vmdev_soft_stat_list[] = {
	VMDEV_SOFT_STAT(true, packets),
	VMDEV_SOFT_STAT(true, bytes),
	VMDEV_SOFT_STAT(true, drops),
	VMDEV_SOFT_STAT(true, xdp),
	VMDEV_SOFT_STAT(false, packets),
	VMDEV_SOFT_STAT(false, bytes),
	VMDEV_SOFT_STAT(false, drops),
	VMDEV_SOFT_STAT(false, filtered),
	VMDEV_SOFT_STAT(false, stops),
};

static void vmdev_soft_get_drvinfo(struct net_device *port,
				   struct ethtool_drvinfo *info)
{
	strscpy(info->driver, "vmdev_soft", sizeof(info->driver));
	strscpy(info->bus_info, vmdev_soft_port_net(port)->soft.name,
		sizeof(info->bus_info));
}

/* As others do that have no wire. */
static int vmdev_soft_get_link_ksettings(struct net_device *port,
					 struct ethtool_link_ksettings *settings)
{
	settings->base.speed = SPEED_10000;
	settings->base.duplex = DUPLEX_FULL;
	settings->base.port = PORT_OTHER;
	settings->base.autoneg = AUTONEG_DISABLE;
	return 0;
}

static void vmdev_soft_get_channels(struct net_device *port,
				    struct ethtool_channels *channels)
{
	struct vmdev_soft_net *net = vmdev_soft_port_net(port);

	channels->max_combined = net->npairs;
	channels->combined_count = READ_ONCE(net->active);
}

static int vmdev_soft_get_sset_count(struct net_device *port, int sset)
{
	if (sset != ETH_SS_STATS)
		return -EOPNOTSUPP;
	return vmdev_soft_port_net(port)->npairs * ARRAY_SIZE(vmdev_soft_stat_list);
}

static void vmdev_soft_get_strings(struct net_device *port, u32 sset, u8 *data)
{
	u16 npairs = vmdev_soft_port_net(port)->npairs, i;
	unsigned int k;

	if (sset != ETH_SS_STATS)
		return;
	for (i = 0; i < npairs; i++)
		for (k = 0; k < ARRAY_SIZE(vmdev_soft_stat_list); k++)
			ethtool_sprintf(&data, "%s%u_%s",
					vmdev_soft_stat_list[k].tx ? "rx" : "tx", i,
					vmdev_soft_stat_list[k].name);
}

static void vmdev_soft_get_stats(struct net_device *port, struct ethtool_stats *stats,
				 u64 *data)
{
	struct vmdev_soft_net *net = vmdev_soft_port_net(port);
	unsigned int k;
	u16 i;

	for (i = 0; i < net->npairs; i++) {
		for (k = 0; k < ARRAY_SIZE(vmdev_soft_stat_list); k++) {
			const struct vmdev_soft_stat *stat = &vmdev_soft_stat_list[k];
			const struct vmdev_soft_pair *pair = &net->pairs[i];
			const void *from = stat->tx ? &pair->tx : &pair->rx;

			*data++ = READ_ONCE(*(const u64 *)(from + stat->offset));
		}
	}
}

const struct ethtool_ops vmdev_soft_port_ethtool_ops = {
	.get_drvinfo		= vmdev_soft_get_drvinfo,
	.get_link		= ethtool_op_get_link,
	.get_link_ksettings	= vmdev_soft_get_link_ksettings,
	.get_channels		= vmdev_soft_get_channels,
	.get_sset_count		= vmdev_soft_get_sset_count,
	.get_strings		= vmdev_soft_get_strings,
	.get_ethtool_stats	= vmdev_soft_get_stats,
};
