// SPDX-License-Identifier: GPL-2.0
/* What the VM can have go wrong. One more is a bit, and a line where it acts. */
#define _GNU_SOURCE
#include <string.h>
#include <time.h>

#include "model.h"

static __u64 now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000ULL + ts.tv_nsec / 1000000;
}

/**
 * fpga_fails() - does it do that now?
 * @f: the function
 * @fault: one of enum fpga_fault
 */
bool fpga_fails(const struct fpga *f, enum fpga_fault fault)
{
	return f->faults & fault;
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
	const struct fpga *f = v->priv;
	__u16 value = 0;

	if (fpga_fails(f, FAULT_ONES))
		return true;
	if (!fpga_fails(f, FAULT_ENABLE_STUCK) ||
	    offset != offsetof(struct virtio_pci_common_cfg, queue_enable))
		return false;
	memcpy(&value, buf, len < sizeof(value) ? len : sizeof(value));
	return !value;
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

/**
 * fault_tick() - doorbells whose time has come count
 * @f: the function
 *
 * Return: ms until the next one, -1 if there is none.
 */
int fault_tick(struct fpga *f)
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
