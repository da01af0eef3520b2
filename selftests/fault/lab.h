/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What programs that provoke the modules need of the machine: sysfs, vDPA
 * netlink, modules, and a census of what may be left behind. No function here
 * allocates but lab_open(), so that a task may arm fail-nth and call them.
 *
 * Every function that can fail returns 0 or a negative errno.
 */
#ifndef VMDEV_FAULT_LAB_H
#define VMDEV_FAULT_LAB_H

#include <stdbool.h>

#include <linux/types.h>
#include <linux/vdpa.h>

#define PCI_DEVICES	"/sys/bus/pci/devices/"
#define VMDEV_PCI	"/sys/bus/pci/drivers/vmdev_pci/"
#define VDPA_DEVICES	"/sys/bus/vdpa/devices/"
#define VDPA_DRIVERS	"/sys/bus/vdpa/drivers/"

/* sysfs. Paths are given in pieces, which are joined. */
#define lab_path(...) lab_join((const char *[]){ __VA_ARGS__, NULL })
const char *lab_join(const char *const *pieces);
bool lab_exists(const char *path);
int lab_write(const char *path, const char *value);
int lab_read(const char *path, char *buf, unsigned int len);
long lab_number(const char *path);

/**
 * struct lab_vdpa - a vDPA device to add
 * @name: of the device
 * @mgmt: the management device: the address of a function, or the name of one that is on
 *	no bus
 * @mac: NULL for none asked for
 * @mtu: likewise 0
 * @vqp: likewise 0
 * @features: likewise 0
 */
struct lab_vdpa {
	const char *name;
	const char *mgmt;
	const __u8 *mac;
	__u16 mtu;
	__u16 vqp;
	__u64 features;
};

int lab_open(void);
int lab_dev_add(const struct lab_vdpa *dev);
int lab_dev_del(const char *name);
int lab_dev_mac(const char *name, const __u8 *mac);
int lab_dev_get(int cmd, const char *name);
int lab_dump(int cmd);

bool lab_dev_exists(const char *name);
bool lab_bound(const char *name);
int lab_bind(const char *name, const char *driver);
int lab_unbind(const char *name);
int lab_vhost(const char *name, char *path, unsigned int len);

bool lab_is_ours(const char *bdf);
int lab_take(const char *bdf);
int lab_release(const char *bdf);

/* @name stays, and its file is read the first time only. */
int lab_insmod(const char *name);
int lab_rmmod(const char *name);
bool lab_loaded(const char *name);

/**
 * struct lab_census - what there is of everything that could be left behind
 * @devices: vDPA devices
 * @irqs: interrupts of ours that are requested
 * @functions: PCI functions
 * @pinned: kB that this process has pinned
 * @pins: pages pinned by anybody
 */
struct lab_census {
	long devices;
	long irqs;
	long functions;
	long pinned;
	long pins;
};

void lab_count(struct lab_census *census);
const char *lab_compare(const struct lab_census *before,
			const struct lab_census *now);
long lab_pinned_kb(void);

#endif
