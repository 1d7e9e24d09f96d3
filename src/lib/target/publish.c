/* SPDX-License-Identifier: MIT
 * target/publish.c: puts changed hives back into a target, verified. */
#include "target/target.h"

#include "base/digest.h"
#include "base/io.h"
#include "target/report.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* What an append may need beyond the hives, and the metadata and the tables as
 * they are: new entries, alignment. */
#define APPEND_SLACK_LEN ((uint64_t)64 << 10)

/* The other files of a run: its folders, what wimlib puts into them, and the
 * three that are counted by their lengths. */
#define TEMP_FILES 19

static uint64_t file_len(int fd)
{
	struct stat st = {0};

	return fstat(fd, &st) == 0 ? (uint64_t)st.st_size : 0;
}

/* What a bare hive is to hold; unless something changes, what it does. */
static int hive_result_fd(const struct wt_target *target)
{
	const struct wt_target_hive *hive = &target->hives[0];

	return hive->new_fd >= 0 ? hive->new_fd : hive->fd;
}

/* What the result is called in messages. It is verified by its descriptor:
 * who owns the folder chooses what its path leads to. */
static const char *result_name(const struct wt_target *target)
{
	return target->options->output ? target->options->output
				       : target->file->path;
}

static enum wt_status not_as_meant(
	const char *path, int image, struct wt_error *err)
{
	char which[32] = "";

	if (image > 0)
		snprintf(which, sizeof(which), " of image %d", image);
	wt_fail(err, WT_ERR_FILE, "verify-failed", path,
		"the hive%s read back is not the one that was written; the "
		"result was thrown away",
		which);
	wt_error_hint(err, "check the disk and its free space, then try again; "
			   "nothing was changed");
	return WT_ERR_FILE;
}

static bool is_same_header(
	const struct wt_wim_info *one, const struct wt_wim_info *other)
{
	return one->image_count == other->image_count &&
	       one->boot_index == other->boot_index && !one->has_wrong_boot &&
	       !one->is_interrupted &&
	       one->has_integrity_table == other->has_integrity_table;
}

/* Is every image there, and each that was not changed as it was? */
static enum wt_status images_verify(const struct wt_target *target,
	const struct wt_wim *wim, const char *path, struct wt_error *err)
{
	const struct wt_wim *old = target->wim;
	size_t at = 0;
	bool is_right = is_same_header(&wim->info, &old->info);

	for (size_t i = 0; is_right && i < (size_t)old->info.image_count; i++) {
		const struct wt_wim_image *one = &wim->images[i];
		const struct wt_wim_image *before = &old->images[i];
		bool is_changed = false;

		for (; at < target->hive_count && target->hives[at].image == i;
			at++)
			is_changed = target->hives[at].new_fd >= 0;
		is_right =
			strcmp(one->name, before->name) == 0 &&
			strcmp(one->hive_path, before->hive_path) == 0 &&
			(is_changed || memcmp(one->hive_sha1, before->hive_sha1,
					       WT_SHA1_LEN) == 0);
	}
	if (is_right)
		return WT_OK;
	return wt_fail(err, WT_ERR_WIM, "verify-failed", path,
		"the finished file has other images than it should; it was "
		"thrown away");
}

/* Does each changed image hold the hive that was made for it? */
static enum wt_status hives_verify(const struct wt_target *target,
	const struct wt_wim *wim, const struct wt_wim_options *options,
	const char *path, struct wt_error *err)
{
	enum wt_status ret = WT_OK;
	bool is_equal = true;

	/* One at a time: together they may be longer than memory is. */
	for (size_t i = 0; ret == WT_OK && i < target->hive_count; i++) {
		const struct wt_target_hive *hive = &target->hives[i];
		int image = (int)hive->image, fd = -1;

		if (hive->new_fd < 0)
			continue;
		ret = wt_wim_extract(path, wim, &image, 1, options, &fd, err);
		if (ret != WT_OK)
			break;
		ret = wt_files_equal(fd, hive->new_fd, WT_DIGEST_REST,
			options->object, &is_equal, err);
		close(fd);
		if (ret == WT_OK && !is_equal)
			ret = not_as_meant(options->object,
				target->wim->images[hive->image].index, err);
	}
	return ret;
}

