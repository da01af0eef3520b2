// SPDX-License-Identifier: GPL-2.0
/*
 * Guest memory (drivers/core/memory.c): which maps are taken, what an unmap
 * takes away, what counts as covered, and the arithmetic at both ends of the
 * address space. The reference is the kernel-doc of the functions; maps are
 * those of vhost (first and last byte, both inclusive).
 */
#include "kunit.h"
#include "fake_pages.h"
#include "../../drivers/core/maps.c"
#include "../../drivers/core/memory.c"
#include "fake_hw.h"

#define RW	VHOST_ACCESS_RW
#define RO	VHOST_ACCESS_RO
#define WO	VHOST_ACCESS_WO
#define P	0x1000ULL

/* KUnit's threads must not end with a lock held, so each call has it for itself. */
static int map_to(struct fake_hw *fake, u64 iova, u64 size, u64 pa, u32 perm)
{
	int err;

	mutex_lock(&fake->parent.lock);
	err = vmdev_mem_map(&fake->dev, 0, iova, size, pa, perm);
	mutex_unlock(&fake->parent.lock);
	return err;
}

static int unmap(struct fake_hw *fake, u64 iova, u64 size)
{
	int err;

	mutex_lock(&fake->parent.lock);
	err = vmdev_mem_unmap(&fake->dev, 0, iova, size);
	mutex_unlock(&fake->parent.lock);
	return err;
}

static void clear(struct fake_hw *fake)
{
	mutex_lock(&fake->parent.lock);
	vmdev_mem_clear(&fake->dev, 0);
	mutex_unlock(&fake->parent.lock);
}

static void attach(struct fake_hw *fake)
{
	mutex_lock(&fake->parent.lock);
	vmdev_mem_attach(&fake->dev);
	mutex_unlock(&fake->parent.lock);
}

static void detach(struct fake_hw *fake)
{
	mutex_lock(&fake->parent.lock);
	vmdev_mem_detach(&fake->dev);
	mutex_unlock(&fake->parent.lock);
}

/* Attached to a domain of its own that has IOVAs from 1 MiB to 2 MiB - 1. */
static int memory_init(struct kunit *test)
{
	struct fake_hw *fake = kunit_kzalloc(test, sizeof(*fake), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, fake);
	test->priv = fake;
	fake_hw_init(fake, VIRTIO_ID_NET);
	fake->range = (struct vdpa_iova_range) { 0x100000, 0x1fffff };
	vmdev_mem_init(&fake->dev.mem);
	attach(fake);
	return 0;
}

static void memory_exit(struct kunit *test)
{
	struct fake_hw *fake = test->priv;

	detach(fake);
	vmdev_mem_destroy(&fake->dev.mem);
	KUNIT_EXPECT_EQ(test, fake_pages_held, 0);
}

static int map(struct kunit *test, u64 iova, u64 size, u32 perm)
{
	struct fake_hw *fake = test->priv;

	return map_to(fake, iova, size, iova + 0x10000000, perm);
}

static bool covers(struct kunit *test, u64 iova, u64 size, u32 perm)
{
	struct fake_hw *fake = test->priv;

	return vmdev_mem_covers(&fake->dev, 0, iova, size, perm);
}

/* The last unmap that the hardware was told. */
static void expect_unmap(struct kunit *test, u32 n, u64 iova, u64 size)
{
	struct fake_hw *fake = test->priv;

	KUNIT_ASSERT_GT(test, fake->n_unmaps, n);
	KUNIT_EXPECT_EQ(test, fake->unmaps[n].iova, iova);
	KUNIT_EXPECT_EQ(test, fake->unmaps[n].size, size);
}

static void memory_map(struct kunit *test)
{
	struct fake_hw *fake = test->priv;

	KUNIT_EXPECT_EQ(test, map_to(fake, 0x101000, 0x3000, 0x777000, WO), 0);
	KUNIT_ASSERT_EQ(test, fake->n_maps, 1);
	KUNIT_EXPECT_EQ(test, fake->maps[0].iova, 0x101000);
	KUNIT_EXPECT_EQ(test, fake->maps[0].size, 0x3000);
	KUNIT_EXPECT_EQ(test, fake->maps[0].pa, 0x777000);
	KUNIT_EXPECT_EQ(test, fake->maps[0].perm, WO);
}

