// SPDX-License-Identifier: GPL-2.0
/*
 * Making buffers available, as vq_add() does, but with indirect tables, and with
 * each byte that is written put into the copy, too.
 */
#include <endian.h>

#include "oracle.h"

static __u16 seg_flags(const struct chain *chain, unsigned int i, bool packed_table)
{
	__u16 flags = i >= chain->nout ? VRING_DESC_F_WRITE : 0;

	if (i + 1 < chain->nout + chain->nin && !packed_table)
		flags |= VRING_DESC_F_NEXT;
	return flags;
}

static void put_split(struct mem *m, struct vring_desc *to, const struct vq_seg *seg,
		      __u16 flags, __u16 next)
{
	const struct vring_desc desc = {
		.addr = htole64(seg->iova), .len = htole32(seg->len),
		.flags = htole16(flags), .next = htole16(next),
	};

	mem_put(m, to, &desc, sizeof(desc));
}

static void put_packed(struct mem *m, struct vring_packed_desc *to,
		       const struct vq_seg *seg, __u16 id, __u16 flags)
{
	const struct vring_packed_desc desc = {
		.addr = htole64(seg->iova), .len = htole32(seg->len),
		.id = htole16(id), .flags = htole16(flags),
	};

	/* The flags of the first one come last; see ring_add_packed(). */
	mem_put(m, to, &desc, sizeof(desc) - sizeof(desc.flags));
}

static void put_table(struct mem *m, const struct dev *d, const struct chain *chain)
{
	unsigned int i;

	for (i = 0; i < chain->nout + chain->nin; i++) {
		void *to = chain->table + i * sizeof(struct vring_desc);

		if (d->packed) {
			put_packed(m, to, &chain->seg[i], 0, 0);
			mem_put16(m, &((struct vring_packed_desc *)to)->flags,
				  htole16(seg_flags(chain, i, true)));
		} else {
			put_split(m, to, &chain->seg[i], seg_flags(chain, i, false), i + 1);
		}
	}
}

static void ring_add_split(struct mem *m, struct vq *vq, struct chain *chain,
			   const struct vq_seg *segs, unsigned int n)
{
	__u16 head = vq->free[vq->nfree - 1], id = head;
	struct vring_avail *avail = vq->driver;
	struct vring_desc *desc = vq->desc;
	unsigned int i;

	for (i = 0; i < n; i++) {
		__u16 next = i + 1 < n ? vq->free[vq->nfree - 2 - i] : 0;

		put_split(m, &desc[id], &segs[i], chain->table ? VRING_DESC_F_INDIRECT :
			  seg_flags(chain, i, false), next);
		vq->next[id] = next;
		id = next;
	}
	vq->nfree -= n;
	vq->token[head] = chain;
	vq->nsegs[head] = n;
	mem_put16(m, &avail->ring[vq->avail_idx++ % vq->num], htole16(head));
	mem_put16(m, &avail->idx, htole16(vq->avail_idx));
}

static void ring_add_packed(struct mem *m, struct vq *vq, struct chain *chain,
			    const struct vq_seg *segs, unsigned int n)
{
	__u16 id = vq->free[--vq->nfree], head = vq->avail_idx, first = 0;
	struct vring_packed_desc *desc = vq->desc;
	unsigned int i;

	for (i = 0; i < n; i++) {
		__u16 flags = chain->table ? VRING_DESC_F_INDIRECT : seg_flags(chain, i, false);

		flags |= vq->avail_wrap ? BIT64(VRING_PACKED_DESC_F_AVAIL) :
			 BIT64(VRING_PACKED_DESC_F_USED);
		put_packed(m, &desc[vq->avail_idx], &segs[i], id, flags);
		if (i)
			mem_put16(m, &desc[vq->avail_idx].flags, htole16(flags));
		else
			first = flags;
		if (++vq->avail_idx == vq->num) {
			vq->avail_idx = 0;
			vq->avail_wrap = !vq->avail_wrap;
		}
	}
	vq->token[id] = chain;
	vq->nsegs[id] = n;
	mem_put16(m, &desc[head].flags, htole16(first));
}

/**
 * ring_add() - make a chain available, without a kick
 * @m: guest memory
 * @d: the device
 * @chain: its pieces, and a table if it has one
 * @indirect: use the table
 *
 * Return: false if there is no room.
 */
bool ring_add(struct mem *m, struct dev *d, struct chain *chain, bool indirect)
{
	unsigned int n = indirect ? 1 : chain->nout + chain->nin;
	struct vq *vq = &d->vq[chain->queue];
	const struct vq_seg table = {
		indirect ? mem_iova(m, chain->table) : 0,
		(chain->nout + chain->nin) * sizeof(struct vring_desc),
	};
	const struct vq_seg *segs = indirect ? &table : chain->seg;

	if (vq->slots < n || vq->nfree < n)
		return false;
	vq->slots -= n;
	if (indirect)
		put_table(m, d, chain);
	if (d->packed)
		ring_add_packed(m, vq, chain, segs, n);
	else
		ring_add_split(m, vq, chain, segs, n);
	return true;
}

/* Which interrupts the driver wants; nobody waits for any. */
void ring_event(struct mem *m, struct dev *d, unsigned int queue, struct rng *r)
{
	struct vq *vq = &d->vq[queue];

	if (d->packed) {
		struct vring_packed_desc_event *event = vq->driver;

		mem_put16(m, &event->off_wrap, htole16(vq->used_idx | vq->used_wrap << 15));
		mem_put16(m, &event->flags, htole16(rng_below(r, 2)));
	} else {
		struct vring_avail *avail = vq->driver;

		mem_put16(m, &avail->flags, htole16(rng_below(r, 2)));
		mem_put16(m, &avail->ring[vq->num], htole16(vq->used_idx + rng_below(r, 8)));
	}
}

void ring_kick(struct dev *d, unsigned int queue)
{
	if (d->doorbell[queue])
		vc_ring(d->doorbell[queue], queue);
	else
		vq_kick(&d->vq[queue]);
}
