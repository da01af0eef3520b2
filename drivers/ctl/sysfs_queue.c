// SPDX-License-Identifier: GPL-2.0
/*
 * What netlink tells of queues, one value for each file: a folder for each, by number, in the
 * folder "vmdev_queues" of the vDPA device. What is not known now is an empty line.
 */
#include <linux/device.h>
#include <linux/err.h>
#include <linux/kobject.h>
#include <linux/ratelimit.h>
#include <linux/slab.h>
#include <linux/sysfs.h>
#include <linux/xarray.h>

#include "vmdev_ctl.h"

/**
 * struct vmdev_ctl_queue - the folder of a queue
 * @kobj: it
 * @dev: the device; it is there as long as files are
 * @i: the queue
 */
struct vmdev_ctl_queue {
	struct kobject kobj;
	struct vmdev_dev *dev;
	u16 i;
};

/**
 * struct vmdev_ctl_queue_folder - the folder of those, and what else there is once for a device
 * @kobj: it
 * @uevents: how many uevents there may be of it
 * @n: length of @queues
 * @queues: the folders in it
 */
struct vmdev_ctl_queue_folder {
	struct kobject *kobj;
	struct ratelimit_state uevents;
	u16 n;
	struct vmdev_ctl_queue *queues[] __counted_by(n);
};

/* A driver can break its device, reset it, and break it again, as often as it likes. */
#define VMDEV_CTL_UEVENT_INTERVAL	(10 * HZ)
#define VMDEV_CTL_UEVENT_BURST		10

/* By address of the device. Ops of the listener are called one at a time. */
static DEFINE_XARRAY(vmdev_ctl_queue_folders);

static void vmdev_ctl_queue_facts(struct kobject *kobj, struct vmdev_queue_info *info)
{
	const struct vmdev_ctl_queue *queue = container_of(kobj, struct vmdev_ctl_queue, kobj);

	vmdev_queue_info(queue->dev, queue->i, info);
}

/* A file: @known says whether its value is known, which is @format with @value then. */
#define VMDEV_CTL_QUEUE_MODE(name, mode, known, format, value)			\
static ssize_t name##_show(struct kobject *kobj, struct kobj_attribute *attr,	\
			   char *buf)						\
{										\
	struct vmdev_queue_info info;						\
										\
	vmdev_ctl_queue_facts(kobj, &info);					\
	if (!(known))								\
		return sysfs_emit(buf, "\n");					\
	return sysfs_emit(buf, format "\n", value);				\
}										\
static struct kobj_attribute vmdev_ctl_queue_##name = __ATTR(name, mode, name##_show, NULL)

#define VMDEV_CTL_QUEUE(name, known, format, value)				\
	VMDEV_CTL_QUEUE_MODE(name, 0444, known, format, value)

VMDEV_CTL_QUEUE(path, true, "%s", vmdev_path_name(info.path));
VMDEV_CTL_QUEUE(ready, true, "%d", info.ready);
VMDEV_CTL_QUEUE(packed, true, "%d", info.packed);
VMDEV_CTL_QUEUE(address_space, true, "%u", info.asid);
VMDEV_CTL_QUEUE(size, true, "%u", info.size);
/* Those of a driver of the host may be physical ones, which are not for everybody. */
VMDEV_CTL_QUEUE_MODE(desc_addr, 0400, true, "%#llx", info.desc);
VMDEV_CTL_QUEUE_MODE(driver_addr, 0400, true, "%#llx", info.driver);
VMDEV_CTL_QUEUE_MODE(device_addr, 0400, true, "%#llx", info.device);
/* May be read from memory that the driver is taking away. */
VMDEV_CTL_QUEUE_MODE(avail_index, 0400, info.has_state, "%u",
		     info.packed ? info.state.packed.last_avail_idx : info.state.split.avail_index);
VMDEV_CTL_QUEUE_MODE(avail_wrap, 0400, info.has_state && info.packed, "%u",
		     info.state.packed.last_avail_counter);
VMDEV_CTL_QUEUE_MODE(used_index, 0400, info.has_state && info.packed, "%u",
		     info.state.packed.last_used_idx);
VMDEV_CTL_QUEUE_MODE(used_wrap, 0400, info.has_state && info.packed, "%u",
		     info.state.packed.last_used_counter);
VMDEV_CTL_QUEUE(kicks, true, "%llu", info.kicks);
VMDEV_CTL_QUEUE(interrupts, true, "%llu", info.interrupts);
VMDEV_CTL_QUEUE(irq, info.irq >= 0, "%d", info.irq);

static struct attribute *vmdev_ctl_queue_attrs[] = {
	&vmdev_ctl_queue_path.attr,
	&vmdev_ctl_queue_ready.attr,
	&vmdev_ctl_queue_packed.attr,
	&vmdev_ctl_queue_address_space.attr,
	&vmdev_ctl_queue_size.attr,
	&vmdev_ctl_queue_desc_addr.attr,
	&vmdev_ctl_queue_driver_addr.attr,
	&vmdev_ctl_queue_device_addr.attr,
	&vmdev_ctl_queue_avail_index.attr,
	&vmdev_ctl_queue_avail_wrap.attr,
	&vmdev_ctl_queue_used_index.attr,
	&vmdev_ctl_queue_used_wrap.attr,
	&vmdev_ctl_queue_kicks.attr,
	&vmdev_ctl_queue_interrupts.attr,
	&vmdev_ctl_queue_irq.attr,
	NULL
};
ATTRIBUTE_GROUPS(vmdev_ctl_queue);

