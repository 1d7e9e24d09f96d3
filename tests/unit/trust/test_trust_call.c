/* SPDX-License-Identifier: MIT
 * test_trust_call.c: the images of a file share what may be computed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "trust/trust.h"

#define TARGET WT_WIMS "/two.wim"
#define SERVER WT_TESTDATA "/chains/fullchain.pem"

static uint64_t *seen;
static unsigned asked;

enum wt_status __real_wt_trust_check(const struct wt_trust_query *query,
	const char *object, struct wt_trust_result **ret_result,
	struct wt_error *err);

enum wt_status __wrap_wt_trust_check(const struct wt_trust_query *query,
	const char *object, struct wt_trust_result **ret_result,
	struct wt_error *err)
{
	assert_non_null(query->work);
	if (asked++ == 0) {
		assert_int_equal(*query->work, WT_TRUST_CALL_WORK_MAX);
		*query->work = 1234;
		seen = query->work;
	}
	assert_ptr_equal(query->work, seen);
	assert_true(*query->work <= 1234);
	return __real_wt_trust_check(query, object, ret_result, err);
}

static void images_share_the_work_of_a_call(void **state)
{
	struct wt_options options = {0};
	struct wt_report *report = NULL;
	struct wt_cert_list *chain = NULL;
	struct wt_error err = {0};

	(void)state;
	wt_options_init(&options);
	assert_int_equal(wt_report_new(&report, NULL), WT_OK);
	assert_int_equal(wt_cert_list_new(&chain, NULL), WT_OK);
	assert_int_equal(wt_cert_list_read(chain, SERVER, NULL), WT_OK);
	if (wt_target_check(TARGET, chain, NULL, 1767225600, &options, report,
		    &err) != WT_NO)
		fail_msg("%s: %s", err.object, err.reason);
	assert_int_equal(asked, 2);
	wt_cert_list_free(chain);
	wt_report_free(report);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(images_share_the_work_of_a_call),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
