/* SPDX-License-Identifier: MIT
 * wim/extract.c: takes hives and their logs out of a WIM. */
#include "wim/extract.h"

#include "base/digest.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define SECONDS_MAX 300

struct extraction {
	const char *path;
	const char *object;
	const struct wt_wim *wim;
	const int *images;
	size_t image_count;
	const struct wt_wim_options *options;
	const int *hives; /* one for each image; NULL: its logs are meant */
	const int *logs;  /* of the first image */
};

/* Through wimlib, which writes to a descriptor only when that is standard
 * output. */
static enum wt_status extract_file(const struct wt_wim_taking *taking,
	const char *path, int fd, struct wt_error *err)
{
	int code = 0;

	if (dup2(fd, STDOUT_FILENO) < 0)
		return wt_fail_errno(err, WT_ERR_FILE, "write-failed",
			taking->object, "cannot write what is in image %d",
			taking->image->index);
	code = wimlib_extract_paths(taking->wim, taking->image->index, "/",
		&path, 1,
		WIMLIB_EXTRACT_FLAG_TO_STDOUT | WIMLIB_EXTRACT_FLAG_NO_ACLS);
	if (code != 0)
		return wt_wim_fail(err, code, taking->object,
			"cannot read %s of image %d", path,
			taking->image->index);
	return WT_OK;
}

void wt_wim_take_start(struct wt_wim_taking *taking)
{
	const struct wt_wim_image *image = taking->image;
	struct wimlib_wim_info info = {0};

	taking->chunks.fd = -1;
	if (!image->is_hive_alone ||
		wimlib_get_wim_info(taking->wim, &info) != 0)
		return;
	taking->chunks = (struct wt_wim_chunks){
		.place = image->hive_place,
		.data_len = (size_t)image->hive_len,
		.chunk_len = info.chunk_size,
		.type = (enum wimlib_compression_type)info.compression_type,
	};
	if (wt_wim_chunks_open(&taking->chunks, taking->path))
		taking->unpacking = wt_wim_unpack_start(
			&taking->chunks, taking->fd, taking->processes);
}

enum wt_status wt_wim_take_finish(
	struct wt_wim_taking *taking, struct wt_error *err)
{
	bool is_taken = wt_wim_unpack_finish(taking->unpacking);

	taking->unpacking = NULL;
	wt_wim_chunks_close(&taking->chunks);
	if (is_taken)
		return WT_OK;
	if (ftruncate(taking->fd, 0) != 0)
		return wt_fail_errno(err, WT_ERR_FILE, "write-failed",
			taking->object, "cannot write what is in image %d",
			taking->image->index);
	return extract_file(taking, taking->image->hive_path, taking->fd, err);
}

static enum wt_status extract_image(WIMStruct *wim,
	const struct extraction *extraction, size_t i, struct wt_error *err)
{
	const struct wt_wim_image *image =
		&extraction->wim->images[extraction->images[i]];
	struct wt_wim_taking taking = {
		.wim = wim,
		.path = extraction->path,
		.object = extraction->object,
		.image = image,
		.fd = extraction->hives ? extraction->hives[i] : -1,
		.processes = wt_wim_threads(extraction->options),
	};
	enum wt_status ret = WT_OK;

	if (extraction->hives) {
		wt_wim_take_start(&taking);
		return wt_wim_take_finish(&taking, err);
	}
	for (size_t k = 0; ret == WT_OK && k < WT_HIVE_LOGS; k++)
		if (extraction->logs[k] >= 0)
			ret = extract_file(&taking, image->log_paths[k],
				extraction->logs[k], err);
	return ret;
}

static enum wt_status extract_in_child(void *arg, struct wt_error *err)
{
	const struct extraction *extraction = arg;
	enum wt_status ret = WT_OK;
	WIMStruct *wim = NULL;

	ret = wt_wim_open(extraction->path, WIMLIB_OPEN_FLAG_ERROR_IF_SPLIT,
		extraction->options, &wim, err);
	for (size_t i = 0; ret == WT_OK && i < extraction->image_count; i++)
		ret = extract_image(wim, extraction, i, err);
	return ret;
}

