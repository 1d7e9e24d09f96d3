/* SPDX-License-Identifier: MIT
 * chains.c: certificates and registry values that the tests make. */
#include "chains.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <openssl/evp.h>
#include <openssl/x509v3.h>

/* 1601 to 1970, in seconds */
#define FILETIME_EPOCH INT64_C(11644473600)

/*
 * Values
 */

struct value {
	uint8_t data[8192];
	size_t len;
};

static void put_u32(struct value *value, uint32_t number)
{
	for (int i = 0; i < 4; i++)
		value->data[value->len++] = (uint8_t)(number >> (8 * i));
}

static void put(
	struct value *value, uint32_t id, const uint8_t *data, size_t len)
{
	assert_true(value->len + 12 + len <= sizeof(value->data));
	put_u32(value, id);
	put_u32(value, 1);
	put_u32(value, (uint32_t)len);
	if (len > 0)
		memcpy(value->data + value->len, data, len);
	value->len += len;
}

static void put_usage(struct value *value, uint32_t id, const char *text)
{
	EXTENDED_KEY_USAGE *usage = sk_ASN1_OBJECT_new_null();
	char oids[256] = "";
	uint8_t *der = NULL;
	char *rest = NULL;
	int len = 0;

	if (!text) {
		sk_ASN1_OBJECT_free(usage);
		return;
	}
	snprintf(oids, sizeof(oids), "%s", text);
	for (char *oid = strtok_r(oids, ",", &rest); oid;
		oid = strtok_r(NULL, ",", &rest))
		sk_ASN1_OBJECT_push(usage, OBJ_txt2obj(oid, 1));
	len = i2d_EXTENDED_KEY_USAGE(usage, &der);
	assert_true(len > 0);
	put(value, id, der, (size_t)len);
	OPENSSL_free(der);
	EXTENDED_KEY_USAGE_free(usage);
}

static void put_time(struct value *value, uint32_t id, const char *text)
{
	uint64_t ticks = 0;
	uint8_t data[8] = {0};

	if (!text)
		return;
	ticks = (uint64_t)(strtoll(text, NULL, 10) + FILETIME_EPOCH) * 10000000;
	for (int i = 0; i < 8; i++)
		data[i] = (uint8_t)(ticks >> (8 * i));
	put(value, id, data, text[0] == '\0' ? 0 : sizeof(data));
}

struct wt_cert_list *chains_make_value(const struct wt_cert_info *info,
	const struct chains_properties *properties)
{
	struct wt_cert_list *list = NULL;
	struct value value = {.len = 0};
	struct wt_error err = {0};

	assert_int_equal(wt_cert_list_new(&list, NULL), WT_OK);
	put_usage(&value, 0x09, properties->usage);
	put_time(&value, 0x68, properties->disallowed_from);
	put_usage(&value, 0x7A, properties->disallowed_usage);
	put_time(&value, 0x7E, properties->not_before);
	put_usage(&value, 0x7F, properties->not_before_usage);
	put_time(&value, 0x80, properties->disallowed_ca);
	put(&value, 0x20, info->der, info->der_len);
	if (wt_cert_list_read_memory(
		    list, value.data, value.len, info->subject, &err) != WT_OK)
		fail_msg("%s: %s", info->subject, err.reason);
	assert_int_equal(wt_cert_list_count(list), 1);
	return list;
}

struct wt_cert_list *chains_read_value(
	const char *path, const struct chains_properties *properties)
{
	struct wt_cert_list *plain = NULL, *list = NULL;
	struct wt_error err = {0};

	assert_int_equal(wt_cert_list_new(&plain, NULL), WT_OK);
	if (wt_cert_list_read(plain, path, &err) != WT_OK)
		fail_msg("%s: %s", path, err.reason);
	list = chains_make_value(
		wt_cert_info(wt_cert_list_get(plain, 0)), properties);
	wt_cert_list_free(plain);
	return list;
}

/*
 * Sets
 */

struct maker {
	EVP_PKEY *keys[16]; /* the CA with that number modulo 16 */
	long serial;
};

static void set_name(X509_NAME *name, const char *text)
{
	assert_int_equal(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8,
				 (const unsigned char *)text, -1, -1, 0),
		1);
}

static void add_extension(X509 *x509, int nid, const char *text)
{
	X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, nid, text);

	assert_non_null(extension);
	assert_int_equal(X509_add_ext(x509, extension, -1), 1);
	X509_EXTENSION_free(extension);
}

static void make(struct maker *maker, struct wt_cert_list *list,
	const char *subject, size_t key, const char *issuer, size_t issuer_key,
	bool is_ca)
{
	X509 *x509 = X509_new();
	struct wt_error err = {0};
	uint8_t *der = NULL;
	int len = 0;

	X509_set_version(x509, X509_VERSION_3);
	ASN1_INTEGER_set(X509_get_serialNumber(x509), ++maker->serial);
	set_name(X509_get_subject_name(x509), subject);
	set_name(X509_get_issuer_name(x509), issuer);
	ASN1_TIME_set(X509_getm_notBefore(x509), 1577836800);
	ASN1_TIME_set(X509_getm_notAfter(x509), 1900000000);
	X509_set_pubkey(x509, maker->keys[key % 16]);
	add_extension(x509, NID_basic_constraints,
		is_ca ? "critical,CA:TRUE" : "CA:FALSE");
	assert_true(X509_sign(x509, maker->keys[issuer_key % 16],
			    EVP_sha256()) > 0);
	len = i2d_X509(x509, &der);
	assert_true(len > 0);
	if (wt_cert_list_read_memory(list, der, (size_t)len, subject, &err) !=
		WT_OK)
		fail_msg("%s: %s", subject, err.reason);
	OPENSSL_free(der);
	X509_free(x509);
}

