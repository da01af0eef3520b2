/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Net devices: what the driver sends is what the port receives, and the reverse. The
 * port is an Ethernet device on the host like any other.
 *
 * A queue pair of the device is a queue pair of the port. What the driver sends is
 * taken in the NAPI of the pair; what it receives is put in its buffers where somebody
 * sends to the port. Nothing is ever under way: a buffer that was taken is given back,
 * or put back, before the lock of its queue is let go.
 *
 * Lock order: a transmit queue's lock, a receive queue's lock.
 */
#ifndef _VMDEV_SOFT_NET_H
#define _VMDEV_SOFT_NET_H

#include <linux/bitmap.h>
#include <linux/if_ether.h>
#include <linux/irq_work.h>
#include <linux/netdevice.h>
#include <linux/timer.h>
#include <linux/virtio_byteorder.h>
#include <linux/virtio_net.h>
#include <linux/workqueue.h>
#include <net/xdp.h>

#include "vmdev_soft.h"

/* Queue pairs, at most: as many as are asked for. */
#define VMDEV_SOFT_PAIRS_MAX	64
#define VMDEV_SOFT_MTU_MAX	(ETH_MAX_MTU - ETH_HLEN)
#define VMDEV_SOFT_HDR		sizeof(struct virtio_net_hdr_mrg_rxbuf)

/* The largest frame there is, of segmentation offloads. */
#define VMDEV_SOFT_FRAME	(ETH_HLEN + VLAN_HLEN + GSO_LEGACY_MAX_SIZE)

/* 6.12 knows them by these numbers, too. */
#define VMDEV_SOFT_GUEST_OFFLOADS (BIT_ULL(VIRTIO_NET_F_GUEST_CSUM) | \
				   BIT_ULL(VIRTIO_NET_F_GUEST_TSO4) | \
				   BIT_ULL(VIRTIO_NET_F_GUEST_TSO6) | \
				   BIT_ULL(VIRTIO_NET_F_GUEST_ECN) | \
				   BIT_ULL(VIRTIO_NET_F_GUEST_USO4) | \
				   BIT_ULL(VIRTIO_NET_F_GUEST_USO6))

struct vmdev_soft_net;

/**
 * struct vmdev_soft_stats - what went through a queue
 * @packets: frames
 * @bytes: their bytes
 * @drops: frames that did not
 * @filtered: receive: those that the driver does not want, not among @drops
 * @stops: receive: how often the port had to wait for buffers
 * @xdp: transmit: frames that a program on the port took
 *
 * Under the queue's lock, or in the pair's NAPI for what is counted there.
 */
struct vmdev_soft_stats {
	u64 packets;
	u64 bytes;
	u64 drops;
	u64 filtered;
	u64 stops;
	u64 xdp;
};

/**
 * struct vmdev_soft_pair - a queue pair
 * @net: its device
 * @index: its number
 * @napi: takes what the driver sends
 * @kicked: does what a kick wants, where interrupts are on
 * @patience: ends when buffers do not come
 * @waits: the port waits for buffers. Set under the receive queue's lock
 * @asks: the driver was asked for a kick; likewise
 * @drops: patience came to its end: the port waits no more, until there are buffers;
 *	under that lock
 * @since: when @waits was set, in jiffies; likewise
 * @rxq: XDP: what frames come from
 * @pool: memory for frames that the driver sends; NULL before it runs the device, and
 *	since it reset it. @napi is enabled as long as it is there
 * @rx: the driver's receive queue
 * @tx: its transmit queue
 */
struct vmdev_soft_pair {
	struct vmdev_soft_net *net;
	u16 index;
	struct napi_struct napi;
	struct irq_work kicked;
	struct timer_list patience;
	bool waits;
	bool asks;
	bool drops;
	unsigned long since;
	struct xdp_rxq_info rxq;
	struct page_pool *pool;
	struct vmdev_soft_stats rx;
	struct vmdev_soft_stats tx;
};

/**
 * struct vmdev_soft_filter - what the driver wants to receive
 * @rcu: to free it
 * @mac: the device's address
 * @promisc: all
 * @allmulti: all multicast
 * @alluni: all unicast
 * @nomulti: no multicast
 * @nouni: no unicast
 * @nobcast: no broadcast
 * @many_uni: the table of unicast addresses was too large: all
 * @many_multi: likewise of multicast
 * @by_vlan: only VLANs in @vlans
 * @vlans: VLANs
 * @nuni: unicast addresses in @macs, first of all
 * @nmacs: addresses in @macs
 * @macs: sorted in neither part
 *
 * Never changed: a new one takes its place.
 */
