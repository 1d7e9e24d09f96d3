/* SPDX-License-Identifier: MIT
 * test_cert_kind.c: every kind of file that people bring, good and bad. */
#include "cert/kind.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "cert/blob.h"
#include "cert/list.h"
#include "certfile.h"

#define ALLOW_ALL                                                              \
	(WT_ALLOW_EXPIRED | WT_ALLOW_NOT_YET_VALID | WT_ALLOW_WEAK_KEY |       \
		WT_ALLOW_NOT_CA)

/* The first certificate's subject, and what else there should be. */
static const struct {
	const char *name;
	size_t count;
	const char *first;
	const char *friendly_name;
	const char *usages;
	const char *note; /* in the first note; NULL: no notes */
} good[] = {
	{"root-rsa2048.der", 1, "CN=RSA 2048 Root,O=Fabrikam,C=XX", NULL, NULL,
		NULL},
	{"bundle.pem", 3, "CN=cmg.fabrikam.example", NULL, NULL, NULL},
	{"bundle-crlf-bom.pem", 3, "CN=cmg.fabrikam.example", NULL, NULL, NULL},
	{"bundle-utf16le.pem", 3, "CN=cmg.fabrikam.example", NULL, NULL, NULL},
	{"bundle-utf16be.pem", 3, "CN=cmg.fabrikam.example", NULL, NULL, NULL},
	{"bundle-utf16-no-bom.pem", 1, "CN=RSA 2048 Root,O=Fabrikam,C=XX", NULL,
		NULL, NULL},
	{"bundle-indented.pem", 1, "CN=RSA 2048 Root,O=Fabrikam,C=XX", NULL,
		NULL, NULL},
	{"headers.pem", 1, "CN=RSA 2048 Root,O=Fabrikam,C=XX", NULL, NULL,
		NULL},
	{"with-key.pem", 1, "CN=P-256 Root,O=Fabrikam,C=XX", NULL, NULL,
		"private key, which was not read"},
	{"with-others.pem", 1, "CN=RSA 2048 Root,O=Fabrikam,C=XX", NULL, NULL,
		"skipped 2 other blocks, the first \"PUBLIC KEY\""},
	{"trusted.pem", 1, "CN=RSA 2048 Root,O=Fabrikam,C=XX", NULL, NULL,
		"trust settings of 1 certificate were left out"},
	{"bundle.p7b", 3, "CN=cmg.fabrikam.example", NULL, NULL, NULL},
	{"bundle-pem.p7b", 3, "CN=cmg.fabrikam.example", NULL, NULL, NULL},
	{"bundle-certutil.p7b", 3, "CN=cmg.fabrikam.example", NULL, NULL, NULL},
	{"bundle-ber.p7b", 3, "CN=cmg.fabrikam.example", NULL, NULL, NULL},
	{"bundle-attribute.p7b", 1, "CN=RSA 2048 Root,O=Fabrikam,C=XX", NULL,
		NULL, "skipped 1 that are not X.509 certificates"},
	{"three.sst", 3, "CN=RSA 2048 Root,O=Fabrikam,C=XX",
		"Fabrikam R\xC3\xB6\xC3\xB6t",
		"Server Authentication, Code Signing",
		"skipped 1 revocation or trust list"},
	{"root.blob", 1, "CN=RSA 2048 Root,O=Fabrikam,C=XX",
		"Fabrikam R\xC3\xB6\xC3\xB6t",
		"Server Authentication, Code Signing", NULL},
	{"cert-first.blob", 1, "CN=RSA 2048 Root,O=Fabrikam,C=XX",
		"Fabrikam R\xC3\xB6\xC3\xB6t", NULL, NULL},
	{"two-and-others.reg", 2, "CN=RSA 2048 Root,O=Fabrikam,C=XX",
		"Fabrikam R\xC3\xB6\xC3\xB6t",
		"Server Authentication, Code Signing",
		"skipped 3 other keys and 5 other values, the first "
		"HKEY_LOCAL_MACHINE\\SOFTWARE\\Fabrikam"},
};

static void every_kind_is_told_by_content(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		struct wt_cert_list *list = list_read(good[i].name);
		const struct wt_cert_info *info = info_at(list, 0);

		print_message("%s\n", good[i].name);
		assert_int_equal(wt_cert_list_count(list), good[i].count);
		assert_string_equal(info->subject, good[i].first);
		if (good[i].friendly_name)
			assert_string_equal(
				info->friendly_name, good[i].friendly_name);
		else
			assert_null(info->friendly_name);
		if (good[i].usages)
			assert_string_equal(info->usages, good[i].usages);
		else
			assert_null(info->usages);
		if (good[i].note) {
			assert_int_equal(wt_cert_list_note_count(list), 1);
			assert_non_null(strstr(
				wt_cert_list_note(list, 0), good[i].note));
		} else {
			assert_int_equal(wt_cert_list_note_count(list), 0);
		}
		wt_cert_list_free(list);
	}
}

