/* SPDX-License-Identifier: MIT
 * file/patch.c: writes what a finished edit changes. */
#include "file/patch.h"

#include "base/child.h"
#include "base/io.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define COMPARE_LEN ((size_t)256 << 10)

enum wt_status wt_patch_check(const struct wt_patch *patch, uint64_t file_len,
	const char *object, struct wt_error *err)
{
	uint64_t end = 0;

	for (size_t i = 0; i < patch->extent_count; i++) {
		const struct wt_extent *extent = &patch->extents[i];

		if (extent->offset < end ||
			extent->len > INT64_MAX - extent->offset ||
			extent->offset + extent->len > patch->new_len)
			return wt_fail(err, WT_ERR_FILE, "bad-patch", object,
				"the change is not in order at byte %llu",
				(unsigned long long)extent->offset);
		end = extent->offset + extent->len;
	}
	if (patch->old_len == file_len)
		return WT_OK;
	wt_fail(err, WT_ERR_FILE, "changed", object,
		"has %llu bytes and not %llu as when it was read",
		(unsigned long long)file_len,
		(unsigned long long)patch->old_len);
	wt_error_hint(err, "try again; nothing was changed by this run");
	return WT_ERR_FILE;
}

/* The stretch of an extent that belongs to part; false when none does. */
static bool stretch_of(const struct wt_patch *patch, size_t i,
	enum wt_patch_part part, struct wt_extent *ret_stretch)
{
	struct wt_extent stretch = patch->extents[i];
	uint64_t replaced = 0;

	if (stretch.offset < patch->old_len)
		replaced = patch->old_len - stretch.offset;
	if (replaced > stretch.len)
		replaced = stretch.len;
	if (part == WT_PATCH_TAIL) {
		stretch.offset += replaced;
		stretch.src_offset += replaced;
		stretch.len -= replaced;
	} else if (part == WT_PATCH_REPLACED) {
		stretch.len = replaced;
	}
	*ret_stretch = stretch;
	return stretch.len > 0;
}

int wt_patch_write(const struct wt_patch *patch, int fd,
	enum wt_patch_part part, const volatile sig_atomic_t *cancel)
{
	struct wt_extent stretch = {0};

	for (size_t i = 0; i < patch->extent_count; i++) {
		if (stretch_of(patch, i, part, &stretch) &&
			wt_io_copy(stretch.src_fd, stretch.src_offset, fd,
				stretch.offset, stretch.len, cancel) != 0)
			return -1;
	}
	return 0;
}

static int stretch_compare(const struct wt_extent *stretch, int fd,
	uint8_t *buffer, const volatile sig_atomic_t *cancel)
{
	for (uint64_t at = 0; at < stretch->len;) {
		size_t len = COMPARE_LEN;

		if (len > stretch->len - at)
			len = (size_t)(stretch->len - at);
		if (wt_cancel_number(cancel) != 0) {
			errno = EINTR;
			return -1;
		}
		if (wt_io_read(stretch->src_fd, buffer, len,
			    stretch->src_offset + at) != 0 ||
			wt_io_read(fd, buffer + COMPARE_LEN, len,
				stretch->offset + at) != 0)
			return -1;
		if (memcmp(buffer, buffer + COMPARE_LEN, len) != 0) {
			errno = EIO;
			return -1;
		}
		at += len;
	}
	return 0;
}

int wt_patch_compare(const struct wt_patch *patch, int fd,
	enum wt_patch_part part, const volatile sig_atomic_t *cancel)
{
	uint8_t *buffer = malloc(2 * COMPARE_LEN);
	struct wt_extent stretch = {0};
	int saved = 0;
	int ret = 0;

	if (!buffer)
		return -1;
	for (size_t i = 0; ret == 0 && i < patch->extent_count; i++) {
		if (stretch_of(patch, i, part, &stretch))
			ret = stretch_compare(&stretch, fd, buffer, cancel);
	}
	saved = errno;
	free(buffer);
	errno = saved;
	return ret;
}

int wt_patch_compare_afresh(const struct wt_patch *patch, int fd,
	enum wt_patch_part part, const volatile sig_atomic_t *cancel)
{
	int fresh_fd = -1, saved = 0, ret = -1;
	char path[64] = "";

	for (size_t i = 0; i < patch->extent_count; i++)
		(void)posix_fadvise(fd, (off_t)patch->extents[i].offset,
			(off_t)patch->extents[i].len, POSIX_FADV_DONTNEED);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	fresh_fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fresh_fd >= 0)
		ret = wt_patch_compare(patch, fresh_fd, part, cancel);
	saved = errno;
	if (fresh_fd >= 0)
		close(fresh_fd);
	errno = saved;
	/* Locks that are mandatory (SMB) keep out all but the first one. */
	if (ret != 0 && (fresh_fd < 0 || errno == EACCES))
		ret = wt_patch_compare(patch, fd, part, cancel);
	return ret;
}

enum wt_status wt_patch_fail(const volatile sig_atomic_t *cancel,
	const char *object, const char *reason, struct wt_error *err)
{
	int saved = errno;
	enum wt_status ret = wt_cancelled(cancel, err);

	errno = saved;
	if (ret != WT_OK)
		return ret;
	return wt_io_fail(err, object, "%s", reason);
}
