// SPDX-License-Identifier: GPL-2.0
/*
 * Hardware that logs in a bitmap (drivers/core/hw_log.c): when there is one, what of it
 * reaches the log, and which hardware is believed. The reference is the comment there and
 * vmdev_hw_ops.log_start (vmdev/hw.h). In the kernel only; log.c stands in for what moves
 * queues.
 */
#include "kunit.h"

#include <uapi/linux/vhost_types.h>

#include "../../drivers/core/hw_log.c"
#include "../../drivers/core/parked.c"
#include "fake_hw.h"

#define P	0x1000ULL
#define PAGES	64
#define RANGE	0x100000000ULL
#define RING	16

/**
 * struct hw_log_test - a device whose memory is logged
 * @fake: the device
 * @ops: of its hardware
 * @log: the log: the first pages of memory
 * @page: the first page of memory: a ring is in it
 * @bitmap: as log_start got it
 * @end: likewise
 * @starts: how many
 * @stops: calls of log_stop
 * @error: what log_start returns
 * @ended: log_check finds that it does not log any more
 */
struct hw_log_test {
	struct fake_hw fake;
	struct vmdev_hw_ops ops;
	struct vmdev_dirty *log;
	u8 *page;
	u64 bitmap;
	u64 end;
	u32 starts;
	u32 stops;
	int error;
	bool ended;
};

static struct hw_log_test *of_hw(struct vmdev_hw *hw)
{
	return container_of(hw, struct hw_log_test, fake.hw);
}

static int hw_log_op_start(struct vmdev_hw *hw, u64 bitmap, u64 end)
{
	struct hw_log_test *t = of_hw(hw);

	t->starts++;
	t->bitmap = bitmap;
	t->end = end;
	return t->error;
}

static bool hw_log_op_check(struct vmdev_hw *hw)
{
	return !of_hw(hw)->ended;
}

static void hw_log_op_stop(struct vmdev_hw *hw)
{
	of_hw(hw)->stops++;
}

/* Of event.c. */
void vmdev_break(struct vmdev_dev *dev, const char *why)
{
	WRITE_ONCE(dev->needs_reset, true);
}

static struct vmdev_dev *dev_of(struct kunit *test)
{
	return &((struct hw_log_test *)test->priv)->fake.dev;
}

static int hw_log_map(struct vmdev_dev *dev, u64 iova, u64 size, u64 pa)
{
	return vmdev_mem_map(dev, 0, iova, size, pa, VHOST_ACCESS_RW);
}

static int hw_log_init(struct kunit *test)
{
	struct vmdev_dirty_range range = { 0, PAGES * P - 1 };
	struct hw_log_test *t = kunit_kzalloc(test, sizeof(*t), GFP_KERNEL);
	struct vmdev_dev *dev;

	KUNIT_ASSERT_NOT_NULL(test, t);
	test->priv = t;
	dev = &t->fake.dev;
	fake_hw_init(&t->fake, VIRTIO_ID_NET);
	t->ops = fake_hw_ops;
	t->ops.log_start = hw_log_op_start;
	t->ops.log_check = hw_log_op_check;
	t->ops.log_stop = hw_log_op_stop;
	t->fake.hw.ops = &t->ops;
	t->fake.hw.caps.caps = VMDEV_CAP_STATE | VMDEV_CAP_LOG;
	dev->hw = &t->fake.hw;
	vmdev_mem_init(&dev->mem);
	dev->mem.range = (struct vdpa_iova_range) { 0, RANGE - 1 };
	dev->mem.attached = true;
	dev->mem.user = true;
	t->page = (u8 *)get_zeroed_page(GFP_KERNEL);
	t->log = vmdev_dirty_alloc(12, &range, 1);
	KUNIT_ASSERT_TRUE(test, t->page && !IS_ERR(t->log));
	mutex_lock(&t->fake.parent.lock);
	KUNIT_EXPECT_EQ(test, hw_log_map(dev, 0, P, virt_to_phys(t->page)), 0);
	mutex_unlock(&t->fake.parent.lock);
	rcu_assign_pointer(dev->logs[0], t->log);
	return 0;
}

