// SPDX-License-Identifier: GPL-2.0
/*
 * A driver that breaks the rules of its ring breaks its device: this one needs a reset, and
 * says so with an interrupt of its configuration. Nobody else's does, whatever the
 * devices share, and traffic of others goes on meanwhile.
 */
#define _GNU_SOURCE
#include <endian.h>
#include <poll.h>
#include <sys/eventfd.h>

#include <linux/virtio_blk.h>

#include "tests.h"

static const __u8 nobody[6] = { 2, 0, 0, 0, 0, 1 };

static struct rig dut, peer;
static int dut_config, peer_config;

static int config_call(struct rig *r)
{
	int fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);

	CHECK(fd >= 0, "eventfd");
	CHECK_OK(vc_set_config_call(&r->c, fd));
	return fd;
}

static bool was_called(int fd, int ms)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	__u64 n;

	return poll(&p, 1, ms) > 0 && read(fd, &n, sizeof(n)) == sizeof(n);
}

static void peer_sends(unsigned int n)
{
	unsigned int i;

	for (i = 0; i < n; i++)
		CHECK_OK(net_send(&peer, i & 1 ? nobody : dut.mac, i, NET_MIN_FRAME));
	vq_kick(&peer.vq[NET_TX]);
}

/* --- rules ------------------------------------------------------------------------------- */
static void break_head(struct vq *vq)
{
	struct vring_avail *avail = vq->driver;

	avail->ring[vq->avail_idx % vq->num] = htole16(vq->num);
	__atomic_store_n(&avail->idx, htole16(vq->avail_idx + 1), __ATOMIC_RELEASE);
}

static void break_index(struct vq *vq)
{
	struct vring_avail *avail = vq->driver;

	__atomic_store_n(&avail->idx, htole16(vq->avail_idx + vq->num + 1), __ATOMIC_RELEASE);
}

static void break_chain(struct vq *vq, __u16 flags, __u16 next)
{
	struct vring_avail *avail = vq->driver;
	struct vring_desc *desc = vq->desc;
	__u16 id = vq->free[0];

	desc[id].addr = htole64(vq->c->iova);
	desc[id].len = htole32(64);
	desc[id].flags = htole16(flags);
	desc[id].next = htole16(next);
	avail->ring[vq->avail_idx % vq->num] = htole16(id);
	__atomic_store_n(&avail->idx, htole16(vq->avail_idx + 1), __ATOMIC_RELEASE);
}

static void break_next(struct vq *vq)
{
	break_chain(vq, VRING_DESC_F_NEXT, vq->num);
}

static void break_loop(struct vq *vq)
{
	break_chain(vq, VRING_DESC_F_NEXT, vq->free[0]);
}

static void break_indirect(struct vq *vq)
{
	break_chain(vq, VRING_DESC_F_INDIRECT, 0);
}

static void (*const breaks[])(struct vq *vq) = {
	break_head, break_index, break_next, break_loop, break_indirect,
};

/* Somebody looks at a ring when it is kicked; at one to receive, when a frame is there. */
static void have_it_seen(struct vq *vq)
{
	if (vq->idx == NET_RX && dut.nvqs > 1) {
		peer_sends(2);
		CHECK_OK(net_drain_tx(&peer, RIG_WAIT_MS));
	}
	vq_kick(vq);
}

/* It has to say so, within the time that a device may take. */
static void check_breaks(struct vq *vq, unsigned int how)
{
	__u64 end = vc_now_ms() + RIG_WAIT_MS;

	breaks[how](vq);
	do {
		have_it_seen(vq);
		CHECK(vc_now_ms() < end, "rule %u: nobody minds", how);
		vc_sleep_us(1000);
	} while (!(vc_get_status(&dut.c) & ST_NEEDS_RESET));
	CHECK(was_called(dut_config, RIG_WAIT_MS), "rule %u: no interrupt", how);
}

