/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _SHIM_LINUX_VIRTIO_BYTEORDER_H
#define _SHIM_LINUX_VIRTIO_BYTEORDER_H

#include <endian.h>
#include <linux/types.h>

static inline u16 __virtio16_to_cpu(bool little, u16 v)
{
	return little ? le16toh(v) : v;
}

static inline u32 __virtio32_to_cpu(bool little, u32 v)
{
	return little ? le32toh(v) : v;
}

static inline u64 __virtio64_to_cpu(bool little, u64 v)
{
	return little ? le64toh(v) : v;
}

static inline u16 __cpu_to_virtio16(bool little, u16 v)
{
	return little ? htole16(v) : v;
}

static inline u32 __cpu_to_virtio32(bool little, u32 v)
{
	return little ? htole32(v) : v;
}

#endif
