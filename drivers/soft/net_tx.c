// SPDX-License-Identifier: GPL-2.0
/*
 * Frames that the driver sends: they come in at the port.
 *
 * They are copied, and the buffers given back at once. What a virtio_net_hdr says is
 * not done yet, checksums and segmentation, goes on with the frame.
 */
#include <linux/bpf.h>
#include <linux/etherdevice.h>
#include <linux/filter.h>
#include <linux/skbuff.h>
#include <net/page_pool/helpers.h>

#include <vmdev/vring_split.h>

#include "net.h"

/* Bytes of a frame in its linear part, if it is a large one: headers, and more. */
#define VMDEV_SOFT_LINEAR	1024

/*
 * Frames that are taken at once. Whoever they go to frees them, as a rule, before the
 * next ones are taken, which then get the same memory.
 */
#define VMDEV_SOFT_BURST	16

/* Bytes before a frame, and of all that a small one takes. */
#define VMDEV_SOFT_ROOM		(NET_SKB_PAD + NET_IP_ALIGN)
#define VMDEV_SOFT_SMALL_SIZE(len) \
	(SKB_DATA_ALIGN(VMDEV_SOFT_ROOM + (len)) + \
	 SKB_DATA_ALIGN(sizeof(struct skb_shared_info)))

/**
 * struct vmdev_soft_sink - where bytes of a buffer go
 * @to: to here, or NULL
 * @skb: to here, from @at on
 * @at: bytes that went
 */
struct vmdev_soft_sink {
	void *to;
	struct sk_buff *skb;
	u32 at;
};

static void vmdev_soft_put_frags(struct sk_buff *skb, u32 at, const void *from, u32 len)
{
	const skb_frag_t *frag;
	u32 head = skb_headlen(skb), n;

	if (at < head) {
		n = min(len, head - at);
		memcpy(skb->data + at, from, n);
		at += n;
		from += n;
		len -= n;
	}
	if (!len)
		return;
	/* All but the last one are whole pages. */
	at -= head;
	frag = &skb_shinfo(skb)->frags[at >> PAGE_SHIFT];
	for (at &= ~PAGE_MASK; len; frag++, at = 0) {
		n = min_t(u32, len, PAGE_SIZE - at);
		memcpy(skb_frag_address(frag) + at, from, n);
		from += n;
		len -= n;
	}
}

static inline void vmdev_soft_put(struct vmdev_soft_sink *sink, const void *from, u32 len)
{
	u32 at = sink->at;

	sink->at += len;
	if (likely(!sink->skb))
		memcpy(sink->to + at, from, len);
	else
		vmdev_soft_put_frags(sink->skb, at, from, len);
}

/* The first @len bytes of a piece. */
static int vmdev_soft_gather_seg(struct vmdev_soft_vq *vq, u64 iova, u32 len,
				 struct vmdev_soft_sink *sink)
{
	int err = 0;

	while (len && !err) {
		u32 n = len;
		void *va = vmdev_soft_va(vq->soft, &vq->hint, iova, VHOST_ACCESS_RO, &n);

		if (va)
			vmdev_soft_put(sink, va, n);
		else
			err = -EFAULT;
		iova += n;
		len -= n;
	}
	return err;
}

/* @len bytes from @offset on of what the device reads. */
static int vmdev_soft_gather(struct vmdev_soft_vq *vq,
			     const struct vmdev_vring_chain *chain, u32 offset,
			     u32 len, struct vmdev_soft_sink *sink)
{
	int err = 0;
	u16 i;

	for (i = 0; len && !err && i < chain->nread; i++) {
		u32 n = chain->segs[i].len;

		if (offset >= n) {
			offset -= n;
			continue;
		}
		n = min(n - offset, len);
		err = vmdev_soft_gather_seg(vq, chain->segs[i].addr + offset, n, sink);
		offset = 0;
		len -= n;
	}
	return err;
}

