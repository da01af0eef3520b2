// SPDX-License-Identifier: GPL-2.0
/* The LM block, rings and the switch, against a driver in the same process. */
#define _GNU_SOURCE
#include <stdint.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <linux/pci_regs.h>
#include <linux/vfio.h>

#define TAP_MAIN
#include "../include/tap.h"
#include "../vfio_user/internal.h"
#include "model.h"

#define PAGE		4096ULL
#define MEM_PAGES	64U
#define SIZE		64U		/* entries of a ring */
#define LOG_IOVA	0x100000000000ULL

/* Pages of the memory: rings of each queue, buffers, the log. */
#define RING_PAGES	2
#define BUFFERS		32
#define LOG_PAGE	60

/**
 * struct side - a function and its driver
 * @f: the function
 * @mem: its memory, a file
 * @p: the same, mapped; its IOVA is its offset
 */
struct side {
	struct fpga *f;
	int mem;
	__u8 *p;
};

static struct side sides[2];

static void map(struct side *s, __u64 iova, __u64 size, __u64 offset)
{
	struct vfu_msg_dma_map body = {
		.argsz = sizeof(body),
		.flags = VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE,
		.offset = offset, .iova = iova, .size = size,
	};
	struct vfu_msg msg = {
		.body = (__u8 *)&body, .len = sizeof(body),
		.fds = { s->mem }, .nfds = 1,
	};

	CHECK_OK(vfu_dma_map(s->f->v->f, &msg));
}

static void start_as(struct side *s, __u16 device_id,
		     const struct fpga_conf *conf)
{
	char path[64];

	snprintf(path, sizeof(path), "/tmp/fpga-test.%d.%u", getpid(), conf->n);
	s->f = fpga_create(path, device_id, conf);
	CHECK(s->f, "%m");
	s->mem = memfd_create("vm", 0);
	CHECK(!ftruncate(s->mem, MEM_PAGES * PAGE), "%m");
	s->p = mmap(NULL, MEM_PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED,
		    s->mem, 0);
	map(s, 0, LOG_PAGE * PAGE, 0);
}

static void start(struct side *s, __u16 device_id, unsigned int pairs)
{
	start_as(s, device_id, &(struct fpga_conf) {
		.n = s - sides, .pairs = pairs, .disk_mib = 1,
	});
}

static void stop(struct side *s)
{
	char image[128];

	snprintf(image, sizeof(image), "%s.img", s->f->v->f->path);
	unlink(image);
	vfu_dma_clear(s->f->v->f);
	fpga_destroy(s->f);
	munmap(s->p, MEM_PAGES * PAGE);
	close(s->mem);
}

/* --- registers ---------------------------------------------------------- */
static void put(struct side *s, unsigned int bar, __u64 at, __u64 value,
		__u32 len)
{
	CHECK_OK(vfu_pci_region_write(s->f->v->f, bar, at, &value, len));
}

static __u64 get(struct side *s, unsigned int bar, __u64 at, __u32 len)
{
	__u64 value = 0;

	CHECK_OK(vfu_pci_region_read(s->f->v->f, bar, at, &value, len));
	return value;
}

#define COMMON(field)	offsetof(struct virtio_pci_common_cfg, field)
#define lm_put(s, at, value) put(s, VIO_BAR_OWN, at, value, 4)
#define lm_get(s, at) ((__u32)get(s, VIO_BAR_OWN, at, 4))

static void ready(struct side *s, __u64 features)
{
	put(s, VIO_BAR, COMMON(guest_feature_select), 0, 4);
	put(s, VIO_BAR, COMMON(guest_feature), features, 4);
	put(s, VIO_BAR, COMMON(guest_feature_select), 1, 4);
	put(s, VIO_BAR, COMMON(guest_feature), features >> 32 | 1, 4);
	put(s, VIO_BAR, COMMON(device_status), VIRTIO_CONFIG_S_ACKNOWLEDGE |
	    VIRTIO_CONFIG_S_DRIVER | VIRTIO_CONFIG_S_FEATURES_OK, 1);
	CHECK(get(s, VIO_BAR, COMMON(device_status), 1) &
	      VIRTIO_CONFIG_S_FEATURES_OK, "features");
}

static void driver_ok(struct side *s)
{
	put(s, VIO_BAR, COMMON(device_status),
	    s->f->v->status | VIRTIO_CONFIG_S_DRIVER_OK, 1);
}

static __u64 ring_at(unsigned int vq)
{
	return vq * RING_PAGES * PAGE;
}

