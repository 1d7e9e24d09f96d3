/* SPDX-License-Identifier: MIT
 * file/workfile.c: opens, locks and recovers the file that a run works on. */
#include "file/workfile.h"

#include "base/child.h"
#include "base/io.h"
#include "file/lockfile.h"
#include "file/openers.h"
#include "file/temp.h"
#include "file/traits.h"
#include "file/undo.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define POLL_MS 50
#define LET_GO_MS 10000
#define LEASE_TRIES 300
/* The longest file whose old state is put together in memory. A WIM's header
 * is one sector, so that only a hive can be torn. */
#define OLD_STATE_MAX ((uint64_t)512 << 20)

void wt_workfile_close(struct wt_workfile *file)
{
	if (!file)
		return;
	/* Unlocked here, not by close(): a child may still have the descriptor.
	 */
	if (file->is_locked && file->fd >= 0)
		(void)flock(file->fd, LOCK_UN);
	if (file->fd >= 0)
		close(file->fd);
	wt_lockfile_drop(file->dir_fd, file->name, file->lock_fd);
	if (file->dir_fd >= 0)
		close(file->dir_fd);
	free(file->path);
	free(file->name);
	free(file);
}

/* On some file systems a rename can lose the name. If a run is killed then, it
 * leaves the finished copy under a temporary name. */
static enum wt_status cannot_open(const char *path, struct wt_error *err)
{
	const char *slash = strrchr(path, '/');
	const char *name = slash ? slash + 1 : path;
	char *folder =
		errno == ENOENT ? strndup(path, (size_t)(name - path)) : NULL;
	char left[WT_TEMP_NAME_MAX] = "", found[PATH_MAX] = "";
	char text[sizeof(err->hint)] = "";
	int dir_fd = -1;

	wt_io_fail(err, path, "cannot be opened");
	if (folder)
		dir_fd = wt_io_open(AT_FDCWD, slash ? folder : ".",
			O_RDONLY | O_DIRECTORY, 0);
	if (dir_fd >= 0 && wt_temp_find(dir_fd, name, left)) {
		snprintf(text, sizeof(text),
			"a run that was killed may have finished it: if "
			"wimtrust list FILE shows it whole, rename %s to %s",
			left, name);
		snprintf(found, sizeof(found), "%s%s", folder, left);
		wt_error_hint_file(err, text, found);
	}
	if (dir_fd >= 0)
		close(dir_fd);
	free(folder);
	return WT_ERR_FILE;
}

/* Finds the file behind path, and opens its folder. */
static enum wt_status place_find(const char *path, int dir_fd,
	bool is_for_writing, struct wt_workfile *file, struct wt_error *err)
{
	int flags = O_DIRECTORY | (is_for_writing ? O_RDONLY : O_PATH);
	char *slash = NULL;

	file->path = dir_fd < 0 ? realpath(path, NULL) : strdup(path);
	if (!file->path)
		return cannot_open(path, err);
	slash = strrchr(file->path, '/');
	file->name = strdup(slash + 1);
	if (!file->name)
		return wt_fail_memory(err);
	if (file->name[0] == '\0')
		return wt_fail(err, WT_ERR_FILE, "not-a-file", path,
			"is a folder, not a file");
	/* The root folder keeps its slash. */
	slash[slash == file->path ? 1 : 0] = '\0';
	file->dir_fd = dir_fd < 0 ? wt_io_open_resolved(file->path, flags)
				  : wt_io_open(dir_fd, ".", flags, 0);
	if (file->dir_fd < 0)
		wt_io_fail(err, path, "cannot open its folder %s", file->path);
	memmove(slash + 1, file->name, strlen(file->name) + 1);
	*slash = '/';
	return file->dir_fd < 0 ? WT_ERR_FILE : WT_OK;
}

