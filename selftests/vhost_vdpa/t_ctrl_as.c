// SPDX-License-Identifier: GPL-2.0
/*
 * Groups and address spaces: the control queue is in a group of its own, and
 * each group in any of two address spaces. QEMU has its shadow of the control
 * queue in one that its guest knows nothing of.
 */
#define _GNU_SOURCE
#include "tests.h"

/* How long nothing is to happen. */
#define STILL_MS	500

static struct rig dut, peer;
static struct ctrl cvq;

static const __u8 other_mac[6] = { 0x52, 0x54, 0, 0xc, 0x7, 1 };
static const __u8 nobody[6] = { 2, 0, 0, 0, 0, 1 };

static void check_works(void)
{
	CHECK_IS(ctrl_set_mac(&cvq, other_mac), CTRL_OK);
}

static void check_sends(void)
{
	CHECK_OK(net_send(&dut, nobody, 0, NET_MIN_FRAME));
	vq_kick(&dut.vq[NET_TX]);
	CHECK_OK(net_drain_tx(&dut, RIG_WAIT_MS));
}

static int set_space(__u32 group, __u32 as)
{
	return vc_vring(&dut.c, VHOST_VDPA_SET_GROUP_ASID, group, as);
}

static void check_groups(__u32 ctrl)
{
	__u32 i, group;

	for (i = 0; i < dut.c.nvqs; i++) {
		CHECK_OK(vc_vring_get(&dut.c, VHOST_VDPA_GET_VRING_GROUP, i,
				      &group));
		CHECK(group == (i == ctrl ? GROUP_CTRL : GROUP_DATA),
		      "queue %u in group %u", i, group);
	}
}

/* Two of each with a control queue, else one. */
TEST(ctrl_groups)
{
	bool ctrl;

	CHECK_OK(rig_open(&dut, opts.dev));
	ctrl = dut.c.device_id == VIRTIO_ID_NET &&
	       dut.c.offered & BIT64(VIRTIO_NET_F_CTRL_VQ);
	CHECK(dut.c.ngroups == (ctrl ? 2 : 1) && dut.c.nas == dut.c.ngroups,
	      "%u groups, %u address spaces", dut.c.ngroups, dut.c.nas);
	CHECK_OK(vc_negotiate(&dut.c, dut.c.offered &
				      ~BIT64(VIRTIO_F_RING_PACKED)));
	check_groups(ctrl ? dut.c.nvqs - 1 : UINT32_MAX);
}

/* Where MQ is offered and not taken, queue 2 is the control queue (5.1.2). */
TEST_OURS(ctrl_group_without_mq)
{
	CHECK_OK(rig_open(&dut, opts.dev));
	need_ctrl(&dut.c);
	need_feature(&dut.c, "mq", VIRTIO_NET_F_MQ);
	CHECK(dut.c.nvqs == 5, "%u queues", dut.c.nvqs);
	CHECK_OK(rig_negotiate(&dut, BIT64(VIRTIO_NET_F_CTRL_VQ)));
	check_groups(2);
	CHECK_OK(vc_reset(&dut.c));
	CHECK_OK(rig_negotiate(&dut, BIT64(VIRTIO_NET_F_CTRL_VQ) |
				     BIT64(VIRTIO_NET_F_MQ)));
	check_groups(4);
}

TEST(ctrl_group_each_to_each)
{
	__u32 i;

	test_ctrl_attached(&dut, &cvq, NULL);
	for (i = 0; i < 16; i++)
		CHECK_OK(set_space(i & 1 ? GROUP_CTRL : GROUP_DATA, i >> 1 & 1));
	CHECK_ERR(set_space(GROUP_CTRL, 2), -EINVAL);
	CHECK_ERR(set_space(GROUP_DATA, 2), -EINVAL);
	CHECK_OK(set_space(GROUP_CTRL, 0));
	CHECK_OK(set_space(GROUP_DATA, 0));
	test_ctrl_run(&dut, &cvq);
	check_works();
}

