/* SPDX-License-Identifier: MIT
 * test_lockfile.c: two runs make their lock file at the same moment. */
#include "file/lockfile.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/file.h>
#include <unistd.h>

#include <cmocka.h>

#define OWN ".boot.wim.wimtrust-lock"

static int dir_fd = -1;
static int other_fd = -1; /* the other run's lock, while it has one */

int __real_flock(int fd, int how);

/* Just before our lock, the other run removes our file as one that was left,
 * and makes and locks its own. */
int __wrap_flock(int fd, int how)
{
	if (other_fd < 0) {
		assert_int_equal(unlinkat(dir_fd, OWN, 0), 0);
		other_fd = openat(dir_fd, OWN, O_RDWR | O_CREAT | O_EXCL, 0644);
		assert_true(other_fd >= 0);
		assert_int_equal(__real_flock(other_fd, LOCK_EX | LOCK_NB), 0);
		errno = EACCES;
	}
	return __real_flock(fd, how);
}

static void the_lock_of_another_run_stays(void **state)
{
	char folder[] = "/tmp/wt-lockfile-XXXXXX";
	struct stat holder = {0}, found = {0}, other = {0};
	int fd = -1;

	(void)state;
	assert_non_null(mkdtemp(folder));
	dir_fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(dir_fd >= 0);
	assert_int_equal(
		wt_lockfile_take(dir_fd, "boot.wim", &fd, &holder), WT_NO);
	assert_int_equal(fd, -1);
	assert_int_equal(fstatat(dir_fd, OWN, &found, 0), 0);
	assert_int_equal(fstat(other_fd, &other), 0);
	assert_true(found.st_ino == other.st_ino);
	/* When that run has ended, its file is taken over. */
	close(other_fd);
	assert_int_equal(
		wt_lockfile_take(dir_fd, "boot.wim", &fd, &holder), WT_OK);
	wt_lockfile_drop(dir_fd, "boot.wim", fd);
	assert_int_equal(fstatat(dir_fd, OWN, &found, 0), -1);
	close(dir_fd);
	assert_int_equal(rmdir(folder), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_lock_of_another_run_stays),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
