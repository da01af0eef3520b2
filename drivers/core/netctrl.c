// SPDX-License-Identifier: GPL-2.0
/*
 * The control queue of a net device, served by the core.
 *
 * The driver's control queue never reaches the hardware. The core takes each
 * command, judges it, passes it on over a queue of its own (ctrl_hw.c), and
 * remembers it (ctrl_state.c). So hardware that was reset, for whatever reason
 * but its driver's wish, can be made what it was, as can other hardware. And as
 * only software reads the ring, it may be in an address space of its own.
 *
 * Commands are carried out in a work item: a kick may come in any context, and
 * hardware may take its time. Whoever stops the device holds vmdev_parent.lock,
 * as does the work item, so none is half done then.
 */
#include <linux/etherdevice.h>
#include <linux/highmem.h>
#include <linux/jiffies.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/virtio_config.h>
#include <linux/virtio_net.h>
#include <uapi/linux/vhost_types.h>

#include "netctrl.h"
#include "trace.h"
#include "vring.h"

/* Commands carried out before others get at the device. */
#define VMDEV_CTRL_BUDGET	16
#define VMDEV_CTRL_BATCH_MS	100

/* All that is set again has to be within. */
#define VMDEV_CTRL_REPLAY_MS	4000

/* How often to look at a ring whose doorbell the driver may have. */
#define VMDEV_CTRL_POLL_MS	20

/**
 * vmdev_ctrl_create() - a device gets what it takes to serve a control queue
 * @dev: the device
 *
 * Not before it is needed: it is large. It stays until the device is freed.
 *
 * Context: may sleep; vmdev_parent.lock held.
 * Return: 0 or -ENOMEM.
 */
int vmdev_ctrl_create(struct vmdev_dev *dev)
{
	struct vmdev_ctrl *ctrl;

	if (dev->ctrl)
		return 0;
	ctrl = kvzalloc_obj(*ctrl, GFP_KERNEL);
	if (!ctrl)
		return -ENOMEM;
	ctrl->dev = dev;
	INIT_DELAYED_WORK(&ctrl->work, vmdev_ctrl_work);
	vmdev_ctrl_state_init(&ctrl->state);
	dev->ctrl = ctrl;
	return 0;
}

/**
 * vmdev_ctrl_quiesce() - no command is being, or will be, carried out
 * @dev: the device, reset; no kick comes any more
 *
 * Context: may sleep; takes vmdev_parent.lock in the work item.
 */
void vmdev_ctrl_quiesce(struct vmdev_dev *dev)
{
	if (dev->ctrl)
		cancel_delayed_work_sync(&dev->ctrl->work);
}

/**
 * vmdev_ctrl_free() - forget a control queue that will not be served any more
 * @dev: the device, quiesced
 */
void vmdev_ctrl_free(struct vmdev_dev *dev)
{
	if (!dev->ctrl)
		return;
	vmdev_ctrl_state_forget(&dev->ctrl->state);
	kvfree(dev->ctrl);
	dev->ctrl = NULL;
}

/* --- the hardware's side --------------------------------------------------- */

/**
 * vmdev_ctrl_hw_start() - what hardware shall run as its control queue
 * @dev: the device, with features negotiated
 * @hw_vqs: the queues of the hardware; gets this one, if it is needed
 *
 * It is needed if the driver has a control queue, or a MAC address was provisioned.
 *
 * Context: may sleep; vmdev_parent.lock held.
 * Return: 0; -ENOMEM; an error of vmdev_ctrl_hw_prepare().
 */
int vmdev_ctrl_hw_start(struct vmdev_dev *dev, struct vmdev_vq_conf *hw_vqs)
{
	u64 features = vmdev_features_to_hw(&dev->hw->caps, &dev->prov,
					    dev->features);
	u16 vq = vmdev_hw_cvq(dev, features);

	if (vq == U16_MAX)
		return 0;
	return vmdev_ctrl_create(dev) ? :
	       vmdev_ctrl_hw_prepare(dev->ctrl, vq, &hw_vqs[vq]);
}

/**
 * vmdev_ctrl_hw_stop() - the hardware does not have its control queue any more
 * @dev: the device, its hardware stopped, or not started
 *
 * Context: may sleep; vmdev_parent.lock held.
 */
void vmdev_ctrl_hw_stop(struct vmdev_dev *dev)
{
	if (dev->ctrl)
		vmdev_ctrl_hw_release(dev->ctrl);
}

