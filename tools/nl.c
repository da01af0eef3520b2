// SPDX-License-Identifier: GPL-2.0
/* Generic netlink: find the family, ask, and say in full why the kernel refused. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <linux/genetlink.h>

#include "vmdev.h"

#define BUFFER_SIZE	32768
/* Room for events, while whoever reads our output does not. */
#define EVENTS_BYTES	0x100000

static uint64_t buffer[BUFFER_SIZE / sizeof(uint64_t)];

/* --- attributes ----------------------------------------------------------------- */

uint32_t nl_u32(const struct nlattr *attr)
{
	return attr && mnl_attr_get_payload_len(attr) >= 4 ? mnl_attr_get_u32(attr) : 0;
}

/* The kernel's "uint" has four or eight bytes. */
uint64_t nl_uint(const struct nlattr *attr)
{
	if (!attr)
		return 0;
	return mnl_attr_get_payload_len(attr) >= 8 ? mnl_attr_get_u64(attr) : nl_u32(attr);
}

const char *nl_string(const struct nlattr *attr)
{
	if (!attr || mnl_attr_validate(attr, MNL_TYPE_NUL_STRING) < 0)
		return "";
	return mnl_attr_get_str(attr);
}

static void sort_attrs(const struct nlattr *first, int len, const struct nlattr **attrs,
		       unsigned int max)
{
	const struct nlattr *attr;

	memset(attrs, 0, (max + 1) * sizeof(*attrs));
	for (attr = first; mnl_attr_ok(attr, len); attr = mnl_attr_next(attr)) {
		unsigned int type = mnl_attr_get_type(attr);

		if (type <= max)
			attrs[type] = attr;
		len -= MNL_ALIGN(attr->nla_len);
	}
}

/* Of a message of generic netlink. */
void nl_parse(const struct nlmsghdr *nlh, const struct nlattr **attrs, unsigned int max)
{
	const char *payload = mnl_nlmsg_get_payload_offset(nlh, GENL_HDRLEN);

	sort_attrs((const void *)payload, (const char *)mnl_nlmsg_get_payload_tail(nlh) - payload,
		   attrs, max);
}

/* --- what the kernel says ------------------------------------------------------- */

static void say_refused(const char *text, int err)
{
	const char *end = *text && text[strlen(text) - 1] == '.' ? "" : ".";

	if (*text) {
		fputs("Error: ", stderr);
		put_text(stderr, text);
		fprintf(stderr, "%s\n", end);
	} else {
		fprintf(stderr, "vmdev answers: %s%s\n", strerror(err),
			err == EPERM ? " (changes need CAP_NET_ADMIN: be root)" : "");
	}
}

/* Attributes of an extended acknowledgment are @skip bytes into the message. */
static void say_extack(const struct nlmsghdr *nlh, size_t skip, int err)
{
	const struct nlattr *attrs[NLMSGERR_ATTR_MAX + 1] = { 0 };
	const char *payload = mnl_nlmsg_get_payload_offset(nlh, skip);
	int len = (const char *)mnl_nlmsg_get_payload_tail(nlh) - payload;

	if ((nlh->nlmsg_flags & NLM_F_ACK_TLVS) && len > 0)
		sort_attrs((const void *)payload, len, attrs, NLMSGERR_ATTR_MAX);
	say_refused(nl_string(attrs[NLMSGERR_ATTR_MSG]), err);
}

/* The end of an answer: 0, or the errno of a refusal. @quiet: do not say it. */
static int nl_end(const struct nlmsghdr *nlh, bool quiet)
{
	const struct nlmsgerr *error = mnl_nlmsg_get_payload(nlh);
	size_t skip = sizeof(*error);
	int err;

	if (nlh->nlmsg_type == NLMSG_DONE) {
		err = mnl_nlmsg_get_payload_len(nlh) >= sizeof(int) ? -*(const int *)error : 0;
		skip = sizeof(int);
	} else {
		err = -error->error;
		if (!(nlh->nlmsg_flags & NLM_F_CAPPED))
			skip += mnl_nlmsg_get_payload_len(nlh) > skip ?
				error->msg.nlmsg_len - sizeof(error->msg) : 0;
	}
	if (err > 0 && !quiet)
		say_extack(nlh, skip, err);
	return err > 0 ? err : 0;
}

