/* SPDX-License-Identifier: MIT
 * wim/read.c: what is in a WIM: its header, its images, their hives. */
#include "base/text.h"
#include "wim/describe.h"
#include "wim/extract.h"
#include "wim/header.h"
#include "wim/xml.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* More solid resources and images than any real file has. */
#define EXTENTS_MAX 2048
/* A solid resource begins with 16 bytes that wimlib reads on opening. */
#define SOLID_HEADER_LEN 16

#define SECONDS_MAX 300

/* What the child tells. Hostile input may control it, and what it started:
 * each part is checked after it was copied. */
struct findings {
	struct wt_wim_image images[WT_WIM_IMAGES_MAX];
	uint8_t has_taken[WT_WIM_IMAGES_MAX]; /* the hive is in its memfd */
	_Atomic(uint64_t) taken_len;
	/* Of each image, in their order. */
	struct wt_wim_resource metadata[WT_WIM_IMAGES_MAX];
	size_t metadata_count;
	struct wt_wim_extent extents[EXTENTS_MAX];
	_Atomic(size_t) extent_count;
	uint8_t has_too_many_extents;
	uint64_t stored_len; /* of all that the blob table names */
};

struct reading {
	const char *path;
	const char *object;
	const struct wt_wim_options *options;
	const struct wt_wim_header *header;
	int fd;	    /* for what is read without wimlib */
	int *hives; /* one an image; NULL: none is taken out */
	struct findings *findings;
};

/* @return true if the index is past the last image */
static bool add_extent(struct findings *findings, uint64_t offset, uint64_t len)
{
	for (size_t i = 0; i < findings->extent_count; i++)
		if (findings->extents[i].offset == offset &&
			findings->extents[i].len == len)
			return false;
	if (findings->extent_count == EXTENTS_MAX) {
		findings->has_too_many_extents = true;
		return false;
	}
	findings->extents[findings->extent_count++] =
		(struct wt_wim_extent){.offset = offset, .len = len};
	return true;
}

static int on_blob(const struct wimlib_resource_entry *blob, void *ctx)
{
	struct findings *findings = ctx;
	bool is_new = true;

	if (blob->is_metadata && findings->metadata_count++ < WT_WIM_IMAGES_MAX)
		findings->metadata[findings->metadata_count -
				   1] = (struct wt_wim_resource){
			.offset = blob->offset,
			.len = blob->compressed_size,
			.original_len = blob->uncompressed_size,
			.flags = WT_WIM_RESOURCE_METADATA |
				 (blob->is_compressed
						 ? WT_WIM_RESOURCE_COMPRESSED
						 : 0),
		};
	if (blob->packed)
		is_new = add_extent(findings, blob->raw_resource_offset_in_wim,
			blob->is_metadata ? blob->raw_resource_compressed_size
					  : SOLID_HEADER_LEN);
	else if (blob->is_metadata)
		add_extent(findings, blob->offset, blob->compressed_size);
	/* Many blobs may share a solid resource; what no image refers to any
	 * more is a hole, though the table still names it. */
	if (blob->packed ? is_new
			 : blob->is_metadata || blob->reference_count > 0)
		findings->stored_len +=
			blob->packed ? blob->raw_resource_compressed_size
				     : blob->compressed_size;
	return 0;
}

static enum wt_status read_image(WIMStruct *wim, const struct reading *reading,
	struct wt_wim_image *image, struct wt_error *err)
{
	enum wt_status ret = wt_wim_describe(wim, image, err);

	if (ret != WT_OK)
		return ret;
	image->is_boot = reading->header->boot_index == (uint32_t)image->index;
	return wt_wim_find(wim, reading->object, image, err);
}

/* A hive that is too long for what may be taken, or cannot be read, is left to
 * wt_wim_extract(), which also says what is wrong. */
static bool is_to_take(
	const struct reading *reading, const struct wt_wim_image *image)
{
	_Atomic(uint64_t) *taken_len = &reading->findings->taken_len;
	uint64_t len = image->hive_len;

	if (!reading->hives || image->hive_path[0] == '\0' ||
		len > WT_WIM_READ_HIVES_MAX ||
		!reading->options->wants_hive(
			reading->options->wants_ctx, image))
		return false;
	if (atomic_fetch_add(taken_len, len) <= WT_WIM_READ_HIVES_MAX - len)
		return true;
	atomic_fetch_sub(taken_len, len);
	return false;
}

