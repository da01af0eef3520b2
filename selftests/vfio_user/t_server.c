// SPDX-License-Identifier: GPL-2.0
/* The vfio-user server against a client that knows no manners. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <linux/pci_regs.h>
#include <linux/vfio.h>

#define TAP_MAIN
#include "../include/tap.h"
#include "internal.h"
#include "virtio_pci.h"

#define PAGE		4096ULL
#define MEM_PAGES	16U
#define ROUNDS		20000
#define SEED		20261
#define NET		1

/**
 * struct peer - both ends of a socket, in one thread
 * @v: the function
 * @fd: the client's end
 * @reply: what came last
 * @mem: a file of memory
 * @p: the same, mapped
 * @kicks: doorbells that rang
 */
static struct peer {
	struct vio *v;
	int fd;
	struct {
		struct vfu_header h;
		__u8 body[VFU_MSG_MAX];
	} reply;
	int mem;
	__u8 *p;
	unsigned int kicks;
} peer;

static unsigned int rnd_state = SEED;

static unsigned int rnd(unsigned int n)
{
	rnd_state = rnd_state * 1103515245 + 12345;
	return (rnd_state >> 16) % n;
}

static void count_kick(struct vio *v, unsigned int vq)
{
	struct vio_chain chain;
	static __u8 buf[8 * PAGE];

	peer.kicks++;
	while (vio_pop(v, vq, &chain) > 0) {
		vio_chain_read(v, &chain, buf, sizeof(buf));
		vio_chain_write(v, &chain, buf, sizeof(buf));
		if (vio_push(v, vq, chain.head, vio_chain_len(&chain, true)))
			break;
	}
}

static const struct vio_ops count_ops = { .kick = count_kick };

static void turn(void)
{
	struct vfu *f = peer.v->f;

	vfu_poll(&f, 1, 0);
}

static void connect_peer(void)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };

	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", peer.v->f->path);
	peer.fd = socket(AF_UNIX, SOCK_STREAM, 0);
	CHECK(!connect(peer.fd, (struct sockaddr *)&addr, sizeof(addr)), "%m");
	turn();
	CHECK(peer.v->f->fd >= 0, "no client");
}

static void start(void)
{
	static const __u8 config[16];
	const struct vio_conf conf = {
		.device_id = NET,
		.features = VIO_BIT(VIRTIO_F_VERSION_1),
		.nvqs = 2,
		.vq_size = 16,
		.config = config,
		.config_size = sizeof(config),
		.vectors = 3,
		.notify_multiplier = 4,
	};
	char path[64];

	snprintf(path, sizeof(path), "/tmp/vfu-test.%d", getpid());
	peer.v = vio_create(path, &conf, &count_ops, NULL);
	CHECK(peer.v, "%m");
	peer.mem = memfd_create("vm", 0);
	CHECK(!ftruncate(peer.mem, MEM_PAGES * PAGE), "%m");
	peer.p = mmap(NULL, MEM_PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED,
		      peer.mem, 0);
	connect_peer();
}

static void stop(void)
{
	close(peer.fd);
	turn();
	CHECK(peer.v->f->fd < 0 && !peer.v->f->dma.nmemory, "client not gone");
	vio_destroy(peer.v);
}

static void send_bytes(const void *buf, size_t len, const int *fds,
		       unsigned int nfds)
{
	char control[CMSG_SPACE(32 * sizeof(int))] = { 0 };
	struct iovec iov = { .iov_base = (void *)buf, .iov_len = len };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1 };
	struct cmsghdr *c;

	if (nfds) {
		m.msg_control = control;
		m.msg_controllen = CMSG_SPACE(nfds * sizeof(int));
		c = CMSG_FIRSTHDR(&m);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(nfds * sizeof(int));
		memcpy(CMSG_DATA(c), fds, nfds * sizeof(int));
	}
	sendmsg(peer.fd, &m, MSG_NOSIGNAL | MSG_DONTWAIT);
	turn();
}

