// SPDX-License-Identifier: GPL-2.0
/*
 * MSI-X vectors of a function's virtqueues.
 *
 * Vectors are allocated once, when the parent probes the function: on
 * platforms where MSIs pass the IOMMU none can be allocated any more once the
 * function left its default domain. They are requested when a driver goes live
 * and released at reset, never at suspend: vhost-vdpa hands the Linux IRQ of a
 * queue to irq bypass when DRIVER_OK is set and takes it back when DRIVER_OK
 * is cleared.
 */
#include <linux/interrupt.h>
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/slab.h>

#include <vmdev/irq.h>

/* "vmdev-config:0000:00:00.0" and the like */
#define VMDEV_VECTOR_NAME	40

/**
 * struct vmdev_vectors - the vectors of one function
 * @pdev: the function
 * @ops: what to do when a vector fires
 * @priv: passed to @ops
 * @layout: which vector serves what
 * @nvqs: number of queues
 * @requested: how many vectors are requested; all or none, but on the way
 * @names: a name for each vector, as /proc/interrupts shows it
 * @vq_data: for each queue, what its handler is given; while requested
 *
 * The caller serialises request and release; nothing else changes.
 */
struct vmdev_vectors {
	struct pci_dev *pdev;
	const struct vmdev_vector_ops *ops;
	void *priv;
	struct vmdev_vector_layout layout;
	u16 nvqs;
	u16 requested;
	char (*names)[VMDEV_VECTOR_NAME];
	void *vq_data[] __counted_by(nvqs);
};

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

static irqreturn_t vmdev_vector_config(int irq, void *data)
{
	struct vmdev_vectors *vectors = data;

	vectors->ops->config(vectors->priv);
	return IRQ_HANDLED;
}

static irqreturn_t vmdev_vector_software(int irq, void *data)
{
	struct vmdev_vectors *vectors = data;

	vectors->ops->software(vectors->priv);
	return IRQ_HANDLED;
}

/* Vectors are short by one: config changes and software have the same. */
static irqreturn_t vmdev_vector_config_software(int irq, void *data)
{
	struct vmdev_vectors *vectors = data;

	if (vectors->ops->config_pending(vectors->priv))
		vectors->ops->config(vectors->priv);
	return vmdev_vector_software(irq, data);
}

static irqreturn_t vmdev_vector_all_vqs(int irq, void *data)
{
	struct vmdev_vectors *vectors = data;
	u16 vq;

	for (vq = 0; vq < vectors->nvqs; vq++)
		vectors->ops->vq(irq, vectors->vq_data[vq]);
	return IRQ_HANDLED;
}

static irqreturn_t vmdev_vector_everything(int irq, void *data)
{
	struct vmdev_vectors *vectors = data;

	if (vectors->ops->config_pending(vectors->priv))
		vectors->ops->config(vectors->priv);
	return vmdev_vector_all_vqs(irq, data);
}

static int vmdev_vector_request_one(struct vmdev_vectors *vectors, u16 vector)
{
	const struct vmdev_vector_layout *layout = &vectors->layout;
	const char *bdf = pci_name(vectors->pdev);
	char *name = vectors->names[vector];
	irq_handler_t handler;
	void *data = vectors;

	if (layout->mode == VMDEV_VECTORS_ALL_SHARED) {
		handler = vmdev_vector_everything;
		snprintf(name, VMDEV_VECTOR_NAME, "vmdev-shared:%s", bdf);
	} else if (vector == layout->config) {
		handler = vmdev_vector_config;
		if (layout->mode == VMDEV_VECTORS_PER_VQ &&
		    layout->shadow == layout->config)
			handler = vmdev_vector_config_software;
		snprintf(name, VMDEV_VECTOR_NAME, "vmdev-config:%s", bdf);
	} else if (vector == layout->shadow) {
		handler = vmdev_vector_software;
		snprintf(name, VMDEV_VECTOR_NAME, "vmdev-shadow:%s", bdf);
	} else if (layout->mode == VMDEV_VECTORS_VQ_SHARED) {
		handler = vmdev_vector_all_vqs;
		snprintf(name, VMDEV_VECTOR_NAME, "vmdev-vqs:%s", bdf);
	} else {
		u16 vq = vector - layout->first_vq;

		handler = vectors->ops->vq;
		data = vectors->vq_data[vq];
		snprintf(name, VMDEV_VECTOR_NAME, "vmdev-vq%u:%s", vq, bdf);
	}

	return request_irq(pci_irq_vector(vectors->pdev, vector), handler, 0,
			   name, data);
}

static void vmdev_vector_free_one(struct vmdev_vectors *vectors, u16 vector)
{
	const struct vmdev_vector_layout *layout = &vectors->layout;
	void *data = vectors;

	if (layout->mode == VMDEV_VECTORS_PER_VQ &&
	    vector != layout->config && vector != layout->shadow)
		data = vectors->vq_data[vector - layout->first_vq];
	free_irq(pci_irq_vector(vectors->pdev, vector), data);
}

