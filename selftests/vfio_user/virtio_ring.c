// SPDX-License-Identifier: GPL-2.0
/* Split rings of a virtio function, the buffers in them, and what the driver is told. */
#define _GNU_SOURCE
#include <errno.h>
#include <string.h>

#include "virtio_pci.h"

static bool vio_has(const struct vio *v, unsigned int feature)
{
	return v->features & VIO_BIT(feature);
}

/* --- from the driver ---------------------------------------------------- */
/**
 * struct vio_table - where descriptors are
 * @iova: the first
 * @size: their number
 * @indirect: it is not the queue's own
 */
struct vio_table {
	__u64 iova;
	__u32 size;
	bool indirect;
};

/* Returns whether it was one; -EPROTO for one that lies. */
static int vio_indirect(struct vio *v, const struct vring_desc *desc,
			const struct vio_chain *chain, struct vio_table *table)
{
	if (!(desc->flags & VRING_DESC_F_INDIRECT))
		return 0;
	/* Only the first of a chain, or the last, and never within another. */
	if (!vio_has(v, VIRTIO_RING_F_INDIRECT_DESC) || table->indirect ||
	    (desc->flags & VRING_DESC_F_NEXT) || !desc->len ||
	    desc->len % sizeof(*desc) || chain->n == VIO_CHAIN_MAX)
		return -EPROTO;
	*table = (struct vio_table) {
		.iova = desc->addr,
		.size = desc->len / sizeof(*desc),
		.indirect = true,
	};
	return 1;
}

/* Returns descriptors that follow: 0 or 1; -EPROTO for one that lies. */
static int vio_pop_desc(struct vio *v, struct vio_table *table,
			struct vio_chain *chain, __u16 *next)
{
	struct vio_buf *buf = &chain->bufs[chain->n];
	struct vring_desc desc;
	int indirect;

	if (*next >= table->size || chain->n == VIO_CHAIN_MAX ||
	    vfu_dma_read(v->f, table->iova + sizeof(desc) * *next, &desc,
			 sizeof(desc)))
		return -EPROTO;
	indirect = vio_indirect(v, &desc, chain, table);
	if (indirect) {
		*next = 0;
		return indirect;
	}
	*buf = (struct vio_buf) {
		.iova = desc.addr,
		.len = desc.len,
		.write = desc.flags & VRING_DESC_F_WRITE,
	};
	if (chain->n && !buf->write && chain->bufs[chain->n - 1].write)
		return -EPROTO;
	chain->n++;
	*next = desc.next;
	return !!(desc.flags & VRING_DESC_F_NEXT);
}

static int vio_avail_idx(struct vio *v, const struct vio_vq *q, __u16 *idx)
{
	return vfu_dma_read(v->f, q->regs.avail +
			    offsetof(struct vring_avail, idx), idx,
			    sizeof(*idx));
}

/* The ring is empty: asks for a kick. True if there is something now. */
static int vio_want_kick(struct vio *v, const struct vio_vq *q, __u16 *idx)
{
	__u64 event = q->regs.used + offsetof(struct vring_used, ring) +
		      sizeof(struct vring_used_elem) * q->regs.size;

	if (!vio_has(v, VIRTIO_RING_F_EVENT_IDX))
		return 0;
	if (vfu_dma_write(v->f, event, &q->avail_seen, sizeof(q->avail_seen)))
		return -EFAULT;
	/* The driver writes the index, then reads the event. */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (vio_avail_idx(v, q, idx))
		return -EFAULT;
	return *idx != q->avail_seen;
}

/**
 * vio_pop() - take the next chain of a queue
 * @v: the function
 * @vq: the queue
 * @chain: what it is
 *
 * Return: 1; 0 if there is none; -EPROTO for a ring that makes no sense, with
 * the device broken.
 */
int vio_pop(struct vio *v, unsigned int vq, struct vio_chain *chain)
{
	struct vio_vq *q = &v->vqs[vq];
	struct vio_table table = { q->regs.desc, q->regs.size, false };
	__u16 idx, next;
	int more = 1;

	if (!q->enabled || (v->status & VIO_S_SUSPEND))
		return 0;
	if (vio_avail_idx(v, q, &idx))
		goto err_break;
	if (idx == q->avail_seen) {
		more = vio_want_kick(v, q, &idx);
		if (more < 0)
			goto err_break;
		if (!more)
			return 0;
	}
	/* What the index covers was written before it. */
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	if ((__u16)(idx - q->avail_seen) > q->regs.size ||
	    vfu_dma_read(v->f, q->regs.avail +
			 offsetof(struct vring_avail, ring) +
			 sizeof(next) * (q->avail_seen & (q->regs.size - 1)),
			 &next, sizeof(next)))
		goto err_break;
	chain->head = next;
	chain->n = 0;
	while (more > 0)
		more = vio_pop_desc(v, &table, chain, &next);
	if (more < 0)
		goto err_break;
	q->avail_seen++;
	return 1;

err_break:
	vio_break(v);
	return -EPROTO;
}

