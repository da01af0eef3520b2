// SPDX-License-Identifier: GPL-2.0
/* XDP on the port: programs see what the driver sends before anybody else does. */
#include <linux/bpf_trace.h>
#include <linux/filter.h>
#include <net/page_pool/helpers.h>
#include <trace/events/xdp.h>

#include "net.h"

/**
 * vmdev_soft_xdp_room() - bytes of a frame that fit into a page
 *
 * Larger ones are given to the program as other kinds of Ethernet devices do that have
 * frames of many pages: with do_xdp_generic().
 */
u32 vmdev_soft_xdp_room(void)
{
	return SKB_WITH_OVERHEAD(PAGE_SIZE) - XDP_PACKET_HEADROOM;
}

/* A frame of a program's for the driver of the pair. */
static int vmdev_soft_xdp_deliver(struct vmdev_soft_pair *pair, const void *data,
				  u32 len)
{
	const struct vmdev_soft_frame frame = { .data = data, .len = len };
	struct vmdev_soft_vq *vq = vmdev_soft_rxq(pair);
	const struct virtio_net_hdr hdr = { 0 };
	int err = -ENETDOWN;
	const char *why;

	spin_lock(&vq->lock);
	if (vq->on)
		err = vmdev_soft_net_deliver(pair, &hdr, &frame);
	if (err)
		pair->rx.drops++;
	why = vq->on ? vq->ring.why : NULL;
	spin_unlock(&vq->lock);
	if (unlikely(why))
		vmdev_soft_break(&pair->net->soft, vq->index, why);
	return err;
}

static void vmdev_soft_xdp_publish(struct vmdev_soft_pair *pair)
{
	struct vmdev_soft_vq *vq = vmdev_soft_rxq(pair);

	spin_lock(&vq->lock);
	if (vq->on)
		vmdev_soft_vq_publish(vq);
	spin_unlock(&vq->lock);
}

static struct sk_buff *vmdev_soft_xdp_pass(struct vmdev_soft_pair *pair,
					   const struct xdp_buff *xdp)
{
	struct sk_buff *skb = napi_build_skb(xdp->data_hard_start, PAGE_SIZE);

	if (!skb)
		return NULL;
	skb_reserve(skb, xdp->data - xdp->data_hard_start);
	skb_put(skb, xdp->data_end - xdp->data);
	if (xdp->data != xdp->data_meta)
		skb_metadata_set(skb, xdp->data - xdp->data_meta);
	skb_mark_for_recycle(skb);
	skb_record_rx_queue(skb, pair->index);
	skb->protocol = eth_type_trans(skb, pair->net->port);
	return skb;
}

/* Did the driver get it back? The page stays ours. */
static bool vmdev_soft_xdp_back(struct vmdev_soft_pair *pair,
				const struct xdp_buff *xdp)
{
	if (vmdev_soft_xdp_deliver(pair, xdp->data, xdp->data_end - xdp->data))
		return false;
	vmdev_soft_xdp_publish(pair);
	return true;
}

/**
 * vmdev_soft_xdp_run() - give a frame to a program
 * @pair: the pair whose driver sent it
 * @prog: the program
 * @page: a page of the pair's pool, with the frame after XDP_PACKET_HEADROOM
 * @len: bytes of it
 *
 * Context: NAPI of the pair; its transmit queue's lock held. xdp_do_flush() is the
 * caller's.
 * Return: what is to go on, or NULL.
 */
struct sk_buff *vmdev_soft_xdp_run(struct vmdev_soft_pair *pair,
				   struct bpf_prog *prog, struct page *page, u32 len)
{
	struct net_device *port = pair->net->port;
	struct sk_buff *skb = NULL;
	struct xdp_buff xdp;
	u32 act;

