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

/* Sleeps until @n more buffers are used, if they are not already; false if not within @ms. */
static bool used_after(struct vq *vq, unsigned int n, int ms)
{
	const struct vring_used *used = vq->device;
	__u16 end = vq->used_idx + n;

	vq_call_after(vq, n);
	/* The wish before the look. */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	while ((__s16)(end - le16toh(__atomic_load_n(&used->idx, __ATOMIC_ACQUIRE))) > 0)
		if (!vq_called(vq, ms))
			return false;
	return true;
}

static void sleep_until_used(struct vq *vq, unsigned int n)
{
	CHECK(used_after(vq, n, RIG_WAIT_MS), "no call for %u", n);
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

static void send_to_dut(unsigned int n)
{
	unsigned int i;

	for (i = 0; i < n; i++)
		CHECK_OK(net_send(&peer, dut.mac, i, NET_MIN_FRAME));
	vq_kick(&peer.vq[NET_TX]);
}

/*
 * A port drops what waits for a second, which we may be away for: then no frame is left for
 * buffers that are there, and more have to be sent.
 */
static unsigned int take_few(__u32 *seen)
{
	unsigned int lost = 0;

	while (!used_after(&dut.vq[NET_RX], FEW, RIG_WAIT_MS / 5)) {
		CHECK(lost < 5 * FEW, "no call for buffers that frames are sent to");
		CHECK_OK(net_drain_tx(&peer, RIG_WAIT_MS));
		send_to_dut(FEW);
		lost += FEW;
	}
	CHECK(take(seen) >= FEW, "too few");
	return lost;
}

/*
 * Frames wait at the port for buffers, which come a few at a time, with a kick only if it
 * is asked for. A port that was not woken is after a second: as many seconds as there are
 * rounds are more than a test may take.
 */
static void receiver(__u64 extra)
{
	unsigned int i, n, lost = 0;
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
	/* One that has never had a buffer does not wait for any. */
	give(FEW, kicks);
	send_to_dut(FEW);
	lost += take_few(&seen);
	for (i = 0; i < ROUNDS / 10; i++) {
		send_to_dut(MANY);
		for (n = 0; n < MANY; n += FEW) {
			give(FEW, kicks);
			lost += take_few(&seen);
		}
		CHECK_OK(net_drain_tx(&peer, RIG_WAIT_MS));
	}
	tap_note("%u frames, %u sent again", seen, lost);
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
