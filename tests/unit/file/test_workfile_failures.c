/* SPDX-License-Identifier: MIT
 * test_workfile_failures.c: every call fails in turn; nothing is lost. */
#include "fail.h"
#include "file/workfile.h"
#include "workfile_fixture.h"

#include <errno.h>

#define CALLS_MAX 5000

/* One way to change the file. */
struct way {
	const char *name;
	bool in_place;
	void (*use)(struct fixture *fixture); /* NULL: a WIM's patch */
	struct wt_publish publish;
};

static enum wt_status run(
	struct fixture *fixture, const struct way *way, struct wt_error *err)
{
	struct wt_workfile *file = NULL;
	struct wt_copy *copy = NULL;
	enum wt_status ret = WT_OK;

	ret = wt_workfile_lock(fixture->target, -1, 1, NULL, &file, err);
	if (ret == WT_OK && way->in_place)
		ret = wt_workfile_patch(
			file, &fixture->patch, &way->publish, err);
	else if (ret == WT_OK) {
		ret = wt_copy_begin(file, &way->publish, TAIL_LEN, &copy, err);
		if (ret == WT_OK)
			ret = wt_copy_publish(copy, &fixture->patch, err);
	}
	wt_workfile_close(file);
	return ret;
}

static void restart(struct fixture *fixture)
{
	fixture_tidy(fixture);
	unlink(fixture->target);
	fixture_write(fixture->target, fixture->old_data, OLD_LEN);
}

/* What the next run leaves. The test looks at the file, not at what the run
 * says. */
static void next_run(struct fixture *fixture)
{
	struct wt_workfile *file = NULL;
	struct wt_error err = {0};

	if (wt_workfile_lock(fixture->target, -1, 1, NULL, &file, &err) !=
		WT_OK)
		fail_msg("next run: %s: %s", err.code, err.reason);
	wt_workfile_close(file);
}

static void reader_sees_a_whole_state(struct fixture *fixture)
{
	struct wt_workfile *file = NULL;
	uint8_t data[OLD_LEN + TAIL_LEN];
	struct wt_error err = {0};

	if (wt_workfile_open(fixture->target, -1, &file, &err) != WT_OK)
		fail_msg("reader: %s: %s", err.code, err.reason);
	assert_true(
		file->len == OLD_LEN || file->len == fixture->patch.new_len);
	assert_int_equal(pread(file->fd, data, file->len, 0), file->len);
	assert_memory_equal(data,
		file->len == OLD_LEN ? fixture->old_data : fixture->new_data,
		file->len);
	wt_workfile_close(file);
}

/* @return false once call n is beyond the last one */
static bool one_failure(struct fixture *fixture, const struct way *way,
	unsigned n, enum fail_mode mode, int native)
{
	struct wt_error err = {0};
	enum wt_status ret = WT_OK;
	bool is_hit = false;
	bool is_old = false;
	bool is_new = false;

	restart(fixture);
	fail_arm(n, mode, native);
	ret = run(fixture, way, &err);
	is_hit = fail_disarm();
	reader_sees_a_whole_state(fixture);
	if (!way->in_place && !(fixture_is_old(fixture, fixture->target) ||
				      fixture_is_new(fixture, fixture->target)))
		fail_msg("%s: call %u, %s: neither old nor new", way->name, n,
			fail_name());
	/* A failed removal alone excuses something that is left behind. */
	if (mode == FAIL_ONCE && fixture_count(fixture) > 1 &&
		!way->publish.backup_suffix && ret != WT_OK &&
		strcmp(fail_name(), "unlinkat") != 0)
		fail_msg("%s: call %u, %s: leaves something", way->name, n,
			fail_name());
	next_run(fixture);
	is_old = fixture_is_old(fixture, fixture->target);
	is_new = fixture_is_new(fixture, fixture->target);
	if (!is_old && !is_new)
		fail_msg("%s: call %u, %s: neither old nor new after the next "
			 "run",
			way->name, n, fail_name());
	if (ret == WT_OK && !is_new)
		fail_msg("%s: call %u, %s: success, but not new", way->name, n,
			fail_name());
	if (ret != WT_OK && (err.code[0] == '\0' || err.reason[0] == '\0'))
		fail_msg(
			"%s: call %u, %s: no error", way->name, n, fail_name());
	if (!way->publish.backup_suffix)
		assert_int_equal(fixture_count(fixture), 1);
	return is_hit;
}

