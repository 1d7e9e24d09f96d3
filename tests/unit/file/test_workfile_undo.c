/* SPDX-License-Identifier: MIT
 * test_workfile_undo.c: what the next run makes of an interrupted change. */
#include "base/io.h"
#include "file/undo.h"
#include "workfile_fixture.h"

#include <errno.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/wait.h>

#define UNDO_NAME ".target.wim.wimtrust-undo"

/* Leaves the undo file of a run that was killed; locked still when its
 * descriptor is wanted. */
static void leave_undo(struct fixture *fixture, int *ret_fd)
{
	int dir_fd = open(fixture->folder, O_RDONLY | O_DIRECTORY);
	int fd = open(fixture->target, O_RDONLY);
	struct wt_undo *undo = NULL;
	struct stat found = {0};
	int undo_fd = -1;

	assert_int_equal(fstat(fd, &found), 0);
	assert_int_equal(
		wt_undo_new(fd, &fixture->patch, "target", &undo, NULL), WT_OK);
	assert_int_equal(wt_undo_write(undo, dir_fd, "target.wim", &found,
				 "target", &undo_fd, NULL),
		WT_OK);
	wt_undo_free(undo);
	close(fd);
	close(dir_fd);
	if (ret_fd)
		*ret_fd = undo_fd;
	else
		close(undo_fd);
}

static void put(const struct fixture *fixture, size_t offset, const void *data,
	size_t len)
{
	int fd = open(fixture->target, O_WRONLY);

	assert_int_equal(pwrite(fd, data, len, (off_t)offset), len);
	close(fd);
}

/* The whole new file, up to len bytes of it. */
static void put_new(const struct fixture *fixture, size_t from, size_t to)
{
	put(fixture, from, fixture->new_data + from, to - from);
}

static void next_run(const struct fixture *fixture, const char *note)
{
	struct wt_workfile *file = NULL;
	struct wt_error err = {0};

	if (wt_workfile_lock(fixture->target, -1, 0, NULL, &file, &err) !=
		WT_OK)
		fail_msg("%s: %s", err.code, err.reason);
	if (!strstr(file->note, note) || (note[0] == '\0' && file->note[0]))
		fail_msg("unexpected note: %s", file->note);
	wt_workfile_close(file);
}

/* Reads like any command that writes nothing. */
static bool reader_sees(const struct fixture *fixture, const void *data,
	size_t len, const char *note)
{
	struct wt_workfile *file = NULL;
	struct wt_error err = {0};
	uint8_t buffer[OLD_LEN + TAIL_LEN];
	bool is_same = false;

	if (wt_workfile_open(fixture->target, -1, &file, &err) != WT_OK)
		fail_msg("%s: %s", err.code, err.reason);
	is_same = file->len == len &&
		  pread(file->fd, buffer, len, 0) == (ssize_t)len &&
		  memcmp(buffer, data, len) == 0;
	if (!strstr(file->note, note) || (note[0] == '\0' && file->note[0]))
		fail_msg("unexpected note: %s", file->note);
	wt_workfile_close(file);
	return is_same;
}

/* Whose run ends while a reader looks at the undo file. */
static const struct fixture *ending;

int __real_flock(int fd, int operation);
int __wrap_flock(int fd, int operation)
{
	if (ending && operation == (LOCK_SH | LOCK_NB)) {
		char *undo = fixture_path(ending, UNDO_NAME);

		put_new(ending, 0, OLD_LEN + TAIL_LEN);
		assert_int_equal(unlink(undo), 0);
		free(undo);
		ending = NULL;
	}
	return __real_flock(fd, operation);
}

static void a_run_that_ends_meanwhile_was_not_interrupted(void **state)
{
	struct fixture *fixture = *state;

	leave_undo(fixture, NULL);
	ending = fixture;
	assert_true(reader_sees(
		fixture, fixture->new_data, OLD_LEN + TAIL_LEN, ""));
	assert_null(ending);
}

