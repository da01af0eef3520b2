// SPDX-License-Identifier: GPL-2.0
/*
 * Numbers of queues, and which rings can run (drivers/core/queue_check.c).
 * From virtio 1.2: 5.1.2 (queues of a net device), 2.7 and 2.8 (sizes and
 * alignments of the areas), 2.8.1 (wrap counters). Feature bits are written as
 * numbers.
 */
#include "kunit.h"
#include "../../drivers/core/queue_check.c"
#include "fake_hw.h"

#define B(n)	BIT_ULL(n)
#define EVENT_IDX	B(29)
#define PACKED		B(34)

/* One page for each area, and room behind it. */
#define DESC	0x10000ULL
#define DRIVER	0x20000ULL
#define DEVICE	0x30000ULL

/* Hardware of four pairs, a device of two; user space has it. */
static int queue_init(struct kunit *test)
{
	struct fake_hw *fake = kunit_kzalloc(test, sizeof(*fake), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, fake);
	test->priv = fake;
	fake_hw_init(fake, VIRTIO_ID_NET);
	fake->hw.caps.nvqs = 9;
	fake->parent.max_vqp = 4;
	fake->parent.cvq = 8;
	fake->vq_size[8] = 64;
	fake->dev.nvqs = 5;
	fake->dev.prov.max_vqp = 2;
	fake->dev.prov.features = B(17) | B(22);
	fake->dev.features = B(17) | B(22);
	fake->vqs[0].conf = (struct vmdev_vq_conf) {
		.desc = DESC, .driver = DRIVER, .device = DEVICE, .size = 256,
	};
	vmdev_mem_init(&fake->dev.mem);
	return 0;
}

static void queue_exit(struct kunit *test)
{
	struct fake_hw *fake = test->priv;

	vmdev_mem_destroy(&fake->dev.mem);
}

/* With multiqueue negotiated the control queue is behind all pairs. */
static void queue_numbers(struct kunit *test)
{
	struct fake_hw *fake = test->priv;
	u16 vq;

	KUNIT_EXPECT_EQ(test, vmdev_cvq(&fake->dev), 4);
	for (vq = 0; vq < 4; vq++)
		KUNIT_EXPECT_EQ(test, vmdev_hw_vq(&fake->dev, vq), vq);
	KUNIT_EXPECT_EQ(test, vmdev_hw_vq(&fake->dev, 4), 8);
	/* RSS (60) does what MQ (22) does. */
	fake->dev.features = B(17) | B(60);
	KUNIT_EXPECT_EQ(test, vmdev_hw_vq(&fake->dev, 4), 8);
}

/* Hardware may have one for the core, whatever the driver negotiated. */
static void queue_numbers_of_hardware(struct kunit *test)
{
	struct fake_hw *fake = test->priv;

	fake->dev.hw = &fake->hw;
	fake->dev.features = B(17) | B(22);
	KUNIT_EXPECT_EQ(test, vmdev_hw_cvq(&fake->dev, B(17) | B(22)), 8);
	fake->dev.features = 0;
	KUNIT_EXPECT_EQ(test, vmdev_hw_cvq(&fake->dev, B(17)), 2);
	KUNIT_EXPECT_EQ(test, vmdev_hw_cvq(&fake->dev, 0), U16_MAX);
	fake->hw.caps.device_id = VIRTIO_ID_BLOCK;
	KUNIT_EXPECT_EQ(test, vmdev_hw_cvq(&fake->dev, B(17)), U16_MAX);
}

/* Else it is the third, for the driver and for the hardware. */
static void queue_numbers_without_mq(struct kunit *test)
{
	struct fake_hw *fake = test->priv;

	fake->dev.features = B(17);
	KUNIT_EXPECT_EQ(test, vmdev_cvq(&fake->dev), 2);
	KUNIT_EXPECT_EQ(test, vmdev_hw_vq(&fake->dev, 2), 2);
	KUNIT_EXPECT_EQ(test, vmdev_hw_vq(&fake->dev, 4), 4);
}

