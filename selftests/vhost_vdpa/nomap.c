// SPDX-License-Identifier: GPL-2.0
/*
 * A hostile client: it maps nothing (with --lowmem one page), points the
 * rings at the physical addresses of its own memory, and asks for DRIVER_OK.
 * A function that then runs in a domain that is not this client's would reach
 * that memory, and any other.
 *
 * Without --force the device must refuse. With --force it must accept (a
 * parent told to allow it), and after kicks every byte must be as it was.
 *
 * Exit status: 0 as expected, 1 not, 4 could not be tried.
 */
#define _GNU_SOURCE
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include <linux/virtio_ring.h>

#include "vdpa_rig.h"

#define SKIPPED		4
#define NUM		8U

/* Time for a DMA that should not be. */
#define DMA_WAIT_MS	500

#define PAGEMAP_PRESENT	BIT64(63)
#define PAGEMAP_PFN	(BIT64(55) - 1)

/* Pages of each queue: one per part of the ring, and one for data. */
enum {
	PAGE_DESC,
	PAGE_DRIVER,
	PAGE_DEVICE,
	PAGE_DATA,
	PAGES_PER_VQ,
};

#define PAGES	(PAGES_PER_VQ * RIG_VQS)

static __u8 *canary;
static __u8 *before;
static __u64 phys[PAGES];
static int kick_fd[RIG_VQS];

static __u8 *page(unsigned int vq, unsigned int which)
{
	return canary + (vq * PAGES_PER_VQ + which) * VC_PAGE;
}

static __u64 page_phys(unsigned int vq, unsigned int which)
{
	return phys[vq * PAGES_PER_VQ + which];
}

static int find_phys(void)
{
	unsigned int i;
	int fd = open("/proc/self/pagemap", O_RDONLY);

	if (fd < 0)
		return -errno;
	for (i = 0; i < PAGES; i++) {
		__u64 e = 0;
		off_t at = ((uintptr_t)canary / VC_PAGE + i) * sizeof(e);

		if (pread(fd, &e, sizeof(e), at) != sizeof(e) ||
		    !(e & PAGEMAP_PRESENT) || !(e & PAGEMAP_PFN)) {
			close(fd);
			return -EPERM;
		}
		phys[i] = (e & PAGEMAP_PFN) * VC_PAGE;
	}
	close(fd);
	return 0;
}

static int make_canary(void)
{
	canary = mmap(NULL, PAGES * VC_PAGE, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS | MAP_LOCKED | MAP_POPULATE,
		      -1, 0);
	before = malloc(PAGES * VC_PAGE);
	if (canary == MAP_FAILED || !before)
		return -ENOMEM;
	memset(canary, 0xc5, PAGES * VC_PAGE);
	return find_phys();
}

/* A ring that a device which sees it would work on at once. */
static void make_bait(unsigned int vq)
{
	struct vring_desc *desc = (void *)page(vq, PAGE_DESC);
	struct vring_avail *avail = (void *)page(vq, PAGE_DRIVER);
	struct vring_used *used = (void *)page(vq, PAGE_DEVICE);

	desc[0].addr = htole64(page_phys(vq, PAGE_DATA));
	desc[0].len = htole32(vq == NET_RX ? 2048 : 80);
	desc[0].flags = htole16(vq == NET_RX ? VRING_DESC_F_WRITE : 0);
	desc[0].next = 0;
	memset(avail, 0, VC_PAGE);
	avail->idx = htole16(1);
	memset(used, 0, VC_PAGE);
}

static int point_rings(struct rig *r)
{
	unsigned int i;
	int ret = 0;

	for (i = 0; i < r->nvqs && !ret; i++) {
		make_bait(i);
		kick_fd[i] = eventfd(0, EFD_CLOEXEC);
		ret = vc_vring(&r->c, VHOST_SET_VRING_NUM, i, NUM);
		if (!ret)
			ret = vc_vring(&r->c, VHOST_SET_VRING_BASE, i, 0);
		if (!ret)
			ret = vc_vring_addr(&r->c, i,
					    page_phys(i, PAGE_DESC),
					    page_phys(i, PAGE_DRIVER),
					    page_phys(i, PAGE_DEVICE));
		if (!ret)
			ret = vc_vring_file(&r->c, VHOST_SET_VRING_KICK, i,
					    kick_fd[i]);
	}
	memcpy(before, canary, PAGES * VC_PAGE);
	return ret;
}

static void kick_all(const struct rig *r)
{
	__u64 end = vc_now_ms() + DMA_WAIT_MS, one = 1;
	unsigned int i;

	while (vc_now_ms() < end) {
		for (i = 0; i < r->nvqs; i++)
			if (write(kick_fd[i], &one, sizeof(one)) < 0)
				return;
		vc_sleep_us(10000);
	}
}

static bool canary_alive(void)
{
	unsigned int i;

	for (i = 0; i < PAGES * VC_PAGE; i++) {
		if (canary[i] == before[i])
			continue;
		printf("DMA: byte %u changed from %#x to %#x\n", i, before[i],
		       canary[i]);
		return false;
	}
	return true;
}

static int verdict(struct rig *r, bool force)
{
	int status = vc_get_status(&r->c);
	bool runs = status >= 0 && status & ST_DRIVER_OK;

	printf("STATUS %#x: DRIVER_OK %s\n", status,
	       runs ? "accepted" : "refused");
	kick_all(r);
	if (!canary_alive())
		return 1;
	printf("CANARY intact\n");
	return runs == force ? 0 : 1;
}

static int map_low_page(struct rig *r)
{
	int ret = vc_arena(&r->c);

	return ret ? ret : vc_map(&r->c, 0x1000, r->c.mem, VC_PAGE);
}

static int try(struct rig *r, const char *path, bool lowmem)
{
	int ret = rig_open(r, path);

	if (!ret)
		ret = rig_negotiate(r, 0);
	if (!ret && lowmem)
		ret = map_low_page(r);
	if (!ret)
		ret = point_rings(r);
	if (!ret)
		ret = rig_enable(r, true);
	if (!ret)
		ret = vc_add_status(&r->c, ST_DRIVER_OK);
	return ret;
}

static const struct option long_opts[] = {
	{ "device", required_argument, NULL, 'd' },
	{ "lowmem", no_argument, NULL, 'l' },
	{ "force", no_argument, NULL, 'f' },
	{ NULL, 0, NULL, 0 },
};

int main(int argc, char **argv)
{
	const char *path = "/dev/vhost-vdpa-0";
	bool lowmem = false, force = false;
	struct rig r;
	int c, ret;

	while ((c = getopt_long(argc, argv, "d:lf", long_opts, NULL)) != -1) {
		if (c == 'd') {
			path = optarg;
		} else if (c == 'l') {
			lowmem = true;
		} else if (c == 'f') {
			force = true;
		} else {
			fprintf(stderr,
				"Usage: nomap [-d DEV] [--lowmem] [--force]\n");
			return 2;
		}
	}
	vc_unlimit_memlock();
	ret = make_canary();
	if (ret) {
		fprintf(stderr, "nomap: no canary: %s\n", strerror(-ret));
		return SKIPPED;
	}
	ret = try(&r, path, lowmem);
	if (ret) {
		fprintf(stderr, "nomap: %s: %s\n", path, strerror(-ret));
		return SKIPPED;
	}
	return verdict(&r, force);
}
