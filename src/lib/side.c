/* SPDX-License-Identifier: MIT
 * side.c: a target or a file of certificates, listed to be compared with. */
#include "side.h"

#include "cases.h"
#include "cert/cert.h"
#include "target/target.h"

#include <string.h>
#include <strings.h>

/* Anything else is read as certificates: that reader knows more kinds of files.
 */
static bool is_no_target(const struct wt_error *err)
{
	static const char *const codes[] = {
		"wim-not-a-wim", "no-hive", "not-a-file", "not-found"};

	for (size_t i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
		if (strcmp(err->code, codes[i]) == 0)
			return true;
	return false;
}

static enum wt_status target_list(const char *path,
	const struct wt_options *options, struct wt_report **ret_report,
	struct wt_error *err)
{
	struct wt_report *report = NULL;
	enum wt_status ret = wt_report_new(&report, err);

	if (ret == WT_OK)
		ret = wt_case_list(path, options, report, err);
	/* A hive has no images to choose from. */
	if (ret == WT_ERR_IMAGE && report->kind != WT_TARGET_WIM &&
		options->image_count > 0) {
		struct wt_options whole = *options;

		whole.image_count = 0;
		wt_report_clear(report);
		ret = wt_case_list(path, &whole, report, err);
	}
	if (ret != WT_OK)
		wt_report_free(report);
	else
		*ret_report = report;
	return ret;
}

static void list_free(void *list)
{
	wt_cert_list_free(list);
}

static enum wt_status certs_list(
	struct wt_report *report, const char *path, struct wt_error *err)
{
	struct wt_cert_list *certs = NULL;
	enum wt_status ret = wt_cert_list_new(&certs, err);

	if (ret == WT_OK)
		ret = wt_report_keep(report, certs, list_free, err);
	if (ret == WT_OK)
		ret = wt_cert_list_read(certs, path, err);
	if (ret == WT_OK)
		ret = wt_report_text(report,
			strcmp(path, "-") == 0 ? "standard input" : path,
			&report->target, err);
	if (ret == WT_OK)
		ret = wt_report_add_images(report, 1, err);
	if (ret != WT_OK)
		return ret;
	report->kind = WT_TARGET_CERTS;
	wt_report_edit_image(report, 0)->is_chosen = true;
	for (size_t i = 0; ret == WT_OK && i < wt_cert_list_count(certs); i++) {
		const struct wt_cert *cert = wt_cert_list_get(certs, i);
		struct wt_entry entry = {.handle = cert,
			.cert = wt_cert_info(cert),
			.store = wt_cert_store(cert, WT_STORE_AUTO, ~0U),
			.key = wt_cert_info(cert)->sha1,
			.place = wt_hive_place_path(WT_PLACE_MACHINE)};

		ret = wt_report_add_entry(report, 0, &entry, err);
	}
	for (size_t i = 0; i < wt_cert_list_note_count(certs); i++)
		wt_report_warn(report, "input-note", "%s",
			wt_cert_list_note(certs, i));
	return ret;
}

enum wt_status wt_side_read(const char *path, const struct wt_options *options,
	struct wt_report **ret_report, struct wt_error *err)
{
	struct wt_error failure = {.code = "not-a-file"};
	struct wt_report *report = NULL;
	enum wt_status ret = WT_ERR_FILE;

	if (strcmp(path, "-") != 0)
		ret = target_list(path, options, ret_report, &failure);
	if (ret == WT_OK)
		return WT_OK;
	if (!is_no_target(&failure))
		return wt_fail_as(err, &failure);
	ret = wt_report_new(&report, err);
	if (ret == WT_OK)
		ret = certs_list(report, path, err);
	if (ret != WT_OK)
		wt_report_free(report);
	else
		*ret_report = report;
	return ret;
}

void wt_side_warn(const struct wt_report *side, struct wt_report *report)
{
	for (size_t i = 0; i < side->warning_count; i++)
		wt_report_warn(report, wt_report_warning(side, i)->code, "%s",
			wt_report_warning(side, i)->text);
}

const struct wt_image *wt_side_image(
	const struct wt_report *side, int image_index)
{
	if (side->kind != WT_TARGET_WIM)
		return side->image_count > 0 ? wt_report_image(side, 0) : NULL;
	for (size_t i = 0; i < side->image_count; i++)
		if (wt_report_image(side, i)->is_chosen &&
			wt_report_image(side, i)->index == image_index)
			return wt_report_image(side, i);
	return NULL;
}

int wt_side_compare(const struct wt_entry *entry, const struct wt_entry *other,
	bool is_by_trust)
{
	int left = (int)entry->store, right = (int)other->store, order = 0;

	if (is_by_trust) {
		left = entry->store == WT_STORE_DISALLOWED;
		right = other->store == WT_STORE_DISALLOWED;
	} else {
		order = strcmp(entry->place, other->place);
	}
	if (order == 0)
		order = left < right ? -1 : left > right;
	return order != 0 ? order : strcasecmp(entry->key, other->key);
}

static bool oids_differ(
	const struct wt_oid_list *one, const struct wt_oid_list *other)
{
	if (one->count != other->count)
		return true;
	for (size_t i = 0; i < one->count; i++)
		if (strcmp(one->oids[i], other->oids[i]) != 0)
			return true;
	return false;
}

/* Do the values limit the trust in the certificate differently? */
static bool limits_differ(
	const struct wt_cert_limits *one, const struct wt_cert_limits *other)
{
	return one->has_usage != other->has_usage ||
	       one->is_disallowed != other->is_disallowed ||
	       one->disallowed_from != other->disallowed_from ||
	       one->has_disallowed_usage != other->has_disallowed_usage ||
	       one->has_not_before != other->has_not_before ||
	       one->not_before != other->not_before ||
	       one->has_not_before_usage != other->has_not_before_usage ||
	       oids_differ(&one->usage, &other->usage) ||
	       oids_differ(&one->disallowed_usage, &other->disallowed_usage) ||
	       oids_differ(&one->not_before_usage, &other->not_before_usage);
}

bool wt_side_values_differ(
	const struct wt_entry *old_entry, const struct wt_entry *new_entry)
{
	if (!old_entry->handle || !new_entry->handle)
		return old_entry->handle || new_entry->handle ||
		       strcmp(old_entry->problem.code,
			       new_entry->problem.code) != 0;
	return limits_differ(wt_cert_limits(old_entry->handle),
		wt_cert_limits(new_entry->handle));
}
