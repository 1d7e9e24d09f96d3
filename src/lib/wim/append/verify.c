/* SPDX-License-Identifier: MIT
 * wim/append/verify.c: reads back what was put into a skeleton. */
#include "base/digest.h"
#include "wim/append/append.h"
#include "wim/append/tables.h"
#include "wim/describe.h"
#include "wim/extract.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define SECONDS_MAX 300

/* What the hives that are read back at one time may take in memory; a longer
 * one is read back alone. */
#define READ_BACK_MAX ((off_t)32 << 20)

static enum wt_status not_as_given(
	const struct wt_wim_append *append, struct wt_error *err)
{
	return wt_fail(err, WT_ERR_WIM, "wim-append", append->object,
		"the hive read back from %s is not the one that was put there",
		append->skeleton->path);
}

/* Does one hive that was put into the skeleton decompress to what was given?
 * One process beside wimlib's, which takes longer. */
static enum wt_status placed_verify(const struct wt_wim_append *append,
	const struct wt_wim_header *header, size_t i, struct wt_error *err)
{
	struct wt_wim_chunks chunks = {
		.place = append->placed[i],
		.data_len = (size_t)lseek(append->puts[i].hive_fd, 0, SEEK_END),
		.chunk_len = header->chunk_len,
		.type = wt_wim_chunks_type(header),
	};
	uint8_t sha1[WT_SHA1_LEN] = {0};
	bool is_right = wt_wim_chunks_open(&chunks, append->skeleton->path) &&
			wt_wim_chunks_sha1(&chunks, sha1) &&
			memcmp(sha1, append->sha1s[i], sizeof(sha1)) == 0;

	wt_wim_chunks_close(&chunks);
	return is_right ? WT_OK : not_as_given(append, err);
}

/* Hives that stand in the skeleton before wimlib runs, and its header of then:
 * wimlib writes another one meanwhile. */
struct placed {
	const struct wt_wim_append *append;
	struct wt_wim_header header;
};

static enum wt_status placed_in_child(void *arg, struct wt_error *err)
{
	const struct placed *placed = arg;
	const struct wt_wim_append *append = placed->append;
	enum wt_status ret = WT_OK;

	for (size_t i = 0; ret == WT_OK && i < append->put_count; i++)
		if (append->placed[i].len > 0)
			ret = placed_verify(append, &placed->header, i, err);
	return ret;
}

enum wt_status wt_wim_verify_placed(const struct wt_wim_append *append,
	struct wt_child_job **ret_job, struct wt_error *err)
{
	const struct wt_sandbox sandbox = wt_wim_append_sandbox(append);
	/* The child has its own copy of this. */
	struct placed placed = {.append = append};
	enum wt_status ret = WT_OK;
	bool is_any = false;

	for (size_t i = 0; i < append->put_count; i++)
		is_any |= append->placed[i].len > 0;
	if (!is_any)
		return WT_OK;
	ret = wt_wim_header_read(append->skeleton->fd, append->object,
		&placed.header, NULL, NULL, err);
	if (ret != WT_OK)
		return ret;
	return wt_wim_child_start(append->object, SECONDS_MAX, append->options,
		&sandbox, placed_in_child, &placed, ret_job, err);
}

/* Was it read back by wt_wim_verify_placed()? */
static bool is_placed(const struct wt_wim_append *append,
	const struct wt_wim_put *put, const struct wt_wim_extent *resource)
{
	const struct wt_wim_extent *place = &append->placed[put - append->puts];

	return place->len > 0 && place->offset == resource->offset &&
	       place->len == resource->len;
}

/* Is what an image holds now what was given? */
static enum wt_status taken_verify(const struct wt_wim_append *append, size_t i,
	struct wt_wim_taking *taking, struct wt_error *err)
{
	uint8_t sha1[WT_SHA1_LEN] = {0};
	enum wt_status ret = WT_OK;

	ret = wt_io_memory_file("hive", append->object, &taking->fd, err);
	if (ret != WT_OK)
		return ret;
	wt_wim_take_start(taking);
	ret = wt_wim_take_finish(taking, err);
	if (ret == WT_OK)
		ret = wt_digest_sha1(taking->fd, 0, WT_DIGEST_REST,
			append->object, NULL, sha1, err);
	if (ret == WT_OK && memcmp(sha1, append->sha1s[i], sizeof(sha1)) != 0)
		ret = not_as_given(append, err);
	close(taking->fd);
	return ret;
}

/* Does the hive that the image names have the hash of the one given, and does
 * what stands in the file have that hash? */
static enum wt_status verify_put(WIMStruct *wim,
	const struct wt_wim_append *append, const struct wt_wim_put *put,
	struct wt_error *err)
{
	const struct wt_wim_image *image = &append->wim->images[put->image];
	struct wt_wim_image now = {.index = image->index};
	struct wt_wim_taking taking = {
		.wim = wim,
		.path = append->skeleton->path,
		.object = append->object,
		.image = &now,
		.processes = wt_wim_threads(append->options),
	};
	size_t i = (size_t)(put - append->puts);
	enum wt_status ret = wt_wim_find(wim, append->object, &now, err);

