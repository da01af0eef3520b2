// SPDX-License-Identifier: GPL-2.0
/* SUSPEND and RESUME, without a partner to talk to. */
#define _GNU_SOURCE
#include "tests.h"

static const __u8 nobody[6] = { 2, 0, 0, 0, 0, 1 };

/* Long enough for a device that goes on to be caught at it. */
#define STILL_US 50000

static void send_some(struct rig *r, __u32 first, unsigned int n)
{
	__u32 i;

	for (i = 0; i < n; i++)
		CHECK_OK(net_send(r, nobody, first + i, NET_MIN_FRAME));
	vq_kick(&r->vq[NET_TX]);
}

/* vhost-vdpa answers by itself, op or no op. */
TEST(suspend_before_driver_ok)
{
	enum rung rung;
	struct rig r;

	CHECK_OK(rig_open(&r, opts.dev));
	for (rung = RUNG_RESET; rung < RUNG_DRIVER_OK; rung++) {
		climb(&r, rung);
		CHECK_OK(vc_suspend(&r.c));
		CHECK_OK(vc_resume(&r.c));
		CHECK_OK(vc_reset(&r.c));
	}
	climb(&r, RUNG_DRIVER_OK);
}

TEST(suspend_not_offered)
{
	struct rig r;

	test_up(&r);
	if (!(r.c.backend & BIT64(VHOST_BACKEND_F_SUSPEND)))
		CHECK_ERR(vc_suspend(&r.c), -EOPNOTSUPP);
	if (!(r.c.backend & BIT64(VHOST_BACKEND_F_RESUME)))
		CHECK_ERR(vc_resume(&r.c), -EOPNOTSUPP);
}

/* QEMU suspends at every stop. For now this is promised for net alone. */
TEST_OURS(suspend_offered)
{
	struct vdpa_client c;

	test_open(&c);
	need_net(&c);
	CHECK(c.backend & BIT64(VHOST_BACKEND_F_SUSPEND), "%#jx",
	      (uintmax_t)c.backend);
}

TEST(suspend_twice)
{
	struct rig r;

	test_up(&r);
	need_suspend(&r.c);
	CHECK_OK(vc_suspend(&r.c));
	CHECK_OK(vc_suspend(&r.c));
	CHECK(vc_get_status(&r.c) & ST_DRIVER_OK, "DRIVER_OK went");
}

TEST(resume_twice)
{
	struct rig r;

	test_up(&r);
	need_resume(&r.c);
	CHECK_OK(vc_resume(&r.c));
	CHECK_OK(vc_suspend(&r.c));
	CHECK_OK(vc_resume(&r.c));
	CHECK_OK(vc_resume(&r.c));
	CHECK_IS(vc_get_status(&r.c), ST_NEGOTIATED | ST_DRIVER_OK);
}

TEST(suspend_stops_the_rings)
{
	struct rig r;

	test_up(&r);
	need_wire(&r.c);
	need_suspend(&r.c);
	send_some(&r, 0, 8);
	CHECK_OK(net_drain_tx(&r, RIG_WAIT_MS));
	CHECK_OK(vc_suspend(&r.c));
	send_some(&r, 8, 8);
	vc_sleep_us(STILL_US);
	CHECK(!vq_pending(&r.vq[NET_TX]), "a suspended queue went on");
}

/* Enabling is not a way round it. */
TEST(suspend_stays_through_enable)
{
	struct rig r;

	test_up(&r);
	need_wire(&r.c);
	need_suspend(&r.c);
	CHECK_OK(vc_suspend(&r.c));
	send_some(&r, 0, 4);
	CHECK_OK(rig_enable(&r, true));
	vq_kick(&r.vq[NET_TX]);
	vc_sleep_us(STILL_US);
	CHECK(!vq_pending(&r.vq[NET_TX]), "a suspended queue went on");
}

