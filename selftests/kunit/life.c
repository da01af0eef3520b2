// SPDX-License-Identifier: GPL-2.0
/*
 * The life of a device, as its driver and its hardware bring it about (drivers/core/device.c,
 * queue.c, event.c and what they need): what a start that fails leaves behind, what is logged of
 * queues that end in another way than by suspend, and how much is done with interrupts off. The
 * reference is the kernel-doc there and vmdev_hw_ops (vmdev/hw.h). In the kernel only.
 */
#include "kunit.h"

#include <linux/kthread.h>
#include <linux/workqueue.h>
#include <uapi/linux/vhost_types.h>

/* Other suites have stand-ins of that name. */
#define vmdev_break		life_break
#define vmdev_any_direct	life_any_direct
#define vmdev_paths_update	life_paths_update

#include "../../drivers/core/device.c"
#include "../../drivers/core/event.c"
#include "../../drivers/core/handover.c"
#include "../../drivers/core/home.c"
#include "../../drivers/core/idle.c"
#include "../../drivers/core/queue.c"
#include "../../drivers/core/queue_state.c"
#include "../../drivers/core/shadow_setup.c"
#include "../../drivers/core/taken.c"

/* What is left for later stays so. */
static bool see_work(struct workqueue_struct *wq, struct work_struct *work);

#define queue_work		see_work
#include "../../drivers/core/shadow.c"
#undef queue_work

#include "fake_guest.h"
#include "fake_hw.h"

#define LAST		0x7fffffffULL
#define NUM		128
#define PAGES		64
#define PAGE_BIT(page)	BIT_ULL((GUEST_IOVA / GUEST_PAGE + (page)) % 64)
/* VERSION_1, ACCESS_PLATFORM */
#define FEATURES	(BIT_ULL(32) | BIT_ULL(33))

/**
 * struct life_test - a block device, its driver, and the log of its memory
 * @fake: the device
 * @ops: of its hardware
 * @vq_confs: what vmdev_dev.hw_vqs is
 * @states: likewise
 * @g: the driver
 * @other: a page of other memory
 * @log: the log: 64 pages, from the first one of the driver's memory on
 * @start_error: what start returns
 * @irq_error: what irq_request returns
 * @stop_error: what stop returns
 * @requests: calls of irq_request
 * @releases: of irq_release
 * @stops: of stop
 * @kicks: kicks
 * @serve: what a kick of queue 0 does
 * @logs: it logs what it writes
 * @works: how often work was left for later
 */
struct life_test {
	struct fake_hw fake;
	struct vmdev_hw_ops ops;
	struct vmdev_vq_conf vq_confs[FAKE_QUEUES];
	struct vdpa_vq_state states[FAKE_QUEUES];
	struct fake_guest g;
	u8 *other;
	struct vmdev_dirty *log;
	int start_error;
	int irq_error;
	int stop_error;
	u32 requests;
	u32 releases;
	u32 stops;
	u32 kicks;
	void (*serve)(struct life_test *t);
	bool logs;
	u32 works;
};

static struct life_test *now;

static bool see_work(struct workqueue_struct *wq, struct work_struct *work)
{
	now->works++;
	return true;
}

/* Of ctl.c. */
void vmdev_ctl_note_paths(struct vmdev_dev *dev)
{
}

struct vmdev_dev *vmdev_ctl_dev_of(struct device *dev)
{
	return vmdev_dev(dev_to_vdpa(dev));
}

/* --- the hardware --------------------------------------------------------------------- */

static int life_op_negotiate(struct vmdev_hw *hw, u64 features)
{
	return 0;
}

static int life_op_start(struct vmdev_hw *hw, const struct vmdev_hw_conf *conf)
{
	return now->start_error;
}

/* A reset ends its log. Its queues were never given anything. */
static int life_op_stop(struct vmdev_hw *hw, struct vdpa_vq_state *states)
{
	now->stops++;
	if (!now->stop_error && !states)
		now->logs = false;
	if (!now->stop_error && states)
		memset(states, 0, sizeof(now->states));
	return now->stop_error;
}

static int life_op_irq_request(struct vmdev_hw *hw)
{
	now->requests++;
	return now->irq_error;
}

static void life_op_irq_release(struct vmdev_hw *hw)
{
	now->releases++;
}

static void life_op_kick(struct vmdev_hw *hw, u16 vq)
{
	now->kicks++;
	if (now->serve)
		now->serve(now);
}