/* vdpa_sim takes it. */
TEST_OURS(ctrl_group_while_running)
{
	__u32 group;

	test_ctrl_up(&dut, &cvq, NULL);
	for (group = GROUP_DATA; group <= GROUP_CTRL; group++) {
		CHECK_ERR(set_space(group, 0), -EBUSY);
		CHECK_ERR(set_space(group, 1), -EBUSY);
		CHECK_ERR(set_space(group, 2), -EINVAL);
	}
	check_works();
}

/* What the queue needs is mapped in its space and in no other. */
TEST(ctrl_apart)
{
	struct ctrl_want want = { .ctrl_as = 1 };
	unsigned int i;

	test_ctrl_up(&dut, &cvq, &want);
	need_wire(&dut.c);
	for (i = 0; i < 20; i++) {
		check_works();
		check_sends();
	}
}

TEST(ctrl_data_apart)
{
	struct ctrl_want want = { .data_as = 1 };
	unsigned int i;

	test_ctrl_up(&dut, &cvq, &want);
	need_wire(&dut.c);
	for (i = 0; i < 20; i++) {
		check_works();
		check_sends();
	}
}

TEST(ctrl_and_data_in_space_1)
{
	struct ctrl_want want = { .ctrl_as = 1, .data_as = 1 };

	test_ctrl_up(&dut, &cvq, &want);
	need_wire(&dut.c);
	check_works();
	check_sends();
}

/* One address, and another page in each space. */
TEST(ctrl_same_address_in_both)
{
	struct ctrl_want want = { .ctrl_as = 1 };
	__u64 iova;

	test_ctrl_attached(&dut, &cvq, &want);
	iova = vc_iova(&dut.c, cvq.out);
	CHECK_OK(vc_map_as(&dut.c, 0, iova, dut.tx_buf[0], VC_PAGE));
	memset(dut.tx_buf[0], 0xff, RIG_BUF);
	test_ctrl_run(&dut, &cvq);
	check_works();
}

/* To a peer that listens, from a buffer that is mapped in one space only. */
static void send_from(void *buf, __u32 seq)
{
	dut.tx_free[dut.tx_nfree - 1] = buf;
	CHECK_OK(net_send(&dut, peer.mac, seq, NET_MIN_FRAME));
	vq_kick(&dut.vq[NET_TX]);
}

static bool arrives(__u32 seq, int ms)
{
	__u64 end = vc_now_ms() + ms;
	__u32 got, len;
	int ret;

	do {
		ret = net_recv(&peer, &got, &len);
		if (ret == -EAGAIN)
			vc_sleep_us(1000);
		else
			CHECK_OK(ret);
	} while (ret && vc_now_ms() < end);
	CHECK(ret || got == seq, "frame %u, not %u", got, seq);
	return !ret;
}

static void up_peer(void)
{
	need("peer", opts.peer, "no peer (-p)");
	CHECK_OK(rig_up(&peer, opts.peer, 0));
	CHECK_OK(net_post_rx(&peer));
}

/* Maps of the control queue's space never reach the IOMMU. */
TEST_OURS(ctrl_maps_are_not_the_hardwares)
{
	const __u64 data = VC_ARENA_SIZE - CTRL_MEM;
	struct ctrl_want want = { .ctrl_as = 1 };

	up_peer();
	test_ctrl_up(&dut, &cvq, &want);
	need_net(&dut.c);
	send_from(dut.tx_buf[0], 1);
	CHECK(arrives(1, RIG_WAIT_MS), "nothing arrives at all");
	CHECK_OK(net_drain_tx(&dut, RIG_WAIT_MS));
	send_from(cvq.out, 2);
	CHECK(!arrives(2, STILL_MS), "hardware reads the control queue's memory");
	/* The control queue still does. */
	rig_close(&dut);

	test_ctrl_attached(&dut, &cvq, &want);
	CHECK_OK(vc_map_as(&dut.c, 0, dut.c.iova + data, dut.c.mem + data,
			   CTRL_MEM));
	test_ctrl_run(&dut, &cvq);
	send_from(cvq.out, 3);
	CHECK(arrives(3, RIG_WAIT_MS), "not from there, either");
}

