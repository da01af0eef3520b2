// SPDX-License-Identifier: GPL-2.0
/*
 * Sessions of a dirty log and their ioctls (drivers/dirty), with user memory that
 * is really there, read-only, or not there, and with real marks. The reference is
 * uapi/linux/vmdev.h. In the kernel only; what is pure is tested in user space, too
 * (selftests/unit/dirty.c, dirty_report.c).
 */
#include "kunit.h"

#include <linux/delay.h>
#include <linux/file.h>
#include <linux/kthread.h>
#include <linux/mman.h>
#include <linux/shmem_fs.h>

#include "../../drivers/dirty/bitmap.c"
#include "../../drivers/dirty/ranges.c"
#include "../../drivers/dirty/report.c"
#include "../../drivers/dirty/session.c"

#define NAS		2
#define P		0x1000ULL
#define BASE		0x100000000ULL
/* Of the log: a bitmap of two pages. */
#define PAGES		(2 * 8 * PAGE_SIZE)

/**
 * struct fake - a core that writes down what it is told
 * @sessions: of its device
 * @file: an open file
 * @user: four pages of user memory: arguments, ranges, and a bitmap of two
 * @logs: for each address space the log that is published
 * @starts: calls of start
 * @syncs: calls of sync
 * @stops: calls of stop
 * @err: what start and sync return
 * @sync_marks: an IOVA that the next sync finds written
 */
struct fake {
	struct vmdev_dirty_sessions *sessions;
	struct vmdev_dirty_file *file;
	unsigned long user;
	struct vmdev_dirty *logs[NAS];
	int starts;
	int syncs;
	int stops;
	int err;
	u64 sync_marks;
};

static int fake_start(void *priv, unsigned int asid, struct vmdev_dirty *log)
{
	struct fake *fake = priv;

	fake->starts++;
	if (!fake->err)
		fake->logs[asid] = log;
	return fake->err;
}

static int fake_sync(void *priv, unsigned int asid)
{
	struct fake *fake = priv;

	fake->syncs++;
	if (fake->sync_marks)
		vmdev_dirty_mark(fake->logs[asid], fake->sync_marks, 1);
	return fake->err;
}

static void fake_stop(void *priv, unsigned int asid)
{
	struct fake *fake = priv;

	fake->stops++;
	fake->logs[asid] = NULL;
}

static const struct vmdev_dirty_ops fake_ops = {
	.start = fake_start, .sync = fake_sync, .stop = fake_stop,
};

static int dirty_init(struct kunit *test)
{
	struct fake *fake = kunit_kzalloc(test, sizeof(*fake), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, fake);
	test->priv = fake;
	fake->user = kunit_vm_mmap(test, NULL, 0, 4 * PAGE_SIZE,
				   PROT_READ | PROT_WRITE,
				   MAP_ANONYMOUS | MAP_PRIVATE, 0);
	KUNIT_ASSERT_NE(test, fake->user, 0UL);
	KUNIT_ASSERT_FALSE(test, IS_ERR_VALUE(fake->user));
	fake->sessions = vmdev_dirty_sessions_create("fake", &fake_ops, fake, NAS);
	KUNIT_ASSERT_FALSE(test, IS_ERR(fake->sessions));
	fake->file = vmdev_dirty_file_open(fake->sessions);
	KUNIT_ASSERT_FALSE(test, IS_ERR(fake->file));
	return 0;
}

static void dirty_exit(struct kunit *test)
{
	struct fake *fake = test->priv;

	if (fake->file)
		vmdev_dirty_file_close(fake->file);
	vmdev_dirty_sessions_end(fake->sessions);
	KUNIT_EXPECT_PTR_EQ(test, fake->logs[0], NULL);
	KUNIT_EXPECT_PTR_EQ(test, fake->logs[1], NULL);
	vmdev_dirty_sessions_put(fake->sessions);
}

static void *ranges_of(struct fake *fake)
{
	return (void *)(fake->user + PAGE_SIZE);
}

static void *bitmap_of(struct fake *fake)
{
	return (void *)(fake->user + 2 * PAGE_SIZE);
}

/* The ioctl, with its structure in user memory; what comes back is stored. */
static long call(struct kunit *test, struct vmdev_dirty_file *file, unsigned int cmd,
		 void *args, u32 size)
{
	struct fake *fake = test->priv;
	void __user *user = (void __user *)fake->user;
	long ret;

	KUNIT_ASSERT_EQ(test, copy_to_user(user, args, size), 0UL);
	ret = vmdev_dirty_file_ioctl(file, cmd, user);
	KUNIT_ASSERT_EQ(test, copy_from_user(args, user, size), 0UL);
	return ret;
}

