// SPDX-License-Identifier: GPL-2.0
/*
 * The driver's control queue as the core serves it (drivers/core/netctrl.c): a
 * guest with a ring in memory of its own on one side, hardware on the other. The
 * references are the kernel-doc there and virtio 1.3: 5.1.6.5 (commands; an answer
 * is 0 or 1), 2.7 and 2.8 (rings), 5.1.4 (configuration).
 */
#include "kunit.h"

#include <linux/workqueue.h>
#include <uapi/linux/vhost_types.h>

#include "../../drivers/core/vring.c"
#undef VMDEV_HAS
#include "../../drivers/core/vring_packed.c"
#include "../../drivers/core/vring_split.c"
#include "../../drivers/core/ring_mem.c"
#include "fake_ctrl.h"
#include "fake_guest.h"

/* What becomes of it is the business of other files, and of the kernel's. */
static void see_mark(struct vmdev_dev *dev, unsigned int asid, u64 iova, u64 len);
static void see_ring(struct vmdev_dev *dev, u16 i);
static void see_call(spinlock_t *lock, const struct vdpa_callback *cb);
static void see_break(struct vmdev_dev *dev, const char *why);
static bool see_mod(struct workqueue_struct *wq, struct delayed_work *work, unsigned long delay);
static bool see_schedule(struct delayed_work *work, unsigned long delay);

#undef mod_delayed_work
#undef schedule_delayed_work
#define mod_delayed_work		see_mod
#define schedule_delayed_work		see_schedule
#define vmdev_log_mark			see_mark
#define vmdev_log_ring			see_ring
#define vmdev_call			see_call
#define vmdev_break			see_break
#include "../../drivers/core/netctrl.c"

#define B(n)		BIT_ULL(n)
/* 5.1.3 and 6: feature bits. */
#define CTRL_VQ		B(17)
#define MQ		B(22)
#define GUEST_ANNOUNCE	B(21)
#define MAC_ADDR	B(23)
#define EVENT_IDX	B(29)
#define NOTIFICATION_DATA	B(38)
#define FEATURES	(B(5) | CTRL_VQ | B(18) | B(19) | B(20) | MAC_ADDR | B(52) | B(53))

#define LAST	0x7fffffffULL

#define NUM	16
#define MARKS	64

/**
 * struct net_test - guest, core, hardware
 * @c: the hardware, and the device
 * @hw_vqs: what it shall run
 * @g: the guest
 * @asid: its address space
 * @marks: what was said to be written
 * @n_marks: how many
 * @rings: rings that were said to be written
 * @calls: interrupts
 * @used_flags: flags of the used ring at the last one
 * @breaks: how often the device broke
 * @works: how often work was to be done
 * @delay: when, as was said last
 */
struct net_test {
	struct fake_ctrl c;
	struct vmdev_vq_conf hw_vqs[FAKE_QUEUES];
	struct fake_guest g;
	u8 asid;
	struct {
		unsigned int asid;
		u64 iova;
		u64 len;
	} marks[MARKS];
	u32 n_marks;
	u32 rings;
	u32 calls;
	u8 used_flags;
	u32 breaks;
	u32 works;
	unsigned long delay;
};

static struct net_test *now;

static void see_mark(struct vmdev_dev *dev, unsigned int asid, u64 iova, u64 len)
{
	now->marks[now->n_marks % MARKS].asid = asid;
	now->marks[now->n_marks % MARKS].iova = iova;
	now->marks[now->n_marks++ % MARKS].len = len;
}

static void see_ring(struct vmdev_dev *dev, u16 i)
{
	now->rings++;
}

static void see_call(spinlock_t *lock, const struct vdpa_callback *cb)
{
	now->calls++;
	now->used_flags = now->g.page[GUEST_DEVICE][0];
}

static void see_break(struct vmdev_dev *dev, const char *why)
{
	now->breaks++;
	dev->needs_reset = true;
}

static bool see_schedule(struct delayed_work *work, unsigned long delay)
{
	now->works++;
	now->delay = delay;
	return true;
}

static bool see_mod(struct workqueue_struct *wq, struct delayed_work *work, unsigned long delay)
{
	return see_schedule(work, delay);
}

static struct vmdev_dev *dev_of(struct net_test *t)
{
	return &t->c.fake.dev;
}

static void lock(struct net_test *t)
{
	mutex_lock(&t->c.fake.parent.lock);
}

static void unlock(struct net_test *t)
{
	mutex_unlock(&t->c.fake.parent.lock);
}

/* --- the guest -------------------------------------------------------------------- */
static void guest_map(struct kunit *test, unsigned int page, u32 perm)
{
	struct net_test *t = test->priv;

	lock(t);
	KUNIT_EXPECT_EQ(test, vmdev_mem_map(dev_of(t), t->asid, guest_iova(page), GUEST_PAGE,
					    virt_to_phys(t->g.page[page]), perm), 0);
	unlock(t);
}

static void guest_unmap(struct net_test *t, unsigned int page)
{
	lock(t);
	vmdev_mem_unmap(dev_of(t), t->asid, guest_iova(page), GUEST_PAGE);
	unlock(t);
}

static void work(struct net_test *t)
{
	vmdev_ctrl_work(&dev_of(t)->ctrl->work.work);
}

#define NO_ANSWER	0xee

/* A command with its answer behind it, as drivers do it. */
static void offer_command(struct net_test *t, const u8 *data, u32 len)
{
	const struct guest_seg seg[2] = {
		{ guest_iova(GUEST_OUT), len }, { guest_iova(GUEST_IN), 1, true },
	};

	guest_put(&t->g, guest_iova(GUEST_OUT), data, len);
	t->g.page[GUEST_IN][0] = NO_ANSWER;
	guest_offer(&t->g, seg, 2);
}

/* Its answer: 0 or 1. */
static int command(struct net_test *t, const u8 *data, u32 len)
{
	offer_command(t, data, len);
	work(t);
	return guest_take(&t->g, 2) == 1 ? t->g.page[GUEST_IN][0] : -1;
}

#define COMMAND(t, ...)	\
	command(t, (const u8[]){ __VA_ARGS__ }, sizeof((const u8[]){ __VA_ARGS__ }))

/* --- the core --------------------------------------------------------------------- */
/* As vmdev_start() does. */
static int start(struct net_test *t)
{
	struct vmdev_dev *dev = dev_of(t);
	u16 vq;
	int err;

	memset(t->hw_vqs, 0, sizeof(t->hw_vqs));
	lock(t);
	err = vmdev_ctrl_hw_start(dev, t->hw_vqs);
	for (vq = 0; vq < FAKE_QUEUES; vq++)
		if (t->hw_vqs[vq].enabled)
			fake_ctrl_start(&t->c, vq, &t->hw_vqs[vq]);
	if (!err)
		err = vmdev_ctrl_replay(dev);
	unlock(t);
	return err;
}

static void stop(struct net_test *t)
{
	lock(t);
	vmdev_ctrl_hw_stop(dev_of(t));
	unlock(t);
}

static u16 cvq(struct net_test *t)
{
	return vmdev_cvq(dev_of(t));
}

