// SPDX-License-Identifier: GPL-2.0
/* Scenarios: what an operator does with `vdpa`, and bus drivers. */
#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include <linux/virtio_net.h>

#include "fail_nth.h"

/* Until it is gone: under a fault the answer to the first call may be lost. */
int dev_down(void)
{
	return lab_dev_exists(DEV) ? lab_dev_del(DEV) : 0;
}

int dev_up(void)
{
	const struct lab_vdpa dev = { .name = DEV, .mgmt = net_bdf };

	return lab_dev_exists(DEV) ? 0 : lab_dev_add(&dev);
}

/* With its dirty log. */
static bool dev_is_up(void)
{
	return lab_dev_exists(DEV) && lab_exists("/dev/vmdev/" DEV);
}

static bool dev_is_down(void)
{
	return !lab_dev_exists(DEV);
}

static int enter_none(void)
{
	return dev_down();
}

static int enter_dev(void)
{
	int err = dev_down();

	return err ? err : dev_up();
}

/* --- dev add, dev del ---------------------------------------------------- */
static int add_net(void)
{
	const struct lab_vdpa dev = { .name = DEV, .mgmt = net_bdf };

	return lab_dev_add(&dev);
}

static int add_net_all(void)
{
	static const __u8 mac[] = { 0x52, 0x54, 0, 0xfa, 0x17, 1 };
	const struct lab_vdpa dev = {
		.name = DEV,
		.mgmt = net_bdf,
		.mac = mac,
		.mtu = 1400,
		.vqp = 1,
		.features = BIT64(VIRTIO_F_VERSION_1) |
			    BIT64(VIRTIO_F_ACCESS_PLATFORM) |
			    BIT64(VIRTIO_NET_F_MAC) | BIT64(VIRTIO_NET_F_MTU) |
			    BIT64(VIRTIO_NET_F_CTRL_VQ) |
			    BIT64(VIRTIO_NET_F_CTRL_MAC_ADDR),
	};

	return lab_dev_add(&dev);
}

static int add_blk(void)
{
	const struct lab_vdpa dev = { .name = DEV, .mgmt = blk_bdf };

	return lab_dev_add(&dev);
}

/* --- what a disk that is software is made of ------------------------------ */
#define DISK		"/dev/shm/fail_nth"
#define DISKS		"/sys/kernel/config/vmdev_soft/blk/"

static int make_dir(void)
{
	return mkdir(DISKS DEV, 0755) ? -errno : 0;
}

static bool is_made(void)
{
	return lab_exists(DISKS DEV);
}

static int remove_dir(void)
{
	return is_made() && rmdir(DISKS DEV) ? -errno : 0;
}

static int set_path(void)
{
	return lab_write(DISKS DEV "/path", DISK "\n");
}

static int enter_path(void)
{
	int err = dev_down();

	if (!err)
		err = make_dir();
	return err ? err : set_path();
}

static int enter_dir(void)
{
	int err = dev_down();

	return err ? err : make_dir();
}

static int dir_down(void)
{
	int err = dev_down();

	return err ? err : remove_dir();
}

static int del(void)
{
	return lab_dev_del(DEV);
}

static int enter_blk(void)
{
	int err = dev_down();

	return err ? err : add_blk();
}

/* --- questions ----------------------------------------------------------- */
static int show(void)
{
	return lab_dev_get(VDPA_CMD_DEV_GET, DEV);
}

static int show_config(void)
{
	return lab_dev_get(VDPA_CMD_DEV_CONFIG_GET, DEV);
}

static int set_mac(void)
{
	static const __u8 mac[] = { 0x52, 0x54, 0, 0xfa, 0x17, 2 };

	return lab_dev_mac(DEV, mac);
}

/* --- bus drivers --------------------------------------------------------- */
static bool is_bound(void)
{
	return lab_bound(DEV);
}

static bool is_unbound(void)
{
	return !lab_bound(DEV);
}

static int unbind(void)
{
	return lab_unbind(DEV);
}

static int let_go(void)
{
	return lab_bound(DEV) ? lab_unbind(DEV) : 0;
}

static int bind_vhost(void)
{
	return lab_bind(DEV, "vhost_vdpa");
}

static int bind_virtio(void)
{
	return lab_bind(DEV, "virtio_vdpa");
}

int dev_vhost_up(void)
{
	int err = enter_dev();

	return err ? err : bind_vhost();
}

static int dev_virtio_up(void)
{
	int err = enter_dev();

	return err ? err : bind_virtio();
}

struct scenario mgmt_scenarios[] = {
	{ .test.name = "dev_add_net", .step = 7, .has_port = true, .enter = enter_none,
	  .run = add_net, .done = dev_is_up, .undo = dev_down },
	{ .test.name = "dev_add_net_all", .step = 7, .has_port = true, .enter = enter_none,
	  .run = add_net_all, .done = dev_is_up, .undo = dev_down },
	{ .test.name = "dev_add_blk", .step = 7, .enter = enter_none,
	  .run = add_blk, .done = dev_is_up, .undo = dev_down },
	{ .test.name = "dir_make", .step = 3, .enter = enter_none, .run = make_dir,
	  .done = is_made, .undo = remove_dir },
	{ .test.name = "dir_path", .step = 1, .enter = enter_dir, .run = set_path,
	  .leave = dir_down },
	{ .test.name = "dev_add_path", .step = 7, .enter = enter_path,
	  .run = add_net, .done = dev_is_up, .undo = dev_down, .leave = dir_down },
	{ .test.name = "dev_del", .step = 2, .enter = enter_none,
	  .prepare = dev_up, .run = del, .done = dev_is_down,
	  .undo = dev_down },
	{ .test.name = "dev_del_vhost", .step = 2, .enter = enter_none,
	  .prepare = dev_vhost_up, .run = del, .done = dev_is_down,
	  .undo = dev_down },
	{ .test.name = "dev_del_virtio", .step = 11, .enter = enter_none,
	  .prepare = dev_virtio_up, .run = del, .done = dev_is_down,
	  .undo = dev_down },
	{ .test.name = "dev_show", .step = 3, .enter = enter_dev,
	  .run = show, .leave = dev_down },
	{ .test.name = "dev_config_show", .step = 3, .enter = enter_dev,
	  .run = show_config, .leave = dev_down },
	{ .test.name = "dev_set_mac", .step = 1, .enter = enter_dev,
	  .run = set_mac, .leave = dev_down },
	{ .test.name = "bind_vhost", .step = 7, .enter = enter_dev,
	  .run = bind_vhost, .done = is_bound, .undo = let_go,
	  .leave = dev_down },
	{ .test.name = "unbind_vhost", .step = 2, .enter = dev_vhost_up,
	  .run = unbind, .done = is_unbound, .undo = bind_vhost,
	  .leave = dev_down },
	/* virtio_net never frees an RSS table, nor XPS maps, if its probe fails. */
	{ .test.name = "bind_virtio", .step = 13, .not_in = "virtnet_probe",
	  .enter = enter_dev, .run = bind_virtio, .done = is_bound,
	  .undo = let_go, .leave = dev_down },
	{ .test.name = "bind_virtio_blk", .step = 61, .enter = enter_blk,
	  .run = bind_virtio, .done = is_bound, .undo = let_go,
	  .leave = dev_down },
	{ .test.name = "unbind_virtio", .step = 11, .enter = dev_virtio_up,
	  .run = unbind, .done = is_unbound, .undo = bind_virtio,
	  .leave = dev_down },
	{ }
};
