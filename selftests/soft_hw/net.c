// SPDX-License-Identifier: GPL-2.0
/*
 * A NIC. Two of them are the ends of one wire, which loses nothing as long as
 * both run: what the other one has no buffer for is not taken.
 */
#include <linux/etherdevice.h>
#include <linux/slab.h>
#include <uapi/linux/virtio_config.h>
#include <uapi/linux/virtio_ids.h>
#include <uapi/linux/virtio_net.h>

#include "soft_hw.h"

#define SOFT_RX		0
#define SOFT_TX		1
#define SOFT_FRAME	(64U << 10)
#define SOFT_HDR	sizeof(struct virtio_net_hdr_mrg_rxbuf)
/* Frames in one go. */
#define SOFT_BUDGET	64

static int soft_net_init(struct soft_hw *soft)
{
	struct virtio_net_config *config = (void *)soft->config;

	BUILD_BUG_ON(offsetofend(struct virtio_net_config, mtu) > SOFT_CONFIG);
	eth_random_addr(config->mac);
	config->status = __cpu_to_virtio16(true, VIRTIO_NET_S_LINK_UP);
	soft->bounce = kvmalloc(SOFT_FRAME, GFP_KERNEL);
	return soft->bounce ? 0 : -ENOMEM;
}

static void soft_net_exit(struct soft_hw *soft)
{
	kvfree(soft->bounce);
}

/* Nothing stays under way: a frame is sent at once, and receive buffers are not taken. */
static void soft_net_finish(struct soft_hw *soft, u16 i)
{
}

/* A frame to one that has a buffer for it; false if it has not. */
static bool soft_net_arrive(struct soft_hw *soft, const void *frame, u32 len)
{
	struct virtio_net_hdr_mrg_rxbuf hdr = {
		.num_buffers = __cpu_to_virtio16(true, 1),
	};
	const struct soft_buf *buf = soft_vq_take(soft, SOFT_RX);

	if (!buf)
		return false;
	soft_write(soft, buf, 0, &hdr, SOFT_HDR);
	len = soft_write(soft, buf, SOFT_HDR, frame, len);
	soft->done++;
	soft_vq_give(soft, SOFT_RX, 0, SOFT_HDR + len);
	return true;
}

/* 1 if a frame was sent, 0 if there is none, -EAGAIN if it has to wait. */
static int soft_net_send(struct soft_hw *soft)
{
	struct soft_hw *peer = soft->peer;
	struct soft_buf *buf = soft_vq_take(soft, SOFT_TX);
	u32 len;

	if (!buf)
		return 0;
	len = min_t(u32, buf->chain.read_len, SOFT_FRAME);
	len = len > SOFT_HDR ? soft_read(soft, buf, SOFT_HDR, soft->bounce,
					 len - SOFT_HDR) : 0;
	/* A wire without an end swallows them. */
	if (!(peer->status & VIRTIO_CONFIG_S_DRIVER_OK) ||
	    peer->vqs[SOFT_RX].ring.why) {
		soft->dropped++;
	} else if (!soft_net_arrive(peer, soft->bounce, len)) {
		soft_vq_untake(soft, SOFT_TX);
		return -EAGAIN;
	}
	soft_vq_give(soft, SOFT_TX, 0, 0);
	return 1;
}

static bool soft_net_run(struct soft_hw *soft)
{
	int sent = 1, budget = SOFT_BUDGET;
	bool room, more;

	while (budget-- && sent > 0)
		sent = soft_net_send(soft);
	/* Whoever makes a receive buffer available has the other one send. */
	room = soft_vq_tell(soft->peer, SOFT_RX);
	more = soft_vq_tell(soft, SOFT_TX);
	return more && (sent >= 0 || room);
}

const struct soft_type soft_net = {
	.id = VIRTIO_ID_NET,
	.features = BIT_ULL(VIRTIO_NET_F_MAC) | BIT_ULL(VIRTIO_NET_F_STATUS),
	.init = soft_net_init,
	.exit = soft_net_exit,
	.run = soft_net_run,
	.finish = soft_net_finish,
};