/* The ring is where it is, and goes on where its state says. */
static int open_queue(struct net_test *t)
{
	struct vmdev_vq_conf *conf = &t->c.fake.vqs[cvq(t)].conf;
	int err;

	conf->desc = guest_iova(GUEST_DESC);
	conf->driver = guest_iova(GUEST_DRIVER);
	conf->device = guest_iova(GUEST_DEVICE);
	conf->size = t->g.num;
	conf->enabled = true;
	lock(t);
	err = vmdev_ctrl_open(dev_of(t), cvq(t));
	unlock(t);
	return err;
}

static void close_queue(struct net_test *t, struct vdpa_vq_state *state)
{
	lock(t);
	vmdev_ctrl_close(dev_of(t), cvq(t), state);
	unlock(t);
}

static void forget(struct net_test *t)
{
	lock(t);
	vmdev_ctrl_forget(dev_of(t));
	unlock(t);
}

static void fresh_ring(struct net_test *t)
{
	struct vdpa_vq_state *state = &t->c.fake.vqs[cvq(t)].conf.state;

	guest_clear(&t->g, fake_ctrl_packed(&t->c));
	memset(state, 0, sizeof(*state));
	if (t->g.packed) {
		state->packed.last_avail_counter = 1;
		state->packed.last_used_counter = 1;
	}
}

/* All of it, with these features beside the usual ones. */
static void bring_up(struct kunit *test, u64 features)
{
	struct net_test *t = test->priv;
	unsigned int i;

	t->c.fake.dev.features = FEATURES | features;
	dev_of(t)->mem.group_as[1] = t->asid;
	fresh_ring(t);
	for (i = 0; i < GUEST_PAGES; i++)
		guest_map(test, i, VHOST_ACCESS_RW);
	KUNIT_ASSERT_EQ(test, start(t), 0);
	KUNIT_ASSERT_EQ(test, open_queue(t), 0);
}

static int net_init(struct kunit *test)
{
	struct net_test *t = kunit_kzalloc(test, sizeof(*t), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, t);
	test->priv = t;
	now = t;
	fake_ctrl_init(&t->c, LAST);
	vmdev_mem_init(&dev_of(t)->mem);
	dev_of(t)->mem.user = true;
	dev_of(t)->prov.features = FEATURES;
	dev_of(t)->prov.max_vqp = 1;
	dev_of(t)->nvqs = 3;
	t->c.fake.parent.cvq = 4;
	t->c.fake.hw.caps.features = ~0ULL;
	t->g.num = NUM;
	KUNIT_ASSERT_TRUE(test, guest_alloc(&t->g));
	KUNIT_ASSERT_EQ(test, vmdev_ctrl_create(dev_of(t)), 0);
	KUNIT_ASSERT_NOT_NULL(test, dev_of(t)->ctrl);
	return 0;
}

/* Whatever a test did: nothing stays mapped, nothing is left of it. */
static void net_exit(struct kunit *test)
{
	struct net_test *t = test->priv;
	unsigned int i;

	KUNIT_EXPECT_STREQ(test, t->c.fault ? t->c.fault : "", "");
	if (t->c.fake.vqs[cvq(t)].served)
		close_queue(t, NULL);
	stop(t);
	forget(t);
	lock(t);
	for (i = 0; i < VMDEV_AS_MAX; i++)
		vmdev_mem_clear(dev_of(t), i);
	unlock(t);
	KUNIT_EXPECT_TRUE(test, list_empty(&dev_of(t)->mem.blocks));
	KUNIT_EXPECT_EQ(test, t->c.fake.n_maps, t->c.fake.n_unmaps);
	vmdev_ctrl_free(dev_of(t));
	vmdev_mem_destroy(&dev_of(t)->mem);
	guest_free(&t->g);
}

static const u8 set_mac[] = { 1, 1, 0x52, 0x54, 0, 1, 2, 3 };

static bool shows(struct net_test *t, const u8 *mac)
{
	u8 shown[6];

	lock(t);
	vmdev_config_get(dev_of(t), 0, shown, sizeof(shown));
	unlock(t);
	return !memcmp(shown, mac, sizeof(shown));
}

static u32 generation(struct net_test *t)
{
	u32 n;

	lock(t);
	n = vmdev_config_generation(dev_of(t));
	unlock(t);
	return n;
}

static void expect_told(struct kunit *test, u32 i, const u8 *data, u32 len)
{
	struct net_test *t = test->priv;

	KUNIT_ASSERT_LT(test, i, t->c.n);
	KUNIT_EXPECT_EQ(test, t->c.cmds[i].len, len);
	KUNIT_EXPECT_MEMEQ(test, t->c.cmds[i].head, data,
			   min_t(u32, len, FAKE_CTRL_HEAD));
}

#define EXPECT_TOLD(test, i, ...)	\
	expect_told(test, i, (const u8[]){ __VA_ARGS__ }, sizeof((const u8[]){ __VA_ARGS__ }))

/* --- one command -------------------------------------------------------------------- */
static void serve_ok(struct kunit *test)
{
	struct net_test *t = test->priv;
	u32 before;

	bring_up(test, 0);
	before = generation(t);
	KUNIT_EXPECT_EQ(test, command(t, set_mac, sizeof(set_mac)), 0);
	KUNIT_EXPECT_EQ(test, t->c.n, 1);
	expect_told(test, 0, set_mac, sizeof(set_mac));
	KUNIT_EXPECT_EQ(test, t->c.cmds[0].in_len, 1);
	KUNIT_EXPECT_EQ(test, t->calls, 1);
	KUNIT_EXPECT_EQ(test, atomic64_read(&t->c.fake.vqs[2].events), 1);
	KUNIT_EXPECT_TRUE(test, shows(t, set_mac + 2));
	/* Whoever read the configuration before knows that it is another (2.5.1). */
	KUNIT_EXPECT_NE(test, generation(t), before);
	before = generation(t);
	KUNIT_EXPECT_EQ(test, COMMAND(t, 1, 1), 1);
	KUNIT_EXPECT_EQ(test, generation(t), before);
	KUNIT_EXPECT_EQ(test, t->breaks, 0);
}

/* The answer is marked in the log of its address space, and so is the ring in the end. */
static void serve_marks(struct kunit *test)
{
	struct net_test *t = test->priv;

	t->asid = 1;
	bring_up(test, 0);
	KUNIT_EXPECT_EQ(test, command(t, set_mac, sizeof(set_mac)), 0);
	KUNIT_ASSERT_EQ(test, t->n_marks, 1);
	KUNIT_EXPECT_EQ(test, t->marks[0].asid, 1);
	KUNIT_EXPECT_EQ(test, t->marks[0].iova, guest_iova(GUEST_IN));
	KUNIT_EXPECT_EQ(test, t->marks[0].len, 1ULL);
	KUNIT_EXPECT_EQ(test, t->rings, 0);
	close_queue(t, NULL);
	KUNIT_EXPECT_EQ(test, t->rings, 1);
}

static void serve_refused(struct kunit *test)
{
	struct net_test *t = test->priv;

	bring_up(test, 0);
	t->c.mood = FAKE_REFUSE;
	KUNIT_EXPECT_EQ(test, command(t, set_mac, sizeof(set_mac)), 1);
	t->c.mood = FAKE_FORGET;
	KUNIT_EXPECT_EQ(test, command(t, set_mac, sizeof(set_mac)), 1);
	KUNIT_EXPECT_EQ(test, t->c.n, 2);
	KUNIT_EXPECT_FALSE(test, shows(t, set_mac + 2));
	KUNIT_EXPECT_EQ(test, t->breaks, 0);
	/* Nor is it done later. */
	t->c.mood = FAKE_OBEY;
	stop(t);
	KUNIT_EXPECT_EQ(test, start(t), 0);
	KUNIT_EXPECT_EQ(test, t->c.n, 2);
}

