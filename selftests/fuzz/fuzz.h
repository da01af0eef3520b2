/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A hostile user of vDPA devices: random calls on /dev/vhost-vdpa-N, on memory
 * that devices read, and on the vdpa netlink family.
 *
 * A call is an operation of a table and a few numbers, a program is a list of
 * calls. Numbers say what is meant ("the second kick eventfd"), never what the
 * process has (a descriptor, an address), so that a seed makes the same calls
 * wherever it runs. What a call means in full is worked out when it is made.
 */
#ifndef VMDEV_FUZZ_H
#define VMDEV_FUZZ_H

#include <limits.h>
#include <setjmp.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "vdpa_client.h"

#define FZ_ATTR __attribute__

#define FZ_ARGS		5
#define FZ_PROGRAM	96
#define FZ_TARGETS	4
#define FZ_QUEUES	8
#define FZ_DOORBELLS	4
#define FZ_NAME		300

/* --- random numbers ---------------------------------------------------- */

/**
 * struct fz_rng - a stream of random numbers
 * @state: of SplitMix64
 */
struct fz_rng {
	__u64 state;
};

__u64 fz_next(struct fz_rng *rng);
__u64 fz_below(struct fz_rng *rng, __u64 n);
__u64 fz_odd(struct fz_rng *rng);
__u64 fz_queue(struct fz_rng *rng, bool net);

/* True once in @n times. */
static inline bool fz_once(struct fz_rng *rng, unsigned int n)
{
	return !fz_below(rng, n);
}

/* --- calls ------------------------------------------------------------- */

struct fz_op;

/**
 * struct fz_call - one call
 * @op: what
 * @target: on which device, an index of fz_targets
 * @ptr: where its argument lies, enum fz_ptr
 * @a: meaning is the operation's
 */
struct fz_call {
	const struct fz_op *op;
	__u8 target;
	__u8 ptr;
	__u64 a[FZ_ARGS];
};

/**
 * struct fz_program - calls in a row
 * @n: how many
 * @call: the calls
 */
struct fz_program {
	unsigned int n;
	struct fz_call call[FZ_PROGRAM];
};

/**
 * struct fz_thread - who makes calls
 * @fd: what to use instead of a target's own file, or -1
 * @memory: pages for arguments: writable, none, read-only, none
 * @racer: is the second thread, which may not touch what the first one owns
 */
struct fz_thread {
	int fd[FZ_TARGETS];
	__u8 *memory;
	bool racer;
};

/* An operation that the second thread may do too. */
#define FZ_RACE		0x1
/* One that the driver answers in its own time: kept out of mutations. */
#define FZ_SLOW		0x2

/**
 * struct fz_op - an operation
 * @name: what is printed
 * @weight: how often among others
 * @flags: FZ_RACE, FZ_SLOW
 * @gen: make up the numbers of a call; target is chosen already
 * @run: do it; 0 or more is success, else a negative errno
 * @request: of ioctls
 * @calls: made so far
 * @good: of them were successful
 * @ns: time spent in them
 * @worst: longest of them, in ns
 */
struct fz_op {
	const char *name;
	unsigned int weight;
	unsigned int flags;
	void (*gen)(struct fz_rng *rng, struct fz_call *call);
	long (*run)(struct fz_thread *th, const struct fz_call *call);
	unsigned long request;
	__u64 calls, good, ns, worst;
};

#define FZ_OP(_name, _weight, _flags, _gen, _run, _request)		\
	{ .name = (_name), .weight = (_weight), .flags = (_flags),	\
	  .gen = (_gen), .run = (_run), .request = (_request) }

/* Tables, one for each file, ended by an entry without name. */
extern struct fz_op fz_ioctl_ops[], fz_iotlb_ops[], fz_guest_ops[],
	fz_netlink_ops[], fz_process_ops[], fz_target_ops[];

/* Where the argument of a call lies. */
enum fz_ptr {
	FZ_PTR_GOOD,
	FZ_PTR_NULL,
	FZ_PTR_KERNEL,
	FZ_PTR_UNMAPPED,
	FZ_PTR_STRADDLE,	/* its second half is missing */
	FZ_PTR_READ_ONLY,
	FZ_PTR_UNALIGNED,
	FZ_PTRS,
};

void *fz_place(struct fz_thread *th, const struct fz_call *call,
	       const void *data, size_t size);
void fz_thread_init(struct fz_thread *th, bool racer);

/* --- program.c: what is called ----------------------------------------- */

void fz_table_init(void);
void fz_table_report(const char *path);
const struct fz_op *fz_op(const char *name);
void fz_call_random(struct fz_rng *rng, struct fz_call *call,
		    unsigned int flags, int target);
void fz_call_print(FILE *file, const struct fz_call *call);
void fz_call_text(char *text, size_t size, const struct fz_call *call);
long fz_call_run(struct fz_thread *th, const struct fz_call *call);
void fz_program_fresh(struct fz_rng *rng, struct fz_program *prog);
void fz_program_bring_up(struct fz_rng *rng, struct fz_program *prog,
			 int target, unsigned int faults);
void fz_program_mutate(struct fz_rng *rng, struct fz_program *prog,
		       const struct fz_program *other);
void fz_program_race(struct fz_rng *rng, struct fz_program *prog, int target);

/* --- corpus.c: programs that reached something new ----------------------- */

int fz_corpus_init(const char *keep_to, const char *kept);
void fz_corpus_next(struct fz_rng *rng, struct fz_program *prog);
void fz_corpus_keep(__u64 number, const struct fz_program *prog,
		    bool is_new);
unsigned int fz_corpus_size(void);

/* --- cov.c: what was reached ---------------------------------------------- */

