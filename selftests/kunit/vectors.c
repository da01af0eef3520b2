// SPDX-License-Identifier: GPL-2.0
/*
 * Vector layouts (drivers/irq/vectors.c). The reference is the comment at
 * vmdev_vector_layout(); MSI-X tables have 1 to 2048 entries (PCIe 7.7.2).
 */
#include "kunit.h"
#include "../../drivers/irq/vectors.c"

#define VECTORS_MAX	2048

static struct vmdev_vector_layout layout_of(struct kunit *test, u16 nvqs,
					    int nvectors)
{
	struct vmdev_vector_layout layout;

	memset(&layout, 0x5a, sizeof(layout));
	KUNIT_ASSERT_EQ(test, vmdev_vector_layout(&layout, nvqs, nvectors), 0);
	return layout;
}

static void vectors_none(struct kunit *test)
{
	struct vmdev_vector_layout layout;

	KUNIT_EXPECT_EQ(test, vmdev_vector_layout(&layout, 3, 0), -ENOSPC);
	KUNIT_EXPECT_EQ(test, vmdev_vector_layout(&layout, 3, -1), -ENOSPC);
}

static void vectors_one_is_shared_by_all(struct kunit *test)
{
	struct vmdev_vector_layout layout = layout_of(test, 3, 1);

	KUNIT_EXPECT_EQ(test, layout.mode, VMDEV_VECTORS_ALL_SHARED);
	KUNIT_EXPECT_EQ(test, layout.used, 1);
	KUNIT_EXPECT_EQ(test, layout.config, 0);
	KUNIT_EXPECT_EQ(test, layout.shadow, 0);
	KUNIT_EXPECT_EQ(test, layout.first_vq, 0);
}

/* From two up to one less than queues and config changes need. */
static void vectors_few_are_shared_by_queues(struct kunit *test)
{
	int n;

	for (n = 2; n <= 3; n++) {
		struct vmdev_vector_layout layout = layout_of(test, 3, n);

		KUNIT_EXPECT_EQ(test, layout.mode, VMDEV_VECTORS_VQ_SHARED);
		KUNIT_EXPECT_EQ(test, layout.used, 2);
		KUNIT_EXPECT_EQ(test, layout.config, 0);
		KUNIT_EXPECT_EQ(test, layout.first_vq, 1);
		KUNIT_EXPECT_EQ(test, layout.shadow, layout.config);
	}
}

static void vectors_one_per_queue(struct kunit *test)
{
	struct vmdev_vector_layout layout = layout_of(test, 3, 4);

	KUNIT_EXPECT_EQ(test, layout.mode, VMDEV_VECTORS_PER_VQ);
	KUNIT_EXPECT_EQ(test, layout.used, 4);
	KUNIT_EXPECT_EQ(test, layout.config, 0);
	KUNIT_EXPECT_EQ(test, layout.first_vq, 1);
	KUNIT_EXPECT_EQ(test, layout.shadow, layout.config);

	/* One queue: two vectors are enough for the best layout. */
	layout = layout_of(test, 1, 2);
	KUNIT_EXPECT_EQ(test, layout.mode, VMDEV_VECTORS_PER_VQ);
	KUNIT_EXPECT_EQ(test, layout.used, 2);
}

static void vectors_one_more_for_shadow_queues(struct kunit *test)
{
	struct vmdev_vector_layout layout = layout_of(test, 3, 5);

	KUNIT_EXPECT_EQ(test, layout.mode, VMDEV_VECTORS_PER_VQ);
	KUNIT_EXPECT_EQ(test, layout.used, 5);
	KUNIT_EXPECT_EQ(test, layout.shadow, 4);
}

static void vectors_more_are_left_alone(struct kunit *test)
{
	struct vmdev_vector_layout layout = layout_of(test, 3, VECTORS_MAX);

	KUNIT_EXPECT_EQ(test, layout.mode, VMDEV_VECTORS_PER_VQ);
	KUNIT_EXPECT_EQ(test, layout.used, 5);
}

