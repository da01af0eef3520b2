// SPDX-License-Identifier: GPL-2.0
/*
 * What a call costs: instructions, and accesses to registers of the function. The latter
 * are counted by who answers them, the model of the FPGA (selftests/model/model.h), and read
 * from config space, which is no register of a BAR. To read them waits for all that was
 * written before.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"
#include "../model/model.h"

static const char * const kinds[COST_REGISTERS] = { "read", "write", "ring" };

static void read_counts(const struct bench *b, __u32 *counts)
{
	const size_t size = COST_REGISTERS * sizeof(*counts);
	int fd;

	memset(counts, 0, size);
	if (!b->config)
		return;
	fd = open(b->config, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		die(b->config, -errno);
	if (pread(fd, counts, size, FPGA_REG_READS) != (ssize_t)size)
		die("counts of registers", -EIO);
	close(fd);
}

void cost_init(struct cost *cost, const struct bench *b, unsigned int rounds)
{
	unsigned int i;

	cost->b = b;
	meter_set_init(&cost->instructions, rounds);
	for (i = 0; i < COST_REGISTERS; i++)
		meter_set_init(&cost->registers[i], rounds);
}

void cost_begin(struct cost *cost)
{
	read_counts(cost->b, cost->before);
	meter_begin(&cost->m);
}

void cost_end(struct cost *cost)
{
	double instructions = meter_end(&cost->m);
	__u32 counts[COST_REGISTERS];
	unsigned int i;

	read_counts(cost->b, counts);
	meter_add(&cost->instructions, instructions);
	for (i = 0; i < COST_REGISTERS; i++)
		meter_add(&cost->registers[i], counts[i] - cost->before[i]);
}

/**
 * cost_report() - print it, and be done with it
 * @cost: what it was, round by round
 * @name: of the case
 * @n: its parameter
 */
void cost_report(struct cost *cost, const char *name, unsigned int n)
{
	unsigned int i;

	meter_report(&cost->instructions, "%s/%u", name, n);
	for (i = 0; i < COST_REGISTERS; i++)
		if (cost->b->config)
			meter_report(&cost->registers[i], "%s-%s/%u", name,
				     kinds[i], n);
		else
			meter_take(&cost->registers[i]);
}

/**
 * check_direct() - hardware has the rings of the driver, or nothing that was measured counts
 * @b: says where that is to be seen, if it is wanted
 */
void check_direct(const struct bench *b)
{
	unsigned int direct = 0;
	char word[16];
	FILE *f;

	if (!b->paths)
		return;
	f = fopen(b->paths, "r");
	if (!f)
		die(b->paths, -errno);
	while (fscanf(f, "%15s", word) == 1) {
		if (!strcmp(word, "direct"))
			direct++;
		else if (strcmp(word, "off"))
			die("a queue that is not direct", -EMEDIUMTYPE);
	}
	fclose(f);
	if (!direct)
		die("no queue is direct", -EMEDIUMTYPE);
}