static u8 life_op_status(struct vmdev_hw *hw)
{
	return 0xf;
}

static int life_op_log_start(struct vmdev_hw *hw, u64 bitmap, u64 end)
{
	now->logs = true;
	return 0;
}

static bool life_op_log_check(struct vmdev_hw *hw)
{
	return now->logs;
}

static void life_op_log_stop(struct vmdev_hw *hw)
{
	now->logs = false;
}

static void life_hw_init(struct life_test *t)
{
	t->ops = fake_hw_ops;
	t->ops.negotiate = life_op_negotiate;
	t->ops.start = life_op_start;
	t->ops.stop = life_op_stop;
	t->ops.irq_request = life_op_irq_request;
	t->ops.irq_release = life_op_irq_release;
	t->ops.kick = life_op_kick;
	t->ops.status = life_op_status;
	t->ops.log_start = life_op_log_start;
	t->ops.log_check = life_op_log_check;
	t->ops.log_stop = life_op_log_stop;
	fake_hw_init(&t->fake, VIRTIO_ID_BLOCK);
	t->fake.hw.ops = &t->ops;
	t->fake.hw.caps.vq_align = 4096;
	t->fake.hw.caps.features = FEATURES;
	t->fake.hw.dma_dev = &t->fake.dev.vdpa.dev;
}

/* --- the device ----------------------------------------------------------------------- */

static struct vmdev_dev *dev_of(struct life_test *t)
{
	return &t->fake.dev;
}

static struct vdpa_device *vdpa_of(struct life_test *t)
{
	return &t->fake.dev.vdpa;
}

static int map(struct life_test *t, unsigned int page, u8 *va)
{
	return vmdev_vdpa_ops.dma_map(vdpa_of(t), 0, guest_iova(page), GUEST_PAGE,
				      virt_to_phys(va), VHOST_ACCESS_RW, NULL);
}

static int unmap(struct life_test *t, unsigned int page)
{
	return vmdev_vdpa_ops.dma_unmap(vdpa_of(t), 0, guest_iova(page), GUEST_PAGE);
}

static void life_dev_init(struct kunit *test, struct life_test *t)
{
	struct vmdev_parent *parent = &t->fake.parent;
	struct vmdev_dev *dev = dev_of(t);
	u16 i;

	vmdev_mem_init(&dev->mem);
	dev->mem.range = (struct vdpa_iova_range) { 0, LAST };
	dev->mem.attached = true;
	dev->mem.user = true;
	dev->hw = &t->fake.hw;
	dev->hw_vqs = t->vq_confs;
	dev->states = t->states;
	dev->vdpa.nas = 1;
	dev->vdpa.ngroups = 1;
	dev->prov.features = FEATURES;
	spin_lock_init(&dev->cb_lock);
	vmdev_set_cb(&dev->cb_lock, &dev->config_cb, NULL);
	vmdev_vqs_init(dev);
	spin_lock_init(&parent->dev_lock);
	INIT_WORK(&parent->break_work, vmdev_break_host);
	vmdev_home_init(parent);
	parent->dev = dev;
	for (i = 0; i < GUEST_PAGES; i++)
		KUNIT_ASSERT_EQ(test, map(t, i, t->g.page[i]), 0);
}

static int life_init(struct kunit *test)
{
	struct vmdev_dirty_range range = { 0, 0 };
	struct life_test *t = kunit_kzalloc(test, sizeof(*t), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, t);
	test->priv = t;
	now = t;
	life_hw_init(t);
	KUNIT_ASSERT_TRUE(test, guest_alloc(&t->g));
	t->g.num = NUM;
	t->other = (u8 *)get_zeroed_page(GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, t->other);
	range.first = GUEST_IOVA;
	range.last = GUEST_IOVA + PAGES * GUEST_PAGE - 1;
	t->log = vmdev_dirty_alloc(12, &range, 1);
	KUNIT_ASSERT_FALSE(test, IS_ERR(t->log));
	life_dev_init(test, t);
	return 0;
}

