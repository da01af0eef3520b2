// SPDX-License-Identifier: GPL-2.0
/*
 * What is known of the vectors of each function. Nothing is counted for it in the
 * handlers: the kernel does so for each interrupt.
 */
#include <linux/cpumask.h>
#include <linux/irq.h>
#include <linux/irqdesc.h>
#include <linux/module.h>
#include <linux/pci.h>

#include "vmdev_irq.h"

/*
 * Protects the list of functions, and that they stay as long as somebody looks. Taken
 * before vmdev_vectors.lock, and inside of whatever callers hold.
 */
DEFINE_MUTEX(vmdev_irq_lock);
static LIST_HEAD(vmdev_irq_functions);

/**
 * vmdev_vectors_of() - the vectors of a function
 * @dev: the function
 *
 * Context: vmdev_irq_lock held.
 * Return: them, or NULL if it has none of ours.
 */
struct vmdev_vectors *vmdev_vectors_of(struct device *dev)
{
	struct vmdev_vectors *vectors;

	lockdep_assert_held(&vmdev_irq_lock);

	list_for_each_entry(vectors, &vmdev_irq_functions, node)
		if (&vectors->pdev->dev == dev)
			return vectors;
	return NULL;
}

/**
 * vmdev_vectors_enlist() - let others ask for the vectors of a function
 * @vectors: its vectors, complete
 *
 * Context: may sleep.
 */
void vmdev_vectors_enlist(struct vmdev_vectors *vectors)
{
	mutex_lock(&vmdev_irq_lock);
	list_add_tail(&vectors->node, &vmdev_irq_functions);
	mutex_unlock(&vmdev_irq_lock);
}

/**
 * vmdev_vectors_delist() - the reverse; nobody looks at them once this returned
 * @vectors: its vectors
 *
 * Context: may sleep.
 */
void vmdev_vectors_delist(struct vmdev_vectors *vectors)
{
	mutex_lock(&vmdev_irq_lock);
	list_del(&vectors->node);
	mutex_unlock(&vmdev_irq_lock);
}

/**
 * vmdev_vectors_info() - how are the vectors of a function laid out?
 * @dev: the function
 * @info: filled in
 *
 * Context: may sleep; no lock of a function's interrupts held.
 * Return: 0; -ENODEV if it has no vectors of ours.
 */
int vmdev_vectors_info(struct device *dev, struct vmdev_vectors_info *info)
{
	struct vmdev_vectors *vectors;
	int err = -ENODEV;

	mutex_lock(&vmdev_irq_lock);
	vectors = vmdev_vectors_of(dev);
	if (vectors) {
		mutex_lock(&vectors->lock);
		*info = (struct vmdev_vectors_info) {
			.mode = vectors->layout.mode,
			.asked = vectors->asked,
			.nvqs = vectors->nvqs,
			.nvectors = vectors->nvectors,
			.used = vectors->layout.used,
			.requested = vectors->requested,
		};
		mutex_unlock(&vectors->lock);
		err = 0;
	}
	mutex_unlock(&vmdev_irq_lock);
	return err;
}
EXPORT_SYMBOL_GPL(vmdev_vectors_info);

/**
 * vmdev_vectors_set_mode_of() - as vmdev_vectors_set_mode(), for who knows the function
 * @dev: the function
 * @mode: what is wanted
 *
 * Context: may sleep; no lock of a function's interrupts held.
 * Return: as vmdev_vectors_set_mode(); -ENODEV if the function has no vectors of ours.
 */
int vmdev_vectors_set_mode_of(struct device *dev, enum vmdev_vector_mode mode)
{
	struct vmdev_vectors *vectors;
	int err = -ENODEV;

	mutex_lock(&vmdev_irq_lock);
	vectors = vmdev_vectors_of(dev);
	if (vectors)
		err = vmdev_vectors_set_mode(vectors, mode);
	mutex_unlock(&vmdev_irq_lock);
	return err;
}
EXPORT_SYMBOL_GPL(vmdev_vectors_set_mode_of);

/* One word per CPU, which the kernel counts up in any case. */
static void vmdev_vector_count(const struct vmdev_vector *v,
			       struct vmdev_vector_info *info)
{
	struct irq_data *data = irq_get_irq_data(v->irq);
	const struct cpumask *now;
	int cpu;

	info->cpu = -1;
	if (!data)
		return;

	now = irq_data_get_effective_affinity_mask(data);
	for_each_possible_cpu(cpu) {
		unsigned int n = irq_desc_kstat_cpu(irq_data_to_desc(data), cpu);

		info->count += n;
		if (n && (info->cpu < 0 || cpumask_test_cpu(cpu, now)))
			info->cpu = cpu;
	}
}

static void vmdev_vector_tell(struct vmdev_vectors *vectors, u16 i,
			      struct vmdev_vector_info *info)
{
	struct vmdev_vector *v = &vectors->vector[i];

	lockdep_assert_held(&vectors->lock);

	*info = (struct vmdev_vector_info) {
		.use = vmdev_vector_use(&vectors->layout, i),
		.vq = VMDEV_VECTOR_NO_VQ,
		.irq = v->irq,
		.requested = i < vectors->requested,
	};
	if (info->use == VMDEV_VECTOR_VQ)
		info->vq = i - vectors->layout.first_vq;
	vmdev_vector_count(v, info);

	spin_lock_irq(&v->lock);
	info->polled = v->polled;
	info->spurious = v->spurious;
	info->storms = v->storms;
	spin_unlock_irq(&v->lock);
}

/**
 * vmdev_vector_info() - what is known of one vector
 * @dev: the function
 * @vector: which one, below vmdev_vectors_info.nvectors
 * @info: filled in
 *
 * Context: may sleep; no lock of a function's interrupts held.
 * Return: 0; -ENODEV if the function has no vectors of ours; -ERANGE for one that it
 * has not got.
 */
int vmdev_vector_info(struct device *dev, u16 vector,
		      struct vmdev_vector_info *info)
{
	struct vmdev_vectors *vectors;
	int err = -ENODEV;

	mutex_lock(&vmdev_irq_lock);
	vectors = vmdev_vectors_of(dev);
	if (vectors)
		err = vector < vectors->nvectors ? 0 : -ERANGE;
	if (!err) {
		mutex_lock(&vectors->lock);
		vmdev_vector_tell(vectors, vector, info);
		mutex_unlock(&vectors->lock);
	}
	mutex_unlock(&vmdev_irq_lock);
	return err;
}
EXPORT_SYMBOL_GPL(vmdev_vector_info);
