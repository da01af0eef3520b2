// SPDX-License-Identifier: GPL-2.0
/*
 * Ring states (drivers/core/vring_state.c) of rings that a guest filled with
 * anything. vring_state.c has the rings of drivers and devices that work.
 */
#include "../../drivers/core/vring_state.c"
#include <fuzz.h>

FUZZ_TARGET(in)
{
	u8 how = fuzz_u8(in);
	u16 i, num = 1 << (how & 7), avail_idx, used_idx, index = 0xbeef;
	bool in_order = how & 0x80;
	struct vring_avail *avail = malloc(sizeof(*avail) + num * sizeof(u16));
	struct vring_used *used = malloc(sizeof(*used) + num * sizeof(used->ring[0]));
	u16 pending, idle = fuzz_u16(in);
	int err;

	fuzz_fill(in, avail, sizeof(*avail));
	used->flags = 0;
	used->idx = avail->idx - (how & 0x40 ? fuzz_u16(in) : fuzz_below(in, num + 1));
	for (i = 0; i < num; i++) {
		avail->ring[i] = how & 0x20 ? fuzz_u16(in) : fuzz_u8(in) % num;
		used->ring[i].id = how & 0x10 ? fuzz_u32(in) : fuzz_u8(in) % (num + 2);
		used->ring[i].len = 0;
		if (used->ring[i].id == num + 1)
			used->ring[i].id = VMDEV_USED_NEVER;
	}
	avail_idx = avail->idx;
	used_idx = used->idx;
	pending = avail_idx - used_idx;

	err = vmdev_split_state(avail, used, num, in_order, how & 0x08 ? &idle : NULL, &index);
	FUZZ_CHECK(err == 0 || err == -EINVAL || err == -EILSEQ, "%d", err);
	FUZZ_CHECK((err == -EINVAL) == (pending > num), "%u out of %u: %d", pending, num, err);
	if (pending <= num && (!pending || in_order))
		FUZZ_CHECK(!err, "%d", err);
	if (!err)
		FUZZ_CHECK(index == used_idx, "%u, not %u", index, used_idx);
	free(avail);
	free(used);
}
