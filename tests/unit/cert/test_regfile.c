/* SPDX-License-Identifier: MIT
 * test_regfile.c: registry exports, written as regedit does and read back. */
#include "cert/reg.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "testfile.h"

#define CERTS WT_TESTDATA "/certs/"

static struct wt_cert_list *list_read(const char *path)
{
	struct wt_cert_list *list = NULL;
	struct wt_error err = {0};

	assert_int_equal(wt_cert_list_new(&list, NULL), WT_OK);
	assert_ok(wt_cert_list_read(list, path, &err), &err);
	return list;
}

/* root.reg was made by other code, from what regedit's own exports show. */
static void export_equals_another_writers_to_the_byte(void **state)
{
	struct bytes expected = bytes_read(CERTS "root.reg");
	struct wt_cert_list *list = list_read(CERTS "root.reg");
	const struct wt_cert_info *info =
		wt_cert_info(wt_cert_list_get(list, 0));
	struct wt_export_value value = {
		"ROOT", info->sha1, info->blob, info->blob_len};
	struct wt_error err = {0};
	uint8_t *data = NULL;
	size_t data_len = 0;

	(void)state;
	assert_ok(wt_export_reg(&value, 1, NULL, &data, &data_len, &err), &err);
	assert_int_equal(data_len, expected.len);
	assert_memory_equal(data, expected.data, expected.len);
	wt_free(data);
	wt_cert_list_free(list);
	free(expected.data);
}

/* 22 bytes on the first line and 25 on the others, as regedit has it. */
static void lines_wrap_where_regedit_wraps(void **state)
{
	static const struct {
		size_t len;
		const char *text;
	} cases[] = {
		{0, "\"Blob\"=hex:\r\n"},
		{1, "\"Blob\"=hex:ab\r\n"},
		{22, "\"Blob\"=hex:ab,ab,ab,ab,ab,ab,ab,ab,ab,ab,ab,ab,ab,ab,"
		     "ab,ab,ab,ab,ab,ab,ab,ab\r\n"},
		{23, "\"Blob\"=hex:ab,ab,ab,ab,ab,ab,ab,ab,ab,ab,ab,ab,ab,ab,"
		     "ab,ab,ab,ab,ab,ab,ab,ab,\\\r\n  ab\r\n"},
		{48, "\"Blob\"=hex:ab,ab,ab,ab,ab,ab,ab,ab,ab,ab,ab,ab,ab,ab,"
		     "ab,ab,ab,ab,ab,ab,ab,ab,\\\r\n  ab,ab,ab,ab,ab,ab,ab,ab,"
		     "ab,ab,ab,ab,ab,ab,ab,ab,ab,ab,ab,ab,ab,ab,ab,ab,ab,\\\r\n"
		     "  ab\r\n"},
	};
	uint8_t blob[64];

	(void)state;
	memset(blob, 0xAB, sizeof(blob));
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct wt_export_value value = {"CA", "00", blob, cases[i].len};
		uint8_t *data = NULL;
		char text[512] = "";
		size_t data_len = 0, len = strlen(cases[i].text);

		assert_int_equal(
			wt_export_reg(&value, 1, "x", &data, &data_len, NULL),
			WT_OK);
		/* the value's line, before the empty one that ends it all */
		for (size_t j = 0; j < len; j++)
			text[j] = (char)data[data_len - 2 * len - 4 + 2 * j];
		assert_string_equal(text, cases[i].text);
		wt_free(data);
	}
}

static void several_stores_are_read_back_to_the_same_bytes(void **state)
{
	struct wt_cert_list *list = list_read(CERTS "three.sst");
	struct wt_cert_list *again = NULL;
	struct wt_export_value values[3] = {{0}};
	struct wt_error err = {0};
	uint8_t *data = NULL;
	size_t data_len = 0;

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		const struct wt_cert_info *info =
			wt_cert_info(wt_cert_list_get(list, i));

		values[i] = (struct wt_export_value){
			wt_store_name((enum wt_store)(i + 1)), info->sha1,
			info->blob, info->blob_len};
	}
	assert_ok(wt_export_reg(
			  values, 3, "winpe-offline", &data, &data_len, &err),
		&err);
	assert_int_equal(wt_cert_list_new(&again, NULL), WT_OK);
	assert_ok(
		wt_cert_list_read_memory(again, data, data_len, "export", &err),
		&err);
	assert_int_equal(wt_cert_list_count(again), 3);
	assert_int_equal(wt_cert_list_note_count(again), 0);
	for (size_t i = 0; i < 3; i++) {
		const struct wt_cert_info *info =
			wt_cert_info(wt_cert_list_get(again, i));

		assert_int_equal(info->blob_len, values[i].blob_len);
		assert_memory_equal(
			info->blob, values[i].blob, values[i].blob_len);
	}
	wt_free(data);
	wt_cert_list_free(again);
	wt_cert_list_free(list);
}

/* The export of a whole hive holds what Windows distrusts, and what it trusts
 * for less than a root: read back, none of it must become a root, in whatever
 * order it comes. */