/* Whatever a test did: nothing is left of it. */
static void life_exit(struct kunit *test)
{
	struct life_test *t = test->priv;
	struct vmdev_dev *dev = dev_of(t);
	u16 i;

	t->stop_error = 0;
	vmdev_vdpa_ops.reset(vdpa_of(t));
	cancel_work_sync(&t->fake.parent.break_work);
	vmdev_home_quiesce(&t->fake.parent);
	vmdev_vdpa_ops.reset_map(vdpa_of(t), 0);
	KUNIT_EXPECT_TRUE(test, list_empty(&dev->mem.blocks));
	for (i = 0; i < dev->nvqs; i++)
		vmdev_shadow_free(&dev->vqs[i]);
	vmdev_mem_destroy(&dev->mem);
	RCU_INIT_POINTER(dev->logs[0], NULL);
	vmdev_dirty_free(t->log);
	free_page((unsigned long)t->other);
	guest_free(&t->g);
}

/* Up to DRIVER_OK with queue 0; the status then. */
static u8 driver_ok(struct life_test *t)
{
	static const u8 steps[] = { 1, 3, 11, 15 };
	struct vdpa_device *vdpa = vdpa_of(t);
	unsigned int i;

	guest_clear(&t->g, false);
	vmdev_vdpa_ops.set_driver_features(vdpa, FEATURES);
	vmdev_vdpa_ops.set_vq_address(vdpa, 0, guest_iova(GUEST_DESC), guest_iova(GUEST_DRIVER),
				      guest_iova(GUEST_DEVICE));
	vmdev_vdpa_ops.set_vq_num(vdpa, 0, NUM);
	vmdev_vdpa_ops.set_vq_ready(vdpa, 0, true);
	for (i = 0; i < ARRAY_SIZE(steps); i++)
		vmdev_vdpa_ops.set_status(vdpa, steps[i]);
	return vmdev_vdpa_ops.get_status(vdpa);
}

/* --- the log -------------------------------------------------------------------------- */

static void life_log(struct life_test *t)
{
	rcu_assign_pointer(dev_of(t)->logs[0], t->log);
}

static int life_emit(void *ctx, u64 iova, u64 bits)
{
	*(u64 *)ctx |= bits;
	return 0;
}

/* Pages of the log, as PAGE_BIT(); they are clean then. */
static u64 dirty(struct kunit *test)
{
	struct life_test *t = test->priv;
	u64 bits = 0;

	KUNIT_EXPECT_EQ(test,
			vmdev_dirty_harvest(t->log, GUEST_IOVA, GUEST_IOVA + PAGES * GUEST_PAGE - 1,
					    life_emit, &bits), 0);
	return bits;
}

static u64 report(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, fake_log_ops->sync(dev_of(test->priv), 0), 0);
	return dirty(test);
}

/* --- cases ---------------------------------------------------------------------------- */

/* Nobody handles interrupts of a device that does not run. */
static void life_start_fails(struct kunit *test)
{
	struct life_test *t = test->priv;

	dev_of(t)->policy = VMDEV_POLICY_SHADOW;
	t->start_error = -EIO;
	KUNIT_EXPECT_EQ(test, driver_ok(t) & 0xc, 8);
	KUNIT_EXPECT_EQ(test, t->requests, 1);
	KUNIT_EXPECT_EQ(test, t->releases, 1);
	vmdev_vdpa_ops.reset(vdpa_of(t));
	t->start_error = 0;
	KUNIT_EXPECT_EQ(test, driver_ok(t), 15);
	t->releases = 0;
	/* Somebody may know of those of one that ran. */
	KUNIT_EXPECT_EQ(test, vmdev_vdpa_ops.suspend(vdpa_of(t)), 0);
	t->start_error = -EIO;
	KUNIT_EXPECT_EQ(test, vmdev_vdpa_ops.resume(vdpa_of(t)), -EIO);
	KUNIT_EXPECT_EQ(test, t->releases, 0);
}

/* The core has written to a ring that nobody runs. */
static void life_start_fails_when_prepared(struct kunit *test)
{
	struct life_test *t = test->priv;
	struct vmdev_dev *dev = dev_of(t);

	/* Its parent tells of each buffer. */
	t->ops.log_start = NULL;
	t->fake.hw.caps.caps = VMDEV_CAP_LOG;
	dev->policy = VMDEV_POLICY_DIRECT;
	life_log(t);
	t->irq_error = -ENOMEM;
	KUNIT_EXPECT_EQ(test, driver_ok(t) & 0xc, 8);
	KUNIT_EXPECT_EQ(test, t->g.page[GUEST_DEVICE][4], 0xff);
	KUNIT_EXPECT_EQ(test, dirty(test), PAGE_BIT(GUEST_DEVICE));
}

