/* SPDX-License-Identifier: MIT
 * check.c: check: would an image trust a server? */
#include "cases.h"
#include "entry.h"
#include "trust/trust.h"

#include <stdio.h>
#include <stdlib.h>

/* What check asks of each image. */
struct question {
	const struct wt_cert_list *chain;
	const char *host;
	int64_t at;
	uint64_t *work; /* left for all images together */
};

/* What the certificates of a store are in a chain; false if Windows does not
 * use them. */
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

/* One warning for all images. */
static void doubts_report(
	struct wt_report *report, const struct wt_trust_doubts *doubts)
{
	for (size_t i = 0; i < doubts->count; i++)
		wt_report_warn_once(
			report, doubts->items[i].code, doubts->items[i].text);
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
	doubts_report(report, &result->left_out);
	/* What Windows may refuse, although the image is trusted here. */
	if (result->is_trusted)
		doubts_report(report, &result->doubts);
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
		.cancel = target->options->cancel,
		.work = question->work};
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
	uint64_t work = WT_TRUST_CALL_WORK_MAX;
	const struct question question = {
		.chain = chain, .host = host, .at = at, .work = &work};
	enum wt_status ret = wt_target_look(
		target, options, report, hive_check, &question, err);

	return ret == WT_OK ? check_result(report, err) : ret;
}
