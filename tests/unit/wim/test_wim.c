/* SPDX-License-Identifier: MIT
 * test_wim.c: hives come out of WIMs and get into them. */
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

#include "testfile.h"

static char folder[] = "/tmp/test-wim-XXXXXX";
static struct wt_wim_options options;

static int make_folder(void **state)
{
	(void)state;
	options.temp_folder = mkdtemp(folder);
	return options.temp_folder ? 0 : 1;
}

/* Every test leaves the folder empty, or this fails. */
static int remove_folder(void **state)
{
	(void)state;
	return rmdir(folder);
}

static const char *sample(const char *name)
{
	static char path[4096];

	snprintf(path, sizeof(path), "%s/%s", WT_WIMS, name);
	return path;
}

static void read_ok(const char *path, struct wt_wim **ret_wim)
{
	struct wt_error err = {0};
	enum wt_status ret = wt_wim_read(path, &options, ret_wim, &err);

	if (ret != WT_OK)
		fail_msg("%s: %s (%s)", err.object, err.reason, err.code);
}

static void header_and_images_are_read(void **state)
{
	struct wt_wim *wim = NULL;

	(void)state;
	read_ok(sample("two.wim"), &wim);
	assert_int_equal(wim->info.image_count, 2);
	assert_int_equal(wim->info.boot_index, 2);
	assert_true(wim->info.has_integrity_table);
	assert_true(wim->info.is_ordered);
	assert_false(wim->info.is_interrupted || wim->info.is_pipable ||
		     wim->info.is_solid || wim->info.is_read_only);
	assert_string_equal(wim->info.compression, "LZX");
	assert_int_equal(wim->info.used_len, wim->info.len);
	assert_string_equal(wim->images[1].name, "Image 2");
	assert_string_equal(wim->images[1].description, "Sample image 2");
	assert_true(wim->images[1].is_boot && !wim->images[0].is_boot);
	assert_true(wim->images[0].file_count > 20);
	assert_string_equal(
		wim->images[0].hive_path, "/Windows/System32/config/SOFTWARE");
	assert_true(wim->images[0].is_hive_alone);
	assert_int_equal(wim->images[0].hive_links, 1);
	wt_wim_free(wim);
}

