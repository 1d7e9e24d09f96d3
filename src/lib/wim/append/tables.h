/* SPDX-License-Identifier: MIT
 * wim/append/tables.h: a WIM's tables after an append, compared with those
 * before. */
#ifndef WT_WIM_APPEND_TABLES_H
#define WT_WIM_APPEND_TABLES_H

#include "wim/append/append.h"

/**
 * Compares the tables that wimlib wrote to the skeleton with the WIM's own.
 *
 * Nothing has a hash that tells a damaged blob table from a right one. So each
 * entry of the new one must be one of the old, or lead to what was appended;
 * and none of the old may be missing, but for those that wimlib drops: the
 * metadata and hives of changed images, and entries that no image uses. Of
 * the integrity table the old sums must be there, and the new ones right.
 *
 * To be called in a child, after wt_wim_skeleton_check(). Blob tables that are
 * compressed, which neither Windows nor wimlib writes, are not looked at.
 *
 * @return WT_ERR_WIM (wim-append), WT_ERR_FILE
 */
enum wt_status wt_wim_tables_check(
	const struct wt_wim_append *append, struct wt_error *err);

#endif
