// SPDX-License-Identifier: GPL-2.0
/*
 * The vdpa netlink family: commands with attributes that are right, missing,
 * too short, too long, unknown, nested, or noise.
 */
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/genetlink.h>
#include <linux/vdpa.h>
#include <linux/virtio_net.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "fuzz.h"

/* Of a message; names may be long. */
#define MESSAGE_MAX	12288

static struct mnl_socket *nl;
static __u16 family;

/* --- talking ----------------------------------------------------------- */

/* Takes all answers there are; the last error, or 0. Answers come at once. */
static long receive(void)
{
	static char buf[65536];
	long ret = -ENOMSG;

	for (;;) {
		ssize_t n = recv(mnl_socket_get_fd(nl), buf, sizeof(buf), MSG_DONTWAIT);
		const struct nlmsghdr *nlh = (void *)buf;
		int left = n;

		if (n < 0)
			return errno == EAGAIN ? ret : -errno;
		for (; mnl_nlmsg_ok(nlh, left); nlh = mnl_nlmsg_next(nlh, &left)) {
			const struct nlmsgerr *err = mnl_nlmsg_get_payload(nlh);

			if (nlh->nlmsg_type == NLMSG_ERROR)
				ret = err->error;
			else
				ret = 0;
		}
	}
}

static long talk(const void *message, size_t size)
{
	if (mnl_socket_sendto(nl, message, size) < 0)
		return -errno;
	return receive();
}

static int find_family(void)
{
	char buf[MNL_SOCKET_BUFFER_SIZE];
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	struct genlmsghdr *genl;
	struct nlattr *attr;
	ssize_t n;

	nlh->nlmsg_type = GENL_ID_CTRL;
	nlh->nlmsg_flags = NLM_F_REQUEST;
	genl = mnl_nlmsg_put_extra_header(nlh, sizeof(*genl));
	genl->cmd = CTRL_CMD_GETFAMILY;
	genl->version = 1;
	mnl_attr_put_strz(nlh, CTRL_ATTR_FAMILY_NAME, VDPA_GENL_NAME);
	if (mnl_socket_sendto(nl, nlh, nlh->nlmsg_len) < 0)
		return -errno;
	n = mnl_socket_recvfrom(nl, buf, sizeof(buf));
	if (n < 0 || nlh->nlmsg_type == NLMSG_ERROR)
		return -ENOENT;
	mnl_attr_for_each(attr, nlh, sizeof(*genl))
		if (mnl_attr_get_type(attr) == CTRL_ATTR_FAMILY_ID)
			family = mnl_attr_get_u16(attr);
	return family ? 0 : -ENOENT;
}

/**
 * fz_netlink_init() - open a socket of one's own
 *
 * Return: 0 or a negative errno.
 */
int fz_netlink_init(void)
{
	nl = mnl_socket_open2(NETLINK_GENERIC, SOCK_CLOEXEC);
	if (!nl || mnl_socket_bind(nl, 0, MNL_SOCKET_AUTOPID))
		return -errno;
	return family ? 0 : find_family();
}

static struct nlmsghdr *begin(char *buf, __u8 cmd, __u16 flags)
{
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	struct genlmsghdr *genl;

	nlh->nlmsg_type = family;
	nlh->nlmsg_flags = NLM_F_REQUEST | flags;
	genl = mnl_nlmsg_put_extra_header(nlh, sizeof(*genl));
	genl->cmd = cmd;
	genl->version = VDPA_GENL_VERSION;
	return nlh;
}

/**
 * fz_netlink_add() - a device as everybody makes one
 * @t: where
 *
 * Return: 0 or a negative errno.
 */
int fz_netlink_add(struct fz_target *t)
{
	char buf[512];
	struct nlmsghdr *nlh = begin(buf, VDPA_CMD_DEV_NEW, NLM_F_ACK);

	if (t->bus)
		mnl_attr_put_strz(nlh, VDPA_ATTR_MGMTDEV_BUS_NAME, t->bus);
	mnl_attr_put_strz(nlh, VDPA_ATTR_MGMTDEV_DEV_NAME, t->mgmt);
	mnl_attr_put_strz(nlh, VDPA_ATTR_DEV_NAME, t->label);
	t->odd = false;
	return talk(nlh, nlh->nlmsg_len);
}

static long del_name(const char *name)
{
	char buf[1024];
	struct nlmsghdr *nlh = begin(buf, VDPA_CMD_DEV_DEL, NLM_F_ACK);

	mnl_attr_put_strz(nlh, VDPA_ATTR_DEV_NAME, name);
	return talk(nlh, nlh->nlmsg_len);
}

