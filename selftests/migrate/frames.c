// SPDX-License-Identifier: GPL-2.0
/*
 * Frames of an ethertype for experiments, to see what a NIC lets through and to tell a guest
 * that has no other ear what to do:
 *
 *	frames IF			listen, and do what frames say
 *	frames IF ADDR[.VLAN] TEXT	send one
 *
 * The listener prints "FRAME TEXT" for each that comes. If TEXT is one of these it does it:
 *
 *	add ADDR	let frames to that address in, unicast or multicast
 *	vlan N		let frames of that VLAN in
 *	promisc, calm	let everything in, or not
 *	pairs N		use so many queue pairs
 *	say CPU TEXT	broadcast a frame from that CPU
 *
 * and prints "DONE TEXT", or "FAILED TEXT: why".
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <linux/ethtool.h>
#include <linux/filter.h>
#include <linux/if_packet.h>
#include <linux/if_vlan.h>
#include <linux/sockios.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define ETHERTYPE	0x88b5
#define VLAN_TAG	4
#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))

struct frame {
	__u8 dst[ETH_ALEN];
	__u8 src[ETH_ALEN];
	__u8 rest[2 * VLAN_TAG + 2 + 100];
};

static const char *ifname;
static int fd;

/* A memory address of a NIC; 0 or -1 with errno. */
static int parse(const char *text, __u8 addr[ETH_ALEN])
{
	if (sscanf(text, "%hhx:%hhx:%hhx:%hhx:%hhx:%hhx", addr, addr + 1, addr + 2, addr + 3,
		   addr + 4, addr + 5) == ETH_ALEN)
		return 0;
	errno = EINVAL;
	return -1;
}

static int packet_socket(void)
{
	/* All that comes is looked at before VLANs are, and only ours is kept. */
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_H | BPF_ABS, 12),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ETHERTYPE, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, 0xffff),
		BPF_STMT(BPF_RET | BPF_K, 0),
	};
	struct sock_fprog prog = { .len = 4, .filter = code };
	struct sockaddr_ll addr = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons(ETH_P_ALL),
		.sll_ifindex = if_nametoindex(ifname),
	};
	int s = socket(AF_PACKET, SOCK_RAW, 0);

	if (s < 0 || setsockopt(s, SOL_SOCKET, SO_ATTACH_FILTER, &prog, sizeof(prog)) ||
	    bind(s, (void *)&addr, sizeof(addr))) {
		perror("frames: socket");
		exit(1);
	}
	return s;
}

/* VLAN 0 is none. */
static int send_frame(const __u8 *dst, unsigned int vlan, const char *text)
{
	struct ifreq req = { 0 };
	struct frame frame = { 0 };
	__u16 words[3] = { htons(ETHERTYPE) };
	size_t at = 2;

	snprintf(req.ifr_name, IFNAMSIZ, "%s", ifname);
	if (ioctl(fd, SIOCGIFHWADDR, &req))
		return -1;
	memcpy(frame.dst, dst, ETH_ALEN);
	memcpy(frame.src, req.ifr_hwaddr.sa_data, ETH_ALEN);
	if (vlan) {
		words[0] = htons(ETH_P_8021Q);
		words[1] = htons(vlan);
		words[2] = htons(ETHERTYPE);
		at = sizeof(words);
	}
	memcpy(frame.rest, words, at);
	snprintf((char *)frame.rest + at, sizeof(frame.rest) - at, "%s", text);
	return send(fd, &frame, sizeof(frame), 0) < 0 ? -1 : 0;
}

/* --- what a frame may ask for --------------------------------------------------------- */

static int membership(int type, int add, const __u8 *addr)
{
	struct packet_mreq mreq = {
		.mr_ifindex = if_nametoindex(ifname),
		.mr_type = type,
		.mr_alen = addr ? ETH_ALEN : 0,
	};

	if (addr)
		memcpy(mreq.mr_address, addr, ETH_ALEN);
	return setsockopt(fd, SOL_PACKET, add ? PACKET_ADD_MEMBERSHIP : PACKET_DROP_MEMBERSHIP,
			  &mreq, sizeof(mreq));
}

