/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Inside of the core: what its files share.
 */
#ifndef _VMDEV_CORE_H
#define _VMDEV_CORE_H

#include <linux/atomic.h>
#include <linux/cache.h>
#include <linux/if_ether.h>
#include <linux/list.h>
#include <linux/mod_devicetable.h>
#include <linux/mutex.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/spinlock.h>
#include <linux/vdpa.h>
#include <linux/virtio_config.h>
#include <linux/virtio_net.h>
#include <linux/workqueue.h>
#include <uapi/linux/vhost_types.h>

#include <vmdev/ctl.h>
#include <vmdev/dirty.h>
#include <vmdev/hw.h>
#include <vmdev/maker.h>
#include <vmdev/vring.h>

#include <vmdev/maps.h>

struct dentry;
struct vmdev_ctrl;
struct vmdev_shadow;

/*
 * No ring is larger, whatever the hardware has: QEMU aborts above this
 * (VIRTQUEUE_MAX_SIZE), and a chain may be as long as its ring.
 */
#define VMDEV_VQ_SIZE_MAX	VMDEV_CHAIN_MAX

/**
 * struct vmdev_vq - one virtqueue as its driver sees it
 * @cb_lock: protects @cb and what counts interrupts, @left to @idle; taken in hard
 *	interrupt context
 * @cb: how to tell the driver of used buffers. Called with @cb_lock held, so
 *	that it can be replaced while interrupts come
 * @left: interrupts until it is looked whether they have work, see idle.c
 * @chunk: how many they were
 * @worked: of the drivers of the host: interrupts that had work, modulo 2^32
 * @worked_then: the same when it was looked last
 * @pos: where the ring's user was then, see vmdev_vq_pos()
 * @idle: what was seen last: interrupts without work
 * @index: its number; fixed, like
 * @dev: its device
 * @conf: what the driver said of it; vmdev_parent.lock
 * @hw_vq: its number in hardware; fixed from irq_request to irq_release
 * @shadow: what it needs to run in shadow, once it did; until the device is freed
 * @state_set: the driver said where to start; vmdev_parent.lock
 * @state_learned: it ran, and was stopped; vmdev_parent.lock
 * @state_lost: it was stopped where nobody knows; vmdev_parent.lock
 * @came_round: it starts at index 0, and not for the first time; vmdev_parent.lock
 * @parked: hardware let go of the driver's ring at @conf.state, and until it has it again nobody
 *	writes used entries; vmdev_parent.lock
 * @idle_seen: hardware was seen with nothing to do since it was asked to stop;
 *	vmdev_parent.lock
 * @idle_at: where that was, an avail index; likewise
 * @offered: the avail index when it was looked at last before kicks were withheld;
 *	likewise
 * @taken_at: avail_event, when it was seen beyond the used index; likewise
 * @taken_seen: that was seen; likewise
 * @tells_taken: twice, so hardware tells what it took (taken.c); likewise
 * @on: the hardware has it enabled; vmdev_parent.lock
 * @direct: it is on, and the ring that the hardware has is the driver's;
 *	vmdev_parent.lock
 * @shadowed: the hardware has a ring of @shadow. Written under vmdev_parent.lock
 * @served: the core carries out what is in it, and hardware knows nothing of it:
 *	the control queue. Written under vmdev_parent.lock
 * @doorbell: the driver may have mapped its doorbell; cleared when the file is closed
 * @told: the path that the control plane knows, an enum vmdev_path; vmdev_parent.lock
 * @watched: hardware is to log what it writes for it, see hw_log.c;
 *	vmdev_parent.lock, as for
 * @counted: it can be told how many buffers were used
 * @watched_at: its used index when it was looked at last
 * @used_now: what that is now, while it is looked
 * @unlogged: buffers that hardware may have written before it was to log, or before that look
 * @live: kicks reach the hardware. Written under vmdev_parent.lock, read
 *	without from any context: a kick that comes late is ignored by hardware
 *	that was reset
 * @kicks: kicks that came
 * @events: interrupts that came, but for those of @chunk; see vmdev_vq_events()
 *
 * In cache lines of its own: queues are kicked, and interrupt, on any CPU.
 */
struct vmdev_vq {
	/* Protects cb and what counts interrupts. Where the queue is: an instruction less. */
	spinlock_t cb_lock;
	struct vdpa_callback cb;
	u32 left;
	u32 chunk;
	u32 worked;
	u32 worked_then;
	u32 pos;
	bool idle;
	u16 index;
	struct vmdev_dev *dev;
	struct vmdev_vq_conf conf;
	u16 hw_vq;
	struct vmdev_shadow *shadow;
	bool state_set;
	bool state_learned;
	bool state_lost;
	bool came_round;
	bool parked;
	bool idle_seen;
	u16 idle_at;
	u16 offered;
	u16 taken_at;
	bool taken_seen;
	bool tells_taken;
	bool on;
	bool direct;
	bool shadowed;
	bool served;
	bool doorbell;
	u8 told;
	bool watched;
	bool counted;
	u16 watched_at;
	u16 used_now;
	u16 unlogged;
	bool live;
	atomic64_t kicks;
	atomic64_t events;
} ____cacheline_aligned;

