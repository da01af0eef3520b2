// SPDX-License-Identifier: GPL-2.0
/*
 * Commands of the core's own on the control queue of a net device.
 *
 * The driver's control queue goes to the hardware. But a MAC address that was
 * provisioned has to be told to the hardware, or it would filter for its own:
 * so before the driver's queues start the core runs the control queue on a
 * ring of its own for one command, and resets it (RING_RESET). To the driver
 * it is a fresh queue.
 *
 * Source: virtio 1.2, 5.1.6.5 (control queue), 2.7 and 2.8 (rings).
 */
#include <linux/delay.h>
#include <linux/etherdevice.h>
#include <linux/mm.h>
#include <linux/virtio_byteorder.h>
#include <linux/virtio_config.h>
#include <linux/virtio_net.h>
#include <uapi/linux/virtio_ring.h>

#include "vmdev.h"
#include "window.h"

#define VMDEV_CTRL_SIZE		4
#define VMDEV_CTRL_WAIT_US	1000
#define VMDEV_CTRL_TRIES	2000
#define VMDEV_CTRL_NO_ACK	0xff

/* A driver's first lap around a packed ring: available, not used. */
#define VMDEV_PACKED_AVAIL	BIT(VRING_PACKED_DESC_F_AVAIL)
#define VMDEV_PACKED_USED \
	(BIT(VRING_PACKED_DESC_F_AVAIL) | BIT(VRING_PACKED_DESC_F_USED))

/**
 * struct vmdev_ctrl_split - split ring of the core's own
 * @desc: one chain of two
 * @avail: offers it
 * @used: where it comes back
 */
struct vmdev_ctrl_split {
	struct vring_desc desc[VMDEV_CTRL_SIZE];
	struct {
		__virtio16 flags;
		__virtio16 idx;
		__virtio16 ring[VMDEV_CTRL_SIZE];
		__virtio16 used_event;
	} avail;
	struct {
		__virtio16 flags;
		__virtio16 idx;
		struct vring_used_elem ring[VMDEV_CTRL_SIZE];
		__virtio16 avail_event;
	} used __aligned(4);
};

/**
 * struct vmdev_ctrl_packed - packed ring of the core's own
 * @desc: one chain of two
 * @driver: the driver's event suppression
 * @device: the device's
 */
struct vmdev_ctrl_packed {
	struct vring_packed_desc desc[VMDEV_CTRL_SIZE];
	struct vring_packed_desc_event driver;
	struct vring_packed_desc_event device;
};

/**
 * struct vmdev_ctrl_page - all that one command needs, in one page
 * @split: the ring, or
 * @packed: the ring
 * @hdr: the command
 * @mac: its argument
 * @ack: the answer
 */
struct vmdev_ctrl_page {
	union {
		struct vmdev_ctrl_split split;
		struct vmdev_ctrl_packed packed;
	};
	struct virtio_net_ctrl_hdr hdr;
	u8 mac[ETH_ALEN];
	u8 ack;
};

/**
 * struct vmdev_ctrl - the core's own use of a control queue
 * @dev: the device
 * @page: memory that the hardware sees
 * @iova: where it sees it
 * @packed: the ring is packed
 */
struct vmdev_ctrl {
	struct vmdev_dev *dev;
	struct vmdev_ctrl_page *page;
	u64 iova;
	bool packed;
};

static int vmdev_ctrl_alloc(struct vmdev_ctrl *ctrl)
{
	BUILD_BUG_ON(sizeof(struct vmdev_ctrl_page) > PAGE_SIZE);

	ctrl->page = vmdev_window_alloc(ctrl->dev, PAGE_SIZE, &ctrl->iova);
	return ctrl->page ? 0 : -ENOMEM;
}

static void vmdev_ctrl_free(struct vmdev_ctrl *ctrl)
{
	vmdev_window_free(ctrl->dev, ctrl->page);
}

static u64 vmdev_ctrl_out(const struct vmdev_ctrl *ctrl)
{
	return ctrl->iova + offsetof(struct vmdev_ctrl_page, hdr);
}

