// SPDX-License-Identifier: GPL-2.0
/* Block functions: a file is the disk. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "model.h"

#define SECTOR		512U
#define BLK_SEG_MAX	126
#define BLK_BOUNCE	0x100000U

/**
 * blk_features() - of a disk
 * @queues: that it has
 */
__u64 blk_features(unsigned int queues)
{
	return VIO_BIT(VIRTIO_F_VERSION_1) | VIO_BIT(VIRTIO_F_ACCESS_PLATFORM) |
	       VIO_BIT(VIRTIO_F_RING_RESET) |
	       VIO_BIT(VIRTIO_RING_F_INDIRECT_DESC) |
	       VIO_BIT(VIRTIO_RING_F_EVENT_IDX) |
	       VIO_BIT(VIRTIO_BLK_F_SEG_MAX) | VIO_BIT(VIRTIO_BLK_F_BLK_SIZE) |
	       VIO_BIT(VIRTIO_BLK_F_FLUSH) |
	       (queues > 1 ? VIO_BIT(VIRTIO_BLK_F_MQ) : 0);
}

/**
 * struct request - one request
 * @f: the function
 * @chain: its buffers
 * @at: where the data begins in the pieces that are read, or written
 * @len: bytes of data
 * @offset: on the disk
 */
struct request {
	struct fpga *f;
	const struct vio_chain *chain;
	__u32 at;
	__u32 len;
	__u64 offset;
};

static bool request_fits(const struct request *r)
{
	__u64 size = r->f->blk.config.capacity * SECTOR;

	return r->offset <= size && r->len <= size - r->offset &&
	       !(r->len % SECTOR);
}

/* Returns whether all of it went; -EFAULT for buffers that are not there. */
static int request_move(const struct request *r, bool in)
{
	static __u8 bounce[BLK_BOUNCE];
	__u32 done, n;

	for (done = 0; done < r->len; done += n) {
		int err;

		n = r->len - done < BLK_BOUNCE ? r->len - done : BLK_BOUNCE;
		if (in) {
			if (pread(r->f->blk.fd, bounce, n, r->offset + done) != n)
				return 0;
			err = vio_chain_write_at(r->f->v, r->chain, done, bounce, n);
		} else {
			err = vio_chain_read_at(r->f->v, r->chain, r->at + done,
						bounce, n);
			if (err >= 0 &&
			    pwrite(r->f->blk.fd, bounce, n, r->offset + done) != n)
				return 0;
		}
		if (err < 0)
			return err;
	}
	return 1;
}

/* Returns a VIRTIO_BLK_S_*, or -EFAULT; @written: bytes of data for the driver. */
static int request_do(struct fpga *f, const struct vio_chain *chain, __u32 in,
		      __u32 *written)
{
	struct virtio_blk_outhdr hdr;
	struct request r = { .f = f, .chain = chain };
	int ret = vio_chain_read(f->v, chain, &hdr, sizeof(hdr));

	*written = 0;
	if (ret < 0)
		return ret;
	if (ret != sizeof(hdr))
		return VIRTIO_BLK_S_IOERR;
	switch (hdr.type) {
	case VIRTIO_BLK_T_IN:
	case VIRTIO_BLK_T_OUT:
		break;
	case VIRTIO_BLK_T_FLUSH:
		return fdatasync(f->blk.fd) ? VIRTIO_BLK_S_IOERR : VIRTIO_BLK_S_OK;
	case VIRTIO_BLK_T_GET_ID:
		*written = in < VIRTIO_BLK_ID_BYTES ? in : VIRTIO_BLK_ID_BYTES;
		ret = vio_chain_write(f->v, chain, f->blk.serial, *written);
		return ret < 0 ? ret : VIRTIO_BLK_S_OK;
	default:
		return VIRTIO_BLK_S_UNSUPP;
	}
	r.offset = hdr.sector * SECTOR;
	r.at = sizeof(hdr);
	r.len = hdr.type == VIRTIO_BLK_T_IN ?
		in : vio_chain_len(chain, false) - (__u32)sizeof(hdr);
	if (hdr.sector > f->blk.config.capacity || !request_fits(&r))
		return VIRTIO_BLK_S_IOERR;
	ret = request_move(&r, hdr.type == VIRTIO_BLK_T_IN);
	if (ret > 0 && hdr.type == VIRTIO_BLK_T_IN)
		*written = in;
	return ret < 0 ? ret : ret ? VIRTIO_BLK_S_OK : VIRTIO_BLK_S_IOERR;
}

/* The last byte for the driver is the status. */
static int blk_request(struct fpga *f, unsigned int vq,
		       const struct vio_chain *chain)
{
	__u32 in = vio_chain_len(chain, true), written;
	__u8 status;
	int ret;

	if (!in)
		return -EPROTO;
	ret = request_do(f, chain, in - 1, &written);
	if (ret < 0)
		return ret;
	status = ret;
	ret = vio_chain_write_at(f->v, chain, in - 1, &status, sizeof(status));
	if (ret < 0)
		return ret;
	return vio_push(f->v, vq, chain->head, written + sizeof(status));
}

/**
 * blk_serve() - a queue may have requests
 * @f: the function
 * @vq: the queue
 */
void blk_serve(struct fpga *f, unsigned int vq)
{
	static struct vio_chain chain;
	unsigned int n = 0;

	if (f->lm.count && vq >= f->lm.count)
		return;
	while (vio_pop(f->v, vq, &chain) > 0) {
		if (blk_request(f, vq, &chain)) {
			vio_break(f->v);
			return;
		}
		n++;
	}
	if (n)
		vio_interrupt(f->v, vq);
}

/* A socket S.sock has the disk S.img. */
static int blk_open(const char *path, unsigned int mib)
{
	size_t len = strlen(path);
	char *image = malloc(len + 5);
	struct stat st;
	int fd;

	if (!image)
		return -1;
	memcpy(image, path, len + 1);
	if (len > 5 && !strcmp(image + len - 5, ".sock"))
		image[len - 5] = 0;
	strcat(image, ".img");
	fd = open(image, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	free(image);
	if (fd < 0)
		return -1;
	if (!fstat(fd, &st) && !st.st_size &&
	    ftruncate(fd, (off_t)mib << 20)) {
		close(fd);
		return -1;
	}
	return fd;
}

/**
 * blk_init() - a block function's own
 * @f: the function
 * @path: of the socket
 * @conf: what the command line says
 *
 * Return: 0, or -1 with errno set.
 */
int blk_init(struct fpga *f, const char *path, const struct fpga_conf *conf)
{
	struct blk *blk = &f->blk;
	struct stat st;

	blk->fd = blk_open(path, conf->disk_mib);
	if (blk->fd < 0 || fstat(blk->fd, &st))
		return -1;
	blk->config = (struct virtio_blk_config) {
		.capacity = st.st_size / SECTOR,
		.seg_max = BLK_SEG_MAX,
		.blk_size = SECTOR,
		.num_queues = conf->pairs,
	};
	snprintf(blk->serial, sizeof(blk->serial), "fpga%u.%u", conf->set,
		 conf->n);
	return 0;
}

/**
 * blk_exit() - the reverse of blk_init()
 * @f: the function
 */
void blk_exit(struct fpga *f)
{
	close(f->blk.fd);
}