/**
 * struct vmdev_provision - what an operator asked a device to be
 * @features: features offered to the driver
 * @max_vqp: net: queue pairs, at least 1
 * @mtu: net: MTU, 0 for that of the hardware
 * @mac: net: MAC address, zero for that of the hardware
 */
struct vmdev_provision {
	u64 features;
	u16 max_vqp;
	u16 mtu;
	u8 mac[ETH_ALEN];
};

/* Address spaces and groups of a device whose control queue is its own. */
#define VMDEV_AS_MAX		2
#define VMDEV_AS_NONE		U8_MAX
/* All of memory, for queues of a host driver that software serves. */
#define VMDEV_AS_HOST		1
#define VMDEV_HOST_LAST		(U64_MAX >> 1)
#define VMDEV_GROUP_DATA	0
#define VMDEV_GROUP_CTRL	1
#define VMDEV_GROUPS_MAX	2

/**
 * struct vmdev_as - an address space
 * @lock: protects @maps and @changes beside vmdev_parent.lock: who changes them
 *	holds both, who reads them either; while the device does not run, nobody
 *	reads without that. Taken with interrupts off, in any context
 * @maps: IOVA to physical address, every mapping that stands
 * @changes: changes of @maps, plus one
 * @aliased: how many of @maps have IOVAs that the platform reserves, see alias.c
 */
struct vmdev_as {
	/* Protects maps against who does not hold vmdev_parent.lock. */
	spinlock_t lock;
	struct vmdev_maps maps;
	unsigned long changes;
	unsigned long aliased;
};

/**
 * struct vmdev_map_hint - the mapping that was found last; zeroed to begin with,
 * and made fresh before it is used
 * @first: its first IOVA
 * @last: its last IOVA
 * @changes: vmdev_as.changes then: with any since it may be gone
 * @denied: may the device not read it, may it not write it?
 * @looks: mappings that were looked at to find those so far; for the caller to bound
 *
 * For one address space only. The caller serialises.
 */
struct vmdev_map_hint {
	u64 first;
	u64 last;
	unsigned long changes;
	bool denied[2];
	u32 looks;
};

/**
 * struct vmdev_region - IOVAs that the platform reserves
 * @first: first of them
 * @last: last of them
 * @alias: where the hardware sees what is mapped at @first; 0 for nowhere
 */
struct vmdev_region {
	u64 first;
	u64 last;
	u64 alias;
};

/**
 * struct vmdev_mem - the guest memory that a device may name
 * @as: address spaces
 * @group_as: in which of them the queues of each group are
 * @loaded: the one that the domain holds, or VMDEV_AS_NONE
 * @range: usable IOVAs while attached; above them is the core's own window
 * @blocks: what is in that window, see window.c
 * @regions: of @range, what is reserved; by address. Like what follows: stays
 *	while attached
 * @nregions: how many
 * @alias_room: bytes at the end of that window where aliases are
 * @attached: the function is in a paging domain of its own
 * @user: user space (vhost-vdpa) has the device, or had it last: it must never
 *	run in the default domain
 * @host: the address space VMDEV_AS_HOST holds all of memory
 * @error: why it could not be attached
 *
 * All under vmdev_parent.lock; for @as see there.
 */
struct vmdev_mem {
	struct vmdev_as as[VMDEV_AS_MAX];
	u8 group_as[VMDEV_GROUPS_MAX];
	u8 loaded;
	struct vdpa_iova_range range;
	struct list_head blocks;
	struct vmdev_region *regions;
	unsigned int nregions;
	u64 alias_room;
	bool attached;
	bool user;
	bool host;
	int error;
};

/**
 * struct vmdev_hw_log - the bitmap in which hardware logs what it writes
 * @bitmap: the bitmap, while it does; else NULL
 * @iova: where the hardware sees it
 * @size: bytes of it
 * @seen: a bit was set
 * @doubt: buffers were written since it was read last that may have no bit
 * @lies: there are some that should have one
 * @lost: hardware does not log any more
 * @off: hardware cannot log, until logging begins anew or the device is reset
 *
 * All under vmdev_parent.lock; see hw_log.c.
 */
