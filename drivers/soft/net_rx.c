// SPDX-License-Identifier: GPL-2.0
/*
 * Frames that the driver receives: those that somebody sends to the port, and those
 * that an XDP program sends there.
 */
#include <linux/etherdevice.h>
#include <linux/if_vlan.h>
#include <linux/skbuff.h>

#include <vmdev/vring_split.h>

#include "net.h"

/* Buffers that one frame may take: of one page each, and some. */
#define VMDEV_SOFT_HEADS	80

/**
 * struct vmdev_soft_head - a buffer that a part of a frame is in
 * @id: its id
 * @slots: entries that it takes
 * @len: bytes written to it
 */
struct vmdev_soft_head {
	u16 id;
	u16 slots;
	u32 len;
};

/**
 * struct vmdev_soft_fill - a frame on its way into buffers
 * @vq: the queue
 * @hdr: what comes before it
 * @frame: the frame
 * @at: bytes of both that are in buffers
 * @end: bytes of both
 * @heads: the buffers
 * @n: how many
 * @frag: the fragment of the frame that is next
 * @frag_at: bytes of the frame before that
 * @nsegs: pieces of all of them
 * @count: IOVAs of the header's num_buffers, a byte each
 */
struct vmdev_soft_fill {
	struct vmdev_soft_vq *vq;
	struct virtio_net_hdr_mrg_rxbuf hdr;
	const struct vmdev_soft_frame *frame;
	u32 at;
	u32 end;
	struct vmdev_soft_head heads[VMDEV_SOFT_HEADS];
	u16 n;
	u16 frag;
	u32 frag_at;
	u32 nsegs;
	u64 count[2];
};

/* --- what is let through ----------------------------------------------------- */

static bool vmdev_soft_in_table(const u8 (*macs)[ETH_ALEN], u16 n, const u8 *mac)
{
	while (n--)
		if (ether_addr_equal(*macs++, mac))
			return true;
	return false;
}

static bool vmdev_soft_wants_mac(const struct vmdev_soft_filter *filter, const u8 *mac)
{
	if (is_broadcast_ether_addr(mac))
		return !filter->nobcast;
	if (is_multicast_ether_addr(mac))
		return !filter->nomulti &&
		       (filter->allmulti || filter->many_multi ||
			vmdev_soft_in_table(filter->macs + filter->nuni,
					    filter->nmacs - filter->nuni, mac));
	return !filter->nouni &&
	       (filter->alluni || filter->many_uni ||
		ether_addr_equal(filter->mac, mac) ||
		vmdev_soft_in_table(filter->macs, filter->nuni, mac));
}

/* Frames of no VLAN, and those that only have a priority, are in none. */
static bool vmdev_soft_wants_vlan(const struct vmdev_soft_filter *filter,
				  const struct sk_buff *skb)
{
	u16 tci;

	if (!filter->by_vlan)
		return true;
	if (skb_vlan_tag_present(skb)) {
		tci = skb_vlan_tag_get(skb);
	} else {
		const struct vlan_ethhdr *eth;
		struct vlan_ethhdr copy;

		if (skb->protocol != htons(ETH_P_8021Q))
			return true;
		eth = skb_header_pointer(skb, 0, sizeof(copy), &copy);
		if (!eth || eth->h_vlan_proto != htons(ETH_P_8021Q))
			return true;
		tci = ntohs(eth->h_vlan_TCI);
	}
	tci &= VLAN_VID_MASK;
	return !tci || test_bit(tci, filter->vlans);
}

/**
 * vmdev_soft_net_wants() - does the driver want to receive a frame?
 * @net: the device
 * @skb: the frame, as it is sent, its Ethernet header in its linear part
 *
 * Context: softirq.
 */
bool vmdev_soft_net_wants(struct vmdev_soft_net *net, const struct sk_buff *skb)
{
	const struct vmdev_soft_filter *filter = rcu_dereference_bh(net->filter);

	/* A driver that sets nothing gets everything. */
	if (!filter || filter->promisc)
		return true;
	return vmdev_soft_wants_mac(filter, skb->data) &&
	       vmdev_soft_wants_vlan(filter, skb);
}

/* --- into buffers ------------------------------------------------------------ */

/*
 * @len bytes of a frame, from @at on, which only grows: as skb_copy_bits(), but what was
 * copied is not looked for again with each buffer.
 */
static int vmdev_soft_copy_frags(struct vmdev_soft_fill *fill, u32 at, void *to, u32 len)
{
	const struct sk_buff *skb = fill->frame->skb;
	const struct skb_shared_info *shared = skb_shinfo(skb);

	while (fill->frag < shared->nr_frags) {
		const skb_frag_t *frag = &shared->frags[fill->frag];
		u32 offset = at - fill->frag_at, size = skb_frag_size(frag), n;

		n = min(len, size - offset);
		memcpy(to, skb_frag_address(frag) + offset, n);
		at += n;
		to += n;
		len -= n;
		if (!len)
			return 0;
		fill->frag_at += size;
		fill->frag++;
	}
	/* The rest is in other frames. */
	return skb_copy_bits(skb, at, to, len);
}

