// SPDX-License-Identifier: GPL-2.0
/* What the core asks of a device (include/vmdev/hw.h). */
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/string.h>

#include "vmdev_soft.h"

/* As much as any driver asks for. */
#define VMDEV_SOFT_IOVA_LAST	(BIT_ULL(48) - 1 - VMDEV_WINDOW_SIZE)

static void vmdev_soft_stop(struct vmdev_soft *soft, struct vdpa_vq_state *states)
{
	u16 i;

	/* None goes on while another one is waited for. */
	for (i = 0; i < soft->hw.caps.nvqs; i++)
		vmdev_soft_vq_off(&soft->vqs[i]);
	for (i = 0; i < soft->hw.caps.nvqs; i++)
		vmdev_soft_vq_stop(&soft->vqs[i], states ? &states[i] : NULL);
	soft->status = 0;
	clear_bit(0, &soft->broken);
}

static int vmdev_soft_op_negotiate(struct vmdev_hw *hw, u64 features)
{
	struct vmdev_soft *soft = vmdev_soft(hw);
	int err;

	vmdev_soft_stop(soft, NULL);
	if (features & ~hw->caps.features)
		return -EINVAL;
	err = vmdev_soft_fail(soft, VMDEV_SOFT_FAIL_NEGOTIATE, -EINVAL);
	if (err)
		return err;
	soft->features = features;
	if (soft->type->negotiated)
		soft->type->negotiated(soft);
	soft->status = VIRTIO_CONFIG_S_ACKNOWLEDGE | VIRTIO_CONFIG_S_DRIVER |
		       VIRTIO_CONFIG_S_FEATURES_OK;
	return 0;
}

static void vmdev_soft_op_kick(struct vmdev_hw *hw, u16 vq)
{
	struct vmdev_soft *soft = vmdev_soft(hw);

	soft->type->kick(&soft->vqs[vq]);
}

static int vmdev_soft_op_start(struct vmdev_hw *hw,
			       const struct vmdev_hw_conf *conf)
{
	struct vmdev_soft *soft = vmdev_soft(hw);
	int err = vmdev_soft_fail(soft, VMDEV_SOFT_FAIL_START, -EIO);
	u16 i;

	for (i = 0; i < conf->nvqs && !err; i++)
		if (conf->vqs[i].enabled)
			err = vmdev_soft_vq_start(&soft->vqs[i], &conf->vqs[i]);
	if (!err && soft->type->live)
		err = soft->type->live(soft);
	if (err) {
		vmdev_soft_stop(soft, NULL);
		return err;
	}
	soft->status |= VIRTIO_CONFIG_S_DRIVER_OK;
	/* What waited for it. */
	for (i = 0; i < conf->nvqs; i++)
		if (conf->vqs[i].enabled)
			soft->type->kick(&soft->vqs[i]);
	return 0;
}

static int vmdev_soft_op_stop(struct vmdev_hw *hw, struct vdpa_vq_state *states)
{
	struct vmdev_soft *soft = vmdev_soft(hw);

	vmdev_soft_stop(soft, states);
	return vmdev_soft_fail(soft, VMDEV_SOFT_FAIL_STOP, -ETIMEDOUT);
}

static int vmdev_soft_op_vq_start(struct vmdev_hw *hw, u16 vq,
				  const struct vmdev_vq_conf *conf)
{
	struct vmdev_soft *soft = vmdev_soft(hw);
	int err;

	err = vmdev_soft_fail(soft, VMDEV_SOFT_FAIL_VQ_START, -EBUSY) ? :
	      vmdev_soft_vq_start(&soft->vqs[vq], conf);
	if (!err)
		vmdev_soft_op_kick(hw, vq);
	return err;
}

static int vmdev_soft_op_vq_stop(struct vmdev_hw *hw, u16 vq,
				 struct vdpa_vq_state *state)
{
	struct vmdev_soft *soft = vmdev_soft(hw);

	vmdev_soft_vq_stop(&soft->vqs[vq], state);
	return vmdev_soft_fail(soft, VMDEV_SOFT_FAIL_VQ_STOP, -ETIMEDOUT);
}

static u8 vmdev_soft_op_status(struct vmdev_hw *hw)
{
	struct vmdev_soft *soft = vmdev_soft(hw);
	bool broken = test_bit(0, &soft->broken) ||
		      vmdev_soft_fails(soft, VMDEV_SOFT_FAIL_STATUS);

	return soft->status | (broken ? VIRTIO_CONFIG_S_NEEDS_RESET : 0);
}

static void vmdev_soft_op_config_read(struct vmdev_hw *hw, u32 offset, void *buf,
				      u32 len)
{
	memcpy(buf, vmdev_soft(hw)->config + offset, len);
}

