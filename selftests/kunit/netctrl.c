// SPDX-License-Identifier: GPL-2.0
/*
 * The core's own command on a control queue (drivers/core/netctrl.c), taken
 * and answered by a device that does what virtio 1.2 says, and reads what the
 * core wrote as numbers: 5.1.6.5.2 (class 1, command 1: set the MAC address),
 * 2.7 and 2.8 (rings), 2.9 (notification data).
 */
#include "kunit.h"
#include "../../drivers/core/netctrl.c"
#include "fake_hw.h"

#define B(n)	BIT_ULL(n)
#define PACKED	B(34)
#define NOTIFICATION_DATA	B(38)

#define IOVA	0x80000000ULL
#define CVQ	7

static const u8 mac[ETH_ALEN] = { 0x52, 0x54, 0, 1, 2, 3 };

/**
 * struct ctrl_fake - hardware with a control queue
 * @fake: the rest of it
 * @conf: of the queue, while it runs
 * @started: how often it was
 * @stopped: how often it was
 * @stops: stops of the whole device
 * @kicks: kicks
 * @data: of the last kick
 * @command: what the driver's buffer held
 * @command_len: its length
 * @answer: what to write into the answer
 * @silent: do not answer
 * @leave: be gone at the kick
 * @start_error: of vq_start
 * @stop_error: of vq_stop
 * @fault: what the driver did wrong
 */
struct ctrl_fake {
	struct fake_hw fake;
	struct vmdev_vq_conf conf;
	u32 started;
	u32 stopped;
	u32 stops;
	u32 kicks;
	u32 data;
	u8 command[32];
	u32 command_len;
	u8 answer;
	bool silent;
	bool leave;
	int start_error;
	int stop_error;
	const char *fault;
};

static struct ctrl_fake *ctrl_fake(struct vmdev_hw *hw)
{
	return container_of(hw, struct ctrl_fake, fake.hw);
}

/* What the device sees at an address: only what was mapped for it. */
static void *ctrl_at(struct ctrl_fake *c, u64 iova, u64 len)
{
	const struct fake_range *map = &c->fake.maps[0];

	if (c->fake.n_maps != 1 || c->fake.n_unmaps || iova < map->iova ||
	    iova + len > map->iova + map->size) {
		c->fault = "an address that is not mapped";
		return NULL;
	}
	return phys_to_virt(map->pa + (iova - map->iova));
}

static void ctrl_take(struct ctrl_fake *c, u64 addr, u32 len)
{
	void *from = ctrl_at(c, addr, len);

	c->command_len = len;
	if (from && len <= sizeof(c->command))
		memcpy(c->command, from, len);
	else
		c->fault = "a command that cannot be read";
}

static void ctrl_answer(struct ctrl_fake *c, u64 addr, u32 len)
{
	u8 *to = ctrl_at(c, addr, len);

	if (to && len == 1)
		*to = c->answer;
	else
		c->fault = "no byte for the answer";
}

/* 2.7.5: 16 bytes each: address, length, flags (1 next, 2 write), next. */
static void ctrl_serve_split(struct ctrl_fake *c)
{
	const struct vring_desc *desc = ctrl_at(c, c->conf.desc, 16 * c->conf.size);
	const u16 *avail = ctrl_at(c, c->conf.driver, 6 + 2 * c->conf.size);
	u8 *used = ctrl_at(c, c->conf.device, 6 + 8 * c->conf.size);
	u16 head, next;

	if (!desc || !avail || !used)
		return;
	if (le16_to_cpu((__force __le16)avail[1]) != 1) {
		c->fault = "not one chain is offered";
		return;
	}
	head = le16_to_cpu((__force __le16)avail[2]);
	next = le16_to_cpu((__force __le16)desc[head].next);
	if (le16_to_cpu((__force __le16)desc[head].flags) != 1 ||
	    le16_to_cpu((__force __le16)desc[next].flags) != 2) {
		c->fault = "not a chain of one to read and one to write";
		return;
	}
	ctrl_take(c, le64_to_cpu((__force __le64)desc[head].addr),
		  le32_to_cpu((__force __le32)desc[head].len));
	ctrl_answer(c, le64_to_cpu((__force __le64)desc[next].addr),
		    le32_to_cpu((__force __le32)desc[next].len));
	used[4] = head;
	used[8] = 1;
	used[2] = 1;
}

