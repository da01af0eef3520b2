// SPDX-License-Identifier: GPL-2.0
/*
 * model [OPTION...] SOCKET...: a function behind each socket, see usage().
 */
#define _GNU_SOURCE
#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model.h"

#define SUB_N3000	0x001a
#define SUB_C5000X	0x0001

static void usage(FILE *to)
{
	fputs("Usage: model [OPTION...] SOCKET...\n"
	      "An FPGA SmartNIC function behind each SOCKET, which QEMU's vfio-user-pci opens.\n"
	      "\n"
	      "  --blk N           the last N are block functions (0); the disk of S.sock is S.img\n"
	      "  --disk-size MIB   size of a disk that is not there yet (64)\n"
	      "  --pairs N         queue pairs of a net function, queues of a block one (1)\n"
	      "  --c5000x          net functions have the ids of a C5000X-PL, not of an N3000\n"
	      "  --suspend         no LM block, no ids: plain virtio 1.4 functions with SUSPEND\n"
	      "  --lm N=none|small|io|shared\n"
	      "                    the LM block of function N, from 0 on: no BAR 4, one that is too\n"
	      "                    small or no memory, a virtio structure in its place; repeatable\n"
	      "  --set N           number of this process, for MAC addresses (0)\n"
	      "  --uplink tap:NAME | OURS,PEER\n"
	      "                    one more port of the switch: a tap, or two datagram sockets\n",
	      to);
}

struct model {
	struct fpga *f[FPGA_MAX];
	unsigned int n;
};

static int model_tick(struct model *m)
{
	unsigned int i;
	int next = -1;

	for (i = 0; i < m->n; i++) {
		int ms = fpga_tick(m->f[i]);

		if (ms >= 0 && (next < 0 || ms < next))
			next = ms;
	}
	return next;
}

static int model_serve(struct model *m)
{
	struct vfu *f[FPGA_MAX];
	struct pollfd more = { .fd = uplink_fd(), .events = POLLIN };
	unsigned int i;
	int err = 0;

	for (i = 0; i < m->n; i++)
		f[i] = m->f[i]->v->f;
	while (!err || err == -EINTR) {
		err = vfu_poll_more(f, m->n, &more, 1, model_tick(m));
		if (!err && more.revents)
			uplink_receive();
	}
	return err;
}

static int number(const char *arg, unsigned int least, unsigned int most)
{
	char *end;
	unsigned long n = strtoul(arg, &end, 0);

	if (*arg && !*end && n >= least && n <= most)
		return n;
	fprintf(stderr, "model: %s is not from %u to %u\n", arg, least, most);
	exit(2);
}

static const char * const lm_kinds[LM_KINDS] = {
	[LM_WHOLE] = "whole", [LM_NONE] = "none", [LM_SMALL] = "small",
	[LM_IO] = "io", [LM_SHARED] = "shared",
};

/* N=KIND */
static void lm_kind(enum lm_kind *lm, char *arg)
{
	char *kind = strchr(arg, '=');
	unsigned int i;

	if (kind) {
		*kind++ = 0;
		for (i = 0; i < LM_KINDS; i++)
			if (!strcmp(kind, lm_kinds[i])) {
				lm[number(arg, 0, FPGA_MAX - 1)] = i;
				return;
			}
	}
	fprintf(stderr, "model: --lm wants N=none|small|io|shared\n");
	exit(2);
}

static const struct option options[] = {
	{ "blk", required_argument, NULL, 'b' },
	{ "disk-size", required_argument, NULL, 'd' },
	{ "pairs", required_argument, NULL, 'p' },
	{ "c5000x", no_argument, NULL, 'c' },
	{ "suspend", no_argument, NULL, 'S' },
	{ "lm", required_argument, NULL, 'l' },
	{ "set", required_argument, NULL, 's' },
	{ "uplink", required_argument, NULL, 'u' },
	{ "help", no_argument, NULL, 'h' },
	{ }
};

int main(int argc, char **argv)
{
	struct fpga_conf conf = {
		.pairs = 1, .sub_device = SUB_N3000, .disk_mib = 64,
	};
	enum lm_kind lm[FPGA_MAX] = { LM_WHOLE };
	struct model m = { .n = 0 };
	unsigned int blks = 0, n;
	int c, err;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (c) {
		case 'b':
			blks = number(optarg, 0, FPGA_MAX);
			break;
		case 'd':
			conf.disk_mib = number(optarg, 1, 1 << 20);
			break;
		case 'p':
			conf.pairs = number(optarg, 1, FPGA_PAIRS_MAX);
			break;
		case 'c':
			conf.sub_device = SUB_C5000X;
			break;
		case 'S':
			conf.standard = true;
			break;
		case 'l':
			lm_kind(lm, optarg);
			break;
		case 's':
			conf.set = number(optarg, 0, 255);
			break;
		case 'u':
			if (uplink_open(optarg)) {
				perror(optarg);
				return 1;
			}
			break;
		case 'h':
			usage(stdout);
			return 0;
		default:
			usage(stderr);
			return 2;
		}
	}
	n = argc - optind;
	if (!n || n > FPGA_MAX || blks > n) {
		usage(stderr);
		return 2;
	}
	for (; m.n < n; m.n++) {
		const char *path = argv[optind + m.n];

		conf.n = m.n;
		conf.lm = lm[m.n];
		m.f[m.n] = fpga_create(path, m.n < n - blks ? VIRTIO_ID_NET :
				       VIRTIO_ID_BLOCK, &conf);
		if (!m.f[m.n]) {
			perror(path);
			return 1;
		}
	}
	err = model_serve(&m);
	while (m.n)
		fpga_destroy(m.f[--m.n]);
	if (err)
		fprintf(stderr, "model: %s\n", strerror(-err));
	return !!err;
}
