// SPDX-License-Identifier: GPL-2.0
/* Doorbells, interrupts and packets. */
#define _GNU_SOURCE
#include <endian.h>
#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "bench.h"

#define KICKS		64

/* An ethertype for experiments, to a station that is not there. */
static const __u8 header[] = {
	0x02, 0, 0, 0, 0, 0x01, 0x02, 0, 0, 0, 0, 0x02, 0x88, 0xb5,
};

/* Frame sizes as they are spoken of; on the wire they are 60 and 1514. */
const struct frame_size sizes[SIZES] = { { 64, 60 }, { 1500, 1514 } };

const unsigned int batches[BATCHES] = { 1, 32, 256 };

/* --- ends of a wire --- */

/* Buffers for rings that were laid out. */
void end_prepare(struct net_end *end)
{
	unsigned int i;

	for (i = 0; i < BENCH_NUM; i++) {
		/* As allocators do: none in two pages. */
		end->rx_buf[i] = vc_alloc(end->c, RIG_BUF, RIG_BUF);
		end->tx_buf[i] = vc_alloc(end->c, RIG_BUF, RIG_BUF);
		if (!end->rx_buf[i] || !end->tx_buf[i])
			die("buffers", -ENOMEM);
		memcpy(end->tx_buf[i] + NET_HDR, header, sizeof(header));
	}
}

/* A vDPA device that runs, without receive buffers and without interrupts; and @features of it. */
void end_vdpa_with(struct net_end *end, struct rig *r, const char *path, __u64 features)
{
	unsigned int i;

	check(path, rig_open(r, path));
	features |= BIT64(VIRTIO_RING_F_EVENT_IDX);
	check("features", rig_negotiate(r, r->c.offered & features));
	check("memory", rig_memory(r));
	for (i = 0; i < r->nvqs; i++) {
		check("ring", vq_init(&r->vq[i], &r->c, i, BENCH_NUM, false));
		vq_call_after(&r->vq[i], 0);
	}
	check("rings", rig_attach(r));
	check("enable", rig_enable(r, true));
	check("DRIVER_OK", rig_driver_ok(r));
	end->c = &r->c;
	end->rx = &r->vq[NET_RX];
	end->tx = &r->vq[NET_TX];
	end_prepare(end);
	end->bell = NULL;
	end->log = -1;
}

void end_vdpa(struct net_end *end, struct rig *r, const char *path)
{
	end_vdpa_with(end, r, path, 0);
}

/*
 * Maps the doorbell, if it can be. Queues in shadow are then polled, as from now on
 * nobody knows who rings it.
 */
static void end_map_bell(struct net_end *end)
{
	end->bell = vc_doorbell(end->c, NET_TX);
	/* The first time is a page fault. */
	if (end->bell)
		vc_ring(end->bell, NET_TX);
}

/* A doorbell that is mapped holds the device open. */
void end_close(struct net_end *end, struct rig *r)
{
	if (end->bell)
		munmap(end->bell, VC_PAGE);
	if (end->log >= 0)
		close(end->log);
	rig_close(r);
}

/*
 * Logs what the device writes, if that was asked for. Nobody reads the log: pages are
 * dirty already, as most are between two reports.
 */
static void end_log(struct net_end *end, const struct bench *b)
{
	if (b->log)
		end->log = log_start(b->log, end->c->iova, VC_ARENA_SIZE);
}

/*
 * A kick from user space where there is a doorbell: an interrupt that follows
 * at once then interrupts user space, as one that comes later does. To interrupt
 * the kernel costs less.
 */
static void ring_tx(void *arg)
{
	struct net_end *end = arg;

	if (end->bell)
		vc_ring(end->bell, NET_TX);
	else
		vq_kick(end->tx);
}

static unsigned int used(const struct vq *vq)
{
	const struct vring_used *used = vq->device;
	__u16 idx = le16toh(__atomic_load_n(&used->idx, __ATOMIC_ACQUIRE));

	return (__u16)(idx - vq->used_idx);
}

/* Spins until so much is complete; what of it only waited. */
__u64 spin_used(const struct vq *vq, unsigned int n)
{
	struct meter_spin s;
	__u64 end;

	meter_spin_begin(&s);
	end = s.last + BENCH_WAIT_MS * 1000000ULL;
	while (used(vq) < n) {
		meter_spin_step(&s);
		if (s.last > end)
			die("a completion that does not come", -ETIMEDOUT);
	}
	return s.idle;
}

/* Sleeps until so much is complete, and be it in parts. */
void sleep_used(struct vq *vq, unsigned int n)
{
	while (used(vq) < n)
		if (!vq_called(vq, BENCH_WAIT_MS))
			die("an interrupt that does not come", -ETIMEDOUT);
}

