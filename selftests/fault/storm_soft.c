// SPDX-License-Identifier: GPL-2.0
/*
 * The administrator's side of a storm on devices that are software: their module, what
 * disks are made of, and everything that is done to a port. He is one thread; what he
 * finds gone is refused, and tried again on another day.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

#include <libmnl/libmnl.h>
#include <linux/bpf.h>
#include <linux/ethtool.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/sockios.h>

#include "storm.h"

#define MODULE		"vmdev_soft"
#define CONFIGFS	"/sys/kernel/config/vmdev_soft/blk"
#define NETDEVS		"/sys/class/net"
#define PROGRAMS	8
#define ANSWER_S	120

/* Whether there is a directory, which holds the module, is known with it held. */
static pthread_mutex_t dir_lock = PTHREAD_MUTEX_INITIALIZER;

static struct mnl_socket *route;
static unsigned int route_seq;
static int inet = -1, home = -1;
static int program[PROGRAMS];
static unsigned int nprograms;

/* --- the module ---------------------------------------------------------- */
int soft_load(void)
{
	return lab_loaded(MODULE) ? 0 : lab_insmod(MODULE);
}

static const char *dir_of(const struct target *t)
{
	return lab_path(CONFIGFS "/", t->name);
}

static bool any_dir(void)
{
	DIR *dir = opendir(CONFIGFS);
	struct dirent *d;
	bool any = false;

	while (dir && (d = readdir(dir)))
		any |= d->d_name[0] != '.';
	if (dir)
		closedir(dir);
	return any;
}

/**
 * soft_unload() - the module goes with all its devices, whatever is done to them
 * @disk: NULL, or this one goes before, and what it is made of: else, as long as there is
 *	such a directory, the module must not go
 */
int soft_unload(const struct target *disk)
{
	int err = 0, want;

	pthread_mutex_lock(&dir_lock);
	if (disk)
		err = lab_dev_del(disk->name);
	if (!err && disk && lab_exists(dir_of(disk)) && rmdir(dir_of(disk)))
		err = -errno;
	if (err) {
		pthread_mutex_unlock(&dir_lock);
		return err;
	}
	want = any_dir() ? -EAGAIN : 0;
	err = lab_rmmod(MODULE);
	pthread_mutex_unlock(&dir_lock);
	storm_count(OP_UNLOAD, err);
	if (err == want)
		return 0;
	return err ? err : -EPROTO;
}

/* --- what disks are made of ---------------------------------------------- */
static int make_dir(const struct target *t, bool on)
{
	int err;

	pthread_mutex_lock(&dir_lock);
	err = on ? mkdir(dir_of(t), 0755) : rmdir(dir_of(t));
	if (err)
		err = -errno;
	pthread_mutex_unlock(&dir_lock);
	return err;
}

static int set_attr(const struct target *t, struct random *r)
{
	static const char * const values[][2] = {
		{ "/path", SOFT_FILE "\n" }, { "/path", "\n" },
		{ "/queues", "2\n" }, { "/queues", "4\n" },
		{ "/serial", "storm\n" }, { "/read_only", "0\n" },
		{ "/size", "0\n" }, { "/read_only", "maybe\n" },
	};
	unsigned int n = random_below(r, ARRAY_SIZE(values));
	char buf[256];
	int got;

	if (random_below(r, 4))
		return lab_write(lab_path(dir_of(t), values[n][0]), values[n][1]);
	got = lab_read(lab_path(dir_of(t), values[n][0]), buf, sizeof(buf));
	return got < 0 ? got : 0;
}

/* --- ports --------------------------------------------------------------- */
static bool port_of(const struct target *t, char *netdev)
{
	DIR *dir = opendir(NETDEVS);
	char name[64];
	struct dirent *d;
	bool found = false;

	while (dir && !found && (d = readdir(dir))) {
		if (lab_read(lab_path(NETDEVS "/", d->d_name, "/phys_port_name"),
			     name, sizeof(name)) < 0)
			continue;
		name[strcspn(name, "\n")] = '\0';
		found = !strcmp(name, t->name);
		if (found)
			snprintf(netdev, IFNAMSIZ, "%.15s", d->d_name);
	}
	if (dir)
		closedir(dir);
	return found;
}

static int set_up_down(int fd, const char *netdev, bool on)
{
	struct ifreq ifr = { .ifr_flags = on ? IFF_UP : 0 };

	memcpy(ifr.ifr_name, netdev, IFNAMSIZ);
	return ioctl(fd, SIOCSIFFLAGS, &ifr) ? -errno : 0;
}

static int read_stats(const char *netdev)
{
	static __u64 room[8192];
	struct ethtool_stats *stats = (struct ethtool_stats *)room;
	struct ifreq ifr = { .ifr_data = (char *)stats };

	stats->cmd = ETHTOOL_GSTATS;
	stats->n_stats = ARRAY_SIZE(room) - 2;
	memcpy(ifr.ifr_name, netdev, IFNAMSIZ);
	return ioctl(inet, SIOCETHTOOL, &ifr) ? -errno : 0;
}

