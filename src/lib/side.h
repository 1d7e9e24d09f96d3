/* SPDX-License-Identifier: MIT
 * side.h: a target or a file of certificates, listed to be compared with. */
#ifndef WT_SIDE_H
#define WT_SIDE_H

#include <wimtrust/wimtrust.h>

/**
 * Lists what path holds: a target's stores, or the certificates of a file,
 * a folder or standard input ("-"), each with the store that add would choose.
 *
 * options->images chooses images of a WIM and says nothing about other kinds.
 *
 * @param ret_report  free with wt_report_free(); its kind is
 *                    WT_TARGET_CERTS when path is no target
 */
enum wt_status wt_side_read(const char *path, const struct wt_options *options,
	struct wt_report **ret_report, struct wt_error *err);

/** Repeats the warnings of a side in the report that it is compared for. */
void wt_side_warn(const struct wt_report *side, struct wt_report *report);

/**
 * What is compared with an image on this side: that of the same number in a
 * WIM, the hive or the certificates otherwise. NULL when the side has no such
 * image.
 */
const struct wt_image *wt_side_image(
	const struct wt_report *side, int image_index);

/**
 * Orders entries by what they are: place, store and certificate. Certificates
 * alone have no store, so with is_by_trust the stores that give trust count
 * as one and Disallowed as the other.
 */
int wt_side_compare(const struct wt_entry *entry, const struct wt_entry *other,
	bool is_by_trust);

/** Do two entries of the same certificate limit the trust in it differently, or
 *  can only one of them be read? */
bool wt_side_values_differ(
	const struct wt_entry *old_entry, const struct wt_entry *new_entry);

#endif
