// SPDX-License-Identifier: GPL-2.0
/*
 * The hole of cloud-hypervisor PR 7743: a VMM that keeps no log, and at the end
 * walks the rings as they are then, marking the buffers that they name.
 *
 * A buffer that was copied with all memory, that the device filled later, and
 * whose descriptor was used for another one since, is named nowhere: what was
 * received in it is lost. Here that happens, so such a walk must miss pages; the
 * log must not.
 */
#define _GNU_SOURCE
#include <endian.h>

#include "oracle.h"

/* Buffers that are filled and come back, each in a page of its own. */
#define BUFFERS		24
#define RECYCLED	(1 * MIB)

static void offer(struct run *run, struct dev *d, unsigned int i, size_t at)
{
	struct chain *chain = &d->chains[NET_RX][i];

	memset(chain, 0, sizeof(*chain));
	chain->busy = true;
	chain->number = i;
	chain->nin = 1;
	chain->p[0] = run->mem->now + at;
	chain->seg[0] = (struct vq_seg) { run->mem->iova + at, 2048 };
	if (!ring_add(run->mem, d, chain, false))
		run_fail(run, 2, "no room");
	ring_kick(d, NET_RX);
}

/* Buffer after buffer, through the same descriptors. */
static void fill_and_recycle(struct run *run, struct dev *d)
{
	__u64 end = vc_now_ms() + 3 * RIG_WAIT_MS;
	unsigned int i;
	__u32 len;

	for (i = 0; i < BUFFERS; i++) {
		offer(run, d, i, RECYCLED + i * PAGE);
		while (!vq_get(&d->vq[NET_RX], &len)) {
			if (vc_now_ms() > end)
				run_fail(run, 2, "no frame comes");
			vc_sleep_us(100);
		}
		stats.rx++;
	}
	/* As many others, so that no descriptor tells of the first ones. */
	for (i = 0; i < d->vq[NET_RX].num; i++)
		offer(run, d, i, 2 * MIB + i * PAGE);
}

static void walk_one(struct run *run, __u64 iova, __u32 len, __u64 *marked)
{
	__u64 at, first = (iova - run->mem->iova) / PAGE * PAGE;

	for (at = first; len && at < iova - run->mem->iova + len; at += PAGE)
		marked[at / PAGE / 64] |= BIT64(at / PAGE % 64);
}

/* All that is writable by any descriptor of the ring, available or not. */
static void walk(struct run *run, struct dev *d, __u64 *marked)
{
	const struct vring_packed_desc *packed = d->vq[NET_RX].desc;
	const struct vring_desc *split = d->vq[NET_RX].desc;
	unsigned int i;

	for (i = 0; i < d->vq[NET_RX].num; i++) {
		if (d->packed)
			walk_one(run, le64toh(packed[i].addr), le32toh(packed[i].len), marked);
		else
			walk_one(run, le64toh(split[i].addr), le32toh(split[i].len), marked);
	}
}

/* Pages of the recycled buffers that changed and were not marked. */
static unsigned int missed(const struct run *run, const __u64 *marked)
{
	unsigned int i, n = 0;

	for (i = 0; i < BUFFERS; i++) {
		size_t page = RECYCLED / PAGE + i;

		n += !(marked[page / 64] & BIT64(page % 64)) &&
		     mem_differ(run->mem, page * PAGE, PAGE, false);
	}
	return n;
}

static void recycled_start(struct run *run, struct dev *d)
{
	dev_up(run, d);
	/* All of it in small pages, with nothing else that could mark them. */
	run->range[0] = (struct vmdev_dirty_iova_range) { run->mem->iova, run->mem->size };
	run->nranges = 1;
	d->log.page_size = PAGE;
	if (!strcmp(d->policy, "direct"))
		MUST(run, dev_policy(run, d, "auto"));
	MUST(run, dirty_start(d->log.fd, 0, &d->log.page_size, run->range, run->nranges));
	d->log.on = true;
	memcpy(run->mem->copy, run->mem->now, run->mem->size);
}

/**
 * run_recycled() - buffers that were recycled while memory was copied
 * @run: with a network device
 * @packed: format of its rings
 */
void run_recycled(struct run *run, bool packed)
{
	static __u64 marked[MEM_MAX / PAGE / 64];
	struct dev *d = &run->dev[0];
	unsigned int n;

	run->only_format = packed ? 2 : 1;
	recycled_start(run, d);
	fill_and_recycle(run, d);
	dev_suspend(run, d);

	memset(marked, 0, sizeof(marked));
	walk(run, d, marked);
	n = missed(run, marked);
	printf("# %u of %u pages are missed by a walk of the rings\n", n, BUFFERS);
	if (n < BUFFERS / 2)
		run_fail(run, 2, "a walk of the rings is enough: this tests nothing");
	precopy_finish(run);
	if (missed(run, marked))
		run_fail(run, 1, "and by the log");
	dev_down(d);
}
