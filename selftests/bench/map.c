// SPDX-License-Identifier: GPL-2.0
/* What it costs to map and unmap memory, as more of it stands. */
#define _GNU_SOURCE
#include <errno.h>
#include <sys/mman.h>

#include "bench.h"

#define GIB	(1024UL << 20)

/* Behind the arena, with room for twice the most mappings. */
#define MAP_BASE	0x100000000ULL

static const unsigned int standing[] = { 0, 1000, 10000, 100000 };

/* Every other page, so that what is measured goes into a gap. */
static __u64 standing_iova(unsigned int i)
{
	return MAP_BASE + 2 * i * VC_PAGE;
}

static void measure(struct rig *r, void *page, unsigned int n,
		    unsigned int rounds)
{
	struct meter_set map, unmap;
	unsigned int i;
	struct meter m;
	__u64 iova;

	meter_set_init(&map, rounds);
	meter_set_init(&unmap, rounds);
	for (i = 0; i < rounds; i++) {
		/* Gaps all over the range. */
		iova = standing_iova(n / rounds * i) + VC_PAGE;
		meter_begin(&m);
		check("map", vc_map(&r->c, iova, page, VC_PAGE));
		meter_add(&map, meter_end(&m));
		meter_begin(&m);
		check("unmap", vc_unmap(&r->c, iova, VC_PAGE));
		meter_add(&unmap, meter_end(&m));
	}
	meter_report(&map, "map/%u", n);
	meter_report(&unmap, "unmap/%u", n);
}

/* One page of ours stands for all: what counts is where it is mapped. */
static void *one_page(void)
{
	void *p = mmap(NULL, VC_PAGE, PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

	if (p == MAP_FAILED)
		die("mmap", -errno);
	return p;
}

/* Parents that only know set_map do their work once, at the end. */
static void stand(struct rig *r, void *page, unsigned int from, unsigned int to)
{
	bool batch = r->c.backend & BIT64(VHOST_BACKEND_F_IOTLB_BATCH);

	if (batch)
		check("batch", vc_batch(&r->c, true));
	while (from < to)
		check("map", vc_map(&r->c, standing_iova(from++), page, VC_PAGE));
	if (batch)
		check("batch", vc_batch(&r->c, false));
}

void case_map(const struct bench *b)
{
	void *page = one_page();
	unsigned int i, n = 0;
	struct rig r;

	check("open", rig_open(&r, b->dev));
	for (i = 0; i < ARRAY_SIZE(standing) && standing[i] <= b->standing; i++) {
		stand(&r, page, n, standing[i]);
		n = standing[i];
		measure(&r, page, n, b->rounds);
	}
	rig_close(&r);
}

/* 1 GiB of huge pages in one call, as a VMM maps its guest. */
void case_map_huge(const struct bench *b)
{
	unsigned int i, rounds = b->rounds < 5 ? b->rounds : 5;
	struct meter_set map, unmap;
	struct rig r;
	struct meter m;
	void *p;

	p = mmap(NULL, GIB, PROT_READ | PROT_WRITE,
		 MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE | MAP_HUGETLB, -1, 0);
	if (p == MAP_FAILED)
		die("huge pages", -errno);
	check("open", rig_open(&r, b->dev));
	meter_set_init(&map, rounds);
	meter_set_init(&unmap, rounds);
	for (i = 0; i < rounds; i++) {
		meter_begin(&m);
		check("map", vc_map(&r.c, MAP_BASE, p, GIB));
		meter_add(&map, meter_end(&m));
		meter_begin(&m);
		check("unmap", vc_unmap(&r.c, MAP_BASE, GIB));
		meter_add(&unmap, meter_end(&m));
	}
	meter_report(&map, "map-huge");
	meter_report(&unmap, "unmap-huge");
	rig_close(&r);
	munmap(p, GIB);
}
