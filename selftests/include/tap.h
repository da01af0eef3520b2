/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A small TAP harness. Every test runs in a child of its own and against a
 * clock, so that a hang in the kernel becomes one "not ok" and not a lost run.
 *
 * One source file of a program defines TAP_MAIN before it includes this
 * header; all others only register tests and use the checks.
 *
 *	TAP_TEST(name, 0)
 *	{
 *		CHECK_OK(some_call());
 *		CHECK_ERR(other_call(), -EINVAL);
 *	}
 */
#ifndef VMDEV_TAP_H
#define VMDEV_TAP_H

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TAP_ATTR __attribute__

/* Exit codes of a test's child; 4 is what kselftest takes for a skip. */
enum tap_code {
	TAP_PASS = 0,
	TAP_FAIL = 1,
	TAP_SKIP = 4,
};

/**
 * struct tap_test - one registered test
 * @name: what is printed and what the command line selects
 * @flags: meaning is the program's; see &tap_config.skip_flags
 * @fn: the body; returning is passing
 * @next: in order of registration
 */
struct tap_test {
	const char *name;
	unsigned int flags;
	void (*fn)(void);
	struct tap_test *next;
};

/**
 * struct tap_config - how a run is made
 * @timeout: seconds a test may take
 * @skip_flags: tests with any of these flags are skipped
 * @skip_reason: why
 */
struct tap_config {
	unsigned int timeout;
	unsigned int skip_flags;
	const char *skip_reason;
};

/* Written by the child, read by the runner. */
struct tap_verdict {
	char reason[512];
};

extern struct tap_verdict *tap_verdict;
/* In a test's child: the test, for programs that run many by one function. */
extern const struct tap_test *tap_current;

void tap_register(struct tap_test *test);
void tap_list(char **names);
int tap_run(const struct tap_config *config, char **names);

