// SPDX-License-Identifier: GPL-2.0
/* The ioctls and IOTLB messages of /dev/vhost-vdpa-N; see vdpa_client.h. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "vdpa_client.h"

bool vc_huge_page;

int vc_ioctl(struct vdpa_client *c, unsigned long req, const void *arg)
{
	int r = ioctl(c->fd, req, arg);

	return r < 0 ? -errno : r;
}

/* Groups and address spaces are optional: a parent without them has one. */
static int vc_query_shape(struct vdpa_client *c)
{
	int r;

	r = vc_ioctl(c, VHOST_VDPA_GET_VQS_COUNT, &c->nvqs);
	if (r)
		return r;
	if (vc_ioctl(c, VHOST_VDPA_GET_GROUP_NUM, &c->ngroups))
		c->ngroups = 1;
	if (vc_ioctl(c, VHOST_VDPA_GET_AS_NUM, &c->nas))
		c->nas = 1;
	return vc_ioctl(c, VHOST_VDPA_GET_VRING_NUM, &c->vring_max);
}

static int vc_query(struct vdpa_client *c)
{
	int r;

	r = vc_ioctl(c, VHOST_VDPA_GET_DEVICE_ID, &c->device_id);
	if (!r)
		r = vc_get_features(c, &c->offered);
	if (!r)
		r = vc_ioctl(c, VHOST_GET_BACKEND_FEATURES, &c->backend);
	if (!r)
		r = vc_ioctl(c, VHOST_VDPA_GET_CONFIG_SIZE, &c->config_size);
	if (!r)
		r = vc_ioctl(c, VHOST_VDPA_GET_IOVA_RANGE, &c->range);
	if (!r)
		r = vc_query_shape(c);
	return r;
}

/**
 * vc_open() - open a device and ask it all that never changes
 * @c: filled in
 * @path: of the character device
 *
 * Return: 0 or a negative errno.
 */
int vc_open(struct vdpa_client *c, const char *path)
{
	int r;

	memset(c, 0, sizeof(*c));
	c->memfd = -1;
	c->fd = open(path, O_RDWR | O_CLOEXEC);
	if (c->fd < 0)
		return -errno;
	r = vc_query(c);
	if (r)
		vc_close(c);
	return r;
}

void vc_close(struct vdpa_client *c)
{
	if (c->fd >= 0)
		close(c->fd);
	c->fd = -1;
	if (c->mem)
		munmap(c->mem, VC_ARENA_SIZE);
	c->mem = NULL;
	if (c->memfd >= 0)
		close(c->memfd);
	c->memfd = -1;
}

/* vhost counts pinned pages against the limit, root or not. */
int vc_unlimit_memlock(void)
{
	struct rlimit rl = { RLIM_INFINITY, RLIM_INFINITY };

	return setrlimit(RLIMIT_MEMLOCK, &rl) ? -errno : 0;
}

int vc_set_owner(struct vdpa_client *c)
{
	return vc_ioctl(c, VHOST_SET_OWNER, NULL);
}

int vc_set_backend(struct vdpa_client *c, __u64 features)
{
	return vc_ioctl(c, VHOST_SET_BACKEND_FEATURES, &features);
}

int vc_set_features(struct vdpa_client *c, __u64 features)
{
	int r = vc_ioctl(c, VHOST_SET_FEATURES, &features);

	if (!r)
		c->features = features;
	return r;
}

int vc_get_features(struct vdpa_client *c, __u64 *features)
{
	return vc_ioctl(c, VHOST_GET_FEATURES, features);
}

int vc_get_status(struct vdpa_client *c)
{
	__u8 status;
	int r = vc_ioctl(c, VHOST_VDPA_GET_STATUS, &status);

	return r ? r : status;
}

int vc_set_status(struct vdpa_client *c, __u8 status)
{
	return vc_ioctl(c, VHOST_VDPA_SET_STATUS, &status);
}

int vc_add_status(struct vdpa_client *c, __u8 bits)
{
	int status = vc_get_status(c);

	return status < 0 ? status : vc_set_status(c, status | bits);
}

