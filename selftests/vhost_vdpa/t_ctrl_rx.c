// SPDX-License-Identifier: GPL-2.0
/*
 * What was set by commands stays set when the core starts the hardware anew: seen
 * by the frames that a second device sends.
 */
#define _GNU_SOURCE
#include <endian.h>
#include <unistd.h>

#include "tests.h"

/* IEEE 802 local experimental ethertype. */
#define PROBE_TYPE	0x88b6
#define VLAN_TYPE	0x8100
#define NO_VLAN		(-1)

/* Of a frame: addresses, tag or not, type, who sent it, which one, what for. */
#define PROBE_LEN	64

enum { PROBE, LAST };

static struct rig dut, peer;
static struct ctrl cvq;
static __u8 *frame;
static __u32 seq;

static const __u8 everybody[6] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };
static const __u8 stranger[6] = { 0x52, 0x54, 0, 0xa, 0, 1 };
static const __u8 mine[6] = { 0x52, 0x54, 0, 0xa, 0, 2 };
static const __u8 station[6] = { 0x52, 0x54, 0, 0xa, 0, 3 };
static const __u8 group[6] = { 0x33, 0x33, 0, 0xa, 0, 4 };
static const __u8 other_group[6] = { 0x33, 0x33, 0, 0xa, 0, 5 };

static void up(void)
{
	CHECK_OK(rig_open(&dut, opts.dev));
	need_ctrl(&dut.c);
	need_feature(&dut.c, "ctrl_rx", VIRTIO_NET_F_CTRL_RX);
	rig_close(&dut);
	need("peer", opts.peer, "no peer (-p)");
	CHECK_OK(rig_up(&peer, opts.peer, 0));
	CHECK_OK(net_post_rx(&peer));
	frame = vc_alloc(&peer.c, NET_HDR + PROBE_LEN, VC_PAGE);
	CHECK(frame, "no memory");
	test_ctrl_up(&dut, &cvq, NULL);
	CHECK_OK(net_post_rx(&dut));
}

static __u8 *put16(__u8 *p, __u16 v)
{
	*p++ = v >> 8;
	*p++ = v;
	return p;
}

static __u8 *put32(__u8 *p, __u32 v)
{
	return put16(put16(p, v >> 16), v);
}

static void send_probe(const __u8 *dst, int vlan, __u8 kind)
{
	struct vq_seg seg = { vc_iova(&peer.c, frame), NET_HDR + PROBE_LEN };
	__u8 *p = frame + NET_HDR;
	__u32 len;

	memset(frame, 0, NET_HDR + PROBE_LEN);
	memcpy(p, dst, 6);
	memcpy(p + 6, peer.mac, 6);
	p += 12;
	if (vlan != NO_VLAN)
		p = put16(put16(p, VLAN_TYPE), vlan);
	p = put16(p, PROBE_TYPE);
	p = put32(put32(p, getpid()), seq);
	*p = kind;
	CHECK_OK(vq_add(&peer.vq[NET_TX], &seg, 1, 0, frame));
	vq_kick(&peer.vq[NET_TX]);
	CHECK(vq_wait(&peer.vq[NET_TX], RIG_WAIT_MS), "the peer does not send");
	CHECK(vq_get(&peer.vq[NET_TX], &len) == frame, "another frame");
}

/* PROBE or LAST of this round; -1 for anything else. */
static int probe_kind(const __u8 *p)
{
	__u8 want[10];

	p += 12;
	if (p[0] == VLAN_TYPE >> 8 && p[1] == 0)
		p += 4;
	put32(put32(put16(want, PROBE_TYPE), getpid()), seq);
	return memcmp(p, want, sizeof(want)) ? -1 : p[10];
}

/* The next frame; its buffer goes back. */
static int take_frame(void)
{
	struct vq *rx = &dut.vq[NET_RX];
	struct vq_seg seg = { .len = RIG_BUF };
	__u32 used;
	__u8 *buf;
	int kind;

	CHECK(vq_wait(rx, RIG_WAIT_MS), "not even a broadcast arrives");
	buf = vq_get(rx, &used);
	CHECK(buf && used <= RIG_BUF, "receive ring: %d, %u bytes", rx->error,
	      used);
	kind = used < NET_HDR + 30 ? -1 : probe_kind(buf + NET_HDR);
	memset(buf, 0, RIG_BUF);
	seg.iova = vc_iova(&dut.c, buf);
	CHECK_OK(vq_add(rx, &seg, 0, 1, buf));
	vq_kick(rx);
	return kind;
}

/* The frame, and one to everybody, which comes last. */
static bool hears_in(const __u8 *dst, int vlan)
{
	bool heard = false;
	int kind;

	seq++;
	send_probe(dst, vlan, PROBE);
	send_probe(everybody, NO_VLAN, LAST);
	do {
		kind = take_frame();
		heard |= kind == PROBE;
	} while (kind != LAST);
	return heard;
}

static bool hears(const __u8 *dst)
{
	return hears_in(dst, NO_VLAN);
}

static void command(__u8 class, __u8 cmd, const void *data, __u32 len)
{
	CHECK_IS(ctrl_command(&cvq, class, cmd, data, len), CTRL_OK);
}

static void promiscuous(__u8 on)
{
	command(VIRTIO_NET_CTRL_RX, VIRTIO_NET_CTRL_RX_PROMISC, &on, 1);
}

static void vlan(__u8 cmd, __u8 id)
{
	command(VIRTIO_NET_CTRL_VLAN, cmd, (__u8[]){ id, 0 }, 2);
}

