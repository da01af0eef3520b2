// SPDX-License-Identifier: GPL-2.0
/* Per-queue ioctls: sizes, addresses, states, groups, eventfds, enabling. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sys/eventfd.h>

#include "tests.h"

/* Sets a ring size and tries to run; true when DRIVER_OK was taken. */
static bool runs_with_num(struct rig *r, unsigned int idx, __u32 num)
{
	int ret;

	CHECK_OK(vc_reset(&r->c));
	climb(r, RUNG_ATTACHED);
	ret = vc_vring(&r->c, VHOST_SET_VRING_NUM, idx, num);
	if (ret == -EINVAL) {
		tap_note("this kernel bounds SET_VRING_NUM by itself");
		return false;
	}
	CHECK_OK(ret);
	CHECK_OK(rig_enable(r, true));
	return rig_driver_ok(r) == 0;
}

TEST(vring_num_not_a_size)
{
	static const __u32 nums[] = { 0, 3, 100, 255, 0x10000, 0x80000000 };
	struct vdpa_client c;
	unsigned int i;

	test_owned(&c);
	CHECK_OK(vc_negotiate(&c, rig_features(&c)));
	for (i = 0; i < ARRAY_SIZE(nums); i++) {
		int r = vc_vring(&c, VHOST_SET_VRING_NUM, 0, nums[i]);

		CHECK(r == -EINVAL, "size %u gave %d", nums[i], r);
	}
}

TEST(vring_num_good)
{
	struct vdpa_client c;
	__u32 num;

	test_owned(&c);
	CHECK_OK(vc_negotiate(&c, rig_features(&c)));
	for (num = 2; num <= rig_vq_max(&c, 0); num *= 2)
		CHECK_OK(vc_vring(&c, VHOST_SET_VRING_NUM, 0, num));
}

/* 6.12 has no upper bound of its own, and the op returns nothing. */
TEST_OURS(vring_num_above_max)
{
	struct rig r;

	CHECK_OK(rig_open(&r, opts.dev));
	need("vring_num_bound", r.c.vring_max < 0x8000, "no larger size");
	CHECK(!runs_with_num(&r, 0, r.c.vring_max * 2), "runs with %u",
	      r.c.vring_max * 2);
	CHECK(runs_with_num(&r, 0, 64), "does not recover");
}

TEST(vring_size_sane)
{
	struct vdpa_client c;
	__u32 i, num = 0;

	test_owned(&c);
	need("vring_size", !vc_vring_get(&c, VHOST_VDPA_GET_VRING_SIZE, 0, &num),
	     "no GET_VRING_SIZE");
	for (i = 0; i < c.nvqs; i++) {
		CHECK_OK(vc_vring_get(&c, VHOST_VDPA_GET_VRING_SIZE, i, &num));
		CHECK(num && !(num & (num - 1)), "queue %u: size %u", i, num);
	}
}

/* vp_vdpa offers queues that are larger than its own largest size. */
TEST_OURS(vring_size_within_max)
{
	struct vdpa_client c;
	__u32 i, num;

	test_owned(&c);
	for (i = 0; i < c.nvqs; i++) {
		CHECK_OK(vc_vring_get(&c, VHOST_VDPA_GET_VRING_SIZE, i, &num));
		CHECK(num <= c.vring_max, "queue %u: size %u of %u", i, num,
		      c.vring_max);
	}
}

TEST_OURS(vring_size_known)
{
	struct vdpa_client c;
	__u32 num;

	test_owned(&c);
	CHECK_OK(vc_vring_get(&c, VHOST_VDPA_GET_VRING_SIZE, 0, &num));
}

/* It is a maximum: the size in use does not show in it. */
TEST_OURS(vring_size_constant)
{
	__u32 before, after;
	struct vdpa_client c;

	test_owned(&c);
	CHECK_OK(vc_negotiate(&c, rig_features(&c)));
	CHECK_OK(vc_vring_get(&c, VHOST_VDPA_GET_VRING_SIZE, 0, &before));
	CHECK_OK(vc_vring(&c, VHOST_SET_VRING_NUM, 0, 8));
	CHECK_OK(vc_vring_get(&c, VHOST_VDPA_GET_VRING_SIZE, 0, &after));
	CHECK(before == after, "%u became %u", before, after);
}

