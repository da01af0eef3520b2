// SPDX-License-Identifier: GPL-2.0
/*
 * Memory where x86 takes MSIs (0xfee00000-0xfeefffff): no IOMMU maps that, so the
 * hardware sees it elsewhere, and works on rings of the core's.
 */
#define _GNU_SOURCE
#include <linux/virtio_blk.h>

#include "tests.h"

#define MSI		0xfee00000ULL
#define MSI_SIZE	0x100000ULL

/* Where in the arena the borders of the window are: 256 KiB, and 1.25 MiB. */
#define LOW		0x40000UL
#define HIGH		(LOW + MSI_SIZE)

#define FRAMES		100U

/**
 * struct place - where in the arena parts of a rig are
 * @rings: rings, and what is allocated after them
 * @across: the borders of the window are in the middle of rings
 */
struct place {
	size_t rings;
	bool across;
};

static const struct place inside = { .rings = LOW + 4 * VC_PAGE };
static const struct place around = { .rings = LOW + 4 * VC_PAGE, .across = true };
static const struct place before = { .rings = 0 };

static struct rig dut, peer;

/* --- a rig over the window ---------------------------------------------------------------- */
static __u64 packed_if_offered(const struct vdpa_client *c)
{
	return c->offered & BIT64(VIRTIO_F_RING_PACKED);
}

static void need_window(const struct vdpa_client *c)
{
	if (c->range.first > MSI - LOW || c->range.last < MSI + 2 * MSI_SIZE)
		SKIP("the window is not in range");
	if (!test_has_iommu())
		SKIP("no IOMMU, which reserves it");
}

/* Areas of the rings, again: one of each kind lies over a border of the window. */
static void rings_across(struct rig *r)
{
	size_t desc = r->vq[0].num * sizeof(struct vring_desc);

	r->vq[0].desc = r->c.mem + LOW - desc / 2;
	r->vq[r->nvqs - 1].device = r->c.mem + HIGH - 4;
	vq_clear(&r->vq[0]);
	vq_clear(&r->vq[r->nvqs - 1]);
}

/* Open, with all of the arena mapped over the window by one message; not running. */
static void over_window(struct rig *r, const char *dev, const struct place *place)
{
	CHECK_OK(rig_open(r, dev));
	need_window(&r->c);
	/* Chains of blocks are to be as long as the hardware has them. */
	if (r->c.device_id == VIRTIO_ID_BLOCK)
		r->num = VQ_MAX_NUM;
	CHECK_OK(rig_negotiate(r, packed_if_offered(&r->c)));
	CHECK_OK(vc_arena(&r->c));
	r->c.iova = MSI - LOW;
	CHECK_OK(vc_arena_map(&r->c));
	r->c.mem_used = place->rings;
	CHECK_OK(rig_rings(r));
	if (place->across)
		rings_across(r);
}

static void run(struct rig *r)
{
	CHECK_OK(rig_attach(r));
	CHECK_OK(rig_enable(r, true));
	CHECK_OK(rig_driver_ok(r));
}

/* --- frames ------------------------------------------------------------------------------- */
static void up_peer(void)
{
	need("peer", opts.peer, "no peer (-p)");
	CHECK_OK(rig_up(&peer, opts.peer, 0));
	CHECK_OK(net_post_rx(&peer));
}

static void up_pair(const struct place *place)
{
	over_window(&dut, opts.dev, place);
	need_net(&dut.c);
	up_peer();
	run(&dut);
}

/* One frame, from one end to the other; whole, and no other than that. */
static void pass(struct rig *from, struct rig *to, __u32 i)
{
	__u64 end = vc_now_ms() + RIG_WAIT_MS;
	__u32 seq, len;
	int ret;

	CHECK_OK(net_send(from, to->mac, i, net_frame_len(i)));
	vq_kick(&from->vq[NET_TX]);
	while ((ret = net_recv(to, &seq, &len)) == -EAGAIN && vc_now_ms() < end)
		vc_sleep_us(100);
	CHECK(!ret, "frame %u to %s: %d", i, to == &dut ? "the device" : "its peer", ret);
	CHECK(seq == i && len == net_frame_len(i), "frame %u of %u bytes, not %u of %u", seq, len,
	      i, net_frame_len(i));
	CHECK_OK(net_drain_tx(from, RIG_WAIT_MS));
}

static void frames(__u32 first, __u32 n)
{
	__u32 i;

	for (i = first; i < first + n; i++) {
		pass(&dut, &peer, i);
		pass(&peer, &dut, i);
	}
}

TEST_OURS(alias_net_inside)
{
	up_pair(&inside);
	CHECK_OK(net_post_rx(&dut));
	check_path("shadow");
	frames(0, FRAMES);
}

