// SPDX-License-Identifier: GPL-2.0
/*
 * The port of a net device: its counterpart on the host, an Ethernet device like any
 * other. What the driver sends comes in here, what is sent here goes to the driver.
 */
#include <linux/etherdevice.h>
#include <uapi/linux/virtio_net.h>

#include "vmdev_soft.h"

/**
 * struct vmdev_soft_port - private part of the netdev
 * @soft: the device
 * @name: of the vDPA device
 */
struct vmdev_soft_port {
	struct vmdev_soft *soft;
	const char *name;
};

static struct vmdev_soft *vmdev_soft_of(const struct net_device *port)
{
	return ((struct vmdev_soft_port *)netdev_priv(port))->soft;
}

static int vmdev_soft_port_open(struct net_device *port)
{
	netif_start_queue(port);
	return 0;
}

static int vmdev_soft_port_stop(struct net_device *port)
{
	netif_stop_queue(port);
	return 0;
}

static netdev_tx_t vmdev_soft_port_xmit(struct sk_buff *skb, struct net_device *port)
{
	struct vmdev_soft *soft = vmdev_soft_of(port);
	struct vmdev_soft_vq *vq = &soft->vqs[VMDEV_SOFT_RX];
	const char *why = NULL;
	int err = -ENETDOWN;

	spin_lock(&vq->lock);
	if (vq->on) {
		err = vmdev_soft_deliver(vq, skb);
		why = err == -EBADMSG ? vq->ring.why : NULL;
	}
	spin_unlock(&vq->lock);

	if (err == -ENOBUFS)
		return NETDEV_TX_BUSY;
	if (why && !(soft->status & VIRTIO_CONFIG_S_NEEDS_RESET))
		vmdev_soft_break(soft, why);
	if (err)
		dev_core_stats_tx_dropped_inc(port);
	else
		dev_sw_netstats_tx_add(port, 1, skb->len);
	dev_consume_skb_any(skb);
	return NETDEV_TX_OK;
}

/* What the driver cannot take is done before. */
static netdev_features_t vmdev_soft_port_features(struct sk_buff *skb,
						  struct net_device *port,
						  netdev_features_t features)
{
	const struct vmdev_soft *soft = vmdev_soft_of(port);

	if (!vmdev_soft_has(soft, VIRTIO_NET_F_GUEST_CSUM))
		features &= ~(NETIF_F_CSUM_MASK | NETIF_F_GSO_MASK);
	if (!vmdev_soft_has(soft, VIRTIO_NET_F_GUEST_TSO4))
		features &= ~NETIF_F_TSO;
	if (!vmdev_soft_has(soft, VIRTIO_NET_F_GUEST_TSO6))
		features &= ~NETIF_F_TSO6;
	return features;
}

static int vmdev_soft_port_name(struct net_device *port, char *name, size_t len)
{
	const struct vmdev_soft_port *priv = netdev_priv(port);

	return snprintf(name, len, "%s", priv->name) >= len ? -EINVAL : 0;
}

static const struct net_device_ops vmdev_soft_port_ops = {
	.ndo_open		= vmdev_soft_port_open,
	.ndo_stop		= vmdev_soft_port_stop,
	.ndo_start_xmit		= vmdev_soft_port_xmit,
	.ndo_features_check	= vmdev_soft_port_features,
	.ndo_get_phys_port_name	= vmdev_soft_port_name,
	.ndo_set_mac_address	= eth_mac_addr,
	.ndo_validate_addr	= eth_validate_addr,
};

/**
 * vmdev_soft_port_add() - give a device its port
 * @soft: the device
 * @name: of the vDPA device
 *
 * Context: may sleep.
 * Return: 0 or a negative errno.
 */
int vmdev_soft_port_add(struct vmdev_soft *soft, const char *name)
{
	struct vmdev_soft_port *priv;
	struct net_device *port;
	int err;

	port = alloc_etherdev(sizeof(*priv));
	if (!port)
		return -ENOMEM;
	priv = netdev_priv(port);
	priv->soft = soft;
	priv->name = kstrdup(name, GFP_KERNEL);
	if (!priv->name) {
		err = -ENOMEM;
		goto err_free;
	}
	soft->port = port;

	SET_NETDEV_DEV(port, soft->hw.dev);
	port->netdev_ops = &vmdev_soft_port_ops;
	port->pcpu_stat_type = NETDEV_PCPU_STAT_TSTATS;
	port->hw_features = NETIF_F_SG | NETIF_F_HW_CSUM | NETIF_F_TSO | NETIF_F_TSO6 |
			    NETIF_F_HIGHDMA | NETIF_F_FRAGLIST;
	port->features = port->hw_features;
	/* What the driver is told: a bridge drops what is longer than its ports. */
	port->mtu = VMDEV_SOFT_MTU;
	port->max_mtu = VMDEV_SOFT_MTU;
	eth_hw_addr_random(port);
	netif_carrier_off(port);
	netif_napi_add(port, &soft->napi, vmdev_soft_poll);
	napi_enable(&soft->napi);
	err = register_netdev(port);
	if (err)
		goto err_napi;
	return 0;

err_napi:
	napi_disable(&soft->napi);
	netif_napi_del(&soft->napi);
	kfree(priv->name);
err_free:
	free_netdev(port);
	return err;
}

/**
 * vmdev_soft_port_del() - the reverse of vmdev_soft_port_add()
 * @soft: the device, stopped
 *
 * Context: may sleep.
 */
void vmdev_soft_port_del(struct vmdev_soft *soft)
{
	struct vmdev_soft_port *priv = netdev_priv(soft->port);

	unregister_netdev(soft->port);
	napi_disable(&soft->napi);
	netif_napi_del(&soft->napi);
	kfree(priv->name);
	free_netdev(soft->port);
}
