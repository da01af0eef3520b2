/* SPDX-License-Identifier: GPL-2.0 */
/*
 * vmdev_soft: devices that are software, on the same contract as hardware.
 *
 * What is the same for all of them is here: memory of the driver, its queues, and what
 * the core asks for. A type of device (struct vmdev_soft_type) serves the queues.
 *
 * Lock order: vmdev_soft_vq.lock, vmdev_soft.maps_lock; event_lock is taken alone.
 * Interrupts are raised with the first held: once a queue is stopped, none comes from it.
 */
#ifndef _VMDEV_SOFT_H
#define _VMDEV_SOFT_H

#include <linux/jump_label.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <uapi/linux/vhost_types.h>
#include <uapi/linux/virtio_config.h>
#include <uapi/linux/virtio_ring.h>

#include <vmdev/hw.h>
#include <vmdev/maps.h>
#include <vmdev/vring.h>

#define VMDEV_SOFT_PARTS	3
#define VMDEV_SOFT_VQ_SIZE	1024

struct dentry;
struct irq_work;
struct vmdev_soft;
struct vmdev_soft_type;

/**
 * enum vmdev_soft_fail - what can be made to fail, see fail.c
 * @VMDEV_SOFT_FAIL_CREATE: no device is made
 * @VMDEV_SOFT_FAIL_ATTACH: memory of its own is not had
 * @VMDEV_SOFT_FAIL_MAP: nothing is mapped
 * @VMDEV_SOFT_FAIL_NEGOTIATE: features are refused
 * @VMDEV_SOFT_FAIL_IRQ: there are no interrupts
 * @VMDEV_SOFT_FAIL_START: it does not go live
 * @VMDEV_SOFT_FAIL_STOP: it does not answer when it is stopped
 * @VMDEV_SOFT_FAIL_VQ_START: a queue cannot be enabled later
 * @VMDEV_SOFT_FAIL_VQ_STOP: it does not answer when a queue is stopped
 * @VMDEV_SOFT_FAIL_STATUS: it asks for a reset
 * @VMDEV_SOFT_FAIL_CTRL: net: control commands are refused
 * @VMDEV_SOFT_FAIL_XMIT: net: what is sent to the port does not get to the driver
 * @VMDEV_SOFT_FAIL_RECEIVE: net: what the driver sends does not get to the port
 * @VMDEV_SOFT_FAIL_REQUEST: blk: requests end in an I/O error
 * @VMDEV_SOFT_FAILS: how many there are
 */
enum vmdev_soft_fail {
	VMDEV_SOFT_FAIL_CREATE,
	VMDEV_SOFT_FAIL_ATTACH,
	VMDEV_SOFT_FAIL_MAP,
	VMDEV_SOFT_FAIL_NEGOTIATE,
	VMDEV_SOFT_FAIL_IRQ,
	VMDEV_SOFT_FAIL_START,
	VMDEV_SOFT_FAIL_STOP,
	VMDEV_SOFT_FAIL_VQ_START,
	VMDEV_SOFT_FAIL_VQ_STOP,
	VMDEV_SOFT_FAIL_STATUS,
	VMDEV_SOFT_FAIL_CTRL,
	VMDEV_SOFT_FAIL_XMIT,
	VMDEV_SOFT_FAIL_RECEIVE,
	VMDEV_SOFT_FAIL_REQUEST,
	VMDEV_SOFT_FAILS,
};

/**
 * struct vmdev_soft_fail_set - what fails, of a management device
 * @set: the one or the other
 * @dir: where that is said
 */
struct vmdev_soft_fail_set {
	bool set[VMDEV_SOFT_FAILS];
	struct dentry *dir;
};

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
 * struct vmdev_soft_hint - the mapping that a queue found last
 * @first: its first IOVA
 * @last: its last IOVA
 * @va: address of @first
 * @perm: VHOST_ACCESS_*
 * @changes: vmdev_soft.changes then
 */
struct vmdev_soft_hint {
	u64 first;
	u64 last;
	void *va;
	u32 perm;
	unsigned long changes;
};

/**
 * struct vmdev_soft_vq - a queue
 * @soft: its device
 * @index: its number
 * @lock: protects all below but @data
 * @on: it runs
 * @software: its interrupts are the core's
 * @data: what its interrupt handler is given; fixed while anything runs
 * @hint: see there
 * @areas: memory of its ring
 * @ring: the ring
 * @segs: room for the pieces of a buffer, VMDEV_CHAIN_MAX of them, while it runs
 *
 * In cache lines of its own: queues are served on any CPU.
 */
struct vmdev_soft_vq {
	struct vmdev_soft *soft;
	u16 index;
	/* Protects all below. */
	spinlock_t lock;
	bool on;
	bool software;
	void *data;
	struct vmdev_soft_hint hint;
	struct vmdev_soft_area areas[VMDEV_SOFT_PARTS];
	struct vmdev_vring ring;
	struct vmdev_vring_seg *segs;
} ____cacheline_aligned;

