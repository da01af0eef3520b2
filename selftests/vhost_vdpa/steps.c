// SPDX-License-Identifier: GPL-2.0
/*
 * Drives a device step by step, for scripts. Prints what came of each step, as
 * words of one line: "up=ok echo=ok suspend=EIO".
 *
 * A device that makes no sense must not keep anybody waiting: every step is
 * bounded, and the next one is done whatever became of the last.
 */
#define _GNU_SOURCE
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <linux/virtio_net.h>

#include "dirty_client.h"
#include "vdpa_rig.h"

#define STEP_TICK_US	1000

/* Pages of the device's memory. */
#define PAGES		(VC_ARENA_SIZE / VC_PAGE)

/* The peer: so many frames, so often, unless so many wait for us. */
#define PEER_FRAMES	4
#define PEER_US		1000
#define PEER_AHEAD	48

/* Registers of the hostile function, see selftests/hostile/hostile.h. */
#define LIE_REG		0xe0
#define MOMENT_REG	0xe4

/**
 * struct steps - what steps share
 * @path: of the device
 * @r: the device; r.c.fd is -1 while it is not open
 * @config_fd: counts config interrupts
 * @pci: config space of the function, from sysfs
 * @log: of the dirty log, or -1
 * @seq: of the next frame
 * @num: ring size, or 0
 * @desc_at: of descriptor areas, from the beginning of a page
 */
struct steps {
	const char *path;
	struct rig r;
	int config_fd;
	int pci;
	int log;
	__u32 seq;
	unsigned int num;
	unsigned int desc_at;
};

/* Held by the peer when it looks at our ring, which is not mapped any more after a close. */
static pthread_mutex_t ring_lock = PTHREAD_MUTEX_INITIALIZER;

/* Buffers that the device has used, and we did not take yet; split rings. */
static __u16 waiting(const struct vq *vq)
{
	const struct vring_used *used = vq->device;

	return used ? le16toh(__atomic_load_n(&used->idx, __ATOMIC_ACQUIRE)) - vq->used_idx : 0;
}

/* For what happens by itself: a frame that comes back, a config interrupt. */
static unsigned int step_ms = 5000;

