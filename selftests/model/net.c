// SPDX-License-Identifier: GPL-2.0
/* Net functions: frames from and to rings. */
#define _GNU_SOURCE
#include <errno.h>
#include <string.h>

#include "model.h"

#define NET_HDR		sizeof(struct virtio_net_hdr_v1)

/* Buffers that one frame may take. */
#define NET_BUFS_MAX	64

__u64 net_features(void)
{
	return VIO_BIT(VIRTIO_F_VERSION_1) | VIO_BIT(VIRTIO_F_ACCESS_PLATFORM) |
	       VIO_BIT(VIRTIO_F_RING_RESET) |
	       VIO_BIT(VIRTIO_RING_F_INDIRECT_DESC) |
	       VIO_BIT(VIRTIO_RING_F_EVENT_IDX) |
	       VIO_BIT(VIRTIO_NET_F_CSUM) | VIO_BIT(VIRTIO_NET_F_GUEST_CSUM) |
	       VIO_BIT(VIRTIO_NET_F_MTU) | VIO_BIT(VIRTIO_NET_F_MAC) |
	       VIO_BIT(VIRTIO_NET_F_MRG_RXBUF) | VIO_BIT(VIRTIO_NET_F_STATUS) |
	       VIO_BIT(VIRTIO_NET_F_CTRL_VQ) | VIO_BIT(VIRTIO_NET_F_CTRL_RX) |
	       VIO_BIT(VIRTIO_NET_F_CTRL_VLAN) |
	       VIO_BIT(VIRTIO_NET_F_CTRL_RX_EXTRA) |
	       VIO_BIT(VIRTIO_NET_F_CTRL_MAC_ADDR) | VIO_BIT(VIRTIO_NET_F_MQ);
}

static bool net_has(const struct fpga *f, unsigned int feature)
{
	return f->v->features & VIO_BIT(feature);
}

/**
 * net_cvq() - number of the control queue
 * @f: the function
 */
unsigned int net_cvq(const struct fpga *f)
{
	return net_has(f, VIRTIO_NET_F_MQ) ? 2 * f->net.pairs : 2;
}

/* --- receive ------------------------------------------------------------ */
/* How many receive queues frames go to. */
static unsigned int net_receivers(const struct fpga *f)
{
	unsigned int n = f->net.active, most = f->net.pairs;

	if (f->lm.count)
		most = f->lm.count;
	if (!net_has(f, VIRTIO_NET_F_MQ))
		return 1;
	if (!net_has(f, VIRTIO_NET_F_CTRL_VQ))
		n = f->lm.count ? most : 1;
	return n < most ? n : most;
}

/* One flow always takes one queue: addresses and ports of IPv4, else none. */
static unsigned int net_queue(const struct fpga *f, const struct frame *frame)
{
	const __u8 *ip = frame->data + 14;
	unsigned int i, hash = 0, n = net_receivers(f), vq;

	if (n > 1 && frame->len >= 14 + 24 && ip[0] == 0x45)
		for (i = 12; i < 24; i++)
			hash = hash * 31 + ip[i];
	/* Low bits of ports need not differ: the high ones of a product do. */
	vq = 2 * ((hash * 2654435761U >> 16) % n);
	/* A queue that does not run leaves its frames to the first one. */
	return f->v->vqs[vq].enabled ? vq : 0;
}

/*
 * Takes chains until there is room for @len bytes. Returns their number; 0 if
 * there are too few yet; -EMSGSIZE if the frame is too large for what is there.
 */
static int net_room(struct fpga *f, unsigned int vq, __u32 len,
		    struct vio_chain *chains)
{
	int n = 0, most = 1;
	__u64 room = 0;

	if (net_has(f, VIRTIO_NET_F_MRG_RXBUF))
		most = NET_BUFS_MAX;
	while (room < len && n < most) {
		if (vio_pop(f->v, vq, &chains[n]) <= 0)
			break;
		room += vio_chain_len(&chains[n++], true);
	}
	if (room >= len)
		return n;
	/* Buffers that are too small stay for smaller frames. */
	vio_unpop(f->v, vq, n);
	return n == most ? -EMSGSIZE : 0;
}

/* Frame and header, as they lie in buffers. */
static struct {
	struct virtio_net_hdr_v1 hdr;
	__u8 data[FRAME_MAX];
} image;

