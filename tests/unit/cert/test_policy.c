/* SPDX-License-Identifier: MIT
 * test_policy.c: which certificates may be trusted, and in which store. */
#include "cert/policy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "testfile.h"

#define CERTS WT_TESTDATA "/certs/"
#define NOW 1795000000			    /* in 2026 */
#define LAST_DAYS (4733510400 - 30 * 86400) /* 30 before 2120-01-01 */

static struct wt_cert_list *list;

static const struct wt_cert *cert_read(const char *name)
{
	char path[512] = "";
	struct wt_error err = {0};

	snprintf(path, sizeof(path), CERTS "%s%s", name,
		strchr(name, '.') ? "" : ".der");
	wt_cert_list_free(list);
	list = NULL;
	assert_int_equal(wt_cert_list_new(&list, NULL), WT_OK);
	assert_ok(wt_cert_list_read(list, path, &err), &err);
	return wt_cert_list_get(list, 0);
}

static const struct {
	const char *name;
	enum wt_store asked;
	unsigned allow;
	const char *code; /* NULL: accepted */
	const char *hint; /* in the hint */
	enum wt_store store;
} table[] = {
	{"root-rsa2048", WT_STORE_AUTO, 0, NULL, NULL, WT_STORE_AUTHROOT},
	{"root-rsa2048", WT_STORE_ROOT, 0, NULL, NULL, WT_STORE_ROOT},
	{"root-v1", WT_STORE_AUTO, 0, NULL, NULL, WT_STORE_AUTHROOT},
	{"root-md2", WT_STORE_AUTO, 0, NULL, NULL, WT_STORE_AUTHROOT},
	{"root-md5", WT_STORE_AUTO, 0, NULL, NULL, WT_STORE_AUTHROOT},
	{"root-ed25519", WT_STORE_AUTO, 0, NULL, NULL, WT_STORE_AUTHROOT},
	{"intermediate", WT_STORE_AUTO, 0, NULL, NULL, WT_STORE_CA},
	{"intermediate", WT_STORE_ROOT, 0, NULL, NULL, WT_STORE_ROOT},
	{"rollover", WT_STORE_AUTO, 0, NULL, NULL, WT_STORE_CA},
	{"expired", WT_STORE_AUTO, 0, "cert-expired", "--allow expired",
		WT_STORE_AUTHROOT},
	{"expired", WT_STORE_ROOT, 0, "cert-expired", "--allow expired",
		WT_STORE_ROOT},
	{"expired", WT_STORE_AUTO, WT_ALLOW_EXPIRED, NULL, NULL,
		WT_STORE_AUTHROOT},
	{"expired", WT_STORE_DISALLOWED, 0, NULL, NULL, WT_STORE_DISALLOWED},
	{"not-yet-valid", WT_STORE_AUTO, 0, "cert-not-yet-valid",
		"--allow not-yet-valid", WT_STORE_AUTHROOT},
	{"not-yet-valid", WT_STORE_AUTO, WT_ALLOW_NOT_YET_VALID, NULL, NULL,
		WT_STORE_AUTHROOT},
	{"weak-rsa1024", WT_STORE_AUTO, 0, "cert-weak-key", "--allow weak-key",
		WT_STORE_AUTHROOT},
	{"weak-ec-p192", WT_STORE_AUTO, 0, "cert-weak-key", "--allow weak-key",
		WT_STORE_AUTHROOT},
	{"weak-dsa", WT_STORE_AUTO, 0, "cert-weak-key", "--allow weak-key",
		WT_STORE_AUTHROOT},
	{"weak-dsa", WT_STORE_AUTO, WT_ALLOW_WEAK_KEY, NULL, NULL,
		WT_STORE_AUTHROOT},
	{"unknown-key", WT_STORE_AUTO, 0, "cert-weak-key", "--allow weak-key",
		WT_STORE_AUTHROOT},
	{"unknown-curve", WT_STORE_AUTO, WT_ALLOW_WEAK_KEY, NULL, NULL,
		WT_STORE_AUTHROOT},
	{"root-ed448", WT_STORE_AUTO, 0, NULL, NULL, WT_STORE_AUTHROOT},
	{"root-pss-key", WT_STORE_AUTO, 0, NULL, NULL, WT_STORE_AUTHROOT},
	{"weak-rsa1024", WT_STORE_DISALLOWED, 0, NULL, NULL,
		WT_STORE_DISALLOWED},
	{"not-ca-self", WT_STORE_AUTO, 0, "cert-not-ca", "--allow not-ca",
		WT_STORE_AUTHROOT},
	{"not-ca-self", WT_STORE_AUTO, WT_ALLOW_NOT_CA, NULL, NULL,
		WT_STORE_AUTHROOT},
	{"not-ca-v3-plain", WT_STORE_AUTO, 0, "cert-not-ca", "--allow not-ca",
		WT_STORE_AUTHROOT},
	{"not-ca-key-usage", WT_STORE_AUTO, 0, "cert-not-ca", "--allow not-ca",
		WT_STORE_AUTHROOT},
	{"leaf", WT_STORE_AUTO, 0, "cert-not-ca", "with a named --store",
		WT_STORE_AUTO},
	{"leaf", WT_STORE_AUTO, WT_ALLOW_NOT_CA, "cert-no-store", "--store",
		WT_STORE_AUTO},
	{"leaf", WT_STORE_ROOT, 0, "cert-not-ca", "--allow not-ca",
		WT_STORE_ROOT},
	{"leaf", WT_STORE_TRUSTEDPEOPLE, 0, NULL, NULL, WT_STORE_TRUSTEDPEOPLE},
	{"leaf", WT_STORE_TRUSTEDPUBLISHER, 0, NULL, NULL,
		WT_STORE_TRUSTEDPUBLISHER},
	{"bad-signature", WT_STORE_AUTO, 0, "cert-bad-signature",
		"--allow bad-signature", WT_STORE_AUTHROOT},
	{"bad-signature", WT_STORE_CA, 0, "cert-bad-signature",
		"--allow bad-signature", WT_STORE_CA},
	{"bad-signature", WT_STORE_AUTO, WT_ALLOW_BAD_SIGNATURE, NULL, NULL,
		WT_STORE_AUTHROOT},
	{"bad-signature", WT_STORE_DISALLOWED, 0, NULL, NULL,
		WT_STORE_DISALLOWED},
	{"leaf", WT_STORE_DISALLOWED, 0, NULL, NULL, WT_STORE_DISALLOWED},
	{"bad-too-large", WT_STORE_AUTO, 15, "blob-too-large", "Windows",
		WT_STORE_AUTHROOT},
	{"bad-too-large", WT_STORE_DISALLOWED, 15, "blob-too-large", "Windows",
		WT_STORE_DISALLOWED},
};

