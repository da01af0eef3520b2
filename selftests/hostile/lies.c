// SPDX-License-Identifier: GPL-2.0
/*
 * The lies. A new one is a new line of hostile_lies[], and one in
 * selftests/functional/hostile.sh that says what the driver has to make of it.
 */
#define _GNU_SOURCE
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <linux/pci_regs.h>

#include "hostile.h"

/* Interrupts that a storm has, a burst per millisecond. */
#define HOSTILE_BURSTS	1000

#define HOSTILE_RESET_MS	500

/* --- how a lie is written down ------------------------------------------ */
/* A field of the capability of a virtio structure. */
#define CAP_FIELD(type, bits, field, how_, value_) {			\
	.space = VIO_SPACE_PCI, .cap = VIRTIO_PCI_CAP_##type##_CFG,	\
	.offset = offsetof(struct virtio_pci_cap, field),		\
	.width = (bits) / 8,						\
	.window = ANY_WINDOW, .how = HOW_##how_, .value = value_ }

#define CAP_MULTIPLIER(how_, value_) {					\
	.space = VIO_SPACE_PCI, .cap = VIRTIO_PCI_CAP_NOTIFY_CFG,	\
	.offset = sizeof(struct virtio_pci_cap), .width = 4,		\
	.window = ANY_WINDOW, .how = HOW_##how_, .value = value_ }

/* A register of the common configuration; of one queue, or feature word. */
#define COMMON_OF(bits, field, window_, how_, value_) {			\
	.space = VIO_SPACE_COMMON,					\
	.offset = offsetof(struct virtio_pci_modern_common_cfg, field),	\
	.width = (bits) / 8,						\
	.window = window_, .how = HOW_##how_, .value = value_ }

#define COMMON(bits, field, how_, value_) \
	COMMON_OF(bits, field, ANY_WINDOW, how_, value_)

/* A field of the device configuration. */
#define DEVICE(bits, field, how_, value_) {				\
	.space = VIO_SPACE_DEVICE,					\
	.offset = offsetof(struct virtio_net_config, field),		\
	.width = (bits) / 8,						\
	.window = ANY_WINDOW, .how = HOW_##how_, .value = value_ }

#define LIE(name_, ...)	{ .name = name_, .patch = { __VA_ARGS__ } }
#define ACT(name_, act_) { .name = name_, .act = act_ }

/* A type of capability that nobody knows: as if it were not there. */
#define NO_TYPE	0x77

