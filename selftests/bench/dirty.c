// SPDX-License-Identifier: GPL-2.0
/*
 * What it costs to dirty-log a device that runs: START, REPORT, STOP. Pages are dirty because
 * the device wrote frames to them, and each report must have all of them, and no other.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "bench.h"
#include "dirty_client.h"

#define DIRTY_PAGES	1024U

/**
 * struct logged - a device that is logged, and who sends to it
 * @b: what the command line said
 * @to: the device
 * @to_rig: likewise
 * @from: who sends
 * @from_rig: likewise
 * @mem: memory of a guest
 * @iova: where that is for the device
 * @size: its bytes
 * @bitmap: of its pages
 */
struct logged {
	const struct bench *b;
	struct net_end to;
	struct rig to_rig;
	struct net_end from;
	struct rig from_rig;
	void *mem;
	__u64 iova;
	__u64 size;
	__u64 *bitmap;
};

static size_t bitmap_bytes(const struct logged *l)
{
	return l->size / VC_PAGE / 8;
}

/* A page, so far from the next one that all memory has as many. */
static __u64 page_iova(const struct logged *l, unsigned int i)
{
	return l->iova + l->size / DIRTY_PAGES * i;
}

static void make_memory(struct logged *l)
{
	l->size = (__u64)l->b->memory << 20;
	if (l->size / DIRTY_PAGES < VC_PAGE)
		die("memory", -EINVAL);
	l->mem = mmap(NULL, l->size, PROT_READ | PROT_WRITE, MAP_SHARED |
		      MAP_ANONYMOUS | MAP_POPULATE | MAP_HUGETLB, -1, 0);
	if (l->mem == MAP_FAILED)
		die("huge pages", -errno);
	l->bitmap = calloc(1, bitmap_bytes(l));
	if (!l->bitmap)
		die("bitmap", -ENOMEM);
}

static void up(struct logged *l)
{
	end_vdpa(&l->to, &l->to_rig, l->b->dev);
	l->iova = l->to_rig.c.iova + VC_ARENA_SIZE;
	check("map", vc_map(&l->to_rig.c, l->iova, l->mem, l->size));
	check_direct(l->b);
}

/* Frames into @n pages from @first on. */
static void dirty(struct logged *l, unsigned int first, unsigned int n)
{
	unsigned int i;

	for (i = first; i < first + n; i++) {
		struct vq_seg seg = { page_iova(l, i), RIG_BUF };

		check("offer", vq_add(l->to.rx, &seg, 0, 1, l));
	}
	vq_kick(l->to.rx);
	end_offer_tx(&l->from, n, sizes[0].len);
	vq_kick(l->from.tx);
	spin_used(l->to.rx, n);
	end_reap_rx(&l->to, n, false);
	end_settle_tx(&l->from, n);
}

/* One report; all that is dirty is in it if @dirty, and nothing else. */
static void take_report(struct logged *l, struct cost *cost, bool dirty)
{
	size_t i, bytes = bitmap_bytes(l);

	memset(l->bitmap, 0, bytes);
	cost_begin(cost);
	log_report(l->to.log, l->iova, l->size, l->bitmap);
	cost_end(cost);
	for (i = 0; dirty && i < DIRTY_PAGES; i++) {
		__u64 page = (page_iova(l, i) - l->iova) / VC_PAGE;
		__u64 *word = &l->bitmap[page / 64], bit = 1ULL << page % 64;

		if (!(*word & bit))
			die("a dirty page that is not in the report", -EBADMSG);
		*word &= ~bit;
	}
	for (i = 0; i < bytes / sizeof(*l->bitmap); i++)
		if (l->bitmap[i])
			die("a page in the report that is not dirty", -EBADMSG);
}

static void start(struct logged *l, struct cost *cost)
{
	const struct vmdev_dirty_iova_range range = {
		l->to_rig.c.iova, VC_ARENA_SIZE + l->size
	};
	__u64 page_size = VC_PAGE;

	l->to.log = dirty_open(l->b->log);
	check(l->b->log, l->to.log);
	cost_begin(cost);
	check("START", dirty_start(l->to.log, 0, &page_size, &range, 1));
	cost_end(cost);
}

static void stop(struct logged *l, struct cost *cost)
{
	cost_begin(cost);
	check("STOP", dirty_stop(l->to.log, 0));
	cost_end(cost);
}

void case_dirty(const struct bench *b)
{
	unsigned int i, at, queues, rounds = b->rounds < 31 ? b->rounds : 31;
	struct cost starts, clean, reports, stops;
	static struct logged l;

	l.b = b;
	if (!b->peer || !b->log)
		die("a peer and a log", -EINVAL);
	make_memory(&l);
	end_vdpa(&l.from, &l.from_rig, b->peer);
	cost_init(&starts, b, rounds);
	cost_init(&clean, b, rounds);
	cost_init(&reports, b, rounds);
	cost_init(&stops, b, rounds);
	check("idle", meter_idle_start());
	for (i = 0; i < rounds; i++) {
		/* Anew, as not all queues that went to shadow come back at once. */
		up(&l);
		start(&l, &starts);
		take_report(&l, &clean, false);
		for (at = 0; at < DIRTY_PAGES; at += BENCH_NUM)
			dirty(&l, at, BENCH_NUM);
		take_report(&l, &reports, true);
		check_direct(b);
		stop(&l, &stops);
		end_close(&l.to, &l.to_rig);
	}
	meter_idle_stop();
	queues = l.to_rig.nvqs;
	cost_report(&starts, "dirty-start", queues);
	cost_report(&clean, "dirty-report", 0);
	cost_report(&reports, "dirty-report", DIRTY_PAGES);
	cost_report(&stops, "dirty-stop", queues);
	end_close(&l.from, &l.from_rig);
	munmap(l.mem, l.size);
	free(l.bitmap);
}
