// SPDX-License-Identifier: GPL-2.0
/*
 * debugfs: the rings of all devices as text, /sys/kernel/debug/vmdev/rings.
 *
 * A look from outside, for who wonders why nothing moves. The core knows what it was told; all
 * else is in memory that a driver, or hardware, writes meanwhile. So it is copied, a field at a
 * time, none of it is believed, and no more than a few entries of any ring are looked at.
 *
 * Each queue is looked at under vmdev_parent.lock by itself, so that who has a large device
 * does not hold up its driver. While text goes to the reader, whose memory may not come, no
 * lock is held, and devices may go. One file for all of them: one for each would make it cost
 * much more to add one.
 */
#include <linux/debugfs.h>
#include <linux/seq_file.h>
#include <linux/virtio_byteorder.h>
#include <linux/virtio_config.h>
#include <uapi/linux/virtio_ring.h>

#include "ctl.h"
#include "netctrl.h"
#include "shadow.h"
#include "vmdev.h"

/* Buffers shown of a ring, and descriptors of each. */
#define VMDEV_DEBUGFS_BUFFERS	4
#define VMDEV_DEBUGFS_DESCS	8

static struct dentry *vmdev_debugfs_root;

/**
 * struct vmdev_look - what is being looked at
 * @m: where it is told
 * @dev: the device
 * @vq: the queue
 * @asid: address space of its ring
 */
struct vmdev_look {
	struct seq_file *m;
	struct vmdev_dev *dev;
	const struct vmdev_vq *vq;
	u8 asid;
};

static bool vmdev_look_read(const struct vmdev_look *look, u64 iova, void *buf,
			    u32 size)
{
	return !vmdev_mem_read(look->dev, look->asid, iova, buf, size);
}

/* A field of 16 bits; false if it cannot be read. */
static bool vmdev_look_u16(const struct vmdev_look *look, u64 iova, u16 *value)
{
	__virtio16 field;

	if (!vmdev_look_read(look, iova, &field, sizeof(field)))
		return false;
	*value = __virtio16_to_cpu(true, field);
	return true;
}

static void vmdev_look_unreadable(const struct vmdev_look *look, const char *what)
{
	seq_printf(look->m, "    %s cannot be read: %s\n", what, look->dev->mem.user ?
		   "it is not in memory that is mapped" :
		   "the core does not know the memory of this driver of the host");
}

/* --- the driver's ring, split -------------------------------------------------- */

/* One buffer, from its head on. Chains that are loops end, too. */
static void vmdev_look_split_chain(const struct vmdev_look *look, u16 head)
{
	const struct vmdev_vq_conf *conf = &look->vq->conf;
	struct vring_desc desc;
	u32 i, at = head;
	u16 flags;

	for (i = 0; i < VMDEV_DEBUGFS_DESCS; i++) {
		if (at >= conf->size) {
			seq_printf(look->m, "      [%u] is beyond the table\n", at);
			return;
		}
		if (!vmdev_look_read(look, conf->desc + at * sizeof(desc), &desc,
				     sizeof(desc))) {
			vmdev_look_unreadable(look, "the table");
			return;
		}
		flags = __virtio16_to_cpu(true, desc.flags);
		seq_printf(look->m, "      [%u] addr %#llx len %u flags %#x\n", at,
			   __virtio64_to_cpu(true, desc.addr),
			   __virtio32_to_cpu(true, desc.len), flags);
		if (!(flags & VRING_DESC_F_NEXT))
			return;
		at = __virtio16_to_cpu(true, desc.next);
	}
	seq_puts(look->m, "      ...\n");
}

static void vmdev_look_split_buffers(const struct vmdev_look *look, u16 from, u16 n)
{
	const struct vmdev_vq_conf *conf = &look->vq->conf;
	u16 i, at, head;

	for (i = 0; i < min(n, VMDEV_DEBUGFS_BUFFERS); i++) {
		at = (u16)(from + i) % conf->size;
		if (!vmdev_look_u16(look, conf->driver + sizeof(struct vring_avail) +
				    at * sizeof(__virtio16), &head)) {
			vmdev_look_unreadable(look, "the avail ring");
			return;
		}
		seq_printf(look->m, "    buffer %u: entry %u, head %u\n", (u16)(from + i),
			   at, head);
		vmdev_look_split_chain(look, head);
	}
	if (n > VMDEV_DEBUGFS_BUFFERS)
		seq_printf(look->m, "    and %u more\n", n - VMDEV_DEBUGFS_BUFFERS);
}

