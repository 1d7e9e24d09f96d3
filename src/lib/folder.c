/* SPDX-License-Identifier: MIT
 * folder.c: finds the hive in a folder that holds a Windows tree. */
#include "folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *const hive_path[] = {
	"Windows", "System32", "config", "SOFTWARE"};

#define PART_COUNT (sizeof(hive_path) / sizeof(hive_path[0]))

/* The name in dir_fd that equals wanted without regard to case. *ret_count
 * says how many there are; ret_name holds the last. */
static enum wt_status name_find(int dir_fd, const char *wanted,
	const char *object, char ret_name[NAME_MAX + 1], size_t *ret_count,
	struct wt_error *err)
{
	int fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry = NULL;
	enum wt_status ret = WT_OK;

	if (!dir) {
		ret = wt_fail_errno(err, WT_ERR_FILE, "permission", object,
			"cannot read the folder");
		if (fd >= 0)
			close(fd);
		return ret;
	}
	*ret_count = 0;
	for (errno = 0; (entry = readdir(dir)); errno = 0) {
		if (strcasecmp(entry->d_name, wanted) != 0)
			continue;
		++*ret_count;
		snprintf(ret_name, NAME_MAX + 1, "%s", entry->d_name);
	}
	if (errno != 0)
		ret = wt_fail_errno(err, WT_ERR_FILE, "read-failed", object,
			"cannot read the folder");
	closedir(dir);
	return ret;
}

static enum wt_status no_hive(
	const char *path, const char *missing, struct wt_error *err)
{
	wt_fail(err, WT_ERR_IMAGE, "no-hive", path,
		"holds no Windows/System32/config/SOFTWARE (no %s)", missing);
	wt_error_hint(err,
		"give the folder that holds the Windows folder, a .wim or "
		".esd file, or a SOFTWARE hive itself");
	return WT_ERR_IMAGE;
}

/* Opens one part of the path, never through a link. */
static enum wt_status part_open(int dir_fd, const char *name, bool is_last,
	const char *path, int *ret_fd, struct wt_error *err)
{
	int flags = O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK;
	struct stat st = {0};
	int fd = openat(dir_fd, name, is_last ? flags : flags | O_DIRECTORY);

	if (fd < 0 && (errno == ELOOP || errno == ENOTDIR)) {
		wt_fail(err, WT_ERR_IMAGE, "hive-path-link", path,
			"is a link or no folder, and is not followed");
		wt_error_hint(err, "give the folder or the hive it leads to");
		return WT_ERR_IMAGE;
	}
	if (fd < 0)
		return wt_fail_errno(
			err, WT_ERR_FILE, "permission", path, "cannot open");
	if (is_last && (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))) {
		close(fd);
		return wt_fail(err, WT_ERR_IMAGE, "hive-path-link", path,
			"is no regular file");
	}
	*ret_fd = fd;
	return WT_OK;
}

/* Goes down from *fd into the part of the path, which is added to *path. */
static enum wt_status part_enter(
	size_t part, int *fd, char **path, struct wt_error *err)
{
	char name[NAME_MAX + 1] = "";
	char *longer = NULL;
	size_t count = 0;
	int next = -1;
	enum wt_status ret = WT_OK;

	ret = name_find(*fd, hive_path[part], *path, name, &count, err);
	if (ret != WT_OK)
		return ret;
	if (count == 0)
		return no_hive(*path, hive_path[part], err);
	if (count > 1) {
		wt_fail(err, WT_ERR_IMAGE, "hive-path-ambiguous", *path,
			"holds %s %zu times in different case", name, count);
		wt_error_hint(err, "Windows would use only one: remove or "
				   "rename the others");
		return WT_ERR_IMAGE;
	}
	if (asprintf(&longer, "%s/%s", *path, name) < 0)
		return wt_fail_memory(err);
	free(*path);
	*path = longer;
	ret = part_open(*fd, name, part + 1 == PART_COUNT, *path, &next, err);
	if (ret != WT_OK)
		return ret;
	close(*fd);
	*fd = next;
	return WT_OK;
}

enum wt_status wt_folder_find_hive(
	const char *folder, char **ret_path, int *ret_fd, struct wt_error *err)
{
	enum wt_status ret = WT_OK;
	char *path = strdup(folder);
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (!path) {
		ret = wt_fail_memory(err);
		goto out;
	}
	if (fd < 0) {
		ret = wt_fail_errno(err, WT_ERR_FILE, "permission", folder,
			"cannot open the folder");
		goto out;
	}
	for (size_t len = strlen(path); len > 1 && path[len - 1] == '/'; len--)
		path[len - 1] = '\0';
	for (size_t i = 0; ret == WT_OK && i < PART_COUNT; i++)
		ret = part_enter(i, &fd, &path, err);
	if (ret != WT_OK)
		goto out;
	*ret_path = path;
	path = NULL; /* the caller's now, and so is fd */
	*ret_fd = fd;
	fd = -1;
out:
	free(path);
	if (fd >= 0)
		close(fd);
	return ret;
}

enum wt_status wt_folder_open_logs(
	int dir_fd, const char *name, int ret_fds[3], struct wt_error *err)
{
	static const char *const endings[] = {".LOG", ".LOG1", ".LOG2"};
	char wanted[NAME_MAX + 8] = "", found[NAME_MAX + 1] = "";
	struct stat st = {0};
	size_t count = 0;

	for (size_t i = 0; i < 3; i++)
		ret_fds[i] = -1;
	for (size_t i = 0; i < 3; i++) {
		enum wt_status ret = WT_OK;

		snprintf(wanted, sizeof(wanted), "%s%s", name, endings[i]);
		ret = name_find(dir_fd, wanted, name, found, &count, err);
		if (ret != WT_OK)
			return ret;
		if (count == 0 ||
			fstatat(dir_fd, found, &st, AT_SYMLINK_NOFOLLOW) != 0 ||
			!S_ISREG(st.st_mode) || st.st_size == 0)
			continue;
		ret_fds[i] = openat(dir_fd, found,
			O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
		if (ret_fds[i] < 0)
			return wt_fail_errno(err, WT_ERR_FILE, "permission",
				found, "cannot open the transaction log");
	}
	return WT_OK;
}
