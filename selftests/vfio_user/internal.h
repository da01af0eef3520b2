/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Inside of the vfio-user server: messages, and what its files share.
 */
#ifndef VMDEV_VFU_INTERNAL_H
#define VMDEV_VFU_INTERNAL_H

#include <assert.h>

#include "vfio_user.h"

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
	      "the protocol is of the host's byte order, PCI is not");

/* Largest REGION_READ or REGION_WRITE, and what else a message has. */
#define VFU_XFER_MAX		65536U
#define VFU_MSG_MAX		(VFU_XFER_MAX + 64U)

/* File descriptors in one message, and MSI-X vectors (PCI 3.0, 6.8.2). */
#define VFU_FDS_MAX		16
#define VFU_VECTORS_MAX		2048

enum vfu_command {
	VFU_VERSION		= 1,
	VFU_DMA_MAP		= 2,
	VFU_DMA_UNMAP		= 3,
	VFU_GET_INFO		= 4,
	VFU_GET_REGION_INFO	= 5,
	VFU_GET_IRQ_INFO	= 7,
	VFU_SET_IRQS		= 8,
	VFU_REGION_READ		= 9,
	VFU_REGION_WRITE	= 10,
	VFU_DEVICE_RESET	= 13,
};

#define VFU_FLAG_TYPE		0xfU
#define VFU_FLAG_REPLY		0x1U
#define VFU_FLAG_NO_REPLY	0x10U
#define VFU_FLAG_ERROR		0x20U

struct vfu_header {
	__u16 id;
	__u16 command;
	__u32 size;
	__u32 flags;
	__u32 error;
};

struct vfu_msg_version {
	__u16 major;
	__u16 minor;
};

struct vfu_msg_dma_map {
	__u32 argsz;
	__u32 flags;
	__u64 offset;
	__u64 iova;
	__u64 size;
};

struct vfu_msg_dma_unmap {
	__u32 argsz;
	__u32 flags;
	__u64 iova;
	__u64 size;
};

struct vfu_msg_region {
	__u64 offset;
	__u32 region;
	__u32 count;
};

/**
 * struct vfu_msg - a request, complete
 * @header: its header
 * @body: what follows, @len bytes, 8-aligned
 * @len: bytes of @body
 * @fds: descriptors that came along; whoever keeps one sets it to -1
 * @nfds: their number
 */
struct vfu_msg {
	struct vfu_header header;
	__u8 *body;
	__u32 len;
	int fds[VFU_FDS_MAX];
	unsigned int nfds;
};

/**
 * struct vfu_memory - a file of the VM's memory, mapped whole
 * @dev: what tells it from others
 * @ino: likewise
 * @size: bytes
 * @host: where it is mapped, for reading and writing
 */
struct vfu_memory {
	__u64 dev;
	__u64 ino;
	__u64 size;
	__u8 *host;
};

/**
 * struct vfu_range - IOVAs that the device may use
 * @iova: first byte
 * @size: bytes
 * @host: the first byte in our address space; NULL where the peer had no file
 * @access: bits of enum vfu_dma_access
 */
struct vfu_range {
	__u64 iova;
	__u64 size;
	__u8 *host;
	unsigned int access;
};

/**
 * struct vfu_dma_map - all that the device may reach
 * @memory: files; they stay mapped until the client leaves
 * @nmemory: their number
 * @ranges: sorted by IOVA, none overlaps another, neighbours are merged
 * @n: their number
 * @room: ranges there is memory for
 * @last: index of the range that was used last, a hint
 */
struct vfu_dma_map {
	struct vfu_memory *memory;
	unsigned int nmemory;
	struct vfu_range *ranges;
	unsigned int n;
	unsigned int room;
	unsigned int last;
};

/**
 * struct vfu_bar - one BAR
 * @size: bytes, 0 if there is none
 * @type: kind
 */
struct vfu_bar {
	__u64 size;
	enum vfu_bar_type type;
};

/**
 * struct vfu_pci - config space
 * @config: as it is now
 * @reset: as it is after reset
 * @writable: bits that the peer may change
 * @bars: the BARs
 * @last_cap: the capability added last, 0 if none
 * @next_cap: where the next one goes
 * @express: where the PCI Express capability is, 0 if there is none
 * @vectors: size of the MSI-X table
 */
struct vfu_pci {
	__u8 config[VFU_CONFIG_SIZE];
	__u8 reset[VFU_CONFIG_SIZE];
	__u8 writable[VFU_CONFIG_SIZE];
	struct vfu_bar bars[VFU_BARS];
	__u8 last_cap;
	__u16 next_cap;
	__u8 express;
	unsigned int vectors;
};

/**
 * struct vfu - one function
 * @ops: what it does
 * @priv: of the owner
 * @path: of the socket
 * @listen_fd: where the client connects
 * @fd: the client, -1 if there is none
 * @buf: the request that is coming in, header first
 * @got: bytes of it so far
 * @msg: the same, when it is complete; its descriptors as they come
 * @greeted: VERSION was agreed upon
 * @dma: memory
 * @pci: config space
 * @irq: eventfd of each MSI-X vector, -1 for none
 */
struct vfu {
	const struct vfu_ops *ops;
	void *priv;
	char *path;
	int listen_fd;
	int fd;
	__u8 *buf;
	__u32 got;
	struct vfu_msg msg;
	bool greeted;
	struct vfu_dma_map dma;
	struct vfu_pci pci;
	int irq[VFU_VECTORS_MAX];
};

/* dma.c */
int vfu_dma_map(struct vfu *f, struct vfu_msg *msg);
int vfu_dma_unmap(struct vfu *f, struct vfu_msg *msg);
void vfu_dma_clear(struct vfu *f);

/* irq.c */
int vfu_irq_set(struct vfu *f, struct vfu_msg *msg);
void vfu_irq_clear(struct vfu *f);

/* pci.c */
void vfu_pci_reset(struct vfu *f);
int vfu_pci_region_read(struct vfu *f, __u32 region, __u64 offset, void *buf,
			__u32 len);
int vfu_pci_region_write(struct vfu *f, __u32 region, __u64 offset,
			 const void *buf, __u32 len);
__u64 vfu_pci_region_size(const struct vfu *f, __u32 region);

#endif
