/* SPDX-License-Identifier: MIT
 * entry.c: what an entry of a hive holds, and whether that holds. */
#include "entry.h"

#include "trust/trust.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static int content_order(const void *a, const void *b)
{
	const struct wt_hive_entry *one = a, *other = b;

	if (one->place != other->place)
		return (int)one->place - (int)other->place;
	if (one->store != other->store)
		return (int)one->store - (int)other->store;
	return strcasecmp(one->key, other->key);
}

const char *wt_content_where(const struct wt_hive_entry *entry, char buf[64])
{
	static const char *const of[WT_PLACE_COUNT] = {
		[WT_PLACE_POLICY] = " of a policy",
		[WT_PLACE_ENTERPRISE] = " of the enterprise"};

	snprintf(buf, 64, "%s%s", wt_store_name(entry->store),
		of[entry->place] ? of[entry->place] : "");
	return buf;
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

enum wt_status wt_entry_decode(const struct wt_hive_entry *from,
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
	int index = wt_report_image(report, hive->image)->index;
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
	ret = wt_entry_decode(from, object, &cert, &entry.problem);
	if (ret == WT_OK) {
		ret = wt_report_keep(report, cert, cert_free, err);
		if (ret != WT_OK)
			return ret;
		entry.handle = cert;
		entry.cert = wt_cert_info(cert);
	} else if (ret == WT_ERR_CERT) {
		entry.action = WT_ACTION_UNSOUND;
	} else {
		return wt_fail_as(err, &entry.problem);
	}
	*ret_entry = entry;
	return WT_OK;
}

/* Stores that a chain of TLS is built from. */
bool wt_entry_gives_tls_trust(enum wt_store store)
{
	return store == WT_STORE_AUTHROOT || store == WT_STORE_ROOT ||
	       store == WT_STORE_CA;
}

enum wt_status wt_entry_is_vetoed(const struct wt_target *target,
	const struct wt_target_hive *hive, const struct wt_cert_info *info,
	bool *ret_is_vetoed, struct wt_error *err)
{
	enum wt_status ret = WT_OK;

	*ret_is_vetoed = false;
	for (int i = 0; ret == WT_OK && i < WT_PLACE_COUNT; i++) {
		const struct wt_hive_entry *found =
			wt_content_find(hive->content, (enum wt_hive_place)i,
				WT_STORE_DISALLOWED, info->sha1);
		struct wt_entry entry = {0};

		if (!found)
			continue;
		ret = wt_entry_describe(target, hive, found, &entry, err);
		if (ret == WT_OK && entry.cert)
			*ret_is_vetoed = true;
		else if (ret == WT_OK)
			wt_report_warn(target->report, "disallowed-unsound",
				"%s: the store Disallowed names it, but %s, so "
				"it does not count; wimtrust remove -s "
				"disallowed takes %s out of it",
				info->subject, entry.problem.reason,
				info->sha1);
	}
	return ret;
}

void wt_entry_judge(const struct wt_target *target, struct wt_entry *entry)
{
	const struct wt_cert_info *info = entry->cert;

	if (!wt_entry_gives_tls_trust(entry->store) ||
		wt_trust_serves(entry->handle, target->options->now))
		return;
	if (wt_cert_limits(entry->handle)->is_disallowed)
		wt_fail(&entry->problem, WT_NO, "cert-distrusted",
			info->subject,
			"is there with a property that tells Windows to "
			"distrust it (%s)",
			info->limits_text);
	else
		wt_fail(&entry->problem, WT_NO, "cert-limited", info->subject,
			"is there, but limited so that no TLS server is "
			"trusted (%s)",
			info->limits_text);
	entry->action = WT_ACTION_UNSOUND;
}

enum wt_status wt_entry_judge_veto(const struct wt_target *target,
	const struct wt_target_hive *hive, struct wt_entry *entry,
	const struct wt_cert_info *info, struct wt_error *err)
{
	bool is_vetoed = false;
	enum wt_status ret = WT_OK;

	if (entry->store == WT_STORE_DISALLOWED)
		return WT_OK;
	ret = wt_entry_is_vetoed(target, hive, info, &is_vetoed, err);
	if (ret != WT_OK || !is_vetoed || entry->action != WT_ACTION_PRESENT)
		return ret;
	wt_fail(&entry->problem, WT_NO, "cert-disallowed", info->subject,
		"is there, but in the store Disallowed too, so Windows "
		"distrusts it anyway");
	entry->action = WT_ACTION_UNSOUND;
	return WT_OK;
}

/* Of AuthRoot only the machine's own place counts for Windows. */
static bool is_place_of(enum wt_store store, enum wt_hive_place place)
{
	return store != WT_STORE_AUTHROOT || place == WT_PLACE_MACHINE;
}

enum wt_status wt_entry_find_limited(const struct wt_target *target,
	const struct wt_target_hive *hive, const struct wt_entry *entry,
	const char *sha1, struct wt_entry *ret_copy, struct wt_error *err)
{
	enum wt_status ret = WT_OK;

	*ret_copy = (struct wt_entry){0};
	for (int i = 0; i < (int)WT_PLACE_COUNT * (int)WT_STORE_COUNT; i++) {
		enum wt_hive_place place =
			(enum wt_hive_place)(i % WT_PLACE_COUNT);
		enum wt_store store = (enum wt_store)(i / WT_PLACE_COUNT);
		const struct wt_hive_entry *found = NULL;
		struct wt_entry copy = {0};

		if (!wt_entry_gives_tls_trust(store) ||
			!is_place_of(store, place))
			continue;
		found = wt_content_find(hive->content, place, store, sha1);
		if (!found || (store == entry->store &&
				      !strcmp(wt_hive_place_path(place),
					      entry->place)))
			continue;
		ret = wt_entry_describe(target, hive, found, &copy, err);
		if (ret != WT_OK)
			return ret;
		if (!copy.cert ||
			wt_trust_serves(copy.handle, target->options->now))
			continue;
		*ret_copy = copy;
		return WT_OK;
	}
	return WT_OK;
}

enum wt_status wt_entry_judge_copies(const struct wt_target *target,
	const struct wt_target_hive *hive, struct wt_entry *entry,
	const struct wt_cert_info *info, struct wt_error *err)
{
	struct wt_entry copy = {0};
	enum wt_status ret = WT_OK;

	if (entry->action != WT_ACTION_PRESENT ||
		!wt_entry_gives_tls_trust(entry->store) ||
		!wt_trust_serves(entry->handle, target->options->now))
		return WT_OK;
	ret = wt_entry_find_limited(
		target, hive, entry, info->sha1, &copy, err);
	if (ret != WT_OK || !copy.cert)
		return ret;
	wt_fail(&entry->problem, WT_NO, "cert-limited-copy", info->subject,
		"is there, but its copy in %s\\%s is limited so that no TLS "
		"server is trusted (%s)",
		copy.place, wt_store_name(copy.store), copy.cert->limits_text);
	if (!strcmp(copy.place, wt_hive_place_path(WT_PLACE_MACHINE)))
		wt_error_hint(&entry->problem,
			"wimtrust add -s %s --for any TARGET CERT takes the "
			"limit away",
			wt_store_name(copy.store));
	entry->action = WT_ACTION_UNSOUND;
	return WT_OK;
}

const struct wt_hive_entry *wt_content_find_root(
	const struct wt_hive_content *content, const char *key)
{
	static const enum wt_store stores[] = {
		WT_STORE_AUTHROOT, WT_STORE_ROOT};
	const struct wt_hive_entry *found = NULL;

	for (int place = 0; !found && place < WT_PLACE_COUNT; place++)
		for (size_t i = 0; !found && i < 2; i++)
			if (is_place_of(stores[i], (enum wt_hive_place)place))
				found = wt_content_find(content,
					(enum wt_hive_place)place, stores[i],
					key);
	return found;
}
