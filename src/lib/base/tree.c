/* SPDX-License-Identifier: MIT
 * base/tree.c: removes folders without following a link out of them, and what
 * is mounted in them. */
#include "base/tree.h"

#include "base/child.h"
#include "base/io.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#define DEPTH_MAX 64

/* How long fusermount may take. */
#define UNMOUNT_SECONDS 5

/* "\040" and its like in a mount table. Unescapes in place. */
static void mount_path_unescape(char *path)
{
	char *dst = path;

	while (*path != '\0') {
		if (path[0] == '\\' && path[1] >= '0' && path[1] <= '3' &&
			path[2] >= '0' && path[2] <= '7' && path[3] >= '0' &&
			path[3] <= '7') {
			*dst++ = (char)((path[1] - '0') * 64 +
					(path[2] - '0') * 8 + (path[3] - '0'));
			path += 4;
		} else {
			*dst++ = *path++;
		}
	}
	*dst = '\0';
}

static enum wt_status fusermount(void *arg, struct wt_error *err)
{
	static const char *const programs[] = {"fusermount3", "fusermount"};
	int null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);

	for (int fd = 0; null_fd >= 0 && fd <= STDERR_FILENO; fd++)
		dup2(null_fd, fd);
	for (size_t i = 0; i < sizeof(programs) / sizeof(programs[0]); i++)
		execlp(programs[i], programs[i], "-uqz", "--",
			(const char *)arg, (char *)NULL);
	return wt_io_fail(err, programs[0], "cannot be run");
}

void wt_unmount(const char *mount_point)
{
	const struct wt_child how = {
		.limits.seconds = UNMOUNT_SECONDS,
		.object = mount_point,
		.died_status = WT_ERR_FILE,
		.died_code = "mount-failed",
		.is_program = true,
	};

	/* Who mounted without privilege has to ask the set-uid program. */
	if (umount2(mount_point, MNT_DETACH | UMOUNT_NOFOLLOW) != 0 &&
		errno != EINVAL)
		(void)wt_child_run(
			&how, fusermount, (void *)(uintptr_t)mount_point, NULL);
}

/* Unmounts the last mount below path; false if there is none. */
static bool unmount_last(const char *path)
{
	size_t path_len = strlen(path);
	char *last = NULL;
	char *line = NULL;
	size_t size = 0;
	FILE *table = fopen("/proc/self/mountinfo", "re");

	if (!table)
		return false;
	while (getline(&line, &size, table) > 0) {
		char *point = line;

		for (int field = 0; point && field < 4; field++) {
			point = strchr(point, ' ');
			if (point)
				point++;
		}
		if (!point)
			continue;
		point[strcspn(point, " \n")] = '\0';
		mount_path_unescape(point);
		if (strncmp(point, path, path_len) != 0 ||
			point[path_len] != '/')
			continue;
		free(last);
		last = strdup(point);
	}
	free(line);
	fclose(table);
	if (!last)
		return false;
	wt_unmount(last);
	free(last);
	return true;
}

static int remove_below(int dir_fd, const char *name, dev_t dev, int depth)
{
	struct stat found = {0};
	DIR *dir = NULL;
	int ret = 0;
	int fd = -1;

	if (depth > DEPTH_MAX) {
		errno = ELOOP;
		return -1;
	}
	fd = wt_io_open(dir_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
	if (fd < 0)
		return -1;
	/* Something is mounted here: its files are not ours to remove. */
	if (fstat(fd, &found) != 0 || (depth > 0 && found.st_dev != dev)) {
		close(fd);
		errno = EBUSY;
		return -1;
	}
	dir = fdopendir(fd);
	if (!dir) {
		close(fd);
		return -1;
	}
	for (;;) {
		struct dirent *entry = readdir(dir);

		if (!entry)
			break;
		if (strcmp(entry->d_name, ".") == 0 ||
			strcmp(entry->d_name, "..") == 0)
			continue;
		if (unlinkat(fd, entry->d_name, 0) == 0)
			continue;
		if (remove_below(fd, entry->d_name, found.st_dev, depth + 1) !=
			0)
			ret = -1;
	}
	closedir(dir);
	if (ret == 0)
		ret = unlinkat(dir_fd, name, AT_REMOVEDIR);
	return ret;
}

int wt_tree_remove(int dir_fd, const char *name, const char *path)
{
	/* Mounts may lie on top of each other; the bound is for one that
	 * cannot be unmounted. */
	for (int i = 0; path && i < 8; i++) {
		if (!unmount_last(path))
			break;
	}
	return remove_below(dir_fd, name, 0, 0);
}
