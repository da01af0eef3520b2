// SPDX-License-Identifier: GPL-2.0
/*
 * The wire: a learning switch between the functions of this process and its
 * uplink. A frame for which a port has no buffer waits there.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "model.h"

#define PORTS_MAX	(FPGA_MAX + 1)
#define LEARNED_MAX	256

#define FRAME_MIN	14	/* an Ethernet header */

static struct port *ports[PORTS_MAX];
static unsigned int nports;

/* Where an address was seen last; a place is that of all with one hash. */
static struct {
	__u8 mac[6];
	struct port *port;
} learned[LEARNED_MAX];

static unsigned int mac_hash(const __u8 *mac)
{
	return (mac[3] * 31 + mac[4] * 7 + mac[5]) % LEARNED_MAX;
}

static void learn(struct port *port, const __u8 *mac)
{
	unsigned int at = mac_hash(mac);

	if (mac[0] & 1)
		return;
	memcpy(learned[at].mac, mac, sizeof(learned[at].mac));
	learned[at].port = port;
}

static struct port *port_of(const __u8 *mac)
{
	unsigned int at = mac_hash(mac);

	if ((mac[0] & 1) || memcmp(learned[at].mac, mac, 6))
		return NULL;
	return learned[at].port;
}

/**
 * port_add() - connect a port
 * @p: the port
 * @ops: what takes its frames
 * @priv: of the owner
 *
 * Return: 0, or -ENOSPC.
 */
int port_add(struct port *p, const struct port_ops *ops, void *priv)
{
	if (nports == PORTS_MAX)
		return -ENOSPC;
	p->ops = ops;
	p->priv = priv;
	ports[nports++] = p;
	return 0;
}

/**
 * port_remove() - the reverse of port_add()
 * @p: the port; may be one that was never added
 */
void port_remove(struct port *p)
{
	unsigned int i;

	port_flush(p);
	for (i = 0; i < LEARNED_MAX; i++)
		if (learned[i].port == p)
			learned[i].port = NULL;
	for (i = 0; i < nports; i++)
		if (ports[i] == p)
			ports[i] = ports[--nports];
}

/* Nothing but what there is of it. */
static struct frame *frame_copy(const struct frame *frame)
{
	size_t size = offsetof(struct frame, data) + frame->len;
	struct frame *copy = malloc(size);

	if (copy)
		memcpy(copy, frame, size);
	return copy;
}

static void port_queue(struct port *p, const struct frame *frame)
{
	struct frame *copy = NULL;

	if (p->waiting < PORT_BACKLOG)
		copy = frame_copy(frame);
	if (!copy) {
		p->dropped++;
		return;
	}
	p->backlog[(p->head + p->waiting++) % PORT_BACKLOG] = copy;
}

static void port_take(struct port *p, const struct frame *frame)
{
	if (!p->ops->wants(p, frame))
		return;
	if (p->waiting || !p->ops->deliver(p, frame))
		port_queue(p, frame);
}

/**
 * port_retry() - the port has room again
 * @p: the port
 */
void port_retry(struct port *p)
{
	while (p->waiting) {
		struct frame *frame = p->backlog[p->head];

		if (!p->ops->deliver(p, frame))
			return;
		free(frame);
		p->head = (p->head + 1) % PORT_BACKLOG;
		p->waiting--;
	}
}

/**
 * port_flush() - nothing waits any more
 * @p: the port
 */
void port_flush(struct port *p)
{
	while (p->waiting) {
		free(p->backlog[p->head]);
		p->head = (p->head + 1) % PORT_BACKLOG;
		p->waiting--;
	}
}

/**
 * port_send() - a frame comes in
 * @from: the port that it comes from
 * @frame: the frame
 */
void port_send(struct port *from, const struct frame *frame)
{
	struct port *to;
	unsigned int i;

	if (frame->len < FRAME_MIN ||
	    frame->hdr.gso_type != VIRTIO_NET_HDR_GSO_NONE)
		return;
	learn(from, frame->data + 6);
	to = port_of(frame->data);
	if (to) {
		if (to != from)
			port_take(to, frame);
		return;
	}
	for (i = 0; i < nports; i++)
		if (ports[i] != from)
			port_take(ports[i], frame);
}

/**
 * frame_checksum() - make the checksum that the sender left to others
 * @frame: the frame
 */
void frame_checksum(struct frame *frame)
{
	__u32 start = frame->hdr.csum_start, i;
	__u32 at = start + frame->hdr.csum_offset;
	__u64 sum = 0;

	if (!(frame->hdr.flags & VIRTIO_NET_HDR_F_NEEDS_CSUM))
		return;
	frame->hdr.flags = 0;
	if (at + 2 > frame->len)
		return;
	for (i = start; i < frame->len; i++)
		sum += (i - start) & 1 ? frame->data[i] : frame->data[i] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	sum = ~sum & 0xffff;
	/* Of UDP 0 means that there is none. */
	if (!sum)
		sum = 0xffff;
	frame->data[at] = sum >> 8;
	frame->data[at + 1] = sum;
}
