// SPDX-License-Identifier: GPL-2.0
/*
 * Runs the suites of selftests/kunit in user space, and the same TAP as other
 * tests come of it. The parts of the drivers that they cannot do without are
 * stood in for here.
 */
#include <kunit/test.h>
#include <signal.h>
#include <sys/wait.h>

#include "../../drivers/irq/vmdev_irq.h"

/* Seconds that a case may take. */
#define KUNIT_LIMIT	60

static struct kunit_suite *suites;

int vmdev_irq_check_isolation(struct device *dev)
{
	return 0;
}

void vmdev_vectors_spread(struct vmdev_vectors *vectors)
{
}

void vmdev_vector_hint(struct vmdev_vector *v, bool on)
{
}

void vmdev_vectors_settle(struct vmdev_vectors *vectors)
{
}

void vmdev_vectors_enlist(struct vmdev_vectors *vectors)
{
}

void vmdev_vectors_delist(struct vmdev_vectors *vectors)
{
}

void kunit_register(struct kunit_suite *suite)
{
	suite->next = suites;
	suites = suite;
}

static int run_case(const struct kunit_suite *suite, const struct kunit_case *kcase)
{
	struct kunit test = { 0 };

	alarm(KUNIT_LIMIT);
	if (suite->init && suite->init(&test))
		return 1;
	kcase->run(&test);
	if (suite->exit)
		suite->exit(&test);
	while (test.n_allocs)
		free(test.allocs[--test.n_allocs]);
	return test.failed;
}

/* In a process of its own, which ends as others do: leaks count. */
static bool passes(const struct kunit_suite *suite, const struct kunit_case *kcase)
{
	int status;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (!pid)
		exit(run_case(suite, kcase));
	return pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status) &&
	       !WEXITSTATUS(status);
}

int main(void)
{
	unsigned int planned = 0, nr = 0, failed = 0;
	const struct kunit_suite *suite;
	const struct kunit_case *kcase;

	for (suite = suites; suite; suite = suite->next)
		for (kcase = suite->test_cases; kcase->run; kcase++)
			planned++;
	printf("TAP version 13\n1..%u\n", planned);
	for (suite = suites; suite; suite = suite->next) {
		for (kcase = suite->test_cases; kcase->run; kcase++) {
			bool ok = passes(suite, kcase);

			failed += !ok;
			printf("%sok %u - %s: %s\n", ok ? "" : "not ", ++nr, suite->name,
			       kcase->name);
		}
	}
	printf("%u passed, %u failed\n", nr - failed, failed);
	return failed || !nr;
}
