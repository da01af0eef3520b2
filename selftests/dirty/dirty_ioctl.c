// SPDX-License-Identifier: GPL-2.0
/*
 * /dev/vmdev/NAME: what uapi/linux/vmdev.h promises, of a device without traffic.
 * Reports with something in them: selftests/kunit/dirty.c.
 */
#define TAP_MAIN
#include <getopt.h>

#include "tests.h"

struct test_opts opts;
__u64 bitmap[LOG_PAGES / 64];

int test_open(void)
{
	int fd = dirty_open(opts.path);

	CHECK(fd >= 0, "%s: %s", opts.path, strerror(-fd));
	return fd;
}

int start(int fd, __u32 asid)
{
	const struct vmdev_dirty_iova_range range = { LOG_IOVA, LOG_SIZE };
	__u64 page_size = PAGE;
	int ret = dirty_start(fd, asid, &page_size, &range, 1);

	CHECK(page_size == PAGE, "another page size");
	return ret;
}

int test_started(void)
{
	int fd = test_open();

	CHECK_OK(start(fd, 0));
	return fd;
}

int report(int fd, __u32 asid)
{
	return dirty_report(fd, asid, LOG_IOVA, LOG_SIZE, PAGE, bitmap);
}

int main(int argc, char **argv)
{
	const struct tap_config config = { .timeout = 120 };
	int c;

	while ((c = getopt(argc, argv, "n:b:d:l")) != -1) {
		switch (c) {
		case 'n':
			opts.name = optarg;
			break;
		case 'b':
			opts.bdf = optarg;
			break;
		case 'd':
			opts.vhost = optarg;
			break;
		case 'l':
			tap_list(argv + optind);
			return 0;
		default:
			return 2;
		}
	}
	if (!opts.name || !opts.bdf || !opts.vhost) {
		fprintf(stderr, "Usage: dirty_ioctl -n NAME -b BDF -d VHOST [TEST...] | -l\n");
		return 2;
	}
	snprintf(opts.path, sizeof(opts.path), "/dev/vmdev/%s", opts.name);
	return tap_run(&config, argv + optind);
}
