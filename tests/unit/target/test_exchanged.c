/* SPDX-License-Identifier: MIT
 * test_exchanged.c: another file takes TARGET's name while it is worked on.
 * What is locked is what is repaired and hashed; who only reads looks again. */
#include "base/digest.h"
#include "wim/wim.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define ROOT WT_TESTDATA "/windows10-rsa4096-sha256.der"
#define GUID_OFFSET 24
#define GUID_LEN 16
#define BOOT_INDEX_OFFSET 120

static char folder[] = "/tmp/test-exchanged-XXXXXX";
static char target[64], other[64], temp[64], aside[64];
static bool is_to_exchange;
/* The old file is kept aside, and gets its name back after it was hashed. */
static bool is_to_return;

/* The file is not exchanged but written in place, as long as it was. */
static bool is_to_stay;

static void write_in_place(void)
{
	int fd = open(target, O_RDWR | O_CLOEXEC);
	char byte = 0;

	assert_int_equal(pread(fd, &byte, 1, 0), 1);
	assert_int_equal(pwrite(fd, &byte, 1, 0), 1);
	close(fd);
}

/* other takes the name; the old file has none then, only its descriptor. */
static void exchange(void)
{
	if (is_to_exchange && is_to_stay) {
		write_in_place();
		is_to_exchange = false;
	}
	if (is_to_exchange && is_to_return)
		assert_int_equal(rename(target, aside), 0);
	if (is_to_exchange)
		assert_int_equal(rename(other, target), 0);
	is_to_exchange = false;
}

enum wt_status __real_wt_wim_repair(int fd, const char *object,
	uint8_t ret_header[WT_WIM_HEADER_LEN], uint64_t *ret_used_len,
	struct wt_error *err);

enum wt_status __wrap_wt_wim_repair(int fd, const char *object,
	uint8_t ret_header[WT_WIM_HEADER_LEN], uint64_t *ret_used_len,
	struct wt_error *err)
{
	exchange();
	return __real_wt_wim_repair(fd, object, ret_header, ret_used_len, err);
}

enum wt_status __real_wt_digest_file(int fd, uint64_t len, const char *object,
	const volatile sig_atomic_t *cancel,
	char ret_hex[WT_SHA256_HEX_LEN + 1], struct wt_error *err);

enum wt_status __wrap_wt_digest_file(int fd, uint64_t len, const char *object,
	const volatile sig_atomic_t *cancel,
	char ret_hex[WT_SHA256_HEX_LEN + 1], struct wt_error *err)
{
	bool is_second = is_to_return && !is_to_exchange;
	enum wt_status ret = WT_OK;

	exchange();
	ret = __real_wt_digest_file(fd, len, object, cancel, ret_hex, err);
	if (is_second) {
		assert_int_equal(rename(aside, target), 0);
		is_to_return = false;
	}
	return ret;
}

static bool is_reading_to_fail;

enum wt_status __real_wt_wim_hive_check(const struct wt_wim_image *image,
	int hive_fd, const char *object, const volatile sig_atomic_t *cancel,
	struct wt_error *err);

enum wt_status __wrap_wt_wim_hive_check(const struct wt_wim_image *image,
	int hive_fd, const char *object, const volatile sig_atomic_t *cancel,
	struct wt_error *err)
{
	if (!is_reading_to_fail)
		return __real_wt_wim_hive_check(
			image, hive_fd, object, cancel, err);
	exchange();
	is_reading_to_fail = false;
	return wt_fail(err, WT_ERR_WIM, "wim-damaged", object,
		"is half of one file and half of the other");
}

static void copy(const char *source, const char *path)
{
	char command[512] = "";

	snprintf(command, sizeof(command), "cp '%s' '%s'", source, path);
	assert_int_equal(system(command), 0);
}

static enum wt_status add_or_fail(struct wt_options *options,
	struct wt_report *report, struct wt_error *err)
{
	struct wt_cert_list *certs = NULL;
	enum wt_status ret = WT_OK;

	assert_int_equal(wt_cert_list_new(&certs, NULL), WT_OK);
	assert_int_equal(wt_cert_list_read(certs, ROOT, NULL), WT_OK);
	options->access = WT_ACCESS_UPDATE;
	options->temp_parent = temp;
	ret = wt_target_add(target, certs, options, report, err);
	wt_cert_list_free(certs);
	return ret;
}

