// SPDX-License-Identifier: GPL-2.0
/*
 * Conformance of /dev/vhost-vdpa-N: what vhost-vdpa promises, what any parent
 * must keep, and (tests marked OURS) what our parent promises beyond that.
 *
 * The tests are in the t_*.c files, one subject each.
 */
#define _GNU_SOURCE
#define TAP_MAIN
#include <getopt.h>

#include "tests.h"

struct test_opts opts;

static bool required(const char *cap)
{
	size_t n = strlen(cap);
	const char *p;

	for (p = opts.require; p && *p; p = strchr(p, ',') ? strchr(p, ',') + 1 : NULL)
		if (!strncmp(p, cap, n) && (p[n] == ',' || !p[n]))
			return true;
	return false;
}

void need(const char *cap, bool have, const char *reason)
{
	if (have)
		return;
	if (required(cap))
		FAIL("%s is required: %s", cap, reason);
	SKIP("%s", reason);
}

void need_net(const struct vdpa_client *c)
{
	need("net", c->device_id == VIRTIO_ID_NET, "not a net device");
}

void need_wire(const struct vdpa_client *c)
{
	static bool sunk;

	need_net(c);
	if (opts.peer && !sunk)
		CHECK_OK(net_sink(opts.peer));
	sunk = true;
}

void need_blk(const struct vdpa_client *c)
{
	need("blk", c->device_id == VIRTIO_ID_BLOCK, "not a block device");
}

void need_suspend(const struct vdpa_client *c)
{
	need("suspend", c->backend & BIT64(VHOST_BACKEND_F_SUSPEND),
	     "device does not offer SUSPEND");
}

void need_resume(const struct vdpa_client *c)
{
	need_suspend(c);
	need("resume", c->backend & BIT64(VHOST_BACKEND_F_RESUME),
	     "device does not offer RESUME");
}

void need_feature(const struct vdpa_client *c, const char *cap,
		  unsigned int bit)
{
	need(cap, c->offered & BIT64(bit), "its feature is not offered");
}

void need_ctrl(const struct vdpa_client *c)
{
	need("ctrl", c->device_id == VIRTIO_ID_NET &&
	     c->offered & BIT64(VIRTIO_NET_F_CTRL_VQ), "no control queue");
}

void test_open(struct vdpa_client *c)
{
	CHECK_OK(vc_open(c, opts.dev));
}

void test_owned(struct vdpa_client *c)
{
	test_open(c);
	CHECK_OK(vc_set_owner(c));
}

void test_negotiated(struct rig *r)
{
	CHECK_OK(rig_open(r, opts.dev));
	CHECK_OK(rig_negotiate(r, 0));
}

void test_attached(struct rig *r)
{
	test_negotiated(r);
	CHECK_OK(rig_memory(r));
	CHECK_OK(rig_rings(r));
	CHECK_OK(rig_attach(r));
}

void test_up(struct rig *r)
{
	CHECK_OK(rig_up(r, opts.dev, 0));
}

static const __u64 ctrl_features = BIT64(VIRTIO_NET_F_CTRL_VQ) |
				   BIT64(VIRTIO_NET_F_CTRL_RX) |
				   BIT64(VIRTIO_NET_F_CTRL_VLAN) |
				   BIT64(VIRTIO_NET_F_CTRL_RX_EXTRA) |
				   BIT64(VIRTIO_NET_F_CTRL_MAC_ADDR);

static void ctrl_set_spaces(struct rig *r, const struct ctrl_want *want)
{
	if (want->data_as)
		CHECK_OK(vc_vring(&r->c, VHOST_VDPA_SET_GROUP_ASID, GROUP_DATA,
				  want->data_as));
	if (want->ctrl_as)
		CHECK_OK(vc_vring(&r->c, VHOST_VDPA_SET_GROUP_ASID, GROUP_CTRL,
				  want->ctrl_as));
}

void test_ctrl_attached(struct rig *r, struct ctrl *k,
			const struct ctrl_want *want)
{
	static const struct ctrl_want nothing;

	if (!want)
		want = &nothing;
	CHECK_OK(rig_open(r, opts.dev));
	need_ctrl(&r->c);
	CHECK_OK(rig_negotiate(r, (ctrl_features & r->c.offered) |
				  want->extra));
	CHECK_OK(vc_arena(&r->c));
	ctrl_set_spaces(r, want);
	CHECK_OK(ctrl_init(k, r, want->num ? want->num : 16));
	CHECK_OK(ctrl_map(k, want->ctrl_as, want->data_as));
	CHECK_OK(rig_rings(r));
	CHECK_OK(rig_attach(r));
	CHECK_OK(ctrl_attach(k, vq_fresh_base(&k->vq)));
}

void test_ctrl_run(struct rig *r, struct ctrl *k)
{
	CHECK_OK(rig_enable(r, true));
	CHECK_OK(vq_enable(&k->vq, true));
	CHECK_OK(rig_driver_ok(r));
}

void test_ctrl_up(struct rig *r, struct ctrl *k, const struct ctrl_want *want)
{
	test_ctrl_attached(r, k, want);
	test_ctrl_run(r, k);
}

int ctrl_set_mac(struct ctrl *k, const __u8 *mac)
{
	return ctrl_command(k, VIRTIO_NET_CTRL_MAC,
			    VIRTIO_NET_CTRL_MAC_ADDR_SET, mac, 6);
}