static void memory_map_of_nothing(struct kunit *test)
{
	struct fake_hw *fake = test->priv;

	KUNIT_EXPECT_EQ(test, map(test, 0x100000, 0, RW), -EINVAL);
	KUNIT_EXPECT_EQ(test, map(test, 0, 0, RW), -EINVAL);
	KUNIT_EXPECT_EQ(test, map(test, 0x100000, P, 0), -EINVAL);
	KUNIT_EXPECT_EQ(test, map(test, 0x100000, P, 4), -EINVAL);
	KUNIT_EXPECT_EQ(test, fake->n_maps, 0);
}

static void memory_map_around_the_end(struct kunit *test)
{
	struct fake_hw *fake = test->priv;

	fake->dev.mem.range = (struct vdpa_iova_range) { 0, U64_MAX };
	KUNIT_EXPECT_EQ(test, map(test, -P, 2 * P, RW), -EINVAL);
	KUNIT_EXPECT_EQ(test, map(test, P, U64_MAX, RW), -EINVAL);
	KUNIT_EXPECT_EQ(test, map(test, U64_MAX, 2, RW), -EINVAL);
	KUNIT_EXPECT_EQ(test, fake->n_maps, 0);

	/* The last page is one, and so is the first. */
	KUNIT_EXPECT_EQ(test, map(test, -P, P, RW), 0);
	KUNIT_EXPECT_EQ(test, map(test, 0, P, RW), 0);
	KUNIT_EXPECT_EQ(test, map(test, -P, P, RW), -EEXIST);
	KUNIT_EXPECT_TRUE(test, covers(test, -P, P, RW));
	KUNIT_EXPECT_EQ(test, unmap(fake, -P, P), 0);
	expect_unmap(test, 0, -P, P);
}

static void memory_map_bounds(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, map(test, 0x0ff000, P, RW), -ERANGE);
	KUNIT_EXPECT_EQ(test, map(test, 0x0fffff, 1, RW), -ERANGE);
	KUNIT_EXPECT_EQ(test, map(test, 0x200000, 1, RW), -ERANGE);
	KUNIT_EXPECT_EQ(test, map(test, 0x1ff000, 2 * P, RW), -ERANGE);
	KUNIT_EXPECT_EQ(test, map(test, 0x0ff000, 0x102000, RW), -ERANGE);
	KUNIT_EXPECT_EQ(test, map(test, 0x100000, P, RW), 0);
	KUNIT_EXPECT_EQ(test, map(test, 0x1ff000, P, RW), 0);
}

static void memory_map_overlaps(struct kunit *test)
{
	struct fake_hw *fake = test->priv;

	KUNIT_ASSERT_EQ(test, map(test, 0x110000, 4 * P, RW), 0);
	KUNIT_EXPECT_EQ(test, map(test, 0x110000, 4 * P, RW), -EEXIST);
	KUNIT_EXPECT_EQ(test, map(test, 0x111000, P, RW), -EEXIST);
	KUNIT_EXPECT_EQ(test, map(test, 0x10f000, 2 * P, RW), -EEXIST);
	KUNIT_EXPECT_EQ(test, map(test, 0x113000, 2 * P, RW), -EEXIST);
	KUNIT_EXPECT_EQ(test, map(test, 0x10f000, 6 * P, RW), -EEXIST);
	KUNIT_EXPECT_EQ(test, fake->n_maps, 1);
	/* Neighbours are none. */
	KUNIT_EXPECT_EQ(test, map(test, 0x10f000, P, RW), 0);
	KUNIT_EXPECT_EQ(test, map(test, 0x114000, P, RW), 0);
}

/* What the IOMMU refuses is not mapped, and may be tried again. */
static void memory_map_fails(struct kunit *test)
{
	struct fake_hw *fake = test->priv;

	fake->error = -ENOMEM;
	KUNIT_EXPECT_EQ(test, map(test, 0x110000, P, RW), -ENOMEM);
	KUNIT_EXPECT_FALSE(test, covers(test, 0x110000, 1, RW));
	fake->error = 0;
	KUNIT_EXPECT_EQ(test, map(test, 0x110000, P, RW), 0);
	KUNIT_EXPECT_EQ(test, fake->n_unmaps, 0);
}

