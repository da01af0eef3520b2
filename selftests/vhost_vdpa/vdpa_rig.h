/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A device brought up whole: owner, features, memory, rings, buffers. On top
 * of it the helpers that send and receive frames, and make block requests.
 */
#ifndef VMDEV_VDPA_RIG_H
#define VMDEV_VDPA_RIG_H

#include "vdpa_ring.h"

#define RIG_VQS		2
#define RIG_NUM		128
#define RIG_BUF		2048

/* Queues of a net device without multiqueue. */
#define NET_RX		0
#define NET_TX		1

#define NET_HDR		12
#define NET_MIN_FRAME	60
#define NET_MAX_FRAME	1514

/* How long a device may take over one buffer; emulation is slow. */
#define RIG_WAIT_MS	10000

/**
 * struct rig - a device and what it needs to run
 * @c: the device
 * @vq: its queues; only @nvqs of them
 * @nvqs: two for net, one for anything else
 * @num: ring size to ask for; 0 before rig_rings() means RIG_NUM
 * @packed: layout that was negotiated
 * @mac: of a net device
 * @rx_buf: as many buffers as a receive ring gets at most
 * @tx_buf: the same for the transmit ring
 * @tx_free: transmit buffers not in use
 * @tx_nfree: their number
 * @tx_done: completions of the transmit ring so far
 */
struct rig {
	struct vdpa_client c;
	struct vq vq[RIG_VQS];
	unsigned int nvqs;
	unsigned int num;
	bool packed;
	__u8 mac[6];
	__u8 *rx_buf[RIG_NUM];
	__u8 *tx_buf[RIG_NUM];
	__u8 *tx_free[RIG_NUM];
	unsigned int tx_nfree;
	unsigned int tx_done;
};

/* Steps of rig_up(), for those who stop half way. */
int rig_open(struct rig *r, const char *path);
__u64 rig_features(const struct vdpa_client *c);
int rig_negotiate(struct rig *r, __u64 extra);
int rig_memory(struct rig *r);
int rig_rings(struct rig *r);
int rig_attach(struct rig *r);
int rig_enable(struct rig *r, bool on);
int rig_driver_ok(struct rig *r);

int rig_up(struct rig *r, const char *path, __u64 extra);
int rig_again(struct rig *r);
int rig_restart(struct rig *r, const __u32 *base);
void rig_close(struct rig *r);

__u16 rig_vq_max(struct vdpa_client *c, unsigned int idx);

/*
 * Frames carry a sequence number and a pattern made of it. @dst is a MAC
 * address; @len is the frame's, without the virtio header.
 */
int net_post_rx(struct rig *r);
int net_send(struct rig *r, const __u8 *dst, __u32 seq, __u32 len);
unsigned int net_reap_tx(struct rig *r);
int net_drain_tx(struct rig *r, int ms);
int net_recv(struct rig *r, __u32 *seq, __u32 *len);
__u32 net_frame_len(__u32 seq);
int net_sink(const char *path);

/**
 * struct blk_req - a request in the arena
 * @hdr: type and sector
 * @data: up to one page
 * @status: 0xff until the device writes it
 */
struct blk_req {
	struct {
		__u32 type;
		__u32 reserved;
		__u64 sector;
	} hdr;
	__u8 *data;
	__u8 *status;
	void *hdr_mem;
};

int blk_prepare(struct rig *r, struct blk_req *req);
int blk_put(struct rig *r, struct blk_req *req, __u32 type, __u64 sector,
	    __u32 len);
int blk_submit(struct rig *r, struct blk_req *req, __u32 type,
	       __u64 sector, __u32 len);
int blk_wait(struct rig *r, struct blk_req *req, int ms);
int blk_do(struct rig *r, struct blk_req *req, __u32 type, __u64 sector,
	   __u32 len);

#endif
