/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What fuzz targets share. A target is one file, fuzz_NAME.c, that includes the
 * driver's source, has a FUZZ_TARGET(), and is named in the Makefile.
 * It takes what it needs from the input with fuzz_take() and its like, which
 * give zeros when there is no more: so every input means something. What can
 * be foretold is foretold another way than the driver does it, and compared
 * with FUZZ_CHECK(); memory is allocated to the byte, for the sanitizer.
 */
#ifndef _VMDEV_FUZZ_H
#define _VMDEV_FUZZ_H

#include <linux/types.h>

/**
 * struct fuzz_input - what is left of an input
 * @data: the rest
 * @left: bytes of it
 */
struct fuzz_input {
	const u8 *data;
	size_t left;
};

/* FUZZ_TARGET(in) { ... }: the body; @in is the input. */
#define FUZZ_TARGET(in)								\
	static void fuzz_target(struct fuzz_input *in);				\
	int LLVMFuzzerTestOneInput(const u8 *data, size_t size);		\
	int LLVMFuzzerTestOneInput(const u8 *data, size_t size)			\
	{									\
		struct fuzz_input input = { data, size };			\
										\
		fuzz_target(&input);						\
		return 0;							\
	}									\
	static void fuzz_target(struct fuzz_input *in)

#define FUZZ_CHECK(cond, fmt, ...)						\
	do {									\
		if (!(cond)) {							\
			fprintf(stderr, "%s:%d: not so: " #cond ": " fmt "\n",	\
				__FILE__, __LINE__, ##__VA_ARGS__);		\
			abort();						\
		}								\
	} while (0)

static inline void fuzz_fill(struct fuzz_input *in, void *to, size_t len)
{
	size_t n = in->left < len ? in->left : len;

	memset(to, 0, len);
	if (n)
		memcpy(to, in->data, n);
	in->data += n;
	in->left -= n;
}

static inline u8 fuzz_u8(struct fuzz_input *in)
{
	u8 v;

	fuzz_fill(in, &v, sizeof(v));
	return v;
}

static inline u16 fuzz_u16(struct fuzz_input *in)
{
	u16 v;

	fuzz_fill(in, &v, sizeof(v));
	return v;
}

static inline u32 fuzz_u32(struct fuzz_input *in)
{
	u32 v;

	fuzz_fill(in, &v, sizeof(v));
	return v;
}

static inline u64 fuzz_u64(struct fuzz_input *in)
{
	u64 v;

	fuzz_fill(in, &v, sizeof(v));
	return v;
}

/* A number below @n. */
static inline u32 fuzz_below(struct fuzz_input *in, u32 n)
{
	return fuzz_u16(in) % n;
}

/* An address near one of a few places, or anywhere: where ranges meet. */
static inline u64 fuzz_address(struct fuzz_input *in)
{
	static const u64 places[] = { 0, 0x100000, 0x102000, 0x110000, -0x2000ULL, 0x7fffffff };
	u8 place = fuzz_u8(in) % (ARRAY_SIZE(places) + 1);

	if (place == ARRAY_SIZE(places))
		return fuzz_u64(in);
	return places[place] + (s64)(s16)fuzz_u16(in);
}

/* A length: small, around a page, or anything. */
static inline u64 fuzz_length(struct fuzz_input *in)
{
	switch (fuzz_u8(in) % 4) {
	case 0:
		return fuzz_u8(in);
	case 1:
		return 0x1000 + (s64)(s8)fuzz_u8(in);
	case 2:
		return fuzz_u16(in);
	default:
		return fuzz_u64(in);
	}
}

#endif /* _VMDEV_FUZZ_H */