/**
 * vio_unpop() - the chains taken last were not taken
 * @v: the function
 * @vq: the queue
 * @n: their number
 */
void vio_unpop(struct vio *v, unsigned int vq, unsigned int n)
{
	v->vqs[vq].avail_seen -= n;
}

/**
 * vio_waiting() - how many chains are there to be taken?
 * @v: the function
 * @vq: the queue, whether it is enabled or not
 */
unsigned int vio_waiting(struct vio *v, unsigned int vq)
{
	const struct vio_vq *q = &v->vqs[vq];
	__u16 idx;

	if (vio_avail_idx(v, q, &idx))
		return 0;
	idx -= q->avail_seen;
	return idx <= q->regs.size ? idx : 0;
}

/* --- to the driver ------------------------------------------------------ */
/**
 * vio_fill() - write an entry of the used ring that the driver does not see yet
 * @v: the function
 * @vq: the queue
 * @ahead: entries written since the last vio_flush()
 * @id: head of the chain
 * @len: bytes written to it
 *
 * Return: 0, or -EFAULT, with the device broken.
 */
int vio_fill(struct vio *v, unsigned int vq, unsigned int ahead, __u32 id,
	     __u32 len)
{
	struct vio_vq *q = &v->vqs[vq];
	struct vring_used_elem elem = { .id = id, .len = len };
	__u16 at = (q->used_idx + ahead) & (q->regs.size - 1);

	if (!vfu_dma_write(v->f, q->regs.used +
			   offsetof(struct vring_used, ring) +
			   sizeof(elem) * at, &elem, sizeof(elem)))
		return 0;
	vio_break(v);
	return -EFAULT;
}

/**
 * vio_flush() - the driver sees what vio_fill() wrote
 * @v: the function
 * @vq: the queue
 * @n: entries
 *
 * Return: 0, or -EFAULT, with the device broken.
 */
int vio_flush(struct vio *v, unsigned int vq, unsigned int n)
{
	struct vio_vq *q = &v->vqs[vq];
	__u16 idx = q->used_idx + n;

	/* Entries before the index that covers them. */
	__atomic_thread_fence(__ATOMIC_RELEASE);
	if (vfu_dma_write(v->f, q->regs.used + offsetof(struct vring_used, idx),
			  &idx, sizeof(idx))) {
		vio_break(v);
		return -EFAULT;
	}
	q->used_idx = idx;
	return 0;
}

/**
 * vio_push() - give a chain back
 * @v: the function
 * @vq: the queue
 * @id: its head
 * @len: bytes written to it
 *
 * Return: 0, or -EFAULT, with the device broken.
 */
int vio_push(struct vio *v, unsigned int vq, __u32 id, __u32 len)
{
	return vio_fill(v, vq, 0, id, len) ? -EFAULT : vio_flush(v, vq, 1);
}

/* With EVENT_IDX: did the index pass the one that the driver waits for? */
static bool vio_event_passed(struct vio *v, struct vio_vq *q)
{
	__u16 event, told = q->told;
	bool was_told = q->was_told;

	if (vfu_dma_read(v->f, q->regs.avail +
			 offsetof(struct vring_avail, ring) +
			 sizeof(event) * q->regs.size, &event, sizeof(event)))
		return false;
	q->told = q->used_idx;
	q->was_told = true;
	return !was_told || vring_need_event(event, q->used_idx, told);
}

/**
 * vio_interrupt() - tell the driver of used buffers, if it wants to know
 * @v: the function
 * @vq: the queue
 */
void vio_interrupt(struct vio *v, unsigned int vq)
{
	struct vio_vq *q = &v->vqs[vq];
	__u16 flags;

	if (!q->enabled)
		return;
	/* The driver writes what it wants, then looks at the used index. */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (vio_has(v, VIRTIO_RING_F_EVENT_IDX)) {
		if (!vio_event_passed(v, q))
			return;
	} else if (vfu_dma_read(v->f, q->regs.avail, &flags, sizeof(flags)) ||
		   (flags & VRING_AVAIL_F_NO_INTERRUPT)) {
		return;
	}
	vio_raise(v, q->regs.vector, VIO_ISR_QUEUE);
}

