// SPDX-License-Identifier: GPL-2.0
/* What it costs to make a device, to use it once, and to take it away. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <libmnl/libmnl.h>
#include <linux/genetlink.h>
#include <linux/vdpa.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "bench.h"

/* Pages that a client maps beside its rings: none, or 4 MiB. */
static const unsigned int pages[] = { 0, 1024 };

#define LIFE_PAGES	1024
#define LIFE_IOVA	0x100000000ULL
#define LIFE_NAME	"bench0"

/**
 * struct life - parts of the life of an open device, round by round
 * @whole: opened, run, closed
 * @ok: DRIVER_OK alone
 * @reset: of a running device
 */
struct life {
	struct meter_set whole;
	struct meter_set ok;
	struct meter_set reset;
};

static void open_close(struct meter_set *set, const char *path)
{
	struct meter m;
	int fd;

	meter_begin(&m);
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		die(path, -errno);
	close(fd);
	meter_add(set, meter_end(&m));
}

/* The pages of the arena that hold rings. */
static int map_rings(struct vdpa_client *c)
{
	return vc_map(c, c->iova, c->mem,
		      (c->mem_used + VC_PAGE - 1) & ~(VC_PAGE - 1));
}

/* What a client does at least, with its memory and rings ready before. */
static void run_once(struct life *life, const char *path, void *memory,
		     unsigned int n)
{
	struct meter whole, part;
	struct rig r;
	unsigned int i;

	check("prepare", rig_open(&r, path));
	check("arena", vc_arena(&r.c));
	for (i = 0; i < r.nvqs; i++)
		check("ring", vq_init(&r.vq[i], &r.c, i, 128, false));
	close(r.c.fd);

	meter_begin(&whole);
	r.c.fd = open(path, O_RDWR | O_CLOEXEC);
	if (r.c.fd < 0)
		die(path, -errno);
	check("owner", vc_set_owner(&r.c));
	check("backend", vc_set_backend(&r.c, r.c.backend));
	check("features", rig_negotiate(&r, 0));
	if (n)
		check("map", vc_map(&r.c, LIFE_IOVA, memory, n * VC_PAGE));
	check("map rings", map_rings(&r.c));
	check("rings", rig_attach(&r));
	check("enable", rig_enable(&r, true));
	meter_begin(&part);
	check("DRIVER_OK", vc_add_status(&r.c, ST_DRIVER_OK));
	meter_add(&life->ok, meter_end(&part));
	meter_begin(&part);
	check("reset", vc_reset(&r.c));
	meter_add(&life->reset, meter_end(&part));
	close(r.c.fd);
	meter_add(&life->whole, meter_end(&whole));

	r.c.fd = -1;
	rig_close(&r);
}

/*
 * One page, over and over: what nobody can map in larger pieces. Where other
 * memory lies is a matter of luck.
 */
static void *scattered(void)
{
	int i, fd = memfd_create("bench", MFD_CLOEXEC);
	char *at;

	if (fd < 0 || ftruncate(fd, VC_PAGE))
		die("memfd", -errno);
	at = mmap(NULL, LIFE_PAGES * VC_PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
		  0);
	if (at == MAP_FAILED)
		die("mmap", -errno);
	for (i = 0; i < LIFE_PAGES; i++)
		if (mmap(at + i * VC_PAGE, VC_PAGE, PROT_READ | PROT_WRITE,
			 MAP_SHARED | MAP_FIXED | MAP_POPULATE, fd, 0) ==
		    MAP_FAILED)
			die("mmap", -errno);
	close(fd);
	return at;
}

static void bench_life(const char *path, void *memory, unsigned int n,
		       unsigned int rounds)
{
	struct life life;
	unsigned int i;

	meter_set_init(&life.whole, rounds);
	meter_set_init(&life.ok, rounds);
	meter_set_init(&life.reset, rounds);
	for (i = 0; i < rounds; i++)
		run_once(&life, path, memory, n);
	meter_report(&life.whole, "open-run-close/%u", n);
	meter_report(&life.ok, "driver-ok/%u", n);
	meter_report(&life.reset, "reset/%u", n);
}

void case_open(const struct bench *b)
{
	unsigned int i, rounds = b->rounds < 31 ? b->rounds : 31;
	void *memory = scattered();
	struct meter_set set;

	check("idle", meter_idle_start());
	meter_set_init(&set, rounds);
	for (i = 0; i < rounds; i++)
		open_close(&set, b->dev);
	meter_report(&set, "open-close");
	for (i = 0; i < ARRAY_SIZE(pages); i++)
		bench_life(b->dev, memory, pages[i], rounds);
	meter_idle_stop();
	munmap(memory, LIFE_PAGES * VC_PAGE);
}

/* --- management devices, by netlink --- */

static struct mnl_socket *nl;
static char nl_buf[8192];