static u32 vmdev_ctrl_out_len(void)
{
	return offsetofend(struct vmdev_ctrl_page, mac) -
	       offsetof(struct vmdev_ctrl_page, hdr);
}

static u64 vmdev_ctrl_in(const struct vmdev_ctrl *ctrl)
{
	return ctrl->iova + offsetof(struct vmdev_ctrl_page, ack);
}

static void vmdev_ctrl_fill_split(struct vmdev_ctrl *ctrl)
{
	struct vmdev_ctrl_split *ring = &ctrl->page->split;

	ring->desc[0].addr = __cpu_to_virtio64(true, vmdev_ctrl_out(ctrl));
	ring->desc[0].len = __cpu_to_virtio32(true, vmdev_ctrl_out_len());
	ring->desc[0].flags = __cpu_to_virtio16(true, VRING_DESC_F_NEXT);
	ring->desc[0].next = __cpu_to_virtio16(true, 1);
	ring->desc[1].addr = __cpu_to_virtio64(true, vmdev_ctrl_in(ctrl));
	ring->desc[1].len = __cpu_to_virtio32(true, 1);
	ring->desc[1].flags = __cpu_to_virtio16(true, VRING_DESC_F_WRITE);
	ring->avail.flags = __cpu_to_virtio16(true,
					      VRING_AVAIL_F_NO_INTERRUPT);
	ring->avail.idx = __cpu_to_virtio16(true, 1);
}

static void vmdev_ctrl_fill_packed(struct vmdev_ctrl *ctrl)
{
	struct vmdev_ctrl_packed *ring = &ctrl->page->packed;

	ring->desc[0].addr = cpu_to_le64(vmdev_ctrl_out(ctrl));
	ring->desc[0].len = cpu_to_le32(vmdev_ctrl_out_len());
	ring->desc[0].flags = cpu_to_le16(VRING_DESC_F_NEXT |
					  VMDEV_PACKED_AVAIL);
	ring->desc[1].addr = cpu_to_le64(vmdev_ctrl_in(ctrl));
	ring->desc[1].len = cpu_to_le32(1);
	ring->desc[1].flags = cpu_to_le16(VRING_DESC_F_WRITE |
					  VMDEV_PACKED_AVAIL);
	ring->driver.flags = cpu_to_le16(VRING_PACKED_EVENT_FLAG_DISABLE);
}

static void vmdev_ctrl_conf(const struct vmdev_ctrl *ctrl,
			    struct vmdev_vq_conf *conf)
{
	*conf = (struct vmdev_vq_conf) {
		.size = VMDEV_CTRL_SIZE,
		.enabled = true,
	};
	if (ctrl->packed) {
		conf->desc = ctrl->iova +
			offsetof(struct vmdev_ctrl_page, packed.desc);
		conf->driver = ctrl->iova +
			offsetof(struct vmdev_ctrl_page, packed.driver);
		conf->device = ctrl->iova +
			offsetof(struct vmdev_ctrl_page, packed.device);
		conf->state.packed.last_avail_counter = 1;
		conf->state.packed.last_used_counter = 1;
	} else {
		conf->desc = ctrl->iova +
			offsetof(struct vmdev_ctrl_page, split.desc);
		conf->driver = ctrl->iova +
			offsetof(struct vmdev_ctrl_page, split.avail);
		conf->device = ctrl->iova +
			offsetof(struct vmdev_ctrl_page, split.used);
	}
}

static bool vmdev_ctrl_done(const struct vmdev_ctrl *ctrl)
{
	const struct vmdev_ctrl_page *page = ctrl->page;
	bool done;

	if (ctrl->packed)
		done = (le16_to_cpu(READ_ONCE(page->packed.desc[0].flags)) &
			VMDEV_PACKED_USED) == VMDEV_PACKED_USED;
	else
		done = READ_ONCE(page->split.used.idx);
	if (done)
		dma_rmb();
	return done;
}

/* Where the next offer will be (virtio 1.2, 2.9), wrap counter in bit 15. */
static u32 vmdev_ctrl_next(const struct vmdev_ctrl *ctrl)
{
	return ctrl->packed ? BIT(15) | 2 : 1;
}

