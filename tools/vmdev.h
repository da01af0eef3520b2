/* SPDX-License-Identifier: GPL-2.0 */
/* The vmdev command: what its parts share. */
#ifndef VMDEV_TOOL_H
#define VMDEV_TOOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <libmnl/libmnl.h>
#include <linux/vmdev_netlink.h>

#define __printf(fmt, args)	__attribute((format(printf, fmt, args)))

/* Of a name, with its end. */
#define NAME_SIZE	256

/* Exit codes, those of iproute2; doctor has its own, see the man page. */
enum { EXIT_OK, EXIT_USAGE, EXIT_KERNEL };

/* Options that all commands have. */
extern struct options {
	bool json;
	bool pretty;
	bool timestamp;
} opt;

/* --- main.c --------------------------------------------------------------------- */

/**
 * struct command - a word that may come next
 * @name: it; as many letters as make it the only one are enough
 * @run: gets the words after it, and how many they are; gives an exit code
 */
struct command {
	const char *name;
	int (*run)(int argc, char **argv);
};

int run_command(const struct command *commands, const char *what, int argc, char **argv);
int usage_error(const char *fmt, ...) __printf(1, 2);
int failure(const char *fmt, ...) __printf(1, 2);
bool parse_number(const char *text, uint64_t max, uint64_t *value);
bool parse_size(const char *text, uint64_t *value);
bool is_help(const char *word);

/* --- out.c: text, or JSON of the same ------------------------------------------- */

void out_list(const char *key);
void out_list_end(void);
void out_object(const char *key);
void out_object_end(void);
/* The first of an object: in text it stands at the beginning of its line. */
void out_title(const char *key, const char *value);
void out_string(const char *key, const char *value);
/* A string that is free text, in quotes. */
void out_text(const char *key, const char *value);
void out_number(const char *key, uint64_t value);
void out_real(const char *key, double value);
/* 64 bits: a string in JSON, whose numbers have 53. */
void out_hex(const char *key, uint64_t value);
/* In text only there if it is. */
void out_bool(const char *key, bool value);
/* Of text, the next line of the same object. */
void out_break(void);
void out_flush(void);
/* As it is, but for bytes that are no text. */
void put_text(FILE *to, const char *text);

/* --- nl.c ----------------------------------------------------------------------- */

/**
 * struct nl - generic netlink, and the family of ours
 * @sock: the socket
 * @family: its number
 * @events: that of its multicast group
 * @seq: of the last request
 */
struct nl {
	struct mnl_socket *sock;
	uint16_t family;
	uint32_t events;
	uint32_t seq;
};

typedef void (*nl_handler)(const struct nlattr **attrs, void *data);

/* 0 or an exit code; what is wrong was said. */
int nl_open(struct nl *nl);
void nl_close(struct nl *nl);
struct nlmsghdr *nl_request(struct nl *nl, uint8_t cmd, bool dump);
/* Sends, and hands each answer to @handler. Of attributes up to @max, which may be NULL. */
int nl_talk(struct nl *nl, struct nlmsghdr *nlh, unsigned int max, nl_handler handler,
	    void *data);
int nl_join(struct nl *nl);
void nl_parse(const struct nlmsghdr *nlh, const struct nlattr **attrs, unsigned int max);
uint64_t nl_uint(const struct nlattr *attr);
uint32_t nl_u32(const struct nlattr *attr);
const char *nl_string(const struct nlattr *attr);
/* 0 or an exit code: it is too long for a name, which was said. */
int nl_put_name(struct nlmsghdr *nlh, unsigned int attr, const char *name);
/* Likewise. @whole is BUS/NAME, a BDF, or NAME of what is on no bus; it is taken to pieces. */
int nl_put_parent(struct nlmsghdr *nlh, unsigned int bus, unsigned int name, char *whole);
/* Has vmdev_ctl gone, since when there are no events? By a message of the group that tells, */
bool nl_says_gone(const struct nl *nl, const struct nlmsghdr *nlh);
/* or, where some were lost, by asking. */
bool nl_is_gone(const struct nl *nl);

/* --- sysfs.c -------------------------------------------------------------------- */

/* A line of a file, without its end; false, and an empty line, if it cannot be read. */
bool read_line(char *line, size_t size, const char *fmt, ...)
	__printf(3, 4);
/* A number in a file; @other if it cannot be read. */
uint64_t read_u64(uint64_t other, const char *fmt, ...) __printf(2, 3);
/* Where a link goes, the last part of it; false, and an empty name, if there is none. */
bool read_link(char *name, size_t size, const char *fmt, ...)
	__printf(3, 4);
bool exists(const char *fmt, ...) __printf(1, 2);
/* 0 or an errno. */
int write_line(const char *line, const char *fmt, ...) __printf(2, 3);
/* @each gets the names in a folder, in order, until one gives true; whether one did. */
bool each_name(bool (*each)(const char *folder, const char *name, void *data), void *data,
	       const char *fmt, ...) __printf(3, 4);

/* Of a shell: @name, quoted where it must be. */
#define WORD_SIZE	(4 * NAME_SIZE)
const char *shell_word(char word[WORD_SIZE], const char *name);

#define PCI_DEVICES	"/sys/bus/pci/devices"
#define BDF_SIZE	32

/* Whole, as sysfs has it: 1:00.0 is 0000:01:00.0. */
bool parse_bdf(const char *text, char bdf[BDF_SIZE]);

/* --- names ---------------------------------------------------------------------- */

const char *path_name(uint32_t path);
const char *policy_name(uint32_t policy);
const char *type_name(uint32_t device_id);
void out_parent(const char *key, const char *bus, const char *name, bool title);

/* --- commands ------------------------------------------------------------------- */

int do_parent(int argc, char **argv);
int do_dev(int argc, char **argv);
int do_queue(int argc, char **argv);
int do_path(int argc, char **argv);
int do_irq(int argc, char **argv);
int do_monitor(int argc, char **argv);
int do_dirty(int argc, char **argv);
int do_bind(int argc, char **argv);
int do_unbind(int argc, char **argv);
int do_doctor(int argc, char **argv);

#endif
