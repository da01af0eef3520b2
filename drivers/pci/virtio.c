// SPDX-License-Identifier: GPL-2.0
/*
 * The virtio-pci modern transport (virtio 1.2, 4.1).
 *
 * Of the kernel's vp_modern_* only mapping and plain registers are used: what
 * waits, or trusts the device, is done here, with bounds.
 */
#include <linux/iopoll.h>
#include <linux/log2.h>
#include <linux/slab.h>
#include <linux/unaligned.h>
#include <linux/virtio_config.h>
#include <linux/virtio_net.h>

#include "vmdev_pci.h"

/* What a register of a function that is not there any more reads as. */
#define VMDEV_PCI_GONE		0xff

/* Resets take microseconds on most hardware, many milliseconds on some. */
#define VMDEV_PCI_POLL_US	100
#define VMDEV_PCI_RESET_US	(5 * USEC_PER_SEC)

/* One that did not, and has lost its DMA, need not be waited for again. */
#define VMDEV_PCI_RETRY_US	(50 * USEC_PER_MSEC)

/* More queues than this no function has. */
#define VMDEV_PCI_VQS_MAX	1024

#define VMDEV_PCI_DRIVER \
	(VIRTIO_CONFIG_S_ACKNOWLEDGE | VIRTIO_CONFIG_S_DRIVER)

static struct virtio_pci_common_cfg __iomem *
vmdev_pci_common(struct vmdev_pci *vp)
{
	return vp->mdev.common;
}

/* Only where RING_RESET is offered: read_caps made sure of its length. */
static struct virtio_pci_modern_common_cfg __iomem *
vmdev_pci_common_modern(struct vmdev_pci *vp)
{
	return (struct virtio_pci_modern_common_cfg __iomem *)vp->mdev.common;
}

static u8 vmdev_pci_get_status(struct vmdev_pci *vp)
{
	u8 status = vp_ioread8(&vmdev_pci_common(vp)->device_status);

	if (status == VMDEV_PCI_GONE)
		vmdev_hw_gone(&vp->hw);
	return status;
}

static void vmdev_pci_set_status(struct vmdev_pci *vp, u8 status)
{
	vp_iowrite8(status, &vmdev_pci_common(vp)->device_status);
}

/**
 * vmdev_pci_status() - the status op
 * @hw: the function
 *
 * Return: device status.
 */
u8 vmdev_pci_status(struct vmdev_hw *hw)
{
	return vmdev_pci_get_status(vmdev_pci(hw));
}

/**
 * vmdev_pci_absent() - is a function gone that reads as all ones?
 * @vp: the function
 *
 * The core is told if it is.
 *
 * Context: any.
 */
bool vmdev_pci_absent(struct vmdev_pci *vp)
{
	return vmdev_pci_get_status(vp) == VMDEV_PCI_GONE;
}

/* Is a register that reads all ones one of a function that is gone? */
static bool vmdev_pci_is_gone(struct vmdev_pci *vp, u16 value)
{
	return value == U16_MAX && vmdev_pci_get_status(vp) == VMDEV_PCI_GONE;
}

/**
 * vmdev_pci_config_pending() - read, and so clear, the ISR's config bit
 * @vp: the function
 *
 * The only way to tell config changes from used buffers when all share one
 * vector (virtio 1.2, 4.1.4.5).
 *
 * Context: any.
 */
bool vmdev_pci_config_pending(struct vmdev_pci *vp)
{
	u8 isr = vp_ioread8(vp->mdev.isr);

	return isr != VMDEV_PCI_GONE && (isr & VIRTIO_PCI_ISR_CONFIG);
}

/**
 * vmdev_pci_dma_off() - no DMA until the function has reset
 * @vp: the function
 *
 * Only a reset by virtio says that it does not go on with what it had: vmdev_pci_reset()
 * alone gives DMA back.
 *
 * Context: may sleep. With the core's lock held, or nobody who could reset the function: else
 * it may have DMA again at once.
 */
void vmdev_pci_dma_off(struct vmdev_pci *vp)
{
	pci_clear_master(vp->pdev);
	vp->master_off = true;
}