struct vmdev_hw_log {
	atomic64_t *bitmap;
	u64 iova;
	u64 size;
	bool seen;
	bool doubt;
	bool lies;
	bool lost;
	bool off;
};

/**
 * struct vmdev_dev - a vDPA device
 * @vdpa: the vDPA device
 * @ops: the vdpa ops that its hardware can honour: vhost-vdpa offers backend
 *	features by which ops are there
 * @parent: what it runs on
 * @hw: the hardware of @parent, at hand for kicks
 * @prov: how it was provisioned; vmdev_parent.lock after registration
 * @mem: guest memory
 * @policy: on which rings its hardware works; vmdev_parent.lock
 * @features: features the driver accepted; vmdev_parent.lock
 * @status: device status as the driver set it, less what was refused;
 *	vmdev_parent.lock
 * @running: DRIVER_OK took effect; vmdev_parent.lock
 * @suspended: SUSPEND took effect, RESUME did not; vmdev_parent.lock
 * @needs_reset: the device stopped working under its driver; set from any
 *	context, cleared by reset
 * @why: why it did, not freed; set before @needs_reset
 * @leaving: the device is being deleted; never cleared
 * @id: in the list of ctl.c; 0 once it is deleted. Changed with its mutex held, as
 * @shown: it was registered: a listener knows it, or will
 * @driver_mac: net: the MAC address that its driver set, or zero;
 *	vmdev_parent.lock
 * @user_mac: net: what user space would have as MAC address, see config.c;
 *	vmdev_parent.lock
 * @generation: changes of the configuration that software made;
 *	vmdev_parent.lock
 * @unsettled: the hardware's own generation cannot be believed, until reset;
 *	vmdev_parent.lock
 * @told: the generation that a driver was told last; vmdev_parent.lock
 * @moves: how many times in a row it was another one than before;
 *	vmdev_parent.lock
 * @holder: command that opened the device last
 * @holder_pid: its process, held; NULL if nobody did
 * @cb_lock: protects @config_cb; taken in hard interrupt context
 * @config_cb: how to tell the driver of config and status changes
 * @nvqs: length of @vqs
 * @vqs: the queues as the driver numbers them
 * @ctrl: net: what serves the control queue; NULL until that is needed first
 * @hw_vqs: scratch for starting, one for each queue of the hardware;
 *	vmdev_parent.lock
 * @states: scratch for stopping, likewise
 * @logs: for each address space the dirty log, or NULL. Written under
 *	vmdev_parent.lock; whoever marks is in an RCU reader
 * @hw_log: what the hardware logs itself
 * @ddev: its /dev/vmdev/NAME; NULL before and after. Whoever adds or deletes the device
 * @made: NULL, or what the wing has of it that it was made for; fixed
 */
struct vmdev_dev {
	struct vdpa_device vdpa;
	struct vdpa_config_ops ops;
	struct vmdev_parent *parent;
	struct vmdev_hw *hw;
	struct vmdev_provision prov;
	struct vmdev_mem mem;
	enum vmdev_policy policy;
	u64 features;
	u8 status;
	bool running;
	bool suspended;
	bool needs_reset;
	const char *why;
	bool leaving;
	u32 id;
	bool shown;
	u8 driver_mac[ETH_ALEN];
	u8 user_mac[ETH_ALEN];
	u32 generation;
	bool unsettled;
	u32 told;
	u32 moves;
	char holder[TASK_COMM_LEN];
	struct pid *holder_pid;
	/* Protects config_cb. */
	spinlock_t cb_lock;
	struct vdpa_callback config_cb;
	u16 nvqs;
	struct vmdev_vq *vqs;
	struct vmdev_ctrl *ctrl;
	struct vmdev_vq_conf *hw_vqs;
	struct vdpa_vq_state *states;
	struct vmdev_dirty __rcu *logs[VMDEV_AS_MAX];
	struct vmdev_hw_log hw_log;
	struct vmdev_dirty_dev *ddev;
	struct vmdev_made *made;
};

/**
 * struct vmdev_mgmt - a management device, to be listed
 * @id: where it is in the list
 * @mgmt: what the vdpa core knows
 * @caps: of its hardware, or of what it makes
 * @parent: its hardware; NULL if it makes that
 */
struct vmdev_mgmt {
	u32 id;
	struct vdpa_mgmt_dev *mgmt;
	const struct vmdev_hw_caps *caps;
	struct vmdev_parent *parent;
};