/* Nor does the control queue see what is mapped for the others. */
TEST_OURS(ctrl_ring_not_in_its_space)
{
	struct ctrl_want want = { .ctrl_as = 1 };
	int status;

	test_ctrl_attached(&dut, &cvq, &want);
	CHECK_OK(set_space(GROUP_CTRL, 0));
	CHECK_OK(rig_enable(&dut, true));
	CHECK_OK(vq_enable(&cvq.vq, true));
	CHECK_OK(vc_add_status(&dut.c, ST_DRIVER_OK));
	status = vc_get_status(&dut.c);
	CHECK(status & ST_FAILED && !(status & ST_DRIVER_OK), "status %#x",
	      status);
}

TEST_OURS(ctrl_command_not_in_its_space)
{
	struct ctrl_want want = { .ctrl_as = 1 };
	__u64 end = vc_now_ms() + RIG_WAIT_MS;
	struct vq_seg seg[2];

	test_ctrl_up(&dut, &cvq, &want);
	check_works();
	seg[0] = (struct vq_seg){ vc_iova(&dut.c, dut.tx_buf[0]), 8 };
	seg[1] = (struct vq_seg){ vc_iova(&dut.c, cvq.in), 1 };
	memcpy(dut.tx_buf[0], "\1\1\x52\x54\0\xc\7\4", 8);
	cvq.in[0] = CTRL_NONE;
	CHECK_OK(vq_add(&cvq.vq, seg, 1, 1, &cvq));
	vq_kick(&cvq.vq);
	while (!(vc_get_status(&dut.c) & ST_NEEDS_RESET)) {
		CHECK(vc_now_ms() < end, "nobody minds");
		vc_sleep_us(1000);
	}
	CHECK(cvq.in[0] == CTRL_NONE, "it was answered: %u", cvq.in[0]);
}

/* A reset brings all groups back to space 0, and maps stay. */
TEST(ctrl_groups_after_reset)
{
	struct ctrl_want want = { .ctrl_as = 1, .data_as = 1 };

	test_ctrl_up(&dut, &cvq, &want);
	need_wire(&dut.c);
	check_works();
	check_sends();
	CHECK_OK(vc_reset(&dut.c));
	CHECK_OK(ctrl_map(&cvq, 0, 0));
	CHECK_OK(vc_negotiate(&dut.c, dut.c.features));
	vq_clear(&dut.vq[NET_RX]);
	vq_clear(&dut.vq[NET_TX]);
	vq_clear(&cvq.vq);
	CHECK_OK(rig_attach(&dut));
	CHECK_OK(ctrl_attach(&cvq, 0));
	/* And so nothing of space 1 is needed. */
	CHECK_OK(vc_iotlb(&dut.c, &(struct vhost_iotlb_msg){
		.iova = dut.c.iova, .size = VC_ARENA_SIZE,
		.type = VHOST_IOTLB_INVALIDATE }, 1));
	test_ctrl_run(&dut, &cvq);
	check_works();
	check_sends();
}

/* What QEMU does at each stop and start of a guest's shadow. */
TEST(ctrl_apart_again_and_again)
{
	struct ctrl_want want = { .ctrl_as = 1 };
	unsigned int i;

	test_ctrl_up(&dut, &cvq, &want);
	for (i = 0; i < 10; i++) {
		check_works();
		CHECK_OK(vc_reset(&dut.c));
		CHECK_OK(vc_negotiate(&dut.c, dut.c.features));
		CHECK_OK(set_space(GROUP_CTRL, 1));
		vq_clear(&cvq.vq);
		CHECK_OK(rig_attach(&dut));
		CHECK_OK(ctrl_attach(&cvq, 0));
		test_ctrl_run(&dut, &cvq);
	}
	check_works();
}

/* The memory of a ring that is served goes: whatever comes, nobody crashes. */
TEST(ctrl_unmapped_while_running)
{
	struct vhost_iotlb_msg m = {
		.size = CTRL_MEM, .type = VHOST_IOTLB_INVALIDATE,
	};
	struct ctrl_want want = { .ctrl_as = 1 };

	test_ctrl_up(&dut, &cvq, &want);
	check_works();
	m.iova = dut.c.iova + VC_ARENA_SIZE - CTRL_MEM;
	CHECK_OK(vc_iotlb(&dut.c, &m, 1));
	ctrl_set_mac(&cvq, other_mac);
	CHECK_OK(vc_reset(&dut.c));
}
