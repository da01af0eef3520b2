// SPDX-License-Identifier: GPL-2.0
/* What the VM can have go wrong. One more is a bit, and a line where it acts. */
#define _GNU_SOURCE
#include <string.h>
#include <time.h>

#include "model.h"

#define ENABLE	offsetof(struct virtio_pci_common_cfg, queue_enable)

/* How often what must not be written is tried, and all bits are set. */
#define AGAIN_MS	5
#define LOG_PAGE	4096ULL

static __u64 now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000ULL + ts.tv_nsec / 1000000;
}

/**
 * fpga_fails() - does it do that now?
 * @f: the function
 * @faults: bits of enum fpga_fault: any of these
 */
bool fpga_fails(const struct fpga *f, __u32 faults)
{
	return f->faults & faults;
}

static __u32 fault_reg(const struct fpga *f, __u32 offset)
{
	__u32 value;

	vfu_pci_config_get(f->v->f, offset, &value, sizeof(value));
	return value;
}

/**
 * fault_config_written() - the VM may have asked for a fault
 * @v: the function
 * @offset: first byte of config space that was written
 * @len: bytes
 */
void fault_config_written(struct vio *v, __u32 offset, __u32 len)
{
	struct fpga *f = v->priv;

	if (offset >= FPGA_REG_FAULTS + 4 || offset + len <= FPGA_REG_FAULTS)
		return;
	f->faults = fault_reg(f, FPGA_REG_FAULTS);
	f->number = fault_reg(f, FPGA_REG_NUMBER);
	f->lm.skipped = 0;
	f->beyond_told = false;
	if (!fpga_fails(f, FAULT_ENABLE_FLIPS))
		f->flips = 0;
	if (!fpga_fails(f, FAULT_GHOST))
		memset(f->ghosts, 0, sizeof(f->ghosts));
	fpga_say(f, "faults 0x%x, number %u", f->faults, f->number);
}

/**
 * fault_read() - a register is read
 * @v: the function
 * @space: VIO_SPACE_*, of its BARs
 * @offset: of it
 * @buf: what it reads
 * @len: bytes
 */
void fault_read(struct vio *v, unsigned int space, __u32 offset, void *buf,
		__u32 len)
{
	struct fpga *f = v->priv;

	if (fpga_fails(f, FAULT_ONES)) {
		memset(buf, 0xff, len);
		return;
	}
	if (fpga_fails(f, FAULT_RESET_STUCK) && space == VIO_SPACE_COMMON &&
	    offset == offsetof(struct virtio_pci_common_cfg, device_status) &&
	    !v->status)
		*(__u8 *)buf = VIRTIO_CONFIG_S_ACKNOWLEDGE;
	if (space == VIO_SPACE_COMMON && offset == ENABLE &&
	    v->queue_select < v->conf.nvqs &&
	    f->flips & VIO_BIT(v->queue_select)) {
		f->flips &= ~VIO_BIT(v->queue_select);
		memset(buf, 0, len);
	}
}

/* Is a 0 in queue_enable of that queue ignored? */
static bool fault_enable(struct fpga *f, unsigned int vq)
{
	if (vq >= f->v->conf.nvqs)
		return false;
	if (fpga_fails(f, FAULT_ENABLE_STUCK) ||
	    (fpga_fails(f, FAULT_ENABLE_ONE) && vq == f->number))
		return true;
	if (!fpga_fails(f, FAULT_ENABLE_FLIPS) || !f->v->vqs[vq].enabled)
		return false;
	f->flips |= VIO_BIT(vq);
	lm_stop(f->v, vq);
	return true;
}

/**
 * fault_write() - is a write to be ignored?
 * @v: the function
 * @offset: in the common configuration
 * @buf: what is written
 * @len: bytes
 */
bool fault_write(struct vio *v, __u32 offset, const void *buf, __u32 len)
{
	struct fpga *f = v->priv;
	__u16 value = 0;

	if (fpga_fails(f, FAULT_ONES))
		return true;
	if (offset != ENABLE)
		return false;
	memcpy(&value, buf, len < sizeof(value) ? len : sizeof(value));
	if (value)
		return fpga_fails(f, FAULT_ENABLE_DEAD) &&
		       v->queue_select == f->number;
	return fault_enable(f, v->queue_select);
}

/**
 * fault_kick() - a doorbell rings
 * @f: the function
 * @vq: of this queue
 *
 * Return: true if it is not to count now.
 */
bool fault_kick(struct fpga *f, unsigned int vq)
{
	if (fpga_fails(f, FAULT_ONES))
		return true;
	if (!fpga_fails(f, FAULT_SLOW_DOORBELL))
		return false;
	if (!f->due[vq])
		f->due[vq] = now_ms() + f->number + 1;
	return true;
}

