/* SPDX-License-Identifier: MIT
 * file/copy_data.h: copies a large file so that syncing it afterwards is short.
 */
#ifndef WT_FILE_COPY_DATA_H
#define WT_FILE_COPY_DATA_H

#include "base/child.h"

#include <stdatomic.h>

/** Shares the blocks where the file system can; false when it cannot. */
bool wt_copy_clone(int src_fd, int dst_fd);

/**
 * Starts to copy len bytes in a child, holes as holes, and has the disk write
 * from the start on. Neither descriptor's offset is used.
 *
 * @param object   names the copy in messages
 * @param done     bytes copied so far; shared memory, or NULL
 * @param ret_job  for wt_child_finish(), whose status and error are the copy's
 */
enum wt_status wt_copy_data_start(int src_fd, int dst_fd, uint64_t len,
	const char *object, const volatile sig_atomic_t *cancel,
	_Atomic uint64_t *done, struct wt_child_job **ret_job,
	struct wt_error *err);

#endif
