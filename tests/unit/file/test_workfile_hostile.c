/* SPDX-License-Identifier: MIT
 * test_workfile_hostile.c: somebody who owns the folder around the file puts
 * links in the way, just when it hurts. */
#include "file/temp.h"
#include "file/workfile.h"

#include "workfile_fixture.h"

#include <sys/file.h>

#define INNER ".target.wim.wimtrust-new"

/* What is outside, and must stay as it is: a file of TARGET's name, and
 * one that a killed run could have left beside it. */
static char outside[64];

static int outside_new(void **state)
{
	char path[128] = "";

	snprintf(outside, sizeof(outside), "/tmp/wt-outside-XXXXXX");
	assert_non_null(mkdtemp(outside));
	snprintf(path, sizeof(path), "%s/target.wim", outside);
	fixture_write(path, "outside", 7);
	snprintf(path, sizeof(path), "%s/.target.wim.wimtrust-abcdefgh",
		outside);
	fixture_write(path, "outside", 7);
	return fixture_new(state);
}

static int outside_free(void **state)
{
	char path[128] = "";

	snprintf(path, sizeof(path), "%s/.target.wim.wimtrust-abcdefgh",
		outside);
	assert_true(fixture_path_holds(path, "outside", 7));
	unlink(path);
	snprintf(path, sizeof(path), "%s/target.wim", outside);
	assert_true(fixture_path_holds(path, "outside", 7));
	unlink(path);
	/* Nothing else is there. */
	assert_int_equal(rmdir(outside), 0);
	return fixture_free(state);
}

/* The folder is moved away, and a link to outside takes its place. */
static void folder_exchange(const struct fixture *fixture)
{
	char aside[128] = "";

	snprintf(aside, sizeof(aside), "%s-aside", fixture->folder);
	assert_int_equal(rename(fixture->folder, aside), 0);
	assert_int_equal(symlink(outside, fixture->folder), 0);
}

static void folder_put_back(const struct fixture *fixture)
{
	char aside[128] = "";

	snprintf(aside, sizeof(aside), "%s-aside", fixture->folder);
	assert_int_equal(unlink(fixture->folder), 0);
	assert_int_equal(rename(aside, fixture->folder), 0);
}

static const struct fixture *exchanged;

char *__real_realpath(const char *path, char *dst);

char *__wrap_realpath(const char *path, char *dst)
{
	char *resolved = __real_realpath(path, dst);

	if (exchanged)
		folder_exchange(exchanged);
	exchanged = NULL;
	return resolved;
}

static void a_folder_that_becomes_a_link_is_not_entered(void **state)
{
	const struct fixture *fixture = *state;
	struct wt_workfile *file = NULL;
	struct wt_error err = {0};

	exchanged = fixture;
	assert_int_equal(
		wt_workfile_lock(fixture->target, -1, 0, NULL, &file, &err),
		WT_ERR_FILE);
	assert_non_null(strstr(err.reason, "cannot open its folder"));
	folder_put_back(fixture);
	exchanged = fixture;
	assert_int_equal(wt_workfile_open(fixture->target, -1, &file, NULL),
		WT_ERR_FILE);
	folder_put_back(fixture);
}

static void a_folder_that_is_open_is_not_looked_up_again(void **state)
{
	const struct fixture *fixture = *state;
	const struct wt_publish publish = {.backup_suffix = ".bak"};
	struct wt_workfile *file = NULL;
	char *path = NULL;
	int dir_fd = open(fixture->folder, O_RDONLY | O_DIRECTORY);

	folder_exchange(fixture);
	assert_int_equal(
		wt_workfile_lock(fixture->target, dir_fd, 0, NULL, &file, NULL),
		WT_OK);
	assert_int_equal(
		wt_workfile_patch(file, &fixture->patch, &publish, NULL),
		WT_OK);
	wt_workfile_close(file);
	close(dir_fd);
	folder_put_back(fixture);
	assert_true(fixture_is_new(fixture, fixture->target));
	path = fixture_path(fixture, "target.wim.bak");
	assert_true(fixture_is_old(fixture, path));
	free(path);
}