static struct nlmsghdr *route_request(char *buf, const char *netdev)
{
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);

	nlh->nlmsg_type = RTM_NEWLINK;
	nlh->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
	nlh->nlmsg_seq = ++route_seq;
	mnl_nlmsg_put_extra_header(nlh, sizeof(struct ifinfomsg));
	mnl_attr_put_strz(nlh, IFLA_IFNAME, netdev);
	return nlh;
}

static int route_talk(struct nlmsghdr *nlh)
{
	char buf[4096];
	ssize_t n;

	if (mnl_socket_sendto(route, nlh, nlh->nlmsg_len) < 0)
		return -errno;
	n = mnl_socket_recvfrom(route, buf, sizeof(buf));
	if (n < 0)
		return -errno;
	return mnl_cb_run(buf, n, route_seq, 0, NULL, NULL) < 0 ? -errno : 0;
}

static int set_program(const char *netdev, struct random *r)
{
	unsigned int n = random_below(r, nprograms + 1);
	char buf[512];
	struct nlmsghdr *nlh = route_request(buf, netdev);
	struct nlattr *nest = mnl_attr_nest_start(nlh, IFLA_XDP);

	mnl_attr_put_u32(nlh, IFLA_XDP_FD, n < nprograms ? program[n] : -1);
	mnl_attr_put_u32(nlh, IFLA_XDP_FLAGS, XDP_FLAGS_DRV_MODE);
	mnl_attr_nest_end(nlh, nest);
	return route_talk(nlh);
}

/* The namespace ends when nothing refers to it any more, and the port comes back. */
static int travel(const char *netdev, struct random *r)
{
	char buf[512];
	struct nlmsghdr *nlh = route_request(buf, netdev);
	int err = 0, there, fd;

	if (unshare(CLONE_NEWNET))
		return -errno;
	there = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
	if (there < 0)
		err = -errno;
	mnl_attr_put_u32(nlh, IFLA_NET_NS_FD, there);
	if (!err)
		err = route_talk(nlh);
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (!err)
		err = set_up_down(fd, netdev, true);
	vc_sleep_us(random_below(r, 50000));
	close(fd);
	close(there);
	return setns(home, CLONE_NEWNET) ? -errno : err;
}

/* --- the thread ---------------------------------------------------------- */
static int open_programs(const char *path)
{
	DIR *dir = opendir(path);
	struct dirent *d;

	while (dir && (d = readdir(dir)) && nprograms < PROGRAMS) {
		union bpf_attr attr = {
			.pathname = (uintptr_t)lab_path(path, "/", d->d_name),
		};

		if (d->d_name[0] == '.')
			continue;
		program[nprograms] = syscall(SYS_bpf, BPF_OBJ_GET, &attr, sizeof(attr));
		if (program[nprograms++] < 0)
			return -errno;
	}
	if (!dir)
		return -errno;
	closedir(dir);
	return nprograms ? 0 : -ENOENT;
}

/**
 * soft_admin_open() - in the administrator's thread, before anything else
 * @programs: a directory of pinned XDP programs
 */
int soft_admin_open(const char *programs)
{
	const struct timeval patience = { .tv_sec = ANSWER_S };
	int err = open_programs(programs);

	if (err)
		return err;
	home = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
	inet = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (home < 0 || inet < 0)
		return -errno;
	route = mnl_socket_open(NETLINK_ROUTE);
	if (!route || mnl_socket_bind(route, 0, MNL_SOCKET_AUTOPID))
		return -errno;
	setsockopt(mnl_socket_get_fd(route), SOL_SOCKET, SO_RCVTIMEO, &patience,
		   sizeof(patience));
	return 0;
}

static enum storm_op pick(const struct target *t, struct random *r)
{
	static const enum storm_op disk[] = {
		OP_DIR, OP_ATTR, OP_ATTR, OP_ATTR,
	};
	static const enum storm_op nic[] = {
		OP_UP, OP_UP, OP_UP, OP_DOWN, OP_STATS, OP_STATS, OP_XDP, OP_XDP,
		OP_NETNS,
	};

	return t->blk ? disk[random_below(r, ARRAY_SIZE(disk))] :
			nic[random_below(r, ARRAY_SIZE(nic))];
}

static int do_op(const struct target *t, struct random *r, enum storm_op op)
{
	char netdev[IFNAMSIZ] = "";

	if (op == OP_DIR)
		return make_dir(t, random_below(r, 2));
	if (op == OP_ATTR)
		return set_attr(t, r);
	if (!port_of(t, netdev))
		return -ENODEV;
	switch (op) {
	case OP_UP:
	case OP_DOWN:
		return set_up_down(inet, netdev, op == OP_UP);
	case OP_STATS:
		return read_stats(netdev);
	case OP_XDP:
		return set_program(netdev, r);
	default:
		return travel(netdev, r);
	}
}

/**
 * soft_admin_step() - one thing, at random, that is done to a device from outside
 * @t: the device, which need not be there
 * @r: choices
 */
void soft_admin_step(const struct target *t, struct random *r)
{
	enum storm_op op = pick(t, r);

	storm_count(op, do_op(t, r, op));
}
