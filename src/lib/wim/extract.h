/* SPDX-License-Identifier: MIT
 * wim/extract.h: files of an image, taken out into descriptors. */
#ifndef WT_WIM_EXTRACT_H
#define WT_WIM_EXTRACT_H

#include "wim/chunks.h"
#include "wim/find.h"

/** A hive that is being taken out of an image. */
struct wt_wim_taking {
	WIMStruct *wim;
	const char *path; /**< of the WIM */
	const char *object;
	const struct wt_wim_image *image;
	int fd; /**< an empty file in memory; it will hold the hive */
	unsigned processes; /**< by how many it is decompressed at most */
	/* Set by wt_wim_take_start() */
	struct wt_wim_chunks chunks;
	struct wt_wim_unpacking *unpacking;
};

/**
 * Begins to take the hive out, beside what its caller does next. To be called
 * in a child. Never fails: what cannot be done now, the end will do.
 */
void wt_wim_take_start(struct wt_wim_taking *taking);

/**
 * Waits for the end. Whether what was taken out has the hash that the image
 * says is still to be checked, by wt_wim_hive_check() for example.
 *
 * @return WT_ERR_WIM (wim-damaged)
 */
enum wt_status wt_wim_take_finish(
	struct wt_wim_taking *taking, struct wt_error *err);

/** What a child may do that reads images and fills the files in memory of
 *  hives; NULL when it takes none. Both are borrowed. */
struct wt_sandbox wt_wim_reading_sandbox(
	const char *path, const int *fds, size_t fd_count);

#endif
