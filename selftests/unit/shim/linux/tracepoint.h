/* SPDX-License-Identifier: GPL-2.0 */
/* Nobody traces: as in a kernel without CONFIG_TRACEPOINTS. */
#ifndef _SHIM_LINUX_TRACEPOINT_H
#define _SHIM_LINUX_TRACEPOINT_H

#include <linux/types.h>

#define TP_PROTO(...)	__VA_ARGS__
#define TRACE_DEFINE_ENUM(value)

#define TRACE_EVENT(name, proto, ...)				\
	static inline void trace_##name(proto)			\
	{							\
	}							\
	static inline bool trace_##name##_enabled(void)		\
	{							\
		return false;					\
	}

#endif
