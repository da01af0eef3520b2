// SPDX-License-Identifier: GPL-2.0
/* The control queue of net functions, and the receive filter that it sets. */
#define _GNU_SOURCE
#include <string.h>

#include "model.h"

#define CTRL_MAX	(sizeof(struct virtio_net_ctrl_hdr) + 8 + NET_MACS_MAX * 16)

#define ETH_P_8021Q	0x8100

/* A command: what came, and how much of it. */
struct ctrl {
	const __u8 *data;
	__u32 len;
};

static bool ctrl_rx_on(const struct net *net, unsigned int command)
{
	return net->rx & 1U << command;
}

static bool ctrl_rx(struct net *net, __u8 command, struct ctrl c)
{
	if (command > VIRTIO_NET_CTRL_RX_NOBCAST || c.len < 1)
		return false;
	net->rx &= ~(1U << command);
	if (c.data[0])
		net->rx |= 1U << command;
	return true;
}

/* One of the two tables of MAC_TABLE_SET; what is beyond our room is "all". */
static bool ctrl_mac_table(struct net *net, struct ctrl *c, bool *all)
{
	__u32 n, i;

	*all = false;
	if (c->len < sizeof(n))
		return false;
	memcpy(&n, c->data, sizeof(n));
	c->data += sizeof(n);
	c->len -= sizeof(n);
	if (n > c->len / 6) {
		/* More than the buffer of commands takes: all of them. */
		*all = true;
		c->len = 0;
		return true;
	}
	for (i = 0; i < n; i++, c->data += 6, c->len -= 6) {
		if (net->nmacs == NET_MACS_MAX)
			*all = true;
		else
			memcpy(net->macs[net->nmacs++], c->data, 6);
	}
	return true;
}

static bool ctrl_mac(struct fpga *f, __u8 command, struct ctrl c)
{
	struct net *net = &f->net;

	switch (command) {
	case VIRTIO_NET_CTRL_MAC_TABLE_SET:
		net->nmacs = 0;
		net->all_multicast = false;
		if (!ctrl_mac_table(net, &c, &net->all_unicast))
			return false;
		/* A table that was cut off hides the next one. */
		if (net->all_unicast && !c.len) {
			net->all_multicast = true;
			return true;
		}
		return ctrl_mac_table(net, &c, &net->all_multicast);
	case VIRTIO_NET_CTRL_MAC_ADDR_SET:
		if (c.len < 6)
			return false;
		memcpy(f->v->config, c.data, 6);
		f->v->generation++;
		return true;
	default:
		return false;
	}
}

static bool ctrl_vlan(struct net *net, __u8 command, struct ctrl c)
{
	__u16 vid;

	if (c.len < sizeof(vid))
		return false;
	memcpy(&vid, c.data, sizeof(vid));
	if (vid >= NET_VLANS)
		return false;
	switch (command) {
	case VIRTIO_NET_CTRL_VLAN_ADD:
		net->vlans[vid / 8] |= 1 << vid % 8;
		return true;
	case VIRTIO_NET_CTRL_VLAN_DEL:
		net->vlans[vid / 8] &= ~(1 << vid % 8);
		return true;
	default:
		return false;
	}
}

static bool ctrl_mq(struct net *net, __u8 command, struct ctrl c)
{
	__u16 pairs;

	if (command != VIRTIO_NET_CTRL_MQ_VQ_PAIRS_SET || c.len < sizeof(pairs))
		return false;
	memcpy(&pairs, c.data, sizeof(pairs));
	if (!pairs || pairs > net->pairs)
		return false;
	net->active = pairs;
	return true;
}

static bool ctrl_command(struct fpga *f, const __u8 *buf, __u32 len)
{
	const struct virtio_net_ctrl_hdr *hdr = (const void *)buf;
	struct ctrl c = { buf + sizeof(*hdr), len - sizeof(*hdr) };

	if (len < sizeof(*hdr))
		return false;
	switch (hdr->class) {
	case VIRTIO_NET_CTRL_RX:
		return ctrl_rx(&f->net, hdr->cmd, c);
	case VIRTIO_NET_CTRL_MAC:
		return ctrl_mac(f, hdr->cmd, c);
	case VIRTIO_NET_CTRL_VLAN:
		return ctrl_vlan(&f->net, hdr->cmd, c);
	case VIRTIO_NET_CTRL_MQ:
		return ctrl_mq(&f->net, hdr->cmd, c);
	default:
		return false;
	}
}

