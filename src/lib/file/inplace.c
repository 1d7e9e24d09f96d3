/* SPDX-License-Identifier: MIT
 * file/inplace.c: changes a file in place, guarded by an undo file. */
#include "file/workfile.h"

#include "base/child.h"
#include "base/io.h"
#include "file/copy.h"
#include "file/openers.h"
#include "file/patch.h"
#include "file/room.h"
#include "file/undo.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

/* The undo file and the tail. */
static uint64_t room_need(const struct wt_room *room,
	const struct wt_patch *patch, const struct wt_undo *undo)
{
	uint64_t need = wt_room_of_file(room, undo->buffer_len);

	if (patch->new_len > patch->old_len)
		need += wt_room_of_file(room, patch->new_len - patch->old_len);
	return need;
}

static enum wt_status room_check(
	const struct wt_workfile *file, uint64_t need, struct wt_error *err)
{
	struct wt_room_texts texts = {0};
	struct wt_room room = {0};

	if (!wt_room_look(file->fd, &room) || need <= room.free_len)
		return WT_OK;
	texts = wt_room_texts(&room, need);
	wt_fail(err, WT_ERR_FILE, "no-space", file->path,
		"needs %s more on its file system, which has %s free",
		texts.need, texts.free);
	wt_error_hint(err, "make room there");
	return WT_ERR_FILE;
}

static enum wt_status access_check(
	const struct wt_workfile *file, struct wt_error *err)
{
	int flags = fcntl(file->fd, F_GETFL);
	enum wt_status ret = wt_workfile_fixed_check(file, err);
	struct statvfs fs = {0};

	if (ret != WT_OK)
		return ret;
	if (flags >= 0 && (flags & O_ACCMODE) == O_RDWR)
		return WT_OK;
	if (fstatvfs(file->fd, &fs) == 0 && (fs.f_flag & ST_RDONLY) != 0) {
		errno = EROFS;
		return wt_io_fail(err, file->path, "cannot be written into");
	}
	wt_fail(err, WT_ERR_FILE, "permission", file->path,
		"you may not write into it");
	wt_error_hint(err, "run this as its owner, or write another file with "
			   "-o FILE");
	return WT_ERR_FILE;
}

/* Everything up to the point where the old state is still what a reader
 * sees. */
static enum wt_status tail_write(const struct wt_workfile *file,
	const struct wt_patch *patch, const struct wt_publish *publish,
	struct wt_error *err)
{
	if (patch->new_len <= patch->old_len)
		return WT_OK;
	if (wt_patch_write(patch, file->fd, WT_PATCH_TAIL, publish->cancel) !=
			0 ||
		wt_io_truncate(file->fd, patch->new_len) != 0 ||
		wt_io_sync(file->fd) != 0)
		return wt_patch_fail(
			publish->cancel, file->path, "cannot be written", err);
	if (wt_patch_compare_afresh(
		    patch, file->fd, WT_PATCH_TAIL, publish->cancel) != 0)
		return wt_patch_fail(publish->cancel, file->path,
			"does not hold what was written to it", err);
	return WT_OK;
}

/* From here on it cannot be cancelled: it takes milliseconds. The lease
 * keeps others from opening the file while its head changes, so that nobody
 * reads the old head and writes behind the new one's back. */
static enum wt_status head_write(const struct wt_workfile *file,
	const struct wt_patch *patch, const struct wt_publish *publish,
	struct wt_error *err)
{
	bool has_lease = wt_openers_wait(file->fd, true, WT_OPENERS_WAIT_MS,
				 publish->cancel) == WT_OPENERS_NONE;
	enum wt_status ret = wt_cancelled(publish->cancel, err);
	int result = 0;

	if (ret == WT_OK) {
		result = wt_patch_write(
			patch, file->fd, WT_PATCH_REPLACED, NULL);
		if (result != 0)
			ret = wt_io_fail(err, file->path, "cannot be written");
	}
	if (has_lease)
		wt_lease_drop(file->fd);
	if (ret == WT_OK && wt_io_sync(file->fd) != 0)
		ret = wt_io_fail(err, file->path, "cannot be written");
	return ret;
}

static enum wt_status verify(const struct wt_workfile *file,
	const struct wt_patch *patch, const struct wt_publish *publish,
	struct wt_error *err)
{
	char path[64] = "";

	if (wt_patch_compare_afresh(patch, file->fd, WT_PATCH_REPLACED, NULL) !=
		0)
		return wt_io_fail(err, file->path,
			"does not hold what was written to it");
	if (!publish->verify)
		return WT_OK;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", file->fd);
	return publish->verify(publish->verify_ctx, path, err);
}

static enum wt_status shorten(
	const struct wt_workfile *file, uint64_t len, struct wt_error *err)
{
	struct stat found = {0};

	if (wt_io_truncate(file->fd, len) != 0 || wt_io_sync(file->fd) != 0 ||
		fstat(file->fd, &found) != 0)
		return wt_io_fail(err, file->path, "cannot be shortened");
	if ((uint64_t)found.st_size == len)
		return WT_OK;
	return wt_fail(err, WT_ERR_FILE, "io-error", file->path,
		"was shortened to %llu bytes and has %llu",
		(unsigned long long)len, (unsigned long long)found.st_size);
}

