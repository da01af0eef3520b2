/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A small client of /dev/vhost-vdpa-N: one function per ioctl, the IOTLB
 * messages, and one piece of memory that the device may see.
 *
 * Every function that can fail returns 0 or a negative errno, never -1.
 */
#ifndef VMDEV_VDPA_CLIENT_H
#define VMDEV_VDPA_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/ioctl.h>

#include <linux/types.h>
#include <linux/vhost.h>
#include <linux/vhost_types.h>
#include <linux/virtio_config.h>
#include <linux/virtio_ids.h>

/* Newer than the headers of some hosts we build on. */
#ifndef VHOST_VDPA_RESUME
#define VHOST_VDPA_RESUME _IO(VHOST_VIRTIO, 0x7E)
#endif
#ifndef VHOST_VDPA_GET_VRING_DESC_GROUP
#define VHOST_VDPA_GET_VRING_DESC_GROUP	\
	_IOWR(VHOST_VIRTIO, 0x7F, struct vhost_vring_state)
#endif
#ifndef VHOST_VDPA_GET_VRING_SIZE
#define VHOST_VDPA_GET_VRING_SIZE	\
	_IOWR(VHOST_VIRTIO, 0x82, struct vhost_vring_state)
#endif
#ifndef VHOST_BACKEND_F_SUSPEND
#define VHOST_BACKEND_F_SUSPEND 0x4
#endif
#ifndef VHOST_BACKEND_F_RESUME
#define VHOST_BACKEND_F_RESUME 0x5
#endif
#ifndef VHOST_BACKEND_F_ENABLE_AFTER_DRIVER_OK
#define VHOST_BACKEND_F_ENABLE_AFTER_DRIVER_OK 0x6
#endif
#ifndef VHOST_BACKEND_F_DESC_ASID
#define VHOST_BACKEND_F_DESC_ASID 0x7
#endif
#ifndef VHOST_BACKEND_F_IOTLB_PERSIST
#define VHOST_BACKEND_F_IOTLB_PERSIST 0x8
#endif

#define BIT64(n) (1ULL << (n))
#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

/* The status ladder, by its steps. */
#define ST_ACK		VIRTIO_CONFIG_S_ACKNOWLEDGE
#define ST_DRIVER	VIRTIO_CONFIG_S_DRIVER
#define ST_DRIVER_OK	VIRTIO_CONFIG_S_DRIVER_OK
#define ST_FEATURES_OK	VIRTIO_CONFIG_S_FEATURES_OK
#define ST_NEEDS_RESET	VIRTIO_CONFIG_S_NEEDS_RESET
#define ST_FAILED	VIRTIO_CONFIG_S_FAILED
#define ST_NEGOTIATED	(ST_ACK | ST_DRIVER | ST_FEATURES_OK)

/* Where the arena goes if the device's IOVA range allows it. */
#define VC_ARENA_IOVA	0x40000000ULL
#define VC_ARENA_SIZE	(2UL << 20)

#define VC_PAGE		4096UL

/**
 * struct vdpa_client - one open device
 * @fd: of the character device, -1 when closed
 * @memfd: of the arena
 * @offered: device features
 * @backend: backend features
 * @features: what was set last
 * @device_id: virtio id
 * @config_size: bytes of config space
 * @nvqs: virtqueues
 * @ngroups: virtqueue groups
 * @nas: address spaces
 * @vring_max: largest ring size of any queue
 * @range: IOVAs that may be mapped
 * @mem: the arena in our address space
 * @mem_used: bytes of it given out
 * @iova: the arena for the device
 * @desc_at: descriptor areas of new rings begin so far from the beginning of a page
 */
struct vdpa_client {
	int fd;
	int memfd;
	__u64 offered;
	__u64 backend;
	__u64 features;
	__u32 device_id;
	__u32 config_size;
	__u32 nvqs;
	__u32 ngroups;
	__u32 nas;
	__u16 vring_max;
	struct vhost_vdpa_iova_range range;
	__u8 *mem;
	size_t mem_used;
	__u64 iova;
	unsigned int desc_at;
};

int vc_open(struct vdpa_client *c, const char *path);
void vc_close(struct vdpa_client *c);
int vc_ioctl(struct vdpa_client *c, unsigned long req, const void *arg);
int vc_unlimit_memlock(void);

int vc_set_owner(struct vdpa_client *c);
int vc_set_backend(struct vdpa_client *c, __u64 features);
int vc_set_features(struct vdpa_client *c, __u64 features);
int vc_get_features(struct vdpa_client *c, __u64 *features);
int vc_get_status(struct vdpa_client *c);
int vc_set_status(struct vdpa_client *c, __u8 status);
int vc_add_status(struct vdpa_client *c, __u8 bits);
int vc_reset(struct vdpa_client *c);
int vc_negotiate(struct vdpa_client *c, __u64 features);

int vc_get_config(struct vdpa_client *c, __u32 off, void *buf, __u32 len);
int vc_set_config(struct vdpa_client *c, __u32 off, const void *buf,
		  __u32 len);
int vc_set_config_call(struct vdpa_client *c, int fd);

int vc_vring(struct vdpa_client *c, unsigned long req, __u32 idx,
	     __u32 num);
int vc_vring_get(struct vdpa_client *c, unsigned long req, __u32 idx,
		 __u32 *num);
int vc_vring_file(struct vdpa_client *c, unsigned long req, __u32 idx,
		  int fd);
int vc_vring_addr(struct vdpa_client *c, __u32 idx, __u64 desc,
		  __u64 driver, __u64 device);
int vc_suspend(struct vdpa_client *c);
int vc_resume(struct vdpa_client *c);

int vc_iotlb(struct vdpa_client *c, const struct vhost_iotlb_msg *m,
	     __u32 asid);
int vc_map_as(struct vdpa_client *c, __u32 asid, __u64 iova, const void *p,
	      __u64 size);
int vc_map(struct vdpa_client *c, __u64 iova, const void *p, __u64 size);
int vc_unmap(struct vdpa_client *c, __u64 iova, __u64 size);
int vc_batch(struct vdpa_client *c, bool begin);

/* Set before the arena is made: it is one huge page, where there are any free. */
extern bool vc_huge_page;

int vc_arena(struct vdpa_client *c);
int vc_arena_map(struct vdpa_client *c);
void *vc_alloc(struct vdpa_client *c, size_t size, size_t align);
__u64 vc_iova(const struct vdpa_client *c, const void *p);

void *vc_doorbell(struct vdpa_client *c, __u32 idx);
void vc_ring(void *doorbell, __u16 idx);

/* A clock with a bound; every wait in this folder is made of these. */
__u64 vc_now_ms(void);
void vc_sleep_us(unsigned int us);

#endif
