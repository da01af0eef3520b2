// SPDX-License-Identifier: GPL-2.0
/*
 * A client whose rings are mapped and whose buffers are not: they are physical
 * addresses of memory that it never gave to the device. The IOMMU must stop
 * the device, and no byte may change.
 *
 *	stray [-d DEV] rx	the device shall write a frame there
 *	stray [-d DEV] tx	the device shall read a frame there
 *	stray [-d DEV] maps N	map N pages far apart, and exit without a word
 *
 * Exit status: 0 as expected, 1 not, 4 could not be tried.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "vdpa_rig.h"

#define SKIPPED		4
#define CANARY		0xc5

/* Time for a DMA that should not be. */
#define DMA_WAIT_MS	1000

/* Each map in a leaf page table of its own. */
#define MAP_STRIDE	(2UL << 20)

#define PAGEMAP_PRESENT	BIT64(63)
#define PAGEMAP_PFN	(BIT64(55) - 1)

/* Who has 10.0.2.2? Everybody answers this, with a frame to write to memory. */
static const __u8 arp_request[] = {
	0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x52, 0x54, 0, 0x12, 0x10, 0,
	0x08, 0x06, 0, 1, 0x08, 0, 6, 4, 0, 1,
	0x52, 0x54, 0, 0x12, 0x10, 0, 10, 0, 2, 15,
	0, 0, 0, 0, 0, 0, 10, 0, 2, 2,
};

static __u8 *canary;

static __u64 canary_phys(void)
{
	off_t at = (uintptr_t)canary / VC_PAGE * sizeof(__u64);
	int fd = open("/proc/self/pagemap", O_RDONLY);
	__u64 e = 0;

	if (fd < 0)
		return 0;
	if (pread(fd, &e, sizeof(e), at) != sizeof(e) ||
	    !(e & PAGEMAP_PRESENT))
		e = 0;
	close(fd);
	return (e & PAGEMAP_PFN) * VC_PAGE;
}

static __u64 make_canary(void)
{
	canary = mmap(NULL, VC_PAGE, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS | MAP_LOCKED | MAP_POPULATE,
		      -1, 0);
	if (canary == MAP_FAILED)
		return 0;
	memset(canary, CANARY, VC_PAGE);
	return canary_phys();
}

static bool canary_alive(void)
{
	unsigned int i;

	for (i = 0; i < VC_PAGE; i++) {
		if (canary[i] == CANARY)
			continue;
		printf("DMA: byte %u changed to %#x\n", i, canary[i]);
		return false;
	}
	printf("CANARY intact\n");
	return true;
}

/* A frame in memory that is mapped, so that there is an answer. */
static int ask_for_answer(struct rig *r)
{
	struct vq_seg seg[2];
	__u8 *buf = r->tx_buf[0];

	memset(buf, 0, NET_HDR + NET_MIN_FRAME);
	memcpy(buf + NET_HDR, arp_request, sizeof(arp_request));
	seg[0] = (struct vq_seg){ vc_iova(&r->c, buf), NET_HDR };
	seg[1] = (struct vq_seg){ vc_iova(&r->c, buf) + NET_HDR,
				  NET_MIN_FRAME };
	return vq_add(&r->vq[NET_TX], seg, 2, 0, buf);
}

static int bait(struct rig *r, unsigned int idx, __u64 phys)
{
	struct vq_seg seg = { phys, idx == NET_RX ? RIG_BUF : 80 };
	bool rx = idx == NET_RX;
	int ret;

	ret = vq_add(&r->vq[idx], &seg, !rx, rx, canary);
	if (!ret && rx) {
		vq_kick(&r->vq[NET_RX]);
		ret = ask_for_answer(r);
	}
	vq_kick(&r->vq[NET_TX]);
	return ret;
}

static int try(const char *path, unsigned int idx)
{
	__u64 phys = make_canary(), end;
	__u32 len;
	bool done = false;
	struct rig r;
	int ret;

	if (!phys)
		return SKIPPED;
	ret = rig_up(&r, path, 0);
	if (!ret)
		ret = bait(&r, idx, phys);
	if (ret) {
		fprintf(stderr, "stray: %s: %s\n", path, strerror(-ret));
		return SKIPPED;
	}
	for (end = vc_now_ms() + DMA_WAIT_MS; vc_now_ms() < end;) {
		vc_sleep_us(10000);
		done |= vq_get(&r.vq[idx], &len) == canary;
	}
	printf("STATUS %#x, the buffer %s\n", vc_get_status(&r.c),
	       done ? "was used" : "was not used");
	return canary_alive() ? 0 : 1;
}

static int many_maps(const char *path, unsigned int n)
{
	struct rig r;
	unsigned int i;
	int ret;

	ret = rig_open(&r, path);
	if (!ret)
		ret = vc_arena(&r.c);
	for (i = 0; i < n && !ret; i++)
		ret = vc_map(&r.c, r.c.iova + i * MAP_STRIDE,
			     r.c.mem + i % 512 * VC_PAGE, VC_PAGE);
	if (ret)
		fprintf(stderr, "stray: map %u: %s\n", i, strerror(-ret));
	else
		printf("MAPPED %u\n", n);
	return ret ? 1 : 0;
}

int main(int argc, char **argv)
{
	const char *path = "/dev/vhost-vdpa-0";
	int c;

	while ((c = getopt(argc, argv, "d:")) != -1)
		if (c == 'd')
			path = optarg;
	vc_unlimit_memlock();
	if (argc - optind == 2 && !strcmp(argv[optind], "maps"))
		return many_maps(path, atoi(argv[optind + 1]));
	if (argc - optind == 1 && !strcmp(argv[optind], "rx"))
		return try(path, NET_RX);
	if (argc - optind == 1 && !strcmp(argv[optind], "tx"))
		return try(path, NET_TX);
	fprintf(stderr, "Usage: stray [-d DEV] rx|tx|maps N\n");
	return 2;
}
