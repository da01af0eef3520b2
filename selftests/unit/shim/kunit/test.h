/* SPDX-License-Identifier: GPL-2.0 */
/*
 * As much of KUnit as the suites use, in user space. kunit_main.c runs them,
 * each case in a process of its own.
 */
#ifndef _SHIM_KUNIT_TEST_H
#define _SHIM_KUNIT_TEST_H

#include <linux/types.h>
#include <unistd.h>

#define KUNIT_ALLOCS	16

struct kunit {
	void *priv;
	bool failed;
	void *allocs[KUNIT_ALLOCS];
	int n_allocs;
};

struct kunit_case {
	void (*run)(struct kunit *test);
	const char *name;
};

struct kunit_suite {
	const char *name;
	int (*init)(struct kunit *test);
	void (*exit)(struct kunit *test);
	struct kunit_case *test_cases;
	struct kunit_suite *next;
};

#define KUNIT_CASE(fn)	{ fn, #fn }

void kunit_register(struct kunit_suite *suite);

#define kunit_test_suite(suite)							\
	static void __attribute__((constructor)) suite##_register(void)		\
	{									\
		kunit_register(&(suite));					\
	}									\
	extern int suite##_registered

static inline void *kunit_kzalloc(struct kunit *test, size_t size, gfp_t gfp)
{
	if (test->n_allocs == KUNIT_ALLOCS)
		return NULL;
	return test->allocs[test->n_allocs++] = calloc(1, size);
}

static inline void __attribute__((format(printf, 6, 7)))
kunit_failed(struct kunit *test, bool fatal, const char *file, int line, const char *what,
	     const char *fmt, ...)
{
	va_list args;

	printf("# %s:%d: not so: %s ", file, line, what);
	va_start(args, fmt);
	vprintf(fmt, args);
	va_end(args);
	printf("\n");
	fflush(stdout);
	test->failed = true;
	if (fatal)
		_exit(1);
}

#define KUNIT_CHECK(test, fatal, cond, what, ...)				\
	do {									\
		if (!(cond))							\
			kunit_failed(test, fatal, __FILE__, __LINE__, what,	\
				     " " __VA_ARGS__);				\
	} while (0)

#define KUNIT_BINARY(test, fatal, l, op, r, ...)				\
	do {									\
		typeof((l) + 0) _left = (l);					\
		typeof((r) + 0) _right = (r);					\
										\
		if (!(_left op _right)) {					\
			printf("# %lld (%#llx), %lld (%#llx)\n",		\
			       (long long)_left, (long long)_left,		\
			       (long long)_right, (long long)_right);		\
			kunit_failed(test, fatal, __FILE__, __LINE__,		\
				     #l " " #op " " #r, " " __VA_ARGS__);	\
		}								\
	} while (0)

#define KUNIT_EXPECT_EQ(test, l, r)		KUNIT_BINARY(test, false, l, ==, r)
#define KUNIT_EXPECT_EQ_MSG(test, l, r, ...)	KUNIT_BINARY(test, false, l, ==, r, __VA_ARGS__)
#define KUNIT_EXPECT_NE(test, l, r)		KUNIT_BINARY(test, false, l, !=, r)
#define KUNIT_EXPECT_LT(test, l, r)		KUNIT_BINARY(test, false, l, <, r)
#define KUNIT_EXPECT_LE(test, l, r)		KUNIT_BINARY(test, false, l, <=, r)
#define KUNIT_EXPECT_LE_MSG(test, l, r, ...)	KUNIT_BINARY(test, false, l, <=, r, __VA_ARGS__)
#define KUNIT_EXPECT_GT(test, l, r)		KUNIT_BINARY(test, false, l, >, r)
#define KUNIT_EXPECT_GE(test, l, r)		KUNIT_BINARY(test, false, l, >=, r)
#define KUNIT_EXPECT_TRUE(test, c)		KUNIT_CHECK(test, false, c, #c)
#define KUNIT_EXPECT_FALSE(test, c)		KUNIT_CHECK(test, false, !(c), "!" #c)
#define KUNIT_EXPECT_TRUE_MSG(test, c, ...)	KUNIT_CHECK(test, false, c, #c, __VA_ARGS__)
#define KUNIT_EXPECT_FALSE_MSG(test, c, ...)	KUNIT_CHECK(test, false, !(c), "!" #c, __VA_ARGS__)
#define KUNIT_EXPECT_NULL(test, p)		KUNIT_CHECK(test, false, !(p), "!" #p)
#define KUNIT_EXPECT_NULL_MSG(test, p, ...)	KUNIT_CHECK(test, false, !(p), "!" #p, __VA_ARGS__)
#define KUNIT_EXPECT_NOT_NULL(test, p)		KUNIT_CHECK(test, false, p, #p)
#define KUNIT_EXPECT_NOT_NULL_MSG(test, p, ...)	KUNIT_CHECK(test, false, p, #p, __VA_ARGS__)
#define KUNIT_EXPECT_MEMEQ(test, a, b, n)	\
	KUNIT_CHECK(test, false, !memcmp(a, b, n), #a " is " #b)
#define KUNIT_EXPECT_STREQ(test, a, b)						\
	do {									\
		const char *_a = (a), *_b = (b);				\
										\
		KUNIT_CHECK(test, false, _a && _b && !strcmp(_a, _b), #a " is " #b,	\
			    "(%s)", _a ? _a : "null");				\
	} while (0)
#define KUNIT_ASSERT_EQ(test, l, r)		KUNIT_BINARY(test, true, l, ==, r)
#define KUNIT_ASSERT_EQ_MSG(test, l, r, ...)	KUNIT_BINARY(test, true, l, ==, r, __VA_ARGS__)
#define KUNIT_ASSERT_LT(test, l, r)		KUNIT_BINARY(test, true, l, <, r)
#define KUNIT_ASSERT_LE(test, l, r)		KUNIT_BINARY(test, true, l, <=, r)
#define KUNIT_ASSERT_GT(test, l, r)		KUNIT_BINARY(test, true, l, >, r)
#define KUNIT_ASSERT_TRUE(test, c)		KUNIT_CHECK(test, true, c, #c)
#define KUNIT_ASSERT_NOT_NULL(test, p)		KUNIT_CHECK(test, true, p, #p)

#endif
