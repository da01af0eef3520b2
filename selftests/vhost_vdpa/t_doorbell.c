// SPDX-License-Identifier: GPL-2.0
/* The doorbell page: one page, shared, write-only, of one queue alone. */
#define _GNU_SOURCE
#include <sys/mman.h>

#include <linux/virtio_net.h>

#include "tests.h"

/* In-kernel errno that vhost-vdpa lets through for a page of odd size. */
#define KERNEL_ENOTSUPP 524

static int try_mmap(struct vdpa_client *c, size_t size, int prot, int flags,
		    off_t page)
{
	void *p = mmap(NULL, size, prot, flags, c->fd, page * VC_PAGE);

	if (p == MAP_FAILED)
		return -errno;
	munmap(p, size);
	return 0;
}

/* Maps a queue's doorbell, or skips the test where there is none. */
static void *need_doorbell(struct vdpa_client *c, __u32 idx)
{
	void *p = vc_doorbell(c, idx);
	int err = errno;

	if (!p)
		CHECK(err == EOPNOTSUPP || err == EINVAL ||
		      err == KERNEL_ENOTSUPP, "mmap gave %d", err);
	need("doorbell", p, "no doorbell page");
	return p;
}

TEST(doorbell_wrong_size)
{
	struct vdpa_client c;

	test_open(&c);
	CHECK_FAILS(try_mmap(&c, 2 * VC_PAGE, PROT_WRITE, MAP_SHARED, 0));
	CHECK_FAILS(try_mmap(&c, 16 * VC_PAGE, PROT_WRITE, MAP_SHARED, 0));
}

TEST(doorbell_private)
{
	struct vdpa_client c;

	test_open(&c);
	CHECK_FAILS(try_mmap(&c, VC_PAGE, PROT_WRITE, MAP_PRIVATE, 0));
}

TEST(doorbell_readable)
{
	struct vdpa_client c;

	test_open(&c);
	CHECK_FAILS(try_mmap(&c, VC_PAGE, PROT_READ | PROT_WRITE, MAP_SHARED,
			     0));
	CHECK_FAILS(try_mmap(&c, VC_PAGE, PROT_READ, MAP_SHARED, 0));
}

/* vp_vdpa, eni and others index an array with it, unchecked. */
TEST_OURS(doorbell_index_out_of_range)
{
	struct vdpa_client c;

	test_open(&c);
	CHECK_FAILS(try_mmap(&c, VC_PAGE, PROT_WRITE, MAP_SHARED, c.nvqs));
	CHECK_FAILS(try_mmap(&c, VC_PAGE, PROT_WRITE, MAP_SHARED, 0xffff));
	CHECK_FAILS(try_mmap(&c, VC_PAGE, PROT_WRITE, MAP_SHARED, 0x10000));
}

/* Mapped or not is the layout's matter; the answer must not change. */
TEST(doorbell_answer_constant)
{
	enum rung rung;
	int first;
	struct rig r;

	CHECK_OK(rig_open(&r, opts.dev));
	first = try_mmap(&r.c, VC_PAGE, PROT_WRITE, MAP_SHARED, 0);
	for (rung = RUNG_RESET; rung < RUNG_MAX; rung++) {
		climb(&r, rung);
		CHECK_IS(try_mmap(&r.c, VC_PAGE, PROT_WRITE, MAP_SHARED, 0),
			 first);
		CHECK_OK(vc_reset(&r.c));
	}
}

/* But the control queue, which hardware has none for: see ctrl_has_no_doorbell. */
TEST(doorbell_every_queue)
{
	struct vdpa_client c;
	__u32 i, n;

	test_open(&c);
	need_doorbell(&c, 0);
	n = c.nvqs - !!(c.offered & BIT64(VIRTIO_NET_F_CTRL_VQ) &&
			c.device_id == VIRTIO_ID_NET);
	for (i = 0; i < n; i++)
		CHECK_OK(try_mmap(&c, VC_PAGE, PROT_WRITE, MAP_SHARED, i));
}

/* The mapping outlives resets, and writes to it are harmless at any time. */
TEST(doorbell_write_on_every_rung)
{
	void *bell;
	enum rung rung;
	struct rig r;

	CHECK_OK(rig_open(&r, opts.dev));
	bell = need_doorbell(&r.c, 0);
	for (rung = RUNG_RESET; rung < RUNG_MAX; rung++) {
		vc_ring(bell, 0);
		climb(&r, rung);
		vc_ring(bell, 0);
		CHECK_OK(vc_reset(&r.c));
		vc_ring(bell, 0);
	}
	climb(&r, RUNG_DRIVER_OK);
}

TEST(doorbell_kicks)
{
	static const __u8 nobody[6] = { 2, 0, 0, 0, 0, 1 };
	void *bell;
	struct rig r;
	__u32 i;

	test_up(&r);
	need_wire(&r.c);
	bell = need_doorbell(&r.c, NET_TX);
	for (i = 0; i < 20; i++) {
		CHECK_OK(net_send(&r, nobody, i, NET_MIN_FRAME));
		vc_ring(bell, NET_TX);
		CHECK_OK(net_drain_tx(&r, RIG_WAIT_MS));
	}
}

/* The page faulted in before a reset is still the doorbell after it. */
TEST(doorbell_kicks_after_reset)
{
	static const __u8 nobody[6] = { 2, 0, 0, 0, 0, 1 };
	void *bell;
	struct rig r;
	__u32 i;

	test_up(&r);
	need_wire(&r.c);
	bell = need_doorbell(&r.c, NET_TX);
	for (i = 0; i < 5; i++) {
		CHECK_OK(rig_again(&r));
		CHECK_OK(net_send(&r, nobody, i, NET_MIN_FRAME));
		vc_ring(bell, NET_TX);
		CHECK_OK(net_drain_tx(&r, RIG_WAIT_MS));
	}
}

/* The mapping holds the file, hence the device. */
TEST(doorbell_holds_the_device)
{
	void *bell;
	struct vdpa_client c, second;

	test_open(&c);
	bell = need_doorbell(&c, 0);
	close(c.fd);
	c.fd = -1;
	CHECK_ERR(vc_open(&second, opts.dev), -EBUSY);
	vc_ring(bell, 0);
	CHECK_OK(munmap(bell, VC_PAGE));
	test_open(&second);
}
