// SPDX-License-Identifier: GPL-2.0
/*
 * The fuzzer's main loop: programs, one after the other, and between rounds of
 * them an honest client that still must be served.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <getopt.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "fuzz.h"

/* Memory that may be pinned; hostile sizes shall meet a bound that is there. */
#define MEMLOCK		(64UL << 20)

/* Without a call that long something is stuck; a drain may take 2 s. */
#define STUCK_SECONDS	180

static struct options {
	__u64 seed;
	__u64 calls;
	__u64 round;
	__u64 print_from;
	unsigned int seconds;
	unsigned int at_least;
	unsigned int threads;
	bool coverage;
	const char *keep_to;
	const char *kept;
	const char *pcs;
	const char *report;
} opt = {
	.calls = 10000, .round = 10000, .print_from = UINT64_MAX,
	.threads = 1, .coverage = true,
};

static const char help[] =
"Usage: vdpa_fuzz [OPTION...] LABEL=MGMT...\n"
"Calls that nobody should make, on a vDPA device of each management device: a\n"
"function that vmdev_pci has, by its address, or one without a bus, by its name. That\n"
"may have several, and makes disks if it is called so (_blk).\n"
"  --seed N       of all random numbers (default: the clock)\n"
"  --calls N      how many calls (10000)\n"
"  --seconds N    end after so long, whatever was done\n"
"  --at-least N   go on for so many seconds, also beyond that many calls\n"
"  --round N      calls between two looks at the devices (10000)\n"
"  --threads 2    a second thread races the first: not reproducible\n"
"  --replay       print each call before it is made\n"
"  --from N       the same, from call N on\n"
"  --no-coverage  do not go by what was reached, though KCOV is there\n"
"  --keep-to F    write down which programs were kept for what they reached\n"
"  --kept F       keep those, whatever is reached: the same calls again\n"
"  --pcs F        write down what was reached: module and offset\n"
"  --report F     write down how often each operation was called\n";

static const struct option long_options[] = {
	{ "seed", required_argument, NULL, 's' },
	{ "calls", required_argument, NULL, 'c' },
	{ "seconds", required_argument, NULL, 't' },
	{ "at-least", required_argument, NULL, 'l' },
	{ "round", required_argument, NULL, 'r' },
	{ "threads", required_argument, NULL, 'T' },
	{ "replay", no_argument, NULL, 'p' },
	{ "from", required_argument, NULL, 'f' },
	{ "no-coverage", no_argument, NULL, 'n' },
	{ "keep-to", required_argument, NULL, 'k' },
	{ "kept", required_argument, NULL, 'K' },
	{ "pcs", required_argument, NULL, 'P' },
	{ "report", required_argument, NULL, 'R' },
	{ "help", no_argument, NULL, 'h' },
	{ 0 }
};

static __u64 started;

static bool fail(const char *what, int ret)
{
	snprintf(fz_shared->verdict, sizeof(fz_shared->verdict), "%s: %s", what,
		 strerror(-ret));
	return false;
}

/* --- the second thread ------------------------------------------------- */

static struct racer {
	pthread_t thread;
	struct fz_thread th;
	struct fz_program prog;
} racer;

static void *race(void *unused)
{
	unsigned int i;

	(void)unused;
	for (i = 0; i < racer.prog.n; i++)
		racer.prog.call[i].op->run(&racer.th, &racer.prog.call[i]);
	/* Perhaps the last one to close it. */
	for (i = 0; i < FZ_TARGETS; i++) {
		if (racer.th.fd[i] >= 0)
			close(racer.th.fd[i]);
		racer.th.fd[i] = -1;
	}
	return NULL;
}

static bool race_begin(struct fz_rng *rng, const struct fz_program *prog)
{
	unsigned int target = prog->call[0].target, i;

	if (opt.threads < 2)
		return false;
	fz_program_race(rng, &racer.prog, target);
	/* A descriptor of its own: the first thread's may become another file's. */
	for (i = 0; i < fz_ntargets; i++)
		racer.th.fd[i] = dup(fz_targets[i].fd);
	return !pthread_create(&racer.thread, NULL, race, NULL);
}

/* --- the first --------------------------------------------------------- */

/* True if some call reached something new. */
static bool run_program(struct fz_thread *th, const struct fz_program *prog)
{
	unsigned int i, fresh = 0;

	for (i = 0; i < prog->n; i++) {
		if (fz_shared->calls >= opt.calls && !opt.at_least)
			break;
		if (fz_shared->calls >= opt.print_from) {
			printf("%llu: ", (unsigned long long)fz_shared->calls);
			fz_call_print(stdout, &prog->call[i]);
		}
		fz_watch_note(&prog->call[i]);
		fz_cov_start();
		fz_call_run(th, &prog->call[i]);
		fresh += fz_cov_stop();
	}
	return fresh;
}

