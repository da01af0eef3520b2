/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Hardware for tests: a parent whose ops write down what they were told, and
 * fail when told to. Include it after the driver's source.
 */
#ifndef _VMDEV_FAKE_HW_H
#define _VMDEV_FAKE_HW_H

#include <linux/string.h>

#include "../../drivers/core/vmdev.h"

/* What vmdev_dirty asks the core for, of log.c's. */
extern const struct vmdev_dirty_ops * const fake_log_ops;

#define FAKE_CONFIG_SIZE	256
#define FAKE_QUEUES		16
#define FAKE_LOG		64
#define FAKE_REGIONS		4

/**
 * struct fake_range - one map or unmap
 * @iova: first IOVA
 * @size: bytes
 * @pa: first physical address; 0 for unmap
 * @perm: VHOST_ACCESS_*; 0 for unmap
 */
struct fake_range {
	u64 iova;
	u64 size;
	u64 pa;
	u32 perm;
};

/**
 * struct fake_access - one access to the configuration
 * @offset: where
 * @len: bytes
 */
struct fake_access {
	u32 offset;
	u32 len;
};

/**
 * struct fake_hw - the hardware, its parent, and one device on it
 * @hw: what the core sees
 * @parent: the core's part
 * @dev: a device
 * @vq_size: ring sizes
 * @vqs: queues of @dev
 * @config: configuration space
 * @accesses: reads of it
 * @n_accesses: how many, also beyond the length of @accesses
 * @writes: writes to it
 * @strays: accesses beyond config_size
 * @generation: of @config
 * @unsettled: so many more times the configuration changes while it is read
 * @restless: it changes at each so many looks at the generation; 0: never
 * @looks: looks at the generation
 * @maps: maps
 * @unmaps: unmaps
 * @n_maps: how many
 * @n_unmaps: how many
 * @attaches: calls of iommu_attach
 * @detaches: calls of iommu_detach
 * @range: what iommu_attach gives
 * @reserved: IOVAs that cannot be mapped, by address
 * @n_reserved: how many
 * @error: what iommu_attach and map return
 * @maps_left: so many more maps succeed before @error comes
 */
struct fake_hw {
	struct vmdev_hw hw;
	struct vmdev_parent parent;
	struct vmdev_dev dev;
	u16 vq_size[FAKE_QUEUES];
	struct vmdev_vq vqs[FAKE_QUEUES];
	u8 config[FAKE_CONFIG_SIZE];
	struct fake_access accesses[FAKE_LOG];
	u32 n_accesses;
	u32 writes;
	u32 strays;
	u32 generation;
	u32 unsettled;
	u32 restless;
	u32 looks;
	struct fake_range maps[FAKE_LOG];
	struct fake_range unmaps[FAKE_LOG];
	u32 n_maps;
	u32 n_unmaps;
	u32 attaches;
	u32 detaches;
	struct vdpa_iova_range range;
	struct vdpa_iova_range reserved[FAKE_REGIONS];
	u32 n_reserved;
	int error;
	u32 maps_left;
};

static inline struct fake_hw *fake_hw(struct vmdev_hw *hw)
{
	return container_of(hw, struct fake_hw, hw);
}

static inline bool fake_stray(struct fake_hw *fake, u32 offset, u32 len)
{
	u32 size = min_t(u32, fake->hw.caps.config_size, FAKE_CONFIG_SIZE);

	if (offset < size && len <= size - offset)
		return false;
	fake->strays++;
	return true;
}

static inline void fake_config_read(struct vmdev_hw *hw, u32 offset, void *buf,
				    u32 len)
{
	struct fake_hw *fake = fake_hw(hw);

	if (fake->n_accesses < FAKE_LOG)
		fake->accesses[fake->n_accesses] =
			(struct fake_access) { offset, len };
	fake->n_accesses++;
	if (!fake_stray(fake, offset, len))
		memcpy(buf, fake->config + offset, len);
}

