// SPDX-License-Identifier: GPL-2.0
/*
 * Vector layouts (drivers/irq/layout.c), handlers (vectors.c) and storms (storm.c). The reference
 * is the comments at vmdev_vector_layout() and at the beginning of storm.c; MSI-X tables have 1
 * to 2048 entries (PCIe 7.7.2).
 */
#include "kunit.h"
#include "../../drivers/irq/layout.c"
#include "../../drivers/irq/vectors.c"
#include "../../drivers/irq/storm.c"

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

/* What is asked for is what comes, or nothing. */
static void vectors_asked_for(struct kunit *test)
{
	static const struct {
		enum vmdev_vector_mode mode;
		u16 nvqs;
		int nvectors;
		int err;
		u16 used;
	} expected[] = {
		{ VMDEV_VECTORS_PER_VQ, 3, 3, -ENOSPC, 0 },
		{ VMDEV_VECTORS_PER_VQ, 3, 4, 0, 4 },
		{ VMDEV_VECTORS_PER_VQ, 3, 5, 0, 5 },
		{ VMDEV_VECTORS_PER_VQ, 3, 9, 0, 5 },
		{ VMDEV_VECTORS_VQ_SHARED, 3, 1, -ENOSPC, 0 },
		{ VMDEV_VECTORS_VQ_SHARED, 3, 2, 0, 2 },
		{ VMDEV_VECTORS_VQ_SHARED, 3, 9, 0, 2 },
		{ VMDEV_VECTORS_VQ_SHARED, 1, 2, 0, 2 },
		{ VMDEV_VECTORS_VQ_SHARED, 1, 9, 0, 2 },
		{ VMDEV_VECTORS_ALL_SHARED, 3, 0, -ENOSPC, 0 },
		{ VMDEV_VECTORS_ALL_SHARED, 3, 1, 0, 1 },
		{ VMDEV_VECTORS_ALL_SHARED, 3, 9, 0, 1 },
	};
	struct vmdev_vector_layout layout;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(expected); i++) {
		KUNIT_ASSERT_EQ(test, vmdev_vector_layout_as(&layout, expected[i].mode,
							     expected[i].nvqs,
							     expected[i].nvectors),
				expected[i].err);
		if (expected[i].err)
			continue;
		KUNIT_EXPECT_EQ(test, layout.mode, expected[i].mode);
		KUNIT_EXPECT_EQ(test, layout.used, expected[i].used);
	}
}

static void vectors_words(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, vmdev_vector_mode_parse("per-queue\n"), VMDEV_VECTORS_PER_VQ);
	KUNIT_EXPECT_EQ(test, vmdev_vector_mode_parse("queues-shared"),
			VMDEV_VECTORS_VQ_SHARED);
	KUNIT_EXPECT_EQ(test, vmdev_vector_mode_parse("all-shared\n"),
			VMDEV_VECTORS_ALL_SHARED);
	KUNIT_EXPECT_EQ(test, vmdev_vector_mode_parse("auto"), VMDEV_VECTORS_AUTO);
	KUNIT_EXPECT_EQ(test, vmdev_vector_mode_parse("shared"), -EINVAL);
	KUNIT_EXPECT_EQ(test, vmdev_vector_mode_parse(""), -EINVAL);
}

static void expect_uses(struct kunit *test, int nvectors, const enum vmdev_vector_use *uses)
{
	struct vmdev_vector_layout layout = layout_of(test, 3, nvectors);
	u16 i;

	for (i = 0; i < 6; i++)
		KUNIT_EXPECT_EQ_MSG(test, vmdev_vector_use(&layout, i), uses[i],
				    "vector %u of %d", i, nvectors);
}

