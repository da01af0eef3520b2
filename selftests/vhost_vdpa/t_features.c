// SPDX-License-Identifier: GPL-2.0
/* Feature negotiation. */
#define _GNU_SOURCE
#include <linux/virtio_net.h>
#include <linux/virtio_ring.h>

#include "tests.h"

/* Sets a set of features and the FEATURES_OK bit; true when both took. */
static bool accepted(struct vdpa_client *c, __u64 features)
{
	int r = vc_negotiate(c, features);

	CHECK_OK(vc_reset(c));
	return r == 0;
}

TEST(features_stable)
{
	__u64 features;
	struct rig r;

	test_up(&r);
	CHECK_OK(vc_get_features(&r.c, &features));
	CHECK(features == r.c.offered, "%#jx became %#jx",
	      (uintmax_t)r.c.offered, (uintmax_t)features);
	CHECK_OK(vc_reset(&r.c));
	CHECK_OK(vc_get_features(&r.c, &features));
	CHECK(features == r.c.offered, "%#jx became %#jx after reset",
	      (uintmax_t)r.c.offered, (uintmax_t)features);
}

TEST(features_modern)
{
	struct vdpa_client c;

	test_open(&c);
	CHECK(c.offered & BIT64(VIRTIO_F_VERSION_1), "no VERSION_1");
	CHECK(c.offered & BIT64(VIRTIO_F_ACCESS_PLATFORM),
	      "no ACCESS_PLATFORM");
}

TEST(features_frozen_by_features_ok)
{
	struct rig r;

	test_negotiated(&r);
	CHECK_ERR(vc_set_features(&r.c, rig_features(&r.c)), -EBUSY);
	CHECK_OK(vc_reset(&r.c));
	CHECK_OK(vc_set_features(&r.c, rig_features(&r.c)));
}

TEST(features_frozen_while_running)
{
	struct rig r;

	test_up(&r);
	CHECK_ERR(vc_set_features(&r.c, 0), -EBUSY);
}

TEST(features_change_before_features_ok)
{
	struct rig r;

	CHECK_OK(rig_open(&r, opts.dev));
	climb(&r, RUNG_DRIVER);
	CHECK_OK(vc_set_features(&r.c, r.c.offered));
	CHECK_OK(vc_set_features(&r.c, rig_features(&r.c)));
	CHECK_OK(vc_add_status(&r.c, ST_FEATURES_OK));
	CHECK_IS(vc_get_status(&r.c), ST_NEGOTIATED);
}

TEST(features_all_offered)
{
	struct vdpa_client c;

	test_owned(&c);
	CHECK(accepted(&c, c.offered), "%#jx refused", (uintmax_t)c.offered);
}

/* ifcvf checks no bits but one, vp_vdpa and vduse none at all. */
TEST_OURS(features_unknown_refused)
{
	struct vdpa_client c;
	unsigned int bit;

	test_owned(&c);
	for (bit = 0; bit < 64; bit++) {
		__u64 features = rig_features(&c) | BIT64(bit);

		if (c.offered & BIT64(bit))
			continue;
		CHECK(!accepted(&c, features), "bit %u taken", bit);
	}
	CHECK(accepted(&c, rig_features(&c)), "the plain set refused");
}

/* The bit that QEMU adds on its own; it must never pass for a log. */
TEST_OURS(features_log_all_refused)
{
	struct vdpa_client c;

	test_owned(&c);
	CHECK(!(c.offered & BIT64(VHOST_F_LOG_ALL)), "LOG_ALL offered");
	CHECK(!accepted(&c, rig_features(&c) | BIT64(VHOST_F_LOG_ALL)),
	      "LOG_ALL taken");
}

/* vduse takes anything. */
TEST_OURS(features_without_access_platform)
{
	struct vdpa_client c;

	test_owned(&c);
	CHECK(!accepted(&c, rig_features(&c) &
			    ~BIT64(VIRTIO_F_ACCESS_PLATFORM)), "taken");
	CHECK(!accepted(&c, 0), "no feature at all taken");
}

/* vdpa_sim would run as a legacy device. */
TEST_OURS(features_without_version_1)
{
	struct vdpa_client c;

	test_owned(&c);
	CHECK(!accepted(&c, rig_features(&c) & ~BIT64(VIRTIO_F_VERSION_1)),
	      "taken");
}

/* Without device_features, what is offered is what stock QEMU can migrate. */
TEST_OURS(features_default_migratable)
{
	static const unsigned int bits[] = {
		VIRTIO_RING_F_INDIRECT_DESC, VIRTIO_F_RING_PACKED,
		35 /* IN_ORDER */, VIRTIO_F_ORDER_PLATFORM, VIRTIO_F_SR_IOV,
		38 /* NOTIFICATION_DATA */, 40 /* RING_RESET */,
	};
	struct vdpa_client c;
	unsigned int i;

	if (!opts.default_features)
		SKIP("only with --default-features");
	test_open(&c);
	for (i = 0; i < ARRAY_SIZE(bits); i++)
		CHECK(!(c.offered & BIT64(bits[i])), "bit %u offered", bits[i]);
	if (c.device_id == VIRTIO_ID_NET)
		CHECK(!(c.offered & BIT64(VIRTIO_NET_F_GUEST_ANNOUNCE)),
		      "GUEST_ANNOUNCE offered");
}
