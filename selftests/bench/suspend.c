// SPDX-License-Identifier: GPL-2.0
/*
 * What it costs to stop a device where it is, and to have it go on: a live migration
 * stands still for that long, beside what memory is to be sent yet.
 */
#include <endian.h>
#include <errno.h>
#include <linux/virtio_net.h>
#include <string.h>

#include "bench.h"

#define QUEUES_MAX	64
#define SUSPEND_NUM	64
/* On each ring: those that wait for a packet, and those that were sent. */
#define RECEIVE		32
#define SENT		4

/**
 * struct stopped - a device that is to be suspended
 * @c: the device
 * @vq: its queues, receive and transmit in turn
 * @nvqs: their number, without a control queue
 * @buf: the one buffer of all
 */
struct stopped {
	struct vdpa_client c;
	struct vq vq[QUEUES_MAX];
	unsigned int nvqs;
	__u8 *buf;
};

/* VIRTIO_NET_F_MQ needs the control queue, which is not used. */
static void negotiate(struct stopped *s)
{
	const __u64 mq = BIT64(VIRTIO_NET_F_MQ) | BIT64(VIRTIO_NET_F_CTRL_VQ);
	__u64 features = rig_features(&s->c);
	__le16 pairs = htole16(1);

	if ((s->c.offered & mq) == mq) {
		features |= mq;
		check("queue pairs", vc_get_config(&s->c,
						   offsetof(struct virtio_net_config,
							    max_virtqueue_pairs),
						   &pairs, sizeof(pairs)));
	}
	s->nvqs = 2 * le16toh(pairs);
	if (!s->nvqs || s->nvqs > QUEUES_MAX)
		die("queue pairs", -ERANGE);
	check("features", vc_negotiate(&s->c, features));
}

static void offer(struct stopped *s, unsigned int i)
{
	struct vq_seg seg = { vc_iova(&s->c, s->buf), RIG_BUF };
	bool receives = i % 2 == NET_RX;
	unsigned int n;

	if (!receives)
		seg.len = NET_HDR + NET_MIN_FRAME;
	for (n = 0; n < (receives ? RECEIVE : SENT); n++)
		check("offer", vq_add(&s->vq[i], &seg, !receives, receives, s->buf));
	vq_kick(&s->vq[i]);
}

static void reap_sent(struct vq *vq)
{
	unsigned int n;
	__u32 len;

	for (n = 0; n < SENT; n++)
		if (!vq_wait(vq, BENCH_WAIT_MS) || !vq_get(vq, &len))
			die("a frame that is not sent", -ETIMEDOUT);
}

/* A device that runs, has sent something and waits for packets. */
static void up(struct stopped *s, const char *path)
{
	unsigned int i;

	memset(s, 0, sizeof(*s));
	check(path, vc_open(&s->c, path));
	check("owner", vc_set_owner(&s->c));
	check("backend", vc_set_backend(&s->c, s->c.backend));
	negotiate(s);
	check("memory", vc_arena(&s->c));
	check("memory", vc_arena_map(&s->c));
	s->buf = vc_alloc(&s->c, RIG_BUF, RIG_BUF);
	if (!s->buf)
		die("buffer", -ENOMEM);
	for (i = 0; i < s->nvqs; i++) {
		check("ring", vq_init(&s->vq[i], &s->c, i, SUSPEND_NUM, false));
		check("ring", vq_attach(&s->vq[i], VQ_BASE_SPLIT));
		check("enable", vq_enable(&s->vq[i], true));
	}
	check("DRIVER_OK", vc_add_status(&s->c, ST_DRIVER_OK));
	/* Only the first pair sends: of the others QEMU's device does nothing until it is told. */
	for (i = 0; i < s->nvqs; i++)
		if (i % 2 == NET_RX || i == NET_TX)
			offer(s, i);
	reap_sent(&s->vq[NET_TX]);
}

static void down(struct stopped *s)
{
	unsigned int i;

	for (i = 0; i < s->nvqs; i++)
		vq_close(&s->vq[i]);
	vc_close(&s->c);
}

void case_suspend(const struct bench *b)
{
	unsigned int i, rounds = b->rounds < 31 ? b->rounds : 31;
	struct cost suspend, resume;
	static struct stopped s;

	cost_init(&suspend, b, rounds);
	cost_init(&resume, b, rounds);
	check("idle", meter_idle_start());
	for (i = 0; i < rounds; i++) {
		up(&s, b->dev);
		cost_begin(&suspend);
		check("suspend", vc_suspend(&s.c));
		cost_end(&suspend);
		cost_begin(&resume);
		check("resume", vc_resume(&s.c));
		cost_end(&resume);
		/* It goes on. */
		offer(&s, NET_TX);
		reap_sent(&s.vq[NET_TX]);
		down(&s);
	}
	meter_idle_stop();
	cost_report(&suspend, "suspend", s.nvqs);
	cost_report(&resume, "resume", s.nvqs);
}
