// SPDX-License-Identifier: GPL-2.0
/*
 * Shadow virtqueues: the hardware works on a ring of the core's, and the core
 * carries descriptors to it and completions back.
 *
 * Buffers are not touched: they stay where the guest has them, and are named by
 * the guest's IOVAs on both sides. So what a shadow queue costs is a look at
 * each descriptor. What it gives: it starts from any state of the guest's ring,
 * on any hardware; what is in flight is known exactly; each page that hardware
 * wrote is marked in the dirty log before the guest learns of it.
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
 * A kick may come from inside of an eventfd's wakeup, where no other may be
 * signalled. So nothing that tells the guest anything runs there.
 *
 * Lock order: vmdev_parent.lock, vmdev_shadow.lock, the lock of the maps.
 */
#include <linux/hrtimer.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/virtio_config.h>
#include <linux/workqueue.h>
#include <uapi/linux/vhost_types.h>
#include <uapi/linux/virtio_ring.h>

#include "drvring.h"
#include "ring_mem.h"
#include "shadow.h"
#include "vring.h"
#include "window.h"

/* Chains carried in one go with interrupts off. */
#define VMDEV_SHADOW_BUDGET	64

/* How often to look at a ring whose doorbell the guest has. */
#define VMDEV_SHADOW_POLL_MIN	(50 * NSEC_PER_USEC)
#define VMDEV_SHADOW_POLL_MAX	(1 * NSEC_PER_MSEC)

/**
 * struct vmdev_shadow_buf - a chain that the hardware has
 * @seq: how many were given to it before
 * @id: what the guest calls it
 * @slots: entries of the guest's ring that it takes
 */
struct vmdev_shadow_buf {
	u64 seq;
	u16 id;
	u16 slots;
};

/**
 * struct vmdev_shadow - a shadow virtqueue
 * @dev: its device
 * @vq: its queue
 * @index: number of @vq
 * @lock: protects all below but @bh and @poll; taken in hard interrupt context
 * @running: the hardware has the ring
 * @forwarding: buffers of the guest are taken
 * @starved: the next chain waits for room in the hardware's ring
 * @polling: the guest may ring the hardware's doorbell itself
 * @why: the guest's ring, or the hardware's, is broken: what happened, until told
 * @mem: the guest's ring in memory of the kernel
 * @guest: the guest's ring
 * @hw: the hardware's
 * @area: memory of that
 * @iova: where the hardware sees it
 * @area_size: bytes of it
 * @bufs: by id of @hw: what the hardware has
 * @segs: scratch for one chain
 * @max: length of @segs
 * @asid: address space of the guest's ring and buffers
 * @as: the same
 * @hint: where in it a buffer was last
 * @seq: chains given to the hardware
 * @done: the highest number of a chain that it used, plus one
 * @bh: carries what was too much for an interrupt or a kick, and tells the guest
 * @poll: looks at the ring while @polling
 * @interval: ns until it looks again
 */
struct vmdev_shadow {
	struct vmdev_dev *dev;
	struct vmdev_vq *vq;
	u16 index;
	/* Protects what follows, see above. */
	spinlock_t lock;
	bool running;
	bool forwarding;
	bool starved;
	bool polling;
	const char *why;
	struct vmdev_ring_mem mem;
	struct vmdev_vring guest;
	struct vmdev_drv hw;
	void *area;
	u64 iova;
	size_t area_size;
	struct vmdev_shadow_buf *bufs;
	struct vmdev_vring_seg *segs;
	u16 max;
	u8 asid;
	struct vmdev_as *as;
	struct vmdev_map_hint hint;
	u64 seq;
	u64 done;
	struct work_struct bh;
	struct hrtimer poll;
	u64 interval;
};

/* --- carrying, with the lock held ------------------------------------------ */

/* What hardware wrote, or may have written, of a chain that it has. */
static void vmdev_shadow_mark(struct vmdev_shadow *s, u16 id)
{
	const struct vmdev_drv_desc *desc;
	u16 i;

	for (i = id; i != VMDEV_DRV_NONE; i = desc->next) {
		desc = &s->hw.descs[i];
		if (desc->seg.write)
			vmdev_log_mark(s->dev, s->asid, desc->seg.addr,
				       desc->seg.len);
	}
}

