// SPDX-License-Identifier: GPL-2.0
/* What a VMM does: copy all, copy what was reported, in rounds; then compare. */
#define _GNU_SOURCE
#include <errno.h>

#include "oracle.h"

#define SHIFT_MIN	12
#define SHIFT_MAX	21

bool precopy_on(const struct run *run)
{
	return run->dev[0].log.on;
}

/* Cuts memory into ranges that are multiples of @unit; sometimes one is left out. */
static void choose_ranges(struct run *run, __u64 unit)
{
	__u64 size = run->mem->size, at = 0, len;
	struct rng *r = &run->plan;
	unsigned int n = rng_range(r, 1, RANGES), skip = RANGES;

	if (rng_one_in(r, 5))
		skip = rng_below(r, n);
	run->nranges = 0;
	while (n-- && at < size) {
		len = n ? rng_range(r, 1, (size - at) / unit) * unit : size - at;
		if (n != skip)
			run->range[run->nranges++] = (struct vmdev_dirty_iova_range) {
				run->mem->iova + at, len,
			};
		at += len;
	}
	if (!run->nranges)
		run->range[run->nranges++] = (struct vmdev_dirty_iova_range) {
			run->mem->iova, size,
		};
}

static __u64 choose_page_size(struct rng *r)
{
	return 1ULL << (rng_one_in(r, 2) ? SHIFT_MIN : rng_range(r, SHIFT_MIN, SHIFT_MAX));
}

/* Hardware that marks what it writes has no need to be moved. */
static bool has_log(const struct run *run, const struct dev *d)
{
	return run->net_has_log && d->net;
}

static int log_start(struct run *run, struct dev *d)
{
	__u64 page_size = d->log.page_size;
	int ret = dirty_start(d->log.fd, 0, &page_size, run->range, run->nranges);

	run_say(run, "%s: START, pages of %llu: %d", d->name, d->log.page_size, ret);
	if (!ret && page_size != d->log.page_size)
		run_fail(run, 2, "%s: pages of %llu, not %llu", d->name, page_size,
			 d->log.page_size);
	d->log.on = !ret;
	stats.starts += d->log.on;
	return ret;
}

/*
 * Direct by order, hardware without a log is refused, if it has a queue; then it gets
 * another order. Hardware with a log stays as it is.
 */
static void log_start_somehow(struct run *run, struct dev *d)
{
	bool was_direct;
	int ret;

	if (!has_log(run, d) && !strcmp(d->policy, "direct") && d->off != BIT64(d->nvqs) - 1) {
		ret = log_start(run, d);
		if (ret != -EOPNOTSUPP)
			run_fail(run, 2, "%s: START under policy direct: %d", d->name, ret);
		stats.refused++;
		dev_check(run, d);
		was_direct = dev_is_direct(run, d);
		ret = dev_policy(run, d, rng_one_in(&run->plan, 2) ? "auto" : "shadow");
		if (!dev_lost(run, d, ret, was_direct))
			MUST(run, ret);
	}
	was_direct = dev_is_direct(run, d);
	ret = log_start(run, d);
	if (dev_lost(run, d, ret, was_direct))
		ret = log_start(run, d);
	MUST(run, ret);
	dev_check(run, d);
	if (has_log(run, d) && was_direct && !dev_is_direct(run, d))
		run_fail(run, 2, "%s: START moved what has a log", d->name);
	stats.direct += dev_is_direct(run, d);
}

static void copy_all(struct run *run)
{
	size_t size = run->mem->size, step = size / 4, at;

	for (at = 0; at < size; at += step) {
		memcpy(run->mem->copy + at, run->mem->now + at, step);
		if (rng_one_in(&run->plan, 2))
			traffic(run, rng_below(&run->plan, 8));
	}
	memset(run->mem->todo, 0, sizeof(run->mem->todo));
}

/* Returns true: from now on precopy_on(). */
bool precopy_start(struct run *run)
{
	__u64 unit = PAGE;
	unsigned int i;

	for (i = 0; i < run->ndevs; i++) {
		run->dev[i].log.page_size = choose_page_size(&run->plan);
		if (run->dev[i].log.page_size > unit)
			unit = run->dev[i].log.page_size;
	}
	choose_ranges(run, unit);
	for (i = 0; i < run->ndevs; i++) {
		log_start_somehow(run, &run->dev[i]);
		if (rng_one_in(&run->plan, 2))
			traffic(run, rng_below(&run->plan, 8));
	}
	copy_all(run);
	return true;
}