static void enable(struct side *s, unsigned int vq)
{
	put(s, VIO_BAR, COMMON(queue_select), vq, 2);
	put(s, VIO_BAR, COMMON(queue_size), SIZE, 2);
	put(s, VIO_BAR, COMMON(queue_desc_lo), ring_at(vq), 4);
	put(s, VIO_BAR, COMMON(queue_avail_lo), ring_at(vq) + 2048, 4);
	put(s, VIO_BAR, COMMON(queue_used_lo), ring_at(vq) + PAGE, 4);
	put(s, VIO_BAR, COMMON(queue_enable), 1, 2);
}

static void disable(struct side *s, unsigned int vq)
{
	put(s, VIO_BAR, COMMON(queue_select), vq, 2);
	put(s, VIO_BAR, COMMON(queue_enable), 0, 2);
}

static bool enabled(struct side *s, unsigned int vq)
{
	put(s, VIO_BAR, COMMON(queue_select), vq, 2);
	return get(s, VIO_BAR, COMMON(queue_enable), 2);
}

static void reset(struct side *s)
{
	put(s, VIO_BAR, COMMON(device_status), 0, 1);
}

static void kick(struct side *s, unsigned int vq)
{
	put(s, VIO_BAR, VIO_NOTIFY + vq * 4096, vq, 2);
}

/* --- rings -------------------------------------------------------------- */
#define desc_of(s, vq) ((struct vring_desc *)((s)->p + ring_at(vq)))
#define avail_of(s, vq) ((struct vring_avail *)((s)->p + ring_at(vq) + 2048))
#define used_of(s, vq) ((struct vring_used *)((s)->p + ring_at(vq) + PAGE))

/* One descriptor @d for a buffer, and made available. */
static void offer(struct side *s, unsigned int vq, unsigned int d, __u64 iova,
		  __u32 len, __u16 flags)
{
	struct vring_avail *avail = avail_of(s, vq);

	desc_of(s, vq)[d] = (struct vring_desc) { iova, len, flags, 0 };
	avail->ring[avail->idx % SIZE] = d;
	avail->idx++;
}

/* A broadcast of 64 bytes and its header at an IOVA. */
static void make_frame(struct side *s, __u64 iova)
{
	memset(s->p + iova, 0, 12);
	memset(s->p + iova + 12, 0xff, 6);
	memset(s->p + iova + 18, 0x02, 58);
}

#define FRAME_LEN 76

static void two_nets(void)
{
	unsigned int i;

	for (i = 0; i < 2; i++) {
		start(&sides[i], VIRTIO_ID_NET, 1);
		ready(&sides[i], 0);
		enable(&sides[i], 0);
		enable(&sides[i], 1);
		driver_ok(&sides[i]);
	}
}

static void stop_both(void)
{
	stop(&sides[0]);
	stop(&sides[1]);
}

/* From the first to the second, whose buffer is there already. */
static void send_one(void)
{
	make_frame(&sides[0], BUFFERS * PAGE);
	offer(&sides[0], 1, 0, BUFFERS * PAGE, FRAME_LEN, 0);
	kick(&sides[0], 1);
}

static void set_log(struct side *s, __u64 bytes)
{
	lm_put(s, LM_BASE, (__u32)LOG_IOVA);
	lm_put(s, LM_BASE + 4, LOG_IOVA >> 32);
	lm_put(s, LM_END, (__u32)(LOG_IOVA + bytes));
	lm_put(s, LM_END + 4, (LOG_IOVA + bytes) >> 32);
	lm_put(s, LM_CONTROL, LM_CONTROL_LOG);
}

static bool logged(struct side *s, __u64 iova)
{
	const __u8 *log = s->p + LOG_PAGE * PAGE;

	return log[iova >> 15] & 1 << (iova >> 12) % 8;
}

TAP_TEST(ids, 0)
{
	start(&sides[0], VIRTIO_ID_BLOCK, 2);
	CHECK_IS(get(&sides[0], VFIO_PCI_CONFIG_REGION_INDEX, 0, 4), 0x10421af4);
	CHECK_IS(get(&sides[0], VFIO_PCI_CONFIG_REGION_INDEX,
		     PCI_SUBSYSTEM_VENDOR_ID, 4), 0x00028086);
	stop(&sides[0]);
}

TAP_TEST(frames_go_across, 0)
{
	two_nets();
	offer(&sides[1], 0, 0, BUFFERS * PAGE, 2048, VRING_DESC_F_WRITE);
	send_one();
	CHECK_IS(used_of(&sides[1], 0)->idx, 1);
	CHECK_IS(used_of(&sides[1], 0)->ring[0].len, FRAME_LEN);
	CHECK_IS(sides[1].p[BUFFERS * PAGE + 12], 0xff);
	CHECK_IS(used_of(&sides[0], 1)->idx, 1);
	stop_both();
}

