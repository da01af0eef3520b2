// SPDX-License-Identifier: GPL-2.0
/*
 * What the platform reserves (drivers/core/alias.c): where its alias is, and the
 * arithmetic at its borders. The reference is the comment at the head of that file.
 */
#include "kunit.h"

#include <uapi/linux/vhost_types.h>

#include "../../drivers/core/alias.c"
#include "fake_hw.h"

#define RW	VHOST_ACCESS_RW
#define P	0x1000ULL
#define LAST	0xffffffffffULL
#define END	(LAST + 1 + VMDEV_WINDOW_SIZE)
#define MSI	0xfee00000ULL
#define MSI_END	0xfef00000ULL
#define ALIAS	(END - 0x100000)

static void reserve(struct fake_hw *fake, u64 first, u64 last)
{
	fake->reserved[fake->n_reserved++] =
		(struct vdpa_iova_range) { first, last };
}

static int init_regions(struct fake_hw *fake)
{
	int err;

	mutex_lock(&fake->parent.lock);
	vmdev_alias_exit(&fake->dev.mem);
	err = vmdev_alias_init(&fake->dev);
	mutex_unlock(&fake->parent.lock);
	return err;
}

/* x86: IOVAs of 41 bits, the last GiB of which is the core's, and MSIs. */
static int alias_init(struct kunit *test)
{
	struct fake_hw *fake = kunit_kzalloc(test, sizeof(*fake), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, fake);
	test->priv = fake;
	fake_hw_init(fake, VIRTIO_ID_NET);
	fake->dev.mem.range.last = LAST;
	fake->dev.mem.attached = true;
	reserve(fake, MSI, MSI_END - 1);
	return init_regions(fake);
}

static void alias_exit(struct kunit *test)
{
	struct fake_hw *fake = test->priv;

	vmdev_alias_exit(&fake->dev.mem);
}

static struct vmdev_mem *mem_of(struct kunit *test)
{
	return &((struct fake_hw *)test->priv)->dev.mem;
}

/* At the end of the window, one below the other. */
static void alias_places(struct kunit *test)
{
	struct fake_hw *fake = test->priv;
	struct vmdev_mem *mem = mem_of(test);

	KUNIT_ASSERT_EQ(test, mem->nregions, 1);
	KUNIT_EXPECT_EQ(test, mem->regions[0].first, MSI);
	KUNIT_EXPECT_EQ(test, mem->regions[0].last, MSI_END - 1);
	KUNIT_EXPECT_EQ(test, mem->regions[0].alias, ALIAS);
	KUNIT_EXPECT_EQ(test, mem->alias_room, 0x100000ULL);

	reserve(fake, 0x100000000ULL, 0x100000000ULL + 3 * P - 1);
	/* In part the core's own already, in part out of range. */
	reserve(fake, LAST + 1 - 2 * P, U64_MAX);
	KUNIT_ASSERT_EQ(test, init_regions(fake), 0);
	KUNIT_ASSERT_EQ(test, mem->nregions, 3);
	KUNIT_EXPECT_EQ(test, mem->regions[1].alias, ALIAS - 3 * P);
	KUNIT_EXPECT_EQ(test, mem->regions[2].last, LAST);
	KUNIT_EXPECT_EQ(test, mem->regions[2].alias, ALIAS - 5 * P);
	KUNIT_EXPECT_EQ(test, mem->alias_room, 0x100000 + 5 * P);
}

/* Half of the window is left for rings, and what is too large leaves it to others. */
static void alias_room(struct kunit *test)
{
	struct fake_hw *fake = test->priv;
	struct vmdev_mem *mem = mem_of(test);

	reserve(fake, 0x100000000ULL, 0x100000000ULL + VMDEV_WINDOW_SIZE / 2 - 0x100000);
	reserve(fake, 0x200000000ULL, 0x200000000ULL + VMDEV_WINDOW_SIZE / 2 - 0x100000 - 1);
	reserve(fake, 0x300000000ULL, 0x300000000ULL + P - 1);
	KUNIT_ASSERT_EQ(test, init_regions(fake), 0);
	KUNIT_ASSERT_EQ(test, mem->nregions, 4);
	KUNIT_EXPECT_EQ(test, mem->regions[1].alias, 0ULL);
	KUNIT_EXPECT_EQ(test, mem->regions[2].alias, END - VMDEV_WINDOW_SIZE / 2);
	KUNIT_EXPECT_EQ(test, mem->regions[3].alias, 0ULL);
}

