// SPDX-License-Identifier: GPL-2.0
/* Consumers of the kernel's irqbypass manager; see irq_probe.h. */
#include <linux/eventfd.h>
#include <linux/fs.h>
#include <linux/irqbypass.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "irq_probe.h"
#include "probe.h"

#define PROBE_CONSUMERS	64

/**
 * struct probe_consumer - an eventfd that somebody asked about
 * @consumer: what the manager knows
 * @ctx: the eventfd; NULL if this one is free
 * @irq: of its producer, or -1
 * @adds: producers that came
 * @dels: producers that went
 *
 * The manager's own lock serialises what its callbacks write; reads may be old.
 */
struct probe_consumer {
	struct irq_bypass_consumer consumer;
	struct eventfd_ctx *ctx;
	int irq;
	u32 adds;
	u32 dels;
};

/**
 * struct probe_file - an open file
 * @lock: protects what follows
 * @consumers: what it asked about
 */
struct probe_file {
	/* Serialises ioctls. */
	struct mutex lock;
	struct probe_consumer consumers[PROBE_CONSUMERS];
};

static int probe_add_producer(struct irq_bypass_consumer *consumer,
			      struct irq_bypass_producer *producer)
{
	struct probe_consumer *c = container_of(consumer, struct probe_consumer,
						consumer);

	WRITE_ONCE(c->irq, producer->irq);
	WRITE_ONCE(c->adds, c->adds + 1);
	return 0;
}

static void probe_del_producer(struct irq_bypass_consumer *consumer,
			       struct irq_bypass_producer *producer)
{
	struct probe_consumer *c = container_of(consumer, struct probe_consumer,
						consumer);

	WRITE_ONCE(c->irq, -1);
	WRITE_ONCE(c->dels, c->dels + 1);
}

static int probe_register(struct probe_consumer *c, int fd)
{
	struct eventfd_ctx *ctx = eventfd_ctx_fdget(fd);
	int err;

	if (IS_ERR(ctx))
		return PTR_ERR(ctx);

	*c = (struct probe_consumer) {
		.consumer.add_producer = probe_add_producer,
		.consumer.del_producer = probe_del_producer,
		.irq = -1,
	};
	err = vmdev_compat_bypass_consume(&c->consumer, ctx);
	if (err)
		eventfd_ctx_put(ctx);
	else
		c->ctx = ctx;
	return err;
}

static void probe_unregister(struct probe_consumer *c)
{
	if (!c->ctx)
		return;
	irq_bypass_unregister_consumer(&c->consumer);
	eventfd_ctx_put(c->ctx);
	c->ctx = NULL;
}

static int probe_add(struct probe_file *file, struct irq_probe *arg)
{
	u32 i;

	for (i = 0; i < PROBE_CONSUMERS; i++)
		if (!file->consumers[i].ctx)
			break;
	if (i == PROBE_CONSUMERS)
		return -ENOSPC;
	arg->id = i;
	return probe_register(&file->consumers[i], arg->fd);
}

static int probe_do(struct probe_file *file, unsigned int cmd,
		    struct irq_probe *arg)
{
	struct probe_consumer *c;
	int err;

	if (cmd == IRQ_PROBE_ADD) {
		err = probe_add(file, arg);
		if (err)
			return err;
	}
	if (arg->id >= PROBE_CONSUMERS || !file->consumers[arg->id].ctx)
		return -ENOENT;

	c = &file->consumers[arg->id];
	if (cmd == IRQ_PROBE_DEL)
		probe_unregister(c);
	arg->irq = READ_ONCE(c->irq);
	arg->adds = READ_ONCE(c->adds);
	arg->dels = READ_ONCE(c->dels);
	return 0;
}

static long probe_ioctl(struct file *filp, unsigned int cmd, unsigned long p)
{
	struct probe_file *file = filp->private_data;
	void __user *user = (void __user *)p;
	struct irq_probe arg;
	int err;

	if (cmd != IRQ_PROBE_ADD && cmd != IRQ_PROBE_GET && cmd != IRQ_PROBE_DEL)
		return -ENOTTY;
	if (copy_from_user(&arg, user, sizeof(arg)))
		return -EFAULT;

	mutex_lock(&file->lock);
	err = probe_do(file, cmd, &arg);
	mutex_unlock(&file->lock);
	if (!err && copy_to_user(user, &arg, sizeof(arg)))
		err = -EFAULT;
	return err;
}

static int probe_open(struct inode *inode, struct file *filp)
{
	struct probe_file *file = kzalloc_obj(*file, GFP_KERNEL);

	if (!file)
		return -ENOMEM;
	mutex_init(&file->lock);
	filp->private_data = file;
	return 0;
}

static int probe_release(struct inode *inode, struct file *filp)
{
	struct probe_file *file = filp->private_data;
	u32 i;

	for (i = 0; i < PROBE_CONSUMERS; i++)
		probe_unregister(&file->consumers[i]);
	mutex_destroy(&file->lock);
	kfree(file);
	return 0;
}

static const struct file_operations probe_fops = {
	.owner = THIS_MODULE,
	.open = probe_open,
	.release = probe_release,
	.unlocked_ioctl = probe_ioctl,
};

static struct miscdevice probe_misc = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "vmdev_irq_probe",
	.fops = &probe_fops,
};

int __init probe_bypass_init(void)
{
	return misc_register(&probe_misc);
}

void probe_bypass_exit(void)
{
	misc_deregister(&probe_misc);
}
