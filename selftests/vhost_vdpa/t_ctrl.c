// SPDX-License-Identifier: GPL-2.0
/*
 * The control queue of a net device: commands and their answers. Classes,
 * commands and lengths are those of virtio 1.3, 5.1.6.5.
 */
#define _GNU_SOURCE
#include <sys/eventfd.h>

#include "tests.h"

/* How long nothing is to happen. */
#define STILL_MS	200

static struct rig dut;
static struct ctrl cvq;

/* Locally administered, and so nobody's. */
static const __u8 other_mac[6] = { 0x52, 0x54, 0, 0xc, 0x7, 1 };

static void up(void)
{
	test_ctrl_up(&dut, &cvq, NULL);
}

static void check_works(void)
{
	CHECK_IS(ctrl_set_mac(&cvq, other_mac), CTRL_OK);
	CHECK(cvq.written == 1, "%u bytes", cvq.written);
}

/* A config read shows what was set (5.1.6.5.2). */
TEST(ctrl_mac_set)
{
	__u8 mac[6];

	up();
	check_works();
	CHECK_OK(vc_get_config(&dut.c, 0, mac, 6));
	CHECK(!memcmp(mac, other_mac, 6), "the configuration has another one");
}

TEST(ctrl_mac_is_forgotten_by_reset)
{
	__u8 mac[6];

	if (opts.oracle)
		SKIP("vdpa_sim keeps it");
	up();
	check_works();
	CHECK_OK(vc_reset(&dut.c));
	CHECK_OK(vc_get_config(&dut.c, 0, mac, 6));
	CHECK(!memcmp(mac, dut.mac, 6), "the address survived");
}

TEST(ctrl_unknown_class)
{
	up();
	CHECK_IS(ctrl_command(&cvq, 0x7f, 0, other_mac, 6), CTRL_ERR);
	CHECK(cvq.written == 1, "%u bytes", cvq.written);
	check_works();
}

/* A device must not care how a command is cut up (2.7.4). */
TEST(ctrl_in_pieces)
{
	__u8 cmd[8] = { 1, 1, 0x52, 0x54, 0, 0xc, 0x7, 9 };
	unsigned int n;
	__u8 mac[6];

	up();
	for (n = 1; n <= sizeof(cmd); n++) {
		cmd[7] = n;
		CHECK_OK(ctrl_submit(&cvq, cmd, sizeof(cmd), 1, n));
		CHECK_IS(ctrl_wait(&cvq, RIG_WAIT_MS), CTRL_OK);
		CHECK_OK(vc_get_config(&dut.c, 0, mac, 6));
		CHECK(mac[5] == n, "in %u pieces: %#x", n, mac[5]);
	}
}

TEST(ctrl_calls)
{
	unsigned int i;

	up();
	for (i = 0; i < 10; i++) {
		check_works();
		CHECK(vq_called(&cvq.vq, RIG_WAIT_MS), "no call for %u", i);
	}
}

/* More room than the answer needs stays as it was. */
TEST_OURS(ctrl_answer_is_one_byte)
{
	static const __u8 cmd[8] = { 1, 1, 0x52, 0x54, 0, 0xc, 0x7, 3 };

	up();
	CHECK_OK(ctrl_submit(&cvq, cmd, sizeof(cmd), CTRL_IN, 1));
	CHECK_IS(ctrl_wait(&cvq, RIG_WAIT_MS), CTRL_OK);
	CHECK(cvq.written == 1, "%u bytes", cvq.written);
	CHECK(cvq.in[1] == CTRL_NONE, "%#x behind it", cvq.in[1]);
}

/* Hardware's own control queue may have 64 entries; DPDK asks for 256. */
TEST_OURS(ctrl_ring_as_large_as_any)
{
	struct ctrl_want want = { 0 };
	__u32 base, i;

	CHECK_OK(rig_open(&dut, opts.dev));
	need_ctrl(&dut.c);
	want.num = dut.c.vring_max < VQ_MAX_NUM ? dut.c.vring_max : VQ_MAX_NUM;
	rig_close(&dut);
	CHECK(want.num >= 256, "at most %u entries", want.num);
	test_ctrl_up(&dut, &cvq, &want);
	for (i = 0; i < 300; i++)
		check_works();
	CHECK_OK(vc_vring_get(&dut.c, VHOST_GET_VRING_BASE, cvq.vq.idx, &base));
	CHECK(base == 300, "base %u after 300 commands", base);
}

