// SPDX-License-Identifier: GPL-2.0
/*
 * Reset and suspend end what a device does: all that it used is in the used ring by then,
 * and not a byte of memory changes afterwards.
 */
#define _GNU_SOURCE
#include <endian.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include <linux/virtio_blk.h>

#include "tests.h"

/* Long enough for a device that goes on to be caught at it. */
#define STILL_US	20000
#define ROUNDS		20
#define REQUESTS	16

static const __u8 nobody[6] = { 2, 0, 0, 0, 0, 1 };

static struct rig dut, peer;
static __u8 *copy;

/* The whole arena: rings and buffers. */
static void check_still(unsigned int round)
{
	size_t i;

	if (!copy)
		copy = malloc(VC_ARENA_SIZE);
	CHECK(copy, "no memory");
	memcpy(copy, dut.c.mem, VC_ARENA_SIZE);
	vc_sleep_us(STILL_US);
	for (i = 0; i < VC_ARENA_SIZE; i++)
		CHECK(copy[i] == dut.c.mem[i],
		      "round %u: byte %#zx became %#x, was %#x", round, i,
		      dut.c.mem[i], copy[i]);
}

static void stop_by_reset(struct rig *r)
{
	CHECK_OK(vc_reset(&r->c));
}

/* What is used then is what the state counts. */
static void stop_by_suspend(struct rig *r)
{
	unsigned int i;
	__u32 base;

	if (!(r->c.backend & BIT64(VHOST_BACKEND_F_SUSPEND)))
		return stop_by_reset(r);
	CHECK_OK(vc_suspend(&r->c));
	for (i = 0; i < r->nvqs; i++) {
		CHECK_OK(vc_vring_get(&r->c, VHOST_GET_VRING_BASE, i, &base));
		CHECK(base == vq_used_base(&r->vq[i]),
		      "queue %u: base %u, used index %u", i, base,
		      vq_used_base(&r->vq[i]));
	}
}

static void (*const stops[])(struct rig *r) = {
	stop_by_reset, stop_by_suspend,
};

static void pause_some(unsigned int round)
{
	unsigned int i;

	for (i = 0; i < round % 5 * 20; i++)
		sched_yield();
}

/* It sends, and receives, when it is stopped. */
TEST_OURS(net_stopped_is_still)
{
	unsigned int round, i;

	if (!opts.software)
		SKIP("only with --software");
	need("peer", opts.peer, "no peer (-p)");
	CHECK_OK(rig_up(&dut, opts.dev, 0));
	need_net(&dut.c);
	CHECK_OK(rig_up(&peer, opts.peer, 0));
	for (round = 0; round < ROUNDS * ARRAY_SIZE(stops); round++) {
		CHECK_OK(net_post_rx(&dut));
		for (i = 0; i < RIG_NUM / 2; i++) {
			CHECK_OK(net_send(&dut, nobody, i, NET_MAX_FRAME));
			CHECK_OK(net_send(&peer, dut.mac, i, NET_MAX_FRAME));
		}
		vq_kick(&peer.vq[NET_TX]);
		vq_kick(&dut.vq[NET_TX]);
		pause_some(round);
		stops[round % ARRAY_SIZE(stops)](&dut);
		check_still(round);
		CHECK_OK(rig_again(&dut));
		CHECK_OK(net_drain_tx(&peer, RIG_WAIT_MS));
	}
}

/* Requests that are used have their status, and their data, the others have neither. */
static void check_requests(const struct blk_req *req)
{
	const struct vring_used *used = dut.vq[0].device;
	unsigned int i, done = 0;

	for (i = 0; i < REQUESTS; i++) {
		if (*req[i].status == 0xff)
			continue;
		CHECK(*req[i].status == VIRTIO_BLK_S_OK, "status %u", *req[i].status);
		CHECK(req[i].data[0] != 0xee || req[i].data[511] != 0xee,
		      "request %u is used, and its data is not there", i);
		done++;
	}
	CHECK(le16toh(used->idx) == done, "%u are used, %u done", le16toh(used->idx), done);
}

TEST_OURS(blk_stopped_is_still)
{
	struct blk_req req[REQUESTS];
	unsigned int round, i;

	if (!opts.software || !opts.scratch)
		SKIP("only with --software and --scratch");
	CHECK_OK(rig_up(&dut, opts.dev, 0));
	need_blk(&dut.c);
	for (i = 0; i < REQUESTS; i++)
		CHECK_OK(blk_prepare(&dut, &req[i]));
	memset(req[0].data, 0x11, VC_PAGE);
	for (i = 0; i < REQUESTS; i++)
		CHECK_OK(blk_do(&dut, &req[0], VIRTIO_BLK_T_OUT, 8 * i, VC_PAGE));
	CHECK_OK(rig_again(&dut));
	for (round = 0; round < ROUNDS * ARRAY_SIZE(stops); round++) {
		for (i = 0; i < REQUESTS; i++) {
			memset(req[i].data, 0xee, VC_PAGE);
			CHECK_OK(blk_put(&dut, &req[i], VIRTIO_BLK_T_IN, 8 * i, VC_PAGE));
		}
		vq_kick(&dut.vq[0]);
		pause_some(round);
		stops[round % ARRAY_SIZE(stops)](&dut);
		check_requests(req);
		check_still(round);
		CHECK_OK(rig_again(&dut));
	}
}
