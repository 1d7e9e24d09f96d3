/* SPDX-License-Identifier: MIT
 * wim/append/skeleton.h: a sparse stand-in for a WIM that wimlib appends to. */
#ifndef WT_WIM_APPEND_SKELETON_H
#define WT_WIM_APPEND_SKELETON_H

#include "wim/header.h"

struct wt_wim_skeleton {
	char path[4096]; /**< in the temporary folder */
	int fd;		 /**< readable and writable */
	uint64_t len;	 /**< before the append: the WIM's used_len */
};

/**
 * Makes the skeleton of a WIM: as long as what is used of it, with only those
 * bytes in place that wimlib reads when it appends; all else is a hole.
 *
 * @param ret_skeleton  give it to wt_wim_skeleton_free()
 * @return WT_ERR_WIM (wim-integrity) when the chunk that will be summed again
 * is damaged; WT_ERR_FILE
 */
enum wt_status wt_wim_skeleton_new(const char *path, const struct wt_wim *wim,
	const struct wt_wim_options *options,
	struct wt_wim_skeleton *ret_skeleton, struct wt_error *err);

/** Puts more bytes of the WIM in their place; those beyond the old end, which
 *  wimlib wrote, are left. */
enum wt_status wt_wim_skeleton_fill(const struct wt_wim_skeleton *skeleton,
	const char *path, const struct wt_wim_extent *extent,
	const char *object, struct wt_error *err);

/**
 * Does the skeleton's integrity table have the sums of the old one, and right
 * ones of what was appended?
 *
 * @param old_fd  of the WIM, and old its header; new is the skeleton's
 */
enum wt_status wt_wim_skeleton_check_sums(
	const struct wt_wim_skeleton *skeleton, int old_fd,
	const struct wt_wim_header *old, const struct wt_wim_header *new,
	bool *ret_is_right, struct wt_error *err);

/** Removes the file, and closes fd unless that is -1. */
void wt_wim_skeleton_free(struct wt_wim_skeleton *skeleton);

/**
 * After the append: the path still leads to fd, the bytes up to the old end
 * are those of the WIM, the header is sound and says the same as before, and
 * the tables are beyond the old end.
 *
 * @return WT_ERR_WIM (wim-append)
 */
enum wt_status wt_wim_skeleton_check(const struct wt_wim_skeleton *skeleton,
	const char *path, const struct wt_wim *wim,
	const struct wt_wim_options *options, uint64_t *ret_new_len,
	struct wt_error *err);

#endif
