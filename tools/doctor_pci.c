// SPDX-License-Identifier: GPL-2.0
/* vmdev doctor, of PCI functions: their driver, their IOMMU group, their VFs. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "doctor.h"

#define OURS		"vmdev_pci"
#define VIRTIO_VENDOR	0x1af4
#define CLASS_BRIDGE	0x0604
/* Bits of virtio features, as sysfs has them: a character for each. */
#define VERSION_1	32
#define ACCESS_PLATFORM	33

static bool is_bound(const char *bdf, char driver[NAME_SIZE])
{
	return read_link(driver, NAME_SIZE, PCI_DEVICES "/%s/driver", bdf);
}

static bool is_ours(const char *bdf)
{
	char driver[NAME_SIZE];

	return is_bound(bdf, driver) && !strcmp(driver, OURS);
}

/* A NIC or a disk, by the ids of today, or of transitional ones. */
static bool is_virtio(const char *bdf)
{
	if (read_u64(0, PCI_DEVICES "/%s/vendor", bdf) != VIRTIO_VENDOR)
		return false;
	switch (read_u64(0, PCI_DEVICES "/%s/device", bdf)) {
	case 0x1000:
	case 0x1001:
	case 0x1041:
	case 0x1042:
		return true;
	default:
		return false;
	}
}

static uint64_t total_vfs(const char *bdf)
{
	return read_u64(0, PCI_DEVICES "/%s/sriov_totalvfs", bdf);
}

static uint64_t num_vfs(const char *bdf)
{
	return read_u64(0, PCI_DEVICES "/%s/sriov_numvfs", bdf);
}

/* --- IOMMU group ---------------------------------------------------------------- */

/**
 * struct others - who shares an IOMMU group
 * @bdf: of the function that is asked about
 * @names: of the others
 * @remove: the command that takes them away
 * @keep: why it must not be run; "" if it may
 * @bridge: one is the bridge that it is behind, and cannot be without
 */
struct others {
	const char *bdf;
	char names[LINE_SIZE / 2];
	char remove[LINE_SIZE];
	char keep[LINE_SIZE];
	bool bridge;
};

/* Was there room for it? */
static bool append(char *text, size_t size, const char *between, const char *what)
{
	size_t n = strlen(text);

	return (size_t)snprintf(text + n, size - n, "%s%s", n ? between : "", what) < size - n;
}

static bool add_other(const char *folder, const char *name, void *data)
{
	char command[NAME_SIZE + 64], why[LINE_SIZE], mend[LINE_SIZE];
	struct others *o = data;

	(void)folder;
	if (!strcmp(name, o->bdf))
		return false;
	append(o->names, sizeof(o->names), ", ", name);
	o->bridge = o->bridge || read_u64(0, PCI_DEVICES "/%s/class", name) >> 8 == CLASS_BRIDGE;
	snprintf(command, sizeof(command), "echo 1 > " PCI_DEVICES "/%s/remove", name);
	if (function_in_use(name, why, mend))
		snprintf(o->keep, sizeof(o->keep), "%s is in use: %.512s", name, why);
	if (!append(o->remove, sizeof(o->remove), " && ", command))
		strcpy(o->keep, "they are too many to be removed");
	return false;
}

static void check_group(struct doctor *d, const char *bdf)
{
	struct others o = { .bdf = bdf };

	if (!d->iommu)
		return;
	if (!exists(PCI_DEVICES "/%s/iommu_group", bdf)) {
		finding(d, "iommu", bdf, "dmesg | grep -e DMAR -e AMD-Vi",
			"no IOMMU translates it, user space cannot have it: firmware left it out");
		return;
	}
	each_name(add_other, &o, PCI_DEVICES "/%s/iommu_group/devices", bdf);
	if (o.bridge)
		finding(d, "iommu-group", bdf, "lspci -tv",
			"it shares its IOMMU group with %s, a bridge among them, so user space cannot have it: it needs another slot, or ACS in firmware",
			o.names);
	else if (*o.names)
		finding(d, "iommu-group", bdf, *o.keep ? "lspci -tv" : o.remove,
			"it shares its IOMMU group with %s, so user space cannot have it: another slot, ACS in firmware%s%s",
			o.names, *o.keep ? "; " : ", or without them", o.keep);
}

/* --- VFs ------------------------------------------------------------------------ */

static void check_vfs(struct doctor *d, const char *bdf)
{
	char mend[LINE_SIZE], driver[NAME_SIZE];
	unsigned int total = total_vfs(bdf);

	if (!total || num_vfs(bdf) || is_ours(bdf))
		return;
	/* VFs wait for a driver of the PF that has started it. */
	snprintf(mend, sizeof(mend), "%secho %u > " PCI_DEVICES "/%s/sriov_numvfs",
		 is_bound(bdf, driver) && strcmp(driver, "virtio-pci") ? "" :
		 "modprobe virtio_net && ", total, bdf);
	finding(d, "vfs", bdf, mend, "its VFs are not enabled, it can have %u", total);
}

/**
 * struct vf - a function that may be a VF to come
 * @d: who asks
 * @id: bus, device and function, as a number
 */
struct vf {
	struct doctor *d;
	unsigned int id;
};