static void check_index(struct vdpa_client *c, __u32 idx)
{
	__u32 num;

	CHECK_ERR(vc_vring(c, VHOST_SET_VRING_NUM, idx, 64), -ENOBUFS);
	CHECK_ERR(vc_vring(c, VHOST_SET_VRING_BASE, idx, 0), -ENOBUFS);
	CHECK_ERR(vc_vring(c, VHOST_VDPA_SET_VRING_ENABLE, idx, 1), -ENOBUFS);
	CHECK_ERR(vc_vring(c, VHOST_VDPA_SET_GROUP_ASID, idx, 0), -ENOBUFS);
	CHECK_ERR(vc_vring_addr(c, idx, 0, 0, 0), -ENOBUFS);
	CHECK_ERR(vc_vring_file(c, VHOST_SET_VRING_KICK, idx, -1), -ENOBUFS);
	CHECK_ERR(vc_vring_file(c, VHOST_SET_VRING_CALL, idx, -1), -ENOBUFS);
	CHECK_ERR(vc_vring_get(c, VHOST_GET_VRING_BASE, idx, &num), -ENOBUFS);
	CHECK_ERR(vc_vring_get(c, VHOST_VDPA_GET_VRING_GROUP, idx, &num),
		  -ENOBUFS);
}

TEST(vring_index_out_of_range)
{
	struct vdpa_client c;

	test_owned(&c);
	check_index(&c, c.nvqs);
	check_index(&c, c.nvqs + 1);
	check_index(&c, 0x10000);
	check_index(&c, UINT32_MAX);
}

/* Alignment is vhost's own check for two of the three parts. */
TEST(vring_addr_misaligned)
{
	struct vdpa_client c;

	test_owned(&c);
	CHECK_ERR(vc_vring_addr(&c, 0, 0x1000, 0x2001, 0x3000), -EINVAL);
	CHECK_ERR(vc_vring_addr(&c, 0, 0x1000, 0x2000, 0x3002), -EINVAL);
	CHECK_OK(vc_vring_addr(&c, 0, 0x1000, 0x2000, 0x3000));
}

TEST(vring_addr_unknown_flags)
{
	struct vhost_vring_addr a = { .flags = 0x80 };
	struct vdpa_client c;

	test_owned(&c);
	CHECK_ERR(vc_ioctl(&c, VHOST_SET_VRING_ADDR, &a), -EOPNOTSUPP);
}

/* A misaligned descriptor table is refused at once or at DRIVER_OK. */
TEST_OURS(vring_addr_desc_misaligned)
{
	struct rig r;
	struct vq *vq = &r.vq[0];

	test_attached(&r);
	if (vc_vring_addr(&r.c, 0, vc_iova(&r.c, vq->desc) + 4,
			  vc_iova(&r.c, vq->driver), vc_iova(&r.c, vq->device)))
		return;
	CHECK_OK(rig_enable(&r, true));
	CHECK(rig_driver_ok(&r), "runs on a misaligned table");
}

TEST(vring_addr_and_base_frozen_while_running)
{
	struct rig r;

	test_up(&r);
	CHECK_ERR(vc_vring_addr(&r.c, 0, 0x1000, 0x2000, 0x3000), -EINVAL);
	CHECK_ERR(vc_vring(&r.c, VHOST_SET_VRING_BASE, 0, 0), -EINVAL);
}

TEST(vring_base_too_large_for_split)
{
	struct rig r;

	test_negotiated(&r);
	CHECK_ERR(vc_vring(&r.c, VHOST_SET_VRING_BASE, 0, 0x10000), -EINVAL);
}

TEST(vring_base_fresh_is_zero)
{
	__u32 base = 1;
	struct rig r;
	int ret;

	test_negotiated(&r);
	CHECK_OK(vc_vring(&r.c, VHOST_SET_VRING_BASE, 0, 0));
	ret = vc_vring_get(&r.c, VHOST_GET_VRING_BASE, 0, &base);
	need("state", ret != -EOPNOTSUPP, "ring state cannot be read");
	CHECK_OK(ret);
	CHECK(base == 0, "base %u", base);
}

