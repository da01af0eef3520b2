// SPDX-License-Identifier: GPL-2.0
/*
 * Capability parsing (drivers/pci/caps.c): how much of a virtio structure is
 * really there, and which doorbells may be mapped into user space. The layouts
 * are those of virtio 1.2, 4.1.4, and PCIe 7.7.2 (MSI-X): table and pending
 * bits are of 16 bytes and of a bit for each vector.
 */
#include "kunit.h"
#include "../../drivers/pci/caps.c"
#include "fake_pci.h"

#define COMMON	1
#define NOTIFY	2
#define ISR	3
#define DEVICE	4
#define PCI_CFG	5
#define SHM	8

#define BAR4		0xfe000000ULL
#define BAR4_SIZE	0x10000ULL

static struct fake_pci *pci(struct kunit *test)
{
	return test->priv;
}

static u64 room(struct kunit *test, u8 type)
{
	return vmdev_pci_cap_room(&pci(test)->pdev, type);
}

static int caps_init(struct kunit *test)
{
	test->priv = kunit_kzalloc(test, sizeof(struct fake_pci), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, test->priv);
	fake_pci_init(test->priv);
	fake_pci_bar(test->priv, 4, BAR4, BAR4_SIZE);
	return 0;
}

static void caps_none(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, room(test, DEVICE), 0ULL);
	fake_pci_cap(pci(test), PCI_CAP_ID_EXP, 60);
	KUNIT_EXPECT_EQ(test, room(test, DEVICE), 0ULL);
	fake_pci_virtio_cap(pci(test), COMMON, 4, 0, 56);
	KUNIT_EXPECT_EQ(test, room(test, DEVICE), 0ULL);
	KUNIT_EXPECT_EQ(test, room(test, COMMON), 56ULL);
	/* Without the status bit there is no list. */
	pci(test)->config[PCI_STATUS] = 0;
	KUNIT_EXPECT_EQ(test, room(test, COMMON), 0ULL);
}

/* A structure that its capability lets end behind its BAR. */
static void caps_end_of_the_bar(struct kunit *test)
{
	u8 pos = fake_pci_virtio_cap(pci(test), DEVICE, 4, 0x2000, 0x1000);
	static const struct {
		u32 offset, length;
		u64 room;
	} cases[] = {
		{ 0x2000, 0x1000, 0x1000 },
		{ 0xf000, 0x1000, 0x1000 },
		{ 0xf000, 0x1001, 0x1000 },
		{ 0xffff, 0x1000, 1 },
		{ 0x10000, 0x1000, 0 },
		{ 0xffffffff, 1, 0 },
		{ 0xffffffff, 0xffffffff, 0 },
		{ 0, 0xffffffff, BAR4_SIZE },
		{ 8, 0, 0 },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		fake_pci_put(pci(test), pos + 8, cases[i].offset, 4);
		fake_pci_put(pci(test), pos + 12, cases[i].length, 4);
		KUNIT_EXPECT_EQ_MSG(test, room(test, DEVICE), cases[i].room,
				    "%#x bytes at %#x", cases[i].length, cases[i].offset);
	}
}

/* 4.1.4: values 6 and up are reserved and ignored. */
static void caps_no_such_bar(struct kunit *test)
{
	u8 pos = fake_pci_virtio_cap(pci(test), DEVICE, 0, 0, 0x100);
	u32 bar;

	fake_pci_bar(pci(test), 6, BAR4, BAR4_SIZE);
	for (bar = 0; bar < 256; bar++) {
		pci(test)->config[pos + 4] = bar;
		KUNIT_EXPECT_EQ_MSG(test, room(test, DEVICE), bar == 4 ? 0x100ULL : 0ULL,
				    "BAR %u", bar);
	}
}

static void caps_several(struct kunit *test)
{
	fake_pci_virtio_cap(pci(test), DEVICE, 2, 0, 0x10);
	fake_pci_virtio_cap(pci(test), DEVICE, 4, 0, 0x200);
	fake_pci_virtio_cap(pci(test), COMMON, 4, 0, 0x20);
	fake_pci_virtio_cap(pci(test), DEVICE, 4, 0xff00, 0x300);
	/* That of BAR 2 is none, as there is no BAR 2. */
	KUNIT_EXPECT_EQ(test, room(test, DEVICE), 0x100ULL);
	fake_pci_bar(pci(test), 2, 0xfd000000, 0x1000);
	KUNIT_EXPECT_EQ(test, room(test, DEVICE), 0x10ULL);
}

