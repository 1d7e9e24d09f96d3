/* SPDX-License-Identifier: MIT
 * test_api.c: what the public functions do with NULL, and with the options of
 * a program that was built with another version. */
#include <wimtrust/wimtrust.h>

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "testfile.h"

#define CERT WT_TESTDATA "/certs/root-rsa2048.der"
#define HIVE WT_HIVES "/entries"

/* A compiler that knows these to take a format would refuse NULL. */
typedef enum wt_status fail_fn(struct wt_error *err, enum wt_status status,
	const char *code, const char *object, const char *fmt, ...);
typedef void hint_fn(struct wt_error *err, const char *fmt, ...);

/* The call fails for its argument, says so, and names the function. */
#define assert_refused(function, ...)                                          \
	do {                                                                   \
		struct wt_error why = {0};                                     \
                                                                               \
		assert_int_equal(function(__VA_ARGS__, &why), WT_ERR_USAGE);   \
		assert_int_equal(why.status, WT_ERR_USAGE);                    \
		assert_string_equal(why.code, "bad-argument");                 \
		assert_string_equal(why.object, #function);                    \
		assert_true(why.reason[0] && why.hint[0]);                     \
		assert_int_equal(function(__VA_ARGS__, NULL), WT_ERR_USAGE);   \
	} while (0)

struct fixture {
	struct wt_cert_list *list;
	struct wt_report *report;
	const struct wt_cert *cert;
};

static int setup(void **state)
{
	static struct fixture fixture;

	fixture = (struct fixture){0};
	assert_int_equal(wt_cert_list_new(&fixture.list, NULL), WT_OK);
	assert_int_equal(wt_cert_list_read(fixture.list, CERT, NULL), WT_OK);
	assert_int_equal(wt_report_new(&fixture.report, NULL), WT_OK);
	fixture.cert = wt_cert_list_get(fixture.list, 0);
	*state = &fixture;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *fixture = *state;

	wt_report_free(fixture->report);
	wt_cert_list_free(fixture->list);
	return 0;
}

static void test_errors(void **state)
{
	fail_fn *const fails[] = {wt_fail, wt_fail_errno};
	hint_fn *const hint = wt_error_hint;
	struct wt_error err = {0};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(fails[i](NULL, WT_ERR_WIM, NULL, NULL, NULL),
			WT_ERR_WIM);
		memset(&err, 'x', sizeof(err));
		assert_int_equal(fails[i](&err, WT_ERR_WIM, NULL, NULL, NULL),
			WT_ERR_WIM);
		assert_string_equal(err.code, "");
		assert_string_equal(err.object, "");
	}
	assert_int_equal(wt_fail_memory(NULL), WT_ERR_FILE);
	assert_int_equal(wt_error_native(NULL, WT_DOMAIN_SYSTEM, 1), WT_OK);
	hint(NULL, NULL);
	hint(&err, NULL);
	assert_string_equal(err.hint, "");
	assert_int_equal(wt_cancelled(NULL, NULL), WT_OK);
}

static void test_lists(void **state)
{
	struct fixture *fixture = *state;
	struct wt_cert_list *list = fixture->list;
	char host[256] = "";

	assert_refused(wt_cert_list_new, NULL);
	wt_cert_list_free(NULL);
	assert_int_equal(wt_cert_list_count(NULL), 0);
	assert_null(wt_cert_list_get(NULL, 0));
	assert_int_equal(wt_cert_list_note_count(NULL), 0);
	assert_null(wt_cert_list_note(NULL, 0));
	wt_cert_list_name_skipped(NULL, true);
	wt_cert_list_cancel_with(NULL, NULL);
	wt_cert_list_cancel_with(list, NULL);
	wt_cert_list_keep_going(NULL, true);
	wt_cert_list_recurse(NULL, true);
	assert_int_equal(wt_cert_list_refused_count(NULL), 0);
	assert_null(wt_cert_list_refused(NULL, 0));
	assert_int_equal(wt_cert_list_file_count(NULL), 0);
	assert_null(wt_cert_list_file(NULL, 0));
	assert_refused(wt_cert_list_read, NULL, CERT);
	assert_refused(wt_cert_list_read, list, NULL);
	assert_refused(wt_cert_list_read_chain, NULL, CERT);
	assert_refused(wt_cert_list_read_chain, list, NULL);
	assert_refused(wt_cert_list_fetch, NULL, "localhost", NULL, 1, NULL);
	assert_refused(wt_cert_list_fetch, list, NULL, NULL, 1, NULL);
	assert_refused(wt_cert_list_read_memory, NULL, "x", 1, "x");
	assert_refused(wt_cert_list_read_memory, list, NULL, 1, "x");
	assert_refused(wt_cert_list_read_memory, list, "x", 1, NULL);
	assert_int_equal(wt_cert_list_read_memory(list, NULL, 0, "x", NULL),
		WT_ERR_CERT);
	assert_refused(wt_server_host, NULL, host);
	assert_refused(wt_server_host, "localhost", NULL);
	assert_int_equal(wt_cert_list_count(list), 1);
}

