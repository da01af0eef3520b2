// SPDX-License-Identifier: GPL-2.0
/*
 * Drives a device step by step, for scripts. Prints what came of each step, as
 * words of one line: "up=ok echo=ok suspend=EIO".
 *
 * A device that makes no sense must not keep anybody waiting: every step is
 * bounded, and the next one is done whatever became of the last.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <linux/virtio_net.h>

#include "vdpa_rig.h"

/* For what happens by itself: a frame that comes back, a config interrupt. */
#define STEP_MS		5000
#define STEP_TICK_US	1000

/* Registers of the hostile function, see selftests/hostile/hostile.h. */
#define LIE_REG		0xe0
#define MOMENT_REG	0xe4

/**
 * struct steps - what steps share
 * @path: of the device
 * @r: the device; r.c.fd is -1 while it is not open
 * @config_fd: counts config interrupts
 * @pci: config space of the function, from sysfs
 * @seq: of the next frame
 */
struct steps {
	const char *path;
	struct rig r;
	int config_fd;
	int pci;
	__u32 seq;
};

static int do_open(struct steps *s, const char *arg)
{
	int ret;

	(void)arg;
	ret = rig_open(&s->r, s->path);
	if (!ret)
		ret = vc_set_config_call(&s->r.c, s->config_fd);
	return ret;
}

/* From open to DRIVER_OK, with receive buffers. */
static int do_up(struct steps *s, const char *arg)
{
	int ret = do_open(s, arg);

	if (!ret)
		ret = rig_negotiate(&s->r, 0);
	if (!ret)
		ret = rig_memory(&s->r);
	if (!ret)
		ret = rig_rings(&s->r);
	if (!ret)
		ret = rig_attach(&s->r);
	if (!ret)
		ret = rig_enable(&s->r, true);
	if (!ret)
		ret = rig_driver_ok(&s->r);
	return ret ? ret : net_post_rx(&s->r);
}

static int do_again(struct steps *s, const char *arg)
{
	int ret = rig_again(&s->r);

	(void)arg;
	return ret ? ret : net_post_rx(&s->r);
}

/* A frame to ourselves, which has to come back as it was. */
static int do_echo(struct steps *s, const char *arg)
{
	__u64 end = vc_now_ms() + STEP_MS;
	__u32 seq = 0, len;
	int ret;

	(void)arg;
	ret = net_send(&s->r, s->r.mac, s->seq++, NET_MIN_FRAME);
	if (ret)
		return ret;
	vq_kick(&s->r.vq[NET_TX]);
	do {
		ret = net_recv(&s->r, &seq, &len);
		if (ret == -EAGAIN)
			vc_sleep_us(STEP_TICK_US);
	} while ((ret == -EAGAIN && vc_now_ms() < end) ||
		 (!ret && seq != s->seq - 1));
	net_reap_tx(&s->r);
	return ret;
}

/* Frames that nobody waits for: a number of them. */
static int do_send(struct steps *s, const char *arg)
{
	int i, n = arg ? atoi(arg) : 1, ret = 0;

	for (i = 0; i < n && !ret; i++)
		ret = net_send(&s->r, s->r.mac, s->seq++, NET_MIN_FRAME);
	vq_kick(&s->r.vq[NET_TX]);
	return ret;
}

static int do_suspend(struct steps *s, const char *arg)
{
	(void)arg;
	return vc_suspend(&s->r.c);
}

static int do_resume(struct steps *s, const char *arg)
{
	(void)arg;
	return vc_resume(&s->r.c);
}

static int do_reset(struct steps *s, const char *arg)
{
	(void)arg;
	return vc_reset(&s->r.c);
}

/* Ring state of a queue; it is printed as the queue's, not as the step's. */
static int do_base(struct steps *s, const char *arg)
{
	__u32 num = 0;
	int ret = vc_vring_get(&s->r.c, VHOST_GET_VRING_BASE,
			       arg ? atoi(arg) : 0, &num);

	if (!ret)
		printf("[%u] ", num);
	return ret;
}

static int do_enable(struct steps *s, const char *arg)
{
	return vc_vring(&s->r.c, VHOST_VDPA_SET_VRING_ENABLE,
			arg ? atoi(arg) : 0, 1);
}

static int do_disable(struct steps *s, const char *arg)
{
	return vc_vring(&s->r.c, VHOST_VDPA_SET_VRING_ENABLE,
			arg ? atoi(arg) : 0, 0);
}

static int do_config(struct steps *s, const char *arg)
{
	struct virtio_net_config config;

	(void)arg;
	return vc_get_config(&s->r.c, 0, &config, s->r.c.config_size <
			     sizeof(config) ? s->r.c.config_size :
			     sizeof(config));
}

/* EIO if the device asks to be reset. */
static int do_status(struct steps *s, const char *arg)
{
	int ret = vc_get_status(&s->r.c);

	(void)arg;
	if (ret < 0)
		return ret;
	return ret & ST_NEEDS_RESET ? -EIO : 0;
}

