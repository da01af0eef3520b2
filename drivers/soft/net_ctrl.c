// SPDX-License-Identifier: GPL-2.0
/*
 * The control queue. It is the core's: the driver's own one never comes here, so
 * commands are judged and small, and the core waits for each.
 *
 * Source: virtio 1.3, 5.1.6.5.
 */
#include <linux/etherdevice.h>
#include <linux/slab.h>

#include "net.h"

/* As long as the core's longest (a table of MAC addresses). */
#define VMDEV_SOFT_CTRL_MAX	16384

/* Addresses that are looked for one by one; beyond that all are taken. */
#define VMDEV_SOFT_MACS_MAX	256

/**
 * struct vmdev_soft_ctrl - a command
 * @hdr: class and command
 * @data: what follows
 * @len: bytes of @data
 */
struct vmdev_soft_ctrl {
	struct virtio_net_ctrl_hdr hdr;
	const u8 *data;
	u32 len;
};

/* Only here it changes, and commands come one by one. */
static struct vmdev_soft_filter *vmdev_soft_filter(struct vmdev_soft_net *net)
{
	return rcu_dereference_protected(net->filter, true);
}

static void vmdev_soft_filter_set(struct vmdev_soft_net *net,
				  struct vmdev_soft_filter *filter)
{
	struct vmdev_soft_filter *old = vmdev_soft_filter(net);

	rcu_assign_pointer(net->filter, filter);
	if (old)
		kvfree_rcu(old, rcu);
}

/**
 * vmdev_soft_net_ctrl_reset() - forget what was set
 * @net: the device
 *
 * Context: may sleep; the control queue is not served.
 */
void vmdev_soft_net_ctrl_reset(struct vmdev_soft_net *net)
{
	vmdev_soft_filter_set(net, NULL);
}

/* A copy of the filter to change, with room for so many addresses and none in it. */
static struct vmdev_soft_filter *vmdev_soft_filter_new(struct vmdev_soft_net *net,
						       u16 nmacs)
{
	const struct virtio_net_config *config = net->soft.config;
	const struct vmdev_soft_filter *old = vmdev_soft_filter(net);
	struct vmdev_soft_filter *filter;

	filter = kvzalloc(struct_size(filter, macs, nmacs), GFP_KERNEL);
	if (!filter)
		return NULL;
	if (old) {
		*filter = *old;
		filter->nuni = 0;
		filter->nmacs = 0;
	} else {
		/* A driver that has said nothing gets everything. */
		filter->promisc = true;
		filter->by_vlan = vmdev_soft_has(&net->soft, VIRTIO_NET_F_CTRL_VLAN);
	}
	ether_addr_copy(filter->mac, config->mac);
	return filter;
}

/* Likewise, with those that there are. */
static struct vmdev_soft_filter *vmdev_soft_filter_copy(struct vmdev_soft_net *net)
{
	const struct vmdev_soft_filter *old = vmdev_soft_filter(net);
	struct vmdev_soft_filter *filter;

	filter = vmdev_soft_filter_new(net, old ? old->nmacs : 0);
	if (filter && old) {
		filter->nuni = old->nuni;
		filter->nmacs = old->nmacs;
		memcpy(filter->macs, old->macs, old->nmacs * sizeof(filter->macs[0]));
	}
	return filter;
}

static int vmdev_soft_ctrl_rx(struct vmdev_soft_net *net,
			      const struct vmdev_soft_ctrl *ctrl)
{
	struct vmdev_soft_filter *filter;
	bool on;

	if (ctrl->len != 1 || ctrl->hdr.cmd > VIRTIO_NET_CTRL_RX_NOBCAST)
		return -EINVAL;
	filter = vmdev_soft_filter_copy(net);
	if (!filter)
		return -ENOMEM;
	on = ctrl->data[0];
	switch (ctrl->hdr.cmd) {
	case VIRTIO_NET_CTRL_RX_PROMISC:
		filter->promisc = on;
		break;
	case VIRTIO_NET_CTRL_RX_ALLMULTI:
		filter->allmulti = on;
		break;
	case VIRTIO_NET_CTRL_RX_ALLUNI:
		filter->alluni = on;
		break;
	case VIRTIO_NET_CTRL_RX_NOMULTI:
		filter->nomulti = on;
		break;
	case VIRTIO_NET_CTRL_RX_NOUNI:
		filter->nouni = on;
		break;
	case VIRTIO_NET_CTRL_RX_NOBCAST:
		filter->nobcast = on;
		break;
	}
	vmdev_soft_filter_set(net, filter);
	return 0;
}

