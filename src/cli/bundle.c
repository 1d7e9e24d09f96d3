/* SPDX-License-Identifier: MIT
 * bundle.c: certificates as .reg, raw value or PEM. */
#include "bundle.h"

#include <stdlib.h>
#include <string.h>

#define MACHINE_PLACE "Microsoft\\SystemCertificates"

static void append(struct cli_outcome *outcome, const void *data, size_t len)
{
	outcome->export_data =
		cli_grow(outcome->export_data, outcome->export_len + len, 1);
	memcpy(outcome->export_data + outcome->export_len, data, len);
	outcome->export_len += len;
}

static enum wt_status append_pem(const struct cli_request *request,
	struct cli_outcome *outcome, const struct wt_cert *cert,
	struct wt_error *err)
{
	char *pem = NULL;
	enum wt_status ret = wt_cancelled(request->options.cancel, err);

	if (ret == WT_OK)
		ret = wt_cert_to_pem(cert, &pem, err);
	if (ret != WT_OK)
		return ret;
	append(outcome, pem, strlen(pem));
	wt_free(pem);
	return WT_OK;
}

enum wt_status cli_bundle_certs_pem(const struct cli_request *request,
	struct cli_outcome *outcome, struct wt_error *err)
{
	enum wt_status ret = WT_OK;

	for (size_t i = 0;
		ret == WT_OK && i < wt_cert_list_count(outcome->certs); i++)
		ret = append_pem(request, outcome,
			wt_cert_list_get(outcome->certs, i), err);
	return ret;
}

/* The report's entries that are chosen and readable, gathered. */
struct gathered {
	const struct wt_entry **entries;
	size_t count;
	size_t disallowed, unsound, elsewhere; /* left out */
	size_t limited;			       /* which PEM cannot express */
};

/* Do the operands behind TARGET name this entry? None: all are meant. */
static bool is_selected(
	const struct cli_request *request, const struct wt_entry *entry)
{
	for (size_t i = 1; i < request->operand_count; i++) {
		if (entry->cert &&
			wt_is_thumbprint_of(request->operands[i], entry->cert))
			return true;
	}
	return request->operand_count <= 1;
}

static void gather(const struct cli_request *request,
	struct cli_outcome *outcome, bool is_pem, struct gathered *gathered)
{
	const struct wt_report *report = outcome->report;
	bool wants_disallowed = request->options.store == WT_STORE_DISALLOWED;

	memset(gathered, 0, sizeof(*gathered));
	for (size_t i = 0; i < report->image_count; i++) {
		const struct wt_image *image = wt_report_image(report, i);

		gathered->entries = cli_grow(gathered->entries,
			gathered->count + image->entry_count,
			sizeof(*gathered->entries));
		for (size_t j = 0; j < image->entry_count; j++) {
			const struct wt_entry *entry = wt_image_entry(image, j);

			if (!is_selected(request, entry))
				continue;
			if (!entry->handle)
				gathered->unsound++;
			else if (is_pem && !wants_disallowed &&
				 entry->store == WT_STORE_DISALLOWED)
				gathered->disallowed++;
			else if (!is_pem &&
				 strcmp(entry->place, MACHINE_PLACE) != 0)
				gathered->elsewhere++;
			else
				gathered->entries[gathered->count++] = entry;
			if (is_pem && entry->cert && entry->cert->limits_text)
				gathered->limited++;
		}
	}
}

static void warn_left_out(
	struct cli_outcome *outcome, const struct gathered *gathered)
{
	const char *target = outcome->report->target;

	if (gathered->unsound > 0)
		cli_warn(outcome, "unsound-left-out",
			"%s: left out values without a sound certificate: "
			"%zu",
			target, gathered->unsound);
	if (gathered->disallowed > 0)
		cli_warn(outcome, "disallowed-left-out",
			"%s: left out disallowed certificates: %zu; --store "
			"disallowed writes them",
			target, gathered->disallowed);
	if (gathered->limited > 0)
		cli_warn(outcome, "limits-left-out",
			"%s: %zu of the certificates are trusted with limits, "
			"which PEM cannot express; --format reg keeps them",
			target, gathered->limited);
	if (gathered->elsewhere > 0)
		cli_warn(outcome, "policy-left-out",
			"%s: left out certificates of policy and enterprise "
			"stores: %zu",
			target, gathered->elsewhere);
}

static int order_by_cert(const void *a, const void *b)
{
	const struct wt_entry *const *x = a, *const *y = b;

	return strcmp((*x)->cert->sha256, (*y)->cert->sha256);
}

static int order_by_key(const void *a, const void *b)
{
	const struct wt_entry *const *x = a, *const *y = b;

	if ((*x)->store != (*y)->store)
		return (*x)->store < (*y)->store ? -1 : 1;
	return strcmp((*x)->cert->sha1, (*y)->cert->sha1);
}

/* Sorts, and keeps the first of those that are equal. */
static void make_unique(
	struct gathered *gathered, int (*order)(const void *a, const void *b))
{
	size_t kept = 0;

