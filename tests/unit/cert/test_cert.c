/* SPDX-License-Identifier: MIT
 * test_cert.c: what a certificate says, and what refuses it. */
#include "cert/cert.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"
#include "cert/blob.h"
#include "testfile.h"

#define CERTS WT_TESTDATA "/certs/"

static struct wt_cert *cert_read(const char *name)
{
	char path[512] = "";
	struct bytes der = {0};
	struct wt_cert *cert = NULL;
	struct wt_error err = {0};

	snprintf(path, sizeof(path), CERTS "%s.der", name);
	der = bytes_read(path);
	assert_ok(wt_cert_from_der(der.data, der.len, name, &cert, &err), &err);
	free(der.data);
	return cert;
}

static const struct {
	const char *name;
	const char *key;
	unsigned key_bits;
	const char *signature;
	bool is_self_signed;
	bool is_ca;
	bool has_signature_hash; /* property 0x0F */
} table[] = {
	{"root-rsa2048", "RSA 2048", 2048, "sha256WithRSAEncryption", true,
		true, true},
	{"root-ec-p256", "EC P-256", 256, "ecdsa-with-SHA256", true, true,
		true},
	{"root-ec-p521", "EC P-521", 521, "ecdsa-with-SHA512", true, true,
		true},
	{"root-ed25519", "Ed25519", 256, "ED25519", true, true, false},
	{"root-ed448", "Ed448", 456, "ED448", true, true, false},
	{"root-pss-key", "RSA-PSS 2048", 2048, "rsassaPss", true, true, true},
	{"unknown-key", "1.3.6.1.4.1.55555.2", 0, "ecdsa-with-SHA256", true,
		true, true},
	{"unknown-curve", "id-ecPublicKey", 0, "ecdsa-with-SHA256", true, true,
		true},
	{"root-pss", "RSA 2048", 2048, "rsassaPss", true, true, true},
	{"root-v1", "RSA 2048", 2048, "sha1WithRSAEncryption", true, true,
		true},
	{"root-md5", "RSA 2048", 2048, "md5WithRSAEncryption", true, true,
		true},
	{"root-md2", "RSA 2048", 2048, "md2WithRSAEncryption", true, true,
		false},
	{"root-no-key-id", "RSA 2048", 2048, "sha256WithRSAEncryption", true,
		true, true},
	{"weak-dsa", "DSA 1024", 1024, "dsa_with_SHA256", true, true, true},
	{"weak-ec-p192", "EC P-192", 192, "ecdsa-with-SHA256", true, true,
		true},
	{"intermediate", "EC P-256", 256, "sha256WithRSAEncryption", false,
		true, true},
	{"rollover", "EC P-256", 256, "ecdsa-with-SHA256", false, true, true},
	{"leaf", "EC P-256", 256, "ecdsa-with-SHA256", false, false, true},
	{"not-ca-self", "EC P-256", 256, "ecdsa-with-SHA256", true, false,
		true},
	{"not-ca-v3-plain", "EC P-256", 256, "ecdsa-with-SHA256", true, false,
		true},
	{"not-ca-key-usage", "EC P-256", 256, "ecdsa-with-SHA256", true, false,
		true},
};

static bool has_property(const uint8_t *blob, size_t blob_len, uint32_t id)
{
	struct wt_reader reader = wt_reader_init(blob, blob_len);
	struct wt_property property = {0};

	while (wt_property_next(&reader, &property))
		if (property.id == id)
			return true;
	return false;
}

static void each_says_its_key_signature_and_role(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct wt_cert *cert = cert_read(table[i].name);
		const struct wt_cert_info *info = wt_cert_info(cert);
		uint8_t *blob = NULL;
		size_t blob_len = 0;

		print_message("%s\n", table[i].name);
		assert_string_equal(info->key, table[i].key);
		assert_int_equal(info->key_bits, table[i].key_bits);
		assert_string_equal(info->signature, table[i].signature);
		assert_int_equal(info->is_self_signed, table[i].is_self_signed);
		assert_int_equal(info->is_ca, table[i].is_ca);
		assert_int_equal(wt_cert_encode(cert, NULL, NULL, &blob,
					 &blob_len, NULL),
			WT_OK);
		assert_int_equal(
			has_property(blob, blob_len, WT_PROP_SIGNATURE_HASH),
			table[i].has_signature_hash);
		wt_free(blob);
		wt_cert_free(cert);
	}
}

