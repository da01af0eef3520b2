// SPDX-License-Identifier: GPL-2.0
/* Block devices: what they are. */
#include <linux/cpumask.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/virtio_byteorder.h>
#include <uapi/linux/virtio_ids.h>

#include "blk.h"

/* Pieces of data in a request: a ring of 128 has room for one, and for both its ends. */
#define VMDEV_SOFT_BLK_SEGS	126

/* Requests end in any order. */
#define VMDEV_SOFT_BLK_FEATURES	((VMDEV_SOFT_TRANSPORT & ~BIT_ULL(VIRTIO_F_IN_ORDER)) | \
				 BIT_ULL(VIRTIO_BLK_F_SEG_MAX) | \
				 BIT_ULL(VIRTIO_BLK_F_RO) | \
				 BIT_ULL(VIRTIO_BLK_F_BLK_SIZE) | \
				 BIT_ULL(VIRTIO_BLK_F_TOPOLOGY) | \
				 BIT_ULL(VIRTIO_BLK_F_FLUSH) | \
				 BIT_ULL(VIRTIO_BLK_F_MQ) | \
				 BIT_ULL(VIRTIO_BLK_F_DISCARD) | \
				 BIT_ULL(VIRTIO_BLK_F_WRITE_ZEROES))

static uint blk_ram_mb = 64;
module_param(blk_ram_mb, uint, 0644);
MODULE_PARM_DESC(blk_ram_mb, "Size in MiB of block devices that nothing was configured for (default: 64)");

static void vmdev_soft_blk_topology(const struct vmdev_soft_blk_store *store,
				    struct virtio_blk_config *config)
{
	config->blk_size = __cpu_to_virtio32(true, store->block);
	config->physical_block_exp = ilog2(max(store->physical / store->block, 1U));
	config->min_io_size = __cpu_to_virtio16(true, min(store->io_min / store->block,
							  (u32)U16_MAX));
	config->opt_io_size = __cpu_to_virtio32(true, store->io_opt / store->block);
}

static void vmdev_soft_blk_ranges(const struct vmdev_soft_blk_store *store,
				  struct virtio_blk_config *config)
{
	const u32 sectors = VMDEV_SOFT_BLK_RANGE_MAX;

	config->max_discard_sectors = __cpu_to_virtio32(true, sectors);
	config->max_discard_seg = __cpu_to_virtio32(true, VMDEV_SOFT_BLK_RANGES);
	config->discard_sector_alignment = __cpu_to_virtio32(true, store->physical >> SECTOR_SHIFT);
	config->max_write_zeroes_sectors = __cpu_to_virtio32(true, sectors);
	config->max_write_zeroes_seg = __cpu_to_virtio32(true, VMDEV_SOFT_BLK_RANGES);
	config->write_zeroes_may_unmap = 1;
}

static void vmdev_soft_blk_config(struct vmdev_soft_blk *blk)
{
	struct vmdev_hw_caps *caps = &blk->soft.hw.caps;
	struct virtio_blk_config *config = blk->soft.config;

	config->capacity = __cpu_to_virtio64(true, blk->store.sectors);
	config->seg_max = __cpu_to_virtio32(true, VMDEV_SOFT_BLK_SEGS);
	config->num_queues = __cpu_to_virtio16(true, blk->nqueues);
	config->wce = 1;
	vmdev_soft_blk_topology(&blk->store, config);
	vmdev_soft_blk_ranges(&blk->store, config);

	if (blk->nqueues == 1)
		caps->features &= ~BIT_ULL(VIRTIO_BLK_F_MQ);
	if (!blk->store.ops->discard)
		caps->features &= ~BIT_ULL(VIRTIO_BLK_F_DISCARD);
	if (!blk->store.read_only)
		caps->features &= ~BIT_ULL(VIRTIO_BLK_F_RO);
}

