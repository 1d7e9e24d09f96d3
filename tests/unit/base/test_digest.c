/* SPDX-License-Identifier: MIT
 * test_digest.c: hashes of files, and whether two files hold the same. */
#include "base/digest.h"
#include "fail.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#define CHUNK ((size_t)256 << 10) /* as in digest.c */

static const size_t lens[] = {
	0, 1, 4096, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK};

static int file_new(size_t len)
{
	int fd = memfd_create("test", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, (off_t)len), 0);
	return fd;
}

static void digest_is_that_of_the_standard(void **state)
{
	char hex[WT_SHA256_HEX_LEN + 1] = "";
	int fd = file_new(0);

	(void)state;
	assert_int_equal(
		wt_digest_file(fd, WT_DIGEST_REST, "f", NULL, hex, NULL),
		WT_OK);
	assert_string_equal(hex, "E3B0C44298FC1C149AFBF4C8996FB924"
				 "27AE41E4649B934CA495991B7852B855");
	assert_int_equal(pwrite(fd, "abc", 3, 0), 3);
	assert_int_equal(
		wt_digest_file(fd, WT_DIGEST_REST, "f", NULL, hex, NULL),
		WT_OK);
	assert_string_equal(hex, "BA7816BF8F01CFEA414140DE5DAE2223"
				 "B00361A396177A9CB410FF61F20015AD");
	close(fd);
}

static void one_bit_or_one_byte_more_makes_files_differ(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
		int fd = file_new(lens[i]), other = file_new(lens[i]);
		bool is_equal = false;

		assert_int_equal(wt_files_equal(fd, other, WT_DIGEST_REST, "f",
					 &is_equal, NULL),
			WT_OK);
		assert_true(is_equal);
		assert_int_equal(ftruncate(other, (off_t)lens[i] + 1), 0);
		assert_int_equal(wt_files_equal(fd, other, WT_DIGEST_REST, "f",
					 &is_equal, NULL),
			WT_OK);
		assert_false(is_equal);
		assert_int_equal(wt_files_equal(other, fd, WT_DIGEST_REST, "f",
					 &is_equal, NULL),
			WT_OK);
		assert_false(is_equal);
		assert_int_equal(wt_files_equal(other, fd, lens[i], "f",
					 &is_equal, NULL),
			WT_OK);
		assert_true(is_equal);
		assert_int_equal(wt_files_equal(other, fd, lens[i] + 1, "f",
					 &is_equal, NULL),
			WT_OK);
		assert_false(is_equal);
		if (lens[i] > 0) {
			assert_int_equal(ftruncate(other, (off_t)lens[i]), 0);
			assert_int_equal(
				pwrite(other, "x", 1, (off_t)lens[i] - 1), 1);
			assert_int_equal(
				wt_files_equal(fd, other, WT_DIGEST_REST, "f",
					&is_equal, NULL),
				WT_OK);
			assert_false(is_equal);
		}
		close(fd);
		close(other);
	}
}

static void each_failing_call_is_said(void **state)
{
	int fd = file_new(CHUNK + 1), other = file_new(CHUNK + 1);
	bool is_hit = true;

	(void)state;
	for (unsigned n = 1; is_hit; n++) {
		char hex[WT_SHA256_HEX_LEN + 1] = "";
		struct wt_error err = {0};
		enum wt_status ret = WT_OK;

		fail_arm(n, FAIL_ONCE, EIO);
		ret = wt_digest_file(fd, WT_DIGEST_REST, "f", NULL, hex, &err);
		is_hit = fail_disarm();
		assert_int_equal(ret == WT_OK, !is_hit);
		assert_int_equal(err.code[0] != '\0', is_hit);
		assert_int_equal(hex[0] == '\0', is_hit);
	}
	is_hit = true;
	for (unsigned n = 1; is_hit; n++) {
		struct wt_error err = {0};
		enum wt_status ret = WT_OK;
		bool is_equal = false;

		fail_arm(n, FAIL_ONCE, EIO);
		ret = wt_files_equal(
			fd, other, WT_DIGEST_REST, "f", &is_equal, &err);
		is_hit = fail_disarm();
		assert_int_equal(ret == WT_OK, !is_hit);
		assert_int_equal(is_equal, !is_hit);
	}
	close(fd);
	close(other);
}

static void short_reads_and_signals_are_no_errors(void **state)
{
	int fd = file_new(CHUNK + 1);
	char whole[WT_SHA256_HEX_LEN + 1] = "";

	(void)state;
	assert_int_equal(
		wt_digest_file(fd, WT_DIGEST_REST, "f", NULL, whole, NULL),
		WT_OK);
	for (unsigned n = 2; n < 5; n++) {
		char hex[WT_SHA256_HEX_LEN + 1] = "";

		fail_arm(n, n % 2 ? FAIL_SHORT : FAIL_ONCE, EINTR);
		assert_int_equal(wt_digest_file(fd, WT_DIGEST_REST, "f", NULL,
					 hex, NULL),
			WT_OK);
		fail_disarm();
		assert_string_equal(hex, whole);
	}
	close(fd);
}

/* Bytes behind the length at opening belong to a later state. */
static void what_was_opened_is_hashed_and_nothing_else(void **state)
{
	char hex[WT_SHA256_HEX_LEN + 1] = "", again[WT_SHA256_HEX_LEN + 1] = "";
	struct wt_error err = {0};
	int fd = file_new(CHUNK + 1);

	(void)state;
	assert_int_equal(
		wt_digest_file(fd, CHUNK + 1, "f", NULL, hex, NULL), WT_OK);
	assert_int_equal(ftruncate(fd, 3 * CHUNK), 0);
	assert_int_equal(
		wt_digest_file(fd, CHUNK + 1, "f", NULL, again, NULL), WT_OK);
	assert_string_equal(again, hex);
	assert_int_equal(ftruncate(fd, CHUNK), 0);
	assert_int_equal(wt_digest_file(fd, CHUNK + 1, "f", NULL, again, &err),
		WT_ERR_FILE);
	assert_string_equal(err.code, "read-failed");
	close(fd);
}

static void a_signal_ends_it(void **state)
{
	volatile sig_atomic_t cancel = SIGINT;
	char hex[WT_SHA256_HEX_LEN + 1] = "";
	int fd = file_new(1);

	(void)state;
	assert_int_equal(
		wt_digest_file(fd, WT_DIGEST_REST, "f", &cancel, hex, NULL),
		WT_INTERRUPTED);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(digest_is_that_of_the_standard),
		cmocka_unit_test(one_bit_or_one_byte_more_makes_files_differ),
		cmocka_unit_test(each_failing_call_is_said),
		cmocka_unit_test(short_reads_and_signals_are_no_errors),
		cmocka_unit_test(what_was_opened_is_hashed_and_nothing_else),
		cmocka_unit_test(a_signal_ends_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
