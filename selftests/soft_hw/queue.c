// SPDX-License-Identifier: GPL-2.0
/* Memory by IOVA, and the queues of a device. */
#include <linux/irqflags.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>
#include <uapi/linux/vhost_types.h>
#include <uapi/linux/virtio_config.h>
#include <uapi/linux/virtio_ring.h>

#include "soft_hw.h"

/* The reason for interrupts is looked up in @software: see struct vmdev_vq_conf. */
static void soft_interrupt(struct soft_hw *soft, const struct soft_vq *vq)
{
	unsigned long flags;

	local_irq_save(flags);
	if (vq->software)
		vmdev_software_interrupt(&soft->hw);
	else
		vmdev_vq_interrupt(0, vq->data);
	local_irq_restore(flags);
}

/* --- memory ---------------------------------------------------------------- */

/* The address of an IOVA, and how many bytes of its page are there. */
static void *soft_va(struct soft_hw *soft, u64 iova, bool write, u32 *len)
{
	u64 pa = iova;

	*len = min_t(u64, *len, PAGE_SIZE - offset_in_page(iova));
	if (soft->attached) {
		struct vmdev_map *map = vmdev_maps_first(&soft->maps, iova, iova);
		u32 perm = write ? VHOST_ACCESS_WO : VHOST_ACCESS_RO;

		if (!map || !(map->perm & perm))
			return NULL;
		pa = map->pa + (iova - map->first);
	}
	return pfn_valid(PHYS_PFN(pa)) ? phys_to_virt(pa) : NULL;
}

/* After the write. The bitmap is memory like any other. */
static void soft_log(struct soft_hw *soft, u64 iova)
{
	u64 page = iova >> PAGE_SHIFT, at = soft->log + page / BITS_PER_BYTE;
	u32 one = 1;
	u8 *byte;

	if (!soft->log || at >= soft->log_end ||
	    soft_fault_is(SOFT_FAULT_NO_LOG) ||
	    (soft_fault_is(SOFT_FAULT_LOSE_BIT) &&
	     soft_fault_now() == SOFT_FAULT_LOSE_BIT))
		return;
	byte = soft_va(soft, at, true, &one);
	if (!byte) {
		soft->faults++;
		return;
	}
	/* What was written before the bit that says so. */
	smp_mb__before_atomic();
	set_bit(page % BITS_PER_BYTE + BITS_PER_BYTE * (at % sizeof(long)),
		(unsigned long *)PTR_ALIGN_DOWN(byte, sizeof(long)));
	soft->logged++;
}

static int soft_copy(struct soft_hw *soft, u64 iova, void *buf, u32 len,
		     bool write)
{
	while (len) {
		u32 n = len;
		void *va = soft_va(soft, iova, write, &n);

		if (!va) {
			soft->faults++;
			dev_err_ratelimited(soft->hw.dev, "no memory to %s at %#llx\n",
					    write ? "write" : "read", iova);
			return -EFAULT;
		}
		if (write)
			memcpy(va, buf, n);
		else
			memcpy(buf, va, n);
		if (write)
			soft_log(soft, iova);
		iova += n;
		buf += n;
		len -= n;
	}
	return 0;
}

static int soft_ring_read(void *ctx, u64 iova, void *buf, u32 len)
{
	return soft_copy(ctx, iova, buf, len, false);
}

/* @len bytes from @offset of those pieces that are to be read, or written. */
static u32 soft_move(struct soft_hw *soft, const struct soft_buf *buf,
		     u32 offset, void *mem, u32 len, bool write)
{
	u32 left = len;
	u16 i;

	for (i = 0; i < buf->chain.nsegs && left; i++) {
		const struct vmdev_vring_seg *seg = &buf->segs[i];
		u32 n;

		if (seg->write != write)
			continue;
		if (offset >= seg->len) {
			offset -= seg->len;
			continue;
		}
		n = min(left, seg->len - offset);
		if (soft_copy(soft, seg->addr + offset, mem, n, write))
			break;
		offset = 0;
		mem += n;
		left -= n;
	}
	return len - left;
}

