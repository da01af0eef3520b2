// SPDX-License-Identifier: GPL-2.0
/*
 * What block devices are made of: a directory in configfs for each, of its name, before
 * it is made. While there is the device nothing of it can be changed.
 */
#include <linux/configfs.h>
#include <linux/limits.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "blk.h"

/**
 * struct vmdev_soft_blk_dir - a directory
 * @item: it
 * @lock: protects the rest
 * @busy: there is the device
 * @conf: what its files say
 */
struct vmdev_soft_blk_dir {
	struct config_item item;
	/* Protects the rest. */
	struct mutex lock;
	bool busy;
	struct vmdev_soft_blk_conf conf;
};

static struct vmdev_soft_blk_dir *vmdev_soft_blk_dir(struct config_item *item)
{
	return container_of(item, struct vmdev_soft_blk_dir, item);
}

/* Locked, unless it is busy. */
static int vmdev_soft_blk_dir_change(struct vmdev_soft_blk_dir *dir)
{
	mutex_lock(&dir->lock);
	if (!dir->busy)
		return 0;
	mutex_unlock(&dir->lock);
	return -EBUSY;
}

static ssize_t vmdev_soft_blk_path_show(struct config_item *item, char *page)
{
	struct vmdev_soft_blk_dir *dir = vmdev_soft_blk_dir(item);
	ssize_t n;

	mutex_lock(&dir->lock);
	n = sysfs_emit(page, "%s\n", dir->conf.path ? : "");
	mutex_unlock(&dir->lock);
	return n;
}

/* One newline at the end is echo's. */
static ssize_t vmdev_soft_blk_path_store(struct config_item *item, const char *page,
					 size_t count)
{
	struct vmdev_soft_blk_dir *dir = vmdev_soft_blk_dir(item);
	size_t n = count;
	char *path = NULL;
	int err;

	if (n && page[n - 1] == '\n')
		n--;
	if (n >= PATH_MAX)
		return -ENAMETOOLONG;
	if (n) {
		path = kmemdup_nul(page, n, GFP_KERNEL);
		if (!path)
			return -ENOMEM;
	}
	err = vmdev_soft_blk_dir_change(dir);
	if (err) {
		kfree(path);
		return err;
	}
	swap(dir->conf.path, path);
	mutex_unlock(&dir->lock);
	kfree(path);
	return count;
}
CONFIGFS_ATTR(vmdev_soft_blk_, path);

static ssize_t vmdev_soft_blk_size_show(struct config_item *item, char *page)
{
	return sysfs_emit(page, "%llu\n", READ_ONCE(vmdev_soft_blk_dir(item)->conf.size));
}

static ssize_t vmdev_soft_blk_size_store(struct config_item *item, const char *page,
					 size_t count)
{
	struct vmdev_soft_blk_dir *dir = vmdev_soft_blk_dir(item);
	char *end;
	u64 size;
	int err;

	/* With a suffix as K, M, G. */
	size = memparse(page, &end);
	if (end == page || *skip_spaces(end) || size > (u64)S64_MAX ||
	    size & (SECTOR_SIZE - 1))
		return -EINVAL;
	err = vmdev_soft_blk_dir_change(dir);
	if (err)
		return err;
	WRITE_ONCE(dir->conf.size, size);
	mutex_unlock(&dir->lock);
	return count;
}
CONFIGFS_ATTR(vmdev_soft_blk_, size);

static ssize_t vmdev_soft_blk_read_only_show(struct config_item *item, char *page)
{
	return sysfs_emit(page, "%d\n", READ_ONCE(vmdev_soft_blk_dir(item)->conf.read_only));
}

static ssize_t vmdev_soft_blk_read_only_store(struct config_item *item, const char *page,
					      size_t count)
{
	struct vmdev_soft_blk_dir *dir = vmdev_soft_blk_dir(item);
	bool read_only;
	int err;

	err = kstrtobool(page, &read_only) ? : vmdev_soft_blk_dir_change(dir);
	if (err)
		return err;
	WRITE_ONCE(dir->conf.read_only, read_only);
	mutex_unlock(&dir->lock);
	return count;
}
CONFIGFS_ATTR(vmdev_soft_blk_, read_only);

