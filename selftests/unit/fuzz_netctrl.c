// SPDX-License-Identifier: GPL-2.0
/*
 * The core's own command on a control queue (drivers/core/netctrl.c), against a
 * device that writes whatever it likes wherever it may, and whose ops fail.
 */
#include "../../drivers/core/window.c"
#include "../../drivers/core/netctrl.c"
#include "../kunit/fake_hw.h"
#include <fuzz.h>

/**
 * struct device_fake - the device
 * @fake: the rest of it
 * @in: what it does
 * @conf: of the queue
 * @started: the queue runs
 * @done: the driver has to take the command for used
 * @ack: what is in the answer
 * @stop_error: of vq_stop
 */
struct device_fake {
	struct fake_hw fake;
	struct fuzz_input *in;
	struct vmdev_vq_conf conf;
	bool started;
	bool done;
	u8 ack;
	int stop_error;
};

static struct device_fake *device_fake(struct vmdev_hw *hw)
{
	return container_of(hw, struct device_fake, fake.hw);
}

/* The driver's buffers were read before: now the page is the device's. */
static void device_kick(struct vmdev_hw *hw, u16 vq)
{
	struct device_fake *d = device_fake(hw);
	u8 *page = phys_to_virt(d->fake.maps[0].pa);
	u64 iova = d->fake.maps[0].iova;
	u32 i, n = fuzz_u8(d->in) % 32;
	u64 ack;

	FUZZ_CHECK(d->started, "a kick of a queue that does not run");
	if (d->fake.dev.features & BIT_ULL(VIRTIO_F_RING_PACKED)) {
		const struct vring_packed_desc *desc = (void *)(page + (d->conf.desc - iova));

		ack = desc[1].addr;
	} else {
		const struct vring_desc *desc = (void *)(page + (d->conf.desc - iova));

		ack = desc[1].addr;
	}
	FUZZ_CHECK(ack >= iova && ack < iova + PAGE_SIZE, "no place for an answer: %#llx", ack);

	for (i = 0; i < n; i++) {
		u16 where = fuzz_u16(d->in) % 256;

		page[where] = fuzz_u8(d->in);
	}
	/* Mostly it answers: to wait for one that does not takes long. */
	if (fuzz_u8(d->in) & 7)
		page[d->conf.device - iova + 2] = 1;
	if (fuzz_u8(d->in) & 7)
		memset(page + (d->conf.desc - iova) + 14, 0x80, 2);
	if (fuzz_u8(d->in) & 1)
		page[ack - iova] = 0;
	if (fuzz_u8(d->in) == 0x33)
		d->fake.parent.gone = true;

	d->ack = page[ack - iova];
	if (d->fake.dev.features & BIT_ULL(VIRTIO_F_RING_PACKED))
		d->done = (page[d->conf.desc - iova + 14] & 0x80) &&
			  (page[d->conf.desc - iova + 15] & 0x80);
	else
		d->done = page[d->conf.device - iova + 2] || page[d->conf.device - iova + 3];
}

static void device_kick_with_data(struct vmdev_hw *hw, u16 vq, u32 data)
{
	device_kick(hw, vq);
}

static int device_vq_start(struct vmdev_hw *hw, u16 vq, const struct vmdev_vq_conf *conf)
{
	struct device_fake *d = device_fake(hw);

	d->conf = *conf;
	d->started = fuzz_u8(d->in) != 0x44;
	return d->started ? 0 : -EBUSY;
}

static int device_vq_stop(struct vmdev_hw *hw, u16 vq,
			  struct vdpa_vq_state *state)
{
	struct device_fake *d = device_fake(hw);

	FUZZ_CHECK(d->started, "a queue is stopped that does not run");
	d->stop_error = fuzz_u8(d->in) == 0x55 ? -ETIMEDOUT : 0;
	d->started = d->stop_error;
	return d->stop_error;
}

static int device_stop(struct vmdev_hw *hw, struct vdpa_vq_state *states)
{
	device_fake(hw)->started = false;
	return 0;
}

static void device_unmap(struct vmdev_hw *hw, u64 iova, u64 size)
{
	FUZZ_CHECK(!device_fake(hw)->started || hw->parent->gone,
		   "memory is taken from a queue that runs");
	fake_unmap(hw, iova, size);
}

static const struct vmdev_hw_ops device_ops = {
	.map = fake_map,
	.unmap = device_unmap,
	.kick = device_kick,
	.kick_with_data = device_kick_with_data,
	.vq_start = device_vq_start,
	.vq_stop = device_vq_stop,
	.stop = device_stop,
};

FUZZ_TARGET(in)
{
	struct device_fake *d = calloc(1, sizeof(*d));
	bool runs;
	int err;

	fake_hw_init(&d->fake, VIRTIO_ID_NET);
	d->in = in;
	d->fake.hw.ops = &device_ops;
	d->fake.dev.mem.attached = true;
	d->fake.dev.mem.range.last = 0x7fffffff;
	if (fuzz_u8(in) & 1)
		d->fake.dev.features |= BIT_ULL(VIRTIO_F_RING_PACKED);
	if (fuzz_u8(in) & 1)
		d->fake.dev.features |= BIT_ULL(VIRTIO_F_NOTIFICATION_DATA);
	if (fuzz_u8(in) == 0x11)
		d->fake.error = -ENOMEM;
	fuzz_fill(in, d->fake.dev.prov.mac, ETH_ALEN);

	mutex_lock(&d->fake.parent.lock);
	err = vmdev_netctrl_set_mac(&d->fake.dev, 2);
	runs = d->conf.enabled && d->done && !d->ack && !d->stop_error;
	FUZZ_CHECK(err == 0 || !runs, "an address that was taken: %d", err);
	FUZZ_CHECK(err != 0 || runs, "an address that was not taken");
	FUZZ_CHECK(d->fake.n_maps == d->fake.n_unmaps, "a page stays mapped");
	free(d);
}
