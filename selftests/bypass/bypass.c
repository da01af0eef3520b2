// SPDX-License-Identifier: GPL-2.0
/*
 * Who produces the interrupts of a client's call eventfds for the kernel's irqbypass manager?
 * A queue's own Linux IRQ while the device is live and the queue is direct, nobody else ever:
 *
 *	bypass -d DEV -n NAME -b BDF [-s] [-l] [TEST...]
 *
 * NAME is the vDPA device, BDF its function. -s: queues share vectors, so nobody does. -l: also
 * what takes a lap of a ring. vmdev_irq_probe stands for KVM (selftests/irq_probe).
 */
#define TAP_MAIN
#include <fcntl.h>
#include <getopt.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>

#include "../irq_probe/irq_probe.h"
#include "tap.h"
#include "vdpa_rig.h"

#define PROBE		"/dev/vmdev_irq_probe"
#define SPACE		"\n "
/* Two laps of a ring's indices: in one of them a queue may not have been let go. */
#define HOME_FRAMES	(2 * 65536 + 4096)
#define HOME_MS		120000

static struct {
	const char *dev;
	const char *name;
	const char *bdf;
	bool shared;
	bool longer;
} opt;

static const __u8 nobody[6] = { 2, 0, 0, 0, 0, 1 };
static struct irq_probe probes[RIG_VQS];
static struct rig r;
static int probe_fd;

/* --- what the kernel says ------------------------------------------------------------------ */
static int irq_of(unsigned int vq)
{
	char line[4096], want[64];
	FILE *f = fopen("/proc/interrupts", "r");
	int irq = -1;

	CHECK(f, "/proc/interrupts");
	snprintf(want, sizeof(want), "vmdev-vq%u:%s\n", vq, opt.bdf);
	while (irq < 0 && fgets(line, sizeof(line), f)) {
		size_t n = strlen(line), len = strlen(want);

		if (n > len && !strcmp(line + n - len, want))
			irq = atoi(line);
	}
	fclose(f);
	return irq;
}

static int attribute(const char *name, int flags)
{
	char path[300];
	int fd;

	snprintf(path, sizeof(path), "/sys/bus/vdpa/devices/%s/vmdev/%s", opt.name, name);
	fd = open(path, flags);
	CHECK(fd >= 0, "%s: %s", path, strerror(errno));
	return fd;
}

static void set_policy(const char *word)
{
	int fd = attribute("policy", O_WRONLY);

	CHECK(write(fd, word, strlen(word)) > 0, "policy %s: %s", word, strerror(errno));
	close(fd);
}

/* The word of one queue. */
static bool is_on(unsigned int vq, const char *path)
{
	int fd = attribute("paths", O_RDONLY);
	char paths[1000], *p = paths, *word;
	ssize_t n = read(fd, paths, sizeof(paths) - 1);

	close(fd);
	CHECK(n > 0, "paths: %s", strerror(errno));
	paths[n] = 0;
	do {
		word = strsep(&p, SPACE);
	} while (word && vq--);
	return word && !strcmp(word, path);
}

static void check_paths(const char *path)
{
	unsigned int i;

	for (i = 0; i < r.nvqs; i++)
		CHECK(is_on(i, path), "queue %u is not %s", i, path);
}

/* --- consumers ----------------------------------------------------------------------------- */
static void consume_fd(struct irq_probe *probe, int fd)
{
	probe->fd = fd;
	CHECK(!ioctl(probe_fd, IRQ_PROBE_ADD, probe), "add: %s", strerror(errno));
}

static void consume(void)
{
	unsigned int i;

	for (i = 0; i < r.nvqs; i++)
		consume_fd(&probes[i], r.vq[i].call);
}

/* Now, and how many came and went so far. */
static void check_probe(struct irq_probe *probe, int irq, __u32 adds, __u32 dels)
{
	CHECK(!ioctl(probe_fd, IRQ_PROBE_GET, probe), "get: %s", strerror(errno));
	CHECK(probe->irq == irq && probe->adds == adds && probe->dels == dels,
	      "irq %d, %u came, %u went, not irq %d, %u, %u", probe->irq, probe->adds,
	      probe->dels, irq, adds, dels);
}

/* By its own interrupt, unless queues share any. */
static void check_produced(__u32 adds, __u32 dels)
{
	unsigned int i;

	for (i = 0; i < r.nvqs; i++) {
		int irq = irq_of(i);

		CHECK((irq < 0) == opt.shared, "interrupt of queue %u: %d", i, irq);
		check_probe(&probes[i], irq, opt.shared ? 0 : adds, opt.shared ? 0 : dels);
	}
}

