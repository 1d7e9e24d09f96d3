/* SPDX-License-Identifier: MIT
 * target/target.c: a WIM, a bare hive or a Windows folder, seen as hives. */
#include "target/target.h"

#include "base/child.h"
#include "base/digest.h"
#include "base/io.h"
#include "base/sniff.h"
#include "iso/iso.h"
#include "target/choose.h"
#include "target/folder.h"
#include "target/report.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* How often a reader starts again when a writer changed the file under it. */
#define READ_TRIES 5

void wt_target_close(struct wt_target *target)
{
	if (!target)
		return;
	for (size_t i = 0; i < target->hive_count; i++) {
		struct wt_target_hive *hive = &target->hives[i];

		wt_hive_read_stop(hive->reading);
		if (hive->fd >= 0)
			close(hive->fd);
		if (hive->new_fd >= 0)
			close(hive->new_fd);
		wt_hive_content_free(hive->content);
	}
	wt_copy_abandon(target->copy);
	if (target->patch.fd >= 0)
		close(target->patch.fd);
	/* Last: some file systems rename an open file when it is removed, and
	 * its folder cannot be removed then. */
	wt_run_folder_free(target->temp_folder);
	free(target->hives);
	wt_wim_free(target->wim);
	wt_shared_free(
		target->wim_options.told, sizeof(*target->wim_options.told));
	wt_workfile_close(target->file);
	wt_run_folder_free(target->iso_folder);
	free(target);
}

/* Opens the file, locked when it is to be written. What only gives the
 * content for an output may be marked read-only, or lie on an ISO. */
static enum wt_status file_open(struct wt_target *target, const char *path,
	int dir_fd, struct wt_error *err)
{
	const struct wt_options *options = target->options;
	enum wt_status ret = WT_OK;

	if (target->is_writing && !options->dry_run && !options->output)
		ret = wt_workfile_lock(path, dir_fd, options->wait_seconds,
			options->cancel, &target->file, err);
	else
		ret = wt_workfile_open(path, dir_fd, &target->file, err);
	if (ret != WT_OK)
		return ret;
	if (target->file->note[0] != '\0')
		wt_report_warn(target->report, "interrupted-run", "%s: %s",
			path, target->file->note);
	target->report->size_before = target->file->len;
	return WT_OK;
}

static enum wt_status folder_open(
	struct wt_target *target, const char *path, struct wt_error *err)
{
	char *hive_path = NULL;
	int dir_fd = -1;
	enum wt_status ret =
		wt_folder_find_hive(path, &hive_path, &dir_fd, err);

	if (ret != WT_OK)
		return ret;
	ret = file_open(target, hive_path, dir_fd, err);
	if (ret == WT_OK)
		ret = wt_report_add_images(target->report, 1, err);
	if (ret == WT_OK)
		ret = wt_report_text(target->report, hive_path,
			&wt_report_edit_image(target->report, 0)->hive_path,
			err);
	close(dir_fd);
	wt_free(hive_path);
	return ret;
}

static enum wt_status image_describe(struct wt_report *report, size_t index,
	const struct wt_wim_image *from, struct wt_error *err)
{
	struct wt_image *image = wt_report_edit_image(report, index);
	enum wt_status ret = WT_OK;

	image->index = from->index;
	image->is_boot = from->is_boot;
	image->hive_len = from->hive_len;
	image->problem = from->hive_error;
	ret = wt_report_text(report, from->name, &image->name, err);
	if (ret == WT_OK)
		ret = wt_report_text(
			report, from->description, &image->description, err);
	if (ret == WT_OK)
		ret = wt_report_text(report, from->arch, &image->arch, err);
	if (ret == WT_OK)
		ret = wt_report_text(
			report, from->version, &image->version, err);
	if (ret == WT_OK)
		ret = wt_report_text(
			report, from->hive_path, &image->hive_path, err);
	if (ret == WT_OK && from->winre_path[0] != '\0')
		ret = wt_report_text(
			report, from->winre_path, &image->winre_path, err);
	return ret;
}

