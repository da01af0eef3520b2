// SPDX-License-Identifier: GPL-2.0
/* A run: everything that may happen to a guest and its devices, in any order. */
#define _GNU_SOURCE
#include <errno.h>

#include "oracle.h"

static void suspend_all(struct run *run)
{
	unsigned int i;

	for (i = 0; i < run->ndevs; i++) {
		dev_suspend(run, &run->dev[i]);
		/* Others go on for a while. */
		if (i + 1 < run->ndevs && rng_one_in(&run->plan, 2))
			traffic(run, rng_below(&run->plan, 4));
	}
}

/* All of them stopped: compare. Then on, here or as if it were elsewhere. */
static void stop_and_go(struct run *run)
{
	unsigned int i;

	suspend_all(run);
	if (precopy_on(run))
		precopy_finish(run);
	if (precopy_on(run) && rng_one_in(&run->plan, 3))
		precopy_cancel(run);
	/* Buffers that nobody takes yet. */
	if (rng_one_in(&run->plan, 2))
		traffic(run, 0);
	for (i = 0; i < run->ndevs; i++) {
		if (rng_one_in(&run->plan, 2))
			dev_restart(run, &run->dev[i]);
		else
			dev_resume(run, &run->dev[i]);
		if (rng_one_in(&run->plan, 2))
			traffic_moves(run, &run->dev[i]);
	}
}

/* Whether it can be done is for the kernel to say; but nothing may be lost. */
static void change_path(struct run *run)
{
	static const char * const policies[] = { "auto", "shadow", "shadow", "direct" };
	struct dev *d = &run->dev[rng_below(&run->plan, run->ndevs)];
	bool was_direct = dev_is_direct(run, d);
	int ret = dev_policy(run, d, policies[rng_below(&run->plan, 4)]);

	if (!dev_lost(run, d, ret, was_direct) && ret && ret != -EOPNOTSUPP)
		run_fail(run, 2, "%s: policy: %s", d->name, strerror(-ret));
	dev_check(run, d);
	stats.switches += !ret;
	if (rng_one_in(&run->plan, 2))
		traffic_moves(run, d);
}

/* A disk has requests, which would be lost; and a direct queue may not know where it was. */
static void change_queue(struct run *run)
{
	struct dev *d = &run->dev[rng_below(&run->plan, run->ndevs)];
	unsigned int queue = rng_below(&run->plan, d->nvqs);

	if (!d->net || (!(d->off & BIT64(queue)) && !d->in_order && dev_is_direct(run, d)))
		return;
	dev_enable(run, d, queue, d->off & BIT64(queue));
	traffic(run, rng_below(&run->plan, 4));
}

static void change_log(struct run *run)
{
	if (!precopy_on(run))
		precopy_start(run);
	else
		precopy_cancel(run);
}

static void one_thing(struct run *run)
{
	switch (rng_below(&run->plan, 12)) {
	case 0:
		change_log(run);
		break;
	case 1:
		stop_and_go(run);
		break;
	case 2:
		change_path(run);
		break;
	case 3:
		change_queue(run);
		break;
	case 4 ... 8:
		if (precopy_on(run))
			precopy_round(run);
		else
			traffic(run, rng_range(&run->plan, 1, 40));
		break;
	default:
		traffic(run, rng_range(&run->plan, 1, 40));
	}
}

/**
 * run_random() - a run that ends in a migration
 * @run: its seed and devices
 */
void run_random(struct run *run)
{
	unsigned int i, n = rng_range(&run->plan, 2, 9);

	for (i = 0; i < run->ndevs; i++)
		dev_up(run, &run->dev[i]);
	for (i = 0; i < n; i++)
		one_thing(run);
	if (!precopy_on(run))
		precopy_start(run);
	n = rng_range(&run->plan, 1, 4);
	for (i = 0; i < n; i++)
		precopy_round(run);
	suspend_all(run);
	precopy_finish(run);
	for (i = 0; i < run->ndevs; i++)
		dev_down(&run->dev[i]);
}