/* A request and its reply: 0, the error it has, or 1 if there is none. */
static int call_fds(unsigned int command, const void *body, __u32 len,
		    const int *fds, unsigned int nfds)
{
	static __u8 buf[VFU_MSG_MAX + 64];
	struct vfu_header h = { .id = 7, .command = command };
	ssize_t n;

	h.size = sizeof(h) + len;
	memcpy(buf, &h, sizeof(h));
	memcpy(buf + sizeof(h), body, len);
	send_bytes(buf, h.size, fds, nfds);
	n = recv(peer.fd, &peer.reply, sizeof(peer.reply), MSG_DONTWAIT);
	if (n < (ssize_t)sizeof(h))
		return 1;
	CHECK_IS(peer.reply.h.size, n);
	CHECK_IS(peer.reply.h.id, 7);
	CHECK_IS(peer.reply.h.command, command);
	return peer.reply.h.flags & VFU_FLAG_ERROR ? -(int)peer.reply.h.error : 0;
}

static int call(unsigned int command, const void *body, __u32 len)
{
	return call_fds(command, body, len, NULL, 0);
}

static void greet(void)
{
	const struct vfu_msg_version v = { 0, 1 };

	CHECK_OK(call(VFU_VERSION, &v, sizeof(v)));
}

static int region(unsigned int command, __u32 index, __u64 offset, void *data,
		  __u32 count)
{
	static struct {
		struct vfu_msg_region r;
		__u8 data[VFU_XFER_MAX];
	} m;
	int ret;

	m.r = (struct vfu_msg_region) { offset, index, count };
	if (command == VFU_REGION_READ) {
		ret = call(command, &m, sizeof(m.r));
		if (!ret)
			memcpy(data, peer.reply.body + sizeof(m.r), count);
		return ret;
	}
	memcpy(m.data, data, count);
	return call(command, &m, sizeof(m.r) + count);
}

static int map(__u64 iova, __u64 size, __u64 offset, __u32 flags)
{
	const struct vfu_msg_dma_map m = {
		sizeof(m), flags, offset, iova, size
	};

	return call_fds(VFU_DMA_MAP, &m, sizeof(m), &peer.mem, 1);
}

static int unmap(__u64 iova, __u64 size, __u32 flags)
{
	const struct vfu_msg_dma_unmap m = { sizeof(m), flags, iova, size };

	return call(VFU_DMA_UNMAP, &m, sizeof(m));
}

#define RW (VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE)

TAP_TEST(version_comes_first, 0)
{
	const struct vfu_msg_version other = { 1, 0 };
	__u16 id;

	start();
	CHECK_ERR(region(VFU_REGION_READ, VFIO_PCI_CONFIG_REGION_INDEX, 0, &id,
			 2), -EINVAL);
	CHECK_ERR(call(VFU_VERSION, &other, sizeof(other)), -EINVAL);
	greet();
	CHECK(strstr((char *)peer.reply.body + 4, "max_msg_fds"), "no JSON");
	CHECK_OK(region(VFU_REGION_READ, VFIO_PCI_CONFIG_REGION_INDEX, 0, &id,
			2));
	CHECK_IS(id, 0x1af4);
	stop();
}

TAP_TEST(bars_are_sized, 0)
{
	const __u32 bar0 = PCI_BASE_ADDRESS_0;
	__u32 ones = ~0U, low, high;

	start();
	greet();
	CHECK_OK(region(VFU_REGION_WRITE, VFIO_PCI_CONFIG_REGION_INDEX, bar0,
			&ones, 4));
	CHECK_OK(region(VFU_REGION_WRITE, VFIO_PCI_CONFIG_REGION_INDEX, bar0 + 4,
			&ones, 4));
	CHECK_OK(region(VFU_REGION_READ, VFIO_PCI_CONFIG_REGION_INDEX, bar0,
			&low, 4));
	CHECK_OK(region(VFU_REGION_READ, VFIO_PCI_CONFIG_REGION_INDEX, bar0 + 4,
			&high, 4));
	CHECK_IS(low, (__u32)-vfu_pci_bar_size(peer.v->f, 0) |
		 PCI_BASE_ADDRESS_MEM_TYPE_64);
	CHECK_IS(high, ~0U);
	stop();
}