u32 soft_read(struct soft_hw *soft, const struct soft_buf *buf, u32 offset,
	      void *to, u32 len)
{
	return soft_move(soft, buf, offset, to, len, false);
}

u32 soft_write(struct soft_hw *soft, const struct soft_buf *buf, u32 offset,
	       const void *from, u32 len)
{
	return soft_move(soft, buf, offset, (void *)from, len, true);
}

/* --- rings ----------------------------------------------------------------- */

static void soft_area_put(struct soft_area *area)
{
	vunmap(area->va);
	while (area->count--)
		if (area->held)
			put_page(area->pages[area->count]);
	kvfree(area->pages);
	*area = (struct soft_area) { 0 };
}

static void *soft_area_get(struct soft_hw *soft, struct soft_area *area,
			   u64 iova, size_t size, bool write)
{
	unsigned int n = DIV_ROUND_UP(offset_in_page(iova) + size, PAGE_SIZE);
	u64 page = iova & PAGE_MASK;

	/* Whoever gives physical addresses sees to it that they stay. */
	area->held = soft->attached;
	area->pages = kvcalloc(n, sizeof(*area->pages), GFP_KERNEL);
	if (!area->pages)
		return NULL;
	for (; area->count < n; page += PAGE_SIZE) {
		u32 len = PAGE_SIZE;
		void *va = soft_va(soft, page, write, &len);

		if (!va)
			return NULL;
		if (area->held)
			get_page(virt_to_page(va));
		area->pages[area->count++] = virt_to_page(va);
	}
	area->va = vmap(area->pages, n, VM_MAP, PAGE_KERNEL);
	return area->va ? area->va + offset_in_page(iova) : NULL;
}

static int soft_areas_get(struct soft_hw *soft, struct soft_vq *vq,
			  const struct vmdev_vq_conf *conf,
			  struct vmdev_vring_conf *ring)
{
	bool packed = soft->features & BIT_ULL(VIRTIO_F_RING_PACKED);
	size_t n = conf->size;
	size_t event = sizeof(struct vring_packed_desc_event);

	ring->desc = soft_area_get(soft, &vq->areas[0], conf->desc,
				   n * sizeof(struct vring_desc), packed);
	ring->driver = soft_area_get(soft, &vq->areas[1], conf->driver,
				     packed ? event : (n + 3) * sizeof(u16),
				     false);
	ring->device = soft_area_get(soft, &vq->areas[2], conf->device,
				     packed ? event : 3 * sizeof(u16) +
				     n * sizeof(struct vring_used_elem), true);
	return ring->desc && ring->driver && ring->device ? 0 : -EFAULT;
}

static void soft_areas_put(struct soft_vq *vq)
{
	int i;

	for (i = 0; i < SOFT_PARTS; i++)
		soft_area_put(&vq->areas[i]);
}

static void soft_pos(bool packed, const struct vdpa_vq_state *state,
		     struct vmdev_vring_pos *pos)
{
	if (!packed) {
		pos->avail = state->split.avail_index;
	} else {
		pos->avail = state->packed.last_used_idx;
		pos->avail_wrap = state->packed.last_used_counter;
	}
	pos->used = pos->avail;
	pos->used_wrap = pos->avail_wrap;
}

int soft_vq_start(struct soft_hw *soft, u16 i, const struct vmdev_vq_conf *conf)
{
	bool packed = soft->features & BIT_ULL(VIRTIO_F_RING_PACKED);
	struct vmdev_vring_conf ring = {
		.num = conf->size,
		.features = soft->features,
		.read = soft_ring_read,
		.ctx = soft,
	};
	struct soft_vq *vq = &soft->vqs[i];
	struct vmdev_vring_pos pos = { 0 };
	int err;

	if (soft->hw.caps.caps & VMDEV_CAP_STATE)
		soft_pos(packed, &conf->state, &pos);
	else
		pos = (struct vmdev_vring_pos) { 0, 0, packed, packed };
	err = soft_areas_get(soft, vq, conf, &ring);
	if (!err)
		err = vmdev_vring_init(&vq->ring, &ring, &pos);
	if (err) {
		soft_areas_put(vq);
		return err;
	}
	vq->nbufs = 0;
	vq->software = conf->software;
	vq->on = true;
	return 0;
}