static void an_undo_file_alone_is_removed(void **state)
{
	struct fixture *fixture = *state;

	leave_undo(fixture, NULL);
	assert_true(reader_sees(
		fixture, fixture->old_data, OLD_LEN, "state before"));
	next_run(fixture, "state before was restored");
	assert_true(fixture_is_old(fixture, fixture->target));
	assert_int_equal(fixture_count(fixture), 1);
	next_run(fixture, "");
}

static void a_tail_is_cut_off(void **state)
{
	struct fixture *fixture = *state;

	leave_undo(fixture, NULL);
	put_new(fixture, OLD_LEN, OLD_LEN + 5000);
	assert_true(reader_sees(
		fixture, fixture->old_data, OLD_LEN, "state before"));
	next_run(fixture, "state before was restored");
	assert_true(fixture_is_old(fixture, fixture->target));
	assert_int_equal(fixture_count(fixture), 1);
}

static void a_finished_change_is_kept(void **state)
{
	struct fixture *fixture = *state;

	leave_undo(fixture, NULL);
	put_new(fixture, 0, OLD_LEN + TAIL_LEN);
	assert_true(reader_sees(fixture, fixture->new_data, OLD_LEN + TAIL_LEN,
		"finished change"));
	next_run(fixture, "was kept");
	assert_true(fixture_is_new(fixture, fixture->target));
	assert_int_equal(fixture_count(fixture), 1);
}

static void shorten(const struct fixture *fixture, size_t len)
{
	assert_int_equal(truncate(fixture->target, (off_t)len), 0);
}

/* Killed before the file is cut, and after it. */
static void a_change_that_shortens_is_finished(void **state)
{
	static const size_t lens[] = {OLD_LEN, OLD_LEN - 1, SHORT_LEN};
	struct fixture *fixture = *state;

	fixture_use_short(fixture);
	for (size_t i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
		leave_undo(fixture, NULL);
		put_new(fixture, 0, SHORT_LEN);
		shorten(fixture, lens[i]);
		assert_true(reader_sees(fixture, fixture->new_data, SHORT_LEN,
			"finished change"));
		next_run(fixture, "was kept");
		assert_true(fixture_path_holds(
			fixture->target, fixture->new_data, SHORT_LEN));
		assert_int_equal(fixture_count(fixture), 1);
		fixture_write(fixture->target, fixture->old_data, OLD_LEN);
	}
}

/* The run was killed while it wrote the change or took it back. Whatever is
 * where it cut off, all of the old file comes back. */
static void a_torn_change_that_shortens_is_taken_back(void **state)
{
	static const size_t lens[] = {
		OLD_LEN, OLD_LEN - 1, SHORT_LEN + 700, SHORT_LEN};
	struct fixture *fixture = *state;
	uint8_t zeros[OLD_LEN - SHORT_LEN] = {0};

	fixture_use_short(fixture);
	for (size_t i = 0; i < 2 * sizeof(lens) / sizeof(lens[0]); i++) {
		leave_undo(fixture, NULL);
		put_new(fixture, 0, 4096);
		if (i % 2 == 0) /* not yet on the disk */
			put(fixture, SHORT_LEN, zeros, sizeof(zeros));
		shorten(fixture, lens[i / 2]);
		assert_true(reader_sees(
			fixture, fixture->old_data, OLD_LEN, "state before"));
		next_run(fixture, "state before was restored");
		assert_true(fixture_is_old(fixture, fixture->target));
		assert_int_equal(fixture_count(fixture), 1);
	}
}

/* All that is left to do is to make it as long as it was. */
static void a_cut_file_with_its_old_pages_becomes_whole_again(void **state)
{
	struct fixture *fixture = *state;

	fixture_use_short(fixture);
	leave_undo(fixture, NULL);
	shorten(fixture, SHORT_LEN);
	assert_true(reader_sees(
		fixture, fixture->old_data, OLD_LEN, "state before"));
	next_run(fixture, "state before was restored");
	assert_true(fixture_is_old(fixture, fixture->target));
	/* Another program made the file shorter than both. */
	leave_undo(fixture, NULL);
	shorten(fixture, SHORT_LEN - 1);
	next_run(fixture, "another program");
	assert_int_equal(fixture_len(fixture->target), SHORT_LEN - 1);
}

