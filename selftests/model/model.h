/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The FPGA SmartNIC as a process: functions of the Intel IFC layout.
 *
 * A function is a virtio-pci modern one, net or block, with the subsystem ids of
 * an N3000 or a C5000X-PL, and a BAR 4 with the LM block (live migration): ring
 * state, dirty log, number of queues. Two public drivers are what is known
 * about it: the kernel's ifcvf and DPDK's ifc. Where these two leave a question
 * open the model has the answers below; a driver that needs other answers is
 * either wrong about the hardware or knows more than is public.
 *
 * Ring state
 * - The word of a queue counts when queue_enable becomes 1, if it was written
 *   since the queue stopped; else the queue begins at 0, as virtio says. So a
 *   driver that knows nothing of it (plain virtio) finds fresh rings.
 * - Written while the queue runs it is ignored, and reads as before.
 * - It is updated when the queue stops: by queue_enable = 0, which virtio does
 *   not have and DPDK's driver uses, by queue_reset, or by the device's reset,
 *   and can be read after each of them, until the function itself is reset.
 * - A write of 16 bits to the low half sets both halves: ifcvf writes the
 *   available index alone, and means that nothing is under way. Of a net
 *   device ifcvf knows the first pair only: for queue 2 it writes to 0x28.
 * - A receive queue fetches some buffers ahead (FPGA_PREFETCH): the available
 *   index that it stops at is that much larger, and nothing but the used index
 *   says where to go on. All other queues stop with both the same.
 *
 * Dirty log
 * - Bits are set after the data was written, for each byte of a buffer of any
 *   queue that the device writes: frames with their headers, blocks, the status
 *   of a request, the acknowledgment of a control command. Never for used
 *   rings and event indices.
 * - The bit of a page is bit (IOVA >> 12) & 7 of byte IOVA >> 15 from the
 *   base on. The end is the first byte that does not belong to the bitmap:
 *   what would be there or behind is not logged, which is no fault.
 * - Base, end and control count as they are at the moment of a write, and may
 *   come in any order and width: DPDK's driver, as Debian compiles it, switches
 *   logging on first, then writes base and end with one 64-bit store each.
 *   Any control with bit 0 set logs.
 * - A reset of the device changes nothing of it; one of the function does.
 * - Status: bit 0, it logs; bit 1, since logging was switched on a bit could
 *   not be set, because the IOMMU does not let the device write there.
 *
 * Number of queues (0x28)
 * - Written as a whole (32 bits), from 1 to what the device has; anything else
 *   is ignored. The device's reset forgets it; it then reads 0.
 * - Net: frames go to so many receive queues at most. The control queue, where
 *   there is one, says how many of them; without it the register says.
 *   Block: queues behind it do not run.
 *
 * Else
 * - Features without ACCESS_PLATFORM are accepted: DPDK's driver never has it.
 * - A descriptor table that is not page-aligned is not enabled. Other parts of
 *   a ring need not be aligned: those of DPDK's guests are not.
 * - Rings have 64 to 256 entries.
 * - A queue is looked at when it is enabled and when the driver is ready, not
 *   only after a doorbell: what waits in a ring that is resumed needs no kick.
 *
 * A second layout is there to show what another one takes (--suspend): virtio
 * 1.4's own SUSPEND, without subsystem ids and LM block. A device that is suspended
 * looks at no ring, writes no memory and raises no interrupt. It goes on where it
 * was when the status is written without that bit.
 */
#ifndef VMDEV_MODEL_H
#define VMDEV_MODEL_H

#include <linux/virtio_blk.h>
#include <linux/virtio_ids.h>
#include <linux/virtio_net.h>

#include "../vfio_user/virtio_pci.h"

#define FPGA_MAX		16	/* functions of a process */
#define FPGA_PAIRS_MAX		16
#define FPGA_VQ_SIZE		256
#define FPGA_VQ_SIZE_MIN	64
#define FPGA_VQ_ALIGN		4096
#define FPGA_PREFETCH		4
#define FPGA_MTU		1500