TEST_OURS(alias_net_rings_across)
{
	vc_huge_page = true;
	up_pair(&around);
	CHECK_OK(net_post_rx(&dut));
	check_path("shadow");
	frames(0, FRAMES);
}

/*
 * One buffer each way, over a border: that of frames to send is at another place each
 * time, so that the border is in the header, between header and frame, and in the frame.
 */
static void buffers_across(size_t rx, size_t tx, unsigned int step)
{
	__u32 i;

	dut.rx_buf[0] = dut.c.mem + rx - 100;
	CHECK_OK(vq_add(&dut.vq[NET_RX],
			&(struct vq_seg){ vc_iova(&dut.c, dut.rx_buf[0]), RIG_BUF }, 0, 1,
			dut.rx_buf[0]));
	vq_kick(&dut.vq[NET_RX]);
	for (i = 0; i < FRAMES; i++) {
		dut.tx_nfree = 1;
		dut.tx_free[0] = dut.c.mem + tx - i * step;
		pass(&dut, &peer, i);
		pass(&peer, &dut, i);
	}
}

TEST_OURS(alias_net_buffers_across)
{
	up_pair(&inside);
	buffers_across(LOW, HIGH, 1);
}

TEST_OURS(alias_net_buffers_across_huge_page)
{
	vc_huge_page = true;
	up_pair(&before);
	buffers_across(HIGH, LOW, 14);
}

/* --- a map that comes to a device that runs ------------------------------------------------ */
static void up_elsewhere(void)
{
	CHECK_OK(rig_open(&dut, opts.dev));
	need_window(&dut.c);
	need_net(&dut.c);
	CHECK_OK(rig_negotiate(&dut, packed_if_offered(&dut.c)));
	CHECK_OK(rig_memory(&dut));
	CHECK_OK(rig_rings(&dut));
	up_peer();
	run(&dut);
	CHECK_OK(net_post_rx(&dut));
	frames(0, 10);
}

/* The arena once more, over the window; its IOVA is that from now on, or no more. */
static int map_over(struct vdpa_client *c)
{
	return vc_map(c, MSI - LOW, c->mem, VC_ARENA_SIZE);
}

static int unmap_over(struct vdpa_client *c)
{
	return vc_unmap(c, MSI - LOW, VC_ARENA_SIZE);
}

/* Frames out of the window, from rings that are where they were. */
static void frames_from_over(void)
{
	__u64 iova = dut.c.iova;
	__u32 i;

	dut.c.iova = MSI - LOW;
	for (i = 0; i < 20; i++) {
		dut.tx_nfree = 1;
		dut.tx_free[0] = dut.c.mem + HIGH + VC_PAGE - i * 400;
		pass(&dut, &peer, 1000 + i);
	}
	dut.c.iova = iova;
	dut.tx_nfree = RIG_NUM;
	memcpy(dut.tx_free, dut.tx_buf, sizeof(dut.tx_free));
}

TEST_OURS(alias_moves_queues)
{
	unsigned int i;

	up_elsewhere();
	if (!test_on_path("direct"))
		SKIP("queues do not run direct");
	for (i = 0; i < 3; i++) {
		CHECK_OK(map_over(&dut.c));
		check_path("shadow");
		frames(10, 20);
		frames_from_over();
		CHECK_OK(unmap_over(&dut.c));
		frames(30, 20);
		/* The next start is direct again. */
		CHECK_OK(rig_again(&dut));
		CHECK_OK(net_post_rx(&dut));
		check_path("direct");
		frames(50, 20);
	}
}

/* What moved for a map may lose its memory as if it had never been elsewhere. */
TEST_OURS(alias_moved_and_all_unmapped)
{
	up_elsewhere();
	CHECK_OK(map_over(&dut.c));
	check_path("shadow");
	CHECK_OK(vc_unmap(&dut.c, 0, UINT64_MAX));
	CHECK_IS(vc_get_status(&dut.c), ST_NEGOTIATED | ST_DRIVER_OK);
	CHECK_OK(vc_reset(&dut.c));
	CHECK_OK(vc_arena_map(&dut.c));
	CHECK_OK(rig_again(&dut));
	CHECK_OK(net_post_rx(&dut));
	frames(0, 20);
}

/* Suspended queues come back in shadow. */
TEST_OURS(alias_mapped_while_suspended)
{
	up_elsewhere();
	need_resume(&dut.c);
	CHECK_OK(vc_suspend(&dut.c));
	CHECK_OK(map_over(&dut.c));
	CHECK_OK(vc_resume(&dut.c));
	check_path("shadow");
	vq_kick(&dut.vq[NET_RX]);
	frames(10, 20);
	frames_from_over();
}

/* --- policy direct ------------------------------------------------------------------------- */
static void policy_direct(void)
{
	if (!test_is_policy("auto"))
		SKIP("the policy is not auto");
	CHECK_OK(test_set_policy("direct"));
}