/**
 * struct vmdev_soft - a device
 * @hw: what the core knows of it
 * @type: what it is
 * @name: of the vDPA device
 * @fails: what does not work
 * @status: device status, but for NEEDS_RESET
 * @broken: the driver broke a queue
 * @features: negotiated
 * @event_lock: protects @events, and changes of what is in @config from two sides; taken
 *	with interrupts off
 * @events: the core wants to hear of changes
 * @generation: changes with @config
 * @config: configuration space, as the device is, not as it was provisioned
 * @vq_size: largest rings
 * @vqs: its queues
 * @maps_lock: protects @maps, @changes and @attached
 * @maps: memory that it reaches, by IOVA
 * @changes: changes of @maps, plus one
 * @attached: @maps counts; else an IOVA is a physical address
 */
struct vmdev_soft {
	struct vmdev_hw hw;
	const struct vmdev_soft_type *type;
	const char *name;
	const struct vmdev_soft_fail_set *fails;
	u8 status;
	unsigned long broken;
	u64 features;
	/* Protects events, and config against who else changes it. */
	spinlock_t event_lock;
	bool events;
	atomic_t generation;
	void *config;
	u16 *vq_size;
	struct vmdev_soft_vq *vqs;
	/* Protects maps, changes and attached. */
	rwlock_t maps_lock;
	struct vmdev_maps maps;
	unsigned long changes;
	bool attached;
};

/**
 * struct vmdev_soft_type - a type of device
 * @name: of the type, as the administrator writes it
 * @mgmtdev: name of its first management device
 * @caps: what any of them may have at most; @config_size bytes are all that there is
 * @create: make one of that name; vmdev_soft_init() is the first thing it does
 * @destroy: the reverse; vmdev_soft_exit() is the last thing it does
 * @negotiated: features are known; NULL if nobody cares
 * @live: queues run; more than once between two calls of @reset if it is stopped
 *	meanwhile. 0 or a negative errno; NULL if nobody cares
 * @reset: the driver reset it, no queue runs; not for a device that is only stopped.
 *	NULL if nobody cares
 * @kick: there may be buffers in a queue; any context, running or not
 * @drain: a queue has just been stopped: wait until all that was taken from it is used,
 *	or put back; may sleep. NULL if nothing is ever under way
 */
struct vmdev_soft_type {
	const char *name;
	const char *mgmtdev;
	struct vmdev_hw_caps caps;
	struct vmdev_soft *(*create)(const struct vmdev_soft_type *type,
				     struct device *dev, const char *name,
				     const struct vdpa_dev_set_config *config);
	void (*destroy)(struct vmdev_soft *soft);
	void (*negotiated)(struct vmdev_soft *soft);
	int (*live)(struct vmdev_soft *soft);
	void (*reset)(struct vmdev_soft *soft);
	void (*kick)(struct vmdev_soft_vq *vq);
	void (*drain)(struct vmdev_soft_vq *vq);
};

/* What rings and transport can do, whatever the type. */
#define VMDEV_SOFT_TRANSPORT	(BIT_ULL(VIRTIO_F_VERSION_1) | \
				 BIT_ULL(VIRTIO_F_ACCESS_PLATFORM) | \
				 BIT_ULL(VIRTIO_F_RING_PACKED) | \
				 BIT_ULL(VIRTIO_F_RING_RESET) | \
				 BIT_ULL(VIRTIO_F_IN_ORDER) | \
				 BIT_ULL(VIRTIO_RING_F_EVENT_IDX) | \
				 BIT_ULL(VIRTIO_RING_F_INDIRECT_DESC))
#define VMDEV_SOFT_CAPS		(VMDEV_CAP_STATE | VMDEV_CAP_LOG | \
				 VMDEV_CAP_RING_RESET)

static inline struct vmdev_soft *vmdev_soft(struct vmdev_hw *hw)
{
	return container_of(hw, struct vmdev_soft, hw);
}

static inline bool vmdev_soft_has(const struct vmdev_soft *soft, unsigned int bit)
{
	return soft->features & BIT_ULL(bit);
}

/* device.c */
int vmdev_soft_init(struct vmdev_soft *soft, const struct vmdev_soft_type *type,
		    struct device *dev, const char *name, u16 nvqs);
void vmdev_soft_exit(struct vmdev_soft *soft);
void vmdev_soft_break(struct vmdev_soft *soft, u16 vq, const char *why);
void vmdev_soft_event(struct vmdev_soft *soft);
void vmdev_soft_events(struct vmdev_soft *soft, bool on);

/* fail.c */
#ifdef CONFIG_DEBUG_FS
DECLARE_STATIC_KEY_FALSE(vmdev_soft_fail_key);

int vmdev_soft_fail_said(const struct device *dev, const char *name,
			 enum vmdev_soft_fail what, int err);
