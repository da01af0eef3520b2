// SPDX-License-Identifier: GPL-2.0
/*
 * Programs that reached code nobody reached before are kept, and changed a
 * little to get further. Which ones are kept depends on the kernel; so their
 * numbers are written down, and a replay can be told of them.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "fuzz.h"

#define CORPUS_MAX 2048

static struct fz_program corpus[CORPUS_MAX];
static unsigned int size;
static int keep_fd = -1;
static __u64 *told;
static unsigned int ntold, next_told;

static int read_told(const char *path)
{
	FILE *file = fopen(path, "r");
	unsigned long long number;

	if (!file)
		return -errno;
	told = calloc(CORPUS_MAX, sizeof(*told));
	while (told && ntold < CORPUS_MAX && fscanf(file, "%llu", &number) == 1)
		told[ntold++] = number;
	fclose(file);
	return told ? 0 : -ENOMEM;
}

/**
 * fz_corpus_init() - start with none
 * @keep_to: file to write the numbers of kept programs to, or NULL
 * @kept: such a file, to keep just those; NULL to go by what is new
 *
 * Return: 0 or a negative errno.
 */
int fz_corpus_init(const char *keep_to, const char *kept)
{
	if (keep_to) {
		keep_fd = open(keep_to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC,
			       0644);
		if (keep_fd < 0)
			return -errno;
	}
	return kept ? read_told(kept) : 0;
}

/**
 * fz_corpus_next() - the next program
 * @rng: random numbers
 * @prog: the program
 */
void fz_corpus_next(struct fz_rng *rng, struct fz_program *prog)
{
	bool fresh = fz_once(rng, 3);

	if (fresh || !size) {
		fz_program_fresh(rng, prog);
		return;
	}
	*prog = corpus[fz_below(rng, size)];
	fz_program_mutate(rng, prog, &corpus[fz_below(rng, size)]);
}

/**
 * fz_corpus_keep() - a program was run
 * @number: of it
 * @prog: the program
 * @is_new: it reached something new
 */
void fz_corpus_keep(__u64 number, const struct fz_program *prog, bool is_new)
{
	if (told) {
		is_new = next_told < ntold && told[next_told] == number;
		next_told += is_new;
	}
	if (!is_new || size >= CORPUS_MAX)
		return;
	corpus[size++] = *prog;
	if (keep_fd >= 0)
		dprintf(keep_fd, "%llu\n", (unsigned long long)number);
}

/** fz_corpus_size() - how many are kept */
unsigned int fz_corpus_size(void)
{
	return size;
}
