/* SPDX-License-Identifier: MIT
 * trust/limits.c: properties 0x09, 0x68, 0x7A, 0x7E and 0x7F as verdicts. */
#include "trust/limits.h"

#include "base/text.h"
#include "cert/cert.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define OID_SERVER_AUTH "1.3.6.1.5.5.7.3.1"
#define OID_ANY_USAGE "2.5.29.37.0"

static bool is_listed(const struct wt_oid_list *list)
{
	for (size_t i = 0; i < list->count; i++) {
		if (strcmp(list->oids[i], OID_SERVER_AUTH) == 0 ||
			strcmp(list->oids[i], OID_ANY_USAGE) == 0)
			return true;
	}
	return false;
}

/* A limit without a list of usages is for all of them. */
static bool is_meant(bool has_list, const struct wt_oid_list *list)
{
	return !has_list || is_listed(list);
}

static enum wt_status refuse_usage(const struct wt_trust_cert *copy,
	const char *object, const char *property, struct wt_error *err)
{
	const struct wt_cert_info *info = wt_cert_info(copy->cert);

	wt_fail(err, WT_NO, "usage-not-allowed", object,
		"the image's %s store does not trust %s (%s) for server "
		"authentication (property %s of its value)",
		copy->source, info->subject, info->sha1, property);
	wt_error_hint(err,
		"if you trust %s for servers, add it again: wimtrust add "
		"TARGET CERT",
		info->sha1);
	return WT_NO;
}

static enum wt_status refuse_disallowed(const struct wt_trust_cert *copy,
	int64_t from, const char *object, struct wt_error *err)
{
	const struct wt_cert_info *info = wt_cert_info(copy->cert);
	char since[40] = "";
	char text[32] = "";

	if (from != WT_TIME_ALWAYS) {
		wt_text_time(from, text);
		snprintf(since, sizeof(since), " since %s", text);
	}
	wt_fail(err, WT_NO, "disallowed-since", object,
		"%s (%s) is distrusted%s by its value in the image's %s store "
		"(property 0x68)",
		info->subject, info->sha1, since, copy->source);
	wt_error_hint(err, "the server needs a certificate from another CA");
	return WT_NO;
}

static enum wt_status refuse_late(const struct wt_trust_cert *copy,
	int64_t issued, const char *object, struct wt_error *err)
{
	const struct wt_cert_info *info = wt_cert_info(copy->cert);
	char text[32] = "";
	char limit[32] = "";

	wt_text_time(issued, text);
	if (wt_cert_limits(copy->cert)->not_before == WT_TIME_ALWAYS)
		snprintf(limit, sizeof(limit), "any time");
	else
		wt_text_time(wt_cert_limits(copy->cert)->not_before, limit);
	wt_fail(err, WT_NO, "issued-too-late", object,
		"the server's certificate is from %s, and the image's %s store "
		"trusts %s (%s) for no certificate issued after %s (property "
		"0x7E)",
		text, copy->source, info->subject, info->sha1, limit);
	wt_error_hint(err, "the server needs a certificate from another CA");
	return WT_NO;
}

enum wt_status wt_trust_limits(const struct wt_trust_cert *copy,
	const struct wt_trust_use *use, const char *object,
	struct wt_error *err)
{
	const struct wt_cert_limits *limits = wt_cert_limits(copy->cert);

	if (limits->has_usage && !is_listed(&limits->usage))
		return refuse_usage(copy, object, "0x09", err);
	/* A list without a date takes the usage away for good. */
	if (!limits->is_disallowed && limits->has_disallowed_usage &&
		is_listed(&limits->disallowed_usage))
		return refuse_usage(copy, object, "0x7A", err);
	if (limits->is_disallowed && use->at >= limits->disallowed_from &&
		is_meant(limits->has_disallowed_usage,
			&limits->disallowed_usage))
		return refuse_disallowed(
			copy, limits->disallowed_from, object, err);
	if (limits->has_not_before && use->issued > limits->not_before &&
		is_meant(limits->has_not_before_usage,
			&limits->not_before_usage))
		return refuse_late(copy, use->issued, object, err);
	return WT_OK;
}

bool wt_trust_serves(const struct wt_cert *cert, int64_t now)
{
	const struct wt_trust_cert copy = {.cert = cert, .source = ""};
	const struct wt_trust_use use = {.at = now, .issued = now};

	return wt_trust_limits(&copy, &use, NULL, NULL) == WT_OK;
}
