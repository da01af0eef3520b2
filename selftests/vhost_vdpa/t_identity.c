// SPDX-License-Identifier: GPL-2.0
/* What a device is: ids, counts, owner, backend features, foreign ioctls. */
#define _GNU_SOURCE
#include <fcntl.h>

#include <linux/virtio_net.h>

#include "tests.h"

/* Not a number that vhost has, or will soon have. */
#define UNKNOWN_IOCTL _IOW(VHOST_VIRTIO, 0xf7, struct vhost_vring_state)

/* An address that no process has. */
#define BAD_POINTER ((void *)8)

#define BACKEND_ALWAYS	(BIT64(VHOST_BACKEND_F_IOTLB_MSG_V2) | \
			 BIT64(VHOST_BACKEND_F_IOTLB_BATCH))

TEST(open_second_is_busy)
{
	struct vdpa_client c, second;

	test_open(&c);
	CHECK_ERR(vc_open(&second, opts.dev), -EBUSY);
	vc_close(&c);
	CHECK_OK(vc_open(&second, opts.dev));
}

TEST(open_close_many)
{
	struct vdpa_client c;
	unsigned int i;

	for (i = 0; i < 100; i++) {
		test_open(&c);
		CHECK(vc_get_status(&c) == 0, "status after open %u", i);
		vc_close(&c);
	}
}

TEST(owner_once)
{
	struct vdpa_client c;

	test_owned(&c);
	CHECK_ERR(vc_set_owner(&c), -EBUSY);
}

TEST(owner_needed)
{
	struct vdpa_client c;
	__u32 num;

	test_open(&c);
	CHECK_ERR(vc_vring(&c, VHOST_SET_VRING_NUM, 0, 64), -EPERM);
	CHECK_ERR(vc_vring(&c, VHOST_SET_VRING_BASE, 0, 0), -EPERM);
	CHECK_ERR(vc_vring(&c, VHOST_VDPA_SET_VRING_ENABLE, 0, 1), -EPERM);
	CHECK_ERR(vc_vring_get(&c, VHOST_GET_VRING_BASE, 0, &num), -EPERM);
	CHECK_ERR(vc_vring_addr(&c, 0, 0, 0, 0), -EPERM);
	CHECK_ERR(vc_vring_file(&c, VHOST_SET_VRING_KICK, 0, -1), -EPERM);
	CHECK_ERR(vc_vring_file(&c, VHOST_SET_VRING_CALL, 0, -1), -EPERM);
}

TEST(device_id_stable)
{
	struct vdpa_client c;
	__u32 id;

	test_open(&c);
	CHECK(c.device_id, "device id 0");
	CHECK_OK(vc_ioctl(&c, VHOST_VDPA_GET_DEVICE_ID, &id));
	CHECK(id == c.device_id, "%u then %u", c.device_id, id);
}

TEST(vring_num_sane)
{
	struct vdpa_client c;

	test_open(&c);
	CHECK(c.vring_max >= 2, "max ring size %u", c.vring_max);
	CHECK(!(c.vring_max & (c.vring_max - 1)), "%u is no power of two",
	      c.vring_max);
}

/* QEMU aborts above 1024. */
TEST_OURS(vring_num_fits_qemu)
{
	struct vdpa_client c;

	test_open(&c);
	CHECK(c.vring_max <= 1024, "max ring size %u", c.vring_max);
}

/* A parent that reads a live register here answers what was set last. */
TEST_OURS(vring_num_constant)
{
	struct vdpa_client c;
	__u16 num;

	test_owned(&c);
	CHECK_OK(vc_negotiate(&c, rig_features(&c)));
	CHECK_OK(vc_vring(&c, VHOST_SET_VRING_NUM, 0, 8));
	CHECK_OK(vc_ioctl(&c, VHOST_VDPA_GET_VRING_NUM, &num));
	CHECK(num == c.vring_max, "%u became %u", c.vring_max, num);
}

TEST(vqs_count_sane)
{
	struct vdpa_client c;

	test_open(&c);
	CHECK(c.nvqs, "no virtqueues");
	if (c.device_id == VIRTIO_ID_NET)
		CHECK(c.nvqs >= 2, "%u virtqueues of a net device", c.nvqs);
}

static unsigned int net_max_pairs(struct vdpa_client *c)
{
	__u16 pairs = 1;

	if (c->offered & BIT64(VIRTIO_NET_F_MQ))
		CHECK_OK(vc_get_config(c, offsetof(struct virtio_net_config,
						   max_virtqueue_pairs),
				       &pairs, sizeof(pairs)));
	return pairs;
}

/* vp_vdpa reads num_queues before MQ: stock QEMU segfaults on the result. */
TEST_OURS(vqs_count_fits_queue_pairs)
{
	struct vdpa_client c;
	unsigned int want;

	test_open(&c);
	need_net(&c);
	want = 2 * net_max_pairs(&c);
	if (c.offered & BIT64(VIRTIO_NET_F_CTRL_VQ))
		want++;
	CHECK(c.nvqs >= want, "%u virtqueues, config needs %u", c.nvqs, want);
}

