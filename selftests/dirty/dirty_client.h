/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A client of /dev/vmdev/NAME: a function for each ioctl. All give 0 or a negative
 * errno, never -1.
 */
#ifndef VMDEV_DIRTY_CLIENT_H
#define VMDEV_DIRTY_CLIENT_H

#include <linux/types.h>
#include <linux/vmdev.h>

int dirty_open(const char *path);
int dirty_ioctl(int fd, unsigned long cmd, void *args);
int dirty_info(int fd, struct vmdev_dirty_info *info);

/* @page_size: in, what is wanted; out, what it got. */
int dirty_start(int fd, __u32 asid, __u64 *page_size,
		const struct vmdev_dirty_iova_range *ranges, __u32 n);
int dirty_report(int fd, __u32 asid, __u64 iova, __u64 length, __u64 page_size,
		 __u64 *bitmap);
int dirty_stop(int fd, __u32 asid);

#endif
