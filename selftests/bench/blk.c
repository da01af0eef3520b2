// SPDX-License-Identifier: GPL-2.0
/* Requests to a block device, of a page each. */
#define _GNU_SOURCE
#include <endian.h>
#include <errno.h>
#include <linux/virtio_blk.h>
#include <string.h>

#include "bench.h"

#define BLK_SECTORS	(VC_PAGE / 512)
#define BLK_MAX		32

static const unsigned int blk_batches[] = { 1, BLK_MAX };

static void blk_offer(struct rig *r, struct blk_req *req, __u32 type, unsigned int i)
{
	struct vq_seg seg[3] = {
		{ vc_iova(&r->c, req->hdr_mem), sizeof(req->hdr) },
		{ vc_iova(&r->c, req->data), VC_PAGE },
		{ vc_iova(&r->c, req->status), 1 },
	};
	unsigned int nout = type == VIRTIO_BLK_T_OUT ? 2 : 1;

	req->hdr.type = htole32(type);
	req->hdr.sector = htole64(i * BLK_SECTORS);
	memcpy(req->hdr_mem, &req->hdr, sizeof(req->hdr));
	*req->status = 0xff;
	check("offer", vq_add(&r->vq[0], seg, nout, 3 - nout, req));
}

static double blk_batch(struct rig *r, struct blk_req *req, __u32 type, unsigned int batch)
{
	struct vq *vq = &r->vq[0];
	struct blk_req *done;
	struct meter m;
	unsigned int i;
	__u32 len;
	__u64 idle;

	meter_begin(&m);
	for (i = 0; i < batch; i++)
		blk_offer(r, &req[i], type, i);
	vq_kick(vq);
	idle = spin_used(vq, batch);
	for (i = 0; i < batch; i++) {
		done = vq_get(vq, &len);
		if (!done || *done->status != VIRTIO_BLK_S_OK)
			die("request", done ? -EIO : vq->error);
	}
	return (meter_end(&m) - idle) / batch;
}

static void blk_rounds(struct rig *r, struct blk_req *req, __u32 type, unsigned int batch,
		       unsigned int rounds)
{
	const char *how = type == VIRTIO_BLK_T_OUT ? "write" : "read";
	struct meter_set set;
	unsigned int i;

	if (!meter_wanted("blk-%s/%u", how, batch))
		return;
	meter_set_init(&set, rounds);
	for (i = 0; i < rounds; i++)
		meter_add(&set, blk_batch(r, req, type, batch));
	meter_report(&set, "blk-%s/%u", how, batch);
}

void case_blk(const struct bench *b)
{
	struct blk_req req[BLK_MAX];
	unsigned int i;
	struct rig r;

	check(b->dev, rig_open(&r, b->dev));
	check("features", rig_negotiate(&r, r.c.offered & BIT64(VIRTIO_RING_F_EVENT_IDX)));
	check("memory", rig_memory(&r));
	check("ring", vq_init(&r.vq[0], &r.c, 0, 128, false));
	vq_call_after(&r.vq[0], 0);
	check("rings", rig_attach(&r));
	check("enable", rig_enable(&r, true));
	check("DRIVER_OK", rig_driver_ok(&r));
	for (i = 0; i < BLK_MAX; i++)
		check("request", blk_prepare(&r, &req[i]));

	/* As in bench_tx(). What is written first is there when it is read. */
	meter_prio(METER_LAST);
	for (i = 0; i < ARRAY_SIZE(blk_batches); i++)
		blk_rounds(&r, req, VIRTIO_BLK_T_OUT, blk_batches[i], b->rounds);
	for (i = 0; i < ARRAY_SIZE(blk_batches); i++)
		blk_rounds(&r, req, VIRTIO_BLK_T_IN, blk_batches[i], b->rounds);
	meter_prio(METER_NORMAL);
	rig_close(&r);
}
