// SPDX-License-Identifier: GPL-2.0
/* The command line, and runs one after another; see oracle.h. */
#define _GNU_SOURCE
#include <getopt.h>
#include <signal.h>
#include <stdarg.h>

#include "oracle.h"

/* Seconds that a run may take: a debug kernel in an emulator, on a busy machine. */
#define RUN_LIMIT	300

struct stats stats;

static struct chain chains[DEVS][QUEUES][CHAINS];
static struct mem memory;
static __u64 current_seed;

static struct {
	const char *name[DEVS];
	const char *path[DEVS];
	unsigned int ndevs;
	const char *peer;
	const char *recycled;
	__u64 seed;
	unsigned int runs;
	unsigned int seconds;
	bool net_has_log;
	unsigned int smallest;
	bool verbose;
} opts = { .seed = 1, .runs = 1 };

void run_fail(const struct run *run, int code, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	printf("# FAILED seed %llu: ", run->seed);
	vprintf(fmt, args);
	printf("\n");
	va_end(args);
	fflush(stdout);
	_exit(code);
}

void run_say(const struct run *run, const char *fmt, ...)
{
	va_list args;

	if (!run->verbose)
		return;
	va_start(args, fmt);
	printf("# ");
	vprintf(fmt, args);
	printf("\n");
	va_end(args);
	fflush(stdout);
}

static void too_long(int sig)
{
	char line[80];
	int n = snprintf(line, sizeof(line), "# FAILED seed %llu: it does not end\n", current_seed);

	(void)sig;
	if (write(STDOUT_FILENO, line, n) < 0)
		_exit(3);
	_exit(2);
}

static void run_add(struct run *run, unsigned int i)
{
	struct dev *d = &run->dev[run->ndevs];

	d->name = opts.name[i];
	d->path = opts.path[i];
	d->index = run->ndevs;
	d->chains = chains[run->ndevs];
	run->ndevs++;
}

/* One of the devices, or all of them. */
static void run_devices(struct run *run)
{
	unsigned int i, which = rng_below(&run->plan, opts.ndevs + 1);

	for (i = 0; i < opts.ndevs; i++)
		if (which == i || which == opts.ndevs)
			run_add(run, i);
}

static void run_one(__u64 seed)
{
	static struct run run;

	current_seed = seed;
	alarm(RUN_LIMIT);
	memset(&run, 0, sizeof(run));
	memset(chains, 0, sizeof(chains));
	run.seed = seed;
	run.plan = rng_of(seed, 0, 0, 0);
	run.mem = &memory;
	run.net_has_log = opts.net_has_log;
	run.smallest = opts.smallest;
	run.verbose = opts.verbose;
	mem_choose(&memory, &run.plan);
	if (opts.recycled) {
		run_add(&run, 0);
		run_recycled(&run, !strcmp(opts.recycled, "packed"));
	} else {
		run_devices(&run);
		run_random(&run);
	}
	stats.runs++;
	alarm(0);
}

static void print_stats(void)
{
	printf("# %lu runs: %lu split, %lu packed, %lu doorbells, %lu lost\n", stats.runs,
	       stats.split, stats.packed, stats.doorbells, stats.lost);
	printf("# buffers: %lu rx, %lu tx, %lu read, %lu other; %lu indirect, %lu chained\n",
	       stats.rx, stats.tx, stats.reads, stats.other, stats.indirect, stats.chained);
	printf("# logs: %lu starts, %lu direct, %lu refused, %lu cancelled\n", stats.starts,
	       stats.direct, stats.refused, stats.cancelled);
	printf("# %lu reports, %lu pages\n", stats.reports, stats.pages);
	printf("# %lu comparisons, %lu buffers half written\n", stats.compares, stats.half_written);
	printf("# %lu paths, %lu resumes, %lu restarts, %lu queues off\n", stats.switches,
	       stats.resumes, stats.restarts, stats.disables);
}

/* A run in which something never happened shows nothing. */
static bool all_happened(void)
{
	return stats.rx && stats.tx && stats.reads && stats.indirect && stats.chained &&
	       stats.split && (stats.packed || !stats.may_pack) && stats.starts &&
	       stats.cancelled && stats.pages &&
	       stats.compares && stats.half_written && stats.switches && stats.resumes &&
	       stats.restarts && stats.refused && (stats.direct || !opts.net_has_log);
}

static int usage(void)
{
	fprintf(stderr,
		"Usage: oracle [-s SEED] [-r RUNS] [-t SECONDS] [-p PEER] [-l] [-m SIZE]\n"
		"	[-v] [-c split|packed] NAME=VHOST...\n"
		"RUNS runs of the seeds from SEED on, or as many as there is time for; at least one. If by then\n"
		"something never happened there is up to five times as much.\n"
		"-l: network devices have a log of their own, and are direct while it is used.\n"
		"-m: rings have so many entries, or more.\n"
		"-c: recycled buffers, see recycled.c. Exits with 1 if a write was missed.\n");
	return 2;
}

static bool options(int argc, char **argv)
{
	int c;

	while ((c = getopt(argc, argv, "s:r:t:p:c:m:lv")) != -1) {
		switch (c) {
		case 's':
			opts.seed = strtoull(optarg, NULL, 0);
			break;
		case 'r':
			opts.runs = strtoul(optarg, NULL, 0);
			break;
		case 't':
			opts.seconds = strtoul(optarg, NULL, 0);
			break;
		case 'p':
			opts.peer = optarg;
			break;
		case 'c':
			opts.recycled = optarg;
			break;
		case 'm':
			opts.smallest = strtoul(optarg, NULL, 0);
			break;
		case 'l':
			opts.net_has_log = true;
			break;
		case 'v':
			opts.verbose = true;
			break;
		default:
			return false;
		}
	}
	for (; optind < argc && opts.ndevs < DEVS; optind++) {
		opts.name[opts.ndevs] = strtok(argv[optind], "=");
		opts.path[opts.ndevs] = strtok(NULL, "=");
		if (!opts.path[opts.ndevs++])
			return false;
	}
	return opts.ndevs && optind == argc;
}

/*
 * A slow machine has time for few runs: when not all has happened in them there is more of it, but
 * not without end.
 */
static bool time_is_over(__u64 begin)
{
	__u64 span = opts.seconds * 1000ULL, now = vc_now_ms();

	if (!span || now < begin + span)
		return false;
	return all_happened() || now >= begin + 5 * span;
}

int main(int argc, char **argv)
{
	__u64 begin;
	int ret;

	if (!options(argc, argv))
		return usage();
	setvbuf(stdout, NULL, _IOLBF, 0);
	signal(SIGALRM, too_long);
	vc_unlimit_memlock();
	mem_setup(&memory);
	ret = opts.peer ? peer_start(opts.peer) : 0;
	if (ret) {
		fprintf(stderr, "%s: %s\n", opts.peer, strerror(-ret));
		return 2;
	}
	begin = vc_now_ms();
	do {
		run_one(opts.seed + stats.runs);
	} while (stats.runs < opts.runs && !time_is_over(begin));
	print_stats();
	if (stats.runs >= 50 && !all_happened()) {
		printf("# FAILED: something never happened\n");
		return 2;
	}
	return 0;
}