static enum wt_status kind_check(
	const struct stat *found, const char *path, struct wt_error *err)
{
	const char *kind = NULL;

	if (S_ISREG(found->st_mode))
		return WT_OK;
	if (S_ISDIR(found->st_mode))
		kind = "a folder";
	else if (S_ISFIFO(found->st_mode))
		kind = "a pipe";
	else if (S_ISLNK(found->st_mode))
		kind = "a symbolic link that was put there in the meantime";
	else
		kind = "a device or socket";
	return wt_fail(err, WT_ERR_FILE, "not-a-file", path,
		"is %s, not a file", kind);
}

/* Looked at before it is opened: opening a device may do something. */
static enum wt_status kind_look(const struct wt_workfile *file,
	const char *path, struct stat *found, struct wt_error *err)
{
	if (fstatat(file->dir_fd, file->name, found, AT_SYMLINK_NOFOLLOW) != 0)
		return cannot_open(path, err);
	return kind_check(found, path, err);
}

/* Opens NAME in the folder. errno EAGAIN: another run holds a lease for the
 * moment, try again. */
static int file_open(struct wt_workfile *file, int flags)
{
	file->fd = wt_io_open(file->dir_fd, file->name, flags | O_NOFOLLOW, 0);
	return file->fd < 0 ? -1 : 0;
}

static void file_reset(struct wt_workfile *file)
{
	if (file->fd >= 0)
		close(file->fd);
	file->fd = -1;
}

static struct wt_workfile *file_new(void)
{
	struct wt_workfile *file = calloc(1, sizeof(*file));

	if (file)
		file->fd = file->dir_fd = file->lock_fd = -1;
	return file;
}

/* What a reader sees of a file that has an undo file beside it. */
static enum wt_status read_interrupted(struct wt_workfile *file,
	const struct wt_undo *undo, bool is_live, struct wt_error *err)
{
	enum wt_undo_state state = WT_UNDO_OLD;
	bool is_small = undo->old_len <= OLD_STATE_MAX;
	int old_fd = -1;

	if (wt_undo_compare(undo, file->fd, file->len, &state) != 0)
		return wt_io_fail(err, file->path, "cannot read it");
	if (state == WT_UNDO_FOREIGN && !is_live)
		return WT_OK;
	if (!is_live)
		snprintf(file->note, sizeof(file->note),
			"an earlier run was interrupted while it changed this "
			"file; %s is shown, and the next run that writes "
			"will %s",
			state == WT_UNDO_NEW ? "the finished change"
					     : "the state before it",
			state == WT_UNDO_NEW ? "tidy up" : "restore it");
	if (state == WT_UNDO_NEW) {
		file->len = undo->new_len;
		return WT_OK;
	}
	file->len = undo->old_len;
	/* A disk writes one sector whole, so what was read is valid. A live
	 * writer may be changing several right now. */
	if (state == WT_UNDO_OLD &&
		(!is_live || (undo->range_count == 1 &&
				     undo->ranges[0].offset % WT_SECTOR_LEN +
						     undo->ranges[0].len <=
					     WT_SECTOR_LEN)))
		return WT_OK;
	if (!is_small) {
		wt_fail(err, WT_ERR_FILE, "interrupted", file->path,
			"a run was interrupted while it changed this file");
		wt_error_hint(err, "run a command that writes it: the state "
				   "before is restored first");
		return WT_ERR_FILE;
	}
	old_fd = wt_undo_old_state(undo, file->fd);
	if (old_fd < 0)
		return wt_io_fail(
			err, file->path, "cannot reconstruct the state before");
	file_reset(file);
	file->fd = old_fd;
	file->mtime_ns = 0; /* nobody else can change it */
	return WT_OK;
}

static enum wt_status state_look(
	struct wt_workfile *file, struct stat *ret_found, struct wt_error *err)
{
	if (wt_io_stat(file->fd, "", ret_found) != 0)
		return wt_io_fail(err, file->path, "cannot read it");
	file->dev = ret_found->st_dev;
	file->ino = ret_found->st_ino;
	file->len = (uint64_t)ret_found->st_size;
	file->mtime_ns = wt_io_mtime_ns(ret_found);
	return WT_OK;
}