/* --- requests ------------------------------------------------------------------- */

static struct nlmsghdr *request(struct nl *nl, uint16_t family, uint8_t cmd, bool dump)
{
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buffer);
	struct genlmsghdr *genl;

	nlh->nlmsg_type = family;
	nlh->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | (dump ? NLM_F_DUMP : 0);
	nlh->nlmsg_seq = ++nl->seq;
	genl = mnl_nlmsg_put_extra_header(nlh, sizeof(*genl));
	genl->cmd = cmd;
	genl->version = 1;
	return nlh;
}

struct nlmsghdr *nl_request(struct nl *nl, uint8_t cmd, bool dump)
{
	return request(nl, nl->family, cmd, dump);
}

int nl_put_name(struct nlmsghdr *nlh, unsigned int attr, const char *name)
{
	if (strlen(name) >= NAME_SIZE)
		return usage_error("a name has %u characters at most", NAME_SIZE - 1);
	mnl_attr_put_strz(nlh, attr, name);
	return EXIT_OK;
}

/**
 * struct talk - a request that is being answered
 * @nl: of whom
 * @max: highest attribute
 * @handler: gets each answer
 * @data: for it
 * @quiet: a refusal is not said
 */
struct talk {
	struct nl *nl;
	unsigned int max;
	nl_handler handler;
	void *data;
	bool quiet;
};

/* What one read brought: -1 if there is more to come, else as nl_end(). */
static int answered(const struct talk *talk, int len)
{
	const struct nlmsghdr *nlh = (const void *)buffer;

	for (; mnl_nlmsg_ok(nlh, len); nlh = mnl_nlmsg_next(nlh, &len)) {
		const struct nlattr *attrs[talk->max + 1];

		if (nlh->nlmsg_seq != talk->nl->seq)
			continue;
		if (nlh->nlmsg_type == NLMSG_ERROR || nlh->nlmsg_type == NLMSG_DONE)
			return nl_end(nlh, talk->quiet);
		if (nlh->nlmsg_type < NLMSG_MIN_TYPE || !talk->handler)
			continue;
		nl_parse(nlh, attrs, talk->max);
		talk->handler(attrs, talk->data);
	}
	return -1;
}

static int no_answer(void)
{
	failure("no answer of the kernel's: %s", strerror(errno));
	return -1;
}

/* 0, the errno of a refusal, or -1 if there was no answer, which was said. */
static int ask(const struct talk *talk, struct nlmsghdr *nlh)
{
	int len, err = -1;

	do {
		len = mnl_socket_sendto(talk->nl->sock, nlh, nlh->nlmsg_len);
	} while (len < 0 && errno == EINTR);
	if (len < 0)
		return no_answer();
	do {
		len = mnl_socket_recvfrom(talk->nl->sock, buffer, sizeof(buffer));
		if (len >= 0)
			err = answered(talk, len);
		else if (errno != EINTR)
			return no_answer();
	} while (err < 0);
	return err;
}

int nl_talk(struct nl *nl, struct nlmsghdr *nlh, unsigned int max, nl_handler handler, void *data)
{
	const struct talk talk = { nl, max, handler, data, false };

	return ask(&talk, nlh) ? EXIT_KERNEL : EXIT_OK;
}

/* --- the family ----------------------------------------------------------------- */

