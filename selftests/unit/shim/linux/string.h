/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _SHIM_LINUX_STRING_H
#define _SHIM_LINUX_STRING_H

#include <errno.h>
#include <string.h>

/* A newline at the end is as good as none. */
static inline int shim_match_string(const char * const *words, size_t n, const char *word)
{
	size_t i, len = strcspn(word, "\n");

	for (i = 0; i < n; i++)
		if (strlen(words[i]) == len && !strncmp(words[i], word, len))
			return i;
	return -EINVAL;
}

/* The first byte that is another one. */
static inline void *memchr_inv(const void *start, int c, size_t len)
{
	const unsigned char *p = start;

	for (; len; p++, len--)
		if (*p != (unsigned char)c)
			return (void *)p;
	return NULL;
}

#define sysfs_match_string(words, word)		\
	shim_match_string(words, sizeof(words) / sizeof((words)[0]), word)

#endif
