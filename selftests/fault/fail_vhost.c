// SPDX-License-Identifier: GPL-2.0
/* Scenarios: what user space does with /dev/vhost-vdpa-N. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fail_nth.h"

#define MAP_IOVA	0x80000000ULL
#define HUGE		(2UL << 20)
/* No two neighbours lie side by side in memory: a mapping for each. */
#define MANY_PAGES	64UL

static char path[64];
static struct rig rig;
static int raw_fd = -1;
static __u8 *pages, *huge;

static int vhost_up(void)
{
	int err = dev_vhost_up();

	return err ? err : lab_vhost(DEV, path, sizeof(path));
}

/* --- open ---------------------------------------------------------------- */
static int open_raw(void)
{
	raw_fd = open(path, O_RDWR | O_CLOEXEC);
	return raw_fd < 0 ? -errno : 0;
}

static void close_raw(void)
{
	if (raw_fd >= 0)
		close(raw_fd);
	raw_fd = -1;
}

static int open_owner(void)
{
	int err = vc_open(&rig.c, path);

	if (!err)
		err = vc_set_owner(&rig.c);
	return err ? err : vc_set_backend(&rig.c, rig.c.backend);
}

static int close_owner(void)
{
	vc_close(&rig.c);
	return 0;
}

/* A failure inside of open may show only later, but never to the next one. */
static int undo_open(void)
{
	int err;

	close_raw();
	err = open_owner();
	if (!err)
		err = vc_map(&rig.c, MAP_IOVA, pages, VC_PAGE);
	close_owner();
	return err;
}

/* Of a device that nobody had open: it leaves its default IOMMU domain. */
static int bound_anew(void)
{
	int err = lab_unbind(DEV);

	if (!err)
		err = lab_bind(DEV, "vhost_vdpa");
	return err ? err : lab_vhost(DEV, path, sizeof(path));
}

