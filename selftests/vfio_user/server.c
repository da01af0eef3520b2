// SPDX-License-Identifier: GPL-2.0
/*
 * Socket and messages of the vfio-user server.
 *
 * A request is read exactly, header and then the rest, so that descriptors are
 * never taken for those of the next one. Whatever is wrong with a request as
 * such gets an error in reply; a stream that makes no sense is closed.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <linux/vfio.h>

#include "internal.h"

/* A client that does not read its replies for so long is given up. */
#define VFU_SEND_MS 5000

/* More functions than this nobody has in one process. */
#define VFU_FUNCTIONS_MAX 64

/* And there are few other things that it waits for. */
#define VFU_MORE_MAX 16

/* INTx, MSI, MSI-X; nothing that tells errors, or wants the device back. */
#define VFU_IRQS (VFIO_PCI_MSIX_IRQ_INDEX + 1)

static const char vfu_capabilities[] =
	"{\"capabilities\":{\"max_msg_fds\":8,\"max_data_xfer_size\":65536}}";

static void vfu_close_fds(struct vfu_msg *msg)
{
	unsigned int i;

	for (i = 0; i < msg->nfds; i++)
		if (msg->fds[i] >= 0)
			close(msg->fds[i]);
	msg->nfds = 0;
}

/* As when a card is pulled out: nothing of it is left to the next client. */
static void vfu_disconnect(struct vfu *f)
{
	if (f->fd < 0)
		return;
	close(f->fd);
	f->fd = -1;
	f->got = 0;
	f->greeted = false;
	vfu_close_fds(&f->msg);
	vfu_irq_clear(f);
	vfu_dma_clear(f);
	vfu_pci_reset(f);
}

static int vfu_send(struct vfu *f, const void *buf, size_t len)
{
	const __u8 *p = buf;

	while (len) {
		struct pollfd pfd = { .fd = f->fd, .events = POLLOUT };
		ssize_t n = send(f->fd, p, len, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n > 0) {
			p += n;
			len -= n;
		} else if (n < 0 && errno == EAGAIN) {
			if (poll(&pfd, 1, VFU_SEND_MS) <= 0)
				return -ETIMEDOUT;
		} else if (n >= 0 || errno != EINTR) {
			return n < 0 ? -errno : -EPIPE;
		}
	}
	return 0;
}

/* The reply's body is in f->msg.body, its length in @len; @err is negative. */
static int vfu_reply(struct vfu *f, int err, __u32 len)
{
	struct vfu_header *h = (struct vfu_header *)f->buf;

	if (f->msg.header.flags & VFU_FLAG_NO_REPLY)
		return 0;
	*h = f->msg.header;
	h->flags = VFU_FLAG_REPLY | (err ? VFU_FLAG_ERROR : 0);
	h->error = -err;
	h->size = sizeof(*h) + (err ? 0 : len);
	return vfu_send(f, f->buf, h->size);
}

/* Handlers below: length of the reply's body, or a negative errno. */

static int vfu_version(struct vfu *f, struct vfu_msg *msg)
{
	struct vfu_msg_version *v = (struct vfu_msg_version *)msg->body;

	if (msg->len < sizeof(*v) || v->major)
		return -EINVAL;
	v->minor = 0;
	f->greeted = true;
	memcpy(v + 1, vfu_capabilities, sizeof(vfu_capabilities));
	return sizeof(*v) + sizeof(vfu_capabilities);
}

static int vfu_get_info(struct vfu *f, struct vfu_msg *msg)
{
	__u32 *info = (__u32 *)msg->body;	/* argsz, flags, regions, irqs */

	(void)f;
	if (msg->len < 4 * sizeof(*info))
		return -EINVAL;
	info[0] = 4 * sizeof(*info);
	info[1] = VFIO_DEVICE_FLAGS_PCI | VFIO_DEVICE_FLAGS_RESET;
	info[2] = VFIO_PCI_NUM_REGIONS;
	info[3] = VFU_IRQS;
	return 4 * sizeof(*info);
}

static int vfu_get_region_info(struct vfu *f, struct vfu_msg *msg)
{
	struct vfio_region_info *info = (struct vfio_region_info *)msg->body;

	if (msg->len < sizeof(*info) || info->index >= VFIO_PCI_NUM_REGIONS)
		return -EINVAL;
	info->argsz = sizeof(*info);
	info->cap_offset = 0;
	info->offset = 0;
	info->size = vfu_pci_region_size(f, info->index);
	info->flags = info->size ? VFIO_REGION_INFO_FLAG_READ |
				   VFIO_REGION_INFO_FLAG_WRITE : 0;
	return sizeof(*info);
}

static int vfu_get_irq_info(struct vfu *f, struct vfu_msg *msg)
{
	struct vfio_irq_info *info = (struct vfio_irq_info *)msg->body;

	if (msg->len < sizeof(*info) || info->index >= VFU_IRQS)
		return -EINVAL;
	info->argsz = sizeof(*info);
	info->flags = 0;
	info->count = 0;
	if (info->index == VFIO_PCI_MSIX_IRQ_INDEX) {
		info->flags = VFIO_IRQ_INFO_EVENTFD;
		info->count = f->pci.vectors;
	}
	return sizeof(*info);
}