static enum wt_status wim_describe(
	struct wt_target *target, struct wt_error *err)
{
	const struct wt_wim_info *info = &target->wim->info;
	struct wt_report *report = target->report;
	enum wt_status ret = WT_OK;

	report->chunk_len = info->chunk_len;
	report->boot_index = info->boot_index;
	report->has_integrity_table = info->has_integrity_table;
	report->is_interrupted = info->is_interrupted;
	report->is_pipable = info->is_pipable;
	report->is_solid = info->is_solid;
	report->unused_len = info->unused_len;
	/* Not the file's own length: what a writer has put behind the end so
	 * far is not part of the state that is shown. */
	report->hole_len = target->file->len > info->used_len
				   ? target->file->len - info->used_len
				   : 0;
	ret = wt_report_text(
		report, info->compression, &report->compression, err);
	if (ret == WT_OK)
		ret = wt_report_text(report, info->guid, &report->guid, err);
	if (ret == WT_OK)
		ret = wt_report_add_images(
			report, (size_t)info->image_count, err);
	for (size_t i = 0; ret == WT_OK && i < report->image_count; i++)
		ret = image_describe(report, i, &target->wim->images[i], err);
	return ret;
}

/* What Microsoft describes has no metadata there, wimlib writes none, and
 * wimboot starts what is there. */
static void warn_unnamed_boot(const struct wt_target *target, bool is_emptied)
{
	wt_report_warn(target->report, "boot-metadata",
		"%s: its header says that no image starts, and %s the metadata "
		"of one, which wimboot may start; %s: wimlib-imagex info FILE "
		"IMAGE --boot names the image that starts",
		target->file->path, is_emptied ? "named" : "names",
		is_emptied ? "wimlib took that out" : "it is left so");
}

void wt_target_warn_boot(const struct wt_target *target, bool is_mended)
{
	int index = target->wim ? target->wim->info.boot_index : 0;
	char image[32] = "no image";

	if (target->wim && target->wim->info.has_unnamed_boot)
		warn_unnamed_boot(
			target, is_mended && (target->patch.fd >= 0 ||
						     target->options->rebuild));
	if (!target->wim || !target->wim->info.has_wrong_boot)
		return;
	if (index > 0)
		snprintf(image, sizeof(image), "image %d", index);
	wt_report_warn(target->report, "boot-metadata",
		"%s: its header says that %s starts, and %s the metadata of "
		"another, which Windows may start; %s",
		target->file->path, image, is_mended ? "named" : "names",
		is_mended ? "it was corrected"
			  : "wimtrust add and remove correct it");
}

/* Takes back what an interrupted writer left: header and length. */
static enum wt_status wim_repair(struct wt_target *target, struct wt_error *err)
{
	const struct wt_options *options = target->options;
	struct wt_publish publish = {.cancel = options->cancel};
	uint8_t header[WT_WIM_HEADER_LEN] = {0};
	struct wt_extent extent = {.len = sizeof(header), .src_fd = -1};
	struct wt_patch patch = {.old_len = target->file->len,
		.extents = &extent,
		.extent_count = 1};
	enum wt_status ret = WT_OK;

	if (options->output) {
		wt_fail(err, WT_ERR_USAGE, "repair-output", target->file->path,
			"--repair changes the file itself, --output leaves it "
			"alone");
		wt_error_hint(err, "copy the file, and repair the copy");
		return WT_ERR_USAGE;
	}
	ret = wt_wim_repair(target->file->fd, target->file->path, header,
		&patch.new_len, err);
	if (ret != WT_OK)
		return ret;
	ret = wt_io_memory_file(
		"wimtrust-header", target->file->path, &extent.src_fd, err);
	if (ret == WT_OK)
		ret = wt_io_write_all(extent.src_fd, header, sizeof(header), 0,
			target->file->path, err);
	if (ret == WT_OK)
		ret = wt_workfile_patch(target->file, &patch, &publish, err);
	if (ret == WT_OK) {
		target->file->len = patch.new_len;
		target->report->is_changed = true;
		wt_report_warn(target->report, "repaired",
			"%s: undid an interrupted write, and cut off %llu "
			"bytes",
			target->file->path,
			(unsigned long long)(patch.old_len - patch.new_len));
	}
	if (extent.src_fd >= 0)
		close(extent.src_fd);
	return ret;
}

