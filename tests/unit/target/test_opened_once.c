/* SPDX-License-Identifier: MIT
 * test_opened_once.c: how often wimlib opens a WIM, whose metadata are many
 * megabytes: once to read, and once more for what becomes of it. */
#include "base/child.h"
#include "wim/lib.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define ROOT WT_TESTDATA "/windows10-rsa4096-sha256.der"
#define TARGET WT_WIMS "/two.wim"

/* In all processes: those of a file, and those of a skeleton. */
static atomic_int *opened, *appended;

enum wt_status __real_wt_wim_open(const char *path, int flags,
	const struct wt_wim_options *options, WIMStruct **ret_wim,
	struct wt_error *err);

enum wt_status __wrap_wt_wim_open(const char *path, int flags,
	const struct wt_wim_options *options, WIMStruct **ret_wim,
	struct wt_error *err)
{
	atomic_fetch_add(strstr(path, "skeleton") ? appended : opened, 1);
	return __real_wt_wim_open(path, flags, options, ret_wim, err);
}

static int list(const char *const *images, size_t image_count)
{
	struct wt_options options = {0};
	struct wt_report *report = NULL;
	struct wt_error err = {0};

	atomic_store(opened, 0);
	wt_options_init(&options);
	options.images = images;
	options.image_count = image_count;
	assert_int_equal(wt_report_new(&report, NULL), WT_OK);
	if (wt_target_list(TARGET, &options, report, &err) != WT_OK)
		fail_msg("%s: %s", err.object, err.reason);
	wt_report_free(report);
	return atomic_load(opened);
}

static void who_reads_opens_it_once(void **state)
{
	static const char *const images[] = {
		"1", "2", "boot", "ALL", "image 2"};

	(void)state;
	assert_int_equal(list(NULL, 0), 1);
	assert_int_equal(list(images, 5), 1);
	for (size_t i = 0; i < sizeof(images) / sizeof(images[0]); i++)
		assert_int_equal(list(&images[i], 1), 1);
}

static void who_adds_opens_it_and_the_new_file_once(void **state)
{
	static const char *const boot = "boot";
	char folder[] = "/tmp/test-opened-once-XXXXXX";
	char output[64] = "", command[96] = "";
	struct wt_options options = {0};
	struct wt_report *report = NULL;
	struct wt_cert_list *certs = NULL;
	struct wt_error err = {0};

	(void)state;
	assert_non_null(mkdtemp(folder));
	snprintf(output, sizeof(output), "%s/new.wim", folder);
	atomic_store(opened, 0);
	atomic_store(appended, 0);
	wt_options_init(&options);
	options.images = &boot;
	options.image_count = 1;
	options.output = output;
	options.access = WT_ACCESS_UPDATE;
	options.temp_parent = folder;
	options.threads = 1;
	assert_int_equal(wt_report_new(&report, NULL), WT_OK);
	assert_int_equal(wt_cert_list_new(&certs, NULL), WT_OK);
	assert_int_equal(wt_cert_list_read(certs, ROOT, NULL), WT_OK);
	if (wt_target_add(TARGET, certs, &options, report, &err) != WT_OK)
		fail_msg("%s: %s", err.object, err.reason);
	assert_int_equal(atomic_load(opened), 2);
	/* To write, and by each process that reads back. */
	assert_int_equal(atomic_load(appended), 2);
	wt_cert_list_free(certs);
	wt_report_free(report);
	snprintf(command, sizeof(command), "rm -r '%s'", folder);
	assert_int_equal(system(command), 0);
}

static int make_counters(void **state)
{
	(void)state;
	opened = wt_shared_new(sizeof(*opened));
	appended = wt_shared_new(sizeof(*appended));
	return opened && appended ? 0 : 1;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_reads_opens_it_once),
		cmocka_unit_test(who_adds_opens_it_and_the_new_file_once),
	};

	return cmocka_run_group_tests(tests, make_counters, NULL);
}