static void vmdev_ctl_queue_release(struct kobject *kobj)
{
	kfree(container_of(kobj, struct vmdev_ctl_queue, kobj));
}

static const struct kobj_type vmdev_ctl_queue_type = {
	.release = vmdev_ctl_queue_release,
	.sysfs_ops = &kobj_sysfs_ops,
	.default_groups = vmdev_ctl_queue_groups,
};

static struct vmdev_ctl_queue *vmdev_ctl_queue_add(struct vmdev_dev *dev, u16 i,
						   struct kobject *folder)
{
	struct vmdev_ctl_queue *queue;
	int err;

	queue = kzalloc_obj(*queue, GFP_KERNEL);
	if (!queue)
		return ERR_PTR(-ENOMEM);
	queue->dev = dev;
	queue->i = i;
	err = kobject_init_and_add(&queue->kobj, &vmdev_ctl_queue_type, folder, "%u", i);
	if (err) {
		kobject_put(&queue->kobj);
		return ERR_PTR(err);
	}
	return queue;
}

/* No file is being read, or will be, once this returns; somebody may hold the folder. */
static void vmdev_ctl_queue_del(struct vmdev_ctl_queue *queue)
{
	kobject_del(&queue->kobj);
	kobject_put(&queue->kobj);
}

static void vmdev_ctl_queue_folder_free(struct vmdev_ctl_queue_folder *folder)
{
	u16 i = folder->n;

	while (i--)
		vmdev_ctl_queue_del(folder->queues[i]);
	kobject_put(folder->kobj);
	kfree(folder);
}

static struct vmdev_ctl_queue_folder *vmdev_ctl_queue_folder_create(struct vmdev_dev *dev)
{
	struct vmdev_ctl_queue_folder *folder;
	struct vmdev_ctl_queue *queue;
	struct vmdev_dev_info info;
	u16 i;

	vmdev_dev_info(dev, &info);
	folder = kzalloc(struct_size(folder, queues, info.nvqs), GFP_KERNEL);
	if (!folder)
		return ERR_PTR(-ENOMEM);
	ratelimit_state_init(&folder->uevents, VMDEV_CTL_UEVENT_INTERVAL, VMDEV_CTL_UEVENT_BURST);
	ratelimit_set_flags(&folder->uevents, RATELIMIT_MSG_ON_RELEASE);
	folder->kobj = kobject_create_and_add("vmdev_queues", &info.dev->kobj);
	if (!folder->kobj) {
		kfree(folder);
		return ERR_PTR(-ENOMEM);
	}
	for (i = 0; i < info.nvqs; i++) {
		queue = vmdev_ctl_queue_add(dev, i, folder->kobj);
		if (IS_ERR(queue)) {
			vmdev_ctl_queue_folder_free(folder);
			return ERR_CAST(queue);
		}
		folder->n = i + 1;
		folder->queues[i] = queue;
	}
	return folder;
}

/**
 * vmdev_ctl_sysfs_queues_add() - show the queues of a device
 * @dev: the device
 *
 * Context: may sleep; called by vmdev_ctl_ops.dev_add.
 * Return: 0 or a negative errno.
 */
int vmdev_ctl_sysfs_queues_add(struct vmdev_dev *dev)
{
	struct vmdev_ctl_queue_folder *folder = vmdev_ctl_queue_folder_create(dev);
	int err;

	if (IS_ERR(folder))
		return PTR_ERR(folder);
	err = xa_err(xa_store(&vmdev_ctl_queue_folders, (unsigned long)dev, folder, GFP_KERNEL));
	if (err)
		vmdev_ctl_queue_folder_free(folder);
	return err;
}

/**
 * vmdev_ctl_sysfs_queues_del() - the reverse of vmdev_ctl_sysfs_queues_add()
 * @dev: the device; if there was an error nothing is done
 *
 * Context: may sleep; called by vmdev_ctl_ops.dev_del.
 */
void vmdev_ctl_sysfs_queues_del(struct vmdev_dev *dev)
{
	struct vmdev_ctl_queue_folder *folder;

	folder = xa_erase(&vmdev_ctl_queue_folders, (unsigned long)dev);
	if (folder)
		vmdev_ctl_queue_folder_free(folder);
}

static bool vmdev_ctl_is_listed(struct vmdev_dev *dev)
{
	bool listed;

	vmdev_ctl_lock();
	listed = vmdev_ctl_dev_find(dev_name(vmdev_ctl_device(dev))) == dev;
	vmdev_ctl_unlock();
	return listed;
}

/**
 * vmdev_ctl_may_uevent() - may there be one more uevent of a device?
 * @dev: the device, perhaps gone
 *
 * Those whose folder could not be made share one limit.
 *
 * Context: called by vmdev_ctl_ops.event, from the core; may sleep.
 */
bool vmdev_ctl_may_uevent(struct vmdev_dev *dev)
{
	static struct ratelimit_state others =
		RATELIMIT_STATE_INIT_FLAGS(others, VMDEV_CTL_UEVENT_INTERVAL,
					   VMDEV_CTL_UEVENT_BURST, RATELIMIT_MSG_ON_RELEASE);
	struct vmdev_ctl_queue_folder *folder;

	folder = xa_load(&vmdev_ctl_queue_folders, (unsigned long)dev);
	if (folder)
		return __ratelimit(&folder->uevents);
	return vmdev_ctl_is_listed(dev) && __ratelimit(&others);
}
