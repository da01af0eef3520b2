// SPDX-License-Identifier: GPL-2.0
/*
 * The devices: finding, opening, closing them, giving them to one bus driver
 * or the other; and whether an honest client can still use them.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/virtio_blk.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "fuzz.h"
#include "vdpa_rig.h"

#define BUS "/sys/bus/vdpa"

struct fz_target fz_targets[FZ_TARGETS];
unsigned int fz_ntargets;
bool fz_no_shared_calls;

static int shared_memfd, shared_epoll, shared_pipe[2], shared_socket;
static unsigned int files_at_start;

/*
 * Nobody opens a device while a bus driver takes it: vhost_vdpa_probe() makes
 * the character device before what open and close need is set up (6.12).
 */
static pthread_mutex_t probing = PTHREAD_MUTEX_INITIALIZER;

static void probing_lock(void)
{
	pthread_mutex_lock(&probing);
}

static void probing_unlock(void)
{
	pthread_mutex_unlock(&probing);
}

/* --- sysfs ------------------------------------------------------------- */

static int put(const char *path, const char *text, size_t len)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	int ret = 0;

	if (fd < 0)
		return -errno;
	if (write(fd, text, len) < 0)
		ret = -errno;
	close(fd);
	return ret;
}

/* The first entry of a folder whose name begins so; "" for none. */
static void find_entry(const char *dir, const char *prefix, char *name,
		       size_t size)
{
	struct dirent *e;
	DIR *d = opendir(dir);

	name[0] = '\0';
	if (!d)
		return;
	while (!name[0] && (e = readdir(d)))
		if (!strncmp(e->d_name, prefix, strlen(prefix)))
			snprintf(name, size, "%.40s", e->d_name);
	closedir(d);
}

/* Is this vDPA device of that management device? */
static bool is_on(const char *name, const char *mgmt)
{
	char path[FZ_NAME + 64], link[PATH_MAX], *up;
	ssize_t n;

	snprintf(path, sizeof(path), BUS "/devices/%s", name);
	n = readlink(path, link, sizeof(link) - 1);
	if (n < 0)
		return false;
	link[n] = '\0';
	up = strrchr(link, '/');
	if (!up)
		return false;
	*up = '\0';
	up = strrchr(link, '/');
	return up && !strcmp(up + 1, mgmt);
}

/* One that several could have belongs to who is called so, or else had it first. */
static bool is_taken(const struct fz_target *t, const char *name)
{
	unsigned int i;

	for (i = 0; i < fz_ntargets; i++)
		if (&fz_targets[i] != t && (!strcmp(fz_targets[i].name, name) ||
					    !strcmp(fz_targets[i].label, name)))
			return true;
	return false;
}

/* A device of its management device that no other target has; "" for none. */
static void find_free(const struct fz_target *t, char *name, size_t size)
{
	DIR *d = opendir(BUS "/devices");
	struct dirent *e;

	name[0] = '\0';
	while (d && !name[0] && (e = readdir(d)))
		if (is_on(e->d_name, t->mgmt) && !is_taken(t, e->d_name))
			snprintf(name, size, "%s", e->d_name);
	if (d)
		closedir(d);
}

static void find_device(struct fz_target *t)
{
	if (t->name[0] && is_on(t->name, t->mgmt))
		return;
	if (is_on(t->label, t->mgmt))
		snprintf(t->name, sizeof(t->name), "%s", t->label);
	else
		find_free(t, t->name, sizeof(t->name));
}

/**
 * fz_target_stray() - is there a device that no target has?
 * @t: a target, of whose management device it is
 * @name: where to store its name
 * @size: of it
 *
 * Where a function has one device at most there is none.
 */
bool fz_target_stray(const struct fz_target *t, char *name, size_t size)
{
	struct fz_target nobody = { .mgmt = t->mgmt };

	find_free(&nobody, name, size);
	return name[0];
}

/**
 * fz_target_look() - what device is there, and does vhost_vdpa have it?
 * @t: the target
 */
void fz_target_look(struct fz_target *t)
{
	char dir[FZ_NAME + 64], entry[48];

	find_device(t);
	t->node[0] = '\0';
	if (!t->name[0])
		return;
	snprintf(dir, sizeof(dir), BUS "/devices/%s", t->name);
	find_entry(dir, "vhost-vdpa-", entry, sizeof(entry));
	if (entry[0])
		snprintf(t->node, sizeof(t->node), "/dev/%s", entry);
}

/**
 * fz_target_bind() - give the device to a bus driver
 * @t: the target, closed, with a device
 * @driver: which; NULL for none
 *
 * Return: 0 or a negative errno.
 */
