/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Block devices: a store, RAM or a file or a block device of the host, behind virtio-blk.
 *
 * Small requests to RAM are served at once, in a tasklet, with the queue's lock held. All
 * others are popped by the queue's work and each served by a work of its own, which may
 * sleep; they are used in whatever order they end.
 *
 * Nothing is copied on the way to a file or a block device: I/O is done on the pages of
 * the driver, which are held meanwhile, so that the driver may take its memory away.
 */
#ifndef _VMDEV_SOFT_BLK_H
#define _VMDEV_SOFT_BLK_H

#include <linux/bvec.h>
#include <linux/errseq.h>
#include <linux/interrupt.h>
#include <linux/irq_work.h>
#include <linux/sizes.h>
#include <linux/wait.h>
#include <linux/workqueue.h>
#include <uapi/linux/virtio_blk.h>

#include "vmdev_soft.h"

#define VMDEV_SOFT_BLK_QUEUES_MAX	64
/* Pages of the driver that are held at a time for one request. */
#define VMDEV_SOFT_BLK_BVECS		64
/* Ranges of a discard or write zeroes request. */
#define VMDEV_SOFT_BLK_RANGES		16
/* Sectors of such a range. */
#define VMDEV_SOFT_BLK_RANGE_MAX	SZ_4M
#define VMDEV_SOFT_BLK_HDR		sizeof(struct virtio_blk_outhdr)

struct config_item;
struct vmdev_soft_blk;
struct vmdev_soft_blk_store;

/**
 * struct vmdev_soft_blk_conf - what is asked for
 * @path: file or block device, or NULL for RAM
 * @size: bytes of RAM, 0 for the module's default
 * @read_only: the driver may not write
 * @serial: what the driver reads as serial number; not terminated if it is full
 * @queues: 0 for one per CPU
 */
struct vmdev_soft_blk_conf {
	char *path;
	u64 size;
	bool read_only;
	char serial[VIRTIO_BLK_ID_BYTES];
	u16 queues;
};

/**
 * struct vmdev_soft_blk_store_ops - what a store does
 *
 * All of them may sleep, may be called concurrently, and return 0 or a negative errno;
 * -EOPNOTSUPP is told to the driver as such. What they are asked for is within the store.
 *
 * @rw: read (@write: write) @bytes from @sector on to @bvecs
 * @flush: what was written stays
 * @discard: contents of some sectors matter no more; NULL if it cannot
 * @zero: some sectors read as zeroes; with @unmap their memory may go
 * @close: give it back
 */
struct vmdev_soft_blk_store_ops {
	int (*rw)(struct vmdev_soft_blk_store *store, bool write, u64 offset,
		  struct bio_vec *bvecs, unsigned int n, u32 bytes);
	int (*flush)(struct vmdev_soft_blk_store *store);
	int (*discard)(struct vmdev_soft_blk_store *store, u64 sector, u32 n);
	int (*zero)(struct vmdev_soft_blk_store *store, u64 sector, u32 n, bool unmap);
	void (*close)(struct vmdev_soft_blk_store *store);
};

/**
 * struct vmdev_soft_blk_store - where the data is
 * @ops: see there
 * @sectors: its size, in units of 512 bytes
 * @read_only: it cannot be written
 * @block: bytes of a logical block
 * @physical: bytes of a physical block
 * @io_min: bytes that it likes to be asked for at least, 0 if it does not care
 * @io_opt: ... and at best
 * @align: I/O needs addresses and lengths without these bits
 * @file: file, or file of @bdev
 * @opened: errors of writing back that had been told when @file was opened
 * @bdev: block device
 * @pages: RAM: pages, NULL for those that were never written
 */
struct vmdev_soft_blk_store {
	const struct vmdev_soft_blk_store_ops *ops;
	u64 sectors;
	bool read_only;
	u32 block;
	u32 physical;
	u32 io_min;
	u32 io_opt;
	u32 align;
	struct file *file;
	errseq_t opened;
	struct block_device *bdev;
	struct page **pages;
};

/**
 * struct vmdev_soft_blk_cursor - a place in the pieces of a buffer
 * @soft: the device
 * @hint: see vmdev_soft_va()
 * @seg: the piece
 * @end: the piece behind the last
 * @at: bytes of @seg that were passed
 * @perm: VHOST_ACCESS_RO to read them, VHOST_ACCESS_WO to write
 */
struct vmdev_soft_blk_cursor {
	struct vmdev_soft *soft;
	struct vmdev_soft_hint *hint;
	const struct vmdev_vring_seg *seg;
	const struct vmdev_vring_seg *end;
	u32 at;
	u32 perm;
};

/**
 * struct vmdev_soft_blk_head - what a request asks for
 * @type: VIRTIO_BLK_T_*
 * @sector: first sector
 * @data: bytes of data, without header and status
 * @room: bytes that the device may write, with the status
 * @status: IOVA of the status
 * @id: of the buffer
 * @slots: of the buffer
 */
