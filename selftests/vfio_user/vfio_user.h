/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A vfio-user server: a PCI function as a process.
 *
 * QEMU's vfio-user-pci is the client. It forwards every access to config space
 * and BARs over a unix socket, tells which IOVAs the VM's IOMMU driver mapped,
 * with file descriptors of the VM's memory, and passes an eventfd for each
 * interrupt. So one function is one socket, one client at a time.
 *
 *	struct vfu *f = vfu_create("/run/nic.sock", &my_ops, my_state);
 *
 *	vfu_pci_init(f, 0x1af4, 0x1041, 0x020000);
 *	vfu_pci_add_bar(f, 0, 0x10000, VFU_BAR_MEM64);
 *	vfu_pci_add_bar(f, 2, 0x1000, VFU_BAR_MEM32);
 *	vfu_pci_add_express(f);
 *	vfu_pci_add_msix(f, 8, 2, 0, 0x800);
 *	while (!vfu_poll(&f, 1, -1))
 *		;
 *
 * Everything runs in the caller's thread, inside vfu_poll(). Nothing that comes
 * from the socket is trusted: lengths, offsets and numbers are checked here,
 * before the function's ops see them.
 *
 * Source: QEMU, "vfio-user Protocol Specification"; <linux/vfio.h> for the
 * meaning of indices and flags. Hosts are little-endian.
 */
#ifndef VMDEV_VFIO_USER_H
#define VMDEV_VFIO_USER_H

#include <stdbool.h>
#include <stddef.h>

#include <linux/types.h>

#define VFU_BARS		6
#define VFU_CONFIG_SIZE		4096

struct pollfd;
struct vfu;

/**
 * struct vfu_ops - what a function does; each may be NULL
 * @config_read: the library filled @buf with @len bytes of config space from
 *	@offset; a chance to change what the peer sees. QEMU reads config space
 *	once when the function is plugged in, and answers some of the VM's reads
 *	from that copy: BARs, MSI-X, the chain of capabilities
 * @config_written: config space was written, the library did its part
 * @bar_read: @len bytes of a BAR; @buf is zeroed, all within the BAR
 * @bar_write: likewise
 * @reset: the bus or the VM resets the function (also FLR), or the client left.
 *	Config space is as after vfu_pci_*() again
 */
struct vfu_ops {
	void (*config_read)(struct vfu *f, __u32 offset, void *buf, __u32 len);
	void (*config_written)(struct vfu *f, __u32 offset, __u32 len);
	void (*bar_read)(struct vfu *f, unsigned int bar, __u64 offset,
			 void *buf, __u32 len);
	void (*bar_write)(struct vfu *f, unsigned int bar, __u64 offset,
			  const void *buf, __u32 len);
	void (*reset)(struct vfu *f);
};

/*
 * Functions that can fail return 0 or a negative errno, unless they say
 * otherwise.
 */

/* --- server.c ----------------------------------------------------------- */
struct vfu *vfu_create(const char *path, const struct vfu_ops *ops, void *priv);
void vfu_destroy(struct vfu *f);
void *vfu_priv(const struct vfu *f);
bool vfu_connected(const struct vfu *f);
int vfu_poll(struct vfu *const *functions, unsigned int n, int timeout_ms);
int vfu_poll_more(struct vfu *const *functions, unsigned int n,
		  struct pollfd *more, unsigned int nmore, int timeout_ms);

/* --- irq.c -------------------------------------------------------------- */
int vfu_irq(struct vfu *f, unsigned int vector);

/* --- dma.c -------------------------------------------------------------- */
/* What the device wants to do with memory. */
enum vfu_dma_access {
	VFU_DMA_READ	= 1,
	VFU_DMA_WRITE	= 2,
};

void *vfu_dma(struct vfu *f, __u64 iova, __u64 len, unsigned int access);
int vfu_dma_read(struct vfu *f, __u64 iova, void *buf, __u64 len);
int vfu_dma_write(struct vfu *f, __u64 iova, const void *buf, __u64 len);

/* --- pci.c -------------------------------------------------------------- */
enum vfu_bar_type {
	VFU_BAR_NONE,
	VFU_BAR_MEM32,
	VFU_BAR_MEM64,	/* takes the next BAR, too */
	VFU_BAR_IO,
};

void vfu_pci_init(struct vfu *f, __u16 vendor, __u16 device, __u32 class);
void vfu_pci_subsystem(struct vfu *f, __u16 vendor, __u16 device);
int vfu_pci_add_bar(struct vfu *f, unsigned int bar, __u64 size,
		    enum vfu_bar_type type);
int vfu_pci_add_cap(struct vfu *f, __u8 id, const void *body, __u8 len);
int vfu_pci_add_express(struct vfu *f);
int vfu_pci_add_msix(struct vfu *f, unsigned int vectors, unsigned int bar,
		     __u32 table, __u32 pba);
__u64 vfu_pci_bar_size(const struct vfu *f, unsigned int bar);
int vfu_pci_writable(struct vfu *f, __u32 offset, __u32 len);
void vfu_pci_config_get(const struct vfu *f, __u32 offset, void *buf,
			__u32 len);
void vfu_pci_config_set(struct vfu *f, __u32 offset, const void *buf,
			__u32 len);

#endif
