// SPDX-License-Identifier: GPL-2.0
/*
 * Storms: interrupts that come without work, again and again, and leave a CPU no time.
 *
 * Each vector has a level. An interrupt without work adds one, storm_rate of them drain away
 * each second, and one with work takes VMDEV_STORM_WORK away: however heavy the load is, most
 * of its interrupts have work, and some that come too late to find any do no harm. A level
 * beyond storm_rate / 4 (and VMDEV_STORM_SLACK) is a storm. For example, with 10000: twice that
 * without any work is one after a third of a second, 9000 a second never is.
 *
 * Then the vector is masked, and its handler is called by a timer, each tick, so that what is
 * there to be done is done. After a second it is tried again; if it storms again within a
 * minute, after two, four, ... 64.
 *
 * Who counts: where vectors are shared the relays of vectors.c, which know what they found.
 * The handler of a queue's own vector belongs to somebody else, who tells in bulk
 * (vmdev_vectors_idle()), and need not look each time.
 */
#include <linux/jiffies.h>
#include <linux/module.h>
#include <linux/notifier.h>
#include <linux/pci.h>

#include "vmdev_irq.h"

/* More at once do not count: they may be of a long time. */
#define VMDEV_STORM_SLACK	1024
#define VMDEV_STORM_WORK	16
/* Nothing changes its configuration as often as that. */
#define VMDEV_STORM_CONFIG	10
#define VMDEV_STORM_MS		1000
#define VMDEV_STORM_BACKOFF	6
#define VMDEV_STORM_QUIET	(60 * HZ)

static unsigned int storm_rate = 10000;
module_param(storm_rate, uint, 0644);
MODULE_PARM_DESC(storm_rate,
		 "Interrupts without work, a second, beyond which a vector is masked and polled for a while; 0: never (default: 10000)");

static BLOCKING_NOTIFIER_HEAD(vmdev_irq_storms);

/**
 * vmdev_irq_storm_register() - be told of storms
 * @nb: called in process context with a struct vmdev_irq_storm
 *
 * Context: may sleep.
 * Return: 0 or an error.
 */
int vmdev_irq_storm_register(struct notifier_block *nb)
{
	return blocking_notifier_chain_register(&vmdev_irq_storms, nb);
}
EXPORT_SYMBOL_GPL(vmdev_irq_storm_register);

/**
 * vmdev_irq_storm_unregister() - the reverse
 * @nb: not called any more once this returned
 *
 * Context: may sleep.
 */
void vmdev_irq_storm_unregister(struct notifier_block *nb)
{
	blocking_notifier_chain_unregister(&vmdev_irq_storms, nb);
}
EXPORT_SYMBOL_GPL(vmdev_irq_storm_unregister);

static unsigned int vmdev_storm_ms(const struct vmdev_vector *v)
{
	return VMDEV_STORM_MS << (v->backoff ? v->backoff - 1 : 0);
}

static void vmdev_vector_mask(struct vmdev_vector *v)
{
	lockdep_assert_held(&v->lock);

	if (time_after(jiffies, v->until + VMDEV_STORM_QUIET))
		v->backoff = 0;
	v->backoff = min_t(u32, v->backoff + 1, VMDEV_STORM_BACKOFF + 1);
	v->until = jiffies + msecs_to_jiffies(vmdev_storm_ms(v));
	v->polled = true;
	v->told = false;
	v->storms++;
	v->level = 0;
	disable_irq_nosync(v->irq);
	mod_timer(&v->timer, jiffies + 1);
	schedule_work(&v->vectors->report);
}

/* What drained away since the last look. */
static void vmdev_vector_drain(struct vmdev_vector *v, unsigned int rate)
{
	unsigned long now = jiffies;
	u64 gone = min_t(u64, now - v->seen, U32_MAX) * rate;

	/* Less than one is left for the next time. */
	if (gone < HZ)
		return;
	v->level -= min_t(u64, v->level, gone / HZ);
	v->seen = now;
}

static void vmdev_vector_rise(struct vmdev_vector *v, u32 n)
{
	unsigned int rate = READ_ONCE(storm_rate);

	lockdep_assert_held(&v->lock);

	if (!v->live || !rate)
		return;
	vmdev_vector_drain(v, rate);
	v->level += n;
	if (v->level > rate / 4 + VMDEV_STORM_SLACK)
		vmdev_vector_mask(v);
}

/**
 * vmdev_vector_found() - a vector that is shared fired
 * @v: the vector
 * @work: somebody had something to do
 *
 * Context: any.
 */
void vmdev_vector_found(struct vmdev_vector *v, bool work)
{
	unsigned long flags;

	/* As a rule: nothing to take away. */
	if (work && !READ_ONCE(v->level))
		return;

	spin_lock_irqsave(&v->lock, flags);
	/* What the timer does not find is no interrupt. */
	if (!v->polled) {
		if (work) {
			v->level -= min_t(u32, v->level, VMDEV_STORM_WORK);
		} else {
			v->spurious++;
			vmdev_vector_rise(v, 1);
		}
	}
	spin_unlock_irqrestore(&v->lock, flags);
}

/**
 * vmdev_vector_config_came() - a vector that tells config changes only fired
 * @v: the vector
 *
 * Whether there was any cannot be known. But nothing changes it all the time.
 *
 * Context: any.
 */
void vmdev_vector_config_came(struct vmdev_vector *v)
{
	unsigned long flags;

	spin_lock_irqsave(&v->lock, flags);
	if (!v->polled)
		vmdev_vector_rise(v, VMDEV_STORM_CONFIG);
	spin_unlock_irqrestore(&v->lock, flags);
}

