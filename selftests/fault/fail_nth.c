// SPDX-License-Identifier: GPL-2.0
/*
 * The fail-nth sweep: /proc/thread-self/fail-nth makes the n-th place fail at
 * which the kernel, working for this task, could be without memory or be given
 * a bad user address. For n = 1, 2, 3 ... a scenario either fails with an
 * errno or gets through; nothing may be left of it, and then it must work.
 * Needs a kernel with FAULT_INJECTION, and failslab and fail_page_alloc told
 * to fail whatever may wait.
 */
#define _GNU_SOURCE
#define TAP_MAIN
#include <errno.h>
#include <getopt.h>

#include "fail_nth.h"

#define container_of(p, type, member) \
	((type *)((char *)(p) - offsetof(type, member)))

/* No scenario has so many. */
#define NTH_MAX	50000

char *net_bdf, *blk_bdf, *pf_bdf;

static struct options {
	unsigned int seed;
	bool full;
	bool verbose;
} opt = { .seed = 1 };

static int nth_fd = -1;
static long kernel_pins;

static void nth_arm(unsigned int n)
{
	char buf[16];
	int len = snprintf(buf, sizeof(buf), "%u", n);

	CHECK(pwrite(nth_fd, buf, len, 0) == len, "errno %d", errno);
}

/* True if the fault was injected; these very calls may have the fault, too. */
static bool nth_disarm(void)
{
	char buf[16] = "";
	ssize_t n = pread(nth_fd, buf, sizeof(buf) - 1, 0);

	while (pwrite(nth_fd, "0", 1, 0) != 1)
		;
	return n > 0 && !strtoul(buf, NULL, 10);
}

static const char * const fault_attrs[] = {
	"failslab", "fail_page_alloc", "fail_usercopy",
};

/* Where a function of the kernel begins and ends. */
static bool find_function(const char *name, __u64 *start, __u64 *end)
{
	char line[256], symbol[128];
	FILE *f = fopen("/proc/kallsyms", "r");
	__u64 at;

	*start = 0;
	*end = UINT64_MAX;
	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "%llx %*c %127s", &at, symbol) == 2 &&
		    !strcmp(symbol, name))
			*start = at;
	if (f)
		rewind(f);
	while (f && fgets(line, sizeof(line), f)) {
		at = strtoull(line, NULL, 16);
		if (at > *start && at < *end)
			*end = at;
	}
	if (f)
		fclose(f);
	return *start && *end != UINT64_MAX;
}

static void fault_set(const char *attr, const char *file, __u64 value)
{
	char buf[32];

	snprintf(buf, sizeof(buf), "%#llx", value);
	CHECK_OK(lab_write(lab_path("/sys/kernel/debug/", attr, "/", file),
			   buf));
}

/* True if the kernel can be told; with NULL no function is spared any more. */
static bool spare(const char *function)
{
	__u64 start = 0, end = 0;
	unsigned int i;

	if (!lab_exists("/sys/kernel/debug/failslab/reject-start"))
		return !function;
	if (function && !find_function(function, &start, &end))
		FAIL("no %s in /proc/kallsyms", function);
	for (i = 0; i < ARRAY_SIZE(fault_attrs); i++) {
		fault_set(fault_attrs[i], "stacktrace-depth", 32);
		fault_set(fault_attrs[i], "reject-start", start);
		fault_set(fault_attrs[i], "reject-end", end);
	}
	return true;
}

/**
 * struct tally - what became of the failures of a scenario
 * @points: places that failed
 * @enomem: it said so
 * @efault: likewise, or that the address was bad
 * @other: likewise, in other words
 * @einval: how many of these were EINVAL
 * @swallowed: it got through all the same
 */
struct tally {
	unsigned int points;
	unsigned int enomem;
	unsigned int efault;
	unsigned int other;
	unsigned int einval;
	unsigned int swallowed;
};

/* What a caller may be told when memory is short or his address is bad. */
static bool nth_sane(const struct scenario *s, const struct tally *tally, int err)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(s->also); i++)
		if (s->also[i] && -err == s->also[i])
			return true;
	/*
	 * netdev_register_kobject() does not look whether dev_set_name() could store the name,
	 * and device_add() says EINVAL of a device that has none (6.12, traced). That is one
	 * allocation, which is met twice if one before it was needed only once.
	 */
	if (s->has_port && !strchr(net_bdf, ':') && err == -EINVAL)
		return tally->einval < 2;
	switch (-err) {
	case ENOMEM:
	case EFAULT:
	case ENOBUFS:
		return true;
	default:
		return false;
	}
}

static void tally_up(struct tally *t, int err)
{
	t->points++;
	t->einval += err == -EINVAL;
	if (!err)
		t->swallowed++;
	else if (err == -ENOMEM)
		t->enomem++;
	else if (err == -EFAULT)
		t->efault++;
	else
		t->other++;
}

static void expect_nothing_left(const struct scenario *s,
				struct lab_census *before, unsigned int n)
{
	struct lab_census now;
	const char *left;

