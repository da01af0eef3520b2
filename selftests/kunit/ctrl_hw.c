// SPDX-License-Identifier: GPL-2.0
/*
 * The core's own commands on the hardware's control queue (drivers/core/ctrl_hw.c
 * and the driver's side of rings), against hardware that does what virtio 1.3
 * says, and hardware that does not. The reference is the kernel-doc there, and
 * 5.1.6.5: the first byte of an answer is 0 if all went well, 1 if not.
 */
#include "kunit.h"

#include <linux/delay.h>

#include "../../drivers/core/drvring.c"
#undef VMDEV_HAS
#include "../../drivers/core/drvring_packed.c"
#include "../../drivers/core/drvring_split.c"
#include "fake_ctrl.h"

#undef fsleep
#define fsleep(us)	fake_ctrl_sleep(us)
#include "../../drivers/core/ctrl_hw.c"

#define B(n)		BIT_ULL(n)
#define EVENT_IDX	B(29)
#define IN_ORDER	B(35)
#define NOTIFICATION_DATA	B(38)

#define IOVA	0x80000000ULL
#define CVQ	7

struct fake_ctrl *fake_ctrl_now;

/* Nobody sleeps here, but hardware gets on meanwhile. */
void fake_ctrl_sleep(unsigned long us)
{
	struct fake_ctrl *c = fake_ctrl_now;

	c->slept += us;
	if (c->late && c->slept >= c->after) {
		c->late = false;
		fake_ctrl_serve(c);
	}
}

/**
 * struct hw_test - the hardware, and who gives it commands
 * @c: the hardware
 * @ctrl: the control queue
 */
struct hw_test {
	struct fake_ctrl c;
	struct vmdev_ctrl ctrl;
};

static const u8 command[] = { 1, 1, 0x52, 0x54, 0, 1, 2, 3 };

/* User space has the device: its IOVAs end where the core's own begin. */
static int hw_init(struct kunit *test)
{
	struct hw_test *t = kunit_kzalloc(test, sizeof(*t), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, t);
	test->priv = t;
	fake_ctrl_init(&t->c, IOVA - 1);
	t->c.fake.parent.cvq = CVQ;
	t->c.fake.vq_size[CVQ] = 64;
	t->ctrl.dev = &t->c.fake.dev;
	return 0;
}

static int prepare_vq(struct hw_test *t, u16 vq)
{
	struct vmdev_vq_conf conf = { 0 };
	int err;

	mutex_lock(&t->c.fake.parent.lock);
	err = vmdev_ctrl_hw_prepare(&t->ctrl, vq, &conf);
	mutex_unlock(&t->c.fake.parent.lock);
	/* See vmdev_ring_fits_hw(). */
	if (!err && !IS_ALIGNED(conf.desc, PAGE_SIZE))
		err = -EINVAL;
	if (!err)
		fake_ctrl_start(&t->c, vq, &conf);
	return err;
}

static void prepare(struct kunit *test, u64 features)
{
	struct hw_test *t = test->priv;

	t->c.fake.dev.features = features;
	KUNIT_ASSERT_EQ(test, prepare_vq(t, CVQ), 0);
}

static void release(struct kunit *test)
{
	struct hw_test *t = test->priv;
	u32 i;

	mutex_lock(&t->c.fake.parent.lock);
	vmdev_ctrl_hw_release(&t->ctrl);
	mutex_unlock(&t->c.fake.parent.lock);
	KUNIT_EXPECT_STREQ(test, t->c.fault ? t->c.fault : "", "");
	/* What was mapped is unmapped, whatever happened. */
	KUNIT_EXPECT_EQ(test, t->c.fake.n_unmaps, t->c.fake.n_maps);
	for (i = 0; i < t->c.fake.n_maps && i < FAKE_LOG; i++)
		KUNIT_EXPECT_EQ(test,
				fake_ctrl_times(t->c.fake.unmaps, t->c.fake.n_unmaps,
						t->c.fake.maps[i].iova),
				fake_ctrl_times(t->c.fake.maps, t->c.fake.n_maps,
						t->c.fake.maps[i].iova));
}

