/* SPDX-License-Identifier: GPL-2.0 */
/* What the test files of dirty_ioctl share. */
#ifndef VMDEV_DIRTY_TESTS_H
#define VMDEV_DIRTY_TESTS_H

#include "dirty_client.h"
#include "tap.h"

#define PAGE		4096ULL
#define MIB		0x100000ULL

/* Where most tests log, and a bitmap that suffices for it. */
#define LOG_IOVA	0x40000000ULL
#define LOG_SIZE	(64 * MIB)
#define LOG_PAGES	(LOG_SIZE / PAGE)

extern __u64 bitmap[LOG_PAGES / 64];

/**
 * struct test_opts - from the command line
 * @name: vDPA device
 * @bdf: its function
 * @path: its /dev/vmdev/NAME
 * @vhost: its vhost-vdpa device
 */
struct test_opts {
	const char *name;
	const char *bdf;
	char path[300];
	const char *vhost;
};

extern struct test_opts opts;

/* The device, open; with address space 0 logged. Failing ends the test. */
int test_open(void);
int test_started(void);

/* START and REPORT of the usual range; REPORT of all of it. */
int start(int fd, __u32 asid);
int report(int fd, __u32 asid);

#endif