/* For meter_idle_do(): who sleeps when it comes must be woken. */
static void kick(void *vq)
{
	vq_kick(vq);
}

static void reap(struct vq *vq, unsigned int n)
{
	__u32 len;

	while (n--)
		if (!vq_get(vq, &len))
			die("completion", vq->error);
}

void end_offer_tx(struct net_end *end, unsigned int n, unsigned int len)
{
	unsigned int i;

	for (i = 0; i < n; i++) {
		struct vq_seg seg = { vc_iova(end->c, end->tx_buf[i]),
				      NET_HDR + len };

		check("offer", vq_add(end->tx, &seg, 1, 0, end->tx_buf[i]));
	}
}

/* Waits until the wire has it all. */
void end_settle_tx(struct net_end *end, unsigned int n)
{
	spin_used(end->tx, n);
	reap(end->tx, n);
}

/* A receive buffer, for another frame. */
void end_offer_again(struct net_end *end, __u8 *buf)
{
	struct vq_seg seg = { vc_iova(end->c, buf), RIG_BUF };

	check("offer", vq_add(end->rx, &seg, 0, 1, buf));
}

/* The first n receive buffers, with a kick. */
void end_offer_rx(struct net_end *end, unsigned int n)
{
	unsigned int i;

	for (i = 0; i < n; i++)
		end_offer_again(end, end->rx_buf[i]);
	vq_kick(end->rx);
}

/* Takes completions, and offers their buffers again. */
void end_reap_rx(struct net_end *end, unsigned int n, bool offer)
{
	__u32 len;
	__u8 *buf;

	while (n--) {
		buf = vq_get(end->rx, &len);
		if (!buf)
			die("completion", end->rx->error);
		if (offer)
			end_offer_again(end, buf);
	}
}

/* --- doorbells --- */

void bench_kick(struct vq *vq, unsigned int rounds)
{
	struct meter_set set;
	unsigned int i, k;
	struct meter m;

	/* Workers that a kick wakes run at once. */
	meter_prio(METER_LAST);
	meter_set_init(&set, rounds);
	for (i = 0; i < rounds; i++) {
		meter_begin(&m);
		for (k = 0; k < KICKS; k++)
			vq_kick(vq);
		meter_add(&set, meter_end(&m) / KICKS);
	}
	meter_prio(METER_NORMAL);
	meter_report(&set, "kick");
}

void case_kick(const struct bench *b)
{
	struct net_end end;
	struct rig r;

	end_vdpa(&end, &r, b->dev);
	bench_kick(end.tx, b->rounds);
	end_close(&end, &r);
}

void case_doorbell(const struct bench *b)
{
	struct net_end end;
	struct meter_set set;
	unsigned int i, k;
	struct meter m;
	struct rig r;

	end_vdpa(&end, &r, b->dev);
	end_map_bell(&end);
	if (!end.bell)
		die("doorbell", -EOPNOTSUPP);
	meter_set_init(&set, b->rounds);
	for (i = 0; i < b->rounds; i++) {
		meter_begin(&m);
		for (k = 0; k < KICKS; k++)
			vc_ring(end.bell, NET_TX);
		meter_add(&set, meter_end(&m) / KICKS);
	}
	meter_report(&set, "doorbell");
	end_close(&end, &r);
}

/* --- interrupts --- */

/* How long to look for an interrupt after its completion was seen. */
#define LINGER		1000

static unsigned int wakes;

static unsigned int woken(void)
{
	return __atomic_load_n(&wakes, __ATOMIC_RELAXED);
}

static void *sleeper(void *arg)
{
	/* Does not end by itself: see case_interrupt(). */
	for (;;)
		if (vq_called(arg, BENCH_WAIT_MS))
			__atomic_fetch_add(&wakes, 1, __ATOMIC_RELAXED);
	return NULL;
}

/*
 * One packet, from its kick until well after its completion, less what only
 * waited. When within that time the interrupt comes does not matter.
 */
static double one_packet(struct net_end *end, bool interrupt)
{
	struct meter_spin s;
	struct meter m;
	unsigned int i;
	double cost;
	__u64 idle;

	vq_call_after(end->tx, interrupt);
	end_offer_tx(end, 1, sizes[0].len);
	meter_begin(&m);
	ring_tx(end);
	idle = spin_used(end->tx, 1);
	meter_spin_begin(&s);
	for (i = 0; i < LINGER; i++)
		meter_spin_step(&s);
	cost = meter_end(&m) - idle - s.idle;
	reap(end->tx, 1);
	return cost;
}

/* Did it come in time? */
static bool came(struct vq *vq, bool sleeping, unsigned int before)
{
	return sleeping ? woken() != before : vq_called(vq, 0);
}