void vmdev_soft_fail_add(struct vmdev_soft_fail_set *fails, const char *name,
			 u32 device_id);
void vmdev_soft_fail_del(struct vmdev_soft_fail_set *fails);
void vmdev_soft_fail_init(void);
void vmdev_soft_fail_exit(void);

static inline bool vmdev_soft_fail_is_set(const struct vmdev_soft_fail_set *fails,
					  enum vmdev_soft_fail what)
{
	return static_branch_unlikely(&vmdev_soft_fail_key) &&
	       READ_ONCE(fails->set[what]);
}
#else
static inline int vmdev_soft_fail_said(const struct device *dev, const char *name,
				       enum vmdev_soft_fail what, int err)
{
	return err;
}

static inline void vmdev_soft_fail_add(struct vmdev_soft_fail_set *fails,
				       const char *name, u32 device_id)
{
}

static inline void vmdev_soft_fail_del(struct vmdev_soft_fail_set *fails)
{
}

static inline void vmdev_soft_fail_init(void)
{
}

static inline void vmdev_soft_fail_exit(void)
{
}

static inline bool vmdev_soft_fail_is_set(const struct vmdev_soft_fail_set *fails,
					  enum vmdev_soft_fail what)
{
	return false;
}
#endif

/**
 * vmdev_soft_fails() - is a device to fail?
 * @soft: the device
 * @what: at what
 *
 * Context: any. Costs nothing while nothing is to.
 */
static inline bool vmdev_soft_fails(const struct vmdev_soft *soft,
				    enum vmdev_soft_fail what)
{
	return vmdev_soft_fail_is_set(soft->fails, what);
}

/**
 * vmdev_soft_fail() - what comes of it, for what an operator should hear of
 * @soft: the device
 * @what: at what
 * @err: the error, if it is to fail; one line says so
 *
 * Context: any.
 * Return: @err or 0.
 */
static inline int vmdev_soft_fail(const struct vmdev_soft *soft,
				  enum vmdev_soft_fail what, int err)
{
	return vmdev_soft_fails(soft, what) ?
	       vmdev_soft_fail_said(soft->hw.dev, soft->name, what, err) : 0;
}

/* hw.c */
extern const struct vmdev_hw_ops vmdev_soft_ops;

/* memory.c */
void *vmdev_soft_va_slow(struct vmdev_soft *soft, struct vmdev_soft_hint *hint,
			 u64 iova, u32 perm, u32 *len);
int vmdev_soft_read(struct vmdev_soft *soft, u64 iova, void *buf, u32 len);
int vmdev_soft_write(struct vmdev_soft *soft, u64 iova, const void *buf, u32 len);
void *vmdev_soft_area_get(struct vmdev_soft *soft, struct vmdev_soft_area *area,
			  u64 iova, size_t size, bool write);
void vmdev_soft_area_put(struct vmdev_soft_area *area);

/**
 * vmdev_soft_va() - the address of an IOVA
 * @soft: the device
 * @hint: what was found last, the caller's; zeroed to begin with
 * @iova: the IOVA
 * @perm: VHOST_ACCESS_RO to read it, VHOST_ACCESS_WO to write it
 * @len: bytes wanted; set to those that are there in one piece
 *
 * Context: any; @soft->maps_lock held as long as the address is used.
 * Return: NULL if the driver has no such memory.
 */
static inline void *vmdev_soft_va(struct vmdev_soft *soft,
				  struct vmdev_soft_hint *hint, u64 iova,
				  u32 perm, u32 *len)
{
	/* Of @len bytes, as a rule, all are there. */
	if (likely(hint->changes == soft->changes && iova >= hint->first &&
		   iova <= hint->last && *len <= hint->last - iova &&
		   (hint->perm & perm)))
		return hint->va + (iova - hint->first);
	return vmdev_soft_va_slow(soft, hint, iova, perm, len);
}

/* queue.c */
int vmdev_soft_vq_start(struct vmdev_soft_vq *vq, const struct vmdev_vq_conf *conf);
void vmdev_soft_vq_off(struct vmdev_soft_vq *vq);
void vmdev_soft_vq_stop(struct vmdev_soft_vq *vq, struct vdpa_vq_state *state);
void vmdev_soft_vq_publish(struct vmdev_soft_vq *vq);
void vmdev_soft_raise(struct irq_work *work);

/* mgmt.c */
int vmdev_soft_mgmt_add(const struct vmdev_soft_type *type, const char *name);
const struct vmdev_soft_fail_set *vmdev_soft_mgmt_fails(const struct device *dev);
int vmdev_soft_mgmt_init(void);
void vmdev_soft_mgmt_exit(void);

/* main.c */
const struct vmdev_soft_type *vmdev_soft_type_find(const char *name);

/* net.c */
extern const struct vmdev_soft_type vmdev_soft_net_type;

/* blk.c */
extern const struct vmdev_soft_type vmdev_soft_blk_type;

#endif /* _VMDEV_SOFT_H */