/**
 * vmdev_vectors_request() - start to handle interrupts
 * @vectors: the function's vectors
 *
 * A second call without a release between them does nothing.
 *
 * Context: may sleep; serialised with vmdev_vectors_release() by the caller.
 * Return: 0 or the error of request_irq(), with nothing requested.
 */
int vmdev_vectors_request(struct vmdev_vectors *vectors)
{
	u16 vq, live = vectors->layout.used;
	int err;

	if (!vectors->requested)
		for (vq = 0; vq < vectors->nvqs; vq++)
			vectors->vq_data[vq] =
				vectors->ops->vq_data(vectors->priv, vq);

	while (vectors->requested < live) {
		err = vmdev_vector_request_one(vectors, vectors->requested);
		if (err) {
			pci_err(vectors->pdev, "cannot request vector %u: %pe\n",
				vectors->requested, ERR_PTR(err));
			vmdev_vectors_release(vectors);
			return err;
		}
		vectors->requested++;
	}
	return 0;
}
EXPORT_SYMBOL_GPL(vmdev_vectors_request);

/**
 * vmdev_vectors_release() - stop to handle interrupts
 * @vectors: the function's vectors
 *
 * No handler runs once this returned. Does nothing if none is requested.
 *
 * Context: may sleep; not from an interrupt handler of these vectors.
 */
void vmdev_vectors_release(struct vmdev_vectors *vectors)
{
	while (vectors->requested)
		vmdev_vector_free_one(vectors, --vectors->requested);
}
EXPORT_SYMBOL_GPL(vmdev_vectors_release);

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
	return pci_irq_vector(vectors->pdev, vmdev_vectors_vq(vectors, vq));
}
EXPORT_SYMBOL_GPL(vmdev_vectors_vq_irq);

static void vmdev_vectors_announce(const struct vmdev_vectors *vectors, int got)
{
	static const char * const modes[] = {
		[VMDEV_VECTORS_PER_VQ]	   = "own vector per queue",
		[VMDEV_VECTORS_VQ_SHARED]  = "queues share one, config has its own",
		[VMDEV_VECTORS_ALL_SHARED] = "queues and config share one",
	};
	const struct vmdev_vector_layout *layout = &vectors->layout;

	pci_info(vectors->pdev, "%d MSI-X vectors for %u queues: %s%s\n", got,
		 vectors->nvqs, modes[layout->mode],
		 layout->shadow != layout->config ?
		 ", one kept for shadow queues" : "");
}

/**
 * vmdev_vectors_alloc() - allocate the vectors of a function
 * @pdev: the function
 * @nvqs: number of its queues
 * @ops: what to do when a vector fires
 * @priv: passed to @ops
 *
 * Takes as many of the wanted vectors as there are, and says in one line what
 * came of it.
 *
 * Context: may sleep.
 * Return: the vectors; ERR_PTR(-ENOSPC) if the function has none, or -ENOMEM.
 */
struct vmdev_vectors *vmdev_vectors_alloc(struct pci_dev *pdev, u16 nvqs,
					  const struct vmdev_vector_ops *ops,
					  void *priv)
{
	struct vmdev_vectors *vectors;
	int err, got;

	vectors = kzalloc(struct_size(vectors, vq_data, nvqs), GFP_KERNEL);
	if (!vectors)
		return ERR_PTR(-ENOMEM);

	vectors->pdev = pdev;
	vectors->ops = ops;
	vectors->priv = priv;
	vectors->nvqs = nvqs;

	got = pci_alloc_irq_vectors(pdev, 1, (int)nvqs + 2, PCI_IRQ_MSIX);
	if (got < 0) {
		err = got;
		pci_err(pdev, "no MSI-X vector to be had: %pe\n", ERR_PTR(err));
		goto err_free;
	}

	vmdev_vector_layout(&vectors->layout, nvqs, got);
	vectors->names = kcalloc(vectors->layout.used, sizeof(*vectors->names),
				 GFP_KERNEL);
	if (!vectors->names) {
		err = -ENOMEM;
		goto err_vectors;
	}

	vmdev_vectors_announce(vectors, got);
	return vectors;

err_vectors:
	pci_free_irq_vectors(pdev);
err_free:
	kfree(vectors);
	return ERR_PTR(err);
}
EXPORT_SYMBOL_GPL(vmdev_vectors_alloc);

/**
 * vmdev_vectors_free() - give the vectors of a function back
 * @vectors: what vmdev_vectors_alloc() returned
 *
 * Context: may sleep.
 */
void vmdev_vectors_free(struct vmdev_vectors *vectors)
{
	vmdev_vectors_release(vectors);
	pci_free_irq_vectors(vectors->pdev);
	kfree(vectors->names);
	kfree(vectors);
}
EXPORT_SYMBOL_GPL(vmdev_vectors_free);
