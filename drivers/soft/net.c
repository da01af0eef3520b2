// SPDX-License-Identifier: GPL-2.0
/* Net devices: what they are, and kicks. */
#include <linux/cpumask.h>
#include <linux/etherdevice.h>
#include <linux/moduleparam.h>
#include <linux/slab.h>
#include <uapi/linux/vdpa.h>
#include <uapi/linux/virtio_ids.h>

#include "net.h"

static unsigned int linger_ms = 1000;
module_param(linger_ms, uint, 0644);
MODULE_PARM_DESC(linger_ms, "how long a port keeps its carrier when the driver resets the device (1000)");

/* Of what is not asked for. */
#define VMDEV_SOFT_MTU		ETH_DATA_LEN

/* Time for a driver to see that its link is up. */
#define VMDEV_SOFT_ANNOUNCE_DELAY	(HZ / 4)

#define VMDEV_SOFT_NET_FEATURES	(VMDEV_SOFT_TRANSPORT | \
				 VMDEV_SOFT_GUEST_OFFLOADS | \
				 BIT_ULL(VIRTIO_NET_F_MAC) | \
				 BIT_ULL(VIRTIO_NET_F_STATUS) | \
				 BIT_ULL(VIRTIO_NET_F_MTU) | \
				 BIT_ULL(VIRTIO_NET_F_MRG_RXBUF) | \
				 BIT_ULL(VIRTIO_NET_F_CSUM) | \
				 BIT_ULL(VIRTIO_NET_F_HOST_TSO4) | \
				 BIT_ULL(VIRTIO_NET_F_HOST_TSO6) | \
				 BIT_ULL(VIRTIO_NET_F_HOST_ECN) | \
				 BIT_ULL(VIRTIO_NET_F_HOST_USO) | \
				 BIT_ULL(VIRTIO_NET_F_CTRL_VQ) | \
				 BIT_ULL(VIRTIO_NET_F_CTRL_RX) | \
				 BIT_ULL(VIRTIO_NET_F_CTRL_RX_EXTRA) | \
				 BIT_ULL(VIRTIO_NET_F_CTRL_VLAN) | \
				 BIT_ULL(VIRTIO_NET_F_CTRL_MAC_ADDR) | \
				 BIT_ULL(VIRTIO_NET_F_CTRL_GUEST_OFFLOADS) | \
				 BIT_ULL(VIRTIO_NET_F_GUEST_ANNOUNCE) | \
				 BIT_ULL(VIRTIO_NET_F_MQ))

/**
 * vmdev_soft_net_link() - the port went up or down: the driver's link does
 * @net: the device
 *
 * Context: any.
 */
void vmdev_soft_net_link(struct vmdev_soft_net *net)
{
	u16 status = netif_running(net->port) ? VIRTIO_NET_S_LINK_UP : 0;
	struct virtio_net_config *config = net->soft.config;
	unsigned long flags;

	if ((vmdev_soft_from_virtio16(READ_ONCE(config->status)) &
	     VIRTIO_NET_S_LINK_UP) == status)
		return;
	spin_lock_irqsave(&net->soft.event_lock, flags);
	WRITE_ONCE(config->status, vmdev_soft_to_virtio16(status));
	spin_unlock_irqrestore(&net->soft.event_lock, flags);
	vmdev_soft_event(&net->soft);
	if (status)
		mod_delayed_work(system_percpu_wq, &net->announce,
				 VMDEV_SOFT_ANNOUNCE_DELAY);
}

/*
 * Whoever is behind the port now learns where the driver is. Not at once with the link:
 * Linux announces itself before it looks whether that is up, and what it sends is lost.
 */
static void vmdev_soft_net_announce(struct work_struct *work)
{
	struct vmdev_soft_net *net = container_of(to_delayed_work(work),
						  struct vmdev_soft_net, announce);
	struct virtio_net_config *config = net->soft.config;
	u16 status;

	if (!vmdev_soft_has(&net->soft, VIRTIO_NET_F_GUEST_ANNOUNCE))
		return;
	spin_lock_irq(&net->soft.event_lock);
	status = vmdev_soft_from_virtio16(config->status);
	if (status & VIRTIO_NET_S_LINK_UP)
		WRITE_ONCE(config->status,
			   vmdev_soft_to_virtio16(status | VIRTIO_NET_S_ANNOUNCE));
	spin_unlock_irq(&net->soft.event_lock);
	if (status & VIRTIO_NET_S_LINK_UP)
		vmdev_soft_event(&net->soft);
}

/**
 * vmdev_soft_net_announced() - the driver need not announce itself any more
 * @net: the device
 *
 * Context: any.
 */