/* --- LM block ----------------------------------------------------------- */
#define LM_SIZE			0x4000
#define LM_SIZE_SMALL		0x80
#define LM_SIZE_IO		0x100

#define LM_CONTROL		0x00
#define LM_STATUS		0x08
#define LM_BASE			0x10
#define LM_END			0x18
#define LM_STATE		0x20
#define LM_COUNT		0x28
#define LM_STATE_STRIDE		0x40

#define LM_CONTROL_LOG		1
#define LM_STATUS_LOGS		1
#define LM_STATUS_LOST		2

/**
 * struct lm - the LM block
 * @control: as written
 * @base: likewise
 * @end: likewise
 * @lost: a bit could not be set
 * @count: as written, 0 if it was not
 * @word: ring states
 * @written: a ring state is to be taken
 * @bits: set since logging was switched on
 * @skipped: bits since a fault lost one
 */
struct lm {
	__u32 control;
	__u64 base;
	__u64 end;
	bool lost;
	__u32 count;
	__u32 word[VIO_VQS_MAX];
	bool written[VIO_VQS_MAX];
	__u64 bits;
	__u32 skipped;
};

/* --- faults ------------------------------------------------------------- */
/*
 * What goes wrong, a bit each, and a number for those that need one. Registers
 * of config space that no capability owns. A reset of the function clears them
 * there, but what was asked for stays until something else is written.
 *
 * (a) It uses one buffer more, NUMBER ms later.
 */
#define FPGA_REG_FAULTS		0xe0
#define FPGA_REG_NUMBER		0xe4

enum fpga_fault {
	FAULT_LOG_BIT		= 1 << 0, /* one log bit in NUMBER is not set */
	FAULT_LOG_DEAF		= 1 << 1, /* control reads back, nothing logged */
	FAULT_LOG_OFF		= 1 << 2, /* control stays 0 */
	FAULT_RESET_STUCK	= 1 << 3, /* status never reads 0 */
	FAULT_STATE_WRONG	= 1 << 4, /* ring states are off by NUMBER */
	FAULT_STATE_DEAF	= 1 << 5, /* ring states written do not count */
	FAULT_SLOW_DOORBELL	= 1 << 6, /* kicks count NUMBER ms later */
	FAULT_ONES		= 1 << 7, /* BARs read all ones */
	FAULT_ENABLE_STUCK	= 1 << 8, /* queue_enable = 0 does not stop */
	FAULT_STATE_IGNORED	= 1 << 9, /* ring states cannot be written */
	FAULT_STATE_STALE	= 1 << 10, /* they stay when a queue stops */
	FAULT_STATE_FLICKERS	= 1 << 11, /* they grow with each read */
	FAULT_STATE_AHEAD	= 1 << 12, /* avail is NUMBER more than it is */
	FAULT_USED_WRONG	= 1 << 13, /* states, and used indices in memory */
	FAULT_GHOST		= 1 << 14, /* a queue goes on when it stopped (a) */
	FAULT_ENABLE_FLIPS	= 1 << 15, /* queue_enable reads 0 once, then 1 */
	FAULT_LOG_STOPS		= 1 << 16, /* the log goes off after NUMBER bits */
	FAULT_LOG_MOVES		= 1 << 17, /* its base changes then, and again */
	FAULT_LOG_ALL		= 1 << 18, /* all bits are set, again and again */
	FAULT_LOG_BEYOND	= 1 << 19, /* bits are set behind its end, too */
	FAULT_LOG_LATE		= 1 << 20, /* it goes on when it is off */
	FAULT_LM_STATUS		= 1 << 21, /* status reads all ones */
	FAULT_LM_COUNT		= 1 << 22, /* count reads NUMBER, and stays */
	FAULT_LM_ONES		= 1 << 23, /* BAR 4 reads all ones, BAR 0 not */
	FAULT_ENABLE_ONE	= 1 << 24, /* queue NUMBER alone does not stop */
	FAULT_ENABLE_DEAD	= 1 << 25, /* queue NUMBER alone does not start */
};

