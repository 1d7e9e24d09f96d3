/* SPDX-License-Identifier: MIT
 * test_text.c: bytes, text and ASN.1 elements that come from files. */
#include "base/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "cert/der.h"

static void reader_stays_failed_after_the_first_read_too_far(void **state)
{
	static const uint8_t data[] = {1, 2, 3, 4, 5, 6, 7, 8, 9};
	struct wt_reader reader = wt_reader_init(data, sizeof(data));

	(void)state;
	assert_non_null(wt_reader_bytes(&reader, 2));
	assert_int_equal(wt_reader_u32(&reader), 0x06050403);
	assert_int_equal(wt_reader_u32(&reader), 0);
	assert_true(reader.has_failed);
	/* what would fit is not read any more */
	assert_null(wt_reader_bytes(&reader, 1));
	assert_int_equal(wt_reader_left(&reader), 0);
	assert_null(wt_reader_bytes(&reader, 1));
	reader = wt_reader_init(data, sizeof(data));
	assert_true(wt_reader_u64(&reader) == UINT64_C(0x0807060504030201));
	assert_null(wt_reader_bytes(&reader, SIZE_MAX));
}

static void writer_grows_and_refuses_to_overflow(void **state)
{
	struct wt_writer writer = {0};

	(void)state;
	for (uint32_t i = 0; i < 1000; i++)
		wt_writer_u32(&writer, i);
	wt_writer_u16(&writer, 0x1234);
	assert_int_equal(writer.len, 4002);
	assert_int_equal(writer.data[4000], 0x34);
	assert_int_equal(writer.data[4], 1);
	assert_false(wt_writer_reserve(&writer, SIZE_MAX));
	assert_true(writer.has_failed);
	wt_writer_u16(&writer, 1);
	assert_int_equal(writer.len, 4002);
	wt_writer_free(&writer);
	assert_null(writer.data);
}

