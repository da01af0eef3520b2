// SPDX-License-Identifier: GPL-2.0
/*
 * Hardware that logs what it writes in a bitmap (vmdev_hw_ops.log_start).
 *
 * The bitmap is memory of the core's, in its window of the function's domain. It is
 * there as long as the hardware runs queues of a driver that are logged: it is made
 * before the hardware starts, or when logging begins, and read for the last time when the
 * hardware was stopped. So what was in flight then is in it, and in the domain is only
 * what is needed.
 *
 * What is in it goes to the log of the data queues' address space before each report
 * (vmdev_log_op_sync()) and when the hardware stops. Nothing is lost in between: a word
 * is taken by an exchange, and marked after that; a report reads the log later, and its
 * caller the pages still later. Used rings software marks itself, before each report:
 * hardware does not log them.
 *
 * If the bitmap would be too large, or memory is mapped that has no bit in it, or hardware
 * does not log, queues that are logged run in shadow, as on hardware without a log, until
 * logging begins anew or the device is reset.
 *
 * Does it log at all? A parent makes sure that hardware took what it was told. Beyond that
 * it is not believed before a first bit was seen. Until then used entries of split rings
 * are looked at: as long as none says that something was written there is nothing to log.
 * Else all is marked. That happens to honest hardware, too: a buffer may have been written
 * just before it was to log. But when more were written than it may have had by then it
 * lies, and its queues go to shadow. Nobody can tell how many buffers of a packed ring
 * were used, so those are doubted, but not convicted.
 *
 * Once it is believed there may be no bit from one look to the next although buffers were written:
 * the look before took their bits, and they were used after it. That is so for buffers that it had
 * by then. When more were written, and there is no bit still, it lies.
 *
 * Does it still log? A parent may be able to tell (vmdev_hw_ops.log_check), and is asked after
 * each look at the bitmap, and when its queues have stopped. If it does not all is marked, and
 * queues go to shadow.
 *
 * That is proof against hardware that logs nothing at all, but for what it wrote to buffers that
 * it did not finish; and against hardware that ceases to, but for the last buffers of each
 * ring. It is none against hardware that loses a bit now and then: nobody can find that out who
 * does not know what it wrote.
 *
 * All under vmdev_parent.lock.
 */
#include <uapi/linux/virtio_ring.h>

#include "hw_bitmap.h"
#include "vmdev.h"
#include "window.h"

static unsigned int vmdev_hw_log_asid(const struct vmdev_dev *dev)
{
	return dev->mem.group_as[VMDEV_GROUP_DATA];
}

static struct vmdev_dirty *vmdev_hw_log_to(struct vmdev_dev *dev)
{
	return rcu_dereference_protected(dev->logs[vmdev_hw_log_asid(dev)],
					 lockdep_is_held(&dev->parent->lock));
}

/* Memory of a driver of the host is not known, and so how large a bitmap were. */
static bool vmdev_hw_log_wanted(const struct vmdev_dev *dev)
{
	const struct vmdev_hw *hw = dev->hw;
	unsigned int asid = vmdev_hw_log_asid(dev);

	return (hw->caps.caps & VMDEV_CAP_LOG) && hw->ops->log_start &&
	       !dev->hw_log.off && dev->mem.attached &&
	       dev->policy != VMDEV_POLICY_SHADOW &&
	       !dev->mem.as[asid].aliased && vmdev_log_active(dev, asid);
}

static void vmdev_hw_log_give_up(struct vmdev_dev *dev, const char *why)
{
	dev->hw_log.off = true;
	dev_warn_ratelimited(&dev->vdpa.dev,
			     "%s: queues that are logged run in shadow\n",
			     why);
}

/* --- does it lie? ---------------------------------------------------------------------- */

/* Of a queue that only transmits nothing is written to buffers, whatever its used entries say. */
static bool vmdev_hw_log_writes(const struct vmdev_dev *dev, u16 i)
{
	return !vmdev_is_net(dev->hw) || !(i & 1);
}

/**
 * vmdev_hw_log_watch() - a queue is going to be started on hardware
 * @dev: the device
 * @i: the queue, direct, its state set
 *
 * Its used index is where it starts, or else nobody can tell what it uses.
 *
 * Context: vmdev_parent.lock held.
 */
void vmdev_hw_log_watch(struct vmdev_dev *dev, u16 i)
{
	struct vmdev_vq *vq = &dev->vqs[i];
	u16 used;

	vq->watched_at = vq->conf.state.split.avail_index;
	vq->unlogged = 0;
	vq->watched = dev->hw_log.bitmap && vmdev_hw_log_writes(dev, i);
	vq->counted = vq->watched && !vmdev_is_packed(dev) &&
		      !vmdev_vq_used_index(dev, i, &used) &&
		      used == vq->watched_at;
}

