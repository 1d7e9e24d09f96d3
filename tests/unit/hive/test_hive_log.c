/* SPDX-License-Identifier: MIT
 * test_hive_log.c: transaction logs are applied, or left out and said. */
#include "hive/log.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "hivefile.h"
#include "testfile.h"

static int file_open(const char *name, const char *suffix)
{
	char path[4096] = "";

	snprintf(path, sizeof(path), "%s/dirty/%s%s", WT_HIVES, name, suffix);
	return open(path, O_RDONLY | O_CLOEXEC);
}

static struct wt_hive_files files_open(const char *name)
{
	struct wt_hive_files files = {.hive_fd = file_open(name, ""),
		.log_fds = {file_open(name, ".LOG"), file_open(name, ".LOG1"),
			file_open(name, ".LOG2")},
		.object = name};

	assert_true(files.hive_fd >= 0);
	return files;
}

static void files_close(const struct wt_hive_files *files)
{
	close(files->hive_fd);
	for (int i = 0; i < 3; i++)
		if (files->log_fds[i] >= 0)
			close(files->log_fds[i]);
}

static void assert_same_contents(int left, int right)
{
	size_t left_len = 0;
	size_t right_len = 0;
	uint8_t *left_data = contents(left, &left_len);
	uint8_t *right_data = contents(right, &right_len);

	assert_int_equal(left_len, right_len);
	assert_memory_equal(left_data, right_data, left_len);
	free(left_data);
	free(right_data);
}