TEST(suspend_state_is_used_index)
{
	struct rig r;
	__u32 base;

	test_up(&r);
	need_wire(&r.c);
	need_suspend(&r.c);
	send_some(&r, 0, 10);
	CHECK_OK(net_drain_tx(&r, RIG_WAIT_MS));
	CHECK_OK(vc_suspend(&r.c));
	CHECK_OK(vc_vring_get(&r.c, VHOST_GET_VRING_BASE, NET_TX, &base));
	CHECK(base == 10, "base %u after 10 frames", base);
	CHECK_OK(vc_vring_get(&r.c, VHOST_GET_VRING_BASE, NET_RX, &base));
	CHECK(base == 0, "base %u of a queue without buffers", base);
}

/* Buffers the device has but has not used: they are not in the state. */
TEST(suspend_state_with_rx_posted)
{
	struct rig r;
	__u32 base;

	test_up(&r);
	need_wire(&r.c);
	need_suspend(&r.c);
	CHECK_OK(net_post_rx(&r));
	vc_sleep_us(STILL_US);
	CHECK_OK(vc_suspend(&r.c));
	CHECK_OK(vc_vring_get(&r.c, VHOST_GET_VRING_BASE, NET_RX, &base));
	CHECK(base == (vq_used_base(&r.vq[NET_RX]) & 0xffff),
	      "base %u, used index %u", base, vq_used_base(&r.vq[NET_RX]));
}

/*
 * Index 0 is where a ring comes round to, too. Used entries before it are still its driver's to
 * read, and it may wait for their interrupt.
 */
TEST_OURS(start_where_the_ring_came_round)
{
	struct vring_used_elem *last;
	struct vring_used *used;
	struct rig r;

	CHECK_OK(rig_open(&r, opts.dev));
	CHECK_OK(rig_negotiate(&r, 0));
	CHECK_OK(rig_memory(&r));
	CHECK_OK(rig_rings(&r));
	CHECK_OK(rig_attach(&r));
	if (r.vq[0].packed)
		SKIP("a packed ring");
	used = r.vq[0].device;
	last = &used->ring[r.vq[0].num - 1];
	last[-1] = (struct vring_used_elem) { .id = 3, .len = 0x1234 };
	last[0] = (struct vring_used_elem) { .id = 1, .len = 0 };
	CHECK_OK(vc_vring(&r.c, VHOST_SET_VRING_BASE, 0, 0));
	CHECK_OK(rig_enable(&r, true));
	CHECK_OK(rig_driver_ok(&r));
	CHECK(vq_called(&r.vq[0], RIG_WAIT_MS), "no interrupt");
	CHECK(last[-1].id == 3 && last[-1].len == 0x1234 && last[0].id == 1 && !last[0].len,
	      "used entries are %u, %u and %u, %u now", last[-1].id, last[-1].len, last[0].id,
	      last[0].len);
}

TEST(suspend_opens_addr_and_base)
{
	struct rig r;
	struct vq *vq = &r.vq[0];

	test_up(&r);
	need_suspend(&r.c);
	CHECK_OK(vc_suspend(&r.c));
	CHECK_OK(vc_vring_addr(&r.c, 0, vc_iova(&r.c, vq->desc),
			       vc_iova(&r.c, vq->driver),
			       vc_iova(&r.c, vq->device)));
	CHECK_OK(vc_vring(&r.c, VHOST_SET_VRING_BASE, 0, 0));
}

TEST(suspend_ends_with_reset)
{
	struct rig r;

	test_up(&r);
	need_suspend(&r.c);
	CHECK_OK(vc_suspend(&r.c));
	CHECK_OK(rig_again(&r));
	CHECK_ERR(vc_vring(&r.c, VHOST_SET_VRING_BASE, 0, 0), -EINVAL);
}

TEST(suspend_then_reset_then_traffic)
{
	struct rig r;

	test_up(&r);
	need_wire(&r.c);
	need_suspend(&r.c);
	send_some(&r, 0, 4);
	CHECK_OK(net_drain_tx(&r, RIG_WAIT_MS));
	CHECK_OK(vc_suspend(&r.c));
	CHECK_OK(rig_again(&r));
	send_some(&r, 0, 4);
	CHECK_OK(net_drain_tx(&r, RIG_WAIT_MS));
}