static int send_bytes(struct hw_test *t, const u8 *data, u32 len, u32 in_len)
{
	int err;

	mutex_lock(&t->c.fake.parent.lock);
	err = vmdev_ctrl_hw_send(&t->ctrl, data, len, in_len);
	mutex_unlock(&t->c.fake.parent.lock);
	return err;
}

static int send(struct hw_test *t)
{
	return send_bytes(t, command, sizeof(command), 1);
}

/* 2.7 and 2.8: alignments 16, 2 and 4, or 16, 4 and 4; a size that is a power of two. */
static void hw_ring_split(struct kunit *test)
{
	struct hw_test *t = test->priv;
	const struct vmdev_vq_conf *conf = &t->c.conf;

	prepare(test, 0);
	KUNIT_EXPECT_EQ(test, conf->desc % 16, 0ULL);
	KUNIT_EXPECT_EQ(test, conf->driver % 2, 0ULL);
	KUNIT_EXPECT_EQ(test, conf->device % 4, 0ULL);
	KUNIT_EXPECT_TRUE(test, conf->size >= 2 && conf->size <= 64);
	KUNIT_EXPECT_EQ(test, conf->size & (conf->size - 1), 0);
	KUNIT_EXPECT_EQ(test, conf->state.split.avail_index, 0);
	KUNIT_EXPECT_TRUE(test, conf->enabled);
	KUNIT_EXPECT_TRUE(test, conf->software);
	KUNIT_EXPECT_EQ(test, t->c.fake.maps[0].iova, IOVA);
	/* 2.7.6: it wants no interrupts. */
	KUNIT_EXPECT_EQ(test, *(u8 *)fake_ctrl_at(&t->c, conf->driver, 2), 1);
	release(test);
}

static void hw_ring_packed(struct kunit *test)
{
	struct hw_test *t = test->priv;
	const struct vmdev_vq_conf *conf = &t->c.conf;

	prepare(test, FAKE_PACKED);
	KUNIT_EXPECT_EQ(test, conf->desc % 16, 0ULL);
	KUNIT_EXPECT_EQ(test, conf->driver % 4, 0ULL);
	KUNIT_EXPECT_EQ(test, conf->device % 4, 0ULL);
	/* 2.8.1: wrap counters begin as 1. */
	KUNIT_EXPECT_TRUE(test, conf->state.packed.last_avail_counter == 1);
	KUNIT_EXPECT_TRUE(test, conf->state.packed.last_avail_idx == 0);
	KUNIT_EXPECT_TRUE(test, conf->state.packed.last_used_counter == 1);
	KUNIT_EXPECT_TRUE(test, conf->state.packed.last_used_idx == 0);
	/* 2.8.14: flags, 1 for no interrupts, behind the position. */
	KUNIT_EXPECT_EQ(test, ((u8 *)fake_ctrl_at(&t->c, conf->driver, 4))[2], 1);
	release(test);
}

/* What the hardware has no need to write no buffer of the guest can be there to write. */
static void hw_cannot_write(struct kunit *test)
{
	struct hw_test *t = test->priv;
	const struct vmdev_vq_conf *conf = &t->c.conf;
	u64 out;

	prepare(test, 0);
	out = IOVA + (t->ctrl.hw.out - (u8 *)t->ctrl.hw.area);
	KUNIT_EXPECT_EQ(test, send(t), 0);
	KUNIT_EXPECT_NULL(test, t->c.fault);
	KUNIT_EXPECT_NOT_NULL(test, fake_ctrl_to(&t->c, conf->device, 4));
	KUNIT_EXPECT_NULL(test, fake_ctrl_to(&t->c, conf->desc, 16));
	KUNIT_EXPECT_NULL(test, fake_ctrl_to(&t->c, conf->driver, 4));
	KUNIT_EXPECT_NULL(test, fake_ctrl_to(&t->c, out, 1));
	t->c.fault = NULL;
	release(test);
}

