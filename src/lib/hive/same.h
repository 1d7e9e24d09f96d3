/* SPDX-License-Identifier: MIT
 * hive/same.h: two hives side by side: only what was asked for differs. */
#ifndef WT_HIVE_SAME_H
#define WT_HIVE_SAME_H

#include "hive/tasks.h"

/**
 * Compares a hive with its changed copy.
 *
 * Every cell that no task may change is at the same place with the same bytes,
 * and with it every key that no task names, with all that it has; of a security
 * descriptor the count of its uses may differ. Keys that tasks set are there
 * once, where Windows looks for them, with that value and their other values as
 * they were; keys that tasks remove are gone. Keys on the way to them may be
 * new, and are then empty but for the next step. No cell has come to be used
 * twice. It shares no code with what wrote the copy.
 *
 * @param before  opened with WT_HIVE_WITH_OWNERS
 * @param after   the same
 * @param tasks   of before
 * @return WT_ERR_HIVE: hive-verify
 */
enum wt_status wt_hive_same(const struct wt_hive_raw *before,
	const struct wt_hive_raw *after, const struct wt_hive_tasks *tasks,
	struct wt_error *err);

#endif
