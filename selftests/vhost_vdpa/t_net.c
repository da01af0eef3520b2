// SPDX-License-Identifier: GPL-2.0
/* One net device: kicks, calls, completions, enabling, whatever the order. */
#define _GNU_SOURCE
#include <endian.h>
#include <linux/virtio_net.h>
#include <pthread.h>
#include <string.h>
#include <sys/eventfd.h>

#include "tests.h"

static const __u8 nobody[6] = { 2, 0, 0, 0, 0, 1 };

static struct rig dut;

/* A running device, without receive buffers. */
static void up_alone(__u64 extra)
{
	CHECK_OK(rig_open(&dut, opts.dev));
	need_wire(&dut.c);
	rig_close(&dut);
	CHECK_OK(rig_up(&dut, opts.dev, extra));
}

static void send_batch(__u32 first, unsigned int n)
{
	__u32 i;

	for (i = 0; i < n; i++)
		CHECK_OK(net_send(&dut, nobody, first + i,
				  net_frame_len(first + i)));
	vq_kick(&dut.vq[NET_TX]);
	CHECK_OK(net_drain_tx(&dut, RIG_WAIT_MS));
}

TEST(net_tx_completes_each_once)
{
	__u32 i;

	up_alone(0);
	for (i = 0; i < 30; i++)
		send_batch(16 * i, 16);
	CHECK(dut.tx_done == 480, "%u of 480 frames", dut.tx_done);
	CHECK(vq_used_base(&dut.vq[NET_TX]) == 480, "used index %u",
	      vq_used_base(&dut.vq[NET_TX]));
}

TEST(net_tx_calls)
{
	__u32 i;

	up_alone(0);
	for (i = 0; i < 20; i++) {
		CHECK_OK(net_send(&dut, nobody, i, NET_MIN_FRAME));
		vq_kick(&dut.vq[NET_TX]);
		CHECK(vq_called(&dut.vq[NET_TX], RIG_WAIT_MS),
		      "no call for frame %u", i);
		CHECK_OK(net_drain_tx(&dut, RIG_WAIT_MS));
	}
}

TEST(net_tx_index_wraps)
{
	__u32 i;

	if (!opts.longer)
		SKIP("only with --long");
	up_alone(0);
	for (i = 0; i < 66000; i += 60)
		send_batch(i, 60);
	CHECK(dut.tx_done == 66000, "%u frames", dut.tx_done);
}

static void run_with_num(unsigned int num)
{
	unsigned int batch;
	__u32 i;

	dut.num = num;
	CHECK_OK(rig_negotiate(&dut, 0));
	CHECK_OK(rig_memory(&dut));
	CHECK_OK(rig_rings(&dut));
	CHECK_OK(rig_attach(&dut));
	CHECK_OK(rig_enable(&dut, true));
	CHECK_OK(rig_driver_ok(&dut));
	batch = num / 2 < 16 ? num / 2 : 16;
	for (i = 0; i < 20; i++)
		send_batch(i, batch);
}

TEST(net_ring_sizes)
{
	unsigned int num, max;

	CHECK_OK(rig_open(&dut, opts.dev));
	need_wire(&dut.c);
	max = rig_vq_max(&dut.c, NET_TX);
	rig_close(&dut);
	for (num = 8; num <= max; num *= 2) {
		CHECK_OK(rig_open(&dut, opts.dev));
		run_with_num(num);
		rig_close(&dut);
	}
}

TEST(net_packed)
{
	__u32 i;

	CHECK_OK(rig_open(&dut, opts.dev));
	need_wire(&dut.c);
	need("packed", dut.c.offered & BIT64(VIRTIO_F_RING_PACKED),
	     "no packed ring");
	rig_close(&dut);
	up_alone(BIT64(VIRTIO_F_RING_PACKED));
	for (i = 0; i < 30; i++)
		send_batch(16 * i, 16);
	CHECK(dut.tx_done == 480, "%u of 480 frames", dut.tx_done);
}

/* QEMU's virtio-net enables its queues only after DRIVER_OK. */
TEST(net_enable_after_driver_ok)
{
	CHECK_OK(rig_open(&dut, opts.dev));
	need_wire(&dut.c);
	if (opts.oracle &&
	    !(dut.c.backend & BIT64(VHOST_BACKEND_F_ENABLE_AFTER_DRIVER_OK)))
		SKIP("no ENABLE_AFTER_DRIVER_OK");
	CHECK_OK(rig_negotiate(&dut, 0));
	CHECK_OK(rig_memory(&dut));
	CHECK_OK(rig_rings(&dut));
	CHECK_OK(rig_attach(&dut));
	CHECK_OK(rig_driver_ok(&dut));
	CHECK_OK(rig_enable(&dut, true));
	send_batch(0, 16);
	send_batch(16, 16);
}

/*
 * QEMU under a firmware that takes no control queue enables first of all.
 * vp_vdpa then refuses the ring state, vdpa_sim runs on address zero.
 */
