/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Scenarios of the fail-nth sweep. Each is run with its first, second, third
 * ... allocation or user copy failing, until it gets through without.
 */
#ifndef VMDEV_FAIL_NTH_H
#define VMDEV_FAIL_NTH_H

#include "../include/tap.h"
#include "../vhost_vdpa/vdpa_rig.h"
#include "lab.h"

/* The device of all scenarios. */
#define DEV	"f0"

/**
 * struct scenario - what is to fail, and all around it, which must not
 * @test: name, registered with the harness
 * @step: only every so-manieth failure in a short run
 * @enter: once, before all
 * @prepare: before each run
 * @run: by the task that has the fault armed; 0 or a negative errno
 * @done: has a run reached its aim? One that gave an error may have (the answer
 *	was lost, not the work), one that gave none must; NULL if an error says no
 * @again: what brings it to its aim after an error; NULL: @run
 * @undo: after each run, whatever came of it; leaves what @prepare expects
 * @leave: once, after all
 * @kernel_pins: the kernel's own fault that pages stay pinned; NULL
 * @not_in: a function of the kernel's that breaks something when it, or what it
 *	calls, runs out of memory: it never does, thanks to
 *	FAULT_INJECTION_STACKTRACE_FILTER
 * @also: errnos, positive, that are right here besides those of nth_sane()
 *
 * @has_port: with a management device that is software, @run makes a netdev on the host
 *
 * All but @run give 0, or the test fails.
 */
struct scenario {
	struct tap_test test;
	unsigned int step;
	int (*enter)(void);
	int (*prepare)(void);
	int (*run)(void);
	bool (*done)(void);
	int (*again)(void);
	int (*undo)(void);
	int (*leave)(void);
	const char *kernel_pins;
	const char *not_in;
	int also[4];
	bool has_port;
};

/* Tables end with an entry without name. */
extern struct scenario mgmt_scenarios[];
extern struct scenario vhost_scenarios[];
extern struct scenario dirty_scenarios[];
extern struct scenario pci_scenarios[];

extern char *net_bdf, *blk_bdf, *pf_bdf;

/* Steps that more than one file has. */
int dev_up(void);
int dev_down(void);
int dev_vhost_up(void);

#endif