/* A frame for which there is no buffer comes when there is one. */
TAP_TEST(frames_wait, 0)
{
	two_nets();
	send_one();
	CHECK_IS(used_of(&sides[0], 1)->idx, 1);
	CHECK_IS(used_of(&sides[1], 0)->idx, 0);
	offer(&sides[1], 0, 0, BUFFERS * PAGE, 2048, VRING_DESC_F_WRITE);
	kick(&sides[1], 0);
	CHECK_IS(used_of(&sides[1], 0)->idx, 1);
	stop_both();
}

/* And does not hold up others if there will never be one. */
TAP_TEST(frames_too_large, 0)
{
	two_nets();
	offer(&sides[1], 0, 0, BUFFERS * PAGE, 40, VRING_DESC_F_WRITE);
	send_one();
	CHECK_IS(used_of(&sides[1], 0)->idx, 0);
	CHECK_IS(sides[1].f->net.port.waiting, 0);
	stop_both();
}

TAP_TEST(frames_in_several_buffers, 0)
{
	unsigned int i;

	two_nets();
	reset(&sides[1]);
	ready(&sides[1], VIO_BIT(VIRTIO_NET_F_MRG_RXBUF));
	for (i = 0; i < 2; i++)
		offer(&sides[1], 0, i, (BUFFERS + i) * PAGE, 40,
		      VRING_DESC_F_WRITE);
	enable(&sides[1], 0);
	driver_ok(&sides[1]);
	send_one();
	CHECK_IS(used_of(&sides[1], 0)->idx, 2);
	CHECK_IS(sides[1].p[BUFFERS * PAGE + 10], 2);
	CHECK_IS(used_of(&sides[1], 0)->ring[1].len, FRAME_LEN - 40);
	CHECK_IS(sides[1].p[(BUFFERS + 1) * PAGE], 0x02);
	stop_both();
}

TAP_TEST(indirect, 0)
{
	struct vring_desc table[2] = {
		{ BUFFERS * PAGE, 12, VRING_DESC_F_NEXT, 1 },
		{ BUFFERS * PAGE + 12, 64, 0, 0 },
	};

	two_nets();
	reset(&sides[0]);
	ready(&sides[0], VIO_BIT(VIRTIO_RING_F_INDIRECT_DESC));
	enable(&sides[0], 1);
	driver_ok(&sides[0]);
	offer(&sides[1], 0, 0, BUFFERS * PAGE, 2048, VRING_DESC_F_WRITE);
	make_frame(&sides[0], BUFFERS * PAGE);
	memcpy(sides[0].p + 40 * PAGE, table, sizeof(table));
	offer(&sides[0], 1, 3, 40 * PAGE, sizeof(table), VRING_DESC_F_INDIRECT);
	kick(&sides[0], 1);
	CHECK_IS(used_of(&sides[1], 0)->idx, 1);
	CHECK_IS(used_of(&sides[0], 1)->ring[0].id, 3);
	/* A table within a table. */
	table[0].flags = VRING_DESC_F_INDIRECT;
	memcpy(sides[0].p + 40 * PAGE, table, sizeof(table));
	offer(&sides[0], 1, 3, 40 * PAGE, sizeof(table), VRING_DESC_F_INDIRECT);
	kick(&sides[0], 1);
	CHECK(sides[0].f->v->status & VIRTIO_CONFIG_S_NEEDS_RESET, "not broken");
	stop_both();
}

TAP_TEST(event_index, 0)
{
	__u16 *event;

	two_nets();
	reset(&sides[0]);
	ready(&sides[0], VIO_BIT(VIRTIO_RING_F_EVENT_IDX));
	enable(&sides[0], 1);
	driver_ok(&sides[0]);
	event = (__u16 *)&used_of(&sides[0], 1)->ring[SIZE];
	send_one();
	send_one();
	CHECK_IS(*event, 2);
	stop_both();
}

TAP_TEST(state_begins_at_0, 0)
{
	two_nets();
	send_one();
	disable(&sides[0], 1);
	CHECK_IS(lm_get(&sides[0], LM_STATE + 4), 0x00010001);
	/* As a driver that knows nothing of it goes on. */
	memset(sides[0].p, 0, 4 * RING_PAGES * PAGE);
	enable(&sides[0], 1);
	CHECK_IS(sides[0].f->v->vqs[1].avail_seen, 0);
	stop_both();
}