/* Many more than the ring has entries, whatever was negotiated. */
static void hw_commands(struct kunit *test)
{
	static const u64 features[] = {
		0, FAKE_PACKED, EVENT_IDX, FAKE_PACKED | EVENT_IDX, IN_ORDER,
		FAKE_PACKED | IN_ORDER, FAKE_PACKED | EVENT_IDX | IN_ORDER,
	};
	struct hw_test *t = test->priv;
	const struct fake_ctrl_cmd *cmd = &t->c.cmds[0];
	u32 i, n;

	for (i = 0; i < ARRAY_SIZE(features); i++) {
		prepare(test, features[i]);
		for (n = 0; n < 100; n++)
			KUNIT_EXPECT_EQ_MSG(test, send(t), 0, "features %#llx, %u",
					    features[i], n);
		release(test);
	}
	KUNIT_EXPECT_EQ(test, t->c.n, 100 * ARRAY_SIZE(features));
	KUNIT_EXPECT_EQ(test, t->c.kicks, t->c.n);
	KUNIT_EXPECT_EQ(test, cmd->len, sizeof(command));
	KUNIT_EXPECT_EQ(test, cmd->in_len, 1);
	KUNIT_EXPECT_MEMEQ(test, cmd->head, command, sizeof(command));
}

/* Queues of two entries are the smallest of any use. */
static void hw_sizes(struct kunit *test)
{
	struct hw_test *t = test->priv;
	u16 size;
	u32 i;

	for (size = 2; size <= 1024; size *= 2) {
		t->c.fake.vq_size[CVQ] = size;
		prepare(test, 0);
		KUNIT_EXPECT_LE(test, t->c.conf.size, size);
		for (i = 0; i < 20; i++)
			KUNIT_EXPECT_EQ(test, send(t), 0);
		release(test);
	}
	t->c.fake.vq_size[CVQ] = 1;
	KUNIT_EXPECT_EQ(test, prepare_vq(t, CVQ), -EINVAL);
	/* A packed one of any size. */
	t->c.fake.vq_size[CVQ] = 3;
	prepare(test, FAKE_PACKED);
	for (i = 0; i < 20; i++)
		KUNIT_EXPECT_EQ(test, send(t), 0);
	release(test);
	/* Of another the size does not matter: only one is the control queue. */
	t->c.fake.vq_size[CVQ] = 64;
	t->c.fake.vq_size[2] = 1;
	KUNIT_EXPECT_EQ(test, prepare_vq(t, 2), 0);
	KUNIT_EXPECT_EQ(test, send(t), 0);
	release(test);
}

static void hw_cannot_be(struct kunit *test)
{
	struct hw_test *t = test->priv;

	KUNIT_EXPECT_EQ(test, prepare_vq(t, FAKE_QUEUES), -EINVAL);
	KUNIT_EXPECT_EQ(test, prepare_vq(t, U16_MAX), -EINVAL);
	t->c.fake.parent.cvq = FAKE_QUEUES;
	KUNIT_EXPECT_EQ(test, prepare_vq(t, 2), -EINVAL);
	t->c.fake.parent.cvq = CVQ;
	t->c.fake.error = -EINVAL;
	KUNIT_EXPECT_EQ(test, prepare_vq(t, CVQ), -ENOMEM);
	KUNIT_EXPECT_EQ(test, t->c.fake.n_maps, 0);
	KUNIT_EXPECT_FALSE(test, t->ctrl.hw.on);
	/* Not prepared: released all the same, and of no use. */
	KUNIT_EXPECT_EQ(test, send(t), -EBADMSG);
	mutex_lock(&t->c.fake.parent.lock);
	vmdev_ctrl_hw_release(&t->ctrl);
	mutex_unlock(&t->c.fake.parent.lock);
	KUNIT_EXPECT_EQ(test, t->c.fake.n_unmaps, 0);
}