static ssize_t vmdev_soft_blk_serial_show(struct config_item *item, char *page)
{
	struct vmdev_soft_blk_dir *dir = vmdev_soft_blk_dir(item);
	ssize_t n;

	mutex_lock(&dir->lock);
	n = sysfs_emit(page, "%.*s\n", VIRTIO_BLK_ID_BYTES, dir->conf.serial);
	mutex_unlock(&dir->lock);
	return n;
}

static ssize_t vmdev_soft_blk_serial_store(struct config_item *item, const char *page,
					   size_t count)
{
	struct vmdev_soft_blk_dir *dir = vmdev_soft_blk_dir(item);
	size_t n = count;
	int err;

	if (n && page[n - 1] == '\n')
		n--;
	if (n > VIRTIO_BLK_ID_BYTES)
		return -EINVAL;
	err = vmdev_soft_blk_dir_change(dir);
	if (err)
		return err;
	memset(dir->conf.serial, 0, VIRTIO_BLK_ID_BYTES);
	memcpy(dir->conf.serial, page, n);
	mutex_unlock(&dir->lock);
	return count;
}
CONFIGFS_ATTR(vmdev_soft_blk_, serial);

static ssize_t vmdev_soft_blk_queues_show(struct config_item *item, char *page)
{
	return sysfs_emit(page, "%u\n", READ_ONCE(vmdev_soft_blk_dir(item)->conf.queues));
}

static ssize_t vmdev_soft_blk_queues_store(struct config_item *item, const char *page,
					   size_t count)
{
	struct vmdev_soft_blk_dir *dir = vmdev_soft_blk_dir(item);
	u16 queues;
	int err;

	err = kstrtou16(page, 0, &queues);
	if (!err && queues > VMDEV_SOFT_BLK_QUEUES_MAX)
		err = -ERANGE;
	if (!err)
		err = vmdev_soft_blk_dir_change(dir);
	if (err)
		return err;
	WRITE_ONCE(dir->conf.queues, queues);
	mutex_unlock(&dir->lock);
	return count;
}
CONFIGFS_ATTR(vmdev_soft_blk_, queues);

static struct configfs_attribute *vmdev_soft_blk_attrs[] = {
	&vmdev_soft_blk_attr_path,
	&vmdev_soft_blk_attr_size,
	&vmdev_soft_blk_attr_read_only,
	&vmdev_soft_blk_attr_serial,
	&vmdev_soft_blk_attr_queues,
	NULL,
};

static void vmdev_soft_blk_dir_release(struct config_item *item)
{
	struct vmdev_soft_blk_dir *dir = vmdev_soft_blk_dir(item);

	kfree(dir->conf.path);
	kfree(dir);
}

static struct configfs_item_operations vmdev_soft_blk_dir_ops = {
	.release = vmdev_soft_blk_dir_release,
};

static const struct config_item_type vmdev_soft_blk_dir_type = {
	.ct_item_ops = &vmdev_soft_blk_dir_ops,
	.ct_attrs = vmdev_soft_blk_attrs,
	.ct_owner = THIS_MODULE,
};

static struct config_item *vmdev_soft_blk_dir_make(struct config_group *group,
						   const char *name)
{
	struct vmdev_soft_blk_dir *dir = kzalloc_obj(*dir, GFP_KERNEL);

	if (!dir)
		return ERR_PTR(-ENOMEM);
	mutex_init(&dir->lock);
	config_item_init_type_name(&dir->item, name, &vmdev_soft_blk_dir_type);
	return &dir->item;
}

static struct configfs_group_operations vmdev_soft_blk_group_ops = {
	.make_item = vmdev_soft_blk_dir_make,
};