/* Most buffers are in one piece: where that is, or NULL. */
static const void *vmdev_soft_one_piece(struct vmdev_soft_vq *vq,
					const struct vmdev_vring_chain *chain)
{
	u32 len = chain->read_len;
	const void *va;

	if (chain->nread != 1)
		return NULL;
	va = vmdev_soft_va(vq->soft, &vq->hint, chain->segs[0].addr, VHOST_ACCESS_RO, &len);
	return len == chain->read_len ? va : NULL;
}

/* Does it ask only for what was negotiated? */
static bool vmdev_soft_hdr_ok(const struct vmdev_soft *soft,
			      const struct virtio_net_hdr *hdr)
{
	if ((hdr->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM) &&
	    !vmdev_soft_has(soft, VIRTIO_NET_F_CSUM))
		return false;
	if ((hdr->gso_type & VIRTIO_NET_HDR_GSO_ECN) &&
	    !vmdev_soft_has(soft, VIRTIO_NET_F_HOST_ECN))
		return false;
	switch (hdr->gso_type & ~VIRTIO_NET_HDR_GSO_ECN) {
	case VIRTIO_NET_HDR_GSO_NONE:
		return true;
	case VIRTIO_NET_HDR_GSO_TCPV4:
		return vmdev_soft_has(soft, VIRTIO_NET_F_HOST_TSO4);
	case VIRTIO_NET_HDR_GSO_TCPV6:
		return vmdev_soft_has(soft, VIRTIO_NET_F_HOST_TSO6);
	case VIRTIO_NET_HDR_GSO_UDP_L4:
		return vmdev_soft_has(soft, VIRTIO_NET_F_HOST_USO);
	default:
		return false;
	}
}

/* In a part of a page, with room before it, and for what is shared after it. */
static struct sk_buff *vmdev_soft_alloc_small(struct vmdev_soft_pair *pair, u32 len)
{
	unsigned int size = VMDEV_SOFT_SMALL_SIZE(len);
	struct sk_buff *skb;
	void *va;

	va = page_pool_dev_alloc_va(pair->pool, &size);
	if (!va)
		return NULL;
	skb = napi_build_skb(va, size);
	if (!skb) {
		page_pool_put_full_page(pair->pool, virt_to_head_page(va), true);
		return NULL;
	}
	skb_mark_for_recycle(skb);
	skb_reserve(skb, VMDEV_SOFT_ROOM);
	__skb_put(skb, len);
	return skb;
}

/* The rest of a large one is in pages of its own. */
static int vmdev_soft_add_pages(struct vmdev_soft_pair *pair, struct sk_buff *skb,
				u32 len)
{
	unsigned int i;

	for (i = 0; len; i++) {
		u32 n = min_t(u32, len, PAGE_SIZE);
		struct page *page = page_pool_dev_alloc_pages(pair->pool);

		if (!page)
			return -ENOMEM;
		skb_add_rx_frag(skb, i, page, 0, n, PAGE_SIZE);
		len -= n;
	}
	return 0;
}

static struct sk_buff *vmdev_soft_alloc(struct vmdev_soft_pair *pair, u32 len)
{
	struct sk_buff *skb;

	if (VMDEV_SOFT_SMALL_SIZE(len) <= PAGE_SIZE)
		return vmdev_soft_alloc_small(pair, len);

	skb = vmdev_soft_alloc_small(pair, VMDEV_SOFT_LINEAR);
	if (skb && vmdev_soft_add_pages(pair, skb, len - VMDEV_SOFT_LINEAR)) {
		kfree_skb(skb);
		return NULL;
	}
	return skb;
}

/**
 * struct vmdev_soft_copy - a frame that the driver sent, copied
 * @hdr: what came before it: @room, or before the data of @skb
 * @room: room for it
 * @len: bytes
 * @skb: where it is, or
 * @page: where it is, for a program, after XDP_PACKET_HEADROOM
 */
struct vmdev_soft_copy {
	const struct virtio_net_hdr *hdr;
	struct virtio_net_hdr_mrg_rxbuf room;
	u32 len;
	struct sk_buff *skb;
	struct page *page;
};