static void note_address(void *ctx, enum wt_address kind, const char *uri)
{
	(void)ctx;
	(void)kind;
	(void)uri;
}

static void note_warning(void *ctx, const char *code, const char *text)
{
	(void)ctx;
	(void)code;
	(void)text;
}

static void test_certificates(void **state)
{
	struct fixture *fixture = *state;
	const struct wt_cert *cert = fixture->cert;
	struct wt_export_value value = {"AuthRoot", "00", NULL, 1};
	enum wt_store store = WT_STORE_AUTO;
	uint8_t *data = NULL;
	size_t len = 0;
	char *pem = NULL;

	assert_null(wt_cert_info(NULL));
	assert_refused(wt_cert_addresses, NULL, note_address, NULL);
	assert_refused(wt_cert_addresses, cert, NULL, NULL);
	assert_int_equal(
		wt_cert_addresses(cert, note_address, NULL, NULL), WT_OK);
	assert_refused(wt_cert_policy, NULL, store, 0, 0, &store, NULL);
	assert_refused(wt_cert_policy, cert, store, 0, 0, NULL, NULL);
	wt_cert_warnings(NULL, 0, note_warning, NULL);
	wt_cert_warnings(cert, 0, NULL, NULL);
	wt_cert_warnings(cert, 0, note_warning, NULL);
	assert_refused(wt_cert_encode, NULL, NULL, NULL, &data, &len);
	assert_refused(wt_cert_encode, cert, NULL, NULL, NULL, &len);
	assert_refused(wt_cert_encode, cert, NULL, NULL, &data, NULL);
	assert_false(wt_usage_is_known(NULL));
	assert_refused(wt_export_reg, NULL, 1, NULL, &data, &len);
	assert_refused(wt_export_reg, &value, 1, NULL, &data, &len);
	value.store = NULL;
	value.blob_len = 0;
	assert_refused(wt_export_reg, &value, 1, NULL, &data, &len);
	value.store = "AuthRoot";
	value.key = NULL;
	assert_refused(wt_export_reg, &value, 1, NULL, &data, &len);
	assert_refused(wt_export_reg, NULL, 0, NULL, NULL, &len);
	assert_refused(wt_export_reg, NULL, 0, NULL, &data, NULL);
	assert_refused(wt_cert_to_pem, NULL, &pem);
	assert_refused(wt_cert_to_pem, cert, NULL);
	assert_false(wt_store_from_name(NULL, &store));
	assert_false(wt_store_from_name("root", NULL));
	assert_false(wt_is_thumbprint(NULL));
	assert_false(wt_is_thumbprint_of(NULL, wt_cert_info(cert)));
	assert_false(wt_is_thumbprint_of(wt_cert_info(cert)->sha1, NULL));
	wt_free(NULL);
	assert_null(data);
	assert_null(pem);
	assert_int_equal(len, 0);
}

