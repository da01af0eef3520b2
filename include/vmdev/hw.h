/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The contract between the core and a parent.
 *
 * Software owns the truth: the core remembers all that the driver was ever
 * told, a parent is told in whole sentences and remembers nothing. A parent
 * (drivers/pci for PCI functions) embeds a struct vmdev_hw, fills in its
 * capabilities and its ops and registers it. The core makes it a vDPA
 * management device and turns what comes over the vDPA bus into calls of the
 * ops below.
 *
 * Queues are numbered here as the hardware numbers them. Where a provisioned
 * device has fewer queue pairs than its hardware the numbers of the driver
 * differ, and the core translates.
 */
#ifndef _VMDEV_HW_H
#define _VMDEV_HW_H

#include <linux/bits.h>
#include <linux/irqreturn.h>
#include <linux/types.h>
#include <linux/vdpa.h>

struct cpumask;
struct vmdev_hw;
struct vmdev_parent;

/* Feature bits of the transport; all others are the device type's. */
#define VMDEV_F_TRANSPORT	GENMASK_ULL(49, 24)

/* Of virtio 1.4: the device can be suspended. Offered to no driver. */
#define VMDEV_F_SUSPEND		43

/*
 * IOVAs above the usable range that no guest gets: what the core itself has to
 * show to the hardware goes there.
 */
#define VMDEV_WINDOW_SIZE	0x40000000ULL

/**
 * enum vmdev_hw_cap - what hardware can do beyond plain virtio 1.0
 * @VMDEV_CAP_STATE: the ring state of a queue can be read and set; a queue that
 *	was stopped has used all that it took
 * @VMDEV_CAP_LOG: what the device wrote of buffers is logged by itself. Either its parent
 *	tells of each buffer (vmdev_hw_wrote()), before the driver is told that it is used; or
 *	it has @log_start, and the device sets bits in a bitmap of the core's
 * @VMDEV_CAP_SUSPEND: the device can be suspended as virtio 1.4 defines it: it then has used
 *	all that it took. Where a split ring goes on is so known when it was stopped
 * @VMDEV_CAP_RING_RESET: one queue can be reset and started again
 */
enum vmdev_hw_cap {
	VMDEV_CAP_STATE		= BIT(0),
	VMDEV_CAP_LOG		= BIT(1),
	VMDEV_CAP_SUSPEND	= BIT(2),
	VMDEV_CAP_RING_RESET	= BIT(3),
};

/**
 * struct vmdev_hw_caps - capabilities, fixed for the life of the hardware
 * @device_id: virtio device id (VIRTIO_ID_NET, VIRTIO_ID_BLOCK, ...)
 * @vendor_id: vendor id, as VHOST_VDPA and netlink report it
 * @features: virtio feature bits that the hardware offers
 * @caps: bits of enum vmdev_hw_cap
 * @nvqs: number of virtqueues
 * @config_size: bytes of device configuration space that can be read
 * @vq_size: for each of the @nvqs queues, its largest ring size
 * @vq_size_min: smallest ring size of any queue
 * @vq_align: alignment that drivers of the host are asked to give their rings, bytes, a power
 *	of two; user space is not asked
 * @desc_align: alignment that the descriptor area of a ring must have, or hardware cannot run it:
 *	such a queue is in shadow, or refused. Bytes, a power of two, at most PAGE_SIZE and
 *	@vq_align; 0: as virtio says
 */
struct vmdev_hw_caps {
	u32 device_id;
	u32 vendor_id;
	u64 features;
	u32 caps;
	u16 nvqs;
	u32 config_size;
	const u16 *vq_size;
	u16 vq_size_min;
	u32 vq_align;
	u32 desc_align;
};

/**
 * struct vmdev_vq_conf - all that a parent has to know to run one virtqueue
 * @desc: descriptor area, IOVA
 * @driver: driver area (avail ring), IOVA
 * @device: device area (used ring), IOVA
 * @size: entries of the ring
 * @enabled: the queue is to run
 * @software: its ring is the core's: its interrupts go where
 *	vmdev_software_interrupt() is called, not to a vector of the queue
 * @state: where in the ring the device starts; only parents with
 *	VMDEV_CAP_STATE are ever asked to start anywhere but at a fresh ring
 */
struct vmdev_vq_conf {
	u64 desc;
	u64 driver;
	u64 device;
	u16 size;
	bool enabled;
	bool software;
	struct vdpa_vq_state state;
};

/**
 * struct vmdev_hw_conf - one whole configuration
 * @features: negotiated feature bits
 * @nvqs: length of @vqs; never more than the hardware has
 * @cvq: net: the control queue that @features make, whether it is enabled or not; U16_MAX if
 *	there is none, or no driver. With multiqueue it comes after all pairs that the device
 *	has, which need not be all queues that it shows
 * @vqs: the queues, indexed as the hardware does
 */
struct vmdev_hw_conf {
	u64 features;
	u16 nvqs;
	u16 cvq;
	const struct vmdev_vq_conf *vqs;
};

