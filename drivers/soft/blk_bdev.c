// SPDX-License-Identifier: GPL-2.0
/* A store that is a block device of the host. It is ours alone. */
#include <linux/bio.h>
#include <linux/blkdev.h>

#include "blk.h"

static int vmdev_soft_bdev_rw(struct vmdev_soft_blk_store *store, bool write, u64 offset,
			      struct bio_vec *bvecs, unsigned int n, u32 bytes)
{
	struct bio bio;
	int err;

	bio_init(&bio, store->bdev, bvecs, n,
		 (write ? REQ_OP_WRITE : REQ_OP_READ) | REQ_SYNC | REQ_IDLE);
	bio.bi_iter.bi_sector = offset >> SECTOR_SHIFT;
	bio.bi_vcnt = n;
	bio.bi_iter.bi_size = bytes;
	err = submit_bio_wait(&bio);
	bio_uninit(&bio);
	/* It is no matter of what can be asked for. */
	return err == -EOPNOTSUPP ? -EIO : err;
}

static int vmdev_soft_bdev_flush(struct vmdev_soft_blk_store *store)
{
	return blkdev_issue_flush(store->bdev);
}

static int vmdev_soft_bdev_discard(struct vmdev_soft_blk_store *store, u64 sector, u32 n)
{
	return blkdev_issue_discard(store->bdev, sector, n, GFP_NOIO);
}

static int vmdev_soft_bdev_zero(struct vmdev_soft_blk_store *store, u64 sector, u32 n,
				bool unmap)
{
	return blkdev_issue_zeroout(store->bdev, sector, n, GFP_NOIO,
				    unmap ? 0 : BLKDEV_ZERO_NOUNMAP);
}

/* Whoever else has it open would go on with what he read before. */
static void vmdev_soft_bdev_close(struct vmdev_soft_blk_store *store)
{
	invalidate_bdev(store->bdev);
	bdev_fput(store->file);
}

static const struct vmdev_soft_blk_store_ops vmdev_soft_bdev_ops = {
	.rw = vmdev_soft_bdev_rw,
	.flush = vmdev_soft_bdev_flush,
	.discard = vmdev_soft_bdev_discard,
	.zero = vmdev_soft_bdev_zero,
	.close = vmdev_soft_bdev_close,
};

static const struct vmdev_soft_blk_store_ops vmdev_soft_bdev_keep_ops = {
	.rw = vmdev_soft_bdev_rw,
	.flush = vmdev_soft_bdev_flush,
	.zero = vmdev_soft_bdev_zero,
	.close = vmdev_soft_bdev_close,
};

/**
 * vmdev_soft_blk_bdev_open() - a store that is a block device
 * @store: zeroed but for @read_only
 * @path: the block device
 *
 * Context: may sleep.
 * Return: 0; -EBUSY if somebody else uses it; another negative errno.
 */
int vmdev_soft_blk_bdev_open(struct vmdev_soft_blk_store *store, const char *path)
{
	blk_mode_t mode = BLK_OPEN_READ | (store->read_only ? 0 : BLK_OPEN_WRITE);
	struct block_device *bdev;
	int err;

	store->file = bdev_file_open_by_path(path, mode, store, NULL);
	if (IS_ERR(store->file))
		return PTR_ERR(store->file);
	bdev = file_bdev(store->file);
	/* We go past its page cache, which stays as long as anybody else has it open. */
	err = sync_blockdev(bdev);
	if (err) {
		bdev_fput(store->file);
		return err;
	}
	invalidate_bdev(bdev);
	store->bdev = bdev;
	store->ops = bdev_max_discard_sectors(bdev) ? &vmdev_soft_bdev_ops :
		     &vmdev_soft_bdev_keep_ops;
	store->sectors = bdev_nr_sectors(bdev);
	store->block = bdev_logical_block_size(bdev);
	store->physical = bdev_physical_block_size(bdev);
	store->io_min = bdev_io_min(bdev);
	store->io_opt = bdev_io_opt(bdev);
	store->align = (store->block - 1) | bdev_dma_alignment(bdev);
	return 0;
}