/* Marked when its use was seen, and before the guest sees it. */
static void vmdev_shadow_complete(struct vmdev_shadow *s, u16 id, u32 len)
{
	const struct vmdev_shadow_buf *buf = &s->bufs[id];

	if (vmdev_log_active(s->dev, s->asid))
		vmdev_shadow_mark(s, id);
	vmdev_vring_push(&s->guest, buf->id, buf->slots, len);
	s->done = max(s->done, buf->seq + 1);
}

/* Every piece is memory that the guest may use so, and not the core's. */
static bool vmdev_shadow_allowed(struct vmdev_shadow *s,
				 const struct vmdev_vring_chain *chain)
{
	u16 i;

	for (i = 0; i < chain->nsegs; i++) {
		const struct vmdev_vring_seg *seg = &chain->segs[i];

		if (!vmdev_as_covers(s->as, &s->hint, seg->addr, seg->len,
				     seg->write ? VHOST_ACCESS_WO :
				     VHOST_ACCESS_RO))
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

/*
 * One chain from the guest to the hardware's ring. 0 if there is none that can
 * be carried now.
 */
static int vmdev_shadow_carry(struct vmdev_shadow *s)
{
	struct vmdev_vring_chain chain = { .segs = s->segs, .max = s->max };
	int got;
	u16 id;

	got = vmdev_vring_pop(&s->guest, &chain);
	if (got <= 0)
		return got;
	if (chain.nsegs > s->hw.nfree) {
		vmdev_vring_unpop(&s->guest, &chain);
		s->starved = true;
		return 0;
	}
	if (!vmdev_shadow_allowed(s, &chain))
		return vmdev_vring_broken(&s->guest, "buffer is not in mapped memory, or is read-only");

	id = vmdev_drv_add(&s->hw, chain.segs, chain.nsegs);
	s->bufs[id] = (struct vmdev_shadow_buf) {
		.seq = s->seq++,
		.id = chain.id,
		.slots = chain.slots,
	};
	return 1;
}

/* A batch of them, under the lock of the maps; returns the budget left. */
static int vmdev_shadow_batch(struct vmdev_shadow *s, int budget)
{
	struct vmdev_hw *hw = s->dev->hw;
	int got = 1;

	spin_lock(&s->as->lock);
	while (budget && got > 0) {
		got = vmdev_shadow_carry(s);
		if (got > 0)
			budget--;
	}
	spin_unlock(&s->as->lock);

	if (vmdev_drv_offer(&s->hw))
		hw->ops->kick(hw, s->vq->hw_vq);
	if (got < 0)
		vmdev_shadow_broken(s, s->guest.why);
	return budget;
}

/* From the guest to the hardware; true if the budget was too small. */
static bool vmdev_shadow_forward(struct vmdev_shadow *s)
{
	int budget = VMDEV_SHADOW_BUDGET;

	if (!s->forwarding || READ_ONCE(s->dev->needs_reset))
		return false;

	s->starved = false;
	vmdev_vring_kicks_off(&s->guest);
	do {
		budget = vmdev_shadow_batch(s, budget);
		if (!s->forwarding || s->starved)
			return false;
		if (!budget)
			return true;
		if (s->polling)
			return false;
	} while (vmdev_vring_kicks_on(&s->guest));
	return false;
}

/* From the hardware to the guest; true if the budget was too small. */
static bool vmdev_shadow_reap(struct vmdev_shadow *s, int budget)
{
	int got = 0;
	u32 len;
	u16 id;

	do {
		while (budget && (got = vmdev_drv_take(&s->hw, &id, &len)) > 0) {
			vmdev_shadow_complete(s, id, len);
			vmdev_drv_free(&s->hw, id);
			budget--;
		}
		if (!budget)
			return vmdev_drv_more(&s->hw);
		if (got < 0) {
			s->running = false;
			vmdev_shadow_broken(s, s->hw.why);
			return false;
		}
	} while (vmdev_drv_interrupts_on(&s->hw));
	return false;
}

/* Both ways; true if there is more. @call: the guest wants to hear of it. */
static bool vmdev_shadow_work(struct vmdev_shadow *s, bool *call)
{
	bool more = false;

	*call = false;
	if (s->running) {
		more = vmdev_shadow_reap(s, VMDEV_SHADOW_BUDGET);
		*call = vmdev_vring_publish(&s->guest);
		if (*call)
			atomic64_inc(&s->vq->events);
	}
	if (s->running && s->starved)
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
 */
void vmdev_shadow_used(struct vmdev_vq *vq)
{
	struct vmdev_shadow *s = vq->shadow;
	unsigned long flags;
	bool call;

	spin_lock_irqsave(&s->lock, flags);
	if (vmdev_shadow_work(s, &call))
		queue_work(system_bh_wq, &s->bh);
	spin_unlock_irqrestore(&s->lock, flags);
	if (call)
		vmdev_call(&vq->cb_lock, &vq->cb);
}

static void vmdev_shadow_bh(struct work_struct *work)
{
	struct vmdev_shadow *s = container_of(work, struct vmdev_shadow, bh);
	const char *why;
	bool call, more;

	spin_lock_irq(&s->lock);
	why = s->why;
	s->why = NULL;
	more = vmdev_shadow_work(s, &call);
	more |= vmdev_shadow_forward(s);
	spin_unlock_irq(&s->lock);

	if (call)
		vmdev_call(&s->vq->cb_lock, &s->vq->cb);
	if (why) {
		dev_err_ratelimited(&s->dev->vdpa.dev, "queue %u is broken: %s\n",
				    s->index, why);
		vmdev_break(s->dev);
	}
	if (more)
		queue_work(system_bh_wq, &s->bh);
}

static enum hrtimer_restart vmdev_shadow_poll(struct hrtimer *timer)
{
	struct vmdev_shadow *s = container_of(timer, struct vmdev_shadow, poll);
	bool call, stay;
	u64 seq;

	spin_lock_irq(&s->lock);
	seq = s->seq;
	if (vmdev_shadow_work(s, &call) | vmdev_shadow_forward(s))
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

/* --- start ----------------------------------------------------------------- */

static struct vmdev_shadow *vmdev_shadow_get(struct vmdev_dev *dev, u16 i)
{
	struct vmdev_vq *vq = &dev->vqs[i];
	struct vmdev_shadow *s = vq->shadow;

	if (s)
		return s;
	s = kzalloc_obj(*s, GFP_KERNEL_ACCOUNT);
	if (!s)
		return NULL;

	s->dev = dev;
	s->vq = vq;
	s->index = i;
	spin_lock_init(&s->lock);
	INIT_WORK(&s->bh, vmdev_shadow_bh);
	vmdev_compat_hrtimer_setup(&s->poll, vmdev_shadow_poll, CLOCK_MONOTONIC,
				   HRTIMER_MODE_REL_SOFT);
	/* Pairs with vmdev_shadow_doorbell(), which has no lock yet. */
	smp_store_release(&vq->shadow, s);
	return s;
}

/* Where the areas of the hardware's ring are in s->area. */
static void vmdev_shadow_layout(struct vmdev_shadow *s, u16 num,
				struct vmdev_drv_conf *conf,
				struct vmdev_vq_conf *hw_conf)
{
	bool packed = vmdev_is_packed(s->dev);
	size_t desc = num * sizeof(struct vring_desc);
	size_t driver = packed ? sizeof(struct vring_packed_desc_event) :
			sizeof(struct vring_avail) +
			(num + 1) * sizeof(__virtio16);
	size_t device = packed ? sizeof(struct vring_packed_desc_event) :
			sizeof(struct vring_used) +
			num * sizeof(struct vring_used_elem) +
			sizeof(__virtio16);
	size_t at_device = ALIGN(desc + driver, SMP_CACHE_BYTES);

	s->area_size = PAGE_ALIGN(at_device + device);
	if (!s->area)
		return;

	conf->desc = s->area;
	conf->driver = s->area + desc;
	conf->device = s->area + at_device;
	hw_conf->desc = s->iova;
	hw_conf->driver = s->iova + desc;
	hw_conf->device = s->iova + at_device;
}

static int vmdev_shadow_hw_ring(struct vmdev_shadow *s, u16 num,
				struct vmdev_vq_conf *hw_conf)
{
	struct vmdev_drv_conf conf = {
		.num = num,
		.features = s->dev->features,
	};

	s->area = NULL;
	vmdev_shadow_layout(s, num, NULL, NULL);
	s->area = vmdev_window_alloc(s->dev, s->area_size, &s->iova);
	if (!s->area)
		return -ENOMEM;
	s->max = min(num, VMDEV_CHAIN_MAX);
	s->segs = kvmalloc_array(s->max, sizeof(*s->segs), GFP_KERNEL_ACCOUNT);
	s->bufs = kvcalloc(num, sizeof(*s->bufs), GFP_KERNEL_ACCOUNT);
	conf.descs = kvcalloc(num, sizeof(*conf.descs), GFP_KERNEL_ACCOUNT);
	if (!s->segs || !s->bufs || !conf.descs) {
		kvfree(conf.descs);
		return -ENOMEM;
	}

	*hw_conf = (struct vmdev_vq_conf) {
		.size = num,
		.enabled = true,
		.software = true,
	};
	if (vmdev_is_packed(s->dev)) {
		hw_conf->state.packed.last_avail_counter = 1;
		hw_conf->state.packed.last_used_counter = 1;
	}
	vmdev_shadow_layout(s, num, &conf, hw_conf);
	s->hw.descs = conf.descs;
	return vmdev_drv_init(&s->hw, &conf);
}

static int vmdev_shadow_read(void *ctx, u64 iova, void *buf, u32 len)
{
	struct vmdev_shadow *s = ctx;

	/* The lock of the maps is held, see vmdev_shadow_batch(). */
	return vmdev_as_read(s->as, iova, buf, len, VHOST_ACCESS_RO);
}

/* Buffers that were out when it was stopped are taken anew. */
static int vmdev_shadow_pos(struct vmdev_shadow *s,
			    struct vmdev_vring_pos *pos)
{
	const struct vdpa_vq_state *state = &s->vq->conf.state;

	if (!vmdev_is_packed(s->dev)) {
		pos->avail = state->split.avail_index;
		pos->used = pos->avail;
		return 0;
	}

	pos->used = state->packed.last_used_idx;
	pos->used_wrap = state->packed.last_used_counter;
	pos->avail = pos->used;
	pos->avail_wrap = pos->used_wrap;
	if (state->packed.last_avail_idx == state->packed.last_used_idx &&
	    state->packed.last_avail_counter == state->packed.last_used_counter)
		return 0;
	/* Requests that may have been carried out must not be again. */
	return vmdev_is_net(s->dev->hw) ? 0 : -EILSEQ;
}

static int vmdev_shadow_guest_ring(struct vmdev_shadow *s)
{
	struct vmdev_vring_conf conf = {
		.num = s->vq->conf.size,
		.features = s->dev->features,
		.read = vmdev_shadow_read,
		.ctx = s,
	};
	struct vmdev_vring_pos pos = { 0 };
	int err;

	err = vmdev_shadow_pos(s, &pos);
	if (err)
		return err;
	err = vmdev_ring_mem_map(s->dev, s->asid, &s->vq->conf, &s->mem);
	if (err)
		return err;

	conf.desc = s->mem.desc;
	conf.driver = s->mem.driver;
	conf.device = s->mem.device;
	err = vmdev_vring_init(&s->guest, &conf, &pos);
	if (err)
		vmdev_ring_mem_unmap(&s->mem);
	return err;
}

static void vmdev_shadow_put(struct vmdev_shadow *s)
{
	kvfree(s->hw.descs);
	kvfree(s->bufs);
	kvfree(s->segs);
	if (s->area)
		vmdev_window_free(s->dev, s->area);
	s->hw.descs = NULL;
	s->bufs = NULL;
	s->segs = NULL;
	s->area = NULL;
}

/**
 * vmdev_shadow_prepare() - get ready to run a queue in shadow
 * @dev: the device, held by user space
 * @i: the queue, configured, checked, and not prepared already
 * @hw_conf: filled in: what the hardware is to run
 *
 * Context: may sleep; vmdev_parent.lock held.
 * Return: 0; then vmdev_shadow_run() or vmdev_shadow_stop() is next. -EINVAL or
 * -EILSEQ for a ring state that cannot be; -EFAULT for a ring that is not in
 * mapped memory; -ENOMEM.
 */
int vmdev_shadow_prepare(struct vmdev_dev *dev, u16 i,
			 struct vmdev_vq_conf *hw_conf)
{
	struct vmdev_shadow *s = vmdev_shadow_get(dev, i);
	int err;

	lockdep_assert_held(&dev->parent->lock);

	if (!s)
		return -ENOMEM;

	s->asid = vmdev_vq_asid(dev, i);
	s->as = &dev->mem.as[s->asid];
	s->hint = (struct vmdev_map_hint) { 0 };
	err = vmdev_shadow_hw_ring(s, vmdev_vq_size_max(dev, i), hw_conf);
	if (!err)
		err = vmdev_shadow_guest_ring(s);
	if (err) {
		vmdev_shadow_put(s);
		dev_err_ratelimited(&dev->vdpa.dev,
				    "queue %u cannot run in shadow: %pe\n", i,
				    ERR_PTR(err));
		return err;
	}

	s->seq = 0;
	s->done = 0;
	s->starved = false;
	s->why = NULL;
	dev->vqs[i].shadowed = true;
	return 0;
}

/**
 * vmdev_shadow_run() - the hardware has the ring: carry
 * @dev: the device
 * @i: a queue that was prepared
 *
 * Context: may sleep; vmdev_parent.lock held.
 */
void vmdev_shadow_run(struct vmdev_dev *dev, u16 i)
{
	struct vmdev_shadow *s = dev->vqs[i].shadow;

	spin_lock_irq(&s->lock);
	s->running = true;
	s->forwarding = true;
	spin_unlock_irq(&s->lock);
	/* Buffers may be there already, and their kick came before. */
	vmdev_shadow_kick(s->vq);
	if (READ_ONCE(s->vq->doorbell))
		vmdev_shadow_doorbell(dev, i);
}

/**
 * vmdev_shadow_forwarding() - take buffers of the guest, or do not
 * @dev: the device
 * @i: a queue in shadow
 * @on: take them
 *
 * Context: may sleep; vmdev_parent.lock held.
 */
void vmdev_shadow_forwarding(struct vmdev_dev *dev, u16 i, bool on)
{
	struct vmdev_shadow *s = dev->vqs[i].shadow;

	spin_lock_irq(&s->lock);
	s->forwarding = on && s->running;
	spin_unlock_irq(&s->lock);
	if (on)
		vmdev_shadow_kick(s->vq);
}

/**
 * vmdev_shadow_idle() - did the hardware finish all it has?
 * @dev: the device
 * @i: a queue in shadow
 *
 * Context: may sleep; vmdev_parent.lock held.
 */
bool vmdev_shadow_idle(struct vmdev_dev *dev, u16 i)
{
	struct vmdev_shadow *s = dev->vqs[i].shadow;
	bool idle;

	/* The interrupt may be late. */
	vmdev_shadow_used(s->vq);
	spin_lock_irq(&s->lock);
	idle = !s->hw.out;
	spin_unlock_irq(&s->lock);
	return idle;
}

static void vmdev_shadow_get_pos(const struct vmdev_vring *ring,
				 struct vdpa_vq_state *state)
{
	if (!ring->packed) {
		state->split.avail_index = ring->pos.used;
		return;
	}
	state->packed.last_avail_idx = ring->pos.used;
	state->packed.last_avail_counter = ring->pos.used_wrap;
	state->packed.last_used_idx = ring->pos.used;
	state->packed.last_used_counter = ring->pos.used_wrap;
}

/**
 * vmdev_shadow_state() - where a queue is just now
 * @dev: the device
 * @i: a queue in shadow
 * @state: the answer
 *
 * Context: may sleep; vmdev_parent.lock held.
 */
void vmdev_shadow_state(struct vmdev_dev *dev, u16 i,
			struct vdpa_vq_state *state)
{
	struct vmdev_shadow *s = dev->vqs[i].shadow;

	spin_lock_irq(&s->lock);
	vmdev_shadow_get_pos(&s->guest, state);
	spin_unlock_irq(&s->lock);
}

/* --- stop ------------------------------------------------------------------ */

/*
 * The guest's ring goes on at the first chain that was not used. Those that the
 * hardware left out, while it used younger ones, go back as they are: packets
 * may be lost. They may be half written, as may those it has still.
 */
static int vmdev_shadow_settle(struct vmdev_shadow *s)
{
	u16 id, num = s->hw.num;
	bool lost;

	while (vmdev_shadow_reap(s, VMDEV_SHADOW_BUDGET))
		;
	lost = s->hw.why || (s->hw.out && !vmdev_is_net(s->dev->hw));
	for (id = 0; id < num; id++) {
		if (!s->hw.descs[id].n)
			continue;
		vmdev_shadow_mark(s, id);
		if (s->bufs[id].seq < s->done)
			vmdev_vring_push(&s->guest, s->bufs[id].id,
					 s->bufs[id].slots, 0);
	}
	vmdev_vring_publish(&s->guest);
	return lost ? -EILSEQ : 0;
}

static void vmdev_shadow_mark_out(struct vmdev_shadow *s)
{
	u16 id;

	for (id = 0; id < s->hw.num; id++)
		if (s->hw.descs[id].n)
			vmdev_shadow_mark(s, id);
}

/**
 * vmdev_shadow_stop() - the hardware does not have the ring any more
 * @dev: the device
 * @i: a queue that was prepared
 * @state: where the guest's ring goes on, if anybody wants to know: then all that
 *	the hardware used is given back. NULL: nobody looks at the guest's ring
 *	again, and nothing is written to it
 *
 * Context: may sleep; vmdev_parent.lock held.
 * Return: 0; -EILSEQ if @state is no place to go on from: hardware had requests
 * that must not run twice (a block device is drained before), or lied.
 */
int vmdev_shadow_stop(struct vmdev_dev *dev, u16 i,
		      struct vdpa_vq_state *state)
{
	struct vmdev_vq *vq = &dev->vqs[i];
	struct vmdev_shadow *s = vq->shadow;
	int err = 0;
	bool ran;

	spin_lock_irq(&s->lock);
	ran = s->running;
	s->running = false;
	s->forwarding = false;
	s->polling = false;
	spin_unlock_irq(&s->lock);
	hrtimer_cancel(&s->poll);
	cancel_work_sync(&s->bh);

	/* Nobody but us comes here now: an interrupt or a kick finds it not running. */
	spin_lock_irq(&s->lock);
	if (state && ran)
		err = vmdev_shadow_settle(s);
	else
		vmdev_shadow_mark_out(s);
	if (state)
		vmdev_shadow_get_pos(&s->guest, state);
	vq->shadowed = false;
	spin_unlock_irq(&s->lock);

	vmdev_log_ring(dev, i);
	vmdev_ring_mem_unmap(&s->mem);
	vmdev_shadow_put(s);
	return err;
}

/**
 * vmdev_shadow_free() - forget a queue that will not run any more
 * @vq: the queue, stopped; no kick and no interrupt comes any more
 */
void vmdev_shadow_free(struct vmdev_vq *vq)
{
	if (vq->shadow)
		cancel_work_sync(&vq->shadow->bh);
	kfree(vq->shadow);
	vq->shadow = NULL;
}
