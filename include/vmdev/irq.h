/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Interrupt vectors of a function's virtqueues, and what is known about how
 * far its interrupts are isolated from those of others.
 */
#ifndef _VMDEV_IRQ_H
#define _VMDEV_IRQ_H

#include <linux/irqreturn.h>
#include <linux/types.h>

struct cpumask;
struct device;
struct notifier_block;
struct pci_dev;
struct vmdev_vectors;

/**
 * enum vmdev_vector_mode - how queues and config changes share vectors
 * @VMDEV_VECTORS_PER_VQ: a vector for each queue and one for config changes
 * @VMDEV_VECTORS_VQ_SHARED: one vector for all queues, one for config changes
 * @VMDEV_VECTORS_ALL_SHARED: a single vector for everything
 * @VMDEV_VECTORS_AUTO: the first of these that there are vectors for; not one that
 *	a function has, but one that can be asked for
 */
enum vmdev_vector_mode {
	VMDEV_VECTORS_PER_VQ,
	VMDEV_VECTORS_VQ_SHARED,
	VMDEV_VECTORS_ALL_SHARED,
	VMDEV_VECTORS_AUTO,
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
 *	vector of its own, so that nothing stands between the interrupt and it. If
 *	it finds that there was no work, vmdev_vectors_idle() wants to know
 * @vq_relay: the same for a vector that queues share; false if it is known that the
 *	queue had no work
 * @vq_data: what @vq and @vq_relay are to be given for queue @vq, from now until
 *	interrupts are released; NULL if nobody wants to hear of it
 * @config: the configuration or the device status may have changed; hard
 *	interrupt context
 * @software: a queue that software serves may have used buffers; hard interrupt
 *	context. False if none had. Not called where all queues share a vector:
 *	@vq_relay is
 * @config_pending: where config changes share a vector: tell, and forget, whether the
 *	device reports a config change
 */
struct vmdev_vector_ops {
	irqreturn_t (*vq)(int irq, void *data);
	bool (*vq_relay)(void *data);
	void *(*vq_data)(void *priv, u16 vq);
	void (*config)(void *priv);
	bool (*software)(void *priv);
	bool (*config_pending)(void *priv);
};

/**
 * struct vmdev_vectors_info - the vectors of a function
 * @mode: how they are shared
 * @asked: what was asked for
 * @nvqs: queues of the hardware
 * @nvectors: how many the function has got
 * @used: how many of them, the first, are in use
 * @requested: a driver runs: interrupts are handled, the layout stays
 */
struct vmdev_vectors_info {
	enum vmdev_vector_mode mode;
	enum vmdev_vector_mode asked;
	u16 nvqs;
	u16 nvectors;
	u16 used;
	bool requested;
};

/**
 * enum vmdev_vector_use - what a vector tells of
 * @VMDEV_VECTOR_UNUSED: nothing: the layout has no use for it
 * @VMDEV_VECTOR_CONFIG: config changes
 * @VMDEV_VECTOR_SHADOW: queues that software serves
 * @VMDEV_VECTOR_CONFIG_SHADOW: both
 * @VMDEV_VECTOR_VQ: one queue
 * @VMDEV_VECTOR_VQS: all queues
 * @VMDEV_VECTOR_ALL: everything
 */
enum vmdev_vector_use {
	VMDEV_VECTOR_UNUSED,
	VMDEV_VECTOR_CONFIG,
	VMDEV_VECTOR_SHADOW,
	VMDEV_VECTOR_CONFIG_SHADOW,
	VMDEV_VECTOR_VQ,
	VMDEV_VECTOR_VQS,
	VMDEV_VECTOR_ALL,
};

/* vmdev_vector_info.vq of a vector that is not one queue's. */
#define VMDEV_VECTOR_NO_VQ	U16_MAX

/**
 * struct vmdev_vector_info - one vector of a function
 * @use: what it tells of
 * @vq: of VMDEV_VECTOR_VQ: which queue, as the hardware counts them; else
 *	VMDEV_VECTOR_NO_VQ
 * @irq: its Linux IRQ
 * @requested: it has a handler
 * @polled: it stormed, is masked for now, and software looks by itself
 * @count: interrupts since the function was bound, as /proc/interrupts counts them. Those
 *	that hardware posts to a guest the kernel does not see
 * @spurious: of those, how many came without work, as far as anybody noticed: where
 *	a queue has a vector of its own and user space the ring it is looked at now
 *	and then, and only if many come
 * @storms: how often it was masked
 * @cpu: the CPU that took the last one; -1 if none came. It is found out afterwards: if it
 *	was moved, and fired here and there before, it is where it goes to now
 */
struct vmdev_vector_info {
	enum vmdev_vector_use use;
	u16 vq;
	unsigned int irq;
	bool requested;
	bool polled;
	u64 count;
	u64 spurious;
	u32 storms;
	int cpu;
};

int vmdev_vectors_info(struct device *dev, struct vmdev_vectors_info *info);
int vmdev_vector_info(struct device *dev, u16 vector,
		      struct vmdev_vector_info *info);

int vmdev_vector_layout(struct vmdev_vector_layout *layout, u16 nvqs,
			int nvectors);
int vmdev_vector_layout_as(struct vmdev_vector_layout *layout,
			   enum vmdev_vector_mode mode, u16 nvqs, int nvectors);

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

int vmdev_vectors_set_mode(struct vmdev_vectors *vectors,
			   enum vmdev_vector_mode mode);
int vmdev_vectors_set_mode_of(struct device *dev, enum vmdev_vector_mode mode);
enum vmdev_vector_mode vmdev_vectors_mode(struct vmdev_vectors *vectors);
const char *vmdev_vector_mode_name(enum vmdev_vector_mode mode);
int vmdev_vector_mode_parse(const char *word);

int vmdev_vectors_set_vq_affinity(struct vmdev_vectors *vectors, u16 vq,
				  const struct cpumask *mask);
const struct cpumask *
vmdev_vectors_vq_affinity(const struct vmdev_vectors *vectors, u16 vq);

void vmdev_vectors_idle(struct vmdev_vectors *vectors, u16 vq, u32 n, bool storm);

/**
 * struct vmdev_irq_storm - what vmdev_irq_storm_register() tells of
 * @dev: the function
 * @vector: the vector that is masked now
 * @use: what it tells of
 * @vq: likewise, see struct vmdev_vector_info
 * @storms: how often it was masked so far
 * @ms: for how long it is
 */
struct vmdev_irq_storm {
	struct device *dev;
	u16 vector;
	enum vmdev_vector_use use;
	u16 vq;
	u32 storms;
	unsigned int ms;
};

int vmdev_irq_storm_register(struct notifier_block *nb);
void vmdev_irq_storm_unregister(struct notifier_block *nb);

/**
 * struct vmdev_irq_isolation - how far a function's interrupts are its own
 * @grouped: it is in an IOMMU group; else all of what follows is false
 * @isolated: no device of its IOMMU group can raise interrupts that are not its own
 * @remapped: hardware checks each of the function's interrupts (and so can be told
 *	to which CPU it goes, whatever the function writes)
 * @posted: that hardware can deliver interrupts to a guest by itself
 * @translated: its interrupts are writes that the IOMMU translates, and need a window of
 *	IOVAs that software maps: user space cannot have the function
 * @unsafe: since it was bound user space was let in without isolation, by
 *	allow_unsafe_interrupts
 */
struct vmdev_irq_isolation {
	bool grouped;
	bool isolated;
	bool remapped;
	bool posted;
	bool translated;
	bool unsafe;
};

void vmdev_irq_isolation(struct device *dev, struct vmdev_irq_isolation *facts);
int vmdev_irq_check_isolation(struct device *dev);

#endif /* _VMDEV_IRQ_H */