/* A function that does not reset must not do DMA any more. Said once, until it does. */
static int vmdev_pci_stuck(struct vmdev_pci *vp)
{
	vmdev_pci_dma_off(vp);
	if (!vp->stuck)
		pci_err(vp->pdev, "does not reset; its DMA was cut off, try to reset the function: echo 1 > /sys/bus/pci/devices/%s/reset\n",
			pci_name(vp->pdev));
	vp->stuck = true;
	return -ETIMEDOUT;
}

static int vmdev_pci_reset(struct vmdev_pci *vp)
{
	u8 status;
	int err;

	vmdev_pci_set_status(vp, 0);
	err = read_poll_timeout(vmdev_pci_get_status, status,
				!status || status == VMDEV_PCI_GONE,
				VMDEV_PCI_POLL_US,
				vp->stuck ? VMDEV_PCI_RETRY_US :
				VMDEV_PCI_RESET_US, false, vp);
	if (status == VMDEV_PCI_GONE) {
		/* Should it be there after all: no DMA into what is freed. */
		vmdev_pci_dma_off(vp);
		return -ENODEV;
	}
	if (err)
		return vmdev_pci_stuck(vp);

	vp->stuck = false;
	if (vp->master_off) {
		pci_set_master(vp->pdev);
		vp->master_off = false;
	}
	return 0;
}

static u64 vmdev_pci_read_features(struct vmdev_pci *vp)
{
	struct virtio_pci_common_cfg __iomem *cfg = vmdev_pci_common(vp);
	u64 features;

	vp_iowrite32(0, &cfg->device_feature_select);
	features = vp_ioread32(&cfg->device_feature);
	vp_iowrite32(1, &cfg->device_feature_select);
	return features | (u64)vp_ioread32(&cfg->device_feature) << 32;
}

static void vmdev_pci_write_features(struct vmdev_pci *vp, u64 features)
{
	struct virtio_pci_common_cfg __iomem *cfg = vmdev_pci_common(vp);

	vp_iowrite32(0, &cfg->guest_feature_select);
	vp_iowrite32(lower_32_bits(features), &cfg->guest_feature);
	vp_iowrite32(1, &cfg->guest_feature_select);
	vp_iowrite32(upper_32_bits(features), &cfg->guest_feature);
}

static int vmdev_pci_negotiate(struct vmdev_hw *hw, u64 features)
{
	struct vmdev_pci *vp = vmdev_pci(hw);
	u8 status;
	int err;

	err = vmdev_pci_reset(vp);
	if (err)
		return err;

	vmdev_pci_set_status(vp, VIRTIO_CONFIG_S_ACKNOWLEDGE);
	vmdev_pci_set_status(vp, VMDEV_PCI_DRIVER);
	vmdev_pci_write_features(vp, features);
	vmdev_pci_set_status(vp, VMDEV_PCI_DRIVER |
			     VIRTIO_CONFIG_S_FEATURES_OK);
	status = vmdev_pci_get_status(vp);
	if (status == VMDEV_PCI_GONE)
		return -ENODEV;
	return status & VIRTIO_CONFIG_S_FEATURES_OK ? 0 : -EINVAL;
}

/* Of the queue that is selected. */
static void vmdev_pci_set_ring(struct vmdev_pci *vp,
			       const struct vmdev_vq_conf *conf)
{
	struct virtio_pci_common_cfg __iomem *cfg = vmdev_pci_common(vp);

	vp_iowrite16(conf->size, &cfg->queue_size);
	vp_iowrite32(lower_32_bits(conf->desc), &cfg->queue_desc_lo);
	vp_iowrite32(upper_32_bits(conf->desc), &cfg->queue_desc_hi);
	vp_iowrite32(lower_32_bits(conf->driver), &cfg->queue_avail_lo);
	vp_iowrite32(upper_32_bits(conf->driver), &cfg->queue_avail_hi);
	vp_iowrite32(lower_32_bits(conf->device), &cfg->queue_used_lo);
	vp_iowrite32(upper_32_bits(conf->device), &cfg->queue_used_hi);
}

