// SPDX-License-Identifier: GPL-2.0
/*
 * The uplink: one more port of the switch, whose other end is a tap, or a
 * socket of another such process.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

#include <linux/if.h>
#include <linux/if_tun.h>

#include "model.h"

#define UPLINK_HDR	sizeof(struct virtio_net_hdr_v1)

static struct {
	struct port port;
	int fd;
	struct sockaddr_un peer;
} uplink = { .fd = -1 };

static bool uplink_wants(struct port *p, const struct frame *frame)
{
	(void)p;
	(void)frame;
	return true;
}

/* Whoever does not read in time loses frames. */
static bool uplink_deliver(struct port *p, const struct frame *frame)
{
	struct virtio_net_hdr_v1 hdr = frame->hdr;
	struct iovec iov[2] = {
		{ &hdr, UPLINK_HDR },
		{ (void *)frame->data, frame->len },
	};
	struct msghdr m = {
		.msg_name = &uplink.peer,
		.msg_namelen = sizeof(uplink.peer),
		.msg_iov = iov,
		.msg_iovlen = 2,
	};
	ssize_t n;

	hdr.num_buffers = 0;
	if (uplink.peer.sun_family)
		n = sendmsg(uplink.fd, &m, MSG_DONTWAIT | MSG_NOSIGNAL);
	else
		n = writev(uplink.fd, iov, 2);
	if (n < 0)
		p->dropped++;
	return true;
}

static const struct port_ops uplink_ops = {
	.wants		= uplink_wants,
	.deliver	= uplink_deliver,
};

/**
 * uplink_fd() - what to poll for frames, -1 if there is no uplink
 */
int uplink_fd(void)
{
	return uplink.fd;
}

/**
 * uplink_receive() - frames may have come
 */
void uplink_receive(void)
{
	static struct frame frame;
	struct iovec iov[2] = {
		{ &frame.hdr, UPLINK_HDR },
		{ frame.data, FRAME_MAX },
	};
	int budget = 64;	/* functions are to be served, too */

	while (budget--) {
		ssize_t n = readv(uplink.fd, iov, 2);

		if (n < (ssize_t)UPLINK_HDR)
			return;
		frame.len = n - UPLINK_HDR;
		port_send(&uplink.port, &frame);
	}
}

static int uplink_tap(const char *name)
{
	struct ifreq ifr = { .ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR };
	int size = UPLINK_HDR;
	int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0)
		return -1;
	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", name);
	if (!ioctl(fd, TUNSETIFF, &ifr) && !ioctl(fd, TUNSETVNETHDRSZ, &size))
		return fd;
	close(fd);
	return -1;
}

/* OURS,PEER: both are paths of datagram sockets. */
static int uplink_socket(const char *what)
{
	struct sockaddr_un ours = { .sun_family = AF_UNIX };
	const char *comma = strchr(what, ',');
	int fd;

	errno = EINVAL;
	if (!comma || comma - what >= (int)sizeof(ours.sun_path) ||
	    strlen(comma + 1) >= sizeof(ours.sun_path))
		return -1;
	memcpy(ours.sun_path, what, comma - what);
	uplink.peer.sun_family = AF_UNIX;
	memcpy(uplink.peer.sun_path, comma + 1, strlen(comma + 1));
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	unlink(ours.sun_path);
	if (!bind(fd, (struct sockaddr *)&ours, sizeof(ours)))
		return fd;
	close(fd);
	return -1;
}

/**
 * uplink_open() - connect the switch with the world
 * @what: tap:NAME, or OURS,PEER
 *
 * Return: 0, or -1 with errno set.
 */
int uplink_open(const char *what)
{
	uplink.fd = strncmp(what, "tap:", 4) ? uplink_socket(what) :
					       uplink_tap(what + 4);
	if (uplink.fd < 0)
		return -1;
	return port_add(&uplink.port, &uplink_ops, NULL) ? -1 : 0;
}