/* 2.9: the next avail index; or the next entry, and the wrap counter on top. */
static void hw_notification_data(struct kunit *test)
{
	struct hw_test *t = test->priv;
	u32 i, size;

	prepare(test, NOTIFICATION_DATA);
	for (i = 1; i <= 100; i++) {
		KUNIT_EXPECT_EQ(test, send(t), 0);
		KUNIT_EXPECT_EQ(test, t->c.data, i << 16);
	}
	release(test);
	prepare(test, NOTIFICATION_DATA | FAKE_PACKED);
	size = t->c.conf.size;
	for (i = 1; i <= 100; i++) {
		u32 wrap = !(2 * i / size & 1);

		KUNIT_EXPECT_EQ(test, send(t), 0);
		KUNIT_EXPECT_EQ(test, t->c.data >> 16, 2 * i % size | wrap << 15);
	}
	release(test);
}

static void expect_moods(struct kunit *test, u64 features)
{
	struct hw_test *t = test->priv;
	u32 i;

	prepare(test, features);
	for (i = 0; i < 20; i++) {
		t->c.mood = FAKE_REFUSE + i % 3;
		KUNIT_EXPECT_EQ_MSG(test, send(t), -EIO, "mood %u", t->c.mood);
		t->c.mood = FAKE_OBEY;
		KUNIT_EXPECT_EQ(test, send(t), 0);
	}
	release(test);
}

/* Anything but 0 is a refusal, also what was not written at all; the queue goes on. */
static void hw_refuses(struct kunit *test)
{
	expect_moods(test, 0);
	expect_moods(test, FAKE_PACKED);
}

static void hw_is_late(struct kunit *test)
{
	struct hw_test *t = test->priv;

	prepare(test, 0);
	t->c.mood = FAKE_LATE;
	for (t->c.after = 1; t->c.after < 1900000; t->c.after *= 2)
		KUNIT_EXPECT_EQ_MSG(test, send(t), 0, "after %u us", t->c.after);
	release(test);
}

/* Waited for, but not for ever; then the hardware has the buffers, and nothing is sent. */
static void hw_is_silent(struct kunit *test)
{
	struct hw_test *t = test->priv;

	prepare(test, 0);
	KUNIT_EXPECT_EQ(test, send(t), 0);
	t->c.slept = 0;
	t->c.mood = FAKE_SILENT;
	KUNIT_EXPECT_EQ(test, send(t), -ETIMEDOUT);
	KUNIT_EXPECT_GE(test, t->c.slept, 2000000);
	KUNIT_EXPECT_LE(test, t->c.slept, 2100000);
	KUNIT_EXPECT_EQ(test, t->c.kicks, 2);
	t->c.mood = FAKE_OBEY;
	KUNIT_EXPECT_EQ(test, send(t), -EBADMSG);
	KUNIT_EXPECT_EQ(test, t->c.kicks, 2);
	release(test);
	/* Started anew it is as good as new. */
	prepare(test, 0);
	KUNIT_EXPECT_EQ(test, send(t), 0);
	release(test);
}

static void hw_leaves(struct kunit *test)
{
	struct hw_test *t = test->priv;

	prepare(test, FAKE_PACKED);
	t->c.mood = FAKE_LEAVE;
	KUNIT_EXPECT_EQ(test, send(t), -ENODEV);
	KUNIT_EXPECT_EQ(test, t->c.kicks, 1);
	/* Noticed long before an answer would be late. */
	KUNIT_EXPECT_LE(test, t->c.slept, 10000);
	KUNIT_EXPECT_EQ(test, send(t), -ENODEV);
	KUNIT_EXPECT_EQ(test, t->c.kicks, 1);
	release(test);
}

static void hw_is_reset_by_others(struct kunit *test)
{
	struct hw_test *t = test->priv;

	prepare(test, 0);
	t->c.fake.parent.offline = true;
	KUNIT_EXPECT_EQ(test, send(t), -ENODEV);
	KUNIT_EXPECT_EQ(test, t->c.kicks, 0);
	release(test);
}

