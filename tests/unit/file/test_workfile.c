/* SPDX-License-Identifier: MIT
 * test_workfile.c: locking, replacing and changing files in place. */
#include "file/workfile.h"

#include "workfile_fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

/* A client of SMB, which makes times up until it is told to ask the server. */
static bool makes_times_up, has_asked;
static int times_made_up;

int __real_statx(int dir_fd, const char *name, int flags, unsigned mask,
	struct statx *found);
int __wrap_statx(int dir_fd, const char *name, int flags, unsigned mask,
	struct statx *found)
{
	has_asked = (flags & AT_STATX_FORCE_SYNC) != 0;
	return __real_statx(dir_fd, name, flags, mask, found);
}

static int answer(int ret, struct stat *found)
{
	if (ret == 0 && makes_times_up && !has_asked)
		found->st_mtim.tv_sec += ++times_made_up;
	has_asked = false;
	return ret;
}

int __real_fstat64(int fd, struct stat *found);
int __wrap_fstat64(int fd, struct stat *found)
{
	return answer(__real_fstat64(fd, found), found);
}

int __real_fstatat64(
	int dir_fd, const char *name, struct stat *found, int flags);
int __wrap_fstatat64(
	int dir_fd, const char *name, struct stat *found, int flags)
{
	return answer(__real_fstatat64(dir_fd, name, found, flags), found);
}

/* rclone's mount: what is in an open file goes with its name. */
static bool loses_removed;

int __real_fstatfs64(int fd, struct statfs *found);
int __wrap_fstatfs64(int fd, struct statfs *found)
{
	int ret = __real_fstatfs64(fd, found);

	if (loses_removed)
		found->f_type = FUSE_SUPER_MAGIC;
	return ret;
}

ssize_t __real_pread64(int fd, void *dst, size_t len, off_t offset);
ssize_t __wrap_pread64(int fd, void *dst, size_t len, off_t offset)
{
	struct stat found = {0};

	if (loses_removed && fstat(fd, &found) == 0 && found.st_nlink == 0) {
		errno = ENOENT;
		return -1;
	}
	return __real_pread64(fd, dst, len, offset);
}

static void lock_target(struct fixture *fixture, struct wt_workfile **ret_file)
{
	struct wt_error err = {0};

	if (wt_workfile_lock(fixture->target, -1, 0, NULL, ret_file, &err) !=
		WT_OK)
		fail_msg("%s: %s", err.object, err.reason);
}

static enum wt_status replace(struct fixture *fixture,
	const struct wt_publish *publish, struct wt_error *err)
{
	struct wt_workfile *file = NULL;
	struct wt_copy *copy = NULL;
	enum wt_status ret = WT_OK;

	ret = wt_workfile_lock(fixture->target, -1, 0, NULL, &file, err);
	if (ret == WT_OK)
		ret = wt_copy_begin(file, publish, TAIL_LEN, &copy, err);
	if (ret == WT_OK)
		ret = wt_copy_publish(copy, &fixture->patch, err);
	wt_workfile_close(file);
	return ret;
}

static enum wt_status append(struct fixture *fixture,
	const struct wt_publish *publish, struct wt_error *err)
{
	struct wt_workfile *file = NULL;
	enum wt_status ret = WT_OK;

	ret = wt_workfile_lock(fixture->target, -1, 0, NULL, &file, err);
	if (ret == WT_OK)
		ret = wt_workfile_patch(file, &fixture->patch, publish, err);
	wt_workfile_close(file);
	return ret;
}

static void replace_leaves_the_new_file_alone_in_its_folder(void **state)
{
	struct fixture *fixture = *state;
	struct wt_publish publish = {0};
	struct wt_error err = {0};

	assert_int_equal(replace(fixture, &publish, &err), WT_OK);
	assert_true(fixture_is_new(fixture, fixture->target));
	assert_int_equal(fixture_count(fixture), 1);
}

static void append_leaves_the_new_file_alone_in_its_folder(void **state)
{
	struct fixture *fixture = *state;
	struct wt_publish publish = {0};
	struct stat before = {0};
	struct stat after = {0};

	stat(fixture->target, &before);
	assert_int_equal(append(fixture, &publish, NULL), WT_OK);
	stat(fixture->target, &after);
	assert_true(fixture_is_new(fixture, fixture->target));
	assert_int_equal(fixture_count(fixture), 1);
	assert_int_equal(before.st_ino, after.st_ino);
}