static int vfu_region_read(struct vfu *f, struct vfu_msg *msg)
{
	struct vfu_msg_region *r = (struct vfu_msg_region *)msg->body;
	int err;

	if (msg->len < sizeof(*r) || r->count > VFU_XFER_MAX)
		return -EINVAL;
	err = vfu_pci_region_read(f, r->region, r->offset, r + 1, r->count);
	return err ? err : (int)(sizeof(*r) + r->count);
}

static int vfu_region_write(struct vfu *f, struct vfu_msg *msg)
{
	struct vfu_msg_region *r = (struct vfu_msg_region *)msg->body;
	int err;

	if (msg->len < sizeof(*r) || r->count > msg->len - sizeof(*r))
		return -EINVAL;
	err = vfu_pci_region_write(f, r->region, r->offset, r + 1, r->count);
	return err ? err : (int)sizeof(*r);
}

static int vfu_device_reset(struct vfu *f, struct vfu_msg *msg)
{
	(void)msg;
	vfu_pci_reset(f);
	return 0;
}

static int vfu_handle(struct vfu *f, struct vfu_msg *msg)
{
	if (!f->greeted && msg->header.command != VFU_VERSION)
		return -EINVAL;

	switch (msg->header.command) {
	case VFU_VERSION:
		return vfu_version(f, msg);
	case VFU_DMA_MAP:
		return vfu_dma_map(f, msg);
	case VFU_DMA_UNMAP:
		return vfu_dma_unmap(f, msg);
	case VFU_GET_INFO:
		return vfu_get_info(f, msg);
	case VFU_GET_REGION_INFO:
		return vfu_get_region_info(f, msg);
	case VFU_GET_IRQ_INFO:
		return vfu_get_irq_info(f, msg);
	case VFU_SET_IRQS:
		return vfu_irq_set(f, msg);
	case VFU_REGION_READ:
		return vfu_region_read(f, msg);
	case VFU_REGION_WRITE:
		return vfu_region_write(f, msg);
	case VFU_DEVICE_RESET:
		return vfu_device_reset(f, msg);
	default:
		return -EOPNOTSUPP;
	}
}

/* Descriptors come with the first byte of a message; all are kept or closed. */
static int vfu_take_fds(struct vfu *f, struct msghdr *m)
{
	struct cmsghdr *c;
	int err = 0;

	for (c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
		const __u8 *data = CMSG_DATA(c);
		size_t i, n;

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (i = 0; i < n; i++) {
			int fd;

			memcpy(&fd, data + i * sizeof(fd), sizeof(fd));
			if (f->msg.nfds < VFU_FDS_MAX) {
				f->msg.fds[f->msg.nfds++] = fd;
			} else {
				close(fd);
				err = -E2BIG;
			}
		}
	}
	return m->msg_flags & MSG_CTRUNC ? -E2BIG : err;
}

/* Bytes that the request lacks, 0 if it is complete. */
static int vfu_missing(const struct vfu *f, __u32 *missing)
{
	const struct vfu_header *h = (const struct vfu_header *)f->buf;

	if (f->got < sizeof(*h)) {
		*missing = sizeof(*h) - f->got;
		return 0;
	}
	if (h->size < sizeof(*h) || h->size > VFU_MSG_MAX ||
	    (h->flags & VFU_FLAG_TYPE))
		return -EPROTO;
	*missing = h->size - f->got;
	return 0;
}

static int vfu_recv_some(struct vfu *f, __u32 missing)
{
	union {
		struct cmsghdr align;
		char buf[CMSG_SPACE(VFU_FDS_MAX * sizeof(int))];
	} control;
	struct iovec iov = { .iov_base = f->buf + f->got, .iov_len = missing };
	struct msghdr m = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control.buf,
		.msg_controllen = sizeof(control.buf),
	};
	ssize_t n = recvmsg(f->fd, &m, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);

	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -errno;
	if (!n)
		return -EPIPE;
	f->got += n;
	return vfu_take_fds(f, &m) ? -EPROTO : (int)n;
}

static int vfu_dispatch(struct vfu *f)
{
	struct vfu_msg *msg = &f->msg;
	int ret;

	memcpy(&msg->header, f->buf, sizeof(msg->header));
	msg->body = f->buf + sizeof(msg->header);
	msg->len = msg->header.size - sizeof(msg->header);
	f->got = 0;
	ret = vfu_handle(f, msg);
	vfu_close_fds(msg);
	return vfu_reply(f, ret < 0 ? ret : 0, ret < 0 ? 0 : ret);
}

/* All that is there to be read. */
static int vfu_receive(struct vfu *f)
{
	for (;;) {
		__u32 missing;
		int ret;

		ret = vfu_missing(f, &missing);
		if (ret)
			return ret;
		if (missing) {
			ret = vfu_recv_some(f, missing);
			if (ret <= 0)
				return ret;
			continue;
		}
		ret = vfu_dispatch(f);
		if (ret)
			return ret;
	}
}

