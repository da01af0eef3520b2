// SPDX-License-Identifier: GPL-2.0
/* Arguments: sizes, flags, page sizes, ranges, pointers. */
#include <fcntl.h>
#include <stdint.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "tests.h"

#define RANGES_MAX	512

TAP_TEST(node, 0)
{
	struct stat st;
	int fd = test_open();
	char c;

	CHECK_OK(stat(opts.path, &st));
	CHECK(S_ISCHR(st.st_mode), "not a character device");
	CHECK((st.st_mode & 07777) == 0600, "mode %o", st.st_mode);
	CHECK_IS(read(fd, &c, 1) < 0 ? -errno : 0, -EINVAL);
	CHECK_IS(write(fd, &c, 1) < 0 ? -errno : 0, -EINVAL);
	CHECK(mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0) == MAP_FAILED, "it can be mapped");
	CHECK_ERR(dirty_ioctl(fd, _IO(VMDEV_IOC_TYPE, 4), bitmap), -ENOTTY);
	CHECK_ERR(dirty_ioctl(fd, _IO(0xAF, 1), bitmap), -ENOTTY);
}

TAP_TEST(info, 0)
{
	struct vmdev_dirty_info info;
	int fd = test_open();

	CHECK_OK(dirty_info(fd, &info));
	CHECK(info.argsz == sizeof(info), "argsz %u", info.argsz);
	CHECK(!info.flags, "flags %#x", info.flags);
	CHECK(info.page_sizes == 0x3ff000, "page sizes %#llx", info.page_sizes);
	CHECK(info.ranges_max == RANGES_MAX, "%u ranges", info.ranges_max);
	CHECK(info.bytes_max >= 64 * MIB, "%llu bytes", info.bytes_max);
	CHECK(info.address_spaces >= 1, "%u address spaces", info.address_spaces);
	CHECK(!info.active, "active %#llx", info.active);
	CHECK_OK(start(fd, 0));
	CHECK_OK(dirty_info(fd, &info));
	CHECK(info.active == 1, "active %#llx", info.active);
}

/* Of any ioctl: @args is good, and @size long. */
static void bad_heads(int fd, unsigned long cmd, const void *args, __u32 size)
{
	union {
		struct {
			__u32 argsz;
			__u32 flags;
		};
		__u8 bytes[2 * 4096];
	} a = { 0 };
	__u32 i;
	void *end;

	memcpy(&a, args, size);
	for (i = 0; i < size; i++) {
		a.argsz = i;
		CHECK_ERR(dirty_ioctl(fd, cmd, &a), -EINVAL);
	}
	for (i = 0; i < 32; i++) {
		memcpy(&a, args, size);
		a.flags = 1U << i;
		CHECK_ERR(dirty_ioctl(fd, cmd, &a), -EINVAL);
	}
	memcpy(&a, args, size);
	a.argsz = size + 8;
	a.bytes[size + 7] = 1;
	CHECK_ERR(dirty_ioctl(fd, cmd, &a), -E2BIG);
	a.bytes[size + 7] = 0;
	a.argsz = 4097;
	CHECK_ERR(dirty_ioctl(fd, cmd, &a), -E2BIG);
	a.argsz = ~0U;
	CHECK_ERR(dirty_ioctl(fd, cmd, &a), -E2BIG);
	CHECK_ERR(dirty_ioctl(fd, cmd, NULL), -EFAULT);
	CHECK_ERR(dirty_ioctl(fd, cmd, (void *)-8L), -EFAULT);

	/* It ends behind its first half, and at the end of memory. */
	end = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(end != MAP_FAILED, "mmap");
	CHECK_OK(munmap(end + PAGE, PAGE));
	end += PAGE - 8;
	memcpy(end, args, 8);
	CHECK_ERR(dirty_ioctl(fd, cmd, end), -EFAULT);
	CHECK_ERR(dirty_ioctl(fd, cmd, end + 4), -EFAULT);

	/* Longer than the kernel knows, and nothing new in it. */
	memcpy(&a, args, size);
	a.argsz = size + 8;
	CHECK_OK(dirty_ioctl(fd, cmd, &a));
}