static void hw_log_exit(struct kunit *test)
{
	struct hw_log_test *t = test->priv;

	mutex_lock(&t->fake.parent.lock);
	vmdev_mem_clear(&t->fake.dev, 0);
	mutex_unlock(&t->fake.parent.lock);
	KUNIT_EXPECT_TRUE(test, list_empty(&t->fake.dev.mem.blocks));
	vmdev_mem_destroy(&t->fake.dev.mem);
	vmdev_dirty_free(t->log);
	free_page((unsigned long)t->page);
}

static int hw_log_emit(void *ctx, u64 iova, u64 bits)
{
	*(u64 *)ctx |= bits;
	return 0;
}

/* Bits of the pages of the log; they are clean then. */
static u64 dirty(struct kunit *test)
{
	struct hw_log_test *t = test->priv;
	u64 bits = 0;

	KUNIT_EXPECT_EQ(test, vmdev_dirty_harvest(t->log, 0, PAGES * P - 1, hw_log_emit, &bits),
			0);
	return bits;
}

/* What the hardware does. */
static void hw_sets(struct kunit *test, u64 page)
{
	set_bit(page, (unsigned long *)dev_of(test)->hw_log.bitmap);
}

static void hw_log_expect_none(struct kunit *test)
{
	struct vmdev_dev *dev = dev_of(test);

	vmdev_hw_log_begin(dev);
	KUNIT_EXPECT_NULL(test, dev->hw_log.bitmap);
	KUNIT_EXPECT_FALSE(test, dev->hw_log.off);
}

/* Only where it makes a queue direct that else were in shadow. */
static void hw_log_when_wanted(struct kunit *test)
{
	struct hw_log_test *t = test->priv;
	struct vmdev_dev *dev = dev_of(test);

	rcu_assign_pointer(dev->logs[0], NULL);
	hw_log_expect_none(test);
	rcu_assign_pointer(dev->logs[0], t->log);
	dev->policy = VMDEV_POLICY_SHADOW;
	hw_log_expect_none(test);
	dev->policy = VMDEV_POLICY_AUTO;
	dev->mem.as[0].aliased = 1;
	hw_log_expect_none(test);
	dev->mem.as[0].aliased = 0;
	dev->mem.attached = false;
	hw_log_expect_none(test);
	dev->mem.attached = true;
	dev->mem.group_as[VMDEV_GROUP_DATA] = 1;
	hw_log_expect_none(test);
	dev->mem.group_as[VMDEV_GROUP_DATA] = 0;
	dev->hw->caps.caps &= ~VMDEV_CAP_LOG;
	hw_log_expect_none(test);
	KUNIT_EXPECT_FALSE(test, vmdev_log_by_hw(dev));
	dev->hw->caps.caps |= VMDEV_CAP_LOG;
	/* Its parent tells of each write. */
	t->ops.log_start = NULL;
	hw_log_expect_none(test);
	KUNIT_EXPECT_TRUE(test, vmdev_log_by_hw(dev));
	t->ops.log_start = hw_log_op_start;
	KUNIT_EXPECT_FALSE(test, vmdev_log_by_hw(dev));
	KUNIT_EXPECT_EQ(test, t->starts, 0);
}

/* In the window, for what is mapped; once. */
static void hw_log_begins(struct kunit *test)
{
	struct hw_log_test *t = test->priv;
	struct vmdev_dev *dev = dev_of(test);

	KUNIT_ASSERT_EQ(test, hw_log_map(dev, 0x8000000, P, virt_to_phys(t->page)), 0);
	vmdev_hw_log_begin(dev);
	KUNIT_ASSERT_NOT_NULL(test, dev->hw_log.bitmap);
	KUNIT_EXPECT_TRUE(test, vmdev_log_by_hw(dev));
	KUNIT_EXPECT_EQ(test, t->bitmap, RANGE);
	KUNIT_EXPECT_EQ(test, t->end, RANGE + 2 * P);
	vmdev_hw_log_begin(dev);
	KUNIT_EXPECT_EQ(test, t->starts, 1);
	/* Still wanted. */
	vmdev_hw_log_end(dev);
	KUNIT_EXPECT_EQ(test, t->stops, 0);
	rcu_assign_pointer(dev->logs[0], NULL);
	vmdev_hw_log_end(dev);
	KUNIT_EXPECT_EQ(test, t->stops, 1);
	KUNIT_EXPECT_NULL(test, dev->hw_log.bitmap);
}

