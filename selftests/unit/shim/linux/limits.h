/* SPDX-License-Identifier: GPL-2.0 */
#include_next <linux/limits.h>
#ifndef U32_MAX
#define U32_MAX	((__u32)~0U)
#define U64_MAX	((__u64)~0ULL)
#endif