/**
 * struct vmdev_hw_ops - what a parent does
 *
 * All but @kick, @kick_with_data, @doorbell, @vq_idle, @vq_set_affinity and @vq_affinity may
 * sleep and are called with the core's lock held, or before the hardware is registered
 * completely, so never concurrently for one parent. Those come without the lock, at any time.
 * Once vmdev_hw_gone() was called only @irq_release, @iommu_detach, @map, @unmap, @doorbell,
 * @vq_set_affinity, @vq_affinity and, late, a kick still come; none of them may need the
 * hardware to answer.
 * Every wait is bounded; a parent that reads all ones calls vmdev_hw_gone()
 * and returns -ENODEV.
 *
 * @negotiate: reset, then offer @features to the hardware; 0 when it took
 *	them, -EINVAL when it refused, -ETIMEDOUT when it did not reset
 * @start: configure every queue, enable those that are enabled, go live. The
 *	features are those negotiated last. On error the hardware is stopped
 * @stop: stop all DMA and all queues at once. With VMDEV_CAP_STATE and @states
 *	not NULL the state of each queue is stored there; with VMDEV_CAP_SUSPEND alone
 *	nothing is, but the device was suspended first. After it the hardware
 *	remembers nothing
 * @vq_start: configure and enable one more queue of a live device
 * @vq_stop: stop one queue of a live device; NULL without VMDEV_CAP_RING_RESET.
 *	With VMDEV_CAP_STATE its state is stored in @state
 * @kick: tell the hardware that there are new buffers; any context
 * @kick_with_data: the same with VIRTIO_F_NOTIFICATION_DATA; @data carries the
 *	ring position in its upper half; any context
 * @status: device status as the hardware reports it now
 * @config_read: @len bytes of configuration space from @offset; the caller
 *	keeps both within config_size. In one access if @len is 2 or 4 and
 *	@offset a multiple of it, else byte by byte
 * @config_write: likewise
 * @config_generation: changes whenever the configuration did
 * @doorbell: address and size of a page that holds the doorbell of queue @vq
 *	and nothing else; -EOPNOTSUPP where there is no such page. The same
 *	answer for the whole life of the hardware; takes no lock
 * @irq_request: have interrupts from now on, until @irq_release
 * @irq_release: no interrupt of this hardware is being or will be handled
 *	once this returns
 * @vq_irq: Linux IRQ that only queue @vq uses, negative if there is none
 * @vq_idle: the interrupt of queue @vq came @n times without work; if @storm that was
 *	nearly each time. Any context. NULL if nothing can be done about it
 * @vq_set_affinity: the CPUs that are to have the interrupts of queue @vq; NULL for
 *	those that the parent likes. May come when interrupts are not requested. NULL where
 *	queues have no interrupts
 * @vq_affinity: the CPUs that have them now; what is returned stays as long as the
 *	hardware. NULL if that is no matter of this queue alone
 * @iommu_attach: leave the function's default domain for a paging domain of
 *	its own, empty but for what hardware reserves; stores the usable range
 *	of IOVAs, which leaves VMDEV_WINDOW_SIZE above it to the core. Says in
 *	one line why it cannot
 * @iommu_detach: back to the default domain; the device is stopped
 * @reserved: while there is that domain: the lowest IOVAs from @first to @last
 *	that cannot be mapped, whole pages, no further than @last; false if all
 *	can be
 * @log_start: have the device set a bit for each page of 4 KiB that it writes to, used rings
 *	excepted: for the page at IOVA n * 4 KiB bit n % 8 of byte n / 8 of the bitmap at IOVA
 *	@bitmap. The bitmap ends before IOVA @end, both are multiples of 8, and pages whose bits
 *	were not in it are not logged. Bits are for the core to clear. After negotiate, or while the
 *	device is live: from the return on each write has its bit, set after the write and before
 *	the used index tells of it, or when the queue has stopped. On error nothing is logged,
 *	and why is said in a line. NULL: see VMDEV_CAP_LOG
 * @log_check: does it still log, as far as it tells? If not, what it wrote since it was asked last
 *	may have no bit. Before @stop without states; after @stop with states, and then: did it
 *	when its queues had stopped? NULL: it does not tell
 * @log_stop: the device does not touch the bitmap any more once this returns, and what it wrote
 *	before has its bit. Also after stop; not after vmdev_hw_gone()
 * @map: map @size bytes of physical memory at @iova in that domain; nothing of
 *	it is reserved
 * @unmap: the reverse, for exactly a range that was mapped
 */
