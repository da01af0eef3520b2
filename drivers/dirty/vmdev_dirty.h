/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Inside of vmdev_dirty: what its files share.
 */
#ifndef _VMDEV_DIRTY_INTERNAL_H
#define _VMDEV_DIRTY_INTERNAL_H

#include <linux/types.h>
#include <uapi/linux/vmdev.h>

#include <vmdev/dirty.h>

struct mutex;
struct vmdev_dirty_sessions;
struct vmdev_dirty_file;

/**
 * struct vmdev_dirty_whole - words of a log's summary, in a row
 * @sum: the first
 * @n: how many
 * @iova: first IOVA of what they stand for
 * @last: last IOVA of it
 */
struct vmdev_dirty_whole {
	u64 sum;
	u64 n;
	u64 iova;
	u64 last;
};

/* bitmap.c */
void vmdev_dirty_extent(const struct vmdev_dirty *dirty,
			struct vmdev_dirty_log_info *info);
bool vmdev_dirty_whole(struct vmdev_dirty *dirty, u64 iova, u64 last,
		       struct vmdev_dirty_whole *whole);

/* ranges.c */
struct vmdev_dirty *
vmdev_dirty_negotiate(u64 *page_size,
		      const struct vmdev_dirty_iova_range *wanted,
		      unsigned int n);

/* report.c */
int vmdev_dirty_report(struct vmdev_dirty *log, u64 iova, u64 last,
		       unsigned int shift, u64 __user *bitmap, u64 *pages);

/* session.c */
struct vmdev_dirty_sessions *
vmdev_dirty_sessions_create(const char *name, const struct vmdev_dirty_ops *ops,
			    void *priv, unsigned int nas);
void vmdev_dirty_sessions_get(struct vmdev_dirty_sessions *sessions);
bool vmdev_dirty_sessions_log(struct vmdev_dirty_sessions *sessions,
			      unsigned int asid,
			      struct vmdev_dirty_log_info *info);
void vmdev_dirty_sessions_end(struct vmdev_dirty_sessions *sessions);
void vmdev_dirty_sessions_put(struct vmdev_dirty_sessions *sessions);
struct vmdev_dirty_file *
vmdev_dirty_file_open(struct vmdev_dirty_sessions *sessions);
void vmdev_dirty_file_close(struct vmdev_dirty_file *file);
long vmdev_dirty_file_ioctl(struct vmdev_dirty_file *file, unsigned int cmd,
			    void __user *arg);

#endif /* _VMDEV_DIRTY_INTERNAL_H */