/* Only what was asked for goes, and each map as it was made. */
static void memory_unmap(struct kunit *test)
{
	struct fake_hw *fake = test->priv;

	KUNIT_ASSERT_EQ(test, map(test, 0x110000, P, RW), 0);
	KUNIT_ASSERT_EQ(test, map(test, 0x111000, 2 * P, RW), 0);
	KUNIT_ASSERT_EQ(test, map(test, 0x114000, P, RW), 0);
	KUNIT_ASSERT_EQ(test, map(test, 0x115000, P, RW), 0);

	KUNIT_EXPECT_EQ(test, unmap(fake, 0x111000, 4 * P), 0);
	KUNIT_EXPECT_EQ(test, fake->n_unmaps, 2);
	expect_unmap(test, 0, 0x111000, 2 * P);
	expect_unmap(test, 1, 0x114000, P);
	KUNIT_EXPECT_TRUE(test, covers(test, 0x110000, P, RW));
	KUNIT_EXPECT_FALSE(test, covers(test, 0x111000, 1, RW));
	KUNIT_EXPECT_FALSE(test, covers(test, 0x114fff, 1, RW));
	KUNIT_EXPECT_TRUE(test, covers(test, 0x115000, P, RW));
}

/* Half of a map: its pages may be somebody else's soon, so all of it goes. */
static void memory_unmap_a_part(struct kunit *test)
{
	struct fake_hw *fake = test->priv;

	KUNIT_ASSERT_EQ(test, map(test, 0x110000, 4 * P, RW), 0);
	KUNIT_EXPECT_EQ(test, unmap(fake, 0x113fff, 1), 0);
	KUNIT_EXPECT_EQ(test, fake->n_unmaps, 1);
	expect_unmap(test, 0, 0x110000, 4 * P);
	KUNIT_EXPECT_FALSE(test, covers(test, 0x110000, 1, RW));
}

static void memory_unmap_of_nothing(struct kunit *test)
{
	struct fake_hw *fake = test->priv;

	KUNIT_ASSERT_EQ(test, map(test, 0x110000, P, RW), 0);
	KUNIT_EXPECT_EQ(test, unmap(fake, 0x10f000, P), 0);
	KUNIT_EXPECT_EQ(test, unmap(fake, 0x111000, P), 0);
	KUNIT_EXPECT_EQ(test, unmap(fake, 0x110000, 0), -EINVAL);
	KUNIT_EXPECT_EQ(test, unmap(fake, 0x110000, U64_MAX), -EINVAL);
	KUNIT_EXPECT_EQ(test, fake->n_unmaps, 0);
	KUNIT_EXPECT_TRUE(test, covers(test, 0x110000, P, RW));
}

static void memory_clear(struct kunit *test)
{
	struct fake_hw *fake = test->priv;

	fake->dev.mem.range = (struct vdpa_iova_range) { 0, U64_MAX };
	KUNIT_ASSERT_EQ(test, map(test, 0, P, RW), 0);
	KUNIT_ASSERT_EQ(test, map(test, 0x110000, P, RO), 0);
	KUNIT_ASSERT_EQ(test, map(test, -P, P, WO), 0);
	clear(fake);
	KUNIT_EXPECT_EQ(test, fake->n_unmaps, 3);
	KUNIT_EXPECT_FALSE(test, covers(test, 0, 1, 0));
	KUNIT_EXPECT_FALSE(test, covers(test, U64_MAX, 1, 0));
}

static void memory_covers(struct kunit *test)
{
	KUNIT_ASSERT_EQ(test, map(test, 0x110000, P, RW), 0);
	KUNIT_ASSERT_EQ(test, map(test, 0x111000, P, RW), 0);
	KUNIT_ASSERT_EQ(test, map(test, 0x113000, P, RW), 0);

	KUNIT_EXPECT_TRUE(test, covers(test, 0x110000, 1, RW));
	KUNIT_EXPECT_TRUE(test, covers(test, 0x110000, 2 * P, RW));
	KUNIT_EXPECT_TRUE(test, covers(test, 0x110fff, 2, RW));
	KUNIT_EXPECT_TRUE(test, covers(test, 0x111fff, 1, RW));
	KUNIT_EXPECT_FALSE(test, covers(test, 0x10ffff, 1, RW));
	KUNIT_EXPECT_FALSE(test, covers(test, 0x10ffff, 2, RW));
	KUNIT_EXPECT_FALSE(test, covers(test, 0x110000, 2 * P + 1, RW));
	KUNIT_EXPECT_FALSE(test, covers(test, 0x110000, 4 * P, RW));
	KUNIT_EXPECT_FALSE(test, covers(test, 0x114000, 1, RW));
	KUNIT_EXPECT_FALSE(test, covers(test, 0x110000, 0, RW));
	KUNIT_EXPECT_FALSE(test, covers(test, 0x110000, U64_MAX, RW));
}

