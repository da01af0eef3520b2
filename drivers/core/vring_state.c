// SPDX-License-Identifier: GPL-2.0
/*
 * Where did hardware that cannot tell stop in a split ring?
 *
 * After a reset the device writes no more, and its used index U counts what it
 * completed. That alone is no ring state: a device may complete out of order,
 * and then resuming at U would skip the chain it left out and serve another
 * one twice. U is the state only if what it completed is exactly what was
 * offered first, that is, if none of the positions from U to A - 1 was
 * completed, A being the avail index and N the ring size.
 *
 * 1. U == A: there is no such position. Or VIRTIO_F_IN_ORDER: promised.
 * 2. When position r was offered at most N chains were out, so r + 1 - N or
 *    more were completed: if r was completed, its used entry is at one of the
 *    used positions r + 1 - N to U - 1. So if none of those names the head at
 *    r, for each r, none of them was completed. All of those entries can still
 *    be read, but for what the device may have written and not counted yet: at
 *    most A - U entries from U on, over those of N positions before. Where one
 *    of them matters this rule says nothing, unless none of them was written.
 * 3. A head that was completed, taken back and offered again fails that test
 *    though nothing is wrong. But if the heads at the last N positions are all
 *    different then each descriptor is the head of one of them, and nothing
 *    older is out; and if all of those before U are named by the used entries
 *    at their own positions, those are completed.
 * 4. While the rings are in their first lap everything ever offered and used can
 *    be read. A head is not offered again before it was used, so if each used
 *    entry names the head at its own position, those positions were completed.
 *    A ring that began anew with nothing out (home.c) holds entries of before, and
 *    this rule says nothing.
 *
 * What these rules cannot see: on a ring in a later lap whose driver uses few of
 * the descriptors, whether one of the others is still out.
 *
 * 5. If somebody saw the ring idle, all that was offered used, at an index K that is
 *    not more than N before A, then nothing older is out, and all that was offered
 *    and used since can be read. A head is out if it was offered once more than
 *    it was used, and then where it was offered last. So those are the positions
 *    from U on, if each of their heads is out and no other head is.
 *
 * Entries of the used ring that were never written must not look like heads:
 * whoever starts the ring fills them with VMDEV_USED_NEVER.
 *
 * Example, N = 4. Avail holds the heads 0 1 2 3, A = 4. The device completes 1
 * first: U = 1, used 1. Head 1 stands at position 1, and position 1 + 1 - 4 to
 * 0 of the used ring name it: no state by rule 2. Position 0 is used 1, avail
 * 0: no state by rule 3.
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
 * @used_idx: U
 * @avail_idx: A
 */
struct vmdev_split_view {
	const struct vring_avail *avail;
	const struct vring_used *used;
	u16 num;
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

/*
 * Rule 2. @age has room for a number for each head: how long ago, counted from
 * U, it was completed last; N + 1 if that cannot be seen.
 */
static bool vmdev_none_pending_done(const struct vmdev_split_view *v, u16 *age)
{
	u16 pending = v->avail_idx - v->used_idx;
	u32 i;

	for (i = 0; i + 1 < pending; i++)
		if (vmdev_used_id(v, v->used_idx + i) != VMDEV_USED_NEVER)
			return false;

	for (i = 0; i < v->num; i++)
		age[i] = v->num + 1;
	for (i = v->num; i; i--) {
		u32 id = vmdev_used_id(v, v->used_idx - i);

		if (id < v->num)
			age[id] = i;
	}

	for (i = 0; i < pending; i++) {
		u16 head = vmdev_head(v, v->used_idx + i);

		/* Positions from U + i + 1 - N, so at most N - i - 1 ago. */
		if (head >= v->num || age[head] + i + 1 <= v->num)
			return false;
	}
	return true;
}

/* Rule 4. The last entry of the used ring is written when its lap ends. */
static bool vmdev_first_lap_matched(const struct vmdev_split_view *v)
{
	u16 pos;

	if (v->avail_idx > v->num || v->used_idx > v->avail_idx ||
	    vmdev_used_id(v, v->num - 1) != VMDEV_USED_NEVER)
		return false;
	for (pos = 0; pos < v->used_idx; pos++)
		if (vmdev_used_id(v, pos) != vmdev_head(v, pos))
			return false;
	return true;
}

/* Rule 3. @seen is a zeroed bitmap of heads. */
static bool vmdev_all_heads_matched(const struct vmdev_split_view *v,
				    unsigned long *seen)
{
	u16 pos;

	for (pos = v->avail_idx - v->num; pos != v->avail_idx; pos++) {
		u16 head = vmdev_head(v, pos);
		bool done = (u16)(v->avail_idx - pos) >
			    (u16)(v->avail_idx - v->used_idx);

		if (head >= v->num || __test_and_set_bit(head, seen))
			return false;
		if (done && vmdev_used_id(v, pos) != head)
			return false;
	}
	return true;
}

/* Rule 5. @out is a zeroed number for each head. */
static bool vmdev_since_idle_matched(const struct vmdev_split_view *v, u16 idle,
				     u16 *out)
{
	u16 pos, head;
	u32 id;

	if ((u16)(v->avail_idx - idle) > v->num ||
	    (u16)(v->used_idx - idle) > (u16)(v->avail_idx - idle))
		return false;

	for (pos = idle; pos != v->avail_idx; pos++) {
		head = vmdev_head(v, pos);
		if (head >= v->num)
			return false;
		out[head]++;
	}
	for (pos = idle; pos != v->used_idx; pos++) {
		id = vmdev_used_id(v, pos);
		if (id >= v->num || !out[id])
			return false;
		out[id]--;
	}
	/* As many are out as there are positions: if it is these, it is no other. */
	for (pos = v->used_idx; pos != v->avail_idx; pos++) {
		head = vmdev_head(v, pos);
		if (out[head] != 1)
			return false;
		out[head] = 0;
	}
	return true;
}

/**
 * vmdev_split_state() - recover the state of a split ring from its memory
 * @avail: a copy of the avail ring
 * @used: a copy of the used ring, taken after the device stopped
 * @num: entries of the ring, a power of two, at most 32768
 * @in_order: VIRTIO_F_IN_ORDER was negotiated
 * @idle: an index not long ago at which all that was offered had been used, or NULL
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
		      const u16 *idle, u16 *index)
{
	const struct vmdev_split_view v = {
		.avail = avail,
		.used = used,
		.num = num,
		.used_idx = __virtio16_to_cpu(true, used->idx),
		.avail_idx = __virtio16_to_cpu(true, avail->idx),
	};
	u16 pending = v.avail_idx - v.used_idx;
	unsigned long *seen;
	u16 *age, *out;
	int err = 0;

	if (pending > num)
		return -EINVAL;
	*index = v.used_idx;
	if (!pending || in_order)
		return 0;

	seen = bitmap_zalloc(num, GFP_KERNEL);
	age = kvmalloc_array(num, sizeof(*age), GFP_KERNEL);
	out = kvcalloc(num, sizeof(*out), GFP_KERNEL);
	if (!seen || !age || !out)
		err = -ENOMEM;
	else if (idle && vmdev_since_idle_matched(&v, *idle, out))
		err = 0;
	else if (!vmdev_none_pending_done(&v, age) &&
		 !vmdev_first_lap_matched(&v) &&
		 !vmdev_all_heads_matched(&v, seen))
		err = -EILSEQ;

	kvfree(out);
	kvfree(age);
	bitmap_free(seen);
	return err;
}
