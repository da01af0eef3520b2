// SPDX-License-Identifier: GPL-2.0
/*
 * A net device in user space, by VDUSE, between a driver and a tap. No more than it takes,
 * so that what it costs is VDUSE: frames go from and to the rings by one system call each,
 * without a copy of ours but where buffers are mergeable.
 *
 * Usage: vduse_net NAME TAP; says READY when NAME can be added, and runs until it is killed.
 */
#define _GNU_SOURCE
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <linux/vduse.h>
#include <linux/virtio_config.h>
#include <linux/virtio_ids.h>
#include <linux/virtio_net.h>
#include <linux/virtio_ring.h>
#include <net/if.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

#define BIT64(n)	(1ULL << (n))
#define HDR		12
#define RX		0
#define TX		1
#define QUEUE_MAX	256
#define PIECES		64
#define MAPS		64
#define BURST		256

/* Buffers of 2 KiB that the largest frame takes: it cannot be put back into the tap. */
#define MERGED		33

#define FRAME_MAX	(HDR + 14 + 65536)

#define FEATURES	(BIT64(VIRTIO_F_VERSION_1) | BIT64(VIRTIO_F_ACCESS_PLATFORM) | \
			 BIT64(VIRTIO_RING_F_EVENT_IDX) | BIT64(VIRTIO_NET_F_MAC) | \
			 BIT64(VIRTIO_NET_F_STATUS) | BIT64(VIRTIO_NET_F_MRG_RXBUF) | \
			 BIT64(VIRTIO_NET_F_CSUM) | BIT64(VIRTIO_NET_F_GUEST_CSUM) | \
			 BIT64(VIRTIO_NET_F_HOST_TSO4) | BIT64(VIRTIO_NET_F_GUEST_TSO4))

struct map {
	__u64 start;
	__u64 last;
	void *base;
	size_t size;
	__u8 *at;
};

struct queue {
	unsigned int index;
	int kick;
	unsigned int num;
	struct vring_desc *desc;
	struct vring_avail *avail;
	struct vring_used *used;
	__u16 taken;
	__u16 given;
	__u16 told;
};

static int dev, tap;
static bool running, merge;
static __u64 features;
static struct map maps[MAPS];
static unsigned int nmaps;
static struct queue queues[2];
static __u8 bounce[FRAME_MAX];

static void die(const char *what)
{
	fprintf(stderr, "vduse_net: %s: %s\n", what, strerror(errno));
	exit(1);
}

/* --- memory of the driver --- */

static struct map *map_find(__u64 iova)
{
	unsigned int i;

	for (i = 0; i < nmaps; i++)
		if (iova >= maps[i].start && iova <= maps[i].last)
			return &maps[i];
	return NULL;
}

static struct map *map_get(__u64 iova)
{
	struct vduse_iotlb_entry entry = { .start = iova, .last = iova };
	struct map *map = &maps[nmaps];
	int fd, prot = 0;

	if (nmaps == MAPS)
		return NULL;
	fd = ioctl(dev, VDUSE_IOTLB_GET_FD, &entry);
	if (fd < 0)
		return NULL;
	if (entry.perm & VDUSE_ACCESS_RO)
		prot |= PROT_READ;
	if (entry.perm & VDUSE_ACCESS_WO)
		prot |= PROT_WRITE;
	map->start = entry.start;
	map->last = entry.last;
	map->size = entry.offset + (entry.last - entry.start) + 1;
	map->base = mmap(NULL, map->size, prot, MAP_SHARED, fd, 0);
	close(fd);
	if (map->base == MAP_FAILED)
		return NULL;
	map->at = (__u8 *)map->base + entry.offset;
	nmaps++;
	return map;
}

/* Only what is mapped in one piece; the client's memory is. */
static void *at(__u64 iova, size_t len)
{
	struct map *map = map_find(iova);

	if (!map)
		map = map_get(iova);
	if (!map || len > map->last - iova + 1)
		return NULL;
	return map->at + (iova - map->start);
}

static void maps_drop(void)
{
	while (nmaps--)
		munmap(maps[nmaps].base, maps[nmaps].size);
	nmaps = 0;
}

/* --- rings --- */

static bool queue_start(struct queue *q)
{
	struct vduse_vq_eventfd event = { .index = q->index, .fd = q->kick };
	struct vduse_vq_info info = { .index = q->index };

	/* A reset has taken it away. */
	if (ioctl(dev, VDUSE_VQ_SETUP_KICKFD, &event))
		die("kick");
	if (ioctl(dev, VDUSE_VQ_GET_INFO, &info) || !info.ready)
		return false;
	q->num = info.num;
	q->desc = at(info.desc_addr, q->num * sizeof(*q->desc));
	q->avail = at(info.driver_addr, sizeof(*q->avail) + (q->num + 1) * sizeof(__u16));
	q->used = at(info.device_addr, sizeof(*q->used) + sizeof(__u16) +
		     q->num * sizeof(q->used->ring[0]));
	q->taken = info.split.avail_index;
	q->given = q->taken;
	q->told = q->taken;
	return q->desc && q->avail && q->used;
}

