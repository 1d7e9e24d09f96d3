/* SPDX-License-Identifier: MIT
 * cases.h: the use cases. They are called with arguments that api.c checked,
 * and with options that have every member. */
#ifndef WT_CASES_H
#define WT_CASES_H

#include <wimtrust/wimtrust.h>

enum wt_status wt_case_add(const char *target, const struct wt_cert_list *certs,
	const struct wt_options *options, struct wt_report *report,
	struct wt_error *err);

enum wt_status wt_case_remove(const char *target,
	const char *const *thumbprints, size_t thumbprint_count,
	const struct wt_cert_list *certs, const struct wt_options *options,
	struct wt_report *report, struct wt_error *err);

enum wt_status wt_case_list(const char *target,
	const struct wt_options *options, struct wt_report *report,
	struct wt_error *err);

enum wt_status wt_case_info(const char *target,
	const struct wt_options *options, struct wt_report *report,
	struct wt_error *err);

enum wt_status wt_case_verify(const char *target,
	const char *const *thumbprints, size_t thumbprint_count,
	const struct wt_cert_list *certs, const struct wt_options *options,
	struct wt_report *report, struct wt_error *err);

enum wt_status wt_case_check(const char *target,
	const struct wt_cert_list *chain, const char *host, int64_t at,
	const struct wt_options *options, struct wt_report *report,
	struct wt_error *err);

enum wt_status wt_case_diff(const char *old_target, const char *new_target,
	const struct wt_options *options, struct wt_report *report,
	struct wt_error *err);

#endif
