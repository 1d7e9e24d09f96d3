/* SPDX-License-Identifier: MIT
 * inspect.c: list, info, verify and check: what reads and writes nothing. */
#include "cases.h"
#include "expect.h"
#include "plan.h"
#include "target/target.h"
#include "trust/trust.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static enum wt_status inspect(const char *path,
	const struct wt_options *options, struct wt_report *report,
	wt_target_look_fn *look, const void *ctx, struct wt_error *err)
{
	struct wt_target *target = NULL;
	enum wt_status ret = wt_target_open(
		path, false, look, ctx, options, report, &target, err);

	wt_target_close(target);
	return ret;
}

static enum wt_status hive_list(struct wt_target *target,
	const struct wt_target_hive *hive, const void *ctx,
	struct wt_error *err)
{
	enum wt_store store = target->options->store;
	enum wt_status ret = WT_OK;

	(void)ctx;
	for (size_t i = 0; ret == WT_OK && i < hive->content->entry_count;
		i++) {
		const struct wt_hive_entry *from = &hive->content->entries[i];
		struct wt_entry entry = {0};

		if (store != WT_STORE_AUTO && store != from->store)
			continue;
		ret = wt_entry_describe(target, hive, from, &entry, err);
		if (ret == WT_OK)
			ret = wt_report_add_entry(
				target->report, hive->image, &entry, err);
	}
	return ret;
}

enum wt_status wt_case_list(const char *target,
	const struct wt_options *options, struct wt_report *report,
	struct wt_error *err)
{
	return inspect(target, options, report, hive_list, NULL, err);
}

/* An image without a hive, or with one that cannot be used, is what info is
 * there to show: only then is it no error. */
static bool is_shown_by_info(
	const struct wt_report *report, enum wt_status status)
{
	return report->kind == WT_TARGET_WIM && status == WT_ERR_IMAGE;
}

enum wt_status wt_case_info(const char *target,
	const struct wt_options *options, struct wt_report *report,
	struct wt_error *err)
{
	struct wt_error failure = {0};
	enum wt_status ret =
		inspect(target, options, report, hive_list, NULL, &failure);

	if (ret != WT_OK && options->image_count == 0 &&
		is_shown_by_info(report, ret)) {
		wt_report_warn(report, failure.code, "%s: %s", failure.object,
			failure.reason);
		return WT_OK;
	}
	if (ret != WT_OK && err)
		*err = failure;
	return ret;
}

/* Another store of the machine that holds the certificate, for the reason. */
static const char *store_elsewhere(
	const struct wt_hive_content *content, const char *key)
{
	for (size_t i = 0; i < content->entry_count; i++)
		if (strcasecmp(content->entries[i].key, key) == 0)
			return wt_store_name(content->entries[i].store);
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
	const char *elsewhere = store_elsewhere(content, info->sha1);
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
			.place = wt_hive_place_path(WT_PLACE_MACHINE)};
		const char *why = NULL;

		/* Which store it belongs in; whether it would be refused
		 * today is not what is asked. */
		wt_cert_policy(cert, options->store, ~0U, options->now,
			&entry.store, &why, NULL);
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

/* The first entry that is not as it should be says why. */
static enum wt_status verify_result(
	const struct wt_report *report, bool has_certs, struct wt_error *err)
{
	size_t wrong = 0, total = 0;
	const struct wt_image *image = NULL;
	const struct wt_entry *first = NULL;
	char place[32] = "";

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
	wt_fail(err, WT_NO, first->problem.code, report->target, "%s%s%s %s%s",
		place, entry_name(first),
		first->problem.status == WT_NO ? "" : ":",
		first->problem.reason, wrong > 1 ? ", and more" : "");
	if (strcmp(first->problem.code, "cert-no-store") == 0)
		wt_error_hint(err, "for a server's own certificate, verify the "
				   "CA that issued it");
	if (first->action == WT_ACTION_EXTRA)
		wt_error_hint(err,
			"if it should not be there: wimtrust remove %s %s",
			report->target, first->key);
	if (strcmp(first->problem.code, "cert-disallowed") == 0)
		wt_error_hint(err,
			"if it should be trusted: wimtrust remove -s "
			"disallowed %s %s",
			report->target, first->key);
	if (!first->cert && first->action == WT_ACTION_MISSING)
		wt_error_hint(err,
			"to add it, name its file: wimtrust "
			"add %s CERT",
			report->target);
	if (!has_certs)
		wt_error_hint(err,
			"wimtrust add TARGET CERT writes its value again, and "
			"wimtrust remove TARGET %s removes it",
			first->key);
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
		ret = inspect(
			target, options, report, hive_verify, &expect, err);
	wt_expect_free(&expect);
	return ret == WT_OK
		       ? verify_result(report,
				 certs && wt_cert_list_count(certs) > 0, err)
		       : ret;
}