/* The queue is selected. One that does not run would be a device that hangs without a word. */
static int vmdev_pci_vq_enable(struct vmdev_pci *vp, u16 vq)
{
	struct virtio_pci_common_cfg __iomem *cfg = vmdev_pci_common(vp);
	u16 enabled;

	vp_iowrite16(1, &cfg->queue_enable);
	if (!vp->vendor || !vp->vendor->tells_enabled)
		return 0;
	enabled = vp_ioread16(&cfg->queue_enable);
	if (vmdev_pci_is_gone(vp, enabled))
		return -ENODEV;
	if (enabled == 1)
		return 0;
	pci_err(vp->pdev, "queue %u does not start: queue_enable reads %u\n", vq,
		enabled);
	return -EIO;
}

/*
 * vp_modern_* would select the queue for each register. A guest that is resumed waits for all
 * accesses of all its queues.
 */
static int vmdev_pci_vq_start(struct vmdev_hw *hw, u16 vq,
			      const struct vmdev_vq_conf *conf)
{
	struct vmdev_pci *vp = vmdev_pci(hw);
	struct virtio_pci_common_cfg __iomem *cfg = vmdev_pci_common(vp);
	u16 vector = conf->software ? vmdev_vectors_software(vp->vectors, vq) :
		     vmdev_vectors_vq(vp->vectors, vq);
	int err = 0;
	u16 max, enabled, got;

	vp_iowrite16(vq, &cfg->queue_select);
	max = vp_ioread16(&cfg->queue_size);
	if (vmdev_pci_is_gone(vp, max))
		return -ENODEV;
	if (conf->size > max) {
		pci_err(vp->pdev, "queue %u has %u entries at most, %u were asked for\n",
			vq, max, conf->size);
		return -EINVAL;
	}
	enabled = vp_ioread16(&cfg->queue_enable);
	if (vmdev_pci_is_gone(vp, enabled))
		return -ENODEV;
	if (enabled) {
		pci_err(vp->pdev, "queue %u is enabled before its time\n", vq);
		return -EBUSY;
	}

	vmdev_pci_set_ring(vp, conf);
	vp_iowrite16(vector, &cfg->queue_msix_vector);
	got = vp_ioread16(&cfg->queue_msix_vector);
	if (got != vector && vmdev_pci_is_gone(vp, got))
		return -ENODEV;
	if (got != vector) {
		pci_err(vp->pdev, "queue %u does not take vector %u\n", vq,
			vector);
		return -EBUSY;
	}
	if (vp->vendor && vp->vendor->vq_start)
		err = vp->vendor->vq_start(vp, vq, conf);
	return err ? : vmdev_pci_vq_enable(vp, vq);
}

static int vmdev_pci_start_vqs(struct vmdev_pci *vp,
			       const struct vmdev_hw_conf *conf)
{
	u16 vector = vmdev_vectors_config(vp->vectors);
	u16 vq, got;
	int err;

	got = vp_modern_config_vector(&vp->mdev, vector);
	if (got != vector && vmdev_pci_is_gone(vp, got))
		return -ENODEV;
	if (got != vector) {
		pci_err(vp->pdev, "config changes do not take vector %u\n",
			vector);
		return -EBUSY;
	}

	if (vp->vendor && vp->vendor->start)
		vp->vendor->start(vp, conf);
	for (vq = 0; vq < conf->nvqs; vq++) {
		if (!conf->vqs[vq].enabled)
			continue;
		err = vmdev_pci_vq_start(&vp->hw, vq, &conf->vqs[vq]);
		if (err)
			return err;
	}
	return 0;
}

static int vmdev_pci_start(struct vmdev_hw *hw,
			   const struct vmdev_hw_conf *conf)
{
	struct vmdev_pci *vp = vmdev_pci(hw);
	u8 status = vmdev_pci_get_status(vp);
	int err;

	if (status == VMDEV_PCI_GONE)
		return -ENODEV;
	if (!(status & VIRTIO_CONFIG_S_FEATURES_OK))
		return -EIO;

	err = vmdev_pci_start_vqs(vp, conf);
	if (err) {
		vmdev_pci_reset(vp);
		return err;
	}

	vmdev_pci_set_status(vp, VMDEV_PCI_DRIVER |
			     VIRTIO_CONFIG_S_FEATURES_OK |
			     VIRTIO_CONFIG_S_DRIVER_OK);
	status = vmdev_pci_get_status(vp);
	return status == VMDEV_PCI_GONE ? -ENODEV : 0;
}

