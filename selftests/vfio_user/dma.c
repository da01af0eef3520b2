// SPDX-License-Identifier: GPL-2.0
/*
 * What the device may reach of the VM's memory.
 *
 * The client names pieces of files, as small as a page each where the VM's
 * IOMMU driver maps pages. A file is mapped whole, once, and a piece is only a
 * pointer into it: mappings cost no system call but that for the descriptor.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <linux/vfio.h>

#include "internal.h"

/* Of a VM's memory there are few files. */
#define VFU_MEMORY_MAX 64

/* First range that ends behind @iova. */
static unsigned int vfu_find(const struct vfu_dma_map *map, __u64 iova)
{
	unsigned int low = 0, high = map->n;

	while (low < high) {
		unsigned int mid = (low + high) / 2;
		const struct vfu_range *r = &map->ranges[mid];

		if (r->iova + (r->size - 1) < iova)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static int vfu_insert(struct vfu_dma_map *map, unsigned int at,
		      const struct vfu_range *range)
{
	struct vfu_range *ranges;

	if (map->n == map->room) {
		unsigned int room = map->room ? 2 * map->room : 64;

		ranges = realloc(map->ranges, room * sizeof(*ranges));
		if (!ranges)
			return -ENOMEM;
		map->ranges = ranges;
		map->room = room;
	}
	ranges = map->ranges + at;
	memmove(ranges + 1, ranges, (map->n - at) * sizeof(*ranges));
	*ranges = *range;
	map->n++;
	return 0;
}

static void vfu_remove(struct vfu_dma_map *map, unsigned int at)
{
	map->n--;
	memmove(map->ranges + at, map->ranges + at + 1,
		(map->n - at) * sizeof(*map->ranges));
}

static __u8 *vfu_host_at(const struct vfu_range *r, __u64 offset)
{
	return r->host ? r->host + offset : NULL;
}

/* Takes [@first, @last] away from all ranges; what is not there is no error. */
static int vfu_cut(struct vfu_dma_map *map, __u64 first, __u64 last)
{
	unsigned int i = vfu_find(map, first);

	while (i < map->n && map->ranges[i].iova <= last) {
		struct vfu_range *r = &map->ranges[i];
		__u64 r_last = r->iova + (r->size - 1);
		struct vfu_range tail = *r;

		if (r_last > last) {
			tail.iova = last + 1;
			tail.size = r_last - last;
			tail.host = vfu_host_at(r, tail.iova - r->iova);
		}
		if (r->iova < first) {
			r->size = first - r->iova;
			i++;
			if (r_last > last)
				return vfu_insert(map, i, &tail);
			continue;
		}
		if (r_last <= last) {
			vfu_remove(map, i);
			continue;
		}
		*r = tail;
		break;
	}
	return 0;
}

static bool vfu_continues(const struct vfu_range *a, const struct vfu_range *b)
{
	return a->iova + a->size == b->iova && a->access == b->access &&
	       a->host && a->host + a->size == b->host;
}

static int vfu_add(struct vfu_dma_map *map, const struct vfu_range *range)
{
	unsigned int at;
	int err;

	err = vfu_cut(map, range->iova, range->iova + (range->size - 1));
	if (err)
		return err;
	at = vfu_find(map, range->iova);
	if (at && vfu_continues(&map->ranges[at - 1], range)) {
		at--;
		map->ranges[at].size += range->size;
	} else {
		err = vfu_insert(map, at, range);
		if (err)
			return err;
	}
	if (at + 1 < map->n &&
	    vfu_continues(&map->ranges[at], &map->ranges[at + 1])) {
		map->ranges[at].size += map->ranges[at + 1].size;
		vfu_remove(map, at + 1);
	}
	return 0;
}

/* The file behind @fd, mapped; NULL if it cannot be. */
static const struct vfu_memory *vfu_memory(struct vfu_dma_map *map, int fd)
{
	struct vfu_memory *m;
	struct stat st;
	unsigned int i;

	if (fstat(fd, &st) || st.st_size <= 0)
		return NULL;
	for (i = 0; i < map->nmemory; i++)
		if (map->memory[i].dev == st.st_dev &&
		    map->memory[i].ino == st.st_ino)
			return &map->memory[i];
	if (map->nmemory == VFU_MEMORY_MAX)
		return NULL;
	m = realloc(map->memory, (map->nmemory + 1) * sizeof(*m));
	if (!m)
		return NULL;
	map->memory = m;
	m += map->nmemory;
	m->dev = st.st_dev;
	m->ino = st.st_ino;
	m->size = st.st_size;
	m->host = mmap(NULL, m->size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (m->host == MAP_FAILED)
		return NULL;
	map->nmemory++;
	return m;
}

static bool vfu_range_ok(__u64 iova, __u64 size)
{
	return size && iova + (size - 1) >= iova;
}

/* DMA_MAP: without a descriptor the range is known, but cannot be reached. */
int vfu_dma_map(struct vfu *f, struct vfu_msg *msg)
{
	const struct vfu_msg_dma_map *m = (struct vfu_msg_dma_map *)msg->body;
	struct vfu_range range;

	if (msg->len < sizeof(*m) || !vfu_range_ok(m->iova, m->size) ||
	    msg->nfds > 1)
		return -EINVAL;
	range = (struct vfu_range) { .iova = m->iova, .size = m->size };
	if (m->flags & VFIO_DMA_MAP_FLAG_READ)
		range.access |= VFU_DMA_READ;
	if (m->flags & VFIO_DMA_MAP_FLAG_WRITE)
		range.access |= VFU_DMA_WRITE;
	if (msg->nfds) {
		const struct vfu_memory *memory = vfu_memory(&f->dma,
							     msg->fds[0]);

		if (!memory || m->offset > memory->size ||
		    m->size > memory->size - m->offset)
			return -EINVAL;
		range.host = memory->host + m->offset;
	}
	return vfu_add(&f->dma, &range);
}

/* DMA_UNMAP: QEMU unmaps whole address spaces, whatever is in them. */
int vfu_dma_unmap(struct vfu *f, struct vfu_msg *msg)
{
	const struct vfu_msg_dma_unmap *m =
		(struct vfu_msg_dma_unmap *)msg->body;
	int err;

	if (msg->len < sizeof(*m))
		return -EINVAL;
	if (m->flags & VFIO_DMA_UNMAP_FLAG_ALL) {
		f->dma.n = 0;
		return sizeof(*m);
	}
	if (m->flags || !vfu_range_ok(m->iova, m->size))
		return -EINVAL;
	err = vfu_cut(&f->dma, m->iova, m->iova + (m->size - 1));
	return err ? err : (int)sizeof(*m);
}

/* The client left. */
void vfu_dma_clear(struct vfu *f)
{
	struct vfu_dma_map *map = &f->dma;
	unsigned int i;

	for (i = 0; i < map->nmemory; i++)
		munmap(map->memory[i].host, map->memory[i].size);
	free(map->memory);
	free(map->ranges);
	memset(map, 0, sizeof(*map));
}

/* The longest piece from @iova on, at most *@len. */
static void *vfu_piece(struct vfu *f, __u64 iova, __u64 *len,
		       unsigned int access)
{
	struct vfu_dma_map *map = &f->dma;
	const struct vfu_range *r;
	__u64 offset;

	if (map->last >= map->n || iova < map->ranges[map->last].iova ||
	    iova - map->ranges[map->last].iova >= map->ranges[map->last].size)
		map->last = vfu_find(map, iova);
	if (map->last >= map->n)
		return NULL;
	r = &map->ranges[map->last];
	if (r->iova > iova || !r->host || (r->access & access) != access)
		return NULL;
	offset = iova - r->iova;
	if (*len > r->size - offset)
		*len = r->size - offset;
	return r->host + offset;
}

/**
 * vfu_dma() - where is what the device reaches at an IOVA?
 * @f: the function
 * @iova: first byte
 * @len: bytes, more than 0
 * @access: bits of enum vfu_dma_access
 *
 * The VM maps page by page, so a page that is contiguous for the device need not be
 * so for us: ask for what lies within a page, or use vfu_dma_read().
 *
 * Return: a pointer, good until vfu_poll() is called again; NULL if the device
 * may not do that, or if the piece is not contiguous.
 */
void *vfu_dma(struct vfu *f, __u64 iova, __u64 len, unsigned int access)
{
	__u64 got = len;
	void *p = vfu_piece(f, iova, &got, access);

	return got == len && len ? p : NULL;
}

/*
 * The driver changes indices meanwhile: like a device on a bus, none is read or written in two
 * pieces. memcpy() takes two bytes as a word and a byte.
 */
static void vfu_copy(void *to, const void *from, __u64 n)
{
	bool aligned = !(((uintptr_t)to | (uintptr_t)from) & (n - 1));
	const __u16 *from16 = from;
	const __u32 *from32 = from;

	if (n == sizeof(*from16) && aligned)
		__atomic_store_n((__u16 *)to, __atomic_load_n(from16, __ATOMIC_RELAXED),
				 __ATOMIC_RELAXED);
	else if (n == sizeof(*from32) && aligned)
		__atomic_store_n((__u32 *)to, __atomic_load_n(from32, __ATOMIC_RELAXED),
				 __ATOMIC_RELAXED);
	else
		memcpy(to, from, n);
}

/**
 * vfu_dma_read() - the device reads memory
 * @f: the function
 * @iova: first byte
 * @buf: where to
 * @len: bytes
 *
 * Return: 0, or -EFAULT if a byte of it cannot be reached.
 */
int vfu_dma_read(struct vfu *f, __u64 iova, void *buf, __u64 len)
{
	__u8 *to = buf;

	while (len) {
		__u64 n = len;
		const void *from = vfu_piece(f, iova, &n, VFU_DMA_READ);

		if (!from)
			return -EFAULT;
		vfu_copy(to, from, n);
		to += n;
		iova += n;
		len -= n;
	}
	return 0;
}

/**
 * vfu_dma_write() - the device writes memory
 * @f: the function
 * @iova: first byte
 * @buf: what
 * @len: bytes
 *
 * Return: 0, or -EFAULT if a byte of it cannot be reached; those before it are
 * written.
 */
int vfu_dma_write(struct vfu *f, __u64 iova, const void *buf, __u64 len)
{
	const __u8 *from = buf;

	while (len) {
		__u64 n = len;
		void *to = vfu_piece(f, iova, &n, VFU_DMA_WRITE);

		if (!to)
			return -EFAULT;
		vfu_copy(to, from, n);
		from += n;
		iova += n;
		len -= n;
	}
	return 0;
}
