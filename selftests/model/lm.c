// SPDX-License-Identifier: GPL-2.0
/* The LM block: ring state, dirty log, number of queues. See model.h. */
#define _GNU_SOURCE
#include <string.h>

#include "model.h"

#define PAGE_SHIFT	12

static bool lm_is_receive(const struct fpga *f, unsigned int vq)
{
	return f->device_id == VIRTIO_ID_NET && !(vq & 1) && vq != net_cvq(f);
}

/* --- ring state --------------------------------------------------------- */
static __u32 lm_state(__u16 avail, __u16 used)
{
	return (__u32)used << 16 | avail;
}

/* Where the state of a queue is in the block. */
static __u32 lm_state_at(const struct fpga *f, unsigned int vq)
{
	if (f->device_id == VIRTIO_ID_BLOCK)
		return LM_STATE + vq * LM_STATE_STRIDE;
	return LM_STATE + vq / 2 * LM_STATE_STRIDE + (vq & 1) * 4;
}

/* The queue whose state is there; nvqs if it is no state's place. */
static unsigned int lm_vq_at(const struct fpga *f, __u64 offset)
{
	unsigned int vq;

	for (vq = 0; vq < f->v->conf.nvqs; vq++)
		if (offset - lm_state_at(f, vq) < sizeof(__u32))
			break;
	return vq;
}

/**
 * lm_start() - a queue begins where its state says
 * @v: the function
 * @vq: the queue
 */
void lm_start(struct vio *v, unsigned int vq)
{
	struct fpga *f = v->priv;
	struct lm *lm = &f->lm;
	struct vio_vq *q = &v->vqs[vq];
	__u32 word = lm->word[vq];

	if (!lm->written[vq])
		word = 0;
	lm->written[vq] = false;
	lm->word[vq] = word;
	if (fpga_fails(f, FAULT_STATE_DEAF))
		word = 0;
	q->used_idx = word >> 16;
	/* What is between them of a receive queue was fetched, not lost. */
	q->avail_seen = lm_is_receive(f, vq) ? q->used_idx : (__u16)word;
}

/**
 * lm_stop() - a queue stops, and its state says where
 * @v: the function
 * @vq: the queue
 */
void lm_stop(struct vio *v, unsigned int vq)
{
	struct fpga *f = v->priv;
	const struct vio_vq *q = &v->vqs[vq];
	__u16 avail = q->avail_seen, used = q->used_idx;
	unsigned int ahead = 0;

	if (lm_is_receive(f, vq)) {
		ahead = vio_waiting(v, vq);
		if (ahead > FPGA_PREFETCH)
			ahead = FPGA_PREFETCH;
	}
	if (fpga_fails(f, FAULT_STATE_WRONG | FAULT_USED_WRONG)) {
		avail += f->number;
		used += f->number;
	}
	if (fpga_fails(f, FAULT_STATE_AHEAD))
		avail += f->number;
	if (!fpga_fails(f, FAULT_STATE_STALE))
		f->lm.word[vq] = lm_state(avail + ahead, used);
	f->lm.written[vq] = false;
	f->due[vq] = 0;
	fault_stopped(f, vq);
}

/* --- dirty log ---------------------------------------------------------- */
static bool lm_logs(const struct fpga *f)
{
	return (f->lm.control & LM_CONTROL_LOG) &&
	       !fpga_fails(f, FAULT_LOG_DEAF);
}

static bool lm_loses(struct fpga *f)
{
	struct lm *lm = &f->lm;

	if (!fpga_fails(f, FAULT_LOG_BIT) || ++lm->skipped < f->number)
		return false;
	lm->skipped = 0;
	return true;
}

static void lm_log_page(struct fpga *f, __u64 page)
{
	struct lm *lm = &f->lm;
	__u64 at = lm->base + page / 8;
	__u8 *byte;

	fault_log_written(f);
	if (!(lm->control & LM_CONTROL_LOG) || at < lm->base ||
	    at >= lm->end || lm_loses(f))
		return;
	byte = vfu_dma(f->v->f, at, 1, VFU_DMA_READ | VFU_DMA_WRITE);
	if (!byte) {
		lm->lost = true;
		return;
	}
	lm->bits++;
	/* Whoever collects the bits takes words out of them meanwhile. */
	__atomic_fetch_or(byte, 1 << page % 8, __ATOMIC_SEQ_CST);
}

/**
 * lm_wrote() - the device wrote to a buffer
 * @v: the function
 * @iova: first byte
 * @len: bytes
 */
void lm_wrote(struct vio *v, __u64 iova, __u32 len)
{
	struct fpga *f = v->priv;
	__u64 page, last = (iova + len - 1) >> PAGE_SHIFT;

	if (!len || !lm_logs(f))
		return;
	for (page = iova >> PAGE_SHIFT; page <= last; page++)
		lm_log_page(f, page);
}

/* --- registers ---------------------------------------------------------- */
static __u64 lm_status(const struct fpga *f)
{
	if (fpga_fails(f, FAULT_LM_STATUS))
		return ~0ULL;
	return (f->lm.control & LM_CONTROL_LOG ? LM_STATUS_LOGS : 0) |
	       (f->lm.lost ? LM_STATUS_LOST : 0);
}

