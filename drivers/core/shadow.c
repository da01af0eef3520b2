// SPDX-License-Identifier: GPL-2.0
/*
 * Shadow virtqueues: the hardware works on a ring of the core's, and the core
 * carries descriptors to it and completions back.
 *
 * Buffers are not touched: they stay where the guest has them, and are named by
 * the guest's IOVAs on both sides, but for those that the platform reserves
 * (alias.c). So what a shadow queue costs is a look at each descriptor. What it
 * gives: it starts from any state of the guest's ring, on any hardware; what is
 * in flight is known exactly; each page that hardware wrote is marked in the
 * dirty log before the guest learns of it.
 *
 * Both sides are taken for hostile. A guest that breaks a rule breaks its queue,
 * a device that returns what it does not have breaks the device.
 *
 * Who works when: a kick carries buffers to the hardware (vmdev_shadow_kick),
 * an interrupt carries them back (vmdev_shadow_used). Either does a bounded part
 * with interrupts off and leaves what remains to a work item in BH context.
 * A guest that has the doorbell mapped does not kick the core: then a timer
 * looks, often while there is something to do and seldom while there is not.
 *
 * A kick is dear, and so is one for each packet. So a guest that sends is not asked
 * for another while hardware has packets of it: the interrupt that says it is done
 * with them carries what came meanwhile. Hardware need not be done soon: then a
 * timer, which seldom comes to that, asks for kicks again. Only where packets are
 * sent: hardware has buffers to receive all the time, and a disk more to do at once.
 *
 * A kick may come from inside of an eventfd's wakeup, where no other may be
 * signalled. So nothing that tells the guest anything runs there.
 *
 * Lock order: vmdev_parent.lock, vmdev_shadow.lock, the lock of the maps.
 */
#include <linux/hrtimer.h>
#include <linux/workqueue.h>
#include <uapi/linux/vhost_types.h>

#include <vmdev/vring_split.h>

#include "drvring_split.h"
#include "shadow.h"
#include "trace.h"
#include "vring.h"

/* --- carrying, with the lock held ------------------------------------------ */

/**
 * vmdev_shadow_mark() - log what hardware wrote, or may have written, of a chain
 * @s: the queue
 * @id: a chain that the hardware has, or has just used
 *
 * Context: any; @s->lock held.
 */
void vmdev_shadow_mark(struct vmdev_shadow *s, u16 id)
{
	const struct vmdev_drv_desc *desc;
	u16 i;

	for (i = id; i != VMDEV_DRV_NONE; i = desc->next) {
		desc = &s->hw.descs[i];
		if (desc->seg.write)
			vmdev_log_mark(s->dev, s->asid,
				       vmdev_alias_to_guest(&s->dev->mem,
							    desc->seg.addr),
				       desc->seg.len);
	}
}

/*
 * Most chains are of one piece, and most rings split: what is for all of them is
 * done here for those, inline, with the same checks.
 */
static bool vmdev_shadow_takes_ones(const struct vmdev_shadow *s)
{
	return !s->guest.packed && vmdev_drv_takes_ones(&s->hw);
}

/* As vmdev_shadow_complete(), for the guest's used entry @at. */
static u32 vmdev_shadow_complete_one(struct vmdev_shadow *s,
				     struct vmdev_dirty __rcu **logs, u32 at,
				     const struct vmdev_drv_desc *desc,
				     const struct vmdev_shadow_buf *buf, u32 len)
{
	struct vmdev_dirty *log = rcu_dereference_sched(*logs);
	u32 dear = 0;

	if (log && desc->seg.write) {
		vmdev_dirty_mark_dma(log,
				     vmdev_alias_to_guest(&s->dev->mem,
							  desc->seg.addr),
				     desc->seg.len);
		dear = desc->seg.len >> VMDEV_SHADOW_MARK_SHIFT;
	}
	vmdev_split_put_one(&s->guest, at, buf->id, len);
	if (buf->seq >= s->done)
		s->done = buf->seq + 1;
	return dear;
}

