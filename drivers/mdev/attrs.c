// SPDX-License-Identifier: GPL-2.0
/*
 * Attributes of an mdev: what its vDPA device shall be, and whether there is one.
 */
#include <linux/etherdevice.h>
#include <linux/hex.h>
#include <linux/if_ether.h>
#include <linux/kstrtox.h>
#include <linux/string.h>
#include <linux/sysfs.h>
#include <uapi/linux/vdpa.h>
#include <uapi/linux/virtio_ids.h>

#include "vmdev_mdev.h"

static struct vmdev_mdev *vmdev_mdev_of(struct device *dev)
{
	return dev_get_drvdata(dev);
}

static struct vdpa_dev_set_config vmdev_mdev_config(struct vmdev_mdev *m)
{
	struct vdpa_dev_set_config config;

	mutex_lock(&vmdev_mdev_lock);
	config = m->config;
	mutex_unlock(&vmdev_mdev_lock);
	return config;
}

static void vmdev_mdev_set_config(struct vmdev_mdev *m,
				  const struct vdpa_dev_set_config *config)
{
	mutex_lock(&vmdev_mdev_lock);
	m->config = *config;
	mutex_unlock(&vmdev_mdev_lock);
}

static bool vmdev_mdev_enabled(struct vmdev_mdev *m)
{
	bool enabled;

	mutex_lock(&vmdev_mdev_lock);
	enabled = m->vdpa;
	mutex_unlock(&vmdev_mdev_lock);
	return enabled;
}

static bool vmdev_mdev_used(struct vmdev_mdev *m)
{
	bool used;

	mutex_lock(&vmdev_mdev_lock);
	used = m->vdpa && vmdev_made_use(&m->vdpa->made) != VMDEV_MADE_NEW;
	mutex_unlock(&vmdev_mdev_lock);
	return used;
}

/*
 * A vDPA device stays what it was made as, so another one is made. What cannot be shows
 * then, and it is again what it was.
 */
static int vmdev_mdev_remake(struct vmdev_mdev *m,
			     const struct vdpa_dev_set_config *config)
{
	const struct vdpa_dev_set_config old = vmdev_mdev_config(m);
	int err;

	/* Somebody opened it just now, or it takes long: it goes, and there is none for now. */
	if (!vmdev_mdev_stop(m))
		return -EBUSY;
	vmdev_mdev_set_config(m, config);
	err = vmdev_mdev_start(m);
	if (!err)
		return 0;

	vmdev_mdev_set_config(m, &old);
	if (vmdev_mdev_start(m))
		dev_err(&m->mdev->dev, "has no vDPA device any more\n");
	return err;
}

/* @attr: the one that changed; set, if it was not given back. */
static int vmdev_mdev_change(struct vmdev_mdev *m, unsigned int attr, bool set,
			     void (*fill)(struct vdpa_dev_set_config *config, const void *value),
			     const void *value)
{
	struct vdpa_dev_set_config config;
	int err = 0;

	if (!(m->parent->maker->attrs & BIT_ULL(attr)))
		return -EOPNOTSUPP;
	if (mutex_lock_interruptible(&m->lock))
		return -EINTR;

	config = vmdev_mdev_config(m);
	config.mask &= ~BIT_ULL(attr);
	if (set)
		config.mask |= BIT_ULL(attr);
	fill(&config, value);
	if (vmdev_mdev_used(m))
		err = -EBUSY;
	else if (vmdev_mdev_enabled(m))
		err = vmdev_mdev_remake(m, &config);
	else
		vmdev_mdev_set_config(m, &config);
	mutex_unlock(&m->lock);
	return err;
}

static void vmdev_mdev_fill_mac(struct vdpa_dev_set_config *config, const void *value)
{
	ether_addr_copy(config->net.mac, value);
}

static void vmdev_mdev_fill_mtu(struct vdpa_dev_set_config *config, const void *value)
{
	config->net.mtu = *(const u16 *)value;
}

static void vmdev_mdev_fill_pairs(struct vdpa_dev_set_config *config, const void *value)
{
	config->net.max_vq_pairs = *(const u16 *)value;
}