static bool wants_hive(const void *ctx, const struct wt_wim_image *image)
{
	const struct wt_options *options = ctx;

	return wt_image_may_be_meant(options->images, options->image_count,
		image->index, image->name, image->is_boot);
}

static enum wt_status wim_read(struct wt_target *target, struct wt_error *err)
{
	const struct wt_wim_options *options = &target->wim_options;
	enum wt_status ret =
		wt_wim_read(target->wim_path, options, &target->wim, err);

	if (ret != WT_OK || !target->is_writing || target->options->dry_run ||
		!target->wim->info.is_interrupted || !target->options->repair)
		return ret;
	ret = wim_repair(target, err);
	wt_wim_free(target->wim);
	target->wim = NULL;
	if (ret != WT_OK)
		return ret;
	return wt_wim_read(target->wim_path, options, &target->wim, err);
}

static enum wt_status wim_open(struct wt_target *target, struct wt_error *err)
{
	const struct wt_options *options = target->options;
	struct wt_wim_info info = {0};
	enum wt_status ret = WT_OK;

	snprintf(target->wim_path, sizeof(target->wim_path), "/proc/self/fd/%d",
		target->file->fd);
	target->wim_options = (struct wt_wim_options){
		.object = target->file->path,
		.threads = options->threads,
		.check_integrity =
			options->check_integrity || target->is_writing,
		.wants_hive = wants_hive,
		.wants_ctx = options,
		.is_stamped = options->is_stamped,
		.stamp = options->stamp,
		.cancel = options->cancel,
		.progress = options->progress,
		.progress_ctx = options->progress_ctx,
	};
	/* Without it nothing is lost but the progress. */
	if (options->progress)
		target->wim_options.told =
			wt_shared_new(sizeof(*target->wim_options.told));
	ret = wim_read(target, err);
	if (ret == WT_OK)
		ret = wim_describe(target, err);
	if (ret == WT_OK && !target->is_writing)
		wt_target_warn_boot(target, false);
	if (ret != WT_OK || !target->is_writing)
		return ret;
	info = target->wim->info;
	/* With repair it is mended by now, or would be in a real run. */
	info.is_interrupted &= !options->repair;
	return wt_wim_check_writable(&info, target->file->path, err);
}

/* Refused before anything is locked or found to be read-only. */
static enum wt_status iso_refuse(const char *path, struct wt_error *err)
{
	int fd = wt_io_open(AT_FDCWD, path, O_RDONLY, 0);
	bool is_iso = fd >= 0 && wt_iso_is(fd);

	if (fd >= 0)
		close(fd);
	if (!is_iso)
		return WT_OK;
	wt_fail(err, WT_ERR_FILE, "iso-read-only", path,
		"is an ISO image, and wimtrust does not write into one");
	wt_error_hint(err, "-o boot.wim writes the changed boot image beside "
			   "it; put that on the media");
	return WT_ERR_FILE;
}

/* An empty file in a private folder, which goes with the target: wimlib opens
 * nothing that has no name. */
static enum wt_status temp_file(
	struct wt_target *target, int *ret_fd, struct wt_error *err)
{
	char path[PATH_MAX] = "";
	enum wt_status ret = wt_run_folder_new(
		target->options->temp_parent, &target->iso_folder, err);

	if (ret != WT_OK)
		return ret;
	snprintf(path, sizeof(path), "%s/boot.wim",
		wt_run_folder_path(target->iso_folder));
	/* What is copied from it takes its mode, as a new file has it. */
	*ret_fd = wt_io_open(AT_FDCWD, path, O_RDWR | O_CREAT | O_EXCL, 0666);
	return *ret_fd < 0 ? wt_io_fail(err, path, "cannot be created") : WT_OK;
}