TEST(suspend_leaves_config_readable)
{
	__u8 a, b;
	struct rig r;

	test_up(&r);
	need_suspend(&r.c);
	CHECK_OK(vc_get_config(&r.c, 0, &a, 1));
	CHECK_OK(vc_suspend(&r.c));
	CHECK_OK(vc_get_config(&r.c, 0, &b, 1));
	CHECK(a == b, "%#x became %#x", a, b);
}

/* What was kicked while suspended is not forgotten. */
TEST(resume_takes_up_pending_kicks)
{
	struct rig r;

	test_up(&r);
	need_wire(&r.c);
	need_resume(&r.c);
	CHECK_OK(vc_suspend(&r.c));
	send_some(&r, 0, 8);
	vc_sleep_us(STILL_US);
	CHECK(!vq_pending(&r.vq[NET_TX]), "a suspended queue went on");
	CHECK_OK(vc_resume(&r.c));
	CHECK_OK(net_drain_tx(&r, RIG_WAIT_MS));
}

TEST(suspend_resume_many)
{
	unsigned int i;
	struct rig r;
	int ret;

	test_up(&r);
	need_wire(&r.c);
	need_resume(&r.c);
	for (i = 0; i < 50; i++) {
		send_some(&r, 4 * i, 4);
		CHECK_OK(vc_suspend(&r.c));
		ret = vc_resume(&r.c);
		need("state", ret != -EINVAL, "device starts only fresh rings");
		CHECK_OK(ret);
		vq_kick(&r.vq[NET_TX]);
		CHECK_OK(net_drain_tx(&r, RIG_WAIT_MS));
	}
	CHECK(r.tx_done == 200, "%u of 200 frames", r.tx_done);
}

/*
 * Where hardware cannot go on, resume says so, as often as it is asked, and
 * the device is as suspended as before: its state is readable, reset works.
 */
TEST_OURS(resume_refused_stays_suspended)
{
	__u32 before, after;
	struct rig r;

	test_up(&r);
	need_wire(&r.c);
	need_resume(&r.c);
	send_some(&r, 0, 4);
	CHECK_OK(net_drain_tx(&r, RIG_WAIT_MS));
	CHECK_OK(vc_suspend(&r.c));
	CHECK_OK(vc_vring_get(&r.c, VHOST_GET_VRING_BASE, NET_TX, &before));
	need("no state", vc_resume(&r.c) == -EINVAL,
	     "hardware goes on anywhere");
	CHECK_ERR(vc_resume(&r.c), -EINVAL);
	CHECK_OK(vc_vring_get(&r.c, VHOST_GET_VRING_BASE, NET_TX, &after));
	CHECK(before == 4 && after == 4, "base %u, then %u", before, after);
	CHECK_OK(rig_again(&r));
	send_some(&r, 4, 4);
	CHECK_OK(net_drain_tx(&r, RIG_WAIT_MS));
}

/*
 * A ring moved while suspended is where resume goes on. vdpa_sim takes new
 * addresses only at the next enable.
 */
TEST_OURS(resume_uses_new_addresses)
{
	struct rig r;
	struct vq *vq = &r.vq[NET_TX];

	test_up(&r);
	need_wire(&r.c);
	need_resume(&r.c);
	CHECK_OK(vc_suspend(&r.c));
	vq_close(vq);
	CHECK_OK(vq_init(vq, &r.c, NET_TX, vq->num, false));
	CHECK_OK(vc_vring_addr(&r.c, NET_TX, vc_iova(&r.c, vq->desc),
			       vc_iova(&r.c, vq->driver),
			       vc_iova(&r.c, vq->device)));
	CHECK_OK(vc_vring_file(&r.c, VHOST_SET_VRING_KICK, NET_TX, vq->kick));
	CHECK_OK(vc_vring_file(&r.c, VHOST_SET_VRING_CALL, NET_TX, vq->call));
	CHECK_OK(vc_resume(&r.c));
	send_some(&r, 0, 4);
	CHECK_OK(net_drain_tx(&r, RIG_WAIT_MS));
}
