// SPDX-License-Identifier: GPL-2.0
/*
 * Coverage by KCOV: which places of the instrumented modules (vdpa, vhost and
 * ours) this task's calls came to. Without KCOV there is none, and that is all.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/kcov.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fuzz.h"

#define COV_WORDS	(128UL << 10)
#define COV_SLOTS	(64UL << 10)

static __u64 *area;
static __u64 *slots;
static unsigned int count;

/**
 * fz_cov_init() - trace this task from now on
 *
 * Return: 0; -ENOENT without KCOV; another negative errno.
 */
int fz_cov_init(void)
{
	int fd = open("/sys/kernel/debug/kcov", O_RDWR | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	if (ioctl(fd, KCOV_INIT_TRACE, COV_WORDS))
		return -errno;
	slots = calloc(COV_SLOTS, sizeof(*slots));
	area = mmap(NULL, COV_WORDS * sizeof(*area), PROT_READ | PROT_WRITE,
		    MAP_SHARED, fd, 0);
	if (area == MAP_FAILED || !slots || ioctl(fd, KCOV_ENABLE, KCOV_TRACE_PC)) {
		area = NULL;
		return -errno;
	}
	return 0;
}

/** fz_cov_start() - a call comes */
void fz_cov_start(void)
{
	if (area)
		__atomic_store_n(&area[0], 0, __ATOMIC_RELAXED);
}

static bool slot_set(__u64 pc)
{
	unsigned long i = (pc * 0x9e3779b97f4a7c15ULL) >> 48;

	while (slots[i] && slots[i] != pc)
		i = (i + 1) % COV_SLOTS;
	if (slots[i] || count >= COV_SLOTS - 1)
		return false;
	slots[i] = pc;
	count++;
	return true;
}

/**
 * fz_cov_stop() - a call was made
 *
 * Return: how many places were new.
 */
unsigned int fz_cov_stop(void)
{
	__u64 n, i, last = 0;
	unsigned int fresh = 0;

	if (!area)
		return 0;
	n = __atomic_load_n(&area[0], __ATOMIC_RELAXED);
	for (i = 1; i <= n && i < COV_WORDS; i++) {
		if (area[i] == last)
			continue;
		last = area[i];
		fresh += slot_set(last);
	}
	return fresh;
}

/** fz_cov_count() - how many places were reached in all */
unsigned int fz_cov_count(void)
{
	return count;
}

struct module {
	char name[64];
	__u64 start, end;
	unsigned int reached;
};

static unsigned int read_modules(struct module *modules, unsigned int max)
{
	FILE *file = fopen("/proc/modules", "r");
	unsigned int n = 0;
	char line[512];

	while (file && n < max && fgets(line, sizeof(line), file)) {
		unsigned long long size, start;
		struct module *m = &modules[n];

		if (sscanf(line, "%63s %llu %*s %*s %*s %llx", m->name, &size,
			   &start) != 3)
			continue;
		m->start = start;
		m->end = start + size;
		n++;
	}
	if (file)
		fclose(file);
	return n;
}

/**
 * fz_cov_report() - say how many places of each module were reached
 * @path: file for the places themselves, "MODULE OFFSET" lines; or NULL
 */
void fz_cov_report(const char *path)
{
	FILE *file = path && count ? fopen(path, "w") : NULL;
	struct module modules[64] = { 0 };
	unsigned int i, n = read_modules(modules, ARRAY_SIZE(modules));
	unsigned long s;

	for (s = 0; count && s < COV_SLOTS; s++) {
		for (i = 0; i < n && slots[s]; i++) {
			struct module *m = &modules[i];

			if (slots[s] < m->start || slots[s] >= m->end)
				continue;
			m->reached++;
			if (file)
				fprintf(file, "%s %#llx\n", m->name,
					(unsigned long long)(slots[s] - m->start));
		}
	}
	if (file)
		fclose(file);
	for (i = 0; i < n; i++)
		if (modules[i].reached)
			fz_say("coverage: %s %u", modules[i].name,
			       modules[i].reached);
}
