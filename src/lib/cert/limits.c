/* SPDX-License-Identifier: MIT
 * cert/limits.c: what a registry value limits the trust in a certificate to. */
#include "cert/limits.h"

#include "base/text.h"
#include "cert/blob.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/x509v3.h>

#define USAGES_MAX 64

/* The names that Windows shows; others are shown as numbers. */
static const struct usage {
	const char *oid;
	const char *name;
	const char *word; /* on the command line */
} usages[] = {
	{"1.3.6.1.5.5.7.3.1", "Server Authentication", "server-auth"},
	{"1.3.6.1.5.5.7.3.2", "Client Authentication", "client-auth"},
	{"1.3.6.1.5.5.7.3.3", "Code Signing", "code-signing"},
	{"1.3.6.1.5.5.7.3.4", "Secure Email", "email"},
	{"1.3.6.1.5.5.7.3.5", "IP security end system", "ipsec-end-system"},
	{"1.3.6.1.5.5.7.3.6", "IP security tunnel termination", "ipsec-tunnel"},
	{"1.3.6.1.5.5.7.3.7", "IP security user", "ipsec-user"},
	{"1.3.6.1.5.5.7.3.8", "Time Stamping", "time-stamping"},
	{"1.3.6.1.5.5.7.3.9", "OCSP Signing", "ocsp-signing"},
	{"1.3.6.1.5.5.8.2.2", "IP security IKE intermediate", "ipsec-ike"},
	{"1.3.6.1.4.1.311.10.3.4", "Encrypting File System", "efs"},
	{"1.3.6.1.4.1.311.10.3.12", "Document Signing", "document-signing"},
	{"1.3.6.1.4.1.311.20.2.2", "Smart Card Logon", "smart-card-logon"},
	{"2.5.29.37.0", "Any Purpose", NULL},
};

#define USAGE_COUNT (sizeof(usages) / sizeof(usages[0]))
#define ANYTHING "any"

static const char *name_of(const char *oid)
{
	for (size_t i = 0; i < USAGE_COUNT; i++)
		if (strcmp(oid, usages[i].oid) == 0)
			return usages[i].name;
	return oid;
}

/* One word of --for as an object; NULL if it is unknown. */
static ASN1_OBJECT *object_of(const char *word, size_t len)
{
	char text[128] = "";

	if (len == 0 || len >= sizeof(text))
		return NULL;
	memcpy(text, word, len);
	for (size_t i = 0; i < USAGE_COUNT; i++)
		if (usages[i].word && strcmp(text, usages[i].word) == 0)
			return OBJ_txt2obj(usages[i].oid, 1);
	/* OpenSSL knows names too, such as serverAuth; here only numbers. */
	if (strspn(text, "0123456789.") != len || !strchr(text, '.'))
		return NULL;
	return OBJ_txt2obj(text, 1);
}

static enum wt_status bad_usage(
	const char *word, size_t len, struct wt_error *err)
{
	char object[64] = "";

	snprintf(object, sizeof(object), "%.*s", (int)(len < 60 ? len : 60),
		word);
	wt_fail(err, WT_ERR_USAGE, "bad-usage", object,
		"is not a usage that a certificate can be limited to");
	wt_error_hint(err, "server-auth, client-auth, code-signing, email and "
			   "the like, or a number such as 1.3.6.1.5.5.7.3.1; "
			   "any for no limit");
	return WT_ERR_USAGE;
}