static void each_certificate_gets_its_store_or_its_refusal(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		const struct wt_cert *cert = cert_read(table[i].name);
		enum wt_store store = WT_STORE_AUTO;
		const char *why = NULL;
		struct wt_error err = {0};
		enum wt_status status = wt_cert_policy(cert, table[i].asked,
			table[i].allow, NOW, &store, &why, &err);

		print_message("%s in %s\n", table[i].name,
			wt_store_name(table[i].asked));
		assert_int_equal(status, table[i].code ? WT_ERR_CERT : WT_OK);
		assert_string_equal(
			err.code, table[i].code ? table[i].code : "");
		assert_int_equal(
			wt_cert_store(cert, table[i].asked, table[i].allow),
			table[i].store);
		/* and an output is written on success only */
		assert_int_equal(
			store, table[i].code ? WT_STORE_AUTO : table[i].store);
		assert_true(!why == !!table[i].code);
		assert_true(!why || why[0] != '\0');
		if (table[i].hint) {
			assert_non_null(strstr(err.hint, table[i].hint));
			assert_string_equal(
				err.object, wt_cert_info(cert)->subject);
		}
	}
}

/* An exception for a bad signature must not turn distrust into trust. */
static void what_was_distrusted_is_not_taken_for_a_root(void **state)
{
	const struct wt_origin disallowed = {.store = WT_STORE_DISALLOWED};
	struct bytes der = bytes_read(CERTS "root-no-key-id.der");
	struct wt_cert *cert = NULL;
	struct wt_error err = {0};

	(void)state;
	der.data[der.len - 1] ^= 1;
	assert_ok(wt_cert_from_der(der.data, der.len, "x", &cert, &err), &err);
	assert_true(wt_cert_is_self_issued_only(cert));
	assert_int_equal(
		wt_cert_store(cert, WT_STORE_AUTO, WT_ALLOW_BAD_SIGNATURE),
		WT_STORE_AUTHROOT);
	wt_cert_set_origin(cert, &disallowed);
	assert_int_equal(
		wt_cert_store(cert, WT_STORE_AUTO, WT_ALLOW_BAD_SIGNATURE),
		WT_STORE_DISALLOWED);
	wt_cert_free(cert);
	free(der.data);
}

static void validity_ends_after_its_last_second(void **state)
{
	const struct wt_cert *cert = cert_read("root-ec-p256");
	const struct wt_cert_info *info = wt_cert_info(cert);
	enum wt_store store = WT_STORE_AUTO;

	(void)state;
	for (int i = 0; i < 2; i++) {
		assert_int_equal(
			wt_cert_policy(cert, WT_STORE_AUTO, 0,
				info->not_after + i, &store, NULL, NULL),
			i ? WT_ERR_CERT : WT_OK);
		assert_int_equal(
			wt_cert_policy(cert, WT_STORE_AUTO, 0,
				info->not_before - i, &store, NULL, NULL),
			i ? WT_ERR_CERT : WT_OK);
	}
}

static void collect(void *ctx, const char *code, const char *text)
{
	char *codes = ctx;

	assert_true(text[0] != '\0');
	strcat(codes, code);
	strcat(codes, " ");
}

static void warnings_name_what_is_no_ground_for_refusal(void **state)
{
	static const struct {
		const char *name;
		int64_t now;
		const char *codes;
	} warnings[] = {
		{"root-rsa2048", NOW, ""},
		{"root-rsa2048", LAST_DAYS, "cert-expires-soon "},
		{"root-rsa2048", LAST_DAYS + 31 * 86400, ""},
		{"root-sha1", NOW, ""},
		{"root-md5", NOW, ""},
		{"intermediate", NOW, ""},
		{"intermediate-sha1", NOW, "cert-weak-signature "},
		{"intermediate-md5", LAST_DAYS,
			"cert-expires-soon cert-weak-signature "},
		{"large", NOW, "blob-large "},
		{"distrusted.blob", NOW, "cert-distrusted "},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(warnings) / sizeof(warnings[0]); i++) {
		char codes[256] = "";

		wt_cert_warnings(cert_read(warnings[i].name), warnings[i].now,
			collect, codes);
		assert_string_equal(codes, warnings[i].codes);
	}
}

static int list_drop(void **state)
{
	(void)state;
	wt_cert_list_free(list);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			each_certificate_gets_its_store_or_its_refusal),
		cmocka_unit_test(what_was_distrusted_is_not_taken_for_a_root),
		cmocka_unit_test(validity_ends_after_its_last_second),
		cmocka_unit_test(warnings_name_what_is_no_ground_for_refusal),
	};

	return cmocka_run_group_tests(tests, NULL, list_drop);
}
