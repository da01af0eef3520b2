// SPDX-License-Identifier: GPL-2.0
/*
 * Shadow virtqueues: how one is set up, and where its guest's ring goes on when
 * it was stopped. What it does in between is in shadow.c.
 *
 * A stop is exact. All that the hardware used is given back; of what it still has
 * the guest's ring goes on at the first, as if the hardware had never seen it.
 */
#include <linux/hrtimer.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/workqueue.h>
#include <uapi/linux/vhost_types.h>
#include <uapi/linux/virtio_ring.h>

#include "shadow.h"
#include "trace.h"
#include "vring.h"
#include "window.h"

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
	timer_setup(&s->watch, vmdev_shadow_watch, 0);
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
	int err;

	s->area = NULL;
	vmdev_shadow_layout(s, num, NULL, NULL);
	s->area = vmdev_window_alloc(s->dev, s->area_size, 0, &s->iova);
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
	err = vmdev_drv_init(&s->hw, &conf);
	s->hw.descs = conf.descs;
	return err;
}

static int vmdev_shadow_read(void *ctx, u64 iova, void *buf, u32 len)
{
	struct vmdev_shadow *s = ctx;

	/* The lock of the maps is held, see vmdev_shadow_batch(). */
	s->hint.looks++;
	return vmdev_as_read(s->as, iova, buf, len, VHOST_ACCESS_RO);
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
		err = vmdev_ring_open(dev, i, vmdev_shadow_read, s, &s->mem,
				      &s->guest);
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
	s->held = false;
	s->passing = false;
	s->quiet = false;
	s->rest = 0;
	/* A net device's queues that send have odd numbers. */
	s->paced = vmdev_is_net(dev->hw) && (i & 1);
	s->why = NULL;
	/* Who sees it sees the rest: kicks come without any lock. */
	smp_store_release(&dev->vqs[i].shadowed, true);
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
	s->home = vmdev_path_goes_home(dev, i);
	spin_unlock_irq(&s->lock);
	/* Buffers may be there already, and their kick came before. */
	vmdev_shadow_kick(s->vq);
	/* Either this sees the doorbell, or who maps it sees a running queue. */
	smp_mb();
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
 * vmdev_shadow_home() - go direct at the beginning of the ring, or do not
 * @dev: the device
 * @i: a queue in shadow
 * @on: go
 *
 * Context: may sleep; vmdev_parent.lock held.
 */
void vmdev_shadow_home(struct vmdev_dev *dev, u16 i, bool on)
{
	struct vmdev_shadow *s = dev->vqs[i].shadow;

	spin_lock_irq(&s->lock);
	if (on != s->home) {
		s->held = false;
		s->passing = false;
	}
	s->home = on;
	spin_unlock_irq(&s->lock);
	vmdev_shadow_kick(s->vq);
}

/**
 * vmdev_shadow_look_home() - can a queue go direct?
 * @dev: the device
 * @i: a queue in shadow
 *
 * One that waits, and of which nothing was used since the last look, goes on.
 *
 * Context: may sleep; vmdev_parent.lock held.
 */
enum vmdev_home vmdev_shadow_look_home(struct vmdev_dev *dev, u16 i)
{
	struct vmdev_shadow *s = dev->vqs[i].shadow;
	enum vmdev_home home = VMDEV_HOME_AWAY;

	/* The interrupt may be late. */
	vmdev_shadow_used(s->vq);
	spin_lock_irq(&s->lock);
	if (s->running && s->held) {
		if (!s->hw.out)
			home = VMDEV_HOME_THERE;
		else if (s->hw.out != s->waits)
			home = VMDEV_HOME_WAITS;
		s->waits = s->hw.out;
		s->held = home != VMDEV_HOME_AWAY;
		s->passing = !s->held;
	}
	spin_unlock_irq(&s->lock);
	if (home == VMDEV_HOME_AWAY)
		vmdev_shadow_kick(s->vq);
	return home;
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
	vmdev_ring_tell_state(&s->guest, state);
	spin_unlock_irq(&s->lock);
}

/* --- stop ------------------------------------------------------------------ */

/* Nobody else works on a queue that is being stopped, or gives hardware more of a broken one. */
static void vmdev_shadow_breathe(struct vmdev_shadow *s)
{
	spin_unlock_irq(&s->lock);
	cond_resched();
	spin_lock_irq(&s->lock);
}

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
		vmdev_shadow_breathe(s);
	lost = s->hw.why || (s->hw.out && !vmdev_is_net(s->dev->hw));
	for (id = 0; id < num; id++) {
		if (!s->hw.descs[id].n)
			continue;
		vmdev_shadow_mark(s, id);
		if (s->bufs[id].seq < s->done)
			vmdev_vring_push(&s->guest, s->bufs[id].id,
					 s->bufs[id].slots, 0);
		vmdev_shadow_breathe(s);
	}
	vmdev_vring_publish(&s->guest);
	/* Whoever goes on with the ring finds it asking for kicks. */
	vmdev_vring_kicks_on(&s->guest);
	return lost ? -EILSEQ : 0;
}

static void vmdev_shadow_mark_all_out(struct vmdev_shadow *s)
{
	u16 id;

	for (id = 0; id < s->hw.num; id++) {
		if (!s->hw.descs[id].n)
			continue;
		vmdev_shadow_mark(s, id);
		vmdev_shadow_breathe(s);
	}
}

/**
 * vmdev_shadow_mark_out() - log what hardware may have written to all that it has
 * @dev: the device, broken: it is given nothing more
 * @i: a queue in shadow
 *
 * What it used, and nobody fetched, is among that.
 *
 * Context: may sleep; vmdev_parent.lock held.
 */
void vmdev_shadow_mark_out(struct vmdev_dev *dev, u16 i)
{
	struct vmdev_shadow *s = dev->vqs[i].shadow;

	spin_lock_irq(&s->lock);
	vmdev_shadow_mark_all_out(s);
	spin_unlock_irq(&s->lock);
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
	ran = s->running || s->hw.why;
	s->running = false;
	s->forwarding = false;
	s->polling = false;
	spin_unlock_irq(&s->lock);
	hrtimer_cancel(&s->poll);
	timer_delete_sync(&s->watch);
	cancel_work_sync(&s->bh);

	/* Nobody but us comes here now: an interrupt or a kick finds it not running. */
	spin_lock_irq(&s->lock);
	if (state && ran)
		err = vmdev_shadow_settle(s);
	else
		vmdev_shadow_mark_all_out(s);
	if (state)
		vmdev_ring_tell_state(&s->guest, state);
	WRITE_ONCE(vq->shadowed, false);
	spin_unlock_irq(&s->lock);
	/* What may have come up just now is in what is returned. */
	cancel_work_sync(&s->bh);
	s->why = NULL;

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