static void vectors_uses(struct kunit *test)
{
	expect_uses(test, 5, (enum vmdev_vector_use[6]) {
		VMDEV_VECTOR_CONFIG, VMDEV_VECTOR_VQ, VMDEV_VECTOR_VQ, VMDEV_VECTOR_VQ,
		VMDEV_VECTOR_SHADOW, VMDEV_VECTOR_UNUSED });
	expect_uses(test, 4, (enum vmdev_vector_use[6]) {
		VMDEV_VECTOR_CONFIG_SHADOW, VMDEV_VECTOR_VQ, VMDEV_VECTOR_VQ, VMDEV_VECTOR_VQ,
		VMDEV_VECTOR_UNUSED, VMDEV_VECTOR_UNUSED });
	expect_uses(test, 2, (enum vmdev_vector_use[6]) {
		VMDEV_VECTOR_CONFIG, VMDEV_VECTOR_VQS });
	expect_uses(test, 1, (enum vmdev_vector_use[6]) { VMDEV_VECTOR_ALL });
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

/* What queues say. */
static bool calls_work;

static bool calls_vq(void *data)
{
	++*(u32 *)data;
	return calls_work;
}

static void calls_config(void *priv)
{
	((struct calls *)priv)->configs++;
}

static bool calls_software(void *priv)
{
	((struct calls *)priv)->software_calls++;
	return calls_work;
}

static bool calls_pending(void *priv)
{
	return ((struct calls *)priv)->pending;
}

static const struct vmdev_vector_ops calls_ops = {
	.vq_relay = calls_vq,
	.config = calls_config,
	.software = calls_software,
	.config_pending = calls_pending,
};

/* A vector that is not requested: nothing is masked, however it storms. */
static struct vmdev_vector *calls_vector(struct kunit *test, struct calls *calls)
{
	struct vmdev_vectors *v;
	u16 vq;

	v = kunit_kzalloc(test, struct_size(v, vq_data, CALLS_VQS), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, v);
	v->vector = kunit_kzalloc(test, sizeof(*v->vector), GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, v->vector);
	v->ops = &calls_ops;
	v->priv = calls;
	v->nvqs = CALLS_VQS;
	v->nvectors = 1;
	for (vq = 0; vq < CALLS_VQS; vq++)
		v->vq_data[vq] = &calls->told[vq];
	v->vector->vectors = v;
	vmdev_vector_init(v->vector);
	calls_work = true;
	return v->vector;
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
	struct vmdev_vector *v = calls_vector(test, &calls);

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
	KUNIT_EXPECT_EQ(test, v->spurious, 0ULL);
}

/* virtio 1.2, 4.1.4.5: the ISR tells a config change from used buffers. */
static void vectors_handler_of_everything(struct kunit *test)
{
	struct calls calls = { { 0 } };
	struct vmdev_vector *v = calls_vector(test, &calls);

	KUNIT_EXPECT_EQ(test, vmdev_vector_everything(0, v), IRQ_HANDLED);
	expect_told(test, &calls, 1, 0);
	calls.pending = true;
	KUNIT_EXPECT_EQ(test, vmdev_vector_everything(0, v), IRQ_HANDLED);
	expect_told(test, &calls, 2, 1);
}

/* Without work, from whichever of them: all that share it are asked. */
static void vectors_spurious(struct kunit *test)
{
	struct calls calls = { { 0 } };
	struct vmdev_vector *v = calls_vector(test, &calls);

	calls_work = false;
	vmdev_vector_all_vqs(0, v);
	KUNIT_EXPECT_EQ(test, v->spurious, 1ULL);
	vmdev_vector_software(0, v);
	KUNIT_EXPECT_EQ(test, v->spurious, 2ULL);
	vmdev_vector_everything(0, v);
	KUNIT_EXPECT_EQ(test, v->spurious, 3ULL);
	vmdev_vector_config_software(0, v);
	KUNIT_EXPECT_EQ(test, v->spurious, 4ULL);
	calls.pending = true;
	vmdev_vector_everything(0, v);
	vmdev_vector_config_software(0, v);
	KUNIT_EXPECT_EQ(test, v->spurious, 4ULL);
	expect_told(test, &calls, 3, 2);
}

/* Queues that the driver does not have are asked nothing, and have no work. */
static void vectors_without_queue(struct kunit *test)
{
	struct calls calls = { { 0 } };
	struct vmdev_vector *v = calls_vector(test, &calls);
	u16 vq;

	for (vq = 0; vq < CALLS_VQS; vq++)
		v->vectors->vq_data[vq] = NULL;
	KUNIT_EXPECT_EQ(test, vmdev_vector_all_vqs(0, v), IRQ_HANDLED);
	KUNIT_EXPECT_EQ(test, vmdev_vector_everything(0, v), IRQ_HANDLED);
	KUNIT_EXPECT_EQ(test, vmdev_vector_nobody(0, v), IRQ_HANDLED);
	KUNIT_EXPECT_EQ(test, v->spurious, 3ULL);
	expect_told(test, &calls, 0, 0);
}

/* --- levels ---------------------------------------------------------------- */

#define LEVEL_RATE	1000

static void level_set_up(struct vmdev_vector *v)
{
	storm_rate = LEVEL_RATE;
	v->live = true;
}

/* So many a second for so many seconds; the level in the end, as long as it is no storm. */
static u32 level_after(struct vmdev_vector *v, unsigned int rate, unsigned int seconds)
{
	unsigned int tick, n = 0;

	for (tick = 0; tick < seconds * HZ; tick++) {
		v->seen--;
		vmdev_vector_drain(v, storm_rate);
		n += rate;
		v->level += n / HZ;
		n %= HZ;
	}
	return v->level;
}

/* What is within the rate drains away, for ever; what is beyond it adds up. */
static void vectors_level(struct kunit *test)
{
	struct calls calls = { { 0 } };
	struct vmdev_vector *v = calls_vector(test, &calls);

	level_set_up(v);
	KUNIT_EXPECT_LE(test, level_after(v, LEVEL_RATE, 100), 2 * LEVEL_RATE / HZ + 2U);
	KUNIT_EXPECT_LE(test, level_after(v, LEVEL_RATE / 3, 100), 2 * LEVEL_RATE / HZ + 2U);
	KUNIT_EXPECT_GE(test, level_after(v, 2 * LEVEL_RATE, 3), 2U * LEVEL_RATE);
	KUNIT_EXPECT_LE(test, level_after(v, 0, 4), 0U);
	/* A long time without any is no credit, and no overflow. */
	v->level = 5;
	v->seen = jiffies - LONG_MAX / 2;
	vmdev_vector_drain(v, U32_MAX);
	KUNIT_EXPECT_EQ(test, v->level, 0U);
	storm_rate = 10000;
}

/* One with work takes many without away. */
static void vectors_level_with_work(struct kunit *test)
{
	struct calls calls = { { 0 } };
	struct vmdev_vector *v = calls_vector(test, &calls);
	int i;

	v->level = VMDEV_STORM_WORK + 1;
	vmdev_vector_found(v, true);
	KUNIT_EXPECT_EQ(test, v->level, 1U);
	vmdev_vector_found(v, true);
	KUNIT_EXPECT_EQ(test, v->level, 0U);
	vmdev_vector_found(v, true);
	KUNIT_EXPECT_EQ(test, v->level, 0U);
	/* Not one that is not requested. */
	for (i = 0; i < 10; i++)
		vmdev_vector_found(v, false);
	KUNIT_EXPECT_EQ(test, v->level, 0U);
	KUNIT_EXPECT_EQ(test, v->spurious, 10ULL);
}

/* Only a vector that is the queue's own; a lie about which one is no access out of bounds. */
static void vectors_idle(struct kunit *test)
{
	struct calls calls = { { 0 } };
	struct vmdev_vector *v = calls_vector(test, &calls);

	v->vectors->layout = layout_of(test, CALLS_VQS, 1);
	vmdev_vectors_idle(v->vectors, 0, 7, true);
	KUNIT_EXPECT_EQ(test, v->spurious, 0ULL);
	v->vectors->layout.mode = VMDEV_VECTORS_PER_VQ;
	vmdev_vectors_idle(v->vectors, CALLS_VQS, 7, true);
	vmdev_vectors_idle(v->vectors, U16_MAX, 7, true);
	KUNIT_EXPECT_EQ(test, v->spurious, 0ULL);
	vmdev_vectors_idle(v->vectors, 0, 7, false);
	KUNIT_EXPECT_EQ(test, v->spurious, 7ULL);
	KUNIT_EXPECT_EQ(test, v->level, 0U);
	level_set_up(v);
	vmdev_vectors_idle(v->vectors, 0, 7, true);
	KUNIT_EXPECT_EQ(test, v->level, 7U);
	/* A very long time ago, for all that is known. */
	vmdev_vectors_idle(v->vectors, 0, U32_MAX - 14, true);
	KUNIT_EXPECT_LE(test, v->level, 7U + VMDEV_STORM_SLACK);
	KUNIT_EXPECT_EQ(test, v->storms, 0U);
	storm_rate = 10000;
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
	KUNIT_CASE(vectors_asked_for),
	KUNIT_CASE(vectors_words),
	KUNIT_CASE(vectors_uses),
	KUNIT_CASE(vectors_software),
	KUNIT_CASE(vectors_irq_of_a_queue),
	KUNIT_CASE(vectors_handlers),
	KUNIT_CASE(vectors_handler_of_everything),
	KUNIT_CASE(vectors_spurious),
	KUNIT_CASE(vectors_without_queue),
	KUNIT_CASE(vectors_level),
	KUNIT_CASE(vectors_level_with_work),
	KUNIT_CASE(vectors_idle),
	{}
};

VMDEV_SUITE(vmdev_vectors, vectors_cases);
