/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Interrupt vectors of a function's virtqueues, and what is known about how
 * far its interrupts are isolated from those of others.
 */
#ifndef _VMDEV_IRQ_H
#define _VMDEV_IRQ_H

#include <linux/irqreturn.h>
#include <linux/types.h>

struct device;
struct pci_dev;
struct vmdev_vectors;

/**
 * enum vmdev_vector_mode - how queues and config changes share vectors
 * @VMDEV_VECTORS_PER_VQ: a vector for each queue and one for config changes
 * @VMDEV_VECTORS_VQ_SHARED: one vector for all queues, one for config changes
 * @VMDEV_VECTORS_ALL_SHARED: a single vector for everything
 */
enum vmdev_vector_mode {
	VMDEV_VECTORS_PER_VQ,
	VMDEV_VECTORS_VQ_SHARED,
	VMDEV_VECTORS_ALL_SHARED,
};

/**
 * struct vmdev_vector_layout - which vector serves what
 * @mode: see enum vmdev_vector_mode
 * @used: number of vectors in use, the first of the function's table
 * @config: vector of config changes
 * @shadow: vector kept for queues that software serves; that of config changes
 *	when there is none to spare
 * @first_vq: vector of queue 0
 */
struct vmdev_vector_layout {
	enum vmdev_vector_mode mode;
	u16 used;
	u16 config;
	u16 shadow;
	u16 first_vq;
};

/**
 * struct vmdev_vector_ops - what to do when a vector fires
 * @vq: a queue may have used buffers; the handler itself where the queue has a
 *	vector of its own, so that nothing stands between the interrupt and it
 * @vq_data: what @vq is to be given for queue @vq, from now until interrupts
 *	are released
 * @config: the configuration or the device status may have changed; hard
 *	interrupt context
 * @software: a queue that software serves may have used buffers; hard interrupt
 *	context. Not called where all queues share a vector: @vq is
 * @config_pending: where config changes share a vector: tell, and forget, whether the
 *	device reports a config change
 */
struct vmdev_vector_ops {
	irqreturn_t (*vq)(int irq, void *data);
	void *(*vq_data)(void *priv, u16 vq);
	void (*config)(void *priv);
	void (*software)(void *priv);
	bool (*config_pending)(void *priv);
};

int vmdev_vector_layout(struct vmdev_vector_layout *layout, u16 nvqs,
			int nvectors);

struct vmdev_vectors *vmdev_vectors_alloc(struct pci_dev *pdev, u16 nvqs,
					  const struct vmdev_vector_ops *ops,
					  void *priv);
void vmdev_vectors_free(struct vmdev_vectors *vectors);
int vmdev_vectors_request(struct vmdev_vectors *vectors);
void vmdev_vectors_release(struct vmdev_vectors *vectors);

u16 vmdev_vectors_vq(const struct vmdev_vectors *vectors, u16 vq);
u16 vmdev_vectors_software(const struct vmdev_vectors *vectors, u16 vq);
u16 vmdev_vectors_config(const struct vmdev_vectors *vectors);
int vmdev_vectors_vq_irq(const struct vmdev_vectors *vectors, u16 vq);

int vmdev_irq_check_isolation(struct device *dev);

#endif /* _VMDEV_IRQ_H */
