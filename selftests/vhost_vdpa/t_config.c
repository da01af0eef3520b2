// SPDX-License-Identifier: GPL-2.0
/* Config space: every offset, every length, and past the end. */
#define _GNU_SOURCE
#include <sys/mman.h>

#include "tests.h"

#define CONFIG_MAX 4096

static void read_all(struct vdpa_client *c, __u8 *buf)
{
	CHECK(c->config_size && c->config_size <= CONFIG_MAX,
	      "config of %u bytes", c->config_size);
	CHECK_OK(vc_get_config(c, 0, buf, c->config_size));
}

TEST(config_whole)
{
	__u8 a[CONFIG_MAX], b[CONFIG_MAX];
	struct rig r;

	test_negotiated(&r);
	read_all(&r.c, a);
	read_all(&r.c, b);
	CHECK(!memcmp(a, b, r.c.config_size), "two reads differ");
}

TEST(config_any_offset_and_length)
{
	__u8 all[CONFIG_MAX], part[16];
	__u32 off, len;
	struct rig r;

	test_negotiated(&r);
	read_all(&r.c, all);
	for (off = 0; off < r.c.config_size; off++) {
		for (len = 1; len <= 9 && off + len <= r.c.config_size; len++) {
			CHECK_OK(vc_get_config(&r.c, off, part, len));
			CHECK(!memcmp(part, all + off, len),
			      "%u bytes at %u differ", len, off);
		}
	}
}

TEST(config_bounds)
{
	__u8 buf[CONFIG_MAX] = { 0 };
	struct vdpa_client c;
	__u32 size;

	test_open(&c);
	size = c.config_size;
	CHECK_ERR(vc_get_config(&c, 0, buf, 0), -EINVAL);
	CHECK_FAILS(vc_get_config(&c, 0, buf, size + 1));
	CHECK_FAILS(vc_get_config(&c, size, buf, 1));
	CHECK_FAILS(vc_get_config(&c, size - 1, buf, 2));
	CHECK_FAILS(vc_get_config(&c, size + 1, buf, 1));
	CHECK_FAILS(vc_get_config(&c, UINT32_MAX, buf, 1));
	CHECK_FAILS(vc_get_config(&c, UINT32_MAX - 1, buf, 4));
	CHECK_OK(vc_get_config(&c, size - 1, buf, 1));
}

TEST(config_write_bounds)
{
	__u8 buf[CONFIG_MAX] = { 0 };
	struct vdpa_client c;
	__u32 size;

	test_open(&c);
	size = c.config_size;
	CHECK_ERR(vc_set_config(&c, 0, buf, 0), -EINVAL);
	CHECK_FAILS(vc_set_config(&c, 0, buf, size + 1));
	CHECK_FAILS(vc_set_config(&c, size, buf, 1));
	CHECK_FAILS(vc_set_config(&c, UINT32_MAX, buf, 1));
}

/* What was read is written back: nothing may change, nothing may break. */
TEST(config_write_same)
{
	__u8 a[CONFIG_MAX], b[CONFIG_MAX];
	struct rig r;

	test_negotiated(&r);
	read_all(&r.c, a);
	CHECK_OK(vc_set_config(&r.c, 0, a, r.c.config_size));
	CHECK_OK(vc_set_config(&r.c, r.c.config_size - 1,
			       a + r.c.config_size - 1, 1));
	read_all(&r.c, b);
	CHECK(!memcmp(a, b, r.c.config_size), "config changed");
}

TEST(config_before_features)
{
	__u8 buf[CONFIG_MAX];
	struct vdpa_client c;

	test_open(&c);
	read_all(&c, buf);
}

TEST(config_while_running)
{
	__u8 a[CONFIG_MAX], b[CONFIG_MAX];
	struct rig r;

	test_up(&r);
	read_all(&r.c, a);
	read_all(&r.c, b);
	CHECK(!memcmp(a, b, r.c.config_size), "two reads differ");
}

/* The head can be read, the bytes behind it cannot be written. */
TEST(config_bad_buffer)
{
	struct vhost_vdpa_config *config;
	struct vdpa_client c;
	__u8 *p;

	test_open(&c);
	p = mmap(NULL, 2 * VC_PAGE, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(p != MAP_FAILED, "mmap");
	CHECK_OK(mprotect(p + VC_PAGE, VC_PAGE, PROT_NONE));
	config = (void *)(p + VC_PAGE - sizeof(*config));
	config->off = 0;
	config->len = c.config_size;
	CHECK_ERR(vc_ioctl(&c, VHOST_VDPA_GET_CONFIG, config), -EFAULT);
	CHECK_ERR(vc_ioctl(&c, VHOST_VDPA_SET_CONFIG, config), -EFAULT);
}