static void a_backup_is_not_written_through_a_link(void **state)
{
	const struct fixture *fixture = *state;
	const struct wt_publish publish = {.backup_suffix = ".bak"};
	struct wt_workfile *file = NULL;
	char *path = fixture_path(fixture, "target.wim.bak");
	char victim[128] = "";
	struct stat st = {0};

	snprintf(victim, sizeof(victim), "%s/target.wim", outside);
	assert_int_equal(symlink(victim, path), 0);
	assert_int_equal(
		wt_workfile_lock(fixture->target, -1, 0, NULL, &file, NULL),
		WT_OK);
	/* Refused or replaced: both leave what it leads to. */
	(void)wt_workfile_patch(file, &fixture->patch, &publish, NULL);
	wt_workfile_close(file);
	assert_int_equal(lstat(path, &st), 0);
	free(path);
}

/* Once it is whole, another file takes the name of what is to be verified. */
static const struct fixture *exchanged_when_synced;

int __real_fsync(int fd);

int __wrap_fsync(int fd)
{
	const struct fixture *fixture = exchanged_when_synced;
	int ret = __real_fsync(fd);
	char link[64] = "", path[512] = "", aside[600] = "";
	struct stat st = {0};

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	if (!fixture || fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) ||
		st.st_size != OLD_LEN + TAIL_LEN ||
		readlink(link, path, sizeof(path) - 1) <= 0)
		return ret;
	snprintf(aside, sizeof(aside), "%s-aside", path);
	/* In place, its last sync is the third; one exchange is enough. */
	if (access(aside, F_OK) == 0 || strstr(path, "undo") ||
		strstr(path, "-aside"))
		return ret;
	assert_int_equal(rename(path, aside), 0);
	fixture_write(path, "another", 7);
	return ret;
}

struct seen {
	const struct fixture *fixture;
	int count;
	bool is_new;
};

static enum wt_status look(void *ctx, const char *path, struct wt_error *err)
{
	struct seen *seen = ctx;

	(void)err;
	seen->count++;
	seen->is_new = fixture_is_new(seen->fixture, path);
	return WT_OK;
}

static void what_was_written_is_verified_and_not_what_has_its_name(void **state)
{
	const struct fixture *fixture = *state;

	for (int is_copy = 0; is_copy < 2; is_copy++) {
		struct seen seen = {.fixture = fixture};
		const struct wt_publish publish = {
			.verify = look, .verify_ctx = &seen};
		struct wt_workfile *file = NULL;
		struct wt_copy *copy = NULL;

		assert_int_equal(wt_workfile_lock(fixture->target, -1, 0, NULL,
					 &file, NULL),
			WT_OK);
		if (is_copy)
			assert_int_equal(wt_copy_begin(file, &publish, TAIL_LEN,
						 &copy, NULL),
				WT_OK);
		exchanged_when_synced = fixture;
		if (is_copy)
			(void)wt_copy_publish(copy, &fixture->patch, NULL);
		else
			(void)wt_workfile_patch(
				file, &fixture->patch, &publish, NULL);
		exchanged_when_synced = NULL;
		wt_workfile_close(file);
		assert_int_equal(seen.count, 1);
		assert_true(seen.is_new);
		fixture_tidy(fixture);
		fixture_write(fixture->target, fixture->old_data, OLD_LEN);
	}
}

/* Between the making of the private folder and the writing into it, another
 * one with a link inside takes its name. */
