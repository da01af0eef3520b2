// SPDX-License-Identifier: GPL-2.0
/*
 * Mdevs, and the vDPA devices that are made for them.
 */
#include <linux/jiffies.h>
#include <linux/moduleparam.h>
#include <linux/slab.h>
#include <linux/sysfs.h>
#include <uapi/linux/vdpa.h>

#include "vmdev_mdev.h"

/* How often another function is tried if somebody was faster. */
#define VMDEV_MDEV_TRIES	16

/*
 * How long whoever removes an mdev waits, ms: not for a process. What nobody holds is
 * deleted in milliseconds, unless netlink waits for the holder of another device: then its
 * name and its function are free.
 */
static const unsigned int vmdev_mdev_patience[] = {
	[VMDEV_MADE_NEW] = 5000,
	[VMDEV_MADE_HOST] = 5000,
	[VMDEV_MADE_OPENED] = 500,
	[VMDEV_MADE_RUN] = 0,
};

static bool create_enabled = true;
module_param(create_enabled, bool, 0644);
MODULE_PARM_DESC(create_enabled, "an mdev that is created has its vDPA device made at once (default Y)");

/* Those that have an mdev. Protected by vmdev_mdev_lock. */
static LIST_HEAD(vmdev_mdev_vdpas);

static void vmdev_mdev_vdpa_free(struct kref *ref)
{
	kfree(container_of(ref, struct vmdev_mdev_vdpa, ref));
}

static void vmdev_mdev_vdpa_put(struct vmdev_mdev_vdpa *vdpa)
{
	kref_put(&vdpa->ref, vmdev_mdev_vdpa_free);
}

/* Both are in sysfs: gone() comes before the one leaves it, remove() before the other. */
static void vmdev_mdev_attach(struct vmdev_mdev *m, struct vmdev_mdev_vdpa *vdpa)
{
	struct kobject *mdev_kobj = &m->mdev->dev.kobj;
	struct kobject *vdpa_kobj = &vdpa->made.vdpa->dev.kobj;

	lockdep_assert_held(&vmdev_mdev_lock);

	m->vdpa = vdpa;
	vdpa->mdev = m;
	list_add_tail(&vdpa->node, &vmdev_mdev_vdpas);
	if (sysfs_create_link(mdev_kobj, vdpa_kobj, "vdpa") ||
	    sysfs_create_link(vdpa_kobj, mdev_kobj, "mdev"))
		dev_warn(&m->mdev->dev, "no link between it and its vDPA device\n");
}

static void vmdev_mdev_detach(struct vmdev_mdev_vdpa *vdpa)
{
	struct vmdev_mdev *m = vdpa->mdev;

	lockdep_assert_held(&vmdev_mdev_lock);

	sysfs_remove_link(&vdpa->made.vdpa->dev.kobj, "mdev");
	sysfs_remove_link(&m->mdev->dev.kobj, "vdpa");
	list_del(&vdpa->node);
	vdpa->mdev = NULL;
	m->vdpa = NULL;
}

/* Nothing of it is left; its reference goes. */
static void vmdev_mdev_finish(struct vmdev_mdev_vdpa *vdpa)
{
	lockdep_assert_held(&vmdev_mdev_lock);

	vmdev_mdev_put(vdpa->on);
	complete_all(&vdpa->done);
	vmdev_mdev_vdpa_put(vdpa);
}

/* Whoever detached it deletes it, or has it deleted; else it is the core's caller. */
static void vmdev_mdev_gone(struct vmdev_made *made)
{
	struct vmdev_mdev_vdpa *vdpa = container_of(made, struct vmdev_mdev_vdpa, made);

	mutex_lock(&vmdev_mdev_lock);
	vdpa->gone = true;
	if (vdpa->mdev) {
		vmdev_mdev_detach(vdpa);
		vmdev_mdev_finish(vdpa);
	}
	mutex_unlock(&vmdev_mdev_lock);
	vmdev_mdev_vdpa_put(vdpa);
}

static void vmdev_mdev_work(struct work_struct *work)
{
	struct vmdev_mdev_vdpa *vdpa = container_of(work, struct vmdev_mdev_vdpa, work);

	vmdev_unmake(&vdpa->made);
	mutex_lock(&vmdev_mdev_lock);
	vmdev_mdev_finish(vdpa);
	mutex_unlock(&vmdev_mdev_lock);
}

/**
 * vmdev_mdev_stop_all_on() - delete all that a management device made for mdevs
 * @on: it; it makes nothing any more
 *
 * Does not wait.
 *
 * Context: vmdev_mdev_lock held.
 */
void vmdev_mdev_stop_all_on(struct vmdev_mdev_parent *on)
{
	struct vmdev_mdev_vdpa *vdpa, *next;

	lockdep_assert_held(&vmdev_mdev_lock);

	list_for_each_entry_safe(vdpa, next, &vmdev_mdev_vdpas, node) {
		if (vdpa->on != on)
			continue;
		vmdev_mdev_detach(vdpa);
		queue_work(vmdev_mdev_wq, &vdpa->work);
	}
}

static struct vmdev_mdev_vdpa *vmdev_mdev_vdpa_alloc(void)
{
	struct vmdev_mdev_vdpa *vdpa;

