/* SPDX-License-Identifier: MIT
 * wim/append/fuse.c: one image mounted by a process of its own, and its end. */
#include "wim/append/fuse.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* How long a mount may take to appear. */
#define MOUNT_MS 30000

bool wt_fuse_probe(bool *ret_private, struct wt_error *err)
{
	int fd = open("/dev/fuse", O_RDWR | O_CLOEXEC);

	if (fd >= 0) {
		close(fd);
		*ret_private = true;
		return true;
	}
	/* fusermount opens it as root before it lays that down. */
	if (errno == EACCES && geteuid() != 0) {
		*ret_private = false;
		return true;
	}
	wt_fail_errno(err, WT_ERR_FILE, "mount-failed", "/dev/fuse",
		"FUSE is not available, cannot open /dev/fuse");
	return false;
}

static bool write_text(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	bool is_ok = false;

	if (fd < 0)
		return false;
	is_ok = write(fd, text, strlen(text)) == (ssize_t)strlen(text);
	return close(fd) == 0 && is_ok;
}

enum wt_status wt_fuse_enter_namespace(struct wt_error *err)
{
	bool is_root = geteuid() == 0;
	char uid_map[64] = "";
	char gid_map[64] = "";

	snprintf(uid_map, sizeof(uid_map), "0 %u 1", (unsigned)geteuid());
	snprintf(gid_map, sizeof(gid_map), "0 %u 1", (unsigned)getegid());
	if (unshare(CLONE_NEWNS | (is_root ? 0 : CLONE_NEWUSER)) != 0 ||
		(!is_root &&
			(!write_text("/proc/self/setgroups", "deny") ||
				!write_text("/proc/self/uid_map", uid_map) ||
				!write_text("/proc/self/gid_map", gid_map))) ||
		mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0)
		return wt_fail_errno(err, WT_ERR_FILE, "mount-failed", NULL,
			"cannot make private mounts");
	return WT_OK;
}

/* The process that serves the mount. It ends when the image is unmounted. */
static void serve(const struct wt_fuse *fuse)
{
	const int flags =
		WIMLIB_MOUNT_FLAG_READWRITE |
		WIMLIB_MOUNT_FLAG_STREAM_INTERFACE_NONE |
		/* Without this, wimlib starts a daemon that nobody waits for.
		 * What it prints then goes to /dev/null. */
		WIMLIB_MOUNT_FLAG_DEBUG;
	int null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	WIMStruct *wim = NULL;
	int code = 0;

	for (int fd = 0; fd <= STDERR_FILENO; fd++)
		if (dup2(null_fd, fd) < 0)
			code = WIMLIB_ERR_OPEN;
	errno = 0;
	if (code == 0)
		code = wimlib_open_wim(
			fuse->wim_path, WIMLIB_OPEN_FLAG_WRITE_ACCESS, &wim);
	if (code == 0) {
		wt_wim_set_compression(wim, fuse->append->wim);
		errno = 0;
		code = wimlib_mount_image(wim, fuse->image, fuse->mount_point,
			flags, fuse->staging);
	}
	fuse->state->system_error = errno;
	fuse->state->code = code;
	fuse->state->has_ended = true;
	_exit(0);
}

static enum wt_status fail_mount(
	const struct wt_fuse *fuse, struct wt_error *err)
{
	if (fuse->state->has_ended && fuse->state->code != 0 &&
		fuse->state->code != WIMLIB_ERR_FUSE) {
		errno = fuse->state->system_error;
		return wt_wim_fail(err, fuse->state->code, fuse->append->object,
			"cannot mount image %d", fuse->image);
	}
	wt_fail(err, WT_ERR_FILE, "mount-failed", fuse->append->object,
		"FUSE cannot mount image %d here", fuse->image);
	wt_error_native(err, WT_DOMAIN_WIMLIB, fuse->state->code);
	return WT_ERR_FILE;
}

static bool is_in_path(const char *program)
{
	const char *path = getenv("PATH");

	while (path && *path) {
		size_t len = strcspn(path, ":");
		char file[4096] = "";

		if (snprintf(file, sizeof(file), "%.*s/%s", (int)len, path,
			    program) < (int)sizeof(file) &&
			access(file, X_OK) == 0)
			return true;
		path += len + (path[len] == ':');
	}
	return false;
}

enum wt_status wt_fuse_check_helper(struct wt_error *err)
{
	if (geteuid() == 0)
		return WT_OK;
	if (!is_in_path("fusermount3") && !is_in_path("fusermount")) {
		wt_fail(err, WT_ERR_FILE, "mount-failed", NULL,
			"FUSE cannot mount here: there is no fusermount3");
		wt_error_hint(err, "install the package fuse3, or use "
				   "--access update");
		return WT_ERR_FILE;
	}
	/* What fusermount has not written there it does not unmount. */
	if (access("/etc/mtab", F_OK) != 0) {
		wt_fail(err, WT_ERR_FILE, "mount-failed", NULL,
			"FUSE cannot mount here: there is no /etc/mtab");
		wt_error_hint(err, "run: ln -s /proc/self/mounts /etc/mtab, or "
				   "use --access update");
		return WT_ERR_FILE;
	}
	return WT_OK;
}

