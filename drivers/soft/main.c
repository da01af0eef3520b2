// SPDX-License-Identifier: GPL-2.0
/* vmdev_soft: the management device, and the devices that it makes. */
#include <linux/dma-mapping.h>
#include <linux/etherdevice.h>
#include <linux/module.h>
#include <linux/platform_device.h>
#include <linux/slab.h>
#include <uapi/linux/virtio_config.h>
#include <uapi/linux/virtio_ids.h>
#include <uapi/linux/virtio_ring.h>

#include "vmdev_soft.h"

#define VMDEV_SOFT_FEATURES	(BIT_ULL(VIRTIO_F_VERSION_1) | \
				 BIT_ULL(VIRTIO_F_ACCESS_PLATFORM) | \
				 BIT_ULL(VIRTIO_F_RING_PACKED) | \
				 BIT_ULL(VIRTIO_F_RING_RESET) | \
				 BIT_ULL(VIRTIO_F_IN_ORDER) | \
				 BIT_ULL(VIRTIO_RING_F_EVENT_IDX) | \
				 BIT_ULL(VIRTIO_RING_F_INDIRECT_DESC))
#define VMDEV_SOFT_NET		(BIT_ULL(VIRTIO_NET_F_MAC) | \
				 BIT_ULL(VIRTIO_NET_F_STATUS) | \
				 BIT_ULL(VIRTIO_NET_F_MTU) | \
				 BIT_ULL(VIRTIO_NET_F_MRG_RXBUF) | \
				 BIT_ULL(VIRTIO_NET_F_CSUM) | \
				 BIT_ULL(VIRTIO_NET_F_GUEST_CSUM) | \
				 BIT_ULL(VIRTIO_NET_F_HOST_TSO4) | \
				 BIT_ULL(VIRTIO_NET_F_HOST_TSO6) | \
				 BIT_ULL(VIRTIO_NET_F_GUEST_TSO4) | \
				 BIT_ULL(VIRTIO_NET_F_GUEST_TSO6))

static const struct vmdev_hw_caps vmdev_soft_caps = {
	.device_id = VIRTIO_ID_NET,
	.features = VMDEV_SOFT_FEATURES | VMDEV_SOFT_NET,
	.caps = VMDEV_CAP_STATE | VMDEV_CAP_RING_RESET,
	.nvqs = VMDEV_SOFT_VQS,
	.config_size = sizeof(struct virtio_net_config),
	.vq_size_min = 2,
	.vq_align = 16,
};

static struct platform_device *vmdev_soft_pdev;

static void vmdev_soft_config(struct vmdev_soft *soft)
{
	struct virtio_net_config *config = &soft->config;

	eth_random_addr(config->mac);
	config->status = cpu_to_le16(VIRTIO_NET_S_LINK_UP);
	config->max_virtqueue_pairs = cpu_to_le16(1);
	config->mtu = cpu_to_le16(VMDEV_SOFT_MTU);
}

static struct vmdev_hw *vmdev_soft_create(struct vmdev_factory *factory,
					  const char *name)
{
	struct vmdev_soft *soft;
	int i, err;

	soft = kzalloc_obj(*soft, GFP_KERNEL);
	if (!soft)
		return ERR_PTR(-ENOMEM);
	rwlock_init(&soft->maps_lock);
	vmdev_maps_init(&soft->maps);
	for (i = 0; i < VMDEV_SOFT_VQS; i++) {
		soft->vqs[i].soft = soft;
		spin_lock_init(&soft->vqs[i].lock);
		soft->vq_size[i] = VMDEV_SOFT_VQ_SIZE;
	}
	vmdev_soft_config(soft);
	soft->hw.dev = factory->dev;
	soft->hw.dma_dev = factory->dev;
	soft->hw.ops = &vmdev_soft_ops;
	soft->hw.caps = vmdev_soft_caps;
	soft->hw.caps.vq_size = soft->vq_size;
	err = vmdev_soft_port_add(soft, name);
	if (err) {
		kfree(soft);
		return ERR_PTR(err);
	}
	return &soft->hw;
}

static void vmdev_soft_destroy(struct vmdev_hw *hw)
{
	struct vmdev_soft *soft = vmdev_soft(hw);

	vmdev_soft_port_del(soft);
	vmdev_maps_destroy(&soft->maps);
	kfree(soft);
}

static struct vmdev_factory vmdev_soft_factory = {
	.create = vmdev_soft_create,
	.destroy = vmdev_soft_destroy,
};

static int __init vmdev_soft_init(void)
{
	int err;

	vmdev_soft_pdev = platform_device_register_simple("vmdev_soft",
							  PLATFORM_DEVID_NONE,
							  NULL, 0);
	if (IS_ERR(vmdev_soft_pdev))
		return PTR_ERR(vmdev_soft_pdev);
	err = dma_set_mask_and_coherent(&vmdev_soft_pdev->dev, DMA_BIT_MASK(64));
	if (err)
		goto err_pdev;
	vmdev_soft_factory.dev = &vmdev_soft_pdev->dev;
	vmdev_soft_factory.caps = vmdev_soft_caps;
	err = vmdev_factory_register(&vmdev_soft_factory);
	if (err)
		goto err_pdev;
	return 0;

err_pdev:
	platform_device_unregister(vmdev_soft_pdev);
	return err;
}
module_init(vmdev_soft_init);

static void __exit vmdev_soft_exit(void)
{
	vmdev_factory_unregister(&vmdev_soft_factory);
	platform_device_unregister(vmdev_soft_pdev);
}
module_exit(vmdev_soft_exit);

MODULE_DESCRIPTION("vmdev: vDPA devices that are software");
MODULE_AUTHOR("The vmdev developers");
MODULE_LICENSE("GPL");