TEST_OURS(net_enable_before_features)
{
	CHECK_OK(rig_open(&dut, opts.dev));
	need_wire(&dut.c);
	CHECK_OK(rig_enable(&dut, true));
	CHECK_OK(rig_negotiate(&dut, 0));
	CHECK_OK(rig_memory(&dut));
	CHECK_OK(rig_rings(&dut));
	CHECK_OK(rig_attach(&dut));
	CHECK_OK(rig_driver_ok(&dut));
	send_batch(0, 16);
}

/* The same, between FEATURES_OK and the addresses. */
TEST_OURS(net_enable_before_addresses)
{
	CHECK_OK(rig_open(&dut, opts.dev));
	need_wire(&dut.c);
	CHECK_OK(rig_negotiate(&dut, 0));
	CHECK_OK(rig_enable(&dut, true));
	CHECK_OK(rig_memory(&dut));
	CHECK_OK(rig_rings(&dut));
	CHECK_OK(rig_attach(&dut));
	CHECK_OK(rig_driver_ok(&dut));
	send_batch(0, 16);
}

/* An enable from before a reset does not count after it. */
TEST_OURS(net_enable_forgotten_by_reset)
{
	CHECK_OK(rig_open(&dut, opts.dev));
	need_wire(&dut.c);
	climb(&dut, RUNG_ENABLED);
	CHECK_OK(vc_reset(&dut.c));
	climb(&dut, RUNG_ATTACHED);
	CHECK_OK(rig_driver_ok(&dut));
	CHECK_OK(net_send(&dut, nobody, 0, NET_MIN_FRAME));
	vq_kick(&dut.vq[NET_TX]);
	CHECK(!vq_wait(&dut.vq[NET_TX], 100), "a queue not enabled runs");
}

/* vdpa_sim looks at both queues before it moves a frame. */
TEST_OURS(net_one_queue_alone)
{
	CHECK_OK(rig_open(&dut, opts.dev));
	need_wire(&dut.c);
	climb(&dut, RUNG_ATTACHED);
	CHECK_OK(vq_enable(&dut.vq[NET_TX], true));
	CHECK_OK(rig_driver_ok(&dut));
	send_batch(0, 16);
}

TEST(net_kick_after_reset)
{
	struct vq *tx = &dut.vq[NET_TX];
	unsigned int i;

	up_alone(0);
	send_batch(0, 8);
	CHECK_OK(vc_reset(&dut.c));
	CHECK_OK(net_send(&dut, nobody, 8, NET_MIN_FRAME));
	for (i = 0; i < 100; i++)
		vq_kick(tx);
	CHECK(!vq_wait(tx, 50), "the queue runs after reset");
	CHECK_OK(rig_again(&dut));
	send_batch(0, 8);
}

TEST(net_kick_before_driver_ok)
{
	unsigned int i;

	CHECK_OK(rig_open(&dut, opts.dev));
	need_wire(&dut.c);
	climb(&dut, RUNG_ENABLED);
	CHECK_OK(net_send(&dut, nobody, 0, NET_MIN_FRAME));
	for (i = 0; i < 100; i++)
		vq_kick(&dut.vq[NET_TX]);
	CHECK(!vq_wait(&dut.vq[NET_TX], 50), "the queue runs too early");
	CHECK_OK(rig_driver_ok(&dut));
	vq_kick(&dut.vq[NET_TX]);
	CHECK_OK(net_drain_tx(&dut, RIG_WAIT_MS));
}

/* A frame with that header, its first @first bytes in a piece of their own. */
static void send_odd(const struct virtio_net_hdr_v1 *hdr, __u32 first)
{
	__u8 *buf = dut.tx_free[dut.tx_nfree - 1];
	__u64 at = vc_iova(&dut.c, buf);
	/* The last piece twice: a large frame in little memory. */
	const struct vq_seg seg[] = {
		{ at, NET_HDR + first },
		{ at + NET_HDR + first, NET_MAX_FRAME - first },
		{ at + NET_HDR + first, NET_MAX_FRAME - first },
	};

	memset(buf, 0x45, RIG_BUF);
	memcpy(buf, hdr, NET_HDR);
	memcpy(buf + NET_HDR, nobody, 6);
	/* IPv4, or by chance IPv6, or neither. */
	buf[NET_HDR + 12] = first & 1 ? 0x86 : 0x08;
	buf[NET_HDR + 13] = first & 1 ? 0xdd : 0x00;
	CHECK_OK(vq_add(&dut.vq[NET_TX], seg, 3, 0, buf));
	dut.tx_nfree--;
	vq_kick(&dut.vq[NET_TX]);
	CHECK_OK(net_drain_tx(&dut, RIG_WAIT_MS));
}

