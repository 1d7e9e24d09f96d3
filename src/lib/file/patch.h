/* SPDX-License-Identifier: MIT
 * file/patch.h: writes what a finished edit changes. */
#ifndef WT_FILE_PATCH_H
#define WT_FILE_PATCH_H

#include "file/workfile.h"

/** Which of a patch's bytes. */
enum wt_patch_part {
	WT_PATCH_ALL,
	WT_PATCH_TAIL,	   /**< beyond the old length */
	WT_PATCH_REPLACED, /**< up to the old length */
};

/** Is it in order, and for a file of file_len bytes? */
enum wt_status wt_patch_check(const struct wt_patch *patch, uint64_t file_len,
	const char *object, struct wt_error *err);

/** Writes that part of it; 0, or -1 with errno. */
int wt_patch_write(const struct wt_patch *patch, int fd,
	enum wt_patch_part part, const volatile sig_atomic_t *cancel);

/**
 * 0 when that part of the file is what the patch says, else -1. Opens the
 * descriptor afresh, and goes past the page cache where the file system lets go
 * of it: so it reads what the disk holds, not what was written to memory. To be
 * called when the file is synced.
 */
int wt_patch_compare_afresh(const struct wt_patch *patch, int fd,
	enum wt_patch_part part, const volatile sig_atomic_t *cancel);

/** What errno and *cancel say: the signal, or the reason and the errno. */
enum wt_status wt_patch_fail(const volatile sig_atomic_t *cancel,
	const char *object, const char *reason, struct wt_error *err);

#endif
