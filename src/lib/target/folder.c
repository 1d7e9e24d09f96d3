/* SPDX-License-Identifier: MIT
 * target/folder.c: finds the hive in a folder that holds a Windows tree. */
#include "target/folder.h"

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

/* The way down is taken one part at a time, since each name has to be looked
 * up in any case. A part is a name that the folder itself gave, without a
 * slash, and is opened with O_NOFOLLOW in the folder that is open: that can
 * neither leave the tree nor pass a link, which is all that openat2 with
 * RESOLVE_BENEATH and RESOLVE_NO_SYMLINKS would add. */

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

/* A stick, or an ISO image that is mounted, is a folder too. */
static enum wt_status no_hive(
	int dir_fd, const char *path, const char *missing, struct wt_error *err)
{
	static const char *const media[] = {
		"sources/boot.wim", "SOURCES/BOOT.WIM", "Sources/boot.wim"};

	wt_fail(err, WT_ERR_IMAGE, "no-hive", path,
		"holds no Windows/System32/config/SOFTWARE (no %s)", missing);
	for (size_t i = 0; i < sizeof(media) / sizeof(media[0]); i++)
		if (faccessat(dir_fd, media[i], F_OK, 0) == 0)
			wt_error_hint(err,
				"its boot image is %s: name that file",
				media[i]);
	wt_error_hint(err,
		"give the folder that holds the Windows folder, a .wim or "
		".esd file, or a SOFTWARE hive itself");
	return WT_ERR_IMAGE;
}

static enum wt_status link_fail(
	const char *path, const char *what, struct wt_error *err)
{
	wt_fail(err, WT_ERR_IMAGE, "hive-path-link", path,
		"is a link or no %s, and is not followed", what);
	wt_error_hint(err, "give the folder or the hive it leads to");
	return WT_ERR_IMAGE;
}

/* Opens one folder of the path, never through a link. */
static enum wt_status part_open(int dir_fd, const char *name, const char *path,
	int *ret_fd, struct wt_error *err)
{
	int fd = openat(
		dir_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0 && (errno == ELOOP || errno == ENOTDIR))
		return link_fail(path, "folder", err);
	if (fd < 0)
		return wt_fail_errno(
			err, WT_ERR_FILE, "permission", path, "cannot open");
	*ret_fd = fd;
	return WT_OK;
}

/* A first look only: who opens the hive looks again. */
static enum wt_status hive_look(
	int dir_fd, const char *name, const char *path, struct wt_error *err)
{
	struct stat st = {0};

	if (fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return wt_fail_errno(err, WT_ERR_FILE, "permission", path,
			"cannot look at it");
	return S_ISREG(st.st_mode) ? WT_OK : link_fail(path, "file", err);
}

/* Goes down from *fd into the part of the path, which is added to *path; for
 * the last part, the hive's name, *fd stays. */
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
		return no_hive(*fd, *path, hive_path[part], err);
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
	if (part + 1 == PART_COUNT)
		return hive_look(*fd, name, *path, err);
	ret = part_open(*fd, name, *path, &next, err);
	if (ret != WT_OK)
		return ret;
	close(*fd);
	*fd = next;
	return WT_OK;
}

enum wt_status wt_folder_find_hive(const char *folder, char **ret_path,
	int *ret_dir_fd, struct wt_error *err)
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
	*ret_dir_fd = fd;
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