static __u16 queue_there(const struct queue *q)
{
	return le16toh(__atomic_load_n(&q->avail->idx, __ATOMIC_ACQUIRE)) - q->taken;
}

/* Asks for a kick when there are more than so many. True if there are already. */
static bool queue_wait(struct queue *q, __u16 n)
{
	__u16 *event = (__u16 *)&q->used->ring[q->num];

	__atomic_store_n(event, htole16(q->taken + n), __ATOMIC_SEQ_CST);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	return queue_there(q) > n;
}

/* Pieces of the next buffer, or 0; its id. */
static int queue_take(struct queue *q, struct iovec *iov, int room, __u16 *id)
{
	__u16 i;
	int n = 0;

	if (!queue_there(q))
		return 0;
	i = le16toh(q->avail->ring[q->taken++ % q->num]) % q->num;
	*id = i;
	do {
		struct vring_desc *d = &q->desc[i];

		iov[n].iov_len = le32toh(d->len);
		iov[n].iov_base = at(le64toh(d->addr), iov[n].iov_len);
		if (!iov[n++].iov_base)
			die("memory that is not there");
		i = le16toh(d->next) % q->num;
		if (!(le16toh(d->flags) & VRING_DESC_F_NEXT))
			return n;
	} while (n < room);
	die("a chain that is too long");
	return 0;
}

static void queue_give(struct queue *q, __u16 id, __u32 len)
{
	struct vring_used_elem *e = &q->used->ring[q->given++ % q->num];

	e->id = htole32(id);
	e->len = htole32(len);
}

/* Shows what was given, with an interrupt if one is wanted. */
static void queue_publish(struct queue *q)
{
	__u16 old = q->told;

	if (old == q->given)
		return;
	__atomic_store_n(&q->used->idx, htole16(q->given), __ATOMIC_SEQ_CST);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	q->told = q->given;
	if (vring_need_event(le16toh(__atomic_load_n(&q->avail->ring[q->num], __ATOMIC_RELAXED)),
			     q->given, old) &&
	    ioctl(dev, VDUSE_VQ_INJECT_IRQ, &q->index))
		die("interrupt");
}

/* --- frames --- */

static void transmit(void)
{
	struct queue *q = &queues[TX];
	struct iovec iov[PIECES];
	unsigned int i;
	__u16 id;
	int n;

	do {
		for (i = 0; i < BURST && (n = queue_take(q, iov, PIECES, &id)) > 0; i++) {
			if (writev(tap, iov, n) < 0)
				die("tap");
			queue_give(q, id, 0);
		}
		queue_publish(q);
	} while (queue_wait(q, 0));
}

/* A frame that was read, into as many buffers as it takes. False if there are too few. */
static bool spread(struct queue *q, size_t len)
{
	struct virtio_net_hdr_mrg_rxbuf *first = NULL;
	struct iovec iov[PIECES];
	size_t done = 0;
	__u16 id, count = 0;

	while (done < len) {
		size_t in = 0;
		int i, n = queue_take(q, iov, PIECES, &id);

		if (!n)
			return false;
		if (!first)
			first = iov[0].iov_base;
		for (i = 0; i < n && done < len; i++) {
			size_t some = len - done < iov[i].iov_len ? len - done : iov[i].iov_len;

			memcpy(iov[i].iov_base, bounce + done, some);
			done += some;
			in += some;
		}
		queue_give(q, id, in);
		count++;
	}
	first->num_buffers = htole16(count);
	return true;
}

/* False if there are no buffers. */
static bool receive_one(struct queue *q, bool *more)
{
	__u16 id, before = q->taken;
	struct iovec iov[PIECES];
	ssize_t len;
	int n;

	if (merge) {
		if (queue_there(q) < MERGED)
			return false;
		len = read(tap, bounce, sizeof(bounce));
		*more = len > 0;
		return len <= 0 || spread(q, len);
	}
	n = queue_take(q, iov, PIECES, &id);
	if (!n)
		return false;
	len = readv(tap, iov, n);
	*more = len > 0;
	if (len <= 0) {
		q->taken = before;
		return true;
	}
	((struct virtio_net_hdr_mrg_rxbuf *)iov[0].iov_base)->num_buffers = htole16(1);
	queue_give(q, id, len);
	return true;
}

