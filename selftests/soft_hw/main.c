// SPDX-License-Identifier: GPL-2.0
/* The devices, and what the core asks of them. */
#include <linux/dma-mapping.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/sysfs.h>
#include <uapi/linux/virtio_config.h>
#include <uapi/linux/virtio_ring.h>

#include "soft_hw.h"

#define SOFT_DEVICES	4
#define SOFT_IOVA_LAST	(BIT_ULL(46) - 1)
#define SOFT_FEATURES	(BIT_ULL(VIRTIO_F_VERSION_1) | \
			 BIT_ULL(VIRTIO_F_ACCESS_PLATFORM) | \
			 BIT_ULL(VIRTIO_F_RING_PACKED) | \
			 BIT_ULL(VIRTIO_RING_F_EVENT_IDX) | \
			 BIT_ULL(VIRTIO_RING_F_INDIRECT_DESC))

static uint caps = VMDEV_CAP_STATE | VMDEV_CAP_RING_RESET;
module_param(caps, uint, 0444);
MODULE_PARM_DESC(caps, "enum vmdev_hw_cap");
static uint fault;
module_param(fault, uint, 0644);
MODULE_PARM_DESC(fault, "enum soft_fault");

/* Everything but kicks and status. */
DEFINE_MUTEX(soft_lock);
struct workqueue_struct *soft_wq;
static struct soft_hw *soft_hws[SOFT_DEVICES];

/* It strikes one time in 32: some of what is lost nobody writes again. */
enum soft_fault soft_fault_now(void)
{
	static u8 count;

	return READ_ONCE(fault) && !(count++ % 32) ? READ_ONCE(fault) :
	       SOFT_FAULT_NONE;
}

/* What is wrong all the time. */
bool soft_fault_is(enum soft_fault which)
{
	return READ_ONCE(fault) == which;
}

static void soft_work(struct work_struct *work)
{
	struct soft_hw *soft = container_of(work, struct soft_hw, work);
	bool more = false;

	mutex_lock(&soft_lock);
	if (soft->status & VIRTIO_CONFIG_S_DRIVER_OK)
		more = soft->type->run(soft);
	mutex_unlock(&soft_lock);
	if (more)
		queue_work(soft_wq, &soft->work);
	cond_resched();
}

/* --- ops ------------------------------------------------------------------- */

static void soft_reset(struct soft_hw *soft, struct vdpa_vq_state *states)
{
	u16 i;

	for (i = 0; i < soft->hw.caps.nvqs; i++)
		soft_vq_stop(soft, i, states ? &states[i] : NULL);
	soft->status = 0;
}

static int soft_op_negotiate(struct vmdev_hw *hw, u64 features)
{
	struct soft_hw *soft = soft_hw(hw);

	mutex_lock(&soft_lock);
	soft_reset(soft, NULL);
	soft->features = features;
	soft->status = VIRTIO_CONFIG_S_ACKNOWLEDGE | VIRTIO_CONFIG_S_DRIVER |
		       VIRTIO_CONFIG_S_FEATURES_OK;
	mutex_unlock(&soft_lock);
	return features & ~hw->caps.features ? -EINVAL : 0;
}

static int soft_op_start(struct vmdev_hw *hw, const struct vmdev_hw_conf *conf)
{
	struct soft_hw *soft = soft_hw(hw);
	int err = 0;
	u16 i;

	mutex_lock(&soft_lock);
	for (i = 0; i < conf->nvqs && !err; i++)
		if (conf->vqs[i].enabled)
			err = soft_vq_start(soft, i, &conf->vqs[i]);
	if (err)
		soft_reset(soft, NULL);
	else
		soft->status |= VIRTIO_CONFIG_S_DRIVER_OK;
	mutex_unlock(&soft_lock);
	return err;
}

static int soft_op_stop(struct vmdev_hw *hw, struct vdpa_vq_state *states)
{
	mutex_lock(&soft_lock);
	soft_reset(soft_hw(hw), states);
	mutex_unlock(&soft_lock);
	return 0;
}