static void queue_numbers_without_cvq(struct kunit *test)
{
	struct fake_hw *fake = test->priv;

	fake->dev.prov.features = B(22);
	KUNIT_EXPECT_EQ(test, vmdev_cvq(&fake->dev), U16_MAX);
	KUNIT_EXPECT_EQ(test, vmdev_hw_vq(&fake->dev, 4), 4);
	fake->dev.prov.features = B(17) | B(22);
	fake->hw.caps.device_id = VIRTIO_ID_BLOCK;
	KUNIT_EXPECT_EQ(test, vmdev_cvq(&fake->dev), U16_MAX);
	KUNIT_EXPECT_EQ(test, vmdev_hw_vq(&fake->dev, 4), 4);
}

static void queue_size_max(struct kunit *test)
{
	struct fake_hw *fake = test->priv;

	KUNIT_EXPECT_EQ(test, vmdev_vq_size_max(&fake->dev, 0), 256);
	/* The control queue is software's: as large as any, whatever hardware has. */
	KUNIT_EXPECT_EQ(test, vmdev_vq_size_max(&fake->dev, 4), 256);
	fake->vq_size[2] = 128;
	KUNIT_EXPECT_EQ(test, vmdev_vq_size_max(&fake->dev, 2), 128);
	/* Before multiqueue is negotiated it is another. */
	fake->dev.features = 0;
	KUNIT_EXPECT_EQ(test, vmdev_vq_size_max(&fake->dev, 2), 256);
	KUNIT_EXPECT_EQ(test, vmdev_vq_size_max(&fake->dev, 4), 256);
	KUNIT_EXPECT_EQ(test, vmdev_vq_size_max(&fake->dev, 9), 0);
	KUNIT_EXPECT_EQ(test, vmdev_vq_size_max(&fake->dev, U16_MAX), 0);
}

/* All that is said of sizes agrees: QEMU aborts above 1024 (VIRTQUEUE_MAX_SIZE). */
static void queue_size_of_large_hardware(struct kunit *test)
{
	struct fake_hw *fake = test->priv;

	fake->vq_size[0] = 32768;
	fake->vq_size[8] = 1025;
	KUNIT_EXPECT_EQ(test, vmdev_vq_size_max(&fake->dev, 0), 1024);
	KUNIT_EXPECT_EQ(test, vmdev_vq_size_max(&fake->dev, 4), 1024);
	fake->vq_size[0] = 1024;
	KUNIT_EXPECT_EQ(test, vmdev_vq_size_max(&fake->dev, 0), 1024);
}

static const char *fault(struct kunit *test)
{
	struct fake_hw *fake = test->priv;

	return vmdev_vq_fault(&fake->dev, 0, true);
}

static struct vmdev_vq_conf *conf(struct kunit *test)
{
	struct fake_hw *fake = test->priv;

	return &fake->vqs[0].conf;
}

static void set_packed(struct kunit *test)
{
	struct fake_hw *fake = test->priv;

	fake->dev.features |= PACKED;
	conf(test)->state.packed.last_avail_counter = 1;
	conf(test)->state.packed.last_used_counter = 1;
}

static void queue_check(struct kunit *test)
{
	struct fake_hw *fake = test->priv;

	KUNIT_EXPECT_EQ(test, vmdev_vq_check(&fake->dev, 0, true), 0);
	fake->hw.caps.nvqs = 0;
	KUNIT_EXPECT_EQ(test, vmdev_vq_check(&fake->dev, 0, true), -EINVAL);
}