static void progress(void)
{
	double s = (fz_now() - started) / 1e9;

	fz_say("%llu calls, %llu programs, %llu times DRIVER_OK, %u kept, %u places, %.0f calls/s",
	       (unsigned long long)fz_shared->calls,
	       (unsigned long long)fz_shared->programs,
	       (unsigned long long)fz_shared->runs, fz_corpus_size(),
	       fz_cov_count(), fz_shared->calls / s);
}

static bool check(void)
{
	progress();
	if (fz_targets_check(fz_shared->verdict, sizeof(fz_shared->verdict)))
		return false;
	return !fz_watch_log(fz_shared->verdict, sizeof(fz_shared->verdict));
}

static bool is_over(void)
{
	__u64 seconds = (fz_now() - started) / 1000000000;

	if (opt.seconds && seconds >= opt.seconds)
		return true;
	return fz_shared->calls >= opt.calls && seconds >= opt.at_least;
}

static bool run_all(void)
{
	static struct fz_program prog;
	__u64 next_check = opt.round;
	struct fz_rng rng = { .state = opt.seed };
	struct fz_thread th;
	bool raced;

	fz_thread_init(&th, false);
	fz_thread_init(&racer.th, true);
	while (!is_over()) {
		struct fz_rng own = { .state = fz_next(&rng) };

		fz_corpus_next(&own, &prog);
		raced = race_begin(&own, &prog);
		fz_corpus_keep(fz_shared->programs, &prog, run_program(&th, &prog));
		if (raced)
			pthread_join(racer.thread, NULL);
		fz_shared->programs++;
		if (fz_watch_log(fz_shared->verdict, sizeof(fz_shared->verdict)))
			return false;
		if (fz_shared->calls < next_check)
			continue;
		if (!check())
			return false;
		next_check += opt.round;
	}
	return check();
}

static bool worker_init(void)
{
	struct rlimit memlock = { MEMLOCK, MEMLOCK };
	int ret;

	setrlimit(RLIMIT_MEMLOCK, &memlock);
	ret = fz_netlink_init();
	if (ret)
		return fail("the vdpa netlink family", ret);
	ret = fz_guest_init();
	if (ret)
		return fail("memory", ret);
	ret = fz_corpus_init(opt.keep_to, opt.kept);
	if (ret)
		return fail("list of kept programs", ret);
	ret = opt.coverage ? fz_cov_init() : -ENOENT;
	fz_say(ret ? "no coverage: %s" : "coverage by KCOV%s",
	       ret ? strerror(-ret) : "");
	ret = fz_files_init();
	if (ret)
		return fail("files", ret);
	return true;
}

static int worker(void)
{
	bool good;

	started = fz_now();
	if (!worker_init())
		return 1;
	good = check() && run_all();
	fz_table_report(opt.report);
	fz_cov_report(opt.pcs);
	progress();
	fz_say("seed %llu, %llu calls, digest %016llx",
	       (unsigned long long)opt.seed, (unsigned long long)fz_shared->calls,
	       (unsigned long long)fz_shared->digest);
	return good ? 0 : 1;
}

/* --- command line ------------------------------------------------------ */

static bool set_option(int c)
{
	switch (c) {
	case 's':
		opt.seed = strtoull(optarg, NULL, 0);
		return true;
	case 'c':
		opt.calls = strtoull(optarg, NULL, 0);
		return true;
	case 't':
		opt.seconds = atoi(optarg);
		return true;
	case 'l':
		opt.at_least = atoi(optarg);
		return true;
	case 'r':
		opt.round = strtoull(optarg, NULL, 0);
		return true;
	case 'T':
		opt.threads = atoi(optarg);
		return true;
	case 'p':
		opt.print_from = 0;
		return true;
	case 'f':
		opt.print_from = strtoull(optarg, NULL, 0);
		return true;
	case 'n':
		opt.coverage = false;
		return true;
	case 'k':
		opt.keep_to = optarg;
		return true;
	case 'K':
		opt.kept = optarg;
		return true;
	case 'P':
		opt.pcs = optarg;
		return true;
	case 'R':
		opt.report = optarg;
		return true;
	}
	return false;
}

int main(int argc, char **argv)
{
	int c, ret;

	opt.seed = time(NULL);
	while ((c = getopt_long(argc, argv, "h", long_options, NULL)) >= 0) {
		if (set_option(c))
			continue;
		fputs(help, c == 'h' ? stdout : stderr);
		return c == 'h' ? 0 : 2;
	}
	for (; optind < argc; optind++) {
		ret = fz_target_add(argv[optind]);
		if (ret) {
			fprintf(stderr, "vdpa_fuzz: %s: %s\n", argv[optind],
				strerror(-ret));
			return 2;
		}
	}
	if (!fz_ntargets || fz_watch_init()) {
		fputs(help, stderr);
		return 2;
	}
	fz_table_init();
	fz_say("seed %llu", (unsigned long long)opt.seed);
	return fz_watch(worker, STUCK_SECONDS);
}
