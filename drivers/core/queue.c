// SPDX-License-Identifier: GPL-2.0
/*
 * Virtqueues: from what the driver said to what the hardware runs.
 */
#include <linux/delay.h>
#include <linux/jiffies.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include <linux/virtio_config.h>
#include <uapi/linux/virtio_ring.h>

#include "ctl.h"
#include "shadow.h"
#include "vmdev.h"
#include "vring_state.h"

/* How long hardware may take to finish what it has, before it is stopped. */
#define VMDEV_DRAIN_MS		10
#define VMDEV_DRAIN_MAX_MS	2000
#define VMDEV_DRAIN_NET_MS	100

/*
 * QEMU enables all queues of a device, also those that its guest, firmware as a
 * rule, does not use and gave no addresses. Address 0 is guest memory.
 */
static bool vmdev_vq_wanted(const struct vmdev_dev *dev, u16 i)
{
	const struct vmdev_vq_conf *conf = &dev->vqs[i].conf;

	return conf->enabled && vmdev_vq_exists(dev, i) &&
	       (conf->desc || conf->driver || conf->device);
}

/**
 * vmdev_vqs_init() - set up a device's queues
 * @dev: a new device, with vqs and nvqs
 *
 * Context: nobody else knows of the device yet.
 */
void vmdev_vqs_init(struct vmdev_dev *dev)
{
	u16 i;

	for (i = 0; i < dev->nvqs; i++) {
		struct vmdev_vq *vq = &dev->vqs[i];

		vq->dev = dev;
		vq->index = i;
		spin_lock_init(&vq->cb_lock);
		vmdev_set_cb(&vq->cb_lock, &vq->cb, NULL);
		vmdev_vq_idle_init(vq);
	}
}

/**
 * vmdev_vqs_drop() - end all queues of software, whose rings nobody looks at again
 * @dev: the device, its hardware stopped, or not started
 *
 * Those in shadow, and the control queue with what it has of the hardware, and what
 * hardware logs.
 *
 * Context: may sleep; vmdev_parent.lock held.
 */
void vmdev_vqs_drop(struct vmdev_dev *dev)
{
	u16 i;

	for (i = 0; i < dev->nvqs; i++) {
		if (dev->vqs[i].shadowed)
			vmdev_shadow_stop(dev, i, NULL);
		if (dev->vqs[i].served)
			vmdev_ctrl_close(dev, i, NULL);
	}
	vmdev_ctrl_hw_stop(dev);
	vmdev_hw_log_stopped(dev, 0);
}

/**
 * vmdev_vqs_reset() - forget all that the driver said of the queues
 * @dev: the device, stopped, with interrupts released
 *
 * Context: may sleep; vmdev_parent.lock held.
 */
void vmdev_vqs_reset(struct vmdev_dev *dev)
{
	u16 i;

	for (i = 0; i < dev->nvqs; i++) {
		struct vmdev_vq *vq = &dev->vqs[i];

		memset(&vq->conf, 0, sizeof(vq->conf));
		vq->state_set = false;
		vq->state_learned = false;
		vq->state_lost = false;
		vq->came_round = false;
		vq->parked = false;
		vmdev_queue_moved(vq);
		vq->conf.size = vmdev_vq_size_max(dev, i);
		vq->hw_vq = i;
		WRITE_ONCE(vq->idle, false);
		vmdev_set_cb(&vq->cb_lock, &vq->cb, NULL);
	}
}

/**
 * vmdev_vqs_negotiated() - features are known: where do queues start?
 * @dev: the device
 *
 * A packed ring starts with its wrap counters set (virtio 1.2, 2.8.1).
 *
 * Context: vmdev_parent.lock held.
 */
void vmdev_vqs_negotiated(struct vmdev_dev *dev)
{
	u16 i;

	if (!vmdev_is_packed(dev))
		return;
	for (i = 0; i < dev->nvqs; i++) {
		if (dev->vqs[i].state_set || dev->vqs[i].state_learned)
			continue;
		dev->vqs[i].conf.state.packed.last_avail_counter = 1;
		dev->vqs[i].conf.state.packed.last_used_counter = 1;
	}
}