static void a_torn_hive_is_restored(void **state)
{
	struct fixture *fixture = *state;

	fixture_use_pages(fixture);
	leave_undo(fixture, NULL);
	put_new(fixture, OLD_LEN, OLD_LEN + TAIL_LEN);
	put_new(fixture, 0, 4096);
	put_new(fixture, 3 * 4096 + 512, 3 * 4096 + 1024);
	assert_true(reader_sees(
		fixture, fixture->old_data, OLD_LEN, "state before"));
	next_run(fixture, "state before was restored");
	assert_true(fixture_is_old(fixture, fixture->target));
	assert_int_equal(fixture_count(fixture), 1);
}

/* On a full disk that copies on write there would be no room for it. */
static void a_head_that_was_never_changed_is_not_written(void **state)
{
	struct fixture *fixture = *state;
	int old_fd = open(fixture->target, O_RDONLY);
	int fd = memfd_create("file", MFD_ALLOW_SEALING);
	struct wt_undo *undo = NULL;

	assert_int_equal(wt_io_copy(old_fd, 0, fd, 0, OLD_LEN, NULL), 0);
	assert_int_equal(
		wt_undo_new(fd, &fixture->patch, "target", &undo, NULL), WT_OK);
	assert_int_equal(ftruncate(fd, OLD_LEN + 10), 0);
	assert_int_equal(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE), 0);
	assert_int_equal(wt_undo_restore(undo, fd), 0);
	assert_int_equal(lseek(fd, 0, SEEK_END), OLD_LEN);
	wt_undo_free(undo);
	close(fd);
	close(old_fd);
}

static void a_live_writer_is_not_seen_half(void **state)
{
	struct fixture *fixture = *state;
	int undo_fd = -1;

	fixture_use_pages(fixture);
	leave_undo(fixture, &undo_fd);
	assert_true(reader_sees(fixture, fixture->old_data, OLD_LEN, ""));
	put_new(fixture, OLD_LEN, OLD_LEN + TAIL_LEN);
	put_new(fixture, 0, 4096);
	assert_true(reader_sees(fixture, fixture->old_data, OLD_LEN, ""));
	close(undo_fd);
}

static void what_another_program_wrote_is_left(void **state)
{
	static const size_t lens[] = {OLD_LEN, OLD_LEN + 1, OLD_LEN - 1};
	struct fixture *fixture = *state;

	for (size_t i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
		char data[OLD_LEN + 1];

		leave_undo(fixture, NULL);
		memset(data, 'x', sizeof(data));
		put(fixture, 0, data, lens[i]);
		assert_int_equal(truncate(fixture->target, (off_t)lens[i]), 0);
		next_run(fixture, "another program");
		assert_true(fixture_path_holds(fixture->target, data, lens[i]));
		assert_int_equal(fixture_count(fixture), 1);
		unlink(fixture->target);
		fixture_write(fixture->target, fixture->old_data, OLD_LEN);
	}
}

/* However little: the first byte of what was replaced. */
static void one_byte_of_another_program_is_left(void **state)
{
	struct fixture *fixture = *state;

	leave_undo(fixture, NULL);
	put(fixture, 0, "x", 1);
	next_run(fixture, "another program");
	fixture->old_data[0] = 'x';
	assert_true(fixture_is_old(fixture, fixture->target));
	assert_int_equal(fixture_count(fixture), 1);
}

/* Wherever the undo file ends or is wrong: it was never finished, so nothing
 * was written. */
