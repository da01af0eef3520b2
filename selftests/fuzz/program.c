// SPDX-License-Identifier: GPL-2.0
/*
 * Programs: how calls are made up, put in a row, changed, and made.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "fuzz.h"

#define FZ_OPS 192

/* Of a program that was made of others. */
#define FZ_SLOW_MAX 1

static struct fz_op *ops[FZ_OPS];
static unsigned int nops;

/* --- random numbers ---------------------------------------------------- */

/**
 * fz_next() - the next random number (SplitMix64, public domain)
 * @rng: the stream
 */
__u64 fz_next(struct fz_rng *rng)
{
	__u64 z = rng->state += 0x9e3779b97f4a7c15ULL;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
	return z ^ (z >> 31);
}

/**
 * fz_below() - a number below another
 * @rng: the stream
 * @n: the other; 0 is taken for 1
 */
__u64 fz_below(struct fz_rng *rng, __u64 n)
{
	return n ? fz_next(rng) % n : 0;
}

/**
 * fz_odd() - a number that breaks things: an edge, a bit, or noise
 * @rng: the stream
 */
__u64 fz_odd(struct fz_rng *rng)
{
	static const __u64 edges[] = {
		0, 1, 2, 3, 7, 8, 0x7f, 0x80, 0xff, 0x100, 0x7ff, 0xfff, 0x1000,
		0x1001, 0x7fff, 0x8000, 0xffff, 0x10000, 0x7fffffff, 0x80000000,
		0xfee00000, 0xffffffff, 0x100000000, 0x7fffffffffffffff,
		0x8000000000000000, 0xfffffffffffff000, 0xffffffffffffffff,
	};

	switch (fz_below(rng, 4)) {
	case 0:
		return 1ULL << fz_below(rng, 64);
	case 1:
		return fz_next(rng) >> fz_below(rng, 64);
	default:
		return edges[fz_below(rng, ARRAY_SIZE(edges))];
	}
}

/**
 * fz_queue() - number of a queue, as a rule one that exists
 * @rng: the stream
 * @net: of a net device, which has more than one
 */
__u64 fz_queue(struct fz_rng *rng, bool net)
{
	if (fz_once(rng, 24))
		return fz_odd(rng);
	return net || fz_once(rng, 4) ? fz_below(rng, 5) : 0;
}

/* --- the table --------------------------------------------------------- */

static void table_add(struct fz_op *op)
{
	for (; op->name && nops < FZ_OPS; op++)
		ops[nops++] = op;
}

/** fz_table_init() - collect the operations of all files */
void fz_table_init(void)
{
	table_add(fz_ioctl_ops);
	table_add(fz_iotlb_ops);
	table_add(fz_guest_ops);
	table_add(fz_target_ops);
	table_add(fz_netlink_ops);
	table_add(fz_process_ops);
}

/**
 * fz_table_report() - how often each operation was called, and how it went
 * @path: file to write it to; NULL for none
 */
void fz_table_report(const char *path)
{
	FILE *file = path ? fopen(path, "we") : NULL;
	unsigned int i;

	if (!file)
		return;
	fprintf(file, "%-26s %9s %9s %9s %9s\n", "operation", "calls", "good",
		"mean us", "worst us");
	for (i = 0; i < nops; i++)
		fprintf(file, "%-26s %9llu %9llu %9llu %9llu\n", ops[i]->name,
			(unsigned long long)ops[i]->calls,
			(unsigned long long)ops[i]->good,
			(unsigned long long)(ops[i]->ns / 1000 /
					     (ops[i]->calls ? : 1)),
			(unsigned long long)(ops[i]->worst / 1000));
	fclose(file);
}

/**
 * fz_op() - find an operation
 * @name: its name, which must be there
 */
const struct fz_op *fz_op(const char *name)
{
	unsigned int i;

	for (i = 0; i < nops; i++)
		if (!strcmp(ops[i]->name, name))
			return ops[i];
	fprintf(stderr, "vdpa_fuzz: no operation %s\n", name);
	abort();
}

/* --- calls ------------------------------------------------------------- */

static const struct fz_op *op_random(struct fz_rng *rng, unsigned int flags)
{
	unsigned int i, sum = 0;
	__u64 at;

	for (i = 0; i < nops; i++)
		if ((ops[i]->flags & flags) == flags)
			sum += ops[i]->weight;
	at = fz_below(rng, sum);
	for (i = 0; i < nops; i++) {
		if ((ops[i]->flags & flags) != flags)
			continue;
		if (at < ops[i]->weight)
			break;
		at -= ops[i]->weight;
	}
	return ops[i];
}

