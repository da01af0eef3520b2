// SPDX-License-Identifier: GPL-2.0
/* A device of the guest: up, down, and all that may happen to it in between. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <linux/virtio_blk.h>
#include <linux/virtio_net.h>

#include "oracle.h"

/* Pages that the rings of a device are in, from mem.now on. */
#define RING_PAGES	(QUEUES * 6)

static bool offered(const struct dev *d, unsigned int bit)
{
	return d->c.offered & BIT64(bit);
}

static __u64 choose_features(struct dev *d, struct rng *r)
{
	static const unsigned int bits[] = {
		VIRTIO_RING_F_INDIRECT_DESC, VIRTIO_RING_F_EVENT_IDX, VIRTIO_F_RING_PACKED,
	};
	__u64 features = BIT64(VIRTIO_F_VERSION_1) | BIT64(VIRTIO_F_ACCESS_PLATFORM);
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(bits); i++)
		if (offered(d, bits[i]) && rng_one_in(r, 2))
			features |= BIT64(bits[i]);
	if (d->net && offered(d, VIRTIO_NET_F_MRG_RXBUF) && rng_one_in(r, 2))
		features |= BIT64(VIRTIO_NET_F_MRG_RXBUF);
	if (offered(d, VIRTIO_F_IN_ORDER) && rng_one_in(r, 2))
		features |= BIT64(VIRTIO_F_IN_ORDER);
	if (!d->net && offered(d, VIRTIO_BLK_F_FLUSH))
		features |= BIT64(VIRTIO_BLK_F_FLUSH);
	if (!d->net && offered(d, VIRTIO_BLK_F_MQ))
		features |= BIT64(VIRTIO_BLK_F_MQ);
	return features;
}

static void dev_features(struct run *run, struct dev *d)
{
	__u64 features = choose_features(d, &run->plan);

	stats.may_pack |= offered(d, VIRTIO_F_RING_PACKED);
	if (run->only_format == 1)
		features &= ~BIT64(VIRTIO_F_RING_PACKED);
	if (run->only_format == 2)
		features |= BIT64(VIRTIO_F_RING_PACKED);
	d->packed = features & BIT64(VIRTIO_F_RING_PACKED);
	d->indirect = features & BIT64(VIRTIO_RING_F_INDIRECT_DESC);
	d->mergeable = d->net && (features & BIT64(VIRTIO_NET_F_MRG_RXBUF));
	d->in_order = features & BIT64(VIRTIO_F_IN_ORDER);
	d->nvqs = 2;
	if (!d->net)
		d->nvqs = features & BIT64(VIRTIO_BLK_F_MQ) ? d->c.nvqs : 1;
	if (d->nvqs > QUEUES)
		d->nvqs = QUEUES;
	run_say(run, "%s: features %#llx, %u queues", d->name, features, d->nvqs);
	MUST(run, vc_negotiate(&d->c, features));
	stats.packed += d->packed;
	stats.split += !d->packed;
}

/* The areas of a ring take a page each, or more; the device is the last. */
static size_t ring_length(const struct vq *vq)
{
	return (__u8 *)vq->device - (__u8 *)vq->desc + PAGE;
}

static void ring_memory(struct mem *m, struct dev *d, struct vq *vq)
{
	const struct owner owner = { .dev = d->index, .queue = vq->idx, .what = RING };

	mem_own(m, vq->desc, ring_length(vq), &owner);
	mem_sync(m, vq->desc, ring_length(vq));
}

/* Any size of a ring; the client has rings at the start of memory. */
static void dev_rings(struct run *run, struct dev *d)
{
	unsigned int i;

	d->c.mem = run->mem->now;
	d->c.iova = run->mem->iova;
	d->c.mem_used = (d->index * RING_PAGES + rng_below(&run->plan, RING_PAGES / 2)) * PAGE;
	for (i = 0; i < d->nvqs; i++) {
		unsigned int max = rig_vq_max(&d->c, i), num;

		if (max > CHAINS)
			max = CHAINS;
		num = 4 << rng_below(&run->plan, 7);
		if (num < run->smallest)
			num = run->smallest;
		if (num > max)
			num = max;
		MUST(run, vq_init(&d->vq[i], &d->c, i, num, d->packed));
		ring_memory(run->mem, d, &d->vq[i]);
		MUST(run, vq_attach(&d->vq[i], vq_fresh_base(&d->vq[i])));
		MUST(run, vq_enable(&d->vq[i], true));
	}
}