/* --- of a net device, beside another one -------------------------------------------------- */
static void check_peer(unsigned int how)
{
	CHECK_OK(net_drain_tx(&peer, RIG_WAIT_MS));
	peer_sends(16);
	CHECK_OK(net_drain_tx(&peer, RIG_WAIT_MS));
	CHECK_IS(vc_get_status(&peer.c), ST_NEGOTIATED | ST_DRIVER_OK);
	CHECK(!was_called(peer_config, 0), "rule %u: the other one is told, too", how);
}

static void breaks_beside(unsigned int idx, bool traffic)
{
	unsigned int how;

	if (!opts.software)
		SKIP("only with --software");
	need("peer", opts.peer, "no peer (-p)");
	CHECK_OK(rig_up(&dut, opts.dev, 0));
	need_net(&dut.c);
	CHECK_OK(rig_up(&peer, opts.peer, 0));
	dut_config = config_call(&dut);
	peer_config = config_call(&peer);
	for (how = 0; how < ARRAY_SIZE(breaks); how++) {
		peer_sends(traffic ? 32 : 0);
		check_breaks(&dut.vq[idx], how);
		check_peer(how);
		CHECK_OK(rig_again(&dut));
		/* It is forgotten by reset. */
		CHECK_OK(vc_set_config_call(&dut.c, dut_config));
		CHECK_OK(net_send(&dut, nobody, how, NET_MIN_FRAME));
		vq_kick(&dut.vq[NET_TX]);
		CHECK_OK(net_drain_tx(&dut, RIG_WAIT_MS));
	}
}

TEST_OURS(broken_sender_is_alone)
{
	breaks_beside(NET_TX, false);
}

TEST_OURS(broken_sender_is_alone_in_traffic)
{
	breaks_beside(NET_TX, true);
}

/* Who looks at the receive ring is who sends. */
TEST_OURS(broken_receiver_is_alone_in_traffic)
{
	breaks_beside(NET_RX, true);
}

/* --- of a disk ----------------------------------------------------------------------------- */
TEST_OURS(blk_broken_ring)
{
	struct blk_req req;
	unsigned int how;

	if (!opts.software)
		SKIP("only with --software");
	CHECK_OK(rig_up(&dut, opts.dev, 0));
	need_blk(&dut.c);
	CHECK_OK(blk_prepare(&dut, &req));
	dut_config = config_call(&dut);
	for (how = 0; how < ARRAY_SIZE(breaks); how++) {
		check_breaks(&dut.vq[0], how);
		CHECK_OK(rig_again(&dut));
		CHECK_OK(vc_set_config_call(&dut.c, dut_config));
		CHECK_OK(blk_do(&dut, &req, VIRTIO_BLK_T_IN, 0, 512));
	}
}

/* Requests without a header, or without room for a status, break a ring that is sound. */
static void break_request(struct blk_req *req, unsigned int nout, unsigned int nin)
{
	__u64 end = vc_now_ms() + RIG_WAIT_MS;
	struct vq_seg seg = { vc_iova(&dut.c, req->data), 512 };

	CHECK_OK(vq_add(&dut.vq[0], &seg, nout, nin, req));
	vq_kick(&dut.vq[0]);
	while (!(vc_get_status(&dut.c) & ST_NEEDS_RESET)) {
		CHECK(vc_now_ms() < end, "nobody minds");
		vc_sleep_us(1000);
	}
	CHECK(was_called(dut_config, RIG_WAIT_MS), "no interrupt");
}

TEST_OURS(blk_broken_request)
{
	struct blk_req req;
	unsigned int i;

	if (!opts.software)
		SKIP("only with --software");
	CHECK_OK(rig_up(&dut, opts.dev, 0));
	need_blk(&dut.c);
	CHECK_OK(blk_prepare(&dut, &req));
	dut_config = config_call(&dut);
	for (i = 0; i < 2; i++) {
		break_request(&req, i, !i);
		CHECK_OK(rig_again(&dut));
		CHECK_OK(vc_set_config_call(&dut.c, dut_config));
		CHECK_OK(blk_do(&dut, &req, VIRTIO_BLK_T_IN, 0, 512));
	}
}