static void vmdev_look_split_events(const struct vmdev_look *look)
{
	const struct vmdev_vq_conf *conf = &look->vq->conf;
	u64 used_event = conf->driver + sizeof(struct vring_avail) +
			 conf->size * sizeof(__virtio16);
	u64 avail_event = conf->device + sizeof(struct vring_used) +
			  conf->size * sizeof(struct vring_used_elem);
	u16 used, avail;

	if (!(look->dev->features & BIT_ULL(VIRTIO_RING_F_EVENT_IDX)))
		return;
	if (vmdev_look_u16(look, used_event, &used) &&
	    vmdev_look_u16(look, avail_event, &avail))
		seq_printf(look->m, "    used_event %u, avail_event %u\n", used, avail);
}

static void vmdev_look_split(const struct vmdev_look *look)
{
	const struct vmdev_vq_conf *conf = &look->vq->conf;
	u16 avail_flags, avail, used_flags, used, out;

	if (!vmdev_look_u16(look, conf->device + offsetof(struct vring_used, flags),
			    &used_flags) ||
	    !vmdev_look_u16(look, conf->device + offsetof(struct vring_used, idx),
			    &used) ||
	    !vmdev_look_u16(look, conf->driver + offsetof(struct vring_avail, flags),
			    &avail_flags) ||
	    !vmdev_look_u16(look, conf->driver + offsetof(struct vring_avail, idx),
			    &avail)) {
		vmdev_look_unreadable(look, "the ring");
		return;
	}
	out = avail - used;
	seq_printf(look->m, "    avail idx %u flags %#x, used idx %u flags %#x, %u not used yet%s\n",
		   avail, avail_flags, used, used_flags, out,
		   out > conf->size ? ", more than the ring has" : "");
	vmdev_look_split_events(look);
	if (out <= conf->size)
		vmdev_look_split_buffers(look, used, out);
}

/* --- the driver's ring, packed -------------------------------------------------- */

static void vmdev_look_packed_event(const struct vmdev_look *look, const char *whose,
				    u64 iova)
{
	u16 off_wrap, flags;

	if (vmdev_look_u16(look, iova, &off_wrap) &&
	    vmdev_look_u16(look, iova + sizeof(off_wrap), &flags))
		seq_printf(look->m, "    %s event suppression: flags %#x, entry %u, wrap %u\n",
			   whose, flags,
			   (u32)(off_wrap & ~BIT(VRING_PACKED_EVENT_F_WRAP_CTR)),
			   off_wrap >> VRING_PACKED_EVENT_F_WRAP_CTR);
}

/* @from: where the device is, or was when nobody but itself can tell since. */
static void vmdev_look_packed(const struct vmdev_look *look, u16 from)
{
	const struct vmdev_vq_conf *conf = &look->vq->conf;
	struct vring_packed_desc desc;
	u16 i, at, flags;

	vmdev_look_packed_event(look, "driver's", conf->driver);
	vmdev_look_packed_event(look, "device's", conf->device);
	for (i = 0; i < min(conf->size, VMDEV_DEBUGFS_DESCS); i++) {
		at = (from + i) % conf->size;
		if (!vmdev_look_read(look, conf->desc + at * sizeof(desc), &desc,
				     sizeof(desc))) {
			vmdev_look_unreadable(look, "the ring");
			return;
		}
		flags = le16_to_cpu(desc.flags);
		seq_printf(look->m, "      [%u] addr %#llx len %u id %u flags %#x, avail %d used %d\n",
			   at, le64_to_cpu(desc.addr), le32_to_cpu(desc.len),
			   le16_to_cpu(desc.id), flags,
			   !!(flags & BIT(VRING_PACKED_DESC_F_AVAIL)),
			   !!(flags & BIT(VRING_PACKED_DESC_F_USED)));
	}
}

