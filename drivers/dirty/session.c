// SPDX-License-Identifier: GPL-2.0
/*
 * Logging sessions: who logs which address space of a device, and the ioctls.
 *
 * A session belongs to an open file and ends with it; an address space has one at
 * most. The log's memory is the kernel's, and not what RLIMIT_MEMLOCK is about, no
 * page of a user is pinned: it is charged to the control group of who starts the
 * session, and bounded by VMDEV_DIRTY_BYTES_MAX for each address space.
 *
 * Locks, in this order:
 *
 *	vmdev_dirty_file.lock		user memory is touched under it: mmap_lock
 *	vmdev_dirty_sessions.lock	the core's ops are called under it
 *	vmdev_parent.lock		which vhost-vdpa takes inside mmap_lock
 *
 * So user memory is never touched under the second, and whoever deletes the device
 * takes the second only: a reader whose memory does not come (userfaultfd) holds
 * up nobody but himself. A log is freed by its file alone, when its session is
 * stopped.
 */
#include <linux/build_bug.h>
#include <linux/err.h>
#include <linux/kref.h>
#include <linux/log2.h>
#include <linux/mutex.h>
#include <linux/nospec.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#include "trace.h"
#include "vmdev_dirty.h"

#define VMDEV_DIRTY_PAGE_SIZES	GENMASK_ULL(VMDEV_DIRTY_SHIFT_MAX, \
					    VMDEV_DIRTY_SHIFT_MIN)

/**
 * struct vmdev_dirty_owner - who logs an address space
 * @file: the file; NULL for nobody, all else means nothing then
 * @log: the log, which the file has
 * @reports: how often it was read
 * @comm: command of who started it
 * @pid: its process id in the first namespace
 */
struct vmdev_dirty_owner {
	struct vmdev_dirty_file *file;
	const struct vmdev_dirty *log;
	u64 reports;
	char comm[VMDEV_DIRTY_HOLDER_LEN];
	pid_t pid;
};

/**
 * struct vmdev_dirty_sessions - the sessions of a device
 * @ref: the device, and its open files
 * @name: of the device, for who traces
 * @lock: protects all below. See above
 * @ops: the core's; NULL once the device was deleted. May be looked at without
 *	@lock, too, to refuse early
 * @priv: what they are called with
 * @nas: length of @owners
 * @owners: for each address space who logs it
 */
struct vmdev_dirty_sessions {
	struct kref ref;
	const char *name;
	/* Protects all below; held while ops are called. */
	struct mutex lock;
	const struct vmdev_dirty_ops *ops;
	void *priv;
	unsigned int nas;
	struct vmdev_dirty_owner owners[] __counted_by(nas);
};

/**
 * struct vmdev_dirty_file - an open file
 * @sessions: those of its device
 * @lock: protects @logs, and what is in them from being reported twice
 * @logs: for each address space that this file logs, or logged when the device was
 *	deleted, the log
 */
struct vmdev_dirty_file {
	struct vmdev_dirty_sessions *sessions;
	/* Protects logs; user memory is touched under it. */
	struct mutex lock;
	struct vmdev_dirty *logs[];
};

/**
 * vmdev_dirty_sessions_create() - a device's sessions, none so far
 * @name: of the device
 * @ops: the core's
 * @priv: what they are called with
 * @nas: address spaces, 1 to VMDEV_DIRTY_NAS_MAX
 *
 * Context: may sleep.
 * Return: the sessions; -EINVAL; -ENOMEM.
 */
struct vmdev_dirty_sessions *
vmdev_dirty_sessions_create(const char *name, const struct vmdev_dirty_ops *ops,
			    void *priv, unsigned int nas)
{
	struct vmdev_dirty_sessions *sessions;

	if (!nas || nas > VMDEV_DIRTY_NAS_MAX)
		return ERR_PTR(-EINVAL);

	sessions = kzalloc(struct_size(sessions, owners, nas), GFP_KERNEL);
	if (!sessions)
		return ERR_PTR(-ENOMEM);

	sessions->name = kstrdup(name, GFP_KERNEL);
	if (!sessions->name) {
		kfree(sessions);
		return ERR_PTR(-ENOMEM);
	}
	kref_init(&sessions->ref);
	mutex_init(&sessions->lock);
	sessions->nas = nas;
	sessions->ops = ops;
	sessions->priv = priv;
	return sessions;
}

/**
 * vmdev_dirty_sessions_get() - somebody else needs them, too
 * @sessions: which he found; until vmdev_dirty_sessions_put()
 *
 * Context: any.
 */
void vmdev_dirty_sessions_get(struct vmdev_dirty_sessions *sessions)
{
	kref_get(&sessions->ref);
}

