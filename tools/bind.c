// SPDX-License-Identifier: GPL-2.0
/*
 * vmdev bind and unbind: a PCI function gets vmdev_pci for its driver, or the one that its ids
 * name. What it is in use for is asked first, and whatever fails, it ends with the driver that
 * it had.
 */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/pci_regs.h>
#include <linux/virtio_pci.h>

#include "doctor.h"

#define OURS	"vmdev_pci"
#define CLASS_NETWORK	0x02
/* Beyond the first 64 bytes the kernel shows it to root alone. */
#define CONFIG_BYTES	256

/**
 * struct function - a function that gets another driver
 * @bdf: its name
 * @driver: the driver it had, or ""
 * @override: the driver it was to have, or ""
 * @why: what it is in use for
 * @mend: the command that ends that, or ""
 * @loaded: a module was loaded
 */
struct function {
	char bdf[BDF_SIZE];
	char driver[NAME_SIZE];
	char override[NAME_SIZE];
	char why[LINE_SIZE];
	char mend[LINE_SIZE];
	bool loaded;
};

/* --- can it be ours? ------------------------------------------------------------ */

static size_t read_config(const char *bdf, unsigned char config[CONFIG_BYTES])
{
	char path[PATH_MAX];
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), PCI_DEVICES "/%s/config", bdf);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	n = read(fd, config, CONFIG_BYTES);
	close(fd);
	return n < 0 ? 0 : n;
}

/* Others have capabilities of their vendor's, too, but none that look like both of these. */
bool is_no_virtio(const char *bdf)
{
	const unsigned int both = 1 << VIRTIO_PCI_CAP_COMMON_CFG | 1 << VIRTIO_PCI_CAP_NOTIFY_CFG;
	unsigned char config[CONFIG_BYTES];
	unsigned int at, left, seen = 0;

	if (read_config(bdf, config) < CONFIG_BYTES)
		return false;
	if (!(config[PCI_STATUS] & PCI_STATUS_CAP_LIST))
		return true;
	at = config[PCI_CAPABILITY_LIST] & ~3;
	for (left = CONFIG_BYTES / 4; at >= PCI_STD_HEADER_SIZEOF && left; left--) {
		if (config[at] == PCI_CAP_ID_VNDR &&
		    config[at + 2] >= sizeof(struct virtio_pci_cap) && config[at + 3] < 32)
			seen |= 1U << config[at + 3];
		at = config[at + PCI_CAP_LIST_NEXT] & ~3;
	}
	return (seen & both) != both;
}

/* --- is it in use? -------------------------------------------------------------- */

static bool netdev_up(const char *folder, const char *name, void *data)
{
	struct function *f = data;
	char word[WORD_SIZE];

	if (!(read_u64(0, "%s/%s/flags", folder, name) & IFF_UP))
		return false;
	snprintf(f->why, sizeof(f->why), "its network interface %s is up", name);
	snprintf(f->mend, sizeof(f->mend), "ip link set %s down", shell_word(word, name));
	return true;
}

static bool any_name(const char *folder, const char *name, void *data)
{
	(void)folder;
	(void)name;
	(void)data;
	return true;
}

static bool is_one_of(const char *word, const char * const *words)
{
	while (*words && strcmp(word, *words))
		words++;
	return *words;
}

static bool nobody_knows(struct function *f, const char *driver)
{
	snprintf(f->why, sizeof(f->why), "%s has it, and what for cannot be seen", driver);
	return true;
}

/* What virtio has on it; disks are found by where they are. */
static bool virtio_busy(const char *folder, const char *name, void *data)
{
	static const char * const harmless[] = { "virtio_blk", "virtio_scsi", "virtio_pmem",
						 "virtio_rng", "virtio_balloon", NULL };
	struct function *f = data;
	char driver[NAME_SIZE];

	if (strncmp(name, "virtio", 6))
		return false;
	if (each_name(netdev_up, f, "%s/%s/net", folder, name))
		return true;
	if (!read_link(driver, sizeof(driver), "%s/%s/driver", folder, name) ||
	    is_one_of(driver, harmless))
		return false;
	/* File systems, consoles, ... */
	if (strcmp(driver, "virtio_net"))
		return nobody_knows(f, driver);
	/* One of another network namespace cannot be seen from here. */
	if (each_name(any_name, NULL, "%s/%s/net", folder, name))
		return false;
	snprintf(f->why, sizeof(f->why),
		 "its network interface is in another network namespace");
	return true;
}