/* The hardware never sees what makes no sense. */
static void serve_malformed(struct kunit *test)
{
	struct net_test *t = test->priv;

	bring_up(test, 0);
	KUNIT_EXPECT_EQ(test, COMMAND(t, 1), 1);
	KUNIT_EXPECT_EQ(test, COMMAND(t, 1, 1), 1);
	KUNIT_EXPECT_EQ(test, COMMAND(t, 99, 0, 1), 1);
	KUNIT_EXPECT_EQ(test, COMMAND(t, 1, 0, 1, 0, 0, 0, 1, 2, 3), 1);
	KUNIT_EXPECT_EQ(test, COMMAND(t, 4, 0, 1, 0), 1);
	KUNIT_EXPECT_EQ(test, t->c.kicks, 0);
	KUNIT_EXPECT_EQ(test, t->calls, 5);
	KUNIT_EXPECT_EQ(test, command(t, set_mac, sizeof(set_mac)), 0);
}

/* Cut anywhere, over the end of a page, with pieces of no bytes in it. */
static void serve_pieces(struct kunit *test)
{
	struct guest_seg seg[NUM];
	struct net_test *t = test->priv;
	u32 cut, i;

	bring_up(test, 0);
	for (cut = 0; cut <= sizeof(set_mac); cut++) {
		u64 at = guest_iova(GUEST_OUT + 1) - 3;

		guest_put(&t->g, at, set_mac, cut);
		guest_put(&t->g, guest_iova(GUEST_OUT + 2), set_mac + cut, sizeof(set_mac) - cut);
		seg[0] = (struct guest_seg) { at, cut };
		seg[1] = (struct guest_seg) { guest_iova(GUEST_OUT + 2), sizeof(set_mac) - cut };
		seg[2] = (struct guest_seg) { guest_iova(GUEST_IN), 1, true };
		guest_offer(&t->g, seg, 3);
		work(t);
		KUNIT_EXPECT_EQ(test, guest_take(&t->g, 3), 1);
		expect_told(test, cut, set_mac, sizeof(set_mac));
	}
	guest_put(&t->g, guest_iova(GUEST_OUT), set_mac, sizeof(set_mac));
	for (i = 0; i < sizeof(set_mac); i++)
		seg[i] = (struct guest_seg) { guest_iova(GUEST_OUT) + i, 1 };
	seg[i] = (struct guest_seg) { guest_iova(GUEST_IN), 1, true };
	guest_offer(&t->g, seg, i + 1);
	work(t);
	KUNIT_EXPECT_EQ(test, guest_take(&t->g, i + 1), 1);
	expect_told(test, cut, set_mac, sizeof(set_mac));
}

/* How it went, and 8 bytes that were asked for (5.1.6.5.9), one piece each. */
static void serve_answer_in_pieces(struct kunit *test)
{
	static const u8 get[] = { 6, 3, 1, 0, 0, 0 };
	struct guest_seg seg[11] = { { guest_iova(GUEST_OUT), sizeof(get) } };
	struct net_test *t = test->priv;
	u32 i;

	bring_up(test, 0);
	guest_put(&t->g, guest_iova(GUEST_OUT), get, sizeof(get));
	for (i = 0; i < 10; i++)
		seg[i + 1] = (struct guest_seg) { guest_iova(GUEST_IN) + 16 * i, 1, true };
	memset(t->g.page[GUEST_IN], NO_ANSWER, GUEST_PAGE);
	guest_offer(&t->g, seg, ARRAY_SIZE(seg));
	work(t);
	KUNIT_EXPECT_EQ(test, guest_take(&t->g, 11), 9);
	KUNIT_EXPECT_EQ(test, t->c.cmds[0].in_len, 9);
	KUNIT_EXPECT_EQ(test, t->g.page[GUEST_IN][0], 0);
	for (i = 1; i < 9; i++)
		KUNIT_EXPECT_EQ(test, t->g.page[GUEST_IN][16 * i], 0xa0 + i);
	KUNIT_EXPECT_EQ(test, t->g.page[GUEST_IN][16 * 9], NO_ANSWER);
	KUNIT_ASSERT_EQ(test, t->n_marks, 9);
	for (i = 0; i < 9; i++)
		KUNIT_EXPECT_EQ(test, t->marks[i].iova, guest_iova(GUEST_IN) + 16 * i);
}

static void serve_answer_refused(struct kunit *test)
{
	static const u8 get[] = { 6, 3, 1, 0, 0, 0 };
	const struct guest_seg seg[2] = {
		{ guest_iova(GUEST_OUT), sizeof(get) }, { guest_iova(GUEST_IN), 9, true },
	};
	struct net_test *t = test->priv;

	bring_up(test, 0);
	guest_put(&t->g, guest_iova(GUEST_OUT), get, sizeof(get));
	memset(t->g.page[GUEST_IN], NO_ANSWER, GUEST_PAGE);
	t->c.mood = FAKE_REFUSE;
	guest_offer(&t->g, seg, 2);
	work(t);
	KUNIT_EXPECT_EQ(test, guest_take(&t->g, 2), 1);
	KUNIT_EXPECT_EQ(test, t->g.page[GUEST_IN][0], 1);
	KUNIT_EXPECT_EQ(test, t->g.page[GUEST_IN][1], NO_ANSWER);
}

/* A table of 2729 addresses is 16384 bytes; more is no command. */
static void serve_longest(struct kunit *test)
{
	struct guest_seg seg[6];
	struct net_test *t = test->priv;
	u32 i, len;

	bring_up(test, 0);
	t->g.page[GUEST_OUT + 4][0] = 0x5a;
	for (len = 16384; len <= 16385; len++) {
		for (i = 0; i < 4; i++)
			seg[i] = (struct guest_seg) { guest_iova(GUEST_OUT + i), GUEST_PAGE };
		seg[4] = (struct guest_seg) { guest_iova(GUEST_OUT + 4), len - 16384 };
		seg[5] = (struct guest_seg) { guest_iova(GUEST_IN), 1, true };
		t->g.page[GUEST_OUT][0] = 1;
		put_unaligned_le32(2729, t->g.page[GUEST_OUT] + 2);
		guest_offer(&t->g, seg, 6);
		work(t);
		KUNIT_EXPECT_EQ(test, guest_take(&t->g, 6), 1);
		KUNIT_EXPECT_EQ(test, t->g.page[GUEST_IN][0], len - 16384);
	}
	KUNIT_EXPECT_EQ(test, t->c.n, 1);
	KUNIT_EXPECT_EQ(test, t->c.cmds[0].len, 16384);
	/* It is set again as it was. */
	stop(t);
	KUNIT_EXPECT_EQ(test, start(t), 0);
	KUNIT_EXPECT_EQ(test, t->c.n, 2);
	KUNIT_EXPECT_EQ(test, t->c.cmds[1].sum, t->c.cmds[0].sum);
}