/* Sends what is in nl_buf, and takes the answer; 0 or a negative errno. */
static int nl_talk(mnl_cb_t cb, void *data)
{
	struct nlmsghdr *nlh = (struct nlmsghdr *)nl_buf;
	unsigned int portid = mnl_socket_get_portid(nl);
	unsigned int seq = nlh->nlmsg_seq;
	int n;

	if (mnl_socket_sendto(nl, nlh, nlh->nlmsg_len) < 0)
		return -errno;
	do {
		n = mnl_socket_recvfrom(nl, nl_buf, sizeof(nl_buf));
		if (n >= 0)
			n = mnl_cb_run(nl_buf, n, seq, portid, cb, data);
	} while (n > 0);
	return n < 0 ? -errno : 0;
}

static struct nlmsghdr *nl_put(__u16 type, __u8 cmd, __u8 version)
{
	static unsigned int seq;
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(nl_buf);
	struct genlmsghdr *genl;

	nlh->nlmsg_type = type;
	nlh->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
	nlh->nlmsg_seq = ++seq;
	genl = mnl_nlmsg_put_extra_header(nlh, sizeof(*genl));
	genl->cmd = cmd;
	genl->version = version;
	return nlh;
}

static int nl_take_family(const struct nlmsghdr *nlh, void *data)
{
	struct nlattr *attr;

	mnl_attr_for_each(attr, nlh, sizeof(struct genlmsghdr))
		if (mnl_attr_get_type(attr) == CTRL_ATTR_FAMILY_ID)
			*(__u16 *)data = mnl_attr_get_u16(attr);
	return MNL_CB_OK;
}

/* Opens the socket; the number of the vdpa family. */
static __u16 nl_open(void)
{
	struct nlmsghdr *nlh;
	__u16 family = 0;

	nl = mnl_socket_open(NETLINK_GENERIC);
	if (!nl || mnl_socket_bind(nl, 0, MNL_SOCKET_AUTOPID) < 0)
		die("netlink", -errno);
	nlh = nl_put(GENL_ID_CTRL, CTRL_CMD_GETFAMILY, 1);
	mnl_attr_put_strz(nlh, CTRL_ATTR_FAMILY_NAME, VDPA_GENL_NAME);
	check("family", nl_talk(nl_take_family, &family));
	if (!family)
		die("vdpa netlink", -ENOENT);
	return family;
}

static int dev_add(const struct bench *b, __u16 family)
{
	struct nlmsghdr *nlh = nl_put(family, VDPA_CMD_DEV_NEW,
				      VDPA_GENL_VERSION);

	if (b->mgmt_bus)
		mnl_attr_put_strz(nlh, VDPA_ATTR_MGMTDEV_BUS_NAME, b->mgmt_bus);
	mnl_attr_put_strz(nlh, VDPA_ATTR_MGMTDEV_DEV_NAME, b->mgmt_dev);
	mnl_attr_put_strz(nlh, VDPA_ATTR_DEV_NAME, LIFE_NAME);
	return nl_talk(NULL, NULL);
}

static int dev_del(__u16 family)
{
	struct nlmsghdr *nlh = nl_put(family, VDPA_CMD_DEV_DEL,
				      VDPA_GENL_VERSION);

	mnl_attr_put_strz(nlh, VDPA_ATTR_DEV_NAME, LIFE_NAME);
	return nl_talk(NULL, NULL);
}

/*
 * What runs late is nobody's. Each time it is another moment between two ticks of the
 * timer: else a grace period of RCU might end in the middle of all of them, or of none.
 */
static void between(unsigned int i)
{
	vc_sleep_us(5000 + 370 * i % 4000);
}

/*
 * From the message to its answer; whoever runs meanwhile counts. Nobody but those who are
 * waited for may come between: else a thread that idles is given its turn, now and then.
 */
void case_dev(const struct bench *b)
{
	unsigned int i, rounds = b->rounds < 51 ? b->rounds : 51;
	struct meter_set add, del, both;
	double add_cost, del_cost;
	struct meter m;
	__u16 family;

	family = nl_open();
	meter_set_init(&add, rounds);
	meter_set_init(&del, rounds);
	meter_set_init(&both, rounds);
	check("idle", meter_idle_start());
	meter_prio(METER_FIRST);
	for (i = 0; i < rounds; i++) {
		meter_begin(&m);
		check("dev add", dev_add(b, family));
		add_cost = meter_end(&m);
		between(i);
		meter_begin(&m);
		check("dev del", dev_del(family));
		del_cost = meter_end(&m);
		between(i);
		meter_add(&add, add_cost);
		meter_add(&del, del_cost);
		meter_add(&both, add_cost + del_cost);
	}
	meter_prio(METER_NORMAL);
	meter_idle_stop();
	meter_report(&both, "dev-add-del");
	meter_report(&add, "dev-add");
	meter_report(&del, "dev-del");
	mnl_socket_close(nl);
}