/* One station, one group. */
static void set_table(void)
{
	__u8 table[4 + 6 + 4 + 6] = { 1 };

	memcpy(table + 4, station, 6);
	table[10] = 1;
	memcpy(table + 14, group, 6);
	command(VIRTIO_NET_CTRL_MAC, VIRTIO_NET_CTRL_MAC_TABLE_SET, table,
		sizeof(table));
}

/* The core stops the hardware, resets it and starts it again. */
static void again(void)
{
	need_resume(&dut.c);
	CHECK_OK(vc_suspend(&dut.c));
	CHECK_OK(vc_resume(&dut.c));
	vq_kick(&dut.vq[NET_RX]);
}

TEST_OURS(ctrl_rx_promiscuous)
{
	up();
	CHECK(hears(stranger), "not promiscuous at the start");
	promiscuous(0);
	CHECK(!hears(stranger), "still promiscuous");
	CHECK(hears(dut.mac), "deaf to its own address");
	promiscuous(1);
	CHECK(hears(stranger), "not promiscuous again");
}

TEST_OURS(ctrl_rx_promiscuous_kept)
{
	unsigned int i;

	up();
	for (i = 0; i < 4; i++) {
		promiscuous(i & 1);
		again();
		CHECK(hears(stranger) == (i & 1), "round %u", i);
		CHECK(hears(dut.mac), "round %u: deaf", i);
	}
}

TEST_OURS(ctrl_rx_mac_kept)
{
	unsigned int i;

	up();
	promiscuous(0);
	CHECK_IS(ctrl_set_mac(&cvq, mine), CTRL_OK);
	for (i = 0; i < 3; i++) {
		CHECK(hears(mine), "round %u: deaf", i);
		CHECK(!hears(stranger), "round %u: promiscuous", i);
		CHECK(!hears(dut.mac), "round %u: the old address", i);
		again();
	}
}

TEST_OURS(ctrl_rx_table_kept)
{
	unsigned int i;

	up();
	promiscuous(0);
	set_table();
	for (i = 0; i < 3; i++) {
		CHECK(hears(station), "round %u: not the station", i);
		CHECK(hears(group), "round %u: not the group", i);
		CHECK(!hears(stranger), "round %u: the stranger", i);
		CHECK(!hears(other_group), "round %u: the other group", i);
		again();
	}
}

TEST_OURS(ctrl_rx_modes_kept)
{
	unsigned int i;

	up();
	promiscuous(0);
	command(VIRTIO_NET_CTRL_RX, VIRTIO_NET_CTRL_RX_ALLMULTI, "\1", 1);
	for (i = 0; i < 3; i++) {
		CHECK(hears(other_group), "round %u: not all groups", i);
		CHECK(!hears(stranger), "round %u: the stranger", i);
		again();
	}
	command(VIRTIO_NET_CTRL_RX, VIRTIO_NET_CTRL_RX_ALLMULTI, "\0", 1);
	again();
	CHECK(!hears(other_group), "still all groups");
}

TEST_OURS(ctrl_rx_vlans_kept)
{
	unsigned int i;

	up();
	need_feature(&dut.c, "ctrl_vlan", VIRTIO_NET_F_CTRL_VLAN);
	promiscuous(0);
	CHECK(!hears_in(dut.mac, 5), "VLAN 5 was not asked for");
	vlan(VIRTIO_NET_CTRL_VLAN_ADD, 5);
	vlan(VIRTIO_NET_CTRL_VLAN_ADD, 6);
	vlan(VIRTIO_NET_CTRL_VLAN_ADD, 7);
	vlan(VIRTIO_NET_CTRL_VLAN_DEL, 6);
	for (i = 0; i < 3; i++) {
		CHECK(hears_in(dut.mac, 5), "round %u: not VLAN 5", i);
		CHECK(!hears_in(dut.mac, 6), "round %u: VLAN 6", i);
		CHECK(hears_in(dut.mac, 7), "round %u: not VLAN 7", i);
		again();
	}
}

/* A command that was refused changed nothing, now or later. */
TEST_OURS(ctrl_rx_refused_not_kept)
{
	up();
	promiscuous(0);
	CHECK_IS(ctrl_send(&cvq, "\0\0\1\1", 4), CTRL_ERR);
	CHECK_IS(ctrl_send(&cvq, "\1\1\x52\x54\0\xa\0", 7), CTRL_ERR);
	CHECK(!hears(stranger), "promiscuous at once");
	again();
	CHECK(!hears(stranger), "promiscuous later");
	CHECK(hears(dut.mac), "deaf");
}

/* A new driver finds a new device. */
TEST_OURS(ctrl_rx_forgotten_by_reset)
{
	up();
	promiscuous(0);
	CHECK_IS(ctrl_set_mac(&cvq, mine), CTRL_OK);
	CHECK(!hears(stranger), "still promiscuous");
	CHECK_OK(vc_reset(&dut.c));
	CHECK_OK(vc_negotiate(&dut.c, dut.c.features));
	vq_clear(&dut.vq[NET_RX]);
	vq_clear(&dut.vq[NET_TX]);
	vq_clear(&cvq.vq);
	CHECK_OK(rig_attach(&dut));
	CHECK_OK(ctrl_attach(&cvq, 0));
	test_ctrl_run(&dut, &cvq);
	CHECK_OK(net_post_rx(&dut));
	CHECK(hears(stranger), "a reset leaves filters");
	promiscuous(0);
	again();
	CHECK(hears(dut.mac), "deaf to its own address");
	CHECK(!hears(mine), "the old driver's address");
}
