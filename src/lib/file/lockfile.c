/* SPDX-License-Identifier: MIT
 * file/lockfile.c: a lock beside a file that itself is not locked. */
#include "file/lockfile.h"

#include "base/io.h"
#include "file/temp.h"
#include "file/traits.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#define TRIES 16
#define POLL_MS 10

/* cifs closes a file up to a second later than it is told, and until then SMB
 * refuses access to the name of a file that was removed. */
#define TRIES_IF_HIDDEN 150

static void lock_name(const char *name, char dst[WT_TEMP_NAME_MAX])
{
	wt_temp_name(name, "-lock", dst);
}

/* Keeps errno. */
static bool is_writable(int dir_fd)
{
	int saved = errno;
	bool is_it = faccessat(dir_fd, ".", W_OK, AT_EACCESS) == 0;

	errno = saved;
	return is_it;
}

/* One that was left is removed. */
static bool is_held(int dir_fd, const char *own_name, struct stat *ret_holder)
{
	int fd = wt_temp_claim(dir_fd, own_name, ret_holder);

	if (fd < 0)
		return errno != ENOENT && errno != ELOOP && errno != EPERM;
	if (S_ISREG(ret_holder->st_mode))
		(void)unlinkat(dir_fd, own_name, 0);
	close(fd);
	return false;
}

/* Made by us, and by nobody else: what stood there may be a second name of
 * any file, so that nothing but the name is touched. */
static int lock_create(int dir_fd, const char *own_name, bool *ret_is_held,
	struct stat *holder)
{
	int fd = wt_io_open(
		dir_fd, own_name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, 0600);

	*ret_is_held =
		fd < 0 && errno == EEXIST && is_held(dir_fd, own_name, holder);
	/* For everyone to read, so that everyone can see it held. */
	if (fd >= 0)
		(void)fchmod(fd, 0644);
	return fd;
}

enum wt_status wt_lockfile_take(
	int dir_fd, const char *name, int *ret_fd, struct stat *ret_holder)
{
	char own_name[WT_TEMP_NAME_MAX];
	bool is_taken = false;

	lock_name(name, own_name);
	for (int i = 0; i < (is_taken ? TRIES : TRIES_IF_HIDDEN); i++) {
		int fd = lock_create(dir_fd, own_name, &is_taken, ret_holder);
		bool is_locked = fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0;

		/* Who held it removes it: then another one is the lock. */
		if (is_locked && wt_io_is_named(fd, dir_fd, own_name)) {
			*ret_fd = fd;
			return WT_OK;
		}
		if (fd >= 0 && !is_locked && errno != EWOULDBLOCK) {
			wt_lockfile_drop(dir_fd, name, fd);
			break;
		}
		if (fd < 0 && !is_taken && !is_writable(dir_fd))
			break;
		/* Another run may check or remove the lock at this moment, and
		 * a third may have made its own. */
		if (fd >= 0)
			close(fd);
		wt_io_sleep_ms(POLL_MS);
	}
	return is_taken ? WT_NO : WT_ERR_FILE;
}

bool wt_lockfile_is_mandatory(int dir_fd, const char *name, int fd)
{
	char own_name[WT_TEMP_NAME_MAX];

	lock_name(name, own_name);
	return wt_io_truncate(fd, 1) == 0 &&
	       wt_traits_is_locked_out(dir_fd, own_name);
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

	lock_name(name, own_name);
	return fstatat(dir_fd, own_name, ret_holder, AT_SYMLINK_NOFOLLOW) ==
		       0 &&
	       (ret_holder->st_uid == geteuid() || ret_holder->st_uid == 0 ||
		       ret_holder->st_uid == file->st_uid) &&
	       is_held(dir_fd, own_name, ret_holder);
}