TEST_OURS(alias_direct_does_not_start)
{
	over_window(&dut, opts.dev, &inside);
	policy_direct();
	CHECK_OK(rig_attach(&dut));
	CHECK_OK(rig_enable(&dut, true));
	CHECK_ERR(rig_driver_ok(&dut), -EPROTO);
	CHECK(vc_get_status(&dut.c) & ST_FAILED, "no FAILED");
	/* Without that memory it does. */
	CHECK_OK(vc_unmap(&dut.c, dut.c.iova, VC_ARENA_SIZE));
	dut.c.iova = VC_ARENA_IOVA;
	CHECK_OK(vc_arena_map(&dut.c));
	CHECK_OK(rig_again(&dut));
	check_path("direct");
	rig_close(&dut);
	CHECK_OK(test_set_policy("auto"));
}

TEST_OURS(alias_direct_refuses_a_map)
{
	up_elsewhere();
	if (!test_on_path("direct"))
		SKIP("queues do not run direct");
	policy_direct();
	CHECK_FAILS(map_over(&dut.c));
	check_path("direct");
	frames(10, 20);
	/* Nothing is left of it. */
	CHECK_OK(vc_map(&dut.c, MSI - LOW, dut.c.mem, LOW));
	CHECK_OK(vc_unmap(&dut.c, MSI - LOW, LOW));
	CHECK_OK(rig_again(&dut));
	check_path("direct");
	rig_close(&dut);
	CHECK_OK(test_set_policy("auto"));
}

/* Queues that have to be in shadow stay there. */
TEST_OURS(alias_policy_cannot_be_direct)
{
	over_window(&dut, opts.dev, &inside);
	if (!test_is_policy("auto"))
		SKIP("the policy is not auto");
	run(&dut);
	check_path("shadow");
	CHECK_ERR(test_set_policy("direct"), -EOPNOTSUPP);
	CHECK(test_is_policy("auto"), "another policy");
	check_path("shadow");
	CHECK_IS(vc_get_status(&dut.c), ST_NEGOTIATED | ST_DRIVER_OK);
}

/* --- blocks -------------------------------------------------------------------------------- */
static struct blk_req req;

static void up_blk(const struct place *place)
{
	if (!opts.scratch)
		SKIP("only with --scratch");
	over_window(&dut, opts.dev, place);
	need_blk(&dut.c);
	CHECK_OK(blk_prepare(&dut, &req));
	run(&dut);
	check_path("shadow");
}

static __u8 *at(size_t offset)
{
	return dut.c.mem + offset;
}

static void fill(size_t from, size_t len, unsigned int seed)
{
	size_t i;

	for (i = 0; i < len; i++)
		*at(from + i) = i * 31 + (i >> 8) * 7 + seed;
}

/* What is written from one place can be read at another, to the byte and no further. */
static void copy(size_t from, size_t to, __u32 len, unsigned int seed)
{
	fill(from, len, seed);
	req.data = at(from);
	CHECK_OK(blk_do(&dut, &req, VIRTIO_BLK_T_OUT, 0, len));
	memset(at(to) - 1, 0x5a, len + 2);
	req.data = at(to);
	CHECK_OK(blk_do(&dut, &req, VIRTIO_BLK_T_IN, 0, len));
	fill(from, len, seed);
	CHECK(!memcmp(at(from), at(to), len), "%#zx to %#zx, %u bytes: differ", from, to, len);
	CHECK(at(to)[-1] == 0x5a && at(to)[len] == 0x5a, "%#zx: beyond its end", to);
}

TEST_OURS(alias_blk_across)
{
	static const size_t low[] = { 1, 2, 511, 512, 4095, 4096, 8191 };
	unsigned int i;

	up_blk(&inside);
	for (i = 0; i < ARRAY_SIZE(low); i++) {
		copy(LOW - low[i], 0x80000, 8192, i);
		copy(0x80000, LOW - low[i], 8192, i + 1);
		copy(HIGH - low[i], 0x80000, 8192, i + 2);
		copy(0x80000, HIGH - low[i], 8192, i + 3);
		copy(LOW - low[i], HIGH - low[i], 8192, i + 4);
	}
}