static int vmdev_soft_copy_hdr(struct vmdev_soft_vq *vq,
			       const struct vmdev_vring_chain *chain,
			       const void *piece, struct vmdev_soft_copy *copy)
{
	struct vmdev_soft_sink sink = { .to = &copy->room };

	copy->hdr = &copy->room.hdr;
	if (!piece)
		return vmdev_soft_gather(vq, chain, 0, sizeof(copy->room), &sink);
	memcpy(&copy->room, piece, sizeof(copy->room));
	return 0;
}

static bool vmdev_soft_is_plain(const struct virtio_net_hdr *hdr)
{
	return hdr->gso_type == VIRTIO_NET_HDR_GSO_NONE &&
	       !(hdr->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM);
}

/* Memory for a frame, and where in it that begins. */
static int vmdev_soft_copy_alloc(struct vmdev_soft_pair *pair, bool xdp,
				 struct vmdev_soft_copy *copy,
				 struct vmdev_soft_sink *sink)
{
	copy->skb = NULL;
	if (xdp && copy->len <= vmdev_soft_xdp_room() &&
	    vmdev_soft_is_plain(copy->hdr)) {
		copy->page = page_pool_dev_alloc_pages(pair->pool);
		if (!copy->page)
			return -ENOMEM;
		sink->to = page_address(copy->page) + XDP_PACKET_HEADROOM;
		sink->skb = NULL;
		return 0;
	}
	copy->skb = vmdev_soft_alloc(pair, copy->len);
	if (!copy->skb)
		return -ENOMEM;
	sink->to = copy->skb->data;
	sink->skb = skb_is_nonlinear(copy->skb) ? copy->skb : NULL;
	return 0;
}

static void vmdev_soft_copy_free(struct vmdev_soft_pair *pair,
				 const struct vmdev_soft_copy *copy)
{
	if (copy->skb)
		kfree_skb(copy->skb);
	else
		page_pool_recycle_direct(pair->pool, copy->page);
}

/* Most frames: small ones, in one piece with their header. */
static int vmdev_soft_copy_small(struct vmdev_soft_pair *pair, const void *piece,
				 struct vmdev_soft_copy *copy)
{
	copy->skb = vmdev_soft_alloc_small(pair, copy->len);
	if (!copy->skb)
		return -ENOMEM;
	/* The header goes to where headers of others will be. */
	copy->hdr = (void *)copy->skb->data - VMDEV_SOFT_HDR;
	memcpy(copy->skb->data - VMDEV_SOFT_HDR, piece, VMDEV_SOFT_HDR + copy->len);
	if (likely(vmdev_soft_hdr_ok(&pair->net->soft, copy->hdr)))
		return 0;
	kfree_skb(copy->skb);
	return -EINVAL;
}

/* Any other frame. */
static noinline int vmdev_soft_copy_any(struct vmdev_soft_pair *pair, bool xdp,
					const struct vmdev_vring_chain *chain,
					const void *piece, struct vmdev_soft_copy *copy)
{
	struct vmdev_soft_vq *vq = vmdev_soft_txq(pair);
	struct vmdev_soft_sink sink = { .at = 0 };
	int err;

	err = vmdev_soft_copy_hdr(vq, chain, piece, copy);
	if (!err && !vmdev_soft_hdr_ok(vq->soft, copy->hdr))
		err = -EINVAL;
	if (!err)
		err = vmdev_soft_copy_alloc(pair, xdp, copy, &sink);
	if (err)
		return err;

	if (piece)
		vmdev_soft_put(&sink, piece + VMDEV_SOFT_HDR, copy->len);
	else
		err = vmdev_soft_gather(vq, chain, VMDEV_SOFT_HDR, copy->len, &sink);
	if (err)
		vmdev_soft_copy_free(pair, copy);
	return err;
}

