/* SPDX-License-Identifier: MIT
 * file/attributes.h: owner, mode, lists and attributes of a new file. */
#ifndef WT_FILE_ATTRIBUTES_H
#define WT_FILE_ATTRIBUTES_H

#include "file/traits.h"

#include <sys/stat.h>

/**
 * Gives a new, empty file the owner, group, mode, access control list and
 * extended attributes of the file that it will replace; not the times.
 * Security labels that only root may set, and sums over the old content
 * (security.ima, security.evm), are left out when they cannot be set.
 *
 * @param traits  of both files' place: what it does not have is left out
 * @return WT_ERR_FILE: not-kept when one of these cannot be given to it
 */
enum wt_status wt_attributes_copy(int src_fd, const struct stat *src,
	int dst_fd, const struct wt_traits *traits, const char *object,
	struct wt_error *err);

/**
 * Has the copy the owner, group and mode of src? Where the calls that set them
 * do nothing, each file may have its own all the same.
 *
 * @return WT_ERR_FILE: not-kept
 */
enum wt_status wt_attributes_check(const struct stat *src, int dst_fd,
	const char *object, struct wt_error *err);

/** The mode that cp would give a new copy: of src, writable for its owner,
 *  without what the umask takes away. */
enum wt_status wt_attributes_new_file(const struct stat *src, int dst_fd,
	const struct wt_traits *traits, const char *object,
	struct wt_error *err);

#endif
