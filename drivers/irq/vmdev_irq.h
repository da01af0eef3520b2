/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Inside of vmdev_irq: what its files share.
 */
#ifndef _VMDEV_IRQ_INTERNAL_H
#define _VMDEV_IRQ_INTERNAL_H

#include <linux/cpumask.h>
#include <linux/interrupt.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/spinlock.h>
#include <linux/timer.h>
#include <linux/workqueue.h>

#include <vmdev/irq.h>

/* "vmdev-config:0000:00:00.0" and the like */
#define VMDEV_VECTOR_NAME	40

/**
 * struct vmdev_vector - one vector
 * @vectors: whose
 * @irq: its Linux IRQ; fixed
 * @handler: what it runs, and
 * @data: on what; both while it is requested
 * @name: as /proc/interrupts shows it; likewise
 * @use: what it tells of; likewise
 * @hint: where it should go, as /proc/irq shows it; vmdev_vectors.lock
 * @driven: that is what a driver of the device said; likewise
 * @lock: protects all that follows; taken in hard interrupt context, inside of
 *	whatever handlers hold. Those of the kernel's interrupt core are taken inside of it
 * @live: it is requested, and may be masked
 * @polled: it is masked, and @timer runs
 * @told: of its last storm the log and others were told
 * @spurious: interrupts without work
 * @level: how many of them were too many lately, see storm.c
 * @seen: when @level was looked at, in jiffies
 * @storms: how often it was masked
 * @backoff: how many times in a row: that much longer it is
 * @until: when it is tried again, in jiffies
 * @timer: looks while it is masked
 */
struct vmdev_vector {
	struct vmdev_vectors *vectors;
	unsigned int irq;
	irq_handler_t handler;
	void *data;
	char name[VMDEV_VECTOR_NAME];
	enum vmdev_vector_use use;
	cpumask_var_t hint;
	bool driven;
	/* Protects what follows. */
	spinlock_t lock;
	bool live;
	bool polled;
	bool told;
	u64 spurious;
	u32 level;
	unsigned long seen;
	u32 storms;
	u32 backoff;
	unsigned long until;
	struct timer_list timer;
};

/**
 * struct vmdev_vectors - the vectors of one function
 * @pdev: the function
 * @ops: what to do when a vector fires
 * @priv: passed to @ops
 * @node: in the list of all functions; vmdev_irq_lock
 * @unsafe: user space was let in without isolation; vmdev_irq_lock
 * @lock: protects @layout, @asked and @requested. While anything is requested
 *	@layout stays, so handlers, and who knows that it is, read it without
 * @asked: which layout was asked for
 * @layout: which vector serves what
 * @nvqs: number of queues; fixed, like what follows but for @requested
 * @nvectors: number of @vector
 * @requested: how many vectors are requested; all or none, but on the way
 * @vector: the vectors
 * @report: tells of storms
 * @vq_data: for each queue, what its handler is given, or NULL; while requested
 *
 * The caller serialises request and release.
 */
struct vmdev_vectors {
	struct pci_dev *pdev;
	const struct vmdev_vector_ops *ops;
	void *priv;
	struct list_head node;
	bool unsafe;
	/* Protects the layout. */
	struct mutex lock;
	enum vmdev_vector_mode asked;
	struct vmdev_vector_layout layout;
	u16 nvqs;
	u16 nvectors;
	u16 requested;
	struct vmdev_vector *vector;
	struct work_struct report;
	void *vq_data[] __counted_by(nvqs);
};

/* layout.c */
enum vmdev_vector_use vmdev_vector_use(const struct vmdev_vector_layout *layout,
				       u16 vector);

/* stats.c */
extern struct mutex vmdev_irq_lock;
struct vmdev_vectors *vmdev_vectors_of(struct device *dev);
void vmdev_vectors_enlist(struct vmdev_vectors *vectors);
void vmdev_vectors_delist(struct vmdev_vectors *vectors);

/* affinity.c */
void vmdev_vectors_spread(struct vmdev_vectors *vectors);
void vmdev_vector_hint(struct vmdev_vector *v, bool on);
void vmdev_vectors_settle(struct vmdev_vectors *vectors);

/* storm.c */
void vmdev_vector_init(struct vmdev_vector *v);
void vmdev_vector_live(struct vmdev_vector *v);
void vmdev_vector_dead(struct vmdev_vector *v);
void vmdev_vector_found(struct vmdev_vector *v, bool work);
void vmdev_vector_config_came(struct vmdev_vector *v);
void vmdev_vectors_report(struct work_struct *work);

#endif /* _VMDEV_IRQ_INTERNAL_H */
