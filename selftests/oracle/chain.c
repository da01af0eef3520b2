// SPDX-License-Identifier: GPL-2.0
/* What is asked of devices: frames and requests, in any number of pieces anywhere. */
#include <endian.h>

#include <linux/virtio_blk.h>

#include "oracle.h"

/* Sectors that are used, of a disk of 64 MiB. */
#define SECTORS		4096
#define SECTOR		512
#define BLK_HDR		16

/* Memory for all of the chain, in @n pieces of the lengths that seg[] says. */
static bool chain_place(struct run *run, struct dev *d, struct chain *chain, struct rng *r)
{
	struct owner owner = {
		.dev = d->index, .queue = chain->queue, .chain = chain->number,
	};
	unsigned int i;

	for (i = 0; i < chain->nout + chain->nin; i++) {
		owner.what = i < chain->nout ? READ_BY_DEVICE : WRITTEN_BY_DEVICE;
		chain->p[i] = mem_get(run->mem, r, chain->seg[i].len, 1, &owner);
		if (!chain->p[i])
			return false;
		chain->seg[i].iova = mem_iova(run->mem, chain->p[i]);
	}
	return true;
}

/* @len bytes in up to @max pieces, from seg[first] on; returns how many. */
static unsigned int chain_cut(struct chain *chain, unsigned int first, __u32 len,
			      unsigned int max, struct rng *r)
{
	unsigned int n = 0;

	max = rng_range(r, 1, max);
	while (n + 1 < max && len > 1) {
		__u32 piece = rng_range(r, 1, len - 1);

		chain->seg[first + n++].len = piece;
		len -= piece;
	}
	chain->seg[first + n++].len = len;
	return n;
}

static void fill(struct run *run, struct chain *chain, unsigned int i, struct rng *r)
{
	__u64 words[512];
	__u32 at, n, w;

	for (at = 0; at < chain->seg[i].len; at += n) {
		n = chain->seg[i].len - at;
		if (n > sizeof(words))
			n = sizeof(words);
		for (w = 0; w * 8 < n; w++)
			words[w] = rng_next(r);
		mem_put(run->mem, chain->p[i] + at, words, n);
	}
}

/* Bytes @at to @at + @len of what the device reads. */
static void put_at(struct run *run, struct chain *chain, __u32 at, const void *from, __u32 len)
{
	const __u8 *bytes = from;
	unsigned int i;

	for (i = 0; i < chain->nout && len; i++) {
		__u32 n = chain->seg[i].len;

		if (at >= n) {
			at -= n;
			continue;
		}
		n = n - at < len ? n - at : len;
		mem_put(run->mem, chain->p[i] + at, bytes, n);
		bytes += n;
		len -= n;
		at = 0;
	}
}

static unsigned int pieces(const struct dev *d, const struct chain *chain, struct rng *r)
{
	unsigned int max = d->vq[chain->queue].num / 4;

	if (max > 14)
		max = rng_one_in(r, 6) ? 14 : 5;
	return max ? max : 1;
}

/*
 * QEMU (11.1) takes a chain that is too small back as if it was one descriptor: virtqueue_unpop()
 * of a packed ring goes back by one, whatever the chain took. Next it pops the rest of that chain
 * as a chain of its own, and its place in the ring and the driver's differ from then on. With
 * IN_ORDER, where what is used is looked up by place, it counts more descriptors back than it
 * has out, and breaks with "Virtqueue size exceeded". Only chains of one descriptor are safe
 * where it does that, which is without MRG_RXBUF.
 */
static bool must_not_come_back(const struct dev *d, __u32 len)
{
	return d->packed && !d->mergeable && len < NET_HDR + NET_MAX_FRAME;
}

/* Too small for some frames: then the device writes what fits, and takes it back. */
bool chain_net_rx(struct run *run, struct dev *d, struct chain *chain, struct rng *r)
{
	__u32 len = NET_HDR + NET_MAX_FRAME, most;

	switch (rng_below(r, 4)) {
	case 0:
		len = NET_HDR + rng_range(r, NET_MIN_FRAME + 4, 400);
		break;
	case 1:
		len = NET_HDR + rng_range(r, 400, NET_MAX_FRAME);
		break;
	case 2:
		len += rng_below(r, 6000);
		break;
	}
	most = pieces(d, chain, r);
	if (must_not_come_back(d, len))
		most = 1;
	chain->nout = 0;
	chain->nin = chain_cut(chain, 0, len, most, r);
	return chain_place(run, d, chain, r);
}

static bool chain_net_tx(struct run *run, struct dev *d, struct chain *chain, struct rng *r)
{
	__u32 len = NET_HDR + rng_range(r, NET_MIN_FRAME, NET_MAX_FRAME);
	static const __u8 hdr[NET_HDR];
	unsigned int i;

	chain->nin = 0;
	chain->nout = chain_cut(chain, 0, len, pieces(d, chain, r), r);
	if (!chain_place(run, d, chain, r))
		return false;
	for (i = 0; i < chain->nout; i++)
		fill(run, chain, i, r);
	put_at(run, chain, 0, hdr, sizeof(hdr));
	return true;
}

