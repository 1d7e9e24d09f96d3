/* SPDX-License-Identifier: MIT
 * wim_append.h: the two ways in which wimlib puts hives into a skeleton. */
#ifndef WT_WIM_APPEND_H
#define WT_WIM_APPEND_H

#include "wim_lib.h"
#include "wim_skeleton.h"

/** What is put where. */
struct wt_wim_append {
	const char *path; /**< of the WIM itself, to read */
	const struct wt_wim_skeleton *skeleton;
	const struct wt_wim *wim;
	const struct wt_wim_put *puts;
	size_t put_count;
	uint8_t (*sha1s)[WT_SHA1_LEN]; /**< of each put's hive */
	const char *object;
	const struct wt_wim_options *options;
};

/** How hard wimlib tries; see wim_update.c. */
#define WT_WIM_COMPRESSION_LEVEL 10

/** Sets how what is appended is compressed. To be called in the child that
 *  writes, before it does. */
void wt_wim_set_compression(WIMStruct *wim, const struct wt_wim *info);

/** How many threads compress. */
unsigned wt_wim_threads(const struct wt_wim_options *options);

/** Extract, edit, add: needs no privilege, loses the hive's metadata. */
enum wt_status wt_wim_update(
	const struct wt_wim_append *append, struct wt_error *err);

/**
 * Rewrites the hive in place through FUSE: keeps its metadata.
 *
 * @param ret_cannot_mount  true when no image could be mounted at all and the
 *                          skeleton is as it was
 */
enum wt_status wt_wim_mount(const struct wt_wim_append *append,
	bool *ret_cannot_mount, struct wt_error *err);

#endif
