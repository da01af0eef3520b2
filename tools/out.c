// SPDX-License-Identifier: GPL-2.0
/* What is printed: text, a line for each object, or JSON of the same. */
#include <stdio.h>

#include "vmdev.h"

static struct {
	unsigned int depth;
	bool more;	/* something came before, on this level */
	bool title;	/* the line of text has begun */
} out;

static void indent(void)
{
	unsigned int i;

	if (!opt.pretty)
		return;
	putchar('\n');
	for (i = 0; i < out.depth; i++)
		fputs("    ", stdout);
}

static void json_string(const char *text)
{
	const unsigned char *c;

	putchar('"');
	for (c = (const unsigned char *)text; *c; c++) {
		if (*c == '"' || *c == '\\')
			printf("\\%c", *c);
		else if (*c < 0x20)
			printf("\\u%04x", *c);
		else
			putchar(*c);
	}
	putchar('"');
}

/* What stands before a value. */
static void begin(const char *key)
{
	if (!opt.json) {
		if (out.title)
			putchar(' ');
		if (key)
			printf("%s ", key);
		out.title = true;
		return;
	}
	if (out.more)
		putchar(',');
	if (out.depth)
		indent();
	if (key) {
		json_string(key);
		fputs(opt.pretty ? ": " : ":", stdout);
	}
	out.more = true;
}

static void open_with(const char *key, char c)
{
	if (!opt.json)
		return;
	begin(key);
	putchar(c);
	out.depth++;
	out.more = false;
}

static void close_with(char c)
{
	bool empty = !out.more;

	if (!opt.json)
		return;
	out.depth--;
	if (!empty)
		indent();
	putchar(c);
	out.more = out.depth > 0;
	if (!out.depth)
		putchar('\n');
}

void out_list(const char *key)
{
	open_with(key, '[');
}

void out_list_end(void)
{
	close_with(']');
}

void out_object(const char *key)
{
	open_with(key, '{');
}

void out_object_end(void)
{
	if (!opt.json) {
		putchar('\n');
		out.title = false;
	}
	close_with('}');
}

void out_title(const char *key, const char *value)
{
	if (opt.json) {
		out_string(key, value);
		return;
	}
	printf("%s:", value);
	out.title = true;
}

void out_string(const char *key, const char *value)
{
	begin(key);
	if (opt.json)
		json_string(value);
	else
		fputs(value, stdout);
}

void out_text(const char *key, const char *value)
{
	begin(key);
	json_string(value);
}

void out_number(const char *key, uint64_t value)
{
	begin(key);
	printf("%llu", (unsigned long long)value);
}

void out_real(const char *key, double value)
{
	begin(key);
	printf("%.2f", value);
}

void out_hex(const char *key, uint64_t value)
{
	begin(key);
	printf(opt.json ? "\"%#llx\"" : "%#llx", (unsigned long long)value);
}

void out_bool(const char *key, bool value)
{
	if (opt.json) {
		begin(key);
		fputs(value ? "true" : "false", stdout);
	} else if (value) {
		printf(out.title ? " %s" : "%s", key);
		out.title = true;
	}
}

void out_break(void)
{
	if (!opt.json)
		fputs("\n   ", stdout);
}

void out_flush(void)
{
	fflush(stdout);
}
