/* SPDX-License-Identifier: MIT
 * test_finished.c: what was finished is not what was meant: a rebuild that
 * writes another WIM, a patch with another header, a disk that changes what it
 * was given, a new hive that turns out to be wrong when all else is ready. It
 * never takes TARGET's name. */
#include "base/bytes.h"
#include "file/patch.h"
#include "hive/same.h"
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
#define BOOT_INDEX_OFFSET 120

static char folder[] = "/tmp/test-finished-XXXXXX";
static char target[64], before[64], temp[64];

/* What goes wrong. */
static const char *rebuilt; /* a rebuild gives a copy of this file */
static bool is_other_boot;  /* the patch starts another image */
static bool is_lost;	    /* a byte of what is written becomes another */
static bool is_lost_late;   /* and only when it has been compared */
static bool is_wrong_hive;  /* hivex changed more than was asked for */
static bool is_slow;	    /* nothing but time */

/* That this process had when the patch was begun; -1: the kernel does not say.
 */
static int children;

static void copy(const char *source, const char *path)
{
	int src = open(source, O_RDONLY | O_CLOEXEC);
	int dst = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	char data[4096] = "";
	ssize_t got = 0;

	assert_true(src >= 0 && dst >= 0);
	while ((got = read(src, data, sizeof(data))) > 0)
		assert_int_equal(write(dst, data, (size_t)got), got);
	close(src);
	close(dst);
}

enum wt_status __real_wt_wim_rebuild(const char *path, const char *new_path,
	const struct wt_wim_options *options, struct wt_error *err);
enum wt_status __wrap_wt_wim_rebuild(const char *path, const char *new_path,
	const struct wt_wim_options *options, struct wt_error *err)
{
	if (!rebuilt)
		return __real_wt_wim_rebuild(path, new_path, options, err);
	copy(rebuilt, new_path);
	return WT_OK;
}

static int children_count(void)
{
	FILE *file = fopen("/proc/thread-self/children", "re");
	int ret = 0;

	if (!file)
		return -1;
	for (int pid = 0; fscanf(file, "%d", &pid) == 1;)
		ret++;
	fclose(file);
	return ret;
}

enum wt_status __real_wt_wim_make_patch(const char *path,
	const struct wt_wim *wim, const struct wt_wim_put *puts,
	size_t put_count, enum wt_access access,
	const struct wt_wim_options *options, struct wt_wim_patch *ret_patch,
	struct wt_error *err);
enum wt_status __wrap_wt_wim_make_patch(const char *path,
	const struct wt_wim *wim, const struct wt_wim_put *puts,
	size_t put_count, enum wt_access access,
	const struct wt_wim_options *options, struct wt_wim_patch *ret_patch,
	struct wt_error *err)
{
	int count = children_count();
	enum wt_status ret = __real_wt_wim_make_patch(
		path, wim, puts, put_count, access, options, ret_patch, err);
	uint8_t boot_index[4] = {1};

	children = count;
	if (ret == WT_OK && is_other_boot)
		assert_int_equal(pwrite(ret_patch->fd, boot_index,
					 sizeof(boot_index), BOOT_INDEX_OFFSET),
			sizeof(boot_index));
	return ret;
}

/* In the last extent, which is the tail of a WIM. */
static void lose(const struct wt_patch *patch, int fd)
{
	const struct wt_extent *extent =
		&patch->extents[patch->extent_count - 1];
	off_t offset = (off_t)extent->offset + 8;
	uint8_t byte = 0;

	assert_int_equal(pread(fd, &byte, 1, offset), 1);
	byte ^= 1;
	assert_int_equal(pwrite(fd, &byte, 1, offset), 1);
}

int __real_wt_patch_write(const struct wt_patch *patch, int fd,
	enum wt_patch_part part, const volatile sig_atomic_t *cancel);
int __wrap_wt_patch_write(const struct wt_patch *patch, int fd,
	enum wt_patch_part part, const volatile sig_atomic_t *cancel)
{
	int ret = __real_wt_patch_write(patch, fd, part, cancel);

