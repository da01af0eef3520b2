// SPDX-License-Identifier: GPL-2.0
/* Sessions: whose they are, when they end, and what they cost. */
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/wait.h>

#include "tests.h"

static __u64 active(int fd)
{
	struct vmdev_dirty_info info;

	CHECK_OK(dirty_info(fd, &info));
	return info.active;
}

TAP_TEST(order, 0)
{
	int fd = test_open();

	CHECK_ERR(report(fd, 0), -ENOENT);
	CHECK_ERR(dirty_stop(fd, 0), -ENOENT);
	CHECK_OK(start(fd, 0));
	CHECK_ERR(start(fd, 0), -EBUSY);
	CHECK_OK(report(fd, 0));
	CHECK_OK(report(fd, 0));
	CHECK_OK(dirty_stop(fd, 0));
	CHECK_ERR(report(fd, 0), -ENOENT);
	CHECK_ERR(dirty_stop(fd, 0), -ENOENT);
	CHECK_OK(start(fd, 0));
	CHECK_OK(report(fd, 0));
}

TAP_TEST(other_file, 0)
{
	int fd = test_started(), other = test_open();

	CHECK_ERR(start(other, 0), -EBUSY);
	CHECK_ERR(report(other, 0), -ENOENT);
	CHECK_ERR(dirty_stop(other, 0), -ENOENT);
	CHECK(active(other) == 1, "not active");
	close(fd);
	CHECK(active(other) == 0, "the close did not stop it");
	CHECK_OK(start(other, 0));
}

TAP_TEST(last_close, 0)
{
	int fd = test_started(), copy = dup(fd), other = test_open();

	CHECK(copy >= 0, "dup");
	close(fd);
	CHECK(active(other) == 1, "the first close stopped it");
	CHECK_OK(report(copy, 0));
	close(copy);
	CHECK(active(other) == 0, "the last close did not stop it");
}

TAP_TEST(killed, 0)
{
	int ready[2], other = test_open(), status;
	pid_t pid;
	char c;

	CHECK_OK(pipe(ready));
	pid = fork();
	if (!pid) {
		test_started();
		if (write(ready[1], "x", 1) == 1)
			pause();
		_exit(1);
	}
	CHECK_IS(read(ready[0], &c, 1), 1);
	CHECK(active(other) == 1, "not active");
	kill(pid, SIGKILL);
	CHECK_IS(waitpid(pid, &status, 0), pid);
	CHECK(active(other) == 0, "his death did not stop it");
}

static long vmalloc_kb(void)
{
	FILE *f = fopen("/proc/meminfo", "re");
	char line[128];
	long kb = -1;

	CHECK(f, "/proc/meminfo");
	while (fgets(line, sizeof(line), f))
		if (sscanf(line, "VmallocUsed: %ld", &kb) == 1)
			break;
	fclose(f);
	CHECK(kb >= 0, "no VmallocUsed");
	return kb;
}

TAP_TEST(memory_comes_back, 0)
{
	const struct vmdev_dirty_iova_range range = { 0, 1ULL << 42 };
	long before, during, after, i;
	int fd = test_open();

	before = vmalloc_kb();
	for (i = 0; i < 3; i++) {
		__u64 page_size = 2 * PAGE;

		CHECK_OK(dirty_start(fd, 0, &page_size, &range, 1));
		CHECK(page_size == 2 * PAGE, "page size %llu", page_size);
		during = vmalloc_kb() - before;
		CHECK(during > 64000 && during < 70000, "a log of 64 MiB takes %ld KiB", during);
		CHECK_OK(dirty_report(fd, 0, 0, LOG_SIZE, 2 * PAGE, bitmap));
		CHECK_OK(dirty_stop(fd, 0));
	}
	after = vmalloc_kb() - before;
	CHECK(after < 1024, "%ld KiB are left", after);
}

/* --- many at once ------------------------------------------------------------------------ */
#define ROUNDS 300

static int storm_fd;
static bool storm_bad;

/* What may come of a call beside others. */
static void storm_may(int ret, int err)
{
	if (ret && ret != err)
		__atomic_store_n(&storm_bad, true, __ATOMIC_RELAXED);
}

static void *storm_report(void *own)
{
	int i;

	for (i = 0; i < ROUNDS; i++)
		storm_may(dirty_report(storm_fd, 0, LOG_IOVA, LOG_SIZE, PAGE, own), -ENOENT);
	return NULL;
}

static void *storm_session(void *unused)
{
	int i;

	(void)unused;
	for (i = 0; i < ROUNDS; i++) {
		storm_may(start(storm_fd, 0), -EBUSY);
		storm_may(dirty_stop(storm_fd, 0), -ENOENT);
	}
	return NULL;
}

static void *storm_open(void *unused)
{
	int i, fd;

	(void)unused;
	for (i = 0; i < ROUNDS; i++) {
		fd = dirty_open(opts.path);
		if (fd < 0)
			storm_bad = true;
		storm_may(start(fd, 0), -EBUSY);
		storm_may(report(fd, 0), -ENOENT);
		close(fd);
	}
	return NULL;
}

TAP_TEST(many_at_once, 0)
{
	static __u64 own[2][LOG_PAGES / 64];
	pthread_t threads[5];
	int i;

	storm_fd = test_started();
	CHECK_OK(pthread_create(&threads[0], NULL, storm_report, own[0]));
	CHECK_OK(pthread_create(&threads[1], NULL, storm_report, own[1]));
	CHECK_OK(pthread_create(&threads[2], NULL, storm_session, NULL));
	CHECK_OK(pthread_create(&threads[3], NULL, storm_session, NULL));
	CHECK_OK(pthread_create(&threads[4], NULL, storm_open, NULL));
	for (i = 0; i < 5; i++)
		CHECK_OK(pthread_join(threads[i], NULL));
	CHECK(!storm_bad, "an error that may not be");
	dirty_stop(storm_fd, 0);
	CHECK(active(storm_fd) == 0, "still active");
}
