// SPDX-License-Identifier: GPL-2.0
/*
 * Drivers that sleep: kicks only when the device asks for one, and no look at the ring
 * before the call that was asked for. Whichever side forgets to wake the other one, both
 * wait for good.
 *
 * A driver comes back at moments of all kinds: the device polls, is about to ask for
 * kicks, or sleeps. So that it does not poll in the driver's own kick, another thread is
 * who kicks.
 */
#define _GNU_SOURCE
#include <endian.h>
#include <pthread.h>
#include <sched.h>
#include <unistd.h>

#include <linux/virtio_blk.h>

#include "tests.h"

#define ROUNDS		1500
/* Buffers that the receiver gives at a time, and frames that come for them. */
#define FEW		4
#define MANY		16

static const __u8 nobody[6] = { 2, 0, 0, 0, 0, 1 };

static struct rig dut, peer;
static __u32 lcg = 1;

static __u32 below(__u32 n)
{
	lcg = lcg * 1103515245 + 12345;
	return (lcg >> 16) % n;
}

static void dawdle(void)
{
	__u32 i;

	if (below(2))
		return;
	for (i = below(50); i; i--)
		sched_yield();
}

static int kicks_from = -1;

static void *kick_thread(void *arg)
{
	struct vq *vq = arg;
	char c;

	while (read(kicks_from, &c, 1) == 1)
		vq_kick(vq);
	return NULL;
}

/* Where a byte is a kick. Until the process ends. */
static int kicker(struct vq *vq)
{
	pthread_t thread;
	int fd[2];

	CHECK_OK(pipe(fd));
	kicks_from = fd[0];
	CHECK_OK(pthread_create(&thread, NULL, kick_thread, vq));
	return fd[1];
}

static unsigned int kick_if_asked(struct vq *vq, __u16 before, int kicks)
{
	if (!vq_asked(vq, before))
		return 0;
	CHECK(write(kicks, "", 1) == 1, "pipe");
	return 1;
}

static void need_event_idx(const struct vdpa_client *c, __u64 extra)
{
	if (extra & BIT64(VIRTIO_RING_F_EVENT_IDX))
		need_feature(c, "event_idx", VIRTIO_RING_F_EVENT_IDX);
}

/* The call that comes when @n more buffers are used; none if they are already. */
static void sleep_until_used(struct vq *vq, unsigned int n)
{
	const struct vring_used *used = vq->device;
	__u16 end = vq->used_idx + n;

	vq_call_after(vq, n);
	/* The wish before the look. */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	while ((__s16)(end - le16toh(__atomic_load_n(&used->idx, __ATOMIC_ACQUIRE))) > 0)
		CHECK(vq_called(vq, RIG_WAIT_MS), "no call: %u of %u are used",
		      (__u16)(le16toh(used->idx) - vq->used_idx), n);
}

static void sender(__u64 extra)
{
	struct vq *tx = &dut.vq[NET_TX];
	unsigned int i, j, n, asked = 0;
	int kicks;

	CHECK_OK(rig_open(&dut, opts.dev));
	need_wire(&dut.c);
	need_event_idx(&dut.c, extra);
	rig_close(&dut);
	CHECK_OK(rig_up(&dut, opts.dev, extra));
	kicks = kicker(tx);
	for (i = 0; i < ROUNDS; i++) {
		n = 1 + below(4);
		for (j = 0; j < n; j++) {
			__u16 before = tx->avail_idx;

			CHECK_OK(net_send(&dut, nobody, i, NET_MIN_FRAME));
			asked += kick_if_asked(tx, before, kicks);
			dawdle();
		}
		sleep_until_used(tx, n);
		CHECK_IS((int)net_reap_tx(&dut), (int)n);
		dawdle();
	}
	tap_note("%u kicks", asked);
}

TEST_OURS(net_sender_sleeps)
{
	sender(0);
}

TEST_OURS(net_sender_sleeps_event_idx)
{
	sender(BIT64(VIRTIO_RING_F_EVENT_IDX));
}

/* Frames that came, at least one; none of ours is twice, and buffers stay where they are. */
static unsigned int take(__u32 *seen)
{
	struct vq *rx = &dut.vq[NET_RX];
	unsigned int n = 0;
	__u32 len;
	__u8 *buf;

	while ((buf = vq_get(rx, &len))) {
		*seen += len == NET_HDR + NET_MIN_FRAME;
		n++;
	}
	CHECK(!rx->error, "receive ring: error %d", rx->error);
	return n;
}

