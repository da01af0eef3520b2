// SPDX-License-Identifier: GPL-2.0
/*
 * Which CPU takes which vector.
 *
 * They are spread over the CPUs of the function's NUMA node, once, when it is bound. They
 * are not managed by the kernel: what somebody writes to /proc/irq/N/smp_affinity
 * counts, and stays from one driver of the device to the next.
 */
#include <linux/cpumask.h>
#include <linux/interrupt.h>
#include <linux/irq.h>
#include <linux/module.h>
#include <linux/pci.h>

#include "vmdev_irq.h"

/* Vector 0 tells config changes as a rule, and those of queues follow. */
static unsigned int vmdev_vector_cpu(const struct vmdev_vectors *vectors, u16 i)
{
	return cpumask_local_spread(i ? i - 1 : 0,
				    dev_to_node(&vectors->pdev->dev));
}

/**
 * vmdev_vectors_spread() - over the CPUs near the function
 * @vectors: its vectors, none requested
 *
 * Context: may sleep.
 */
void vmdev_vectors_spread(struct vmdev_vectors *vectors)
{
	u16 i;

	for (i = 0; i < vectors->nvectors; i++) {
		struct vmdev_vector *v = &vectors->vector[i];

		cpumask_copy(v->hint, cpumask_of(vmdev_vector_cpu(vectors, i)));
		/* Where it cannot be moved it works as well. */
		irq_set_affinity(v->irq, v->hint);
	}
}

/**
 * vmdev_vector_hint() - show in /proc/irq where a vector should go, or no more
 * @v: the vector, requested
 * @on: show it
 *
 * Context: may sleep; vmdev_vectors.lock held.
 */
void vmdev_vector_hint(struct vmdev_vector *v, bool on)
{
	irq_update_affinity_hint(v->irq, on ? v->hint : NULL);
}

/**
 * vmdev_vectors_settle() - forget where a driver wanted vectors to go
 * @vectors: the function's vectors, released
 *
 * They go back, but for those that an operator has moved since.
 *
 * Context: may sleep; vmdev_vectors.lock held.
 */
void vmdev_vectors_settle(struct vmdev_vectors *vectors)
{
	u16 i;

	lockdep_assert_held(&vectors->lock);

	for (i = 0; i < vectors->nvectors; i++) {
		struct vmdev_vector *v = &vectors->vector[i];
		const struct cpumask *now = irq_get_affinity_mask(v->irq);
		const struct cpumask *home;

		if (!v->driven)
			continue;
		home = cpumask_of(vmdev_vector_cpu(vectors, i));
		if (now && cpumask_equal(now, v->hint))
			irq_set_affinity(v->irq, home);
		cpumask_copy(v->hint, home);
		v->driven = false;
	}
}

static int vmdev_vector_move(struct vmdev_vectors *vectors, u16 i,
			     const struct cpumask *mask)
{
	struct vmdev_vector *v = &vectors->vector[i];
	bool driven = mask;
	int err;

	lockdep_assert_held(&vectors->lock);

	if (!mask)
		mask = cpumask_of(vmdev_vector_cpu(vectors, i));
	err = irq_set_affinity(v->irq, mask);
	if (err)
		return err;
	v->driven = driven;
	cpumask_copy(v->hint, mask);
	if (i < vectors->requested)
		vmdev_vector_hint(v, true);
	return 0;
}

/**
 * vmdev_vectors_set_vq_affinity() - the driver says where a queue's interrupts should go
 * @vectors: the function's vectors
 * @vq: the queue
 * @mask: the CPUs; NULL: where they went at first
 *
 * Context: may sleep; whether interrupts are requested or not.
 * Return: 0; -EOPNOTSUPP if the queue shares its vector; -EINVAL if there is no such
 * queue, or no such CPU is online; or another error of the interrupt's chip.
 */
int vmdev_vectors_set_vq_affinity(struct vmdev_vectors *vectors, u16 vq,
				  const struct cpumask *mask)
{
	int err;

	if (vq >= vectors->nvqs)
		return -EINVAL;
	/* Of an interrupt that is not requested the kernel takes any. */
	if (mask && !cpumask_intersects(mask, cpu_online_mask))
		return -EINVAL;

	mutex_lock(&vectors->lock);
	if (vectors->layout.mode == VMDEV_VECTORS_PER_VQ)
		err = vmdev_vector_move(vectors, vmdev_vectors_vq(vectors, vq),
					mask);
	else
		err = -EOPNOTSUPP;
	mutex_unlock(&vectors->lock);
	return err;
}
EXPORT_SYMBOL_GPL(vmdev_vectors_set_vq_affinity);

/**
 * vmdev_vectors_vq_affinity() - where do a queue's interrupts go?
 * @vectors: the function's vectors
 * @vq: the queue
 *
 * Context: any.
 * Return: what /proc/irq/N/smp_affinity shows, whoever set it; it may change, and is there
 * as long as the vectors. NULL if the queue shares its vector, or there is no such queue.
 */
const struct cpumask *
vmdev_vectors_vq_affinity(const struct vmdev_vectors *vectors, u16 vq)
{
	if (vq >= vectors->nvqs || vectors->layout.mode != VMDEV_VECTORS_PER_VQ)
		return NULL;
	return irq_get_affinity_mask(vectors->vector[vmdev_vectors_vq(vectors,
								       vq)].irq);
}
EXPORT_SYMBOL_GPL(vmdev_vectors_vq_affinity);