static int vmdev_soft_ctrl_mac_addr(struct vmdev_soft_net *net,
				    const struct vmdev_soft_ctrl *ctrl)
{
	struct virtio_net_config *config = net->soft.config;
	struct vmdev_soft_filter *filter = NULL;

	if (ctrl->len != ETH_ALEN || !is_valid_ether_addr(ctrl->data))
		return -EINVAL;
	if (vmdev_soft_filter(net)) {
		filter = vmdev_soft_filter_copy(net);
		if (!filter)
			return -ENOMEM;
		memcpy(filter->mac, ctrl->data, ETH_ALEN);
	}
	memcpy(config->mac, ctrl->data, ETH_ALEN);
	vmdev_soft_filter_set(net, filter);
	return 0;
}

/* The table at @at: addresses in it, and @at is after it then. */
static int vmdev_soft_mac_table(const struct vmdev_soft_ctrl *ctrl, u32 *at,
				const u8 **macs)
{
	__le32 entries;
	u32 n;

	if (ctrl->len - *at < sizeof(entries))
		return -EINVAL;
	memcpy(&entries, ctrl->data + *at, sizeof(entries));
	*at += sizeof(entries);
	n = le32_to_cpu(entries);
	if (n > (ctrl->len - *at) / ETH_ALEN)
		return -EINVAL;
	*macs = ctrl->data + *at;
	*at += n * ETH_ALEN;
	return n;
}

static int vmdev_soft_ctrl_mac_table(struct vmdev_soft_net *net,
				     const struct vmdev_soft_ctrl *ctrl)
{
	struct vmdev_soft_filter *filter;
	const u8 *uni, *multi;
	int nuni, nmulti;
	u32 at = 0;

	nuni = vmdev_soft_mac_table(ctrl, &at, &uni);
	nmulti = nuni < 0 ? nuni : vmdev_soft_mac_table(ctrl, &at, &multi);
	if (nmulti < 0)
		return nmulti;
	if (nuni > VMDEV_SOFT_MACS_MAX)
		nuni = -E2BIG;
	if (nmulti > VMDEV_SOFT_MACS_MAX)
		nmulti = -E2BIG;

	filter = vmdev_soft_filter_new(net, max(nuni, 0) + max(nmulti, 0));
	if (!filter)
		return -ENOMEM;
	filter->many_uni = nuni < 0;
	filter->many_multi = nmulti < 0;
	filter->nuni = max(nuni, 0);
	filter->nmacs = filter->nuni + max(nmulti, 0);
	memcpy(filter->macs, uni, filter->nuni * ETH_ALEN);
	memcpy(filter->macs + filter->nuni, multi, max(nmulti, 0) * ETH_ALEN);
	vmdev_soft_filter_set(net, filter);
	return 0;
}

static int vmdev_soft_ctrl_mac(struct vmdev_soft_net *net,
			       const struct vmdev_soft_ctrl *ctrl)
{
	switch (ctrl->hdr.cmd) {
	case VIRTIO_NET_CTRL_MAC_ADDR_SET:
		return vmdev_soft_ctrl_mac_addr(net, ctrl);
	case VIRTIO_NET_CTRL_MAC_TABLE_SET:
		return vmdev_soft_ctrl_mac_table(net, ctrl);
	default:
		return -EINVAL;
	}
}

static int vmdev_soft_ctrl_vlan(struct vmdev_soft_net *net,
				const struct vmdev_soft_ctrl *ctrl)
{
	struct vmdev_soft_filter *filter;
	u16 vid;

	if (ctrl->len != sizeof(__le16) || ctrl->hdr.cmd > VIRTIO_NET_CTRL_VLAN_DEL)
		return -EINVAL;
	vid = ctrl->data[0] | ctrl->data[1] << 8;
	if (vid >= VLAN_N_VID)
		return -EINVAL;
	filter = vmdev_soft_filter_copy(net);
	if (!filter)
		return -ENOMEM;
	__assign_bit(vid, filter->vlans, ctrl->hdr.cmd == VIRTIO_NET_CTRL_VLAN_ADD);
	vmdev_soft_filter_set(net, filter);
	return 0;
}

/* RTNL cannot be taken, drivers wait for us with it: the port's number stays. */
static int vmdev_soft_ctrl_mq(struct vmdev_soft_net *net,
			      const struct vmdev_soft_ctrl *ctrl)
{
	u16 pairs, i;

	if (ctrl->hdr.cmd != VIRTIO_NET_CTRL_MQ_VQ_PAIRS_SET ||
	    ctrl->len != sizeof(__le16))
		return -EINVAL;
	pairs = ctrl->data[0] | ctrl->data[1] << 8;
	if (!pairs || pairs > net->npairs)
		return -EINVAL;
	WRITE_ONCE(net->active, pairs);
	/* What waited for another queue. */
	for (i = 0; i < net->npairs; i++)
		vmdev_soft_port_wake(&net->pairs[i]);
	return 0;
}

static int vmdev_soft_ctrl_announce(struct vmdev_soft_net *net,
				    const struct vmdev_soft_ctrl *ctrl)
{
	if (ctrl->hdr.cmd != VIRTIO_NET_CTRL_ANNOUNCE_ACK || ctrl->len)
		return -EINVAL;
	vmdev_soft_net_announced(net);
	return 0;
}