static void vmdev_dirty_sessions_free(struct kref *ref)
{
	struct vmdev_dirty_sessions *sessions =
		container_of(ref, struct vmdev_dirty_sessions, ref);

	mutex_destroy(&sessions->lock);
	kfree(sessions->name);
	kfree(sessions);
}

/**
 * vmdev_dirty_sessions_put() - the creator, or who got them, needs them no more
 * @sessions: the creator: after vmdev_dirty_sessions_end(), or if nobody found
 *	them
 *
 * Context: may sleep.
 */
void vmdev_dirty_sessions_put(struct vmdev_dirty_sessions *sessions)
{
	kref_put(&sessions->ref, vmdev_dirty_sessions_free);
}

/* With sessions->lock held. */
static void vmdev_dirty_session_stop(struct vmdev_dirty_sessions *sessions,
				     unsigned int asid)
{
	sessions->ops->stop(sessions->priv, asid);
	WRITE_ONCE(sessions->owners[asid].file, NULL);
	trace_vmdev_dirty_stop(sessions->name, asid);
}

/**
 * vmdev_dirty_sessions_end() - the device goes: stop all, and call no op again
 * @sessions: those of the device
 *
 * Context: may sleep; not with a lock held that an op takes, nor with mmap_lock.
 */
void vmdev_dirty_sessions_end(struct vmdev_dirty_sessions *sessions)
{
	unsigned int asid;

	mutex_lock(&sessions->lock);
	for (asid = 0; asid < sessions->nas; asid++)
		if (sessions->owners[asid].file)
			vmdev_dirty_session_stop(sessions, asid);
	WRITE_ONCE(sessions->ops, NULL);
	sessions->priv = NULL;
	mutex_unlock(&sessions->lock);
}

/**
 * vmdev_dirty_file_open() - somebody opens the device
 * @sessions: those of the device
 *
 * Context: may sleep.
 * Return: the file; -ENODEV if the device was deleted; -ENOMEM.
 */
struct vmdev_dirty_file *
vmdev_dirty_file_open(struct vmdev_dirty_sessions *sessions)
{
	struct vmdev_dirty_file *file;

	if (!READ_ONCE(sessions->ops))
		return ERR_PTR(-ENODEV);

	file = kzalloc(struct_size(file, logs, sessions->nas),
		       GFP_KERNEL_ACCOUNT);
	if (!file)
		return ERR_PTR(-ENOMEM);

	kref_get(&sessions->ref);
	file->sessions = sessions;
	mutex_init(&file->lock);
	return file;
}

/* With file->lock held, or by the last user of @file. */
static void vmdev_dirty_file_stop(struct vmdev_dirty_file *file,
				  unsigned int asid)
{
	struct vmdev_dirty_sessions *sessions = file->sessions;

	mutex_lock(&sessions->lock);
	if (sessions->owners[asid].file == file)
		vmdev_dirty_session_stop(sessions, asid);
	mutex_unlock(&sessions->lock);

	vmdev_dirty_free(file->logs[asid]);
	file->logs[asid] = NULL;
}

/**
 * vmdev_dirty_file_close() - the reverse of vmdev_dirty_file_open()
 * @file: the file, which nobody else uses
 *
 * Context: may sleep.
 */
void vmdev_dirty_file_close(struct vmdev_dirty_file *file)
{
	unsigned int asid;

	for (asid = 0; asid < file->sessions->nas; asid++)
		if (file->logs[asid])
			vmdev_dirty_file_stop(file, asid);
	vmdev_dirty_sessions_put(file->sessions);
	mutex_destroy(&file->lock);
	kfree(file);
}

/* With sessions->lock held. */
static void vmdev_dirty_own(struct vmdev_dirty_owner *owner,
			    struct vmdev_dirty_file *file,
			    const struct vmdev_dirty *log)
{
	BUILD_BUG_ON(sizeof(owner->comm) != TASK_COMM_LEN);

	owner->log = log;
	owner->reports = 0;
	owner->pid = task_tgid_nr(current);
	get_task_comm(owner->comm, current);
	WRITE_ONCE(owner->file, file);
}

static int vmdev_dirty_session_start(struct vmdev_dirty_file *file,
				     unsigned int asid, struct vmdev_dirty *log)
{
	struct vmdev_dirty_sessions *sessions = file->sessions;
	int err;

	if (mutex_lock_killable(&sessions->lock))
		return -EINTR;
	if (!sessions->ops)
		err = -ENODEV;
	else if (sessions->owners[asid].file)
		err = -EBUSY;
	else
		err = sessions->ops->start(sessions->priv, asid, log);
	if (!err)
		vmdev_dirty_own(&sessions->owners[asid], file, log);
	mutex_unlock(&sessions->lock);
	return err;
}