static void names_are_readable_and_harmless(void **state)
{
	static const struct {
		const char *name;
		const char *subject;
	} names[] = {
		{"name-utf8", "CN=K\xC3\xB6nigliche M\xC3\xBCnz "
			      "\xE8\xAA\x8D\xE8\xA8\xBC\xE5\xB1\x80 "
			      "\xF0\x9F\x94\x91,O=Fabrikam,C=XX"},
		{"name-bmp", "CN=B\xC3\xA9mp Root"},
		{"name-latin1", "CN=Lat\xC3\xADn Root"},
		{"name-empty", ""},
		{"name-control", "CN=evil\\1B[2J\\0D\\0Aline\\, "
				 "\\xC2\\x9B \\xC2\\x85\\xE2\\x80\\xAEroot"
				 "\\00x"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct wt_cert *cert = cert_read(names[i].name);

		assert_string_equal(
			wt_cert_info(cert)->subject, names[i].subject);
		wt_cert_free(cert);
	}
}

static void dates_serial_and_thumbprints_are_right(void **state)
{
	struct bytes der =
		bytes_read(WT_TESTDATA "/windows10-rsa4096-sha256.der");
	struct wt_cert *cert = cert_read("not-yet-valid");
	struct wt_error err = {0};

	(void)state;
	/* GeneralizedTime, from 2050 on */
	assert_true(wt_cert_info(cert)->not_before == 7258118400);
	assert_true(wt_cert_info(cert)->not_after == 7573651200);
	wt_cert_free(cert);
	assert_ok(wt_cert_from_der(der.data, der.len, "x", &cert, &err), &err);
	assert_string_equal(wt_cert_info(cert)->serial,
		"57CA8ADC8407B26FC055187173E238733C29EE32");
	assert_string_equal(wt_cert_info(cert)->sha1,
		"7A645AEB801671DB9CE1C3E421FD11E0B52D6C2F");
	assert_string_equal(wt_cert_info(cert)->key, "RSA 4096");
	wt_cert_free(cert);
	free(der.data);
}

static void more_than_a_mebibyte_is_no_certificate(void **state)
{
	static uint8_t der[1024 * 1024 + 8] = {0x30, 0x83, 0x10, 0, 3};
	struct wt_cert *cert = NULL;
	struct wt_error err = {0};

	(void)state;
	assert_int_equal(wt_cert_from_der(der, sizeof(der), "x", &cert, &err),
		WT_ERR_CERT);
	assert_string_equal(err.code, "cert-too-large");
}

static void every_flipped_bit_is_noticed(void **state)
{
	struct bytes der = bytes_read(CERTS "root-ed25519.der");
	struct wt_cert *cert = NULL;

	(void)state;
	for (size_t bit = 0; bit < 8 * der.len; bit++) {
		struct wt_error err = {0};

		der.data[bit / 8] ^= (uint8_t)(1U << bit % 8);
		/* A changed name or key id makes it another's: then there is
		 * no signature of its own to verify. */
		if (wt_cert_from_der(der.data, der.len, "x", &cert, &err) ==
			WT_OK) {
			assert_false(wt_cert_info(cert)->is_self_signed &&
				     !wt_cert_info(cert)->has_bad_signature &&
				     wt_cert_is_key_known(cert));
			wt_cert_free(cert);
		} else {
			assert_int_equal(err.status, WT_ERR_CERT);
			assert_true(err.code[0] != '\0');
		}
		der.data[bit / 8] ^= (uint8_t)(1U << bit % 8);
	}
	free(der.data);
}

static void pem_gives_the_certificate_back(void **state)
{
	struct wt_cert *cert = cert_read("root-ed25519");
	struct bytes expected = bytes_read(CERTS "root-ed25519.pem");
	struct wt_error err = {0};
	char *pem = NULL;

	(void)state;
	assert_ok(wt_cert_to_pem(cert, &pem, &err), &err);
	assert_int_equal(strlen(pem), expected.len);
	assert_memory_equal(pem, expected.data, expected.len);
	wt_free(pem);
	free(expected.data);
	wt_cert_free(cert);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_says_its_key_signature_and_role),
		cmocka_unit_test(names_are_readable_and_harmless),
		cmocka_unit_test(dates_serial_and_thumbprints_are_right),
		cmocka_unit_test(more_than_a_mebibyte_is_no_certificate),
		cmocka_unit_test(every_flipped_bit_is_noticed),
		cmocka_unit_test(pem_gives_the_certificate_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