void vmdev_soft_net_announced(struct vmdev_soft_net *net)
{
	struct virtio_net_config *config = net->soft.config;
	unsigned long flags;
	u16 status;

	spin_lock_irqsave(&net->soft.event_lock, flags);
	status = vmdev_soft_from_virtio16(config->status);
	WRITE_ONCE(config->status,
		   vmdev_soft_to_virtio16(status & ~VIRTIO_NET_S_ANNOUNCE));
	spin_unlock_irqrestore(&net->soft.event_lock, flags);
}

static u16 vmdev_soft_net_cvq(const struct vmdev_soft_net *net)
{
	return vmdev_soft_has(&net->soft, VIRTIO_NET_F_MQ) ? 2 * net->npairs : 2;
}

/* A kick for a pair, with interrupts on, or in a handler of one. */
static void vmdev_soft_net_kicked(struct vmdev_soft_pair *pair)
{
	napi_schedule(&pair->napi);
	/* After what the driver added: whoever is to wait looks once more. */
	smp_mb();
	if (READ_ONCE(pair->waits))
		vmdev_soft_port_wake(pair);
}

static void vmdev_soft_net_irq_work(struct irq_work *work)
{
	/* PREEMPT_RT has a thread for it. */
	if (IS_ENABLED(CONFIG_PREEMPT_RT))
		local_bh_disable();
	vmdev_soft_net_kicked(container_of(work, struct vmdev_soft_pair, kicked));
	if (IS_ENABLED(CONFIG_PREEMPT_RT))
		local_bh_enable();
}

static void vmdev_soft_net_kick(struct vmdev_soft_vq *vq)
{
	struct vmdev_soft_net *net = vmdev_soft_net(vq->soft);
	struct vmdev_soft_pair *pair;

	if (vmdev_soft_has(&net->soft, VIRTIO_NET_F_CTRL_VQ) &&
	    vq->index == vmdev_soft_net_cvq(net)) {
		vmdev_soft_net_ctrl(net, vq);
		return;
	}
	if (vq->index >= 2 * net->npairs)
		return;

	pair = &net->pairs[vq->index / 2];
	if (!(vq->index & 1)) {
		/* As in vmdev_soft_net_kicked(). */
		smp_mb();
		if (!READ_ONCE(pair->waits))
			return;
	}
	vmdev_soft_raise(&pair->kicked);
}

/* Of what a driver set by commands nothing is left. */
static void vmdev_soft_net_forget(struct vmdev_soft_net *net)
{
	struct virtio_net_config *config = net->soft.config;

	memcpy(config->mac, net->mac, ETH_ALEN);
	vmdev_soft_net_announced(net);
	WRITE_ONCE(net->active, 1);
	vmdev_soft_net_ctrl_reset(net);
}

static void vmdev_soft_net_negotiated(struct vmdev_soft *soft)
{
	struct vmdev_soft_net *net = vmdev_soft_net(soft);

	WRITE_ONCE(net->offloads, soft->features & VMDEV_SOFT_GUEST_OFFLOADS);
	vmdev_soft_net_forget(net);
}

static int vmdev_soft_net_live(struct vmdev_soft *soft)
{
	struct vmdev_soft_net *net = vmdev_soft_net(soft);
	int err = 0;
	u16 i;

	for (i = 0; i < net->npairs && !err; i++) {
		/* One that was only stopped has all. */
		if (net->pairs[i].pool)
			continue;
		err = vmdev_soft_pool_get(&net->pairs[i]);
		if (err)
			vmdev_soft_pool_put(&net->pairs[i]);
		else
			napi_enable(&net->pairs[i].napi);
	}
	if (err)
		return err;
	cancel_delayed_work_sync(&net->linger);
	netif_carrier_on(net->port);
	return 0;
}

/* A driver that restarts is back soon: what the port is connected to need not know. */
static void vmdev_soft_net_reset(struct vmdev_soft *soft)
{
	struct vmdev_soft_net *net = vmdev_soft_net(soft);
	u16 i;

	for (i = 0; i < net->npairs; i++) {
		struct vmdev_soft_pair *pair = &net->pairs[i];

		vmdev_soft_port_drop(pair);
		if (!pair->pool)
			continue;
		napi_disable(&pair->napi);
		vmdev_soft_pool_put(pair);
	}
	vmdev_soft_net_forget(net);
	schedule_delayed_work(&net->linger, msecs_to_jiffies(READ_ONCE(linger_ms)));
}

static void vmdev_soft_net_lingered(struct work_struct *work)
{
	struct vmdev_soft_net *net = container_of(to_delayed_work(work),
						  struct vmdev_soft_net, linger);

	netif_carrier_off(net->port);
}