/* Each bit once, and those that come last, too. */
static void hw_log_reports(struct kunit *test)
{
	struct hw_log_test *t = test->priv;
	struct vmdev_dev *dev = dev_of(test);

	vmdev_hw_log_begin(dev);
	KUNIT_ASSERT_NOT_NULL(test, dev->hw_log.bitmap);
	hw_sets(test, 3);
	hw_sets(test, 4);
	hw_sets(test, 63);
	/* Not of the log. */
	hw_sets(test, 200);
	KUNIT_EXPECT_EQ(test, dirty(test), 0ULL);
	vmdev_hw_log_sync(dev);
	KUNIT_EXPECT_EQ(test, dirty(test), BIT_ULL(63) | 0x18ULL);
	vmdev_hw_log_sync(dev);
	KUNIT_EXPECT_EQ(test, dirty(test), 0ULL);
	hw_sets(test, 0);
	vmdev_hw_log_stopped(dev, 0);
	KUNIT_EXPECT_EQ(test, t->stops, 1);
	KUNIT_EXPECT_EQ(test, dirty(test), 1ULL);
	KUNIT_EXPECT_NULL(test, dev->hw_log.bitmap);
	vmdev_hw_log_stopped(dev, 0);
	vmdev_hw_log_sync(dev);
	KUNIT_EXPECT_EQ(test, t->stops, 1);
	KUNIT_EXPECT_EQ(test, dirty(test), 0ULL);
}

/* What is gone, or does not stop, may have written anything. */
static void hw_log_lost(struct kunit *test)
{
	struct hw_log_test *t = test->priv;
	struct vmdev_dev *dev = dev_of(test);

	vmdev_hw_log_begin(dev);
	vmdev_hw_log_stopped(dev, -ETIMEDOUT);
	KUNIT_EXPECT_EQ(test, dirty(test), U64_MAX);
	vmdev_hw_log_begin(dev);
	dev->parent->gone = true;
	vmdev_hw_log_sync(dev);
	KUNIT_EXPECT_EQ(test, dirty(test), U64_MAX);
	vmdev_hw_log_stopped(dev, 0);
	KUNIT_EXPECT_EQ(test, dirty(test), U64_MAX);
	/* Nobody asks it. */
	KUNIT_EXPECT_EQ(test, t->stops, 1);
}

static void hw_log_refused(struct kunit *test)
{
	struct hw_log_test *t = test->priv;
	struct vmdev_dev *dev = dev_of(test);

	t->error = -EIO;
	vmdev_hw_log_begin(dev);
	KUNIT_EXPECT_NULL(test, dev->hw_log.bitmap);
	KUNIT_EXPECT_TRUE(test, dev->hw_log.off);
	KUNIT_EXPECT_FALSE(test, vmdev_log_by_hw(dev));
	t->error = 0;
	vmdev_hw_log_begin(dev);
	KUNIT_EXPECT_EQ(test, t->starts, 1);
	KUNIT_EXPECT_EQ(test, t->fake.n_maps, t->fake.n_unmaps + 1);
}

static void hw_log_too_high(struct kunit *test)
{
	struct hw_log_test *t = test->priv;
	struct vmdev_dev *dev = dev_of(test);

	dev->mem.range.last = U64_MAX / 2;
	KUNIT_ASSERT_EQ(test, hw_log_map(dev, 0x20000000000, P, virt_to_phys(t->page)), 0);
	vmdev_hw_log_begin(dev);
	KUNIT_EXPECT_TRUE(test, dev->hw_log.off);
	KUNIT_EXPECT_EQ(test, t->starts, 0);
}

