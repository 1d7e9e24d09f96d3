/* SPDX-License-Identifier: MIT
 * file/temp.c: names of temporary files; removing what killed runs left. */
#include "file/temp.h"

#include "base/io.h"
#include "file/traits.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#define RANDOM_LEN 8
#define CREATE_TRIES 16
/* Room for ".", "~", a hash, ".wimtrust-" and the random part in NAME_MAX. */
#define NAME_KEPT_MAX 200

static uint64_t name_hash(const char *name)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325);

	for (; *name != '\0'; name++)
		hash = (hash ^ (uint8_t)*name) * UINT64_C(0x100000001b3);
	return hash;
}

void wt_temp_name(
	const char *name, const char *suffix, char dst[WT_TEMP_NAME_MAX])
{
	if (strlen(name) <= NAME_KEPT_MAX)
		snprintf(dst, WT_TEMP_NAME_MAX, ".%.*s.wimtrust%s",
			NAME_KEPT_MAX, name, suffix);
	else
		snprintf(dst, WT_TEMP_NAME_MAX,
			".%.180s~%016" PRIx64 ".wimtrust%s", name,
			name_hash(name), suffix);
}

static int temp_random_name(const char *name, char dst[WT_TEMP_NAME_MAX])
{
	char suffix[RANDOM_LEN + 2] = "-";

	if (wt_io_random_name(suffix + 1, RANDOM_LEN) != 0)
		return -1;
	wt_temp_name(name, suffix, dst);
	return 0;
}

static int temp_open_new(int dir_fd, const char *name, bool is_folder)
{
	int saved = 0;
	int fd = -1;

	if (!is_folder)
		return wt_io_open(dir_fd, name,
			O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, 0600);
	if (mkdirat(dir_fd, name, 0700) != 0)
		return -1;
	fd = wt_io_open(dir_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, 0);
	if (fd < 0) {
		saved = errno;
		unlinkat(dir_fd, name, AT_REMOVEDIR);
		errno = saved;
	}
	return fd;
}

int wt_temp_create(int dir_fd, const char *name, bool is_folder,
	char ret_name[WT_TEMP_NAME_MAX])
{
	int saved = 0;

	for (int i = 0; i < CREATE_TRIES; i++) {
		int fd = -1;

		if (temp_random_name(name, ret_name) != 0)
			return -1;
		fd = temp_open_new(dir_fd, ret_name, is_folder);
		if (fd < 0 && (errno == EEXIST || errno == ENOENT))
			continue;
		if (fd < 0)
			return -1;
		/* Without locks nobody ever takes it for abandoned. */
		if ((flock(fd, LOCK_EX | LOCK_NB) == 0 ||
			    wt_traits_is_cannot(errno)) &&
			/* A sweeping run may have taken it for abandoned
			 * before it was locked. */
			wt_io_is_named(fd, dir_fd, ret_name)) {
			/* What an odd umask took; without modes, nothing. */
			(void)fchmod(fd, is_folder ? 0700 : 0600);
			return fd;
		}
		saved = errno;
		unlinkat(dir_fd, ret_name, is_folder ? AT_REMOVEDIR : 0);
		close(fd);
		errno = saved;
		if (saved != EWOULDBLOCK && saved != ENOENT && saved != EINTR)
			return -1;
	}
	errno = EEXIST;
	return -1;
}

/* Opens for writing where that is allowed: on NFS only that gives an exclusive
 * lock. */
static int claim_open(int dir_fd, const char *name)
{
	int fd = wt_io_open(dir_fd, name, O_RDWR | O_NOFOLLOW, 0);

	return fd < 0 ? wt_io_open(dir_fd, name, O_RDONLY | O_NOFOLLOW, 0) : fd;
}

int wt_temp_claim(int dir_fd, const char *name, struct stat *ret_found)
{
	int fd = claim_open(dir_fd, name);
	int saved = 0;

	if (fd < 0)
		return -1;
	if (fstat(fd, ret_found) == 0 && flock(fd, LOCK_EX | LOCK_NB) == 0) {
		if (wt_io_is_named(fd, dir_fd, name))
			return fd;
		errno = ENOENT;
	} else if (errno == EBADF && flock(fd, LOCK_SH | LOCK_NB) == 0) {
		errno = EPERM;
	}
	saved = errno;
	close(fd);
	errno = saved;
	return -1;
}

void wt_temp_inner_name(const char *name, char dst[WT_TEMP_NAME_MAX])
{
	wt_temp_name(name, "-new", dst);
}