int vc_reset(struct vdpa_client *c)
{
	return vc_set_status(c, 0);
}

/**
 * vc_negotiate() - from reset to FEATURES_OK
 * @c: the device
 * @features: to be accepted
 *
 * Return: 0, a negative errno, or -EPROTO when FEATURES_OK did not stick.
 */
int vc_negotiate(struct vdpa_client *c, __u64 features)
{
	int r = vc_set_status(c, ST_ACK);

	if (!r)
		r = vc_add_status(c, ST_DRIVER);
	if (!r)
		r = vc_set_features(c, features);
	if (!r)
		r = vc_add_status(c, ST_FEATURES_OK);
	if (r)
		return r;
	r = vc_get_status(c);
	if (r < 0)
		return r;
	return r & ST_FEATURES_OK ? 0 : -EPROTO;
}

static int vc_config(struct vdpa_client *c, unsigned long req, __u32 off,
		     void *buf, __u32 len)
{
	struct vhost_vdpa_config *config = malloc(sizeof(*config) + len);
	int r;

	if (!config)
		return -ENOMEM;
	config->off = off;
	config->len = len;
	memcpy(config->buf, buf, len);
	r = vc_ioctl(c, req, config);
	if (!r && req == VHOST_VDPA_GET_CONFIG)
		memcpy(buf, config->buf, len);
	free(config);
	return r;
}

int vc_get_config(struct vdpa_client *c, __u32 off, void *buf, __u32 len)
{
	return vc_config(c, VHOST_VDPA_GET_CONFIG, off, buf, len);
}

int vc_set_config(struct vdpa_client *c, __u32 off, const void *buf,
		  __u32 len)
{
	return vc_config(c, VHOST_VDPA_SET_CONFIG, off, (void *)buf, len);
}

int vc_set_config_call(struct vdpa_client *c, int fd)
{
	return vc_ioctl(c, VHOST_VDPA_SET_CONFIG_CALL, &fd);
}

int vc_vring(struct vdpa_client *c, unsigned long req, __u32 idx,
	     __u32 num)
{
	struct vhost_vring_state s = { .index = idx, .num = num };

	return vc_ioctl(c, req, &s);
}

int vc_vring_get(struct vdpa_client *c, unsigned long req, __u32 idx,
		 __u32 *num)
{
	struct vhost_vring_state s = { .index = idx };
	int r = vc_ioctl(c, req, &s);

	*num = s.num;
	return r;
}

int vc_vring_file(struct vdpa_client *c, unsigned long req, __u32 idx,
		  int fd)
{
	struct vhost_vring_file f = { .index = idx, .fd = fd };

	return vc_ioctl(c, req, &f);
}

int vc_vring_addr(struct vdpa_client *c, __u32 idx, __u64 desc,
		  __u64 driver, __u64 device)
{
	struct vhost_vring_addr a = {
		.index = idx,
		.desc_user_addr = desc,
		.avail_user_addr = driver,
		.used_user_addr = device,
	};

	return vc_ioctl(c, VHOST_SET_VRING_ADDR, &a);
}

int vc_suspend(struct vdpa_client *c)
{
	return vc_ioctl(c, VHOST_VDPA_SUSPEND, NULL);
}

int vc_resume(struct vdpa_client *c)
{
	return vc_ioctl(c, VHOST_VDPA_RESUME, NULL);
}

int vc_iotlb(struct vdpa_client *c, const struct vhost_iotlb_msg *m,
	     __u32 asid)
{
	struct vhost_msg_v2 msg;
	ssize_t n;

	memset(&msg, 0, sizeof(msg));
	msg.type = VHOST_IOTLB_MSG_V2;
	msg.asid = asid;
	msg.iotlb = *m;
	n = write(c->fd, &msg, sizeof(msg));
	if (n < 0)
		return -errno;
	return n == sizeof(msg) ? 0 : -EIO;
}

/* Into one of the address spaces. */
int vc_map_as(struct vdpa_client *c, __u32 asid, __u64 iova, const void *p,
	      __u64 size)
{
	struct vhost_iotlb_msg m = {
		.iova = iova,
		.size = size,
		.uaddr = (uintptr_t)p,
		.perm = VHOST_ACCESS_RW,
		.type = VHOST_IOTLB_UPDATE,
	};

	return vc_iotlb(c, &m, asid);
}

