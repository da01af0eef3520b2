/* SPDX-License-Identifier: GPL-2.0 */
/* The kernel's map of IOVAs, as a list. */
#ifndef _SHIM_LINUX_VHOST_IOTLB_H
#define _SHIM_LINUX_VHOST_IOTLB_H

#include <linux/slab.h>

struct vhost_iotlb_map {
	struct vhost_iotlb_map *next;
	u64 start;
	u64 last;
	u64 size;
	u64 addr;
	u32 perm;
};

struct vhost_iotlb {
	struct vhost_iotlb_map *first;
};

static inline struct vhost_iotlb *vhost_iotlb_alloc(unsigned int limit, unsigned int flags)
{
	return kzalloc(sizeof(struct vhost_iotlb), GFP_KERNEL);
}

static inline void vhost_iotlb_map_free(struct vhost_iotlb *iotlb, struct vhost_iotlb_map *map)
{
	struct vhost_iotlb_map **p = &iotlb->first;

	while (*p != map)
		p = &(*p)->next;
	*p = map->next;
	kfree(map);
}

/* The first by address of those that share a byte with the range. */
static inline struct vhost_iotlb_map *
vhost_iotlb_itree_first(struct vhost_iotlb *iotlb, u64 start, u64 last)
{
	struct vhost_iotlb_map *map, *best = NULL;

	for (map = iotlb->first; map; map = map->next)
		if (map->start <= last && map->last >= start &&
		    (!best || map->start < best->start))
			best = map;
	return best;
}

static inline void vhost_iotlb_del_range(struct vhost_iotlb *iotlb, u64 start, u64 last)
{
	struct vhost_iotlb_map *map;

	while ((map = vhost_iotlb_itree_first(iotlb, start, last)))
		vhost_iotlb_map_free(iotlb, map);
}

static inline void vhost_iotlb_reset(struct vhost_iotlb *iotlb)
{
	vhost_iotlb_del_range(iotlb, 0, U64_MAX);
}

static inline void vhost_iotlb_free(struct vhost_iotlb *iotlb)
{
	vhost_iotlb_reset(iotlb);
	kfree(iotlb);
}

static inline int vhost_iotlb_add_range(struct vhost_iotlb *iotlb, u64 start, u64 last, u64 addr,
					u32 perm)
{
	struct vhost_iotlb_map *map;

	if (last < start)
		return -EFAULT;
	map = kzalloc(sizeof(*map), GFP_KERNEL);
	if (!map)
		return -ENOMEM;
	map->start = start;
	map->last = last;
	map->size = last - start + 1;
	map->addr = addr;
	map->perm = perm;
	map->next = iotlb->first;
	iotlb->first = map;
	return 0;
}

#endif