static int vmdev_pci_stop(struct vmdev_hw *hw, struct vdpa_vq_state *states)
{
	struct vmdev_pci *vp = vmdev_pci(hw);
	int err = 0, reset;

	if (states)
		err = vp->vendor->stop(vp, states);
	reset = vmdev_pci_reset(vp);
	return reset ? : err;
}

static u16 vmdev_pci_vq_resetting(struct vmdev_pci *vp, u16 vq)
{
	struct virtio_pci_modern_common_cfg __iomem *cfg =
		vmdev_pci_common_modern(vp);

	vp_iowrite16(vq, &cfg->cfg.queue_select);
	return vp_ioread16(&cfg->queue_reset) |
	       vp_ioread16(&cfg->cfg.queue_enable);
}

/* virtio 1.2, 4.1.4.3.1: both registers read 0 when the queue was reset. */
static int vmdev_pci_vq_stop(struct vmdev_hw *hw, u16 vq,
			     struct vdpa_vq_state *state)
{
	struct vmdev_pci *vp = vmdev_pci(hw);
	struct virtio_pci_modern_common_cfg __iomem *cfg =
		vmdev_pci_common_modern(vp);
	int err, lost = 0;
	u16 busy;

	if (state && vp->vendor && vp->vendor->vq_stop)
		lost = vp->vendor->vq_stop(vp, vq, state);
	vp_iowrite16(vq, &cfg->cfg.queue_select);
	vp_iowrite16(1, &cfg->queue_reset);
	err = read_poll_timeout(vmdev_pci_vq_resetting, busy,
				!busy || busy == U16_MAX, VMDEV_PCI_POLL_US,
				VMDEV_PCI_RESET_US, false, vp, vq);
	if (vmdev_pci_is_gone(vp, busy))
		return -ENODEV;
	/* All ones of a function that is there are no reset either. */
	if (busy && !err)
		err = -EIO;
	if (err)
		pci_err(vp->pdev, "queue %u does not reset\n", vq);
	return err ? : lost;
}

static void vmdev_pci_kick(struct vmdev_hw *hw, u16 vq)
{
	vp_iowrite16(vq, vmdev_pci(hw)->vqs[vq].notify);
}

/* The number in @data is the driver's, the doorbell wants the hardware's. */
static void vmdev_pci_kick_with_data(struct vmdev_hw *hw, u16 vq, u32 data)
{
	vp_iowrite32((data & GENMASK(31, 16)) | vq,
		     vmdev_pci(hw)->vqs[vq].notify);
}

static void vmdev_pci_config_read(struct vmdev_hw *hw, u32 offset, void *buf,
				  u32 len)
{
	void __iomem *from = vmdev_pci(hw)->mdev.device + offset;
	u8 *to = buf;

	if (len == sizeof(u32) && IS_ALIGNED(offset, sizeof(u32))) {
		put_unaligned_le32(vp_ioread32(from), buf);
		return;
	}
	if (len == sizeof(u16) && IS_ALIGNED(offset, sizeof(u16))) {
		put_unaligned_le16(vp_ioread16(from), buf);
		return;
	}
	while (len--)
		*to++ = vp_ioread8(from++);
}

static void vmdev_pci_config_write(struct vmdev_hw *hw, u32 offset,
				   const void *buf, u32 len)
{
	struct vmdev_pci *vp = vmdev_pci(hw);
	const u8 *from = buf;

	while (len--)
		vp_iowrite8(*from++, vp->mdev.device + offset++);
}

/* Whoever reads the configuration of a function that is gone finds it out. */
static u32 vmdev_pci_config_generation(struct vmdev_hw *hw)
{
	struct vmdev_pci *vp = vmdev_pci(hw);
	u8 generation = vp_ioread8(&vmdev_pci_common(vp)->config_generation);

	if (generation == VMDEV_PCI_GONE)
		vmdev_pci_get_status(vp);
	return generation;
}