static long start(struct kunit *test, struct vmdev_dirty_file *file, u32 asid)
{
	struct fake *fake = test->priv;
	struct vmdev_dirty_iova_range range = { BASE, PAGES * P };
	struct vmdev_dirty_start args = {
		.argsz = sizeof(args), .asid = asid, .num_ranges = 1,
		.page_size = P, .ranges = (u64)ranges_of(fake),
	};
	long ret;

	KUNIT_ASSERT_EQ(test, copy_to_user((void __user *)ranges_of(fake), &range,
					   sizeof(range)), 0UL);
	ret = call(test, file, VMDEV_DIRTY_START, &args, sizeof(args));
	KUNIT_EXPECT_EQ(test, args.page_size, P);
	return ret;
}

static long report_to(struct kunit *test, u32 asid, u64 bitmap)
{
	struct fake *fake = test->priv;
	struct vmdev_dirty_report args = {
		.argsz = sizeof(args), .asid = asid, .iova = BASE,
		.length = PAGES * P, .page_size = P, .bitmap = bitmap,
	};

	return call(test, fake->file, VMDEV_DIRTY_REPORT, &args, sizeof(args));
}

static long report(struct kunit *test, u32 asid)
{
	return report_to(test, asid, (u64)bitmap_of(test->priv));
}

static long stop(struct kunit *test, struct vmdev_dirty_file *file, u32 asid)
{
	struct vmdev_dirty_stop args = { .argsz = sizeof(args), .asid = asid };

	return call(test, file, VMDEV_DIRTY_STOP, &args, sizeof(args));
}

static void mark(struct fake *fake, u32 asid, u64 page)
{
	vmdev_dirty_mark(fake->logs[asid], BASE + page * P, 1);
}

/* Word @i of the bitmap. */
static u64 word(struct kunit *test, u64 i)
{
	u64 bits = 0;

	KUNIT_ASSERT_EQ(test, get_user(bits, (u64 __user *)bitmap_of(test->priv) + i), 0);
	return bits;
}

static void set_word(struct kunit *test, u64 i, u64 bits)
{
	KUNIT_ASSERT_EQ(test, put_user(bits, (u64 __user *)bitmap_of(test->priv) + i), 0);
}

static void dirty_reads_and_clears(struct kunit *test)
{
	struct fake *fake = test->priv;

	KUNIT_ASSERT_EQ(test, start(test, fake->file, 0), 0L);
	KUNIT_EXPECT_EQ(test, fake->starts, 1);
	mark(fake, 0, 3);
	mark(fake, 0, 64);
	mark(fake, 0, PAGES - 1);
	set_word(test, 0, BIT_ULL(60));
	KUNIT_EXPECT_EQ(test, report(test, 0), 0L);
	KUNIT_EXPECT_EQ(test, fake->syncs, 1);
	KUNIT_EXPECT_EQ(test, word(test, 0), BIT_ULL(60) | BIT_ULL(3));
	KUNIT_EXPECT_EQ(test, word(test, 1), 1ULL);
	KUNIT_EXPECT_EQ(test, word(test, PAGES / 64 - 1), BIT_ULL(63));
	/* What was read is gone; bits of the caller are never cleared. */
	set_word(test, 1, 0);
	KUNIT_EXPECT_EQ(test, report(test, 0), 0L);
	KUNIT_EXPECT_EQ(test, word(test, 0), BIT_ULL(60) | BIT_ULL(3));
	KUNIT_EXPECT_EQ(test, word(test, 1), 0ULL);
	KUNIT_EXPECT_EQ(test, stop(test, fake->file, 0), 0L);
	KUNIT_EXPECT_EQ(test, fake->stops, 1);
}

static void dirty_syncs_first(struct kunit *test)
{
	struct fake *fake = test->priv;

	KUNIT_ASSERT_EQ(test, start(test, fake->file, 1), 0L);
	fake->sync_marks = BASE + 7 * P;
	KUNIT_EXPECT_EQ(test, report(test, 1), 0L);
	KUNIT_EXPECT_EQ(test, word(test, 0), BIT_ULL(7));
	/* An error of it ends the report before anything was read. */
	set_word(test, 0, 0);
	fake->err = -EIO;
	KUNIT_EXPECT_EQ(test, report(test, 1), (long)-EIO);
	KUNIT_EXPECT_EQ(test, word(test, 0), 0ULL);
	fake->err = 0;
	fake->sync_marks = 0;
	KUNIT_EXPECT_EQ(test, report(test, 1), 0L);
	KUNIT_EXPECT_EQ(test, word(test, 0), BIT_ULL(7));
}

