// SPDX-License-Identifier: GPL-2.0
/* vmdev monitor: what happens, a line for each event. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "vmdev.h"

static const char *event_name(uint32_t kind)
{
	static const char * const names[] = {
		[VMDEV_EVENT_PARENT_ADD] = "parent-add",
		[VMDEV_EVENT_PARENT_DEL] = "parent-del",
		[VMDEV_EVENT_HW_GONE] = "hw-gone",
		[VMDEV_EVENT_DEV_ADD] = "dev-add",
		[VMDEV_EVENT_DEV_DEL] = "dev-del",
		[VMDEV_EVENT_RUNNING] = "running",
		[VMDEV_EVENT_RESET] = "reset",
		[VMDEV_EVENT_SUSPENDED] = "suspended",
		[VMDEV_EVENT_RESUMED] = "resumed",
		[VMDEV_EVENT_BROKEN] = "broken",
		[VMDEV_EVENT_PATH] = "path",
		[VMDEV_EVENT_POLICY] = "policy",
		[VMDEV_EVENT_DIRTY_START] = "dirty-start",
		[VMDEV_EVENT_DIRTY_STOP] = "dirty-stop",
		[VMDEV_EVENT_IRQ_STORM] = "irq-storm",
		[VMDEV_EVENT_LOST] = "lost",
	};

	return kind < MNL_ARRAY_SIZE(names) ? names[kind] : "unknown";
}

static bool is_parents(uint32_t kind)
{
	return kind == VMDEV_EVENT_PARENT_ADD || kind == VMDEV_EVENT_PARENT_DEL ||
	       kind == VMDEV_EVENT_HW_GONE || kind == VMDEV_EVENT_IRQ_STORM;
}

static void put_time(void)
{
	char text[64] = "";
	struct timespec now;
	struct tm local;
	size_t n;

	clock_gettime(CLOCK_REALTIME, &now);
	localtime_r(&now.tv_sec, &local);
	n = strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &local);
	snprintf(text + n, sizeof(text) - n, ".%06ld", now.tv_nsec / 1000);
	out_string(opt.json ? "timestamp" : NULL, text);
}

static void put_name(const struct nlattr **attrs, uint32_t kind)
{
	const char *bus = nl_string(attrs[VMDEV_A_EVENT_BUS]);
	char whole[512];

	snprintf(whole, sizeof(whole), "%s%s%s", bus, *bus ? "/" : "",
		 nl_string(attrs[VMDEV_A_EVENT_NAME]));
	out_string(is_parents(kind) ? "parent" : "dev", whole);
}

static void put_event(const struct nlattr **attrs)
{
	uint32_t kind = nl_u32(attrs[VMDEV_A_EVENT_KIND]);

	out_object(NULL);
	if (opt.timestamp)
		put_time();
	out_string(opt.json ? "event" : NULL, event_name(kind));
	if (attrs[VMDEV_A_EVENT_NAME])
		put_name(attrs, kind);
	if (attrs[VMDEV_A_EVENT_QUEUE])
		out_number("queue", nl_u32(attrs[VMDEV_A_EVENT_QUEUE]));
	if (attrs[VMDEV_A_EVENT_PATH])
		out_string("path", path_name(nl_u32(attrs[VMDEV_A_EVENT_PATH])));
	if (attrs[VMDEV_A_EVENT_POLICY])
		out_string("policy", policy_name(nl_u32(attrs[VMDEV_A_EVENT_POLICY])));
	if (attrs[VMDEV_A_EVENT_ADDRESS_SPACE])
		out_number("address_space", nl_u32(attrs[VMDEV_A_EVENT_ADDRESS_SPACE]));
	if (attrs[VMDEV_A_EVENT_VECTOR])
		out_number("vector", nl_u32(attrs[VMDEV_A_EVENT_VECTOR]));
	if (attrs[VMDEV_A_EVENT_REASON])
		out_text("reason", nl_string(attrs[VMDEV_A_EVENT_REASON]));
	if (attrs[VMDEV_A_EVENT_LOST])
		out_number("lost", nl_u32(attrs[VMDEV_A_EVENT_LOST]));
	out_object_end();
	out_flush();
}

/* false if they were the last. */
static bool put_messages(const struct nl *nl, const void *buffer, int len)
{
	const struct nlattr *attrs[VMDEV_A_EVENT_MAX + 1];
	const struct nlmsghdr *nlh = buffer;

	for (; mnl_nlmsg_ok(nlh, len); nlh = mnl_nlmsg_next(nlh, &len)) {
		if (nl_says_gone(nl, nlh))
			return false;
		if (nlh->nlmsg_type != nl->family)
			continue;
		nl_parse(nlh, attrs, VMDEV_A_EVENT_MAX);
		put_event(attrs);
	}
	return true;
}

/* Of events that were lost one may have been the last. */
static bool go_on(const struct nl *nl)
{
	fputs("vmdev: events were lost, they came too fast\n", stderr);
	return !nl_is_gone(nl);
}

static int watch(const struct nl *nl)
{
	static uint64_t buffer[4096];

	/* Perhaps while it was joined. */
	bool more = !nl_is_gone(nl);

	while (more && !ferror(stdout)) {
		int len = mnl_socket_recvfrom(nl->sock, buffer, sizeof(buffer));

		if (len >= 0)
			more = put_messages(nl, buffer, len);
		else if (errno == ENOBUFS)
			more = go_on(nl);
		else if (errno != EINTR)
			return failure("no more events: %s", strerror(errno));
	}
	/* If it comes again it has other numbers. */
	return more ? EXIT_OK : failure("no more events: module vmdev_ctl was unloaded");
}

int do_monitor(int argc, char **argv)
{
	struct nl nl;
	int ret;

	if (argc)
		return usage_error("monitor takes no \"%s\"", argv[0]);
	/* A line for each, or nobody could read it before the end, which never comes. */
	opt.pretty = false;
	ret = nl_open(&nl);
	if (!ret)
		ret = nl_join(&nl);
	if (!ret)
		ret = watch(&nl);
	nl_close(&nl);
	return ret;
}