static __u32 blk_type(struct rng *r)
{
	switch (rng_below(r, 16)) {
	case 0:
		return VIRTIO_BLK_T_FLUSH;
	case 1:
		return VIRTIO_BLK_T_GET_ID;
	case 2:
		return 0x7777;	/* there is none such: only the status is written */
	case 3 ... 7:
		return VIRTIO_BLK_T_OUT;
	default:
		return VIRTIO_BLK_T_IN;
	}
}

/* The status is the last byte, wherever that is. */
static bool chain_blk(struct run *run, struct dev *d, struct chain *chain, struct rng *r)
{
	__u32 type = blk_type(r), max = pieces(d, chain, r), data = 0, i;
	__u64 sector = rng_below(r, SECTORS);
	struct { __u32 type, reserved; __u64 sector; } hdr = {
		.type = htole32(type), .sector = htole64(sector),
	};

	if (type == VIRTIO_BLK_T_IN || type == VIRTIO_BLK_T_OUT)
		data = SECTOR * rng_range(r, 1, rng_one_in(r, 8) ? 32 : 8);
	if (rng_one_in(r, 20))
		hdr.sector = htole64(1ULL << 40);
	chain->nout = chain_cut(chain, 0, BLK_HDR + (type == VIRTIO_BLK_T_OUT ? data : 0),
				max, r);
	if (type == VIRTIO_BLK_T_OUT)
		data = 0;
	if (type == VIRTIO_BLK_T_GET_ID)
		data = VIRTIO_BLK_ID_BYTES;
	chain->nin = chain_cut(chain, chain->nout, data + 1, max, r);
	if (!chain_place(run, d, chain, r))
		return false;
	for (i = 0; i < chain->nout; i++)
		fill(run, chain, i, r);
	put_at(run, chain, 0, &hdr, sizeof(hdr));
	return true;
}

/* What a driver may well do before it gives a buffer away. */
static void scribble(struct run *run, struct chain *chain, struct rng *r)
{
	unsigned int i;

	if (!rng_one_in(r, 4))
		return;
	for (i = chain->nout; i < chain->nout + chain->nin; i++)
		fill(run, chain, i, r);
}

static bool chain_table(struct run *run, struct dev *d, struct chain *chain, struct rng *r)
{
	const struct owner owner = {
		.dev = d->index, .queue = chain->queue, .chain = chain->number, .what = TABLE,
	};

	chain->table = mem_get(run->mem, r, (chain->nout + chain->nin) *
			       sizeof(struct vring_desc), sizeof(struct vring_desc), &owner);
	return chain->table;
}

/**
 * chain_make() - the next chain of a queue
 * @run: the run
 * @d: the device
 * @chain: an unused one of @chain->queue
 *
 * What it is depends on the seed and its number alone.
 *
 * Return: false if there is no room for it now.
 */
bool chain_make(struct run *run, struct dev *d, struct chain *chain)
{
	struct rng r = rng_of(run->seed, d->index, chain->queue, d->next[chain->queue]);
	bool ok, indirect = d->indirect && rng_one_in(&r, 2);

	chain->number = d->next[chain->queue];
	chain->table = NULL;
	chain->nout = 0;
	chain->nin = 0;
	memset(chain->p, 0, sizeof(chain->p));
	if (!d->net)
		ok = chain_blk(run, d, chain, &r);
	else if (chain->queue == NET_RX)
		ok = chain_net_rx(run, d, chain, &r);
	else
		ok = chain_net_tx(run, d, chain, &r);
	if (ok && indirect)
		ok = chain_table(run, d, chain, &r);
	if (!ok) {
		/* For want of memory: the next one may be smaller. */
		d->next[chain->queue]++;
		chain_free(run->mem, chain);
		return false;
	}
	scribble(run, chain, &r);
	if (!ring_add(run->mem, d, chain, chain->table)) {
		chain_free(run->mem, chain);
		return false;
	}
	d->next[chain->queue]++;
	chain->busy = true;
	d->count[chain->queue]++;
	stats.indirect += !!chain->table;
	stats.chained += chain->nout + chain->nin > 1;
	return true;
}

void chain_free(struct mem *m, struct chain *chain)
{
	unsigned int i;

	for (i = 0; i < chain->nout + chain->nin; i++)
		if (chain->p[i])
			mem_free(m, chain->p[i], chain->seg[i].len);
	if (chain->table)
		mem_free(m, chain->table, (chain->nout + chain->nin) *
			 sizeof(struct vring_desc));
	chain->busy = false;
}