static void dirty_address_spaces(struct kunit *test)
{
	struct fake *fake = test->priv;

	KUNIT_ASSERT_EQ(test, start(test, fake->file, 0), 0L);
	KUNIT_ASSERT_EQ(test, start(test, fake->file, 1), 0L);
	KUNIT_EXPECT_EQ(test, start(test, fake->file, 2), (long)-EINVAL);
	mark(fake, 1, 5);
	KUNIT_EXPECT_EQ(test, report(test, 0), 0L);
	KUNIT_EXPECT_EQ(test, word(test, 0), 0ULL);
	KUNIT_EXPECT_EQ(test, stop(test, fake->file, 0), 0L);
	KUNIT_EXPECT_EQ(test, report(test, 0), (long)-ENOENT);
	KUNIT_EXPECT_EQ(test, stop(test, fake->file, 0), (long)-ENOENT);
	KUNIT_EXPECT_EQ(test, report(test, 1), 0L);
	KUNIT_EXPECT_EQ(test, word(test, 0), BIT_ULL(5));
}

static void dirty_belongs_to_a_file(struct kunit *test)
{
	struct fake *fake = test->priv;
	struct vmdev_dirty_file *other = vmdev_dirty_file_open(fake->sessions);

	KUNIT_ASSERT_FALSE(test, IS_ERR(other));
	KUNIT_EXPECT_EQ(test, start(test, other, 0), 0L);
	KUNIT_EXPECT_EQ(test, start(test, other, 0), (long)-EBUSY);
	KUNIT_EXPECT_EQ(test, start(test, fake->file, 0), (long)-EBUSY);
	KUNIT_EXPECT_EQ(test, report(test, 0), (long)-ENOENT);
	KUNIT_EXPECT_EQ(test, stop(test, fake->file, 0), (long)-ENOENT);
	KUNIT_EXPECT_EQ(test, start(test, fake->file, 1), 0L);
	KUNIT_EXPECT_EQ(test, fake->stops, 0);
	/* Its end is a STOP of what is its own. */
	vmdev_dirty_file_close(other);
	KUNIT_EXPECT_EQ(test, fake->stops, 1);
	KUNIT_EXPECT_PTR_EQ(test, fake->logs[0], NULL);
	KUNIT_EXPECT_EQ(test, start(test, fake->file, 0), 0L);
	KUNIT_EXPECT_EQ(test, report(test, 1), 0L);
}

static void dirty_start_fails(struct kunit *test)
{
	struct fake *fake = test->priv;

	fake->err = -EOPNOTSUPP;
	KUNIT_EXPECT_EQ(test, start(test, fake->file, 0), (long)-EOPNOTSUPP);
	KUNIT_EXPECT_EQ(test, fake->stops, 0);
	KUNIT_EXPECT_EQ(test, report(test, 0), (long)-ENOENT);
	fake->err = 0;
	KUNIT_EXPECT_EQ(test, start(test, fake->file, 0), 0L);
}

/* The device is deleted while a file is open. */
static void dirty_device_goes(struct kunit *test)
{
	struct fake *fake = test->priv;
	struct vmdev_dirty_info info = { .argsz = sizeof(info) };

	KUNIT_EXPECT_EQ(test, start(test, fake->file, 0), 0L);
	mark(fake, 0, 1);
	vmdev_dirty_sessions_end(fake->sessions);
	KUNIT_EXPECT_EQ(test, fake->stops, 1);
	KUNIT_EXPECT_EQ(test, report(test, 0), (long)-ENODEV);
	KUNIT_EXPECT_EQ(test, stop(test, fake->file, 0), (long)-ENODEV);
	KUNIT_EXPECT_EQ(test, start(test, fake->file, 0), (long)-ENODEV);
	KUNIT_EXPECT_EQ(test, call(test, fake->file, VMDEV_DIRTY_INFO, &info, sizeof(info)),
			(long)-ENODEV);
	KUNIT_EXPECT_EQ(test, vmdev_dirty_file_ioctl(fake->file, 0, NULL), (long)-ENODEV);
	KUNIT_EXPECT_EQ(test, PTR_ERR(vmdev_dirty_file_open(fake->sessions)), (long)-ENODEV);
	vmdev_dirty_file_close(fake->file);
	fake->file = NULL;
	KUNIT_EXPECT_EQ(test, fake->stops, 1);
}

