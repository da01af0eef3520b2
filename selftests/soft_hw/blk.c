// SPDX-License-Identifier: GPL-2.0
/* A disk in memory. Requests finish in any order, also those to one sector. */
#include <linux/random.h>
#include <linux/slab.h>
#include <linux/unaligned.h>
#include <linux/vmalloc.h>
#include <uapi/linux/virtio_blk.h>
#include <uapi/linux/virtio_ids.h>

#include "soft_hw.h"

#define SOFT_SECTOR	512
#define SOFT_DISK	(16UL << 20)
#define SOFT_BOUNCE	PAGE_SIZE
#define SOFT_ID		"soft"

static int soft_blk_init(struct soft_hw *soft)
{
	struct virtio_blk_config *config = (void *)soft->config;

	BUILD_BUG_ON(offsetofend(struct virtio_blk_config, num_queues) >
		     SOFT_CONFIG);
	soft->disk = vzalloc(SOFT_DISK);
	soft->bounce = kmalloc(SOFT_BOUNCE, GFP_KERNEL);
	config->capacity = __cpu_to_virtio64(true, SOFT_DISK / SOFT_SECTOR);
	config->seg_max = __cpu_to_virtio32(true, SOFT_VQ_SIZE / 2);
	config->num_queues = __cpu_to_virtio16(true, SOFT_VQS);
	return soft->disk && soft->bounce ? 0 : -ENOMEM;
}

static void soft_blk_exit(struct soft_hw *soft)
{
	kfree(soft->bounce);
	vfree(soft->disk);
}

/* Data of a request, through the bounce buffer. */
static u8 soft_blk_data(struct soft_hw *soft, const struct soft_buf *buf,
			u64 at, u32 skip, u32 len, bool write)
{
	u32 n, done;

	if (at > SOFT_DISK || len > SOFT_DISK - at || len % SOFT_SECTOR)
		return VIRTIO_BLK_S_IOERR;
	for (done = 0; done < len; done += n) {
		n = min_t(u32, len - done, SOFT_BOUNCE);
		if (write && soft_read(soft, buf, skip + done, soft->bounce, n) == n)
			memcpy(soft->disk + at + done, soft->bounce, n);
		else if (write ||
			 soft_write(soft, buf, done, soft->disk + at + done, n) != n)
			return VIRTIO_BLK_S_IOERR;
	}
	return VIRTIO_BLK_S_OK;
}

static u8 soft_blk_write(struct soft_hw *soft, const struct soft_buf *buf,
			 u64 at, u32 skip)
{
	u32 len = buf->chain.read_len - skip;
	enum soft_fault fault = soft_fault_now();

	if (fault == SOFT_FAULT_LOSE)
		return VIRTIO_BLK_S_OK;
	if (fault == SOFT_FAULT_TWICE)
		soft->writes++;
	soft->writes++;
	return soft_blk_data(soft, buf, at, skip, len, true);
}

static u8 soft_blk_request(struct soft_hw *soft, const struct soft_buf *buf)
{
	u32 in = buf->chain.write_len - 1;
	struct virtio_blk_outhdr hdr;
	u64 at;

	if (soft_read(soft, buf, 0, &hdr, sizeof(hdr)) != sizeof(hdr))
		return VIRTIO_BLK_S_IOERR;
	at = __virtio64_to_cpu(true, hdr.sector);
	if (at > SOFT_DISK / SOFT_SECTOR)
		return VIRTIO_BLK_S_IOERR;
	at *= SOFT_SECTOR;

	switch (__virtio32_to_cpu(true, hdr.type)) {
	case VIRTIO_BLK_T_IN:
		return soft_blk_data(soft, buf, at, 0, in, false);
	case VIRTIO_BLK_T_OUT:
		return soft_blk_write(soft, buf, at, sizeof(hdr));
	case VIRTIO_BLK_T_FLUSH:
		return VIRTIO_BLK_S_OK;
	case VIRTIO_BLK_T_GET_ID:
		soft_write(soft, buf, 0, SOFT_ID, min_t(u32, in, sizeof(SOFT_ID)));
		return VIRTIO_BLK_S_OK;
	}
	return VIRTIO_BLK_S_UNSUPP;
}

static void soft_blk_do(struct soft_hw *soft, u16 i, unsigned int at)
{
	const struct soft_buf *buf = &soft->vqs[i].bufs[at];
	u32 len = buf->chain.write_len;
	u8 status;

	if (len) {
		status = soft_blk_request(soft, buf);
		soft_write(soft, buf, len - 1, &status, sizeof(status));
	}
	soft->done++;
	soft_vq_give(soft, i, at, len);
}

static void soft_blk_finish(struct soft_hw *soft, u16 i)
{
	while (soft->vqs[i].nbufs)
		soft_blk_do(soft, i, soft->vqs[i].nbufs - 1);
}

/* Some stay under way, as they do in a disk. */
static bool soft_blk_run(struct soft_hw *soft)
{
	bool more = false;
	u16 i;

	for (i = 0; i < SOFT_VQS; i++) {
		struct soft_vq *vq = &soft->vqs[i];
		u32 stay = get_random_u32_below(SOFT_DEPTH);

		if (!vq->on)
			continue;
		while (soft_vq_take(soft, i))
			;
		while (vq->nbufs > stay)
			soft_blk_do(soft, i, get_random_u32_below(vq->nbufs));
		more |= soft_vq_tell(soft, i) || vq->nbufs;
	}
	return more;
}

const struct soft_type soft_blk = {
	.id = VIRTIO_ID_BLOCK,
	.features = BIT_ULL(VIRTIO_BLK_F_SEG_MAX) | BIT_ULL(VIRTIO_BLK_F_FLUSH) |
		    BIT_ULL(VIRTIO_BLK_F_MQ),
	.init = soft_blk_init,
	.exit = soft_blk_exit,
	.run = soft_blk_run,
	.finish = soft_blk_finish,
};
