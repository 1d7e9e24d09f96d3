/* SPDX-License-Identifier: MIT
 * plan.c: which changes a hive needs, decided before any is made. */
#include "plan.h"

#include "trust/trust.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

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

/* The input itself says that it is trusted for less. */
static void warn_limited(const struct wt_plan_item *item,
	const struct wt_options *options, struct wt_report *report)
{
	const struct wt_cert_info *info = wt_cert_info(item->cert);

	if (!options->usages && wt_entry_gives_tls_trust(item->store) &&
		!wt_cert_limits(item->cert)->is_disallowed &&
		!wt_trust_serves(item->cert, options->now))
		wt_report_warn(report, "cert-limited",
			"%s: has a limit, so no TLS server is trusted "
			"(%s); --for any takes the limit away",
			info->subject, info->limits_text);
}

static void made_free(void *cert)
{
	wt_cert_free(cert);
}

static enum wt_status made_keep(struct wt_plan_item *item,
	struct wt_report *report, struct wt_error *err)
{
	struct wt_cert *made = NULL;
	enum wt_status ret = wt_certblob_decode(item->blob, item->blob_len,
		NULL, wt_cert_info(item->cert)->subject, &made, err);

	if (ret == WT_OK)
		ret = wt_report_keep(report, made, made_free, err);
	if (ret == WT_OK)
		item->cert = made;
	return ret;
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
	enum wt_status ret =
		wt_cert_policy(item->cert, options->store, options->allow,
			options->now, &item->store, NULL, &item->refusal);

	if (ret != WT_OK)
		item->store = wt_cert_store(
			item->cert, options->store, options->allow);
	if (ret == WT_OK)
		ret = wt_cert_encode(item->cert, options->friendly_name,
			options->usages, &item->blob, &item->blob_len,
			&item->refusal);
	/* Announce the certificate as it will be in the store, not as it was
	 * given. */
	if (ret == WT_OK && options->usages)
		ret = made_keep(item, report, &item->refusal);
	if (ret == WT_OK && options->usages &&
		item->store == WT_STORE_DISALLOWED) {
		ret = wt_fail(&item->refusal, WT_ERR_USAGE, "usage",
			sink.subject,
			"--for limits trust, but certificates in Disallowed "
			"are never trusted");
		wt_error_hint(&item->refusal, "leave --for out");
	}
	if (ret == WT_OK)
		wt_cert_warnings(item->cert, options->now, warning_emit, &sink);
	if (ret == WT_OK)
		warn_limited(item, options, report);
	if (ret == WT_OK || ret == WT_ERR_CERT)
		return WT_OK;
	return wt_fail_as(err, &item->refusal);
}

/* Reports one refusal: the first is the error, the others become warnings. */
static void refusal_say(const struct wt_error *refusal,
	const struct wt_cert_info *info, struct wt_report *report,
	struct wt_error *first)
{
	char place[384] = "";
	size_t used = 0;

	if (info)
		snprintf(place, sizeof(place), " (thumbprint %s), in %s",
			info->sha1, info->source);
	if (first->status != WT_OK) {
		wt_report_warn(report, refusal->code, "%s: also refused: %s%s",
			refusal->object, refusal->reason, place);
		return;
	}
	*first = *refusal;
	used = strlen(first->reason);
	snprintf(first->reason + used, sizeof(first->reason) - used, "%s",
		place);
}

/* Names everything that is refused. Also says how many are good and how to add
 * them; that hint comes before the one that would add the rest. */
static enum wt_status plan_refused(const struct wt_plan *plan,
	const struct wt_cert_list *certs, struct wt_report *report,
	struct wt_error *err)
{
	struct wt_error first = {0};
	size_t unread_count = wt_cert_list_keeps_going(certs)
				      ? wt_cert_list_refused_count(certs)
				      : 0;
	size_t good_count = plan->item_count - plan->refused_count;
	bool is_one = plan->item_count + unread_count == 1;
	bool has_root = false;
	char hint[sizeof(first.hint)] = "";

	for (size_t i = 0; i < unread_count; i++)
		refusal_say(
			wt_cert_list_refused(certs, i), NULL, report, &first);
	for (size_t i = 0; i < plan->item_count; i++) {
		has_root |= wt_cert_info(plan->items[i].cert)->is_self_signed;
		if (plan->items[i].refusal.status != WT_OK)
			refusal_say(&plan->items[i].refusal,
				is_one ? NULL
				       : wt_cert_info(plan->items[i].cert),
				report, &first);
	}
	if (good_count > 0) {
		memcpy(hint, first.hint, sizeof(hint));
		first.hint[0] = '\0';
		/* A server's chain: what is good in it is not enough. */
		wt_error_hint(&first,
			"%s--keep-going adds the good ones (%zu)%s%s",
			has_root || unread_count > 0
				? ""
				: "no root is among these; wimtrust show names "
				  "the root to add; ",
			good_count, hint[0] ? "; " : "", hint);
	}
	return wt_fail_as(err, &first);
}

