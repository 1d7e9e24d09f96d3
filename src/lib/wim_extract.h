/* SPDX-License-Identifier: MIT
 * wim_extract.h: a file of an image, into a descriptor. */
#ifndef WT_WIM_EXTRACT_H
#define WT_WIM_EXTRACT_H

#include "wim_lib.h"

/**
 * Writes one file's data to fd at its offset. To be called in a child: it
 * goes through standard output.
 *
 * @param image  1 is the first
 * @param path   as it is stored
 */
enum wt_status wt_wim_extract_file(WIMStruct *wim, int image, const char *path,
	int fd, const char *object, struct wt_error *err);

#endif
