/* SPDX-License-Identifier: MIT
 * test_wim_text.c: text from a WIM becomes valid UTF-8. */
#include "wim_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

#define BAD "\xef\xbf\xbd"

static void text_becomes_valid_utf8(void **state)
{
	static const struct {
		const char *in, *out;
	} rows[] = {
		{"", ""},
		{"Windows PE", "Windows PE"},
		{"Gr\xc3\xb6\xc3\x9f"
		 "e",
			"Gr\xc3\xb6\xc3\x9f"
			"e"},
		{"\xe2\x82\xac \xf0\x9f\x98\x80",
			"\xe2\x82\xac \xf0\x9f\x98\x80"},
		{"a\xff"
		 "b",
			"a" BAD "b"},
		{"\xc0\x80", BAD BAD},
		{"\xed\xa0\x80", BAD BAD BAD},
		{"\xf4\x90\x80\x80", BAD BAD BAD BAD},
		{"\xe2\x82", BAD BAD},
		{"\xf0\x9f\x98", BAD BAD BAD},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char dst[64] = "";

		wt_wim_text_copy(dst, sizeof(dst), rows[i].in);
		assert_string_equal(dst, rows[i].out);
	}
}

static void text_is_cut_between_characters(void **state)
{
	char dst[6] = "";

	(void)state;
	wt_wim_text_copy(dst, 5, "abc\xe2\x82\xac");
	assert_string_equal(dst, "abc");
	wt_wim_text_copy(dst, 6, "ab\xe2\x82\xac");
	assert_string_equal(dst, "ab\xe2\x82\xac");
	wt_wim_text_copy(dst, 4, "ab\xff");
	assert_string_equal(dst, "ab");
	wt_wim_text_copy(dst, 1, "ab");
	assert_string_equal(dst, "");
	wt_wim_text_copy(dst, sizeof(dst), NULL);
	assert_string_equal(dst, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_becomes_valid_utf8),
		cmocka_unit_test(text_is_cut_between_characters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