static void vfu_accept(struct vfu *f)
{
	int fd = accept4(f->listen_fd, NULL, NULL, SOCK_CLOEXEC);

	if (fd < 0)
		return;
	if (f->fd >= 0) {
		close(fd);	/* one client at a time */
		return;
	}
	f->fd = fd;
}

static void vfu_turn(struct vfu *f)
{
	int err = vfu_receive(f);

	if (!err)
		return;
	if (err != -EPIPE && err != -ECONNRESET)
		fprintf(stderr, "%s: %s, closed\n", f->path, strerror(-err));
	vfu_disconnect(f);
}

/**
 * vfu_poll_more() - serve functions once, or until something else is ready
 * @functions: the functions
 * @n: their number, at most 64
 * @more: descriptors of the caller's, whose @revents this sets; or NULL
 * @nmore: their number, at most 16
 * @timeout_ms: how long to wait for something to do; -1 for ever
 *
 * Return: 0; -EINTR after a signal; another negative errno.
 */
int vfu_poll_more(struct vfu *const *functions, unsigned int n,
		  struct pollfd *more, unsigned int nmore, int timeout_ms)
{
	struct pollfd pfd[2 * VFU_FUNCTIONS_MAX + VFU_MORE_MAX];
	unsigned int i;

	if (n > VFU_FUNCTIONS_MAX || nmore > VFU_MORE_MAX)
		return -EINVAL;
	for (i = 0; i < n; i++) {
		pfd[2 * i] = (struct pollfd) {
			.fd = functions[i]->listen_fd, .events = POLLIN,
		};
		pfd[2 * i + 1] = (struct pollfd) {
			.fd = functions[i]->fd, .events = POLLIN,
		};
	}
	for (i = 0; i < nmore; i++)
		pfd[2 * n + i] = more[i];
	if (poll(pfd, 2 * n + nmore, timeout_ms) < 0)
		return -errno;
	for (i = 0; i < nmore; i++)
		more[i].revents = pfd[2 * n + i].revents;
	for (i = 0; i < n; i++) {
		if (pfd[2 * i + 1].revents)
			vfu_turn(functions[i]);
		if (pfd[2 * i].revents)
			vfu_accept(functions[i]);
	}
	return 0;
}

/**
 * vfu_poll() - serve functions once
 * @functions: the functions
 * @n: their number, at most 64
 * @timeout_ms: how long to wait for something to do; -1 for ever
 *
 * Return: as of vfu_poll_more().
 */
int vfu_poll(struct vfu *const *functions, unsigned int n, int timeout_ms)
{
	return vfu_poll_more(functions, n, NULL, 0, timeout_ms);
}

static int vfu_listen(const char *path)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd, err;

	if (strlen(path) >= sizeof(addr.sun_path))
		return -ENAMETOOLONG;
	memcpy(addr.sun_path, path, strlen(path));
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	unlink(path);
	if (bind(fd, (struct sockaddr *)&addr, sizeof(addr)) || listen(fd, 1)) {
		err = -errno;
		close(fd);
		return err;
	}
	return fd;
}

/**
 * vfu_create() - a function, waiting for its client
 * @path: the socket; something else of that name is replaced
 * @ops: what it does
 * @priv: for vfu_priv()
 *
 * Describe it with vfu_pci_*() before the first vfu_poll().
 *
 * Return: the function, or NULL with errno set.
 */
struct vfu *vfu_create(const char *path, const struct vfu_ops *ops, void *priv)
{
	struct vfu *f = calloc(1, sizeof(*f));
	int i;

	if (!f)
		return NULL;
	f->ops = ops;
	f->priv = priv;
	f->fd = -1;
	for (i = 0; i < VFU_VECTORS_MAX; i++)
		f->irq[i] = -1;
	/* A reply may be larger than the request that it answers. */
	f->buf = malloc(VFU_MSG_MAX + sizeof(struct vfu_header));
	f->path = strdup(path);
	f->listen_fd = vfu_listen(path);
	if (f->buf && f->path && f->listen_fd >= 0)
		return f;

	i = f->listen_fd < 0 ? -f->listen_fd : ENOMEM;
	if (f->listen_fd >= 0)
		close(f->listen_fd);
	free(f->path);
	free(f->buf);
	free(f);
	errno = i;
	return NULL;
}

/**
 * vfu_destroy() - the reverse of vfu_create()
 * @f: the function, or NULL
 */
void vfu_destroy(struct vfu *f)
{
	if (!f)
		return;
	vfu_disconnect(f);
	close(f->listen_fd);
	unlink(f->path);
	free(f->path);
	free(f->buf);
	free(f);
}

/**
 * vfu_priv() - what the owner gave to vfu_create()
 * @f: the function
 */
void *vfu_priv(const struct vfu *f)
{
	return f->priv;
}

/**
 * vfu_connected() - is there a client?
 * @f: the function
 */
bool vfu_connected(const struct vfu *f)
{
	return f->greeted;
}
