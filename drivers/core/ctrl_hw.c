// SPDX-License-Identifier: GPL-2.0
/*
 * The hardware's control queue: a ring of the core's own, one command at a time.
 *
 * The ring lives as long as the hardware runs. Nobody sleeps on its interrupt:
 * commands are rare, and answered at once as a rule.
 *
 * Source: virtio 1.3, 5.1.6.5 (control queue), 2.7 and 2.8 (rings), 2.9
 * (notification data).
 */
#include <linux/delay.h>
#include <linux/mm.h>
#include <linux/virtio_config.h>
#include <linux/virtio_net.h>
#include <uapi/linux/virtio_ring.h>

#include "netctrl.h"
#include "window.h"

/* How long hardware may take for a command, and how soon it is looked at again. */
#define VMDEV_CTRL_WAIT_US	(2 * USEC_PER_SEC)
#define VMDEV_CTRL_LOOK_US	10
#define VMDEV_CTRL_LOOK_MAX_US	1000

/* Of a command: what hardware reads, and what it writes. */
#define VMDEV_CTRL_PIECES	2

/* No device answers so. */
#define VMDEV_CTRL_NO_ACK	0xff

/**
 * struct vmdev_ctrl_area - all that the hardware sees
 * @desc: descriptor area of either format
 * @driver: driver area of either format
 * @out: command
 * @device: device area of either format
 * @in: answer
 *
 * The guest's own buffers are in the same domain, and what its driver calls a
 * buffer for packets hardware writes: commands must not be. So up to @device all
 * is read-only to the hardware. But on a packed ring it writes descriptors.
 */
struct vmdev_ctrl_area {
	struct vring_desc desc[VMDEV_CTRL_RING];
	__virtio16 driver[3 + VMDEV_CTRL_RING] __aligned(4);
	u8 out[VMDEV_CTRL_OUT_MAX];
	u8 device[sizeof(struct vring_used) + sizeof(__virtio16) +
		  VMDEV_CTRL_RING * sizeof(struct vring_used_elem)]
		__aligned(PAGE_SIZE);
	u8 in[VMDEV_CTRL_IN_MAX] __aligned(SMP_CACHE_BYTES);
};

static void vmdev_ctrl_hw_conf(const struct vmdev_ctrl *ctrl, u16 size,
			       struct vmdev_vq_conf *conf)
{
	u64 iova = ctrl->hw.iova;

	*conf = (struct vmdev_vq_conf) {
		.desc = iova + offsetof(struct vmdev_ctrl_area, desc),
		.driver = iova + offsetof(struct vmdev_ctrl_area, driver),
		.device = iova + offsetof(struct vmdev_ctrl_area, device),
		.size = size,
		.enabled = true,
		.software = true,
	};
	if (vmdev_is_packed(ctrl->dev)) {
		conf->state.packed.last_avail_counter = 1;
		conf->state.packed.last_used_counter = 1;
	}
}

/**
 * vmdev_ctrl_hw_prepare() - get the ring ready that hardware shall run
 * @ctrl: the control queue, with features negotiated; not prepared already
 * @vq: its number in hardware
 * @hw_conf: filled in: what the hardware is to run
 *
 * Context: may sleep; vmdev_parent.lock held.
 * Return: 0; -EINVAL if hardware has no such queue, or one that is too small; -ENOMEM.
 */
int vmdev_ctrl_hw_prepare(struct vmdev_ctrl *ctrl, u16 vq,
			  struct vmdev_vq_conf *hw_conf)
{
	const struct vmdev_hw_caps *caps = &ctrl->dev->hw->caps;
	struct vmdev_ctrl_hw *hw = &ctrl->hw;
	struct vmdev_drv_conf conf = {
		.features = ctrl->dev->features,
		.descs = hw->descs,
	};
	struct vmdev_ctrl_area *area;

	lockdep_assert_held(&ctrl->dev->parent->lock);

	if (vq >= caps->nvqs || ctrl->dev->parent->cvq >= caps->nvqs)
		return -EINVAL;
	conf.num = min_t(u16, caps->vq_size[ctrl->dev->parent->cvq],
			 VMDEV_CTRL_RING);
	if (conf.num < VMDEV_CTRL_PIECES)
		return -EINVAL;
	area = vmdev_window_alloc(ctrl->dev, sizeof(*area),
				  vmdev_is_packed(ctrl->dev) ? 0 :
				  offsetof(struct vmdev_ctrl_area, device),
				  &hw->iova);
	if (!area)
		return -ENOMEM;

	hw->vq = vq;
	hw->area = area;
	hw->out = area->out;
	hw->in = area->in;
	conf.desc = area->desc;
	conf.driver = area->driver;
	conf.device = area->device;
	if (vmdev_drv_init(&hw->ring, &conf)) {
		vmdev_ctrl_hw_release(ctrl);
		return -EINVAL;
	}
	vmdev_drv_interrupts_off(&hw->ring);
	vmdev_ctrl_hw_conf(ctrl, conf.num, hw_conf);
	hw->on = true;
	return 0;
}