/* Before memory is taken. Whether it is still so shows when it is started. */
static bool vmdev_dirty_is_busy(struct vmdev_dirty_sessions *sessions,
				unsigned int asid)
{
	return READ_ONCE(sessions->owners[asid].file);
}

static int vmdev_dirty_session_sync(struct vmdev_dirty_sessions *sessions,
				    unsigned int asid)
{
	int err = -ENODEV;

	if (mutex_lock_killable(&sessions->lock))
		return -EINTR;
	if (sessions->ops)
		err = sessions->ops->sync(sessions->priv, asid);
	if (!err)
		sessions->owners[asid].reports++;
	mutex_unlock(&sessions->lock);
	return err;
}

/**
 * vmdev_dirty_sessions_log() - who logs an address space?
 * @sessions: those of the device
 * @asid: the address space
 * @info: gets facts of the log
 *
 * Context: may sleep, as long as an op does; not with a lock held that an op takes.
 * Return: false if nobody does.
 */
bool vmdev_dirty_sessions_log(struct vmdev_dirty_sessions *sessions,
			      unsigned int asid,
			      struct vmdev_dirty_log_info *info)
{
	const struct vmdev_dirty_owner *owner;
	bool any;

	if (asid >= sessions->nas)
		return false;

	owner = &sessions->owners[asid];
	mutex_lock(&sessions->lock);
	any = owner->file;
	if (any) {
		vmdev_dirty_extent(owner->log, info);
		info->reports = owner->reports;
		info->holder_pid = owner->pid;
		strscpy(info->holder, owner->comm, sizeof(info->holder));
	}
	mutex_unlock(&sessions->lock);
	return any;
}

/* What begins with argsz and flags; @size of it this kernel knows. */
static int vmdev_dirty_get_args(void *args, size_t size, const void __user *from)
{
	u32 head[2];

	if (copy_from_user(head, from, sizeof(head)))
		return -EFAULT;
	if (head[0] < size || head[1])
		return -EINVAL;
	if (head[0] > PAGE_SIZE)
		return -E2BIG;
	return copy_struct_from_user(args, size, from, head[0]);
}

static long vmdev_dirty_info(struct vmdev_dirty_file *file, void __user *arg)
{
	struct vmdev_dirty_sessions *sessions = file->sessions;
	struct vmdev_dirty_info info;
	unsigned int asid;
	int err;

	err = vmdev_dirty_get_args(&info, sizeof(info), arg);
	if (err)
		return err;

	info = (struct vmdev_dirty_info) {
		.argsz = sizeof(info),
		.page_sizes = VMDEV_DIRTY_PAGE_SIZES,
		.bytes_max = VMDEV_DIRTY_BYTES_MAX,
		.ranges_max = VMDEV_DIRTY_RANGES_MAX,
		.address_spaces = sessions->nas,
	};
	for (asid = 0; asid < sessions->nas; asid++)
		if (vmdev_dirty_is_busy(sessions, asid))
			info.active |= BIT_ULL(asid);
	return copy_to_user(arg, &info, sizeof(info)) ? -EFAULT : 0;
}

static struct vmdev_dirty *vmdev_dirty_make_log(struct vmdev_dirty_start *start)
{
	struct vmdev_dirty_iova_range *ranges;
	struct vmdev_dirty *log;

	if (!start->num_ranges)
		return ERR_PTR(-EINVAL);
	if (start->num_ranges > VMDEV_DIRTY_RANGES_MAX)
		return ERR_PTR(-E2BIG);

	ranges = memdup_array_user(u64_to_user_ptr(start->ranges),
				   start->num_ranges, sizeof(*ranges));
	if (IS_ERR(ranges))
		return ERR_CAST(ranges);

	log = vmdev_dirty_negotiate(&start->page_size, ranges,
				    start->num_ranges);
	kfree(ranges);
	return log;
}

/* With file->lock held. */
static int vmdev_dirty_start_locked(struct vmdev_dirty_file *file,
				    struct vmdev_dirty_start *start, u32 asid,
				    struct vmdev_dirty_start __user *arg)
{
	struct vmdev_dirty *log;
	int err;

	/* Its own, also one that the device's end left it. */
	if (file->logs[asid] || vmdev_dirty_is_busy(file->sessions, asid))
		return -EBUSY;

	log = vmdev_dirty_make_log(start);
	if (IS_ERR(log))
		return PTR_ERR(log);

	err = vmdev_dirty_session_start(file, asid, log);
	if (err) {
		vmdev_dirty_free(log);
		return err;
	}

	file->logs[asid] = log;
	if (put_user(start->page_size, &arg->page_size)) {
		vmdev_dirty_file_stop(file, asid);
		return -EFAULT;
	}
	return 0;
}

