// SPDX-License-Identifier: GPL-2.0
/*
 * The port of a net device: its counterpart on the host, an Ethernet device like any
 * other.
 */
#include <linux/bpf.h>
#include <linux/etherdevice.h>
#include <net/netdev_queues.h>

#include "net.h"

/*
 * How long the port waits for buffers. A driver that gives none must not keep what
 * others send.
 */
#define VMDEV_SOFT_PATIENCE	HZ

/**
 * struct vmdev_soft_port - private part of the netdev
 * @net: the device
 */
struct vmdev_soft_port {
	struct vmdev_soft_net *net;
};

/**
 * vmdev_soft_port_net() - the device that a port belongs to
 * @port: the port
 */
struct vmdev_soft_net *vmdev_soft_port_net(const struct net_device *port)
{
	return ((struct vmdev_soft_port *)netdev_priv(port))->net;
}

static int vmdev_soft_port_open(struct net_device *port)
{
	netif_tx_start_all_queues(port);
	vmdev_soft_net_link(vmdev_soft_port_net(port));
	return 0;
}

static int vmdev_soft_port_stop(struct net_device *port)
{
	netif_tx_disable(port);
	vmdev_soft_net_link(vmdev_soft_port_net(port));
	return 0;
}

/**
 * vmdev_soft_port_wake() - there may be buffers: whatever waits for a pair goes on
 * @pair: the pair
 *
 * Context: any but with interrupts off in a process.
 */
void vmdev_soft_port_wake(struct vmdev_soft_pair *pair)
{
	struct net_device *port = pair->net->port;
	unsigned int i;

	WRITE_ONCE(pair->waits, false);
	/* With that of vmdev_soft_port_busy(). */
	smp_mb();
	/* Frames in queues of pairs that the driver no longer uses wait for others. */
	for (i = 0; i < port->num_tx_queues; i++)
		if (netif_running(port))
			netif_wake_subqueue(port, i);
}

/**
 * vmdev_soft_port_drop() - nobody waits for buffers, until there is one
 * @pair: the pair
 *
 * Context: softirq or process; no lock of a queue held.
 */
void vmdev_soft_port_drop(struct vmdev_soft_pair *pair)
{
	spin_lock_bh(&vmdev_soft_rxq(pair)->lock);
	pair->drops = true;
	spin_unlock_bh(&vmdev_soft_rxq(pair)->lock);
	local_bh_disable();
	vmdev_soft_port_wake(pair);
	local_bh_enable();
}

/* Those who wait now may have begun long after the timer did. */
static void vmdev_soft_port_impatient(struct timer_list *timer)
{
	struct vmdev_soft_pair *pair = container_of(timer, struct vmdev_soft_pair,
						    patience);
	unsigned long end = READ_ONCE(pair->since) + VMDEV_SOFT_PATIENCE;

	if (!READ_ONCE(pair->waits))
		return;
	if (time_before(jiffies, end))
		mod_timer(timer, end);
	else
		vmdev_soft_port_drop(pair);
}

/* Can the driver take a frame that is not cut yet? */
static bool vmdev_soft_port_gso_ok(u64 offloads, u8 type)
{
	u64 needs = 0;

	switch (type & ~VIRTIO_NET_HDR_GSO_ECN) {
	case VIRTIO_NET_HDR_GSO_TCPV4:
		needs = BIT_ULL(VIRTIO_NET_F_GUEST_TSO4);
		break;
	case VIRTIO_NET_HDR_GSO_TCPV6:
		needs = BIT_ULL(VIRTIO_NET_F_GUEST_TSO6);
		break;
	case VIRTIO_NET_HDR_GSO_UDP_L4:
		needs = BIT_ULL(VIRTIO_NET_F_GUEST_USO4) |
			BIT_ULL(VIRTIO_NET_F_GUEST_USO6);
		break;
	}
	if (type & VIRTIO_NET_HDR_GSO_ECN)
		needs |= BIT_ULL(VIRTIO_NET_F_GUEST_ECN);
	return (offloads & needs) == needs;
}

/* What the driver has to be told of what is not done yet. */
static int vmdev_soft_port_header(struct vmdev_soft_net *net, struct sk_buff *skb,
				  struct virtio_net_hdr *hdr)
{
	bool csum = READ_ONCE(net->offloads) & BIT_ULL(VIRTIO_NET_F_GUEST_CSUM);

	/*
	 * The driver may have changed its mind since features were checked, and not all
	 * who send have them checked.
	 */
	if (!csum && skb->ip_summed == CHECKSUM_PARTIAL) {
		if (skb_is_gso(skb) || skb_checksum_help(skb))
			return -EINVAL;
	}
	if (virtio_net_hdr_from_skb(skb, hdr, true, csum, 0) ||
	    !vmdev_soft_port_gso_ok(READ_ONCE(net->offloads), hdr->gso_type))
		return -EINVAL;
	return 0;
}

