/* SPDX-License-Identifier: MIT
 * test_sync_order.c: what has to be on the disk before what follows is. Each
 * call that writes, syncs or gives a name is looked at in its turn, so that
 * none of the syncs can be left out unseen. */
#include "base/child.h"
#include "workfile_fixture.h"

#include <errno.h>
#include <sys/wait.h>

#define FILES_MAX 64

/* What a power cut would lose now; children write as well. */
struct model {
	struct {
		ino_t ino;
		bool is_dirty;
	} files[FILES_MAX];
	bool is_folder_dirty; /* an important name was made or removed */
	bool is_tail_dirty;   /* written behind the old end, not synced */
	bool is_append;	      /* the head may follow its tail only */
	ino_t target, undo;
	int heads;	      /* writes before the old end of target */
	int stop_at_head;     /* the run is killed there; 0: is not */
	bool is_stop_at_undo; /* or when the undo file is to go */
	char problem[128];
};

static struct model *model;

/* What the file system refuses. */
static bool has_no_links, is_rename_failing;

/* Set when the tail is written. */
static volatile sig_atomic_t cancel;
static bool is_to_cancel;

static bool *dirty_of(ino_t ino)
{
	for (size_t i = 0; i < FILES_MAX; i++) {
		if (model->files[i].ino == 0)
			model->files[i].ino = ino;
		if (model->files[i].ino == ino)
			return &model->files[i].is_dirty;
	}
	abort();
}

static ino_t ino_of(int fd)
{
	struct stat found = {0};

	return fstat(fd, &found) == 0 ? found.st_ino : 0;
}

static void expect(bool is_right, const char *problem)
{
	if (!is_right && model->problem[0] == '\0')
		snprintf(model->problem, sizeof(model->problem), "%s", problem);
}

static void wrote(int fd, off_t offset)
{
	ino_t ino = ino_of(fd);

	if (ino == model->target && (size_t)offset >= OLD_LEN) {
		model->is_tail_dirty = true;
		cancel = is_to_cancel ? SIGINT : 0;
	}
	if (ino == model->target && (size_t)offset < OLD_LEN) {
		if (++model->heads == model->stop_at_head)
			_exit(0);
		if (model->is_append)
			expect(!model->is_tail_dirty && model->undo != 0 &&
					!*dirty_of(model->undo) &&
					!model->is_folder_dirty,
				"the head changes before tail, undo file and "
				"folder are synced");
	}
	*dirty_of(ino) = true;
}

ssize_t __real_pwrite64(int fd, const void *src, size_t len, off_t offset);
ssize_t __wrap_pwrite64(int fd, const void *src, size_t len, off_t offset)
{
	wrote(fd, offset);
	return __real_pwrite64(fd, src, len, offset);
}

ssize_t __real_copy_file_range(int src, off_t *src_at, int dst, off_t *dst_at,
	size_t len, unsigned flags);
ssize_t __wrap_copy_file_range(int src, off_t *src_at, int dst, off_t *dst_at,
	size_t len, unsigned flags)
{
	wrote(dst, dst_at ? *dst_at : 0);
	return __real_copy_file_range(src, src_at, dst, dst_at, len, flags);
}

int __real_ftruncate64(int fd, off_t len);
int __wrap_ftruncate64(int fd, off_t len)
{
	struct stat found = {0};

	if (fstat(fd, &found) == 0 && found.st_size != len) {
		if (found.st_ino == model->target && len < found.st_size)
			expect(!*dirty_of(found.st_ino),
				"it is cut before its head is synced");
		*dirty_of(found.st_ino) = true;
	}
	return __real_ftruncate64(fd, len);
}

int __real_fsync(int fd);
int __wrap_fsync(int fd)
{
	struct stat found = {0};

	assert_int_equal(fstat(fd, &found), 0);
	if (S_ISDIR(found.st_mode))
		model->is_folder_dirty = false;
	else
		*dirty_of(found.st_ino) = false;
	if (found.st_ino == model->target)
		model->is_tail_dirty = false;
	return __real_fsync(fd);
}

int __real_openat64(int fd, const char *name, int flags, mode_t mode);
int __wrap_openat64(int fd, const char *name, int flags, mode_t mode)
{
	int found = __real_openat64(fd, name, flags, mode);

	if (found < 0 || (flags & O_CREAT) == 0)
		return found;
	*dirty_of(ino_of(found)) = false; /* numbers are used again */
	if (strstr(name, "-undo")) {
		model->undo = ino_of(found);
		model->is_folder_dirty = true;
	}
	return found;
}