enum wt_status wt_plan_make(const struct wt_cert_list *certs,
	const struct wt_options *options, struct wt_report *report,
	struct wt_plan *ret_plan, struct wt_error *err)
{
	size_t count = wt_cert_list_count(certs);
	size_t unread_count = wt_cert_list_keeps_going(certs)
				      ? wt_cert_list_refused_count(certs)
				      : 0;
	struct wt_plan plan = {0};
	enum wt_status ret = WT_OK;

	if (count + unread_count == 0)
		return wt_fail(err, WT_ERR_USAGE, "no-certificate", NULL,
			"no certificate was given");
	plan.items = calloc(count + 1, sizeof(*plan.items));
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
	if (ret == WT_OK && plan.refused_count + unread_count > 0 &&
		(!options->keep_going || plan.refused_count == count))
		ret = plan_refused(&plan, certs, report, err);
	if (ret != WT_OK) {
		wt_plan_free(&plan);
		return ret;
	}
	*ret_plan = plan;
	return WT_OK;
}

static bool has_usages(
	const struct wt_cert_limits *limits, const struct wt_oid_list *usages)
{
	for (size_t i = 0; i < usages->count; i++)
		if (!wt_oid_list_has(&limits->usage, usages->oids[i]))
			return false;
	return true;
}

/* How the limits of a value that is there compare with those of the item that
 * replaces it: the code of the warning, or NULL where all that is trusted for
 * the item was trusted before. */
static const char *limits_compare(
	const struct wt_plan_item *item, const struct wt_cert *present)
{
	const struct wt_cert_limits *olds = wt_cert_limits(present);
	const struct wt_cert_limits *news = wt_cert_limits(item->cert);

	if (wt_cert_info(item->cert)->limit_count == 0)
		return "cert-widened";
	if (wt_cert_info(present)->limit_count == 1 && olds->has_usage) {
		if (has_usages(olds, &news->usage))
			return NULL;
		if (has_usages(news, &olds->usage))
			return "cert-widened";
	}
	return "cert-limits-changed";
}

/* Says what becomes of the limits of a value that is there. */
static void limits_say(const struct wt_plan_item *item,
	const struct wt_options *options, const struct wt_cert *cert,
	bool is_replaced, struct wt_report *report)
{
	const struct wt_cert_info *info = wt_cert_info(item->cert);
	const struct wt_cert_info *present = wt_cert_info(cert);
	const char *code = "cert-limited";
	bool keeps_limits = !options->usages && info->limit_count > 0;
	char text[1024] = "";

	if (!present->limits_text || keeps_limits)
		return;
	if (!is_replaced && options->usages)
		return;
	if (is_replaced)
		code = limits_compare(item, cert);
	if (!code)
		return;
	if (!is_replaced)
		snprintf(text, sizeof(text),
			"%.200s: is limited and stays so (%.500s); --for any "
			"takes the limit away",
			info->subject, present->limits_text);
	else
		snprintf(text, sizeof(text),
			"%.200s: was limited (%.300s), and is now %s%.300s%s",
			info->subject, present->limits_text,
			info->limits_text ? "limited otherwise ("
					  : "trusted for everything",
			info->limits_text ? info->limits_text : "",
			info->limits_text ? ")" : "");
	wt_report_warn_once(report, code, text);
}

/* A sound value with more properties than ours is left alone, unless it keeps
 * Windows from trusting what is asked to be trusted. */
static enum wt_status sound_compare(const struct wt_plan_item *item,
	const struct wt_options *options, const struct wt_cert *present,
	struct wt_report *report, enum wt_action *ret_action,
	struct wt_error *err)
{
	bool is_verbatim = options->friendly_name ||
			   (!options->usages && wt_cert_info(item->cert)->blob);
	bool is_limited = wt_cert_limits(present)->is_disallowed ||
			  (wt_entry_gives_tls_trust(item->store) &&
				  !wt_trust_serves(present, options->now));
	bool is_same = true;
	enum wt_status ret = WT_OK;

	if (options->usages)
		ret = wt_usages_compare(
			present, options->usages, &is_same, err);
	else if (item->store != WT_STORE_DISALLOWED)
		is_same = !is_limited;
	if (ret != WT_OK)
		return ret;
	is_same = is_same && !is_verbatim;
	*ret_action = is_same ? WT_ACTION_UNCHANGED : WT_ACTION_REPLACED;
	limits_say(item, options, present, !is_same, report);
	return WT_OK;
}

/* What adding the item means where a value is there already. */
static enum wt_status item_compare(const struct wt_plan_item *item,
	const struct wt_hive_entry *present, const struct wt_options *options,
	struct wt_report *report, struct wt_entry *entry, struct wt_error *err)
{
	struct wt_cert *cert = NULL;
	enum wt_status ret = WT_OK;