/* Many at once, each answered, in the order of the ring. */
TEST_OURS(ctrl_many_at_once)
{
	struct ctrl_want want = { .num = 256 };
	struct vq_seg seg[2];
	unsigned int i;
	__u32 len;

	test_ctrl_up(&dut, &cvq, &want);
	memcpy(cvq.out, "\1\1\x52\x54\0\xc\7\4", 8);
	seg[0] = (struct vq_seg){ vc_iova(&dut.c, cvq.out), 8 };
	for (i = 0; i < CTRL_IN; i++) {
		cvq.in[i] = CTRL_NONE;
		seg[1] = (struct vq_seg){ vc_iova(&dut.c, cvq.in + i), 1 };
		CHECK_OK(vq_add(&cvq.vq, seg, 1, 1, cvq.in + i));
	}
	vq_kick(&cvq.vq);
	for (i = 0; i < CTRL_IN; i++) {
		CHECK(vq_wait(&cvq.vq, RIG_WAIT_MS), "no answer to %u", i);
		CHECK(vq_get(&cvq.vq, &len) == cvq.in + i, "another than %u", i);
		CHECK(cvq.in[i] == CTRL_OK, "%u: %u", i, cvq.in[i]);
	}
}

struct bad_command {
	const char *what;
	__u8 len;
	__u8 data[20];
};

/* Class 0 is RX modes, 1 MAC, 2 VLAN, 3 ANNOUNCE, 4 MQ, 5 offloads, 6 coalescing. */
static const struct bad_command bad_commands[] = {
	{ "a class alone", 1, { 1 } },
	{ "no address", 2, { 1, 1 } },
	{ "five bytes of one", 7, { 1, 1, 2, 0, 0, 0, 0 } },
	{ "seven bytes of one", 9, { 1, 1, 2, 0, 0, 0, 0, 0, 0 } },
	{ "a MAC command that is none", 8, { 1, 2, 2, 0, 0, 0, 0, 1 } },
	{ "promiscuous, or what", 2, { 0, 0 } },
	{ "promiscuous, twice", 4, { 0, 0, 1, 1 } },
	{ "an RX mode that is none", 3, { 0, 6, 1 } },
	{ "a table without numbers", 2, { 1, 0 } },
	{ "a table of one list", 6, { 1, 0, 0, 0, 0, 0 } },
	{ "one address too few", 10, { 1, 0, 1, 0, 0, 0, 0, 0, 0, 0 } },
	{ "a count that overflows", 16, { 1, 0, 0xab, 0xaa, 0xaa, 0x2a, 2, 0,
					  0, 0, 0, 1, 0, 0, 0, 0 } },
	{ "bytes behind the table", 11, { 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 } },
	{ "VLAN 4096", 4, { 2, 0, 0, 0x10 } },
	{ "half a VLAN", 3, { 2, 0, 5 } },
	{ "an announcement nobody negotiated", 2, { 3, 0 } },
	{ "queue pairs nobody negotiated", 4, { 4, 0, 1, 0 } },
	{ "offloads nobody negotiated", 10, { 5, 0, 0, 0, 0, 0, 0, 0, 0, 0 } },
	{ "coalescing nobody negotiated", 10, { 6, 0, 0, 0, 0, 0, 0, 0, 0, 0 } },
};

TEST_OURS(ctrl_malformed)
{
	unsigned int i;

	up();
	for (i = 0; i < ARRAY_SIZE(bad_commands); i++) {
		const struct bad_command *bad = &bad_commands[i];
		int ret = ctrl_send(&cvq, bad->data, bad->len);

		CHECK(ret == CTRL_ERR, "%s: %d", bad->what, ret);
		check_works();
	}
}

/* Longer than any command: refused, whatever is in it. */
TEST_OURS(ctrl_too_long)
{
	up();
	memset(cvq.out, 0, CTRL_OUT);
	cvq.out[0] = 1;
	CHECK_IS(ctrl_send(&cvq, cvq.out, CTRL_OUT), CTRL_ERR);
	check_works();
}