/*
 * At index 0 a split ring is new, or it came round, in a device that migrated for example:
 * then there are used entries that its driver may not have read yet. A driver has zeroed a
 * new one. If all that was ever used is descriptor 0, for buffers that nothing was written
 * to, so are the entries, but not the descriptor; that is the driver's now if it is offered.
 */
static bool vmdev_vq_came_round(struct vmdev_dev *dev, u16 i)
{
	const struct vmdev_vq_conf *conf = &dev->vqs[i].conf;
	u8 asid = vmdev_vq_asid(dev, i);
	u16 avail;

	if (vmdev_is_packed(dev) || !dev->mem.attached ||
	    !vmdev_state_fresh(dev, &conf->state))
		return false;
	if (!vmdev_mem_is_zero(dev, asid, conf->device + sizeof(struct vring_used),
			       conf->size * sizeof(struct vring_used_elem)))
		return true;
	return !vmdev_vq_avail_index(dev, i, &avail) && !avail &&
	       !vmdev_mem_is_zero(dev, asid, conf->desc + offsetof(struct vring_desc, addr),
				  sizeof_field(struct vring_desc, addr));
}

/* What vmdev_split_state() needs: entries never used must not look used. */
static int vmdev_vq_prepare(struct vmdev_dev *dev, u16 i)
{
	const struct vmdev_vq_conf *conf = &dev->vqs[i].conf;

	/* A ring that ran has no such entries, perhaps some nobody read yet. */
	if (vmdev_is_packed(dev) || !dev->mem.attached ||
	    dev->vqs[i].state_learned || dev->vqs[i].came_round ||
	    (dev->parent->hw->caps.caps & VMDEV_CAP_STATE))
		return 0;
	return vmdev_mem_fill(dev, vmdev_vq_asid(dev, i),
			      conf->device + sizeof(struct vring_used),
			      (u8)VMDEV_USED_NEVER,
			      conf->size * sizeof(struct vring_used_elem));
}

/* Of a queue that is wanted: what the hardware shall run for it. */
static int vmdev_vq_setup(struct vmdev_dev *dev, u16 i,
			  struct vmdev_vq_conf *hw_conf)
{
	bool shadow = vmdev_path_is_shadow(dev, i);
	int err;

	err = vmdev_vq_check_parked(dev, i);
	if (err)
		return err;
	err = vmdev_vq_check(dev, i, !shadow);
	if (err)
		return err;
	dev->vqs[i].came_round = vmdev_vq_came_round(dev, i);
	if (shadow)
		return vmdev_shadow_prepare(dev, i, hw_conf);

	err = vmdev_path_check_direct(dev, i);
	if (err)
		return err;
	*hw_conf = dev->vqs[i].conf;
	vmdev_hw_log_watch(dev, i);
	err = vmdev_vq_prepare(dev, i);
	/* It was written perhaps, and nobody else marks it should nothing start. */
	vmdev_log_ring(dev, i);
	return err;
}

/* Fills in the whole configuration as the hardware counts queues. */
static int vmdev_collect(struct vmdev_dev *dev)
{
	u16 i, nvqs = dev->parent->hw->caps.nvqs;
	int err;

	memset(dev->hw_vqs, 0, nvqs * sizeof(*dev->hw_vqs));
	err = vmdev_ctrl_hw_start(dev, dev->hw_vqs);
	for (i = 0; i < dev->nvqs && !err; i++) {
		struct vmdev_vq *vq = &dev->vqs[i];

		vq->hw_vq = vmdev_hw_vq(dev, i);
		if (!vmdev_vq_wanted(dev, i))
			continue;
		if (i == vmdev_cvq(dev))
			err = vmdev_ctrl_open(dev, i);
		else
			err = vmdev_vq_setup(dev, i, &dev->hw_vqs[vq->hw_vq]);
	}
	if (err)
		vmdev_vqs_drop(dev);
	return err;
}

/* What was seen of it while hardware had it before. */
static void vmdev_vq_forget(struct vmdev_vq *vq)
{
	vq->idle_seen = false;
	vq->taken_seen = false;
	vq->tells_taken = false;
}

