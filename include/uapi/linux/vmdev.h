/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * The dirty log of a vDPA device: /dev/vmdev/NAME, where NAME is the device's.
 *
 * Which pages of an address space did the device write since it was asked last?
 * For live migration by a VMM without shadow virtqueues of its own:
 *
 *	START			from its return on, all that the device writes is logged
 *	copy all memory
 *	REPORT, copy those pages	as often as it takes
 *	stop the device (VHOST_VDPA_SUSPEND), REPORT, copy those pages
 *	STOP
 *
 * It is the DMA logging of VFIO (VFIO_DEVICE_FEATURE_DMA_LOGGING_START, _STOP,
 * _REPORT), for address spaces of a vDPA device. Addresses are IOVAs: a page that
 * was unmapped stays in the log until it was reported.
 *
 * An error of INFO leaves everything as it was. If START fails nothing is logged; with
 * EOPNOTSUPP (a queue runs on hardware that has no log, and cannot be moved) and
 * EBUSY (somebody else logs, or requests do not finish) the device goes on as it
 * was, with any other error that is not about the arguments it may need a reset,
 * and says so (NEEDS_RESET). If REPORT fails the
 * pages that it had found may be in the caller's bitmap, in the log, or in both:
 * take all of the range for dirty, or give up.
 *
 * Every ioctl takes a structure that begins with its size, argsz, and flags, none
 * of which is defined so far. A later kernel may know a longer structure, which
 * means the same as this one where its end is zero; what this kernel does not know
 * and is not zero is refused with E2BIG.
 *
 * Errors of all: EFAULT; EINVAL for argsz too small, flags, reserved fields that are
 * not 0, or an address space that the device has not; E2BIG, see above; ENODEV
 * when the device was deleted; EINTR when the caller is being killed; ENOTTY.
 */
#ifndef _UAPI_LINUX_VMDEV_H
#define _UAPI_LINUX_VMDEV_H

#include <linux/ioctl.h>
#include <linux/types.h>

#define VMDEV_IOC_TYPE	0xBC

/**
 * struct vmdev_dirty_info - what the device can log
 * @argsz: in: size of the structure; out: the size that the kernel knows
 * @flags: in: 0; out: 0
 * @page_sizes: a bit for each page size, which is the value of the bit
 * @bytes_max: memory that the log of an address space may take; it needs a bit for
 *	each page, and little more
 * @ranges_max: ranges that START takes
 * @address_spaces: address spaces of the device, numbered from 0
 * @active: a bit for each address space that is being logged, by anybody
 */
struct vmdev_dirty_info {
	__u32 argsz;
	__u32 flags;
	__aligned_u64 page_sizes;
	__aligned_u64 bytes_max;
	__u32 ranges_max;
	__u32 address_spaces;
	__aligned_u64 active;
};

/**
 * struct vmdev_dirty_iova_range - IOVAs to log
 * @iova: the first
 * @length: how many
 */
struct vmdev_dirty_iova_range {
	__aligned_u64 iova;
	__aligned_u64 length;
};

/**
 * struct vmdev_dirty_start - begin to log an address space
 * @argsz: size of the structure
 * @flags: 0
 * @asid: the address space
 * @num_ranges: length of @ranges, 1 to ranges_max of INFO
 * @page_size: in: the page size that the caller would like, bytes, a power of two;
 *	out: the one that it got, which may be smaller or larger. It is one of INFO's,
 *	the nearest to what was asked for with which the log is not too large
 * @ranges: pointer to an array of struct vmdev_dirty_iova_range, in any order.
 *	Multiples of the page size that was asked for, as far as INFO has it, that
 *	do not overlap. What is outside of them is not logged
 */
struct vmdev_dirty_start {
	__u32 argsz;
	__u32 flags;
	__u32 asid;
	__u32 num_ranges;
	__aligned_u64 page_size;
	__aligned_u64 ranges;
};

/**
 * struct vmdev_dirty_report - what was written since START or the last REPORT?
 * @argsz: size of the structure
 * @flags: 0
 * @asid: the address space
 * @reserved: 0
 * @iova: first IOVA, a multiple of @page_size
 * @length: how many, a multiple of @page_size
 * @page_size: bytes that a bit of @bitmap stands for, one of INFO's. It need not be
 *	that of the log. A page of the log that is not all within the range is
 *	reported, and stays dirty
 * @bitmap: pointer to an array of __u64: bit N % 64 of word N / 64 stands for the
 *	page at @iova + N * @page_size. Bits are only ever set. The words must not be
 *	written by anybody else meanwhile
 */
struct vmdev_dirty_report {
	__u32 argsz;
	__u32 flags;
	__u32 asid;
	__u32 reserved;
	__aligned_u64 iova;
	__aligned_u64 length;
	__aligned_u64 page_size;
	__aligned_u64 bitmap;
};

/**
 * struct vmdev_dirty_stop - end logging
 * @argsz: size of the structure
 * @flags: 0
 * @asid: the address space
 * @reserved: 0
 */
struct vmdev_dirty_stop {
	__u32 argsz;
	__u32 flags;
	__u32 asid;
	__u32 reserved;
};

/* What can be logged? */
#define VMDEV_DIRTY_INFO	_IO(VMDEV_IOC_TYPE, 0)

/*
 * Begin. The logging belongs to the open file: the end of it (the last close, also
 * when a process dies) is a STOP.
 *
 * EBUSY: the address space is being logged already. EINVAL: no ranges, one that is
 * empty, not a multiple of the page size, or overlaps another; a page size that is
 * not a power of two. EOVERFLOW: a range that wraps around. E2BIG: too many ranges,
 * or too much memory even with the largest pages. ENOMEM. EOPNOTSUPP: a queue of the
 * device cannot be brought to where its writes are seen; the kernel's log names it.
 */
#define VMDEV_DIRTY_START	_IO(VMDEV_IOC_TYPE, 1)

/*
 * Read and clear. REPORTs of one file take turns.
 *
 * ENOENT: this file has no logging of that address space. EINVAL: an empty range or
 * one that is not a multiple of the page size; a page size that is not INFO's; a
 * bitmap that is not aligned to 8 bytes. EOVERFLOW: a range that wraps around.
 * ERANGE: some of it is in no range that START was given.
 */
#define VMDEV_DIRTY_REPORT	_IO(VMDEV_IOC_TYPE, 2)

/* End. What was not reported is lost. ENOENT: as REPORT. */
#define VMDEV_DIRTY_STOP	_IO(VMDEV_IOC_TYPE, 3)

#endif /* _UAPI_LINUX_VMDEV_H */
