/* SPDX-License-Identifier: GPL-2.0 */
/* Memory of the core's own that the hardware sees. */
#ifndef _VMDEV_WINDOW_H
#define _VMDEV_WINDOW_H

#include <linux/types.h>

struct vmdev_dev;

void *vmdev_window_alloc(struct vmdev_dev *dev, size_t size, size_t ro_size,
			 u64 *iova);
void *vmdev_window_alloc_large(struct vmdev_dev *dev, size_t size, u64 *iova);
void vmdev_window_free(struct vmdev_dev *dev, void *va);

#endif /* _VMDEV_WINDOW_H */