/* Maps end at any byte; one that is missing is missing. */
static void memory_covers_but_for_a_byte(struct kunit *test)
{
	KUNIT_ASSERT_EQ(test, map(test, 0x110000, P - 1, RW), 0);
	KUNIT_ASSERT_EQ(test, map(test, 0x111000, P, RW), 0);
	KUNIT_EXPECT_FALSE(test, covers(test, 0x110000, 2 * P, RW));
	KUNIT_ASSERT_EQ(test, map(test, 0x110fff, 1, RW), 0);
	KUNIT_EXPECT_TRUE(test, covers(test, 0x110000, 2 * P, RW));
}

static void memory_covers_with_permission(struct kunit *test)
{
	KUNIT_ASSERT_EQ(test, map(test, 0x110000, P, RW), 0);
	KUNIT_ASSERT_EQ(test, map(test, 0x111000, P, RO), 0);
	KUNIT_ASSERT_EQ(test, map(test, 0x112000, P, WO), 0);

	KUNIT_EXPECT_TRUE(test, covers(test, 0x110000, 2 * P, RO));
	KUNIT_EXPECT_FALSE(test, covers(test, 0x110000, P + 1, WO));
	KUNIT_EXPECT_FALSE(test, covers(test, 0x110000, P + 1, RW));
	KUNIT_EXPECT_FALSE(test, covers(test, 0x111000, P + 1, RO));
	KUNIT_EXPECT_TRUE(test, covers(test, 0x112000, P, WO));
	KUNIT_EXPECT_TRUE(test, covers(test, 0x110000, 3 * P, 0));
}

static void memory_covers_to_the_very_end(struct kunit *test)
{
	struct fake_hw *fake = test->priv;

	fake->dev.mem.range = (struct vdpa_iova_range) { 0, U64_MAX };
	KUNIT_ASSERT_EQ(test, map(test, -2 * P, P, RW), 0);
	KUNIT_ASSERT_EQ(test, map(test, -P, P, RW), 0);
	KUNIT_ASSERT_EQ(test, map(test, 0, P, RW), 0);
	KUNIT_EXPECT_TRUE(test, covers(test, -2 * P, 2 * P, RW));
	KUNIT_EXPECT_TRUE(test, covers(test, U64_MAX, 1, RW));
	/* It does not go on at the start. */
	KUNIT_EXPECT_FALSE(test, covers(test, -P, P + 1, RW));
	KUNIT_EXPECT_FALSE(test, covers(test, U64_MAX, 2, RW));
}

/* Two pages that are neighbours for the device, in reverse order in memory. */
static u8 *map_pages(struct kunit *test, u8 *pages[2], u32 second_perm)
{
	struct fake_hw *fake = test->priv;
	unsigned int i;

	for (i = 0; i < 2; i++) {
		pages[i] = (u8 *)get_zeroed_page(GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, pages[i]);
		KUNIT_ASSERT_EQ(test, map_to(fake, 0x110000 + i * PAGE_SIZE, PAGE_SIZE,
					     virt_to_phys(pages[i]), i ? second_perm : RW), 0);
	}
	return pages[0];
}

static void unmap_pages(u8 *pages[2])
{
	free_page((unsigned long)pages[0]);
	free_page((unsigned long)pages[1]);
}

static void memory_read(struct kunit *test)
{
	struct fake_hw *fake = test->priv;
	u8 *pages[2], buf[8] = { 0 };
	unsigned int i;

	map_pages(test, pages, RO);
	for (i = 0; i < 4; i++) {
		pages[0][PAGE_SIZE - 4 + i] = 1 + i;
		pages[1][i] = 5 + i;
	}
	KUNIT_EXPECT_EQ(test, vmdev_mem_read(&fake->dev, 0, 0x110ffc, buf, 8), 0);
	for (i = 0; i < 8; i++)
		KUNIT_EXPECT_EQ(test, buf[i], 1 + i);
	KUNIT_EXPECT_EQ(test, vmdev_mem_read(&fake->dev, 0, 0x111fff, buf, 1), 0);
	KUNIT_EXPECT_EQ(test, vmdev_mem_read(&fake->dev, 0, 0x111fff, buf, 2), -EFAULT);
	KUNIT_EXPECT_EQ(test, vmdev_mem_read(&fake->dev, 0, 0x10ffff, buf, 2), -EFAULT);
	KUNIT_EXPECT_EQ(test, vmdev_mem_read(&fake->dev, 0, 0x10ffff, buf, 0), 0);
	unmap_pages(pages);
}

