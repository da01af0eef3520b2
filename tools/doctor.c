// SPDX-License-Identifier: GPL-2.0
/*
 * vmdev doctor: what stops people, each with the command that mends it. Asks nothing but files, so
 * that it has an answer where no module of vmdev's can be loaded.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "doctor.h"

/* As iproute2's, but for these: there were findings, or none could be looked for. */
enum { EXIT_FINDINGS = 1, EXIT_ERROR = 2 };

#define MEMORY_DEFAULT	(1024ULL * 1024 * 1024)

void finding(struct doctor *d, const char *check, const char *bdf, const char *mend,
	     const char *fmt, ...)
{
	char text[LINE_SIZE];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	d->findings++;
	if (!opt.json) {
		printf("%s: %s%s", check, bdf ? bdf : "", bdf ? ": " : "");
		put_text(stdout, text);
		fputs("; to mend: ", stdout);
		put_text(stdout, mend);
		putchar('\n');
		return;
	}
	out_object(NULL);
	out_string("check", check);
	if (bdf)
		out_string("bdf", bdf);
	out_string("finding", text);
	out_string("mend", mend);
	out_object_end();
}

static bool parse(struct doctor *d, int argc, char **argv)
{
	int i;

	for (i = 0; i < argc; i++) {
		if (!strcmp(argv[i], "-m")) {
			if (++i == argc || !parse_size(argv[i], &d->memory) || !d->memory) {
				usage_error("-m needs the memory of a guest, 4G for instance");
				return false;
			}
		} else if (*d->bdf || !parse_bdf(argv[i], d->bdf)) {
			usage_error("\"%s\" is no PCI function, as 0000:01:00.1", argv[i]);
			return false;
		}
	}
	return true;
}

int do_doctor(int argc, char **argv)
{
	struct doctor d = { .memory = MEMORY_DEFAULT };

	if (!parse(&d, argc, argv))
		return EXIT_ERROR;
	if (!exists("/sys/devices") || !exists("/proc/self")) {
		failure("/sys and /proc are not there");
		return EXIT_ERROR;
	}
	out_list(NULL);
	doctor_host(&d);
	doctor_pci(&d);
	out_list_end();
	if (!opt.json && !d.findings)
		puts("nothing wrong was found");
	return d.findings ? EXIT_FINDINGS : EXIT_OK;
}
