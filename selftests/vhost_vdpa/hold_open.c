// SPDX-License-Identifier: GPL-2.0
/*
 * Holds a device open, as a VMM would, while somebody removes it. Prints one
 * line per event and flushes it, so that a script can wait for the words:
 *
 *	READY status=0x..	open, and running if asked for
 *	CONFIG status=0x..	config interrupt
 *	NEEDS_RESET status=0x..	config interrupt, and the device is broken
 *	CLOSED			about to exit
 *
 * It closes on SIGTERM, SIGINT, end of standard input (unless -n), and with -c
 * on NEEDS_RESET.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "vdpa_rig.h"

/* Between two looks at the status, and two bursts of frames. */
#define TICK_MS 10

static const __u8 nobody[6] = { 2, 0, 0, 0, 0, 1 };

static struct options {
	const char *path;
	const char *peer;
	bool driver_ok;
	bool traffic;
	bool no_stdin;
	bool close_on_reset;
	bool doorbell;
	bool packed;
} opt = { .path = "/dev/vhost-vdpa-0" };

static const char help[] =
"Usage: hold_open [-d DEV] [-p PEER] [-rtkmnc]\n"
"  -p  net device that swallows what is sent\n"
"  -r  run: DRIVER_OK with rings\n"
"  -t  traffic: run, and send frames all the time\n"
"  -k  packed rings\n"
"  -m  map the doorbell page of queue 0\n"
"  -n  do not read standard input\n"
"  -c  close on NEEDS_RESET\n";

static void say(const char *what, int status)
{
	printf("%s status=%#x\n", what, status);
	fflush(stdout);
}

static int fail(const char *what, int ret)
{
	fprintf(stderr, "hold_open: %s: %s\n", what, strerror(-ret));
	return 1;
}

static int open_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigprocmask(SIG_BLOCK, &set, NULL);
	return signalfd(-1, &set, SFD_CLOEXEC);
}

/* A dead device completes nothing: then the ring fills up, and that is all. */
static void send_burst(struct rig *r, __u32 *seq)
{
	unsigned int i;

	net_reap_tx(r);
	for (i = 0; i < 8; i++)
		if (net_send(r, nobody, (*seq)++, 60))
			break;
	vq_kick(&r->vq[NET_TX]);
}

/*
 * True when the device says that it is broken. What it says after the count was taken comes with an
 * interrupt of its own.
 */
static bool config_event(struct rig *r, int fd)
{
	int status;
	__u64 n;

	if (read(fd, &n, sizeof(n)) < 0)
		return false;
	status = vc_get_status(&r->c);
	if (status >= 0 && status & ST_NEEDS_RESET) {
		say("NEEDS_RESET", status);
		return true;
	}
	say("CONFIG", status);
	return false;
}

static bool stdin_ended(void)
{
	char buf[256];

	return read(STDIN_FILENO, buf, sizeof(buf)) <= 0;
}

static void hold(struct rig *r, int config_fd, int signal_fd)
{
	struct pollfd p[3] = {
		{ .fd = signal_fd, .events = POLLIN },
		{ .fd = config_fd, .events = POLLIN },
		{ .fd = opt.no_stdin ? -1 : STDIN_FILENO, .events = POLLIN },
	};
	__u32 seq = 0;

	for (;;) {
		int n = poll(p, 3, opt.traffic ? TICK_MS : -1);

		if (n < 0 && errno != EINTR)
			return;
		if (n > 0 && p[0].revents)
			return;
		if (n > 0 && p[1].revents && config_event(r, config_fd) &&
		    opt.close_on_reset)
			return;
		if (n > 0 && p[2].revents && stdin_ended())
			return;
		if (opt.traffic)
			send_burst(r, &seq);
	}
}

static int start(struct rig *r)
{
	__u64 extra = opt.packed ? BIT64(VIRTIO_F_RING_PACKED) : 0;
	int ret = opt.driver_ok ? rig_up(r, opt.path, extra) :
				  rig_open(r, opt.path);

	if (!ret && opt.traffic && r->c.device_id == VIRTIO_ID_NET)
		ret = net_post_rx(r);
	return ret;
}

static void parse(int argc, char **argv)
{
	int c;

	while ((c = getopt(argc, argv, "d:p:rtkmnc")) != -1) {
		switch (c) {
		case 'd':
			opt.path = optarg;
			break;
		case 'p':
			opt.peer = optarg;
			break;
		case 'r':
			opt.driver_ok = true;
			break;
		case 't':
			opt.traffic = true;
			opt.driver_ok = true;
			break;
		case 'k':
			opt.packed = true;
			break;
		case 'm':
			opt.doorbell = true;
			break;
		case 'n':
			opt.no_stdin = true;
			break;
		case 'c':
			opt.close_on_reset = true;
			break;
		default:
			fprintf(stderr, "%s", help);
			exit(2);
		}
	}
}

int main(int argc, char **argv)
{
	int config_fd, signal_fd, ret;
	struct rig r;

	parse(argc, argv);
	signal_fd = open_signals();
	config_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	vc_unlimit_memlock();
	ret = opt.peer ? net_sink(opt.peer) : 0;
	if (ret)
		return fail(opt.peer, ret);
	ret = start(&r);
	if (ret)
		return fail(opt.path, ret);
	ret = vc_set_config_call(&r.c, config_fd);
	if (ret)
		return fail("SET_CONFIG_CALL", ret);
	if (opt.doorbell && !vc_doorbell(&r.c, 0))
		return fail("doorbell", -errno);
	if (opt.traffic && r.c.device_id != VIRTIO_ID_NET)
		return fail("traffic", -EOPNOTSUPP);
	say("READY", vc_get_status(&r.c));
	hold(&r, config_fd, signal_fd);
	printf("CLOSED\n");
	fflush(stdout);
	return 0;
}
