/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Every suite includes this first, and then the driver's source file that it
 * tests: so it sees what is static there, and the drivers need no exports for
 * the sake of their tests. A driver's file is included by one suite only; what
 * it calls in others is found there.
 *
 * The same suites are built in user space by selftests/unit, against shims of
 * the kernel's headers: use nothing that those have not, or add it there.
 */
#ifndef _VMDEV_KUNIT_H
#define _VMDEV_KUNIT_H

#include <kunit/test.h>

#define VMDEV_SUITE(_name, _cases)					\
	static struct kunit_suite _name##_suite = {			\
		.name = #_name,						\
		.test_cases = _cases,					\
	};								\
	kunit_test_suite(_name##_suite)

#endif /* _VMDEV_KUNIT_H */