/* Those that are seen already; returns what of the budget is left. */
static int vmdev_shadow_reap_ones(struct vmdev_shadow *s, int budget)
{
	u32 n = min_t(u32, budget, vmdev_drv_split_ready(&s->hw));
	struct vmdev_dirty __rcu **logs = &s->dev->logs[s->asid];
	u32 at = s->hw.used, end = at + n, dear = 0, len;
	u32 to = s->guest.pos.used - at;
	struct vmdev_drv_desc *desc;

	while (at != end && !dear) {
		desc = vmdev_drv_split_look_one(&s->hw, at, &len);
		if (!desc)
			break;
		dear = vmdev_shadow_complete_one(s, logs, to + at, desc,
						 &s->bufs[desc - s->hw.descs],
						 len);
		vmdev_drv_split_give_one(&s->hw, desc);
		at++;
	}
	n -= end - at;
	vmdev_drv_split_freed(&s->hw, n);
	vmdev_split_pushed(&s->guest, n);
	return max(budget - (int)(n + dear), 0);
}

/* Marked when its use was seen, and before the guest sees it. Returns its cost. */
static int vmdev_shadow_complete(struct vmdev_shadow *s, u16 id, u32 len)
{
	const struct vmdev_shadow_buf *buf = &s->bufs[id];
	int cost = 1;

	if (vmdev_log_active(s->dev, s->asid)) {
		vmdev_shadow_mark(s, id);
		cost += s->hw.descs[id].write_len >> VMDEV_SHADOW_MARK_SHIFT;
	}
	vmdev_vring_push(&s->guest, buf->id, buf->slots, len);
	s->done = max(s->done, buf->seq + 1);
	return cost;
}

/* Every piece is memory that the guest may use so, and not the core's. */
static bool vmdev_shadow_allowed(struct vmdev_shadow *s,
				 const struct vmdev_vring_chain *chain)
{
	u16 i;

	for (i = 0; i < chain->nsegs; i++) {
		const struct vmdev_vring_seg *seg = &chain->segs[i];

		if (!vmdev_as_covers(s->as, &s->hint, seg->addr, seg->len,
				     seg->write))
			return false;
	}
	return true;
}

/* Something to tell that must not be told here. */
static void vmdev_shadow_broken(struct vmdev_shadow *s, const char *why)
{
	s->forwarding = false;
	if (!s->why)
		s->why = why;
	queue_work(system_bh_wq, &s->bh);
}

/* A buffer is not all where the guest says it is: as vmdev_shadow_carry(). */
static int vmdev_shadow_alias(struct vmdev_shadow *s,
			      struct vmdev_vring_chain *chain)
{
	u32 n = vmdev_alias_split(&s->dev->mem, chain->segs, chain->nsegs,
				  s->hw.nfree);

	if (n > s->hw.num)
		return vmdev_vring_broken(&s->guest, "too many pieces over reserved IOVAs");
	if (n > s->hw.nfree) {
		vmdev_vring_unpop(&s->guest, chain);
		s->starved = true;
		return 0;
	}
	chain->nsegs = n;
	return 1;
}

/* Hardware used all that it had of a queue that is held: it can go. */
static void vmdev_shadow_arrive(struct vmdev_shadow *s)
{
	if (!s->hw.out)
		vmdev_home_now(s->dev->parent);
}

/* Is the ring where it shall go direct? Then no more is taken of it. */
static bool vmdev_shadow_holds(struct vmdev_shadow *s)
{
	if (likely(!s->home))
		return false;
	/* Only split rings go. */
	if (s->guest.pos.avail) {
		s->passing = false;
		return false;
	}
	if (s->passing)
		return false;
	s->held = true;
	s->waits = s->hw.out;
	if (s->hw.out)
		vmdev_home_wait(s->dev->parent);
	return true;
}

/*
 * One chain from the guest to the hardware's ring. 0 if there is none that can
 * be carried now.
 */
