// SPDX-License-Identifier: GPL-2.0
/* The log and the life of its device: runs, resets, deletion. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "tests.h"
#include "vdpa_rig.h"

static int shell(const char *fmt, ...)
{
	char command[512];
	va_list args;

	va_start(args, fmt);
	vsnprintf(command, sizeof(command), fmt, args);
	va_end(args);
	return system(command);
}

static int dev_del(void)
{
	return shell("timeout 60 vdpa dev del %s", opts.name);
}

/* As it was: vhost-vdpa takes it. */
static void dev_again(void)
{
	CHECK_OK(shell("vdpa dev add name %s mgmtdev pci/%s", opts.name, opts.bdf));
	CHECK_OK(shell("echo vhost_vdpa >/sys/bus/vdpa/devices/%s/driver_override", opts.name));
	CHECK_OK(shell("echo %s >/sys/bus/vdpa/drivers_probe", opts.name));
}

static int set_policy(const char *name)
{
	return shell("echo %s >/sys/bus/vdpa/devices/%s/vmdev/policy", name, opts.name);
}

/* Is the page of @p, in the client's memory, in the bitmap? */
static bool is_dirty(struct rig *r, const void *p)
{
	__u64 page = (vc_iova(&r->c, p) - LOG_IOVA) / PAGE;

	CHECK(page < LOG_PAGES, "the client's memory is not where the log is");
	return bitmap[page / 64] >> (page % 64) & 1;
}

/* REPORT has used rings, as it does while queues run, or has not. */
static void expect_rings(int fd, struct rig *r, bool dirty)
{
	unsigned int i;

	memset(bitmap, 0, sizeof(bitmap));
	CHECK_OK(report(fd, 0));
	for (i = 0; i < r->nvqs; i++)
		CHECK(is_dirty(r, r->vq[i].device) == dirty, "ring %u", i);
}

/* A device that runs, and was not logged from the start. */
TAP_TEST(running, 0)
{
	int fd = test_open();
	struct rig r;

	CHECK_OK(rig_up(&r, opts.vhost, 0));
	CHECK_OK(net_post_rx(&r));
	CHECK_OK(start(fd, 0));
	expect_rings(fd, &r, true);
	expect_rings(fd, &r, true);
	CHECK_OK(vc_suspend(&r.c));
	expect_rings(fd, &r, true);
	expect_rings(fd, &r, false);
	rig_close(&r);
	CHECK_OK(dirty_stop(fd, 0));
}

TAP_TEST(runs_while_logged, 0)
{
	int fd = test_started();
	struct rig r;

	CHECK_OK(rig_up(&r, opts.vhost, 0));
	expect_rings(fd, &r, true);
	CHECK_OK(vc_reset(&r.c));
	expect_rings(fd, &r, true);
	expect_rings(fd, &r, false);
	rig_close(&r);
}

/* What nobody would see must not run. */
TAP_TEST(direct_is_refused, 0)
{
	int fd = test_open();
	struct rig r;

	CHECK_OK(set_policy("direct"));
	CHECK_OK(rig_up(&r, opts.vhost, 0));
	CHECK_ERR(start(fd, 0), -EOPNOTSUPP);
	CHECK_ERR(report(fd, 0), -ENOENT);
	rig_close(&r);
	CHECK_OK(start(fd, 0));
	CHECK_FAILS(rig_up(&r, opts.vhost, 0));
	rig_close(&r);
	CHECK_OK(report(fd, 0));
	CHECK_OK(dirty_stop(fd, 0));
	CHECK_OK(rig_up(&r, opts.vhost, 0));
	rig_close(&r);
	CHECK_OK(set_policy("auto"));
}

TAP_TEST(reset_keeps_it, 0)
{
	int fd = test_started();
	struct vmdev_dirty_info info;
	struct rig r;

	CHECK_OK(rig_open(&r, opts.vhost));
	CHECK_OK(vc_reset(&r.c));
	rig_close(&r);
	CHECK_OK(dirty_info(fd, &info));
	CHECK(info.active == 1, "not active");
	CHECK_OK(report(fd, 0));
}

