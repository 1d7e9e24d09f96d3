/* SPDX-License-Identifier: MIT
 * wim/append/skeleton.c: a sparse stand-in for a WIM that wimlib appends to. */
#include "wim/append/skeleton.h"

#include "base/digest.h"
#include "wim/lib.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define COPY_LEN ((size_t)1 << 18)

static enum wt_status fail_write(const char *path, struct wt_error *err)
{
	bool is_full = errno == ENOSPC || errno == EDQUOT;
	enum wt_status ret = wt_fail_errno(err, WT_ERR_FILE,
		is_full ? "no-space" : "write-failed", path, "cannot write");

	if (is_full)
		wt_error_hint(err, "set TMPDIR to a folder with more room");
	return ret;
}

static enum wt_status copy_extent(int src, const struct wt_wim_extent *extent,
	const struct wt_wim_skeleton *skeleton, uint8_t *buf,
	const char *object, struct wt_error *err)
{
	uint64_t end = extent->offset + extent->len;
	uint64_t offset = extent->offset;

	if (end > skeleton->len)
		end = skeleton->len;
	while (offset < end) {
		size_t len = end - offset < COPY_LEN ? (size_t)(end - offset)
						     : COPY_LEN;
		enum wt_status ret =
			wt_io_read_all(src, buf, len, offset, object, err);

		if (ret != WT_OK)
			return ret;
		ret = wt_io_write_all(
			skeleton->fd, buf, len, offset, skeleton->path, err);
		if (ret != WT_OK) {
			wt_error_hint(
				err, "set TMPDIR to a folder with more room");
			return ret;
		}
		offset += len;
	}
	return WT_OK;
}

static enum wt_status copy_extents(const struct wt_wim_skeleton *skeleton,
	const char *path, const struct wt_wim_extent *extents,
	size_t extent_count, const char *object, struct wt_error *err)
{
	enum wt_status ret = WT_OK;
	uint8_t *buf = NULL;
	int src = -1;

	buf = malloc(COPY_LEN);
	if (!buf)
		return wt_fail_memory(err);
	src = open(path, O_RDONLY | O_CLOEXEC);
	if (src < 0)
		ret = wt_fail_errno(err, WT_ERR_FILE, "open-failed", object,
			"cannot open it");
	for (size_t i = 0; ret == WT_OK && i < extent_count; i++)
		ret = copy_extent(src, &extents[i], skeleton, buf, object, err);
	if (src >= 0)
		close(src);
	free(buf);
	return ret;
}

static enum wt_status sum(const struct wt_wim_skeleton *skeleton,
	const struct wt_wim_extent *extent, uint8_t ret_sha1[WT_SHA1_LEN],
	struct wt_error *err)
{
	return wt_digest_sha1(skeleton->fd, extent->offset, extent->len,
		skeleton->path, NULL, ret_sha1, err);
}

/* wimlib keeps the integrity table's sums of whole chunks, but sums the last
 * one anew: damage in it would get a fresh sum. */
static enum wt_status check_last_chunk(const struct wt_wim_skeleton *skeleton,
	const char *object, struct wt_error *err)
{
	uint8_t stored[WT_SHA1_LEN] = {0};
	uint8_t actual[WT_SHA1_LEN] = {0};
	struct wt_wim_header header = {0};
	struct wt_wim_extent chunk = {0};
	enum wt_status ret = WT_OK;
	uint64_t sum_at = 0;

	ret = wt_wim_header_read(
		skeleton->fd, object, &header, NULL, NULL, err);
	if (ret == WT_OK)
		ret = wt_wim_last_chunk(
			skeleton->fd, &header, object, &chunk, &sum_at, err);
	if (ret != WT_OK || chunk.len == 0)
		return ret;
	ret = wt_io_read_all(
		skeleton->fd, stored, sizeof(stored), sum_at, object, err);
	if (ret == WT_OK)
		ret = sum(skeleton, &chunk, actual, err);
	if (ret != WT_OK || memcmp(stored, actual, sizeof(stored)) == 0)
		return ret;
	wt_fail(err, WT_ERR_WIM, "wim-integrity", object,
		"is damaged: its last %llu bytes of data do not have the sum "
		"in its integrity table",
		(unsigned long long)chunk.len);
	wt_error_hint(err, "copy or download the file again");
	return WT_ERR_WIM;
}

/* An integrity table: the sums of chunks of one length. */
struct sums {
	uint8_t *bytes;
	uint64_t count, chunk_len;
};