static int vmdev_ctrl_replay_one(struct vmdev_ctrl *ctrl, const u8 *data,
				 u32 len)
{
	int err = time_after(jiffies, ctrl->replay_end) ? -ETIMEDOUT :
		  vmdev_ctrl_hw_send(ctrl, data, len, 1);

	if (err)
		dev_err_ratelimited(&ctrl->dev->vdpa.dev,
				    "hardware does not take control command %u/%u again: %pe\n",
				    data[0], data[1], ERR_PTR(err));
	return err;
}

/* A driver that set an address of its own overrides what was provisioned. */
static int vmdev_ctrl_replay_mac(struct vmdev_ctrl *ctrl)
{
	u8 data[sizeof(struct virtio_net_ctrl_hdr) + ETH_ALEN] = {
		VIRTIO_NET_CTRL_MAC, VIRTIO_NET_CTRL_MAC_ADDR_SET,
	};
	const u8 *mac = ctrl->dev->prov.mac;
	int err;

	if (is_zero_ether_addr(mac) ||
	    !is_zero_ether_addr(ctrl->dev->driver_mac))
		return 0;
	ether_addr_copy(data + sizeof(struct virtio_net_ctrl_hdr), mac);
	err = vmdev_ctrl_hw_send(ctrl, data, sizeof(data), 1);
	if (err)
		dev_err_ratelimited(&ctrl->dev->vdpa.dev,
				    "hardware does not take MAC address %pM: %pe\n",
				    mac, ERR_PTR(err));
	return err;
}

static int vmdev_ctrl_replay_vlans(struct vmdev_ctrl *ctrl)
{
	unsigned int vlan;
	int err = 0;

	for_each_set_bit(vlan, ctrl->state.vlans, VMDEV_CTRL_VLANS) {
		const u8 data[] = {
			VIRTIO_NET_CTRL_VLAN, VIRTIO_NET_CTRL_VLAN_ADD,
			vlan & U8_MAX, vlan >> 8,
		};

		err = vmdev_ctrl_replay_one(ctrl, data, sizeof(data));
		if (err)
			break;
	}
	return err;
}

static int vmdev_ctrl_replay_all(struct vmdev_ctrl *ctrl)
{
	struct vmdev_ctrl_cmd *cmd;
	int err;

	err = vmdev_ctrl_replay_mac(ctrl);
	if (err)
		return err;
	list_for_each_entry(cmd, &ctrl->state.cmds, node) {
		/* Of a queue that is off hardware takes nothing. */
		if (cmd->per_vq && !ctrl->dev->vqs[cmd->key].on)
			continue;
		err = vmdev_ctrl_replay_one(ctrl, cmd->data, cmd->len);
		if (err)
			return err;
	}
	return vmdev_ctrl_replay_vlans(ctrl);
}

/* It was there for the provisioned MAC address alone. */
static int vmdev_ctrl_hw_end(struct vmdev_dev *dev)
{
	struct vdpa_vq_state state;
	int err;

	if ((dev->features & BIT_ULL(VIRTIO_NET_F_CTRL_VQ)) ||
	    !(dev->hw->caps.caps & VMDEV_CAP_RING_RESET))
		return 0;
	err = dev->hw->ops->vq_stop(dev->hw, dev->ctrl->hw.vq, &state);
	if (!err)
		vmdev_ctrl_hw_stop(dev);
	return err;
}

/**
 * vmdev_ctrl_replay() - make hardware what the driver, or an operator, had made of it
 * @dev: the device, its hardware live
 *
 * Context: may sleep; vmdev_parent.lock held.
 * Return: 0, or an error of vmdev_ctrl_hw_send(), with a line, or of the hardware.
 */
int vmdev_ctrl_replay(struct vmdev_dev *dev)
{
	struct vmdev_ctrl *ctrl = dev->ctrl;

	lockdep_assert_held(&dev->parent->lock);

	if (!ctrl || !ctrl->hw.on)
		return 0;
	ctrl->replay_end = jiffies + msecs_to_jiffies(VMDEV_CTRL_REPLAY_MS);
	return vmdev_ctrl_replay_all(ctrl) ? : vmdev_ctrl_hw_end(dev);
}

/**
 * vmdev_ctrl_replay_vq() - the same for one queue that was started alone
 * @dev: the device, its hardware live
 * @i: the queue
 *
 * What was set for a queue hardware forgets when it is reset (virtio 1.3,
 * 5.1.6.5.10).
 *
 * Context: may sleep; vmdev_parent.lock held.
 * Return: 0, or an error of vmdev_ctrl_hw_send(), with a line.
 */