/**
 * fz_netlink_del() - delete the device of a target
 * @t: the target; whoever holds it is waited for
 *
 * Return: 0 or a negative errno.
 */
int fz_netlink_del(struct fz_target *t)
{
	long ret = del_name(t->name);

	fz_target_look(t);
	return ret;
}

/* --- attributes -------------------------------------------------------- */

/* What is put into a message, and how it is spoilt. */
struct attrs {
	struct nlmsghdr *nlh;
	struct fz_rng rng;
	const struct fz_target *t;
	unsigned int spoil;	/* once in so many */
};

static void put_noise(struct attrs *a, __u16 type, size_t size)
{
	__u8 noise[MESSAGE_MAX / 2];
	size_t i;

	for (i = 0; i < size; i++)
		noise[i] = fz_next(&a->rng);
	mnl_attr_put(a->nlh, type, size, noise);
}

static bool room(const struct attrs *a, size_t size)
{
	return a->nlh->nlmsg_len + size + 64 < MESSAGE_MAX;
}

/* An attribute, or what is not quite it. */
static void put_attr(struct attrs *a, __u16 type, const void *data, size_t size)
{
	static const __u16 sizes[] = { 0, 1, 2, 4, 5, 7, 8, 9, 255, 1024, 4000 };

	if (!room(a, size))
		return;
	if (!a->spoil || !fz_once(&a->rng, a->spoil)) {
		mnl_attr_put(a->nlh, type, size, data);
		return;
	}
	switch (fz_below(&a->rng, 6)) {
	case 0:
		break;
	case 1:
		/* One byte less: strings lose their end. */
		mnl_attr_put(a->nlh, type, size ? size - 1 : 0, data);
		break;
	case 2:
		mnl_attr_put(a->nlh, type | NLA_F_NESTED, size, data);
		break;
	case 3:
		mnl_attr_put(a->nlh, type, size, data);
		if (room(a, size))
			mnl_attr_put(a->nlh, type, size, data);
		break;
	case 4:
		mnl_attr_put(a->nlh, fz_odd(&a->rng) & 0x3fff, size, data);
		break;
	default:
		size = sizes[fz_below(&a->rng, ARRAY_SIZE(sizes))];
		if (room(a, size))
			put_noise(a, type, size);
		break;
	}
}

static void put_string(struct attrs *a, __u16 type, const char *text)
{
	put_attr(a, type, text, strlen(text) + 1);
}

/* Names that a file cannot have, or that something else has. */
static void put_odd_name(struct attrs *a)
{
	static const char * const names[] = {
		"", ".", "..", "../x", "/", "a/b", "a!b", "%s%n%p", "driver",
		"power", "subsystem", "device", "vendor", "uevent", "config",
		"msi_irqs", "resource0", "iommu_group", "x y", "x\ny", "\xff\xfe\x80",
		"\xc3\xa9t\xc3\xa9", "vhost-vdpa-0", "virtio0", "-", "0",
	};
	static const size_t lengths[] = { 15, 16, 63, 64, 127, 254, 255, 256, 1900, 2047, 4096 };
	char name[4096 + 1];
	size_t n;

	if (fz_once(&a->rng, 3)) {
		n = lengths[fz_below(&a->rng, ARRAY_SIZE(lengths))];
		memset(name, 'n', n);
		name[n] = '\0';
		put_string(a, VDPA_ATTR_DEV_NAME, name);
		return;
	}
	put_string(a, VDPA_ATTR_DEV_NAME, names[fz_below(&a->rng, ARRAY_SIZE(names))]);
}

static void put_name(struct attrs *a)
{
	switch (fz_below(&a->rng, a->spoil ? 6 : 1)) {
	case 1:
		put_odd_name(a);
		break;
	case 2:
		put_string(a, VDPA_ATTR_DEV_NAME, "nobody");
		break;
	default:
		put_string(a, VDPA_ATTR_DEV_NAME,
			   a->t->name[0] ? a->t->name : a->t->label);
		break;
	}
}

static void put_mgmt(struct attrs *a)
{
	bool odd = a->spoil && fz_once(&a->rng, 2 * a->spoil);

	if (odd || a->t->bus)
		put_string(a, VDPA_ATTR_MGMTDEV_BUS_NAME, odd ? "pcie" : a->t->bus);
	put_string(a, VDPA_ATTR_MGMTDEV_DEV_NAME,
		   a->spoil && fz_once(&a->rng, 2 * a->spoil) ? "0000:ff:1f.7" :
		   a->t->mgmt);
}