/* Who has a file open; only root can look at the files of others. */
static bool fd_is(const char *folder, const char *name, void *data)
{
	char target[NAME_SIZE], path[PATH_MAX];
	ssize_t n;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	n = readlink(path, target, sizeof(target) - 1);
	if (n < 0)
		return false;
	target[n] = '\0';
	return !strcmp(target, data);
}

static bool process_has(const char *folder, const char *name, void *data)
{
	(void)folder;
	return isdigit(*name) && each_name(fd_is, data, "/proc/%s/fd", name);
}

static bool is_open(const char *folder, const char *name, void *data)
{
	char path[NAME_SIZE + 8];

	(void)folder;
	(void)data;
	if (strncmp(name, "vhost-vdpa-", 11))
		return false;
	snprintf(path, sizeof(path), "/dev/%s", name);
	return each_name(process_has, path, "/proc");
}

/* Is it a vDPA device below the function? */
static bool is_below(const struct function *f, const char *folder, const char *name)
{
	char dev[PATH_MAX], parent[PATH_MAX], path[PATH_MAX];
	size_t n;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	if (!realpath(path, dev))
		return false;
	snprintf(path, sizeof(path), PCI_DEVICES "/%s", f->bdf);
	if (!realpath(path, parent))
		return false;
	n = strlen(parent);
	return !strncmp(dev, parent, n) && dev[n] == '/';
}

static bool vdpa_of(const char *folder, const char *name, void *data)
{
	struct function *f = data;
	char word[WORD_SIZE];

	if (!is_below(f, folder, name))
		return false;
	snprintf(f->why, sizeof(f->why), "%s has a vDPA device on it", f->driver);
	snprintf(f->mend, sizeof(f->mend), "vdpa dev del %s", shell_word(word, name));
	return true;
}

/* Its file in /dev. Of a disk of NVMe with several paths it is one path only, which has none. */
static void disk_path(char path[PATH_MAX], const char *folder, const char *name)
{
	unsigned int subsystem, path_of, disk;
	char *slash;

	if (read_u64(0, "%s/%s/hidden", folder, name) &&
	    sscanf(name, "nvme%uc%un%u", &subsystem, &path_of, &disk) == 3)
		snprintf(path, PATH_MAX, "/dev/nvme%un%u", subsystem, disk);
	else
		snprintf(path, PATH_MAX, "/dev/%s", name);
	while ((slash = strchr(path, '!')))
		*slash = '/';
}

/* Mounted, a part of something else, or opened by who wants to be alone. */
static bool disk_busy(const char *folder, const char *name, void *data)
{
	struct function *f = data;
	char path[PATH_MAX];
	int fd;

	if (!is_below(f, folder, name))
		return false;
	disk_path(path, folder, name);
	fd = open(path, O_RDONLY | O_EXCL | O_CLOEXEC);
	if (fd >= 0)
		close(fd);
	if (fd >= 0 || errno == ENOMEDIUM || errno == ENXIO)
		return false;
	snprintf(f->why, sizeof(f->why), errno == EBUSY ? "its disk %.256s is in use" :
		 "whether its disk %.256s is in use cannot be seen", path);
	return true;
}

/* One of ours that runs, or that somebody has open: he would be waited for. */
static bool vdpa_runs(const char *folder, const char *name, void *data)
{
	struct function *f = data;
	char state[64];

	if (!is_below(f, folder, name))
		return false;
	if (each_name(is_open, NULL, "%s/%s", folder, name))
		snprintf(f->why, sizeof(f->why), "a process has its vDPA device %s open", name);
	else if (!read_line(state, sizeof(state), "%s/%s/vmdev/state", folder, name))
		snprintf(f->why, sizeof(f->why),
			 "there is a vDPA device %s on it, and without vmdev_ctl nobody knows whether it runs",
			 name);
	else if (strcmp(state, "off"))
		snprintf(f->why, sizeof(f->why), "its vDPA device %s is in use", name);
	else
		return false;
	return true;
}

