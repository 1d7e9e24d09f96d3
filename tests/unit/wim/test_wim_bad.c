/* SPDX-License-Identifier: MIT
 * test_wim_bad.c: malformed WIMs end with a clear error, or do no harm. */
#include "wim/wim.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

/* Reading, taking the hive out and putting it back. */
static enum wt_status do_all(
	const char *path, const char *temp_folder, struct wt_error *err)
{
	const struct wt_wim_options options = {.temp_folder = temp_folder};
	int hive = -1;
	struct wt_wim_patch patch = {.fd = -1};
	struct wt_wim_put put = {.image = 0, .hive_fd = -1, .old_fd = -1};
	struct wt_wim *wim = NULL;
	enum wt_status ret = WT_OK;
	int first = 0;

	ret = wt_wim_read(path, &options, &wim, err);
	if (ret != WT_OK)
		return ret;
	*err = wim->images[0].hive_error;
	ret = err->status;
	if (ret == WT_OK)
		ret = wt_wim_extract(
			path, wim, &first, 1, &options, &hive, err);
	if (ret == WT_OK) {
		put.hive_fd = hive;
		assert_int_equal(pwrite(hive, "changed", 7, 5000), 7);
		ret = wt_wim_make_patch(path, wim, &put, 1, WT_ACCESS_UPDATE,
			&options, &patch, err);
	}
	if (ret == WT_OK)
		close(patch.fd);
	wt_wim_fds_close(&hive, 1);
	wt_wim_free(wim);
	return ret;
}

/* list: codes, separated by "|" */
static bool is_one_of(const char *code, const char *list)
{
	size_t len = strlen(code);

	for (const char *at = list; at; at = strchr(at, '|')) {
		at += *at == '|';
		if (strncmp(at, code, len) == 0 &&
			(at[len] == '|' || at[len] == '\0'))
			return true;
	}
	return false;
}

static void each_malformed_wim_has_its_code(void **state)
{
	char folder[] = "/tmp/test-wim-bad-XXXXXX";
	FILE *list = fopen(WT_WIMS "/bad/list", "re");
	char name[100] = "";
	char code[100] = "";
	unsigned count = 0;

	(void)state;
	assert_non_null(list);
	assert_non_null(mkdtemp(folder));
	while (fscanf(list, "%99s %99s", name, code) == 2) {
		struct wt_error err = {0};
		char path[4096] = "";
		enum wt_status ret = WT_OK;

		snprintf(path, sizeof(path), "%s/bad/%s", WT_WIMS, name);
		ret = do_all(path, folder, &err);
		if (!is_one_of(ret == WT_OK ? "-" : err.code, code))
			fail_msg("%s: %d %s: %s", name, ret, err.code,
				err.reason);
		count++;
	}
	fclose(list);
	assert_true(count > 20);
	assert_int_equal(rmdir(folder), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_malformed_wim_has_its_code),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
