// SPDX-License-Identifier: GPL-2.0
/* Choices; see oracle.h. */
#include "oracle.h"

__u64 rng_next(struct rng *r)
{
	__u64 z = r->state += 0x9e3779b97f4a7c15ULL;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
	return z ^ (z >> 31);
}

__u32 rng_below(struct rng *r, __u32 n)
{
	return (rng_next(r) >> 32) * n >> 32;
}

__u32 rng_range(struct rng *r, __u32 lo, __u32 hi)
{
	return lo + rng_below(r, hi - lo + 1);
}

bool rng_one_in(struct rng *r, __u32 n)
{
	return !rng_below(r, n);
}

struct rng rng_of(__u64 seed, __u64 a, __u64 b, __u64 c)
{
	struct rng r = { seed };

	r.state = rng_next(&r) ^ a;
	r.state = rng_next(&r) ^ b;
	r.state = rng_next(&r) ^ c;
	return r;
}