/* Waits for a config interrupt; ETIME if there is none. */
static int do_told(struct steps *s, const char *arg)
{
	struct pollfd pfd = { .fd = s->config_fd, .events = POLLIN };
	__u64 n;

	(void)arg;
	if (poll(&pfd, 1, STEP_MS) <= 0)
		return -ETIME;
	return read(s->config_fd, &n, sizeof(n)) < 0 ? -errno : 0;
}

/* Waits until the device asks to be reset. */
static int do_broken(struct steps *s, const char *arg)
{
	__u64 end = vc_now_ms() + STEP_MS;
	int ret;

	do {
		ret = do_status(s, arg);
		if (!ret)
			vc_sleep_us(STEP_TICK_US);
	} while (!ret && vc_now_ms() < end);
	return ret == -EIO ? 0 : ret ? ret : -ETIME;
}

static int do_sleep(struct steps *s, const char *arg)
{
	(void)s;
	vc_sleep_us(1000 * (arg ? atoi(arg) : 1));
	return 0;
}

/* Whoever started us says when to go on. */
static int do_line(struct steps *s, const char *arg)
{
	char c = 0;
	ssize_t n;

	(void)s;
	(void)arg;
	do
		n = read(STDIN_FILENO, &c, 1);
	while (n > 0 && c != '\n');
	return n < 0 ? -errno : n ? 0 : -EPIPE;
}

static int write_reg(struct steps *s, __u32 reg, __u32 value)
{
	return pwrite(s->pci, &value, sizeof(value), reg) == sizeof(value) ?
	       0 : -errno;
}

/* LIE[/MOMENT] */
static int do_lie(struct steps *s, const char *arg)
{
	const char *moment = arg ? strchr(arg, '/') : NULL;
	int ret;

	if (!arg)
		return -EINVAL;
	ret = write_reg(s, MOMENT_REG, moment ? strtoul(moment + 1, NULL, 0) : 0);
	return ret ? ret : write_reg(s, LIE_REG, strtoul(arg, NULL, 0));
}

static int do_close(struct steps *s, const char *arg)
{
	(void)arg;
	rig_close(&s->r);
	return 0;
}

static const struct step {
	const char *name;
	int (*run)(struct steps *s, const char *arg);
	const char *help;
} steps[] = {
	{ "open", do_open, "open, own" },
	{ "up", do_up, "open, and all that is needed to run" },
	{ "again", do_again, "reset, and to DRIVER_OK again" },
	{ "echo", do_echo, "send a frame to ourselves" },
	{ "send", do_send, "=N: send frames, without waiting" },
	{ "suspend", do_suspend, "" },
	{ "resume", do_resume, "" },
	{ "reset", do_reset, "" },
	{ "base", do_base, "=QUEUE: its ring state" },
	{ "enable", do_enable, "=QUEUE" },
	{ "disable", do_disable, "=QUEUE" },
	{ "config", do_config, "read config space" },
	{ "status", do_status, "EIO if it asks for a reset" },
	{ "told", do_told, "wait for a config interrupt" },
	{ "broken", do_broken, "wait until it asks for a reset" },
	{ "sleep", do_sleep, "=MS" },
	{ "line", do_line, "wait for a line of standard input" },
	{ "lie", do_lie, "=LIE[/MOMENT]: of the hostile function" },
	{ "close", do_close, "" },
};

static int usage(void)
{
	unsigned int i;

	fprintf(stderr, "Usage: steps [-H] [-d DEV] [-f FUNCTION] STEP[=ARG]...\n");
	for (i = 0; i < ARRAY_SIZE(steps); i++)
		fprintf(stderr, "  %-10s%s\n", steps[i].name, steps[i].help);
	return 2;
}

static int run(struct steps *s, const char *word)
{
	const char *arg = strchr(word, '=');
	size_t len = arg ? (size_t)(arg - word) : strlen(word);
	unsigned int i;
	int ret;

	for (i = 0; i < ARRAY_SIZE(steps); i++) {
		if (strlen(steps[i].name) != len ||
		    strncmp(steps[i].name, word, len))
			continue;
		ret = steps[i].run(s, arg ? arg + 1 : NULL);
		printf("%s=%s ", steps[i].name,
		       ret < 0 ? strerrorname_np(-ret) : "ok");
		fflush(stdout);
		return 0;
	}
	return -EINVAL;
}

/* -f: the function, for its config space. */
static int open_function(const char *bdf)
{
	char path[256];

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/config", bdf);
	return open(path, O_RDWR | O_CLOEXEC);
}

int main(int argc, char **argv)
{
	struct steps s = { .path = "/dev/vhost-vdpa-0", .pci = -1 };
	int c;

	while ((c = getopt(argc, argv, "d:f:H")) != -1) {
		if (c == 'H')
			vc_huge_page = true;
		else if (c == 'd')
			s.path = optarg;
		else if (c == 'f')
			s.pci = open_function(optarg);
		else
			return usage();
	}
	s.r.c.fd = -1;
	s.config_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	vc_unlimit_memlock();
	for (; optind < argc; optind++)
		if (run(&s, argv[optind]))
			return usage();
	printf("\n");
	return 0;
}
