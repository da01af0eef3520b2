// SPDX-License-Identifier: GPL-2.0
/* vmdev dirty: what is dirty-logged, and how fast a device writes. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include <linux/vmdev.h>

#include "vmdev.h"

/* The finest page, which tells most. */
#define PAGE_SIZE	4096
#define RANGES_MAX	16

/* A file descriptor, or a negative errno. */
static int open_log(const char *name)
{
	char path[NAME_SIZE + 16];
	int fd;

	snprintf(path, sizeof(path), "/dev/vmdev/%s", name);
	fd = open(path, O_RDWR | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

static int get_info(int fd, struct vmdev_dirty_info *info)
{
	*info = (struct vmdev_dirty_info) { .argsz = sizeof(*info) };
	return ioctl(fd, VMDEV_DIRTY_INFO, info) ? -errno : 0;
}

/* --- show ----------------------------------------------------------------------- */

static void show_sizes(uint64_t sizes)
{
	unsigned int i;

	if (!opt.json)
		fputs(" page_sizes", stdout);
	out_list("page_sizes");
	for (i = 0; i < 64; i++)
		if (sizes >> i & 1)
			out_number(NULL, 1ULL << i);
	out_list_end();
}

/* What only root is told. */
static void show_limits(const char *name)
{
	struct vmdev_dirty_info info;
	int fd = open_log(name);

	if (fd < 0)
		return;
	if (!get_info(fd, &info)) {
		out_break();
		show_sizes(info.page_sizes);
		out_number("bytes_max", info.bytes_max);
		out_number("ranges_max", info.ranges_max);
	}
	close(fd);
}

static void show_log(const struct nlattr **attrs)
{
	out_number("page_size", nl_uint(attrs[VMDEV_A_ADDRESS_SPACE_PAGE_SIZE]));
	if (attrs[VMDEV_A_ADDRESS_SPACE_LOGGED_FIRST]) {
		out_hex("logged_first", nl_uint(attrs[VMDEV_A_ADDRESS_SPACE_LOGGED_FIRST]));
		out_hex("logged_last", nl_uint(attrs[VMDEV_A_ADDRESS_SPACE_LOGGED_LAST]));
	}
	out_number("logged_bytes", nl_uint(attrs[VMDEV_A_ADDRESS_SPACE_LOGGED_BYTES]));
	out_number("logged_ranges", nl_u32(attrs[VMDEV_A_ADDRESS_SPACE_LOGGED_RANGES]));
	out_number("reports", nl_uint(attrs[VMDEV_A_ADDRESS_SPACE_REPORTS]));
	out_text("holder", nl_string(attrs[VMDEV_A_ADDRESS_SPACE_HOLDER]));
	out_number("pid", nl_u32(attrs[VMDEV_A_ADDRESS_SPACE_HOLDER_PID]));
}

static void show_space(const struct nlattr **attrs, void *data)
{
	const char *name = nl_string(attrs[VMDEV_A_ADDRESS_SPACE_DEV]);
	bool logged = attrs[VMDEV_A_ADDRESS_SPACE_LOGGED];

	(void)data;
	out_object(NULL);
	out_title("dev", name);
	out_number("address_space", nl_u32(attrs[VMDEV_A_ADDRESS_SPACE_INDEX]));
	out_number("maps", nl_uint(attrs[VMDEV_A_ADDRESS_SPACE_MAPS]));
	if (attrs[VMDEV_A_ADDRESS_SPACE_MAPPED_FIRST]) {
		out_hex("mapped_first", nl_uint(attrs[VMDEV_A_ADDRESS_SPACE_MAPPED_FIRST]));
		out_hex("mapped_last", nl_uint(attrs[VMDEV_A_ADDRESS_SPACE_MAPPED_LAST]));
	}
	out_bool("logged", logged);
	if (logged)
		show_log(attrs);
	show_limits(name);
	out_object_end();
}

static int dirty_show(int argc, char **argv)
{
	struct nlmsghdr *nlh;
	struct nl nl;
	int ret;

	if (argc > 1)
		return usage_error("one device at a time");
	ret = nl_open(&nl);
	if (!ret) {
		nlh = nl_request(&nl, VMDEV_CMD_ADDRESS_SPACE_GET, true);
		if (argc)
			ret = nl_put_name(nlh, VMDEV_A_ADDRESS_SPACE_DEV, argv[0]);
	}
	if (!ret) {
		out_list(NULL);
		ret = nl_talk(&nl, nlh, VMDEV_A_ADDRESS_SPACE_MAX, show_space, NULL);
		out_list_end();
	}
	nl_close(&nl);
	return ret;
}

/* --- watch ---------------------------------------------------------------------- */

/**
 * struct watch - a log that is looked at
 * @name: of the device
 * @fd: of its log
 * @asid: the address space
 * @count: reports until the end, 0 for no end
 * @seconds: between two of them
 * @page_size: of the log
 * @ranges: what is logged
 * @bitmaps: a page for each bit, of each of @ranges
 * @num_ranges: how many
 */
struct watch {
	const char *name;
	int fd;
	uint32_t asid;
	uint64_t count;
	double seconds;
	uint64_t page_size;
	struct vmdev_dirty_iova_range ranges[RANGES_MAX];
	uint64_t *bitmaps[RANGES_MAX];
	unsigned int num_ranges;
};

static sig_atomic_t interrupted;

static void interrupt(int sig)
{
	(void)sig;
	__atomic_store_n(&interrupted, 1, __ATOMIC_RELAXED);
}

static bool is_interrupted(void)
{
	return __atomic_load_n(&interrupted, __ATOMIC_RELAXED);
}

/* IOVA:LENGTH */
static bool parse_range(struct watch *w, char *text)
{
	struct vmdev_dirty_iova_range *range = &w->ranges[w->num_ranges];
	char *colon = strchr(text, ':');
	uint64_t iova, length;

	if (!colon || w->num_ranges == RANGES_MAX)
		return false;
	*colon = '\0';
	if (!parse_size(text, &iova) || !parse_size(colon + 1, &length) || !length ||
	    (iova | length) % PAGE_SIZE)
		return false;
	*range = (struct vmdev_dirty_iova_range) { iova, length };
	w->num_ranges++;
	return true;
}

/* false if it makes no sense, which was said. */
static bool parse_option(struct watch *w, int c, char *arg)
{
	uint64_t value;
	char *end;

	switch (c) {
	case 'n':
		if (parse_number(arg, UINT64_MAX, &w->count) && w->count)
			return true;
		usage_error("\"%s\" is no number of reports", arg);
		return false;
	case 'i':
		w->seconds = strtod(arg, &end);
		if (*arg && !*end && w->seconds >= 0.001 && w->seconds <= 86400)
			return true;
		usage_error("\"%s\" is no interval, in seconds", arg);
		return false;
	case 'a':
		if (parse_number(arg, UINT32_MAX, &value)) {
			w->asid = value;
			return true;
		}
		usage_error("\"%s\" is no number of an address space", arg);
		return false;
	case 'r':
		if (parse_range(w, arg))
			return true;
		usage_error("no range IOVA:LENGTH of whole pages of 4 KiB, %u at most: \"%s\"",
			    RANGES_MAX, arg);
		return false;
	default:
		return false;
	}
}

static bool parse_options(struct watch *w, int argc, char **argv)
{
	int c;

	optind = 0;
	while ((c = getopt(argc, argv, "+n:i:a:r:")) != -1)
		if (!parse_option(w, c, optarg))
			return false;
	if (optind != argc) {
		usage_error("dirty watch takes no \"%s\"", argv[optind]);
		return false;
	}
	return true;
}

static void mapped(const struct nlattr **attrs, void *data)
{
	const struct nlattr *first = attrs[VMDEV_A_ADDRESS_SPACE_MAPPED_FIRST];
	struct watch *w = data;
	uint64_t iova;

	if (!first)
		return;
	iova = nl_uint(first) / PAGE_SIZE * PAGE_SIZE;
	w->ranges[0] = (struct vmdev_dirty_iova_range) {
		.iova = iova,
		.length = (nl_uint(attrs[VMDEV_A_ADDRESS_SPACE_MAPPED_LAST]) - iova) /
			  PAGE_SIZE * PAGE_SIZE + PAGE_SIZE,
	};
	w->num_ranges = 1;
}

/* All that is mapped now: nothing else can be written. */
static int what_is_mapped(struct watch *w)
{
	struct nlmsghdr *nlh;
	struct nl nl;
	int ret;

	ret = nl_open(&nl);
	if (!ret) {
		nlh = nl_request(&nl, VMDEV_CMD_ADDRESS_SPACE_GET, false);
		mnl_attr_put_u32(nlh, VMDEV_A_ADDRESS_SPACE_INDEX, w->asid);
		ret = nl_put_name(nlh, VMDEV_A_ADDRESS_SPACE_DEV, w->name);
	}
	if (!ret)
		ret = nl_talk(&nl, nlh, VMDEV_A_ADDRESS_SPACE_MAX, mapped, w);
	nl_close(&nl);
	if (!ret && !w->num_ranges)
		return failure("%s: nothing is mapped in address space %u; say what to log with -r",
			       w->name, w->asid);
	return ret;
}

static int begin_failed(const struct watch *w, int err)
{
	struct vmdev_dirty_info info;

	switch (err) {
	case EBUSY:
		if (!get_info(w->fd, &info) && info.active >> w->asid & 1)
			return failure("%s: address space %u is being logged already by another",
				       w->name, w->asid);
		return failure("%s: requests under way do not finish, try again", w->name);
	case EOPNOTSUPP:
		return failure("%s: a queue cannot be logged, dmesg | grep %s names it", w->name,
			       w->name);
	case EINVAL:
		return failure("%s: it has no address space %u, or ranges overlap", w->name,
			       w->asid);
	default:
		return failure("%s: logging does not begin: %s", w->name, strerror(err));
	}
}

static int begin(struct watch *w)
{
	struct vmdev_dirty_start start = {
		.argsz = sizeof(start),
		.asid = w->asid,
		.num_ranges = w->num_ranges,
		.page_size = PAGE_SIZE,
		.ranges = (uintptr_t)w->ranges,
	};

	if (ioctl(w->fd, VMDEV_DIRTY_START, &start))
		return begin_failed(w, errno);
	w->page_size = start.page_size;
	return EXIT_OK;
}

/* Words of 64 pages of a range. The bitmap has a bit for each page that begins in it. */
static uint64_t words(const struct watch *w, unsigned int i)
{
	return w->ranges[i].length / w->page_size / 64 + 1;
}

static int alloc_bitmaps(struct watch *w)
{
	unsigned int i;

	for (i = 0; i < w->num_ranges; i++) {
		w->bitmaps[i] = calloc(words(w, i), sizeof(uint64_t));
		if (!w->bitmaps[i])
			return failure("no memory for a bitmap of %llu pages",
				       w->ranges[i].length / w->page_size);
	}
	return EXIT_OK;
}

/* Dirty pages of a range since the last report, or a negative errno. */
static int64_t report(struct watch *w, unsigned int i)
{
	struct vmdev_dirty_report args = {
		.argsz = sizeof(args),
		.asid = w->asid,
		.iova = w->ranges[i].iova,
		.length = w->ranges[i].length,
		.page_size = w->page_size,
		.bitmap = (uintptr_t)w->bitmaps[i],
	};
	uint64_t word, n = words(w, i);
	int64_t pages = 0;

	if (ioctl(w->fd, VMDEV_DIRTY_REPORT, &args))
		return -errno;
	for (word = 0; word < n; word++) {
		pages += __builtin_popcountll(w->bitmaps[i][word]);
		w->bitmaps[i][word] = 0;
	}
	return pages;
}

static int report_failed(const struct watch *w, int err)
{
	if (err == ENODEV)
		return failure("%s was deleted", w->name);
	return failure("%s: no report: %s", w->name, strerror(err));
}

static void show_rate(const struct watch *w, uint64_t pages, double seconds)
{
	out_object(NULL);
	out_title("dev", w->name);
	out_number("address_space", w->asid);
	out_number("page_size", w->page_size);
	out_number("pages", pages);
	out_real("pages_per_s", pages / seconds);
	out_real("mib_per_s", pages * w->page_size / seconds / (1 << 20));
	out_object_end();
	out_flush();
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

static void sleep_until(double end)
{
	struct timespec t = { (time_t)end, (end - (time_t)end) * 1e9 };

	while (!is_interrupted() &&
	       clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL) == EINTR)
		;
}

static int look(struct watch *w)
{
	double last = now(), next = last;
	uint64_t n;

	for (n = 0; !w->count || n < w->count; n++) {
		int64_t sum = 0, pages;
		unsigned int i;
		double at;

		next += w->seconds;
		sleep_until(next);
		if (is_interrupted() || ferror(stdout))
			break;
		for (i = 0; i < w->num_ranges; i++) {
			pages = report(w, i);
			if (pages < 0)
				return report_failed(w, -pages);
			sum += pages;
		}
		at = now();
		show_rate(w, sum, at - last);
		last = at;
	}
	return EXIT_OK;
}

static void end(struct watch *w)
{
	struct vmdev_dirty_stop stop = { .argsz = sizeof(stop), .asid = w->asid };
	unsigned int i;

	ioctl(w->fd, VMDEV_DIRTY_STOP, &stop);
	for (i = 0; i < w->num_ranges; i++)
		free(w->bitmaps[i]);
}

static int open_failed(const char *name, int err)
{
	switch (err) {
	case ENOENT:
		return failure("there is no device %s of vmdev's: /dev/vmdev/%s is not there", name,
			       name);
	case EACCES:
	case EPERM:
		return failure("/dev/vmdev/%s is root's alone", name);
	default:
		return failure("/dev/vmdev/%s: %s", name, strerror(err));
	}
}

static int dirty_watch(int argc, char **argv)
{
	const struct sigaction action = { .sa_handler = interrupt };
	struct watch w = { .seconds = 1 };
	int ret;

	if (!argc || argv[0][0] == '-')
		return usage_error("dirty watch needs a device");
	w.name = argv[0];
	/* Its name is to getopt what that of a program is. */
	if (!parse_options(&w, argc, argv))
		return EXIT_USAGE;
	opt.pretty = false;
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	w.fd = open_log(w.name);
	if (w.fd < 0)
		return open_failed(w.name, -w.fd);
	ret = w.num_ranges ? EXIT_OK : what_is_mapped(&w);
	if (!ret)
		ret = begin(&w);
	if (!ret) {
		ret = alloc_bitmaps(&w);
		if (!ret)
			ret = look(&w);
		end(&w);
	}
	close(w.fd);
	return ret;
}

int do_dirty(int argc, char **argv)
{
	static const struct command commands[] = {
		{ "show", dirty_show },
		{ "list", dirty_show },
		{ "watch", dirty_watch },
		{ NULL, NULL }
	};

	return argc ? run_command(commands, "command", argc, argv) : dirty_show(0, NULL);
}
