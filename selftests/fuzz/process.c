// SPDX-License-Identifier: GPL-2.0
/*
 * Other processes: children that inherit a device, die with it, or hold it
 * while it is to be deleted.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fuzz.h"

/* How long a child may take before it counts as stuck. */
#define CHILD_MS	120000

/* How long a delete needs to get to where it waits. */
#define DELETE_US	5000

/* A child that is told by nobody does not outlive us, or its time. */
static void child_begin(void)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	alarm(CHILD_MS / 1000);
}

static void child_run(struct fz_program *prog)
{
	struct fz_thread th;
	unsigned int i;

	fz_thread_init(&th, true);
	for (i = 0; i < prog->n; i++)
		prog->call[i].op->run(&th, &prog->call[i]);
}

static long child_wait(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	return WIFEXITED(status) ? 0 : -EINTR;
}

static void gen_child(struct fz_rng *rng, struct fz_call *call)
{
	call->a[0] = fz_next(rng);
	call->a[1] = 1 + fz_below(rng, 24);
}

/* The child has the files, but not the memory that vhost knows. */
static long run_inherit(struct fz_thread *th, const struct fz_call *call)
{
	struct fz_rng rng = { .state = call->a[0] };
	unsigned int n = call->a[1] % 32;
	struct fz_program prog = { 0 };
	pid_t pid;

	(void)th;
	while (prog.n < n)
		fz_call_random(&rng, &prog.call[prog.n++], FZ_RACE, call->target);
	pid = fork();
	if (!pid) {
		child_begin();
		child_run(&prog);
		_exit(0);
	}
	return pid < 0 ? -errno : child_wait(pid);
}

static void child_kicks(const struct fz_target *t)
{
	__u64 one = 1;
	unsigned int i;

	for (i = 0;; i++) {
		if (write(t->kick[i % 3], &one, sizeof(one)) < 0)
			(void)!read(t->kick[i % 3], &one, sizeof(one));
		one = 1;
		usleep(100);
	}
}

/* The child opens the device, runs it, and is killed in the middle of it. */
static long run_killed(struct fz_thread *th, const struct fz_call *call)
{
	struct fz_target *t = fz_target(call);
	struct fz_rng rng = { .state = call->a[0] };
	struct fz_program prog = { 0 };
	struct pollfd p = { .events = POLLIN };
	int ready[2];
	pid_t pid;
	long ret;

	(void)th;
	fz_target_close(t);
	ret = fz_target_ready(t);
	if (ret)
		return ret;
	fz_program_bring_up(&rng, &prog, call->target, call->a[1] & 1 ? 30 : 0);
	if (pipe2(ready, O_CLOEXEC))
		return -errno;
	pid = fork();
	if (!pid) {
		child_begin();
		child_run(&prog);
		(void)!write(ready[1], "", 1);
		child_kicks(t);
	}
	close(ready[1]);
	p.fd = ready[0];
	if (pid > 0) {
		if (poll(&p, 1, CHILD_MS) > 0 && call->a[1] & 2)
			usleep(fz_below(&rng, 2000));
		kill(pid, SIGKILL);
		child_wait(pid);
	}
	close(ready[0]);
	return pid < 0 ? -errno : 0;
}

/* The device is deleted while we hold it: we go on, then let go. */
static long run_held_delete(struct fz_thread *th, const struct fz_call *call)
{
	struct fz_target *t = fz_target(call);
	struct fz_rng rng = { .state = call->a[0] };
	unsigned int i, n = call->a[1] % 32;
	struct fz_call other;
	pid_t pid;
	long ret;

	ret = t->fd < 0 ? fz_target_open(t, O_RDWR) : 0;
	if (ret)
		return ret;
	pid = fork();
	if (!pid) {
		child_begin();
		/* What it inherited would hold the device too. */
		for (i = 0; i < fz_ntargets; i++)
			fz_target_close(&fz_targets[i]);
		close_range(3, ~0U, 0);
		_exit(fz_netlink_init() || fz_netlink_del(t));
	}
	if (pid < 0)
		return -errno;
	/* It has no way to tell us that it waits. */
	usleep(DELETE_US);
	for (i = 0; i < n; i++) {
		fz_call_random(&rng, &other, FZ_RACE, call->target);
		other.op->run(th, &other);
	}
	fz_target_close(t);
	ret = child_wait(pid);
	fz_target_look(t);
	return ret;
}

struct fz_op fz_process_ops[] = {
	FZ_OP("child_inherits", 2, FZ_SLOW, gen_child, run_inherit, 0),
	FZ_OP("child_killed", 2, FZ_SLOW, gen_child, run_killed, 0),
	FZ_OP("held_delete", 1, FZ_SLOW, gen_child, run_held_delete, 0),
	{ 0 }
};
