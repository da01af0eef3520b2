// SPDX-License-Identifier: GPL-2.0
/*
 * Holds /dev/vmdev/NAME open and logging until standard input ends, then says what
 * each ioctl gives: READY, then INFO, REPORT, STOP and START with an errno each.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "dirty_client.h"

static const struct vmdev_dirty_iova_range range = { 0, 1 << 20 };

static void say(const char *what, int ret)
{
	printf("%s %s\n", what, ret < 0 ? strerrorname_np(-ret) : "OK");
	fflush(stdout);
}

int main(int argc, char **argv)
{
	struct vmdev_dirty_info info;
	__u64 page_size = 4096, bitmap[4];
	char buf[256];
	int fd, ret;

	fd = argc == 2 ? dirty_open(argv[1]) : -EINVAL;
	ret = fd < 0 ? fd : dirty_start(fd, 0, &page_size, &range, 1);
	if (ret) {
		say("FAILED", ret);
		return 1;
	}
	say("READY", 0);
	while (read(STDIN_FILENO, buf, sizeof(buf)) > 0)
		;
	say("INFO", dirty_info(fd, &info));
	say("REPORT", dirty_report(fd, 0, range.iova, range.length, page_size, bitmap));
	say("STOP", dirty_stop(fd, 0));
	say("START", dirty_start(fd, 0, &page_size, &range, 1));
	return 0;
}
