/* SPDX-License-Identifier: MIT
 * wim/append/reuse.h: stores a new hive with the chunks that the old one has.
 */
#ifndef WT_WIM_APPEND_REUSE_H
#define WT_WIM_APPEND_REUSE_H

#include "wim/append/append.h"

/**
 * Puts the new hives' data behind the skeleton's end and names them in its
 * blob table, so that wimlib finds them there and has nothing to compress.
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
 * @return WT_ERR_FILE when the skeleton cannot be read or written
 */
enum wt_status wt_wim_reuse(
	const struct wt_wim_append *append, struct wt_error *err);

#endif