static void memory_fill(struct kunit *test)
{
	struct fake_hw *fake = test->priv;
	u8 *pages[2];

	map_pages(test, pages, WO);
	KUNIT_EXPECT_EQ(test, vmdev_mem_fill(&fake->dev, 0, 0x110ffe, 0x5a, 4), 0);
	KUNIT_EXPECT_EQ(test, pages[0][PAGE_SIZE - 3], 0);
	KUNIT_EXPECT_EQ(test, pages[0][PAGE_SIZE - 2], 0x5a);
	KUNIT_EXPECT_EQ(test, pages[0][PAGE_SIZE - 1], 0x5a);
	KUNIT_EXPECT_EQ(test, pages[1][0], 0x5a);
	KUNIT_EXPECT_EQ(test, pages[1][1], 0x5a);
	KUNIT_EXPECT_EQ(test, pages[1][2], 0);
	unmap_pages(pages);
}

static void memory_fill_of_what_is_read_only(struct kunit *test)
{
	struct fake_hw *fake = test->priv;
	u8 *pages[2];

	map_pages(test, pages, RO);
	KUNIT_EXPECT_EQ(test, vmdev_mem_fill(&fake->dev, 0, 0x110ffe, 0x5a, 4), -EFAULT);
	KUNIT_EXPECT_EQ(test, pages[1][0], 0);
	KUNIT_EXPECT_EQ(test, vmdev_mem_fill(&fake->dev, 0, 0x111000, 0x5a, 1), -EFAULT);
	KUNIT_EXPECT_EQ(test, pages[1][0], 0);
	unmap_pages(pages);
}

/* A map may name anything, MMIO for one: nobody must touch that as memory. */
static void memory_that_is_none(struct kunit *test)
{
	struct fake_hw *fake = test->priv;
	u8 byte;

	KUNIT_ASSERT_EQ(test, map_to(fake, 0x110000, P, 1ULL << 51, RW), 0);
	KUNIT_EXPECT_EQ(test, vmdev_mem_read(&fake->dev, 0, 0x110000, &byte, 1), -EFAULT);
	KUNIT_EXPECT_EQ(test, vmdev_mem_fill(&fake->dev, 0, 0x110000, 1, 1), -EFAULT);
}

/* Neither goes on at the start of the address space. */
static void memory_read_around_the_end(struct kunit *test)
{
	struct fake_hw *fake = test->priv;
	u8 *pages[2], buf[2];

	fake->dev.mem.range = (struct vdpa_iova_range) { 0, U64_MAX };
	map_pages(test, pages, RW);
	clear(fake);
	KUNIT_ASSERT_EQ(test, map_to(fake, -P, P, virt_to_phys(pages[0]), RW), 0);
	KUNIT_ASSERT_EQ(test, map_to(fake, 0, P, virt_to_phys(pages[1]), RW), 0);
	KUNIT_EXPECT_EQ(test, vmdev_mem_read(&fake->dev, 0, U64_MAX, buf, 1), 0);
	KUNIT_EXPECT_EQ(test, vmdev_mem_read(&fake->dev, 0, U64_MAX, buf, 2), -EFAULT);
	KUNIT_EXPECT_EQ(test, vmdev_mem_fill(&fake->dev, 0, U64_MAX, 1, 2), -EFAULT);
	KUNIT_EXPECT_EQ(test, pages[1][0], 0);
	unmap_pages(pages);
}

static void memory_detach(struct kunit *test)
{
	struct fake_hw *fake = test->priv;

	KUNIT_ASSERT_EQ(test, map(test, 0x110000, P, RW), 0);
	KUNIT_ASSERT_EQ(test, map(test, 0x112000, P, RW), 0);
	detach(fake);
	KUNIT_EXPECT_EQ(test, fake->n_unmaps, 2);
	KUNIT_EXPECT_EQ(test, fake->detaches, 1);
	KUNIT_EXPECT_FALSE(test, fake->dev.mem.user);
	KUNIT_EXPECT_EQ(test, map(test, 0x110000, P, RW), -ENODEV);
	detach(fake);
	KUNIT_EXPECT_EQ(test, fake->detaches, 1);
}

/* Opened twice, it is attached once. */
static void memory_attach_once(struct kunit *test)
{
	struct fake_hw *fake = test->priv;

	KUNIT_EXPECT_EQ(test, fake->attaches, 1);
	attach(fake);
	KUNIT_EXPECT_EQ(test, fake->attaches, 1);
	KUNIT_EXPECT_TRUE(test, fake->dev.mem.user);
}