static void hive_is_found_as_it_is_spelled_or_not_at_all(void **state)
{
	static const struct {
		const char *name, *path, *code;
		unsigned links;
	} rows[] = {
		{"plain.wim", "/Windows/System32/config/SOFTWARE", "", 1},
		{"lower.wim", "/wINDOWS/SYSTEM32/CONFIG/software", "", 1},
		{"hard-link.wim", "/Windows/System32/config/SOFTWARE", "", 2},
		{"bad-interrupted.wim", "/Windows/System32/config/SOFTWARE", "",
			1},
		{"bad-pipable.wim", "/Windows/System32/config/SOFTWARE", "", 1},
		{"no-hive.wim", "", "", 0},
		{"bad-folder.wim", "", "hive-is-folder", 0},
		{"bad-ambiguous.wim", "", "hive-path-ambiguous", 0},
		{"bad-link-config.wim", "", "hive-path-link", 0},
		{"bad-link-hive.wim", "", "hive-path-link", 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct wt_wim *wim = NULL;

		read_ok(sample(rows[i].name), &wim);
		assert_string_equal(wim->images[0].hive_path, rows[i].path);
		assert_string_equal(
			wim->images[0].hive_error.code, rows[i].code);
		assert_int_equal(wim->images[0].hive_links, rows[i].links);
		wt_wim_free(wim);
	}
}

static void hive_and_logs_are_extracted(void **state)
{
	int logs[WT_HIVE_LOGS] = {-1, -1, -1};
	int hive = -1;
	struct wt_wim *wim = NULL;
	uint8_t *expected = NULL;
	uint8_t *data = NULL;
	size_t expected_len = 0;
	size_t len = 0;
	int fd = open(WT_HIVES "/software-1.3", O_RDONLY | O_CLOEXEC);
	int first = 0;

	(void)state;
	read_ok(sample("logs.wim"), &wim);
	assert_int_equal(wim->images[0].log_lens[0], 0);
	assert_int_equal(wim->images[0].log_lens[1], 8192);
	assert_int_equal(wim->images[0].log_lens[2], 4096);
	assert_int_equal(wt_wim_extract(sample("logs.wim"), wim, &first, 1,
				 &options, &hive, NULL),
		WT_OK);
	expected = contents(fd, &expected_len);
	data = contents(hive, &len);
	assert_int_equal(len, expected_len);
	assert_memory_equal(data, expected, len);
	free(data);
	free(expected);
	wt_wim_fds_close(&hive, 1);
	assert_int_equal(hive, -1);
	assert_int_equal(wt_wim_extract_logs(sample("logs.wim"), wim, first,
				 8192, &options, logs, NULL),
		WT_OK);
	assert_int_equal(logs[0], -1);
	data = contents(logs[1], &len);
	assert_int_equal(len, 8192);
	free(data);
	data = contents(logs[2], &len);
	assert_int_equal(len, 4096);
	free(data);
	wt_wim_fds_close(logs, WT_HIVE_LOGS);
	/* A longer one is left out. */
	assert_int_equal(wt_wim_extract_logs(sample("logs.wim"), wim, first,
				 8191, &options, logs, NULL),
		WT_OK);
	assert_int_equal(logs[1], -1);
	assert_true(logs[2] >= 0);
	wt_wim_fds_close(logs, WT_HIVE_LOGS);
	close(fd);
	wt_wim_free(wim);
}

static void unusable_files_have_their_code(void **state)
{
	static const struct {
		const char *name;
		enum wt_status status;
		const char *code;
	} rows[] = {
		{"bad-split.swm", WT_ERR_WIM, "wim-split"},
		{"not-there.wim", WT_ERR_FILE, "not-found"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct wt_wim *wim = NULL;
		struct wt_error err = {0};

		assert_int_equal(
			wt_wim_read(sample(rows[i].name), &options, &wim, &err),
			rows[i].status);
		assert_string_equal(err.code, rows[i].code);
		assert_null(wim);
	}
}

static void what_cannot_be_changed_has_its_code(void **state)
{
	static const struct {
		const char *name, *code;
	} rows[] = {
		{"bad-interrupted.wim", "image-interrupted"},
		{"bad-pipable.wim", "wim-pipable"},
		{"bad-read-only.wim", "wim-read-only-flag"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct wt_wim_put put = {
			.image = 0, .hive_fd = 0, .old_fd = -1};
		struct wt_wim_patch patch = {.fd = -1};
		struct wt_wim *wim = NULL;
		struct wt_error err = {0};

		read_ok(sample(rows[i].name), &wim);
		assert_int_equal(
			wt_wim_make_patch(sample(rows[i].name), wim, &put, 1,
				WT_ACCESS_UPDATE, &options, &patch, &err),
			WT_ERR_WIM);
		assert_string_equal(err.code, rows[i].code);
		assert_int_not_equal(err.hint[0], '\0');
		assert_int_equal(patch.fd, -1);
		wt_wim_free(wim);
	}
}

/* What a patch makes of a WIM, at path. */
static void apply(
	const char *source, const struct wt_wim_patch *patch, const char *path)
{
	int src = open(source, O_RDONLY | O_CLOEXEC);
	int dst = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	uint8_t *old = NULL;
	uint8_t *new = NULL;
	size_t old_len = 0;
	size_t new_len = 0;

	old = contents(src, &old_len);
	new = contents(patch->fd, &new_len);
	assert_int_equal(old_len, patch->old_len);
	assert_int_equal(new_len, patch->new_len);
	assert_int_equal(pwrite(dst, old, old_len, 0), old_len);
	assert_int_equal(ftruncate(dst, (off_t)patch->new_len), 0);
	assert_int_equal(pwrite(dst, new + patch->tail_offset,
				 new_len - patch->tail_offset,
				 (off_t)patch->tail_offset),
		new_len - patch->tail_offset);
	assert_int_equal(
		pwrite(dst, new, WT_WIM_HEADER_LEN, 0), WT_WIM_HEADER_LEN);
	free(old);
	free(new);
	close(src);
	close(dst);
}

static int run(const char *format, const char *path)
{
	char command[8192] = "";

	snprintf(command, sizeof(command), "%s %s >/dev/null 2>&1", format,
		path);
	return system(command);
}

/* A hive for each image: the old one with other bytes at its end. */
static void make_puts(const char *path, const struct wt_wim *wim, int *hives,
	struct wt_wim_put *puts)
{
	int all[WT_WIM_IMAGES_MAX] = {0};

	for (int i = 0; i < wim->info.image_count; i++)
		all[i] = i;
	assert_int_equal(
		wt_wim_extract(path, wim, all, (size_t)wim->info.image_count,
			&options, hives, NULL),
		WT_OK);
	for (int i = 0; i < wim->info.image_count; i++) {
		char text[64] = "";
		int len = snprintf(text, sizeof(text), "new hive %d", i);

		puts[i].image = i;
		puts[i].hive_fd = hives[i];
		puts[i].old_fd = -1;
		assert_int_equal(pwrite(hives[i], text, (size_t)len,
					 (off_t)wim->images[i].hive_len),
			len);
	}
}

static void patched_wim_holds_the_new_hives(void **state)
{
	static const char *const names[] = {
		"plain.wim",
		"two.wim",
		"xpress.wim",
		"lzms.wim",
		"none.wim",
		"solid.esd",
		"solid-integrity.esd",
		"lower.wim",
		"hard-link.wim",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct wt_wim_patch patch = {.fd = -1};
		int hives[2];
		struct wt_wim_put puts[2] = {{0}};
		struct wt_error err = {0};
		struct wt_wim *wim = NULL;
		struct wt_wim *after = NULL;
		char path[4096] = "";

		read_ok(sample(names[i]), &wim);
		make_puts(sample(names[i]), wim, hives, puts);
		if (wt_wim_make_patch(sample(names[i]), wim, puts,
			    (size_t)wim->info.image_count, WT_ACCESS_UPDATE,
			    &options, &patch, &err) != WT_OK)
			fail_msg("%s: %s (%s)", names[i], err.reason, err.code);
		assert_int_equal(patch.access, WT_ACCESS_UPDATE);
		assert_int_equal(patch.tail_offset, wim->info.used_len);
		snprintf(path, sizeof(path), "%s/patched.wim", folder);
		apply(sample(names[i]), &patch, path);
		assert_int_equal(run("wimlib-imagex verify", path), 0);
		read_ok(path, &after);
		assert_int_equal(after->info.len, patch.new_len);
		assert_string_equal(after->info.guid, wim->info.guid);
		for (int k = 0; k < wim->info.image_count; k++) {
			assert_int_equal(after->images[k].hive_len,
				wim->images[k].hive_len + 10);
			assert_int_equal(after->images[k].file_count,
				wim->images[k].file_count);
		}
		unlink(path);
		wt_wim_fds_close(hives, (size_t)wim->info.image_count);
		close(patch.fd);
		wt_wim_free(after);
		wt_wim_free(wim);
	}
}

/* Then wimlib has nothing to write but metadata, and the old data is not in
 * the skeleton. */
static void hive_that_the_wim_holds_already_is_put(void **state)
{
	static const char *const names[] = {
		"two.wim", "solid-integrity.esd", "none.wim"};

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct wt_wim_patch patch = {.fd = -1};
		int hive = -1;
		struct wt_wim_put put = {
			.image = 0, .hive_fd = -1, .old_fd = -1};
		struct wt_error err = {0};
		struct wt_wim *wim = NULL;
		char path[4096] = "";
		int first = 0;

		read_ok(sample(names[i]), &wim);
		assert_int_equal(wt_wim_extract(sample(names[i]), wim, &first,
					 1, &options, &hive, NULL),
			WT_OK);
		put.hive_fd = hive;
		if (wt_wim_make_patch(sample(names[i]), wim, &put, 1,
			    WT_ACCESS_UPDATE, &options, &patch, &err) != WT_OK)
			fail_msg("%s: %s (%s)", names[i], err.reason, err.code);
		snprintf(path, sizeof(path), "%s/patched.wim", folder);
		apply(sample(names[i]), &patch, path);
		assert_int_equal(run("wimlib-imagex verify", path), 0);
		unlink(path);
		wt_wim_fds_close(&hive, 1);
		close(patch.fd);
		wt_wim_free(wim);
	}
}

/* wimlib sums the last part of the file again: damage there must be found
 * before. */
static void damaged_wim_gets_no_fresh_sum(void **state)
{
	struct wt_wim_patch patch = {.fd = -1};
	struct wt_wim_put put = {.image = 0, .hive_fd = -1, .old_fd = -1};
	struct wt_error err = {0};
	struct wt_wim *wim = NULL;
	uint8_t *data = NULL;
	char path[4096] = "";
	size_t len = 0;
	int fd = open(sample("two.wim"), O_RDONLY | O_CLOEXEC);

	(void)state;
	data = contents(fd, &len);
	close(fd);
	data[1000] ^= 1;
	snprintf(path, sizeof(path), "%s/damaged.wim", folder);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	assert_int_equal(write(fd, data, len), len);
	free(data);
	read_ok(path, &wim);
	put.hive_fd = fd;
	assert_int_equal(wt_wim_make_patch(path, wim, &put, 1, WT_ACCESS_UPDATE,
				 &options, &patch, &err),
		WT_ERR_WIM);
	assert_string_equal(err.code, "wim-integrity");
	wt_wim_free(wim);
	wim = NULL;
	options.check_integrity = true;
	assert_int_equal(wt_wim_read(path, &options, &wim, &err), WT_ERR_WIM);
	options.check_integrity = false;
	assert_string_equal(err.code, "wim-integrity");
	close(fd);
	unlink(path);
}

static void interrupted_wim_is_put_back(void **state)
{
	uint8_t header[WT_WIM_HEADER_LEN] = {0};
	struct wt_error err = {0};
	uint64_t len = 0;
	struct wt_wim *wim = NULL;
	char path[4096] = "";
	uint8_t *data = NULL;
	size_t data_len = 0;
	int fd = -1;

	(void)state;
	fd = open(sample("bad-interrupted.wim"), O_RDONLY | O_CLOEXEC);
	assert_int_equal(wt_wim_repair(fd, "w", header, &len, &err), WT_OK);
	data = contents(fd, &data_len);
	close(fd);
	assert_int_equal(len, data_len - 5000);
	snprintf(path, sizeof(path), "%s/repaired.wim", folder);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	assert_int_equal(pwrite(fd, data, len, 0), len);
	assert_int_equal(pwrite(fd, header, sizeof(header), 0), sizeof(header));
	free(data);
	close(fd);
	read_ok(path, &wim);
	assert_int_equal(wt_wim_check_writable(&wim->info, path, NULL), WT_OK);
	assert_int_equal(run("wimlib-imagex verify", path), 0);
	wt_wim_free(wim);
	unlink(path);
	fd = open(sample("plain.wim"), O_RDONLY | O_CLOEXEC);
	assert_int_equal(
		wt_wim_repair(fd, "w", header, &len, &err), WT_ERR_WIM);
	close(fd);
	assert_string_equal(err.code, "wim-not-interrupted");
}

static void rebuild_leaves_no_hole(void **state)
{
	char path[4096] = "";
	struct wt_wim *before = NULL;
	struct wt_wim *after = NULL;

	(void)state;
	snprintf(path, sizeof(path), "%s/rebuilt.wim", folder);
	assert_int_equal(
		wt_wim_rebuild(sample("two.wim"), path, &options, NULL), WT_OK);
	read_ok(sample("two.wim"), &before);
	read_ok(path, &after);
	assert_string_equal(after->info.guid, before->info.guid);
	assert_true(after->info.has_integrity_table);
	assert_int_equal(after->info.boot_index, 2);
	assert_memory_equal(after->images[1].hive_sha1,
		before->images[1].hive_sha1, WT_SHA1_LEN);
	wt_wim_free(before);
	wt_wim_free(after);
	unlink(path);
}

/* As on a file system that gives a name another file than the one that is
 * open under it. */
static void file_whose_name_is_gone_is_not_called_damaged(void **state)
{
	char path[4096] = "";
	char by_fd[64] = "";
	struct wt_wim *wim = NULL;
	struct wt_error err = {0};
	uint8_t *data = NULL;
	size_t len = 0;
	int fd = open(sample("two.wim"), O_RDONLY | O_CLOEXEC);

	(void)state;
	assert_true(fd >= 0);
	data = contents(fd, &len);
	close(fd);
	snprintf(path, sizeof(path), "%s/gone.wim", folder);
	fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, data, len), len);
	unlink(path);
	snprintf(by_fd, sizeof(by_fd), "/proc/self/fd/%d", fd);
	assert_int_equal(wt_wim_read(by_fd, &options, &wim, &err), WT_ERR_FILE);
	assert_string_equal(err.code, "open-failed");
	assert_non_null(strstr(err.hint, "--commit append"));
	assert_null(wim);
	close(fd);
	free(data);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(header_and_images_are_read),
		cmocka_unit_test(hive_is_found_as_it_is_spelled_or_not_at_all),
		cmocka_unit_test(hive_and_logs_are_extracted),
		cmocka_unit_test(unusable_files_have_their_code),
		cmocka_unit_test(what_cannot_be_changed_has_its_code),
		cmocka_unit_test(patched_wim_holds_the_new_hives),
		cmocka_unit_test(hive_that_the_wim_holds_already_is_put),
		cmocka_unit_test(damaged_wim_gets_no_fresh_sum),
		cmocka_unit_test(interrupted_wim_is_put_back),
		cmocka_unit_test(rebuild_leaves_no_hole),
		cmocka_unit_test(file_whose_name_is_gone_is_not_called_damaged),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
