// SPDX-License-Identifier: GPL-2.0
/*
 * Requests: what they ask for, and those that are served by a work of their own.
 *
 * Everything that the driver wrote is copied before it is looked at. Header and status
 * may be in any pieces, data as well (virtio 1.2, 2.7.4).
 */
#include <linux/bvec.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/virtio_byteorder.h>

#include "blk.h"

/**
 * struct vmdev_soft_blk_req - a request under way
 * @work: serves it
 * @q: its queue
 * @head: what it asks for
 * @cursor: place in its data that I/O is for
 * @hint: of @cursor
 * @bounce: @bvecs are our pages, not the driver's
 * @done: bytes of data that were written to the driver's memory
 * @nbvecs: how many of them are in use
 * @bvecs: pages that I/O is done on
 * @nsegs: length of @segs
 * @segs: pieces of the buffer, those in the direction of the data
 */
struct vmdev_soft_blk_req {
	struct work_struct work;
	struct vmdev_soft_blk_queue *q;
	struct vmdev_soft_blk_head head;
	struct vmdev_soft_blk_cursor cursor;
	struct vmdev_soft_hint hint;
	bool bounce;
	u32 done;
	u16 nbvecs;
	struct bio_vec bvecs[VMDEV_SOFT_BLK_BVECS];
	u16 nsegs;
	struct vmdev_vring_seg segs[] __counted_by(nsegs);
};

/**
 * vmdev_soft_blk_next() - the address of what comes next
 * @cursor: where; moves on
 * @len: bytes wanted; set to those that are there, in one page
 *
 * Context: any; the maps_lock of the device held, and as long as the address is used.
 * Return: NULL if the driver has no such memory.
 */
void *vmdev_soft_blk_next(struct vmdev_soft_blk_cursor *cursor, u32 *len)
{
	u64 iova;
	u32 n;
	void *va;

	while (cursor->seg != cursor->end && cursor->at == cursor->seg->len) {
		cursor->seg++;
		cursor->at = 0;
	}
	if (cursor->seg == cursor->end)
		return NULL;
	iova = cursor->seg->addr + cursor->at;
	n = min(*len, cursor->seg->len - cursor->at);
	n = min_t(u32, n, PAGE_SIZE - offset_in_page(iova));
	va = vmdev_soft_va(cursor->soft, cursor->hint, iova, cursor->perm, &n);
	cursor->at += n;
	*len = n;
	return va;
}

/* In the direction that @cursor->perm says. */
static int vmdev_soft_blk_copy(struct vmdev_soft_blk_cursor *cursor, void *buf, u32 len)
{
	while (len) {
		u32 n = len;
		void *va = vmdev_soft_blk_next(cursor, &n);

		if (!va)
			return -EFAULT;
		if (cursor->perm == VHOST_ACCESS_WO)
			memcpy(va, buf, n);
		else
			memcpy(buf, va, n);
		buf += n;
		len -= n;
	}
	return 0;
}

/* IOVA of the last byte that the device may write; there is one. */
static u64 vmdev_soft_blk_last(const struct vmdev_vring_chain *chain)
{
	u16 i = chain->nsegs;

	do
		i--;
	while (!chain->segs[i].len);
	return chain->segs[i].addr + chain->segs[i].len - 1;
}

/* Does the data go to the driver? */
static bool vmdev_soft_blk_to_driver(u32 type)
{
	return type == VIRTIO_BLK_T_IN || type == VIRTIO_BLK_T_GET_ID;
}

/**
 * vmdev_soft_blk_parse() - what does a request ask for?
 * @blk: the device
 * @hint: see vmdev_soft_va()
 * @chain: the buffer
 * @head: filled in
 *
 * Context: any; the maps_lock of the device held.
 * Return: NULL, or why it is none.
 */