/* Whoever cannot be told how it went gets it back, and nothing is done. */
static void serve_no_room(struct kunit *test)
{
	static const u8 get[] = { 6, 3, 1, 0, 0, 0 };
	struct guest_seg seg[2] = {
		{ guest_iova(GUEST_OUT), sizeof(set_mac) }, { guest_iova(GUEST_IN), 0, true },
	};
	struct net_test *t = test->priv;

	bring_up(test, 0);
	guest_put(&t->g, guest_iova(GUEST_OUT), set_mac, sizeof(set_mac));
	guest_offer(&t->g, seg, 1);
	work(t);
	KUNIT_EXPECT_EQ(test, guest_take(&t->g, 1), 0);
	guest_offer(&t->g, seg, 2);
	work(t);
	KUNIT_EXPECT_EQ(test, guest_take(&t->g, 2), 0);
	/* Nothing to read. */
	seg[1].len = 1;
	guest_offer(&t->g, seg + 1, 1);
	work(t);
	KUNIT_EXPECT_EQ(test, guest_take(&t->g, 1), 1);
	KUNIT_EXPECT_EQ(test, t->g.page[GUEST_IN][0], 1);
	/* Room for less than was asked for. */
	guest_put(&t->g, guest_iova(GUEST_OUT), get, sizeof(get));
	seg[0].len = sizeof(get);
	seg[1].len = 8;
	t->g.page[GUEST_IN][0] = NO_ANSWER;
	guest_offer(&t->g, seg, 2);
	work(t);
	KUNIT_EXPECT_EQ(test, guest_take(&t->g, 2), 1);
	KUNIT_EXPECT_EQ(test, t->g.page[GUEST_IN][0], 1);
	KUNIT_EXPECT_EQ(test, t->c.kicks, 0);
	KUNIT_EXPECT_EQ(test, t->breaks, 0);
}

/* --- memory --------------------------------------------------------------------------- */
static void expect_break(struct kunit *test, u64 out, u64 in)
{
	struct guest_seg seg[2] = {
		{ out, sizeof(set_mac) }, { in, 1, true },
	};
	struct net_test *t = test->priv;

	guest_put(&t->g, guest_iova(GUEST_OUT), set_mac, sizeof(set_mac));
	guest_offer(&t->g, seg, 2);
	work(t);
	KUNIT_EXPECT_EQ(test, t->breaks, 1);
	KUNIT_EXPECT_EQ(test, guest_take(&t->g, 2), -1);
	/* It stays so. */
	t->works = 0;
	work(t);
	KUNIT_EXPECT_EQ(test, t->breaks, 1);
	KUNIT_EXPECT_EQ(test, t->works, 0);
}

static void outside_command(struct kunit *test)
{
	bring_up(test, 0);
	expect_break(test, guest_iova(GUEST_PAGES) - 4, guest_iova(GUEST_IN));
	KUNIT_EXPECT_EQ(test, ((struct net_test *)test->priv)->c.kicks, 0);
}

static void outside_command_far(struct kunit *test)
{
	bring_up(test, 0);
	expect_break(test, 0x7fff00000000ULL, guest_iova(GUEST_IN));
}

static void outside_answer(struct kunit *test)
{
	bring_up(test, 0);
	expect_break(test, guest_iova(GUEST_OUT), guest_iova(GUEST_PAGES));
}

/* The first bytes of an answer are in memory, the last ones are not. */
static void outside_in_part(struct kunit *test)
{
	static const u8 get[] = { 6, 3, 1, 0, 0, 0 };
	const struct guest_seg seg[2] = {
		{ guest_iova(GUEST_OUT), sizeof(get) },
		{ guest_iova(GUEST_PAGES) - 4, 9, true },
	};
	struct net_test *t = test->priv;

	bring_up(test, 0);
	guest_put(&t->g, guest_iova(GUEST_OUT), get, sizeof(get));
	t->g.page[GUEST_IN][GUEST_PAGE - 4] = NO_ANSWER;
	guest_offer(&t->g, seg, 2);
	work(t);
	KUNIT_EXPECT_EQ(test, t->breaks, 1);
	KUNIT_EXPECT_EQ(test, guest_take(&t->g, 2), -1);
	/* The hardware is not asked what nobody could be told, and nothing is written. */
	KUNIT_EXPECT_EQ(test, t->c.kicks, 0);
	KUNIT_EXPECT_EQ(test, t->g.page[GUEST_IN][GUEST_PAGE - 4], NO_ANSWER);
	KUNIT_EXPECT_EQ(test, t->n_marks, 0);
}

static void outside_read_only(struct kunit *test)
{
	struct net_test *t = test->priv;

	bring_up(test, 0);
	guest_unmap(t, GUEST_IN);
	guest_map(test, GUEST_IN, VHOST_ACCESS_RO);
	expect_break(test, guest_iova(GUEST_OUT), guest_iova(GUEST_IN));
}

static void outside_write_only(struct kunit *test)
{
	struct net_test *t = test->priv;

	bring_up(test, 0);
	guest_unmap(t, GUEST_OUT);
	guest_map(test, GUEST_OUT, VHOST_ACCESS_WO);
	expect_break(test, guest_iova(GUEST_OUT), guest_iova(GUEST_IN));
	KUNIT_EXPECT_EQ(test, t->c.kicks, 0);
}

/* Mapped in one address space is not mapped in the other. */
static void outside_of_its_space(struct kunit *test)
{
	struct net_test *t = test->priv;

	t->asid = 1;
	bring_up(test, 0);
	guest_unmap(t, GUEST_OUT);
	t->asid = 0;
	guest_map(test, GUEST_OUT, VHOST_ACCESS_RW);
	expect_break(test, guest_iova(GUEST_OUT), guest_iova(GUEST_IN));
	KUNIT_EXPECT_EQ(test, t->c.kicks, 0);
}

/* Of that nothing comes to the hardware: only what is the core's own, and space 0. */
static void space_1_is_software(struct kunit *test)
{
	struct net_test *t = test->priv;
	u32 i;

	t->asid = 1;
	bring_up(test, 0);
	KUNIT_EXPECT_EQ(test, command(t, set_mac, sizeof(set_mac)), 0);
	for (i = 0; i < t->c.fake.n_maps; i++)
		KUNIT_EXPECT_GT(test, t->c.fake.maps[i].iova, LAST);
}

static void ring_not_mapped(struct kunit *test)
{
	static const u8 parts[] = { GUEST_DESC, GUEST_DRIVER, GUEST_DEVICE };
	struct net_test *t = test->priv;
	unsigned int i;

	bring_up(test, 0);
	close_queue(t, NULL);
	for (i = 0; i < ARRAY_SIZE(parts); i++) {
		guest_unmap(t, parts[i]);
		KUNIT_EXPECT_NE(test, open_queue(t), 0);
		KUNIT_EXPECT_FALSE(test, t->c.fake.vqs[2].served);
		guest_map(test, parts[i], VHOST_ACCESS_RW);
	}
	guest_unmap(t, GUEST_DEVICE);
	guest_map(test, GUEST_DEVICE, VHOST_ACCESS_RO);
	KUNIT_EXPECT_NE(test, open_queue(t), 0);
	guest_unmap(t, GUEST_DEVICE);
	guest_map(test, GUEST_DEVICE, VHOST_ACCESS_RW);
	KUNIT_EXPECT_EQ(test, open_queue(t), 0);
	KUNIT_EXPECT_EQ(test, command(t, set_mac, sizeof(set_mac)), 0);
}