/**
 * struct vmdev_parent - the core's part of a piece of hardware
 * @hw: the hardware
 * @mgmt: its management device
 * @ids: device types that @mgmt can create
 * @listed: @mgmt, for the control plane
 * @maker: what wings see of @mgmt
 * @taken: bit 0: there is a device, or one comes or goes
 * @max_vqp: net: queue pairs that the hardware's queues suffice for
 * @cvq: net: number of the control queue when multiqueue is negotiated
 * @lock: serialises the hardware and everything that the driver said. Taken
 *	inside vhost-vdpa's mutex and mmap_lock (maps), so nothing under it may
 *	touch user memory. Order: vdpa's locks, mmap_lock, @lock,
 *	vmdev_shadow.lock, vmdev_as.lock; and @lock, @dev_lock, cb_lock, vmdev_as.lock
 * @dev_lock: protects @dev, and marking it; taken in hard interrupt context
 * @dev: the one vDPA device on it, or NULL
 * @gone: the hardware is not there any more; never cleared
 * @offline: its registers must not be touched for now; @lock
 * @break_work: breaks the queues of a host driver whose device broke
 * @home_work: brings queues that can go direct there, see home.c
 * @home_later: the same, for those that wait
 */
struct vmdev_parent {
	struct vmdev_hw *hw;
	struct vdpa_mgmt_dev mgmt;
	struct virtio_device_id ids[2];
	struct vmdev_mgmt listed;
	struct vmdev_maker maker;
	unsigned long taken;
	u16 max_vqp;
	u16 cvq;
	/* Serialises the hardware and what the driver said. */
	struct mutex lock;
	/* Protects dev. */
	spinlock_t dev_lock;
	struct vmdev_dev *dev;
	bool gone;
	bool offline;
	struct work_struct break_work;
	struct work_struct home_work;
	struct delayed_work home_later;
};

static inline struct vmdev_dev *vmdev_dev(struct vdpa_device *vdpa)
{
	return container_of(vdpa, struct vmdev_dev, vdpa);
}

/* What maps memory for the device where the core does not. */
static inline struct device *vmdev_dma_dev(struct vmdev_dev *dev)
{
	return dev->hw->dma_dev ? : &dev->vdpa.dev;
}

static inline bool vmdev_is_net(const struct vmdev_hw *hw)
{
	return hw->caps.device_id == VIRTIO_ID_NET;
}

/* Registers may be touched: the hardware is there, and nobody resets it. */
static inline bool vmdev_usable(const struct vmdev_dev *dev)
{
	return !READ_ONCE(dev->parent->gone) && !READ_ONCE(dev->parent->offline);
}

static inline bool vmdev_is_packed(const struct vmdev_dev *dev)
{
	return dev->features & BIT_ULL(VIRTIO_F_RING_PACKED);
}

static inline bool vmdev_is_multiqueue(const struct vmdev_dev *dev)
{
	return dev->features & (BIT_ULL(VIRTIO_NET_F_MQ) |
				BIT_ULL(VIRTIO_NET_F_RSS));
}

/* Nobody has to find out where its queues are when they were stopped all at once. */
static inline bool vmdev_stops_exactly(const struct vmdev_dev *dev)
{
	u32 caps = dev->hw->caps.caps;

	return (caps & VMDEV_CAP_STATE) ||
	       ((caps & VMDEV_CAP_SUSPEND) && !vmdev_is_packed(dev));
}

/* device.c */
extern const struct vdpa_config_ops vmdev_vdpa_ops;
int vmdev_negotiate(struct vmdev_dev *dev);
int vmdev_reset_device(struct vmdev_dev *dev);
bool vmdev_any_direct(const struct vmdev_dev *dev);

/**
 * struct vmdev_ring_area - one of the three areas of a ring
 * @iova: where it is
 * @len: bytes
 * @align: what @iova has to be a multiple of
 * @perm: VHOST_ACCESS_* that the device needs there
 */
struct vmdev_ring_area {
	u64 iova;
	u64 len;
	u32 align;
	u32 perm;
};

/**
 * enum vmdev_ring_part - their order
 * @VMDEV_RING_DESC: descriptor area
 * @VMDEV_RING_DRIVER: driver area
 * @VMDEV_RING_DEVICE: device area
 * @VMDEV_RING_PARTS: how many there are
 */
enum vmdev_ring_part {
	VMDEV_RING_DESC,
	VMDEV_RING_DRIVER,
	VMDEV_RING_DEVICE,
	VMDEV_RING_PARTS,
};

/* queue_check.c */
void vmdev_ring_areas(const struct vmdev_dev *dev,
		      const struct vmdev_vq_conf *conf,
		      struct vmdev_ring_area areas[VMDEV_RING_PARTS]);
