// SPDX-License-Identifier: GPL-2.0
/*
 * Kicks of a transmit queue in shadow, while hardware takes its time:
 *
 *	paced [-p] SENDER RECEIVER
 *
 * Both are vhost-vdpa devices, the ends of a wire; the sender's queues are in shadow. The
 * receiver has no buffers, so hardware keeps what it is to send. The core asks for no kick as
 * long as it expects an interrupt, but for that it must not wait for ever: it has to look by
 * itself, take what came without a kick, and ask for kicks again. -p: packed rings.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "vdpa_rig.h"

/* Bring-ups, in one of which a buffer must have come without a kick. */
#define TRIES		20
/* Packets for which it asks at once, after one had to wait for it to look: half of them. */
#define REST		32

static struct rig from, to;
static __u64 features = BIT64(VIRTIO_RING_F_EVENT_IDX);
static __u32 sent;

static int fail(const char *what, int err)
{
	printf("FAILED %s: %s, %u sent\n", what, strerror(-err), sent);
	return 1;
}

static int offer(void)
{
	int ret = net_send(&from, to.mac, sent, NET_MIN_FRAME);

	if (!ret)
		sent++;
	return ret;
}

static bool asked_in_time(void)
{
	__u64 end = vc_now_ms() + RIG_WAIT_MS;

	while (!vq_wants_kick(&from.vq[NET_TX])) {
		if (vc_now_ms() > end)
			return false;
		vc_sleep_us(1000);
	}
	return true;
}

/* All of them, once and in their order. */
static int all_come(void)
{
	__u64 end = vc_now_ms() + RIG_WAIT_MS;
	__u32 seq, len, next = 0;
	int ret = net_post_rx(&to);

	while (!ret && next < sent) {
		ret = net_recv(&to, &seq, &len);
		if (!ret && seq != next++)
			return -EILSEQ;
		if (ret != -EAGAIN)
			continue;
		ret = vc_now_ms() > end ? -ETIMEDOUT : 0;
		vc_sleep_us(1000);
	}
	return ret ? : net_drain_tx(&from, RIG_WAIT_MS);
}

/* Whether a buffer came without a kick; negative if it failed. */
static int try(const char *sender, const char *receiver)
{
	struct vq *tx = &from.vq[NET_TX];
	static struct vq before;
	bool late;
	int i, ret;

	sent = 0;
	ret = rig_up(&from, sender, features) ? : rig_up(&to, receiver, features);
	if (!ret)
		ret = offer();
	if (ret)
		return -fail("bring-up", ret);
	vq_kick(tx);
	before = *tx;
	if (offer())
		return -fail("offer", -ENOSPC);
	/* Without a kick it is found only if the core looks. */
	late = !vq_wants_kick(&before);
	if (!late)
		vq_kick(tx);
	if (!asked_in_time())
		return -fail("no kick is asked for", -ETIMEDOUT);
	for (i = 0; late && i < REST; i++) {
		if (offer())
			return -fail("offer", -ENOSPC);
		vq_kick(tx);
		if (!vq_wants_kick(tx))
			return -fail("no kick is asked for, although one was late", -EAGAIN);
	}
	ret = all_come();
	if (ret)
		return -fail("what was sent", ret);
	rig_close(&from);
	rig_close(&to);
	return late;
}

int main(int argc, char **argv)
{
	int i, ret, late = 0;

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc > 1 && !strcmp(argv[1], "-p")) {
		features |= BIT64(VIRTIO_F_RING_PACKED);
		argv++;
		argc--;
	}
	if (argc != 3) {
		fprintf(stderr, "usage: paced [-p] SENDER RECEIVER\n");
		return 2;
	}
	if (vc_unlimit_memlock())
		return 1;
	for (i = 0; i < TRIES; i++) {
		ret = try(argv[1], argv[2]);
		if (ret < 0)
			return 1;
		late += ret;
	}
	printf("WITHOUT A KICK %d of %d\n", late, TRIES);
	return late ? 0 : fail("a kick was asked for each time", -EAGAIN);
}
