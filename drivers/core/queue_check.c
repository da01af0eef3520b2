// SPDX-License-Identifier: GPL-2.0
/*
 * Virtqueues: their numbers, and whether what the driver said of one can run.
 */
#include <linux/log2.h>
#include <linux/virtio_config.h>
#include <linux/virtio_net.h>
#include <uapi/linux/vhost_types.h>
#include <uapi/linux/virtio_ring.h>

#include "vmdev.h"

/* virtio 1.2, 2.7 and 2.8: sizes and alignments of the areas of a queue. */
#define VMDEV_DESC_ALIGN	16
#define VMDEV_DRIVER_ALIGN	4
#define VMDEV_AVAIL_ALIGN	2
#define VMDEV_USED_ALIGN	4

/**
 * vmdev_cvq() - number of the control queue as the driver counts
 * @dev: the device
 *
 * Context: vmdev_parent.lock held.
 * Return: its number, U16_MAX without one.
 */
u16 vmdev_cvq(const struct vmdev_dev *dev)
{
	if (!vmdev_is_net(dev->parent->hw) ||
	    !(dev->prov.features & BIT_ULL(VIRTIO_NET_F_CTRL_VQ)))
		return U16_MAX;
	return vmdev_is_multiqueue(dev) ? 2 * dev->prov.max_vqp : 2;
}

/**
 * vmdev_hw_vq() - number in hardware of a queue of the driver
 * @dev: the device
 * @vq: number as the driver counts
 *
 * The control queue comes after all queue pairs, of which the driver may have
 * been given fewer than there are (virtio 1.2, 5.1.2).
 *
 * Context: vmdev_parent.lock held.
 */
u16 vmdev_hw_vq(const struct vmdev_dev *dev, u16 vq)
{
	if (vq == vmdev_cvq(dev) && vmdev_is_multiqueue(dev))
		return dev->parent->cvq;
	return vq;
}

/**
 * vmdev_hw_cvq() - number of the hardware's own control queue
 * @dev: the device
 * @features: what was negotiated with the hardware
 *
 * It may have one of which the driver knows nothing.
 *
 * Context: vmdev_parent.lock held.
 * Return: its number, U16_MAX without one.
 */
u16 vmdev_hw_cvq(const struct vmdev_dev *dev, u64 features)
{
	if (!vmdev_is_net(dev->hw) ||
	    !(features & BIT_ULL(VIRTIO_NET_F_CTRL_VQ)))
		return U16_MAX;
	return vmdev_is_multiqueue(dev) ? dev->parent->cvq : 2;
}

/**
 * vmdev_vq_exists() - has the device such a queue, as its driver made it?
 * @dev: the device
 * @vq: number as the driver counts, one that it was offered
 *
 * Some clients (DPDK) set up a control queue that they did not negotiate.
 *
 * Context: vmdev_parent.lock held.
 */
bool vmdev_vq_exists(const struct vmdev_dev *dev, u16 vq)
{
	if (!vmdev_is_net(dev->parent->hw))
		return true;
	if (vq == vmdev_cvq(dev))
		return dev->features & BIT_ULL(VIRTIO_NET_F_CTRL_VQ);
	/* What is beyond may be the control queue to hardware, which is the core's. */
	return vq < 2 || vmdev_is_multiqueue(dev);
}

/**
 * vmdev_size_max() - the largest ring that any queue can have
 * @dev: the device
 *
 * Context: any. Pure.
 */
u16 vmdev_size_max(const struct vmdev_dev *dev)
{
	u16 i, max = 0;

	for (i = 0; i < dev->nvqs; i++)
		max = max(max, dev->parent->hw->caps.vq_size[i]);
	return min_t(u16, max, VMDEV_VQ_SIZE_MAX);
}

/**
 * vmdev_vq_size_max() - largest ring that a queue can have
 * @dev: the device
 * @vq: number as the driver counts
 *
 * The control queue is the core's business: it is as large as any.
 *
 * Context: vmdev_parent.lock held.
 */
u16 vmdev_vq_size_max(const struct vmdev_dev *dev, u16 vq)
{
	const struct vmdev_hw_caps *caps = &dev->parent->hw->caps;

	if (vq == vmdev_cvq(dev))
		return vmdev_size_max(dev);
	if (vq >= caps->nvqs)
		return 0;
	return min_t(u16, caps->vq_size[vq], VMDEV_VQ_SIZE_MAX);
}

/**
 * vmdev_state_fresh() - is that where a ring begins?
 * @dev: the device, with features negotiated
 * @state: the state of one of its queues
 */
bool vmdev_state_fresh(const struct vmdev_dev *dev,
		       const struct vdpa_vq_state *state)
{
	if (!vmdev_is_packed(dev))
		return !state->split.avail_index;

	return !state->packed.last_avail_idx && !state->packed.last_used_idx &&
	       state->packed.last_avail_counter &&
	       state->packed.last_used_counter;
}

/**
 * vmdev_ring_areas() - where is a ring, and what must be there?
 * @dev: the device, with features negotiated
 * @conf: the ring as its driver configured it
 * @areas: the answer
 *
 * Context: any. Pure.
 */
void vmdev_ring_areas(const struct vmdev_dev *dev,
		      const struct vmdev_vq_conf *conf,
		      struct vmdev_ring_area areas[VMDEV_RING_PARTS])
{
	bool packed = vmdev_is_packed(dev);
	u64 num = conf->size;
	u64 event = dev->features & BIT_ULL(VIRTIO_RING_F_EVENT_IDX) ?
		    sizeof(__virtio16) : 0;

