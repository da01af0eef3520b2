// SPDX-License-Identifier: GPL-2.0
/*
 * Which rings can run (drivers/core/queue_check.c): any addresses, sizes and
 * maps. A ring that is let through lies in mapped memory, all of it.
 */
#include "../kunit/fake_pages.h"
#include "../../drivers/core/maps.c"
#include "../../drivers/core/memory.c"
#include "../../drivers/core/alias.c"
#include "../../drivers/core/queue_check.c"
#include "../kunit/fake_hw.h"
#include <fuzz.h>

#define RANGES	6
#define HAS_PACKED(features)	(!!((features) & BIT_ULL(34)))

/**
 * struct ranges - what is mapped
 * @first: first bytes
 * @last: last bytes
 * @perm: VHOST_ACCESS_*
 * @n: how many
 */
struct ranges {
	u64 first[RANGES];
	u64 last[RANGES];
	u32 perm[RANGES];
	u32 n;
};

static bool mapped(const struct ranges *r, u64 addr, s128 size, u32 perm)
{
	s128 at = addr, end = at + size;
	u32 i;

	while (at < end) {
		for (i = 0; i < r->n; i++)
			if (at >= r->first[i] && at <= r->last[i] && (r->perm[i] & perm) == perm)
				break;
		if (i == r->n)
			return false;
		at = (s128)r->last[i] + 1;
	}
	return true;
}

static bool true_check(const struct fake_hw *fake, const struct ranges *r)
{
	const struct vmdev_vq_conf *conf = &fake->vqs[0].conf;
	bool packed = HAS_PACKED(fake->dev.features);
	u32 event = fake->dev.features & BIT_ULL(29) ? 2 : 0, num = conf->size;

	if (num > fake->vq_size[0] || num > 1024 || num < 2 || !fake->vq_size[0])
		return false;
	if (!packed && (num & (num - 1)))
		return false;
	if (conf->desc % 16 || conf->driver % (packed ? 4 : 2) || conf->device % 4)
		return false;
	return mapped(r, conf->desc, 16 * num, packed ? VHOST_ACCESS_RW : VHOST_ACCESS_RO) &&
	       mapped(r, conf->driver, packed ? 4 : 4 + 2 * num + event, VHOST_ACCESS_RO) &&
	       mapped(r, conf->device, packed ? 4 : 4 + 8 * num + event, VHOST_ACCESS_WO);
}

static void add_range(struct fake_hw *fake, struct ranges *r, struct fuzz_input *in)
{
	u64 first = fuzz_address(in), size = fuzz_length(in) + 1;
	u32 perm = 1 + fuzz_below(in, 3);

	if (size - 1 > U64_MAX - first ||
	    vmdev_maps_first(&fake->dev.mem.as[0].maps, first, first + size - 1))
		return;
	if (vmdev_maps_add(&fake->dev.mem.as[0].maps, first, first + size - 1, 0x1000, perm))
		abort();
	r->first[r->n] = first;
	r->last[r->n] = first + size - 1;
	r->perm[r->n++] = perm;
}

/* Somewhere in a range, or anywhere; aligned more often than not. */
static u64 some_area(const struct ranges *r, struct fuzz_input *in)
{
	u64 addr = fuzz_address(in);

	if (r->n && fuzz_u8(in) & 3)
		addr = r->first[fuzz_below(in, r->n)] + fuzz_u8(in) % 64;
	return (addr & ~15ULL) + (fuzz_u8(in) & 3 ? 0 : fuzz_u8(in) % 16);
}

FUZZ_TARGET(in)
{
	static const u64 features[] = { 0, BIT_ULL(29), BIT_ULL(34), BIT_ULL(29) | BIT_ULL(34) };
	struct fake_hw *fake = calloc(1, sizeof(*fake));
	struct vmdev_vq_conf *conf = &fake->vqs[0].conf;
	struct ranges r = { .n = 0 };
	u32 i;

	fake_hw_init(fake, VIRTIO_ID_BLOCK);
	fake->dev.features = features[fuzz_below(in, 4)];
	fake->vq_size[0] = fuzz_u8(in) & 3 ? 256 : fuzz_u16(in);
	fake->dev.mem.user = true;
	vmdev_mem_init(&fake->dev.mem);
	for (i = 0; i < RANGES; i++)
		add_range(fake, &r, in);
	while (in->left) {
		*conf = (struct vmdev_vq_conf) {
			.desc = some_area(&r, in),
			.driver = some_area(&r, in),
			.device = some_area(&r, in),
			.size = fuzz_u8(in) & 3 ? 1 << fuzz_below(in, 10) : fuzz_u16(in),
		};
		conf->state.packed.last_avail_counter = HAS_PACKED(fake->dev.features);
		conf->state.packed.last_used_counter = HAS_PACKED(fake->dev.features);
		FUZZ_CHECK(!vmdev_vq_check(&fake->dev, 0, true) == true_check(fake, &r),
			   "%u at %#llx %#llx %#llx", conf->size, conf->desc, conf->driver,
			   conf->device);
	}
	vmdev_mem_destroy(&fake->dev.mem);
	free(fake);
}