static void every_form_of_an_export_gives_the_same_bytes(void **state)
{
	static const char *const names[] = {"root.reg", "root-be.reg",
		"root-no-bom.reg", "root-utf8-bom.reg", "root-ascii-lf.reg",
		"root-regedit4.reg", "root-winpe-offline.reg", "root-user.reg",
		"root-one-line.reg", "root-hex3.reg"};
	struct bytes expected = bytes_read(CERTS "root.blob");

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct wt_cert_list *list = list_read(names[i]);
		const struct wt_cert_info *info = info_at(list, 0);

		print_message("%s\n", names[i]);
		assert_int_equal(wt_cert_list_count(list), 1);
		assert_int_equal(wt_cert_list_note_count(list), 0);
		assert_int_equal(info->blob_len, expected.len);
		assert_memory_equal(info->blob, expected.data, expected.len);
		wt_cert_list_free(list);
	}
	free(expected.data);
}

/* Reads; what may be read is asked about with every refusal allowed. */
static enum wt_status read_and_judge(const char *path, struct wt_error *err)
{
	struct wt_cert_list *list = list_new();
	enum wt_status status = wt_cert_list_read(list, path, err);
	enum wt_store store = WT_STORE_AUTO;

	if (status != WT_OK)
		assert_int_equal(wt_cert_list_count(list), 0);
	for (size_t i = 0; status == WT_OK && i < wt_cert_list_count(list); i++)
		status = wt_cert_policy(wt_cert_list_get(list, i),
			WT_STORE_ROOT, ALLOW_ALL, 0, &store, NULL, err);
	wt_cert_list_free(list);
	return status;
}

static void every_bad_file_is_refused_with_its_code(void **state)
{
	FILE *codes = fopen(CERTS "bad-codes.txt", "r");
	char name[64] = "", code[64] = "", path[512] = "";
	size_t count = 0, file_count = 0;
	DIR *folder = opendir(CERTS);
	struct dirent *entry = NULL;

	(void)state;
	assert_non_null(codes);
	assert_non_null(folder);
	while (fscanf(codes, "%63s %63s", name, code) == 2) {
		struct wt_error err = {0};

		print_message("%s: %s\n", name, code);
		snprintf(path, sizeof(path), CERTS "%s", name);
		assert_int_equal(read_and_judge(path, &err), WT_ERR_CERT);
		assert_string_equal(err.code, code);
		assert_int_equal(err.status, WT_ERR_CERT);
		assert_true(err.object[0] != '\0' && err.reason[0] != '\0');
		count++;
	}
	fclose(codes);
	while ((entry = readdir(folder)))
		if (strncmp(entry->d_name, "bad-", 4) == 0)
			file_count++;
	closedir(folder);
	/* each but the list itself */
	assert_int_equal(count, file_count - 1);
}

static void every_other_file_is_accepted(void **state)
{
	DIR *folder = opendir(CERTS);
	struct dirent *entry = NULL;
	char path[512] = "";

	(void)state;
	assert_non_null(folder);
	while ((entry = readdir(folder))) {
		struct wt_error err = {0};

		if (entry->d_name[0] == '.' ||
			strncmp(entry->d_name, "bad-", 4) == 0)
			continue;
		snprintf(path, sizeof(path), CERTS "%s", entry->d_name);
		assert_ok(read_and_judge(path, &err), &err);
	}
	closedir(folder);
}

/*
 * Each prefix gives an error with a code, or fewer certificates than the whole;
 * in memory of its own size, so that asan sees one byte too many.
 */