static void call_gen(struct fz_rng *rng, struct fz_call *call)
{
	memset(call->a, 0, sizeof(call->a));
	call->ptr = FZ_PTR_GOOD;
	if (call->op->gen)
		call->op->gen(rng, call);
	if (fz_once(rng, 40))
		call->ptr = fz_below(rng, FZ_PTRS);
}

/**
 * fz_call_random() - make up a call
 * @rng: random numbers
 * @call: the call
 * @flags: that its operation must have
 * @target: on which device; negative for any
 */
void fz_call_random(struct fz_rng *rng, struct fz_call *call,
		    unsigned int flags, int target)
{
	call->op = op_random(rng, flags);
	call->target = target < 0 ? fz_below(rng, fz_ntargets) : (unsigned int)target;
	call_gen(rng, call);
}

/**
 * fz_call_text() - a call in words
 * @text: where to
 * @size: of it
 * @call: the call
 */
void fz_call_text(char *text, size_t size, const struct fz_call *call)
{
	if (!call->op) {
		snprintf(text, size, "nothing");
		return;
	}
	snprintf(text, size, "%s %s ptr=%u %#llx %#llx %#llx %#llx %#llx",
		 fz_targets[call->target].label, call->op->name, call->ptr,
		 (unsigned long long)call->a[0], (unsigned long long)call->a[1],
		 (unsigned long long)call->a[2], (unsigned long long)call->a[3],
		 (unsigned long long)call->a[4]);
}

/**
 * fz_call_print() - print a call
 * @file: where to
 * @call: the call
 */
void fz_call_print(FILE *file, const struct fz_call *call)
{
	char text[256];

	fz_call_text(text, sizeof(text), call);
	fprintf(file, "%s\n", text);
	fflush(file);
}

/**
 * fz_call_run() - make a call
 * @th: who makes it
 * @call: the call
 *
 * Return: what the operation says.
 */
long fz_call_run(struct fz_thread *th, const struct fz_call *call)
{
	struct fz_op *op = (struct fz_op *)call->op;
	__u64 start = fz_now(), ns;
	long ret = op->run(th, call);

	ns = fz_now() - start;
	/* Only the first thread's figures add up. */
	if (th->racer)
		return ret;
	op->calls++;
	op->good += ret >= 0;
	op->ns += ns;
	if (ns > op->worst)
		op->worst = ns;
	return ret;
}

/**
 * fz_thread_init() - get memory for arguments
 * @th: the thread
 * @racer: it is the second one
 */