static inline void fake_config_write(struct vmdev_hw *hw, u32 offset,
				     const void *buf, u32 len)
{
	struct fake_hw *fake = fake_hw(hw);

	fake->writes++;
	if (!fake_stray(fake, offset, len))
		memcpy(fake->config + offset, buf, len);
}

/* A change comes between two looks at the generation. */
static inline u32 fake_config_generation(struct vmdev_hw *hw)
{
	struct fake_hw *fake = fake_hw(hw);
	u32 i;

	fake->looks++;
	if (fake->restless && !(fake->looks % fake->restless))
		fake->generation++;
	if (fake->unsettled) {
		fake->unsettled--;
		fake->generation++;
		for (i = 0; i < FAKE_CONFIG_SIZE; i++)
			fake->config[i] += 1;
	}
	return fake->generation;
}

static inline int fake_map(struct vmdev_hw *hw, u64 iova, u64 size, u64 pa,
			   u32 perm)
{
	struct fake_hw *fake = fake_hw(hw);

	if (fake->error && !fake->maps_left)
		return fake->error;
	if (fake->error)
		fake->maps_left--;
	fake->maps[fake->n_maps++ % FAKE_LOG] =
		(struct fake_range) { iova, size, pa, perm };
	return 0;
}

static inline void fake_unmap(struct vmdev_hw *hw, u64 iova, u64 size)
{
	struct fake_hw *fake = fake_hw(hw);

	fake->unmaps[fake->n_unmaps++ % FAKE_LOG] =
		(struct fake_range) { iova, size };
}

static inline int fake_iommu_attach(struct vmdev_hw *hw,
				    struct vdpa_iova_range *range)
{
	struct fake_hw *fake = fake_hw(hw);

	fake->attaches++;
	if (!fake->error)
		*range = fake->range;
	return fake->error;
}

static inline void fake_iommu_detach(struct vmdev_hw *hw)
{
	fake_hw(hw)->detaches++;
}

static inline bool fake_reserved(struct vmdev_hw *hw, u64 first, u64 last,
				 struct vdpa_iova_range *found)
{
	struct fake_hw *fake = fake_hw(hw);
	u32 i;

	for (i = 0; i < fake->n_reserved; i++) {
		const struct vdpa_iova_range *range = &fake->reserved[i];

		if (range->last < first || range->first > last)
			continue;
		found->first = max(range->first, first);
		found->last = min(range->last, last);
		return true;
	}
	return false;
}

static const struct vmdev_hw_ops fake_hw_ops = {
	.config_read = fake_config_read,
	.config_write = fake_config_write,
	.config_generation = fake_config_generation,
	.iommu_attach = fake_iommu_attach,
	.iommu_detach = fake_iommu_detach,
	.reserved = fake_reserved,
	.map = fake_map,
	.unmap = fake_unmap,
};

/* Zeroed memory becomes hardware with a configuration of the bytes 0, 1, 2... */
static inline void fake_hw_init(struct fake_hw *fake, u32 device_id)
{
	u32 i;

	for (i = 0; i < FAKE_CONFIG_SIZE; i++)
		fake->config[i] = i;
	for (i = 0; i < FAKE_QUEUES; i++)
		fake->vq_size[i] = 256;
	fake->hw.ops = &fake_hw_ops;
	fake->hw.caps.device_id = device_id;
	fake->hw.caps.nvqs = FAKE_QUEUES;
	fake->hw.caps.vq_size = fake->vq_size;
	fake->hw.caps.vq_size_min = 2;
	fake->hw.caps.config_size = FAKE_CONFIG_SIZE;
	fake->hw.parent = &fake->parent;
	fake->parent.hw = &fake->hw;
	mutex_init(&fake->parent.lock);
	INIT_LIST_HEAD(&fake->dev.mem.blocks);
	fake->dev.parent = &fake->parent;
	fake->dev.vqs = fake->vqs;
	fake->dev.nvqs = FAKE_QUEUES;
	fake->range = (struct vdpa_iova_range) { .first = 0, .last = U64_MAX };
}

#endif /* _VMDEV_FAKE_HW_H */
