// SPDX-License-Identifier: GPL-2.0
/*
 * Isolation of interrupts (drivers/irq/isolation.c), as far as it needs no IOMMU: who is known, and
 * where MSIs need a mapping of their own. The reference is the comments there.
 */
#include "kunit.h"
#include "../../drivers/irq/affinity.c"
#include "../../drivers/irq/stats.c"
#include "../../drivers/irq/isolation.c"

/* On x86 the window of MSIs is one that nothing translates (IOMMU_RESV_MSI). */
static void isolation_window(struct kunit *test)
{
	struct iommu_resv_region regions[2] = { { .type = IOMMU_RESV_MSI },
						{ .type = IOMMU_RESV_SW_MSI } };
	LIST_HEAD(list);

	KUNIT_EXPECT_FALSE(test, vmdev_irq_has_window(&list));
	list_add_tail(&regions[0].list, &list);
	KUNIT_EXPECT_FALSE(test, vmdev_irq_has_window(&list));
	list_add_tail(&regions[1].list, &list);
	KUNIT_EXPECT_TRUE(test, vmdev_irq_has_window(&list));
}

/* The first time is told; it stays, and is the function's only. */
static void isolation_unsafe(struct kunit *test)
{
	struct vmdev_vectors *vectors[2];
	struct pci_dev *pdev;
	int i;

	pdev = kunit_kzalloc(test, 3 * sizeof(*pdev), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, pdev);
	for (i = 0; i < 2; i++) {
		vectors[i] = kunit_kzalloc(test, sizeof(**vectors), GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, vectors[i]);
		vectors[i]->pdev = &pdev[i];
		vmdev_vectors_enlist(vectors[i]);
	}
	KUNIT_EXPECT_FALSE(test, vmdev_irq_was_unsafe(&pdev[0].dev));
	KUNIT_EXPECT_TRUE(test, vmdev_irq_mark_unsafe(&pdev[0].dev));
	KUNIT_EXPECT_FALSE(test, vmdev_irq_mark_unsafe(&pdev[0].dev));
	KUNIT_EXPECT_TRUE(test, vmdev_irq_was_unsafe(&pdev[0].dev));
	KUNIT_EXPECT_FALSE(test, vmdev_irq_was_unsafe(&pdev[1].dev));
	/* Of one that is not known nothing can be remembered. */
	KUNIT_EXPECT_TRUE(test, vmdev_irq_mark_unsafe(&pdev[2].dev));
	KUNIT_EXPECT_FALSE(test, vmdev_irq_was_unsafe(&pdev[2].dev));
	for (i = 0; i < 2; i++)
		vmdev_vectors_delist(vectors[i]);
	KUNIT_EXPECT_FALSE(test, vmdev_irq_was_unsafe(&pdev[0].dev));
}

/* Nobody, and no vector, that is not there. */
static void isolation_info(struct kunit *test)
{
	struct vmdev_vectors_info all;
	struct vmdev_vector_info one;
	struct vmdev_vectors *vectors;
	struct pci_dev *pdev;

	pdev = kunit_kzalloc(test, sizeof(*pdev), GFP_KERNEL);
	vectors = kunit_kzalloc(test, sizeof(*vectors), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, pdev);
	KUNIT_ASSERT_NOT_NULL(test, vectors);
	KUNIT_EXPECT_EQ(test, vmdev_vectors_info(&pdev->dev, &all), -ENODEV);
	KUNIT_EXPECT_EQ(test, vmdev_vector_info(&pdev->dev, 0, &one), -ENODEV);

	vectors->pdev = pdev;
	mutex_init(&vectors->lock);
	vectors->nvqs = 3;
	vectors->layout.mode = VMDEV_VECTORS_ALL_SHARED;
	vectors->asked = VMDEV_VECTORS_AUTO;
	vmdev_vectors_enlist(vectors);
	KUNIT_EXPECT_EQ(test, vmdev_vectors_info(&pdev->dev, &all), 0);
	KUNIT_EXPECT_EQ(test, all.mode, VMDEV_VECTORS_ALL_SHARED);
	KUNIT_EXPECT_EQ(test, all.asked, VMDEV_VECTORS_AUTO);
	KUNIT_EXPECT_EQ(test, all.nvqs, 3);
	KUNIT_EXPECT_FALSE(test, all.requested);
	KUNIT_EXPECT_EQ(test, vmdev_vector_info(&pdev->dev, 0, &one), -ERANGE);
	vmdev_vectors_delist(vectors);
}

static struct kunit_case isolation_cases[] = {
	KUNIT_CASE(isolation_window),
	KUNIT_CASE(isolation_unsafe),
	KUNIT_CASE(isolation_info),
	{}
};

VMDEV_SUITE(vmdev_isolation, isolation_cases);
