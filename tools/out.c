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

/*
 * How many bytes the character has that begins at @c, if it is UTF-8 and more than one; 0 if it is
 * not, or a control character.
 */
static unsigned int utf8_bytes(const unsigned char *c)
{
	unsigned int n = *c < 0xe0 ? 2 : *c < 0xf0 ? 3 : 4, i;
	uint32_t code = *c & (0x7f >> n);

	if (*c < 0xc2 || *c > 0xf4)
		return 0;
	for (i = 1; i < n; i++) {
		if ((c[i] & 0xc0) != 0x80)
			return 0;
		code = code << 6 | (c[i] & 0x3f);
	}
	/* Controls; longer than need be; halves of others; what there is not. */
	if (code < 0xa0 || (n == 3 && code < 0x800) || (n == 4 && code < 0x10000) ||
	    (code >= 0xd800 && code <= 0xdfff) || code > 0x10ffff)
		return 0;
	return n;
}

/*
 * Names come from whoever may give them: a byte that a terminal would obey, or that is no text, is
 * shown as a number.
 */
static void put_chars(FILE *to, const char *text, bool quoted)
{
	const unsigned char *c = (const unsigned char *)text;
	unsigned int n;

	for (; *c; c += n) {
		n = *c < 0x80 ? 1 : utf8_bytes(c);
		if (quoted && (*c == '"' || *c == '\\'))
			fputc('\\', to);
		if (!n || *c < 0x20 || *c == 0x7f) {
			fprintf(to, "\\u%04x", *c);
			n = 1;
		} else {
			fwrite(c, 1, n, to);
		}
	}
}

void put_text(FILE *to, const char *text)
{
	put_chars(to, text, false);
}

static void json_string(const char *text)
{
	putchar('"');
	put_chars(stdout, text, true);
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
	put_text(stdout, value);
	putchar(':');
	out.title = true;
}

void out_string(const char *key, const char *value)
{
	begin(key);
	if (opt.json)
		json_string(value);
	else
		put_text(stdout, value);
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