static unsigned int todo_add(struct run *run, __u64 iova, __u64 page_size)
{
	size_t first = (iova - run->mem->iova) / PAGE, i;

	for (i = first; i < first + page_size / PAGE; i++)
		run->mem->todo[i / 64] |= BIT64(i % 64);
	return page_size / PAGE;
}

/* Returns how many pages were reported. */
static unsigned int report(struct run *run, struct dev *d, __u64 iova, __u64 len,
			   __u64 page_size)
{
	__u64 bitmap[MEM_MAX / PAGE / 64] = { 0 };
	unsigned int n = 0;
	__u64 i;

	MUST(run, dirty_report(d->log.fd, 0, iova, len, page_size, bitmap));
	stats.reports++;
	for (i = 0; i < len / page_size; i++)
		if (bitmap[i / 64] & BIT64(i % 64))
			n += todo_add(run, iova + i * page_size, page_size);
	stats.pages += n;
	return n;
}

static void report_pieces(struct run *run, struct dev *d,
			  const struct vmdev_dirty_iova_range *range)
{
	__u64 page_size = choose_page_size(&run->plan), at, len;

	if (range->iova % page_size || range->length % page_size)
		page_size = PAGE;
	for (at = 0; at < range->length; at += len) {
		len = range->length - at;
		if (rng_one_in(&run->plan, 2))
			len = rng_range(&run->plan, 1, len / page_size) * page_size;
		report(run, d, range->iova + at, len, page_size);
	}
}

static unsigned int report_whole(struct run *run, struct dev *d)
{
	unsigned int i, n = 0;

	for (i = 0; i < run->nranges; i++)
		n += report(run, d, run->range[i].iova, run->range[i].length, PAGE);
	return n;
}

void precopy_report(struct run *run)
{
	unsigned int i, j;

	for (i = 0; i < run->ndevs; i++)
		for (j = 0; j < run->nranges; j++)
			report_pieces(run, &run->dev[i], &run->range[j]);
}

void precopy_copy(struct run *run)
{
	struct mem *m = run->mem;
	size_t i;

	for (i = 0; i < m->size / PAGE; i++) {
		if (!(m->todo[i / 64] & BIT64(i % 64)))
			continue;
		m->todo[i / 64] &= ~BIT64(i % 64);
		memcpy(m->copy + i * PAGE, m->now + i * PAGE, PAGE);
	}
}

void precopy_round(struct run *run)
{
	run_say(run, "a round");
	traffic(run, rng_below(&run->plan, 24));
	precopy_report(run);
	if (rng_one_in(&run->plan, 2))
		traffic(run, rng_below(&run->plan, 16));
	/* Or later, with those of the next round. */
	if (!rng_one_in(&run->plan, 4))
		precopy_copy(run);
}

void precopy_cancel(struct run *run)
{
	unsigned int i;

	run_say(run, "STOP");
	for (i = 0; i < run->ndevs; i++) {
		MUST(run, dirty_stop(run->dev[i].log.fd, 0));
		run->dev[i].log.on = false;
		if (!run->dev[i].suspended)
			dev_check(run, &run->dev[i]);
	}
	stats.cancelled++;
}

static void compare(struct run *run, const char *when)
{
	size_t n = 0, i, first;

	for (i = 0; i < run->nranges; i++) {
		first = run->range[i].iova - run->mem->iova;
		n += mem_differ(run->mem, first, run->range[i].length, true);
	}
	stats.compares++;
	if (n)
		run_fail(run, 1, "%zu bytes differ %s", n, when);
}

void precopy_finish(struct run *run)
{
	unsigned int i;

	for (i = 0; i < run->ndevs; i++) {
		dev_reap(run, &run->dev[i]);
		stats.half_written += dev_half_written(run, &run->dev[i]);
	}
	precopy_report(run);
	for (i = 0; i < run->ndevs; i++) {
		report_whole(run, &run->dev[i]);
		/* It is read and cleared, and nobody writes. */
		if (report_whole(run, &run->dev[i]))
			run_fail(run, 2, "%s: dirty, although suspended", run->dev[i].name);
	}
	precopy_copy(run);
	compare(run, "after the last round");
	if (!rng_one_in(&run->plan, 3))
		return;
	vc_sleep_us(2000);
	compare(run, "some time later: a suspended device writes");
}
