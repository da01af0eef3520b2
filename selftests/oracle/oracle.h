/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The oracle of dirty logs: a guest with devices, and a VMM that copies its memory
 * by what the logs say. At the end of a copy both are compared, byte by byte.
 *
 * The program is both. What the guest's CPU writes goes to the copy at once, to the
 * byte (mem_put()): so what devices write, and nothing else, gets there by the log.
 * One thread does all of that, so a copied byte is never newer than what is copied
 * over it later.
 *
 * A run is made of choices, all from its seed. What the devices do meanwhile is up
 * to them: the same seed does the same things, and may meet other moments.
 */
#ifndef VMDEV_ORACLE_H
#define VMDEV_ORACLE_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "dirty_client.h"
#include "vdpa_rig.h"

#define PAGE		4096UL
#define MIB		0x100000UL
#define ATTR		__attribute__
#define MEM_MAX		(16 * MIB)

#define DEVS		2
#define QUEUES		5
#define CHAINS		256
#define SEGS		32
#define RANGES		4

/* --- choices: rng.c ---------------------------------------------------------------------- */
struct rng {
	__u64 state;
};

__u64 rng_next(struct rng *r);
/* Less than @n. */
__u32 rng_below(struct rng *r, __u32 n);
/* @lo to @hi, both included. */
__u32 rng_range(struct rng *r, __u32 lo, __u32 hi);
/* True once in @n times. */
bool rng_one_in(struct rng *r, __u32 n);
/* Choices that do not depend on how many were made before. */
struct rng rng_of(__u64 seed, __u64 a, __u64 b, __u64 c);

/* --- memory: memory.c -------------------------------------------------------------------- */
/* Memory is given out in pieces of this size. */
#define GRAIN		64UL

/**
 * struct owner - who had a grain last
 * @chain: number of its chain on that queue
 * @dev: device
 * @queue: queue
 * @what: enum owner_what
 * @busy: has it still
 */
struct owner {
	__u32 chain;
	__u8 dev;
	__u8 queue;
	__u8 what;
	bool busy;
};

enum owner_what { NOBODY, RING, TABLE, READ_BY_DEVICE, WRITTEN_BY_DEVICE };

/**
 * struct mem - guest memory and its copy
 * @now: guest memory
 * @copy: what the destination would have
 * @size: bytes of both
 * @iova: of the first byte
 * @owner: of each grain
 * @window_first: first grain of those that buffers are taken from
 * @window: how many
 * @todo: a bit for each page that is dirty and was not copied yet
 */
struct mem {
	__u8 *now;
	__u8 *copy;
	size_t size;
	__u64 iova;
	struct owner *owner;
	size_t window_first;
	size_t window;
	__u64 todo[MEM_MAX / PAGE / 64];
};

void mem_setup(struct mem *m);
void mem_choose(struct mem *m, struct rng *r);
__u64 mem_iova(const struct mem *m, const void *p);
/* The guest's CPU writes. */
void mem_put(struct mem *m, void *p, const void *from, size_t len);
void mem_put16(struct mem *m, __u16 *p, __u16 value);
/* What the CPU wrote without mem_put(), while no device ran. */
void mem_sync(struct mem *m, const void *p, size_t len);
/* @len bytes at any address with that alignment (1 to GRAIN); NULL if there are none. */
void *mem_get(struct mem *m, struct rng *r, size_t len, size_t align,
	      const struct owner *owner);
void mem_free(struct mem *m, const void *p, size_t len);
void mem_own(struct mem *m, const void *p, size_t len, const struct owner *owner);
/* Bytes that differ in a range; says which if @say. */
size_t mem_differ(const struct mem *m, size_t first, size_t len, bool say);

/* --- devices: guest.c, ring.c ------------------------------------------------------------ */
struct dev;

/**
 * struct chain - a buffer that a device has
 * @busy: it has it
 * @queue: of the device
 * @number: of those on that queue
 * @nout: pieces to read
 * @nin: pieces to write
 * @seg: pieces
 * @p: where they are
 * @table: indirect table, or NULL
 * @read_by_device: for the owner of pieces
 */
struct chain {
	bool busy;
	unsigned int queue;
	__u32 number;
	unsigned int nout;
	unsigned int nin;
	struct vq_seg seg[SEGS];
	__u8 *p[SEGS];
	void *table;
};

/**
 * struct log - the dirty log of a device
 * @fd: of /dev/vmdev/NAME
 * @on: START
 * @page_size: as it got it
 */
struct log {
	int fd;
	bool on;
	__u64 page_size;
};

/**
 * struct dev - a device of the guest
 * @name: vDPA device
 * @path: its vhost-vdpa device
 * @index: among those of the run
 * @net: a network device, else a disk
 * @c: its client
 * @vq: its queues
 * @nvqs: how many are used
 * @chains: of each queue
 * @next: number of the next chain, by queue
 * @count: chains that were made, by queue
 * @done: chains that came back, by queue
 * @doorbell: where it is mapped, or NULL
 * @packed: negotiated
 * @indirect: negotiated
 * @mergeable: negotiated
 * @in_order: negotiated
 * @suspended: no device works on it
 * @off: a bit for each queue that is disabled
 * @log: its dirty log
 * @policy: what was written last
 */