/* What a packet costs with an interrupt, less what it costs without. */
static void bench_interrupt(struct net_end *end, unsigned int rounds,
			    bool sleeping, const char *name)
{
	unsigned int i, before, late = 0;
	struct meter_set set;
	double with, without;

	meter_set_init(&set, rounds);
	for (i = 0; i < rounds && late < rounds; i++) {
		without = one_packet(end, false);
		before = woken();
		with = one_packet(end, true);
		if (came(end->tx, sleeping, before)) {
			meter_add(&set, with - without);
			continue;
		}
		i--;
		late++;
		vc_sleep_us(10000);
		came(end->tx, sleeping, before);
	}
	if (late == rounds)
		die("interrupts that do not come", -ETIMEDOUT);
	meter_report(&set, name);
}

void case_interrupt(const struct bench *b)
{
	struct net_end end;
	pthread_t thread;
	struct rig r;

	end_vdpa(&end, &r, b->dev);
	end_map_bell(&end);
	meter_prio(METER_LAST);
	bench_interrupt(&end, b->rounds, false, "interrupt");
	/* Threads inherit. */
	meter_prio(METER_NORMAL);
	check("thread", -pthread_create(&thread, NULL, sleeper, end.tx));
	vc_sleep_us(1000);
	meter_prio(METER_LAST);
	bench_interrupt(&end, b->rounds, true, "interrupt-wake");
	meter_prio(METER_NORMAL);
	pthread_cancel(thread);
	pthread_join(thread, NULL);
	end_close(&end, &r);
}

/* --- packets sent --- */

static double tx_poll(struct net_end *end, unsigned int batch, unsigned int len)
{
	struct meter m;
	__u64 idle;

	vq_call_after(end->tx, 0);
	meter_begin(&m);
	end_offer_tx(end, batch, len);
	vq_kick(end->tx);
	idle = spin_used(end->tx, batch);
	reap(end->tx, batch);
	return (meter_end(&m) - idle) / batch;
}

static double tx_sleep(struct net_end *end, unsigned int batch,
		       unsigned int len)
{
	struct meter m;

	meter_begin(&m);
	vq_call_after(end->tx, batch);
	end_offer_tx(end, batch, len);
	meter_idle_do(kick, end->tx);
	sleep_used(end->tx, batch);
	reap(end->tx, batch);
	return meter_end(&m) / batch;
}

static void tx_rounds(struct net_end *end, unsigned int rounds, bool poll,
		      unsigned int size, unsigned int batch)
{
	const char *how = poll ? "poll" : "sleep";
	struct meter_set set;
	unsigned int i;

	if (!meter_wanted("tx-%s/%u/%u", how, sizes[size].name, batch))
		return;
	meter_set_init(&set, rounds);
	for (i = 0; i < rounds; i++)
		meter_add(&set, (poll ? tx_poll : tx_sleep)(end, batch,
							    sizes[size].len));
	meter_report(&set, "tx-%s/%u/%u", how, sizes[size].name, batch);
}

void bench_tx(struct net_end *end, unsigned int rounds)
{
	unsigned int size, i;

	meter_prio(METER_LAST);
	for (size = 0; size < SIZES; size++)
		for (i = 0; i < BATCHES; i++)
			tx_rounds(end, rounds, true, size, batches[i]);
	meter_prio(METER_NORMAL);
	check("idle", meter_idle_start());
	for (size = 0; size < SIZES; size++)
		for (i = 0; i < BATCHES; i++)
			tx_rounds(end, rounds, false, size, batches[i]);
	meter_idle_stop();
}

void case_tx(const struct bench *b)
{
	struct net_end end;
	struct rig r;

	end_vdpa(&end, &r, b->dev);
	end_log(&end, b);
	check_direct(b);
	bench_tx(&end, b->rounds);
	check_direct(b);
	end_close(&end, &r);
}

/* --- packets received --- */

/* As drivers do with VIRTIO_RING_F_EVENT_IDX: a kick if the device asked for one. */
void kick_if_wanted(struct vq *vq, unsigned int offered)
{
	const struct vring_used *used = vq->device;
	const __virtio16 *event = (const __virtio16 *)&used->ring[vq->num];

	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (vring_need_event(le16toh(__atomic_load_n(event, __ATOMIC_RELAXED)),
			     vq->avail_idx, vq->avail_idx - offered))
		vq_kick(vq);
}

/*
 * The sender's work is not counted but for a store to its doorbell: what that sets
 * off may be there with the next instruction.
 */
