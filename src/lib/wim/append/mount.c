/* SPDX-License-Identifier: MIT
 * wim/append/mount.c: puts hives into a skeleton through wimlib's FUSE mount.
 */
#include "base/io.h"
#include "base/tree.h"
#include "wim/append/append.h"
#include "wim/append/fuse.h"
#include "wim/append/stamp.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define SECONDS_MAX 900
#define COPY_LEN ((size_t)1 << 20)

/* How long a mount may take to appear: where update would do as well, and
 * where nothing but a mount was asked for. */
#define MOUNT_MS 4000
#define MOUNT_MS_ONLY 30000

/* Shared with the children. */
struct mount_state {
	bool is_unused; /* and the skeleton is as it was */
	struct wt_fuse_state fuse;
};

struct mounting {
	const struct wt_wim_append *append;
	const char *mount_point;
	const char *staging;
	unsigned wait_ms;
	bool is_private;
	struct mount_state *state;
};

/* One image's hive, and where it is mounted. */
struct putting {
	const struct mounting *mounting;
	const struct wt_wim_put *put;
	struct wt_fuse fuse;
};

/* Fails with errno. wimlib 1.14 answers EIO where the staging folder is full:
 * how much room is left tells whether it was. */
static enum wt_status fail_staging(
	const char *staging, const char *doing, struct wt_error *err)
{
	int saved = errno;
	struct statvfs fs = {0};

	if (saved == EIO && statvfs(staging, &fs) == 0 &&
		(uint64_t)fs.f_bavail * fs.f_frsize < COPY_LEN)
		saved = ENOSPC;
	errno = saved;
	wt_fail_errno(err, WT_ERR_FILE,
		saved == ENOSPC || saved == EDQUOT ? "no-space"
						   : "write-failed",
		staging, "%s", doing);
	wt_error_hint(err, "set TMPDIR to a folder with more room");
	return WT_ERR_FILE;
}

static enum wt_status copy(
	int src, int dst, const struct putting *putting, struct wt_error *err)
{
	const struct wt_wim_append *append = putting->mounting->append;
	enum wt_status ret = WT_OK;
	uint8_t *buf = aligned_alloc(4096, COPY_LEN);
	off_t len = lseek(src, 0, SEEK_END);
	uint64_t offset = 0;

	if (!buf)
		return wt_fail_memory(err);
	while (ret == WT_OK) {
		size_t got = 0;

		ret = wt_io_read_some(
			src, buf, COPY_LEN, offset, append->object, &got, err);
		if (ret != WT_OK || got == 0)
			break;
		if (wt_io_write(dst, buf, got, offset) != 0)
			ret = fail_staging(
				putting->fuse.staging, "cannot write", err);
		offset += got;
		wt_fuse_tell_step(&putting->fuse);
		wt_wim_tell_written(append->options, offset, (uint64_t)len);
	}
	free(buf);
	return ret;
}

/* wimlib does not ask FUSE for writes of more than a page. Direct ones come to
 * it in pieces of 128 KiB anyway, which saves 0.2 seconds for a hive of
 * 11 MB. */
static int open_to_write(const char *path)
{
	int fd = open(path, O_WRONLY | O_DIRECT | O_CLOEXEC);

	return fd >= 0 ? fd : open(path, O_WRONLY | O_CLOEXEC);
}

/* Rewrites the hive below the mount point in place: a new file under its name
 * would have none of its metadata. */
static enum wt_status rewrite(void *arg, struct wt_error *err)
{
	const struct putting *putting = arg;
	const struct wt_wim_append *append = putting->mounting->append;
	const char *path = append->wim->images[putting->put->image].hive_path;
	int dir_fd = open(putting->fuse.mount_point,
		O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	enum wt_status ret = WT_OK;
	char by_fd[64] = "";
	struct stat st = {0};
	int path_fd = -1;
	int fd = -1;

	if (dir_fd < 0)
		return wt_fail_errno(err, WT_ERR_FILE, "mount-failed",
			putting->fuse.mount_point, "cannot open it");
	path_fd = wt_fuse_open_beneath(dir_fd, path);
	if (path_fd < 0 || fstat(path_fd, &st) != 0 || !S_ISREG(st.st_mode)) {
		ret = wt_fail_errno(err, WT_ERR_IMAGE, "hive-path-link",
			append->object, "cannot open %s below the mount point",
			path);
		goto out;
	}
	snprintf(by_fd, sizeof(by_fd), "/proc/self/fd/%d", path_fd);
	/* Opening with O_TRUNC fails here with EINVAL, and without the cut
	 * wimlib would first extract the old hive. */
	if (truncate(by_fd, 0) == 0)
		fd = open_to_write(by_fd);
	if (fd < 0) {
		ret = fail_staging(putting->fuse.staging,
			"cannot open the hive in the mount", err);
		goto out;
	}
	ret = copy(putting->put->hive_fd, fd, putting, err);
	if (ret == WT_OK && wt_wim_stamp_file(append->options, fd) != 0)
		ret = fail_staging(putting->fuse.staging,
			"cannot set the time of the hive in the mount", err);
	if (close(fd) != 0 && ret == WT_OK)
		ret = fail_staging(putting->fuse.staging, "cannot write", err);
	/* Only that it goes on: for more, wimlib would open a message queue
	 * that others may write to. */
	wt_wim_tell_written(append->options, 0, 0);
out:
	if (path_fd >= 0)
		close(path_fd);
	close(dir_fd);
	return ret;
}

static enum wt_status put_image(const struct mounting *mounting,
	const struct wt_wim_put *put, bool *ret_is_unused, struct wt_error *err)
{
	const struct wt_wim_append *append = mounting->append;
	struct putting putting = {
		.mounting = mounting,
		.put = put,
		.fuse =
			{
				.wim_path = append->skeleton->path,
				.image = append->wim->images[put->image].index,
				.mount_point = mounting->mount_point,
				.staging = mounting->staging,
				.append = append,
				.wait_ms = mounting->wait_ms,
				.state = &mounting->state->fuse,
			},
	};

	return wt_fuse_change(
		&putting.fuse, rewrite, &putting, ret_is_unused, err);
}

static enum wt_status mount_in_child(void *arg, struct wt_error *err)
{
	const struct mounting *mounting = arg;
	enum wt_status ret = WT_OK;
	bool is_unused = true;