/* What a header says of segmentation and checksums is the driver's word, and no more. */
TEST_OURS(net_odd_headers)
{
	const __u64 offloads = BIT64(VIRTIO_NET_F_CSUM) | BIT64(VIRTIO_NET_F_HOST_TSO4) |
			       BIT64(VIRTIO_NET_F_HOST_TSO6);
	static const __u8 types[] = { 0, 1, 3, 4, 5, 0x81, 0x84, 0xff };
	static const __u16 sizes[] = { 0, 1, 1000, 65535 };
	static const __u32 firsts[] = { 14, 33, 66, 1400 };
	unsigned int i;

	CHECK_OK(rig_open(&dut, opts.dev));
	need("TSO", (dut.c.offered & offloads) == offloads, "no segmentation offloads");
	rig_close(&dut);
	up_alone(offloads);
	for (i = 0; i < 2 * 8 * 4 * 4; i++) {
		const struct virtio_net_hdr_v1 hdr = {
			.flags = i & 1,
			.gso_type = types[i / 2 % 8],
			.gso_size = htole16(sizes[i / 16 % 4]),
			.hdr_len = htole16(i % 3 ? 54 : 65535),
			.csum_start = htole16(i % 5 ? 34 : 65530),
			.csum_offset = htole16(i % 7 ? 16 : 65530),
		};

		send_odd(&hdr, firsts[i / 64]);
	}
	send_batch(0, 16);
}

/* A kick for the wrong queue, or one with nothing to do, does nothing. */
TEST(net_kick_for_nothing)
{
	unsigned int i;

	up_alone(0);
	for (i = 0; i < 100; i++) {
		vq_kick(&dut.vq[NET_RX]);
		vq_kick(&dut.vq[NET_TX]);
	}
	CHECK(!vq_pending(&dut.vq[NET_TX]), "completions out of nothing");
	send_batch(0, 8);
}

static void replace_call(struct vq *vq)
{
	int old = vq->call;

	vq->call = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	CHECK(vq->call >= 0, "eventfd");
	CHECK_OK(vc_vring_file(vq->c, VHOST_SET_VRING_CALL, vq->idx, vq->call));
	close(old);
}

/* The call for a buffer sent after the change goes to the new eventfd. */
TEST(net_call_replaced)
{
	struct vq *tx = &dut.vq[NET_TX];
	__u32 i;

	up_alone(0);
	for (i = 0; i < 50; i++) {
		replace_call(tx);
		CHECK_OK(net_send(&dut, nobody, i, NET_MIN_FRAME));
		vq_kick(tx);
		CHECK(vq_called(tx, RIG_WAIT_MS), "no call on eventfd %u", i);
		CHECK_OK(net_drain_tx(&dut, RIG_WAIT_MS));
	}
}

static bool stop_swapping;

static void *swap_calls(void *arg)
{
	int fd[2] = { eventfd(0, EFD_NONBLOCK), eventfd(0, EFD_NONBLOCK) };
	struct vq *vq = arg;
	unsigned int i;

	for (i = 0; !__atomic_load_n(&stop_swapping, __ATOMIC_RELAXED); i++)
		if (vc_vring_file(vq->c, VHOST_SET_VRING_CALL, vq->idx,
				  i % 3 ? fd[i & 1] : -1))
			return "SET_VRING_CALL failed";
	return NULL;
}

/* Torn callbacks crash the kernel or lose the last word. */
TEST(net_call_replaced_under_traffic)
{
	struct vq *tx = &dut.vq[NET_TX];
	pthread_t thread;
	void *error;
	__u32 i;

	up_alone(0);
	CHECK_OK(pthread_create(&thread, NULL, swap_calls, tx));
	for (i = 0; i < 100; i++)
		send_batch(16 * i, 16);
	__atomic_store_n(&stop_swapping, true, __ATOMIC_RELAXED);
	pthread_join(thread, &error);
	CHECK(!error, "%s", (char *)error);
	replace_call(tx);
	CHECK_OK(net_send(&dut, nobody, i, NET_MIN_FRAME));
	vq_kick(tx);
	CHECK(vq_called(tx, RIG_WAIT_MS), "no call on the last eventfd");
}

/* No call eventfd at all: the ring still runs. */
TEST(net_call_absent)
{
	up_alone(0);
	CHECK_OK(vc_vring_file(&dut.c, VHOST_SET_VRING_CALL, NET_TX, -1));
	send_batch(0, 16);
	CHECK(!vq_called(&dut.vq[NET_TX], 20), "a call to a closed door");
}

TEST(net_kick_replaced)
{
	struct vq *tx = &dut.vq[NET_TX];
	__u32 i;
	int old;

	up_alone(0);
	for (i = 0; i < 20; i++) {
		old = tx->kick;
		tx->kick = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
		CHECK_OK(vc_vring_file(&dut.c, VHOST_SET_VRING_KICK, NET_TX,
				       tx->kick));
		close(old);
		send_batch(i, 4);
	}
}
