// SPDX-License-Identifier: GPL-2.0
/*
 * Management devices as mdev parents, their types, and who makes a device for whom.
 */
#include <linux/slab.h>
#include <linux/sysfs.h>
#include <linux/wait.h>
#include <uapi/linux/virtio_ids.h>

#include "vmdev_mdev.h"

/* Protected by vmdev_mdev_lock. */
static LIST_HEAD(vmdev_mdev_parents);

/* Some vmdev_mdev_parent.users fell to 0. */
static DECLARE_WAIT_QUEUE_HEAD(vmdev_mdev_idle);

static struct vmdev_mdev_parent *vmdev_mdev_parent(struct mdev_parent *parent)
{
	return container_of(parent, struct vmdev_mdev_parent, parent);
}

static const struct vmdev_mdev_type *vmdev_mdev_type(struct mdev_type *type)
{
	return container_of(type, struct vmdev_mdev_type, type);
}

/* How many more devices can it make? */
static unsigned int vmdev_mdev_room(const struct vmdev_mdev_parent *on)
{
	lockdep_assert_held(&vmdev_mdev_lock);

	if (on->going || !vmdev_maker_free(on->maker))
		return 0;
	return (on->maker->many ? VMDEV_MDEV_MANY : 1) - on->users;
}

/*
 * Who makes devices for a parent? All that are of its pool, or if there are none it does so
 * itself: a PF without VFs that are ours is a function like any other. Returns the sum of
 * what they can make, and the first of them that can make one.
 */
static unsigned int vmdev_mdev_pool(struct vmdev_mdev_parent *parent,
				    struct vmdev_mdev_parent **first)
{
	struct vmdev_mdev_parent *on;
	unsigned int room, sum = 0;
	bool pool = false;

	*first = NULL;
	list_for_each_entry(on, &vmdev_mdev_parents, node) {
		if (on->maker->pool != parent->maker->dev)
			continue;
		pool = true;
		/* VFs may be of another type than their PF: its mdevs are not what they make. */
		if (on->maker->device_id != parent->maker->device_id)
			continue;
		room = vmdev_mdev_room(on);
		if (room && !*first)
			*first = on;
		sum += room;
	}
	if (pool)
		return sum;

	sum = vmdev_mdev_room(parent);
	if (sum)
		*first = parent;
	return sum;
}

/**
 * vmdev_mdev_take() - find who makes a vDPA device
 * @parent: of the mdev that it is for
 *
 * Context: may sleep.
 * Return: who makes it, and stays until vmdev_mdev_put(); or NULL if nobody can.
 */
struct vmdev_mdev_parent *vmdev_mdev_take(struct vmdev_mdev_parent *parent)
{
	struct vmdev_mdev_parent *on;

	mutex_lock(&vmdev_mdev_lock);
	vmdev_mdev_pool(parent, &on);
	if (on)
		on->users++;
	mutex_unlock(&vmdev_mdev_lock);
	return on;
}

/**
 * vmdev_mdev_put() - the reverse of vmdev_mdev_take()
 * @on: what that returned; what it made is deleted
 *
 * Context: vmdev_mdev_lock held.
 */
void vmdev_mdev_put(struct vmdev_mdev_parent *on)
{
	lockdep_assert_held(&vmdev_mdev_lock);

	WRITE_ONCE(on->users, on->users - 1);
	if (!on->users)
		wake_up_all(&vmdev_mdev_idle);
}

/**
 * vmdev_mdev_get_available() - mdev_driver.get_available
 * @type: the type
 *
 * Context: may sleep.
 * Return: how many mdevs could be created now.
 */
unsigned int vmdev_mdev_get_available(struct mdev_type *type)
{
	struct vmdev_mdev_parent *on;
	unsigned int sum;

	mutex_lock(&vmdev_mdev_lock);
	sum = vmdev_mdev_pool(vmdev_mdev_parent(type->parent), &on);
	mutex_unlock(&vmdev_mdev_lock);
	return sum;
}

/**
 * vmdev_mdev_show_description() - mdev_driver.show_description
 * @type: the type
 * @buf: a page
 *
 * Return: bytes of it that are used.
 */