	qsort(gathered->entries, gathered->count, sizeof(*gathered->entries),
		order);
	for (size_t i = 0; i < gathered->count; i++) {
		if (kept == 0 || order(&gathered->entries[kept - 1],
					 &gathered->entries[i]) != 0)
			gathered->entries[kept++] = gathered->entries[i];
	}
	gathered->count = kept;
}

static enum wt_status fail_empty(const struct cli_request *request,
	const struct cli_outcome *outcome, struct wt_error *err)
{
	wt_fail(err, WT_NO, "not-found", outcome->report->target,
		"the chosen images hold no %scertificate",
		request->operand_count > 1 ? "such " : "");
	wt_error_hint(err, "wimtrust list shows what they hold");
	return WT_NO;
}

enum wt_status cli_bundle_pem(const struct cli_request *request,
	struct cli_outcome *outcome, struct wt_error *err)
{
	enum wt_status ret = WT_OK;
	struct gathered gathered;

	gather(request, outcome, true, &gathered);
	make_unique(&gathered, order_by_cert);
	warn_left_out(outcome, &gathered);
	if (gathered.count == 0)
		ret = fail_empty(request, outcome, err);
	for (size_t i = 0; ret == WT_OK && i < gathered.count; i++)
		ret = append_pem(
			request, outcome, gathered.entries[i]->handle, err);
	free(gathered.entries);
	return ret;
}

/* Values become a .reg file, or the one there is itself. */
static enum wt_status write_values(const struct cli_request *request,
	struct cli_outcome *outcome, const struct wt_export_value *values,
	size_t count, struct wt_error *err)
{
	enum wt_status ret = WT_OK;
	uint8_t *data = NULL;
	size_t len = 0;

	if (request->format == CLI_FORMAT_BLOB && count != 1) {
		wt_fail(err, WT_ERR_USAGE, "usage", request->operands[0],
			"holds %zu certificates, and a raw value has only one",
			count);
		wt_error_hint(
			err, "name one by its thumbprint, or use --format reg");
		return WT_ERR_USAGE;
	}
	if (request->format == CLI_FORMAT_BLOB) {
		append(outcome, values[0].blob, values[0].blob_len);
		return WT_OK;
	}
	ret = wt_export_reg(
		values, count, request->root_name, &data, &len, err);
	if (ret != WT_OK)
		return ret;
	append(outcome, data, len);
	wt_free(data);
	return WT_OK;
}

enum wt_status cli_bundle_values(const struct cli_request *request,
	struct cli_outcome *outcome, struct wt_error *err)
{
	struct gathered gathered;
	struct wt_export_value *values = NULL;
	enum wt_status ret = WT_OK;

	gather(request, outcome, false, &gathered);
	make_unique(&gathered, order_by_key);
	warn_left_out(outcome, &gathered);
	values = cli_alloc(gathered.count, sizeof(*values));
	for (size_t i = 0; i < gathered.count; i++) {
		const struct wt_entry *entry = gathered.entries[i];

		values[i].store = wt_store_name(entry->store);
		values[i].key = entry->cert->sha1;
		values[i].blob = entry->cert->blob;
		values[i].blob_len = entry->cert->blob_len;
	}
	ret = gathered.count ? write_values(request, outcome, values,
				       gathered.count, err)
			     : fail_empty(request, outcome, err);
	free(values);
	free(gathered.entries);
	return ret;
}

static enum wt_status make_value(const struct cli_request *request,
	const struct wt_cert *cert, struct wt_export_value *value,
	uint8_t **ret_blob, struct wt_error *err)
{
	enum wt_store store = WT_STORE_AUTO;
	enum wt_status ret = wt_cancelled(request->options.cancel, err);

	/* A raw value says nothing about a store. */
	if (ret == WT_OK && request->format == CLI_FORMAT_REG)
		ret = wt_cert_policy(cert, request->options.store,
			request->options.allow, request->options.now, &store,
			NULL, err);
	if (ret == WT_OK)
		ret = wt_cert_encode(cert, request->options.friendly_name,
			request->options.usages, ret_blob, &value->blob_len,
			err);
	if (ret != WT_OK)
		return ret;
	value->blob = *ret_blob;
	value->store = wt_store_name(store);
	value->key = wt_cert_info(cert)->sha1;
	return WT_OK;
}

enum wt_status cli_bundle_certs_values(const struct cli_request *request,
	struct cli_outcome *outcome, struct wt_error *err)
{
	size_t count = wt_cert_list_count(outcome->certs);
	struct wt_export_value *values = cli_alloc(count, sizeof(*values));
	uint8_t **blobs = cli_alloc(count, sizeof(*blobs));
	enum wt_status ret = WT_OK;

	for (size_t i = 0; ret == WT_OK && i < count; i++)
		ret = make_value(request, wt_cert_list_get(outcome->certs, i),
			&values[i], &blobs[i], err);
	if (ret == WT_OK)
		ret = write_values(request, outcome, values, count, err);
	for (size_t i = 0; i < count; i++)
		wt_free(blobs[i]);
	free(blobs);
	free(values);
	return ret;
}