/* It says why, does not run, and may be opened again. */
static void memory_attach_fails(struct kunit *test)
{
	struct fake_hw *fake = test->priv;

	detach(fake);
	fake->error = -EPERM;
	attach(fake);
	KUNIT_EXPECT_TRUE(test, fake->dev.mem.user);
	KUNIT_EXPECT_FALSE(test, fake->dev.mem.attached);
	KUNIT_EXPECT_EQ(test, map(test, 0x110000, P, RW), -EPERM);
	fake->error = 0;
	attach(fake);
	KUNIT_EXPECT_EQ(test, map(test, 0x110000, P, RW), 0);

	detach(fake);
	fake->parent.gone = true;
	attach(fake);
	KUNIT_EXPECT_EQ(test, map(test, 0x110000, P, RW), -ENODEV);
}

/* What is mapped for software only never gets to the hardware. */
static void memory_other_space(struct kunit *test)
{
	struct fake_hw *fake = test->priv;

	mutex_lock(&fake->parent.lock);
	KUNIT_EXPECT_EQ(test, vmdev_mem_map(&fake->dev, 0, 0x110000, P, 0x777000, RW), 0);
	KUNIT_EXPECT_EQ(test, vmdev_mem_map(&fake->dev, 1, 0x110000, 2 * P, 0x555000, RO), 0);
	KUNIT_EXPECT_EQ(test, fake->n_maps, 1);
	KUNIT_EXPECT_TRUE(test, vmdev_mem_covers(&fake->dev, 0, 0x110000, P, RW));
	KUNIT_EXPECT_FALSE(test, vmdev_mem_covers(&fake->dev, 1, 0x110000, P, RW));
	KUNIT_EXPECT_TRUE(test, vmdev_mem_covers(&fake->dev, 1, 0x110000, 2 * P, RO));
	/* To clear one leaves the other alone. */
	vmdev_mem_clear(&fake->dev, 1);
	KUNIT_EXPECT_EQ(test, fake->n_unmaps, 0);
	KUNIT_EXPECT_TRUE(test, vmdev_mem_covers(&fake->dev, 0, 0x110000, P, RW));
	KUNIT_EXPECT_FALSE(test, vmdev_mem_covers(&fake->dev, 1, 0x110000, P, RO));
	mutex_unlock(&fake->parent.lock);
}

/* The hardware's queues move to the other address space: so does the domain. */
static void memory_load(struct kunit *test)
{
	struct fake_hw *fake = test->priv;
	struct vmdev_dev *dev = &fake->dev;

	mutex_lock(&fake->parent.lock);
	KUNIT_EXPECT_EQ(test, vmdev_mem_map(dev, 0, 0x110000, P, 0x777000, RW), 0);
	KUNIT_EXPECT_EQ(test, vmdev_mem_map(dev, 1, 0x120000, 2 * P, 0x555000, RO), 0);
	KUNIT_EXPECT_EQ(test, vmdev_mem_map(dev, 1, 0x110000, P, 0x333000, RW), 0);
	dev->mem.group_as[VMDEV_GROUP_DATA] = 1;
	KUNIT_EXPECT_EQ(test, vmdev_mem_load(dev), 0);
	expect_unmap(test, 0, 0x110000, P);
	KUNIT_ASSERT_EQ(test, fake->n_maps, 3);
	KUNIT_EXPECT_EQ(test, fake->maps[1].iova, 0x110000);
	KUNIT_EXPECT_EQ(test, fake->maps[1].pa, 0x333000);
	KUNIT_EXPECT_EQ(test, fake->maps[2].iova, 0x120000);
	KUNIT_EXPECT_EQ(test, fake->maps[2].size, 2 * P);
	KUNIT_EXPECT_EQ(test, fake->maps[2].perm, RO);
	/* Twice is nothing. */
	KUNIT_EXPECT_EQ(test, vmdev_mem_load(dev), 0);
	KUNIT_EXPECT_EQ(test, fake->n_maps, 3);
	/* Now maps of the first are for software only. */
	KUNIT_EXPECT_EQ(test, vmdev_mem_unmap(dev, 0, 0x110000, P), 0);
	KUNIT_EXPECT_EQ(test, fake->n_unmaps, 1);
	KUNIT_EXPECT_EQ(test, vmdev_mem_unmap(dev, 1, 0x110000, P), 0);
	KUNIT_EXPECT_EQ(test, fake->n_unmaps, 2);
	mutex_unlock(&fake->parent.lock);
}

