// SPDX-License-Identifier: GPL-2.0
/*
 * Intel's FPGA SmartNICs (N3000, C5000X-PL): virtio functions with a live-migration (LM)
 * block in BAR 4, which tells and takes ring states and logs written pages. What is known
 * of it is in Documentation/hardware.rst.
 *
 * Its ring states are those of split rings, so RING_PACKED is not offered. A queue is
 * stopped by 0 in queue_enable, which virtio does not have: when that reads 0 the queue
 * does no more DMA, and its state is final. The states are read before the device is
 * reset. Where a net queue goes on its used index says: what the device had fetched, and
 * did not use, it is given again. A queue of other devices has finished all that it
 * fetched, or else nobody can say what became of it.
 *
 * All registers are accessed under the core's lock.
 */
#include <linux/io.h>
#include <linux/iopoll.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/virtio_config.h>
#include <linux/virtio_net.h>

#include "vmdev_pci.h"

#define VMDEV_IFC_BAR		4

/* 32 bits, little endian. Addresses are two of them, the low half first. */
#define VMDEV_IFC_CONTROL	0x00
#define VMDEV_IFC_LOG		0x10
#define VMDEV_IFC_LOG_END	0x18
#define VMDEV_IFC_STATES	0x20
#define VMDEV_IFC_COUNT		0x28

/* Of ring states: an area for each queue pair of a net device, or queue of another one. */
#define VMDEV_IFC_STRIDE	0x40

/* In the control register: the function logs. */
#define VMDEV_IFC_LOG_ON	1

#define VMDEV_IFC_VQ_SIZE_MIN	64

/* Of descriptor tables: a queue with another one is not enabled. */
#define VMDEV_IFC_DESC_ALIGN	SZ_4K

/* A ring state to see whether there is any. */
#define VMDEV_IFC_TRY		0x5aa55aa5

/* What a queue that stops still does takes microseconds; a disk may take longer. */
#define VMDEV_IFC_POLL_US	100
#define VMDEV_IFC_STOP_US	(2 * USEC_PER_SEC)

/**
 * struct vmdev_ifc - the LM block of a function
 * @lm: its registers
 * @requested: BAR 4 is ours alone: no virtio structure is in it
 * @count: what @VMDEV_IFC_COUNT was told last
 * @cvq: the control queue, or U16_MAX
 * @log: where it is to log, the first byte
 * @log_end: likewise, the byte behind the last one
 * @logging: it is to log, and its registers tell whether it does
 * @log_lost: it was seen not to
 * @enabled: a bit for each queue that was enabled since the reset
 */
struct vmdev_ifc {
	u8 __iomem *lm;
	bool requested;
	u32 count;
	u16 cvq;
	u64 log;
	u64 log_end;
	bool logging;
	bool log_lost;
	unsigned long enabled[];
};

static struct vmdev_ifc *vmdev_ifc(struct vmdev_pci *vp)
{
	return vp->vendor_data;
}

static u32 vmdev_ifc_read(struct vmdev_ifc *ifc, u32 at)
{
	return ioread32(ifc->lm + at);
}

static void vmdev_ifc_write(struct vmdev_ifc *ifc, u32 at, u32 value)
{
	iowrite32(value, ifc->lm + at);
}

static void vmdev_ifc_write64(struct vmdev_ifc *ifc, u32 at, u64 value)
{
	vmdev_ifc_write(ifc, at, lower_32_bits(value));
	vmdev_ifc_write(ifc, at + sizeof(u32), upper_32_bits(value));
}

static u64 vmdev_ifc_read64(struct vmdev_ifc *ifc, u32 at)
{
	return vmdev_ifc_read(ifc, at) |
	       (u64)vmdev_ifc_read(ifc, at + sizeof(u32)) << 32;
}

/* --- where things are ------------------------------------------------------------------ */

/* Areas of ring states, with one for what is left over of a net device: its control queue. */
static u32 vmdev_ifc_areas(const struct vmdev_hw_caps *caps, u16 nvqs)
{
	return caps->device_id == VIRTIO_ID_NET ? DIV_ROUND_UP(nvqs, 2) : nvqs;
}