/* The 32-bit register at a multiple of four. */
static __u32 lm_register(const struct fpga *f, __u32 offset)
{
	const struct lm *lm = &f->lm;
	unsigned int vq;

	switch (offset) {
	case LM_CONTROL:
		return lm->control;
	case LM_STATUS:
		return lm_status(f);
	case LM_BASE:
		return lm->base;
	case LM_BASE + 4:
		return lm->base >> 32;
	case LM_END:
		return lm->end;
	case LM_END + 4:
		return lm->end >> 32;
	case LM_COUNT:
		return fpga_fails(f, FAULT_LM_COUNT) ? f->number : lm->count;
	}
	vq = lm_vq_at(f, offset);
	if (vq == f->v->conf.nvqs)
		return 0;
	if (fpga_fails(f, FAULT_STATE_FLICKERS))
		return lm_state(lm->word[vq] + f->reads,
				(lm->word[vq] >> 16) + f->reads);
	return lm->word[vq];
}

/**
 * lm_read() - the driver reads the block
 * @v: the function
 * @offset: first byte
 * @buf: zeroed
 * @len: bytes
 */
void lm_read(struct vio *v, __u64 offset, void *buf, __u32 len)
{
	struct fpga *f = v->priv;
	__u8 *p = buf;
	__u32 i;

	for (i = 0; i < len; i++) {
		__u64 at = offset + i;

		p[i] = lm_register(f, at & ~3ULL) >> at % 4 * 8;
	}
	f->reads++;
	if (fpga_fails(f, FAULT_ONES | FAULT_LM_ONES))
		memset(buf, 0xff, len);
}

static void lm_set_half(__u64 *value, bool high, __u32 bits)
{
	unsigned int shift = high ? 32 : 0;

	*value &= ~(0xffffffffULL << shift);
	*value |= (__u64)bits << shift;
}

static void lm_set_control(struct fpga *f, __u32 value)
{
	struct lm *lm = &f->lm;

	if (fpga_fails(f, FAULT_LOG_OFF))
		return;
	if ((value & ~lm->control) & LM_CONTROL_LOG) {
		lm->lost = false;
		lm->skipped = 0;
		lm->bits = 0;
	} else if ((lm->control & ~value) & LM_CONTROL_LOG) {
		fpga_say(f, "has logged %llu pages to 0x%llx-0x%llx%s", lm->bits,
			 lm->base, lm->end, lm->lost ? ", and lost some" : "");
		fault_log_off(f);
	}
	lm->control = value;
}

static void lm_set_count(struct fpga *f, __u32 value, __u32 len)
{
	__u32 most = f->v->conf.nvqs;

	if (f->device_id == VIRTIO_ID_NET)
		most = f->net.pairs;
	if (len == sizeof(value) && value && value <= most &&
	    !fpga_fails(f, FAULT_LM_COUNT))
		f->lm.count = value;
}

static void lm_set_state(struct fpga *f, unsigned int vq, unsigned int byte,
			 __u32 value, __u32 len)
{
	struct lm *lm = &f->lm;

	if (f->v->vqs[vq].enabled || fpga_fails(f, FAULT_STATE_IGNORED))
		return;
	if (len >= sizeof(__u32) && !byte)
		lm->word[vq] = value;
	else if (len == sizeof(__u16) && !byte)
		lm->word[vq] = lm_state(value, value);
	else if (len == sizeof(__u16) && byte == 2)
		lm->word[vq] = lm_state(lm->word[vq], value);
	else
		return;
	lm->written[vq] = true;
}

static void lm_write_one(struct fpga *f, __u64 offset, __u32 value, __u32 len)
{
	struct lm *lm = &f->lm;
	unsigned int vq;

	switch (offset) {
	case LM_CONTROL:
		lm_set_control(f, value);
		return;
	case LM_BASE:
	case LM_BASE + 4:
		lm_set_half(&lm->base, offset & 4, value);
		return;
	case LM_END:
	case LM_END + 4:
		lm_set_half(&lm->end, offset & 4, value);
		return;
	case LM_COUNT:
		lm_set_count(f, value, len);
		return;
	}
	vq = lm_vq_at(f, offset);
	if (vq < f->v->conf.nvqs)
		lm_set_state(f, vq, offset - lm_state_at(f, vq), value, len);
}

/**
 * lm_write() - the driver writes the block
 * @v: the function
 * @offset: first byte
 * @buf: what
 * @len: bytes
 */
void lm_write(struct vio *v, __u64 offset, const void *buf, __u32 len)
{
	struct fpga *f = v->priv;
	const __u8 *p = buf;

	if (fpga_fails(f, FAULT_ONES | FAULT_LM_ONES))
		return;
	while (len) {
		__u32 value = 0, n = len < sizeof(value) ? len : sizeof(value);

		memcpy(&value, p, n);
		lm_write_one(f, offset, value, n);
		p += n;
		offset += n;
		len -= n;
	}
}

/**
 * lm_reset() - the device was reset
 * @f: the function
 */
void lm_reset(struct fpga *f)
{
	f->lm.count = 0;
}

/**
 * lm_function_reset() - the function was
 * @v: the function
 */
void lm_function_reset(struct vio *v)
{
	struct fpga *f = v->priv;

	memset(&f->lm, 0, sizeof(f->lm));
}
