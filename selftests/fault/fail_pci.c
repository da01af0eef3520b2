// SPDX-License-Identifier: GPL-2.0
/* Scenarios: functions, VFs and modules come and go. */
#include <errno.h>

#include "fail_nth.h"

/* --- probe and remove ---------------------------------------------------- */
static int release(void)
{
	return lab_is_ours(net_bdf) ? lab_release(net_bdf) : 0;
}

static int take(void)
{
	return lab_is_ours(net_bdf) ? 0 : lab_take(net_bdf);
}

static int probe(void)
{
	return lab_take(net_bdf);
}

static int remove_it(void)
{
	return lab_release(net_bdf);
}

static bool is_ours(void)
{
	return lab_is_ours(net_bdf);
}

static bool is_not_ours(void)
{
	return !lab_is_ours(net_bdf);
}

static int release_blk(void)
{
	return lab_is_ours(blk_bdf) ? lab_release(blk_bdf) : 0;
}

static int take_blk(void)
{
	return lab_is_ours(blk_bdf) ? 0 : lab_take(blk_bdf);
}

static int probe_blk(void)
{
	return lab_take(blk_bdf);
}

static bool blk_is_ours(void)
{
	return lab_is_ours(blk_bdf);
}

/* Its device has a driver: removal takes them along. */
static int take_with_vhost(void)
{
	int err = take();

	return err ? err : dev_vhost_up();
}

/* --- VFs of a PF that is ours -------------------------------------------- */
static long numvfs(void)
{
	return lab_number(lab_path(PCI_DEVICES, pf_bdf, "/sriov_numvfs"));
}

static int set_numvfs(const char *n)
{
	return lab_write(lab_path(PCI_DEVICES, pf_bdf, "/sriov_numvfs"), n);
}

static int no_vfs(void)
{
	return numvfs() > 0 ? set_numvfs("0") : 0;
}

static int two_vfs(void)
{
	return set_numvfs("2");
}

static bool has_vfs(void)
{
	return numvfs() == 2;
}

static bool has_no_vfs(void)
{
	return !numvfs();
}

static int take_away(void)
{
	return set_numvfs("0");
}

static int take_pf(void)
{
	return lab_is_ours(pf_bdf) ? no_vfs() : lab_take(pf_bdf);
}

/* --- modules ------------------------------------------------------------- */
static const char * const modules[] = {
	"vmdev_soft", "vmdev_pci", "vmdev_irq", "vmdev", "vmdev_dirty",
};

static int unload_all(void)
{
	unsigned int i;
	int err = 0;

	for (i = 0; i < ARRAY_SIZE(modules) && !err; i++)
		if (lab_loaded(modules[i]))
			err = lab_rmmod(modules[i]);
	return err;
}

static int unload_one(const char *name)
{
	return lab_loaded(name) ? lab_rmmod(name) : 0;
}

#define MODULE(_name)							\
static int load_##_name(void) { return lab_insmod(#_name); }		\
static int unload_##_name(void) { return unload_one(#_name); }		\
static bool is_loaded_##_name(void) { return lab_loaded(#_name); }

MODULE(vmdev)
MODULE(vmdev_dirty)
MODULE(vmdev_irq)
MODULE(vmdev_pci)
MODULE(vmdev_soft)

static int enter_core(void)
{
	int err = unload_all();

	return err ? err : load_vmdev_dirty();
}

static int enter_soft(void)
{
	int err = enter_core();

	return err ? err : load_vmdev();
}

static int enter_pci(void)
{
	int err = enter_soft();

	return err ? err : load_vmdev_irq();
}

/* What vp_modern_probe() says of a BAR that it cannot map or request, and MSI of vectors. */
#define PROBES	.also = { EINVAL, ENOSPC, ENODEV, EBUSY }

struct scenario pci_scenarios[] = {
	{ .test.name = "probe_net", .step = 13, PROBES, .enter = release,
	  .run = probe, .done = is_ours, .undo = release, .leave = take },
	/* With INTx: ACPICA uses what it freed when _PRT ran out of memory. */
	{ .test.name = "probe_blk", .step = 79, PROBES,
	  .not_in = "acpi_ns_evaluate", .enter = release_blk,
	  .run = probe_blk, .done = blk_is_ours, .undo = release_blk,
	  .leave = take_blk },
	{ .test.name = "remove", .step = 2, .enter = release,
	  .prepare = take, .run = remove_it, .done = is_not_ours,
	  .undo = release, .leave = take },
	{ .test.name = "remove_vhost", .step = 2, .enter = release,
	  .prepare = take_with_vhost, .run = remove_it, .done = is_not_ours,
	  .undo = release, .leave = take },
	/*
	 * The PCI core makes a VF without a name (a WARN), without sysfs files
	 * that it removes once more later (a use after free), and does not
	 * free the BARs of one that it could not make (a BUG with the next).
	 */
	{ .test.name = "sriov_enable", .step = 5,
	  .not_in = "pci_iov_add_virtfn", .enter = take_pf,
	  .run = two_vfs, .done = has_vfs, .undo = no_vfs },
	{ .test.name = "sriov_disable", .step = 17, .enter = take_pf,
	  .prepare = two_vfs, .run = take_away, .done = has_no_vfs,
	  .undo = no_vfs },
	{ .test.name = "load_vmdev_dirty", .step = 101, .enter = unload_all,
	  .run = load_vmdev_dirty, .done = is_loaded_vmdev_dirty,
	  .undo = unload_vmdev_dirty },
	/* EINVAL is what module_add_driver() says of a folder that it cannot make. */
	{ .test.name = "load_vmdev", .step = 101, .also = { EINVAL },
	  .enter = enter_core,
	  .run = load_vmdev, .done = is_loaded_vmdev, .undo = unload_vmdev },
	{ .test.name = "load_vmdev_irq", .step = 101, .enter = unload_all,
	  .run = load_vmdev_irq, .done = is_loaded_vmdev_irq,
	  .undo = unload_vmdev_irq },
	{ .test.name = "load_vmdev_pci", .step = 61, .also = { EINVAL },
	  .enter = enter_pci,
	  .run = load_vmdev_pci, .done = is_loaded_vmdev_pci,
	  .undo = unload_vmdev_pci, .leave = unload_all },
	{ .test.name = "load_vmdev_soft", .step = 61, .also = { EINVAL },
	  .enter = enter_soft,
	  .run = load_vmdev_soft, .done = is_loaded_vmdev_soft,
	  .undo = unload_vmdev_soft, .leave = unload_all },
	{ }
};