int vmdev_ctrl_replay_vq(struct vmdev_dev *dev, u16 i)
{
	struct vmdev_ctrl *ctrl = dev->ctrl;
	struct vmdev_ctrl_cmd *cmd;
	int err = 0;

	lockdep_assert_held(&dev->parent->lock);

	if (!ctrl || !ctrl->hw.on)
		return 0;
	ctrl->replay_end = jiffies + msecs_to_jiffies(VMDEV_CTRL_REPLAY_MS);
	list_for_each_entry(cmd, &ctrl->state.cmds, node)
		if (cmd->per_vq && cmd->key == i && !err)
			err = vmdev_ctrl_replay_one(ctrl, cmd->data, cmd->len);
	return err;
}

/* --- commands -------------------------------------------------------------- */

/* They stay what they are while the queue is open. */
static void vmdev_ctrl_read_limits(const struct vmdev_dev *dev,
				   struct vmdev_ctrl_limits *limits)
{
	struct vmdev_hw *hw = dev->hw;
	u8 key = 0;

	*limits = (struct vmdev_ctrl_limits) {
		.features = dev->features,
		.max_vqp = dev->prov.max_vqp,
	};
	if (!(dev->features & (BIT_ULL(VIRTIO_NET_F_RSS) |
			       BIT_ULL(VIRTIO_NET_F_HASH_REPORT))))
		return;
	if (hw->caps.config_size >
	    offsetof(struct virtio_net_config, rss_max_key_size))
		hw->ops->config_read(hw, offsetof(struct virtio_net_config,
						  rss_max_key_size), &key, 1);
	limits->rss_key_max = key;
	limits->rss_table_max =
		vmdev_config_le16(hw, offsetof(struct virtio_net_config,
					       rss_max_indirection_table_length));
}

/* From the pieces that the driver wants read to @ctrl->cmd, as much as it holds. */
static int vmdev_ctrl_gather(struct vmdev_ctrl *ctrl,
			     const struct vmdev_vring_chain *chain)
{
	const struct vmdev_as *as = &ctrl->dev->mem.as[ctrl->asid];
	u32 part, left = VMDEV_CTRL_OUT_MAX;
	u8 *to = ctrl->cmd;
	int err = 0;
	u16 i;

	for (i = 0; i < chain->nread && !err; i++) {
		part = min(chain->segs[i].len, left);
		err = vmdev_as_read(as, chain->segs[i].addr, to, part,
				    VHOST_ACCESS_RO);
		to += part;
		left -= part;
	}
	return err;
}

/*
 * The pages that the answer goes to are held: until it is there hardware may take
 * its time, and without vmdev_parent.lock they may be unmapped. A host driver's are its own
 * until it is answered.
 */
static int vmdev_ctrl_hold(struct vmdev_ctrl *ctrl, u64 iova, u32 len)
{
	struct vmdev_dev *dev = ctrl->dev;

	while (len) {
		struct vmdev_ctrl_spot *spot = &ctrl->spots[ctrl->nspots];
		u64 part;

		spot->page = vmdev_as_page(&dev->mem.as[ctrl->asid], iova,
					   VHOST_ACCESS_WO, &spot->offset,
					   &part);
		if (!spot->page)
			return -EFAULT;
		if (dev->mem.user)
			get_page(spot->page);
		spot->len = min_t(u64, part, len);
		ctrl->nspots++;
		iova += spot->len;
		len -= spot->len;
	}
	return 0;
}

/* As much as any answer takes of what the driver wants written. */
static int vmdev_ctrl_hold_all(struct vmdev_ctrl *ctrl,
			       const struct vmdev_vring_chain *chain)
{
	u32 left = VMDEV_CTRL_IN_MAX;
	int err = 0;
	u16 i;

	ctrl->nspots = 0;
	for (i = chain->nread; i < chain->nsegs && left && !err; i++) {
		u32 part = min(chain->segs[i].len, left);

		err = vmdev_ctrl_hold(ctrl, chain->segs[i].addr, part);
		left -= part;
	}
	return err;
}

static void vmdev_ctrl_let_go(struct vmdev_ctrl *ctrl)
{
	while (ctrl->dev->mem.user && ctrl->nspots)
		put_page(ctrl->spots[--ctrl->nspots].page);
}

