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
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/slab.h>

#include "vmdev_irq.h"

static irqreturn_t vmdev_vector_config(int irq, void *data)
{
	struct vmdev_vector *v = data;

	v->vectors->ops->config(v->vectors->priv);
	vmdev_vector_config_came(v);
	return IRQ_HANDLED;
}

static irqreturn_t vmdev_vector_software(int irq, void *data)
{
	struct vmdev_vector *v = data;

	vmdev_vector_found(v, v->vectors->ops->software(v->vectors->priv));
	return IRQ_HANDLED;
}

static bool vmdev_vector_config_pending(struct vmdev_vectors *vectors)
{
	if (!vectors->ops->config_pending(vectors->priv))
		return false;
	vectors->ops->config(vectors->priv);
	return true;
}

/* Vectors are short by one: config changes and software have the same. */
static irqreturn_t vmdev_vector_config_software(int irq, void *data)
{
	struct vmdev_vector *v = data;
	bool work = vmdev_vector_config_pending(v->vectors);

	work |= v->vectors->ops->software(v->vectors->priv);
	vmdev_vector_found(v, work);
	return IRQ_HANDLED;
}

static bool vmdev_vector_relay(struct vmdev_vectors *vectors)
{
	bool work = false;
	u16 vq;

	for (vq = 0; vq < vectors->nvqs; vq++)
		if (vectors->vq_data[vq])
			work |= vectors->ops->vq_relay(vectors->vq_data[vq]);
	return work;
}

static irqreturn_t vmdev_vector_all_vqs(int irq, void *data)
{
	struct vmdev_vector *v = data;

	vmdev_vector_found(v, vmdev_vector_relay(v->vectors));
	return IRQ_HANDLED;
}

static irqreturn_t vmdev_vector_everything(int irq, void *data)
{
	struct vmdev_vector *v = data;
	bool work = vmdev_vector_config_pending(v->vectors);

	work |= vmdev_vector_relay(v->vectors);
	vmdev_vector_found(v, work);
	return IRQ_HANDLED;
}

/* Of a queue that the driver does not have. */
static irqreturn_t vmdev_vector_nobody(int irq, void *data)
{
	vmdev_vector_found(data, false);
	return IRQ_HANDLED;
}

static void vmdev_vector_choose(struct vmdev_vector *v, u16 vector)
{
	static const struct {
		irq_handler_t handler;
		const char *name;
	} uses[] = {
		[VMDEV_VECTOR_CONFIG] = { vmdev_vector_config, "config" },
		[VMDEV_VECTOR_SHADOW] = { vmdev_vector_software, "shadow" },
		[VMDEV_VECTOR_CONFIG_SHADOW] = { vmdev_vector_config_software,
						 "config" },
		[VMDEV_VECTOR_VQS] = { vmdev_vector_all_vqs, "vqs" },
		[VMDEV_VECTOR_ALL] = { vmdev_vector_everything, "shared" },
	};
	struct vmdev_vectors *vectors = v->vectors;
	const char *bdf = pci_name(vectors->pdev);
	u16 vq;

	v->use = vmdev_vector_use(&vectors->layout, vector);
	if (v->use != VMDEV_VECTOR_VQ) {
		v->handler = uses[v->use].handler;
		v->data = v;
		snprintf(v->name, sizeof(v->name), "vmdev-%s:%s",
			 uses[v->use].name, bdf);
		return;
	}
	vq = vector - vectors->layout.first_vq;
	if (vectors->vq_data[vq]) {
		v->handler = vectors->ops->vq;
		v->data = vectors->vq_data[vq];
	} else {
		v->handler = vmdev_vector_nobody;
		v->data = v;
	}
	snprintf(v->name, sizeof(v->name), "vmdev-vq%u:%s", vq, bdf);
}

static int vmdev_vector_request(struct vmdev_vectors *vectors, u16 vector)
{
	struct vmdev_vector *v = &vectors->vector[vector];
	int err;

	vmdev_vector_choose(v, vector);
	err = request_irq(v->irq, v->handler, 0, v->name, v->data);
	if (err) {
		pci_err(vectors->pdev, "cannot request vector %u: %pe\n", vector,
			ERR_PTR(err));
		return err;
	}
	vmdev_vector_hint(v, true);
	vmdev_vector_live(v);
	return 0;
}