/* A queue that runs already may have written to what it was given so far. */
static void vmdev_hw_log_watch_live(struct vmdev_dev *dev, u16 i)
{
	struct vmdev_vq *vq = &dev->vqs[i];
	u16 avail;

	vq->counted = vq->counted &&
		      !vmdev_vq_avail_index(dev, i, &avail);
	if (vq->counted)
		vq->unlogged = avail - vq->watched_at;
}

/* Of the @n buffers before @used: to how many was something written? */
static u16 vmdev_hw_log_written(struct vmdev_dev *dev, u16 i, u16 used, u16 n)
{
	const struct vmdev_vq_conf *conf = &dev->vqs[i].conf;
	u16 at, count = 0;

	for (at = used - n; at != used; at++) {
		u64 entry = conf->device + sizeof(struct vring_used) +
			    (at & (conf->size - 1)) *
			    sizeof(struct vring_used_elem);
		__virtio32 len;

		if (vmdev_mem_read(dev, vmdev_hw_log_asid(dev), entry +
				   offsetof(struct vring_used_elem, len),
				   &len, sizeof(len)))
			break;
		count += !!len;
	}
	return count;
}

/* Before the bitmap is looked at: bits come before the used index. */
static void vmdev_hw_log_look(struct vmdev_dev *dev, u16 i)
{
	struct vmdev_vq *vq = &dev->vqs[i];

	if (vq->watched && vq->counted)
		vq->counted = !vmdev_vq_used_index(dev, i, &vq->used_now);
}

/* There was no bit: what was used since the last one, or since it logs? */
static void vmdev_hw_log_judge(struct vmdev_dev *dev, u16 i)
{
	struct vmdev_hw_log *log = &dev->hw_log;
	struct vmdev_vq *vq = &dev->vqs[i];
	u16 n, written;

	if (!vq->watched)
		return;
	if (!vq->counted) {
		log->doubt = true;
		return;
	}
	/* More than 65535 look like fewer: that convicts nobody. */
	n = vq->used_now - vq->watched_at;
	vq->watched_at = vq->used_now;
	written = vmdev_hw_log_written(dev, i, vq->used_now,
				       min(n, vq->conf.size));
	log->doubt |= written;
	log->lies |= written > vq->unlogged;
	vq->unlogged -= min(vq->unlogged, written);
}

/* There were bits, perhaps of all that it has and did not use when it was looked. */
static void vmdev_hw_log_believe(struct vmdev_dev *dev, u16 i)
{
	struct vmdev_vq *vq = &dev->vqs[i];

	if (!vq->watched || !vq->counted)
		return;
	vq->watched_at = vq->used_now;
	vmdev_hw_log_watch_live(dev, i);
}

/**
 * vmdev_hw_log_vq_stopped() - hardware let go of one queue
 * @dev: the device
 * @i: the queue
 *
 * Context: vmdev_parent.lock held.
 */
void vmdev_hw_log_vq_stopped(struct vmdev_dev *dev, u16 i)
{
	vmdev_hw_log_look(dev, i);
	/* Bits that were not taken yet will speak for it. */
	vmdev_hw_log_judge(dev, i);
	dev->vqs[i].watched = false;
}

/* --- from the bitmap to the log -------------------------------------------------------- */

static void vmdev_hw_log_mark(void *ctx, u64 page, u64 n)
{
	struct vmdev_dirty *log = ctx;

	if (log)
		vmdev_dirty_mark(log, page << VMDEV_HW_BITMAP_SHIFT,
				 n << VMDEV_HW_BITMAP_SHIFT);
}

static void vmdev_hw_log_mark_all(struct vmdev_dev *dev)
{
	struct vmdev_dirty *log = vmdev_hw_log_to(dev);

	if (log)
		vmdev_dirty_mark_all(log);
}

/*
 * Queues of a broken device move no more, and hardware may go on with them: also with memory
 * that was mapped since, and has no bit.
 */
static bool vmdev_hw_log_outgrown(const struct vmdev_dev *dev)
{
	return dev->hw_log.off && READ_ONCE(dev->needs_reset);
}