ssize_t vmdev_mdev_show_description(struct mdev_type *type, char *buf)
{
	const struct vmdev_maker *maker = vmdev_mdev_parent(type->parent)->maker;
	const struct vmdev_mdev_type *t = vmdev_mdev_type(type);

	if (t->device_id == VIRTIO_ID_BLOCK)
		return sysfs_emit(buf, "vDPA device, virtio-blk\n");
	if (t->device_id != VIRTIO_ID_NET)
		return sysfs_emit(buf, "vDPA device, virtio id %u\n", t->device_id);
	if (t->single || maker->max_vqp == 1)
		return sysfs_emit(buf, "vDPA device, virtio-net, 1 queue pair\n");
	return sysfs_emit(buf, "vDPA device, virtio-net, up to %u queue pairs\n",
			  maker->max_vqp);
}

static unsigned int vmdev_mdev_add_type(struct vmdev_mdev_parent *parent,
					unsigned int n, const char *name,
					const char *pretty, bool single)
{
	struct vmdev_mdev_type *type = &parent->types[n];

	type->type.sysfs_name = name;
	type->type.pretty_name = pretty;
	type->device_id = parent->maker->device_id;
	type->single = single;
	parent->type_ptrs[n] = &type->type;
	return n + 1;
}

static unsigned int vmdev_mdev_add_types(struct vmdev_mdev_parent *parent)
{
	const struct vmdev_maker *maker = parent->maker;
	unsigned int n;

	if (maker->device_id == VIRTIO_ID_BLOCK)
		return vmdev_mdev_add_type(parent, 0, "blk", "virtio-blk", false);
	if (maker->device_id != VIRTIO_ID_NET)
		return vmdev_mdev_add_type(parent, 0, "virtio", "virtio", false);
	n = vmdev_mdev_add_type(parent, 0, "net", "virtio-net", false);
	if (maker->max_vqp > 1)
		n = vmdev_mdev_add_type(parent, n, "net-1q", "virtio-net, 1 queue pair",
					true);
	return n;
}

/* What cannot be an mdev parent is a management device all the same. */
static void vmdev_mdev_added(struct vmdev_maker *maker)
{
	struct vmdev_mdev_parent *parent;
	unsigned int ntypes;
	int err = -ENOMEM;

	parent = kzalloc_obj(*parent, GFP_KERNEL);
	if (!parent)
		goto err_warn;
	parent->maker = maker;
	ntypes = vmdev_mdev_add_types(parent);

	mutex_lock(&vmdev_mdev_lock);
	list_add_tail(&parent->node, &vmdev_mdev_parents);
	mutex_unlock(&vmdev_mdev_lock);

	err = mdev_register_parent(&parent->parent, maker->dev, &vmdev_mdev_driver,
				   parent->type_ptrs, ntypes);
	if (err)
		goto err_warn;
	parent->registered = true;
	return;

err_warn:
	dev_warn(maker->dev, "cannot be an mdev parent: %pe\n", ERR_PTR(err));
}

static struct vmdev_mdev_parent *vmdev_mdev_find(const struct vmdev_maker *maker)
{
	struct vmdev_mdev_parent *parent;

	list_for_each_entry(parent, &vmdev_mdev_parents, node)
		if (parent->maker == maker)
			return parent;
	return NULL;
}

/* It stays in the list until the end: its PF does not take itself for one without VFs. */
static void vmdev_mdev_removed(struct vmdev_maker *maker)
{
	struct vmdev_mdev_parent *parent;

	mutex_lock(&vmdev_mdev_lock);
	parent = vmdev_mdev_find(maker);
	if (parent) {
		parent->going = true;
		vmdev_mdev_stop_all_on(parent);
	}
	mutex_unlock(&vmdev_mdev_lock);
	if (!parent)
		return;

	if (parent->registered)
		mdev_unregister_parent(&parent->parent);
	/* The last of them may still hold the lock. */
	wait_event(vmdev_mdev_idle, !READ_ONCE(parent->users));

	mutex_lock(&vmdev_mdev_lock);
	list_del(&parent->node);
	mutex_unlock(&vmdev_mdev_lock);
	kfree(parent);
}

struct vmdev_maker_watch vmdev_mdev_watch = {
	.added = vmdev_mdev_added,
	.removed = vmdev_mdev_removed,
};