static void test_reports(void **state)
{
	(void)state;
	assert_refused(wt_report_new, NULL);
	wt_report_free(NULL);
	assert_null(wt_report_image(NULL, 0));
	assert_null(wt_report_warning(NULL, 0));
	assert_null(wt_image_entry(NULL, 0));
	assert_null(wt_image_link(NULL, 0));
	assert_null(wt_action_name((enum wt_action)99));
	assert_null(wt_lock_name((enum wt_lock)0));
	assert_int_equal(wt_locks_require(NULL, 0, NULL), WT_ERR_FILE);
	assert_int_equal(wt_locks_require(NULL, ~0U, NULL), WT_OK);
	assert_null(wt_access_name(WT_ACCESS_AUTO));
	assert_null(wt_access_name((enum wt_access)99));
	assert_string_equal(wt_access_name(WT_ACCESS_UPDATE), "update");
	assert_null(wt_commit_name(WT_COMMIT_AUTO));
	assert_null(wt_commit_name((enum wt_commit)99));
	assert_string_equal(wt_commit_name(WT_COMMIT_APPEND), "append");
	wt_versions(NULL);
	wt_options_init_sized(NULL, sizeof(struct wt_options));
}

static void test_targets(void **state)
{
	struct fixture *fixture = *state;
	const struct wt_cert_list *list = fixture->list;
	struct wt_report *report = fixture->report;
	const char *const hole[] = {NULL};

	assert_refused(wt_target_add, NULL, list, NULL, report);
	assert_refused(wt_target_add, HIVE, NULL, NULL, report);
	assert_refused(wt_target_add, HIVE, list, NULL, NULL);
	assert_refused(wt_target_remove, NULL, NULL, 0, list, NULL, report);
	assert_refused(wt_target_remove, HIVE, NULL, 1, list, NULL, report);
	assert_refused(wt_target_remove, HIVE, hole, 1, list, NULL, report);
	assert_refused(wt_target_remove, HIVE, NULL, 0, list, NULL, NULL);
	assert_refused(wt_target_list, NULL, NULL, report);
	assert_refused(wt_target_list, HIVE, NULL, NULL);
	assert_refused(wt_target_info, NULL, NULL, report);
	assert_refused(wt_target_info, HIVE, NULL, NULL);
	assert_refused(wt_target_verify, NULL, NULL, 0, list, NULL, report);
	assert_refused(wt_target_verify, HIVE, NULL, 1, list, NULL, report);
	assert_refused(wt_target_verify, HIVE, hole, 1, list, NULL, report);
	assert_refused(wt_target_verify, HIVE, NULL, 0, list, NULL, NULL);
	assert_refused(wt_target_check, NULL, list, NULL, 0, NULL, report);
	assert_refused(wt_target_check, HIVE, NULL, NULL, 0, NULL, report);
	assert_refused(wt_target_check, HIVE, list, NULL, 0, NULL, NULL);
	assert_refused(wt_target_diff, NULL, HIVE, NULL, report);
	assert_refused(wt_target_diff, HIVE, NULL, NULL, report);
	assert_refused(wt_target_diff, HIVE, HIVE, NULL, NULL);
	assert_null(report->target);
}

/* Neither thumbprints nor certificates: there is nothing to do. */
static void test_nothing_asked(void **state)
{
	struct fixture *fixture = *state;
	struct wt_report *report = fixture->report;
	struct wt_cert_list *empty = NULL;
	struct wt_error errs[5] = {0};

	assert_int_equal(wt_cert_list_new(&empty, NULL), WT_OK);
	wt_target_add(HIVE, empty, NULL, report, &errs[0]);
	wt_target_remove(HIVE, NULL, 0, empty, NULL, report, &errs[1]);
	wt_target_verify(HIVE, NULL, 0, empty, NULL, report, &errs[2]);
	wt_target_verify(HIVE, NULL, 0, NULL, NULL, report, &errs[3]);
	wt_target_remove(HIVE, NULL, 0, NULL, NULL, report, &errs[4]);
	for (size_t i = 0; i < 5; i++) {
		assert_int_equal(errs[i].status, WT_ERR_USAGE);
		assert_string_equal(errs[i].code, "no-certificate");
	}
	wt_cert_list_free(empty);
}