static void what_stood_in_a_lesser_store_goes_there_again(void **state)
{
	struct wt_cert_list *list = list_read(CERTS "root.reg");
	const struct wt_cert_info *info =
		wt_cert_info(wt_cert_list_get(list, 0));
	static const struct {
		const char *stores[2];
		enum wt_store store;
	} cases[] = {
		{{"Disallowed", "AuthRoot"}, WT_STORE_DISALLOWED},
		{{"AuthRoot", "disallowed"}, WT_STORE_DISALLOWED},
		{{"Disallowed", "Disallowed"}, WT_STORE_DISALLOWED},
		{{"TrustedPeople", "Disallowed"}, WT_STORE_DISALLOWED},
		{{"TrustedPeople", "TrustedPeople"}, WT_STORE_TRUSTEDPEOPLE},
		{{"trustedpublisher", "TrustedPublisher"},
			WT_STORE_TRUSTEDPUBLISHER},
		{{"TrustedPeople", "ROOT"}, WT_STORE_AUTHROOT},
		{{"ROOT", "CA"}, WT_STORE_AUTHROOT},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct wt_export_value values[] = {
			{cases[i].stores[0], info->sha1, info->blob,
				info->blob_len},
			{cases[i].stores[1], info->sha1, info->blob,
				info->blob_len},
		};
		struct wt_cert_list *again = NULL;
		enum wt_store store = WT_STORE_AUTO;
		uint8_t *data = NULL;
		size_t data_len = 0;

		assert_int_equal(wt_export_reg(values, 2, "SOFTWARE", &data,
					 &data_len, NULL),
			WT_OK);
		assert_int_equal(wt_cert_list_new(&again, NULL), WT_OK);
		assert_int_equal(wt_cert_list_read_memory(
					 again, data, data_len, "x", NULL),
			WT_OK);
		assert_int_equal(wt_cert_list_count(again), 1);
		assert_int_equal(wt_cert_policy(wt_cert_list_get(again, 0),
					 WT_STORE_AUTO, 0, 1795000000, &store,
					 NULL, NULL),
			WT_OK);
		assert_int_equal(store, cases[i].store);
		wt_free(data);
		wt_cert_list_free(again);
	}
	wt_cert_list_free(list);
}

static void what_is_skipped_is_named_when_asked(void **state)
{
	static const char *const notes[] = {
		"skipped the key HKEY_LOCAL_MACHINE\\SOFTWARE\\Fabrikam",
		"skipped the value @ of HKEY_LOCAL_MACHINE\\SOFTWARE\\Fabrikam",
		"skipped the value \"Path\" of ",
		"skipped the value \"Dword\" of ",
		"skipped the value \"Multi\" of ",
		"skipped the value \"Note\" of ",
		"skipped the key -HKEY_LOCAL_MACHINE\\SOFTWARE\\Gone",
		"\\ROOT\\Certificates",
		("skipped 3 other keys and 5 other values, the first "
		 "HKEY_LOCAL_MACHINE\\SOFTWARE\\Fabrikam"),
	};
	size_t count = sizeof(notes) / sizeof(notes[0]);
	struct wt_cert_list *list = NULL;

	(void)state;
	assert_int_equal(wt_cert_list_new(&list, NULL), WT_OK);
	wt_cert_list_name_skipped(list, true);
	assert_int_equal(
		wt_cert_list_read(list, CERTS "two-and-others.reg", NULL),
		WT_OK);
	assert_int_equal(wt_cert_list_note_count(list), count);
	for (size_t i = 0; i < count; i++)
		assert_non_null(strstr(wt_cert_list_note(list, i), notes[i]));
	wt_cert_list_free(list);
	list = list_read(CERTS "two-and-others.reg");
	assert_int_equal(wt_cert_list_note_count(list), 1);
	assert_non_null(strstr(wt_cert_list_note(list, 0), notes[count - 1]));
	wt_cert_list_free(list);
}

static void name_that_no_key_can_have_is_refused(void **state)
{
	static const char *const names[] = {"", "a\\b", "a]b", "a\nb", "\xC3("};
	uint8_t *data = NULL;
	size_t data_len = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct wt_error err = {0};

		assert_int_equal(wt_export_reg(NULL, 0, names[i], &data,
					 &data_len, &err),
			WT_ERR_USAGE);
		assert_string_equal(err.code, "reg-bad-root-name");
		assert_null(data);
	}
}

static void errors_name_the_line(void **state)
{
	static const struct {
		const char *text;
		const char *reason;
	} cases[] = {
		{"REGEDIT4\r\n\r\n[HKEY_X\\a]\r\n\"a\"=\"b\r\nc\"\r\nwhat\r\n",
			"line 6: this is neither a key nor a value"},
		{"REGEDIT4\n[HKEY_X\\a]\n\"a\"=hex:01,\\\n  02\nwhat\n",
			"line 5: this is neither a key nor a value"},
		{"\n\nREGEDIT4\n[HKEY_X\\a]\n\"a\" 5\n",
			"line 5: a value's '=' is missing"},
	};
	struct wt_cert_list *list = NULL;

	(void)state;
	assert_int_equal(wt_cert_list_new(&list, NULL), WT_OK);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct wt_error err = {0};

		assert_int_equal(wt_cert_list_read_memory(list, cases[i].text,
					 strlen(cases[i].text), "x", &err),
			WT_ERR_CERT);
		assert_string_equal(err.reason, cases[i].reason);
	}
	wt_cert_list_free(list);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(export_equals_another_writers_to_the_byte),
		cmocka_unit_test(lines_wrap_where_regedit_wraps),
		cmocka_unit_test(
			several_stores_are_read_back_to_the_same_bytes),
		cmocka_unit_test(what_stood_in_a_lesser_store_goes_there_again),
		cmocka_unit_test(what_is_skipped_is_named_when_asked),
		cmocka_unit_test(name_that_no_key_can_have_is_refused),
		cmocka_unit_test(errors_name_the_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
