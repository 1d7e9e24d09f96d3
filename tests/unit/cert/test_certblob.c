/* SPDX-License-Identifier: MIT
 * test_certblob.c: the registry value, byte for byte and in every bad form. */
#include "cert/blob.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <cmocka.h>

#include "testfile.h"

static struct bytes der;
static struct bytes blob;

static int vectors_read(void **state)
{
	(void)state;
	der = bytes_read(WT_TESTDATA "/windows10-rsa4096-sha256.der");
	blob = bytes_read(WT_TESTDATA "/windows10-rsa4096-sha256.blob");
	return 0;
}

static int vectors_free(void **state)
{
	(void)state;
	free(der.data);
	free(blob.data);
	return 0;
}

static void certificate_encodes_as_windows_does(void **state)
{
	struct wt_cert *cert = NULL;
	struct wt_error err = {0};
	const uint8_t *kept = NULL;
	uint8_t *out = NULL;
	size_t out_len = 0;

	(void)state;
	assert_ok(wt_cert_from_der(der.data, der.len, "x", &cert, &err), &err);
	kept = wt_cert_value(cert)->data;
	assert_non_null(kept);
	assert_ok(wt_cert_encode(cert, NULL, NULL, &out, &out_len, &err), &err);
	assert_int_equal(out_len, blob.len);
	assert_memory_equal(out, blob.data, blob.len);
	/* encoded once, and kept */
	assert_ptr_equal(wt_cert_value(cert)->data, kept);
	wt_free(out);
	wt_cert_free(cert);
}

static void value_decodes_and_travels_verbatim(void **state)
{
	struct wt_cert *cert = NULL;
	struct wt_error err = {0};
	uint8_t *out = NULL;
	size_t out_len = 0;
	char key[WT_SHA1_HEX_LEN + 1] = "";

	(void)state;
	assert_ok(
		wt_certblob_decode(blob.data, blob.len, NULL, "x", &cert, &err),
		&err);
	assert_int_equal(wt_cert_info(cert)->der_len, der.len);
	assert_memory_equal(wt_cert_info(cert)->der, der.data, der.len);
	memcpy(key, wt_cert_info(cert)->sha1, sizeof(key));
	wt_cert_free(cert);
	for (char *c = key; *c; c++)
		*c |= 0x20;
	assert_ok(
		wt_certblob_decode(blob.data, blob.len, key, "x", &cert, &err),
		&err);
	assert_ok(wt_cert_encode(cert, NULL, NULL, &out, &out_len, &err), &err);
	assert_int_equal(out_len, blob.len);
	assert_memory_equal(out, blob.data, blob.len);
	wt_free(out);
	wt_cert_free(cert);
}

/* A value made of properties, each given as id, encoding, data. */
static void put(struct wt_writer *writer, uint32_t id, uint32_t encoding,
	const void *data, size_t len)
{
	wt_writer_u32(writer, id);
	wt_writer_u32(writer, encoding);
	wt_writer_u32(writer, (uint32_t)len);
	wt_writer_bytes(writer, data, len);
}

static void assert_refused(
	const struct wt_writer *value, const char *key, const char *code)
{
	struct wt_cert *cert = NULL;
	struct wt_error err = {0};

	assert_int_equal(wt_certblob_decode(value->data, value->len, key,
				 "the value", &cert, &err),
		WT_ERR_CERT);
	assert_null(cert);
	assert_string_equal(err.code, code);
	assert_string_equal(err.object, "the value");
	assert_true(err.reason[0] != '\0');
}