/* 2.8.13: address, length, id, flags; available is bit 7 set and 15 clear. */
static void ctrl_serve_packed(struct ctrl_fake *c)
{
	struct vring_packed_desc *desc = ctrl_at(c, c->conf.desc, 16 * c->conf.size);

	if (!desc || !ctrl_at(c, c->conf.driver, 4) || !ctrl_at(c, c->conf.device, 4))
		return;
	if (le16_to_cpu(desc[0].flags) != (0x80 | 1) ||
	    le16_to_cpu(desc[1].flags) != (0x80 | 2) || desc[2].flags) {
		c->fault = "not a chain of one to read and one to write";
		return;
	}
	ctrl_take(c, le64_to_cpu(desc[0].addr), le32_to_cpu(desc[0].len));
	ctrl_answer(c, le64_to_cpu(desc[1].addr), le32_to_cpu(desc[1].len));
	desc[0].id = desc[1].id;
	desc[0].len = cpu_to_le32(1);
	desc[0].flags = cpu_to_le16(0x8080);
}

static void ctrl_serve(struct ctrl_fake *c)
{
	if (c->leave)
		c->fake.parent.gone = true;
	if (c->silent || c->leave)
		return;
	if (c->fake.dev.features & PACKED)
		ctrl_serve_packed(c);
	else
		ctrl_serve_split(c);
}

static void ctrl_kick(struct vmdev_hw *hw, u16 vq)
{
	struct ctrl_fake *c = ctrl_fake(hw);

	c->kicks++;
	if (vq != CVQ)
		c->fault = "a kick of another queue";
	ctrl_serve(c);
}

static void ctrl_kick_with_data(struct vmdev_hw *hw, u16 vq, u32 data)
{
	ctrl_fake(hw)->data = data;
	ctrl_kick(hw, vq);
}

static int ctrl_vq_start(struct vmdev_hw *hw, u16 vq, const struct vmdev_vq_conf *conf)
{
	struct ctrl_fake *c = ctrl_fake(hw);

	c->started++;
	c->conf = *conf;
	if (vq != CVQ)
		c->fault = "another queue was started";
	return c->start_error;
}

static int ctrl_vq_stop(struct vmdev_hw *hw, u16 vq,
			struct vdpa_vq_state *state)
{
	struct ctrl_fake *c = ctrl_fake(hw);

	c->stopped++;
	if (c->fake.n_unmaps)
		c->fault = "memory was taken from a queue that runs";
	return c->stop_error;
}

static int ctrl_stop(struct vmdev_hw *hw, struct vdpa_vq_state *states)
{
	struct ctrl_fake *c = ctrl_fake(hw);

	c->stops++;
	if (c->fake.n_unmaps)
		c->fault = "memory was taken from a device that runs";
	return 0;
}

static const struct vmdev_hw_ops ctrl_ops = {
	.map = fake_map,
	.unmap = fake_unmap,
	.kick = ctrl_kick,
	.kick_with_data = ctrl_kick_with_data,
	.vq_start = ctrl_vq_start,
	.vq_stop = ctrl_vq_stop,
	.stop = ctrl_stop,
};

/* User space has the device: its IOVAs end where the core's own begin. */
static int netctrl_init(struct kunit *test)
{
	struct ctrl_fake *c = kunit_kzalloc(test, sizeof(*c), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, c);
	test->priv = c;
	fake_hw_init(&c->fake, VIRTIO_ID_NET);
	c->fake.hw.ops = &ctrl_ops;
	c->fake.dev.mem.attached = true;
	c->fake.dev.mem.range.last = IOVA - 1;
	memcpy(c->fake.dev.prov.mac, mac, ETH_ALEN);
	return 0;
}