	vdpa = kzalloc_obj(*vdpa, GFP_KERNEL);
	if (!vdpa)
		return NULL;
	vdpa->made.gone = vmdev_mdev_gone;
	kref_init(&vdpa->ref);
	/* The second. */
	kref_get(&vdpa->ref);
	INIT_WORK(&vdpa->work, vmdev_mdev_work);
	init_completion(&vdpa->done);
	return vdpa;
}

/* On whom it is made; somebody else may be faster (vdpa dev add). */
static int vmdev_mdev_make(struct vmdev_mdev *m, struct vmdev_mdev_vdpa *vdpa)
{
	struct vdpa_dev_set_config config;
	int err, tries = VMDEV_MDEV_TRIES;
	char name[64];

	snprintf(name, sizeof(name), "mdev-%s", dev_name(&m->mdev->dev));
	mutex_lock(&vmdev_mdev_lock);
	config = m->config;
	mutex_unlock(&vmdev_mdev_lock);

	do {
		vdpa->on = vmdev_mdev_take(m->parent);
		/* As the mdev core says it. */
		if (!vdpa->on)
			return -EUSERS;
		err = vmdev_make(vdpa->on->maker, name, &config, &vdpa->made);
		if (err) {
			mutex_lock(&vmdev_mdev_lock);
			vmdev_mdev_put(vdpa->on);
			mutex_unlock(&vmdev_mdev_lock);
		}
	} while (err == -EBUSY && --tries);
	return err;
}

/**
 * vmdev_mdev_start() - have a vDPA device made
 * @m: an mdev that has none
 *
 * Context: may sleep; an attribute is written, or it is being created.
 * Return: 0; -EUSERS if nobody can make one; or an error of vmdev_make().
 */
int vmdev_mdev_start(struct vmdev_mdev *m)
{
	struct vmdev_mdev_vdpa *vdpa;
	int err;

	vdpa = vmdev_mdev_vdpa_alloc();
	if (!vdpa)
		return -ENOMEM;
	err = vmdev_mdev_make(m, vdpa);
	if (err) {
		kfree(vdpa);
		return err;
	}

	mutex_lock(&vmdev_mdev_lock);
	if (vdpa->gone) {
		vmdev_mdev_finish(vdpa);
	} else {
		vmdev_mdev_attach(m, vdpa);
		/* Since it was taken. */
		if (vdpa->on->going)
			vmdev_mdev_stop_all_on(vdpa->on);
	}
	mutex_unlock(&vmdev_mdev_lock);
	return 0;
}

/**
 * vmdev_mdev_stop() - have its vDPA device deleted
 * @m: an mdev
 *
 * Whoever holds the device is not waited for: a worker does that.
 *
 * Context: may sleep, not for long; an attribute is written, or it is being removed.
 * Return: it is deleted, or there was none.
 */
bool vmdev_mdev_stop(struct vmdev_mdev *m)
{
	struct vmdev_mdev_vdpa *vdpa;
	unsigned int patience = 0;
	bool done;

	mutex_lock(&vmdev_mdev_lock);
	vdpa = m->vdpa;
	if (vdpa) {
		patience = vmdev_mdev_patience[vmdev_made_use(&vdpa->made)];
		kref_get(&vdpa->ref);
		vmdev_mdev_detach(vdpa);
		queue_work(vmdev_mdev_wq, &vdpa->work);
	}
	mutex_unlock(&vmdev_mdev_lock);
	if (!vdpa)
		return true;

	done = wait_for_completion_timeout(&vdpa->done, msecs_to_jiffies(patience));
	vmdev_mdev_vdpa_put(vdpa);
	return done;
}

/**
 * vmdev_mdev_probe() - mdev_driver.probe
 * @mdev: what is being created
 *
 * Context: may sleep, as vmdev_make() may.
 * Return: 0; -ENOMEM; or an error of vmdev_mdev_start().
 */
int vmdev_mdev_probe(struct mdev_device *mdev)
{
	struct vmdev_mdev *m;
	int err = 0;

	m = kzalloc_obj(*m, GFP_KERNEL);
	if (!m)
		return -ENOMEM;
	m->mdev = mdev;
	m->parent = container_of(mdev->type->parent, struct vmdev_mdev_parent, parent);
	m->type = container_of(mdev->type, struct vmdev_mdev_type, type);
	mutex_init(&m->lock);
	if (m->type->single) {
		m->config.mask = BIT_ULL(VDPA_ATTR_DEV_NET_CFG_MAX_VQP);
		m->config.net.max_vq_pairs = 1;
	}
	dev_set_drvdata(&mdev->dev, m);

	if (READ_ONCE(create_enabled))
		err = vmdev_mdev_start(m);
	if (err)
		kfree(m);
	return err;
}

/**
 * vmdev_mdev_remove() - mdev_driver.remove
 * @mdev: what is being removed
 *
 * Context: may sleep, not for long.
 */
void vmdev_mdev_remove(struct mdev_device *mdev)
{
	struct vmdev_mdev *m = dev_get_drvdata(&mdev->dev);

	vmdev_mdev_stop(m);
	mutex_destroy(&m->lock);
	kfree(m);
}