static int vmdev_soft_copy_skb(struct vmdev_soft_fill *fill, u32 at, void *to, u32 len)
{
	const struct sk_buff *skb = fill->frame->skb;
	u32 head = skb_headlen(skb);

	if (at < head) {
		u32 n = min(len, head - at);

		memcpy(to, skb->data + at, n);
		at += n;
		to += n;
		len -= n;
	}
	if (!len)
		return 0;
	if (IS_ENABLED(CONFIG_HIGHMEM) || !skb_frags_readable(skb))
		return skb_copy_bits(skb, at, to, len);
	if (!fill->frag)
		fill->frag_at = head;
	return vmdev_soft_copy_frags(fill, at, to, len);
}

/* @len bytes of header and frame, from fill->at on. */
static int vmdev_soft_copy_some(struct vmdev_soft_fill *fill, void *to, u32 len)
{
	u32 at = fill->at;

	if (at < VMDEV_SOFT_HDR) {
		u32 n = min_t(u32, len, VMDEV_SOFT_HDR - at);

		memcpy(to, (const u8 *)&fill->hdr + at, n);
		to += n;
		len -= n;
		at += n;
	}
	at -= VMDEV_SOFT_HDR;
	if (fill->frame->skb)
		return vmdev_soft_copy_skb(fill, at, to, len);
	memcpy(to, fill->frame->data + at, len);
	return 0;
}

/* The first buffer says how many there are, somewhere in its first @len bytes at @iova. */
static void vmdev_soft_note_count(struct vmdev_soft_fill *fill, u64 iova, u32 len)
{
	u32 i, at = offsetof(struct virtio_net_hdr_mrg_rxbuf, num_buffers) - fill->at;

	for (i = 0; i < ARRAY_SIZE(fill->count); i++)
		if (at + i < len)
			fill->count[i] = iova + (u32)(at + i);
}

/* As much as there is of a frame, and fits, into a piece of a buffer. */
static int vmdev_soft_scatter_seg(struct vmdev_soft_fill *fill, u64 iova, u32 len)
{
	struct vmdev_soft *soft = fill->vq->soft;
	int err = 0;

	len = min(len, fill->end - fill->at);
	while (len && !err) {
		u32 n = len;
		void *va = vmdev_soft_va(soft, &fill->vq->hint, iova, VHOST_ACCESS_WO, &n);

		err = va ? vmdev_soft_copy_some(fill, va, n) : -EFAULT;
		if (err)
			break;
		vmdev_hw_wrote(&soft->hw, iova, n);
		if (fill->at < VMDEV_SOFT_HDR)
			vmdev_soft_note_count(fill, iova, n);
		fill->at += n;
		iova += n;
		len -= n;
	}
	return err;
}

/* Likewise into a buffer, which is remembered either way. */
static int vmdev_soft_scatter(struct vmdev_soft_fill *fill,
			      const struct vmdev_vring_chain *chain)
{
	u32 begin = fill->at;
	int err = 0;
	u16 i;

	/* A driver may give many buffers of many pieces and no bytes. */
	fill->nsegs += chain->nsegs;
	if (fill->nsegs > VMDEV_CHAIN_MAX)
		err = -EMSGSIZE;
	read_lock(&fill->vq->soft->maps_lock);
	for (i = chain->nread; i < chain->nsegs && fill->at < fill->end && !err; i++)
		err = vmdev_soft_scatter_seg(fill, chain->segs[i].addr,
					     chain->segs[i].len);
	read_unlock(&fill->vq->soft->maps_lock);

	fill->heads[fill->n++] = (struct vmdev_soft_head) {
		.id = chain->id,
		.slots = chain->slots,
		.len = fill->at - begin,
	};
	return err;
}

/* Puts the buffers back that were popped for a frame, the last one first. */
static void vmdev_soft_unpop(struct vmdev_soft_fill *fill)
{
	while (fill->n) {
		const struct vmdev_soft_head *head = &fill->heads[--fill->n];
		struct vmdev_vring_chain chain = {
			.id = head->id,
			.slots = head->slots,
		};

		vmdev_vring_unpop(&fill->vq->ring, &chain);
	}
}

/* Asks for a kick, or not. True if there are buffers already, for which none may come. */
static bool vmdev_soft_asks(struct vmdev_soft_pair *pair, bool asks)
{
	struct vmdev_vring *ring = &vmdev_soft_rxq(pair)->ring;

	pair->asks = asks;
	if (asks)
		return vmdev_vring_kicks_on(ring);
	vmdev_vring_kicks_off(ring);
	return false;
}

/* Whoever sends waits. */
static void vmdev_soft_wait(struct vmdev_soft_pair *pair)
{
	if (!pair->waits) {
		pair->since = jiffies;
		pair->rx.stops++;
	}
	WRITE_ONCE(pair->waits, true);
	/* With that of a kick, vmdev_soft_net_kicked(). */
	smp_mb();
}

