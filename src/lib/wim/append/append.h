/* SPDX-License-Identifier: MIT
 * wim/append/append.h: how hives are put into a skeleton, and read back from
 * it. */
#ifndef WT_WIM_APPEND_APPEND_H
#define WT_WIM_APPEND_APPEND_H

#include "wim/append/skeleton.h"
#include "wim/lib.h"

/** What is put where. */
struct wt_wim_append {
	const char *path; /**< of the WIM itself, to read */
	const struct wt_wim_skeleton *skeleton;
	const struct wt_wim *wim;
	const struct wt_wim_put *puts;
	size_t put_count;
	uint8_t (*sha1s)[WT_SHA1_LEN]; /**< of each put's hive */
	/** Where wt_wim_reuse_start() put each hive, which it writes to shared
	 *  memory; len 0: it did not. */
	struct wt_wim_extent *placed;
	int *fds; /**< that its children use: the skeleton's, the puts' */
	size_t fd_count;
	const char *object;
	const struct wt_wim_options *options;
};

/** What a child that works on the skeleton may do. */
struct wt_sandbox wt_wim_append_sandbox(const struct wt_wim_append *append);

/** How hard wimlib tries; see wim_update.c. */
#define WT_WIM_COMPRESSION_LEVEL 10

/** Sets how what is appended is compressed. To be called in the child that
 *  writes, before it does. */
void wt_wim_set_compression(WIMStruct *wim, const struct wt_wim *info);

/** Extract, edit, add: needs no privilege, loses the hive's metadata. */
enum wt_status wt_wim_update(
	const struct wt_wim_append *append, struct wt_error *err);

/**
 * Rewrites the hive in place through FUSE: keeps its metadata.
 *
 * @param is_only_way  a slow mount is waited for; else some seconds at most
 * @param ret_cannot_mount  true when no image could be mounted, or the mount
 *                          stopped answering, and the skeleton is as it was
 */
enum wt_status wt_wim_mount(const struct wt_wim_append *append,
	bool is_only_way, bool *ret_cannot_mount, struct wt_error *err);

/**
 * Begins to read back the hives that wt_wim_reuse_start() put somewhere, and to
 * compare their hashes with the given ones.
 *
 * @param ret_job  NULL when there are none; give it to wt_child_finish()
 */
enum wt_status wt_wim_verify_placed(const struct wt_wim_append *append,
	struct wt_child_job **ret_job, struct wt_error *err);

/**
 * Opens the finished skeleton afresh: each image that was to be changed names
 * a hive with the hash of the one given, each other one the hive that it had,
 * and hives that were not read back yet have the hash that they are to have.
 * The tables are compared with the old ones; see wim_tables.h.
 *
 * @return WT_ERR_WIM (wim-append, wim-damaged)
 */
enum wt_status wt_wim_verify(
	const struct wt_wim_append *append, struct wt_error *err);

#endif
