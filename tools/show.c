// SPDX-License-Identifier: GPL-2.0
/* vmdev parent, dev, queue and path: what there is, and the policy of a device. */
#include <stdio.h>
#include <string.h>

#include <linux/virtio_ids.h>

#include "vmdev.h"

/* --- names ---------------------------------------------------------------------- */

const char *path_name(uint32_t path)
{
	static const char * const names[] = {
		[VMDEV_PATH_OFF] = "off",
		[VMDEV_PATH_DIRECT] = "direct",
		[VMDEV_PATH_SHADOW] = "shadow",
		[VMDEV_PATH_SOFTWARE] = "software",
	};

	return path < MNL_ARRAY_SIZE(names) ? names[path] : "unknown";
}

static const char * const policies[] = {
	[VMDEV_POLICY_AUTO] = "auto",
	[VMDEV_POLICY_DIRECT] = "direct",
	[VMDEV_POLICY_SHADOW] = "shadow",
};

const char *policy_name(uint32_t policy)
{
	return policy < MNL_ARRAY_SIZE(policies) ? policies[policy] : "unknown";
}

static const char *state_name(uint32_t state)
{
	static const char * const names[] = {
		[VMDEV_STATE_OFF] = "off",
		[VMDEV_STATE_RUNNING] = "running",
		[VMDEV_STATE_SUSPENDED] = "suspended",
		[VMDEV_STATE_BROKEN] = "broken",
	};

	return state < MNL_ARRAY_SIZE(names) ? names[state] : "unknown";
}

/* As vdpa names them. */
const char *type_name(uint32_t device_id)
{
	switch (device_id) {
	case VIRTIO_ID_NET:
		return "network";
	case VIRTIO_ID_BLOCK:
		return "block";
	default:
		return "unknown";
	}
}

/* BUS/NAME, or NAME of what is on no bus. */
void out_parent(const char *key, const char *bus, const char *name, bool title)
{
	char whole[512];

	snprintf(whole, sizeof(whole), "%s%s%s", bus, *bus ? "/" : "", name);
	if (title)
		out_title(key, whole);
	else
		out_string(key, whole);
}

/* --- to ask --------------------------------------------------------------------- */

/* One thing, or all. @fill: puts into the request what is asked for. */
static int show(uint8_t cmd, bool dump, unsigned int max, nl_handler handler,
		int (*fill)(struct nlmsghdr *nlh, char **words), char **words)
{
	struct nlmsghdr *nlh;
	struct nl nl;
	int ret;

	ret = nl_open(&nl);
	if (!ret) {
		nlh = nl_request(&nl, cmd, dump);
		if (fill)
			ret = fill(nlh, words);
	}
	if (!ret) {
		out_list(NULL);
		ret = nl_talk(&nl, nlh, max, handler, NULL);
		out_list_end();
	}
	nl_close(&nl);
	return ret;
}

/* --- parents -------------------------------------------------------------------- */

static void show_capabilities(uint32_t caps)
{
	static const struct {
		uint32_t bit;
		const char *name;
	} names[] = {
		{ VMDEV_CAPABILITY_STATE, "state" },
		{ VMDEV_CAPABILITY_LOG, "log" },
		{ VMDEV_CAPABILITY_SUSPEND, "suspend" },
		{ VMDEV_CAPABILITY_RING_RESET, "ring-reset" },
	};
	unsigned int i;

	if (!opt.json && !caps)
		return;
	if (!opt.json)
		fputs(" capabilities", stdout);
	out_list("capabilities");
	for (i = 0; i < MNL_ARRAY_SIZE(names); i++) {
		if (caps & names[i].bit)
			out_string(NULL, names[i].name);
	}
	out_list_end();
}

/* Of the interrupts of a function. */
static void show_isolation(const struct nlattr **attrs)
{
	out_bool("msi_isolated", attrs[VMDEV_A_PARENT_MSI_ISOLATED]);
	out_bool("msi_remapped", attrs[VMDEV_A_PARENT_MSI_REMAPPED]);
	out_bool("msi_posted", attrs[VMDEV_A_PARENT_MSI_POSTED]);
	out_bool("msi_translated", attrs[VMDEV_A_PARENT_MSI_TRANSLATED]);
	out_bool("msi_unsafe", attrs[VMDEV_A_PARENT_MSI_UNSAFE]);
}