const char *vmdev_soft_blk_parse(struct vmdev_soft_blk *blk,
				 struct vmdev_soft_hint *hint,
				 const struct vmdev_vring_chain *chain,
				 struct vmdev_soft_blk_head *head)
{
	struct vmdev_soft_blk_cursor cursor = {
		.soft = &blk->soft,
		.hint = hint,
		.seg = chain->segs,
		.end = chain->segs + chain->nread,
		.perm = VHOST_ACCESS_RO,
	};
	struct virtio_blk_outhdr hdr;

	if (chain->read_len < VMDEV_SOFT_BLK_HDR)
		return "request without a header";
	if (!chain->write_len)
		return "request without a status byte";
	if (vmdev_soft_blk_copy(&cursor, &hdr, sizeof(hdr)))
		return "header of a request is not in memory";

	head->type = __virtio32_to_cpu(true, hdr.type);
	head->sector = __virtio64_to_cpu(true, hdr.sector);
	head->room = chain->write_len;
	head->data = vmdev_soft_blk_to_driver(head->type) ? chain->write_len - 1 :
		     chain->read_len - VMDEV_SOFT_BLK_HDR;
	head->status = vmdev_soft_blk_last(chain);
	head->id = chain->id;
	head->slots = chain->slots;
	return NULL;
}

/* Are @n sectors there, from @sector on? */
static bool vmdev_soft_blk_within(const struct vmdev_soft_blk_store *store, u64 sector,
				  u32 n)
{
	return sector <= store->sectors && n <= store->sectors - sector &&
	       !((sector | n) & ((store->block >> SECTOR_SHIFT) - 1));
}

/**
 * vmdev_soft_blk_check() - may it be served?
 * @blk: the device
 * @head: what is asked for
 *
 * Context: any.
 * Return: 0; -EIO for a place or a size that is none, or a write where only reads are
 * possible; -EOPNOTSUPP for what is unknown.
 */
int vmdev_soft_blk_check(const struct vmdev_soft_blk *blk,
			 const struct vmdev_soft_blk_head *head)
{
	const struct vmdev_soft_blk_store *store = &blk->store;

	if (vmdev_soft_fails(&blk->soft, VMDEV_SOFT_FAIL_REQUEST))
		return -EIO;
	switch (head->type) {
	case VIRTIO_BLK_T_IN:
	case VIRTIO_BLK_T_OUT:
		if (head->type == VIRTIO_BLK_T_OUT && store->read_only)
			return -EIO;
		if (head->data & (SECTOR_SIZE - 1) ||
		    !vmdev_soft_blk_within(store, head->sector,
					   head->data >> SECTOR_SHIFT))
			return -EIO;
		return 0;
	case VIRTIO_BLK_T_DISCARD:
		if (!store->ops->discard)
			return -EOPNOTSUPP;
		fallthrough;
	case VIRTIO_BLK_T_WRITE_ZEROES:
		return store->read_only ? -EIO : 0;
	case VIRTIO_BLK_T_FLUSH:
	case VIRTIO_BLK_T_GET_ID:
		return 0;
	default:
		return -EOPNOTSUPP;
	}
}

/**
 * vmdev_soft_blk_wrote() - data was written to the driver's memory
 * @soft: the device
 * @seg: pieces that it was written to
 * @len: bytes, from the first on
 *
 * Context: any.
 */
void vmdev_soft_blk_wrote(struct vmdev_soft *soft, const struct vmdev_vring_seg *seg,
			  u32 len)
{
	for (; len; seg++) {
		u32 n = min(len, seg->len);

		if (n)
			vmdev_hw_wrote(&soft->hw, seg->addr, n);
		len -= n;
	}
}

/**
 * vmdev_soft_blk_status() - what the driver is told
 * @err: 0 or a negative errno
 *
 * Context: any.
 * Return: VIRTIO_BLK_S_*.
 */
u8 vmdev_soft_blk_status(int err)
{
	if (!err)
		return VIRTIO_BLK_S_OK;
	return err == -EOPNOTSUPP ? VIRTIO_BLK_S_UNSUPP : VIRTIO_BLK_S_IOERR;
}

