/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _SHIM_LINUX_VIRTIO_BYTEORDER_H
#define _SHIM_LINUX_VIRTIO_BYTEORDER_H

#include <linux/types.h>

#define __virtio16_to_cpu(little, v)	((u16)((little) ? le16toh(v) : (v)))
#define __virtio32_to_cpu(little, v)	((u32)((little) ? le32toh(v) : (v)))
#define __virtio64_to_cpu(little, v)	((u64)((little) ? le64toh(v) : (v)))
#define __cpu_to_virtio16(little, v)	((u16)((little) ? htole16(v) : (v)))
#define __cpu_to_virtio32(little, v)	((u32)((little) ? htole32(v) : (v)))
#define __cpu_to_virtio64(little, v)	((u64)((little) ? htole64(v) : (v)))

#endif
