// SPDX-License-Identifier: GPL-2.0
/* A block device: identity, reads, errors, and writes where allowed. */
#define _GNU_SOURCE
#include <endian.h>

#include <linux/virtio_blk.h>

#include "tests.h"

#define SECTOR 512

static struct rig dut;
static struct blk_req req, other;
static __u64 capacity;

static void up_blk(void)
{
	CHECK_OK(rig_open(&dut, opts.dev));
	need_blk(&dut.c);
	climb(&dut, RUNG_DRIVER_OK);
	CHECK_OK(blk_prepare(&dut, &req));
	CHECK_OK(blk_prepare(&dut, &other));
	CHECK_OK(vc_get_config(&dut.c, 0, &capacity, sizeof(capacity)));
	capacity = le64toh(capacity);
}

TEST(blk_has_capacity)
{
	up_blk();
	CHECK(capacity, "no sectors");
}

TEST(blk_get_id)
{
	int r;

	up_blk();
	r = blk_do(&dut, &req, VIRTIO_BLK_T_GET_ID, 0, VIRTIO_BLK_ID_BYTES);
	CHECK(!r || *req.status == VIRTIO_BLK_S_UNSUPP, "%d, status %u", r,
	      *req.status);
}

TEST(blk_reads_agree)
{
	__u64 sector;

	up_blk();
	for (sector = 0; sector + 8 <= capacity && sector < 256; sector += 8) {
		memset(req.data, 0xaa, VC_PAGE);
		memset(other.data, 0x55, VC_PAGE);
		CHECK_OK(blk_do(&dut, &req, VIRTIO_BLK_T_IN, sector, VC_PAGE));
		CHECK_OK(blk_do(&dut, &other, VIRTIO_BLK_T_IN, sector,
				VC_PAGE));
		CHECK(!memcmp(req.data, other.data, VC_PAGE),
		      "sector %ju differs", (uintmax_t)sector);
	}
}

TEST(blk_read_past_the_end)
{
	up_blk();
	CHECK_ERR(blk_do(&dut, &req, VIRTIO_BLK_T_IN, capacity, SECTOR), -EIO);
	CHECK_ERR(blk_do(&dut, &req, VIRTIO_BLK_T_IN, UINT64_MAX / SECTOR,
			 SECTOR), -EIO);
	CHECK_OK(blk_do(&dut, &req, VIRTIO_BLK_T_IN, 0, SECTOR));
}

TEST(blk_unknown_request)
{
	up_blk();
	CHECK_ERR(blk_do(&dut, &req, 0x7ffffff0, 0, SECTOR), -EIO);
	CHECK_OK(blk_do(&dut, &req, VIRTIO_BLK_T_IN, 0, SECTOR));
}

TEST(blk_calls)
{
	unsigned int i;

	up_blk();
	for (i = 0; i < 20; i++) {
		CHECK_OK(blk_submit(&dut, &req, VIRTIO_BLK_T_IN, 0, SECTOR));
		CHECK(vq_called(&dut.vq[0], RIG_WAIT_MS), "no call %u", i);
		CHECK_OK(blk_wait(&dut, &req, RIG_WAIT_MS));
	}
}

TEST(blk_write_read)
{
	__u64 sector;
	unsigned int i;

	if (!opts.scratch)
		SKIP("only with --scratch");
	up_blk();
	for (sector = 0; sector + 8 <= capacity && sector < 128; sector += 8) {
		for (i = 0; i < VC_PAGE; i++)
			req.data[i] = i * 13 + sector;
		CHECK_OK(blk_do(&dut, &req, VIRTIO_BLK_T_OUT, sector, VC_PAGE));
		memset(other.data, 0, VC_PAGE);
		CHECK_OK(blk_do(&dut, &other, VIRTIO_BLK_T_IN, sector,
				VC_PAGE));
		CHECK(!memcmp(req.data, other.data, VC_PAGE),
		      "sector %ju differs", (uintmax_t)sector);
	}
}

/*
 * Reset with requests under way: they may be lost, nothing may break.
 * qemu-storage-daemon dies of it: assertion in vduse_queue_disable().
 */
TEST_OURS(blk_reset_with_requests)
{
	unsigned int i;

	up_blk();
	for (i = 0; i < 20; i++) {
		CHECK_OK(blk_submit(&dut, &req, VIRTIO_BLK_T_IN, 0, VC_PAGE));
		CHECK_OK(rig_again(&dut));
	}
	CHECK_OK(blk_do(&dut, &other, VIRTIO_BLK_T_IN, 0, SECTOR));
}

TEST(blk_suspend_restart)
{
	__u32 base, i;

	up_blk();
	need_suspend(&dut.c);
	for (i = 1; i <= 10; i++) {
		CHECK_OK(blk_do(&dut, &req, VIRTIO_BLK_T_IN, 0, SECTOR));
		CHECK_OK(vc_suspend(&dut.c));
		CHECK_OK(vc_vring_get(&dut.c, VHOST_GET_VRING_BASE, 0, &base));
		CHECK(base == i, "base %u after %u requests", base, i);
		need("state", !rig_restart(&dut, &base),
		     "device starts only fresh rings");
	}
}