/* No address above the guest's: no window, and nothing can be elsewhere. */
static void alias_no_window(struct kunit *test)
{
	struct vmdev_mem *mem = mem_of(test);

	mem->range.last = U64_MAX;
	KUNIT_ASSERT_EQ(test, init_regions(test->priv), 0);
	KUNIT_ASSERT_EQ(test, mem->nregions, 1);
	KUNIT_EXPECT_EQ(test, mem->regions[0].alias, 0ULL);
	KUNIT_EXPECT_EQ(test, mem->alias_room, 0ULL);
}

static void expect_of(struct kunit *test, u64 iova, u64 len, u64 hw, u64 hw_len)
{
	u64 got = len;

	KUNIT_EXPECT_EQ(test, vmdev_alias_of(mem_of(test), iova, &got), hw);
	KUNIT_EXPECT_EQ(test, got, hw_len);
}

static void alias_borders(struct kunit *test)
{
	expect_of(test, 0, 1, 0, 1);
	expect_of(test, 0, MSI, 0, MSI);
	expect_of(test, 0, MSI + 1, 0, MSI);
	expect_of(test, 0, U64_MAX, 0, MSI);
	expect_of(test, MSI - 1, 1, MSI - 1, 1);
	expect_of(test, MSI - 1, 2, MSI - 1, 1);
	expect_of(test, MSI, 1, ALIAS, 1);
	expect_of(test, MSI + 5, 0x100000, ALIAS + 5, 0x100000 - 5);
	expect_of(test, MSI_END - 1, 1, ALIAS + 0xfffff, 1);
	expect_of(test, MSI_END - 1, 2, ALIAS + 0xfffff, 1);
	expect_of(test, MSI_END, 2, MSI_END, 2);
	expect_of(test, U64_MAX, 1, U64_MAX, 1);
	/* No bytes are nowhere. */
	expect_of(test, 0, 0, 0, 0);
	expect_of(test, MSI + 1, 0, MSI + 1, 0);
}

static void alias_meets(struct kunit *test)
{
	struct vmdev_mem *mem = mem_of(test);

	KUNIT_EXPECT_FALSE(test, vmdev_alias_meets(mem, 0, MSI - 1));
	KUNIT_EXPECT_TRUE(test, vmdev_alias_meets(mem, 0, MSI));
	KUNIT_EXPECT_TRUE(test, vmdev_alias_meets(mem, 0, U64_MAX));
	KUNIT_EXPECT_TRUE(test, vmdev_alias_meets(mem, MSI + P, MSI + P));
	KUNIT_EXPECT_TRUE(test, vmdev_alias_meets(mem, MSI_END - 1, U64_MAX));
	KUNIT_EXPECT_FALSE(test, vmdev_alias_meets(mem, MSI_END, U64_MAX));
}

static void alias_to_guest(struct kunit *test)
{
	struct vmdev_mem *mem = mem_of(test);

	KUNIT_EXPECT_EQ(test, vmdev_alias_to_guest(mem, 0), 0ULL);
	KUNIT_EXPECT_EQ(test, vmdev_alias_to_guest(mem, MSI), MSI);
	KUNIT_EXPECT_EQ(test, vmdev_alias_to_guest(mem, LAST), LAST);
	KUNIT_EXPECT_EQ(test, vmdev_alias_to_guest(mem, ALIAS), MSI);
	KUNIT_EXPECT_EQ(test, vmdev_alias_to_guest(mem, ALIAS + 7), MSI + 7);
	KUNIT_EXPECT_EQ(test, vmdev_alias_to_guest(mem, END - 1), MSI_END - 1);
	/* Of buffers of no bytes anything may be said. */
	KUNIT_EXPECT_EQ(test, vmdev_alias_to_guest(mem, ALIAS - 1), ALIAS - 1);
	KUNIT_EXPECT_EQ(test, vmdev_alias_to_guest(mem, END), END);
}

static void expect_seg(struct kunit *test, const struct vmdev_vring_seg *seg,
		       u64 addr, u32 len, bool write)
{
	KUNIT_EXPECT_EQ(test, seg->addr, addr);
	KUNIT_EXPECT_EQ(test, seg->len, len);
	KUNIT_EXPECT_EQ(test, seg->write, write);
}

