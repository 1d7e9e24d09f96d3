/* SPDX-License-Identifier: MIT
 * file/copy_publish.c: finishes a private copy and renames it to its place. */
#include "file/copy.h"

#include "base/child.h"
#include "base/io.h"
#include "file/attributes.h"
#include "file/openers.h"
#include "file/patch.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

static void report(const struct wt_copy *copy, const char *what)
{
	const struct wt_publish *publish = copy->publish;

	if (publish->progress)
		publish->progress(publish->progress_ctx, what,
			atomic_load(copy->done), copy->file->len);
}

static enum wt_status changed(const char *object, struct wt_error *err)
{
	wt_fail(err, WT_ERR_FILE, "changed", object,
		"was written or replaced by another program in the meantime");
	wt_error_hint(err, "try again; nothing was changed by this run");
	return WT_ERR_FILE;
}

/* What was read without a lock, before or while it was copied, may have been
 * changed in place; the copy would be half of each. */
static enum wt_status source_check(
	const struct wt_copy *copy, struct wt_error *err)
{
	const struct wt_workfile *file = copy->file;
	struct stat now = {0};

	if (file->is_locked || file->mtime_ns == 0)
		return WT_OK;
	if (wt_io_stat(file->fd, "", &now) != 0)
		return wt_io_fail(err, file->path, "cannot read it");
	if (wt_io_mtime_ns(&now) == file->mtime_ns)
		return WT_OK;
	return changed(file->path, err);
}

static void report_copied(void *ctx)
{
	report(ctx, "copy");
}

/* The end of copying, told to progress in between. */
static enum wt_status copy_wait(struct wt_copy *copy, struct wt_error *err)
{
	struct wt_child_job *job = copy->job;
	enum wt_status ret = WT_OK;

	copy->job = NULL; /* freed by the next call */
	if (job)
		ret = wt_child_finish(job, report_copied, copy, err);
	if (ret == WT_OK)
		ret = wt_cancelled(copy->publish->cancel, err);
	return ret == WT_OK ? source_check(copy, err) : ret;
}

/* Lets the caller rebuild the file, in a private folder so that nobody
 * sees it before it has its mode and owner. It then takes the copy's place.
 * The paths lead through open descriptors: who owns the folder around may put
 * a link in the place of either. */
static enum wt_status rebuild(struct wt_copy *copy, struct wt_error *err)
{
	char folder_name[WT_TEMP_NAME_MAX], new_name[WT_TEMP_NAME_MAX];
	char path[64] = "", new_path[WT_TEMP_NAME_MAX + 64] = "";
	struct stat mode_of = {0};
	enum wt_status ret = WT_OK;
	int new_fd = -1;
	int folder_fd =
		wt_temp_create(copy->dir_fd, copy->name, true, folder_name);

	if (folder_fd < 0)
		return wt_io_fail(err, copy->path,
			"cannot make a folder beside it to rebuild in");
	wt_temp_inner_name(copy->name, new_name);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", copy->fd);
	snprintf(new_path, sizeof(new_path), "/proc/self/fd/%d/%s", folder_fd,
		new_name);
	report(copy, "rebuild");
	ret = copy->publish->rebuild(
		copy->publish->rebuild_ctx, path, new_path, err);
	if (ret != WT_OK)
		goto out;
	new_fd = wt_io_open(folder_fd, new_name, O_RDWR | O_NOFOLLOW, 0);
	if (new_fd < 0 ||
		(!copy->traits.has_mandatory_locks &&
			flock(new_fd, LOCK_EX | LOCK_NB) != 0 &&
			!wt_traits_is_cannot(errno)) ||
		fstat(copy->fd, &mode_of) != 0) {
		ret = wt_io_fail(
			err, copy->path, "cannot open its rebuilt copy");
		goto out;
	}
	ret = wt_attributes_copy(
		copy->fd, &mode_of, new_fd, &copy->traits, copy->path, err);
	if (ret != WT_OK)
		goto out;
	/* Closed before it is renamed over, which not every file system can do
	 * with what is open. */
	close(copy->fd);
	copy->fd = new_fd;
	new_fd = -1; /* the copy's now */
	if (renameat(folder_fd, new_name, copy->dir_fd, copy->temp_name) != 0)
		ret = wt_io_fail(
			err, copy->path, "cannot move its rebuilt copy");
out:
	if (new_fd >= 0)
		close(new_fd);
	wt_temp_folder_remove(copy->dir_fd, folder_name, folder_fd, copy->name);
	close(folder_fd);
	return ret;
}

/* The hives are read back by the caller; this looks at all that was written,
 * tables too. In a rebuilt file nothing is where it was before. */