static int vmdev_pci_doorbell(struct vmdev_hw *hw, u16 vq,
			      struct vdpa_notification_area *area)
{
	const struct vmdev_pci *vp = vmdev_pci(hw);

	if (vq >= hw->caps.nvqs || !vp->vqs[vq].exclusive)
		return -EOPNOTSUPP;
	area->addr = vp->vqs[vq].notify_pa;
	area->size = PAGE_SIZE;
	return 0;
}

static int vmdev_pci_irq_request(struct vmdev_hw *hw)
{
	return vmdev_vectors_request(vmdev_pci(hw)->vectors);
}

/*
 * Of each reset, also of a function that read all ones, which nobody stops. It may be there for all
 * that, and its device goes back to the default domain next.
 */
static void vmdev_pci_irq_release(struct vmdev_hw *hw)
{
	struct vmdev_pci *vp = vmdev_pci(hw);

	if (vmdev_hw_is_gone(hw))
		vmdev_pci_dma_off(vp);
	vmdev_vectors_release(vp->vectors);
}

static int vmdev_pci_vq_irq(struct vmdev_hw *hw, u16 vq)
{
	return vmdev_vectors_vq_irq(vmdev_pci(hw)->vectors, vq);
}

static void vmdev_pci_vq_idle(struct vmdev_hw *hw, u16 vq, u32 n, bool storm)
{
	vmdev_vectors_idle(vmdev_pci(hw)->vectors, vq, n, storm);
}

static int vmdev_pci_vq_set_affinity(struct vmdev_hw *hw, u16 vq,
				     const struct cpumask *mask)
{
	return vmdev_vectors_set_vq_affinity(vmdev_pci(hw)->vectors, vq, mask);
}

static const struct cpumask *vmdev_pci_vq_affinity(struct vmdev_hw *hw, u16 vq)
{
	return vmdev_vectors_vq_affinity(vmdev_pci(hw)->vectors, vq);
}

static const struct vmdev_hw_ops vmdev_pci_ops = {
	.negotiate		= vmdev_pci_negotiate,
	.start			= vmdev_pci_start,
	.stop			= vmdev_pci_stop,
	.vq_start		= vmdev_pci_vq_start,
	.vq_stop		= vmdev_pci_vq_stop,
	.kick			= vmdev_pci_kick,
	.kick_with_data		= vmdev_pci_kick_with_data,
	.status			= vmdev_pci_status,
	.config_read		= vmdev_pci_config_read,
	.config_write		= vmdev_pci_config_write,
	.config_generation	= vmdev_pci_config_generation,
	.doorbell		= vmdev_pci_doorbell,
	.irq_request		= vmdev_pci_irq_request,
	.irq_release		= vmdev_pci_irq_release,
	.vq_irq			= vmdev_pci_vq_irq,
	.vq_idle		= vmdev_pci_vq_idle,
	.vq_set_affinity	= vmdev_pci_vq_set_affinity,
	.vq_affinity		= vmdev_pci_vq_affinity,
	.iommu_attach		= vmdev_pci_iommu_attach,
	.iommu_detach		= vmdev_pci_iommu_detach,
	.reserved		= vmdev_pci_iommu_reserved,
	.log_start		= vmdev_pci_log_start,
	.log_check		= vmdev_pci_log_check,
	.log_stop		= vmdev_pci_log_stop,
	.map			= vmdev_pci_iommu_map,
	.unmap			= vmdev_pci_iommu_unmap,
};

/**
 * vmdev_pci_features_own() - what to negotiate when there is no driver
 * @caps: the function
 *
 * Everything of the device type, so that all queues show, and of the transport
 * what is needed to be a good PF.
 *
 * Return: feature bits.
 */
u64 vmdev_pci_features_own(const struct vmdev_hw_caps *caps)
{
	u64 transport = BIT_ULL(VIRTIO_F_VERSION_1) |
			BIT_ULL(VIRTIO_F_ACCESS_PLATFORM) |
			BIT_ULL(VIRTIO_F_SR_IOV) | BIT_ULL(VIRTIO_F_RING_RESET);

	return caps->features & (~VMDEV_F_TRANSPORT | transport);
}