/* One piece becomes none, two or three more; order and direction stay. */
static void alias_split(struct kunit *test)
{
	struct vmdev_vring_seg segs[9] = {
		{ MSI - 2 * P, 12, false },
		{ MSI - P, 2 * P, false },
		{ MSI + 8, 100, true },
		{ MSI - 1, 0x100002, true },
		{ MSI_END, 1, true },
	};

	KUNIT_ASSERT_EQ(test, vmdev_alias_split(mem_of(test), segs, 5, 9), 8);
	expect_seg(test, &segs[0], MSI - 2 * P, 12, false);
	expect_seg(test, &segs[1], MSI - P, P, false);
	expect_seg(test, &segs[2], ALIAS, P, false);
	expect_seg(test, &segs[3], ALIAS + 8, 100, true);
	expect_seg(test, &segs[4], MSI - 1, 1, true);
	expect_seg(test, &segs[5], ALIAS, 0x100000, true);
	expect_seg(test, &segs[6], MSI_END, 1, true);
	expect_seg(test, &segs[7], MSI_END, 1, true);
	expect_seg(test, &segs[8], 0, 0, false);
}

/* Where they do not fit they stay as they are. */
static void alias_split_without_room(struct kunit *test)
{
	struct vmdev_vring_seg segs[2] = {
		{ MSI - P, 2 * P, false },
		{ MSI, 1, true },
	};

	KUNIT_EXPECT_EQ(test, vmdev_alias_split(mem_of(test), segs, 2, 2), 3);
	expect_seg(test, &segs[0], MSI - P, 2 * P, false);
	expect_seg(test, &segs[1], MSI, 1, true);
	/* What fits just so does. */
	KUNIT_EXPECT_EQ(test, vmdev_alias_split(mem_of(test), segs, 1, 2), 2);
	expect_seg(test, &segs[1], ALIAS, P, false);
}

/* A piece of no bytes is one. */
static void alias_split_of_nothing(struct kunit *test)
{
	struct vmdev_vring_seg segs[2] = {
		{ MSI, 0, false },
		{ 0, 0, true },
	};

	KUNIT_EXPECT_EQ(test, vmdev_alias_split(mem_of(test), segs, 2, 2), 2);
	expect_seg(test, &segs[0], MSI, 0, false);
	expect_seg(test, &segs[1], 0, 0, true);
}

/* All of 4 GiB less a byte, over two regions: five pieces. */
static void alias_split_twice(struct kunit *test)
{
	struct vmdev_vring_seg segs[5] = { { 0x80000000ULL, U32_MAX, true } };

	reserve(test->priv, 0x100000000ULL, 0x100000000ULL + P - 1);
	KUNIT_ASSERT_EQ(test, init_regions(test->priv), 0);
	KUNIT_ASSERT_EQ(test, vmdev_alias_split(mem_of(test), segs, 1, 5), 5);
	expect_seg(test, &segs[0], 0x80000000ULL, MSI - 0x80000000ULL, true);
	expect_seg(test, &segs[1], ALIAS, 0x100000, true);
	expect_seg(test, &segs[2], MSI_END, 0x100000000ULL - MSI_END, true);
	expect_seg(test, &segs[3], ALIAS - P, P, true);
	expect_seg(test, &segs[4], 0x100000000ULL + P, 0x80000000ULL - P - 1, true);
}

static int map(struct kunit *test, u64 first, u64 size, u64 pa)
{
	struct vmdev_map entry = {
		.first = first, .last = first + size - 1, .pa = pa, .perm = RW,
	};
	struct fake_hw *fake = test->priv;
	int err;

	mutex_lock(&fake->parent.lock);
	err = vmdev_alias_map(&fake->dev, &entry);
	mutex_unlock(&fake->parent.lock);
	return err;
}

static void unmap(struct kunit *test, u64 first, u64 size)
{
	struct fake_hw *fake = test->priv;

	mutex_lock(&fake->parent.lock);
	vmdev_alias_unmap(&fake->dev, first, first + size - 1);
	mutex_unlock(&fake->parent.lock);
}

static void expect_range(struct kunit *test, const struct fake_range *range,
			 u64 iova, u64 size, u64 pa)
{
	KUNIT_EXPECT_EQ(test, range->iova, iova);
	KUNIT_EXPECT_EQ(test, range->size, size);
	KUNIT_EXPECT_EQ(test, range->pa, pa);
}

static void alias_map(struct kunit *test)
{
	struct fake_hw *fake = test->priv;

	KUNIT_EXPECT_EQ(test, map(test, MSI - P, 0x100000 + 3 * P, 0x7000), 0);
	KUNIT_ASSERT_EQ(test, fake->n_maps, 3);
	expect_range(test, &fake->maps[0], MSI - P, P, 0x7000);
	expect_range(test, &fake->maps[1], ALIAS, 0x100000, 0x8000);
	expect_range(test, &fake->maps[2], MSI_END, 2 * P, 0x108000);
	KUNIT_EXPECT_EQ(test, fake->maps[1].perm, RW);
	unmap(test, MSI - P, 0x100000 + 3 * P);
	KUNIT_ASSERT_EQ(test, fake->n_unmaps, 3);
	expect_range(test, &fake->unmaps[0], MSI - P, P, 0);
	expect_range(test, &fake->unmaps[1], ALIAS, 0x100000, 0);
	expect_range(test, &fake->unmaps[2], MSI_END, 2 * P, 0);
}