TEST_OURS(ctrl_nothing_to_read)
{
	up();
	CHECK_OK(ctrl_submit(&cvq, NULL, 0, 1, 1));
	CHECK_IS(ctrl_wait(&cvq, RIG_WAIT_MS), CTRL_ERR);
	check_works();
}

/* It is given back, and not carried out: nobody could be told how it went. */
TEST_OURS(ctrl_no_room_for_an_answer)
{
	static const __u8 cmd[8] = { 1, 1, 0x52, 0x54, 0, 0xc, 0x7, 5 };
	__u8 mac[6];

	up();
	CHECK_OK(ctrl_submit(&cvq, cmd, sizeof(cmd), 0, 1));
	CHECK_IS(ctrl_wait(&cvq, RIG_WAIT_MS), CTRL_NONE);
	CHECK(cvq.written == 0, "%u bytes", cvq.written);
	CHECK_OK(vc_get_config(&dut.c, 0, mac, 6));
	CHECK(!memcmp(mac, dut.mac, 6), "it was carried out");
	check_works();
}

/* The ring breaks, the device says so, and reset is enough. */
static void check_breaks(void)
{
	__u64 end = vc_now_ms() + RIG_WAIT_MS;

	vq_kick(&cvq.vq);
	while (!(vc_get_status(&dut.c) & ST_NEEDS_RESET)) {
		CHECK(vc_now_ms() < end, "nobody minds");
		vc_sleep_us(1000);
	}
	CHECK_OK(vc_reset(&dut.c));
	CHECK_OK(vc_negotiate(&dut.c, dut.c.features));
	vq_clear(&cvq.vq);
	CHECK_OK(rig_attach(&dut));
	CHECK_OK(ctrl_attach(&cvq, 0));
	test_ctrl_run(&dut, &cvq);
	check_works();
}

TEST_OURS(ctrl_broken_index)
{
	struct vring_avail *avail;

	up();
	check_works();
	avail = cvq.vq.driver;
	avail->idx += cvq.vq.num + 1;
	check_breaks();
}

TEST_OURS(ctrl_broken_chain)
{
	struct vring_avail *avail;
	struct vring_desc *desc;

	up();
	avail = cvq.vq.driver;
	desc = cvq.vq.desc;
	desc[3].flags = VRING_DESC_F_NEXT;
	desc[3].next = 3;
	avail->ring[0] = 3;
	avail->idx = 1;
	check_breaks();
}

static void offer_at(__u64 out, __u64 in)
{
	struct vq_seg seg[2] = { { out, 8 }, { in, 1 } };

	CHECK_OK(vq_add(&cvq.vq, seg, 1, 1, &cvq));
}

TEST_OURS(ctrl_broken_command_outside)
{
	up();
	offer_at(vc_iova(&dut.c, dut.c.mem) + VC_ARENA_SIZE - 4,
		 vc_iova(&dut.c, cvq.in));
	check_breaks();
}

TEST_OURS(ctrl_broken_answer_outside)
{
	up();
	memcpy(cvq.out, "\1\1\x52\x54\0\xc\7\4", 8);
	offer_at(vc_iova(&dut.c, cvq.out),
		 vc_iova(&dut.c, dut.c.mem) + VC_ARENA_SIZE);
	check_breaks();
}

/* The other queues do not mind what is answered with an error. */
TEST_OURS(ctrl_malformed_leaves_data_alone)
{
	static const __u8 nobody[6] = { 2, 0, 0, 0, 0, 1 };
	__u32 i;

	up();
	need_wire(&dut.c);
	for (i = 0; i < 8; i++) {
		CHECK_IS(ctrl_send(&cvq, "\1\1", 2), CTRL_ERR);
		CHECK_OK(net_send(&dut, nobody, i, NET_MIN_FRAME));
		vq_kick(&dut.vq[NET_TX]);
		CHECK_OK(net_drain_tx(&dut, RIG_WAIT_MS));
	}
}

/* Offered and kicked before anybody was there. */
TEST_OURS(ctrl_offered_before_driver_ok)
{
	static const __u8 cmd[8] = { 1, 1, 0x52, 0x54, 0, 0xc, 0x7, 6 };

	test_ctrl_attached(&dut, &cvq, NULL);
	CHECK_OK(ctrl_submit(&cvq, cmd, sizeof(cmd), 1, 1));
	CHECK_ERR(ctrl_wait(&cvq, STILL_MS), -ETIMEDOUT);
	test_ctrl_run(&dut, &cvq);
	CHECK_IS(ctrl_wait(&cvq, RIG_WAIT_MS), CTRL_OK);
}

