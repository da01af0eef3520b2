// SPDX-License-Identifier: GPL-2.0
/*
 * The core's side of the dirty log (drivers/core/log.c): which marks reach it, for
 * how long, and which queues keep it from starting. The reference is vmdev/dirty.h
 * and what the kernel-doc there says; sizes of rings are those of virtio 1.2, 2.7
 * and 2.8. In the kernel only.
 */
#include "kunit.h"

#include <uapi/linux/vhost_types.h>

#include "../../drivers/core/log.c"
#include "fake_hw.h"

/* Stands in for drivers/core/handover.c with the policy direct: no queue goes anywhere. */
int vmdev_paths_update(struct vmdev_dev *dev)
{
	int err = 0;
	u16 i;

	for (i = 0; i < dev->nvqs && !err; i++)
		if (dev->vqs[i].on && dev->vqs[i].direct)
			err = vmdev_log_check_direct(dev, i);
	return err;
}

const struct vmdev_dirty_ops * const fake_log_ops = &vmdev_log_ops;

#define P	0x1000ULL
#define BASE	0x100000ULL
#define PAGES	64

/**
 * struct log_test - a device, and logs for its two address spaces
 * @fake: the device
 * @logs: the logs
 */
struct log_test {
	struct fake_hw fake;
	struct vmdev_dirty *logs[VMDEV_AS_MAX];
};

/* Likewise for drivers/core/notice.c: only what was told last. */
static enum vmdev_event last_told;
static u16 told_asid;

void vmdev_note(const struct vmdev_notice *event)
{
	last_told = event->kind;
	told_asid = event->index;
}

/* Likewise for drivers/core/device.c. */
bool vmdev_any_direct(const struct vmdev_dev *dev)
{
	u16 i;

	for (i = 0; i < dev->nvqs; i++)
		if (dev->vqs[i].direct)
			return true;
	return false;
}

static struct vmdev_dev *dev_of(struct kunit *test)
{
	return &((struct log_test *)test->priv)->fake.dev;
}

static int log_init(struct kunit *test)
{
	struct vmdev_dirty_range range = { BASE, BASE + PAGES * P - 1 };
	struct log_test *t = kunit_kzalloc(test, sizeof(*t), GFP_KERNEL);
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, t);
	test->priv = t;
	fake_hw_init(&t->fake, VIRTIO_ID_NET);
	t->fake.dev.hw = &t->fake.hw;
	t->fake.dev.vdpa.nas = VMDEV_AS_MAX;
	for (i = 0; i < VMDEV_AS_MAX; i++) {
		t->logs[i] = vmdev_dirty_alloc(12, &range, 1);
		KUNIT_ASSERT_FALSE(test, IS_ERR(t->logs[i]));
	}
	return 0;
}

static void log_exit(struct kunit *test)
{
	struct log_test *t = test->priv;
	unsigned int i;

	for (i = 0; i < VMDEV_AS_MAX; i++)
		vmdev_dirty_free(t->logs[i]);
}

static int start(struct kunit *test, unsigned int asid)
{
	struct log_test *t = test->priv;

	return vmdev_log_ops.start(dev_of(test), asid, t->logs[asid]);
}

static void stop(struct kunit *test, unsigned int asid)
{
	vmdev_log_ops.stop(dev_of(test), asid);
}

static int log_emit(void *ctx, u64 iova, u64 bits)
{
	*(u64 *)ctx |= bits;
	return 0;
}

/* Bits of the 64 pages; they are clean then. */
static u64 dirty(struct kunit *test, unsigned int asid)
{
	struct log_test *t = test->priv;
	u64 bits = 0;

	KUNIT_EXPECT_EQ(test, vmdev_dirty_harvest(t->logs[asid], BASE, BASE + PAGES * P - 1,
						  log_emit, &bits), 0);
	return bits;
}