static void control_characters_and_bad_utf8_are_escaped(void **state)
{
	static const struct {
		const char *text;
		const char *clean;
	} cases[] = {
		{"plain", "plain"},
		{"\xC3\xA9 \xE2\x82\xAC \xF0\x9F\x94\x91",
			"\xC3\xA9 \xE2\x82\xAC \xF0\x9F\x94\x91"},
		{"\x1b[31m\n\t\x7F", "\\x1B[31m\\x0A\\x09\\x7F"},
		{"\xC2\x9B", "\\xC2\\x9B"},
		{"\xE2\x80\xAE", "\\xE2\\x80\\xAE"},
		/* cut short, overlong, a surrogate, over U+10FFFF */
		{"a\xC3", "a\\xC3"},
		{"\xE2\x82", "\\xE2\\x82"},
		{"\xC0\xAF", "\\xC0\\xAF"},
		{"\xE0\x80\xAF", "\\xE0\\x80\\xAF"},
		{"\xED\xA0\x80", "\\xED\\xA0\\x80"},
		{"\xF4\x90\x80\x80", "\\xF4\\x90\\x80\\x80"},
		{"\xFF\xFE", "\\xFF\\xFE"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		size_t len = strlen(cases[i].text);
		char *copy = malloc(len);
		char *clean = NULL;

		memcpy(copy, cases[i].text, len);
		clean = wt_text_clean_dup(copy, len);
		assert_string_equal(clean, cases[i].clean);
		free(clean);
		free(copy);
	}
}

static void text_is_cut_at_a_character(void **state)
{
	char text[] = "ab\xE2\x82\xAC";

	(void)state;
	wt_text_cut(text, 6);
	assert_int_equal(strlen(text), 5);
	wt_text_cut(text, 5);
	assert_string_equal(text, "ab");
	wt_text_cut(text, 1);
	assert_string_equal(text, "");
}

static void utf16_comes_back_as_it_went(void **state)
{
	static const char text[] = "A\xC3\xA9\xE2\x82\xAC\xF0\x9F\x94\x91z";
	static const uint8_t lone[] = {
		0x3D, 0xD8, 'x', 0, 0x11, 0xDD, 0x3D, 0xD8, 'y'};
	struct wt_writer units = {0}, back = {0};

	(void)state;
	assert_true(wt_text_to_utf16le(&units, text, strlen(text)));
	assert_int_equal(units.len, 12);
	wt_text_from_utf16(&back, units.data, units.len, false);
	assert_int_equal(back.len, strlen(text));
	assert_memory_equal(back.data, text, back.len);
	back.len = 0;
	/* lone surrogates, and half a unit at the end */
	wt_text_from_utf16(&back, lone, sizeof(lone), false);
	assert_int_equal(back.len, 10);
	assert_memory_equal(
		back.data, "\xEF\xBF\xBDx\xEF\xBF\xBD\xEF\xBF\xBD", 10);
	assert_false(wt_text_to_utf16le(&units, "\xFF", 1));
	wt_writer_free(&units);
	wt_writer_free(&back);
}

static void thumbprint_is_40_hex_digits(void **state)
{
	static const char good[] = "0123456789abcdefABCDEF012345678901234567";
	static const char bad[] = "0123456789abcdefABCDEG012345678901234567";

	(void)state;
	assert_true(wt_text_is_thumbprint(good, 40));
	assert_false(wt_text_is_thumbprint(good, 39));
	assert_false(wt_text_is_thumbprint(bad, 40));
}

static void elements_are_der_ber_or_neither(void **state)
{
	static const struct {
		const char *bytes;
		size_t len;
		enum wt_der_status read;
		enum wt_der_status check;
	} cases[] = {
		{"\x30\x03\x02\x01\x05", 5, WT_DER_OK, WT_DER_OK},
		{"\x30\x03\x02\x01\x05", 4, WT_DER_TRUNCATED, WT_DER_OK},
		{"\x30", 1, WT_DER_TRUNCATED, WT_DER_OK},
		{"\x30\x82\x01", 3, WT_DER_TRUNCATED, WT_DER_OK},
		{"\x30\xFF", 2, WT_DER_INVALID, WT_DER_OK},
		{"\x3F\x01\x00", 3, WT_DER_INVALID, WT_DER_OK},
		{"\x02\x80\x00\x00", 4, WT_DER_INVALID, WT_DER_OK},
		/* lengths that are too long, or not there */
		{"\x30\x81\x03\x02\x01\x05", 6, WT_DER_OK, WT_DER_NOT_DER},
		{"\x30\x04\x02\x81\x01\x05", 6, WT_DER_OK, WT_DER_NOT_DER},
		{"\x30\x80\x02\x01\x05\x00\x00", 7, WT_DER_OK, WT_DER_NOT_DER},
		{"\x30\x80\x02\x01\x05\x00", 6, WT_DER_TRUNCATED, WT_DER_OK},
		/* integers and truths in other forms */
		{"\x30\x04\x02\x02\x00\x05", 6, WT_DER_OK, WT_DER_NOT_DER},
		{"\x30\x04\x02\x02\xFF\x85", 6, WT_DER_OK, WT_DER_NOT_DER},
		{"\x30\x04\x02\x02\x00\x85", 6, WT_DER_OK, WT_DER_OK},
		{"\x30\x02\x02\x00", 4, WT_DER_OK, WT_DER_NOT_DER},
		{"\x30\x03\x01\x01\x01", 5, WT_DER_OK, WT_DER_NOT_DER},
		{"\x30\x03\x01\x01\xFF", 5, WT_DER_OK, WT_DER_OK},
		/* a string in parts; the same tag of another class */
		{"\x30\x05\x24\x03\x04\x01\x00", 7, WT_DER_OK, WT_DER_NOT_DER},
		{"\x30\x05\xA4\x03\x04\x01\x00", 7, WT_DER_OK, WT_DER_OK},
		/* an end mark, and an element that leaves its frame */
		{"\x30\x02\x00\x00", 4, WT_DER_OK, WT_DER_NOT_DER},
		{"\x30\x03\x02\x05\x05", 5, WT_DER_OK, WT_DER_INVALID},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct wt_der element = {0};
		uint8_t *copy = malloc(cases[i].len);

		memcpy(copy, cases[i].bytes, cases[i].len);
		print_message("case %zu\n", i);
		assert_int_equal(wt_der_read(copy, cases[i].len, &element),
			cases[i].read);
		if (cases[i].read == WT_DER_OK)
			assert_int_equal(
				wt_der_check(&element), cases[i].check);
		free(copy);
	}
}

static void depth_is_bounded(void **state)
{
	static uint8_t deep[200000];
	struct wt_der element = {0};

	(void)state;
	for (size_t i = 0; i < sizeof(deep); i += 2) {
		deep[i] = 0x30;
		deep[i + 1] = 0x80;
	}
	assert_int_equal(
		wt_der_read(deep, sizeof(deep), &element), WT_DER_INVALID);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			reader_stays_failed_after_the_first_read_too_far),
		cmocka_unit_test(writer_grows_and_refuses_to_overflow),
		cmocka_unit_test(control_characters_and_bad_utf8_are_escaped),
		cmocka_unit_test(text_is_cut_at_a_character),
		cmocka_unit_test(utf16_comes_back_as_it_went),
		cmocka_unit_test(thumbprint_is_40_hex_digits),
		cmocka_unit_test(elements_are_der_ber_or_neither),
		cmocka_unit_test(depth_is_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
