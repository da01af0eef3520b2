// SPDX-License-Identifier: GPL-2.0
/*
 * Frames between the rings of a driver and its port.
 *
 * What the driver sends is what the port receives, and the reverse. A virtio_net_hdr
 * carries what is not done yet, checksums and segmentation, in both directions.
 */
#include <linux/etherdevice.h>
#include <linux/skbuff.h>
#include <linux/virtio_net.h>

#include "vmdev_soft.h"

/* The largest frame there is, of segmentation offloads. */
#define VMDEV_SOFT_FRAME	(ETH_HLEN + GSO_LEGACY_MAX_SIZE)

/* Bytes of a frame in its linear part, if it is a large one. */
#define VMDEV_SOFT_LINEAR	256

/* Buffers that one frame may take. */
#define VMDEV_SOFT_HEADS	80

/* --- from the driver to the port -------------------------------------------- */

/* @len bytes from @offset of what the device reads, to @skb from its begin. */
static int vmdev_soft_gather(struct vmdev_soft_vq *vq,
			     const struct vmdev_vring_chain *chain, u32 offset,
			     void *to, struct sk_buff *skb, u32 len)
{
	struct vmdev_soft *soft = vq->soft;
	u32 at = 0, n;
	int err = 0;
	u16 i;

	read_lock(&soft->maps_lock);
	for (i = 0; i < chain->nread && at < len && !err; i++) {
		u64 iova = chain->segs[i].addr;
		u32 left = chain->segs[i].len;

		if (offset >= left) {
			offset -= left;
			continue;
		}
		iova += offset;
		left = min(left - offset, len - at);
		offset = 0;
		while (left && !err) {
			void *va;

			n = left;
			va = vmdev_soft_va(soft, iova, false, &n);
			if (!va)
				err = -EFAULT;
			else if (skb)
				err = skb_store_bits(skb, at, va, n);
			else
				memcpy(to + at, va, n);
			iova += n;
			left -= n;
			at += n;
		}
	}
	read_unlock(&soft->maps_lock);
	return err;
}

static struct sk_buff *vmdev_soft_alloc(struct vmdev_soft *soft, u32 len)
{
	u32 linear = len > PAGE_SIZE ? VMDEV_SOFT_LINEAR : len;
	struct sk_buff *skb;
	int err;

	skb = alloc_skb_with_frags(NET_SKB_PAD + NET_IP_ALIGN + linear, len - linear,
				   PAGE_ALLOC_COSTLY_ORDER, &err, GFP_ATOMIC);
	if (!skb)
		return NULL;
	skb_reserve(skb, NET_SKB_PAD + NET_IP_ALIGN);
	skb_put(skb, linear);
	skb->data_len = len - linear;
	skb->len = len;
	skb->dev = soft->port;
	return skb;
}

/* The frame of a buffer, or NULL if it cannot be. */
static struct sk_buff *vmdev_soft_frame(struct vmdev_soft_vq *vq,
					const struct vmdev_vring_chain *chain)
{
	struct vmdev_soft *soft = vq->soft;
	struct virtio_net_hdr_mrg_rxbuf hdr;
	struct sk_buff *skb;
	u32 len;

	if (chain->read_len < soft->hdr_len + ETH_HLEN ||
	    chain->read_len - soft->hdr_len > VMDEV_SOFT_FRAME)
		return NULL;
	len = chain->read_len - soft->hdr_len;
	if (vmdev_soft_gather(vq, chain, 0, &hdr, NULL, sizeof(hdr)))
		return NULL;
	skb = vmdev_soft_alloc(soft, len);
	if (!skb)
		return NULL;
	if (vmdev_soft_gather(vq, chain, soft->hdr_len, NULL, skb, len))
		goto err_free;
	/* Its offsets are those of a frame. */
	if (virtio_net_hdr_to_skb(skb, &hdr.hdr, true))
		goto err_free;
	skb->protocol = eth_type_trans(skb, soft->port);
	skb_reset_network_header(skb);
	skb_probe_transport_header(skb);
	return skb;

err_free:
	kfree_skb(skb);
	return NULL;
}

