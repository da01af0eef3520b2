// SPDX-License-Identifier: GPL-2.0
/* vmdev doctor, of the machine: kernel, modules, IOMMU, limits. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "doctor.h"

#define REBOOT		"update-grub && reboot"
#define GRUB		"/etc/default/grub"
#define FIRMWARE_SETUP	"systemctl reboot --firmware-setup"

/* --- text files ----------------------------------------------------------------- */

/* Does @test like one of the lines? Lines of the index of modules are long. */
static bool any_line(const char *path, bool (*test)(char *line, void *data), void *data)
{
	FILE *file = fopen(path, "r");
	bool found = false;
	char *line = NULL;
	size_t size = 0;

	if (!file)
		return false;
	while (!found && getline(&line, &size, file) >= 0)
		found = test(line, data);
	free(line);
	fclose(file);
	return found;
}

/* Is @word one of the words of the kernel's command line? */
static bool booted_with(const char *word)
{
	char line[4096], *at, *rest = line;

	read_line(line, sizeof(line), "/proc/cmdline");
	while ((at = strsep(&rest, " ")))
		if (!strcmp(at, word))
			return true;
	return false;
}

/* --- modules -------------------------------------------------------------------- */

/* PATH/NAME.ko, or .ko.xz, at the beginning of a line of modules.dep and modules.builtin. */
static bool is_module(char *line, void *name)
{
	size_t n = strlen(name);
	char *base;

	line[strcspn(line, ":\n")] = '\0';
	base = strrchr(line, '/');
	base = base ? base + 1 : line;
	return !strncmp(base, name, n) && !strncmp(base + n, ".ko", 3);
}

static bool loaded(const char *name)
{
	return exists("/sys/module/%s", name);
}

/* Is there such a module for the kernel that runs? */
static bool available(char *name)
{
	static const char * const lists[] = { "dep", "builtin" };
	char path[NAME_SIZE + 64];
	struct utsname kernel;
	unsigned int i;

	uname(&kernel);
	for (i = 0; i < MNL_ARRAY_SIZE(lists); i++) {
		snprintf(path, sizeof(path), "/lib/modules/%s/modules.%s", kernel.release,
			 lists[i]);
		if (any_line(path, is_module, name))
			return true;
	}
	return loaded(name);
}

/*
 * "blacklist NAME", or "install NAME COMMAND" that makes modprobe load nothing. A command that
 * loads it has modprobe ignore that line.
 */
static bool is_forbidden(char *line, void *name)
{
	char what[32], which[NAME_SIZE];

	if (sscanf(line, " %31s %255s", what, which) != 2 || strcmp(which, name))
		return false;
	return !strcmp(what, "blacklist") ||
	       (!strcmp(what, "install") && !strstr(line, " --ignore-install") &&
		!strstr(line, " -i "));
}

/**
 * struct forbidden - a module that modprobe is told not to load
 * @name: of it
 * @path: the file that says so
 */
struct forbidden {
	char *name;
	char path[LINE_SIZE];
};

static bool forbids(const char *folder, const char *file, void *data)
{
	struct forbidden *f = data;
	size_t n = strlen(file);

	if (n < 5 || strcmp(file + n - 5, ".conf"))
		return false;
	snprintf(f->path, sizeof(f->path), "%s/%s", folder, file);
	return any_line(f->path, is_forbidden, f->name);
}

static bool forbidden(struct forbidden *f)
{
	return each_name(forbids, f, "/etc/modprobe.d") ||
	       each_name(forbids, f, "/run/modprobe.d") ||
	       each_name(forbids, f, "/usr/lib/modprobe.d");
}

/* A module of the kernel's; whether it can be loaded. */
static bool check_kernels(struct doctor *d, char *name, const char *config)
{
	struct forbidden f = { .name = name };
	char mend[2 * LINE_SIZE];

	if (loaded(name))
		return true;
	if (!available(name)) {
		finding(d, "modules", NULL, "apt install linux-image-amd64 && reboot",
			"this kernel has no %s (%s): kernels for clouds have none, Debian's others have",
			name, config);
		return false;
	}
	if (!forbidden(&f))
		return true;
	snprintf(mend, sizeof(mend), "sed -i '/\\b%s\\b/d' %s && modprobe %s", name, f.path, name);
	finding(d, "modules", NULL, mend, "%s is not loaded, and %s forbids it", name, f.path);
	return false;
}