/* Kicks come through when the hardware is all that its driver made of it. */
static void vmdev_vqs_set_on(struct vmdev_dev *dev, bool on)
{
	u16 i;

	for (i = 0; i < dev->nvqs; i++) {
		struct vmdev_vq *vq = &dev->vqs[i];

		WRITE_ONCE(vq->on, on && vmdev_vq_wanted(dev, i));
		WRITE_ONCE(vq->direct, vq->on && !vq->shadowed && !vq->served);
		WRITE_ONCE(vq->live, false);
		vmdev_vq_forget(vq);
	}
}

/* Somebody has these rings again. */
static void vmdev_vqs_unparked(struct vmdev_dev *dev)
{
	u16 i;

	for (i = 0; i < dev->nvqs; i++)
		if (dev->vqs[i].on)
			dev->vqs[i].parked = false;
}

/* Buffers of the driver go to the hardware, or they do not. */
static void vmdev_vqs_forwarding(struct vmdev_dev *dev, bool on)
{
	u16 i;

	for (i = 0; i < dev->nvqs; i++) {
		struct vmdev_vq *vq = &dev->vqs[i];

		if (vq->shadowed)
			vmdev_shadow_forwarding(dev, i, on && vq->conf.enabled);
		else
			WRITE_ONCE(vq->live, on && vq->direct &&
				   vq->conf.enabled &&
				   !READ_ONCE(dev->needs_reset));
	}
}

/*
 * Whoever had a ring before may have given buffers back and told nobody. A driver that
 * waits for that interrupt (VIRTIO_F_EVENT_IDX) gets no other one.
 */
static void vmdev_vq_call_first(struct vmdev_dev *dev, u16 i)
{
	struct vmdev_vq *vq = &dev->vqs[i];

	if (vq->on && (vq->came_round || !vmdev_state_fresh(dev, &vq->conf.state)))
		vmdev_call(&vq->cb_lock, &vq->cb);
}

/* The hardware is live: software goes to work. */
static void vmdev_vqs_run(struct vmdev_dev *dev)
{
	u16 i;

	for (i = 0; i < dev->nvqs; i++) {
		vmdev_vq_call_first(dev, i);
		if (dev->vqs[i].shadowed)
			vmdev_shadow_run(dev, i);
		if (dev->vqs[i].served)
			vmdev_ctrl_kick(dev);
	}
}

/* A kick with data has to say where in the ring, which nobody knows here. */
static void vmdev_kick_hw(struct vmdev_dev *dev, const struct vmdev_vq *vq)
{
	struct vmdev_hw *hw = dev->parent->hw;

	if (!(dev->features & BIT_ULL(VIRTIO_F_NOTIFICATION_DATA)))
		hw->ops->kick(hw, vq->hw_vq);
}

static void vmdev_kick_one(struct vmdev_dev *dev, const struct vmdev_vq *vq)
{
	if (vq->live)
		vmdev_kick_hw(dev, vq);
}

static void vmdev_kick_all(struct vmdev_dev *dev)
{
	u16 i;

	for (i = 0; i < dev->nvqs; i++)
		vmdev_kick_one(dev, &dev->vqs[i]);
}

/*
 * It was live for a moment, and so may have written to rings, which nobody else marks: the
 * device does not run.
 */
static void vmdev_start_undo(struct vmdev_dev *dev)
{
	u16 i;

	vmdev_hw_log_stop_hw(dev);
	for (i = 0; i < dev->nvqs; i++)
		if (dev->vqs[i].direct)
			vmdev_log_ring(dev, i);
}

/**
 * vmdev_start() - go live as the driver configured it
 * @dev: the device, with features negotiated with the hardware
 *
 * Context: may sleep; vmdev_parent.lock held.
 * Return: 0; -EINVAL for a queue that cannot run; an error of the hardware.
 */