/* To the pieces that the driver wants written. */
static void vmdev_ctrl_scatter(struct vmdev_ctrl *ctrl,
			       const struct vmdev_vring_chain *chain,
			       const u8 *from, u32 len)
{
	struct vmdev_dev *dev = ctrl->dev;
	u32 part, left = len;
	u16 i;

	for (i = 0; left; i++) {
		const struct vmdev_ctrl_spot *spot = &ctrl->spots[i];

		part = min(spot->len, left);
		memcpy_to_page(spot->page, spot->offset, from, part);
		if (dev->mem.user)
			set_page_dirty_lock(spot->page);
		from += part;
		left -= part;
	}
	for (i = chain->nread; len; i++) {
		part = min(chain->segs[i].len, len);
		vmdev_log_mark(dev, ctrl->asid, chain->segs[i].addr, part);
		len -= part;
	}
}

static const u8 *vmdev_ctrl_data(const struct vmdev_ctrl *ctrl)
{
	return ctrl->cmd + sizeof(struct virtio_net_ctrl_hdr);
}

/* Of a command that makes sense. */
static bool vmdev_ctrl_sets_mac(const struct vmdev_ctrl *ctrl)
{
	return ctrl->cmd[0] == VIRTIO_NET_CTRL_MAC &&
	       ctrl->cmd[1] == VIRTIO_NET_CTRL_MAC_ADDR_SET;
}

/* @ctrl->cmd makes sense: have it done. An error if the hardware is of no use any more. */
static int vmdev_ctrl_forward(struct vmdev_ctrl *ctrl, u32 len, u32 in_len,
			      u8 *ack)
{
	struct vmdev_ctrl_cmd *memo;
	int err;

	*ack = VIRTIO_NET_ERR;
	if (vmdev_ctrl_reserve(ctrl->cmd, len, &memo))
		return 0;
	err = vmdev_ctrl_hw_send(ctrl, ctrl->cmd, len, in_len);
	if (!err) {
		*ack = VIRTIO_NET_OK;
		vmdev_ctrl_remember(&ctrl->state, ctrl->cmd, memo);
		if (vmdev_ctrl_sets_mac(ctrl)) {
			ether_addr_copy(ctrl->dev->driver_mac,
					vmdev_ctrl_data(ctrl));
			ctrl->dev->generation++;
		}
		return 0;
	}
	kfree(memo);
	return err == -EIO ? 0 : err;
}

static bool vmdev_ctrl_any_data(const struct vmdev_dev *dev)
{
	u16 i;

	for (i = 0; i < dev->nvqs; i++)
		if (dev->vqs[i].on && !dev->vqs[i].served)
			return true;
	return false;
}

/*
 * QEMU has its guest read the device's MAC address, and does not read it itself:
 * before it enables the queues it sets that of its own command line, or a default,
 * which then nobody has. A guest that wants another address sets it later on.
 */
static bool vmdev_ctrl_mac_is_qemus(struct vmdev_ctrl *ctrl)
{
	const u8 *mac = vmdev_ctrl_data(ctrl);
	struct vmdev_dev *dev = ctrl->dev;
	u8 shown[ETH_ALEN];

	if (!dev->mem.user || !vmdev_ctrl_sets_mac(ctrl) ||
	    is_zero_ether_addr(dev->user_mac) ||
	    memcmp(mac, dev->user_mac, ETH_ALEN) || vmdev_ctrl_any_data(dev))
		return false;
	vmdev_config_get(dev, 0, shown, ETH_ALEN);
	/* Where none is shown QEMU shows its own. */
	if (!memcmp(mac, shown, ETH_ALEN) || !is_valid_ether_addr(shown))
		return false;
	dev_info_ratelimited(&dev->vdpa.dev,
			     "MAC address %pM of user space's is not the device's: it stays %pM\n",
			     dev->user_mac, shown);
	return true;
}

