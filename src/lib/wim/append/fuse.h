/* SPDX-License-Identifier: MIT
 * wim/append/fuse.h: one image mounted by a process of its own, and its end. */
#ifndef WT_WIM_APPEND_FUSE_H
#define WT_WIM_APPEND_FUSE_H

#include "wim/append/append.h"

#include <sys/types.h>

/** What the mounting process tells; in shared memory. */
struct wt_fuse_state {
	bool has_ended;
	int code;	  /**< of wimlib */
	int system_error; /**< errno beside it */
};

/** A mount; pid is set by wt_fuse_mount(). */
struct wt_fuse {
	const char *wim_path;
	int image; /**< 1 is the first */
	const char *mount_point;
	const char *staging;
	const struct wt_wim_append *append;
	struct wt_fuse_state *state;
	pid_t pid;
};

/**
 * Can FUSE work here at all? Cheap; opens the device and no more.
 *
 * @param ret_private  whether this process may open the device itself;
 *                     otherwise only the set-uid fusermount can
 */
bool wt_fuse_probe(bool *ret_private, struct wt_error *err);

/** Gives this process mounts that nobody else sees, as root or not. Failing,
 *  the process is good for nothing more. */
enum wt_status wt_fuse_enter_namespace(struct wt_error *err);

/** What mounts and unmounts for an ordinary user: is it there? */
enum wt_status wt_fuse_check_helper(struct wt_error *err);

/** Mounts read-write and waits until that works. */
enum wt_status wt_fuse_mount(struct wt_fuse *fuse, struct wt_error *err);

/** Appends what was changed, unmounts and waits for the process to end. */
enum wt_status wt_fuse_commit(struct wt_fuse *fuse, struct wt_error *err);

/** Ends the process; the mount is dead then, and gone if it was private. */
void wt_fuse_kill(struct wt_fuse *fuse);

/** Removes a mount that its process left behind; none is no failure. */
void wt_fuse_force_unmount(const char *mount_point);

/** Empties the staging folder of what a killed process left. */
void wt_fuse_clean_staging(const char *staging);

#endif