static int vmdev_shadow_carry(struct vmdev_shadow *s)
{
	struct vmdev_vring_chain chain = { .segs = s->segs, .max = s->max };
	int got;
	u16 id;

	if (vmdev_shadow_holds(s))
		return 0;
	got = vmdev_vring_pop(&s->guest, &chain);
	if (got <= 0)
		return got;
	if (chain.nsegs > s->hw.nfree) {
		vmdev_vring_unpop(&s->guest, &chain);
		s->starved = true;
		return 0;
	}
	if (!vmdev_shadow_allowed(s, &chain))
		return vmdev_vring_broken(&s->guest, "buffer is outside of its memory");
	if (unlikely(s->as->aliased)) {
		got = vmdev_shadow_alias(s, &chain);
		if (got <= 0)
			return got;
	}

	id = vmdev_drv_add(&s->hw, chain.segs, chain.nsegs);
	s->bufs[id] = (struct vmdev_shadow_buf) {
		.seq = s->seq++,
		.id = chain.id,
		.slots = chain.slots,
	};
	return 1;
}

/* Not where the last one was. As long as it was not dear to find those before. */
static noinline bool vmdev_shadow_finds(struct vmdev_shadow *s,
					const struct vmdev_vring_seg *seg)
{
	return s->hint.looks < VMDEV_SHADOW_LOOKS * VMDEV_SHADOW_BUDGET &&
	       vmdev_as_covers_slow(s->as, &s->hint, seg->addr, seg->len,
				    seg->write ? VHOST_ACCESS_WO : VHOST_ACCESS_RO);
}

/* Those that are seen already; returns what of the budget is left. */
static int vmdev_shadow_carry_ones(struct vmdev_shadow *s, int budget)
{
	u32 n = min3((u32)budget, (u32)vmdev_split_ready(&s->guest),
		     (u32)s->hw.nfree);
	u32 at = s->guest.pos.avail, end = at + n;
	u32 to = s->hw.avail - at;
	struct vmdev_shadow_buf *bufs = s->bufs;
	struct vmdev_vring_seg seg;
	u64 seq = s->seq - at;
	u16 head, id;

	for (; at != end; at++) {
		if (!vmdev_split_look_one(&s->guest, at, &seg, &head) ||
		    (!vmdev_as_hinted(&s->hint, seg.addr, seg.len, seg.write) &&
		     !vmdev_shadow_finds(s, &seg)))
			break;
		/* Nobody asks for the slots of a split ring's. */
		id = vmdev_drv_split_put_one(&s->hw, to + at, &seg);
		bufs[id].seq = seq + at;
		bufs[id].id = head;
	}
	n -= end - at;
	vmdev_split_took(&s->guest, n);
	vmdev_drv_split_added(&s->hw, n);
	s->seq += n;
	return budget - n;
}

/* A guest may have its memory mapped page by page: to find all of a buffer may take long. */
static noinline int vmdev_shadow_charge(struct vmdev_shadow *s, int budget)
{
	u32 dear = s->hint.looks / VMDEV_SHADOW_LOOKS;

	s->hint.looks %= VMDEV_SHADOW_LOOKS;
	return budget - min_t(u32, budget, dear);
}

/* A batch of them, under the lock of the maps; returns the budget left. */
static int vmdev_shadow_batch(struct vmdev_shadow *s, int budget)
{
	struct vmdev_hw *hw = s->dev->hw;
	int got = 1;
	bool ones;

	spin_lock(&s->as->lock);
	/* What has to be moved, and a ring that is to be held, takes the long way. */
	ones = vmdev_shadow_takes_ones(s) && !s->as->aliased && !s->home;
	vmdev_as_fresh_hint(s->as, &s->hint);
	while (budget && got > 0) {
		got = vmdev_shadow_carry(s);
		if (got > 0)
			budget--;
		if (got > 0 && ones)
			budget = vmdev_shadow_carry_ones(s, budget);
		if (unlikely(s->hint.looks >= VMDEV_SHADOW_LOOKS))
			budget = vmdev_shadow_charge(s, budget);
	}
	spin_unlock(&s->as->lock);

	if (vmdev_drv_offer(&s->hw))
		hw->ops->kick(hw, s->vq->hw_vq);
	if (got < 0)
		vmdev_shadow_broken(s, s->guest.why);
	return budget;
}