TAP_TEST(regions_have_ends, 0)
{
	__u64 size;
	__u8 buf[16] = { 0 };

	start();
	greet();
	size = vfu_pci_bar_size(peer.v->f, 0);
	CHECK_OK(region(VFU_REGION_READ, 0, size - 4, buf, 4));
	CHECK_ERR(region(VFU_REGION_READ, 0, size - 3, buf, 4), -EINVAL);
	CHECK_ERR(region(VFU_REGION_READ, 0, size, buf, 1), -EINVAL);
	CHECK_ERR(region(VFU_REGION_READ, 0, ~0ULL, buf, 2), -EINVAL);
	CHECK_ERR(region(VFU_REGION_READ, 0, 0, buf, 0), -EINVAL);
	CHECK_ERR(region(VFU_REGION_READ, 3, 0, buf, 1), -EINVAL);
	CHECK_ERR(region(VFU_REGION_READ, ~0U, 0, buf, 1), -EINVAL);
	CHECK_ERR(region(VFU_REGION_WRITE, VFIO_PCI_CONFIG_REGION_INDEX,
			 VFU_CONFIG_SIZE - 2, buf, 4), -EINVAL);
	stop();
}

TAP_TEST(flr_resets, 0)
{
	__u16 flr = PCI_EXP_DEVCTL_BCR_FLR;

	start();
	greet();
	peer.v->status = 15;
	CHECK_OK(region(VFU_REGION_WRITE, VFIO_PCI_CONFIG_REGION_INDEX,
			peer.v->f->pci.express + PCI_EXP_DEVCTL, &flr, 2));
	CHECK_IS(peer.v->status, 0);
	stop();
}

TAP_TEST(memory_by_pages, 0)
{
	struct vfu *f;
	__u8 buf[3 * PAGE];

	start();
	greet();
	f = peer.v->f;
	/* Two that are neighbours for both, then one that is so for us only. */
	CHECK_OK(map(0x100000, PAGE, 0, RW));
	CHECK_OK(map(0x101000, PAGE, PAGE, RW));
	CHECK_IS(f->dma.n, 1);
	CHECK_OK(map(0x102000, PAGE, 8 * PAGE, RW));
	CHECK_IS(f->dma.n, 2);
	memset(buf, 0x5a, sizeof(buf));
	CHECK_OK(vfu_dma_write(f, 0x100000, buf, sizeof(buf)));
	CHECK_IS(peer.p[PAGE], 0x5a);
	CHECK_IS(peer.p[9 * PAGE - 1], 0x5a);
	CHECK_IS(peer.p[2 * PAGE], 0);
	CHECK(vfu_dma(f, 0x100ff0, 0x20, RW), "contiguous");
	CHECK(!vfu_dma(f, 0x101ff0, 0x20, RW), "not contiguous");
	CHECK_ERR(vfu_dma_read(f, 0x102001, buf, PAGE), -EFAULT);
	CHECK_ERR(vfu_dma_read(f, 0xfffff, buf, 1), -EFAULT);
	stop();
}

/* An index that goes from 0x00ff to 0x0100 is never 0x0000 or 0x01ff. */
TAP_TEST(indices_at_once, 0)
{
	__u16 *index, is = 0, n = 0;
	pid_t driver;
	int i, odd = 0;

	start();
	greet();
	CHECK_OK(map(0x100000, PAGE, 0, RW));
	index = (__u16 *)peer.p;
	*index = 0x00ff;
	driver = fork();
	if (!driver)
		prctl(PR_SET_PDEATHSIG, SIGKILL);
	while (!driver)
		__atomic_store_n(index, n++ & 1 ? 0x0100 : 0x00ff, __ATOMIC_RELAXED);
	CHECK(driver > 0, "fork");
	for (i = 0; i < 2000000; i++) {
		CHECK_OK(vfu_dma_read(peer.v->f, 0x100000, &is, sizeof(is)));
		odd += is != 0x00ff && is != 0x0100;
	}
	kill(driver, SIGKILL);
	waitpid(driver, NULL, 0);
	CHECK_IS(odd, 0);
	stop();
}