static void hw_log_mapped_later(struct kunit *test)
{
	struct vmdev_dev *dev = dev_of(test);

	KUNIT_EXPECT_FALSE(test, vmdev_hw_log_misses(dev, 0, RANGE - 1));
	vmdev_hw_log_begin(dev);
	KUNIT_EXPECT_FALSE(test, vmdev_hw_log_misses(dev, 0, 0x7ffffff));
	KUNIT_EXPECT_FALSE(test, vmdev_hw_log_misses(dev, 1, 0x8000000));
	KUNIT_EXPECT_TRUE(test, vmdev_log_by_hw(dev));
	KUNIT_EXPECT_TRUE(test, vmdev_hw_log_misses(dev, 0, 0x8000000));
	KUNIT_EXPECT_FALSE(test, vmdev_log_by_hw(dev));
	/* Once is enough. */
	KUNIT_EXPECT_FALSE(test, vmdev_hw_log_misses(dev, 0, 0x8000000));
	/* It ends when no queue is direct any more. */
	dev->vqs[0].direct = true;
	vmdev_hw_log_end(dev);
	KUNIT_EXPECT_NOT_NULL(test, dev->hw_log.bitmap);
	dev->vqs[0].direct = false;
	vmdev_hw_log_end(dev);
	KUNIT_EXPECT_NULL(test, dev->hw_log.bitmap);
	KUNIT_EXPECT_EQ(test, dirty(test), 0ULL);
}

/* It stops by itself: nobody knows when it did. */
static void hw_log_ends_by_itself(struct kunit *test)
{
	struct hw_log_test *t = test->priv;
	struct vmdev_dev *dev = dev_of(test);

	vmdev_hw_log_begin(dev);
	hw_sets(test, 1);
	vmdev_hw_log_sync(dev);
	KUNIT_EXPECT_EQ(test, dirty(test), 2ULL);
	t->ended = true;
	dev->vqs[0].direct = true;
	vmdev_hw_log_sync(dev);
	KUNIT_EXPECT_TRUE(test, dev->hw_log.off);
	KUNIT_EXPECT_EQ(test, dirty(test), U64_MAX);
	/* As long as queues stay where they are. */
	t->ended = false;
	vmdev_hw_log_sync(dev);
	KUNIT_EXPECT_EQ(test, dirty(test), U64_MAX);
	dev->vqs[0].direct = false;
	vmdev_hw_log_end(dev);
	KUNIT_EXPECT_NULL(test, dev->hw_log.bitmap);
	KUNIT_EXPECT_EQ(test, dirty(test), U64_MAX);
	/* The next one is another one. */
	dev->hw_log.off = false;
	vmdev_hw_log_begin(dev);
	vmdev_hw_log_sync(dev);
	KUNIT_EXPECT_EQ(test, dirty(test), 0ULL);
	/* Found by the last look, which is before it is stopped. */
	t->ended = true;
	vmdev_hw_log_check(dev);
	vmdev_hw_log_stopped(dev, 0);
	KUNIT_EXPECT_EQ(test, dirty(test), U64_MAX);
}

/* Of a broken device queues stay: what is mapped then is logged, too. */
static void hw_log_mapped_when_broken(struct kunit *test)
{
	struct vmdev_dev *dev = dev_of(test);

	vmdev_hw_log_begin(dev);
	hw_sets(test, 1);
	vmdev_hw_log_sync(dev);
	KUNIT_EXPECT_EQ(test, dirty(test), 2ULL);
	dev->needs_reset = true;
	vmdev_hw_log_sync(dev);
	KUNIT_EXPECT_EQ(test, dirty(test), 0ULL);
	KUNIT_EXPECT_TRUE(test, vmdev_hw_log_misses(dev, 0, RANGE - 1));
	vmdev_hw_log_sync(dev);
	KUNIT_EXPECT_EQ(test, dirty(test), U64_MAX);
	vmdev_hw_log_sync(dev);
	KUNIT_EXPECT_EQ(test, dirty(test), U64_MAX);
	vmdev_hw_log_stopped(dev, 0);
	KUNIT_EXPECT_EQ(test, dirty(test), U64_MAX);
}

