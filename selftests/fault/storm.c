// SPDX-License-Identifier: GPL-2.0
/*
 * Threads use two devices in every way at once (storm_user.c), one asks over
 * netlink, while the main thread takes devices, functions and VFs away and
 * brings them back. What is checked: nothing hangs, everything worked at some
 * time, and at the end the devices still run. The kernel's log, and its
 * checkers, say the rest.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <dirent.h>
#include <getopt.h>
#include <net/if.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/virtio_blk.h>

#include "../vhost_vdpa/vdpa_rig.h"
#include "storm.h"

#define THREADS_MAX	8

/* How long a step of the main thread may take: it waits for users to close. */
#define STEP_S		300

/* Rounds in which somebody has to unplug what he was to unplug. */
#define UNPLUG_MAX	500

static struct target targets[STORM_TARGETS] = {
	{ .name = "s0" }, { .name = "s1" }, { .name = "s2" },
};

static unsigned int ntargets = 2;

static const char *pf;
static bool stop;

static unsigned int rounds = 40, minutes;
static unsigned int nthreads = 3;
static unsigned long seed = 1;
static bool bells;
static bool unplug;
static bool quiet;
static const char *programs;
static const char *last_step = "start";

/* Where everybody is: a hang is of no use without. */
static void on_alarm(int sig)
{
	static const char msg[] = "# storm: hang in step ";

	(void)sig;
	if (write(STDOUT_FILENO, msg, sizeof(msg) - 1) < 0 ||
	    write(STDOUT_FILENO, last_step, strlen(last_step)) < 0)
		_exit(3);
	lab_write("/proc/sysrq-trigger", "w");
	_exit(1);
}

static void die(const char *what, int err)
{
	printf("not ok - storm: %s: %s\n", what, strerror(-err));
	exit(1);
}

static void must(const char *what, int err)
{
	if (err)
		die(what, err);
}

/* --- threads ------------------------------------------------------------- */
static void *user(void *arg)
{
	unsigned int nr = (uintptr_t)arg;
	struct random r;

	random_seed(&r, seed, nr + 1);
	while (!__atomic_load_n(&stop, __ATOMIC_RELAXED))
		target_step(&targets[nr % ntargets], &r);
	return NULL;
}

static void ask(const struct target *t, struct random *r)
{
	static const __u8 mac[] = { 0x52, 0x54, 0, 0xfa, 0x17, 9 };

	switch (random_below(r, 8)) {
	case 0:
		storm_count(OP_DUMP, lab_dump(VDPA_CMD_MGMTDEV_GET));
		break;
	case 1:
		storm_count(OP_DUMP, lab_dump(VDPA_CMD_DEV_GET));
		break;
	case 2:
		storm_count(OP_DUMP, lab_dump(VDPA_CMD_DEV_CONFIG_GET));
		break;
	case 3:
		storm_count(OP_MAC, lab_dev_mac(t->name, mac));
		break;
	default:
		storm_count(OP_VSTATS, lab_dev_get(VDPA_CMD_DEV_VSTATS_GET,
						   t->name));
		break;
	}
}

/* Every question waits for the lock that dev add and dev del hold. */
static void *asker(void *arg)
{
	struct random r;

	random_seed(&r, seed, (uintptr_t)arg);
	must("netlink", lab_open());
	while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
		ask(&targets[random_below(&r, ntargets)], &r);
		vc_sleep_us(random_below(&r, 20000));
	}
	return NULL;
}

/* Of devices that are software: what they are made of, and their ports. */
static void *admin(void *arg)
{
	struct random r;

	random_seed(&r, seed, (uintptr_t)arg);
	must("programs, netlink", soft_admin_open(programs));
	while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
		soft_admin_step(&targets[random_below(&r, ntargets)], &r);
		vc_sleep_us(random_below(&r, 10000));
	}
	return NULL;
}

/* --- what the main thread does ------------------------------------------- */
#define ADD_TRIES	20

/* What a disk is made of may be going just now. */
static int add(const struct target *t)
{
	const struct lab_vdpa dev = { .name = t->name, .mgmt = t->bdf };
	unsigned int tries = ADD_TRIES;
	int err;

	do {
		err = lab_dev_add(&dev);
	} while (t->blk && err == -ENOENT && --tries);
	return err;
}