/**
 * vio_raise() - an interrupt, as MSI-X and ISR have it
 * @v: the function
 * @vector: of its table, or none
 * @isr: bits
 */
void vio_raise(struct vio *v, __u16 vector, __u8 isr)
{
	if (v->status & VIO_S_SUSPEND)
		return;
	v->isr |= isr;
	if (vector != VIRTIO_MSI_NO_VECTOR)
		vfu_irq(v->f, vector);
}

/**
 * vio_config_changed() - tell the driver that v->config, or the status, changed
 * @v: the function
 */
void vio_config_changed(struct vio *v)
{
	v->generation++;
	vio_raise(v, v->config_vector, VIRTIO_PCI_ISR_CONFIG);
}

/**
 * vio_break() - the driver must reset the device
 * @v: the function
 */
void vio_break(struct vio *v)
{
	v->status |= VIRTIO_CONFIG_S_NEEDS_RESET;
	if (v->status & VIRTIO_CONFIG_S_DRIVER_OK)
		vio_config_changed(v);
}

/* --- buffers ------------------------------------------------------------ */
/**
 * vio_chain_len() - bytes of a chain
 * @chain: the chain
 * @write: of the pieces that the device writes, or of the others
 */
__u32 vio_chain_len(const struct vio_chain *chain, bool write)
{
	__u64 len = 0;
	unsigned int i;

	for (i = 0; i < chain->n; i++)
		if (chain->bufs[i].write == write)
			len += chain->bufs[i].len;
	return len > 0xffffffff ? 0xffffffff : len;
}

static int vio_buf_copy(struct vio *v, __u64 iova, void *buf, __u32 len,
			bool write)
{
	int err;

	if (!write)
		return vfu_dma_read(v->f, iova, buf, len);
	err = vfu_dma_write(v->f, iova, buf, len);
	/* Of a write that failed in the middle something may be there, too. */
	if (v->ops->wrote)
		v->ops->wrote(v, iova, len);
	return err;
}

/* Reads or writes the pieces that are of that kind, from byte @at on. */
static int vio_chain_copy(struct vio *v, const struct vio_chain *chain,
			  __u32 at, void *buf, __u32 len, bool write)
{
	__u8 *p = buf;
	unsigned int i;

	for (i = 0; i < chain->n && len; i++) {
		const struct vio_buf *b = &chain->bufs[i];
		__u32 n;
		int err;

		if (b->write != write)
			continue;
		if (at >= b->len) {
			at -= b->len;
			continue;
		}
		n = b->len - at < len ? b->len - at : len;
		err = vio_buf_copy(v, b->iova + at, p, n, write);
		if (err)
			return err;
		at = 0;
		p += n;
		len -= n;
	}
	return p - (__u8 *)buf;
}

/**
 * vio_chain_read_at() - the device reads what the driver wrote
 * @v: the function
 * @chain: the chain
 * @at: first byte
 * @buf: where to
 * @len: bytes at most
 *
 * Return: bytes read, or -EFAULT.
 */
int vio_chain_read_at(struct vio *v, const struct vio_chain *chain, __u32 at,
		      void *buf, __u32 len)
{
	return vio_chain_copy(v, chain, at, buf, len, false);
}

/**
 * vio_chain_write_at() - the device writes what the driver reads
 * @v: the function
 * @chain: the chain
 * @at: first byte
 * @buf: what
 * @len: bytes at most
 *
 * Return: bytes written, or -EFAULT.
 */
int vio_chain_write_at(struct vio *v, const struct vio_chain *chain, __u32 at,
		       const void *buf, __u32 len)
{
	return vio_chain_copy(v, chain, at, (void *)buf, len, true);
}

/**
 * vio_chain_read() - vio_chain_read_at() from the beginning
 * @v: the function
 * @chain: the chain
 * @buf: where to
 * @len: bytes at most
 */
int vio_chain_read(struct vio *v, const struct vio_chain *chain, void *buf,
		   __u32 len)
{
	return vio_chain_read_at(v, chain, 0, buf, len);
}

/**
 * vio_chain_write() - vio_chain_write_at() from the beginning
 * @v: the function
 * @chain: the chain
 * @buf: what
 * @len: bytes at most
 */
int vio_chain_write(struct vio *v, const struct vio_chain *chain,
		    const void *buf, __u32 len)
{
	return vio_chain_write_at(v, chain, 0, buf, len);
}