/* A page of ours for each; the driver's data in it if it is to be written. */
static int vmdev_soft_blk_bounce(struct vmdev_soft_blk_req *req, u32 left)
{
	struct bio_vec *bvec = req->bvecs;
	int err = 0;

	while (left && !err && req->nbvecs < VMDEV_SOFT_BLK_BVECS) {
		u32 n = min_t(u32, left, PAGE_SIZE);
		struct page *page = alloc_page(GFP_NOIO);

		if (!page)
			return -ENOMEM;
		bvec_set_page(bvec, page, n, 0);
		req->nbvecs++;
		if (req->head.type == VIRTIO_BLK_T_OUT) {
			read_lock_bh(&req->cursor.soft->maps_lock);
			err = vmdev_soft_blk_copy(&req->cursor, page_address(page), n);
			read_unlock_bh(&req->cursor.soft->maps_lock);
		}
		bvec++;
		left -= n;
	}
	return err;
}

/* What was read in pages of ours goes to the driver. */
static int vmdev_soft_blk_unbounce(struct vmdev_soft_blk_req *req)
{
	int err = 0;
	u16 i;

	read_lock_bh(&req->cursor.soft->maps_lock);
	for (i = 0; i < req->nbvecs && !err; i++)
		err = vmdev_soft_blk_copy(&req->cursor, page_address(req->bvecs[i].bv_page),
					  req->bvecs[i].bv_len);
	read_unlock_bh(&req->cursor.soft->maps_lock);
	return err;
}

/* Pages of a driver on this host stay, and may be such as cannot be held. */
static bool vmdev_soft_blk_holds(const struct vmdev_soft_blk_req *req)
{
	return req->bounce || req->cursor.soft->attached;
}

static int vmdev_soft_blk_pin(struct vmdev_soft_blk_req *req, u32 left)
{
	struct vmdev_soft *soft = req->cursor.soft;
	int err = 0;

	read_lock_bh(&soft->maps_lock);
	while (left && req->nbvecs < VMDEV_SOFT_BLK_BVECS) {
		u32 n = left;
		void *va = vmdev_soft_blk_next(&req->cursor, &n);

		if (!va) {
			err = -EFAULT;
			break;
		}
		bvec_set_page(&req->bvecs[req->nbvecs++], virt_to_page(va), n,
			      offset_in_page(va));
		if (vmdev_soft_blk_holds(req))
			get_page(virt_to_page(va));
		left -= n;
	}
	read_unlock_bh(&soft->maps_lock);
	return err;
}

static void vmdev_soft_blk_unpin(struct vmdev_soft_blk_req *req)
{
	while (req->nbvecs--)
		if (vmdev_soft_blk_holds(req))
			put_page(req->bvecs[req->nbvecs].bv_page);
	req->nbvecs = 0;
}

/* I/O on as much as there are bvecs for; @done is how much that was. */
static int vmdev_soft_blk_chunk(struct vmdev_soft_blk_req *req, u64 offset, u32 left,
				u32 *done)
{
	struct vmdev_soft_blk_store *store = &req->q->blk->store;
	bool write = req->head.type == VIRTIO_BLK_T_OUT;
	u32 bytes = 0;
	int err;
	u16 i;

	err = req->bounce ? vmdev_soft_blk_bounce(req, left) :
	      vmdev_soft_blk_pin(req, left);
	for (i = 0; i < req->nbvecs; i++)
		bytes += req->bvecs[i].bv_len;
	if (!err)
		err = store->ops->rw(store, write, offset, req->bvecs, req->nbvecs, bytes);
	if (!err && !write && req->bounce)
		err = vmdev_soft_blk_unbounce(req);
	vmdev_soft_blk_unpin(req);
	*done = bytes;
	return err;
}