TAP_TEST(state_is_set, 0)
{
	two_nets();
	reset(&sides[0]);
	ready(&sides[0], 0);
	lm_put(&sides[0], LM_STATE + 4, 0xfffefffe);
	avail_of(&sides[0], 1)->idx = 0xfffe;
	used_of(&sides[0], 1)->idx = 0xfffe;
	enable(&sides[0], 1);
	/* While it runs it is not to be had. */
	lm_put(&sides[0], LM_STATE + 4, 0x00050005);
	driver_ok(&sides[0]);
	send_one();
	send_one();
	send_one();
	CHECK_IS(used_of(&sides[0], 1)->idx, 1);
	CHECK_IS(lm_get(&sides[0], LM_STATE + 4), 0xfffefffe);
	reset(&sides[0]);
	CHECK_IS(lm_get(&sides[0], LM_STATE + 4), 0x00010001);
	stop_both();
}

TAP_TEST(state_of_ifcvf, 0)
{
	two_nets();
	disable(&sides[0], 1);
	lm_put(&sides[0], LM_STATE + 4, 0x12345678);
	put(&sides[0], VIO_BAR_OWN, LM_STATE + 4, 7, 2);
	CHECK_IS(lm_get(&sides[0], LM_STATE + 4), 0x00070007);
	put(&sides[0], VIO_BAR_OWN, LM_STATE + 6, 5, 2);
	CHECK_IS(lm_get(&sides[0], LM_STATE + 4), 0x00050007);
	stop_both();
}

TAP_TEST(state_of_a_receive_queue, 0)
{
	unsigned int i;

	two_nets();
	for (i = 0; i < 10; i++)
		offer(&sides[1], 0, i, (BUFFERS + i) * PAGE, 2048,
		      VRING_DESC_F_WRITE);
	send_one();
	disable(&sides[1], 0);
	CHECK_IS(lm_get(&sides[1], LM_STATE), 0x00010000 | (1 + FPGA_PREFETCH));
	lm_put(&sides[1], LM_STATE, 0x00010000 | (1 + FPGA_PREFETCH));
	enable(&sides[1], 0);
	send_one();
	CHECK_IS(used_of(&sides[1], 0)->ring[1].id, 1);
	stop_both();
}

TAP_TEST(places_of_states, 0)
{
	start(&sides[0], VIRTIO_ID_NET, 4);
	lm_put(&sides[0], 0x20 + 3 * 0x40 + 4, 1);
	CHECK(sides[0].f->lm.written[7], "queue 7");
	lm_put(&sides[0], 0x20 + 4 * 0x40, 1);
	CHECK(sides[0].f->lm.written[8], "control queue");
	stop(&sides[0]);
	start(&sides[0], VIRTIO_ID_BLOCK, 4);
	lm_put(&sides[0], 0x20 + 3 * 0x40, 1);
	CHECK(sides[0].f->lm.written[3], "queue 3");
	stop(&sides[0]);
}

TAP_TEST(count, 0)
{
	start(&sides[0], VIRTIO_ID_NET, 4);
	lm_put(&sides[0], LM_COUNT, 3);
	CHECK_IS(lm_get(&sides[0], LM_COUNT), 3);
	put(&sides[0], VIO_BAR_OWN, LM_COUNT, 0, 2);
	lm_put(&sides[0], LM_COUNT, 0);
	lm_put(&sides[0], LM_COUNT, 5);
	CHECK_IS(lm_get(&sides[0], LM_COUNT), 3);
	reset(&sides[0]);
	CHECK_IS(lm_get(&sides[0], LM_COUNT), 0);
	stop(&sides[0]);
}

TAP_TEST(log, 0)
{
	const __u64 edge = (BUFFERS + 4) * PAGE - 20;

	two_nets();
	map(&sides[1], LOG_IOVA, PAGE, LOG_PAGE * PAGE);
	set_log(&sides[1], PAGE);
	CHECK_IS(get(&sides[1], VIO_BAR_OWN, LM_STATUS, 8), LM_STATUS_LOGS);
	/* Of a frame across two pages both, and no page of a ring. */
	offer(&sides[1], 0, 0, edge, 2048, VRING_DESC_F_WRITE);
	send_one();
	CHECK_IS(used_of(&sides[1], 0)->idx, 1);
	CHECK(logged(&sides[1], edge) && logged(&sides[1], edge + 20), "pages");
	CHECK(!logged(&sides[1], ring_at(0) + PAGE), "used ring");
	CHECK(!logged(&sides[1], edge + PAGE + 20), "a page too many");
	/* Off. */
	memset(sides[1].p + LOG_PAGE * PAGE, 0, PAGE);
	lm_put(&sides[1], LM_CONTROL, 0);
	offer(&sides[1], 0, 1, edge, 2048, VRING_DESC_F_WRITE);
	send_one();
	CHECK(!logged(&sides[1], edge), "off");
	stop_both();
}

