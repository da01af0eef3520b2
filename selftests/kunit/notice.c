// SPDX-License-Identifier: GPL-2.0
/*
 * What happened is told in order, once; what there was no room for is counted
 * (drivers/core/notice.c). In the kernel only.
 */
#include "kunit.h"

/* log.c has others that stand in for them. */
#define vmdev_note		notice_test_note
#define vmdev_notices_flush	notice_test_flush
/* In the place of drivers/core/ctl.c. */
#define vmdev_ctl_listens	notice_test_listens
#define vmdev_ctl_tell		notice_test_tell

#include <linux/completion.h>

#include "../../drivers/core/notice.c"

static bool listens;
/* What happens while the second is told, if anything does. */
static u32 meanwhile;
static void note(u32 value);
/* The first that is told waits for it. */
static struct completion go_on;
static unsigned int told, out_of_order, lost, by_itself, next;

bool vmdev_ctl_listens(void)
{
	return listens;
}

void vmdev_ctl_tell(const struct vmdev_notice *event)
{
	wait_for_completion(&go_on);
	complete(&go_on);
	lost += event->lost;
	if (event->kind == VMDEV_EVENT_LOST) {
		by_itself++;
		return;
	}
	if (event->value == 1 && meanwhile)
		note(meanwhile);
	out_of_order += event->value != next + lost;
	next = event->value + 1 - lost;
	told++;
}

static void release(struct device *dev)
{
}

static struct device dev;

static int notice_init(struct kunit *test)
{
	memset(&dev, 0, sizeof(dev));
	device_initialize(&dev);
	dev.release = release;
	init_completion(&go_on);
	listens = true;
	told = 0;
	out_of_order = 0;
	lost = 0;
	by_itself = 0;
	next = 0;
	meanwhile = 0;
	return 0;
}

static void notice_exit(struct kunit *test)
{
	vmdev_notices_flush();
	KUNIT_EXPECT_EQ(test, kref_read(&dev.kobj.kref), 1);
	put_device(&dev);
}

static void note(u32 value)
{
	const struct vmdev_notice event = { .kind = VMDEV_EVENT_PATH, .dev = &dev, .value = value };

	vmdev_note(&event);
}

static void notice_in_order(struct kunit *test)
{
	u32 i;

	complete(&go_on);
	for (i = 0; i < 100; i++)
		note(i);
	vmdev_notices_flush();
	KUNIT_EXPECT_EQ(test, told, 100);
	KUNIT_EXPECT_EQ(test, out_of_order, 0);
	KUNIT_EXPECT_EQ(test, lost, 0);
}

/* The listener is slow: the first is being told, as many as there is room for wait, 30 are lost. */
static void overflow(void)
{
	u32 i;

	note(0);
	while (READ_ONCE(vmdev_notices_head) != READ_ONCE(vmdev_notices_tail))
		msleep(20);
	for (i = 1; i <= VMDEV_NOTICES_MAX + 30; i++)
		note(i);
	complete(&go_on);
	vmdev_notices_flush();
}

/* Nothing else happens: that is told when all others were. */
static void notice_tells_what_is_lost(struct kunit *test)
{
	overflow();
	KUNIT_EXPECT_EQ(test, told, 1 + VMDEV_NOTICES_MAX);
	KUNIT_EXPECT_EQ(test, lost, 30);
	KUNIT_EXPECT_EQ(test, by_itself, 1);

	/* Once. */
	note(VMDEV_NOTICES_MAX + 31);
	vmdev_notices_flush();
	KUNIT_EXPECT_EQ(test, told, 2 + VMDEV_NOTICES_MAX);
	KUNIT_EXPECT_EQ(test, lost, 30);
	KUNIT_EXPECT_EQ(test, by_itself, 1);
	KUNIT_EXPECT_EQ(test, out_of_order, 0);
}

/* The next one that there is room for tells of them. */
static void notice_says_what_was_lost(struct kunit *test)
{
	meanwhile = VMDEV_NOTICES_MAX + 31;
	overflow();
	KUNIT_EXPECT_EQ(test, told, 2 + VMDEV_NOTICES_MAX);
	KUNIT_EXPECT_EQ(test, lost, 30);
	KUNIT_EXPECT_EQ(test, by_itself, 0);
	KUNIT_EXPECT_EQ(test, out_of_order, 0);
}

static void notice_without_listener(struct kunit *test)
{
	listens = false;
	complete(&go_on);
	note(0);
	vmdev_notices_flush();
	KUNIT_EXPECT_EQ(test, told, 0);
}

static struct kunit_case notice_cases[] = {
	KUNIT_CASE(notice_in_order),
	KUNIT_CASE(notice_tells_what_is_lost),
	KUNIT_CASE(notice_says_what_was_lost),
	KUNIT_CASE(notice_without_listener),
	{}
};

static struct kunit_suite vmdev_notice_suite = {
	.name = "vmdev_notice",
	.init = notice_init,
	.exit = notice_exit,
	.test_cases = notice_cases,
};

kunit_test_suite(vmdev_notice_suite);