static void a_damaged_undo_file_changes_nothing(void **state)
{
	struct fixture *fixture = *state;
	char *path = fixture_path(fixture, UNDO_NAME);
	size_t len = 0;

	leave_undo(fixture, NULL);
	len = fixture_len(path);
	unlink(path);
	for (size_t at = 0; at < len; at += at < 80 ? 1 : 37) {
		uint8_t byte = 0;
		int fd = -1;

		leave_undo(fixture, NULL);
		assert_int_equal(truncate(path, (off_t)at), 0);
		next_run(fixture, "");
		leave_undo(fixture, NULL);
		fd = open(path, O_RDWR);
		assert_int_equal(pread(fd, &byte, 1, (off_t)at), 1);
		byte ^= 0x10;
		assert_int_equal(pwrite(fd, &byte, 1, (off_t)at), 1);
		close(fd);
		next_run(fixture, "");
		assert_true(fixture_is_old(fixture, fixture->target));
		assert_int_equal(fixture_count(fixture), 1);
	}
	free(path);
}

static void an_undo_file_of_a_stranger_is_not_believed(void **state)
{
	struct fixture *fixture = *state;
	char *path = fixture_path(fixture, UNDO_NAME);
	char *other = fixture_path(fixture, "other");

	for (int i = 0; i < 4; i++) {
		struct wt_workfile *file = NULL;
		struct wt_error err = {0};

		if (i == 3 && geteuid() != 0)
			continue;
		leave_undo(fixture, NULL);
		if (i == 0) { /* a link */
			assert_int_equal(rename(path, other), 0);
			assert_int_equal(symlink(other, path), 0);
		} else if (i == 1) { /* a second name */
			assert_int_equal(link(path, other), 0);
		} else if (i == 2) { /* anyone could have written it */
			assert_int_equal(chmod(path, 0666), 0);
		} else {
			assert_int_equal(chown(path, 4242, 4242), 0);
		}
		put_new(fixture, 0, HEAD_LEN);
		assert_int_equal(wt_workfile_lock(fixture->target, -1, 0, NULL,
					 &file, &err),
			WT_ERR_FILE);
		assert_string_equal(err.code, "undo-foreign");
		assert_string_not_equal(err.hint, "");
		assert_int_equal(
			strstr(err.hint, "chmod go-w") != NULL, i == 2);
		assert_int_equal(strstr(err.hint, "chown") != NULL, i == 3);
		assert_int_equal(
			wt_workfile_open(fixture->target, -1, &file, NULL),
			WT_OK);
		assert_non_null(strstr(file->note, "ignored"));
		wt_workfile_close(file);
		unlink(path);
		unlink(other);
		put(fixture, 0, fixture->old_data, HEAD_LEN);
	}
	free(path);
	free(other);
}

/* One mode for everything: who may write the undo file may write the file. */
static void where_all_files_have_one_mode_it_is_believed(void **state)
{
	static const mode_t modes[] = {0777, 0666, 0775, 0766};
	struct fixture *fixture = *state;
	char *path = fixture_path(fixture, UNDO_NAME);

	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		leave_undo(fixture, NULL);
		put_new(fixture, OLD_LEN, OLD_LEN + TAIL_LEN);
		assert_int_equal(chmod(fixture->target, modes[i]), 0);
		assert_int_equal(chmod(path, modes[i]), 0);
		assert_true(reader_sees(
			fixture, fixture->old_data, OLD_LEN, "state before"));
		next_run(fixture, "state before was restored");
		assert_true(fixture_is_old(fixture, fixture->target));
		assert_int_equal(fixture_count(fixture), 1);
	}
	free(path);
}