static void vmdev_vector_release(struct vmdev_vectors *vectors, u16 vector)
{
	struct vmdev_vector *v = &vectors->vector[vector];

	vmdev_vector_dead(v);
	vmdev_vector_hint(v, false);
	free_irq(v->irq, v->data);
}

static void vmdev_vectors_release_all(struct vmdev_vectors *vectors)
{
	while (vectors->requested)
		vmdev_vector_release(vectors, --vectors->requested);
}

static int vmdev_vectors_request_all(struct vmdev_vectors *vectors)
{
	u16 vq, live = vectors->layout.used;
	int err;

	if (!vectors->requested)
		for (vq = 0; vq < vectors->nvqs; vq++)
			vectors->vq_data[vq] =
				vectors->ops->vq_data(vectors->priv, vq);

	while (vectors->requested < live) {
		err = vmdev_vector_request(vectors, vectors->requested);
		if (err) {
			vmdev_vectors_release_all(vectors);
			return err;
		}
		vectors->requested++;
	}
	return 0;
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
	int err;

	mutex_lock(&vectors->lock);
	err = vmdev_vectors_request_all(vectors);
	mutex_unlock(&vectors->lock);
	return err;
}
EXPORT_SYMBOL_GPL(vmdev_vectors_request);

/**
 * vmdev_vectors_release() - stop to handle interrupts
 * @vectors: the function's vectors
 *
 * No handler runs once this returned, and what a driver wanted of vectors is forgotten.
 *
 * Context: may sleep; not from an interrupt handler of these vectors.
 */
void vmdev_vectors_release(struct vmdev_vectors *vectors)
{
	mutex_lock(&vectors->lock);
	vmdev_vectors_release_all(vectors);
	vmdev_vectors_settle(vectors);
	mutex_unlock(&vectors->lock);
}
EXPORT_SYMBOL_GPL(vmdev_vectors_release);

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

static int vmdev_vectors_init(struct vmdev_vectors *vectors)
{
	u16 i;

	vectors->vector = kvcalloc(vectors->nvectors, sizeof(*vectors->vector),
				   GFP_KERNEL);
	if (!vectors->vector)
		return -ENOMEM;

	for (i = 0; i < vectors->nvectors; i++) {
		struct vmdev_vector *v = &vectors->vector[i];

		v->vectors = vectors;
		v->irq = pci_irq_vector(vectors->pdev, i);
		vmdev_vector_init(v);
		if (!zalloc_cpumask_var(&v->hint, GFP_KERNEL))
			return -ENOMEM;
	}
	return 0;
}

static void vmdev_vectors_exit(struct vmdev_vectors *vectors)
{
	u16 i;

	for (i = 0; vectors->vector && i < vectors->nvectors; i++)
		free_cpumask_var(vectors->vector[i].hint);
	kvfree(vectors->vector);
}

/**
 * vmdev_vectors_alloc() - allocate the vectors of a function
 * @pdev: the function
 * @nvqs: number of its queues
 * @ops: what to do when a vector fires
 * @priv: passed to @ops
 *
 * Takes as many of the wanted vectors as there are, spreads them over the CPUs near
 * the function, and says in one line what came of it.
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
	vectors->asked = VMDEV_VECTORS_AUTO;
	mutex_init(&vectors->lock);
	INIT_WORK(&vectors->report, vmdev_vectors_report);

	got = pci_alloc_irq_vectors(pdev, 1, (int)nvqs + 2, PCI_IRQ_MSIX);
	if (got < 0) {
		err = got;
		pci_err(pdev, "no MSI-X vector to be had: %pe\n", ERR_PTR(err));
		goto err_free;
	}

	vectors->nvectors = got;
	vmdev_vector_layout(&vectors->layout, nvqs, got);
	err = vmdev_vectors_init(vectors);
	if (err)
		goto err_vectors;

	vmdev_vectors_spread(vectors);
	vmdev_vectors_enlist(vectors);
	vmdev_vectors_announce(vectors, got);
	return vectors;

err_vectors:
	vmdev_vectors_exit(vectors);
	pci_free_irq_vectors(pdev);
err_free:
	mutex_destroy(&vectors->lock);
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
	vmdev_vectors_delist(vectors);
	vmdev_vectors_release(vectors);
	cancel_work_sync(&vectors->report);
	vmdev_vectors_exit(vectors);
	pci_free_irq_vectors(vectors->pdev);
	mutex_destroy(&vectors->lock);
	kfree(vectors);
}
EXPORT_SYMBOL_GPL(vmdev_vectors_free);
