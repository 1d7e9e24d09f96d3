/* SPDX-License-Identifier: MIT
 * file/copy.c: a private copy beside the place where it will be published. */
#include "file/copy.h"

#include "base/io.h"
#include "file/attributes.h"
#include "file/copy_data.h"
#include "file/lockfile.h"
#include "file/room.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

void wt_copy_free(struct wt_copy *copy)
{
	if (!copy)
		return;
	wt_child_stop(copy->job);
	wt_shared_free((void *)copy->done, sizeof(*copy->done));
	if (copy->fd >= 0) {
		if (copy->temp_name[0] != '\0')
			unlinkat(copy->dir_fd, copy->temp_name, 0);
		close(copy->fd);
	}
	if (copy->replaced_fd >= 0 && !copy->is_itself)
		close(copy->replaced_fd);
	wt_lockfile_drop(copy->dir_fd, copy->name, copy->lock_fd);
	if (copy->dir_fd >= 0)
		close(copy->dir_fd);
	free(copy->temp_path);
	free(copy->folder);
	free(copy->name);
	free(copy->path);
	free(copy);
}

void wt_copy_abandon(struct wt_copy *copy)
{
	wt_copy_free(copy);
}

/* Other names of the file that are backups of it: NAME and a suffix, in the
 * same folder. A run that was killed between making the backup and renaming
 * the new file into place leaves one. */
static unsigned backups_count(const struct wt_copy *copy)
{
	size_t name_len = strlen(copy->name);
	unsigned count = 0;
	DIR *dir = NULL;
	int fd = wt_io_open(copy->dir_fd, ".", O_RDONLY | O_DIRECTORY, 0);

	if (fd < 0)
		return 0;
	dir = fdopendir(fd);
	if (!dir) {
		close(fd);
		return 0;
	}
	for (;;) {
		struct dirent *entry = readdir(dir);
		struct stat found = {0};

		if (!entry)
			break;
		if (strncmp(entry->d_name, copy->name, name_len) == 0 &&
			entry->d_name[name_len] != '\0' &&
			fstatat(copy->dir_fd, entry->d_name, &found,
				AT_SYMLINK_NOFOLLOW) == 0 &&
			wt_io_is_same(&found, &copy->source))
			count++;
	}
	closedir(dir);
	return count;
}

static enum wt_status place_itself(struct wt_copy *copy, struct wt_error *err)
{
	const struct wt_workfile *file = copy->file;
	char *slash = NULL;

	copy->name = strdup(file->name);
	copy->path = strdup(file->path);
	copy->folder = strdup(file->path);
	if (!copy->name || !copy->path || !copy->folder)
		return wt_fail_memory(err);
	slash = strrchr(copy->folder, '/');
	slash[slash == copy->folder ? 1 : 0] = '\0';
	copy->dir_fd = wt_io_open(file->dir_fd, ".", O_RDONLY | O_DIRECTORY, 0);
	if (copy->dir_fd < 0)
		return wt_io_fail(err, file->path, "cannot open its folder");
	copy->is_itself = true;
	copy->replaced_fd = file->fd;
	copy->replaced = copy->source;
	if (copy->source.st_nlink <= 1 ||
		copy->source.st_nlink == 1 + backups_count(copy))
		return WT_OK;
	wt_fail(err, WT_ERR_FILE, "hard-linked", file->path,
		"has %lu names (hard links); replacing it would leave the "
		"other names with the old file",
		(unsigned long)copy->source.st_nlink);
	wt_error_hint(err, "use --commit append, which writes into the file "
			   "itself, or -o FILE");
	return WT_ERR_FILE;
}

static enum wt_status output_look(struct wt_copy *copy, struct wt_error *err)
{
	int fd = wt_io_open(copy->dir_fd, copy->name, O_RDONLY | O_NOFOLLOW, 0);

	if (fd < 0 && errno == ENOENT)
		return WT_OK;
	/* One that cannot be read can still be replaced, but its owner
	 * and attributes cannot be kept. */
	if (fd < 0)
		return wt_io_fail(err, copy->path,
			errno == ENAMETOOLONG
				? "cannot be made"
				: "is there and cannot be opened");
	copy->replaced_fd = fd;
	if (wt_io_stat(fd, "", &copy->replaced) != 0)
		return wt_io_fail(err, copy->path, "cannot read it");
	if (!S_ISREG(copy->replaced.st_mode))
		return wt_fail(err, WT_ERR_FILE, "not-a-file", copy->path,
			"is a folder, pipe or device, not a file");
	/* What is read may be a copy: the file is the one that was opened. */
	if (copy->replaced.st_dev == copy->file->dev &&
		copy->replaced.st_ino == copy->file->ino) {
		wt_fail(err, WT_ERR_USAGE, "output-is-target", copy->path,
			"is the file that is read");
		wt_error_hint(err, "leave out -o to change it");
		return WT_ERR_USAGE;
	}
	if (copy->publish->force)
		return WT_OK;
	wt_fail(err, WT_ERR_FILE, "output-exists", copy->path,
		"exists already");
	wt_error_hint(err, "use -f (--force) to replace it");
	return WT_ERR_FILE;
}