static int vmdev_soft_blk_setup(struct vmdev_soft_blk *blk, struct device *dev,
				const char *name, const struct vmdev_soft_blk_conf *conf)
{
	unsigned int flags = WQ_UNBOUND | WQ_HIGHPRI;
	int err;
	u16 i;

	err = vmdev_soft_blk_open(&blk->store, dev, name, conf);
	if (err)
		return err;
	/* A file system may write back to it to get memory. */
	if (!vmdev_soft_blk_is_ram(&blk->store))
		flags |= WQ_MEM_RECLAIM;
	/* No more of it than there is room for. */
	blk->wq = alloc_workqueue("vmdev_blk-%.21s", flags, 0, name);
	if (!blk->wq) {
		blk->store.ops->close(&blk->store);
		return -ENOMEM;
	}
	memcpy(blk->serial, conf->serial, sizeof(blk->serial));
	for (i = 0; i < blk->nqueues; i++)
		vmdev_soft_blk_queue_init(blk, i);
	vmdev_soft_blk_config(blk);
	return 0;
}

static struct vmdev_soft_blk *vmdev_soft_blk_make(const struct vmdev_soft_type *type,
						  struct device *dev, const char *name,
						  const struct vmdev_soft_blk_conf *conf)
{
	u16 n = clamp_t(u32, conf->queues ? : num_online_cpus(), 1,
			VMDEV_SOFT_BLK_QUEUES_MAX);
	struct vmdev_soft_blk *blk;
	int err;

	blk = kvzalloc(struct_size(blk, queues, n), GFP_KERNEL);
	if (!blk)
		return ERR_PTR(-ENOMEM);
	blk->nqueues = n;
	err = vmdev_soft_init(&blk->soft, type, dev, name, n);
	if (err)
		goto err_free;
	err = vmdev_soft_blk_setup(blk, dev, name, conf);
	if (err)
		goto err_exit;
	return blk;

err_exit:
	vmdev_soft_exit(&blk->soft);
err_free:
	kvfree(blk);
	return ERR_PTR(err);
}

static struct vmdev_soft *vmdev_soft_blk_create(const struct vmdev_soft_type *type,
						struct device *dev, const char *name,
						const struct vdpa_dev_set_config *config)
{
	struct vmdev_soft_blk_conf conf = { 0 };
	struct vmdev_soft_blk *blk;
	struct config_item *item;

	item = vmdev_soft_blk_config_get(name, &conf);
	if (IS_ERR(item))
		return ERR_CAST(item);
	if (!conf.path && !conf.size)
		conf.size = (u64)READ_ONCE(blk_ram_mb) << 20;
	if (!conf.serial[0])
		memcpy(conf.serial, name, strnlen(name, sizeof(conf.serial)));

	blk = vmdev_soft_blk_make(type, dev, name, &conf);
	kfree(conf.path);
	if (IS_ERR(blk)) {
		vmdev_soft_blk_config_put(item);
		return ERR_CAST(blk);
	}
	blk->item = item;
	return &blk->soft;
}

static void vmdev_soft_blk_destroy(struct vmdev_soft *soft)
{
	struct vmdev_soft_blk *blk = vmdev_soft_blk(soft);
	u16 i;

	for (i = 0; i < blk->nqueues; i++)
		vmdev_soft_blk_queue_exit(&blk->queues[i]);
	destroy_workqueue(blk->wq);
	blk->store.ops->close(&blk->store);
	vmdev_soft_blk_config_put(blk->item);
	vmdev_soft_exit(soft);
	kvfree(blk);
}

const struct vmdev_soft_type vmdev_soft_blk_type = {
	.name = "blk",
	.mgmtdev = "vmdev_soft_blk",
	.caps = {
		.device_id = VIRTIO_ID_BLOCK,
		.features = VMDEV_SOFT_BLK_FEATURES,
		.caps = VMDEV_SOFT_CAPS,
		.nvqs = VMDEV_SOFT_BLK_QUEUES_MAX,
		.config_size = offsetofend(struct virtio_blk_config, unused1),
		.vq_size_min = 2,
		.vq_align = 16,
	},
	.create = vmdev_soft_blk_create,
	.destroy = vmdev_soft_blk_destroy,
	.kick = vmdev_soft_blk_kick,
	.drain = vmdev_soft_blk_drain,
};