/* False if it has to wait for buffers. */
static bool receive(void)
{
	struct queue *q = &queues[RX];
	bool there = true, more = true;
	unsigned int i;

	for (i = 0; i < BURST && there && more; i++)
		there = receive_one(q, &more);
	queue_publish(q);
	return there || queue_wait(q, merge ? MERGED - 1 : 0);
}

/* --- what the kernel asks --- */

static void status(__u8 value)
{
	if (!(value & VIRTIO_CONFIG_S_DRIVER_OK)) {
		running = false;
		return;
	}
	if (running)
		return;
	if (ioctl(dev, VDUSE_DEV_GET_FEATURES, &features))
		die("features");
	merge = features & BIT64(VIRTIO_NET_F_MRG_RXBUF);
	if (!(features & BIT64(VIRTIO_RING_F_EVENT_IDX)))
		die("a driver without event index");
	running = queue_start(&queues[RX]) && queue_start(&queues[TX]);
}

static void answer(void)
{
	struct vduse_dev_response response = { .result = VDUSE_REQ_RESULT_OK };
	struct vduse_dev_request request;

	if (read(dev, &request, sizeof(request)) != sizeof(request))
		return;
	response.request_id = request.request_id;
	switch (request.type) {
	case VDUSE_GET_VQ_STATE:
		response.vq_state.index = request.vq_state.index;
		response.vq_state.split.avail_index = queues[request.vq_state.index & 1].taken;
		break;
	case VDUSE_SET_STATUS:
		status(request.s.status);
		break;
	case VDUSE_UPDATE_IOTLB:
		maps_drop();
		if (running)
			running = queue_start(&queues[RX]) && queue_start(&queues[TX]);
		break;
	default:
		response.result = VDUSE_REQ_RESULT_FAILED;
	}
	if (write(dev, &response, sizeof(response)) != sizeof(response))
		die("answer");
}

/* --- setup --- */

static void tap_open(const char *name)
{
	struct ifreq ifr = { .ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR };
	int len = HDR;

	tap = open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK);
	snprintf(ifr.ifr_name, IFNAMSIZ, "%s", name);
	if (tap < 0 || ioctl(tap, TUNSETIFF, &ifr) || ioctl(tap, TUNSETVNETHDRSZ, &len) ||
	    ioctl(tap, TUNSETOFFLOAD, TUN_F_CSUM | TUN_F_TSO4))
		die("tap");
}

static void create(const char *name)
{
	size_t size = sizeof(struct vduse_dev_config) + sizeof(struct virtio_net_config);
	struct vduse_dev_config *config = calloc(1, size);
	struct virtio_net_config net = {
		.mac = { 0x02, 0, 0, 0, 0, 0x77 },
		.status = htole16(VIRTIO_NET_S_LINK_UP),
	};
	int control = open("/dev/vduse/control", O_RDWR | O_CLOEXEC);
	char path[300];

	if (!config || control < 0)
		die("control");
	snprintf(config->name, sizeof(config->name), "%s", name);
	config->device_id = VIRTIO_ID_NET;
	config->features = FEATURES;
	config->vq_num = 2;
	config->vq_align = 4096;
	config->config_size = sizeof(net);
	memcpy(config->config, &net, sizeof(net));
	if (ioctl(control, VDUSE_CREATE_DEV, config))
		die("create");
	free(config);
	snprintf(path, sizeof(path), "/dev/vduse/%s", name);
	dev = open(path, O_RDWR | O_CLOEXEC | O_NONBLOCK);
	if (dev < 0)
		die(path);
}

static void queue_setup(unsigned int i)
{
	struct vduse_vq_config config = { .index = i, .max_size = QUEUE_MAX };

	queues[i].index = i;
	queues[i].kick = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (queues[i].kick < 0 || ioctl(dev, VDUSE_VQ_SETUP, &config))
		die("queue");
}

static bool kicked(int fd)
{
	__u64 n;

	return read(fd, &n, sizeof(n)) == sizeof(n);
}

int main(int argc, char **argv)
{
	bool waits = false;

	if (argc != 3)
		return 2;
	tap_open(argv[2]);
	create(argv[1]);
	queue_setup(RX);
	queue_setup(TX);
	printf("READY\n");
	fflush(stdout);
	for (;;) {
		struct pollfd fds[] = {
			{ .fd = dev, .events = POLLIN },
			{ .fd = queues[TX].kick, .events = POLLIN },
			{ .fd = queues[RX].kick, .events = POLLIN },
			{ .fd = running && !waits ? tap : -1, .events = POLLIN },
		};

		if (poll(fds, 4, -1) < 0)
			die("poll");
		if (fds[0].revents)
			answer();
		if (fds[1].revents && kicked(queues[TX].kick) && running)
			transmit();
		if (fds[2].revents && kicked(queues[RX].kick))
			waits = false;
		if (fds[3].revents && running)
			waits = !receive();
	}
}