const struct hostile_lie hostile_lies[] = {
	{ .name = "honest" },

	/* Capabilities. */
	LIE("common_bar_6", CAP_FIELD(COMMON, 8, bar, SET, 6)),
	LIE("notify_bar_255", CAP_FIELD(NOTIFY, 8, bar, SET, 255)),
	LIE("common_bar_empty", CAP_FIELD(COMMON, 8, bar, SET, 3)),
	LIE("common_bar_io", CAP_FIELD(COMMON, 8, bar, SET, VIO_BAR_OWN)),
	LIE("isr_bar_empty", CAP_FIELD(ISR, 8, bar, SET, 3)),
	LIE("device_bar_empty", CAP_FIELD(DEVICE, 8, bar, SET, 3)),
	LIE("common_missing", CAP_FIELD(COMMON, 8, cfg_type, SET, NO_TYPE)),
	LIE("notify_missing", CAP_FIELD(NOTIFY, 8, cfg_type, SET, NO_TYPE)),
	LIE("isr_missing", CAP_FIELD(ISR, 8, cfg_type, SET, NO_TYPE)),
	LIE("device_missing", CAP_FIELD(DEVICE, 8, cfg_type, SET, NO_TYPE)),
	LIE("common_not_vendor", CAP_FIELD(COMMON, 8, cap_vndr, SET, 0x0f)),
	LIE("common_beyond", CAP_FIELD(COMMON, 32, offset, SET, 0x100000)),
	LIE("notify_beyond", CAP_FIELD(NOTIFY, 32, offset, SET, 0x100000)),
	LIE("isr_beyond", CAP_FIELD(ISR, 32, offset, SET, 0x100000)),
	LIE("device_beyond", CAP_FIELD(DEVICE, 32, offset, SET, 0x100000)),
	LIE("common_wraps", CAP_FIELD(COMMON, 32, offset, SET, 0xfffff000),
	    CAP_FIELD(COMMON, 32, length, SET, 0x2000)),
	LIE("notify_wraps", CAP_FIELD(NOTIFY, 32, length, SET, 0xffffffff)),
	LIE("device_wraps", CAP_FIELD(DEVICE, 32, length, SET, 0xffffffff)),
	LIE("common_odd", CAP_FIELD(COMMON, 32, offset, SET, 2)),
	LIE("common_short", CAP_FIELD(COMMON, 32, length, SET, 16)),
	LIE("common_length_0", CAP_FIELD(COMMON, 32, length, SET, 0)),
	LIE("notify_length_1", CAP_FIELD(NOTIFY, 32, length, SET, 1)),
	LIE("isr_length_0", CAP_FIELD(ISR, 32, length, SET, 0)),
	LIE("device_length_4", CAP_FIELD(DEVICE, 32, length, SET, 4)),
	LIE("multiplier_huge", CAP_MULTIPLIER(SET, 0x80000000)),
	LIE("multiplier_odd", CAP_MULTIPLIER(SET, 3)),

	/* The last of five doorbells, a page apart, has two bytes. */
	LIE("notify_data_no_room", CAP_FIELD(NOTIFY, 32, length, SET, 4 * 4096 + 2),
	    COMMON_OF(32, cfg.device_feature, 1, OR, 1U << (VIRTIO_F_NOTIFICATION_DATA - 32))),
	LIE("notify_data", COMMON_OF(32, cfg.device_feature, 1, OR,
				     1U << (VIRTIO_F_NOTIFICATION_DATA - 32))),

	/* Registers. */
	LIE("queues_0", COMMON(16, cfg.num_queues, SET, 0)),
	LIE("queues_1", COMMON(16, cfg.num_queues, SET, 1)),
	LIE("queues_65535", COMMON(16, cfg.num_queues, SET, 65535)),
	LIE("queue_size_0", COMMON(16, cfg.queue_size, SET, 0)),
	LIE("queue_size_3", COMMON_OF(16, cfg.queue_size, 1, SET, 3)),
	LIE("queue_size_1", COMMON_OF(16, cfg.queue_size, 1, SET, 1)),
	LIE("queue_size_65535", COMMON(16, cfg.queue_size, SET, 65535)),
	LIE("notify_off_huge", COMMON_OF(16, cfg.queue_notify_off, 1, SET, 65535)),
	LIE("notify_off_moves", COMMON_OF(16, cfg.queue_notify_off, 1, TOGGLE, 65535)),
	LIE("vq_vector_refused", COMMON_OF(16, cfg.queue_msix_vector, 1, SET,
					   VIRTIO_MSI_NO_VECTOR)),
	LIE("config_vector_refused", COMMON(16, cfg.msix_config, SET,
					    VIRTIO_MSI_NO_VECTOR)),
	LIE("enabled_early", COMMON(16, cfg.queue_enable, SET, 1)),
	LIE("enabled_never", COMMON(16, cfg.queue_enable, SET, 0)),
	LIE("generation_runs", COMMON(8, cfg.config_generation, COUNT, 1)),
	LIE("generation_walks", COMMON(8, cfg.config_generation, HALF, 1)),
	LIE("status_never_0", COMMON(8, cfg.device_status, OR, 1)),
	LIE("vq_reset_never", COMMON(16, queue_reset, SET, 1)),
	LIE("vq_reset_ones", COMMON(16, queue_reset, SET, 65535)),
	LIE("features_ok_dropped", COMMON(8, cfg.device_status, AND,
					  (__u8)~VIRTIO_CONFIG_S_FEATURES_OK)),
	LIE("driver_ok_dropped", COMMON(8, cfg.device_status, AND,
					(__u8)~VIRTIO_CONFIG_S_DRIVER_OK)),
	LIE("no_version_1", COMMON_OF(32, cfg.device_feature, 1, AND, ~1U)),
	LIE("no_access_platform", COMMON_OF(32, cfg.device_feature, 1, AND, ~2U)),
	LIE("no_ctrl_vq", COMMON_OF(32, cfg.device_feature, 0, AND, ~(1U << VIRTIO_NET_F_CTRL_VQ))),
	LIE("features_0", COMMON(32, cfg.device_feature, SET, 0)),
	LIE("features_all", COMMON(32, cfg.device_feature, SET, ~0U)),
	LIE("features_change", COMMON_OF(32, cfg.device_feature, 0, TOGGLE,
					 1U << VIRTIO_NET_F_CTRL_VQ |
					 1U << VIRTIO_NET_F_MQ |
					 1U << VIRTIO_NET_F_MTU)),

	/* Device configuration. */
	LIE("pairs_0", DEVICE(16, max_virtqueue_pairs, SET, 0)),
	LIE("pairs_65535", DEVICE(16, max_virtqueue_pairs, SET, 65535)),
	LIE("mtu_0", DEVICE(16, mtu, SET, 0)),
	LIE("mtu_65535", DEVICE(16, mtu, SET, 65535)),
	LIE("link_flaps", DEVICE(16, status, TOGGLE, VIRTIO_NET_S_LINK_UP)),

	/* What it does. */
	ACT("ones", ACT_ONES),
	ACT("gone", ACT_ONES | ACT_GONE),
	ACT("reset_ignored", ACT_KEEP_STATUS),
	ACT("needs_reset", ACT_NEEDS_RESET),
	ACT("irq_vqs", ACT_IRQ_VQS),
	ACT("irq_config", ACT_IRQ_CONFIG),
	ACT("irq_all", ACT_IRQ_VQS | ACT_IRQ_CONFIG),
	ACT("storm_vqs", ACT_IRQ_VQS | ACT_IRQ_STORM),
	ACT("storm_config", ACT_IRQ_CONFIG | ACT_IRQ_STORM),
	ACT("used_id", ACT_USED_ID),
	ACT("used_jump", ACT_USED_JUMP),
	ACT("used_back", ACT_USED_BACK),
	ACT("used_len", ACT_USED_LEN),
	ACT("no_consume", ACT_NO_CONSUME),
	ACT("no_complete", ACT_NO_COMPLETE),
	ACT("dma_after_reset", ACT_DMA_AFTER_RESET),
	ACT("reset_slow", ACT_SLOW_RESET),
};