/* A request of three pieces; the status is the last byte of the buffer. */
static __u8 request(struct side *s, __u32 type, __u64 sector, __u16 flags)
{
	const struct virtio_blk_outhdr hdr = { .type = type, .sector = sector };
	struct vring_desc *d = desc_of(s, 0);

	memcpy(s->p + BUFFERS * PAGE, &hdr, sizeof(hdr));
	s->p[(BUFFERS + 9) * PAGE] = 0xee;
	offer(s, 0, 0, BUFFERS * PAGE, sizeof(hdr), VRING_DESC_F_NEXT);
	d[0].next = 1;
	d[1] = (struct vring_desc) {
		(BUFFERS + 2) * PAGE, 1024, VRING_DESC_F_NEXT | flags, 2
	};
	d[2] = (struct vring_desc) {
		(BUFFERS + 9) * PAGE, 1, VRING_DESC_F_WRITE, 0
	};
	kick(s, 0);
	return s->p[(BUFFERS + 9) * PAGE];
}

TAP_TEST(blocks, 0)
{
	struct side *s = &sides[0];
	__u8 *data;

	start(s, VIRTIO_ID_BLOCK, 1);
	map(s, LOG_IOVA, PAGE, LOG_PAGE * PAGE);
	data = s->p + (BUFFERS + 2) * PAGE;
	ready(s, 0);
	enable(s, 0);
	driver_ok(s);
	memset(data, 0x5a, 1024);
	CHECK_IS(request(s, VIRTIO_BLK_T_OUT, 2046, 0), VIRTIO_BLK_S_OK);
	memset(data, 0, 1024);
	set_log(s, PAGE);
	CHECK_IS(request(s, VIRTIO_BLK_T_IN, 2046, VRING_DESC_F_WRITE),
		 VIRTIO_BLK_S_OK);
	CHECK(data[0] == 0x5a && data[1023] == 0x5a, "other data");
	CHECK(logged(s, (BUFFERS + 2) * PAGE), "data");
	CHECK(logged(s, (BUFFERS + 9) * PAGE), "status");
	CHECK(!logged(s, BUFFERS * PAGE), "what was only read");
	CHECK_IS(request(s, VIRTIO_BLK_T_IN, 2047, VRING_DESC_F_WRITE),
		 VIRTIO_BLK_S_IOERR);
	CHECK_IS(request(s, VIRTIO_BLK_T_OUT, ~0ULL, 0), VIRTIO_BLK_S_IOERR);
	CHECK_IS(request(s, 77, 0, 0), VIRTIO_BLK_S_UNSUPP);
	disable(s, 0);
	CHECK_IS(lm_get(s, LM_STATE), 0x00050005);
	stop(s);
}

TAP_TEST(uplink, 0)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	char what[256];
	int peer = socket(AF_UNIX, SOCK_DGRAM, 0);
	__u8 buf[128];

	snprintf(addr.sun_path, sizeof(addr.sun_path), "/tmp/up-test.%d",
		 getpid());
	CHECK(!bind(peer, (struct sockaddr *)&addr, sizeof(addr)), "%m");
	snprintf(what, sizeof(what), "%s.a,%s", addr.sun_path, addr.sun_path);
	two_nets();
	CHECK(!uplink_open(what), "%m");
	offer(&sides[1], 0, 0, BUFFERS * PAGE, 2048, VRING_DESC_F_WRITE);
	send_one();
	CHECK_IS(recv(peer, buf, sizeof(buf), MSG_DONTWAIT), FRAME_LEN);
	CHECK_IS(used_of(&sides[1], 0)->idx, 1);
	/* And back, to both. */
	unlink(addr.sun_path);
	strcat(addr.sun_path, ".a");
	offer(&sides[0], 0, 0, BUFFERS * PAGE, 2048, VRING_DESC_F_WRITE);
	offer(&sides[1], 0, 1, BUFFERS * PAGE, 2048, VRING_DESC_F_WRITE);
	CHECK_IS(sendto(peer, buf, FRAME_LEN, 0, (struct sockaddr *)&addr,
			sizeof(addr)), FRAME_LEN);
	uplink_receive();
	CHECK_IS(used_of(&sides[0], 0)->idx, 1);
	CHECK_IS(used_of(&sides[1], 0)->idx, 2);
	unlink(addr.sun_path);
	close(peer);
	stop_both();
}

