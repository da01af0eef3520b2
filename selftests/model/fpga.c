// SPDX-License-Identifier: GPL-2.0
/* A function of the FPGA: what net and block have in common. */
#define _GNU_SOURCE
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model.h"

#define FPGA_SUB_VENDOR		0x8086
#define FPGA_SUB_BLOCK		0x0002

/**
 * fpga_say() - a line for whoever reads our output
 * @f: the function
 * @format: as of printf()
 */
void fpga_say(const struct fpga *f, const char *format, ...)
{
	va_list args;

	printf("%s: ", f->name);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	printf("\n");
	fflush(stdout);
}

/**
 * fpga_serve() - look at a queue
 * @f: the function
 * @vq: the queue
 */
void fpga_serve(struct fpga *f, unsigned int vq)
{
	if (!f->v->vqs[vq].enabled ||
	    !(f->v->status & VIRTIO_CONFIG_S_DRIVER_OK) ||
	    (f->v->status & (VIRTIO_CONFIG_S_NEEDS_RESET | VIO_S_SUSPEND)))
		return;
	if (f->device_id == VIRTIO_ID_NET)
		net_serve(f, vq);
	else
		blk_serve(f, vq);
}

static void fpga_kick(struct vio *v, unsigned int vq)
{
	struct fpga *f = v->priv;

	if (!fault_kick(f, vq))
		fpga_serve(f, vq);
}

static void fpga_reset(struct vio *v)
{
	struct fpga *f = v->priv;

	f->v = v;
	lm_reset(f);
	if (f->device_id == VIRTIO_ID_NET)
		net_reset(f);
}

/* Queues that wait for the driver, or the driver for them: looked at soon. */
static void fpga_event(struct vio *v, enum vio_event event)
{
	struct fpga *f = v->priv;

	if (event == VIO_EV_DRIVER_OK || event == VIO_EV_VQ_ENABLE ||
	    event == VIO_EV_RESUME)
		f->look = true;
}

static void fpga_read_counts(const struct vio *v, __u32 offset, __u8 *buf,
			     __u32 len)
{
	const __u32 counts[] = { v->reads, v->writes, v->rings };
	const __u8 *from = (const __u8 *)counts;
	__u32 i;

	for (i = 0; i < len; i++)
		if (offset + i - FPGA_REG_READS < sizeof(counts))
			buf[i] = from[offset + i - FPGA_REG_READS];
}

static void fpga_read(struct vio *v, unsigned int space, __u32 offset,
		      void *buf, __u32 len)
{
	if (space == VIO_SPACE_PCI)
		fpga_read_counts(v, offset, buf, len);
	else
		fault_read(v, space, offset, buf, len);
}

static const struct vio_ops fpga_ops = {
	.kick		= fpga_kick,
	.reset		= fpga_reset,
	.function_reset	= lm_function_reset,
	.start		= lm_start,
	.stop		= lm_stop,
	.event		= fpga_event,
	.read		= fpga_read,
	.write		= fault_write,
	.config_written	= fault_config_written,
	.wrote		= lm_wrote,
	.own_read	= lm_read,
	.own_write	= lm_write,
};

/**
 * fpga_tick() - what happens without the driver
 * @f: the function
 *
 * Return: ms until it is to be called again, -1 if there is nothing to wait for.
 */
int fpga_tick(struct fpga *f)
{
	unsigned int vq;

	if (f->look) {
		f->look = false;
		for (vq = 0; vq < f->v->conf.nvqs; vq++)
			fpga_kick(f->v, vq);
	}
	return fault_tick(f);
}

static void fpga_conf_net(struct vio_conf *conf, const struct fpga *f,
			  const struct fpga_conf *c)
{
	conf->features = net_features();
	conf->sub_device = c->sub_device;
	conf->nvqs = 2 * c->pairs + 1;
	conf->config = &f->net.config;
	conf->config_size = sizeof(f->net.config);
}

static void fpga_conf_blk(struct vio_conf *conf, const struct fpga *f,
			  const struct fpga_conf *c)
{
	conf->features = blk_features(c->pairs);
	conf->sub_device = FPGA_SUB_BLOCK;
	conf->nvqs = c->pairs;
	conf->config = &f->blk.config;
	conf->config_size = sizeof(f->blk.config);
}

/* Another layout: what virtio 1.4 has for suspension, and nothing of ours. */
static void fpga_conf_standard(struct vio_conf *conf)
{
	conf->features |= VIO_BIT(VIO_F_SUSPEND);
	conf->sub_vendor = 0;
	conf->vq_size_min = 0;
	conf->vq_align = 0;
	conf->vq_disable = false;
	conf->own_size = 0;
}

/* What is wrong with the LM block from the beginning. */
static void fpga_conf_lm(struct vio_conf *conf, enum lm_kind kind)
{
	switch (kind) {
	case LM_WHOLE:
	case LM_KINDS:
		break;
	case LM_NONE:
		conf->own_size = 0;
		break;
	case LM_SMALL:
		conf->own_size = LM_SIZE_SMALL;
		break;
	case LM_IO:
		conf->own_size = LM_SIZE_IO;
		conf->own_type = VFU_BAR_IO;
		break;
	case LM_SHARED:
		conf->own_isr = true;
		break;
	}
}

static void fpga_exit(struct fpga *f)
{
	if (f->device_id == VIRTIO_ID_NET)
		net_exit(f);
	else
		blk_exit(f);
}

/**
 * fpga_create() - a function, waiting for its client
 * @path: of the socket
 * @device_id: VIRTIO_ID_NET or VIRTIO_ID_BLOCK
 * @c: what the command line says
 *
 * Return: the function, or NULL with errno set.
 */
struct fpga *fpga_create(const char *path, __u16 device_id,
			 const struct fpga_conf *c)
{
	struct fpga *f = calloc(1, sizeof(*f));
	struct vio_conf conf = {
		.device_id = device_id,
		.sub_vendor = FPGA_SUB_VENDOR,
		.vq_size = FPGA_VQ_SIZE,
		.vq_size_min = FPGA_VQ_SIZE_MIN,
		.vq_align = FPGA_VQ_ALIGN,
		.vq_disable = true,
		.notify_multiplier = 4096,
		.own_size = LM_SIZE,
		.own_type = VFU_BAR_MEM64,
	};

	if (!f)
		return NULL;
	snprintf(f->name, sizeof(f->name), "%s",
		 strrchr(path, '/') ? strrchr(path, '/') + 1 : path);
	f->device_id = device_id;
	if (device_id == VIRTIO_ID_BLOCK && blk_init(f, path, c)) {
		free(f);
		return NULL;
	}
	if (device_id == VIRTIO_ID_NET) {
		net_init(f, c);
		fpga_conf_net(&conf, f, c);
	} else {
		fpga_conf_blk(&conf, f, c);
	}
	fpga_conf_lm(&conf, c->lm);
	if (c->standard)
		fpga_conf_standard(&conf);
	/* One for each queue and one for changes of the configuration. */
	conf.vectors = conf.nvqs + 1;
	f->v = vio_create(path, &conf, &fpga_ops, f);
	if (f->v && !vfu_pci_writable(f->v->f, FPGA_REG_FAULTS, 8))
		return f;
	vio_destroy(f->v);
	fpga_exit(f);
	free(f);
	return NULL;
}

/**
 * fpga_destroy() - the reverse of fpga_create()
 * @f: the function
 */
void fpga_destroy(struct fpga *f)
{
	vio_destroy(f->v);
	fpga_exit(f);
	free(f);
}