static struct chains_set *start(struct maker *maker)
{
	struct chains_set *set = calloc(1, sizeof(*set));

	assert_non_null(set);
	memset(maker, 0, sizeof(*maker));
	for (size_t i = 0; i < 16; i++) {
		maker->keys[i] = EVP_EC_gen("P-256");
		assert_non_null(maker->keys[i]);
	}
	assert_int_equal(wt_cert_list_new(&set->chain, NULL), WT_OK);
	assert_int_equal(wt_cert_list_new(&set->certs, NULL), WT_OK);
	return set;
}

static void finish(struct maker *maker)
{
	for (size_t i = 0; i < 16; i++)
		EVP_PKEY_free(maker->keys[i]);
}

static void set_copies(struct chains_set *set, size_t count)
{
	set->copy_count = count;
	set->copies = calloc(count, sizeof(*set->copies));
	assert_non_null(set->copies);
}

static void set_copy(struct chains_set *set, size_t index, size_t cert,
	enum wt_trust_kind kind, const char *source)
{
	set->copies[index].cert = wt_cert_list_get(set->certs, cert);
	set->copies[index].kind = kind;
	set->copies[index].source = source;
}

struct chains_set *chains_make_image(size_t root_count, size_t ca_count)
{
	struct maker maker;
	struct chains_set *set = start(&maker);
	char name[64] = "";
	char issuer[64] = "";

	for (size_t i = 0; i < root_count; i++) {
		snprintf(name, sizeof(name), "Root %zu", i);
		make(&maker, set->certs, name, i, name, i, true);
	}
	for (size_t i = 0; i < ca_count; i++) {
		size_t root = i % root_count;
		size_t key = root;

		snprintf(name, sizeof(name), "CA %zu", i);
		snprintf(issuer, sizeof(issuer), "Root %zu", root);
		if (i + 1 == ca_count) {
			key = i - 1;
			snprintf(issuer, sizeof(issuer), "CA %zu", i - 1);
		}
		make(&maker, set->certs, name, i, issuer, key, true);
	}
	make(&maker, set->chain, "server.example", 7, name, ca_count - 1,
		false);
	set_copies(set, wt_cert_list_count(set->certs));
	for (size_t i = 0; i < set->copy_count; i++) {
		if (i < root_count)
			set_copy(set, i, i, WT_TRUST_ANCHOR, "AuthRoot");
		else
			set_copy(set, i, i, WT_TRUST_INTERMEDIATE, "CA");
	}
	finish(&maker);
	return set;
}

struct chains_set *chains_make_maze(size_t ca_count)
{
	struct maker maker;
	struct chains_set *set = start(&maker);
	char name[64] = "";
	char issuer[64] = "";

	make(&maker, set->chain, "server.example", 15, "CA 0", 0, false);
	for (size_t i = 0; i < ca_count; i++) {
		for (size_t j = 0; j < ca_count; j++) {
			snprintf(name, sizeof(name), "CA %zu", i);
			snprintf(issuer, sizeof(issuer), "CA %zu", j);
			if (i != j)
				make(&maker, set->chain, name, i, issuer, j,
					true);
		}
	}
	finish(&maker);
	return set;
}

struct chains_set *chains_make_twins(size_t count)
{
	struct maker maker;
	struct chains_set *set = start(&maker);

	make(&maker, set->chain, "server.example", 2, "CA", 1, false);
	make(&maker, set->certs, "Root", 0, "Root", 0, true);
	for (size_t i = 0; i < count; i++)
		make(&maker, set->certs, "CA", 1, "Root", 0, true);
	set_copies(set, 2 * count);
	set_copy(set, 0, 0, WT_TRUST_ANCHOR, "AuthRoot");
	for (size_t i = 1; i <= count; i++)
		set_copy(set, i, i, WT_TRUST_INTERMEDIATE, "CA");
	for (size_t i = 1; i < count; i++)
		set_copy(set, count + i, i, WT_TRUST_VETO, "Disallowed");
	finish(&maker);
	return set;
}

struct chains_set *chains_make_namesake(void)
{
	struct maker maker;
	struct chains_set *set = start(&maker);

	make(&maker, set->chain, "server.example", 2, "CA", 1, false);
	make(&maker, set->certs, "CA", 3, "CA", 3, true);
	make(&maker, set->certs, "CA", 1, "Missing", 0, true);
	set_copies(set, 2);
	set_copy(set, 0, 0, WT_TRUST_ANCHOR, "AuthRoot");
	set_copy(set, 1, 1, WT_TRUST_INTERMEDIATE, "CA");
	finish(&maker);
	return set;
}

struct chains_set *chains_make_crowd(size_t ca_count)
{
	struct maker maker;
	struct chains_set *set = start(&maker);

	make(&maker, set->chain, "server.example", 15, "Crowd", 15, false);
	for (size_t i = 0; i < ca_count; i++)
		make(&maker, set->chain, "Crowd", i % 14, "Crowd", 15, true);
	finish(&maker);
	return set;
}

void chains_free(struct chains_set *set)
{
	if (!set)
		return;
	wt_cert_list_free(set->chain);
	wt_cert_list_free(set->certs);
	free(set->copies);
	free(set);
}