static enum wt_status sums_read(int fd, const struct wt_wim_header *header,
	const char *object, struct sums *sums, struct wt_error *err)
{
	const struct wt_wim_resource *table = &header->integrity;
	enum wt_status ret = WT_OK;

	sums->bytes = calloc(1, (size_t)table->len + WT_WIM_SUMS_OFFSET);
	if (!sums->bytes)
		return wt_fail_memory(err);
	ret = wt_io_read_all(fd, sums->bytes, (size_t)table->len, table->offset,
		object, err);
	sums->count = wt_get32(sums->bytes + 4);
	sums->chunk_len = wt_get32(sums->bytes + 8);
	if (ret == WT_OK &&
		(sums->chunk_len == 0 ||
			sums->count * WT_SHA1_LEN + WT_WIM_SUMS_OFFSET >
				table->len))
		ret = wt_fail(err, WT_ERR_WIM, "wim-integrity", object,
			"its integrity table does not fit the file");
	return ret;
}

/* What the sum is of: the table ends where the blob table ends. */
static struct wt_wim_extent summed(
	const struct wt_wim_header *header, const struct sums *sums, uint64_t i)
{
	uint64_t end = header->blob_table.offset + header->blob_table.len;
	struct wt_wim_extent chunk = {
		.offset = WT_WIM_HEADER_LEN + i * sums->chunk_len,
		.len = sums->chunk_len};

	if (chunk.offset >= end)
		chunk.len = 0;
	else if (chunk.len > end - chunk.offset)
		chunk.len = end - chunk.offset;
	return chunk;
}

/* A chunk that is as long as before has the same sum, another one's bytes are
 * all in the skeleton. */
static enum wt_status sum_check(const struct wt_wim_skeleton *skeleton,
	const struct sums *before, uint64_t old_len, const struct sums *after,
	uint64_t i, const struct wt_wim_extent *chunk, bool *ret_is_right,
	struct wt_error *err)
{
	const uint8_t *stored =
		after->bytes + WT_WIM_SUMS_OFFSET + i * WT_SHA1_LEN;
	uint8_t actual[WT_SHA1_LEN] = {0};
	enum wt_status ret = WT_OK;

	if (i < before->count && old_len == chunk->len)
		memcpy(actual,
			before->bytes + WT_WIM_SUMS_OFFSET + i * WT_SHA1_LEN,
			sizeof(actual));
	else
		ret = sum(skeleton, chunk, actual, err);
	*ret_is_right = ret == WT_OK && chunk->len > 0 &&
			memcmp(actual, stored, sizeof(actual)) == 0;
	return ret;
}

enum wt_status wt_wim_skeleton_check_sums(
	const struct wt_wim_skeleton *skeleton, int old_fd,
	const struct wt_wim_header *old, const struct wt_wim_header *new,
	bool *ret_is_right, struct wt_error *err)
{
	struct sums before = {0}, after = {0};
	enum wt_status ret =
		sums_read(old_fd, old, skeleton->path, &before, err);

	if (ret == WT_OK)
		ret = sums_read(skeleton->fd, new, skeleton->path, &after, err);
	*ret_is_right = ret == WT_OK && before.chunk_len == after.chunk_len;
	for (uint64_t i = 0; *ret_is_right && i < after.count; i++) {
		const struct wt_wim_extent chunk = summed(new, &after, i);

		ret = sum_check(skeleton, &before, summed(old, &before, i).len,
			&after, i, &chunk, ret_is_right, err);
	}
	if (*ret_is_right)
		*ret_is_right = summed(new, &after, after.count).len == 0;
	free(before.bytes);
	free(after.bytes);
	return ret;
}

enum wt_status wt_wim_skeleton_new(const char *path, const struct wt_wim *wim,
	const struct wt_wim_options *options,
	struct wt_wim_skeleton *ret_skeleton, struct wt_error *err)
{
	struct wt_wim_skeleton skeleton = {.fd = -1};
	const char *object = wt_wim_object(path, options);
	enum wt_status ret = WT_OK;

	skeleton.len = wim->info.used_len;
	if (snprintf(skeleton.path, sizeof(skeleton.path), "%s/skeleton.wim",
		    options->temp_folder) >= (int)sizeof(skeleton.path))
		return wt_fail(err, WT_ERR_FILE, "write-failed",
			options->temp_folder, "is too long a path");
	skeleton.fd = open(
		skeleton.path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (skeleton.fd < 0)
		return wt_fail_errno(err, WT_ERR_FILE, "write-failed",
			skeleton.path, "cannot make it");
	if (ftruncate(skeleton.fd, (off_t)skeleton.len) != 0)
		ret = fail_write(skeleton.path, err);
	if (ret == WT_OK)
		ret = copy_extents(&skeleton, path, wim->extents,
			wim->extent_count, object, err);
	if (ret == WT_OK)
		ret = check_last_chunk(&skeleton, object, err);
	if (ret != WT_OK) {
		wt_wim_skeleton_free(&skeleton);
		return ret;
	}
	*ret_skeleton = skeleton;
	return WT_OK;
}

enum wt_status wt_wim_skeleton_fill(const struct wt_wim_skeleton *skeleton,
	const char *path, const struct wt_wim_extent *extent,
	const char *object, struct wt_error *err)
{
	return copy_extents(skeleton, path, extent, 1, object, err);
}

void wt_wim_skeleton_free(struct wt_wim_skeleton *skeleton)
{
	unlink(skeleton->path);
	if (skeleton->fd >= 0)
		close(skeleton->fd);
	skeleton->fd = -1;
}

static enum wt_status fail_append(
	const char *object, const char *what, struct wt_error *err)
{
	wt_fail(err, WT_ERR_WIM, "wim-append", object,
		"what wimlib wrote is not as expected: %s", what);
	wt_error_hint(err, "the file was not changed; please report this with "
			   "wimlib's version");
	return WT_ERR_WIM;
}

/* The old part that wimlib read is still the same as in the WIM. */
static enum wt_status compare_old(const struct wt_wim_skeleton *skeleton,
	int src, const struct wt_wim *wim, const char *object,
	struct wt_error *err)
{
	uint8_t *buf = malloc(2 * COPY_LEN);
	enum wt_status ret = WT_OK;

