// SPDX-License-Identifier: GPL-2.0
/*
 * IOVAs of a function's own domain (drivers/pci/iommu.c): what is given to the
 * guest, what the platform keeps, and which access is asked of the IOMMU. The
 * reference is the comments there.
 */
#include "kunit.h"
#include "../../drivers/pci/iommu.c"

#define GIB	BIT_ULL(30)

/**
 * struct iommu_fake - a function with a domain
 * @vp: the function
 * @pdev: its PCI device
 * @domain: its domain
 * @regions: what is reserved
 */
struct iommu_fake {
	struct vmdev_pci vp;
	struct pci_dev pdev;
	struct iommu_domain domain;
	struct iommu_resv_region regions[2];
};

static int iommu_case_init(struct kunit *test)
{
	struct iommu_fake *fake = kunit_kzalloc(test, sizeof(*fake), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, fake);
	test->priv = fake;
	fake->vp.pdev = &fake->pdev;
	fake->vp.domain = &fake->domain;
	INIT_LIST_HEAD(&fake->vp.reserved);
	return 0;
}

static struct vdpa_iova_range range_of(struct kunit *test, u64 start, u64 end)
{
	struct iommu_fake *fake = test->priv;
	struct vdpa_iova_range range;

	fake->domain.geometry.aperture_start = start;
	fake->domain.geometry.aperture_end = end;
	vmdev_pci_iommu_range(&fake->vp, &range);
	return range;
}

/* A gibibyte at the top is the core's. */
static void iommu_range(struct kunit *test)
{
	struct vdpa_iova_range range = range_of(test, 0, (1ULL << 48) - 1);

	KUNIT_EXPECT_EQ(test, range.first, 0ULL);
	KUNIT_EXPECT_EQ(test, range.last, (1ULL << 48) - 1 - GIB);
	range = range_of(test, 0x1000, U64_MAX);
	KUNIT_EXPECT_EQ(test, range.first, 0x1000ULL);
	KUNIT_EXPECT_EQ(test, range.last, U64_MAX - GIB);
	range = range_of(test, 0, U32_MAX);
	KUNIT_EXPECT_EQ(test, range.last, 3 * GIB - 1);
}

/* Of an aperture that is no larger than that nothing would be left. */
static void iommu_range_that_is_small(struct kunit *test)
{
	struct vdpa_iova_range range = range_of(test, 0, GIB - 1);

	KUNIT_EXPECT_EQ(test, range.last, GIB - 1);
	range = range_of(test, 0, GIB);
	KUNIT_EXPECT_EQ(test, range.last, GIB);
	range = range_of(test, GIB, 2 * GIB + 1);
	KUNIT_EXPECT_EQ(test, range.first, GIB);
	KUNIT_EXPECT_EQ(test, range.last, GIB + 1);
}

static bool reserved(struct kunit *test, u64 first, u64 last)
{
	struct iommu_fake *fake = test->priv;
	struct vdpa_iova_range found;

	return vmdev_pci_iommu_reserved(&fake->vp.hw, first, last, &found);
}

static void expect_reserved(struct kunit *test, u64 first, u64 last,
			    u64 found_first, u64 found_last)
{
	struct iommu_fake *fake = test->priv;
	struct vdpa_iova_range found = { 0 };

	KUNIT_EXPECT_TRUE(test, vmdev_pci_iommu_reserved(&fake->vp.hw, first, last, &found));
	KUNIT_EXPECT_EQ(test, found.first, found_first);
	KUNIT_EXPECT_EQ(test, found.last, found_last);
}

static void reserve(struct kunit *test, unsigned int i, u64 start, u64 length,
		    enum iommu_resv_type type)
{
	struct iommu_fake *fake = test->priv;

	fake->regions[i].start = start;
	fake->regions[i].length = length;
	fake->regions[i].type = type;
	list_add_tail(&fake->regions[i].list, &fake->vp.reserved);
}