/* --- what the core itself knows -------------------------------------------------- */

/* A ring that the core serves. Returns where it is. */
static u16 vmdev_look_served(const struct vmdev_look *look,
			     const struct vmdev_vring *ring)
{
	seq_printf(look->m, "    core: takes %u next, gives %u back next, has %u",
		   ring->pos.avail, ring->pos.used, ring->inflight);
	if (ring->packed)
		seq_printf(look->m, ", wraps %d and %d", ring->pos.avail_wrap,
			   ring->pos.used_wrap);
	seq_printf(look->m, "%s%s\n", ring->why ? ", broken: " : "", ring->why ? : "");
	return ring->pos.used;
}

/* The core's ring, which hardware works on. Its memory stays as long as the queue is so. */
static void vmdev_look_hw(const struct vmdev_look *look, const struct vmdev_drv *hw)
{
	seq_printf(look->m, "    hardware's ring: size %u, offers %u next, takes %u back next, hardware has %u, %u free",
		   hw->num, hw->avail, hw->used, hw->out, hw->nfree);
	if (hw->packed)
		seq_printf(look->m, ", wraps %d and %d", hw->avail_wrap, hw->used_wrap);
	else
		seq_printf(look->m, ", used idx %u",
			   __virtio16_to_cpu(true, READ_ONCE(hw->used_ring->idx)));
	seq_printf(look->m, "%s%s\n", hw->why ? ", broken: " : "", hw->why ? : "");
}

static u16 vmdev_look_shadow(const struct vmdev_look *look)
{
	struct vmdev_shadow *s = look->vq->shadow;
	bool running, forwarding, starved, home, held, polling, quiet;
	struct vmdev_vring guest;
	struct vmdev_drv hw;

	spin_lock_irq(&s->lock);
	guest = s->guest;
	hw = s->hw;
	running = s->running;
	forwarding = s->forwarding;
	starved = s->starved;
	home = s->home;
	held = s->held;
	polling = s->polling;
	quiet = s->quiet;
	spin_unlock_irq(&s->lock);

	seq_printf(look->m, "    shadow:%s%s%s%s%s%s%s\n", running ? "" : " stopped",
		   forwarding ? "" : " takes nothing",
		   starved ? " waits for room" : "", home ? " goes direct" : "",
		   held ? " held" : "", polling ? " polls" : "",
		   quiet ? " wants no kicks" : "");
	vmdev_look_hw(look, &hw);
	return vmdev_look_served(look, &guest);
}

/* Of a packed ring: where the device is, if that is known. */
static u16 vmdev_look_core(const struct vmdev_look *look)
{
	const struct vmdev_vq *vq = look->vq;

	if (vq->shadowed)
		return vmdev_look_shadow(look);
	if (vq->served)
		return vmdev_look_served(look, &look->dev->ctrl->guest);
	if (!vmdev_is_packed(look->dev))
		return 0;
	seq_printf(look->m, "    %s at entry %u\n", vq->on ? "hardware began" : "is",
		   vq->conf.state.packed.last_used_idx);
	return vq->conf.state.packed.last_used_idx;
}

static void vmdev_look_ring(const struct vmdev_look *look)
{
	const struct vmdev_vq_conf *conf = &look->vq->conf;
	u16 from = vmdev_look_core(look);

	if (!conf->size || !(conf->desc | conf->driver | conf->device)) {
		seq_puts(look->m, "    has no ring\n");
		return;
	}
	if (vmdev_is_packed(look->dev))
		vmdev_look_packed(look, from);
	else
		vmdev_look_split(look);
}

/* --- the file ---------------------------------------------------------------------- */

static void vmdev_rings_show_vq(struct seq_file *m, struct vmdev_dev *dev,
				struct vmdev_vq *vq)
{
	const struct vmdev_look look = {
		.m = m,
		.dev = dev,
		.vq = vq,
		.asid = vmdev_vq_asid(dev, vq->index),
	};
	const struct vmdev_vq_conf *conf = &vq->conf;