/* --- mappings ------------------------------------------------------------ */
static int make_pages(void)
{
	int fd = memfd_create("pages", MFD_CLOEXEC);
	unsigned long i;

	if (fd < 0 || ftruncate(fd, 2 * MANY_PAGES * VC_PAGE))
		return -errno;
	pages = mmap(NULL, MANY_PAGES * VC_PAGE, PROT_NONE,
		     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	for (i = 0; i < MANY_PAGES; i++)
		if (mmap(pages + i * VC_PAGE, VC_PAGE, PROT_READ | PROT_WRITE,
			 MAP_SHARED | MAP_FIXED | MAP_POPULATE, fd,
			 2 * (MANY_PAGES - 1 - i) * VC_PAGE) == MAP_FAILED)
			return -errno;
	close(fd);
	return 0;
}

static int enter_open(void)
{
	int err = vhost_up();

	return err ? err : make_pages();
}

static int enter_map(void)
{
	int err = enter_open();

	return err ? err : open_owner();
}

static int leave_map(void)
{
	close_owner();
	return dev_down();
}

static int map_one(void)
{
	return vc_map(&rig.c, MAP_IOVA, pages, VC_PAGE);
}

/* All that a first mapping needs has to be got: entries, and the IOMMU's tables. */
static int prepare_first(void)
{
	int err = bound_anew();

	return err ? err : open_owner();
}

static int undo_first(void)
{
	int err = vc_unmap(&rig.c, MAP_IOVA, VC_PAGE);

	close_owner();
	return err;
}

static int map_many(void)
{
	return vc_map(&rig.c, MAP_IOVA, pages, MANY_PAGES * VC_PAGE);
}

static int map_huge(void)
{
	return vc_map(&rig.c, MAP_IOVA, huge, HUGE);
}

/* Memory that is not there before it is pinned. */
static int map_fresh(void)
{
	return vc_map(&rig.c, MAP_IOVA, huge, 8 * VC_PAGE);
}

static int unmap(void)
{
	return vc_unmap(&rig.c, MAP_IOVA, HUGE);
}

/* The kernel splits or takes the whole, but nothing of what was asked for stays. */
static int unmap_part(void)
{
	return vc_unmap(&rig.c, MAP_IOVA + VC_PAGE, VC_PAGE);
}

/* The last page of it is taken: the first ones have to go again. */
static int map_last(void)
{
	return vc_map(&rig.c, MAP_IOVA + (MANY_PAGES - 1) * VC_PAGE, pages,
		      VC_PAGE);
}

/* What is taken, and everything else that is wrong with a map, is EFAULT. */
static int map_overlap(void)
{
	int err = map_many();

	if (!err)
		return -EPROTO;
	return err == -EFAULT ? 0 : err;
}

static int enter_huge(void)
{
	huge = mmap(NULL, HUGE, PROT_READ | PROT_WRITE, MAP_PRIVATE |
		    MAP_ANONYMOUS | MAP_HUGETLB | MAP_POPULATE, -1, 0);
	return huge == MAP_FAILED ? -errno : enter_map();
}

static int prepare_fresh(void)
{
	huge = mmap(NULL, 8 * VC_PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE |
		    MAP_ANONYMOUS, -1, 0);
	return huge == MAP_FAILED ? -errno : 0;
}

static int undo_fresh(void)
{
	int err = unmap();

	munmap(huge, 8 * VC_PAGE);
	return err;
}

/* --- bring-up ------------------------------------------------------------ */
static int start(void)
{
	int err = rig_driver_ok(&rig);

	/* The ioctl has no other way to say that it did not work. */
	return err == -EPROTO ? -ENOMEM : err;
}

static struct vdpa_client arena;

/* The pages of the arena are the client's own affair. */
static int prepare_arena(void)
{
	memset(&arena, 0, sizeof(arena));
	arena.range.last = UINT64_MAX;
	return vc_arena(&arena);
}

static int set_up_with_arena(void)
{
	int err = rig_open(&rig, path);

	rig.c.mem = arena.mem;
	rig.c.memfd = arena.memfd;
	rig.c.iova = arena.iova;
	if (!err)
		err = vc_arena_map(&rig.c);
	if (!err)
		err = rig_negotiate(&rig, 0);
	if (!err)
		err = rig_rings(&rig);
	if (!err)
		err = rig_attach(&rig);
	if (!err)
		err = rig_enable(&rig, true);
	return err ? err : start();
}

static int set_up(void)
{
	return rig_up(&rig, path, 0);
}

static int set_down(void)
{
	rig_close(&rig);
	return 0;
}

static int set_up_again(void)
{
	set_down();
	return set_up();
}

static int enter_up(void)
{
	int err = vhost_up();

	return err ? err : set_up();
}

static int leave_up(void)
{
	set_down();
	return dev_down();
}

/* Back to a device that lacks nothing but rings. */
static int prepare_rings(void)
{
	unsigned int i;
	int err = vc_reset(&rig.c);

	for (i = 0; i < rig.nvqs; i++)
		vq_clear(&rig.vq[i]);
	return err ? err : vc_negotiate(&rig.c, rig.c.features);
}

static int set_rings(void)
{
	int fd = eventfd(0, EFD_CLOEXEC), err;

	if (fd < 0)
		return -errno;
	err = vc_set_config_call(&rig.c, fd);
	close(fd);
	if (!err)
		err = rig_attach(&rig);
	return err ? err : rig_enable(&rig, true);
}

static int prepare_start(void)
{
	int err = prepare_rings();

	return err ? err : set_rings();
}

static int running(void)
{
	return rig_again(&rig);
}

/* The same with a MAC address that has to be told to the hardware. */
static int enter_up_mac(void)
{
	static const __u8 mac[] = { 0x52, 0x54, 0, 0xfa, 0x17, 3 };
	const struct lab_vdpa dev = { .name = DEV, .mgmt = net_bdf,
				      .mac = mac };
	int err = dev_down();

	if (!err)
		err = lab_dev_add(&dev);
	if (!err)
		err = lab_bind(DEV, "vhost_vdpa");
	if (!err)
		err = lab_vhost(DEV, path, sizeof(path));
	return err ? err : set_up();
}

/* --- states -------------------------------------------------------------- */
static int suspend(void)
{
	return vc_suspend(&rig.c);
}

/* Whatever became of it, from a reset on it works. */
static int suspend_again(void)
{
	int err = running();

	return err ? err : suspend();
}

static int suspended(void)
{
	int err = running();

	return err ? err : suspend();
}

static int resume(void)
{
	return vc_resume(&rig.c);
}

static int resume_again(void)
{
	int err = suspended();

	return err ? err : resume();
}

static int get_bases(void)
{
	unsigned int i;
	__u32 base;
	int err = 0;

	for (i = 0; i < rig.nvqs && !err; i++)
		err = vc_vring_get(&rig.c, VHOST_GET_VRING_BASE, i, &base);
	return err;
}

static int set_bases(void)
{
	unsigned int i;
	int err = 0;

	for (i = 0; i < rig.nvqs && !err; i++)
		err = vc_vring(&rig.c, VHOST_SET_VRING_BASE, i, 0);
	return err;
}

static int reset(void)
{
	return vc_reset(&rig.c);
}

static int config(void)
{
	__u8 buf[6];
	int err = vc_get_config(&rig.c, 0, buf, sizeof(buf));

	return err ? err : vc_set_config(&rig.c, 0, buf, sizeof(buf));
}

/* Somebody else asks for the counters, and for what is negotiated. */
static int show_vstats(void)
{
	int err = lab_dev_get(VDPA_CMD_DEV_VSTATS_GET, DEV);

	return err ? err : lab_dev_get(VDPA_CMD_DEV_CONFIG_GET, DEV);
}

static int bell(void)
{
	void *p = vc_doorbell(&rig.c, NET_TX);

	if (!p)
		return -errno;
	vc_ring(p, NET_TX);
	munmap(p, VC_PAGE);
	return 0;
}

/* --- close --------------------------------------------------------------- */
static int close_up(void)
{
	int fd = rig.c.fd;

	rig.c.fd = -1;
	return close(fd) ? -errno : 0;
}

/* The user copy of a message: vhost says EINVAL of one that it cannot read. */
#define MESSAGE	.also = { EINVAL }
/*
 * vhost_vdpa_pa_map() forgets to unpin the piece of a range that could not be
 * mapped, if another piece of it was mapped before (seen in 6.12).
 */
#define PINS	.kernel_pins = "vhost_vdpa_pa_map, after the first piece"
#define MAPS	MESSAGE, .enter = enter_map, .leave = leave_map
#define HUGES	MESSAGE, .enter = enter_huge, .leave = leave_map
#define RUNS	.enter = enter_up, .leave = leave_up

struct scenario vhost_scenarios[] = {
	{ .test.name = "open", .step = 1, .enter = enter_open,
	  .run = open_raw, .undo = undo_open, .leave = dev_down },
	{ .test.name = "open_first", .step = 1, .enter = enter_open,
	  .prepare = bound_anew, .run = open_raw, .undo = undo_open,
	  .leave = dev_down },
	{ .test.name = "map_one", .step = 1, MAPS,
	  .run = map_one, .undo = unmap },
	{ .test.name = "map_first", .step = 1, MESSAGE,
	  .enter = enter_open, .prepare = prepare_first,
	  .run = map_one, .undo = undo_first, .leave = dev_down },
	{ .test.name = "map_many", .step = 11, MAPS, PINS,
	  .run = map_many, .undo = unmap },
	{ .test.name = "map_fresh", .step = 3, MAPS, PINS,
	  .prepare = prepare_fresh, .run = map_fresh, .undo = undo_fresh },
	{ .test.name = "map_huge", .step = 1, HUGES,
	  .run = map_huge, .undo = unmap },
	{ .test.name = "map_overlap", .step = 1, MAPS,
	  .prepare = map_last, .run = map_overlap, .undo = unmap },
	{ .test.name = "unmap", .step = 1, MAPS,
	  .prepare = map_many, .run = unmap, .undo = unmap },
	{ .test.name = "unmap_part", .step = 1, MAPS,
	  .prepare = map_many, .run = unmap_part, .undo = unmap },
	{ .test.name = "unmap_part_huge", .step = 1, HUGES,
	  .prepare = map_huge, .run = unmap_part, .undo = unmap },
	{ .test.name = "set_up", .step = 11, PINS, MESSAGE,
	  .enter = vhost_up, .prepare = prepare_arena,
	  .run = set_up_with_arena, .again = set_up_again,
	  .undo = set_down, .leave = dev_down },
	{ .test.name = "rings", .step = 2, RUNS,
	  .prepare = prepare_rings, .run = set_rings, .undo = running },
	{ .test.name = "driver_ok", .step = 1, RUNS,
	  .prepare = prepare_start, .run = start, .again = running },
	{ .test.name = "driver_ok_mac", .step = 1, .enter = enter_up_mac,
	  .prepare = prepare_start, .run = start, .again = running,
	  .leave = leave_up },
	{ .test.name = "suspend", .step = 1, RUNS,
	  .prepare = running, .run = suspend, .again = suspend_again },
	{ .test.name = "get_base_suspended", .step = 1, RUNS,
	  .prepare = suspended, .run = get_bases },
	{ .test.name = "get_base_running", .step = 1, RUNS,
	  .prepare = running, .run = get_bases },
	{ .test.name = "set_base_suspended", .step = 1, RUNS,
	  .prepare = suspended, .run = set_bases },
	{ .test.name = "resume", .step = 1, RUNS,
	  .prepare = suspended, .run = resume, .again = resume_again },
	{ .test.name = "reset", .step = 1, RUNS,
	  .prepare = running, .run = reset },
	{ .test.name = "config", .step = 1, RUNS, .run = config },
	{ .test.name = "vstats_show", .step = 3, RUNS, .run = show_vstats },
	{ .test.name = "doorbell", .step = 1, RUNS, .run = bell },
	{ .test.name = "close", .step = 1, .enter = vhost_up,
	  .prepare = set_up, .run = close_up, .undo = set_down,
	  .leave = dev_down },
	{ }
};
