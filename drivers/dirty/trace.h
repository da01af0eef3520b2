/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Tracepoints of dirty logs, as /sys/kernel/tracing/events/vmdev_dirty: who asks for what, and
 * what comes of it.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM vmdev_dirty

#if !defined(_VMDEV_DIRTY_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define _VMDEV_DIRTY_TRACE_H

#include <linux/tracepoint.h>
#include <linux/types.h>

/* An address space is logged from now on, with pages of that size, or cannot be. */
TRACE_EVENT(vmdev_dirty_start,
	    TP_PROTO(const char *name, u32 asid, u32 ranges, u64 page_size, int ret),
	    TP_ARGS(name, asid, ranges, page_size, ret),
	    TP_STRUCT__entry(__string(device, name)
			     __field(u32, asid)
			     __field(u32, ranges)
			     __field(u64, page_size)
			     __field(int, ret)),
	    TP_fast_assign(__assign_str(device);
			   __entry->asid = asid;
			   __entry->ranges = ranges;
			   __entry->page_size = page_size;
			   __entry->ret = ret;),
	    TP_printk("device=%s asid=%u ranges=%u page_size=%llu ret=%d",
		      __get_str(device), __entry->asid, __entry->ranges,
		      __entry->page_size, __entry->ret)
);

/* A range was reported: so many pages, of the bitmap's size, were dirty. */
TRACE_EVENT(vmdev_dirty_report,
	    TP_PROTO(const char *name, u32 asid, u64 iova, u64 length, u64 page_size,
		     u64 pages, int ret),
	    TP_ARGS(name, asid, iova, length, page_size, pages, ret),
	    TP_STRUCT__entry(__string(device, name)
			     __field(u32, asid)
			     __field(u64, iova)
			     __field(u64, length)
			     __field(u64, page_size)
			     __field(u64, pages)
			     __field(int, ret)),
	    TP_fast_assign(__assign_str(device);
			   __entry->asid = asid;
			   __entry->iova = iova;
			   __entry->length = length;
			   __entry->page_size = page_size;
			   __entry->pages = pages;
			   __entry->ret = ret;),
	    TP_printk("device=%s asid=%u iova=%#llx length=%#llx page_size=%llu pages=%llu ret=%d",
		      __get_str(device), __entry->asid, __entry->iova, __entry->length,
		      __entry->page_size, __entry->pages, __entry->ret)
);

/* It is logged no more: it was stopped, its file closed, or its device deleted. */
TRACE_EVENT(vmdev_dirty_stop,
	    TP_PROTO(const char *name, u32 asid),
	    TP_ARGS(name, asid),
	    TP_STRUCT__entry(__string(device, name)
			     __field(u32, asid)),
	    TP_fast_assign(__assign_str(device);
			   __entry->asid = asid;),
	    TP_printk("device=%s asid=%u", __get_str(device), __entry->asid)
);

#endif /* _VMDEV_DIRTY_TRACE_H */

/* Kbuild says where this file is. */
#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
