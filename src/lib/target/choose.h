/* SPDX-License-Identifier: MIT
 * target/choose.h: which images of a report are meant. */
#ifndef WT_TARGET_CHOOSE_H
#define WT_TARGET_CHOOSE_H

#include <wimtrust/wimtrust.h>

/**
 * Sets is_chosen of the images that the selectors name: numbers, names in
 * any case, "all", "boot". Without selectors: every image that has the hive.
 *
 * @return WT_ERR_IMAGE: no-such-image (with the list of images), no-hive;
 *         an image's own problem when that image is chosen
 */
enum wt_status wt_images_choose(struct wt_report *report,
	const char *const *selectors, size_t selector_count,
	struct wt_error *err);

/**
 * May the selectors mean this image? Tells as much as one image alone shows:
 * true for each that wt_images_choose() chooses, and for few others.
 */
bool wt_image_may_be_meant(const char *const *selectors, size_t selector_count,
	int index, const char *name, bool is_boot);

#endif
