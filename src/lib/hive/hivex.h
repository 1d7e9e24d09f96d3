/* SPDX-License-Identifier: MIT
 * hive/hivex.h: what it means when hivex fails. */
#ifndef WT_HIVE_HIVEX_H
#define WT_HIVE_HIVEX_H

#include "hive/check.h"

/**
 * Fills err after a call of hivex failed; errno must be what it left. A hive
 * is not called damaged for want of memory or of character tables, or because
 * hivex cannot say a name that Windows takes.
 *
 * @param what  "cannot read its keys"
 * @return the status that err has: WT_ERR_HIVE (hive-foreign-name,
 *         hive-not-written or hive-damaged), WT_ERR_FILE (no-memory, no-iconv)
 */
enum wt_status wt_hivex_failed(const struct wt_hive_raw *raw, bool is_writing,
	const char *what, struct wt_error *err);

/** Fills err: hive-foreign-name. */
enum wt_status wt_hivex_foreign(
	const struct wt_hive_raw *raw, uint32_t key, struct wt_error *err);

/**
 * hivex reads beyond the end of files that do not end with the last bin, and a
 * child can open only files in memory by name: a copy in memory of any other.
 *
 * @param ret_copy  a memfd that the caller closes, also on failure; -1 when
 *                  the file itself will do
 */
enum wt_status wt_hivex_copy(const struct wt_hive_raw *raw, int hive_fd,
	size_t file_len, int *ret_copy, struct wt_error *err);

/**
 * Has this machine the tables that hivex converts names with?
 *
 * @return WT_ERR_FILE: no-iconv
 */
enum wt_status wt_hivex_ready(struct wt_error *err);

#endif