static int vmdev_ctrl_run(struct vmdev_ctrl *ctrl, u16 cvq)
{
	struct vmdev_hw *hw = ctrl->dev->parent->hw;
	int tries = VMDEV_CTRL_TRIES;

	dma_wmb();
	if (ctrl->dev->features & BIT_ULL(VIRTIO_F_NOTIFICATION_DATA))
		hw->ops->kick_with_data(hw, cvq, vmdev_ctrl_next(ctrl) << 16);
	else
		hw->ops->kick(hw, cvq);
	while (!vmdev_ctrl_done(ctrl)) {
		if (!vmdev_usable(ctrl->dev))
			return -ENODEV;
		if (!--tries)
			return -ETIMEDOUT;
		fsleep(VMDEV_CTRL_WAIT_US);
	}
	return READ_ONCE(ctrl->page->ack) == VIRTIO_NET_OK ? 0 : -EIO;
}

/**
 * vmdev_netctrl_can_set_mac() - can hardware be told a MAC address?
 * @caps: the hardware
 *
 * Context: any. Pure.
 */
bool vmdev_netctrl_can_set_mac(const struct vmdev_hw_caps *caps)
{
	u64 needed = BIT_ULL(VIRTIO_NET_F_MAC) | BIT_ULL(VIRTIO_NET_F_CTRL_VQ) |
		     BIT_ULL(VIRTIO_NET_F_CTRL_MAC_ADDR);

	return caps->device_id == VIRTIO_ID_NET &&
	       (caps->features & needed) == needed &&
	       (caps->caps & VMDEV_CAP_RING_RESET);
}

/**
 * vmdev_netctrl_set_mac() - tell the hardware the MAC address provisioned
 * @dev: the device; features that vmdev_features_to_hw() gave are negotiated,
 *	its hardware is at DRIVER_OK with no queue enabled
 * @cvq: the control queue as the hardware numbers it
 *
 * Context: may sleep; vmdev_parent.lock held.
 * Return: 0, with the control queue fresh again; -EIO if the hardware refused;
 * -ETIMEDOUT if it did not answer within 2 s; -ENOMEM; an error of its ops.
 */
int vmdev_netctrl_set_mac(struct vmdev_dev *dev, u16 cvq)
{
	struct vmdev_hw *hw = dev->parent->hw;
	struct vmdev_ctrl ctrl = {
		.dev = dev,
		.packed = dev->features & BIT_ULL(VIRTIO_F_RING_PACKED),
	};
	struct vmdev_vq_conf conf;
	int err, stop_err;

	lockdep_assert_held(&dev->parent->lock);

	err = vmdev_ctrl_alloc(&ctrl);
	if (err)
		return err;

	ctrl.page->hdr.class = VIRTIO_NET_CTRL_MAC;
	ctrl.page->hdr.cmd = VIRTIO_NET_CTRL_MAC_ADDR_SET;
	ether_addr_copy(ctrl.page->mac, dev->prov.mac);
	ctrl.page->ack = VMDEV_CTRL_NO_ACK;
	if (ctrl.packed)
		vmdev_ctrl_fill_packed(&ctrl);
	else
		vmdev_ctrl_fill_split(&ctrl);
	vmdev_ctrl_conf(&ctrl, &conf);

	err = hw->ops->vq_start(hw, cvq, &conf);
	if (!err) {
		err = vmdev_ctrl_run(&ctrl, cvq);
		stop_err = hw->ops->vq_stop(hw, cvq, NULL);
		/* Hardware that still has the page must lose it first. */
		if (stop_err && vmdev_usable(dev))
			hw->ops->stop(hw, NULL);
		err = err ? : stop_err;
	}
	vmdev_ctrl_free(&ctrl);
	if (err)
		dev_err_ratelimited(&dev->vdpa.dev,
				    "hardware does not take MAC address %pM: %pe\n",
				    dev->prov.mac, ERR_PTR(err));
	return err;
}