static void marvin_gives_the_published_hashes(void **state)
{
	static const struct {
		const char *data;
		uint64_t hash;
	} cases[] = {
		{"", UINT64_C(0x30ED35C100CD3C7D)},
		{"\xAF", UINT64_C(0x48E73FC77D75DDC1)},
		{"\xE7\x0F", UINT64_C(0xB5F6E1FC485DBFF8)},
		{"\x37\xF4\x95", UINT64_C(0xF0B07C789B8CF7E8)},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_true(wt_hive_marvin(UINT64_C(0x004FB61A001BDBCC),
				    (const uint8_t *)cases[i].data,
				    strlen(cases[i].data)) == cases[i].hash);
}

static void a_replayed_hive_is_the_one_that_windows_meant(void **state)
{
	static const struct {
		const char *name;
		bool is_dirty;
		bool is_stopped;
		unsigned count;
	} cases[] = {
		{"old", true, false, 1},
		{"old-single", true, false, 1},
		{"old-second", true, false, 1},
		{"old-lost-base", true, false, 1},
		{"new", true, false, 1},
		{"new-many", true, false, 4},
		{"new-two-logs", true, false, 4},
		{"new-lost-base", true, false, 2},
		{"unflushed", true, false, 1},
		{"unflushed-many", true, false, 4},
		{"unflushed-stopped", true, true, 1},
		{"new-stale-tail", true, false, 2},
		{"new-stale-log", true, false, 1},
		{"stopped-hash", true, true, 2},
		{"stopped-head", true, true, 2},
		{"stopped-short", true, true, 1},
		{"stopped-wild-page", true, true, 1},
		{"stopped-many-pages", true, true, 1},
		{"new-twice", true, false, 4},
		{"new-twice-later", true, false, 4},
		{"stopped-differ", true, true, 1},
		{"stopped-gap", true, true, 1},
		{"new-round", true, false, 2},
		{"stopped-grows", true, true, 1},
		{"clean", false, false, 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct wt_hive_files files = files_open(cases[i].name);
		int expected = file_open(cases[i].name, ".expected");
		struct wt_hive_state hive = {0};
		struct wt_error err = {0};
		bool is_stopped = false;
		int fd = -1;

		if (wt_hive_state(&files, &hive, &err) != WT_OK ||
			wt_hive_replay(&files, &fd, &is_stopped, &err) != WT_OK)
			fail_msg("%s: %s: %s", cases[i].name, err.code,
				err.reason);
		assert_int_equal(hive.is_dirty, cases[i].is_dirty);
		assert_int_equal(hive.log_entry_count, cases[i].count);
		assert_int_equal(hive.has_usable_log, cases[i].count > 0);
		assert_int_equal(hive.log_len > 0, cases[i].count > 0);
		assert_int_equal(is_stopped, cases[i].is_stopped);
		assert_same_contents(fd, expected);
		close(fd);
		close(expected);
		files_close(&files);
	}
}

static void logs_that_do_not_fit_are_refused(void **state)
{
	static const char *const names[] = {"bad-no-log", "bad-other-time",
		"bad-old-short", "bad-gap", "bad-grows"};

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct wt_hive_files files = files_open(names[i]);
		struct wt_hive_state hive = {0};
		struct wt_error err = {0};
		bool is_stopped = false;
		int fd = -1;

		assert_int_equal(wt_hive_state(&files, &hive, &err), WT_OK);
		assert_true(hive.is_dirty);
		assert_false(hive.has_usable_log);
		assert_int_equal(wt_hive_replay(&files, &fd, &is_stopped, &err),
			WT_ERR_HIVE);
		assert_string_equal(err.code, "hive-no-log");
		assert_int_equal(fd, -1);
		files_close(&files);
	}
}

static void a_hive_without_its_logs_is_clean_and_else_the_same(void **state)
{
	struct wt_hive_files files = files_open("unflushed");
	struct wt_hive_content *content = NULL;
	struct wt_error err = {0};
	size_t before_len = 0;
	size_t after_len = 0;
	uint8_t *before = contents(files.hive_fd, &before_len);
	uint8_t *after = NULL;
	int fd = -1;

	(void)state;
	assert_int_equal(
		hive_write_now(files.hive_fd, "hive", NULL, 0, NULL, &fd, &err),
		WT_ERR_HIVE);
	assert_string_equal(err.code, "hive-dirty");
	assert_int_equal(
		hive_read_now(files.hive_fd, "hive", NULL, &content, &err),
		WT_OK);
	wt_hive_content_free(content);
	assert_int_equal(wt_hive_discard_logs(&files, &fd, &err), WT_OK);
	after = contents(fd, &after_len);
	/* What follows its last bin is left out. */
	assert_int_equal(
		after_len, wt_get32(before + WT_BASE_BINS_LEN) + WT_HIVE_PAGE);
	assert_true(after_len < before_len);
	assert_memory_equal(before + 512, after + 512, after_len - 512);
	assert_memory_equal(after + 4, after + 8, 4);
	assert_int_equal(
		hive_read_now(fd, "hive", NULL, &content, &err), WT_OK);
	wt_hive_content_free(content);
	close(fd);
	free(before);
	free(after);
	files_close(&files);
}

/* Windows tells by their numbers which entries follow what it writes later:
 * those that were given up must be behind it. */
static void a_log_that_was_given_up_cannot_follow(void **state)
{
	static const char *const names[] = {
		"unflushed", "unflushed-many", "unflushed-stopped"};

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct wt_hive_files files = files_open(names[i]);
		struct wt_error err = {0};
		uint8_t *hive = NULL;
		size_t hive_len = 0;
		int fd = -1;

		assert_int_equal(
			wt_hive_discard_logs(&files, &fd, &err), WT_OK);
		hive = contents(fd, &hive_len);
		for (int log = 0; log < 3; log++) {
			size_t len = 0;
			uint8_t *data =
				files.log_fds[log] < 0
					? NULL
					: contents(files.log_fds[log], &len);

			for (size_t at = 512; at + 40 < len &&
					      memcmp(data + at, "HvLE", 4) == 0;
				at += wt_get32(data + at + 4))
				assert_true(wt_get32(data + at + 12) <=
					    wt_get32(hive + WT_BASE_PRIMARY));
			free(data);
		}
		free(hive);
		close(fd);
		files_close(&files);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(marvin_gives_the_published_hashes),
		cmocka_unit_test(a_replayed_hive_is_the_one_that_windows_meant),
		cmocka_unit_test(logs_that_do_not_fit_are_refused),
		cmocka_unit_test(
			a_hive_without_its_logs_is_clean_and_else_the_same),
		cmocka_unit_test(a_log_that_was_given_up_cannot_follow),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
