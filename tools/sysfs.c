// SPDX-License-Identifier: GPL-2.0
/* Files of sysfs and procfs. */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "vmdev.h"

static void make_path(char path[PATH_MAX], const char *fmt, va_list args)
{
	vsnprintf(path, PATH_MAX, fmt, args);
}

bool read_line(char *line, size_t size, const char *fmt, ...)
{
	char path[PATH_MAX];
	va_list args;
	ssize_t n;
	int fd;

	*line = '\0';
	va_start(args, fmt);
	make_path(path, fmt, args);
	va_end(args);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	n = read(fd, line, size - 1);
	close(fd);
	if (n < 0)
		return false;
	line[n] = '\0';
	line[strcspn(line, "\n")] = '\0';
	return true;
}

uint64_t read_u64(uint64_t other, const char *fmt, ...)
{
	char path[PATH_MAX], line[64];
	va_list args;
	uint64_t value;

	va_start(args, fmt);
	make_path(path, fmt, args);
	va_end(args);
	if (!read_line(line, sizeof(line), "%s", path) || !parse_number(line, UINT64_MAX, &value))
		return other;
	return value;
}

bool read_link(char *name, size_t size, const char *fmt, ...)
{
	char path[PATH_MAX], target[PATH_MAX];
	va_list args;
	const char *slash;
	ssize_t n;

	*name = '\0';
	va_start(args, fmt);
	make_path(path, fmt, args);
	va_end(args);
	n = readlink(path, target, sizeof(target) - 1);
	if (n < 0)
		return false;
	target[n] = '\0';
	slash = strrchr(target, '/');
	snprintf(name, size, "%s", slash ? slash + 1 : target);
	return true;
}

bool exists(const char *fmt, ...)
{
	char path[PATH_MAX];
	va_list args;

	va_start(args, fmt);
	make_path(path, fmt, args);
	va_end(args);
	return !access(path, F_OK);
}

int write_line(const char *line, const char *fmt, ...)
{
	char path[PATH_MAX], text[PATH_MAX];
	va_list args;
	int fd, n, err = 0;

	va_start(args, fmt);
	make_path(path, fmt, args);
	va_end(args);
	n = snprintf(text, sizeof(text), "%s\n", line);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return errno;
	if (write(fd, text, n) != n)
		err = errno;
	close(fd);
	return err;
}

static int visible(const struct dirent *entry)
{
	return entry->d_name[0] != '.';
}

bool each_name(bool (*each)(const char *folder, const char *name, void *data), void *data,
	       const char *fmt, ...)
{
	struct dirent **names;
	char path[PATH_MAX];
	va_list args;
	bool found = false;
	int n, i;

	va_start(args, fmt);
	make_path(path, fmt, args);
	va_end(args);
	n = scandir(path, &names, visible, alphasort);
	for (i = 0; i < n; i++) {
		found = found || each(path, names[i]->d_name, data);
		free(names[i]);
	}
	if (n >= 0)
		free(names);
	return found;
}

static bool is_plain(const char *name)
{
	const char *c = name;

	while (isalnum((unsigned char)*c) || (*c && strchr("_.:@+-", *c)))
		c++;
	return *name && !*c;
}

/* 'It'\''s' */
const char *shell_word(char word[WORD_SIZE], const char *name)
{
	size_t n = 0;

	if (is_plain(name)) {
		snprintf(word, WORD_SIZE, "%s", name);
		return word;
	}
	word[n++] = '\'';
	for (; *name && n < WORD_SIZE - 6; name++)
		n += snprintf(word + n, WORD_SIZE - n, *name == '\'' ? "'\\''" : "%c", *name);
	strcpy(word + n, "'");
	return word;
}

bool parse_bdf(const char *text, char bdf[BDF_SIZE])
{
	unsigned int domain = 0, bus, dev, fn;
	int n = 0;

	if (sscanf(text, "%x:%x:%x.%x%n", &domain, &bus, &dev, &fn, &n) != 4 || text[n]) {
		domain = 0;
		if (sscanf(text, "%x:%x.%x%n", &bus, &dev, &fn, &n) != 3 || text[n])
			return false;
	}
	if (domain > 0xffffff || bus > 0xff || dev > 0x1f || fn > 7)
		return false;
	snprintf(bdf, BDF_SIZE, "%04x:%02x:%02x.%x", domain, bus, dev, fn);
	return true;
}
