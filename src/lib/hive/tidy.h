/* SPDX-License-Identifier: MIT
 * hive/tidy.h: cells that hivex leaves without use are given back. */
#ifndef WT_HIVE_TIDY_H
#define WT_HIVE_TIDY_H

#include "hive/tasks.h"

/** Is there anything to tidy after these tasks? */
bool wt_hive_needs_tidy(
	const struct wt_hive_raw *before, const struct wt_hive_tasks *tasks);

/**
 * Gives back what hivex leaves behind: a list from which the last key was
 * removed, which must not stay below an index root, and the segments of long
 * values that were replaced or removed. And the checksum is Windows' own in
 * the two cases where hivex' is not.
 *
 * @param before  the hive as it was
 * @param after   the changed one; its bytes are changed, its bits are not
 */
enum wt_status wt_hive_tidy(const struct wt_hive_raw *before,
	struct wt_hive_raw *after, const struct wt_hive_tasks *tasks,
	struct wt_error *err);

#endif