static u64 vmdev_ifc_size(const struct vmdev_hw_caps *caps)
{
	return VMDEV_IFC_STATES +
	       (u64)vmdev_ifc_areas(caps, caps->nvqs) * VMDEV_IFC_STRIDE;
}

static u32 vmdev_ifc_state_at(const struct vmdev_hw_caps *caps, u16 vq)
{
	u32 at = VMDEV_IFC_STATES +
		 (vmdev_ifc_areas(caps, vq + 1) - 1) * VMDEV_IFC_STRIDE;

	if (caps->device_id == VIRTIO_ID_NET)
		at += vq % 2 * sizeof(u32);
	return at;
}

/*
 * What the device has to serve so that all queues that are enabled can work. The control queue is
 * none of packets.
 */
static u32 vmdev_ifc_count(const struct vmdev_hw_caps *caps,
			   const struct vmdev_hw_conf *conf)
{
	u32 count = 0;
	u16 vq;

	for (vq = 0; vq < conf->nvqs; vq++)
		if (conf->vqs[vq].enabled && vq != conf->cvq)
			count = vmdev_ifc_areas(caps, vq + 1);
	return count;
}

/* --- ring states ----------------------------------------------------------------------- */

/* Nothing is under way of a queue that starts. */
static u32 vmdev_ifc_from_state(const struct vdpa_vq_state *state)
{
	return state->split.avail_index | (u32)state->split.avail_index << 16;
}

/* Whoever does not take it would begin somewhere else. */
static bool vmdev_ifc_set_state(struct vmdev_ifc *ifc, u32 at, u32 word)
{
	vmdev_ifc_write(ifc, at, word);
	return vmdev_ifc_read(ifc, at) == word;
}

/* -EILSEQ for what cannot be, or would lose requests. */
static int vmdev_ifc_to_state(const struct vmdev_hw_caps *caps, u16 vq, u32 word,
			      struct vdpa_vq_state *state)
{
	u16 avail = word, used = word >> 16;
	u16 most = caps->device_id == VIRTIO_ID_NET ? caps->vq_size[vq] : 0;

	if ((u16)(avail - used) > most)
		return -EILSEQ;
	*state = (struct vdpa_vq_state) { .split.avail_index = used };
	return 0;
}

/* All ones may be a state, but not one of a function that is gone. */
static int vmdev_ifc_get_state(struct vmdev_pci *vp, u16 vq,
			       struct vdpa_vq_state *state)
{
	const struct vmdev_hw_caps *caps = &vp->hw.caps;
	u32 word = vmdev_ifc_read(vmdev_ifc(vp), vmdev_ifc_state_at(caps, vq));
	int err;

	if (word == U32_MAX && vmdev_pci_absent(vp))
		return -ENODEV;
	err = vmdev_ifc_to_state(caps, vq, word, state);
	if (err)
		pci_err(vp->pdev, "queue %u stopped where it cannot be: avail %u, used %u\n",
			vq, word & U16_MAX, word >> 16);
	return err;
}

/* -ENODEV if nobody answers, -EBUSY as long as it runs. */
static int vmdev_ifc_vq_stopped(struct vmdev_pci *vp, u16 vq)
{
	if (!vp_modern_get_queue_enable(&vp->mdev, vq))
		return 0;
	return vmdev_pci_absent(vp) ? -ENODEV : -EBUSY;
}

static ktime_t vmdev_ifc_stop_end(void)
{
	return ktime_add_us(ktime_get(), VMDEV_IFC_STOP_US);
}

/* It is looked once in any case; no time at all would be no bound. */
static int vmdev_ifc_wait_vq(struct vmdev_pci *vp, u16 vq, ktime_t end)
{
	u64 left = max_t(s64, ktime_us_delta(end, ktime_get()), 1);
	int err;

	read_poll_timeout(vmdev_ifc_vq_stopped, err, err != -EBUSY,
			  VMDEV_IFC_POLL_US, left, false, vp, vq);
	if (err != -EBUSY)
		return err;
	pci_err(vp->pdev, "queue %u does not stop\n", vq);
	return -ETIMEDOUT;
}

static bool vmdev_ifc_logs(struct vmdev_ifc *ifc)
{
	return vmdev_ifc_read64(ifc, VMDEV_IFC_LOG) == ifc->log &&
	       vmdev_ifc_read64(ifc, VMDEV_IFC_LOG_END) == ifc->log_end &&
	       vmdev_ifc_read(ifc, VMDEV_IFC_CONTROL) == VMDEV_IFC_LOG_ON;
}