static void soft_state(const struct vmdev_vring *ring,
		       struct vdpa_vq_state *state)
{
	if (!ring->packed) {
		state->split.avail_index = ring->pos.used;
		return;
	}
	state->packed.last_avail_idx = ring->pos.used;
	state->packed.last_avail_counter = ring->pos.used_wrap;
	state->packed.last_used_idx = ring->pos.used;
	state->packed.last_used_counter = ring->pos.used_wrap;
}

/*
 * Hardware that tells its state, or is suspended, finishes what it took; other hardware
 * forgets it.
 */
void soft_vq_stop(struct soft_hw *soft, u16 i, struct vdpa_vq_state *state)
{
	struct soft_vq *vq = &soft->vqs[i];

	if (!vq->on)
		return;
	if ((soft->hw.caps.caps & VMDEV_CAP_STATE) ||
	    (state && (soft->hw.caps.caps & VMDEV_CAP_SUSPEND))) {
		soft->type->finish(soft, i);
		vmdev_vring_publish(&vq->ring);
	}
	if (state && (soft->hw.caps.caps & VMDEV_CAP_STATE))
		soft_state(&vq->ring, state);
	vq->on = false;
	vq->nbufs = 0;
	soft_areas_put(vq);
}

/* --- what a device does with a queue ---------------------------------------- */

static void soft_broken(struct soft_hw *soft, struct soft_vq *vq)
{
	dev_err(soft->hw.dev, "queue broken: %s\n", vq->ring.why);
	soft->status |= VIRTIO_CONFIG_S_NEEDS_RESET;
	vmdev_config_event(&soft->hw);
}

/* The next buffer, behind the others that are under way; NULL if there is none. */
struct soft_buf *soft_vq_take(struct soft_hw *soft, u16 i)
{
	struct soft_vq *vq = &soft->vqs[i];
	struct soft_buf *buf = &vq->bufs[vq->nbufs];
	int got;

	if (!vq->on || vq->nbufs == SOFT_DEPTH || vq->ring.why)
		return NULL;
	buf->chain.segs = buf->segs;
	buf->chain.max = SOFT_SEGS;
	got = vmdev_vring_pop(&vq->ring, &buf->chain);
	if (got < 0)
		soft_broken(soft, vq);
	if (got <= 0)
		return NULL;
	vq->nbufs++;
	return buf;
}

/* The one taken last was not taken. */
void soft_vq_untake(struct soft_hw *soft, u16 i)
{
	struct soft_vq *vq = &soft->vqs[i];

	vmdev_vring_unpop(&vq->ring, &vq->bufs[--vq->nbufs].chain);
}

void soft_vq_give(struct soft_hw *soft, u16 i, unsigned int at, u32 len)
{
	struct soft_vq *vq = &soft->vqs[i];

	vmdev_vring_push(&vq->ring, vq->bufs[at].chain.id,
			 vq->bufs[at].chain.slots, len);
	vq->nbufs--;
	if (at != vq->nbufs)
		vq->bufs[at] = vq->bufs[vq->nbufs];
}

/* Interrupt for what was given back, ask for kicks; true if there are more buffers. */
bool soft_vq_tell(struct soft_hw *soft, u16 i)
{
	struct soft_vq *vq = &soft->vqs[i];

	if (!vq->on || vq->ring.why)
		return false;
	if (vmdev_vring_publish(&vq->ring))
		soft_interrupt(soft, vq);
	return vmdev_vring_kicks_on(&vq->ring);
}
