// SPDX-License-Identifier: GPL-2.0
/*
 * Makers: management devices, for wings that have devices made.
 *
 * A device that was made for a wing can be deleted by two: by the wing, and by vdpa's
 * netlink or the end of its management device, which come with vdpa's lock held.
 * Whoever sets vmdev_made.going does it; the other one leaves it to him.
 */
#include <linux/export.h>
#include <linux/mutex.h>
#include <linux/rwsem.h>
#include <linux/srcu.h>

#include "vmdev.h"

/* Protects vmdev_watches; held while they are called, so that none is half added. */
static DECLARE_RWSEM(vmdev_watch_sem);
static LIST_HEAD(vmdev_watches);

/* Protects vmdev_makers. */
static DEFINE_MUTEX(vmdev_makers_lock);
static LIST_HEAD(vmdev_makers);

/* Who is in a vmdev_made.gone: it may be that of a module that goes. */
DEFINE_STATIC_SRCU(vmdev_gone_srcu);

/**
 * vmdev_maker_add() - a management device was registered
 * @maker: it, all but @node filled in
 *
 * Context: may sleep.
 */
void vmdev_maker_add(struct vmdev_maker *maker)
{
	struct vmdev_maker_watch *watch;

	down_read(&vmdev_watch_sem);
	mutex_lock(&vmdev_makers_lock);
	list_add_tail(&maker->node, &vmdev_makers);
	mutex_unlock(&vmdev_makers_lock);
	list_for_each_entry(watch, &vmdev_watches, node)
		watch->added(maker);
	up_read(&vmdev_watch_sem);
}

/**
 * vmdev_maker_del() - a management device is about to be unregistered
 * @maker: it
 *
 * Context: may sleep, without bound while user space holds what it made for a wing.
 */
void vmdev_maker_del(struct vmdev_maker *maker)
{
	struct vmdev_maker_watch *watch;

	down_read(&vmdev_watch_sem);
	list_for_each_entry(watch, &vmdev_watches, node)
		watch->removed(maker);
	mutex_lock(&vmdev_makers_lock);
	list_del(&maker->node);
	mutex_unlock(&vmdev_makers_lock);
	up_read(&vmdev_watch_sem);
}

/**
 * vmdev_maker_watch() - begin to watch the makers
 * @watch: its @added is called for those that are there
 *
 * Context: may sleep.
 */
void vmdev_maker_watch(struct vmdev_maker_watch *watch)
{
	struct vmdev_maker *maker;

	down_write(&vmdev_watch_sem);
	list_add_tail(&watch->node, &vmdev_watches);
	list_for_each_entry(maker, &vmdev_makers, node)
		watch->added(maker);
	up_write(&vmdev_watch_sem);
}
EXPORT_SYMBOL_GPL(vmdev_maker_watch);

/**
 * vmdev_maker_unwatch() - the reverse of vmdev_maker_watch()
 * @watch: its @removed is called for all makers; then nothing of the wing is called
 *
 * Context: may sleep, without bound while user space holds a device made for the wing.
 */
void vmdev_maker_unwatch(struct vmdev_maker_watch *watch)
{
	struct vmdev_maker *maker;

	down_write(&vmdev_watch_sem);
	list_del(&watch->node);
	list_for_each_entry_reverse(maker, &vmdev_makers, node)
		watch->removed(maker);
	up_write(&vmdev_watch_sem);
	synchronize_srcu(&vmdev_gone_srcu);
}
EXPORT_SYMBOL_GPL(vmdev_maker_unwatch);

/**
 * vmdev_maker_free() - could a device be made now?
 * @maker: who would make it
 *
 * Context: any. An answer for now.
 */
bool vmdev_maker_free(const struct vmdev_maker *maker)
{
	return maker->ops->free(maker);
}
EXPORT_SYMBOL_GPL(vmdev_maker_free);

/**
 * vmdev_make() - make a vDPA device
 * @maker: who makes it; it stays
 * @name: of the device
 * @config: what it shall be
 * @made: @gone filled in; stays until that returned
 *
 * Context: may sleep, as vdpa's netlink may: without bound while somebody deletes a
 * device that user space holds.
 * Return: 0; -EBUSY if it has one and can have no other; -EEXIST, -EINVAL for the name;
 * -EOPNOTSUPP, -EINVAL for @config; an error of the hardware; -ENOMEM. With one line,
 * unless it has no such attribute.
 */
int vmdev_make(struct vmdev_maker *maker, const char *name,
	       const struct vdpa_dev_set_config *config, struct vmdev_made *made)
{
	/* For netlink vdpa's core asks that. */
	if (config->mask & ~maker->attrs)
		return -EOPNOTSUPP;

	made->maker = maker;
	made->going = 0;
	return maker->ops->make(maker, name, config, made);
}
EXPORT_SYMBOL_GPL(vmdev_make);

/**
 * vmdev_made_goes() - somebody wants to delete a device that was made for a wing
 * @made: it
 *
 * Context: may sleep.
 * Return: the caller has to do it, and the wing knows.
 */
bool vmdev_made_goes(struct vmdev_made *made)
{
	bool goes;
	int idx;

	/* Whoever sees the bit set, and leaves, has a module that waits for gone() to end. */
	idx = srcu_read_lock(&vmdev_gone_srcu);
	goes = !test_and_set_bit(0, &made->going);
	if (goes)
		made->gone(made);
	srcu_read_unlock(&vmdev_gone_srcu, idx);
	return goes;
}

/**
 * vmdev_unmake() - delete a device that was made by vmdev_make()
 * @made: what that was told; its @gone may have been called before, but stays
 *
 * If somebody else is about to delete it that is left to him, and not waited for. Else
 * whoever holds the device is told, and waited for, without a lock that stops others.
 *
 * Context: may sleep, without bound while user space holds the device.
 */
void vmdev_unmake(struct vmdev_made *made)
{
	made->maker->ops->unmake(made);
}
EXPORT_SYMBOL_GPL(vmdev_unmake);

/**
 * vmdev_made_use() - has somebody used a device since it was made?
 * @made: it, @gone was not called yet
 *
 * Context: any. An answer for now.
 */
enum vmdev_made_use vmdev_made_use(const struct vmdev_made *made)
{
	const struct vmdev_dev *dev = vmdev_dev(made->vdpa);

	if (READ_ONCE(dev->mem.user))
		return READ_ONCE(dev->status) ? VMDEV_MADE_RUN : VMDEV_MADE_OPENED;
	return READ_ONCE(dev->status) ? VMDEV_MADE_HOST : VMDEV_MADE_NEW;
}
EXPORT_SYMBOL_GPL(vmdev_made_use);