struct dev {
	const char *name;
	const char *path;
	unsigned int index;
	bool net;
	struct vdpa_client c;
	struct vq vq[QUEUES];
	unsigned int nvqs;
	struct chain (*chains)[CHAINS];
	__u32 next[QUEUES];
	__u32 count[QUEUES];
	__u32 done[QUEUES];
	void *doorbell[QUEUES];
	bool packed;
	bool indirect;
	bool mergeable;
	bool in_order;
	bool suspended;
	unsigned int off;
	struct log log;
	const char *policy;
};

/**
 * struct stats - what happened, to see that it did
 */
struct stats {
	unsigned long runs, rx, tx, reads, other, indirect, chained;
	unsigned long starts, refused, cancelled, reports, pages, compares;
	unsigned long half_written, switches, resumes, restarts, disables;
	unsigned long split, packed, doorbells, lost, direct;
	bool may_pack;
};

/**
 * struct run - one run
 * @seed: of its choices
 * @plan: what is done
 * @mem: guest memory
 * @dev: its devices
 * @ndevs: how many
 * @range: what is logged, and compared
 * @nranges: how many
 * @net_has_log: network devices log what they write, and are direct meanwhile
 * @smallest: entries that a ring has at least
 * @only_format: 0: any, 1: split, 2: packed
 * @verbose: say what is done
 */
struct run {
	__u64 seed;
	struct rng plan;
	struct mem *mem;
	struct dev dev[DEVS];
	unsigned int ndevs;
	struct vmdev_dirty_iova_range range[RANGES];
	unsigned int nranges;
	bool net_has_log;
	unsigned int smallest;
	unsigned int only_format;
	bool verbose;
};

extern struct stats stats;

/* Ends the program: 1 for a write that was missed, 2 for all else. */
void ATTR((noreturn, format(printf, 3, 4)))
run_fail(const struct run *run, int code, const char *fmt, ...);
void ATTR((format(printf, 2, 3))) run_say(const struct run *run, const char *fmt, ...);

#define MUST(run, expr) do {							\
	int _ret = (expr);							\
										\
	if (_ret)								\
		run_fail(run, 2, "%s:%d: %s: %s", __FILE__, __LINE__, #expr,	\
			 _ret < 0 ? strerror(-_ret) : "not 0");			\
} while (0)

bool ring_add(struct mem *m, struct dev *d, struct chain *chain, bool indirect);
void ring_event(struct mem *m, struct dev *d, unsigned int queue, struct rng *r);
void ring_kick(struct dev *d, unsigned int queue);

/* chain.c: the pieces of the next one of a queue. */
bool chain_make(struct run *run, struct dev *d, struct chain *chain);
bool chain_net_rx(struct run *run, struct dev *d, struct chain *chain, struct rng *r);
void chain_free(struct mem *m, struct chain *chain);

void dev_up(struct run *run, struct dev *d);
void dev_restart(struct run *run, struct dev *d);
/*
 * Where a direct queue was stopped cannot always be told, and then there is an error.
 * True if @ret is that one, and may be: then the guest has made its device work again.
 */
bool dev_lost(struct run *run, struct dev *d, int ret, bool was_direct);
bool dev_is_direct(struct run *run, const struct dev *d);
void dev_down(struct dev *d);
int dev_policy(struct run *run, struct dev *d, const char *policy);
void dev_suspend(struct run *run, struct dev *d);
void dev_resume(struct run *run, struct dev *d);
void dev_enable(struct run *run, struct dev *d, unsigned int queue, bool on);
void dev_check(struct run *run, struct dev *d);
/* Takes what came back, and gives up to @n new ones; returns how many came back. */
unsigned int dev_step(struct run *run, struct dev *d, unsigned int n);
unsigned int dev_reap(struct run *run, struct dev *d);
unsigned int dev_half_written(struct run *run, struct dev *d);

/* Until @n came back, or for a while. */
void traffic(struct run *run, unsigned int n);
void traffic_moves(struct run *run, struct dev *d);

/* --- the VMM: precopy.c ------------------------------------------------------------------ */
bool precopy_on(const struct run *run);
bool precopy_start(struct run *run);
void precopy_round(struct run *run);
void precopy_report(struct run *run);
void precopy_copy(struct run *run);
void precopy_cancel(struct run *run);
/* All devices are suspended: the last report, and the comparison. */
void precopy_finish(struct run *run);

/* --- the other end of the wire: peer.c --------------------------------------------------- */
int peer_start(const char *path);

/* --- runs: run.c, recycled.c ------------------------------------------------------------- */
void run_random(struct run *run);
void run_recycled(struct run *run, bool packed);

#endif
