/* SPDX-License-Identifier: MIT
 * verify.c: verify: is everything there, sound, and nothing else? */
#include "cases.h"
#include "expect.h"
#include "plan.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

/* Another store that holds the certificate, for the reason. */
static const char *store_elsewhere(
	const struct wt_hive_content *content, const char *key, char buf[64])
{
	for (size_t i = 0; i < content->entry_count; i++)
		if (strcasecmp(content->entries[i].key, key) == 0)
			return wt_content_where(&content->entries[i], buf);
	return NULL;
}

/* A sound value is there: is it the one that was meant, and does Windows trust
 * it for what it is in its store for? */
static enum wt_status value_verify(const struct wt_target *target,
	const struct wt_cert_info *info, const struct wt_hive_entry *found,
	struct wt_entry *entry, struct wt_error *err)
{
	const char *usages = target->options->usages;
	const char *limits = entry->cert->limits_text;
	bool is_same = true;
	enum wt_status ret = WT_OK;

	if (usages)
		ret = wt_usages_compare(entry->handle, usages, &is_same, err);
	else if (info->blob)
		is_same = found->blob_len == info->blob_len &&
			  memcmp(found->blob, info->blob, info->blob_len) == 0;
	else
		wt_entry_judge(target, entry);
	if (ret != WT_OK || is_same)
		return ret;
	wt_fail(&entry->problem, WT_NO, "other-properties", info->subject,
		"is there with other properties than were given%s%s%s",
		limits ? " (" : "", limits ? limits : "", limits ? ")" : "");
	entry->action = WT_ACTION_UNSOUND;
	return WT_OK;
}

static void missing_say(const struct wt_hive_content *content,
	const struct wt_cert_info *info, struct wt_entry *entry)
{
	char buf[64] = "";
	const char *elsewhere = store_elsewhere(content, info->sha1, buf);
	const char *open = elsewhere ? " (it is in " : "";
	const char *close = elsewhere ? ")" : "";

	entry->action = WT_ACTION_MISSING;
	if (!elsewhere)
		elsewhere = "";
	if (entry->store == WT_STORE_AUTO)
		wt_fail(&entry->problem, WT_NO, "cert-no-store", info->subject,
			"is neither a CA nor self-signed: name the store "
			"with --store%s%s%s",
			open, elsewhere, close);
	else
		wt_fail(&entry->problem, WT_NO, "missing", info->subject,
			"is not in the store %s%s%s%s",
			wt_store_name(entry->store), open, elsewhere, close);
}

/* Fills entry for a certificate that ought to be in the store. */
static enum wt_status cert_verify(struct wt_target *target,
	const struct wt_target_hive *hive, const struct wt_cert *cert,
	struct wt_entry *entry, struct wt_error *err)
{
	const struct wt_cert_info *info = wt_cert_info(cert);
	const struct wt_hive_entry *found = wt_content_find(
		hive->content, WT_PLACE_MACHINE, entry->store, info->sha1);
	enum wt_status ret = WT_OK;

	/* Where no store was asked for, any that trusts it does. */
	if (!found && target->options->store == WT_STORE_AUTO &&
		entry->store == WT_STORE_AUTHROOT)
		found = wt_content_find_root(hive->content, info->sha1);
	if (found)
		ret = wt_entry_describe(target, hive, found, entry, err);
	else
		missing_say(hive->content, info, entry);
	if (ret == WT_OK && entry->action == WT_ACTION_PRESENT)
		ret = value_verify(target, info, found, entry, err);
	if (ret == WT_OK)
		ret = wt_entry_judge_copies(target, hive, entry, info, err);
	if (ret == WT_OK)
		ret = wt_entry_judge_veto(target, hive, entry, info, err);
	entry->cert = info;
	entry->handle = cert;
	entry->key = info->sha1;
	return ret;
}

static enum wt_status hive_verify(struct wt_target *target,
	const struct wt_target_hive *hive, const void *ctx,
	struct wt_error *err)
{
	const struct wt_expect *expect = ctx;
	const struct wt_cert_list *certs = expect->certs;
	const struct wt_options *options = target->options;
	size_t count = certs ? wt_cert_list_count(certs) : 0;
	enum wt_status ret = WT_OK;

	for (size_t i = 0; ret == WT_OK && i < count; i++) {
		const struct wt_cert *cert = wt_cert_list_get(certs, i);
		struct wt_entry entry = {
			.store = wt_cert_store(cert, options->store, ~0U),
			.place = wt_hive_place_path(WT_PLACE_MACHINE)};

		ret = wt_cancelled(options->cancel, err);
		if (ret == WT_OK)
			ret = cert_verify(target, hive, cert, &entry, err);
		if (ret == WT_OK)
			ret = wt_report_add_entry(
				target->report, hive->image, &entry, err);
	}
	if (ret == WT_OK)
		ret = wt_expect_thumbprints(expect, target, hive, err);
	if (ret == WT_OK && options->is_exact)
		ret = wt_expect_no_others(expect, target, hive, err);
	return ret;
}

