// SPDX-License-Identifier: GPL-2.0
/* vmdev: shows and changes what vmdev's devices do. vmdev.8 tells how. */
#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vmdev.h"

struct options opt;

static const char usage[] =
"Usage: vmdev [ -j ] [ -p ] [ -t ] OBJECT COMMAND\n"
"       vmdev parent [ show [ BUS/NAME | NAME ] ]\n"
"       vmdev dev [ show [ DEV ] ]\n"
"       vmdev queue [ show [ DEV [ QUEUE ] ] ]\n"
"       vmdev path show DEV\n"
"       vmdev path set DEV { auto | direct | shadow }\n"
"       vmdev irq [ show [ BUS/NAME | NAME ] ]\n"
"       vmdev irq set { BUS/NAME | NAME } { per-queue | queues-shared | all-shared | auto }\n"
"       vmdev monitor\n"
"       vmdev dirty [ show [ DEV ] ]\n"
"       vmdev dirty watch DEV [ -n COUNT ] [ -i SECONDS ] [ -a ADDRESS_SPACE ]\n"
"                             [ -r IOVA:LENGTH ]...\n"
"       vmdev bind BDF [ -f ]\n"
"       vmdev unbind BDF [ -f ]\n"
"       vmdev doctor [ BDF ] [ -m MEMORY ]\n"
"Options: -j JSON, -p pretty (with -j), -t time stamps (monitor), -V version, -h help\n";

bool is_help(const char *word)
{
	return !strcmp(word, "help") || !strcmp(word, "-h") || !strcmp(word, "--help");
}

static void __printf(2, 0) say_error(const char *end, const char *fmt, va_list args)
{
	char text[4096];

	vsnprintf(text, sizeof(text), fmt, args);
	fputs("Error: ", stderr);
	put_text(stderr, text);
	fputs(end, stderr);
}

int usage_error(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	say_error(". See: vmdev help\n", fmt, args);
	va_end(args);
	return EXIT_USAGE;
}

int failure(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	say_error(".\n", fmt, args);
	va_end(args);
	return EXIT_KERNEL;
}

bool parse_number(const char *text, uint64_t max, uint64_t *value)
{
	char *end;

	errno = 0;
	*value = strtoull(text, &end, 0);
	return *text >= '0' && *text <= '9' && !*end && !errno && *value <= max;
}

/* A number, with or without k, M, G or T. */
bool parse_size(const char *text, uint64_t *value)
{
	static const char units[] = "kMGT";
	const char *unit;
	unsigned int shift = 0;
	char *end;

	errno = 0;
	*value = strtoull(text, &end, 0);
	if (*text < '0' || *text > '9' || errno)
		return false;
	if (*end) {
		unit = strchr(units, *end == 'K' ? 'k' : *end);
		if (!unit || end[1])
			return false;
		shift = 10 * (unit - units + 1);
	}
	if (*value > UINT64_MAX >> shift)
		return false;
	*value <<= shift;
	return true;
}

/* As in iproute2, the first that the word is the beginning of. */
int run_command(const struct command *commands, const char *what, int argc, char **argv)
{
	for (; commands->name; commands++)
		if (!strncmp(commands->name, argv[0], strlen(argv[0])))
			return commands->run(argc - 1, argv + 1);
	return usage_error("there is no %s \"%s\"", what, argv[0]);
}

static int do_help(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	fputs(usage, stdout);
	return EXIT_OK;
}

static const struct command objects[] = {
	{ "dev", do_dev },
	{ "parent", do_parent },
	{ "queue", do_queue },
	{ "path", do_path },
	{ "irq", do_irq },
	{ "monitor", do_monitor },
	{ "dirty", do_dirty },
	{ "bind", do_bind },
	{ "unbind", do_unbind },
	{ "doctor", do_doctor },
	{ "help", do_help },
	{ NULL, NULL }
};

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "json", no_argument, NULL, 'j' },
		{ "pretty", no_argument, NULL, 'p' },
		{ "timestamp", no_argument, NULL, 't' },
		{ "Version", no_argument, NULL, 'V' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 }
	};
	int c;

	while ((c = getopt_long(argc, argv, "+jptVh", options, NULL)) != -1) {
		switch (c) {
		case 'j':
			opt.json = true;
			break;
		case 'p':
			opt.pretty = true;
			break;
		case 't':
			opt.timestamp = true;
			break;
		case 'V':
			puts("vmdev utility, vmdev-" VMDEV_VERSION);
			return EXIT_OK;
		case 'h':
			return do_help(0, NULL);
		default:
			return EXIT_USAGE;
		}
	}
	if (optind == argc) {
		fputs(usage, stderr);
		return EXIT_USAGE;
	}
	return run_command(objects, "object", argc - optind, argv + optind);
}