/* Under the receive queue's lock. */
static int vmdev_soft_port_put(struct vmdev_soft_pair *pair, struct sk_buff *skb)
{
	const struct vmdev_soft_frame frame = { .skb = skb, .len = skb->len };
	struct virtio_net_hdr hdr;

	if (!vmdev_soft_net_wants(pair->net, skb)) {
		pair->rx.filtered++;
		return 0;
	}
	return vmdev_soft_port_header(pair->net, skb, &hdr) ? :
	       vmdev_soft_net_deliver(pair, &hdr, &frame);
}

/* 0 if that is all of it, else why not. */
static int vmdev_soft_port_deliver(struct vmdev_soft_pair *pair, struct sk_buff *skb)
{
	struct vmdev_soft_vq *vq = vmdev_soft_rxq(pair);
	const char *why;
	int err;

	spin_lock(&vq->lock);
	err = vmdev_soft_port_put(pair, skb);
	if (err == -ENOBUFS && pair->drops)
		err = -ENOSPC;
	if (err && err != -ENOBUFS)
		pair->rx.drops++;
	if (vq->on && (err || !netdev_xmit_more()))
		vmdev_soft_vq_publish(vq);
	why = vq->on ? vq->ring.why : NULL;
	spin_unlock(&vq->lock);
	if (unlikely(why))
		vmdev_soft_break(&pair->net->soft, vq->index, why);
	return err;
}

/*
 * The queue stops, until a kick. One that came before it stopped found nothing to wake,
 * but has set @waits to false.
 */
static netdev_tx_t vmdev_soft_port_busy(struct vmdev_soft_pair *pair,
					struct sk_buff *skb)
{
	u16 i = skb_get_queue_mapping(skb);

	netif_stop_subqueue(pair->net->port, i);
	/* Whoever wakes sets @waits to false before it looks what stands. */
	smp_mb();
	if (!READ_ONCE(pair->waits))
		netif_wake_subqueue(pair->net->port, i);
	else if (!timer_pending(&pair->patience))
		mod_timer(&pair->patience, jiffies + VMDEV_SOFT_PATIENCE);
	return NETDEV_TX_BUSY;
}

static netdev_tx_t vmdev_soft_port_xmit(struct sk_buff *skb, struct net_device *port)
{
	struct vmdev_soft_net *net = vmdev_soft_port_net(port);
	u16 i = skb_get_queue_mapping(skb) % READ_ONCE(net->active);
	struct vmdev_soft_pair *pair = &net->pairs[i];
	int err = vmdev_soft_port_deliver(pair, skb);

	if (err == -ENOBUFS)
		return vmdev_soft_port_busy(pair, skb);
	if (err)
		dev_kfree_skb_any(skb);
	else
		dev_consume_skb_any(skb);
	return NETDEV_TX_OK;
}

/* No queue of a pair that the driver does not use. */
static u16 vmdev_soft_port_select(struct net_device *port, struct sk_buff *skb,
				  struct net_device *sb_dev)
{
	return netdev_pick_tx(port, skb, sb_dev) %
	       READ_ONCE(vmdev_soft_port_net(port)->active);
}

/* What the driver cannot take is done before. */
static netdev_features_t vmdev_soft_port_features(struct sk_buff *skb,
						  struct net_device *port,
						  netdev_features_t features)
{
	u64 offloads = READ_ONCE(vmdev_soft_port_net(port)->offloads);

	if (!(offloads & BIT_ULL(VIRTIO_NET_F_GUEST_CSUM)))
		features &= ~(NETIF_F_CSUM_MASK | NETIF_F_GSO_MASK);
	if (!(offloads & BIT_ULL(VIRTIO_NET_F_GUEST_TSO4)))
		features &= ~NETIF_F_TSO;
	if (!(offloads & BIT_ULL(VIRTIO_NET_F_GUEST_TSO6)))
		features &= ~NETIF_F_TSO6;
	if (!(offloads & BIT_ULL(VIRTIO_NET_F_GUEST_ECN)))
		features &= ~NETIF_F_TSO_ECN;
	/* One bit of the port's for both. */
	if (!(offloads & BIT_ULL(VIRTIO_NET_F_GUEST_USO4)) ||
	    !(offloads & BIT_ULL(VIRTIO_NET_F_GUEST_USO6)))
		features &= ~NETIF_F_GSO_UDP_L4;
	return vlan_features_check(skb, features);
}

static void vmdev_soft_port_stats(struct net_device *port,
				  struct rtnl_link_stats64 *stats)
{
	struct vmdev_soft_net *net = vmdev_soft_port_net(port);
	u16 i;