static double rx_poll(struct net_end *from, struct net_end *to,
		      unsigned int batch, unsigned int len)
{
	struct meter m;
	double cost;
	__u64 idle;

	vq_call_after(to->rx, 0);
	end_offer_tx(from, batch, len);
	meter_begin(&m);
	ring_tx(from);
	idle = spin_used(to->rx, batch);
	end_reap_rx(to, batch, true);
	kick_if_wanted(to->rx, batch);
	cost = (meter_end(&m) - idle) / batch;
	end_settle_tx(from, batch);
	return cost;
}

static double rx_sleep(struct net_end *from, struct net_end *to,
		       unsigned int batch, unsigned int len)
{
	struct meter m;
	double cost;

	end_offer_tx(from, batch, len);
	meter_begin(&m);
	vq_call_after(to->rx, batch);
	meter_idle_do(ring_tx, from);
	sleep_used(to->rx, batch);
	end_reap_rx(to, batch, true);
	kick_if_wanted(to->rx, batch);
	cost = meter_end(&m) / batch;
	end_settle_tx(from, batch);
	return cost;
}

static void rx_rounds(struct net_end *from, struct net_end *to,
		      unsigned int rounds, bool poll, unsigned int size,
		      unsigned int batch)
{
	const char *how = poll ? "poll" : "sleep";
	unsigned int i, len = sizes[size].len;
	struct meter_set set;

	if (!meter_wanted("rx-%s/%u/%u", how, sizes[size].name, batch))
		return;
	meter_set_init(&set, rounds);
	for (i = 0; i < rounds; i++)
		meter_add(&set, (poll ? rx_poll : rx_sleep)(from, to, batch, len));
	meter_report(&set, "rx-%s/%u/%u", how, sizes[size].name, batch);
}

/* A wire may hold frames of those who were there before: take them all. */
static void rx_clear_wire(struct net_end *from, struct net_end *to)
{
	const __u32 mark = getpid();
	__u32 *at = (__u32 *)(from->tx_buf[0] + NET_HDR + sizeof(header));
	bool seen = false;
	__u32 len;
	__u8 *buf;

	memcpy(at, &mark, sizeof(mark));
	end_offer_tx(from, 1, sizes[0].len);
	vq_kick(from->tx);
	while (!seen) {
		spin_used(to->rx, 1);
		buf = vq_get(to->rx, &len);
		if (!buf)
			die("completion", to->rx->error);
		seen = !memcmp(buf + NET_HDR + sizeof(header), &mark,
			       sizeof(mark));
		memset(buf, 0, NET_HDR + sizeof(header) + sizeof(mark));
		end_offer_again(to, buf);
		vq_kick(to->rx);
	}
	end_settle_tx(from, 1);
}

/* Each buffer was received in, and so its page must be in the log. */
static void rx_check_log(struct net_end *to)
{
	__u64 bitmap[VC_ARENA_SIZE / VC_PAGE / 64] = { 0 };
	unsigned int i;

	if (to->log < 0)
		return;
	log_report(to->log, to->c->iova, VC_ARENA_SIZE, bitmap);
	for (i = 0; i < BENCH_NUM; i++) {
		__u64 page = (vc_iova(to->c, to->rx_buf[i]) - to->c->iova) /
			     VC_PAGE;

		if (!(bitmap[page / 64] & 1ULL << page % 64))
			die("a page that was written is not in the log", -EBADMSG);
	}
}

void case_rx(const struct bench *b)
{
	struct net_end from, to;
	unsigned int size, i;
	struct rig a, z;

	end_vdpa(&to, &z, b->dev);
	end_log(&to, b);
	end_offer_rx(&to, BENCH_NUM);
	end_vdpa(&from, &a, b->peer);
	end_map_bell(&from);
	if (!from.bell)
		die("doorbell", -EOPNOTSUPP);
	rx_clear_wire(&from, &to);

	/* As in bench_tx(). */
	meter_prio(METER_LAST);
	/* Every buffer once: from then on its page is dirty. */
	for (i = 0; i < BENCH_NUM; i++)
		rx_poll(&from, &to, 1, sizes[0].len);
	check_direct(b);
	for (size = 0; size < SIZES; size++)
		for (i = 0; i < BATCHES; i++)
			rx_rounds(&from, &to, b->rounds, true, size, batches[i]);
	meter_prio(METER_NORMAL);
	check("idle", meter_idle_start());
	for (size = 0; size < SIZES; size++)
		for (i = 0; i < BATCHES; i++)
			rx_rounds(&from, &to, b->rounds, false, size,
				  batches[i]);
	meter_idle_stop();
	/* A report is when hardware that lies is found out: it is direct after that, too. */
	rx_check_log(&to);
	check_direct(b);
	end_close(&from, &a);
	end_close(&to, &z);
}
