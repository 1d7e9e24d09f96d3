/* SPDX-License-Identifier: MIT
 * wim/append/fuse.h: one image mounted by a process of its own, and its end.
 *
 * Who asks a FUSE file system whose daemon does not answer waits in the kernel,
 * and cannot even be killed; the death of the daemon ends that. So three
 * processes share the work: the daemon serves the mount, the client works in
 * it, and the one that has started them never touches it. It waits, gives up,
 * kills the daemon first; and both die when it is killed. */
#ifndef WT_WIM_APPEND_FUSE_H
#define WT_WIM_APPEND_FUSE_H

#include "wim/append/append.h"

#include <stdatomic.h>

/** What the client tells; in shared memory. */
struct wt_fuse_state {
	atomic_uint steps;	/**< anything but the last: it goes on */
	atomic_bool is_mounted; /**< at least one image was */
	atomic_bool is_committing;
	bool has_stalled; /**< somebody gave no answer, and was not waited for
			   */
};

/** A mount. */
struct wt_fuse {
	const char *wim_path;
	int image; /**< 1 is the first */
	const char *mount_point;
	const char *staging;
	const struct wt_wim_append *append;
	unsigned wait_ms; /**< how long the mount may take to appear */
	struct wt_fuse_state *state;
};

/**
 * Can FUSE work here at all? Cheap; opens the device and little more.
 *
 * @param ret_private  whether this process may open the device itself;
 *                     otherwise only the set-uid fusermount can
 */
bool wt_fuse_probe(bool *ret_private, struct wt_error *err);

/** Gives this process mounts that nobody else sees, as root or not. Failing,
 *  the process is good for nothing more. */
enum wt_status wt_fuse_enter_namespace(struct wt_error *err);

/** Opens (O_PATH) a file below a folder: an image may hold a link that leads to
 *  this machine's own files. Needs openat2. */
int wt_fuse_open_beneath(int dir_fd, const char *path);

/** What mounts and unmounts for an ordinary user: is it there? */
enum wt_status wt_fuse_check_helper(struct wt_error *err);

/** The client has done something. */
void wt_fuse_tell_step(const struct wt_fuse *fuse);

/**
 * Mounts an image read-write, runs work(arg) in a process of its own, appends
 * what that has changed, and unmounts. Both processes are gone on return. To be
 * called in a child that may be killed at any time.
 *
 * @param ret_is_unused  on failure: nothing was appended, since the image
 *                       could not be mounted or the mount stopped answering
 */
enum wt_status wt_fuse_change(const struct wt_fuse *fuse, wt_child_fn *work,
	void *arg, bool *ret_is_unused, struct wt_error *err);

#endif