const unsigned int hostile_nlies = sizeof(hostile_lies) /
				   sizeof(hostile_lies[0]);

/* --- which, and since when ---------------------------------------------- */
/**
 * hostile_lies_by() - does it do that now?
 * @h: the function
 * @act: one of enum hostile_act
 */
bool hostile_lies_by(const struct hostile *h, enum hostile_act act)
{
	return h->on && (h->lie->act & act);
}

static void hostile_begin(struct hostile *h)
{
	struct vio *v = h->v;

	h->on = true;
	h->reads = 0;
	if (h->lie->act & ACT_NEEDS_RESET)
		vio_break(v);
	if (h->lie->act & (ACT_IRQ_VQS | ACT_IRQ_CONFIG))
		h->bursts = h->lie->act & ACT_IRQ_STORM ? UINT_MAX :
			    HOSTILE_BURSTS;
}

static __u32 hostile_reg(const struct hostile *h, __u32 offset)
{
	__u32 value;

	vfu_pci_config_get(h->v->f, offset, &value, sizeof(value));
	return value;
}

static bool hostile_touches(__u32 offset, __u32 len, __u32 at, __u32 width)
{
	return offset < at + width && at < offset + len;
}

/**
 * hostile_config_written() - the VM may have asked for a lie
 * @v: the function
 * @offset: first byte of config space that was written
 * @len: bytes
 */