static void find_events(struct nl *nl, const struct nlattr *groups)
{
	const struct nlattr *group, *attrs[CTRL_ATTR_MCAST_GRP_MAX + 1];

	mnl_attr_for_each_nested(group, groups) {
		sort_attrs(mnl_attr_get_payload(group), mnl_attr_get_payload_len(group), attrs,
			   CTRL_ATTR_MCAST_GRP_MAX);
		if (!strcmp(nl_string(attrs[CTRL_ATTR_MCAST_GRP_NAME]), VMDEV_MCGRP_EVENTS))
			nl->events = nl_u32(attrs[CTRL_ATTR_MCAST_GRP_ID]);
	}
}

static void found_family(const struct nlattr **attrs, void *data)
{
	struct nl *nl = data;

	if (attrs[CTRL_ATTR_FAMILY_ID])
		nl->family = mnl_attr_get_u16(attrs[CTRL_ATTR_FAMILY_ID]);
	if (attrs[CTRL_ATTR_MCAST_GROUPS])
		find_events(nl, attrs[CTRL_ATTR_MCAST_GROUPS]);
}

static int find_family(struct nl *nl)
{
	const struct talk talk = { nl, CTRL_ATTR_MAX, found_family, nl, true };
	struct nlmsghdr *nlh = request(nl, GENL_ID_CTRL, CTRL_CMD_GETFAMILY, false);
	int err;

	mnl_attr_put_strz(nlh, CTRL_ATTR_FAMILY_NAME, VMDEV_FAMILY_NAME);
	err = ask(&talk, nlh);
	if (!err)
		return EXIT_OK;
	if (err < 0)
		return EXIT_KERNEL;
	if (err != ENOENT)
		say_refused("", err);
	else if (!access("/sys/module/vmdev_ctl", F_OK))
		say_refused("this network namespace has no vmdev, the first one has it", err);
	else
		say_refused("module vmdev_ctl is not loaded: modprobe vmdev_ctl", err);
	return EXIT_KERNEL;
}

int nl_open(struct nl *nl)
{
	const int on = 1;

	*nl = (struct nl) { .seq = time(NULL) };
	nl->sock = mnl_socket_open(NETLINK_GENERIC);
	if (!nl->sock || mnl_socket_bind(nl->sock, 0, MNL_SOCKET_AUTOPID) < 0)
		return failure("no netlink socket: %s", strerror(errno));
	/* An older kernel says less. */
	mnl_socket_setsockopt(nl->sock, NETLINK_EXT_ACK, (void *)&on, sizeof(on));
	mnl_socket_setsockopt(nl->sock, NETLINK_CAP_ACK, (void *)&on, sizeof(on));
	return find_family(nl);
}

void nl_close(struct nl *nl)
{
	if (nl->sock)
		mnl_socket_close(nl->sock);
}

bool nl_says_gone(const struct nl *nl, const struct nlmsghdr *nlh)
{
	const struct nlattr *attrs[CTRL_ATTR_MAX + 1];
	const struct genlmsghdr *genl = mnl_nlmsg_get_payload(nlh);
	struct nl of = { 0 };

	if (nlh->nlmsg_type != GENL_ID_CTRL || genl->cmd != CTRL_CMD_DELFAMILY)
		return false;
	nl_parse(nlh, attrs, CTRL_ATTR_MAX);
	found_family(attrs, &of);
	return of.family == nl->family;
}

bool nl_is_gone(const struct nl *nl)
{
	struct nl now;
	bool gone;

	gone = nl_open(&now) || now.family != nl->family;
	nl_close(&now);
	return gone;
}

int nl_join(struct nl *nl)
{
	const int bytes = EVENTS_BYTES, families = GENL_ID_CTRL;

	setsockopt(mnl_socket_get_fd(nl->sock), SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes));
	if (mnl_socket_setsockopt(nl->sock, NETLINK_ADD_MEMBERSHIP, &nl->events,
				  sizeof(nl->events)) < 0 ||
	    mnl_socket_setsockopt(nl->sock, NETLINK_ADD_MEMBERSHIP, (void *)&families,
				  sizeof(families)) < 0)
		return failure("no events: %s", strerror(errno));
	return EXIT_OK;
}
