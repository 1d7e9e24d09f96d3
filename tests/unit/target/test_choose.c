/* SPDX-License-Identifier: MIT
 * test_choose.c: which images the words after -i mean. */
#include "target/choose.h"
#include "target/report.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* Four images: the second boots, the third has no hive, the fourth's name is
 * a number. */
static struct wt_report *report_make(void)
{
	static const char *const names[] = {
		"Windows PE", "Setup", "Empty", "2022"};
	struct wt_report *report = NULL;

	assert_int_equal(wt_report_new(&report, NULL), WT_OK);
	assert_int_equal(wt_report_add_images(report, 4, NULL), WT_OK);
	report->kind = WT_TARGET_WIM;
	report->target = "boot.wim";
	for (size_t i = 0; i < 4; i++) {
		struct wt_image *image = wt_report_edit_image(report, i);

		image->index = (int)i + 1;
		image->name = names[i];
		image->is_boot = i == 1;
		image->hive_path = i == 2 ? "" : "/Windows/SOFTWARE";
	}
	return report;
}

static void each_word_means_its_images(void **state)
{
	static const struct {
		const char *words[3];
		const char *chosen; /* one letter an image */
		const char *code;
	} cases[] = {
		{{NULL}, "yy-y", ""},
		{{"1"}, "y---", ""},
		{{"1", "2"}, "yy--", ""},
		{{"2", "boot", "SETUP"}, "-y--", ""},
		{{"boot"}, "-y--", ""},
		{{"windows pe"}, "y---", ""},
		{{"4"}, "---y", ""},
		{{"2022"}, "---y", ""},
		{{"3"}, NULL, "no-hive"},
		{{"all"}, NULL, "no-hive"},
		{{"5"}, NULL, "no-such-image"},
		{{"0"}, NULL, "no-such-image"},
		{{"-1"}, NULL, "no-such-image"},
		{{"1,2"}, NULL, "no-such-image"},
		{{"99999999999999999999"}, NULL, "no-such-image"},
		{{""}, NULL, "no-such-image"},
		{{"1", "none"}, NULL, "no-such-image"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct wt_report *report = report_make();
		struct wt_error err = {0};
		size_t count = 0;

		while (count < 3 && cases[i].words[count])
			count++;
		wt_images_choose(report, cases[i].words, count, &err);
		assert_string_equal(err.code, cases[i].code);
		for (size_t j = 0; cases[i].chosen && j < 4; j++)
			if (wt_report_image(report, j)->is_chosen !=
				(cases[i].chosen[j] == 'y'))
				fail_msg("case %zu: image %zu", i, j + 1);
		wt_report_free(report);
	}
}

static void a_name_that_two_have_is_refused(void **state)
{
	struct wt_report *report = report_make();
	const char *const word = "setup";
	struct wt_error err = {0};

	(void)state;
	wt_report_edit_image(report, 0)->name = "Setup";
	assert_int_equal(
		wt_images_choose(report, &word, 1, &err), WT_ERR_IMAGE);
	assert_string_equal(err.code, "no-such-image");
	assert_non_null(strstr(err.reason, "more than one"));
	assert_non_null(strstr(err.hint, "1 (Setup), 2 (Setup)"));
	wt_report_free(report);
}

static void a_problem_counts_when_its_image_is_meant(void **state)
{
	struct wt_report *report = report_make();
	const char *const words[] = {"1", "2"};
	struct wt_error err = {0};

	(void)state;
	wt_fail(&wt_report_edit_image(report, 1)->problem, WT_ERR_IMAGE,
		"hive-path-link", "boot.wim", "is a link");
	assert_int_equal(wt_images_choose(report, words, 1, &err), WT_OK);
	assert_int_equal(
		wt_images_choose(report, words + 1, 1, &err), WT_ERR_IMAGE);
	assert_string_equal(err.code, "hive-path-link");
	assert_int_equal(wt_images_choose(report, NULL, 0, &err), WT_ERR_IMAGE);
	wt_report_free(report);
}

static void the_hint_says_what_it_leaves_out(void **state)
{
	char name[400];
	struct wt_report *report = report_make();
	const char *const word = "none";
	struct wt_error err = {0};

	(void)state;
	memset(name, 'x', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	wt_report_edit_image(report, 2)->name = name;
	wt_images_choose(report, &word, 1, &err);
	assert_non_null(strstr(err.hint, "2 (Setup) and 2 more"));
	wt_report_edit_image(report, 0)->name = name;
	err = (struct wt_error){0};
	wt_images_choose(report, &word, 1, &err);
	assert_non_null(strstr(err.hint, "it has 4 images"));
	wt_report_free(report);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_word_means_its_images),
		cmocka_unit_test(a_name_that_two_have_is_refused),
		cmocka_unit_test(a_problem_counts_when_its_image_is_meant),
		cmocka_unit_test(the_hint_says_what_it_leaves_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
