/* SPDX-License-Identifier: MIT
 * test_trust_search.c: among many certificates the way to a root is found, or
 * stopped, in bounded time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "chains.h"
#include "questions.h"

static double seconds_since(const struct timespec *start)
{
	struct timespec now = {0};

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)(now.tv_sec - start->tv_sec) +
	       (double)(now.tv_nsec - start->tv_nsec) / 1e9;
}

/* NULL: the only question of a call. */
static uint64_t *call_work;

static enum wt_status ask(const struct chains_set *set,
	struct wt_trust_result **ret_result, double *ret_seconds)
{
	const struct wt_trust_query query = {
		.stores = set->copies,
		.store_count = set->copy_count,
		.chain = set->chain,
		.at = NOON,
		.work = call_work,
	};
	struct timespec start = {0};
	enum wt_status status = WT_OK;

	clock_gettime(CLOCK_MONOTONIC, &start);
	status = wt_trust_check(&query, "image 1", ret_result, NULL);
	*ret_seconds = seconds_since(&start);
	return status;
}

static void a_full_image_is_searched_quickly(void **state)
{
	struct wt_trust_result *result = NULL;
	struct chains_set *set = chains_make_image(150, 500);
	double seconds = 0;

	(void)state;
	assert_int_equal(set->copy_count, 650);
	assert_int_equal(ask(set, &result, &seconds), WT_OK);
	assert_true(result->is_trusted);
	assert_int_equal(result->link_count, 4);
	assert_string_equal(result->links[1].source, "CA");
	if (seconds > 2)
		fail_msg("took %.2f s", seconds);
	wt_trust_result_free(result);
	chains_free(set);
}

static void a_maze_of_cross_signed_cas_is_given_up(void **state)
{
	struct wt_trust_result *result = NULL;
	struct chains_set *set = chains_make_maze(12);
	double seconds = 0;

	(void)state;
	assert_int_equal(ask(set, &result, &seconds), WT_OK);
	assert_false(result->is_trusted);
	assert_string_equal(result->verdict.code, "too-many-paths");
	if (seconds > 5)
		fail_msg("took %.2f s", seconds);
	wt_trust_result_free(result);
	chains_free(set);
}

static void many_bad_ways_do_not_hide_the_good_one(void **state)
{
	struct wt_trust_result *result = NULL;
	struct chains_set *set = chains_make_twins(WT_TRUST_PATHS_MAX + 6);
	double seconds = 0;

	(void)state;
	assert_int_equal(ask(set, &result, &seconds), WT_OK);
	assert_true(result->is_trusted);
	assert_ptr_equal(result->links[1].cert,
		wt_cert_list_get(
			set->certs, wt_cert_list_count(set->certs) - 1));
	wt_trust_result_free(result);
	chains_free(set);
}

static void a_namesake_is_not_blamed_for_a_missing_root(void **state)
{
	struct wt_trust_result *result = NULL;
	struct chains_set *set = chains_make_namesake();
	double seconds = 0;

	(void)state;
	assert_int_equal(ask(set, &result, &seconds), WT_OK);
	assert_string_equal(result->verdict.code, "root-not-in-image");
	assert_non_null(strstr(result->verdict.reason, "CN=Missing"));
	assert_int_equal(result->link_count, 2);
	wt_trust_result_free(result);
	chains_free(set);
}

static void cas_that_sign_each_other_are_a_circle(void **state)
{
	(void)state;
	for (size_t i = 2; i <= 3; i++) {
		struct wt_trust_result *result = NULL;
		struct chains_set *set = chains_make_maze(i);
		double seconds = 0;

		assert_int_equal(ask(set, &result, &seconds), WT_OK);
		assert_string_equal(result->verdict.code, "root-not-in-image");
		assert_non_null(strstr(result->verdict.reason, "in a circle"));
		assert_int_equal(result->link_count, i + 1);
		wt_trust_result_free(result);
		chains_free(set);
	}
}

static void a_crowd_that_costs_too_much_is_given_up(void **state)
{
	struct wt_trust_result *result = NULL;
	struct chains_set *set = chains_make_crowd(250);
	double seconds = 0;

	(void)state;
	assert_int_equal(ask(set, &result, &seconds), WT_OK);
	assert_false(result->is_trusted);
	assert_string_equal(result->verdict.code, "too-much-work");
	assert_true(result->link_count > 0);
	if (seconds > 10)
		fail_msg("took %.2f s", seconds);
	wt_trust_result_free(result);
	chains_free(set);
}

/* As of the images of one file. */
static void many_crowds_cost_little_more_than_one(void **state)
{
	struct wt_trust_result *result = NULL;
	struct chains_set *crowd = chains_make_crowd(250);
	struct chains_set *full = chains_make_image(150, 500);
	uint64_t work = WT_TRUST_CALL_WORK_MAX;
	double seconds = 0;

	(void)state;
	call_work = &work;
	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(ask(crowd, &result, &seconds), WT_OK);
		assert_string_equal(result->verdict.code, "too-much-work");
		wt_trust_result_free(result);
	}
	assert_true(work < WT_TRUST_CALL_WORK_MAX / 10);
	work = 0;
	assert_int_equal(ask(crowd, &result, &seconds), WT_OK);
	assert_string_equal(result->verdict.code, "too-much-work");
	wt_trust_result_free(result);
	if (seconds > 0.5)
		fail_msg("took %.2f s", seconds);
	/* The good ones among them get their answer. */
	assert_int_equal(ask(full, &result, &seconds), WT_OK);
	assert_true(result->is_trusted);
	wt_trust_result_free(result);
	assert_int_equal(work, 0);
	/* What it costs. */
	work = WT_TRUST_CALL_WORK_MAX;
	assert_int_equal(ask(full, &result, &seconds), WT_OK);
	wt_trust_result_free(result);
	assert_true(work > WT_TRUST_CALL_WORK_MAX - 5000);
	call_work = NULL;
	chains_free(full);
	chains_free(crowd);
}

static double cpu_seconds(void)
{
	struct timespec now = {0};

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* The whole search takes about a second. */
static void a_signal_ends_the_search(void **state)
{
	const volatile sig_atomic_t cancel = SIGTERM;
	struct wt_trust_result *result = NULL;
	struct chains_set *set = chains_make_crowd(250);
	const struct wt_trust_query query = {
		.chain = set->chain, .at = NOON, .cancel = &cancel};
	struct wt_error err = {0};
	double start = cpu_seconds(), seconds = 0;

	(void)state;
	assert_int_equal(wt_trust_check(&query, "image 1", &result, &err),
		WT_INTERRUPTED);
	seconds = cpu_seconds() - start;
	assert_int_equal(err.native, SIGTERM);
	assert_null(result);
	if (seconds > 0.3)
		fail_msg("took %.2f s", seconds);
	chains_free(set);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_full_image_is_searched_quickly),
		cmocka_unit_test(a_maze_of_cross_signed_cas_is_given_up),
		cmocka_unit_test(many_bad_ways_do_not_hide_the_good_one),
		cmocka_unit_test(a_namesake_is_not_blamed_for_a_missing_root),
		cmocka_unit_test(cas_that_sign_each_other_are_a_circle),
		cmocka_unit_test(a_crowd_that_costs_too_much_is_given_up),
		cmocka_unit_test(many_crowds_cost_little_more_than_one),
		cmocka_unit_test(a_signal_ends_the_search),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