static long vmdev_dirty_start(struct vmdev_dirty_file *file, void __user *arg)
{
	struct vmdev_dirty_start start;
	u32 asid;
	int err;

	err = vmdev_dirty_get_args(&start, sizeof(start), arg);
	if (err)
		return err;
	if (start.asid >= file->sessions->nas)
		return -EINVAL;

	asid = array_index_nospec(start.asid, file->sessions->nas);
	if (mutex_lock_killable(&file->lock))
		return -EINTR;
	err = vmdev_dirty_start_locked(file, &start, asid, arg);
	trace_vmdev_dirty_start(file->sessions->name, asid, start.num_ranges,
				start.page_size, err);
	mutex_unlock(&file->lock);
	return err;
}

static int vmdev_dirty_check_report(const struct vmdev_dirty_report *report)
{
	if (report->reserved || !is_power_of_2(report->page_size) ||
	    !(report->page_size & VMDEV_DIRTY_PAGE_SIZES))
		return -EINVAL;
	if (!report->length ||
	    !IS_ALIGNED(report->iova | report->length, report->page_size) ||
	    !IS_ALIGNED(report->bitmap, sizeof(u64)))
		return -EINVAL;
	if (report->iova + (report->length - 1) < report->iova)
		return -EOVERFLOW;
	return 0;
}

/* With file->lock held. */
static int vmdev_dirty_report_locked(struct vmdev_dirty_file *file,
				     const struct vmdev_dirty_report *report,
				     u32 asid, u64 *pages)
{
	u64 last = report->iova + (report->length - 1);
	struct vmdev_dirty *log = file->logs[asid];
	int err;

	if (!log)
		return -ENOENT;
	if (!vmdev_dirty_covers(log, report->iova, last))
		return -ERANGE;

	err = vmdev_dirty_session_sync(file->sessions, asid);
	if (err)
		return err;
	return vmdev_dirty_report(log, report->iova, last,
				  ilog2(report->page_size),
				  u64_to_user_ptr(report->bitmap), pages);
}

static long vmdev_dirty_do_report(struct vmdev_dirty_file *file,
				  void __user *arg)
{
	bool traced = trace_vmdev_dirty_report_enabled();
	struct vmdev_dirty_report report;
	u64 pages = 0;
	u32 asid;
	int err;

	err = vmdev_dirty_get_args(&report, sizeof(report), arg);
	if (err)
		return err;
	if (report.asid >= file->sessions->nas)
		return -EINVAL;
	err = vmdev_dirty_check_report(&report);
	if (err)
		return err;

	asid = array_index_nospec(report.asid, file->sessions->nas);
	if (mutex_lock_killable(&file->lock))
		return -EINTR;
	/* To count costs something for each page. */
	err = vmdev_dirty_report_locked(file, &report, asid, traced ? &pages : NULL);
	if (traced)
		trace_vmdev_dirty_report(file->sessions->name, asid, report.iova,
					 report.length, report.page_size, pages, err);
	mutex_unlock(&file->lock);
	return err;
}

static long vmdev_dirty_stop(struct vmdev_dirty_file *file, void __user *arg)
{
	struct vmdev_dirty_stop stop;
	u32 asid;
	int err;

	err = vmdev_dirty_get_args(&stop, sizeof(stop), arg);
	if (err)
		return err;
	if (stop.asid >= file->sessions->nas || stop.reserved)
		return -EINVAL;

	asid = array_index_nospec(stop.asid, file->sessions->nas);
	if (mutex_lock_killable(&file->lock))
		return -EINTR;
	if (file->logs[asid])
		vmdev_dirty_file_stop(file, asid);
	else
		err = -ENOENT;
	mutex_unlock(&file->lock);
	return err;
}

/**
 * vmdev_dirty_file_ioctl() - one of VMDEV_DIRTY_*
 * @file: the file
 * @cmd: which
 * @arg: its structure, user memory
 *
 * Context: may sleep; touches user memory.
 * Return: 0 or an error of uapi/linux/vmdev.h.
 */
long vmdev_dirty_file_ioctl(struct vmdev_dirty_file *file, unsigned int cmd,
			    void __user *arg)
{
	if (!READ_ONCE(file->sessions->ops))
		return -ENODEV;

	switch (cmd) {
	case VMDEV_DIRTY_INFO:
		return vmdev_dirty_info(file, arg);
	case VMDEV_DIRTY_START:
		return vmdev_dirty_start(file, arg);
	case VMDEV_DIRTY_REPORT:
		return vmdev_dirty_do_report(file, arg);
	case VMDEV_DIRTY_STOP:
		return vmdev_dirty_stop(file, arg);
	default:
		return -ENOTTY;
	}
}
