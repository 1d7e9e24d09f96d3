/* SPDX-License-Identifier: MIT
 * plan.c: which changes a hive needs, decided before any is made. */
#include "plan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define REG_BINARY 3

/* For wt_cert_warnings(): where they go, and about what. */
struct warning_sink {
	struct wt_report *report;
	const char *subject;
};

static void warning_emit(void *ctx, const char *code, const char *text)
{
	const struct warning_sink *sink = ctx;

	wt_report_warn(sink->report, code, "%s: %s", sink->subject, text);
}

void wt_plan_free(struct wt_plan *plan)
{
	for (size_t i = 0; i < plan->item_count; i++)
		wt_free(plan->items[i].blob);
	free(plan->items);
	*plan = (struct wt_plan){0};
}

/* Refusals land in the item; what is returned is another failure. */
static enum wt_status item_make(const struct wt_options *options,
	struct wt_report *report, struct wt_plan_item *item,
	struct wt_error *err)
{
	struct warning_sink sink = {
		.report = report,
		.subject = wt_cert_info(item->cert)->subject,
	};
	const char *why = NULL;
	enum wt_status ret =
		wt_cert_policy(item->cert, options->store, options->allow,
			options->now, &item->store, &why, &item->refusal);

	if (ret == WT_OK)
		ret = wt_cert_encode(item->cert, options->friendly_name,
			&item->blob, &item->blob_len, &item->refusal);
	if (ret == WT_OK)
		wt_cert_warnings(item->cert, options->now, warning_emit, &sink);
	if (ret == WT_OK || ret == WT_ERR_CERT)
		return WT_OK;
	if (err)
		*err = item->refusal;
	return ret;
}

/* The first refusal stands for all; the others become warnings. What is good
 * is named in the remedy, for nothing of it is written. */
static enum wt_status plan_refused(const struct wt_plan *plan,
	struct wt_report *report, struct wt_error *err)
{
	const struct wt_error *first = NULL;
	size_t good_count = plan->item_count - plan->refused_count;
	size_t used = 0;

	for (size_t i = 0; i < plan->item_count; i++) {
		const struct wt_error *refusal = &plan->items[i].refusal;

		if (refusal->status == WT_OK)
			continue;
		if (first)
			wt_report_warn(report, refusal->code,
				"%s: also refused: %s (thumbprint %s)",
				refusal->object, refusal->reason,
				wt_cert_info(plan->items[i].cert)->sha1);
		else
			first = refusal;
	}
	if (!err || !first)
		return WT_ERR_CERT;
	*err = *first;
	if (good_count > 0) {
		used = strlen(err->hint);
		snprintf(err->hint + used, sizeof(err->hint) - used,
			"%s--keep-going adds what is good (%zu)",
			used > 0 ? "; " : "", good_count);
	}
	return WT_ERR_CERT;
}

enum wt_status wt_plan_make(const struct wt_cert_list *certs,
	const struct wt_options *options, struct wt_report *report,
	struct wt_plan *ret_plan, struct wt_error *err)
{
	size_t count = wt_cert_list_count(certs);
	struct wt_plan plan = {0};
	enum wt_status ret = WT_OK;

	if (count == 0)
		return wt_fail(err, WT_ERR_USAGE, "no-certificate", NULL,
			"no certificate was given");
	plan.items = calloc(count, sizeof(*plan.items));
	if (!plan.items)
		return wt_fail_memory(err);
	for (size_t i = 0; ret == WT_OK && i < count; i++) {
		struct wt_plan_item *item = &plan.items[plan.item_count++];

		item->cert = wt_cert_list_get(certs, i);
		ret = wt_cancelled(options->cancel, err);
		if (ret == WT_OK)
			ret = item_make(options, report, item, err);
		plan.refused_count += item->refusal.status != WT_OK;
	}
	if (ret == WT_OK && plan.refused_count > 0 &&
		(!options->keep_going || plan.refused_count == count))
		ret = plan_refused(&plan, report, err);
	if (ret != WT_OK) {
		wt_plan_free(&plan);
		return ret;
	}
	*ret_plan = plan;
	return WT_OK;
}

static int content_order(const void *a, const void *b)
{
	const struct wt_hive_entry *one = a, *other = b;

	if (one->place != other->place)
		return (int)one->place - (int)other->place;
	if (one->store != other->store)
		return (int)one->store - (int)other->store;
	return strcasecmp(one->key, other->key);
}

