/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Tracepoints of the core, as /sys/kernel/tracing/events/vmdev: what the control plane is told
 * of, and maps. Nothing of them is in the path of a buffer.
 */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM vmdev

#if !defined(_VMDEV_CORE_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define _VMDEV_CORE_TRACE_H

#include <linux/device.h>
#include <linux/tracepoint.h>
#include <linux/types.h>
#include <uapi/linux/vhost_types.h>
#include <uapi/linux/vmdev_netlink.h>

TRACE_DEFINE_ENUM(VMDEV_STATE_OFF);
TRACE_DEFINE_ENUM(VMDEV_STATE_RUNNING);
TRACE_DEFINE_ENUM(VMDEV_STATE_SUSPENDED);
TRACE_DEFINE_ENUM(VMDEV_STATE_BROKEN);
TRACE_DEFINE_ENUM(VMDEV_PATH_OFF);
TRACE_DEFINE_ENUM(VMDEV_PATH_DIRECT);
TRACE_DEFINE_ENUM(VMDEV_PATH_SHADOW);
TRACE_DEFINE_ENUM(VMDEV_PATH_SOFTWARE);

#define vmdev_trace_state(state) \
	__print_symbolic(state, \
			 { VMDEV_STATE_OFF, "off" }, \
			 { VMDEV_STATE_RUNNING, "running" }, \
			 { VMDEV_STATE_SUSPENDED, "suspended" }, \
			 { VMDEV_STATE_BROKEN, "broken" })

#define vmdev_trace_path(path) \
	__print_symbolic(path, \
			 { VMDEV_PATH_OFF, "off" }, \
			 { VMDEV_PATH_DIRECT, "direct" }, \
			 { VMDEV_PATH_SHADOW, "shadow" }, \
			 { VMDEV_PATH_SOFTWARE, "software" })

/* Numbers: perf and trace-cmd do not know the names. */
#define vmdev_trace_perm(perm) \
	__print_symbolic(perm, { 0, "none" }, { 1, "r" }, { 2, "w" }, { 3, "rw" })

/* A device came from one state to another. A reason only for what broke. */
TRACE_EVENT(vmdev_state,
	    TP_PROTO(const struct device *dev, u32 old, u32 new, const char *why),
	    TP_ARGS(dev, old, new, why),
	    TP_STRUCT__entry(__string(device, dev_name(dev))
			     __field(u32, old)
			     __field(u32, new)
			     __string(reason, why ? : "")),
	    TP_fast_assign(__assign_str(device);
			   __entry->old = old;
			   __entry->new = new;
			   __assign_str(reason);),
	    TP_printk("device=%s old=%s new=%s reason=%s", __get_str(device),
		      vmdev_trace_state(__entry->old),
		      vmdev_trace_state(__entry->new), __get_str(reason))
);

/* A queue runs in another way. One that was suspended, and goes on as it did, does not. */
TRACE_EVENT(vmdev_path,
	    TP_PROTO(const struct device *dev, u16 queue, u32 from, u32 to),
	    TP_ARGS(dev, queue, from, to),
	    TP_STRUCT__entry(__string(device, dev_name(dev))
			     __field(u16, queue)
			     __field(u32, from)
			     __field(u32, to)),
	    TP_fast_assign(__assign_str(device);
			   __entry->queue = queue;
			   __entry->from = from;
			   __entry->to = to;),
	    TP_printk("device=%s queue=%u from=%s to=%s", __get_str(device),
		      __entry->queue, vmdev_trace_path(__entry->from),
		      vmdev_trace_path(__entry->to))
);

/* A driver's memory was mapped, or could not be. Where it is physically is nobody's business. */
TRACE_EVENT(vmdev_map,
	    TP_PROTO(const struct device *dev, u32 asid, u64 iova, u64 size, u32 perm, int ret),
	    TP_ARGS(dev, asid, iova, size, perm, ret),
	    TP_STRUCT__entry(__string(device, dev_name(dev))
			     __field(u32, asid)
			     __field(u64, iova)
			     __field(u64, size)
			     __field(u32, perm)
			     __field(int, ret)),
	    TP_fast_assign(__assign_str(device);
			   __entry->asid = asid;
			   __entry->iova = iova;
			   __entry->size = size;
			   __entry->perm = perm;
			   __entry->ret = ret;),
	    TP_printk("device=%s asid=%u iova=%#llx size=%#llx perm=%s ret=%d",
		      __get_str(device), __entry->asid, __entry->iova, __entry->size,
		      vmdev_trace_perm(__entry->perm), __entry->ret)
);

/* A range that was mapped is not any more: as it was mapped, whatever was asked for. */
TRACE_EVENT(vmdev_unmap,
	    TP_PROTO(const struct device *dev, u32 asid, u64 iova, u64 size, u32 perm),
	    TP_ARGS(dev, asid, iova, size, perm),
	    TP_STRUCT__entry(__string(device, dev_name(dev))
			     __field(u32, asid)
			     __field(u64, iova)
			     __field(u64, size)
			     __field(u32, perm)),
	    TP_fast_assign(__assign_str(device);
			   __entry->asid = asid;
			   __entry->iova = iova;
			   __entry->size = size;
			   __entry->perm = perm;),
	    TP_printk("device=%s asid=%u iova=%#llx size=%#llx perm=%s",
		      __get_str(device), __entry->asid, __entry->iova, __entry->size,
		      vmdev_trace_perm(__entry->perm))
);

/* A queue cannot go on: what its driver, or hardware, did. */
TRACE_EVENT(vmdev_vq_broken,
	    TP_PROTO(const struct device *dev, u16 queue, const char *what),
	    TP_ARGS(dev, queue, what),
	    TP_STRUCT__entry(__string(device, dev_name(dev))
			     __field(u16, queue)
			     __string(what, what)),
	    TP_fast_assign(__assign_str(device);
			   __entry->queue = queue;
			   __assign_str(what);),
	    TP_printk("device=%s queue=%u what=%s", __get_str(device),
		      __entry->queue, __get_str(what))
);

#endif /* _VMDEV_CORE_TRACE_H */

/* Kbuild says where this file is. */
#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