/* Where the IOMMU fails the hardware sees nothing, until it is tried again. */
static void memory_load_fails(struct kunit *test)
{
	struct fake_hw *fake = test->priv;
	struct vmdev_dev *dev = &fake->dev;

	mutex_lock(&fake->parent.lock);
	KUNIT_EXPECT_EQ(test, vmdev_mem_map(dev, 0, 0x110000, P, 0x777000, RW), 0);
	KUNIT_EXPECT_EQ(test, vmdev_mem_map(dev, 1, 0x120000, P, 0x555000, RW), 0);
	dev->mem.group_as[VMDEV_GROUP_DATA] = 1;
	fake->error = -ENOMEM;
	KUNIT_EXPECT_EQ(test, vmdev_mem_load(dev), -ENOMEM);
	KUNIT_EXPECT_EQ(test, fake->n_unmaps, 1);
	KUNIT_EXPECT_EQ(test, vmdev_mem_unmap(dev, 1, 0x120000, P), 0);
	KUNIT_EXPECT_EQ(test, fake->n_unmaps, 1);
	dev->mem.group_as[VMDEV_GROUP_DATA] = 0;
	fake->error = 0;
	KUNIT_EXPECT_EQ(test, vmdev_mem_load(dev), 0);
	KUNIT_EXPECT_EQ(test, fake->n_maps, 2);
	KUNIT_EXPECT_EQ(test, fake->maps[1].pa, 0x777000);
	mutex_unlock(&fake->parent.lock);
}

/* Reserved: 0x120000-0x120fff. It counts for its own address space only. */
static void attach_reserved(struct fake_hw *fake)
{
	detach(fake);
	fake->reserved[0] = (struct vdpa_iova_range) { 0x120000, 0x120fff };
	fake->n_reserved = 1;
	attach(fake);
	fake->n_unmaps = 0;
}

#define ALIAS	(0x200000 + VMDEV_WINDOW_SIZE - P)

static void memory_reserved(struct kunit *test)
{
	struct fake_hw *fake = test->priv;
	struct vmdev_as *as = fake->dev.mem.as;

	attach_reserved(fake);
	KUNIT_EXPECT_EQ(test, map(test, 0x11f000, P, RW), 0);
	KUNIT_EXPECT_EQ(test, map(test, 0x121000, P, RW), 0);
	KUNIT_EXPECT_EQ(test, as[0].aliased, 0);
	KUNIT_EXPECT_EQ(test, map(test, 0x120000, P, RW), 0);
	KUNIT_EXPECT_EQ(test, as[0].aliased, 1);
	KUNIT_ASSERT_EQ(test, fake->n_maps, 3);
	KUNIT_EXPECT_EQ(test, fake->maps[2].iova, ALIAS);
	/* Software has it where it is. */
	KUNIT_EXPECT_TRUE(test, covers(test, 0x11f000, 3 * P, RW));
	KUNIT_EXPECT_EQ(test, map(test, 0x120000, P, RW), -EEXIST);
	KUNIT_EXPECT_EQ(test, as[0].aliased, 1);
	KUNIT_EXPECT_EQ(test, unmap(fake, 0x120000, P), 0);
	expect_unmap(test, 0, ALIAS, P);
	KUNIT_EXPECT_EQ(test, as[0].aliased, 0);

	clear(fake);
	KUNIT_EXPECT_EQ(test, map(test, 0x11f000, 4 * P, RW), 0);
	KUNIT_EXPECT_EQ(test, as[0].aliased, 1);
	detach(fake);
	KUNIT_EXPECT_EQ(test, as[0].aliased, 0);
	KUNIT_EXPECT_EQ(test, fake->n_unmaps, fake->n_maps);
}

/* In the middle of it the IOMMU fails: it is as if nobody had asked. */
static void memory_reserved_fails(struct kunit *test)
{
	struct fake_hw *fake = test->priv;

	attach_reserved(fake);
	fake->error = -ENOMEM;
	fake->maps_left = 2;
	KUNIT_EXPECT_EQ(test, map(test, 0x11f000, 4 * P, RW), -ENOMEM);
	KUNIT_EXPECT_EQ(test, fake->n_unmaps, 2);
	KUNIT_EXPECT_EQ(test, fake->dev.mem.as[0].aliased, 0);
	fake->error = 0;
	KUNIT_EXPECT_EQ(test, map(test, 0x11f000, 4 * P, RW), 0);
}