enum wt_status wt_usages_encode(const char *words, uint8_t **ret_der,
	size_t *ret_len, struct wt_error *err)
{
	EXTENDED_KEY_USAGE *list = sk_ASN1_OBJECT_new_null();
	enum wt_status ret = list ? WT_OK : wt_fail_memory(err);
	uint8_t *der = NULL;
	int len = 0;

	ERR_set_mark();
	if (strcmp(words, ANYTHING) == 0)
		goto out;
	for (const char *word = words; ret == WT_OK && word;) {
		size_t word_len = strcspn(word, ",");
		ASN1_OBJECT *object = object_of(word, word_len);

		if (!object || sk_ASN1_OBJECT_num(list) >= USAGES_MAX)
			ret = bad_usage(word, word_len, err);
		else if (sk_ASN1_OBJECT_push(list, object) <= 0)
			ret = wt_fail_memory(err);
		else
			object = NULL; /* the list's now */
		ASN1_OBJECT_free(object);
		word = word[word_len] ? word + word_len + 1 : NULL;
	}
	if (ret != WT_OK)
		goto out;
	len = i2d_EXTENDED_KEY_USAGE(list, &der);
	if (len <= 0)
		ret = wt_fail_memory(err);
out:
	ERR_pop_to_mark();
	EXTENDED_KEY_USAGE_free(list);
	if (ret != WT_OK)
		return ret;
	*ret_der = der;
	*ret_len = (size_t)len;
	return WT_OK;
}

bool wt_usage_is_known(const char *words)
{
	uint8_t *der = NULL;
	size_t len = 0;
	bool is_known =
		words && wt_usages_encode(words, &der, &len, NULL) == WT_OK;

	OPENSSL_free(der);
	return is_known;
}

bool wt_oid_list_has(const struct wt_oid_list *list, const char *oid)
{
	for (size_t i = 0; i < list->count; i++)
		if (strcmp(list->oids[i], oid) == 0)
			return true;
	return false;
}

/* The same usages, in any order. */
static bool is_same_list(
	const struct wt_oid_list *list, const EXTENDED_KEY_USAGE *wanted)
{
	char text[256] = "";

	if (list->count != (size_t)sk_ASN1_OBJECT_num(wanted))
		return false;
	for (int i = 0; i < sk_ASN1_OBJECT_num(wanted); i++) {
		OBJ_obj2txt(
			text, sizeof(text), sk_ASN1_OBJECT_value(wanted, i), 1);
		if (!wt_oid_list_has(list, text))
			return false;
	}
	return true;
}

enum wt_status wt_usages_compare(const struct wt_cert *cert, const char *words,
	bool *ret_is_same, struct wt_error *err)
{
	const struct wt_cert_limits *limits = &cert->limits;
	const uint8_t *start = NULL;
	EXTENDED_KEY_USAGE *wanted = NULL;
	uint8_t *der = NULL;
	size_t len = 0;
	enum wt_status ret = wt_usages_encode(words, &der, &len, err);

	if (ret != WT_OK)
		return ret;
	*ret_is_same = cert->info.limit_count == (limits->has_usage ? 1 : 0) &&
		       limits->has_usage == (len > 0);
	start = der;
	if (*ret_is_same && len > 0) {
		wanted = d2i_EXTENDED_KEY_USAGE(NULL, &start, (long)len);
		*ret_is_same = wanted && is_same_list(&limits->usage, wanted);
	}
	EXTENDED_KEY_USAGE_free(wanted);
	OPENSSL_free(der);
	return WT_OK;
}

/*
 * In words
 */

static void say(struct wt_writer *text, const char *words)
{
	wt_writer_bytes(text, words, strlen(words));
}

static void say_list(struct wt_writer *text, const struct wt_oid_list *list)
{
	if (list->count == 0)
		say(text, "none");
	for (size_t i = 0; i < list->count; i++) {
		say(text, i > 0 ? ", " : "");
		say(text, name_of(list->oids[i]));
	}
}

/* Ends the text and gives it away. */
static char *take(struct wt_writer *text)
{
	wt_writer_bytes(text, "", 1);
	if (!text->has_failed)
		return (char *)text->data;
	wt_writer_free(text);
	return NULL;
}

static char *list_text(const struct wt_oid_list *list)
{
	struct wt_writer text = {0};

	say_list(&text, list);
	return take(&text);
}

static void say_time(struct wt_writer *text, const char *before, int64_t time)
{
	char date[32] = "";

	if (time == WT_TIME_ALWAYS)
		return;
	wt_text_date(time, date);
	say(text, before);
	say(text, date);
}

