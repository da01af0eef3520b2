// SPDX-License-Identifier: GPL-2.0
/*
 * A worker makes the calls, its supervisor sees to it that it gets on, and
 * says what it was doing if it does not. The worker reads the kernel's log.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "fuzz.h"

struct fz_shared *fz_shared;

static int log_fd = -1;

/**
 * fz_now() - a clock, in nanoseconds
 */
__u64 fz_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ULL + ts.tv_nsec;
}

/**
 * fz_say() - a line of output, a remark of TAP
 * @fmt: as of printf
 */
void fz_say(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	printf("# ");
	vprintf(fmt, args);
	printf("\n");
	va_end(args);
	fflush(stdout);
}

/**
 * fz_watch_init() - before the worker is made
 *
 * Return: 0 or a negative errno.
 */
int fz_watch_init(void)
{
	fz_shared = mmap(NULL, sizeof(*fz_shared), PROT_READ | PROT_WRITE,
			 MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (fz_shared == MAP_FAILED)
		return -errno;
	log_fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (log_fd < 0)
		return -errno;
	lseek(log_fd, 0, SEEK_END);
	return 0;
}

/* What must never be in the log. DMA that the IOMMU stopped may be. */
static bool is_splat(const char *line)
{
	static const char * const words[] = {
		"BUG:", "WARNING:", "Oops", "KASAN", "UBSAN", "Call Trace",
		"kmemleak:", "INFO: task", "blocked for more than",
		"general protection", "possible recursive", "possible circular",
		"refcount_t", "list_add corruption", "list_del corruption",
		"sleeping function", "scheduling while atomic", "soft lockup",
		"unable to handle", "DMA-API:",
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(words); i++)
		if (strstr(line, words[i]))
			return true;
	return false;
}

/**
 * fz_watch_log() - did the kernel complain since the last time?
 * @why: its words
 * @size: of them
 */
bool fz_watch_log(char *why, size_t size)
{
	static char line[8192];
	ssize_t n;

	for (;;) {
		n = read(log_fd, line, sizeof(line) - 1);
		if (n < 0 && errno == EPIPE)
			continue;
		if (n <= 0)
			return false;
		line[n] = '\0';
		if (!is_splat(line))
			continue;
		snprintf(why, size, "the kernel said: %s",
			 strchr(line, ';') ? strchr(line, ';') + 1 : line);
		return true;
	}
}

/**
 * fz_watch_note() - a call is about to be made
 * @call: the call
 */
void fz_watch_note(const struct fz_call *call)
{
	const __u64 words[] = {
		(call->op->name[0] << 8) | strlen(call->op->name), call->target,
		call->ptr, call->a[0], call->a[1], call->a[2], call->a[3],
		call->a[4],
	};
	unsigned int i;

	fz_shared->last[fz_shared->calls % ARRAY_SIZE(fz_shared->last)] = *call;
	fz_shared->calls++;
	fz_shared->beat++;
	for (i = 0; i < ARRAY_SIZE(words); i++)
		fz_shared->digest = (fz_shared->digest ^ words[i]) * 0x100000001b3ULL;
}

static void show_last(void)
{
	__u64 n = ARRAY_SIZE(fz_shared->last), i = fz_shared->calls;
	char text[256];

	fz_say("the last calls, of %llu in %llu programs:",
	       (unsigned long long)fz_shared->calls,
	       (unsigned long long)fz_shared->programs);
	for (i = i > n ? i - n : 0; i < fz_shared->calls; i++) {
		fz_call_text(text, sizeof(text), &fz_shared->last[i % n]);
		fz_say("%llu: %s", (unsigned long long)i, text);
	}
}

/* Where in the kernel are all threads of our processes? */
static void show_stacks(pid_t pid)
{
	char command[256];

	snprintf(command, sizeof(command),
		 "for p in %d $(cat /proc/%d/task/*/children); do for t in /proc/$p/task/*; do echo \"# $t:\"; sed 's/^/#   /' $t/stack; done; done",
		 pid, pid);
	if (system(command))
		fz_say("no stacks");
}

static int worker_end(pid_t pid, int status)
{
	waitpid(pid, &status, 0);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return 0;
	if (WIFEXITED(status))
		fz_say("FAILED: %s", fz_shared->verdict[0] ? fz_shared->verdict :
		       "the worker gave up");
	else
		fz_say("FAILED: the worker was killed by signal %d",
		       WTERMSIG(status));
	show_last();
	return 1;
}

/**
 * fz_watch() - run the worker, and watch it
 * @worker: what it does; its result is the exit status
 * @stuck_seconds: without a call that long it is stuck
 *
 * Return: 0; 1 if it failed or did not get on.
 */
int fz_watch(int (*worker)(void), unsigned int stuck_seconds)
{
	__u64 beat = 0, since = fz_now();
	struct pollfd p = { .events = POLLIN };
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (!pid)
		exit(worker());
	if (pid < 0)
		return 1;
	p.fd = syscall(SYS_pidfd_open, pid, 0);
	while (poll(&p, 1, 1000) <= 0) {
		if (beat != __atomic_load_n(&fz_shared->beat, __ATOMIC_RELAXED)) {
			beat = __atomic_load_n(&fz_shared->beat, __ATOMIC_RELAXED);
			since = fz_now();
		}
		if (fz_now() - since < stuck_seconds * 1000000000ULL)
			continue;
		fz_say("FAILED: no call returned for %u s", stuck_seconds);
		show_last();
		show_stacks(pid);
		kill(pid, SIGKILL);
		return 1;
	}
	return worker_end(pid, 0);
}