int fz_target_bind(struct fz_target *t, const char *driver)
{
	char path[FZ_NAME + 64];
	int ret = 0;

	snprintf(path, sizeof(path), BUS "/devices/%s/driver/unbind", t->name);
	put(path, t->name, strlen(t->name));
	if (driver) {
		snprintf(path, sizeof(path), BUS "/devices/%s/driver_override",
			 t->name);
		ret = put(path, driver, strlen(driver));
		probing_lock();
		if (!ret)
			ret = put(BUS "/drivers_probe", t->name, strlen(t->name));
		probing_unlock();
	}
	fz_target_look(t);
	return ret;
}

/**
 * fz_target_ready() - see that there is a device, and that vhost_vdpa has it
 * @t: the target
 *
 * Return: 0 or a negative errno.
 */
int fz_target_ready(struct fz_target *t)
{
	int ret;

	if (t->node[0])
		return 0;
	fz_target_look(t);
	if (!t->name[0]) {
		ret = fz_netlink_add(t);
		if (ret)
			return ret;
		fz_target_look(t);
	}
	if (!t->node[0]) {
		ret = fz_target_bind(t, "vhost_vdpa");
		if (ret)
			return ret;
	}
	return t->node[0] ? 0 : -ENODEV;
}

/* --- files ------------------------------------------------------------- */

/**
 * fz_target_learn() - what may be asked of an open device
 * @t: the target
 */
void fz_target_learn(struct fz_target *t)
{
	ioctl(t->fd, VHOST_GET_FEATURES, &t->features);
	ioctl(t->fd, VHOST_VDPA_GET_VQS_COUNT, &t->nvqs);
	ioctl(t->fd, VHOST_VDPA_GET_CONFIG_SIZE, &t->config_size);
	ioctl(t->fd, VHOST_VDPA_GET_IOVA_RANGE, &t->range);
}

/**
 * fz_target_open() - open the device, make one if there is none
 * @t: the target, closed
 * @flags: of open(2)
 *
 * Return: 0 or a negative errno.
 */
int fz_target_open(struct fz_target *t, int flags)
{
	int ret = fz_target_ready(t);

	if (ret)
		return ret;
	t->fd = open(t->node, flags | O_CLOEXEC);
	if (t->fd < 0)
		return -errno;
	fz_target_learn(t);
	return 0;
}

/**
 * fz_target_close() - close the device; a mapped doorbell would hold it open
 * @t: the target
 */
void fz_target_close(struct fz_target *t)
{
	unsigned int i;

	for (i = 0; i < FZ_DOORBELLS; i++) {
		if (t->doorbell[i])
			munmap(t->doorbell[i], t->doorbell_size[i]);
		t->doorbell[i] = NULL;
	}
	if (t->fd >= 0)
		close(t->fd);
	t->fd = -1;
}

static void target_eventfds(struct fz_target *t)
{
	unsigned int i;

	for (i = 0; i < FZ_QUEUES; i++) {
		t->kick[i] = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
		t->call[i] = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	}
}

static int target_function(struct fz_target *t)
{
	char path[96], class[16] = "";
	FILE *file;

	snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/class", t->mgmt);
	file = fopen(path, "re");
	if (!file || !fgets(class, sizeof(class), file))
		return -ENODEV;
	fclose(file);
	t->bus = "pci";
	t->net = !strncmp(class, "0x02", 4);
	return 0;
}

static int target_busless(struct fz_target *t)
{
	size_t len = strlen(t->mgmt);
	char path[96];

	snprintf(path, sizeof(path), "/sys/class/vmdev_soft/%s", t->mgmt);
	if (access(path, F_OK))
		return -errno;
	t->net = len < 4 || strcmp(t->mgmt + len - 4, "_blk");
	return 0;
}

/**
 * fz_target_add() - a target of the command line
 * @arg: "LABEL=MGMT", kept
 *
 * Return: 0 or a negative errno.
 */
int fz_target_add(char *arg)
{
	char *mgmt = strchr(arg, '=');
	struct fz_target *t;
	int ret;

	if (!mgmt || fz_ntargets == FZ_TARGETS)
		return -EINVAL;
	*mgmt++ = '\0';
	t = &fz_targets[fz_ntargets];
	t->label = arg;
	t->mgmt = mgmt;
	t->fd = -1;
	ret = strchr(mgmt, ':') ? target_function(t) : target_busless(t);
	if (ret)
		return ret;
	target_eventfds(t);
	fz_ntargets++;
	return 0;
}

static void look_at_kernel(void)
{
	unsigned int major, minor;
	struct utsname uts;

	uname(&uts);
	fz_no_shared_calls = sscanf(uts.release, "%u.%u", &major, &minor) != 2 ||
			     major < 6 || (major == 6 && minor < 17);
}

