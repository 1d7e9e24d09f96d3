/* SPDX-License-Identifier: MIT
 * file/copy_data.c: copies a large file so that syncing it afterwards is short.
 */
#include "file/copy_data.h"

#include "base/io.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* Handed to the disk at a time, and how far the disk may lag behind. A long
 * queue of unwritten data cannot be interrupted and would make fsync long. */
#define CHUNK_LEN ((uint64_t)8 << 20)
#define LAG_LEN ((uint64_t)128 << 20)

bool wt_copy_clone(int src_fd, int dst_fd)
{
	return ioctl(dst_fd, FICLONE, src_fd) == 0;
}

/* One chunk; *use_range is cleared when the kernel does not offer it here. */
static int chunk_copy(
	int src_fd, int dst_fd, uint64_t offset, uint64_t len, bool *use_range)
{
	while (*use_range && len > 0) {
		off_t src_at = (off_t)offset;
		off_t dst_at = (off_t)offset;
		ssize_t got = copy_file_range(
			src_fd, &src_at, dst_fd, &dst_at, (size_t)len, 0);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0 &&
			(errno == ENOSPC || errno == EDQUOT || errno == EIO))
			return -1;
		/* Also 0: some file systems say so instead of an error. */
		if (got <= 0) {
			*use_range = false;
			break;
		}
		offset += (uint64_t)got;
		len -= (uint64_t)got;
	}
	return wt_io_copy(src_fd, offset, dst_fd, offset, len, NULL);
}

/* The next stretch of data at or behind offset; [len, len) when none is. */
static void data_find(int seek_fd, uint64_t offset, uint64_t len,
	uint64_t *ret_start, uint64_t *ret_end)
{
	off_t start = (off_t)offset;
	off_t end = (off_t)len;

	if (seek_fd >= 0) {
		start = lseek(seek_fd, (off_t)offset, SEEK_DATA);
		if (start < 0 && errno == ENXIO)
			start = (off_t)len;
		else if (start < 0)
			start = (off_t)offset;
		else
			end = lseek(seek_fd, start, SEEK_HOLE);
		if (end < 0 || end > (off_t)len)
			end = (off_t)len;
		if (start > (off_t)len)
			start = (off_t)len;
		/* Would never end; the file is being changed. */
		if (end <= start)
			end = (off_t)len;
	}
	*ret_start = (uint64_t)start;
	*ret_end = (uint64_t)end;
}

/* Waits for the disk, in parts, up to offset. Failing is left to fsync to
 * find: it reports the same errors, and knows more file systems. */
static void drain(int dst_fd, uint64_t *drained, uint64_t offset)
{
	for (; *drained < offset; *drained += CHUNK_LEN)
		(void)sync_file_range(dst_fd, (off_t)*drained, CHUNK_LEN,
			SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE |
				SYNC_FILE_RANGE_WAIT_AFTER);
}

static int copy_stretches(int src_fd, int seek_fd, int dst_fd, uint64_t len,
	_Atomic uint64_t *done)
{
	bool use_range = true;
	uint64_t drained = 0;
	uint64_t start = 0;
	uint64_t end = 0;

	for (uint64_t at = 0; at < len;) {
		uint64_t part = CHUNK_LEN;

		if (at >= end)
			data_find(seek_fd, at, len, &start, &end);
		if (at < start)
			at = start;
		if (part > end - at)
			part = end - at;
		if (part > 0 &&
			chunk_copy(src_fd, dst_fd, at, part, &use_range) != 0)
			return -1;
		if (part > 0)
			(void)sync_file_range(dst_fd, (off_t)at, (off_t)part,
				SYNC_FILE_RANGE_WRITE);
		at += part;
		if (done)
			atomic_store(done, at);
		if (at > drained + LAG_LEN)
			drain(dst_fd, &drained, at - LAG_LEN);
	}
	if (wt_io_truncate(dst_fd, len) != 0)
		return -1;
	drain(dst_fd, &drained, len);
	return 0;
}

/* What the child is to copy. */
struct copying {
	int src_fd, dst_fd;
	uint64_t len;
	const char *object;
	_Atomic uint64_t *done;
};

static enum wt_status copy_in_child(void *arg, struct wt_error *err)
{
	const struct copying *copying = arg;
	enum wt_status ret = WT_OK;
	char path[32];
	int seek_fd = -1;

	/* Looking for holes moves the offset, which others may be using. */
	snprintf(path, sizeof(path), "/proc/self/fd/%d", copying->src_fd);
	seek_fd = wt_io_open(AT_FDCWD, path, O_RDONLY, 0);
	if (copy_stretches(copying->src_fd, seek_fd, copying->dst_fd,
		    copying->len, copying->done) != 0)
		ret = wt_io_fail(err, copying->object, "cannot be copied");
	if (seek_fd >= 0)
		close(seek_fd);
	return ret;
}

enum wt_status wt_copy_data_start(int src_fd, int dst_fd, uint64_t len,
	const char *object, const volatile sig_atomic_t *cancel,
	_Atomic uint64_t *done, struct wt_child_job **ret_job,
	struct wt_error *err)
{
	const struct wt_child how = {.object = object,
		.died_status = WT_ERR_FILE,
		.died_code = "copy-died",
		.cancel = cancel};
	/* The child has its own copy of this. */
	struct copying copying = {.src_fd = src_fd,
		.dst_fd = dst_fd,
		.len = len,
		.object = object,
		.done = done};

	return wt_child_start(&how, copy_in_child, &copying, ret_job, err);
}