/* --- who is believed ------------------------------------------------------------------- */

static struct vring_used *used_of(struct kunit *test)
{
	return (struct vring_used *)(((struct hw_log_test *)test->priv)->page + 0x400);
}

/* A queue of RING entries, @avail of them available. */
static void hw_log_ring(struct kunit *test, u16 avail)
{
	struct hw_log_test *t = test->priv;
	struct vmdev_vq *vq = &t->fake.vqs[0];

	vq->conf = (struct vmdev_vq_conf) {
		.desc = 0, .driver = 0x200, .device = 0x400, .size = RING, .enabled = true,
	};
	((struct vring_avail *)(t->page + 0x200))->idx = cpu_to_le16(avail);
}

/* The hardware uses @n buffers, with @len bytes each. */
static void hw_uses(struct kunit *test, u16 n, u32 len)
{
	struct vring_used *used = used_of(test);
	u16 at = le16_to_cpu(used->idx);

	while (n--)
		used->ring[at++ % RING].len = cpu_to_le32(len);
	used->idx = cpu_to_le16(at);
}

enum hw_log_verdict { BELIEVED, DOUBTED, CONVICTED };

static void hw_log_is(struct kunit *test, enum hw_log_verdict verdict)
{
	struct vmdev_dev *dev = dev_of(test);

	vmdev_hw_log_sync(dev);
	KUNIT_EXPECT_EQ(test, dev->hw_log.off, verdict == CONVICTED);
	KUNIT_EXPECT_EQ(test, dirty(test), verdict == BELIEVED ? 0ULL : U64_MAX);
}

static void hw_log_lies(struct kunit *test)
{
	struct vmdev_dev *dev = dev_of(test);

	vmdev_hw_log_begin(dev);
	hw_log_ring(test, 0);
	vmdev_hw_log_watch(dev, 0);
	hw_log_is(test, BELIEVED);
	/* What it sent it need not write. */
	hw_uses(test, 3, 0);
	hw_log_is(test, BELIEVED);
	dev->vqs[0].direct = true;
	hw_uses(test, 1, 60);
	hw_log_is(test, CONVICTED);
	/* A bit now and then makes it no better. */
	hw_sets(test, 1);
	hw_log_is(test, CONVICTED);
	dev->vqs[0].direct = false;
	vmdev_hw_log_stopped(dev, 0);
	KUNIT_EXPECT_EQ(test, dirty(test), U64_MAX);
}

/* A queue that hardware let go of at @at. */
static struct vmdev_vq *hw_log_parked(struct kunit *test, u16 at)
{
	struct hw_log_test *t = test->priv;
	struct vmdev_vq *vq = &t->fake.vqs[0];

	hw_log_ring(test, at + RING);
	used_of(test)->idx = cpu_to_le16(at);
	vq->conf.state.split.avail_index = at;
	vq->parked = true;
	t->fake.hw.dma_dev = &t->fake.dev.vdpa.dev;
	return vq;
}

static void hw_log_goes_on(struct kunit *test)
{
	struct vmdev_dev *dev = dev_of(test);
	struct vmdev_vq *vq = hw_log_parked(test, 5);

	vmdev_hw_log_sync(dev);
	KUNIT_EXPECT_EQ(test, dirty(test), 0ULL);
	KUNIT_EXPECT_EQ(test, vmdev_vq_check_parked(dev, 0), 0);
	KUNIT_EXPECT_TRUE(test, vq->parked);
	hw_uses(test, 1, 60);
	vmdev_hw_log_sync(dev);
	KUNIT_EXPECT_TRUE(test, dev->needs_reset);
	KUNIT_EXPECT_EQ(test, dirty(test), U64_MAX);
	/* Once. */
	vmdev_hw_log_sync(dev);
	KUNIT_EXPECT_EQ(test, dirty(test), 0ULL);
}

