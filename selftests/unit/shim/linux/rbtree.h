/* SPDX-License-Identifier: GPL-2.0 */
/* A tree that is never balanced: what it holds is the same. */
#ifndef _SHIM_LINUX_RBTREE_H
#define _SHIM_LINUX_RBTREE_H

#include <linux/types.h>

struct rb_node {
	struct rb_node *rb_up;
	struct rb_node *rb_left;
	struct rb_node *rb_right;
};

struct rb_root {
	struct rb_node *rb_node;
};

#define RB_ROOT				{ NULL }
#define rb_entry(p, type, member)	container_of(p, type, member)
#define rb_entry_safe(p, type, member) \
	({ typeof(p) _p = (p); _p ? rb_entry(_p, type, member) : NULL; })

static inline void rb_link_node(struct rb_node *node, struct rb_node *up,
				struct rb_node **link)
{
	*node = (struct rb_node) { .rb_up = up };
	*link = node;
}

static inline void rb_insert_color(struct rb_node *node, struct rb_root *root)
{
}

static inline struct rb_node *rb_next(const struct rb_node *node)
{
	if (node->rb_right) {
		for (node = node->rb_right; node->rb_left; node = node->rb_left)
			;
		return (struct rb_node *)node;
	}
	while (node->rb_up && node == node->rb_up->rb_right)
		node = node->rb_up;
	return node->rb_up;
}

static inline struct rb_node *rb_prev(const struct rb_node *node)
{
	if (node->rb_left) {
		for (node = node->rb_left; node->rb_right; node = node->rb_right)
			;
		return (struct rb_node *)node;
	}
	while (node->rb_up && node == node->rb_up->rb_left)
		node = node->rb_up;
	return node->rb_up;
}

/* @with, which may be NULL, takes the place of @node. */
static inline void rb_put(struct rb_node *node, struct rb_node *with,
			  struct rb_root *root)
{
	if (!node->rb_up)
		root->rb_node = with;
	else if (node->rb_up->rb_left == node)
		node->rb_up->rb_left = with;
	else
		node->rb_up->rb_right = with;
	if (with)
		with->rb_up = node->rb_up;
}

static inline void rb_erase(struct rb_node *node, struct rb_root *root)
{
	struct rb_node *next;

	if (!node->rb_left || !node->rb_right) {
		rb_put(node, node->rb_left ? node->rb_left : node->rb_right, root);
		return;
	}
	next = rb_next(node);
	rb_put(next, next->rb_right, root);
	rb_put(node, next, root);
	next->rb_left = node->rb_left;
	next->rb_right = node->rb_right;
	next->rb_left->rb_up = next;
	if (next->rb_right)
		next->rb_right->rb_up = next;
}

#endif
