// SPDX-License-Identifier: GPL-2.0
/* Counting guest instructions; see meter.h. */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "meter.h"

#define load(p)		__atomic_load_n(p, __ATOMIC_ACQUIRE)
#define store(p, value)	__atomic_store_n(p, value, __ATOMIC_RELEASE)

static const char *meter_contender;

static pthread_t idle_thread;
/* Written by one thread and read by another, on the same CPU. */
static __u64 idle_sum;
static bool idle_stop;
static void (*idle_fn)(void *arg);
static void *idle_arg;

/* A loop of known length: does the clock count instructions? */
static int meter_check(void)
{
#ifdef __x86_64__
	__u64 best = ~0ULL, start, d;
	unsigned int i;

	for (i = 0; i < 5; i++) {
		unsigned long n = 50000;

		start = meter_now();
		asm volatile("1: dec %0; jnz 1b" : "+r"(n));
		d = meter_now() - start;
		if (d < best)
			best = d;
	}
	if (best < 100000 || best > 100100) {
		fprintf(stderr, "100000 instructions took %llu ticks: not under icount\n",
			(unsigned long long)best);
		return -ENODEV;
	}
#endif
	return 0;
}

/**
 * meter_init() - make sure that instructions can be counted
 * @contender: whose they will be, for the report
 *
 * Return: 0 or a negative errno, with a line that says why.
 */
int meter_init(const char *contender)
{
	meter_contender = contender;
	return meter_check();
}

static void *idle_loop(void *unused)
{
	void (*fn)(void *arg);
	struct meter_spin s;

	(void)unused;
	meter_prio(METER_LAST);
	meter_spin_begin(&s);
	while (!load(&idle_stop)) {
		fn = load(&idle_fn);
		if (fn) {
			store(&idle_fn, NULL);
			fn(idle_arg);
		}
		meter_spin_step(&s);
		store(&idle_sum, s.idle);
	}
	return NULL;
}

/**
 * meter_idle_start() - let a thread use all time that nobody else wants
 *
 * Without it the clock jumps to the next timer when everybody sleeps.
 *
 * Return: 0 or a negative errno.
 */
int meter_idle_start(void)
{
	store(&idle_stop, false);
	store(&idle_sum, 0);
	return -pthread_create(&idle_thread, NULL, idle_loop, NULL);
}

/**
 * meter_idle_do() - do something as soon as everybody sleeps
 * @fn: what
 * @arg: passed to it
 *
 * What a caller sets off before it sleeps may be done before it sleeps.
 */
void meter_idle_do(void (*fn)(void *arg), void *arg)
{
	idle_arg = arg;
	store(&idle_fn, fn);
}

/* Instructions that nobody wanted so far. */
__u64 meter_idle(void)
{
	return load(&idle_sum);
}

void meter_idle_stop(void)
{
	store(&idle_stop, true);
	pthread_join(idle_thread, NULL);
}

/* Of the calling thread. */
void meter_prio(enum meter_prio prio)
{
	static const int policy[] = { SCHED_FIFO, SCHED_OTHER, SCHED_IDLE };
	struct sched_param param = { .sched_priority = prio == METER_FIRST };

	if (sched_setscheduler(0, policy[prio], &param)) {
		perror("sched_setscheduler");
		exit(1);
	}
}

void meter_set_init(struct meter_set *set, unsigned int rounds)
{
	set->value = calloc(rounds, sizeof(*set->value));
	set->n = 0;
	set->max = rounds;
	if (!set->value) {
		perror("calloc");
		exit(1);
	}
}

void meter_add(struct meter_set *set, double value)
{
	if (set->n < set->max)
		set->value[set->n++] = value;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* A share of the sorted set, in percent. */
static double quantile(const struct meter_set *set, unsigned int percent)
{
	return set->value[(set->n - 1) * percent / 100];
}

/**
 * meter_report() - print a set as one line of JSON, and be done with it
 * @set: what was measured
 * @name: of the case, its parameters behind slashes
 */
void meter_report(struct meter_set *set, const char *name, ...)
{
	va_list args;

	if (set->n) {
		qsort(set->value, set->n, sizeof(*set->value), compare);
		printf("{\"contender\": \"%s\", \"case\": \"", meter_contender);
		va_start(args, name);
		vprintf(name, args);
		va_end(args);
		printf("\", \"median\": %.1f, \"low\": %.1f, \"high\": %.1f, \"rounds\": %u}\n",
		       quantile(set, 50), quantile(set, 10), quantile(set, 90),
		       set->n);
		fflush(stdout);
	}
	free(set->value);
	set->value = NULL;
}