	if (!buf)
		return wt_fail_memory(err);
	for (size_t i = 0; i < wim->extent_count; i++) {
		uint64_t offset = wim->extents[i].offset;
		uint64_t end = offset + wim->extents[i].len;

		if (offset < WT_WIM_HEADER_LEN)
			offset = WT_WIM_HEADER_LEN;
		if (end > skeleton->len)
			end = skeleton->len;
		while (ret == WT_OK && offset < end) {
			size_t len = end - offset < COPY_LEN
					     ? (size_t)(end - offset)
					     : COPY_LEN;

			ret = wt_io_read_all(
				src, buf, len, offset, object, err);
			if (ret == WT_OK)
				ret = wt_io_read_all(skeleton->fd,
					buf + COPY_LEN, len, offset,
					skeleton->path, err);
			if (ret == WT_OK &&
				memcmp(buf, buf + COPY_LEN, len) != 0)
				ret = fail_append(object,
					"bytes before the old end differ", err);
			offset += len;
		}
		if (ret != WT_OK)
			break;
	}
	free(buf);
	return ret;
}

static enum wt_status check_header(const struct wt_wim_header *old,
	const struct wt_wim_header *new, uint64_t old_len, uint64_t new_len,
	const char *object, struct wt_error *err)
{
	const struct wt_wim_resource *moved[] = {
		&new->blob_table, &new->xml, &new->integrity};

	if (new->flags != old->flags || new->version != old->version ||
		new->chunk_len != old->chunk_len ||
		memcmp(new->guid, old->guid, sizeof(new->guid)) != 0)
		return fail_append(object, "another header", err);
	if (new->image_count != old->image_count ||
		new->boot_index != old->boot_index)
		return fail_append(object, "other images", err);
	if ((new->integrity.len > 0) != (old->integrity.len > 0))
		return fail_append(object, "the integrity table", err);
	for (size_t i = 0; i < sizeof(moved) / sizeof(moved[0]); i++)
		if (moved[i]->len > 0 && moved[i]->offset < old_len)
			return fail_append(object, "a table's place", err);
	if (new->used_len != new_len)
		return fail_append(object, "the length", err);
	return WT_OK;
}

enum wt_status wt_wim_skeleton_check(const struct wt_wim_skeleton *skeleton,
	const char *path, const struct wt_wim *wim,
	const struct wt_wim_options *options, uint64_t *ret_new_len,
	struct wt_error *err)
{
	const char *object = wt_wim_object(path, options);
	struct wt_wim_header old = {0};
	struct wt_wim_header new = {0};
	enum wt_status ret = WT_OK;
	struct stat by_path = {0};
	struct stat by_fd = {0};
	uint64_t new_len = 0;
	int src = -1;

	src = open(path, O_RDONLY | O_CLOEXEC);
	if (src < 0)
		return wt_fail_errno(err, WT_ERR_FILE, "open-failed", object,
			"cannot open it");
	/* Instead of appending wimlib may have written another file. */
	if (stat(skeleton->path, &by_path) != 0 ||
		fstat(skeleton->fd, &by_fd) != 0 ||
		!wt_io_is_same(&by_path, &by_fd)) {
		ret = fail_append(object, "another file", err);
		goto out;
	}
	ret = wt_wim_header_read(src, object, &old, NULL, NULL, err);
	if (ret != WT_OK)
		goto out;
	ret = wt_wim_header_read(
		skeleton->fd, object, &new, NULL, &new_len, err);
	if (ret != WT_OK)
		goto out;
	ret = check_header(&old, &new, skeleton->len, new_len, object, err);
	if (ret != WT_OK)
		goto out;
	ret = compare_old(skeleton, src, wim, object, err);
	if (ret == WT_OK)
		*ret_new_len = new_len;
out:
	close(src);
	return ret;
}