/* Takes what is in the bitmap; false if more may have been written. */
static bool vmdev_hw_log_take(struct vmdev_dev *dev)
{
	struct vmdev_hw_log *log = &dev->hw_log;
	bool any, doubt;
	u16 i;

	for (i = 0; i < dev->nvqs; i++)
		vmdev_hw_log_look(dev, i);
	/* What is used was written, and what was written has its bit. */
	dma_rmb();
	any = vmdev_hw_bitmap_take(log->bitmap, log->size / sizeof(u64),
				   vmdev_hw_log_mark, vmdev_hw_log_to(dev));
	for (i = 0; i < dev->nvqs; i++) {
		if (any)
			vmdev_hw_log_believe(dev, i);
		else
			vmdev_hw_log_judge(dev, i);
	}
	log->seen |= any;
	log->lies &= !any;
	doubt = log->doubt && !log->seen;
	log->doubt = false;
	if (log->lies && !log->off)
		vmdev_hw_log_give_up(dev, "hardware wrote to buffers, and logged nothing");
	/* Once is enough: whoever ceases to log may begin again. */
	log->lost |= log->lies;
	if (log->lost || vmdev_hw_log_outgrown(dev))
		return false;
	return !doubt;
}

/**
 * vmdev_hw_log_check() - does hardware still log what it writes?
 * @dev: the device; see vmdev_hw_ops.log_check for when to ask
 *
 * If not it is not believed any more, and one line says so.
 *
 * Context: may sleep; vmdev_parent.lock held.
 */
void vmdev_hw_log_check(struct vmdev_dev *dev)
{
	struct vmdev_hw_log *log = &dev->hw_log;
	struct vmdev_hw *hw = dev->hw;

	lockdep_assert_held(&dev->parent->lock);

	if (!log->bitmap || log->lost || !hw->ops->log_check ||
	    !vmdev_usable(dev) || hw->ops->log_check(hw))
		return;
	log->lost = true;
	if (!log->off && vmdev_usable(dev))
		vmdev_hw_log_give_up(dev, "hardware does not log any more what it writes");
}

/**
 * vmdev_hw_log_distrust() - hardware may have written what has no bit
 * @dev: the device
 *
 * It did not stop, or went on when it had: who says wrong things of its rings is not believed
 * what it says of memory, either. If it is logged all is marked.
 *
 * Context: vmdev_parent.lock held.
 */
void vmdev_hw_log_distrust(struct vmdev_dev *dev)
{
	lockdep_assert_held(&dev->parent->lock);

	vmdev_hw_log_mark_all(dev);
}

/* --- begin and end --------------------------------------------------------------------- */

static int vmdev_hw_log_alloc(struct vmdev_dev *dev)
{
	const struct vmdev_maps *maps = &dev->mem.as[vmdev_hw_log_asid(dev)].maps;
	struct vmdev_hw_log *log = &dev->hw_log;

	log->size = vmdev_hw_bitmap_size(maps->count ? maps->highest->last : 0,
					 dev->mem.range.last + 1);
	if (!log->size)
		return -E2BIG;
	log->bitmap = vmdev_window_alloc_large(dev, log->size, &log->iova);
	log->seen = false;
	log->doubt = false;
	log->lies = false;
	log->lost = false;
	return log->bitmap ? 0 : -ENOMEM;
}

static void vmdev_hw_log_free(struct vmdev_dev *dev)
{
	u16 i;

	for (i = 0; i < dev->nvqs; i++)
		dev->vqs[i].watched = false;
	vmdev_window_free(dev, dev->hw_log.bitmap);
	dev->hw_log.bitmap = NULL;
}

/* Of queues that run: what they used is read before, what they had after. */
static int vmdev_hw_log_start(struct vmdev_dev *dev)
{
	const struct vmdev_hw_log *log = &dev->hw_log;
	struct vmdev_hw *hw = dev->hw;
	u16 i;
	int err;

	for (i = 0; i < dev->nvqs; i++) {
		struct vmdev_vq *vq = &dev->vqs[i];

		vq->watched = vq->direct && vmdev_hw_log_writes(dev, i);
		vq->counted = vq->watched && !vmdev_is_packed(dev) &&
			      !vmdev_vq_used_index(dev, i, &vq->watched_at);
	}
	err = hw->ops->log_start(hw, log->iova, log->iova + log->size);
	for (i = 0; i < dev->nvqs && !err; i++)
		vmdev_hw_log_watch_live(dev, i);
	return err;
}

/**
 * vmdev_hw_log_begin() - have hardware log if it can, and if it is wanted
 * @dev: the device, its hardware negotiated or live
 *
 * vmdev_hw_logs() is the result.
 *
 * Context: may sleep; vmdev_parent.lock held.
 */
