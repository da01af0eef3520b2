// SPDX-License-Identifier: GPL-2.0
/* Bring-up, frames and block requests; see vdpa_rig.h. */
#define _GNU_SOURCE
#include <endian.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <linux/virtio_blk.h>
#include <linux/virtio_net.h>

#include "vdpa_rig.h"

/* IEEE 802 local experimental ethertype, and a mark that it is ours. */
#define FRAME_TYPE	0x88b5
#define FRAME_MAGIC	0x766d

struct frame {
	__u8 dst[6];
	__u8 src[6];
	__u16 type;
	__u16 magic;
	__u32 seq;
	__u32 len;
	__u32 sender;
	__u8 body[];
};

/* What a small driver takes if it is offered. */
#define RIG_FEATURES	(BIT64(VIRTIO_F_VERSION_1) | \
			 BIT64(VIRTIO_F_ACCESS_PLATFORM))

__u64 rig_features(const struct vdpa_client *c)
{
	__u64 want = RIG_FEATURES;

	if (c->device_id == VIRTIO_ID_NET)
		want |= BIT64(VIRTIO_NET_F_MAC);
	return want & c->offered;
}

static void rig_read_mac(struct rig *r)
{
	memset(r->mac, 0xff, sizeof(r->mac));
	if (r->c.offered & BIT64(VIRTIO_NET_F_MAC))
		vc_get_config(&r->c, 0, r->mac, sizeof(r->mac));
}

/* Opens, owns, and takes all backend features there are. */
int rig_open(struct rig *r, const char *path)
{
	unsigned int i;
	int ret;

	memset(r, 0, sizeof(*r));
	for (i = 0; i < RIG_VQS; i++) {
		r->vq[i].kick = -1;
		r->vq[i].call = -1;
	}
	ret = vc_open(&r->c, path);
	if (ret)
		return ret;
	r->nvqs = r->c.device_id == VIRTIO_ID_NET ? 2 : 1;
	ret = vc_set_owner(&r->c);
	if (!ret)
		ret = vc_set_backend(&r->c, r->c.backend);
	if (!ret && r->c.device_id == VIRTIO_ID_NET)
		rig_read_mac(r);
	return ret;
}

int rig_negotiate(struct rig *r, __u64 extra)
{
	__u64 features = rig_features(&r->c) | extra;

	r->packed = features & BIT64(VIRTIO_F_RING_PACKED);
	return vc_negotiate(&r->c, features);
}

int rig_memory(struct rig *r)
{
	int ret = vc_arena(&r->c);

	return ret ? ret : vc_arena_map(&r->c);
}

/* The largest size of one queue; newer kernels bound it by that of all. */
__u16 rig_vq_max(struct vdpa_client *c, unsigned int idx)
{
	__u32 num;

	if (vc_vring_get(c, VHOST_VDPA_GET_VRING_SIZE, idx, &num) || !num ||
	    num > c->vring_max)
		num = c->vring_max;
	return num < VQ_MAX_NUM ? num : VQ_MAX_NUM;
}

static __u16 rig_num(struct rig *r, unsigned int idx)
{
	unsigned int want = r->num ? r->num : RIG_NUM;
	unsigned int max = rig_vq_max(&r->c, idx);

	return want < max ? want : max;
}

static int rig_buffers(struct rig *r)
{
	unsigned int i;

	for (i = 0; i < RIG_NUM; i++) {
		r->rx_buf[i] = vc_alloc(&r->c, RIG_BUF, RIG_BUF);
		r->tx_buf[i] = vc_alloc(&r->c, RIG_BUF, RIG_BUF);
		if (!r->rx_buf[i] || !r->tx_buf[i])
			return -ENOMEM;
		r->tx_free[i] = r->tx_buf[i];
	}
	r->tx_nfree = RIG_NUM;
	return 0;
}

int rig_rings(struct rig *r)
{
	unsigned int i;
	int ret;

	for (i = 0; i < r->nvqs; i++) {
		ret = vq_init(&r->vq[i], &r->c, i, rig_num(r, i), r->packed);
		if (ret)
			return ret;
	}
	return rig_buffers(r);
}

