// SPDX-License-Identifier: GPL-2.0
/*
 * The live-migration block of Intel's FPGA SmartNICs (drivers/pci/ifc.c): where what is, and
 * what is read and written there. The reference is the table in Documentation/hardware.rst.
 * In the kernel only: registers are memory.
 */
#include "kunit.h"
#include "../../drivers/pci/ifc.c"

#define IFC_VQS		9
#define IFC_LM		1024

static bool ifc_gone;

/* Stands in for drivers/pci/virtio.c. */
bool vmdev_pci_absent(struct vmdev_pci *vp)
{
	return ifc_gone;
}

/**
 * struct ifc_test - a function
 * @vp: the function
 * @pdev: its PCI device
 * @lm: its registers
 * @ifc: as the driver has it
 * @vq_size: ring sizes
 * @vqs: a configuration
 */
struct ifc_test {
	struct vmdev_pci vp;
	struct pci_dev pdev;
	__le32 lm[IFC_LM / 4];
	struct vmdev_ifc *ifc;
	u16 vq_size[IFC_VQS];
	struct vmdev_vq_conf vqs[IFC_VQS];
};

static int ifc_case_init(struct kunit *test)
{
	struct ifc_test *t = kunit_kzalloc(test, sizeof(*t), GFP_KERNEL);
	int i;

	KUNIT_ASSERT_NOT_NULL(test, t);
	t->ifc = kunit_kzalloc(test, struct_size(t->ifc, enabled, BITS_TO_LONGS(IFC_VQS)),
			       GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, t->ifc);
	test->priv = t;
	for (i = 0; i < IFC_VQS; i++)
		t->vq_size[i] = 256;
	t->ifc->lm = (u8 __iomem *)t->lm;
	t->vp.pdev = &t->pdev;
	t->vp.vendor_data = t->ifc;
	t->vp.hw.caps.device_id = VIRTIO_ID_NET;
	t->vp.hw.caps.nvqs = IFC_VQS;
	t->vp.hw.caps.vq_size = t->vq_size;
	ifc_gone = false;
	return 0;
}

static u32 lm(struct kunit *test, u32 at)
{
	struct ifc_test *t = test->priv;

	return le32_to_cpu(t->lm[at / 4]);
}

static void lm_is(struct kunit *test, u32 at, u32 value)
{
	struct ifc_test *t = test->priv;

	t->lm[at / 4] = cpu_to_le32(value);
}

/* A pair's second queue is 4 bytes behind its first; pairs are 0x40 apart. */
static void ifc_net_layout(struct kunit *test)
{
	struct vmdev_hw_caps *caps = &((struct ifc_test *)test->priv)->vp.hw.caps;

	KUNIT_EXPECT_EQ(test, vmdev_ifc_state_at(caps, 0), 0x20);
	KUNIT_EXPECT_EQ(test, vmdev_ifc_state_at(caps, 1), 0x24);
	KUNIT_EXPECT_EQ(test, vmdev_ifc_state_at(caps, 2), 0x60);
	KUNIT_EXPECT_EQ(test, vmdev_ifc_state_at(caps, 3), 0x64);
	KUNIT_EXPECT_EQ(test, vmdev_ifc_state_at(caps, 63), 0x20 + 31 * 0x40 + 4);
	caps->nvqs = 2;
	KUNIT_EXPECT_EQ(test, vmdev_ifc_size(caps), 0x60ULL);
	caps->nvqs = 3;
	KUNIT_EXPECT_EQ(test, vmdev_ifc_size(caps), 0xa0ULL);
	caps->nvqs = 65;
	KUNIT_EXPECT_EQ(test, vmdev_ifc_size(caps), 0x860ULL);
}

static void ifc_blk_layout(struct kunit *test)
{
	struct vmdev_hw_caps *caps = &((struct ifc_test *)test->priv)->vp.hw.caps;

	caps->device_id = VIRTIO_ID_BLOCK;
	KUNIT_EXPECT_EQ(test, vmdev_ifc_state_at(caps, 0), 0x20);
	KUNIT_EXPECT_EQ(test, vmdev_ifc_state_at(caps, 1), 0x60);
	KUNIT_EXPECT_EQ(test, vmdev_ifc_state_at(caps, 5), 0x160);
	caps->nvqs = 1;
	KUNIT_EXPECT_EQ(test, vmdev_ifc_size(caps), 0x60ULL);
	caps->nvqs = 4;
	KUNIT_EXPECT_EQ(test, vmdev_ifc_size(caps), 0x120ULL);
}

