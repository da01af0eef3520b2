// SPDX-License-Identifier: GPL-2.0
/*
 * Memory of the core's own that the hardware sees (drivers/core/window.c):
 * where it is, and that blocks never meet. The reference is its kernel-doc.
 */
#include "kunit.h"
#include "../../drivers/core/window.c"
#include "fake_hw.h"

#define LAST	0x7fffffffULL
#define BASE	(LAST + 1)

static int window_init(struct kunit *test)
{
	struct fake_hw *fake = kunit_kzalloc(test, sizeof(*fake), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, fake);
	test->priv = fake;
	fake_hw_init(fake, VIRTIO_ID_NET);
	fake->dev.mem.attached = true;
	fake->dev.mem.range.last = LAST;
	return 0;
}

static void *take_ro(struct kunit *test, size_t size, size_t ro, u64 *iova)
{
	struct fake_hw *fake = test->priv;
	void *va;

	mutex_lock(&fake->parent.lock);
	va = vmdev_window_alloc(&fake->dev, size, ro, iova);
	mutex_unlock(&fake->parent.lock);
	return va;
}

static void *take(struct kunit *test, size_t size, u64 *iova)
{
	return take_ro(test, size, 0, iova);
}

static void give(struct kunit *test, void *va)
{
	struct fake_hw *fake = test->priv;

	mutex_lock(&fake->parent.lock);
	vmdev_window_free(&fake->dev, va);
	mutex_unlock(&fake->parent.lock);
}

/* Whole pages, zeroed, right above what the guest may use. */
static void window_first(struct kunit *test)
{
	struct fake_hw *fake = test->priv;
	u64 iova;
	u8 *va = take(test, PAGE_SIZE + 1, &iova);
	u32 i;

	KUNIT_ASSERT_NOT_NULL(test, va);
	KUNIT_EXPECT_EQ(test, iova, BASE);
	KUNIT_ASSERT_EQ(test, fake->n_maps, 1);
	KUNIT_EXPECT_EQ(test, fake->maps[0].iova, BASE);
	KUNIT_EXPECT_EQ(test, fake->maps[0].size, 2 * PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, fake->maps[0].pa, virt_to_phys(va));
	KUNIT_EXPECT_EQ(test, fake->maps[0].perm, VHOST_ACCESS_RW);
	for (i = 0; i < 2 * PAGE_SIZE && !va[i]; i++)
		;
	KUNIT_EXPECT_EQ(test, i, 2 * PAGE_SIZE);
	give(test, va);
	KUNIT_ASSERT_EQ(test, fake->n_unmaps, 1);
	KUNIT_EXPECT_EQ(test, fake->unmaps[0].iova, BASE);
	KUNIT_EXPECT_EQ(test, fake->unmaps[0].size, 2 * PAGE_SIZE);
	give(test, NULL);
	KUNIT_EXPECT_EQ(test, fake->n_unmaps, 1);
}

/* In part, or as a whole, it is not for the hardware to write. */
static void window_read_only(struct kunit *test)
{
	struct fake_hw *fake = test->priv;
	u64 iova;
	u8 *va = take_ro(test, 3 * PAGE_SIZE, 2 * PAGE_SIZE, &iova);

	KUNIT_ASSERT_NOT_NULL(test, va);
	KUNIT_ASSERT_EQ(test, fake->n_maps, 2);
	KUNIT_EXPECT_EQ(test, fake->maps[0].iova, BASE);
	KUNIT_EXPECT_EQ(test, fake->maps[0].size, 2 * PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, fake->maps[0].perm, VHOST_ACCESS_RO);
	KUNIT_EXPECT_EQ(test, fake->maps[1].iova, BASE + 2 * PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, fake->maps[1].size, PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, fake->maps[1].pa, virt_to_phys(va + 2 * PAGE_SIZE));
	KUNIT_EXPECT_EQ(test, fake->maps[1].perm, VHOST_ACCESS_RW);
	give(test, va);
	KUNIT_ASSERT_EQ(test, fake->n_unmaps, 2);
	KUNIT_EXPECT_EQ(test, fake->unmaps[0].size + fake->unmaps[1].size,
			3 * PAGE_SIZE);

	va = take_ro(test, PAGE_SIZE, PAGE_SIZE, &iova);
	KUNIT_ASSERT_NOT_NULL(test, va);
	KUNIT_ASSERT_EQ(test, fake->n_maps, 3);
	KUNIT_EXPECT_EQ(test, fake->maps[2].perm, VHOST_ACCESS_RO);
	give(test, va);
	KUNIT_EXPECT_EQ(test, fake->n_unmaps, 3);
}

/* A hole is used again by what fits, and by nothing that is larger. */
static void window_holes(struct kunit *test)
{
	u64 iova[5];
	void *va[5];
	int i;

	for (i = 0; i < 3; i++) {
		va[i] = take(test, 2 * PAGE_SIZE, &iova[i]);
		KUNIT_ASSERT_NOT_NULL(test, va[i]);
		KUNIT_EXPECT_EQ(test, iova[i], BASE + 2 * i * PAGE_SIZE);
	}
	give(test, va[1]);
	va[3] = take(test, 3 * PAGE_SIZE, &iova[3]);
	KUNIT_EXPECT_EQ(test, iova[3], BASE + 6 * PAGE_SIZE);
	va[1] = take(test, PAGE_SIZE, &iova[1]);
	KUNIT_EXPECT_EQ(test, iova[1], BASE + 2 * PAGE_SIZE);
	va[4] = take(test, PAGE_SIZE, &iova[4]);
	KUNIT_EXPECT_EQ(test, iova[4], BASE + 3 * PAGE_SIZE);
	give(test, va[0]);
	va[0] = take(test, PAGE_SIZE, &iova[0]);
	KUNIT_EXPECT_EQ(test, iova[0], BASE);
	for (i = 0; i < 5; i++)
		give(test, va[i]);
}