struct vmdev_soft_blk_head {
	u32 type;
	u64 sector;
	u32 data;
	u32 room;
	u64 status;
	u16 id;
	u16 slots;
};

/**
 * struct vmdev_soft_blk_queue - a queue
 * @blk: its device
 * @vq: what all queues have
 * @slow: its work pops; else its tasklet. Under the queue's lock
 * @inflight: requests under way; likewise
 * @idle: woken when there is none any more, and the queue is stopped
 * @work: pops
 * @tasklet: serves RAM
 * @kicked: schedules @tasklet, where interrupts are on
 */
struct vmdev_soft_blk_queue {
	struct vmdev_soft_blk *blk;
	struct vmdev_soft_vq *vq;
	bool slow;
	unsigned int inflight;
	wait_queue_head_t idle;
	struct work_struct work;
	struct tasklet_struct tasklet;
	struct irq_work kicked;
};

/**
 * struct vmdev_soft_blk - a block device
 * @soft: what all devices have
 * @store: where the data is
 * @item: configfs directory that it is made of, or NULL
 * @wq: serves its requests
 * @serial: its serial number
 * @nqueues: length of @queues
 * @queues: its queues
 */
struct vmdev_soft_blk {
	struct vmdev_soft soft;
	struct vmdev_soft_blk_store store;
	struct config_item *item;
	struct workqueue_struct *wq;
	char serial[VIRTIO_BLK_ID_BYTES];
	u16 nqueues;
	struct vmdev_soft_blk_queue queues[] __counted_by(nqueues);
};

static inline struct vmdev_soft_blk *vmdev_soft_blk(struct vmdev_soft *soft)
{
	return container_of(soft, struct vmdev_soft_blk, soft);
}

static inline bool vmdev_soft_blk_is_ram(const struct vmdev_soft_blk_store *store)
{
	return store->pages;
}

/* blk_queue.c */
void vmdev_soft_blk_queue_init(struct vmdev_soft_blk *blk, u16 i);
void vmdev_soft_blk_queue_exit(struct vmdev_soft_blk_queue *q);
void vmdev_soft_blk_kick(struct vmdev_soft_vq *vq);
void vmdev_soft_blk_drain(struct vmdev_soft_vq *vq);
void vmdev_soft_blk_used(struct vmdev_soft_blk_queue *q,
			 const struct vmdev_soft_blk_head *head, int err, u32 wrote);

/* blk_request.c */
void *vmdev_soft_blk_next(struct vmdev_soft_blk_cursor *cursor, u32 *len);
void vmdev_soft_blk_skip(struct vmdev_soft_blk_cursor *cursor);
const char *vmdev_soft_blk_parse(struct vmdev_soft_blk *blk,
				 struct vmdev_soft_hint *hint,
				 const struct vmdev_vring_chain *chain,
				 struct vmdev_soft_blk_head *head);
int vmdev_soft_blk_check(const struct vmdev_soft_blk *blk,
			 const struct vmdev_soft_blk_head *head);
void vmdev_soft_blk_wrote(struct vmdev_soft *soft, const struct vmdev_vring_seg *seg,
			  u32 len);
u8 vmdev_soft_blk_status(int err);
void vmdev_soft_blk_request(struct vmdev_soft_blk_queue *q,
			    const struct vmdev_vring_chain *chain,
			    const struct vmdev_soft_blk_head *head);

/* blk_ram.c */
int vmdev_soft_blk_ram_open(struct vmdev_soft_blk_store *store, u64 size);
bool vmdev_soft_blk_ram_copy(struct vmdev_soft_blk_store *store,
			     struct vmdev_soft_blk_cursor *cursor, bool write,
			     u64 offset, u32 len);

/* blk_store.c */
int vmdev_soft_blk_open(struct vmdev_soft_blk_store *store, struct device *dev,
			const char *name, const struct vmdev_soft_blk_conf *conf);

/* blk_bdev.c */
int vmdev_soft_blk_bdev_open(struct vmdev_soft_blk_store *store, const char *path);

#ifdef VMDEV_HAVE_CONFIGFS
/* blk_config.c */
int vmdev_soft_blk_config_init(void);
void vmdev_soft_blk_config_exit(void);
struct config_item *vmdev_soft_blk_config_get(const char *name,
					      struct vmdev_soft_blk_conf *conf);
void vmdev_soft_blk_config_put(struct config_item *item);
#else
static inline int vmdev_soft_blk_config_init(void)
{
	return 0;
}

static inline void vmdev_soft_blk_config_exit(void)
{
}

static inline struct config_item *
vmdev_soft_blk_config_get(const char *name, struct vmdev_soft_blk_conf *conf)
{
	return NULL;
}

static inline void vmdev_soft_blk_config_put(struct config_item *item)
{
}
#endif

#endif /* _VMDEV_SOFT_BLK_H */