static int vmdev_pci_read_sizes(struct vmdev_pci *vp, u16 claimed)
{
	struct vmdev_hw_caps *caps = &vp->hw.caps;
	u16 vq, size;

	vp->vq_size = kcalloc(claimed, sizeof(*vp->vq_size), GFP_KERNEL);
	if (!vp->vq_size)
		return -ENOMEM;

	for (vq = 0; vq < claimed; vq++) {
		size = vp_modern_get_queue_size(&vp->mdev, vq);
		if (!size)
			break;
		if (vmdev_pci_is_gone(vp, size))
			return -ENODEV;
		if (!is_power_of_2(size)) {
			pci_err(vp->pdev, "queue %u claims %u entries, not a power of two\n",
				vq, size);
			return -EINVAL;
		}
		vp->vq_size[vq] = size;
	}
	if (!vq) {
		pci_err(vp->pdev, "claims %u queues, but queue 0 has no entries\n",
			claimed);
		return -EINVAL;
	}
	caps->nvqs = vq;
	caps->vq_size = vp->vq_size;
	return 0;
}

/*
 * Queues are counted with features negotiated: QEMU's virtio-net, for one, shows
 * all of them only then.
 */
static int vmdev_pci_read_caps(struct vmdev_pci *vp)
{
	const size_t common_needed =
		offsetofend(struct virtio_pci_modern_common_cfg, queue_reset);
	struct vmdev_hw_caps *caps = &vp->hw.caps;
	u16 claimed;
	int err;

	caps->device_id = vp->mdev.id.device;
	caps->vendor_id = vp->mdev.id.vendor;
	if (vp->mdev.device)
		caps->config_size = min_t(u64, vp->mdev.device_len,
					  vmdev_pci_cap_room(vp->pdev,
							     VIRTIO_PCI_CAP_DEVICE_CFG));
	caps->vq_size_min = 2;
	caps->vq_align = PAGE_SIZE;
	caps->features = vmdev_pci_read_features(vp);
	if (vp->mdev.common_len < common_needed ||
	    vmdev_pci_cap_room(vp->pdev, VIRTIO_PCI_CAP_COMMON_CFG) <
	    common_needed)
		caps->features &= ~BIT_ULL(VIRTIO_F_RING_RESET);
	if (caps->features & BIT_ULL(VIRTIO_F_RING_RESET))
		caps->caps |= VMDEV_CAP_RING_RESET;
	if (!(caps->features & BIT_ULL(VIRTIO_F_VERSION_1))) {
		pci_err(vp->pdev, "does not offer VERSION_1, not a modern virtio function\n");
		return -EOPNOTSUPP;
	}

	err = vmdev_pci_negotiate(&vp->hw, vmdev_pci_features_own(caps));
	if (err == -EINVAL)
		pci_err(vp->pdev, "does not take its own features %#llx: FEATURES_OK does not stay\n",
			caps->features);
	if (err)
		return err;

	claimed = vp_modern_get_num_queues(&vp->mdev);
	if (vmdev_pci_is_gone(vp, claimed))
		return -ENODEV;
	if (!claimed || claimed > VMDEV_PCI_VQS_MAX) {
		pci_err(vp->pdev, "claims %u queues, 1 to %u can be\n", claimed,
			VMDEV_PCI_VQS_MAX);
		return -EINVAL;
	}
	return vmdev_pci_read_sizes(vp, claimed);
}

static void vmdev_pci_unmap_vqs(struct vmdev_pci *vp, u16 n)
{
	/* Without a common mapping each queue has one of its own. */
	while (n--)
		if (!vp->mdev.notify_base)
			pci_iounmap(vp->pdev, vp->vqs[n].notify);
}

/* Where a doorbell has no room for 32 bits nobody may be asked to write them. */
static void vmdev_pci_check_data(struct vmdev_pci *vp, u16 vq, u64 at)
{
	u64 feature = BIT_ULL(VIRTIO_F_NOTIFICATION_DATA);

	if (!(vp->hw.caps.features & feature) ||
	    vmdev_pci_takes_data(vp->pdev, at))
		return;
	pci_warn(vp->pdev, "doorbell of queue %u cannot take 32 bits: NOTIFICATION_DATA is not offered\n",
		 vq);
	vp->hw.caps.features &= ~feature;
}