static void check_nobody(__u32 came)
{
	unsigned int i;

	for (i = 0; i < r.nvqs; i++)
		check_probe(&probes[i], -1, opt.shared ? 0 : came, opt.shared ? 0 : came);
}

/* A VMM sets it again whenever its guest masks or unmasks: vhost asks who produces it. */
static void call_again(void)
{
	unsigned int i;

	for (i = 0; i < r.nvqs; i++)
		CHECK_OK(vc_vring_file(&r.c, VHOST_SET_VRING_CALL, i, r.vq[i].call));
}

/* --- a device ------------------------------------------------------------------------------ */
static void attached(const char *word)
{
	set_policy(word);
	CHECK_OK(rig_open(&r, opt.dev));
	CHECK_OK(rig_negotiate(&r, 0));
	CHECK_OK(rig_memory(&r));
	CHECK_OK(rig_rings(&r));
	CHECK_OK(rig_attach(&r));
	consume();
}

static void up(const char *word)
{
	attached(word);
	check_nobody(0);
	CHECK_OK(rig_enable(&r, true));
	CHECK_OK(rig_driver_ok(&r));
}

static __u32 seq;

/* What is sent comes back as used buffers, and with an interrupt, on whatever path. */
static void check_works(void)
{
	while (vq_called(&r.vq[NET_TX], 0))
		;
	CHECK_OK(net_send(&r, nobody, seq++, NET_MIN_FRAME));
	vq_kick(&r.vq[NET_TX]);
	CHECK(vq_called(&r.vq[NET_TX], RIG_WAIT_MS), "no interrupt");
	CHECK_OK(net_drain_tx(&r, RIG_WAIT_MS));
}

TAP_TEST(direct, 0)
{
	up("auto");
	check_paths("direct");
	check_produced(1, 0);
	check_works();
	check_produced(1, 0);
	rig_close(&r);
}

TAP_TEST(close, 0)
{
	int calls[RIG_VQS];
	unsigned int i;

	up("auto");
	for (i = 0; i < r.nvqs; i++)
		calls[i] = dup(r.vq[i].call);
	rig_close(&r);
	check_nobody(1);
	for (i = 0; i < r.nvqs; i++)
		close(calls[i]);
}

TAP_TEST(reset, 0)
{
	int irq;

	up("auto");
	irq = irq_of(0);
	CHECK_OK(vc_reset(&r.c));
	check_nobody(1);
	call_again();
	check_nobody(1);
	CHECK_OK(rig_again(&r));
	check_produced(2, 1);
	CHECK(irq_of(0) == irq, "another interrupt than before");
	check_works();
}

/* QEMU enables queues of NICs after DRIVER_OK, and sets no eventfd again. */
TAP_TEST(enabled_late, 0)
{
	attached("auto");
	CHECK_OK(rig_driver_ok(&r));
	check_produced(1, 0);
	CHECK_OK(rig_enable(&r, true));
	check_paths("direct");
	check_produced(1, 0);
	check_works();
}

/* Nobody asks for it until then, and it is not told to anybody meanwhile. */
TAP_TEST(consumer_late, 0)
{
	int irq;

	up("auto");
	irq = irq_of(NET_TX);
	CHECK(!ioctl(probe_fd, IRQ_PROBE_DEL, &probes[NET_TX]), "del: %s", strerror(errno));
	check_works();
	consume_fd(&probes[NET_TX], r.vq[NET_TX].call);
	check_probe(&probes[NET_TX], irq, opt.shared ? 0 : 1, 0);
	check_works();
}

/* Another eventfd takes the interrupt along. */
TAP_TEST(call_moves, 0)
{
	struct irq_probe other = { 0 };
	int fd = eventfd(0, EFD_NONBLOCK), irq;

	up("auto");
	irq = irq_of(NET_TX);
	consume_fd(&other, fd);
	check_probe(&other, -1, 0, 0);
	CHECK_OK(vc_vring_file(&r.c, VHOST_SET_VRING_CALL, NET_TX, fd));
	check_probe(&other, irq, !opt.shared, 0);
	check_probe(&probes[NET_TX], -1, !opt.shared, !opt.shared);
	CHECK_OK(vc_vring_file(&r.c, VHOST_SET_VRING_CALL, NET_TX, r.vq[NET_TX].call));
	check_probe(&other, -1, !opt.shared, !opt.shared);
	check_works();
}