/* One piece that begins before the window and ends behind it; rings are below. */
TEST_OURS(alias_blk_over_all_of_it)
{
	size_t len = MSI_SIZE + 1024;
	__u8 *want = malloc(len);

	CHECK(want, "no memory");
	vc_huge_page = true;
	up_blk(&before);
	req.hdr_mem = at(LOW / 2);
	req.status = at(LOW / 2 + 64);
	fill(LOW - 512, len, 3);
	memcpy(want, at(LOW - 512), len);
	req.data = at(LOW - 512);
	CHECK_OK(blk_do(&dut, &req, VIRTIO_BLK_T_OUT, 0, len));
	memset(at(LOW - 512), 0, len);
	CHECK_OK(blk_do(&dut, &req, VIRTIO_BLK_T_IN, 0, len));
	CHECK(!memcmp(at(LOW - 512), want, len), "differs");
	/* Another has it in pieces that are nowhere near a border. */
	req.data = at(HIGH + 4 * VC_PAGE);
	CHECK_OK(blk_do(&dut, &req, VIRTIO_BLK_T_IN, 0, 4096));
	CHECK(!memcmp(req.data, want, 4096), "the begin differs");
	CHECK_OK(blk_do(&dut, &req, VIRTIO_BLK_T_IN, len / 512 - 8, 4096));
	CHECK(!memcmp(req.data, want + len - 4096, 4096), "the end differs");
}

TEST_OURS(alias_blk_rings_across)
{
	unsigned int i;

	vc_huge_page = true;
	up_blk(&around);
	for (i = 0; i < 20; i++)
		copy(0x100000, 0x108000, 4096, i);
}

/* A request of @n pieces, the last of whose data lies over a border. */
static int blk_pieces(unsigned int n)
{
	struct vq_seg segs[VQ_MAX_NUM];
	unsigned int i;
	int ret;

	memset(&req.hdr, 0, sizeof(req.hdr));
	memcpy(req.hdr_mem, &req.hdr, sizeof(req.hdr));
	*req.status = 0xff;
	segs[0] = (struct vq_seg){ vc_iova(&dut.c, req.hdr_mem), sizeof(req.hdr) };
	for (i = 1; i < n - 1; i++)
		segs[i] = (struct vq_seg){ vc_iova(&dut.c, at(HIGH + VC_PAGE)) + 512 * i, 512 };
	segs[n - 2] = (struct vq_seg){ vc_iova(&dut.c, at(HIGH)) - 100, 512 };
	segs[n - 1] = (struct vq_seg){ vc_iova(&dut.c, req.status), 1 };
	ret = vq_add(&dut.vq[0], segs, 1, n - 1, &req);
	if (!ret)
		vq_kick(&dut.vq[0]);
	return ret;
}

/* As many pieces as the ring of the hardware has entries; then one more. */
TEST_OURS(alias_blk_longest_chain)
{
	unsigned int num = 0, tries;

	up_blk(&inside);
	num = rig_vq_max(&dut.c, 0);
	CHECK_OK(blk_pieces(num - 1));
	CHECK_OK(blk_wait(&dut, &req, RIG_WAIT_MS));
	CHECK_OK(blk_pieces(num));
	for (tries = 0; tries < RIG_WAIT_MS && !(vc_get_status(&dut.c) & ST_NEEDS_RESET); tries++)
		vc_sleep_us(1000);
	CHECK(vc_get_status(&dut.c) & ST_NEEDS_RESET, "taken");
	CHECK_OK(rig_again(&dut));
	CHECK_OK(blk_pieces(num - 1));
	CHECK_OK(blk_wait(&dut, &req, RIG_WAIT_MS));
}

/*
 * Chains that have to wait for each other, as only some fit in the hardware's ring: of
 * three pieces and, but for the first @whole, of five there. At the first that waits
 * there is room for three, and not for five.
 */
TEST_OURS(alias_blk_starved)
{
	struct vq_seg segs[3] = { { .len = sizeof(req.hdr) }, { .len = 512 }, { .len = 1 } };
	unsigned int i, n, round, whole = 0;
	__u32 len;

	up_blk(&inside);
	while ((dut.vq[0].num - 3 * whole) % 5 < 3)
		whole++;
	memset(at(HIGH - 64), 0, 128);
	n = dut.vq[0].num / 3;
	for (round = 0; round < 5; round++) {
		for (i = 0; i < n; i++) {
			*at(HIGH + VC_PAGE + i) = 0xff;
			segs[0].iova = vc_iova(&dut.c, at(i < whole ? HIGH - 64 : HIGH - 8));
			segs[1].iova = vc_iova(&dut.c, at(i < whole ? LOW : LOW - 100));
			segs[2].iova = vc_iova(&dut.c, at(HIGH + VC_PAGE + i));
			CHECK_OK(vq_add(&dut.vq[0], segs, 1, 2, at(HIGH + VC_PAGE + i)));
		}
		vq_kick(&dut.vq[0]);
		for (i = 0; i < n; i++) {
			__u8 *status;

			CHECK(vq_wait(&dut.vq[0], RIG_WAIT_MS), "%u of %u", i, n);
			status = vq_get(&dut.vq[0], &len);
			CHECK(status, "error %d", dut.vq[0].error);
			CHECK_IS(*status, VIRTIO_BLK_S_OK);
			CHECK_IS(len, 513);
		}
	}
}