TAP_TEST(log_ends, 0)
{
	two_nets();
	map(&sides[1], LOG_IOVA, PAGE, LOG_PAGE * PAGE);
	set_log(&sides[1], BUFFERS / 8);
	offer(&sides[1], 0, 0, BUFFERS * PAGE - 20, 2048, VRING_DESC_F_WRITE);
	send_one();
	CHECK(logged(&sides[1], BUFFERS * PAGE - 20), "before the end");
	CHECK(!logged(&sides[1], BUFFERS * PAGE), "at the end");
	CHECK_IS(get(&sides[1], VIO_BAR_OWN, LM_STATUS, 8), LM_STATUS_LOGS);
	stop_both();
}

/* What the IOMMU does not let it do is told, and stops nothing. */
TAP_TEST(log_that_is_not_mapped, 0)
{
	two_nets();
	set_log(&sides[1], PAGE);
	offer(&sides[1], 0, 0, BUFFERS * PAGE, 2048, VRING_DESC_F_WRITE);
	send_one();
	CHECK_IS(used_of(&sides[1], 0)->idx, 1);
	CHECK_IS(get(&sides[1], VIO_BAR_OWN, LM_STATUS, 8),
		 LM_STATUS_LOGS | LM_STATUS_LOST);
	stop_both();
}

TAP_TEST(log_survives_resets, 0)
{
	two_nets();
	set_log(&sides[1], PAGE);
	reset(&sides[1]);
	CHECK_IS(lm_get(&sides[1], LM_CONTROL), LM_CONTROL_LOG);
	vfu_pci_reset(sides[1].f->v->f);
	CHECK_IS(lm_get(&sides[1], LM_CONTROL), 0);
	stop_both();
}

TAP_TEST(faults, 0)
{
	struct side *s = &sides[1];
	unsigned int i;

	two_nets();
	map(s, LOG_IOVA, PAGE, LOG_PAGE * PAGE);
	set_log(s, PAGE);
	put(s, VFIO_PCI_CONFIG_REGION_INDEX, FPGA_REG_NUMBER, 2, 4);
	put(s, VFIO_PCI_CONFIG_REGION_INDEX, FPGA_REG_FAULTS, FAULT_LOG_BIT, 4);
	for (i = 0; i < 2; i++) {
		offer(s, 0, i, (BUFFERS + i) * PAGE, 2048, VRING_DESC_F_WRITE);
		send_one();
	}
	CHECK(logged(s, BUFFERS * PAGE), "the first is there");
	CHECK(!logged(s, (BUFFERS + 1) * PAGE), "the second is lost");
	put(s, VFIO_PCI_CONFIG_REGION_INDEX, FPGA_REG_FAULTS,
	    FAULT_STATE_WRONG | FAULT_ENABLE_STUCK, 4);
	disable(s, 0);
	CHECK(enabled(s, 0), "it stopped");
	reset(s);
	CHECK_IS(lm_get(s, LM_STATE), 0x00040004);
	put(s, VFIO_PCI_CONFIG_REGION_INDEX, FPGA_REG_FAULTS, FAULT_RESET_STUCK,
	    4);
	CHECK(get(s, VIO_BAR, COMMON(device_status), 1), "it was reset");
	put(s, VFIO_PCI_CONFIG_REGION_INDEX, FPGA_REG_FAULTS, FAULT_ONES, 4);
	CHECK_IS(lm_get(s, LM_STATE), ~0U);
	CHECK_IS(get(s, VIO_BAR, COMMON(device_status), 1), 0xff);
	stop_both();
}

/* What a driver costs is what it did, and is not to be changed. */
TAP_TEST(counts, 0)
{
	const unsigned int config = VFIO_PCI_CONFIG_REGION_INDEX;
	struct side *s = &sides[0];
	__u64 reads, writes;

	two_nets();
	reads = get(s, config, FPGA_REG_READS, 4);
	writes = get(s, config, FPGA_REG_WRITES, 4);
	CHECK(reads && writes, "none yet");
	CHECK_IS(get(s, config, FPGA_REG_RINGS, 4), 0);
	CHECK_IS(lm_get(s, LM_STATUS), 0);
	enabled(s, 1);
	kick(s, 1);
	kick(s, 1);
	lm_put(s, LM_COUNT, 1);
	put(s, VIO_BAR_MSIX, 0, 0, 4);
	CHECK_IS(get(s, config, FPGA_REG_READS, 4), reads + 2);
	/* Which queue it is was written, too. */
	CHECK_IS(get(s, config, FPGA_REG_WRITES, 4), writes + 2);
	CHECK_IS(get(s, config, FPGA_REG_RINGS, 4), 2);
	CHECK_IS(get(s, config, FPGA_REG_READS + 1, 1), (reads + 2) >> 8 & 0xff);
	put(s, config, FPGA_REG_READS, 0, 4);
	vfu_pci_reset(s->f->v->f);
	CHECK_IS(get(s, config, FPGA_REG_READS, 4), reads + 2);
	CHECK_IS(get(s, config, FPGA_REG_FAULTS, 4), 0);
	CHECK_IS(get(&sides[1], config, FPGA_REG_RINGS, 4), 0);
	stop_both();
}