static int vmdev_soft_ctrl_offloads(struct vmdev_soft_net *net,
				    const struct vmdev_soft_ctrl *ctrl)
{
	__le64 data;
	u64 offloads;

	if (ctrl->hdr.cmd != VIRTIO_NET_CTRL_GUEST_OFFLOADS_SET ||
	    ctrl->len != sizeof(data))
		return -EINVAL;
	memcpy(&data, ctrl->data, sizeof(data));
	offloads = le64_to_cpu(data);
	if (offloads & ~(net->soft.features & VMDEV_SOFT_GUEST_OFFLOADS))
		return -EINVAL;
	WRITE_ONCE(net->offloads, offloads);
	return 0;
}

static int vmdev_soft_ctrl_do(struct vmdev_soft_net *net,
			      const struct vmdev_soft_ctrl *ctrl)
{
	switch (ctrl->hdr.class) {
	case VIRTIO_NET_CTRL_RX:
		return vmdev_soft_ctrl_rx(net, ctrl);
	case VIRTIO_NET_CTRL_MAC:
		return vmdev_soft_ctrl_mac(net, ctrl);
	case VIRTIO_NET_CTRL_VLAN:
		return vmdev_soft_ctrl_vlan(net, ctrl);
	case VIRTIO_NET_CTRL_ANNOUNCE:
		return vmdev_soft_ctrl_announce(net, ctrl);
	case VIRTIO_NET_CTRL_MQ:
		return vmdev_soft_ctrl_mq(net, ctrl);
	case VIRTIO_NET_CTRL_GUEST_OFFLOADS:
		return vmdev_soft_ctrl_offloads(net, ctrl);
	default:
		return -EINVAL;
	}
}

/* The command of a buffer, @len bytes of it. */
static int vmdev_soft_ctrl_gather(struct vmdev_soft *soft,
				  const struct vmdev_vring_chain *chain, u8 *buf,
				  u32 len)
{
	int err = 0;
	u16 i;

	for (i = 0; i < chain->nread && len && !err; i++) {
		u32 n = min(chain->segs[i].len, len);

		err = vmdev_soft_read(soft, chain->segs[i].addr, buf, n);
		buf += n;
		len -= n;
	}
	return err;
}

/* Bytes written of the answer, which is one. */
static u32 vmdev_soft_ctrl_answer(struct vmdev_soft *soft,
				  const struct vmdev_vring_chain *chain, u8 ack)
{
	u16 i;

	for (i = chain->nread; i < chain->nsegs; i++)
		if (chain->segs[i].len)
			return !vmdev_soft_write(soft, chain->segs[i].addr, &ack, 1);
	return 0;
}

static u32 vmdev_soft_ctrl_serve(struct vmdev_soft_net *net,
				 const struct vmdev_vring_chain *chain, u8 *buf)
{
	struct vmdev_soft_ctrl ctrl;
	u32 len = chain->read_len;
	int err = -EINVAL;

	if (len >= sizeof(ctrl.hdr) && len <= VMDEV_SOFT_CTRL_MAX)
		err = vmdev_soft_ctrl_gather(&net->soft, chain, buf, len);
	if (!err) {
		memcpy(&ctrl.hdr, buf, sizeof(ctrl.hdr));
		ctrl.data = buf + sizeof(ctrl.hdr);
		ctrl.len = len - sizeof(ctrl.hdr);
		err = vmdev_soft_fail(&net->soft, VMDEV_SOFT_FAIL_CTRL, -EIO) ? :
		      vmdev_soft_ctrl_do(net, &ctrl);
	}
	return vmdev_soft_ctrl_answer(&net->soft, chain,
				      err ? VIRTIO_NET_ERR : VIRTIO_NET_OK);
}

/**
 * vmdev_soft_net_ctrl() - carry out commands
 * @net: the device
 * @vq: its control queue
 *
 * Context: may sleep; only the core kicks this queue, and stops it, one at a time.
 */
void vmdev_soft_net_ctrl(struct vmdev_soft_net *net, struct vmdev_soft_vq *vq)
{
	struct vmdev_vring_chain chain = { .segs = vq->segs, .max = VMDEV_CHAIN_MAX };
	u32 len;
	u8 *buf;

	if (!vq->on)
		return;
	buf = kvmalloc(VMDEV_SOFT_CTRL_MAX, GFP_KERNEL);
	if (!buf)
		return;
	while (vmdev_vring_pop(&vq->ring, &chain) > 0) {
		len = vmdev_soft_ctrl_serve(net, &chain, buf);
		vmdev_vring_push(&vq->ring, chain.id, chain.slots, len);
	}
	spin_lock_bh(&vq->lock);
	vmdev_soft_vq_publish(vq);
	spin_unlock_bh(&vq->lock);
	kvfree(buf);
}