static void test_unknown_usage(void **state)
{
	struct fixture *fixture = *state;
	struct wt_error err = {0};
	uint8_t *blob = NULL;
	size_t len = 0;

	assert_int_equal(wt_cert_encode(fixture->cert, NULL, "server-auth,x",
				 &blob, &len, &err),
		WT_ERR_USAGE);
	assert_string_equal(err.code, "bad-usage");
	assert_string_equal(err.object, "x");
	assert_null(blob);
}

static void test_no_options(void **state)
{
	struct fixture *fixture = *state;
	struct wt_error err = {0};

	assert_ok(wt_target_list(HIVE, NULL, fixture->report, &err), &err);
	assert_non_null(wt_report_image(fixture->report, 0));
}

static void test_images(void **state)
{
	struct fixture *fixture = *state;
	const char *const hole[] = {NULL};
	struct wt_options options;

	wt_options_init(&options);
	options.commit = WT_COMMIT_IN_PLACE;
	assert_refused(wt_target_list, HIVE, &options, fixture->report);
	wt_options_init(&options);
	options.image_count = 1;
	assert_refused(wt_target_list, HIVE, &options, fixture->report);
	options.images = hole;
	assert_refused(wt_target_list, HIVE, &options, fixture->report);
}

/* The memory ends with the last member that the program knows. */
static void test_shorter_options(void **state)
{
	struct fixture *fixture = *state;
	const size_t size = offsetof(struct wt_options, now);
	/* The compiler is not to know how short it is. */
	void *volatile memory = malloc(size);
	struct wt_options *options = memory;
	struct wt_error err = {0};

	assert_non_null(options);
	wt_options_init_sized(options, size);
	assert_int_equal(options->size, size);
	assert_int_equal(options->wait_seconds, 60);
	options->store = WT_STORE_DISALLOWED;
	assert_ok(wt_target_list(HIVE, options, fixture->report, &err), &err);
	for (size_t i = 0;; i++) {
		const struct wt_entry *entry =
			wt_image_entry(wt_report_image(fixture->report, 0), i);

		if (!entry)
			break;
		assert_int_equal(entry->store, WT_STORE_DISALLOWED);
	}
	free(options);
}

/* Memory after the program's struct is not read. */
static void test_behind_options(void **state)
{
	struct fixture *fixture = *state;
	struct wt_options options;
	struct wt_error err = {0};

	memset(&options, 0xFF, sizeof(options));
	wt_options_init_sized(&options, offsetof(struct wt_options, store));
	assert_ok(wt_target_list(HIVE, &options, fixture->report, &err), &err);
	assert_true(wt_report_image(fixture->report, 0)->entry_count > 0);
}

static void test_longer_options(void **state)
{
	struct fixture *fixture = *state;
	struct {
		struct wt_options known;
		uint64_t later;
	} options;
	struct wt_error err = {0};

	wt_options_init_sized(&options.known, sizeof(options));
	assert_int_equal(options.later, 0);
	assert_ok(wt_target_list(HIVE, &options.known, fixture->report, &err),
		&err);
	options.later = 1;
	assert_refused(wt_target_list, HIVE, &options.known, fixture->report);
}

static void test_options_without_size(void **state)
{
	struct fixture *fixture = *state;
	struct wt_options options = {0};

	assert_refused(wt_target_list, HIVE, &options, fixture->report);
	memset(&options, 0xFF, sizeof(options));
	assert_refused(wt_target_list, HIVE, &options, fixture->report);
	wt_options_init_sized(&options, SIZE_MAX);
	assert_int_equal(options.size, SIZE_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_errors, setup, teardown),
		cmocka_unit_test_setup_teardown(test_lists, setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_certificates, setup, teardown),
		cmocka_unit_test_setup_teardown(test_reports, setup, teardown),
		cmocka_unit_test_setup_teardown(test_targets, setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_nothing_asked, setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_unknown_usage, setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_no_options, setup, teardown),
		cmocka_unit_test_setup_teardown(test_images, setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_shorter_options, setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_behind_options, setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_longer_options, setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_options_without_size, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