static void append_can_cut_the_end_off(void **state)
{
	struct fixture *fixture = *state;
	struct wt_publish publish = {0};

	fixture->patch.extent_count = 1;
	fixture->patch.new_len = OLD_LEN - 1000;
	assert_int_equal(append(fixture, &publish, NULL), WT_OK);
	assert_int_equal(fixture_len(fixture->target), OLD_LEN - 1000);
	assert_int_equal(fixture_count(fixture), 1);
}

static void replace_keeps_mode_owner_and_attributes(void **state)
{
	struct fixture *fixture = *state;
	struct wt_publish publish = {0};
	struct stat after = {0};
	char value[16] = "";

	chmod(fixture->target, 0640);
	if (geteuid() == 0)
		assert_int_equal(chown(fixture->target, 1234, 4321), 0);
	if (setxattr(fixture->target, "user.note", "kept", 4, 0) != 0)
		skip();
	assert_int_equal(replace(fixture, &publish, NULL), WT_OK);
	stat(fixture->target, &after);
	assert_int_equal(after.st_mode & 07777, 0640);
	if (geteuid() == 0) {
		assert_int_equal(after.st_uid, 1234);
		assert_int_equal(after.st_gid, 4321);
	}
	assert_int_equal(
		getxattr(fixture->target, "user.note", value, sizeof(value)),
		4);
	assert_memory_equal(value, "kept", 4);
}

static void replace_follows_a_link_to_its_file(void **state)
{
	struct fixture *fixture = *state;
	struct wt_publish publish = {0};
	struct stat found = {0};
	char *link_path = fixture_path(fixture, "link");
	char *target = fixture->target;

	assert_int_equal(symlink("target.wim", link_path), 0);
	fixture->target = link_path;
	assert_int_equal(replace(fixture, &publish, NULL), WT_OK);
	fixture->target = target;
	assert_int_equal(lstat(link_path, &found), 0);
	assert_true(S_ISLNK(found.st_mode));
	assert_true(fixture_is_new(fixture, target));
	free(link_path);
}

static void replace_keeps_holes(void **state)
{
	struct fixture *fixture = *state;
	struct wt_publish publish = {0};
	struct stat after = {0};
	uint64_t len = (uint64_t)64 << 20;

	assert_int_equal(truncate(fixture->target, (off_t)len), 0);
	fixture->patch.extents[1].offset = len;
	fixture->patch.old_len = len;
	fixture->patch.new_len = len + TAIL_LEN;
	assert_int_equal(replace(fixture, &publish, NULL), WT_OK);
	stat(fixture->target, &after);
	assert_int_equal(after.st_size, len + TAIL_LEN);
	assert_true(after.st_blocks * 512 < (off_t)len / 4);
}

struct refusal {
	const char *what;
	mode_t mode;
	bool is_linked;
	const char *code;
	const char *hint;
};

static void what_cannot_be_replaced_is_refused_with_the_remedy(void **state)
{
	static const struct refusal cases[] = {
		{"read-only", 0444, false, "read-only-file", "chmod u+w"},
		{"hard-linked", 0644, true, "hard-linked", "--commit append"},
	};
	struct fixture *fixture = *state;
	struct wt_publish publish = {0};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char *other = fixture_path(fixture, "other");
		struct wt_error err = {0};

		chmod(fixture->target, cases[i].mode);
		if (cases[i].is_linked)
			assert_int_equal(link(fixture->target, other), 0);
		assert_int_equal(replace(fixture, &publish, &err), WT_ERR_FILE);
		assert_string_equal(err.code, cases[i].code);
		assert_non_null(strstr(err.hint, cases[i].hint));
		assert_true(fixture_is_old(fixture, fixture->target));
		unlink(other);
		free(other);
		assert_int_equal(fixture_count(fixture), 1);
	}
}