static int named(int folder, const char *from, const char *to)
{
	struct stat found = {0};

	if (to[0] == '.')
		return 0;
	if (is_rename_failing && strcmp(to, "target.wim") == 0) {
		errno = EIO;
		return -1;
	}
	if (fstatat(folder, from, &found, AT_SYMLINK_NOFOLLOW) == 0)
		expect(!*dirty_of(found.st_ino),
			"a file takes its name before it is synced");
	expect(!model->is_folder_dirty,
		"a file takes a name before the one before is synced");
	model->is_folder_dirty = true;
	return 0;
}

int __real_renameat(int a, const char *from, int b, const char *to);
int __wrap_renameat(int a, const char *from, int b, const char *to)
{
	return named(a, from, to) != 0 ? -1 : __real_renameat(a, from, b, to);
}

int __real_renameat2(
	int a, const char *from, int b, const char *to, unsigned flags);
int __wrap_renameat2(
	int a, const char *from, int b, const char *to, unsigned flags)
{
	return named(a, from, to) != 0
		       ? -1
		       : __real_renameat2(a, from, b, to, flags);
}

int __real_linkat(int a, const char *from, int b, const char *to, int flags);
int __wrap_linkat(int a, const char *from, int b, const char *to, int flags)
{
	if (!has_no_links)
		return __real_linkat(a, from, b, to, flags);
	errno = EPERM;
	return -1;
}

int __real_unlinkat(int fd, const char *name, int flags);
int __wrap_unlinkat(int fd, const char *name, int flags)
{
	if (strstr(name, "-undo")) {
		if (model->is_stop_at_undo)
			_exit(0);
		expect(!*dirty_of(model->target),
			"the undo file goes before the file is synced");
		model->is_folder_dirty = true;
	}
	return __real_unlinkat(fd, name, flags);
}

static void watch(const struct fixture *fixture)
{
	struct stat found = {0};

	memset(model, 0, sizeof(*model));
	assert_int_equal(stat(fixture->target, &found), 0);
	model->target = found.st_ino;
}

static void assert_in_order(void)
{
	expect(!*dirty_of(model->target), "the file is not synced at the end");
	expect(!model->is_folder_dirty, "the folder is not synced at the end");
	if (model->problem[0] != '\0')
		fail_msg("%s", model->problem);
}

static enum wt_status replace(
	struct fixture *fixture, const struct wt_publish *publish)
{
	struct wt_workfile *file = NULL;
	struct wt_copy *copy = NULL;
	enum wt_status ret =
		wt_workfile_lock(fixture->target, -1, 0, NULL, &file, NULL);

	if (ret == WT_OK)
		ret = wt_copy_begin(file, publish, TAIL_LEN, &copy, NULL);
	if (ret == WT_OK)
		ret = wt_copy_publish(copy, &fixture->patch, NULL);
	wt_workfile_close(file);
	return ret;
}

static enum wt_status append(
	struct fixture *fixture, const struct wt_publish *publish)
{
	struct wt_workfile *file = NULL;
	enum wt_status ret =
		wt_workfile_lock(fixture->target, -1, 0, NULL, &file, NULL);

	model->is_append = true;
	if (ret == WT_OK)
		ret = wt_workfile_patch(file, &fixture->patch, publish, NULL);
	wt_workfile_close(file);
	return ret;
}

static void replacing(void **state)
{
	struct fixture *fixture = *state;
	struct wt_publish publish = {0};

	watch(fixture);
	assert_int_equal(replace(fixture, &publish), WT_OK);
	assert_in_order();
	assert_true(fixture_is_new(fixture, fixture->target));
}

static void replacing_with_a_backup(void **state)
{
	struct fixture *fixture = *state;
	struct wt_publish publish = {.backup_suffix = ".bak"};
	char *backup = fixture_path(fixture, "target.wim.bak");

	for (int i = 0; i < 2; i++) {
		has_no_links = i == 1;
		fixture_write(fixture->target, fixture->old_data, OLD_LEN);
		watch(fixture);
		assert_int_equal(replace(fixture, &publish), WT_OK);
		has_no_links = false;
		assert_in_order();
		assert_true(fixture_is_old(fixture, backup));
		unlink(backup);
	}
	free(backup);
}

