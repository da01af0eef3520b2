/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A virtio-net function that behaves, until it is told to lie.
 *
 * Which lie, and when, the VM says itself, in two registers of config space that
 * no capability owns; see lies.c for the lies.
 */
#ifndef VMDEV_HOSTILE_H
#define VMDEV_HOSTILE_H

#include <linux/virtio_net.h>

#include "../vfio_user/virtio_pci.h"

/*
 * The number of the lie, 0 for none; and its moment: 0 for at once, else
 * enum vio_event + 1 in the lowest byte and, above it, how many such events
 * pass before. Writing the lie starts it anew, so write the moment first.
 */
#define HOSTILE_REG_LIE		0xe0
#define HOSTILE_REG_MOMENT	0xe4

#define HOSTILE_PAIRS		2
#define HOSTILE_VQS		(2 * HOSTILE_PAIRS + 1)
#define HOSTILE_VQ_SIZE		256
#define HOSTILE_MTU		1500

/* What lies beyond registers. */
enum hostile_act {
	ACT_ONES		= 1 << 0,	/* BARs read all ones */
	ACT_GONE		= 1 << 1,	/* config space, too */
	ACT_KEEP_STATUS		= 1 << 2,	/* a reset is ignored */
	ACT_NEEDS_RESET		= 1 << 3,	/* asks for a reset */
	ACT_IRQ_VQS		= 1 << 4,	/* interrupts of all queues */
	ACT_IRQ_CONFIG		= 1 << 5,	/* interrupts for config */
	ACT_USED_ID		= 1 << 6,	/* used ids out of range */
	ACT_USED_JUMP		= 1 << 7,	/* used index jumps */
	ACT_USED_LEN		= 1 << 8,	/* used lengths are huge */
	ACT_NO_CONSUME		= 1 << 9,	/* takes no buffers */
	ACT_NO_COMPLETE		= 1 << 10,	/* gives none back */
	ACT_DMA_AFTER_RESET	= 1 << 11,	/* goes on with old rings */
	ACT_USED_BACK		= 1 << 12,	/* used index goes backwards */
	ACT_IRQ_STORM		= 1 << 13,	/* those interrupts never end */
	ACT_SLOW_RESET		= 1 << 14,	/* a reset takes half a second */
};

enum hostile_how {
	HOW_SET = 1,	/* the value, whatever is true */
	HOW_AND,
	HOW_OR,
	HOW_TOGGLE,	/* every second read has these bits wrong */
	HOW_COUNT,	/* more with every read */
	HOW_HALF,	/* more with every second read */
};

/* @window of a patch that does not depend on queue_select and the like. */
#define ANY_WINDOW	0xff

/**
 * struct hostile_patch - a register that is not what it should be
 * @space: VIO_SPACE_*; capabilities of type @cap if it is VIO_SPACE_PCI
 * @cap: VIRTIO_PCI_CAP_*
 * @offset: of the register
 * @width: bytes
 * @window: only while queue_select, or device_feature_select, is this
 * @how: what happens to it
 * @value: operand
 */
struct hostile_patch {
	__u8 space;
	__u8 cap;
	__u16 offset;
	__u8 width;
	__u8 window;
	enum hostile_how how;
	__u32 value;
};

/**
 * struct hostile_lie - one lie
 * @name: what scripts call it
 * @act: bits of enum hostile_act
 * @patch: registers; the first without @how ends them
 */
struct hostile_lie {
	const char *name;
	unsigned int act;
	struct hostile_patch patch[2];
};

/**
 * struct hostile - a function
 * @v: its registers and rings
 * @lie: what was asked for
 * @on: the lie has begun
 * @moment: what it waits for, an enum vio_event + 1
 * @wait: how many of those pass before
 * @reads: of patched registers since the lie began
 * @bursts: interrupts nobody asked for that are still to come
 * @old_used: used rings of before the last reset
 * @reset_ms: when the last reset began that takes long, CLOCK_MONOTONIC; 0: none
 * @config: device configuration
 */
struct hostile {
	struct vio *v;
	const struct hostile_lie *lie;
	bool on;
	unsigned int moment;
	unsigned int wait;
	unsigned int reads;
	unsigned int bursts;
	__u64 old_used[HOSTILE_VQS];
	__u64 reset_ms;
	struct virtio_net_config config;
};

/* lies.c */
extern const struct hostile_lie hostile_lies[];
extern const unsigned int hostile_nlies;
bool hostile_lies_by(const struct hostile *h, enum hostile_act act);
void hostile_config_written(struct vio *v, __u32 offset, __u32 len);
void hostile_event(struct vio *v, enum vio_event event);
void hostile_read(struct vio *v, unsigned int space, __u32 offset, void *buf,
		  __u32 len);
bool hostile_write(struct vio *v, __u32 offset, const void *buf, __u32 len);
bool hostile_busy(const struct hostile *h);
void hostile_tick(struct hostile *h);

/* net.c */
void net_kick(struct vio *v, unsigned int vq);
__u64 net_features(void);

#endif
