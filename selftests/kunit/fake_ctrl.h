/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Hardware with a control queue, for tests: it reads the ring as virtio 1.3 says
 * (2.7 split, 2.8 packed, 2.9 notification data), writes down what it was told
 * and answers as it likes. Include it after the driver's source.
 */
#ifndef _VMDEV_FAKE_CTRL_H
#define _VMDEV_FAKE_CTRL_H

#include <linux/mm.h>
#include <linux/unaligned.h>
#include <uapi/linux/vhost_types.h>

#include "fake_hw.h"

#define FAKE_CTRL_CMDS	64
#define FAKE_CTRL_HEAD	40
#define FAKE_PACKED	BIT_ULL(34)

/**
 * enum fake_ctrl_mood - what it does with a command
 * @FAKE_OBEY: carries it out
 * @FAKE_REFUSE: says that it did not: 1
 * @FAKE_ODD: answers 0x55
 * @FAKE_FORGET: gives it back without an answer
 * @FAKE_LATE: carries it out when it has been waited for a while
 * @FAKE_SILENT: nothing
 * @FAKE_LEAVE: is gone
 * @FAKE_WRONG_ID: gives back what it does not have
 * @FAKE_TOO_MUCH: says that it wrote more than there is room for
 * @FAKE_JUMP: gives back more than it has
 */
enum fake_ctrl_mood {
	FAKE_OBEY,
	FAKE_REFUSE,
	FAKE_ODD,
	FAKE_FORGET,
	FAKE_LATE,
	FAKE_SILENT,
	FAKE_LEAVE,
	FAKE_WRONG_ID,
	FAKE_TOO_MUCH,
	FAKE_JUMP,
};

/**
 * struct fake_ctrl_cmd - a command that it got
 * @len: bytes
 * @in_len: room for the answer
 * @sum: of all its bytes
 * @head: the first of them
 */
struct fake_ctrl_cmd {
	u32 len;
	u32 in_len;
	u32 sum;
	u8 head[FAKE_CTRL_HEAD];
};

/**
 * struct fake_ctrl - the hardware
 * @fake: the rest of it
 * @conf: of its control queue
 * @vq: number of that
 * @at: next entry of the ring: split: index; packed: entry
 * @wrap: packed: its wrap counter
 * @cmds: what it was told
 * @n: how many
 * @mood: what it does
 * @moody: from which command on, before that it obeys
 * @kicks: kicks
 * @data: of the last one
 * @slept: microseconds that somebody waited
 * @after: so long FAKE_LATE takes
 * @late: a command is under way
 * @left: it is gone, which who asks for its status learns
 * @fault: what the driver did wrong
 */
struct fake_ctrl {
	struct fake_hw fake;
	struct vmdev_vq_conf conf;
	u16 vq;
	u16 at;
	bool wrap;
	struct fake_ctrl_cmd cmds[FAKE_CTRL_CMDS];
	u32 n;
	enum fake_ctrl_mood mood;
	u32 moody;
	u32 kicks;
	u32 data;
	u32 slept;
	u32 after;
	bool late;
	bool left;
	const char *fault;
};

/* Who waits, and so who may have an answer by then: see fake_ctrl_sleep(). */
extern struct fake_ctrl *fake_ctrl_now;
void fake_ctrl_sleep(unsigned long us);

static inline struct fake_ctrl *fake_ctrl(struct vmdev_hw *hw)
{
	return container_of(hw, struct fake_ctrl, fake.hw);
}

static inline bool fake_ctrl_packed(const struct fake_ctrl *c)
{
	return c->fake.dev.features & FAKE_PACKED;
}

/* How often that was mapped, or unmapped. */
static inline u32 fake_ctrl_times(const struct fake_range *log, u32 n, u64 iova)
{
	u32 i, times = 0;

	for (i = 0; i < n && i < FAKE_LOG; i++)
		times += log[i].iova == iova;
	return times;
}

/* What the device sees at an address: only what was mapped for it so, and is still. */
static inline void *fake_ctrl_at_perm(struct fake_ctrl *c, u64 iova, u64 len,
				      u32 perm)
{
	struct fake_hw *fake = &c->fake;
	u32 i = min_t(u32, fake->n_maps, FAKE_LOG);

	while (i--) {
		const struct fake_range *map = &fake->maps[i];

		if (iova < map->iova || len > map->size ||
		    iova - map->iova > map->size - len)
			continue;
		if (fake_ctrl_times(fake->maps, fake->n_maps, map->iova) ==
		    fake_ctrl_times(fake->unmaps, fake->n_unmaps, map->iova))
			break;
		if ((map->perm & perm) != perm)
			break;
		return phys_to_virt(map->pa + (iova - map->iova));
	}
	c->fault = "an address that is not mapped";
	return NULL;
}