/* It may be all that is left of the old file. */
static void a_second_copy_stays_when_the_rename_fails(void **state)
{
	struct fixture *fixture = *state;
	struct wt_publish publish = {.backup_suffix = ".bak"};
	char *backup = fixture_path(fixture, "target.wim.bak");

	watch(fixture);
	has_no_links = is_rename_failing = true;
	assert_int_equal(replace(fixture, &publish), WT_ERR_FILE);
	has_no_links = is_rename_failing = false;
	assert_true(fixture_is_old(fixture, fixture->target));
	assert_true(fixture_is_old(fixture, backup));
	free(backup);
}

static void appending(void **state)
{
	struct fixture *fixture = *state;
	struct wt_publish publish = {0};

	watch(fixture);
	assert_int_equal(append(fixture, &publish), WT_OK);
	assert_in_order();
	assert_true(fixture_is_new(fixture, fixture->target));
}

static void shortening(void **state)
{
	struct fixture *fixture = *state;
	struct wt_publish publish = {0};

	fixture_use_short(fixture);
	watch(fixture);
	assert_int_equal(append(fixture, &publish), WT_OK);
	assert_in_order();
	assert_true(fixture_is_new(fixture, fixture->target));
}

static enum wt_status say_no(void *ctx, const char *path, struct wt_error *err)
{
	(void)ctx;
	(void)path;
	(void)err;
	/* The head may be written back at once. */
	model->is_append = false;
	return WT_ERR_HIVE;
}

static void taking_back(void **state)
{
	struct fixture *fixture = *state;
	struct wt_publish publish = {.verify = say_no};

	watch(fixture);
	assert_int_equal(append(fixture, &publish), WT_ERR_HIVE);
	assert_in_order();
	assert_true(fixture_is_old(fixture, fixture->target));
}

/* The error is the signal, not a disk that lost something. */
static void a_signal_while_the_tail_is_written(void **state)
{
	struct fixture *fixture = *state;
	struct wt_publish publish = {.cancel = &cancel};

	watch(fixture);
	is_to_cancel = true;
	assert_int_equal(append(fixture, &publish), WT_INTERRUPTED);
	is_to_cancel = false;
	assert_true(fixture_is_old(fixture, fixture->target));
	assert_int_equal(fixture_count(fixture), 1);
}

/* The next run after a killed one: nothing that the killed one wrote may count
 * as being on the disk. */
static void recover(
	struct fixture *fixture, int stop_at_head, bool is_stop_at_undo)
{
	struct wt_publish publish = {0};
	struct wt_workfile *file = NULL;
	struct wt_error err = {0};
	pid_t child = -1;
	int status = 0;

	fixture_write(fixture->target, fixture->old_data, OLD_LEN);
	watch(fixture);
	model->stop_at_head = stop_at_head;
	model->is_stop_at_undo = is_stop_at_undo;
	child = fork();
	if (child == 0) {
		append(fixture, &publish);
		_exit(1);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	watch(fixture);
	*dirty_of(model->target) = true;
	assert_int_equal(
		wt_workfile_lock(fixture->target, -1, 0, NULL, &file, &err),
		WT_OK);
	assert_string_not_equal(file->note, "");
	wt_workfile_close(file);
	assert_in_order();
}

static void the_next_run(void **state)
{
	struct fixture *fixture = *state;

	recover(fixture, 1, false); /* the old head, and a tail */
	assert_true(fixture_is_old(fixture, fixture->target));
	recover(fixture, 0, true); /* all of it */
	assert_true(fixture_is_new(fixture, fixture->target));
	fixture_use_pages(fixture);
	recover(fixture, 2, false); /* torn */
	assert_true(fixture_is_old(fixture, fixture->target));
}

static int set_up(void **state)
{
	model = wt_shared_new(sizeof(*model));
	return model ? fixture_new(state) : 1;
}

static int tear_down(void **state)
{
	wt_shared_free(model, sizeof(*model));
	return fixture_free(state);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(replacing),
		TEST(replacing_with_a_backup),
		TEST(a_second_copy_stays_when_the_rename_fails),
		TEST(appending),
		TEST(shortening),
		TEST(taking_back),
		TEST(a_signal_while_the_tail_is_written),
		TEST(the_next_run),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