static __u32 net_image(const struct fpga *f, const struct frame *frame)
{
	static struct frame whole;

	if ((frame->hdr.flags & VIRTIO_NET_HDR_F_NEEDS_CSUM) &&
	    !net_has(f, VIRTIO_NET_F_GUEST_CSUM)) {
		memcpy(&whole, frame, offsetof(struct frame, data) + frame->len);
		frame_checksum(&whole);
		frame = &whole;
	}
	image.hdr = frame->hdr;
	memcpy(image.data, frame->data, frame->len);
	return NET_HDR + frame->len;
}

static bool net_deliver(struct port *p, const struct frame *frame)
{
	static struct vio_chain chains[NET_BUFS_MAX];
	struct fpga *f = p->priv;
	unsigned int vq = net_queue(f, frame);
	__u32 len = net_image(f, frame), at = 0;
	int i, n = net_room(f, vq, len, chains);

	if (n <= 0)
		return n;	/* too large: as if it had been lost */
	image.hdr.num_buffers = n;
	for (i = 0; i < n; i++) {
		int done = vio_chain_write(f->v, &chains[i],
					   (__u8 *)&image + at, len - at);

		if (done < 0) {
			vio_break(f->v);
			return true;
		}
		if (vio_fill(f->v, vq, i, chains[i].head, done))
			return true;
		at += done;
	}
	if (!vio_flush(f->v, vq, n))
		vio_interrupt(f->v, vq);
	return true;
}

static bool net_wants(struct port *p, const struct frame *frame)
{
	const struct fpga *f = p->priv;

	return (f->v->status & VIRTIO_CONFIG_S_DRIVER_OK) &&
	       !(f->v->status & VIRTIO_CONFIG_S_NEEDS_RESET) &&
	       f->v->vqs[0].enabled && frame->len <= FPGA_MTU + 18 &&
	       ctrl_passes(f, frame);
}

static const struct port_ops net_port_ops = {
	.wants		= net_wants,
	.deliver	= net_deliver,
};

/* --- transmit ----------------------------------------------------------- */
static void net_transmit(struct fpga *f, unsigned int vq)
{
	static struct vio_chain chain;
	static struct frame frame;
	unsigned int n = 0;

	while (vio_pop(f->v, vq, &chain) > 0) {
		__u32 len = vio_chain_len(&chain, false);

		if (vio_chain_read(f->v, &chain, &frame.hdr, NET_HDR) < 0 ||
		    vio_chain_read_at(f->v, &chain, NET_HDR, frame.data,
				      FRAME_MAX) < 0) {
			vio_break(f->v);
			return;
		}
		frame.len = len < NET_HDR ? 0 : len - NET_HDR;
		if (frame.len <= FRAME_MAX)
			port_send(&f->net.port, &frame);
		if (vio_push(f->v, vq, chain.head, 0))
			return;
		n++;
	}
	if (n)
		vio_interrupt(f->v, vq);
}

/**
 * net_serve() - a queue may have buffers
 * @f: the function
 * @vq: the queue
 */
void net_serve(struct fpga *f, unsigned int vq)
{
	if (vq == net_cvq(f) && net_has(f, VIRTIO_NET_F_CTRL_VQ))
		ctrl_serve(f, vq);
	else if (vq & 1)
		net_transmit(f, vq);
	else
		port_retry(&f->net.port);
}

/* --- begin and end ------------------------------------------------------ */
/**
 * net_reset() - the device was reset
 * @f: the function
 */
void net_reset(struct fpga *f)
{
	port_flush(&f->net.port);
	f->net.active = 1;
	ctrl_reset(f);
}

/**
 * net_init() - a net function's own
 * @f: the function
 * @conf: what the command line says
 */
void net_init(struct fpga *f, const struct fpga_conf *conf)
{
	struct net *net = &f->net;

	net->pairs = conf->pairs;
	net->config = (struct virtio_net_config) {
		.mac = { 0x52, 0x54, 0x00, 0x14, conf->set, conf->n },
		.status = VIRTIO_NET_S_LINK_UP,
		.max_virtqueue_pairs = conf->pairs,
		.mtu = FPGA_MTU,
	};
	port_add(&net->port, &net_port_ops, f);
}

/**
 * net_exit() - the reverse of net_init()
 * @f: the function
 */
void net_exit(struct fpga *f)
{
	port_remove(&f->net.port);
}
