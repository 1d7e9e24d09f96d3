/* SPDX-License-Identifier: MIT
 * expect.h: what verify asks beside whether a certificate is in its store. */
#ifndef WT_EXPECT_H
#define WT_EXPECT_H

#include "select.h"
#include "target/target.h"

/** What one call of verify expects of each image. */
struct wt_expect {
	const struct wt_cert_list *certs; /**< NULL for none */
	const char *const *thumbprints;
	size_t thumbprint_count;
	struct wt_selectors selectors; /**< of both */
	struct wt_report *base;	       /**< NULL for none */
};

/**
 * Reads the base that options name, and sorts what is expected.
 *
 * @return WT_ERR_USAGE (no-certificate, bad-thumbprint, usage), and what
 *         reading the base gives
 */
enum wt_status wt_expect_make(const struct wt_options *options,
	struct wt_report *report, struct wt_expect *expect,
	struct wt_error *err);
void wt_expect_free(struct wt_expect *expect);

/** An entry for each thumbprint: where it is, or that it is missing. */
enum wt_status wt_expect_thumbprints(const struct wt_expect *expect,
	const struct wt_target *target, const struct wt_target_hive *hive,
	struct wt_error *err);

/** An entry, WT_ACTION_EXTRA, for each certificate in any store that is
 *  neither expected nor in the base. */
enum wt_status wt_expect_no_others(const struct wt_expect *expect,
	const struct wt_target *target, const struct wt_target_hive *hive,
	struct wt_error *err);

#endif
