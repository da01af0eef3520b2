/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the test files of vhost_vdpa_ioctl share.
 *
 * TEST() is for what vhost-vdpa and any sound parent do. TEST_OURS() is for
 * what only our parent promises; with --oracle it is skipped.
 */
#ifndef VMDEV_TESTS_H
#define VMDEV_TESTS_H

#include "tap.h"
#include "vdpa_ctrl.h"
#include "vdpa_rig.h"

#define T_OURS		1U

#define TEST(name)	TAP_TEST(name, 0)
#define TEST_OURS(name)	TAP_TEST(name, T_OURS)

/**
 * struct test_opts - from the command line
 * @dev: device under test
 * @peer: device on the same segment, or NULL
 * @require: comma-separated capabilities whose lack is a failure, not a skip
 * @oracle: another parent is under test
 * @loopback: the device returns frames sent to its own address
 * @scratch: the block device may be written
 * @software: the device is software
 * @default_features: the device was made without device_features
 * @unmapped_ok: the parent was told to accept DRIVER_OK without maps
 * @longer: run what takes minutes under emulation
 */
struct test_opts {
	const char *dev;
	const char *peer;
	const char *require;
	bool oracle;
	bool loopback;
	bool scratch;
	bool software;
	bool default_features;
	bool unmapped_ok;
	bool longer;
};

extern struct test_opts opts;

/* Skips the test, or fails it if the command line requires @cap. */
void need(const char *cap, bool have, const char *reason);

void need_net(const struct vdpa_client *c);

/*
 * A net device whose frames go somewhere: the peer, if given, swallows them.
 */
void need_wire(const struct vdpa_client *c);

void need_blk(const struct vdpa_client *c);
void need_suspend(const struct vdpa_client *c);
void need_resume(const struct vdpa_client *c);

/* Each opens the device under test and goes so far; failing ends the test. */
void test_open(struct vdpa_client *c);
void test_owned(struct vdpa_client *c);
void test_negotiated(struct rig *r);
void test_attached(struct rig *r);
void test_up(struct rig *r);

/**
 * struct ctrl_want - a device with a control queue
 * @extra: features beyond what the control queue is good for
 * @num: ring size of that queue, or 0 for a small one
 * @ctrl_as: its address space
 * @data_as: that of the other queues
 */
struct ctrl_want {
	__u64 extra;
	__u16 num;
	__u32 ctrl_as;
	__u32 data_as;
};

void need_ctrl(const struct vdpa_client *c);
void need_feature(const struct vdpa_client *c, const char *cap,
		  unsigned int bit);

/* As their namesakes, with the control queue. NULL: nothing in particular. */
void test_ctrl_attached(struct rig *r, struct ctrl *k,
			const struct ctrl_want *want);
void test_ctrl_run(struct rig *r, struct ctrl *k);
void test_ctrl_up(struct rig *r, struct ctrl *k, const struct ctrl_want *want);

/* It sets this address, as a driver does. */
int ctrl_set_mac(struct ctrl *k, const __u8 *mac);

/* t_paths.c: attributes of the device under test, and the path of all its queues. */
int test_set_policy(const char *policy);
bool test_is_policy(const char *policy);
bool test_has_iommu(void);
bool test_on_path(const char *path);
void check_path(const char *path);

/* The lowest, and the highest, rung of the status ladder that tests visit. */
enum rung {
	RUNG_RESET,
	RUNG_ACK,
	RUNG_DRIVER,
	RUNG_FEATURES_OK,
	RUNG_ATTACHED,
	RUNG_ENABLED,
	RUNG_DRIVER_OK,
	RUNG_SUSPENDED,
	RUNG_FAILED,
	RUNG_MAX,
};

/* From reset up to @rung; rings and memory are made on the way. */
void climb(struct rig *r, enum rung rung);

#endif
