// SPDX-License-Identifier: GPL-2.0
/*
 * The honest part: a net device whose wire is a loop, and a control queue that
 * agrees to everything. Buffers move by DMA, as a real device moves them.
 */
#define _GNU_SOURCE
#include <string.h>

#include "hostile.h"

#define NET_HDR		sizeof(struct virtio_net_hdr_v1)
#define NET_FRAME_MAX	65550U

/* Where a used index that jumps lands. */
#define NET_JUMP	1000

__u64 net_features(void)
{
	return VIO_BIT(VIRTIO_F_VERSION_1) | VIO_BIT(VIRTIO_F_ACCESS_PLATFORM) |
	       VIO_BIT(VIRTIO_F_RING_RESET) | VIO_BIT(VIRTIO_NET_F_MAC) |
	       VIO_BIT(VIRTIO_NET_F_STATUS) | VIO_BIT(VIRTIO_NET_F_MTU) |
	       VIO_BIT(VIRTIO_NET_F_CTRL_VQ) |
	       VIO_BIT(VIRTIO_NET_F_CTRL_MAC_ADDR) | VIO_BIT(VIRTIO_NET_F_MQ);
}

static unsigned int net_cvq(const struct vio *v)
{
	return v->features & VIO_BIT(VIRTIO_NET_F_MQ) ? 2 * HOSTILE_PAIRS : 2;
}

/* Gives a chain back, in whatever way it has to be. */
static void net_push(struct vio *v, unsigned int vq, __u32 id, __u32 len)
{
	struct hostile *h = v->priv;

	if (hostile_lies_by(h, ACT_NO_COMPLETE))
		return;
	if (hostile_lies_by(h, ACT_USED_ID))
		id += v->vqs[vq].regs.size;
	if (hostile_lies_by(h, ACT_USED_LEN))
		len = 0xfffffff0;
	if (hostile_lies_by(h, ACT_USED_JUMP))
		v->vqs[vq].used_idx += NET_JUMP;
	if (hostile_lies_by(h, ACT_USED_BACK))
		v->vqs[vq].used_idx -= 2;
	if (!vio_push(v, vq, id, len))
		vio_interrupt(v, vq);
}

/* What was sent on a pair comes back on it, if there is a buffer. */
static void net_deliver(struct vio *v, unsigned int rx, void *frame, __u32 len)
{
	struct virtio_net_hdr_v1 hdr = { .num_buffers = 1 };
	struct vio_chain chain;
	int n;

	if (len < NET_HDR || vio_pop(v, rx, &chain) <= 0)
		return;
	memcpy(frame, &hdr, sizeof(hdr));
	n = vio_chain_write(v, &chain, frame, len);
	if (n < 0)
		vio_break(v);
	else
		net_push(v, rx, chain.head, n);
}

static void net_transmit(struct vio *v, unsigned int tx)
{
	static __u8 frame[NET_FRAME_MAX];
	struct vio_chain chain;

	while (vio_pop(v, tx, &chain) > 0) {
		int n = vio_chain_read(v, &chain, frame, sizeof(frame));

		if (n < 0) {
			vio_break(v);
			return;
		}
		net_deliver(v, tx - 1, frame, n);
		net_push(v, tx, chain.head, 0);
	}
}

static void net_control(struct vio *v, unsigned int vq)
{
	static const __u8 ok = VIRTIO_NET_OK;
	struct vio_chain chain;

	while (vio_pop(v, vq, &chain) > 0) {
		int n = vio_chain_write(v, &chain, &ok, sizeof(ok));

		if (n < 0) {
			vio_break(v);
			return;
		}
		net_push(v, vq, chain.head, n);
	}
}

/**
 * net_kick() - a queue has buffers
 * @v: the function
 * @vq: the queue
 */
void net_kick(struct vio *v, unsigned int vq)
{
	if (hostile_lies_by(v->priv, ACT_NO_CONSUME | ACT_ONES))
		return;
	if (vq == net_cvq(v))
		net_control(v, vq);
	else if (vq & 1)
		net_transmit(v, vq);
	/* A receive queue has its buffers ready. */
}