static void what_is_no_file_is_refused(void **state)
{
	struct fixture *fixture = *state;
	char *pipe_path = fixture_path(fixture, "pipe");
	const char *const paths[] = {
		pipe_path, fixture->folder, "/dev/null", "/"};

	assert_int_equal(mkfifo(pipe_path, 0600), 0);
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		struct wt_workfile *file = NULL;
		struct wt_error err = {0};

		assert_int_equal(
			wt_workfile_lock(paths[i], -1, 0, NULL, &file, &err),
			WT_ERR_FILE);
		assert_string_equal(err.code, "not-a-file");
		memset(&err, 0, sizeof(err));
		assert_int_equal(wt_workfile_open(paths[i], -1, &file, &err),
			WT_ERR_FILE);
		assert_string_equal(err.code, "not-a-file");
	}
	free(pipe_path);
}

static void output_is_written_and_the_source_left(void **state)
{
	struct fixture *fixture = *state;
	char *output = fixture_path(fixture, "out.wim");
	struct wt_publish publish = {.output = output};
	struct wt_error err = {0};

	assert_int_equal(replace(fixture, &publish, NULL), WT_OK);
	assert_true(fixture_is_new(fixture, output));
	assert_true(fixture_is_old(fixture, fixture->target));
	assert_int_equal(replace(fixture, &publish, &err), WT_ERR_FILE);
	assert_string_equal(err.code, "output-exists");
	assert_int_equal(truncate(output, 5), 0);
	publish.force = true;
	assert_int_equal(replace(fixture, &publish, NULL), WT_OK);
	assert_true(fixture_is_new(fixture, output));
	assert_int_equal(fixture_count(fixture), 2);
	publish.output = fixture->target;
	assert_int_equal(replace(fixture, &publish, &err), WT_ERR_USAGE);
	assert_string_equal(err.code, "output-is-target");
	free(output);
}

static void output_may_be_made_from_a_read_only_file(void **state)
{
	struct fixture *fixture = *state;
	char *output = fixture_path(fixture, "out.wim");
	struct wt_publish publish = {.output = output};
	struct wt_workfile *file = NULL;
	struct wt_copy *copy = NULL;
	struct stat after = {0};

	chmod(fixture->target, 0444);
	assert_int_equal(
		wt_workfile_open(fixture->target, -1, &file, NULL), WT_OK);
	assert_int_equal(wt_copy_begin(file, &publish, 0, &copy, NULL), WT_OK);
	assert_int_equal(wt_copy_publish(copy, &fixture->patch, NULL), WT_OK);
	wt_workfile_close(file);
	assert_true(fixture_is_new(fixture, output));
	stat(output, &after);
	assert_int_equal(after.st_mode & 0600, 0600);
	free(output);
}

static void a_source_that_changes_while_it_is_read_makes_no_output(void **state)
{
	struct fixture *fixture = *state;
	char *output = fixture_path(fixture, "out.wim");
	struct wt_publish publish = {.output = output};
	struct timespec times[2] = {{.tv_sec = 1}, {.tv_sec = 1}};
	struct wt_workfile *file = NULL;
	struct wt_copy *copy = NULL;
	struct wt_error err = {0};

	assert_int_equal(
		wt_workfile_open(fixture->target, -1, &file, NULL), WT_OK);
	assert_int_equal(utimensat(AT_FDCWD, fixture->target, times, 0), 0);
	assert_int_equal(wt_copy_begin(file, &publish, 0, &copy, NULL), WT_OK);
	assert_int_equal(
		wt_copy_publish(copy, &fixture->patch, &err), WT_ERR_FILE);
	assert_string_equal(err.code, "changed");
	wt_workfile_close(file);
	assert_int_equal(fixture_count(fixture), 1);
	free(output);
}

static void backup_keeps_the_old_file(void **state)
{
	struct fixture *fixture = *state;
	char *backup = fixture_path(fixture, "target.wim.bak");
	struct wt_publish publish = {.backup_suffix = ".bak"};

	/* Over an older backup, too. */
	assert_int_equal(symlink("/dev/null", backup), 0);
	assert_int_equal(replace(fixture, &publish, NULL), WT_OK);
	assert_true(fixture_is_new(fixture, fixture->target));
	assert_true(fixture_is_old(fixture, backup));
	assert_int_equal(fixture_count(fixture), 2);
	free(backup);
}

static void backup_is_made_before_a_change_in_place(void **state)
{
	struct fixture *fixture = *state;
	char *backup = fixture_path(fixture, "target.wim.bak");
	struct wt_publish publish = {.backup_suffix = ".bak"};

	assert_int_equal(append(fixture, &publish, NULL), WT_OK);
	assert_true(fixture_is_new(fixture, fixture->target));
	assert_true(fixture_is_old(fixture, backup));
	assert_int_equal(fixture_count(fixture), 2);
	free(backup);
}