static void vmdev_soft_receive(struct vmdev_soft *soft, struct sk_buff *skb)
{
	if (!skb || !netif_running(soft->port)) {
		dev_core_stats_rx_dropped_inc(soft->port);
		kfree_skb(skb);
		return;
	}
	dev_sw_netstats_rx_add(soft->port, skb->len + ETH_HLEN);
	napi_gro_receive(&soft->napi, skb);
}

/* Frames taken, at most @budget; NULL in @why, or what is wrong with the ring. */
static int vmdev_soft_take(struct vmdev_soft_vq *vq, int budget, const char **why)
{
	struct vmdev_vring_chain chain = { .segs = vq->segs, .max = VMDEV_CHAIN_MAX };
	int n = 0;

	if (!vq->on || vq->ring.why)
		return 0;
	vmdev_vring_kicks_off(&vq->ring);
	do {
		while (n < budget && vmdev_vring_pop(&vq->ring, &chain) > 0) {
			vmdev_soft_receive(vq->soft, vmdev_soft_frame(vq, &chain));
			vmdev_vring_push(&vq->ring, chain.id, chain.slots, 0);
			n++;
		}
		vmdev_soft_vq_publish(vq);
	} while (n < budget && !vq->ring.why && vmdev_vring_kicks_on(&vq->ring));
	*why = vq->ring.why;
	return n;
}

/**
 * vmdev_soft_poll() - what the driver sends
 * @napi: vmdev_soft.napi
 * @budget: frames at most
 *
 * Context: softirq.
 * Return: frames.
 */
int vmdev_soft_poll(struct napi_struct *napi, int budget)
{
	struct vmdev_soft *soft = container_of(napi, struct vmdev_soft, napi);
	struct vmdev_soft_vq *vq = &soft->vqs[VMDEV_SOFT_TX];
	const char *why = NULL;
	int n;

	spin_lock(&vq->lock);
	n = vmdev_soft_take(vq, budget, &why);
	spin_unlock(&vq->lock);
	if (why)
		vmdev_soft_break(soft, why);
	if (n < budget)
		napi_complete_done(napi, n);
	return n;
}

/* --- from the port to the driver --------------------------------------------- */

/**
 * struct vmdev_soft_head - a buffer that a frame is put into
 * @id: its id
 * @slots: entries that it takes
 * @len: bytes written to it
 */
struct vmdev_soft_head {
	u16 id;
	u16 slots;
	u32 len;
};

/*
 * What fits of header and frame, from @at on, into a buffer. The bytes, or a negative
 * errno; where the count of buffers has to be is stored in @count if it is the first.
 */
static int vmdev_soft_scatter(struct vmdev_soft_vq *vq,
			      const struct vmdev_vring_chain *chain,
			      const struct virtio_net_hdr_mrg_rxbuf *hdr,
			      struct sk_buff *skb, u32 at, u8 **count)
{
	struct vmdev_soft *soft = vq->soft;
	u32 end = soft->hdr_len + skb->len, begin = at, n, k;
	u16 i;

	for (i = chain->nread; i < chain->nsegs && at < end; i++) {
		u64 iova = chain->segs[i].addr;
		u32 left = min(chain->segs[i].len, end - at);

		while (left) {
			void *va;

			n = left;
			va = vmdev_soft_va(soft, iova, true, &n);
			if (!va)
				return -EFAULT;
			for (k = 0; k < n && at + k < soft->hdr_len; k++) {
				((u8 *)va)[k] = ((const u8 *)hdr)[at + k];
				if (at + k >= offsetof(typeof(*hdr), num_buffers))
					count[at + k - offsetof(typeof(*hdr),
								num_buffers)] = va + k;
			}
			if (k < n && skb_copy_bits(skb, at + k - soft->hdr_len,
						   va + k, n - k))
				return -EFAULT;
			iova += n;
			left -= n;
			at += n;
		}
	}
	return at - begin;
}