/* A reset may switch it off: what counts is whether it logged as long as queues ran. */
static void vmdev_ifc_look_at_log(struct vmdev_ifc *ifc)
{
	ifc->log_lost |= ifc->logging && !vmdev_ifc_logs(ifc);
}

static int vmdev_ifc_stop(struct vmdev_pci *vp, struct vdpa_vq_state *states)
{
	const struct vmdev_hw_caps *caps = &vp->hw.caps;
	struct vmdev_ifc *ifc = vmdev_ifc(vp);
	ktime_t end = vmdev_ifc_stop_end();
	int err;
	u16 vq;

	/* None goes on while another one is waited for: the time is for all of them. */
	for_each_set_bit(vq, ifc->enabled, caps->nvqs)
		vp_modern_set_queue_enable(&vp->mdev, vq, false);
	for_each_set_bit(vq, ifc->enabled, caps->nvqs) {
		err = vmdev_ifc_wait_vq(vp, vq, end) ? :
		      vmdev_ifc_get_state(vp, vq, &states[vq]);
		if (err)
			return err;
	}
	vmdev_ifc_look_at_log(ifc);
	ifc->logging = false;
	return 0;
}

static int vmdev_ifc_vq_stop(struct vmdev_pci *vp, u16 vq,
			     struct vdpa_vq_state *state)
{
	__clear_bit(vq, vmdev_ifc(vp)->enabled);
	vp_modern_set_queue_enable(&vp->mdev, vq, false);
	return vmdev_ifc_wait_vq(vp, vq, vmdev_ifc_stop_end()) ? :
	       vmdev_ifc_get_state(vp, vq, state);
}

static void vmdev_ifc_set_count(struct vmdev_ifc *ifc, u32 count)
{
	ifc->count = count;
	vmdev_ifc_write(ifc, VMDEV_IFC_COUNT, count);
}

static void vmdev_ifc_start(struct vmdev_pci *vp,
			    const struct vmdev_hw_conf *conf)
{
	struct vmdev_ifc *ifc = vmdev_ifc(vp);

	bitmap_zero(ifc->enabled, vp->hw.caps.nvqs);
	ifc->cvq = conf->cvq;
	vmdev_ifc_set_count(ifc, vmdev_ifc_count(&vp->hw.caps, conf));
}

/*
 * Registers remember: that a ring is fresh has to be said, too. A queue may come later than
 * others, when the driver wants more of them.
 */
static int vmdev_ifc_vq_start(struct vmdev_pci *vp, u16 vq,
			      const struct vmdev_vq_conf *conf)
{
	const struct vmdev_hw_caps *caps = &vp->hw.caps;
	u32 count = vmdev_ifc_areas(caps, vq + 1);
	struct vmdev_ifc *ifc = vmdev_ifc(vp);

	if (!vmdev_ifc_set_state(ifc, vmdev_ifc_state_at(caps, vq),
				 vmdev_ifc_from_state(&conf->state))) {
		if (vmdev_pci_absent(vp))
			return -ENODEV;
		pci_err(vp->pdev, "queue %u does not take the state of its ring\n",
			vq);
		return -EIO;
	}
	if (vq != ifc->cvq && count > ifc->count)
		vmdev_ifc_set_count(ifc, count);
	__set_bit(vq, ifc->enabled);
	return 0;
}

/* --- the log --------------------------------------------------------------------------- */

/* What is read comes after all that the function wrote before it logged. */
static int vmdev_ifc_log_start(struct vmdev_pci *vp, u64 bitmap, u64 end)
{
	struct vmdev_ifc *ifc = vmdev_ifc(vp);

	ifc->log = bitmap;
	ifc->log_end = end;
	vmdev_ifc_write(ifc, VMDEV_IFC_CONTROL, 0);
	vmdev_ifc_write64(ifc, VMDEV_IFC_LOG, bitmap);
	vmdev_ifc_write64(ifc, VMDEV_IFC_LOG_END, end);
	vmdev_ifc_write(ifc, VMDEV_IFC_CONTROL, VMDEV_IFC_LOG_ON);
	ifc->logging = vmdev_ifc_logs(ifc);
	ifc->log_lost = false;
	if (ifc->logging)
		return 0;
	if (vmdev_pci_absent(vp))
		return -ENODEV;
	pci_err(vp->pdev, "the log of written pages cannot be switched on: its registers do not take it\n");
	vmdev_ifc_write(ifc, VMDEV_IFC_CONTROL, 0);
	return -EIO;
}