/* A list without an end. */
static void caps_loop(struct kunit *test)
{
	u8 pos = fake_pci_virtio_cap(pci(test), DEVICE, 4, 0, 0x100);

	KUNIT_EXPECT_EQ(test, room(test, DEVICE), 0x100ULL);
	pci(test)->config[pos + PCI_CAP_LIST_NEXT] = pos;
	KUNIT_EXPECT_EQ(test, room(test, DEVICE), 0ULL);
	pci(test)->config[pos + PCI_CAP_LIST_NEXT] = 0xff;
	KUNIT_EXPECT_EQ(test, room(test, DEVICE), 0x100ULL);
}

/* All that fit below 0x100: not a loop. */
static void caps_many(struct kunit *test)
{
	u32 pos;

	for (pos = 0x40; pos + 24 <= 0x100; pos += 24)
		fake_pci_virtio_cap(pci(test), DEVICE, 4, 0, 0x1000 - pos);
	KUNIT_EXPECT_EQ(test, room(test, DEVICE), 0x1000ULL - (pos - 24));
}

static void caps_all_ones(struct kunit *test)
{
	memset(pci(test)->config, 0xff, sizeof(pci(test)->config));
	KUNIT_EXPECT_EQ(test, room(test, DEVICE), 0ULL);
	KUNIT_EXPECT_FALSE(test, vmdev_pci_page_exclusive(&pci(test)->vp, 0));
}

/* --- doorbells ----------------------------------------------------------- */

#define NOTIFY_AT	0x8000

/**
 * struct doorbells - a function whose two queues may be mapped
 * @common: its common configuration, right before the doorbells
 * @notify: a page for each queue
 * @isr: right behind the doorbells
 */
struct doorbells {
	u8 common;
	u8 notify;
	u8 isr;
};

static struct doorbells doorbells_init(struct kunit *test)
{
	struct fake_pci *fake = pci(test);
	struct doorbells d;
	u32 i;

	d.common = fake_pci_virtio_cap(fake, COMMON, 4, NOTIFY_AT - 0x38, 0x38);
	d.notify = fake_pci_virtio_cap(fake, NOTIFY, 4, NOTIFY_AT, 2 * PAGE_SIZE);
	d.isr = fake_pci_virtio_cap(fake, ISR, 4, NOTIFY_AT + 2 * PAGE_SIZE, 1);
	fake->vp.mdev.notify_offset_multiplier = PAGE_SIZE;
	fake->vp.hw.caps.nvqs = 2;
	for (i = 0; i < 2; i++)
		fake->vqs[i].notify_pa = BAR4 + NOTIFY_AT + i * PAGE_SIZE;
	return d;
}

static void expect_exclusive(struct kunit *test, bool first, bool second)
{
	KUNIT_EXPECT_EQ(test, vmdev_pci_page_exclusive(&pci(test)->vp, 0), first);
	KUNIT_EXPECT_EQ(test, vmdev_pci_page_exclusive(&pci(test)->vp, 1), second);
}

static void doorbell_alone(struct kunit *test)
{
	doorbells_init(test);
	expect_exclusive(test, true, true);
}

/* Of the beginning of a BAR, for what is not virtio. */
static void bar_is_free(struct kunit *test)
{
	struct fake_pci *fake = pci(test);

	doorbells_init(test);
	KUNIT_EXPECT_TRUE(test, vmdev_pci_bar_is_free(&fake->pdev, 4, NOTIFY_AT - 0x38));
	KUNIT_EXPECT_FALSE(test, vmdev_pci_bar_is_free(&fake->pdev, 4, NOTIFY_AT - 0x37));
	KUNIT_EXPECT_FALSE(test, vmdev_pci_bar_is_free(&fake->pdev, 4, U64_MAX));
	KUNIT_EXPECT_TRUE(test, vmdev_pci_bar_is_free(&fake->pdev, 2, U64_MAX));
}

/* The page that is mapped has to be the doorbell's, from its start. */
static void doorbell_not_at_the_start(struct kunit *test)
{
	doorbells_init(test);
	pci(test)->vqs[0].notify_pa += 2;
	expect_exclusive(test, false, true);
}

static void doorbell_multiplier(struct kunit *test)
{
	doorbells_init(test);
	pci(test)->vp.mdev.notify_offset_multiplier = PAGE_SIZE / 2;
	expect_exclusive(test, false, false);
	pci(test)->vp.mdev.notify_offset_multiplier = 2 * PAGE_SIZE;
	expect_exclusive(test, true, true);
}