static inline void *fake_ctrl_at(struct fake_ctrl *c, u64 iova, u64 len)
{
	return fake_ctrl_at_perm(c, iova, len, VHOST_ACCESS_RO);
}

static inline void *fake_ctrl_to(struct fake_ctrl *c, u64 iova, u64 len)
{
	return fake_ctrl_at_perm(c, iova, len, VHOST_ACCESS_WO);
}

static inline void fake_ctrl_read(struct fake_ctrl *c, u64 addr, u32 len)
{
	struct fake_ctrl_cmd *cmd = &c->cmds[c->n % FAKE_CTRL_CMDS];
	const u8 *from = fake_ctrl_at(c, addr, len);
	u32 i;

	*cmd = (struct fake_ctrl_cmd) { .len = len };
	for (i = 0; from && i < len; i++)
		cmd->sum += from[i];
	if (from)
		memcpy(cmd->head, from, min_t(u32, len, FAKE_CTRL_HEAD));
}

static inline enum fake_ctrl_mood fake_ctrl_mood(const struct fake_ctrl *c)
{
	return c->n < c->moody ? FAKE_OBEY : c->mood;
}

/* The answer: how it went, and what was asked for. Bytes written. */
static inline u32 fake_ctrl_write(struct fake_ctrl *c, u64 addr, u32 len)
{
	u8 *to = fake_ctrl_to(c, addr, len);
	u32 i;

	c->cmds[c->n % FAKE_CTRL_CMDS].in_len = len;
	if (!to || !len || fake_ctrl_mood(c) == FAKE_FORGET)
		return 0;
	to[0] = fake_ctrl_mood(c) == FAKE_REFUSE ? 1 :
		fake_ctrl_mood(c) == FAKE_ODD ? 0x55 : 0;
	for (i = 1; i < len; i++)
		to[i] = 0xa0 + i;
	return fake_ctrl_mood(c) == FAKE_TOO_MUCH ? len + 1 : len;
}

/* 2.7.5: 16 bytes each: address, length, flags (1 next, 2 write), next. */
static inline void fake_ctrl_serve_split(struct fake_ctrl *c)
{
	u16 num = c->conf.size;
	u8 *desc = fake_ctrl_at(c, c->conf.desc, 16 * num);
	u8 *avail = fake_ctrl_at(c, c->conf.driver, 6 + 2 * num);
	u8 *used = fake_ctrl_to(c, c->conf.device, 6 + 8 * num);
	u16 head, next, slot = c->at % num;
	u32 len;

	if (!desc || !avail || !used)
		return;
	if (get_unaligned_le16(avail + 2) != (u16)(c->at + 1)) {
		c->fault = "not one chain is offered";
		return;
	}
	head = get_unaligned_le16(avail + 4 + 2 * slot);
	next = head < num ? get_unaligned_le16(desc + 16 * head + 14) : num;
	if (next >= num || get_unaligned_le16(desc + 16 * head + 12) != 1 ||
	    get_unaligned_le16(desc + 16 * next + 12) != 2) {
		c->fault = "not a chain of one to read and one to write";
		return;
	}
	fake_ctrl_read(c, get_unaligned_le64(desc + 16 * head),
		       get_unaligned_le32(desc + 16 * head + 8));
	len = fake_ctrl_write(c, get_unaligned_le64(desc + 16 * next),
			      get_unaligned_le32(desc + 16 * next + 8));
	put_unaligned_le32(fake_ctrl_mood(c) == FAKE_WRONG_ID ? next : head,
			   used + 4 + 8 * slot);
	put_unaligned_le32(len, used + 4 + 8 * slot + 4);
	c->at++;
	put_unaligned_le16(c->at + (fake_ctrl_mood(c) == FAKE_JUMP), used + 2);
}

static inline void fake_ctrl_advance(struct fake_ctrl *c)
{
	if (++c->at == c->conf.size) {
		c->at = 0;
		c->wrap = !c->wrap;
	}
}