static void fails(struct side *s, __u32 faults, __u32 number)
{
	put(s, VFIO_PCI_CONFIG_REGION_INDEX, FPGA_REG_NUMBER, number, 4);
	put(s, VFIO_PCI_CONFIG_REGION_INDEX, FPGA_REG_FAULTS, faults, 4);
}

TAP_TEST(faults_of_states, 0)
{
	struct side *s = &sides[0];

	two_nets();
	fails(s, FAULT_STATE_STALE, 0);
	send_one();
	disable(s, 1);
	CHECK_IS(lm_get(s, LM_STATE + 4), 0);
	fails(s, FAULT_STATE_IGNORED, 0);
	lm_put(s, LM_STATE + 4, 0x00010001);
	CHECK_IS(lm_get(s, LM_STATE + 4), 0);
	fails(s, FAULT_STATE_AHEAD, 300);
	lm_put(s, LM_STATE + 4, 0x00010001);
	enable(s, 1);
	disable(s, 1);
	CHECK_IS(lm_get(s, LM_STATE + 4), 0x0001012d);
	fails(s, FAULT_STATE_FLICKERS, 0);
	CHECK(lm_get(s, LM_STATE + 4) != lm_get(s, LM_STATE + 4), "it stays");
	fails(s, FAULT_USED_WRONG, 5);
	lm_put(s, LM_STATE + 4, 0x00010001);
	enable(s, 1);
	disable(s, 1);
	CHECK_IS(lm_get(s, LM_STATE + 4), 0x00060006);
	CHECK_IS(used_of(s, 1)->idx, 6);
	stop_both();
}

TAP_TEST(faults_of_queues, 0)
{
	struct side *s = &sides[0];

	two_nets();
	fails(s, FAULT_ENABLE_FLIPS, 0);
	disable(s, 1);
	CHECK(!enabled(s, 1), "at once");
	CHECK(enabled(s, 1), "not again");
	fails(s, FAULT_ENABLE_ONE, 1);
	disable(s, 1);
	disable(s, 0);
	CHECK(enabled(s, 1) && !enabled(s, 0), "not the second one alone");
	fails(s, FAULT_ENABLE_DEAD, 0);
	enable(s, 0);
	CHECK(!enabled(s, 0), "it started");
	fails(s, FAULT_GHOST, 0);
	send_one();
	disable(s, 1);
	CHECK_IS(lm_get(s, LM_STATE + 4), 0x00010001);
	CHECK_IS(used_of(s, 1)->idx, 2);
	fails(s, FAULT_GHOST, 20);
	lm_put(s, LM_STATE + 4, 0x00010001);
	enable(s, 1);
	reset(s);
	CHECK_IS(fpga_tick(s->f) > 0, 1);
	usleep(25000);
	used_of(s, 1)->idx = 0;
	CHECK_IS(fpga_tick(s->f), -1);
	CHECK_IS(used_of(s, 1)->idx, 2);
	stop_both();
}

/* One more frame across. */
static void log_one(struct side *s)
{
	static unsigned int d;

	offer(s, 0, d++ % SIZE, BUFFERS * PAGE, 2048, VRING_DESC_F_WRITE);
	send_one();
}

