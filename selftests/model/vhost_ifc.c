// SPDX-License-Identifier: GPL-2.0
/*
 * vhost_ifc EAL-ARGUMENT... -- SOCKET=FUNCTION...: a vhost-user backend at each
 * socket, which is a vDPA device of DPDK's. All of it is DPDK's: its vhost
 * library and its ifc driver. It says what happens to devices, a line each.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_eal.h>
#include <rte_vdpa.h>
#include <rte_vhost.h>

#define BACKENDS_MAX	4

static int say(int vid, const char *what)
{
	char name[128] = "";

	rte_vhost_get_ifname(vid, name, sizeof(name));
	printf("%s: %s\n", name, what);
	fflush(stdout);
	return 0;
}

static int new_device(int vid)
{
	return say(vid, "runs");
}

static void destroy_device(int vid)
{
	say(vid, "stopped");
}

static const struct rte_vhost_device_ops device_ops = {
	.new_device	= new_device,
	.destroy_device	= destroy_device,
};

/* SOCKET=FUNCTION; the socket's name, or NULL. */
static const char *backend(char *what)
{
	char *function = strchr(what, '=');
	struct rte_vdpa_device *dev;
	unsigned int queues;

	if (!function)
		return NULL;
	*function++ = 0;
	dev = rte_vdpa_find_device_by_name(function);
	if (!dev) {
		fprintf(stderr, "%s: no vDPA device\n", function);
		return NULL;
	}
	if (rte_vdpa_get_queue_num(dev, &queues) ||
	    rte_vhost_driver_register(what, 0) ||
	    rte_vhost_driver_callback_register(what, &device_ops) ||
	    rte_vhost_driver_attach_vdpa_device(what, dev) ||
	    rte_vhost_driver_start(what)) {
		fprintf(stderr, "%s: vhost does not take it\n", what);
		return NULL;
	}
	printf("%s: %s, %u queue pairs\n", what, function, queues);
	fflush(stdout);
	return what;
}

int main(int argc, char **argv)
{
	const char *paths[BACKENDS_MAX];
	int n = 0, eal, signal;
	sigset_t ends;

	/* Threads of DPDK's, too, leave them to us. */
	sigemptyset(&ends);
	sigaddset(&ends, SIGTERM);
	sigaddset(&ends, SIGINT);
	sigprocmask(SIG_BLOCK, &ends, NULL);
	eal = rte_eal_init(argc, argv);
	if (eal < 0)
		return 1;
	for (argv += eal + 1, argc -= eal + 1; argc > 0 && n < BACKENDS_MAX; n++) {
		paths[n] = backend(*argv++);
		if (!paths[n])
			return 1;
		argc--;
	}
	if (n)
		sigwait(&ends, &signal);
	while (n)
		rte_vhost_driver_unregister(paths[--n]);
	rte_eal_cleanup();
	return 0;
}