void hostile_config_written(struct vio *v, __u32 offset, __u32 len)
{
	struct hostile *h = v->priv;
	__u32 lie, moment;

	if (!hostile_touches(offset, len, HOSTILE_REG_LIE, 4))
		return;
	lie = hostile_reg(h, HOSTILE_REG_LIE);
	moment = hostile_reg(h, HOSTILE_REG_MOMENT);
	if (lie >= hostile_nlies)
		lie = 0;
	/* What the last lie left behind goes with it. */
	if (h->lie->act & ACT_KEEP_STATUS)
		vio_reset(v);
	h->lie = &hostile_lies[lie];
	h->on = false;
	h->bursts = 0;
	h->moment = moment & 0xff;
	h->wait = moment >> 8;
	printf("lie %s, moment %u after %u\n", h->lie->name, h->moment, h->wait);
	fflush(stdout);
	if (lie && !h->moment)
		hostile_begin(h);
}

static void hostile_late_dma(struct hostile *h)
{
	static const __u16 idx = 0xdead;
	unsigned int i;

	for (i = 0; i < HOSTILE_VQS; i++)
		if (h->old_used[i])
			vfu_dma_write(h->v->f, h->old_used[i] +
				      offsetof(struct vring_used, idx), &idx,
				      sizeof(idx));
}

static __u64 hostile_now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000ULL + now.tv_nsec / 1000000;
}

/**
 * hostile_event() - a moment
 * @v: the function
 * @event: what happens
 */
void hostile_event(struct vio *v, enum vio_event event)
{
	struct hostile *h = v->priv;
	unsigned int i;

	if (event == VIO_EV_RESET)
		for (i = 0; i < HOSTILE_VQS; i++)
			if (v->vqs[i].enabled)
				h->old_used[i] = v->vqs[i].regs.used;
	if (event == VIO_EV_RESET && hostile_lies_by(h, ACT_SLOW_RESET))
		h->reset_ms = hostile_now_ms();
	if (event == VIO_EV_READ && hostile_lies_by(h, ACT_DMA_AFTER_RESET))
		hostile_late_dma(h);
	if (h->on || h->moment != event + 1U)
		return;
	if (h->wait)
		h->wait--;
	else
		hostile_begin(h);
}

/* --- what a register reads as ------------------------------------------- */
static __u32 hostile_patch_value(struct hostile *h,
				 const struct hostile_patch *p, __u32 value)
{
	switch (p->how) {
	case HOW_SET:
		return p->value;
	case HOW_AND:
		return value & p->value;
	case HOW_OR:
		return value | p->value;
	case HOW_TOGGLE:
		return h->reads & 1 ? value ^ p->value : value;
	case HOW_COUNT:
		return value + h->reads * p->value;
	case HOW_HALF:
		return value + h->reads / 2 * p->value;
	}
	return value;
}

static bool hostile_in_window(const struct hostile *h,
			      const struct hostile_patch *p)
{
	if (p->window == ANY_WINDOW)
		return true;
	if (p->offset == offsetof(struct virtio_pci_common_cfg, device_feature))
		return h->v->feature_select == p->window;
	return h->v->queue_select == p->window;
}