/* A writer may end between two looks: where there is no undo file, what counts
 * is the length after that was seen. */
static enum wt_status recovery_look(
	struct wt_workfile *file, struct wt_error *err)
{
	struct wt_undo *undo = NULL;
	struct stat found = {0};
	enum wt_status ret = state_look(file, &found, err);
	bool is_live = false;

	if (ret != WT_OK)
		return ret;
	ret = wt_undo_read(file->dir_fd, file->name, &found, file->path, &undo,
		&is_live, err);
	/* A stranger's file in a folder that everyone may write must not keep
	 * anybody from reading. */
	if (ret != WT_OK && err && strcmp(err->code, "undo-foreign") == 0) {
		snprintf(file->note, sizeof(file->note), "%.300s: ignored",
			err->reason);
		return WT_OK;
	}
	if (ret == WT_OK && undo && undo->range_count > 0)
		ret = read_interrupted(file, undo, is_live, err);
	else if (ret == WT_OK)
		ret = state_look(file, &found, err);
	wt_undo_free(undo);
	return ret;
}

/* A lease is held for milliseconds, while the head of a file is changed in
 * place: this ends soon, unless that very writer was stopped. */
static enum wt_status reader_open(
	struct wt_workfile *file, const char *path, struct wt_error *err)
{
	struct stat found = {0};
	char holder[96];

	for (int i = 0; file_open(file, O_RDONLY) != 0; i++) {
		if (errno != EAGAIN)
			return cannot_open(path, err);
		if (i == LEASE_TRIES) {
			(void)fstatat(file->dir_fd, file->name, &found,
				AT_SYMLINK_NOFOLLOW);
			wt_fail(err, WT_ERR_FILE, "locked", path,
				"its header is being changed by %s, which has "
				"stopped meanwhile",
				wt_lock_holder(&found, holder));
			wt_error_hint(err, "look at that process");
			return WT_ERR_FILE;
		}
		wt_io_sleep_ms(10);
	}
	return WT_OK;
}

enum wt_status wt_workfile_open(const char *path, int dir_fd,
	struct wt_workfile **ret_file, struct wt_error *err)
{
	struct wt_workfile *file = file_new();
	struct wt_error why = {0};
	enum wt_status ret = WT_OK;
	struct stat found = {0};

	if (!file)
		return wt_fail_memory(err);
	ret = place_find(path, dir_fd, false, file, err);
	if (ret == WT_OK)
		ret = kind_look(file, path, &found, err);
	if (ret != WT_OK)
		goto out;
	ret = reader_open(file, path, err);
	if (ret != WT_OK)
		goto out;
	if (fstat(file->fd, &found) != 0) {
		ret = wt_io_fail(err, path, "cannot read it");
		goto out;
	}
	ret = kind_check(&found, path, err);
	if (ret != WT_OK)
		goto out;
	ret = recovery_look(file, &why);
	if (ret != WT_OK) {
		if (err)
			*err = why;
		goto out;
	}
	*ret_file = file;
	file = NULL; /* the caller's now */
out:
	wt_workfile_close(file);
	return ret;
}

enum wt_status wt_workfile_fixed_check(
	const struct wt_workfile *file, struct wt_error *err)
{
	int flags = 0;

	if (ioctl(file->fd, FS_IOC_GETFLAGS, &flags) != 0 ||
		(flags & (FS_IMMUTABLE_FL | FS_APPEND_FL)) == 0)
		return WT_OK;
	wt_fail(err, WT_ERR_FILE, "immutable", file->path,
		"is marked immutable: nobody may change it (lsattr shows it)");
	wt_error_hint(err,
		"chattr -%c '%.200s', or write another file with "
		"-o FILE",
		(flags & FS_IMMUTABLE_FL) != 0 ? 'i' : 'a', file->path);
	return WT_ERR_FILE;
}