/* QEMU enables it after DRIVER_OK, before all others, to restore a guest's state. */
TEST(ctrl_enabled_late)
{
	test_ctrl_attached(&dut, &cvq, NULL);
	CHECK_OK(rig_driver_ok(&dut));
	CHECK_OK(vq_enable(&cvq.vq, true));
	check_works();
	CHECK_OK(rig_enable(&dut, true));
	check_works();
}

TEST_OURS(ctrl_enabled_late_with_commands)
{
	static const __u8 cmd[8] = { 1, 1, 0x52, 0x54, 0, 0xc, 0x7, 7 };

	test_ctrl_attached(&dut, &cvq, NULL);
	CHECK_OK(rig_enable(&dut, true));
	CHECK_OK(rig_driver_ok(&dut));
	CHECK_OK(ctrl_submit(&cvq, cmd, sizeof(cmd), 1, 1));
	CHECK_ERR(ctrl_wait(&cvq, STILL_MS), -ETIMEDOUT);
	CHECK_OK(vq_enable(&cvq.vq, true));
	CHECK_IS(ctrl_wait(&cvq, RIG_WAIT_MS), CTRL_OK);
}

TEST_OURS(ctrl_disabled_waits)
{
	static const __u8 cmd[8] = { 1, 1, 0x52, 0x54, 0, 0xc, 0x7, 8 };
	unsigned int i;

	up();
	for (i = 0; i < 5; i++) {
		check_works();
		CHECK_OK(vq_enable(&cvq.vq, false));
		CHECK_OK(ctrl_submit(&cvq, cmd, sizeof(cmd), 1, 1));
		CHECK_ERR(ctrl_wait(&cvq, STILL_MS), -ETIMEDOUT);
		CHECK_OK(vq_enable(&cvq.vq, true));
		CHECK_IS(ctrl_wait(&cvq, RIG_WAIT_MS), CTRL_OK);
	}
}

/* Some clients set up the queue and do not take the feature: it is none then. */
TEST_OURS(ctrl_not_negotiated)
{
	static const __u8 cmd[8] = { 1, 1, 0x52, 0x54, 0, 0xc, 0x7, 9 };

	CHECK_OK(rig_open(&dut, opts.dev));
	need_ctrl(&dut.c);
	CHECK_OK(rig_negotiate(&dut, 0));
	CHECK_OK(rig_memory(&dut));
	CHECK_OK(rig_rings(&dut));
	CHECK_OK(ctrl_init(&cvq, &dut, 16));
	CHECK_OK(rig_attach(&dut));
	CHECK_OK(ctrl_attach(&cvq, 0));
	test_ctrl_run(&dut, &cvq);
	CHECK_OK(ctrl_submit(&cvq, cmd, sizeof(cmd), 1, 1));
	CHECK_ERR(ctrl_wait(&cvq, STILL_MS), -ETIMEDOUT);
	CHECK_IS(vc_get_status(&dut.c), ST_NEGOTIATED | ST_DRIVER_OK);
}

static __u32 ctrl_base(void)
{
	__u32 base;

	CHECK_OK(vc_vring_get(&dut.c, VHOST_GET_VRING_BASE, cvq.vq.idx, &base));
	return base;
}

TEST(ctrl_base_counts)
{
	unsigned int i;

	up();
	for (i = 0; i < 20; i++) {
		CHECK(ctrl_base() == i, "base %u after %u", ctrl_base(), i);
		check_works();
	}
	if (!(dut.c.backend & BIT64(VHOST_BACKEND_F_SUSPEND)))
		return;
	CHECK_OK(vc_suspend(&dut.c));
	CHECK(ctrl_base() == 20, "base %u after 20", ctrl_base());
}