/* --- what is written when, or where, it must not be ------------------------ */
static void ghost_goes_on(struct fpga *f, unsigned int vq)
{
	const struct vio_vq *q = &f->ghosts[vq].q;
	const struct vring_used_elem elem = { .len = 64 };
	__u16 idx = q->used_idx + 1;
	bool refused;

	f->ghosts[vq].due = 0;
	refused = vfu_dma_write(f->v->f, q->regs.used +
				offsetof(struct vring_used, ring) +
				sizeof(elem) * (q->used_idx & (q->regs.size - 1)),
				&elem, sizeof(elem)) ||
		  vfu_dma_write(f->v->f, q->regs.used +
				offsetof(struct vring_used, idx), &idx, sizeof(idx));
	fpga_say(f, "queue %u went on after it had stopped: %s", vq,
		 refused ? "refused" : "written");
}

/**
 * fault_stopped() - a queue stops; its state is what it will read as
 * @f: the function
 * @vq: the queue
 */
void fault_stopped(struct fpga *f, unsigned int vq)
{
	const struct vio_vq *q = &f->v->vqs[vq];
	__u16 idx = q->used_idx + f->number;

	if (fpga_fails(f, FAULT_USED_WRONG))
		vfu_dma_write(f->v->f, q->regs.used +
			      offsetof(struct vring_used, idx), &idx, sizeof(idx));
	if (!fpga_fails(f, FAULT_GHOST))
		return;
	f->ghosts[vq] = (struct ghost) { *q, now_ms() + f->number };
	if (!f->number)
		ghost_goes_on(f, vq);
}

/* Sets all bits from @base to @end, as far as it is let; false if it is not at all. */
static bool set_all(struct fpga *f, __u64 base, __u64 end)
{
	__u64 at, next;
	bool any = false;
	void *p;

	for (at = base; at < end; at = next) {
		next = (at | (LOG_PAGE - 1)) + 1;
		if (next > end)
			next = end;
		p = vfu_dma(f->v->f, at, next - at, VFU_DMA_WRITE);
		if (!p)
			continue;
		memset(p, 0xff, next - at);
		any = true;
	}
	return any;
}

/**
 * fault_log_written() - a page is about to be logged
 * @f: the function
 */
void fault_log_written(struct fpga *f)
{
	struct lm *lm = &f->lm;

	if (fpga_fails(f, FAULT_LOG_STOPS) && lm->bits >= f->number) {
		fpga_say(f, "the log stops by itself");
		lm->control = 0;
	}
	if (fpga_fails(f, FAULT_LOG_MOVES) && lm->bits >= f->number)
		lm->base += sizeof(__u64);
	if (!fpga_fails(f, FAULT_LOG_BEYOND) || f->beyond_told)
		return;
	f->beyond_told = true;
	fpga_say(f, "bits behind the end of the log: %s",
		 set_all(f, lm->end, lm->end + 16 * LOG_PAGE) ? "written" :
		 "refused");
}

/**
 * fault_log_off() - the log was switched off
 * @f: the function
 */
void fault_log_off(struct fpga *f)
{
	f->late = (struct late_log) { f->lm.base, f->lm.end, LATE_NOTHING };
}

/* Said when it changes. */
static void late_goes_on(struct fpga *f)
{
	bool written = set_all(f, f->late.base, f->late.end);

	if (f->late.told == (written ? LATE_WRITTEN : LATE_REFUSED))
		return;
	f->late.told = written ? LATE_WRITTEN : LATE_REFUSED;
	fpga_say(f, "a log that is off: %s", written ? "written" : "refused");
}

static int sooner(int a, int b)
{
	return a < 0 || (b >= 0 && b < a) ? b : a;
}

/* Returns ms until the next one, -1 if there is none. */
static int ghosts_tick(struct fpga *f)
{
	unsigned int vq;
	int next = -1;

	for (vq = 0; vq < f->v->conf.nvqs; vq++) {
		__u64 now, due = f->ghosts[vq].due;

		if (!due)
			continue;
		now = now_ms();
		if (due <= now)
			ghost_goes_on(f, vq);
		else
			next = sooner(next, due - now);
	}
	return next;
}

static int log_tick(struct fpga *f)
{
	bool on = f->lm.control & LM_CONTROL_LOG;
	bool all = fpga_fails(f, FAULT_LOG_ALL) && on;
	bool late = fpga_fails(f, FAULT_LOG_LATE) && !on &&
		    f->late.base != f->late.end;

	if (all)
		set_all(f, f->lm.base, f->lm.end);
	if (late)
		late_goes_on(f);
	return all || late ? AGAIN_MS : -1;
}

/* Doorbells whose time has come count. */
static int doorbells_tick(struct fpga *f)
{
	__u64 now = 0;
	unsigned int vq;
	int next = -1;

	for (vq = 0; vq < f->v->conf.nvqs; vq++) {
		if (!f->due[vq])
			continue;
		if (!now)
			now = now_ms();
		if (f->due[vq] <= now) {
			f->due[vq] = 0;
			fpga_serve(f, vq);
		} else if (next < 0 || (__u64)next > f->due[vq] - now) {
			next = f->due[vq] - now;
		}
	}
	return next;
}

/**
 * fault_tick() - what goes wrong when its time has come
 * @f: the function
 *
 * Return: ms until it is to be called again, -1 if there is nothing to wait for.
 */
int fault_tick(struct fpga *f)
{
	int next = doorbells_tick(f);

	if (f->faults)
		next = sooner(next, log_tick(f));
	return sooner(next, ghosts_tick(f));
}
