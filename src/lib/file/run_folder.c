/* SPDX-License-Identifier: MIT
 * file/run_folder.c: a private folder for the temporary files of one run. */
#include "file/workfile.h"

#include "base/io.h"
#include "base/tree.h"
#include "file/room.h"
#include "file/traits.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#define PREFIX "wimtrust-"
#define RANDOM_LEN 6
#define NAME_LEN (sizeof(PREFIX) - 1 + RANDOM_LEN)
/* The sticky bit says nothing in a private folder, so nobody sets it there:
 * it tells ours from one of the user's, such as "wimtrust-images". */
#define MODE 01700
/* Where a folder cannot have such a mode, a file in it marks it. */
#define MARK "wimtrust"
#define CREATE_TRIES 16

/* How long the children of a killed run take to go at most, and how often
 * that is looked at. */
#define GONE_MS 500
#define POLL_MS 5

struct wt_run_folder {
	char *path;
	const char *name; /* its last part */
	int parent_fd;
	int fd; /* locked */
};

/*
 * Two locks lie on a run's folder. The flock is shared by the children that
 * are forked while it is in use, and is free when the last of them has gone.
 * The record lock is the run's own, and is gone as soon as the run is: then
 * its children are about to be. Without it nothing is lost but the time that
 * others wait for them in vain.
 */
static void owner_lock(int fd)
{
	const struct flock lock = {.l_type = F_RDLCK, .l_whence = SEEK_SET};

	(void)fcntl(fd, F_SETLK, &lock);
}

/* Asks for the open file, not for the process: a process does not see its own
 * record lock. */
static bool has_owner(int fd)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};

	return fcntl(fd, F_OFD_GETLK, &lock) != 0 || lock.l_type != F_UNLCK;
}

/* Takes the flock if no run uses the folder. Waits for a run that was just
 * killed, but no longer than *budget_ms. */
static bool lock_abandoned(int fd, unsigned *budget_ms)
{
	while (flock(fd, LOCK_EX | LOCK_NB) != 0) {
		if ((errno != EWOULDBLOCK && errno != EINTR) || has_owner(fd) ||
			*budget_ms < POLL_MS)
			return false;
		wt_io_sleep_ms(POLL_MS);
		*budget_ms -= POLL_MS;
	}
	return true;
}

/* One of ours, left by a run of the same user that has ended? */
static bool is_abandoned(
	int parent_fd, const char *name, unsigned *budget_ms, int *ret_fd)
{
	struct stat found = {0};
	int fd = wt_io_open(
		parent_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);

	if (fd < 0)
		return false;
	if (fstat(fd, &found) == 0 && found.st_uid == geteuid() &&
		((found.st_mode & 07777) == MODE ||
			faccessat(fd, MARK, F_OK, AT_SYMLINK_NOFOLLOW) == 0) &&
		lock_abandoned(fd, budget_ms) &&
		wt_io_is_named(fd, parent_fd, name)) {
		*ret_fd = fd;
		return true;
	}
	close(fd);
	return false;
}

/* As the mount table names it, or mounts in it would not be found. */
static char *parent_resolve(const char **parent)
{
	if (!*parent)
		*parent = secure_getenv("TMPDIR");
	if (!*parent || (*parent)[0] == '\0')
		*parent = "/tmp";
	return realpath(*parent, NULL);
}

/* Where all folders have one mode, a run may have been killed before it marked
 * its folder. That folder is empty, and is removed only if it is. */