/* In 64 bits: vp_modern_map_vq_notify() multiplies in 32. */
static int vmdev_pci_check_doorbell(struct vmdev_pci *vp, u16 vq)
{
	struct virtio_pci_common_cfg __iomem *cfg = vmdev_pci_common(vp);
	u32 multiplier = vp->mdev.notify_offset_multiplier;
	u64 room = vmdev_pci_cap_room(vp->pdev, VIRTIO_PCI_CAP_NOTIFY_CFG);
	u16 off;

	if (multiplier && !is_power_of_2(multiplier)) {
		pci_err(vp->pdev, "notify_off_multiplier is %u, not a power of two\n",
			multiplier);
		return -EINVAL;
	}

	vp_iowrite16(vq, &cfg->queue_select);
	off = vp_ioread16(&cfg->queue_notify_off);
	if (vmdev_pci_is_gone(vp, off))
		return -ENODEV;
	if ((u64)off * multiplier + sizeof(u16) > room) {
		pci_err(vp->pdev, "doorbell of queue %u (queue_notify_off %u x %u) is outside of the notification structure (%llu bytes)\n",
			vq, off, multiplier, room);
		return -EINVAL;
	}
	vmdev_pci_check_data(vp, vq, (u64)off * multiplier);
	return 0;
}

static int vmdev_pci_map_vqs(struct vmdev_pci *vp)
{
	u16 vq, nvqs = vp->hw.caps.nvqs;
	int err;

	vp->vqs = kcalloc(nvqs, sizeof(*vp->vqs), GFP_KERNEL);
	if (!vp->vqs)
		return -ENOMEM;

	for (vq = 0; vq < nvqs; vq++) {
		struct vmdev_pci_vq *q = &vp->vqs[vq];

		err = vmdev_pci_check_doorbell(vp, vq);
		if (err)
			goto err_unmap;
		q->notify = (void __iomem *)vp_modern_map_vq_notify(&vp->mdev, vq,
								    &q->notify_pa);
		if (!q->notify) {
			err = vmdev_pci_is_gone(vp, U16_MAX) ? -ENODEV : -EINVAL;
			if (err == -EINVAL)
				pci_err(vp->pdev, "doorbell of queue %u cannot be mapped\n",
					vq);
			goto err_unmap;
		}
	}
	for (vq = 0; vq < nvqs; vq++)
		vp->vqs[vq].exclusive = vmdev_pci_page_exclusive(vp, vq);
	return 0;

err_unmap:
	vmdev_pci_unmap_vqs(vp, vq);
	return err;
}

/**
 * vmdev_pci_virtio_init() - find out what a function is
 * @vp: the function, its virtio registers mapped; its hw is filled in
 *
 * Context: may sleep.
 * Return: 0, or an error with a line that says what the function lied about.
 */
int vmdev_pci_virtio_init(struct vmdev_pci *vp)
{
	int err;

	vp->hw.ops = &vmdev_pci_ops;
	err = vmdev_pci_reset(vp);
	if (!err)
		err = vmdev_pci_read_caps(vp);
	if (!err)
		err = vmdev_pci_map_vqs(vp);
	if (err)
		goto err_free;

	err = vmdev_pci_reset(vp);
	if (err)
		goto err_unmap;
	return 0;

err_unmap:
	vmdev_pci_unmap_vqs(vp, vp->hw.caps.nvqs);
err_free:
	/* The driver core says nothing of -ENODEV. */
	if (err == -ENODEV)
		pci_err(vp->pdev, "reads all ones, as if it were not there\n");
	kfree(vp->vqs);
	kfree(vp->vq_size);
	return err;
}

/**
 * vmdev_pci_virtio_exit() - the reverse of vmdev_pci_virtio_init()
 * @vp: the function
 */
void vmdev_pci_virtio_exit(struct vmdev_pci *vp)
{
	vmdev_pci_unmap_vqs(vp, vp->hw.caps.nvqs);
	kfree(vp->vqs);
	kfree(vp->vq_size);
}