/* What is beside it is one piece, as ever. */
static void alias_map_beside(struct kunit *test)
{
	struct fake_hw *fake = test->priv;

	KUNIT_EXPECT_EQ(test, map(test, 0, MSI, 0x7000), 0);
	KUNIT_EXPECT_EQ(test, map(test, MSI_END, P, 0x7000), 0);
	KUNIT_EXPECT_EQ(test, map(test, MSI + P, P, 0x9000), 0);
	KUNIT_ASSERT_EQ(test, fake->n_maps, 3);
	expect_range(test, &fake->maps[0], 0, MSI, 0x7000);
	expect_range(test, &fake->maps[1], MSI_END, P, 0x7000);
	expect_range(test, &fake->maps[2], ALIAS + P, P, 0x9000);
}

/* Wherever the IOMMU fails, nothing is left. */
static void alias_map_fails(struct kunit *test)
{
	struct fake_hw *fake = test->priv;
	u32 n;

	fake->error = -ENOMEM;
	for (n = 0; n < 3; n++) {
		fake->n_maps = 0;
		fake->n_unmaps = 0;
		fake->maps_left = n;
		KUNIT_EXPECT_EQ(test, map(test, MSI - P, 0x100000 + 2 * P, 0x7000), -ENOMEM);
		KUNIT_EXPECT_EQ(test, fake->n_maps, n);
		KUNIT_EXPECT_EQ(test, fake->n_unmaps, n);
	}
	expect_range(test, &fake->unmaps[0], MSI - P, P, 0);
	expect_range(test, &fake->unmaps[1], ALIAS, 0x100000, 0);
}

/* A region without alias takes nothing, and what is beside it is not tried. */
static void alias_map_too_large(struct kunit *test)
{
	struct fake_hw *fake = test->priv;
	u64 first = 0xfd00000000ULL, last = 0xfeffffffffULL;

	reserve(fake, first, last);
	KUNIT_ASSERT_EQ(test, init_regions(fake), 0);
	KUNIT_EXPECT_EQ(test, map(test, first, P, 0x7000), -EINVAL);
	KUNIT_EXPECT_EQ(test, map(test, last + 1 - P, 2 * P, 0x7000), -EINVAL);
	KUNIT_EXPECT_EQ(test, map(test, MSI, last, 0x7000), -EINVAL);
	KUNIT_EXPECT_EQ(test, fake->n_maps, 0);
	KUNIT_EXPECT_EQ(test, map(test, first - P, P, 0x7000), 0);
	KUNIT_EXPECT_EQ(test, map(test, last + 1, P, 0x7000), 0);
}

/* Hardware has what the driver names only as long as nothing is elsewhere. */
static void alias_direct(struct kunit *test)
{
	struct fake_hw *fake = test->priv;
	int err;

	mutex_lock(&fake->parent.lock);
	err = vmdev_alias_check_direct(&fake->dev, 0);
	KUNIT_EXPECT_EQ(test, err, 0);
	fake->dev.mem.as[1].aliased = 1;
	err = vmdev_alias_check_direct(&fake->dev, 0);
	KUNIT_EXPECT_EQ(test, err, 0);
	fake->dev.mem.as[0].aliased = 1;
	err = vmdev_alias_check_direct(&fake->dev, 0);
	KUNIT_EXPECT_EQ(test, err, -EOPNOTSUPP);
	mutex_unlock(&fake->parent.lock);
}

static struct kunit_case alias_cases[] = {
	KUNIT_CASE(alias_places),
	KUNIT_CASE(alias_room),
	KUNIT_CASE(alias_no_window),
	KUNIT_CASE(alias_borders),
	KUNIT_CASE(alias_meets),
	KUNIT_CASE(alias_to_guest),
	KUNIT_CASE(alias_split),
	KUNIT_CASE(alias_split_without_room),
	KUNIT_CASE(alias_split_of_nothing),
	KUNIT_CASE(alias_split_twice),
	KUNIT_CASE(alias_map),
	KUNIT_CASE(alias_map_beside),
	KUNIT_CASE(alias_map_fails),
	KUNIT_CASE(alias_map_too_large),
	KUNIT_CASE(alias_direct),
	{}
};

static struct kunit_suite alias_suite = {
	.name = "vmdev_alias",
	.init = alias_init,
	.exit = alias_exit,
	.test_cases = alias_cases,
};

kunit_test_suite(alias_suite);
