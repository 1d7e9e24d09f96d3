/* SPDX-License-Identifier: MIT
 * expect.c: what verify asks beside whether a certificate is in its store. */
#include "expect.h"

#include "plan.h"
#include "side.h"

#include <string.h>

enum wt_status wt_expect_make(const struct wt_options *options,
	struct wt_report *report, struct wt_expect *expect,
	struct wt_error *err)
{
	enum wt_status ret = WT_OK;

	if (options->base && !options->is_exact) {
		wt_fail(err, WT_ERR_USAGE, "usage", "verify",
			"--base needs --exact");
		wt_error_hint(err, "add --exact, or leave --base out");
		return WT_ERR_USAGE;
	}
	ret = wt_selectors_make(expect->thumbprints, expect->thumbprint_count,
		expect->certs, &expect->selectors, err);
	if (ret != WT_OK || !options->base)
		return ret;
	ret = wt_side_read(options->base, options, &expect->base, err);
	if (ret == WT_OK)
		wt_side_warn(expect->base, report);
	return ret;
}

void wt_expect_free(struct wt_expect *expect)
{
	wt_selectors_free(&expect->selectors);
	wt_report_free(expect->base);
	expect->base = NULL;
}

/* Does the thumbprint mean the entry? Its certificate counts; a key without
 * one is known by its name. */
static bool is_meant(const char *thumbprint, const struct wt_entry *entry)
{
	struct wt_cert_info named = {.sha256 = ""};

	if (entry->cert)
		return wt_is_thumbprint_of(thumbprint, entry->cert);
	if (strlen(entry->key) != WT_SHA1_HEX_LEN)
		return false;
	for (size_t i = 0; entry->key[i]; i++) {
		char c = entry->key[i];

		named.sha1[i] = c >= 'a' && c <= 'f' ? (char)(c - 32) : c;
	}
	return wt_is_thumbprint_of(thumbprint, &named);
}

static bool is_asked_for(
	const struct wt_options *options, const struct wt_hive_entry *from)
{
	if (options->store != WT_STORE_AUTO)
		return from->store == options->store;
	return from->store != WT_STORE_DISALLOWED;
}

static enum wt_status thumbprint_expect(const char *thumbprint,
	const struct wt_target *target, const struct wt_target_hive *hive,
	struct wt_error *err)
{
	const struct wt_hive_content *content = hive->content;
	struct wt_entry missing = {.action = WT_ACTION_MISSING,
		.store = target->options->store,
		.place = wt_hive_place_path(WT_PLACE_MACHINE),
		.key = thumbprint};
	const char *elsewhere = NULL;
	char where[64] = "";
	enum wt_status ret = WT_OK;
	size_t count = 0;

	for (size_t i = 0; ret == WT_OK && i < content->entry_count; i++) {
		const struct wt_hive_entry *from = &content->entries[i];
		struct wt_entry entry = {0};

		ret = wt_entry_describe(target, hive, from, &entry, err);
		if (ret != WT_OK || !is_meant(thumbprint, &entry))
			continue;
		if (!is_asked_for(target->options, from)) {
			elsewhere = wt_content_where(from, where);
			continue;
		}
		count++;
		if (entry.cert) {
			wt_entry_judge(target, &entry);
			/* Else each copy speaks for itself. */
			if (target->options->store != WT_STORE_AUTO)
				ret = wt_entry_judge_copies(
					target, hive, &entry, entry.cert, err);
			if (ret == WT_OK)
				ret = wt_entry_judge_veto(
					target, hive, &entry, entry.cert, err);
		}
		if (ret == WT_OK)
			ret = wt_report_add_entry(
				target->report, hive->image, &entry, err);
	}
	if (ret != WT_OK || count > 0)
		return ret;
	wt_fail(&missing.problem, WT_NO, "missing", thumbprint,
		"is not in %s%s%s%s%s",
		missing.store == WT_STORE_AUTO ? "any store" : "the store ",
		missing.store == WT_STORE_AUTO ? ""
					       : wt_store_name(missing.store),
		elsewhere ? " (it is in " : "", elsewhere ? elsewhere : "",
		elsewhere ? ")" : "");
	return wt_report_add_entry(target->report, hive->image, &missing, err);
}

enum wt_status wt_expect_thumbprints(const struct wt_expect *expect,
	const struct wt_target *target, const struct wt_target_hive *hive,
	struct wt_error *err)
{
	enum wt_status ret = WT_OK;

	for (size_t i = 0; ret == WT_OK && i < expect->thumbprint_count; i++)
		ret = thumbprint_expect(
			expect->thumbprints[i], target, hive, err);
	return ret;
}

/* Was the entry said already, as present, unsound or in the wrong store? */
static bool is_said(const struct wt_image *image, size_t count,
	const struct wt_entry *entry)
{
	for (size_t i = 0; i < count; i++)
		if (!wt_side_compare(wt_image_entry(image, i), entry, false))
			return true;
	return false;
}

/* Does the base allow the entry? What the base limits may not be trusted for
 * more: then ret_why says why not. */
static bool is_of_base(const struct wt_expect *expect,
	const struct wt_image *image, const struct wt_entry *entry,
	const char **ret_why)
{
	bool is_by_trust = false;
	const struct wt_image *base = NULL;

	if (!expect->base)
		return false;
	is_by_trust = expect->base->kind == WT_TARGET_CERTS;
	base = wt_side_image(expect->base, image->index);
	for (size_t i = 0; base && i < base->entry_count; i++) {
		const struct wt_entry *own = wt_image_entry(base, i);

		if (wt_side_compare(own, entry, is_by_trust))
			continue;
		if ((own->cert && !own->cert->limits_text) ||
			!wt_side_values_differ(own, entry))
			return true;
		*ret_why = " with other limits than in the base";
	}
	return false;
}

enum wt_status wt_expect_no_others(const struct wt_expect *expect,
	const struct wt_target *target, const struct wt_target_hive *hive,
	struct wt_error *err)
{
	const struct wt_hive_content *content = hive->content;
	const struct wt_image *image =
		wt_report_image(target->report, hive->image);
	size_t count = image->entry_count;
	enum wt_status ret = WT_OK;

	for (size_t i = 0; ret == WT_OK && i < content->entry_count; i++) {
		const char *why = ", where it is not expected";
		struct wt_entry entry = {0};

		ret = wt_entry_describe(
			target, hive, &content->entries[i], &entry, err);
		if (ret != WT_OK || is_said(image, count, &entry) ||
			is_of_base(expect, image, &entry, &why))
			continue;
		entry.action = WT_ACTION_EXTRA;
		wt_fail(&entry.problem, WT_NO, "not-expected", entry.key,
			"is in the store %s%s", wt_store_name(entry.store),
			why);
		ret = wt_report_add_entry(
			target->report, hive->image, &entry, err);
	}
	return ret;
}