/* Memory that can be read at @ro, and written at @rw. */
static void map_twice(struct kunit *test, unsigned long *ro, unsigned long *rw)
{
	struct file *file = shmem_file_setup("vmdev-kunit", PAGE_SIZE, 0);

	KUNIT_ASSERT_FALSE(test, IS_ERR(file));
	*rw = kunit_vm_mmap(test, file, 0, PAGE_SIZE, PROT_READ | PROT_WRITE,
			    MAP_SHARED, 0);
	*ro = kunit_vm_mmap(test, file, 0, PAGE_SIZE, PROT_READ, MAP_SHARED, 0);
	fput(file);
	KUNIT_ASSERT_NE(test, *rw, 0UL);
	KUNIT_ASSERT_NE(test, *ro, 0UL);
}

/* The page size is told after the start: who cannot be told has not started. */
static void dirty_start_cannot_answer(struct kunit *test)
{
	struct fake *fake = test->priv;
	struct vmdev_dirty_iova_range range = { BASE, PAGES * P };
	struct vmdev_dirty_start args = {
		.argsz = sizeof(args), .num_ranges = 1, .page_size = P,
		.ranges = (u64)ranges_of(fake),
	};
	unsigned long ro, rw;

	map_twice(test, &ro, &rw);
	KUNIT_ASSERT_EQ(test, copy_to_user((void __user *)ranges_of(fake), &range,
					   sizeof(range)), 0UL);
	KUNIT_ASSERT_EQ(test, copy_to_user((void __user *)rw, &args, sizeof(args)), 0UL);
	KUNIT_EXPECT_EQ(test, vmdev_dirty_file_ioctl(fake->file, VMDEV_DIRTY_START,
						     (void __user *)ro), (long)-EFAULT);
	KUNIT_EXPECT_EQ(test, fake->starts, 1);
	KUNIT_EXPECT_EQ(test, fake->stops, 1);
	KUNIT_EXPECT_EQ(test, report(test, 0), (long)-ENOENT);
	KUNIT_EXPECT_EQ(test, start(test, fake->file, 0), 0L);
}

/* The second page of the bitmap is not there: what belongs there is still to be had. */
static void dirty_bitmap_half_there(struct kunit *test)
{
	struct fake *fake = test->priv;
	u64 half = PAGES / 2, i;

	KUNIT_ASSERT_EQ(test, start(test, fake->file, 0), 0L);
	for (i = 0; i < PAGES; i += 1000)
		mark(fake, 0, i);
	KUNIT_ASSERT_EQ(test, vm_munmap(fake->user + 3 * PAGE_SIZE, PAGE_SIZE), 0);
	KUNIT_EXPECT_EQ(test, report(test, 0), (long)-EFAULT);
	/* Into other memory. What the first bitmap got it may have, too. */
	KUNIT_ASSERT_EQ(test, vm_mmap(NULL, fake->user + 3 * PAGE_SIZE, PAGE_SIZE,
				      PROT_READ | PROT_WRITE,
				      MAP_ANONYMOUS | MAP_PRIVATE | MAP_FIXED, 0),
			fake->user + 3 * PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, report(test, 0), 0L);
	for (i = 0; i < PAGES; i += 1000)
		KUNIT_EXPECT_TRUE_MSG(test, word(test, i / 64) & BIT_ULL(i % 64),
				      "page %llu of %llu was lost", i, 2 * half);
}

static void expect_kept(struct kunit *test, u64 bitmap)
{
	struct fake *fake = test->priv;

	KUNIT_ASSERT_EQ(test, start(test, fake->file, 0), 0L);
	mark(fake, 0, 9);
	KUNIT_EXPECT_EQ(test, report_to(test, 0, bitmap), (long)-EFAULT);
	KUNIT_EXPECT_EQ(test, report(test, 0), 0L);
	KUNIT_EXPECT_EQ(test, word(test, 0), BIT_ULL(9));
	set_word(test, 0, 0);
	KUNIT_EXPECT_EQ(test, stop(test, fake->file, 0), 0L);
}

static void dirty_bitmap_nowhere(struct kunit *test)
{
	expect_kept(test, 0);
	expect_kept(test, 0x7fffffff0000);
	/* Of the kernel. */
	expect_kept(test, ~7ULL);
	expect_kept(test, (u64)test->priv & ~7ULL);
}