static void take_finish(
	const struct reading *reading, struct wt_wim_taking *taking)
{
	if (taking->image)
		reading->findings->has_taken[taking->image->index - 1] =
			wt_wim_take_finish(taking, NULL) == WT_OK;
	taking->image = NULL;
}

/* Some of the images, and the child that reads them. */
struct share {
	const struct reading *reading;
	WIMStruct *wim;
	uint32_t first, last; /* without the last */
	unsigned processes;   /* for what each decompresses */
	struct wt_child_job *job;
};

/* While one image's hive is decompressed, the next one's metadata is read. */
static enum wt_status read_share(void *arg, struct wt_error *err)
{
	const struct share *share = arg;
	const struct reading *reading = share->reading;
	struct wt_wim_taking taking = {0};
	enum wt_status ret = WT_OK;

	for (uint32_t i = share->first; i < share->last; i++) {
		struct wt_wim_image *image = &reading->findings->images[i];

		ret = read_image(share->wim, reading, image, err);
		take_finish(reading, &taking);
		if (ret != WT_OK)
			return ret;
		if (!is_to_take(reading, image))
			continue;
		taking = (struct wt_wim_taking){.wim = share->wim,
			.path = reading->path,
			.object = reading->object,
			.image = image,
			.fd = reading->hives[i],
			.processes = share->processes};
		wt_wim_take_start(&taking);
	}
	take_finish(reading, &taking);
	return WT_OK;
}

/* Distributes the images over children, which inherit the open WIM. This
 * process does the first share. */
static enum wt_status read_images(
	WIMStruct *wim, const struct reading *reading, struct wt_error *err)
{
	struct share shares[WT_WIM_THREADS_MAX] = {{0}};
	uint32_t images = reading->header->image_count;
	unsigned threads = wt_wim_threads(reading->options);
	uint32_t count = threads < images ? threads : images;
	const struct wt_sandbox sandbox = wt_wim_reading_sandbox(
		reading->path, reading->hives, reading->header->image_count);
	enum wt_status ret = WT_OK;

	for (uint32_t i = 0; ret == WT_OK && i < count; i++) {
		shares[i] = (struct share){.reading = reading,
			.wim = wim,
			.first = images * i / count,
			.last = images * (i + 1) / count,
			.processes = threads / count};
		if (i > 0)
			ret = wt_wim_child_start(reading->object, SECONDS_MAX,
				reading->options, &sandbox, read_share,
				&shares[i], &shares[i].job, err);
	}
	if (ret == WT_OK && count > 0)
		ret = read_share(&shares[0], err);
	for (uint32_t i = 1; i < count; i++)
		ret = wt_child_end(shares[i].job, ret, err);
	return ret;
}

static enum wt_status read_in_child(void *arg, struct wt_error *err)
{
	const struct reading *reading = arg;
	enum wt_status ret = WT_OK;
	WIMStruct *wim = NULL;
	int flags = WIMLIB_OPEN_FLAG_ERROR_IF_SPLIT;
	int code = 0;

	if (reading->options->check_integrity)
		flags |= WIMLIB_OPEN_FLAG_CHECK_INTEGRITY;
	ret = wt_wim_xml_check_file(
		reading->fd, reading->header, reading->object, err);
	if (ret == WT_OK)
		ret = wt_wim_open(
			reading->path, flags, reading->options, &wim, err);
	for (uint32_t i = 0; i < reading->header->image_count; i++)
		reading->findings->images[i].index = (int)i + 1;
	if (ret != WT_OK || reading->options->skip_images)
		return ret;
	code = wimlib_iterate_lookup_table(wim, 0, on_blob, reading->findings);
	if (code != 0)
		return wt_wim_fail(err, code, reading->object,
			"cannot read its blob table");
	return read_images(wim, reading, err);
}