/* The driver says where it is: it may have gone on with it itself. */
static void hw_log_is_set_anew(struct kunit *test)
{
	struct vmdev_dev *dev = dev_of(test);
	struct vmdev_vq *vq = hw_log_parked(test, U16_MAX);

	vmdev_vq_unpark(dev, 0);
	KUNIT_EXPECT_FALSE(test, vq->parked);
	KUNIT_EXPECT_EQ(test, dirty(test), 0ULL);
	vq->parked = true;
	hw_uses(test, 1, 60);
	vmdev_vq_unpark(dev, 0);
	KUNIT_EXPECT_FALSE(test, dev->needs_reset);
	KUNIT_EXPECT_EQ(test, dirty(test), U64_MAX);
	/* Nobody looks at who is not parked. */
	hw_uses(test, 1, 60);
	vmdev_hw_log_sync(dev);
	KUNIT_EXPECT_EQ(test, dirty(test), 0ULL);
}

static void hw_log_says_where(struct kunit *test)
{
	struct vmdev_vq *vq = hw_log_parked(test, U16_MAX - 2);
	struct vdpa_vq_state state = vq->conf.state;
	struct vmdev_dev *dev = dev_of(test);

	KUNIT_EXPECT_EQ(test, vmdev_vq_check_state(dev, 0, &state), 0);
	KUNIT_EXPECT_EQ(test, dirty(test), 0ULL);
	state.split.avail_index++;
	KUNIT_EXPECT_EQ(test, vmdev_vq_check_state(dev, 0, &state), -EILSEQ);
	KUNIT_EXPECT_EQ(test, dirty(test), U64_MAX);
	/* They agree, and it was given as many as that. */
	hw_uses(test, RING, 60);
	state.split.avail_index = RING - 3;
	KUNIT_EXPECT_EQ(test, vmdev_vq_check_state(dev, 0, &state), 0);
	KUNIT_EXPECT_EQ(test, dirty(test), 0ULL);
	/* And one more. */
	hw_uses(test, 1, 60);
	state.split.avail_index++;
	KUNIT_EXPECT_EQ(test, vmdev_vq_check_state(dev, 0, &state), -EILSEQ);
	KUNIT_EXPECT_EQ(test, dirty(test), U64_MAX);
}

/* Nobody wants to know any more what it wrote. It runs, and has nothing to log. */
static void hw_log_ends_while_it_runs(struct kunit *test)
{
	struct vmdev_dev *dev = dev_of(test);

	vmdev_hw_log_begin(dev);
	hw_log_ring(test, RING);
	vmdev_hw_log_watch(dev, 0);
	rcu_assign_pointer(dev->logs[0], NULL);
	hw_uses(test, 3, 60);
	vmdev_hw_log_end(dev);
	KUNIT_EXPECT_NULL(test, dev->hw_log.bitmap);
	KUNIT_EXPECT_FALSE(test, dev->hw_log.off);
}

/* What is written to an entry of a queue that transmits means nothing. */
static void hw_log_transmits(struct kunit *test)
{
	struct vmdev_dev *dev = dev_of(test);

	vmdev_hw_log_begin(dev);
	vmdev_hw_log_watch(dev, 0);
	KUNIT_EXPECT_TRUE(test, dev->vqs[0].watched);
	vmdev_hw_log_watch(dev, 1);
	KUNIT_EXPECT_FALSE(test, dev->vqs[1].watched);
	vmdev_hw_log_stopped(dev, 0);
	dev->hw->caps.device_id = VIRTIO_ID_BLOCK;
	vmdev_hw_log_begin(dev);
	vmdev_hw_log_watch(dev, 1);
	KUNIT_EXPECT_TRUE(test, dev->vqs[1].watched);
	vmdev_hw_log_stopped(dev, 0);
}

/* Hardware that has @avail buffers, used two, and logged that. */
static void hw_log_believed(struct kunit *test, u16 avail)
{
	struct vmdev_dev *dev = dev_of(test);

	vmdev_hw_log_begin(dev);
	hw_log_ring(test, avail);
	vmdev_hw_log_watch(dev, 0);
	hw_sets(test, 1);
	hw_uses(test, 2, 60);
	vmdev_hw_log_sync(dev);
	KUNIT_EXPECT_EQ(test, dirty(test), 2ULL);
}

