// SPDX-License-Identifier: GPL-2.0
/* Scenarios: what user space does with /dev/vmdev/NAME. */
#include <unistd.h>

#include "../dirty/dirty_client.h"
#include "fail_nth.h"

#define RANGES	4
#define IOVA	0x40000000ULL
#define LENGTH	(64ULL << 20)

static int fd = -1;
static __u64 bitmap[LENGTH / 4096 / 64];

static int open_log(void)
{
	fd = dirty_open("/dev/vmdev/" DEV);
	return fd < 0 ? fd : 0;
}

static int close_log(void)
{
	if (fd >= 0)
		close(fd);
	fd = -1;
	return 0;
}

static int begin(void)
{
	struct vmdev_dirty_iova_range ranges[RANGES];
	__u64 page_size = 4096;
	unsigned int i;

	for (i = 0; i < RANGES; i++)
		ranges[i] = (struct vmdev_dirty_iova_range) { 2 * i * IOVA, LENGTH };
	return dirty_start(fd, 0, &page_size, ranges, RANGES);
}

static int open_and_begin(void)
{
	int err = open_log();

	return err ? err : begin();
}

static int report(void)
{
	return dirty_report(fd, 0, 2 * IOVA, LENGTH, 4096, bitmap);
}

static int end(void)
{
	return dirty_stop(fd, 0);
}

static int info(void)
{
	struct vmdev_dirty_info info;

	return dirty_info(fd, &info);
}

#define LOG	.enter = dev_up, .undo = close_log, .leave = dev_down

struct scenario dirty_scenarios[] = {
	{ .test.name = "dirty_open", .step = 1, LOG, .run = open_log },
	{ .test.name = "dirty_info", .step = 1, LOG, .prepare = open_log, .run = info },
	{ .test.name = "dirty_start", .step = 1, LOG, .prepare = open_log, .run = begin },
	{ .test.name = "dirty_report", .step = 1, LOG, .prepare = open_and_begin,
	  .run = report },
	{ .test.name = "dirty_stop", .step = 1, LOG, .prepare = open_and_begin, .run = end },
	{ }
};
