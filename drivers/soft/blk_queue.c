// SPDX-License-Identifier: GPL-2.0
/* Queues of a block device: who pops requests, and how they are used. */
#include "blk.h"

/* What is served in a tasklet: a request, and all of them before others get a turn. */
#define VMDEV_SOFT_BLK_FAST	SZ_64K
#define VMDEV_SOFT_BLK_BUDGET	SZ_1M
/* What a request costs without its data. */
#define VMDEV_SOFT_BLK_COST	SZ_4K

static struct vmdev_soft_blk_queue *vmdev_soft_blk_queue(struct vmdev_soft_vq *vq)
{
	return &vmdev_soft_blk(vq->soft)->queues[vq->index];
}

static bool vmdev_soft_blk_runs(const struct vmdev_soft_vq *vq)
{
	return vq->on && !vq->ring.why;
}

/* The device's maps_lock held. A status that cannot be told is the driver's loss. */
static void vmdev_soft_blk_tell(struct vmdev_soft *soft, struct vmdev_soft_hint *hint,
				u64 iova, u8 status)
{
	u32 len = sizeof(status);
	u8 *va = vmdev_soft_va(soft, hint, iova, VHOST_ACCESS_WO, &len);

	if (!va)
		return;
	*va = status;
	vmdev_hw_wrote(&soft->hw, iova, sizeof(status));
}

static void vmdev_soft_blk_push(struct vmdev_soft_vq *vq,
				const struct vmdev_soft_blk_head *head, u32 wrote)
{
	/* So many bytes, from the first on, were written for sure. */
	vmdev_vring_push(&vq->ring, head->id, head->slots,
			 wrote == head->room - 1 ? head->room : wrote);
}

/**
 * vmdev_soft_blk_used() - a request is served
 * @q: its queue
 * @head: what it asked for
 * @err: what came of it
 * @wrote: bytes of data that were written to the driver's memory
 *
 * Context: process or softirq.
 */
void vmdev_soft_blk_used(struct vmdev_soft_blk_queue *q,
			 const struct vmdev_soft_blk_head *head, int err, u32 wrote)
{
	struct vmdev_soft_vq *vq = q->vq;

	spin_lock_bh(&vq->lock);
	read_lock(&vq->soft->maps_lock);
	vmdev_soft_blk_tell(vq->soft, &vq->hint, head->status, vmdev_soft_blk_status(err));
	read_unlock(&vq->soft->maps_lock);
	vmdev_soft_blk_push(vq, head, wrote);
	vmdev_soft_vq_publish(vq);
	if (!--q->inflight && !vq->on)
		wake_up(&q->idle);
	spin_unlock_bh(&vq->lock);
}

/* --- by the tasklet -------------------------------------------------------------- */

/* Data of a request; false if that is not for us. */
static bool vmdev_soft_blk_fast_data(struct vmdev_soft_blk_queue *q,
				     const struct vmdev_vring_chain *chain,
				     const struct vmdev_soft_blk_head *head)
{
	bool write = head->type == VIRTIO_BLK_T_OUT;
	struct vmdev_soft_blk_cursor cursor = {
		.soft = &q->blk->soft,
		.hint = &q->vq->hint,
		.seg = chain->segs + (write ? 0 : chain->nread),
		.end = chain->segs + (write ? chain->nread : chain->nsegs),
		.perm = write ? VHOST_ACCESS_RO : VHOST_ACCESS_WO,
	};

	if (head->data > VMDEV_SOFT_BLK_FAST)
		return false;
	if (write)
		vmdev_soft_blk_skip(&cursor);
	return vmdev_soft_blk_ram_copy(&q->blk->store, &cursor, write,
				       head->sector << SECTOR_SHIFT, head->data);
}

/* Bytes written to the driver's memory are added to @wrote. */
static bool vmdev_soft_blk_fast(struct vmdev_soft_blk_queue *q,
				const struct vmdev_vring_chain *chain,
				const struct vmdev_soft_blk_head *head, u32 *wrote)
{
	int err = vmdev_soft_blk_check(q->blk, head);

	if (!err && head->type != VIRTIO_BLK_T_FLUSH) {
		if (head->type != VIRTIO_BLK_T_IN && head->type != VIRTIO_BLK_T_OUT)
			return false;
		if (!vmdev_soft_blk_fast_data(q, chain, head))
			return false;
		if (head->type == VIRTIO_BLK_T_IN)
			*wrote = head->data;
	}
	vmdev_soft_blk_wrote(&q->blk->soft, chain->segs + chain->nread, *wrote);
	vmdev_soft_blk_tell(&q->blk->soft, &q->vq->hint, head->status,
			    vmdev_soft_blk_status(err));
	return true;
}