static int do_add(const char *arg)
{
	__u8 addr[ETH_ALEN];

	if (parse(arg, addr))
		return -1;
	return membership(addr[0] & 1 ? PACKET_MR_MULTICAST : PACKET_MR_UNICAST, 1, addr);
}

static int do_promisc(const char *arg)
{
	(void)arg;
	return membership(PACKET_MR_PROMISC, 1, NULL);
}

static int do_calm(const char *arg)
{
	(void)arg;
	return membership(PACKET_MR_PROMISC, 0, NULL);
}

static int do_vlan(const char *arg)
{
	struct vlan_ioctl_args args = { .cmd = ADD_VLAN_CMD, .u.VID = atoi(arg) };

	snprintf(args.device1, sizeof(args.device1), "%s", ifname);
	return ioctl(fd, SIOCSIFVLAN, &args);
}

static int do_pairs(const char *arg)
{
	struct ethtool_channels channels = { .cmd = ETHTOOL_GCHANNELS };
	struct ifreq req = { .ifr_data = (void *)&channels };

	snprintf(req.ifr_name, IFNAMSIZ, "%s", ifname);
	if (ioctl(fd, SIOCETHTOOL, &req))
		return -1;
	channels.cmd = ETHTOOL_SCHANNELS;
	channels.combined_count = atoi(arg);
	return ioctl(fd, SIOCETHTOOL, &req);
}

static int do_say(const char *arg)
{
	static const __u8 all[ETH_ALEN] = { 255, 255, 255, 255, 255, 255 };
	cpu_set_t cpu, any;
	char *text;
	int ret;

	CPU_ZERO(&cpu);
	CPU_SET(strtoul(arg, &text, 10), &cpu);
	if (sched_getaffinity(0, sizeof(any), &any) || sched_setaffinity(0, sizeof(cpu), &cpu))
		return -1;
	ret = send_frame(all, 0, text + strspn(text, " "));
	sched_setaffinity(0, sizeof(any), &any);
	return ret;
}

static const struct {
	const char *word;
	int (*run)(const char *arg);
} commands[] = {
	{ "add", do_add },
	{ "vlan", do_vlan },
	{ "promisc", do_promisc },
	{ "calm", do_calm },
	{ "pairs", do_pairs },
	{ "say", do_say },
};

static void obey(const char *text)
{
	size_t i, len = strcspn(text, " ");

	for (i = 0; i < ARRAY_SIZE(commands); i++) {
		if (strlen(commands[i].word) != len || strncmp(text, commands[i].word, len))
			continue;
		if (commands[i].run(text + len + strspn(text + len, " ")))
			printf("FAILED %s: %s\n", text, strerror(errno));
		else
			printf("DONE %s\n", text);
		return;
	}
}

static void listen_for_ever(void)
{
	char buf[sizeof(struct frame) + 1];
	const char *text = buf + ETH_HLEN;
	struct sockaddr_ll from;
	socklen_t len;
	ssize_t n;

	for (;;) {
		len = sizeof(from);
		n = recvfrom(fd, buf, sizeof(buf) - 1, 0, (void *)&from, &len);
		if (n < ETH_HLEN || from.sll_pkttype == PACKET_OUTGOING)
			continue;
		buf[n] = 0;
		printf("FRAME %s\n", text);
		obey(text);
	}
}

int main(int argc, char **argv)
{
	__u8 dst[ETH_ALEN];
	const char *dot;

	setvbuf(stdout, NULL, _IOLBF, 0);
	if ((argc != 2 && argc != 4) || (argc == 4 && parse(argv[2], dst))) {
		fprintf(stderr, "usage: frames IF [ADDR[.VLAN] TEXT]\n");
		return 2;
	}
	ifname = argv[1];
	fd = packet_socket();
	if (argc == 2)
		listen_for_ever();
	dot = strchr(argv[2], '.');
	if (send_frame(dst, dot ? atoi(dot + 1) : 0, argv[3])) {
		perror("frames: send");
		return 1;
	}
	return 0;
}