const struct wt_hive_entry *wt_content_find(
	const struct wt_hive_content *content, enum wt_hive_place place,
	enum wt_store store, const char *key)
{
	struct wt_hive_entry wanted = {
		.place = place, .store = store, .key = (char *)(uintptr_t)key};

	if (content->entry_count == 0)
		return NULL;
	return bsearch(&wanted, content->entries, content->entry_count,
		sizeof(wanted), content_order);
}

static void cert_free(void *cert)
{
	wt_cert_free(cert);
}

static enum wt_status blob_decode(const struct wt_hive_entry *from,
	const char *object, struct wt_cert **ret_cert, struct wt_error *err)
{
	if (!from->blob)
		return wt_fail(err, WT_ERR_CERT, "blob-missing", object,
			"its key has no value \"Blob\"");
	if (from->blob_type != REG_BINARY)
		return wt_fail(err, WT_ERR_CERT, "blob-bad-type", object,
			"its value is of registry type %u, not REG_BINARY",
			from->blob_type);
	return wt_certblob_decode(
		from->blob, from->blob_len, from->key, object, ret_cert, err);
}

enum wt_status wt_entry_describe(const struct wt_target *target,
	const struct wt_target_hive *hive, const struct wt_hive_entry *from,
	struct wt_entry *ret_entry, struct wt_error *err)
{
	struct wt_entry entry = {.store = from->store,
		.place = wt_hive_place_path(from->place),
		.key = from->key};
	char object[sizeof(err->object)] = "";
	struct wt_cert *cert = NULL;
	struct wt_report *report = target->report;
	int index = report->images[hive->image].index;
	enum wt_status ret = wt_cancelled(target->options->cancel, err);

	if (ret != WT_OK)
		return ret;
	if (index > 0)
		snprintf(object, sizeof(object), "%s: image %d: %s\\%s",
			report->target, index, wt_store_name(from->store),
			from->key);
	else
		snprintf(object, sizeof(object), "%s: %s\\%s", report->target,
			wt_store_name(from->store), from->key);
	ret = blob_decode(from, object, &cert, &entry.problem);
	if (ret == WT_OK) {
		ret = wt_report_keep(report, cert, cert_free, err);
		if (ret != WT_OK)
			return ret;
		entry.handle = cert;
		entry.cert = wt_cert_info(cert);
	} else if (ret == WT_ERR_CERT) {
		entry.action = WT_ACTION_UNSOUND;
	} else {
		if (err)
			*err = entry.problem;
		return ret;
	}
	*ret_entry = entry;
	return WT_OK;
}

/* What adding the item means where a value stands already. */
static enum wt_status item_compare(const struct wt_plan_item *item,
	const struct wt_hive_entry *present, bool is_verbatim,
	struct wt_entry *entry, struct wt_error *err)
{
	struct wt_cert *cert = NULL;
	const struct wt_cert_limits *limits = NULL;
	enum wt_status ret = WT_OK;

	if (present->blob && present->blob_len == item->blob_len &&
		present->blob_type == REG_BINARY &&
		memcmp(present->blob, item->blob, item->blob_len) == 0) {
		entry->action = WT_ACTION_UNCHANGED;
		return WT_OK;
	}
	ret = blob_decode(
		present, entry->cert->subject, &cert, &entry->problem);
	if (ret == WT_ERR_CERT) {
		entry->action = WT_ACTION_REPAIRED;
		return WT_OK;
	}
	if (ret != WT_OK) {
		if (err)
			*err = entry->problem;
		return ret;
	}
	/* A sound value with more properties than ours is left alone, unless
	 * it keeps Windows from trusting what is asked to be trusted. */
	limits = wt_cert_limits(cert);
	if (is_verbatim ||
		(limits->is_disallowed && item->store != WT_STORE_DISALLOWED))
		entry->action = WT_ACTION_REPLACED;
	else
		entry->action = WT_ACTION_UNCHANGED;
	wt_cert_free(cert);
	return WT_OK;
}

void wt_plan_warn_disallowed(const struct wt_target *target,
	const struct wt_target_hive *hive, const struct wt_cert_info *info)
{
	static const enum wt_hive_place places[] = {
		WT_PLACE_MACHINE, WT_PLACE_POLICY};
	char image[32] = "";
	int index = target->report->images[hive->image].index;

	if (index > 0)
		snprintf(image, sizeof(image), " of image %d", index);
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		if (!wt_content_find(hive->content, places[i],
			    WT_STORE_DISALLOWED, info->sha1))
			continue;
		wt_report_warn(target->report, "cert-disallowed",
			"%s: stands in the store Disallowed%s too, so Windows "
			"distrusts it all the same; wimtrust remove -s "
			"disallowed takes %s out of it",
			info->subject, image, info->sha1);
		return;
	}
}

