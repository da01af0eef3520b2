// SPDX-License-Identifier: GPL-2.0
/*
 * Moves the queues of running vDPA devices between their paths:
 *
 *	moves [-o] [-w SECONDS] TIMES NAME...
 *
 * Each device goes to shadow and back so many times, by its policy or, one time in
 * four, by a dirty log that starts and ends. Each time all queues that are on have to
 * be where they should be: in shadow at once, direct at once or within SECONDS.
 * With -o they go to shadow only, by the log, which then ends.
 * Prints "MOVES NAME N" for each, N being moves that were seen.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "dirty_client.h"

#define BY_LOG		4
#define SPACE		"\n "
/* Between moves: whatever traffic there is shall get from one to the next. */
#define PAUSE_US	2000
#define LOOK_US		10000

static const struct vmdev_dirty_iova_range range = { 0, 1 << 20 };
static unsigned int patience;
static unsigned long times;
static int one_way;

static void fail(const char *name, const char *what, int err)
{
	printf("FAILED %s: %s: %s\n", name, what, strerror(-err));
	exit(1);
}

static int attribute(const char *name, const char *file, int flags)
{
	char path[300];
	int fd;

	snprintf(path, sizeof(path), "/sys/bus/vdpa/devices/%s/vmdev/%s", name, file);
	fd = open(path, flags);
	if (fd < 0)
		fail(name, file, -errno);
	return fd;
}

static int try_policy(const char *name, const char *word)
{
	int fd = attribute(name, "policy", O_WRONLY), err = 0;

	if (write(fd, word, strlen(word)) < 0)
		err = -errno;
	close(fd);
	return err;
}

static void policy(const char *name, const char *word)
{
	int err = try_policy(name, word);

	if (err)
		fail(name, word, err);
}

/* Is there a queue that is on, and is each such on @path? Of what hardware has, that is. */
static int all_are(const char *name, const char *path)
{
	int fd = attribute(name, "paths", O_RDONLY), on = 0;
	char paths[1000], *word;
	ssize_t n = read(fd, paths, sizeof(paths) - 1);

	close(fd);
	if (n <= 0)
		fail(name, "paths", n ? -errno : -EIO);
	paths[n] = 0;
	for (word = strtok(paths, SPACE); word; word = strtok(NULL, SPACE)) {
		if (!strcmp(word, "off") || !strcmp(word, "software"))
			continue;
		if (strcmp(word, path))
			return 0;
		on = 1;
	}
	return on;
}

static void become(const char *name, const char *path, unsigned int seconds)
{
	time_t end = time(NULL) + seconds;

	while (!all_are(name, path)) {
		if (time(NULL) >= end)
			fail(name, path, -ETIME);
		usleep(LOOK_US);
	}
}

static void pause_a_little(void)
{
	usleep(rand() % PAUSE_US);
}

static void by_log(const char *name)
{
	__u64 page_size = 4096;
	char path[300];
	int fd, ret;

	snprintf(path, sizeof(path), "/dev/vmdev/%s", name);
	fd = dirty_open(path);
	ret = fd < 0 ? fd : dirty_start(fd, 0, &page_size, &range, 1);
	if (ret)
		fail(name, "START", ret);
	become(name, "shadow", 0);
	pause_a_little();
	/* What nobody would see must not run, and nothing comes of asking for it. */
	ret = try_policy(name, "direct");
	if (ret != -EOPNOTSUPP)
		fail(name, "direct while it is logged", ret);
	become(name, "shadow", 0);
	ret = dirty_stop(fd, 0);
	if (ret)
		fail(name, "STOP", ret);
	close(fd);
}

static void there_and_back(const char *name, unsigned long i)
{
	if (one_way) {
		by_log(name);
		return;
	}
	if (i % BY_LOG == BY_LOG - 1) {
		policy(name, "auto");
		by_log(name);
	} else {
		policy(name, "shadow");
		become(name, "shadow", 0);
		pause_a_little();
		policy(name, i % 2 ? "direct" : "auto");
	}
	become(name, "direct", patience);
	pause_a_little();
}

int main(int argc, char **argv)
{
	unsigned long i;
	int opt, n;

	setvbuf(stdout, NULL, _IOLBF, 0);
	while ((opt = getopt(argc, argv, "ow:")) == 'w' || opt == 'o') {
		if (opt == 'o')
			one_way = 1;
		else
			patience = atoi(optarg);
	}
	if (opt != -1 || optind + 2 > argc) {
		fprintf(stderr, "usage: moves [-o] [-w SECONDS] TIMES NAME...\n");
		return 2;
	}
	times = strtoul(argv[optind++], NULL, 0);
	srand(20260731);

	for (i = 0; i < times; i++)
		for (n = optind; n < argc; n++)
			there_and_back(argv[n], i);
	for (n = optind; n < argc; n++)
		printf("MOVES %s %lu\n", argv[n], (one_way ? 1 : 2) * times);
	return 0;
}