TAP_TEST(unmaps_of_any_piece, 0)
{
	struct vfu *f;
	__u8 byte;

	start();
	greet();
	f = peer.v->f;
	CHECK_OK(unmap(0, 1ULL << 63, 0));
	CHECK_OK(map(0x100000, 8 * PAGE, 0, RW));
	CHECK_OK(unmap(0x102000, PAGE, 0));
	CHECK_IS(f->dma.n, 2);
	CHECK_OK(vfu_dma_read(f, 0x101fff, &byte, 1));
	CHECK_ERR(vfu_dma_read(f, 0x102000, &byte, 1), -EFAULT);
	CHECK_OK(vfu_dma_read(f, 0x103000, &byte, 1));
	CHECK_OK(unmap(0x100000, 4 * PAGE, 0));
	CHECK_ERR(vfu_dma_read(f, 0x103fff, &byte, 1), -EFAULT);
	CHECK_OK(vfu_dma_read(f, 0x104000, &byte, 1));
	/* A range over others takes their place. */
	CHECK_OK(map(0x102000, 4 * PAGE, 0, VFIO_DMA_MAP_FLAG_READ));
	CHECK_ERR(vfu_dma_write(f, 0x105000, &byte, 1), -EFAULT);
	CHECK_OK(vfu_dma_write(f, 0x106000, &byte, 1));
	CHECK_OK(unmap(0, 0, VFIO_DMA_UNMAP_FLAG_ALL));
	CHECK_IS(f->dma.n, 0);
	/* The last byte that there is. */
	CHECK_OK(map(-PAGE, PAGE, 0, RW));
	CHECK_OK(vfu_dma_read(f, ~0ULL, &byte, 1));
	CHECK_OK(unmap(-PAGE, PAGE, 0));
	CHECK_ERR(vfu_dma_read(f, ~0ULL, &byte, 1), -EFAULT);
	stop();
}

TAP_TEST(maps_that_lie, 0)
{
	start();
	greet();
	CHECK_ERR(map(0, 0, 0, RW), -EINVAL);
	CHECK_ERR(map(-PAGE, 2 * PAGE, 0, RW), -EINVAL);
	CHECK_ERR(map(0, (MEM_PAGES + 1) * PAGE, 0, RW), -EINVAL);
	CHECK_ERR(map(0, PAGE, MEM_PAGES * PAGE, RW), -EINVAL);
	CHECK_ERR(map(0, PAGE, -PAGE, RW), -EINVAL);
	CHECK_ERR(unmap(-PAGE, 2 * PAGE, 0), -EINVAL);
	stop();
}

TAP_TEST(interrupts, 0)
{
	struct vfio_irq_set set = {
		.argsz = sizeof(set),
		.flags = VFIO_IRQ_SET_DATA_EVENTFD | VFIO_IRQ_SET_ACTION_TRIGGER,
		.index = VFIO_PCI_MSIX_IRQ_INDEX,
		.start = 1,
		.count = 2,
	};
	int fds[3] = { eventfd(0, 0), eventfd(0, 0), eventfd(0, 0) };
	eventfd_t n;

	start();
	greet();
	CHECK_ERR(vfu_irq(peer.v->f, 1), -ENOTCONN);
	CHECK_OK(call_fds(VFU_SET_IRQS, &set, sizeof(set), fds, 2));
	CHECK_OK(vfu_irq(peer.v->f, 2));
	CHECK_OK(eventfd_read(fds[1], &n));
	CHECK_ERR(vfu_irq(peer.v->f, 3), -EINVAL);
	CHECK_ERR(call_fds(VFU_SET_IRQS, &set, sizeof(set), fds, 1), -EINVAL);
	CHECK_ERR(call_fds(VFU_SET_IRQS, &set, sizeof(set), fds, 3), -EINVAL);
	set.start = 2;
	CHECK_ERR(call_fds(VFU_SET_IRQS, &set, sizeof(set), fds, 2), -EINVAL);
	set.start = ~0U;
	CHECK_ERR(call_fds(VFU_SET_IRQS, &set, sizeof(set), fds, 2), -EINVAL);
	/* Without descriptors: they lose theirs. */
	set.start = 1;
	CHECK_OK(call(VFU_SET_IRQS, &set, sizeof(set)));
	CHECK_ERR(vfu_irq(peer.v->f, 2), -ENOTCONN);
	stop();
}

TAP_TEST(short_messages, 0)
{
	static const __u8 zeros[64];
	unsigned int command, len;

	start();
	greet();
	for (command = 0; command < 20; command++)
		for (len = 0; len < sizeof(zeros); len++)
			CHECK(call(command, zeros, len) <= 0, "command %u, %u",
			      command, len);
	stop();
}

