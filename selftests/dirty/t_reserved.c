// SPDX-License-Identifier: GPL-2.0
/* What is logged of memory that the hardware sees elsewhere: where its driver has it. */
#define _GNU_SOURCE
#include <linux/virtio_blk.h>

#include "tests.h"
#include "vdpa_rig.h"

/* Where x86 takes MSIs; in the client's memory it is from 256 KiB to 1.25 MiB. */
#define MSI		0xfee00000ULL
#define LOW		0x40000UL
#define HIGH		(LOW + 0x100000)
#define PAGES		(VC_ARENA_SIZE / PAGE)

static struct rig dut;
static struct blk_req req;
static __u64 expected[PAGES / 64], reported[PAGES / 64];

/* A block device whose memory is all over the window, rings in its midst. */
static void up_blk(void)
{
	CHECK_OK(rig_open(&dut, opts.vhost));
	if (dut.c.device_id != VIRTIO_ID_BLOCK)
		SKIP("not a block device");
	CHECK_OK(rig_negotiate(&dut, 0));
	CHECK_OK(vc_arena(&dut.c));
	dut.c.iova = MSI - LOW;
	CHECK_OK(vc_arena_map(&dut.c));
	dut.c.mem_used = LOW + 16 * PAGE;
	CHECK_OK(rig_rings(&dut));
	CHECK_OK(blk_prepare(&dut, &req));
	CHECK_OK(rig_attach(&dut));
	CHECK_OK(rig_enable(&dut, true));
	CHECK_OK(rig_driver_ok(&dut));
}

static void expect(const void *p, size_t len)
{
	size_t first = (const __u8 *)p - dut.c.mem, page;

	for (page = first / PAGE; page <= (first + len - 1) / PAGE; page++)
		expected[page / 64] |= 1ULL << (page % 64);
}

static void reads(int fd, size_t offset, size_t len)
{
	size_t i;

	memset(expected, 0, sizeof(expected));
	memset(reported, 0, sizeof(reported));
	req.data = dut.c.mem + offset;
	CHECK_OK(blk_do(&dut, &req, VIRTIO_BLK_T_IN, 0, len));
	expect(req.data, len);
	expect(req.status, 1);
	expect(dut.vq[0].device, 1);
	CHECK_OK(dirty_report(fd, 0, dut.c.iova, VC_ARENA_SIZE, PAGE, reported));
	for (i = 0; i < PAGES; i++)
		if ((expected[i / 64] ^ reported[i / 64]) >> (i % 64) & 1)
			FAIL("%zu bytes at %#zx: page %#zx should %sbe there", len, offset, i,
			     expected[i / 64] >> (i % 64) & 1 ? "" : "not ");
}

TAP_TEST(over_the_msi_window, 0)
{
	const struct vmdev_dirty_iova_range range = { MSI - LOW, VC_ARENA_SIZE };
	__u64 page_size = PAGE;
	int fd = test_open();

	up_blk();
	CHECK_OK(dirty_start(fd, 0, &page_size, &range, 1));
	CHECK_OK(dirty_report(fd, 0, dut.c.iova, VC_ARENA_SIZE, PAGE, reported));
	reads(fd, LOW - 512, 1024);
	reads(fd, LOW - 3 * PAGE, PAGE);
	reads(fd, LOW, 512);
	reads(fd, LOW + PAGE - 512, 1024);
	reads(fd, LOW - PAGE, 4 * PAGE);
	reads(fd, HIGH - 2 * PAGE - 512, PAGE);
	reads(fd, HIGH - 512, 1024);
	reads(fd, HIGH - PAGE, 4 * PAGE);
	reads(fd, HIGH, 512);
	rig_close(&dut);
	CHECK_OK(dirty_stop(fd, 0));
}