static void put_mac(struct attrs *a)
{
	static const __u8 macs[][6] = {
		{ 2, 0, 0, 0, 0, 1 }, { 0x52, 0x54, 0, 1, 2, 3 }, { 0 },
		{ 0xff, 0xff, 0xff, 0xff, 0xff, 0xff }, { 1, 0, 0x5e, 0, 0, 1 },
	};

	put_attr(a, VDPA_ATTR_DEV_NET_CFG_MACADDR, macs[fz_below(&a->rng, ARRAY_SIZE(macs))], 6);
}

static void put_u16(struct attrs *a, __u16 type, const __u16 *values, size_t n)
{
	__u16 value = values[fz_below(&a->rng, n)];

	if (fz_once(&a->rng, 6))
		value = fz_odd(&a->rng);
	put_attr(a, type, &value, sizeof(value));
}

/* Often what the device has, less or more a few. */
static void put_features(struct attrs *a)
{
	__u64 must = 1ULL << VIRTIO_F_VERSION_1 | 1ULL << VIRTIO_F_ACCESS_PLATFORM;
	__u64 base = a->t->features, value;

	/* A device with packed rings is one that somebody asked for. */
	switch (a->spoil ? fz_below(&a->rng, 6) : 2) {
	case 0:
		value = fz_odd(&a->rng);
		break;
	case 1:
		value = base ^ 1ULL << fz_below(&a->rng, 64);
		break;
	case 2:
		value = base | 1ULL << VIRTIO_F_RING_PACKED;
		break;
	case 3:
		value = (base & fz_next(&a->rng)) | must;
		break;
	case 4:
		value = base | 1ULL << VIRTIO_NET_F_MQ | 1ULL << VIRTIO_F_IN_ORDER |
			1ULL << VIRTIO_F_NOTIFICATION_DATA;
		break;
	default:
		value = base;
		break;
	}
	put_attr(a, VDPA_ATTR_DEV_FEATURES, &value, sizeof(value));
}

static void put_config(struct attrs *a)
{
	static const __u16 vqps[] = { 0, 1, 1, 2, 3, 0xffff };
	static const __u16 mtus[] = { 0, 67, 68, 1500, 1500, 9000, 0xffff };

	if (fz_once(&a->rng, 4))
		put_features(a);
	if (!a->t->net && !fz_once(&a->rng, 6))
		return;
	if (fz_once(&a->rng, 4))
		put_mac(a);
	if (fz_once(&a->rng, 4))
		put_u16(a, VDPA_ATTR_DEV_NET_CFG_MAX_VQP, vqps, ARRAY_SIZE(vqps));
	if (fz_once(&a->rng, 4))
		put_u16(a, VDPA_ATTR_DEV_NET_CFG_MTU, mtus, ARRAY_SIZE(mtus));
}

static void put_index(struct attrs *a)
{
	__u32 index = fz_queue(&a->rng, a->t->net);

	put_attr(a, VDPA_ATTR_DEV_QUEUE_INDEX, &index, sizeof(index));
}

static void put_anything(struct attrs *a)
{
	unsigned int i, n = fz_below(&a->rng, 6);

	for (i = 0; i < n; i++) {
		size_t size = fz_below(&a->rng, 300);
		__u16 type = fz_once(&a->rng, 4) ? fz_next(&a->rng) :
				fz_below(&a->rng, VDPA_ATTR_MAX + 2);

		if (room(a, size))
			put_noise(a, type, size);
	}
}

/* --- operations -------------------------------------------------------- */

static void gen_netlink(struct fz_rng *rng, struct fz_call *call)
{
	static const unsigned int spoil[] = { 0, 0, 3, 8, 8 };

	call->a[0] = spoil[fz_below(rng, ARRAY_SIZE(spoil))];
	call->a[1] = fz_next(rng);
	call->a[2] = fz_once(rng, 3) ? NLM_F_DUMP : 0;
}

static void attrs_init(struct attrs *a, const struct fz_call *call, char *buf,
		       __u8 cmd)
{
	__u16 flags = call->a[2] & (NLM_F_DUMP | NLM_F_ECHO | NLM_F_CREATE | NLM_F_EXCL);

	*a = (struct attrs) {
		.nlh = begin(buf, cmd, flags | NLM_F_ACK),
		.rng = { .state = call->a[1] },
		.t = fz_target(call),
		.spoil = call->a[0],
	};
}

static long run_get(struct fz_thread *th, const struct fz_call *call)
{
	char buf[MESSAGE_MAX];
	struct attrs a;

	(void)th;
	attrs_init(&a, call, buf, call->op->request);
	if (call->op->request == VDPA_CMD_MGMTDEV_GET)
		put_mgmt(&a);
	else
		put_name(&a);
	if (call->op->request == VDPA_CMD_DEV_VSTATS_GET)
		put_index(&a);
	if (call->a[0] && fz_once(&a.rng, 4))
		put_anything(&a);
	return talk(a.nlh, a.nlh->nlmsg_len);
}