/* Do only signed modules get in? */
static bool signed_only(void)
{
	char line[128];

	return (read_line(line, sizeof(line), "/sys/module/module/parameters/sig_enforce") &&
		*line == 'Y') ||
	       (read_line(line, sizeof(line), "/sys/kernel/security/lockdown") &&
		strchr(line, '[') && !strstr(line, "[none]"));
}

/* modinfo looks into compressed ones, too. */
static bool is_signed(const char *name)
{
	char command[NAME_SIZE + 64], line[NAME_SIZE] = "";
	FILE *out;

	snprintf(command, sizeof(command), "modinfo -F sig_id %s 2>/dev/null", name);
	out = popen(command, "r");
	if (!out)
		return true;
	if (!fgets(line, sizeof(line), out))
		*line = '\0';
	pclose(out);
	return *line && *line != '\n';
}

static void check_ours(struct doctor *d)
{
	if (!available("vmdev")) {
		finding(d, "modules", NULL, "dkms install vmdev/" VMDEV_VERSION,
			"vmdev is not installed for the kernel that runs");
		return;
	}
	if (loaded("vmdev_pci") || loaded("vmdev_soft"))
		return;
	if (signed_only() && !is_signed("vmdev"))
		finding(d, "secure-boot", NULL,
			"mokutil --import /var/lib/dkms/mok.pub && dkms install --force vmdev/"
			VMDEV_VERSION " && reboot",
			"the kernel takes signed modules only (Secure Boot), and vmdev is not signed");
	else
		finding(d, "modules", NULL, "modprobe vmdev_pci",
			"neither vmdev_pci nor vmdev_soft is loaded");
}

static void check_modules(struct doctor *d)
{
	bool vhost, virtio;

	if (!check_kernels(d, "vdpa", "CONFIG_VDPA"))
		return;
	vhost = check_kernels(d, "vhost_vdpa", "CONFIG_VHOST_VDPA");
	virtio = check_kernels(d, "virtio_vdpa", "CONFIG_VIRTIO_VDPA");
	if (vhost && virtio && !loaded("vhost_vdpa") && !loaded("virtio_vdpa"))
		finding(d, "modules", NULL, "modprobe vhost_vdpa",
			"nothing takes vDPA devices: vhost_vdpa (for QEMU, DPDK) and virtio_vdpa (for this machine) are not loaded");
	check_ours(d);
}

/* --- IOMMU ---------------------------------------------------------------------- */

static bool any_name(const char *folder, const char *name, void *data)
{
	(void)folder;
	(void)name;
	(void)data;
	return true;
}

/* Takes a word off the kernel's command line. */
static void mend_word(char mend[LINE_SIZE], const char *word)
{
	snprintf(mend, LINE_SIZE, "sed -i 's/\\b%s\\b *//' " GRUB " && " REBOOT, word);
}

/* A word of @words that turns something off, or NULL. */
static const char *turned_off(const char * const *words)
{
	for (; *words; words++)
		if (booted_with(*words))
			return *words;
	return NULL;
}

static void check_iommu(struct doctor *d)
{
	static const char * const offs[] = { "intel_iommu=off", "amd_iommu=off", "iommu=off",
					     NULL };
	const char *off = turned_off(offs);
	char mend[LINE_SIZE];

	d->iommu = each_name(any_name, NULL, "/sys/kernel/iommu_groups");
	if (d->iommu || d->software)
		return;
	if (off) {
		mend_word(mend, off);
		finding(d, "iommu", NULL, mend,
			"the IOMMU is off: the kernel was booted with %s; user space cannot have functions",
			off);
	} else if (exists("/sys/firmware/acpi/tables/DMAR")) {
		finding(d, "iommu", NULL,
			"sed -i 's/^GRUB_CMDLINE_LINUX=\"/&intel_iommu=on /' " GRUB " && " REBOOT,
			"the IOMMU is off: there is VT-d, but the kernel does not use it; user space cannot have functions");
	} else {
		finding(d, "iommu", NULL, FIRMWARE_SETUP,
			"the IOMMU is off: firmware shows none, enable VT-d or AMD-Vi there; user space cannot have functions");
	}
}

