/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _SHIM_LINUX_LIST_H
#define _SHIM_LINUX_LIST_H

#include <linux/types.h>

struct list_head {
	struct list_head *next;
	struct list_head *prev;
};

static inline void INIT_LIST_HEAD(struct list_head *list)
{
	list->next = list;
	list->prev = list;
}

static inline void list_add_tail(struct list_head *entry, struct list_head *list)
{
	entry->next = list;
	entry->prev = list->prev;
	list->prev->next = entry;
	list->prev = entry;
}

static inline void list_del(struct list_head *entry)
{
	entry->next->prev = entry->prev;
	entry->prev->next = entry->next;
}

static inline bool list_empty(const struct list_head *list)
{
	return list->next == list;
}

#define list_entry_is_head(pos, head, member)	(&(pos)->member == (head))

#define list_for_each_entry(pos, head, member)					\
	for (pos = container_of((head)->next, typeof(*(pos)), member);		\
	     &(pos)->member != (head);						\
	     pos = container_of((pos)->member.next, typeof(*(pos)), member))

#define list_for_each_entry_safe(pos, n, head, member)				\
	for (pos = container_of((head)->next, typeof(*(pos)), member),		\
	     n = container_of((pos)->member.next, typeof(*(pos)), member);	\
	     &(pos)->member != (head);						\
	     pos = n, n = container_of((pos)->member.next, typeof(*(pos)), member))

#endif