/* The file is open to more than its owner, the undo file to others still. */
static void an_undo_file_more_open_than_its_file_is_not_believed(void **state)
{
	static const struct {
		mode_t file, undo;
		gid_t group;
	} cases[] = {
		{0664, 0666, 0}, {0646, 0664, 0}, {0755, 0775, 0},
		{0664, 0664, 4242}, /* another group's */
	};
	struct fixture *fixture = *state;
	char *path = fixture_path(fixture, UNDO_NAME);

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct wt_workfile *file = NULL;
		struct wt_error err = {0};

		if (cases[i].group != 0 && geteuid() != 0)
			continue;
		leave_undo(fixture, NULL);
		put_new(fixture, 0, HEAD_LEN);
		assert_int_equal(chmod(fixture->target, cases[i].file), 0);
		if (cases[i].group != 0)
			assert_int_equal(
				chown(path, (uid_t)-1, cases[i].group), 0);
		assert_int_equal(chmod(path, cases[i].undo), 0);
		assert_int_equal(wt_workfile_lock(fixture->target, -1, 0, NULL,
					 &file, &err),
			WT_ERR_FILE);
		assert_string_equal(err.code, "undo-foreign");
		/* What the hint says helps. */
		assert_non_null(strstr(err.hint, "chmod go-w"));
		assert_int_equal(chmod(path, cases[i].undo & ~(mode_t)0022), 0);
		assert_int_equal(wt_workfile_lock(fixture->target, -1, 0, NULL,
					 &file, &err),
			WT_OK);
		wt_workfile_close(file);
		(void)unlink(path);
		put(fixture, 0, fixture->old_data, HEAD_LEN);
	}
	free(path);
}

static void a_long_name_has_an_undo_file_too(void **state)
{
	struct fixture *fixture = *state;
	struct wt_publish publish = {0};
	struct wt_workfile *file = NULL;
	struct wt_copy *copy = NULL;
	char name[256];
	char *target = fixture->target;

	memset(name, 'n', 255);
	name[255] = '\0';
	fixture->target = fixture_path(fixture, name);
	assert_int_equal(rename(target, fixture->target), 0);
	assert_int_equal(
		wt_workfile_lock(fixture->target, -1, 0, NULL, &file, NULL),
		WT_OK);
	assert_int_equal(
		wt_workfile_patch(file, &fixture->patch, &publish, NULL),
		WT_OK);
	assert_true(fixture_is_new(fixture, fixture->target));
	fixture->patch.old_len = fixture->patch.new_len;
	fixture->patch.extent_count = 1;
	assert_int_equal(wt_copy_begin(file, &publish, 0, &copy, NULL), WT_OK);
	assert_int_equal(wt_copy_publish(copy, &fixture->patch, NULL), WT_OK);
	wt_workfile_close(file);
	assert_int_equal(fixture_count(fixture), 1);
	free(target);
}

static void the_run_folder_is_private_and_goes_with_its_content(void **state)
{
	struct fixture *fixture = *state;
	struct wt_run_folder *folder = NULL;
	struct stat found = {0};
	char *path = NULL;

	assert_int_equal(
		wt_run_folder_new(fixture->folder, &folder, NULL), WT_OK);
	assert_int_equal(stat(wt_run_folder_path(folder), &found), 0);
	assert_int_equal(found.st_mode & 07777, 01700);
	assert_true(
		asprintf(&path, "%s/deep/er", wt_run_folder_path(folder)) > 0);
	path[strlen(path) - 3] = '\0';
	assert_int_equal(mkdir(path, 0700), 0);
	path[strlen(path)] = '/';
	assert_int_equal(symlink(fixture->target, path), 0);
	wt_run_folder_free(folder);
	assert_true(fixture_is_old(fixture, fixture->target));
	assert_int_equal(fixture_count(fixture), 1);
	free(path);
}

static void run_folders_of_killed_runs_go_and_others_stay(void **state)
{
	struct fixture *fixture = *state;
	char *dead = fixture_path(fixture, "wimtrust-dead01");
	char *inside = fixture_path(fixture, "wimtrust-dead01/x");
	char *of_the_user = fixture_path(fixture, "wimtrust-images");
	char *open_to_all = fixture_path(fixture, "wimtrust-open01");
	char *link_name = fixture_path(fixture, "wimtrust-link01");

	assert_int_equal(mkdir(dead, 0700), 0);
	assert_int_equal(chmod(dead, 01700), 0);
	fixture_write(inside, "x", 1);
	assert_int_equal(mkdir(of_the_user, 0700), 0);
	assert_int_equal(mkdir(open_to_all, 0755), 0);
	assert_int_equal(symlink(open_to_all, link_name), 0);
	wt_run_folder_sweep(fixture->folder);
	assert_int_not_equal(access(dead, F_OK), 0);
	assert_int_equal(access(of_the_user, F_OK), 0);
	assert_int_equal(access(open_to_all, F_OK), 0);
	assert_int_equal(access(link_name, F_OK), 0);
	free(dead);
	free(inside);
	free(of_the_user);
	free(open_to_all);
	free(link_name);
}