/* Can the store do I/O on the driver's pages? */
static bool vmdev_soft_blk_odd(const struct vmdev_soft_blk_req *req)
{
	const struct vmdev_vring_seg *seg = req->cursor.seg;
	u32 at = req->cursor.at, left = req->head.data, bits = 0;

	for (; left; seg++, at = 0) {
		u32 n = min(left, seg->len - at);

		if (n)
			bits |= (u32)(seg->addr + at) | n;
		left -= n;
	}
	return bits & req->q->blk->store.align;
}

static int vmdev_soft_blk_rw(struct vmdev_soft_blk_req *req)
{
	u64 offset = req->head.sector << SECTOR_SHIFT;
	u32 left = req->head.data, done;
	int err = 0;

	req->bounce = vmdev_soft_blk_odd(req);
	while (left && !err) {
		err = vmdev_soft_blk_chunk(req, offset, left, &done);
		if (!err && req->head.type == VIRTIO_BLK_T_IN)
			req->done += done;
		offset += done;
		left -= done;
		cond_resched();
	}
	return err;
}

static int vmdev_soft_blk_range(struct vmdev_soft_blk_req *req, u64 sector, u32 n,
				u32 flags)
{
	struct vmdev_soft_blk_store *store = &req->q->blk->store;
	bool zero = req->head.type == VIRTIO_BLK_T_WRITE_ZEROES;

	if (flags & ~(zero ? VIRTIO_BLK_WRITE_ZEROES_FLAG_UNMAP : 0))
		return -EOPNOTSUPP;
	if (n > VMDEV_SOFT_BLK_RANGE_MAX || !vmdev_soft_blk_within(store, sector, n))
		return -EIO;
	if (!n)
		return 0;
	return zero ? store->ops->zero(store, sector, n, flags) :
	       store->ops->discard(store, sector, n);
}

static int vmdev_soft_blk_ranges(struct vmdev_soft_blk_req *req)
{
	struct virtio_blk_discard_write_zeroes ranges[VMDEV_SOFT_BLK_RANGES];
	u32 i, n = req->head.data / sizeof(*ranges);
	int err;

	if (req->head.data % sizeof(*ranges) || n > VMDEV_SOFT_BLK_RANGES || !n)
		return -EIO;
	read_lock_bh(&req->cursor.soft->maps_lock);
	err = vmdev_soft_blk_copy(&req->cursor, ranges, req->head.data);
	read_unlock_bh(&req->cursor.soft->maps_lock);
	for (i = 0; i < n && !err; i++)
		err = vmdev_soft_blk_range(req, le64_to_cpu(ranges[i].sector),
					   le32_to_cpu(ranges[i].num_sectors),
					   le32_to_cpu(ranges[i].flags));
	return err;
}

static int vmdev_soft_blk_get_id(struct vmdev_soft_blk_req *req)
{
	u32 n = min_t(u32, req->head.data, VIRTIO_BLK_ID_BYTES);
	int err;

	read_lock_bh(&req->cursor.soft->maps_lock);
	err = vmdev_soft_blk_copy(&req->cursor, req->q->blk->serial, n);
	read_unlock_bh(&req->cursor.soft->maps_lock);
	if (!err)
		req->done = n;
	return err;
}

static int vmdev_soft_blk_do(struct vmdev_soft_blk_req *req)
{
	struct vmdev_soft_blk *blk = req->q->blk;
	int err;

	switch (req->head.type) {
	case VIRTIO_BLK_T_IN:
		return vmdev_soft_blk_rw(req);
	case VIRTIO_BLK_T_GET_ID:
		return vmdev_soft_blk_get_id(req);
	case VIRTIO_BLK_T_FLUSH:
		return blk->store.ops->flush(&blk->store);
	case VIRTIO_BLK_T_OUT:
		err = vmdev_soft_blk_rw(req);
		break;
	default:
		err = vmdev_soft_blk_ranges(req);
	}
	/* To a driver that knows of no flush what is written stays (5.2.6.2). */
	if (!err && !vmdev_soft_has(&blk->soft, VIRTIO_BLK_F_FLUSH))
		err = blk->store.ops->flush(&blk->store);
	return err;
}