/* Memory and rings are made once; a second climb uses them again. */
static void climb_attach(struct rig *r)
{
	unsigned int i;

	if (!r->c.mem) {
		CHECK_OK(rig_memory(r));
		CHECK_OK(rig_rings(r));
	}
	for (i = 0; i < r->nvqs; i++)
		vq_clear(&r->vq[i]);
	CHECK_OK(rig_attach(r));
}

void climb(struct rig *r, enum rung rung)
{
	if (rung >= RUNG_ACK)
		CHECK_OK(vc_set_status(&r->c, ST_ACK));
	if (rung >= RUNG_DRIVER)
		CHECK_OK(vc_add_status(&r->c, ST_DRIVER));
	if (rung >= RUNG_FEATURES_OK) {
		CHECK_OK(vc_set_features(&r->c, rig_features(&r->c)));
		CHECK_OK(vc_add_status(&r->c, ST_FEATURES_OK));
	}
	if (rung >= RUNG_ATTACHED)
		climb_attach(r);
	if (rung >= RUNG_ENABLED)
		CHECK_OK(rig_enable(r, true));
	if (rung >= RUNG_DRIVER_OK)
		CHECK_OK(rig_driver_ok(r));
	if (rung == RUNG_SUSPENDED &&
	    r->c.backend & BIT64(VHOST_BACKEND_F_SUSPEND))
		CHECK_OK(vc_suspend(&r->c));
	if (rung == RUNG_FAILED)
		CHECK_OK(vc_add_status(&r->c, ST_FAILED));
}

enum {
	OPT_ORACLE = 256,
	OPT_LOOPBACK,
	OPT_SCRATCH,
	OPT_SOFTWARE,
	OPT_DEFAULT_FEATURES,
	OPT_UNMAPPED_OK,
	OPT_LONG,
	OPT_REQUIRE,
	OPT_LIST,
	OPT_TIMEOUT,
};

static const struct option long_opts[] = {
	{ "device", required_argument, NULL, 'd' },
	{ "peer", required_argument, NULL, 'p' },
	{ "oracle", no_argument, NULL, OPT_ORACLE },
	{ "loopback", no_argument, NULL, OPT_LOOPBACK },
	{ "scratch", no_argument, NULL, OPT_SCRATCH },
	{ "software", no_argument, NULL, OPT_SOFTWARE },
	{ "default-features", no_argument, NULL, OPT_DEFAULT_FEATURES },
	{ "unmapped-ok", no_argument, NULL, OPT_UNMAPPED_OK },
	{ "long", no_argument, NULL, OPT_LONG },
	{ "require", required_argument, NULL, OPT_REQUIRE },
	{ "list", no_argument, NULL, OPT_LIST },
	{ "timeout", required_argument, NULL, OPT_TIMEOUT },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

static const char help[] =
"Usage: vhost_vdpa_ioctl -d /dev/vhost-vdpa-N [OPTION]... [TEST|PATTERN]...\n"
"  -d, --device DEV      device under test (default /dev/vhost-vdpa-0)\n"
"  -p, --peer DEV        net device on the same segment\n"
"      --loopback        the device returns frames to its own address\n"
"      --oracle          another parent: skip what only ours promises\n"
"      --require CAPS    these must be there: suspend,resume,state,doorbell,\n"
"                        packed,peer,net,blk,vring_size,asid,persist,\n"
"                        ctrl,ctrl_rx,ctrl_vlan,mq\n"
"      --scratch         the block device may be written\n"
"      --software        the device is software\n"
"      --default-features  check the default feature set\n"
"      --unmapped-ok     the parent accepts DRIVER_OK without maps\n"
"      --long            also what takes minutes under emulation\n"
"      --timeout SEC     per test (default 60)\n"
"      --list            print the names of all tests\n";

static int parse(int argc, char **argv, struct tap_config *config)
{
	int c;

	while ((c = getopt_long(argc, argv, "d:p:h", long_opts, NULL)) != -1) {
		switch (c) {
		case 'd':
			opts.dev = optarg;
			break;
		case 'p':
			opts.peer = optarg;
			break;
		case OPT_ORACLE:
			opts.oracle = true;
			break;
		case OPT_LOOPBACK:
			opts.loopback = true;
			break;
		case OPT_SCRATCH:
			opts.scratch = true;
			break;
		case OPT_SOFTWARE:
			opts.software = true;
			break;
		case OPT_DEFAULT_FEATURES:
			opts.default_features = true;
			break;
		case OPT_UNMAPPED_OK:
			opts.unmapped_ok = true;
			break;
		case OPT_LONG:
			opts.longer = true;
			break;
		case OPT_REQUIRE:
			opts.require = optarg;
			break;
		case OPT_TIMEOUT:
			config->timeout = atoi(optarg);
			break;
		case OPT_LIST:
			tap_list(NULL);
			exit(0);
		case 'h':
			printf("%s", help);
			exit(0);
		default:
			return -EINVAL;
		}
	}
	return 0;
}

int main(int argc, char **argv)
{
	struct tap_config config = {
		.timeout = 60,
		.skip_reason = "not promised by this parent",
	};

	opts.dev = "/dev/vhost-vdpa-0";
	if (parse(argc, argv, &config)) {
		fprintf(stderr, "%s", help);
		return 2;
	}
	if (opts.oracle)
		config.skip_flags = T_OURS;
	if (vc_unlimit_memlock())
		printf("# RLIMIT_MEMLOCK stays as it is\n");
	return tap_run(&config, argv + optind);
}