/* With -u somebody else takes a function away, for good and at any moment. */
static bool is_there(const struct target *t)
{
	return t->soft || lab_exists(lab_path(PCI_DEVICES, t->bdf));
}

static void must_if_there(const struct target *t, const char *what, int err)
{
	if (!err)
		return;
	if (unplug)
		vc_sleep_us(1000000);
	if (!unplug || is_there(t))
		die(what, err);
}

/*
 * From whatever is there to a device on vhost-vdpa. Nobody opens it meanwhile:
 * vhost_vdpa_probe() makes the character device before what open and close
 * need is set up, and a close in between is an oops (seen on 6.12).
 */
static int bring_back(struct target *t)
{
	int err = 0;

	pthread_mutex_lock(&t->open_lock);
	if (t->soft)
		err = soft_load();
	else if (!lab_is_ours(t->bdf))
		err = lab_take(t->bdf);
	if (!err && !lab_dev_exists(t->name))
		err = add(t);
	if (!err && !lab_bound(t->name))
		err = lab_bind(t->name, "vhost_vdpa");
	pthread_mutex_unlock(&t->open_lock);
	return err;
}

static int override(const char *bdf)
{
	return lab_write(lab_path(PCI_DEVICES, bdf, "/driver_override"),
			 "vmdev_pci");
}

static int step_del(const struct target *t)
{
	return lab_dev_del(t->name);
}

static int step_unbind(const struct target *t)
{
	return lab_release(t->bdf);
}

static int step_reset(const struct target *t)
{
	return lab_write(lab_path(PCI_DEVICES, t->bdf, "/reset"), "1");
}

static int step_pf_reset(const struct target *t)
{
	(void)t;
	return lab_write(lab_path(PCI_DEVICES, pf, "/reset"), "1");
}

static int set_numvfs(const char *n)
{
	return lab_write(lab_path(PCI_DEVICES, pf, "/sriov_numvfs"), n);
}

static int step_numvfs(const struct target *t)
{
	int err = set_numvfs("0");

	(void)t;
	if (!err)
		err = set_numvfs("2");
	return err ? err : override(targets[0].bdf);
}

/* The function itself goes, and is found again; VFs have step_numvfs. */
static int step_remove(const struct target *t)
{
	int err;

	if (t == &targets[0])
		return step_numvfs(t);
	err = lab_write(lab_path(PCI_DEVICES, t->bdf, "/remove"), "1");
	if (!err)
		err = lab_write("/sys/bus/pci/rescan", "1");
	if (!err && lab_exists(lab_path(PCI_DEVICES, t->bdf, "/driver")))
		err = lab_write(lab_path(PCI_DEVICES, t->bdf,
					 "/driver/unbind"), t->bdf);
	return err ? err : override(t->bdf);
}

/* The network interface of a device on virtio_vdpa; "" if there is none. */
static void netdev_of(const struct target *t, char *name)
{
	char path[600], parent[256];
	struct dirent *d;
	DIR *dir, *net;

	*name = '\0';
	snprintf(parent, sizeof(parent), "%s%s",
		 t->soft ? VDPA_DEVICES : PCI_DEVICES, t->soft ? t->name : t->bdf);
	dir = opendir(parent);
	while (dir && (d = readdir(dir))) {
		if (strncmp(d->d_name, "virtio", 6))
			continue;
		snprintf(path, sizeof(path), "%.250s/%.255s/net", parent,
			 d->d_name);
		net = opendir(path);
		while (net && (d = readdir(net)))
			if (d->d_name[0] != '.')
				snprintf(name, IFNAMSIZ, "%.15s", d->d_name);
		if (net)
			closedir(net);
	}
	if (dir)
		closedir(dir);
}

static int net_up(const struct target *t)
{
	struct ifreq ifr = { .ifr_flags = IFF_UP };
	int fd, err = 0;

	netdev_of(t, ifr.ifr_name);
	if (!ifr.ifr_name[0])
		return -ENODEV;
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || ioctl(fd, SIOCSIFFLAGS, &ifr))
		err = -errno;
	if (fd >= 0)
		close(fd);
	return err;
}