/* How a finished file is read: what was checked of its integrity table before
 * is unchanged. */
static struct wt_wim_options finished_options(const struct wt_target *target)
{
	struct wt_wim_options options = target->wim_options;

	options.object = result_name(target);
	options.check_integrity = false;
	options.wants_hive = NULL;
	options.progress = NULL;
	return options;
}

/* Opens a finished WIM afresh and reads back what it holds: one that was
 * written anew, or only copied. */
static enum wt_status whole_verify(
	void *ctx, const char *path, struct wt_error *err)
{
	const struct wt_target *target = ctx;
	const struct wt_wim_options options = finished_options(target);
	struct wt_wim *wim = NULL;
	enum wt_status ret = wt_wim_read(path, &options, &wim, err);

	if (ret == WT_OK)
		ret = images_verify(target, wim, options.object, err);
	if (ret == WT_OK)
		ret = hives_verify(target, wim, &options, path, err);
	wt_wim_free(wim);
	return ret;
}

/* Opens a patched WIM afresh. Images and hives were read back from the
 * skeleton, and the bytes written since were compared with it. */
static enum wt_status patched_verify(
	void *ctx, const char *path, struct wt_error *err)
{
	const struct wt_target *target = ctx;
	struct wt_wim_options options = finished_options(target);
	struct wt_wim *wim = NULL;
	enum wt_status ret = WT_OK;

	options.skip_images = true;
	ret = wt_wim_read(path, &options, &wim, err);
	if (ret == WT_OK && !is_same_header(&wim->info, &target->wim->info))
		ret = wt_fail(err, WT_ERR_WIM, "verify-failed", options.object,
			"the finished file has another header than it should; "
			"it was thrown away");
	wt_wim_free(wim);
	return ret;
}

/* In place, what is cut off is cut off last. */
static enum wt_status hive_verify(
	void *ctx, const char *path, struct wt_error *err)
{
	const struct wt_target *target = ctx;
	const char *object = result_name(target);
	int new_fd = hive_result_fd(target);
	uint64_t len = file_len(new_fd), found_len = 0;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	bool is_equal = false;
	enum wt_status ret = WT_OK;

	if (fd < 0)
		return wt_fail_errno(err, WT_ERR_FILE, "verify-failed", object,
			"cannot be opened to verify it");
	found_len = file_len(fd);
	ret = wt_files_equal(fd, new_fd, len, object, &is_equal, err);
	close(fd);
	is_equal = is_equal && (found_len == len ||
				       (!target->options->output &&
					       found_len == target->file->len &&
					       found_len > len));
	if (ret == WT_OK && !is_equal)
		ret = not_as_meant(object, 0, err);
	return ret;
}

static enum wt_status wim_rebuild(
	void *ctx, const char *path, const char *new_path, struct wt_error *err)
{
	const struct wt_target *target = ctx;

	return wt_wim_rebuild(path, new_path, &target->wim_options, err);
}

static wt_verify_fn *verify_choose(const struct wt_target *target)
{
	bool is_patched = false;

	if (target->kind != WT_TARGET_WIM)
		return hive_verify;
	for (size_t i = 0; i < target->hive_count; i++)
		is_patched = is_patched || target->hives[i].new_fd >= 0;
	return is_patched && !target->options->rebuild ? patched_verify
						       : whole_verify;
}

/* Size and hash of what is about to take effect. */
static enum wt_status result_measure(
	struct wt_target *target, const char *path, struct wt_error *err)
{
	const struct wt_options *options = target->options;
	struct wt_report *report = target->report;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	enum wt_status ret = WT_OK;