static enum wt_status compare(const struct wt_copy *copy,
	const struct wt_patch *patch, struct wt_error *err)
{
	const volatile sig_atomic_t *cancel = copy->publish->cancel;

	if (wt_patch_compare_afresh(patch, copy->fd, WT_PATCH_ALL, cancel) == 0)
		return WT_OK;
	return wt_patch_fail(cancel, copy->path,
		"its new copy does not hold what was written to it", err);
}

static enum wt_status finish(struct wt_copy *copy, const struct wt_patch *patch,
	struct wt_error *err)
{
	const struct wt_publish *publish = copy->publish;
	char path[64] = "";
	enum wt_status ret =
		wt_patch_check(patch, copy->file->len, copy->path, err);

	if (ret == WT_OK &&
		(wt_patch_write(
			 patch, copy->fd, WT_PATCH_ALL, publish->cancel) != 0 ||
			wt_io_truncate(copy->fd, patch->new_len) != 0))
		ret = wt_patch_fail(publish->cancel, copy->path,
			"its new copy cannot be written", err);
	if (ret == WT_OK && publish->rebuild && wt_io_sync(copy->fd) != 0)
		ret = wt_io_fail(err, copy->path, "cannot be written");
	if (ret == WT_OK && publish->rebuild)
		ret = compare(copy, patch, err);
	if (ret == WT_OK && publish->rebuild)
		ret = rebuild(copy, err);
	if (ret == WT_OK && wt_io_sync(copy->fd) != 0)
		ret = wt_io_fail(err, copy->path, "cannot be written");
	if (ret == WT_OK && !publish->rebuild)
		ret = compare(copy, patch, err);
	if (ret == WT_OK) {
		report(copy, "verify");
		snprintf(path, sizeof(path), "/proc/self/fd/%d", copy->fd);
		if (publish->verify)
			ret = publish->verify(publish->verify_ctx, path, err);
	}
	return ret;
}

/* Has a program that takes no lock written or replaced it since? */
static enum wt_status untouched_check(
	const struct wt_copy *copy, struct wt_error *err)
{
	struct stat now = {0};

	if (wt_io_stat(copy->dir_fd, copy->name, &now) != 0)
		return wt_io_fail(err, copy->path, "cannot be read any more");
	if (!wt_io_is_same(&now, &copy->replaced) ||
		now.st_size != copy->replaced.st_size ||
		wt_io_mtime_ns(&now) != wt_io_mtime_ns(&copy->replaced))
		return changed(copy->path, err);
	return WT_OK;
}

/* Not over what may have come there meanwhile. */
static int rename_new(const struct wt_copy *copy)
{
	if (renameat2(copy->dir_fd, copy->temp_name, copy->dir_fd, copy->name,
		    RENAME_NOREPLACE) == 0)
		return 0;
	if (!wt_traits_is_cannot(errno))
		return -1;
	/* File systems without that call: link() does not replace either. */
	if (linkat(copy->dir_fd, copy->temp_name, copy->dir_fd, copy->name,
		    0) == 0) {
		unlinkat(copy->dir_fd, copy->temp_name, 0);
		return 0;
	}
	if (errno == EEXIST)
		return -1;
	/* Neither, whatever link() said: rclone answers as a broken disk does.
	 * A look is all that is left. */
	if (faccessat(copy->dir_fd, copy->name, F_OK, AT_SYMLINK_NOFOLLOW) ==
		0) {
		errno = EEXIST;
		return -1;
	}
	return renameat(
		copy->dir_fd, copy->temp_name, copy->dir_fd, copy->name);
}

static enum wt_status in_use(const struct wt_copy *copy, struct wt_error *err)
{
	wt_fail(err, WT_ERR_FILE, "locked", copy->path,
		"is open in another program, and this file system cannot "
		"replace an open file");
	if (copy->is_itself)
		wt_error_hint(err, "try again when that program has closed "
				   "it, or use --commit append");
	else
		wt_error_hint(err, "try again when that program has closed "
				   "it, or write to another name");
	return WT_ERR_FILE;
}

/* Closes what is about to be replaced, where it would be lost otherwise, or
 * could not be replaced. */
static enum wt_status let_go(struct wt_copy *copy, struct wt_error *err)
{
	enum wt_openers openers = WT_OPENERS_UNKNOWN;
	enum wt_status ret = WT_OK;