int vmdev_start(struct vmdev_dev *dev)
{
	struct vmdev_hw *hw = dev->parent->hw;
	u64 features = vmdev_features_to_hw(&hw->caps, &dev->prov,
					    dev->features);
	const struct vmdev_hw_conf conf = {
		.features = features,
		.nvqs = hw->caps.nvqs,
		.cvq = vmdev_hw_cvq(dev, features),
		.vqs = dev->hw_vqs,
	};
	int err;

	lockdep_assert_held(&dev->parent->lock);

	if (dev->mem.user && !dev->mem.attached)
		return dev->mem.error ? : -ENODEV;

	err = vmdev_mem_load(dev);
	if (err)
		return err;
	vmdev_hw_log_begin(dev);
	err = vmdev_collect(dev);
	if (err)
		return err;

	err = hw->ops->irq_request(hw);
	if (err)
		goto err_queues;

	/* Interrupts may come before start returns: let them through. */
	vmdev_vqs_set_on(dev, true);
	err = hw->ops->start(hw, &conf);
	if (err)
		goto err_live;
	vmdev_vqs_unparked(dev);
	err = vmdev_ctrl_replay(dev);
	if (err)
		goto err_stop;

	/* A kick may have come before there was anybody to take it. */
	vmdev_vqs_forwarding(dev, true);
	vmdev_kick_all(dev);
	vmdev_vqs_run(dev);
	return 0;

err_stop:
	vmdev_start_undo(dev);
	/* It ran for a moment: where its queues are now nobody knows. */
	if (dev->suspended)
		vmdev_break(dev, "it could not be resumed");
err_live:
	vmdev_vqs_set_on(dev, false);
err_queues:
	/*
	 * Maps of a device that does not run change without a lock (vmdev_mem_add()): no handler
	 * may look at them still. One that ran keeps its interrupts, which others may know of.
	 */
	if (!dev->running)
		hw->ops->irq_release(hw);
	vmdev_vqs_drop(dev);
	return err;
}

static int vmdev_vq_told_state(struct vmdev_dev *dev, u16 i,
			       const struct vdpa_vq_state *state)
{
	struct vmdev_vq *vq = &dev->vqs[i];
	int err = vmdev_vq_check_state(dev, i, state);

	vq->conf.state = *state;
	vq->parked = !err;
	return err;
}

/**
 * vmdev_stop() - stop the hardware, and learn where its queues stopped
 * @dev: the device, live
 *
 * Interrupts stay requested: they live until reset.
 *
 * Context: may sleep; vmdev_parent.lock held.
 * Return: 0; -EILSEQ if the state of a queue cannot be known; an error of the
 * hardware. It is stopped in any case, unless it did not answer.
 */
int vmdev_stop(struct vmdev_dev *dev)
{
	struct vmdev_hw *hw = dev->parent->hw;
	bool has_state = hw->caps.caps & VMDEV_CAP_STATE;
	bool exact = vmdev_stops_exactly(dev);
	int err, patience = VMDEV_SETTLE_TRIES;
	u16 i;

	lockdep_assert_held(&dev->parent->lock);

	vmdev_vqs_forwarding(dev, false);

	/* A reset may end the log. Who is stopped exactly looks at it when queues have stopped. */
	if (!exact)
		vmdev_hw_log_check(dev);
	err = hw->ops->stop(hw, exact ? dev->states : NULL);
	if (exact && !err)
		vmdev_hw_log_check(dev);
	vmdev_hw_log_stopped(dev, err);
	for (i = 0; i < dev->nvqs && !err; i++) {
		struct vmdev_vq *vq = &dev->vqs[i];

		if (!vq->on)
			continue;
		vq->state_learned = true;
		if (vq->shadowed)
			err = vmdev_shadow_stop(dev, i, &vq->conf.state);
		else if (vq->served)
			vmdev_ctrl_close(dev, i, &vq->conf.state);
		else if (has_state)
			err = vmdev_vq_told_state(dev, i,
						  &dev->states[vq->hw_vq]);
		else if (exact)
			err = vmdev_vq_used_state(dev, i, &vq->conf.state);
		else
			err = vmdev_vq_stopped_state(dev, i, &vq->conf.state,
						     &patience);
	}
	if (!err)
		vmdev_ctrl_hw_stop(dev);
	vmdev_log_rings(dev);
	vmdev_notify_vqs(dev);
	vmdev_vqs_set_on(dev, false);
	return err;
}

/*
 * Receive queues of a net device wait for packets, and so are left out. So is its
 * control queue, which has an even number, too, and is served under the lock. Where
 * hardware knows the state of its rings, or can be suspended, a direct queue may stop at any
 * time; its driver, which goes on, need not ever be seen without a request.
 */