static int set_mac(struct kunit *test)
{
	struct ctrl_fake *c = test->priv;
	int err;

	mutex_lock(&c->fake.parent.lock);
	err = vmdev_netctrl_set_mac(&c->fake.dev, CVQ);
	mutex_unlock(&c->fake.parent.lock);
	KUNIT_EXPECT_STREQ(test, c->fault ? : "", "");
	/* What was mapped is unmapped, whatever happened. */
	KUNIT_EXPECT_EQ(test, c->fake.n_unmaps, c->fake.n_maps);
	if (c->fake.n_maps) {
		KUNIT_EXPECT_EQ(test, c->fake.maps[0].iova, IOVA);
		KUNIT_EXPECT_EQ(test, c->fake.unmaps[0].iova, IOVA);
		KUNIT_EXPECT_EQ(test, c->fake.unmaps[0].size, c->fake.maps[0].size);
	}
	return err;
}

static void expect_command(struct kunit *test)
{
	static const u8 expected[] = { 1, 1, 0x52, 0x54, 0, 1, 2, 3 };
	struct ctrl_fake *c = test->priv;

	KUNIT_EXPECT_EQ(test, c->command_len, sizeof(expected));
	KUNIT_EXPECT_MEMEQ(test, c->command, expected, sizeof(expected));
	KUNIT_EXPECT_EQ(test, c->started, 1);
	KUNIT_EXPECT_EQ(test, c->stopped, 1);
	KUNIT_EXPECT_EQ(test, c->kicks, 1);
	KUNIT_EXPECT_EQ(test, c->stops, 0);
	KUNIT_EXPECT_TRUE(test, c->conf.enabled);
}

static void netctrl_split(struct kunit *test)
{
	struct ctrl_fake *c = test->priv;

	KUNIT_EXPECT_EQ(test, set_mac(test), 0);
	expect_command(test);
	KUNIT_EXPECT_TRUE(test, is_power_of_2(c->conf.size));
	KUNIT_EXPECT_EQ(test, c->conf.desc % 16, 0ULL);
	KUNIT_EXPECT_EQ(test, c->conf.driver % 2, 0ULL);
	KUNIT_EXPECT_EQ(test, c->conf.device % 4, 0ULL);
	KUNIT_EXPECT_EQ(test, c->conf.state.split.avail_index, 0);
}

static void netctrl_packed(struct kunit *test)
{
	struct ctrl_fake *c = test->priv;

	c->fake.dev.features = PACKED;
	KUNIT_EXPECT_EQ(test, set_mac(test), 0);
	expect_command(test);
	KUNIT_EXPECT_EQ(test, c->conf.desc % 16, 0ULL);
	KUNIT_EXPECT_EQ(test, c->conf.driver % 4, 0ULL);
	KUNIT_EXPECT_EQ(test, c->conf.device % 4, 0ULL);
	KUNIT_EXPECT_TRUE(test, c->conf.state.packed.last_avail_counter == 1);
	KUNIT_EXPECT_TRUE(test, c->conf.state.packed.last_avail_idx == 0);
	KUNIT_EXPECT_TRUE(test, c->conf.state.packed.last_used_counter == 1);
	KUNIT_EXPECT_TRUE(test, c->conf.state.packed.last_used_idx == 0);
}

/*
 * Where the next offer will be is in the upper half of the data: for split
 * rings the avail index, for packed ones an offset and the wrap counter (1, as
 * the ring has not wrapped) in the highest bit.
 */
static void netctrl_notification_data(struct kunit *test)
{
	struct ctrl_fake *c = test->priv;

	c->fake.dev.features = NOTIFICATION_DATA;
	KUNIT_EXPECT_EQ(test, set_mac(test), 0);
	KUNIT_EXPECT_EQ(test, c->data >> 16, 1);
}

static void netctrl_notification_data_packed(struct kunit *test)
{
	struct ctrl_fake *c = test->priv;

	c->fake.dev.features = NOTIFICATION_DATA | PACKED;
	KUNIT_EXPECT_EQ(test, set_mac(test), 0);
	KUNIT_EXPECT_EQ(test, c->data >> 16, 0x8002);
}

/* 5.1.6.5: 0 is OK, 1 is an error; a device may also forget to answer. */
static void netctrl_refused(struct kunit *test)
{
	struct ctrl_fake *c = test->priv;

	c->answer = 1;
	KUNIT_EXPECT_EQ(test, set_mac(test), -EIO);
	KUNIT_EXPECT_EQ(test, c->stopped, 1);
}

