/* SPDX-License-Identifier: MIT
 * test_openers.c: another process has the file open, as a writer that has read
 * the header and not yet taken the lock. It is waited for. */
#include "base/child.h"
#include "base/io.h"
#include "file/openers.h"
#include "workfile_fixture.h"

#include <errno.h>
#include <sys/wait.h>

#define HELD_MS 400

/* What the other process says. */
struct shared {
	bool is_open;
	bool is_replaced; /* another file had the name when it closed its own */
	bool is_changed;  /* or the head was another one */
	bool is_done;
};

static struct shared *shared;

/* The file whose head nobody may open while it is written. */
static const char *leased;
static ino_t leased_ino;
static int refused, let_in;

ssize_t __real_pwrite64(int fd, const void *src, size_t len, off_t offset);
ssize_t __wrap_pwrite64(int fd, const void *src, size_t len, off_t offset)
{
	struct stat found = {0};
	int other = -1;

	if (leased && offset == 0 && fstat(fd, &found) == 0 &&
		found.st_ino == leased_ino) {
		other = open(leased, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
		if (other >= 0)
			close(other);
		if (other < 0 && errno == EWOULDBLOCK)
			refused++;
		else
			let_in++;
	}
	return __real_pwrite64(fd, src, len, offset);
}

static bool is_replaced(const char *path, int fd)
{
	struct stat by_name = {0}, by_fd = {0};

	return stat(path, &by_name) == 0 && fstat(fd, &by_fd) == 0 &&
	       by_name.st_ino != by_fd.st_ino;
}

static void hold(const struct fixture *fixture, bool is_until_replaced)
{
	int fd = open(fixture->target, O_RDONLY | O_CLOEXEC);
	uint8_t head[HEAD_LEN] = {0};
	int64_t end = wt_io_now_ms() + 60000;

	shared->is_open = true;
	while (is_until_replaced && !is_replaced(fixture->target, fd) &&
		wt_io_now_ms() < end)
		wt_io_sleep_ms(5);
	wt_io_sleep_ms(HELD_MS);
	shared->is_replaced = is_replaced(fixture->target, fd);
	if (pread(fd, head, HEAD_LEN, 0) != (ssize_t)HEAD_LEN)
		_exit(1);
	shared->is_changed = memcmp(head, fixture->old_data, HEAD_LEN) != 0;
	shared->is_done = true;
	_exit(0);
}

static pid_t holder_start(const struct fixture *fixture, bool is_until_replaced)
{
	pid_t child = fork();

	if (child == 0)
		hold(fixture, is_until_replaced);
	while (!*(volatile bool *)&shared->is_open)
		wt_io_sleep_ms(5);
	return child;
}

static void holder_end(pid_t child)
{
	int status = 0;

	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
}

/* Not every file system has leases. */
static void leases_require(const struct fixture *fixture)
{
	int fd = open(fixture->target, O_RDWR | O_CLOEXEC);
	bool has_none = wt_lease_take(fd) != 0;

	close(fd);
	if (has_none)
		skip();
}

static void replace(struct fixture *fixture)
{
	struct wt_publish publish = {0};
	struct wt_workfile *file = NULL;
	struct wt_copy *copy = NULL;

	assert_int_equal(
		wt_workfile_lock(fixture->target, -1, 0, NULL, &file, NULL),
		WT_OK);
	assert_int_equal(
		wt_copy_begin(file, &publish, TAIL_LEN, &copy, NULL), WT_OK);
	assert_int_equal(wt_copy_publish(copy, &fixture->patch, NULL), WT_OK);
	wt_workfile_close(file);
}

static void append(struct fixture *fixture)
{
	struct wt_publish publish = {0};
	struct wt_workfile *file = NULL;

	assert_int_equal(
		wt_workfile_lock(fixture->target, -1, 0, NULL, &file, NULL),
		WT_OK);
	assert_int_equal(
		wt_workfile_patch(file, &fixture->patch, &publish, NULL),
		WT_OK);
	wt_workfile_close(file);
}

static void a_file_that_is_open_is_not_replaced_yet(void **state)
{
	struct fixture *fixture = *state;
	pid_t child = -1;

	leases_require(fixture);
	child = holder_start(fixture, false);
	replace(fixture);
	holder_end(child);
	assert_false(shared->is_replaced);
	assert_true(fixture_is_new(fixture, fixture->target));
}

/* The writer finds the new file when it opens the path again, and our lock on
 * it. */
static void who_holds_the_replaced_file_is_waited_for(void **state)
{
	struct fixture *fixture = *state;
	pid_t child = -1;
	bool was_done = false;

	leases_require(fixture);
	child = holder_start(fixture, true);
	replace(fixture);
	was_done = shared->is_done;
	holder_end(child);
	assert_true(shared->is_replaced);
	assert_true(was_done);
}

static void the_head_of_a_file_that_is_open_is_not_written_yet(void **state)
{
	struct fixture *fixture = *state;
	pid_t child = -1;

	leases_require(fixture);
	child = holder_start(fixture, false);
	append(fixture);
	holder_end(child);
	assert_false(shared->is_changed);
	assert_true(fixture_is_new(fixture, fixture->target));
}

static void nobody_opens_it_while_its_head_is_written(void **state)
{
	struct fixture *fixture = *state;
	struct stat found = {0};

	leases_require(fixture);
	assert_int_equal(stat(fixture->target, &found), 0);
	leased_ino = found.st_ino;
	leased = fixture->target;
	append(fixture);
	leased = NULL;
	assert_int_equal(let_in, 0);
	assert_int_equal(refused, 1);
}

static int set_up(void **state)
{
	shared = wt_shared_new(sizeof(*shared));
	return shared ? fixture_new(state) : 1;
}

static int tear_down(void **state)
{
	wt_shared_free(shared, sizeof(*shared));
	return fixture_free(state);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_file_that_is_open_is_not_replaced_yet),
		TEST(who_holds_the_replaced_file_is_waited_for),
		TEST(the_head_of_a_file_that_is_open_is_not_written_yet),
		TEST(nobody_opens_it_while_its_head_is_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