static unsigned int routing_id(const char *bdf)
{
	unsigned int domain, bus, dev, fn;

	if (sscanf(bdf, "%x:%x:%x.%x", &domain, &bus, &dev, &fn) != 4)
		return 0;
	return bus << 8 | dev << 3 | fn;
}

/* Would @vf be one of this PF's? */
static bool is_pf_of(const char *folder, const char *name, void *data)
{
	uint64_t offset = read_u64(0, "%s/%s/sriov_offset", folder, name);
	uint64_t stride = read_u64(0, "%s/%s/sriov_stride", folder, name);
	struct vf *vf = data;
	uint64_t total = total_vfs(name), i;

	if (num_vfs(name))
		return false;
	for (i = 0; i < total; i++) {
		if (routing_id(name) + offset + i * stride != vf->id)
			continue;
		check_vfs(vf->d, name);
		return true;
	}
	return false;
}

static void check_absent(struct doctor *d)
{
	struct vf vf = { d, routing_id(d->bdf) };

	if (!each_name(is_pf_of, &vf, PCI_DEVICES))
		finding(d, "function", d->bdf, "lspci -D -d 1af4:",
			"there is no such PCI function");
}

/* --- drivers -------------------------------------------------------------------- */

/* Of a function whose virtio driver took features: before that all are 0. */
static bool lacks_platform(const char *folder, const char *name, void *data)
{
	char bits[128];

	(void)data;
	return !strncmp(name, "virtio", 6) &&
	       read_line(bits, sizeof(bits), "%s/%s/features", folder, name) &&
	       strlen(bits) > ACCESS_PLATFORM && bits[VERSION_1] == '1' &&
	       bits[ACCESS_PLATFORM] == '0';
}

static void check_driver(struct doctor *d, const char *bdf)
{
	char driver[NAME_SIZE], why[LINE_SIZE], mend[LINE_SIZE], command[2 * LINE_SIZE];
	bool used;

	if (is_ours(bdf))
		return;
	if (is_no_virtio(bdf)) {
		finding(d, "function", bdf, "lspci -D -d 1af4:",
			"it is no virtio function, " OURS " cannot have it");
		return;
	}
	is_bound(bdf, driver);
	if (each_name(lacks_platform, NULL, PCI_DEVICES "/%s", bdf))
		finding(d, "access-platform", bdf, "-device virtio-net-pci,...,iommu_platform=on",
			"it does not offer ACCESS_PLATFORM, so its DMA would bypass the IOMMU: its firmware has to, if it is QEMU's by this option");
	used = function_in_use(bdf, why, mend);
	snprintf(command, sizeof(command), "%s%svmdev bind %s", mend, *mend ? " && " : "", bdf);
	finding(d, "driver", bdf, command, "it is bound to %s, not to " OURS "%s%s",
		*driver ? driver : "no driver", used ? "; " : "", used ? why : "");
}

/* --- all of them ---------------------------------------------------------------- */

/**
 * struct survey - what there is
 * @d: who asks
 * @ours: functions that are bound to our driver
 * @best: one that could be, a VF if there is one
 * @vf: that is one
 */
struct survey {
	struct doctor *d;
	unsigned int ours;
	char best[BDF_SIZE];
	bool vf;
};

static bool look_at(const char *folder, const char *name, void *data)
{
	char why[LINE_SIZE], mend[LINE_SIZE];
	struct survey *s = data;
	bool vf = exists("%s/%s/physfn", folder, name);

	if (is_ours(name)) {
		check_group(s->d, name);
		s->ours++;
		return false;
	}
	if (!is_virtio(name) || strlen(name) >= BDF_SIZE || (*s->best && s->vf >= vf) ||
	    total_vfs(name) || is_no_virtio(name) || function_in_use(name, why, mend))
		return false;
	strcpy(s->best, name);
	s->vf = vf;
	return false;
}

static bool check_vfs_of(const char *folder, const char *name, void *data)
{
	struct survey *s = data;

	(void)folder;
	if (is_virtio(name))
		check_vfs(s->d, name);
	return false;
}

static void check_all(struct doctor *d)
{
	struct survey s = { .d = d };
	unsigned int before = d->findings;
	char mend[NAME_SIZE];

	each_name(look_at, &s, PCI_DEVICES);
	if (s.ours || d->software)
		return;
	if (!s.vf)
		each_name(check_vfs_of, &s, PCI_DEVICES);
	if (*s.best && d->findings == before) {
		snprintf(mend, sizeof(mend), "vmdev bind %s", s.best);
		finding(d, "driver", NULL, mend, "no function is bound to " OURS ", %s could be",
			s.best);
	} else if (d->findings == before) {
		finding(d, "function", NULL, "modprobe vmdev_soft",
			"there is no virtio function that could be bound to " OURS
			"; devices can be software, too");
	}
}

void doctor_pci(struct doctor *d)
{
	if (!*d->bdf) {
		check_all(d);
		return;
	}
	if (!exists(PCI_DEVICES "/%s", d->bdf)) {
		check_absent(d);
		return;
	}
	check_group(d, d->bdf);
	check_vfs(d, d->bdf);
	/* Of a PF it is the VFs that are wanted. */
	if (!total_vfs(d->bdf))
		check_driver(d, d->bdf);
}