/* A run that was killed just before it replaced the file has left the backup
 * as a second name of the file itself, which would change with it. */
static void linked_backup_drop(const struct wt_workfile *file, const char *path)
{
	const char *name = strrchr(path, '/') + 1;
	struct stat found = {0};

	if (wt_io_is_named(file->fd, file->dir_fd, name) &&
		fstat(file->fd, &found) == 0 && found.st_nlink > 1 &&
		strcmp(name, file->name) != 0)
		(void)unlinkat(file->dir_fd, name, 0);
}

/* What a backup is for: the old state under another name, whole. room_len is
 * what the change itself needs afterwards. */
static enum wt_status backup_copy(struct wt_workfile *file,
	const struct wt_publish *publish, uint64_t room_len,
	struct wt_error *err)
{
	struct wt_publish backup = {
		.force = true,
		.is_backup = true,
		.cancel = publish->cancel,
		.progress = publish->progress,
		.progress_ctx = publish->progress_ctx,
	};
	struct wt_patch nothing = {
		.old_len = file->len,
		.new_len = file->len,
	};
	struct wt_copy *copy = NULL;
	enum wt_status ret = WT_OK;
	char *path = NULL;

	ret = wt_backup_suffix_check(file, publish->backup_suffix, err);
	if (ret != WT_OK)
		return ret;
	if (asprintf(&path, "%s%s", file->path, publish->backup_suffix) < 0)
		return wt_fail_memory(err);
	linked_backup_drop(file, path);
	backup.output = path;
	ret = wt_copy_begin(file, &backup, room_len, &copy, err);
	if (ret == WT_OK)
		ret = wt_copy_publish(copy, &nothing, err);
	free(path);
	return ret;
}

/* Failed after the undo file was made: as it was before, here and now. */
static void roll_back(const struct wt_workfile *file,
	const struct wt_undo *undo, struct wt_error *err)
{
	if (wt_undo_restore(undo, file->fd) == 0 &&
		wt_undo_remove(file->dir_fd, file->name) == 0)
		return;
	if (err) {
		err->hint[0] = '\0';
		wt_error_hint(err, "the state before could not be restored "
				   "yet: the next run on this file does that "
				   "from the undo file beside it; keep it");
	}
}

enum wt_status wt_workfile_patch(struct wt_workfile *file,
	const struct wt_patch *patch, const struct wt_publish *publish,
	struct wt_error *err)
{
	struct wt_undo *undo = NULL;
	enum wt_status ret = WT_OK;
	struct wt_error why = {0};
	struct wt_room room = {0};
	struct stat found = {0};
	uint64_t need = 0;
	int undo_fd = -1;

	ret = access_check(file, err);
	if (ret == WT_OK && fstat(file->fd, &found) != 0)
		ret = wt_io_fail(err, file->path, "cannot read it");
	if (ret == WT_OK)
		ret = wt_patch_check(
			patch, (uint64_t)found.st_size, file->path, err);
	if (ret == WT_OK)
		ret = wt_undo_new(file->fd, patch, file->path, &undo, err);
	if (ret == WT_OK && wt_room_look(file->fd, &room))
		need = room_need(&room, patch, undo);
	if (ret == WT_OK)
		ret = room_check(file, need, err);
	if (ret == WT_OK && publish->backup_suffix)
		ret = backup_copy(file, publish, need, err);
	if (ret == WT_OK)
		ret = wt_cancelled(publish->cancel, err);
	if (ret == WT_OK)
		ret = wt_undo_write(undo, file->dir_fd, file->name, &found,
			file->path, &undo_fd, err);
	if (ret != WT_OK)
		goto out;
	ret = tail_write(file, patch, publish, err);
	if (ret == WT_OK)
		ret = head_write(file, patch, publish, err);
	if (ret == WT_OK)
		ret = verify(file, patch, publish, err);
	/* Whatever failed with a file that nobody sees any more, this is why,
	 * and what succeeded is of no use. */
	if (ret != WT_INTERRUPTED &&
		wt_workfile_named_check(file, &why) != WT_OK)
		ret = wt_fail_as(err, &why);
	/* Last, since what is cut off may be too long to be kept. */
	if (ret == WT_OK && patch->new_len < patch->old_len)
		ret = shorten(file, patch->new_len, err);
	if (ret != WT_OK) {
		roll_back(file, undo, err);
		goto out;
	}
	file->len = patch->new_len;
	if (wt_undo_remove(file->dir_fd, file->name) != 0)
		ret = wt_io_fail(err, file->path,
			"was changed, but its undo file cannot be removed; "
			"the next run does that and keeps the change");
out:
	if (undo_fd >= 0)
		close(undo_fd);
	wt_undo_free(undo);
	return ret;
}