static long run_set(struct fz_thread *th, const struct fz_call *call)
{
	char buf[MESSAGE_MAX];
	struct attrs a;

	(void)th;
	attrs_init(&a, call, buf, VDPA_CMD_DEV_ATTR_SET);
	put_name(&a);
	if (fz_once(&a.rng, 4))
		put_config(&a);
	else
		put_mac(&a);
	return talk(a.nlh, a.nlh->nlmsg_len);
}

/* Bit 0 of a[3]: room is made for it first, or it could only be refused. */
static void gen_new(struct fz_rng *rng, struct fz_call *call)
{
	gen_netlink(rng, call);
	call->a[3] = fz_next(rng);
}

/* Where there may be any number of devices a new one need not be the target's. */
static void no_strays(const struct fz_target *t)
{
	char name[FZ_NAME];

	while (fz_target_stray(t, name, sizeof(name)))
		if (del_name(name))
			break;
}

static long run_new(struct fz_thread *th, const struct fz_call *call)
{
	struct fz_target *t = fz_target(call);
	char buf[MESSAGE_MAX];
	struct attrs a;
	long ret;

	(void)th;
	if (call->a[3] & 1) {
		fz_target_close(t);
		fz_target_look(t);
		if (t->name[0])
			fz_netlink_del(t);
	}
	attrs_init(&a, call, buf, VDPA_CMD_DEV_NEW);
	put_mgmt(&a);
	put_name(&a);
	put_config(&a);
	if (call->a[0] && fz_once(&a.rng, 4))
		put_anything(&a);
	ret = talk(a.nlh, a.nlh->nlmsg_len);
	if (!ret) {
		t->odd = true;
		fz_target_look(t);
		no_strays(t);
	}
	return ret;
}

static long run_del(struct fz_thread *th, const struct fz_call *call)
{
	unsigned int i;
	char buf[MESSAGE_MAX];
	struct attrs a;
	long ret;

	(void)th;
	/* Whatever it names, the kernel would wait for us. */
	for (i = 0; i < fz_ntargets; i++)
		fz_target_close(&fz_targets[i]);
	attrs_init(&a, call, buf, VDPA_CMD_DEV_DEL);
	put_name(&a);
	ret = talk(a.nlh, a.nlh->nlmsg_len);
	for (i = 0; i < fz_ntargets; i++)
		fz_target_look(&fz_targets[i]);
	return ret;
}

static void gen_raw(struct fz_rng *rng, struct fz_call *call)
{
	gen_netlink(rng, call);
	call->a[3] = fz_odd(rng);
	call->a[4] = fz_odd(rng);
}

/* Never a command that deletes: its name could be any. */
static long run_raw(struct fz_thread *th, const struct fz_call *call)
{
	char buf[MESSAGE_MAX];
	struct genlmsghdr *genl;
	__u8 cmd = call->a[3];
	struct attrs a;
	size_t size;

	(void)th;
	if (cmd == VDPA_CMD_DEV_DEL)
		cmd = VDPA_CMD_DEV_GET;
	attrs_init(&a, call, buf, cmd);
	genl = mnl_nlmsg_get_payload(a.nlh);
	genl->version = call->a[4];
	genl->reserved = call->a[4] >> 8;
	put_anything(&a);
	/* A length that is not that of the message. */
	size = a.nlh->nlmsg_len;
	if (fz_once(&a.rng, 4))
		a.nlh->nlmsg_len = fz_below(&a.rng, 2 * size);
	return talk(a.nlh, size);
}

struct fz_op fz_netlink_ops[] = {
	FZ_OP("MGMTDEV_GET", 8, 0, gen_netlink, run_get, VDPA_CMD_MGMTDEV_GET),
	FZ_OP("DEV_GET", 10, 0, gen_netlink, run_get, VDPA_CMD_DEV_GET),
	FZ_OP("DEV_CONFIG_GET", 12, 0, gen_netlink, run_get, VDPA_CMD_DEV_CONFIG_GET),
	FZ_OP("DEV_VSTATS_GET", 10, 0, gen_netlink, run_get, VDPA_CMD_DEV_VSTATS_GET),
	FZ_OP("DEV_ATTR_SET", 10, 0, gen_netlink, run_set, 0),
	FZ_OP("DEV_NEW", 12, FZ_SLOW, gen_new, run_new, 0),
	FZ_OP("DEV_DEL", 3, FZ_SLOW, gen_netlink, run_del, 0),
	FZ_OP("netlink", 12, 0, gen_raw, run_raw, 0),
	{ 0 }
};
