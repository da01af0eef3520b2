// SPDX-License-Identifier: GPL-2.0
/*
 * A dirty log without a device, to measure: /dev/vmdev/vmdev_bench. What a device
 * would have written is told through /sys/devices/vmdev_bench/mark:
 *
 *	write "FIRST COUNT STEP SPAN"	mark COUNT pages, the one with number I being
 *					at FIRST + I * STEP % SPAN
 *	read				what that took in cycles, all of it, without
 *					the loop around
 *
 * So a log of a terabyte can be filled at random, and no memory is mapped for it.
 */
#include <linux/device.h>
#include <linux/err.h>
#include <linux/irqflags.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/timex.h>

#include <vmdev/dirty.h>

/* Marked in one go, with interrupts off. */
#define BENCH_BATCH	256

#define BENCH_PAGE	4096

static struct device *bench_root;
static struct vmdev_dirty_dev *bench_ddev;
/* Protects what follows. */
static DEFINE_MUTEX(bench_lock);
static struct vmdev_dirty *bench_log;
static u64 bench_iovas[BENCH_BATCH];
static s64 bench_cycles;

static int bench_op_start(void *priv, unsigned int asid, struct vmdev_dirty *log)
{
	mutex_lock(&bench_lock);
	bench_log = log;
	mutex_unlock(&bench_lock);
	return 0;
}

static int bench_op_sync(void *priv, unsigned int asid)
{
	return 0;
}

static void bench_op_stop(void *priv, unsigned int asid)
{
	mutex_lock(&bench_lock);
	bench_log = NULL;
	mutex_unlock(&bench_lock);
}

static const struct vmdev_dirty_ops bench_ops = {
	.start = bench_op_start,
	.sync = bench_op_sync,
	.stop = bench_op_stop,
};

static noinline cycles_t bench_marks(unsigned int n)
{
	struct vmdev_dirty *log = bench_log;
	cycles_t start = get_cycles();
	u32 len = BENCH_PAGE;
	unsigned int i;

	/* For the compiler it could be any. */
	OPTIMIZER_HIDE_VAR(len);
	for (i = 0; i < n; i++)
		vmdev_dirty_mark_dma(log, bench_iovas[i], len);
	return get_cycles() - start;
}

/* The same loop with nothing in it. */
static noinline cycles_t bench_nothing(unsigned int n)
{
	struct vmdev_dirty *log = bench_log;
	cycles_t start = get_cycles();
	unsigned int i;

	for (i = 0; i < n; i++)
		asm volatile("" : : "r" (log), "r" (bench_iovas[i]) : "memory");
	return get_cycles() - start;
}

static void bench_batch(unsigned int n)
{
	unsigned long flags;

	local_irq_save(flags);
	bench_cycles += bench_marks(n);
	bench_cycles -= bench_nothing(n);
	local_irq_restore(flags);
	cond_resched();
}

static void bench_mark(u64 first, u64 count, u64 step, u64 span)
{
	u64 at = 0, i;

	bench_cycles = 0;
	for (i = 0; i < count; i++) {
		bench_iovas[i % BENCH_BATCH] = first + at;
		at += step;
		if (at >= span)
			at -= span;
		if (i % BENCH_BATCH == BENCH_BATCH - 1)
			bench_batch(BENCH_BATCH);
	}
	bench_batch(count % BENCH_BATCH);
}

static ssize_t mark_store(struct device *dev, struct device_attribute *attr,
			  const char *buf, size_t len)
{
	u64 first, count, step, span;
	ssize_t ret = len;

	if (sscanf(buf, "%llu %llu %llu %llu", &first, &count, &step, &span) != 4 ||
	    step >= span || span > S64_MAX)
		return -EINVAL;

	mutex_lock(&bench_lock);
	if (bench_log)
		bench_mark(first, count, step, span);
	else
		ret = -ENOENT;
	mutex_unlock(&bench_lock);
	return ret;
}

static ssize_t mark_show(struct device *dev, struct device_attribute *attr,
			 char *buf)
{
	ssize_t len;

	mutex_lock(&bench_lock);
	len = sysfs_emit(buf, "%lld\n", bench_cycles);
	mutex_unlock(&bench_lock);
	return len;
}
static DEVICE_ATTR_RW(mark);

static struct attribute *bench_attrs[] = {
	&dev_attr_mark.attr,
	NULL,
};
ATTRIBUTE_GROUPS(bench);

static void bench_release(struct device *dev)
{
	kfree(dev);
}

static int __init bench_init(void)
{
	int err;

	bench_root = kzalloc_obj(*bench_root, GFP_KERNEL);
	if (!bench_root)
		return -ENOMEM;
	device_initialize(bench_root);
	bench_root->release = bench_release;
	bench_root->groups = bench_groups;
	err = dev_set_name(bench_root, "vmdev_bench");
	if (err)
		goto err_put;

	bench_ddev = vmdev_dirty_dev_add(bench_root, &bench_ops, NULL, 1);
	if (IS_ERR(bench_ddev)) {
		err = PTR_ERR(bench_ddev);
		goto err_put;
	}
	err = device_add(bench_root);
	if (!err)
		return 0;

	vmdev_dirty_dev_del(bench_ddev);
err_put:
	put_device(bench_root);
	return err;
}
module_init(bench_init);

static void __exit bench_exit(void)
{
	vmdev_dirty_dev_del(bench_ddev);
	device_unregister(bench_root);
}
module_exit(bench_exit);

MODULE_DESCRIPTION("A dirty log without a device, to measure");
MODULE_LICENSE("GPL");
