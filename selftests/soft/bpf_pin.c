// SPDX-License-Identifier: GPL-2.0
/*
 * Loads a small BPF program and pins it, for "ip link set ... xdpdrv pinned PATH" and
 * "tc filter add ... bpf direct-action object-pinned PATH":
 *
 *	bpf_pin PATH xdp|tc TYPE ACTION
 *
 * ACTION is what becomes of frames of that Ethernet type (hexadecimal), all others pass:
 * pass, drop, echo (xdp: back to where it came from, MAC addresses swapped), aborted (xdp),
 * trim (xdp: pass, without the last 8 bytes), tag (xdp: pass, in VLAN 5), or a number: to the
 * interface of that index.
 *
 * Written as instructions, so that nothing is needed to compile it.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/pkt_cls.h>

#define MAX_INSNS	64
#define TRIM		8
#define TAG_VLAN	5

enum { R0, R1, R2, R3, R4, R5, R6, R7 };

static struct bpf_insn prog[MAX_INSNS];
static int len;

static void insn(__u8 code, int dst, int src, __s16 off, __s32 imm)
{
	prog[len++] = (struct bpf_insn) {
		.code = code, .dst_reg = dst, .src_reg = src, .off = off, .imm = imm,
	};
}

static void mov(int dst, __s32 imm)
{
	insn(BPF_ALU64 | BPF_MOV | BPF_K, dst, 0, 0, imm);
}

static void copy(int dst, int src)
{
	insn(BPF_ALU64 | BPF_MOV | BPF_X, dst, src, 0, 0);
}

static void add(int dst, __s32 imm)
{
	insn(BPF_ALU64 | BPF_ADD | BPF_K, dst, 0, 0, imm);
}

static void load(int size, int dst, int src, __s16 off)
{
	insn(BPF_LDX | BPF_MEM | size, dst, src, off, 0);
}

static void store(int size, int dst, int src, __s16 off)
{
	insn(BPF_STX | BPF_MEM | size, dst, src, off, 0);
}

static void call(int helper)
{
	insn(BPF_JMP | BPF_CALL, 0, 0, 0, helper);
}

static void leave(__s32 verdict)
{
	mov(R0, verdict);
	insn(BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
}

/* R2: the frame, of which @bytes are there; else the program ends. R6: the context. */
static void look(bool xdp, int bytes, __s32 otherwise)
{
	load(BPF_W, R2, R6, xdp ? offsetof(struct xdp_md, data) : offsetof(struct __sk_buff, data));
	load(BPF_W, R3, R6, xdp ? offsetof(struct xdp_md, data_end) :
				  offsetof(struct __sk_buff, data_end));
	copy(R4, R2);
	add(R4, bytes);
	insn(BPF_JMP | BPF_JLE | BPF_X, R4, R3, 2, 0);
	leave(otherwise);
}

static void echo(void)
{
	load(BPF_W, R3, R2, 0);
	load(BPF_H, R4, R2, 4);
	load(BPF_W, R5, R2, 6);
	load(BPF_H, R7, R2, 10);
	store(BPF_W, R2, R5, 0);
	store(BPF_H, R2, R7, 4);
	store(BPF_W, R2, R3, 6);
	store(BPF_H, R2, R4, 10);
	leave(XDP_TX);
}

static void trim(void)
{
	copy(R1, R6);
	mov(R2, -TRIM);
	call(BPF_FUNC_xdp_adjust_tail);
	leave(XDP_PASS);
}

static void tag(void)
{
	copy(R1, R6);
	mov(R2, -4);
	call(BPF_FUNC_xdp_adjust_head);
	look(true, 16, XDP_ABORTED);
	load(BPF_W, R3, R2, 4);
	store(BPF_W, R2, R3, 0);
	load(BPF_W, R3, R2, 8);
	store(BPF_W, R2, R3, 4);
	load(BPF_W, R3, R2, 12);
	store(BPF_W, R2, R3, 8);
	mov(R3, htons(ETH_P_8021Q));
	store(BPF_H, R2, R3, 12);
	mov(R3, htons(TAG_VLAN));
	store(BPF_H, R2, R3, 14);
	leave(XDP_PASS);
}

static void redirect(int ifindex)
{
	mov(R1, ifindex);
	mov(R2, 0);
	call(BPF_FUNC_redirect);
	insn(BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
}

static bool act(bool xdp, const char *action)
{
	if (!strcmp(action, "pass"))
		leave(xdp ? XDP_PASS : TC_ACT_OK);
	else if (!strcmp(action, "drop"))
		leave(xdp ? XDP_DROP : TC_ACT_SHOT);
	else if (atoi(action))
		redirect(atoi(action));
	else if (xdp && !strcmp(action, "aborted"))
		leave(XDP_ABORTED);
	else if (xdp && !strcmp(action, "echo"))
		echo();
	else if (xdp && !strcmp(action, "trim"))
		trim();
	else if (xdp && !strcmp(action, "tag"))
		tag();
	else
		return false;
	return true;
}

static bool build(bool xdp, __u16 type, const char *action)
{
	__s32 pass = xdp ? XDP_PASS : TC_ACT_OK;

	copy(R6, R1);
	look(xdp, ETH_HLEN, pass);
	load(BPF_H, R5, R2, 12);
	insn(BPF_JMP | BPF_JEQ | BPF_K, R5, 0, 2, htons(type));
	leave(pass);
	return act(xdp, action);
}

static int bpf(int cmd, union bpf_attr *attr)
{
	return syscall(SYS_bpf, cmd, attr, sizeof(*attr));
}

static int load_prog(bool xdp)
{
	static char log[65536];
	union bpf_attr attr = {
		.prog_type = xdp ? BPF_PROG_TYPE_XDP : BPF_PROG_TYPE_SCHED_CLS,
		.insns = (__u64)prog,
		.insn_cnt = len,
		.license = (__u64)"GPL",
		.log_buf = (__u64)log,
		.log_size = sizeof(log),
		.log_level = 1,
	};
	int fd = bpf(BPF_PROG_LOAD, &attr);

	if (fd < 0)
		fprintf(stderr, "bpf_pin: load: %s\n%s", strerror(errno), log);
	return fd;
}

int main(int argc, char **argv)
{
	union bpf_attr attr = { 0 };
	bool xdp;
	int fd;

	if (argc != 5) {
		fprintf(stderr, "usage: bpf_pin PATH xdp|tc TYPE ACTION\n");
		return 2;
	}
	xdp = !strcmp(argv[2], "xdp");
	if (!build(xdp, strtoul(argv[3], NULL, 16), argv[4])) {
		fprintf(stderr, "bpf_pin: no action %s\n", argv[4]);
		return 2;
	}
	fd = load_prog(xdp);
	if (fd < 0)
		return 1;
	attr.pathname = (__u64)argv[1];
	attr.bpf_fd = fd;
	if (bpf(BPF_OBJ_PIN, &attr)) {
		perror("bpf_pin: pin");
		return 1;
	}
	return 0;
}