void vmdev_hw_log_begin(struct vmdev_dev *dev)
{
	int err;

	lockdep_assert_held(&dev->parent->lock);

	if (dev->hw_log.bitmap || !vmdev_hw_log_wanted(dev))
		return;
	err = vmdev_hw_log_alloc(dev);
	if (err) {
		vmdev_hw_log_give_up(dev, err == -E2BIG ?
				     "memory is mapped too high for the log of the hardware" :
				     "no memory for the log of the hardware");
		return;
	}
	err = vmdev_hw_log_start(dev);
	if (err) {
		vmdev_hw_log_free(dev);
		vmdev_hw_log_give_up(dev, "hardware does not log what it writes");
	}
}

/**
 * vmdev_hw_log_end() - stop hardware's log if nobody needs it
 * @dev: the device, its hardware live
 *
 * As long as something is logged, and a queue is direct, it goes on.
 *
 * Context: may sleep; vmdev_parent.lock held.
 */
void vmdev_hw_log_end(struct vmdev_dev *dev)
{
	if (!dev->hw_log.bitmap || vmdev_hw_log_wanted(dev))
		return;
	if (vmdev_log_active(dev, vmdev_hw_log_asid(dev))) {
		if (vmdev_any_direct(dev))
			return;
		vmdev_hw_log_check(dev);
	}
	vmdev_hw_log_stopped(dev, 0);
}

/**
 * vmdev_hw_log_stopped() - fetch what is left of hardware's log, and end it
 * @dev: the device; its hardware was stopped, or nothing of it is logged any more
 * @err: whether it may not have been
 *
 * Who does not stop, or is gone, may not have logged the last of what it wrote. If nobody asks
 * what was written any more hardware may run, and is not judged by what it writes from now on.
 *
 * Context: may sleep; vmdev_parent.lock held.
 */
void vmdev_hw_log_stopped(struct vmdev_dev *dev, int err)
{
	lockdep_assert_held(&dev->parent->lock);

	if (!dev->hw_log.bitmap)
		return;
	if (vmdev_usable(dev))
		dev->hw->ops->log_stop(dev->hw);
	if (vmdev_hw_log_to(dev) &&
	    (!vmdev_hw_log_take(dev) || err || !vmdev_usable(dev)))
		vmdev_hw_log_mark_all(dev);
	vmdev_hw_log_free(dev);
}

/**
 * vmdev_hw_log_stop_hw() - stop hardware wherever its queues are, and fetch its log
 * @dev: the device
 *
 * A reset may end the log, so it is asked before whether it logs; and afterwards nobody else knows
 * whether it was stopped.
 *
 * Context: may sleep; vmdev_parent.lock held.
 * Return: 0; -ENODEV if no register may be touched; an error of the hardware.
 */
int vmdev_hw_log_stop_hw(struct vmdev_dev *dev)
{
	struct vmdev_hw *hw = dev->hw;
	int err = -ENODEV;

	vmdev_hw_log_check(dev);
	if (vmdev_usable(dev))
		err = hw->ops->stop(hw, NULL);
	vmdev_hw_log_stopped(dev, err);
	return err;
}

/**
 * vmdev_hw_log_sync() - what hardware wrote so far goes to the log
 * @dev: the device
 *
 * Also of a device that is suspended: its queues must be where they were stopped.
 *
 * Context: may sleep; vmdev_parent.lock held.
 */
void vmdev_hw_log_sync(struct vmdev_dev *dev)
{
	bool all;
	u16 i;

	lockdep_assert_held(&dev->parent->lock);

	for (i = 0; i < dev->nvqs; i++)
		vmdev_vq_check_parked(dev, i);
	if (!dev->hw_log.bitmap)
		return;
	all = vmdev_hw_log_take(dev);
	/* Now: what was there to be taken was logged. */
	vmdev_hw_log_check(dev);
	all &= !dev->hw_log.lost;
	/* An error leaves queues where they are, or breaks the device. */
	if (dev->hw_log.off)
		vmdev_paths_update(dev);
	/* After the last write that was not logged, if they could be moved. */
	if (!all || !vmdev_usable(dev))
		vmdev_hw_log_mark_all(dev);
}

/**
 * vmdev_hw_log_misses() - memory was mapped: has it no bit?
 * @dev: the device
 * @asid: address space
 * @last: last IOVA
 *
 * Then hardware's log is given up; queues are for the caller to move.
 *
 * Context: vmdev_parent.lock held.
 */
bool vmdev_hw_log_misses(struct vmdev_dev *dev, unsigned int asid, u64 last)
{
	const struct vmdev_hw_log *log = &dev->hw_log;

	if (!log->bitmap || log->off || asid != vmdev_hw_log_asid(dev) ||
	    last >> VMDEV_HW_BITMAP_SHIFT < log->size * BITS_PER_BYTE)
		return false;
	vmdev_hw_log_give_up(dev, "memory was mapped at IOVAs above the log of the hardware");
	return true;
}
