// SPDX-License-Identifier: GPL-2.0
/*
 * What a function shows of itself, in the folder vmdev/ beside what the kernel shows of
 * it. Documentation/abi.rst says what each file is.
 */
#include <linux/sysfs.h>

#include "vmdev_pci.h"

/* As long as there are files the function is ours, and its vectors are there. */
static struct vmdev_vectors *vmdev_pci_vectors(struct device *dev)
{
	return ((struct vmdev_pci *)dev_get_drvdata(dev))->vectors;
}

static ssize_t vectors_show(struct device *dev, struct device_attribute *attr,
			    char *buf)
{
	enum vmdev_vector_mode mode = vmdev_vectors_mode(vmdev_pci_vectors(dev));

	return sysfs_emit(buf, "%s\n", vmdev_vector_mode_name(mode));
}

static ssize_t vectors_store(struct device *dev, struct device_attribute *attr,
			     const char *buf, size_t len)
{
	int mode = vmdev_vector_mode_parse(buf);

	if (mode < 0)
		return mode;
	return vmdev_vectors_set_mode(vmdev_pci_vectors(dev), mode) ? : len;
}
static DEVICE_ATTR_RW(vectors);

#define VMDEV_PCI_ISOLATION(name)						\
static ssize_t msi_##name##_show(struct device *dev,				\
				 struct device_attribute *attr, char *buf)	\
{										\
	struct vmdev_irq_isolation facts;					\
										\
	vmdev_irq_isolation(dev, &facts);					\
	return sysfs_emit(buf, "%d\n", facts.name);				\
}										\
static DEVICE_ATTR_RO(msi_##name)

VMDEV_PCI_ISOLATION(isolated);
VMDEV_PCI_ISOLATION(remapped);
VMDEV_PCI_ISOLATION(posted);
VMDEV_PCI_ISOLATION(translated);
VMDEV_PCI_ISOLATION(unsafe);

static struct attribute *vmdev_pci_attrs[] = {
	&dev_attr_vectors.attr,
	&dev_attr_msi_isolated.attr,
	&dev_attr_msi_remapped.attr,
	&dev_attr_msi_posted.attr,
	&dev_attr_msi_translated.attr,
	&dev_attr_msi_unsafe.attr,
	NULL,
};

static const struct attribute_group vmdev_pci_group = {
	.name = "vmdev",
	.attrs = vmdev_pci_attrs,
};

/* Of the function. */
const struct attribute_group *vmdev_pci_groups[] = {
	&vmdev_pci_group,
	NULL,
};