/* A host driver's addresses are physical ones, and all of memory is there. */
static void host_memory(struct kunit *test)
{
	struct net_test *t = test->priv;
	struct vmdev_vq_conf *conf = &t->c.fake.vqs[2].conf;
	struct guest_seg seg[2];

	dev_of(t)->mem.user = false;
	t->c.fake.dev.features = FEATURES;
	fresh_ring(t);
	KUNIT_ASSERT_EQ(test, start(t), 0);
	conf->desc = virt_to_phys(t->g.page[GUEST_DESC]);
	conf->driver = virt_to_phys(t->g.page[GUEST_DRIVER]);
	conf->device = virt_to_phys(t->g.page[GUEST_DEVICE]);
	conf->size = NUM;
	conf->enabled = true;
	lock(t);
	KUNIT_EXPECT_EQ(test, vmdev_ctrl_open(dev_of(t), 2), 0);
	unlock(t);
	memcpy(t->g.page[GUEST_OUT], set_mac, sizeof(set_mac));
	t->g.page[GUEST_IN][0] = NO_ANSWER;
	seg[0] = (struct guest_seg) { virt_to_phys(t->g.page[GUEST_OUT]), sizeof(set_mac) };
	seg[1] = (struct guest_seg) { virt_to_phys(t->g.page[GUEST_IN]), 1, true };
	guest_offer(&t->g, seg, 2);
	work(t);
	KUNIT_EXPECT_EQ(test, guest_take(&t->g, 2), 1);
	KUNIT_EXPECT_EQ(test, t->g.page[GUEST_IN][0], 0);
	/* Whoever comes next has none of it. */
	close_queue(t, NULL);
	forget(t);
	KUNIT_EXPECT_FALSE(test, dev_of(t)->mem.host);
	KUNIT_EXPECT_EQ(test, dev_of(t)->mem.group_as[1], 0);
	lock(t);
	KUNIT_EXPECT_FALSE(test, vmdev_mem_covers(dev_of(t), 1, conf->desc, 1, 0));
	unlock(t);
}

/* --- rings that break ---------------------------------------------------------------- */
static void broken_index(struct kunit *test)
{
	struct net_test *t = test->priv;

	bring_up(test, 0);
	put_unaligned_le16(NUM + 1, t->g.page[GUEST_DRIVER] + 2);
	work(t);
	KUNIT_EXPECT_EQ(test, t->breaks, 1);
	KUNIT_EXPECT_EQ(test, t->c.kicks, 0);
}

static void broken_loop(struct kunit *test)
{
	const struct guest_seg seg = { guest_iova(GUEST_OUT), 1 };
	struct net_test *t = test->priv;

	bring_up(test, 0);
	guest_put_desc(t->g.page[GUEST_DESC], &seg, 1, 0);
	put_unaligned_le16(1, t->g.page[GUEST_DRIVER] + 2);
	work(t);
	KUNIT_EXPECT_EQ(test, t->breaks, 1);
}

static void broken_order(struct kunit *test)
{
	const struct guest_seg seg[2] = {
		{ guest_iova(GUEST_IN), 1, true }, { guest_iova(GUEST_OUT), sizeof(set_mac) },
	};
	struct net_test *t = test->priv;

	bring_up(test, 0);
	guest_offer(&t->g, seg, 2);
	work(t);
	KUNIT_EXPECT_EQ(test, t->breaks, 1);
	KUNIT_EXPECT_EQ(test, t->c.kicks, 0);
}

/* --- hardware that does not answer --------------------------------------------------- */
/* Its driver waits for an answer, and gets one; then the device needs a reset. */
static void expect_dead(struct kunit *test, enum fake_ctrl_mood mood)
{
	struct net_test *t = test->priv;

	bring_up(test, 0);
	KUNIT_EXPECT_EQ(test, command(t, set_mac, sizeof(set_mac)), 0);
	t->c.mood = mood;
	KUNIT_EXPECT_EQ(test, COMMAND(t, 0, 0, 1), 1);
	KUNIT_EXPECT_EQ(test, t->calls, 2);
	KUNIT_EXPECT_EQ(test, t->breaks, 1);
	/* What comes now is for after the reset. */
	KUNIT_EXPECT_EQ(test, COMMAND(t, 0, 0, 0), -1);
	KUNIT_EXPECT_EQ(test, t->c.kicks, 2);
}

static void hardware_silent(struct kunit *test)
{
	expect_dead(test, FAKE_SILENT);
}

static void hardware_gone(struct kunit *test)
{
	expect_dead(test, FAKE_LEAVE);
}

static void hardware_breaks_its_ring(struct kunit *test)
{
	expect_dead(test, FAKE_WRONG_ID);
}

/* --- when ------------------------------------------------------------------------------ */
static void not_now(struct kunit *test)
{
	struct net_test *t = test->priv;
	struct vmdev_vq *vq = &t->c.fake.vqs[2];

	bring_up(test, 0);
	vq->conf.enabled = false;
	KUNIT_EXPECT_EQ(test, command(t, set_mac, sizeof(set_mac)), -1);
	vq->conf.enabled = true;
	dev_of(t)->needs_reset = true;
	work(t);
	dev_of(t)->needs_reset = false;
	t->c.fake.parent.offline = true;
	work(t);
	t->c.fake.parent.offline = false;
	vq->served = false;
	work(t);
	vq->served = true;
	KUNIT_EXPECT_EQ(test, guest_take(&t->g, 2), -1);
	KUNIT_EXPECT_EQ(test, t->c.kicks, 0);
	work(t);
	KUNIT_EXPECT_EQ(test, guest_take(&t->g, 2), 1);
}

/* Others get at the device in between, and nobody is forgotten. */
static void many_at_once(struct kunit *test)
{
	struct net_test *t = test->priv;
	u32 i, rounds = 0;

	t->g.num = 256;
	bring_up(test, 0);
	for (i = 0; i < 100; i++)
		offer_command(t, set_mac, sizeof(set_mac));
	do {
		t->works = 0;
		work(t);
		KUNIT_EXPECT_TRUE(test, !t->works || !t->delay);
		rounds++;
	} while (t->works && rounds < 100);
	KUNIT_EXPECT_GT(test, rounds, 1);
	for (i = 0; i < 100; i++)
		KUNIT_EXPECT_EQ(test, guest_take(&t->g, 2), 1);
	KUNIT_EXPECT_EQ(test, guest_take(&t->g, 2), -1);
	KUNIT_EXPECT_EQ(test, t->c.n, 100);
}

/* Who has its doorbell mapped kicks hardware: so it is looked at, again and again. */
static void mapped_doorbell(struct kunit *test)
{
	struct net_test *t = test->priv;

	bring_up(test, 0);
	work(t);
	KUNIT_EXPECT_EQ(test, t->works, 0);
	t->c.fake.vqs[2].doorbell = true;
	work(t);
	KUNIT_EXPECT_EQ(test, t->works, 1);
	KUNIT_EXPECT_GT(test, t->delay, 0);
	KUNIT_EXPECT_EQ(test, command(t, set_mac, sizeof(set_mac)), 0);
	KUNIT_EXPECT_EQ(test, t->works, 2);
}

