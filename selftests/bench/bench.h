/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The cases that are measured, and what they share.
 */
#ifndef VMDEV_BENCH_H
#define VMDEV_BENCH_H

#include "meter.h"
#include "vdpa_rig.h"

/* How long any wait may take; emulation is slow. */
#define BENCH_WAIT_MS	20000

#define BENCH_NUM	256

/**
 * struct bench - what the command line said
 * @dev: vhost-vdpa device
 * @peer: one at the other end of the wire, or NULL
 * @port: interface on the host at the other end of its wire, or NULL
 * @log: dirty log of @dev, or NULL for none
 * @paths: file that says which paths its queues have: they must be direct; or NULL
 * @config: config space of its function, which counts accesses to registers, or NULL
 * @memory: MiB of a guest's memory that is logged
 * @policy: file of the policy of the device that the guest has, or NULL
 * @mgmt_bus: bus of a management device, or NULL
 * @mgmt_dev: its name there
 * @rounds: how often to measure
 * @standing: most mappings to have standing
 */
struct bench {
	const char *dev;
	const char *peer;
	const char *port;
	const char *log;
	const char *paths;
	const char *config;
	unsigned int memory;
	const char *policy;
	const char *mgmt_bus;
	const char *mgmt_dev;
	unsigned int rounds;
	unsigned int standing;
};

/**
 * struct net_end - one end of a wire
 * @c: the device, or whatever serves its rings
 * @rx: receive queue
 * @tx: transmit queue
 * @bell: doorbell of @tx, if it is mapped
 * @log: its dirty log, or -1
 * @rx_buf: a buffer for each of its slots
 * @tx_buf: likewise
 */
struct net_end {
	struct vdpa_client *c;
	struct vq *rx;
	struct vq *tx;
	void *bell;
	int log;
	__u8 *rx_buf[BENCH_NUM];
	__u8 *tx_buf[BENCH_NUM];
};

void check(const char *what, int ret);
METER_ATTR((noreturn)) void die(const char *what, int err);

/**
 * struct frame_size - a size of frames
 * @name: as it is spoken of
 * @len: bytes without the virtio header
 */
struct frame_size {
	unsigned int name;
	unsigned int len;
};

#define SIZES		2
#define BATCHES		3

extern const struct frame_size sizes[SIZES];
extern const unsigned int batches[BATCHES];

/* net.c */
__u64 spin_used(const struct vq *vq, unsigned int n);
void sleep_used(struct vq *vq, unsigned int n);
void end_prepare(struct net_end *end);
void end_vdpa(struct net_end *end, struct rig *r, const char *path);
void end_vdpa_with(struct net_end *end, struct rig *r, const char *path, __u64 features);
void end_close(struct net_end *end, struct rig *r);
void bench_kick(struct vq *vq, unsigned int rounds);
void bench_tx(struct net_end *end, unsigned int rounds);
void kick_if_wanted(struct vq *vq, unsigned int offered);
void end_offer_tx(struct net_end *end, unsigned int n, unsigned int len);
void end_settle_tx(struct net_end *end, unsigned int n);
void end_offer_again(struct net_end *end, __u8 *buf);
void end_offer_rx(struct net_end *end, unsigned int n);
void end_reap_rx(struct net_end *end, unsigned int n, bool offer);

void case_kick(const struct bench *b);
void case_doorbell(const struct bench *b);
void case_interrupt(const struct bench *b);
void case_tx(const struct bench *b);
void case_rx(const struct bench *b);

/* cost.c */
#define COST_REGISTERS	3

/**
 * struct cost - what a call costs, round by round
 * @b: what the command line said
 * @instructions: what it took
 * @registers: accesses of each kind
 * @m: since it began
 * @before: counts of accesses when it did
 */
struct cost {
	const struct bench *b;
	struct meter_set instructions;
	struct meter_set registers[COST_REGISTERS];
	struct meter m;
	__u32 before[COST_REGISTERS];
};

void cost_init(struct cost *cost, const struct bench *b, unsigned int rounds);
void cost_begin(struct cost *cost);
void cost_end(struct cost *cost);
void cost_report(struct cost *cost, const char *name, unsigned int n);
void check_direct(const struct bench *b);

/* map.c */
void case_map(const struct bench *b);
void case_map_huge(const struct bench *b);

/* life.c */
void case_open(const struct bench *b);
void case_dev(const struct bench *b);

/* suspend.c */
void case_suspend(const struct bench *b);

/* log.c */
int log_start(const char *path, __u64 iova, __u64 length);
void log_report(int fd, __u64 iova, __u64 length, __u64 *bitmap);

void case_log(const struct bench *b);

/* dirty.c */
void case_dirty(const struct bench *b);

/* nested.c */
void case_nested(const struct bench *b);

/* host.c */
void host_up(const char *name);
void bench_host_rx(struct net_end *end, const char *name, unsigned int rounds);
void bench_host_gso(struct net_end *end, const char *name, const void *packet, unsigned int len,
		    const unsigned int *batch, unsigned int n, unsigned int rounds);

void case_host_rx(const struct bench *b);

/* gso.c */
extern const __u64 gso_features;

void bench_gso(struct net_end *end, const char *name, unsigned int rounds);

void case_gso(const struct bench *b);

/* blk.c */
void case_blk(const struct bench *b);

/* vhost_net.c */
void case_vhost_net(const struct bench *b);

#endif