static void unmarked_remove(int parent_fd, const char *name)
{
	struct stat parent = {0}, found = {0};
	int fd = -1;

	if (wt_traits_is_plain(parent_fd) || fstat(parent_fd, &parent) != 0)
		return;
	fd = wt_io_open(
		parent_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
	if (fd >= 0 && fstat(fd, &found) == 0 && found.st_uid == geteuid() &&
		found.st_mode == parent.st_mode &&
		flock(fd, LOCK_EX | LOCK_NB) == 0)
		(void)unlinkat(parent_fd, name, AT_REMOVEDIR);
	if (fd >= 0)
		close(fd);
}

void wt_run_folder_sweep(const char *parent)
{
	char *resolved = parent_resolve(&parent);
	unsigned budget_ms = GONE_MS;
	DIR *dir = resolved ? opendir(resolved) : NULL;

	for (;;) {
		struct dirent *entry = dir ? readdir(dir) : NULL;
		char *path = NULL;
		int fd = -1;

		if (!entry)
			break;
		if (strncmp(entry->d_name, PREFIX, strlen(PREFIX)) != 0 ||
			strlen(entry->d_name) != NAME_LEN)
			continue;
		if (!is_abandoned(dirfd(dir), entry->d_name, &budget_ms, &fd)) {
			unmarked_remove(dirfd(dir), entry->d_name);
			continue;
		}
		if (asprintf(&path, "%s/%s", resolved, entry->d_name) >= 0) {
			wt_tree_remove(dirfd(dir), entry->d_name, path);
			free(path);
		}
		close(fd);
	}
	if (dir)
		closedir(dir);
	free(resolved);
}

/* Makes the folder with its mode in one step, so that there is no instant at
 * which a run that is killed leaves one that nobody recognises. */
static int folder_create(struct wt_run_folder *folder)
{
	if (wt_io_random_name(folder->path + strlen(folder->path) - RANDOM_LEN,
		    RANDOM_LEN) != 0)
		return -1;
	return mkdirat(folder->parent_fd, folder->name, MODE);
}

/* Opens and locks it, and puts back what an odd umask took from its mode. */
static bool folder_lock(struct wt_run_folder *folder)
{
	struct stat found = {0};
	int mark_fd = -1;

	folder->fd = wt_io_open(folder->parent_fd, folder->name,
		O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
	if (folder->fd < 0)
		return false;
	owner_lock(folder->fd);
	/* Without locks nobody ever takes it for abandoned. */
	if ((flock(folder->fd, LOCK_EX | LOCK_NB) != 0 &&
		    !wt_traits_is_cannot(errno)) ||
		fstatat(folder->parent_fd, folder->name, &found,
			AT_SYMLINK_NOFOLLOW) != 0)
		return false;
	(void)fchmod(folder->fd, MODE);
	if (fstat(folder->fd, &found) == 0 && (found.st_mode & 07777) == MODE)
		return true;
	/* Without the mark, nobody would remove the folder if this run is
	 * killed. Nothing else is lost. */
	mark_fd = wt_io_open(folder->fd, MARK,
		O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600);
	if (mark_fd >= 0)
		close(mark_fd);
	return true;
}

/* Makes the folder and locks it. Tries again if another run removed it as
 * abandoned between the two. */
static enum wt_status folder_make(
	struct wt_run_folder *folder, const char *parent, struct wt_error *err)
{
	if (asprintf(&folder->path, "%s/" PREFIX "XXXXXX", parent) < 0) {
		folder->path = NULL;
		return wt_fail_memory(err);
	}
	folder->name = strrchr(folder->path, '/') + 1;
	for (int i = 0; i < CREATE_TRIES; i++) {
		if (folder_create(folder) != 0) {
			bool is_taken = errno == EEXIST;

			wt_io_fail(err, parent,
				"cannot make a temporary folder in it");
			if (is_taken)
				continue;
			wt_error_hint(err, "set TMPDIR to a folder that can be "
					   "written");
			break;
		}
		if (folder_lock(folder))
			return WT_OK;
		wt_io_fail(err, folder->path, "cannot lock it");
		unlinkat(folder->parent_fd, folder->name, AT_REMOVEDIR);
		if (folder->fd >= 0)
			close(folder->fd);
		folder->fd = -1;
	}
	free(folder->path);
	folder->path = NULL;
	return WT_ERR_FILE;
}

enum wt_status wt_run_folder_new(const char *parent,
	struct wt_run_folder **ret_folder, struct wt_error *err)
{
	struct wt_run_folder *folder = NULL;
	enum wt_status ret = WT_OK;
	char *resolved = NULL;

	folder = calloc(1, sizeof(*folder));
	if (!folder)
		return wt_fail_memory(err);
	folder->parent_fd = folder->fd = -1;
	resolved = parent_resolve(&parent);
	if (resolved)
		folder->parent_fd =
			wt_io_open(AT_FDCWD, resolved, O_PATH | O_DIRECTORY, 0);
	if (folder->parent_fd < 0) {
		ret = wt_io_fail(err, parent,
			"cannot be used as the folder "
			"for temporary files");
		wt_error_hint(
			err, "set TMPDIR to a folder that can be written");
		goto out;
	}
	ret = folder_make(folder, resolved, err);
	if (ret != WT_OK)
		goto out;
	*ret_folder = folder;
	folder = NULL; /* the caller's now */
out:
	free(resolved);
	wt_run_folder_free(folder);
	return ret;
}

/* For messages: the run's own folder will be gone when they are read. */
static void parent_name(const struct wt_run_folder *folder,
	char parent[sizeof(((struct wt_error *)NULL)->object)])
{
	int len = (int)(folder->name - 1 - folder->path);

	snprintf(parent, sizeof(((struct wt_error *)NULL)->object), "%.*s",
		len > 0 ? len : 1, folder->path);
}

enum wt_status wt_run_folder_check_room(const struct wt_run_folder *folder,
	const uint64_t *file_lens, size_t file_count, struct wt_error *err)
{
	char parent[sizeof(err->object)];
	struct wt_room_texts texts = {0};
	struct wt_room room = {0};
	uint64_t need = 0;

	if (!wt_room_look(folder->fd, &room))
		return WT_OK;
	for (size_t i = 0; i < file_count; i++)
		need += wt_room_of_file(&room, file_lens[i]);
	if (need <= room.free_len)
		return WT_OK;
	parent_name(folder, parent);
	texts = wt_room_texts(&room, need);
	wt_fail(err, WT_ERR_FILE, "no-space", parent,
		"the folder for temporary files needs room for %s, and its "
		"file system has %s free",
		texts.need, texts.free);
	wt_error_hint(err, "set TMPDIR to a folder with more room");
	return WT_ERR_FILE;
}

static enum wt_status unfit(const struct wt_run_folder *folder,
	const char *code, const char *what, struct wt_error *err)
{
	char parent[sizeof(err->object)];

	parent_name(folder, parent);
	wt_fail(err, WT_ERR_FILE, code, parent,
		"the folder for temporary files is on a file system %s", what);
	wt_error_hint(err, "set TMPDIR to a folder on a local disk");
	return WT_ERR_FILE;
}

enum wt_status wt_run_folder_try(
	const struct wt_run_folder *folder, struct wt_error *err)
{
	static const char name[] = "try";
	bool is_made = false, is_locked_out = false, is_kept = false;
	char byte = 0;
	int fd = -1;

	if (wt_traits_is_plain(folder->fd))
		return WT_OK;
	fd = wt_io_open(folder->fd, name, O_RDWR | O_CREAT | O_EXCL, 0600);
	if (fd < 0)
		return WT_OK; /* then the next file cannot be made either */
	is_made = wt_io_truncate(fd, 1) == 0;
	is_locked_out = is_made && flock(fd, LOCK_EX | LOCK_NB) == 0 &&
			wt_traits_is_locked_out(folder->fd, name);
	(void)unlinkat(folder->fd, name, 0);
	/* The kernel has read it already. */
	(void)posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
	is_kept = !is_made || wt_io_read(fd, &byte, 1, 0) == 0;
	close(fd);
	if (is_locked_out)
		return unfit(folder, "temp-locks",
			"whose locks keep wimlib out of its own files", err);
	if (!is_kept)
		return unfit(folder, "temp-removes",
			"that loses what is in an open file when its name is "
			"removed",
			err);
	return WT_OK;
}

const char *wt_run_folder_path(const struct wt_run_folder *folder)
{
	return folder->path;
}

void wt_run_folder_free(struct wt_run_folder *folder)
{
	if (!folder)
		return;
	if (folder->path)
		wt_tree_remove(folder->parent_fd, folder->name, folder->path);
	if (folder->fd >= 0)
		close(folder->fd);
	if (folder->parent_fd >= 0)
		close(folder->parent_fd);
	free(folder->path);
	free(folder);
}