static void dev_driver_ok(struct run *run, struct dev *d)
{
	MUST(run, vc_add_status(&d->c, ST_DRIVER_OK));
	d->suspended = false;
	dev_check(run, d);
}

void dev_check(struct run *run, struct dev *d)
{
	int status = vc_get_status(&d->c);

	if (status != (ST_NEGOTIATED | ST_DRIVER_OK))
		run_fail(run, 2, "%s: status is %#x", d->name, status);
}

/* Then kicks do not come to the kernel. */
static void dev_doorbells(struct run *run, struct dev *d)
{
	unsigned int i;

	for (i = 0; i < d->nvqs; i++) {
		if (!rng_one_in(&run->plan, 3))
			continue;
		d->doorbell[i] = vc_doorbell(&d->c, i);
		stats.doorbells += !!d->doorbell[i];
	}
}

static const char *choose_policy(const struct dev *d, struct rng *r)
{
	static const char * const policies[] = { "auto", "auto", "shadow", "direct" };

	/* Nobody can tell where such a ring was stopped. */
	return policies[rng_below(r, d->packed ? 3 : 4)];
}

/**
 * dev_up() - from a path to a running device
 * @run: the run
 * @d: with name, path, index; all else is filled in
 */
void dev_up(struct run *run, struct dev *d)
{
	char path[300];

	MUST(run, vc_open(&d->c, d->path));
	d->net = d->c.device_id == VIRTIO_ID_NET;
	MUST(run, vc_set_owner(&d->c));
	MUST(run, vc_set_backend(&d->c, d->c.backend));
	dev_features(run, d);
	MUST(run, vc_map(&d->c, run->mem->iova, run->mem->now, run->mem->size));
	/* What was chosen for an earlier run is forgotten. */
	MUST(run, dev_policy(run, d, choose_policy(d, &run->plan)));
	dev_rings(run, d);
	snprintf(path, sizeof(path), "/dev/vmdev/%s", d->name);
	d->log.fd = dirty_open(path);
	if (d->log.fd < 0)
		run_fail(run, 2, "%s: %s", path, strerror(-d->log.fd));
	dev_driver_ok(run, d);
	if (rng_one_in(&run->plan, 2))
		dev_doorbells(run, d);
}

void dev_down(struct dev *d)
{
	unsigned int i;

	for (i = 0; i < d->nvqs; i++)
		if (d->doorbell[i])
			munmap(d->doorbell[i], PAGE);
	d->c.mem = NULL;	/* not the client's */
	vc_close(&d->c);
	for (i = 0; i < d->nvqs; i++)
		vq_close(&d->vq[i]);
	close(d->log.fd);
}

int dev_policy(struct run *run, struct dev *d, const char *policy)
{
	char path[300];
	int fd, ret = 0;

	snprintf(path, sizeof(path), "/sys/bus/vdpa/devices/%s/vmdev/policy", d->name);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (write(fd, policy, strlen(policy)) < 0)
		ret = -errno;
	close(fd);
	run_say(run, "%s: policy %s: %d", d->name, policy, ret);
	if (!ret)
		d->policy = policy;
	return ret;
}

bool dev_is_direct(struct run *run, const struct dev *d)
{
	char path[300], paths[200] = "";
	int fd;

	snprintf(path, sizeof(path), "/sys/bus/vdpa/devices/%s/vmdev/paths", d->name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || read(fd, paths, sizeof(paths) - 1) <= 0)
		run_fail(run, 2, "%s", path);
	close(fd);
	return strstr(paths, "direct");
}

/* Reset, and all from the start, in shadow. */
static void dev_again(struct run *run, struct dev *d)
{
	unsigned int q, i;

	MUST(run, vc_reset(&d->c));
	MUST(run, dev_policy(run, d, "shadow"));
	MUST(run, vc_negotiate(&d->c, d->c.features));
	for (q = 0; q < d->nvqs; q++) {
		for (i = 0; i < CHAINS; i++)
			if (d->chains[q][i].busy)
				chain_free(run->mem, &d->chains[q][i]);
		d->done[q] = d->count[q];
		vq_clear(&d->vq[q]);
		mem_sync(run->mem, d->vq[q].desc, ring_length(&d->vq[q]));
		MUST(run, vq_attach(&d->vq[q], vq_fresh_base(&d->vq[q])));
		MUST(run, vq_enable(&d->vq[q], true));
	}
	d->off = 0;
	dev_driver_ok(run, d);
}