/* Is there an interrupt to come, to look at the ring then? */
static bool vmdev_shadow_is_paced(struct vmdev_shadow *s)
{
	if (!s->paced || !s->hw.out)
		return false;
	if (s->rest) {
		s->rest--;
		return false;
	}
	s->quiet = true;
	if (!timer_pending(&s->watch))
		mod_timer(&s->watch, jiffies + 1);
	return true;
}

/* From the guest to the hardware; true if the budget was too small. */
static bool vmdev_shadow_forward(struct vmdev_shadow *s)
{
	int budget = VMDEV_SHADOW_BUDGET;

	if (!s->forwarding || READ_ONCE(s->dev->needs_reset))
		return false;

	s->starved = false;
	s->quiet = false;
	vmdev_vring_kicks_off(&s->guest);
	do {
		if (!s->held)
			budget = vmdev_shadow_batch(s, budget);
		if (s->held)
			vmdev_shadow_arrive(s);
		if (!s->forwarding || s->starved || s->held)
			return false;
		if (!budget)
			return true;
		if (s->polling || vmdev_shadow_is_paced(s))
			return false;
	} while (vmdev_vring_kicks_on(&s->guest));
	return false;
}

/**
 * vmdev_shadow_reap() - carry from the hardware to the guest, not published yet
 * @s: the queue
 * @budget: chains at most
 *
 * Context: any; @s->lock held.
 * Return: whether there are more.
 */
bool vmdev_shadow_reap(struct vmdev_shadow *s, int budget)
{
	bool ones = vmdev_shadow_takes_ones(s);
	int got = 0;
	u32 len;
	u16 id;

	do {
		while (budget && (got = vmdev_drv_take(&s->hw, &id, &len)) > 0) {
			budget -= min(budget, vmdev_shadow_complete(s, id, len));
			vmdev_drv_free(&s->hw, id);
			if (ones)
				budget = vmdev_shadow_reap_ones(s, budget);
		}
		/* Also when nothing is left just now: the next one interrupts. */
		if (!budget)
			return vmdev_drv_interrupts_on(&s->hw);
		if (got < 0) {
			s->running = false;
			vmdev_shadow_broken(s, s->hw.why);
			return false;
		}
	} while (vmdev_drv_interrupts_on(&s->hw));
	return false;
}

/*
 * Both ways; true if there is more. @call: the guest wants to hear of it. @used: the
 * hardware had used something.
 */
static bool vmdev_shadow_work(struct vmdev_shadow *s, bool *call, bool *used)
{
	bool more = false, ran = s->running;

	*call = false;
	*used = false;
	/* Where there is nothing an interrupt was asked for already. */
	if (ran && vmdev_drv_more(&s->hw)) {
		*used = true;
		more = vmdev_shadow_reap(s, VMDEV_SHADOW_BUDGET);
		*call = vmdev_vring_publish(&s->guest);
		if (*call)
			atomic64_inc(&s->vq->events);
	}
	if (ran && s->held)
		vmdev_shadow_arrive(s);
	if (s->running && (s->starved || s->quiet))
		more |= vmdev_shadow_forward(s);
	return more;
}

/* --- who calls that -------------------------------------------------------- */

/**
 * vmdev_shadow_kick() - the guest made buffers available
 * @vq: a queue that was in shadow just now
 *
 * Context: any.
 */
void vmdev_shadow_kick(struct vmdev_vq *vq)
{
	struct vmdev_shadow *s = vq->shadow;
	unsigned long flags;

	spin_lock_irqsave(&s->lock, flags);
	if (vmdev_shadow_forward(s))
		queue_work(system_bh_wq, &s->bh);
	spin_unlock_irqrestore(&s->lock, flags);
}

/**
 * vmdev_shadow_used() - the hardware used buffers
 * @vq: a queue that was in shadow just now
 *
 * Context: any but from a kick.
 * Return: whether it had, and nobody had seen it yet.
 */
bool vmdev_shadow_used(struct vmdev_vq *vq)
{
	struct vmdev_shadow *s = vq->shadow;
	unsigned long flags;
	bool call, used;

	spin_lock_irqsave(&s->lock, flags);
	if (vmdev_shadow_work(s, &call, &used))
		queue_work(system_bh_wq, &s->bh);
	spin_unlock_irqrestore(&s->lock, flags);
	if (call)
		vmdev_call(&vq->cb_lock, &vq->cb);
	return used;
}

