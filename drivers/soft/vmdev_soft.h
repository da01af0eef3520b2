/* SPDX-License-Identifier: GPL-2.0 */
/*
 * vmdev_soft: devices that are software, on the same contract as hardware.
 *
 * What a driver has in its rings is served in softirq: what it sends in the NAPI of
 * its port, what it receives where somebody sends to the port. Nothing is ever under
 * way: a buffer that was taken is given back, or put back, before its lock is let go.
 * So a queue that is stopped has used all that it took (VMDEV_CAP_STATE).
 *
 * Lock order: vmdev_soft_vq.lock, vmdev_soft.maps_lock. Interrupts are raised with the
 * former held: once a queue is stopped, none comes from it.
 */
#ifndef _VMDEV_SOFT_H
#define _VMDEV_SOFT_H

#include <linux/netdevice.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <uapi/linux/virtio_net.h>

#include <vmdev/hw.h>
#include <vmdev/maps.h>
#include <vmdev/vring.h>

#define VMDEV_SOFT_RX		0
#define VMDEV_SOFT_TX		1
#define VMDEV_SOFT_VQS		2
#define VMDEV_SOFT_VQ_SIZE	1024
#define VMDEV_SOFT_PARTS	3
#define VMDEV_SOFT_MTU		9000

struct vmdev_soft;

/**
 * struct vmdev_soft_area - an area of a ring, in one piece for the kernel
 * @pages: its pages
 * @count: how many
 * @held: each is held
 * @va: mapping of them
 */
struct vmdev_soft_area {
	struct page **pages;
	unsigned int count;
	bool held;
	void *va;
};

/**
 * struct vmdev_soft_vq - a queue
 * @soft: its device
 * @lock: protects all below
 * @on: it runs
 * @software: its interrupts are the core's
 * @data: what its interrupt handler is given
 * @areas: memory of its ring
 * @ring: the ring
 * @segs: room for the pieces of a buffer, VMDEV_CHAIN_MAX of them
 */
struct vmdev_soft_vq {
	struct vmdev_soft *soft;
	/* Protects all below. */
	spinlock_t lock;
	bool on;
	bool software;
	void *data;
	struct vmdev_soft_area areas[VMDEV_SOFT_PARTS];
	struct vmdev_vring ring;
	struct vmdev_vring_seg *segs;
};

/**
 * struct vmdev_soft - a device
 * @hw: what the core knows of it
 * @port: its counterpart on the host
 * @napi: serves what it sends
 * @status: device status
 * @features: negotiated
 * @hdr_len: bytes before each frame
 * @config: configuration space
 * @vq_size: largest rings
 * @vqs: its queues
 * @maps_lock: protects @maps and @attached
 * @maps: memory that it reaches, by IOVA
 * @attached: @maps counts; else an IOVA is a physical address
 */
struct vmdev_soft {
	struct vmdev_hw hw;
	struct net_device *port;
	struct napi_struct napi;
	u8 status;
	u64 features;
	u8 hdr_len;
	struct virtio_net_config config;
	u16 vq_size[VMDEV_SOFT_VQS];
	struct vmdev_soft_vq vqs[VMDEV_SOFT_VQS];
	/* Protects maps and attached. */
	rwlock_t maps_lock;
	struct vmdev_maps maps;
	bool attached;
};

static inline struct vmdev_soft *vmdev_soft(struct vmdev_hw *hw)
{
	return container_of(hw, struct vmdev_soft, hw);
}

static inline bool vmdev_soft_has(const struct vmdev_soft *soft, unsigned int bit)
{
	return soft->features & BIT_ULL(bit);
}

/* hw.c */
extern const struct vmdev_hw_ops vmdev_soft_ops;
void vmdev_soft_break(struct vmdev_soft *soft, const char *why);

/* memory.c */
void *vmdev_soft_va(struct vmdev_soft *soft, u64 iova, bool write, u32 *len);
int vmdev_soft_read(struct vmdev_soft *soft, u64 iova, void *buf, u32 len);
int vmdev_soft_write(struct vmdev_soft *soft, u64 iova, const void *buf, u32 len);
void *vmdev_soft_area_get(struct vmdev_soft *soft, struct vmdev_soft_area *area,
			  u64 iova, size_t size, bool write);
void vmdev_soft_area_put(struct vmdev_soft_area *area);

/* queue.c */
int vmdev_soft_vq_start(struct vmdev_soft_vq *vq, const struct vmdev_vq_conf *conf);
void vmdev_soft_vq_stop(struct vmdev_soft_vq *vq, struct vdpa_vq_state *state);
void vmdev_soft_vq_publish(struct vmdev_soft_vq *vq);

/* net.c */
int vmdev_soft_deliver(struct vmdev_soft_vq *vq, struct sk_buff *skb);
int vmdev_soft_poll(struct napi_struct *napi, int budget);

/* port.c */
int vmdev_soft_port_add(struct vmdev_soft *soft, const char *name);
void vmdev_soft_port_del(struct vmdev_soft *soft);

#endif /* _VMDEV_SOFT_H */