	lab_count(&now);
	if (s->kernel_pins && now.pins > before->pins) {
		kernel_pins += now.pins - before->pins;
		before->pins = now.pins;
	}
	left = lab_compare(before, &now);
	if (left)
		FAIL("after failure %u something is left: %s", n, left);
}

static void must(const char *what, int (*step)(void), unsigned int n)
{
	int err = step ? step() : 0;

	if (err)
		FAIL("failure %u: %s gave %s", n, what, strerror(-err));
}

/* One run, its n-th place failing, or none if @n is 0; true if one did. */
static bool sweep_one(const struct scenario *s, unsigned int n,
		      struct tally *tally)
{
	bool hit = false;
	int err;

	must("prepare", s->prepare, n);
	if (n)
		nth_arm(n);
	err = s->run();
	if (n)
		hit = nth_disarm();
	if (opt.verbose)
		tap_note("%llu %s %u: %s%s", vc_now_ms(), s->test.name, n,
			 hit ? "" : "not hit, ", strerror(-err));
	if (!hit && err)
		FAIL("without a failure (%u): %s", n, strerror(-err));
	if (err) {
		CHECK(nth_sane(s, tally, err), "failure %u gave %s", n, strerror(-err));
		if (!s->done || !s->done())
			must("again", s->again ? s->again : s->run, n);
	} else {
		CHECK(!s->done || s->done(),
		      "failure %u: it said success, and did not do it", n);
	}
	if (hit)
		tally_up(tally, err);
	must("undo", s->undo, n);
	return hit;
}

static void sweep(void)
{
	const struct scenario *s = container_of(tap_current, struct scenario,
						test);
	unsigned int step = opt.full ? 1 : s->step, n;
	__u64 started = vc_now_ms();
	struct lab_census before;
	struct tally tally = { 0 };

	nth_fd = open("/proc/thread-self/fail-nth", O_RDWR | O_CLOEXEC);
	if (nth_fd < 0)
		SKIP("this kernel has no fail-nth");
	if (!spare(s->not_in))
		SKIP("%s does not survive it", s->not_in);
	CHECK_OK(vc_unlimit_memlock());
	CHECK_OK(lab_open());
	must("enter", s->enter, 0);
	sweep_one(s, 0, &tally);
	lab_count(&before);
	for (n = 1 + opt.seed % step; n < NTH_MAX; n += step) {
		bool hit = sweep_one(s, n, &tally);

		expect_nothing_left(s, &before, n);
		if (!hit)
			break;
		CHECK_OK(lab_open());
	}
	CHECK(n < NTH_MAX, "it never got through");
	sweep_one(s, 0, &tally);
	expect_nothing_left(s, &before, 0);
	must("leave", s->leave, 0);
	if (kernel_pins)
		tap_note("%s: %ld pages stay pinned: %s", s->test.name,
			 kernel_pins, s->kernel_pins);
	tap_note("%s: step %u, %u failures: %u ENOMEM, %u EFAULT, %u other, %u got through; %llu s",
		 s->test.name, step, tally.points, tally.enomem, tally.efault,
		 tally.other, tally.swallowed, (vc_now_ms() - started) / 1000);
}

static void register_all(struct scenario *s)
{
	for (; s->test.name; s++) {
		s->test.fn = sweep;
		tap_register(&s->test);
	}
}

static void usage(void)
{
	fprintf(stderr,
		"Usage: fail_nth [-f] [-v] [-s SEED] [-t SEC] [-l] [-m MGMT] SCENARIO...\n"
		"  -f  every failure, not a slice\n"
		"  -s  where a slice starts\n"
		"  -l  list scenarios\n"
		"  -m  all devices are of this management device, which is on no bus\n"
		"Environment: BDF_vf0_0, BDF_blk0, BDF_pf0: functions to use\n");
	exit(2);
}

int main(int argc, char **argv)
{
	struct tap_config config = { .timeout = 600 };
	bool list = false;
	int c;

	while ((c = getopt(argc, argv, "fvs:t:lm:")) != -1) {
		switch (c) {
		case 'f':
			opt.full = true;
			break;
		case 'v':
			opt.verbose = true;
			break;
		case 's':
			opt.seed = strtoul(optarg, NULL, 0);
			break;
		case 't':
			config.timeout = atoi(optarg);
			break;
		case 'l':
			list = true;
			break;
		case 'm':
			net_bdf = optarg;
			blk_bdf = optarg;
			break;
		default:
			usage();
		}
	}
	if (!net_bdf) {
		net_bdf = getenv("BDF_vf0_0");
		blk_bdf = getenv("BDF_blk0");
		pf_bdf = getenv("BDF_pf0");
		if (!net_bdf || !blk_bdf || !pf_bdf)
			usage();
	}
	register_all(mgmt_scenarios);
	register_all(vhost_scenarios);
	register_all(dirty_scenarios);
	register_all(pci_scenarios);
	if (list) {
		tap_list(argv + optind);
		return 0;
	}
	return tap_run(&config, argv + optind);
}
