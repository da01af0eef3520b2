// SPDX-License-Identifier: GPL-2.0
/*
 * The other end of the wire: a thread that sends frames of all lengths, all the
 * time, and takes all that come.
 */
#include <errno.h>
#include <pthread.h>

#include "oracle.h"

static const __u8 everybody[6] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };

static void *peer_thread(void *arg)
{
	struct rng rng = { 20260301 };
	struct rig *r = arg;
	__u32 seq = 0, n, len, i;
	int ret;

	for (;;) {
		do {
			ret = net_recv(r, &n, &len);
		} while (!ret || ret == -EBADMSG);
		if (ret != -EAGAIN)
			break;
		net_reap_tx(r);
		n = rng_range(&rng, 1, 8);
		for (i = 0; i < n; i++)
			if (net_send(r, everybody, seq++,
				     rng_range(&rng, NET_MIN_FRAME, NET_MAX_FRAME)))
				break;
		vq_kick(&r->vq[NET_TX]);
		vc_sleep_us(300);
	}
	fprintf(stderr, "the peer ended: %s\n", strerror(-ret));
	return NULL;
}

int peer_start(const char *path)
{
	struct rig *r = malloc(sizeof(*r));
	pthread_t thread;
	int ret;

	if (!r)
		return -ENOMEM;
	ret = rig_up(r, path, 0);
	if (!ret)
		ret = net_post_rx(r);
	if (!ret)
		ret = -pthread_create(&thread, NULL, peer_thread, r);
	return ret;
}