static void netctrl_refused_packed(struct kunit *test)
{
	struct ctrl_fake *c = test->priv;

	c->fake.dev.features = PACKED;
	c->answer = 0xff;
	KUNIT_EXPECT_EQ(test, set_mac(test), -EIO);
}

static void netctrl_no_answer(struct kunit *test)
{
	struct ctrl_fake *c = test->priv;

	c->silent = true;
	KUNIT_EXPECT_EQ(test, set_mac(test), -ETIMEDOUT);
	KUNIT_EXPECT_EQ(test, c->stopped, 1);
}

static void netctrl_gone(struct kunit *test)
{
	struct ctrl_fake *c = test->priv;

	c->leave = true;
	KUNIT_EXPECT_EQ(test, set_mac(test), -ENODEV);
}

/* A queue that cannot be stopped: the device is, before its memory goes. */
static void netctrl_does_not_stop(struct kunit *test)
{
	struct ctrl_fake *c = test->priv;

	c->stop_error = -ETIMEDOUT;
	KUNIT_EXPECT_EQ(test, set_mac(test), -ETIMEDOUT);
	KUNIT_EXPECT_EQ(test, c->stops, 1);
}

static void netctrl_does_not_start(struct kunit *test)
{
	struct ctrl_fake *c = test->priv;

	c->start_error = -EBUSY;
	KUNIT_EXPECT_EQ(test, set_mac(test), -EBUSY);
	KUNIT_EXPECT_EQ(test, c->kicks, 0);
	KUNIT_EXPECT_EQ(test, c->stopped, 0);
}

static void netctrl_no_map(struct kunit *test)
{
	struct ctrl_fake *c = test->priv;

	c->fake.error = -EINVAL;
	KUNIT_EXPECT_EQ(test, set_mac(test), -ENOMEM);
	KUNIT_EXPECT_EQ(test, c->started, 0);
}

/* MAC (5), CTRL_VQ (17), CTRL_MAC_ADDR (23), and a queue that can be reset. */
static void netctrl_can_set_mac(struct kunit *test)
{
	struct vmdev_hw_caps caps = {
		.device_id = VIRTIO_ID_NET,
		.features = B(5) | B(17) | B(23),
		.caps = VMDEV_CAP_RING_RESET,
	};
	static const u8 needed[] = { 5, 17, 23 };
	unsigned int i;

	KUNIT_EXPECT_TRUE(test, vmdev_netctrl_can_set_mac(&caps));
	for (i = 0; i < ARRAY_SIZE(needed); i++) {
		caps.features &= ~B(needed[i]);
		KUNIT_EXPECT_FALSE(test, vmdev_netctrl_can_set_mac(&caps));
		caps.features |= B(needed[i]);
	}
	caps.caps = ~VMDEV_CAP_RING_RESET;
	KUNIT_EXPECT_FALSE(test, vmdev_netctrl_can_set_mac(&caps));
	caps.caps = VMDEV_CAP_RING_RESET;
	caps.device_id = VIRTIO_ID_BLOCK;
	KUNIT_EXPECT_FALSE(test, vmdev_netctrl_can_set_mac(&caps));
}

static struct kunit_case netctrl_cases[] = {
	KUNIT_CASE(netctrl_split),
	KUNIT_CASE(netctrl_packed),
	KUNIT_CASE(netctrl_notification_data),
	KUNIT_CASE(netctrl_notification_data_packed),
	KUNIT_CASE(netctrl_refused),
	KUNIT_CASE(netctrl_refused_packed),
	KUNIT_CASE(netctrl_no_answer),
	KUNIT_CASE(netctrl_gone),
	KUNIT_CASE(netctrl_does_not_stop),
	KUNIT_CASE(netctrl_does_not_start),
	KUNIT_CASE(netctrl_no_map),
	KUNIT_CASE(netctrl_can_set_mac),
	{}
};

static struct kunit_suite netctrl_suite = {
	.name = "vmdev_netctrl",
	.init = netctrl_init,
	.test_cases = netctrl_cases,
};

kunit_test_suite(netctrl_suite);
