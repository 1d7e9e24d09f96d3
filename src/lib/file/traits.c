/* SPDX-License-Identifier: MIT
 * file/traits.c: what the file system of a place can do, found by trying it. */
#include "file/traits.h"

#include "base/io.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/xattr.h>
#include <unistd.h>

/* Older headers lack them. */
#ifndef CIFS_SUPER_MAGIC
#define CIFS_SUPER_MAGIC 0xff534d42
#define SMB2_SUPER_MAGIC 0xfe534d42
#endif

#define POLL_MS 10
/* How long a program may take to close the file. */
#define RENAME_MS 2000

static bool is_gone(int dir_fd, const char *name)
{
	struct stat found = {0};

	return fstatat(dir_fd, name, &found, AT_SYMLINK_NOFOLLOW) != 0 &&
	       errno == ENOENT;
}

/* Renames a second file over the first, which is open. The file that is left
 * takes the place of the first. */
static int rename_try(int dir_fd, const char *name, int *fd,
	char temp_name[WT_TEMP_NAME_MAX], struct wt_traits *traits)
{
	char second_name[WT_TEMP_NAME_MAX];
	int second_fd = wt_temp_create(dir_fd, name, false, second_name);
	int64_t end = 0;

	if (second_fd < 0)
		return -1;
	traits->rename_over_open = WT_RENAME_WORKS;
	if (renameat(dir_fd, second_name, dir_fd, temp_name) == 0) {
		close(*fd);
		*fd = second_fd;
		return 0;
	}
	close(*fd);
	*fd = second_fd;
	end = wt_io_now_ms() + WT_CLOSE_MS;
	while (!is_gone(dir_fd, temp_name) && wt_io_now_ms() < end)
		wt_io_sleep_ms(POLL_MS);
	traits->rename_over_open = is_gone(dir_fd, temp_name)
					   ? WT_RENAME_LOSES
					   : WT_RENAME_REFUSED;
	(void)unlinkat(dir_fd, temp_name, 0);
	memcpy(temp_name, second_name, WT_TEMP_NAME_MAX);
	return 0;
}

bool wt_traits_is_cannot(int native)
{
	switch (native) {
	case EPERM:
	case EACCES:
	case EBADF:
	case EINVAL:
	case EMLINK:
	case ENOLCK:
	case ENOSYS:
	case ENOTTY:
	case EOPNOTSUPP:
		return true;
	default:
		return false;
	}
}

static bool is_one_of(int fd, const unsigned long *magics, size_t count)
{
	struct statfs fs = {0};

	if (fstatfs(fd, &fs) != 0)
		return false;
	/* The type is signed, and as long as the machine likes. */
	for (size_t i = 0; i < count; i++)
		if ((uint32_t)fs.f_type == magics[i])
			return true;
	return false;
}

bool wt_traits_is_plain(int dir_fd)
{
	static const unsigned long plain[] = {BTRFS_SUPER_MAGIC,
		EXT4_SUPER_MAGIC, F2FS_SUPER_MAGIC, OVERLAYFS_SUPER_MAGIC,
		RAMFS_MAGIC, TMPFS_MAGIC, XFS_SUPER_MAGIC};

	return is_one_of(dir_fd, plain, sizeof(plain) / sizeof(plain[0]));
}

bool wt_traits_has_server_leases(int fd)
{
	static const unsigned long smb[] = {CIFS_SUPER_MAGIC, SMB2_SUPER_MAGIC};

	return is_one_of(fd, smb, sizeof(smb) / sizeof(smb[0]));
}

bool wt_traits_is_locked_out(int dir_fd, const char *name)
{
	int fd = wt_io_open(dir_fd, name, O_RDONLY | O_NOFOLLOW, 0);
	bool is_out = false;
	char byte = 0;

	if (fd < 0)
		return errno == EACCES;
	is_out = pread(fd, &byte, 1, 0) < 0 &&
		 (errno == EACCES || errno == EAGAIN);
	close(fd);
	return is_out;
}

static bool has_mandatory_locks(int dir_fd, const char *name, int fd)
{
	bool is_it = wt_io_truncate(fd, 1) == 0 &&
		     wt_traits_is_locked_out(dir_fd, name);

	return wt_io_truncate(fd, 0) == 0 && is_it;
}

/* Another fault than that the file system cannot is none of its traits: a new
 * file would lose what it could have. 0, or -1 with errno set. */
static int attributes_try(int fd, struct wt_traits *traits)
{
	struct stat found = {0};

	if (fchmod(fd, 0600) != 0) {
		if (!wt_traits_is_cannot(errno))
			return -1;
		traits->has_no_modes = true;
	}
	if (fstat(fd, &found) != 0)
		return -1;
	traits->has_no_modes |= (found.st_mode & 07777) != 0600;
	/* Gives the file to its owner, which everyone may do. Where it belongs
	 * to somebody else, the server decides about owners. */
	traits->has_no_owners = found.st_uid == geteuid() &&
				fchown(fd, geteuid(), (gid_t)-1) != 0;
	if (traits->has_no_owners && !wt_traits_is_cannot(errno))
		return -1;
	traits->has_no_attributes = flistxattr(fd, NULL, 0) < 0;
	return 0;
}

int wt_traits_temp_create(int dir_fd, const char *name,
	char ret_name[WT_TEMP_NAME_MAX], struct wt_traits *ret_traits)
{
	struct wt_traits traits = {0};
	int fd = wt_temp_create(dir_fd, name, false, ret_name);
	int result = 0, saved = 0;

	if (fd < 0)
		return -1;
	result = rename_try(dir_fd, name, &fd, ret_name, &traits);
	if (result == 0)
		traits.has_mandatory_locks =
			has_mandatory_locks(dir_fd, ret_name, fd);
	if (result == 0)
		result = attributes_try(fd, &traits);
	if (result != 0) {
		saved = errno;
		unlinkat(dir_fd, ret_name, 0);
		close(fd);
		errno = saved;
		return -1;
	}
	*ret_traits = traits;
	return fd;
}

int wt_traits_sync_folder(int fd)
{
	return wt_io_sync(fd) == 0 || wt_traits_is_cannot(errno) ? 0 : -1;
}

/* The file is opened too: one that is about to be removed can be seen, but not
 * opened. */
static bool is_there(int dir_fd, const char *name, const struct stat *old)
{
	struct stat found = {0};
	int fd = wt_io_open(dir_fd, name, O_RDONLY | O_NOFOLLOW, 0);
	bool is_same =
		fd >= 0 && fstat(fd, &found) == 0 && wt_io_is_same(&found, old);

	if (fd >= 0)
		close(fd);
	return is_same;
}

int wt_traits_rename_over(const struct wt_traits *traits, int dir_fd,
	const char *from, const char *to, const struct stat *old,
	bool *ret_is_old)
{
	int64_t end = wt_io_now_ms() + RENAME_MS;
	int saved = 0;

	for (;;) {
		if (renameat(dir_fd, from, dir_fd, to) == 0)
			return 0;
		saved = errno;
		*ret_is_old = old && is_there(dir_fd, to, old);
		if (!old || wt_io_now_ms() >= end ||
			(*ret_is_old &&
				traits->rename_over_open == WT_RENAME_WORKS))
			break;
		wt_io_sleep_ms(POLL_MS);
	}
	errno = saved;
	return -1;
}