bool dev_lost(struct run *run, struct dev *d, int ret, bool was_direct)
{
	if (ret != -EILSEQ || !was_direct || d->in_order || !d->net)
		return false;
	if (!(vc_get_status(&d->c) & ST_NEEDS_RESET))
		run_fail(run, 2, "%s lost its rings, and does not know", d->name);
	run_say(run, "%s: lost", d->name);
	stats.lost++;
	dev_again(run, d);
	return true;
}

void dev_suspend(struct run *run, struct dev *d)
{
	bool was_direct = dev_is_direct(run, d);
	int ret = vc_suspend(&d->c);

	run_say(run, "%s: suspend: %d", d->name, ret);
	if (dev_lost(run, d, ret, was_direct))
		ret = vc_suspend(&d->c);
	MUST(run, ret);
	d->suspended = true;
	dev_check(run, d);
}

/* Hardware cannot start in the middle of a ring. */
static void allow_shadow(struct run *run, struct dev *d)
{
	if (!strcmp(d->policy, "direct"))
		MUST(run, dev_policy(run, d, "auto"));
}

void dev_resume(struct run *run, struct dev *d)
{
	allow_shadow(run, d);
	run_say(run, "%s: resume", d->name);
	MUST(run, vc_resume(&d->c));
	d->suspended = false;
	dev_check(run, d);
	stats.resumes++;
}

/* Suspended, reset, and on from where the rings are, as on another host. */
void dev_restart(struct run *run, struct dev *d)
{
	__u32 base[QUEUES];
	unsigned int i;

	for (i = 0; i < d->nvqs; i++)
		MUST(run, vc_vring_get(&d->c, VHOST_GET_VRING_BASE, i, &base[i]));
	run_say(run, "%s: restart, queue 0 at %#x", d->name, base[0]);
	allow_shadow(run, d);
	MUST(run, vc_reset(&d->c));
	MUST(run, vc_negotiate(&d->c, d->c.features));
	for (i = 0; i < d->nvqs; i++) {
		MUST(run, vq_attach(&d->vq[i], base[i]));
		MUST(run, vq_enable(&d->vq[i], true));
	}
	d->off = 0;
	dev_driver_ok(run, d);
	stats.restarts++;
}

void dev_enable(struct run *run, struct dev *d, unsigned int queue, bool on)
{
	if (on)
		allow_shadow(run, d);
	run_say(run, "%s: queue %u %s", d->name, queue, on ? "on" : "off");
	MUST(run, vq_enable(&d->vq[queue], on));
	d->off = on ? d->off & ~BIT64(queue) : d->off | BIT64(queue);
	stats.disables += !on;
	dev_check(run, d);
}

/* --- buffers ----------------------------------------------------------------------------- */
static void count_done(const struct dev *d, const struct chain *chain)
{
	if (d->net && chain->queue == NET_RX)
		stats.rx++;
	else if (d->net)
		stats.tx++;
	else if (chain->nin > 1)
		stats.reads++;
	else
		stats.other++;
}

static __u64 chain_room(const struct chain *chain)
{
	__u64 room = 0;
	unsigned int i;

	for (i = chain->nout; i < chain->nout + chain->nin; i++)
		room += chain->seg[i].len;
	return room;
}

static unsigned int reap_queue(struct run *run, struct dev *d, unsigned int queue)
{
	struct vq *vq = &d->vq[queue];
	struct chain *chain;
	unsigned int n = 0;
	__u32 len;

	while ((chain = vq_get(vq, &len))) {
		if (len > chain_room(chain))
			run_fail(run, 2, "%s: queue %u wrote %u bytes to %llu", d->name,
				 queue, len, chain_room(chain));
		count_done(d, chain);
		chain_free(run->mem, chain);
		d->done[queue]++;
		n++;
	}
	if (vq->error)
		run_fail(run, 2, "%s: queue %u gave back what it had not: %s", d->name, queue,
			 strerror(-vq->error));
	return n;
}

