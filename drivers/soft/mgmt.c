// SPDX-License-Identifier: GPL-2.0
/*
 * Management devices: each makes devices of one type, as many as are asked for. Some are
 * there when the module is loaded, more come and go in /sys/class/vmdev_soft.
 */
#include <linux/ctype.h>
#include <linux/device.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "vmdev_soft.h"

#define VMDEV_SOFT_MGMT_NAME_MAX	63

/**
 * struct vmdev_soft_mgmt - a management device
 * @dev: what it is in sysfs; parent of all that it makes
 * @factory: what the core knows of it
 * @type: what it makes
 * @fails: what does not work
 * @users: devices that it made; negative when it goes and makes no more
 * @node: in vmdev_soft_mgmts
 */
struct vmdev_soft_mgmt {
	struct device dev;
	struct vmdev_factory factory;
	const struct vmdev_soft_type *type;
	struct vmdev_soft_fail_set fails;
	atomic_t users;
	struct list_head node;
};

/* Protects the next two. Outside vdpa's own lock: not for create() and destroy(). */
static DEFINE_MUTEX(vmdev_soft_mgmts_lock);
static LIST_HEAD(vmdev_soft_mgmts);
/* The module goes: from now on the list is its own. */
static bool vmdev_soft_mgmts_closed;

static struct vmdev_hw *vmdev_soft_create(struct vmdev_factory *factory,
					  const char *name,
					  const struct vdpa_dev_set_config *config)
{
	struct vmdev_soft_mgmt *mgmt = container_of(factory, struct vmdev_soft_mgmt,
						    factory);
	struct vmdev_soft *soft;

	if (vmdev_soft_fail_is_set(&mgmt->fails, VMDEV_SOFT_FAIL_CREATE))
		return ERR_PTR(vmdev_soft_fail_said(&mgmt->dev, name,
						    VMDEV_SOFT_FAIL_CREATE, -EIO));
	if (!atomic_inc_unless_negative(&mgmt->users))
		return ERR_PTR(-ENODEV);
	soft = mgmt->type->create(mgmt->type, &mgmt->dev, name, config);
	if (IS_ERR(soft)) {
		atomic_dec(&mgmt->users);
		return ERR_CAST(soft);
	}
	return &soft->hw;
}

static void vmdev_soft_destroy(struct vmdev_hw *hw)
{
	struct vmdev_soft_mgmt *mgmt = container_of(hw->dev, struct vmdev_soft_mgmt, dev);
	struct vmdev_soft *soft = vmdev_soft(hw);

	soft->type->destroy(soft);
	atomic_dec(&mgmt->users);
}

/**
 * vmdev_soft_mgmt_fails() - what does not work of a management device
 * @dev: it
 *
 * Context: any.
 */
const struct vmdev_soft_fail_set *vmdev_soft_mgmt_fails(const struct device *dev)
{
	return &container_of(dev, struct vmdev_soft_mgmt, dev)->fails;
}

static void vmdev_soft_mgmt_release(struct device *dev)
{
	kfree(container_of(dev, struct vmdev_soft_mgmt, dev));
}

static ssize_t new_mgmtdev_store(const struct class *class,
				 const struct class_attribute *attr,
				 const char *page, size_t count);
static ssize_t del_mgmtdev_store(const struct class *class,
				 const struct class_attribute *attr,
				 const char *page, size_t count);
static CLASS_ATTR_WO(new_mgmtdev);
static CLASS_ATTR_WO(del_mgmtdev);

static struct attribute *vmdev_soft_class_attrs[] = {
	&class_attr_new_mgmtdev.attr,
	&class_attr_del_mgmtdev.attr,
	NULL
};
ATTRIBUTE_GROUPS(vmdev_soft_class);

static const struct class vmdev_soft_class = {
	.name = "vmdev_soft",
	.class_groups = vmdev_soft_class_groups,
	.dev_release = vmdev_soft_mgmt_release,
};

/* Called with vmdev_soft_mgmts_lock held. */
static struct vmdev_soft_mgmt *vmdev_soft_mgmt_find(const char *name)
{
	struct vmdev_soft_mgmt *mgmt;

	lockdep_assert_held(&vmdev_soft_mgmts_lock);
	list_for_each_entry(mgmt, &vmdev_soft_mgmts, node)
		if (!strcmp(dev_name(&mgmt->dev), name))
			return mgmt;
	return NULL;
}

/**
 * vmdev_soft_mgmt_add() - a management device
 * @type: what it makes
 * @name: its own; others may not have it
 *
 * Context: may sleep.
 * Return: 0; -EEXIST if there is one of this name; -ENODEV if the module goes; or another
 *	negative errno.
 */