static enum wt_status add(struct wt_options *options, struct wt_report *report)
{
	return add_or_fail(options, report, NULL);
}

static void digest(const char *path, char ret_hex[WT_SHA256_HEX_LEN + 1])
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(__real_wt_digest_file(
				 fd, WT_DIGEST_REST, "f", NULL, ret_hex, NULL),
		WT_OK);
	close(fd);
}

/* Nobody would see what was written: it is an error that says why, the new
 * file is left alone, and the old one is as it was. */
static void what_went_into_a_file_without_name_is_no_success(void **state)
{
	static const struct {
		const char *file, *other;
		enum wt_commit commit;
		bool repair;
	} rows[] = {
		{WT_HIVES "/software-1.3", WT_HIVES "/software", WT_COMMIT_AUTO,
			false},
		{WT_WIMS "/plain.wim", WT_WIMS "/two.wim", WT_COMMIT_APPEND,
			false},
		{WT_WIMS "/plain.wim", WT_WIMS "/two.wim", WT_COMMIT_AUTO,
			false},
		{WT_WIMS "/bad-interrupted.wim", WT_WIMS "/two.wim",
			WT_COMMIT_APPEND, true},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char before[2][WT_SHA256_HEX_LEN + 1] = {"", ""};
		char after[2][WT_SHA256_HEX_LEN + 1] = {"", ""};
		struct wt_options options = {0};
		struct wt_report *report = NULL;
		struct wt_error err = {0};
		char path[64] = "";
		int fd = -1;

		copy(rows[i].file, target);
		copy(rows[i].other, other);
		digest(target, before[0]);
		digest(other, before[1]);
		fd = open(target, O_RDONLY | O_CLOEXEC);
		wt_options_init(&options);
		options.hash_target = !rows[i].repair;
		options.repair = rows[i].repair;
		options.commit = rows[i].commit;
		assert_int_equal(wt_report_new(&report, NULL), WT_OK);
		is_to_exchange = true;
		assert_int_equal(
			add_or_fail(&options, report, &err), WT_ERR_FILE);
		assert_false(is_to_exchange);
		assert_string_equal(err.code, "changed");
		assert_string_not_equal(err.hint, "");
		assert_false(report->is_changed);
		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
		digest(path, after[0]);
		digest(target, after[1]);
		assert_string_equal(before[0], after[0]);
		assert_string_equal(before[1], after[1]);
		close(fd);
		wt_report_free(report);
	}
}

static void the_locked_file_gets_its_own_header_back(void **state)
{
	static const char foreign[] = "ANOTHERS-GUID-!!";
	struct wt_options options = {0};
	struct wt_report *report = NULL;
	char guid[GUID_LEN] = "", old_guid[GUID_LEN] = "";
	int fd = -1;

	(void)state;
	copy(WT_WIMS "/bad-interrupted.wim", target);
	copy(WT_WIMS "/bad-interrupted.wim", other);
	fd = open(other, O_RDWR | O_CLOEXEC);
	assert_int_equal(pwrite(fd, foreign, GUID_LEN, GUID_OFFSET), GUID_LEN);
	close(fd);
	fd = open(target, O_RDONLY | O_CLOEXEC);
	assert_int_equal(pread(fd, old_guid, GUID_LEN, GUID_OFFSET), GUID_LEN);
	wt_options_init(&options);
	options.repair = true;
	assert_int_equal(wt_report_new(&report, NULL), WT_OK);
	is_to_exchange = true;
	assert_int_equal(add(&options, report), WT_ERR_FILE);
	assert_false(is_to_exchange);
	assert_int_equal(pread(fd, guid, GUID_LEN, GUID_OFFSET), GUID_LEN);
	assert_memory_equal(guid, old_guid, GUID_LEN);
	close(fd);
	wt_report_free(report);
}