/**
 * vmdev_shadow_bh() - carry what was too much, tell what could not be told
 * @work: vmdev_shadow.bh
 *
 * Context: BH.
 */
void vmdev_shadow_bh(struct work_struct *work)
{
	struct vmdev_shadow *s = container_of(work, struct vmdev_shadow, bh);
	const char *why;
	bool call, more, used;

	spin_lock_irq(&s->lock);
	why = s->why;
	s->why = NULL;
	more = vmdev_shadow_work(s, &call, &used);
	more |= vmdev_shadow_forward(s);
	spin_unlock_irq(&s->lock);

	if (call)
		vmdev_call(&s->vq->cb_lock, &s->vq->cb);
	if (why) {
		dev_err_ratelimited(&s->dev->vdpa.dev, "queue %u is broken: %s\n",
				    s->index, why);
		trace_vmdev_vq_broken(&s->dev->vdpa.dev, s->index, why);
		vmdev_break(s->dev, why);
	}
	if (more)
		queue_work(system_bh_wq, &s->bh);
}

/**
 * vmdev_shadow_poll() - look at a ring whose kicks do not come here
 * @timer: vmdev_shadow.poll
 *
 * Context: softirq.
 * Return: whether to look again.
 */
enum hrtimer_restart vmdev_shadow_poll(struct hrtimer *timer)
{
	struct vmdev_shadow *s = container_of(timer, struct vmdev_shadow, poll);
	bool call, stay, used;
	u64 seq;

	spin_lock_irq(&s->lock);
	seq = s->seq;
	if (vmdev_shadow_work(s, &call, &used) | vmdev_shadow_forward(s))
		queue_work(system_bh_wq, &s->bh);
	if (s->seq != seq)
		s->interval = VMDEV_SHADOW_POLL_MIN;
	else
		s->interval = min(2 * s->interval, VMDEV_SHADOW_POLL_MAX);
	stay = s->running && s->polling;
	spin_unlock_irq(&s->lock);

	if (call)
		vmdev_call(&s->vq->cb_lock, &s->vq->cb);
	if (!stay)
		return HRTIMER_NORESTART;
	hrtimer_forward_now(timer, ns_to_ktime(s->interval));
	return HRTIMER_RESTART;
}

/**
 * vmdev_shadow_watch() - hardware takes its time: have the guest kick again
 * @timer: vmdev_shadow.watch
 *
 * Context: softirq.
 */
void vmdev_shadow_watch(struct timer_list *timer)
{
	struct vmdev_shadow *s = container_of(timer, struct vmdev_shadow, watch);
	u16 avail;

	spin_lock_irq(&s->lock);
	if (s->running && s->quiet) {
		avail = s->guest.pos.avail;
		s->rest = VMDEV_SHADOW_REST;
		if (vmdev_shadow_forward(s))
			queue_work(system_bh_wq, &s->bh);
		/* Nothing had to wait for this timer. */
		if (s->guest.pos.avail == avail)
			s->rest = 0;
	}
	spin_unlock_irq(&s->lock);
}

/**
 * vmdev_shadow_doorbell() - the guest may have the doorbell of a queue now
 * @dev: the device
 * @i: the queue
 *
 * Context: may be in a page fault; takes no mutex.
 */
void vmdev_shadow_doorbell(struct vmdev_dev *dev, u16 i)
{
	struct vmdev_shadow *s = READ_ONCE(dev->vqs[i].shadow);
	unsigned long flags;

	if (!s)
		return;
	spin_lock_irqsave(&s->lock, flags);
	if (s->running && !s->polling) {
		s->polling = true;
		s->interval = VMDEV_SHADOW_POLL_MIN;
		hrtimer_start(&s->poll, ns_to_ktime(s->interval),
			      HRTIMER_MODE_REL_SOFT);
	}
	spin_unlock_irqrestore(&s->lock, flags);
}