u8 vmdev_vq_asid(const struct vmdev_dev *dev, u16 vq);
u16 vmdev_cvq(const struct vmdev_dev *dev);
u16 vmdev_hw_cvq(const struct vmdev_dev *dev, u64 features);
u16 vmdev_hw_vq(const struct vmdev_dev *dev, u16 vq);
bool vmdev_vq_exists(const struct vmdev_dev *dev, u16 vq);
u16 vmdev_size_max(const struct vmdev_dev *dev);
u16 vmdev_vq_size_max(const struct vmdev_dev *dev, u16 vq);
bool vmdev_state_fresh(const struct vmdev_dev *dev,
		       const struct vdpa_vq_state *state);
bool vmdev_ring_fits_hw(const struct vmdev_dev *dev, u16 i);
int vmdev_ring_check_direct(struct vmdev_dev *dev, u16 i);
int vmdev_vq_check(struct vmdev_dev *dev, u16 vq, bool direct);

/* queue.c */
void vmdev_vqs_reset(struct vmdev_dev *dev);
void vmdev_vqs_negotiated(struct vmdev_dev *dev);
int vmdev_start(struct vmdev_dev *dev);
int vmdev_stop(struct vmdev_dev *dev);
void vmdev_vqs_init(struct vmdev_dev *dev);
void vmdev_vqs_drop(struct vmdev_dev *dev);
int vmdev_drain(struct vmdev_dev *dev);
void vmdev_undrain(struct vmdev_dev *dev);
int vmdev_restart(struct vmdev_dev *dev);
int vmdev_vq_restart(struct vmdev_dev *dev, u16 i);
void vmdev_vq_enable(struct vmdev_dev *dev, u16 vq, bool enable);

/* Patience with the drivers of queues that are stopped: a CPU may be busy. */
#define VMDEV_SETTLE_TRIES	50

/* parked.c */
int vmdev_vq_used_index(struct vmdev_dev *dev, u16 i, u16 *used);
int vmdev_vq_avail_index(struct vmdev_dev *dev, u16 i, u16 *avail);
int vmdev_vq_avail_event(struct vmdev_dev *dev, u16 i, u16 *event);
int vmdev_vq_check_state(struct vmdev_dev *dev, u16 i,
			 const struct vdpa_vq_state *state);
void vmdev_vq_unpark(struct vmdev_dev *dev, u16 i);
void vmdev_vqs_unmapped(struct vmdev_dev *dev, unsigned int asid, u64 first,
			u64 last);
int vmdev_vq_check_parked(struct vmdev_dev *dev, u16 i);

/* taken.c */
int vmdev_vqs_seek_taken(struct vmdev_dev *dev);
bool vmdev_vq_offered(struct vmdev_dev *dev, u16 i);
bool vmdev_vq_nothing_out(struct vmdev_dev *dev, u16 i, u16 *at);
bool vmdev_vq_rests(struct vmdev_dev *dev, u16 i);
int vmdev_vq_disk_state(struct vmdev_dev *dev, u16 i, u16 *index);

/* queue_state.c */
bool vmdev_vq_idle(struct vmdev_dev *dev, u16 i);
void vmdev_vqs_forget_idle(struct vmdev_dev *dev);
void vmdev_vqs_seek_idle(struct vmdev_dev *dev);
int vmdev_vq_read_state(struct vmdev_dev *dev, u16 i,
			struct vdpa_vq_state *state);
int vmdev_vq_used_state(struct vmdev_dev *dev, u16 i,
			struct vdpa_vq_state *state);
int vmdev_vq_stopped_state(struct vmdev_dev *dev, u16 i,
			   struct vdpa_vq_state *state, int *patience);

/* handover.c */
extern const struct attribute_group *vmdev_path_groups[];
bool vmdev_path_needs_shadow(const struct vmdev_dev *dev, u16 i);
bool vmdev_path_stops_well(const struct vmdev_dev *dev, u16 i);
bool vmdev_path_is_shadow(const struct vmdev_dev *dev, u16 i);
int vmdev_path_check_direct(struct vmdev_dev *dev, u16 i);
int vmdev_paths_update(struct vmdev_dev *dev);

/* home.c */
bool vmdev_path_goes_home(const struct vmdev_dev *dev, u16 i);
void vmdev_home_update(struct vmdev_dev *dev);
void vmdev_home_now(struct vmdev_parent *parent);
void vmdev_home_wait(struct vmdev_parent *parent);
void vmdev_home_init(struct vmdev_parent *parent);
void vmdev_home_quiesce(struct vmdev_parent *parent);

/* event.c */
void vmdev_call(spinlock_t *lock, const struct vdpa_callback *cb);
void vmdev_break(struct vmdev_dev *dev, const char *why);
int vmdev_host_init(void);
void vmdev_host_exit(void);
void vmdev_break_queues(struct vmdev_dev *dev);
void vmdev_break_host(struct work_struct *work);
void vmdev_check_alive(struct vmdev_dev *dev);
void vmdev_notify_config(struct vmdev_dev *dev);
void vmdev_notify_vqs(struct vmdev_dev *dev);
void vmdev_set_cb(spinlock_t *lock, struct vdpa_callback *cb,
		  const struct vdpa_callback *new_cb);