/* Nothing of it can be written. */
static void vmdev_soft_op_config_write(struct vmdev_hw *hw, u32 offset,
				       const void *buf, u32 len)
{
}

static u32 vmdev_soft_op_config_generation(struct vmdev_hw *hw)
{
	return atomic_read(&vmdev_soft(hw)->generation);
}

static int vmdev_soft_op_irq_request(struct vmdev_hw *hw)
{
	struct vmdev_soft *soft = vmdev_soft(hw);
	int err = vmdev_soft_fail(soft, VMDEV_SOFT_FAIL_IRQ, -ENOSPC);
	u16 i;

	if (err)
		return err;
	for (i = 0; i < hw->caps.nvqs; i++)
		soft->vqs[i].data = vmdev_vq_interrupt_data(hw, i);
	vmdev_soft_events(soft, true);
	return 0;
}

/* Interrupts come only from queues that run. */
static void vmdev_soft_op_irq_release(struct vmdev_hw *hw)
{
	struct vmdev_soft *soft = vmdev_soft(hw);

	vmdev_soft_events(soft, false);
	vmdev_soft_stop(soft, NULL);
	if (soft->type->reset)
		soft->type->reset(soft);
}

static int vmdev_soft_op_vq_irq(struct vmdev_hw *hw, u16 vq)
{
	return -EOPNOTSUPP;
}

static void vmdev_soft_attach(struct vmdev_soft *soft, bool attached)
{
	write_lock_bh(&soft->maps_lock);
	soft->attached = attached;
	soft->changes++;
	write_unlock_bh(&soft->maps_lock);
}

static int vmdev_soft_op_iommu_attach(struct vmdev_hw *hw,
				      struct vdpa_iova_range *range)
{
	struct vmdev_soft *soft = vmdev_soft(hw);
	int err = vmdev_soft_fail(soft, VMDEV_SOFT_FAIL_ATTACH, -ENODEV);

	if (err)
		return err;
	vmdev_soft_attach(soft, true);
	*range = (struct vdpa_iova_range) { 0, VMDEV_SOFT_IOVA_LAST };
	return 0;
}

static void vmdev_soft_op_iommu_detach(struct vmdev_hw *hw)
{
	WARN_ON(vmdev_soft(hw)->maps.count);
	vmdev_soft_attach(vmdev_soft(hw), false);
}

static bool vmdev_soft_op_reserved(struct vmdev_hw *hw, u64 first, u64 last,
				   struct vdpa_iova_range *found)
{
	return false;
}

static int vmdev_soft_op_map(struct vmdev_hw *hw, u64 iova, u64 size, u64 pa,
			     u32 perm)
{
	struct vmdev_soft *soft = vmdev_soft(hw);
	int err;

	/* Only who reads the tree needs the lock. */
	err = vmdev_soft_fail(soft, VMDEV_SOFT_FAIL_MAP, -ENOMEM) ? :
	      vmdev_maps_reserve(&soft->maps);
	if (err)
		return err;
	write_lock_bh(&soft->maps_lock);
	err = vmdev_maps_add(&soft->maps, iova, iova + size - 1, pa, perm);
	soft->changes++;
	write_unlock_bh(&soft->maps_lock);
	return err;
}

static void vmdev_soft_op_unmap(struct vmdev_hw *hw, u64 iova, u64 size)
{
	struct vmdev_soft *soft = vmdev_soft(hw);
	struct vmdev_map *map;

	write_lock_bh(&soft->maps_lock);
	map = vmdev_maps_first(&soft->maps, iova, iova);
	if (!WARN_ON(!map || map->first != iova || map->last != iova + size - 1))
		vmdev_maps_del(&soft->maps, map);
	soft->changes++;
	write_unlock_bh(&soft->maps_lock);
}

const struct vmdev_hw_ops vmdev_soft_ops = {
	.negotiate		= vmdev_soft_op_negotiate,
	.start			= vmdev_soft_op_start,
	.stop			= vmdev_soft_op_stop,
	.vq_start		= vmdev_soft_op_vq_start,
	.vq_stop		= vmdev_soft_op_vq_stop,
	.kick			= vmdev_soft_op_kick,
	.status			= vmdev_soft_op_status,
	.config_read		= vmdev_soft_op_config_read,
	.config_write		= vmdev_soft_op_config_write,
	.config_generation	= vmdev_soft_op_config_generation,
	.irq_request		= vmdev_soft_op_irq_request,
	.irq_release		= vmdev_soft_op_irq_release,
	.vq_irq			= vmdev_soft_op_vq_irq,
	.iommu_attach		= vmdev_soft_op_iommu_attach,
	.iommu_detach		= vmdev_soft_op_iommu_detach,
	.reserved		= vmdev_soft_op_reserved,
	.map			= vmdev_soft_op_map,
	.unmap			= vmdev_soft_op_unmap,
};