/* Who an entry is about, for a message. */
static const char *entry_name(const struct wt_entry *entry)
{
	return entry->cert ? entry->cert->subject : entry->key;
}

/* Must the certificate of first stay in another store or image? */
static bool is_kept_elsewhere(const struct wt_report *report,
	const struct wt_entry *first, const struct wt_options *options)
{
	if (options->base)
		return true;
	for (size_t i = 0; i < report->image_count; i++) {
		const struct wt_image *image = wt_report_image(report, i);

		for (size_t j = 0; j < image->entry_count; j++) {
			const struct wt_entry *entry = wt_image_entry(image, j);

			if (entry->action != WT_ACTION_EXTRA &&
				strcasecmp(entry->key, first->key) == 0)
				return true;
		}
	}
	return false;
}

/* The command that removes first, and nothing that must stay. */
static void hint_remove(const struct wt_report *report,
	const struct wt_image *image, const struct wt_entry *first,
	const struct wt_options *options, const char *what,
	struct wt_error *err)
{
	char from[80] = "", number[16] = "";
	bool is_named = !wt_is_thumbprint(first->key);

	if (image->index > 0)
		snprintf(number, sizeof(number), " -i %d", image->index);
	if (is_kept_elsewhere(report, first, options))
		snprintf(from, sizeof(from), "%s -s %s", number,
			wt_store_name(first->store));
	wt_error_hint(err, "%swimtrust remove%s TARGET %s%s%s", what, from,
		is_named ? "'key:" : "", first->key, is_named ? "'" : "");
}

/* The remedy of the first entry that is not as it should be. */
static void verify_hint(const struct wt_report *report,
	const struct wt_image *image, const struct wt_entry *first,
	const struct wt_options *options, bool has_certs, struct wt_error *err)
{
	if (strcmp(first->problem.code, "cert-no-store") == 0)
		wt_error_hint(err, "for a server's own certificate, verify the "
				   "root above it");
	else if (strcmp(first->problem.code, "cert-limited-copy") == 0)
		wt_error_hint(err, "%s", first->problem.hint);
	else if (first->action == WT_ACTION_EXTRA)
		hint_remove(report, image, first, options,
			"if it should not be there: ", err);
	else if (strcmp(first->problem.code, "cert-disallowed") == 0)
		wt_error_hint(err,
			"if it should be trusted: wimtrust remove -s "
			"disallowed TARGET %s",
			first->key);
	else if (!first->cert && first->action == WT_ACTION_MISSING)
		wt_error_hint(err,
			"to add it, name its file: wimtrust add TARGET CERT");
	else if (!has_certs)
		hint_remove(report, image, first, options,
			"wimtrust add TARGET CERT writes its value again; to "
			"remove it: ",
			err);
}

/* The first entry that is not as it should be says why. */
static enum wt_status verify_result(const struct wt_report *report,
	const struct wt_options *options, bool has_certs, struct wt_error *err)
{
	size_t wrong = 0, total = 0;
	const struct wt_image *image = NULL;
	const struct wt_entry *first = NULL;
	char place[32] = "", more[64] = "";

	for (size_t i = 0; i < report->image_count; i++)
		for (size_t j = 0; j < wt_report_image(report, i)->entry_count;
			j++) {
			const struct wt_entry *entry =
				wt_image_entry(wt_report_image(report, i), j);

			total++;
			if (entry->action == WT_ACTION_PRESENT)
				continue;
			wrong++;
			if (first)
				continue;
			first = entry;
			image = wt_report_image(report, i);
		}
	if (!first)
		return WT_OK;
	if (image->index > 0)
		snprintf(place, sizeof(place), "image %d: ", image->index);
	/* What is wrong with a value is a sentence of its own. */
	if (wrong > 1)
		snprintf(more, sizeof(more), " (the first of %zu problems)",
			wrong);
	wt_fail(err, WT_NO, first->problem.code, report->target, "%s%s%s %s%s",
		place, entry_name(first),
		first->problem.status == WT_NO ? "" : ":",
		first->problem.reason, more);
	verify_hint(report, image, first, options, has_certs, err);
	wt_error_hint(err, "%zu of %zu are wrong; wimtrust add corrects them",
		wrong, total);
	return WT_NO;
}

enum wt_status wt_case_verify(const char *target,
	const char *const *thumbprints, size_t thumbprint_count,
	const struct wt_cert_list *certs, const struct wt_options *options,
	struct wt_report *report, struct wt_error *err)
{
	struct wt_expect expect = {.certs = certs,
		.thumbprints = thumbprints,
		.thumbprint_count = thumbprint_count};
	enum wt_status ret = wt_expect_make(options, report, &expect, err);

	if (ret == WT_OK)
		ret = wt_target_look(
			target, options, report, hive_verify, &expect, err);
	wt_expect_free(&expect);
	return ret == WT_OK
		       ? verify_result(report, options,
				 certs && wt_cert_list_count(certs) > 0, err)
		       : ret;
}