static void queue_check_size(struct kunit *test)
{
	struct fake_hw *fake = test->priv;

	KUNIT_EXPECT_NULL(test, fault(test));
	fake->vq_size[0] = 255;
	KUNIT_EXPECT_STREQ(test, fault(test), "ring is larger than it may be");
	fake->vq_size[0] = 0;
	KUNIT_EXPECT_STREQ(test, fault(test), "hardware has no such queue");
	fake->vq_size[0] = 256;
	fake->hw.caps.vq_size_min = 4;
	conf(test)->size = 4;
	KUNIT_EXPECT_NULL(test, fault(test));
	conf(test)->size = 2;
	KUNIT_EXPECT_STREQ(test, fault(test), "ring is smaller than the hardware's smallest");
	conf(test)->size = 0;
	KUNIT_EXPECT_STREQ(test, fault(test), "ring is smaller than the hardware's smallest");
}

/* 2.7: the size of a split ring is a power of two; 2.8: not of a packed one. */
static void queue_check_power_of_two(struct kunit *test)
{
	conf(test)->size = 255;
	KUNIT_EXPECT_STREQ(test, fault(test), "ring size is not a power of two");
	conf(test)->size = 6;
	KUNIT_EXPECT_STREQ(test, fault(test), "ring size is not a power of two");
	set_packed(test);
	KUNIT_EXPECT_NULL(test, fault(test));
}

/* 2.7: 16, 2 and 4 bytes. */
static void queue_check_alignment_of_split(struct kunit *test)
{
	static const char why[] = "ring is not aligned";

	conf(test)->desc = DESC + 8;
	KUNIT_EXPECT_STREQ(test, fault(test), why);
	conf(test)->desc = DESC + 16;
	KUNIT_EXPECT_NULL(test, fault(test));
	conf(test)->driver = DRIVER + 1;
	KUNIT_EXPECT_STREQ(test, fault(test), why);
	conf(test)->driver = DRIVER + 2;
	KUNIT_EXPECT_NULL(test, fault(test));
	conf(test)->device = DEVICE + 2;
	KUNIT_EXPECT_STREQ(test, fault(test), why);
	conf(test)->device = DEVICE + 4;
	KUNIT_EXPECT_NULL(test, fault(test));
}

/* 2.8: 16, 4 and 4 bytes. */
static void queue_check_alignment_of_packed(struct kunit *test)
{
	static const char why[] = "ring is not aligned";

	set_packed(test);
	conf(test)->desc = DESC + 8;
	KUNIT_EXPECT_STREQ(test, fault(test), why);
	conf(test)->desc = DESC + 16;
	conf(test)->driver = DRIVER + 2;
	KUNIT_EXPECT_STREQ(test, fault(test), why);
	conf(test)->driver = DRIVER + 4;
	conf(test)->device = DEVICE + 2;
	KUNIT_EXPECT_STREQ(test, fault(test), why);
	conf(test)->device = DEVICE + 4;
	KUNIT_EXPECT_NULL(test, fault(test));
}

/* What hardware wants beyond that is no fault of the ring: it is not to be direct. */
static void queue_fits_hardware(struct kunit *test)
{
	struct fake_hw *fake = test->priv;

	conf(test)->desc = DESC + 16;
	KUNIT_EXPECT_TRUE(test, vmdev_ring_fits_hw(&fake->dev, 0));
	KUNIT_EXPECT_EQ(test, vmdev_ring_check_direct(&fake->dev, 0), 0);
	fake->hw.caps.desc_align = 4096;
	KUNIT_EXPECT_NULL(test, fault(test));
	KUNIT_EXPECT_FALSE(test, vmdev_ring_fits_hw(&fake->dev, 0));
	KUNIT_EXPECT_EQ(test, vmdev_ring_check_direct(&fake->dev, 0), -EOPNOTSUPP);
	conf(test)->desc = DESC + 2048;
	KUNIT_EXPECT_FALSE(test, vmdev_ring_fits_hw(&fake->dev, 0));
	conf(test)->desc = DESC + 4096;
	/* Of the other areas nothing is said. */
	conf(test)->driver = DRIVER + 2;
	conf(test)->device = DEVICE + 4;
	KUNIT_EXPECT_TRUE(test, vmdev_ring_fits_hw(&fake->dev, 0));
	KUNIT_EXPECT_EQ(test, vmdev_ring_check_direct(&fake->dev, 0), 0);
}