/*
 * What is set can be read before the ring runs. vp_vdpa has no state at all,
 * vduse asks its daemon, which has not heard of it yet.
 */
TEST_OURS(vring_base_round_trip)
{
	static const __u32 bases[] = { 1, 255, 256, 0x7fff, 0xffff, 0 };
	__u32 base;
	unsigned int i;
	struct rig r;

	test_negotiated(&r);
	for (i = 0; i < ARRAY_SIZE(bases); i++) {
		int ret = vc_vring(&r.c, VHOST_SET_VRING_BASE, 0, bases[i]);

		need("state", !ret, "device starts only fresh rings");
		CHECK_OK(vc_vring_get(&r.c, VHOST_GET_VRING_BASE, 0, &base));
		CHECK(base == bases[i], "%u became %u", bases[i], base);
	}
}

TEST_OURS(vring_base_round_trip_packed)
{
	static const __u32 bases[] = {
		VQ_BASE_PACKED, 0x00000000, 0x80058005, 0x00050005, 0x80000005,
	};
	__u32 base;
	unsigned int i;
	struct rig r;

	CHECK_OK(rig_open(&r, opts.dev));
	need("packed", r.c.offered & BIT64(VIRTIO_F_RING_PACKED),
	     "no packed ring");
	CHECK_OK(rig_negotiate(&r, BIT64(VIRTIO_F_RING_PACKED)));
	for (i = 0; i < ARRAY_SIZE(bases); i++) {
		int ret = vc_vring(&r.c, VHOST_SET_VRING_BASE, 0, bases[i]);

		need("state", !ret, "device starts only fresh rings");
		CHECK_OK(vc_vring_get(&r.c, VHOST_GET_VRING_BASE, 0, &base));
		CHECK(base == bases[i], "%#x became %#x", bases[i], base);
	}
}

/* A state set before a reset must not outlive it. */
TEST(vring_base_forgotten_by_reset)
{
	__u32 base;
	struct rig r;

	test_negotiated(&r);
	need("state", !vc_vring(&r.c, VHOST_SET_VRING_BASE, 0, 77),
	     "device starts only fresh rings");
	CHECK_OK(vc_reset(&r.c));
	CHECK_OK(vc_negotiate(&r.c, rig_features(&r.c)));
	CHECK_OK(vc_vring_get(&r.c, VHOST_GET_VRING_BASE, 0, &base));
	CHECK(base == 0, "base %u after reset", base);
}

TEST(vring_group_in_range)
{
	struct vdpa_client c;
	__u32 i, group;

	test_owned(&c);
	CHECK(c.ngroups && c.nas, "%u groups, %u address spaces", c.ngroups,
	      c.nas);
	for (i = 0; i < c.nvqs; i++) {
		int r = vc_vring_get(&c, VHOST_VDPA_GET_VRING_GROUP, i, &group);

		if (r == -EOPNOTSUPP)
			SKIP("no GET_VRING_GROUP");
		CHECK_OK(r);
		CHECK(group < c.ngroups, "queue %u in group %u", i, group);
	}
}

TEST(vring_desc_group_matches_backend)
{
	struct vdpa_client c;
	__u32 group;
	int r;

	test_owned(&c);
	r = vc_vring_get(&c, VHOST_VDPA_GET_VRING_DESC_GROUP, 0, &group);
	if (c.backend & BIT64(VHOST_BACKEND_F_DESC_ASID))
		CHECK_OK(r);
	else
		CHECK_ERR(r, -EOPNOTSUPP);
}

TEST(group_asid_out_of_range)
{
	struct vdpa_client c;

	test_owned(&c);
	CHECK_ERR(vc_vring(&c, VHOST_VDPA_SET_GROUP_ASID, 0, c.nas), -EINVAL);
	CHECK_ERR(vc_vring(&c, VHOST_VDPA_SET_GROUP_ASID, 0, UINT32_MAX),
		  -EINVAL);
}

TEST_OURS(group_asid_same)
{
	struct rig r;

	test_attached(&r);
	CHECK_OK(vc_vring(&r.c, VHOST_VDPA_SET_GROUP_ASID, 0, 0));
	CHECK_OK(rig_enable(&r, true));
	CHECK_OK(rig_driver_ok(&r));
}