enum wt_status wt_workfile_folder_check(
	int dir_fd, const char *object, struct wt_error *err)
{
	int flags = 0;

	if (ioctl(dir_fd, FS_IOC_GETFLAGS, &flags) != 0 ||
		(flags & FS_APPEND_FL) == 0)
		return WT_OK;
	wt_fail(err, WT_ERR_FILE, "immutable", object,
		"is in a folder that is marked append-only: nobody may rename "
		"or remove files in it (lsattr -d shows it)");
	wt_error_hint(err, "chattr -a the folder, or write another file with "
			   "-o FILE in another folder");
	return WT_ERR_FILE;
}

enum wt_status wt_workfile_named_check(
	const struct wt_workfile *file, struct wt_error *err)
{
	/* Closed, it is looked at where it is replaced. */
	if (!file->is_locked || file->fd < 0 ||
		wt_io_is_named(file->fd, file->dir_fd, file->name))
		return WT_OK;
	wt_fail(err, WT_ERR_FILE, "changed", file->path,
		"was replaced by another program in the meantime");
	wt_error_hint(err, "try again; nothing was changed by this run");
	return WT_ERR_FILE;
}

enum wt_status wt_workfile_let_go(
	struct wt_workfile *file, struct wt_error *err)
{
	enum wt_status ret = WT_OK;

	int64_t end = wt_io_now_ms() + LET_GO_MS;
	struct stat holder = {0};

	/* Its holder only looks whether the file is free. */
	while (file->lock_fd < 0) {
		ret = wt_lockfile_take(
			file->dir_fd, file->name, &file->lock_fd, &holder);
		if (ret != WT_NO || wt_io_now_ms() >= end)
			break;
		wt_io_sleep_ms(POLL_MS);
	}
	if (ret == WT_NO)
		return wt_fail(err, WT_ERR_FILE, "locked", file->path,
			"is being written by another run");
	if (ret != WT_OK)
		return wt_io_fail(
			err, file->path, "cannot make a lock file beside it");
	file_reset(file);
	return WT_OK;
}

/* A file marked read-only is not to be replaced, even by who could. */
static enum wt_status writable_check(struct wt_workfile *file,
	const struct stat *found, struct wt_error *err)
{
	if ((found->st_mode & 0222) != 0)
		return WT_OK;
	wt_fail(err, WT_ERR_FILE, "read-only-file", file->path,
		"is marked read-only, as files copied from an ISO are");
	wt_error_hint(err,
		"chmod u+w '%.200s', or leave it and write another "
		"with -o FILE",
		file->path);
	return WT_ERR_FILE;
}

static enum wt_status no_locks(const char *path, struct wt_error *err)
{
	if (!wt_traits_is_cannot(errno))
		return wt_io_fail(err, path, "cannot be locked");
	/* NFS does this. */
	if (errno == EBADF)
		return wt_fail_errno(err, WT_ERR_FILE, "permission", path,
			"can be locked only by a user who may write it");
	wt_fail_errno(err, WT_ERR_FILE, "no-locks", path,
		"cannot be locked, so another writer would go unnoticed");
	wt_error_hint(err, "write another file with -o FILE, or change a copy "
			   "on a local disk; an NFS mount has locks with -o "
			   "local_lock=flock or a running lockd");
	return WT_ERR_FILE;
}

/* Where it is not known how locks work, a lock file guards the moment in which
 * the file is opened and locked, and shows it: where they keep our own children
 * out it stays, and the file itself is never locked, as others may be reading
 * it. Where no lock file can be made the look at the file is all there is. */
