/* SPDX-License-Identifier: MIT
 * target/report.h: fills the report that a call gives back. */
#ifndef WT_TARGET_REPORT_H
#define WT_TARGET_REPORT_H

#include <wimtrust/wimtrust.h>

/* A report owns all that it points to, but for the certificates that its
 * caller gave. What these functions give back belongs to the report. */

/** A copy of text that lives as long as the report. */
enum wt_status wt_report_text(struct wt_report *report, const char *text,
	const char **ret_text, struct wt_error *err);

/** Takes data over, also on failure: free_data(data) frees it together with
 *  the report. NULL is fine. */
enum wt_status wt_report_keep(struct wt_report *report, void *data,
	void (*free_data)(void *data), struct wt_error *err);

/** Forgets all but the memory: the report is as new. */
void wt_report_clear(struct wt_report *report);

/** Makes room for the images, zeroed; once for a report. */
enum wt_status wt_report_add_images(
	struct wt_report *report, size_t count, struct wt_error *err);

/** The image, to be filled. index is below report->image_count. */
struct wt_image *wt_report_edit_image(struct wt_report *report, size_t index);

/** Adds a copy of entry, its key's name included. */
enum wt_status wt_report_add_entry(struct wt_report *report, size_t image,
	const struct wt_entry *entry, struct wt_error *err);

/** Adds one link to the chain of an image; source is copied. */
enum wt_status wt_report_add_link(struct wt_report *report, size_t image,
	const struct wt_chain_link *link, struct wt_error *err);

/** The same, unless the report has that very text. */
void wt_report_warn_once(
	struct wt_report *report, const char *code, const char *text);

/** Adds a warning. Running out of memory loses it, which nothing needs. */
void wt_report_warn(struct wt_report *report, const char *code, const char *fmt,
	...) WT_PRINTF(3, 4);

#endif