/* A receive buffer is for what the other end has to send. */
static void soft_op_kick(struct vmdev_hw *hw, u16 vq)
{
	struct soft_hw *soft = soft_hw(hw);

	queue_work(soft_wq, &soft->work);
	if (soft->peer)
		queue_work(soft_wq, &soft->peer->work);
}

static int soft_op_vq_start(struct vmdev_hw *hw, u16 vq,
			    const struct vmdev_vq_conf *conf)
{
	int err;

	mutex_lock(&soft_lock);
	err = soft_hw(hw)->vqs[vq].on ? -EBUSY :
	      soft_vq_start(soft_hw(hw), vq, conf);
	mutex_unlock(&soft_lock);
	/* What waited for it. */
	soft_op_kick(hw, vq);
	return err;
}

static int soft_op_vq_stop(struct vmdev_hw *hw, u16 vq,
			   struct vdpa_vq_state *state)
{
	mutex_lock(&soft_lock);
	soft_vq_stop(soft_hw(hw), vq, state);
	mutex_unlock(&soft_lock);
	return 0;
}

static u8 soft_op_status(struct vmdev_hw *hw)
{
	return READ_ONCE(soft_hw(hw)->status);
}

static void soft_op_config_read(struct vmdev_hw *hw, u32 offset, void *buf,
				u32 len)
{
	memcpy(buf, soft_hw(hw)->config + offset, len);
}

static void soft_op_config_write(struct vmdev_hw *hw, u32 offset,
				 const void *buf, u32 len)
{
	memcpy(soft_hw(hw)->config + offset, buf, len);
}

static u32 soft_op_config_generation(struct vmdev_hw *hw)
{
	return 0;
}

static int soft_op_irq_request(struct vmdev_hw *hw)
{
	u16 i;

	for (i = 0; i < hw->caps.nvqs; i++)
		soft_hw(hw)->vqs[i].data = vmdev_vq_interrupt_data(hw, i);
	return 0;
}

/* Interrupts come only from queues that run, with soft_lock held. */
static void soft_op_irq_release(struct vmdev_hw *hw)
{
	soft_op_stop(hw, NULL);
}

static int soft_op_vq_irq(struct vmdev_hw *hw, u16 vq)
{
	return -EOPNOTSUPP;
}

static int soft_op_iommu_attach(struct vmdev_hw *hw,
				struct vdpa_iova_range *range)
{
	soft_hw(hw)->attached = true;
	*range = (struct vdpa_iova_range) { 0, SOFT_IOVA_LAST };
	return 0;
}

static void soft_op_iommu_detach(struct vmdev_hw *hw)
{
	WARN_ON(soft_hw(hw)->maps.count);
	soft_hw(hw)->attached = false;
}

static bool soft_op_reserved(struct vmdev_hw *hw, u64 first, u64 last,
			     struct vdpa_iova_range *found)
{
	return false;
}

static int soft_op_log_start(struct vmdev_hw *hw, u64 bitmap, u64 end)
{
	struct soft_hw *soft = soft_hw(hw);

	if (soft_fault_is(SOFT_FAULT_REFUSE_LOG)) {
		dev_err(hw->dev, "does not log\n");
		return -EIO;
	}
	mutex_lock(&soft_lock);
	soft->log_end = end;
	soft->log = bitmap;
	mutex_unlock(&soft_lock);
	return 0;
}

static void soft_op_log_stop(struct vmdev_hw *hw)
{
	mutex_lock(&soft_lock);
	soft_hw(hw)->log = 0;
	mutex_unlock(&soft_lock);
}

static int soft_op_map(struct vmdev_hw *hw, u64 iova, u64 size, u64 pa, u32 perm)
{
	struct vmdev_maps *maps = &soft_hw(hw)->maps;
	int err;

	mutex_lock(&soft_lock);
	err = vmdev_maps_reserve(maps);
	if (!err)
		err = vmdev_maps_add(maps, iova, iova + size - 1, pa, perm);
	mutex_unlock(&soft_lock);
	return err;
}

