/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the control plane may see of the core, and ask of it. The core works without one,
 * and knows nothing of how it speaks.
 *
 * The words it uses, what a device does, how a queue runs, what may happen, are those of the
 * control plane's uAPI (Documentation/netlink/specs/vmdev.yaml), of which
 * uapi/linux/vmdev_netlink.h is made.
 *
 * There is one listener at most. It is told of devices that come and go at once, of all
 * else that happens in order, a little later.
 */
#ifndef _VMDEV_CTL_H
#define _VMDEV_CTL_H

#include <linux/sched.h>
#include <linux/types.h>
#include <linux/vdpa.h>
#include <uapi/linux/vmdev_netlink.h>

#include <vmdev/dirty.h>

struct device;
struct vmdev_dev;
struct vmdev_mgmt;

/* The listener's folder in sysfs, of a management device's; no vDPA device has that name. */
#define VMDEV_CTL_MGMT_FOLDER	"vmdev_mgmt"

/**
 * struct vmdev_notice - something that happened
 * @kind: what
 * @dev: the function for what is about hardware, else the vDPA device; its name is good,
 *	it may be gone from its bus. NULL of VMDEV_EVENT_LOST
 * @index: a queue, an address space, or an interrupt vector
 * @value: a path, a policy, or whose vector it is
 * @why: a reason, or NULL; never freed
 * @lost: so many before this one were not told, for want of room
 */
struct vmdev_notice {
	enum vmdev_event kind;
	struct device *dev;
	u16 index;
	u32 value;
	const char *why;
	u32 lost;
};

/**
 * struct vmdev_ctl_ops - the listener
 *
 * One at a time. @mgmt_add and @dev_add are called for what there is already, too, and
 * @mgmt_del and @dev_del when the listener goes. Between the two it is there. No op may
 * wait for who wants vdpa's own lock, as netlink requests of vdpa do.
 *
 * @mgmt_add: a management device is there
 * @mgmt_del: it is about to go
 * @dev_add: a device is there
 * @dev_del: it is about to go
 * @event: something happened, perhaps a while ago
 */
struct vmdev_ctl_ops {
	void (*mgmt_add)(struct vmdev_mgmt *mgmt);
	void (*mgmt_del)(struct vmdev_mgmt *mgmt);
	void (*dev_add)(struct vmdev_dev *dev);
	void (*dev_del)(struct vmdev_dev *dev);
	void (*event)(const struct vmdev_notice *event);
};

int vmdev_ctl_register(const struct vmdev_ctl_ops *ops);
void vmdev_ctl_unregister(void);

void vmdev_ctl_lock(void);
void vmdev_ctl_unlock(void);

/**
 * struct vmdev_mgmt_info - facts of a management device
 * @dev: its function, or what it is in sysfs if it is software
 * @device_id: virtio device id of what it makes
 * @vendor_id: vendor id
 * @features: virtio features that it can offer
 * @caps: bits of enum vmdev_hw_cap
 * @max_vqs: queues of a device at most
 * @software: it makes its hardware, as much as is asked for
 * @gone: its hardware is not there any more
 * @offline: its hardware cannot be used for now
 * @ndevs: vDPA devices on it
 */
struct vmdev_mgmt_info {
	struct device *dev;
	u32 device_id;
	u32 vendor_id;
	u64 features;
	u32 caps;
	u16 max_vqs;
	bool software;
	bool gone;
	bool offline;
	u32 ndevs;
};

struct vmdev_mgmt *vmdev_ctl_mgmt(unsigned long *id);
struct vmdev_mgmt *vmdev_ctl_mgmt_find(const char *bus, const char *name);
struct vmdev_mgmt *vmdev_ctl_mgmt_of(const struct device *dev);
struct device *vmdev_ctl_mgmt_device(const struct vmdev_mgmt *mgmt);
void vmdev_mgmt_info(struct vmdev_mgmt *mgmt, struct vmdev_mgmt_info *info);

/**
 * struct vmdev_dev_info - facts of a device, at one moment
 * @dev: the vDPA device
 * @mgmt: the device of its management device
 * @device_id: virtio device id
 * @state: what it does
 * @why: why it broke, or NULL
 * @policy: on which rings may its hardware work
 * @status: virtio device status
 * @offered: features offered to the driver
 * @features: features the driver accepted
 * @nvqs: queues
 * @nas: address spaces
 * @logged: address spaces that are dirty-logged, a bit for each
 * @held: user space has it, or had it last, and who opened it last did not end; then:
 * @holder: its command
 * @holder_pid: its process id in the first namespace
 */
struct vmdev_dev_info {
	struct device *dev;
	struct device *mgmt;
	u32 device_id;
	enum vmdev_state state;
	const char *why;
	enum vmdev_policy policy;
	u8 status;
	u64 offered;
	u64 features;
	u16 nvqs;
	u16 nas;
	u64 logged;
	bool held;
	char holder[TASK_COMM_LEN];
	pid_t holder_pid;
};

/**
 * struct vmdev_queue_info - facts of a queue, at one moment
 * @path: how it runs
 * @ready: the driver enabled it
 * @packed: format of its ring
 * @asid: its address space
 * @size: entries
 * @desc: descriptor area, IOVA
 * @driver: driver area, IOVA
 * @device: device area, IOVA
 * @has_state: @state is where the device is in the ring: when it was stopped, or, of a split
 *	ring that is in memory the core can read, the used index now
 * @state: see above
 * @kicks: kicks that came
 * @interrupts: interrupts that came
 * @irq: Linux IRQ that is its own, negative if there is none
 */
struct vmdev_queue_info {
	enum vmdev_path path;
	bool ready;
	bool packed;
	u8 asid;
	u16 size;
	u64 desc;
	u64 driver;
	u64 device;
	bool has_state;
	struct vdpa_vq_state state;
	u64 kicks;
	u64 interrupts;
	int irq;
};

/**
 * struct vmdev_space_info - facts of an address space
 * @maps: ranges that are mapped; while there are any:
 * @first: first IOVA that is mapped
 * @last: last IOVA that is mapped
 * @is_logged: it is dirty-logged; then:
 * @log: the log
 */
struct vmdev_space_info {
	u64 maps;
	u64 first;
	u64 last;
	bool is_logged;
	struct vmdev_dirty_log_info log;
};

const char *vmdev_state_name(enum vmdev_state state);
const char *vmdev_path_name(enum vmdev_path path);

struct vmdev_dev *vmdev_ctl_dev(unsigned long *id);
struct vmdev_dev *vmdev_ctl_dev_find(const char *name);
struct vmdev_dev *vmdev_ctl_dev_of(struct device *dev);
struct device *vmdev_ctl_device(struct vmdev_dev *dev);
void vmdev_dev_info(struct vmdev_dev *dev, struct vmdev_dev_info *info);
int vmdev_queue_info(struct vmdev_dev *dev, u16 i, struct vmdev_queue_info *info);
int vmdev_space_info(struct vmdev_dev *dev, unsigned int asid, struct vmdev_space_info *info);
int vmdev_policy_set(struct vmdev_dev *dev, enum vmdev_policy policy);

#endif /* _VMDEV_CTL_H */