/* From here on the target is the boot image in the disc. */
static enum wt_status iso_open(
	struct wt_target *target, const char *path, struct wt_error *err)
{
	const struct wt_options *options = target->options;
	const struct wt_iso_options how = {.object = path,
		.cancel = options->cancel,
		.progress = options->progress,
		.progress_ctx = options->progress_ctx};
	struct wt_workfile *file = target->file;
	uint64_t len = 0;
	int fd = -1;
	enum wt_status ret = temp_file(target, &fd, err);

	if (ret == WT_OK)
		ret = wt_iso_extract(file->fd, fd, &how, &len, err);
	if (ret == WT_OK)
		ret = wt_report_text(target->report, WT_ISO_MEMBER,
			&target->report->member, err);
	if (ret != WT_OK) {
		if (fd >= 0)
			close(fd);
		return ret;
	}
	close(file->fd);
	file->fd = fd;
	file->len = len;
	/* Nobody else has it. */
	file->mtime_ns = 0;
	target->report->size_before = len;
	return WT_OK;
}

static enum wt_status kind_tell(
	struct wt_target *target, const char *path, struct wt_error *err)
{
	struct wt_report *report = target->report;
	uint8_t magic[WT_SNIFF_HIVE_LEN] = {0};
	size_t len = 0;
	enum wt_status ret = WT_OK;
	struct stat st = {0};

	if (stat(path, &st) == 0 && S_ISDIR(st.st_mode)) {
		target->kind = report->kind = WT_TARGET_FOLDER;
		return folder_open(target, path, err);
	}
	if (target->is_writing && !target->options->output)
		ret = iso_refuse(path, err);
	if (ret == WT_OK)
		ret = file_open(target, path, -1, err);
	if (ret == WT_OK && wt_iso_is(target->file->fd))
		ret = iso_open(target, path, err);
	if (ret == WT_OK)
		ret = wt_io_read_some(target->file->fd, magic, sizeof(magic), 0,
			path, &len, err);
	if (ret != WT_OK)
		return ret;
	/* What is no hive may be a WIM; the WIM module says what else it is. */
	if (wt_sniff_is_hive(magic, len)) {
		target->kind = report->kind = WT_TARGET_HIVE;
		ret = wt_report_add_images(report, 1, err);
		if (ret == WT_OK)
			ret = wt_report_text(report, path,
				&wt_report_edit_image(report, 0)->hive_path,
				err);
		return ret;
	}
	target->kind = WT_TARGET_WIM;
	if (len >= 4 && (memcmp(magic, "MSWI", 4) == 0 ||
				memcmp(magic, "WLPW", 4) == 0))
		report->kind = WT_TARGET_WIM;
	return wim_open(target, err);
}

static enum wt_status target_fill(struct wt_target *target, const char *path,
	wt_target_look_fn *look, const void *ctx, struct wt_error *err)
{
	const struct wt_options *options = target->options;
	struct wt_report *report = target->report;
	enum wt_status ret = kind_tell(target, path, err);

	if (ret == WT_OK && options->hash_target)
		ret = wt_digest_file(target->file->fd, target->file->len, path,
			options->cancel, report->sha256_before, err);
	if (ret == WT_OK)
		ret = wt_images_choose(
			report, options->images, options->image_count, err);
	if (ret == WT_OK)
		ret = wt_target_list_hives(target, err);
	do {
		if (ret == WT_OK)
			ret = wt_target_next_hives(target, err);
		for (size_t i = target->first;
			ret == WT_OK && look && i < target->end; i++)
			ret = look(target, &target->hives[i], ctx, err);
	} while (ret == WT_OK && look && target->end < target->hive_count);
	return ret;
}

/* Does path lead to another file than the one that was opened, or has that one
 * changed? */
static bool is_changed_meanwhile(const struct wt_target *target)
{
	const struct wt_workfile *file = target->file;
	struct stat now = {0};

	if (!file || stat(file->path, &now) != 0)
		return false;
	if (now.st_ino != file->ino || now.st_dev != file->dev)
		return true;
	/* For an ISO both are those of the copy of its boot image. */
	return !target->report->member &&
	       ((uint64_t)now.st_size != file->len ||
		       (file->mtime_ns != 0 &&
			       wt_io_mtime_ns(&now) != file->mtime_ns));
}

