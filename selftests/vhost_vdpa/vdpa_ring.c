// SPDX-License-Identifier: GPL-2.0
/* The driver's side of split and packed rings; see vdpa_ring.h. */
#define _GNU_SOURCE
#include <endian.h>
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "vdpa_ring.h"

static size_t vq_desc_size(const struct vq *vq)
{
	return vq->num * sizeof(struct vring_desc);
}

static size_t vq_driver_size(const struct vq *vq)
{
	if (vq->packed)
		return sizeof(struct vring_packed_desc_event);
	return sizeof(struct vring_avail) + (vq->num + 1) * sizeof(__virtio16);
}

static size_t vq_device_size(const struct vq *vq)
{
	if (vq->packed)
		return sizeof(struct vring_packed_desc_event);
	return sizeof(struct vring_used) + sizeof(__virtio16) +
	       vq->num * sizeof(struct vring_used_elem);
}

static int vq_open_events(struct vq *vq)
{
	vq->kick = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	vq->call = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	return vq->kick < 0 || vq->call < 0 ? -errno : 0;
}

/**
 * vq_init() - lay out a fresh ring in the arena
 * @vq: the queue
 * @c: its device, with an arena
 * @idx: number of the queue
 * @num: ring size
 * @packed: layout
 *
 * The device is not told; see vq_attach().
 *
 * Return: 0 or a negative errno.
 */
int vq_init(struct vq *vq, struct vdpa_client *c, unsigned int idx,
	    __u16 num, bool packed)
{
	memset(vq, 0, sizeof(*vq));
	vq->kick = -1;
	vq->call = -1;
	if (!num || num > VQ_MAX_NUM)
		return -EINVAL;
	vq->c = c;
	vq->idx = idx;
	vq->num = num;
	vq->packed = packed;
	vq->desc = vc_alloc(c, c->desc_at + vq_desc_size(vq), VC_PAGE);
	vq->driver = vc_alloc(c, vq_driver_size(vq), VC_PAGE);
	vq->device = vc_alloc(c, vq_device_size(vq), VC_PAGE);
	if (!vq->desc || !vq->driver || !vq->device)
		return -ENOMEM;
	vq->desc = (__u8 *)vq->desc + c->desc_at;
	vq_clear(vq);
	return vq_open_events(vq);
}

/* Back to a ring that nobody has touched; the memory stays. */
void vq_clear(struct vq *vq)
{
	unsigned int i;

	memset(vq->desc, 0, vq_desc_size(vq));
	memset(vq->driver, 0, vq_driver_size(vq));
	memset(vq->device, 0, vq_device_size(vq));
	memset(vq->token, 0, sizeof(vq->token));
	for (i = 0; i < vq->num; i++)
		vq->free[i] = vq->num - 1 - i;
	vq->nfree = vq->num;
	vq->slots = vq->num;
	vq->avail_idx = 0;
	vq->used_idx = 0;
	vq->avail_wrap = true;
	vq->used_wrap = true;
	vq->error = 0;
}

void vq_close(struct vq *vq)
{
	if (vq->kick >= 0)
		close(vq->kick);
	if (vq->call >= 0)
		close(vq->call);
	vq->kick = -1;
	vq->call = -1;
}

__u32 vq_fresh_base(const struct vq *vq)
{
	return vq->packed ? VQ_BASE_PACKED : VQ_BASE_SPLIT;
}

/**
 * vq_attach() - tell the device all about a ring but to start it
 * @vq: the queue
 * @base: ring state to start from
 *
 * Return: 0 or a negative errno.
 */
int vq_attach(struct vq *vq, __u32 base)
{
	struct vdpa_client *c = vq->c;
	int r;

	r = vc_vring(c, VHOST_SET_VRING_NUM, vq->idx, vq->num);
	if (!r)
		r = vc_vring(c, VHOST_SET_VRING_BASE, vq->idx, base);
	if (!r)
		r = vc_vring_addr(c, vq->idx, vc_iova(c, vq->desc),
				  vc_iova(c, vq->driver),
				  vc_iova(c, vq->device));
	if (!r)
		r = vc_vring_file(c, VHOST_SET_VRING_KICK, vq->idx, vq->kick);
	if (!r)
		r = vc_vring_file(c, VHOST_SET_VRING_CALL, vq->idx, vq->call);
	return r;
}

int vq_enable(struct vq *vq, bool on)
{
	return vc_vring(vq->c, VHOST_VDPA_SET_VRING_ENABLE, vq->idx, on);
}

static __u16 seg_flags(unsigned int i, unsigned int nout, unsigned int n)
{
	__u16 flags = i >= nout ? VRING_DESC_F_WRITE : 0;

	return i + 1 < n ? flags | VRING_DESC_F_NEXT : flags;
}