/* 2.7.7 and 2.7.10: no interrupts; and kicks that are wanted when it is done. */
static void wishes(struct kunit *test)
{
	struct net_test *t = test->priv;

	bring_up(test, 0);
	t->g.page[GUEST_DRIVER][0] = 1;
	KUNIT_EXPECT_EQ(test, command(t, set_mac, sizeof(set_mac)), 0);
	KUNIT_EXPECT_EQ(test, t->calls, 0);
	KUNIT_EXPECT_EQ(test, t->g.page[GUEST_DEVICE][0], 0);
	t->g.page[GUEST_DRIVER][0] = 0;
	KUNIT_EXPECT_EQ(test, command(t, set_mac, sizeof(set_mac)), 0);
	KUNIT_EXPECT_EQ(test, t->calls, 1);
	/* Meanwhile it needs none. */
	KUNIT_EXPECT_EQ(test, t->used_flags, 1);
	KUNIT_EXPECT_EQ(test, t->g.page[GUEST_DEVICE][0], 0);
}

/* --- other rings ------------------------------------------------------------------------ */
static void expect_rounds(struct kunit *test, u64 features)
{
	struct net_test *t = test->priv;
	u32 i;

	bring_up(test, features);
	for (i = 0; i < 100; i++) {
		KUNIT_EXPECT_EQ(test, command(t, set_mac, sizeof(set_mac)), 0);
		KUNIT_EXPECT_EQ(test, COMMAND(t, 1, 1), 1);
	}
	KUNIT_EXPECT_EQ(test, t->c.n, 100);
}

static void rounds_split(struct kunit *test)
{
	expect_rounds(test, 0);
}

static void rounds_packed(struct kunit *test)
{
	expect_rounds(test, FAKE_PACKED);
}

static void rounds_with_data(struct kunit *test)
{
	expect_rounds(test, NOTIFICATION_DATA);
}

/* --- what stays set ---------------------------------------------------------------------- */
static void again(struct kunit *test)
{
	struct net_test *t = test->priv;

	stop(t);
	t->c.n = 0;
	t->c.moody = 0;
	KUNIT_ASSERT_EQ(test, start(t), 0);
}

/* The last of each kind, as they came; VLANs come last, which nothing else undoes. */
static void replay_order(struct kunit *test)
{
	struct net_test *t = test->priv;

	dev_of(t)->prov.features |= MQ;
	dev_of(t)->prov.max_vqp = 2;
	dev_of(t)->nvqs = 5;
	bring_up(test, MQ);
	KUNIT_EXPECT_EQ(test, COMMAND(t, 0, 0, 1), 0);
	KUNIT_EXPECT_EQ(test, COMMAND(t, 2, 0, 5, 0), 0);
	KUNIT_EXPECT_EQ(test, command(t, set_mac, sizeof(set_mac)), 0);
	KUNIT_EXPECT_EQ(test, COMMAND(t, 2, 0, 3, 1), 0);
	KUNIT_EXPECT_EQ(test, COMMAND(t, 2, 0, 6, 0), 0);
	KUNIT_EXPECT_EQ(test, COMMAND(t, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0), 0);
	KUNIT_EXPECT_EQ(test, COMMAND(t, 0, 0, 0), 0);
	KUNIT_EXPECT_EQ(test, COMMAND(t, 2, 1, 6, 0), 0);
	KUNIT_EXPECT_EQ(test, COMMAND(t, 4, 0, 2, 0), 0);
	again(test);
	KUNIT_ASSERT_EQ(test, t->c.n, 6);
	expect_told(test, 0, set_mac, sizeof(set_mac));
	EXPECT_TOLD(test, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0);
	EXPECT_TOLD(test, 2, 0, 0, 0);
	EXPECT_TOLD(test, 3, 4, 0, 2, 0);
	EXPECT_TOLD(test, 4, 2, 0, 5, 0);
	EXPECT_TOLD(test, 5, 2, 0, 3, 1);
	/* As often as it has to be. */
	again(test);
	KUNIT_EXPECT_EQ(test, t->c.n, 6);
	KUNIT_EXPECT_EQ(test, t->calls, 9);
}

static void replay_nothing_after_reset(struct kunit *test)
{
	struct net_test *t = test->priv;

	bring_up(test, 0);
	KUNIT_EXPECT_EQ(test, command(t, set_mac, sizeof(set_mac)), 0);
	KUNIT_EXPECT_EQ(test, COMMAND(t, 2, 0, 5, 0), 0);
	KUNIT_EXPECT_EQ(test, COMMAND(t, 0, 0, 1), 0);
	forget(t);
	KUNIT_EXPECT_FALSE(test, shows(t, set_mac + 2));
	again(test);
	KUNIT_EXPECT_EQ(test, t->c.n, 0);
}

/* Hardware that refuses what it took before cannot be what it was. */
static void replay_refused(struct kunit *test)
{
	struct net_test *t = test->priv;
	u32 i;

	bring_up(test, 0);
	KUNIT_EXPECT_EQ(test, command(t, set_mac, sizeof(set_mac)), 0);
	KUNIT_EXPECT_EQ(test, COMMAND(t, 0, 0, 1), 0);
	KUNIT_EXPECT_EQ(test, COMMAND(t, 2, 0, 5, 0), 0);
	for (i = 0; i < 3; i++) {
		stop(t);
		t->c.n = 0;
		t->c.moody = i;
		t->c.mood = FAKE_REFUSE;
		KUNIT_EXPECT_EQ(test, start(t), -EIO);
		KUNIT_EXPECT_EQ(test, t->c.n, i + 1);
	}
	stop(t);
	t->c.n = 0;
	t->c.moody = 1;
	t->c.mood = FAKE_SILENT;
	KUNIT_EXPECT_EQ(test, start(t), -ETIMEDOUT);
	/* And nothing of it is lost. */
	t->c.mood = FAKE_OBEY;
	again(test);
	KUNIT_EXPECT_EQ(test, t->c.n, 3);
}

/* 5.1.6.5.10: what is set for a queue hardware takes when that is enabled, not before. */
static void replay_of_queues(struct kunit *test)
{
	struct net_test *t = test->priv;

	t->c.fake.vqs[0].on = true;
	bring_up(test, 0);
	KUNIT_EXPECT_EQ(test, COMMAND(t, 6, 2, 0, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0), 0);
	KUNIT_EXPECT_EQ(test, COMMAND(t, 6, 2, 1, 0, 0, 0, 3, 0, 0, 0, 4, 0, 0, 0), 0);
	again(test);
	KUNIT_ASSERT_EQ(test, t->c.n, 1);
	EXPECT_TOLD(test, 0, 6, 2, 0, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0);
	lock(t);
	KUNIT_EXPECT_EQ(test, vmdev_ctrl_replay_vq(dev_of(t), 1), 0);
	KUNIT_EXPECT_EQ(test, vmdev_ctrl_replay_vq(dev_of(t), 2), 0);
	unlock(t);
	KUNIT_ASSERT_EQ(test, t->c.n, 2);
	EXPECT_TOLD(test, 1, 6, 2, 1, 0, 0, 0, 3, 0, 0, 0, 4, 0, 0, 0);
	t->c.moody = 0;
	t->c.mood = FAKE_REFUSE;
	lock(t);
	KUNIT_EXPECT_EQ(test, vmdev_ctrl_replay_vq(dev_of(t), 0), -EIO);
	unlock(t);
	/* What is set for all that send overrides it, and nothing for those that receive. */
	t->c.mood = FAKE_OBEY;
	KUNIT_EXPECT_EQ(test, COMMAND(t, 6, 0, 5, 0, 0, 0, 6, 0, 0, 0), 0);
	t->c.n = 0;
	lock(t);
	KUNIT_EXPECT_EQ(test, vmdev_ctrl_replay_vq(dev_of(t), 1), 0);
	KUNIT_EXPECT_EQ(test, t->c.n, 0);
	KUNIT_EXPECT_EQ(test, vmdev_ctrl_replay_vq(dev_of(t), 0), 0);
	unlock(t);
	KUNIT_ASSERT_EQ(test, t->c.n, 1);
	EXPECT_TOLD(test, 0, 6, 2, 0, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0);
	t->c.fake.vqs[0].on = false;
}