static void give(unsigned int n, int kicks)
{
	struct vq *rx = &dut.vq[NET_RX];
	unsigned int i;

	for (i = 0; i < n; i++) {
		struct vq_seg seg = { vc_iova(&dut.c, dut.rx_buf[i]), RIG_BUF };
		__u16 before = rx->avail_idx;

		CHECK_OK(vq_add(rx, &seg, 0, 1, dut.rx_buf[i]));
		kick_if_asked(rx, before, kicks);
		dawdle();
	}
}

/* A port of a driver that has never given a buffer drops what is sent to it. */
static void first_frames(int kicks)
{
	__u32 seen = 0;
	unsigned int i;

	give(FEW, kicks);
	for (i = 0; i < FEW; i++)
		CHECK_OK(net_send(&peer, dut.mac, i, NET_MIN_FRAME));
	vq_kick(&peer.vq[NET_TX]);
	sleep_until_used(&dut.vq[NET_RX], FEW);
	CHECK_IS((int)take(&seen), FEW);
	CHECK_OK(net_drain_tx(&peer, RIG_WAIT_MS));
}

/*
 * Frames wait at the port for buffers, which come a few at a time, with a kick only if it
 * is asked for. A port that was not woken drops what it has after a second, and goes on:
 * as many seconds as there are rounds are more than a test may take.
 */
static void receiver(__u64 extra)
{
	unsigned int i, n;
	__u32 seen = 0;
	int kicks;

	need("peer", opts.peer, "no peer (-p)");
	CHECK_OK(rig_open(&dut, opts.dev));
	need_net(&dut.c);
	need_event_idx(&dut.c, extra);
	rig_close(&dut);
	CHECK_OK(rig_up(&dut, opts.dev, extra));
	CHECK_OK(rig_up(&peer, opts.peer, 0));
	kicks = kicker(&dut.vq[NET_RX]);
	first_frames(kicks);
	for (i = 0; i < ROUNDS / 10; i++) {
		for (n = 0; n < MANY; n++)
			CHECK_OK(net_send(&peer, dut.mac, i * MANY + n, NET_MIN_FRAME));
		vq_kick(&peer.vq[NET_TX]);
		for (n = 0; n < MANY; n += FEW) {
			give(FEW, kicks);
			sleep_until_used(&dut.vq[NET_RX], FEW);
			CHECK_IS((int)take(&seen), FEW);
		}
		CHECK_OK(net_drain_tx(&peer, RIG_WAIT_MS));
	}
	tap_note("%u frames", seen);
}

TEST_OURS(net_receiver_sleeps)
{
	receiver(0);
}

TEST_OURS(net_receiver_sleeps_event_idx)
{
	receiver(BIT64(VIRTIO_RING_F_EVENT_IDX));
}

static void blk_sleeps(__u64 extra)
{
	struct vq *vq = &dut.vq[0];
	struct blk_req req[3];
	unsigned int i, j, n, asked = 0;
	__u32 len;
	int kicks;

	CHECK_OK(rig_open(&dut, opts.dev));
	need_blk(&dut.c);
	need_event_idx(&dut.c, extra);
	rig_close(&dut);
	CHECK_OK(rig_up(&dut, opts.dev, extra));
	for (i = 0; i < ARRAY_SIZE(req); i++)
		CHECK_OK(blk_prepare(&dut, &req[i]));
	kicks = kicker(vq);
	for (i = 0; i < ROUNDS; i++) {
		n = 1 + below(ARRAY_SIZE(req));
		for (j = 0; j < n; j++) {
			__u16 before = vq->avail_idx;

			CHECK_OK(blk_put(&dut, &req[j], VIRTIO_BLK_T_IN, 8 * below(8), 512));
			asked += kick_if_asked(vq, before, kicks);
			dawdle();
		}
		sleep_until_used(vq, n);
		for (j = 0; j < n; j++)
			CHECK(vq_get(vq, &len), "round %u: only %u", i, j);
		for (j = 0; j < n; j++)
			CHECK(*req[j].status == VIRTIO_BLK_S_OK, "status %u", *req[j].status);
		dawdle();
	}
	tap_note("%u kicks", asked);
}

TEST_OURS(blk_driver_sleeps)
{
	blk_sleeps(0);
}

TEST_OURS(blk_driver_sleeps_event_idx)
{
	blk_sleeps(BIT64(VIRTIO_RING_F_EVENT_IDX));
}