/* Killed between making the backup and the rename. */
static void what_makes_no_sense_is_refused(void **state)
{
	struct fixture *fixture = *state;
	struct wt_publish publish = {.backup_suffix = "/bak"};
	struct wt_error err = {0};

	assert_int_equal(replace(fixture, &publish, &err), WT_ERR_USAGE);
	assert_string_equal(err.code, "bad-suffix");
	publish.backup_suffix = NULL;
	/* The tail before the head. */
	fixture->extents[0].offset = OLD_LEN;
	fixture->extents[1].offset = 0;
	assert_int_equal(replace(fixture, &publish, &err), WT_ERR_FILE);
	assert_string_equal(err.code, "bad-patch");
	assert_int_equal(append(fixture, &publish, &err), WT_ERR_FILE);
	assert_string_equal(err.code, "bad-patch");
	assert_true(fixture_is_old(fixture, fixture->target));
	assert_int_equal(fixture_count(fixture), 1);
}

static void a_backup_of_a_killed_run_is_no_obstacle(void **state)
{
	struct fixture *fixture = *state;
	char *backup = fixture_path(fixture, "target.wim.bak");
	struct wt_publish publish = {.backup_suffix = ".bak"};

	assert_int_equal(link(fixture->target, backup), 0);
	assert_int_equal(replace(fixture, &publish, NULL), WT_OK);
	assert_true(fixture_is_old(fixture, backup));
	assert_true(fixture_is_new(fixture, fixture->target));
	free(backup);
}

/* The same, and the next run writes into the file itself. */
static void a_backup_of_a_killed_run_does_not_change_with_the_file(void **state)
{
	struct fixture *fixture = *state;
	char *backup = fixture_path(fixture, "target.wim.bak");
	struct wt_publish publish = {.backup_suffix = ".bak"};

	assert_int_equal(link(fixture->target, backup), 0);
	assert_int_equal(append(fixture, &publish, NULL), WT_OK);
	assert_true(fixture_is_old(fixture, backup));
	assert_true(fixture_is_new(fixture, fixture->target));
	assert_int_equal(fixture_count(fixture), 2);
	free(backup);
}

static enum wt_status say_no(void *ctx, const char *path, struct wt_error *err)
{
	(void)ctx;
	return wt_fail(err, WT_ERR_HIVE, "no-good", path, "is no good");
}

static void a_failed_verification_never_becomes_the_file(void **state)
{
	struct fixture *fixture = *state;
	struct wt_publish publish = {.verify = say_no};
	struct wt_error err = {0};

	assert_int_equal(replace(fixture, &publish, &err), WT_ERR_HIVE);
	assert_true(fixture_is_old(fixture, fixture->target));
	assert_int_equal(fixture_count(fixture), 1);
	assert_int_equal(append(fixture, &publish, &err), WT_ERR_HIVE);
	assert_true(fixture_is_old(fixture, fixture->target));
	assert_int_equal(fixture_count(fixture), 1);
}

static enum wt_status copy_with_mark(
	void *ctx, const char *path, const char *new_path, struct wt_error *err)
{
	int src = open(path, O_RDONLY);
	int dst = open(new_path, O_WRONLY | O_CREAT | O_EXCL, 0666);
	char buffer[4096];
	ssize_t got = 0;

	(void)ctx;
	(void)err;
	while ((got = read(src, buffer, sizeof(buffer))) > 0)
		assert_int_equal(write(dst, buffer, (size_t)got), got);
	assert_int_equal(write(dst, "mark", 4), 4);
	close(src);
	close(dst);
	return WT_OK;
}

static void rebuild_writes_the_file_anew(void **state)
{
	struct fixture *fixture = *state;
	struct wt_publish publish = {.rebuild = copy_with_mark};
	struct stat after = {0};

	chmod(fixture->target, 0640);
	assert_int_equal(replace(fixture, &publish, NULL), WT_OK);
	stat(fixture->target, &after);
	assert_int_equal(after.st_size, OLD_LEN + TAIL_LEN + 4);
	assert_int_equal(after.st_mode & 07777, 0640);
	assert_int_equal(fixture_count(fixture), 1);
}

