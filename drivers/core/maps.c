// SPDX-License-Identifier: GPL-2.0
/*
 * What is mapped where: a tree of ranges that do not overlap.
 *
 * A guest may have a hundred thousand of them, one for each page, and vhost
 * keeps an interval tree of the same. As ours are disjoint the order of their
 * first addresses is that of their last ones, too: a plain tree finds an
 * overlap on the way to where a range belongs, and nothing has to be carried up
 * to the root when one comes or goes. Clients map and unmap in order, as a rule,
 * so the way to both ends is short.
 *
 * Entries are cut from chunks. Those are given back when nothing is mapped any
 * more, but for one, so that mapping and unmapping a page allocates nothing. To
 * get and to give them is apart from the tree, which a spinlock may protect.
 */
#include <linux/export.h>
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/slab.h>

#include <vmdev/maps.h>

/* As large as kmalloc() gives from a slab. */
#define VMDEV_MAPS_CHUNK	(2 * PAGE_SIZE)

/**
 * struct vmdev_maps_chunk - memory for some entries
 * @next: in vmdev_maps.chunks
 * @entries: used or in vmdev_maps.unused
 */
struct vmdev_maps_chunk {
	struct vmdev_maps_chunk *next;
	struct vmdev_map entries[(VMDEV_MAPS_CHUNK - sizeof(void *)) /
				 sizeof(struct vmdev_map)];
};

/**
 * vmdev_maps_init() - nothing is mapped
 * @maps: filled in
 */
void vmdev_maps_init(struct vmdev_maps *maps)
{
	*maps = (struct vmdev_maps) { .root = RB_ROOT };
}
EXPORT_SYMBOL_GPL(vmdev_maps_init);

static void vmdev_maps_give(struct vmdev_maps *maps, struct vmdev_map *map)
{
	map->next = maps->unused;
	maps->unused = map;
}

static void vmdev_maps_cut(struct vmdev_maps *maps,
			   struct vmdev_maps_chunk *chunk)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(chunk->entries); i++)
		vmdev_maps_give(maps, &chunk->entries[i]);
}

/**
 * vmdev_maps_reserve() - the next vmdev_maps_add() needs no memory
 * @maps: all entries
 *
 * A guest's memory is accounted to who runs it, so is what it takes to map.
 *
 * Context: may sleep.
 * Return: 0 or -ENOMEM.
 */
int vmdev_maps_reserve(struct vmdev_maps *maps)
{
	struct vmdev_maps_chunk *chunk;

	if (maps->unused)
		return 0;

	chunk = kmalloc_obj(*chunk, GFP_KERNEL_ACCOUNT);
	if (!chunk)
		return -ENOMEM;
	chunk->next = maps->chunks;
	maps->chunks = chunk;
	vmdev_maps_cut(maps, chunk);
	return 0;
}
EXPORT_SYMBOL_GPL(vmdev_maps_reserve);

/* With no entry in use. */
static void vmdev_maps_shrink(struct vmdev_maps *maps,
			      struct vmdev_maps_chunk *keep)
{
	struct vmdev_maps_chunk *chunk;

	while ((chunk = maps->chunks) != keep) {
		maps->chunks = chunk->next;
		kfree(chunk);
	}
	maps->unused = NULL;
	if (keep)
		vmdev_maps_cut(maps, keep);
}

/**
 * vmdev_maps_destroy() - the reverse of vmdev_maps_init()
 * @maps: with or without entries
 */
void vmdev_maps_destroy(struct vmdev_maps *maps)
{
	vmdev_maps_shrink(maps, NULL);
	vmdev_maps_init(maps);
}
EXPORT_SYMBOL_GPL(vmdev_maps_destroy);

/**
 * vmdev_maps_first() - the lowest entry that has an address in a range
 * @maps: all entries
 * @first: first IOVA
 * @last: last IOVA, not below @first
 *
 * Return: the entry, or NULL.
 */
struct vmdev_map *vmdev_maps_first(const struct vmdev_maps *maps, u64 first,
				   u64 last)
{
	struct rb_node *node = maps->root.rb_node;
	struct vmdev_map *map, *best = NULL;

	if (!node || maps->lowest->first > last)
		return NULL;
	if (maps->lowest->last >= first)
		return maps->lowest;

	while (node) {
		map = rb_entry(node, struct vmdev_map, node);
		if (map->last < first) {
			node = node->rb_right;
			continue;
		}
		best = map;
		/* It has the first address itself: none is lower. */
		if (map->first <= first)
			break;
		node = node->rb_left;
	}
	return best && best->first <= last ? best : NULL;
}
EXPORT_SYMBOL_GPL(vmdev_maps_first);

/**
 * vmdev_maps_add() - one more entry
 * @maps: all entries
 * @first: first IOVA
 * @last: last IOVA, not below @first
 * @pa: physical address of @first
 * @perm: VHOST_ACCESS_*
 *
 * Context: any after vmdev_maps_reserve(), else may sleep.
 * Return: 0; -EEXIST if another has an address of it; -ENOMEM.
 */
int vmdev_maps_add(struct vmdev_maps *maps, u64 first, u64 last, u64 pa,
		   u32 perm)
{
	struct rb_node **link = &maps->root.rb_node;
	struct rb_node *parent = NULL;
	struct vmdev_map *map;

	if (*link && first > maps->highest->last) {
		parent = &maps->highest->node;
		link = &parent->rb_right;
	}
	while (*link) {
		parent = *link;
		map = rb_entry(parent, struct vmdev_map, node);
		if (last < map->first)
			link = &parent->rb_left;
		else if (first > map->last)
			link = &parent->rb_right;
		else
			return -EEXIST;
	}

	if (unlikely(!maps->unused) && vmdev_maps_reserve(maps))
		return -ENOMEM;

	map = maps->unused;
	maps->unused = map->next;
	map->first = first;
	map->last = last;
	map->pa = pa;
	map->perm = perm;
	rb_link_node(&map->node, parent, link);
	rb_insert_color(&map->node, &maps->root);
	if (!maps->count || first < maps->lowest->first)
		maps->lowest = map;
	if (!maps->count || first > maps->highest->first)
		maps->highest = map;
	maps->count++;
	return 0;
}
EXPORT_SYMBOL_GPL(vmdev_maps_add);

/**
 * vmdev_maps_del() - one entry less
 * @maps: all entries
 * @map: the entry; not to be used any more
 */
void vmdev_maps_del(struct vmdev_maps *maps, struct vmdev_map *map)
{
	if (map == maps->lowest)
		maps->lowest = rb_entry_safe(rb_next(&map->node),
					     struct vmdev_map, node);
	if (map == maps->highest)
		maps->highest = rb_entry_safe(rb_prev(&map->node),
					      struct vmdev_map, node);
	rb_erase(&map->node, &maps->root);
	vmdev_maps_give(maps, map);
	maps->count--;
}
EXPORT_SYMBOL_GPL(vmdev_maps_del);

/**
 * vmdev_maps_trim() - give memory back that nothing needs any more
 * @maps: all entries, after some were deleted
 */
void vmdev_maps_trim(struct vmdev_maps *maps)
{
	struct vmdev_maps_chunk *keep = maps->chunks;

	if (maps->count || !keep || !keep->next)
		return;
	/* The oldest is kept: it is the last of the list. */
	while (keep->next)
		keep = keep->next;
	vmdev_maps_shrink(maps, keep);
}