/* Opens the folder of an output; a backup's is the file's own, which is open
 * already. */
static int output_folder_open(const struct wt_copy *copy, bool is_resolved)
{
	const int flags = O_RDONLY | O_DIRECTORY;

	if (copy->publish->is_backup)
		return wt_io_open(copy->file->dir_fd, ".", flags, 0);
	if (is_resolved)
		return wt_io_open_resolved(copy->folder, flags);
	return wt_io_open(AT_FDCWD, copy->folder, flags, 0);
}

/* An output that is there may be a link, which is followed, a backup's never;
 * one that is not needs a folder. */
static enum wt_status place_output(struct wt_copy *copy, struct wt_error *err)
{
	const char *output = copy->publish->output;
	char *path = copy->publish->is_backup ? NULL : realpath(output, NULL);
	bool is_resolved = path != NULL;
	char *slash = NULL;
	enum wt_status ret = WT_OK;

	if (!path)
		path = strdup(output);
	if (!path)
		return wt_fail_memory(err);
	copy->path = path;
	slash = strrchr(path, '/');
	copy->name = strdup(slash ? slash + 1 : path);
	if (!slash)
		copy->folder = strdup(".");
	else if (slash == path)
		copy->folder = strdup("/");
	else
		copy->folder = strndup(path, (size_t)(slash - path));
	if (!copy->name || !copy->folder)
		return wt_fail_memory(err);
	if (copy->name[0] == '\0')
		return wt_fail(err, WT_ERR_FILE, "not-a-file", output,
			"names a folder, not a file");
	copy->dir_fd = output_folder_open(copy, is_resolved);
	if (copy->dir_fd < 0)
		return wt_io_fail(
			err, output, "cannot open its folder %s", copy->folder);
	ret = wt_workfile_folder_check(copy->dir_fd, output, err);
	return ret == WT_OK ? output_look(copy, err) : ret;
}

/* Removes what killed runs left that wrote to the same output. Second names of
 * the output itself stay: only a lock on it would tell that no other run just
 * made them, and there is none here. */
static void output_sweep(const struct wt_copy *copy)
{
	const struct stat nothing = {.st_uid = geteuid()};
	struct stat holder = {0};

	if (copy->publish->output && !copy->publish->is_backup &&
		!wt_lockfile_is_held(
			copy->dir_fd, copy->name, &nothing, &holder))
		(void)wt_temp_sweep(copy->dir_fd, copy->name, &nothing);
}

/* Where a lock on it would keep our own children out, a lock file says that
 * the copy is in use. TARGET has one already. */
static enum wt_status unlocked_take(struct wt_copy *copy, struct wt_error *err)
{
	struct stat holder = {0};
	enum wt_status ret = WT_OK;

	if (!copy->is_itself && !copy->publish->is_backup)
		ret = wt_lockfile_take(
			copy->dir_fd, copy->name, &copy->lock_fd, &holder);
	if (ret == WT_NO)
		return wt_fail(err, WT_ERR_FILE, "locked", copy->path,
			"is being written by another run");
	if (ret != WT_OK)
		return wt_io_fail(
			err, copy->path, "cannot make a lock file beside it");
	(void)flock(copy->fd, LOCK_UN);
	return WT_OK;
}

static enum wt_status file_create(struct wt_copy *copy, struct wt_error *err)
{
	enum wt_status ret = WT_OK;
	/* The next run that locks the file looks for what bears its name. */
	const char *name =
		copy->publish->is_backup ? copy->file->name : copy->name;

	output_sweep(copy);
	copy->fd = wt_traits_temp_create(
		copy->dir_fd, name, copy->temp_name, &copy->traits);
	if (copy->fd < 0) {
		wt_io_fail(err, copy->path,
			"cannot make a new file in its folder %s",
			copy->folder);
		if (errno == EPERM)
			wt_error_hint(err, WT_FIXED_FOLDER_HINT);
		else if (copy->is_itself)
			wt_error_hint(err, "run it as a user who may write "
					   "into that folder, or write another "
					   "file with -o FILE");
		return WT_ERR_FILE;
	}
	if (copy->traits.has_mandatory_locks) {
		ret = unlocked_take(copy, err);
		if (ret != WT_OK)
			return ret;
	}
	if (asprintf(&copy->temp_path, "%s/%s", copy->folder, copy->temp_name) <
		0) {
		copy->temp_path = NULL;
		return wt_fail_memory(err);
	}
	if (copy->replaced_fd >= 0) {
		ret = wt_attributes_copy(copy->replaced_fd, &copy->replaced,
			copy->fd, &copy->traits, copy->path, err);
		/* An output may be what the file system makes of it. */
		if (ret == WT_OK && !copy->publish->output)
			ret = wt_attributes_check(
				&copy->replaced, copy->fd, copy->path, err);
		return ret;
	}
	return wt_attributes_new_file(
		&copy->source, copy->fd, &copy->traits, copy->path, err);
}