static void a_second_writer_waits_and_names_the_holder(void **state)
{
	struct fixture *fixture = *state;
	struct wt_workfile *first = NULL;
	struct wt_workfile *second = NULL;
	struct wt_error err = {0};
	char pid[32];

	lock_target(fixture, &first);
	assert_int_equal(
		wt_workfile_lock(fixture->target, -1, 0, NULL, &second, &err),
		WT_ERR_FILE);
	assert_string_equal(err.code, "locked");
	snprintf(pid, sizeof(pid), "process %d", (int)getpid());
	assert_non_null(strstr(err.reason, pid));
	assert_int_equal(
		wt_workfile_open(fixture->target, -1, &second, NULL), WT_OK);
	wt_workfile_close(second);
	wt_workfile_close(first);
	lock_target(fixture, &first);
	wt_workfile_close(first);
}

static const struct fixture *exchanged;

int __real_flock(int fd, int operation);

/* Another program replaces the file between its opening and its lock. */
int __wrap_flock(int fd, int operation)
{
	const struct fixture *fixture = exchanged;
	char *other = NULL;

	if (fixture && (operation & LOCK_EX) != 0) {
		exchanged = NULL;
		other = fixture_path(fixture, "other");
		fixture_write(other, "the new file", 12);
		assert_int_equal(rename(other, fixture->target), 0);
		free(other);
	}
	return __real_flock(fd, operation);
}

static void the_path_is_looked_at_again_under_the_lock(void **state)
{
	struct fixture *fixture = *state;
	struct wt_workfile *file = NULL;
	struct stat by_name = {0};
	struct stat by_fd = {0};
	char data[13] = "";

	exchanged = fixture;
	assert_int_equal(
		wt_workfile_lock(fixture->target, -1, 10, NULL, &file, NULL),
		WT_OK);
	assert_null(exchanged);
	assert_int_equal(stat(fixture->target, &by_name), 0);
	assert_int_equal(fstat(file->fd, &by_fd), 0);
	assert_int_equal(by_fd.st_ino, by_name.st_ino);
	assert_int_equal(file->len, 12);
	assert_int_equal(pread(file->fd, data, 12, 0), 12);
	assert_string_equal(data, "the new file");
	wt_workfile_close(file);
}

static void waiting_ends_when_it_is_cancelled(void **state)
{
	struct fixture *fixture = *state;
	volatile sig_atomic_t cancel = SIGINT;
	struct wt_workfile *first = NULL;
	struct wt_workfile *second = NULL;

	lock_target(fixture, &first);
	assert_int_equal(wt_workfile_lock(fixture->target, -1, 60, &cancel,
				 &second, NULL),
		WT_INTERRUPTED);
	wt_workfile_close(first);
}

static void a_file_that_was_replaced_meanwhile_is_left_alone(void **state)
{
	struct fixture *fixture = *state;
	char *other = fixture_path(fixture, "other");
	struct wt_publish publish = {0};
	struct wt_workfile *file = NULL;
	struct wt_copy *copy = NULL;
	struct wt_error err = {0};
	int fd = open(other, O_WRONLY | O_CREAT | O_EXCL, 0644);

	lock_target(fixture, &file);
	assert_int_equal(wt_copy_begin(file, &publish, 0, &copy, NULL), WT_OK);
	assert_int_equal(write(fd, "other", 5), 5);
	close(fd);
	assert_int_equal(rename(other, fixture->target), 0);
	assert_int_equal(
		wt_copy_publish(copy, &fixture->patch, &err), WT_ERR_FILE);
	assert_string_equal(err.code, "changed");
	assert_int_equal(fixture_len(fixture->target), 5);
	assert_int_equal(fixture_count(fixture), 1);
	wt_workfile_close(file);
	free(other);
}