/* The range of MSIs on x86, first and last byte inclusive. */
static void iommu_reserved(struct kunit *test)
{
	KUNIT_EXPECT_FALSE(test, reserved(test, 0, U64_MAX));
	reserve(test, 0, 0xfee00000, 0x100000, IOMMU_RESV_MSI);
	KUNIT_EXPECT_FALSE(test, reserved(test, 0, 0xfedfffff));
	KUNIT_EXPECT_TRUE(test, reserved(test, 0, 0xfee00000));
	KUNIT_EXPECT_TRUE(test, reserved(test, 0xfee01000, 0xfee01fff));
	KUNIT_EXPECT_TRUE(test, reserved(test, 0xfeefffff, U64_MAX));
	KUNIT_EXPECT_FALSE(test, reserved(test, 0xfef00000, U64_MAX));
	KUNIT_EXPECT_TRUE(test, reserved(test, 0, U64_MAX));

	reserve(test, 1, 0x1000, 0x1000, IOMMU_RESV_RESERVED);
	KUNIT_EXPECT_TRUE(test, reserved(test, 0x1fff, 0x1fff));
	KUNIT_EXPECT_FALSE(test, reserved(test, 0x2000, 0x2000));
}

/* The last byte there is. */
static void iommu_reserved_to_the_end(struct kunit *test)
{
	reserve(test, 0, -0x1000ULL, 0x1000, IOMMU_RESV_DIRECT);
	KUNIT_EXPECT_TRUE(test, reserved(test, U64_MAX, U64_MAX));
	KUNIT_EXPECT_TRUE(test, reserved(test, -0x1000ULL, -0x1000ULL));
	KUNIT_EXPECT_FALSE(test, reserved(test, 0, -0x1001ULL));
}

/* The lowest first, whatever their order, no further than was asked, whole pages. */
static void iommu_reserved_found(struct kunit *test)
{
	reserve(test, 0, 0xfee00000, 0x100000, IOMMU_RESV_MSI);
	reserve(test, 1, 0x1800, 0x1001, IOMMU_RESV_DIRECT);
	expect_reserved(test, 0, U64_MAX, 0x1000, 0x2fff);
	expect_reserved(test, 0x1900, 0x1900, 0x1900, 0x1900);
	expect_reserved(test, 0x2fff, U64_MAX, 0x2fff, 0x2fff);
	expect_reserved(test, 0x3000, U64_MAX, 0xfee00000, 0xfeefffff);
	expect_reserved(test, 0x3000, 0xfee00000, 0xfee00000, 0xfee00000);
	KUNIT_EXPECT_FALSE(test, reserved(test, 0, 0xfff));
	KUNIT_EXPECT_FALSE(test, reserved(test, 0x3000, 0xfedfffff));
}

/* Firmware's maps that need not stand once the device is somebody's. */
static void iommu_reserved_relaxable(struct kunit *test)
{
	reserve(test, 0, 0x1000, 0x1000, IOMMU_RESV_DIRECT_RELAXABLE);
	KUNIT_EXPECT_FALSE(test, reserved(test, 0x1000, 0x1fff));
}

/* vhost's "write-only" is what the device may only write. */
static void iommu_access(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, vmdev_pci_prot(VHOST_ACCESS_RO), IOMMU_CACHE | IOMMU_READ);
	KUNIT_EXPECT_EQ(test, vmdev_pci_prot(VHOST_ACCESS_WO), IOMMU_CACHE | IOMMU_WRITE);
	KUNIT_EXPECT_EQ(test, vmdev_pci_prot(VHOST_ACCESS_RW),
			IOMMU_CACHE | IOMMU_READ | IOMMU_WRITE);
}

static struct kunit_case iommu_cases[] = {
	KUNIT_CASE(iommu_range),
	KUNIT_CASE(iommu_range_that_is_small),
	KUNIT_CASE(iommu_reserved),
	KUNIT_CASE(iommu_reserved_to_the_end),
	KUNIT_CASE(iommu_reserved_found),
	KUNIT_CASE(iommu_reserved_relaxable),
	KUNIT_CASE(iommu_access),
	{}
};

static struct kunit_suite iommu_suite = {
	.name = "vmdev_iommu",
	.init = iommu_case_init,
	.test_cases = iommu_cases,
};

kunit_test_suite(iommu_suite);