static bool has_vfs(struct function *f)
{
	if (!read_u64(0, PCI_DEVICES "/%s/sriov_numvfs", f->bdf))
		return false;
	snprintf(f->why, sizeof(f->why), "it has VFs, which would go with its driver");
	return true;
}

/* Of a driver that only others know. */
static bool driver_busy(struct function *f)
{
	if (each_name(any_name, NULL, PCI_DEVICES "/%s/net", f->bdf))
		return false;
	if (read_u64(0, PCI_DEVICES "/%s/class", f->bdf) >> 16 != CLASS_NETWORK)
		return nobody_knows(f, f->driver);
	snprintf(f->why, sizeof(f->why),
		 "%s has it: its network interface is in another network namespace, or a process has it",
		 f->driver);
	return true;
}

/* By another driver's users. */
static bool in_use(struct function *f)
{
	/* These do nothing without a vDPA device. */
	static const char * const vdpa[] = { OURS, "vp_vdpa", "ifcvf", "pci-stub", NULL };

	if (!strcmp(f->driver, "vfio-pci")) {
		snprintf(f->why, sizeof(f->why), "vfio-pci has it, for a VMM perhaps");
		return true;
	}
	if (has_vfs(f) || each_name(netdev_up, f, PCI_DEVICES "/%s/net", f->bdf) ||
	    each_name(vdpa_of, f, "/sys/bus/vdpa/devices") ||
	    each_name(disk_busy, f, "/sys/block"))
		return true;
	if (!*f->driver || is_one_of(f->driver, vdpa))
		return false;
	if (!strcmp(f->driver, "virtio-pci"))
		return each_name(virtio_busy, f, PCI_DEVICES "/%s", f->bdf);
	return driver_busy(f);
}

bool function_in_use(const char *bdf, char why[LINE_SIZE], char mend[LINE_SIZE])
{
	struct function f = { .bdf = "" };
	bool used;

	snprintf(f.bdf, sizeof(f.bdf), "%s", bdf);
	read_link(f.driver, sizeof(f.driver), PCI_DEVICES "/%s/driver", bdf);
	used = in_use(&f);
	strcpy(why, f.why);
	strcpy(mend, f.mend);
	return used;
}

static int say_in_use(const struct function *f)
{
	return failure("%s is in use: %s; %s%s-f takes it all the same", f->bdf, f->why, f->mend,
		       *f->mend ? " ends that, " : "");
}

/* --- modules -------------------------------------------------------------------- */

