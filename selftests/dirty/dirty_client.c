// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/ioctl.h>

#include "dirty_client.h"

int dirty_open(const char *path)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

int dirty_ioctl(int fd, unsigned long cmd, void *args)
{
	int ret = ioctl(fd, cmd, args);

	return ret < 0 ? -errno : ret;
}

int dirty_info(int fd, struct vmdev_dirty_info *info)
{
	*info = (struct vmdev_dirty_info) { .argsz = sizeof(*info) };
	return dirty_ioctl(fd, VMDEV_DIRTY_INFO, info);
}

int dirty_start(int fd, __u32 asid, __u64 *page_size,
		const struct vmdev_dirty_iova_range *ranges, __u32 n)
{
	struct vmdev_dirty_start args = {
		.argsz = sizeof(args), .asid = asid, .num_ranges = n,
		.page_size = *page_size, .ranges = (uintptr_t)ranges,
	};
	int ret = dirty_ioctl(fd, VMDEV_DIRTY_START, &args);

	*page_size = args.page_size;
	return ret;
}

int dirty_report(int fd, __u32 asid, __u64 iova, __u64 length, __u64 page_size,
		 __u64 *bitmap)
{
	struct vmdev_dirty_report args = {
		.argsz = sizeof(args), .asid = asid, .iova = iova, .length = length,
		.page_size = page_size, .bitmap = (uintptr_t)bitmap,
	};

	return dirty_ioctl(fd, VMDEV_DIRTY_REPORT, &args);
}

int dirty_stop(int fd, __u32 asid)
{
	struct vmdev_dirty_stop args = { .argsz = sizeof(args), .asid = asid };

	return dirty_ioctl(fd, VMDEV_DIRTY_STOP, &args);
}