struct vmdev_soft_filter {
	struct rcu_head rcu;
	u8 mac[ETH_ALEN];
	bool promisc;
	bool allmulti;
	bool alluni;
	bool nomulti;
	bool nouni;
	bool nobcast;
	bool many_uni;
	bool many_multi;
	bool by_vlan;
	DECLARE_BITMAP(vlans, VLAN_N_VID);
	u16 nuni;
	u16 nmacs;
	u8 macs[][ETH_ALEN];
};

/**
 * struct vmdev_soft_net - a net device
 * @soft: what all devices have
 * @port: its counterpart on the host
 * @prog: XDP program of the port, or NULL; changes under RTNL
 * @filter: NULL for all; changes in control commands
 * @linger: takes the port's carrier away from a driver that does not come back
 * @announce: asks the driver to announce itself, when its link has come up
 * @mac: the device's address, which its driver may change in its configuration
 * @offloads: GUEST_* that the driver can take now
 * @npairs: queue pairs
 * @active: how many of them the driver uses
 * @pairs: the queue pairs
 */
struct vmdev_soft_net {
	struct vmdev_soft soft;
	struct net_device *port;
	struct bpf_prog __rcu *prog;
	struct vmdev_soft_filter __rcu *filter;
	struct delayed_work linger;
	struct delayed_work announce;
	u8 mac[ETH_ALEN];
	u64 offloads;
	u16 npairs;
	u16 active;
	struct vmdev_soft_pair pairs[] __counted_by(npairs);
};

/**
 * struct vmdev_soft_frame - a frame that the driver is to receive
 * @skb: the frame, or NULL
 * @data: without @skb: its bytes
 * @len: bytes
 */
struct vmdev_soft_frame {
	const struct sk_buff *skb;
	const void *data;
	u32 len;
};

static inline struct vmdev_soft_net *vmdev_soft_net(struct vmdev_soft *soft)
{
	return container_of(soft, struct vmdev_soft_net, soft);
}

/* Only modern drivers are served. */
static inline __virtio16 vmdev_soft_to_virtio16(u16 value)
{
	return __cpu_to_virtio16(true, value);
}

static inline u16 vmdev_soft_from_virtio16(__virtio16 value)
{
	return __virtio16_to_cpu(true, value);
}

static inline struct vmdev_soft_vq *vmdev_soft_rxq(const struct vmdev_soft_pair *pair)
{
	return &pair->net->soft.vqs[2 * pair->index];
}

static inline struct vmdev_soft_vq *vmdev_soft_txq(const struct vmdev_soft_pair *pair)
{
	return &pair->net->soft.vqs[2 * pair->index + 1];
}

/* net.c */
void vmdev_soft_net_link(struct vmdev_soft_net *net);
void vmdev_soft_net_announced(struct vmdev_soft_net *net);

/* net_tx.c */
int vmdev_soft_net_poll(struct napi_struct *napi, int budget);

/* net_rx.c */
bool vmdev_soft_net_wants(struct vmdev_soft_net *net, const struct sk_buff *skb);
int vmdev_soft_net_deliver(struct vmdev_soft_pair *pair,
			   const struct virtio_net_hdr *hdr,
			   const struct vmdev_soft_frame *frame);

/* net_xdp.c */
struct sk_buff *vmdev_soft_xdp_run(struct vmdev_soft_pair *pair,
				   struct bpf_prog *prog, struct page *page,
				   u32 len);
int vmdev_soft_xdp_bpf(struct net_device *port, struct netdev_bpf *bpf);
int vmdev_soft_xdp_xmit(struct net_device *port, int n, struct xdp_frame **frames,
			u32 flags);
u32 vmdev_soft_xdp_room(void);
int vmdev_soft_pool_get(struct vmdev_soft_pair *pair);
void vmdev_soft_pool_put(struct vmdev_soft_pair *pair);

/* net_ctrl.c */
void vmdev_soft_net_ctrl(struct vmdev_soft_net *net, struct vmdev_soft_vq *vq);
void vmdev_soft_net_ctrl_reset(struct vmdev_soft_net *net);

/* port.c */
struct vmdev_soft_net *vmdev_soft_port_net(const struct net_device *port);
int vmdev_soft_port_add(struct vmdev_soft_net *net, u16 mtu);
void vmdev_soft_port_del(struct vmdev_soft_net *net);
void vmdev_soft_port_wake(struct vmdev_soft_pair *pair);
void vmdev_soft_port_drop(struct vmdev_soft_pair *pair);

/* port_ethtool.c */
extern const struct ethtool_ops vmdev_soft_port_ethtool_ops;

#endif /* _VMDEV_SOFT_NET_H */