static void show_parent(const struct nlattr **attrs, void *data)
{
	(void)data;
	out_object(NULL);
	out_parent("parent", nl_string(attrs[VMDEV_A_PARENT_BUS]),
		   nl_string(attrs[VMDEV_A_PARENT_NAME]), true);
	out_string("type", type_name(nl_u32(attrs[VMDEV_A_PARENT_DEVICE_ID])));
	out_number("devices", nl_u32(attrs[VMDEV_A_PARENT_DEVICES]));
	out_number("max_vqs", nl_u32(attrs[VMDEV_A_PARENT_MAX_VQS]));
	out_bool("software", attrs[VMDEV_A_PARENT_SOFTWARE]);
	out_bool("gone", attrs[VMDEV_A_PARENT_GONE]);
	out_bool("offline", attrs[VMDEV_A_PARENT_OFFLINE]);
	out_break();
	out_hex("vendor", nl_u32(attrs[VMDEV_A_PARENT_VENDOR_ID]));
	out_hex("features", nl_uint(attrs[VMDEV_A_PARENT_FEATURES]));
	show_capabilities(nl_u32(attrs[VMDEV_A_PARENT_CAPABILITIES]));
	if (!attrs[VMDEV_A_PARENT_SOFTWARE])
		show_isolation(attrs);
	out_object_end();
}

/* The reverse of out_parent(); a PCI function needs no bus. */
int nl_put_parent(struct nlmsghdr *nlh, unsigned int bus, unsigned int name, char *whole)
{
	char *slash = strchr(whole, '/'), bdf[BDF_SIZE];
	int ret = EXIT_OK;

	if (!slash && parse_bdf(whole, bdf)) {
		mnl_attr_put_strz(nlh, bus, "pci");
		return nl_put_name(nlh, name, bdf);
	}
	if (slash) {
		*slash = '\0';
		ret = nl_put_name(nlh, bus, whole);
	}
	return ret ? ret : nl_put_name(nlh, name, slash ? slash + 1 : whole);
}

static int fill_parent(struct nlmsghdr *nlh, char **words)
{
	return nl_put_parent(nlh, VMDEV_A_PARENT_BUS, VMDEV_A_PARENT_NAME, words[0]);
}

static int parent_show(int argc, char **argv)
{
	if (argc > 1)
		return usage_error("one management device at a time");
	return show(VMDEV_CMD_PARENT_GET, !argc, VMDEV_A_PARENT_MAX, show_parent,
		    argc ? fill_parent : NULL, argv);
}

int do_parent(int argc, char **argv)
{
	static const struct command commands[] = {
		{ "show", parent_show },
		{ "list", parent_show },
		{ NULL, NULL }
	};

	return argc ? run_command(commands, "command", argc, argv) : parent_show(0, NULL);
}

/* --- devices -------------------------------------------------------------------- */

static void show_dev(const struct nlattr **attrs, void *data)
{
	(void)data;
	out_object(NULL);
	out_title("dev", nl_string(attrs[VMDEV_A_DEV_NAME]));
	out_parent("parent", nl_string(attrs[VMDEV_A_DEV_PARENT_BUS]),
		   nl_string(attrs[VMDEV_A_DEV_PARENT_NAME]), false);
	out_string("type", type_name(nl_u32(attrs[VMDEV_A_DEV_DEVICE_ID])));
	out_string("state", state_name(nl_u32(attrs[VMDEV_A_DEV_STATE])));
	if (attrs[VMDEV_A_DEV_REASON])
		out_text("reason", nl_string(attrs[VMDEV_A_DEV_REASON]));
	out_string("policy", policy_name(nl_u32(attrs[VMDEV_A_DEV_POLICY])));
	out_number("queues", nl_u32(attrs[VMDEV_A_DEV_QUEUES]));
	out_break();
	out_number("address_spaces", nl_u32(attrs[VMDEV_A_DEV_ADDRESS_SPACES]));
	out_hex("logged", nl_uint(attrs[VMDEV_A_DEV_LOGGED]));
	out_hex("status", attrs[VMDEV_A_DEV_STATUS] ?
		mnl_attr_get_u8(attrs[VMDEV_A_DEV_STATUS]) : 0);
	out_hex("offered", nl_uint(attrs[VMDEV_A_DEV_OFFERED]));
	out_hex("features", nl_uint(attrs[VMDEV_A_DEV_FEATURES]));
	if (attrs[VMDEV_A_DEV_HOLDER]) {
		out_text("holder", nl_string(attrs[VMDEV_A_DEV_HOLDER]));
		out_number("pid", nl_u32(attrs[VMDEV_A_DEV_HOLDER_PID]));
	}
	out_object_end();
}