/* Puts the buffers back that were popped for a frame, the last one first. */
static void vmdev_soft_unpop(struct vmdev_soft_vq *vq,
			     const struct vmdev_soft_head *heads, u16 n)
{
	while (n--) {
		struct vmdev_vring_chain chain = {
			.id = heads[n].id,
			.slots = heads[n].slots,
		};

		vmdev_vring_unpop(&vq->ring, &chain);
	}
}

/*
 * All buffers that there are were popped, and more are needed: the port stops, until a
 * kick for the next one wakes it. False if there are more already.
 */
static bool vmdev_soft_waits(struct vmdev_soft_vq *vq)
{
	/* Before a kick is asked for: one that comes at once must find it stopped. */
	netif_stop_queue(vq->soft->port);
	if (!vmdev_vring_kicks_on(&vq->ring))
		return true;
	netif_start_queue(vq->soft->port);
	return false;
}

/* Buffers that the frame is in now, or a negative errno with all as it was. */
static int vmdev_soft_fill(struct vmdev_soft_vq *vq, struct sk_buff *skb,
			   struct virtio_net_hdr_mrg_rxbuf *hdr,
			   struct vmdev_soft_head *heads)
{
	struct vmdev_vring_chain chain = { .segs = vq->segs, .max = VMDEV_CHAIN_MAX };
	u32 at = 0, end = vq->soft->hdr_len + skb->len;
	bool merge = vmdev_soft_has(vq->soft, VIRTIO_NET_F_MRG_RXBUF);
	u8 *count[2] = { NULL };
	int got = 1;
	u16 n = 0;

	while (at < end && got > 0) {
		if (n == VMDEV_SOFT_HEADS || (n && !merge)) {
			got = -EMSGSIZE;
			break;
		}
		got = vmdev_vring_pop(&vq->ring, &chain);
		if (!got && !vmdev_soft_waits(vq)) {
			got = 1;
			continue;
		}
		if (got <= 0)
			break;
		got = vmdev_soft_scatter(vq, &chain, hdr, skb, at, count);
		heads[n++] = (struct vmdev_soft_head) {
			.id = chain.id, .slots = chain.slots, .len = max(got, 0),
		};
		at += max(got, 0);
	}
	if (at < end || !count[1]) {
		vmdev_soft_unpop(vq, heads, n);
		return got ? got < 0 ? got : -EMSGSIZE : -ENOBUFS;
	}
	*count[0] = n & 0xff;
	*count[1] = n >> 8;
	return n;
}

/**
 * vmdev_soft_deliver() - put a frame into receive buffers
 * @vq: the queue, on
 * @skb: the frame
 *
 * Context: softirq; @vq->lock held.
 * Return: 0; -ENOBUFS if there are too few buffers now, and the port stops; another negative errno if this
 * frame cannot be received at all.
 */
int vmdev_soft_deliver(struct vmdev_soft_vq *vq, struct sk_buff *skb)
{
	struct vmdev_soft_head heads[VMDEV_SOFT_HEADS];
	struct virtio_net_hdr_mrg_rxbuf hdr = { 0 };
	int i, n;

	if (vq->ring.why)
		return -EBADMSG;
	if (virtio_net_hdr_from_skb(skb, &hdr.hdr, true,
				    vmdev_soft_has(vq->soft, VIRTIO_NET_F_GUEST_CSUM),
				    0))
		return -EINVAL;
	read_lock(&vq->soft->maps_lock);
	n = vmdev_soft_fill(vq, skb, &hdr, heads);
	read_unlock(&vq->soft->maps_lock);
	if (n < 0)
		return n;
	for (i = 0; i < n; i++)
		vmdev_vring_push(&vq->ring, heads[i].id, heads[i].slots, heads[i].len);
	vmdev_soft_vq_publish(vq);
	return 0;
}