static int do_open(struct steps *s, const char *arg)
{
	int ret;

	(void)arg;
	ret = rig_open(&s->r, s->path);
	s->r.num = s->num;
	s->r.c.desc_at = s->desc_at;
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
	__u64 end = vc_now_ms() + step_ms;
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

/* Frames of the peer: what is there, and then a number that the device writes only now. */
static int do_recv(struct steps *s, const char *arg)
{
	int i, ret = 0, n = arg ? atoi(arg) : 1;
	__u64 end = vc_now_ms() + step_ms;
	__u32 seq, len;

	for (i = waiting(&s->r.vq[NET_RX]); i > 0 && !ret; i--)
		ret = net_recv(&s->r, &seq, &len);
	if (ret == -EAGAIN)
		ret = 0;
	while (n > 0 && !ret && vc_now_ms() < end) {
		ret = net_recv(&s->r, &seq, &len);
		if (!ret)
			n--;
		else if (ret == -EAGAIN)
			ret = 0;
		if (!ret && !vq_pending(&s->r.vq[NET_RX]))
			vc_sleep_us(STEP_TICK_US);
	}
	return ret ? ret : n > 0 ? -ETIME : 0;
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

/* A file of the device's folder vmdev. */
static int open_attribute(const struct steps *s, const char *name, int flags)
{
	char file[100];
	struct stat st;
	int fd;

	if (stat(s->path, &st))
		return -errno;
	snprintf(file, sizeof(file), "/sys/dev/char/%u:%u/../vmdev/%s",
		 major(st.st_rdev), minor(st.st_rdev), name);
	fd = open(file, flags | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

static int do_policy(struct steps *s, const char *arg)
{
	int fd = open_attribute(s, "policy", O_WRONLY), ret = 0;

	if (fd < 0)
		return fd;
	if (!arg || write(fd, arg, strlen(arg)) < 0)
		ret = arg ? -errno : -EINVAL;
	close(fd);
	return ret;
}

/* Of the first queue. ENODATA if it is on another one. */
static int do_path(struct steps *s, const char *arg)
{
	int fd = open_attribute(s, "paths", O_RDONLY);
	char paths[4096] = "";
	ssize_t n;

	if (fd < 0)
		return fd;
	n = read(fd, paths, sizeof(paths) - 1);
	close(fd);
	if (n < 0 || !arg)
		return -EINVAL;
	return strncmp(paths, arg, strlen(arg)) ? -ENODATA : 0;
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
	if (poll(&pfd, 1, step_ms) <= 0)
		return -ETIME;
	return read(s->config_fd, &n, sizeof(n)) < 0 ? -errno : 0;
}

/* Waits until the device asks to be reset. */
static int do_broken(struct steps *s, const char *arg)
{
	__u64 end = vc_now_ms() + step_ms;
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

/* --- the dirty log -------------------------------------------------------- */
static int do_log(struct steps *s, const char *arg)
{
	const struct vmdev_dirty_iova_range range = { s->r.c.iova, VC_ARENA_SIZE };
	__u64 page_size = VC_PAGE;

	(void)arg;
	return dirty_start(s->log, 0, &page_size, &range, 1);
}

/* Returns how many pages are dirty; in memory that is not ours there are none. */
static int report(struct steps *s)
{
	static __u64 bits[PAGES / 64];
	unsigned int i;
	int n = 0, ret;

	memset(bits, 0, sizeof(bits));
	ret = dirty_report(s->log, 0, s->r.c.iova, VC_ARENA_SIZE, VC_PAGE, bits);
	for (i = 0; !ret && i < ARRAY_SIZE(bits); i++)
		n += __builtin_popcountll(bits[i]);
	return ret ? ret : n;
}

static int do_report(struct steps *s, const char *arg)
{
	(void)arg;
	return report(s);
}

/* ENODATA if there is a page that is not. */
static int do_all(struct steps *s, const char *arg)
{
	int n = report(s);

	(void)arg;
	return n < 0 ? n : n == PAGES ? 0 : -ENODATA;
}

/* ENODATA if there is none, or if all are. */
static int do_some(struct steps *s, const char *arg)
{
	int n = report(s);

	(void)arg;
	return n < 0 ? n : n && n != PAGES ? 0 : -ENODATA;
}

static int do_unlog(struct steps *s, const char *arg)
{
	(void)arg;
	return dirty_stop(s->log, 0);
}

static int do_close(struct steps *s, const char *arg)
{
	(void)arg;
	pthread_mutex_lock(&ring_lock);
	rig_close(&s->r);
	s->r.vq[NET_RX].device = NULL;
	pthread_mutex_unlock(&ring_lock);
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
	{ "recv", do_recv, "=N: wait for frames of the peer" },
	{ "suspend", do_suspend, "" },
	{ "resume", do_resume, "" },
	{ "reset", do_reset, "" },
	{ "base", do_base, "=QUEUE: its ring state" },
	{ "enable", do_enable, "=QUEUE" },
	{ "disable", do_disable, "=QUEUE" },
	{ "policy", do_policy, "=auto, direct or shadow" },
	{ "path", do_path, "=direct or shadow: ENODATA if the first queue is not" },
	{ "config", do_config, "read config space" },
	{ "status", do_status, "EIO if it asks for a reset" },
	{ "told", do_told, "wait for a config interrupt" },
	{ "broken", do_broken, "wait until it asks for a reset" },
	{ "sleep", do_sleep, "=MS" },
	{ "line", do_line, "wait for a line of standard input" },
	{ "lie", do_lie, "=LIE[/MOMENT]: of the hostile function, or =FAULTS[/NUMBER]" },
	{ "log", do_log, "have written pages logged" },
	{ "report", do_report, "which are they?" },
	{ "all", do_all, "report; ENODATA if not every page is" },
	{ "some", do_some, "report; ENODATA if none is, or every page" },
	{ "unlog", do_unlog, "log no more" },
	{ "close", do_close, "" },
};

static int usage(void)
{
	unsigned int i;

	fprintf(stderr,
		"Usage: steps [-H] [-d DEV] [-f FUNCTION] [-l LOG] [-n SIZE] [-o BYTES] [-p PEER] [-w MS] STEP[=ARG]...\n");
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

/* Two devices on a wire. */
struct peer {
	const struct steps *s;
	struct rig r;
};

/*
 * A device that is slow to be asked has buffers left all the same: what it does when it has none is
 * another thing.
 */
static bool peer_is_ahead(const struct steps *s)
{
	bool ahead;

	pthread_mutex_lock(&ring_lock);
	ahead = waiting(&s->r.vq[NET_RX]) >= PEER_AHEAD;
	pthread_mutex_unlock(&ring_lock);
	return ahead;
}

static void *peer_thread(void *arg)
{
	struct peer *p = arg;
	struct rig *r = &p->r;
	__u32 seq = 0;
	int i;

	for (;;) {
		net_reap_tx(r);
		for (i = 0; i < PEER_FRAMES && !peer_is_ahead(p->s); i++)
			net_send(r, p->s->r.mac, seq++, NET_MIN_FRAME);
		vq_kick(&r->vq[NET_TX]);
		vc_sleep_us(PEER_US);
	}
	return NULL;
}

/* -p: the other end of the wire, which sends all the time that somebody takes it. */
static int start_peer(const struct steps *s, const char *path)
{
	static struct peer p;
	pthread_t thread;
	int ret;

	p.s = s;
	ret = rig_up(&p.r, path, 0);
	return ret ? ret : -pthread_create(&thread, NULL, peer_thread, &p);
}

int main(int argc, char **argv)
{
	struct steps s = { .path = "/dev/vhost-vdpa-0", .pci = -1, .log = -1 };
	const char *peer = NULL;
	int c;

	while ((c = getopt(argc, argv, "d:f:l:n:o:p:w:H")) != -1) {
		if (c == 'H')
			vc_huge_page = true;
		else if (c == 'd')
			s.path = optarg;
		else if (c == 'f')
			s.pci = open_function(optarg);
		else if (c == 'l')
			s.log = dirty_open(optarg);
		else if (c == 'n')
			s.num = atoi(optarg);
		else if (c == 'o')
			s.desc_at = atoi(optarg);
		else if (c == 'p')
			peer = optarg;
		else if (c == 'w')
			step_ms = atoi(optarg);
		else
			return usage();
	}
	s.r.c.fd = -1;
	s.config_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	vc_unlimit_memlock();
	if (peer && start_peer(&s, peer)) {
		fprintf(stderr, "steps: %s does not run\n", peer);
		return 2;
	}
	for (; optind < argc; optind++)
		if (run(&s, argv[optind]))
			return usage();
	printf("\n");
	return 0;
}