TEST(iova_range_sane)
{
	struct vdpa_client c;

	test_open(&c);
	CHECK(c.range.first < c.range.last, "[%llx, %llx]", c.range.first,
	      c.range.last);
}

TEST(backend_features_sane)
{
	struct vdpa_client c;

	test_open(&c);
	CHECK((c.backend & BACKEND_ALWAYS) == BACKEND_ALWAYS,
	      "backend features %#jx", (uintmax_t)c.backend);
	if (c.backend & BIT64(VHOST_BACKEND_F_RESUME))
		CHECK(c.backend & BIT64(VHOST_BACKEND_F_SUSPEND),
		      "RESUME without SUSPEND");
}

TEST(backend_features_set)
{
	struct vdpa_client c;

	test_open(&c);
	CHECK_OK(vc_set_backend(&c, BACKEND_ALWAYS));
	CHECK_OK(vc_set_backend(&c, c.backend));
	CHECK_OK(vc_set_backend(&c, 0));
}

TEST(backend_features_not_offered)
{
	struct vdpa_client c;
	unsigned int bit;

	test_open(&c);
	for (bit = 1; bit < 64; bit++) {
		int r = vc_set_backend(&c, BIT64(bit));

		/* vhost-vdpa takes this one whether it offers it or not. */
		if (bit == VHOST_BACKEND_F_ENABLE_AFTER_DRIVER_OK)
			continue;
		CHECK(r < 0 || c.backend & BIT64(bit), "bit %u taken", bit);
	}
}

TEST_OURS(backend_features_promised)
{
	struct vdpa_client c;

	test_open(&c);
	CHECK(c.backend & BIT64(VHOST_BACKEND_F_IOTLB_PERSIST),
	      "no IOTLB_PERSIST in %#jx", (uintmax_t)c.backend);
	CHECK(!(c.backend & BIT64(VHOST_BACKEND_F_DESC_ASID)),
	      "DESC_ASID in %#jx", (uintmax_t)c.backend);
}

TEST(ioctl_unknown)
{
	struct vhost_vring_state s = { 0 };
	struct vdpa_client c;

	test_owned(&c);
	CHECK_ERR(vc_ioctl(&c, UNKNOWN_IOCTL, &s), -ENOTTY);
}

/* No dirty bitmap reaches a parent this way, on any kernel. */
TEST(ioctl_log_not_there)
{
	struct vdpa_client c;
	__u64 base = 0;
	int fd = -1;

	test_owned(&c);
	CHECK_ERR(vc_ioctl(&c, VHOST_SET_LOG_BASE, &base), -ENOTTY);
	CHECK_ERR(vc_ioctl(&c, VHOST_SET_LOG_FD, &fd), -ENOTTY);
}

TEST(ioctl_mem_table_unused)
{
	struct vhost_memory *mem = calloc(1, sizeof(*mem));
	struct vdpa_client c;

	test_owned(&c);
	CHECK_OK(vc_ioctl(&c, VHOST_SET_MEM_TABLE, mem));
	CHECK(vc_get_status(&c) == 0, "status changed");
}

TEST(ioctl_bad_pointers)
{
	static const unsigned long reqs[] = {
		VHOST_VDPA_GET_DEVICE_ID, VHOST_VDPA_GET_STATUS,
		VHOST_VDPA_SET_STATUS, VHOST_VDPA_GET_CONFIG,
		VHOST_VDPA_SET_CONFIG, VHOST_GET_FEATURES, VHOST_SET_FEATURES,
		VHOST_VDPA_GET_VRING_NUM, VHOST_VDPA_SET_CONFIG_CALL,
		VHOST_GET_BACKEND_FEATURES, VHOST_SET_BACKEND_FEATURES,
		VHOST_VDPA_GET_IOVA_RANGE, VHOST_VDPA_GET_CONFIG_SIZE,
		VHOST_VDPA_GET_VQS_COUNT, VHOST_VDPA_GET_GROUP_NUM,
		VHOST_VDPA_GET_AS_NUM, VHOST_VDPA_GET_VRING_GROUP,
		VHOST_VDPA_SET_GROUP_ASID, VHOST_VDPA_SET_VRING_ENABLE,
		VHOST_SET_VRING_NUM, VHOST_SET_VRING_ADDR,
		VHOST_SET_VRING_BASE, VHOST_GET_VRING_BASE,
		VHOST_SET_VRING_KICK, VHOST_SET_VRING_CALL,
	};
	struct vdpa_client c;
	unsigned int i;

	test_owned(&c);
	for (i = 0; i < ARRAY_SIZE(reqs); i++) {
		int r = vc_ioctl(&c, reqs[i], BAD_POINTER);

		CHECK(r == -EFAULT, "ioctl %#lx gave %d", reqs[i], r);
	}
	CHECK(vc_get_status(&c) == 0, "status changed");
}

TEST(config_call_descriptors)
{
	struct vdpa_client c;
	int null;

	test_owned(&c);
	null = open("/dev/null", O_RDWR);
	CHECK_ERR(vc_set_config_call(&c, 999), -EBADF);
	CHECK_ERR(vc_set_config_call(&c, null), -EINVAL);
	CHECK_OK(vc_set_config_call(&c, VHOST_FILE_UNBIND));
}