/* Each byte is read once: the driver may write to it meanwhile. Maps are locked. */
static int vmdev_soft_copy(struct vmdev_soft_pair *pair, struct vmdev_soft_vq *vq,
			   bool xdp, const struct vmdev_vring_chain *chain,
			   struct vmdev_soft_copy *copy)
{
	const void *piece = vmdev_soft_one_piece(vq, chain);

	if (likely(piece && !xdp && VMDEV_SOFT_SMALL_SIZE(copy->len) <= PAGE_SIZE))
		return vmdev_soft_copy_small(pair, piece, copy);
	return vmdev_soft_copy_any(pair, xdp, chain, piece, copy);
}

/* What the header says is not done yet; its offsets are those of a whole frame. */
static int vmdev_soft_dress(struct vmdev_soft_pair *pair,
			    const struct virtio_net_hdr *hdr, struct sk_buff *skb)
{
	if (hdr->flags | hdr->gso_type) {
		/* Both are looked at where a header says little. */
		skb->dev = pair->net->port;
		skb_set_network_header(skb, ETH_HLEN);
		if (virtio_net_hdr_to_skb(skb, hdr, true))
			return -EINVAL;
	}
	skb_record_rx_queue(skb, pair->index);
	skb->protocol = eth_type_trans(skb, pair->net->port);
	return 0;
}

/* What a program leaves of a frame. It gets large ones, too, but not in one piece. */
static struct sk_buff *vmdev_soft_filtered(struct vmdev_soft_pair *pair,
					   struct bpf_prog *prog, struct sk_buff *skb)
{
	if (do_xdp_generic(prog, &skb) == XDP_PASS)
		return skb;
	pair->tx.xdp++;
	return NULL;
}

/* The frame of a buffer; NULL if a program took it, an ERR_PTR() if it cannot be. */
static struct sk_buff *vmdev_soft_frame(struct vmdev_soft_pair *pair,
					struct vmdev_soft_vq *vq,
					struct bpf_prog *prog,
					const struct vmdev_vring_chain *chain)
{
	struct vmdev_soft *soft = vq->soft;
	struct vmdev_soft_copy copy;
	int err;

	copy.len = chain->read_len - VMDEV_SOFT_HDR;
	if (chain->read_len < VMDEV_SOFT_HDR + ETH_HLEN || copy.len > VMDEV_SOFT_FRAME)
		return ERR_PTR(-EINVAL);
	read_lock(&soft->maps_lock);
	err = vmdev_soft_copy(pair, vq, prog, chain, &copy);
	read_unlock(&soft->maps_lock);
	if (err)
		return ERR_PTR(err);

	if (!copy.skb)
		return vmdev_soft_xdp_run(pair, prog, copy.page, copy.len);
	if (vmdev_soft_dress(pair, copy.hdr, copy.skb)) {
		kfree_skb(copy.skb);
		return ERR_PTR(-EINVAL);
	}
	return prog ? vmdev_soft_filtered(pair, prog, copy.skb) : copy.skb;
}

/**
 * struct vmdev_soft_burst - frames on their way from the ring to the port
 * @max: buffers to take at most, VMDEV_SOFT_BURST or fewer
 * @taken: buffers that were taken
 * @n: frames that are left of them
 * @skbs: these
 * @why: NULL, or what is wrong with the ring
 */
struct vmdev_soft_burst {
	int max;
	int taken;
	int n;
	struct sk_buff *skbs[VMDEV_SOFT_BURST];
	const char *why;
};

static void vmdev_soft_take_some(struct vmdev_soft_pair *pair, struct bpf_prog *prog,
				 struct vmdev_soft_burst *burst)
{
	struct vmdev_soft_vq *vq = vmdev_soft_txq(pair);
	struct vmdev_vring_chain chain = { .segs = vq->segs, .max = VMDEV_CHAIN_MAX };
	struct sk_buff *skb;