/* A queue runs straight on hardware that logs, and has written a page. */
static void life_run_logged(struct kunit *test)
{
	struct life_test *t = test->priv;
	struct vmdev_dev *dev = dev_of(t);

	t->fake.hw.caps.caps = VMDEV_CAP_STATE | VMDEV_CAP_LOG;
	life_log(t);
	KUNIT_ASSERT_EQ(test, driver_ok(t), 15);
	KUNIT_ASSERT_NOT_NULL(test, dev->hw_log.bitmap);
	KUNIT_ASSERT_TRUE(test, dev->vqs[0].direct);
	dirty(test);
	set_bit(GUEST_IOVA / GUEST_PAGE + GUEST_IN, (unsigned long *)dev->hw_log.bitmap);
}

/* Who goes is stopped: what it logged is fetched, and it is not blamed for what a reset does. */
static void life_leaves(struct kunit *test)
{
	struct life_test *t = test->priv;
	struct vmdev_dev *dev = dev_of(t);

	life_run_logged(test);
	vmdev_parent_leave(&t->fake.hw);
	KUNIT_EXPECT_EQ(test, t->stops, 1);
	KUNIT_EXPECT_EQ(test, report(test), PAGE_BIT(GUEST_IN) | PAGE_BIT(GUEST_DEVICE));
	KUNIT_EXPECT_FALSE(test, dev->hw_log.off);
	vmdev_vdpa_ops.reset(vdpa_of(t));
	KUNIT_EXPECT_EQ(test, dirty(test), PAGE_BIT(GUEST_DEVICE));
}

/* What it wrote last may have no bit. */
static void life_leaves_and_goes_on(struct kunit *test)
{
	struct life_test *t = test->priv;

	life_run_logged(test);
	t->stop_error = -ETIMEDOUT;
	vmdev_parent_leave(&t->fake.hw);
	KUNIT_EXPECT_EQ(test, report(test), U64_MAX);
}

static void life_goes_offline(struct kunit *test)
{
	struct life_test *t = test->priv;

	life_run_logged(test);
	vmdev_parent_offline(&t->fake.hw, "a test", true);
	KUNIT_EXPECT_EQ(test, t->stops, 1);
	KUNIT_EXPECT_EQ(test, report(test), PAGE_BIT(GUEST_IN) | PAGE_BIT(GUEST_DEVICE));
	vmdev_parent_online(&t->fake.hw);
	vmdev_vdpa_ops.reset(vdpa_of(t));
	dirty(test);
	life_run_logged(test);
	vmdev_parent_offline(&t->fake.hw, "a test", false);
	KUNIT_EXPECT_EQ(test, report(test), U64_MAX);
	vmdev_parent_online(&t->fake.hw);
}

/* Nothing more comes back of what hardware has, and it may have written to it. */
static void life_broken_in_shadow(struct kunit *test)
{
	const struct guest_seg seg[] = {
		{ guest_iova(GUEST_OUT), 16 },
		{ guest_iova(GUEST_IN), 512, true },
	};
	struct life_test *t = test->priv;
	struct vmdev_dev *dev = dev_of(t);

	dev->policy = VMDEV_POLICY_SHADOW;
	life_log(t);
	KUNIT_ASSERT_EQ(test, driver_ok(t), 15);
	dirty(test);
	guest_offer(&t->g, seg, 2);
	vmdev_vdpa_ops.kick_vq(vdpa_of(t), 0);
	KUNIT_ASSERT_EQ(test, dev->vqs[0].shadow->hw.out, 1);
	/* It tells when it is done. */
	KUNIT_EXPECT_EQ(test, report(test), PAGE_BIT(GUEST_DEVICE));
	life_break(dev, "a test");
	KUNIT_EXPECT_EQ(test, report(test), PAGE_BIT(GUEST_DEVICE) | PAGE_BIT(GUEST_IN));
	/* It may go on. */
	KUNIT_EXPECT_EQ(test, report(test), PAGE_BIT(GUEST_DEVICE) | PAGE_BIT(GUEST_IN));
}

