// SPDX-License-Identifier: GPL-2.0
/* Stores: which one is asked for; and those that are files. */
#include <linux/device.h>
#include <linux/falloc.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/namei.h>
#include <linux/pagemap.h>
#include <linux/uio.h>

#include "blk.h"

static int vmdev_soft_file_rw(struct vmdev_soft_blk_store *store, bool write, u64 offset,
			      struct bio_vec *bvecs, unsigned int n, u32 bytes)
{
	struct iov_iter iter;
	loff_t pos = offset;
	ssize_t got;

	iov_iter_bvec(&iter, write ? ITER_SOURCE : ITER_DEST, bvecs, n, bytes);
	while (iov_iter_count(&iter)) {
		got = write ? vfs_iter_write(store->file, &iter, &pos, 0) :
		      vfs_iter_read(store->file, &iter, &pos, 0);
		/* Shorter than it was: what is not there cannot be read. */
		if (got <= 0)
			return got && got != -EOPNOTSUPP ? got : -EIO;
	}
	return 0;
}

/*
 * What could not be written back is lost, and fsync says so once: the next one, or one of
 * another queue at the same time, succeeds. Nobody knows whose data it was, so no flush
 * succeeds any more.
 */
static int vmdev_soft_file_flush(struct vmdev_soft_blk_store *store)
{
	int err = vfs_fsync(store->file, 1);

	return err ? : filemap_check_wb_err(store->file->f_mapping, store->opened);
}

static int vmdev_soft_file_allocate(struct vmdev_soft_blk_store *store, int mode,
				    u64 sector, u32 n)
{
	return vfs_fallocate(store->file, mode | FALLOC_FL_KEEP_SIZE,
			     sector << SECTOR_SHIFT, (u64)n << SECTOR_SHIFT);
}

static int vmdev_soft_file_discard(struct vmdev_soft_blk_store *store, u64 sector, u32 n)
{
	return vmdev_soft_file_allocate(store, FALLOC_FL_PUNCH_HOLE, sector, n);
}

/* For file systems that know no better way. */
static int vmdev_soft_file_write_zeroes(struct vmdev_soft_blk_store *store, u64 sector,
					u32 n)
{
	u64 at = sector << SECTOR_SHIFT, end = (sector + n) << SECTOR_SHIFT;
	struct bio_vec bvec;
	int err = 0;

	while (at < end && !err) {
		u32 len = min_t(u64, end - at, PAGE_SIZE);

		bvec_set_page(&bvec, ZERO_PAGE(0), len, 0);
		err = vmdev_soft_file_rw(store, true, at, &bvec, 1, len);
		at += len;
		cond_resched();
	}
	return err;
}

static int vmdev_soft_file_zero(struct vmdev_soft_blk_store *store, u64 sector, u32 n,
				bool unmap)
{
	int mode = unmap ? FALLOC_FL_PUNCH_HOLE : FALLOC_FL_ZERO_RANGE;
	int err = vmdev_soft_file_allocate(store, mode, sector, n);

	if (err != -EOPNOTSUPP)
		return err;
	return vmdev_soft_file_write_zeroes(store, sector, n);
}

static void vmdev_soft_file_close(struct vmdev_soft_blk_store *store)
{
	fput(store->file);
}

static const struct vmdev_soft_blk_store_ops vmdev_soft_file_ops = {
	.rw = vmdev_soft_file_rw,
	.flush = vmdev_soft_file_flush,
	.discard = vmdev_soft_file_discard,
	.zero = vmdev_soft_file_zero,
	.close = vmdev_soft_file_close,
};

static const struct vmdev_soft_blk_store_ops vmdev_soft_file_keep_ops = {
	.rw = vmdev_soft_file_rw,
	.flush = vmdev_soft_file_flush,
	.zero = vmdev_soft_file_zero,
	.close = vmdev_soft_file_close,
};