static void fill_info(const struct wt_wim_header *header, uint64_t len,
	struct wt_wim_info *info)
{
	static const struct {
		uint32_t flag;
		const char *name;
	} compressions[] = {
		{WT_WIM_FLAG_LZMS, "LZMS"},
		{WT_WIM_FLAG_LZX, "LZX"},
		{WT_WIM_FLAG_XPRESS, "XPRESS"},
		{WT_WIM_FLAG_XPRESS_2, "XPRESS"},
	};
	const char *compression = "None";

	for (size_t i = sizeof(compressions) / sizeof(compressions[0]); i > 0;
		i--)
		if ((header->flags & WT_WIM_FLAG_COMPRESSED) &&
			(header->flags & compressions[i - 1].flag))
			compression = compressions[i - 1].name;
	*info = (struct wt_wim_info){
		.len = len,
		.used_len = header->used_len,
		.chunk_len = header->chunk_len,
		.image_count = (int)header->image_count,
		.boot_index = (int)header->boot_index,
		.has_integrity_table = header->integrity.len > 0,
		.is_interrupted =
			(header->flags & WT_WIM_FLAG_WRITE_IN_PROGRESS) != 0,
		.is_pipable = header->is_pipable,
		.is_solid = header->is_solid,
		.is_read_only = (header->flags & WT_WIM_FLAG_READ_ONLY) != 0,
		.is_ordered = wt_wim_header_is_ordered(header),
		.part = header->part,
		.part_count = header->part_count,
	};
	snprintf(info->compression, sizeof(info->compression), "%s",
		compression);
	wt_text_hex(header->guid, sizeof(header->guid), info->guid);
}

/* What lies between the resources belongs to nothing. Resources that overlap
 * leave no holes that could be told. */
static void fill_unused(const struct findings *findings,
	const struct wt_wim_header *header, struct wt_wim_info *info)
{
	uint64_t used = WT_WIM_HEADER_LEN + findings->stored_len +
			header->blob_table.len + header->xml.len +
			header->integrity.len;

	if (findings->stored_len > 0 && findings->stored_len < info->len &&
		used < info->used_len)
		info->unused_len = info->used_len - used;
}

static void add_header_extents(
	const struct wt_wim_header *header, struct findings *findings)
{
	const struct wt_wim_resource *resources[] = {
		&header->blob_table,
		&header->xml,
		&header->boot_metadata,
		&header->integrity,
	};

	add_extent(findings, 0, WT_WIM_HEADER_LEN);
	for (size_t i = 0; i < sizeof(resources) / sizeof(resources[0]); i++)
		if (resources[i]->len > 0)
			add_extent(findings, resources[i]->offset,
				resources[i]->len);
}

/* The header says twice which image starts: by its number, and by where its
 * metadata stands. Who starts Windows may take either. */
static void boot_check(const struct findings *findings,
	const struct wt_wim_header *header, struct wt_wim *wim)
{
	struct wt_wim_resource meant = {0};

	/* Left alone: wimboot goes by the metadata. */
	wim->info.has_unnamed_boot =
		header->boot_index == 0 && header->boot_metadata.len > 0;
	if (wim->info.has_unnamed_boot ||
		findings->metadata_count != header->image_count)
		return;
	if (header->boot_index > 0)
		meant = findings->metadata[header->boot_index - 1];
	wt_wim_resource_put(wim->boot_metadata, &meant);
	wim->info.has_wrong_boot =
		header->boot_metadata.len != meant.len ||
		(meant.len > 0 && header->boot_metadata.offset != meant.offset);
}

/* Makes valid values of what the child says of an image. Its texts end. */
static bool image_check(const struct wt_wim_header *header, uint32_t i,
	struct wt_wim_image *image)
{
	uint8_t is_hive_alone = 0;
	struct wt_error problem = {0};

	memcpy(&is_hive_alone, &image->is_hive_alone, sizeof(is_hive_alone));
	image->is_hive_alone = is_hive_alone != 0;
	image->index = (int)i + 1;
	image->is_boot = header->boot_index == i + 1;
	image->hive_fd = -1;
	image->name[sizeof(image->name) - 1] = '\0';
	image->description[sizeof(image->description) - 1] = '\0';
	image->arch[sizeof(image->arch) - 1] = '\0';
	image->version[sizeof(image->version) - 1] = '\0';
	image->hive_path[sizeof(image->hive_path) - 1] = '\0';
	image->winre_path[sizeof(image->winre_path) - 1] = '\0';
	for (size_t k = 0; k < WT_HIVE_LOGS; k++)
		image->log_paths[k][sizeof(image->log_paths[k]) - 1] = '\0';
	wt_error_copy(&problem, &image->hive_error);
	image->hive_error = problem;
	return image->hive_len <= WT_HIVE_MAX;
}

