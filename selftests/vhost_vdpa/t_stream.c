// SPDX-License-Identifier: GPL-2.0
/* Two devices on one segment: what goes in comes out, once, whole, in order. */
#define _GNU_SOURCE
#include "tests.h"

/**
 * struct stream - frames in one direction, counted at both ends
 * @tx: sender
 * @rx: receiver; the sender itself on a device that loops back
 * @sent: next sequence number to send
 * @seen: next sequence number to arrive
 */
struct stream {
	struct rig *tx;
	struct rig *rx;
	__u32 sent;
	__u32 seen;
};

static struct rig dut, peer;

/* The device and its partner, both running, both with receive buffers. */
static void up_pair(void)
{
	need("peer", opts.peer || opts.loopback, "no peer (-p or --loopback)");
	CHECK_OK(rig_up(&dut, opts.dev, 0));
	need_net(&dut.c);
	CHECK_OK(net_post_rx(&dut));
	if (opts.loopback)
		return;
	CHECK_OK(rig_up(&peer, opts.peer, 0));
	CHECK_OK(net_post_rx(&peer));
}

static struct stream stream_out(void)
{
	return (struct stream){
		.tx = &dut, .rx = opts.loopback ? &dut : &peer,
	};
}

static struct stream stream_in(void)
{
	return (struct stream){
		.tx = opts.loopback ? &dut : &peer, .rx = &dut,
	};
}

static void stream_fill(struct stream *s, __u32 until)
{
	bool any = false;

	while (s->sent < until && s->sent - s->seen < RIG_NUM / 2) {
		int r = net_send(s->tx, s->rx->mac, s->sent,
				 net_frame_len(s->sent));

		if (r == -ENOSPC)
			break;
		CHECK_OK(r);
		s->sent++;
		any = true;
	}
	if (any)
		vq_kick(&s->tx->vq[NET_TX]);
}

static bool stream_take(struct stream *s)
{
	__u32 seq, len;
	int r = net_recv(s->rx, &seq, &len);

	if (r == -EAGAIN)
		return false;
	CHECK_OK(r);
	CHECK(seq == s->seen, "frame %u arrived, expected %u", seq, s->seen);
	CHECK(len == net_frame_len(seq), "frame %u has %u bytes, not %u", seq,
	      len, net_frame_len(seq));
	s->seen++;
	return true;
}

/* Sends up to number @until and takes in all of it. */
static void stream_pump(struct stream *s, __u32 until)
{
	__u64 end = vc_now_ms() + RIG_WAIT_MS;

	while (s->seen < until) {
		stream_fill(s, until);
		net_reap_tx(s->tx);
		CHECK(!s->tx->vq[NET_TX].error, "transmit ring: error %d",
		      s->tx->vq[NET_TX].error);
		if (stream_take(s))
			end = vc_now_ms() + RIG_WAIT_MS;
		else
			vc_sleep_us(100);
		CHECK(vc_now_ms() < end, "sent %u, only %u arrived", s->sent,
		      s->seen);
	}
	CHECK_OK(net_drain_tx(s->tx, RIG_WAIT_MS));
}

TEST(net_out_intact)
{
	struct stream s;

	up_pair();
	s = stream_out();
	stream_pump(&s, 1000);
}

TEST(net_in_intact)
{
	struct stream s;

	up_pair();
	s = stream_in();
	stream_pump(&s, 1000);
}

TEST(net_many_resets)
{
	struct stream s;
	__u32 i;

	up_pair();
	s = stream_out();
	for (i = 1; i <= 20; i++) {
		stream_pump(&s, 20 * i);
		CHECK_OK(rig_again(&dut));
		CHECK_OK(net_post_rx(&dut));
	}
}

static void suspend_or_drain(struct rig *r)
{
	int ret = vc_suspend(&r->c);

	if (ret == -EBUSY) {
		tap_note("SUSPEND under traffic answered EBUSY; drained first");
		CHECK_OK(net_drain_tx(r, RIG_WAIT_MS));
		ret = vc_suspend(&r->c);
	}
	CHECK_OK(ret);
}

static void get_bases(struct rig *r, __u32 *base)
{
	unsigned int i;

	for (i = 0; i < r->nvqs; i++) {
		CHECK_OK(vc_vring_get(&r->c, VHOST_GET_VRING_BASE, i,
				      &base[i]));
		CHECK(r->packed || base[i] == vq_used_base(&r->vq[i]),
		      "queue %u: base %u, used index %u", i, base[i],
		      vq_used_base(&r->vq[i]));
	}
}

static void restart_or_skip(struct rig *r, const __u32 *base)
{
	int ret = rig_restart(r, base);

	need("state", ret != -EINVAL && ret != -EPROTO,
	     "device starts only fresh rings");
	CHECK_OK(ret);
}

/* Suspend with frames under way, restart from the state: none lost or twice. */
TEST(net_suspend_out_restart)
{
	__u32 base[RIG_VQS], round;
	struct stream s;

	up_pair();
	need_suspend(&dut.c);
	s = stream_out();
	for (round = 1; round <= 10; round++) {
		stream_pump(&s, 100 * round - 60);
		stream_fill(&s, 100 * round);
		suspend_or_drain(&dut);
		get_bases(&dut, base);
		vq_kick(&dut.vq[NET_TX]);
		vc_sleep_us(10000);
		get_bases(&dut, base);
		restart_or_skip(&dut, base);
		vq_kick(&dut.vq[NET_TX]);
		vq_kick(&dut.vq[NET_RX]);
		stream_pump(&s, 100 * round);
	}
}

/*
 * A driver may wait for an interrupt that who had the ring before did not give it, and
 * with VIRTIO_F_EVENT_IDX gets no other one: each ring that goes on has one to begin with.
 */
TEST_OURS(net_restart_begins_with_a_call)
{
	__u32 base[RIG_VQS];
	struct stream s;

	up_pair();
	need_suspend(&dut.c);
	s = stream_out();
	stream_pump(&s, 20);
	CHECK_OK(net_drain_tx(&dut, RIG_WAIT_MS));
	suspend_or_drain(&dut);
	get_bases(&dut, base);
	while (vq_called(&dut.vq[NET_TX], 0))
		;
	restart_or_skip(&dut, base);
	CHECK(vq_called(&dut.vq[NET_TX], RIG_WAIT_MS), "no call");
}

/* The same for the receiver; what the wire loses meanwhile may be lost. */
TEST(net_suspend_in_restart)
{
	__u32 base[RIG_VQS], round;
	struct stream s;

	up_pair();
	need_suspend(&dut.c);
	s = stream_in();
	for (round = 1; round <= 10; round++) {
		stream_pump(&s, 60 * round);
		suspend_or_drain(&dut);
		get_bases(&dut, base);
		restart_or_skip(&dut, base);
		vq_kick(&dut.vq[NET_RX]);
	}
	stream_pump(&s, 60 * round);
}

TEST(net_suspend_resume_stream)
{
	__u32 round;
	struct stream s;
	int ret;

	up_pair();
	need_resume(&dut.c);
	s = stream_out();
	for (round = 1; round <= 20; round++) {
		stream_pump(&s, 60 * round - 30);
		stream_fill(&s, 60 * round);
		suspend_or_drain(&dut);
		ret = vc_resume(&dut.c);
		need("state", ret != -EINVAL, "device starts only fresh rings");
		CHECK_OK(ret);
		vq_kick(&dut.vq[NET_TX]);
		stream_pump(&s, 60 * round);
	}
}