/* Whoever has it keeps it: vhost-vdpa does not ask. But nobody gets it anew. */
TAP_TEST(suspended, 0)
{
	up("auto");
	check_works();
	CHECK_OK(vc_suspend(&r.c));
	check_produced(1, 0);
	call_again();
	check_nobody(1);
	CHECK_OK(vc_resume(&r.c));
	check_nobody(1);
	check_works();
	call_again();
	if (is_on(NET_RX, "direct"))
		check_probe(&probes[NET_RX], irq_of(NET_RX), opt.shared ? 0 : 2, !opt.shared);
	/* Where hardware starts fresh rings only, the one that ran is in shadow now. */
	if (is_on(NET_TX, "direct"))
		check_probe(&probes[NET_TX], irq_of(NET_TX), opt.shared ? 0 : 2, !opt.shared);
	else
		check_probe(&probes[NET_TX], -1, !opt.shared, !opt.shared);
	check_works();
}

TAP_TEST(suspended_to_reset, 0)
{
	up("auto");
	CHECK_OK(vc_suspend(&r.c));
	CHECK_OK(vc_reset(&r.c));
	check_nobody(1);
	CHECK_OK(rig_again(&r));
	check_produced(2, 1);
	check_works();
}

TAP_TEST(shadow, 0)
{
	up("shadow");
	check_paths("shadow");
	check_nobody(0);
	check_works();
	call_again();
	check_nobody(0);
	CHECK_OK(vc_suspend(&r.c));
	call_again();
	check_nobody(0);
	CHECK_OK(vc_resume(&r.c));
	call_again();
	check_nobody(0);
	check_works();
}

TAP_TEST(shadow_late, 0)
{
	attached("shadow");
	CHECK_OK(rig_driver_ok(&r));
	check_nobody(0);
	CHECK_OK(rig_enable(&r, true));
	check_paths("shadow");
	check_nobody(0);
	check_works();
}

/* A switch is nothing that vhost knows of: who has the interrupt keeps it, in vain. */
TAP_TEST(switched, 0)
{
	up("auto");
	check_works();
	set_policy("shadow");
	check_paths("shadow");
	check_produced(1, 0);
	check_works();
	call_again();
	check_nobody(1);
	check_works();
	set_policy("auto");
	CHECK_OK(rig_again(&r));
	check_paths("direct");
	check_produced(2, 1);
	check_works();
}

/* There and back without a reset, when the ring begins anew. */
TAP_TEST(switched_back, 0)
{
	__u64 end = vc_now_ms() + HOME_MS;
	__u32 last;

	if (!opt.longer)
		SKIP("takes a lap of a ring (-l)");
	up("auto");
	set_policy("shadow");
	check_works();
	set_policy("auto");
	for (last = seq + HOME_FRAMES; !is_on(NET_TX, "direct");) {
		__u32 stop = seq + 4096;

		CHECK(seq < last && vc_now_ms() < end, "after %u frames in shadow still", seq);
		while (seq != stop) {
			net_reap_tx(&r);
			while (seq != stop && !net_send(&r, nobody, seq, NET_MIN_FRAME))
				seq++;
			vq_kick(&r.vq[NET_TX]);
			vq_called(&r.vq[NET_TX], 1);
		}
	}
	CHECK_OK(net_drain_tx(&r, RIG_WAIT_MS));
	/* The one who kept it has it still; that is told by the handler until it is asked. */
	check_probe(&probes[NET_TX], irq_of(NET_TX), !opt.shared, 0);
	check_works();
	call_again();
	check_probe(&probes[NET_TX], irq_of(NET_TX), opt.shared ? 0 : 2, !opt.shared);
	check_works();
}

static const char help[] =
"Usage: bypass -d DEV -n NAME -b BDF [-s] [-l] [TEST...]\n";

int main(int argc, char **argv)
{
	const struct tap_config config = { .timeout = 180 };
	int c;

	while ((c = getopt(argc, argv, "d:n:b:sl")) != -1) {
		switch (c) {
		case 'd':
			opt.dev = optarg;
			break;
		case 'n':
			opt.name = optarg;
			break;
		case 'b':
			opt.bdf = optarg;
			break;
		case 's':
			opt.shared = true;
			break;
		case 'l':
			opt.longer = true;
			break;
		default:
			fprintf(stderr, "%s", help);
			return 2;
		}
	}
	if (!opt.dev || !opt.name || !opt.bdf) {
		fprintf(stderr, "%s", help);
		return 2;
	}
	probe_fd = open(PROBE, O_RDWR);
	if (probe_fd < 0) {
		perror(PROBE);
		return 2;
	}
	vc_unlimit_memlock();
	return tap_run(&config, argv + optind);
}