static void expect_gone(int fd)
{
	struct vmdev_dirty_info info;

	CHECK_ERR(dirty_info(fd, &info), -ENODEV);
	CHECK_ERR(report(fd, 0), -ENODEV);
	CHECK_ERR(dirty_stop(fd, 0), -ENODEV);
	CHECK_ERR(start(fd, 0), -ENODEV);
	CHECK_ERR(dirty_ioctl(fd, _IO(VMDEV_IOC_TYPE, 4), &info), -ENODEV);
}

TAP_TEST(deleted, 0)
{
	int fd = test_started(), idle = test_open(), fresh;

	CHECK_OK(dev_del());
	CHECK(access(opts.path, F_OK) < 0, "%s is still there", opts.path);
	expect_gone(fd);
	expect_gone(idle);
	dev_again();
	/* Another device by the same name is none of theirs. */
	expect_gone(fd);
	fresh = test_started();
	CHECK_OK(report(fresh, 0));
	close(fd);
	CHECK_OK(report(fresh, 0));
}

/* --- a user whose memory does not come --------------------------------------------------- */
static struct vmdev_dirty_start *stuck_args;
static int stuck_fd, stuck_ret;

static void *stuck_start(void *unused)
{
	(void)unused;
	stuck_ret = dirty_ioctl(stuck_fd, VMDEV_DIRTY_START, stuck_args);
	return NULL;
}

/* Writes to @p wait until somebody says so. */
static int protect(void *p)
{
	struct uffdio_api api = { .api = UFFD_API, .features = UFFD_FEATURE_PAGEFAULT_FLAG_WP };
	struct uffdio_register reg = {
		.range = { (uintptr_t)p, PAGE }, .mode = UFFDIO_REGISTER_MODE_WP,
	};
	struct uffdio_writeprotect wp = {
		.range = { (uintptr_t)p, PAGE }, .mode = UFFDIO_WRITEPROTECT_MODE_WP,
	};
	int uffd = syscall(SYS_userfaultfd, O_CLOEXEC);

	if (uffd < 0)
		SKIP("this kernel has no userfaultfd");
	CHECK_OK(ioctl(uffd, UFFDIO_API, &api));
	CHECK_OK(ioctl(uffd, UFFDIO_REGISTER, &reg));
	CHECK_OK(ioctl(uffd, UFFDIO_WRITEPROTECT, &wp));
	return uffd;
}

/* START cannot say what page size it got: others do not wait for it, nor does dev del. */
TAP_TEST(deleted_while_stuck, 0)
{
	static const struct vmdev_dirty_iova_range range = { LOG_IOVA, LOG_SIZE };
	struct uffdio_writeprotect wp = { .range.len = PAGE };
	struct vmdev_dirty_info info;
	struct uffd_msg msg;
	pthread_t thread;
	int uffd, other;

	stuck_args = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(stuck_args != MAP_FAILED, "mmap");
	*stuck_args = (struct vmdev_dirty_start) {
		.argsz = sizeof(*stuck_args), .num_ranges = 1, .page_size = PAGE,
		.ranges = (uintptr_t)&range,
	};
	uffd = protect(stuck_args);
	stuck_fd = test_open();
	other = test_open();
	CHECK_OK(pthread_create(&thread, NULL, stuck_start, NULL));
	/* It is there now. */
	CHECK_IS(read(uffd, &msg, sizeof(msg)), sizeof(msg));
	CHECK_OK(dirty_info(other, &info));
	CHECK(info.active == 1, "not active");
	CHECK_ERR(start(other, 0), -EBUSY);
	CHECK_OK(dev_del());
	wp.range.start = (uintptr_t)stuck_args;
	CHECK_OK(ioctl(uffd, UFFDIO_WRITEPROTECT, &wp));
	CHECK_OK(pthread_join(thread, NULL));
	CHECK_OK(stuck_ret);
	expect_gone(stuck_fd);
	dev_again();
}
