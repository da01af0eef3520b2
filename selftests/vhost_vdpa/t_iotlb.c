// SPDX-License-Identifier: GPL-2.0
/* Maps: what is taken, what is refused, and what DRIVER_OK makes of them. */
#define _GNU_SOURCE
#include <sys/mman.h>
#include <sys/resource.h>

#include "tests.h"

/* Where x86 takes MSIs, and no IOMMU maps anything. */
#define MSI_WINDOW	0xfee00000ULL

/* A place in the IOVA range that is not the arena's. */
static __u64 elsewhere(const struct vdpa_client *c)
{
	return c->iova + 2 * VC_ARENA_SIZE;
}

static void test_arena(struct vdpa_client *c)
{
	test_owned(c);
	CHECK_OK(vc_set_backend(c, c->backend));
	CHECK_OK(vc_arena(c));
}

TEST(map_needs_owner)
{
	struct vdpa_client c;

	test_open(&c);
	CHECK_OK(vc_arena(&c));
	CHECK_FAILS(vc_arena_map(&c));
}

TEST(map_unmap)
{
	struct vdpa_client c;
	unsigned int i;

	test_arena(&c);
	for (i = 0; i < 20; i++) {
		CHECK_OK(vc_arena_map(&c));
		CHECK_OK(vc_unmap(&c, c.iova, VC_ARENA_SIZE));
	}
}

TEST(map_twice)
{
	struct vdpa_client c;

	test_arena(&c);
	CHECK_OK(vc_arena_map(&c));
	CHECK_FAILS(vc_arena_map(&c));
	CHECK_FAILS(vc_map(&c, c.iova + VC_PAGE, c.mem, VC_PAGE));
	CHECK_OK(vc_unmap(&c, c.iova, VC_ARENA_SIZE));
	CHECK_OK(vc_arena_map(&c));
}

TEST(map_same_memory_at_two_places)
{
	struct vdpa_client c;

	test_arena(&c);
	CHECK_OK(vc_arena_map(&c));
	CHECK_OK(vc_map(&c, elsewhere(&c), c.mem, VC_ARENA_SIZE));
	CHECK_OK(vc_unmap(&c, elsewhere(&c), VC_ARENA_SIZE));
	CHECK_OK(vc_unmap(&c, c.iova, VC_ARENA_SIZE));
}

TEST(map_nothing_or_too_much)
{
	struct vdpa_client c;

	test_arena(&c);
	CHECK_FAILS(vc_map(&c, c.iova, c.mem, 0));
	CHECK_FAILS(vc_map(&c, UINT64_MAX - VC_PAGE + 1, c.mem, 2 * VC_PAGE));
	CHECK_FAILS(vc_map(&c, c.iova, c.mem, UINT64_MAX));
}

TEST(map_outside_range)
{
	struct vdpa_client c;

	test_arena(&c);
	if (c.range.last == UINT64_MAX && !c.range.first)
		SKIP("every IOVA is in range");
	if (c.range.last != UINT64_MAX) {
		CHECK_FAILS(vc_map(&c, c.range.last + 1, c.mem, VC_PAGE));
		CHECK_FAILS(vc_map(&c, c.range.last + 1 - VC_PAGE, c.mem,
				   2 * VC_PAGE));
	}
	if (c.range.first)
		CHECK_FAILS(vc_map(&c, c.range.first - VC_PAGE, c.mem,
				   VC_PAGE));
}

TEST(map_last_page_of_range)
{
	struct vdpa_client c;

	test_arena(&c);
	CHECK_OK(vc_map(&c, c.range.last + 1 - VC_PAGE, c.mem, VC_PAGE));
	CHECK_OK(vc_unmap(&c, c.range.last + 1 - VC_PAGE, VC_PAGE));
}

TEST(unmap_never_mapped)
{
	struct vdpa_client c;

	int r;

	test_arena(&c);
	/* An address space begins with its first map: here EFAULT is right. */
	r = vc_unmap(&c, c.iova, VC_PAGE);
	CHECK(!r || r == -EFAULT, "unmap of nothing at all gave %d", r);
	CHECK_OK(vc_arena_map(&c));
	CHECK_OK(vc_unmap(&c, elsewhere(&c), VC_ARENA_SIZE));
	CHECK_OK(vc_unmap(&c, c.iova, VC_ARENA_SIZE));
	CHECK_OK(vc_unmap(&c, c.iova, VC_ARENA_SIZE));
}

/*
 * Parents that take virtual addresses pass silently over what is not shared
 * memory, so these two refusals are only those of a parent that pins.
 */
