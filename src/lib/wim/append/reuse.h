/* SPDX-License-Identifier: MIT
 * wim/append/reuse.h: stores a new hive with the chunks that the old one has.
 */
#ifndef WT_WIM_APPEND_REUSE_H
#define WT_WIM_APPEND_REUSE_H

#include "wim/append/append.h"

/**
 * Begins to put the new hives' data behind the skeleton's end and to name them
 * in its blob table, so that wimlib finds them there and has nothing to
 * compress.
 *
 * A compressed resource is a row of chunks that do not depend on each other,
 * and a new hive differs from the old one in a few: all others are taken over
 * as they stand. What wimlib does with the skeleton afterwards is the same,
 * and so is what is checked of the result.
 *
 * A saving, and no more than that: where it does not apply (solid or
 * uncompressed resources, an integrity table, nothing known of the old hive)
 * the skeleton is left alone, and wimlib compresses the hive.
 *
 * @param sha1s     shared memory, where the SHA-1 of each new hive is once
 *                  ready_fd gives a byte, which is waited for as late as can
 *                  be; borrowed until the end of the job
 * @param ret_job   give it to wt_child_end(), which gives WT_ERR_FILE when the
 *                  skeleton cannot be read or written
 */
enum wt_status wt_wim_reuse_start(const struct wt_wim_append *append,
	uint8_t (*sha1s)[WT_SHA1_LEN], int ready_fd,
	struct wt_child_job **ret_job, struct wt_error *err);

#endif
