/* SPDX-License-Identifier: MIT
 * test_iconv.c: the static program's conversions against the C library's. */
#include <errno.h>
#include <iconv.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* src/static/iconv.c, compiled under these names. */
iconv_t wt_iconv_open(const char *to, const char *from);
size_t wt_iconv(iconv_t handle, char **src, size_t *src_len, char **dst,
	size_t *dst_len);
int wt_iconv_close(iconv_t handle);

static const char *const names[] = {"LATIN1", "UTF-8", "UTF-16LE"};
#define NAME_COUNT (sizeof(names) / sizeof(names[0]))

struct pair {
	const char *from;
	const char *to;
	iconv_t own;
	iconv_t other;
};

static void pair_open(struct pair *pair, size_t from, size_t to)
{
	pair->from = names[from];
	pair->to = names[to];
	pair->own = wt_iconv_open(names[to], names[from]);
	pair->other = iconv_open(names[to], names[from]);
	assert_ptr_not_equal(pair->own, (iconv_t)-1);
	assert_ptr_not_equal(pair->other, (iconv_t)-1);
}

static void pair_close(struct pair *pair)
{
	assert_int_equal(wt_iconv_close(pair->own), 0);
	iconv_close(pair->other);
}

/* Both convert alike: the same bytes out of the same bytes, the same end. */
static void compare(
	const struct pair *pair, const void *data, size_t len, size_t room)
{
	/* The C library drops tag characters (U+E0000) for LATIN1, and takes
	 * what lies beyond U+10FFFF for characters. */
	static const uint8_t tag[] = {0xF3, 0xA0};
	char input[64] = "";
	char output[2][128] = {{0}};
	size_t left[2] = {len, len};
	size_t free_len[2] = {room, room};
	char *src[2] = {input, input};
	char *dst[2] = {output[0], output[1]};
	size_t ret[2] = {0, 0};
	int error[2] = {0, 0};

	if (strcmp(pair->to, "LATIN1") == 0 &&
		memmem(data, len, tag, sizeof(tag)))
		return;
	for (size_t i = 0; i < len && strcmp(pair->from, "UTF-8") == 0; i++)
		if (((const uint8_t *)data)[i] >= 0xF4)
			return;
	memcpy(input, data, len);
	errno = 0;
	ret[0] = wt_iconv(pair->own, &src[0], &left[0], &dst[0], &free_len[0]);
	error[0] = errno;
	errno = 0;
	iconv(pair->other, NULL, NULL, NULL, NULL);
	errno = 0;
	ret[1] = iconv(pair->other, &src[1], &left[1], &dst[1], &free_len[1]);
	error[1] = errno;
	/* It does not matter which comes first, a lack of room or a missing
	 * character. */
	if (error[1] == E2BIG && error[0] == EILSEQ)
		error[1] = EILSEQ;
	if (ret[0] != ret[1] || error[0] != error[1] || left[0] != left[1] ||
		free_len[0] != free_len[1] ||
		src[0] - input != src[1] - input ||
		memcmp(output[0], output[1], sizeof(output[0])) != 0) {
		for (size_t i = 0; i < len; i++)
			fprintf(stderr, "%02x ", (uint8_t)input[i]);
		fail_msg("%s to %s, room %zu: %zd %s, %zu left, not %zd %s, "
			 "%zu left",
			pair->from, pair->to, room, (ssize_t)ret[0],
			strerror(error[0]), left[0], (ssize_t)ret[1],
			strerror(error[1]), left[1]);
	}
}

static void each_start_of_a_character_converts_alike(void **state)
{
	(void)state;
	for (size_t i = 0; i < NAME_COUNT * NAME_COUNT; i++) {
		struct pair pair = {0};

		pair_open(&pair, i / NAME_COUNT, i % NAME_COUNT);
		for (unsigned first = 0; first < 0x10000; first++) {
			uint8_t data[] = {(uint8_t)first, (uint8_t)(first >> 8),
				0x80, 0xDC, 'x', 0};

			compare(&pair, data, sizeof(data), 100);
			data[3] = 0xBF;
			compare(&pair, data, sizeof(data), 100);
		}
		pair_close(&pair);
	}
}

static void random_bytes_and_short_rooms_convert_alike(void **state)
{
	uint32_t seed = 1;

	(void)state;
	for (size_t i = 0; i < NAME_COUNT * NAME_COUNT; i++) {
		struct pair pair = {0};

		pair_open(&pair, i / NAME_COUNT, i % NAME_COUNT);
		for (unsigned n = 0; n < 100000; n++) {
			uint8_t data[12] = {0};

			for (size_t k = 0; k < sizeof(data); k++) {
				seed = seed * 1664525 + 1013904223;
				data[k] = (uint8_t)(seed >> 24);
				/* mostly what is valid */
				if (n % 2 && i / NAME_COUNT == 1)
					data[k] &= 0x7F;
			}
			compare(&pair, data, sizeof(data), n % 40);
		}
		pair_close(&pair);
	}
}

static void every_character_comes_back(void **state)
{
	iconv_t there = wt_iconv_open("utf-16le", "UTF-8");
	iconv_t back = wt_iconv_open("UTF-8", "UTF-16LE");

	(void)state;
	for (uint32_t c = 0; c < 0x110000; c++) {
		char utf16[4] = "";
		char utf8[2][4] = {"", ""};
		char *ends[] = {utf8[0], utf16, utf8[1]};
		char *at[] = {utf16, utf8[0], utf16, utf8[1]};
		size_t len = c < 0x10000 ? 2 : 4;
		size_t room = 4;
		uint32_t low = 0xDC00 + (c & 0x3FF);
		uint32_t unit = c < 0x10000 ? c : 0xD7C0 + (c >> 10);

		if (c >= 0xD800 && c < 0xE000)
			continue;
		utf16[0] = (char)unit;
		utf16[1] = (char)(unit >> 8);
		utf16[2] = (char)low;
		utf16[3] = (char)(low >> 8);
		assert_int_equal(
			wt_iconv(back, &at[0], &len, &ends[0], &room), 0);
		len = 4 - room;
		room = 4;
		assert_int_equal(
			wt_iconv(there, &at[1], &len, &ends[1], &room), 0);
		len = 4 - room;
		room = 4;
		assert_int_equal(
			wt_iconv(back, &at[2], &len, &ends[2], &room), 0);
		assert_memory_equal(utf8[0], utf8[1], 4);
	}
	wt_iconv_close(there);
	wt_iconv_close(back);
}

static void other_encodings_are_refused(void **state)
{
	size_t none = 0;

	(void)state;
	errno = 0;
	assert_int_equal(
		wt_iconv((iconv_t)-1, NULL, &none, NULL, &none), (size_t)-1);
	assert_int_equal(errno, EBADF);
	errno = 0;
	assert_ptr_equal(wt_iconv_open("UTF-8", "CP1252"), (iconv_t)-1);
	assert_int_equal(errno, EINVAL);
	assert_ptr_equal(wt_iconv_open("UTF-7", "UTF-8"), (iconv_t)-1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_start_of_a_character_converts_alike),
		cmocka_unit_test(random_bytes_and_short_rooms_convert_alike),
		cmocka_unit_test(every_character_comes_back),
		cmocka_unit_test(other_encodings_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