	if (mounting->is_private)
		ret = wt_fuse_enter_namespace(err);
	for (size_t i = 0; ret == WT_OK && i < mounting->append->put_count;
		i++) {
		ret = put_image(
			mounting, &mounting->append->puts[i], &is_unused, err);
		/* The next commit leaves the XML data of this one behind,
		 * unused. */
		if (ret == WT_OK)
			ret = wt_wim_stamp_xml(mounting->append, err);
		is_unused = is_unused && i == 0;
	}
	mounting->state->is_unused = ret != WT_OK && is_unused;
	return ret;
}

/* One attempt, and the end of all its processes. */
static enum wt_status attempt(struct mounting *mounting, struct wt_error *err)
{
	static const struct wt_sandbox sandbox = {.mounts = true};
	const struct wt_wim_append *append = mounting->append;
	enum wt_status ret = WT_OK;

	if (!mounting->is_private)
		ret = wt_fuse_check_helper(err);
	if (ret != WT_OK)
		return ret;
	mounting->state->is_unused = false;
	ret = wt_wim_child_run(append->object, SECONDS_MAX, append->options,
		&sandbox, mount_in_child, mounting, err);
	if (!mounting->is_private)
		wt_unmount(mounting->mount_point);
	return ret;
}

static enum wt_status try_all(struct mounting *mounting, struct wt_error *err)
{
	enum wt_status ret = WT_OK;

	mounting->state->is_unused = true;
	if (!wt_fuse_probe(&mounting->is_private, err))
		return WT_ERR_FILE;
	ret = attempt(mounting, err);
	if (ret == WT_OK || !mounting->is_private ||
		!mounting->state->is_unused ||
		mounting->state->fuse.has_stalled)
		return ret;
	/* If only the child sees the mount, the mount ends with the child. That
	 * is better, but not possible everywhere. */
	mounting->is_private = false;
	return attempt(mounting, err);
}

enum wt_status wt_wim_mount(const struct wt_wim_append *append,
	bool is_only_way, bool *ret_cannot_mount, struct wt_error *err)
{
	const char *temp_folder = append->options->temp_folder;
	char mount_point[4096] = "";
	char staging[4096] = "";
	struct mounting mounting = {
		.append = append,
		.mount_point = mount_point,
		.staging = staging,
		.wait_ms = is_only_way ? MOUNT_MS_ONLY : MOUNT_MS,
	};
	enum wt_status ret = WT_OK;

	if (snprintf(mount_point, sizeof(mount_point), "%s/mount",
		    temp_folder) >= (int)sizeof(mount_point) ||
		snprintf(staging, sizeof(staging), "%s/staging", temp_folder) >=
			(int)sizeof(staging))
		return wt_fail(err, WT_ERR_FILE, "write-failed", temp_folder,
			"is too long a path");
	mounting.state = wt_shared_new(sizeof(*mounting.state));
	if (!mounting.state)
		return wt_fail_memory(err);
	if (mkdir(mount_point, 0700) != 0 || mkdir(staging, 0700) != 0) {
		ret = wt_fail_errno(err, WT_ERR_FILE, "write-failed",
			temp_folder, "cannot make a folder in it");
		goto out;
	}
	ret = try_all(&mounting, err);
	*ret_cannot_mount = ret != WT_OK && ret != WT_INTERRUPTED &&
			    mounting.state->is_unused;
out:
	/* Try again: a process may have been killed just then. */
	for (int i = 0; i < 3 && wt_tree_remove(AT_FDCWD, staging, NULL) != 0;
		i++)
		continue;
	rmdir(mount_point);
	wt_shared_free(mounting.state, sizeof(*mounting.state));
	return ret;
}
