// SPDX-License-Identifier: GPL-2.0
/*
 * What the dirty log costs: marks, and reports. The log is one that no device has
 * (selftests/bench_log), so that it can be as large as is wanted, and be filled as
 * is wanted.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "bench.h"
#include "dirty_client.h"

#define LOG_PATH	"/dev/vmdev/vmdev_bench"
#define LOG_MARK	"/sys/devices/vmdev_bench/mark"

#define LOG_PAGE	4096ULL
#define LOG_GIB		(1024ULL << 20)
#define LOG_TIB		(1024 * LOG_GIB)
/* Anywhere but at 0. */
#define LOG_IOVA	(4 * LOG_GIB)

/* Pages of a terabyte that are one in a thousand. */
#define LOG_SPARSE	(LOG_TIB / LOG_PAGE / 1000)
/* So many pages on, the next one of those is: anywhere, and each but once. */
#define LOG_SCATTER	165906573ULL

/* Pages that are marked to learn what a mark costs. */
#define LOG_MARKS	4096

/* Starts to log a range; the log lives as long as what is returned. */
int log_start(const char *path, __u64 iova, __u64 length)
{
	const struct vmdev_dirty_iova_range range = { iova, length };
	__u64 page_size = LOG_PAGE;
	int fd = dirty_open(path);

	check(path, fd);
	check("START", dirty_start(fd, 0, &page_size, &range, 1));
	if (page_size != LOG_PAGE)
		die("page size of the log", -ERANGE);
	return fd;
}

void log_report(int fd, __u64 iova, __u64 length, __u64 *bitmap)
{
	check("REPORT", dirty_report(fd, 0, iova, length, LOG_PAGE, bitmap));
}

/* Marks pages, @step pages apart, around in @length bytes; what each took. */
static double mark(__u64 count, __u64 step, __u64 length)
{
	int fd = open(LOG_MARK, O_RDWR | O_CLOEXEC);
	char text[128];
	int n = snprintf(text, sizeof(text), "%llu %llu %llu %llu", LOG_IOVA, count,
			 step * LOG_PAGE, length);
	double cycles;

	if (fd < 0 || write(fd, text, n) != n)
		die(LOG_MARK, -errno);
	n = pread(fd, text, sizeof(text) - 1, 0);
	if (n <= 0)
		die(LOG_MARK, -errno);
	text[n] = '\0';
	if (sscanf(text, "%lf", &cycles) != 1)
		die(LOG_MARK, -EINVAL);
	close(fd);
	return cycles / count;
}

static __u64 *bitmap_alloc(__u64 length)
{
	void *p = mmap(NULL, length / LOG_PAGE / 8, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

	if (p == MAP_FAILED)
		die("bitmap", -errno);
	return p;
}

/* One report; @n pages must be in it, and none when it is asked for again. */
static double read_log(int fd, __u64 length, __u64 *bitmap, __u64 n)
{
	__u64 i, words = length / LOG_PAGE / 64, count = 0;
	struct meter m;
	double cost;

	memset(bitmap, 0, words * sizeof(*bitmap));
	meter_begin(&m);
	log_report(fd, LOG_IOVA, length, bitmap);
	cost = meter_end(&m);
	for (i = 0; i < words; i++)
		count += __builtin_popcountll(bitmap[i]);
	if (count != n)
		die("pages in a report", -EBADMSG);
	return cost;
}

static void bench_marks(unsigned int rounds)
{
	__u64 *bitmap = bitmap_alloc(LOG_GIB);
	struct meter_set fresh, again;
	unsigned int i;
	int fd = log_start(LOG_PATH, LOG_IOVA, LOG_GIB);

	meter_set_init(&fresh, rounds);
	meter_set_init(&again, rounds);
	for (i = 0; i < rounds; i++) {
		meter_add(&fresh, mark(LOG_MARKS, 1, LOG_GIB));
		meter_add(&again, mark(LOG_MARKS, 1, LOG_GIB));
		read_log(fd, LOG_GIB, bitmap, LOG_MARKS);
	}
	meter_report(&fresh, "mark-new");
	meter_report(&again, "mark-dirty");
	close(fd);
	munmap(bitmap, LOG_GIB / LOG_PAGE / 8);
}

static void bench_report(const char *name, __u64 length, __u64 n, __u64 step,
			 unsigned int rounds)
{
	__u64 *bitmap = bitmap_alloc(length);
	int fd = log_start(LOG_PATH, LOG_IOVA, length);
	struct meter_set set;
	unsigned int i;

	meter_set_init(&set, rounds);
	for (i = 0; i < rounds; i++) {
		if (n)
			mark(n, step, length);
		meter_add(&set, read_log(fd, length, bitmap, n));
	}
	meter_report(&set, name);
	close(fd);
	munmap(bitmap, length / LOG_PAGE / 8);
}

void case_log(const struct bench *b)
{
	unsigned int rounds = b->rounds < 5 ? b->rounds : 5;

	bench_marks(b->rounds);
	bench_report("report-dense", LOG_GIB, LOG_GIB / LOG_PAGE, 1, rounds);
	bench_report("report-none", LOG_TIB, 0, 0, rounds);
	bench_report("report-runs", LOG_TIB, LOG_SPARSE, 1, rounds);
	bench_report("report-sparse", LOG_TIB, LOG_SPARSE, LOG_SCATTER, rounds);
}