static void every_prefix_is_an_error_or_a_shorter_result(void **state)
{
	static const char *const names[] = {"bundle.pem", "with-key.pem",
		"trusted.pem", "root-ec-p256.der", "bundle.p7b",
		"bundle-ber.p7b", "three.sst", "two-and-others.reg",
		"root-regedit4.reg", "root.blob", "bundle-utf16be.pem"};

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct bytes bytes = {0};
		struct wt_cert_list *whole = list_read(names[i]);
		char path[512] = "";
		size_t step = 0;

		snprintf(path, sizeof(path), CERTS "%s", names[i]);
		bytes = bytes_read(path);
		/* every byte of a large file would take long and show little */
		step = bytes.len > 4000 ? 5 : 1;
		for (size_t len = 0; len < bytes.len; len += step) {
			struct wt_cert_list *list = list_new();
			struct wt_error err = {0};
			uint8_t *copy = malloc(len ? len : 1);
			enum wt_status status = WT_OK;

			memcpy(copy, bytes.data, len);
			status = wt_cert_list_read_memory(
				list, copy, len, "prefix", &err);
			if (status == WT_OK) {
				assert_true(wt_cert_list_count(list) > 0);
				assert_true(wt_cert_list_count(list) <=
					    wt_cert_list_count(whole));
			} else {
				assert_int_equal(status, WT_ERR_CERT);
				assert_true(err.code[0] && err.reason[0]);
				assert_int_equal(wt_cert_list_count(list), 0);
			}
			free(copy);
			wt_cert_list_free(list);
		}
		free(bytes.data);
		wt_cert_list_free(whole);
	}
}

static void one_with_properties_wins_over_the_same_without(void **state)
{
	struct wt_cert_list *list = list_read("root-rsa2048.der");
	struct wt_error err = {0};

	(void)state;
	assert_null(info_at(list, 0)->blob);
	assert_ok(wt_cert_list_read(list, CERTS "root.reg", &err), &err);
	assert_int_equal(wt_cert_list_count(list), 1);
	assert_non_null(info_at(list, 0)->blob);
	/* and stays when the bare one comes once more */
	assert_ok(wt_cert_list_read(list, CERTS "bundle.pem", &err), &err);
	assert_int_equal(wt_cert_list_count(list), 3);
	assert_non_null(info_at(list, 0)->blob);
	wt_cert_list_free(list);
}

static void of_two_with_properties_the_first_stays(void **state)
{
	struct wt_cert_list *list = list_read("root.reg");
	struct wt_error err = {0};

	(void)state;
	assert_non_null(info_at(list, 0)->usages);
	assert_ok(wt_cert_list_read(list, CERTS "cert-first.blob", &err), &err);
	assert_int_equal(wt_cert_list_count(list), 1);
	assert_non_null(info_at(list, 0)->usages);
	wt_cert_list_free(list);
}

static void base64_ends_with_its_padding(void **state)
{
	static const char *const bodies[] = {
		"AA==AAAA", "AA=A", "A===", "AA=", "AAA", "====", "AAAA="};
	struct wt_cert_list *list = list_new();

	(void)state;
	for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
		struct wt_error err = {0};
		char text[128] = "";

		snprintf(text, sizeof(text),
			"-----BEGIN CERTIFICATE-----\n%s\n"
			"-----END CERTIFICATE-----\n",
			bodies[i]);
		assert_int_equal(wt_cert_list_read_memory(
					 list, text, strlen(text), "x", &err),
			WT_ERR_CERT);
		assert_string_equal(err.code, "pem-bad-base64");
	}
	wt_cert_list_free(list);
}

static void failure_leaves_the_list_as_it_was(void **state)
{
	struct wt_cert_list *list = list_read("with-key.pem");
	struct wt_error err = {0};

	(void)state;
	/* the first block is good, the second is not */
	assert_int_equal(
		wt_cert_list_read(list, CERTS "bad-pem-second.pem", &err),
		WT_ERR_CERT);
	assert_non_null(
		strstr(err.object, "bad-pem-second.pem, certificate 2"));
	assert_int_equal(wt_cert_list_count(list), 1);
	assert_int_equal(wt_cert_list_note_count(list), 1);
	wt_cert_list_free(list);
}

/* An .sst of count certificates that differ in their serial number alone. */
static struct wt_writer sst_make(size_t count)
{
	static const uint8_t serial[] = {
		0x12, 0x34, 0x56, 0x78, 0x90, 0xAB, 0xCD, 0xEF};
	struct bytes der = bytes_read(CERTS "intermediate.der");
	uint8_t *at = memmem(der.data, der.len, serial, sizeof(serial));
	struct wt_writer sst = {0};

	assert_non_null(at);
	wt_writer_u32(&sst, 0);
	wt_writer_bytes(&sst, "CERT", 4);
	for (size_t i = 0; i < count; i++) {
		memcpy(at, &i, sizeof(i));
		wt_writer_u32(&sst, WT_PROP_CERTIFICATE);
		wt_writer_u32(&sst, 1);
		wt_writer_u32(&sst, (uint32_t)der.len);
		wt_writer_bytes(&sst, der.data, der.len);
	}
	for (int i = 0; i < 3; i++)
		wt_writer_u32(&sst, 0);
	free(der.data);
	return sst;
}