/* Maps exactly these bytes, no more: as much as the areas need. */
static void map_areas(struct kunit *test, u64 desc, u64 driver, u64 device, u32 desc_perm)
{
	struct fake_hw *fake = test->priv;
	struct vmdev_maps *maps = &fake->dev.mem.as[0].maps;

	vmdev_maps_destroy(maps);
	fake->dev.mem.user = true;
	KUNIT_ASSERT_EQ(test, 0, vmdev_maps_add(maps, DESC, DESC + desc - 1, 0x5000, desc_perm));
	KUNIT_ASSERT_EQ(test, 0, vmdev_maps_add(maps, DRIVER, DRIVER + driver - 1, 0x6000,
						VHOST_ACCESS_RO));
	KUNIT_ASSERT_EQ(test, 0, vmdev_maps_add(maps, DEVICE, DEVICE + device - 1, 0x7000,
						VHOST_ACCESS_WO));
}

static void expect_areas(struct kunit *test, u64 desc, u64 driver, u64 device, u32 perm)
{
	static const char why[] = "ring is not in mapped memory";

	map_areas(test, desc, driver, device, perm);
	KUNIT_EXPECT_NULL(test, fault(test));
	map_areas(test, desc - 1, driver, device, perm);
	KUNIT_EXPECT_STREQ(test, fault(test), why);
	map_areas(test, desc, driver - 1, device, perm);
	KUNIT_EXPECT_STREQ(test, fault(test), why);
	map_areas(test, desc, driver, device - 1, perm);
	KUNIT_EXPECT_STREQ(test, fault(test), why);
}

/* 2.7: 16 * N, 4 + 2 * N, 4 + 8 * N; with EVENT_IDX 2 more of the latter. */
static void queue_check_maps_of_split(struct kunit *test)
{
	struct fake_hw *fake = test->priv;

	expect_areas(test, 16 * 256, 4 + 2 * 256, 4 + 8 * 256, VHOST_ACCESS_RO);
	fake->dev.features |= EVENT_IDX;
	expect_areas(test, 16 * 256, 6 + 2 * 256, 6 + 8 * 256, VHOST_ACCESS_RO);
}

/* 2.8: 16 * N, 4, 4; the device writes descriptors. */
static void queue_check_maps_of_packed(struct kunit *test)
{
	struct fake_hw *fake = test->priv;

	set_packed(test);
	fake->dev.features |= EVENT_IDX;
	conf(test)->size = 100;
	expect_areas(test, 16 * 100, 4, 4, VHOST_ACCESS_RW);
	map_areas(test, 16 * 100, 4, 4, VHOST_ACCESS_RO);
	KUNIT_EXPECT_STREQ(test, fault(test), "ring is not in mapped memory");
	map_areas(test, 16 * 100, 4, 4, VHOST_ACCESS_WO);
	KUNIT_EXPECT_STREQ(test, fault(test), "ring is not in mapped memory");
}

/* Under virtio_vdpa the DMA API maps, and nobody here knows of it. */
static void queue_check_maps_of_the_host(struct kunit *test)
{
	struct fake_hw *fake = test->priv;

	fake->dev.mem.user = false;
	KUNIT_EXPECT_NULL(test, fault(test));
	fake->dev.mem.user = true;
	KUNIT_EXPECT_STREQ(test, fault(test), "ring is not in mapped memory");
}