/*
 * All buffers that there are were popped, and more are needed. True if the next one
 * comes with a kick, which wakes the port; false if it is there already.
 */
static bool vmdev_soft_waits(struct vmdev_soft_pair *pair)
{
	/* Before a kick is asked for: one that comes at once must see it. */
	vmdev_soft_wait(pair);
	return !vmdev_soft_asks(pair, true);
}

/* There is one: no kick is needed, and whoever waits for it is not told by one. */
static void vmdev_soft_found(struct vmdev_soft_pair *pair)
{
	if (pair->asks)
		vmdev_soft_asks(pair, false);
	if (pair->waits)
		vmdev_soft_port_wake(pair);
}

/* The whole of a frame, into as many buffers as that takes. */
static int vmdev_soft_fill(struct vmdev_soft_pair *pair, struct vmdev_soft_fill *fill,
			   struct vmdev_vring_chain *chain)
{
	struct vmdev_vring *ring = &fill->vq->ring;
	bool merge = vmdev_soft_has(fill->vq->soft, VIRTIO_NET_F_MRG_RXBUF);
	int err = 0;

	while (fill->at < fill->end && !err) {
		int got;

		if (fill->n == VMDEV_SOFT_HEADS || (fill->n && !merge))
			return -EMSGSIZE;
		got = vmdev_vring_pop_inline(ring, chain);
		if (got > 0) {
			if (unlikely(pair->asks || pair->waits))
				vmdev_soft_found(pair);
			err = vmdev_soft_scatter(fill, chain);
		}
		if (got < 0)
			err = got;
		else if (!got && ring->inflight == ring->num)
			err = -EMSGSIZE;
		else if (!got && vmdev_soft_waits(pair))
			err = -ENOBUFS;
	}
	return err;
}

/* The header was written before it was known how many buffers there are. */
static int vmdev_soft_count(struct vmdev_soft_fill *fill)
{
	struct vmdev_soft *soft = fill->vq->soft;
	__virtio16 n = vmdev_soft_to_virtio16(fill->n);
	int i, err = 0;

	if (fill->n == 1)
		return 0;
	for (i = 0; i < sizeof(n) && !err; i++) {
		err = vmdev_soft_write(soft, fill->count[i], (u8 *)&n + i, 1);
		vmdev_hw_wrote(&soft->hw, fill->count[i], 1);
	}
	return err;
}

static void vmdev_soft_push(struct vmdev_soft_pair *pair,
			    const struct vmdev_soft_fill *fill)
{
	u16 i;

	for (i = 0; i < fill->n; i++)
		vmdev_vring_push_inline(&fill->vq->ring, fill->heads[i].id,
					fill->heads[i].slots, fill->heads[i].len);
	pair->drops = false;
	pair->rx.packets++;
	pair->rx.bytes += fill->frame->len;
}

/**
 * vmdev_soft_net_deliver() - put a frame into receive buffers
 * @pair: the pair
 * @hdr: what is not done yet, in little endian
 * @frame: the frame
 *
 * The driver does not see it before vmdev_soft_vq_publish().
 *
 * Context: softirq; the lock of vmdev_soft_rxq() held.
 * Return: 0; -ENOBUFS if there are too few buffers now: pair->waits is set, and a kick
 * will wake the port; another negative errno if this frame cannot be received.
 */
int vmdev_soft_net_deliver(struct vmdev_soft_pair *pair,
			   const struct virtio_net_hdr *hdr,
			   const struct vmdev_soft_frame *frame)
{
	struct vmdev_soft_vq *vq = vmdev_soft_rxq(pair);
	struct vmdev_vring_chain chain = { .segs = vq->segs, .max = VMDEV_CHAIN_MAX };
	/* It is large, and most of it is not used. */
	struct vmdev_soft_fill fill __uninitialized;
	int err;

	if (vmdev_soft_fails(&pair->net->soft, VMDEV_SOFT_FAIL_XMIT))
		return -EIO;
	if (!vq->on) {
		/* It may be on its way to another ring. */
		vmdev_soft_wait(pair);
		return -ENOBUFS;
	}
	if (vq->ring.why)
		return -EBADMSG;

	fill.vq = vq;
	fill.hdr.hdr = *hdr;
	fill.hdr.num_buffers = vmdev_soft_to_virtio16(1);
	fill.frame = frame;
	fill.at = 0;
	fill.end = VMDEV_SOFT_HDR + frame->len;
	fill.n = 0;
	fill.frag = 0;
	fill.frag_at = 0;
	fill.nsegs = 0;
	fill.count[0] = 0;
	fill.count[1] = 0;
	err = vmdev_soft_fill(pair, &fill, &chain) ? : vmdev_soft_count(&fill);
	if (err)
		vmdev_soft_unpop(&fill);
	else
		vmdev_soft_push(pair, &fill);
	return err;
}
