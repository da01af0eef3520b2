// SPDX-License-Identifier: GPL-2.0
/*
 * Hardware logs in a bitmap, which covers what is mapped when logging begins, and is not
 * larger than 64 MiB: for 2 TiB of IOVAs. What is mapped elsewhere is for shadow queues.
 *
 *	dirty_maps NAME VHOST
 *
 * NAME is a net device on hardware with a bitmap, and runs alone. Prints what was wrong.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "dirty_client.h"
#include "vdpa_rig.h"

#define TIB	0x10000000000ULL
#define HIGH	TIB
#define HIGHER	(4 * TIB)

static const char *name;
static struct rig rig;
static int log_fd;
static __u8 *page;

static void fail(const char *what, int ret)
{
	printf("FAILED: %s: %s\n", what, strerror(-ret));
	exit(1);
}

#define MUST(expr) do {				\
	int _ret = (expr);			\
						\
	if (_ret < 0)				\
		fail(#expr, _ret);		\
} while (0)

static int attribute(const char *file, int flags)
{
	char path[300];
	int fd;

	snprintf(path, sizeof(path), "/sys/bus/vdpa/devices/%s/vmdev/%s", name, file);
	fd = open(path, flags);
	return fd < 0 ? -errno : fd;
}

static void policy(const char *word)
{
	int fd = attribute("policy", O_WRONLY);

	MUST(fd);
	MUST(write(fd, word, strlen(word)) < 0 ? -errno : 0);
	close(fd);
}

static void must_be(const char *path, const char *when)
{
	char paths[100] = "";
	int fd = attribute("paths", O_RDONLY);

	MUST(fd);
	MUST(read(fd, paths, sizeof(paths) - 1) < 0 ? -errno : 0);
	close(fd);
	if (strncmp(paths, path, strlen(path))) {
		printf("FAILED: %s: not %s but %s", when, path, paths);
		exit(1);
	}
	printf("%s: %s\n", when, path);
}

static int start(void)
{
	const struct vmdev_dirty_iova_range range = { 0, 1 << 30 };
	__u64 page_size = VC_PAGE;

	return dirty_start(log_fd, 0, &page_size, &range, 1);
}

static void mapped_before(__u64 iova, const char *path, const char *when)
{
	MUST(vc_map(&rig.c, iova, page, VC_PAGE));
	MUST(start());
	must_be(path, when);
	MUST(dirty_stop(log_fd, 0));
	MUST(vc_unmap(&rig.c, iova, VC_PAGE));
	must_be("direct", "and then");
}

static void mapped_later(void)
{
	MUST(start());
	must_be("direct", "START");
	/* As high as others are. */
	MUST(vc_map(&rig.c, rig.c.iova + VC_ARENA_SIZE, page, VC_PAGE));
	must_be("direct", "map below the end");
	MUST(vc_map(&rig.c, HIGH, page, VC_PAGE));
	must_be("shadow", "map above the end");
	MUST(vc_unmap(&rig.c, HIGH, VC_PAGE));
	must_be("shadow", "unmap");
	MUST(vc_suspend(&rig.c));
	MUST(vc_resume(&rig.c));
	must_be("shadow", "resume");
	MUST(dirty_stop(log_fd, 0));
	must_be("direct", "STOP");
}

/* Direct by order: what queues cannot be direct with is refused. */
static void direct_by_order(void)
{
	policy("direct");
	MUST(start());
	if (!vc_map(&rig.c, HIGH, page, VC_PAGE))
		fail("map above the end, under direct", 0);
	must_be("direct", "map above the end, refused");
	MUST(vc_suspend(&rig.c));
	MUST(vc_resume(&rig.c));
	must_be("direct", "resume");
	MUST(dirty_stop(log_fd, 0));
	MUST(vc_map(&rig.c, HIGHER, page, VC_PAGE));
	if (start() != -EOPNOTSUPP)
		fail("START with memory too high, under direct", 0);
	must_be("direct", "START, refused");
	MUST(vc_unmap(&rig.c, HIGHER, VC_PAGE));
	policy("auto");
}

int main(int argc, char **argv)
{
	char path[300];

	if (argc != 3) {
		fprintf(stderr, "Usage: dirty_maps NAME VHOST\n");
		return 2;
	}
	name = argv[1];
	snprintf(path, sizeof(path), "/dev/vmdev/%s", name);
	log_fd = dirty_open(path);
	MUST(log_fd);
	MUST(vc_unlimit_memlock());
	MUST(rig_up(&rig, argv[2], 0));
	MUST(net_post_rx(&rig));
	page = aligned_alloc(VC_PAGE, VC_PAGE);
	memset(page, 0, VC_PAGE);
	mapped_later();
	mapped_before(HIGH, "direct", "START with memory at 1 TiB");
	mapped_before(HIGHER, "shadow", "START with memory at 4 TiB");
	direct_by_order();
	rig_close(&rig);
	return 0;
}
