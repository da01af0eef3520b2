// SPDX-License-Identifier: GPL-2.0
/*
 * Packets from the host's own network to a driver: what is sent on a tap, or on the port
 * of a device that is software.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <linux/if_packet.h>
#include <linux/virtio_net.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench.h"

/* Takes frames and drops them: what is sent there costs only the sender (bench.sh makes it). */
#define HOST_NULL	"benchnull"

#define HOST_SNDBUF	(16 << 20)

/**
 * struct host - whoever sends to a driver
 * @end: of the driver
 * @fd: its socket, on the interface
 * @null: another, on HOST_NULL
 * @batch: frames to send at once
 * @len: bytes of each
 * @offset: where the frame begins in each of net_end.tx_buf
 * @same: or NULL: this one, each time
 * @used: buffers that they take
 */
struct host {
	struct net_end *end;
	int fd;
	int null;
	unsigned int batch;
	unsigned int len;
	unsigned int offset;
	const void *same;
	unsigned int used;
};

/* Sets an interface up. */
void host_up(const char *name)
{
	struct ifreq ifr = { .ifr_flags = IFF_UP };
	int s = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	snprintf(ifr.ifr_name, IFNAMSIZ, "%s", name);
	if (s < 0 || ioctl(s, SIOCSIFFLAGS, &ifr))
		die(name, -errno);
	close(s);
}

static int packet_open(const char *name, bool header)
{
	struct sockaddr_ll addr = { .sll_family = AF_PACKET };
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	int room = HOST_SNDBUF, on = header;

	addr.sll_ifindex = if_nametoindex(name);
	if (fd < 0 || !addr.sll_ifindex ||
	    setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &room, sizeof(room)) ||
	    setsockopt(fd, SOL_PACKET, PACKET_VNET_HDR, &on, sizeof(on)) ||
	    bind(fd, (struct sockaddr *)&addr, sizeof(addr)))
		die(name, -errno);
	return fd;
}

static void host_open(struct host *host, struct net_end *end, const char *name, bool header)
{
	host->end = end;
	host->fd = packet_open(name, header);
	host->null = packet_open(HOST_NULL, header);
}

static void host_close(struct host *host)
{
	close(host->fd);
	close(host->null);
}

static void send_all(const struct host *host, int fd)
{
	struct mmsghdr msgs[BENCH_NUM];
	struct iovec iov[BENCH_NUM];
	unsigned int i, sent = 0;

	memset(msgs, 0, host->batch * sizeof(msgs[0]));
	for (i = 0; i < host->batch; i++) {
		iov[i].iov_base = host->same ? (void *)host->same :
				  host->end->tx_buf[i] + host->offset;
		iov[i].iov_len = host->len;
		msgs[i].msg_hdr.msg_iov = &iov[i];
		msgs[i].msg_hdr.msg_iovlen = 1;
	}
	while (sent < host->batch) {
		int ret = sendmmsg(fd, msgs + sent, host->batch - sent, 0);

		if (ret <= 0)
			die("packet socket", -errno);
		sent += ret;
	}
}

/* All at once, as if from another CPU: no worker runs before the last frame was sent. */
static void inject(const struct host *host, int fd)
{
	meter_prio(METER_FIRST);
	send_all(host, fd);
	meter_prio(METER_LAST);
}

static void inject_now(void *arg)
{
	const struct host *host = arg;

	inject(host, host->fd);
}

/* What it costs only to send. */
static double sender(const struct host *host, unsigned int rounds)
{
	struct meter_set set;
	struct meter m;
	unsigned int i;

	meter_prio(METER_LAST);
	meter_set_init(&set, rounds);
	for (i = 0; i < rounds; i++) {
		meter_begin(&m);
		inject(host, host->null);
		meter_add(&set, meter_end(&m));
	}
	return meter_take(&set);
}

static double host_poll(struct host *host)
{
	struct net_end *end = host->end;
	struct meter m;
	__u64 idle;

	vq_call_after(end->rx, 0);
	meter_begin(&m);
	inject(host, host->fd);
	idle = spin_used(end->rx, host->used);
	end_reap_rx(end, host->used, true);
	kick_if_wanted(end->rx, host->used);
	return meter_end(&m) - idle;
}

static double host_sleep(struct host *host)
{
	struct net_end *end = host->end;
	struct meter m;

	meter_begin(&m);
	vq_call_after(end->rx, host->used);
	meter_idle_do(inject_now, host);
	sleep_used(end->rx, host->used);
	end_reap_rx(end, host->used, true);
	kick_if_wanted(end->rx, host->used);
	return meter_end(&m);
}

/* From when the frames are handed to the interface: the sender is taken off. */
static void host_rounds(struct host *host, unsigned int rounds, bool poll, const char *name)
{
	struct meter_set set;
	unsigned int i;
	double less;

	if (!meter_wanted("%s", name))
		return;
	less = sender(host, rounds);
	meter_prio(poll ? METER_LAST : METER_NORMAL);
	if (!poll)
		check("idle", meter_idle_start());
	meter_set_init(&set, rounds);
	for (i = 0; i < rounds; i++)
		meter_add(&set, ((poll ? host_poll : host_sleep)(host) - less) / host->batch);
	if (!poll)
		meter_idle_stop();
	meter_prio(METER_NORMAL);
	meter_report(&set, "%s", name);
}

static void host_sizes(struct host *host, unsigned int rounds, bool poll)
{
	unsigned int size, i;
	char name[64];

	for (size = 0; size < SIZES; size++)
		for (i = 0; i < BATCHES; i++) {
			host->batch = batches[i];
			host->used = batches[i];
			host->len = sizes[size].len;
			snprintf(name, sizeof(name), "rx-%s/%u/%u", poll ? "poll" : "sleep",
				 sizes[size].name, host->batch);
			host_rounds(host, rounds, poll, name);
		}
}

/**
 * bench_host_rx() - what a driver receives from the host's network
 * @end: the driver, its receive buffers not offered yet
 * @name: interface
 * @rounds: how often
 */
void bench_host_rx(struct net_end *end, const char *name, unsigned int rounds)
{
	struct host host = { .offset = NET_HDR };

	host_open(&host, end, name, false);
	end_offer_rx(end, BENCH_NUM);
	host_sizes(&host, rounds, true);
	host_sizes(&host, rounds, false);
	host_close(&host);
}

/**
 * bench_host_gso() - the same with one frame that is not segmented yet
 * @end: the driver, with mergeable buffers; none offered yet
 * @name: interface
 * @packet: virtio_net_hdr and frame
 * @len: bytes of both
 * @batch: so many at once
 * @n: how many of these
 * @rounds: how often
 */
void bench_host_gso(struct net_end *end, const char *name, const void *packet, unsigned int len,
		    const unsigned int *batch, unsigned int n, unsigned int rounds)
{
	unsigned int buffers, bytes = NET_HDR + len - sizeof(struct virtio_net_hdr);
	struct host host = { .same = packet, .len = len };
	char what[64];

	buffers = (bytes + RIG_BUF - 1) / RIG_BUF;
	host_open(&host, end, name, true);
	end_offer_rx(end, BENCH_NUM);
	while (n--) {
		host.batch = *batch++;
		host.used = host.batch * buffers;
		snprintf(what, sizeof(what), "rx-gso-poll/%u", host.batch);
		host_rounds(&host, rounds, true, what);
	}
	host_close(&host);
}

void case_host_rx(const struct bench *b)
{
	struct net_end end;
	struct rig r;

	end_vdpa(&end, &r, b->dev);
	host_up(b->port);
	bench_host_rx(&end, b->port, b->rounds);
	end_close(&end, &r);
}
