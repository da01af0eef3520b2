// SPDX-License-Identifier: GPL-2.0
/*
 * Where did hardware that cannot tell stop in a split ring?
 *
 * After a reset the device writes no more, and its used index U counts what it
 * completed. That alone is no ring state: a device may complete out of order,
 * and then resuming at U would skip the chain it left out and serve another
 * one twice. U is the state only if what was completed is exactly what was
 * made available first. With A the avail index, N the ring size and the
 * "window" the positions A - N to U - 1, those completed whose avail entries
 * are not overwritten yet:
 *
 * 1. U == A: everything was completed. Or VIRTIO_F_IN_ORDER: promised.
 * 2. Otherwise the ids in the used ring must match the heads in the avail ring
 *    all over the window, and the heads from U to A must all be different, as
 *    a driver cannot offer a head that it has not got back.
 * 3. A chain left out before the window shifts all later completions: used
 *    position i then names the head of position i + d, where d is how many
 *    were left out, at most A - U. It can hide behind 2 only if
 *    the heads in the window repeat with period d. So either the window has no
 *    period that short; or all N heads at the positions A - N to A are
 *    different, which leaves no head that the device could have kept; or the
 *    ring never was full and the window starts at its very first entry.
 *
 * Example, N = 4. Avail holds the heads 0 1 2 3, A = 4. The device completes 1
 * first: U = 1, used 1. The window is position 0, which says 0: no state. The
 * driver offers 1 again (A = 5), which overwrites position 0. The window is
 * empty, but the heads from 1 to 4 are 1 2 3 1, 1 twice: still no state.
 *
 * Source: virtio 1.2, 2.7.6-2.7.8 (split ring), 2.7.9 (in order).
 */
#include <linux/bitmap.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/virtio_byteorder.h>
#include <uapi/linux/virtio_ring.h>

#include "vring_state.h"

/**
 * struct vmdev_split_view - a stopped split ring
 * @avail: avail ring
 * @used: used ring
 * @num: entries
 * @first: position where the window starts
 * @used_idx: position where it ends
 * @avail_idx: position of the next head that the driver will offer
 */
struct vmdev_split_view {
	const struct vring_avail *avail;
	const struct vring_used *used;
	u16 num;
	u16 first;
	u16 used_idx;
	u16 avail_idx;
};

static u16 vmdev_head(const struct vmdev_split_view *v, u16 pos)
{
	return __virtio16_to_cpu(true, v->avail->ring[pos & (v->num - 1)]);
}

static u32 vmdev_used_id(const struct vmdev_split_view *v, u16 pos)
{
	return __virtio32_to_cpu(true, v->used->ring[pos & (v->num - 1)].id);
}

static bool vmdev_slot_untouched(const struct vmdev_split_view *v, u16 pos)
{
	return !vmdev_head(v, pos) && !vmdev_used_id(v, pos) &&
	       !v->used->ring[pos & (v->num - 1)].len;
}

/*
 * Indices wrap at 65536, so a small used index may mean a young ring or an old
 * one. In a young one the slots before position 0 were never written.
 */
static bool vmdev_window_young(struct vmdev_split_view *v)
{
	u16 pos;

	if (v->used_idx >= (u16)(v->used_idx - v->first))
		return false;
	for (pos = v->first; pos != 0; pos++)
		if (!vmdev_slot_untouched(v, pos))
			return false;
	v->first = 0;
	return true;
}

static bool vmdev_window_matches(const struct vmdev_split_view *v)
{
	u16 pos;

	for (pos = v->first; pos != v->used_idx; pos++)
		if (vmdev_used_id(v, pos) != vmdev_head(v, pos))
			return false;
	return true;
}

/* Are all heads from one position to another valid and different? */
static bool vmdev_heads_differ(const struct vmdev_split_view *v, u16 from,
			       u16 to, unsigned long *seen)
{
	u16 pos;

	for (pos = from; pos != to; pos++) {
		u16 head = vmdev_head(v, pos);

		if (head >= v->num || __test_and_set_bit(head, seen))
			return false;
	}
	return true;
}

/*
 * The shortest period of the heads in the window: its length less that of its
 * longest proper border (Knuth, Morris and Pratt). @border has room for a
 * number for each entry of the window.
 */
static u16 vmdev_window_period(const struct vmdev_split_view *v, u16 *border)
{
	u16 len = v->used_idx - v->first;
	u16 i, k = 0;

	border[0] = 0;
	for (i = 1; i < len; i++) {
		u16 head = vmdev_head(v, v->first + i);

		while (k && head != vmdev_head(v, v->first + k))
			k = border[k - 1];
		if (head == vmdev_head(v, v->first + k))
			k++;
		border[i] = k;
	}
	return len - k;
}

/* Rules 2 and 3 of the comment at the top. */
static bool vmdev_split_ordered(struct vmdev_split_view *v,
				unsigned long *seen, u16 *border)
{
	u16 pending = v->avail_idx - v->used_idx;
	bool young = vmdev_window_young(v);

	if (!vmdev_window_matches(v) ||
	    !vmdev_heads_differ(v, v->used_idx, v->avail_idx, seen))
		return false;
	if (young)
		return true;

	/* seen holds those from U to A; go on with the window. */
	if (vmdev_heads_differ(v, v->first, v->used_idx, seen))
		return true;
	return vmdev_window_period(v, border) > pending;
}

/**
 * vmdev_split_state() - recover the state of a split ring from its memory
 * @avail: a copy of the avail ring
 * @used: a copy of the used ring, taken after the device stopped
 * @num: entries of the ring, a power of two
 * @in_order: VIRTIO_F_IN_ORDER was negotiated
 * @index: where the device has to go on
 *
 * Both rings are the guest's and hold whatever it likes.
 *
 * Context: may sleep.
 * Return: 0; -EILSEQ if completions were, or may have been, out of order;
 * -EINVAL if the indices make no sense; -ENOMEM.
 */
int vmdev_split_state(const struct vring_avail *avail,
		      const struct vring_used *used, u16 num, bool in_order,
		      u16 *index)
{
	struct vmdev_split_view v = {
		.avail = avail,
		.used = used,
		.num = num,
		.used_idx = __virtio16_to_cpu(true, used->idx),
		.avail_idx = __virtio16_to_cpu(true, avail->idx),
	};
	u16 pending = v.avail_idx - v.used_idx;
	unsigned long *seen;
	u16 *border;
	int err = 0;

	if (pending > num)
		return -EINVAL;
	*index = v.used_idx;
	if (!pending || in_order)
		return 0;

	v.first = v.avail_idx - num;
	seen = bitmap_zalloc(num, GFP_KERNEL);
	border = kvmalloc_array(num, sizeof(*border), GFP_KERNEL);
	if (!seen || !border)
		err = -ENOMEM;
	else if (!vmdev_split_ordered(&v, seen, border))
		err = -EILSEQ;

	kvfree(border);
	bitmap_free(seen);
	return err;
}
