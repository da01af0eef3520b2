// SPDX-License-Identifier: GPL-2.0
/*
 * Frames of 64 KiB that are not segmented yet, as TCP makes them: a virtio_net_hdr tells
 * how that is to be done.
 */
#define _GNU_SOURCE
#include <endian.h>
#include <errno.h>
#include <linux/virtio_net.h>
#include <string.h>

#include "bench.h"

#define GSO_HEADERS	(14 + 20 + 20)
#define GSO_MSS		1460
#define GSO_IP		(40 + 44 * GSO_MSS)
#define GSO_LEN		(14 + GSO_IP)

/* Header, and a page in each other piece. */
#define GSO_SEGS	(1 + (GSO_LEN - GSO_HEADERS + VC_PAGE - 1) / VC_PAGE)

/* So many fit into a ring, in one direction by pieces and in the other one by buffers. */
static const unsigned int gso_batches[] = { 1, 4 };

/* To a station that is not there, from 10.99.0.1 to 10.99.0.2; checksums need not be right. */
static const __u8 headers[GSO_HEADERS] = {
	0x02, 0, 0, 0, 0, 0x01, 0x02, 0, 0, 0, 0, 0x02, 0x08, 0x00,
	0x45, 0, GSO_IP >> 8, GSO_IP & 0xff, 0, 0, 0x40, 0, 64, 6, 0, 0, 10, 99, 0, 1, 10, 99, 0, 2,
	0x30, 0x39, 0x30, 0x39, 0, 0, 0, 1, 0, 0, 0, 1, 0x50, 0x10, 0xff, 0xff, 0, 0, 0, 0,
};

static const struct virtio_net_hdr net_hdr = {
	.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
	.gso_type = VIRTIO_NET_HDR_GSO_TCPV4,
	.hdr_len = GSO_HEADERS,
	.gso_size = GSO_MSS,
	.csum_start = 14 + 20,
	.csum_offset = 16,
};

/* As a packet socket takes it. */
static struct {
	struct virtio_net_hdr hdr;
	__u8 frame[GSO_LEN];
} packet;

/* A frame in the arena, and how it is offered. */
static void gso_prepare(struct net_end *end, struct vq_seg *segs)
{
	__u8 *buf = vc_alloc(end->c, VC_PAGE + GSO_LEN, VC_PAGE);
	unsigned int i, left = GSO_LEN - GSO_HEADERS;

	if (!buf)
		die("buffers", -ENOMEM);
	memcpy(buf, &net_hdr, sizeof(net_hdr));
	memcpy(buf + NET_HDR, headers, sizeof(headers));
	segs[0] = (struct vq_seg){ vc_iova(end->c, buf), NET_HDR + GSO_HEADERS };
	for (i = 1; i < GSO_SEGS; i++) {
		segs[i].iova = vc_iova(end->c, buf + i * VC_PAGE);
		segs[i].len = left < VC_PAGE ? left : VC_PAGE;
		left -= segs[i].len;
	}
	packet.hdr = net_hdr;
	memcpy(packet.frame, headers, sizeof(headers));
}

static void gso_reap(struct net_end *end, unsigned int n)
{
	__u32 len;

	while (n--)
		if (!vq_get(end->tx, &len))
			die("completion", end->tx->error);
}

static double gso_tx(struct net_end *end, const struct vq_seg *segs, unsigned int batch)
{
	struct meter m;
	unsigned int i;
	__u64 idle;

	vq_call_after(end->tx, 0);
	meter_begin(&m);
	for (i = 0; i < batch; i++)
		check("offer", vq_add(end->tx, segs, GSO_SEGS, 0, end));
	vq_kick(end->tx);
	idle = spin_used(end->tx, batch);
	gso_reap(end, batch);
	return (meter_end(&m) - idle) / batch;
}

static void gso_tx_rounds(struct net_end *end, const struct vq_seg *segs, unsigned int batch,
			  unsigned int rounds)
{
	struct meter_set set;
	unsigned int i;

	if (!meter_wanted("tx-gso-poll/%u", batch))
		return;
	meter_prio(METER_LAST);
	meter_set_init(&set, rounds);
	for (i = 0; i < rounds; i++)
		meter_add(&set, gso_tx(end, segs, batch));
	meter_prio(METER_NORMAL);
	meter_report(&set, "tx-gso-poll/%u", batch);
}

/* The features that it takes, beside those of all other cases. */
const __u64 gso_features = BIT64(VIRTIO_NET_F_MRG_RXBUF) | BIT64(VIRTIO_NET_F_CSUM) |
			   BIT64(VIRTIO_NET_F_GUEST_CSUM) | BIT64(VIRTIO_NET_F_HOST_TSO4) |
			   BIT64(VIRTIO_NET_F_GUEST_TSO4);

/**
 * bench_gso() - frames of 64 KiB, both ways
 * @end: the driver, with gso_features, its receive buffers not offered yet
 * @name: interface on the host
 * @rounds: how often
 */
void bench_gso(struct net_end *end, const char *name, unsigned int rounds)
{
	struct vq_seg segs[GSO_SEGS];
	unsigned int i;

	gso_prepare(end, segs);
	for (i = 0; i < ARRAY_SIZE(gso_batches); i++)
		gso_tx_rounds(end, segs, gso_batches[i], rounds);
	bench_host_gso(end, name, &packet, sizeof(packet), gso_batches, ARRAY_SIZE(gso_batches),
		       rounds);
}

void case_gso(const struct bench *b)
{
	struct net_end end;
	struct rig r;

	end_vdpa_with(&end, &r, b->dev, gso_features);
	if ((r.c.features & gso_features) != gso_features)
		die("offloads", -EOPNOTSUPP);
	host_up(b->port);
	bench_gso(&end, b->port, b->rounds);
	end_close(&end, &r);
}