	seq_printf(m, "queue %u: %s%s, %s, size %u, asid %u, kicks %llu, interrupts %llu\n",
		   vq->index, vmdev_path_name(vmdev_queue_path(vq)),
		   conf->enabled ? "" : ", not enabled",
		   vmdev_is_packed(dev) ? "packed" : "split", conf->size, look.asid,
		   (u64)atomic64_read(&vq->kicks), vmdev_vq_events(vq));
	seq_printf(m, "    desc %#llx driver %#llx device %#llx\n", conf->desc,
		   conf->driver, conf->device);
	vmdev_look_ring(&look);
}

static void vmdev_rings_show_dev(struct seq_file *m, const struct vmdev_dev *dev)
{
	seq_printf(m, "%s: %s, features %#llx, status %#x, %u queues\n",
		   dev_name(&dev->vdpa.dev), vmdev_state_name(vmdev_dev_state(dev)),
		   dev->features, dev->status, dev->nvqs);
}

/**
 * struct vmdev_rings_at - where a reader is
 * @dev: the device
 * @part: 0 for the device, else the number of a queue plus one
 *
 * As a position of the file: the device's id in the list of all above VMDEV_RINGS_SHIFT, @part
 * below. Ids count up: who comes or goes meanwhile is there or not, all others are there once.
 */
struct vmdev_rings_at {
	struct vmdev_dev *dev;
	u32 part;
};

#define VMDEV_RINGS_SHIFT	17

static void *vmdev_rings_find(struct seq_file *m, loff_t *pos)
{
	unsigned long first = *pos >> VMDEV_RINGS_SHIFT, id = first;
	struct vmdev_rings_at *at = m->private;

	at->part = *pos & (BIT(VMDEV_RINGS_SHIFT) - 1);
	for (; (at->dev = vmdev_ctl_dev(&id)); id++) {
		if (id != first)
			at->part = 0;
		if (at->part <= at->dev->nvqs)
			break;
	}
	*pos = (loff_t)id << VMDEV_RINGS_SHIFT | at->part;
	return at->dev ? at : NULL;
}

static void *vmdev_rings_start(struct seq_file *m, loff_t *pos)
{
	vmdev_ctl_lock();
	return vmdev_rings_find(m, pos);
}

static void *vmdev_rings_next(struct seq_file *m, void *v, loff_t *pos)
{
	++*pos;
	return vmdev_rings_find(m, pos);
}

static void vmdev_rings_stop(struct seq_file *m, void *v)
{
	vmdev_ctl_unlock();
}

static int vmdev_rings_show(struct seq_file *m, void *v)
{
	const struct vmdev_rings_at *at = v;
	struct vmdev_dev *dev = at->dev;

	if (mutex_lock_interruptible(&dev->parent->lock))
		return -EINTR;
	if (at->part)
		vmdev_rings_show_vq(m, dev, &dev->vqs[at->part - 1]);
	else
		vmdev_rings_show_dev(m, dev);
	mutex_unlock(&dev->parent->lock);
	return 0;
}

static const struct seq_operations vmdev_rings_sops = {
	.start = vmdev_rings_start,
	.next = vmdev_rings_next,
	.stop = vmdev_rings_stop,
	.show = vmdev_rings_show,
};

static int vmdev_rings_open(struct inode *inode, struct file *file)
{
	return seq_open_private(file, &vmdev_rings_sops, sizeof(struct vmdev_rings_at));
}

static const struct file_operations vmdev_rings_fops = {
	.owner = THIS_MODULE,
	.open = vmdev_rings_open,
	.read = seq_read,
	.llseek = seq_lseek,
	.release = seq_release_private,
};

/** vmdev_debugfs_init() - a folder, and the file in it */
void __init vmdev_debugfs_init(void)
{
	vmdev_debugfs_root = debugfs_create_dir("vmdev", NULL);
	debugfs_create_file("rings", 0400, vmdev_debugfs_root, NULL, &vmdev_rings_fops);
}

/** vmdev_debugfs_exit() - the reverse of vmdev_debugfs_init() */
void vmdev_debugfs_exit(void)
{
	debugfs_remove(vmdev_debugfs_root);
}