TAP_TEST(faults_of_the_log, 0)
{
	struct side *s = &sides[1];
	__u8 *log;

	two_nets();
	map(s, LOG_IOVA, PAGE, LOG_PAGE * PAGE);
	log = s->p + LOG_PAGE * PAGE;
	set_log(s, PAGE);
	fails(s, FAULT_LOG_ALL, 0);
	CHECK(fpga_tick(s->f) > 0, "once only");
	CHECK(log[0] == 0xff && log[PAGE - 1] == 0xff, "not all");
	fails(s, FAULT_LOG_BEYOND, 0);
	log_one(s);
	CHECK(s->f->beyond_told, "not tried");
	fails(s, FAULT_LOG_MOVES, 0);
	log_one(s);
	CHECK(lm_get(s, LM_BASE) != (__u32)LOG_IOVA, "it is where it was");
	set_log(s, PAGE);
	fails(s, FAULT_LOG_STOPS, 0);
	memset(log, 0, PAGE);
	log_one(s);
	CHECK_IS(lm_get(s, LM_CONTROL), 0);
	CHECK(!logged(s, BUFFERS * PAGE), "logged");
	fails(s, FAULT_LOG_LATE, 0);
	set_log(s, PAGE);
	lm_put(s, LM_CONTROL, 0);
	fpga_tick(s->f);
	CHECK_IS(s->f->late.told, LATE_WRITTEN);
	vfu_dma_clear(s->f->v->f);
	fpga_tick(s->f);
	CHECK_IS(s->f->late.told, LATE_REFUSED);
	fails(s, FAULT_LM_STATUS | FAULT_LM_COUNT, 0xabcd);
	CHECK_IS(lm_get(s, LM_STATUS), ~0U);
	CHECK_IS(lm_get(s, LM_COUNT), 0xabcd);
	fails(s, FAULT_LM_ONES, 0);
	CHECK_IS(lm_get(s, LM_CONTROL), ~0U);
	CHECK(get(s, VIO_BAR, COMMON(device_status), 1) != 0xff, "all BARs");
	stop_both();
}

TAP_TEST(lm_kinds, 0)
{
	static const __u64 sizes[LM_KINDS] = {
		[LM_WHOLE] = LM_SIZE, [LM_SMALL] = LM_SIZE_SMALL,
		[LM_IO] = LM_SIZE_IO, [LM_SHARED] = LM_SIZE,
	};
	enum lm_kind kind;

	for (kind = 0; kind < LM_KINDS; kind++) {
		start_as(&sides[0], VIRTIO_ID_NET, &(struct fpga_conf) {
			.pairs = 1, .lm = kind,
		});
		CHECK_IS(vfu_pci_bar_size(sides[0].f->v->f, VIO_BAR_OWN),
			 sizes[kind]);
		stop(&sides[0]);
	}
}

/* The second layout: no LM block, but SUSPEND. */
TAP_TEST(suspend, 0)
{
	struct side *s = &sides[1];
	__u8 ok;

	start(&sides[0], VIRTIO_ID_NET, 1);
	ready(&sides[0], 0);
	enable(&sides[0], 1);
	driver_ok(&sides[0]);
	start_as(s, VIRTIO_ID_NET, &(struct fpga_conf) {
		.n = 1, .pairs = 1, .standard = true,
	});
	CHECK(!vfu_pci_bar_size(s->f->v->f, VIO_BAR_OWN), "a BAR 4");
	ready(s, VIO_BIT(VIO_F_SUSPEND));
	enable(s, 0);
	offer(s, 0, 0, BUFFERS * PAGE, 2048, VRING_DESC_F_WRITE);
	/* Not before the driver is ready. */
	put(s, VIO_BAR, COMMON(device_status), s->f->v->status | VIO_S_SUSPEND, 1);
	CHECK(!(s->f->v->status & VIO_S_SUSPEND), "suspended before its time");
	driver_ok(s);
	ok = s->f->v->status;
	put(s, VIO_BAR, COMMON(device_status), ok | VIO_S_SUSPEND, 1);
	CHECK_IS(get(s, VIO_BAR, COMMON(device_status), 1), ok | VIO_S_SUSPEND);
	send_one();
	CHECK_IS(used_of(s, 0)->idx, 0);
	put(s, VIO_BAR, COMMON(device_status), ok, 1);
	CHECK_IS(get(s, VIO_BAR, COMMON(device_status), 1), ok);
	fpga_tick(s->f);
	CHECK_IS(used_of(s, 0)->idx, 1);
	stop_both();
}

TAP_TEST(rings_of_a_page, 0)
{
	struct side *s = &sides[0];

	start(s, VIRTIO_ID_NET, 1);
	ready(s, 0);
	put(s, VIO_BAR, COMMON(queue_select), 0, 2);
	put(s, VIO_BAR, COMMON(queue_desc_lo), 0x800, 4);
	put(s, VIO_BAR, COMMON(queue_size), 32, 2);
	CHECK_IS(get(s, VIO_BAR, COMMON(queue_size), 2), FPGA_VQ_SIZE);
	put(s, VIO_BAR, COMMON(queue_enable), 1, 2);
	CHECK(!enabled(s, 0), "not aligned, and enabled");
	stop(s);
}

int main(int argc, char **argv)
{
	const struct tap_config config = { .timeout = 60 };

	(void)argc;
	return tap_run(&config, argv + 1);
}