static void log_marks(struct kunit *test)
{
	struct vmdev_dev *dev = dev_of(test);

	vmdev_log_mark(dev, 0, BASE, 1);
	KUNIT_EXPECT_FALSE(test, vmdev_log_active(dev, 0));
	KUNIT_ASSERT_EQ(test, start(test, 0), 0);
	KUNIT_EXPECT_EQ(test, last_told, VMDEV_EVENT_DIRTY_START);
	KUNIT_EXPECT_TRUE(test, vmdev_log_active(dev, 0));
	KUNIT_EXPECT_FALSE(test, vmdev_log_active(dev, 1));
	KUNIT_EXPECT_EQ(test, dirty(test, 0), 0ULL);
	vmdev_log_mark(dev, 0, BASE + 3 * P + 5, 2 * P);
	vmdev_log_mark(dev, 1, BASE, P);
	KUNIT_EXPECT_EQ(test, dirty(test, 0), 0x38ULL);
	stop(test, 0);
	KUNIT_EXPECT_EQ(test, last_told, VMDEV_EVENT_DIRTY_STOP);
	KUNIT_EXPECT_EQ(test, told_asid, 0);
	KUNIT_EXPECT_FALSE(test, vmdev_log_active(dev, 0));
	vmdev_log_mark(dev, 0, BASE, P);
	KUNIT_EXPECT_EQ(test, dirty(test, 0), 0ULL);
}

static void log_address_spaces(struct kunit *test)
{
	struct vmdev_dev *dev = dev_of(test);

	KUNIT_ASSERT_EQ(test, start(test, 1), 0);
	vmdev_log_mark(dev, 1, BASE + P, 1);
	vmdev_log_mark(dev, 0, BASE, 1);
	KUNIT_ASSERT_EQ(test, start(test, 0), 0);
	vmdev_log_mark(dev, 0, BASE + 2 * P, 1);
	stop(test, 1);
	vmdev_log_mark(dev, 1, BASE + 3 * P, 1);
	vmdev_log_mark(dev, 0, BASE + 4 * P, 1);
	KUNIT_EXPECT_EQ(test, dirty(test, 0), 0x14ULL);
	KUNIT_EXPECT_EQ(test, dirty(test, 1), 0x2ULL);
	stop(test, 0);
}

/* What is not mapped any more was written all the same. */
static void log_outlasts_maps(struct kunit *test)
{
	struct vmdev_dev *dev = dev_of(test);

	vmdev_mem_init(&dev->mem);
	dev->mem.range = (struct vdpa_iova_range) { 0, U64_MAX };
	dev->mem.attached = true;
	KUNIT_ASSERT_EQ(test, start(test, 0), 0);
	mutex_lock(&dev->parent->lock);
	KUNIT_EXPECT_EQ(test, vmdev_mem_map(dev, 0, BASE, 8 * P, 0x10000000, VHOST_ACCESS_RW), 0);
	vmdev_log_mark(dev, 0, BASE + 2 * P, P);
	KUNIT_EXPECT_EQ(test, vmdev_mem_unmap(dev, 0, BASE, 8 * P), 0);
	mutex_unlock(&dev->parent->lock);
	KUNIT_EXPECT_EQ(test, vmdev_log_ops.sync(dev, 0), 0);
	KUNIT_EXPECT_EQ(test, dirty(test, 0), 0x4ULL);
	mutex_lock(&dev->parent->lock);
	KUNIT_EXPECT_EQ(test, vmdev_mem_map(dev, 0, BASE, P, 0x10000000, VHOST_ACCESS_RW), 0);
	vmdev_log_mark(dev, 0, BASE, 1);
	vmdev_mem_clear(dev, 0);
	mutex_unlock(&dev->parent->lock);
	KUNIT_EXPECT_EQ(test, dirty(test, 0), 0x1ULL);
	stop(test, 0);
	vmdev_mem_destroy(&dev->mem);
}