	if (ret == 0 && is_lost && part != WT_PATCH_REPLACED)
		lose(patch, fd);
	return ret;
}

int __real_wt_patch_compare_afresh(const struct wt_patch *patch, int fd,
	enum wt_patch_part part, const volatile sig_atomic_t *cancel);
int __wrap_wt_patch_compare_afresh(const struct wt_patch *patch, int fd,
	enum wt_patch_part part, const volatile sig_atomic_t *cancel)
{
	int ret = __real_wt_patch_compare_afresh(patch, fd, part, cancel);

	if (ret == 0 && is_lost_late && part == WT_PATCH_REPLACED)
		lose(patch, fd);
	return ret;
}

/* In the child that writes a hive. */
enum wt_status __real_wt_hive_same(const struct wt_hive_raw *old,
	const struct wt_hive_raw *after, const struct wt_hive_tasks *tasks,
	struct wt_error *err);
enum wt_status __wrap_wt_hive_same(const struct wt_hive_raw *old,
	const struct wt_hive_raw *after, const struct wt_hive_tasks *tasks,
	struct wt_error *err)
{
	enum wt_status ret = __real_wt_hive_same(old, after, tasks, err);

	/* Long enough for all that does not wait. */
	if (is_wrong_hive || is_slow)
		usleep(300000);
	if (!is_wrong_hive)
		return ret;
	return wt_fail(err, WT_ERR_HIVE, "hive-verify", old->object,
		"it is not what was meant");
}

static struct wt_options options_new(void)
{
	struct wt_options options = {0};

	wt_options_init(&options);
	options.access = WT_ACCESS_UPDATE;
	options.temp_parent = temp;
	return options;
}

static enum wt_status add(
	const struct wt_options *options, struct wt_error *err)
{
	struct wt_cert_list *certs = NULL;
	struct wt_report *report = NULL;
	enum wt_status ret = WT_OK;

	assert_int_equal(wt_cert_list_new(&certs, NULL), WT_OK);
	assert_int_equal(wt_cert_list_read(certs, ROOT, NULL), WT_OK);
	assert_int_equal(wt_report_new(&report, NULL), WT_OK);
	ret = wt_target_add(target, certs, options, report, err);
	if (ret != WT_OK) {
		assert_int_equal(report->access, WT_ACCESS_AUTO);
		assert_int_equal(report->commit, WT_COMMIT_AUTO);
		assert_null(report->access_why);
		assert_null(report->commit_why);
		assert_null(report->output);
	}
	wt_report_free(report);
	wt_cert_list_free(certs);
	return ret;
}

static bool is_as_before(void)
{
	char command[256] = "";

	snprintf(command, sizeof(command),
		"cmp -s '%s' '%s' && ls -A '%s' "
		"| wc -l | grep -qx 3",
		target, before, folder);
	return system(command) == 0;
}

/* It fails for that reason, and TARGET is what it was. */
static void assert_refused(const struct wt_options *options,
	enum wt_status status, const char *code, const char *reason)
{
	struct wt_error err = {0};

	copy(target, before);
	assert_int_equal(add(options, &err), status);
	rebuilt = NULL;
	is_other_boot = is_lost = is_lost_late = is_wrong_hive = false;
	assert_string_equal(err.code, code);
	if (!strstr(err.reason, reason))
		fail_msg("%s", err.reason);
	assert_true(is_as_before());
}

static void a_rebuilt_wim_with_other_images_is_thrown_away(void **state)
{
	struct wt_options options = options_new();

	(void)state;
	copy(WT_WIMS "/plain.wim", target);
	assert_int_equal(add(&options, NULL), WT_OK);
	options.rebuild = true;
	/* No hive is new, so that only the images are compared. */
	rebuilt = WT_WIMS "/two.wim";
	assert_refused(&options, WT_ERR_WIM, "verify-failed", "other images");
	/* Another hive in an image that was to stay as it was. */
	rebuilt = WT_WIMS "/plain.wim";
	assert_refused(&options, WT_ERR_WIM, "verify-failed", "other images");
}