	if (fd < 0)
		return wt_fail_errno(err, WT_ERR_FILE, "verify-failed",
			result_name(target), "cannot be opened to verify it");
	report->size_after = file_len(
		target->kind == WT_TARGET_WIM ? fd : hive_result_fd(target));
	if (options->hash_target)
		ret = wt_digest_file(fd, report->size_after,
			result_name(target), options->cancel,
			report->sha256_after, err);
	close(fd);
	return ret;
}

static enum wt_status result_verify(
	void *ctx, const char *path, struct wt_error *err)
{
	struct wt_target *target = ctx;
	enum wt_status ret = verify_choose(target)(target, path, err);

	return ret == WT_OK ? result_measure(target, path, err) : ret;
}

static void publish_init(struct wt_target *target)
{
	const struct wt_options *options = target->options;
	bool is_wim = target->kind == WT_TARGET_WIM;

	target->publish = (struct wt_publish){
		.output = options->output,
		.force = options->force,
		.backup_suffix =
			options->output ? NULL : options->backup_suffix,
		.rebuild = is_wim && options->rebuild ? wim_rebuild : NULL,
		.verify = result_verify,
		.rebuild_ctx = target,
		.verify_ctx = target,
		.cancel = options->cancel,
		.progress = options->progress,
		.progress_ctx = options->progress_ctx,
	};
}

/* The longest tail that wimlib may append: hives that do not compress, and
 * metadata and tables as they are, which grow by little. */
static uint64_t tail_len_max(const struct wt_target *target)
{
	uint64_t len = target->wim->tables_len;

	len += len / 4 + APPEND_SLACK_LEN;
	for (size_t i = 0; i < target->hive_count; i++)
		if (target->hives[i].new_fd >= 0)
			len += file_len(target->hives[i].new_fd);
	return len;
}

/* Looked at beforehand, since wimlib cannot say how much it would have needed:
 * the skeleton and its second blob table, the tail behind it, and what a mount
 * stages: one hive at a time, whole, before it is compressed. */
static enum wt_status temp_room_check(
	const struct wt_target *target, struct wt_error *err)
{
	const struct wt_wim *wim = target->wim;
	size_t count = wim->extent_count + TEMP_FILES, used = 0;
	uint64_t *lens = calloc(count, sizeof(*lens));
	enum wt_status ret = WT_OK;

	if (!lens)
		return wt_fail_memory(err);
	lens[used++] = tail_len_max(target);
	lens[used++] = wim->tables_len;
	for (size_t i = 0; i < wim->extent_count; i++)
		lens[used++] = wim->extents[i].len;
	for (size_t i = 0; i < target->hive_count; i++) {
		int fd = target->hives[i].new_fd;
		uint64_t len = fd >= 0 ? file_len(fd) : 0;

		if (target->options->access != WT_ACCESS_UPDATE &&
			len > lens[used])
			lens[used] = len;
	}
	ret = wt_run_folder_check_room(target->temp_folder, lens, count, err);
	free(lens);
	return ret;
}

/* What wimlib would write, worked out on a skeleton of the WIM. */
static enum wt_status wim_patch(struct wt_target *target,
	struct wt_wim_patch *ret_patch, struct wt_error *err)
{
	const struct wt_options *options = target->options;
	struct wt_wim_put *puts = NULL;
	const char *folder = NULL;
	size_t count = 0;
	enum wt_status ret = WT_OK;

