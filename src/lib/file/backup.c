/* SPDX-License-Identifier: MIT
 * file/backup.c: keeps the old file under another name. */
#include "file/copy.h"

#include "base/io.h"
#include "file/attributes.h"
#include "file/copy_data.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

enum wt_status wt_backup_suffix_check(const struct wt_workfile *file,
	const char *suffix, struct wt_error *err)
{
	struct stat found = {0};
	char *name = NULL;
	bool is_too_long = false;

	if (suffix[0] == '\0' || strchr(suffix, '/'))
		return wt_fail(err, WT_ERR_USAGE, "bad-suffix", suffix,
			"cannot be the ending of a backup's name");
	if (asprintf(&name, "%s%s", file->name, suffix) < 0)
		return wt_fail_memory(err);
	is_too_long =
		fstatat(file->dir_fd, name, &found, AT_SYMLINK_NOFOLLOW) != 0 &&
		errno == ENAMETOOLONG;
	free(name);
	if (!is_too_long)
		return WT_OK;
	wt_fail(err, WT_ERR_FILE, "name-too-long", file->path,
		"with %s its backup's name is longer than the file system "
		"takes",
		suffix);
	wt_error_hint(err, "use a shorter --backup=SUFFIX");
	return WT_ERR_FILE;
}

static char *backup_name(const struct wt_copy *copy)
{
	char *name = NULL;

	if (asprintf(&name, "%s%s", copy->name, copy->publish->backup_suffix) <
		0)
		return NULL;
	return name;
}

static bool is_replaced_file(const struct wt_copy *copy, const char *name)
{
	struct stat found = {0};

	return fstatat(copy->dir_fd, name, &found, AT_SYMLINK_NOFOLLOW) == 0 &&
	       wt_io_is_same(&found, &copy->replaced);
}

/* For file systems without links: a second copy, with the old times. */
static enum wt_status backup_copy(struct wt_copy *copy,
	char temp_name[WT_TEMP_NAME_MAX], struct wt_error *err)
{
	struct timespec times[2] = {
		copy->replaced.st_atim, copy->replaced.st_mtim};
	struct wt_child_job *job = NULL;
	enum wt_status ret = WT_OK;
	int fd = wt_temp_create(copy->dir_fd, copy->name, false, temp_name);

	if (fd < 0)
		return wt_io_fail(err, copy->path, "cannot make its backup");
	if (copy->traits.has_mandatory_locks)
		(void)flock(fd, LOCK_UN);
	ret = wt_attributes_copy(copy->replaced_fd, &copy->replaced, fd,
		&copy->traits, copy->path, err);
	if (ret == WT_OK && !wt_copy_clone(copy->replaced_fd, fd)) {
		ret = wt_copy_data_start(copy->replaced_fd, fd,
			(uint64_t)copy->replaced.st_size, copy->path,
			copy->publish->cancel, NULL, &job, err);
		if (ret == WT_OK)
			ret = wt_child_finish(job, NULL, NULL, err);
	}
	if (ret == WT_OK &&
		((futimens(fd, times) != 0 && !wt_traits_is_cannot(errno)) ||
			wt_io_sync(fd) != 0))
		ret = wt_io_fail(err, copy->path, "cannot make its backup");
	if (ret != WT_OK)
		unlinkat(copy->dir_fd, temp_name, 0);
	close(fd);
	return ret;
}

/* Puts the old file under a name of its own first: link() does not replace
 * what is there, rename() does. */
static enum wt_status backup_stage(struct wt_copy *copy,
	char temp_name[WT_TEMP_NAME_MAX], struct wt_error *err)
{
	if (wt_temp_unused_name(copy->dir_fd, copy->name, temp_name) != 0)
		return wt_io_fail(err, copy->path, "cannot make its backup");
	if (linkat(copy->dir_fd, copy->name, copy->dir_fd, temp_name, 0) != 0)
		return backup_copy(copy, temp_name, err);
	if (is_replaced_file(copy, temp_name))
		return WT_OK;
	unlinkat(copy->dir_fd, temp_name, 0);
	/* Or a file has another number under each of its names. */
	if (is_replaced_file(copy, copy->name))
		return backup_copy(copy, temp_name, err);
	return wt_fail(err, WT_ERR_FILE, "changed", copy->path,
		"was replaced by another program in the meantime");
}

static enum wt_status backup_rename(struct wt_copy *copy, const char *temp_name,
	const char *name, struct wt_error *err)
{
	bool is_left = false;
	struct stat old = {0};
	bool is_there =
		fstatat(copy->dir_fd, name, &old, AT_SYMLINK_NOFOLLOW) == 0;

	if (wt_traits_rename_over(&copy->traits, copy->dir_fd, temp_name, name,
		    is_there ? &old : NULL, &is_left) == 0)
		return WT_OK;
	wt_io_fail(err, copy->path, "cannot keep its backup as %s", name);
	/* The one before is gone: this one stays in its place. */
	if (is_there && !is_left)
		wt_error_hint(err,
			"the backup that was there has gone; %s/%s "
			"is a new one",
			copy->folder, temp_name);
	else
		unlinkat(copy->dir_fd, temp_name, 0);
	return WT_ERR_FILE;
}

enum wt_status wt_backup_make(
	struct wt_copy *copy, bool *ret_is_new, struct wt_error *err)
{
	char temp_name[WT_TEMP_NAME_MAX];
	char *name = backup_name(copy);
	enum wt_status ret = WT_OK;

	*ret_is_new = false;
	if (!name)
		return wt_fail_memory(err);
	/* A run that was killed just here has made it already; rename() of
	 * two names of one file would do nothing. */
	if (is_replaced_file(copy, name))
		goto out;
	ret = backup_stage(copy, temp_name, err);
	if (ret != WT_OK)
		goto out;
	ret = backup_rename(copy, temp_name, name, err);
	if (ret != WT_OK)
		goto out;
	*ret_is_new = true;
	if (wt_traits_sync_folder(copy->dir_fd) != 0) {
		ret = wt_io_fail(err, copy->path, "cannot sync its folder");
		wt_backup_drop(copy);
	}
out:
	free(name);
	return ret;
}

void wt_backup_drop(struct wt_copy *copy)
{
	char *name = backup_name(copy);

	/* A second copy stays: it may be all that is left of the old file
	 * should the rename have happened after all. */
	if (name && is_replaced_file(copy, name))
		unlinkat(copy->dir_fd, name, 0);
	free(name);
}