static void dirty_bitmap_read_only(struct kunit *test)
{
	unsigned long ro = kunit_vm_mmap(test, NULL, 0, 2 * PAGE_SIZE, PROT_READ,
					 MAP_ANONYMOUS | MAP_PRIVATE, 0);

	KUNIT_ASSERT_NE(test, ro, 0UL);
	expect_kept(test, ro);
}

/**
 * struct reporter - a thread that reports until it is told to stop
 * @test: the test
 * @mm: the user memory
 * @bitmap: its own bitmap
 * @err: the first error
 */
struct reporter {
	struct kunit *test;
	struct mm_struct *mm;
	u64 bitmap;
	long err;
};

static int reporter_thread(void *data)
{
	struct reporter *r = data;
	struct fake *fake = r->test->priv;
	struct vmdev_dirty_report args = {
		.argsz = sizeof(args), .iova = BASE, .length = PAGES / 2 * P,
		.page_size = P, .bitmap = r->bitmap,
	};
	void __user *user = (void __user *)(r->bitmap + PAGE_SIZE);

	kthread_use_mm(r->mm);
	if (copy_to_user(user, &args, sizeof(args)))
		r->err = -EFAULT;
	while (!kthread_should_stop()) {
		if (!r->err)
			r->err = vmdev_dirty_file_ioctl(fake->file, VMDEV_DIRTY_REPORT,
							user);
		cond_resched();
	}
	kthread_unuse_mm(r->mm);
	return 0;
}

/* Each page is marked once: one of them has it in his bitmap, and only one. */
static void dirty_two_threads_report(struct kunit *test)
{
	struct fake *fake = test->priv;
	struct reporter r[2] = {};
	struct task_struct *threads[2];
	u64 i, a, b, both = 0, none = 0;

	KUNIT_ASSERT_EQ(test, start(test, fake->file, 0), 0L);
	for (i = 0; i < 2; i++) {
		r[i].test = test;
		r[i].mm = current->mm;
		r[i].bitmap = kunit_vm_mmap(test, NULL, 0, 2 * PAGE_SIZE,
					    PROT_READ | PROT_WRITE,
					    MAP_ANONYMOUS | MAP_PRIVATE, 0);
		KUNIT_ASSERT_NE(test, r[i].bitmap, 0ULL);
	}
	for (i = 0; i < 2; i++)
		threads[i] = kthread_run(reporter_thread, &r[i], "vmdev-kunit");
	for (i = 0; i < PAGES / 2; i++) {
		mark(fake, 0, i * 7919 % (PAGES / 2));
		if (!(i & 63))
			cond_resched();
	}
	msleep(20);
	for (i = 0; i < 2; i++) {
		KUNIT_EXPECT_FALSE(test, IS_ERR(threads[i]));
		if (!IS_ERR(threads[i]))
			kthread_stop(threads[i]);
		KUNIT_EXPECT_EQ(test, r[i].err, 0L);
	}
	/* What is left, if the last mark was after the last report. */
	KUNIT_EXPECT_EQ(test, report_to(test, 0, r[0].bitmap), 0L);
	for (i = 0; i < PAGES / 2 / 64; i++) {
		KUNIT_ASSERT_EQ(test, get_user(a, (u64 __user *)r[0].bitmap + i), 0);
		KUNIT_ASSERT_EQ(test, get_user(b, (u64 __user *)r[1].bitmap + i), 0);
		both += hweight64(a & b);
		none += hweight64(~(a | b));
	}
	KUNIT_EXPECT_EQ(test, both, 0ULL);
	KUNIT_EXPECT_EQ(test, none, 0ULL);
}

static struct kunit_case dirty_cases[] = {
	KUNIT_CASE(dirty_reads_and_clears),
	KUNIT_CASE(dirty_syncs_first),
	KUNIT_CASE(dirty_address_spaces),
	KUNIT_CASE(dirty_belongs_to_a_file),
	KUNIT_CASE(dirty_start_fails),
	KUNIT_CASE(dirty_device_goes),
	KUNIT_CASE(dirty_start_cannot_answer),
	KUNIT_CASE(dirty_bitmap_half_there),
	KUNIT_CASE(dirty_bitmap_nowhere),
	KUNIT_CASE(dirty_bitmap_read_only),
	KUNIT_CASE(dirty_two_threads_report),
	{}
};

static struct kunit_suite vmdev_dirty_suite = {
	.name = "vmdev_dirty",
	.init = dirty_init,
	.exit = dirty_exit,
	.test_cases = dirty_cases,
};

kunit_test_suite(vmdev_dirty_suite);