/* The core is told if it is gone. */
static bool vmdev_ifc_log_check(struct vmdev_pci *vp)
{
	struct vmdev_ifc *ifc = vmdev_ifc(vp);

	vmdev_ifc_look_at_log(ifc);
	if (ifc->log_lost)
		vmdev_pci_absent(vp);
	return !ifc->log_lost;
}

/* The IOMMU sees to it that who does not obey does no harm. */
static void vmdev_ifc_log_stop(struct vmdev_pci *vp)
{
	struct vmdev_ifc *ifc = vmdev_ifc(vp);

	ifc->logging = false;
	vmdev_ifc_write(ifc, VMDEV_IFC_CONTROL, 0);
	if (vmdev_ifc_read(ifc, VMDEV_IFC_CONTROL) && !vmdev_pci_absent(vp))
		pci_err(vp->pdev, "the log of written pages cannot be switched off\n");
}

/* --- which functions ------------------------------------------------------------------- */

static const struct pci_device_id vmdev_ifc_ids[] = {
	/* N3000 */
	{ PCI_DEVICE_SUB(PCI_VENDOR_ID_REDHAT_QUMRANET, 0x1041,
			 PCI_VENDOR_ID_INTEL, 0x001a) },
	/* C5000X-PL, net */
	{ PCI_DEVICE_SUB(PCI_VENDOR_ID_REDHAT_QUMRANET, 0x1000,
			 PCI_VENDOR_ID_INTEL, 0x0001) },
	{ PCI_DEVICE_SUB(PCI_VENDOR_ID_REDHAT_QUMRANET, 0x1041,
			 PCI_VENDOR_ID_INTEL, 0x0001) },
	/* C5000X-PL, block */
	{ PCI_DEVICE_SUB(PCI_VENDOR_ID_REDHAT_QUMRANET, 0x1001,
			 PCI_VENDOR_ID_INTEL, 0x0002) },
	{ PCI_DEVICE_SUB(PCI_VENDOR_ID_REDHAT_QUMRANET, 0x1042,
			 PCI_VENDOR_ID_INTEL, 0x0002) },
	{ 0 }
};

static bool vmdev_ifc_match(struct vmdev_pci *vp)
{
	return pci_match_id(vmdev_ifc_ids, vp->pdev);
}

static int vmdev_ifc_check_bar(struct vmdev_pci *vp)
{
	u64 room = pci_resource_len(vp->pdev, VMDEV_IFC_BAR);
	u64 size = vmdev_ifc_size(&vp->hw.caps);

	if (room &&
	    !(pci_resource_flags(vp->pdev, VMDEV_IFC_BAR) & IORESOURCE_MEM)) {
		pci_warn(vp->pdev, "no live-migration block: BAR %u is no memory\n",
			 VMDEV_IFC_BAR);
		return -EINVAL;
	}
	if (room < size) {
		pci_warn(vp->pdev, "no live-migration block: BAR %u has %llu bytes, %u queues need %llu\n",
			 VMDEV_IFC_BAR, room, vp->hw.caps.nvqs, size);
		return -EINVAL;
	}
	if (!vmdev_pci_bar_is_free(vp->pdev, VMDEV_IFC_BAR, size)) {
		pci_warn(vp->pdev, "no live-migration block: other things are in its place in BAR %u\n",
			 VMDEV_IFC_BAR);
		return -EINVAL;
	}
	return 0;
}

static int vmdev_ifc_map(struct vmdev_pci *vp, struct vmdev_ifc *ifc)
{
	int err;

	/* Virtio structures behind it: then the BAR is requested already. */
	if (!(vp->mdev.modern_bars & BIT(VMDEV_IFC_BAR))) {
		err = pci_request_region(vp->pdev, VMDEV_IFC_BAR, "vmdev_pci");
		if (err)
			return err;
		ifc->requested = true;
	}
	ifc->lm = pci_iomap_range(vp->pdev, VMDEV_IFC_BAR, 0,
				  vmdev_ifc_size(&vp->hw.caps));
	return ifc->lm ? 0 : -ENOMEM;
}

