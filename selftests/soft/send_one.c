// SPDX-License-Identifier: GPL-2.0
/*
 * Use many net devices, one after the other: each is brought up, sends a frame, and is closed.
 *
 *	send_one /dev/vhost-vdpa-N...
 */
#include <stdio.h>
#include <string.h>

#include "vdpa_rig.h"

static struct rig rig;

static int send_one(const char *path)
{
	static const __u8 all[6] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };
	int ret = rig_up(&rig, path, 0);

	if (ret)
		return ret;
	ret = net_send(&rig, all, 0, NET_MIN_FRAME);
	if (!ret) {
		vq_kick(&rig.vq[NET_TX]);
		ret = net_drain_tx(&rig, RIG_WAIT_MS);
	}
	rig_close(&rig);
	return ret;
}

int main(int argc, char **argv)
{
	int i, ret;

	for (i = 1; i < argc; i++) {
		ret = send_one(argv[i]);
		if (ret) {
			printf("%s: %s\n", argv[i], strerror(-ret));
			return 1;
		}
	}
	return 0;
}