/* What it cost, or 0 if that is not for us. */
static u32 vmdev_soft_blk_serve_one(struct vmdev_soft_blk_queue *q,
				    const struct vmdev_vring_chain *chain)
{
	struct vmdev_soft_vq *vq = q->vq;
	struct vmdev_soft_blk_head head;
	bool served = false;
	const char *why;
	u32 wrote = 0;

	read_lock(&vq->soft->maps_lock);
	why = vmdev_soft_blk_parse(q->blk, &vq->hint, chain, &head);
	if (!why)
		served = vmdev_soft_blk_fast(q, chain, &head, &wrote);
	read_unlock(&vq->soft->maps_lock);
	if (why) {
		vq->ring.why = why;
		return VMDEV_SOFT_BLK_COST;
	}
	if (!served)
		return 0;
	vmdev_soft_blk_push(vq, &head, wrote);
	return VMDEV_SOFT_BLK_COST + head.data;
}

/* Whatever needs more than we have here is the work's, and all that comes after it. */
static void vmdev_soft_blk_slow(struct vmdev_soft_blk_queue *q,
				const struct vmdev_vring_chain *chain)
{
	vmdev_vring_unpop(&q->vq->ring, chain);
	q->slow = true;
	queue_work(q->blk->wq, &q->work);
}

/* As much as there is a budget for; is there more? */
static bool vmdev_soft_blk_serve_some(struct vmdev_soft_blk_queue *q)
{
	struct vmdev_vring_chain chain = { .segs = q->vq->segs, .max = VMDEV_CHAIN_MAX };
	struct vmdev_vring *ring = &q->vq->ring;
	u32 cost, sum = 0;

	vmdev_vring_kicks_off(ring);
	do {
		while (sum < VMDEV_SOFT_BLK_BUDGET && vmdev_vring_pop(ring, &chain) > 0) {
			cost = vmdev_soft_blk_serve_one(q, &chain);
			if (!cost) {
				vmdev_soft_blk_slow(q, &chain);
				vmdev_soft_vq_publish(q->vq);
				return false;
			}
			sum += cost;
		}
		vmdev_soft_vq_publish(q->vq);
		if (sum >= VMDEV_SOFT_BLK_BUDGET)
			return true;
	} while (!ring->why && vmdev_vring_kicks_on(ring));
	return false;
}

static void vmdev_soft_blk_tasklet(struct tasklet_struct *tasklet)
{
	struct vmdev_soft_blk_queue *q = from_tasklet(q, tasklet, tasklet);
	struct vmdev_soft_vq *vq = q->vq;
	const char *why = NULL;

	spin_lock(&vq->lock);
	if (!q->slow && vmdev_soft_blk_runs(vq)) {
		if (vmdev_soft_blk_serve_some(q))
			tasklet_schedule(&q->tasklet);
		why = vq->ring.why;
	}
	spin_unlock(&vq->lock);
	if (why)
		vmdev_soft_break(vq->soft, vq->index, why);
}

static void vmdev_soft_blk_irq_work(struct irq_work *work)
{
	tasklet_schedule(&container_of(work, struct vmdev_soft_blk_queue, kicked)->tasklet);
}

/* --- by the work ----------------------------------------------------------------- */

/* As vmdev_vring_pop(); after 0 and an error kicks are asked for, and it is not slow. */
static int vmdev_soft_blk_pop(struct vmdev_soft_blk_queue *q,
			      struct vmdev_vring_chain *chain)
{
	struct vmdev_vring *ring = &q->vq->ring;
	int got;

	do
		got = vmdev_vring_pop(ring, chain);
	while (!got && vmdev_vring_kicks_on(ring));
	if (got > 0)
		q->inflight++;
	else
		q->slow = !vmdev_soft_blk_is_ram(&q->blk->store);
	return got;
}

static int vmdev_soft_blk_take(struct vmdev_soft_blk_queue *q,
			       struct vmdev_vring_chain *chain, const char **why)
{
	struct vmdev_soft_vq *vq = q->vq;
	int got = 0;