static void vmdev_ifc_unmap(struct vmdev_pci *vp, struct vmdev_ifc *ifc)
{
	if (ifc->lm)
		pci_iounmap(vp->pdev, ifc->lm);
	if (ifc->requested)
		pci_release_region(vp->pdev, VMDEV_IFC_BAR);
}

/* Whoever had it before may have left its log on. The first queue's state stands for all. */
static int vmdev_ifc_try(struct vmdev_pci *vp, struct vmdev_ifc *ifc)
{
	u32 control;
	bool taken;

	vmdev_ifc_write(ifc, VMDEV_IFC_CONTROL, 0);
	control = vmdev_ifc_read(ifc, VMDEV_IFC_CONTROL);
	if (control) {
		pci_warn(vp->pdev, "no live-migration block: its log cannot be switched off, control reads %#x\n",
			 control);
		return -EIO;
	}
	taken = vmdev_ifc_set_state(ifc, VMDEV_IFC_STATES, VMDEV_IFC_TRY);
	/* In any case: whoever uses it as a plain function begins at 0. */
	taken &= vmdev_ifc_set_state(ifc, VMDEV_IFC_STATES, 0);
	if (!taken) {
		pci_warn(vp->pdev, "no live-migration block: ring states cannot be written\n");
		return -EIO;
	}
	return 0;
}

static int vmdev_ifc_find(struct vmdev_pci *vp, struct vmdev_ifc *ifc)
{
	int err = vmdev_ifc_map(vp, ifc);

	if (err) {
		pci_warn(vp->pdev, "no live-migration block: BAR %u cannot be mapped: %pe\n",
			 VMDEV_IFC_BAR, ERR_PTR(err));
		return err;
	}
	return vmdev_ifc_try(vp, ifc);
}

static u16 vmdev_ifc_size_min(const struct vmdev_hw_caps *caps)
{
	u16 vq, size = VMDEV_IFC_VQ_SIZE_MIN;

	for (vq = 0; vq < caps->nvqs; vq++)
		size = min(size, caps->vq_size[vq]);
	return size;
}

static int vmdev_ifc_init(struct vmdev_pci *vp)
{
	struct vmdev_hw_caps *caps = &vp->hw.caps;
	struct vmdev_ifc *ifc;
	int err;

	caps->vq_align = PAGE_SIZE;
	caps->desc_align = VMDEV_IFC_DESC_ALIGN;
	caps->vq_size_min = vmdev_ifc_size_min(caps);

	err = vmdev_ifc_check_bar(vp);
	if (err)
		return err;
	ifc = kzalloc(struct_size(ifc, enabled, BITS_TO_LONGS(caps->nvqs)),
		      GFP_KERNEL);
	if (!ifc)
		return -ENOMEM;
	err = vmdev_ifc_find(vp, ifc);
	if (err) {
		vmdev_ifc_unmap(vp, ifc);
		kfree(ifc);
		return err;
	}
	vp->vendor_data = ifc;
	caps->caps |= VMDEV_CAP_STATE | VMDEV_CAP_LOG;
	caps->features &= ~BIT_ULL(VIRTIO_F_RING_PACKED);
	return 0;
}

static void vmdev_ifc_exit(struct vmdev_pci *vp)
{
	vmdev_ifc_unmap(vp, vmdev_ifc(vp));
	kfree(vmdev_ifc(vp));
}

const struct vmdev_pci_vendor vmdev_pci_ifc = {
	.name		= "ifc",
	.tells_enabled	= true,
	.match		= vmdev_ifc_match,
	.init		= vmdev_ifc_init,
	.exit		= vmdev_ifc_exit,
	.start		= vmdev_ifc_start,
	.stop		= vmdev_ifc_stop,
	.vq_start	= vmdev_ifc_vq_start,
	.vq_stop	= vmdev_ifc_vq_stop,
	.log_start	= vmdev_ifc_log_start,
	.log_check	= vmdev_ifc_log_check,
	.log_stop	= vmdev_ifc_log_stop,
};
