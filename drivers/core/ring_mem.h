/* SPDX-License-Identifier: GPL-2.0 */
/* The memory of a driver's ring, as the kernel sees it. */
#ifndef _VMDEV_RING_MEM_H
#define _VMDEV_RING_MEM_H

#include "vmdev.h"

/**
 * struct vmdev_ring_pages - the pages of one area
 * @va: where they are mapped, NULL if they are not
 * @pages: the pages
 * @count: how many
 * @write: they are written
 * @held: with a reference on each
 */
struct vmdev_ring_pages {
	void *va;
	struct page **pages;
	unsigned int count;
	bool write;
	bool held;
};

/**
 * struct vmdev_ring_mem - the three areas of a ring, for struct vmdev_vring_conf
 * @desc: descriptor area
 * @driver: driver area
 * @device: device area
 * @parts: what they are made of
 *
 * The pages stay what they are when their owner unmaps the IOVAs: then they are
 * nobody else's, and what is written there harms nobody.
 */
struct vmdev_ring_mem {
	void *desc;
	void *driver;
	void *device;
	struct vmdev_ring_pages parts[VMDEV_RING_PARTS];
};

int vmdev_ring_mem_map(struct vmdev_dev *dev, unsigned int asid,
		       const struct vmdev_vq_conf *conf,
		       struct vmdev_ring_mem *mem);
void vmdev_ring_mem_unmap(struct vmdev_ring_mem *mem);
int vmdev_ring_open(struct vmdev_dev *dev, u16 i,
		    int (*read)(void *ctx, u64 iova, void *buf, u32 len),
		    void *ctx, struct vmdev_ring_mem *mem,
		    struct vmdev_vring *ring);
bool vmdev_ring_touches(const struct vmdev_dev *dev, u16 i, u64 first, u64 last);

#endif /* _VMDEV_RING_MEM_H */