static unsigned int count_files(void)
{
	DIR *d = opendir("/proc/self/fd");
	unsigned int n = 0;

	while (d && readdir(d))
		n++;
	if (d)
		closedir(d);
	return n;
}

/**
 * fz_files_init() - files that are no eventfds
 *
 * Return: 0 or a negative errno.
 */
int fz_files_init(void)
{
	shared_memfd = memfd_create("fuzz", MFD_CLOEXEC);
	shared_epoll = epoll_create1(EPOLL_CLOEXEC);
	shared_socket = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (shared_memfd < 0 || shared_epoll < 0 || shared_socket < 0 ||
	    pipe(shared_pipe))
		return -errno;
	files_at_start = count_files();
	/* Or a child would have it locked by a thread that it has not. */
	pthread_atfork(probing_lock, probing_unlock, probing_unlock);
	look_at_kernel();
	return 0;
}

/**
 * fz_file_gen() - make up which file a call means
 * @rng: random numbers
 */
__u64 fz_file_gen(struct fz_rng *rng)
{
	if (!fz_once(rng, 3))
		return FZ_FILE_OWN;
	return fz_below(rng, FZ_FILES) | fz_below(rng, FZ_QUEUES) << 8;
}

/**
 * fz_file() - the descriptor that a call means
 * @call: the call
 * @number: made by fz_file_gen()
 * @own: what it ought to be
 */
int fz_file(const struct fz_call *call, __u64 number, int own)
{
	const struct fz_target *t = fz_target(call);
	unsigned int q = (number >> 8) % FZ_QUEUES;

	switch (number & 0xff) {
	case FZ_FILE_OWN:
		return own;
	case FZ_FILE_NONE:
		return -1;
	case FZ_FILE_CLOSED:
		return 9999;
	case FZ_FILE_QUEUE_KICK:
		return t->kick[q];
	case FZ_FILE_QUEUE_CALL:
		return t->call[q];
	case FZ_FILE_OTHER_TARGET:
		return fz_targets[(call->target + 1) % fz_ntargets].kick[q];
	case FZ_FILE_SELF:
		return t->fd;
	case FZ_FILE_MEMFD:
		return shared_memfd;
	case FZ_FILE_EPOLL:
		return shared_epoll;
	case FZ_FILE_PIPE:
		return shared_pipe[q & 1];
	case FZ_FILE_SOCKET:
		return shared_socket;
	default:
		return (int)number;
	}
}

/* --- operations -------------------------------------------------------- */

static void gen_open(struct fz_rng *rng, struct fz_call *call)
{
	call->a[0] = fz_once(rng, 3) ? 1 + fz_below(rng, 5) : 0;
}

/* 0: open it unless it is; else close it first, and open it in some mode. */
static long run_open(struct fz_thread *th, const struct fz_call *call)
{
	static const int flags[] = {
		O_RDWR, O_RDWR, O_RDWR | O_NONBLOCK, O_RDONLY, O_WRONLY, O_PATH,
	};
	struct fz_target *t = fz_target(call);

	(void)th;
	if (!call->a[0] && t->fd >= 0 && t->node[0])
		return 0;
	fz_target_close(t);
	return fz_target_open(t, flags[call->a[0] % ARRAY_SIZE(flags)]);
}

/* There may be only one. */
static long run_open_twice(struct fz_thread *th, const struct fz_call *call)
{
	struct fz_target *t = fz_target(call);
	int fd, ret = 0;

	(void)th;
	probing_lock();
	fd = open(t->node, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		ret = -errno;
	else
		close(fd);
	probing_unlock();
	return ret;
}

static long run_close(struct fz_thread *th, const struct fz_call *call)
{
	(void)th;
	fz_target_close(fz_target(call));
	return 0;
}

/* What was made for one open is used by the next. */
static long run_dup(struct fz_thread *th, const struct fz_call *call)
{
	struct fz_target *t = fz_target(call);
	int fd = fcntl(t->fd, F_DUPFD_CLOEXEC, 0);

	(void)th;
	if (fd < 0)
		return -errno;
	close(t->fd);
	t->fd = fd;
	return 0;
}

static void gen_eventfd(struct fz_rng *rng, struct fz_call *call)
{
	call->a[0] = fz_below(rng, FZ_QUEUES);
	call->a[1] = fz_next(rng);
}

/* An eventfd that the device may still use is closed, another made. */
static long run_eventfd(struct fz_thread *th, const struct fz_call *call)
{
	struct fz_target *t = fz_target(call);
	unsigned int q = call->a[0] % FZ_QUEUES;
	int *fd = call->a[1] & 1 ? &t->kick[q] : &t->call[q];
	int flags = call->a[1] & 2 ? EFD_SEMAPHORE : 0;

	(void)th;
	close(*fd);
	*fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC | flags);
	return *fd < 0 ? -errno : 0;
}