static void doorbell_of_two_queues(struct kunit *test)
{
	doorbells_init(test);
	pci(test)->vqs[1].notify_pa = pci(test)->vqs[0].notify_pa;
	expect_exclusive(test, false, false);
	pci(test)->vqs[1].notify_pa += 4;
	expect_exclusive(test, false, false);
}

/* One byte of another structure in the page, at either end. */
static void doorbell_with_a_neighbour(struct kunit *test)
{
	struct doorbells d = doorbells_init(test);

	fake_pci_put(pci(test), d.common + 12, 0x39, 4);
	expect_exclusive(test, false, true);
	fake_pci_put(pci(test), d.common + 12, 0x38, 4);
	expect_exclusive(test, true, true);
	fake_pci_put(pci(test), d.isr + 8, NOTIFY_AT + 2 * PAGE_SIZE - 1, 4);
	expect_exclusive(test, true, false);
	/* Nothing of it, or in another BAR. */
	fake_pci_put(pci(test), d.isr + 12, 0, 4);
	expect_exclusive(test, true, true);
	fake_pci_put(pci(test), d.isr + 12, 1, 4);
	pci(test)->config[d.isr + 4] = 2;
	expect_exclusive(test, true, true);
}

/* The length of a structure may reach around the end of 32 bits. */
static void doorbell_with_a_giant(struct kunit *test)
{
	struct doorbells d = doorbells_init(test);

	fake_pci_put(pci(test), d.isr + 8, 0, 4);
	fake_pci_put(pci(test), d.isr + 12, 0xffffffff, 4);
	expect_exclusive(test, false, false);
	fake_pci_put(pci(test), d.isr + 8, 0xffffffff, 4);
	expect_exclusive(test, true, true);
}

/* The notification area has to hold all of the page. */
static void doorbell_beyond_its_area(struct kunit *test)
{
	struct doorbells d = doorbells_init(test);

	fake_pci_put(pci(test), d.notify + 12, 2 * PAGE_SIZE - 1, 4);
	expect_exclusive(test, true, false);
	fake_pci_put(pci(test), d.notify + 8, NOTIFY_AT + 1, 4);
	expect_exclusive(test, false, true);
	pci(test)->config[d.notify + 4] = 0;
	fake_pci_put(pci(test), d.notify + 8, NOTIFY_AT, 4);
	expect_exclusive(test, false, false);
}

static void doorbell_beyond_its_bar(struct kunit *test)
{
	doorbells_init(test);
	fake_pci_bar(pci(test), 4, BAR4, NOTIFY_AT + 2 * PAGE_SIZE);
	expect_exclusive(test, true, true);
	fake_pci_bar(pci(test), 4, BAR4, NOTIFY_AT + 2 * PAGE_SIZE - 1);
	expect_exclusive(test, true, false);
	fake_pci_bar(pci(test), 4, BAR4, NOTIFY_AT);
	expect_exclusive(test, false, false);
	fake_pci_bar(pci(test), 4, BAR4, BAR4_SIZE);
	pci(test)->pdev.resource[4].flags = IORESOURCE_IO;
	expect_exclusive(test, false, false);
}

/* 4.1.4.9: a window into the BARs; the place in it means nothing. */
static void doorbell_and_the_window(struct kunit *test)
{
	doorbells_init(test);
	fake_pci_virtio_cap(pci(test), PCI_CFG, 4, NOTIFY_AT, 4);
	expect_exclusive(test, true, true);
}

/* 4.1.4.7: shared memory regions have 64 bits of offset and length. */
static void doorbell_in_shared_memory(struct kunit *test)
{
	u8 pos;

	doorbells_init(test);
	pos = fake_pci_virtio_cap(pci(test), SHM, 4, 0x1000, 0x1000);
	expect_exclusive(test, true, true);
	/* 4 GiB from 0 on. */
	fake_pci_put(pci(test), pos + 8, 0, 4);
	fake_pci_put(pci(test), pos + 12, 0, 4);
	fake_pci_put(pci(test), pos + 20, 1, 4);
	expect_exclusive(test, false, false);
	/* From 4 GiB on. */
	fake_pci_put(pci(test), pos + 16, 1, 4);
	expect_exclusive(test, true, true);
	fake_pci_put(pci(test), pos + 8, NOTIFY_AT, 4);
	expect_exclusive(test, true, true);
	/* Around the end of 64 bits. */
	fake_pci_put(pci(test), pos + 8, 0x1000, 4);
	fake_pci_put(pci(test), pos + 12, 0xffffffff, 4);
	fake_pci_put(pci(test), pos + 16, 0, 4);
	fake_pci_put(pci(test), pos + 20, 0xffffffff, 4);
	expect_exclusive(test, false, false);
}