static void the_hash_is_that_of_the_file_that_was_read_and_written(void **state)
{
	char before[WT_SHA256_HEX_LEN + 1] = "";
	char after[WT_SHA256_HEX_LEN + 1] = "";
	struct wt_options options = {0};
	struct wt_report *report = NULL;
	int fd = -1;

	(void)state;
	copy(WT_HIVES "/software-1.3", target);
	copy(WT_HIVES "/software", other);
	fd = open(target, O_RDONLY | O_CLOEXEC);
	assert_int_equal(__real_wt_digest_file(
				 fd, WT_DIGEST_REST, "f", NULL, before, NULL),
		WT_OK);
	wt_options_init(&options);
	options.hash_target = true;
	assert_int_equal(wt_report_new(&report, NULL), WT_OK);
	is_to_exchange = is_to_return = true;
	assert_int_equal(add(&options, report), WT_OK);
	assert_false(is_to_exchange || is_to_return);
	assert_int_equal(__real_wt_digest_file(
				 fd, WT_DIGEST_REST, "f", NULL, after, NULL),
		WT_OK);
	assert_string_equal(report->sha256_before, before);
	assert_string_equal(report->sha256_after, after);
	assert_string_not_equal(before, after);
	close(fd);
	wt_report_free(report);
}

/* What was read of the first file is not reported as well. */
static void who_reads_looks_again_at_the_new_file(void **state)
{
	struct wt_options options = {0};
	struct wt_report *report = NULL;
	struct wt_error err = {0};
	int fd = -1;

	(void)state;
	copy(WT_WIMS "/two.wim", target);
	copy(WT_WIMS "/plain.wim", other);
	/* It boots another image than its header says, which causes a warning.
	 */
	fd = open(target, O_WRONLY | O_CLOEXEC);
	assert_int_equal(pwrite(fd, "\1", 1, BOOT_INDEX_OFFSET), 1);
	close(fd);
	wt_options_init(&options);
	assert_int_equal(wt_report_new(&report, NULL), WT_OK);
	is_to_exchange = is_reading_to_fail = true;
	if (wt_target_list(target, &options, report, &err) != WT_OK)
		fail_msg("%s: %s", err.object, err.reason);
	assert_false(is_to_exchange || is_reading_to_fail);
	assert_int_equal(report->image_count, 1);
	assert_int_equal(report->warning_count, 0);
	wt_report_free(report);
}

static void who_reads_what_is_written_in_place_looks_again(void **state)
{
	struct wt_options options = {0};
	struct wt_report *report = NULL;
	struct wt_error err = {0};

	(void)state;
	copy(WT_WIMS "/plain.wim", target);
	/* Clocks of file systems move in steps. */
	assert_int_equal(system("sleep 0.05"), 0);
	wt_options_init(&options);
	assert_int_equal(wt_report_new(&report, NULL), WT_OK);
	is_to_exchange = is_reading_to_fail = is_to_stay = true;
	if (wt_target_list(target, &options, report, &err) != WT_OK)
		fail_msg("%s: %s", err.object, err.reason);
	assert_false(is_to_exchange || is_reading_to_fail);
	is_to_stay = false;
	wt_report_free(report);
}

/* A damaged file is damaged at the first look. */
static void who_reads_what_stays_looks_once(void **state)
{
	struct wt_options options = {0};
	struct wt_report *report = NULL;
	struct wt_error err = {0};

	(void)state;
	copy(WT_WIMS "/plain.wim", target);
	wt_options_init(&options);
	assert_int_equal(wt_report_new(&report, NULL), WT_OK);
	is_reading_to_fail = true;
	assert_int_equal(
		wt_target_list(target, &options, report, &err), WT_ERR_WIM);
	assert_string_equal(err.code, "wim-damaged");
	wt_report_free(report);
}

static int make_folder(void **state)
{
	(void)state;
	if (!mkdtemp(folder))
		return 1;
	snprintf(target, sizeof(target), "%s/target", folder);
	snprintf(other, sizeof(other), "%s/other", folder);
	snprintf(aside, sizeof(aside), "%s/aside", folder);
	snprintf(temp, sizeof(temp), "%s/tmp", folder);
	return mkdir(temp, 0700);
}

static int remove_folder(void **state)
{
	char command[128] = "";

	(void)state;
	snprintf(command, sizeof(command), "rm -r '%s'", folder);
	return system(command);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_locked_file_gets_its_own_header_back),
		cmocka_unit_test(
			the_hash_is_that_of_the_file_that_was_read_and_written),
		cmocka_unit_test(
			what_went_into_a_file_without_name_is_no_success),
		cmocka_unit_test(who_reads_looks_again_at_the_new_file),
		cmocka_unit_test(
			who_reads_what_is_written_in_place_looks_again),
		cmocka_unit_test(who_reads_what_stays_looks_once),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