/*
 * All transmit queues, and all receive queues, are locked alike, but one of these is
 * locked with one of those held, see net.h.
 */
static struct lock_class_key vmdev_soft_net_tx_key;

static void vmdev_soft_net_init_pair(struct vmdev_soft_net *net, u16 i)
{
	struct vmdev_soft_pair *pair = &net->pairs[i];

	pair->net = net;
	pair->index = i;
	init_irq_work(&pair->kicked, vmdev_soft_net_irq_work);
	lockdep_set_class(&vmdev_soft_txq(pair)->lock, &vmdev_soft_net_tx_key);
}

static void vmdev_soft_net_config(struct vmdev_soft_net *net, u16 mtu)
{
	struct virtio_net_config *config = net->soft.config;

	eth_random_addr(net->mac);
	memcpy(config->mac, net->mac, ETH_ALEN);
	config->max_virtqueue_pairs = vmdev_soft_to_virtio16(net->npairs);
	config->mtu = vmdev_soft_to_virtio16(mtu);
}

/* As many as there are CPUs, if nobody says how many. */
static u16 vmdev_soft_net_pairs(const struct vdpa_dev_set_config *config)
{
	u32 n = num_online_cpus();

	if (config->mask & BIT_ULL(VDPA_ATTR_DEV_NET_CFG_MAX_VQP))
		n = config->net.max_vq_pairs;
	return clamp_t(u32, n, 1, VMDEV_SOFT_PAIRS_MAX);
}

static u16 vmdev_soft_net_mtu(const struct vdpa_dev_set_config *config)
{
	if (!(config->mask & BIT_ULL(VDPA_ATTR_DEV_NET_CFG_MTU)))
		return VMDEV_SOFT_MTU;
	/* What cannot be the core refuses. */
	return clamp_t(u16, config->net.mtu, ETH_MIN_MTU, VMDEV_SOFT_MTU_MAX);
}

static struct vmdev_soft *vmdev_soft_net_create(const struct vmdev_soft_type *type,
						struct device *dev, const char *name,
						const struct vdpa_dev_set_config *config)
{
	u16 npairs = vmdev_soft_net_pairs(config), mtu = vmdev_soft_net_mtu(config);
	struct vmdev_soft_net *net;
	int err;
	u16 i;

	net = kvzalloc(struct_size(net, pairs, npairs), GFP_KERNEL);
	if (!net)
		return ERR_PTR(-ENOMEM);
	net->npairs = npairs;
	net->active = 1;
	INIT_DELAYED_WORK(&net->linger, vmdev_soft_net_lingered);
	INIT_DELAYED_WORK(&net->announce, vmdev_soft_net_announce);
	err = vmdev_soft_init(&net->soft, type, dev, name, 2 * npairs + 1);
	if (err)
		goto err_free;
	for (i = 0; i < npairs; i++)
		vmdev_soft_net_init_pair(net, i);
	vmdev_soft_net_config(net, mtu);
	err = vmdev_soft_port_add(net, mtu);
	if (err)
		goto err_exit;
	return &net->soft;

err_exit:
	vmdev_soft_exit(&net->soft);
err_free:
	kvfree(net);
	return ERR_PTR(err);
}

static void vmdev_soft_net_destroy(struct vmdev_soft *soft)
{
	struct vmdev_soft_net *net = vmdev_soft_net(soft);
	u16 i;

	for (i = 0; i < net->npairs; i++)
		irq_work_sync(&net->pairs[i].kicked);
	cancel_delayed_work_sync(&net->linger);
	vmdev_soft_port_del(net);
	cancel_delayed_work_sync(&net->announce);
	vmdev_soft_net_ctrl_reset(net);
	vmdev_soft_exit(soft);
	kvfree(net);
}

const struct vmdev_soft_type vmdev_soft_net_type = {
	.name = "net",
	.mgmtdev = "vmdev_soft",
	.caps = {
		.device_id = VIRTIO_ID_NET,
		.features = VMDEV_SOFT_NET_FEATURES,
		.caps = VMDEV_SOFT_CAPS,
		.nvqs = 2 * VMDEV_SOFT_PAIRS_MAX + 1,
		.config_size = sizeof(struct virtio_net_config),
		.vq_size_min = 2,
		.vq_align = 16,
	},
	.create = vmdev_soft_net_create,
	.destroy = vmdev_soft_net_destroy,
	.negotiated = vmdev_soft_net_negotiated,
	.live = vmdev_soft_net_live,
	.reset = vmdev_soft_net_reset,
	.kick = vmdev_soft_net_kick,
};
