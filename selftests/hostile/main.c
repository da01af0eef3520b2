// SPDX-License-Identifier: GPL-2.0
/*
 * hostile SOCKET...: a net function behind each socket. The first has a vector
 * for each queue and doorbells in pages of their own; the others have one vector for all,
 * and doorbells side by side.
 *
 * hostile --list: numbers and names of the lies.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hostile.h"

#define FUNCTIONS_MAX	4

static const struct vio_ops hostile_ops = {
	.kick		= net_kick,
	.event		= hostile_event,
	.read		= hostile_read,
	.write		= hostile_write,
	.config_written	= hostile_config_written,
};

static int list(void)
{
	unsigned int i;

	for (i = 0; i < hostile_nlies; i++)
		printf("%u %s\n", i, hostile_lies[i].name);
	return 0;
}

static struct hostile *hostile_create(const char *path, unsigned int number)
{
	struct hostile *h = calloc(1, sizeof(*h));
	struct vio_conf conf = {
		.device_id = 1,
		.features = net_features(),
		.nvqs = HOSTILE_VQS,
		.vq_size = HOSTILE_VQ_SIZE,
		.config_size = sizeof(h->config),
		.vectors = number ? 1 : HOSTILE_VQS + 2,
		.notify_multiplier = number ? 4 : 4096,
		.own_size = 32,
		.own_type = VFU_BAR_IO,
	};

	if (!h)
		return NULL;
	h->lie = &hostile_lies[0];
	h->config = (struct virtio_net_config) {
		.mac = { 0x52, 0x54, 0x00, 0x13, 0x00, number },
		.status = VIRTIO_NET_S_LINK_UP,
		.max_virtqueue_pairs = HOSTILE_PAIRS,
		.mtu = HOSTILE_MTU,
	};
	conf.config = &h->config;
	h->v = vio_create(path, &conf, &hostile_ops, h);
	if (!h->v || vfu_pci_writable(h->v->f, HOSTILE_REG_LIE, 8)) {
		free(h);
		return NULL;
	}
	return h;
}

static int serve(struct hostile **h, unsigned int n)
{
	struct vfu *f[FUNCTIONS_MAX];
	unsigned int i;
	int err = 0;

	for (i = 0; i < n; i++)
		f[i] = h[i]->v->f;
	while (!err || err == -EINTR) {
		bool busy = false;

		for (i = 0; i < n; i++)
			busy |= hostile_busy(h[i]);
		err = vfu_poll(f, n, busy ? 1 : -1);
		for (i = 0; i < n; i++)
			hostile_tick(h[i]);
	}
	return err;
}

int main(int argc, char **argv)
{
	struct hostile *h[FUNCTIONS_MAX];
	unsigned int i, n = argc - 1;
	int err;

	if (argc == 2 && !strcmp(argv[1], "--list"))
		return list();
	if (!n || n > FUNCTIONS_MAX) {
		fprintf(stderr, "Usage: hostile SOCKET... | --list\n");
		return 2;
	}
	for (i = 0; i < n; i++) {
		h[i] = hostile_create(argv[i + 1], i);
		if (!h[i]) {
			perror(argv[i + 1]);
			return 1;
		}
	}
	err = serve(h, n);
	for (i = 0; i < n; i++) {
		vio_destroy(h[i]->v);
		free(h[i]);
	}
	if (err)
		fprintf(stderr, "hostile: %s\n", strerror(-err));
	return !!err;
}