/* Chips of remapped interrupts are IR-IO-APIC, IR-PCI-MSI, ... */
static bool is_remapped(char *line, void *data)
{
	(void)data;
	return strstr(line, " IR-");
}

static void check_isolation(struct doctor *d)
{
	static const char * const offs[] = { "intremap=off", "intremap=nosid", NULL };
	const char *off = turned_off(offs);
	struct utsname machine;
	char mend[LINE_SIZE] = FIRMWARE_SETUP, allowed[8];

	uname(&machine);
	/* Others isolate MSIs elsewhere. */
	if (!d->iommu || d->software || strcmp(machine.machine, "x86_64") ||
	    any_line("/proc/interrupts", is_remapped, NULL))
		return;
	if (read_line(allowed, sizeof(allowed),
		      "/sys/module/vmdev_irq/parameters/allow_unsafe_interrupts") &&
	    *allowed == 'Y')
		return;
	if (off)
		mend_word(mend, off);
	finding(d, "isolation", NULL, mend,
		"interrupts are not isolated: no interrupt remapping, %s%s; user space cannot have functions (where every guest is trusted: echo 1 > /sys/module/vmdev_irq/parameters/allow_unsafe_interrupts)",
		off ? "the kernel was booted with " : "enable it in firmware", off ? off : "");
}

/* --- limits --------------------------------------------------------------------- */

static unsigned long long mib(uint64_t bytes)
{
	return bytes >> 20;
}

static void check_memlock(struct doctor *d)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_MEMLOCK, &limit) || limit.rlim_cur == RLIM_INFINITY ||
	    limit.rlim_cur >= d->memory)
		return;
	finding(d, "memlock", NULL, "ulimit -l unlimited",
		"%llu MiB may be pinned here, all memory of a guest has to be (%llu MiB): \"Cannot allocate memory\", or \"Bad address\"; in a unit of systemd LimitMEMLOCK=infinity",
		mib(limit.rlim_cur), mib(d->memory));
}

/* "NAME:  NUMBER ..." of /proc/meminfo. */
struct meminfo {
	const char *name;
	uint64_t value;
};

static bool has_value(char *line, void *data)
{
	struct meminfo *m = data;
	size_t n = strlen(m->name);

	if (strncmp(line, m->name, n) || line[n] != ':')
		return false;
	m->value = strtoull(line + n + 1, NULL, 10);
	return true;
}

/* Pieces of contiguous memory that a guest is made of, at most. */
static uint64_t pieces(uint64_t memory)
{
	struct meminfo n = { "HugePages_Total", 0 }, kib = { "Hugepagesize", 0 };

	any_line("/proc/meminfo", has_value, &n);
	any_line("/proc/meminfo", has_value, &kib);
	if (n.value && kib.value && n.value * kib.value >= memory >> 10)
		return (memory >> 10) / kib.value + 1;
	return memory / sysconf(_SC_PAGESIZE);
}

static void check_iotlb(struct doctor *d)
{
	unsigned long long need = pieces(d->memory), have;
	char mend[LINE_SIZE];

	have = read_u64(UINT64_MAX, "/sys/module/vhost_vdpa/parameters/max_iotlb_entries");
	if (have >= need)
		return;
	snprintf(mend, sizeof(mend),
		 "echo options vhost_vdpa max_iotlb_entries=%llu > /etc/modprobe.d/vhost_vdpa.conf && modprobe -r vhost_vdpa && modprobe vhost_vdpa",
		 need);
	finding(d, "max-iotlb-entries", NULL, mend,
		"vhost_vdpa takes %llu pieces of memory, a guest of %llu MiB may have %llu without huge pages: \"Bad address\"",
		have, mib(d->memory), need);
}

static bool is_function(const char *folder, const char *name, void *data)
{
	(void)folder;
	(void)data;
	return strchr(name, ':');
}

void doctor_host(struct doctor *d)
{
	/* Who has software devices may want no others. */
	d->software = !*d->bdf && loaded("vmdev_soft") &&
		      !each_name(is_function, NULL, "/sys/bus/pci/drivers/vmdev_pci");
	check_modules(d);
	check_iommu(d);
	check_isolation(d);
	check_memlock(d);
	check_iotlb(d);
}