	puts = calloc(target->hive_count, sizeof(*puts));
	if (!puts)
		return wt_fail_memory(err);
	for (size_t i = 0; i < target->hive_count; i++)
		if (target->hives[i].new_fd >= 0)
			puts[count++] = (struct wt_wim_put){
				.image = (int)target->hives[i].image,
				.hive_fd = target->hives[i].new_fd,
				.old_fd = target->hives[i].is_mended
						  ? -1
						  : target->hives[i].fd,
				.is_parked = target->hives[i].is_parked,
			};
	if (count == 0) /* a plain copy, or a rebuild */
		goto out;
	if (!target->temp_folder)
		ret = wt_run_folder_new(
			options->temp_parent, &target->temp_folder, err);
	if (ret != WT_OK)
		goto out;
	folder = wt_run_folder_path(target->temp_folder);
	ret = wt_run_folder_try(target->temp_folder, err);
	if (ret == WT_OK)
		ret = temp_room_check(target, err);
	if (ret != WT_OK)
		goto out;
	target->wim_options.temp_folder = folder;
	ret = wt_wim_make_patch(target->wim_path, target->wim, puts, count,
		options->access, &target->wim_options, ret_patch, err);
	target->wim_options.temp_folder = NULL;
out:
	free(puts);
	return ret;
}

static enum wt_status access_report(const struct wt_target *target,
	const struct wt_wim_patch *patch, struct wt_error *err)
{
	struct wt_report *report = target->report;

	report->access = patch->access;
	if (patch->access_reason[0] == '\0')
		return WT_OK;
	return wt_report_text(
		report, patch->access_reason, &report->access_why, err);
}

/* Into the copy, when there is one, which is gone then. */
static enum wt_status patch_publish(struct wt_target *target,
	const struct wt_patch *patch, struct wt_error *err)
{
	struct wt_copy *copy = target->copy;

	target->copy = NULL; /* freed by the next call */
	return copy ? wt_copy_publish(copy, patch, err)
		    : wt_workfile_patch(
			      target->file, patch, &target->publish, err);
}

/* No hive is new, but the header is to name another image's metadata. */
static enum wt_status boot_publish(
	struct wt_target *target, struct wt_error *err)
{
	uint8_t header[WT_WIM_HEADER_LEN] = {0};
	struct wt_extent extent = {.len = sizeof(header), .src_fd = -1};
	const struct wt_patch patch = {.old_len = target->file->len,
		.new_len = target->file->len,
		.extents = &extent,
		.extent_count = 1};
	enum wt_status ret = wt_wim_mend_boot(
		target->file->fd, target->file->path, target->wim, header, err);

	if (ret == WT_OK)
		ret = wt_io_memory_file("wimtrust-header", target->file->path,
			&extent.src_fd, err);
	if (ret == WT_OK)
		ret = wt_io_write_all(extent.src_fd, header, sizeof(header), 0,
			target->file->path, err);
	if (ret == WT_OK)
		ret = patch_publish(target, &patch, err);
	if (extent.src_fd >= 0)
		close(extent.src_fd);
	return ret;
}

static enum wt_status wim_publish(
	struct wt_target *target, struct wt_error *err)
{
	const struct wt_wim_patch *made = &target->patch;
	struct wt_extent extents[2] = {
		{.len = WT_WIM_HEADER_LEN, .src_fd = made->fd},
		{.offset = made->tail_offset,
			.len = made->new_len - made->tail_offset,
			.src_fd = made->fd,
			.src_offset = made->tail_offset},
	};
	/* A plain copy, or a rebuild. */
	struct wt_patch patch = {
		.old_len = target->file->len, .new_len = target->file->len};

	if (made->fd < 0 && target->wim->info.has_wrong_boot)
		return boot_publish(target, err);
	if (made->fd >= 0)
		patch = (struct wt_patch){.old_len = made->old_len,
			.new_len = made->new_len,
			.extents = extents,
			.extent_count = 2};
	return patch_publish(target, &patch, err);
}

static enum wt_status hive_publish(
	struct wt_target *target, struct wt_error *err)
{
	struct wt_patch patch = {0};
	enum wt_status ret = wt_workfile_diff(
		target->file, hive_result_fd(target), &patch, err);