static void gen_rebind(struct fz_rng *rng, struct fz_call *call)
{
	call->a[0] = fz_below(rng, 3);
}

/* 0: away from vhost_vdpa; 1, 2: to virtio_vdpa. The next open takes it back. */
static long run_rebind(struct fz_thread *th, const struct fz_call *call)
{
	struct fz_target *t = fz_target(call);
	int ret;

	(void)th;
	fz_target_close(t);
	ret = fz_target_ready(t);
	if (ret)
		return ret;
	return fz_target_bind(t, call->a[0] % 3 ? "virtio_vdpa" : NULL);
}

struct fz_op fz_target_ops[] = {
	FZ_OP("open", 40, 0, gen_open, run_open, 0),
	FZ_OP("open_twice", 6, FZ_RACE, NULL, run_open_twice, 0),
	FZ_OP("close", 8, 0, NULL, run_close, 0),
	FZ_OP("dup", 6, 0, NULL, run_dup, 0),
	FZ_OP("eventfd", 12, 0, gen_eventfd, run_eventfd, 0),
	FZ_OP("rebind", 1, FZ_SLOW, gen_rebind, run_rebind, 0),
	{ 0 }
};

/* --- invariants -------------------------------------------------------- */

static const __u8 nobody[6] = { 2, 0, 0, 0, 0, 1 };

/* Sends a few frames: the device reads memory, and calls. */
static int use_net(struct rig *r)
{
	unsigned int i;
	int ret;

	for (i = 0; i < 4; i++) {
		ret = net_send(r, nobody, i, NET_MIN_FRAME);
		if (ret)
			return ret;
	}
	vq_kick(&r->vq[NET_TX]);
	return net_drain_tx(r, 2 * RIG_WAIT_MS);
}

static int use_blk(struct rig *r)
{
	struct blk_req req;
	int ret = blk_prepare(r, &req);

	if (!ret)
		ret = blk_submit(r, &req, VIRTIO_BLK_T_IN, 0, VC_PAGE);
	return ret ? : blk_wait(r, &req, 2 * RIG_WAIT_MS);
}

/* An honest client, from open to close. */
static int target_check(struct fz_target *t, const char **step)
{
	static struct rig rig;
	struct rig *r = &rig;
	int ret;

	*step = "is there, and vhost_vdpa has it";
	t->node[0] = '\0';
	ret = fz_target_ready(t);
	if (!ret && t->odd) {
		*step = "made anew";
		ret = fz_netlink_del(t) ? : fz_target_ready(t);
	}
	if (ret)
		return ret;

	*step = "brought to DRIVER_OK";
	memset(r, 0, sizeof(*r));
	r->c.fd = -1;
	r->c.memfd = -1;
	ret = rig_up(r, t->node, 0);
	if (!ret && !(vc_get_status(&r->c) & ST_DRIVER_OK))
		ret = -EIO;
	if (!ret) {
		*step = "used";
		ret = t->net ? use_net(r) : use_blk(r);
	}
	rig_close(r);
	return ret;
}

/* Pages that somebody still has pinned in our name, in KiB. */
static unsigned long pinned_kib(void)
{
	FILE *file = fopen("/proc/self/status", "re");
	unsigned long kib = 0;
	char line[128];

	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, "VmPin: %lu", &kib) == 1)
			break;
	if (file)
		fclose(file);
	return kib;
}

/**
 * fz_targets_check() - close all devices, and see whether they are in order
 * @why: what is not
 * @size: of it
 *
 * Return: 0 or a negative errno.
 */
int fz_targets_check(char *why, size_t size)
{
	const char *step = NULL;
	unsigned int i;
	int ret;

	for (i = 0; i < fz_ntargets; i++)
		fz_target_close(&fz_targets[i]);
	if (pinned_kib()) {
		snprintf(why, size, "%lu KiB are pinned with all devices closed",
			 pinned_kib());
		return -EBUSY;
	}
	for (i = 0; i < fz_ntargets; i++) {
		ret = target_check(&fz_targets[i], &step);
		fz_shared->beat++;
		if (!ret)
			continue;
		snprintf(why, size, "%s cannot be %s: %s", fz_targets[i].label,
			 step, strerror(-ret));
		return ret;
	}
	if (count_files() != files_at_start) {
		snprintf(why, size, "%u files are open, at the start it were %u",
			 count_files(), files_at_start);
		return -EMFILE;
	}
	return 0;
}