static void soft_op_unmap(struct vmdev_hw *hw, u64 iova, u64 size)
{
	struct vmdev_maps *maps = &soft_hw(hw)->maps;
	struct vmdev_map *map;

	mutex_lock(&soft_lock);
	map = vmdev_maps_first(maps, iova, iova);
	if (!WARN_ON(!map || map->first != iova || map->last != iova + size - 1))
		vmdev_maps_del(maps, map);
	mutex_unlock(&soft_lock);
}

static const struct vmdev_hw_ops soft_ops = {
	.negotiate		= soft_op_negotiate,
	.start			= soft_op_start,
	.stop			= soft_op_stop,
	.vq_start		= soft_op_vq_start,
	.vq_stop		= soft_op_vq_stop,
	.kick			= soft_op_kick,
	.status			= soft_op_status,
	.config_read		= soft_op_config_read,
	.config_write		= soft_op_config_write,
	.config_generation	= soft_op_config_generation,
	.irq_request		= soft_op_irq_request,
	.irq_release		= soft_op_irq_release,
	.vq_irq			= soft_op_vq_irq,
	.iommu_attach		= soft_op_iommu_attach,
	.iommu_detach		= soft_op_iommu_detach,
	.reserved		= soft_op_reserved,
	.log_start		= soft_op_log_start,
	.log_stop		= soft_op_log_stop,
	.map			= soft_op_map,
	.unmap			= soft_op_unmap,
};

/* --- what it counts --------------------------------------------------------- */

static ssize_t soft_show(struct device *dev, char *buf, size_t offset)
{
	void *soft = dev_get_drvdata(dev);
	u64 count;

	mutex_lock(&soft_lock);
	count = *(u64 *)(soft + offset);
	mutex_unlock(&soft_lock);
	return sysfs_emit(buf, "%llu\n", count);
}

static ssize_t done_show(struct device *dev, struct device_attribute *attr,
			 char *buf)
{
	return soft_show(dev, buf, offsetof(struct soft_hw, done));
}
static DEVICE_ATTR_RO(done);

static ssize_t writes_show(struct device *dev, struct device_attribute *attr,
			   char *buf)
{
	return soft_show(dev, buf, offsetof(struct soft_hw, writes));
}
static DEVICE_ATTR_RO(writes);

static ssize_t dropped_show(struct device *dev, struct device_attribute *attr,
			    char *buf)
{
	return soft_show(dev, buf, offsetof(struct soft_hw, dropped));
}
static DEVICE_ATTR_RO(dropped);

static ssize_t faults_show(struct device *dev, struct device_attribute *attr,
			   char *buf)
{
	return soft_show(dev, buf, offsetof(struct soft_hw, faults));
}
static DEVICE_ATTR_RO(faults);

static ssize_t logged_show(struct device *dev, struct device_attribute *attr,
			   char *buf)
{
	return soft_show(dev, buf, offsetof(struct soft_hw, logged));
}
static DEVICE_ATTR_RO(logged);

static struct attribute *soft_attrs[] = {
	&dev_attr_done.attr,
	&dev_attr_writes.attr,
	&dev_attr_dropped.attr,
	&dev_attr_faults.attr,
	&dev_attr_logged.attr,
	NULL,
};
ATTRIBUTE_GROUPS(soft);

/* --- life ------------------------------------------------------------------- */

static void soft_destroy(struct soft_hw *soft)
{
	cancel_work_sync(&soft->work);
	vmdev_maps_destroy(&soft->maps);
	if (soft->type)
		soft->type->exit(soft);
	if (!IS_ERR_OR_NULL(soft->pdev)) {
		sysfs_remove_groups(&soft->pdev->dev.kobj, soft_groups);
		platform_device_unregister(soft->pdev);
	}
	kvfree(soft);
}