static bool vmdev_all_idle(struct vmdev_dev *dev)
{
	bool exact = vmdev_stops_exactly(dev);
	bool net = vmdev_is_net(dev->parent->hw);
	u16 i;

	for (i = 0; i < dev->nvqs; i++) {
		if (!dev->vqs[i].on || (net && !(i & 1)))
			continue;
		if (dev->vqs[i].shadowed) {
			if (!vmdev_shadow_idle(dev, i))
				return false;
		} else if (!exact && !vmdev_is_packed(dev) &&
			   !dev->vqs[i].idle_seen &&
			   !vmdev_vq_idle(dev, i)) {
			return false;
		}
	}
	return true;
}

/* Has hardware requests that must not run twice, and keeps to itself which? */
static bool vmdev_hw_keeps_requests(const struct vmdev_dev *dev)
{
	return !vmdev_is_net(dev->parent->hw) && !vmdev_is_packed(dev) &&
	       !vmdev_stops_exactly(dev) && vmdev_any_direct(dev);
}

/* All were idle; a moment later, are they where they were? */
static bool vmdev_all_rest(struct vmdev_dev *dev)
{
	bool rest = true;
	u16 i;

	msleep(VMDEV_DRAIN_MS);
	for (i = 0; i < dev->nvqs; i++)
		if (dev->vqs[i].direct && !vmdev_vq_rests(dev, i))
			rest = false;
	return rest;
}

/**
 * vmdev_undrain() - give hardware buffers again
 * @dev: the device, live, after vmdev_drain()
 *
 * Context: may sleep; vmdev_parent.lock held.
 */
void vmdev_undrain(struct vmdev_dev *dev)
{
	vmdev_vqs_forget_idle(dev);
	vmdev_vqs_forwarding(dev, true);
	vmdev_kick_all(dev);
}

/*
 * Kicks are withheld: hardware takes what its drivers offered until now, and that is known.
 */
static void vmdev_kick_last(struct vmdev_dev *dev)
{
	u16 i;

	/*
	 * Eventfds kick with interrupts off: what saw the queue live is over then. (But for one
	 * that was signalled before it was set: that may be late, and the queue not rest.)
	 */
	synchronize_rcu();
	for (i = 0; i < dev->nvqs; i++) {
		struct vmdev_vq *vq = &dev->vqs[i];

		if (vq->direct && vmdev_vq_offered(dev, i) &&
		    vq->conf.enabled && vmdev_usable(dev) &&
		    !READ_ONCE(dev->needs_reset))
			vmdev_kick_hw(dev, vq);
	}
}

/**
 * vmdev_drain() - let hardware finish what it has, and give it nothing new
 * @dev: the device, live, with split queues
 *
 * For devices where a request that was in flight must not run twice, block
 * above all; its driver may go on to offer more (taken.c). A net device may lose
 * or repeat packets, but where it stopped is easier to know when it sent all it had:
 * it is given a moment.
 *
 * Context: may sleep; vmdev_parent.lock held.
 * Return: 0 with kicks withheld; -EBUSY after some more than 2 s at most, with the device
 * as live as before; -EIO if the hardware is gone.
 */
int vmdev_drain(struct vmdev_dev *dev)
{
	bool keeps = vmdev_hw_keeps_requests(dev);
	bool net = vmdev_is_net(dev->parent->hw);
	unsigned long end;
	int err;

	lockdep_assert_held(&dev->parent->lock);

	/* The driver may have been stopped between an offer and its kick. */
	vmdev_kick_all(dev);
	if (net && !vmdev_stops_exactly(dev))
		vmdev_vqs_seek_idle(dev);
	err = keeps ? vmdev_vqs_seek_taken(dev) : 0;
	if (err) {
		dev_err_ratelimited(&dev->vdpa.dev,
				    "cannot be stopped now: its driver goes on, and kicks the hardware by itself\n");
		return err;
	}
	vmdev_vqs_forwarding(dev, false);
	if (keeps)
		vmdev_kick_last(dev);

	end = jiffies + msecs_to_jiffies(net ? VMDEV_DRAIN_NET_MS : VMDEV_DRAIN_MAX_MS);
	while (!vmdev_all_idle(dev) || (keeps && !vmdev_all_rest(dev))) {
		if (!vmdev_usable(dev) || READ_ONCE(dev->needs_reset))
			return -EIO;
		if (time_before(jiffies, end)) {
			msleep(VMDEV_DRAIN_MS);
			continue;
		}
		if (net)
			break;
		dev_err_ratelimited(&dev->vdpa.dev,
				    "cannot be stopped now: hardware does not finish its requests\n");
		vmdev_undrain(dev);
		return -EBUSY;
	}
	return 0;
}

