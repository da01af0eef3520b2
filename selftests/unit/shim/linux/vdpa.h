/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _SHIM_LINUX_VDPA_H
#define _SHIM_LINUX_VDPA_H

#include <linux/device.h>
#include <linux/if_ether.h>
#include <linux/interrupt.h>
#include <linux/mutex.h>
#include <linux/slab.h>

struct vdpa_callback {
	irqreturn_t (*callback)(void *data);
	void *private;
};

struct vdpa_notification_area {
	resource_size_t addr;
	resource_size_t size;
};

struct vdpa_vq_state_split {
	u16 avail_index;
};

struct vdpa_vq_state_packed {
	u16 last_avail_counter:1;
	u16 last_avail_idx:15;
	u16 last_used_counter:1;
	u16 last_used_idx:15;
};

struct vdpa_vq_state {
	union {
		struct vdpa_vq_state_split split;
		struct vdpa_vq_state_packed packed;
	};
};

struct vdpa_iova_range {
	u64 first;
	u64 last;
};

struct vdpa_config_ops {
	int unused;
};

struct vdpa_device {
	struct device dev;
};

struct vdpa_mgmt_dev {
	int unused;
};

struct vdpa_dev_set_config {
	u64 device_features;
	struct {
		u8 mac[ETH_ALEN];
		u16 mtu;
		u16 max_vq_pairs;
	} net;
	u64 mask;
};

#endif