	xdp_init_buff(&xdp, PAGE_SIZE, &pair->rxq);
	xdp_prepare_buff(&xdp, page_address(page), XDP_PACKET_HEADROOM, len, true);
	act = bpf_prog_run_xdp(prog, &xdp);
	switch (act) {
	case XDP_PASS:
		skb = vmdev_soft_xdp_pass(pair, &xdp);
		if (skb)
			return skb;
		pair->tx.drops++;
		break;
	case XDP_REDIRECT:
		pair->tx.xdp++;
		if (!xdp_do_redirect(port, &xdp, prog))
			return NULL;
		trace_xdp_exception(port, prog, act);
		break;
	case XDP_TX:
		pair->tx.xdp++;
		if (!vmdev_soft_xdp_back(pair, &xdp))
			trace_xdp_exception(port, prog, act);
		break;
	default:
		bpf_warn_invalid_xdp_action(port, prog, act);
		fallthrough;
	case XDP_ABORTED:
		trace_xdp_exception(port, prog, act);
		fallthrough;
	case XDP_DROP:
		pair->tx.xdp++;
		break;
	}
	page_pool_recycle_direct(pair->pool, page);
	return NULL;
}

/**
 * vmdev_soft_xdp_xmit() - ndo_xdp_xmit: frames that were redirected to the port
 * @port: the port
 * @n: how many
 * @frames: the frames; those that are taken are freed
 * @flags: XDP_XMIT_*
 *
 * Context: softirq.
 * Return: how many were taken, the first ones; -EINVAL, -ENETDOWN.
 */
int vmdev_soft_xdp_xmit(struct net_device *port, int n, struct xdp_frame **frames,
			u32 flags)
{
	struct vmdev_soft_net *net = vmdev_soft_port_net(port);
	struct vmdev_soft_pair *pair;
	int i;

	if (flags & ~XDP_XMIT_FLAGS_MASK)
		return -EINVAL;
	if (!netif_running(port) || !netif_carrier_ok(port))
		return -ENETDOWN;

	pair = &net->pairs[smp_processor_id() % READ_ONCE(net->active)];
	for (i = 0; i < n; i++) {
		struct xdp_frame *frame = frames[i];

		if (xdp_frame_has_frags(frame) ||
		    vmdev_soft_xdp_deliver(pair, frame->data, frame->len))
			break;
		xdp_return_frame_rx_napi(frame);
	}
	vmdev_soft_xdp_publish(pair);
	return i;
}

/**
 * vmdev_soft_pool_put() - the reverse of vmdev_soft_pool_get(), whatever became of it
 * @pair: the pair; its NAPI is disabled
 *
 * Context: may sleep.
 */
void vmdev_soft_pool_put(struct vmdev_soft_pair *pair)
{
	if (xdp_rxq_info_is_reg(&pair->rxq))
		xdp_rxq_info_unreg(&pair->rxq);
	page_pool_destroy(pair->pool);
	pair->pool = NULL;
}

/**
 * vmdev_soft_pool_get() - memory for frames that the driver sends
 * @pair: the pair, which has none
 *
 * Pages come back when whoever got a frame frees it.
 *
 * Context: may sleep.
 * Return: 0 or a negative errno; vmdev_soft_pool_put() either way.
 */
int vmdev_soft_pool_get(struct vmdev_soft_pair *pair)
{
	const struct page_pool_params params = {
		.pool_size = 256,
		.nid = NUMA_NO_NODE,
		.napi = &pair->napi,
	};
	struct page_pool *pool;
	int err;

	pool = page_pool_create(&params);
	if (IS_ERR(pool))
		return PTR_ERR(pool);
	pair->pool = pool;
	err = xdp_rxq_info_reg(&pair->rxq, pair->net->port, pair->index,
			       pair->napi.napi_id);
	if (err)
		return err;
	return xdp_rxq_info_reg_mem_model(&pair->rxq, MEM_TYPE_PAGE_POOL, pool);
}

static int vmdev_soft_xdp_set(struct vmdev_soft_net *net, struct bpf_prog *prog)
{
	struct bpf_prog *old = rtnl_dereference(net->prog);

	rcu_assign_pointer(net->prog, prog);
	/* Freed when whoever runs it is done with it. */
	if (old)
		bpf_prog_put(old);
	return 0;
}

/**
 * vmdev_soft_xdp_bpf() - ndo_bpf of the port
 * @port: the port
 * @bpf: what is asked for
 *
 * Context: may sleep; RTNL held.
 */
int vmdev_soft_xdp_bpf(struct net_device *port, struct netdev_bpf *bpf)
{
	switch (bpf->command) {
	case XDP_SETUP_PROG:
		return vmdev_soft_xdp_set(vmdev_soft_port_net(port), bpf->prog);
	default:
		return -EINVAL;
	}
}
