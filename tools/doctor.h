/* SPDX-License-Identifier: GPL-2.0 */
/* vmdev doctor: what its parts share. */
#ifndef VMDEV_DOCTOR_H
#define VMDEV_DOCTOR_H

#include "vmdev.h"

/* Room for a command that mends, or for what is wrong. */
#define LINE_SIZE	1024

/**
 * struct doctor - a visit
 * @bdf: of the function that it is about; "" for the machine
 * @memory: of a guest, bytes
 * @iommu: there is one that translates
 * @software: devices here are software, which needs none
 * @findings: how many so far
 */
struct doctor {
	char bdf[BDF_SIZE];
	uint64_t memory;
	bool iommu;
	bool software;
	unsigned int findings;
};

/* One thing that is wrong. @bdf: of a function, or NULL; @mend: the command that mends it. */
void finding(struct doctor *d, const char *check, const char *bdf, const char *mend,
	     const char *fmt, ...) __printf(5, 6);

void doctor_host(struct doctor *d);
void doctor_pci(struct doctor *d);

/* bind.c: is a function in use? @mend: a command that ends it, or "". */
bool function_in_use(const char *bdf, char why[LINE_SIZE], char mend[LINE_SIZE]);
/* Has it no registers of virtio's? Others than root are never told so. */
bool is_no_virtio(const char *bdf);

#endif