static enum wt_status rebuild_elsewhere(
	void *ctx, const char *path, const char *new_path, struct wt_error *err)
{
	const struct fixture *fixture = ctx;
	DIR *dir = opendir(fixture->folder);
	struct dirent *entry = NULL;
	char victim[128] = "";
	struct stat st = {0};
	int count = 0;
	int fd = -1;

	(void)path;
	(void)err;
	snprintf(victim, sizeof(victim), "%s/target.wim", outside);
	while ((entry = readdir(dir))) {
		if (entry->d_name[0] != '.' || entry->d_name[1] != 't')
			continue;
		assert_int_equal(fstatat(dirfd(dir), entry->d_name, &st,
					 AT_SYMLINK_NOFOLLOW),
			0);
		if (!S_ISDIR(st.st_mode))
			continue;
		count++;
		assert_int_equal(renameat(dirfd(dir), entry->d_name, dirfd(dir),
					 "aside"),
			0);
		assert_int_equal(mkdirat(dirfd(dir), entry->d_name, 0755), 0);
		fd = openat(dirfd(dir), entry->d_name, O_RDONLY | O_DIRECTORY);
		assert_int_equal(symlinkat(victim, fd, INNER), 0);
		assert_int_equal(symlinkat(victim, fd, "new"), 0);
		close(fd);
		break;
	}
	closedir(dir);
	assert_int_equal(count, 1);
	fixture_write(new_path, "rebuilt", 7);
	return WT_OK;
}

static void a_rebuilt_file_is_not_written_through_a_link(void **state)
{
	struct fixture *fixture = *state;
	const struct wt_publish publish = {
		.rebuild = rebuild_elsewhere, .rebuild_ctx = fixture};
	struct wt_workfile *file = NULL;
	struct wt_copy *copy = NULL;
	char line[160] = "";

	assert_int_equal(
		wt_workfile_lock(fixture->target, -1, 0, NULL, &file, NULL),
		WT_OK);
	assert_int_equal(
		wt_copy_begin(file, &publish, TAIL_LEN, &copy, NULL), WT_OK);
	assert_int_equal(wt_copy_publish(copy, &fixture->patch, NULL), WT_OK);
	wt_workfile_close(file);
	assert_true(fixture_path_holds(fixture->target, "rebuilt", 7));
	/* The stranger's folder stays, as it is. */
	snprintf(line, sizeof(line),
		"cd '%.100s' && rm .target*/" INNER " .target*/new",
		fixture->folder);
	assert_int_equal(system(line), 0);
}

static void a_folder_of_others_under_a_name_of_ours_keeps_its_files(
	void **state)
{
	const struct fixture *fixture = *state;
	char *folder = fixture_path(fixture, ".target.wim.wimtrust-abcdefgh");
	char *own =
		fixture_path(fixture, ".target.wim.wimtrust-abcdefgh/" INNER);
	char *foreign =
		fixture_path(fixture, ".target.wim.wimtrust-abcdefgh/foreign");
	struct wt_workfile *file = NULL;

	assert_int_equal(mkdir(folder, 0700), 0);
	fixture_write(own, "x", 1);
	fixture_write(foreign, "x", 1);
	assert_int_equal(
		wt_workfile_lock(fixture->target, -1, 0, NULL, &file, NULL),
		WT_OK);
	wt_workfile_close(file);
	assert_int_equal(access(own, F_OK), -1);
	assert_int_equal(access(foreign, F_OK), 0);
	unlink(foreign);
	/* Without it, it goes. */
	assert_int_equal(
		wt_workfile_lock(fixture->target, -1, 0, NULL, &file, NULL),
		WT_OK);
	wt_workfile_close(file);
	assert_int_equal(access(folder, F_OK), -1);
	free(folder);
	free(own);
	free(foreign);
}

int main(void)
{
#define TEST(name)                                                             \
	cmocka_unit_test_setup_teardown(name, outside_new, outside_free)
	const struct CMUnitTest tests[] = {
		TEST(a_folder_that_becomes_a_link_is_not_entered),
		TEST(a_folder_that_is_open_is_not_looked_up_again),
		TEST(a_backup_is_not_written_through_a_link),
		TEST(what_was_written_is_verified_and_not_what_has_its_name),
		TEST(a_rebuilt_file_is_not_written_through_a_link),
		TEST(a_folder_of_others_under_a_name_of_ours_keeps_its_files),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
