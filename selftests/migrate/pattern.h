/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Contents that can be told from any others: what a word is follows from where it is.
 */
#ifndef _MIGRATE_PATTERN_H
#define _MIGRATE_PATTERN_H

#include <linux/types.h>

/* A word of the pattern @seed (splitmix64). */
static inline __u64 pattern(__u64 seed, __u64 index)
{
	__u64 z = seed * 0xd1342543de82ef95ull + index * 0x9e3779b97f4a7c15ull;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
	return z ^ (z >> 31);
}

#endif