/* What check asks of each image. */
struct question {
	const struct wt_cert_list *chain;
	const char *host;
	int64_t at;
};

/* What a store is to a chain; false when it is nothing to it. */
static bool trust_kind(enum wt_store store, enum wt_hive_place place,
	enum wt_trust_kind *ret_kind)
{
	switch (store) {
	case WT_STORE_AUTHROOT:
		/* Windows forms its logical Root of AuthRoot at the
		 * machine's own place only. */
		*ret_kind = WT_TRUST_ANCHOR;
		return place == WT_PLACE_MACHINE;
	case WT_STORE_ROOT:
		*ret_kind = WT_TRUST_ANCHOR;
		return true;
	case WT_STORE_CA:
		*ret_kind = WT_TRUST_INTERMEDIATE;
		return true;
	case WT_STORE_DISALLOWED:
		*ret_kind = WT_TRUST_VETO;
		return true;
	default:
		return false;
	}
}

/* The store's name for people, with the place where it is not the usual. */
static const char *source_name(enum wt_store store, enum wt_hive_place place)
{
	static const char *const names[WT_STORE_COUNT][WT_PLACE_COUNT] = {
		[WT_STORE_ROOT] = {NULL, "ROOT (policy)", "ROOT (enterprise)"},
		[WT_STORE_CA] = {NULL, "CA (policy)", "CA (enterprise)"},
		[WT_STORE_DISALLOWED] = {NULL, "Disallowed (policy)",
			"Disallowed (enterprise)"},
	};

	return names[store][place] ? names[store][place] : wt_store_name(store);
}

/* The image's stores, decoded; values that Windows could not read count as
 * absent, and are warned about. */
static enum wt_status stores_gather(struct wt_target *target,
	const struct wt_target_hive *hive, struct wt_trust_cert *stores,
	size_t *ret_count, struct wt_error *err)
{
	const struct wt_hive_content *content = hive->content;
	enum wt_status ret = WT_OK;
	size_t count = 0;

	for (size_t i = 0; ret == WT_OK && i < content->entry_count; i++) {
		const struct wt_hive_entry *from = &content->entries[i];
		struct wt_trust_cert *to = &stores[count];
		struct wt_entry entry = {0};

		if (!trust_kind(from->store, from->place, &to->kind))
			continue;
		ret = wt_entry_describe(target, hive, from, &entry, err);
		if (ret != WT_OK)
			break;
		if (!entry.cert) {
			wt_report_warn(target->report, entry.problem.code,
				"%s: %s", entry.problem.object,
				entry.problem.reason);
			continue;
		}
		to->cert = entry.handle;
		to->source = source_name(from->store, from->place);
		count++;
	}
	*ret_count = count;
	return ret;
}

/* What Windows may refuse, although the image is trusted here; once for all
 * images that say so. */
static void doubts_report(
	struct wt_report *report, const struct wt_trust_result *result)
{
	for (size_t i = 0; result->is_trusted && i < result->doubts.count; i++)
		wt_report_warn_once(report, result->doubts.items[i].code,
			result->doubts.items[i].text);
}