/* What is where a ring was is another one's. */
static void life_parked_is_unmapped(struct kunit *test)
{
	struct life_test *t = test->priv;
	struct vmdev_dev *dev = dev_of(t);

	t->fake.hw.caps.caps = VMDEV_CAP_STATE;
	KUNIT_ASSERT_EQ(test, driver_ok(t), 15);
	KUNIT_ASSERT_EQ(test, vmdev_vdpa_ops.suspend(vdpa_of(t)), 0);
	KUNIT_ASSERT_TRUE(test, dev->vqs[0].parked);
	/* Other memory goes. */
	KUNIT_EXPECT_EQ(test, unmap(t, GUEST_OUT), 0);
	KUNIT_EXPECT_TRUE(test, dev->vqs[0].parked);
	KUNIT_EXPECT_EQ(test, unmap(t, GUEST_DEVICE), 0);
	memset(t->other, 0x55, GUEST_PAGE);
	KUNIT_EXPECT_EQ(test, map(t, GUEST_DEVICE, t->other), 0);
	report(test);
	KUNIT_EXPECT_FALSE(test, dev->needs_reset);
	/* That its hardware went on with it is still seen. */
	life_log(t);
	dev->vqs[0].parked = true;
	KUNIT_EXPECT_EQ(test, unmap(t, GUEST_DEVICE), 0);
	KUNIT_EXPECT_EQ(test, dirty(test), U64_MAX);
}

/* Memory that is mapped page by page: so many of them, all the same one. */
#define BIG		(GUEST_IOVA + 0x100000ULL)
#define BIG_PAGES	(VMDEV_SHADOW_LOOKS * VMDEV_SHADOW_BUDGET)

static void life_map_big(struct kunit *test)
{
	struct life_test *t = test->priv;
	u32 i, failed = 0;

	for (i = 0; i < BIG_PAGES; i++)
		failed += !!vmdev_vdpa_ops.dma_map(vdpa_of(t), 0, BIG + i * GUEST_PAGE, GUEST_PAGE,
						   virt_to_phys(t->other), VHOST_ACCESS_RW, NULL);
	KUNIT_ASSERT_EQ(test, failed, 0);
}

/* Buffers that the hardware has after one more go. */
static u16 life_carried(struct life_test *t)
{
	struct vmdev_shadow *s = dev_of(t)->vqs[0].shadow;

	t->works = 0;
	vmdev_vdpa_ops.kick_vq(vdpa_of(t), 0);
	return s->hw.out;
}

/* What is done at once with interrupts off is bounded, whatever it costs to find a buffer. */
static void life_dear_buffers(struct kunit *test)
{
	const struct guest_seg big = { BIG, BIG_PAGES * GUEST_PAGE };
	const struct guest_seg fair = { BIG, 2 * VMDEV_SHADOW_LOOKS * GUEST_PAGE };
	const struct guest_seg small = { guest_iova(GUEST_OUT), 16 };
	struct life_test *t = test->priv;
	u16 i, out;

	life_map_big(test);
	dev_of(t)->policy = VMDEV_POLICY_SHADOW;
	KUNIT_ASSERT_EQ(test, driver_ok(t), 15);
	for (i = 0; i < 3; i++)
		guest_offer(&t->g, &big, 1);
	for (i = 0; i < 8; i++)
		guest_offer(&t->g, &small, 1);
	/* Each of these takes all that is to be done in one go. */
	for (i = 1; i <= 3; i++) {
		KUNIT_EXPECT_EQ(test, life_carried(t), i);
		KUNIT_EXPECT_EQ(test, t->works, 1);
	}
	KUNIT_EXPECT_EQ(test, life_carried(t), 3 + 8);
	KUNIT_EXPECT_EQ(test, t->works, 0);
	/* Fewer of what costs more than a chain. */
	for (i = 0; i < VMDEV_SHADOW_BUDGET; i++)
		guest_offer(&t->g, &fair, 1);
	out = life_carried(t) - 3 - 8;
	KUNIT_EXPECT_GE(test, out, VMDEV_SHADOW_BUDGET / 4);
	KUNIT_EXPECT_LT(test, out, 3 * VMDEV_SHADOW_BUDGET / 4);
	KUNIT_EXPECT_EQ(test, t->works, 1);
	KUNIT_EXPECT_EQ(test, life_carried(t), 3 + 8 + VMDEV_SHADOW_BUDGET);
}

/* --- what a disk took ------------------------------------------------------------------- */

static __le16 *ring_index(struct life_test *t, int page, u16 at)
{
	return (__le16 *)(t->g.page[page] + at);
}

static u16 ring_avail(struct life_test *t)
{
	return le16_to_cpu(*ring_index(t, GUEST_DRIVER, 2));
}