static __u16 split_put_chain(struct vq *vq, const struct vq_seg *segs,
			     unsigned int nout, unsigned int n)
{
	__u16 head = vq->free[vq->nfree - 1], id = head;
	struct vring_desc *desc = vq->desc;
	unsigned int i;

	for (i = 0; i < n; i++) {
		__u16 next = i + 1 < n ? vq->free[vq->nfree - 2 - i] : 0;

		desc[id].addr = htole64(segs[i].iova);
		desc[id].len = htole32(segs[i].len);
		desc[id].flags = htole16(seg_flags(i, nout, n));
		desc[id].next = htole16(next);
		vq->next[id] = next;
		id = next;
	}
	vq->nfree -= n;
	return head;
}

static void split_publish(struct vq *vq, __u16 head)
{
	struct vring_avail *avail = vq->driver;

	avail->ring[vq->avail_idx % vq->num] = htole16(head);
	vq->avail_idx++;
	__atomic_store_n(&avail->idx, htole16(vq->avail_idx),
			 __ATOMIC_RELEASE);
}

static __u16 packed_avail_flags(bool wrap)
{
	return wrap ? BIT64(VRING_PACKED_DESC_F_AVAIL) :
		      BIT64(VRING_PACKED_DESC_F_USED);
}

/* The head's flags go last: they hand the whole chain over. */
static __u16 packed_put_chain(struct vq *vq, const struct vq_seg *segs,
			      unsigned int nout, unsigned int n)
{
	__u16 id = vq->free[--vq->nfree], head = vq->avail_idx, first = 0;
	struct vring_packed_desc *desc = vq->desc;
	unsigned int i;

	for (i = 0; i < n; i++) {
		struct vring_packed_desc *d = &desc[vq->avail_idx];
		__u16 flags = seg_flags(i, nout, n) |
				 packed_avail_flags(vq->avail_wrap);

		d->addr = htole64(segs[i].iova);
		d->len = htole32(segs[i].len);
		d->id = htole16(id);
		if (i)
			d->flags = htole16(flags);
		else
			first = flags;
		if (++vq->avail_idx == vq->num) {
			vq->avail_idx = 0;
			vq->avail_wrap = !vq->avail_wrap;
		}
	}
	__atomic_store_n(&desc[head].flags, htole16(first), __ATOMIC_RELEASE);
	return id;
}

/**
 * vq_add() - offer a buffer to the device, without a kick
 * @vq: the queue
 * @segs: what the device reads, then what it writes
 * @nout: segments to read
 * @nin: segments to write
 * @token: comes back from vq_get(); not NULL
 *
 * Return: 0, or -ENOSPC when the ring is full.
 */
int vq_add(struct vq *vq, const struct vq_seg *segs, unsigned int nout,
	   unsigned int nin, void *token)
{
	unsigned int n = nout + nin;
	__u16 id;

	if (vq->slots < n || vq->nfree < n)
		return -ENOSPC;
	vq->slots -= n;
	if (vq->packed) {
		id = packed_put_chain(vq, segs, nout, n);
	} else {
		id = split_put_chain(vq, segs, nout, n);
		split_publish(vq, id);
	}
	vq->token[id] = token;
	vq->nsegs[id] = n;
	return 0;
}

static bool packed_pending(const struct vq *vq)
{
	const struct vring_packed_desc *d = vq->desc;
	__u16 flags;

	d += vq->used_idx;
	flags = le16toh(__atomic_load_n(&d->flags, __ATOMIC_ACQUIRE));
	return !!(flags & BIT64(VRING_PACKED_DESC_F_AVAIL)) == vq->used_wrap &&
	       !!(flags & BIT64(VRING_PACKED_DESC_F_USED)) == vq->used_wrap;
}

/* True when the device has completed something not yet taken. */
bool vq_pending(const struct vq *vq)
{
	const struct vring_used *used = vq->device;

	if (vq->packed)
		return packed_pending(vq);
	return le16toh(__atomic_load_n(&used->idx, __ATOMIC_ACQUIRE)) !=
	       vq->used_idx;
}

static __u32 split_pop(struct vq *vq, __u32 *len)
{
	struct vring_used *used = vq->device;
	struct vring_used_elem *e = &used->ring[vq->used_idx % vq->num];

	vq->used_idx++;
	*len = le32toh(e->len);
	return le32toh(e->id);
}

static __u32 packed_pop(struct vq *vq, __u32 *len)
{
	struct vring_packed_desc *d = vq->desc;
	__u32 id;

	d += vq->used_idx;
	*len = le32toh(d->len);
	id = le16toh(d->id);
	if (id >= vq->num || !vq->token[id])
		return id;
	vq->used_idx += vq->nsegs[id];
	if (vq->used_idx >= vq->num) {
		vq->used_idx -= vq->num;
		vq->used_wrap = !vq->used_wrap;
	}
	return id;
}

static void vq_free_ids(struct vq *vq, __u16 id)
{
	unsigned int i, n = vq->packed ? 1 : vq->nsegs[id];

	for (i = 0; i < n; i++) {
		vq->free[vq->nfree++] = id;
		id = vq->next[id];
	}
}