	if (copy->traits.rename_over_open == WT_RENAME_WORKS)
		return WT_OK;
	openers = wt_openers_wait(copy->replaced_fd, false,
		WT_OPENERS_PATIENCE_MS, copy->publish->cancel);
	ret = wt_cancelled(copy->publish->cancel, err);
	if (ret != WT_OK)
		return ret;
	if (openers == WT_OPENERS_SOME)
		return in_use(copy, err);
	if (copy->is_itself)
		ret = wt_workfile_let_go(copy->file, err);
	else
		close(copy->replaced_fd);
	if (ret != WT_OK)
		return ret;
	copy->replaced_fd = -1;
	wt_io_sleep_ms(WT_CLOSE_MS);
	return untouched_check(copy, err);
}

/* The file that was to be replaced is gone, or may go when somebody closes
 * it: then the finished one is all there is. */
static enum wt_status keep(
	struct wt_copy *copy, bool is_old, struct wt_error *err)
{
	const char *folder = strcmp(copy->folder, "/") == 0 ? "" : copy->folder;

	if (is_old)
		in_use(copy, err);
	else
		wt_io_fail(err, copy->path,
			"is gone, and the finished file cannot be renamed to "
			"it");
	wt_error_hint(err,
		"the finished file is kept: %s/%s; when %s is gone, rename it "
		"to that",
		folder, copy->temp_name, copy->name);
	copy->temp_name[0] = '\0'; /* not removed */
	return WT_ERR_FILE;
}

static enum wt_status rename_over(
	struct wt_copy *copy, bool has_backup, struct wt_error *err)
{
	bool is_old = false;
	enum wt_status ret = WT_OK;

	if (wt_traits_rename_over(&copy->traits, copy->dir_fd, copy->temp_name,
		    copy->name, &copy->replaced, &is_old) == 0)
		return WT_OK;
	if (!is_old || copy->traits.rename_over_open == WT_RENAME_LOSES)
		return keep(copy, is_old, err);
	ret = copy->traits.rename_over_open == WT_RENAME_REFUSED
		      ? in_use(copy, err)
		      : wt_io_fail(err, copy->path,
				"the finished file cannot be renamed to it");
	if (has_backup)
		wt_backup_drop(copy);
	return ret;
}

static enum wt_status replace(struct wt_copy *copy, struct wt_error *err)
{
	bool has_backup = false;
	enum wt_status ret = untouched_check(copy, err);

	if (ret == WT_OK && copy->publish->backup_suffix)
		ret = wt_backup_make(copy, &has_backup, err);
	if (ret != WT_OK)
		return ret;
	ret = let_go(copy, err);
	if (ret == WT_OK)
		return rename_over(copy, has_backup, err);
	if (has_backup)
		wt_backup_drop(copy);
	return ret;
}

static enum wt_status publish_new(struct wt_copy *copy, struct wt_error *err)
{
	if (rename_new(copy) == 0)
		return WT_OK;
	if (errno == EEXIST)
		return wt_fail(err, WT_ERR_FILE, "output-exists", copy->path,
			"was created by another program in the meantime");
	return wt_io_fail(
		err, copy->path, "the finished file cannot be renamed to it");
}

static enum wt_status move_into_place(
	struct wt_copy *copy, struct wt_error *err)
{
	enum wt_status ret = copy->replaced_fd < 0 ? publish_new(copy, err)
						   : replace(copy, err);

	if (ret != WT_OK)
		return ret;
	copy->temp_name[0] = '\0'; /* nothing is left to remove */
	if (wt_traits_sync_folder(copy->dir_fd) != 0)
		return wt_io_fail(err, copy->path,
			"is in place, but its folder cannot be synced: a "
			"power cut may bring the old file back");
	return WT_OK;
}

/* Who has it open may be a writer that has read the header and not yet taken
 * the lock. */
static void openers_wait(const struct wt_copy *copy)
{
	if (copy->is_itself && copy->file->is_locked && copy->file->fd >= 0)
		(void)wt_openers_wait(copy->file->fd, false, WT_OPENERS_WAIT_MS,
			copy->publish->cancel);
}

enum wt_status wt_copy_publish(struct wt_copy *copy,
	const struct wt_patch *patch, struct wt_error *err)
{
	enum wt_status ret = copy_wait(copy, err);

	if (ret == WT_OK)
		ret = finish(copy, patch, err);
	if (ret == WT_OK)
		openers_wait(copy);
	if (ret == WT_OK)
		ret = wt_cancelled(copy->publish->cancel, err);
	if (ret == WT_OK)
		ret = move_into_place(copy, err);
	/* Such a writer reopens the path when it writes: it then finds the
	 * new file, whose lock is ours until the copy is freed. */
	if (ret == WT_OK)
		openers_wait(copy);
	wt_copy_free(copy);
	return ret;
}