/* The ring goes on where it was, commands of the meantime included. */
static void state_goes_on(struct kunit *test)
{
	struct net_test *t = test->priv;
	struct vdpa_vq_state *state = &t->c.fake.vqs[2].conf.state, told;
	u32 i, n;

	bring_up(test, 0);
	for (n = 1; n < 40; n++) {
		for (i = 0; i < n; i++)
			KUNIT_EXPECT_EQ(test, COMMAND(t, 0, 0, 1), 0);
		lock(t);
		vmdev_ctrl_tell_state(dev_of(t), &told);
		unlock(t);
		close_queue(t, state);
		KUNIT_EXPECT_EQ(test, told.split.avail_index, state->split.avail_index);
		KUNIT_EXPECT_EQ(test, state->split.avail_index, n * (n + 3) / 2 - 1);
		offer_command(t, set_mac, sizeof(set_mac));
		work(t);
		KUNIT_EXPECT_EQ(test, guest_take(&t->g, 2), -1);
		KUNIT_ASSERT_EQ(test, open_queue(t), 0);
		work(t);
		KUNIT_EXPECT_EQ(test, guest_take(&t->g, 2), 1);
	}
}

static void state_goes_on_packed(struct kunit *test)
{
	struct net_test *t = test->priv;
	u32 i, n;

	bring_up(test, FAKE_PACKED);
	for (n = 1; n < 40; n++) {
		for (i = 0; i < n; i++)
			KUNIT_EXPECT_EQ(test, COMMAND(t, 0, 0, 1), 0);
		close_queue(t, &t->c.fake.vqs[2].conf.state);
		KUNIT_ASSERT_EQ(test, open_queue(t), 0);
		KUNIT_EXPECT_EQ(test, command(t, set_mac, sizeof(set_mac)), 0);
	}
}

/* --- addresses ----------------------------------------------------------------------------- */
static const u8 prov_mac[6] = { 0x52, 0x54, 0, 9, 9, 9 };

/* The operator's, until the driver sets one; and again after its reset. */
static void mac_provisioned(struct kunit *test)
{
	struct net_test *t = test->priv;

	memcpy(dev_of(t)->prov.mac, prov_mac, 6);
	bring_up(test, 0);
	KUNIT_ASSERT_EQ(test, t->c.n, 1);
	EXPECT_TOLD(test, 0, 1, 1, 0x52, 0x54, 0, 9, 9, 9);
	KUNIT_EXPECT_TRUE(test, shows(t, prov_mac));
	KUNIT_EXPECT_EQ(test, command(t, set_mac, sizeof(set_mac)), 0);
	KUNIT_EXPECT_TRUE(test, shows(t, set_mac + 2));
	again(test);
	KUNIT_ASSERT_EQ(test, t->c.n, 1);
	expect_told(test, 0, set_mac, sizeof(set_mac));
	forget(t);
	again(test);
	KUNIT_ASSERT_EQ(test, t->c.n, 1);
	EXPECT_TOLD(test, 0, 1, 1, 0x52, 0x54, 0, 9, 9, 9);
	KUNIT_EXPECT_TRUE(test, shows(t, prov_mac));
}

static void mac_provisioned_refused(struct kunit *test)
{
	struct net_test *t = test->priv;

	memcpy(dev_of(t)->prov.mac, prov_mac, 6);
	t->c.fake.dev.features = FEATURES;
	t->c.mood = FAKE_REFUSE;
	KUNIT_EXPECT_EQ(test, start(t), -EIO);
}

/* Also for a driver that has no control queue: hardware then has one all the same. */
static void mac_provisioned_alone(struct kunit *test)
{
	struct net_test *t = test->priv;

	t->c.fake.dev.features = B(5);
	KUNIT_EXPECT_EQ(test, start(t), 0);
	KUNIT_EXPECT_FALSE(test, t->hw_vqs[2].enabled);
	KUNIT_EXPECT_EQ(test, t->c.n, 0);
	stop(t);
	memcpy(dev_of(t)->prov.mac, prov_mac, 6);
	KUNIT_EXPECT_EQ(test, start(t), 0);
	KUNIT_EXPECT_TRUE(test, t->hw_vqs[2].enabled);
	KUNIT_EXPECT_EQ(test, t->c.n, 1);
	KUNIT_EXPECT_TRUE(test, dev_of(t)->ctrl->hw.on);
	stop(t);
	/* No longer than it has to, where it can be taken away. */
	t->c.fake.hw.caps.caps = VMDEV_CAP_RING_RESET;
	KUNIT_EXPECT_EQ(test, start(t), 0);
	KUNIT_EXPECT_EQ(test, t->c.n, 2);
	KUNIT_EXPECT_EQ(test, t->c.vq, FAKE_QUEUES);
	KUNIT_EXPECT_FALSE(test, dev_of(t)->ctrl->hw.on);
	KUNIT_EXPECT_EQ(test, t->c.fake.n_maps, t->c.fake.n_unmaps);
	/* From who has commands it is not. */
	t->c.fake.dev.features = FEATURES;
	KUNIT_EXPECT_EQ(test, start(t), 0);
	KUNIT_EXPECT_TRUE(test, dev_of(t)->ctrl->hw.on);
}

/* 5.1.2: behind all queues of the hardware, or behind the first pair. */
static void hardware_number(struct kunit *test)
{
	struct net_test *t = test->priv;

	t->c.fake.dev.features = FEATURES;
	KUNIT_EXPECT_EQ(test, start(t), 0);
	KUNIT_EXPECT_TRUE(test, t->hw_vqs[2].enabled);
	KUNIT_EXPECT_FALSE(test, t->hw_vqs[4].enabled);
	stop(t);
	t->c.fake.dev.features = FEATURES | MQ;
	KUNIT_EXPECT_EQ(test, start(t), 0);
	KUNIT_EXPECT_FALSE(test, t->hw_vqs[2].enabled);
	KUNIT_EXPECT_TRUE(test, t->hw_vqs[4].enabled);
}

/**
 * struct qemus_case - a MAC command, and what became of it
 * @user: what user space wrote to the configuration, last byte; 0: nothing
 * @data: a data queue runs
 * @set: last byte of what is set
 * @told: the hardware gets to know
 */
