// SPDX-License-Identifier: GPL-2.0
/* The vDPA netlink family, by libmnl; see lab.h. */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <libmnl/libmnl.h>
#include <linux/genetlink.h>

#include "lab.h"

/* A kernel that is asked for an answer gives one in this time, or hangs. */
#define LAB_ANSWER_S	120

static __thread struct mnl_socket *lab_socket;
static __thread unsigned int lab_seq;
static __thread char lab_buf[1 << 15];
static __u16 lab_family;

static struct nlmsghdr *lab_request(__u16 type, __u8 cmd, __u16 flags)
{
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(lab_buf);
	struct genlmsghdr *genl;

	nlh->nlmsg_type = type;
	nlh->nlmsg_flags = NLM_F_REQUEST | flags;
	nlh->nlmsg_seq = ++lab_seq;
	genl = mnl_nlmsg_put_extra_header(nlh, sizeof(*genl));
	genl->cmd = cmd;
	genl->version = VDPA_GENL_VERSION;
	return nlh;
}

/* Answers to former requests are passed over: a fault may have held one back. */
static int lab_talk(struct nlmsghdr *nlh, mnl_cb_t cb, void *data)
{
	ssize_t n;
	int ret;

	if (mnl_socket_sendto(lab_socket, nlh, nlh->nlmsg_len) < 0)
		return -errno;
	for (;;) {
		n = mnl_socket_recvfrom(lab_socket, lab_buf, sizeof(lab_buf));
		if (n < 0)
			return -errno;
		if (n < (ssize_t)sizeof(*nlh))
			return -EPROTO;
		if (((struct nlmsghdr *)lab_buf)->nlmsg_seq != lab_seq)
			continue;
		ret = mnl_cb_run(lab_buf, n, lab_seq, 0, cb, data);
		if (ret < 0)
			return -errno;
		if (ret == MNL_CB_STOP)
			return 0;
	}
}

static int lab_family_attr(const struct nlattr *attr, void *data)
{
	if (mnl_attr_get_type(attr) == CTRL_ATTR_FAMILY_ID)
		*(__u16 *)data = mnl_attr_get_u16(attr);
	return MNL_CB_OK;
}

static int lab_family_cb(const struct nlmsghdr *nlh, void *data)
{
	return mnl_attr_parse(nlh, sizeof(struct genlmsghdr), lab_family_attr,
			      data);
}

/**
 * lab_open() - a socket of this thread's own, and nothing unread on it
 *
 * Return: 0 or a negative errno; -ENOENT if there is no vDPA.
 */
int lab_open(void)
{
	const struct timeval patience = { .tv_sec = LAB_ANSWER_S };
	struct nlmsghdr *nlh;
	int err;

	if (lab_socket)
		mnl_socket_close(lab_socket);
	lab_socket = mnl_socket_open(NETLINK_GENERIC);
	if (!lab_socket || mnl_socket_bind(lab_socket, 0, MNL_SOCKET_AUTOPID))
		return -errno;
	setsockopt(mnl_socket_get_fd(lab_socket), SOL_SOCKET, SO_RCVTIMEO,
		   &patience, sizeof(patience));

	nlh = lab_request(GENL_ID_CTRL, CTRL_CMD_GETFAMILY, NLM_F_ACK);
	mnl_attr_put_strz(nlh, CTRL_ATTR_FAMILY_NAME, VDPA_GENL_NAME);
	err = lab_talk(nlh, lab_family_cb, &lab_family);
	return err || lab_family ? err : -ENOENT;
}

int lab_dev_add(const struct lab_vdpa *dev)
{
	struct nlmsghdr *nlh = lab_request(lab_family, VDPA_CMD_DEV_NEW,
					   NLM_F_ACK);

	if (strchr(dev->mgmt, ':'))
		mnl_attr_put_strz(nlh, VDPA_ATTR_MGMTDEV_BUS_NAME, "pci");
	mnl_attr_put_strz(nlh, VDPA_ATTR_MGMTDEV_DEV_NAME, dev->mgmt);
	mnl_attr_put_strz(nlh, VDPA_ATTR_DEV_NAME, dev->name);
	if (dev->mac)
		mnl_attr_put(nlh, VDPA_ATTR_DEV_NET_CFG_MACADDR, 6, dev->mac);
	if (dev->mtu)
		mnl_attr_put_u16(nlh, VDPA_ATTR_DEV_NET_CFG_MTU, dev->mtu);
	if (dev->vqp)
		mnl_attr_put_u16(nlh, VDPA_ATTR_DEV_NET_CFG_MAX_VQP, dev->vqp);
	if (dev->features)
		mnl_attr_put_u64(nlh, VDPA_ATTR_DEV_FEATURES, dev->features);
	return lab_talk(nlh, NULL, NULL);
}

int lab_dev_del(const char *name)
{
	struct nlmsghdr *nlh = lab_request(lab_family, VDPA_CMD_DEV_DEL,
					   NLM_F_ACK);

	mnl_attr_put_strz(nlh, VDPA_ATTR_DEV_NAME, name);
	return lab_talk(nlh, NULL, NULL);
}

int lab_dev_mac(const char *name, const __u8 *mac)
{
	struct nlmsghdr *nlh = lab_request(lab_family, VDPA_CMD_DEV_ATTR_SET,
					   NLM_F_ACK);

	mnl_attr_put_strz(nlh, VDPA_ATTR_DEV_NAME, name);
	mnl_attr_put(nlh, VDPA_ATTR_DEV_NET_CFG_MACADDR, 6, mac);
	return lab_talk(nlh, NULL, NULL);
}

/* VDPA_CMD_DEV_GET, _CONFIG_GET or _VSTATS_GET (of queue 0). */
int lab_dev_get(int cmd, const char *name)
{
	struct nlmsghdr *nlh = lab_request(lab_family, cmd, NLM_F_ACK);

	mnl_attr_put_strz(nlh, VDPA_ATTR_DEV_NAME, name);
	if (cmd == VDPA_CMD_DEV_VSTATS_GET)
		mnl_attr_put_u32(nlh, VDPA_ATTR_DEV_QUEUE_INDEX, 0);
	return lab_talk(nlh, NULL, NULL);
}

/* VDPA_CMD_MGMTDEV_GET, _DEV_GET or _CONFIG_GET, of all there are. */
int lab_dump(int cmd)
{
	return lab_talk(lab_request(lab_family, cmd, NLM_F_DUMP), NULL, NULL);
}
