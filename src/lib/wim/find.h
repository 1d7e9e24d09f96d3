/* SPDX-License-Identifier: MIT
 * wim/find.h: the place of the SOFTWARE hive in an image. */
#ifndef WT_WIM_FIND_H
#define WT_WIM_FIND_H

#include "wim/lib.h"

/**
 * Looks for the hive without regard to case, and for what is beside it. To be
 * called in a child.
 *
 * @param image  index is set; all about the hive, its logs and Windows RE is
 *               filled, each path as it is spelled in the image, on success
 *               only
 * @return WT_ERR_WIM when the image's metadata cannot be read
 */
enum wt_status wt_wim_find(WIMStruct *wim, const char *object,
	struct wt_wim_image *image, struct wt_error *err);

#endif