static void say_usages(
	struct wt_writer *text, bool has_list, const struct wt_oid_list *list)
{
	if (!has_list)
		return;
	say(text, " for ");
	say_list(text, list);
}

static char *limits_text(const struct wt_cert_limits *limits)
{
	struct wt_writer text = {0};

	if (limits->has_usage) {
		say(&text, "only for ");
		say_list(&text, &limits->usage);
	}
	if (limits->is_disallowed || limits->has_disallowed_usage) {
		say(&text, text.len ? "; distrusted" : "distrusted");
		if (limits->is_disallowed)
			say_time(&text, " since ", limits->disallowed_from);
		say_usages(&text, limits->has_disallowed_usage,
			&limits->disallowed_usage);
	}
	if (limits->has_not_before || limits->has_not_before_usage) {
		say(&text, text.len ? "; " : "");
		say(&text, "not for certificates issued");
		if (limits->has_not_before)
			say_time(&text, " after ", limits->not_before);
		say_usages(&text, limits->has_not_before_usage,
			&limits->not_before_usage);
	}
	if (limits->has_disallowed_ca) {
		say(&text, text.len ? "; " : "");
		say(&text, "distrusted as a CA");
		say_time(&text, " since ", limits->disallowed_ca_from);
	}
	return take(&text);
}

static enum wt_status limit_add(struct wt_cert *cert, unsigned property,
	const struct wt_oid_list *list, const int64_t *time,
	struct wt_error *err)
{
	struct wt_limit *limit = &cert->limit_list[cert->info.limit_count];
	char *text = NULL;

	*limit = (struct wt_limit){.property = property};
	if (list) {
		text = list_text(list);
		if (!text)
			return wt_fail_memory(err);
		limit->usages = text;
	}
	limit->has_time = time && *time != WT_TIME_ALWAYS;
	limit->time = limit->has_time ? *time : 0;
	cert->info.limit_count++;
	return WT_OK;
}

void wt_limits_free(struct wt_cert *cert)
{
	for (size_t i = 0; i < cert->info.limit_count; i++)
		free((void *)(uintptr_t)cert->limit_list[i].usages);
	cert->info.limit_count = 0;
	free(cert->limits_text);
	cert->limits_text = NULL;
}

enum wt_status wt_limits_describe(struct wt_cert *cert, struct wt_error *err)
{
	const struct wt_cert_limits *limits = &cert->limits;
	const struct {
		bool is_there;
		unsigned property;
		const struct wt_oid_list *list;
		const int64_t *time;
	} rows[WT_LIMITS_MAX] = {
		{limits->has_usage, WT_PROP_USAGE, &limits->usage, NULL},
		{limits->is_disallowed, WT_PROP_DISALLOWED_FROM, NULL,
			&limits->disallowed_from},
		{limits->has_disallowed_usage, WT_PROP_DISALLOWED_USAGE,
			&limits->disallowed_usage, NULL},
		{limits->has_not_before, WT_PROP_NOT_BEFORE, NULL,
			&limits->not_before},
		{limits->has_not_before_usage, WT_PROP_NOT_BEFORE_USAGE,
			&limits->not_before_usage, NULL},
		{limits->has_disallowed_ca, WT_PROP_DISALLOWED_CA, NULL,
			&limits->disallowed_ca_from},
	};
	enum wt_status ret = WT_OK;

	wt_limits_free(cert);
	for (size_t i = 0; ret == WT_OK && i < WT_LIMITS_MAX; i++)
		if (rows[i].is_there)
			ret = limit_add(cert, rows[i].property, rows[i].list,
				rows[i].time, err);
	if (ret != WT_OK || cert->info.limit_count == 0)
		return ret;
	cert->limits_text = limits_text(limits);
	if (!cert->limits_text)
		return wt_fail_memory(err);
	cert->info.limits = cert->limit_list;
	cert->info.limits_text = cert->limits_text;
	if (limits->has_usage)
		cert->info.usages = cert->limit_list[0].usages;
	return WT_OK;
}