static void each_malformation_has_its_code(void **state)
{
	static const uint8_t zeros[64];
	static const uint32_t hashes[] = {WT_PROP_SHA1, WT_PROP_MD5,
		WT_PROP_SIGNATURE_HASH, WT_PROP_PUBLIC_KEY_MD5,
		WT_PROP_SUBJECT_NAME_MD5, WT_PROP_SHA256};
	static const uint32_t lists[] = {WT_PROP_USAGE,
		WT_PROP_DISALLOWED_USAGE, WT_PROP_NOT_BEFORE_USAGE};
	struct wt_writer value = {0};

	(void)state;
	wt_writer_bytes(&value, der.data, der.len);
	assert_refused(&value, NULL, "blob-bare-certificate");
	wt_writer_free(&value);

	/* encoding and length alone, as public descriptions have it */
	wt_writer_u32(&value, 1);
	wt_writer_u32(&value, (uint32_t)der.len);
	wt_writer_u32(&value, 0);
	wt_writer_bytes(&value, der.data, der.len);
	assert_refused(&value, NULL, "blob-bad-header");
	wt_writer_free(&value);

	put(&value, WT_PROP_SHA1, 1, zeros, 20);
	assert_refused(&value, NULL, "blob-no-certificate");
	value.len--;
	assert_refused(&value, NULL, "blob-truncated");
	wt_writer_free(&value);

	put(&value, 0, 1, zeros, 0);
	assert_refused(&value, NULL, "blob-bad-header");
	wt_writer_free(&value);
	put(&value, 0x10000, 1, zeros, 0);
	assert_refused(&value, NULL, "blob-bad-header");
	wt_writer_free(&value);
	put(&value, WT_PROP_CERTIFICATE, 0, der.data, der.len);
	assert_refused(&value, NULL, "blob-bad-header");
	wt_writer_free(&value);

	put(&value, WT_PROP_CERTIFICATE, 1, der.data, der.len);
	assert_refused(&value, "0000000000000000000000000000000000000000",
		"blob-key-mismatch");
	put(&value, WT_PROP_CERTIFICATE, 1, der.data, der.len);
	assert_refused(&value, NULL, "blob-two-certificates");
	wt_writer_free(&value);

	put(&value, WT_PROP_CERTIFICATE, 1, der.data, der.len - 1);
	assert_refused(&value, NULL, "blob-bad-certificate");
	wt_writer_free(&value);

	for (size_t i = 0; i < sizeof(hashes) / sizeof(hashes[0]); i++) {
		put(&value, hashes[i], 1, zeros, 20);
		put(&value, WT_PROP_CERTIFICATE, 1, der.data, der.len);
		assert_refused(&value, NULL, "blob-bad-hash");
		wt_writer_free(&value);
	}
	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		put(&value, lists[i], 1, zeros, 20);
		put(&value, WT_PROP_CERTIFICATE, 1, der.data, der.len);
		assert_refused(&value, NULL, "blob-bad-property");
		wt_writer_free(&value);
	}
	put(&value, WT_PROP_DISALLOWED_FROM, 1, zeros, 7);
	put(&value, WT_PROP_CERTIFICATE, 1, der.data, der.len);
	assert_refused(&value, NULL, "blob-bad-property");
	wt_writer_free(&value);
}

static void every_prefix_of_a_value_is_refused(void **state)
{
	(void)state;
	for (size_t len = 0; len < blob.len; len++) {
		struct wt_cert *cert = NULL;
		struct wt_error err = {0};
		/* of its own, so that asan sees the first byte beyond */
		uint8_t *copy = malloc(len + 1);

		memcpy(copy, blob.data, len);
		copy = realloc(copy, len ? len : 1);
		assert_int_equal(
			wt_certblob_decode(copy, len, NULL, "x", &cert, &err),
			WT_ERR_CERT);
		assert_true(strcmp(err.code, "blob-truncated") == 0 ||
			    strcmp(err.code, "blob-no-certificate") == 0);
		free(copy);
	}
}

static void properties_are_read_in_any_order(void **state)
{
	static const uint8_t usage[] = {0x30, 0x14, 0x06, 0x08, 0x2B, 0x06,
		0x01, 0x05, 0x05, 0x07, 0x03, 0x01, 0x06, 0x08, 0x2B, 0x06,
		0x01, 0x05, 0x05, 0x07, 0x03, 0x02};
	static const uint8_t no_usage[] = {0x30, 0x00};
	/* 2020-01-01 00:00:00 UTC in FILETIME */
	static const uint8_t when[] = {
		0x00, 0x00, 0x05, 0x69, 0x36, 0xC0, 0xD5, 0x01};
	static const uint8_t name[] = {'R', 0, 0xE9, 0, 0x0A, 0, 0, 0, 'x', 0};
	const struct wt_cert_limits *limits = NULL;
	struct wt_cert *cert = NULL;
	struct wt_error err = {0};
	struct wt_writer value = {0};
	uint8_t *out = NULL;
	size_t out_len = 0;

	(void)state;
	put(&value, WT_PROP_CERTIFICATE, 1, der.data, der.len);
	put(&value, WT_PROP_USAGE, 1, usage, sizeof(usage));
	put(&value, WT_PROP_FRIENDLY_NAME, 1, name, sizeof(name));
	put(&value, WT_PROP_DISALLOWED_FROM, 1, when, 0);
	put(&value, WT_PROP_DISALLOWED_USAGE, 1, no_usage, sizeof(no_usage));
	put(&value, WT_PROP_NOT_BEFORE, 1, when, 8);
	put(&value, 0x7777, 1, "odd", 3);
	assert_ok(wt_certblob_decode(
			  value.data, value.len, NULL, "x", &cert, &err),
		&err);
	assert_string_equal(wt_cert_info(cert)->usages,
		"Server Authentication, Client Authentication");
	assert_string_equal(
		wt_cert_info(cert)->friendly_name, "R\xC3\xA9\\x0A");
	limits = wt_cert_limits(cert);
	assert_true(limits->has_usage);
	assert_int_equal(limits->usage.count, 2);
	assert_string_equal(limits->usage.oids[1], "1.3.6.1.5.5.7.3.2");
	assert_true(limits->is_disallowed);
	assert_true(limits->disallowed_from == WT_TIME_ALWAYS);
	assert_true(limits->has_disallowed_usage);
	assert_int_equal(limits->disallowed_usage.count, 0);
	assert_true(limits->has_not_before);
	assert_true(limits->not_before == 1577836800);
	assert_false(limits->has_not_before_usage);
	/* verbatim, the unknown property included */
	assert_ok(wt_cert_encode(cert, NULL, NULL, &out, &out_len, &err), &err);
	assert_int_equal(out_len, value.len);
	assert_memory_equal(out, value.data, value.len);
	wt_free(out);
	wt_cert_free(cert);
	wt_writer_free(&value);
}

