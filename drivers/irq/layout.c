// SPDX-License-Identifier: GPL-2.0
/*
 * Layouts: which of a function's vectors serves what. Pure, but for who asks for one.
 */
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/string.h>

#include "vmdev_irq.h"

static const char * const vmdev_vector_modes[] = {
	[VMDEV_VECTORS_PER_VQ]	   = "per-queue",
	[VMDEV_VECTORS_VQ_SHARED]  = "queues-shared",
	[VMDEV_VECTORS_ALL_SHARED] = "all-shared",
	[VMDEV_VECTORS_AUTO]	   = "auto",
};

/**
 * vmdev_vector_mode_name() - the word for it, in sysfs and elsewhere
 * @mode: which one
 *
 * Context: any.
 */
const char *vmdev_vector_mode_name(enum vmdev_vector_mode mode)
{
	return vmdev_vector_modes[mode];
}
EXPORT_SYMBOL_GPL(vmdev_vector_mode_name);

/**
 * vmdev_vector_mode_parse() - the reverse of vmdev_vector_mode_name()
 * @word: what somebody wrote, perhaps with a newline
 *
 * Context: any.
 * Return: an enum vmdev_vector_mode, or -EINVAL.
 */
int vmdev_vector_mode_parse(const char *word)
{
	return sysfs_match_string(vmdev_vector_modes, word);
}
EXPORT_SYMBOL_GPL(vmdev_vector_mode_parse);

/**
 * vmdev_vector_layout() - choose the layout for a number of vectors
 * @layout: filled in
 * @nvqs: number of queues
 * @nvectors: number of vectors there are
 *
 * A vector for each queue, one for config changes and one kept for queues that
 * software serves, if there are enough. Config changes and software share when
 * one is missing. When more are missing all queues share one vector, and in
 * the end everything shares the only one.
 *
 * Context: any. Pure.
 * Return: 0, or -ENOSPC when there is no vector at all.
 */
int vmdev_vector_layout(struct vmdev_vector_layout *layout, u16 nvqs,
			int nvectors)
{
	if (nvectors < 1)
		return -ENOSPC;

	*layout = (struct vmdev_vector_layout) { 0 };
	if (nvectors == 1) {
		layout->mode = VMDEV_VECTORS_ALL_SHARED;
		layout->used = 1;
		return 0;
	}

	/* Vector 0 tells config changes wherever queues have others. */
	layout->first_vq = 1;
	if (nvectors < (int)nvqs + 1) {
		layout->mode = VMDEV_VECTORS_VQ_SHARED;
		layout->used = 2;
		return 0;
	}

	layout->mode = VMDEV_VECTORS_PER_VQ;
	layout->used = nvqs + 1;
	if (nvectors >= (int)nvqs + 2)
		layout->shadow = layout->used++;
	return 0;
}
EXPORT_SYMBOL_GPL(vmdev_vector_layout);

/**
 * vmdev_vector_layout_as() - the layout that somebody asked for
 * @layout: filled in
 * @mode: what was asked for; see vmdev_vector_layout() for VMDEV_VECTORS_AUTO
 * @nvqs: number of queues
 * @nvectors: number of vectors there are
 *
 * Context: any. Pure.
 * Return: 0, or -ENOSPC when there are not enough vectors for it.
 */
int vmdev_vector_layout_as(struct vmdev_vector_layout *layout,
			   enum vmdev_vector_mode mode, u16 nvqs, int nvectors)
{
	switch (mode) {
	case VMDEV_VECTORS_PER_VQ:
		if (nvectors < (int)nvqs + 1)
			return -ENOSPC;
		break;
	case VMDEV_VECTORS_VQ_SHARED:
		if (nvectors < 2)
			return -ENOSPC;
		nvectors = min(nvectors, 2);
		/* One queue and config changes are what two vectors are enough for. */
		if (nvqs < 2)
			nvqs = 2;
		break;
	case VMDEV_VECTORS_ALL_SHARED:
		nvectors = min(nvectors, 1);
		break;
	case VMDEV_VECTORS_AUTO:
		break;
	}
	return vmdev_vector_layout(layout, nvqs, nvectors);
}
EXPORT_SYMBOL_GPL(vmdev_vector_layout_as);

/**
 * vmdev_vector_use() - what does a vector tell of?
 * @layout: the layout
 * @vector: the vector
 *
 * Context: any. Pure.
 */
enum vmdev_vector_use vmdev_vector_use(const struct vmdev_vector_layout *layout,
				       u16 vector)
{
	if (vector >= layout->used)
		return VMDEV_VECTOR_UNUSED;
	if (layout->mode == VMDEV_VECTORS_ALL_SHARED)
		return VMDEV_VECTOR_ALL;
	if (vector == layout->config)
		return layout->mode == VMDEV_VECTORS_PER_VQ &&
		       layout->shadow == layout->config ?
		       VMDEV_VECTOR_CONFIG_SHADOW : VMDEV_VECTOR_CONFIG;
	if (vector == layout->shadow)
		return VMDEV_VECTOR_SHADOW;
	return layout->mode == VMDEV_VECTORS_VQ_SHARED ? VMDEV_VECTOR_VQS :
	       VMDEV_VECTOR_VQ;
}

