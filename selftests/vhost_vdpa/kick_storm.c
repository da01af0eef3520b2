// SPDX-License-Identifier: GPL-2.0
/*
 * Threads kick without a pause, through the eventfds and through the doorbell
 * page if there is one, while the main thread resets, runs, suspends, resumes,
 * closes and opens the device. Nothing is checked but that nothing hangs, and
 * that the device still runs at the end.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <getopt.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include "vdpa_rig.h"

#define MAX_THREADS 8

/*
 * The kick eventfds live as long as the program and are given to every rig,
 * so that threads may kick at any moment, also a device that is closed.
 */
static int kick_fd[RIG_VQS] = { -1, -1 };

/* Held for writing only while the page goes away. */
static pthread_rwlock_t bell_lock = PTHREAD_RWLOCK_INITIALIZER;
static void *bell;
static bool bell_seen;
static bool stop;

static const char *path = "/dev/vhost-vdpa-0";
static const char *peer;
static unsigned int iterations = 200;
static unsigned int nthreads = 2;
static unsigned int timeout = 120;
static unsigned long seed = 1;

static const __u8 nobody[6] = { 2, 0, 0, 0, 0, 1 };

static unsigned int next_random(unsigned int below)
{
	seed = seed * 6364136223846793005UL + 1442695040888963407UL;
	return (seed >> 33) % below;
}

static void die(const char *what, int err)
{
	fprintf(stderr, "kick_storm: %s: %s\n", what, strerror(-err));
	exit(1);
}

static void check(const char *what, int ret)
{
	if (ret)
		die(what, ret);
}

static void on_alarm(int sig)
{
	static const char msg[] = "kick_storm: hang\n";

	(void)sig;
	if (write(STDERR_FILENO, msg, sizeof(msg) - 1) < 0)
		_exit(3);
	_exit(1);
}

static void ring_bell(void)
{
	pthread_rwlock_rdlock(&bell_lock);
	if (bell)
		vc_ring(bell, NET_TX);
	pthread_rwlock_unlock(&bell_lock);
}

static void *kicker(void *arg)
{
	unsigned int i = (uintptr_t)arg;
	__u64 one = 1;

	while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
		if (write(kick_fd[i++ % RIG_VQS], &one, sizeof(one)) < 0)
			vc_sleep_us(1);
		if (i % 4 == 0)
			ring_bell();
	}
	return NULL;
}

static void map_bell(struct rig *r)
{
	void *p = vc_doorbell(&r->c, r->nvqs - 1);

	pthread_rwlock_wrlock(&bell_lock);
	bell = p;
	pthread_rwlock_unlock(&bell_lock);
	bell_seen |= !!p;
}

static void unmap_bell(void)
{
	pthread_rwlock_wrlock(&bell_lock);
	if (bell)
		munmap(bell, VC_PAGE);
	bell = NULL;
	pthread_rwlock_unlock(&bell_lock);
}

/* The rings' own kick eventfds give way to the storm's. */
static void take_kicks(struct rig *r)
{
	unsigned int i;

	for (i = 0; i < r->nvqs; i++) {
		close(r->vq[i].kick);
		r->vq[i].kick = dup(kick_fd[i]);
	}
}

static void storm_open(struct rig *r)
{
	unsigned int i;

	check("open", rig_open(r, path));
	check("negotiate", rig_negotiate(r, 0));
	check("memory", rig_memory(r));
	check("rings", rig_rings(r));
	take_kicks(r);
	check("attach", rig_attach(r));
	check("enable", rig_enable(r, true));
	map_bell(r);
	check("DRIVER_OK", rig_driver_ok(r));
	for (i = 0; i < 2; i++)
		vc_sleep_us(next_random(500));
}

static void storm_close(struct rig *r)
{
	unmap_bell();
	rig_close(r);
}

static void storm_traffic(struct rig *r)
{
	unsigned int i, n = next_random(32);

	if (r->c.device_id != VIRTIO_ID_NET)
		return;
	net_reap_tx(r);
	for (i = 0; i < n; i++)
		if (net_send(r, nobody, i, NET_MIN_FRAME))
			break;
	vq_kick(&r->vq[NET_TX]);
}

/* A device that refuses to suspend just now is no hang. */
static void storm_suspend(struct rig *r)
{
	if (!(r->c.backend & BIT64(VHOST_BACKEND_F_SUSPEND)))
		return;
	if (vc_suspend(&r->c))
		return;
	vc_sleep_us(next_random(300));
	if (!(r->c.backend & BIT64(VHOST_BACKEND_F_RESUME)) ||
	    vc_resume(&r->c))
		check("again", rig_again(r));
}

static void storm_step(struct rig *r)
{
	storm_traffic(r);
	switch (next_random(6)) {
	case 0:
		storm_close(r);
		storm_open(r);
		break;
	case 1:
	case 2:
		check("again", rig_again(r));
		break;
	case 3:
		check("reset", vc_reset(&r->c));
		vc_sleep_us(next_random(300));
		check("again", rig_again(r));
		break;
	case 4:
		storm_suspend(r);
		break;
	default:
		vc_sleep_us(next_random(300));
		break;
	}
}

/* After the storm: one frame, or at least a bring-up, on a fresh device. */
static void still_runs(void)
{
	struct rig r;

	check("bring-up at the end", rig_up(&r, path, 0));
	if (r.c.device_id == VIRTIO_ID_NET) {
		check("send at the end", net_send(&r, nobody, 0, 60));
		vq_kick(&r.vq[NET_TX]);
		check("completion at the end", net_drain_tx(&r, RIG_WAIT_MS));
	}
	rig_close(&r);
}

static void storm(void)
{
	pthread_t thread[MAX_THREADS];
	unsigned int i;
	struct rig r;

	for (i = 0; i < RIG_VQS; i++)
		kick_fd[i] = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	for (i = 0; i < nthreads; i++)
		pthread_create(&thread[i], NULL, kicker, (void *)(uintptr_t)i);
	storm_open(&r);
	for (i = 0; i < iterations; i++)
		storm_step(&r);
	storm_close(&r);
	__atomic_store_n(&stop, true, __ATOMIC_RELAXED);
	for (i = 0; i < nthreads; i++)
		pthread_join(thread[i], NULL);
}

static void usage(void)
{
	fprintf(stderr,
		"Usage: kick_storm [-d DEV] [-p PEER] [-n ITERATIONS] [-s SEED] [-j THREADS] [-t SEC]\n");
	exit(2);
}

int main(int argc, char **argv)
{
	unsigned long first_seed;
	int c;

	while ((c = getopt(argc, argv, "d:p:n:s:j:t:")) != -1) {
		switch (c) {
		case 'd':
			path = optarg;
			break;
		case 'p':
			peer = optarg;
			break;
		case 'n':
			iterations = atoi(optarg);
			break;
		case 's':
			seed = strtoul(optarg, NULL, 0);
			break;
		case 'j':
			nthreads = atoi(optarg);
			break;
		case 't':
			timeout = atoi(optarg);
			break;
		default:
			usage();
		}
	}
	if (!nthreads || nthreads > MAX_THREADS)
		usage();
	first_seed = seed;
	signal(SIGALRM, on_alarm);
	alarm(timeout);
	vc_unlimit_memlock();
	if (peer)
		check("peer", net_sink(peer));
	storm();
	still_runs();
	printf("kick_storm: %u iterations, seed %lu, doorbell %s: nothing hung\n",
	       iterations, first_seed, bell_seen ? "mapped" : "not there");
	return 0;
}
