// SPDX-License-Identifier: GPL-2.0
/* The control queue of a net device; see vdpa_ctrl.h. */
#include <errno.h>
#include <string.h>

#include "vdpa_ctrl.h"

#define CTRL_PIECES	32

/* With these features: behind all pairs, or behind the first one. */
__u32 ctrl_index(const struct rig *r, __u64 features)
{
	return features & BIT64(VIRTIO_NET_F_MQ) ? r->c.nvqs - 1 : 2;
}

/**
 * ctrl_init() - lay out the queue
 * @k: filled in
 * @r: its device, with features negotiated and an arena
 * @num: ring size
 *
 * Return: 0 or a negative errno.
 */
int ctrl_init(struct ctrl *k, struct rig *r, __u16 num)
{
	size_t used = r->c.mem_used;
	int ret;

	memset(k, 0, sizeof(*k));
	k->r = r;
	r->c.mem_used = VC_ARENA_SIZE - CTRL_MEM;
	ret = vq_init(&k->vq, &r->c, ctrl_index(r, r->c.features), num,
		      r->packed);
	k->out = vc_alloc(&r->c, CTRL_OUT, VC_PAGE);
	k->in = vc_alloc(&r->c, CTRL_IN, VC_PAGE);
	r->c.mem_used = used;
	if (ret)
		return ret;
	return k->out && k->in ? 0 : -ENOMEM;
}

/* The arena: its end in one address space, the rest of it in another, or the same. */
int ctrl_map(struct ctrl *k, __u32 ctrl_as, __u32 data_as)
{
	const __u64 data = VC_ARENA_SIZE - CTRL_MEM;
	struct vdpa_client *c = &k->r->c;
	int ret;

	ret = vc_map_as(c, data_as, c->iova, c->mem, data);
	if (ret)
		return ret;
	return vc_map_as(c, ctrl_as, c->iova + data, c->mem + data, CTRL_MEM);
}

int ctrl_attach(struct ctrl *k, __u32 base)
{
	return vq_attach(&k->vq, base);
}

/* In pieces of one byte, but for the last, which has the rest. */
static unsigned int ctrl_cut(const struct ctrl *k, __u32 len,
			     unsigned int pieces, struct vq_seg *seg)
{
	__u64 iova = vc_iova(&k->r->c, k->out);
	unsigned int n = 0;

	for (; len; n++) {
		seg[n].iova = iova;
		seg[n].len = n + 1 < pieces && len > 1 ? 1 : len;
		iova += seg[n].len;
		len -= seg[n].len;
	}
	return n;
}

/**
 * ctrl_submit() - offer a command, and kick
 * @k: the queue
 * @data: the command, its class first; may be what @k->out holds
 * @len: bytes; may be 0
 * @in: room for the answer; may be 0
 * @pieces: descriptors for the command, if it is so long
 *
 * Return: 0 or a negative errno.
 */
int ctrl_submit(struct ctrl *k, const void *data, __u32 len, __u32 in,
		unsigned int pieces)
{
	struct vq_seg seg[CTRL_PIECES + 1];
	unsigned int n;
	int ret;

	if (len > CTRL_OUT || in > CTRL_IN || pieces > CTRL_PIECES)
		return -EINVAL;
	if (data != k->out)
		memcpy(k->out, data, len);
	memset(k->in, CTRL_NONE, CTRL_IN);
	n = ctrl_cut(k, len, pieces, seg);
	seg[n] = (struct vq_seg){ vc_iova(&k->r->c, k->in), in };
	ret = vq_add(&k->vq, seg, n, in ? 1 : 0, k);
	if (!ret)
		vq_kick(&k->vq);
	return ret ? ret : k->vq.error;
}

/* The answer of the command that is out: its first byte, or a negative errno. */
int ctrl_wait(struct ctrl *k, int ms)
{
	if (!vq_wait(&k->vq, ms))
		return -ETIMEDOUT;
	if (vq_get(&k->vq, &k->written) != k)
		return k->vq.error ? k->vq.error : -EPROTO;
	return k->in[0];
}

/* A command of any bytes, and its answer. */
int ctrl_send(struct ctrl *k, const void *data, __u32 len)
{
	int ret = ctrl_submit(k, data, len, 1, 1);

	return ret ? ret : ctrl_wait(k, RIG_WAIT_MS);
}

int ctrl_command(struct ctrl *k, __u8 class, __u8 cmd, const void *data,
		 __u32 len)
{
	if (len > CTRL_OUT - 2)
		return -EINVAL;
	k->out[0] = class;
	k->out[1] = cmd;
	memcpy(k->out + 2, data, len);
	return ctrl_send(k, k->out, len + 2);
}