static void a_rebuilt_wim_with_the_old_hive_is_thrown_away(void **state)
{
	struct wt_options options = options_new();

	(void)state;
	copy(WT_WIMS "/plain.wim", target);
	options.rebuild = true;
	rebuilt = WT_WIMS "/plain.wim";
	assert_refused(&options, WT_ERR_FILE, "verify-failed", "the hive");
}

static void a_patched_wim_with_another_header_is_thrown_away(void **state)
{
	static const enum wt_commit commits[] = {
		WT_COMMIT_REPLACE, WT_COMMIT_APPEND};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct wt_options options = options_new();

		copy(WT_WIMS "/two.wim", target);
		options.commit = commits[i];
		is_other_boot = true;
		assert_refused(&options, WT_ERR_WIM, "verify-failed",
			"another header");
	}
}

static void a_wim_is_compared_with_what_was_written(void **state)
{
	static const enum wt_commit commits[] = {
		WT_COMMIT_REPLACE, WT_COMMIT_APPEND};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		struct wt_options options = options_new();

		copy(WT_WIMS "/plain.wim", target);
		options.commit = commits[i];
		is_lost = true;
		assert_refused(&options, WT_ERR_FILE, "io-error",
			"not hold what was written");
	}
}

static void a_hive_is_read_back_once_more(void **state)
{
	struct wt_options options = options_new();

	(void)state;
	copy(WT_HIVES "/no-slack", target);
	is_lost_late = true;
	assert_refused(&options, WT_ERR_FILE, "verify-failed", "the hive");
}

static void a_wrong_hive_is_found_before_anything_takes_effect(void **state)
{
	static const struct {
		const char *source;
		enum wt_commit commit;
		bool is_dry;
	} cases[] = {
		{WT_WIMS "/two.wim", WT_COMMIT_REPLACE, false},
		{WT_WIMS "/two.wim", WT_COMMIT_APPEND, false},
		{WT_WIMS "/two.wim", WT_COMMIT_APPEND, true},
		{WT_HIVES "/no-slack", WT_COMMIT_AUTO, false},
		{WT_HIVES "/no-slack", WT_COMMIT_AUTO, true},
	};

	const char *all = "all";

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct wt_options options = options_new();
		bool is_wim = strstr(cases[i].source, ".wim") != NULL;

		copy(cases[i].source, target);
		options.commit = cases[i].commit;
		options.dry_run = cases[i].is_dry;
		options.images = &all;
		options.image_count = is_wim ? 1 : 0;
		is_wrong_hive = true;
		assert_refused(&options, WT_ERR_HIVE, "hive-verify", "meant");
	}
}

/* Each one that is left takes descriptors, and a place among the processes that
 * a container may have. */
static void one_hive_is_checked_beside_the_patch(void **state)
{
	struct wt_options options = options_new();
	const char *all = "all";

	(void)state;
	copy(WT_WIMS "/two.wim", target);
	options.commit = WT_COMMIT_APPEND;
	options.images = &all;
	options.image_count = 1;
	is_slow = true;
	assert_int_equal(add(&options, NULL), WT_OK);
	is_slow = false;
	if (children < 0)
		skip();
	assert_int_equal(children, 1);
}

static int make_folder(void **state)
{
	(void)state;
	if (!mkdtemp(folder))
		return 1;
	snprintf(target, sizeof(target), "%s/target", folder);
	snprintf(before, sizeof(before), "%s/before", folder);
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
		cmocka_unit_test(
			a_rebuilt_wim_with_other_images_is_thrown_away),
		cmocka_unit_test(
			a_rebuilt_wim_with_the_old_hive_is_thrown_away),
		cmocka_unit_test(
			a_patched_wim_with_another_header_is_thrown_away),
		cmocka_unit_test(a_wim_is_compared_with_what_was_written),
		cmocka_unit_test(a_hive_is_read_back_once_more),
		cmocka_unit_test(
			a_wrong_hive_is_found_before_anything_takes_effect),
		cmocka_unit_test(one_hive_is_checked_beside_the_patch),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