int rig_attach(struct rig *r)
{
	unsigned int i;
	int ret = 0;

	for (i = 0; i < r->nvqs && !ret; i++)
		ret = vq_attach(&r->vq[i], vq_fresh_base(&r->vq[i]));
	return ret;
}

int rig_enable(struct rig *r, bool on)
{
	unsigned int i;
	int ret = 0;

	for (i = 0; i < r->nvqs && !ret; i++)
		ret = vc_vring(&r->c, VHOST_VDPA_SET_VRING_ENABLE, i, on);
	return ret;
}

/* -EPROTO when the device did not take DRIVER_OK, or took it and failed. */
int rig_driver_ok(struct rig *r)
{
	int ret = vc_add_status(&r->c, ST_DRIVER_OK);

	if (ret)
		return ret;
	ret = vc_get_status(&r->c);
	if (ret < 0)
		return ret;
	if (ret != (ST_NEGOTIATED | ST_DRIVER_OK))
		return -EPROTO;
	return 0;
}

static int rig_run(struct rig *r)
{
	int ret = rig_attach(r);

	if (!ret)
		ret = rig_enable(r, true);
	if (!ret)
		ret = rig_driver_ok(r);
	return ret;
}

/**
 * rig_up() - from a path to a running device
 * @r: filled in
 * @path: of the character device
 * @extra: features beyond the least that works
 *
 * Receive buffers are not posted; see net_post_rx().
 *
 * Return: 0, a negative errno, or -EPROTO when a status bit did not stick.
 */
int rig_up(struct rig *r, const char *path, __u64 extra)
{
	int ret = rig_open(r, path);

	if (!ret)
		ret = rig_negotiate(r, extra);
	if (!ret)
		ret = rig_memory(r);
	if (!ret)
		ret = rig_rings(r);
	if (!ret)
		ret = rig_run(r);
	return ret;
}

/* Reset, then everything from the start, with empty rings and the old maps. */
int rig_again(struct rig *r)
{
	unsigned int i;
	int ret;

	ret = vc_reset(&r->c);
	if (ret)
		return ret;
	for (i = 0; i < r->nvqs; i++)
		vq_clear(&r->vq[i]);
	memcpy(r->tx_free, r->tx_buf, sizeof(r->tx_free));
	r->tx_nfree = RIG_NUM;
	ret = vc_negotiate(&r->c, r->c.features);
	return ret ? ret : rig_run(r);
}

/* Reset, then on from these ring states, with the rings as they are. */
int rig_restart(struct rig *r, const __u32 *base)
{
	unsigned int i;
	int ret;

	ret = vc_reset(&r->c);
	if (!ret)
		ret = vc_negotiate(&r->c, r->c.features);
	for (i = 0; i < r->nvqs && !ret; i++)
		ret = vq_attach(&r->vq[i], base[i]);
	if (!ret)
		ret = rig_enable(r, true);
	return ret ? ret : rig_driver_ok(r);
}

void rig_close(struct rig *r)
{
	unsigned int i;

	vc_close(&r->c);
	for (i = 0; i < r->nvqs; i++)
		vq_close(&r->vq[i]);
}

static int net_post_one(struct rig *r, __u8 *buf)
{
	struct vq_seg seg = { vc_iova(&r->c, buf), RIG_BUF };

	return vq_add(&r->vq[NET_RX], &seg, 0, 1, buf);
}

/* Fills an empty receive ring, as far as buffers reach, and kicks. */
int net_post_rx(struct rig *r)
{
	unsigned int i, num = r->vq[NET_RX].num;
	int ret = 0;

	for (i = 0; i < num && i < RIG_NUM && !ret; i++)
		ret = net_post_one(r, r->rx_buf[i]);
	vq_kick(&r->vq[NET_RX]);
	return ret;
}

/* Lengths that cover the whole range, one per sequence number. */
__u32 net_frame_len(__u32 seq)
{
	return NET_MIN_FRAME + seq * 37 % (NET_MAX_FRAME - NET_MIN_FRAME + 1);
}