static int fill_dev(struct nlmsghdr *nlh, char **words)
{
	return nl_put_name(nlh, VMDEV_A_DEV_NAME, words[0]);
}

static int dev_show(int argc, char **argv)
{
	if (argc > 1)
		return usage_error("one device at a time");
	return show(VMDEV_CMD_DEV_GET, !argc, VMDEV_A_DEV_MAX, show_dev, argc ? fill_dev : NULL,
		    argv);
}

int do_dev(int argc, char **argv)
{
	static const struct command commands[] = {
		{ "show", dev_show },
		{ "list", dev_show },
		{ NULL, NULL }
	};

	return argc ? run_command(commands, "command", argc, argv) : dev_show(0, NULL);
}

/* --- queues --------------------------------------------------------------------- */

/* Where it is in its ring, as far as anybody knows. */
static void show_ring_state(const struct nlattr **attrs)
{
	static const struct {
		unsigned int attr;
		const char *key;
	} parts[] = {
		{ VMDEV_A_QUEUE_AVAIL_INDEX, "avail_index" },
		{ VMDEV_A_QUEUE_AVAIL_WRAP, "avail_wrap" },
		{ VMDEV_A_QUEUE_USED_INDEX, "used_index" },
		{ VMDEV_A_QUEUE_USED_WRAP, "used_wrap" },
	};
	unsigned int i;

	for (i = 0; i < MNL_ARRAY_SIZE(parts); i++) {
		if (attrs[parts[i].attr])
			out_number(parts[i].key, nl_u32(attrs[parts[i].attr]));
	}
}

static void show_queue(const struct nlattr **attrs, void *data)
{
	(void)data;
	out_object(NULL);
	out_title("dev", nl_string(attrs[VMDEV_A_QUEUE_DEV]));
	out_number("queue", nl_u32(attrs[VMDEV_A_QUEUE_INDEX]));
	out_string("path", path_name(nl_u32(attrs[VMDEV_A_QUEUE_PATH])));
	out_bool("ready", attrs[VMDEV_A_QUEUE_READY]);
	out_number("size", nl_u32(attrs[VMDEV_A_QUEUE_SIZE]));
	out_bool("packed", attrs[VMDEV_A_QUEUE_PACKED]);
	show_ring_state(attrs);
	out_number("kicks", nl_uint(attrs[VMDEV_A_QUEUE_KICKS]));
	out_number("interrupts", nl_uint(attrs[VMDEV_A_QUEUE_INTERRUPTS]));
	if (attrs[VMDEV_A_QUEUE_IRQ])
		out_number("irq", nl_u32(attrs[VMDEV_A_QUEUE_IRQ]));
	out_break();
	out_number("address_space", nl_u32(attrs[VMDEV_A_QUEUE_ADDRESS_SPACE]));
	/* Not for everybody. */
	if (attrs[VMDEV_A_QUEUE_DESC_ADDR]) {
		out_hex("desc_addr", nl_uint(attrs[VMDEV_A_QUEUE_DESC_ADDR]));
		out_hex("driver_addr", nl_uint(attrs[VMDEV_A_QUEUE_DRIVER_ADDR]));
		out_hex("device_addr", nl_uint(attrs[VMDEV_A_QUEUE_DEVICE_ADDR]));
	}
	out_object_end();
}

static int fill_queues(struct nlmsghdr *nlh, char **words)
{
	return nl_put_name(nlh, VMDEV_A_QUEUE_DEV, words[0]);
}