enum wt_status wt_target_why(const struct wt_target *target, enum wt_status ret,
	struct wt_error *err)
{
	struct wt_error why = {0};

	if (ret == WT_INTERRUPTED || !target->file ||
		wt_workfile_named_check(target->file, &why) == WT_OK)
		return ret;
	return wt_fail_as(err, &why);
}

static enum wt_status target_try(const char *path, bool is_writing,
	wt_target_look_fn *look, const void *ctx,
	const struct wt_options *options, struct wt_report *report,
	bool *ret_retry, struct wt_target **ret_target, struct wt_error *err)
{
	struct wt_target *target = calloc(1, sizeof(*target));
	enum wt_status ret = WT_OK;

	if (!target)
		return wt_fail_memory(err);
	target->options = options;
	target->report = report;
	target->is_writing = is_writing;
	target->patch.fd = -1;
	ret = wt_report_text(report, path, &report->target, err);
	if (ret == WT_OK)
		ret = target_fill(target, path, look, ctx, err);
	if (ret != WT_OK) {
		ret = wt_target_why(target, ret, err);
		*ret_retry = !is_writing && ret != WT_INTERRUPTED &&
			     is_changed_meanwhile(target);
		wt_target_close(target);
		return ret;
	}
	*ret_target = target;
	return WT_OK;
}

enum wt_status wt_locks_require(
	const char *object, unsigned locks, struct wt_error *err)
{
	/* Who is not root has no other user to become. */
	const unsigned wanted =
		WT_LOCK_PRIVILEGES | WT_LOCK_LANDLOCK | WT_LOCK_SECCOMP;
	unsigned lacking = wanted & ~locks;

	if (lacking == 0)
		return WT_OK;
	wt_fail(err, WT_ERR_FILE, "sandbox-missing", object,
		"is not opened: the sandbox of this system lacks %s",
		wt_lock_name((enum wt_lock)(lacking & -lacking)));
	wt_error_hint(err, "leave --require-sandbox out, or run it where the "
			   "kernel (5.13 or newer) and the container let it");
	return WT_ERR_FILE;
}

enum wt_status wt_target_open(const char *path, bool is_writing,
	wt_target_look_fn *look, const void *ctx,
	const struct wt_options *options, struct wt_report *report,
	struct wt_target **ret_target, struct wt_error *err)
{
	unsigned locks = wt_locks();
	enum wt_status ret = WT_OK;
	bool is_retry = false;

	/* wimlib and hivex get files by their descriptors. */
	if (access("/proc/self/fd", X_OK) != 0) {
		ret = wt_fail(err, WT_ERR_FILE, "no-proc", path,
			"cannot be opened: /proc is not mounted here");
		wt_error_hint(err, "run: mount -t proc proc /proc");
		return ret;
	}
	if (options->require_sandbox)
		ret = wt_locks_require(path, locks, err);
	if (ret != WT_OK)
		return ret;
	/* Also for who reads only: a killed run may have left the file system
	 * full, or a copy of a hive. */
	wt_run_folder_sweep(options->temp_parent);
	/* Readers take no lock: when a writer published a new file between
	 * two steps, what was read may not fit together. */
	for (int i = 0; i < READ_TRIES; i++) {
		is_retry = false;
		ret = target_try(path, is_writing, look, ctx, options, report,
			&is_retry, ret_target, err);
		if (!is_retry || i + 1 == READ_TRIES)
			break;
		wt_report_clear(report);
	}
	report->locks = locks;
	return ret;
}

enum wt_status wt_target_look(const char *path,
	const struct wt_options *options, struct wt_report *report,
	wt_target_look_fn *look, const void *ctx, struct wt_error *err)
{
	struct wt_target *target = NULL;
	enum wt_status ret = wt_target_open(
		path, false, look, ctx, options, report, &target, err);

	wt_target_close(target);
	return ret;
}
