// SPDX-License-Identifier: GPL-2.0
/*
 * The same rings served by vhost-net and a tap, for comparison: the client's
 * struct holds /dev/vhost-net instead of a vDPA device.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <linux/virtio_net.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "bench.h"

static const char tap_name[] = "benchtap";

/* A tap that is up, with headers as VERSION_1 has them. */
static int tap_open(void)
{
	struct ifreq ifr = { .ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR };
	int fd, len = NET_HDR;

	fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);
	if (fd < 0)
		die("tun", -errno);
	memcpy(ifr.ifr_name, tap_name, sizeof(tap_name));
	if (ioctl(fd, TUNSETIFF, &ifr) || ioctl(fd, TUNSETVNETHDRSZ, &len))
		die("tap", -errno);
	host_up(tap_name);
	return fd;
}

static int set_memory(struct vdpa_client *c)
{
	struct vhost_memory *m = calloc(1, sizeof(*m) + sizeof(m->regions[0]));
	int ret;

	if (!m)
		return -ENOMEM;
	m->nregions = 1;
	m->regions[0].guest_phys_addr = c->iova;
	m->regions[0].memory_size = VC_ARENA_SIZE;
	m->regions[0].userspace_addr = (uintptr_t)c->mem;
	ret = vc_ioctl(c, VHOST_SET_MEM_TABLE, m);
	free(m);
	return ret;
}

/* Unlike vhost-vdpa it wants the rings by our addresses. */
static void attach(struct vq *vq, int tap)
{
	struct vdpa_client *c = vq->c;

	check("num", vc_vring(c, VHOST_SET_VRING_NUM, vq->idx, vq->num));
	check("base", vc_vring(c, VHOST_SET_VRING_BASE, vq->idx, 0));
	check("addr", vc_vring_addr(c, vq->idx, (uintptr_t)vq->desc,
				    (uintptr_t)vq->driver,
				    (uintptr_t)vq->device));
	check("kick", vc_vring_file(c, VHOST_SET_VRING_KICK, vq->idx, vq->kick));
	check("call", vc_vring_file(c, VHOST_SET_VRING_CALL, vq->idx, vq->call));
	check("backend", vc_vring_file(c, VHOST_NET_SET_BACKEND, vq->idx, tap));
}

/* Rings that vhost-net serves. */
static void vhost_open(struct net_end *end, struct vdpa_client *c, struct vq *vq, int tap,
		       __u64 features)
{
	unsigned int i;

	*c = (struct vdpa_client){ .memfd = -1, .range.last = UINT64_MAX };
	*end = (struct net_end){ .c = c, .log = -1 };
	c->fd = open("/dev/vhost-net", O_RDWR | O_CLOEXEC);
	if (c->fd < 0)
		die("/dev/vhost-net", -errno);
	check("owner", vc_set_owner(c));
	check("features", vc_set_features(c, features | BIT64(VIRTIO_F_VERSION_1) |
					  BIT64(VIRTIO_RING_F_EVENT_IDX)));
	check("arena", vc_arena(c));
	check("memory", set_memory(c));
	for (i = 0; i < 2; i++) {
		check("ring", vq_init(&vq[i], c, i, BENCH_NUM, false));
		vq_call_after(&vq[i], 0);
		attach(&vq[i], tap);
	}
	end->rx = &vq[NET_RX];
	end->tx = &vq[NET_TX];
	end_prepare(end);
}

static void vhost_close(struct vdpa_client *c, struct vq *vq)
{
	vc_close(c);
	vq_close(&vq[0]);
	vq_close(&vq[1]);
}

void case_vhost_net(const struct bench *b)
{
	struct vdpa_client c;
	struct net_end end;
	struct vq vq[2];
	int tap = tap_open();

	vhost_open(&end, &c, vq, tap, 0);
	if (meter_wanted("kick"))
		bench_kick(end.tx, b->rounds);
	bench_tx(&end, b->rounds);
	bench_host_rx(&end, tap_name, b->rounds);
	vhost_close(&c, vq);

	/* The rest is between the driver and the tap. */
	if (ioctl(tap, TUNSETOFFLOAD, TUN_F_CSUM | TUN_F_TSO4))
		die("offloads of the tap", -errno);
	vhost_open(&end, &c, vq, tap, BIT64(VIRTIO_NET_F_MRG_RXBUF));
	bench_gso(&end, tap_name, b->rounds);
	vhost_close(&c, vq);
	close(tap);
}