static const struct config_item_type vmdev_soft_blk_group_type = {
	.ct_group_ops = &vmdev_soft_blk_group_ops,
	.ct_owner = THIS_MODULE,
};

static const struct config_item_type vmdev_soft_root_type = {
	.ct_owner = THIS_MODULE,
};

static struct configfs_subsystem vmdev_soft_subsys = {
	.su_group = {
		.cg_item = {
			.ci_namebuf = "vmdev_soft",
			.ci_type = &vmdev_soft_root_type,
		},
	},
	.su_mutex = __MUTEX_INITIALIZER(vmdev_soft_subsys.su_mutex),
};

static struct config_group vmdev_soft_blk_group;

static struct config_item *vmdev_soft_blk_dir_find(const char *name)
{
	struct config_item *item;

	mutex_lock(&vmdev_soft_subsys.su_mutex);
	item = config_group_find_item(&vmdev_soft_blk_group, name);
	mutex_unlock(&vmdev_soft_subsys.su_mutex);
	return item;
}

static int vmdev_soft_blk_dir_get(struct vmdev_soft_blk_dir *dir,
				  struct vmdev_soft_blk_conf *conf)
{
	int err = vmdev_soft_blk_dir_change(dir);

	if (err)
		return err;
	*conf = dir->conf;
	if (conf->path) {
		conf->path = kstrdup(conf->path, GFP_KERNEL);
		err = conf->path ? 0 : -ENOMEM;
	}
	dir->busy = !err;
	mutex_unlock(&dir->lock);
	return err;
}

/**
 * vmdev_soft_blk_config_get() - what a device is to be made of
 * @name: its name
 * @conf: filled in if there is a directory; its path is the caller's
 *
 * Context: may sleep.
 * Return: the directory, which stays as it is until vmdev_soft_blk_config_put(); NULL if
 * there is none; or an ERR_PTR().
 */
struct config_item *vmdev_soft_blk_config_get(const char *name,
					      struct vmdev_soft_blk_conf *conf)
{
	struct config_item *item = vmdev_soft_blk_dir_find(name);
	int err;

	if (!item)
		return NULL;
	/* Fails for one that is just going. */
	err = configfs_depend_item(&vmdev_soft_subsys, item);
	if (!err) {
		err = vmdev_soft_blk_dir_get(vmdev_soft_blk_dir(item), conf);
		if (err)
			configfs_undepend_item(item);
	}
	if (!err)
		return item;
	config_item_put(item);
	return ERR_PTR(err);
}

/**
 * vmdev_soft_blk_config_put() - the reverse of vmdev_soft_blk_config_get()
 * @item: what it returned
 *
 * Context: may sleep.
 */
void vmdev_soft_blk_config_put(struct config_item *item)
{
	struct vmdev_soft_blk_dir *dir;

	if (!item)
		return;
	dir = vmdev_soft_blk_dir(item);
	mutex_lock(&dir->lock);
	dir->busy = false;
	mutex_unlock(&dir->lock);
	configfs_undepend_item(item);
	config_item_put(item);
}

/**
 * vmdev_soft_blk_config_init() - vmdev_soft/blk in configfs
 *
 * Context: may sleep.
 * Return: 0 or a negative errno.
 */
int vmdev_soft_blk_config_init(void)
{
	config_group_init(&vmdev_soft_subsys.su_group);
	config_group_init_type_name(&vmdev_soft_blk_group, "blk", &vmdev_soft_blk_group_type);
	configfs_add_default_group(&vmdev_soft_blk_group, &vmdev_soft_subsys.su_group);
	return configfs_register_subsystem(&vmdev_soft_subsys);
}

/**
 * vmdev_soft_blk_config_exit() - the reverse of vmdev_soft_blk_config_init()
 *
 * Context: may sleep.
 */
void vmdev_soft_blk_config_exit(void)
{
	configfs_unregister_subsystem(&vmdev_soft_subsys);
}