TAP_TEST(heads, 0)
{
	const struct vmdev_dirty_iova_range range = { LOG_IOVA, LOG_SIZE };
	struct vmdev_dirty_info info = { .argsz = sizeof(info) };
	struct vmdev_dirty_start begin = {
		.argsz = sizeof(begin), .num_ranges = 1, .page_size = PAGE,
		.ranges = (uintptr_t)&range,
	};
	struct vmdev_dirty_report rep = {
		.argsz = sizeof(rep), .iova = LOG_IOVA, .length = LOG_SIZE,
		.page_size = PAGE, .bitmap = (uintptr_t)bitmap,
	};
	struct vmdev_dirty_stop end = { .argsz = sizeof(end) };
	int fd = test_open();

	CHECK(sizeof(info) == 40 && sizeof(begin) == 32 && sizeof(rep) == 48 && sizeof(end) == 16,
	      "structures have other sizes");
	bad_heads(fd, VMDEV_DIRTY_INFO, &info, sizeof(info));
	bad_heads(fd, VMDEV_DIRTY_START, &begin, sizeof(begin));
	bad_heads(fd, VMDEV_DIRTY_REPORT, &rep, sizeof(rep));
	rep.reserved = 1;
	CHECK_ERR(dirty_ioctl(fd, VMDEV_DIRTY_REPORT, &rep), -EINVAL);
	end.reserved = 1;
	CHECK_ERR(dirty_ioctl(fd, VMDEV_DIRTY_STOP, &end), -EINVAL);
	end.reserved = 0;
	bad_heads(fd, VMDEV_DIRTY_STOP, &end, sizeof(end));
	CHECK_ERR(report(fd, 0), -ENOENT);
}

/* START of one range, and STOP; the page size that it got, or an error. */
static long page_size_of(int fd, __u64 page_size, __u64 iova, __u64 length)
{
	const struct vmdev_dirty_iova_range range = { iova, length };
	int ret = dirty_start(fd, 0, &page_size, &range, 1);

	if (ret)
		return ret;
	CHECK_OK(dirty_stop(fd, 0));
	return page_size;
}

TAP_TEST(page_sizes, 0)
{
	int fd = test_open();
	__u64 size;

	for (size = PAGE; size <= 2 * MIB; size *= 2)
		CHECK_IS(page_size_of(fd, size, LOG_IOVA, LOG_SIZE), (long)size);
	CHECK_IS(page_size_of(fd, 1, LOG_IOVA, LOG_SIZE), 4096);
	CHECK_IS(page_size_of(fd, 1 << 30, LOG_IOVA, LOG_SIZE), 2 * (long)MIB);
	CHECK_ERR(page_size_of(fd, 0, LOG_IOVA, LOG_SIZE), -EINVAL);
	CHECK_ERR(page_size_of(fd, 3 * PAGE, LOG_IOVA, 3 * LOG_SIZE), -EINVAL);
	CHECK_ERR(page_size_of(fd, ~0ULL, LOG_IOVA, LOG_SIZE), -EINVAL);
	/* Too many of them: larger ones, until that does not help. */
	CHECK_IS(page_size_of(fd, PAGE, 0, 1ULL << 43), 8192);
	CHECK_ERR(page_size_of(fd, PAGE, 0, 1ULL << 60), -E2BIG);
	CHECK_ERR(page_size_of(fd, 2 * MIB, 0, -2 * MIB), -E2BIG);
}