/* Hardware without a log writes and nobody sees it. */
static void log_refuses_direct_queues(struct kunit *test)
{
	struct vmdev_dev *dev = dev_of(test);
	u32 caps = dev->hw->caps.caps;

	dev->running = true;
	dev->policy = VMDEV_POLICY_DIRECT;
	dev->mem.user = true;
	dev->vqs[3].on = true;
	dev->vqs[3].direct = true;
	KUNIT_EXPECT_EQ(test, start(test, 0), -EOPNOTSUPP);
	KUNIT_EXPECT_FALSE(test, vmdev_log_active(dev, 0));
	dev->hw->caps.caps |= VMDEV_CAP_LOG;
	KUNIT_EXPECT_EQ(test, start(test, 0), 0);
	stop(test, 0);
	dev->hw->caps.caps = caps;
	dev->vqs[3].on = false;
	dev->vqs[3].direct = false;
	KUNIT_EXPECT_EQ(test, start(test, 0), 0);
	mutex_lock(&dev->parent->lock);
	KUNIT_EXPECT_EQ(test, vmdev_log_check_direct(dev, 3), -EOPNOTSUPP);
	dev->hw->caps.caps |= VMDEV_CAP_LOG;
	KUNIT_EXPECT_EQ(test, vmdev_log_check_direct(dev, 3), 0);
	mutex_unlock(&dev->parent->lock);
	stop(test, 0);
}

/* Its hardware may go on writing, and its queues cannot be moved. */
static void log_refuses_what_is_broken(struct kunit *test)
{
	struct vmdev_dev *dev = dev_of(test);

	dev->needs_reset = true;
	KUNIT_EXPECT_EQ(test, start(test, 0), 0);
	stop(test, 0);
	dev->vqs[3].direct = true;
	KUNIT_EXPECT_EQ(test, start(test, 0), -EIO);
	KUNIT_EXPECT_FALSE(test, vmdev_log_active(dev, 0));
}

static void log_refuses_who_leaves(struct kunit *test)
{
	dev_of(test)->leaving = true;
	KUNIT_EXPECT_EQ(test, start(test, 0), -ENODEV);
	KUNIT_EXPECT_FALSE(test, vmdev_log_active(dev_of(test), 0));
}

static void log_expect_rings(struct kunit *test, u64 bits)
{
	KUNIT_EXPECT_EQ(test, vmdev_log_ops.sync(dev_of(test), 0), 0);
	KUNIT_EXPECT_EQ(test, dirty(test, 0), bits);
}

/* As long as queues run, and the last time when they are stopped. */
static void log_rings(struct kunit *test)
{
	struct vmdev_dev *dev = dev_of(test);

	/* 6 + 8 * 256 bytes from the end of page 4 on. */
	dev->vqs[1].conf = (struct vmdev_vq_conf) {
		.desc = BASE, .driver = BASE + P, .device = BASE + 5 * P - 2054 + 1,
		.size = 256, .enabled = true,
	};
	/* One that the driver disabled, and the hardware cannot stop. */
	dev->vqs[2].conf = (struct vmdev_vq_conf) {
		.desc = BASE, .driver = BASE + P, .device = BASE + 9 * P, .size = 2,
	};
	KUNIT_ASSERT_EQ(test, start(test, 0), 0);
	log_expect_rings(test, 0);
	dev->running = true;
	log_expect_rings(test, 0x230);
	log_expect_rings(test, 0x230);
	dev->vqs[1].conf.device--;
	log_expect_rings(test, 0x210);
	dev->suspended = true;
	log_expect_rings(test, 0);
	dev->suspended = false;
	/* Packed: descriptors, and the event suppression of the device. */
	dev->features = BIT_ULL(34);
	dev->vqs[1].conf = (struct vmdev_vq_conf) {
		.desc = BASE + 6 * P, .driver = BASE + 11 * P, .device = BASE + 8 * P - 4,
		.size = 257, .enabled = true,
	};
	dev->vqs[2].conf.desc = 0;
	dev->vqs[2].conf.driver = 0;
	dev->vqs[2].conf.device = 0;
	log_expect_rings(test, 0xc0);
	stop(test, 0);
}

static struct kunit_case log_cases[] = {
	KUNIT_CASE(log_marks),
	KUNIT_CASE(log_address_spaces),
	KUNIT_CASE(log_outlasts_maps),
	KUNIT_CASE(log_refuses_direct_queues),
	KUNIT_CASE(log_refuses_what_is_broken),
	KUNIT_CASE(log_refuses_who_leaves),
	KUNIT_CASE(log_rings),
	{}
};

static struct kunit_suite vmdev_log_suite = {
	.name = "vmdev_log",
	.init = log_init,
	.exit = log_exit,
	.test_cases = log_cases,
};

kunit_test_suite(vmdev_log_suite);