int fz_cov_init(void);
void fz_cov_start(void);
unsigned int fz_cov_stop(void);
unsigned int fz_cov_count(void);
void fz_cov_report(const char *path);

/* --- target.c: devices ------------------------------------------------- */

/**
 * struct fz_target - a management device, and one vDPA device of it
 * @label: what the command line calls it
 * @bus: of the management device, or NULL: then it makes any number of devices, and
 *	may be that of several targets
 * @mgmt: name of the management device: of a function on a bus, its address
 * @net: is a net device
 * @name: of the vDPA device, empty without one
 * @node: its character device, empty unless vhost_vdpa has it
 * @odd: somebody provisioned it in a way of his own
 * @fd: open file, or -1
 * @features: offered
 * @nvqs: queues
 * @config_size: bytes
 * @range: IOVAs
 * @kick: eventfds that queues are kicked with
 * @call: eventfds that queues call
 * @doorbell: mapped doorbells, or NULL
 * @doorbell_size: bytes of them
 */
struct fz_target {
	const char *label;
	const char *bus;
	const char *mgmt;
	bool net;
	char name[FZ_NAME];
	char node[64];
	bool odd;
	int fd;
	__u64 features;
	__u32 nvqs;
	__u32 config_size;
	struct vhost_vdpa_iova_range range;
	int kick[FZ_QUEUES];
	int call[FZ_QUEUES];
	__u8 *doorbell[FZ_DOORBELLS];
	size_t doorbell_size[FZ_DOORBELLS];
};

extern struct fz_target fz_targets[FZ_TARGETS];
extern unsigned int fz_ntargets;

int fz_target_add(char *arg);
int fz_target_ready(struct fz_target *t);
int fz_target_bind(struct fz_target *t, const char *driver);
void fz_target_look(struct fz_target *t);
bool fz_target_stray(const struct fz_target *t, char *name, size_t size);
int fz_target_open(struct fz_target *t, int flags);
void fz_target_close(struct fz_target *t);
void fz_target_learn(struct fz_target *t);
int fz_targets_check(char *why, size_t size);

static inline struct fz_target *fz_target(const struct fz_call *call)
{
	return &fz_targets[call->target % fz_ntargets];
}

/* The file that a thread uses for a target. */
static inline int fz_fd(const struct fz_thread *th, const struct fz_call *call)
{
	unsigned int i = call->target % fz_ntargets;

	return th->fd[i] >= 0 ? th->fd[i] : fz_targets[i].fd;
}

/* What a number means when a file descriptor is wanted; queue in bits 8-15. */
enum fz_file {
	FZ_FILE_OWN,		/* the eventfd that it ought to be */
	FZ_FILE_NONE,
	FZ_FILE_CLOSED,
	FZ_FILE_QUEUE_KICK,	/* some other queue's */
	FZ_FILE_QUEUE_CALL,
	FZ_FILE_OTHER_TARGET,
	FZ_FILE_SELF,
	FZ_FILE_MEMFD,
	FZ_FILE_EPOLL,
	FZ_FILE_PIPE,
	FZ_FILE_SOCKET,
	FZ_FILES,
};

int fz_files_init(void);
extern bool fz_no_shared_calls;
int fz_file(const struct fz_call *call, __u64 number, int own);
__u64 fz_file_gen(struct fz_rng *rng);

/* --- guest.c: memory that devices see ---------------------------------- */

/* All rings, and buffers behind them. */
#define FZ_ARENA_SIZE	(64 * VC_PAGE)
#define FZ_ARENA_IOVA	VC_ARENA_IOVA
#define FZ_RING_STRIDE	(4 * VC_PAGE)
#define FZ_RING_DRIVER	VC_PAGE
#define FZ_RING_DEVICE	(2 * VC_PAGE)
#define FZ_RING_NUM	64
#define FZ_BUFFERS	(FZ_QUEUES * FZ_RING_STRIDE)

/* Memory that comes and goes while it is mapped for a device. */
#define FZ_SCRATCH_SIZE	(32 * VC_PAGE)

extern __u8 *fz_arena, *fz_scratch;

int fz_guest_init(void);

/* Run something that may get a SIGBUS or SIGSEGV; false if it did. */
extern __thread sigjmp_buf fz_fault;
extern __thread sig_atomic_t fz_fault_armed;

#define fz_try() (!sigsetjmp(fz_fault, 1) && fz_fault_arm(1))
#define fz_tried() fz_fault_arm(0)

static inline bool fz_fault_arm(int on)
{
	__atomic_store_n(&fz_fault_armed, on, __ATOMIC_SEQ_CST);
	return true;
}

/* --- netlink.c: provisioning ------------------------------------------- */

int fz_netlink_init(void);
int fz_netlink_add(struct fz_target *t);
int fz_netlink_del(struct fz_target *t);

/* --- watch.c: whoever watches ------------------------------------------ */

/**
 * struct fz_shared - what the worker tells its supervisor
 * @calls: made so far
 * @programs: so far
 * @runs: how often a device got to DRIVER_OK
 * @beat: grows while the worker lives
 * @last: the last calls, as text
 * @digest: of all calls
 * @verdict: what went wrong
 */
struct fz_shared {
	__u64 calls;
	__u64 programs;
	__u64 runs;
	__u64 beat;
	struct fz_call last[64];
	__u64 digest;
	char verdict[1024];
};

extern struct fz_shared *fz_shared;

int fz_watch_init(void);
bool fz_watch_log(char *why, size_t size);
void fz_watch_note(const struct fz_call *call);
int fz_watch(int (*worker)(void), unsigned int stuck_seconds);
void FZ_ATTR((format(printf, 1, 2))) fz_say(const char *fmt, ...);
__u64 fz_now(void);

#endif