enum wt_status wt_fuse_mount(struct wt_fuse *fuse, struct wt_error *err)
{
	struct stat before = {0};
	struct stat now = {0};
	pid_t parent = getpid();

	memset(fuse->state, 0, sizeof(*fuse->state));
	if (stat(fuse->mount_point, &before) != 0)
		return wt_fail_errno(err, WT_ERR_FILE, "mount-failed",
			fuse->mount_point, "cannot look at it");
	fuse->pid = fork();
	if (fuse->pid < 0)
		return wt_fail_errno(err, WT_ERR_FILE, "no-process",
			fuse->append->object, "cannot start a process");
	if (fuse->pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() != parent)
			_exit(1);
		serve(fuse);
	}
	for (int ms = 0; ms < MOUNT_MS; ms++) {
		if (stat(fuse->mount_point, &now) == 0 &&
			now.st_dev != before.st_dev)
			return WT_OK;
		if (waitpid(fuse->pid, NULL, WNOHANG) == fuse->pid) {
			fuse->pid = -1;
			return fail_mount(fuse, err);
		}
		wt_io_sleep_ms(1);
	}
	wt_fuse_kill(fuse);
	return fail_mount(fuse, err);
}

enum wt_status wt_fuse_commit(struct wt_fuse *fuse, struct wt_error *err)
{
	/* FORCE since closing a file is told to the mount a little later than
	 * close() returns; all data is there by then. No progress function:
	 * it would make a message queue that others could write to. */
	int code = wimlib_unmount_image(fuse->mount_point,
		WIMLIB_UNMOUNT_FLAG_COMMIT | WIMLIB_UNMOUNT_FLAG_FORCE);

	if (code != 0) {
		wt_fuse_kill(fuse);
		errno = 0;
		return wt_wim_fail(err, code, fuse->append->skeleton->path,
			"cannot append image %d to it", fuse->image);
	}
	while (waitpid(fuse->pid, NULL, 0) < 0 && errno == EINTR)
		continue;
	fuse->pid = -1;
	if (!fuse->state->has_ended || fuse->state->code != 0)
		return wt_fail(err, WT_ERR_FILE, "mount-failed",
			fuse->append->object,
			"the mount of image %d did not end well", fuse->image);
	return WT_OK;
}

void wt_fuse_kill(struct wt_fuse *fuse)
{
	if (fuse->pid <= 0)
		return;
	kill(fuse->pid, SIGKILL);
	while (waitpid(fuse->pid, NULL, 0) < 0 && errno == EINTR)
		continue;
	fuse->pid = -1;
}

/* Runs fusermount, which may unmount what this user has mounted. */
static bool fusermount(const char *program, const char *mount_point)
{
	pid_t pid = fork();
	int status = 0;

	if (pid == 0) {
		int null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);

		for (int fd = 0; null_fd >= 0 && fd <= STDERR_FILENO; fd++)
			dup2(null_fd, fd);
		execlp(program, program, "-u", "-q", "-z", mount_point,
			(char *)NULL);
		_exit(127);
	}
	if (pid < 0)
		return false;
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		continue;
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

void wt_fuse_force_unmount(const char *mount_point)
{
	if (umount2(mount_point, MNT_DETACH | UMOUNT_NOFOLLOW) == 0 ||
		errno == EINVAL)
		return;
	if (!fusermount("fusermount3", mount_point))
		fusermount("fusermount", mount_point);
}

static void remove_files(int dir_fd, int depth)
{
	DIR *dir = fdopendir(dir_fd);
	struct dirent *entry = NULL;

	if (!dir) {
		close(dir_fd);
		return;
	}
	while ((entry = readdir(dir))) {
		int fd = -1;

		if (strcmp(entry->d_name, ".") == 0 ||
			strcmp(entry->d_name, "..") == 0)
			continue;
		if (unlinkat(dirfd(dir), entry->d_name, 0) == 0 || depth == 0)
			continue;
		fd = openat(dirfd(dir), entry->d_name,
			O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (fd >= 0)
			remove_files(fd, depth - 1);
		unlinkat(dirfd(dir), entry->d_name, AT_REMOVEDIR);
	}
	closedir(dir);
}

void wt_fuse_clean_staging(const char *staging)
{
	int fd = open(staging, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	/* wimlib makes one folder in it, with plain files. */
	if (fd >= 0)
		remove_files(fd, 1);
}
