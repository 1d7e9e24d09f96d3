/* SPDX-License-Identifier: MIT
 * test_cli_text.c: text from files made fit for a terminal and for JSON. */
#include "options.h"
#include "output/text.h"

#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void text_that_commands_a_terminal_is_escaped(void **state)
{
	static const struct {
		const char *text, *safe, *valid;
	} rows[] = {
		{"", "", ""},
		{NULL, "", ""},
		{"CN=Plain, O=\\,", "CN=Plain, O=\\,", "CN=Plain, O=\\,"},
		{"\x1b[31m\n\t\x7f", "\\x1b[31m\\x0a\\x09\\x7f",
			"\x1b[31m\n\t\x7f"},
		{"\xC2\x9B"
		 "31m",
			"\\u009b31m",
			"\xC2\x9B"
			"31m"},
		/* direction overrides, isolates, marks, zero width, tags */
		{"a\xE2\x80\xAE"
		 "b",
			"a\\u202eb",
			"a\xE2\x80\xAE"
			"b"},
		{"\xE2\x81\xA6\xE2\x80\x8B\xEF\xBB\xBF",
			"\\u2066\\u200b\\ufeff",
			"\xE2\x81\xA6\xE2\x80\x8B\xEF\xBB\xBF"},
		{"\xF3\xA0\x81\x81", "\\U000e0041", "\xF3\xA0\x81\x81"},
		/* what is shown as it is */
		{"\xC3\xA9\xE6\x97\xA5\xF0\x9F\x94\x92",
			"\xC3\xA9\xE6\x97\xA5\xF0\x9F\x94\x92",
			"\xC3\xA9\xE6\x97\xA5\xF0\x9F\x94\x92"},
		/* no UTF-8: a lone byte, overlong, surrogate, too large, cut */
		{"\xFF", "\\xff", "\xEF\xBF\xBD"},
		{"\xC0\xAF", "\\xc0\\xaf", "\xEF\xBF\xBD\xEF\xBF\xBD"},
		{"\xED\xA0\x80", "\\xed\\xa0\\x80",
			"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD"},
		{"\xF4\x90\x80\x80", "\\xf4\\x90\\x80\\x80",
			"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD"},
		{"\xE6\x97", "\\xe6\\x97", "\xEF\xBF\xBD\xEF\xBF\xBD"},
		{"\xE6x", "\\xe6x", "\xEF\xBF\xBDx"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char *safe = cli_text_safe(rows[i].text);
		char *valid = cli_text_utf8(rows[i].text);

		assert_string_equal(safe, rows[i].safe);
		assert_string_equal(valid, rows[i].valid);
		free(valid);
		free(safe);
	}
}

#define DOTS "\xE2\x80\xA6"

static void long_text_is_shortened_in_the_middle(void **state)
{
	static const struct {
		const char *text;
		size_t width;
		const char *shortened;
	} rows[] = {
		{"abcdefghij", 10, "abcdefghij"},
		{"abcdefghij", 9, "abcd" DOTS "ghij"},
		{"abcdefghij", 6, "abc" DOTS "ij"},
		{"abcdefghij", 2, "a" DOTS},
		{"abcdefghij", 1, "abcdefghij"},
		/* wide characters are never halved */
		{"\xE6\x97\xA5\xE6\x9C\xAC\xE8\xAA\x9E", 5,
			"\xE6\x97\xA5" DOTS "\xE8\xAA\x9E"},
		{"\xE6\x97\xA5\xE6\x9C\xAC\xE8\xAA\x9E", 4,
			"\xE6\x97\xA5" DOTS},
		/* nor is a mark left without its letter */
		{"abcde\xCC\x81"
		 "f",
			4, "ab" DOTS "f"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char *shortened = cli_text_shorten(rows[i].text, rows[i].width);

		assert_string_equal(shortened, rows[i].shortened);
		free(shortened);
	}
}

static void sizes_and_times_are_readable(void **state)
{
	char size[CLI_SIZE_MAX], when[CLI_TIME_MAX];

	(void)state;
	assert_string_equal(cli_text_size(size, 0), "0 bytes");
	assert_string_equal(cli_text_size(size, 999), "999 bytes");
	assert_string_equal(cli_text_size(size, 1000), "1.0 kB");
	assert_string_equal(cli_text_size(size, 637210112), "637.2 MB");
	assert_string_equal(cli_text_size(size, 999960000), "1.0 GB");
	assert_string_equal(cli_text_size(size, UINT64_MAX), "18.4 EB");
	assert_string_equal(cli_text_date(when, 0), "1970-01-01");
	assert_string_equal(
		cli_text_time(when, 1735689599), "2024-12-31T23:59:59Z");
	assert_string_equal(cli_text_date(when, -62135596800), "0001-01-01");
	assert_string_equal(cli_text_date(when, 253402300799), "9999-12-31");
	/* More years than struct tm can count. */
	assert_string_equal(cli_text_time(when, INT64_MAX), "?");
}

static void mistyped_word_finds_the_near_one(void **state)
{
	static const char *const words[] = {
		"add", "remove", "list", "completion", "keep-going", NULL};
	static const struct {
		const char *word, *near;
	} rows[] = {
		{"lsit", "list"},
		{"comp", "completion"},
		{"remov", "remove"},
		{"delete", NULL},
		{"ad", "add"},
		{"x", NULL},
		{"keep_going", "keep-going"},
		{"", NULL},
		{"a-word-that-is-longer-than-any-option-could-be", NULL},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *near = cli_nearest(rows[i].word, words);

		if (rows[i].near)
			assert_string_equal(near, rows[i].near);
		else
			assert_null(near);
	}
}

static void text_is_wrapped_at_commas_and_spaces(void **state)
{
	static const struct {
		const char *text;
		size_t width, len;
	} rows[] = {
		{"", 10, 0},
		{"CN=Root", 7, 7},
		{"CN=Root,O=Contoso", 17, 17},
		{"CN=Root,O=Contoso", 16, 8},
		/* A comma near the end rather than the last space. */
		{"CN=A Root,O=B C", 12, 10},
		/* A part that fits on a line of its own is not cut. */
		{"O=X,CN=A Root CA", 13, 4},
		{"O=X,CN=A Root CA", 10, 9},
		{"O=X,CN=A Root,C=DE", 10, 4},
		{"O=X,CN=A\\, Root", 13, 4},
		{"O=X\\, CN=A Root", 13, 11},
		{"x, and a=b", 8, 7},
		{"is not in the image", 10, 10},
		{"is not in the image", 9, 9},
		{"abcdefgh", 3, 3},
		{"abcdefgh", 0, 1},
		{"\xE3\x82\xB3\xE3\x83\xB3", 3, 3},
		{"\xE3\x82\xB3\xE3\x83\xB3", 4, 6},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_int_equal(cli_text_wrap(rows[i].text, rows[i].width),
			rows[i].len);
}

static void common_name_has_a_width(void **state)
{
	static const struct {
		const char *name;
		size_t width;
	} rows[] = {
		{"", 0},
		{"CN=Root", 7},
		{"CN=Root,O=Contoso", 8},
		{"O=Contoso,CN=Root", 7},
		{"O=A\\,CN=B,CN=A\\,B C,C=DE", 10},
		{"O=Contoso", 0},
		{"OCN=Root", 0},
		{"the root CN=Root", 0},
		{"CN=\xE3\x82\xB3\xE3\x83\xB3", 7},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_int_equal(
			cli_text_cn_width(rows[i].name), rows[i].width);
}

static void subject_is_called_by_its_common_name(void **state)
{
	static const struct {
		const char *subject, *name;
	} rows[] = {
		{"CN=Contoso Root CA,O=Contoso", "Contoso Root CA"},
		{"emailAddress=a@b,CN=Root\\, Inc.,C=CZ", "Root\\, Inc."},
		{"O=CN\\,CN=x", "O=CN\\,CN=x"},
		{"O=Contoso", "O=Contoso"},
		{"", ""},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char *name = cli_text_name(rows[i].subject);

		assert_string_equal(name, rows[i].name);
		free(name);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_that_commands_a_terminal_is_escaped),
		cmocka_unit_test(long_text_is_shortened_in_the_middle),
		cmocka_unit_test(text_is_wrapped_at_commas_and_spaces),
		cmocka_unit_test(common_name_has_a_width),
		cmocka_unit_test(subject_is_called_by_its_common_name),
		cmocka_unit_test(sizes_and_times_are_readable),
		cmocka_unit_test(mistyped_word_finds_the_near_one),
	};

	setenv("LC_ALL", "C.UTF-8", 1);
	cli_text_init();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