/* Of one request, sent in pieces. */
TAP_TEST(split_messages, 0)
{
	struct {
		struct vfu_header h;
		struct vfu_msg_region r;
	} m = {
		.h = { 1, VFU_REGION_READ, sizeof(m), 0, 0 },
		.r = { 0, VFIO_PCI_CONFIG_REGION_INDEX, 2 },
	};
	size_t i;

	start();
	greet();
	for (i = 0; i < sizeof(m); i++)
		send_bytes((__u8 *)&m + i, 1, NULL, 0);
	CHECK_IS(recv(peer.fd, &peer.reply, sizeof(peer.reply), MSG_DONTWAIT),
		 sizeof(m) + 2);
	stop();
}

TAP_TEST(more_descriptors_than_allowed, 0)
{
	const struct vfu_header h = { 1, VFU_DMA_MAP, sizeof(h), 0, 0 };
	int fds[VFU_FDS_MAX + 4];
	unsigned int i;

	start();
	greet();
	for (i = 0; i < VFU_FDS_MAX + 4; i++)
		fds[i] = peer.mem;
	send_bytes(&h, sizeof(h), fds, VFU_FDS_MAX + 4);
	CHECK(peer.v->f->fd < 0, "still connected");
	vio_destroy(peer.v);
}

/* Requests that are right in their header, and nowhere else. */
TAP_TEST(garbage, 0)
{
	static __u8 body[512];
	unsigned int i, j;

	start();
	for (i = 0; i < ROUNDS; i++) {
		__u32 len = rnd(rnd(16) ? 48 : sizeof(body));
		int fds[4] = { peer.mem, peer.mem, peer.mem, peer.mem };

		for (j = 0; j < len; j++)
			body[j] = rnd(3) ? rnd(4) * (j % 4 == 0) : rnd(256);
		if (call_fds(rnd(17), body, len, fds, rnd(5)) > 0 &&
		    peer.v->f->fd < 0) {
			close(peer.fd);
			connect_peer();
		}
		if (!rnd(64))
			greet();
	}
	stop();
}

TAP_TEST(garbage_streams, 0)
{
	__u8 buf[256];
	unsigned int i, j;

	/* The server tells of every stream that it closes. */
	freopen("/dev/null", "w", stderr);
	start();
	for (i = 0; i < ROUNDS; i++) {
		for (j = 0; j < sizeof(buf); j++)
			buf[j] = rnd(4) ? 0 : rnd(256);
		buf[4] = rnd(64);
		buf[5] = 0;
		buf[6] = 0;
		buf[7] = 0;
		send_bytes(buf, rnd(sizeof(buf)), NULL, 0);
		while (recv(peer.fd, &peer.reply, sizeof(peer.reply),
			    MSG_DONTWAIT) > 0)
			;
		if (peer.v->f->fd < 0) {
			close(peer.fd);
			connect_peer();
		}
	}
	stop();
}

/* A driver of the virtio function whose rings are anything at all. */
TAP_TEST(garbage_rings, 0)
{
	struct vio_vq *vq;
	unsigned int i, j, broken = 0;
	__u16 zero = 0;

	start();
	greet();
	CHECK_OK(map(0, MEM_PAGES * PAGE, 0, RW));
	vq = &peer.v->vqs[0];
	for (i = 0; i < ROUNDS; i++) {
		vio_reset(peer.v);
		for (j = 0; j < 4 * PAGE; j += 2)
			*(__u16 *)(peer.p + j) = rnd(3) ? rnd(16) : rnd(65536);
		for (j = 0; j < 16; j++)	/* addresses that do exist */
			*(__u64 *)(peer.p + 16 * j) = rnd(8) * PAGE;
		vq->enabled = true;
		vq->regs.avail = PAGE;
		vq->regs.used = 2 * PAGE;
		peer.v->status = VIRTIO_CONFIG_S_DRIVER_OK;
		CHECK_OK(region(VFU_REGION_WRITE, VIO_BAR, VIO_NOTIFY, &zero, 2));
		broken += !!(peer.v->status & VIRTIO_CONFIG_S_NEEDS_RESET);
	}
	CHECK_IS(peer.kicks, ROUNDS);
	CHECK(broken > ROUNDS / 4, "%u broken rings found", broken);
	stop();
}

int main(int argc, char **argv)
{
	const struct tap_config config = { .timeout = 120 };

	(void)argc;
	return tap_run(&config, argv + 1);
}