void fz_thread_init(struct fz_thread *th, bool racer)
{
	unsigned int i;

	th->racer = racer;
	for (i = 0; i < FZ_TARGETS; i++)
		th->fd[i] = -1;
	th->memory = mmap(NULL, 4 * VC_PAGE, PROT_NONE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	mprotect(th->memory, VC_PAGE, PROT_READ | PROT_WRITE);
	mprotect(th->memory + 2 * VC_PAGE, VC_PAGE, PROT_READ | PROT_WRITE);
}

/**
 * fz_place() - put an argument where the call wants it to lie
 * @th: whose memory
 * @call: says where
 * @data: what the argument is; NULL for zeroes
 * @size: bytes, at most half a page
 *
 * Return: a pointer for the kernel, not to be used by us.
 */
void *fz_place(struct fz_thread *th, const struct fz_call *call,
	       const void *data, size_t size)
{
	__u8 *at = th->memory;

	switch (call->ptr) {
	case FZ_PTR_NULL:
		return NULL;
	case FZ_PTR_KERNEL:
		return (void *)0xffff888000100000ULL;
	case FZ_PTR_UNMAPPED:
		return th->memory + VC_PAGE;
	case FZ_PTR_STRADDLE:
		at += VC_PAGE - size / 2;
		if (data)
			memcpy(at, data, size / 2);
		return at;
	case FZ_PTR_READ_ONLY:
		at += 2 * VC_PAGE;
		mprotect(at, VC_PAGE, PROT_READ | PROT_WRITE);
		if (data)
			memcpy(at, data, size);
		mprotect(at, VC_PAGE, PROT_READ);
		return at;
	case FZ_PTR_UNALIGNED:
		at += 1;
		break;
	}
	if (data)
		memcpy(at, data, size);
	else
		memset(at, 0, size);
	return at;
}

/* --- programs ---------------------------------------------------------- */

/* One chance in @faults that a step of a bring-up is not what it should be. */
struct fz_builder {
	struct fz_rng *rng;
	struct fz_program *prog;
	int target;
	unsigned int faults;
};

static void step(struct fz_builder *b, const char *name, __u64 a0,
		 __u64 a1, __u64 a2, __u64 a3, __u64 a4)
{
	struct fz_call *call;

	if (b->prog->n >= FZ_PROGRAM)
		return;
	call = &b->prog->call[b->prog->n++];
	*call = (struct fz_call) {
		.op = fz_op(name),
		.target = b->target,
		.a = { a0, a1, a2, a3, a4 },
	};
	if (!b->faults || !fz_once(b->rng, b->faults))
		return;
	switch (fz_below(b->rng, 4)) {
	case 0:
		b->prog->n--;
		break;
	case 1:
		fz_call_random(b->rng, call, 0, b->target);
		break;
	default:
		call_gen(b->rng, call);
		break;
	}
}

static void step_queue(struct fz_builder *b, unsigned int i)
{
	__u64 ring = FZ_ARENA_IOVA + i * FZ_RING_STRIDE;
	__u64 num = fz_once(b->rng, 3) ? 16 : FZ_RING_NUM;

	if (fz_once(b->rng, 2))
		step(b, "ring", i, 0, 0, 0, 0);
	step(b, "SET_VRING_NUM", i, num, 0, 0, 0);
	step(b, "SET_VRING_ADDR", i, 0, ring, ring + FZ_RING_DRIVER,
	     ring + FZ_RING_DEVICE);
	if (fz_once(b->rng, 2))
		step(b, "SET_VRING_BASE", i, 0, 0, 0, 0);
	step(b, "SET_VRING_KICK", i, FZ_FILE_OWN, 0, 0, 0);
	step(b, "SET_VRING_CALL", i, FZ_FILE_OWN, 0, 0, 0);
	step(b, "SET_VRING_ENABLE", i, 1, 0, 0, 0);
}

/* Enough of them, and so small, that a device of the lab has something to do. */
static void step_traffic(struct fz_builder *b)
{
	unsigned int i, n = fz_below(b->rng, 4);

	for (i = 0; i < n; i++) {
		unsigned int q = fz_below(b->rng, 3);

		step(b, "ring", q, 1 + fz_below(b->rng, 12), fz_next(b->rng),
		     0, 0);
		step(b, "kick", q, 1, 0, 0, 0);
	}
}

/**
 * fz_program_bring_up() - append what an honest client does to run a device
 * @rng: random numbers
 * @prog: the program
 * @target: which device
 * @faults: each step goes wrong once in so many times; 0 for never
 */
void fz_program_bring_up(struct fz_rng *rng, struct fz_program *prog,
			 int target, unsigned int faults)
{
	struct fz_builder b = {
		.rng = rng, .prog = prog, .target = target, .faults = faults,
	};
	unsigned int i, nvqs = fz_targets[target].net ? 3 : 1;

	step(&b, "open", 0, 0, 0, 0, 0);
	step(&b, "SET_OWNER", 0, 0, 0, 0, 0);
	step(&b, "SET_STATUS", 0, 0, 0, 0, 0);
	if (!fz_once(rng, 4))
		step(&b, "SET_BACKEND_FEATURES", 0, 0, 0, 0, 0);
	step(&b, "SET_STATUS", ST_ACK | ST_DRIVER, 0, 0, 0, 0);
	step(&b, "SET_FEATURES", 0, fz_once(rng, 3) ? 0 : fz_next(rng) & fz_next(rng),
	     0, 0, 0);
	step(&b, "SET_STATUS", ST_NEGOTIATED, 0, 0, 0, 0);
	step(&b, "map_arena", 0, 0, 0, 0, 0);
	for (i = 0; i < nvqs; i++)
		step_queue(&b, i);
	if (fz_once(rng, 3))
		step(&b, "SET_CONFIG_CALL", 0, FZ_FILE_OWN, 0, 0, 0);
	step(&b, "SET_STATUS", ST_NEGOTIATED | ST_DRIVER_OK, 0, 0, 0, 0);
	step_traffic(&b);
}

static void append_random(struct fz_rng *rng, struct fz_program *prog,
			  unsigned int n, unsigned int flags, int target)
{
	while (n-- && prog->n < FZ_PROGRAM)
		fz_call_random(rng, &prog->call[prog->n++], flags,
			       fz_once(rng, 12) ? -1 : target);
}

static void append_open(struct fz_program *prog, int target)
{
	prog->call[prog->n++] = (struct fz_call) {
		.op = fz_op("open"), .target = target,
	};
}

/**
 * fz_program_fresh() - make up a program
 * @rng: random numbers
 * @prog: the program
 */
void fz_program_fresh(struct fz_rng *rng, struct fz_program *prog)
{
	static const unsigned int faults[] = { 0, 200, 60, 20 };
	int target = fz_below(rng, fz_ntargets);

	prog->n = 0;
	/* A bring-up that did not follow a reset is one more of its faults. */
	if (!fz_once(rng, 3))
		fz_program_bring_up(rng, prog, target, faults[fz_below(rng, ARRAY_SIZE(faults))]);
	else if (!fz_once(rng, 16))
		append_open(prog, target);
	append_random(rng, prog, 4 + fz_below(rng, 40), 0, target);
}

/**
 * fz_program_race() - make up what the second thread does meanwhile
 * @rng: random numbers
 * @prog: the program
 * @target: which device
 */
void fz_program_race(struct fz_rng *rng, struct fz_program *prog, int target)
{
	prog->n = 0;
	append_random(rng, prog, 8 + fz_below(rng, 40), FZ_RACE, target);
}

static void program_insert(struct fz_program *prog, unsigned int at,
			   const struct fz_call *call)
{
	if (prog->n >= FZ_PROGRAM)
		return;
	memmove(&prog->call[at + 1], &prog->call[at],
		(prog->n - at) * sizeof(*call));
	prog->call[at] = *call;
	prog->n++;
}

static void program_delete(struct fz_program *prog, unsigned int at)
{
	if (prog->n < 2)
		return;
	prog->n--;
	memmove(&prog->call[at], &prog->call[at + 1],
		(prog->n - at) * sizeof(prog->call[0]));
}

/* The end of one program behind the beginning of another. */
static void program_splice(struct fz_rng *rng, struct fz_program *prog,
			   const struct fz_program *other)
{
	unsigned int from = fz_below(rng, other->n);

	prog->n = 1 + fz_below(rng, prog->n);
	while (from < other->n && prog->n < FZ_PROGRAM)
		prog->call[prog->n++] = other->call[from++];
}

static void mutate_number(struct fz_rng *rng, struct fz_call *call)
{
	__u64 *a = &call->a[fz_below(rng, FZ_ARGS)];

	switch (fz_below(rng, 4)) {
	case 0:
		*a = fz_odd(rng);
		break;
	case 1:
		*a ^= 1ULL << fz_below(rng, 64);
		break;
	case 2:
		*a += fz_below(rng, 9) - 4;
		break;
	default:
		*a += (fz_below(rng, 9) - 4) * VC_PAGE;
		break;
	}
}

static void mutate_once(struct fz_rng *rng, struct fz_program *prog,
			const struct fz_program *other)
{
	unsigned int at = fz_below(rng, prog->n);
	struct fz_call *call = &prog->call[at];
	struct fz_call fresh;

	switch (fz_below(rng, 8)) {
	case 0:
		call_gen(rng, call);
		break;
	case 1:
		fresh = *call;
		program_insert(prog, fz_below(rng, prog->n), &fresh);
		break;
	case 2:
		program_delete(prog, at);
		break;
	case 3:
		program_splice(rng, prog, other);
		break;
	case 4:
		call->target = fz_below(rng, fz_ntargets);
		break;
	case 5:
	case 6:
		if (!(call->op->flags & FZ_SLOW))
			mutate_number(rng, call);
		break;
	default:
		fz_call_random(rng, &fresh, 0, call->target);
		program_insert(prog, at, &fresh);
		break;
	}
}

/* Slow calls would breed: they reach much. */
static void program_hurry(struct fz_program *prog)
{
	unsigned int i, slow = 0;

	for (i = 0; i < prog->n; i++) {
		if (!(prog->call[i].op->flags & FZ_SLOW))
			continue;
		if (++slow > FZ_SLOW_MAX)
			program_delete(prog, i--);
	}
}

/**
 * fz_program_mutate() - change a program a little
 * @rng: random numbers
 * @prog: the program
 * @other: another, to take calls from
 */
void fz_program_mutate(struct fz_rng *rng, struct fz_program *prog,
		       const struct fz_program *other)
{
	unsigned int n = 1 + fz_below(rng, 6);

	while (n--)
		mutate_once(rng, prog, other);
	program_hurry(prog);
}