/**
 * vmdev_vectors_idle() - a queue's own vector fired, and it had nothing to do
 * @vectors: the function's vectors, requested
 * @vq: the queue
 * @n: how often since the last time
 * @storm: they were nearly all there were; else they are only counted
 *
 * A queue that shares its vector is left out: there relays know better.
 *
 * Context: any, also the handler itself.
 */
void vmdev_vectors_idle(struct vmdev_vectors *vectors, u16 vq, u32 n, bool storm)
{
	struct vmdev_vector *v;
	unsigned long flags;

	if (vq >= vectors->nvqs || vectors->layout.mode != VMDEV_VECTORS_PER_VQ)
		return;

	v = &vectors->vector[vmdev_vectors_vq(vectors, vq)];
	spin_lock_irqsave(&v->lock, flags);
	if (!v->polled) {
		v->spurious += n;
		if (storm)
			vmdev_vector_rise(v, min_t(u32, n, VMDEV_STORM_SLACK));
	}
	spin_unlock_irqrestore(&v->lock, flags);
}
EXPORT_SYMBOL_GPL(vmdev_vectors_idle);

/* What stands in for the interrupt. Not each tick for config: its driver would be asked to look. */
static unsigned long vmdev_vector_tick(const struct vmdev_vector *v)
{
	return v->use == VMDEV_VECTOR_CONFIG ? HZ / 10 : 1;
}

static void vmdev_vector_poll(struct timer_list *timer)
{
	struct vmdev_vector *v = container_of(timer, struct vmdev_vector, timer);
	bool again = false;
	unsigned long flags;

	/* As the interrupt would. */
	local_irq_save(flags);
	v->handler(v->irq, v->data);
	spin_lock(&v->lock);
	if (v->live && time_after_eq(jiffies, v->until)) {
		v->polled = false;
		v->level = 0;
		v->seen = jiffies;
		again = true;
	} else if (v->live) {
		mod_timer(timer, jiffies + vmdev_vector_tick(v));
	}
	spin_unlock(&v->lock);
	local_irq_restore(flags);
	if (again)
		enable_irq(v->irq);
}

/**
 * vmdev_vector_init() - a vector that never fired
 * @v: the vector, zeroed
 *
 * Context: any.
 */
void vmdev_vector_init(struct vmdev_vector *v)
{
	spin_lock_init(&v->lock);
	timer_setup(&v->timer, vmdev_vector_poll, 0);
	v->seen = jiffies;
	v->until = jiffies;
}

/**
 * vmdev_vector_live() - a vector was requested: it may be masked
 * @v: the vector
 *
 * Context: may sleep; vmdev_vectors.lock held.
 */
void vmdev_vector_live(struct vmdev_vector *v)
{
	spin_lock_irq(&v->lock);
	v->live = true;
	v->level = 0;
	v->seen = jiffies;
	spin_unlock_irq(&v->lock);
}

/**
 * vmdev_vector_dead() - a vector is about to be freed: nothing of a storm is left
 * @v: the vector; it may fire, but is not masked any more
 *
 * Context: may sleep; vmdev_vectors.lock held.
 */
void vmdev_vector_dead(struct vmdev_vector *v)
{
	bool masked;

	spin_lock_irq(&v->lock);
	v->live = false;
	spin_unlock_irq(&v->lock);
	timer_delete_sync(&v->timer);

	spin_lock_irq(&v->lock);
	masked = v->polled;
	v->polled = false;
	spin_unlock_irq(&v->lock);
	if (masked)
		enable_irq(v->irq);
}

static bool vmdev_vector_stormed(struct vmdev_vector *v, u16 i,
				 struct vmdev_irq_storm *storm)
{
	bool news;

	spin_lock_irq(&v->lock);
	news = v->polled && !v->told;
	v->told = true;
	*storm = (struct vmdev_irq_storm) {
		.dev = &v->vectors->pdev->dev,
		.vector = i,
		.use = v->use,
		.vq = VMDEV_VECTOR_NO_VQ,
		.storms = v->storms,
		.ms = vmdev_storm_ms(v),
	};
	spin_unlock_irq(&v->lock);
	return news;
}

/* The log, and whoever asked. */
static bool vmdev_vector_report(struct vmdev_vectors *vectors, u16 i,
				struct vmdev_irq_storm *storm)
{
	struct vmdev_vector *v = &vectors->vector[i];

	lockdep_assert_held(&vectors->lock);

	if (i >= vectors->requested || !vmdev_vector_stormed(v, i, storm))
		return false;
	if (v->use == VMDEV_VECTOR_VQ)
		storm->vq = i - vectors->layout.first_vq;
	dev_warn_ratelimited(storm->dev,
			     "interrupt storm: vector %u (irq %u, %s) fires without work, it is masked and polled for %u ms\n",
			     i, v->irq, v->name, storm->ms);
	return true;
}

/**
 * vmdev_vectors_report() - tell of storms
 * @work: vmdev_vectors.report
 *
 * Context: may sleep; takes vmdev_vectors.lock.
 */
void vmdev_vectors_report(struct work_struct *work)
{
	struct vmdev_vectors *vectors = container_of(work, struct vmdev_vectors,
						     report);
	struct vmdev_irq_storm storm;
	bool news;
	u16 i;

	for (i = 0; i < vectors->nvectors; i++) {
		mutex_lock(&vectors->lock);
		news = vmdev_vector_report(vectors, i, &storm);
		mutex_unlock(&vectors->lock);
		if (news)
			blocking_notifier_call_chain(&vmdev_irq_storms, 0, &storm);
	}
}
