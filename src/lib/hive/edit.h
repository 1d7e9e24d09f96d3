/* SPDX-License-Identifier: MIT
 * hive/edit.h: keys and values of a hive in memory are changed. */
#ifndef WT_HIVE_EDIT_H
#define WT_HIVE_EDIT_H

#include "hive/cell.h"
#include "hive/hive.h"

/**
 * Applies changes to a hive in memory.
 *
 * @param changes  all of one place and store stand together; when two name
 *                 the same key, the later one counts
 * @return WT_ERR_HIVE when the hive is malformed where it is to be changed
 *         (hive-bad-name, hive-bad-value, hive-bad-security,
 *         hive-duplicate-key, hive-bad-list), cannot take the changes
 *         (hive-full, hive-big-value); the memory is then of no use
 */
enum wt_status wt_hive_edit(struct wt_hive_editor *editor,
	const struct wt_hive_change *changes, size_t change_count,
	struct wt_error *err);

#endif
