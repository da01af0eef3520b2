// SPDX-License-Identifier: GPL-2.0
/*
 * What a packet of a guest costs, all in all: another device on its wire pings it, and
 * what anybody does until the answer is there counts, QEMU, the kernel and the guest.
 * So what it costs to have a queue in shadow, be it ours or QEMU's, is a difference:
 * the guest does the same each time.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <net/ethernet.h>
#include <net/if_arp.h>
#include <netinet/if_ether.h>
#include <netinet/ip.h>
#include <netinet/ip_icmp.h>
#include <stdio.h>
#include <string.h>

#include "bench.h"

#define GUEST_IP	0x0a090002
#define OUR_IP		0x0a090001

static const __u8 guest_mac[ETH_ALEN] = { 0x52, 0x54, 0, 0xbe, 0, 2 };
static const __u8 our_mac[ETH_ALEN] = { 0x02, 0, 0, 0, 0, 0x02 };

/* In one go; the guest's queue holds as many. */
static const unsigned int bursts[] = { 1, 32 };

struct arp_frame {
	struct ether_header eth;
	struct ether_arp arp;
} METER_ATTR((packed));

struct echo_frame {
	struct ether_header eth;
	struct iphdr ip;
	struct icmphdr icmp;
} METER_ATTR((packed));

static __u16 checksum(const void *p, unsigned int len)
{
	const __u8 *at = p;
	__u32 sum = 0;
	unsigned int i;

	for (i = 0; i < len; i++)
		sum += i & 1 ? at[i] : at[i] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return htons(~sum);
}

static void put_eth(struct ether_header *eth, __u16 type)
{
	memcpy(eth->ether_dhost, guest_mac, ETH_ALEN);
	memcpy(eth->ether_shost, our_mac, ETH_ALEN);
	eth->ether_type = htons(type);
}

static void put_arp(__u8 *frame, __u16 op)
{
	const __u32 from = htonl(OUR_IP), to = htonl(GUEST_IP);
	struct arp_frame f = { 0 };

	put_eth(&f.eth, ETHERTYPE_ARP);
	f.arp.arp_hrd = htons(ARPHRD_ETHER);
	f.arp.arp_pro = htons(ETHERTYPE_IP);
	f.arp.arp_hln = ETH_ALEN;
	f.arp.arp_pln = sizeof(from);
	f.arp.arp_op = htons(op);
	memcpy(f.arp.arp_sha, our_mac, ETH_ALEN);
	memcpy(f.arp.arp_tha, guest_mac, ETH_ALEN);
	memcpy(f.arp.arp_spa, &from, sizeof(from));
	memcpy(f.arp.arp_tpa, &to, sizeof(to));
	memcpy(frame, &f, sizeof(f));
}

static void put_echo(__u8 *frame, unsigned int len)
{
	unsigned int ip_len = len - sizeof(struct ether_header);
	struct echo_frame f = { 0 };

	memset(frame, 0, len);
	put_eth(&f.eth, ETHERTYPE_IP);
	f.ip.version = 4;
	f.ip.ihl = sizeof(f.ip) / 4;
	f.ip.tot_len = htons(ip_len);
	f.ip.ttl = 64;
	f.ip.protocol = IPPROTO_ICMP;
	f.ip.saddr = htonl(OUR_IP);
	f.ip.daddr = htonl(GUEST_IP);
	f.ip.check = checksum(&f.ip, sizeof(f.ip));
	f.icmp.type = ICMP_ECHO;
	/* All behind it is 0. */
	f.icmp.checksum = checksum(&f.icmp, sizeof(f.icmp));
	memcpy(frame, &f, sizeof(f));
}

/**
 * struct wire - our end of the guest's wire
 * @end: the device
 * @sent: frames that were sent and not reaped
 * @next: transmit buffer to use next
 * @echoes: answers
 * @arps: the guest told its address
 * @idle: what only waited
 */
struct wire {
	struct net_end end;
	unsigned int sent;
	unsigned int next;
	unsigned int echoes;
	unsigned int arps;
	__u64 idle;
};

static __u8 *next_frame(struct wire *w)
{
	return w->end.tx_buf[w->next % BENCH_NUM] + NET_HDR;
}

static void offer(struct wire *w, unsigned int len)
{
	__u8 *buf = w->end.tx_buf[w->next++ % BENCH_NUM];
	struct vq_seg seg = { vc_iova(w->end.c, buf), NET_HDR + len };

	check("offer", vq_add(w->end.tx, &seg, 1, 0, buf));
	w->sent++;
}

static void send_arp(struct wire *w, __u16 op)
{
	put_arp(next_frame(w), op);
	offer(w, sizes[0].len);
	vq_kick(w->end.tx);
}

static void take_frame(struct wire *w, const __u8 *frame, __u32 len)
{
	struct echo_frame echo;
	struct arp_frame arp;

	if (len < NET_HDR + sizeof(arp))
		return;
	memcpy(&arp, frame, sizeof(arp));
	if (memcmp(arp.eth.ether_shost, guest_mac, ETH_ALEN))
		return;
	if (arp.eth.ether_type == htons(ETHERTYPE_ARP)) {
		if (arp.arp.arp_op == htons(ARPOP_REQUEST))
			send_arp(w, ARPOP_REPLY);
		else
			w->arps++;
		return;
	}
	memcpy(&echo, frame, sizeof(echo));
	if (echo.eth.ether_type == htons(ETHERTYPE_IP) &&
	    echo.ip.protocol == IPPROTO_ICMP &&
	    echo.icmp.type == ICMP_ECHOREPLY)
		w->echoes++;
}