/* Queues are stopped one by one. */
static void hw_log_ceases_and_stops(struct kunit *test)
{
	struct vmdev_dev *dev = dev_of(test);

	hw_log_believed(test, 2);
	hw_uses(test, 3, 60);
	/* Honest: the bit is there, and was not taken yet. */
	hw_sets(test, 2);
	vmdev_hw_log_vq_stopped(dev, 0);
	vmdev_hw_log_sync(dev);
	KUNIT_EXPECT_EQ(test, dirty(test), 4ULL);
	dev->vqs[0].conf.state.split.avail_index = 5;
	vmdev_hw_log_watch(dev, 0);
	hw_uses(test, 3, 60);
	vmdev_hw_log_vq_stopped(dev, 0);
	vmdev_hw_log_stopped(dev, 0);
	KUNIT_EXPECT_EQ(test, dirty(test), U64_MAX);
}

/* Found out by the last look, too, and of a queue that is stopped alone. */
static void hw_log_lies_in_the_end(struct kunit *test)
{
	struct vmdev_dev *dev = dev_of(test);

	vmdev_hw_log_begin(dev);
	hw_log_ring(test, 0);
	vmdev_hw_log_watch(dev, 0);
	hw_uses(test, 1, 60);
	vmdev_hw_log_vq_stopped(dev, 0);
	hw_uses(test, 1, 60);
	vmdev_hw_log_stopped(dev, 0);
	KUNIT_EXPECT_TRUE(test, dev->hw_log.off);
	KUNIT_EXPECT_EQ(test, dirty(test), U64_MAX);
}

/* Buffers that it had before may have been written before. */
static void hw_log_believes(struct kunit *test)
{
	struct vmdev_dev *dev = dev_of(test);
	struct vmdev_vq *vq = &dev->vqs[0];

	hw_uses(test, 7, 60);
	hw_log_ring(test, 7 + 5);
	vq->direct = true;
	vmdev_hw_log_begin(dev);
	KUNIT_ASSERT_TRUE(test, vq->counted);
	hw_log_is(test, BELIEVED);
	hw_uses(test, 3, 60);
	hw_log_is(test, DOUBTED);
	hw_log_is(test, BELIEVED);
	hw_uses(test, 2, 60);
	hw_log_is(test, DOUBTED);
	hw_uses(test, 1, 60);
	hw_log_is(test, CONVICTED);
	hw_log_is(test, CONVICTED);
	vq->direct = false;
	vmdev_hw_log_stopped(dev, 0);
}

/* One bit, and it may have been for all that it had. */
static void hw_log_believes_who_logs(struct kunit *test)
{
	struct vmdev_dev *dev = dev_of(test);

	vmdev_hw_log_begin(dev);
	hw_log_ring(test, RING);
	vmdev_hw_log_watch(dev, 0);
	hw_sets(test, 1);
	vmdev_hw_log_sync(dev);
	KUNIT_EXPECT_EQ(test, dirty(test), 2ULL);
	hw_uses(test, RING, 60);
	hw_log_is(test, BELIEVED);
	vmdev_hw_log_stopped(dev, 0);
	KUNIT_EXPECT_EQ(test, dirty(test), 0ULL);
}

/* Nobody can tell where it is: what is not seen is taken for written. */
static void hw_log_cannot_tell(struct kunit *test)
{
	struct vmdev_dev *dev = dev_of(test);

	vmdev_hw_log_begin(dev);
	hw_log_ring(test, 0);
	hw_uses(test, 3, 60);
	vmdev_hw_log_watch(dev, 0);
	hw_log_is(test, DOUBTED);
	dev->vqs[0].conf.state.split.avail_index = 3;
	vmdev_hw_log_watch(dev, 0);
	hw_log_is(test, BELIEVED);
	dev->features = BIT_ULL(VIRTIO_F_RING_PACKED);
	vmdev_hw_log_watch(dev, 0);
	hw_log_is(test, DOUBTED);
	hw_sets(test, 1);
	vmdev_hw_log_stopped(dev, 0);
	KUNIT_EXPECT_EQ(test, dirty(test), 2ULL);
	KUNIT_EXPECT_FALSE(test, dev->hw_log.off);
}