int vmdev_soft_mgmt_add(const struct vmdev_soft_type *type, const char *name)
{
	struct vmdev_soft_mgmt *mgmt;
	int err;

	mgmt = kzalloc_obj(*mgmt, GFP_KERNEL);
	if (!mgmt)
		return -ENOMEM;
	mgmt->type = type;
	mgmt->dev.class = &vmdev_soft_class;
	device_initialize(&mgmt->dev);

	mutex_lock(&vmdev_soft_mgmts_lock);
	err = -ENODEV;
	if (vmdev_soft_mgmts_closed)
		goto err_put;
	err = -EEXIST;
	if (vmdev_soft_mgmt_find(name))
		goto err_put;
	err = dev_set_name(&mgmt->dev, "%s", name);
	if (!err)
		err = device_add(&mgmt->dev);
	if (err)
		goto err_put;

	mgmt->factory.dev = &mgmt->dev;
	mgmt->factory.caps = type->caps;
	mgmt->factory.create = vmdev_soft_create;
	mgmt->factory.destroy = vmdev_soft_destroy;
	vmdev_soft_fail_add(&mgmt->fails, name, type->caps.device_id);
	err = vmdev_factory_register(&mgmt->factory);
	if (err)
		goto err_del;
	list_add_tail(&mgmt->node, &vmdev_soft_mgmts);
	mutex_unlock(&vmdev_soft_mgmts_lock);
	return 0;

err_del:
	vmdev_soft_fail_del(&mgmt->fails);
	device_del(&mgmt->dev);
err_put:
	mutex_unlock(&vmdev_soft_mgmts_lock);
	put_device(&mgmt->dev);
	return err;
}

static void vmdev_soft_mgmt_del(struct vmdev_soft_mgmt *mgmt)
{
	list_del(&mgmt->node);
	vmdev_factory_unregister(&mgmt->factory);
	vmdev_soft_fail_del(&mgmt->fails);
	device_unregister(&mgmt->dev);
}

/* "TYPE NAME", as in "net rack7": what it makes, and its name. */
static ssize_t new_mgmtdev_store(const struct class *class,
				 const struct class_attribute *attr,
				 const char *page, size_t count)
{
	char type_name[8], name[VMDEV_SOFT_MGMT_NAME_MAX + 1], more;
	const struct vmdev_soft_type *type;
	const char *c;
	int err;

	if (count > sizeof(type_name) + sizeof(name) ||
	    sscanf(page, "%7s %63s %c", type_name, name, &more) != 2) {
		pr_err("vmdev_soft: new_mgmtdev: not \"net NAME\" or \"blk NAME\"\n");
		return -EINVAL;
	}
	type = vmdev_soft_type_find(type_name);
	if (!type) {
		pr_err("vmdev_soft: new_mgmtdev: no type %s, there are net and blk\n",
		       type_name);
		return -EINVAL;
	}
	/* A part of paths and of command lines: what is usual in names. */
	for (c = name; *c; c++) {
		if (isascii(*c) && (isalnum(*c) || strchr("_-", *c) || (*c == '.' && c != name)))
			continue;
		pr_err("vmdev_soft: new_mgmtdev: a name has letters, digits, _, - and .\n");
		return -EINVAL;
	}
	/* The class has files of these names. */
	err = !strcmp(name, "new_mgmtdev") || !strcmp(name, "del_mgmtdev") ? -EEXIST :
	      vmdev_soft_mgmt_add(type, name);
	if (err == -EEXIST)
		pr_err("vmdev_soft: new_mgmtdev: there is %s already\n", name);
	return err ? : count;
}

/* "NAME". One that has devices stays. */
static ssize_t del_mgmtdev_store(const struct class *class,
				 const struct class_attribute *attr,
				 const char *page, size_t count)
{
	char name[VMDEV_SOFT_MGMT_NAME_MAX + 1], more;
	struct vmdev_soft_mgmt *mgmt;
	int err = 0;

	if (count > sizeof(name) || sscanf(page, "%63s %c", name, &more) != 1) {
		pr_err("vmdev_soft: del_mgmtdev: not a name\n");
		return -EINVAL;
	}
	mutex_lock(&vmdev_soft_mgmts_lock);
	mgmt = vmdev_soft_mgmts_closed ? NULL : vmdev_soft_mgmt_find(name);
	if (!mgmt) {
		pr_err("vmdev_soft: del_mgmtdev: there is no %s\n", name);
		err = -ENODEV;
	} else if (atomic_cmpxchg(&mgmt->users, 0, INT_MIN)) {
		pr_err("vmdev_soft: del_mgmtdev: %s has devices, remove them first (vdpa dev del)\n",
		       name);
		err = -EBUSY;
	} else {
		vmdev_soft_mgmt_del(mgmt);
	}
	mutex_unlock(&vmdev_soft_mgmts_lock);
	return err ? : count;
}

/**
 * vmdev_soft_mgmt_init() - management devices may come
 *
 * Context: module init.
 * Return: 0 or a negative errno.
 */
int vmdev_soft_mgmt_init(void)
{
	int err = class_register(&vmdev_soft_class);

	if (!err)
		vmdev_soft_fail_init();
	return err;
}

/**
 * vmdev_soft_mgmt_exit() - they are gone, and none comes any more
 *
 * Context: may sleep, without bound while user space holds a device.
 */
void vmdev_soft_mgmt_exit(void)
{
	struct vmdev_soft_mgmt *mgmt, *next;

	mutex_lock(&vmdev_soft_mgmts_lock);
	vmdev_soft_mgmts_closed = true;
	mutex_unlock(&vmdev_soft_mgmts_lock);
	/* The list is ours alone now, and nobody waits for the lock as long as this may take. */
	list_for_each_entry_safe_reverse(mgmt, next, &vmdev_soft_mgmts, node)
		vmdev_soft_mgmt_del(mgmt);
	vmdev_soft_fail_exit();
	class_unregister(&vmdev_soft_class);
}
