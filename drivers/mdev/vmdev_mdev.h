/* SPDX-License-Identifier: GPL-2.0 */
/*
 * vmdev_mdev: each management device is an mdev parent too. An mdev has a vDPA device made:
 * on a PF by one of its VFs, else by the parent itself.
 *
 *	PF  mdev_supported_types/vmdev_pci-net/create <- UUID
 *	 |-- UUID                 struct vmdev_mdev, the mdev ----- vdpa --.
 *	 `-- VF                   struct vmdev_mdev_parent, too            |
 *	      `-- mdev-UUID       struct vmdev_mdev_vdpa, the vDPA device <-'
 *	           `-- mdev  ---> UUID
 *
 * Either may go without the other: the mdev stays when its vDPA device is deleted (vdpa dev
 * del, or its function goes), and can have another. A vDPA device whose mdev is removed is
 * on its own until nobody has it any more; a worker waits for that.
 *
 * Locks: the attributes' mutex of an mdev; vdpa's own lock; vmdev_mdev_lock.
 */
#ifndef _VMDEV_MDEV_H
#define _VMDEV_MDEV_H

#include <linux/completion.h>
#include <linux/kref.h>
#include <linux/list.h>
#include <linux/mdev.h>
#include <linux/mutex.h>
#include <linux/workqueue.h>

#include <vmdev/maker.h>

/* Devices on a management device that makes any number: so that there is a number to tell. */
#define VMDEV_MDEV_MANY		1024

#define VMDEV_MDEV_TYPES_MAX	2

/**
 * struct vmdev_mdev_type - a type of mdev
 * @type: what the mdev core knows of it
 * @device_id: virtio device id
 * @single: net: one queue pair
 */
struct vmdev_mdev_type {
	struct mdev_type type;
	u32 device_id;
	bool single;
};

/**
 * struct vmdev_mdev_parent - a management device, as mdev parent, and as one that makes
 *	vDPA devices for itself or for its PF
 * @maker: the management device
 * @parent: what the mdev core knows of it
 * @types: its types
 * @type_ptrs: the same
 * @registered: @parent is registered
 * @going: it makes nothing any more
 * @users: vDPA devices that it made, or makes, for an mdev
 * @node: in vmdev_mdev_parents
 *
 * From @going on under vmdev_mdev_lock.
 */
struct vmdev_mdev_parent {
	struct vmdev_maker *maker;
	struct mdev_parent parent;
	struct vmdev_mdev_type types[VMDEV_MDEV_TYPES_MAX];
	struct mdev_type *type_ptrs[VMDEV_MDEV_TYPES_MAX];
	bool registered;
	bool going;
	unsigned int users;
	struct list_head node;
};

/**
 * struct vmdev_mdev - an mdev
 * @mdev: what the mdev core knows of it
 * @parent: its parent
 * @type: its type
 * @lock: held while an attribute is written
 * @config: what was asked for; vmdev_mdev_lock
 * @vdpa: its vDPA device, or NULL; vmdev_mdev_lock
 */
struct vmdev_mdev {
	struct mdev_device *mdev;
	struct vmdev_mdev_parent *parent;
	const struct vmdev_mdev_type *type;
	/* Held while an attribute is written. */
	struct mutex lock;
	struct vdpa_dev_set_config config;
	struct vmdev_mdev_vdpa *vdpa;
};

/**
 * struct vmdev_mdev_vdpa - a vDPA device that was made for an mdev
 * @made: what the core knows of it
 * @ref: one for the core until it said that the device is gone, one for who deletes it
 * @on: who made it
 * @mdev: whose it is, or NULL
 * @gone: the core said that it is gone
 * @work: deletes it
 * @done: it is deleted
 * @node: in vmdev_mdev_vdpas, while it has an @mdev
 *
 * From @mdev on, but @work and @done, under vmdev_mdev_lock.
 */
struct vmdev_mdev_vdpa {
	struct vmdev_made made;
	struct kref ref;
	struct vmdev_mdev_parent *on;
	struct vmdev_mdev *mdev;
	bool gone;
	struct work_struct work;
	struct completion done;
	struct list_head node;
};

/* Protects what says so above. Leaf: taken with vdpa's own lock held. */
extern struct mutex vmdev_mdev_lock;
extern struct mdev_driver vmdev_mdev_driver;

/* parent.c */
extern struct vmdev_maker_watch vmdev_mdev_watch;
struct vmdev_mdev_parent *vmdev_mdev_take(struct vmdev_mdev_parent *parent);
void vmdev_mdev_put(struct vmdev_mdev_parent *on);
unsigned int vmdev_mdev_get_available(struct mdev_type *type);
ssize_t vmdev_mdev_show_description(struct mdev_type *type, char *buf);

/* device.c */
extern struct workqueue_struct *vmdev_mdev_wq;
int vmdev_mdev_start(struct vmdev_mdev *m);
bool vmdev_mdev_stop(struct vmdev_mdev *m);
void vmdev_mdev_stop_all_on(struct vmdev_mdev_parent *on);
int vmdev_mdev_probe(struct mdev_device *mdev);
void vmdev_mdev_remove(struct mdev_device *mdev);

/* attrs.c */
extern const struct attribute_group *vmdev_mdev_groups[];

#endif /* _VMDEV_MDEV_H */
