/* SPDX-License-Identifier: MIT
 * file/patch.c: writes what a finished edit changes. */
#include "file/patch.h"

#include "base/buf.h"
#include "base/child.h"
#include "base/io.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define COMPARE_LEN ((size_t)256 << 10)
/* A small file is compared and written in pages of this size, which is also
 * the unit of a hive's bins. */
#define PAGE_LEN ((size_t)4096)

/* Adds a page to the extents, joined to the last one where they touch. */
static enum wt_status page_add(struct wt_patch *patch, uint64_t offset,
	uint64_t len, int src_fd, struct wt_error *err)
{
	size_t count = patch->extent_count;
	struct wt_extent *last = count > 0 ? &patch->extents[count - 1] : NULL;
	struct wt_extent *extents = NULL;

	if (last && last->offset + last->len == offset &&
		offset != patch->old_len) {
		last->len += len;
		return WT_OK;
	}
	extents = wt_array_grow(patch->extents, count, sizeof(*extents));
	if (!extents)
		return wt_fail_memory(err);
	patch->extents = extents;
	extents[patch->extent_count++] = (struct wt_extent){.offset = offset,
		.len = len,
		.src_fd = src_fd,
		.src_offset = offset};
	return WT_OK;
}

enum wt_status wt_workfile_diff(const struct wt_workfile *file, int new_fd,
	struct wt_patch *ret_patch, struct wt_error *err)
{
	struct wt_patch patch = {.old_len = file->len};
	char old_page[PAGE_LEN], new_page[PAGE_LEN];
	size_t old_len = 0, new_len = 0;
	struct stat found = {0};
	enum wt_status ret = WT_OK;

	if (fstat(new_fd, &found) != 0)
		return wt_io_fail(err, file->path, "cannot be compared");
	patch.new_len = (uint64_t)found.st_size;
	for (uint64_t at = 0; ret == WT_OK && at < patch.new_len;
		at += PAGE_LEN) {
		ret = wt_io_read_some(file->fd, old_page, PAGE_LEN, at,
			file->path, &old_len, err);
		if (ret == WT_OK)
			ret = wt_io_read_some(new_fd, new_page, PAGE_LEN, at,
				file->path, &new_len, err);
		if (ret == WT_OK &&
			(old_len != new_len ||
				memcmp(old_page, new_page, new_len) != 0))
			ret = page_add(&patch, at, new_len, new_fd, err);
	}
	if (ret == WT_OK)
		*ret_patch = patch;
	else
		free(patch.extents);
	return ret;
}

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

static int patch_compare(const struct wt_patch *patch, int fd,
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
		ret = patch_compare(patch, fresh_fd, part, cancel);
	saved = errno;
	if (fresh_fd >= 0)
		close(fresh_fd);
	errno = saved;
	/* Locks that are mandatory (SMB) keep out all but the first one. */
	if (ret != 0 && (fresh_fd < 0 || errno == EACCES))
		ret = patch_compare(patch, fd, part, cancel);
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