/* A run of its own, with a child that stays so much longer than the run. */
static pid_t start_run(const struct fixture *fixture, unsigned child_us)
{
	struct wt_run_folder *folder = NULL;
	int ready[2] = {-1, -1};
	pid_t pid = -1;
	char byte = 0;

	assert_int_equal(pipe(ready), 0);
	pid = fork();
	if (pid == 0) {
		pid_t self = getpid();

		if (wt_run_folder_new(fixture->folder, &folder, NULL) != WT_OK)
			_exit(1);
		if (fork() == 0) {
			if (write(ready[1], "x", 1) != 1)
				_exit(1);
			while (getppid() == self)
				usleep(1000);
			usleep(child_us);
			_exit(0);
		}
		pause();
		_exit(0);
	}
	assert_true(pid > 0);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	close(ready[1]);
	return pid;
}

static void a_live_runs_folder_stays_and_nobody_waits_for_it(void **state)
{
	struct fixture *fixture = *state;
	struct wt_run_folder *folder = NULL;
	pid_t pid = start_run(fixture, 0);
	int64_t start_ms = 0;

	assert_int_equal(
		wt_run_folder_new(fixture->folder, &folder, NULL), WT_OK);
	start_ms = wt_io_now_ms();
	wt_run_folder_sweep(fixture->folder);
	assert_true(wt_io_now_ms() - start_ms < 200);
	assert_int_equal(fixture_count(fixture), 3);
	wt_run_folder_free(folder);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	wt_run_folder_sweep(fixture->folder);
	assert_int_equal(fixture_count(fixture), 1);
}

static void the_children_of_a_killed_run_are_waited_for(void **state)
{
	struct fixture *fixture = *state;
	pid_t pid = start_run(fixture, 100000);

	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	assert_int_equal(fixture_count(fixture), 2);
	wt_run_folder_sweep(fixture->folder);
	assert_int_equal(fixture_count(fixture), 1);
}

int main(void)
{
#define TEST(name)                                                             \
	cmocka_unit_test_setup_teardown(name, fixture_new, fixture_free)
	const struct CMUnitTest tests[] = {
		TEST(a_run_that_ends_meanwhile_was_not_interrupted),
		TEST(an_undo_file_alone_is_removed),
		TEST(a_tail_is_cut_off),
		TEST(a_finished_change_is_kept),
		TEST(a_change_that_shortens_is_finished),
		TEST(a_torn_change_that_shortens_is_taken_back),
		TEST(a_cut_file_with_its_old_pages_becomes_whole_again),
		TEST(a_torn_hive_is_restored),
		TEST(a_head_that_was_never_changed_is_not_written),
		TEST(a_live_writer_is_not_seen_half),
		TEST(what_another_program_wrote_is_left),
		TEST(one_byte_of_another_program_is_left),
		TEST(a_damaged_undo_file_changes_nothing),
		TEST(an_undo_file_of_a_stranger_is_not_believed),
		TEST(where_all_files_have_one_mode_it_is_believed),
		TEST(an_undo_file_more_open_than_its_file_is_not_believed),
		TEST(a_long_name_has_an_undo_file_too),
		TEST(the_run_folder_is_private_and_goes_with_its_content),
		TEST(run_folders_of_killed_runs_go_and_others_stay),
		TEST(a_live_runs_folder_stays_and_nobody_waits_for_it),
		TEST(the_children_of_a_killed_run_are_waited_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
