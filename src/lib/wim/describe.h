/* SPDX-License-Identifier: MIT
 * wim/describe.h: what a WIM's XML data say of an image. */
#ifndef WT_WIM_DESCRIBE_H
#define WT_WIM_DESCRIBE_H

#include "wim/lib.h"

/**
 * Fills an image's name, description, architecture, version and number of
 * files. To be called in a child.
 *
 * @param image  its index is set
 * @return WT_ERR_FILE (no memory)
 */
enum wt_status wt_wim_describe(
	const WIMStruct *wim, struct wt_wim_image *image, struct wt_error *err);

#endif
