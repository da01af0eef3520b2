// SPDX-License-Identifier: GPL-2.0
/*
 * What libmnl has of sockets, for the vmdev command: a kernel with one device, that does what the
 * environment says. FAKE is the name of what goes wrong:
 *
 *	eintr	each call is interrupted once
 *	enobufs	the answer is lost; of the family it is not
 *	nosend	nothing can be sent
 *	lost	events are lost, and the family is another one meanwhile
 *	gone	the family goes
 *	reload	the family is another one as soon as its events were joined
 *
 * FAKE_NAME is the device's name, FAKE_HOLDER who has it.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <linux/genetlink.h>

#include "../../tools/vmdev.h"

#define FAMILY	30
#define EVENTS	7
#define DEV	"d0"

static struct {
	uint64_t reply[1024];
	int len;
	unsigned int sends;
	unsigned int receives;
	unsigned int joins;
	bool other;	/* family */
} kernel;

static bool is_fake(const char *what)
{
	const char *fake = getenv("FAKE");

	return fake && !strcmp(fake, what);
}

static const char *env(const char *name, const char *other)
{
	const char *value = getenv(name);

	return value ? value : other;
}

static struct nlmsghdr *message(uint16_t type, uint32_t seq)
{
	struct nlmsghdr *nlh = mnl_nlmsg_put_header((char *)kernel.reply + kernel.len);

	nlh->nlmsg_type = type;
	nlh->nlmsg_seq = seq;
	return nlh;
}

static struct nlmsghdr *generic(uint16_t type, uint32_t seq, uint8_t cmd)
{
	struct nlmsghdr *nlh = message(type, seq);
	struct genlmsghdr *genl = mnl_nlmsg_put_extra_header(nlh, sizeof(*genl));

	genl->cmd = cmd;
	return nlh;
}

static void done(const struct nlmsghdr *nlh)
{
	kernel.len += MNL_ALIGN(nlh->nlmsg_len);
}

static void family(uint32_t seq, uint8_t cmd)
{
	struct nlmsghdr *nlh = generic(GENL_ID_CTRL, seq, cmd);
	struct nlattr *groups, *group;

	mnl_attr_put_u16(nlh, CTRL_ATTR_FAMILY_ID, FAMILY + kernel.other);
	groups = mnl_attr_nest_start(nlh, CTRL_ATTR_MCAST_GROUPS);
	group = mnl_attr_nest_start(nlh, 1);
	mnl_attr_put_strz(nlh, CTRL_ATTR_MCAST_GRP_NAME, VMDEV_MCGRP_EVENTS);
	mnl_attr_put_u32(nlh, CTRL_ATTR_MCAST_GRP_ID, EVENTS);
	mnl_attr_nest_end(nlh, group);
	mnl_attr_nest_end(nlh, groups);
	done(nlh);
}

static void device(uint32_t seq)
{
	struct nlmsghdr *nlh = generic(FAMILY, seq, VMDEV_CMD_DEV_GET);

	mnl_attr_put_strz(nlh, VMDEV_A_DEV_NAME, env("FAKE_NAME", DEV));
	mnl_attr_put_strz(nlh, VMDEV_A_DEV_HOLDER, env("FAKE_HOLDER", "qemu"));
	mnl_attr_put_u32(nlh, VMDEV_A_DEV_HOLDER_PID, 1);
	done(nlh);
}

static void ack(uint32_t seq, int error)
{
	struct nlmsghdr *nlh = message(NLMSG_ERROR, seq);
	struct nlmsgerr *err = mnl_nlmsg_put_extra_header(nlh, sizeof(*err));

	err->error = error;
	done(nlh);
}

static void event(void)
{
	struct nlmsghdr *nlh = generic(FAMILY, 0, VMDEV_CMD_EVENT);

	mnl_attr_put_u32(nlh, VMDEV_A_EVENT_KIND, VMDEV_EVENT_DEV_ADD);
	mnl_attr_put_strz(nlh, VMDEV_A_EVENT_NAME, env("FAKE_NAME", DEV));
	done(nlh);
}

/* --- libmnl ---------------------------------------------------------------------- */

struct mnl_socket *mnl_socket_open(int bus)
{
	(void)bus;
	return (void *)&kernel;
}

int mnl_socket_bind(struct mnl_socket *nl, unsigned int groups, pid_t pid)
{
	(void)nl;
	(void)groups;
	(void)pid;
	return 0;
}

int mnl_socket_close(struct mnl_socket *nl)
{
	(void)nl;
	return 0;
}

int mnl_socket_get_fd(const struct mnl_socket *nl)
{
	(void)nl;
	return -1;
}

int mnl_socket_setsockopt(const struct mnl_socket *nl, int type, void *buf, socklen_t len)
{
	(void)nl;
	(void)buf;
	(void)len;
	if (type != NETLINK_ADD_MEMBERSHIP)
		return 0;
	kernel.joins++;
	if (is_fake("reload"))
		kernel.other = true;
	return 0;
}

ssize_t mnl_socket_sendto(const struct mnl_socket *nl, const void *req, size_t size)
{
	const struct nlmsghdr *nlh = req;

	(void)nl;
	if (is_fake("eintr") && ++kernel.sends % 2) {
		errno = EINTR;
		return -1;
	}
	if (is_fake("nosend") && nlh->nlmsg_type != GENL_ID_CTRL) {
		errno = ENOMEM;
		return -1;
	}
	kernel.len = 0;
	if (nlh->nlmsg_type == GENL_ID_CTRL)
		family(nlh->nlmsg_seq, CTRL_CMD_NEWFAMILY);
	else if (!is_fake("enobufs"))
		device(nlh->nlmsg_seq);
	else
		return size;
	ack(nlh->nlmsg_seq, 0);
	return size;
}

/* Of events: one, then what is asked for. */
static void next_event(void)
{
	static unsigned int n;

	if (!n++)
		event();
	else if (is_fake("gone"))
		family(0, CTRL_CMD_DELFAMILY);
	else if (is_fake("lost"))
		kernel.other = true;
}

ssize_t mnl_socket_recvfrom(const struct mnl_socket *nl, void *buf, size_t size)
{
	ssize_t n;

	(void)nl;
	if (is_fake("eintr") && ++kernel.receives % 2) {
		errno = EINTR;
		return -1;
	}
	if (!kernel.len && kernel.joins)
		next_event();
	n = kernel.len;
	kernel.len = 0;
	if (!n || (size_t)n > size) {
		errno = is_fake("enobufs") || is_fake("lost") ? ENOBUFS : EIO;
		return -1;
	}
	memcpy(buf, kernel.reply, n);
	return n;
}
