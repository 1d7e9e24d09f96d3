/* SPDX-License-Identifier: MIT
 * wim/append/fuse.c: one image mounted by a process of its own, and its end. */
#include "wim/append/fuse.h"

#include "base/io.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* How often the processes are looked at, and how long the client may do
 * nothing before it commits. */
#define LOOK_MS 20
#define IDLE_MS 30000

/* How long the second process may take to end after the first. */
#define END_MS 5000

/* How long a daemon may take to end after its mount. */
#define GONE_MS 500

int wt_fuse_open_beneath(int dir_fd, const char *path)
{
	const struct open_how how = {
		.flags = O_PATH | O_NOFOLLOW | O_CLOEXEC,
		.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS |
			   RESOLVE_NO_XDEV | RESOLVE_NO_MAGICLINKS,
	};

	while (*path == '/')
		path++;
	return (int)syscall(SYS_openat2, dir_fd, path, &how, sizeof(how));
}

/* What is opened below the mount point has to stay there. */
static bool can_open_beneath(void)
{
	int fd = wt_fuse_open_beneath(AT_FDCWD, ".");
	bool can = fd >= 0 || (errno != ENOSYS && errno != EPERM);

	if (fd >= 0)
		close(fd);
	return can;
}

bool wt_fuse_probe(bool *ret_private, struct wt_error *err)
{
	int fd = -1;

	if (!can_open_beneath()) {
		wt_fail_errno(err, WT_ERR_FILE, "mount-failed", "openat2",
			"the kernel or the container has no openat2, which a "
			"mount needs");
		return false;
	}
	fd = open("/dev/fuse", O_RDWR | O_CLOEXEC);
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
	/* fusermount does not unmount what it has not written there. */
	if (access("/etc/mtab", F_OK) != 0) {
		wt_fail(err, WT_ERR_FILE, "mount-failed", NULL,
			"FUSE cannot mount here: there is no /etc/mtab");
		wt_error_hint(err, "run: ln -s /proc/self/mounts /etc/mtab, or "
				   "use --access update");
		return WT_ERR_FILE;
	}
	return WT_OK;
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

/* What both processes are given. */
struct work {
	const struct wt_fuse *fuse;
	wt_child_fn *fn;
	void *arg;
	dev_t dev; /* of the mount point while nothing is mounted on it */
};

/* The daemon. It ends when the image is unmounted. */
static enum wt_status serve(void *arg, struct wt_error *err)
{
	const int flags =
		WIMLIB_MOUNT_FLAG_READWRITE |
		WIMLIB_MOUNT_FLAG_STREAM_INTERFACE_NONE |
		/* Without this, wimlib starts a daemon that nobody waits for.
		 * What it prints then goes to /dev/null. */
		WIMLIB_MOUNT_FLAG_DEBUG;
	const struct wt_fuse *fuse = ((const struct work *)arg)->fuse;
	int null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	const char *object = fuse->append->object;
	WIMStruct *wim = NULL;
	int code = 0;

	for (int fd = 0; fd <= STDERR_FILENO; fd++)
		if (dup2(null_fd, fd) < 0)
			return wt_io_fail(err, "/dev/null", "cannot open it");
	errno = 0;
	code = wimlib_open_wim(
		fuse->wim_path, WIMLIB_OPEN_FLAG_WRITE_ACCESS, &wim);
	if (code == 0) {
		wt_wim_set_compression(wim, fuse->append->wim);
		errno = 0;
		code = wimlib_mount_image(wim, fuse->image, fuse->mount_point,
			flags, fuse->staging);
	}
	if (code == 0)
		return WT_OK;
	if (code != WIMLIB_ERR_FUSE)
		return wt_wim_fail(err, code, object, "cannot mount image %d",
			fuse->image);
	wt_fail(err, WT_ERR_FILE, "mount-failed", object,
		"FUSE cannot mount image %d here", fuse->image);
	wt_error_native(err, WT_DOMAIN_WIMLIB, code);
	return WT_ERR_FILE;
}

void wt_fuse_tell_step(const struct wt_fuse *fuse)
{
	atomic_fetch_add(&fuse->state->steps, 1);
}

/* Waits until something is mounted there; the caller kills it if nothing ever
 * is. A mount that cannot be looked at serves nothing. */
static enum wt_status wait_mounted(
	const struct work *work, struct wt_error *err)
{
	const char *mount_point = work->fuse->mount_point;
	struct stat now = {0};

	do {
		wt_io_sleep_ms(1);
		if (stat(mount_point, &now) != 0)
			return wt_fail_errno(err, WT_ERR_FILE, "mount-failed",
				work->fuse->append->object,
				"FUSE cannot mount image %d",
				work->fuse->image);
	} while (now.st_dev == work->dev);
	return WT_OK;
}

static enum wt_status commit(const struct wt_fuse *fuse, struct wt_error *err)
{
	/* FORCE, because the mount learns of a close a little later than
	 * close() returns; all data is there by then. No progress function,
	 * because that would make a message queue that others could write to.
	 */
	int code = wimlib_unmount_image(fuse->mount_point,
		WIMLIB_UNMOUNT_FLAG_COMMIT | WIMLIB_UNMOUNT_FLAG_FORCE);

	if (code == 0)
		return WT_OK;
	errno = 0;
	return wt_wim_fail(err, code, fuse->append->skeleton->path,
		"cannot append image %d to it", fuse->image);
}

/* The client. */
static enum wt_status change(void *arg, struct wt_error *err)
{
	const struct work *work = arg;
	struct wt_fuse_state *state = work->fuse->state;
	enum wt_status ret = wait_mounted(work, err);

	if (ret != WT_OK)
		return ret;
	atomic_store(&state->is_mounted, true);
	wt_fuse_tell_step(work->fuse);
	ret = work->fn(work->arg, err);
	if (ret != WT_OK)
		return ret;
	atomic_store(&state->is_committing, true);
	return commit(work->fuse, err);
}

/* Waits for the end of either process. False when the client did nothing for
 * longer than it may. */
static bool wait_either(const struct wt_fuse *fuse, struct wt_child_job *daemon,
	struct wt_child_job *client)
{
	struct wt_fuse_state *state = fuse->state;
	unsigned steps = 0;
	unsigned idle_ms = 0;

	/* Counts looks, not time: a process that was stopped, or runs on a busy
	 * machine, is not late for that. */
	while (!wt_child_wait(daemon, LOOK_MS) && !wt_child_wait(client, 0)) {
		unsigned now = atomic_load(&state->steps);
		unsigned max_ms = atomic_load(&state->is_mounted)
					  ? IDLE_MS
					  : fuse->wait_ms;

		idle_ms = now == steps ? idle_ms + LOOK_MS : 0;
		steps = now;
		if (idle_ms > max_ms && !atomic_load(&state->is_committing))
			return false;
	}
	return true;
}

static enum wt_status fail_mount(
	const struct wt_fuse *fuse, const char *reason, struct wt_error *err)
{
	return wt_fail(err, WT_ERR_FILE, "mount-failed", fuse->append->object,
		"FUSE %s image %d", reason, fuse->image);
}

/* The daemon has ended, and the client has not told it to. */
static enum wt_status end_unserved(const struct wt_fuse *fuse,
	struct wt_child_job *daemon, struct wt_child_job *client,
	struct wt_error *err)
{
	enum wt_status ret = wt_child_finish(daemon, NULL, NULL, err);

	wt_child_stop(client);
	return ret != WT_OK ? ret : fail_mount(fuse, "no longer serves", err);
}

/* The client has ended, or is about to. */
static enum wt_status end_served(const struct wt_fuse *fuse,
	struct wt_child_job *daemon, struct wt_child_job *client,
	struct wt_error *err)
{
	enum wt_status ret = WT_OK;

	if (wt_child_wait(client, END_MS)) {
		ret = wt_child_finish(client, NULL, NULL, err);
		return wt_child_end(daemon, ret, err);
	}
	wt_child_stop(daemon);
	wt_child_stop(client);
	return fail_mount(fuse, "does not say whether it has appended", err);
}

static enum wt_status end_both(const struct wt_fuse *fuse,
	struct wt_child_job *daemon, struct wt_child_job *client,
	bool *ret_is_unused, struct wt_error *err)
{
	struct wt_fuse_state *state = fuse->state;
	bool is_answering = wait_either(fuse, daemon, client);

	*ret_is_unused = true;
	if (!is_answering) {
		/* The client cannot die before the daemon has. */
		state->has_stalled = true;
		wt_child_stop(daemon);
		wt_child_stop(client);
		/* It may have begun to append after the look at it. */
		*ret_is_unused = !atomic_load(&state->is_committing);
		return fail_mount(fuse,
			atomic_load(&state->is_mounted) ? "stopped serving"
							: "does not serve",
			err);
	}
	/* The client of a dead daemon may be gone before it is. */
	if (!atomic_load(&state->is_committing) &&
		wt_child_wait(daemon, wt_child_wait(client, 0) ? GONE_MS : 0))
		return end_unserved(fuse, daemon, client, err);
	*ret_is_unused = !atomic_load(&state->is_mounted);
	return end_served(fuse, daemon, client, err);
}

enum wt_status wt_fuse_change(const struct wt_fuse *fuse, wt_child_fn *work,
	void *arg, bool *ret_is_unused, struct wt_error *err)
{
	const struct wt_child how = {
		.object = fuse->append->object,
		.died_status = WT_ERR_FILE,
		.died_code = "mount-failed",
	};
	struct work both = {.fuse = fuse, .fn = work, .arg = arg};
	struct wt_child_job *daemon = NULL;
	struct wt_child_job *client = NULL;
	struct stat before = {0};
	enum wt_status ret = WT_OK;

	*ret_is_unused = true;
	atomic_store(&fuse->state->is_mounted, false);
	atomic_store(&fuse->state->is_committing, false);
	if (stat(fuse->mount_point, &before) != 0)
		return wt_fail_errno(err, WT_ERR_FILE, "mount-failed",
			fuse->mount_point, "cannot look at it");
	both.dev = before.st_dev;
	ret = wt_child_start(&how, serve, &both, &daemon, err);
	if (ret == WT_OK)
		ret = wt_child_start(&how, change, &both, &client, err);
	if (ret == WT_OK)
		return end_both(fuse, daemon, client, ret_is_unused, err);
	wt_child_stop(daemon);
	return ret;
}
