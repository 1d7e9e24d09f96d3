/* SPDX-License-Identifier: MIT
 * hive/write.h: what the child does that writes a hive. */
#ifndef WT_HIVE_WRITE_H
#define WT_HIVE_WRITE_H

#include "hive/hive.h"

/**
 * Does the work of wt_hive_write_start() in this process, which hivex may end.
 *
 * @param out_fd  empty, readable and writable; gets the changed hive
 */
enum wt_status wt_hive_write_here(int hive_fd, int out_fd, const char *object,
	const struct wt_hive_change *changes, size_t change_count,
	struct wt_error *err);

#endif