static const struct way ways[] = {
	{.name = "replace"},
	{.name = "replace with backup", .publish = {.backup_suffix = ".bak"}},
	{.name = "append", .in_place = true},
	{.name = "hive in place", .in_place = true, .use = fixture_use_pages},
	{.name = "hive in place, made shorter",
		.in_place = true,
		.use = fixture_use_short},
	{.name = "hive replaced, made shorter", .use = fixture_use_short},
	{.name = "append with backup",
		.in_place = true,
		.publish = {.backup_suffix = ".bak"}},
};

static void sweep(void **state, enum fail_mode mode, int native)
{
	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		struct fixture *fixture = NULL;
		unsigned n = 1;

		fixture_new(state);
		fixture = *state;
		if (ways[i].use)
			ways[i].use(fixture);
		while (n < CALLS_MAX &&
			one_failure(fixture, &ways[i], n, mode, native))
			n++;
		assert_true(n > 20 && n < CALLS_MAX);
		fixture_free(state);
	}
}

static void each_call_failing_once_loses_nothing(void **state)
{
	static const int natives[] = {EIO, ENOSPC, EACCES};

	for (size_t i = 0; i < sizeof(natives) / sizeof(natives[0]); i++)
		sweep(state, FAIL_ONCE, natives[i]);
}

static void a_disk_that_dies_loses_nothing(void **state)
{
	sweep(state, FAIL_ALWAYS, EIO);
	sweep(state, FAIL_ALWAYS, ENOSPC);
}

static void short_reads_and_writes_lose_nothing(void **state)
{
	sweep(state, FAIL_SHORT, 0);
}

static void signals_in_between_lose_nothing(void **state)
{
	sweep(state, FAIL_ONCE, EINTR);
}

static void no_space_has_its_own_code(void **state)
{
	static const int natives[] = {ENOSPC, EDQUOT};
	struct fixture *fixture = NULL;

	fixture_new(state);
	fixture = *state;
	for (size_t i = 0; i < 2; i++) {
		unsigned found = 0;

		for (unsigned n = 1; n < CALLS_MAX; n++) {
			struct wt_error err = {0};
			enum wt_status ret = WT_OK;

			restart(fixture);
			fail_arm(n, FAIL_ONCE, natives[i]);
			ret = run(fixture, &ways[2], &err);
			if (!fail_disarm())
				break;
			if (strcmp(fail_name(), "pwrite64") != 0)
				continue;
			assert_int_equal(ret, WT_ERR_FILE);
			assert_string_equal(err.code, "no-space");
			found++;
		}
		assert_true(found > 2);
	}
	fixture_free(state);
}

static void the_run_folder_survives_every_failure(void **state)
{
	struct fixture *fixture = NULL;

	fixture_new(state);
	fixture = *state;
	for (unsigned n = 1; n < CALLS_MAX; n++) {
		struct wt_run_folder *folder = NULL;
		struct wt_error err = {0};
		enum wt_status ret = WT_OK;
		bool is_hit = false;

		fail_arm(n, FAIL_ONCE, EIO);
		ret = wt_run_folder_new(fixture->folder, &folder, &err);
		is_hit = fail_disarm();
		assert_true((ret == WT_OK) == (folder != NULL));
		if (ret != WT_OK)
			assert_string_not_equal(err.code, "");
		wt_run_folder_free(folder);
		if (!is_hit)
			break;
	}
	assert_int_equal(fixture_count(fixture), 1);
	fixture_free(state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_call_failing_once_loses_nothing),
		cmocka_unit_test(a_disk_that_dies_loses_nothing),
		cmocka_unit_test(short_reads_and_writes_lose_nothing),
		cmocka_unit_test(signals_in_between_lose_nothing),
		cmocka_unit_test(no_space_has_its_own_code),
		cmocka_unit_test(the_run_folder_survives_every_failure),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