/* idle.c */
void vmdev_vq_idle_init(struct vmdev_vq *q);
void vmdev_vq_look(struct vmdev_vq *q);
u64 vmdev_vq_events(struct vmdev_vq *q);

/* config.c */
void vmdev_config_check(struct vmdev_hw *hw);
void vmdev_config_get(struct vmdev_dev *dev, u32 offset, void *buf, u32 len);
void vmdev_config_set(struct vmdev_dev *dev, u32 offset, const void *buf,
		      u32 len);
u32 vmdev_config_generation(struct vmdev_dev *dev);
u16 vmdev_config_le16(struct vmdev_hw *hw, u32 offset);
void vmdev_config_overlay(const struct vmdev_provision *prov,
			  struct virtio_net_config *config);

/* features.c */
u64 vmdev_features_possible(const struct vmdev_hw_caps *caps);
u64 vmdev_features_default(const struct vmdev_hw_caps *caps);
const char *vmdev_features_check(u32 device_id, u64 features);
u64 vmdev_features_needy(u64 features, const char **why);
bool vmdev_features_set_mac(const struct vmdev_hw_caps *caps);
u64 vmdev_features_to_hw(const struct vmdev_hw_caps *caps,
			 const struct vmdev_provision *prov, u64 features);

/* log.c */
int vmdev_log_add(struct vmdev_dev *dev);
void vmdev_log_del(struct vmdev_dev *dev);
void vmdev_log_mark_slow(struct vmdev_dev *dev, unsigned int asid, u64 iova,
			 u64 len);
void vmdev_log_ring(struct vmdev_dev *dev, u16 i);
void vmdev_log_rings(struct vmdev_dev *dev);
int vmdev_log_check_direct(struct vmdev_dev *dev, u16 i);

/**
 * vmdev_log_active() - is an address space logged?
 * @dev: the device
 * @asid: the address space
 *
 * Context: any. An answer for now, unless vmdev_parent.lock is held.
 */
static inline bool vmdev_log_active(const struct vmdev_dev *dev,
				    unsigned int asid)
{
	return rcu_access_pointer(dev->logs[asid]);
}

/**
 * vmdev_log_mark() - memory of the guest was written
 * @dev: the device
 * @asid: the address space
 * @iova: first IOVA
 * @len: bytes
 *
 * After the write, and before the guest is told of it. Hardly more than nothing
 * if the address space is not logged.
 *
 * Context: any.
 */
static inline void vmdev_log_mark(struct vmdev_dev *dev, unsigned int asid,
				  u64 iova, u64 len)
{
	if (unlikely(vmdev_log_active(dev, asid)))
		vmdev_log_mark_slow(dev, asid, iova, len);
}

/* hw_log.c */
void vmdev_hw_log_watch(struct vmdev_dev *dev, u16 i);
void vmdev_hw_log_vq_stopped(struct vmdev_dev *dev, u16 i);
void vmdev_hw_log_begin(struct vmdev_dev *dev);
void vmdev_hw_log_end(struct vmdev_dev *dev);
void vmdev_hw_log_check(struct vmdev_dev *dev);
void vmdev_hw_log_distrust(struct vmdev_dev *dev);
void vmdev_hw_log_stopped(struct vmdev_dev *dev, int err);
int vmdev_hw_log_stop_hw(struct vmdev_dev *dev);
void vmdev_hw_log_sync(struct vmdev_dev *dev);
bool vmdev_hw_log_misses(struct vmdev_dev *dev, unsigned int asid, u64 last);

/**
 * vmdev_log_by_hw() - does hardware log what it writes to the driver's memory?
 * @dev: the device
 *
 * Context: vmdev_parent.lock held.
 */
static inline bool vmdev_log_by_hw(const struct vmdev_dev *dev)
{
	const struct vmdev_hw *hw = dev->hw;

	if (!(hw->caps.caps & VMDEV_CAP_LOG))
		return false;
	return !hw->ops->log_start ||
	       (dev->hw_log.bitmap && !dev->hw_log.off);
}

/* debugfs.c */
#ifdef CONFIG_DEBUG_FS
void vmdev_debugfs_init(void);
void vmdev_debugfs_exit(void);
#else
static inline void vmdev_debugfs_init(void)
{
}

static inline void vmdev_debugfs_exit(void)
{
}
#endif

