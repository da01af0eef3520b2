// SPDX-License-Identifier: GPL-2.0
/* Counting guest instructions; see meter.h. */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "meter.h"

#define load(p)		__atomic_load_n(p, __ATOMIC_ACQUIRE)
#define store(p, value)	__atomic_store_n(p, value, __ATOMIC_RELEASE)

static const char *meter_contender;
static const char *only;

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

static double meter_median(struct meter_set *set)
{
	qsort(set->value, set->n, sizeof(*set->value), compare);
	return quantile(set, 50);
}

/**
 * struct tick - the kernel's timer tick
 * @period: instructions from one to the next; 0 if it was not found
 * @phase: where in the period it comes
 * @cost: instructions that it takes
 */
static struct tick {
	__u64 period;
	__u64 phase;
	__u64 cost;
} tick;

/* Long enough for some of them. */
#define TICK_SEARCH	40000000ULL
#define TICK_GAPS	256

/* Shorter than any, and longer than an interrupt with nothing to do. */
#define TICK_MIN	1000

/* How exactly it comes. */
#define TICK_JITTER	10000

struct gap {
	__u64 at;
	__u64 length;
};

static unsigned int find_gaps(struct gap *gaps)
{
	struct meter_spin s;
	unsigned int n = 0;
	__u64 end, before;

	meter_spin_begin(&s);
	end = s.last + TICK_SEARCH;
	while (s.last < end && n < TICK_GAPS) {
		before = s.last;
		meter_spin_step(&s);
		if (s.last - before < TICK_MIN)
			continue;
		gaps[n].at = before;
		gaps[n].length = s.last - before;
		n++;
	}
	return n;
}

static bool aligned(__u64 at, __u64 phase, __u64 period)
{
	return (at % period + period - phase % period + TICK_JITTER) % period <
	       2 * TICK_JITTER;
}

/* Is there one of this period among the gaps? */
static bool find_tick(const struct gap *gaps, unsigned int n, __u64 period)
{
	unsigned int i, k, best = 0, count;
	struct meter_set cost;

	for (i = 0; i < n; i++) {
		for (count = 0, k = i; k < n; k++)
			count += aligned(gaps[k].at, gaps[i].at, period);
		if (count > best) {
			best = count;
			tick.phase = gaps[i].at % period;
		}
	}
	if (best < TICK_SEARCH / period * 3 / 4)
		return false;
	meter_set_init(&cost, n);
	for (i = 0; i < n; i++)
		if (aligned(gaps[i].at, tick.phase, period))
			meter_add(&cost, gaps[i].length);
	tick.period = period;
	tick.cost = meter_median(&cost);
	free(cost.value);
	return true;
}

/* The shortest first: multiples of it would fit, too. */
static void find_ticks(void)
{
	static const __u64 periods[] = { 1000000, 4000000, 10000000, 0 };
	static struct gap gaps[TICK_GAPS];
	unsigned int n = find_gaps(gaps);
	const __u64 *period = periods;

	while (*period && !find_tick(gaps, n, *period))
		period++;
}

/**
 * meter_init() - make sure that instructions can be counted
 * @contender: whose they will be, for the report
 *
 * Return: 0 or a negative errno, with a line that says why.
 */
int meter_init(const char *contender)
{
	int ret = meter_check();

	meter_contender = contender;
	if (!ret)
		find_ticks();
	return ret;
}

/**
 * meter_only() - measure nothing else, where there is much
 * @name: of the case, its parameters behind slashes, or the first of them
 */
void meter_only(const char *name)
{
	only = name;
}

/* Is it to be measured? */
bool meter_wanted(const char *name, ...)
{
	size_t len;
	char buf[64];
	va_list args;

	if (!only)
		return true;
	va_start(args, name);
	vsnprintf(buf, sizeof(buf), name, args);
	va_end(args);
	len = strlen(only);
	return !strncmp(buf, only, len) && (!buf[len] || buf[len] == '/');
}

/**
 * meter_keep_ticks() - do not take the timer tick off
 *
 * Where others run all the time it cannot be told from them.
 */
void meter_keep_ticks(void)
{
	tick.period = 0;
}

void meter_begin(struct meter *m)
{
	m->idle = load(&idle_sum);
	m->start = meter_now();
}

/* Instructions since, less those that nobody wanted, less ticks. */
double meter_end(const struct meter *m)
{
	__u64 now = meter_now(), ticks = 0;

	if (tick.period)
		ticks = (now - tick.phase) / tick.period -
			(m->start - tick.phase) / tick.period;
	return (double)(now - m->start) - (load(&idle_sum) - m->idle) -
	       ticks * tick.cost;
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

/**
 * meter_take() - the median of a set, and be done with it
 * @set: what was measured
 *
 * Return: the median.
 */
double meter_take(struct meter_set *set)
{
	double median = meter_median(set);

	free(set->value);
	set->value = NULL;
	return median;
}

/**
 * meter_as() - what is reported from now on is another one's
 * @contender: whose it is
 */
void meter_as(const char *contender)
{
	meter_contender = contender;
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
		double median = meter_median(set);

		printf("{\"contender\": \"%s\", \"case\": \"", meter_contender);
		va_start(args, name);
		vprintf(name, args);
		va_end(args);
		printf("\", \"median\": %.1f, \"low\": %.1f, \"high\": %.1f, \"rounds\": %u}\n",
		       median, quantile(set, 10), quantile(set, 90),
		       set->n);
		fflush(stdout);
	}
	free(set->value);
	set->value = NULL;
}
