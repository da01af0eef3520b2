// SPDX-License-Identifier: GPL-2.0
/*
 * What vmdev_irq tells others, as text for scripts: /proc/vmdev_irq_probe has a line
 *
 *	BDF MODE ASKED QUEUES VECTORS USED REQUESTED
 *
 * for each function with vectors of ours, and one
 *
 *	BDF vector N USE QUEUE IRQ REQUESTED POLLED COUNT SPURIOUS STORMS CPU
 *
 * for each of them; "storm BDF N QUEUE STORMS MS" is the last storm that was told, and "storms N"
 * how many were.
 */
#include <linux/module.h>
#include <linux/notifier.h>
#include <linux/pci.h>
#include <linux/proc_fs.h>
#include <linux/seq_file.h>
#include <linux/spinlock.h>

#include <vmdev/irq.h>

#include "probe.h"

#define PROBE_NAME	"vmdev_irq_probe"
#define PROBE_BDF	16

static const char * const probe_uses[] = {
	[VMDEV_VECTOR_UNUSED] = "unused",
	[VMDEV_VECTOR_CONFIG] = "config",
	[VMDEV_VECTOR_SHADOW] = "shadow",
	[VMDEV_VECTOR_CONFIG_SHADOW] = "config-shadow",
	[VMDEV_VECTOR_VQ] = "queue",
	[VMDEV_VECTOR_VQS] = "queues",
	[VMDEV_VECTOR_ALL] = "all",
};

/* The last storm; its device may be gone. */
static DEFINE_SPINLOCK(probe_lock);
static struct vmdev_irq_storm probe_storm;
static char probe_bdf[PROBE_BDF];
static unsigned int probe_storms;

static int probe_stormed(struct notifier_block *nb, unsigned long action,
			 void *data)
{
	const struct vmdev_irq_storm *storm = data;

	spin_lock(&probe_lock);
	probe_storm = *storm;
	strscpy(probe_bdf, dev_name(storm->dev));
	probe_storms++;
	spin_unlock(&probe_lock);
	return NOTIFY_OK;
}

static struct notifier_block probe_nb = {
	.notifier_call = probe_stormed,
};

static void probe_show_vector(struct seq_file *m, struct pci_dev *pdev, u16 i)
{
	struct vmdev_vector_info info;

	if (vmdev_vector_info(&pdev->dev, i, &info))
		return;
	seq_printf(m, "%s vector %u %s %d %u %d %d %llu %llu %u %d\n",
		   pci_name(pdev), i, probe_uses[info.use],
		   info.vq == VMDEV_VECTOR_NO_VQ ? -1 : info.vq, info.irq,
		   info.requested, info.polled, info.count, info.spurious,
		   info.storms, info.cpu);
}

static void probe_show_function(struct seq_file *m, struct pci_dev *pdev)
{
	struct vmdev_vectors_info info;
	u16 i;

	if (vmdev_vectors_info(&pdev->dev, &info))
		return;
	seq_printf(m, "%s %s %s %u %u %u %d\n", pci_name(pdev),
		   vmdev_vector_mode_name(info.mode),
		   vmdev_vector_mode_name(info.asked), info.nvqs, info.nvectors,
		   info.used, info.requested);
	/* One more than there are: that is refused. */
	for (i = 0; i <= info.nvectors; i++)
		probe_show_vector(m, pdev, i);
}

static int probe_show(struct seq_file *m, void *unused)
{
	struct pci_dev *pdev = NULL;

	for_each_pci_dev(pdev)
		probe_show_function(m, pdev);
	spin_lock(&probe_lock);
	if (probe_storms)
		seq_printf(m, "storm %s %u %d %u %u\n", probe_bdf,
			   probe_storm.vector,
			   probe_storm.vq == VMDEV_VECTOR_NO_VQ ? -1 :
			   probe_storm.vq, probe_storm.storms, probe_storm.ms);
	seq_printf(m, "storms %u\n", probe_storms);
	spin_unlock(&probe_lock);
	return 0;
}

static int __init probe_init(void)
{
	int err;

	err = vmdev_irq_storm_register(&probe_nb);
	if (err)
		return err;
	err = probe_bypass_init();
	if (err)
		goto err_notifier;
	if (!proc_create_single(PROBE_NAME, 0400, NULL, probe_show)) {
		err = -ENOMEM;
		goto err_bypass;
	}
	return 0;

err_bypass:
	probe_bypass_exit();
err_notifier:
	vmdev_irq_storm_unregister(&probe_nb);
	return err;
}

static void __exit probe_exit(void)
{
	remove_proc_entry(PROBE_NAME, NULL);
	probe_bypass_exit();
	vmdev_irq_storm_unregister(&probe_nb);
}

module_init(probe_init);
module_exit(probe_exit);

MODULE_DESCRIPTION("vmdev: a consumer of interrupts, for tests");
MODULE_AUTHOR("The vmdev developers");
MODULE_LICENSE("GPL");