static enum wt_status answer_fail(const char *object, struct wt_error *err)
{
	return wt_fail(err, WT_ERR_WIM, "wim-crash", object,
		"the process that read it gave a malformed answer");
}

static enum wt_status build(const struct findings *findings,
	const struct wt_wim_header *header, const char *object, uint64_t len,
	struct wt_wim **ret_wim, struct wt_error *err)
{
	size_t extent_count = atomic_load(&findings->extent_count);
	struct wt_wim *wim = NULL;
	bool is_right = extent_count <= EXTENTS_MAX;

	wim = calloc(
		1, sizeof(*wim) + header->image_count * sizeof(wim->images[0]));
	if (!wim)
		return wt_fail_memory(err);
	fill_info(header, len, &wim->info);
	memcpy(wim->images, findings->images,
		header->image_count * sizeof(wim->images[0]));
	for (uint32_t i = 0; i < header->image_count; i++)
		is_right &= image_check(header, i, &wim->images[i]);
	if (!is_right) {
		wt_wim_free(wim);
		return answer_fail(object, err);
	}
	wim->extents = calloc(extent_count, sizeof(findings->extents[0]));
	if (!wim->extents) {
		wt_wim_free(wim);
		return wt_fail_memory(err);
	}
	fill_unused(findings, header, &wim->info);
	memcpy(wim->extents, findings->extents,
		extent_count * sizeof(findings->extents[0]));
	wim->extent_count = extent_count;
	boot_check(findings, header, wim);
	*ret_wim = wim;
	return WT_OK;
}

/* A memfd for each image: a child cannot open one for its parent. */
static enum wt_status hives_open(struct reading *reading, struct wt_error *err)
{
	size_t count = reading->header->image_count;
	enum wt_status ret = WT_OK;

	/* One more: calloc(0) may return NULL. */
	reading->hives = calloc(count + 1, sizeof(*reading->hives));
	if (!reading->hives)
		return wt_fail_memory(err);
	for (size_t i = 0; i < count; i++)
		reading->hives[i] = -1;
	for (size_t i = 0; ret == WT_OK && i < count; i++)
		ret = wt_io_memory_file(
			"hive", reading->object, &reading->hives[i], err);
	return ret;
}

/* Gives the hives that were taken out to their images. */
static void hives_give(const struct reading *reading, struct wt_wim *wim)
{
	/* None were asked for; the child may say otherwise. */
	if (!reading->hives)
		return;
	for (uint32_t i = 0; i < reading->header->image_count; i++) {
		if (!reading->findings->has_taken[i])
			continue;
		wim->images[i].hive_fd = reading->hives[i];
		reading->hives[i] = -1; /* the image's now */
	}
}

static enum wt_status header_read(int fd, struct wt_wim_header *header,
	const char *object, uint64_t *ret_len, struct wt_error *err)
{
	enum wt_status ret =
		wt_wim_header_read(fd, object, header, NULL, ret_len, err);

	if (ret != WT_OK || header->part_count <= 1)
		return ret;
	wt_fail(err, WT_ERR_WIM, "wim-split", object,
		"is part %u of %u of a split WIM", header->part,
		header->part_count);
	wt_error_hint(err, "join the parts first: wimlib-imagex join "
			   "whole.wim part*.swm");
	return WT_ERR_WIM;
}

/* All but opening the file. wimlib opens the path. */
static enum wt_status read_all(struct reading *reading,
	struct wt_wim_header *header, struct wt_wim **ret_wim,
	struct wt_error *err)
{
	const struct wt_wim_options *options = reading->options;
	const char *object = reading->object;
	struct findings *findings = reading->findings;
	int fd = reading->fd;
	struct wt_sandbox sandbox = {0};
	struct wt_wim_extent chunk = {0};
	uint64_t chunk_len = 0;
	uint64_t sum_at = 0;
	uint64_t len = 0;
	enum wt_status ret = header_read(fd, header, object, &len, err);