/* As whoever writes back memory: it waits for none of its own. */
static void vmdev_soft_blk_work(struct work_struct *work)
{
	struct vmdev_soft_blk_req *req = container_of(work, struct vmdev_soft_blk_req, work);
	const unsigned int flags = PF_LOCAL_THROTTLE | PF_MEMALLOC_NOIO;
	unsigned long before = current->flags;
	bool in = req->head.type == VIRTIO_BLK_T_IN;
	int err;

	current->flags |= flags;
	err = vmdev_soft_blk_do(req);
	current_restore_flags(before, flags);

	/* Part of it may have been written before it failed. */
	vmdev_soft_blk_wrote(&req->q->blk->soft, req->segs, in ? req->head.data : req->done);
	vmdev_soft_blk_used(req->q, &req->head, err, req->done);
	kfree(req);
}

static void vmdev_soft_blk_fill(struct vmdev_soft_blk_req *req,
				struct vmdev_soft_blk_queue *q,
				const struct vmdev_soft_blk_head *head,
				const struct vmdev_vring_seg *segs)
{
	bool to_driver = vmdev_soft_blk_to_driver(head->type);

	INIT_WORK(&req->work, vmdev_soft_blk_work);
	req->q = q;
	req->head = *head;
	req->hint = (struct vmdev_soft_hint) { 0 };
	req->bounce = false;
	req->done = 0;
	req->nbvecs = 0;
	memcpy(req->segs, segs, req->nsegs * sizeof(*segs));
	req->cursor = (struct vmdev_soft_blk_cursor) {
		.soft = &q->blk->soft,
		.hint = &req->hint,
		.seg = req->segs,
		.end = req->segs + req->nsegs,
		.perm = to_driver ? VHOST_ACCESS_WO : VHOST_ACCESS_RO,
	};
}

/**
 * vmdev_soft_blk_skip() - past the header
 * @cursor: at the first piece of a request; it has a header
 *
 * Context: any.
 */
void vmdev_soft_blk_skip(struct vmdev_soft_blk_cursor *cursor)
{
	u32 left = VMDEV_SOFT_BLK_HDR;

	while (left > cursor->seg->len) {
		left -= cursor->seg->len;
		cursor->seg++;
	}
	cursor->at = left;
}

static void vmdev_soft_blk_queue_req(struct vmdev_soft_blk_queue *q,
				     const struct vmdev_vring_chain *chain,
				     const struct vmdev_soft_blk_head *head)
{
	bool to_driver = vmdev_soft_blk_to_driver(head->type);
	u16 n = to_driver ? chain->nsegs - chain->nread : chain->nread;
	struct vmdev_soft_blk_req *req;

	req = kmalloc(struct_size(req, segs, n), GFP_NOIO);
	if (!req) {
		vmdev_soft_blk_used(q, head, -ENOMEM, 0);
		return;
	}
	req->nsegs = n;
	vmdev_soft_blk_fill(req, q, head, chain->segs + (to_driver ? chain->nread : 0));
	if (!to_driver)
		vmdev_soft_blk_skip(&req->cursor);
	queue_work(q->blk->wq, &req->work);
}

/**
 * vmdev_soft_blk_request() - serve a request that was popped
 * @q: its queue; the request is counted as under way
 * @chain: the buffer
 * @head: what it asks for
 *
 * Context: may sleep. vmdev_soft_blk_used() is called, sooner or later.
 */
void vmdev_soft_blk_request(struct vmdev_soft_blk_queue *q,
			    const struct vmdev_vring_chain *chain,
			    const struct vmdev_soft_blk_head *head)
{
	int err = vmdev_soft_blk_check(q->blk, head);

	if (err)
		vmdev_soft_blk_used(q, head, err, 0);
	else
		vmdev_soft_blk_queue_req(q, chain, head);
}