/* memory.c */
void vmdev_mem_init(struct vmdev_mem *mem);
void vmdev_mem_destroy(struct vmdev_mem *mem);
void vmdev_mem_attach(struct vmdev_dev *dev);
void vmdev_mem_detach(struct vmdev_dev *dev);
int vmdev_mem_host(struct vmdev_dev *dev);
void vmdev_mem_no_host(struct vmdev_dev *dev);
int vmdev_mem_map(struct vmdev_dev *dev, unsigned int asid, u64 iova, u64 size,
		  u64 pa, u32 perm);
int vmdev_mem_unmap(struct vmdev_dev *dev, unsigned int asid, u64 iova,
		    u64 size);
void vmdev_mem_clear(struct vmdev_dev *dev, unsigned int asid);
int vmdev_mem_load(struct vmdev_dev *dev);
int vmdev_mem_set_asid(struct vmdev_dev *dev, unsigned int group, u8 asid);
bool vmdev_mem_covers(const struct vmdev_dev *dev, unsigned int asid, u64 iova,
		      u64 size, u32 perm);
bool vmdev_as_covers_slow(const struct vmdev_as *as,
			  struct vmdev_map_hint *hint, u64 iova, u64 size,
			  u32 perm);
struct page *vmdev_as_page(const struct vmdev_as *as, u64 iova, u32 perm,
			   size_t *offset, u64 *len);
int vmdev_as_read(const struct vmdev_as *as, u64 iova, void *buf, u64 size,
		  u32 perm);
int vmdev_mem_read(struct vmdev_dev *dev, unsigned int asid, u64 iova,
		   void *buf, u64 size);
int vmdev_mem_read_atomic(struct vmdev_dev *dev, unsigned int asid, u64 iova,
			  void *buf, u32 size);
int vmdev_mem_fill(struct vmdev_dev *dev, unsigned int asid, u64 iova, u8 byte,
		   u64 size);
bool vmdev_mem_is_zero(struct vmdev_dev *dev, unsigned int asid, u64 iova, u64 size);

/**
 * vmdev_as_fresh_hint() - forget a mapping that may be gone
 * @as: address space
 * @hint: what was found last; good until the lock is dropped
 *
 * Context: any; @as->lock or vmdev_parent.lock held.
 */
static inline void vmdev_as_fresh_hint(const struct vmdev_as *as,
				       struct vmdev_map_hint *hint)
{
	if (hint->changes != as->changes)
		*hint = (struct vmdev_map_hint) { .denied = { true, true } };
}

/**
 * vmdev_as_hinted() - is a range of IOVAs in the mapping that was found last?
 * @hint: what was found last, fresh
 * @iova: first IOVA
 * @size: bytes
 * @write: to write it (else to read it)
 *
 * Context: any; the lock of the address space or vmdev_parent.lock held.
 * Return: if not vmdev_as_covers_slow() has to see.
 */
static inline bool vmdev_as_hinted(const struct vmdev_map_hint *hint, u64 iova,
				   u32 size, bool write)
{
	/* No bytes are too many here; what is within wraps around nowhere. */
	return likely(iova >= hint->first && iova <= hint->last &&
		      size - 1 <= hint->last - iova && !hint->denied[write]);
}

/**
 * vmdev_as_covers() - may the device use a range of IOVAs?
 * @as: address space
 * @hint: what was found last, see vmdev_as_fresh_hint()
 * @iova: first IOVA
 * @size: bytes; no bytes may always be used
 * @write: to write it (else to read it)
 *
 * For the data path: many pieces of buffers, checked with the lock taken once.
 *
 * Context: any; @as->lock or vmdev_parent.lock held.
 */
static inline bool vmdev_as_covers(const struct vmdev_as *as,
				   struct vmdev_map_hint *hint, u64 iova,
				   u32 size, bool write)
{
	if (vmdev_as_hinted(hint, iova, size, write))
		return true;
	return vmdev_as_covers_slow(as, hint, iova, size,
				    write ? VHOST_ACCESS_WO : VHOST_ACCESS_RO);
}

/* alias.c */
int vmdev_alias_init(struct vmdev_dev *dev);
void vmdev_alias_exit(struct vmdev_mem *mem);
bool vmdev_alias_meets_slow(const struct vmdev_mem *mem, u64 first, u64 last);
u64 vmdev_alias_of(const struct vmdev_mem *mem, u64 iova, u64 *len);
u64 vmdev_alias_to_guest_slow(const struct vmdev_mem *mem, u64 iova);
u32 vmdev_alias_split(const struct vmdev_mem *mem, struct vmdev_vring_seg *segs,
		      u16 n, u16 room);