	while (burst->taken < burst->max && vmdev_vring_pop_inline(&vq->ring, &chain) > 0) {
		skb = vmdev_soft_frame(pair, vq, prog, &chain);
		vmdev_vring_push_inline(&vq->ring, chain.id, chain.slots, 0);
		if (IS_ERR(skb))
			pair->tx.drops++;
		else if (skb)
			burst->skbs[burst->n++] = skb;
		burst->taken++;
	}
}

/*
 * What was taken is shown to the driver at once, unless it has no way to ask for fewer
 * interrupts and there is more of it: it is the @last burst, or not.
 */
static void vmdev_soft_take(struct vmdev_soft_pair *pair, struct bpf_prog *prog,
			    struct vmdev_soft_burst *burst, bool last)
{
	struct vmdev_soft_vq *vq = vmdev_soft_txq(pair);
	bool full;

	if (!vq->on || vq->ring.why)
		return;
	vmdev_vring_kicks_off(&vq->ring);
	do {
		vmdev_soft_take_some(pair, prog, burst);
		full = burst->taken == burst->max;
		if (!full || last || vq->ring.event_idx)
			vmdev_soft_vq_publish(vq);
	} while (!full && !vq->ring.why && vmdev_vring_kicks_on(&vq->ring));
	burst->why = vq->ring.why;
}

/* Is it one of those that GRO is for? Others are not worth to look at: few ever merge. */
static bool vmdev_soft_merges(const struct sk_buff *skb)
{
	return skb->protocol == htons(ETH_P_IP) || skb->protocol == htons(ETH_P_IPV6) ||
	       eth_type_vlan(skb->protocol);
}

static bool vmdev_soft_receives(struct vmdev_soft_pair *pair)
{
	return netif_running(pair->net->port) &&
	       !vmdev_soft_fails(&pair->net->soft, VMDEV_SOFT_FAIL_RECEIVE);
}

static void vmdev_soft_receive(struct vmdev_soft_pair *pair,
			       const struct vmdev_soft_burst *burst)
{
	unsigned int bytes = 0;
	int i;

	if (!vmdev_soft_receives(pair)) {
		for (i = 0; i < burst->n; i++)
			kfree_skb(burst->skbs[i]);
		pair->tx.drops += burst->n;
		return;
	}
	for (i = 0; i < burst->n; i++) {
		struct sk_buff *skb = burst->skbs[i];

		bytes += skb->len + ETH_HLEN;
		if (vmdev_soft_merges(skb))
			napi_gro_receive(&pair->napi, skb);
		else
			netif_receive_skb(skb);
	}
	pair->tx.packets += burst->n;
	pair->tx.bytes += bytes;
}

/**
 * vmdev_soft_net_poll() - what the driver sends
 * @napi: of a pair
 * @budget: frames at most
 *
 * Context: softirq.
 * Return: frames.
 */
int vmdev_soft_net_poll(struct napi_struct *napi, int budget)
{
	struct vmdev_soft_pair *pair = container_of(napi, struct vmdev_soft_pair, napi);
	struct bpf_prog *prog = rcu_dereference_bh(pair->net->prog);
	struct vmdev_soft_vq *vq = vmdev_soft_txq(pair);
	struct vmdev_soft_burst burst __uninitialized;
	u64 xdp = pair->tx.xdp;
	int left = budget;

	if (!budget)
		return 0;
	/* What is dropped no program sees, which could send it elsewhere. */
	if (!vmdev_soft_receives(pair))
		prog = NULL;
	do {
		burst.max = min(left, VMDEV_SOFT_BURST);
		burst.taken = 0;
		burst.n = 0;
		burst.why = NULL;
		spin_lock(&vq->lock);
		vmdev_soft_take(pair, prog, &burst, burst.max == left);
		spin_unlock(&vq->lock);
		vmdev_soft_receive(pair, &burst);
		left -= burst.taken;
	} while (left && burst.taken == burst.max);
	if (xdp != pair->tx.xdp)
		xdp_do_flush();
	if (burst.why)
		vmdev_soft_break(vq->soft, vq->index, burst.why);
	if (left)
		napi_complete_done(napi, budget - left);
	return budget - left;
}