static int modprobe(const char *module)
{
	pid_t pid = fork();
	int status;

	if (!pid) {
		execlp("modprobe", "modprobe", "-q", module, NULL);
		_exit(127);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return -1;
	return status;
}

static int load(struct function *f)
{
	if (exists("/sys/bus/pci/drivers/" OURS))
		return EXIT_OK;
	if (modprobe(OURS) || !exists("/sys/bus/pci/drivers/" OURS))
		return failure("%s: module " OURS " cannot be loaded: see vmdev doctor", f->bdf);
	f->loaded = true;
	return EXIT_OK;
}

/* --- another driver ------------------------------------------------------------- */

static bool driver_is(const struct function *f, const char *driver)
{
	char now[NAME_SIZE];

	read_link(now, sizeof(now), PCI_DEVICES "/%s/driver", f->bdf);
	return !strcmp(now, driver);
}

/* The steps, each of which may fail: 0 or an errno, and @step tells which. */
static int move(const struct function *f, const char *override, const char **step)
{
	int err;

	*step = "driver_override cannot be written";
	err = write_line(override, PCI_DEVICES "/%s/driver_override", f->bdf);
	if (err)
		return err;
	*step = "its driver does not let go";
	if (exists(PCI_DEVICES "/%s/driver", f->bdf)) {
		err = write_line(f->bdf, PCI_DEVICES "/%s/driver/unbind", f->bdf);
		if (err && exists(PCI_DEVICES "/%s/driver", f->bdf))
			return err;
	}
	*step = "no driver takes it";
	return write_line(f->bdf, "/sys/bus/pci/drivers_probe");
}

/* As it was. */
static int roll_back(const struct function *f, const char *why, int err)
{
	const char *step;

	if (!driver_is(f, f->driver))
		move(f, f->override, &step);
	else
		write_line(f->override, PCI_DEVICES "/%s/driver_override", f->bdf);
	if (driver_is(f, f->driver))
		return failure("%s: %s%s%s (dmesg may say why); it has its driver again: %s",
			       f->bdf, why, err ? ": " : "", err ? strerror(err) : "",
			       *f->driver ? f->driver : "none");
	return failure("%s: %s%s%s (dmesg may say why), and its driver %s did not take it back",
		       f->bdf, why, err ? ": " : "", err ? strerror(err) : "", f->driver);
}

static void say_done(const struct function *f)
{
	char driver[NAME_SIZE];

	read_link(driver, sizeof(driver), PCI_DEVICES "/%s/driver", f->bdf);
	out_list(NULL);
	out_object(NULL);
	out_title("bdf", f->bdf);
	out_string("from", *f->driver ? f->driver : "none");
	out_string("to", *driver ? driver : "none");
	out_bool("module_loaded", f->loaded);
	out_object_end();
	out_list_end();
}

/* The words after the command: a function and -f. 0 or an exit code. */
static int parse(struct function *f, bool *force, int argc, char **argv)
{
	int i;

	for (i = 0; i < argc; i++) {
		if (!strcmp(argv[i], "-f") || !strcmp(argv[i], "--force"))
			*force = true;
		else if (*f->bdf || !parse_bdf(argv[i], f->bdf))
			return usage_error("\"%s\" is no PCI function, as 0000:01:00.1", argv[i]);
	}
	if (!*f->bdf)
		return usage_error("which PCI function? 0000:01:00.1, for instance");
	if (!exists(PCI_DEVICES "/%s", f->bdf))
		return failure("%s: there is no such PCI function: see vmdev doctor %s", f->bdf,
			       f->bdf);
	if (access("/sys/bus/pci/drivers_probe", W_OK))
		return failure("%s: drivers are changed by root alone", f->bdf);
	read_link(f->driver, sizeof(f->driver), PCI_DEVICES "/%s/driver", f->bdf);
	read_line(f->override, sizeof(f->override), PCI_DEVICES "/%s/driver_override", f->bdf);
	if (!strcmp(f->override, "(null)"))
		*f->override = '\0';
	return EXIT_OK;
}

int do_bind(int argc, char **argv)
{
	struct function f = { .bdf = "" };
	const char *step;
	bool force = false;
	int ret;

	ret = parse(&f, &force, argc, argv);
	if (ret)
		return ret;
	if (!strcmp(f.driver, OURS)) {
		say_done(&f);
		return EXIT_OK;
	}
	if (!force && is_no_virtio(f.bdf))
		return failure("%s is no virtio function, " OURS " cannot have it (-f tries)",
			       f.bdf);
	if (!force && in_use(&f))
		return say_in_use(&f);
	ret = load(&f);
	if (ret)
		return ret;
	ret = move(&f, OURS, &step);
	if (ret)
		return roll_back(&f, step, ret);
	if (!driver_is(&f, OURS))
		return roll_back(&f, OURS " does not take it", 0);
	say_done(&f);
	return EXIT_OK;
}

int do_unbind(int argc, char **argv)
{
	struct function f = { .bdf = "" };
	const char *step;
	bool force = false;
	int ret;

	ret = parse(&f, &force, argc, argv);
	if (ret)
		return ret;
	if (strcmp(f.driver, OURS))
		return failure("%s is not bound to " OURS ", but to %s", f.bdf,
			       *f.driver ? f.driver : "none");
	if (!force && (has_vfs(&f) || each_name(vdpa_runs, &f, "/sys/bus/vdpa/devices")))
		return say_in_use(&f);
	ret = move(&f, "", &step);
	/* Without a driver is what was asked for, should no other take it. */
	if (driver_is(&f, OURS))
		return roll_back(&f, step, ret);
	say_done(&f);
	return EXIT_OK;
}
