/* SPDX-License-Identifier: ((GPL-2.0 WITH Linux-syscall-note) OR BSD-3-Clause) */
/* Do not edit directly, auto-generated from: */
/*	Documentation/netlink/specs/vmdev.yaml */
/* YNL-GEN uapi header */

#ifndef _UAPI_LINUX_VMDEV_NETLINK_H
#define _UAPI_LINUX_VMDEV_NETLINK_H

#define VMDEV_FAMILY_NAME	"vmdev"
#define VMDEV_FAMILY_VERSION	1

/**
 * enum vmdev_state - What a device does.
 * @VMDEV_STATE_OFF: No driver runs it.
 * @VMDEV_STATE_RUNNING: A driver runs it.
 * @VMDEV_STATE_SUSPENDED: It was suspended, and not resumed.
 * @VMDEV_STATE_BROKEN: It needs a reset; see reason.
 */
enum vmdev_state {
	VMDEV_STATE_OFF,
	VMDEV_STATE_RUNNING,
	VMDEV_STATE_SUSPENDED,
	VMDEV_STATE_BROKEN,
};

/**
 * enum vmdev_policy - On which rings may the hardware work?
 */
enum vmdev_policy {
	VMDEV_POLICY_AUTO,
	VMDEV_POLICY_DIRECT,
	VMDEV_POLICY_SHADOW,
};

/**
 * enum vmdev_path - How a queue runs.
 * @VMDEV_PATH_OFF: Not at all.
 * @VMDEV_PATH_DIRECT: Hardware works on the driver's ring.
 * @VMDEV_PATH_SHADOW: Hardware works on a ring of the kernel's.
 * @VMDEV_PATH_SOFTWARE: The kernel serves it, hardware does not know it.
 */
enum vmdev_path {
	VMDEV_PATH_OFF,
	VMDEV_PATH_DIRECT,
	VMDEV_PATH_SHADOW,
	VMDEV_PATH_SOFTWARE,
};

/**
 * enum vmdev_capability - What hardware can do beyond plain virtio 1.0.
 * @VMDEV_CAPABILITY_STATE: The ring state of a queue can be read and set.
 * @VMDEV_CAPABILITY_LOG: It marks what it wrote.
 * @VMDEV_CAPABILITY_SUSPEND: It can be suspended as virtio 1.4 defines it.
 * @VMDEV_CAPABILITY_RING_RESET: One queue can be reset and started again.
 */
enum vmdev_capability {
	VMDEV_CAPABILITY_STATE = 1,
	VMDEV_CAPABILITY_LOG = 2,
	VMDEV_CAPABILITY_SUSPEND = 4,
	VMDEV_CAPABILITY_RING_RESET = 8,
};

/**
 * enum vmdev_event - What happened.
 * @VMDEV_EVENT_PARENT_ADD: A management device is there.
 * @VMDEV_EVENT_PARENT_DEL: It is gone.
 * @VMDEV_EVENT_HW_GONE: The hardware of a management device is not there any
 *   more.
 * @VMDEV_EVENT_DEV_ADD: A device is there.
 * @VMDEV_EVENT_DEV_DEL: It is gone.
 * @VMDEV_EVENT_RUNNING: A driver runs it.
 * @VMDEV_EVENT_RESET: A driver that ran it reset it.
 * @VMDEV_EVENT_SUSPENDED: It was suspended.
 * @VMDEV_EVENT_RESUMED: It was resumed.
 * @VMDEV_EVENT_BROKEN: It needs a reset; see reason.
 * @VMDEV_EVENT_PATH: A queue moved to a path.
 * @VMDEV_EVENT_POLICY: It has another policy.
 * @VMDEV_EVENT_DIRTY_START: An address space is dirty-logged.
 * @VMDEV_EVENT_DIRTY_STOP: It is not any more.
 * @VMDEV_EVENT_IRQ_STORM: An interrupt vector fired without work, and was
 *   masked for a while.
 */
enum vmdev_event {
	VMDEV_EVENT_PARENT_ADD,
	VMDEV_EVENT_PARENT_DEL,
	VMDEV_EVENT_HW_GONE,
	VMDEV_EVENT_DEV_ADD,
	VMDEV_EVENT_DEV_DEL,
	VMDEV_EVENT_RUNNING,
	VMDEV_EVENT_RESET,
	VMDEV_EVENT_SUSPENDED,
	VMDEV_EVENT_RESUMED,
	VMDEV_EVENT_BROKEN,
	VMDEV_EVENT_PATH,
	VMDEV_EVENT_POLICY,
	VMDEV_EVENT_DIRTY_START,
	VMDEV_EVENT_DIRTY_STOP,
	VMDEV_EVENT_IRQ_STORM,
};

/**
 * enum vmdev_irq_mode - How queues share interrupt vectors.
 */
enum vmdev_irq_mode {
	VMDEV_IRQ_MODE_PER_QUEUE,
	VMDEV_IRQ_MODE_QUEUES_SHARED,
	VMDEV_IRQ_MODE_ALL_SHARED,
};

/**
 * enum vmdev_irq_use - What an interrupt vector tells of.
 * @VMDEV_IRQ_USE_UNUSED: Nothing.
 * @VMDEV_IRQ_USE_CONFIG: Config changes.
 * @VMDEV_IRQ_USE_SHADOW: Queues in shadow.
 * @VMDEV_IRQ_USE_CONFIG_SHADOW: Both.
 * @VMDEV_IRQ_USE_QUEUE: One queue.
 * @VMDEV_IRQ_USE_QUEUES: All queues.
 * @VMDEV_IRQ_USE_ALL: Everything.
 */