/* Takes all that is there; whether that was anything. */
static bool pump(struct wire *w)
{
	unsigned int n = 0;
	__u32 len;
	__u8 *buf;

	while ((buf = vq_get(w->end.tx, &len)))
		w->sent--;
	while ((buf = vq_get(w->end.rx, &len))) {
		take_frame(w, buf + NET_HDR, len);
		end_offer_again(&w->end, buf);
		n++;
	}
	if (w->end.rx->error || w->end.tx->error)
		die("the wire", w->end.rx->error ? : w->end.tx->error);
	if (n)
		kick_if_wanted(w->end.rx, n);
	return n;
}

/* Until @done is as large, or for so long; what it took to wait is told apart. */
static bool await(struct wire *w, const unsigned int *done, unsigned int n,
		  __u64 limit)
{
	struct meter_spin s;
	__u64 end = meter_now() + limit;

	while (*done < n) {
		meter_spin_begin(&s);
		while (!vq_pending(w->end.rx) && s.last < end)
			meter_spin_step(&s);
		w->idle += s.idle;
		if (!pump(w))
			return false;
	}
	return true;
}

/* How long answers may take, and how many pings may have none. */
#define ECHO_WAIT	200000000ULL
#define ECHO_LOST	10

/* What a packet took; negative if one was lost. */
static double echo(struct wire *w, unsigned int n, unsigned int len)
{
	unsigned int i, until = w->echoes + n;
	struct meter m;
	double cost;

	for (i = 0; i < n; i++) {
		put_echo(next_frame(w), len);
		offer(w, len);
	}
	w->idle = 0;
	meter_begin(&m);
	vq_kick(w->end.tx);
	if (!await(w, &w->echoes, until, ECHO_WAIT))
		return -1;
	/* What follows an answer: interrupts, and QEMU going to sleep. */
	await(w, &w->echoes, until + 1, 1000000);
	cost = meter_end(&m) - w->idle;
	return cost / n / 2;
}

/*
 * Ways to serve the guest's rings that take turns: how interrupts and bursts fall in with
 * each other differs from boot to boot, and with time, by more than what is looked for.
 */
struct way {
	const char *contender;
	const char *policy;
	struct meter_set set;
};

#define WAYS	2
#define TURN	26
/* Bursts fall in with interrupts in more than one way. */
#define MORE	3

static void choose(const struct bench *b, const struct way *way)
{
	FILE *f;

	if (!b->policy)
		return;
	f = fopen(b->policy, "w");
	if (!f || fputs(way->policy, f) < 0 || fclose(f))
		die(b->policy, -errno);
}

/* The first one of a turn does not count: the guest may have to learn the way. */
static void take_turn(struct wire *w, struct way *way, unsigned int rounds,
		      unsigned int len, unsigned int burst)
{
	unsigned int i, lost = 0;
	double cost;

	echo(w, burst, len);
	for (i = 0; i < rounds; i++) {
		cost = echo(w, burst, len);
		if (cost >= 0)
			meter_add(&way->set, cost);
		else if (++lost > ECHO_LOST)
			die("answers that do not come", -ETIMEDOUT);
	}
}

static void bench_echo(struct wire *w, const struct bench *b, unsigned int size,
		       unsigned int burst)
{
	struct way ways[WAYS] = {
		{ .contender = "vmdev", .policy = "auto" },
		{ .contender = "shadow", .policy = "shadow" },
	};
	unsigned int rounds = burst > 1 ? MORE * b->rounds : b->rounds;
	unsigned int i, done, n = b->policy ? WAYS : 1;

	for (i = 0; i < n; i++)
		meter_set_init(&ways[i].set, rounds);
	for (done = 0; done < rounds; done += TURN) {
		for (i = 0; i < n; i++) {
			choose(b, &ways[i]);
			take_turn(w, &ways[i], TURN, sizes[size].len, burst);
		}
	}
	for (i = 0; i < n; i++) {
		if (b->policy)
			meter_as(ways[i].contender);
		meter_report(&ways[i].set, "echo/%u/%u", sizes[size].name, burst);
	}
}

/* The guest may take its time to come up. */
static void meet(struct wire *w)
{
	unsigned int i;

	for (i = 0; i < 100 && !w->arps; i++) {
		send_arp(w, ARPOP_REQUEST);
		await(w, &w->arps, 1, 100000000);
	}
	if (!w->arps)
		die("the guest does not answer", -ETIMEDOUT);
}

void case_nested(const struct bench *b)
{
	struct wire w = { 0 };
	unsigned int size, i;
	struct rig r;

	meter_keep_ticks();
	end_vdpa(&w.end, &r, b->dev);
	end_offer_rx(&w.end, BENCH_NUM);
	meter_prio(METER_LAST);
	meet(&w);
	for (size = 0; size < SIZES; size++)
		for (i = 0; i < ARRAY_SIZE(bursts); i++)
			bench_echo(&w, b, size, bursts[i]);
	meter_prio(METER_NORMAL);
	rig_close(&r);
}