	areas[VMDEV_RING_DESC] = (struct vmdev_ring_area) {
		.iova = conf->desc,
		.len = num * sizeof(struct vring_desc),
		.align = VMDEV_DESC_ALIGN,
		.perm = packed ? VHOST_ACCESS_RW : VHOST_ACCESS_RO,
	};
	areas[VMDEV_RING_DRIVER] = (struct vmdev_ring_area) {
		.iova = conf->driver,
		.len = packed ? sizeof(struct vring_packed_desc_event) :
		       sizeof(struct vring_avail) + num * sizeof(__virtio16) +
		       event,
		.align = packed ? VMDEV_DRIVER_ALIGN : VMDEV_AVAIL_ALIGN,
		.perm = VHOST_ACCESS_RO,
	};
	areas[VMDEV_RING_DEVICE] = (struct vmdev_ring_area) {
		.iova = conf->device,
		.len = packed ? sizeof(struct vring_packed_desc_event) :
		       sizeof(struct vring_used) +
		       num * sizeof(struct vring_used_elem) + event,
		.align = VMDEV_USED_ALIGN,
		.perm = VHOST_ACCESS_WO,
	};
}

/**
 * vmdev_vq_asid() - address space of a queue
 * @dev: the device
 * @vq: number as the driver counts
 *
 * Context: vmdev_parent.lock held.
 */
u8 vmdev_vq_asid(const struct vmdev_dev *dev, u16 vq)
{
	return dev->mem.group_as[vq == vmdev_cvq(dev) ? VMDEV_GROUP_CTRL :
				 VMDEV_GROUP_DATA];
}

/* Under vhost-vdpa what the device cannot reach would be a DMA fault. */
static bool vmdev_ring_mapped(struct vmdev_dev *dev, u16 vq,
			      const struct vmdev_ring_area *areas)
{
	u8 asid = vmdev_vq_asid(dev, vq);
	int i;

	if (!dev->mem.user)
		return true;
	for (i = 0; i < VMDEV_RING_PARTS; i++)
		if (!vmdev_mem_covers(dev, asid, areas[i].iova, areas[i].len,
				      areas[i].perm))
			return false;
	return true;
}

static bool vmdev_ring_aligned(const struct vmdev_ring_area *areas)
{
	int i;

	for (i = 0; i < VMDEV_RING_PARTS; i++)
		if (!IS_ALIGNED(areas[i].iova, areas[i].align))
			return false;
	return true;
}

/**
 * vmdev_ring_fits_hw() - is a ring where the hardware can run it?
 * @dev: the device
 * @i: the queue, configured
 *
 * Rings of the core's own begin with their descriptors, and with a page.
 *
 * Context: vmdev_parent.lock held.
 */
bool vmdev_ring_fits_hw(const struct vmdev_dev *dev, u16 i)
{
	u32 align = dev->parent->hw->caps.desc_align;

	return !align || IS_ALIGNED(dev->vqs[i].conf.desc, align);
}

/**
 * vmdev_ring_check_direct() - vmdev_ring_fits_hw(), of a queue that is to be direct
 * @dev: the device
 * @i: the queue, configured
 *
 * Context: vmdev_parent.lock held.
 * Return: 0, or -EOPNOTSUPP with one line.
 */
int vmdev_ring_check_direct(struct vmdev_dev *dev, u16 i)
{
	if (vmdev_ring_fits_hw(dev, i))
		return 0;
	dev_err_ratelimited(&dev->vdpa.dev,
			    "queue %u cannot run: %s, and hardware wants descriptors aligned to %u bytes, they are at %#llx\n",
			    i, dev->mem.user ? "policy is direct" :
			    "a driver of the host has the device",
			    dev->parent->hw->caps.desc_align,
			    dev->vqs[i].conf.desc);
	return -EOPNOTSUPP;
}

static const char *vmdev_vq_fault(struct vmdev_dev *dev, u16 i, bool direct)
{
	const struct vmdev_vq_conf *conf = &dev->vqs[i].conf;
	const struct vmdev_hw_caps *caps = &dev->parent->hw->caps;
	struct vmdev_ring_area areas[VMDEV_RING_PARTS];

	vmdev_ring_areas(dev, conf, areas);
	if (!vmdev_vq_size_max(dev, i))
		return "hardware has no such queue";
	if (conf->size > vmdev_vq_size_max(dev, i))
		return "ring is larger than it may be";
	if (conf->size < caps->vq_size_min)
		return "ring is smaller than the hardware's smallest";
	if (!vmdev_is_packed(dev) && !is_power_of_2(conf->size))
		return "ring size is not a power of two";
	if (!vmdev_ring_aligned(areas))
		return "ring is not aligned";
	if (!vmdev_ring_mapped(dev, i, areas))
		return "ring is not in mapped memory";
	if (dev->vqs[i].state_lost)
		return "nobody knows where it was stopped";
	if (direct && !(caps->caps & VMDEV_CAP_STATE) &&
	    !vmdev_state_fresh(dev, &conf->state))
		return "hardware can only start at the beginning of a ring";
	return NULL;
}

/**
 * vmdev_vq_check() - can a queue run as the driver configured it?
 * @dev: the device, with features negotiated
 * @vq: number as the driver counts
 * @direct: the hardware is to run the driver's ring itself
 *
 * Context: vmdev_parent.lock held.
 * Return: 0, or -EINVAL with a line that says why not.
 */
int vmdev_vq_check(struct vmdev_dev *dev, u16 vq, bool direct)
{
	const char *fault = vmdev_vq_fault(dev, vq, direct);

	if (!fault)
		return 0;
	dev_err_ratelimited(&dev->vdpa.dev,
			    "queue %u (size %u, at most %u) refused: %s\n", vq,
			    dev->vqs[vq].conf.size, vmdev_vq_size_max(dev, vq),
			    fault);
	return -EINVAL;
}