static void soft_caps(struct soft_hw *soft)
{
	u16 i;

	for (i = 0; i < SOFT_VQS; i++)
		soft->vq_size[i] = SOFT_VQ_SIZE;
	soft->hw.dev = &soft->pdev->dev;
	soft->hw.dma_dev = &soft->pdev->dev;
	soft->hw.ops = &soft_ops;
	soft->hw.caps = (struct vmdev_hw_caps) {
		.device_id = soft->type->id,
		.features = SOFT_FEATURES | soft->type->features |
			    (caps & VMDEV_CAP_RING_RESET ?
			     BIT_ULL(VIRTIO_F_RING_RESET) : 0),
		.caps = caps,
		.nvqs = SOFT_VQS,
		.config_size = SOFT_CONFIG,
		.vq_size = soft->vq_size,
		.vq_size_min = 2,
		.vq_align = PAGE_SIZE,
	};
}

static struct soft_hw *soft_create(const char *name,
				   const struct soft_type *type)
{
	struct soft_hw *soft = kvzalloc(sizeof(*soft), GFP_KERNEL);
	int err;

	if (!soft)
		return ERR_PTR(-ENOMEM);
	INIT_WORK(&soft->work, soft_work);
	vmdev_maps_init(&soft->maps);
	soft->pdev = platform_device_register_simple(name, PLATFORM_DEVID_NONE,
						     NULL, 0);
	err = PTR_ERR_OR_ZERO(soft->pdev);
	if (err)
		goto err_destroy;
	platform_set_drvdata(soft->pdev, soft);
	err = dma_set_mask_and_coherent(&soft->pdev->dev, DMA_BIT_MASK(64));
	if (!err)
		err = sysfs_create_groups(&soft->pdev->dev.kobj, soft_groups);
	if (err)
		goto err_destroy;
	soft->type = type;
	err = type->init(soft);
	if (err)
		goto err_destroy;
	soft_caps(soft);
	return soft;

err_destroy:
	soft_destroy(soft);
	return ERR_PTR(err);
}

static void soft_exit(void)
{
	int i;

	for (i = 0; i < SOFT_DEVICES; i++)
		if (!IS_ERR_OR_NULL(soft_hws[i]) && soft_hws[i]->hw.parent)
			vmdev_parent_leave(&soft_hws[i]->hw);
	/* The ends of a wire look at each other as long as either runs. */
	for (i = 0; i < SOFT_DEVICES; i++)
		if (!IS_ERR_OR_NULL(soft_hws[i]) && soft_hws[i]->hw.parent)
			vmdev_parent_unregister(&soft_hws[i]->hw);
	flush_workqueue(soft_wq);
	for (i = 0; i < SOFT_DEVICES; i++)
		if (!IS_ERR_OR_NULL(soft_hws[i]))
			soft_destroy(soft_hws[i]);
	destroy_workqueue(soft_wq);
}

static int __init soft_init(void)
{
	static const struct {
		const char *name;
		const struct soft_type *type;
	} devices[SOFT_DEVICES] = {
		{ "soft-blk0", &soft_blk }, { "soft-blk1", &soft_blk },
		{ "soft-net0", &soft_net }, { "soft-net1", &soft_net },
	};
	int i, err = 0;

	soft_wq = alloc_ordered_workqueue("soft_hw", 0);
	if (!soft_wq)
		return -ENOMEM;
	for (i = 0; i < SOFT_DEVICES && !err; i++) {
		soft_hws[i] = soft_create(devices[i].name, devices[i].type);
		err = PTR_ERR_OR_ZERO(soft_hws[i]);
	}
	if (!err) {
		soft_hws[2]->peer = soft_hws[3];
		soft_hws[3]->peer = soft_hws[2];
	}
	for (i = 0; i < SOFT_DEVICES && !err; i++)
		err = vmdev_parent_register(&soft_hws[i]->hw);
	if (err)
		soft_exit();
	return err;
}

module_init(soft_init);
module_exit(soft_exit);

MODULE_DESCRIPTION("vmdev: hardware made of software, for tests");
MODULE_AUTHOR("The vmdev developers");
MODULE_LICENSE("GPL");