static void hostile_patch(struct hostile *h, const struct hostile_patch *p,
			  unsigned int space, __u32 offset, __u8 *buf,
			  __u32 len)
{
	__u32 at = p->offset, value = 0, i;
	__u8 bytes[4];

	if (space == VIO_SPACE_PCI)
		at += h->v->cap[p->cap];
	if (p->space != space || !hostile_touches(offset, len, at, p->width) ||
	    !hostile_in_window(h, p))
		return;
	/* Reads are of whole registers as a rule; of others the rest is 0. */
	for (i = 0; i < p->width; i++)
		if (at + i >= offset && at + i - offset < len)
			value |= (__u32)buf[at + i - offset] << 8 * i;
	value = hostile_patch_value(h, p, value);
	memcpy(bytes, &value, sizeof(bytes));
	for (i = 0; i < p->width; i++)
		if (at + i >= offset && at + i - offset < len)
			buf[at + i - offset] = bytes[i];
	h->reads++;
}

/* Of a reset that takes long: what the status was is still seen of it. */
static void hostile_slow_reset(struct hostile *h, unsigned int space, __u32 offset, __u8 *buf)
{
	if (h->reset_ms && hostile_now_ms() - h->reset_ms >= HOSTILE_RESET_MS)
		h->reset_ms = 0;
	if (h->reset_ms && space == VIO_SPACE_COMMON &&
	    offset == offsetof(struct virtio_pci_common_cfg, device_status))
		*buf |= VIRTIO_CONFIG_S_ACKNOWLEDGE;
}

/**
 * hostile_read() - what the VM gets to see
 * @v: the function
 * @space: VIO_SPACE_*
 * @offset: first byte
 * @buf: the truth
 * @len: bytes
 */
void hostile_read(struct vio *v, unsigned int space, __u32 offset, void *buf,
		  __u32 len)
{
	struct hostile *h = v->priv;
	unsigned int i;

	if (!h->on)
		return;
	if (h->lie->act & (space == VIO_SPACE_PCI ? ACT_GONE : ACT_ONES)) {
		memset(buf, 0xff, len);
		return;
	}
	if (h->lie->act & ACT_SLOW_RESET)
		hostile_slow_reset(h, space, offset, buf);
	for (i = 0; i < 2 && h->lie->patch[i].how; i++)
		hostile_patch(h, &h->lie->patch[i], space, offset, buf, len);
}

/**
 * hostile_write() - is a write to be ignored?
 * @v: the function
 * @offset: in the common configuration
 * @buf: what is written
 * @len: bytes
 */
bool hostile_write(struct vio *v, __u32 offset, const void *buf, __u32 len)
{
	struct hostile *h = v->priv;

	/* The moment counts, even if what makes it one does not happen. */
	if (offset == offsetof(struct virtio_pci_common_cfg, device_status) &&
	    len == 1 && !*(const __u8 *)buf && !h->on &&
	    h->lie->act & ACT_KEEP_STATUS)
		hostile_event(v, VIO_EV_RESET);
	if (hostile_lies_by(h, ACT_ONES))
		return true;
	return offset == offsetof(struct virtio_pci_common_cfg, device_status) &&
	       hostile_lies_by(h, ACT_KEEP_STATUS) &&
	       !*(const __u8 *)buf;
}

/* --- what happens by itself --------------------------------------------- */
/**
 * hostile_busy() - does it want to be called again soon?
 * @h: the function
 */
bool hostile_busy(const struct hostile *h)
{
	return h->on && h->bursts;
}

/**
 * hostile_tick() - a millisecond, or an access of the VM, has passed
 * @h: the function
 */
void hostile_tick(struct hostile *h)
{
	struct vio *v = h->v;
	unsigned int i;

	if (!hostile_busy(h))
		return;
	if (!(h->lie->act & ACT_IRQ_STORM))
		h->bursts--;
	if (h->lie->act & ACT_IRQ_CONFIG)
		vfu_irq(v->f, v->config_vector);
	if (!(h->lie->act & ACT_IRQ_VQS))
		return;
	for (i = 0; i < v->conf.nvqs; i++)
		vfu_irq(v->f, v->vqs[i].regs.vector);
}