/**
 * ctrl_serve() - commands may have come
 * @f: the function
 * @vq: the control queue
 */
void ctrl_serve(struct fpga *f, unsigned int vq)
{
	static struct vio_chain chain;
	static __u8 buf[CTRL_MAX];
	unsigned int n = 0;

	while (vio_pop(f->v, vq, &chain) > 0) {
		int len = vio_chain_read(f->v, &chain, buf, sizeof(buf));
		__u8 ack = VIRTIO_NET_ERR;

		if (len >= 0 && ctrl_command(f, buf, len))
			ack = VIRTIO_NET_OK;
		len = vio_chain_write(f->v, &chain, &ack, sizeof(ack));
		if (len < 0) {
			vio_break(f->v);
			return;
		}
		if (vio_push(f->v, vq, chain.head, len))
			return;
		n++;
	}
	if (n)
		vio_interrupt(f->v, vq);
}

/* --- the filter --------------------------------------------------------- */
static bool ctrl_vlan_passes(const struct fpga *f, const struct frame *frame)
{
	const __u8 *d = frame->data;
	unsigned int vid = (d[14] << 8 | d[15]) & (NET_VLANS - 1);

	if (!(f->v->features & VIO_BIT(VIRTIO_NET_F_CTRL_VLAN)) ||
	    frame->len < 18 || (d[12] << 8 | d[13]) != ETH_P_8021Q)
		return true;
	return f->net.vlans[vid / 8] & 1 << vid % 8;
}

static bool ctrl_in_table(const struct net *net, const __u8 *mac)
{
	unsigned int i;

	for (i = 0; i < net->nmacs; i++)
		if (!memcmp(net->macs[i], mac, 6))
			return true;
	return false;
}

/**
 * ctrl_passes() - does the filter let a frame through?
 * @f: the function
 * @frame: the frame
 */
bool ctrl_passes(const struct fpga *f, const struct frame *frame)
{
	static const __u8 broadcast[6] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };
	const struct net *net = &f->net;
	const __u8 *to = frame->data;

	if (!(f->v->features & VIO_BIT(VIRTIO_NET_F_CTRL_RX)) ||
	    ctrl_rx_on(net, VIRTIO_NET_CTRL_RX_PROMISC))
		return true;
	if (!ctrl_vlan_passes(f, frame))
		return false;
	if (!memcmp(to, broadcast, sizeof(broadcast)))
		return !ctrl_rx_on(net, VIRTIO_NET_CTRL_RX_NOBCAST);
	if (to[0] & 1) {
		if (ctrl_rx_on(net, VIRTIO_NET_CTRL_RX_NOMULTI))
			return false;
		return ctrl_rx_on(net, VIRTIO_NET_CTRL_RX_ALLMULTI) ||
		       net->all_multicast || ctrl_in_table(net, to);
	}
	if (ctrl_rx_on(net, VIRTIO_NET_CTRL_RX_NOUNI))
		return false;
	return ctrl_rx_on(net, VIRTIO_NET_CTRL_RX_ALLUNI) || net->all_unicast ||
	       !memcmp(f->v->config, to, 6) || ctrl_in_table(net, to);
}

/**
 * ctrl_reset() - the device was reset: all goes through until it is told else
 * @f: the function
 */
void ctrl_reset(struct fpga *f)
{
	struct net *net = &f->net;

	net->rx = 1U << VIRTIO_NET_CTRL_RX_PROMISC;
	net->nmacs = 0;
	net->all_unicast = false;
	net->all_multicast = false;
	memset(net->vlans, 0, sizeof(net->vlans));
	memcpy(f->v->config, net->config.mac, sizeof(net->config.mac));
}
