// SPDX-License-Identifier: GPL-2.0
/*
 * From shadow back to direct, on hardware that starts only fresh rings.
 *
 * The indices of a split ring count buffers modulo 65536. A queue all of whose
 * buffers were used, and whose indices are 0 once more, is as a fresh one is: its
 * avail index says how many buffers wait, its used index that none was used. What
 * is in the entries does not matter, they count only between the indices. So
 * hardware can take it over there, and its driver sees nothing but one interrupt
 * too many.
 *
 * A queue in shadow comes by there every 65536 buffers. Then it takes no more
 * (vmdev_shadow_holds()) until hardware has used all that it has, and is
 * restarted, by a work item: that needs vmdev_parent.lock.
 *
 * It does not wait for ever. A receive queue may have a few buffers left and get no
 * packet, or none that they are enough for. If for VMDEV_HOME_PATIENCE_MS nothing
 * was used it goes on in shadow, and tries again when it comes by the next time.
 *
 * This needs RING_RESET: without it the other queues would be stopped, too, in the
 * middle of their rings.
 *
 * vhost has asked for the queue's interrupt when it was in shadow, and does not ask
 * again before the next DRIVER_OK: until then the handler passes it on.
 *
 * Packed rings come by such a place in each second lap. But nobody could tell where
 * such a ring was stopped later, so they stay.
 */
#include "ctl.h"
#include "shadow.h"
#include "vmdev.h"

#define VMDEV_HOME_PATIENCE_MS	100

/**
 * vmdev_path_goes_home() - shall a queue in shadow go direct when it can?
 * @dev: the device, with features negotiated
 * @i: the queue
 *
 * Context: vmdev_parent.lock held.
 */
bool vmdev_path_goes_home(const struct vmdev_dev *dev, u16 i)
{
	u32 caps = dev->hw->caps.caps;

	/* With STATE there is no need to wait. */
	if (!dev->mem.user || vmdev_is_packed(dev) ||
	    (caps & VMDEV_CAP_STATE) || !(caps & VMDEV_CAP_RING_RESET))
		return false;
	if (vmdev_path_needs_shadow(dev, i))
		return false;
	return dev->policy == VMDEV_POLICY_DIRECT ||
	       (dev->policy == VMDEV_POLICY_AUTO && vmdev_path_stops_well(dev, i));
}

/**
 * vmdev_home_update() - policy or logging changed: which queues go home?
 * @dev: the device, live
 *
 * Context: may sleep; vmdev_parent.lock held.
 */
void vmdev_home_update(struct vmdev_dev *dev)
{
	u16 i;

	for (i = 0; i < dev->nvqs; i++)
		if (dev->vqs[i].shadowed)
			vmdev_shadow_home(dev, i, vmdev_path_goes_home(dev, i));
}

/* The ring is at its beginning, and hardware has nothing of it. */
static void vmdev_home_move(struct vmdev_dev *dev, u16 i)
{
	int err;

	err = vmdev_vq_restart(dev, i);
	if (err) {
		dev_err_ratelimited(&dev->vdpa.dev,
				    "queue %u was lost on its way to direct: %pe\n",
				    i, ERR_PTR(err));
		vmdev_break(dev, "a queue was lost on its way to direct");
		return;
	}
	vmdev_undrain(dev);
	vmdev_ctl_note_paths(dev);
}

static void vmdev_home_look(struct vmdev_dev *dev)
{
	bool waits = false;
	u16 i;

	if (!dev->running || dev->suspended || dev->needs_reset ||
	    !vmdev_usable(dev))
		return;

	for (i = 0; i < dev->nvqs && !dev->needs_reset; i++) {
		if (!dev->vqs[i].on || !dev->vqs[i].shadowed)
			continue;
		switch (vmdev_shadow_look_home(dev, i)) {
		case VMDEV_HOME_THERE:
			vmdev_home_move(dev, i);
			break;
		case VMDEV_HOME_WAITS:
			waits = true;
			break;
		case VMDEV_HOME_AWAY:
			break;
		}
	}
	if (waits)
		vmdev_home_wait(dev->parent);
}

static void vmdev_home_look_parent(struct vmdev_parent *parent)
{
	mutex_lock(&parent->lock);
	if (parent->dev)
		vmdev_home_look(parent->dev);
	mutex_unlock(&parent->lock);
}

static void vmdev_home_work(struct work_struct *work)
{
	vmdev_home_look_parent(container_of(work, struct vmdev_parent,
					    home_work));
}

static void vmdev_home_later(struct work_struct *work)
{
	vmdev_home_look_parent(container_of(to_delayed_work(work),
					    struct vmdev_parent, home_later));
}

/**
 * vmdev_home_now() - a queue may be where it can go direct
 * @parent: of its device
 *
 * Context: any.
 */
void vmdev_home_now(struct vmdev_parent *parent)
{
	schedule_work(&parent->home_work);
}

/**
 * vmdev_home_wait() - a queue waits for hardware to be done
 * @parent: of its device
 *
 * Context: any.
 */
void vmdev_home_wait(struct vmdev_parent *parent)
{
	schedule_delayed_work(&parent->home_later,
			      msecs_to_jiffies(VMDEV_HOME_PATIENCE_MS));
}

/**
 * vmdev_home_init() - nobody is on his way
 * @parent: zeroed
 */
void vmdev_home_init(struct vmdev_parent *parent)
{
	INIT_WORK(&parent->home_work, vmdev_home_work);
	INIT_DELAYED_WORK(&parent->home_later, vmdev_home_later);
}

/**
 * vmdev_home_quiesce() - nobody will look any more
 * @parent: without a device, or whose device does not run any more
 *
 * Context: may sleep; vmdev_parent.lock not held.
 */
void vmdev_home_quiesce(struct vmdev_parent *parent)
{
	cancel_work_sync(&parent->home_work);
	cancel_delayed_work_sync(&parent->home_later);
}
