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
#include <linux/srcu.h>
#include <linux/wait.h>

#include "vmdev.h"

/*
 * Protects all below, and vmdev_maker.{node,shown,leaves,pins} and
 * vmdev_maker_watch.{leaves,pins}. It is not held while the watch is called: that may wait
 * for user space, and nobody else is to wait with it. What is called then is pinned: a
 * maker stays in the list, a watch is there.
 */
static DEFINE_MUTEX(vmdev_makers_lock);
static LIST_HEAD(vmdev_makers);
static struct vmdev_maker_watch *vmdev_watch;
/* Pins that go. */
static DECLARE_WAIT_QUEUE_HEAD(vmdev_makers_wait);

/* Who is in a vmdev_made.gone: it may be that of a module that goes. */
DEFINE_STATIC_SRCU(vmdev_gone_srcu);

static void vmdev_makers_wait_for(const unsigned int *pins)
{
	lockdep_assert_held(&vmdev_makers_lock);
	while (*pins) {
		mutex_unlock(&vmdev_makers_lock);
		wait_event(vmdev_makers_wait, !READ_ONCE(*pins));
		mutex_lock(&vmdev_makers_lock);
	}
}

/* One of @added and @removed, for a maker that stays in the list meanwhile. */
static void vmdev_makers_call(void (*call)(struct vmdev_maker *maker),
			      struct vmdev_maker *maker)
{
	lockdep_assert_held(&vmdev_makers_lock);
	maker->pins++;
	vmdev_watch->pins++;
	mutex_unlock(&vmdev_makers_lock);
	call(maker);
	mutex_lock(&vmdev_makers_lock);
	vmdev_watch->pins--;
	maker->pins--;
	wake_up_all(&vmdev_makers_wait);
}

static void vmdev_makers_show(struct vmdev_maker *maker)
{
	if (!vmdev_watch || vmdev_watch->leaves || maker->leaves || maker->shown)
		return;
	maker->shown = true;
	vmdev_makers_call(vmdev_watch->added, maker);
}

static void vmdev_makers_hide(struct vmdev_maker *maker)
{
	if (!maker->shown)
		return;
	maker->shown = false;
	vmdev_makers_call(vmdev_watch->removed, maker);
}

/**
 * vmdev_maker_add() - a management device was registered
 * @maker: it, filled in but for what is the core's
 *
 * Context: may sleep.
 */
void vmdev_maker_add(struct vmdev_maker *maker)
{
	mutex_lock(&vmdev_makers_lock);
	list_add_tail(&maker->node, &vmdev_makers);
	vmdev_makers_show(maker);
	mutex_unlock(&vmdev_makers_lock);
}

/**
 * vmdev_maker_del() - a management device is about to be unregistered
 * @maker: it
 *
 * Context: may sleep, without bound while user space holds what it made for a wing.
 */
void vmdev_maker_del(struct vmdev_maker *maker)
{
	mutex_lock(&vmdev_makers_lock);
	maker->leaves = true;
	/* A watch that is being told that it is there hears that first. */
	vmdev_makers_wait_for(&maker->pins);
	vmdev_makers_hide(maker);
	vmdev_makers_wait_for(&maker->pins);
	list_del(&maker->node);
	mutex_unlock(&vmdev_makers_lock);
}

/**
 * vmdev_maker_watch() - begin to watch the makers
 * @watch: its @added is called for those that are there
 *
 * Context: may sleep.
 * Return: 0, or -EBUSY: there is a watch.
 */
int vmdev_maker_watch(struct vmdev_maker_watch *watch)
{
	struct vmdev_maker *maker;
	int err = 0;

	mutex_lock(&vmdev_makers_lock);
	if (vmdev_watch) {
		err = -EBUSY;
		goto out;
	}
	watch->leaves = false;
	watch->pins = 0;
	vmdev_watch = watch;
	list_for_each_entry(maker, &vmdev_makers, node)
		vmdev_makers_show(maker);
out:
	mutex_unlock(&vmdev_makers_lock);
	return err;
}
EXPORT_SYMBOL_GPL(vmdev_maker_watch);

/**
 * vmdev_maker_unwatch() - the reverse of vmdev_maker_watch()
 * @watch: its @removed is called for all makers; then nothing of the wing is called
 *
 * Makers come and go meanwhile, unheard of.
 *
 * Context: may sleep, without bound while user space holds a device made for the wing.
 */
void vmdev_maker_unwatch(struct vmdev_maker_watch *watch)
{
	struct vmdev_maker *maker;

	mutex_lock(&vmdev_makers_lock);
	watch->leaves = true;
	vmdev_makers_wait_for(&watch->pins);
	list_for_each_entry_reverse(maker, &vmdev_makers, node)
		vmdev_makers_hide(maker);
	vmdev_makers_wait_for(&watch->pins);
	vmdev_watch = NULL;
	mutex_unlock(&vmdev_makers_lock);
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