/* --- what a driver costs ------------------------------------------------ */
/*
 * How many registers of its BARs were accessed since the process began, but for
 * MSI-X, which QEMU has: read, written, doorbells. Behind the faults, and not
 * to be written. No reset clears them.
 */
#define FPGA_REG_READS		0xe8
#define FPGA_REG_WRITES		0xec
#define FPGA_REG_RINGS		0xf0

/* --- frames ------------------------------------------------------------- */
#define FRAME_MAX		65550U

/**
 * struct frame - what one port sends to others
 * @hdr: what the sender says about it
 * @len: bytes
 * @data: the frame, from its destination on
 */
struct frame {
	struct virtio_net_hdr_v1 hdr;
	__u32 len;
	__u8 data[FRAME_MAX];
};

struct port;

/**
 * struct port_ops - where frames go to
 * @wants: is the frame one for this port?
 * @deliver: takes it; false if there is no room, then it comes again after
 *	port_retry()
 */
struct port_ops {
	bool (*wants)(struct port *p, const struct frame *frame);
	bool (*deliver)(struct port *p, const struct frame *frame);
};

/* Frames that wait for a port to have room. */
#define PORT_BACKLOG		512

/**
 * struct port - of the switch
 * @ops: what takes its frames
 * @priv: of the owner
 * @backlog: frames that wait, a ring
 * @head: the first of them
 * @waiting: their number
 * @dropped: frames for which there was no room
 */
struct port {
	const struct port_ops *ops;
	void *priv;
	struct frame *backlog[PORT_BACKLOG];
	unsigned int head;
	unsigned int waiting;
	__u64 dropped;
};

/* --- functions ---------------------------------------------------------- */
/**
 * struct ghost - a queue that stopped, and does not know
 * @q: the queue as it was
 * @due: when it uses one more buffer, in ms; 0 if it does not
 */
struct ghost {
	struct vio_vq q;
	__u64 due;
};

/**
 * struct late_log - a log that goes on when it is off
 * @base: where it was
 * @end: likewise
 * @told: what was said last of it: it is refused, or not
 */
struct late_log {
	__u64 base;
	__u64 end;
	enum { LATE_NOTHING, LATE_WRITTEN, LATE_REFUSED } told;
};

#define NET_MACS_MAX		64
#define NET_VLANS		4096

/**
 * struct net - what a net function has
 * @config: its configuration space is a copy
 * @pairs: that it has
 * @active: pairs that the driver asked for
 * @rx: what goes through, bits by command of VIRTIO_NET_CTRL_RX
 * @macs: addresses that do, too
 * @nmacs: their number
 * @all_unicast: there were too many of them
 * @all_multicast: likewise
 * @vlans: VLANs, a bitmap
 * @port: its end of the wire
 */
struct net {
	struct virtio_net_config config;
	unsigned int pairs;
	unsigned int active;
	unsigned int rx;
	__u8 macs[NET_MACS_MAX][6];
	unsigned int nmacs;
	bool all_unicast;
	bool all_multicast;
	__u8 vlans[NET_VLANS / 8];
	struct port port;
};

/**
 * struct blk - what a block function has
 * @config: its configuration space is a copy
 * @fd: the disk
 * @serial: its name
 */
struct blk {
	struct virtio_blk_config config;
	int fd;
	char serial[VIRTIO_BLK_ID_BYTES];
};

/**
 * struct fpga - a function
 * @v: registers and rings
 * @name: of the socket, without its folder
 * @device_id: VIRTIO_ID_*
 * @lm: the LM block
 * @faults: bits of enum fpga_fault
 * @number: for those that need one
 * @look: queues are to be looked at
 * @due: when the doorbell of a queue counts, in ms; 0 if it does not wait
 * @flips: a bit for each queue whose queue_enable reads 0 once more
 * @reads: of ring states, modulo 2^16
 * @beyond_told: what becomes of bits behind the end of the log was said
 * @ghosts: queues that stopped
 * @late: the log that was switched off last
 * @net: if it is a net function
 * @blk: if it is a block function
 */