/**
 * vmdev_vectors_vq() - entry of the MSI-X table that a queue is to use
 * @vectors: the function's vectors
 * @vq: the queue
 *
 * Return: index into the function's MSI-X table.
 */
u16 vmdev_vectors_vq(const struct vmdev_vectors *vectors, u16 vq)
{
	const struct vmdev_vector_layout *layout = &vectors->layout;

	if (layout->mode == VMDEV_VECTORS_PER_VQ)
		return layout->first_vq + vq;
	return layout->first_vq;
}
EXPORT_SYMBOL_GPL(vmdev_vectors_vq);

/**
 * vmdev_vectors_software() - entry of the MSI-X table for a queue in software
 * @vectors: the function's vectors
 * @vq: the queue
 *
 * Never one of a queue's own: who has a queue's interrupts delivered to a guest
 * by irq bypass has its vector.
 *
 * Return: index into the function's MSI-X table.
 */
u16 vmdev_vectors_software(const struct vmdev_vectors *vectors, u16 vq)
{
	if (vectors->layout.mode == VMDEV_VECTORS_PER_VQ)
		return vectors->layout.shadow;
	return vmdev_vectors_vq(vectors, vq);
}
EXPORT_SYMBOL_GPL(vmdev_vectors_software);

/**
 * vmdev_vectors_config() - entry of the MSI-X table for config changes
 * @vectors: the function's vectors
 *
 * Return: index into the function's MSI-X table.
 */
u16 vmdev_vectors_config(const struct vmdev_vectors *vectors)
{
	return vectors->layout.config;
}
EXPORT_SYMBOL_GPL(vmdev_vectors_config);

/**
 * vmdev_vectors_vq_irq() - Linux IRQ of a queue, if it is the queue's alone
 * @vectors: the function's vectors
 * @vq: the queue
 *
 * Return: the IRQ; -EOPNOTSUPP if the queue shares its vector; -EINVAL if
 * interrupts are not requested or there is no such queue.
 */
int vmdev_vectors_vq_irq(const struct vmdev_vectors *vectors, u16 vq)
{
	if (vectors->layout.mode != VMDEV_VECTORS_PER_VQ)
		return -EOPNOTSUPP;
	if (!vectors->requested || vq >= vectors->nvqs)
		return -EINVAL;
	return vectors->vector[vmdev_vectors_vq(vectors, vq)].irq;
}
EXPORT_SYMBOL_GPL(vmdev_vectors_vq_irq);

static int vmdev_vectors_try_mode(struct vmdev_vectors *vectors,
				  enum vmdev_vector_mode mode)
{
	struct vmdev_vector_layout layout;
	int err;

	if (vectors->requested) {
		pci_err(vectors->pdev, "vectors: a driver runs the device, the layout stays until it resets it\n");
		return -EBUSY;
	}

	err = vmdev_vector_layout_as(&layout, mode, vectors->nvqs,
				     vectors->nvectors);
	if (err) {
		pci_err(vectors->pdev, "vectors: %s takes %u vectors, the function has got %u\n",
			vmdev_vector_mode_name(mode),
			mode == VMDEV_VECTORS_PER_VQ ? vectors->nvqs + 1 : 2,
			vectors->nvectors);
		return err;
	}
	vectors->layout = layout;
	vectors->asked = mode;
	return 0;
}

/**
 * vmdev_vectors_set_mode() - lay the vectors of a function out as somebody wants
 * @vectors: the function's vectors
 * @mode: what is wanted
 *
 * It lasts until the function is unbound.
 *
 * Context: may sleep.
 * Return: 0; -EBUSY while interrupts are requested; -ENOSPC if there are not enough
 * vectors; both with one line.
 */
int vmdev_vectors_set_mode(struct vmdev_vectors *vectors,
			   enum vmdev_vector_mode mode)
{
	int err;

	mutex_lock(&vectors->lock);
	err = vmdev_vectors_try_mode(vectors, mode);
	mutex_unlock(&vectors->lock);
	return err;
}
EXPORT_SYMBOL_GPL(vmdev_vectors_set_mode);

/**
 * vmdev_vectors_mode() - how are the vectors of a function laid out?
 * @vectors: the function's vectors
 *
 * Context: may sleep.
 * Return: any but VMDEV_VECTORS_AUTO.
 */
enum vmdev_vector_mode vmdev_vectors_mode(struct vmdev_vectors *vectors)
{
	enum vmdev_vector_mode mode;

	mutex_lock(&vectors->lock);
	mode = vectors->layout.mode;
	mutex_unlock(&vectors->lock);
	return mode;
}
EXPORT_SYMBOL_GPL(vmdev_vectors_mode);
