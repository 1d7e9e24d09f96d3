/* SPDX-License-Identifier: MIT
 * wim/extract.c: takes hives and their logs out of a WIM. */
#include "wim/extract.h"

#include "base/digest.h"
#include "base/text.h"

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
	struct wt_wim_hive *hives;
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
			taking->image);
	code = wimlib_extract_paths(taking->wim, taking->image, "/", &path, 1,
		WIMLIB_EXTRACT_FLAG_TO_STDOUT | WIMLIB_EXTRACT_FLAG_NO_ACLS);
	if (code != 0)
		return wt_wim_fail(err, code, taking->object,
			"cannot read %s of image %d", path, taking->image);
	return WT_OK;
}

void wt_wim_take_start(struct wt_wim_taking *taking)
{
	const struct wt_wim_found *found = &taking->found;
	struct wimlib_wim_info info = {0};

	taking->chunks.fd = -1;
	if (!found->is_compressed_alone ||
		wimlib_get_wim_info(taking->wim, &info) != 0)
		return;
	taking->chunks = (struct wt_wim_chunks){
		.place = found->resource,
		.data_len = (size_t)found->len,
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
			taking->image);
	return extract_file(taking, taking->found.path, taking->fd, err);
}

static enum wt_status extract_image(WIMStruct *wim,
	const struct extraction *extraction, size_t i, struct wt_error *err)
{
	const struct wt_wim_hive *hive = &extraction->hives[i];
	const struct wt_wim_image *image =
		&extraction->wim->images[extraction->images[i]];
	struct wt_error hive_error = {0};
	struct wt_wim_taking taking = {
		.wim = wim,
		.path = extraction->path,
		.object = extraction->object,
		.image = image->index,
		.fd = hive->hive_fd,
		.processes = wt_wim_threads(extraction->options),
	};
	enum wt_status ret = wt_wim_find(wim, image->index, extraction->object,
		&taking.found, &hive_error, err);

	if (ret != WT_OK)
		return ret;
	wt_wim_take_start(&taking);
	ret = wt_wim_take_finish(&taking, err);
	for (size_t k = 0; ret == WT_OK && k < WT_HIVE_LOGS; k++)
		if (hive->log_fds[k] >= 0 &&
			taking.found.log_paths[k][0] != '\0')
			ret = extract_file(&taking, taking.found.log_paths[k],
				hive->log_fds[k], err);
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
	char text[WT_SHA1_HEX_LEN + 1] = "";
	enum wt_status ret = wt_digest_sha1(
		hive_fd, 0, WT_DIGEST_REST, object, cancel, sha1, err);

	if (ret != WT_OK)
		return ret;
	wt_text_hex(sha1, WT_SHA1_LEN, text);
	if (strcmp(text, image->hive_sha1) == 0)
		return WT_OK;
	wt_fail(err, WT_ERR_WIM, "wim-damaged", object,
		"is damaged: it does not have the hash that its image says");
	wt_error_hint(err, "copy or download the file again");
	return WT_ERR_WIM;
}

struct wt_sandbox wt_wim_reading_sandbox(
	const char *path, const struct wt_wim_hive *hives, size_t hive_count)
{
	/* The hives are an array of descriptors, and nothing else. */
	static_assert(sizeof(*hives) == (1 + WT_HIVE_LOGS) * sizeof(int),
		"struct wt_wim_hive has other members");

	return (struct wt_sandbox){
		.fds = (const int *)(const void *)hives,
		.fd_count = hives ? hive_count * (1 + WT_HIVE_LOGS) : 0,
		.read_path = path,
		.writes = true,
		.forks = true,
	};
}

static enum wt_status open_memory(const struct wt_wim_image *image,
	const char *object, struct wt_wim_hive *hive, struct wt_error *err)
{
	enum wt_status ret =
		wt_io_memory_file("hive", object, &hive->hive_fd, err);

	for (size_t i = 0; ret == WT_OK && i < WT_HIVE_LOGS; i++) {
		/* A log longer than any hive is none. */
		if (image->log_lens[i] == 0 || image->log_lens[i] > WT_HIVE_MAX)
			continue;
		ret = wt_io_memory_file("log", object, &hive->log_fds[i], err);
	}
	return ret;
}

enum wt_status wt_wim_extract(const char *path, const struct wt_wim *wim,
	const int *images, size_t image_count,
	const struct wt_wim_options *options, struct wt_wim_hive *ret_hives,
	struct wt_error *err)
{
	const struct wt_wim_hive none = {-1, {-1, -1, -1}};
	struct extraction extraction = {
		.path = path,
		.object = wt_wim_object(path, options),
		.wim = wim,
		.images = images,
		.image_count = image_count,
		.options = options,
	};
	struct wt_sandbox sandbox = {0};
	struct wt_wim_hive *hives = NULL;
	enum wt_status ret = WT_OK;

	hives = calloc(image_count > 0 ? image_count : 1, sizeof(*hives));
	if (!hives)
		return wt_fail_memory(err);
	for (size_t i = 0; i < image_count; i++)
		hives[i] = none;
	for (size_t i = 0; ret == WT_OK && i < image_count; i++)
		ret = open_memory(&wim->images[images[i]], extraction.object,
			&hives[i], err);
	if (ret != WT_OK)
		goto out;
	extraction.hives = hives;
	sandbox = wt_wim_reading_sandbox(path, hives, image_count);
	ret = wt_wim_child_run(extraction.object, SECONDS_MAX, options,
		&sandbox, extract_in_child, &extraction, err);
	if (ret != WT_OK)
		goto out;
	for (size_t i = 0; i < image_count; i++) {
		ret_hives[i] = hives[i];
		hives[i] = none; /* the caller's now */
	}
out:
	wt_wim_hives_close(hives, image_count);
	free(hives);
	return ret;
}

void wt_wim_hives_close(struct wt_wim_hive *hives, size_t hive_count)
{
	for (size_t i = 0; i < hive_count; i++) {
		if (hives[i].hive_fd >= 0)
			close(hives[i].hive_fd);
		hives[i].hive_fd = -1;
		for (size_t k = 0; k < WT_HIVE_LOGS; k++) {
			if (hives[i].log_fds[k] >= 0)
				close(hives[i].log_fds[k]);
			hives[i].log_fds[k] = -1;
		}
	}
}