	spin_lock_bh(&vq->lock);
	if (q->slow && vmdev_soft_blk_runs(vq)) {
		chain->segs = vq->segs;
		vmdev_vring_kicks_off(&vq->ring);
		got = vmdev_soft_blk_pop(q, chain);
		*why = vq->ring.why;
	}
	spin_unlock_bh(&vq->lock);
	return got;
}

/* It was popped, and cannot be used: no more than the rest of the ring. */
static void vmdev_soft_blk_drop(struct vmdev_soft_blk_queue *q, const char *why)
{
	struct vmdev_soft_vq *vq = q->vq;

	spin_lock_bh(&vq->lock);
	vq->ring.why = why;
	if (!--q->inflight && !vq->on)
		wake_up(&q->idle);
	spin_unlock_bh(&vq->lock);
}

/* vmdev_soft_vq.segs is ours as long as we alone pop; whoever stops waits for us. */
static void vmdev_soft_blk_work(struct work_struct *work)
{
	struct vmdev_soft_blk_queue *q = container_of(work, struct vmdev_soft_blk_queue, work);
	struct vmdev_vring_chain chain = { .max = VMDEV_CHAIN_MAX };
	struct vmdev_soft_hint hint = { 0 };
	struct vmdev_soft *soft = q->vq->soft;
	struct vmdev_soft_blk_head head;
	const char *why = NULL;

	while (!why && vmdev_soft_blk_take(q, &chain, &why) > 0) {
		read_lock_bh(&soft->maps_lock);
		why = vmdev_soft_blk_parse(q->blk, &hint, &chain, &head);
		read_unlock_bh(&soft->maps_lock);
		if (!why)
			vmdev_soft_blk_request(q, &chain, &head);
		else
			vmdev_soft_blk_drop(q, why);
		cond_resched();
	}
	if (why)
		vmdev_soft_break(soft, q->vq->index, why);
}

/* --- from outside ---------------------------------------------------------------- */

/**
 * vmdev_soft_blk_kick() - there may be requests
 * @vq: the queue
 *
 * Context: any.
 */
void vmdev_soft_blk_kick(struct vmdev_soft_vq *vq)
{
	struct vmdev_soft_blk_queue *q = vmdev_soft_blk_queue(vq);

	if (vmdev_soft_blk_is_ram(&q->blk->store))
		vmdev_soft_raise(&q->kicked);
	else
		queue_work(q->blk->wq, &q->work);
}

/* Once it is, it is as new. */
static bool vmdev_soft_blk_is_idle(struct vmdev_soft_blk_queue *q)
{
	bool idle;

	spin_lock_bh(&q->vq->lock);
	idle = !q->inflight;
	if (idle)
		q->slow = !vmdev_soft_blk_is_ram(&q->blk->store);
	spin_unlock_bh(&q->vq->lock);
	return idle;
}

/**
 * vmdev_soft_blk_drain() - see struct vmdev_soft_type
 * @vq: the queue
 *
 * Context: may sleep, as long as the store does.
 */
void vmdev_soft_blk_drain(struct vmdev_soft_vq *vq)
{
	struct vmdev_soft_blk_queue *q = vmdev_soft_blk_queue(vq);

	/* It pops no more; then there is only what is counted. */
	flush_work(&q->work);
	wait_event(q->idle, vmdev_soft_blk_is_idle(q));
}

/**
 * vmdev_soft_blk_queue_init() - a queue
 * @blk: the device, with its store
 * @i: number of the queue
 *
 * Context: any.
 */
void vmdev_soft_blk_queue_init(struct vmdev_soft_blk *blk, u16 i)
{
	struct vmdev_soft_blk_queue *q = &blk->queues[i];

	q->blk = blk;
	q->vq = &blk->soft.vqs[i];
	q->slow = !vmdev_soft_blk_is_ram(&blk->store);
	init_waitqueue_head(&q->idle);
	INIT_WORK(&q->work, vmdev_soft_blk_work);
	tasklet_setup(&q->tasklet, vmdev_soft_blk_tasklet);
	init_irq_work(&q->kicked, vmdev_soft_blk_irq_work);
}

/**
 * vmdev_soft_blk_queue_exit() - the reverse of vmdev_soft_blk_queue_init()
 * @q: the queue, stopped; nobody kicks it
 *
 * Context: may sleep.
 */
void vmdev_soft_blk_queue_exit(struct vmdev_soft_blk_queue *q)
{
	irq_work_sync(&q->kicked);
	tasklet_kill(&q->tasklet);
	cancel_work_sync(&q->work);
}