/* To and from the domain with its address space. */
static void memory_reserved_load(struct kunit *test)
{
	struct fake_hw *fake = test->priv;
	struct vmdev_dev *dev = &fake->dev;

	attach_reserved(fake);
	mutex_lock(&fake->parent.lock);
	KUNIT_EXPECT_EQ(test, vmdev_mem_map(dev, 1, 0x11f000, 2 * P, 0x555000, RW), 0);
	KUNIT_EXPECT_EQ(test, fake->n_maps, 0);
	KUNIT_EXPECT_EQ(test, dev->mem.as[0].aliased, 0);
	KUNIT_EXPECT_EQ(test, dev->mem.as[1].aliased, 1);
	dev->mem.group_as[VMDEV_GROUP_DATA] = 1;
	fake->error = -ENOMEM;
	fake->maps_left = 1;
	KUNIT_EXPECT_EQ(test, vmdev_mem_load(dev), -ENOMEM);
	KUNIT_EXPECT_EQ(test, fake->n_unmaps, 1);
	fake->error = 0;
	KUNIT_EXPECT_EQ(test, vmdev_mem_load(dev), 0);
	KUNIT_ASSERT_EQ(test, fake->n_maps, 3);
	KUNIT_EXPECT_EQ(test, fake->maps[2].iova, ALIAS);
	KUNIT_EXPECT_EQ(test, fake->maps[2].pa, 0x556000);
	dev->mem.group_as[VMDEV_GROUP_DATA] = 0;
	KUNIT_EXPECT_EQ(test, vmdev_mem_load(dev), 0);
	KUNIT_EXPECT_EQ(test, fake->n_unmaps, 3);
	mutex_unlock(&fake->parent.lock);
}

/* A host driver's addresses of memory: wherever the platform has memory begin. */
static void memory_host(struct kunit *test)
{
	struct fake_hw *fake = test->priv;
	u8 *page = (u8 *)get_zeroed_page(GFP_KERNEL), got = 0;
	u64 at;

#ifdef _SHIM_DMA_DIRECT_H
	shim_dma_base = BIT_ULL(47);
#endif
	KUNIT_ASSERT_NOT_NULL(test, page);
	page[7] = 0x5a;
	at = phys_to_dma(&fake->dev.vdpa.dev, virt_to_phys(page)) + 7;
	mutex_lock(&fake->parent.lock);
	KUNIT_EXPECT_EQ(test, vmdev_mem_host(&fake->dev), 0);
	KUNIT_EXPECT_EQ(test, fake->dev.mem.group_as[VMDEV_GROUP_CTRL], VMDEV_AS_HOST);
	KUNIT_EXPECT_EQ(test, vmdev_mem_read(&fake->dev, VMDEV_AS_HOST, at, &got, 1), 0);
	KUNIT_EXPECT_EQ(test, got, 0x5a);
	vmdev_mem_no_host(&fake->dev);
	KUNIT_EXPECT_EQ(test, vmdev_mem_read(&fake->dev, VMDEV_AS_HOST, at, &got, 1), -EFAULT);
	mutex_unlock(&fake->parent.lock);
	/* None of it was the hardware's. */
	KUNIT_EXPECT_EQ(test, fake->n_maps, 0);
	free_page((unsigned long)page);
}

static struct kunit_case memory_cases[] = {
	KUNIT_CASE(memory_map),
	KUNIT_CASE(memory_map_of_nothing),
	KUNIT_CASE(memory_map_around_the_end),
	KUNIT_CASE(memory_map_bounds),
	KUNIT_CASE(memory_map_overlaps),
	KUNIT_CASE(memory_map_fails),
	KUNIT_CASE(memory_unmap),
	KUNIT_CASE(memory_unmap_a_part),
	KUNIT_CASE(memory_unmap_of_nothing),
	KUNIT_CASE(memory_clear),
	KUNIT_CASE(memory_covers),
	KUNIT_CASE(memory_covers_but_for_a_byte),
	KUNIT_CASE(memory_covers_with_permission),
	KUNIT_CASE(memory_covers_to_the_very_end),
	KUNIT_CASE(memory_read),
	KUNIT_CASE(memory_fill),
	KUNIT_CASE(memory_fill_of_what_is_read_only),
	KUNIT_CASE(memory_that_is_none),
	KUNIT_CASE(memory_read_around_the_end),
	KUNIT_CASE(memory_detach),
	KUNIT_CASE(memory_attach_once),
	KUNIT_CASE(memory_attach_fails),
	KUNIT_CASE(memory_other_space),
	KUNIT_CASE(memory_load),
	KUNIT_CASE(memory_load_fails),
	KUNIT_CASE(memory_reserved),
	KUNIT_CASE(memory_reserved_fails),
	KUNIT_CASE(memory_reserved_load),
	KUNIT_CASE(memory_host),
	{}
};

static struct kunit_suite memory_suite = {
	.name = "vmdev_memory",
	.init = memory_init,
	.exit = memory_exit,
	.test_cases = memory_cases,
};

kunit_test_suite(memory_suite);