#define TAP_TEST(_name, _flags)						\
	static void _name##_body(void);					\
	static struct tap_test _name##_entry = {			\
		.name = #_name, .flags = (_flags), .fn = _name##_body,	\
	};								\
	static void TAP_ATTR((constructor)) _name##_register(void)	\
	{								\
		tap_register(&_name##_entry);				\
	}								\
	static void _name##_body(void)

/* Ends the test's child with a verdict and the words for it. */
static inline void TAP_ATTR((noreturn, format(printf, 2, 3)))
tap_finish(enum tap_code code, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(tap_verdict->reason, sizeof(tap_verdict->reason), fmt, args);
	va_end(args);
	fflush(stdout);
	_exit(code);
}

/* A remark in the output. */
static inline void TAP_ATTR((format(printf, 1, 2)))
tap_note(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	printf("# ");
	vprintf(fmt, args);
	printf("\n");
	va_end(args);
	fflush(stdout);
}

static inline void tap_check_result(long got, long want, const char *what,
				    const char *file, int line)
{
	if (got == want)
		return;
	tap_finish(TAP_FAIL, "%s:%d: %s gave %ld (%s), not %ld", file, line,
		   what, got, got < 0 ? strerror(-got) : "no error", want);
}

#define SKIP(...) tap_finish(TAP_SKIP, __VA_ARGS__)
#define FAIL(fmt, ...)							\
	tap_finish(TAP_FAIL, "%s:%d: " fmt, __FILE__, __LINE__, ##__VA_ARGS__)

#define CHECK(cond, fmt, ...)						\
	do {								\
		if (!(cond))						\
			FAIL("!(" #cond "): " fmt, ##__VA_ARGS__);	\
	} while (0)

/* The call must give 0. */
#define CHECK_OK(call)							\
	tap_check_result((call), 0, #call, __FILE__, __LINE__)

/* The call must give exactly this. */
#define CHECK_IS(call, want)						\
	tap_check_result((call), (want), #call, __FILE__, __LINE__)

/* The call must give exactly this negative errno. */
#define CHECK_ERR(call, err)						\
	tap_check_result((call), (err), #call, __FILE__, __LINE__)

/* The call must give some negative errno. */
#define CHECK_FAILS(call)						\
	do {								\
		long _r = (call);					\
									\
		if (_r >= 0)						\
			FAIL("%s gave %ld, not an error", #call, _r);	\
	} while (0)

#ifdef TAP_MAIN

#include <fcntl.h>
#include <fnmatch.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif

/* How long a killed child may take to die before it counts as stuck. */
#define TAP_KILL_MS 10000

struct tap_verdict *tap_verdict;
const struct tap_test *tap_current;
static struct tap_test *tap_first;
static struct tap_test **tap_last = &tap_first;

void tap_register(struct tap_test *test)
{
	*tap_last = test;
	tap_last = &test->next;
}

static bool tap_selected(const struct tap_test *test, char **names)
{
	if (!names || !*names)
		return true;
	for (; *names; names++)
		if (!fnmatch(*names, test->name, 0))
			return true;
	return false;
}

/* Prints what tap_run() would run. */
void tap_list(char **names)
{
	struct tap_test *test;

	for (test = tap_first; test; test = test->next)
		if (tap_selected(test, names))
			printf("%s\n", test->name);
}

/* Shows where a child that does not end is waiting. */
static void tap_dump_stack(pid_t pid)
{
	char path[64], line[256];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/stack", pid);
	f = fopen(path, "r");
	if (!f)
		return;
	while (fgets(line, sizeof(line), f))
		printf("# %s", line);
	fclose(f);
}

/* True when the child ended within the time. */
static bool tap_ended(int pidfd, int ms)
{
	struct pollfd p = { .fd = pidfd, .events = POLLIN };
	int r;

	do {
		r = poll(&p, 1, ms);
	} while (r < 0 && errno == EINTR);
	return r > 0;
}

static int tap_timed_out(pid_t pid, int pidfd, unsigned int timeout)
{
	const char *how = "";

	tap_dump_stack(pid);
	kill(-pid, SIGKILL);
	kill(pid, SIGKILL);
	if (tap_ended(pidfd, TAP_KILL_MS))
		waitpid(pid, NULL, 0);
	else
		how = " and cannot be killed";
	snprintf(tap_verdict->reason, sizeof(tap_verdict->reason),
		 "still running after %u s%s", timeout, how);
	return TAP_FAIL;
}

static int tap_status_to_code(int status)
{
	if (WIFEXITED(status)) {
		int code = WEXITSTATUS(status);

		return code == TAP_PASS || code == TAP_SKIP ? code : TAP_FAIL;
	}
	snprintf(tap_verdict->reason, sizeof(tap_verdict->reason),
		 "killed by signal %d", WTERMSIG(status));
	return TAP_FAIL;
}

static int tap_run_child(const struct tap_test *test, unsigned int timeout)
{
	int status, pidfd, code;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid < 0)
		return TAP_FAIL;
	if (!pid) {
		setpgid(0, 0);
		tap_current = test;
		test->fn();
		tap_finish(TAP_PASS, "%s", "");
	}
	pidfd = syscall(SYS_pidfd_open, pid, 0);
	if (pidfd >= 0 && !tap_ended(pidfd, timeout * 1000)) {
		code = tap_timed_out(pid, pidfd, timeout);
	} else {
		waitpid(pid, &status, 0);
		code = tap_status_to_code(status);
	}
	if (pidfd >= 0)
		close(pidfd);
	return code;
}

static int tap_run_test(const struct tap_test *test,
			const struct tap_config *config, unsigned int nr)
{
	const char *reason = tap_verdict->reason;
	int code = TAP_SKIP;

	tap_verdict->reason[0] = '\0';
	if (test->flags & config->skip_flags)
		reason = config->skip_reason;
	else
		code = tap_run_child(test, config->timeout);

	if (code == TAP_PASS)
		printf("ok %u - %s\n", nr, test->name);
	else if (code == TAP_SKIP)
		printf("ok %u - %s # SKIP %s\n", nr, test->name, reason);
	else
		printf("not ok %u - %s # %s\n", nr, test->name, reason);
	fflush(stdout);
	return code;
}

static unsigned int tap_plan(char **names)
{
	unsigned int n = 0;
	struct tap_test *test;

	for (test = tap_first; test; test = test->next)
		n += tap_selected(test, names);
	printf("TAP version 13\n1..%u\n", n);
	return n;
}

static int tap_totals(const unsigned int *count)
{
	printf("# Totals: pass:%u fail:%u skip:%u\n",
	       count[TAP_PASS], count[TAP_FAIL], count[TAP_SKIP]);
	printf("%u passed, %u failed", count[TAP_PASS], count[TAP_FAIL]);
	if (count[TAP_SKIP])
		printf(", %u skipped", count[TAP_SKIP]);
	printf("\n");
	return count[TAP_FAIL] ? 1 : 0;
}

/**
 * tap_run() - run the tests
 * @config: how
 * @names: NULL-terminated list of names or shell patterns; empty means all
 *
 * Return: the exit status of the program.
 */
int tap_run(const struct tap_config *config, char **names)
{
	unsigned int count[TAP_SKIP + 1] = { 0 }, nr = 0;
	struct tap_test *test;

	tap_verdict = mmap(NULL, sizeof(*tap_verdict), PROT_READ | PROT_WRITE,
			   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (tap_verdict == MAP_FAILED) {
		perror("mmap");
		return 1;
	}
	if (!tap_plan(names)) {
		fprintf(stderr, "no test of that name; see --list\n");
		return 1;
	}
	for (test = tap_first; test; test = test->next)
		if (tap_selected(test, names))
			count[tap_run_test(test, config, ++nr)]++;
	return tap_totals(count);
}

#endif /* TAP_MAIN */
#endif /* VMDEV_TAP_H */