static void store_of_500_is_read_in_its_order(void **state)
{
	struct wt_writer sst = sst_make(500);
	struct wt_cert_list *list = list_new();
	struct wt_error err = {0};

	(void)state;
	assert_ok(wt_cert_list_read_memory(
			  list, sst.data, sst.len, "500.sst", &err),
		&err);
	assert_int_equal(wt_cert_list_count(list), 500);
	/* 499, behind what the issuer counted */
	assert_string_equal(info_at(list, 499)->serial + 4, "F301000000000000");
	wt_cert_list_free(list);
	wt_writer_free(&sst);
}

static void pem_of_100000_blocks_takes_no_quadratic_time(void **state)
{
	static const char other[] = "-----BEGIN X-----\n-----END X-----\n";
	struct bytes pem = bytes_read(CERTS "root-ed25519.pem");
	struct wt_cert_list *list = list_new();
	struct wt_writer text = {0};
	struct wt_error err = {0};
	struct timespec start = {0}, end = {0};

	(void)state;
	for (size_t i = 0; i < 100000; i++)
		wt_writer_bytes(&text, pem.data, pem.len);
	for (size_t i = 0; i < 100000; i++)
		wt_writer_bytes(&text, other, strlen(other));
	assert_true(text.len < WT_CERT_FILE_MAX);
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &start);
	assert_ok(wt_cert_list_read_memory(
			  list, text.data, text.len, "many.pem", &err),
		&err);
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &end);
	assert_int_equal(wt_cert_list_count(list), 1);
	/* far more than it needs, even under valgrind or asan */
	assert_true(end.tv_sec - start.tv_sec < 60);
	wt_cert_list_free(list);
	wt_writer_free(&text);
	free(pem.data);
}

/* Each certificate is parsed once, however often it seems to begin. */
static void repeated_beginnings_take_no_quadratic_time(void **state)
{
	static const char *const texts[] = {"-----BEGIN CERTIFICATE-----\n",
		"-----END CERTIFICATE-----\n", "----BEGIN CERTIFICATE-----\n",
		"-----BEGIN X-----\n", "BEGIN ", "- BEGIN CERTIFICATE ",
		"# -----BEGIN CERTIFICATE-----",
		"MIIEvQIBADANMIIEvQIBADANMIIEvQIBADANMIIEvQIBADAN%",
		"MIIEvQIBADANMIIEvQIBADANMIIEvQIBADANMIIEvQIBADAN\n",
		"cACertificate:: MIIEvQIBADANMIIEvQIBADANMIIEvQIBADAN\n A\n",
		"0\x82\x0F\xFF\x30\x82\x0F\x01\xA0\x03\x02"};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct bytes pem = bytes_read(CERTS "root-ed25519.pem");
		struct wt_writer text = {0};
		struct timespec start = {0}, end = {0};

		wt_writer_bytes(&text, pem.data, pem.len);
		wt_writer_bytes(&text, "%\n", 2);
		while (text.len < (size_t)4 * 1024 * 1024)
			wt_writer_bytes(&text, texts[i], strlen(texts[i]));
		clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &start);
		for (size_t skip = 0; skip < 2; skip++) {
			struct wt_cert_list *list = list_new();

			wt_cert_list_keep_going(list, true);
			wt_cert_list_read_memory(list,
				text.data + skip * pem.len,
				text.len - skip * pem.len, "many", NULL);
			assert_int_equal(wt_cert_list_count(list), 1 - skip);
			wt_cert_list_free(list);
		}
		clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &end);
		assert_true(end.tv_sec - start.tv_sec < 30);
		wt_writer_free(&text);
		free(pem.data);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_kind_is_told_by_content),
		cmocka_unit_test(every_form_of_an_export_gives_the_same_bytes),
		cmocka_unit_test(every_bad_file_is_refused_with_its_code),
		cmocka_unit_test(every_other_file_is_accepted),
		cmocka_unit_test(every_prefix_is_an_error_or_a_shorter_result),
		cmocka_unit_test(
			one_with_properties_wins_over_the_same_without),
		cmocka_unit_test(of_two_with_properties_the_first_stays),
		cmocka_unit_test(base64_ends_with_its_padding),
		cmocka_unit_test(failure_leaves_the_list_as_it_was),
		cmocka_unit_test(store_of_500_is_read_in_its_order),
		cmocka_unit_test(pem_of_100000_blocks_takes_no_quadratic_time),
		cmocka_unit_test(repeated_beginnings_take_no_quadratic_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
