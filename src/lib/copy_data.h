/* SPDX-License-Identifier: MIT
 * copy_data.h: copies a large file so that syncing it afterwards is short. */
#ifndef WT_COPY_DATA_H
#define WT_COPY_DATA_H

#include "error.h"

#include <stdatomic.h>

/** What a copying thread and the one that waits for it share. */
struct wt_copy_state {
	_Atomic uint64_t done;	/**< bytes copied */
	atomic_bool is_stopped; /**< set to make it give up */
	const volatile sig_atomic_t *cancel;
};

/** Shares the blocks where the file system can; false when it cannot. */
bool wt_copy_clone(int src_fd, int dst_fd);

/**
 * Copies len bytes, holes as holes, and has the disk write from the start on.
 * Neither descriptor's offset is used.
 *
 * @return 0, or -1 with errno; EINTR when stopped or cancelled
 */
int wt_copy_data(
	int src_fd, int dst_fd, uint64_t len, struct wt_copy_state *state);

#endif
