/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Pure, and so free of all but trees and memory: it can be built in user space.
 */
#ifndef _VMDEV_MAPS_H
#define _VMDEV_MAPS_H

#include <linux/rbtree.h>
#include <linux/types.h>

struct vmdev_maps_chunk;

/**
 * struct vmdev_map - a range of IOVAs that is mapped
 * @node: in vmdev_maps.root
 * @next: while it is not used: in vmdev_maps.unused
 * @first: first IOVA
 * @last: last IOVA
 * @pa: physical address of @first
 * @perm: VHOST_ACCESS_*
 */
struct vmdev_map {
	union {
		struct rb_node node;
		struct vmdev_map *next;
	};
	u64 first;
	u64 last;
	u64 pa;
	u32 perm;
};

/**
 * struct vmdev_maps - ranges of IOVAs, none of which overlaps another
 * @root: by address
 * @lowest: of the tree
 * @highest: of the tree
 * @unused: entries not in the tree
 * @chunks: memory that entries are cut from
 * @count: entries in the tree
 *
 * The caller serialises. @unused and @chunks are not looked at by who only
 * reads the tree, nor by vmdev_maps_add() and vmdev_maps_del() beyond one entry.
 */
struct vmdev_maps {
	struct rb_root root;
	struct vmdev_map *lowest;
	struct vmdev_map *highest;
	struct vmdev_map *unused;
	struct vmdev_maps_chunk *chunks;
	unsigned long count;
};

void vmdev_maps_init(struct vmdev_maps *maps);
void vmdev_maps_destroy(struct vmdev_maps *maps);
struct vmdev_map *vmdev_maps_first(const struct vmdev_maps *maps, u64 first,
				   u64 last);
int vmdev_maps_reserve(struct vmdev_maps *maps);
int vmdev_maps_add(struct vmdev_maps *maps, u64 first, u64 last, u64 pa,
		   u32 perm);
void vmdev_maps_del(struct vmdev_maps *maps, struct vmdev_map *map);
void vmdev_maps_trim(struct vmdev_maps *maps);

#endif /* _VMDEV_MAPS_H */
