// SPDX-License-Identifier: GPL-2.0
/*
 * Guest memory, its copy, and who has which part of it; see oracle.h.
 *
 * Pieces of chains lie anywhere in a window of the memory: small windows are used
 * over and over, large ones leave pages that were written once, long ago.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "oracle.h"

/* Rings are at the start of memory; see vc_alloc(). */
#define RINGS		(DEVS * QUEUES * 6 * PAGE)

/* For logs of 2 MiB pages, and so that huge pages may be behind it. */
static __u8 *map_aligned(size_t size)
{
	__u8 *p = mmap(NULL, size + 2 * MIB, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		return NULL;
	p += -(uintptr_t)p % (2 * MIB);
	madvise(p, size, MADV_HUGEPAGE);
	return p;
}

void mem_setup(struct mem *m)
{
	m->now = map_aligned(MEM_MAX);
	m->copy = map_aligned(MEM_MAX);
	m->owner = calloc(MEM_MAX / GRAIN, sizeof(*m->owner));
	if (!m->now || !m->copy || !m->owner) {
		fprintf(stderr, "no memory\n");
		exit(2);
	}
	/* All of it is there, so that the copy differs for what was written only. */
	memset(m->now, 0x11, MEM_MAX);
	memset(m->copy, 0x22, MEM_MAX);
}

/* Size, place and window for a run. */
void mem_choose(struct mem *m, struct rng *r)
{
	static const __u64 base[] = { 0x40000000, 0x200000, 0xc0000000, 0x7f00000000 };
	size_t grains;

	m->size = rng_one_in(r, 4) ? rng_range(r, 3, 8) * 2 * MIB : 4 * MIB;
	m->iova = base[rng_below(r, 4)];
	memset(m->owner, 0, m->size / GRAIN * sizeof(*m->owner));
	memset(m->todo, 0, sizeof(m->todo));
	grains = (m->size - RINGS) / GRAIN;
	m->window = grains;
	if (!rng_one_in(r, 3))
		m->window = (128 << rng_below(r, 5)) * 1024 / GRAIN;
	m->window_first = RINGS / GRAIN + rng_below(r, grains - m->window + 1);
}

__u64 mem_iova(const struct mem *m, const void *p)
{
	return m->iova + ((const __u8 *)p - m->now);
}

static void *mem_twin(const struct mem *m, const void *p)
{
	return m->copy + ((const __u8 *)p - m->now);
}

void mem_put(struct mem *m, void *p, const void *from, size_t len)
{
	memcpy(p, from, len);
	memcpy(mem_twin(m, p), from, len);
}

/* What was written before is seen before. */
void mem_put16(struct mem *m, __u16 *p, __u16 value)
{
	__atomic_store_n(p, value, __ATOMIC_SEQ_CST);
	memcpy(mem_twin(m, p), &value, sizeof(value));
}

void mem_sync(struct mem *m, const void *p, size_t len)
{
	memcpy(mem_twin(m, p), p, len);
}

static bool window_free(const struct mem *m, size_t first, size_t n)
{
	size_t i;

	if (first + n > m->window_first + m->window)
		return false;
	for (i = first; i < first + n; i++)
		if (m->owner[i].busy)
			return false;
	return true;
}

void mem_own(struct mem *m, const void *p, size_t len, const struct owner *owner)
{
	size_t i, first = ((const __u8 *)p - m->now) / GRAIN;
	size_t last = ((const __u8 *)p - m->now + len - 1) / GRAIN;

	for (i = first; i <= last; i++) {
		m->owner[i] = *owner;
		m->owner[i].busy = true;
	}
}

void *mem_get(struct mem *m, struct rng *r, size_t len, size_t align,
	      const struct owner *owner)
{
	size_t at = rng_below(r, GRAIN / align) * align;
	size_t n = (at + len + GRAIN - 1) / GRAIN, i;
	size_t start = rng_below(r, m->window);

	for (i = 0; i < m->window; i++) {
		size_t first = m->window_first + (start + i) % m->window;
		void *p = m->now + first * GRAIN + at;

		if (!window_free(m, first, n))
			continue;
		mem_own(m, p, len, owner);
		return p;
	}
	return NULL;
}

void mem_free(struct mem *m, const void *p, size_t len)
{
	size_t i, first = ((const __u8 *)p - m->now) / GRAIN;
	size_t last = ((const __u8 *)p - m->now + len - 1) / GRAIN;

	for (i = first; i <= last; i++)
		m->owner[i].busy = false;
}

static void say_byte(const struct mem *m, size_t i)
{
	static const char * const what[] = {
		[NOBODY] = "nothing that a device was given", [RING] = "a ring",
		[TABLE] = "an indirect table", [READ_BY_DEVICE] = "a buffer to read",
		[WRITTEN_BY_DEVICE] = "a buffer to write",
	};
	const struct owner *o = &m->owner[i / GRAIN];

	printf("# iova %#llx (page %#llx + %#zx) is %#x, the copy has %#x: %s",
	       m->iova + i, m->iova + (i & ~(PAGE - 1)), i & (PAGE - 1), m->now[i],
	       m->copy[i], what[o->what]);
	if (o->what == RING)
		printf(", device %u queue %u", o->dev, o->queue);
	else if (o->what)
		printf(", device %u queue %u chain %u, %s", o->dev, o->queue, o->chain,
		       o->busy ? "which it has" : "which came back");
	printf("\n");
}

size_t mem_differ(const struct mem *m, size_t first, size_t len, bool say)
{
	size_t i, j, n = 0, said = 0;

	for (i = first; i < first + len; i += PAGE) {
		size_t before = n;

		if (!memcmp(m->now + i, m->copy + i, PAGE))
			continue;
		for (j = i; j < i + PAGE; j++) {
			if (m->now[j] == m->copy[j])
				continue;
			if (say && n == before && said++ < 5)
				say_byte(m, j);
			n++;
		}
	}
	return n;
}