TEST_OURS(map_bad_address)
{
	struct vdpa_client c;

	test_arena(&c);
	CHECK_FAILS(vc_map(&c, c.iova, (void *)VC_PAGE, VC_PAGE));
	CHECK_OK(vc_arena_map(&c));
}

TEST_OURS(map_writable_of_readonly)
{
	struct vdpa_client c;
	void *p;

	test_arena(&c);
	p = mmap(NULL, VC_PAGE, PROT_READ, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	CHECK(p != MAP_FAILED, "mmap");
	CHECK_FAILS(vc_map(&c, c.iova, p, VC_PAGE));
	CHECK_OK(vc_arena_map(&c));
}

TEST(map_readonly)
{
	struct vhost_iotlb_msg m = {
		.size = VC_PAGE,
		.perm = VHOST_ACCESS_RO,
		.type = VHOST_IOTLB_UPDATE,
	};
	struct vdpa_client c;

	test_arena(&c);
	m.iova = c.iova;
	m.uaddr = (uintptr_t)c.mem;
	CHECK_OK(vc_iotlb(&c, &m, 0));
	CHECK_OK(vc_unmap(&c, c.iova, VC_PAGE));
	m.perm = VHOST_ACCESS_WO;
	CHECK_OK(vc_iotlb(&c, &m, 0));
	CHECK_OK(vc_unmap(&c, c.iova, VC_PAGE));
}

/* vhost-vdpa hands it through, and warns where it maps by itself. */
TEST_OURS(map_without_permission)
{
	struct vhost_iotlb_msg m = {
		.size = VC_PAGE,
		.type = VHOST_IOTLB_UPDATE,
	};
	struct vdpa_client c;

	test_arena(&c);
	m.iova = c.iova;
	m.uaddr = (uintptr_t)c.mem;
	CHECK_FAILS(vc_iotlb(&c, &m, 0));
	CHECK_OK(vc_arena_map(&c));
}

/* Nobody else looks at the window; with our parent hardware sees it elsewhere. */
TEST_OURS(map_over_msi_window)
{
	struct vdpa_client c;
	unsigned int i;
	__u64 iova;

	test_arena(&c);
	if (c.range.first > MSI_WINDOW || c.range.last < MSI_WINDOW + 0xfffff)
		SKIP("the window is not in range");
	for (iova = MSI_WINDOW; iova < MSI_WINDOW + 0x100000; iova += 0x7f000)
		CHECK_OK(vc_map(&c, iova, c.mem, VC_PAGE));
	CHECK_FAILS(vc_map(&c, MSI_WINDOW, c.mem, VC_PAGE));
	CHECK_OK(vc_unmap(&c, MSI_WINDOW, 0x100000));
	CHECK_OK(vc_map(&c, MSI_WINDOW - 8 * VC_PAGE, c.mem, 16 * VC_PAGE));
	CHECK_OK(vc_map(&c, MSI_WINDOW + 0x100000 - VC_PAGE, c.mem,
			2 * VC_PAGE));
	CHECK_FAILS(vc_map(&c, MSI_WINDOW + 7 * VC_PAGE, c.mem, VC_PAGE));
	CHECK_OK(vc_map(&c, MSI_WINDOW - 9 * VC_PAGE, c.mem, VC_PAGE));
	CHECK_OK(vc_map(&c, MSI_WINDOW + 0x101000, c.mem, VC_PAGE));
	CHECK_OK(vc_unmap(&c, 0, UINT64_MAX));
	for (i = 0; i < 20; i++) {
		CHECK_OK(vc_map(&c, MSI_WINDOW - 0x80000, c.mem, VC_ARENA_SIZE));
		CHECK_OK(vc_unmap(&c, MSI_WINDOW - 0x80000, VC_ARENA_SIZE));
	}
	CHECK_OK(vc_arena_map(&c));
}

/* A refused map leaves nothing behind: pages, counts or entries. */
TEST_OURS(map_above_memlock)
{
	struct rlimit none = { 4 * VC_PAGE, RLIM_INFINITY }, old;
	struct vdpa_client c;
	unsigned int i;

	test_arena(&c);
	CHECK_OK(getrlimit(RLIMIT_MEMLOCK, &old));
	CHECK_OK(setrlimit(RLIMIT_MEMLOCK, &none));
	for (i = 0; i < 100; i++)
		CHECK_FAILS(vc_arena_map(&c));
	CHECK_OK(vc_map(&c, c.iova, c.mem, VC_PAGE));
	CHECK_OK(vc_unmap(&c, c.iova, VC_PAGE));
	CHECK_OK(setrlimit(RLIMIT_MEMLOCK, &old));
	CHECK_OK(vc_arena_map(&c));
}

static void map_pages(struct vdpa_client *c, unsigned int n)
{
	unsigned int i;

	for (i = 0; i < n; i++)
		CHECK_OK(vc_map(c, c->iova + 2 * i * VC_PAGE,
				c->mem + i * VC_PAGE, VC_PAGE));
}

TEST(map_many_pages)
{
	struct vdpa_client c;
	unsigned int i;

	test_arena(&c);
	map_pages(&c, 256);
	for (i = 0; i < 256; i++)
		CHECK_OK(vc_unmap(&c, c.iova + 2 * i * VC_PAGE, VC_PAGE));
	map_pages(&c, 256);
	CHECK_OK(vc_unmap(&c, c.iova, 512 * VC_PAGE));
	CHECK_OK(vc_arena_map(&c));
}

TEST(map_batch)
{
	struct vdpa_client c;

	test_arena(&c);
	CHECK_OK(vc_batch(&c, true));
	map_pages(&c, 16);
	CHECK_OK(vc_unmap(&c, c.iova, VC_PAGE));
	CHECK_OK(vc_batch(&c, false));
	CHECK_OK(vc_batch(&c, true));
	CHECK_OK(vc_unmap(&c, c.iova, 32 * VC_PAGE));
	CHECK_OK(vc_arena_map(&c));
	CHECK_OK(vc_batch(&c, false));
}

/* A batch that nobody ended is no one's problem after the close. */
TEST(map_batch_left_open)
{
	struct vdpa_client c;
	struct rig r;

	test_arena(&c);
	CHECK_OK(vc_batch(&c, true));
	CHECK_OK(vc_arena_map(&c));
	vc_close(&c);
	test_up(&r);
}

TEST(map_asid_out_of_range)
{
	struct vhost_iotlb_msg m = {
		.size = VC_PAGE,
		.perm = VHOST_ACCESS_RW,
		.type = VHOST_IOTLB_UPDATE,
	};
	struct vdpa_client c;

	test_arena(&c);
	m.iova = c.iova;
	m.uaddr = (uintptr_t)c.mem;
	CHECK_FAILS(vc_iotlb(&c, &m, c.nas));
	CHECK_FAILS(vc_iotlb(&c, &m, UINT32_MAX));
	CHECK_OK(vc_iotlb(&c, &m, c.nas - 1));
}

TEST(map_asids_are_apart)
{
	struct vhost_iotlb_msg m = {
		.size = VC_PAGE,
		.perm = VHOST_ACCESS_RW,
		.type = VHOST_IOTLB_UPDATE,
	};
	struct vdpa_client c;

	test_arena(&c);
	need("asid", c.nas > 1, "one address space");
	m.iova = c.iova;
	m.uaddr = (uintptr_t)c.mem;
	CHECK_OK(vc_iotlb(&c, &m, 0));
	CHECK_OK(vc_iotlb(&c, &m, 1));
	m.type = VHOST_IOTLB_INVALIDATE;
	CHECK_OK(vc_iotlb(&c, &m, 1));
	m.type = VHOST_IOTLB_UPDATE;
	CHECK_FAILS(vc_iotlb(&c, &m, 0));
	CHECK_OK(vc_iotlb(&c, &m, 1));
}

TEST(iotlb_malformed)
{
	struct vhost_iotlb_msg m = { .type = 99 };
	__u8 junk[sizeof(struct vhost_msg_v2)];
	struct vdpa_client c;

	test_arena(&c);
	CHECK_FAILS(vc_iotlb(&c, &m, 0));
	m.type = VHOST_IOTLB_MISS;
	CHECK_FAILS(vc_iotlb(&c, &m, 0));
	memset(junk, 0xee, sizeof(junk));
	CHECK(write(c.fd, junk, sizeof(junk)) < 0, "junk taken");
	CHECK(write(c.fd, junk, 2) < 0, "two bytes taken");
	CHECK_OK(vc_arena_map(&c));
}

/* Where IOTLB_PERSIST is offered (and the rig takes it) maps outlive resets. */
TEST(map_survives_reset)
{
	struct rig r;

	test_up(&r);
	need("persist", r.c.backend & BIT64(VHOST_BACKEND_F_IOTLB_PERSIST),
	     "no IOTLB_PERSIST");
	CHECK_OK(rig_again(&r));
	CHECK_FAILS(vc_arena_map(&r.c));
}

/* QEMU never takes IOTLB_PERSIST, and believes in its maps all the same. */
TEST_OURS(map_survives_reset_unasked)
{
	struct rig r;

	CHECK_OK(rig_open(&r, opts.dev));
	CHECK_OK(vc_set_backend(&r.c, BIT64(VHOST_BACKEND_F_IOTLB_MSG_V2)));
	CHECK_OK(rig_memory(&r));
	CHECK_OK(rig_rings(&r));
	climb(&r, RUNG_DRIVER_OK);
	CHECK_OK(rig_again(&r));
}

/* Void op: a refusal shows in the status. */
static void check_not_running(struct rig *r)
{
	int status;

	if (opts.unmapped_ok)
		SKIP("the parent accepts DRIVER_OK without maps");
	CHECK_OK(vc_add_status(&r->c, ST_DRIVER_OK));
	status = vc_get_status(&r->c);
	CHECK(!(status & ST_DRIVER_OK), "status %#x", status);
	CHECK(status & ST_FAILED, "status %#x says nothing of it", status);
}

/* The arena with a hole of one page. */
static void map_all_but(struct vdpa_client *c, const void *page)
{
	__u64 before = (const __u8 *)page - c->mem;
	__u64 after = before + VC_PAGE;

	if (before)
		CHECK_OK(vc_map(c, c->iova, c->mem, before));
	CHECK_OK(vc_map(c, c->iova + after, c->mem + after,
			VC_ARENA_SIZE - after));
}

TEST_OURS(driver_ok_with_nothing_mapped)
{
	struct rig r;

	test_negotiated(&r);
	CHECK_OK(vc_arena(&r.c));
	CHECK_OK(rig_rings(&r));
	CHECK_OK(rig_attach(&r));
	CHECK_OK(rig_enable(&r, true));
	check_not_running(&r);
}

TEST_OURS(driver_ok_with_half_a_ring_mapped)
{
	struct rig r;

	CHECK_OK(rig_open(&r, opts.dev));
	r.num = VQ_MAX_NUM;
	CHECK_OK(rig_negotiate(&r, 0));
	CHECK_OK(vc_arena(&r.c));
	CHECK_OK(rig_rings(&r));
	if (r.vq[0].num * sizeof(struct vring_desc) <= VC_PAGE)
		SKIP("no ring is larger than a page");
	map_all_but(&r.c, (__u8 *)r.vq[0].desc + VC_PAGE);
	CHECK_OK(rig_attach(&r));
	CHECK_OK(rig_enable(&r, true));
	check_not_running(&r);
}

/* Each part of a ring counts, not only its descriptors. */
TEST_OURS(driver_ok_with_a_ring_part_unmapped)
{
	unsigned int i;
	struct rig r;

	test_attached(&r);
	for (i = 0; i < 3; i++) {
		void *parts[] = {
			r.vq[0].desc, r.vq[0].driver, r.vq[0].device,
		};

		CHECK_OK(vc_reset(&r.c));
		CHECK_OK(vc_unmap(&r.c, r.c.iova, VC_ARENA_SIZE));
		map_all_but(&r.c, parts[i]);
		climb(&r, RUNG_ENABLED);
		check_not_running(&r);
	}
}

TEST_OURS(driver_ok_after_unmap)
{
	struct rig r;

	test_attached(&r);
	CHECK_OK(rig_enable(&r, true));
	CHECK_OK(vc_unmap(&r.c, r.c.iova, VC_ARENA_SIZE));
	check_not_running(&r);
}

/* A bare page table is no reason to refuse when no queue would use it. */
TEST_OURS(driver_ok_with_no_queue_and_no_map)
{
	struct rig r;

	test_negotiated(&r);
	CHECK_OK(rig_driver_ok(&r));
}

/* Guest memory comes and goes while queues run; the rings must stay. */
TEST(map_and_unmap_while_running)
{
	unsigned int i;
	struct rig r;

	test_up(&r);
	for (i = 0; i < 50; i++) {
		CHECK_OK(vc_map(&r.c, elsewhere(&r.c), r.c.mem, 64 * VC_PAGE));
		CHECK_OK(vc_unmap(&r.c, elsewhere(&r.c), 64 * VC_PAGE));
	}
	CHECK_IS(vc_get_status(&r.c), ST_NEGOTIATED | ST_DRIVER_OK);
}

/* The rings go away under a running device: a fault, never a crash. */
TEST(unmap_all_while_running)
{
	struct rig r;

	test_up(&r);
	CHECK_OK(vc_unmap(&r.c, 0, UINT64_MAX));
	CHECK_OK(vc_reset(&r.c));
	CHECK_OK(vc_arena_map(&r.c));
	CHECK_OK(rig_again(&r));
}