static void vectors_of_the_largest_table(struct kunit *test)
{
	struct vmdev_vector_layout layout;

	layout = layout_of(test, VECTORS_MAX - 2, VECTORS_MAX);
	KUNIT_EXPECT_EQ(test, layout.mode, VMDEV_VECTORS_PER_VQ);
	KUNIT_EXPECT_EQ(test, layout.used, VECTORS_MAX);
	KUNIT_EXPECT_EQ(test, layout.shadow, VECTORS_MAX - 1);
	layout = layout_of(test, VECTORS_MAX - 1, VECTORS_MAX);
	KUNIT_EXPECT_EQ(test, layout.mode, VMDEV_VECTORS_PER_VQ);
	KUNIT_EXPECT_EQ(test, layout.shadow, layout.config);
	layout = layout_of(test, VECTORS_MAX, VECTORS_MAX);
	KUNIT_EXPECT_EQ(test, layout.mode, VMDEV_VECTORS_VQ_SHARED);
	/* More queues than any table has entries. */
	layout = layout_of(test, U16_MAX, VECTORS_MAX);
	KUNIT_EXPECT_EQ(test, layout.mode, VMDEV_VECTORS_VQ_SHARED);
	KUNIT_EXPECT_EQ(test, layout.used, 2);
}

/* Whatever there is: no vector beyond it, and what is said to be alone is. */
static void vectors_property(struct kunit *test)
{
	u16 nvqs, vq;
	int n;

	for (nvqs = 1; nvqs <= 40; nvqs++) {
		for (n = 1; n <= 45; n++) {
			struct vmdev_vectors v = {
				.layout = layout_of(test, nvqs, n),
				.nvqs = nvqs,
			};
			u16 first = vmdev_vectors_vq(&v, 0);
			u16 last = vmdev_vectors_vq(&v, nvqs - 1);

			KUNIT_ASSERT_LE(test, (int)v.layout.used, n);
			KUNIT_ASSERT_LT(test, last, v.layout.used);
			KUNIT_ASSERT_LT(test, v.layout.shadow, v.layout.used);
			KUNIT_ASSERT_LT(test, vmdev_vectors_config(&v), v.layout.used);
			for (vq = 1; vq < nvqs; vq++)
				KUNIT_ASSERT_EQ(test, vmdev_vectors_vq(&v, vq) - first,
						n > nvqs ? vq : 0);
			if (n == 1)
				continue;
			KUNIT_ASSERT_LT(test, vmdev_vectors_config(&v), first);
			if (v.layout.shadow != v.layout.config)
				KUNIT_ASSERT_GT(test, v.layout.shadow, last);
		}
	}
}

/* Never the vector of a queue's own, where queues have any. */
static void vectors_software(struct kunit *test)
{
	static const struct {
		int nvectors;
		u16 vector;
	} expected[] = { { 1, 0 }, { 2, 1 }, { 3, 1 }, { 4, 0 }, { 5, 4 }, { 9, 4 } };
	unsigned int i;
	u16 vq;

	for (i = 0; i < ARRAY_SIZE(expected); i++) {
		struct vmdev_vectors v = {
			.layout = layout_of(test, 3, expected[i].nvectors),
			.nvqs = 3,
		};

		for (vq = 0; vq < 3; vq++)
			KUNIT_EXPECT_EQ_MSG(test, vmdev_vectors_software(&v, vq),
					    expected[i].vector, "%d vectors",
					    expected[i].nvectors);
	}
}

static void vectors_irq_of_a_queue(struct kunit *test)
{
	struct vmdev_vectors v = { .nvqs = 3, .requested = 1 };

	v.pdev = kunit_kzalloc(test, sizeof(*v.pdev), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, v.pdev);
	v.layout = layout_of(test, 3, 1);
	KUNIT_EXPECT_EQ(test, vmdev_vectors_vq_irq(&v, 0), -EOPNOTSUPP);
	v.layout = layout_of(test, 3, 3);
	KUNIT_EXPECT_EQ(test, vmdev_vectors_vq_irq(&v, 0), -EOPNOTSUPP);
	v.layout = layout_of(test, 3, 4);
	KUNIT_EXPECT_EQ(test, vmdev_vectors_vq_irq(&v, 3), -EINVAL);
	v.requested = 0;
	KUNIT_EXPECT_EQ(test, vmdev_vectors_vq_irq(&v, 0), -EINVAL);
}

#define CALLS_VQS	3

/**
 * struct calls - what handlers did
 * @told: how often each queue was told
 * @configs: config changes told
 * @software_calls: how often the queues that software serves were told
 * @pending: what config_pending says
 */