static void address_note(void *ctx, enum wt_address kind, const char *uri)
{
	bool *has_address = ctx;

	(void)uri;
	if (kind == WT_ADDRESS_CRL || kind == WT_ADDRESS_OCSP)
		*has_address = true;
}

static enum wt_status revocation_warn(struct wt_report *report,
	const struct wt_cert *cert, struct wt_error *err)
{
	const struct wt_cert_info *info = wt_cert_info(cert);
	bool has_address = false;
	char text[512] = "";
	enum wt_status ret =
		wt_cert_addresses(cert, address_note, &has_address, err);

	if (ret != WT_OK || has_address)
		return ret;
	snprintf(text, sizeof(text),
		"%.200s (%s) gives no address for revocation (CRL or OCSP): a "
		"program that asks Schannel to check it refuses the server",
		info->subject, info->sha1);
	wt_report_warn_once(report, "no-revocation-address", text);
	return WT_OK;
}

static enum wt_status answer_report(struct wt_report *report, size_t index,
	const struct wt_trust_result *result, struct wt_error *err)
{
	struct wt_image *image = wt_report_edit_image(report, index);
	enum wt_status ret = WT_OK;

	image->is_trusted = result->is_trusted;
	image->verdict = result->verdict;
	if (result->root_name)
		ret = wt_report_text(
			report, result->root_name, &image->root_name, err);
	if (ret == WT_OK && result->root_sha1[0])
		ret = wt_report_text(
			report, result->root_sha1, &image->root_sha1, err);
	doubts_report(report, result);
	for (size_t i = 0; ret == WT_OK && i < result->link_count; i++) {
		const struct wt_cert *cert = result->links[i].cert;
		const struct wt_chain_link link = {.cert = wt_cert_info(cert),
			.handle = cert,
			.source = result->links[i].source};

		ret = wt_report_add_link(report, index, &link, err);
		/* A root is not revoked. */
		if (ret == WT_OK && result->is_trusted &&
			i + 1 < result->link_count)
			ret = revocation_warn(report, cert, err);
	}
	return ret;
}

static enum wt_status hive_check(struct wt_target *target,
	const struct wt_target_hive *hive, const void *ctx,
	struct wt_error *err)
{
	const struct question *question = ctx;
	struct wt_trust_query query = {.chain = question->chain,
		.host = question->host,
		.at = question->at,
		.cancel = target->options->cancel};
	struct wt_trust_result *result = NULL;
	struct wt_trust_cert *stores =
		calloc(hive->content->entry_count + 1, sizeof(*stores));
	enum wt_status ret = stores ? WT_OK : wt_fail_memory(err);

	if (ret == WT_OK)
		ret = stores_gather(
			target, hive, stores, &query.store_count, err);
	query.stores = stores;
	if (ret == WT_OK)
		ret = wt_trust_check(
			&query, target->report->target, &result, err);
	if (ret == WT_OK)
		ret = answer_report(target->report, hive->image, result, err);
	wt_trust_result_free(result);
	free(stores);
	return ret;
}

static enum wt_status check_result(
	const struct wt_report *report, struct wt_error *err)
{
	for (size_t i = 0; i < report->image_count; i++) {
		const struct wt_image *image = wt_report_image(report, i);

		if (!image->is_chosen || image->is_trusted)
			continue;
		if (err)
			*err = image->verdict;
		if (image->index > 0) {
			wt_fail(err, WT_NO, image->verdict.code,
				image->verdict.object, "image %d: %s",
				image->index, image->verdict.reason);
			wt_error_hint(err, "%s", image->verdict.hint);
		}
		return WT_NO;
	}
	return WT_OK;
}

enum wt_status wt_case_check(const char *target,
	const struct wt_cert_list *chain, const char *host, int64_t at,
	const struct wt_options *options, struct wt_report *report,
	struct wt_error *err)
{
	const struct question question = {
		.chain = chain, .host = host, .at = at};
	enum wt_status ret =
		inspect(target, options, report, hive_check, &question, err);

	return ret == WT_OK ? check_result(report, err) : ret;
}
