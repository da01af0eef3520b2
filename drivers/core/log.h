/* SPDX-License-Identifier: GPL-2.0 */
/* stub */
#ifndef _VMDEV_LOG_H
#define _VMDEV_LOG_H
#include "vmdev.h"
static inline bool vmdev_log_active(const struct vmdev_dev *dev, unsigned int asid) { return false; }
static inline void vmdev_log_mark(struct vmdev_dev *dev, unsigned int asid, u64 iova, u64 len) { }
#endif