/* Available and used index, and for which buffer the device wants a kick. */
static void ring_is(struct life_test *t, u16 avail, u16 used, u16 event)
{
	*ring_index(t, GUEST_DRIVER, 2) = cpu_to_le16(avail);
	*ring_index(t, GUEST_DEVICE, 2) = cpu_to_le16(used);
	*ring_index(t, GUEST_DEVICE, 4 + 8 * NUM) = cpu_to_le16(event);
}

/* A disk that works straight on its driver's ring, and has no ring states. */
static struct vmdev_vq *disk_runs(struct kunit *test)
{
	struct life_test *t = test->priv;
	struct vmdev_dev *dev = dev_of(t);

	t->fake.hw.caps.caps = VMDEV_CAP_RING_RESET;
	t->fake.hw.caps.features |= BIT_ULL(VIRTIO_RING_F_EVENT_IDX);
	dev->policy = VMDEV_POLICY_DIRECT;
	KUNIT_ASSERT_EQ(test, driver_ok(t), 15);
	KUNIT_ASSERT_TRUE(test, dev->vqs[0].direct);
	dev->features |= BIT_ULL(VIRTIO_RING_F_EVENT_IDX);
	return &dev->vqs[0];
}

static bool disk_learns(struct life_test *t, u16 avail, u16 used, u16 event)
{
	ring_is(t, avail, used, event);
	vmdev_vq_learn_taken(dev_of(t), 0);
	return dev_of(t)->vqs[0].tells_taken;
}

static void life_disk_tells(struct kunit *test)
{
	struct life_test *t = test->priv;

	disk_runs(test);
	KUNIT_EXPECT_FALSE(test, disk_learns(t, 10, 0, 5));
	KUNIT_EXPECT_FALSE(test, disk_learns(t, 12, 2, 5));
	KUNIT_EXPECT_FALSE(test, disk_learns(t, 12, 5, 5));
	KUNIT_EXPECT_TRUE(test, disk_learns(t, 12, 6, 12));
}

/* Never written; written late; beyond what there is. */
static void life_disk_does_not_tell(struct kunit *test)
{
	struct life_test *t = test->priv;

	disk_runs(test);
	KUNIT_EXPECT_FALSE(test, disk_learns(t, 10, 0xfff0, 0));
	KUNIT_EXPECT_FALSE(test, disk_learns(t, 20, 0xfff8, 0));
	KUNIT_EXPECT_FALSE(test, disk_learns(t, 24, 20, 19));
	KUNIT_EXPECT_FALSE(test, disk_learns(t, 24, 20, 20));
	KUNIT_EXPECT_FALSE(test, disk_learns(t, 24, 20, 25));
	KUNIT_EXPECT_FALSE(test, disk_learns(t, 24 + NUM, 20, 21));
}

/* Where it was stopped, or -1. */
static int disk_was_at(struct life_test *t, u16 avail, u16 used, u16 event)
{
	u16 index;

	ring_is(t, avail, used, event);
	return vmdev_vq_disk_state(dev_of(t), 0, &index) ? -1 : index;
}

static void life_disk_state(struct kunit *test)
{
	struct life_test *t = test->priv;
	struct vmdev_vq *vq = disk_runs(test);

	KUNIT_EXPECT_EQ(test, disk_was_at(t, 5, 5, 0), 5);
	KUNIT_EXPECT_EQ(test, disk_was_at(t, 9, 5, 5), -1);
	vq->idle_seen = true;
	vq->idle_at = 5;
	KUNIT_EXPECT_EQ(test, disk_was_at(t, 9, 5, 0), 5);
	KUNIT_EXPECT_EQ(test, disk_was_at(t, 9, 6, 0), -1);
	KUNIT_EXPECT_EQ(test, disk_was_at(t, 6 + NUM, 5, 0), -1);
	vq->doorbell = true;
	KUNIT_EXPECT_EQ(test, disk_was_at(t, 9, 5, 5), -1);
	vq->tells_taken = true;
	KUNIT_EXPECT_EQ(test, disk_was_at(t, 9, 5, 5), 5);
	KUNIT_EXPECT_EQ(test, disk_was_at(t, 9, 5, 6), -1);
	KUNIT_EXPECT_EQ(test, disk_was_at(t, 9, 6, 6), 6);
	vq->doorbell = false;
}

/* It has done all at once, and its driver offers more. */
static void disk_serves(struct life_test *t)
{
	u16 avail = ring_avail(t);

	ring_is(t, avail + 3, avail, avail);
}