static __u8 frame_byte(__u32 seq, __u32 i)
{
	return seq * 131 + i * 7 + (i >> 8);
}

static void frame_fill(const struct rig *r, struct frame *f,
		       const __u8 *dst, __u32 seq, __u32 len)
{
	__u32 i;

	memcpy(f->dst, dst, sizeof(f->dst));
	memcpy(f->src, r->mac, sizeof(f->src));
	f->src[0] &= ~1;
	f->type = htobe16(FRAME_TYPE);
	f->magic = htobe16(FRAME_MAGIC);
	f->seq = htobe32(seq);
	f->len = htobe32(len);
	f->sender = htobe32(getpid());
	for (i = 0; i < len - sizeof(*f); i++)
		f->body[i] = frame_byte(seq, i);
}

/**
 * net_send() - put one frame on the transmit ring, without a kick
 * @r: the device
 * @dst: MAC address
 * @seq: sequence number
 * @len: bytes, NET_MIN_FRAME to NET_MAX_FRAME
 *
 * Return: 0, or -ENOSPC when the ring is full: reap and try again.
 */
int net_send(struct rig *r, const __u8 *dst, __u32 seq, __u32 len)
{
	struct vq_seg seg[2];
	__u8 *buf;
	int ret;

	if (!r->tx_nfree)
		return -ENOSPC;
	buf = r->tx_free[r->tx_nfree - 1];
	memset(buf, 0, NET_HDR);
	frame_fill(r, (struct frame *)(buf + NET_HDR), dst, seq, len);
	seg[0] = (struct vq_seg){ vc_iova(&r->c, buf), NET_HDR };
	seg[1] = (struct vq_seg){ vc_iova(&r->c, buf) + NET_HDR, len };
	ret = vq_add(&r->vq[NET_TX], seg, 2, 0, buf);
	if (!ret)
		r->tx_nfree--;
	return ret;
}

/* Takes back all completed frames; returns how many. */
unsigned int net_reap_tx(struct rig *r)
{
	unsigned int n = 0;
	__u32 len;
	void *buf;

	while ((buf = vq_get(&r->vq[NET_TX], &len))) {
		r->tx_free[r->tx_nfree++] = buf;
		n++;
	}
	r->tx_done += n;
	return n;
}

/* Waits until every frame sent is completed. */
int net_drain_tx(struct rig *r, int ms)
{
	struct vq *vq = &r->vq[NET_TX];

	while (vq_in_flight(vq)) {
		if (!vq_wait(vq, ms))
			return -ETIMEDOUT;
		net_reap_tx(r);
		if (vq->error)
			return vq->error;
	}
	return 0;
}

/* Sent by this very process, to this device: wires keep old frames at times. */
static bool frame_is_mine(const struct rig *r, const struct frame *f, __u32 n)
{
	return n >= sizeof(*f) && f->type == htobe16(FRAME_TYPE) &&
	       f->magic == htobe16(FRAME_MAGIC) &&
	       f->sender == htobe32(getpid()) &&
	       !memcmp(f->dst, r->mac, sizeof(f->dst));
}

/* -ENOENT: somebody else's frame. -EBADMSG: ours, damaged. */
static int frame_check(const struct rig *r, const struct frame *f, __u32 n,
		       __u32 *seq, __u32 *len)
{
	__u32 i;

	if (!frame_is_mine(r, f, n))
		return -ENOENT;
	*seq = be32toh(f->seq);
	*len = be32toh(f->len);
	if (*len < NET_MIN_FRAME || *len > n)
		return -EBADMSG;
	for (i = 0; i < *len - sizeof(*f); i++)
		if (f->body[i] != frame_byte(*seq, i))
			return -EBADMSG;
	return 0;
}

/**
 * net_recv() - take one frame of ours and give its buffer back
 * @r: the device
 * @seq: its sequence number
 * @len: its length
 *
 * Return: 0; -EAGAIN when there is none now; -EBADMSG when it was damaged;
 * any other error of the ring.
 */