static int fill_queue(struct nlmsghdr *nlh, char **words)
{
	uint64_t index;

	if (parse_number(words[1], UINT32_MAX, &index))
		mnl_attr_put_u32(nlh, VMDEV_A_QUEUE_INDEX, index);
	return fill_queues(nlh, words);
}

static int queue_show(int argc, char **argv)
{
	uint64_t index;

	if (argc > 2)
		return usage_error("one queue at a time");
	if (argc == 2 && !parse_number(argv[1], UINT32_MAX, &index))
		return usage_error("\"%s\" is no number of a queue", argv[1]);
	return show(VMDEV_CMD_QUEUE_GET, argc < 2, VMDEV_A_QUEUE_MAX, show_queue,
		    argc == 2 ? fill_queue : argc ? fill_queues : NULL, argv);
}

int do_queue(int argc, char **argv)
{
	static const struct command commands[] = {
		{ "show", queue_show },
		{ "list", queue_show },
		{ NULL, NULL }
	};

	return argc ? run_command(commands, "command", argc, argv) : queue_show(0, NULL);
}

/* --- paths ---------------------------------------------------------------------- */

static void get_policy(const struct nlattr **attrs, void *data)
{
	*(uint32_t *)data = nl_u32(attrs[VMDEV_A_DEV_POLICY]);
}

/* Of a queue, within the list of its device. */
static void show_path(const struct nlattr **attrs, void *data)
{
	(void)data;
	out_string(NULL, path_name(nl_u32(attrs[VMDEV_A_QUEUE_PATH])));
}

static int show_paths(struct nl *nl, char **words)
{
	struct nlmsghdr *nlh = nl_request(nl, VMDEV_CMD_DEV_GET, false);
	uint32_t policy = 0;
	int ret;

	ret = fill_dev(nlh, words);
	if (!ret)
		ret = nl_talk(nl, nlh, VMDEV_A_DEV_MAX, get_policy, &policy);
	if (ret)
		return ret;
	out_list(NULL);
	out_object(NULL);
	out_title("dev", words[0]);
	out_string("policy", policy_name(policy));
	if (!opt.json)
		fputs(" paths", stdout);
	out_list("paths");
	nlh = nl_request(nl, VMDEV_CMD_QUEUE_GET, true);
	ret = fill_queues(nlh, words);
	if (!ret)
		ret = nl_talk(nl, nlh, VMDEV_A_QUEUE_MAX, show_path, NULL);
	out_list_end();
	out_object_end();
	out_list_end();
	return ret;
}

static int path_show(int argc, char **argv)
{
	struct nl nl;
	int ret;

	if (argc != 1)
		return usage_error("path show needs a device, and only that");
	ret = nl_open(&nl);
	if (!ret)
		ret = show_paths(&nl, argv);
	nl_close(&nl);
	return ret;
}

static int path_set(int argc, char **argv)
{
	struct nlmsghdr *nlh;
	unsigned int policy;
	struct nl nl;
	int ret;

	if (argc != 2)
		return usage_error("path set needs a device and a policy");
	for (policy = 0; policy < MNL_ARRAY_SIZE(policies); policy++)
		if (!strcmp(policies[policy], argv[1]))
			break;
	if (policy == MNL_ARRAY_SIZE(policies))
		return usage_error("\"%s\" is no policy: auto, direct or shadow", argv[1]);
	ret = nl_open(&nl);
	if (!ret) {
		nlh = nl_request(&nl, VMDEV_CMD_DEV_SET, false);
		mnl_attr_put_u32(nlh, VMDEV_A_DEV_POLICY, policy);
		ret = fill_dev(nlh, argv);
	}
	if (!ret)
		ret = nl_talk(&nl, nlh, 0, NULL, NULL);
	nl_close(&nl);
	return ret;
}

int do_path(int argc, char **argv)
{
	static const struct command commands[] = {
		{ "show", path_show },
		{ "list", path_show },
		{ "set", path_set },
		{ NULL, NULL }
	};

	return argc ? run_command(commands, "command", argc, argv) :
		      usage_error("path show DEV, or path set DEV POLICY");
}
