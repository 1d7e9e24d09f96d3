/* SPDX-License-Identifier: MIT
 * plan.h: which changes a hive needs, decided before any is made. */
#ifndef WT_PLAN_H
#define WT_PLAN_H

#include "entry.h"
#include "select.h"

/** One certificate on its way into a store. */
struct wt_plan_item {
	const struct wt_cert *cert; /**< borrowed */
	enum wt_store store;
	uint8_t *blob; /**< NULL when it is refused; refusal says why */
	size_t blob_len;
	struct wt_error refusal;
};

/** The certificates of one call, judged and encoded once for all images. */
struct wt_plan {
	struct wt_plan_item *items;
	size_t item_count;
	size_t refused_count;
};

/**
 * Judges and encodes every certificate of the list.
 *
 * @param report  gets the warnings
 * @return WT_ERR_CERT when one is refused and options->keep_going is not
 *         set, or all are
 */
enum wt_status wt_plan_make(const struct wt_cert_list *certs,
	const struct wt_options *options, struct wt_report *report,
	struct wt_plan *ret_plan, struct wt_error *err);
void wt_plan_free(struct wt_plan *plan);

/** Changes to one hive; blobs and keys are borrowed from plan and content. */
struct wt_changes {
	struct wt_hive_change *changes;
	size_t count;
};

/** What add has to change in a hive; an entry a certificate to the report. */
enum wt_status wt_plan_add(const struct wt_plan *plan,
	const struct wt_target *target, const struct wt_target_hive *hive,
	struct wt_changes *ret_changes, struct wt_error *err);

/** What remove has to change in a hive; marks the selectors found. */
enum wt_status wt_plan_remove(const struct wt_selectors *selectors,
	const struct wt_target *target, const struct wt_target_hive *hive,
	struct wt_changes *ret_changes, struct wt_error *err);

#endif
