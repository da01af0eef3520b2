// SPDX-License-Identifier: GPL-2.0
/*
 * MSI-X: an eventfd for each vector. QEMU has the table, and so the masks.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <linux/vfio.h>

#include "internal.h"

static void vfu_irq_put(struct vfu *f, unsigned int vector, int fd)
{
	if (f->irq[vector] >= 0)
		close(f->irq[vector]);
	f->irq[vector] = fd;
}

/* The client left. */
void vfu_irq_clear(struct vfu *f)
{
	unsigned int i;

	for (i = 0; i < VFU_VECTORS_MAX; i++)
		vfu_irq_put(f, i, -1);
}

/* Vectors [start, start + count) get the descriptors, or lose theirs. */
static int vfu_irq_eventfds(struct vfu *f, struct vfu_msg *msg, __u32 start,
			    __u32 count)
{
	__u32 i;

	if (msg->nfds && msg->nfds != count)
		return -EINVAL;
	for (i = 0; i < count; i++) {
		int fd = msg->nfds ? msg->fds[i] : -1;

		vfu_irq_put(f, start + i, fd);
		if (msg->nfds)
			msg->fds[i] = -1;
	}
	return 0;
}

/* SET_IRQS. Masking stays in QEMU, and no data means: fire, or all off. */
int vfu_irq_set(struct vfu *f, struct vfu_msg *msg)
{
	const struct vfio_irq_set *set = (struct vfio_irq_set *)msg->body;
	__u32 i, vectors = f->pci.vectors;

	if (msg->len < sizeof(*set) || set->index >= VFIO_PCI_NUM_IRQS)
		return -EINVAL;
	if (set->index != VFIO_PCI_MSIX_IRQ_INDEX)
		return set->count ? -EINVAL : 0;
	if (set->start > vectors || set->count > vectors - set->start)
		return -EINVAL;
	if ((set->flags & VFIO_IRQ_SET_ACTION_TYPE_MASK) !=
	    VFIO_IRQ_SET_ACTION_TRIGGER)
		return 0;

	switch (set->flags & VFIO_IRQ_SET_DATA_TYPE_MASK) {
	case VFIO_IRQ_SET_DATA_EVENTFD:
		return vfu_irq_eventfds(f, msg, set->start, set->count);
	case VFIO_IRQ_SET_DATA_NONE:
		if (!set->count)
			vfu_irq_clear(f);
		for (i = 0; i < set->count; i++)
			vfu_irq(f, set->start + i);
		return 0;
	default:
		return -EINVAL;
	}
}

/**
 * vfu_irq() - raise an interrupt
 * @f: the function
 * @vector: of its MSI-X table
 *
 * Return: 0; -EINVAL if there is no such vector; -ENOTCONN if the VM does not
 * use it.
 */
int vfu_irq(struct vfu *f, unsigned int vector)
{
	if (vector >= f->pci.vectors)
		return -EINVAL;
	if (f->irq[vector] < 0)
		return -ENOTCONN;
	return eventfd_write(f->irq[vector], 1) ? -errno : 0;
}