/* 2.8.13: address, length, id, flags; available: bit 7 is the wrap counter, 15 is not. */
static inline void fake_ctrl_serve_packed(struct fake_ctrl *c)
{
	u16 num = c->conf.size, avail = c->wrap ? 0x80 : 0x8000;
	u8 *ring = fake_ctrl_to(c, c->conf.desc, 16 * num), *desc[2];
	u16 id, used = c->wrap ? 0x8080 : 0;
	u32 len;

	if (!ring || !fake_ctrl_at(c, c->conf.driver, 4) ||
	    !fake_ctrl_to(c, c->conf.device, 4))
		return;
	desc[0] = ring + 16 * c->at;
	if (get_unaligned_le16(desc[0] + 14) != (avail | 1)) {
		c->fault = "no chain of two is offered";
		return;
	}
	fake_ctrl_advance(c);
	avail = c->wrap ? 0x80 : 0x8000;
	desc[1] = ring + 16 * c->at;
	if (get_unaligned_le16(desc[1] + 14) != (avail | 2)) {
		c->fault = "not a chain of one to read and one to write";
		return;
	}
	fake_ctrl_advance(c);
	id = get_unaligned_le16(desc[1] + 12);
	fake_ctrl_read(c, get_unaligned_le64(desc[0]),
		       get_unaligned_le32(desc[0] + 8));
	len = fake_ctrl_write(c, get_unaligned_le64(desc[1]),
			      get_unaligned_le32(desc[1] + 8));
	if (fake_ctrl_mood(c) == FAKE_WRONG_ID)
		id = num + 1;
	put_unaligned_le32(len, desc[0] + 8);
	put_unaligned_le16(id, desc[0] + 12);
	put_unaligned_le16(used | (len ? 2 : 0), desc[0] + 14);
}

static inline void fake_ctrl_serve(struct fake_ctrl *c)
{
	if (fake_ctrl_packed(c))
		fake_ctrl_serve_packed(c);
	else
		fake_ctrl_serve_split(c);
	c->n++;
}

static inline void fake_ctrl_kick(struct vmdev_hw *hw, u16 vq)
{
	struct fake_ctrl *c = fake_ctrl(hw);

	c->kicks++;
	if (vq != c->vq)
		c->fault = "a kick of another queue";
	switch (fake_ctrl_mood(c)) {
	case FAKE_LEAVE:
		c->left = true;
		break;
	case FAKE_SILENT:
		break;
	case FAKE_LATE:
		c->late = true;
		c->slept = 0;
		break;
	default:
		fake_ctrl_serve(c);
	}
}

static inline void fake_ctrl_kick_with_data(struct vmdev_hw *hw, u16 vq,
					    u32 data)
{
	fake_ctrl(hw)->data = data;
	fake_ctrl_kick(hw, vq);
}

static inline u8 fake_ctrl_status(struct vmdev_hw *hw)
{
	struct fake_ctrl *c = fake_ctrl(hw);

	if (!c->left)
		return 0xf;
	c->fake.parent.gone = true;
	return 0xff;
}

/* With a queue that can be reset. */
static inline int fake_ctrl_vq_stop(struct vmdev_hw *hw, u16 vq,
				    struct vdpa_vq_state *state)
{
	struct fake_ctrl *c = fake_ctrl(hw);

	if (vq != c->vq)
		c->fault = "another queue is stopped";
	c->vq = FAKE_QUEUES;
	return 0;
}

static const struct vmdev_hw_ops fake_ctrl_ops = {
	.status = fake_ctrl_status,
	.vq_stop = fake_ctrl_vq_stop,
	.config_read = fake_config_read,
	.config_write = fake_config_write,
	.config_generation = fake_config_generation,
	.map = fake_map,
	.unmap = fake_unmap,
	.kick = fake_ctrl_kick,
	.kick_with_data = fake_ctrl_kick_with_data,
};

/* The hardware runs what it was told to, from a fresh ring on. */
static inline void fake_ctrl_start(struct fake_ctrl *c, u16 vq,
				   const struct vmdev_vq_conf *conf)
{
	c->vq = vq;
	c->conf = *conf;
	c->at = 0;
	c->wrap = true;
	c->late = false;
}

/* Zeroed memory becomes a net function; user space has it. */
static inline void fake_ctrl_init(struct fake_ctrl *c, u64 last)
{
	fake_hw_init(&c->fake, VIRTIO_ID_NET);
	c->fake.hw.ops = &fake_ctrl_ops;
	c->fake.dev.hw = &c->fake.hw;
	c->fake.dev.mem.attached = true;
	c->fake.dev.mem.range.last = last;
	fake_ctrl_now = c;
}

#endif /* _VMDEV_FAKE_CTRL_H */
