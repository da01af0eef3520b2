// SPDX-License-Identifier: GPL-2.0
/* The status ladder: up, down, and from every rung. */
#define _GNU_SOURCE
#include "tests.h"

TEST(status_starts_at_zero)
{
	struct vdpa_client c;

	test_open(&c);
	CHECK_OK(vc_get_status(&c));
}

TEST(status_ladder)
{
	struct rig r;

	CHECK_OK(rig_open(&r, opts.dev));
	CHECK_OK(vc_set_status(&r.c, ST_ACK));
	CHECK_IS(vc_get_status(&r.c), ST_ACK);
	CHECK_OK(vc_add_status(&r.c, ST_DRIVER));
	CHECK_IS(vc_get_status(&r.c), ST_ACK | ST_DRIVER);
	CHECK_OK(vc_set_features(&r.c, rig_features(&r.c)));
	CHECK_OK(vc_add_status(&r.c, ST_FEATURES_OK));
	CHECK_IS(vc_get_status(&r.c), ST_NEGOTIATED);
	CHECK_OK(rig_memory(&r));
	CHECK_OK(rig_rings(&r));
	CHECK_OK(rig_attach(&r));
	CHECK_OK(rig_enable(&r, true));
	CHECK_IS(vc_get_status(&r.c), ST_NEGOTIATED);
	CHECK_OK(vc_add_status(&r.c, ST_DRIVER_OK));
	CHECK_IS(vc_get_status(&r.c), ST_NEGOTIATED | ST_DRIVER_OK);
}

TEST(status_bits_cannot_be_cleared)
{
	struct rig r;

	test_up(&r);
	CHECK_ERR(vc_set_status(&r.c, ST_ACK), -EINVAL);
	CHECK_ERR(vc_set_status(&r.c, ST_NEGOTIATED), -EINVAL);
	CHECK_IS(vc_get_status(&r.c), ST_NEGOTIATED | ST_DRIVER_OK);
}

TEST(status_set_again_is_harmless)
{
	struct rig r;

	test_up(&r);
	CHECK_OK(vc_add_status(&r.c, ST_DRIVER_OK));
	CHECK_IS(vc_get_status(&r.c), ST_NEGOTIATED | ST_DRIVER_OK);
}

TEST(reset_from_every_rung)
{
	enum rung rung;
	struct rig r;

	CHECK_OK(rig_open(&r, opts.dev));
	for (rung = RUNG_RESET; rung < RUNG_MAX; rung++) {
		climb(&r, rung);
		CHECK_OK(vc_reset(&r.c));
		CHECK(vc_get_status(&r.c) == 0, "status after rung %u", rung);
		climb(&r, RUNG_DRIVER_OK);
		CHECK_OK(vc_reset(&r.c));
	}
}

TEST(reset_twice)
{
	struct rig r;

	test_up(&r);
	CHECK_OK(vc_reset(&r.c));
	CHECK_OK(vc_reset(&r.c));
	CHECK_OK(rig_again(&r));
}

TEST(close_on_every_rung)
{
	enum rung rung;
	struct rig r;

	for (rung = RUNG_RESET; rung < RUNG_MAX; rung++) {
		CHECK_OK(rig_open(&r, opts.dev));
		CHECK(vc_get_status(&r.c) == 0, "open after rung %u", rung);
		climb(&r, rung);
		rig_close(&r);
	}
	test_up(&r);
}

TEST(bring_up_many)
{
	unsigned int i;
	struct rig r;

	test_up(&r);
	for (i = 0; i < 50; i++)
		CHECK_OK(rig_again(&r));
}

static void check_refused(struct rig *r, __u8 want, __u8 bit)
{
	int status;

	CHECK_OK(vc_set_status(&r->c, want));
	status = vc_get_status(&r->c);
	CHECK(status >= 0, "no status");
	CHECK(!(status & bit), "status %#x after setting %#x", status, want);
	CHECK_OK(vc_reset(&r->c));
	CHECK(vc_get_status(&r->c) == 0, "reset does not recover");
}

/* The in-tree parents leave the order of the rungs to the driver. */
TEST_OURS(driver_ok_needs_features_ok)
{
	struct rig r;

	CHECK_OK(rig_open(&r, opts.dev));
	check_refused(&r, ST_ACK | ST_DRIVER | ST_DRIVER_OK, ST_DRIVER_OK);
	check_refused(&r, ST_DRIVER_OK, ST_DRIVER_OK);
	climb(&r, RUNG_DRIVER_OK);
}

TEST_OURS(features_ok_needs_features)
{
	struct rig r;

	CHECK_OK(rig_open(&r, opts.dev));
	check_refused(&r, ST_NEGOTIATED, ST_FEATURES_OK);
	climb(&r, RUNG_DRIVER_OK);
}

/* A refused DRIVER_OK says FAILED, and only reset leads out of it. */
TEST_OURS(refusal_is_failed_until_reset)
{
	int status;
	struct rig r;

	test_negotiated(&r);
	CHECK_OK(vc_arena(&r.c));
	CHECK_OK(rig_rings(&r));
	if (opts.unmapped_ok)
		SKIP("the parent accepts DRIVER_OK without maps");
	CHECK_OK(rig_attach(&r));
	CHECK_OK(rig_enable(&r, true));
	CHECK_OK(vc_add_status(&r.c, ST_DRIVER_OK));
	status = vc_get_status(&r.c);
	CHECK((status & (ST_FAILED | ST_DRIVER_OK)) == ST_FAILED,
	      "status %#x", status);
	CHECK_ERR(vc_set_status(&r.c, ST_NEGOTIATED | ST_DRIVER_OK), -EINVAL);
	CHECK_OK(vc_add_status(&r.c, ST_DRIVER_OK));
	status = vc_get_status(&r.c);
	CHECK(!(status & ST_DRIVER_OK), "status %#x", status);
	CHECK_OK(vc_arena_map(&r.c));
	CHECK_OK(rig_again(&r));
}