TAP_TEST(ranges, 0)
{
	static struct vmdev_dirty_iova_range r[RANGES_MAX + 1];
	__u64 size = PAGE;
	int fd = test_open(), i;

	CHECK_ERR(page_size_of(fd, PAGE, LOG_IOVA, 0), -EINVAL);
	CHECK_ERR(page_size_of(fd, PAGE, LOG_IOVA, 0x800), -EINVAL);
	CHECK_ERR(page_size_of(fd, PAGE, LOG_IOVA + 0x800, PAGE), -EINVAL);
	CHECK_ERR(page_size_of(fd, 2 * PAGE, LOG_IOVA + PAGE, 2 * PAGE), -EINVAL);
	CHECK_ERR(page_size_of(fd, PAGE, -PAGE, 2 * PAGE), -EOVERFLOW);
	CHECK_IS(page_size_of(fd, PAGE, -PAGE, PAGE), (long)PAGE);

	CHECK_ERR(dirty_start(fd, 0, &size, r, 0), -EINVAL);
	r[0] = (struct vmdev_dirty_iova_range) { 4 * PAGE, 2 * PAGE };
	r[1] = (struct vmdev_dirty_iova_range) { 3 * PAGE, 2 * PAGE };
	CHECK_ERR(dirty_start(fd, 0, &size, r, 2), -EINVAL);
	for (i = 0; i <= RANGES_MAX; i++)
		r[i] = (struct vmdev_dirty_iova_range) { 2 * PAGE * (RANGES_MAX - i), PAGE };
	CHECK_ERR(dirty_start(fd, 0, &size, r, RANGES_MAX + 1), -E2BIG);
	CHECK_ERR(dirty_start(fd, 0, &size, r, ~0U), -E2BIG);
	CHECK_ERR(dirty_start(fd, 0, &size, NULL, 1), -EFAULT);
	CHECK_ERR(dirty_start(fd, 0, &size, (void *)-64L, 4), -EFAULT);
	CHECK_ERR(dirty_start(fd, 64, &size, r, 1), -EINVAL);
	CHECK_ERR(dirty_start(fd, ~0U, &size, r, 1), -EINVAL);
	CHECK_ERR(report(fd, 0), -ENOENT);
	CHECK_OK(dirty_start(fd, 0, &size, r, RANGES_MAX));
	CHECK_OK(dirty_report(fd, 0, 8 * PAGE, PAGE, PAGE, bitmap));
	CHECK_ERR(dirty_report(fd, 0, 9 * PAGE, PAGE, PAGE, bitmap), -ERANGE);
}

TAP_TEST(report_ranges, 0)
{
	int fd = test_started();

	CHECK_OK(report(fd, 0));
	CHECK_OK(dirty_report(fd, 0, LOG_IOVA, 2 * MIB, 2 * MIB, bitmap));
	CHECK_ERR(dirty_report(fd, 0, LOG_IOVA, 0, PAGE, bitmap), -EINVAL);
	CHECK_ERR(dirty_report(fd, 0, LOG_IOVA + 1, PAGE, PAGE, bitmap), -EINVAL);
	CHECK_ERR(dirty_report(fd, 0, LOG_IOVA, PAGE + 1, PAGE, bitmap), -EINVAL);
	CHECK_ERR(dirty_report(fd, 0, LOG_IOVA + PAGE, 2 * PAGE, 2 * PAGE, bitmap), -EINVAL);
	CHECK_ERR(dirty_report(fd, 0, LOG_IOVA, LOG_SIZE, 0, bitmap), -EINVAL);
	CHECK_ERR(dirty_report(fd, 0, LOG_IOVA, LOG_SIZE, PAGE / 2, bitmap), -EINVAL);
	CHECK_ERR(dirty_report(fd, 0, LOG_IOVA, LOG_SIZE, 3 * PAGE, bitmap), -EINVAL);
	CHECK_ERR(dirty_report(fd, 0, LOG_IOVA, LOG_SIZE, 4 * MIB, bitmap), -EINVAL);
	CHECK_ERR(dirty_report(fd, 0, LOG_IOVA, LOG_SIZE, PAGE, (void *)bitmap + 4), -EINVAL);
	CHECK_ERR(dirty_report(fd, 0, -PAGE, 2 * PAGE, PAGE, bitmap), -EOVERFLOW);
	CHECK_ERR(dirty_report(fd, 0, LOG_IOVA - PAGE, LOG_SIZE, PAGE, bitmap), -ERANGE);
	CHECK_ERR(dirty_report(fd, 0, LOG_IOVA, LOG_SIZE + PAGE, PAGE, bitmap), -ERANGE);
	CHECK_ERR(dirty_report(fd, 0, LOG_IOVA + LOG_SIZE, PAGE, PAGE, bitmap), -ERANGE);
	CHECK_ERR(dirty_report(fd, 64, LOG_IOVA, LOG_SIZE, PAGE, bitmap), -EINVAL);
	CHECK_ERR(dirty_report(fd, ~0U, LOG_IOVA, LOG_SIZE, PAGE, bitmap), -EINVAL);
	/* Nothing is dirty, so nothing is written. */
	CHECK_OK(dirty_report(fd, 0, LOG_IOVA, LOG_SIZE, PAGE, NULL));
}

TAP_TEST(bits_stay, 0)
{
	int fd = test_started();
	size_t i;

	memset(bitmap, 0xa5, sizeof(bitmap));
	CHECK_OK(report(fd, 0));
	for (i = 0; i < sizeof(bitmap); i++)
		CHECK(((__u8 *)bitmap)[i] == 0xa5, "byte %zu", i);
}