/* Of what it had at the last bit that may have been for this; it was not for what it got later. */
static void hw_log_ceases(struct kunit *test)
{
	struct vmdev_dev *dev = dev_of(test);

	hw_log_believed(test, 4);
	hw_uses(test, 1, 60);
	hw_log_is(test, BELIEVED);
	hw_uses(test, 1, 60);
	hw_log_is(test, BELIEVED);
	hw_uses(test, 3, 0);
	hw_log_is(test, BELIEVED);
	dev->vqs[0].direct = true;
	hw_uses(test, 1, 60);
	hw_log_is(test, CONVICTED);
	dev->vqs[0].direct = false;
	vmdev_hw_log_stopped(dev, 0);
	KUNIT_EXPECT_EQ(test, dirty(test), U64_MAX);
}

/* Each stage of a case is a thread of its own, so each has to take the lock itself. */
#define LOCKED(_case)							\
	static void _case##_locked(struct kunit *test)			\
	{								\
		mutex_lock(&dev_of(test)->parent->lock);		\
		_case(test);						\
		mutex_unlock(&dev_of(test)->parent->lock);		\
	}

LOCKED(hw_log_when_wanted)
LOCKED(hw_log_begins)
LOCKED(hw_log_reports)
LOCKED(hw_log_lost)
LOCKED(hw_log_refused)
LOCKED(hw_log_too_high)
LOCKED(hw_log_mapped_later)
LOCKED(hw_log_ends_by_itself)
LOCKED(hw_log_mapped_when_broken)
LOCKED(hw_log_lies)
LOCKED(hw_log_goes_on)
LOCKED(hw_log_is_set_anew)
LOCKED(hw_log_says_where)
LOCKED(hw_log_ends_while_it_runs)
LOCKED(hw_log_transmits)
LOCKED(hw_log_ceases_and_stops)
LOCKED(hw_log_lies_in_the_end)
LOCKED(hw_log_believes)
LOCKED(hw_log_believes_who_logs)
LOCKED(hw_log_cannot_tell)
LOCKED(hw_log_ceases)

static struct kunit_case hw_log_cases[] = {
	KUNIT_CASE(hw_log_when_wanted_locked),
	KUNIT_CASE(hw_log_begins_locked),
	KUNIT_CASE(hw_log_reports_locked),
	KUNIT_CASE(hw_log_lost_locked),
	KUNIT_CASE(hw_log_refused_locked),
	KUNIT_CASE(hw_log_too_high_locked),
	KUNIT_CASE(hw_log_mapped_later_locked),
	KUNIT_CASE(hw_log_ends_by_itself_locked),
	KUNIT_CASE(hw_log_mapped_when_broken_locked),
	KUNIT_CASE(hw_log_lies_locked),
	KUNIT_CASE(hw_log_goes_on_locked),
	KUNIT_CASE(hw_log_is_set_anew_locked),
	KUNIT_CASE(hw_log_says_where_locked),
	KUNIT_CASE(hw_log_ends_while_it_runs_locked),
	KUNIT_CASE(hw_log_transmits_locked),
	KUNIT_CASE(hw_log_ceases_and_stops_locked),
	KUNIT_CASE(hw_log_lies_in_the_end_locked),
	KUNIT_CASE(hw_log_believes_locked),
	KUNIT_CASE(hw_log_believes_who_logs_locked),
	KUNIT_CASE(hw_log_cannot_tell_locked),
	KUNIT_CASE(hw_log_ceases_locked),
	{}
};

static struct kunit_suite vmdev_hw_log_suite = {
	.name = "vmdev_hw_log",
	.init = hw_log_init,
	.exit = hw_log_exit,
	.test_cases = hw_log_cases,
};

kunit_test_suite(vmdev_hw_log_suite);