static void times_are_those_of_the_server(void **state)
{
	struct fixture *fixture = *state;
	char *output = fixture_path(fixture, "out.wim");
	struct wt_publish elsewhere = {.output = output, .force = true};
	struct wt_publish publish = {0};
	struct wt_workfile *file = NULL;
	struct wt_copy *copy = NULL;
	struct wt_error err = {0};
	enum wt_status ret = WT_OK;

	makes_times_up = true;
	for (int i = 0; ret == WT_OK && i < 2; i++) {
		ret = wt_workfile_open(fixture->target, -1, &file, &err);
		if (ret == WT_OK)
			ret = wt_copy_begin(file, &elsewhere, 0, &copy, &err);
		if (ret == WT_OK)
			ret = wt_copy_publish(copy, &fixture->patch, &err);
		wt_workfile_close(file);
	}
	if (ret == WT_OK)
		ret = replace(fixture, &publish, &err);
	makes_times_up = false;
	if (ret != WT_OK)
		fail_msg("%s: %s", err.object, err.reason);
	assert_true(times_made_up > 0);
	free(output);
}

static void temporary_files_must_outlive_their_names(void **state)
{
	struct fixture *fixture = *state;
	struct wt_run_folder *folder = NULL;
	struct wt_error err = {0};

	assert_int_equal(
		wt_run_folder_new(fixture->folder, &folder, NULL), WT_OK);
	assert_int_equal(wt_run_folder_try(folder, NULL), WT_OK);
	loses_removed = true;
	assert_int_equal(wt_run_folder_try(folder, &err), WT_ERR_FILE);
	loses_removed = false;
	assert_string_equal(err.code, "temp-removes");
	wt_run_folder_free(folder);
	assert_int_equal(fixture_count(fixture), 1);
}

static void abandoned_copies_go_and_live_ones_stay(void **state)
{
	struct fixture *fixture = *state;
	char *dead = fixture_path(fixture, ".target.wim.wimtrust-abcdefgh");
	char *live = fixture_path(fixture, ".target.wim.wimtrust-abcdefg2");
	char *dead_folder =
		fixture_path(fixture, ".target.wim.wimtrust-abcdefg3");
	char *alike = fixture_path(fixture, ".target.wim2.wimtrust-abcdefgh");
	struct wt_workfile *file = NULL;
	int live_fd = open(live, O_RDWR | O_CREAT, 0600);

	close(open(dead, O_RDWR | O_CREAT, 0600));
	close(open(alike, O_RDWR | O_CREAT, 0600));
	assert_int_equal(mkdir(dead_folder, 0700), 0);
	assert_int_equal(flock(live_fd, LOCK_EX), 0);
	lock_target(fixture, &file);
	wt_workfile_close(file);
	assert_int_not_equal(access(dead, F_OK), 0);
	assert_int_not_equal(access(dead_folder, F_OK), 0);
	assert_int_equal(access(live, F_OK), 0);
	assert_int_equal(access(alike, F_OK), 0);
	close(live_fd);
	free(dead);
	free(dead_folder);
	free(live);
	free(alike);
}

int main(void)
{
#define TEST(name)                                                             \
	cmocka_unit_test_setup_teardown(name, fixture_new, fixture_free)
	const struct CMUnitTest tests[] = {
		TEST(replace_leaves_the_new_file_alone_in_its_folder),
		TEST(append_leaves_the_new_file_alone_in_its_folder),
		TEST(append_can_cut_the_end_off),
		TEST(replace_keeps_mode_owner_and_attributes),
		TEST(replace_follows_a_link_to_its_file),
		TEST(replace_keeps_holes),
		TEST(what_cannot_be_replaced_is_refused_with_the_remedy),
		TEST(what_is_no_file_is_refused),
		TEST(output_is_written_and_the_source_left),
		TEST(output_may_be_made_from_a_read_only_file),
		TEST(a_source_that_changes_while_it_is_read_makes_no_output),
		TEST(backup_keeps_the_old_file),
		TEST(backup_is_made_before_a_change_in_place),
		TEST(what_makes_no_sense_is_refused),
		TEST(a_backup_of_a_killed_run_is_no_obstacle),
		TEST(a_backup_of_a_killed_run_does_not_change_with_the_file),
		TEST(a_failed_verification_never_becomes_the_file),
		TEST(rebuild_writes_the_file_anew),
		TEST(a_second_writer_waits_and_names_the_holder),
		TEST(the_path_is_looked_at_again_under_the_lock),
		TEST(waiting_ends_when_it_is_cancelled),
		TEST(a_file_that_was_replaced_meanwhile_is_left_alone),
		TEST(times_are_those_of_the_server),
		TEST(temporary_files_must_outlive_their_names),
		TEST(abandoned_copies_go_and_live_ones_stay),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
