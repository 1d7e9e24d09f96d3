/* SPDX-License-Identifier: MIT
 * test_folder.c: the hive in a folder, in any case, and never through a
 * link. */
#include "fail.h"
#include "target/folder.h"

#include <wimtrust/wimtrust.h>

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

/* Makes a tree by the shell; the test's own words only. */
static void tree_new(char root[64], const char *commands)
{
	const char *parent = getenv("TMPDIR");
	char line[1024];

	snprintf(root, 64, "%.40s/folder-XXXXXX", parent ? parent : "/tmp");
	assert_non_null(mkdtemp(root));
	snprintf(line, sizeof(line), "cd '%s' && %s", root, commands);
	assert_int_equal(system(line), 0);
}

static void tree_free(const char *root)
{
	char line[128];

	snprintf(line, sizeof(line), "rm -r '%s'", root);
	assert_int_equal(system(line), 0);
}

static void trees_have_their_answer(void **state)
{
	static const struct {
		const char *commands, *path, *code;
	} cases[] = {
		{"mkdir -p Windows/System32/config && "
		 "touch Windows/System32/config/SOFTWARE",
			"Windows/System32/config/SOFTWARE", ""},
		{"mkdir -p WINDOWS/system32/CONFIG && "
		 "touch WINDOWS/system32/CONFIG/software",
			"WINDOWS/system32/CONFIG/software", ""},
		{"true", NULL, "no-hive"},
		{"mkdir -p Windows/System32", NULL, "no-hive"},
		{"mkdir -p Windows/System32/config/SOFTWARE", NULL,
			"hive-path-link"},
		{"mkdir -p Windows/System32/config windows", NULL,
			"hive-path-ambiguous"},
		{"touch Windows", NULL, "hive-path-link"},
		{"mkdir -p real/System32/config && ln -s real Windows", NULL,
			"hive-path-link"},
		{"mkdir -p Windows/System32/config && touch SOFTWARE && "
		 "ln -s ../../../SOFTWARE Windows/System32/config/",
			NULL, "hive-path-link"},
		{"mkdir -p Windows/System32/config && "
		 "mkfifo Windows/System32/config/SOFTWARE",
			NULL, "hive-path-link"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char root[64] = "", wanted[160] = "", slashes[80] = "";
		struct wt_error err = {0};
		char *path = NULL;
		int fd = -1;

		tree_new(root, cases[i].commands);
		snprintf(slashes, sizeof(slashes), "%s//", root);
		wt_folder_find_hive(slashes, &path, &fd, &err);
		assert_string_equal(err.code, cases[i].code);
		assert_int_equal(path != NULL, cases[i].path != NULL);
		assert_int_equal(fd >= 0, cases[i].path != NULL);
		if (path) {
			assert_int_equal(
				faccessat(fd, strrchr(path, '/') + 1, F_OK, 0),
				0);
			snprintf(wanted, sizeof(wanted), "%s/%s", root,
				cases[i].path);
			assert_string_equal(path, wanted);
			close(fd);
		}
		wt_free(path);
		tree_free(root);
	}
}

static void logs_are_found_in_any_case_and_empty_ones_are_none(void **state)
{
	char root[64] = "";
	int fds[3] = {-1, -1, -1};
	int dir = -1;

	(void)state;
	tree_new(root, "touch SOFTWARE SOFTWARE.LOG && echo 1 >software.log1 "
		       "&& echo 2 >there && ln -s there SOFTWARE.LOG2");
	dir = open(root, O_RDONLY | O_DIRECTORY);
	assert_int_equal(
		wt_folder_open_logs(dir, "SOFTWARE", fds, NULL), WT_OK);
	assert_int_equal(fds[0], -1);
	assert_true(fds[1] >= 0);
	assert_int_equal(fds[2], -1);
	close(fds[1]);
	close(dir);
	tree_free(root);
}

static void each_failing_call_is_said_and_leaves_nothing_open(void **state)
{
	char root[64] = "";
	int lowest = -1;
	bool is_hit = true;

	(void)state;
	tree_new(root, "mkdir -p Windows/System32/config && "
		       "touch Windows/System32/config/SOFTWARE");
	lowest = dup(0);
	close(lowest);
	for (unsigned n = 1; is_hit; n++) {
		struct wt_error err = {0};
		enum wt_status ret = WT_OK;
		char *path = NULL;
		int fd = -1, next = -1;

		fail_arm(n, FAIL_ONCE, EIO);
		ret = wt_folder_find_hive(root, &path, &fd, &err);
		is_hit = fail_disarm();
		assert_int_equal(ret == WT_OK, !is_hit);
		assert_int_equal(err.code[0] != '\0', is_hit);
		assert_int_equal(path == NULL, is_hit);
		if (fd >= 0)
			close(fd);
		wt_free(path);
		next = dup(0);
		close(next);
		assert_int_equal(next, lowest);
	}
	tree_free(root);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(trees_have_their_answer),
		cmocka_unit_test(
			logs_are_found_in_any_case_and_empty_ones_are_none),
		cmocka_unit_test(
			each_failing_call_is_said_and_leaves_nothing_open),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