	if (present->blob && present->blob_len == item->blob_len &&
		present->blob_type == REG_BINARY &&
		memcmp(present->blob, item->blob, item->blob_len) == 0) {
		entry->action = WT_ACTION_UNCHANGED;
		return WT_OK;
	}
	ret = wt_entry_decode(
		present, entry->cert->subject, &cert, &entry->problem);
	if (ret == WT_ERR_CERT) {
		entry->action = WT_ACTION_REPAIRED;
		return WT_OK;
	}
	if (ret != WT_OK)
		return wt_fail_as(err, &entry->problem);
	ret = sound_compare(item, options, cert, report, &entry->action, err);
	wt_cert_free(cert);
	return ret;
}

static enum wt_status warn_vetoed(const struct wt_target *target,
	const struct wt_target_hive *hive, const struct wt_cert_info *info,
	struct wt_error *err)
{
	bool is_vetoed = false;
	char image[32] = "";
	int index = wt_report_image(target->report, hive->image)->index;
	enum wt_status ret =
		wt_entry_is_vetoed(target, hive, info, &is_vetoed, err);

	if (index > 0)
		snprintf(image, sizeof(image), " of image %d", index);
	if (ret == WT_OK && is_vetoed)
		wt_report_warn(target->report, "cert-disallowed",
			"%s: is in the store Disallowed%s too, so Windows "
			"distrusts it anyway; wimtrust remove -s disallowed "
			"takes %s out of it",
			info->subject, image, info->sha1);
	return ret;
}

/* What is added serves, and a copy of it keeps it from that. */
static enum wt_status warn_limited_copy(const struct wt_plan_item *item,
	const struct wt_target *target, const struct wt_target_hive *hive,
	const struct wt_entry *entry, struct wt_error *err)
{
	struct wt_entry copy = {0};
	char text[1024] = "";
	enum wt_status ret = WT_OK;

	if (!wt_entry_gives_tls_trust(item->store) ||
		!wt_trust_serves(item->cert, target->options->now))
		return WT_OK;
	ret = wt_entry_find_limited(
		target, hive, entry, entry->cert->sha1, &copy, err);
	if (ret != WT_OK || !copy.cert)
		return ret;
	snprintf(text, sizeof(text),
		"%.200s: its copy in %s\\%s is limited, so no TLS server is "
		"trusted (%.500s); add it there too, with --for any",
		copy.cert->subject, copy.place, wt_store_name(copy.store),
		copy.cert->limits_text);
	wt_report_warn_once(target->report, "cert-limited-copy", text);
	return WT_OK;
}

/* Is it trusted already, in another store of roots than the one that follows
 * from what it is? Then a second copy changes nothing. */
static enum wt_status root_find(const struct wt_plan_item *item,
	const struct wt_target *target, const struct wt_target_hive *hive,
	struct wt_entry *entry, struct wt_error *err)
{
	const struct wt_options *options = target->options;
	const struct wt_hive_entry *present = NULL;
	struct wt_cert *cert = NULL;
	struct wt_error why = {0};
	enum wt_status ret = WT_OK;

	if (options->store != WT_STORE_AUTO ||
		item->store != WT_STORE_AUTHROOT || options->friendly_name ||
		options->usages)
		return WT_OK;
	present = wt_content_find_root(hive->content, entry->cert->sha1);
	if (!present ||
		(entry->cert->blob && (present->blob_len != item->blob_len ||
					      memcmp(present->blob, item->blob,
						      item->blob_len) != 0)))
		return WT_OK;
	ret = wt_entry_decode(present, entry->cert->subject, &cert, &why);
	if (ret == WT_OK && !wt_cert_info(cert)->limits_text) {
		entry->action = WT_ACTION_UNCHANGED;
		entry->store = present->store;
		entry->place = wt_hive_place_path(present->place);
	}
	wt_cert_free(cert);
	if (ret != WT_OK && ret != WT_ERR_CERT && err)
		*err = why;
	return ret == WT_ERR_CERT ? WT_OK : ret;
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
		ret = warn_vetoed(target, hive, entry.cert, err);
	if (ret != WT_OK)
		return ret;
	present = wt_content_find(
		hive->content, WT_PLACE_MACHINE, item->store, entry.cert->sha1);
	entry.action = WT_ACTION_ADDED;
	if (present)
		ret = item_compare(item, present, target->options,
			target->report, &entry, err);
	else
		ret = root_find(item, target, hive, &entry, err);
	if (ret == WT_OK)
		ret = warn_limited_copy(item, target, hive, &entry, err);
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

	changes.changes =
		calloc(plan->item_count + 1, sizeof(*changes.changes));
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
		/* A value that cannot be read is found by the name of its key
		 * only. Values are read only if a SHA-256 is looked for. */
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