/* The index is a group, though vhost-vdpa bounds it by the queues. */
TEST_OURS(group_asid_no_such_group)
{
	struct vdpa_client c;

	test_owned(&c);
	if (c.ngroups >= c.nvqs)
		SKIP("as many groups as queues");
	CHECK_FAILS(vc_vring(&c, VHOST_VDPA_SET_GROUP_ASID, c.ngroups, 0));
}

/* 7.2 refuses by itself, 6.12 leaves it to the parent. */
TEST_OURS(group_asid_frozen_while_running)
{
	struct rig r;

	test_up(&r);
	CHECK_FAILS(vc_vring(&r.c, VHOST_VDPA_SET_GROUP_ASID, 0, 0));
}

TEST(vring_eventfd_descriptors)
{
	struct vdpa_client c;
	int null;

	test_owned(&c);
	null = open("/dev/null", O_RDWR);
	CHECK_ERR(vc_vring_file(&c, VHOST_SET_VRING_KICK, 0, 999), -EBADF);
	CHECK_ERR(vc_vring_file(&c, VHOST_SET_VRING_CALL, 0, 999), -EBADF);
	CHECK_ERR(vc_vring_file(&c, VHOST_SET_VRING_KICK, 0, null), -EINVAL);
	CHECK_ERR(vc_vring_file(&c, VHOST_SET_VRING_CALL, 0, null), -EINVAL);
	CHECK_OK(vc_vring_file(&c, VHOST_SET_VRING_KICK, 0, -1));
	CHECK_OK(vc_vring_file(&c, VHOST_SET_VRING_CALL, 0, -1));
}

TEST(vring_eventfds_on_every_rung)
{
	enum rung rung;
	struct rig r;
	int fd = eventfd(0, 0);

	CHECK_OK(rig_open(&r, opts.dev));
	for (rung = RUNG_RESET; rung < RUNG_MAX; rung++) {
		climb(&r, rung);
		CHECK_OK(vc_vring_file(&r.c, VHOST_SET_VRING_CALL, 0, fd));
		CHECK_OK(vc_vring_file(&r.c, VHOST_SET_VRING_CALL, 0, -1));
		CHECK_OK(vc_vring_file(&r.c, VHOST_SET_VRING_KICK, 0, fd));
		CHECK_OK(vc_vring_file(&r.c, VHOST_SET_VRING_KICK, 0, -1));
		CHECK_OK(vc_reset(&r.c));
	}
}

/* The op returns nothing, so any time must do; reset must recover. */
TEST(vring_enable_on_every_rung)
{
	enum rung rung;
	unsigned int i;
	struct rig r;

	CHECK_OK(rig_open(&r, opts.dev));
	for (rung = RUNG_RESET; rung < RUNG_MAX; rung++) {
		climb(&r, rung);
		for (i = 0; i < r.c.nvqs; i++) {
			CHECK_OK(vc_vring(&r.c, VHOST_VDPA_SET_VRING_ENABLE, i,
					  1));
			CHECK_OK(vc_vring(&r.c, VHOST_VDPA_SET_VRING_ENABLE, i,
					  1));
		}
		CHECK_OK(vc_reset(&r.c));
		CHECK(vc_get_status(&r.c) == 0, "rung %u", rung);
	}
}

/* vp_vdpa writes queue_enable = 0, which the specification forbids. */
TEST_OURS(vring_disable_on_every_rung)
{
	enum rung rung;
	struct rig r;
	int status;

	CHECK_OK(rig_open(&r, opts.dev));
	for (rung = RUNG_RESET; rung < RUNG_MAX; rung++) {
		climb(&r, rung);
		CHECK_OK(rig_enable(&r, false));
		status = vc_get_status(&r.c);
		CHECK(!(status & ST_NEEDS_RESET), "rung %u: status %#x", rung,
		      status);
		CHECK_OK(vc_reset(&r.c));
		climb(&r, RUNG_DRIVER_OK);
		CHECK_OK(vc_reset(&r.c));
	}
}