static void friendly_name_replaces_only_itself(void **state)
{
	static const char name[] = "Fabrikam \xF0\x9F\x94\x91 root";
	struct wt_cert *cert = NULL, *again = NULL;
	struct wt_error err = {0};
	uint8_t *out = NULL, *plain = NULL;
	size_t out_len = 0, plain_len = 0;

	(void)state;
	for (int with_blob = 0; with_blob < 2; with_blob++) {
		assert_ok(with_blob ? wt_certblob_decode(blob.data, blob.len,
					      NULL, "x", &cert, &err)
				    : wt_cert_from_der(der.data, der.len, "x",
					      &cert, &err),
			&err);
		assert_ok(
			wt_cert_encode(cert, name, NULL, &out, &out_len, &err),
			&err);
		wt_cert_free(cert);
		assert_ok(wt_certblob_decode(
				  out, out_len, NULL, "x", &again, &err),
			&err);
		assert_string_equal(wt_cert_info(again)->friendly_name, name);
		/* and an empty one takes it away */
		assert_ok(wt_cert_encode(
				  again, "", NULL, &plain, &plain_len, &err),
			&err);
		assert_int_equal(plain_len, blob.len);
		assert_memory_equal(plain, blob.data, blob.len);
		assert_int_equal(wt_cert_encode(again, "\xC3(", NULL, &plain,
					 &plain_len, &err),
			WT_ERR_USAGE);
		assert_string_equal(err.code, "friendly-name-not-utf8");
		wt_free(plain);
		wt_free(out);
		wt_cert_free(again);
	}
}

/* Ed25519 has no hash of its own: whichever Windows took must be right. */
static void signature_hash_of_a_hashless_signature_is_told_by_size(void **state)
{
	static const struct {
		size_t len;
		enum wt_status status;
	} cases[] = {{16, WT_OK}, {20, WT_ERR_CERT}, {32, WT_ERR_CERT},
		{48, WT_ERR_CERT}, {64, WT_ERR_CERT}};
	static const uint8_t zeros[64];
	struct bytes ed = bytes_read(WT_TESTDATA "/certs/root-ed25519.der");

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct wt_writer value = {0};
		struct wt_cert *cert = NULL;
		struct wt_error err = {0};

		put(&value, WT_PROP_SIGNATURE_HASH, 1, zeros, cases[i].len);
		put(&value, WT_PROP_CERTIFICATE, 1, ed.data, ed.len);
		assert_int_equal(wt_certblob_decode(value.data, value.len, NULL,
					 "x", &cert, &err),
			cases[i].status);
		wt_cert_free(cert);
		wt_writer_free(&value);
	}
	free(ed.data);
}

static void too_large_a_value_is_refused(void **state)
{
	struct wt_cert *cert = NULL;
	struct wt_error err = {0};
	struct wt_writer value = {0};
	uint8_t *out = NULL, *filling = calloc(1, WT_BLOB_MAX);
	size_t out_len = 0, room = WT_BLOB_MAX - blob.len - 12;

	(void)state;
	for (size_t extra = 0; extra < 2; extra++) {
		put(&value, 0x7777, 1, filling, room + extra);
		wt_writer_bytes(&value, blob.data, blob.len);
		assert_ok(wt_certblob_decode(value.data, value.len, NULL, "x",
				  &cert, &err),
			&err);
		assert_int_equal(
			wt_cert_encode(cert, NULL, NULL, &out, &out_len, &err),
			extra ? WT_ERR_CERT : WT_OK);
		wt_cert_free(cert);
		wt_writer_free(&value);
	}
	assert_string_equal(err.code, "blob-too-large");
	assert_int_equal(out_len, WT_BLOB_MAX);
	wt_free(out);
	free(filling);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(certificate_encodes_as_windows_does),
		cmocka_unit_test(value_decodes_and_travels_verbatim),
		cmocka_unit_test(each_malformation_has_its_code),
		cmocka_unit_test(every_prefix_of_a_value_is_refused),
		cmocka_unit_test(properties_are_read_in_any_order),
		cmocka_unit_test(friendly_name_replaces_only_itself),
		cmocka_unit_test(
			signature_hash_of_a_hashless_signature_is_told_by_size),
		cmocka_unit_test(too_large_a_value_is_refused),
	};

	return cmocka_run_group_tests(tests, vectors_read, vectors_free);
}