enum wt_status wt_wim_hive_check(const struct wt_wim_image *image, int hive_fd,
	const char *object, const volatile sig_atomic_t *cancel,
	struct wt_error *err)
{
	uint8_t sha1[WT_SHA1_LEN] = {0};
	enum wt_status ret = wt_digest_sha1(
		hive_fd, 0, WT_DIGEST_REST, object, cancel, sha1, err);

	if (ret != WT_OK)
		return ret;
	if (memcmp(sha1, image->hive_sha1, sizeof(sha1)) == 0)
		return WT_OK;
	wt_fail(err, WT_ERR_WIM, "wim-damaged", object,
		"is damaged: it does not have the hash that its image says");
	wt_error_hint(err, "copy or download the file again");
	return WT_ERR_WIM;
}

struct wt_sandbox wt_wim_reading_sandbox(
	const char *path, const int *fds, size_t fd_count)
{
	return (struct wt_sandbox){
		.fds = fds,
		.fd_count = fds ? fd_count : 0,
		.read_path = path,
		.writes = true,
		.forks = true,
	};
}

static enum wt_status extract(struct extraction *extraction, const char *path,
	const struct wt_wim_options *options, const int *fds, size_t fd_count,
	struct wt_error *err)
{
	const struct wt_sandbox sandbox =
		wt_wim_reading_sandbox(path, fds, fd_count);

	extraction->path = path;
	extraction->options = options;
	return wt_wim_child_run(extraction->object, SECONDS_MAX, options,
		&sandbox, extract_in_child, extraction, err);
}

enum wt_status wt_wim_extract(const char *path, const struct wt_wim *wim,
	const int *images, size_t image_count,
	const struct wt_wim_options *options, int *ret_hives,
	struct wt_error *err)
{
	struct extraction extraction = {
		.object = wt_wim_object(path, options),
		.wim = wim,
		.images = images,
		.image_count = image_count,
	};
	enum wt_status ret = WT_OK;
	int *hives = NULL;

	hives = calloc(image_count + 1, sizeof(*hives));
	if (!hives)
		return wt_fail_memory(err);
	for (size_t i = 0; i < image_count; i++)
		hives[i] = -1;
	for (size_t i = 0; ret == WT_OK && i < image_count; i++)
		ret = wt_io_memory_file(
			"hive", extraction.object, &hives[i], err);
	extraction.hives = hives;
	if (ret == WT_OK)
		ret = extract(
			&extraction, path, options, hives, image_count, err);
	if (ret == WT_OK)
		memcpy(ret_hives, hives, image_count * sizeof(*hives));
	else
		wt_wim_fds_close(hives, image_count);
	free(hives);
	return ret;
}

enum wt_status wt_wim_extract_logs(const char *path, const struct wt_wim *wim,
	int image, uint64_t max_len, const struct wt_wim_options *options,
	int ret_logs[WT_HIVE_LOGS], struct wt_error *err)
{
	const uint64_t *lens = wim->images[image].log_lens;
	int logs[WT_HIVE_LOGS] = {-1, -1, -1};
	struct extraction extraction = {
		.object = wt_wim_object(path, options),
		.wim = wim,
		.images = &image,
		.image_count = 1,
		.logs = logs,
	};
	enum wt_status ret = WT_OK;
	bool has_log = false;

	for (size_t i = 0; ret == WT_OK && i < WT_HIVE_LOGS; i++) {
		if (lens[i] == 0 || lens[i] > max_len)
			continue;
		has_log = true;
		ret = wt_io_memory_file(
			"log", extraction.object, &logs[i], err);
	}
	if (ret == WT_OK && has_log)
		ret = extract(
			&extraction, path, options, logs, WT_HIVE_LOGS, err);
	if (ret == WT_OK)
		memcpy(ret_logs, logs, sizeof(logs));
	else
		wt_wim_fds_close(logs, WT_HIVE_LOGS);
	return ret;
}

void wt_wim_fds_close(int *fds, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (fds[i] >= 0)
			close(fds[i]);
		fds[i] = -1;
	}
}