	for (i = 0; i < net->npairs; i++) {
		const struct vmdev_soft_pair *pair = &net->pairs[i];

		stats->rx_packets += READ_ONCE(pair->tx.packets);
		stats->rx_bytes += READ_ONCE(pair->tx.bytes);
		stats->rx_dropped += READ_ONCE(pair->tx.drops);
		stats->tx_packets += READ_ONCE(pair->rx.packets);
		stats->tx_bytes += READ_ONCE(pair->rx.bytes);
		stats->tx_dropped += READ_ONCE(pair->rx.drops);
	}
}

static int vmdev_soft_port_name(struct net_device *port, char *name, size_t len)
{
	const char *dev = vmdev_soft_port_net(port)->soft.name;

	/* One that is too long has none: any other error would break "ip link". */
	return strscpy(name, dev, len) < 0 ? -EOPNOTSUPP : 0;
}

static const struct net_device_ops vmdev_soft_port_ops = {
	.ndo_open		= vmdev_soft_port_open,
	.ndo_stop		= vmdev_soft_port_stop,
	.ndo_start_xmit		= vmdev_soft_port_xmit,
	.ndo_select_queue	= vmdev_soft_port_select,
	.ndo_features_check	= vmdev_soft_port_features,
	.ndo_get_stats64	= vmdev_soft_port_stats,
	.ndo_get_phys_port_name	= vmdev_soft_port_name,
	.ndo_set_mac_address	= eth_mac_addr,
	.ndo_validate_addr	= eth_validate_addr,
	.ndo_bpf		= vmdev_soft_xdp_bpf,
	.ndo_xdp_xmit		= vmdev_soft_xdp_xmit,
};

static void vmdev_soft_port_napi_add(struct vmdev_soft_net *net)
{
	u16 i;

	for (i = 0; i < net->npairs; i++) {
		struct vmdev_soft_pair *pair = &net->pairs[i];

		timer_setup(&pair->patience, vmdev_soft_port_impatient, 0);
		netif_napi_add(net->port, &pair->napi, vmdev_soft_net_poll);
	}
}

static void vmdev_soft_port_napi_del(struct vmdev_soft_net *net)
{
	u16 i;

	for (i = 0; i < net->npairs; i++) {
		struct vmdev_soft_pair *pair = &net->pairs[i];

		timer_shutdown_sync(&pair->patience);
		__netif_napi_del(&pair->napi);
	}
	synchronize_net();
}

static void vmdev_soft_port_setup(struct net_device *port, u16 mtu)
{
	port->netdev_ops = &vmdev_soft_port_ops;
	port->ethtool_ops = &vmdev_soft_port_ethtool_ops;
	port->hw_features = NETIF_F_SG | NETIF_F_FRAGLIST | NETIF_F_HW_CSUM |
			    NETIF_F_TSO | NETIF_F_TSO6 | NETIF_F_TSO_ECN |
			    NETIF_F_GSO_UDP_L4 | NETIF_F_HIGHDMA;
	port->features = port->hw_features;
	port->vlan_features = port->features;
	xdp_set_features_flag(port, NETDEV_XDP_ACT_BASIC | NETDEV_XDP_ACT_REDIRECT |
				    NETDEV_XDP_ACT_NDO_XMIT);
	/* What the driver is told: a bridge drops what is longer than its ports. */
	port->max_mtu = VMDEV_SOFT_MTU_MAX;
	/* With interrupts off nothing can be delivered. */
	port->priv_flags |= IFF_DISABLE_NETPOLL;
	port->mtu = mtu;
	eth_hw_addr_random(port);
	netif_carrier_off(port);
}

/**
 * vmdev_soft_port_add() - give a device its port
 * @net: the device
 * @mtu: its MTU
 *
 * Context: may sleep; takes RTNL.
 * Return: 0 or a negative errno.
 */
int vmdev_soft_port_add(struct vmdev_soft_net *net, u16 mtu)
{
	struct net_device *port;
	int err;

	port = alloc_etherdev_mq(sizeof(struct vmdev_soft_port), net->npairs);
	if (!port)
		return -ENOMEM;
	((struct vmdev_soft_port *)netdev_priv(port))->net = net;
	net->port = port;
	SET_NETDEV_DEV(port, net->soft.hw.dev);
	vmdev_soft_port_setup(port, mtu);
	vmdev_soft_port_napi_add(net);
	err = register_netdev(port);
	if (err) {
		vmdev_soft_port_napi_del(net);
		free_netdev(port);
		return err;
	}
	/* Without memory it has none, as many a port. */
	if (strlen(net->soft.name) >= IFNAMSIZ)
		dev_set_alias(port, net->soft.name, strlen(net->soft.name));
	return 0;
}

/**
 * vmdev_soft_port_del() - the reverse of vmdev_soft_port_add()
 * @net: the device, stopped
 *
 * Context: may sleep; takes RTNL.
 */
void vmdev_soft_port_del(struct vmdev_soft_net *net)
{
	/* Programs and what they use go with it. */
	unregister_netdev(net->port);
	vmdev_soft_port_napi_del(net);
	free_netdev(net->port);
}