int net_recv(struct rig *r, __u32 *seq, __u32 *len)
{
	struct vq *vq = &r->vq[NET_RX];
	__u32 used;
	__u8 *buf;
	int ret;

	do {
		buf = vq_get(vq, &used);
		if (!buf)
			return vq->error ? vq->error : -EAGAIN;
		if (used < NET_HDR || used > RIG_BUF)
			return -EBADMSG;
		ret = frame_check(r, (struct frame *)(buf + NET_HDR),
				  used - NET_HDR, seq, len);
		memset(buf, 0, used);
		if (net_post_one(r, buf))
			return -ENOSPC;
		vq_kick(vq);
	} while (ret == -ENOENT);
	return ret;
}

/* Gives every buffer back at once, until the process ends. */
static void *sink_thread(void *arg)
{
	struct rig *r = arg;
	__u32 seq, len;
	int ret;

	do {
		vq_called(&r->vq[NET_RX], 10);
		do {
			ret = net_recv(r, &seq, &len);
		} while (!ret);
	} while (ret == -EAGAIN || ret == -EBADMSG);
	return NULL;
}

/**
 * net_sink() - a device that swallows all frames, for as long as we live
 * @path: of the character device
 *
 * A wire may hold frames back while nobody takes them (QEMU's hub does), and
 * then the sender's ring stands still.
 *
 * Return: 0 or a negative errno.
 */
int net_sink(const char *path)
{
	struct rig *r = malloc(sizeof(*r));
	pthread_t thread;
	int ret;

	if (!r)
		return -ENOMEM;
	ret = rig_up(r, path, 0);
	if (!ret)
		ret = net_post_rx(r);
	if (!ret)
		ret = -pthread_create(&thread, NULL, sink_thread, r);
	return ret;
}

int blk_prepare(struct rig *r, struct blk_req *req)
{
	memset(req, 0, sizeof(*req));
	req->hdr_mem = vc_alloc(&r->c, sizeof(req->hdr), 64);
	req->data = vc_alloc(&r->c, VC_PAGE, VC_PAGE);
	req->status = vc_alloc(&r->c, 1, 64);
	return req->hdr_mem && req->data && req->status ? 0 : -ENOMEM;
}

/* Puts a request on the ring. */
int blk_put(struct rig *r, struct blk_req *req, __u32 type, __u64 sector,
	    __u32 len)
{
	struct vq_seg seg[3] = {
		{ vc_iova(&r->c, req->hdr_mem), sizeof(req->hdr) },
		{ vc_iova(&r->c, req->data), len },
		{ vc_iova(&r->c, req->status), 1 },
	};
	unsigned int nout = type == VIRTIO_BLK_T_OUT ? 2 : 1;

	req->hdr.type = htole32(type);
	req->hdr.sector = htole64(sector);
	memcpy(req->hdr_mem, &req->hdr, sizeof(req->hdr));
	*req->status = 0xff;
	return vq_add(&r->vq[0], seg, nout, 3 - nout, req);
}

/* The same, and kicks. */
int blk_submit(struct rig *r, struct blk_req *req, __u32 type,
	       __u64 sector, __u32 len)
{
	int ret = blk_put(r, req, type, sector, len);

	if (!ret)
		vq_kick(&r->vq[0]);
	return ret;
}

/* Waits for the next completion, which must be this request's. */
int blk_wait(struct rig *r, struct blk_req *req, int ms)
{
	__u32 len;

	if (!vq_wait(&r->vq[0], ms))
		return -ETIMEDOUT;
	if (vq_get(&r->vq[0], &len) != req)
		return r->vq[0].error ? r->vq[0].error : -EPROTO;
	return *req->status == VIRTIO_BLK_S_OK ? 0 : -EIO;
}

int blk_do(struct rig *r, struct blk_req *req, __u32 type, __u64 sector,
	   __u32 len)
{
	int ret = blk_submit(r, req, type, sector, len);

	return ret ? ret : blk_wait(r, req, RIG_WAIT_MS);
}