unsigned int dev_reap(struct run *run, struct dev *d)
{
	unsigned int i, n = 0;

	for (i = 0; i < d->nvqs; i++)
		n += reap_queue(run, d, i);
	return n;
}

static struct chain *unused_chain(struct dev *d, unsigned int queue)
{
	unsigned int i;

	for (i = 0; i < CHAINS; i++) {
		if (d->chains[queue][i].busy)
			continue;
		d->chains[queue][i].queue = queue;
		return &d->chains[queue][i];
	}
	return NULL;
}

/* So that one queue does not take all of a small window. */
static bool may_add(const struct run *run, const struct dev *d, unsigned int queue)
{
	__u32 most = run->mem->window * GRAIN / 8192 / 4;

	return d->count[queue] - d->done[queue] < (most > 2 ? most : 2);
}

static void add_some(struct run *run, struct dev *d, unsigned int queue, unsigned int n)
{
	struct chain *chain;
	unsigned int added = 0;

	while (added < n && may_add(run, d, queue)) {
		chain = unused_chain(d, queue);
		if (!chain || !chain_make(run, d, chain))
			break;
		added++;
	}
	if (!added)
		return;
	if (!(d->count[queue] % 5)) {
		struct rng r = rng_of(run->seed, 77, queue, d->count[queue]);

		ring_event(run->mem, d, queue, &r);
	}
	ring_kick(d, queue);
}

unsigned int dev_step(struct run *run, struct dev *d, unsigned int n)
{
	unsigned int i, done = dev_reap(run, d);

	for (i = 0; i < d->nvqs; i++)
		add_some(run, d, i, n);
	return done;
}

static bool differs_from_copy(const struct mem *m, const struct chain *chain)
{
	unsigned int i;

	for (i = chain->nout; i < chain->nout + chain->nin; i++)
		if (memcmp(chain->p[i], m->copy + (chain->p[i] - m->now), chain->seg[i].len))
			return true;
	return false;
}

/* Chains that were not used, and are not as they were copied; most of them for that reason. */
unsigned int dev_half_written(struct run *run, struct dev *d)
{
	unsigned int q, i, n = 0;

	for (q = 0; q < d->nvqs; q++)
		for (i = 0; i < CHAINS; i++)
			n += d->chains[q][i].busy &&
			     differs_from_copy(run->mem, &d->chains[q][i]);
	return n;
}

/* --- traffic ----------------------------------------------------------------------------- */
void traffic(struct run *run, unsigned int n)
{
	__u64 end = vc_now_ms() + 40;
	unsigned int i, done = 0;

	do {
		for (i = 0; i < run->ndevs; i++)
			done += dev_step(run, &run->dev[i], 4);
		if (done < n)
			vc_sleep_us(100);
	} while (done < n && vc_now_ms() < end);
}

/* Frames arrive when somebody sends some, all else has to come back. */
static bool all_moved(const struct dev *d, const __u32 *before)
{
	unsigned int i;

	for (i = 0; i < d->nvqs; i++)
		if (!(d->net && i == NET_RX) && !(d->off & BIT64(i)) &&
		    d->done[i] == before[i])
			return false;
	return true;
}

static void stands_still(struct run *run, struct dev *d)
{
	unsigned int i;

	for (i = 0; i < d->nvqs; i++) {
		const struct vq *vq = &d->vq[i];

		printf("# queue %u of %u: %u made, %u came back; avail %u, used %u%s%s\n",
		       i, vq->num, d->count[i], d->done[i], vq->avail_idx, vq->used_idx,
		       d->doorbell[i] ? ", doorbell" : "", d->off & BIT64(i) ? ", off" : "");
	}
	run_fail(run, 2, "%s stands still%s", d->name, dev_is_direct(run, d) ? ", direct" : "");
}

void traffic_moves(struct run *run, struct dev *d)
{
	__u64 end = vc_now_ms() + 3 * RIG_WAIT_MS;
	__u32 before[QUEUES];

	memcpy(before, d->done, sizeof(before));
	while (!all_moved(d, before)) {
		if (vc_now_ms() > end)
			stands_still(run, d);
		dev_step(run, d, 2);
		vc_sleep_us(100);
	}
}
