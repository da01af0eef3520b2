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

TEST(blk_odd_size)
{
	up_blk();
	CHECK_ERR(blk_do(&dut, &req, VIRTIO_BLK_T_IN, 0, SECTOR - 1), -EIO);
	CHECK_ERR(blk_do(&dut, &req, VIRTIO_BLK_T_IN, 0, SECTOR + 1), -EIO);
	CHECK_OK(blk_do(&dut, &req, VIRTIO_BLK_T_IN, 0, SECTOR));
}

/* A request of one sector whose header and data are in pieces of odd sizes and addresses. */
static int blk_pieces(__u32 type, unsigned char *data)
{
	__u64 hdr = vc_iova(&dut.c, req.hdr_mem), at = vc_iova(&dut.c, data);
	struct vq_seg seg[] = {
		{ hdr, 3 }, { hdr + 3, sizeof(req.hdr) - 3 },
		{ at, 1 }, { at + 1, 100 }, { at + 101, SECTOR - 101 },
		{ vc_iova(&dut.c, req.status), 1 },
	};
	int ret;

	req.hdr.type = htole32(type);
	req.hdr.sector = htole64(0);
	memcpy(req.hdr_mem, &req.hdr, sizeof(req.hdr));
	*req.status = 0xff;
	ret = vq_add(&dut.vq[0], seg, type == VIRTIO_BLK_T_OUT ? 5 : 2,
		     type == VIRTIO_BLK_T_OUT ? 1 : 4, &req);
	if (ret)
		return ret;
	vq_kick(&dut.vq[0]);
	return blk_wait(&dut, &req, RIG_WAIT_MS);
}

TEST(blk_odd_pieces)
{
	unsigned int i;

	if (!opts.scratch)
		SKIP("only with --scratch");
	up_blk();
	for (i = 0; i < SECTOR; i++)
		req.data[i + 3] = i * 7;
	CHECK_OK(blk_pieces(VIRTIO_BLK_T_OUT, req.data + 3));
	memset(req.data, 0, VC_PAGE);
	CHECK_OK(blk_pieces(VIRTIO_BLK_T_IN, req.data + 77));
	for (i = 0; i < SECTOR; i++)
		CHECK(req.data[i + 77] == (unsigned char)(i * 7),
		      "byte %u differs", i);
	CHECK(!req.data[76] && !req.data[77 + SECTOR], "written outside");
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

/* Requests that may have been carried out must not be again: their ring is refused. */
TEST_OURS(blk_packed_with_requests_out)
{
	const __u32 base = 0x80008003;

	CHECK_OK(rig_open(&dut, opts.dev));
	need_blk(&dut.c);
	need("packed", dut.c.offered & BIT64(VIRTIO_F_RING_PACKED), "no packed ring");
	CHECK_OK(rig_negotiate(&dut, BIT64(VIRTIO_F_RING_PACKED)));
	CHECK_OK(rig_memory(&dut));
	CHECK_OK(rig_rings(&dut));
	CHECK_OK(vq_attach(&dut.vq[0], base));
	CHECK_OK(rig_enable(&dut, true));
	CHECK_ERR(rig_driver_ok(&dut), -EPROTO);
	CHECK_OK(rig_again(&dut));
}