static int disk_drain(struct life_test *t)
{
	int err;

	mutex_lock(&t->fake.parent.lock);
	err = vmdev_drain(dev_of(t));
	mutex_unlock(&t->fake.parent.lock);
	return err;
}

static void life_disk_drains(struct kunit *test)
{
	struct life_test *t = test->priv;
	struct vmdev_vq *vq = disk_runs(test);
	u16 index, drained;

	disk_learns(t, 10, 0, 5);
	disk_learns(t, 10, 5, 6);
	KUNIT_ASSERT_TRUE(test, vq->tells_taken);
	t->serve = disk_serves;
	t->kicks = 0;
	KUNIT_EXPECT_EQ(test, disk_drain(t), 0);
	/* When the drain began, and after kicks were withheld. */
	KUNIT_EXPECT_EQ(test, t->kicks, 2);
	KUNIT_EXPECT_FALSE(test, vq->live);
	drained = vq->idle_at;
	KUNIT_EXPECT_EQ(test, vmdev_vq_disk_state(dev_of(t), 0, &index), 0);
	KUNIT_EXPECT_EQ(test, index, drained);
	KUNIT_EXPECT_EQ(test, (u16)(ring_avail(t) - index), 3);
}

/* It took one of those three, and tells so when it is done. */
static void disk_is_late(struct life_test *t)
{
	u16 avail = ring_avail(t);

	ring_is(t, avail + 3, avail, avail);
	dev_of(t)->vqs[0].tells_taken = false;
}

static void life_disk_does_not_drain(struct kunit *test)
{
	struct life_test *t = test->priv;
	struct vmdev_vq *vq = disk_runs(test);

	ring_is(t, 10, 5, 5);
	t->serve = disk_is_late;
	KUNIT_EXPECT_EQ(test, disk_drain(t), -EBUSY);
	KUNIT_EXPECT_TRUE(test, vq->live);
	KUNIT_EXPECT_FALSE(test, vq->idle_seen);
	KUNIT_EXPECT_FALSE(test, dev_of(t)->needs_reset);
}

/* --- memory that changes ---------------------------------------------------------------- */

static int index_driver(void *data)
{
	u16 *index = data;

	while (!kthread_should_stop()) {
		WRITE_ONCE(*index, 0x00ff);
		WRITE_ONCE(*index, 0x0100);
		cond_resched();
	}
	return 0;
}

/* An index that goes from 0x00ff to 0x0100 is never 0x0000 or 0x01ff. */
static void life_index_at_once(struct kunit *test)
{
	struct life_test *t = test->priv;
	struct task_struct *driver;
	int i, odd = 0;
	u16 is = 0;

	*(u16 *)t->g.page[GUEST_DRIVER] = 0x00ff;
	driver = kthread_run(index_driver, t->g.page[GUEST_DRIVER], "vmdev_kunit");
	KUNIT_ASSERT_FALSE(test, IS_ERR(driver));
	for (i = 0; i < 500000; i++) {
		odd += !!vmdev_as_read(&dev_of(t)->mem.as[0], guest_iova(GUEST_DRIVER), &is,
				       sizeof(is), 0);
		odd += is != 0x00ff && is != 0x0100;
		cond_resched();
	}
	kthread_stop(driver);
	KUNIT_EXPECT_EQ(test, odd, 0);
}

static struct kunit_case life_cases[] = {
	KUNIT_CASE(life_start_fails),
	KUNIT_CASE(life_start_fails_when_prepared),
	KUNIT_CASE(life_leaves),
	KUNIT_CASE(life_leaves_and_goes_on),
	KUNIT_CASE(life_goes_offline),
	KUNIT_CASE(life_broken_in_shadow),
	KUNIT_CASE(life_parked_is_unmapped),
	KUNIT_CASE(life_dear_buffers),
	KUNIT_CASE(life_disk_tells),
	KUNIT_CASE(life_disk_does_not_tell),
	KUNIT_CASE(life_disk_state),
	KUNIT_CASE(life_disk_drains),
	KUNIT_CASE(life_disk_does_not_drain),
	KUNIT_CASE(life_index_at_once),
	{}
};

static struct kunit_suite vmdev_life_suite = {
	.name = "vmdev_life",
	.init = life_init,
	.exit = life_exit,
	.test_cases = life_cases,
};

kunit_test_suite(vmdev_life_suite);