	if (ret != WT_OK)
		return ret;
	if (strcmp(now.hive_path, image->hive_path) != 0)
		return wt_fail(err, WT_ERR_WIM, "wim-append", append->object,
			"wimlib wrote image %d without its hive", image->index);
	/* wimlib writes nothing when the WIM holds the same bytes already,
	 * as another image's hive for example. */
	if (now.hive_place.offset < append->skeleton->len) {
		ret = wt_wim_skeleton_fill(append->skeleton, append->path,
			&now.hive_place, append->object, err);
		if (ret != WT_OK)
			return ret;
	}
	if (memcmp(append->sha1s[i], now.hive_sha1, WT_SHA1_LEN) != 0)
		return wt_fail(err, WT_ERR_WIM, "wim-append", append->object,
			"the hive that wimlib wrote to image %d is not the "
			"one it was given",
			image->index);
	if (is_placed(append, put, &now.hive_place))
		return WT_OK;
	return taken_verify(append, i, &taking, err);
}

/* An image that was not changed must have the hive that it had. */
static enum wt_status verify_kept(WIMStruct *wim,
	const struct wt_wim_append *append, const struct wt_wim_image *image,
	struct wt_error *err)
{
	struct wt_wim_image now = {.index = image->index};
	enum wt_status ret = wt_wim_find(wim, append->object, &now, err);

	if (ret != WT_OK)
		return ret;
	if (strcmp(now.hive_path, image->hive_path) == 0 &&
		memcmp(now.hive_sha1, image->hive_sha1, WT_SHA1_LEN) == 0)
		return WT_OK;
	return wt_fail(err, WT_ERR_WIM, "wim-append", append->object,
		"wimlib changed image %d, which it should not", image->index);
}

/* Do the XML data still say the same of it? */
static enum wt_status verify_description(WIMStruct *wim,
	const struct wt_wim_append *append, int image, struct wt_error *err)
{
	const struct wt_wim_image *before = &append->wim->images[image];
	struct wt_wim_image now = {.index = before->index};
	enum wt_status ret = wt_wim_describe(wim, &now, err);

	if (ret != WT_OK)
		return ret;
	if (strcmp(now.name, before->name) == 0 &&
		strcmp(now.description, before->description) == 0 &&
		strcmp(now.arch, before->arch) == 0 &&
		strcmp(now.version, before->version) == 0)
		return WT_OK;
	return wt_fail(err, WT_ERR_WIM, "wim-append", append->object,
		"what wimlib wrote of image %d is not what it said before",
		before->index);
}

static enum wt_status verify_image(WIMStruct *wim,
	const struct wt_wim_append *append, int image, struct wt_error *err)
{
	enum wt_status ret = verify_description(wim, append, image, err);

	if (ret != WT_OK)
		return ret;
	for (size_t i = 0; i < append->put_count; i++)
		if (append->puts[i].image == image)
			return verify_put(wim, append, &append->puts[i], err);
	return verify_kept(wim, append, &append->wim->images[image], err);
}

/* The images from first to the one before last, and who looks at them. */
struct share {
	const struct wt_wim_append *append;
	int first, last;
	struct wt_child_job *job;
};

static enum wt_status verify_in_child(void *arg, struct wt_error *err)
{
	const struct share *share = arg;
	const struct wt_wim_append *append = share->append;
	enum wt_status ret = WT_OK;
	WIMStruct *wim = NULL;

	ret = wt_wim_open(
		append->skeleton->path, 0, append->options, &wim, err);
	for (int i = share->first; ret == WT_OK && i < share->last; i++)
		ret = verify_image(wim, append, i, err);
	return ret;
}

static enum wt_status tables_in_child(void *arg, struct wt_error *err)
{
	const struct share *share = arg;

	return wt_wim_tables_check(share->append, err);
}

static enum wt_status shares_start(struct share *shares, int count,
	const struct wt_wim_append *append, struct wt_error *err)
{
	int images = append->wim->info.image_count;
	const struct wt_sandbox sandbox = wt_wim_append_sandbox(append);
	enum wt_status ret = WT_OK;

	for (int i = 0; ret == WT_OK && i < count; i++) {
		struct share *share = &shares[i];
		/* The last one looks at the tables. */
		wt_child_fn *fn =
			i + 1 < count ? verify_in_child : tables_in_child;

		*share = (struct share){.append = append,
			.first = images * i / (count - 1),
			.last = images * (i + 1) / (count - 1)};
		ret = wt_wim_child_start(append->object, SECONDS_MAX,
			append->options, &sandbox, fn, share, &share->job, err);
	}
	return ret;
}

/* Each process reads one hive back at a time. */
static int process_count(const struct wt_wim_append *append)
{
	int count = (int)wt_wim_threads(append->options);
	off_t longest = 1;

	for (size_t i = 0; i < append->put_count; i++) {
		off_t len = lseek(append->puts[i].hive_fd, 0, SEEK_END);

		longest = len > longest ? len : longest;
	}
	if (count > append->wim->info.image_count)
		count = append->wim->info.image_count;
	if (count > READ_BACK_MAX / longest)
		count = (int)(READ_BACK_MAX / longest);
	return count > 0 ? count : 1;
}

enum wt_status wt_wim_verify(
	const struct wt_wim_append *append, struct wt_error *err)
{
	struct share shares[WT_WIM_THREADS_MAX + 1] = {{0}};
	int count = process_count(append) + 1;
	enum wt_status ret = WT_OK;

	ret = shares_start(shares, count, append, err);
	for (int i = 0; i < count; i++)
		ret = wt_child_end(shares[i].job, ret, err);
	return ret;
}
