/* SPDX-License-Identifier: MIT
 * plan.h: which changes a hive needs, decided before any is made. */
#ifndef WT_PLAN_H
#define WT_PLAN_H

#include "cert/cert.h"
#include "select.h"
#include "target/target.h"

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

/** The entry of any store of roots, of any place; NULL when there is none. */
const struct wt_hive_entry *wt_content_find_root(
	const struct wt_hive_content *content, const char *key);

/** The entry of a store, or NULL. Case does not matter. */
const struct wt_hive_entry *wt_content_find(
	const struct wt_hive_content *content, enum wt_hive_place place,
	enum wt_store store, const char *key);

/**
 * Is the certificate in a store Disallowed of the hive, which vetoes it
 * wherever else it is? A value there that Windows cannot read is a warning, and
 * no veto.
 */
enum wt_status wt_plan_is_vetoed(const struct wt_target *target,
	const struct wt_target_hive *hive, const struct wt_cert_info *info,
	bool *ret_is_vetoed, struct wt_error *err);

/**
 * An entry whose value is sound: does it let the certificate do what it is in
 * its store for? Where it tells Windows to distrust it, or to trust no TLS
 * server below it, the entry gets a problem and is unsound.
 */
void wt_entry_judge(const struct wt_target *target, struct wt_entry *entry);

/** The same where Disallowed vetoes the certificate. */
enum wt_status wt_entry_judge_veto(const struct wt_target *target,
	const struct wt_target_hive *hive, struct wt_entry *entry,
	const struct wt_cert_info *info, struct wt_error *err);

/**
 * Decodes the entry of a hive into an entry of the report: the certificate,
 * kept by the report, or the problem. Fails only for want of memory, or when
 * it is cancelled.
 */
enum wt_status wt_entry_describe(const struct wt_target *target,
	const struct wt_target_hive *hive, const struct wt_hive_entry *from,
	struct wt_entry *ret_entry, struct wt_error *err);

#endif