static enum wt_status item_plan(const struct wt_plan_item *item,
	const struct wt_target *target, const struct wt_target_hive *hive,
	struct wt_changes *changes, struct wt_error *err)
{
	const struct wt_hive_entry *present = NULL;
	struct wt_entry entry = {.store = item->store,
		.place = wt_hive_place_path(WT_PLACE_MACHINE),
		.cert = wt_cert_info(item->cert),
		.handle = item->cert};
	bool is_verbatim = entry.cert->blob || target->options->friendly_name;
	enum wt_status ret = wt_cancelled(target->options->cancel, err);

	if (ret != WT_OK)
		return ret;
	entry.key = entry.cert->sha1;
	if (!item->blob) {
		entry.action = WT_ACTION_REFUSED;
		entry.problem = item->refusal;
		return wt_report_add_entry(
			target->report, hive->image, &entry, err);
	}
	if (item->store != WT_STORE_DISALLOWED)
		wt_plan_warn_disallowed(target, hive, entry.cert);
	present = wt_content_find(
		hive->content, WT_PLACE_MACHINE, item->store, entry.cert->sha1);
	entry.action = WT_ACTION_ADDED;
	if (present)
		ret = item_compare(item, present, is_verbatim, &entry, err);
	if (ret == WT_OK && entry.action != WT_ACTION_UNCHANGED)
		changes->changes[changes->count++] = (struct wt_hive_change){
			.place = WT_PLACE_MACHINE,
			.store = item->store,
			.key = present ? present->key : entry.cert->sha1,
			.blob = item->blob,
			.blob_len = item->blob_len,
		};
	if (ret == WT_OK)
		ret = wt_report_add_entry(
			target->report, hive->image, &entry, err);
	return ret;
}

enum wt_status wt_plan_add(const struct wt_plan *plan,
	const struct wt_target *target, const struct wt_target_hive *hive,
	struct wt_changes *ret_changes, struct wt_error *err)
{
	struct wt_changes changes = {0};
	enum wt_status ret = WT_OK;

	changes.changes = calloc(plan->item_count, sizeof(*changes.changes));
	if (!changes.changes)
		return wt_fail_memory(err);
	for (size_t i = 0; ret == WT_OK && i < plan->item_count; i++)
		ret = item_plan(&plan->items[i], target, hive, &changes, err);
	if (ret != WT_OK) {
		free(changes.changes);
		return ret;
	}
	*ret_changes = changes;
	return WT_OK;
}

enum wt_status wt_plan_remove(const struct wt_selectors *selectors,
	const struct wt_target *target, const struct wt_target_hive *hive,
	struct wt_changes *ret_changes, struct wt_error *err)
{
	const struct wt_hive_content *content = hive->content;
	enum wt_store store = target->options->store;
	struct wt_changes changes = {0};
	enum wt_status ret = WT_OK;

	changes.changes =
		calloc(content->entry_count + 1, sizeof(*changes.changes));
	if (!changes.changes)
		return wt_fail_memory(err);
	for (size_t i = 0; ret == WT_OK && i < content->entry_count; i++) {
		const struct wt_hive_entry *from = &content->entries[i];
		struct wt_entry entry = {0};
		bool is_meant = false;

		if (store != WT_STORE_AUTO && store != from->store)
			continue;
		/* A value that cannot be read is found by its key's name only,
		 * and without need none is read. */
		is_meant = wt_selectors_match(selectors, from->key);
		if (!is_meant && !selectors->has_sha256)
			continue;
		ret = wt_entry_describe(target, hive, from, &entry, err);
		if (ret == WT_OK && entry.cert)
			is_meant |= wt_selectors_match(
				selectors, entry.cert->sha256);
		if (ret != WT_OK || !is_meant)
			continue;
		entry.action = WT_ACTION_REMOVED;
		changes.changes[changes.count++] = (struct wt_hive_change){
			.place = from->place,
			.store = from->store,
			.key = from->key,
		};
		ret = wt_report_add_entry(
			target->report, hive->image, &entry, err);
	}
	if (ret != WT_OK) {
		free(changes.changes);
		return ret;
	}
	*ret_changes = changes;
	return WT_OK;
}
