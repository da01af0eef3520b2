// SPDX-License-Identifier: GPL-2.0
/*
 * memory MIB: writes and checks memory for ever. It runs in a guest that is migrated: a page
 * that was not copied after its last write has contents of before.
 *
 * Each page holds a pattern that follows from its number and from how many times it was
 * written; that count is kept apart from the page. A random page is checked and written anew,
 * again and again; from time to time all are checked. Prints "MEMORY N" then, N being the pages
 * checked so far, and "MEMORY BAD ..." for the first one that is wrong.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "pattern.h"

#define PAGE		4096
#define WORDS		(PAGE / sizeof(__u64))
/* Pages written in a row, and the sleep after them: a migration must come to an end. */
#define BURST		8
#define BURST_US	4000
/* Bursts until all pages are checked. */
#define ROUND		128

static __u64 *mem;
static __u32 *counts;
static __u64 pages, checked;

static __u64 seed_of(__u64 page)
{
	return (page << 32) | counts[page];
}

static void page_write(__u64 page)
{
	__u64 i, seed;

	counts[page]++;
	seed = seed_of(page);
	for (i = 0; i < WORDS; i++)
		mem[page * WORDS + i] = pattern(seed, i);
}

static void page_check(__u64 page)
{
	__u64 i, seed = seed_of(page);

	for (i = 0; i < WORDS; i++) {
		if (mem[page * WORDS + i] == pattern(seed, i))
			continue;
		printf("MEMORY BAD page %llu word %llu after write %u\n", (unsigned long long)page,
		       (unsigned long long)i, counts[page]);
		exit(1);
	}
	checked++;
}

static void round_of_bursts(__u64 *step)
{
	__u64 page;
	int i, j;

	for (i = 0; i < ROUND; i++) {
		for (j = 0; j < BURST; j++) {
			page = pattern(1, (*step)++) % pages;
			page_check(page);
			page_write(page);
		}
		usleep(BURST_US);
	}
}

int main(int argc, char **argv)
{
	__u64 page, step = 0;

	pages = (argc > 1 ? strtoull(argv[1], NULL, 0) : 8) * 1024 * 1024 / PAGE;
	mem = mmap(NULL, pages * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	counts = calloc(pages, sizeof(*counts));
	if (!pages || mem == MAP_FAILED || !counts) {
		printf("MEMORY BAD none to be had\n");
		return 1;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);

	for (page = 0; page < pages; page++)
		page_write(page);
	for (;;) {
		round_of_bursts(&step);
		for (page = 0; page < pages; page++)
			page_check(page);
		printf("MEMORY %llu\n", (unsigned long long)checked);
	}
}
