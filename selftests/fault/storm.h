/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A storm on vDPA devices: what its parts share.
 */
#ifndef VMDEV_STORM_H
#define VMDEV_STORM_H

#include <pthread.h>

#include "../vhost_vdpa/vdpa_client.h"
#include "lab.h"

#define STORM_TARGETS	3
#define STORM_QUEUES	2

/**
 * struct random - a sequence of its own for each thread, by the run's seed
 * @state: of the generator
 */
struct random {
	__u64 state;
};

void random_seed(struct random *r, __u64 seed, unsigned int nr);
unsigned int random_below(struct random *r, unsigned int n);

/**
 * struct target - a device under the storm
 * @name: of the vDPA device
 * @bdf: of its function; of one that is software: its management device
 * @soft: it is software
 * @blk: it is a disk, else a NIC
 * @c: its fd always has the same number, and is /dev/null when the device is
 *	closed: so every thread may use it at any moment
 * @open: it is the device
 * @kick: eventfds, that live as long as the program
 * @open_lock: one thread opens or closes, and none while the device is made
 * @run_lock: most of the time only one thread sets the device up, or none would succeed
 */
struct target {
	const char *name;
	const char *bdf;
	bool soft;
	bool blk;
	struct vdpa_client c;
	bool open;
	int kick[STORM_QUEUES];
	pthread_mutex_t open_lock;
	pthread_mutex_t run_lock;
};

/*
 * What users of a device do to it, and administrators; every call is counted by what came
 * of it. From OP_LOG on it is for devices that are software.
 */
enum storm_op {
	OP_OPEN, OP_CLOSE, OP_RUN, OP_RESET, OP_STATUS, OP_SUSPEND, OP_RESUME,
	OP_ENABLE, OP_RING, OP_BASE, OP_EVENTS, OP_CONFIG, OP_MAP, OP_UNMAP,
	OP_KICK, OP_BELL, OP_DUMP, OP_VSTATS, OP_MAC,
	OP_LOG, OP_UNLOAD, OP_DIR, OP_ATTR, OP_UP, OP_DOWN, OP_STATS, OP_XDP,
	OP_NETNS, OP_COUNT,
};

void storm_count(enum storm_op op, int err);
void storm_report(void);
bool storm_all_seen(__u32 spared);

int target_init(struct target *t, unsigned int nr);
void target_open(struct target *t);
void target_close(struct target *t);
void target_step(struct target *t, struct random *r);

/* Devices that are software: storm_soft.c. What a disk is over, if not RAM. */
#define SOFT_FILE	"/dev/shm/storm"

int soft_load(void);
int soft_unload(const struct target *disk);
int soft_admin_open(const char *programs);
void soft_admin_step(const struct target *t, struct random *r);

#endif
