// SPDX-License-Identifier: GPL-2.0
/* vmdev irq: the interrupt vectors of functions, and how they are laid out. */
#include <stdio.h>
#include <string.h>

#include "vmdev.h"

static const char * const modes[] = {
	[VMDEV_IRQ_MODE_PER_QUEUE] = "per-queue",
	[VMDEV_IRQ_MODE_QUEUES_SHARED] = "queues-shared",
	[VMDEV_IRQ_MODE_ALL_SHARED] = "all-shared",
	[VMDEV_IRQ_MODE_AUTO] = "auto",
};

static const char *irq_mode(uint32_t mode)
{
	return mode < MNL_ARRAY_SIZE(modes) ? modes[mode] : "unknown";
}

static const char *irq_use(uint32_t use)
{
	static const char * const uses[] = {
		[VMDEV_IRQ_USE_UNUSED] = "unused",
		[VMDEV_IRQ_USE_CONFIG] = "config",
		[VMDEV_IRQ_USE_SHADOW] = "shadow",
		[VMDEV_IRQ_USE_CONFIG_SHADOW] = "config-shadow",
		[VMDEV_IRQ_USE_QUEUE] = "queue",
		[VMDEV_IRQ_USE_QUEUES] = "queues",
		[VMDEV_IRQ_USE_ALL] = "all",
	};

	return use < MNL_ARRAY_SIZE(uses) ? uses[use] : "unknown";
}

/**
 * struct wanted - one function's vectors are wanted
 * @name: NAME or BUS/NAME; NULL for those of all
 * @any: there was one
 */
struct wanted {
	const char *name;
	bool any;
};

static void show_irq(const struct nlattr **attrs, void *data)
{
	const char *bus = nl_string(attrs[VMDEV_A_IRQ_BUS]);
	const char *name = nl_string(attrs[VMDEV_A_IRQ_NAME]);
	struct wanted *wanted = data;
	char whole[512];

	snprintf(whole, sizeof(whole), "%s%s%s", bus, *bus ? "/" : "", name);
	if (wanted->name && strcmp(wanted->name, name) && strcmp(wanted->name, whole))
		return;
	wanted->any = true;
	out_object(NULL);
	out_title("parent", whole);
	out_number("vector", nl_u32(attrs[VMDEV_A_IRQ_VECTOR]));
	out_string("mode", irq_mode(nl_u32(attrs[VMDEV_A_IRQ_MODE])));
	out_string("use", irq_use(nl_u32(attrs[VMDEV_A_IRQ_USE])));
	if (attrs[VMDEV_A_IRQ_QUEUE])
		out_number("queue", nl_u32(attrs[VMDEV_A_IRQ_QUEUE]));
	out_number("irq", nl_u32(attrs[VMDEV_A_IRQ_IRQ]));
	out_bool("requested", attrs[VMDEV_A_IRQ_REQUESTED]);
	out_number("count", nl_uint(attrs[VMDEV_A_IRQ_COUNT]));
	out_number("spurious", nl_uint(attrs[VMDEV_A_IRQ_SPURIOUS]));
	out_number("storms", nl_u32(attrs[VMDEV_A_IRQ_STORMS]));
	out_bool("polled", attrs[VMDEV_A_IRQ_POLLED]);
	if (attrs[VMDEV_A_IRQ_CPU])
		out_number("cpu", nl_u32(attrs[VMDEV_A_IRQ_CPU]));
	out_object_end();
}

static int irq_show(int argc, char **argv)
{
	struct wanted wanted = { .name = argc ? argv[0] : NULL };
	struct nl nl;
	int ret;

	if (argc > 1)
		return usage_error("one function at a time");
	ret = nl_open(&nl);
	if (!ret) {
		out_list(NULL);
		ret = nl_talk(&nl, nl_request(&nl, VMDEV_CMD_IRQ_GET, true), VMDEV_A_IRQ_MAX,
			      show_irq, &wanted);
		out_list_end();
	}
	nl_close(&nl);
	if (!ret && wanted.name && !wanted.any)
		return failure("%s has no interrupt vectors of vmdev's", wanted.name);
	return ret;
}

static int irq_set(int argc, char **argv)
{
	struct nlmsghdr *nlh;
	unsigned int mode;
	struct nl nl;
	int ret;

	if (argc != 2)
		return usage_error("irq set needs a function and a layout");
	for (mode = 0; mode < MNL_ARRAY_SIZE(modes); mode++)
		if (!strcmp(modes[mode], argv[1]))
			break;
	if (mode == MNL_ARRAY_SIZE(modes))
		return usage_error("\"%s\" is none of per-queue, queues-shared, all-shared, auto",
				   argv[1]);
	ret = nl_open(&nl);
	if (!ret) {
		nlh = nl_request(&nl, VMDEV_CMD_IRQ_SET, false);
		mnl_attr_put_u32(nlh, VMDEV_A_IRQ_MODE, mode);
		ret = nl_put_parent(nlh, VMDEV_A_IRQ_BUS, VMDEV_A_IRQ_NAME, argv[0]);
	}
	if (!ret)
		ret = nl_talk(&nl, nlh, 0, NULL, NULL);
	nl_close(&nl);
	return ret;
}

int do_irq(int argc, char **argv)
{
	static const struct command commands[] = {
		{ "show", irq_show },
		{ "list", irq_show },
		{ "set", irq_set },
		{ NULL, NULL }
	};

	return argc ? run_command(commands, "command", argc, argv) : irq_show(0, NULL);
}