static ssize_t mac_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	const struct vdpa_dev_set_config config = vmdev_mdev_config(vmdev_mdev_of(dev));

	return sysfs_emit(buf, "%pM\n", config.net.mac);
}

static ssize_t mac_store(struct device *dev, struct device_attribute *attr,
			 const char *buf, size_t count)
{
	u8 mac[ETH_ALEN] __aligned(2);
	int err;

	/* Nothing behind it but a newline. */
	if (strcspn(buf, "\n") != 3 * ETH_ALEN - 1 || count > 3 * ETH_ALEN ||
	    !mac_pton(buf, mac) || is_multicast_ether_addr(mac))
		return -EINVAL;
	err = vmdev_mdev_change(vmdev_mdev_of(dev), VDPA_ATTR_DEV_NET_CFG_MACADDR,
				!is_zero_ether_addr(mac), vmdev_mdev_fill_mac, mac);
	return err ? : count;
}
static DEVICE_ATTR_RW(mac);

static ssize_t mtu_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%u\n", vmdev_mdev_config(vmdev_mdev_of(dev)).net.mtu);
}

static ssize_t mtu_store(struct device *dev, struct device_attribute *attr,
			 const char *buf, size_t count)
{
	u16 mtu;
	int err;

	err = kstrtou16(buf, 0, &mtu) ? :
	      vmdev_mdev_change(vmdev_mdev_of(dev), VDPA_ATTR_DEV_NET_CFG_MTU, mtu,
				vmdev_mdev_fill_mtu, &mtu);
	return err ? : count;
}
static DEVICE_ATTR_RW(mtu);

static ssize_t queue_pairs_show(struct device *dev, struct device_attribute *attr,
				char *buf)
{
	return sysfs_emit(buf, "%u\n",
			  vmdev_mdev_config(vmdev_mdev_of(dev)).net.max_vq_pairs);
}

static ssize_t queue_pairs_store(struct device *dev, struct device_attribute *attr,
				 const char *buf, size_t count)
{
	struct vmdev_mdev *m = vmdev_mdev_of(dev);
	u16 pairs;
	int err;

	err = kstrtou16(buf, 0, &pairs);
	if (!err && m->type->single && pairs != 1)
		err = -EOPNOTSUPP;
	if (!err)
		err = vmdev_mdev_change(m, VDPA_ATTR_DEV_NET_CFG_MAX_VQP, pairs,
					vmdev_mdev_fill_pairs, &pairs);
	return err ? : count;
}
static DEVICE_ATTR_RW(queue_pairs);

static ssize_t enable_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%d\n", vmdev_mdev_enabled(vmdev_mdev_of(dev)));
}

static ssize_t enable_store(struct device *dev, struct device_attribute *attr,
			    const char *buf, size_t count)
{
	struct vmdev_mdev *m = vmdev_mdev_of(dev);
	bool enable;
	int err;

	err = kstrtobool(buf, &enable);
	if (err)
		return err;
	if (mutex_lock_interruptible(&m->lock))
		return -EINTR;
	if (!enable)
		vmdev_mdev_stop(m);
	else if (!vmdev_mdev_enabled(m))
		err = vmdev_mdev_start(m);
	mutex_unlock(&m->lock);
	return err ? : count;
}
static DEVICE_ATTR_RW(enable);

static struct attribute *vmdev_mdev_attrs[] = {
	&dev_attr_mac.attr,
	&dev_attr_mtu.attr,
	&dev_attr_queue_pairs.attr,
	&dev_attr_enable.attr,
	NULL
};

static umode_t vmdev_mdev_is_visible(struct kobject *kobj, struct attribute *attr, int n)
{
	struct vmdev_mdev *m = vmdev_mdev_of(kobj_to_dev(kobj));

	if (attr == &dev_attr_enable.attr || m->type->device_id == VIRTIO_ID_NET)
		return attr->mode;
	return 0;
}

static const struct attribute_group vmdev_mdev_group = {
	.attrs = vmdev_mdev_attrs,
	.is_visible = vmdev_mdev_is_visible,
};

const struct attribute_group *vmdev_mdev_groups[] = {
	&vmdev_mdev_group,
	NULL
};