/**
 * vq_get() - take the next completion
 * @vq: the queue
 * @len: bytes that the device says it wrote
 *
 * Return: the buffer's token; NULL when there is none, or when the device
 * returned what it was not given, which also sets @vq->error.
 */
void *vq_get(struct vq *vq, __u32 *len)
{
	void *token;
	__u32 id;

	if (vq->error || !vq_pending(vq))
		return NULL;
	id = vq->packed ? packed_pop(vq, len) : split_pop(vq, len);
	if (id >= vq->num || !vq->token[id]) {
		vq->error = -EPROTO;
		return NULL;
	}
	token = vq->token[id];
	vq->token[id] = NULL;
	vq->slots += vq->nsegs[id];
	vq_free_ids(vq, id);
	return token;
}

/* Ring slots that the device still has, or that were not taken back. */
unsigned int vq_in_flight(const struct vq *vq)
{
	return vq->num - vq->slots;
}

/*
 * What GET_VRING_BASE must say of a stopped queue that has completed all that
 * it took. The caller has taken every completion.
 */
__u32 vq_used_base(const struct vq *vq)
{
	const struct vring_used *used = vq->device;
	__u32 state;

	if (!vq->packed)
		return le16toh(__atomic_load_n(&used->idx, __ATOMIC_ACQUIRE));
	state = vq->used_idx | (__u32)vq->used_wrap << 15;
	return state << 16 | state;
}

void vq_kick(struct vq *vq)
{
	__u64 one = 1;

	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (write(vq->kick, &one, sizeof(one)) != sizeof(one))
		vq->error = -EIO;
}

/**
 * vq_wants_kick() - would the device be kicked for the next buffer?
 * @vq: the queue
 *
 * Return: whether it asks for that, now.
 */
bool vq_wants_kick(const struct vq *vq)
{
	bool event_idx = vq->c->features & BIT64(VIRTIO_RING_F_EVENT_IDX);
	const struct vring_packed_desc_event *event = vq->device;
	const struct vring_used *used = vq->device;
	const __virtio16 *avail_event = (const __virtio16 *)&used->ring[vq->num];
	__u16 at = vq->avail_idx, flags;

	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (!vq->packed && event_idx)
		return le16toh(__atomic_load_n(avail_event, __ATOMIC_RELAXED)) == at;
	if (!vq->packed)
		return !(le16toh(__atomic_load_n(&used->flags, __ATOMIC_RELAXED)) &
			 VRING_USED_F_NO_NOTIFY);
	flags = le16toh(__atomic_load_n(&event->flags, __ATOMIC_RELAXED));
	if (flags != VRING_PACKED_EVENT_FLAG_DESC)
		return flags == VRING_PACKED_EVENT_FLAG_ENABLE;
	at |= vq->avail_wrap << VRING_PACKED_EVENT_F_WRAP_CTR;
	return le16toh(__atomic_load_n(&event->off_wrap, __ATOMIC_RELAXED)) == at;
}

/**
 * vq_asked() - did the device ask for a kick for what was added?
 * @vq: the queue, split
 * @before: its avail index before that
 */
bool vq_asked(const struct vq *vq, __u16 before)
{
	const struct vring_used *used = vq->device;
	const __virtio16 *avail_event = (const __virtio16 *)&used->ring[vq->num];

	/* The index before we look whether the device sleeps. */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (vq->c->features & BIT64(VIRTIO_RING_F_EVENT_IDX))
		return vring_need_event(le16toh(__atomic_load_n(avail_event, __ATOMIC_RELAXED)),
					vq->avail_idx, before);
	return !(le16toh(__atomic_load_n(&used->flags, __ATOMIC_RELAXED)) &
		 VRING_USED_F_NO_NOTIFY);
}

/**
 * vq_call_after() - when to be interrupted
 * @vq: the queue, split
 * @n: completions from now; 0 for never
 *
 * Without EVENT_IDX the device only knows every one or none.
 */
void vq_call_after(struct vq *vq, unsigned int n)
{
	struct vring_avail *avail = vq->driver;
	__u16 event = vq->used_idx + n - 1;

	avail->flags = htole16(n ? 0 : VRING_AVAIL_F_NO_INTERRUPT);
	__atomic_store_n(&avail->ring[vq->num], htole16(event),
			 __ATOMIC_SEQ_CST);
}

/* Waits for the call eventfd and empties it. */
bool vq_called(struct vq *vq, int ms)
{
	struct pollfd p = { .fd = vq->call, .events = POLLIN };
	__u64 n;

	if (poll(&p, 1, ms) <= 0)
		return false;
	return read(vq->call, &n, sizeof(n)) == sizeof(n);
}

/* Waits for a completion by looking at the ring, not at the eventfd. */
bool vq_wait(struct vq *vq, int ms)
{
	__u64 end = vc_now_ms() + ms;

	while (!vq_pending(vq)) {
		if (vc_now_ms() >= end)
			return false;
		vc_sleep_us(200);
	}
	return true;
}