	if (ret != WT_OK)
		return ret;
	add_header_extents(header, findings);
	ret = wt_wim_last_chunk(fd, header, object, &chunk, &sum_at, err);
	if (ret != WT_OK)
		return ret;
	if (chunk.len > 0 && add_extent(findings, chunk.offset, chunk.len))
		chunk_len = chunk.len;
	if (options->wants_hive)
		ret = hives_open(reading, err);
	sandbox = wt_wim_reading_sandbox(
		reading->path, reading->hives, header->image_count);
	sandbox.read_fd = fd;
	if (ret == WT_OK)
		ret = wt_wim_child_run(object,
			options->check_integrity ? 0 : SECONDS_MAX, options,
			&sandbox, read_in_child, reading, err);
	if (ret != WT_OK)
		return ret;
	if (findings->has_too_many_extents)
		return wt_fail(err, WT_ERR_WIM, "wim-unsupported", object,
			"has more than %d solid resources", EXTENTS_MAX);
	ret = build(findings, header, object, len, ret_wim, err);
	if (ret != WT_OK)
		return ret;
	/* The rest is read only to compute the sum of that chunk again. */
	for (size_t i = 0; i < (*ret_wim)->extent_count; i++)
		(*ret_wim)->tables_len += (*ret_wim)->extents[i].len;
	(*ret_wim)->tables_len -= chunk_len;
	hives_give(reading, *ret_wim);
	return WT_OK;
}

enum wt_status wt_wim_read(const char *path,
	const struct wt_wim_options *options, struct wt_wim **ret_wim,
	struct wt_error *err)
{
	struct wt_wim_header header = {0};
	struct reading reading = {
		.path = path,
		.object = wt_wim_object(path, options),
		.options = options,
		.header = &header,
	};
	enum wt_status ret = WT_OK;

	reading.fd = open(path, O_RDONLY | O_CLOEXEC);
	if (reading.fd < 0)
		return wt_fail_errno(err, WT_ERR_FILE,
			errno == ENOENT ? "not-found" : "open-failed",
			reading.object, "cannot open it");
	reading.findings = wt_shared_new(sizeof(*reading.findings));
	ret = reading.findings ? read_all(&reading, &header, ret_wim, err)
			       : wt_fail_memory(err);
	if (reading.hives)
		wt_wim_fds_close(reading.hives, header.image_count);
	free(reading.hives);
	wt_shared_free(reading.findings, sizeof(*reading.findings));
	close(reading.fd);
	return ret;
}

void wt_wim_free(struct wt_wim *wim)
{
	if (!wim)
		return;
	for (int i = 0; i < wim->info.image_count; i++)
		wt_wim_fds_close(&wim->images[i].hive_fd, 1);
	free(wim->extents);
	free(wim);
}

enum wt_status wt_wim_check_writable(const struct wt_wim_info *info,
	const char *object, struct wt_error *err)
{
	if (info->is_interrupted) {
		wt_fail(err, WT_ERR_WIM, "image-interrupted", object,
			"a writer was interrupted and left its mark "
			"(WRITE_IN_PROGRESS), with %llu bytes after the end",
			(unsigned long long)(info->len - info->used_len));
		wt_error_hint(err, "--repair restores the state before that "
				   "writer, and goes on from there");
		return WT_ERR_WIM;
	}
	if (info->is_pipable) {
		wt_fail(err, WT_ERR_WIM, "wim-pipable", object,
			"is a pipable WIM, which cannot be appended to");
		wt_error_hint(err,
			"convert it: wimlib-imagex "
			"export %s all new.wim",
			object);
		return WT_ERR_WIM;
	}
	if (info->is_read_only) {
		wt_fail(err, WT_ERR_WIM, "wim-read-only-flag", object,
			"is marked read-only in its header");
		wt_error_hint(err,
			"export it to a new file: wimlib-imagex "
			"export %s all new.wim",
			object);
		return WT_ERR_WIM;
	}
	return WT_OK;
}