TEST(ctrl_waits_while_suspended)
{
	static const __u8 cmd[8] = { 1, 1, 0x52, 0x54, 0, 0xc, 0x7, 10 };
	unsigned int i;

	up();
	need_resume(&dut.c);
	for (i = 0; i < 5; i++) {
		check_works();
		CHECK_OK(vc_suspend(&dut.c));
		CHECK_OK(ctrl_submit(&cvq, cmd, sizeof(cmd), 1, 1));
		CHECK_ERR(ctrl_wait(&cvq, STILL_MS), -ETIMEDOUT);
		CHECK_OK(vc_resume(&dut.c));
		CHECK_IS(ctrl_wait(&cvq, RIG_WAIT_MS), CTRL_OK);
	}
}

/* To another device, as it were: reset, and on from where the ring was. */
TEST(ctrl_goes_on_after_reset)
{
	unsigned int i;
	__u32 base;

	up();
	need_suspend(&dut.c);
	for (i = 0; i < 5; i++)
		check_works();
	CHECK_OK(vc_suspend(&dut.c));
	base = ctrl_base();
	CHECK(base == 5, "base %u", base);
	CHECK_OK(vc_reset(&dut.c));
	CHECK_OK(vc_negotiate(&dut.c, dut.c.features));
	CHECK_OK(rig_attach(&dut));
	CHECK_OK(ctrl_attach(&cvq, base));
	test_ctrl_run(&dut, &cvq);
	check_works();
	CHECK(ctrl_base() == 6, "base %u", ctrl_base());
}

/* Nobody would hear it. */
TEST_OURS(ctrl_has_no_doorbell)
{
	CHECK_OK(rig_open(&dut, opts.dev));
	need_ctrl(&dut.c);
	if (!vc_doorbell(&dut.c, 0))
		need("doorbell", false, "no doorbell page");
	CHECK(!vc_doorbell(&dut.c, dut.c.nvqs - 1), "it can be mapped");
}

TEST_OURS(ctrl_packed)
{
	struct ctrl_want want = { .extra = BIT64(VIRTIO_F_RING_PACKED) };
	unsigned int i;

	CHECK_OK(rig_open(&dut, opts.dev));
	need_ctrl(&dut.c);
	need_feature(&dut.c, "packed", VIRTIO_F_RING_PACKED);
	rig_close(&dut);
	test_ctrl_up(&dut, &cvq, &want);
	for (i = 0; i < 100; i++) {
		check_works();
		CHECK_IS(ctrl_send(&cvq, "\1\1", 2), CTRL_ERR);
	}
}

/* A driver that has mapped the page of queue 2 and rings it is heard all the same. */
TEST_OURS(ctrl_doorbell_of_queue_2)
{
	static const __u8 cmd[8] = { 1, 1, 0x52, 0x54, 0, 0xc, 0x7, 11 };
	void *bell;

	CHECK_OK(rig_open(&dut, opts.dev));
	need_ctrl(&dut.c);
	need_feature(&dut.c, "mq", VIRTIO_NET_F_MQ);
	rig_close(&dut);
	up();
	bell = vc_doorbell(&dut.c, 2);
	need("doorbell", bell, "no doorbell page");
	vc_ring(bell, 2);
	close(cvq.vq.kick);
	cvq.vq.kick = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	CHECK_OK(ctrl_submit(&cvq, cmd, sizeof(cmd), 1, 1));
	vc_ring(bell, 2);
	CHECK_IS(ctrl_wait(&cvq, RIG_WAIT_MS), CTRL_OK);
}

/* 5.1.6.5.5: from 1 to max_virtqueue_pairs. */
TEST_OURS(ctrl_queue_pairs)
{
	struct ctrl_want want = { .extra = BIT64(VIRTIO_NET_F_MQ) };
	static const __u8 pairs[][2] = {
		{ 1, 0 }, { 2, 0 }, { 1, 0 }, { 0, 0 }, { 3, 0 }, { 0xff, 0xff },
	};
	unsigned int i;

	CHECK_OK(rig_open(&dut, opts.dev));
	need_ctrl(&dut.c);
	need_feature(&dut.c, "mq", VIRTIO_NET_F_MQ);
	CHECK(dut.c.nvqs == 5, "%u queues", dut.c.nvqs);
	rig_close(&dut);
	test_ctrl_up(&dut, &cvq, &want);
	for (i = 0; i < ARRAY_SIZE(pairs); i++)
		CHECK_IS(ctrl_command(&cvq, 4, 0, pairs[i], 2),
			 i < 3 ? CTRL_OK : CTRL_ERR);
}