static u32 count_of(struct kunit *test, u16 cvq, u16 enabled)
{
	struct ifc_test *t = test->priv;
	const struct vmdev_hw_conf conf = {
		.nvqs = IFC_VQS, .cvq = cvq, .vqs = t->vqs,
	};
	int i;

	for (i = 0; i < IFC_VQS; i++)
		t->vqs[i].enabled = enabled & BIT(i);
	return vmdev_ifc_count(&t->vp.hw.caps, &conf);
}

/* The control queue is no queue of packets, whichever it is. */
static void ifc_counts(struct kunit *test)
{
	struct vmdev_hw_caps *caps = &((struct ifc_test *)test->priv)->vp.hw.caps;

	KUNIT_EXPECT_EQ(test, count_of(test, U16_MAX, 0x003), 1);
	KUNIT_EXPECT_EQ(test, count_of(test, U16_MAX, 0), 0);
	KUNIT_EXPECT_EQ(test, count_of(test, 2, 0x007), 1);
	KUNIT_EXPECT_EQ(test, count_of(test, 8, 0x103), 1);
	KUNIT_EXPECT_EQ(test, count_of(test, 8, 0x10f), 2);
	KUNIT_EXPECT_EQ(test, count_of(test, 8, 0x1ff), 4);
	/* One of a pair is enough. */
	KUNIT_EXPECT_EQ(test, count_of(test, 8, 0x113), 3);
	/* It need not be the last of what the device shows. */
	KUNIT_EXPECT_EQ(test, count_of(test, 4, 0x01f), 2);
	KUNIT_EXPECT_EQ(test, count_of(test, 4, 0x013), 1);
	caps->device_id = VIRTIO_ID_BLOCK;
	KUNIT_EXPECT_EQ(test, count_of(test, U16_MAX, 0x007), 3);
}

/* Low half avail, high half used. */
static void ifc_states(struct kunit *test)
{
	struct vmdev_hw_caps *caps = &((struct ifc_test *)test->priv)->vp.hw.caps;
	struct vdpa_vq_state state = { .split.avail_index = 0x1234 };

	KUNIT_EXPECT_EQ(test, vmdev_ifc_from_state(&state), 0x12341234);
	KUNIT_EXPECT_EQ(test, vmdev_ifc_to_state(caps, 0, 0x12341238, &state), 0);
	KUNIT_EXPECT_EQ(test, state.split.avail_index, 0x1234);
	/* What was fetched ahead is given again, also around the end. */
	KUNIT_EXPECT_EQ(test, vmdev_ifc_to_state(caps, 0, 0xffff00ff, &state), 0);
	KUNIT_EXPECT_EQ(test, state.split.avail_index, 0xffff);
	KUNIT_EXPECT_EQ(test, vmdev_ifc_to_state(caps, 0, 0xffffffff, &state), 0);
	/* No more than there is room for, and not before it was used. */
	KUNIT_EXPECT_EQ(test, vmdev_ifc_to_state(caps, 0, 0x00000101, &state), -EILSEQ);
	KUNIT_EXPECT_EQ(test, vmdev_ifc_to_state(caps, 0, 0x00020001, &state), -EILSEQ);
	/* A request that is under way must not run twice. */
	caps->device_id = VIRTIO_ID_BLOCK;
	KUNIT_EXPECT_EQ(test, vmdev_ifc_to_state(caps, 0, 0x00050005, &state), 0);
	KUNIT_EXPECT_EQ(test, state.split.avail_index, 5);
	KUNIT_EXPECT_EQ(test, vmdev_ifc_to_state(caps, 0, 0x00050006, &state), -EILSEQ);
}

static void ifc_all_ones(struct kunit *test)
{
	struct ifc_test *t = test->priv;
	struct vdpa_vq_state state;

	lm_is(test, 0x60, U32_MAX);
	KUNIT_EXPECT_EQ(test, vmdev_ifc_get_state(&t->vp, 2, &state), 0);
	KUNIT_EXPECT_EQ(test, state.split.avail_index, 0xffff);
	ifc_gone = true;
	KUNIT_EXPECT_EQ(test, vmdev_ifc_get_state(&t->vp, 2, &state), -ENODEV);
}

