// SPDX-License-Identifier: GPL-2.0
/*
 * Measures what a vDPA device costs, in guest instructions; a line of JSON for
 * each figure. bench.sh makes the devices, report.py makes sense of the lines.
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "bench.h"

static const struct {
	const char *name;
	void (*fn)(const struct bench *b);
} cases[] = {
	{ "kick", case_kick },
	{ "doorbell", case_doorbell },
	{ "interrupt", case_interrupt },
	{ "tx", case_tx },
	{ "rx", case_rx },
	{ "host-rx", case_host_rx },
	{ "gso", case_gso },
	{ "blk", case_blk },
	{ "map", case_map },
	{ "map-huge", case_map_huge },
	{ "open", case_open },
	{ "dev", case_dev },
	{ "suspend", case_suspend },
	{ "log", case_log },
	{ "dirty", case_dirty },
	{ "nested", case_nested },
	{ "vhost-net", case_vhost_net },
};

void die(const char *what, int err)
{
	fprintf(stderr, "bench: %s: %s\n", what, strerror(-err));
	exit(1);
}

void check(const char *what, int ret)
{
	if (ret < 0)
		die(what, ret);
}

static void usage(void)
{
	unsigned int i;

	fprintf(stderr, "Usage: bench -c CONTENDER [OPTION...] CASE...\n"
		"  -c  whose the figures are, for the report\n"
		"  -d  vhost-vdpa device\n"
		"  -p  another at the other end of its wire (rx, dirty)\n"
		"  -i  interface at the other end of its wire (host-rx, gso)\n"
		"  -l  dirty log of the device, which logs meanwhile (tx, rx, dirty)\n"
		"  -w  file with the paths of its queues, which must be direct (tx, rx, dirty)\n"
		"  -a  config space of its function, an FPGA, which counts accesses to registers\n"
		"      (suspend, dirty)\n"
		"  -b  MiB of memory that is logged (dirty; 1024)\n"
		"  -m  management device, without a vDPA device (dev); BUS/ may be missing\n"
		"  -o  measure only this, of packets: tx-poll/64/32, or tx-poll\n"
		"  -P  file of its policy: direct and shadow take turns, for two contenders (nested)\n"
		"  -r  rounds, of which the median counts (101)\n"
		"  -s  most mappings standing (100000)\n"
		"Cases:");
	for (i = 0; i < ARRAY_SIZE(cases); i++)
		fprintf(stderr, " %s", cases[i].name);
	fprintf(stderr, "\n");
	exit(2);
}

static void run(const struct bench *b, const char *name)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		if (strcmp(cases[i].name, name))
			continue;
		cases[i].fn(b);
		return;
	}
	usage();
}

/* BUS/NAME, or NAME of a management device that is on no bus. */
static void set_mgmt(struct bench *b, char *arg)
{
	char *slash = strchr(arg, '/');

	b->mgmt_dev = slash ? slash + 1 : arg;
	if (slash) {
		*slash = '\0';
		b->mgmt_bus = arg;
	}
}

int main(int argc, char **argv)
{
	struct bench b = { .rounds = 101, .standing = 100000, .memory = 1024 };
	const char *contender = NULL;
	int opt;

	while ((opt = getopt(argc, argv, "a:b:c:d:p:i:l:m:o:P:r:s:w:")) != -1) {
		switch (opt) {
		case 'a':
			b.config = optarg;
			break;
		case 'b':
			b.memory = strtoul(optarg, NULL, 0);
			break;
		case 'c':
			contender = optarg;
			break;
		case 'd':
			b.dev = optarg;
			break;
		case 'p':
			b.peer = optarg;
			break;
		case 'i':
			b.port = optarg;
			break;
		case 'l':
			b.log = optarg;
			break;
		case 'm':
			set_mgmt(&b, optarg);
			break;
		case 'o':
			meter_only(optarg);
			break;
		case 'P':
			b.policy = optarg;
			break;
		case 'r':
			b.rounds = strtoul(optarg, NULL, 0);
			break;
		case 's':
			b.standing = strtoul(optarg, NULL, 0);
			break;
		case 'w':
			b.paths = optarg;
			break;
		default:
			usage();
		}
	}
	if (!contender || optind == argc || !b.rounds)
		usage();
	check("memlock", vc_unlimit_memlock());
	/* Where small pages lie is a matter of luck. */
	vc_huge_page = true;
	if (meter_init(contender))
		return 1;
	/* No page fault of ours may be taken for work of the device. */
	if (mlockall(MCL_CURRENT | MCL_FUTURE))
		die("mlockall", -errno);
	while (optind < argc)
		run(&b, argv[optind++]);
	return 0;
}