/* What needs room at the same time: the copy, and the rebuilt file
 * from it. A clone shares its blocks with the file. */
static uint64_t room_need(const struct wt_copy *copy,
	const struct wt_room *room, bool is_clone, uint64_t more_len)
{
	uint64_t data_len = (uint64_t)copy->source.st_blocks * 512;
	uint64_t len = copy->file->len;
	uint64_t copy_len = more_len;
	uint64_t new_len = 0;

	/* Holes stay holes, but not on every file system. */
	if (data_len > len || !copy->is_itself)
		data_len = len;
	if (!is_clone)
		copy_len += data_len;
	if (copy->publish->rebuild)
		new_len = wt_room_of_file(room, len + more_len);
	return wt_room_of_file(room, copy_len) + new_len;
}

static enum wt_status room_check(const struct wt_copy *copy, bool is_clone,
	uint64_t more_len, struct wt_error *err)
{
	struct wt_room_texts texts = {0};
	struct wt_room room = {0};
	uint64_t need = 0;

	if (!wt_room_look(copy->fd, &room))
		return WT_OK;
	need = room_need(copy, &room, is_clone, more_len);
	if (need <= room.free_len)
		return WT_OK;
	texts = wt_room_texts(&room, need);
	wt_fail(err, WT_ERR_FILE, "no-space", copy->path,
		"needs %s on the file system of %s, which has %s free",
		texts.need, copy->folder, texts.free);
	if (copy->is_itself && copy->publish->rebuild)
		wt_error_hint(err, "make room there, write elsewhere with -o "
				   "FILE, or leave out --rebuild, which needs "
				   "twice as much");
	else if (copy->is_itself)
		wt_error_hint(err, "make room there, write elsewhere with -o "
				   "FILE, or use --commit append, which needs "
				   "little");
	else
		wt_error_hint(err, "make room there, or write elsewhere");
	return WT_ERR_FILE;
}

static enum wt_status data_begin(
	struct wt_copy *copy, uint64_t room_len, struct wt_error *err)
{
	enum wt_status ret = WT_OK;

	copy->done = wt_shared_new(sizeof(*copy->done));
	if (!copy->done)
		return wt_fail_memory(err);
	if (wt_copy_clone(copy->file->fd, copy->fd) &&
		wt_io_truncate(copy->fd, copy->file->len) == 0) {
		atomic_store(copy->done, copy->file->len);
		return room_check(copy, true, room_len, err);
	}
	ret = room_check(copy, false, room_len, err);
	if (ret != WT_OK)
		return ret;
	return wt_copy_data_start(copy->file->fd, copy->fd, copy->file->len,
		copy->path, copy->publish->cancel, copy->done, &copy->job, err);
}

enum wt_status wt_copy_begin(struct wt_workfile *file,
	const struct wt_publish *publish, uint64_t room_len,
	struct wt_copy **ret_copy, struct wt_error *err)
{
	struct wt_copy *copy = calloc(1, sizeof(*copy));
	enum wt_status ret = WT_OK;

	if (!copy)
		return wt_fail_memory(err);
	copy->file = file;
	copy->publish = publish;
	copy->fd = copy->dir_fd = copy->replaced_fd = copy->lock_fd = -1;
	if (wt_io_stat(file->fd, "", &copy->source) != 0) {
		ret = wt_io_fail(err, file->path, "cannot read it");
		goto out;
	}
	if (!publish->output)
		ret = wt_workfile_fixed_check(file, err);
	if (ret == WT_OK && !publish->output && publish->backup_suffix)
		ret = wt_backup_suffix_check(file, publish->backup_suffix, err);
	if (ret == WT_OK)
		ret = publish->output ? place_output(copy, err)
				      : place_itself(copy, err);
	if (ret == WT_OK)
		ret = file_create(copy, err);
	if (ret == WT_OK)
		ret = data_begin(copy, room_len, err);
	if (ret != WT_OK)
		goto out;
	*ret_copy = copy;
	copy = NULL; /* the caller's now */
out:
	wt_copy_free(copy);
	return ret;
}