	if (ret == WT_OK)
		ret = patch_publish(target, &patch, err);
	free(patch.extents);
	return ret;
}

static enum wt_commit commit_of(const struct wt_target *target, bool is_copy)
{
	if (is_copy)
		return WT_COMMIT_REPLACE;
	return target->kind == WT_TARGET_WIM ? WT_COMMIT_APPEND
					     : WT_COMMIT_IN_PLACE;
}

/* The words for what is about to be done. */
static enum wt_status commit_report(
	struct wt_target *target, bool is_copy, struct wt_error *err)
{
	const struct wt_options *options = target->options;
	struct wt_report *report = target->report;
	char *backup = NULL;
	enum wt_status ret = WT_OK;

	report->output = options->output;
	report->commit = commit_of(target, is_copy);
	if (!options->backup_suffix || options->output)
		return WT_OK;
	if (asprintf(&backup, "%s%s", target->file->path,
		    options->backup_suffix) < 0)
		return wt_fail_memory(err);
	ret = wt_report_text(report, backup, &report->backup, err);
	free(backup);
	return ret;
}

/* Is it only that a new file would not be all that the old one is? */
static bool is_to_append(
	const struct wt_target *target, const struct wt_error *why)
{
	return target->options->commit == WT_COMMIT_AUTO &&
	       !target->options->output && !target->options->rebuild &&
	       (strcmp(why->code, "not-kept") == 0 ||
		       strcmp(why->code, "hard-linked") == 0);
}

/* The copy runs beside the work on the skeleton. */
static enum wt_status copy_begin(struct wt_target *target, struct wt_error *err)
{
	struct wt_report *report = target->report;
	struct wt_error why = {0};
	enum wt_status ret = wt_copy_begin(target->file, &target->publish,
		target->kind == WT_TARGET_WIM
			? tail_len_max(target)
			: file_len(hive_result_fd(target)),
		&target->copy, &why);

	if (ret != WT_OK && is_to_append(target, &why)) {
		report->commit = commit_of(target, false);
		return wt_report_text(
			report, why.reason, &report->commit_why, err);
	}
	if (ret != WT_OK && err)
		*err = why;
	return ret;
}

enum wt_status wt_target_prepare(struct wt_target *target, struct wt_error *err)
{
	const struct wt_options *options = target->options;
	bool is_wim = target->kind == WT_TARGET_WIM;
	bool is_copy = options->output ||
		       (is_wim && options->commit != WT_COMMIT_APPEND);
	enum wt_status ret = commit_report(target, is_copy, err);

	publish_init(target);
	if (ret == WT_OK && is_copy)
		ret = copy_begin(target, err);
	if (ret == WT_OK && is_wim)
		ret = wim_patch(target, &target->patch, err);
	if (ret == WT_OK && target->patch.fd >= 0)
		ret = access_report(target, &target->patch, err);
	return ret;
}

static void streams_warn(const struct wt_target *target)
{
	for (size_t i = 0; i < target->hive_count; i++) {
		const struct wt_target_hive *hive = &target->hives[i];
		const struct wt_wim_image *image =
			&target->wim->images[hive->image];

		if (hive->new_fd < 0 || image->stream_count == 0)
			continue;
		wt_report_warn(target->report, "streams-lost",
			"%s: image %d: update loses the alternate data streams "
			"of the hive's file (%u); --access mount keeps them",
			target->file->path, image->index, image->stream_count);
	}
}

enum wt_status wt_target_publish(struct wt_target *target, struct wt_error *err)
{
	enum wt_status ret = target->kind == WT_TARGET_WIM
				     ? wim_publish(target, err)
				     : hive_publish(target, err);

	if (ret == WT_OK) {
		target->report->is_changed = true;
		if (target->report->access == WT_ACCESS_UPDATE)
			streams_warn(target);
	} else {
		target->report->size_after = 0;
		target->report->sha256_after[0] = '\0';
	}
	return ret;
}
