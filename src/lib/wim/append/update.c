/* SPDX-License-Identifier: MIT
 * wim/append/update.c: puts hives into a skeleton by wimlib_update_image(). */
#include "wim/append/append.h"

#include "wim/append/stamp.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

/*
 * wimlib's default level for LZX is 50, at which compressing the hive takes
 * most of the run. A hive of 10.8 MB with the metadata of 16,000 files, time
 * of all processors for the whole run and bytes appended:
 *
 *   level   1     0.33 s   5.41 MB
 *          10     0.36 s   5.03 MB
 *          20     0.40 s   4.99 MB
 *          30     0.47 s   4.97 MB
 *
 * Below 10 the file grows faster than the time shrinks. LZMS becomes fast
 * below 35.
 */

/* A solid resource is compressed in chunks of 64 MiB by default, for which
 * LZMS takes some 600 MB of memory a thread. Bytes. */
#define SOLID_CHUNK_LEN ((uint32_t)4 << 20)

#define SECONDS_MAX 900

void wt_wim_set_compression(WIMStruct *wim, const struct wt_wim *info)
{
	wimlib_set_default_compression_level(-1, WT_WIM_COMPRESSION_LEVEL);
	if (info->info.is_solid)
		wimlib_set_output_pack_chunk_size(wim, SOLID_CHUNK_LEN);
}

/* wimlib marks a file with holes as sparse, which no hive is. */
static enum wt_status fill_holes(
	int fd, const char *object, struct wt_error *err)
{
	struct stat st = {0};

	if (fstat(fd, &st) != 0 ||
		((uint64_t)st.st_blocks * 512 < (uint64_t)st.st_size &&
			fallocate(fd, 0, 0, st.st_size) != 0))
		return wt_fail_errno(err, WT_ERR_FILE, "no-memory", object,
			"cannot hold the new hive in memory");
	return WT_OK;
}

static enum wt_status add(WIMStruct *wim, const struct wt_wim_append *append,
	const struct wt_wim_put *put, struct wt_error *err)
{
	const struct wt_wim_image *image = &append->wim->images[put->image];
	char target[WT_WIM_PATH_MAX] = "";
	char source[64] = "";
	struct wimlib_update_command command = {
		.op = WIMLIB_UPDATE_OP_ADD,
		.add.fs_source_path = source,
		.add.wim_target_path = target,
		.add.add_flags =
			WIMLIB_ADD_FLAG_DEREFERENCE | WIMLIB_ADD_FLAG_NORPFIX,
	};
	enum wt_status ret = fill_holes(put->hive_fd, append->object, err);
	int code = 0;

	if (ret != WT_OK)
		return ret;
	if (wt_wim_stamp_file(append->options, put->hive_fd) != 0)
		return wt_fail_errno(err, WT_ERR_FILE, "write-failed",
			append->object, "cannot set the time of the new hive");
	snprintf(source, sizeof(source), "/proc/self/fd/%d", put->hive_fd);
	snprintf(target, sizeof(target), "%s", image->hive_path);
	errno = 0;
	code = wimlib_update_image(wim, image->index, &command, 1, 0);
	if (code != 0)
		return wt_wim_fail(err, code, append->object,
			"cannot put %s into image %d", target, image->index);
	return WT_OK;
}

static enum wt_status update_in_child(void *arg, struct wt_error *err)
{
	const struct wt_wim_append *append = arg;
	enum wt_status ret = WT_OK;
	WIMStruct *wim = NULL;
	int code = 0;

	ret = wt_wim_open(append->skeleton->path, WIMLIB_OPEN_FLAG_WRITE_ACCESS,
		append->options, &wim, err);
	if (ret != WT_OK)
		return ret;
	wt_wim_set_compression(wim, append->wim);
	for (size_t i = 0; ret == WT_OK && i < append->put_count; i++)
		ret = add(wim, append, &append->puts[i], err);
	if (ret != WT_OK)
		return ret;
	errno = 0;
	code = wimlib_overwrite(wim, 0, wt_wim_threads(append->options));
	if (code != 0)
		ret = wt_wim_fail(err, code, append->skeleton->path,
			"cannot append to it");
	if (code == WIMLIB_ERR_WRITE)
		wt_error_hint(err, "set TMPDIR to a folder with more room");
	if (ret == WT_OK)
		ret = wt_wim_stamp_xml(append, err);
	return ret;
}

/* What is lost with them is known, and nothing else may be. */
static enum wt_status check_streams(
	const struct wt_wim_append *append, struct wt_error *err)
{
	for (size_t i = 0; i < append->put_count; i++) {
		const struct wt_wim_image *image =
			&append->wim->images[append->puts[i].image];

		if (image->stream_count <= WT_HIVE_STREAMS_MAX)
			continue;
		wt_fail(err, WT_ERR_WIM, "wim-streams", append->object,
			"the hive of image %d has %u alternate data streams, "
			"which update would lose; at most %d may be",
			image->index, image->stream_count, WT_HIVE_STREAMS_MAX);
		wt_error_hint(err, "--access mount keeps them");
		return WT_ERR_WIM;
	}
	return WT_OK;
}

enum wt_status wt_wim_update(
	const struct wt_wim_append *append, struct wt_error *err)
{
	const struct wt_sandbox sandbox = wt_wim_append_sandbox(append);
	enum wt_status ret = check_streams(append, err);

	if (ret != WT_OK)
		return ret;
	return wt_wim_child_run(append->object, SECONDS_MAX, append->options,
		&sandbox, update_in_child, (void *)(uintptr_t)append, err);
}