/* A disk is read as soon as it has a driver. */
static int to_virtio(const struct target *t)
{
	int err = lab_unbind(t->name);

	if (!err)
		err = lab_bind(t->name, "virtio_vdpa");
	if (!err && !t->blk)
		err = net_up(t);
	vc_sleep_us(20000);
	return err;
}

static int step_virtio(const struct target *t)
{
	int err = to_virtio(t);

	return err ? err : lab_unbind(t->name);
}

static int step_virtio_del(const struct target *t)
{
	int err = to_virtio(t);

	return err ? err : lab_dev_del(t->name);
}

static int step_unload(const struct target *t)
{
	return soft_unload(t->blk ? NULL : &targets[ntargets - 1]);
}

/* Under its driver's hands; with -q it has no control command under way. */
static int step_virtio_reset(const struct target *t)
{
	int err = lab_unbind(t->name);

	if (!err)
		err = lab_bind(t->name, "virtio_vdpa");
	if (!err && !quiet)
		err = net_up(t);
	return err ? err : step_reset(t);
}

static const struct step {
	const char *name;
	int (*fn)(const struct target *t);
} pci_steps[] = {
	{ "dev del", step_del },
	{ "unbind from vmdev_pci", step_unbind },
	{ "FLR", step_reset },
	{ "FLR of the PF", step_pf_reset },
	{ "sriov_numvfs 0, 2", step_numvfs },
	{ "remove, rescan", step_remove },
	{ "virtio_vdpa", step_virtio },
	{ "virtio_vdpa, FLR", step_virtio_reset },
}, soft_steps[] = {
	{ "dev del", step_del },
	{ "virtio_vdpa", step_virtio },
	{ "module", step_unload },
	{ "virtio_vdpa, dev del", step_virtio_del },
};

static void round_of(struct random *r, unsigned int nr)
{
	const struct step *step = programs ?
		&soft_steps[nr % ARRAY_SIZE(soft_steps)] :
		&pci_steps[nr % ARRAY_SIZE(pci_steps)];
	struct target *t = &targets[random_below(r, ntargets)];
	unsigned int i;

	last_step = step->name;
	alarm(STEP_S);
	vc_sleep_us(random_below(r, 200000));
	if (!is_there(t))
		t = &targets[0];
	must_if_there(t, step->name, step->fn(t));
	/* Its driver stays, and so has to be told. */
	if (step->fn == step_virtio_reset && lab_bound(t->name))
		must_if_there(t, "unbind", lab_unbind(t->name));
	for (i = 0; i < ntargets; i++)
		if (is_there(&targets[i]))
			must_if_there(&targets[i], "bring back",
				      bring_back(&targets[i]));
}

/* --- the end ------------------------------------------------------------- */
static void still_runs(const struct target *t)
{
	static const __u8 nobody[6] = { 2, 0, 0, 0, 0, 1 };
	struct blk_req req;
	char path[64];
	struct rig r;

	last_step = "the end";
	alarm(STEP_S);
	must("a device at the end", lab_vhost(t->name, path, sizeof(path)));
	must("bring-up at the end", rig_up(&r, path, 0));
	if (t->blk) {
		must("memory at the end", blk_prepare(&r, &req));
		must("a sector at the end",
		     blk_do(&r, &req, VIRTIO_BLK_T_IN, 0, VC_PAGE));
	} else {
		must("a frame at the end", net_send(&r, nobody, 0, 60));
		vq_kick(&r.vq[NET_TX]);
		must("its completion", net_drain_tx(&r, 10 * RIG_WAIT_MS));
	}
	rig_close(&r);
}

