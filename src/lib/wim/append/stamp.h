/* SPDX-License-Identifier: MIT
 * wim/append/stamp.h: the times that an append writes, where they are given. */
#ifndef WT_WIM_APPEND_STAMP_H
#define WT_WIM_APPEND_STAMP_H

#include "wim/append/append.h"

/** Gives a file the times that its entry in the image shall have, where the
 *  options give one. Returns -1 with errno, or 0. */
int wt_wim_stamp_file(const struct wt_wim_options *options, int fd);

/**
 * The time of the last change of each image that was put into is, in the XML
 * data of the finished skeleton, never later than the one that the options
 * give.
 *
 * @return WT_ERR_WIM (wim-append) when the XML data have none
 */
enum wt_status wt_wim_stamp_xml(
	const struct wt_wim_append *append, struct wt_error *err);

#endif