/* Addresses at the very end of the address space do not wrap. */
static void queue_check_maps_around_the_end(struct kunit *test)
{
	struct fake_hw *fake = test->priv;

	map_areas(test, 16 * 256, 4 + 2 * 256, 4 + 8 * 256, VHOST_ACCESS_RO);
	KUNIT_ASSERT_EQ(test, 0, vmdev_maps_add(&fake->dev.mem.as[0].maps, -0x1000ULL, U64_MAX,
						0x8000, VHOST_ACCESS_RW));
	KUNIT_ASSERT_EQ(test, 0, vmdev_maps_add(&fake->dev.mem.as[0].maps, 0, 0xfff, 0x9000,
						VHOST_ACCESS_RW));
	conf(test)->device = -0x1000ULL;
	KUNIT_EXPECT_NULL(test, fault(test));
	conf(test)->device = -0x800ULL;
	KUNIT_EXPECT_STREQ(test, fault(test), "ring is not in mapped memory");
}

static void queue_check_state(struct kunit *test)
{
	static const char why[] = "hardware can only start at the beginning of a ring";
	struct fake_hw *fake = test->priv;

	conf(test)->state.split.avail_index = 1;
	KUNIT_EXPECT_STREQ(test, fault(test), why);
	conf(test)->state.split.avail_index = U16_MAX;
	KUNIT_EXPECT_STREQ(test, fault(test), why);
	/* A queue in shadow starts anywhere. */
	KUNIT_EXPECT_NULL(test, vmdev_vq_fault(&fake->dev, 0, false));
	fake->hw.caps.caps = VMDEV_CAP_STATE;
	KUNIT_EXPECT_NULL(test, fault(test));
}

/* 2.8.1: both wrap counters start at 1. */
static void queue_check_state_of_packed(struct kunit *test)
{
	static const char why[] = "hardware can only start at the beginning of a ring";

	set_packed(test);
	KUNIT_EXPECT_NULL(test, fault(test));
	conf(test)->state.packed.last_avail_counter = 0;
	KUNIT_EXPECT_STREQ(test, fault(test), why);
	set_packed(test);
	conf(test)->state.packed.last_used_counter = 0;
	KUNIT_EXPECT_STREQ(test, fault(test), why);
	set_packed(test);
	conf(test)->state.packed.last_avail_idx = 1;
	KUNIT_EXPECT_STREQ(test, fault(test), why);
	conf(test)->state.packed.last_avail_idx = 0;
	conf(test)->state.packed.last_used_idx = 1;
	KUNIT_EXPECT_STREQ(test, fault(test), why);
}

static void queue_check_state_lost(struct kunit *test)
{
	struct fake_hw *fake = test->priv;

	fake->vqs[0].state_lost = true;
	fake->hw.caps.caps = VMDEV_CAP_STATE;
	KUNIT_EXPECT_STREQ(test, fault(test), "nobody knows where it was stopped");
}

static struct kunit_case queue_cases[] = {
	KUNIT_CASE(queue_numbers),
	KUNIT_CASE(queue_numbers_without_mq),
	KUNIT_CASE(queue_numbers_of_hardware),
	KUNIT_CASE(queue_numbers_without_cvq),
	KUNIT_CASE(queue_size_max),
	KUNIT_CASE(queue_size_of_large_hardware),
	KUNIT_CASE(queue_check),
	KUNIT_CASE(queue_check_size),
	KUNIT_CASE(queue_check_power_of_two),
	KUNIT_CASE(queue_check_alignment_of_split),
	KUNIT_CASE(queue_check_alignment_of_packed),
	KUNIT_CASE(queue_fits_hardware),
	KUNIT_CASE(queue_check_maps_of_split),
	KUNIT_CASE(queue_check_maps_of_packed),
	KUNIT_CASE(queue_check_maps_of_the_host),
	KUNIT_CASE(queue_check_maps_around_the_end),
	KUNIT_CASE(queue_check_state),
	KUNIT_CASE(queue_check_state_of_packed),
	KUNIT_CASE(queue_check_state_lost),
	{}
};

static struct kunit_suite queue_suite = {
	.name = "vmdev_queue_check",
	.init = queue_init,
	.exit = queue_exit,
	.test_cases = queue_cases,
};

kunit_test_suite(queue_suite);