/* What the driver is to be told, @in_len bytes, is in @in. */
static int vmdev_ctrl_command(struct vmdev_ctrl *ctrl, u32 len, u32 room,
			      u8 *in, u32 *in_len)
{
	const char *why;
	int err;

	in[0] = VIRTIO_NET_ERR;
	*in_len = min(room, 1u);
	why = len > VMDEV_CTRL_OUT_MAX ? "too long" :
	      vmdev_ctrl_check(&ctrl->limits, ctrl->cmd, len);
	if (!why && room < 1 + vmdev_ctrl_result_len(ctrl->cmd))
		why = "no room for its answer";
	if (why) {
		dev_warn_ratelimited(&ctrl->dev->vdpa.dev,
				     "control command refused: %s (%*ph, %u bytes)\n",
				     why, min_t(int, len, 2), ctrl->cmd, len);
		return 0;
	}

	if (vmdev_ctrl_mac_is_qemus(ctrl)) {
		in[0] = VIRTIO_NET_OK;
		return 0;
	}
	room = 1 + vmdev_ctrl_result_len(ctrl->cmd);
	err = vmdev_ctrl_forward(ctrl, len, room, &in[0]);
	dev_dbg(&ctrl->dev->vdpa.dev, "control command %*ph: %s\n",
		min_t(int, len, 16), ctrl->cmd,
		in[0] == VIRTIO_NET_OK ? "ok" : "refused");
	if (in[0] == VIRTIO_NET_OK && room > 1) {
		memcpy(in + 1, ctrl->hw.in + 1, room - 1);
		*in_len = room;
	}
	return err;
}

/* One command that was popped. An error, with a line, if it is the last one. */
static int vmdev_ctrl_serve_one(struct vmdev_ctrl *ctrl,
				const struct vmdev_vring_chain *chain)
{
	u8 in[VMDEV_CTRL_IN_MAX];
	int err = 0, fault = 0;
	u32 in_len = 0;

	fault = vmdev_ctrl_hold_all(ctrl, chain);
	if (!fault)
		fault = vmdev_ctrl_gather(ctrl, chain);
	if (!fault) {
		err = vmdev_ctrl_command(ctrl, chain->read_len,
					 chain->write_len, in, &in_len);
		vmdev_ctrl_scatter(ctrl, chain, in, in_len);
	}
	vmdev_ctrl_let_go(ctrl);
	if (fault)
		return vmdev_vring_broken(&ctrl->guest,
					  "buffer is outside of its memory");

	vmdev_vring_push(&ctrl->guest, chain->id, chain->slots, in_len);
	if (err)
		dev_err_ratelimited(&ctrl->dev->vdpa.dev,
				    "hardware does not answer control commands: %pe\n",
				    ERR_PTR(err));
	return err;
}

static void vmdev_ctrl_tell(struct vmdev_ctrl *ctrl)
{
	struct vmdev_vq *vq = &ctrl->dev->vqs[ctrl->index];

	if (!vmdev_vring_publish(&ctrl->guest))
		return;
	atomic64_inc(&vq->events);
	vmdev_call(&vq->cb_lock, &vq->cb);
}

/* A batch of commands; 1 if there may be more, 0 if there are none. */
static int vmdev_ctrl_batch(struct vmdev_ctrl *ctrl)
{
	struct vmdev_vring_chain chain = {
		.segs = ctrl->segs,
		.max = VMDEV_CHAIN_MAX,
	};
	unsigned long end = jiffies + msecs_to_jiffies(VMDEV_CTRL_BATCH_MS);
	int got, err, budget = VMDEV_CTRL_BUDGET;

	vmdev_vring_kicks_off(&ctrl->guest);
	do {
		while ((got = vmdev_vring_pop(&ctrl->guest, &chain)) > 0) {
			err = vmdev_ctrl_serve_one(ctrl, &chain);
			vmdev_ctrl_tell(ctrl);
			if (err)
				return err;
			/* Others wait for the device, too. */
			if (!--budget || time_after(jiffies, end))
				return 1;
		}
	} while (!got && vmdev_vring_kicks_on(&ctrl->guest));
	return got;
}

static void vmdev_ctrl_serve(struct vmdev_ctrl *ctrl)
{
	struct vmdev_dev *dev = ctrl->dev;
	struct vmdev_vq *vq = &dev->vqs[ctrl->index];
	int got;

	if (!vq->served || !vq->conf.enabled || dev->needs_reset ||
	    !vmdev_usable(dev))
		return;

	got = vmdev_ctrl_batch(ctrl);
	if (got < 0) {
		const char *why = ctrl->guest.why;

		if (why)
			dev_err_ratelimited(&dev->vdpa.dev,
					    "queue %u is broken: %s\n",
					    ctrl->index, why);
		else
			why = "hardware did not carry out a control command";
		trace_vmdev_vq_broken(&dev->vdpa.dev, ctrl->index, why);
		vmdev_break(dev, why);
	} else if (got) {
		vmdev_ctrl_kick(dev);
	} else if (READ_ONCE(vq->doorbell)) {
		schedule_delayed_work(&ctrl->work,
				      msecs_to_jiffies(VMDEV_CTRL_POLL_MS));
	}
}

