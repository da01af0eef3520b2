// SPDX-License-Identifier: GPL-2.0
/* sysfs, modules and what may be left behind; see lab.h. */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "lab.h"

#define LAB_PATH	256

/* The result lives until the fourth call after this one, in each thread. */
const char *lab_join(const char *const *pieces)
{
	static __thread char paths[4][LAB_PATH];
	static __thread unsigned int next;
	char *path = paths[next++ % 4];
	size_t len = 0;

	for (; *pieces; pieces++)
		len += snprintf(path + len, LAB_PATH - len, "%s", *pieces);
	return path;
}

bool lab_exists(const char *path)
{
	return !access(path, F_OK);
}

int lab_write(const char *path, const char *value)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	int err = 0;

	if (fd < 0)
		return -errno;
	if (write(fd, value, strlen(value)) < 0)
		err = -errno;
	close(fd);
	return err;
}

/* Up to @len - 1 bytes, with a 0 behind them; their number. */
int lab_read(const char *path, char *buf, unsigned int len)
{
	unsigned int n = 0;
	ssize_t got = 0;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	while (n < len - 1) {
		got = read(fd, buf + n, len - 1 - n);
		if (got <= 0)
			break;
		n += got;
	}
	if (got < 0)
		n = -errno;
	else
		buf[n] = '\0';
	close(fd);
	return n;
}

long lab_number(const char *path)
{
	char buf[32];
	int n = lab_read(path, buf, sizeof(buf));

	return n < 0 ? n : strtol(buf, NULL, 0);
}

/* --- vDPA devices and their bus drivers ---------------------------------- */
bool lab_dev_exists(const char *name)
{
	return lab_exists(lab_path(VDPA_DEVICES, name));
}

bool lab_bound(const char *name)
{
	return lab_exists(lab_path(VDPA_DEVICES, name, "/driver"));
}

int lab_bind(const char *name, const char *driver)
{
	return lab_write(lab_path(VDPA_DRIVERS, driver, "/bind"), name);
}

int lab_unbind(const char *name)
{
	return lab_write(lab_path(VDPA_DEVICES, name, "/driver/unbind"), name);
}

/* The character device of a vDPA device on vhost-vdpa. */
int lab_vhost(const char *name, char *path, unsigned int len)
{
	DIR *dir = opendir(lab_path(VDPA_DEVICES, name));
	struct dirent *d;
	int err = -ENOENT;

	if (!dir)
		return -errno;
	while ((d = readdir(dir))) {
		if (strncmp(d->d_name, "vhost-vdpa-", 11))
			continue;
		snprintf(path, len, "/dev/%s", d->d_name);
		err = 0;
	}
	closedir(dir);
	return err;
}

/* --- PCI functions ------------------------------------------------------- */
bool lab_is_ours(const char *bdf)
{
	return lab_exists(lab_path(VMDEV_PCI, bdf));
}

/* A function that nobody drives becomes ours. */
int lab_take(const char *bdf)
{
	return lab_write(VMDEV_PCI "bind", bdf);
}

int lab_release(const char *bdf)
{
	return lab_write(VMDEV_PCI "unbind", bdf);
}

/* --- modules ------------------------------------------------------------- */
#define LAB_IMAGES	8

/**
 * struct lab_image - a module's file in memory
 * @name: of the module
 * @data: what is in the file
 * @len: bytes
 */
struct lab_image {
	const char *name;
	void *data;
	unsigned long len;
};

/* It has no name if that failed. */
static int lab_image_read(struct lab_image *image, const char *name)
{
	static struct utsname uts;
	const char *path;
	struct stat st;
	int n;

	if (!uts.release[0])
		uname(&uts);
	path = lab_path("/lib/modules/", uts.release, "/updates/", name, ".ko");
	if (stat(path, &st))
		return -errno;
	image->data = malloc(st.st_size + 1);
	if (!image->data)
		return -ENOMEM;
	n = lab_read(path, image->data, st.st_size + 1);
	if (n != st.st_size) {
		free(image->data);
		return n < 0 ? n : -EIO;
	}
	image->name = name;
	image->len = n;
	return 0;
}

/*
 * Only the first time is the file read: from then on a fault is one of loading, and
 * none of the file system. That is 9p in the lab, whose client forgets a fid that it
 * has no memory to clunk. The server does not, and answers EINVAL to whatever is
 * opened next, for good, as the client takes the same number.
 */
int lab_insmod(const char *name)
{
	static struct lab_image images[LAB_IMAGES];
	struct lab_image *image = images;
	int err = 0;

	while (image->name && strcmp(image->name, name))
		if (++image == images + LAB_IMAGES)
			return -ENOSPC;
	if (!image->name)
		err = lab_image_read(image, name);
	if (!err && syscall(SYS_init_module, image->data, image->len, ""))
		err = -errno;
	return err;
}

int lab_rmmod(const char *name)
{
	return syscall(SYS_delete_module, name, O_NONBLOCK) ? -errno : 0;
}

bool lab_loaded(const char *name)
{
	return lab_exists(lab_path("/sys/module/", name));
}

/* --- the census ---------------------------------------------------------- */
static long lab_entries(const char *path)
{
	DIR *dir = opendir(path);
	struct dirent *d;
	long n = 0;

	if (!dir)
		return 0;
	while ((d = readdir(dir)))
		n += d->d_name[0] != '.';
	closedir(dir);
	return n;
}

/* What a file is read into; one thread takes the census. */
static char lab_text[1 << 18];

static long lab_irqs(void)
{
	const char *p = lab_text;
	long n = 0;

	if (lab_read("/proc/interrupts", lab_text, sizeof(lab_text)) < 0)
		return -1;
	while ((p = strstr(p, "vmdev-"))) {
		n++;
		p++;
	}
	return n;
}

/* The number behind a name in lab_text. */
static long lab_field(const char *name)
{
	const char *p = strstr(lab_text, name);

	return p ? strtol(p + strlen(name), NULL, 0) : -1;
}

/* kB; a kernel without the counter has none. */
long lab_pinned_kb(void)
{
	if (lab_read("/proc/self/status", lab_text, sizeof(lab_text)) < 0)
		return -1;
	return lab_field("\nVmPin:");
}

static long lab_pins(void)
{
	/* Each CPU keeps some of a counter to itself until then. */
	lab_read("/proc/sys/vm/stat_refresh", lab_text, sizeof(lab_text));
	if (lab_read("/proc/vmstat", lab_text, sizeof(lab_text)) < 0)
		return -1;
	return lab_field("\nnr_foll_pin_acquired ") -
	       lab_field("\nnr_foll_pin_released ");
}

void lab_count(struct lab_census *census)
{
	census->devices = lab_entries(VDPA_DEVICES);
	census->functions = lab_entries(PCI_DEVICES);
	census->irqs = lab_irqs();
	census->pinned = lab_pinned_kb();
	census->pins = lab_pins();
}

/* NULL, or what is not as it was. */
const char *lab_compare(const struct lab_census *before,
			const struct lab_census *now)
{
	static char text[160];

	if (!memcmp(before, now, sizeof(*now)))
		return NULL;
	snprintf(text, sizeof(text),
		 "before/now: %ld/%ld vDPA devices, %ld/%ld interrupts, %ld/%ld functions, %ld/%ld kB pinned, %ld/%ld pins",
		 before->devices, now->devices, before->irqs, now->irqs,
		 before->functions, now->functions, before->pinned,
		 now->pinned, before->pins, now->pins);
	return text;
}