/* On error with the queue off, or with the device broken. */
static int vmdev_vq_start_hw(struct vmdev_dev *dev, u16 i)
{
	struct vmdev_vq *vq = &dev->vqs[i];
	struct vmdev_hw *hw = dev->parent->hw;
	struct vmdev_vq_conf *hw_conf;
	int err;

	vmdev_vq_forget(vq);
	vq->hw_vq = vmdev_hw_vq(dev, i);
	hw_conf = &dev->hw_vqs[vq->hw_vq];
	err = vmdev_vq_setup(dev, i, hw_conf);
	if (err)
		return err;

	/* Interrupts may come before vq_start returns. */
	WRITE_ONCE(vq->on, true);
	WRITE_ONCE(vq->direct, !vq->shadowed);
	err = hw->ops->vq_start(hw, vq->hw_vq, hw_conf);
	if (err) {
		WRITE_ONCE(vq->on, false);
		WRITE_ONCE(vq->direct, false);
		vq->watched = false;
		if (vq->shadowed)
			vmdev_shadow_stop(dev, i, NULL);
		dev_err_ratelimited(&dev->vdpa.dev,
				    "queue %u cannot be enabled: %pe\n", i,
				    ERR_PTR(err));
		return err;
	}
	vq->parked = false;

	err = vmdev_ctrl_replay_vq(dev, i);
	if (err)
		vmdev_break(dev, "hardware did not take what the control queue had set");
	return err;
}

static void vmdev_ctrl_start_late(struct vmdev_dev *dev, u16 i)
{
	struct vmdev_vq *vq = &dev->vqs[i];

	if (!vq->on && vmdev_ctrl_open(dev, i)) {
		vq->conf.enabled = false;
		return;
	}
	WRITE_ONCE(vq->on, true);
	vmdev_ctrl_kick(dev);
}

static void vmdev_vq_start_late(struct vmdev_dev *dev, u16 i)
{
	struct vmdev_vq *vq = &dev->vqs[i];
	bool was_on = vq->on;

	vq->conf.enabled = true;
	if (!vmdev_vq_wanted(dev, i))
		return;
	if (i == vmdev_cvq(dev)) {
		vmdev_ctrl_start_late(dev, i);
		return;
	}
	if (!was_on && vmdev_vq_start_hw(dev, i)) {
		vq->conf.enabled = false;
		return;
	}
	vmdev_vq_call_first(dev, i);
	if (!vq->shadowed) {
		WRITE_ONCE(vq->live, true);
		vmdev_kick_one(dev, vq);
	} else if (was_on) {
		vmdev_shadow_forwarding(dev, i, true);
	} else {
		vmdev_shadow_run(dev, i);
	}
}

/* The hardware lets go of one queue; where did it stop? */
static int vmdev_vq_stop_hw(struct vmdev_dev *dev, u16 i)
{
	struct vmdev_vq *vq = &dev->vqs[i];
	struct vmdev_hw *hw = dev->parent->hw;
	bool has_state = hw->caps.caps & VMDEV_CAP_STATE;
	int err, patience = VMDEV_SETTLE_TRIES;
	struct vdpa_vq_state state;

	err = hw->ops->vq_stop(hw, vq->hw_vq, has_state ? &state : NULL);
	if (err) {
		vmdev_hw_log_distrust(dev);
		return err;
	}

	vmdev_hw_log_vq_stopped(dev, i);
	WRITE_ONCE(vq->on, false);
	WRITE_ONCE(vq->direct, false);
	vq->state_learned = true;
	vq->state_lost = false;
	if (vq->shadowed)
		vq->state_lost = vmdev_shadow_stop(dev, i, &vq->conf.state);
	else if (has_state)
		vq->state_lost = vmdev_vq_told_state(dev, i, &state);
	else
		vq->state_lost = vmdev_vq_stopped_state(dev, i,
							&vq->conf.state,
							&patience);
	vmdev_log_ring(dev, i);
	return 0;
}

