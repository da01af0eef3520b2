/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _SHIM_LINUX_VIRTIO_BYTEORDER_H
#define _SHIM_LINUX_VIRTIO_BYTEORDER_H

#include <endian.h>

#define __virtio16_to_cpu(little, v)	((little) ? le16toh(v) : (v))
#define __virtio32_to_cpu(little, v)	((little) ? le32toh(v) : (v))

#endif