/* A device that gives back what it was not given is not believed again. */
static void hw_breaks_rules(struct kunit *test)
{
	static const u64 features[] = { 0, FAKE_PACKED };
	struct hw_test *t = test->priv;
	enum fake_ctrl_mood mood;
	u32 i, kicks;

	for (i = 0; i < ARRAY_SIZE(features); i++) {
		for (mood = FAKE_WRONG_ID; mood <= FAKE_JUMP; mood++) {
			/* The index of a packed ring is nothing that jumps. */
			if (mood == FAKE_JUMP && features[i])
				continue;
			t->c.mood = FAKE_OBEY;
			prepare(test, features[i]);
			KUNIT_EXPECT_EQ(test, send(t), 0);
			t->c.mood = mood;
			KUNIT_EXPECT_EQ_MSG(test, send(t), -EBADMSG, "mood %u", mood);
			kicks = t->c.kicks;
			t->c.mood = FAKE_OBEY;
			KUNIT_EXPECT_EQ_MSG(test, send(t), -EBADMSG, "mood %u, again", mood);
			KUNIT_EXPECT_EQ(test, t->c.kicks, kicks);
			release(test);
		}
	}
}

static void hw_lengths(struct kunit *test)
{
	struct hw_test *t = test->priv;
	u8 *data = kzalloc(16385, GFP_KERNEL);
	u32 i, sum = 0;

	KUNIT_ASSERT_NOT_NULL(test, data);
	for (i = 0; i < 16384; i++) {
		data[i] = i + (i >> 8);
		sum += data[i];
	}
	prepare(test, 0);
	KUNIT_EXPECT_EQ(test, send_bytes(t, data, 16384, 64), 0);
	KUNIT_EXPECT_EQ(test, t->c.cmds[0].len, 16384);
	KUNIT_EXPECT_EQ(test, t->c.cmds[0].sum, sum);
	KUNIT_EXPECT_EQ(test, t->c.cmds[0].in_len, 64);
	/* What the device wrote there is there. */
	KUNIT_EXPECT_EQ(test, t->ctrl.hw.in[0], 0);
	for (i = 1; i < 64; i++)
		KUNIT_EXPECT_EQ(test, t->ctrl.hw.in[i], 0xa0 + i);
	KUNIT_EXPECT_EQ(test, send_bytes(t, data, 16385, 1), -EBADMSG);
	KUNIT_EXPECT_EQ(test, send_bytes(t, data, 2, 65), -EBADMSG);
	KUNIT_EXPECT_EQ(test, send_bytes(t, data, 2, 0), -EBADMSG);
	KUNIT_EXPECT_EQ(test, t->c.kicks, 1);
	KUNIT_EXPECT_EQ(test, send(t), 0);
	release(test);
	kfree(data);
}

/* An answer is the answer to this command, not what the one before left there. */
static void hw_no_old_answers(struct kunit *test)
{
	struct hw_test *t = test->priv;
	u32 i;

	prepare(test, 0);
	KUNIT_EXPECT_EQ(test, send_bytes(t, command, sizeof(command), 9), 0);
	t->c.mood = FAKE_FORGET;
	KUNIT_EXPECT_EQ(test, send_bytes(t, command, sizeof(command), 9), -EIO);
	for (i = 1; i < 9; i++)
		KUNIT_EXPECT_EQ(test, t->ctrl.hw.in[i], 0);
	release(test);
}

static struct kunit_case ctrl_hw_cases[] = {
	KUNIT_CASE(hw_ring_split),
	KUNIT_CASE(hw_ring_packed),
	KUNIT_CASE(hw_cannot_write),
	KUNIT_CASE(hw_commands),
	KUNIT_CASE(hw_sizes),
	KUNIT_CASE(hw_cannot_be),
	KUNIT_CASE(hw_notification_data),
	KUNIT_CASE(hw_refuses),
	KUNIT_CASE(hw_is_late),
	KUNIT_CASE(hw_is_silent),
	KUNIT_CASE(hw_leaves),
	KUNIT_CASE(hw_is_reset_by_others),
	KUNIT_CASE(hw_breaks_rules),
	KUNIT_CASE(hw_lengths),
	KUNIT_CASE(hw_no_old_answers),
	{}
};

static struct kunit_suite ctrl_hw_suite = {
	.name = "vmdev_ctrl_hw",
	.init = hw_init,
	.test_cases = ctrl_hw_cases,
};

kunit_test_suite(ctrl_hw_suite);