static int vmdev_soft_file_open(struct vmdev_soft_blk_store *store, const char *path)
{
	int flags = (store->read_only ? O_RDONLY : O_RDWR) | O_LARGEFILE | O_NONBLOCK;
	struct inode *inode;

	store->file = filp_open(path, flags, 0);
	if (IS_ERR(store->file))
		return PTR_ERR(store->file);
	inode = file_inode(store->file);
	if (!S_ISREG(inode->i_mode)) {
		fput(store->file);
		return -ENOTBLK;
	}
	/* An error that was told by then is not ours. */
	store->opened = READ_ONCE(store->file->f_wb_err);
	store->ops = store->file->f_op->fallocate ? &vmdev_soft_file_ops :
		     &vmdev_soft_file_keep_ops;
	store->sectors = i_size_read(inode) >> SECTOR_SHIFT;
	store->block = SECTOR_SIZE;
	store->physical = min_t(u32, i_blocksize(inode), PAGE_SIZE);
	return 0;
}

static int vmdev_soft_path_open(struct vmdev_soft_blk_store *store, const char *path)
{
	struct path found;
	umode_t mode;
	int err;

	if (path[0] != '/')
		return -EINVAL;
	err = kern_path(path, LOOKUP_FOLLOW, &found);
	if (err)
		return err;
	mode = d_inode(found.dentry)->i_mode;
	path_put(&found);
	if (S_ISBLK(mode))
		return vmdev_soft_blk_bdev_open(store, path);
	return S_ISREG(mode) ? vmdev_soft_file_open(store, path) : -ENOTBLK;
}

/* What a person may do about it. */
static const char *vmdev_soft_path_why(int err)
{
	switch (err) {
	case -EINVAL:
		return "not an absolute path";
	case -ENOENT:
	case -ENOTDIR:
		return "no such file or block device";
	case -ENOTBLK:
		return "neither a regular file nor a block device";
	case -EBUSY:
		return "block device is used otherwise: unmounting it may help";
	case -EROFS:
	case -EACCES:
	case -EPERM:
		return "may not be opened for writing: set read_only, or permit it";
	case -ETXTBSY:
		return "file is being executed or swapped to";
	default:
		return "cannot be opened";
	}
}

static int vmdev_soft_path_size(struct vmdev_soft_blk_store *store, struct device *dev,
				const char *name, const char *path)
{
	loff_t size = i_size_read(store->file->f_mapping->host);

	if (size && !(size & (SECTOR_SIZE - 1)))
		return 0;
	dev_err(dev, "%s: %s: its size of %lld bytes is not a multiple of %u, or 0\n",
		name, path, size, SECTOR_SIZE);
	store->ops->close(store);
	return -EINVAL;
}

static int vmdev_soft_ram_size(struct vmdev_soft_blk_store *store, struct device *dev,
			       const char *name, u64 size)
{
	int err;

	if (!size || size & (SECTOR_SIZE - 1)) {
		dev_err(dev, "%s: size of %llu bytes is not a multiple of %u, or 0\n",
			name, size, SECTOR_SIZE);
		return -EINVAL;
	}
	err = vmdev_soft_blk_ram_open(store, size);
	if (err)
		dev_err(dev, "%s: no memory for %llu bytes: make it smaller\n", name, size);
	return err;
}

/**
 * vmdev_soft_blk_open() - open a store; says in one line why it cannot
 * @store: zeroed; not moved before it is closed
 * @dev: for that line
 * @name: of the vDPA device, likewise
 * @conf: what is asked for
 *
 * Context: may sleep.
 * Return: 0, and the @close of its ops is the reverse; or a negative errno.
 */
int vmdev_soft_blk_open(struct vmdev_soft_blk_store *store, struct device *dev,
			const char *name, const struct vmdev_soft_blk_conf *conf)
{
	int err;

	store->read_only = conf->read_only;
	if (!conf->path)
		return vmdev_soft_ram_size(store, dev, name, conf->size);
	if (conf->size) {
		dev_err(dev, "%s: size is for RAM, %s has its own: set one of path and size\n",
			name, conf->path);
		return -EINVAL;
	}
	err = vmdev_soft_path_open(store, conf->path);
	if (!err)
		return vmdev_soft_path_size(store, dev, name, conf->path);
	dev_err(dev, "%s: %s: %s (%pe)\n", name, conf->path, vmdev_soft_path_why(err),
		ERR_PTR(err));
	return err;
}