struct calls {
	u32 told[CALLS_VQS];
	u32 configs;
	u32 software_calls;
	bool pending;
};

static irqreturn_t calls_vq(int irq, void *data)
{
	++*(u32 *)data;
	return IRQ_HANDLED;
}

static void calls_config(void *priv)
{
	((struct calls *)priv)->configs++;
}

static void calls_software(void *priv)
{
	((struct calls *)priv)->software_calls++;
}

static bool calls_pending(void *priv)
{
	return ((struct calls *)priv)->pending;
}

static const struct vmdev_vector_ops calls_ops = {
	.vq = calls_vq,
	.config = calls_config,
	.software = calls_software,
	.config_pending = calls_pending,
};

static struct vmdev_vectors *calls_vectors(struct kunit *test, struct calls *calls)
{
	struct vmdev_vectors *v;
	u16 vq;

	v = kunit_kzalloc(test, struct_size(v, vq_data, CALLS_VQS), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, v);
	v->ops = &calls_ops;
	v->priv = calls;
	v->nvqs = CALLS_VQS;
	for (vq = 0; vq < CALLS_VQS; vq++)
		v->vq_data[vq] = &calls->told[vq];
	return v;
}

static void expect_told(struct kunit *test, const struct calls *calls, u32 times, u32 configs)
{
	u16 vq;

	for (vq = 0; vq < CALLS_VQS; vq++)
		KUNIT_EXPECT_EQ(test, calls->told[vq], times);
	KUNIT_EXPECT_EQ(test, calls->configs, configs);
}

static void vectors_handlers(struct kunit *test)
{
	struct calls calls = { { 0 } };
	struct vmdev_vectors *v = calls_vectors(test, &calls);

	KUNIT_EXPECT_EQ(test, vmdev_vector_config(0, v), IRQ_HANDLED);
	expect_told(test, &calls, 0, 1);
	KUNIT_EXPECT_EQ(test, vmdev_vector_all_vqs(0, v), IRQ_HANDLED);
	expect_told(test, &calls, 1, 1);
	KUNIT_EXPECT_EQ(test, calls.software_calls, 0);
	KUNIT_EXPECT_EQ(test, vmdev_vector_software(0, v), IRQ_HANDLED);
	KUNIT_EXPECT_EQ(test, calls.software_calls, 1);
	expect_told(test, &calls, 1, 1);
	/* Where they share one, the ISR tells. */
	KUNIT_EXPECT_EQ(test, vmdev_vector_config_software(0, v), IRQ_HANDLED);
	KUNIT_EXPECT_EQ(test, calls.software_calls, 2);
	expect_told(test, &calls, 1, 1);
	calls.pending = true;
	KUNIT_EXPECT_EQ(test, vmdev_vector_config_software(0, v), IRQ_HANDLED);
	KUNIT_EXPECT_EQ(test, calls.software_calls, 3);
	expect_told(test, &calls, 1, 2);
}

/* virtio 1.2, 4.1.4.5: the ISR tells a config change from used buffers. */
static void vectors_handler_of_everything(struct kunit *test)
{
	struct calls calls = { { 0 } };
	struct vmdev_vectors *v = calls_vectors(test, &calls);

	KUNIT_EXPECT_EQ(test, vmdev_vector_everything(0, v), IRQ_HANDLED);
	expect_told(test, &calls, 1, 0);
	calls.pending = true;
	KUNIT_EXPECT_EQ(test, vmdev_vector_everything(0, v), IRQ_HANDLED);
	expect_told(test, &calls, 2, 1);
}

static struct kunit_case vectors_cases[] = {
	KUNIT_CASE(vectors_none),
	KUNIT_CASE(vectors_one_is_shared_by_all),
	KUNIT_CASE(vectors_few_are_shared_by_queues),
	KUNIT_CASE(vectors_one_per_queue),
	KUNIT_CASE(vectors_one_more_for_shadow_queues),
	KUNIT_CASE(vectors_more_are_left_alone),
	KUNIT_CASE(vectors_of_the_largest_table),
	KUNIT_CASE(vectors_property),
	KUNIT_CASE(vectors_software),
	KUNIT_CASE(vectors_irq_of_a_queue),
	KUNIT_CASE(vectors_handlers),
	KUNIT_CASE(vectors_handler_of_everything),
	{}
};

VMDEV_SUITE(vmdev_vectors, vectors_cases);
