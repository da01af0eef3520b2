/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Management devices as others than vdpa's netlink see them.
 *
 * A wing that has vDPA devices made in another way (drivers/mdev) watches the makers:
 * it learns of each that is there, and of its end. What it has made is a device like any
 * other: netlink shows it, and may delete it.
 */
#ifndef _VMDEV_MAKER_H
#define _VMDEV_MAKER_H

#include <linux/list.h>
#include <linux/types.h>
#include <linux/vdpa.h>

struct vmdev_made;
struct vmdev_maker_ops;

/**
 * struct vmdev_maker - a management device
 * @dev: parent of what it makes
 * @pool: to whom it belongs: the PF of a VF; NULL if to nobody
 * @device_id: virtio device id of what it makes
 * @attrs: bits of VDPA_ATTR_*: what may be asked for
 * @max_vqp: net: queue pairs at most
 * @many: it makes any number of devices; else one at a time
 * @ops: the core's
 * @node: the core's, like what follows
 * @shown: the watch knows of it
 * @leaves: it goes
 * @pins: the watch is being told
 */
struct vmdev_maker {
	struct device *dev;
	struct device *pool;
	u32 device_id;
	u64 attrs;
	u16 max_vqp;
	bool many;
	const struct vmdev_maker_ops *ops;
	struct list_head node;
	bool shown;
	bool leaves;
	unsigned int pins;
};

/**
 * struct vmdev_made - a vDPA device that was made for a wing
 * @gone: the device is about to be deleted, whoever wanted that; called once for each
 *	device, before it leaves sysfs, and maybe before vmdev_make() returned. The core
 *	knows nothing of this structure when it returns. vdpa's own lock may be held, so
 *	nothing that is held while a device is made or unmade may be taken
 * @vdpa: the device, until @gone returned
 * @maker: who made it
 * @going: the core's: somebody deletes it
 */
struct vmdev_made {
	void (*gone)(struct vmdev_made *made);
	struct vdpa_device *vdpa;
	struct vmdev_maker *maker;
	unsigned long going;
};

/**
 * enum vmdev_made_use - has somebody used a device since it was made?
 * @VMDEV_MADE_NEW: nobody. A host driver that let go leaves it as it was made, and so
 *	does a process that closed it, once vhost-vdpa lets go too
 * @VMDEV_MADE_HOST: a host driver has it
 * @VMDEV_MADE_OPENED: a process opened it, and may have closed it
 * @VMDEV_MADE_RUN: a process runs it
 */
enum vmdev_made_use {
	VMDEV_MADE_NEW,
	VMDEV_MADE_HOST,
	VMDEV_MADE_OPENED,
	VMDEV_MADE_RUN,
};

/**
 * struct vmdev_maker_watch - who wants to know of makers
 * @added: there is a maker, from now on devices can be made
 * @removed: it goes: when this returns no device of it may be there, nor be made, that
 *	was made by this wing. May take as long as user space holds one
 * @leaves: the core's, like what follows
 * @pins: it is being called
 *
 * There is one at most. Both may sleep, and may be called for several makers at once, for one
 * maker one after the other. Neither is called with vdpa's own lock held.
 */
struct vmdev_maker_watch {
	void (*added)(struct vmdev_maker *maker);
	void (*removed)(struct vmdev_maker *maker);
	bool leaves;
	unsigned int pins;
};

int vmdev_maker_watch(struct vmdev_maker_watch *watch);
void vmdev_maker_unwatch(struct vmdev_maker_watch *watch);

bool vmdev_maker_free(const struct vmdev_maker *maker);
int vmdev_make(struct vmdev_maker *maker, const char *name,
	       const struct vdpa_dev_set_config *config, struct vmdev_made *made);
void vmdev_unmake(struct vmdev_made *made);
enum vmdev_made_use vmdev_made_use(const struct vmdev_made *made);

#endif /* _VMDEV_MAKER_H */
