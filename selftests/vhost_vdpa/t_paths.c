// SPDX-License-Identifier: GPL-2.0
/*
 * Paths of queues: which rings hardware works on when nobody says.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "tests.h"

/* --- the device's attributes ------------------------------------------------------------- */
static void attr_path(char *path, size_t size, const char *name)
{
	struct stat st;

	CHECK_OK(stat(opts.dev, &st));
	snprintf(path, size, "/sys/dev/char/%u:%u/../vmdev/%s", major(st.st_rdev),
		 minor(st.st_rdev), name);
}

/* Is there one before what the device is a child of? */
bool test_has_iommu(void)
{
	char path[256];

	attr_path(path, sizeof(path), "../../iommu_group");
	return !access(path, F_OK);
}

static int attr_get(const char *name, char *buf, size_t size)
{
	char path[256];
	ssize_t n;
	int fd;

	attr_path(path, sizeof(path), name);
	fd = open(path, O_RDONLY);
	if (fd < 0)
		return -errno;
	n = read(fd, buf, size - 1);
	close(fd);
	if (n <= 0)
		return -EIO;
	buf[n - 1] = '\0';
	return 0;
}

int test_set_policy(const char *policy)
{
	char path[256];
	int fd, ret;

	attr_path(path, sizeof(path), "policy");
	fd = open(path, O_WRONLY);
	if (fd < 0)
		return -errno;
	ret = write(fd, policy, strlen(policy)) < 0 ? -errno : 0;
	close(fd);
	return ret;
}

bool test_is_policy(const char *policy)
{
	char buf[32];

	return !attr_get("policy", buf, sizeof(buf)) && !strcmp(buf, policy);
}

/* All queues that are on, and there are some, are on that path. */
bool test_on_path(const char *path)
{
	char buf[1024], *p, *word;
	unsigned int n = 0;

	CHECK_OK(attr_get("paths", buf, sizeof(buf)));
	for (p = buf; (word = strsep(&p, " "));) {
		if (!strcmp(word, "off"))
			continue;
		if (strcmp(word, path))
			return false;
		n++;
	}
	return n;
}

void check_path(const char *path)
{
	CHECK(test_on_path(path), "not all queues are %s", path);
}

/* --- a VMM's own rings -------------------------------------------------------------------- */
static struct rig dut, peer;

/* Where in the arena, behind all that a rig takes of it; as many pages as two rings. */
#define DESC_AT		(VC_ARENA_SIZE - 2 * VC_PAGE)

static int map_read_only(struct vdpa_client *c)
{
	const struct vhost_iotlb_msg m = {
		.iova = c->iova + DESC_AT,
		.size = 2 * VC_PAGE,
		.uaddr = (uintptr_t)c->mem + DESC_AT,
		.perm = VHOST_ACCESS_RO,
		.type = VHOST_IOTLB_UPDATE,
	};

	return vc_iotlb(c, &m, 0);
}

/* As QEMU's shadow virtqueues: descriptors are mapped as hardware uses them. */
static void up_vmms(void)
{
	unsigned int i;

	CHECK_OK(rig_open(&dut, opts.dev));
	need_net(&dut.c);
	need("peer", opts.peer, "no peer (-p)");
	CHECK_OK(rig_negotiate(&dut, 0));
	CHECK_OK(vc_arena(&dut.c));
	CHECK_OK(rig_rings(&dut));
	CHECK(dut.c.mem_used <= DESC_AT, "no room behind the rig");
	for (i = 0; i < dut.nvqs; i++) {
		dut.vq[i].desc = dut.c.mem + DESC_AT + i * VC_PAGE;
		vq_clear(&dut.vq[i]);
	}
	CHECK_OK(vc_map(&dut.c, dut.c.iova, dut.c.mem, DESC_AT));
	CHECK_OK(map_read_only(&dut.c));
	CHECK_OK(rig_up(&peer, opts.peer, 0));
	CHECK_OK(net_post_rx(&peer));
	CHECK_OK(rig_attach(&dut));
	CHECK_OK(rig_enable(&dut, true));
	CHECK_OK(rig_driver_ok(&dut));
	CHECK_OK(net_post_rx(&dut));
}

static void receive(__u32 i)
{
	__u64 end = vc_now_ms() + RIG_WAIT_MS;
	__u32 seq, len;
	int ret;

	CHECK_OK(net_send(&peer, dut.mac, i, net_frame_len(i)));
	vq_kick(&peer.vq[NET_TX]);
	while ((ret = net_recv(&dut, &seq, &len)) == -EAGAIN && vc_now_ms() < end)
		vc_sleep_us(100);
	CHECK(!ret && seq == i, "frame %u: %d, frame %u", i, ret, seq);
	CHECK_OK(net_drain_tx(&peer, RIG_WAIT_MS));
}

/* Used buffers that its driver has not put back yet, but for the one that came last. */
static void stop_in_a_refill(struct vq *vq)
{
	void *token[4];
	unsigned int i;
	__u32 len;

	for (i = 0; i < ARRAY_SIZE(token); i++) {
		CHECK_OK(net_send(&peer, dut.mac, i, NET_MIN_FRAME));
		vq_kick(&peer.vq[NET_TX]);
		CHECK(vq_wait(vq, RIG_WAIT_MS), "frame %u does not come", i);
		token[i] = vq_get(vq, &len);
		CHECK(token[i], "no buffer");
		CHECK_OK(net_drain_tx(&peer, RIG_WAIT_MS));
	}
	CHECK_OK(vq_add(vq, &(struct vq_seg){ vc_iova(&dut.c, token[3]), RIG_BUF }, 0, 1,
			token[3]));
}

/*
 * It goes with its guest, which is stopped anywhere, and never puts the rest back: where
 * hardware was has to be known all the same.
 */
TEST_OURS(paths_vmms_stops_in_a_refill)
{
	struct vq *vq = &dut.vq[NET_RX];
	__u32 base, i;

	up_vmms();
	need_suspend(&dut.c);
	/* Of a ring in its first lap all is known. */
	for (i = 0; i < 2U * vq->num; i++)
		receive(i);
	stop_in_a_refill(vq);
	CHECK_OK(vc_suspend(&dut.c));
	CHECK_OK(vc_vring_get(&dut.c, VHOST_GET_VRING_BASE, NET_RX, &base));
	CHECK(base == vq_used_base(vq), "it stopped at %#x, not %#x", base, vq_used_base(vq));
}
