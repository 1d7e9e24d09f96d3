/* SPDX-License-Identifier: MIT
 * run_folder.c: a private folder for the temporary files of one run. */
#include "workfile.h"

#include "file_io.h"
#include "leftover.h"

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
/* The sticky bit says nothing in a private folder, so nobody sets it there:
 * it tells ours from one of the user's, such as "wimtrust-images". */
#define MODE 01700

struct wt_run_folder {
	char *path;
	const char *name; /* its last part */
	int parent_fd;
	int fd; /* locked */
};

/* One of ours, left by a run of the same user whose lock is free? */
static bool is_abandoned(int parent_fd, const char *name, int *ret_fd)
{
	struct stat found = {0};
	struct stat by_name = {0};
	int fd = wt_io_open(
		parent_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);

	if (fd < 0)
		return false;
	if (fstat(fd, &found) == 0 && found.st_uid == geteuid() &&
		(found.st_mode & 07777) == MODE &&
		flock(fd, LOCK_EX | LOCK_NB) == 0 &&
		fstatat(parent_fd, name, &by_name, AT_SYMLINK_NOFOLLOW) == 0 &&
		by_name.st_ino == found.st_ino &&
		by_name.st_dev == found.st_dev) {
		*ret_fd = fd;
		return true;
	}
	close(fd);
	return false;
}

static void remove_abandoned(int parent_fd, const char *parent)
{
	DIR *dir = NULL;
	int scan_fd = wt_io_open(parent_fd, ".", O_RDONLY | O_DIRECTORY, 0);

	if (scan_fd < 0)
		return;
	dir = fdopendir(scan_fd);
	if (!dir) {
		close(scan_fd);
		return;
	}
	for (;;) {
		struct dirent *entry = readdir(dir);
		char *path = NULL;
		int fd = -1;

		if (!entry)
			break;
		if (strncmp(entry->d_name, PREFIX, strlen(PREFIX)) != 0 ||
			strlen(entry->d_name) != strlen(PREFIX) + RANDOM_LEN)
			continue;
		if (!is_abandoned(parent_fd, entry->d_name, &fd))
			continue;
		if (asprintf(&path, "%s/%s", parent, entry->d_name) >= 0) {
			wt_tree_remove(parent_fd, entry->d_name, path);
			free(path);
		}
		close(fd);
	}
	closedir(dir);
}

/* Makes the folder and locks it; again when a run that was just removing
 * abandoned folders took it between the two. */
static enum wt_status folder_make(
	struct wt_run_folder *folder, const char *parent, struct wt_error *err)
{
	struct stat found = {0};

	for (int i = 0; i < 8; i++) {
		free(folder->path);
		folder->path = NULL;
		if (asprintf(&folder->path, "%s/" PREFIX "XXXXXX", parent) <
			0) {
			folder->path = NULL;
			return wt_fail_memory(err);
		}
		if (!mkdtemp(folder->path)) {
			wt_io_fail(err, parent,
				"cannot make a temporary folder in it");
			free(folder->path);
			folder->path = NULL;
			wt_error_hint(err, "set TMPDIR to a folder that can be "
					   "written");
			return WT_ERR_FILE;
		}
		folder->name = strrchr(folder->path, '/') + 1;
		folder->fd = wt_io_open(folder->parent_fd, folder->name,
			O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
		if (folder->fd >= 0 &&
			flock(folder->fd, LOCK_EX | LOCK_NB) == 0 &&
			fstatat(folder->parent_fd, folder->name, &found,
				AT_SYMLINK_NOFOLLOW) == 0) {
			fchmod(folder->fd, MODE);
			return WT_OK;
		}
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

	if (!parent)
		parent = secure_getenv("TMPDIR");
	if (!parent || parent[0] == '\0')
		parent = "/tmp";
	folder = calloc(1, sizeof(*folder));
	if (!folder)
		return wt_fail_memory(err);
	folder->parent_fd = folder->fd = -1;
	/* As the mount table names it, or mounts in it would not be found. */
	resolved = realpath(parent, NULL);
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
	remove_abandoned(folder->parent_fd, resolved);
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