/* Where there is no address above the guest's there is no window. */
static void window_none(struct kunit *test)
{
	struct fake_hw *fake = test->priv;
	u64 iova;

	fake->dev.mem.range.last = U64_MAX;
	KUNIT_EXPECT_NULL(test, take(test, PAGE_SIZE, &iova));
	fake->dev.mem.range.last = LAST;
	KUNIT_EXPECT_NULL(test, take(test, VMDEV_WINDOW_SIZE + 1, &iova));
	fake->error = -EINVAL;
	KUNIT_EXPECT_NULL(test, take(test, PAGE_SIZE, &iova));
	fake->error = 0;
	KUNIT_EXPECT_EQ(test, fake->n_maps, 0);
	KUNIT_EXPECT_TRUE(test, list_empty(&fake->dev.mem.blocks));
}

/* The end of the window is for aliases. */
static void window_with_aliases(struct kunit *test)
{
	struct fake_hw *fake = test->priv;
	u64 iova[2];
	void *va[2];

	fake->dev.mem.alias_room = VMDEV_WINDOW_SIZE - 2 * PAGE_SIZE;
	va[0] = take(test, PAGE_SIZE, &iova[0]);
	KUNIT_ASSERT_NOT_NULL(test, va[0]);
	KUNIT_EXPECT_NULL(test, take(test, 2 * PAGE_SIZE, &iova[1]));
	va[1] = take(test, PAGE_SIZE, &iova[1]);
	KUNIT_ASSERT_NOT_NULL(test, va[1]);
	KUNIT_EXPECT_EQ(test, iova[1], BASE + PAGE_SIZE);
	give(test, va[0]);
	give(test, va[1]);
}

/*
 * Too large to be in one piece, as memory goes: mapped in pieces that follow one another,
 * and unmapped in the same.
 */
static void window_large(struct kunit *test)
{
	struct fake_hw *fake = test->priv;
	u64 iova, at = BASE;
	size_t n = 40 * PAGE_SIZE, i;
	u8 *va;

	mutex_lock(&fake->parent.lock);
	va = vmdev_window_alloc_large(&fake->dev, n - 1, &iova);
	mutex_unlock(&fake->parent.lock);
	KUNIT_ASSERT_NOT_NULL(test, va);
	KUNIT_EXPECT_EQ(test, iova, BASE);
	for (i = 0; i < n && !va[i]; i++)
		;
	KUNIT_EXPECT_EQ(test, i, n);
	KUNIT_ASSERT_LE(test, fake->n_maps, FAKE_LOG);
	for (i = 0; i < fake->n_maps; i++) {
		KUNIT_EXPECT_EQ(test, fake->maps[i].iova, at);
		KUNIT_EXPECT_EQ(test, fake->maps[i].pa,
				PFN_PHYS(vmalloc_to_pfn(va + (at - BASE))));
		KUNIT_EXPECT_EQ(test, fake->maps[i].perm, VHOST_ACCESS_RW);
		at += fake->maps[i].size;
	}
	KUNIT_EXPECT_EQ(test, at, BASE + n);
	give(test, va);
	KUNIT_ASSERT_EQ(test, fake->n_unmaps, fake->n_maps);
	for (i = 0; i < fake->n_maps; i++) {
		KUNIT_EXPECT_EQ(test, fake->unmaps[i].iova, fake->maps[i].iova);
		KUNIT_EXPECT_EQ(test, fake->unmaps[i].size, fake->maps[i].size);
	}
}

static void window_large_refused(struct kunit *test)
{
	struct fake_hw *fake = test->priv;
	u64 iova;

	fake->error = -EIO;
	mutex_lock(&fake->parent.lock);
	KUNIT_EXPECT_NULL(test, vmdev_window_alloc_large(&fake->dev, PAGE_SIZE, &iova));
	fake->error = 0;
	KUNIT_EXPECT_NULL(test, vmdev_window_alloc_large(&fake->dev, VMDEV_WINDOW_SIZE + 1,
							 &iova));
	mutex_unlock(&fake->parent.lock);
	KUNIT_EXPECT_EQ(test, fake->n_maps, fake->n_unmaps);
	KUNIT_EXPECT_TRUE(test, list_empty(&fake->dev.mem.blocks));
}

static struct kunit_case window_cases[] = {
	KUNIT_CASE(window_first),
	KUNIT_CASE(window_read_only),
	KUNIT_CASE(window_holes),
	KUNIT_CASE(window_none),
	KUNIT_CASE(window_with_aliases),
	KUNIT_CASE(window_large),
	KUNIT_CASE(window_large_refused),
	{}
};

static struct kunit_suite window_suite = {
	.name = "vmdev_window",
	.init = window_init,
	.test_cases = window_cases,
};

kunit_test_suite(window_suite);