/* Each queue is told where it begins; one that comes later raises the count. */
static void ifc_starts(struct kunit *test)
{
	struct ifc_test *t = test->priv;
	const struct vmdev_hw_conf conf = {
		.nvqs = IFC_VQS, .cvq = 8, .vqs = t->vqs,
	};
	const struct vmdev_vq_conf vq = { .state.split.avail_index = 7 };

	lm_is(test, 0x64, U32_MAX);
	t->vqs[0].enabled = true;
	t->vqs[1].enabled = true;
	t->vqs[8].enabled = true;
	vmdev_ifc_start(&t->vp, &conf);
	KUNIT_EXPECT_EQ(test, lm(test, 0x28), 1);
	KUNIT_EXPECT_EQ(test, vmdev_ifc_vq_start(&t->vp, 1, &vq), 0);
	KUNIT_EXPECT_EQ(test, vmdev_ifc_vq_start(&t->vp, 8, &(struct vmdev_vq_conf) { 0 }), 0);
	KUNIT_EXPECT_EQ(test, lm(test, 0x24), 0x00070007);
	KUNIT_EXPECT_EQ(test, lm(test, 0x28), 1);
	KUNIT_EXPECT_EQ(test, vmdev_ifc_vq_start(&t->vp, 3, &(struct vmdev_vq_conf) { 0 }), 0);
	KUNIT_EXPECT_EQ(test, lm(test, 0x64), 0);
	KUNIT_EXPECT_EQ(test, lm(test, 0x28), 2);
	KUNIT_EXPECT_EQ(test, vmdev_ifc_vq_start(&t->vp, 0, &vq), 0);
	KUNIT_EXPECT_EQ(test, lm(test, 0x28), 2);
	KUNIT_EXPECT_EQ(test, t->ifc->enabled[0], 0x10bUL);
}

static void ifc_logs(struct kunit *test)
{
	struct ifc_test *t = test->priv;

	KUNIT_EXPECT_EQ(test, vmdev_ifc_log_start(&t->vp, 0x7fc012345000, 0x7fc012346008), 0);
	KUNIT_EXPECT_EQ(test, lm(test, 0x00), 1);
	KUNIT_EXPECT_EQ(test, lm(test, 0x10), 0x12345000);
	KUNIT_EXPECT_EQ(test, lm(test, 0x14), 0x7fc0);
	KUNIT_EXPECT_EQ(test, lm(test, 0x18), 0x12346008);
	KUNIT_EXPECT_EQ(test, lm(test, 0x1c), 0x7fc0);
	KUNIT_EXPECT_TRUE(test, vmdev_ifc_log_check(&t->vp));
	vmdev_ifc_log_stop(&t->vp);
	KUNIT_EXPECT_EQ(test, lm(test, 0x00), 0);
}

/* Whatever of its registers is not as it was told. */
static void ifc_logs_no_more(struct kunit *test)
{
	const u64 bitmap = 0x7fc012345000, end = 0x7fc012346008;
	struct ifc_test *t = test->priv;
	u32 at, was;

	for (at = 0x10; at <= 0x20; at += 4) {
		KUNIT_EXPECT_EQ(test, vmdev_ifc_log_start(&t->vp, bitmap, end), 0);
		KUNIT_EXPECT_TRUE(test, vmdev_ifc_log_check(&t->vp));
		was = lm(test, at % 0x20);
		lm_is(test, at % 0x20, was ^ 8);
		KUNIT_EXPECT_FALSE_MSG(test, vmdev_ifc_log_check(&t->vp), "register %#x",
				       at % 0x20);
		/* It may have missed something meanwhile. */
		lm_is(test, at % 0x20, was);
		KUNIT_EXPECT_FALSE(test, vmdev_ifc_log_check(&t->vp));
	}
	/* A reset, after queues have stopped, may switch it off. */
	KUNIT_EXPECT_EQ(test, vmdev_ifc_log_start(&t->vp, bitmap, end), 0);
	t->ifc->logging = false;
	lm_is(test, 0x00, 0);
	KUNIT_EXPECT_TRUE(test, vmdev_ifc_log_check(&t->vp));
}

static struct kunit_case ifc_cases[] = {
	KUNIT_CASE(ifc_net_layout),
	KUNIT_CASE(ifc_blk_layout),
	KUNIT_CASE(ifc_counts),
	KUNIT_CASE(ifc_states),
	KUNIT_CASE(ifc_all_ones),
	KUNIT_CASE(ifc_starts),
	KUNIT_CASE(ifc_logs),
	KUNIT_CASE(ifc_logs_no_more),
	{}
};

static struct kunit_suite vmdev_ifc_suite = {
	.name = "vmdev_ifc",
	.init = ifc_case_init,
	.test_cases = ifc_cases,
};

kunit_test_suite(vmdev_ifc_suite);
