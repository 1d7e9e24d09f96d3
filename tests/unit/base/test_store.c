/* SPDX-License-Identifier: MIT
 * test_store.c: the names of Windows' certificate stores. */
#include <wimtrust/wimtrust.h>

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void every_store_is_found_by_its_name(void **state)
{
	(void)state;
	for (int i = 0; i < WT_STORE_COUNT; i++) {
		enum wt_store store = WT_STORE_COUNT;

		assert_true(wt_store_from_name(
			wt_store_name((enum wt_store)i), &store));
		assert_int_equal(store, i);
	}
}

static void case_does_not_matter_and_spelling_does(void **state)
{
	enum wt_store store = WT_STORE_CA;

	(void)state;
	assert_true(wt_store_from_name("aUTHrOOT", &store));
	assert_int_equal(store, WT_STORE_AUTHROOT);
	assert_string_equal(wt_store_name(store), "AuthRoot");
	assert_false(wt_store_from_name("Auth Root", &store));
	assert_false(wt_store_from_name("", &store));
	assert_int_equal(store, WT_STORE_AUTHROOT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_store_is_found_by_its_name),
		cmocka_unit_test(case_does_not_matter_and_spelling_does),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