/**
 * vmdev_ctrl_work() - carry out what is in the driver's queue
 * @work: vmdev_ctrl.work
 *
 * Context: may sleep; takes vmdev_parent.lock.
 */
void vmdev_ctrl_work(struct work_struct *work)
{
	struct vmdev_ctrl *ctrl = container_of(to_delayed_work(work),
					       struct vmdev_ctrl, work);
	struct vmdev_parent *parent = ctrl->dev->parent;

	mutex_lock(&parent->lock);
	vmdev_ctrl_serve(ctrl);
	mutex_unlock(&parent->lock);
}

/**
 * vmdev_ctrl_kick() - there may be commands
 * @dev: a device whose control queue is served, or was just now
 *
 * Context: any.
 */
void vmdev_ctrl_kick(struct vmdev_dev *dev)
{
	mod_delayed_work(system_percpu_wq, &dev->ctrl->work, 0);
}

/* --- the driver's side ----------------------------------------------------- */

static int vmdev_ctrl_read(void *ctx, u64 iova, void *buf, u32 len)
{
	struct vmdev_ctrl *ctrl = ctx;

	return vmdev_as_read(&ctrl->dev->mem.as[ctrl->asid], iova, buf, len,
			     VHOST_ACCESS_RO);
}

/**
 * vmdev_ctrl_open() - get ready to serve the driver's control queue
 * @dev: the device, with features negotiated
 * @i: the queue, configured, and not open
 *
 * Context: may sleep; vmdev_parent.lock held.
 * Return: 0; -EINVAL or -EILSEQ for a ring, or a state of it, that cannot be;
 * -EFAULT for one that is not in mapped memory; -ENOMEM; all with a line.
 */
int vmdev_ctrl_open(struct vmdev_dev *dev, u16 i)
{
	struct vmdev_ctrl *ctrl = dev->ctrl;
	int err;

	lockdep_assert_held(&dev->parent->lock);

	err = vmdev_vq_check(dev, i, false);
	if (!err && !dev->mem.user)
		err = vmdev_mem_host(dev);
	if (err)
		return err;

	ctrl->index = i;
	ctrl->asid = vmdev_vq_asid(dev, i);
	vmdev_ctrl_read_limits(dev, &ctrl->limits);
	err = vmdev_ring_open(dev, i, vmdev_ctrl_read, ctrl, &ctrl->mem,
			      &ctrl->guest);
	if (err) {
		dev_err_ratelimited(&dev->vdpa.dev,
				    "queue %u cannot be served: %pe\n", i,
				    ERR_PTR(err));
		return err;
	}
	/* Who sees it sees the rest: kicks come without any lock. */
	smp_store_release(&dev->vqs[i].served, true);
	return 0;
}

/**
 * vmdev_ctrl_tell_state() - where the driver's control queue is
 * @dev: the device
 * @state: the answer
 *
 * Context: vmdev_parent.lock held, and the queue open.
 */
void vmdev_ctrl_tell_state(const struct vmdev_dev *dev,
			   struct vdpa_vq_state *state)
{
	vmdev_ring_tell_state(&dev->ctrl->guest, state);
}

/**
 * vmdev_ctrl_close() - the reverse of vmdev_ctrl_open()
 * @dev: the device
 * @i: the queue, open
 * @state: where the ring goes on, if anybody wants to know. NULL: nobody looks at
 *	it again, and nothing is written to it
 *
 * Context: may sleep; vmdev_parent.lock held.
 */
void vmdev_ctrl_close(struct vmdev_dev *dev, u16 i,
		      struct vdpa_vq_state *state)
{
	struct vmdev_ctrl *ctrl = dev->ctrl;

	WRITE_ONCE(dev->vqs[i].served, false);
	if (state) {
		/* Whoever goes on with the ring finds it asking for kicks. */
		vmdev_vring_kicks_on(&ctrl->guest);
		vmdev_ctrl_tell_state(dev, state);
	}
	vmdev_log_ring(dev, i);
	vmdev_ring_mem_unmap(&ctrl->mem);
}

/**
 * vmdev_ctrl_forget() - the driver reset its device
 * @dev: the device, its control queue closed
 *
 * Context: may sleep; vmdev_parent.lock held.
 */
void vmdev_ctrl_forget(struct vmdev_dev *dev)
{
	if (dev->ctrl)
		vmdev_ctrl_state_forget(&dev->ctrl->state);
	eth_zero_addr(dev->driver_mac);
	vmdev_mem_no_host(dev);
}