int vmdev_alias_map(struct vmdev_dev *dev, const struct vmdev_map *map);
void vmdev_alias_unmap(struct vmdev_dev *dev, u64 first, u64 last);
int vmdev_alias_check_direct(struct vmdev_dev *dev, u16 i);

/**
 * vmdev_alias_meets() - is something of a range reserved?
 * @mem: guest memory
 * @first: first IOVA
 * @last: last IOVA, not below @first
 *
 * Most of what is mapped is below or above all that is.
 *
 * Context: any, while attached.
 */
static inline bool vmdev_alias_meets(const struct vmdev_mem *mem, u64 first,
				     u64 last)
{
	return mem->nregions && last >= mem->regions[0].first &&
	       first <= mem->regions[mem->nregions - 1].last &&
	       vmdev_alias_meets_slow(mem, first, last);
}

/**
 * vmdev_alias_to_guest() - what does the guest call what the hardware sees?
 * @mem: the memory
 * @iova: of memory of the guest, as the hardware sees it
 *
 * Context: any, while attached.
 */
static inline u64 vmdev_alias_to_guest(const struct vmdev_mem *mem, u64 iova)
{
	return likely(iova <= mem->range.last) ? iova :
	       vmdev_alias_to_guest_slow(mem, iova);
}

/* mgmt.c */
int vmdev_parent_create(struct vmdev_hw *hw);
void vmdev_parent_destroy(struct vmdev_hw *hw);
int vmdev_dev_add(struct vmdev_parent *parent, struct vdpa_mgmt_dev *mgmt,
		  const char *name, const struct vdpa_dev_set_config *config,
		  struct vmdev_made *made);
void vmdev_dev_del(struct vmdev_dev *dev, bool locked);
bool vmdev_dev_goes(struct vmdev_dev *dev);
int vmdev_mgmt_set_attr(struct vdpa_mgmt_dev *mgmt, struct vdpa_device *vdpa,
			const struct vdpa_dev_set_config *config);
int vmdev_mgmt_list(struct vmdev_mgmt *mgmt);
void vmdev_mgmt_unlist(struct vmdev_mgmt *mgmt);
int vmdev_mgmt_register(struct vmdev_parent *parent);
void vmdev_mgmt_unregister(struct vmdev_parent *parent);
void vmdev_mgmt_exit(void);

/* maker.c */

/**
 * struct vmdev_maker_ops - how a maker does it
 * @make: see vmdev_make()
 * @unmake: see vmdev_unmake()
 * @free: see vmdev_maker_free()
 */
struct vmdev_maker_ops {
	int (*make)(struct vmdev_maker *maker, const char *name,
		    const struct vdpa_dev_set_config *config,
		    struct vmdev_made *made);
	void (*unmake)(struct vmdev_made *made);
	bool (*free)(const struct vmdev_maker *maker);
};

void vmdev_maker_add(struct vmdev_maker *maker);
void vmdev_maker_del(struct vmdev_maker *maker);
bool vmdev_made_goes(struct vmdev_made *made);

/* provision.c */
void vmdev_provision_check(struct vmdev_hw *hw);
int vmdev_count_pairs(struct vmdev_parent *parent);
int vmdev_provision(struct vmdev_parent *parent,
		    const struct vdpa_dev_set_config *config,
		    struct vmdev_provision *prov);
int vmdev_provision_mac(struct vmdev_parent *parent, const u8 *mac,
			struct vmdev_provision *prov);
u16 vmdev_count_vqs(const struct vmdev_parent *parent,
		    const struct vmdev_provision *prov);
u64 vmdev_provision_attrs(const struct vmdev_hw_caps *caps);

/* netctrl.c */
int vmdev_ctrl_create(struct vmdev_dev *dev);
void vmdev_ctrl_quiesce(struct vmdev_dev *dev);
void vmdev_ctrl_free(struct vmdev_dev *dev);
int vmdev_ctrl_hw_start(struct vmdev_dev *dev, struct vmdev_vq_conf *hw_vqs);
void vmdev_ctrl_hw_stop(struct vmdev_dev *dev);
int vmdev_ctrl_replay(struct vmdev_dev *dev);
int vmdev_ctrl_replay_vq(struct vmdev_dev *dev, u16 i);
int vmdev_ctrl_open(struct vmdev_dev *dev, u16 i);
void vmdev_ctrl_tell_state(const struct vmdev_dev *dev,
			   struct vdpa_vq_state *state);
void vmdev_ctrl_close(struct vmdev_dev *dev, u16 i,
		      struct vdpa_vq_state *state);
void vmdev_ctrl_forget(struct vmdev_dev *dev);
void vmdev_ctrl_kick(struct vmdev_dev *dev);
void vmdev_ctrl_work(struct work_struct *work);

#endif /* _VMDEV_CORE_H */