struct qemus_case {
	u8 user;
	bool data;
	u8 set;
	bool told;
};

/*
 * Before any queue of data runs, and it is what user space would have, and another
 * than the device's (which ends in 7 here): then it is QEMU's own idea.
 */
static void mac_of_qemu(struct kunit *test)
{
	static const struct qemus_case cases[] = {
		{ 3, false, 3, false }, { 3, true, 3, true }, { 3, false, 4, true },
		{ 0, false, 3, true }, { 7, false, 7, true }, { 0, false, 0, true },
	};
	u8 cmd[8] = { 1, 1 }, mac[6] = { 2, 0, 0, 0, 0, 7 };
	struct net_test *t = test->priv;
	unsigned int i;

	bring_up(test, 0);
	memcpy(t->c.fake.config, mac, 6);
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct qemus_case *q = &cases[i];

		forget(t);
		t->c.n = 0;
		memset(dev_of(t)->user_mac, 0, 6);
		dev_of(t)->user_mac[0] = q->user ? 2 : 0;
		dev_of(t)->user_mac[5] = q->user;
		t->c.fake.vqs[0].on = q->data;
		cmd[2] = q->set ? 2 : 0;
		cmd[7] = q->set;
		KUNIT_EXPECT_EQ_MSG(test, command(t, cmd, 8), 0, "case %u", i);
		KUNIT_EXPECT_EQ_MSG(test, t->c.n, q->told, "case %u", i);
		if (q->set)
			KUNIT_EXPECT_EQ_MSG(test, shows(t, cmd + 2), q->told, "case %u", i);
		else
			KUNIT_EXPECT_TRUE(test, shows(t, mac));
	}
	/* Another command is nobody's address. */
	t->c.fake.vqs[0].on = false;
	t->c.n = 0;
	KUNIT_EXPECT_EQ(test, COMMAND(t, 0, 0, 1), 0);
	KUNIT_EXPECT_EQ(test, t->c.n, 1);
	/* The control queue itself is no queue of data. */
	t->c.fake.vqs[2].on = true;
	dev_of(t)->user_mac[0] = 2;
	dev_of(t)->user_mac[5] = 9;
	KUNIT_EXPECT_EQ(test, COMMAND(t, 1, 1, 2, 0, 0, 0, 0, 9), 0);
	KUNIT_EXPECT_EQ(test, t->c.n, 1);
}

static void reopen(struct kunit *test)
{
	struct net_test *t = test->priv;

	close_queue(t, &t->c.fake.vqs[cvq(t)].conf.state);
	KUNIT_ASSERT_EQ(test, open_queue(t), 0);
}

/* What hardware takes is in its configuration: key at 17, table at 18 (5.1.4). */
static void rss_limits(struct kunit *test)
{
	u8 cmd[2 + 8 + 2 * 4 + 2 + 1 + 2] = { 4, 1 };
	struct net_test *t = test->priv;

	dev_of(t)->prov.features |= MQ | B(60);
	dev_of(t)->prov.max_vqp = 2;
	dev_of(t)->nvqs = 5;
	t->c.fake.config[17] = 2;
	t->c.fake.config[18] = 4;
	t->c.fake.config[19] = 0;
	bring_up(test, MQ | B(60));
	cmd[6] = 3;
	cmd[18] = 1;
	cmd[20] = 2;
	KUNIT_EXPECT_EQ(test, command(t, cmd, sizeof(cmd)), 0);
	/* It stays so, whatever hardware says later. */
	t->c.fake.config[18] = 2;
	KUNIT_EXPECT_EQ(test, command(t, cmd, sizeof(cmd)), 0);
	reopen(test);
	KUNIT_EXPECT_EQ(test, command(t, cmd, sizeof(cmd)), 1);
	t->c.fake.config[18] = 4;
	t->c.fake.config[17] = 1;
	reopen(test);
	KUNIT_EXPECT_EQ(test, command(t, cmd, sizeof(cmd)), 1);
	/* Hardware that has no such fields takes none. */
	t->c.fake.hw.caps.config_size = 17;
	reopen(test);
	KUNIT_EXPECT_EQ(test, command(t, cmd, sizeof(cmd)), 1);
	KUNIT_EXPECT_EQ(test, t->c.fake.strays, 0);
	KUNIT_EXPECT_EQ(test, t->c.n, 2);
}

/* Hardware with a queue too small to be of use: the driver is not started. */
static void hardware_useless(struct kunit *test)
{
	struct net_test *t = test->priv;

	t->c.fake.dev.features = FEATURES;
	t->c.fake.vq_size[4] = 1;
	KUNIT_EXPECT_EQ(test, start(t), -EINVAL);
	t->c.fake.vq_size[4] = 2;
	KUNIT_EXPECT_EQ(test, start(t), 0);
}

static struct kunit_case netctrl_cases[] = {
	KUNIT_CASE(serve_ok),
	KUNIT_CASE(serve_marks),
	KUNIT_CASE(serve_refused),
	KUNIT_CASE(serve_malformed),
	KUNIT_CASE(serve_pieces),
	KUNIT_CASE(serve_answer_in_pieces),
	KUNIT_CASE(serve_answer_refused),
	KUNIT_CASE(serve_longest),
	KUNIT_CASE(serve_no_room),
	KUNIT_CASE(outside_command),
	KUNIT_CASE(outside_command_far),
	KUNIT_CASE(outside_answer),
	KUNIT_CASE(outside_in_part),
	KUNIT_CASE(outside_read_only),
	KUNIT_CASE(outside_write_only),
	KUNIT_CASE(outside_of_its_space),
	KUNIT_CASE(space_1_is_software),
	KUNIT_CASE(ring_not_mapped),
	KUNIT_CASE(host_memory),
	KUNIT_CASE(broken_index),
	KUNIT_CASE(broken_loop),
	KUNIT_CASE(broken_order),
	KUNIT_CASE(hardware_silent),
	KUNIT_CASE(hardware_gone),
	KUNIT_CASE(hardware_breaks_its_ring),
	KUNIT_CASE(not_now),
	KUNIT_CASE(many_at_once),
	KUNIT_CASE(mapped_doorbell),
	KUNIT_CASE(wishes),
	KUNIT_CASE(rounds_split),
	KUNIT_CASE(rounds_packed),
	KUNIT_CASE(rounds_with_data),
	KUNIT_CASE(replay_order),
	KUNIT_CASE(replay_nothing_after_reset),
	KUNIT_CASE(replay_refused),
	KUNIT_CASE(replay_of_queues),
	KUNIT_CASE(state_goes_on),
	KUNIT_CASE(state_goes_on_packed),
	KUNIT_CASE(mac_provisioned),
	KUNIT_CASE(mac_provisioned_refused),
	KUNIT_CASE(mac_provisioned_alone),
	KUNIT_CASE(hardware_number),
	KUNIT_CASE(mac_of_qemu),
	KUNIT_CASE(rss_limits),
	KUNIT_CASE(hardware_useless),
	{}
};

static struct kunit_suite netctrl_suite = {
	.name = "vmdev_netctrl",
	.init = net_init,
	.exit = net_exit,
	.test_cases = netctrl_cases,
};

kunit_test_suite(netctrl_suite);