enum vmdev_irq_use {
	VMDEV_IRQ_USE_UNUSED,
	VMDEV_IRQ_USE_CONFIG,
	VMDEV_IRQ_USE_SHADOW,
	VMDEV_IRQ_USE_CONFIG_SHADOW,
	VMDEV_IRQ_USE_QUEUE,
	VMDEV_IRQ_USE_QUEUES,
	VMDEV_IRQ_USE_ALL,
};

enum {
	VMDEV_A_PARENT_BUS = 1,
	VMDEV_A_PARENT_NAME,
	VMDEV_A_PARENT_DEVICE_ID,
	VMDEV_A_PARENT_VENDOR_ID,
	VMDEV_A_PARENT_FEATURES,
	VMDEV_A_PARENT_CAPABILITIES,
	VMDEV_A_PARENT_MAX_VQS,
	VMDEV_A_PARENT_SOFTWARE,
	VMDEV_A_PARENT_GONE,
	VMDEV_A_PARENT_OFFLINE,
	VMDEV_A_PARENT_DEVICES,

	__VMDEV_A_PARENT_MAX,
	VMDEV_A_PARENT_MAX = (__VMDEV_A_PARENT_MAX - 1)
};

enum {
	VMDEV_A_DEV_NAME = 1,
	VMDEV_A_DEV_PARENT_BUS,
	VMDEV_A_DEV_PARENT_NAME,
	VMDEV_A_DEV_DEVICE_ID,
	VMDEV_A_DEV_STATE,
	VMDEV_A_DEV_REASON,
	VMDEV_A_DEV_POLICY,
	VMDEV_A_DEV_STATUS,
	VMDEV_A_DEV_OFFERED,
	VMDEV_A_DEV_FEATURES,
	VMDEV_A_DEV_QUEUES,
	VMDEV_A_DEV_ADDRESS_SPACES,
	VMDEV_A_DEV_LOGGED,
	VMDEV_A_DEV_HOLDER,
	VMDEV_A_DEV_HOLDER_PID,

	__VMDEV_A_DEV_MAX,
	VMDEV_A_DEV_MAX = (__VMDEV_A_DEV_MAX - 1)
};

enum {
	VMDEV_A_QUEUE_DEV = 1,
	VMDEV_A_QUEUE_INDEX,
	VMDEV_A_QUEUE_PATH,
	VMDEV_A_QUEUE_READY,
	VMDEV_A_QUEUE_PACKED,
	VMDEV_A_QUEUE_ADDRESS_SPACE,
	VMDEV_A_QUEUE_SIZE,
	VMDEV_A_QUEUE_DESC_ADDR,
	VMDEV_A_QUEUE_DRIVER_ADDR,
	VMDEV_A_QUEUE_DEVICE_ADDR,
	VMDEV_A_QUEUE_AVAIL_INDEX,
	VMDEV_A_QUEUE_AVAIL_WRAP,
	VMDEV_A_QUEUE_USED_INDEX,
	VMDEV_A_QUEUE_USED_WRAP,
	VMDEV_A_QUEUE_KICKS,
	VMDEV_A_QUEUE_INTERRUPTS,
	VMDEV_A_QUEUE_IRQ,

	__VMDEV_A_QUEUE_MAX,
	VMDEV_A_QUEUE_MAX = (__VMDEV_A_QUEUE_MAX - 1)
};

enum {
	VMDEV_A_IRQ_BUS = 1,
	VMDEV_A_IRQ_NAME,
	VMDEV_A_IRQ_MODE,
	VMDEV_A_IRQ_REQUESTED,
	VMDEV_A_IRQ_VECTOR,
	VMDEV_A_IRQ_USE,
	VMDEV_A_IRQ_QUEUE,
	VMDEV_A_IRQ_IRQ,
	VMDEV_A_IRQ_COUNT,
	VMDEV_A_IRQ_SPURIOUS,
	VMDEV_A_IRQ_STORMS,
	VMDEV_A_IRQ_POLLED,
	VMDEV_A_IRQ_CPU,

	__VMDEV_A_IRQ_MAX,
	VMDEV_A_IRQ_MAX = (__VMDEV_A_IRQ_MAX - 1)
};

enum {
	VMDEV_A_EVENT_KIND = 1,
	VMDEV_A_EVENT_BUS,
	VMDEV_A_EVENT_NAME,
	VMDEV_A_EVENT_QUEUE,
	VMDEV_A_EVENT_PATH,
	VMDEV_A_EVENT_POLICY,
	VMDEV_A_EVENT_ADDRESS_SPACE,
	VMDEV_A_EVENT_VECTOR,
	VMDEV_A_EVENT_REASON,
	VMDEV_A_EVENT_LOST,

	__VMDEV_A_EVENT_MAX,
	VMDEV_A_EVENT_MAX = (__VMDEV_A_EVENT_MAX - 1)
};

enum {
	VMDEV_CMD_PARENT_GET = 1,
	VMDEV_CMD_DEV_GET,
	VMDEV_CMD_DEV_SET,
	VMDEV_CMD_QUEUE_GET,
	VMDEV_CMD_IRQ_GET,
	VMDEV_CMD_EVENT,

	__VMDEV_CMD_MAX,
	VMDEV_CMD_MAX = (__VMDEV_CMD_MAX - 1)
};

#define VMDEV_MCGRP_EVENTS	"events"

#endif /* _UAPI_LINUX_VMDEV_NETLINK_H */