int vc_map(struct vdpa_client *c, __u64 iova, const void *p, __u64 size)
{
	return vc_map_as(c, 0, iova, p, size);
}

int vc_unmap(struct vdpa_client *c, __u64 iova, __u64 size)
{
	struct vhost_iotlb_msg m = {
		.iova = iova,
		.size = size,
		.type = VHOST_IOTLB_INVALIDATE,
	};

	return vc_iotlb(c, &m, 0);
}

int vc_batch(struct vdpa_client *c, bool begin)
{
	struct vhost_iotlb_msg m = {
		.type = begin ? VHOST_IOTLB_BATCH_BEGIN : VHOST_IOTLB_BATCH_END,
	};

	return vc_iotlb(c, &m, 0);
}

static __u64 vc_pick_iova(const struct vdpa_client *c)
{
	if (c->range.first <= VC_ARENA_IOVA &&
	    c->range.last >= VC_ARENA_IOVA + VC_ARENA_SIZE - 1)
		return VC_ARENA_IOVA;
	return (c->range.first + VC_PAGE - 1) & ~(VC_PAGE - 1);
}

static void *vc_arena_of(struct vdpa_client *c, unsigned int flags)
{
	void *p = MAP_FAILED;

	c->memfd = memfd_create("vdpa-arena", MFD_CLOEXEC | flags);
	if (c->memfd >= 0 && !ftruncate(c->memfd, VC_ARENA_SIZE))
		p = mmap(NULL, VC_ARENA_SIZE, PROT_READ | PROT_WRITE,
			 MAP_SHARED | MAP_POPULATE, c->memfd, 0);
	if (p == MAP_FAILED && c->memfd >= 0) {
		close(c->memfd);
		c->memfd = -1;
	}
	return p;
}

/**
 * vc_arena() - make the memory that rings and buffers are taken from
 * @c: the device
 *
 * It is a shared memfd, since parents that take virtual addresses pass
 * silently over anything else. It is not mapped for the device yet.
 *
 * Return: 0 or a negative errno.
 */
int vc_arena(struct vdpa_client *c)
{
	void *p = MAP_FAILED;

	if (vc_huge_page)
		p = vc_arena_of(c, MFD_HUGETLB);
	if (p == MAP_FAILED)
		p = vc_arena_of(c, 0);
	if (p == MAP_FAILED)
		return -errno;
	c->mem = p;
	c->iova = vc_pick_iova(c);
	return 0;
}

int vc_arena_map(struct vdpa_client *c)
{
	return vc_map(c, c->iova, c->mem, VC_ARENA_SIZE);
}

/* From the arena, zeroed; NULL when it is full. Nothing is ever given back. */
void *vc_alloc(struct vdpa_client *c, size_t size, size_t align)
{
	size_t off = (c->mem_used + align - 1) & ~(align - 1);

	if (off + size > VC_ARENA_SIZE)
		return NULL;
	c->mem_used = off + size;
	return c->mem + off;
}

__u64 vc_iova(const struct vdpa_client *c, const void *p)
{
	return c->iova + ((const __u8 *)p - c->mem);
}

/* The doorbell page of a queue, or NULL with errno set. */
void *vc_doorbell(struct vdpa_client *c, __u32 idx)
{
	void *p = mmap(NULL, VC_PAGE, PROT_WRITE, MAP_SHARED, c->fd,
		       (off_t)idx * VC_PAGE);

	return p == MAP_FAILED ? NULL : p;
}

/* A doorbell takes the queue's number, after all that was written before. */
void vc_ring(void *doorbell, __u16 idx)
{
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	__atomic_store_n((__u16 *)doorbell, idx, __ATOMIC_RELAXED);
}

__u64 vc_now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000ULL + ts.tv_nsec / 1000000;
}

void vc_sleep_us(unsigned int us)
{
	struct timespec ts = { us / 1000000, (us % 1000000) * 1000L };

	nanosleep(&ts, NULL);
}