static enum wt_status file_lock(struct wt_workfile *file, const char *path,
	const struct stat *found, struct wt_error *err)
{
	struct stat holder = {0};

	file->has_lock_file =
		file->lock_fd >= 0 && wt_lockfile_is_mandatory(file->dir_fd,
					      file->name, file->lock_fd);
	if (file->has_lock_file)
		return WT_OK;
	if (flock(file->fd, LOCK_EX | LOCK_NB) != 0) {
		if (errno == EWOULDBLOCK || errno == EINTR)
			return WT_NO;
		return no_locks(path, err);
	}
	if (file->lock_fd < 0) {
		if (wt_traits_is_locked_out(file->dir_fd, file->name)) {
			wt_fail(err, WT_ERR_FILE, "permission", path,
				"needs a lock file beside it on this file "
				"system, and none can be made");
			wt_error_hint(err, "run it as a user who may write "
					   "into that folder, or write another "
					   "file with -o FILE");
			return WT_ERR_FILE;
		}
		if (wt_lockfile_is_held(
			    file->dir_fd, file->name, found, &holder))
			return WT_NO;
	}
	return WT_OK;
}

/* One look: opened, locked, and still what the path leads to?
 * WT_NO: not now, try again. */
static enum wt_status lock_try(struct wt_workfile *file, const char *path,
	struct stat *found, struct wt_error *err)
{
	enum wt_status ret = kind_look(file, path, found, err);

	if (ret == WT_OK)
		ret = writable_check(file, found, err);
	if (ret != WT_OK)
		return ret;
	/* Before it is opened: who has the lock file may want it closed. */
	if (!wt_traits_is_plain(file->dir_fd) &&
		wt_lockfile_take(file->dir_fd, file->name, &file->lock_fd,
			found) == WT_NO)
		return WT_NO;
	/* For writing where that is allowed: a change in place needs it, and
	 * a lease allows no second open file of ours. */
	if (file_open(file, O_RDWR) != 0 &&
		(errno == EACCES || errno == EROFS || errno == EPERM ||
			errno == ETXTBSY))
		(void)file_open(file, O_RDONLY);
	if (file->fd < 0) {
		if (errno == EAGAIN)
			return WT_NO;
		return cannot_open(path, err);
	}
	if (fstat(file->fd, found) != 0)
		return wt_io_fail(err, path, "cannot read it");
	ret = kind_check(found, path, err);
	if (ret == WT_OK)
		ret = writable_check(file, found, err);
	if (ret == WT_OK)
		ret = file_lock(file, path, found, err);
	if (ret != WT_OK)
		return ret;
	if (!wt_io_is_named(file->fd, file->dir_fd, file->name))
		return WT_NO;
	if (fstat(file->fd, found) != 0)
		return wt_io_fail(err, path, "cannot read it");
	file->is_locked = true;
	return WT_OK;
}

static void lock_file_drop(struct wt_workfile *file)
{
	wt_lockfile_drop(file->dir_fd, file->name, file->lock_fd);
	file->lock_fd = -1;
}

static enum wt_status lock_wait(struct wt_workfile *file, const char *path,
	unsigned wait_seconds, const volatile sig_atomic_t *cancel,
	struct stat *found, struct wt_error *err)
{
	int64_t end = wt_io_now_ms() + (int64_t)wait_seconds * 1000;
	char holder[96];

	for (;;) {
		enum wt_status ret = wt_cancelled(cancel, err);

		if (ret != WT_OK)
			return ret;
		ret = lock_try(file, path, found, err);
		if (ret == WT_OK && !file->has_lock_file)
			lock_file_drop(file);
		if (ret != WT_NO)
			return ret;
		/* Not kept open between two looks: the holder waits for that
		 * before it publishes (openers.h). */
		file_reset(file);
		lock_file_drop(file);
		if (wt_io_now_ms() >= end)
			break;
		wt_io_sleep_ms(POLL_MS);
	}
	wt_fail(err, WT_ERR_FILE, "locked", path,
		"is being written by %s; waited %u seconds",
		wt_lock_holder(found, holder), wait_seconds);
	wt_error_hint(err, "try again when it has ended, or wait longer with "
			   "--wait SECONDS");
	return WT_ERR_FILE;
}