static void storm(void)
{
	pthread_t thread[THREADS_MAX * STORM_TARGETS + 2];
	unsigned int i, n = nthreads * ntargets, last = n;
	unsigned int n_more;
	struct random r;
	__u64 end;

	random_seed(&r, seed, 0);
	for (i = 0; i < n; i++)
		must("thread", -pthread_create(&thread[i], NULL, user,
					       (void *)(uintptr_t)i));
	must("thread", -pthread_create(&thread[n], NULL, asker,
				       (void *)(uintptr_t)(n + 1)));
	if (programs)
		must("thread", -pthread_create(&thread[++last], NULL, admin,
					       (void *)(uintptr_t)(n + 2)));
	end = vc_now_ms() + minutes * 60000ULL;
	for (i = 0; i < rounds || vc_now_ms() < end; i++)
		round_of(&r, i);
	/* Some more, before it and after. */
	for (; unplug && is_there(&targets[1]) && i < UNPLUG_MAX; i++)
		round_of(&r, i);
	for (n_more = 0; unplug && n_more < rounds; n_more++)
		round_of(&r, n_more);
	printf("# %u rounds, seed %lu\n", i, seed);
	__atomic_store_n(&stop, true, __ATOMIC_RELAXED);
	last_step = "threads end";
	for (i = 0; i <= last; i++)
		pthread_join(thread[i], NULL);
	for (i = 0; i < ntargets; i++)
		target_close(&targets[i]);
}

static void choose(void)
{
	unsigned int i;

	if (!programs) {
		pf = getenv("BDF_pf0");
		targets[0].bdf = getenv("BDF_vf0_0");
		targets[1].bdf = getenv("BDF_nic0");
		if (!pf || !targets[0].bdf || !targets[1].bdf)
			die("BDF_pf0, BDF_vf0_0 and BDF_nic0", -EINVAL);
		return;
	}
	ntargets = 3;
	for (i = 0; i < ntargets; i++) {
		targets[i].soft = true;
		targets[i].blk = i == 2;
		targets[i].bdf = i == 2 ? "vmdev_soft_blk" : "vmdev_soft";
	}
}

static void set_up(void)
{
	unsigned int i;

	choose();
	must("memlock", vc_unlimit_memlock());
	must("netlink", lab_open());
	for (i = 0; i < ntargets; i++) {
		must("target", target_init(&targets[i], i));
		must("device", bring_back(&targets[i]));
	}
}

static void usage(void)
{
	fprintf(stderr,
		"Usage: storm [-buq] [-d DIR] [-n ROUNDS] [-m MINUTES] [-s SEED] [-j THREADS]\n"
		"Environment: BDF_pf0, bound to vmdev_pci and with two VFs, BDF_vf0_0, BDF_nic0\n"
		"  -d  on devices that are software: two NICs, with the XDP programs of that\n"
		"      directory at their ports, and a disk, over RAM or " SOFT_FILE "\n"
		"  -b  doorbells can be mapped\n"
		"  -q  no reset while virtio_net waits for an answer\n"
		"  -u  a function is unplugged meanwhile\n"
		"  -m  go on for so long, after all rounds\n"
		"  -j  threads on each device\n");
	exit(2);
}

int main(int argc, char **argv)
{
	__u32 spared = 0;
	unsigned int i;
	int c;

	while ((c = getopt(argc, argv, "bd:uqn:m:s:j:")) != -1) {
		switch (c) {
		case 'b':
			bells = true;
			break;
		case 'q':
			quiet = true;
			break;
		case 'd':
			programs = optarg;
			break;
		case 'u':
			unplug = true;
			break;
		case 'n':
			rounds = atoi(optarg);
			break;
		case 'm':
			minutes = atoi(optarg);
			break;
		case 's':
			seed = strtoul(optarg, NULL, 0);
			break;
		case 'j':
			nthreads = atoi(optarg);
			break;
		default:
			usage();
		}
	}
	if (!nthreads || nthreads > THREADS_MAX)
		usage();
	signal(SIGALRM, on_alarm);
	setvbuf(stdout, NULL, _IOLBF, 0);
	set_up();
	storm();
	storm_report();
	for (i = 0; i < ntargets; i++)
		if (is_there(&targets[i]))
			still_runs(&targets[i]);
	if (!bells)
		spared |= BIT64(OP_BELL);
	if (!programs)
		spared |= ~0U << OP_LOG;
	if (!storm_all_seen(spared))
		die("some of it never worked", -EPROTO);
	if (unplug && is_there(&targets[1]))
		die("nobody unplugged it", -EEXIST);
	return 0;
}