/**
 * vmdev_ctrl_hw_release() - the reverse of vmdev_ctrl_hw_prepare()
 * @ctrl: the control queue; the hardware does not have the ring, if it was prepared
 *
 * Context: may sleep; vmdev_parent.lock held.
 */
void vmdev_ctrl_hw_release(struct vmdev_ctrl *ctrl)
{
	struct vmdev_ctrl_hw *hw = &ctrl->hw;

	vmdev_window_free(ctrl->dev, hw->area);
	hw->area = NULL;
	hw->on = false;
}

static void vmdev_ctrl_hw_kick(struct vmdev_ctrl *ctrl)
{
	const struct vmdev_drv *ring = &ctrl->hw.ring;
	struct vmdev_hw *hw = ctrl->dev->hw;
	u32 next = ring->avail;

	if (!(ctrl->dev->features & BIT_ULL(VIRTIO_F_NOTIFICATION_DATA))) {
		hw->ops->kick(hw, ctrl->hw.vq);
		return;
	}
	/* Where the next offer will be, the wrap counter in bit 15. */
	if (ring->packed)
		next |= ring->avail_wrap ? BIT(15) : 0;
	hw->ops->kick_with_data(hw, ctrl->hw.vq, next << 16);
}

/* 1 when the hardware has answered, with @len bytes; 0 when it has not yet. */
static int vmdev_ctrl_hw_take(struct vmdev_ctrl *ctrl, u32 *len)
{
	struct vmdev_drv *ring = &ctrl->hw.ring;
	int got;
	u16 id;

	got = vmdev_drv_take(ring, &id, len);
	if (got > 0)
		vmdev_drv_free(ring, id);
	return got;
}

/* Only who reads a register learns that hardware is gone. */
static bool vmdev_ctrl_hw_there(struct vmdev_ctrl *ctrl)
{
	struct vmdev_hw *hw = ctrl->dev->hw;

	if (vmdev_usable(ctrl->dev))
		hw->ops->status(hw);
	return vmdev_usable(ctrl->dev);
}

static int vmdev_ctrl_hw_wait(struct vmdev_ctrl *ctrl, u32 *len)
{
	u32 waited = 0, look = VMDEV_CTRL_LOOK_US;
	int got;

	while (!(got = vmdev_ctrl_hw_take(ctrl, len))) {
		if (look == VMDEV_CTRL_LOOK_MAX_US && !vmdev_ctrl_hw_there(ctrl))
			return -ENODEV;
		if (waited >= VMDEV_CTRL_WAIT_US)
			return -ETIMEDOUT;
		fsleep(look);
		waited += look;
		look = min(2 * look, VMDEV_CTRL_LOOK_MAX_US);
	}
	return got < 0 ? got : 0;
}

/**
 * vmdev_ctrl_hw_send() - have the hardware carry out a command
 * @ctrl: the control queue, which hardware runs
 * @data: the command, class and command first
 * @len: bytes, at most VMDEV_CTRL_OUT_MAX
 * @in_len: bytes of the answer, 1 to VMDEV_CTRL_IN_MAX; they are in @ctrl->hw.in
 *	afterwards, how it went first
 *
 * Context: may sleep, for 2 s at most; vmdev_parent.lock held.
 * Return: 0 if the hardware says VIRTIO_NET_OK; -EIO if it says anything else, all
 * is as it was then. Other errors mean that the queue is of no use any more:
 * -ETIMEDOUT if it did not answer within 2 s; -EBADMSG if it broke a rule; -ENODEV.
 */
int vmdev_ctrl_hw_send(struct vmdev_ctrl *ctrl, const u8 *data, u32 len,
		       u32 in_len)
{
	struct vmdev_ctrl_hw *hw = &ctrl->hw;
	const struct vmdev_vring_seg segs[VMDEV_CTRL_PIECES] = {
		{
			.addr = hw->iova + offsetof(struct vmdev_ctrl_area, out),
			.len = len,
		}, {
			.addr = hw->iova + offsetof(struct vmdev_ctrl_area, in),
			.len = in_len,
			.write = true,
		},
	};
	u32 got = 0;
	int err;

	lockdep_assert_held(&ctrl->dev->parent->lock);

	if (!vmdev_usable(ctrl->dev))
		return -ENODEV;
	/* One that was not answered is still out: the hardware has the buffers. */
	if (!hw->on || hw->ring.out || len > VMDEV_CTRL_OUT_MAX ||
	    !in_len || in_len > VMDEV_CTRL_IN_MAX)
		return -EBADMSG;

	memcpy(hw->out, data, len);
	memset(hw->in, 0, in_len);
	hw->in[0] = VMDEV_CTRL_NO_ACK;
	vmdev_drv_add(&hw->ring, segs, VMDEV_CTRL_PIECES);
	/* Whatever it says of kicks: a lost one is a driver that hangs. */
	vmdev_drv_offer(&hw->ring);
	vmdev_ctrl_hw_kick(ctrl);

	err = vmdev_ctrl_hw_wait(ctrl, &got);
	if (err)
		return err;
	return READ_ONCE(hw->in[0]) == VIRTIO_NET_OK ? 0 : -EIO;
}