static enum wt_status recover(struct wt_workfile *file,
	const struct wt_undo *undo, struct wt_error *err)
{
	enum wt_undo_state state = WT_UNDO_OLD;
	struct stat found = {0};
	uint64_t keep_len = 0;
	int result = 0;

	if (fstat(file->fd, &found) != 0 ||
		wt_undo_compare(
			undo, file->fd, (uint64_t)found.st_size, &state) != 0)
		return wt_io_fail(err, file->path, "cannot read it");
	if (state == WT_UNDO_FOREIGN) {
		snprintf(file->note, sizeof(file->note),
			"an earlier run was interrupted while it changed this "
			"file, and another program has written it since; it "
			"was left as it is");
		return WT_OK;
	}
	/* Sync first: what is in the page cache may not be on the disk yet.
	 * Without that, a run that is killed now could leave the new head on
	 * the disk in a file that was cut to its old length. */
	if (state == WT_UNDO_TORN)
		result = wt_undo_restore(undo, file->fd);
	else
		result = wt_io_sync(file->fd);
	keep_len = state == WT_UNDO_NEW ? undo->new_len : undo->old_len;
	if (result == 0 && (uint64_t)found.st_size > keep_len)
		result = wt_io_truncate(file->fd, keep_len);
	if (result == 0)
		result = wt_io_sync(file->fd);
	if (result != 0)
		return wt_io_fail(err, file->path,
			"an earlier run was interrupted while it changed this "
			"file, and the state before cannot be restored");
	snprintf(file->note, sizeof(file->note),
		"an earlier run was interrupted while it changed this file; %s",
		state == WT_UNDO_NEW ? "the change was complete and was kept"
				     : "the state before was restored");
	return WT_OK;
}

static enum wt_status recovery_do(struct wt_workfile *file,
	const struct stat *found, struct wt_error *err)
{
	struct wt_undo *undo = NULL;
	enum wt_status ret = WT_OK;
	bool is_live = false;

	ret = wt_undo_read(file->dir_fd, file->name, found, file->path, &undo,
		&is_live, err);
	if (ret != WT_OK || !undo)
		return ret;
	if (undo->range_count > 0)
		ret = recover(file, undo, err);
	if (ret == WT_OK && wt_undo_remove(file->dir_fd, file->name) != 0)
		ret = wt_io_fail(err, file->path,
			"cannot remove the undo file of an interrupted run");
	wt_undo_free(undo);
	return ret;
}

enum wt_status wt_workfile_lock(const char *path, int dir_fd,
	unsigned wait_seconds, const volatile sig_atomic_t *cancel,
	struct wt_workfile **ret_file, struct wt_error *err)
{
	struct wt_workfile *file = file_new();
	enum wt_status ret = WT_OK;
	struct stat found = {0};

	if (!file)
		return wt_fail_memory(err);
	ret = place_find(path, dir_fd, true, file, err);
	if (ret == WT_OK)
		ret = wt_workfile_folder_check(file->dir_fd, path, err);
	if (ret != WT_OK)
		goto out;
	ret = lock_wait(file, path, wait_seconds, cancel, &found, err);
	if (ret != WT_OK)
		goto out;
	ret = recovery_do(file, &found, err);
	if (ret != WT_OK)
		goto out;
	(void)wt_temp_sweep(file->dir_fd, file->name, &found);
	if (wt_io_stat(file->fd, "", &found) != 0) {
		ret = wt_io_fail(err, path, "cannot read it");
		goto out;
	}
	file->dev = found.st_dev;
	file->ino = found.st_ino;
	file->len = (uint64_t)found.st_size;
	file->mtime_ns = wt_io_mtime_ns(&found);
	*ret_file = file;
	file = NULL; /* the caller's now */
out:
	wt_workfile_close(file);
	return ret;
}