struct fpga {
	struct vio *v;
	char name[32];
	__u16 device_id;
	struct lm lm;
	__u32 faults;
	__u32 number;
	bool look;
	__u64 due[VIO_VQS_MAX];
	__u64 flips;
	__u16 reads;
	bool beyond_told;
	struct ghost ghosts[VIO_VQS_MAX];
	struct late_log late;
	union {
		struct net net;
		struct blk blk;
	};
};

/**
 * enum lm_kind - what there is of the LM block
 * @LM_WHOLE: all of it
 * @LM_NONE: no BAR 4
 * @LM_SMALL: BAR 4 ends in the middle of it
 * @LM_IO: BAR 4 is no memory
 * @LM_SHARED: a virtio structure is in its place, one that nobody needs
 * @LM_KINDS: their number
 */
enum lm_kind { LM_WHOLE, LM_NONE, LM_SMALL, LM_IO, LM_SHARED, LM_KINDS };

/**
 * struct fpga_conf - what the command line says of functions
 * @n: number of the function
 * @set: number of the process, for addresses
 * @pairs: queue pairs, or queues of a disk
 * @sub_device: subsystem id of a net function
 * @disk_mib: size of a disk that has to be made
 * @standard: no FPGA's layout, but that of virtio 1.4 with SUSPEND
 * @lm: what there is of the LM block
 */
struct fpga_conf {
	unsigned int n;
	unsigned int set;
	unsigned int pairs;
	__u16 sub_device;
	unsigned int disk_mib;
	bool standard;
	enum lm_kind lm;
};

/* fpga.c */
#define FPGA_ATTR(attr) __attribute__(attr)

struct fpga *fpga_create(const char *path, __u16 device_id,
			 const struct fpga_conf *conf);
void fpga_destroy(struct fpga *f);
void fpga_serve(struct fpga *f, unsigned int vq);
int fpga_tick(struct fpga *f);
void FPGA_ATTR((format(printf, 2, 3))) fpga_say(const struct fpga *f,
						const char *format, ...);

/* lm.c */
void lm_start(struct vio *v, unsigned int vq);
void lm_stop(struct vio *v, unsigned int vq);
void lm_reset(struct fpga *f);
void lm_function_reset(struct vio *v);
void lm_wrote(struct vio *v, __u64 iova, __u32 len);
void lm_read(struct vio *v, __u64 offset, void *buf, __u32 len);
void lm_write(struct vio *v, __u64 offset, const void *buf, __u32 len);

/* fault.c */
bool fpga_fails(const struct fpga *f, __u32 faults);
void fault_config_written(struct vio *v, __u32 offset, __u32 len);
void fault_read(struct vio *v, unsigned int space, __u32 offset, void *buf,
		__u32 len);
bool fault_write(struct vio *v, __u32 offset, const void *buf, __u32 len);
bool fault_kick(struct fpga *f, unsigned int vq);
void fault_stopped(struct fpga *f, unsigned int vq);
void fault_log_written(struct fpga *f);
void fault_log_off(struct fpga *f);
int fault_tick(struct fpga *f);

/* net.c */
__u64 net_features(void);
void net_init(struct fpga *f, const struct fpga_conf *conf);
void net_exit(struct fpga *f);
void net_reset(struct fpga *f);
void net_serve(struct fpga *f, unsigned int vq);
unsigned int net_cvq(const struct fpga *f);

/* ctrl.c */
void ctrl_reset(struct fpga *f);
void ctrl_serve(struct fpga *f, unsigned int vq);
bool ctrl_passes(const struct fpga *f, const struct frame *frame);

/* blk.c */
__u64 blk_features(unsigned int queues);
int blk_init(struct fpga *f, const char *path, const struct fpga_conf *conf);
void blk_exit(struct fpga *f);
void blk_serve(struct fpga *f, unsigned int vq);

/* switch.c */
int port_add(struct port *p, const struct port_ops *ops, void *priv);
void port_remove(struct port *p);
void port_send(struct port *from, const struct frame *frame);
void port_retry(struct port *p);
void port_flush(struct port *p);
void frame_checksum(struct frame *frame);

/* uplink.c */
int uplink_open(const char *what);
int uplink_fd(void);
void uplink_receive(void);

#endif