static u8 add_msix(struct kunit *test, u16 vectors, u32 table, u32 pba)
{
	u8 pos = fake_pci_cap(pci(test), PCI_CAP_ID_MSIX, 12);

	fake_pci_put(pci(test), pos + 2, vectors - 1, 2);
	fake_pci_put(pci(test), pos + 4, table, 4);
	fake_pci_put(pci(test), pos + 8, pba, 4);
	pci(test)->pdev.msix_cap = pos;
	return pos;
}

/* Table and pending bits are where 8-byte steps allow; the low bits: the BAR. */
static void doorbell_with_msix(struct kunit *test)
{
	u8 pos;

	doorbells_init(test);
	pos = add_msix(test, 3, 4, 0x1000 | 4);
	expect_exclusive(test, true, true);
	/* The last of 3 * 16 bytes is the first of the page. */
	fake_pci_put(pci(test), pos + 4, (NOTIFY_AT - 40) | 4, 4);
	expect_exclusive(test, false, true);
	fake_pci_put(pci(test), pos + 4, (NOTIFY_AT - 48) | 4, 4);
	expect_exclusive(test, true, true);
	fake_pci_put(pci(test), pos + 4, NOTIFY_AT | 2, 4);
	expect_exclusive(test, true, true);
	/* The largest table: 2048 vectors. */
	fake_pci_put(pci(test), pos + 2, 0x7ff, 2);
	fake_pci_put(pci(test), pos + 4, 8 | 4, 4);
	expect_exclusive(test, false, true);
	fake_pci_put(pci(test), pos + 4, 0 | 4, 4);
	expect_exclusive(test, true, true);
	/* The upper bits of the register are no part of the size. */
	fake_pci_put(pci(test), pos + 2, 0xf800 | 0x7ff, 2);
	expect_exclusive(test, true, true);
}

static void doorbell_with_pending_bits(struct kunit *test)
{
	u8 pos;

	doorbells_init(test);
	/* 64 vectors are 8 bytes, 65 are 16. */
	pos = add_msix(test, 64, 4, (NOTIFY_AT - 8) | 4);
	expect_exclusive(test, true, true);
	fake_pci_put(pci(test), pos + 2, 64, 2);
	expect_exclusive(test, false, true);
	fake_pci_put(pci(test), pos + 8, (NOTIFY_AT + 2 * PAGE_SIZE - 8) | 4, 4);
	expect_exclusive(test, true, false);
	fake_pci_put(pci(test), pos + 8, (NOTIFY_AT + 2 * PAGE_SIZE) | 4, 4);
	expect_exclusive(test, true, true);
}

/* What cannot be read to its end is not believed. */
static void doorbell_in_a_loop(struct kunit *test)
{
	struct doorbells d = doorbells_init(test);

	pci(test)->config[d.isr + PCI_CAP_LIST_NEXT] = d.notify;
	expect_exclusive(test, false, false);
}

/* --- all of a function -------------------------------------------------- */
static struct doorbells function_init(struct kunit *test)
{
	struct doorbells d = doorbells_init(test);

	fake_pci_virtio_cap(pci(test), DEVICE, 4, 0x1000, 0x100);
	return d;
}

static void caps_of_a_function(struct kunit *test)
{
	struct doorbells d = function_init(test);

	/* 1: net, 2: block, 26: fs. */
	KUNIT_EXPECT_EQ(test, vmdev_pci_check_caps(&pci(test)->pdev, 1), 0);
	KUNIT_EXPECT_EQ(test, vmdev_pci_check_caps(&pci(test)->pdev, 2), 0);
	KUNIT_EXPECT_EQ(test, vmdev_pci_check_caps(&pci(test)->pdev, 26), 0);
	pci(test)->config[d.isr + 3] = 0x77;
	KUNIT_EXPECT_EQ(test, vmdev_pci_check_caps(&pci(test)->pdev, 1), -ENOENT);
	KUNIT_EXPECT_EQ(test, vmdev_pci_check_caps(&pci(test)->pdev, 26), -ENOENT);
}