int wt_temp_folder_remove(
	int dir_fd, const char *folder_name, int folder_fd, const char *name)
{
	char inner_name[WT_TEMP_NAME_MAX];

	wt_temp_inner_name(name, inner_name);
	if (unlinkat(folder_fd, inner_name, 0) != 0 && errno != ENOENT)
		return -1;
	return unlinkat(dir_fd, folder_name, AT_REMOVEDIR);
}

int wt_temp_unused_name(
	int dir_fd, const char *name, char ret_name[WT_TEMP_NAME_MAX])
{
	struct stat existing = {0};

	for (int i = 0; i < CREATE_TRIES; i++) {
		if (temp_random_name(name, ret_name) != 0)
			return -1;
		if (fstatat(dir_fd, ret_name, &existing, AT_SYMLINK_NOFOLLOW) !=
			0)
			return errno == ENOENT ? 0 : -1;
	}
	errno = EEXIST;
	return -1;
}

/* Is entry a temporary name that belongs to the file whose name prefix was
 * made from? prefix ends with "-". */
static bool is_temp_name(const char *entry, const char *prefix)
{
	size_t prefix_len = strlen(prefix);

	return strncmp(entry, prefix, prefix_len) == 0 &&
	       strlen(entry) == prefix_len + RANDOM_LEN &&
	       strspn(entry + prefix_len, WT_IO_NAME_LETTERS) == RANDOM_LEN;
}

static bool sweep_one(int dir_fd, const char *entry, const char *name,
	const struct stat *file)
{
	bool is_removed = false;
	struct stat found = {0};
	int fd = -1;

	if (fstatat(dir_fd, entry, &found, AT_SYMLINK_NOFOLLOW) != 0)
		return false;
	/* A link made for a backup that was not reached: the data stays under
	 * the file's own name, and the caller holds its lock. */
	if (wt_io_is_same(&found, file))
		return unlinkat(dir_fd, entry, 0) == 0;
	if (found.st_uid != geteuid() && found.st_uid != file->st_uid)
		return false;
	if (!S_ISREG(found.st_mode) && !S_ISDIR(found.st_mode))
		return false;
	fd = wt_temp_claim(dir_fd, entry, &found);
	if (fd < 0)
		return false;
	is_removed = S_ISDIR(found.st_mode) ? wt_temp_folder_remove(dir_fd,
						      entry, fd, name) == 0
					    : unlinkat(dir_fd, entry, 0) == 0;
	close(fd);
	return is_removed;
}

static DIR *folder_open(int dir_fd)
{
	int fd = wt_io_open(dir_fd, ".", O_RDONLY | O_DIRECTORY, 0);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);

	if (!dir && fd >= 0)
		close(fd);
	return dir;
}

/* The next temporary name of the file whose prefix this is; NULL at the end. */
static const char *folder_next(DIR *dir, const char *prefix)
{
	struct dirent *entry = readdir(dir);

	while (entry && !is_temp_name(entry->d_name, prefix))
		entry = readdir(dir);
	return entry ? entry->d_name : NULL;
}

unsigned wt_temp_sweep(int dir_fd, const char *name, const struct stat *file)
{
	char prefix[WT_TEMP_NAME_MAX];
	DIR *dir = folder_open(dir_fd);
	const char *entry = NULL;
	unsigned count = 0;

	if (!dir)
		return 0;
	wt_temp_name(name, "-", prefix);
	while ((entry = folder_next(dir, prefix)))
		count += sweep_one(dir_fd, entry, name, file);
	closedir(dir);
	return count;
}

static bool is_left(int dir_fd, const char *entry)
{
	struct stat found = {0};
	int fd = -1;

	if (fstatat(dir_fd, entry, &found, AT_SYMLINK_NOFOLLOW) != 0 ||
		!S_ISREG(found.st_mode) || found.st_uid != geteuid() ||
		found.st_size == 0)
		return false;
	fd = wt_temp_claim(dir_fd, entry, &found);
	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

bool wt_temp_find(int dir_fd, const char *name, char ret_name[WT_TEMP_NAME_MAX])
{
	char prefix[WT_TEMP_NAME_MAX];
	DIR *dir = folder_open(dir_fd);
	const char *entry = NULL;
	bool is_found = false;

	if (!dir)
		return false;
	wt_temp_name(name, "-", prefix);
	while (!is_found && (entry = folder_next(dir, prefix)))
		is_found = is_left(dir_fd, entry);
	if (is_found)
		snprintf(ret_name, WT_TEMP_NAME_MAX, "%s", entry);
	closedir(dir);
	return is_found;
}