struct vmdev_hw_ops {
	int (*negotiate)(struct vmdev_hw *hw, u64 features);
	int (*start)(struct vmdev_hw *hw, const struct vmdev_hw_conf *conf);
	int (*stop)(struct vmdev_hw *hw, struct vdpa_vq_state *states);
	int (*vq_start)(struct vmdev_hw *hw, u16 vq,
			const struct vmdev_vq_conf *conf);
	int (*vq_stop)(struct vmdev_hw *hw, u16 vq,
		       struct vdpa_vq_state *state);
	void (*kick)(struct vmdev_hw *hw, u16 vq);
	void (*kick_with_data)(struct vmdev_hw *hw, u16 vq, u32 data);
	u8 (*status)(struct vmdev_hw *hw);
	void (*config_read)(struct vmdev_hw *hw, u32 offset, void *buf,
			    u32 len);
	void (*config_write)(struct vmdev_hw *hw, u32 offset, const void *buf,
			     u32 len);
	u32 (*config_generation)(struct vmdev_hw *hw);
	int (*doorbell)(struct vmdev_hw *hw, u16 vq,
			struct vdpa_notification_area *area);
	int (*irq_request)(struct vmdev_hw *hw);
	void (*irq_release)(struct vmdev_hw *hw);
	int (*vq_irq)(struct vmdev_hw *hw, u16 vq);
	void (*vq_idle)(struct vmdev_hw *hw, u16 vq, u32 n, bool storm);
	int (*vq_set_affinity)(struct vmdev_hw *hw, u16 vq,
			       const struct cpumask *mask);
	const struct cpumask *(*vq_affinity)(struct vmdev_hw *hw, u16 vq);
	int (*iommu_attach)(struct vmdev_hw *hw,
			    struct vdpa_iova_range *range);
	void (*iommu_detach)(struct vmdev_hw *hw);
	bool (*reserved)(struct vmdev_hw *hw, u64 first, u64 last,
			 struct vdpa_iova_range *found);
	int (*log_start)(struct vmdev_hw *hw, u64 bitmap, u64 end);
	bool (*log_check)(struct vmdev_hw *hw);
	void (*log_stop)(struct vmdev_hw *hw);
	int (*map)(struct vmdev_hw *hw, u64 iova, u64 size, u64 pa, u32 perm);
	void (*unmap)(struct vmdev_hw *hw, u64 iova, u64 size);
};

/**
 * struct vmdev_hw - one piece of hardware; a parent embeds it
 * @dev: the function; parent of the management device and of vDPA devices
 * @dma_dev: the device that does the DMA. NULL: no device, the CPU does what it would;
 *	then the vDPA device stands for it, which no IOMMU translates for
 * @pool: to whom it belongs: the PF of a VF; NULL if to nobody
 * @ops: see above
 * @caps: see above; filled in before vmdev_parent_register()
 * @parent: the core's part
 */
struct vmdev_hw {
	struct device *dev;
	struct device *dma_dev;
	struct device *pool;
	const struct vmdev_hw_ops *ops;
	struct vmdev_hw_caps caps;
	struct vmdev_parent *parent;
};

struct vmdev_factory_mgmt;

/**
 * struct vmdev_factory - a management device that makes its hardware
 *
 * For parents that are software: there is no hardware before a device is asked for,
 * and any number of them.
 *
 * @dev: parent of the management device and of the vDPA devices
 * @caps: what any of them may have at most; @vq_size is not looked at
 * @create: make hardware for a device of that name, with all that
 *	vmdev_parent_register() wants; may sleep. What else is asked for may be looked
 *	at, the core judges it later. An ERR_PTR() with one line if it cannot
 * @destroy: the reverse; may sleep
 * @core: the core's part
 */
struct vmdev_factory {
	struct device *dev;
	struct vmdev_hw_caps caps;
	struct vmdev_hw *(*create)(struct vmdev_factory *factory,
				   const char *name,
				   const struct vdpa_dev_set_config *config);
	void (*destroy)(struct vmdev_hw *hw);
	struct vmdev_factory_mgmt *core;
};

int vmdev_factory_register(struct vmdev_factory *factory);
void vmdev_factory_unregister(struct vmdev_factory *factory);

int vmdev_parent_register(struct vmdev_hw *hw);
void vmdev_parent_unregister(struct vmdev_hw *hw);

int vmdev_parent_bring_up(struct vmdev_hw *hw, u64 features);
void vmdev_parent_offline(struct vmdev_hw *hw, const char *why, bool reachable);
void vmdev_parent_online(struct vmdev_hw *hw);
void vmdev_parent_leave(struct vmdev_hw *hw);

void vmdev_hw_gone(struct vmdev_hw *hw);
bool vmdev_hw_is_gone(const struct vmdev_hw *hw);
void *vmdev_vq_interrupt_data(struct vmdev_hw *hw, u16 vq);
irqreturn_t vmdev_vq_interrupt(int irq, void *data);
bool vmdev_vq_relay(void *data);
bool vmdev_software_interrupt(struct vmdev_hw *hw);
void vmdev_config_event(struct vmdev_hw *hw);
void vmdev_hw_vq_broken(struct vmdev_hw *hw, u16 vq, const char *why);
void vmdev_hw_wrote(struct vmdev_hw *hw, u64 iova, u32 len);

struct vmdev_vring;
struct vmdev_vring_pos;

int vmdev_ring_pos(const struct vmdev_hw *hw, bool packed,
		   const struct vdpa_vq_state *state, struct vmdev_vring_pos *pos);
void vmdev_ring_tell_state(const struct vmdev_vring *ring,
			   struct vdpa_vq_state *state);

#endif /* _VMDEV_HW_H */
