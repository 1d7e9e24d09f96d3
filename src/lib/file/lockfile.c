/* SPDX-License-Identifier: MIT
 * file/lockfile.c: a lock beside a file that itself is not locked. */
#include "file/lockfile.h"

#include "base/io.h"
#include "file/temp.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#define TRIES 16
#define POLL_MS 10

static void lock_name(const char *name, char dst[WT_TEMP_NAME_MAX])
{
	wt_temp_name(name, "-lock", dst);
}

/* Who held it removes it: then another one is the lock. */
static bool is_linked(int dir_fd, const char *name, int fd)
{
	struct stat by_fd = {0};
	struct stat by_name = {0};

	return fstat(fd, &by_fd) == 0 &&
	       fstatat(dir_fd, name, &by_name, AT_SYMLINK_NOFOLLOW) == 0 &&
	       by_fd.st_dev == by_name.st_dev && by_fd.st_ino == by_name.st_ino;
}

enum wt_status wt_lockfile_take(int dir_fd, const char *name, int *ret_fd)
{
	char own_name[WT_TEMP_NAME_MAX];
	enum wt_status ret = WT_NO;
	int saved = 0;

	lock_name(name, own_name);
	for (int i = 0; i < TRIES; i++) {
		/* For everyone to read, so that everyone can see it held. */
		int fd = wt_io_open(
			dir_fd, own_name, O_RDWR | O_CREAT | O_NOFOLLOW, 0644);

		if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0 &&
			is_linked(dir_fd, own_name, fd)) {
			*ret_fd = fd;
			return WT_OK;
		}
		saved = errno;
		/* Held, if only by who looks whether it is. On SMB one that
		 * is being removed can be seen, not opened. */
		ret = fd >= 0 ? WT_NO : WT_ERR_FILE;
		if (fd >= 0)
			close(fd);
		else if (saved != EACCES && saved != ENOENT)
			break;
		wt_io_sleep_ms(POLL_MS);
	}
	errno = saved;
	return ret;
}

void wt_lockfile_drop(int dir_fd, const char *name, int fd)
{
	char own_name[WT_TEMP_NAME_MAX];

	if (fd < 0)
		return;
	lock_name(name, own_name);
	(void)unlinkat(dir_fd, own_name, 0);
	close(fd);
}

bool wt_lockfile_is_held(int dir_fd, const char *name, const struct stat *file,
	struct stat *ret_holder)
{
	char own_name[WT_TEMP_NAME_MAX];
	bool is_held = false;
	int fd = -1;

	lock_name(name, own_name);
	if (fstatat(dir_fd, own_name, ret_holder, AT_SYMLINK_NOFOLLOW) != 0 ||
		!S_ISREG(ret_holder->st_mode) ||
		(ret_holder->st_uid != geteuid() && ret_holder->st_uid != 0 &&
			ret_holder->st_uid != file->st_uid))
		return false;
	fd = wt_io_open(dir_fd, own_name, O_RDONLY | O_NOFOLLOW, 0);
	if (fd < 0)
		return errno != ENOENT;
	is_held = flock(fd, LOCK_EX | LOCK_NB) != 0;
	if (!is_held && is_linked(dir_fd, own_name, fd))
		(void)unlinkat(dir_fd, own_name, 0);
	close(fd);
	return is_held;
}