/**
 * vmdev_vq_restart() - stop one queue, and start it on the path it should be on
 * @dev: the device, live and drained, on hardware with VMDEV_CAP_RING_RESET
 * @i: a queue that is on
 *
 * Context: may sleep; vmdev_parent.lock held.
 * Return: 0, or an error with the queue off.
 */
int vmdev_vq_restart(struct vmdev_dev *dev, u16 i)
{
	struct vmdev_vq *vq = &dev->vqs[i];
	int err;

	err = vmdev_vq_stop_hw(dev, i);
	if (!err && vq->state_lost)
		err = -EILSEQ;
	if (!err)
		err = vmdev_vq_start_hw(dev, i);
	if (err)
		return err;
	/* Used buffers may have had no interrupt yet. */
	vmdev_call(&vq->cb_lock, &vq->cb);
	if (vq->shadowed)
		vmdev_shadow_run(dev, i);
	return 0;
}

/**
 * vmdev_restart() - stop everything, and start it on the paths it should be on
 * @dev: the device, live and drained
 *
 * Context: may sleep; vmdev_parent.lock held.
 * Return: 0, or an error with the hardware stopped.
 */
int vmdev_restart(struct vmdev_dev *dev)
{
	return vmdev_stop(dev) ? : vmdev_negotiate(dev) ? : vmdev_start(dev);
}

static void vmdev_ctrl_stop_early(struct vmdev_dev *dev, u16 i)
{
	struct vmdev_vq *vq = &dev->vqs[i];

	WRITE_ONCE(vq->on, false);
	vq->state_learned = true;
	vmdev_ctrl_close(dev, i, &vq->conf.state);
}

static void vmdev_vq_stop_early(struct vmdev_dev *dev, u16 i)
{
	struct vmdev_vq *vq = &dev->vqs[i];
	struct vmdev_hw *hw = dev->parent->hw;

	vq->conf.enabled = false;
	vq->idle_seen = false;
	if (vq->served) {
		vmdev_ctrl_stop_early(dev, i);
		return;
	}
	if (vq->shadowed)
		vmdev_shadow_forwarding(dev, i, false);
	WRITE_ONCE(vq->live, false);
	if (!vq->on)
		return;

	/*
	 * virtio forbids to write 0 to queue_enable, so without RING_RESET the
	 * hardware keeps the queue, and may go on with it, until reset. It gets
	 * no more kicks, but through a doorbell that was mapped.
	 */
	if (!(hw->caps.caps & VMDEV_CAP_RING_RESET))
		return;
	if (vmdev_vq_stop_hw(dev, i))
		vmdev_break(dev, "hardware did not stop a queue");
	else
		vmdev_call(&dev->vqs[i].cb_lock, &dev->vqs[i].cb);
}

/**
 * vmdev_vq_enable() - the driver enables or disables a queue
 * @dev: the device
 * @i: the queue
 * @enable: what it wants
 *
 * Before DRIVER_OK this is only noted: QEMU enables queues before it
 * negotiates features. A refusal shows in get_vq_ready.
 *
 * Context: may sleep; vmdev_parent.lock held.
 */
void vmdev_vq_enable(struct vmdev_dev *dev, u16 i, bool enable)
{
	struct vmdev_vq *vq = &dev->vqs[i];

	lockdep_assert_held(&dev->parent->lock);

	if (!dev->running || dev->suspended || dev->needs_reset ||
	    !vmdev_usable(dev)) {
		vq->conf.enabled = enable;
		return;
	}
	if (enable && !(vq->on && vq->conf.enabled))
		vmdev_vq_start_late(dev, i);
	else if (!enable)
		vmdev_vq_stop_early(dev, i);
	/* That is no move; the next one is. */
	vmdev_queue_moved(vq);
}
