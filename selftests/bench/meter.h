/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Counting guest instructions.
 *
 * In a VM that runs under icount (lab-run --icount) one nanosecond of guest
 * time is one guest instruction, and time that nobody uses passes at once. What
 * costs is then the difference of two readings of the clock, less what went by
 * while everybody waited. The latter is told apart by spinning: a thread that
 * reads the clock in a loop sees steps of one length while it is alone, and a
 * longer one whenever the kernel, or anybody else, had something to do. The
 * timer tick is taken off, too: how many there are depends on how long the
 * emulator took.
 */
#ifndef VMDEV_METER_H
#define VMDEV_METER_H

#include <stdbool.h>
#include <time.h>

#include <linux/types.h>

#define METER_ATTR __attribute__

/* CLOCK_MONOTONIC is made of this very counter, and is slower to read. */
static inline __u64 meter_now(void)
{
#ifdef __x86_64__
	return __builtin_ia32_rdtsc();
#else
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ULL + ts.tv_nsec;
#endif
}

/**
 * struct meter - a stretch of time
 * @start: when it began
 * @idle: instructions that nobody wanted, until then
 */
struct meter {
	__u64 start;
	__u64 idle;
};

/**
 * struct meter_set - what was measured of one thing, round by round
 * @value: instructions
 * @n: how many there are
 * @max: room
 */
struct meter_set {
	double *value;
	unsigned int n;
	unsigned int max;
};

/**
 * struct meter_spin - a wait that tells work from waiting
 * @last: the last reading
 * @step: the length of the last step that was undisturbed
 * @idle: instructions so far that only waited
 */
struct meter_spin {
	__u64 last;
	__u64 step;
	__u64 idle;
};

/* More than a step of any such loop, and less than any interrupt takes. */
#define METER_GAP 150

static inline void meter_spin_begin(struct meter_spin *s)
{
	s->last = meter_now();
	s->step = 0;
	s->idle = 0;
}

/* In a step that somebody else had a part in, ours is as long as ever. */
static inline void meter_spin_step(struct meter_spin *s)
{
	__u64 now = meter_now();
	__u64 d = now - s->last;

	s->last = now;
	if (d < METER_GAP)
		s->step = d;
	s->idle += s->step;
}

int meter_init(const char *contender);
void meter_only(const char *name);
bool meter_wanted(const char *name, ...)
	METER_ATTR((format(printf, 1, 2)));
void meter_keep_ticks(void);

void meter_begin(struct meter *m);
double meter_end(const struct meter *m);

int meter_idle_start(void);
void meter_idle_do(void (*fn)(void *arg), void *arg);
void meter_idle_stop(void);

enum meter_prio {
	METER_FIRST,	/* before everybody else */
	METER_NORMAL,
	METER_LAST,	/* whoever has anything to do goes first */
};

void meter_prio(enum meter_prio prio);

void meter_set_init(struct meter_set *set, unsigned int rounds);
void meter_add(struct meter_set *set, double value);
double meter_take(struct meter_set *set);
void meter_as(const char *contender);
void meter_report(struct meter_set *set, const char *name, ...)
	METER_ATTR((format(printf, 2, 3)));

#endif