/* 4.1.4.6: for types of devices that have a configuration; 4: entropy has none. */
static void caps_without_configuration(struct kunit *test)
{
	u8 pos;

	doorbells_init(test);
	KUNIT_EXPECT_EQ(test, vmdev_pci_check_caps(&pci(test)->pdev, 4), 0);
	KUNIT_EXPECT_EQ(test, vmdev_pci_check_caps(&pci(test)->pdev, 1), -ENOENT);
	KUNIT_EXPECT_EQ(test, vmdev_pci_check_caps(&pci(test)->pdev, 2), -ENOENT);
	/* One that is there has to be in order. */
	pos = fake_pci_virtio_cap(pci(test), DEVICE, 4, BAR4_SIZE, 4);
	KUNIT_EXPECT_EQ(test, vmdev_pci_check_caps(&pci(test)->pdev, 4), -EINVAL);
	fake_pci_put(pci(test), pos + 8, BAR4_SIZE - 4, 4);
	KUNIT_EXPECT_EQ(test, vmdev_pci_check_caps(&pci(test)->pdev, 4), 0);
}

/* 4.1.4.4.1: offset and multiplier keep it aligned to 4, and it has 4 bytes. */
static void doorbell_takes_data(struct kunit *test)
{
	struct doorbells d = doorbells_init(test);
	struct pci_dev *pdev = &pci(test)->pdev;
	u64 end = 2 * PAGE_SIZE;

	KUNIT_EXPECT_TRUE(test, vmdev_pci_takes_data(pdev, 0));
	KUNIT_EXPECT_FALSE(test, vmdev_pci_takes_data(pdev, 2));
	KUNIT_EXPECT_TRUE(test, vmdev_pci_takes_data(pdev, end - 4));
	KUNIT_EXPECT_FALSE(test, vmdev_pci_takes_data(pdev, end));
	fake_pci_put(pci(test), d.notify + 12, end - 2, 4);
	KUNIT_EXPECT_FALSE(test, vmdev_pci_takes_data(pdev, end - 4));
	KUNIT_EXPECT_TRUE(test, vmdev_pci_takes_data(pdev, end - 8));
	fake_pci_put(pci(test), d.notify + 8, NOTIFY_AT + 2, 4);
	KUNIT_EXPECT_FALSE(test, vmdev_pci_takes_data(pdev, 0));
	KUNIT_EXPECT_TRUE(test, vmdev_pci_takes_data(pdev, 2));
	/* The BAR ends before the structure does. */
	fake_pci_put(pci(test), d.notify + 8, NOTIFY_AT, 4);
	fake_pci_bar(pci(test), 4, BAR4, NOTIFY_AT + 0x10);
	KUNIT_EXPECT_TRUE(test, vmdev_pci_takes_data(pdev, 0xc));
	KUNIT_EXPECT_FALSE(test, vmdev_pci_takes_data(pdev, 0x10));
	/* There is no such structure. */
	pci(test)->config[d.notify + 3] = 0x77;
	KUNIT_EXPECT_FALSE(test, vmdev_pci_takes_data(pdev, 0));
}

static struct kunit_case caps_cases[] = {
	KUNIT_CASE(caps_none),
	KUNIT_CASE(caps_end_of_the_bar),
	KUNIT_CASE(caps_no_such_bar),
	KUNIT_CASE(caps_several),
	KUNIT_CASE(caps_loop),
	KUNIT_CASE(caps_many),
	KUNIT_CASE(caps_all_ones),
	KUNIT_CASE(bar_is_free),
	KUNIT_CASE(doorbell_alone),
	KUNIT_CASE(doorbell_not_at_the_start),
	KUNIT_CASE(doorbell_multiplier),
	KUNIT_CASE(doorbell_of_two_queues),
	KUNIT_CASE(doorbell_with_a_neighbour),
	KUNIT_CASE(doorbell_with_a_giant),
	KUNIT_CASE(doorbell_beyond_its_area),
	KUNIT_CASE(doorbell_beyond_its_bar),
	KUNIT_CASE(doorbell_and_the_window),
	KUNIT_CASE(doorbell_in_shared_memory),
	KUNIT_CASE(doorbell_with_msix),
	KUNIT_CASE(doorbell_with_pending_bits),
	KUNIT_CASE(doorbell_in_a_loop),
	KUNIT_CASE(caps_of_a_function),
	KUNIT_CASE(caps_without_configuration),
	KUNIT_CASE(doorbell_takes_data),
	{}
};

static struct kunit_suite caps_suite = {
	.name = "vmdev_caps",
	.init = caps_init,
	.test_cases = caps_cases,
};

kunit_test_suite(caps_suite);
